//! What was written and not sent: a draft, or a message that is to go later.
//!
//! ```text
//! [[recipient…], meant for, made, sending since, priority, lifetime, copies, refused, content]
//! ```
//! A CBOR array; what is not said is zero, or an empty text.

use crate::bundle::Priority;
use crate::cbor::{CborError, Reader, Writer};
use crate::time::{DtnTime, Millis, Timestamp};

/// So many drafts there are at most.
pub const DRAFTS_MAX: usize = 256;
/// So many recipients one has.
pub const RECIPIENTS_MAX: usize = 64;

/// Something written that is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Whom it goes to: an address, or what was typed where nobody was found by it.
    pub to: Vec<String>,
    /// When it goes by itself.
    pub at: Option<DtnTime>,
    /// When it was written.
    pub made: DtnTime,
    /// It is being sent since this moment: who finds it so must see what of it went.
    pub began: Option<Timestamp>,
    pub priority: Priority,
    pub lifetime: Option<Millis>,
    pub copies: Option<u16>,
    /// Why it was not sent, where that was tried.
    pub refused: String,
    /// Encoded as messages have it.
    pub content: Vec<u8>,
}

impl Draft {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.content.len());
        out.array(9);
        out.array(self.to.len());
        self.to.iter().for_each(|to| out.text(to));
        out.uint(self.at.unwrap_or_default().0);
        out.uint(self.made.0);
        out.uint(self.began.unwrap_or_default().0);
        out.uint(self.priority.number());
        out.uint(self.lifetime.unwrap_or_default().0);
        out.uint(self.copies.unwrap_or_default());
        out.text(&self.refused);
        out.bytes(&self.content);
        out
    }

    /// Reads what [`Draft::write`] wrote; none for anything else.
    pub fn read(value: &[u8]) -> Option<Draft> {
        let mut reader = Reader::new(value);
        let draft = Draft::read_from(&mut reader).ok()?;
        reader.finish().ok().and(draft)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Option<Draft>, CborError> {
        reader.array_exact(9)?;
        let many = reader.array()?;
        if many > RECIPIENTS_MAX {
            return Ok(None);
        }
        let to = (0..many).map(|_| reader.text().map(str::to_owned)).collect::<Result<_, _>>()?;
        let [at, made, began, priority, lifetime] = {
            let mut next = || reader.uint();
            [next()?, next()?, next()?, next()?, next()?]
        };
        let copies: u16 = reader.uint_as()?;
        let (refused, content) = (reader.text()?.to_owned(), reader.bytes()?.to_vec());
        let said = |number: u64| Some(number).filter(|number| *number != 0);
        Ok(Priority::of_number(priority).map(|priority| Draft {
            to,
            at: said(at).map(DtnTime),
            made: DtnTime(made),
            began: said(began).map(Timestamp),
            priority,
            lifetime: said(lifetime).map(Millis),
            copies: Some(copies).filter(|copies| *copies != 0),
            refused,
            content,
        }))
    }

    /// Whether it is to go now: its time has come, or it was on its way when this home ended.
    pub fn is_due(&self, now: DtnTime) -> bool {
        self.began.is_some() || self.at.is_some_and(|at| now.0 != 0 && at <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_draft_goes_when_its_time_has_come_and_never_by_a_clock_that_is_wrong() {
        let later = Draft { at: Some(DtnTime(9)), ..Draft::default() };
        assert_eq!([8, 9, 10, 0].map(|now| later.is_due(DtnTime(now))), [false, true, true, false]);
        assert!(!Draft::default().is_due(DtnTime(9)));
        assert!(Draft { began: Some(Timestamp(1)), ..Draft::default() }.is_due(DtnTime(0)), "some of it may have gone");
    }

    proptest! {
        #[test]
        fn drafts_read_back_and_nothing_else_reads_as_one(
            to in prop::collection::vec(".{0,20}", 0..4),
            numbers: (u64, u64, u64, u64),
            copies in prop::option::of(1..u16::MAX),
            priority in 0..3usize,
            refused in ".{0,20}",
            content in prop::collection::vec(any::<u8>(), 0..80),
            cut in any::<prop::sample::Index>(),
        ) {
            let said = |number: u64| Some(number).filter(|number| *number != 0);
            let draft = Draft {
                to,
                at: said(numbers.0).map(DtnTime),
                made: DtnTime(numbers.1),
                began: said(numbers.2).map(Timestamp),
                priority: Priority::ALL[priority],
                lifetime: said(numbers.3).map(Millis),
                copies,
                refused,
                content,
            };
            let value = draft.write();
            prop_assert_eq!(Draft::read(&value), Some(draft));
            prop_assert_eq!(Draft::read(&value[..cut.index(value.len())]), None);
            prop_assert_eq!(Draft::read(&[&value[..], &[0]].concat()), None);
        }
    }
}
