//! Frames as bytes: one deterministic CBOR array each, its kind first.
//!
//! Lists of ids travel as one byte string, so that their number is known, and bounded, before anything is allocated
//! for them; numbers inside are big-endian.
//!
//! | kind | frame | fields |
//! |---|---|---|
//! | 0 | Hello | version, bundle bytes, window bytes, carries, delegations, routing, nonce, count, root |
//! | 1 | Buckets | bits, fingerprints of 8 bytes |
//! | 2 | ShortIds | bits, buckets of 2 bytes, ids of 8 |
//! | 3 | Cells | start, sums and checks of 8 and 8 bytes, array of counts |
//! | 4 | MoreCells | start, count |
//! | 5 | Want | ids of 8 bytes |
//! | 6 | Offer | ids of 8 bytes |
//! | 7 | Accepted | ids of 32 bytes and grade of one |
//! | 8 | Refused | id, reason, retry after ms |
//! | 9 | GaveUp | ids of 32 bytes |
//! | 10 | a bundle | copies, moved, the bundle's bytes |

use super::{
    BITS_MAX, Cell, Delegation, FRAME_CELLS_MAX, FRAME_FULL_IDS_MAX, FRAME_IDS_MAX, Frame, Grade, Hello, MAILBOXES_MAX,
    PROTOCOL_VERSION, ROUTING_ENTRIES_MAX, Refusal, RoutingInfo, Transit,
};
use crate::bundle::{BUNDLE_BYTES_MAX, Bundle, COPIES_MAX, key};
use crate::cbor::{CborError, Length, Reader, Writer};
use crate::eid::{Eid, EidError};
use crate::id::{BundleId, KeyError, NodeId};
use crate::time::Millis;

const HELLO: u64 = 0;
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

/// Why bytes are not a frame.
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
        moved: bool,
        bytes: &'a [u8],
    },
}

impl<'a> Incoming<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Incoming<'a>, FrameError> {
        let mut reader = Reader::new(bytes);
        let fields = reader.array()?;
        let kind = reader.uint()?;
        if kind != BUNDLE {
            return Frame::decode(bytes).map(Incoming::Frame);
        }
        if bytes.len() > super::FRAME_BUNDLE_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        expect_fields(fields, 4)?;
        let copies = reader.uint_as()?;
        if copies > COPIES_MAX {
            return Err(FrameError::TooMany("copies"));
        }
        let moved = reader.bool()?;
        let bytes = reader.bytes()?;
        reader.finish()?;
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        Ok(Incoming::Bundle { copies, moved, bytes })
    }
}

/// Encodes the frame that hands over a bundle, with its age and hop count written in.
pub fn encode_bundle(transit: &Transit, bundle: &Bundle) -> Vec<u8> {
    let len = bundle.len_with(transit.hops);
    let mut out = Vec::with_capacity(len + 16);
    out.array(4);
    out.uint(BUNDLE);
    out.uint(transit.copies);
    out.bool(transit.moved);
    out.packed(len, |out| bundle.encode_into(transit.hops, out));
    out
}

impl Frame {
    /// Encodes the frame. Panics if a list is longer than its bound, which no frame of ours may be.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.write(&mut out);
        out
    }

    /// The length of [`Frame::encode`], without encoding.
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

    fn write(&self, out: &mut impl Writer) {
        match self {
            Frame::Hello(hello) => hello.write(out),
            Frame::Buckets { bits, fingerprints } => {
                assert!(*bits <= BITS_MAX && fingerprints.len() == 1 << bits, "a fingerprint for each bucket");
                begin(out, BUCKETS, 2);
                out.uint(*bits);
                numbers(out, fingerprints);
            }
            Frame::ShortIds { bits, buckets, ids } => {
                assert!(*bits <= BITS_MAX && buckets_rise(*bits, buckets), "buckets are named once, in order");
                begin(out, SHORT_IDS, 3);
                out.uint(*bits);
                out.packed(buckets.len() * 2, |out| {
                    buckets.iter().for_each(|bucket| out.raw(&(*bucket as u16).to_be_bytes()));
                });
                short_ids(out, ids);
            }
            Frame::Cells { start, cells } => {
                assert!(cells.len() <= FRAME_CELLS_MAX, "cells are sent in frames of bounded size");
                begin(out, CELLS, 3);
                out.uint(*start);
                write_cells(out, cells);
            }
            Frame::MoreCells { start, count } => {
                assert!(*count as usize <= FRAME_CELLS_MAX, "no more cells are asked for than a frame can bring");
                begin(out, MORE_CELLS, 2);
                out.uint(*start);
                out.uint(*count);
            }
            Frame::Want { ids } => {
                begin(out, WANT, 1);
                short_ids(out, ids);
            }
            Frame::Offer { ids } => {
                begin(out, OFFER, 1);
                short_ids(out, ids);
            }
            Frame::Accepted { grants } => {
                assert!(grants.len() <= FRAME_FULL_IDS_MAX, "grants are sent in frames of bounded size");
                begin(out, ACCEPTED, 1);
                out.packed(grants.len() * 33, |out| {
                    grants.iter().for_each(|(id, grade)| {
                        out.raw(&id.0);
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
            Frame::GaveUp { ids } => {
                assert!(ids.len() <= FRAME_FULL_IDS_MAX, "ids are sent in frames of bounded size");
                begin(out, GAVE_UP, 1);
                out.packed(ids.len() * 32, |out| ids.iter().for_each(|id| out.raw(&id.0)));
            }
        }
    }
}

fn begin(out: &mut impl Writer, kind: u64, fields: usize) {
    out.array(1 + fields);
    out.uint(kind);
}

fn numbers(out: &mut impl Writer, numbers: &[u64]) {
    out.packed(numbers.len() * 8, |out| numbers.iter().for_each(|number| out.raw(&number.to_be_bytes())));
}

fn short_ids(out: &mut impl Writer, ids: &[u64]) {
    assert!(ids.len() <= FRAME_IDS_MAX, "ids are sent in frames of bounded size");
    numbers(out, ids);
}

fn write_cells(out: &mut impl Writer, cells: &[Cell]) {
    out.packed(cells.len() * 16, |out| {
        cells.iter().for_each(|cell| {
            out.raw(&cell.sum.to_be_bytes());
            out.raw(&cell.check.to_be_bytes());
        });
    });
    out.array(cells.len());
    cells.iter().for_each(|cell| out.int(cell.count));
}

impl Hello {
    fn write(&self, out: &mut impl Writer) {
        assert!(self.mailboxes.len() <= MAILBOXES_MAX, "a node serves a bounded number of mailboxes");
        begin(out, HELLO, 9);
        out.uint(self.version);
        out.uint(self.bundle_bytes_max);
        out.uint(self.window_bytes);
        out.bool(self.carries);
        out.array(self.mailboxes.len());
        self.mailboxes.iter().for_each(|delegation| delegation.write(out));
        self.routing.write(out);
        out.bytes(&self.nonce);
        out.uint(self.count);
        out.bytes(&self.root);
    }

    fn read(reader: &mut Reader<'_>, fields: usize) -> Result<Hello, FrameError> {
        let version = reader.uint()?;
        // Before the fields are counted: another version may have others.
        if version != u64::from(PROTOCOL_VERSION) {
            return Err(FrameError::Version(version));
        }
        expect_fields(fields, 10)?;
        Ok(Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: reader.uint_as()?,
            window_bytes: reader.uint_as()?,
            carries: reader.bool()?,
            mailboxes: read_mailboxes(reader)?,
            routing: RoutingInfo::read(reader)?,
            nonce: reader.bytes_exact()?,
            count: reader.uint()?,
            root: reader.bytes_exact()?,
        })
    }
}

impl Delegation {
    fn write(&self, out: &mut impl Writer) {
        out.array(4);
        out.text(&self.mailbox.to_string());
        out.bytes(self.node.as_bytes());
        out.uint(self.expires);
        out.bytes(&self.signature);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Delegation, FrameError> {
        reader.array_exact(4)?;
        Ok(Delegation {
            mailbox: Eid::parse(reader.text()?)?,
            node: key::checked(NodeId::from_trusted(reader.bytes_exact()?))?,
            expires: reader.uint()?,
            signature: reader.bytes_exact()?,
        })
    }
}

fn read_mailboxes(reader: &mut Reader<'_>) -> Result<Vec<Delegation>, FrameError> {
    let len = reader.array()?;
    if len > MAILBOXES_MAX {
        return Err(FrameError::TooMany("mailboxes"));
    }
    (0..len).map(|_| Delegation::read(reader)).collect()
}

impl RoutingInfo {
    /// Either `null`, or the kind and records of 32 bytes of key and 2 of number.
    fn write(&self, out: &mut impl Writer) {
        let (kind, entries) = match self {
            RoutingInfo::None => return out.raw(&[0xf6]),
            RoutingInfo::Predictabilities(entries) => (1u8, entries),
            RoutingInfo::Meetings(entries) => (2, entries),
        };
        assert!(entries.len() <= ROUTING_ENTRIES_MAX, "a Hello has a bounded number of routing entries");
        out.array(2);
        out.uint(kind);
        out.packed(entries.len() * 34, |out| {
            entries.iter().for_each(|(node, number)| {
                out.raw(node.as_bytes());
                out.raw(&number.to_be_bytes());
            });
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<RoutingInfo, FrameError> {
        if reader.take_if(&[0xf6]) {
            return Ok(RoutingInfo::None);
        }
        reader.array_exact(2)?;
        let kind = reader.uint()?;
        let records = records::<34>(reader.bytes()?, ROUTING_ENTRIES_MAX, "routing entries")?;
        let entries: Vec<(NodeId, u16)> = records
            .iter()
            .map(|record| {
                let (key, number) = record.split_first_chunk::<32>().expect("34 bytes hold 32");
                // Names in these tables are only ever compared, so their keys are not worth a check each.
                (NodeId::from_trusted(*key), u16::from_be_bytes([number[0], number[1]]))
            })
            .collect();
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(FrameError::Order("routing entries"));
        }
        match kind {
            1 => Ok(RoutingInfo::Predictabilities(entries)),
            2 => Ok(RoutingInfo::Meetings(entries)),
            _ => Err(FrameError::Unknown("kind of routing information")),
        }
    }
}

fn read_fields(reader: &mut Reader<'_>, kind: u64, fields: usize) -> Result<Frame, FrameError> {
    let expect = |expected: usize| expect_fields(fields, 1 + expected);
    match kind {
        HELLO => Hello::read(reader, fields).map(Frame::Hello),
        BUCKETS => {
            expect(2)?;
            let bits = read_bits(reader)?;
            let fingerprints = read_numbers(reader.bytes()?, 1 << BITS_MAX, "fingerprints")?;
            if fingerprints.len() != 1 << bits {
                return Err(FrameError::Lengths("fingerprints"));
            }
            Ok(Frame::Buckets { bits, fingerprints })
        }
        SHORT_IDS => {
            expect(3)?;
            let bits = read_bits(reader)?;
            let buckets = read_buckets(reader, bits)?;
            Ok(Frame::ShortIds { bits, buckets, ids: read_short_ids(reader)? })
        }
        CELLS => {
            expect(3)?;
            Ok(Frame::Cells { start: reader.uint_as()?, cells: read_cells(reader)? })
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
            Ok(Frame::Offer { ids: read_short_ids(reader)? })
        }
        ACCEPTED => {
            expect(1)?;
            let grants = records::<33>(reader.bytes()?, FRAME_FULL_IDS_MAX, "grants")?;
            let grants = grants.iter().map(|record| {
                let (id, grade) = record.split_first_chunk::<32>().expect("33 bytes hold 32");
                Ok((BundleId(*id), grade_of(grade[0])?))
            });
            Ok(Frame::Accepted { grants: grants.collect::<Result<_, FrameError>>()? })
        }
        REFUSED => {
            expect(3)?;
            let id = BundleId(reader.bytes_exact()?);
            Ok(Frame::Refused { id, why: refusal_of(reader.uint()?)?, retry_after: Millis(reader.uint()?) })
        }
        GAVE_UP => {
            expect(1)?;
            let ids = records::<32>(reader.bytes()?, FRAME_FULL_IDS_MAX, "ids")?;
            Ok(Frame::GaveUp { ids: ids.iter().copied().map(BundleId).collect() })
        }
        kind => Err(FrameError::Kind(kind)),
    }
}

fn expect_fields(fields: usize, expected: usize) -> Result<(), FrameError> {
    if fields == expected { Ok(()) } else { Err(FrameError::Lengths("fields")) }
}

/// Cuts a byte string into records of `N` bytes, at most `max` of them.
fn records<'a, const N: usize>(bytes: &'a [u8], max: usize, what: &'static str) -> Result<&'a [[u8; N]], FrameError> {
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

fn read_short_ids(reader: &mut Reader<'_>) -> Result<Vec<u64>, FrameError> {
    read_numbers(reader.bytes()?, FRAME_IDS_MAX, "ids")
}

fn read_bits(reader: &mut Reader<'_>) -> Result<u8, FrameError> {
    let bits = reader.uint_as()?;
    if bits > BITS_MAX { Err(FrameError::TooMany("buckets")) } else { Ok(bits) }
}

/// Buckets rise, so that no list can make the reader look at one bucket many times.
fn read_buckets(reader: &mut Reader<'_>, bits: u8) -> Result<Vec<u32>, FrameError> {
    let buckets = records::<2>(reader.bytes()?, 1 << bits, "buckets")?;
    let buckets: Vec<u32> = buckets.iter().map(|bucket| u32::from(u16::from_be_bytes(*bucket))).collect();
    if buckets_rise(bits, &buckets) { Ok(buckets) } else { Err(FrameError::Order("buckets")) }
}

fn buckets_rise(bits: u8, buckets: &[u32]) -> bool {
    buckets.is_sorted_by(|a, b| a < b) && buckets.last().is_none_or(|last| *last < 1 << bits)
}

fn read_cells(reader: &mut Reader<'_>) -> Result<Vec<Cell>, FrameError> {
    let sums = records::<16>(reader.bytes()?, FRAME_CELLS_MAX, "cells")?;
    if reader.array()? != sums.len() {
        return Err(FrameError::Lengths("cells"));
    }
    let cells = sums.iter().map(|record| {
        let (sum, check) = record.split_first_chunk::<8>().expect("16 bytes hold 8");
        let check = check.first_chunk::<8>().expect("16 bytes hold twice 8");
        Ok(Cell { sum: u64::from_be_bytes(*sum), check: u64::from_be_bytes(*check), count: reader.int()? })
    });
    cells.collect()
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
        Refusal::Busy => 7,
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
        7 => Ok(Refusal::Busy),
        _ => Err(FrameError::Unknown("reason of refusal")),
    }
}
