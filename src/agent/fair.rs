//! Fair shares: which copies make way where room is divided among parties.
//!
//! ```text
//! within a fair share   displaces those that hold more than theirs, the fullest first and down to it, whatever ranks
//! beyond it             displaces only what ranks lower, in fuller shares and in its own
//! ```
//! A stranger's bundle counts for two parties, the peer that hands it over and its source, and both have to be within their
//! shares. A share is never less than a part of the room, however many there are: throwaway identities do not wear down
//! what a modest peer has here. Where more of them came than there are such parts, one that has nothing yet still gets its
//! first bundle in, and the lot decides whose makes way.
//!
//! A person who was named comes before strangers: within a fair share before all they have, beyond it before what they have
//! beyond theirs. So neither a hostile contact nor a crowd takes all.

use std::collections::BTreeSet;

use super::Agent;
use super::change::{Class, Held};
use super::custody::{Party, Side, Slot};
use super::quota::{Slots, WEIGHED_MAX};
use crate::frame::Grade;
use crate::id::NodeId;

/// Of so many peers and fewer all have equal shares. Of more, each may keep as much as one of so many.
const PEERS_EQUAL_MAX: u64 = 256;
/// The same of sources: one that many peers hand over takes as much as this at most where room is short.
const SOURCES_EQUAL_MAX: u64 = 8;
/// … and so many bundles in any case, where there is room for few.
const SOURCE_BUNDLES: u64 = 4;

/// One of so many parts of its share a peer may fill with what is worth little. More would cost more traffic than it is
/// worth where all stores are full and everybody is honest, and a share of less than as many bundles is worth nothing.
const PARTS_FIRST: u64 = 8;
/// One of so many parts of what can still be promised a single peer may have, its share counted.
const PART_OF_PROMISES: u64 = 2;

/// Who makes way for a bundle: parties that hold more than this, with what ranks below that.
#[derive(Clone, Copy)]
struct Limit {
    bytes: u64,
    below: Option<u64>,
}

impl Agent {
    /// What makes way for a bundle of a stranger.
    pub(super) fn unfair_to_stranger<'a>(&'a self, new: &Held, cost: u64, lot: u32) -> Slots<'a> {
        let rank = self.drop_rank(new);
        let room = self.room_of_strangers();
        let (_, source) = self.ledger.custody().source_of(new);
        let of_source = self.limit(Side::Sources, source, room, cost, rank);
        let sources = self.over(Side::Sources, source, of_source);
        if of_source.below.is_some() {
            return Box::new(sources.chain(self.ranked_below(source, rank)));
        }
        let Some(from) = new.from else { return Box::new(std::iter::empty()) };
        let (side, me) = self.ledger.custody().handed_by(from);
        let room = self.room_of(side);
        let of_peer = self.limit(side, me, room, cost, rank);
        let own = self.ranked_below(me, rank);
        let peers = self.over(side, me, of_peer);
        let crowd = Some(Party::Crowd).filter(|_| side == Side::Peers);
        let people = crowd.map(|crowd| {
            let limit = self.limit(Side::People, Some(crowd), self.room_of_strangers(), cost, rank);
            self.over(Side::People, Some(crowd), limit)
        });
        let people = people.into_iter().flatten();
        match of_peer.below {
            Some(_) => once(people.chain(peers).chain(own)),
            None => once(sources.chain(people).chain(peers).chain(self.by_lot(side, me, lot)).chain(own)),
        }
    }

    /// What makes way for a bundle of a person who was named.
    pub(super) fn unfair_to_person<'a>(&'a self, new: &Held, cost: u64) -> Slots<'a> {
        let (side, me) = self.ledger.custody().source_of(new);
        let rank = self.drop_rank(new);
        let room = self.class_bytes_max(new.class);
        let limit = self.limit(side, me, room, cost, rank);
        let equal = self.over(side, me, limit).chain(self.ranked_below(me, rank));
        let strangers = self.copies_of(Party::Strangers, None);
        match limit.below {
            Some(_) => {
                let fair = self.fair(side, me, room);
                let over = self.down_to(fair, self.ledger.custody().division().bytes(Party::Strangers), strangers);
                once(over.chain(equal))
            }
            None => {
                let promised = self.ledger.custody().soonest(Class::Strangers, Grade::Custody);
                once(strangers.chain(equal).chain(promised))
            }
        }
    }

    /// Whether a stranger's bundle may be promised, as far as that leaves others their part of what can be.
    pub(super) fn may_promise(&self, new: &Held, cost: u64, free: u64) -> bool {
        let Some(from) = new.from.filter(|from| new.class == Class::Strangers && !self.ledger.is_contact(from)) else {
            return true;
        };
        let share = self.ledger.custody().handed_by(from).1.map_or(0, |me| self.ledger.custody().division().bytes(me));
        super::place::admits(share, cost, free, PART_OF_PROMISES)
    }

    /// What a stranger's bundle from `peer` has to be worth at most to find room in a full store: nothing for the first part
    /// of a fair share, beyond it as much as the least of the peer's own here. None where that is not known.
    pub(super) fn price_for(&self, peer: NodeId) -> Option<u64> {
        if !self.config.fair_shares {
            return None;
        }
        let (side, me) = self.ledger.custody().handed_by(peer);
        let bytes = me.map_or(0, |me| self.ledger.custody().division().bytes(me));
        let fair = self.fair(side, me, self.room_of(side));
        // Where more than have equal shares have one, no more is certain than one bundle.
        let is_welcome = match self.is_crowded(side) {
            true => bytes == 0 && self.usual_cost() <= fair,
            false => bytes + self.usual_cost() <= fair / PARTS_FIRST,
        };
        if is_welcome {
            return Some(0);
        }
        let least = self.copies_of(me?, None).next()?;
        Some(self.drop_rank(&self.ledger.custody().held(least)))
    }

    /// What strangers may fill beside what people who were named have already.
    fn room_of_strangers(&self) -> u64 {
        let left = self.config.carry_bytes_max.saturating_sub(self.ledger.custody().bytes_in(Class::Contacts));
        self.class_bytes_max(Class::Strangers).min(left)
    }

    /// What those who hand over together may fill: a crowd beyond its share, what it has.
    fn room_of(&self, side: Side) -> u64 {
        let room = self.room_of_strangers();
        match side {
            Side::Peers => {
                let crowd = self.ledger.custody().division().bytes(Party::Crowd);
                crowd.max(self.fair(Side::People, Some(Party::Crowd), room))
            }
            _ => room,
        }
    }

    /// The share that is fair for a party.
    fn fair(&self, side: Side, me: Option<Party>, room: u64) -> u64 {
        let division = self.ledger.custody().division();
        let is_new = me.is_none_or(|me| division.bytes(me) == 0);
        let share = room / (division.len(side) as u64 + u64::from(is_new)).clamp(1, most_equal(side));
        match side {
            Side::Sources => share.max(SOURCE_BUNDLES * self.usual_cost()).min(room),
            _ => share,
        }
    }

    /// What a stranger's bundle costs on average.
    fn usual_cost(&self) -> u64 {
        self.ledger.custody().bytes_in(Class::Strangers)
            / (self.ledger.custody().count_in(Class::Strangers) as u64).max(1)
    }

    /// Whether more have a share than have equal ones.
    fn is_crowded(&self, side: Side) -> bool {
        self.ledger.custody().division().len(side) as u64 >= most_equal(side)
    }

    fn limit(&self, side: Side, me: Option<Party>, room: u64, cost: u64, rank: u64) -> Limit {
        let fair = self.fair(side, me, room);
        let after = me.map_or(0, |me| self.ledger.custody().division().bytes(me)).saturating_add(cost);
        match after <= fair {
            true => Limit { bytes: fair, below: None },
            false => Limit { bytes: after, below: Some(rank) },
        }
    }

    /// Copies of parties that hold more than a limit, the fullest first and each down to it.
    fn over<'a>(&'a self, side: Side, me: Option<Party>, limit: Limit) -> Slots<'a> {
        let over =
            self.ledger.custody().division().fullest_first(side).take_while(move |(bytes, _)| *bytes > limit.bytes);
        let others = over.filter(move |(_, party)| Some(*party) != me);
        let copies = move |party| self.copies_of(party, limit.below);
        Box::new(others.flat_map(move |(bytes, party)| self.down_to(limit.bytes, bytes, copies(party))))
    }

    /// As many of a party's copies as it takes to bring its bytes down to a limit.
    fn down_to<'a>(&'a self, limit: u64, bytes: u64, copies: Slots<'a>) -> Slots<'a> {
        Box::new(copies.scan(bytes, move |left, slot| {
            let is_over = *left > limit;
            *left = left.saturating_sub(self.cost_of(slot));
            is_over.then_some(slot)
        }))
    }

    /// For the first bundle of a peer among more than have equal shares: one copy of each of others, from where the lot
    /// falls.
    fn by_lot<'a>(&'a self, side: Side, me: Option<Party>, lot: u32) -> Slots<'a> {
        let division = self.ledger.custody().division();
        let is_first = me.is_none_or(|me| division.bytes(me) == 0);
        let tries = if is_first && self.is_crowded(side) { WEIGHED_MAX } else { 0 };
        Box::new(division.drawn(side, lot).take(tries).filter_map(|party| self.copies_of(party, None).next()))
    }

    /// The copies of one party that rank below a bound; of many together, those of the fullest down to what is fair among
    /// them, and then all.
    fn copies_of<'a>(&'a self, party: Party, below: Option<u64>) -> Slots<'a> {
        let division = self.ledger.custody().division();
        let side = match party {
            Party::One(side, member) => return self.weighed(division.copies(side, member), below),
            Party::Crowd => Side::Peers,
            Party::Strangers => Side::People,
        };
        let bytes = division.sum_bytes(side) / (division.len(side) as u64).max(1);
        let all = division.fullest_first(side).flat_map(move |(_, party)| self.copies_of(party, below));
        once(self.over(side, None, Limit { bytes, below }).chain(all))
    }

    fn ranked_below<'a>(&'a self, party: Option<Party>, rank: u64) -> Slots<'a> {
        Box::new(party.into_iter().flat_map(move |party| self.copies_of(party, Some(rank))))
    }
}

fn most_equal(side: Side) -> u64 {
    match side {
        Side::Peers => PEERS_EQUAL_MAX,
        Side::Sources => SOURCES_EQUAL_MAX,
        Side::People | Side::Contacts => u64::MAX,
    }
}

/// Each slot where it comes first.
fn once<'a>(slots: impl Iterator<Item = Slot> + 'a) -> Slots<'a> {
    let mut seen = BTreeSet::new();
    Box::new(slots.filter(move |slot| seen.insert(*slot)))
}
