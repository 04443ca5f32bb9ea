//! Frames as bytes: one deterministic CBOR array each, its kind first.
//!
//! Lists of ids travel as one byte string, so that their number is known, and bounded, before anything is allocated
//! for them; numbers inside are big-endian.
//!
//! | kind | frame | fields |
//! |---|---|---|
//! | 0 | Hello | version, bundle bytes, window bytes, carries, pushes, delegations, routing, nonce, count, root, interests if any |
//! | 1 | Buckets | bits, fingerprints of 4 bytes |
//! | 2 | ShortIds | map of buckets, up to, ids of 8 bytes |
//! | 3 | Cells | map of buckets, up to, start, sums of 8, checks of 4 and counts of one byte |
//! | 4 | MoreCells | start, count |
//! | 5 | Want | ids of 8 bytes |
//! | 6 | Offer | ids of 32 bytes |
//! | 7 | Accepted | prefixes of 8 bytes and grade of one |
//! | 8 | Refused | id, reason, retry after ms |
//! | 9 | GaveUp | ids of 32 bytes |
//! | 10 | a bundle | copies, the bundle's bytes |
//! | 11 | Take | ids of 32 bytes |
//! | 12 | Ask | ids of 32 bytes |
//! | 13 | Noted | ids of 32 bytes |
//! | 14 | Lives | ids of 32 bytes and milliseconds left of 8 |
//!
//! Two are no arrays: the number 15, copies, and a bundle folded for the contact ([`Bundle::fold`]) to the end of the frame;
//! and the number 16 and such a bundle that wants no answer.

use std::borrow::Cow;

use super::{
    BITS_MAX, Cell, FRAME_CELLS_MAX, FRAME_FULL_IDS_MAX, FRAME_IDS_MAX, Frame, Grade, Hello, MAILBOXES_MAX,
    ROUTING_ENTRIES_MAX, Refusal, RoutingInfo, Transit,
};
use crate::bundle::{BUNDLE_BYTES_MAX, Bundle, COPIES_MAX, Ends, Handed, unfold};
use crate::cbor::{CborError, Length, Reader, Writer};
use crate::eid::EidError;
use crate::id::{BundleId, KeyError};
use crate::time::Millis;

/// The prefix of an id and a grade.
const GRANT_BYTES: usize = 9;
/// An id and the life left to its bundle.
const LIFE_BYTES: usize = 40;
/// Longest map of buckets.
const MAP_BYTES_MAX: usize = 1 << (BITS_MAX - 3);

pub(super) const HELLO: u64 = 0;
const BUCKETS: u64 = 1;
const SHORT_IDS: u64 = 2;
const CELLS: u64 = 3;
const MORE_CELLS: u64 = 4;
const WANT: u64 = 5;
const OFFER: u64 = 6;
const ACCEPTED: u64 = 7;
const REFUSED: u64 = 8;
const GAVE_UP: u64 = 9;
const BUNDLE: u64 = 10;
const TAKE: u64 = 11;
const ASK: u64 = 12;
const NOTED: u64 = 13;
const LIVES: u64 = 14;
const FOLDED: u64 = 15;
const ANSWER: u64 = 16;

/// Why bytes are not a frame, or a frame is none that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the frame is larger than the protocol allows")]
    TooLarge,
    #[error("the frame is not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("the frame is of the unknown kind {0}")]
    Kind(u64),
    #[error("the peer speaks version {0} of the protocol; version 1 is spoken here")]
    Version(u64),
    #[error("the frame has more {0} than allowed")]
    TooMany(&'static str),
    #[error("the {0} are not of the right number or length")]
    Lengths(&'static str),
    #[error("the {0} are repeated or out of order")]
    Order(&'static str),
    #[error("the frame has an unknown {0}")]
    Unknown(&'static str),
    #[error("an endpoint in the frame is refused: {0}")]
    Endpoint(#[from] EidError),
    #[error("a key in the frame is refused: {0}")]
    Key(#[from] KeyError),
}

/// What a contact's stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    Frame(Frame),
    /// A bundle not looked at yet; its age and hop count are inside.
    Bundle {
        copies: u16,
        bytes: &'a [u8],
    },
    /// The same, folded for the contact: [`unfold`](crate::bundle::unfold) says its bytes.
    Folded {
        copies: u16,
        is_answer: bool,
        folded: &'a [u8],
    },
}

impl<'a> Incoming<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Incoming<'a>, FrameError> {
        let mut reader = Reader::new(bytes);
        let is_answer = reader.take_if(&[ANSWER as u8]);
        let is_folded = is_answer || reader.take_if(&[FOLDED as u8]);
        let (fields, kind) = if is_folded { (3, BUNDLE) } else { (reader.array()?, reader.uint()?) };
        if kind != BUNDLE {
            return Frame::decode(bytes).map(Incoming::Frame);
        }
        if bytes.len() > super::FRAME_BUNDLE_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        expect_fields(fields, 3)?;
        let copies = if is_answer { 0 } else { reader.uint_as()? };
        if copies > COPIES_MAX {
            return Err(FrameError::TooMany("copies"));
        }
        if is_folded {
            return Ok(Incoming::Folded { copies, is_answer, folded: reader.rest() });
        }
        let bytes = reader.bytes()?;
        reader.finish()?;
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        Ok(Incoming::Bundle { copies, bytes })
    }
}

/// Encodes the frame that hands over a bundle between the ends of a contact, in which these messages came the other way:
/// folded, where a fold says every byte of it.
pub fn encode_folded(transit: &Transit, bundle: &Bundle, ends: &Ends, taken: &Handed) -> Vec<u8> {
    let mut out = Vec::with_capacity(bundle.encoded_len());
    if transit.is_answer {
        out.uint(ANSWER);
    } else {
        out.uint(FOLDED);
        out.uint(transit.copies);
    }
    match bundle.fold_into(transit.hops, ends, taken, &mut out) {
        true => out,
        false => encode_bundle(transit, bundle),
    }
}

/// Whether a frame hands over a bundle that wants no answer.
pub fn is_answer(frame: &[u8]) -> bool {
    frame.starts_with(&[ANSWER as u8])
}

/// The frame that hands over unfolded what a frame hands over folded between the ends of a contact, in which these messages
/// went the other way. Other frames, and what is no fold, come back as they are.
pub fn unfolded<'a>(frame: &'a [u8], ends: &Ends, given: &Handed) -> Cow<'a, [u8]> {
    if !frame.first().is_some_and(|kind| [FOLDED, ANSWER].contains(&u64::from(*kind))) {
        return Cow::Borrowed(frame);
    }
    let Ok(Incoming::Folded { copies, folded, .. }) = Incoming::decode(frame) else { return Cow::Borrowed(frame) };
    let Ok(bundle) = unfold(folded, ends, given) else { return Cow::Borrowed(frame) };
    let mut out = Vec::with_capacity(bundle.len() + 16);
    out.array(3);
    out.uint(BUNDLE);
    out.uint(copies);
    out.bytes(&bundle);
    Cow::Owned(out)
}

/// The length of [`encode_folded`] for a bundle that was made here, without encoding.
pub fn folded_len(transit: &Transit, bundle: &Bundle, ends: &Ends, taken: &Handed) -> usize {
    let mut head = Length::default();
    if !transit.is_answer {
        head.uint(transit.copies);
    }
    match bundle.folded_len(transit.hops, ends, taken) {
        Some(len) => 1 + head.0 + len,
        None => encode_bundle(transit, bundle).len(),
    }
}

/// Encodes the frame that hands over a bundle as it is, with its age and hop count written in.
pub fn encode_bundle(transit: &Transit, bundle: &Bundle) -> Vec<u8> {
    let len = bundle.len_with(transit.hops);
    let mut out = Vec::with_capacity(len + 16);
    out.array(3);
    out.uint(BUNDLE);
    out.uint(transit.copies);
    out.packed(len, |out| bundle.encode_into(transit.hops, out));
    out
}

impl Frame {
    /// Encodes the frame. An error says which of its lists is longer than the other side takes: a mistake of this side,
    /// but what makes a list long is often what a peer said before.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        self.check_bounds()?;
        let mut out = Vec::with_capacity(self.encoded_len());
        self.write(&mut out);
        Ok(out)
    }

    /// The length of [`Frame::encode`], without encoding; of a frame past its bounds, what it would be.
    pub fn encoded_len(&self) -> usize {
        let mut length = Length::default();
        self.write(&mut length);
        length.0
    }

    /// Decodes a frame of any kind but a bundle.
    pub fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
        if bytes.len() > super::FRAME_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        let fields = reader.array()?;
        let kind = reader.uint()?;
        let frame = read_fields(&mut reader, kind, fields)?;
        reader.finish()?;
        Ok(frame)
    }

    /// Holds the frame against the bounds that [`Frame::decode`] has.
    fn check_bounds(&self) -> Result<(), FrameError> {
        let at_most = |max: usize, what: &'static str, len: usize| match len <= max {
            true => Ok(()),
            false => Err(FrameError::TooMany(what)),
        };
        match self {
            Frame::Hello(hello) => {
                at_most(MAILBOXES_MAX, "mailboxes", hello.mailboxes.len())?;
                match &hello.routing {
                    RoutingInfo::None => Ok(()),
                    RoutingInfo::Predictabilities(entries) | RoutingInfo::Meetings(entries) => {
                        at_most(ROUTING_ENTRIES_MAX, "routing entries", entries.len())
                    }
                }
            }
            Frame::Buckets { bits, .. } if *bits > BITS_MAX => Err(FrameError::TooMany("buckets")),
            Frame::Buckets { bits, fingerprints } if fingerprints.len() == 1 << bits => Ok(()),
            Frame::Buckets { .. } => Err(FrameError::Lengths("fingerprints")),
            Frame::ShortIds { buckets, ids, .. } => {
                at_most(MAP_BYTES_MAX, "buckets", buckets.len())?;
                at_most(FRAME_IDS_MAX, "ids", ids.len())
            }
            Frame::Cells { buckets, cells, .. } => {
                at_most(MAP_BYTES_MAX, "buckets", buckets.len())?;
                at_most(FRAME_CELLS_MAX, "cells", cells.len())
            }
            Frame::MoreCells { count, .. } => at_most(FRAME_CELLS_MAX, "cells", *count as usize),
            Frame::Want { ids } => at_most(FRAME_IDS_MAX, "ids", ids.len()),
            Frame::Offer { ids }
            | Frame::Take { ids }
            | Frame::Ask { ids }
            | Frame::GaveUp { ids }
            | Frame::Noted { ids } => at_most(FRAME_FULL_IDS_MAX, "ids", ids.len()),
            Frame::Accepted { grants } => at_most(FRAME_FULL_IDS_MAX, "grants", grants.len()),
            Frame::Lives { lives } => at_most(FRAME_FULL_IDS_MAX, "lives", lives.len()),
            Frame::Refused { .. } => Ok(()),
        }
    }

    fn write(&self, out: &mut impl Writer) {
        match self {
            Frame::Hello(hello) => hello.write(out),
            Frame::Buckets { bits, fingerprints } => {
                begin(out, BUCKETS, 2);
                out.uint(*bits);
                out.packed(fingerprints.len() * 4, |out| {
                    fingerprints.iter().for_each(|fingerprint| out.raw(&fingerprint.to_be_bytes()));
                });
            }
            Frame::ShortIds { buckets, up_to, ids } => {
                begin(out, SHORT_IDS, 3);
                out.bytes(buckets);
                out.uint(*up_to);
                numbers(out, ids);
            }
            Frame::Cells { buckets, up_to, start, cells } => {
                begin(out, CELLS, 4);
                out.bytes(buckets);
                out.uint(*up_to);
                out.uint(*start);
                write_cells(out, cells);
            }
            Frame::MoreCells { start, count } => {
                begin(out, MORE_CELLS, 2);
                out.uint(*start);
                out.uint(*count);
            }
            Frame::Want { ids } => {
                begin(out, WANT, 1);
                numbers(out, ids);
            }
            Frame::Offer { ids } => full_ids(out, OFFER, ids),
            Frame::Take { ids } => full_ids(out, TAKE, ids),
            Frame::Ask { ids } => full_ids(out, ASK, ids),
            Frame::Accepted { grants } => {
                begin(out, ACCEPTED, 1);
                out.packed(grants.len() * GRANT_BYTES, |out| {
                    grants.iter().for_each(|(prefix, grade)| {
                        out.raw(&prefix.to_be_bytes());
                        out.push(grade_code(*grade));
                    });
                });
            }
            Frame::Refused { id, why, retry_after } => {
                begin(out, REFUSED, 3);
                out.bytes(&id.0);
                out.uint(refusal_code(*why));
                out.uint(retry_after.0);
            }
            Frame::GaveUp { ids } => full_ids(out, GAVE_UP, ids),
            Frame::Noted { ids } => full_ids(out, NOTED, ids),
            Frame::Lives { lives } => {
                begin(out, LIVES, 1);
                out.packed(lives.len() * LIFE_BYTES, |out| {
                    lives.iter().for_each(|(id, left)| {
                        out.raw(&id.0);
                        out.raw(&left.0.to_be_bytes());
                    });
                });
            }
        }
    }
}

pub(super) fn begin(out: &mut impl Writer, kind: u64, fields: usize) {
    out.array(1 + fields);
    out.uint(kind);
}

fn numbers(out: &mut impl Writer, numbers: &[u64]) {
    out.packed(numbers.len() * 8, |out| numbers.iter().for_each(|number| out.raw(&number.to_be_bytes())));
}

fn full_ids(out: &mut impl Writer, kind: u64, ids: &[BundleId]) {
    begin(out, kind, 1);
    out.packed(ids.len() * 32, |out| ids.iter().for_each(|id| out.raw(&id.0)));
}

fn write_cells(out: &mut impl Writer, cells: &[Cell]) {
    out.packed(cells.len() * Cell::BYTES, |out| {
        cells.iter().for_each(|cell| {
            out.raw(&cell.sum.to_be_bytes());
            out.raw(&cell.check.to_be_bytes());
            out.push(cell.count);
        });
    });
}

fn read_fields(reader: &mut Reader<'_>, kind: u64, fields: usize) -> Result<Frame, FrameError> {
    let expect = |expected: usize| expect_fields(fields, 1 + expected);
    match kind {
        HELLO => Hello::read(reader, fields).map(Frame::Hello),
        BUCKETS => {
            expect(2)?;
            let bits = read_bits(reader)?;
            let fingerprints = records::<4>(reader.bytes()?, 1 << BITS_MAX, "fingerprints")?;
            if fingerprints.len() != 1 << bits {
                return Err(FrameError::Lengths("fingerprints"));
            }
            let fingerprints = fingerprints.iter().map(|record| u32::from_be_bytes(*record)).collect();
            Ok(Frame::Buckets { bits, fingerprints })
        }
        SHORT_IDS => {
            expect(3)?;
            let buckets = read_map(reader)?;
            Ok(Frame::ShortIds { buckets, up_to: reader.uint()?, ids: read_short_ids(reader)? })
        }
        CELLS => {
            expect(4)?;
            let buckets = read_map(reader)?;
            let (up_to, start) = (reader.uint()?, reader.uint_as()?);
            Ok(Frame::Cells { buckets, up_to, start, cells: read_cells(reader)? })
        }
        MORE_CELLS => {
            expect(2)?;
            let (start, count) = (reader.uint_as()?, reader.uint_as()?);
            if count as usize > FRAME_CELLS_MAX {
                return Err(FrameError::TooMany("cells"));
            }
            Ok(Frame::MoreCells { start, count })
        }
        WANT => {
            expect(1)?;
            Ok(Frame::Want { ids: read_short_ids(reader)? })
        }
        OFFER => {
            expect(1)?;
            Ok(Frame::Offer { ids: read_full_ids(reader)? })
        }
        TAKE => {
            expect(1)?;
            Ok(Frame::Take { ids: read_full_ids(reader)? })
        }
        ASK => {
            expect(1)?;
            Ok(Frame::Ask { ids: read_full_ids(reader)? })
        }
        ACCEPTED => {
            expect(1)?;
            let records = records::<GRANT_BYTES>(reader.bytes()?, FRAME_FULL_IDS_MAX, "grants")?;
            let mut grants = Vec::with_capacity(records.len());
            for record in records {
                let (prefix, grade) = record.split_first_chunk().expect("9 bytes hold 8");
                grants.push((u64::from_be_bytes(*prefix), grade_of(grade[0])?));
            }
            Ok(Frame::Accepted { grants })
        }
        REFUSED => {
            expect(3)?;
            let id = BundleId(reader.bytes_exact()?);
            Ok(Frame::Refused { id, why: refusal_of(reader.uint()?)?, retry_after: Millis(reader.uint()?) })
        }
        GAVE_UP => {
            expect(1)?;
            Ok(Frame::GaveUp { ids: read_full_ids(reader)? })
        }
        NOTED => {
            expect(1)?;
            Ok(Frame::Noted { ids: read_full_ids(reader)? })
        }
        LIVES => {
            expect(1)?;
            let records = records::<LIFE_BYTES>(reader.bytes()?, FRAME_FULL_IDS_MAX, "lives")?;
            let life = |record: &[u8; LIFE_BYTES]| {
                let (id, left) = record.split_first_chunk::<32>().expect("40 bytes hold 32");
                let left = left.first_chunk().expect("8 bytes are left of 40");
                (BundleId(*id), Millis(u64::from_be_bytes(*left)))
            };
            Ok(Frame::Lives { lives: records.iter().map(life).collect() })
        }
        kind => Err(FrameError::Kind(kind)),
    }
}

pub(super) fn expect_fields(fields: usize, expected: usize) -> Result<(), FrameError> {
    if fields == expected { Ok(()) } else { Err(FrameError::Lengths("fields")) }
}

/// Cuts a byte string into records of `N` bytes, at most `max` of them.
pub(super) fn records<'a, const N: usize>(
    bytes: &'a [u8],
    max: usize,
    what: &'static str,
) -> Result<&'a [[u8; N]], FrameError> {
    let (records, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(FrameError::Lengths(what));
    }
    if records.len() > max {
        return Err(FrameError::TooMany(what));
    }
    Ok(records)
}

fn read_numbers(bytes: &[u8], max: usize, what: &'static str) -> Result<Vec<u64>, FrameError> {
    Ok(records::<8>(bytes, max, what)?.iter().map(|record| u64::from_be_bytes(*record)).collect())
}

fn read_full_ids(reader: &mut Reader<'_>) -> Result<Vec<BundleId>, FrameError> {
    let ids = records::<32>(reader.bytes()?, FRAME_FULL_IDS_MAX, "ids")?;
    Ok(ids.iter().copied().map(BundleId).collect())
}

fn read_short_ids(reader: &mut Reader<'_>) -> Result<Vec<u64>, FrameError> {
    read_numbers(reader.bytes()?, FRAME_IDS_MAX, "ids")
}

fn read_bits(reader: &mut Reader<'_>) -> Result<u8, FrameError> {
    let bits = reader.uint_as()?;
    if bits > BITS_MAX { Err(FrameError::TooMany("buckets")) } else { Ok(bits) }
}

fn read_map(reader: &mut Reader<'_>) -> Result<Vec<u8>, FrameError> {
    let map = reader.bytes()?;
    if map.len() > MAP_BYTES_MAX { Err(FrameError::TooMany("buckets")) } else { Ok(map.to_vec()) }
}

fn read_cells(reader: &mut Reader<'_>) -> Result<Vec<Cell>, FrameError> {
    let cells = records::<{ Cell::BYTES }>(reader.bytes()?, FRAME_CELLS_MAX, "cells")?;
    let cell = |record: &[u8; Cell::BYTES]| {
        let (sum, rest) = record.split_first_chunk().expect("13 bytes hold 8");
        let (check, count) = rest.split_first_chunk().expect("5 bytes hold 4");
        Cell { sum: u64::from_be_bytes(*sum), check: u32::from_be_bytes(*check), count: count[0] }
    };
    Ok(cells.iter().map(cell).collect())
}

fn grade_code(grade: Grade) -> u8 {
    match grade {
        Grade::Released => 0,
        Grade::Copy => 1,
        Grade::Custody => 2,
    }
}

fn grade_of(code: u8) -> Result<Grade, FrameError> {
    match code {
        0 => Ok(Grade::Released),
        1 => Ok(Grade::Copy),
        2 => Ok(Grade::Custody),
        _ => Err(FrameError::Unknown("grade")),
    }
}

fn refusal_code(why: Refusal) -> u8 {
    match why {
        Refusal::Full => 0,
        Refusal::Space => 1,
        Refusal::Unwilling => 2,
        Refusal::Known => 3,
        Refusal::Expired => 4,
        Refusal::TooLarge => 5,
        Refusal::Shunned => 6,
    }
}

fn refusal_of(code: u64) -> Result<Refusal, FrameError> {
    match code {
        0 => Ok(Refusal::Full),
        1 => Ok(Refusal::Space),
        2 => Ok(Refusal::Unwilling),
        3 => Ok(Refusal::Known),
        4 => Ok(Refusal::Expired),
        5 => Ok(Refusal::TooLarge),
        6 => Ok(Refusal::Shunned),
        _ => Err(FrameError::Unknown("reason of refusal")),
    }
}
