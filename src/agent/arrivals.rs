//! Mail for this node gets its row at the end of a batch, and its source the receipts that prove it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Agent;
use super::change::Letter;
use super::config::ReceiptsFor;
use super::inbox::{Arrival, Due};
use super::io::{Event, Output};
use super::mailboxes::receipts_to;
use super::place::admits;
use super::receipts::{REJECTED_UNWANTED, what};
use crate::bundle::{COPIES_MAX, Draft, Kind, Priority};
use crate::eid::Eid;
use crate::frame::{Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::receipt::{RECEIPT_IDS_MAX, Receipt, ReceiptKind};
use crate::time::{DAY, HOUR, Millis};

/// How long the recipient keeps a receipt beyond the life of what it proves: the source may come by late.
const RECEIPT_LINGERS: Millis = Millis(7 * DAY.0);
/// One of so many parts of what is free a single peer may take with strangers' mail, beside its share.
const PART_OF_PEER: u64 = 4;
/// And a single source.
const PART_OF_SOURCE: u64 = 8;

/// Arrivals that one receipt can prove: same mailbox, same source, same due.
type Batches = BTreeMap<(Eid, NodeId, Due), Vec<Arrival>>;

impl Agent {
    /// Gives every arrival of the batch its due and its receipt, one receipt for each source.
    pub(super) fn settle_arrivals(&mut self, out: &mut Vec<Output>) {
        let mut batches = Batches::new();
        for arrival in self.ledger.take_arrivals() {
            let key = (arrival.bundle.destination.clone(), arrival.bundle.source, arrival.due);
            batches.entry(key).or_default().push(arrival);
        }
        for ((mailbox, source, due), mut arrivals) in batches {
            let kind = match due {
                Due::Row | Due::Proof => ReceiptKind::Delivered,
                Due::Rejection => ReceiptKind::Rejected { reason: REJECTED_UNWANTED },
            };
            // What came together is filed, and told to whoever follows, as it was written.
            arrivals.sort_by_key(|arrival| (arrival.bundle.creation.time, arrival.bundle.creation.sequence));
            for arrivals in arrivals.chunks(RECEIPT_IDS_MAX) {
                arrivals.iter().for_each(|arrival| self.settle_arrival(arrival, out));
                let Some(last) = arrivals.last().filter(|_| self.proves_to(&source)) else { continue };
                let longest = arrivals.iter().map(|a| a.bundle.lifetime).max().unwrap_or(HOUR);
                let lifetime = longest.saturating_add(RECEIPT_LINGERS).min(self.config.lifetime_max);
                let ids = arrivals.iter().map(|a| a.bundle.id).collect();
                let signed = self.sign_receipt(&mailbox, (source, last.from), kind, ids, lifetime, out);
                if let Some(receipt) = signed {
                    self.let_receipt_answer(receipt, arrivals);
                }
            }
        }
    }

    /// Whether a source gets proof of delivery: the owner may keep it from strangers.
    pub fn proves_to(&self, source: &NodeId) -> bool {
        let everyone = self.config.receipts == ReceiptsFor::Everyone;
        everyone || self.mailboxes.writes_as(source) || self.ledger.is_contact(source)
    }

    fn settle_arrival(&mut self, arrival: &Arrival, out: &mut Vec<Output>) {
        let Arrival { bundle, hops, size_bytes, from, due } = arrival;
        if *due == Due::Row {
            let letter = Letter {
                row: self.ledger.custody().next_row(),
                id: bundle.id,
                source: bundle.source,
                destination: bundle.destination.clone(),
                creation: bundle.creation,
                lifetime: bundle.lifetime,
                priority: bundle.priority,
                size_bytes: *size_bytes,
                received: self.at(),
                from: *from,
                hops: *hops,
                // What one wrote oneself is no news.
                read: self.mailboxes.writes_as(&bundle.source),
                told: false,
            };
            self.ledger.deliver(letter, Arc::clone(bundle), out);
            out.push(Output::Notify(bundle.id));
            out.push(Output::Report(Event::Delivered { id: bundle.id, from: *from }));
        }
        self.ledger.bury(bundle.id, self.now() + bundle.lifetime + HOUR, *from, out);
        if *due != Due::Row {
            // Nothing of it is kept, so nothing is promised; the receipt says the rest.
            self.refuse(*from, bundle.id, Refusal::Known, out);
        } else if *from != self.node && self.ledger.find_held(&bundle.id).is_none() {
            // What is carried too was answered for already.
            self.grant(*from, bundle.id, Grade::Custody, out);
        }
    }

    /// Who gets a receipt at once needs no other answer for what it names.
    fn let_receipt_answer(&mut self, receipt: BundleId, arrivals: &[Arrival]) {
        let peers: Vec<NodeId> = self.contacts.peers().collect();
        for peer in peers {
            let was_answered = self.contacts.was_answered_with(&peer, &receipt);
            let contact = self.contacts.get_mut(&peer).expect("the peers are those of the contacts");
            if was_answered || contact.is_in_flight(&receipt) {
                contact.grants.retain(|(id, _)| arrivals.iter().all(|arrival| arrival.bundle.id != *id));
            }
        }
    }

    /// Signs what happened to bundles of one source, which a peer handed over, and sends it on its way; returns the
    /// receipt's id where there is one.
    pub(super) fn sign_receipt(
        &mut self,
        mailbox: &Eid,
        (source, from): (NodeId, NodeId),
        kind: ReceiptKind,
        ids: Vec<BundleId>,
        lifetime: Millis,
        out: &mut Vec<Output>,
    ) -> Option<BundleId> {
        // Nobody speaks for a whole group, nor for a mailbox that is not served here: a record of another time or a damaged
        // one may name it.
        let signer = self.mailboxes.signer_of(mailbox).map(Arc::clone)?;
        let recipient = signer.node();
        if self.mailboxes.writes_as(&source) {
            ids.into_iter().for_each(|id| self.ledger.attest(id, what(kind), Some(recipient), out));
            return None;
        }
        let proves = !matches!(kind, ReceiptKind::Full { .. });
        let draft = Draft {
            kind: Kind::Receipt,
            source: recipient,
            destination: receipts_to(source),
            creation: self.next_stamp(out),
            lifetime,
            // One that proves nothing goes behind those that do, and is told apart by it.
            priority: if proves { Priority::Normal } else { Priority::Bulk },
            copies: self.config.copies.clamp(1, COPIES_MAX),
        };
        let receipt = Receipt { kind, source, device: 0, devices: 1, ids };
        let bundle = draft.sign(&receipt.encode(), &*signer).expect("a receipt of bounded length fits a bundle");
        let size_bytes = bundle.encoded_len() as u32;
        let id = bundle.id;
        let caused_by = self.origin(from, source, self.now() + lifetime);
        if proves {
            self.remember_proof(&receipt.ids, id, caused_by);
        }
        // A source that brought its own mail a moment ago is there to take the receipt, and says nothing more. Where it
        // is lost all the same, it lacks it at the next contact and gets it again.
        let is_answer = kind == ReceiptKind::Delivered && from == source;
        self.contacts.answer_with(is_answer.then_some((from, id)));
        self.take_own(Arc::new(bundle), size_bytes, Grade::Custody, out);
        if let Some(slot) = self.ledger.find_held(&id) {
            self.ledger.share_receipt(slot, from);
            if self.contacts.was_answered_with(&from, &id) {
                // What comes a second time in this contact is no reason to send it again.
                self.contacts.get_mut(&from).expect("it went in a contact").shown.insert(source);
                let held = self.ledger.custody().held(slot);
                self.reached(slot, &held, out);
            }
        }
        Some(id)
    }

    /// Whether no more own receipts may be caused by a peer and a source that nobody named: each is kept for weeks.
    pub(super) fn signs_enough(&self, from: NodeId, source: NodeId) -> bool {
        let free = u64::from(self.config.receipts_own_max).saturating_sub(self.ledger.custody().receipts_own() as u64);
        !self.admits(self.ledger.signed().shares_of(from, source), 1, free, from)
    }

    /// Whether what a stranger's bundle costs leaves others their part of a place where nothing may make way, whoever
    /// handed it over and whoever it is from. Of a named peer it is no fault that it carries for many.
    pub(super) fn admits(&self, shares: [u64; 2], cost: u64, free: u64, from: NodeId) -> bool {
        let [by_peer, by_source] = shares;
        (self.ledger.is_contact(&from) || admits(by_peer, cost, free, PART_OF_PEER))
            && admits(by_source, cost, free, PART_OF_SOURCE)
    }
}
