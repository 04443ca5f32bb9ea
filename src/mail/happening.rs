//! What happened to the record of mail, numbered in its order: who reads on from a number misses nothing and gets nothing
//! twice, across restarts too.
//!
//! ```text
//! what 1 | when, in DTN milliseconds, or 0 where no clock was trusted 8 | id 32 | more, by kind
//! ```
//! The store gives the numbers, without gaps, and keeps the last [`HAPPENED_MAX`].

use super::entries::{key, number, part};
use crate::agent::change::EvidenceKind;
use crate::content::Mark;
use crate::id::BundleId;
use crate::time::{DtnTime, Millis};

/// So many are kept; the oldest goes first.
pub const HAPPENED_MAX: u64 = 200_000;

/// Something that happened to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Wall time; zero where no clock was trusted.
    pub at: DtnTime,
    /// The message that it happened to, or that brought it.
    pub id: BundleId,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A message came.
    Came,
    /// One of one's own was queued.
    Queued,
    /// The state of one of one's own is another.
    State(EvidenceKind),
    /// A change came, or was made here, of what this names.
    Changed(Mark),
    Read,
    Unread,
    /// It was deleted here.
    Deleted,
}

impl Happening {
    pub fn write(&self) -> Vec<u8> {
        let (code, more) = match self.what {
            What::Came => (1, Vec::new()),
            What::Queued => (2, Vec::new()),
            What::State(state) => (3, vec![state_code(state)]),
            What::Changed(target) => (4, target.to_vec()),
            What::Read => (5, Vec::new()),
            What::Unread => (6, Vec::new()),
            What::Deleted => (7, Vec::new()),
        };
        key([&[code], &self.at.0.to_be_bytes(), &self.id.0, &more])
    }

    /// Reads what [`Happening::write`] wrote; none for anything else.
    pub fn read(bytes: &[u8]) -> Option<Happening> {
        let (code, more) = (*bytes.first()?, bytes.get(41..)?);
        let what = match (code, more.len()) {
            (1, 0) => What::Came,
            (2, 0) => What::Queued,
            (3, 1) => What::State(state_of(more[0])?),
            (4, 16) => What::Changed(part(more, 0)),
            (5, 0) => What::Read,
            (6, 0) => What::Unread,
            (7, 0) => What::Deleted,
            _ => return None,
        };
        Some(Happening { at: DtnTime(number(bytes, 1)), id: BundleId(part(bytes, 9)), what })
    }
}

/// In the order of the codes.
const STATES: [EvidenceKind; 10] = [
    EvidenceKind::Queued,
    EvidenceKind::GaveUp,
    EvidenceKind::Copy,
    EvidenceKind::Custody,
    EvidenceKind::Expired,
    EvidenceKind::Cancelled,
    EvidenceKind::Rejected { reason: 0 },
    EvidenceKind::Delivered,
    EvidenceKind::Read,
    EvidenceKind::Full { retry_after: Millis(0) },
];

/// A rejection's reason is not kept here, nor when to try again.
fn state_code(state: EvidenceKind) -> u8 {
    let is_same = |other: &EvidenceKind| std::mem::discriminant(other) == std::mem::discriminant(&state);
    STATES.iter().position(is_same).expect("all states are listed") as u8
}

fn state_of(code: u8) -> Option<EvidenceKind> {
    STATES.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_back_and_a_byte_more_or_less_does_not() {
        let states = STATES.map(What::State);
        let others = [What::Came, What::Queued, What::Changed([7; 16]), What::Read, What::Unread, What::Deleted];
        for what in states.into_iter().chain(others) {
            let happening = Happening { at: DtnTime(5), id: BundleId([9; 32]), what };
            let bytes = happening.write();
            assert_eq!(Happening::read(&bytes), Some(happening));
            assert_eq!(Happening::read(&bytes[..bytes.len() - 1]), None);
            assert_eq!(Happening::read(&[&bytes[..], &[0]].concat()), None);
        }
    }
}
