//! Topics as they lie in the store, among what a home keeps (`mail/kept.rs`): the first byte of all their keys is [`TOPIC`].
//!
//! | key | value | what |
//! |---|---|---|
//! | `TERMS`, owner, filter | array of milliseconds and bytes, each an array of one or none | how much stays here |
//! | `SUBSCRIPTION`, owner, filter | | a subscription |
//! | `STATE`, topic | array of next number, own sequence, highest number that left, floors, list | a topic as a whole |
//! | `EVENT`, topic, number | array of the fields of [`Event`] | something published |
//! | `GROUP`, topic, group | `group.rs` | how far a group of consumers has come |
//! | `DEAD`, topic, group, 0, number | `group.rs` | what a group gave up |
//!
//! A topic is its owner's key, the length of its name, and the name. Numbers in keys are big-endian.

use std::collections::BTreeMap;

use crate::agent::Terms;
use crate::cbor::{CborError, Reader, Writer};
use crate::content::topic::{Filter, Leave, WRITERS_MAX};
use crate::eid::{Eid, Service, is_topic_name};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

/// The first byte of all keys.
pub const TOPIC: u8 = 4;
/// All keys up to the last event stand before this.
pub const END_OF_EVENTS: [u8; 2] = [TOPIC, GROUP];
/// Most writers of whom it is remembered how far what they wrote has left.
pub const FLOORS_MAX: usize = 2 * WRITERS_MAX;
/// Longest name of a group in bytes.
pub const GROUP_BYTES_MAX: usize = 64;

const TERMS: u8 = 0;
const SUBSCRIPTION: u8 = 1;
const STATE: u8 = 2;
const EVENT: u8 = 3;
const GROUP: u8 = 4;
const DEAD: u8 = 5;

/// What a key is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Terms(NodeId, Filter),
    Subscription(NodeId, Filter),
    State(Eid),
    Event(Eid, u64),
    Group(Eid, String),
    Dead(Eid, String, u64),
}

/// Something published, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: BundleId,
    pub writer: NodeId,
    pub sequence: u64,
    pub created: DtnTime,
    pub lifetime: Millis,
    pub received: DtnTime,
    pub key: Option<String>,
    pub body: String,
}

/// A topic as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The number of the next event.
    pub next: u64,
    /// The sequence of the last thing published here.
    pub sequence: u64,
    /// The highest number that left for want of room, or at the end of its life.
    pub left: u64,
    /// Up to which sequence what writers wrote has left.
    pub floors: BTreeMap<NodeId, u64>,
    pub list: Option<List>,
}

/// Who may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub sequence: u64,
    pub id: BundleId,
    pub writers: Vec<(NodeId, Leave)>,
}

pub fn terms(owner: &NodeId, filter: &Filter) -> Vec<u8> {
    [&[TOPIC, TERMS], &owner.as_bytes()[..], filter.to_string().as_bytes()].concat()
}

pub fn write_terms(Terms { keep, bytes }: Terms) -> Vec<u8> {
    let mut out = Vec::new();
    out.array(2);
    for number in [keep.map(|keep| keep.0), bytes] {
        out.array(usize::from(number.is_some()));
        number.iter().for_each(|number| out.uint(*number));
    }
    out
}

pub fn read_terms(value: &[u8]) -> Option<Terms> {
    let mut reader = Reader::new(value);
    reader.array_exact(2).ok()?;
    let mut number = || match reader.array().ok()? {
        0 => Some(None),
        1 => reader.uint().ok().map(Some),
        _ => None,
    };
    let (keep, bytes) = (number()?, number()?);
    reader.finish().ok().map(|()| Terms { keep: keep.map(Millis), bytes })
}

pub fn subscription(owner: &NodeId, filter: &Filter) -> Vec<u8> {
    [&[TOPIC, SUBSCRIPTION], &owner.as_bytes()[..], filter.to_string().as_bytes()].concat()
}

pub fn state(topic: &Eid) -> Vec<u8> {
    of_topic(STATE, topic)
}

/// The start of the keys of all states.
pub fn states() -> Vec<u8> {
    vec![TOPIC, STATE]
}

/// The start of the keys of all subscriptions.
pub fn subscriptions() -> Vec<u8> {
    vec![TOPIC, SUBSCRIPTION]
}

/// The start of the keys of all events of a topic.
pub fn events(topic: &Eid) -> Vec<u8> {
    of_topic(EVENT, topic)
}

pub fn event(topic: &Eid, number: u64) -> Vec<u8> {
    [&events(topic)[..], &number.to_be_bytes()].concat()
}

/// The start of the keys of all groups of a topic.
pub fn groups(topic: &Eid) -> Vec<u8> {
    of_topic(GROUP, topic)
}

pub fn group(topic: &Eid, group: &str) -> Vec<u8> {
    [&groups(topic)[..], group.as_bytes()].concat()
}

/// The start of the keys of all that any group of a topic gave up.
pub fn all_dead(topic: &Eid) -> Vec<u8> {
    of_topic(DEAD, topic)
}

/// The start of the keys of all that a group gave up.
pub fn dead_of(topic: &Eid, group: &str) -> Vec<u8> {
    [&all_dead(topic)[..], group.as_bytes(), &[0]].concat()
}

pub fn dead(topic: &Eid, group: &str, number: u64) -> Vec<u8> {
    [&dead_of(topic, group)[..], &number.to_be_bytes()].concat()
}

/// The starts of the keys of all groups, and of all that they gave up.
pub fn of_consumers() -> [Vec<u8>; 2] {
    [vec![TOPIC, GROUP], vec![TOPIC, DEAD]]
}

fn of_topic(tag: u8, topic: &Eid) -> Vec<u8> {
    let Service::Topic(name) = &topic.service else { panic!("{topic} is no topic") };
    [&[TOPIC, tag], &topic.node.as_bytes()[..], &[name.len() as u8], name.as_bytes()].concat()
}

/// Reads any of these keys; none for others.
pub fn read_key(key: &[u8]) -> Option<Key> {
    let (tag, rest) = key.strip_prefix(&[TOPIC])?.split_first()?;
    let (owner, rest) = rest.split_first_chunk::<32>()?;
    let owner = NodeId::from_trusted(*owner);
    if *tag <= SUBSCRIPTION {
        let filter = Filter::parse(std::str::from_utf8(rest).ok()?)?;
        return Some(if *tag == TERMS { Key::Terms(owner, filter) } else { Key::Subscription(owner, filter) });
    }
    let (long, rest) = rest.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*long))?;
    let name = std::str::from_utf8(name).ok().filter(|name| is_topic_name(name))?;
    let topic = Eid::topic(owner, name);
    match *tag {
        STATE if rest.is_empty() => Some(Key::State(topic)),
        EVENT => Some(Key::Event(topic, u64::from_be_bytes(rest.try_into().ok()?))),
        GROUP => Some(Key::Group(topic, std::str::from_utf8(rest).ok()?.to_owned())),
        DEAD => {
            let (group, number) = rest.split_last_chunk::<8>()?;
            let group = std::str::from_utf8(group.strip_suffix(&[0])?).ok()?;
            Some(Key::Dead(topic, group.to_owned(), u64::from_be_bytes(*number)))
        }
        _ => None,
    }
}

impl Event {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.body.len());
        out.array(8);
        out.bytes(&self.id.0);
        out.bytes(self.writer.as_bytes());
        [self.sequence, self.created.0, self.lifetime.0, self.received.0].iter().for_each(|number| out.uint(*number));
        out.array(usize::from(self.key.is_some()));
        self.key.iter().for_each(|key| out.text(key));
        out.text(&self.body);
        out
    }

    pub fn read(value: &[u8]) -> Option<Event> {
        let mut reader = Reader::new(value);
        let event = Event::read_from(&mut reader).ok()?;
        reader.finish().ok().map(|()| event)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Event, CborError> {
        reader.array_exact(8)?;
        Ok(Event {
            id: BundleId(reader.bytes_exact()?),
            writer: NodeId::from_trusted(reader.bytes_exact()?),
            sequence: reader.uint()?,
            created: DtnTime(reader.uint()?),
            lifetime: Millis(reader.uint()?),
            received: DtnTime(reader.uint()?),
            key: if reader.array()? == 0 { None } else { Some(reader.text()?.to_owned()) },
            body: reader.text()?.to_owned(),
        })
    }
}

impl State {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.array(5);
        [self.next, self.sequence, self.left].iter().for_each(|number| out.uint(*number));
        out.array(2 * self.floors.len());
        self.floors.iter().for_each(|(writer, floor)| {
            out.bytes(writer.as_bytes());
            out.uint(*floor);
        });
        let Some(list) = &self.list else {
            out.array(0);
            return out;
        };
        out.array(2 + 3 * list.writers.len());
        out.uint(list.sequence);
        out.bytes(&list.id.0);
        for (writer, leave) in &list.writers {
            out.bytes(writer.as_bytes());
            out.uint(leave.until.0);
            out.bytes(&leave.signature);
        }
        out
    }

    pub fn read(value: &[u8]) -> Option<State> {
        let mut reader = Reader::new(value);
        let state = State::read_from(&mut reader).ok()?;
        reader.finish().ok().map(|()| state)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<State, CborError> {
        reader.array_exact(5)?;
        let (next, sequence, left) = (reader.uint()?, reader.uint()?, reader.uint()?);
        let mut floors = BTreeMap::new();
        for _ in 0..reader.array()? / 2 {
            floors.insert(NodeId::from_trusted(reader.bytes_exact()?), reader.uint()?);
        }
        let fields = reader.array()?;
        if fields < 2 {
            return Ok(State { next, sequence, left, floors, list: None });
        }
        let (listed, id) = (reader.uint()?, BundleId(reader.bytes_exact()?));
        let mut writers = Vec::new();
        for _ in 0..(fields - 2) / 3 {
            let writer = NodeId::from_trusted(reader.bytes_exact()?);
            writers.push((writer, Leave { until: DtnTime(reader.uint()?), signature: reader.bytes_exact()? }));
        }
        Ok(State { next, sequence, left, floors, list: Some(List { sequence: listed, id, writers }) })
    }
}
