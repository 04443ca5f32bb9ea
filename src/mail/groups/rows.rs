//! Groups as they lie in the store, among what a home keeps (`mail/kept.rs`): the first byte of all their keys is [`GROUP`].
//!
//! | key | value | what |
//! |---|---|---|
//! | `STATE`, group | array of standing, own name for it, since when | a group as a whole |
//! | `OPERATION`, group, depth, id | as `content/group.rs` encodes it | an operation of its log |
//! | `EPOCH`, group, id | array of the epoch, from whom, when | a key that content is sealed under |
//! | `OUT`, number | array of recipients, epoch, content | what is still to be sent |
//! | `MEANT`, the first half of an id | group, members | for whom one's own message to a group was, as it left |
//! | `HAS`, that, member | when | a member who has it |
//! | `RECEIPT`, author, group, the first half of an id | when it came, and the id of the bundle that says so where one is under way | what its author is to hear |
//! | `SAID`, id | nothing | an own word about keys and messages, whose record leaves once it is settled |
//! | `LATE`, row | nothing | it came after it was known that its author is out |
//!
//! Groups and people are their keys. Numbers in keys are big-endian, so that no operation stands before those that it names.

use crate::agent::change::Row;
use crate::cbor::{CborError, Reader, Writer};
use crate::content::Mark;
use crate::content::group::{Epoch, EpochId, Operation, OperationId};
use crate::id::{BundleId, NodeId};
use crate::time::DtnTime;

/// The first byte of all keys.
pub const GROUP: u8 = 5;

const STATE: u8 = 1;
const OPERATION: u8 = 2;
const EPOCH: u8 = 3;
const OUT: u8 = 4;
const MEANT: u8 = 5;
const HAS: u8 = 6;
const RECEIPT: u8 = 7;
const SAID: u8 = 8;
const LATE: u8 = 9;

/// What a key is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    State(NodeId),
    Operation(NodeId),
    Epoch(NodeId, EpochId),
    Out(u64),
    Meant(Mark),
    Has(Mark, NodeId),
    Receipt(NodeId, NodeId, Mark),
    Said(BundleId),
    Late(Row),
}

/// What this person has to do with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Invited,
    Joined,
    /// They left, or were removed.
    Out,
}

/// A group as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub standing: Standing,
    /// Since when, by the clock of this home.
    pub since: DtnTime,
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEpoch {
    pub epoch: Epoch,
    pub from: NodeId,
    pub at: DtnTime,
}

/// Content that is to be sent about a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToSend {
    pub to: Recipients,
    /// As encoded.
    pub content: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// Each of these, in mail of their own.
    Each(Vec<NodeId>),
    /// The group, sealed under this epoch.
    Group(NodeId, EpochId),
}

/// The starts of the keys of all that is remembered while a node runs, in the order in which it is to be read.
pub fn loaded() -> Vec<Vec<u8>> {
    [STATE, OPERATION, EPOCH, OUT, MEANT, RECEIPT].map(|kind| vec![GROUP, kind]).into()
}

pub fn state(group: &NodeId) -> Vec<u8> {
    [&[GROUP, STATE], &group.as_bytes()[..]].concat()
}

pub fn operation(group: &NodeId, depth: u32, id: &OperationId) -> Vec<u8> {
    [&[GROUP, OPERATION], &group.as_bytes()[..], &depth.to_be_bytes(), &id.0].concat()
}

/// Behind all that are known: of an operation that waits for one before it nobody knows how far it is from the beginning.
pub fn waiting(group: &NodeId, id: &OperationId) -> Vec<u8> {
    operation(group, u32::MAX, id)
}

pub fn epoch(group: &NodeId, id: &EpochId) -> Vec<u8> {
    [&[GROUP, EPOCH], &group.as_bytes()[..], &id.0].concat()
}

/// The start of the keys of all that is to be sent.
pub fn all_out() -> Vec<u8> {
    vec![GROUP, OUT]
}

pub fn out(number: u64) -> Vec<u8> {
    [&all_out()[..], &number.to_be_bytes()].concat()
}

/// The start of the keys of whom own messages were meant for.
pub fn all_meant() -> Vec<u8> {
    vec![GROUP, MEANT]
}

pub fn meant(mark: &Mark) -> Vec<u8> {
    [&[GROUP, MEANT], &mark[..]].concat()
}

/// The start of the keys of who has a message.
pub fn who_has(mark: &Mark) -> Vec<u8> {
    [&[GROUP, HAS], &mark[..]].concat()
}

pub fn has(mark: &Mark, member: &NodeId) -> Vec<u8> {
    [&who_has(mark)[..], member.as_bytes()].concat()
}

pub fn receipt(author: &NodeId, group: &NodeId, mark: &Mark) -> Vec<u8> {
    [&[GROUP, RECEIPT], &author.as_bytes()[..], group.as_bytes(), mark].concat()
}

/// The start of the keys of own words that are read nowhere.
pub fn all_said() -> Vec<u8> {
    vec![GROUP, SAID]
}

pub fn said(id: &BundleId) -> Vec<u8> {
    [&all_said()[..], &id.0].concat()
}

/// That what stands at a row came after it was known that its author is out.
pub fn late(row: Row) -> Vec<u8> {
    [&[GROUP, LATE], &row.0.to_be_bytes()[..]].concat()
}

/// None for what is no key of groups.
pub fn read_key(key: &[u8]) -> Option<Key> {
    let (kind, rest) = key.strip_prefix(&[GROUP])?.split_first()?;
    let node = |at: usize| Some(NodeId::from_trusted(rest.get(at..at + 32)?.try_into().ok()?));
    let mark = |at: usize| rest.get(at..at + 16)?.try_into().ok();
    Some(match (*kind, rest.len()) {
        (STATE, 32) => Key::State(node(0)?),
        (OPERATION, 68) => Key::Operation(node(0)?),
        (EPOCH, 48) => Key::Epoch(node(0)?, EpochId(mark(32)?)),
        (OUT, 8) => Key::Out(u64::from_be_bytes(rest.try_into().ok()?)),
        (MEANT, 16) => Key::Meant(mark(0)?),
        (HAS, 48) => Key::Has(mark(0)?, node(16)?),
        (RECEIPT, 80) => Key::Receipt(node(0)?, node(32)?, mark(64)?),
        (SAID, 32) => Key::Said(BundleId(rest.try_into().ok()?)),
        (LATE, 8) => Key::Late(Row(u64::from_be_bytes(rest.try_into().ok()?))),
        _ => return None,
    })
}

impl State {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.array(2);
        out.uint(self.standing as u8);
        out.uint(self.since.0);
        out
    }

    pub fn read(value: &[u8]) -> Option<State> {
        let read = || -> Result<State, CborError> {
            let mut reader = Reader::new(value);
            reader.array_exact(2)?;
            let standing = match reader.uint()? {
                0 => Standing::Invited,
                1 => Standing::Joined,
                _ => Standing::Out,
            };
            Ok(State { standing, since: DtnTime(reader.uint()?) })
        };
        read().ok()
    }
}

impl KeptEpoch {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.array(3);
        self.epoch.write(&mut out);
        out.bytes(self.from.as_bytes());
        out.uint(self.at.0);
        out
    }

    pub fn read(value: &[u8]) -> Option<KeptEpoch> {
        let mut reader = Reader::new(value);
        reader.array_exact(3).ok()?;
        let epoch = Epoch::read(&mut reader).ok()?;
        let from = NodeId::from_trusted(reader.bytes_exact().ok()?);
        Some(KeptEpoch { epoch, from, at: DtnTime(reader.uint().ok()?) })
    }
}

impl ToSend {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.array(3);
        match &self.to {
            Recipients::Each(nodes) => {
                out.bytes(&nodes.iter().flat_map(|node| *node.as_bytes()).collect::<Vec<u8>>());
                out.bytes(&[]);
            }
            Recipients::Group(group, epoch) => {
                out.bytes(group.as_bytes());
                out.bytes(&epoch.0);
            }
        }
        out.bytes(&self.content);
        out
    }

    pub fn read(value: &[u8]) -> Option<ToSend> {
        let mut reader = Reader::new(value);
        reader.array_exact(3).ok()?;
        let nodes = reader.bytes().ok()?.as_chunks::<32>().0.iter().map(|key| NodeId::from_trusted(*key));
        let nodes: Vec<NodeId> = nodes.collect();
        let epoch = reader.bytes().ok()?;
        let to = match <[u8; 16]>::try_from(epoch) {
            Ok(epoch) => Recipients::Group(*nodes.first()?, EpochId(epoch)),
            Err(_) => Recipients::Each(nodes),
        };
        Some(ToSend { to, content: reader.bytes().ok()?.to_vec() })
    }
}

/// For whom a message to a group was.
pub fn write_meant(group: &NodeId, members: &[NodeId]) -> Vec<u8> {
    std::iter::once(group).chain(members).flat_map(|node| *node.as_bytes()).collect()
}

pub fn read_meant(value: &[u8]) -> Option<(NodeId, Vec<NodeId>)> {
    let mut nodes = value.as_chunks::<32>().0.iter().map(|key| NodeId::from_trusted(*key));
    Some((nodes.next()?, nodes.collect()))
}

pub fn write_time(at: DtnTime) -> Vec<u8> {
    at.0.to_be_bytes().to_vec()
}

pub fn read_time(value: &[u8]) -> DtnTime {
    DtnTime(value.try_into().map_or(0, u64::from_be_bytes))
}

/// When something came, and the bundle that says so.
pub fn write_receipt(came: DtnTime, bundle: Option<&BundleId>) -> Vec<u8> {
    [&came.0.to_be_bytes()[..], bundle.map_or(&[][..], |id| &id.0)].concat()
}

pub fn read_receipt(value: &[u8]) -> Option<(DtnTime, Option<BundleId>)> {
    let (came, rest) = value.split_first_chunk()?;
    let came = DtnTime(u64::from_be_bytes(*came));
    match rest {
        [] => Some((came, None)),
        id => Some((came, Some(BundleId(id.try_into().ok()?)))),
    }
}

/// An operation as it is kept.
pub fn read_operation(value: &[u8]) -> Option<Operation> {
    Operation::decode(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::group::GroupKey;
    use proptest::prelude::*;

    #[test]
    fn keys_and_values_read_back() {
        let node = |n| NodeId::from_trusted([n; 32]);
        let (id, mark) = (EpochId([4; 16]), [6; 16]);
        for (key, meant) in [
            (state(&node(1)), Key::State(node(1))),
            (operation(&node(1), 7, &OperationId([2; 32])), Key::Operation(node(1))),
            (epoch(&node(1), &id), Key::Epoch(node(1), id)),
            (out(9), Key::Out(9)),
            (super::meant(&mark), Key::Meant(mark)),
            (has(&mark, &node(3)), Key::Has(mark, node(3))),
            (receipt(&node(1), &node(2), &mark), Key::Receipt(node(1), node(2), mark)),
            (said(&BundleId([7; 32])), Key::Said(BundleId([7; 32]))),
            (late(Row(8)), Key::Late(Row(8))),
        ] {
            assert_eq!(read_key(&key), Some(meant));
            assert_eq!(read_key(&key[..key.len() - 1]), None);
        }
        for standing in [Standing::Invited, Standing::Joined, Standing::Out] {
            let state = State { standing, since: DtnTime(7) };
            assert_eq!(State::read(&state.write()), Some(state));
        }
        let epoch = Epoch { author: node(1), heads: vec![OperationId([2; 32])], key: GroupKey([3; 32]) };
        let kept = KeptEpoch { epoch, from: node(2), at: DtnTime(8) };
        assert_eq!(KeptEpoch::read(&kept.write()), Some(kept));
        for to in
            [Recipients::Each(vec![node(1), node(2)]), Recipients::Each(Vec::new()), Recipients::Group(node(3), id)]
        {
            let out = ToSend { to, content: vec![1, 2, 3] };
            assert_eq!(ToSend::read(&out.write()), Some(out));
        }
        assert_eq!(read_meant(&write_meant(&node(1), &[node(2)])), Some((node(1), vec![node(2)])));
        assert_eq!(read_time(&write_time(DtnTime(5))), DtnTime(5));
        for bundle in [None, Some(BundleId([9; 32]))] {
            assert_eq!(read_receipt(&write_receipt(DtnTime(5), bundle.as_ref())), Some((DtnTime(5), bundle)));
        }
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = (read_key(&bytes), State::read(&bytes), KeptEpoch::read(&bytes), ToSend::read(&bytes));
            let _ = (read_meant(&bytes), read_time(&bytes), read_operation(&bytes), read_receipt(&bytes));
        }
    }
}
