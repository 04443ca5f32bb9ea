//! Room: what is taken in at which grade, and what leaves for it, in the declared order.
//!
//! A full store drops released bundles first, then copies in the strategy's order, then refuses. What was taken in
//! custody leaves only for a higher class, and one's own never.

use super::change::{Class, Held};
use super::custody::{Slot, cost_bytes};
use super::io::{Gone, Output};
use super::routing::Facts;
use super::{Agent, Config, SHUNNED_MAX};
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};

/// How many of the soonest to expire are weighed against each other for one place.
const WEIGHED_MAX: usize = 64;

impl Agent {
    /// Makes room for a bundle from a peer; returns the grade it can be promised, or none where there is no room.
    pub(super) fn make_room(&mut self, new: &Held, out: &mut Vec<Output>) -> Option<Grade> {
        let cost = cost_bytes(new.size_bytes);
        let class_max = self.class_bytes_max(new.class);
        if cost > class_max {
            return None;
        }
        let mut leaving = Leaving::default();
        while self.lacks_room(new.class, cost, &leaving) {
            let slot = self.next_to_leave(new, &leaving)?;
            leaving.add(self, slot);
        }
        for slot in leaving.slots {
            self.evict(slot, out);
        }
        let guaranteed = Config::share_of(class_max, self.config.custody_share);
        let in_custody = self.custody.bytes_of(new.class, Grade::Custody);
        Some(if in_custody + cost <= guaranteed { Grade::Custody } else { Grade::Copy })
    }

    /// Bytes that one class may fill.
    fn class_bytes_max(&self, class: Class) -> u64 {
        match class {
            Class::Strangers => Config::share_of(self.config.carry_bytes_max, self.config.strangers_share),
            Class::Contacts => self.config.carry_bytes_max,
            Class::Own => u64::MAX,
        }
    }

    fn lacks_room(&self, class: Class, cost: u64, leaving: &Leaving) -> bool {
        let carried = self.custody.bytes_carried() - leaving.bytes;
        self.bytes_too_many(carried, cost, self.config.carry_bytes_max)
            || class == Class::Strangers && self.strangers_lack_room(cost, leaving)
    }

    fn strangers_lack_room(&self, cost: u64, leaving: &Leaving) -> bool {
        let held = self.custody.bytes_in(Class::Strangers) - leaving.bytes_strangers;
        self.bytes_too_many(held, cost, self.class_bytes_max(Class::Strangers))
    }

    fn bytes_too_many(&self, held: u64, cost: u64, max: u64) -> bool {
        held.saturating_add(cost) > max
    }

    /// The next that would leave for `new`.
    fn next_to_leave(&self, new: &Held, leaving: &Leaving) -> Option<Slot> {
        let classes: &[Class] = match new.class {
            Class::Strangers => &[Class::Strangers],
            _ => &[Class::Strangers, Class::Contacts],
        };
        let stays = |slot: &Slot| !leaving.slots.contains(slot);
        let limit = WEIGHED_MAX + leaving.slots.len();
        let mut released = classes.iter().flat_map(|class| self.custody.soonest(*class, Grade::Released, limit));
        if let Some(slot) = released.find(stays) {
            return Some(slot);
        }
        for class in classes {
            let copies = self.custody.soonest(*class, Grade::Copy, limit).filter(stays);
            let copies = copies.filter(|slot| self.may_make_way(*slot, new));
            let weighed = copies.map(|slot| (self.drop_rank(&self.custody.held(slot)), slot)).min();
            match weighed {
                Some((_, slot)) if *class < new.class => return Some(slot),
                Some((rank, slot)) if rank < self.drop_rank(new) => return Some(slot),
                _ => {}
            }
        }
        let lower = classes.iter().filter(|class| **class < new.class);
        let mut promised = lower.flat_map(|class| self.custody.soonest(*class, Grade::Custody, limit));
        promised.find(stays)
    }

    /// Among strangers, a peer that filled its fair share makes room from its own; one that did not is protected.
    fn may_make_way(&self, slot: Slot, new: &Held) -> bool {
        let held = self.custody.held(slot);
        if !self.config.fair_shares || held.class != Class::Strangers || new.class != Class::Strangers {
            return true;
        }
        let fair = self.class_bytes_max(Class::Strangers) / (self.custody.peers_served() as u64).max(1);
        let filled = |peer: Option<NodeId>| peer.map_or(0, |peer| self.custody.bytes_from(peer));
        held.from == new.from || filled(held.from) > fair
    }

    pub(super) fn drop_rank(&self, held: &Held) -> u64 {
        self.routing.drop_rank(&self.facts(held))
    }

    /// What the strategy may know of a held bundle.
    pub(super) fn facts<'a>(&self, held: &'a Held) -> Facts<'a> {
        Facts {
            now: self.at.now,
            kind: held.kind,
            destination: &held.destination,
            priority: held.priority,
            copies: held.copies,
            age: held.hops.age.saturating_add(self.at.now.since(held.accepted_at)),
            remaining: held.expires.since(self.at.now),
            hop_count: held.hops.count,
            size_bytes: held.size_bytes,
        }
    }

    /// Gives a bundle up for want of room: the previous hop hears of it when met.
    fn evict(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let held = self.custody.held(slot);
        self.evicted[held.grade as usize] += 1;
        if let (Some(peer), true) = (held.from, held.grade != Grade::Released) {
            self.owe(peer, held.id, out);
        }
        self.forget(slot, Gone::Evicted, out);
        self.shun(held.id);
    }

    fn shun(&mut self, id: BundleId) {
        if self.shunned.len() >= SHUNNED_MAX {
            let now = self.at.now;
            self.shunned.retain(|_, until| *until > now);
        }
        if self.shunned.len() < SHUNNED_MAX {
            self.shunned.insert(id, self.at.now + self.config.shun);
        }
    }

    /// The owner no longer carries this one; what is one's own is cancelled instead.
    pub(super) fn drop_carried(&mut self, id: BundleId, out: &mut Vec<Output>) {
        let Some(slot) = self.find_held(&id) else { return };
        let held = self.custody.held(slot);
        if held.class == Class::Own {
            return;
        }
        if let (Some(peer), true) = (held.from, held.grade != Grade::Released) {
            self.owe(peer, id, out);
        }
        self.forget(slot, Gone::Dropped, out);
        self.shun(id);
    }

    /// The owner carries more or less from now on.
    pub(super) fn carry_limit(&mut self, bytes: u64, out: &mut Vec<Output>) {
        self.config.carry_bytes_max = bytes;
        for class in [Class::Strangers, Class::Contacts] {
            for grade in [Grade::Released, Grade::Copy, Grade::Custody] {
                while self.over_limit(class) {
                    let Some(slot) = self.custody.soonest(class, grade, 1).next() else { break };
                    self.evict(slot, out);
                }
            }
        }
    }

    fn over_limit(&self, class: Class) -> bool {
        self.custody.bytes_carried() > self.config.carry_bytes_max
            || self.custody.bytes_in(class) > self.class_bytes_max(class)
    }
}

/// What would leave for one new bundle.
#[derive(Default)]
struct Leaving {
    slots: Vec<Slot>,
    bytes: u64,
    bytes_strangers: u64,
}

impl Leaving {
    fn add(&mut self, agent: &Agent, slot: Slot) {
        let held = agent.custody.held(slot);
        let cost = cost_bytes(held.size_bytes);
        self.bytes += cost;
        self.bytes_strangers += if held.class == Class::Strangers { cost } else { 0 };
        self.slots.push(slot);
    }
}
