//! Bundles folded: without what a reader can put together again.
//!
//! A bundle of our profile says its source twice and its destination once, 52 characters of base58 for a key of 32 bytes,
//! between heads that are the same in every bundle, and a checksum of what it says. A fold keeps what is left: the fields
//! of a [`Draft`], age and hop count, signature and payload. Over a contact most names need not be said either, for they
//! are those of its two [`Ends`]; nor the whole ids that a receipt names, where the messages were [`Handed`] over in it.
//!
//! Signature and id are over the exact bytes, so a fold is made only where unfolding it gives every byte back; of a bundle
//! with blocks of unknown kinds there is none, and it goes as it is. Unfolding writes a bundle of our form from whatever it
//! is given, or refuses it; nothing of it is believed before it is read as every bundle is.
//!
//! ```text
//! fold     = shape ‖ class ‖ creation time, 6 bytes ‖ sequence ‖ lifetime ‖ copies ‖ age ‖ hop count
//!            ‖ [destination's key] ‖ [source's key] ‖ [service, a CBOR text] ‖ signature ‖ payload
//! shape    = bit 0: a receipt; bits 1–2: service; bits 3–4: destination; bits 5–6: source; bit 7: the payload is folded
//! class    = bits 0–1: priority; bit 2: the lifetime is in hours; bits 3–4: kind of a folded receipt; bit 5: its ids are
//!            the first four bytes of them
//! ```
//! Numbers without a length are CBOR's, in their shortest form.

use crate::cbor::{Length, Reader, Same, Writer};
use crate::eid::{Eid, Service};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, HOUR, Millis};

use super::handed::{Handed, NAME_BYTES, TAKEN_MAX, name_of};
use super::integrity::Over;
use super::{Bundle, BundleError, Creation, Draft, Hops, Kind, Priority, layout};

/// The two ends of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Who hands over.
    pub from: NodeId,
    pub to: NodeId,
}

const RECEIPT: u8 = 1;
const SERVICE_AT: u8 = 1;
const DESTINATION_AT: u8 = 3;
const SOURCE_AT: u8 = 5;
const PAYLOAD_FOLDED: u8 = 1 << 7;

const SERVICE_ADMIN: u8 = 0;
const SERVICE_MAIL: u8 = 1;
const SERVICE_SAID: u8 = 2;

const NAME_SAID: u8 = 0;
const NAME_FROM: u8 = 1;
const NAME_TO: u8 = 2;

const IN_HOURS: u8 = 1 << 2;
const RECEIPT_KIND_AT: u8 = 3;
const IDS_NAMED: u8 = 1 << 5;
const CLASS_BITS: u8 = 0b11_1111;
const TWO_BITS: u8 = 0b11;

const CREATION_BYTES: usize = 6;
const KEY_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;

/// An envelope for one recipient, by its identity key: array, kind, no key id, the head of 32 bytes. These follow, and then
/// the ciphertext as a byte string.
const ENVELOPE: [u8; 5] = [0x84, 0x01, 0x40, 0x58, 0x20];
/// A receipt's record up to its kind. The source's key, these devices and the ids follow.
const RECORD: [u8; 7] = [0x82, 0x1a, 0x00, 0x01, 0x00, 0x00, 0x85];
/// Device 0 of 1.
const DEVICES: [u8; 2] = [0x00, 0x01];

impl Bundle {
    /// Folds the bundle with this age and hop count for a contact in which these messages came the other way. None where
    /// it would not unfold to every byte.
    pub fn fold(&self, hops: Hops, ends: &Ends, taken: &Handed) -> Option<Vec<u8>> {
        let mut folded = Vec::with_capacity(self.bytes.len());
        self.fold_into(hops, ends, taken, &mut folded).then_some(folded)
    }

    /// Adds the same to a list; says whether the bundle unfolds to every byte from there.
    pub fn fold_into(&self, hops: Hops, ends: &Ends, taken: &Handed, out: &mut Vec<u8>) -> bool {
        let at = out.len();
        self.write_fold(hops, ends, taken, out).is_some()
            && Unfolded::read(&out[at..], ends, taken).is_ok_and(|unfolded| unfolded.is(self, hops))
    }

    /// How long [`Bundle::fold`] makes a bundle of the form that [`Draft::sign`] gives it.
    pub fn folded_len(&self, hops: Hops, ends: &Ends, taken: &Handed) -> Option<usize> {
        let mut length = Length::default();
        self.write_fold(hops, ends, taken, &mut length)?;
        Some(length.0)
    }

    fn write_fold(&self, hops: Hops, ends: &Ends, taken: &Handed, out: &mut impl Writer) -> Option<()> {
        let mut class_block = Length::default();
        layout::class_block(&mut class_block, self.priority, self.copies);
        let signature_end = (self.parts.hops_at as usize).checked_sub(class_block.0)?;
        let signature = self.bytes.get(signature_end.checked_sub(SIGNATURE_BYTES)?..signature_end)?;
        let creation = self.creation.time.0.to_be_bytes();
        let (unsaid, creation) = creation.split_at(creation.len() - CREATION_BYTES);
        if unsaid.iter().any(|byte| *byte != 0) {
            return None;
        }
        let payload = Payload::of(self.kind, self.payload(), self.destination.node);
        let ids_named = payload.ids_are_named(taken, self.destination.node);

        let kind = if self.kind == Kind::Receipt { RECEIPT } else { 0 };
        let (destination, source) = (ends.code(self.destination.node), ends.code(self.source));
        let service = match self.destination.service {
            Service::Admin => SERVICE_ADMIN,
            Service::Mail => SERVICE_MAIL,
            _ => SERVICE_SAID,
        };
        let names = service << SERVICE_AT | destination << DESTINATION_AT | source << SOURCE_AT;
        out.raw(&[kind | names | if payload.is_folded() { PAYLOAD_FOLDED } else { 0 }]);
        let (lifetime, unit) = match self.lifetime.0 % HOUR.0 {
            0 => (self.lifetime.0 / HOUR.0, IN_HOURS),
            _ => (self.lifetime.0, 0),
        };
        let named = if ids_named { IDS_NAMED } else { 0 };
        out.raw(&[self.priority.number() | unit | payload.receipt_kind() << RECEIPT_KIND_AT | named]);
        out.raw(creation);
        [self.creation.sequence, lifetime, self.copies.into(), hops.age.0].into_iter().for_each(|n| out.uint(n));
        out.uint(hops.count);
        if destination == NAME_SAID {
            out.raw(self.destination.node.as_bytes());
        }
        if source == NAME_SAID {
            out.raw(self.source.as_bytes());
        }
        if service == SERVICE_SAID {
            out.text(&self.destination.service.to_string());
        }
        out.raw(signature);
        payload.write_folded(ids_named, out);
        Some(())
    }
}

/// Puts a bundle together again, in a contact in which these messages went the other way. Whether it is one, and who signed
/// it, is for its reader to see.
pub fn unfold(folded: &[u8], ends: &Ends, given: &Handed) -> Result<Vec<u8>, BundleError> {
    let Unfolded { draft, hops, signature, payload } = Unfolded::read(folded, ends, given)?;
    let node = draft.destination.node;
    let write = |out: &mut Vec<u8>| payload.write_whole(node, out);
    let len = payload.whole_len(node);
    Ok(draft.assemble_from(&draft.primary(), hops, (Over::of(len), signature), len, write).0)
}

/// What a fold says.
struct Unfolded<'a> {
    draft: Draft,
    hops: Hops,
    signature: &'a [u8; 64],
    payload: Payload<'a>,
}

impl<'a> Unfolded<'a> {
    fn read(folded: &'a [u8], ends: &Ends, given: &Handed) -> Result<Unfolded<'a>, BundleError> {
        let mut reader = Reader::new(folded);
        let [shape, class] = [reader.take(1)?[0], reader.take(1)?[0]];
        let two_bits = |byte: u8, at: u8| byte >> at & TWO_BITS;
        let kind = if shape & RECEIPT == 0 { Kind::Message } else { Kind::Receipt };
        let priority = Priority::of_number(two_bits(class, 0).into()).ok_or(BundleError::Class)?;
        let mut creation = [0; 8];
        creation[8 - CREATION_BYTES..].copy_from_slice(reader.take(CREATION_BYTES)?);
        let creation = Creation { time: DtnTime(u64::from_be_bytes(creation)), sequence: reader.uint()? };
        let lifetime = match (reader.uint()?, class & IN_HOURS != 0) {
            (hours, true) => hours.checked_mul(HOUR.0).ok_or(BundleError::Fold)?,
            (millis, false) if millis % HOUR.0 != 0 => millis,
            _ => return Err(BundleError::Fold),
        };
        let copies = reader.uint_as()?;
        let hops = Hops { age: Millis(reader.uint()?), count: reader.uint_as()? };
        let node = ends.name(two_bits(shape, DESTINATION_AT), &mut reader)?;
        let source = ends.name(two_bits(shape, SOURCE_AT), &mut reader)?;
        let service = match two_bits(shape, SERVICE_AT) {
            SERVICE_ADMIN => Service::Admin,
            SERVICE_MAIL => Service::Mail,
            SERVICE_SAID => match Service::parse(reader.text()?) {
                Ok(service @ (Service::Group(_) | Service::Other(_) | Service::Topic(_))) => service,
                _ => return Err(BundleError::Fold),
            },
            _ => return Err(BundleError::Fold),
        };
        let signature = reader.take(SIGNATURE_BYTES)?.try_into().expect("so many bytes were taken");
        let receipt_kind = two_bits(class, RECEIPT_KIND_AT);
        let ids_named = class & IDS_NAMED != 0;
        if class & !CLASS_BITS != 0
            || (receipt_kind != 0 || ids_named) && (kind, shape & PAYLOAD_FOLDED) != (Kind::Receipt, PAYLOAD_FOLDED)
        {
            return Err(BundleError::Fold);
        }
        let payload = match shape & PAYLOAD_FOLDED {
            0 => Payload::Whole(reader.rest()),
            _ if ids_named => Payload::with_named_ids(reader.rest(), receipt_kind, |name| given.named(name, node))?,
            _ => Payload::folded(kind, reader.rest(), receipt_kind)?,
        };
        // There is one fold of a bundle, so that nobody hides anything in the choice.
        if let Payload::Whole(payload) = payload
            && Payload::of(kind, payload, node).is_folded()
        {
            return Err(BundleError::Fold);
        }
        let draft = Draft {
            kind,
            source,
            destination: Eid { node, service },
            creation,
            lifetime: Millis(lifetime),
            priority,
            copies,
        };
        Ok(Unfolded { draft, hops, signature, payload })
    }

    /// Whether this is that bundle with this age and hop count, byte by byte.
    fn is(&self, bundle: &Bundle, hops: Hops) -> bool {
        let (before, after) = bundle.bytes.split_at(bundle.parts.hops_end as usize);
        let node = self.draft.destination.node;
        let mut start = Same::with(&before[..bundle.parts.hops_at as usize]);
        let payload_len = self.payload.whole_len(node);
        self.draft.write_before_hops(&self.draft.primary(), Over::of(payload_len), self.signature, &mut start);
        let mut end = Same::with(after);
        layout::block_head(&mut end, layout::PAYLOAD, payload_len);
        self.payload.write_whole(node, &mut end);
        end.raw(&[layout::CLOSE]);
        // Age and hop count, which are between them, have one spelling.
        self.hops == hops && start.is_all() && end.is_all()
    }
}

impl Ends {
    fn code(&self, node: NodeId) -> u8 {
        match node {
            node if node == self.from => NAME_FROM,
            node if node == self.to => NAME_TO,
            _ => NAME_SAID,
        }
    }

    fn name(&self, code: u8, reader: &mut Reader<'_>) -> Result<NodeId, BundleError> {
        match code {
            NAME_FROM => Ok(self.from),
            NAME_TO => Ok(self.to),
            NAME_SAID => {
                let key = reader.take(KEY_BYTES)?.try_into().expect("so many bytes were taken");
                let node = NodeId::from_trusted(key);
                if self.code(node) == NAME_SAID { Ok(node) } else { Err(BundleError::Fold) }
            }
            _ => Err(BundleError::Fold),
        }
    }
}

/// A payload, as far as its form is known.
enum Payload<'a> {
    Whole(&'a [u8]),
    Envelope {
        enc: &'a [u8],
        ciphertext: &'a [u8],
    },
    /// Of kind 1 or 2, for at least one id.
    Receipt {
        kind: u8,
        ids: Vec<BundleId>,
    },
}

impl<'a> Payload<'a> {
    fn of(kind: Kind, payload: &'a [u8], destination: NodeId) -> Payload<'a> {
        let mut reader = Reader::new(payload);
        let folded = match kind {
            Kind::Message => envelope(&mut reader),
            Kind::Receipt => record(&mut reader, destination),
        };
        folded.filter(|_| reader.finish().is_ok()).unwrap_or(Payload::Whole(payload))
    }

    fn folded(kind: Kind, folded: &'a [u8], receipt_kind: u8) -> Result<Payload<'a>, BundleError> {
        match kind {
            Kind::Message => {
                let (enc, ciphertext) = folded.split_at_checked(KEY_BYTES).ok_or(BundleError::Truncated)?;
                Ok(Payload::Envelope { enc, ciphertext })
            }
            Kind::Receipt => {
                let (ids, rest) = folded.as_chunks::<KEY_BYTES>();
                let is_form = rest.is_empty() && !ids.is_empty() && matches!(receipt_kind, 1 | 2);
                let ids = ids.iter().copied().map(BundleId).collect();
                if is_form { Ok(Payload::Receipt { kind: receipt_kind, ids }) } else { Err(BundleError::Fold) }
            }
        }
    }

    /// A receipt whose ids are named by their first bytes. No more of them than a writer remembers, so that a few bytes
    /// do not become many.
    fn with_named_ids(
        names: &[u8],
        kind: u8,
        id_of: impl Fn([u8; NAME_BYTES]) -> Option<BundleId>,
    ) -> Result<Payload<'a>, BundleError> {
        let (names, rest) = names.as_chunks::<NAME_BYTES>();
        let is_form = rest.is_empty() && (1..=TAKEN_MAX).contains(&names.len()) && matches!(kind, 1 | 2);
        let ids: Option<Vec<BundleId>> = names.iter().map(|name| id_of(*name)).collect();
        ids.filter(|_| is_form).map(|ids| Payload::Receipt { kind, ids }).ok_or(BundleError::Fold)
    }

    /// Whether all ids of a receipt to this source need not be said whole.
    fn ids_are_named(&self, taken: &Handed, source: NodeId) -> bool {
        let Payload::Receipt { ids, .. } = self else { return false };
        ids.len() <= TAKEN_MAX && ids.iter().all(|id| taken.names(id, source))
    }

    fn is_folded(&self) -> bool {
        !matches!(self, Payload::Whole(_))
    }

    fn receipt_kind(&self) -> u8 {
        if let Payload::Receipt { kind, .. } = self { *kind } else { 0 }
    }

    fn write_folded(&self, ids_named: bool, out: &mut impl Writer) {
        match self {
            Payload::Whole(payload) => out.raw(payload),
            Payload::Envelope { enc, ciphertext } => [enc, ciphertext].into_iter().for_each(|part| out.raw(part)),
            Payload::Receipt { ids, .. } if ids_named => ids.iter().for_each(|id| out.raw(&name_of(id))),
            Payload::Receipt { ids, .. } => ids.iter().for_each(|id| out.raw(&id.0)),
        }
    }

    fn whole_len(&self, destination: NodeId) -> usize {
        let mut len = Length::default();
        self.write_whole(destination, &mut len);
        len.0
    }

    fn write_whole(&self, destination: NodeId, out: &mut impl Writer) {
        match self {
            Payload::Whole(payload) => out.raw(payload),
            Payload::Envelope { enc, ciphertext } => {
                out.raw(&ENVELOPE);
                out.raw(enc);
                out.bytes(ciphertext);
            }
            Payload::Receipt { kind, ids } => {
                out.raw(&RECORD);
                out.uint(*kind);
                out.bytes(destination.as_bytes());
                out.raw(&DEVICES);
                out.array(ids.len());
                ids.iter().for_each(|id| out.bytes(&id.0));
            }
        }
    }
}

fn envelope<'a>(reader: &mut Reader<'a>) -> Option<Payload<'a>> {
    let is_form = reader.take_if(&ENVELOPE);
    let enc = reader.take(KEY_BYTES).ok().filter(|_| is_form)?;
    Some(Payload::Envelope { enc, ciphertext: reader.bytes().ok()? })
}

/// A receipt that says what most do: a kind without a reason, of messages of the destination.
fn record<'a>(reader: &mut Reader<'a>, destination: NodeId) -> Option<Payload<'a>> {
    let is_form = reader.take_if(&RECORD);
    let kind = reader.uint_as().ok().filter(|kind| is_form && matches!(kind, 1 | 2))?;
    let is_form = reader.bytes().ok()? == destination.as_bytes() && reader.take_if(&DEVICES);
    let count = reader.array().ok().filter(|count| is_form && *count > 0)?;
    let ids = (0..count).map(|_| reader.bytes_exact().ok().map(BundleId));
    Some(Payload::Receipt { kind, ids: ids.collect::<Option<_>>()? })
}
