//! Topics that are subscribed to here: what was published, numbered as it came, and what one publishes oneself.
//!
//! ```text
//! agent:  Heard ──▶ hear ──▶ a number and a row, in the commit that took the bundle in
//!                        └─▶ nothing: known, below what is kept, an older word on its key, by who is on the list no more
//! person: write ──▶ the next sequence, and the leave to show ──▶ agent: Publish
//! ```
//! Equal sets of messages give equal lists, and equal events, in whatever order they come: as long as none of them takes a
//! writer off the list, and nothing had to leave for want of room. Only the numbers are this home's own.
//!
//! What is kept is bounded by the life that each message was signed with and by [`TOPIC_KEPT_BYTES_MAX`]; the oldest leaves
//! first, and what a writer's oldest left below is not taken again. Topics that a pattern alone means share a room, see `shared`. A message with a key takes the place of the one before
//! with that key: who has not read that reads the new one alone.
//!
//! | | |
//! |---|---|
//! | `rows` | keys and values of all this in the store |
//! | `group` | how far consumers have come, together |
//! | `shared` | the bounds of what a pattern alone means |

pub mod group;
pub mod rows;
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agent::change::Change;
use crate::agent::{Retention, Terms};
use crate::bundle::Bundle;
use crate::content::topic::{AHEAD_MAX, Filter, Leave, Post, Said};
use crate::eid::{Eid, Service};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

pub use self::rows::{Event, List, State};

/// Bytes of events that are kept of one topic, each counted with what is remembered of it.
pub const TOPIC_KEPT_BYTES_MAX: u64 = 16 << 20;
/// Most subscriptions.
pub const SUBSCRIPTIONS_MAX: usize = 256;
/// Most topics, and patterns of them, of which the person says how much is kept.
pub const TERMS_MAX: usize = 256;
/// What an event costs beside its key and its text.
const EVENT_COST_BYTES: u64 = 256;

/// All that is subscribed to.
#[derive(Debug, Default)]
pub struct Topics {
    subscriptions: BTreeSet<(NodeId, Filter)>,
    topics: BTreeMap<Eid, Topic>,
    retention: Retention,
    /// Whose state is not written yet.
    changed: BTreeSet<Eid>,
}

#[derive(Debug, Default)]
struct Topic {
    /// Whether it is subscribed to by its name.
    is_named: bool,
    state: State,
    bytes: u64,
    events: BTreeMap<u64, Brief>,
    /// Of what has no key.
    by_writer: BTreeMap<(NodeId, u64), u64>,
    latest: BTreeMap<Arc<str>, u64>,
}

/// What is remembered of an event.
#[derive(Clone, Debug)]
struct Brief {
    id: BundleId,
    writer: NodeId,
    sequence: u64,
    key: Option<Arc<str>>,
    created: DtnTime,
    lifetime: Millis,
    cost: u64,
}

/// Why nothing can be written in a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    #[error("its owner has not given you leave to write there, as far as is known here")]
    NoLeave,
    #[error("the leave to write there is over")]
    Over,
}

impl Topics {
    /// Takes in a row of the store, whatever the order; what cannot be read is as if it were not there.
    pub fn load(&mut self, key: &[u8], value: &[u8]) {
        match rows::read_key(key) {
            Some(rows::Key::Terms(owner, filter)) => {
                rows::read_terms(value).into_iter().for_each(|terms| self.retention.set(owner, filter.clone(), terms));
            }
            Some(rows::Key::Subscription(owner, filter)) => {
                self.subscriptions.insert((owner, filter));
                self.name_again(owner);
            }
            Some(rows::Key::State(topic)) => {
                if let Some(state) = State::read(value) {
                    let known = self.known(&topic);
                    let next = known.state.next.max(state.next);
                    known.state = State { next, ..state };
                }
            }
            Some(rows::Key::Event(topic, number)) => {
                if let Some(event) = Event::read(value) {
                    self.known(&topic).insert(number, Brief::of(&event));
                }
            }
            _ => {}
        }
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = &(NodeId, Filter)> + '_ {
        self.subscriptions.iter()
    }

    pub fn subscribe(&mut self, owner: NodeId, filter: Filter) -> Vec<Change> {
        let change = Change::Keep { key: rows::subscription(&owner, &filter), value: Some(Vec::new()) };
        let is_new = self.subscriptions.insert((owner, filter));
        self.name_again(owner);
        Vec::from_iter(is_new.then_some(change))
    }

    /// Ends a subscription; what was kept of topics that no other one means goes too.
    pub fn unsubscribe(&mut self, owner: NodeId, filter: Filter) -> Vec<Change> {
        let mut changes = vec![Change::Keep { key: rows::subscription(&owner, &filter), value: None }];
        self.subscriptions.remove(&(owner, filter));
        self.name_again(owner);
        let gone: Vec<Eid> = self.topics.keys().filter(|topic| !self.hears(topic)).cloned().collect();
        gone.iter().for_each(|topic| self.drop_topic(topic, &mut changes));
        changes
    }

    /// The person says how long and how much of topics is kept; of what is here already, what is over that leaves.
    pub fn retain(&mut self, owner: NodeId, filter: Filter, terms: Terms, wall: DtnTime) -> Vec<Change> {
        let key = rows::terms(&owner, &filter);
        let value = (terms != Terms::default()).then(|| rows::write_terms(terms));
        let mut changes = vec![Change::Keep { key, value }];
        self.retention.set(owner, filter, terms);
        for (topic, known) in self.topics.iter_mut().filter(|(topic, _)| topic.node == owner) {
            let before = changes.len();
            known.make_room(topic, self.retention.of(topic), wall, &mut changes);
            if changes.len() > before {
                self.changed.insert(topic.clone());
            }
        }
        changes
    }

    /// How long and how much of topics is kept, where the person said so.
    pub fn retention(&self) -> &Retention {
        &self.retention
    }

    /// Forgets a topic of one's own, and that it was subscribed to.
    pub fn forget(&mut self, topic: &Eid) -> Vec<Change> {
        let Service::Topic(name) = &topic.service else { return Vec::new() };
        let filter = Filter::parse(name).expect("a name means itself");
        let mut changes = vec![
            Change::Keep { key: rows::subscription(&topic.node, &filter), value: None },
            Change::Keep { key: rows::terms(&topic.node, &filter), value: None },
        ];
        self.subscriptions.remove(&(topic.node, filter.clone()));
        self.name_again(topic.node);
        self.retention.set(topic.node, filter, Terms::default());
        self.drop_topic(topic, &mut changes);
        changes
    }

    fn drop_topic(&mut self, topic: &Eid, out: &mut Vec<Change>) {
        let events = self.topics.remove(topic).unwrap_or_default().events;
        out.extend(events.keys().map(|number| Change::Keep { key: rows::event(topic, *number), value: None }));
        out.push(Change::Keep { key: rows::state(topic), value: None });
        self.changed.remove(topic);
    }

    /// Whether a topic is subscribed to.
    pub fn hears(&self, topic: &Eid) -> bool {
        let Service::Topic(name) = &topic.service else { return false };
        self.subscriptions.iter().any(|(owner, filter)| *owner == topic.node && filter.matches(name))
    }

    /// Something was published. The changes keep it where it is news.
    pub fn hear(&mut self, bundle: &Bundle, wall: DtnTime, out: &mut Vec<Change>) {
        let topic = &bundle.destination;
        let Ok(post) = Post::of(bundle) else { return };
        if !self.hears(topic) {
            return;
        }
        self.make_place(topic, out);
        let (terms, known) = (self.retention.of(topic), self.known(topic));
        match post.said {
            Said::List(writers) => {
                if known.state.take(List { sequence: post.sequence, id: bundle.id, writers }) {
                    self.changed.insert(topic.clone());
                }
            }
            Said::Message { key, body, leave: _ } => {
                let event = Event {
                    id: bundle.id,
                    writer: bundle.source,
                    sequence: post.sequence,
                    created: bundle.creation.time,
                    lifetime: bundle.lifetime,
                    received: wall,
                    key,
                    body,
                };
                if known.keep(topic, &event, out) {
                    known.make_room(topic, terms, wall, out);
                    self.changed.insert(topic.clone());
                }
            }
        }
        self.make_shared_room(topic.node, out);
    }

    /// What one publishes next in a topic, as the payload of its bundle; `me` is who writes.
    pub fn write(
        &mut self,
        topic: &Eid,
        me: NodeId,
        (key, body): (Option<String>, String),
        wall: DtnTime,
    ) -> Result<Vec<u8>, NotWritten> {
        let known = self.known(topic);
        let leave = (me != topic.node).then(|| known.state.leave_of(&me).ok_or(NotWritten::NoLeave)).transpose()?;
        if leave.is_some_and(|leave| leave.until < wall) {
            return Err(NotWritten::Over);
        }
        let sequence = known.state.next_sequence(wall);
        self.changed.insert(topic.clone());
        Ok(Post { sequence, said: Said::Message { key, body, leave } }.encode())
    }

    /// The list that one publishes of who may write in a topic of one's own.
    pub fn write_list(&mut self, topic: &Eid, writers: Vec<(NodeId, Leave)>, wall: DtnTime) -> Vec<u8> {
        let sequence = self.known(topic).state.next_sequence(wall);
        self.changed.insert(topic.clone());
        Post { sequence, said: Said::List(writers) }.encode()
    }

    /// What changed of topics as a whole since this was asked.
    pub fn states(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        let state = |topic: &Eid| self.topics.get(topic).map(|known| known.state.write());
        changed.iter().map(|topic| Change::Keep { key: rows::state(topic), value: state(topic) }).collect()
    }
}

impl Topic {
    /// Gives an event its number and its row; returns whether it is news.
    fn keep(&mut self, topic: &Eid, event: &Event, out: &mut Vec<Change>) -> bool {
        let brief = Brief::of(event);
        if !self.state.may_write(&brief.writer, &topic.node) {
            return false;
        }
        let same = match &brief.key {
            Some(key) => self.latest.get(key),
            None => self.by_writer.get(&(brief.writer, brief.sequence)),
        };
        match same.copied() {
            // Also of two that a writer gave one sequence everybody keeps the same.
            Some(number) if self.events[&number].rank() >= brief.rank() => return false,
            _ if self.state.is_below(&brief.writer, brief.sequence) => return false,
            Some(number) => self.remove(topic, number, out),
            None => {}
        }
        let number = self.state.next.max(1);
        self.state.next = number + 1;
        out.push(Change::Keep { key: rows::event(topic, number), value: Some(event.write()) });
        self.insert(number, brief);
        true
    }

    /// What is over leaves, and the oldest where there is too much: of their writers nothing older is taken again.
    fn make_room(&mut self, topic: &Eid, terms: Terms, wall: DtnTime, out: &mut Vec<Change>) {
        let bytes_max = terms.bytes.unwrap_or(u64::MAX).min(TOPIC_KEPT_BYTES_MAX);
        while let Some((_, oldest)) = self.events.first_key_value() {
            if self.bytes <= bytes_max && (oldest.ends(terms.keep) >= wall || wall.0 == 0) {
                return;
            }
            self.drop_oldest(topic, out);
        }
    }

    /// The oldest leaves, where there is one.
    fn drop_oldest(&mut self, topic: &Eid, out: &mut Vec<Change>) {
        let Some((&number, oldest)) = self.events.first_key_value() else { return };
        self.state.left_below(oldest.writer, oldest.sequence, number);
        self.remove(topic, number, out);
    }

    fn insert(&mut self, number: u64, brief: Brief) {
        self.state.next = self.state.next.max(number + 1);
        self.bytes += brief.cost;
        match &brief.key {
            Some(key) => self.latest.insert(Arc::clone(key), number),
            None => self.by_writer.insert((brief.writer, brief.sequence), number),
        };
        self.events.insert(number, brief);
    }

    fn remove(&mut self, topic: &Eid, number: u64, out: &mut Vec<Change>) {
        let Some(brief) = self.events.remove(&number) else { return };
        self.bytes -= brief.cost;
        match &brief.key {
            Some(key) => self.latest.remove(key),
            None => self.by_writer.remove(&(brief.writer, brief.sequence)),
        };
        out.push(Change::Keep { key: rows::event(topic, number), value: None });
    }
}

impl Brief {
    fn of(event: &Event) -> Brief {
        let long = event.key.as_ref().map_or(0, String::len) + event.body.len();
        Brief {
            id: event.id,
            writer: event.writer,
            sequence: event.sequence,
            key: event.key.as_deref().map(Arc::from),
            created: event.created,
            lifetime: event.lifetime,
            cost: long as u64 + EVENT_COST_BYTES,
        }
    }

    /// When it leaves, where what is published is kept so long at most.
    fn ends(&self, keep: Option<Millis>) -> DtnTime {
        let kept = keep.map_or(self.lifetime, |keep| keep.min(self.lifetime));
        DtnTime(self.created.0.saturating_add(kept.0))
    }

    /// Which of two words on a key is the later one, and which of two under one sequence stays.
    fn rank(&self) -> (u64, NodeId, BundleId) {
        (self.sequence, self.writer, BundleId(self.id.0.map(|byte| !byte)))
    }
}

impl State {
    /// The next sequence of one's own: by the clock, for who restores a home begins behind all it wrote; and one more than
    /// the last, unless a clock that was ahead is right again.
    fn next_sequence(&mut self, wall: DtnTime) -> u64 {
        let next = self.sequence.saturating_add(1).max(wall.0);
        self.sequence = if next <= wall.0.saturating_add(AHEAD_MAX) { next } else { wall.0 };
        self.sequence
    }

    /// Takes in a list, unless a later one is known. Of two alike everybody takes the same.
    fn take(&mut self, list: List) -> bool {
        let is_later = self.list.as_ref().is_none_or(|known| (list.sequence, list.id) > (known.sequence, known.id));
        if is_later {
            self.list = Some(list);
        }
        is_later
    }

    /// Whether somebody may write: a list that counts is the last word, and without one the leave that was shown is enough.
    fn may_write(&self, writer: &NodeId, owner: &NodeId) -> bool {
        writer == owner || self.list.is_none() || self.leave_of(writer).is_some()
    }

    fn leave_of(&self, writer: &NodeId) -> Option<Leave> {
        let writers = &self.list.as_ref()?.writers;
        writers.iter().find(|(listed, _)| listed == writer).map(|(_, leave)| *leave)
    }

    fn is_below(&self, writer: &NodeId, sequence: u64) -> bool {
        self.floors.get(writer).is_some_and(|floor| sequence <= *floor)
    }

    fn left_below(&mut self, writer: NodeId, sequence: u64, number: u64) {
        let floor = self.floors.entry(writer).or_default();
        *floor = sequence.max(*floor);
        self.left = self.left.max(number);
        // Only who may write has one, so there are few; of those who wrote once and are listed no more the least known goes.
        while self.floors.len() > rows::FLOORS_MAX {
            let lowest = self.floors.iter().min_by_key(|(_, floor)| **floor).map(|(writer, _)| *writer);
            self.floors.retain(|writer, _| Some(*writer) != lowest);
        }
    }
}

#[cfg(test)]
mod tests;
