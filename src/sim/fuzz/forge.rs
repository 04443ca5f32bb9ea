//! Deeds of hostile nodes: forged, tampered and replayed bundles, false receipts, and frames out of place.

use std::sync::Arc;

use crate::bundle::{Bundle, Creation, Draft, Ends, Kind, Priority};
use crate::cbor::Writer;
use crate::eid::Eid;
use crate::frame::{Cell, Frame, Grade, Incoming, Refusal, Transit, encode_bundle, encode_folded};
use crate::receipt::{Receipt, ReceiptKind};
use crate::time::{DAY, DtnTime, HOUR, MINUTE, Millis};

use super::Checked;
use super::crew::group;
use super::witness::{Liar, Witness};
use super::world::World;

/// The order of the curve's group, little-endian: added to a signature's scalar it gives another one that careless
/// verifiers take for the same.
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl World {
    /// A hostile node does something to one of its peers.
    pub(super) fn deed(&mut self, n: usize) -> Checked {
        let peers = self.peers(n);
        if peers.is_empty() {
            return Ok(());
        }
        let peer = peers[self.heard.dice.below(peers.len() as u64) as usize];
        self.counts.deeds += 1;
        let bytes = match self.heard.dice.below(14) {
            0 => self.tampered(n, peer),
            1 => self.in_anothers_name(n, Kind::Message),
            2 => self.in_anothers_name(n, Kind::Receipt),
            3 | 10 | 11 => Some(self.receipt_of_no_business(n)),
            4 | 5 => self.replayed(),
            6 => self.malleable(),
            7 => Some(self.mail(n)),
            8 => self.heard.any_frame(),
            9 => Some(self.noise()),
            _ => Some(self.word(n).encode().expect("words are short")),
        };
        let Some(bytes) = bytes else { return Ok(()) };
        self.tell(|| format!("{n} (hostile) sends {} bytes to {peer}: {}", bytes.len(), shown(&bytes)));
        self.put(n, peer, bytes);
        Ok(())
    }

    /// A genuine bundle with one bit turned over, as it is or folded.
    fn tampered(&mut self, n: usize, peer: usize) -> Option<Vec<u8>> {
        let mut bytes = self.heard.any_bundle()?;
        if let (true, Ok((bundle, hops))) = (self.heard.dice.chance(500_000), Bundle::from_store(&bytes)) {
            let ends = Ends { from: self.nodes[n].id, to: self.nodes[peer].id };
            let taken = self.air.taken((peer, n));
            let mut frame = encode_folded(
                &Transit { hops, copies: 1, is_answer: self.heard.dice.chance(200_000) },
                &bundle,
                &ends,
                taken,
            );
            let at = self.heard.dice.below(frame.len() as u64) as usize;
            frame[at] ^= 1 << self.heard.dice.below(8);
            return Some(frame);
        }
        let at = self.heard.dice.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << self.heard.dice.below(8);
        Some(self.wrapped(&bytes))
    }

    fn replayed(&mut self) -> Option<Vec<u8>> {
        let bytes = self.heard.any_bundle()?;
        let transit = self.heard.any_transit();
        // What does not verify is handed on as it is.
        match Bundle::from_store(&bytes) {
            Ok((bundle, _)) => Some(encode_bundle(&transit, &bundle)),
            Err(_) => Some(self.wrapped(&bytes)),
        }
    }

    /// A genuine bundle whose signature's scalar lies beyond the order of the group.
    fn malleable(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.heard.any_bundle()?;
        // The integrity block ends with a signature of 64 bytes; the class block follows at once.
        let class = [0x85, 0x18, 193, 3];
        let end = bytes.windows(class.len()).position(|part| part == class)?;
        let scalar = bytes.get_mut(end.checked_sub(32)?..end)?;
        let mut carry = 0u16;
        for (byte, add) in scalar.iter_mut().zip(GROUP_ORDER) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry as u8;
            carry >>= 8;
        }
        Some(self.wrapped(&bytes))
    }

    /// Bytes that may be no bundle, in a frame that hands one over.
    fn wrapped(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.array(3);
        frame.uint(10u8);
        frame.uint(1u8);
        frame.bytes(bytes);
        assert!(matches!(Incoming::decode(&frame), Ok(Incoming::Bundle { .. })), "a frame as the codec has it");
        frame
    }

    /// A bundle in the name of somebody honest, signed with the hostile node's own key.
    fn in_anothers_name(&mut self, n: usize, kind: Kind) -> Option<Vec<u8>> {
        let honest = (self.plan.nodes - self.plan.hostile) as u64;
        let victim = self.nodes[self.heard.dice.below(honest) as usize].id;
        let draft = self.draft(n, kind);
        let payload = self.payload(n, kind, &draft);
        let key = Arc::clone(&self.nodes[n].key);
        let bundle = Draft { source: victim, ..draft }.sign(&payload, &Liar { claims: victim, key: &key }).ok()?;
        Some(encode_bundle(&self.heard.any_transit(), &bundle))
    }

    /// A receipt under the hostile node's own name, for bundles that went to others.
    fn receipt_of_no_business(&mut self, n: usize) -> Vec<u8> {
        self.signed(n, Kind::Receipt)
    }

    /// Genuine mail to anybody, and sometimes two different letters under one stamp.
    fn mail(&mut self, n: usize) -> Vec<u8> {
        self.signed(n, Kind::Message)
    }

    /// Bytes as they would lie in a file.
    pub(super) fn forged_for_files(&mut self, n: usize) -> Vec<u8> {
        let kind = [Kind::Receipt, Kind::Message][self.heard.dice.below(2) as usize];
        let frame = self.signed(n, kind);
        let bundle = match crate::frame::Incoming::decode(&frame) {
            Ok(crate::frame::Incoming::Bundle { bytes, .. }) => Some(bytes.to_vec()),
            _ => None,
        };
        bundle.unwrap_or(frame)
    }

    fn signed(&mut self, n: usize, kind: Kind) -> Vec<u8> {
        let draft = self.draft(n, kind);
        let (draft, payload) = match kind == Kind::Message && self.heard.dice.chance(300_000) {
            true => {
                let (topic, payload) = self.trespass(n);
                (super::published::in_topic(draft, topic), payload)
            }
            false => {
                let payload = self.payload(n, kind, &draft);
                (draft, payload)
            }
        };
        let key: Arc<Witness> = Arc::clone(&self.nodes[n].key);
        let bundle = draft.sign(&payload, &*key).expect("a small bundle of a hostile node is well-formed");
        self.truth.signed_by_hostile(&bundle, self.now);
        let transit = match self.heard.dice.chance(500_000) {
            true => self.heard.any_transit(),
            false => Transit { copies: 1, ..Transit::default() },
        };
        encode_bundle(&transit, &bundle)
    }

    fn draft(&mut self, n: usize, kind: Kind) -> Draft {
        let to = self.nodes[self.heard.dice.below(self.plan.nodes as u64) as usize].id;
        let wall = self.nodes[n].wall(self.now);
        let is_got = kind == Kind::Message && self.any_forged_got();
        let dice = &mut self.heard.dice;
        let is_for_group = kind == Kind::Message && self.plan.has_group && self.crew_dice.chance(300_000);
        let destination = match kind {
            Kind::Receipt => Eid::admin(to),
            Kind::Message if is_for_group => group(),
            Kind::Message if is_got => Eid::got(to),
            Kind::Message => Eid::mail(to),
        };
        if dice.chance(700_000) {
            self.heard.sequence += 1;
        }
        let time = [DtnTime(0), wall, DtnTime(wall.0 + DAY.0 * 900)][dice.below(3) as usize];
        let lifetime = [MINUTE, HOUR, DAY.times(9), DAY.times(30), Millis(u64::MAX)][dice.below(5) as usize];
        let creation = Creation { time, sequence: self.heard.sequence };
        let copies = [1, 16, 1_024][dice.below(3) as usize];
        Draft { kind, source: self.nodes[n].id, destination, creation, lifetime, priority: Priority::Urgent, copies }
    }

    fn payload(&mut self, n: usize, kind: Kind, draft: &Draft) -> Vec<u8> {
        if kind == Kind::Message {
            return self.heard.dice.draw().to_be_bytes().to_vec();
        }
        let honest = self.heard.dice.chance(800_000);
        let source = if honest { draft.destination.node } else { self.nodes[n].id };
        let full = ReceiptKind::Full { retry_after: DAY };
        let kinds = [ReceiptKind::Delivered, ReceiptKind::Read, ReceiptKind::Rejected { reason: 1 }, full];
        let kind = kinds[self.heard.dice.below(4) as usize];
        let devices = if self.heard.dice.chance(100_000) { 2 } else { 1 };
        // A lie that fits: ids of bundles that the addressee really sent.
        let fitting = self.heard.ids_of(source);
        let ids = if fitting.is_empty() || self.heard.dice.chance(200_000) { self.heard.any_ids() } else { fitting };
        Receipt { kind, source, device: 0, devices, ids }.encode()
    }

    fn noise(&mut self) -> Vec<u8> {
        let len = self.heard.dice.below(64) as usize;
        (0..len).map(|_| self.heard.dice.draw() as u8).collect()
    }

    /// A well-formed frame that says what is not so.
    fn word(&mut self, n: usize) -> Frame {
        let ids = self.heard.any_ids();
        let hello = self.hello_of(n);
        let dice = &mut self.heard.dice;
        let short = |dice: &mut crate::sim::random::Stream| {
            let mut ids: Vec<u64> = (0..dice.below(20)).map(|_| dice.draw()).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let grades = [Grade::Released, Grade::Copy, Grade::Custody];
        let whys = [Refusal::Full, Refusal::Known, Refusal::Expired, Refusal::TooLarge, Refusal::Shunned];
        match dice.below(14) {
            0 => Frame::Hello(hello),
            1 => Frame::Offer { ids },
            2 => Frame::Take { ids },
            3 => Frame::Ask { ids },
            4 | 5 => {
                let grants = ids.into_iter().map(|id| (id.prefix(), grades[dice.below(3) as usize])).collect();
                Frame::Accepted { grants }
            }
            6 => Frame::Refused {
                id: ids[0],
                why: whys[dice.below(5) as usize],
                retry_after: Millis([0, 1, u64::MAX][dice.below(3) as usize]),
            },
            7 => Frame::GaveUp { ids },
            8 => Frame::Want { ids: short(dice) },
            9 => Frame::ShortIds { buckets: Vec::new(), up_to: u64::MAX, ids: short(dice) },
            10 => {
                let cell = |dice: &mut crate::sim::random::Stream| Cell {
                    sum: dice.draw(),
                    check: dice.draw() as u32,
                    count: dice.draw() as u8,
                };
                let cells = (0..dice.between(1, 30)).map(|_| cell(dice)).collect();
                Frame::Cells { buckets: Vec::new(), up_to: u64::MAX, start: dice.below(3) as u32, cells }
            }
            12 => {
                let left = [0, 1, HOUR.0, u64::MAX];
                Frame::Lives { lives: ids.into_iter().map(|id| (id, Millis(left[dice.below(4) as usize]))).collect() }
            }
            11 => Frame::MoreCells { start: dice.below(40) as u32, count: dice.below(40) as u32 },
            _ => {
                let bits = dice.between(0, 4) as u8;
                Frame::Buckets { bits, fingerprints: (0..1 << bits).map(|_| dice.draw() as u32).collect() }
            }
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    match crate::frame::Incoming::decode(bytes) {
        Ok(crate::frame::Incoming::Frame(frame)) => format!("{frame:?}"),
        Ok(crate::frame::Incoming::Bundle { bytes, .. }) => match crate::bundle::Unverified::parse(bytes) {
            Ok(unverified) => format!(
                "{:?} {} in the name of {}, {:?}",
                unverified.kind(),
                unverified.id(),
                unverified.source(),
                unverified.hops()
            ),
            Err(why) => format!("a bundle that is none: {why}"),
        },
        Ok(crate::frame::Incoming::Folded { folded, .. }) => format!("a fold of {} bytes", folded.len()),
        Err(why) => format!("a frame that is none: {why}"),
    }
}
