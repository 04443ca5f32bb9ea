//! Genuine bundles, and what a forger makes of them.

use std::ops::Range;

use crc::{CRC_32_ISCSI, Crc};
use dak::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority, Signer, Unverified};
use dak::content::{Content, GroupWord, Mark, Text, pad};
use dak::eid::Eid;
use dak::id::{BundleId, NodeId};
use dak::receipt::{Receipt, ReceiptKind};
use dak::seal::seal;
use dak::time::{DAY, DtnTime, HOUR, Millis};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

static CRC_32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// The group's order, little-endian: added to a signature's scalar it gives another that a careless verifier takes.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A bundle with what it was made of.
pub struct Genuine {
    pub draft: Draft,
    pub bundle: Bundle,
}

/// Chance that is the same in every run.
pub fn dice(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn below(dice: &mut ChaCha8Rng, bound: usize) -> usize {
    (dice.next_u64() % bound as u64) as usize
}

pub fn fresh_key(dice: &mut ChaCha8Rng) -> SigningKey {
    let mut secret = [0; 32];
    dice.fill_bytes(&mut secret);
    SigningKey::from_bytes(&secret)
}

impl Genuine {
    /// A sealed text.
    pub fn text(from: &SigningKey, to: NodeId, sequence: u64, text: &str) -> Genuine {
        Genuine::content(from, to, sequence, &Content::from(Text { body: text.into(), ..Text::default() }))
    }

    /// Any content, sealed.
    pub fn content(from: &SigningKey, to: NodeId, sequence: u64, content: &Content) -> Genuine {
        let draft = draft(from, Kind::Message, Eid::mail(to), sequence);
        let plain = pad(&content.encode());
        let sealed = seal(&to, &draft.primary(), &plain, from).unwrap();
        let bundle = draft.sign(&sealed, from).unwrap();
        Genuine { draft, bundle }
    }

    /// A member's word that it has messages of somebody's.
    pub fn got(from: &SigningKey, to: NodeId, sequence: u64, group: NodeId, got: Vec<Mark>) -> Genuine {
        let draft = draft(from, Kind::Message, Eid::got(to), sequence);
        let word = Content::Group(Box::new(GroupWord { got, ..GroupWord::of(group) }));
        let sealed = seal(&to, &draft.primary(), &pad(&word.encode()), from).unwrap();
        let bundle = draft.sign(&sealed, from).unwrap();
        Genuine { draft, bundle }
    }

    /// A message that only its recipient could find out to be nothing.
    pub fn noise(from: &SigningKey, to: NodeId, sequence: u64, payload: &[u8]) -> Genuine {
        let draft = draft(from, Kind::Message, Eid::mail(to), sequence);
        let bundle = draft.sign(payload, from).unwrap();
        Genuine { draft, bundle }
    }
}

fn draft(from: &SigningKey, kind: Kind, destination: Eid, sequence: u64) -> Draft {
    Draft {
        kind,
        source: from.node(),
        destination,
        creation: Creation { time: DtnTime(0), sequence },
        lifetime: DAY,
        priority: Priority::Normal,
        copies: 8,
    }
}

/// A receipt that `signer` gives for bundles of `source`, signed well.
pub fn receipt(signer: &SigningKey, source: NodeId, ids: Vec<BundleId>, sequence: u64) -> Bundle {
    let draft = draft(signer, Kind::Receipt, Eid::admin(source), sequence);
    let receipt = Receipt { kind: ReceiptKind::Delivered, source, device: 0, devices: 1, ids };
    draft.sign(&receipt.encode(), signer).unwrap()
}

/// The ways to forge, by number.
pub const WAYS: usize = 15;

/// Makes bytes that are no bundle of anybody, out of some that are.
pub fn forge(genuine: &[Genuine], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let way = below(dice, WAYS);
    forge_by(way, genuine, dice)
}

pub fn forge_by(way: usize, genuine: &[Genuine], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let one = &genuine[below(dice, genuine.len())];
    let bytes = one.bundle.encode(hops(dice));
    match way {
        0 => flip(bytes, dice),
        1 => with_other_facts(one, bytes, dice),
        2 => with_other_class(bytes, dice),
        3 => with_other_payload(bytes, dice),
        4 => in_other_order(&bytes, dice),
        5 => with_signature_of(bytes, &genuine[below(dice, genuine.len())], dice),
        6 => cut(bytes, dice),
        7 => prolonged(bytes, dice),
        8 => renamed(bytes, one.draft.source, fresh_key(dice).node()),
        9 => weakly_signed(bytes, one.draft.source, dice),
        10 => with_a_second_scalar(bytes),
        11 => garbage(dice),
        12 => with_a_block_more(&bytes, dice),
        13 => with_flags(bytes, dice),
        _ => with_random_signature(bytes, dice),
    }
}

/// Age and hop count that any hop may have written.
pub fn hops(dice: &mut ChaCha8Rng) -> Hops {
    Hops { age: Millis(below(dice, HOUR.0 as usize) as u64), count: below(dice, 100) as u8 }
}

/// Flips a bit or some, anywhere but in age and hop count.
fn flip(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let blocks = blocks(&bytes);
    let legal = blocks[3].start..blocks[4].end;
    for _ in 0..=below(dice, 3) {
        let at = below(dice, bytes.len());
        if !legal.contains(&at) {
            bytes[at] ^= 1 << below(dice, 8);
        }
    }
    // Flipped back, or only in what hops may change.
    let last = bytes.len() - 2;
    if Unverified::parse(&bytes).is_ok() { spoil(bytes, last) } else { bytes }
}

fn spoil(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 0x55;
    bytes
}

/// Another destination, stamp or lifetime, with a CRC that fits.
fn with_other_facts(one: &Genuine, mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut draft = one.draft.clone();
    match below(dice, 4) {
        0 => draft.destination = Eid::mail(fresh_key(dice).node()),
        1 => draft.creation.sequence ^= 1 << below(dice, 40),
        2 => draft.creation.time = DtnTime(1 + dice.next_u64() % 1_000_000_000_000),
        _ => draft.lifetime = Millis(1 + dice.next_u64() % (30 * DAY.0)),
    }
    let primary = blocks(&bytes)[0].clone();
    bytes.splice(primary, draft.primary());
    bytes
}

fn with_other_class(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let class = blocks(&bytes)[2].clone();
    // The last two bytes are priority and copies: [1, 8].
    let value = [(0, 8), (2, 8), (1, 9), (1, 23)][below(dice, 4)];
    bytes[class.end - 2..class.end].copy_from_slice(&[value.0, value.1]);
    bytes
}

fn with_other_payload(bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let payload = blocks(&bytes)[5].clone();
    let at = payload.end - 1 - below(dice, 16);
    spoil(bytes, at)
}

fn in_other_order(bytes: &[u8], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut blocks: Vec<&[u8]> = blocks(bytes).into_iter().map(|block| &bytes[block]).collect();
    let first = below(dice, blocks.len() - 1);
    let second = first + 1 + below(dice, blocks.len() - 1 - first);
    blocks.swap(first, second);
    [&[0x9f], &blocks.concat()[..], &[0xff]].concat()
}

fn with_signature_of(mut bytes: Vec<u8>, other: &Genuine, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let there = signature(other.bundle.bytes());
    let theirs = other.bundle.bytes()[there].to_vec();
    let here = signature(&bytes);
    if bytes[here.clone()] == theirs[..] {
        return with_random_signature(bytes, dice);
    }
    bytes[here].copy_from_slice(&theirs);
    bytes
}

fn cut(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    bytes.truncate(below(dice, bytes.len()));
    bytes
}

fn prolonged(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    if below(dice, 8) == 0 {
        return [&bytes[..], &bytes[..]].concat();
    }
    let more = 1 + below(dice, 64);
    bytes.extend((0..more).map(|_| dice.next_u64() as u8));
    bytes
}

/// A bundle that says everywhere that another made it.
pub fn in_another_name(bundle: &Bundle, name: NodeId) -> Vec<u8> {
    renamed(bundle.bytes().to_vec(), bundle.source, name)
}

fn renamed(mut bytes: Vec<u8>, before: NodeId, after: NodeId) -> Vec<u8> {
    let (before, after) = (before.peer_id(), after.peer_id());
    assert_eq!(before.len(), after.len());
    // Not in the payload, where it would not be a name.
    let payload = blocks(&bytes)[5].start;
    for at in 0..payload - before.len() {
        if bytes[at..].starts_with(before.as_bytes()) {
            bytes[at..at + before.len()].copy_from_slice(after.as_bytes());
        }
    }
    mend_crc(bytes)
}

/// In the name of a key for which anybody can sign, where the verifier is a careless one.
pub fn by_a_weak_key(bundle: &Bundle, dice: &mut ChaCha8Rng) -> Vec<u8> {
    weakly_signed(bundle.bytes().to_vec(), bundle.source, dice)
}

fn weakly_signed(bytes: Vec<u8>, source: NodeId, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let key = [identity, [0; 32], minus_one][below(dice, 3)];
    let mut bytes = renamed(bytes, source, NodeId::from_trusted(key));
    let here = signature(&bytes);
    bytes[here].copy_from_slice(&[identity, [0; 32]].concat());
    bytes
}

/// The signature's scalar plus the order of the group.
pub fn with_a_second_scalar(mut bytes: Vec<u8>) -> Vec<u8> {
    let scalar = signature(&bytes).end - 32;
    let mut carry = 0;
    for (byte, order) in bytes[scalar..scalar + 32].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    bytes
}

fn garbage(dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = vec![0; below(dice, 2_000)];
    dice.fill_bytes(&mut bytes);
    bytes
}

/// A block that the signature does not cover.
fn with_a_block_more(bytes: &[u8], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let at = blocks(bytes)[5].start;
    let data: Vec<u8> = (0..8).map(|_| dice.next_u64() as u8).collect();
    let block = [&[0x85, 0x18, 200, 6 + below(dice, 9) as u8, 0, 0, 0x48], &data[..]].concat();
    [&bytes[..at], &block, &bytes[at..]].concat()
}

/// Asks to be taken apart, or for reports.
fn with_flags(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    // Version 7 and the flags, 0x24, stand at the start of the primary block.
    let primary = blocks(&bytes)[0].clone();
    let flags = [0x01, 0x25, 0x64, 0x06, 0x00, 0x26, 0x20][below(dice, 7)];
    let flags = if flags < 24 { vec![flags] } else { vec![0x18, flags] };
    bytes.splice(primary.start + 2..primary.start + 4, flags);
    mend_crc(bytes)
}

/// Form and names are right, so that only the verification tells.
pub fn with_random_signature(mut bytes: Vec<u8>, dice: &mut ChaCha8Rng) -> Vec<u8> {
    let here = signature(&bytes);
    dice.fill_bytes(&mut bytes[here.clone()]);
    // Below the order, so that it is not refused before the curve is asked.
    bytes[here.end - 1] &= 0x0f;
    bytes
}

/// Where a bundle's blocks lie: primary, integrity, class, age, hop count, payload.
fn blocks(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut at = 1;
    while bytes[at] != 0xff {
        let end = item_end(bytes, at);
        blocks.push(at..end);
        at = end;
    }
    assert_eq!(blocks.len(), 6);
    blocks
}

/// The integrity block ends with the signature.
fn signature(bytes: &[u8]) -> Range<usize> {
    let end = blocks(bytes)[1].end;
    end - 64..end
}

fn item_end(bytes: &[u8], at: usize) -> usize {
    let (len, value) = match bytes[at] & 0x1f {
        24 => (2, u64::from(bytes[at + 1])),
        25 => (3, u64::from(u16::from_be_bytes([bytes[at + 1], bytes[at + 2]]))),
        26 => (5, u64::from(u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()))),
        27 => (9, u64::from_be_bytes(bytes[at + 1..at + 9].try_into().unwrap())),
        small => (1, u64::from(small)),
    };
    match bytes[at] >> 5 {
        2 | 3 => at + len + value as usize,
        4 => (0..value).fold(at + len, |at, _| item_end(bytes, at)),
        _ => at + len,
    }
}

fn mend_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let Range { start, end } = blocks(&bytes)[0].clone();
    bytes[end - 4..end].fill(0);
    let crc = CRC_32C.checksum(&bytes[start..end]);
    bytes[end - 4..end].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Every way gives what no verifier may take, and most reach the verifier's last check.
#[test]
fn every_forgery_is_one() {
    let mut dice = dice(1);
    let keys: Vec<_> = (0..4).map(|_| fresh_key(&mut dice)).collect();
    let genuine: Vec<_> = (0..8).map(|n| Genuine::text(&keys[n % 4], keys[0].node(), n as u64, "hello")).collect();
    let mut well_formed = [0; WAYS];
    for (way, well_formed) in well_formed.iter_mut().enumerate() {
        for _ in 0..200 {
            let forged = forge_by(way, &genuine, &mut dice);
            assert!(Bundle::decode(&forged).is_err(), "way {way}");
            *well_formed += usize::from(Unverified::parse(&forged).is_ok());
        }
    }
    for way in [1, 2, 3, 5, 8, 9, 10, 14] {
        assert!(well_formed[way] > 150, "way {way} is to cost a verification: {well_formed:?}");
    }
}
