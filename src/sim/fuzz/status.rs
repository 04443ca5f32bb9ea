//! What a status says must have happened, and been done by whom it names.

use crate::agent::change::{Durable, Evidence, EvidenceKind};
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::receipt::ReceiptKind;
use crate::time::Millis;

use super::node::Taken;
use super::truth::Truth;
use super::{Checked, Promise, must};

impl Truth {
    /// Looks at one piece of evidence that a source appends to the record of its own message.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn check_evidence(
        &mut self,
        n: usize,
        before: &Durable,
        taken: &Taken,
        id: BundleId,
        evidence: &Evidence,
        now_ms: u64,
        overcounted: Millis,
    ) -> Checked {
        let Some(outgoing) = before.outgoing.get(&id) else {
            return must(false, Promise::StatusIsTrue, || {
                format!("{n} attests {evidence:?} of {id}, which has no record")
            });
        };
        let recipient = outgoing.destination.node;
        let is_so = match (evidence.what, evidence.who) {
            (EvidenceKind::Custody, Some(who)) => self.by_hostile(who) || self.has_stored(who, id, &[Grade::Custody]),
            (EvidenceKind::Copy, Some(who)) => {
                self.by_hostile(who) || self.has_stored(who, id, &[Grade::Released, Grade::Copy, Grade::Custody])
            }
            (EvidenceKind::GaveUp, Some(who)) => {
                self.by_hostile(who) || self.numbers.get(&who).is_some_and(|who| self.gave_up.contains(&(*who, id)))
            }
            (EvidenceKind::Delivered, Some(who)) => {
                who == recipient && self.is_stated(n, who, id, ReceiptKind::Delivered)
            }
            (EvidenceKind::Read, Some(who)) => who == recipient && self.is_stated(n, who, id, ReceiptKind::Read),
            (EvidenceKind::Rejected { reason }, Some(who)) => {
                who == recipient && self.is_stated(n, who, id, ReceiptKind::Rejected { reason })
            }
            // How long is left of the wait depends on how long the word was under way.
            (EvidenceKind::Full { .. }, Some(who)) => {
                who == recipient && self.states(who, id, |stated| matches!(stated, ReceiptKind::Full { .. }))
            }
            (EvidenceKind::Expired, None) => {
                let lived = self.taken.get(&(n, id)).map(|(since_ms, overcounted_then)| {
                    Millis(now_ms - since_ms).saturating_add(overcounted.saturating_sub(*overcounted_then))
                });
                lived.is_some_and(|lived| lived >= outgoing.lifetime)
            }
            (EvidenceKind::Cancelled, None) => taken.by_owner,
            _ => false,
        };
        must(is_so, Promise::StatusIsTrue, || {
            format!("{n} says of {id} to {recipient}: {evidence:?}; that did not happen")
        })?;
        if evidence.what == EvidenceKind::Cancelled {
            self.cancelled.insert((n, id));
        }
        Ok(())
    }

    fn by_hostile(&self, who: NodeId) -> bool {
        self.numbers.get(&who).is_some_and(|who| !self.honest[*who])
    }

    fn has_stored(&self, who: NodeId, id: BundleId, grades: &[Grade]) -> bool {
        let who = self.numbers.get(&who);
        who.is_some_and(|who| grades.iter().any(|grade| self.ever_stored(*who, id, *grade)))
    }

    /// Whether the recipient signed it; who writes to himself needs no signature, but a row.
    fn is_stated(&self, n: usize, who: NodeId, id: BundleId, kind: ReceiptKind) -> bool {
        match self.numbers.get(&who) == Some(&n) {
            true if kind == ReceiptKind::Delivered => self.rows.contains(&(n, id)),
            true => kind == ReceiptKind::Read && self.read.contains(&(n, id)),
            false => self.states(who, id, |stated| stated == kind),
        }
    }
}
