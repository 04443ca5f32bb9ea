//! The record of one's own message: facts that never change, and evidence in a bounded form.
//!
//! What happens here, and what the recipient signs, is a handful of events, and each always finds room. Carriers are
//! another matter, for identities cost nothing: of one carrier the record keeps its latest promise and whether it gave
//! that up, of many the first and the last few by name, and of all others their number and the best they promised. So no
//! crowd of carriers keeps a receipt, the end of a life or the owner's word out, or takes the state back.

use serde::{Deserialize, Serialize};

use crate::agent::change::Row;
use crate::bundle::{Creation, Priority};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Moment, Timestamp};

/// Carriers that keep their place in a record because they were the first to answer.
pub const FIRST_CARRIERS: usize = 8;
/// Carriers that are listed because they were the last to answer.
pub const LAST_CARRIERS: usize = 8;
/// Most events of one record: two of each listed carrier and of the recipient as one of them, and one of each other kind.
pub const EVENTS_MAX: usize = 2 * (FIRST_CARRIERS + LAST_CARRIERS + 1) + 8;

/// One's own message and everything known of its fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub id: BundleId,
    pub destination: Eid,
    pub creation: Creation,
    pub created: Moment,
    pub lifetime: Millis,
    pub expires: Timestamp,
    pub priority: Priority,
    pub size_bytes: u32,
    /// The mailbox that wrote it, by its key; none for messages of before that was noted, which are the node's own.
    #[serde(default)]
    pub source: Option<NodeId>,
    /// Where the record has its words; none for messages of before they were kept.
    #[serde(default)]
    pub row: Option<Row>,
    /// What happened here and what the recipient signed, only ever appended to: each kind at most once.
    pub evidence: Vec<Evidence>,
    /// What peers say they stored, in the order in which they were first heard.
    #[serde(default)]
    pub carriers: Vec<Carrier>,
    /// Answers of carriers that have no place in the list.
    #[serde(default)]
    pub unlisted: Unlisted,
}

/// One thing that happened to one's own message, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub at: Moment,
    pub what: EvidenceKind,
    pub who: Option<NodeId>,
}

/// What evidence says. The order is that of [`Outgoing::state`]: the highest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EvidenceKind {
    #[default]
    Queued,
    /// A carrier had to evict what it once accepted.
    GaveUp,
    /// A peer stored a copy as best it can.
    Copy,
    /// A peer promised custody.
    Custody,
    /// The recipient's mailbox had no room for it.
    Full {
        /// How long after this was heard it asks to be tried again.
        retry_after: Millis,
    },
    Expired,
    Cancelled,
    Rejected {
        reason: u8,
    },
    Delivered,
    Read,
}

/// The latest word of one carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    pub who: NodeId,
    /// [`EvidenceKind::Copy`] or [`EvidenceKind::Custody`].
    pub promise: EvidenceKind,
    pub at: Moment,
    /// When it gave up what it promised.
    pub gave_up: Option<Moment>,
}

/// What is left of carriers that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlisted {
    /// How many answers; a carrier that was taken off the list and answers again counts again.
    pub answers: u32,
    /// The best that any of them, or a listed one before its latest word, promised.
    pub best: EvidenceKind,
}

impl Outgoing {
    /// The highest evidence; it never goes back.
    pub fn state(&self) -> EvidenceKind {
        let promises = self.carriers.iter().map(|carrier| carrier.promise);
        let all = self.evidence.iter().map(|e| e.what).chain(promises).chain([self.unlisted.best]);
        all.max().unwrap_or(EvidenceKind::Queued)
    }

    /// Whether nothing but the recipient's word can change its state: its life is over, or its fate is known.
    pub fn is_settled(&self) -> bool {
        self.state() >= EvidenceKind::Expired
    }

    /// Whether it ended as its sender or its recipient would have it: a receipt came, or it was cancelled. A life that is
    /// over without a receipt is no such end.
    pub fn has_end(&self) -> bool {
        self.state() > EvidenceKind::Expired
    }

    /// What is known, in the order in which it happened; at most [`EVENTS_MAX`] events.
    pub fn events(&self) -> Vec<Evidence> {
        let mut events = self.evidence.clone();
        for Carrier { who, promise, at, gave_up } in &self.carriers {
            events.push(Evidence { at: *at, what: *promise, who: Some(*who) });
            events.extend(gave_up.map(|at| Evidence { at, what: EvidenceKind::GaveUp, who: Some(*who) }));
        }
        events.sort_by_key(|event| event.at.now);
        events
    }

    /// Whether a peer says that it stored this, and is on the list.
    pub fn is_carrier(&self, peer: &NodeId) -> bool {
        self.carriers.iter().any(|carrier| carrier.who == *peer)
    }

    /// Whether `what` from `who` would say anything new.
    pub fn is_news(&self, what: EvidenceKind, who: Option<NodeId>) -> bool {
        let carrier = who.and_then(|who| self.carriers.iter().find(|carrier| carrier.who == who));
        match (what, carrier) {
            (EvidenceKind::Copy | EvidenceKind::Custody, None) => true,
            (EvidenceKind::Copy | EvidenceKind::Custody, Some(carrier)) => {
                carrier.gave_up.is_some() || what > carrier.promise
            }
            (EvidenceKind::GaveUp, Some(carrier)) => carrier.gave_up.is_none(),
            _ => !self.evidence.iter().any(|e| is_same_kind(e.what, what)),
        }
    }

    /// Takes evidence in, folding what has no room of its own. Every store and the agent do it with this one function.
    pub fn attest(&mut self, evidence: Evidence) {
        let Evidence { at, what, who } = evidence;
        let is_promise = matches!(what, EvidenceKind::Copy | EvidenceKind::Custody);
        if let Some(carrier) = self.carriers.iter_mut().find(|carrier| Some(carrier.who) == who) {
            if is_promise {
                self.unlisted.best = self.unlisted.best.max(carrier.promise);
                *carrier = Carrier { promise: what, at, gave_up: None, ..*carrier };
                return;
            }
            if what == EvidenceKind::GaveUp {
                carrier.gave_up = Some(at);
                return;
            }
        }
        match who {
            Some(who) if is_promise => {
                self.carriers.push(Carrier { who, promise: what, at, gave_up: None });
                self.keep_first_and_last();
            }
            _ if self.is_news(what, who) => self.evidence.push(evidence),
            _ => {}
        }
    }

    /// Takes the earliest of the last carriers off a list that is too long. The recipient is no stranger to its own mail.
    fn keep_first_and_last(&mut self) {
        let recipient = self.destination.node;
        let mut others = self.carriers.iter().enumerate().filter(|(_, carrier)| carrier.who != recipient);
        if others.clone().count() <= FIRST_CARRIERS + LAST_CARRIERS {
            return;
        }
        let Some((n, _)) = others.nth(FIRST_CARRIERS) else { return };
        let carrier = self.carriers.remove(n);
        self.unlisted.answers = self.unlisted.answers.saturating_add(1);
        self.unlisted.best = self.unlisted.best.max(carrier.promise);
    }
}

/// Whatever reason it gives, one refusal is as good as many, and one word on a full mailbox too.
fn is_same_kind(a: EvidenceKind, b: EvidenceKind) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DtnTime;

    fn node(n: u64) -> NodeId {
        NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    fn at(n: u64) -> Moment {
        Moment { now: Timestamp(n), wall: DtnTime(0) }
    }

    fn message() -> Outgoing {
        Outgoing {
            id: BundleId([7; 32]),
            destination: Eid::mail(node(0)),
            creation: Creation { time: DtnTime(0), sequence: 0 },
            created: at(0),
            lifetime: Millis(1_000),
            expires: Timestamp(1_000),
            priority: Priority::Normal,
            source: None,
            row: None,
            size_bytes: 100,
            evidence: vec![Evidence { at: at(0), what: EvidenceKind::Queued, who: None }],
            carriers: Vec::new(),
            unlisted: Unlisted::default(),
        }
    }

    #[test]
    fn of_many_carriers_the_first_and_the_last_are_listed_and_the_others_counted() {
        let mut record = message();
        record.attest(Evidence { at: at(1), what: EvidenceKind::Custody, who: Some(node(0)) });
        for n in 1..=100 {
            record.attest(Evidence { at: at(10 * n), what: EvidenceKind::Copy, who: Some(node(n)) });
            record.attest(Evidence { at: at(10 * n + 5), what: EvidenceKind::GaveUp, who: Some(node(n)) });
        }
        let listed: Vec<NodeId> = record.carriers.iter().map(|carrier| carrier.who).collect();
        assert_eq!(
            listed,
            (0..=8).chain(93..=100).map(node).collect::<Vec<_>>(),
            "the recipient has a place of its own"
        );
        assert_eq!((record.unlisted.answers, record.state()), (84, EvidenceKind::Custody));
        for what in [
            EvidenceKind::GaveUp,
            EvidenceKind::Full { retry_after: Millis(1) },
            EvidenceKind::Expired,
            EvidenceKind::Cancelled,
            EvidenceKind::Delivered,
            EvidenceKind::Read,
        ] {
            assert!(record.is_news(what, None), "{what:?}");
            record.attest(Evidence { at: at(5_000), what, who: None });
        }
        for reason in 0..=255 {
            record.attest(Evidence { at: at(5_000), what: EvidenceKind::Rejected { reason }, who: Some(node(0)) });
        }
        for wait in 0..100 {
            let what = EvidenceKind::Full { retry_after: Millis(wait) };
            assert!(!record.is_news(what, Some(node(0))), "said once");
            record.attest(Evidence { at: at(5_000), what, who: Some(node(0)) });
        }
        record.attest(Evidence { at: at(6_000), what: EvidenceKind::GaveUp, who: Some(node(0)) });
        assert_eq!(record.events().len(), EVENTS_MAX);
        assert!(record.events().is_sorted_by_key(|event| event.at.now));
    }

    #[test]
    fn of_one_carrier_the_latest_word_counts_and_the_state_never_goes_back() {
        let mut record = message();
        let who = Some(node(1));
        for (n, what) in [EvidenceKind::Copy, EvidenceKind::Custody, EvidenceKind::GaveUp, EvidenceKind::Copy]
            .into_iter()
            .enumerate()
        {
            assert!(record.is_news(what, who));
            record.attest(Evidence { at: at(n as u64), what, who });
            assert!(!record.is_news(what, who), "said once");
        }
        let carrier = Carrier { who: node(1), promise: EvidenceKind::Copy, at: at(3), gave_up: None };
        assert_eq!((record.carriers.as_slice(), record.state()), (&[carrier][..], EvidenceKind::Custody));
    }

    #[test]
    fn what_carriers_promised_who_are_no_longer_listed_still_counts() {
        let mut record = message();
        for n in 1..=60 {
            let what = if n == 20 { EvidenceKind::Custody } else { EvidenceKind::Copy };
            record.attest(Evidence { at: at(n), what, who: Some(node(n)) });
            assert_eq!(record.state(), if n < 20 { EvidenceKind::Copy } else { EvidenceKind::Custody });
        }
        assert!(!record.is_carrier(&node(20)));
    }
}
