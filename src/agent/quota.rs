//! Room: what is taken in at which grade, and what leaves for it, in the declared order.
//!
//! A full store drops released bundles first, then copies in the strategy's order, then refuses. What was taken in
//! custody leaves only for a higher class, and one's own never. Where shares are fair, `fair.rs` says whose copies leave.

use std::collections::BTreeSet;

use super::answer::RETRY_FULL;
use super::change::{Class, Held};
use super::custody::{GRADES, Slot, cost_bytes};
use super::io::{Gone, Output};
use super::routing::Facts;
use super::{Agent, Config};
use crate::bundle::Kind;
use crate::frame::{Frame, Grade, Refusal};
use crate::id::BundleId;

/// How many of the soonest to expire are weighed against each other for one place.
pub(super) const WEIGHED_MAX: usize = 64;

impl Agent {
    /// Makes room for a bundle from a peer; returns the grade it can be promised, or none where there is no room.
    pub(super) fn make_room(&mut self, new: &Held, out: &mut Vec<Output>) -> Option<Grade> {
        let cost = cost_bytes(new.size_bytes);
        let class_max = self.class_bytes_max(new.class);
        if cost > class_max {
            return None;
        }
        let lot = if self.lacks_room(new.class, cost, &Leaving::default()) { self.ledger.draw() as u32 } else { 0 };
        for slot in self.leaving_for(new, cost, lot)? {
            self.evict(slot, out);
        }
        if new.class == Class::Topics {
            return Some(Grade::Copy);
        }
        let guaranteed = Config::share_of(class_max, self.config.custody_share);
        let free = guaranteed.saturating_sub(self.ledger.custody().bytes_of(new.class, Grade::Custody));
        Some(if cost <= free && self.may_promise(new, cost, free) { Grade::Custody } else { Grade::Copy })
    }

    /// Whether [`Agent::make_room`] would find some.
    pub(super) fn has_room_for(&self, new: &Held) -> bool {
        let cost = cost_bytes(new.size_bytes);
        cost <= self.class_bytes_max(new.class) && self.leaving_for(new, cost, 0).is_some()
    }

    /// Bytes that one class may fill.
    pub(super) fn class_bytes_max(&self, class: Class) -> u64 {
        match class {
            Class::Topics => Config::share_of(self.config.carry_bytes_max, self.config.topics_share),
            Class::Strangers => Config::share_of(self.config.carry_bytes_max, self.config.strangers_share),
            Class::Contacts => self.config.carry_bytes_max,
            Class::Own => u64::MAX,
        }
    }

    /// What would leave for `new`; none where that would not be enough.
    fn leaving_for(&self, new: &Held, cost: u64, lot: u32) -> Option<Vec<Slot>> {
        if new.class == Class::Topics {
            return self.leaving_for_post(new, cost);
        }
        let mut leaving = Leaving::default();
        let mut candidates = self.candidates(new, cost, lot);
        while self.lacks_room(new.class, cost, &leaving) {
            leaving.add(self, candidates.next()?);
        }
        Some(leaving.slots)
    }

    fn lacks_room(&self, class: Class, cost: u64, leaving: &Leaving) -> bool {
        let carried = self.ledger.custody().bytes_carried() - leaving.bytes;
        carried.saturating_add(cost) > self.config.carry_bytes_max
            || class == Class::Strangers && self.strangers_lack_room(cost, leaving)
    }

    fn strangers_lack_room(&self, cost: u64, leaving: &Leaving) -> bool {
        let held = self.ledger.custody().bytes_in(Class::Strangers) - leaving.bytes_strangers;
        held.saturating_add(cost) > self.class_bytes_max(Class::Strangers)
    }

    /// What may leave for `new`, in the declared order.
    fn candidates<'a>(&'a self, new: &'a Held, cost: u64, lot: u32) -> Slots<'a> {
        let of_strangers = self.ledger.custody().soonest(Class::Strangers, Grade::Released);
        let released: Slots = match new.class {
            // What others let go would not help them.
            Class::Strangers if self.strangers_lack_room(cost, &Leaving::default()) => Box::new(of_strangers),
            // Nothing is owed to topics, and mail comes before them.
            _ if new.grade != Grade::Released => {
                let of_contacts = self.ledger.custody().soonest(Class::Contacts, Grade::Released);
                Box::new(of_strangers.chain(of_contacts).chain(self.ledger.custody().topics().fullest_first()))
            }
            _ => Box::new(of_strangers.chain(self.ledger.custody().soonest(Class::Contacts, Grade::Released))),
        };
        match new.class {
            // Nothing is owed to what arrives released: nobody leaves for it to whom something is.
            _ if new.grade == Grade::Released => released,
            Class::Strangers if self.config.fair_shares => {
                Box::new(released.chain(self.unfair_to_stranger(new, cost, lot)))
            }
            Class::Strangers => {
                let copies = self.ledger.custody().soonest(Class::Strangers, Grade::Copy);
                Box::new(released.chain(self.weighed(copies, Some(self.drop_rank(new)))))
            }
            _ if self.config.fair_shares => Box::new(released.chain(self.unfair_to_person(new, cost))),
            _ => {
                let lower = self.weighed(self.ledger.custody().soonest(Class::Strangers, Grade::Copy), None);
                let equal = self.ledger.custody().soonest(Class::Contacts, Grade::Copy);
                let equal = self.weighed(equal, Some(self.drop_rank(new)));
                let promised = self.ledger.custody().soonest(Class::Strangers, Grade::Custody);
                Box::new(released.chain(lower).chain(equal).chain(promised))
            }
        }
    }

    /// The lowest ranks first, each the lowest of the next few to expire, as long as they are below a bound.
    pub(super) fn weighed<'a>(&'a self, soonest: impl Iterator<Item = Slot> + 'a, below: Option<u64>) -> Slots<'a> {
        let weighed = Weighed { agent: self, soonest, window: BTreeSet::new() };
        let counts = move |(rank, _): &(u64, Slot)| below.is_none_or(|below| *rank < below);
        Box::new(weighed.take_while(counts).map(|(_, slot)| slot))
    }

    pub(super) fn cost_of(&self, slot: Slot) -> u64 {
        cost_bytes(self.ledger.custody().size_bytes(slot))
    }

    pub(super) fn drop_rank(&self, held: &Held) -> u64 {
        self.routing.drop_rank(&self.facts(held))
    }

    /// What the strategy may know of a held bundle.
    pub(super) fn facts<'a>(&self, held: &'a Held) -> Facts<'a> {
        Facts {
            now: self.now(),
            kind: held.kind,
            destination: &held.destination,
            priority: held.priority,
            copies: held.copies,
            age: held.hops.age.saturating_add(self.now().since(held.accepted_at)),
            remaining: held.expires.since(self.now()),
            hop_count: held.hops.count,
            size_bytes: held.size_bytes,
        }
    }

    /// Gives a bundle up for want of room: the previous hop hears of it when met.
    pub(super) fn evict(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let held = self.ledger.custody().held(slot);
        self.evicted[held.grade as usize] += 1;
        if held.class == Class::Topics {
            self.forget(slot, Gone::Evicted, out);
            self.shun(&held);
            return self.take_back(held.id, out);
        }
        if (held.kind, held.grade) == (Kind::Message, Grade::Copy) {
            let facts = self.facts(&held);
            self.routing.evicted(&facts);
        }
        if let (Some(peer), true) = (held.from, held.grade != Grade::Released) {
            self.ledger.owe(peer, held.id, out);
        }
        self.forget(slot, Gone::Evicted, out);
        self.shun(&held);
        self.take_back(held.id, out);
    }

    /// Nobody is told that something is here that came and had to leave in one batch.
    fn take_back(&mut self, id: BundleId, out: &mut Vec<Output>) {
        for (to, contact) in self.contacts.iter_mut() {
            let granted = contact.grants.len();
            contact.grants.retain(|(grant, _)| *grant != id);
            if contact.grants.len() < granted {
                let frame = Frame::Refused { id, why: Refusal::Full, retry_after: RETRY_FULL };
                out.push(Output::Send { to: *to, frame });
            }
        }
    }

    /// What left is not carried again for a while.
    fn shun(&mut self, held: &Held) {
        match held.destination.is_topic() {
            true => self.shun_post(held.id),
            false => self.contacts.shunned.insert_for(held.id, self.now() + self.config.shun, &held.destination),
        }
    }

    /// The owner no longer carries this one; what is one's own is cancelled instead.
    pub(super) fn drop_carried(&mut self, id: BundleId, out: &mut Vec<Output>) {
        let Some(slot) = self.ledger.find_held(&id) else { return };
        let held = self.ledger.custody().held(slot);
        if held.class == Class::Own {
            if held.destination.is_got() {
                self.replace_got(slot, &held, out);
            }
            return;
        }
        if let (Some(peer), true) = (held.from, held.grade != Grade::Released) {
            self.ledger.owe(peer, id, out);
        }
        self.forget(slot, Gone::Dropped, out);
        self.shun(&held);
    }

    /// The owner carries more or less from now on.
    pub(super) fn carry_limit(&mut self, bytes: u64, out: &mut Vec<Output>) {
        let is_raised = bytes > self.config.carry_bytes_max;
        self.config.carry_bytes_max = bytes;
        if is_raised {
            self.outgrow_limit();
        }
        self.ledger.limit_memories(self.config.memories_max());
        self.keep_limit(out);
    }

    /// Whether more is carried than the owner wants: a restart can come with a smaller limit.
    pub(super) fn is_over_limit(&self) -> bool {
        self.ledger.custody().bytes_carried() > self.config.carry_bytes_max
    }

    /// What is over the limit leaves, in the declared order.
    pub(super) fn keep_limit(&mut self, out: &mut Vec<Output>) {
        for grade in GRADES {
            for class in [Class::Topics, Class::Strangers, Class::Contacts] {
                for slot in self.leaving_over_limit(class, grade) {
                    self.evict(slot, out);
                }
            }
        }
    }

    fn leaving_over_limit(&self, class: Class, grade: Grade) -> Vec<Slot> {
        let mut leaving = Leaving::default();
        for slot in self.weighed(self.ledger.custody().soonest(class, grade), None) {
            let carried = self.ledger.custody().bytes_carried() - leaving.bytes;
            let in_class = self.ledger.custody().bytes_in(class) - leaving.bytes;
            if carried <= self.config.carry_bytes_max && in_class <= self.class_bytes_max(class) {
                break;
            }
            leaving.add(self, slot);
        }
        leaving.slots
    }
}

/// Bundles in the order in which they would leave.
pub(super) type Slots<'a> = Box<dyn Iterator<Item = Slot> + 'a>;

/// Bundles with their ranks, the lowest rank of a window first that moves towards later expiries.
struct Weighed<'a, I> {
    agent: &'a Agent,
    soonest: I,
    window: BTreeSet<(u64, Slot)>,
}

impl<I: Iterator<Item = Slot>> Iterator for Weighed<'_, I> {
    type Item = (u64, Slot);

    fn next(&mut self) -> Option<(u64, Slot)> {
        while self.window.len() < WEIGHED_MAX
            && let Some(slot) = self.soonest.next()
        {
            self.window.insert((self.agent.drop_rank(&self.agent.ledger.custody().held(slot)), slot));
        }
        self.window.pop_first()
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
        let cost = agent.cost_of(slot);
        self.bytes += cost;
        self.bytes_strangers += if agent.ledger.custody().class(slot) == Class::Strangers { cost } else { 0 };
        self.slots.push(slot);
    }
}
