//! Topics: what is published here, and what comes of topics that others publish in.
//!
//! ```text
//! published here   signed, held as one's own, offered to whoever carries; past its bytes a topic lets its oldest go
//! comes            by who may not: refused; else carried as far as topics have room, and handed out where it is served
//! ```
//! Topics fill a part of the room for others, and never keep mail out of it. In that part each topic has at most one of
//! [`PART_OF_TOPIC`], in which the writer with the largest share makes way first; of all the topics the fullest, or the peer
//! that brought most. So who floods a topic displaces what is in that topic, and who makes thousands displaces those.
//!
//! Of what one writer publishes with one key the latest word is carried, and the ones before it leave.
//!
//! What is carried of a topic is a copy: nobody is owed it, nobody signs for it, and it leaves by the end of its life.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Agent;
use super::change::{About, Class, Held, Standing};
use super::custody::{Slot, cost_bytes};
use super::io::{Event, Gone, Handed, NotSent, Output};
use super::lives::{AGE_TOLERANCE, Life};
use super::receive::NotCarried;
use super::shunned::Shunned;
use crate::bundle::{Bundle, Draft, Kind, Priority};
use crate::content::topic::{Filter, Post};
use crate::eid::Eid;
use crate::frame::{Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, HOUR, Millis};

/// One of so many parts of the room for topics is the most that one topic has.
const PART_OF_TOPIC: u64 = 4;

impl Agent {
    /// Signs what the person publishes, and holds it.
    pub(super) fn publish(&mut self, token: u64, topic: Eid, lifetime: Millis, payload: &[u8], out: &mut Vec<Output>) {
        match self.sign_post(topic, lifetime, payload, out) {
            Ok((bundle, size_bytes)) => {
                self.make_room_for_own(&bundle, size_bytes, out);
                self.give_way_to(&bundle, out);
                out.push(Output::Report(Event::Queued { token, id: bundle.id }));
                if self.mailboxes.hears(&bundle.destination) {
                    out.push(Output::Heard(Arc::clone(&bundle)));
                }
                self.take_own(bundle, size_bytes, Grade::Copy, out);
            }
            Err(why) => out.push(Output::Report(Event::NotSent { token, why })),
        }
    }

    fn sign_post(
        &mut self,
        destination: Eid,
        lifetime: Millis,
        payload: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(Arc<Bundle>, u32), NotSent> {
        if !destination.is_topic() {
            return Err(NotSent::Mailbox);
        }
        if lifetime > self.config.lifetime_max || lifetime == Millis(0) {
            return Err(NotSent::Lifetime);
        }
        if self.free_bytes < self.config.free_bytes_own_min {
            return Err(NotSent::Space);
        }
        if self.at().trusted_wall().is_none() {
            return Err(NotSent::Clock);
        }
        let (source, creation) = (self.node, self.next_stamp(out));
        let draft = Draft {
            kind: Kind::Message,
            source,
            destination,
            creation,
            lifetime,
            priority: Priority::Normal,
            copies: 1,
        };
        let signer = self.mailboxes.signer_as(&source).expect("an agent signs as its own node");
        let bundle = draft.sign(payload, &**signer).map_err(|_| NotSent::TooLarge)?;
        // Everybody else would refuse it.
        if Post::of(&bundle).is_err() {
            return Err(NotSent::Leave);
        }
        let size_bytes = bundle.encoded_len() as u32;
        if size_bytes > self.config.bundle_bytes_max || cost_bytes(size_bytes) > self.config.own_topic_bytes_max {
            return Err(NotSent::TooLarge);
        }
        Ok((Arc::new(bundle), size_bytes))
    }

    /// The oldest that was published in the same topic leaves, where it has more than its bytes.
    fn make_room_for_own(&mut self, bundle: &Bundle, size_bytes: u32, out: &mut Vec<Output>) {
        let cost = cost_bytes(size_bytes);
        let terms = self.retention.of(&bundle.destination);
        let bytes_max = terms.bytes.unwrap_or(u64::MAX).min(self.config.own_topic_bytes_max);
        loop {
            let custody = self.ledger.custody();
            let Some(topic) = custody.topic(&bundle.destination) else { return };
            let (bytes, mut oldest) = custody.topics().own(topic);
            if bytes + cost <= bytes_max {
                return;
            }
            let Some(slot) = oldest.next() else { return };
            drop(oldest);
            self.forget(slot, Gone::Superseded, out);
        }
    }

    /// A message of a topic: carried, and handed out where it is served. The peer hears of a refusal where neither is.
    pub(super) fn receive_post(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) {
        let (from, id) = (handed.from, handed.bundle.id);
        if let Some(why) = self.refuses_post(&handed.bundle, &life) {
            self.shun_post(id);
            return self.refuse(from, id, why, out);
        }
        if self.gave_way(&handed.bundle) {
            self.ledger.bury(id, self.now() + handed.bundle.lifetime + HOUR, from, out);
            return self.refuse(from, id, Refusal::Known, out);
        }
        let topic = &handed.bundle.destination;
        let kept_until = self.kept_until(topic, handed.bundle.lifetime, life.expires);
        let (stays, life) = (kept_until >= self.now(), Life { expires: kept_until, ..life });
        let hears = self.mailboxes.hears(topic);
        if !stays && !hears {
            self.shun_post(id);
            return self.refuse(from, id, Refusal::Unwilling, out);
        }
        let carried = match stays {
            true => self.carry(handed, life, out),
            false => Err(NotCarried::For(Refusal::Unwilling)),
        };
        if carried.is_ok() {
            self.give_way_to(&handed.bundle, out);
        }
        match carried {
            Ok(()) => {}
            Err(NotCarried::For(why @ (Refusal::Known | Refusal::Shunned))) => return self.refuse(from, id, why, out),
            Err(NotCarried::For(why)) if !hears => return self.refuse(from, id, why, out),
            Err(NotCarried::Room(held)) if !hears => return self.refuse_for_room(from, &held, out),
            // It is kept as what was published, and no copy of it for others.
            Err(_) => {
                self.ledger.bury(id, self.now() + handed.bundle.lifetime + HOUR, from, out);
                self.grant(from, id, Grade::Copy, out);
            }
        }
        if hears {
            out.push(Output::Heard(Arc::clone(&handed.bundle)));
        }
    }

    /// Whether its writer's later word on the same key is held.
    fn gave_way(&self, bundle: &Bundle) -> bool {
        let Some(about) = About::of(bundle) else { return false };
        let mut same = self.ledger.custody().on_same_key(&bundle.destination, bundle.source, about);
        same.any(|(id, held)| held.rank(&id) > about.rank(&bundle.id))
    }

    /// Its writer's earlier words on the same key leave.
    fn give_way_to(&mut self, bundle: &Bundle, out: &mut Vec<Output>) {
        let Some(about) = About::of(bundle) else { return };
        let same = self.ledger.custody().on_same_key(&bundle.destination, bundle.source, about);
        let earlier: Vec<BundleId> =
            same.filter(|(id, held)| held.rank(id) < about.rank(&bundle.id)).map(|(id, _)| id).collect();
        for id in earlier {
            if let Some(slot) = self.ledger.find_held(&id) {
                self.let_go_of_post(slot, Gone::Superseded, out);
            }
        }
    }

    /// Why a message does not belong where it says.
    fn refuses_post(&self, bundle: &Bundle, life: &Life) -> Option<Refusal> {
        let is_blocked =
            |node: &NodeId| self.ledger.people().get(node).is_some_and(|person| person.standing == Standing::Blocked);
        // Where there is a clock, what is older than any life or not yet written is as good as without one. Clocks that are a
        // little apart are both right.
        let is_soon = |wall: DtnTime| Millis(bundle.creation.time.0.saturating_sub(wall.0)) <= AGE_TOLERANCE;
        let is_new = |wall: DtnTime| bundle.creation.time >= wall && is_soon(wall);
        let is_clockless = self.at().trusted_wall().is_some_and(|wall| !life.dated && !is_new(wall));
        let is_out = is_clockless
            || is_blocked(&bundle.source)
            || is_blocked(&bundle.destination.node)
            || Post::of(bundle).is_err();
        is_out.then_some(Refusal::Unwilling)
    }

    pub(super) fn shun_post(&mut self, id: BundleId) {
        self.contacts.shunned_of_topics.insert(id, self.now() + self.config.shun);
    }

    /// Subscribes to topics of an owner, or no longer.
    pub(super) fn subscribe(&mut self, owner: NodeId, filter: Filter, on: bool) {
        if self.mailboxes.subscribe(owner, filter, on) {
            self.want_other_posts();
        }
    }

    /// The person has other topics shown or kept than before, or the clock is another: what was not taken of any may be wanted
    /// now.
    pub(super) fn want_other_posts(&mut self) {
        self.contacts.shunned_of_topics = Shunned::default();
        self.want_declined();
    }

    /// What leaves for a message of a topic; none where mail has the room.
    pub(super) fn leaving_for_post(&self, new: &Held, cost: u64) -> Option<Vec<Slot>> {
        let (custody, class_max) = (self.ledger.custody(), self.class_bytes_max(Class::Topics));
        let (topics, whose) = (custody.topics(), custody.whose(new));
        let terms = self.retention.of(&new.destination);
        let topic_max = terms.bytes.unwrap_or(u64::MAX).min(class_max / PART_OF_TOPIC);
        if cost > topic_max {
            return None;
        }
        let (mut leaving, mut bytes) = (BTreeSet::new(), 0);
        let is_over = |bytes: u64| {
            (custody.bytes_carried() - bytes).saturating_add(cost) > self.config.carry_bytes_max
                || (custody.bytes_in(Class::Topics) - bytes).saturating_add(cost) > class_max
        };
        let mut of_topic = topics.of_topic(whose, cost);
        while topics.bytes(whose.topic) - bytes + cost > topic_max {
            let slot = of_topic.next()?;
            bytes += if leaving.insert(slot) { self.cost_of(slot) } else { 0 };
        }
        let mut of_fullest = topics.of_fullest(whose, cost);
        while is_over(bytes) {
            let slot = of_fullest.next()?;
            bytes += if leaving.insert(slot) { self.cost_of(slot) } else { 0 };
        }
        Some(leaving.into_iter().collect())
    }
}
