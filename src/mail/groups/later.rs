//! What is asked again, and questions that are answered later.
//!
//! A question may be lost, or come to somebody who does not know its author as a member yet, or soon after another: then
//! nothing would ever ask it again, and who has the answer would keep it. So what did not come is asked for a few times
//! more, each time after a longer while; and of somebody who cannot be answered yet the last question is remembered until the
//! log says that they are a member, or the hour is over. All of this is in memory: a start asks for what is sealed still.

use std::collections::BTreeMap;

use super::Groups;
use super::hearing::{ASKED_AGAIN, ASKED_EACH_MAX, ASKED_MAX, Asked, Turn};
use crate::agent::change::Change;
use crate::content::GroupWord;
use crate::content::group::EpochId;
use crate::id::NodeId;
use crate::time::DtnTime;

/// So often something is asked for once more, and then no more while it is unknown; the last time is three days after the
/// first.
const AGAIN_MAX: u32 = 3;
/// Each wait is so many times the one before.
const LONGER: u64 = 8;
/// So many questions are remembered that cannot be answered yet.
pub const QUESTIONS_MAX: usize = 256;
/// So many of them are of people who are no members as far as one knows.
pub const EARLY_QUESTIONS_MAX: usize = 64;

/// What was asked of somebody about a group and did not come.
#[derive(Clone, Copy, Debug)]
struct Open {
    group: NodeId,
    /// None where it was asked for often enough.
    again_at: Option<DtnTime>,
    times: u32,
}

/// A question, and from when on it can be answered, where that is a matter of time and not of the log.
#[derive(Clone, Debug)]
struct Question {
    word: GroupWord,
    from: Option<DtnTime>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Later {
    open: BTreeMap<(NodeId, Asked), Open>,
    /// By group and who asked.
    questions: BTreeMap<(NodeId, NodeId), Question>,
}

impl Later {
    /// Something is wanted of somebody: it was asked for at this time, or so short before that it was not.
    pub(super) fn want(&mut self, what: (NodeId, Asked), group: NodeId, now: DtnTime) {
        self.want_again(what, group, 0, now);
    }

    fn want_again(&mut self, what: (NodeId, Asked), group: NodeId, times: u32, now: DtnTime) {
        // Without a clock nobody knows how long ago that is.
        if now.0 != 0 {
            let wait = ASKED_AGAIN.0 * LONGER.pow(times.min(AGAIN_MAX));
            let again_at = (times < AGAIN_MAX).then(|| DtnTime(now.0.saturating_add(wait)));
            self.keep_open(what, Open { group, again_at, times });
        }
    }

    /// Keeps what is wanted, while there is room, and of each member for so much.
    fn keep_open(&mut self, what: (NodeId, Asked), open: Open) {
        let first = (what.0, Asked::Epoch(EpochId([0; 16])));
        let of_member = self.open.range(first..).take_while(|((of, _), _)| *of == what.0).count();
        if self.open.len() < ASKED_MAX && of_member < ASKED_EACH_MAX {
            self.open.entry(what).or_insert(open);
        }
    }

    /// Keeps the last question of somebody, while there is room.
    pub(super) fn put_off(&mut self, who: NodeId, word: &GroupWord, from: Option<DtnTime>) {
        let key = (word.group, who);
        let early = self.questions.values().filter(|question| question.from.is_none()).count();
        let has_room = self.questions.len() < QUESTIONS_MAX && (from.is_some() || early < EARLY_QUESTIONS_MAX);
        if has_room || self.questions.contains_key(&key) {
            self.questions.insert(key, Question { word: word.clone(), from });
        }
    }
}

impl Groups {
    /// Asks for what others named and is not here, of who named it, at the next occasion.
    pub(super) fn want_what_is_missing(&mut self, group: &NodeId) {
        let Some(known) = self.groups.get(group).filter(|known| known.log.has_of(&self.me)) else { return };
        let waits = known.log.waiting().map(|(_, operation)| operation.author);
        let knew_more = known.epochs.values().filter(|kept| !known.log.has_all(&kept.epoch.heads));
        let who_knows: Vec<NodeId> = waits.chain(knew_more.map(|kept| kept.epoch.author)).collect();
        for who in who_knows.into_iter().filter(|who| *who != self.me) {
            let open = Open { group: *group, again_at: Some(DtnTime(0)), times: 0 };
            self.later.keep_open((who, Asked::Operations(*group)), open);
        }
    }

    /// When there is something to be asked again, or to be answered; none where nothing waits for its time.
    pub fn next_timeout(&self) -> Option<DtnTime> {
        let open = self.later.open.values().filter_map(|open| open.again_at);
        open.chain(self.later.questions.values().filter_map(|question| question.from)).min()
    }

    /// Asks again for what did not come, and answers what can be answered now.
    pub fn catch_up(&mut self, now: DtnTime, out: &mut Vec<Change>) {
        if self.next_timeout().is_none_or(|at| at > now) {
            return;
        }
        let mut open = std::mem::take(&mut self.later.open);
        open.retain(|(whom, asked), open| self.is_wanted(whom, *asked, &open.group));
        for (what, open) in open {
            if open.again_at.is_none_or(|at| at > now) {
                self.later.open.insert(what, open);
                continue;
            }
            let (have, wants) = (
                self.groups[&open.group].log.heads(),
                match what.1 {
                    Asked::Epoch(epoch) => vec![epoch],
                    _ => Vec::new(),
                },
            );
            if self.turn(what, &open.group, now) != Turn::Never {
                self.send(vec![what.0], GroupWord { wants, have, ..GroupWord::of(open.group) }, out);
            }
            self.later.want_again(what, open.group, open.times + 1, now);
        }
        let is_due = |question: &Question| question.from.is_some_and(|from| from <= now);
        self.answer_later(|_, question| is_due(question), now, out);
    }

    /// The log of a group is another: what somebody could not tell before they may know now.
    pub(super) fn begin_asking_anew(&mut self, group: &NodeId) {
        let is_over = |asked: &Asked, open: &Open| *asked == Asked::Operations(*group) && open.again_at.is_none();
        self.later.open.retain(|(_, asked), open| !is_over(asked, open));
    }

    /// The log of a group is another: who asked before they were a member is answered.
    pub(super) fn answer_early(&mut self, group: &NodeId, now: DtnTime, out: &mut Vec<Change>) {
        self.answer_later(|of, question| of == group && question.from.is_none(), now, out);
    }

    fn answer_later(&mut self, is_meant: impl Fn(&NodeId, &Question) -> bool, now: DtnTime, out: &mut Vec<Change>) {
        let meant = self.later.questions.iter().filter(|((group, _), question)| is_meant(group, question));
        let meant: Vec<(NodeId, NodeId)> = meant.map(|(key, _)| *key).collect();
        for (group, who) in meant {
            let is_member = self.groups.get(&group).map(|known| known.log.view().members.contains_key(&who));
            let is_early = self.later.questions[&(group, who)].from.is_none();
            if is_early && is_member == Some(false) {
                continue;
            }
            let Some(question) = self.later.questions.remove(&(group, who)) else { continue };
            match is_member {
                Some(true) => self.answer(who, &question.word, now, out),
                Some(false) => self.answer_who_is_out(who, &question.word, now, out),
                None => {}
            }
        }
    }

    /// How many questions wait to be answered.
    #[cfg(test)]
    pub fn questions(&self) -> usize {
        self.later.questions.len()
    }

    /// Whether what was asked for is still unknown, and they are still somebody to ask.
    fn is_wanted(&self, whom: &NodeId, asked: Asked, group: &NodeId) -> bool {
        let Some(known) = self.groups.get(group) else { return false };
        let has_all = || known.epochs.values().all(|kept| known.log.has_all(&kept.epoch.heads));
        known.log.view().members.contains_key(whom)
            && match asked {
                Asked::Epoch(epoch) => !known.epochs.contains_key(&epoch),
                Asked::Operations(_) => known.log.is_waiting() || !has_all() || !known.log.has_admitted(&self.me),
                Asked::Answered(_) | Asked::AnsweredOperations(_) => false,
            }
    }
}
