//! How much others may have this home do for groups: in steps to tell who is a member, and in bytes of answers.
//!
//! Who is a member is a function of a whole log, and a log can be written so that each operation of it has all removals
//! looked at anew. Nor does an answer cost its asker more than a question, and keys to ask by are free. So each group that
//! this person takes part in has a share of either, and so have each contact who asks them in, and all strangers together.
//! What is past a share is dropped as if it were lost: it is asked for again once time has passed.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::time::{DAY, DtnTime, HOUR, Millis};

/// Most steps for one group, or for one contact who asks this person in, within [`STEPS_SPAN`]: some seconds. The longest
/// log takes an eighth of that if each operation comes alone.
pub const STEPS_MAX: u64 = 1 << 30;
/// Most for all strangers together.
pub const STEPS_OF_STRANGERS_MAX: u64 = 1 << 26;
pub const STEPS_SPAN: Millis = HOUR;
/// Most bytes that members of one group are answered with in [`ANSWERS_SPAN`].
pub const ANSWERS_BYTES_MAX: u64 = 8 << 20;
/// Most that one of them is; the largest log fits.
pub const ANSWERS_OF_MEMBER_BYTES_MAX: u64 = 2 << 20;
pub const ANSWERS_SPAN: Millis = DAY;

/// For whom something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// A group that this person did something in.
    Group(NodeId),
    Contact(NodeId),
    Strangers,
}

/// See the module. Without a clock nothing is remembered, and a share is that of one word.
#[derive(Debug, Default)]
pub(super) struct Effort {
    steps: BTreeMap<Whose, (DtnTime, u64)>,
    answers: BTreeMap<NodeId, Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    since: DtnTime,
    bytes: u64,
    of_member: BTreeMap<NodeId, u64>,
}

impl Effort {
    /// The steps that may still be taken for somebody.
    pub(super) fn steps_left(&self, whose: &Whose, now: DtnTime) -> u64 {
        let most = match whose {
            Whose::Group(_) | Whose::Contact(_) => STEPS_MAX,
            Whose::Strangers => STEPS_OF_STRANGERS_MAX,
        };
        let spent = self.steps.get(whose).filter(|(since, _)| is_within(*since, STEPS_SPAN, now));
        most.saturating_sub(spent.map_or(0, |(_, spent)| *spent))
    }

    pub(super) fn took_steps(&mut self, whose: Whose, steps: u64, now: DtnTime) {
        self.steps.retain(|_, (since, _)| is_within(*since, STEPS_SPAN, now));
        if now.0 != 0 && steps > 0 {
            let (_, spent) = self.steps.entry(whose).or_insert((now, 0));
            *spent = spent.saturating_add(steps);
        }
    }

    /// Whether a member of a group may have an answer of so many bytes; and then it is remembered.
    pub(super) fn may_answer(&mut self, group: &NodeId, to: &NodeId, bytes: u64, now: DtnTime) -> bool {
        self.answers.retain(|_, answers| is_within(answers.since, ANSWERS_SPAN, now));
        if now.0 == 0 {
            return true;
        }
        let answers = self.answers.entry(*group).or_insert(Answers { since: now, ..Answers::default() });
        let of_member = answers.of_member.get(to).copied().unwrap_or(0);
        let has_room = answers.bytes + bytes <= ANSWERS_BYTES_MAX && of_member + bytes <= ANSWERS_OF_MEMBER_BYTES_MAX;
        if has_room {
            answers.bytes += bytes;
            answers.of_member.insert(*to, of_member + bytes);
        }
        has_room
    }
}

/// Whether a span that began then lasts; a clock that was put back ends it.
fn is_within(since: DtnTime, span: Millis, now: DtnTime) -> bool {
    since <= now && now.0 - since.0 < span.0
}
