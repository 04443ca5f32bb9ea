//! What members of groups owe authors: the very machine that a home keeps, over the rows of a simulated store.

use std::collections::{BTreeMap, BTreeSet};

use super::{ENVELOPE_BYTES, Share};
use crate::agent::Input;
use crate::agent::change::{Change, Letter};
use crate::agent::io::Gone;
use crate::bundle::{Bundle, Draft, Priority};
use crate::content::Mark;
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::mail::groups::receipts::{self, Batch, Owed, RECEIPT_LIFETIME, Receipts};
use crate::mail::groups::rows;
use crate::time::Timestamp;

/// Receipts that a node owes, and those that came to it.
#[derive(Debug, Default)]
pub struct Owing {
    receipts: Receipts,
    /// As they lie in its store.
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Batches that are being sealed, by token.
    sealing: BTreeMap<u64, Batch>,
    /// Who said to have which message of this node's.
    heard: BTreeSet<(Mark, NodeId)>,
}

/// Tokens of receipts have this bit, and no message's has it.
const RECEIPT: u64 = 1 << 63;

/// Whether a token is of a receipt.
pub fn is_of_receipt(token: u64) -> bool {
    token & RECEIPT != 0
}

impl Owing {
    /// What is owed after a restart is what is kept.
    pub fn restart(&mut self, sizes: impl Fn(&NodeId) -> usize) {
        (self.receipts, self.sealing) = (Receipts::default(), BTreeMap::new());
        for (key, value) in &self.kept {
            if let Some(rows::Key::Receipt(author, group, mark)) = rows::read_key(key) {
                self.receipts.load(author, group, mark, value, sizes(&group));
            }
        }
    }

    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.receipts.next_timeout()
    }

    /// Members who said to have a message of this node's.
    pub fn members_with(&self, id: &BundleId) -> impl Iterator<Item = &NodeId> {
        let mark = Letter::mark_of(id);
        let [first, last] = [0, 255].map(|byte| (mark, NodeId::from_trusted([byte; 32])));
        self.heard.range(first..=last).map(|(_, member)| member)
    }

    fn keep(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Keep { key, value: Some(value) } => drop(self.kept.insert(key, value)),
                Change::Keep { key, value: None } => drop(self.kept.remove(&key)),
                _ => unreachable!("receipts keep rows"),
            }
        }
    }
}

impl Share<'_> {
    /// A node got what was written to a group.
    pub(super) fn owe(&mut self, node: u32, id: &BundleId) {
        // Of parts of a file something else is said.
        if self.find(id).is_some_and(|entry| entry.part.is_some()) {
            return;
        }
        let now_us = self.now_us;
        let state = self.node(node);
        let Some(letter) = state.driver.step.record.letter(id).filter(|letter| letter.destination.has_members()) else {
            return;
        };
        let (author, group) = (letter.source, letter.destination.node);
        let at = state.moment(now_us);
        let members = self.common.members_of(&group);
        let (owing, mut out) = (&mut self.node(node).owing, Vec::new());
        let owed = Owed { mark: Letter::mark_of(id), came: at.wall };
        owing.receipts.owe((author, group), owed, members, at.now, &mut out);
        owing.keep(out);
        self.set_alarm(node);
    }

    /// Sends what is due of receipts.
    pub(super) fn send_receipts(&mut self, node: u32) {
        let now_us = self.now_us;
        let state = self.node(node);
        let now = state.moment(now_us).now;
        let agent = &state.driver.agent;
        state.owing.receipts.gather(now, |id| agent.copies_left(id));
        for batch in state.owing.receipts.take_ready() {
            let owing = &mut self.node(node).owing;
            let token = RECEIPT | owing.sealing.last_key_value().map_or(0, |(last, _)| (last & !RECEIPT) + 1);
            let (destination, copies) = (Eid::got(batch.author), Some(batch.copies));
            owing.sealing.insert(token, batch);
            let mailbox = Eid::mail(self.common.roster.name(node));
            let (lifetime, priority) = (RECEIPT_LIFETIME.min(self.common.config.lifetime_max), Priority::Bulk);
            self.input(node, Input::Submit { token, mailbox, destination, lifetime, priority, copies });
        }
        self.set_alarm(node);
    }

    pub(super) fn set_alarm(&mut self, node: u32) {
        if let Some(due) = self.node(node).owing.next_timeout() {
            // What is due within this millisecond is due now: a clock that went back would hand things over before they came.
            self.timers.set(node, due.0.saturating_mul(1_000).max(self.now_us));
        }
    }

    /// Seals a receipt: here it is in clear, and weighs what it would.
    pub(super) fn seal_receipt(&mut self, node: u32, token: u64, draft: &Draft) -> Input {
        let plaintext = self.node(node).owing.sealing[&token].plaintext();
        let size_bytes = draft.encoded_len(ENVELOPE_BYTES + plaintext.len()) as u32;
        Input::Sealed { token, payload: plaintext.into(), size_bytes }
    }

    /// A receipt is in its node's store: those that it takes the place of leave it.
    pub(super) fn receipt_queued(&mut self, node: u32, token: u64, id: BundleId) {
        let owing = &mut self.node(node).owing;
        let Some(batch) = owing.sealing.remove(&token) else { return };
        let mut out = Vec::new();
        let over = owing.receipts.sent(&batch, id, &mut out);
        owing.keep(out);
        self.count.counters.group_receipts_created += 1;
        self.to_drop.extend(over);
    }

    /// A receipt could not be sent.
    pub(super) fn receipt_not_sent(&mut self, node: u32, token: u64) {
        let owing = &mut self.node(node).owing;
        if let Some(batch) = owing.sealing.remove(&token) {
            owing.receipts.not_sent(&batch);
        }
    }

    pub(super) fn receipt_gone(&mut self, node: u32, id: &BundleId, why: Gone) {
        let now_us = self.now_us;
        let state = self.node(node);
        let at = state.moment(now_us);
        let mut out = Vec::new();
        state.owing.receipts.gone(id, why == Gone::Delivered, (at.now, at.wall), &mut out);
        state.owing.keep(out);
        self.set_alarm(node);
    }

    /// A member's receipt came to the author.
    pub(super) fn hear_receipt(&mut self, node: u32, bundle: &Bundle) {
        let word = receipts::word_in(bundle.payload()).expect("members say it as they must");
        for mark in word.got {
            let is_new = self.node(node).owing.heard.insert((mark, bundle.source));
            self.count.counters.group_receipts_returned += u64::from(is_new);
        }
    }
}
