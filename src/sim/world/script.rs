//! What is settled before a run begins: contacts, crashes, messages; in its order, a window at a time.

use std::iter::Peekable;

use crate::sim::scenario::{FaultPlan, Loaded};
use crate::sim::trace::{Change, ContactEvent, Events};
use crate::sim::workload::Message;

/// Something that happens whatever the nodes do. At one instant the first of these goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceKind {
    Down {
        a: u32,
        b: u32,
    },
    Crash {
        node: u32,
    },
    Up {
        a: u32,
        b: u32,
    },
    Restart {
        node: u32,
    },
    /// A person writes the message of this number.
    Create {
        from: u32,
        message: u32,
    },
}

impl EvidenceKind {
    /// A node that it happens to.
    pub fn node(self) -> u32 {
        match self {
            EvidenceKind::Down { a: node, .. }
            | EvidenceKind::Up { a: node, .. }
            | EvidenceKind::Crash { node }
            | EvidenceKind::Restart { node }
            | EvidenceKind::Create { from: node, .. } => node,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cue {
    pub at_us: u64,
    pub what: EvidenceKind,
}

pub struct Script<'a> {
    contacts: Peekable<Events<'a>>,
    /// Crashes and restarts, in order.
    power: Vec<Cue>,
    powered: usize,
    messages: &'a [Message],
    written: usize,
}

impl<'a> Script<'a> {
    pub fn new(loaded: &'a Loaded, faults: &FaultPlan) -> Script<'a> {
        let ends = |crash: &crate::sim::scenario::Crash| {
            let node = crash.node;
            [
                Cue { at_us: crash.at_us, what: EvidenceKind::Crash { node } },
                Cue { at_us: crash.up_us, what: EvidenceKind::Restart { node } },
            ]
        };
        let mut power: Vec<Cue> = faults.crashes.iter().flat_map(ends).collect();
        power.sort_unstable();
        let contacts = loaded.events().peekable();
        Script { contacts, power, powered: 0, messages: &loaded.messages, written: 0 }
    }

    /// Adds what happens up to `last_us`, or before the instant at which more than `ups_max` contacts have begun.
    /// Returns the last instant of which everything is there.
    pub fn read(&mut self, last_us: u64, ups_max: usize, cues: &mut Vec<Cue>) -> u64 {
        let mut ups = 0;
        while let Some(cue) = self.peek().filter(|cue| cue.at_us <= last_us) {
            let is_new = cues.last().is_none_or(|last| last.at_us < cue.at_us);
            if ups >= ups_max && is_new {
                return cue.at_us - 1;
            }
            ups += usize::from(matches!(cue.what, EvidenceKind::Up { .. }));
            cues.push(cue);
            self.skip(cue.what);
        }
        last_us
    }

    fn peek(&mut self) -> Option<Cue> {
        let contact = self.contacts.peek().map(|ContactEvent { at_us, change, a, b }| {
            let (a, b) = (*a, *b);
            let what = match change {
                Change::Down => EvidenceKind::Down { a, b },
                Change::Up => EvidenceKind::Up { a, b },
            };
            Cue { at_us: *at_us, what }
        });
        let power = self.power.get(self.powered).copied();
        let message = self.messages.get(self.written).map(|message| {
            let what = EvidenceKind::Create { from: message.from, message: self.written as u32 };
            Cue { at_us: message.create_us, what }
        });
        [contact, power, message].into_iter().flatten().min()
    }

    fn skip(&mut self, what: EvidenceKind) {
        match what {
            EvidenceKind::Down { .. } | EvidenceKind::Up { .. } => drop(self.contacts.next()),
            EvidenceKind::Crash { .. } | EvidenceKind::Restart { .. } => self.powered += 1,
            EvidenceKind::Create { .. } => self.written += 1,
        }
    }
}
