//! A group of consumers of numbered events, of one topic or of all that happened here (`mail/hooks.rs`): who has what, what
//! is done, and what goes again.
//!
//! ```text
//! events   1 … cursor         done, given up, or not kept any more
//!          cursor … handed    out with a consumer; ready again, for its consumer left; waiting for another try; done already
//!          handed …           not handed out yet
//! ```
//! What is out with a consumer is not durable: after a restart it goes out again. So every event is handed out once at least,
//! and a second time only where a consumer, or this node, died before it was told that the event is done.
//!
//! The cursor, what is done behind it, and tries that failed are one row: an array of the cursor, the numbers done, and
//! number, tries and time of each that waits.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::Event;
use crate::cbor::{CborError, Reader, Writer};
use crate::time::{DtnTime, MINUTE, Millis, SECOND};

/// Most events between the first that is not done and the last that was handed out.
pub const OPEN_MAX: usize = 1_024;
/// Most events that a group gave up and nobody looked after; the oldest make way.
pub const DEAD_MAX: usize = 1_024;
/// How often something is tried before it is given up, unless a consumer says otherwise.
pub const TRIES: u32 = 5;
/// The first pause before another try; each is twice as long as the one before.
const PAUSE: Millis = SECOND;
/// The longest.
const PAUSE_MAX: Millis = Millis(10 * MINUTE.0);

/// How far a group has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Up to here nothing is open.
    cursor: u64,
    /// Up to here everything was handed out.
    handed: u64,
    /// Behind the cursor.
    done: BTreeSet<u64>,
    tries: BTreeMap<u64, Tries>,
    /// Who has what.
    out: BTreeMap<u64, u64>,
    /// What its consumer left.
    ready: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tries {
    failed: u32,
    /// Not before then again.
    at: DtnTime,
}

/// What became of an event with its consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// It goes again, later each time, and is given up after so many tries.
    Again {
        tries_max: u32,
    },
    GiveUp,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// It goes again then.
    Again(DtnTime),
    /// It failed so often.
    GivenUp(u32),
}

/// What a consumer gets next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// One that was handed out before, and how often it failed.
    Again(u64, u32),
    /// One of those behind this number.
    Behind(u64),
    /// Nothing before somebody is done with something.
    Full,
}

impl Group {
    pub fn read(value: &[u8]) -> Option<Group> {
        let mut reader = Reader::new(value);
        let group = Group::read_from(&mut reader).ok()?;
        reader.finish().ok().map(|()| group)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Group, CborError> {
        reader.array_exact(3)?;
        let cursor = reader.uint()?;
        let mut group = Group { cursor, handed: cursor, ..Group::default() };
        for _ in 0..reader.array()? {
            group.done.insert(reader.uint()?);
        }
        for _ in 0..reader.array()? / 3 {
            let (number, failed, at) = (reader.uint()?, reader.uint_as()?, DtnTime(reader.uint()?));
            group.tries.insert(number, Tries { failed, at });
        }
        Ok(group)
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.array(3);
        out.uint(self.cursor);
        out.array(self.done.len());
        self.done.iter().for_each(|number| out.uint(*number));
        out.array(3 * self.tries.len());
        self.tries.iter().for_each(|(number, tries)| {
            out.uint(*number);
            out.uint(tries.failed);
            out.uint(tries.at.0);
        });
        out
    }

    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Goes on behind a number, and forgets all that is open.
    pub fn go_to(&mut self, number: u64) {
        *self = Group { cursor: number, handed: number, ..Group::default() };
    }

    /// What goes out next; [`Group::hand`] says to whom.
    pub fn next(&self, now: DtnTime) -> Next {
        let waits = |number: &u64| self.tries.get(number).is_some_and(|tries| tries.at > now);
        let due = self.tries.iter().find(|(number, tries)| tries.at <= now && self.is_free(number));
        if let Some((number, tries)) = due {
            return Next::Again(*number, tries.failed);
        }
        if let Some(number) = self.ready.iter().find(|number| !waits(number)) {
            return Next::Again(*number, 0);
        }
        let open = self.out.len() + self.ready.len() + self.tries.len() + self.done.len();
        if open >= OPEN_MAX { Next::Full } else { Next::Behind(self.handed) }
    }

    /// Whether it is neither out nor, so far, handed out at all: what waited over a restart goes in its turn.
    fn is_free(&self, number: &u64) -> bool {
        !self.out.contains_key(number) && *number <= self.handed
    }

    /// Hands an event to a consumer; none where another has it or it is done, else how often it failed.
    pub fn hand(&mut self, number: u64, to: u64, now: DtnTime) -> Option<u32> {
        self.handed = self.handed.max(number);
        let tries = self.tries.get(&number).copied();
        let is_gone =
            number <= self.cursor && tries.is_none() || self.done.contains(&number) || self.out.contains_key(&number);
        if is_gone || tries.is_some_and(|tries| tries.at > now) {
            self.advance();
            return None;
        }
        self.ready.remove(&number);
        self.out.insert(number, to);
        Some(tries.map_or(0, |tries| tries.failed))
    }

    /// What was given up goes again, as if it never failed.
    pub fn revive(&mut self, number: u64, now: DtnTime) {
        self.done.remove(&number);
        self.tries.insert(number, Tries { failed: 0, at: now });
    }

    /// An event is there no more: nobody gets it.
    pub fn skip(&mut self, number: u64) {
        self.finish(number);
    }

    /// A consumer left; what it had goes to others.
    pub fn part(&mut self, consumer: u64) {
        let had: Vec<u64> = self.out.iter().filter(|(_, who)| **who == consumer).map(|(number, _)| *number).collect();
        for number in had {
            self.out.remove(&number);
            self.ready.insert(number);
        }
    }

    /// How many events wait for another try.
    pub fn waiting(&self) -> usize {
        self.tries.keys().filter(|number| !self.out.contains_key(number)).count()
    }

    /// How many events are out with a consumer.
    pub fn count_of(&self, consumer: u64) -> usize {
        self.out.values().filter(|who| **who == consumer).count()
    }

    /// When something goes again at the soonest.
    pub fn next_try(&self) -> Option<DtnTime> {
        let free = self.tries.iter().filter(|(number, _)| self.is_free(number));
        free.map(|(_, tries)| tries.at).min()
    }

    /// What became of an event; none where nobody has it any more.
    pub fn settle(&mut self, number: u64, verdict: Verdict, now: DtnTime) -> Option<Settled> {
        self.out.remove(&number)?;
        let failed = self.tries.get(&number).map_or(0, |tries| tries.failed) + 1;
        Some(match verdict {
            Verdict::Done => {
                self.finish(number);
                Settled::Done
            }
            Verdict::Again { tries_max } if failed < tries_max => {
                let pause = Millis(PAUSE.0 << (failed - 1).min(20)).min(PAUSE_MAX);
                let at = DtnTime(now.0.saturating_add(pause.0));
                self.tries.insert(number, Tries { failed, at });
                Settled::Again(at)
            }
            Verdict::Again { .. } | Verdict::GiveUp => {
                self.finish(number);
                Settled::GivenUp(failed)
            }
        })
    }

    fn finish(&mut self, number: u64) {
        self.ready.remove(&number);
        self.tries.remove(&number);
        self.out.remove(&number);
        if number > self.cursor {
            self.done.insert(number);
        }
        self.advance();
    }

    /// Moves the cursor up to what is open.
    fn advance(&mut self) {
        let open = [self.out.keys().next(), self.ready.iter().next(), self.tries.keys().next()];
        let first = open.into_iter().flatten().min().copied();
        self.cursor = self.cursor.max(first.map_or(self.handed, |first| first.saturating_sub(1).min(self.handed)));
        self.done = self.done.split_off(&(self.cursor + 1));
    }
}

/// What a group gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    pub failed: u32,
    pub at: DtnTime,
    /// What its consumer said.
    pub why: String,
    pub event: Event,
}

impl Dead {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.array(4);
        out.uint(self.failed);
        out.uint(self.at.0);
        out.text(&self.why);
        out.bytes(&self.event.write());
        out
    }

    pub fn read(value: &[u8]) -> Option<Dead> {
        let mut reader = Reader::new(value);
        reader.array_exact(4).ok()?;
        let (failed, at, why) = (reader.uint_as().ok()?, DtnTime(reader.uint().ok()?), reader.text().ok()?.to_owned());
        let event = Event::read(reader.bytes().ok()?)?;
        reader.finish().ok().map(|()| Dead { failed, at, why, event })
    }
}
