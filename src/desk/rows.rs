//! The agent's facts as rows for people: names for keys, wall times for elapsed ones.

mod letter;
mod words;

use std::collections::BTreeMap;
use std::time::SystemTime;

pub use self::letter::{Envelope, Opened, Sent};
pub use self::words::{Taken, due_words, outline, reaction_words, say, task_word};

use crate::agent::change::{self, EvidenceKind, Held, Letter, Outgoing, Person};
use crate::agent::{Agent, STICK};
use crate::api::model::{
    CarriedRow, Class, ContactRow, Event, EventKind, Grade, PersonRow, Schema, Standing, StatusRow, Usual, When,
};
use crate::bundle::Kind;
use crate::eid::Eid;
use crate::frame;
use crate::id::NodeId;
use crate::ticket::Ticket;
use crate::time::{DtnTime, Moment, Timestamp};
use crate::words::SafetyWords;

/// The names this person gave, the own one, and those of groups; each is looked up where it is shown.
pub struct Names<'a> {
    agent: &'a Agent,
    name: &'a str,
    groups: &'a BTreeMap<NodeId, String>,
}

impl Names<'_> {
    pub fn of<'a>(agent: &'a Agent, name: &'a str, groups: &'a BTreeMap<NodeId, String>) -> Names<'a> {
        Names { agent, name, groups }
    }

    /// The name this person gave to another, or that a group has here.
    pub fn given(&self, node: &NodeId) -> Option<String> {
        if let Some(group) = self.groups.get(node) {
            return Some(group.clone());
        }
        self.agent.person(node).filter(|_| *node != self.agent.node()).map(|person| person.name.clone())
    }

    /// Whether it is the own name, in small or capital letters.
    pub fn is_mine(&self, name: &str) -> bool {
        !name.is_empty() && self.name.to_lowercase() == name.to_lowercase()
    }

    /// What this person calls a node, this one included.
    pub fn known(&self, node: &NodeId) -> Option<String> {
        if *node == self.agent.node() { Some(self.name.to_owned()) } else { self.given(node) }
    }

    pub fn person(&self, node: &NodeId) -> PersonRow {
        PersonRow { name: self.known(node), address: address(*node) }
    }

    /// A name, or the address.
    pub fn show(&self, node: &NodeId) -> String {
        // Nobody is behind that address.
        if *node == STICK { "a stick".into() } else { self.known(node).unwrap_or_else(|| address(*node)) }
    }

    pub fn envelope(&self, letter: Letter) -> Envelope {
        let via = (letter.from != letter.source).then(|| self.show(&letter.from));
        Envelope { from: self.show(&letter.source), group: self.group(&letter.destination), via, letter }
    }

    /// What a group is called here; none for what is no group.
    fn group(&self, endpoint: &Eid) -> Option<String> {
        endpoint.has_members().then(|| self.show(&endpoint.node))
    }

    pub fn sent(&self, outgoing: Outgoing) -> Sent {
        let me = self.agent.node();
        let from = (self.show(&me), address(me));
        Sent { from, status: self.status(&outgoing), outgoing }
    }

    pub fn carried(&self, held: &Held) -> CarriedRow {
        self.carried_row(held, self.agent.at())
    }

    fn carried_row(&self, held: &Held, at: Moment) -> CarriedRow {
        CarriedRow {
            schema: Schema,
            id: held.id.full(),
            kind: if held.kind == Kind::Receipt { "receipt" } else { "message" }.into(),
            from: self.show(&held.source),
            from_address: address(held.source),
            to: self.show(&held.destination.node),
            to_address: address_of(&held.destination),
            class: match held.class {
                change::Class::Topics => Class::Topics,
                change::Class::Strangers => Class::Strangers,
                change::Class::Contacts => Class::Contacts,
                change::Class::Own => Class::Own,
            },
            grade: match held.grade {
                frame::Grade::Released => Grade::Released,
                frame::Grade::Copy => Grade::Copy,
                frame::Grade::Custody => Grade::Custody,
            },
            priority: held.priority,
            bytes: held.size_bytes.into(),
            accepted_at: when(at, held.accepted_at),
            expires_at: when(at, held.expires),
            copies: held.copies,
            via: held.from.map(|node| self.show(&node)),
        }
    }

    pub fn status(&self, outgoing: &Outgoing) -> StatusRow {
        let (at, held_here) = (self.agent.at(), self.agent.held_one(&outgoing.id).is_some());
        let event = |evidence: &change::Evidence| Event {
            at: when_known(evidence.at),
            what: kind(evidence.what),
            who: evidence.who.map(|node| self.show(&node)),
            who_address: evidence.who.map(address),
            reason: match evidence.what {
                EvidenceKind::Rejected { reason } => Some(rejection(reason)),
                _ => None,
            },
            retry_at: match evidence.what {
                EvidenceKind::Full { retry_after } => {
                    let wall = evidence.at.trusted_wall();
                    wall.and_then(|wall| When::from_dtn(DtnTime(wall.0.saturating_add(retry_after.0))))
                }
                _ => None,
            },
        };
        let events: Vec<Event> = outgoing.events().iter().map(event).collect();
        StatusRow {
            schema: Schema,
            id: outgoing.id.full(),
            to: self.show(&outgoing.destination.node),
            to_address: address_of(&outgoing.destination),
            state: kind(outgoing.state()).state(),
            events,
            carriers_unlisted: outgoing.unlisted.answers.into(),
            priority: outgoing.priority,
            created_at: when_known(outgoing.created),
            expires_at: when(at, outgoing.expires),
            expire_after_read_ms: None,
            draft: None,
            meant_at: None,
            held_here,
            forward_secrecy: false,
            text: None,
            subject: None,
            files: 0,
            forwarded: false,
            members: Vec::new(),
            sets: Vec::new(),
        }
    }
}

pub fn contact(me: NodeId, node: NodeId, person: &Person) -> ContactRow {
    ContactRow {
        schema: Schema,
        name: person.name.clone(),
        peer_id: node.peer_id(),
        address: address(node),
        standing: match person.standing {
            change::Standing::Contact => Standing::Contact,
            change::Standing::Blocked => Standing::Blocked,
        },
        verified: person.verified,
        safety_words: SafetyWords::of(&node).to_string(),
        my_safety_words: SafetyWords::of(&me).to_string(),
        introduced_by: None,
        usual: Usual::default(),
        renamed_from: None,
    }
}

/// The address of a person, or of a group.
pub fn address_of(endpoint: &Eid) -> String {
    if endpoint.has_members() { endpoint.to_string() } else { address(endpoint.node) }
}

/// A node's address without hints.
pub fn address(node: NodeId) -> String {
    Ticket::new(node, [], None).to_string()
}

fn kind(what: EvidenceKind) -> EventKind {
    match what {
        EvidenceKind::Queued => EventKind::Queued,
        EvidenceKind::GaveUp => EventKind::GaveUp,
        EvidenceKind::Copy => EventKind::Copy,
        EvidenceKind::Custody => EventKind::Custody,
        EvidenceKind::Expired => EventKind::Expired,
        EvidenceKind::Cancelled => EventKind::Cancelled,
        EvidenceKind::Rejected { .. } => EventKind::Rejected,
        EvidenceKind::Full { .. } => EventKind::Full,
        EvidenceKind::Delivered => EventKind::Delivered,
        EvidenceKind::Read => EventKind::Read,
    }
}

/// Reads what [`rejection`] wrote.
pub fn read_rejection(text: &str) -> u8 {
    if text == UNWANTED {
        return crate::agent::REJECTED_UNWANTED;
    }
    let number = text.strip_prefix("reason ").and_then(|rest| rest.split(',').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(crate::agent::REJECTED_BLOCKED)
}

const UNWANTED: &str = "a part of a file that nobody there wants now";

fn rejection(reason: u8) -> String {
    match reason {
        crate::agent::REJECTED_BLOCKED => "no mail from this source".into(),
        crate::agent::REJECTED_UNWANTED => UNWANTED.into(),
        other => format!("reason {other}, which this version does not know"),
    }
}

/// The wall time of a moment, where there was a clock.
pub fn when_known(at: Moment) -> Option<When> {
    at.trusted_wall().and_then(When::from_dtn)
}

/// The wall time of an elapsed one, as the clock stands now.
pub fn when(at: Moment, then: Timestamp) -> Option<When> {
    let wall = at.trusted_wall()?;
    let time = if then >= at.now {
        wall.0.saturating_add(then.since(at.now).0)
    } else {
        wall.0 - at.now.since(then).0.min(wall.0)
    };
    When::from_dtn(DtnTime(time))
}

pub fn when_system(time: SystemTime) -> Option<When> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(When(since.as_millis() as i64))
}
