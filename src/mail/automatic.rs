//! Answers that nobody writes: what the person says while away, and what their programs say.
//!
//! Two nodes that both answer by themselves would never end. So an automatic answer is marked
//! ([`TAG_AUTOMATIC`](crate::content::TAG_AUTOMATIC)), none is given to what is marked so, nor to bulk mail, nor in a group,
//! and nobody gets two within a period, whatever gave the first. What a program passes on to others is no answer and may be
//! automatic; it counts how many automatic ones led to it, and ends a ring.
//!
//! Here is how that lies among what a home keeps (`kept.rs`), behind its key for the home:
//!
//! | key | value | what |
//! |---|---|---|
//! | `AWAY` | array of text, until, 0 or 1 for answers, period, since | that the person is away |
//! | `ANSWERED`, node | time 8 | when somebody got an automatic answer last |

use super::kept::of_home;
use crate::bundle::Priority;
use crate::cbor::{Reader, Writer};
use crate::content::{STEPS_MAX, TAG_AUTOMATIC, automatic_after, steps_of};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime, Millis};

/// How long nobody gets a second automatic answer where nobody says.
pub const ANSWER_PERIOD: Millis = DAY;
/// So many people are remembered who got one.
pub const ANSWERED_MAX: usize = 4_096;
/// Longest words of one who is away, in bytes.
pub const AWAY_BYTES_MAX: usize = 4_096;

const AWAY: u8 = 23;
const ANSWERED: u8 = 24;

/// That the person is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    pub text: String,
    pub until: DtnTime,
    /// Contacts who write get the text.
    pub reply: bool,
    pub every: Millis,
    pub since: DtnTime,
}

/// A message that might be answered.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    pub tags: u64,
    pub priority: Priority,
    /// It was written to a group.
    pub in_group: bool,
    /// This person wrote it.
    pub is_own: bool,
}

/// Why no automatic answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("it is automatic itself")]
    Automatic,
    #[error("it is bulk mail")]
    Bulk,
    #[error("it was written to a group")]
    Group,
    #[error("it is one's own")]
    Own,
    #[error("its writer got an automatic answer lately")]
    TooSoon,
    #[error("{STEPS_MAX} automatic ones in a row led to it")]
    TooFar,
    #[error("{ANSWERED_MAX} people got an automatic answer lately, and no more are remembered")]
    TooMany,
}

impl Cause {
    /// Whether an automatic answer may be given to somebody who got the last one then.
    pub fn may_be_answered(&self, last: Option<DtnTime>, every: Millis, now: DtnTime) -> Result<(), NoAnswer> {
        match () {
            () if self.is_own => Err(NoAnswer::Own),
            () if self.in_group => Err(NoAnswer::Group),
            () if self.tags & TAG_AUTOMATIC != 0 => Err(NoAnswer::Automatic),
            () if self.priority == Priority::Bulk => Err(NoAnswer::Bulk),
            // A clock that was wrong for a while silences nobody for ever.
            () if last.is_some_and(|last| now.0.abs_diff(last.0) < every.0) => Err(NoAnswer::TooSoon),
            () => Ok(()),
        }
    }
}

impl Cause {
    /// How a message is marked that a program sends to somebody else because of this one. Programs that pass on what comes
    /// may stand in a ring, so of automatic messages only so many follow from each other.
    pub fn marks_of_next(&self) -> Result<u64, NoAnswer> {
        match (self.tags & TAG_AUTOMATIC != 0, steps_of(self.tags)) {
            (false, _) => Ok(automatic_after(0)),
            (true, STEPS_MAX) => Err(NoAnswer::TooFar),
            (true, steps) => Ok(automatic_after(steps + 1)),
        }
    }
}

/// Who makes way where one more is to be remembered; an error where all that are remembered still count.
pub fn makes_way(answered: &[(NodeId, DtnTime)], every: Millis, now: DtnTime) -> Result<Option<NodeId>, NoAnswer> {
    if answered.len() < ANSWERED_MAX {
        return Ok(None);
    }
    let oldest = answered.iter().max_by_key(|(_, at)| now.0.abs_diff(at.0));
    let over = oldest.filter(|(_, at)| now.0.abs_diff(at.0) >= every.0);
    over.map(|(node, _)| Some(*node)).ok_or(NoAnswer::TooMany)
}

pub fn away() -> Vec<u8> {
    of_home(AWAY, &[])
}

/// The start of the keys of all who got an automatic answer.
pub fn all_answered() -> Vec<u8> {
    of_home(ANSWERED, &[])
}

pub fn answered(node: &NodeId) -> Vec<u8> {
    of_home(ANSWERED, node.as_bytes())
}

pub fn write_answered(at: DtnTime) -> Vec<u8> {
    at.0.to_be_bytes().to_vec()
}

pub fn read_answered(key: &[u8], value: &[u8]) -> Option<(NodeId, DtnTime)> {
    let node = NodeId::from_key(key.strip_prefix(&*all_answered())?.try_into().ok()?).ok()?;
    Some((node, DtnTime(u64::from_be_bytes(value.try_into().ok()?))))
}

impl Away {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.text.len());
        out.array(5);
        out.text(&self.text);
        out.uint(self.until.0);
        out.uint(u8::from(self.reply));
        out.uint(self.every.0);
        out.uint(self.since.0);
        out
    }

    /// Reads what [`Away::write`] wrote; none for anything else.
    pub fn read(value: &[u8]) -> Option<Away> {
        let mut reader = Reader::new(value);
        reader.array_exact(5).ok()?;
        let (text, until) = (reader.text().ok()?.to_owned(), DtnTime(reader.uint().ok()?));
        let (reply, every) = (reader.uint().ok()? != 0, Millis(reader.uint().ok()?));
        let since = DtnTime(reader.uint().ok()?);
        reader.finish().ok().map(|()| Away { text, until, reply, every, since })
    }

    /// Whether it lasts still.
    pub fn lasts(&self, now: DtnTime) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::samples::node;

    const NOW: DtnTime = DtnTime(100 * DAY.0);

    fn cause() -> Cause {
        Cause { tags: 1, priority: Priority::Normal, in_group: false, is_own: false }
    }

    #[test]
    fn nothing_automatic_bulk_or_common_is_answered_and_nobody_twice_in_a_period() {
        let may = |cause: Cause, last| cause.may_be_answered(last, DAY, NOW);
        assert_eq!(may(cause(), None), Ok(()));
        assert_eq!(may(Cause { tags: TAG_AUTOMATIC | 1, ..cause() }, None), Err(NoAnswer::Automatic));
        assert_eq!(may(Cause { priority: Priority::Bulk, ..cause() }, None), Err(NoAnswer::Bulk));
        assert_eq!(may(Cause { in_group: true, ..cause() }, None), Err(NoAnswer::Group));
        assert_eq!(may(Cause { is_own: true, ..cause() }, None), Err(NoAnswer::Own));
        let at = |ago: u64| Some(DtnTime(NOW.0 - ago));
        assert_eq!(may(cause(), at(DAY.0 - 1)), Err(NoAnswer::TooSoon));
        assert_eq!(may(cause(), at(DAY.0)), Ok(()));
        // The clock was a year ahead when it was answered, and is right again.
        assert_eq!(may(cause(), Some(DtnTime(NOW.0 + 365 * DAY.0))), Ok(()));
        assert_eq!(may(cause(), Some(DtnTime(NOW.0 + 1))), Err(NoAnswer::TooSoon));
    }

    #[test]
    fn what_is_passed_on_because_of_each_other_ends_after_so_many() {
        let mut cause = cause();
        for steps in 0..=STEPS_MAX {
            cause.tags = cause.marks_of_next().unwrap() | 1;
            assert_eq!((cause.tags & TAG_AUTOMATIC, steps_of(cause.tags)), (TAG_AUTOMATIC, steps));
        }
        assert_eq!(cause.marks_of_next(), Err(NoAnswer::TooFar));
        // Bits of newer versions count for nothing.
        let odd = Cause { tags: !TAG_AUTOMATIC, ..cause };
        assert_eq!(odd.marks_of_next(), Ok(automatic_after(0)));
    }

    #[test]
    fn who_was_answered_is_forgotten_only_once_it_does_not_matter() {
        let answered = |ago: u64| vec![(node(1), DtnTime(NOW.0 - ago)); ANSWERED_MAX];
        assert_eq!(makes_way(&answered(1)[1..], DAY, NOW), Ok(None));
        assert_eq!(makes_way(&answered(1), DAY, NOW), Err(NoAnswer::TooMany));
        let mut all = answered(1);
        all[7] = (node(2), DtnTime(NOW.0 - DAY.0));
        assert_eq!(makes_way(&all, DAY, NOW), Ok(Some(node(2))));
    }

    #[test]
    fn what_was_written_reads_back() {
        let away = Away { text: "at sea".into(), until: NOW, reply: true, every: DAY, since: DtnTime(3) };
        let value = away.write();
        assert_eq!(Away::read(&value), Some(away.clone()));
        assert_eq!(Away::read(&value[..value.len() - 1]), None);
        assert!(away.lasts(DtnTime(NOW.0 - 1)) && !away.lasts(NOW));
        assert_eq!(read_answered(&answered(&node(1)), &write_answered(NOW)), Some((node(1), NOW)));
        assert_eq!(read_answered(&super::away(), &write_answered(NOW)), None);
    }
}
