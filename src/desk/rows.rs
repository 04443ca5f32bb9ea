//! The agent's facts as rows for people: names for keys, wall times for elapsed ones.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::agent::Agent;
use crate::agent::change::{self, Held, Letter, Outgoing, Person, What};
use crate::api::model::{
    CarriedRow, Class, ContactRow, Event, EventKind, FileRow, Grade, InboxRow, Schema, Standing, State, StatusRow, When,
};
use crate::bundle::{Bundle, Kind};
use crate::frame;
use crate::id::NodeId;
use crate::keys::Identity;
use crate::message::{Message, unpad};
use crate::seal;
use crate::ticket::Ticket;
use crate::time::{DtnTime, HOUR, Moment, Timestamp};
use crate::words::SafetyWords;

/// The names this person gave, and the own one.
#[derive(Clone)]
pub struct Names {
    me: NodeId,
    names: BTreeMap<NodeId, String>,
}

impl Names {
    pub fn of(agent: &Agent, (me, name): (NodeId, String)) -> Names {
        let mut names: BTreeMap<_, _> = agent.people().map(|(node, person)| (*node, person.name.clone())).collect();
        names.insert(me, name);
        Names { me, names }
    }

    /// The name this person gave to another.
    pub fn given(&self, node: &NodeId) -> Option<String> {
        self.names.get(node).filter(|_| *node != self.me).cloned()
    }

    /// A name, or the address.
    pub fn show(&self, node: &NodeId) -> String {
        self.names.get(node).cloned().unwrap_or_else(|| address(*node))
    }

    pub fn carried(&self, agent: &Agent) -> Vec<CarriedRow> {
        let mut held: Vec<Held> = agent.held().collect();
        held.sort_by_key(|held| (held.class, held.grade, held.expires));
        held.iter().map(|held| self.carried_row(held, agent.at())).collect()
    }

    fn carried_row(&self, held: &Held, at: Moment) -> CarriedRow {
        CarriedRow {
            schema: Schema,
            id: held.id.full(),
            kind: if held.kind == Kind::Receipt { "receipt" } else { "message" }.into(),
            from: self.show(&held.source),
            from_address: address(held.source),
            to: self.show(&held.destination.node),
            to_address: address(held.destination.node),
            class: match held.class {
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

    pub fn status(&self, outgoing: &Outgoing, at: Moment, held_here: bool) -> StatusRow {
        let event = |evidence: &change::Evidence| Event {
            at: when_known(evidence.at),
            what: kind(evidence.what),
            who: evidence.who.map(|node| self.show(&node)),
            reason: match evidence.what {
                What::Rejected { reason } => Some(rejection(reason)),
                _ => None,
            },
        };
        let events: Vec<Event> = outgoing.evidence.iter().map(event).collect();
        StatusRow {
            schema: Schema,
            id: outgoing.id.full(),
            to: self.show(&outgoing.destination.node),
            to_address: address(outgoing.destination.node),
            state: State::of(&events),
            events,
            priority: outgoing.priority,
            created_at: when_known(outgoing.created),
            expires_at: when(at, outgoing.expires),
            held_here,
            forward_secrecy: false,
        }
    }

    /// An inbox row and the message in it; the row says why where it cannot be read.
    pub fn inbox(&self, letter: &Letter, body: Option<&[u8]>, identity: &Identity) -> (InboxRow, Message) {
        let (message, forward_secrecy, unreadable) = match open(letter, body, identity) {
            Ok((message, forward_secrecy)) => (message, forward_secrecy, None),
            Err(why) => (Message::default(), false, Some(why)),
        };
        let received = letter.received.trusted_wall();
        let id16 = |id: [u8; 16]| crate::id::hex(&id);
        let row = InboxRow {
            schema: Schema,
            id: letter.id.full(),
            from: self.show(&letter.source),
            from_address: address(letter.source),
            text: unreadable.is_none().then(|| message.body.clone()),
            subject: message.subject.clone(),
            thread: message.thread.map(id16),
            in_reply_to: message.in_reply_to.map(id16),
            priority: letter.priority,
            sent_at: When::from_dtn(letter.creation.time),
            received_at: received.and_then(When::from_dtn),
            read: letter.read,
            reply_by: message.reply_by.and_then(|time| When::from_dtn(DtnTime(time))),
            attachments: message
                .attachments
                .iter()
                .map(|file| FileRow { schema: Schema, name: file.name.clone(), bytes: file.bytes.len() as u64 })
                .collect(),
            via: (letter.from != letter.source).then(|| self.show(&letter.from)),
            forward_secrecy,
            clock_differs: received.is_some_and(|wall| letter.creation.time.0 > wall.0 + HOUR.0),
            unreadable,
        };
        (row, message)
    }
}

fn open(letter: &Letter, body: Option<&[u8]>, identity: &Identity) -> Result<(Message, bool), String> {
    let body = body.ok_or("the store has lost its body; see `dak doctor`")?;
    let (bundle, _) = Bundle::from_store(body).map_err(|error| error.to_string())?;
    if bundle.id != letter.id {
        return Err("the store has another body in its place; see `dak doctor`".into());
    }
    let opened = seal::open(identity, bundle.primary(), bundle.payload()).map_err(|error| error.to_string())?;
    let message = unpad(&opened.plaintext).and_then(Message::decode).map_err(|error| error.to_string())?;
    Ok((message, opened.forward_secret))
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
    }
}

/// A node's address without hints.
pub fn address(node: NodeId) -> String {
    Ticket::new(node, [], None).to_string()
}

fn kind(what: What) -> EventKind {
    match what {
        What::Queued => EventKind::Queued,
        What::GaveUp => EventKind::GaveUp,
        What::Copy => EventKind::Copy,
        What::Custody => EventKind::Custody,
        What::Expired => EventKind::Expired,
        What::Cancelled => EventKind::Cancelled,
        What::Rejected { .. } => EventKind::Rejected,
        What::Delivered => EventKind::Delivered,
        What::Read => EventKind::Read,
    }
}

fn rejection(reason: u8) -> String {
    match reason {
        crate::agent::REJECTED_BLOCKED => "no mail from this source".into(),
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
