//! Fair shares: which copies make way where room is divided among parties.
//!
//! A share within what is fair displaces those that hold more, the fullest first and down to that, whatever the lives of
//! their bundles. A share beyond it displaces only what ranks lower, in fuller shares and in its own.

use std::collections::BTreeSet;

use super::Agent;
use super::change::{Class, Held};
use super::custody::{Parties, Party, Slot};
use super::room::Slots;
use crate::planted;

/// Who makes way for a bundle: whoever holds more than this, with what ranks below that.
#[derive(Clone, Copy)]
struct Limit {
    bytes: u64,
    below: Option<u64>,
}

impl Agent {
    /// What makes way for a bundle of a stranger.
    pub(super) fn unfair_to_stranger<'a>(&'a self, new: &Held, cost: u64) -> Slots<'a> {
        let (parties, name) = self.custody.party_of(new);
        let me = name.map(|name| Party::One(parties, name));
        let rank = self.drop_rank(new);
        let room = self.class_bytes_max(Class::Strangers);
        let own = self.ranked_below(me, rank);
        if parties == Parties::People {
            let limit = self.limit(Parties::People, me, room, cost, rank);
            return Box::new(self.over(Parties::People, me, limit).chain(own));
        }
        let crowd = self.custody.division().bytes(Party::Crowd);
        let limit = self.limit(Parties::People, Some(Party::Crowd), room, cost, rank);
        let over = self.over(Parties::People, Some(Party::Crowd), limit);
        let room = crowd.max(self.fair(Parties::People, Some(Party::Crowd), room));
        let limit = self.limit(Parties::Peers, me, room, cost, rank);
        Box::new(over.chain(self.over(Parties::Peers, me, limit)).chain(own))
    }

    /// What makes way for a bundle of a person who was named: within the person's share first all copies of strangers, and
    /// last what they were promised.
    pub(super) fn unfair_to_person<'a>(&'a self, new: &Held, cost: u64) -> Slots<'a> {
        let (parties, name) = self.custody.party_of(new);
        let me = name.map(|name| Party::One(parties, name));
        let rank = self.drop_rank(new);
        let limit = self.limit(parties, me, self.class_bytes_max(new.class), cost, rank);
        let equal = self.over(parties, me, limit).chain(self.ranked_below(me, rank));
        let promised = |class| self.custody.soonest(class, crate::frame::Grade::Custody);
        if planted::is("agent-custody-evicted-for-equals") {
            return Box::new(equal.chain(promised(new.class)));
        }
        match limit.below {
            Some(_) => once(equal),
            None => once(self.copies_of(Party::Strangers, None).chain(equal).chain(promised(Class::Strangers))),
        }
    }

    /// The share that is fair for a party.
    fn fair(&self, parties: Parties, me: Option<Party>, room: u64) -> u64 {
        let division = self.custody.division();
        let is_new = me.is_none_or(|me| division.bytes(me) == 0);
        room / (division.len(parties) + usize::from(is_new)) as u64
    }

    fn limit(&self, parties: Parties, me: Option<Party>, room: u64, cost: u64, rank: u64) -> Limit {
        let fair = self.fair(parties, me, room);
        let after = me.map_or(0, |me| self.custody.division().bytes(me)).saturating_add(cost);
        match after <= fair {
            true => Limit { bytes: fair, below: None },
            false => Limit { bytes: after, below: Some(rank) },
        }
    }

    /// Copies of parties that hold more than a limit, the fullest first and each down to it.
    fn over<'a>(&'a self, parties: Parties, me: Option<Party>, limit: Limit) -> Slots<'a> {
        let over = self.custody.division().fullest_first(parties).take_while(move |(bytes, _)| *bytes > limit.bytes);
        let others = over.filter(move |(_, party)| Some(*party) != me);
        Box::new(others.flat_map(move |(bytes, party)| {
            self.copies_of(party, limit.below).scan(bytes, move |left, slot| {
                let is_over = *left > limit.bytes;
                *left = left.saturating_sub(self.cost_of(slot));
                is_over.then_some(slot)
            })
        }))
    }

    /// The copies of one party that rank below a bound; of many together, those of the fullest down to what is fair among
    /// them, and then all.
    fn copies_of<'a>(&'a self, party: Party, below: Option<u64>) -> Slots<'a> {
        let division = self.custody.division();
        let parties = match party {
            Party::One(parties, name) => return self.weighed(division.copies(parties, name), below),
            Party::Crowd => Parties::Peers,
            Party::Strangers => Parties::People,
        };
        let bytes = division.sum_bytes(parties) / (division.len(parties) as u64).max(1);
        let all = division.fullest_first(parties).flat_map(move |(_, party)| self.copies_of(party, below));
        once(self.over(parties, None, Limit { bytes, below }).chain(all))
    }

    fn ranked_below<'a>(&'a self, party: Option<Party>, rank: u64) -> Slots<'a> {
        Box::new(party.into_iter().flat_map(move |party| self.copies_of(party, Some(rank))))
    }
}

/// Each slot where it comes first.
fn once<'a>(slots: impl Iterator<Item = Slot> + 'a) -> Slots<'a> {
    let mut seen = BTreeSet::new();
    Box::new(slots.filter(move |slot| seen.insert(*slot)))
}
