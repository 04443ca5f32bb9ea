//! What an agent filed and keeps no longer, until the changes that say so are durable: what is recalled meanwhile is this.

use std::collections::BTreeMap;

use crate::agent::Filing;
use crate::agent::change::{Known, Letter, Outgoing};
use crate::id::BundleId;

/// Filed entries by id, each with how many changes had been said by then.
///
/// Changes of mail are handed out and committed in the order in which they are said; only some of others may fall back, so
/// what is counted as handed out is never less than what of mail was.
#[derive(Debug, Default)]
pub struct Filings {
    said: u64,
    handed_out: u64,
    came: BTreeMap<BundleId, (u64, Option<Letter>)>,
    sent: BTreeMap<BundleId, (u64, Option<Outgoing>)>,
}

impl Filings {
    /// The agent said so many changes.
    pub fn said(&mut self, changes: u64) {
        self.said += changes;
    }

    /// Of what was said so many changes went to the store.
    pub fn hand_out(&mut self, changes: u64) {
        self.handed_out += changes;
    }

    pub fn handed_out(&self) -> u64 {
        self.handed_out
    }

    pub fn add(&mut self, filing: Filing) {
        match filing {
            Filing::Came(id, letter) => drop(self.came.insert(id, (self.said, letter))),
            Filing::Sent(id, outgoing) => drop(self.sent.insert(id, (self.said, outgoing))),
        }
    }

    /// So many changes of those that were handed out are durable.
    pub fn committed(&mut self, changes: u64) {
        self.came.retain(|_, (said, _)| *said > changes);
        self.sent.retain(|_, (said, _)| *said > changes);
    }

    /// Puts what was filed since in the place of what is durable.
    pub fn amend(&self, known: &mut Known) {
        if let Some((_, letter)) = self.came.get(&known.id) {
            (known.delivered, known.letter) = (true, letter.clone());
        }
        if let Some((_, outgoing)) = self.sent.get(&known.id) {
            known.outgoing.clone_from(outgoing);
        }
    }

    /// What was said and not committed never happened.
    pub fn start_again(&mut self) {
        self.said = self.handed_out;
        self.came.clear();
        self.sent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: BundleId = BundleId([1; 32]);

    #[test]
    fn what_was_filed_counts_until_it_is_durable() {
        let mut filings = Filings::default();
        filings.said(3);
        filings.add(Filing::Came(ID, None));
        let is_known = |filings: &Filings| {
            let mut known = Known::nothing(ID);
            filings.amend(&mut known);
            known.delivered
        };
        filings.hand_out(3);
        filings.committed(2);
        assert!(is_known(&filings));
        filings.committed(3);
        assert!(!is_known(&filings));
        filings.said(1);
        filings.add(Filing::Came(ID, None));
        filings.start_again();
        assert!(!is_known(&filings), "what never happened is not remembered");
    }
}
