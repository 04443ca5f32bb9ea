//! Mail that finds no room here: it stays sealed with whoever brought it, its source hears why, and it is asked for as soon
//! as there is room.
//!
//! Each class has room of its own in the mailbox, and nobody fills it alone. Who finds none is refused at the door and tries
//! again, at this contact and at every other; nothing that is under way ends by it. The source, which may be far away,
//! gets a signed word that the mailbox was full, once a day: it ends nothing either, so no recipient and nobody else can
//! suppress mail with it.

use std::collections::BTreeMap;

use super::Agent;
use super::change::Class;
use super::io::{Handed, Output};
use super::place::admits;
use crate::eid::Eid;
use crate::frame::Frame;
use crate::id::{BundleId, NodeId};
use crate::receipt::{RECEIPT_IDS_MAX, ReceiptKind};
use crate::time::{DAY, Millis};

/// One of so many parts of what is free a single contact may take, beside its share.
const PART_OF_CONTACT: u64 = 2;
/// When a source is asked to try again, and hears of it again.
pub(super) const FULL_AGAIN: Millis = DAY;
/// What a short text takes: who has room for that is not told of as full.
const SHORT_MAIL_BYTES: u32 = 1_024;

/// What found no room in this batch, and whether there is room for some of it by now.
#[derive(Debug, Default)]
pub(super) struct Full {
    turned_away: BTreeMap<(Eid, NodeId), TurnedAway>,
    count: usize,
    room_came: bool,
}

#[derive(Debug)]
struct TurnedAway {
    /// Who handed over the last of it.
    from: NodeId,
    ids: Vec<BundleId>,
    /// The longest.
    lifetime: Millis,
}

impl Full {
    /// Whether the end of the batch has something to say or to ask for.
    pub(super) fn is_settled(&self) -> bool {
        self.turned_away.is_empty() && !self.room_came
    }

    /// The person made room for mail, or gave somebody other room.
    pub(super) fn room_comes(&mut self) {
        self.room_came = true;
    }
}

impl Agent {
    /// Whether mail from a source finds room, and of a stranger its receipt a place. What was accepted stays until the
    /// person deletes it, so the shares are kept here.
    pub(super) fn has_room_for_mail(&self, from: NodeId, to: &Eid, source: NodeId, size_bytes: u32) -> bool {
        if self.ledger.custody().is_member(to, &source) && !self.ledger.is_contact(&source) {
            return self.has_room_for_member(to, source, super::cost_bytes(size_bytes));
        }
        self.has_room_for_mail_of(from, source, size_bytes)
    }

    /// The same of what is for a mailbox here.
    fn has_room_for_mail_of(&self, from: NodeId, source: NodeId, size_bytes: u32) -> bool {
        let inbox = self.ledger.inbox();
        let (shares, cost) = (inbox.shares_of(from, source), super::cost_bytes(size_bytes));
        match self.class_of(source, &Eid::mail(self.node)) {
            Some(Class::Own) => true,
            Some(Class::Contacts) => {
                let [_, by_source] = shares;
                let (bytes, bytes_max) = self.mail_of_contacts();
                admits(by_source, cost, bytes_max.saturating_sub(bytes), PART_OF_CONTACT)
            }
            Some(Class::Topics | Class::Strangers) | None => {
                let free = self.config.stranger_mail_bytes_max.saturating_sub(inbox.bytes_strangers());
                self.admits(shares, cost, free, from) && !self.signs_enough(from, source)
            }
        }
    }

    /// Bytes of mail from people whom this person named, and how many there may be.
    pub fn mail_of_contacts(&self) -> (u64, u64) {
        let own: u64 = self.mailboxes.sources().map(|source| self.ledger.inbox().bytes_of(&source)).sum();
        (self.ledger.inbox().bytes_named().saturating_sub(own), self.config.contact_mail_bytes_max)
    }

    /// Sources who were told lately that there is no room for their mail, and for whom there is none now.
    pub fn turned_away(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.ledger.told_full().filter(|source| !self.has_room_for_mail_of(*source, *source, SHORT_MAIL_BYTES))
    }

    /// Notes mail that finds no room: its source hears of it at the end of the batch, and who brought it is asked for it
    /// when there is some.
    pub(super) fn turn_away(&mut self, handed: &Handed) {
        let Handed { from, ref bundle, size_bytes, .. } = *handed;
        if let Some(contact) = self.contacts.get_mut(&from) {
            contact.lacked_room(bundle.id, bundle.source, size_bytes);
        }
        // Nobody speaks for a group, and what is for one goes on to its other members.
        if bundle.destination.is_group() {
            self.try_again(&bundle.id);
            return;
        }
        // As many as one receipt names: who sends more hears of the others tomorrow.
        if self.full.count >= RECEIPT_IDS_MAX || !self.proves_to(&bundle.source) {
            return;
        }
        self.full.count += 1;
        let key = (bundle.destination.clone(), bundle.source);
        let fresh = TurnedAway { from, ids: Vec::new(), lifetime: bundle.lifetime };
        let turned_away = self.full.turned_away.entry(key).or_insert(fresh);
        turned_away.ids.push(bundle.id);
        turned_away.lifetime = turned_away.lifetime.max(bundle.lifetime);
        turned_away.from = from;
    }

    /// Tells sources that there was no room, each once a day.
    pub(super) fn say_full(&mut self, out: &mut Vec<Output>) {
        self.full.count = 0;
        for ((mailbox, source), TurnedAway { from, mut ids, lifetime }) in std::mem::take(&mut self.full.turned_away) {
            // Another peer may have brought it when there was room again.
            ids.retain(|id| !self.knows(id));
            ids.sort_unstable();
            ids.dedup();
            let may_cost = self.ledger.is_contact(&source) || !self.signs_enough(from, source);
            let is_told = self.ledger.is_told_full(&mailbox, source, FULL_AGAIN);
            if ids.is_empty() || is_told || !may_cost {
                continue;
            }
            // Kept as long as it bounds the next.
            let lifetime = lifetime.max(FULL_AGAIN).min(self.config.lifetime_max.max(FULL_AGAIN));
            let kind = ReceiptKind::Full { retry_after: FULL_AGAIN };
            self.sign_receipt(&mailbox, (source, from), kind, ids, lifetime, out);
        }
    }

    /// Asks peers that are here for what they brought in vain, as far as there is room for it by now.
    pub(super) fn ask_for_turned_away(&mut self, out: &mut Vec<Output>) {
        if !std::mem::take(&mut self.full.room_came) {
            return;
        }
        let peers: Vec<NodeId> = self.contacts.peers().collect();
        let mut asked_bytes = 0u32;
        for peer in peers {
            let contact = self.contacts.get(&peer).expect("one of the contacts");
            let fits = |(source, size_bytes): (NodeId, u32), asked: u32| {
                self.has_room_for_mail_of(peer, source, size_bytes.saturating_add(asked))
            };
            let mut ids = Vec::new();
            for (id, lacked) in contact.without_room() {
                if !self.knows(id) && fits(*lacked, asked_bytes) {
                    asked_bytes = asked_bytes.saturating_add(lacked.1);
                    ids.push(*id);
                }
            }
            if !ids.is_empty() {
                let contact = self.contacts.get_mut(&peer).expect("one of the contacts");
                ids.iter().for_each(|id| contact.found_room(id));
                out.push(Output::Send { to: peer, frame: Frame::Take { ids } });
            }
        }
    }
}
