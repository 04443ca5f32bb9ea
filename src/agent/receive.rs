//! A bundle comes: refuse it, deliver it, or carry it.

use std::sync::Arc;

use super::Agent;
use super::change::{About, Class, Held, Standing};
use super::got::copies_of;
use super::inbox::{Arrival, Due};
use super::io::{Declined, Handed, Output};
use super::lives::Life;
use super::stick::STICK;
use crate::bundle::Kind;
use crate::eid::Eid;
use crate::frame::{Grade, Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::HOUR;

/// Why a bundle is not carried.
pub(super) enum NotCarried {
    For(Refusal),
    /// There is no room for it as this.
    Room(Box<Held>),
}

impl Agent {
    /// A verified bundle from a peer.
    pub(super) fn receive(&mut self, handed: Handed, out: &mut Vec<Output>) {
        if handed.from == STICK && self.deliver_held(&handed) {
            return;
        }
        let Some(handed) = self.receive_first(handed, out) else { return };
        let Handed { from, ref bundle, .. } = handed;
        match (self.door_check(&handed), bundle.kind) {
            (Err(why), _) => self.refuse(from, bundle.id, why, out),
            (Ok(life), Kind::Message) if bundle.destination.is_topic() => self.receive_post(&handed, life, out),
            (Ok(life), Kind::Message) if bundle.destination.is_got() => self.receive_got(&handed, life, out),
            (Ok(life), Kind::Message) => self.receive_message(&handed, life, out),
            (Ok(life), Kind::Receipt) => match self.keeps_out(&handed) {
                Some(why) if !self.mailboxes.serves(&bundle.destination) => self.refuse(from, bundle.id, why, out),
                _ => self.receive_receipt(&handed, life, out),
            },
        }
    }

    /// What is the same whatever becomes of a bundle; gives it back where it comes for the first time.
    fn receive_first(&mut self, handed: Handed, out: &mut Vec<Output>) -> Option<Handed> {
        let Handed { from, transit, ref bundle, .. } = handed;
        if from != STICK {
            let contact = self.contacts.get_mut(&from)?;
            if contact.hello.is_none() {
                self.misbehaved(from, "handed over a bundle before its Hello", out);
                return None;
            }
            contact.bundles_received += 1;
        }
        if self.ledger.is_known(&bundle.id) {
            self.receive_again(from, transit, bundle.id, out);
            return None;
        }
        if self.ledger.inbox().had(&bundle.id) {
            self.receive_late(handed, out);
            return None;
        }
        Some(handed)
    }

    /// A message for a mailbox here that nobody keeps. Where it is unwanted its source gets a signed word of it, at the price
    /// of a receipt, and carriers may forget it; where there is no room it stays with whoever brought it.
    pub(super) fn decline(&mut self, handed: Handed, why: Declined, out: &mut Vec<Output>) {
        // What is held for a group stays for the others, and is tried once more where it found no room.
        if handed.from == STICK
            && self.is_for_group_here(&handed.bundle)
            && self.ledger.find_held(&handed.bundle.id).is_some()
        {
            if why == Declined::Room {
                self.try_again(&handed.bundle.id);
            }
            return;
        }
        let Some(handed) = self.receive_first(handed, out) else { return };
        let Handed { from, ref bundle, size_bytes, .. } = handed;
        let id = bundle.id;
        let life = match self.door_check(&handed) {
            Ok(life) => life,
            Err(why) => return self.refuse(from, id, why, out),
        };
        if bundle.destination.has_members() {
            // The others may want it all the same.
            return match self.carry(&handed, life, out) {
                Ok(()) if why == Declined::Room => self.try_again(&id),
                Ok(()) => {}
                Err(NotCarried::For(why)) => self.refuse(from, id, why, out),
                Err(NotCarried::Room(held)) => self.refuse_for_room(from, &held, out),
            };
        }
        let is_blocked = self.class_of(bundle.source, &bundle.destination).is_none();
        match why {
            Declined::Room if !is_blocked => {
                self.turn_away(&handed);
                self.refuse(from, id, Refusal::Full, out);
            }
            Declined::Unwanted if !is_blocked && self.may_prove(from, bundle.source) => {
                let bundle = Arc::clone(bundle);
                self.note_holder(&id, from, bundle.source, life.expires);
                self.ledger.arrive(Arrival { bundle, hops: life.hops, size_bytes, from, due: Due::Rejection });
                self.settle_offer(&id, from, out);
            }
            Declined::Room | Declined::Unwanted => {
                self.ledger.bury(id, self.now() + bundle.lifetime + HOUR, from, out);
                self.refuse(from, id, Refusal::Known, out);
            }
        }
    }

    /// Two verdicts on one message, for it may be for a mailbox here and for others too: whether it is delivered, and
    /// whether it is carried. The peer hears of a refusal where neither takes it.
    fn receive_message(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) {
        let (from, id, destination) = (handed.from, handed.bundle.id, &handed.bundle.destination);
        // Its own copy of what it wrote to a group lives here, or was ended for a reason.
        if destination.has_members() && self.mailboxes.writes_as(&handed.bundle.source) {
            return self.refuse(from, id, Refusal::Known, out);
        }
        let carried = self.mailboxes.others_serve(destination).then(|| self.carry(handed, life, out));
        let delivered = self.mailboxes.serves(destination).then(|| self.deliver(handed, life, out));
        match (delivered, carried) {
            (Some(Ok(())), _) | (_, Some(Ok(()))) => {}
            (Some(Err(why)), _) | (None, Some(Err(NotCarried::For(why)))) => self.refuse(from, id, why, out),
            (None, Some(Err(NotCarried::Room(held)))) => self.refuse_for_room(from, &held, out),
            (None, None) => unreachable!("what nobody else serves is served here"),
        }
    }

    /// What no bundle passes with, whoever it is for; otherwise the life it has left.
    fn door_check(&self, handed: &Handed) -> Result<Life, Refusal> {
        let Handed { transit, bundle, size_bytes, .. } = handed;
        if *size_bytes > self.config.bundle_bytes_max || bundle.lifetime > self.config.lifetime_max {
            return Err(Refusal::TooLarge);
        }
        let life = self.life_of(transit, bundle).ok_or(Refusal::Expired)?;
        let is_mine = self.mailboxes.serves(&bundle.destination);
        let free_bytes_min = if is_mine { self.config.free_bytes_own_min } else { self.config.free_bytes_min };
        // A receipt may make room; it decides for itself.
        if self.free_bytes < free_bytes_min && bundle.kind != Kind::Receipt {
            return Err(Refusal::Space);
        }
        Ok(life)
    }

    /// Whether the disk has too little left for anything but serving and deleting.
    pub(super) fn is_short_of_space(&self) -> bool {
        self.free_bytes < self.config.free_bytes_min
    }

    /// Takes a message for a mailbox here; it gets its row at the end of the batch.
    fn deliver(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let Handed { from, ref bundle, size_bytes, .. } = *handed;
        let standing = self.ledger.people().get(&bundle.source).map(|person| person.standing);
        match standing {
            // Not even a refusal: the answer is that to what is known already, and nothing is signed.
            Some(Standing::Blocked) => {
                self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, from, out);
                return Err(Refusal::Known);
            }
            _ if !self.has_room_for_mail(from, &bundle.destination, bundle.source, size_bytes) => {
                self.turn_away(handed);
                return Err(Refusal::Full);
            }
            _ => {}
        }
        let bundle = Arc::clone(bundle);
        let id = bundle.id;
        if !bundle.destination.is_group() {
            self.note_holder(&id, from, bundle.source, life.expires);
        }
        self.ledger.arrive(Arrival { bundle, hops: life.hops, size_bytes, from, due: Due::Row });
        self.settle_offer(&id, from, out);
        Ok(())
    }

    /// Takes a message into custody for others.
    pub(super) fn carry(&mut self, handed: &Handed, life: Life, out: &mut Vec<Output>) -> Result<(), NotCarried> {
        let Handed { from, ref bundle, .. } = *handed;
        if let Some(why) = self.keeps_out(handed) {
            return Err(NotCarried::For(why));
        }
        if self.believed_over(bundle) {
            self.bury_believed(bundle, from, out);
            self.hear_of_copies(from, &[bundle.id], out);
            return Err(NotCarried::For(Refusal::Known));
        }
        let class = self.class_of(bundle.source, &bundle.destination);
        let Some(class) = class.filter(|_| self.config.carry_bytes_max > 0) else {
            return Err(NotCarried::For(Refusal::Unwilling));
        };
        let class = if bundle.destination.is_topic() { Class::Topics } else { class };
        let held = self.as_held(handed, life, class);
        let Some(grade) = self.make_room(&held, out) else { return Err(NotCarried::Room(Box::new(held))) };
        let slot = self.ledger.hold(Held { grade, ..held }, Arc::clone(bundle), out);
        // Of a topic or a group nobody signs a receipt that would have to find the way back, nor of a receipt.
        if !bundle.destination.is_group() && !bundle.destination.is_got() {
            self.note_holder(&bundle.id, from, bundle.source, life.expires);
        }
        self.grant(from, bundle.id, grade, out);
        self.pass_on(slot, out);
        Ok(())
    }

    /// Why no bundle for others gets in, whatever it is.
    fn keeps_out(&self, handed: &Handed) -> Option<Refusal> {
        // A source never takes back what it sent: its own copy lives or was ended for a reason.
        if self.mailboxes.writes_as(&handed.bundle.source) {
            return Some(Refusal::Known);
        }
        self.contacts.shuns(&handed.bundle.id, self.now()).then_some(Refusal::Shunned)
    }

    pub(super) fn as_held(&self, handed: &Handed, life: Life, class: Class) -> Held {
        let Handed { from, transit, ref bundle, size_bytes } = *handed;
        Held {
            row: self.ledger.custody().next_row(),
            id: bundle.id,
            kind: bundle.kind,
            source: bundle.source,
            destination: bundle.destination.clone(),
            lifetime: bundle.lifetime,
            accepted_at: life.accepted_at,
            hops: life.hops,
            expires: life.expires,
            dated: life.dated,
            size_bytes,
            class,
            priority: bundle.priority,
            grade: Grade::Copy,
            copies: clamp_copies(transit.copies, copies_of(bundle)),
            from: Some(from),
            about: About::of(bundle),
        }
    }

    /// The same bundle once more: a recipient shows its receipt again. Copies that came with it stay where they are, for
    /// a peer spends them only on what is accepted; more than were signed for never come to be. The longer life counts.
    pub(super) fn receive_again(&mut self, from: NodeId, transit: Transit, id: BundleId, out: &mut Vec<Output>) {
        let has_greeted = self.contacts.get(&from).is_some_and(|contact| contact.hello.is_some());
        if !has_greeted && from != STICK {
            return;
        }
        if let Some(slot) = self.ledger.find_held(&id) {
            self.hear_age(from, slot, transit.hops.age, out);
        }
        self.refuse(from, id, Refusal::Known, out);
        self.hear_of_copies(from, &[id], out);
        if self.ledger.inbox().had(&id) {
            self.show_receipt_again(from, id, out);
        }
    }

    /// A copy of what was delivered, alive though the tombstone is over, and with it perhaps the receipt: downtime was
    /// counted too long here, or too short where it comes from. Only another receipt ends what is carried in vain.
    fn receive_late(&mut self, handed: Handed, out: &mut Vec<Output>) {
        let lives = self.door_check(&handed).is_ok();
        let Handed { from, transit, bundle, size_bytes } = handed;
        let is_mine = bundle.kind == Kind::Message && self.mailboxes.signer_of(&bundle.destination).is_some();
        if !is_mine || !lives || !self.ledger.inbox().had_long_ago(&bundle.id) || !self.may_prove(from, bundle.source) {
            return self.receive_again(from, transit, bundle.id, out);
        }
        let id = bundle.id;
        self.ledger.arrive(Arrival { bundle, hops: transit.hops, size_bytes, from, due: Due::Proof });
        self.settle_offer(&id, from, out);
    }

    fn may_prove(&self, from: NodeId, source: NodeId) -> bool {
        self.ledger.is_contact(&source) || !self.signs_enough(from, source)
    }

    /// The class of what a source writes to a destination; none where it is blocked.
    pub(super) fn class_of(&self, source: NodeId, destination: &Eid) -> Option<Class> {
        match self.ledger.people().get(&source).map(|person| person.standing) {
            _ if self.mailboxes.writes_as(&source) => Some(Class::Own),
            Some(Standing::Contact) => Some(Class::Contacts),
            Some(Standing::Blocked) => None,
            None if self.ledger.custody().is_member(destination, &source) => Some(Class::Contacts),
            None => Some(Class::Strangers),
        }
    }
}

/// A receiver takes at most half of the signed budget, and at least the one it was handed.
fn clamp_copies(claimed: u16, budget: u16) -> u16 {
    claimed.clamp(1, (budget / 2).max(1))
}
