//! How the room for others is divided, so that no flood takes the part of another.
//!
//! ```text
//! room        parties that have a share each                     the others, together one party
//! strangers   people who were named, with what they hand over    peers that nobody named; inside, each has a share
//! all         people who were named, with what is theirs         strangers
//! ```
//! Keys are free, so a crowd of fresh peers together has no more than one person. Among such peers nothing tells an honest
//! one from a crowd: what is left to it there is its share of theirs, and what it was promised before.

use super::{Name, Slot};
use crate::agent::shares::Shares;
use crate::time::Timestamp;

/// By what a bundle carried for others is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parties {
    /// A stranger's, by the peer that handed it over and was not named.
    Peers,
    /// A stranger's, by the person who handed it over.
    People,
    /// A named person's own, by that person.
    Sources,
}

/// Who has a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    One(Parties, Name),
    /// All peers that were not named.
    Crowd,
    /// They and what people hand over that is not theirs.
    Strangers,
}

/// The shares of all parties.
#[derive(Debug, Default)]
pub struct Division([Shares<Name, Slot>; 3]);

/// Where one bundle counts: with whom, its cost, and how it is found there if it may make way.
pub type Counted = ((Parties, Name), u64, Option<(Timestamp, Slot)>);

impl Division {
    /// Counts many bundles at once.
    pub fn of(bundles: impl Iterator<Item = Counted>) -> Division {
        let mut sorted: [Vec<(Name, u64, Option<(Timestamp, Slot)>)>; 3] = Default::default();
        bundles.for_each(|((parties, name), cost, copy)| sorted[parties as usize].push((name, cost, copy)));
        Division(sorted.map(|bundles| Shares::of(bundles.into_iter())))
    }

    pub fn add(&mut self, ((parties, name), cost, copy): Counted) {
        self.0[parties as usize].add(name, cost, copy);
    }

    /// Takes back what [`Division::add`] counted.
    pub fn take(&mut self, ((parties, name), cost, copy): Counted) {
        self.0[parties as usize].take(name, cost, copy);
    }

    fn shares(&self, parties: Parties) -> &Shares<Name, Slot> {
        &self.0[parties as usize]
    }

    /// Bytes of one party.
    pub fn bytes(&self, party: Party) -> u64 {
        match party {
            Party::One(parties, name) => self.shares(parties).bytes(name),
            Party::Crowd => self.shares(Parties::Peers).sum_bytes(),
            Party::Strangers => self.bytes(Party::Crowd) + self.shares(Parties::People).sum_bytes(),
        }
    }

    /// Bytes of all who share a room.
    pub fn sum_bytes(&self, parties: Parties) -> u64 {
        self.shares(parties).sum_bytes() + others(parties).map_or(0, |party| self.bytes(party))
    }

    /// How many share a room.
    pub fn len(&self, parties: Parties) -> usize {
        let others = others(parties).is_some_and(|party| self.bytes(party) > 0);
        self.shares(parties).len() + usize::from(others)
    }

    /// All who share a room, the fullest first.
    pub fn fullest_first(&self, parties: Parties) -> impl Iterator<Item = (u64, Party)> + '_ {
        let each = move || self.shares(parties).fullest_first().map(move |(n, name)| (n, Party::One(parties, name)));
        let others = others(parties).map(|party| (self.bytes(party), party)).filter(|(bytes, _)| *bytes > 0);
        let most = others.map_or(0, |(bytes, _)| bytes);
        let fuller = each().take_while(move |(bytes, _)| *bytes >= most);
        fuller.chain(others).chain(each().skip_while(move |(bytes, _)| *bytes >= most))
    }

    /// What may make way of one party, the soonest to expire first.
    pub fn copies(&self, parties: Parties, name: Name) -> impl Iterator<Item = Slot> + '_ {
        self.shares(parties).copies(name)
    }
}

/// The party that all others of a room are together.
fn others(parties: Parties) -> Option<Party> {
    match parties {
        Parties::Peers => None,
        Parties::People => Some(Party::Crowd),
        Parties::Sources => Some(Party::Strangers),
    }
}
