//! One's own messages leave: a stamp is committed, the edge seals, the agent signs and takes custody.

use std::sync::Arc;

use rand_core::Rng;

use super::Agent;
use super::change::{About, Class, Evidence, EvidenceKind, Held, Outgoing, Unlisted};
use super::got::copies_max;
use super::inbox::{Arrival, Due};
use super::io::{Event, Gone, NotSent, Output, Posting};
use crate::bundle::{Bundle, Creation, Draft, Hops, Kind};
use crate::frame::Grade;
use crate::id::BundleId;
use crate::time::{DtnTime, Millis};

impl Agent {
    pub(super) fn submit(&mut self, token: u64, posting: Posting, out: &mut Vec<Output>) {
        let Posting { mailbox, destination, lifetime, priority, copies } = posting;
        let Some(source) = self.mailboxes.signer_of(&mailbox).map(|signer| signer.node()) else {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::Mailbox }));
        };
        if destination.is_topic() {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::Mailbox }));
        }
        if lifetime > self.config.lifetime_max || lifetime == Millis(0) {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::Lifetime }));
        }
        if self.free_bytes < self.config.free_bytes_own_min {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::Space }));
        }
        let (kind, creation) = (Kind::Message, self.next_stamp(out));
        let copies = copies.unwrap_or(self.config.copies).clamp(1, copies_max(&destination));
        let draft = Draft { kind, source, destination, creation, lifetime, priority, copies };
        if self.drafts.await_seal(token, draft.clone(), self.now()) {
            out.push(Output::Seal { token, draft });
        } else {
            out.push(Output::Report(Event::NotSent { token, why: NotSent::Busy }));
        }
    }

    /// The next stamp, which no other bundle of this node bears. Carriers read it, so where there is a clock the sequence starts anew in every millisecond, at a
    /// number drawn by lot, and does not tell how much this person writes; it only rises within one, so that the order of
    /// writing stays. Where the clock comes to the same millisecond again, after a restart or a jump, one draw in 2^31
    /// repeats another. Without a clock only a counter that never goes back is unique.
    pub(super) fn next_stamp(&mut self, out: &mut Vec<Output>) -> Creation {
        let Some(time) = self.at().trusted_wall() else {
            return Creation { time: DtnTime(0), sequence: self.ledger.next_sequence(out) };
        };
        let sequence = match self.stamp {
            last if last.time == time => last.sequence + 1,
            _ => u64::from(self.stamps.next_u32() >> 1),
        };
        self.stamp = Creation { time, sequence };
        self.stamp
    }

    pub(super) fn sealed(&mut self, token: u64, payload: &[u8], size_bytes: u32, out: &mut Vec<Output>) {
        let Some(draft) = self.drafts.sealed(token) else {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::Unknown }));
        };
        if size_bytes > self.config.bundle_bytes_max {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::TooLarge }));
        }
        let signer = self.mailboxes.signer_as(&draft.source).expect("a draft is written in the name of a mailbox here");
        let Ok(bundle) = draft.sign(payload, &**signer) else {
            return out.push(Output::Report(Event::NotSent { token, why: NotSent::TooLarge }));
        };
        let bundle = Arc::new(bundle);
        // Of what says that something came nobody keeps a status.
        if !bundle.destination.is_got() {
            self.ledger.post(self.outgoing(&bundle, size_bytes), out);
        }
        out.push(Output::Report(Event::Queued { token, id: bundle.id }));
        // Of what one writes to a group the record has one's own words already.
        if self.mailboxes.signer_of(&bundle.destination).is_some() {
            let (from, hops, bundle) = (self.node, Hops::default(), Arc::clone(&bundle));
            self.ledger.arrive(Arrival { bundle, hops, size_bytes, from, due: Due::Row });
        }
        if self.mailboxes.others_serve(&bundle.destination) {
            self.take_own(bundle, size_bytes, Grade::Custody, out);
        }
    }

    fn outgoing(&self, bundle: &Bundle, size_bytes: u32) -> Outgoing {
        Outgoing {
            id: bundle.id,
            destination: bundle.destination.clone(),
            creation: bundle.creation,
            created: self.at(),
            lifetime: bundle.lifetime,
            expires: self.now() + bundle.lifetime,
            priority: bundle.priority,
            size_bytes,
            source: Some(bundle.source),
            row: Some(self.ledger.custody().next_row()),
            evidence: vec![Evidence { at: self.at(), what: EvidenceKind::Queued, who: None }],
            carriers: Vec::new(),
            unlisted: Unlisted::default(),
        }
    }

    /// Holds a bundle that this node signed, and passes it on where there is a contact.
    pub(super) fn take_own(&mut self, bundle: Arc<Bundle>, size_bytes: u32, grade: Grade, out: &mut Vec<Output>) {
        // A home restored from a backup, without a clock, may sign the very same receipt a second time.
        if self.ledger.is_known(&bundle.id) {
            return;
        }
        let held = Held {
            row: self.ledger.custody().next_row(),
            id: bundle.id,
            kind: bundle.kind,
            source: bundle.source,
            destination: bundle.destination.clone(),
            lifetime: bundle.lifetime,
            accepted_at: self.now(),
            hops: Hops::default(),
            expires: self.now() + bundle.lifetime,
            dated: true,
            size_bytes,
            class: Class::Own,
            priority: bundle.priority,
            grade,
            copies: bundle.copies,
            from: None,
            about: About::of(&bundle),
        };
        let slot = self.ledger.hold(held, bundle, out);
        self.pass_on(slot, out);
    }

    pub(super) fn cancel(&mut self, id: BundleId, out: &mut Vec<Output>) {
        let over = |what| {
            matches!(
                what,
                EvidenceKind::Delivered | EvidenceKind::Read | EvidenceKind::Rejected { .. } | EvidenceKind::Expired
            )
        };
        if self.ledger.outbox().find(&id).is_none_or(|outgoing| over(outgoing.state())) {
            return;
        }
        self.ledger.attest(id, EvidenceKind::Cancelled, None, out);
        if let Some(slot) = self.ledger.find_held(&id) {
            let until = self.tombstone_end(&self.ledger.custody().held(slot));
            self.forget(slot, Gone::Cancelled, out);
            // Without a tombstone the next carrier would hand it back.
            self.ledger.bury(id, until, self.node, out);
        }
    }

    /// Lets the copy here go of one's own message that some peer still holds, as far as it said. It is offered to nobody any
    /// more, and the record goes on: a receipt ends it as ever.
    pub(super) fn hand_on(&mut self, id: BundleId, out: &mut Vec<Output>) {
        let is_kept = |outgoing: &Outgoing| {
            !outgoing.is_settled() && outgoing.carriers.iter().any(|carrier| carrier.gave_up.is_none())
        };
        if self.ledger.outbox().find(&id).is_some_and(is_kept)
            && let Some(slot) = self.ledger.find_held(&id)
        {
            self.forget(slot, Gone::HandedOn, out);
        }
    }
}
