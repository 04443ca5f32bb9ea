//! What the agent asks its driver to make durable, and the whole of what is durable.
//!
//! A [`Change`] is one step; a driver commits a batch of them in one transaction before it performs the acts that came
//! with them. [`Durable`] is the model of the store: what `restore` takes, what every store must give back, and what
//! [`Durable::apply`] says each change means. Bundle bodies are the one thing a change carries that `Durable` leaves
//! out: they live in the store alone, under the row of what holds them.

mod known;
mod outgoing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::known::Known;
pub use self::outgoing::{Carrier, EVENTS_MAX, Evidence, EvidenceKind, Outgoing, Unlisted};
use crate::agent::custody::cost_bytes;
use crate::bundle::{Bundle, Creation, Hops, Kind, Priority};
use crate::content::Filed;
use crate::content::topic::{Post, Said};
use crate::eid::Eid;
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Moment, SECOND, Timestamp};

/// The key of a body in the store; grows with time and is never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Row(pub u64);

impl Row {
    /// The row after this one. Only damage makes a row that has none, and nothing more is stored behind it.
    pub fn next(self) -> Row {
        Row(self.0.saturating_add(1))
    }
}

/// Whose bundle it is to this node, by its verified source; later variants outrank earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// For a topic, whoever wrote it, unless that was done here.
    Topics,
    Strangers,
    Contacts,
    Own,
}

/// The facts of a bundle in custody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub row: Row,
    pub id: BundleId,
    pub kind: Kind,
    pub source: NodeId,
    pub destination: Eid,
    pub lifetime: Millis,
    /// When this node accepted it first, in this stay or in an earlier one.
    pub accepted_at: Timestamp,
    /// Age then, and hop count, as hops told them and the clocks bounded them.
    pub hops: Hops,
    /// The last millisecond of its life here; at most the lifetime after `accepted_at`.
    pub expires: Timestamp,
    /// Two plausible clocks have bounded its age: nothing that a hop tells changes its life any more.
    #[serde(default)]
    pub dated: bool,
    pub size_bytes: u32,
    pub class: Class,
    pub priority: Priority,
    pub grade: Grade,
    /// Spray copies left to hand on, this one included; none where the destination has the bundle.
    pub copies: u16,
    /// Who handed it over; none for one's own.
    pub from: Option<NodeId>,
    /// What it is the latest word on, where it is published in a topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
}

/// That something published is its writer's latest word on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct About {
    /// A hash of the key; a writer who makes two keys collide loses words of their own.
    pub mark: u64,
    pub sequence: u64,
}

impl About {
    /// What a bundle is the latest word on.
    pub fn of(bundle: &Bundle) -> Option<About> {
        if !bundle.destination.is_topic() {
            return None;
        }
        let Post { sequence, said: Said::Message { key: Some(key), .. } } = Post::decode(bundle.payload()).ok()? else {
            return None;
        };
        let hash = blake3::derive_key("dak 2026 topic key v1", key.as_bytes());
        Some(About { mark: u64::from_be_bytes(*hash.first_chunk().expect("8 of 32 bytes")), sequence })
    }

    /// Of two words on one key, which is the later one: the greater of these. Of two under one sequence everybody takes the
    /// same.
    pub fn rank(&self, id: &BundleId) -> (u64, BundleId) {
        (self.sequence, BundleId(id.0.map(|byte| !byte)))
    }
}

/// Of a lifetime, the part by which another life is clearly longer.
const CLEAR_PART: u64 = 16;

impl Held {
    /// By how much the life of another copy must be longer to count. As a part of the lifetime, so that no peer makes a
    /// node commit more than so many corrections for one bundle.
    pub fn clearly_longer(&self) -> Millis {
        Millis(self.lifetime.0 / CLEAR_PART + SECOND.0)
    }

    /// Whether hops told an age of this copy that no clock confirms, and that takes a clear part of its life.
    pub fn is_in_doubt(&self) -> bool {
        !self.dated && self.hops.age > self.clearly_longer()
    }
}

/// A row of the inbox: one per bundle id, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub row: Row,
    pub id: BundleId,
    pub source: NodeId,
    pub destination: Eid,
    pub creation: Creation,
    pub lifetime: Millis,
    pub priority: Priority,
    pub size_bytes: u32,
    pub received: Moment,
    /// Who handed it over.
    pub from: NodeId,
    pub hops: Hops,
    pub read: bool,
    /// Its writer was told that it was read.
    #[serde(default)]
    pub told: bool,
}

/// What may change about an inbox row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub read: bool,
    pub told: bool,
}

/// Somebody this person named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub standing: Standing,
    /// The safety words were compared.
    pub verified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Standing {
    Contact,
    Blocked,
}

/// A receipt's word about an id that may be held one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belief {
    pub what: EvidenceKind,
    pub until: Timestamp,
    /// Who handed the receipt over.
    pub from: NodeId,
}

/// A bundle that left before anybody knew it to be over, and may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// When this node accepted it first.
    pub accepted_at: Timestamp,
    /// How long that is remembered.
    pub until: Timestamp,
    /// Who handed it over.
    pub from: NodeId,
    pub source: NodeId,
}

/// One durable step. A batch is committed whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Takes a bundle into custody, facts and body.
    Hold {
        held: Held,
        bundle: Arc<Bundle>,
    },
    /// Changes what may change about a held bundle.
    Regrade {
        row: Row,
        grade: Grade,
        copies: u16,
        class: Class,
    },
    /// Corrects the age of a held bundle, and with it the end of its life.
    Prolong {
        row: Row,
        age: Millis,
        expires: Timestamp,
    },
    /// Ends custody; the body goes too.
    Forget {
        row: Row,
    },
    /// Remembers when a bundle came first that is gone and may come again.
    Depart {
        id: BundleId,
        departure: Departure,
    },
    /// It is held again, or that memory is over.
    Return {
        id: BundleId,
    },
    /// Remembers an id after its bundle is gone.
    Bury {
        id: BundleId,
        until: Timestamp,
    },
    /// The tombstone's time is over.
    Unbury {
        id: BundleId,
    },
    /// Keeps a receipt's word about an id not held.
    Believe {
        id: BundleId,
        signer: NodeId,
        belief: Belief,
    },
    Disbelieve {
        id: BundleId,
        signer: NodeId,
    },
    /// Puts a bundle into the inbox, body and row, and its id among the delivered for ever.
    Deliver {
        letter: Letter,
        bundle: Arc<Bundle>,
    },
    /// Takes a row of an earlier home's inbox in; what it says comes with [`Change::File`] alone.
    Adopt {
        letter: Letter,
    },
    /// Keeps what a message says, in the place of the sealed body at this row if there is one. Mail's, not the agent's.
    File {
        row: Row,
        filed: Arc<Filed>,
    },
    /// Changes the marks of an inbox row.
    Mark {
        row: Row,
        marks: Marks,
    },
    /// The person deletes an inbox row; its id stays among the delivered.
    Discard {
        row: Row,
    },
    /// Opens the record of one's own message.
    Post {
        outgoing: Outgoing,
    },
    /// Adds to the record of one's own message.
    Attest {
        id: BundleId,
        evidence: Evidence,
    },
    /// Drops the record of a message whose fate is settled.
    Unpost {
        id: BundleId,
    },
    /// Names, blocks or forgets somebody.
    SetPerson {
        node: NodeId,
        person: Option<Person>,
    },
    /// What the strategy learned about a node, in the strategy's own encoding.
    Learn {
        node: NodeId,
        record: Option<Vec<u8>>,
    },
    /// The previous hop must hear that its bundle was evicted here.
    Owe {
        peer: NodeId,
        id: BundleId,
    },
    /// It heard, or its place was needed.
    Settle {
        peer: NodeId,
        id: BundleId,
    },
    /// What the person arranges here for themselves and nobody else hears of: see [`crate::mail::kept`]. Mail's, not the
    /// agent's.
    Keep {
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    },
    /// The first sequence number of this source that no bundle may bear yet.
    Count {
        sequence: u64,
    },
    /// Where elapsed time stands.
    Tick {
        at: Moment,
    },
}

/// Everything durable but the bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durable {
    /// The first creation sequence number that no bundle bears.
    pub sequence: u64,
    /// The next row.
    pub next_row: Row,
    pub clock: Moment,
    pub held: BTreeMap<Row, Held>,
    pub buried: BTreeMap<BundleId, Timestamp>,
    pub departed: BTreeMap<BundleId, Departure>,
    pub beliefs: BTreeMap<(BundleId, NodeId), Belief>,
    pub letters: BTreeMap<Row, Letter>,
    /// The first 16 bytes of every id ever delivered here.
    pub delivered: BTreeSet<[u8; 16]>,
    pub outgoing: BTreeMap<BundleId, Outgoing>,
    /// Bytes that rows of the inbox cost, by source and by who handed them over.
    #[serde(default)]
    pub mail_bytes: BTreeMap<(NodeId, NodeId), u64>,
    pub people: BTreeMap<NodeId, Person>,
    pub learned: BTreeMap<NodeId, Vec<u8>>,
    pub owed: BTreeSet<(NodeId, BundleId)>,
    /// What the person arranged; no agent keeps it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Mail of an earlier home of the owner's, at whatever row it had there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Adopted {
    Came(Letter),
    /// Its fate is known, so that nothing of it is sent.
    Own(Outgoing),
}

impl Adopted {
    pub fn id(&self) -> BundleId {
        match self {
            Adopted::Came(letter) => letter.id,
            Adopted::Own(outgoing) => outgoing.id,
        }
    }
}

impl Letter {
    pub fn marks(&self) -> Marks {
        Marks { read: self.read, told: self.told }
    }

    pub fn set_marks(&mut self, marks: Marks) {
        (self.read, self.told) = (marks.read, marks.told);
    }

    /// How a delivered id is remembered.
    pub fn mark_of(id: &BundleId) -> [u8; 16] {
        id.0[..16].try_into().expect("16 of 32 bytes")
    }
}

impl Durable {
    /// What an agent keeps of this: all but the record of mail that is filed, of which it is told what an input speaks of.
    pub fn without_filed(mut self) -> Durable {
        self.letters.clear();
        self.delivered.clear();
        self.kept.clear();
        self.outgoing.retain(|_, outgoing| !outgoing.is_settled());
        self
    }

    /// What the record knows of an id.
    pub fn known(&self, id: &BundleId) -> Known {
        let delivered = self.delivered.contains(&Letter::mark_of(id));
        let letter = delivered.then(|| self.letters.values().find(|letter| letter.id == *id).cloned()).flatten();
        Known { id: *id, delivered, letter, outgoing: self.outgoing.get(id).cloned() }
    }

    /// Applies one change: the meaning that every store must agree with.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Hold { held, .. } => {
                self.next_row = self.next_row.max(held.row.next());
                self.held.insert(held.row, held.clone());
            }
            Change::Regrade { row, grade, copies, class } => {
                if let Some(held) = self.held.get_mut(row) {
                    (held.grade, held.copies, held.class) = (*grade, *copies, *class);
                }
            }
            Change::Prolong { row, age, expires } => {
                if let Some(held) = self.held.get_mut(row) {
                    (held.hops.age, held.expires) = (*age, *expires);
                }
            }
            Change::Forget { row } => drop(self.held.remove(row)),
            Change::Depart { id, departure } => drop(self.departed.insert(*id, *departure)),
            Change::Return { id } => drop(self.departed.remove(id)),
            Change::Bury { id, until } => drop(self.buried.insert(*id, *until)),
            Change::Unbury { id } => drop(self.buried.remove(id)),
            Change::Believe { id, signer, belief } => drop(self.beliefs.insert((*id, *signer), *belief)),
            Change::Disbelieve { id, signer } => drop(self.beliefs.remove(&(*id, *signer))),
            Change::Deliver { letter, .. } | Change::Adopt { letter } => {
                self.next_row = self.next_row.max(letter.row.next());
                self.delivered.insert(Letter::mark_of(&letter.id));
                self.letters.insert(letter.row, letter.clone());
                add_to(&mut self.mail_bytes, (letter.source, letter.from), cost_bytes(letter.size_bytes));
            }
            // What it says is a body.
            Change::File { .. } => {}
            Change::Mark { row, marks } => {
                if let Some(letter) = self.letters.get_mut(row) {
                    letter.set_marks(*marks);
                }
            }
            Change::Discard { row } => {
                let Some(letter) = self.letters.remove(row) else { return };
                take_from(&mut self.mail_bytes, (letter.source, letter.from), cost_bytes(letter.size_bytes));
            }
            Change::Post { outgoing } => {
                self.next_row = self.next_row.max(outgoing.row.map_or(Row(0), Row::next));
                self.outgoing.insert(outgoing.id, outgoing.clone());
            }
            Change::Attest { id, evidence } => {
                if let Some(outgoing) = self.outgoing.get_mut(id) {
                    outgoing.attest(*evidence);
                }
            }
            Change::Unpost { id } => drop(self.outgoing.remove(id)),
            Change::SetPerson { node, person: Some(person) } => drop(self.people.insert(*node, person.clone())),
            Change::SetPerson { node, person: None } => drop(self.people.remove(node)),
            Change::Learn { node, record: Some(record) } => drop(self.learned.insert(*node, record.clone())),
            Change::Learn { node, record: None } => drop(self.learned.remove(node)),
            Change::Owe { peer, id } => drop(self.owed.insert((*peer, *id))),
            Change::Settle { peer, id } => drop(self.owed.remove(&(*peer, *id))),
            Change::Keep { key, value: Some(value) } => drop(self.kept.insert(key.clone(), value.clone())),
            Change::Keep { key, value: None } => drop(self.kept.remove(key)),
            Change::Count { sequence } => self.sequence = *sequence,
            Change::Tick { at } => self.clock = *at,
        }
    }
}

/// Adds so much to what is counted under a key. Where damage says otherwise than what there is, nothing runs over.
pub fn add_to<K: Ord>(counted: &mut BTreeMap<K, u64>, key: K, much: u64) {
    let all = counted.entry(key).or_default();
    *all = all.saturating_add(much);
}

/// Takes so much off what is counted under a key; what comes to nothing leaves.
pub fn take_from<K: Ord>(counted: &mut BTreeMap<K, u64>, key: K, much: u64) {
    let std::collections::btree_map::Entry::Occupied(mut entry) = counted.entry(key) else { return };
    *entry.get_mut() = entry.get().saturating_sub(much);
    if *entry.get() == 0 {
        entry.remove();
    }
}
