//! What others say of groups: operations go to the log, keys are kept, and what somebody asks for is answered as far as it
//! is theirs to have.

use std::collections::BTreeMap;

use super::effort::Whose;
use super::log::Log;
use super::rows::{Standing, State};
use super::{Group, Groups};
use crate::agent::change::Change;
use crate::content::GroupWord;
use crate::content::group::{Epoch, EpochId, OPERATIONS_AT_ONCE_MAX, Operation};
use crate::id::NodeId;
use crate::time::{DtnTime, HOUR, Millis};

/// Most groups that one is asked to join.
pub const INVITATIONS_MAX: usize = 64;
/// How soon the same is asked of somebody again, or answered again.
pub const ASKED_AGAIN: Millis = Millis(HOUR.0);
/// So many questions and answers are remembered.
pub const ASKED_MAX: usize = 4_096;
/// So many of them are of one member: who writes under keys without end is asked for these, and nobody else's place is taken.
pub const ASKED_EACH_MAX: usize = 64;

/// Bytes of a key in a word, and of each head beside it.
const KEY_BYTES: usize = 72;
const HEAD_BYTES: usize = 34;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Epoch(EpochId),
    Operations(NodeId),
    Answered(EpochId),
    AnsweredOperations(NodeId),
}

impl Groups {
    /// A word came from somebody, in mail or in the group; who is no contact fills no more than a part of the room for
    /// invitations. In a group that this person did nothing in yet nobody is answered: whoever may read from the start gets
    /// all that anybody has from those who asked them in.
    pub fn hear(&mut self, from: NodeId, is_contact: bool, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let group = word.group;
        let whose = match () {
            () if self.takes_part(&group) => Whose::Group(group),
            () if is_contact => Whose::Contact(from),
            () => Whose::Strangers,
        };
        if self.effort.steps_left(&whose, now) == 0 {
            if self.takes_part(&group) && is_question(word) {
                self.put_off_for_a_while(from, word, now);
            }
            return;
        }
        if !self.groups.contains_key(&group) && !self.is_asked_in(from, is_contact, word, whose, now, out) {
            return;
        }
        let left = self.effort.steps_left(&whose, now);
        let (known_before, steps_before) = (self.groups[&group].log.len(), self.groups[&group].log.steps());
        for operation in &word.operations {
            if self.groups[&group].log.steps() - steps_before >= left {
                break;
            }
            self.take(&group, operation.clone(), out);
        }
        let is_member = self.groups[&group].log.view().members.contains_key(&from);
        if is_member {
            for epoch in &word.keys {
                self.take_key(&group, epoch, from, now, out);
            }
        }
        if self.takes_part(&group) {
            match is_member {
                true => self.answer(from, word, now, out),
                false => self.answer_who_is_out(from, word, now, out),
            }
        }
        // Two who both lack what nobody has would else ask each other for ever.
        if !is_question(word) {
            self.ask_for_what_is_before(from, word, now, out);
        }
        if self.groups[&group].log.len() > known_before {
            self.answer_early(&group, now, out);
        }
        let steps = self.groups[&group].log.steps() - steps_before;
        self.effort.took_steps(whose, steps, now);
        self.settle(&group, now, out);
    }

    /// Asks for operations that are unknown here and that others name which came, or that the author of a key knew: who sent
    /// these, or where that is no member as far as one knows, an owner.
    fn ask_for_what_is_before(&mut self, from: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let (group, me) = (word.group, self.me);
        let log = &self.groups[&group].log;
        let is_member = log.view().members.contains_key(&from);
        let knew_more = || is_member && word.keys.iter().any(|epoch| !log.has_all(&epoch.heads));
        let is_begun = !log.has_admitted(&me);
        if !log.is_waiting() && !knew_more() && !is_begun {
            return;
        }
        let owner = || log.view().owners().copied().find(|owner| *owner != me);
        // Of a group that one is only asked to join any number may be members, and one of them asked.
        let host = || log.view().members.get(&me).map(|member| member.admitted_by);
        let whom = match log.has_of(&me) {
            true => Some(from).filter(|_| is_member).or_else(owner),
            false if is_begun => Some(from),
            false => host(),
        };
        let Some(whom) = whom.filter(|whom| *whom != me) else { return };
        self.later.want((whom, Asked::Operations(group)), group, now);
        if self.asks((whom, Asked::Operations(group)), now) {
            let have = self.groups[&group].log.heads();
            self.send(vec![whom], GroupWord { have, ..GroupWord::of(group) }, out);
        }
    }

    /// Something came that is sealed under an epoch that is unknown: its author is asked for the key.
    pub fn miss(&mut self, group: &NodeId, epoch: EpochId, from: NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get(group) else { return };
        let is_member = known.log.view().members.contains_key(&from);
        if from == self.me || !is_member || known.epochs.contains_key(&epoch) {
            return;
        }
        self.later.want((from, Asked::Epoch(epoch)), *group, now);
        if self.asks((from, Asked::Epoch(epoch)), now) {
            let have = self.groups[group].log.heads();
            self.send(vec![from], GroupWord { wants: vec![epoch], have, ..GroupWord::of(*group) }, out);
        }
    }

    /// Somebody asks this person to join a group that is unknown here.
    fn is_asked_in(
        &mut self,
        from: NodeId,
        is_contact: bool,
        word: &GroupWord,
        whose: Whose,
        now: DtnTime,
        out: &mut Vec<Change>,
    ) -> bool {
        let room = if is_contact { INVITATIONS_MAX } else { INVITATIONS_MAX / 2 };
        if !word.invites || self.count(Standing::Invited) >= room {
            return false;
        }
        let mut log = Log::new(word.group);
        let left = self.effort.steps_left(&whose, now);
        for operation in &word.operations {
            if log.steps() >= left {
                break;
            }
            log.take(operation.clone(), &mut Vec::new());
        }
        let members = &log.view().members;
        self.effort.took_steps(whose, log.steps(), now);
        let is_whole = members.contains_key(&self.me) && members.contains_key(&from);
        // Of a log that takes more words than one the first shows nobody who came late; the rest is asked for.
        let is_begun = !log.is_empty() && word.operations.len() == OPERATIONS_AT_ONCE_MAX;
        if !is_whole && !is_begun {
            return false;
        }
        let state = State { standing: Standing::Invited, since: now };
        self.groups.insert(word.group, Group { state, log: Log::new(word.group), epochs: BTreeMap::new() });
        self.keep_state(&word.group, out);
        true
    }

    /// Answers what a member asks for, as far as it is theirs to have.
    pub(super) fn answer(&mut self, to: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let group = word.group;
        if !is_question(word) {
            return;
        }
        let (mut keys, mut is_whole) = (Vec::new(), true);
        for id in &word.wants {
            let known = &self.groups[&group];
            let Some(kept) = known.epochs.get(id) else { continue };
            if !known.is_for(&kept.epoch, &to) {
                continue;
            }
            match self.asks((to, Asked::Answered(*id)), now) {
                true => keys.push(self.groups[&group].epochs[id].epoch.clone()),
                false => is_whole = false,
            }
        }
        let mut operations = self.groups[&group].log.lacking(&word.have);
        if !operations.is_empty() && !self.asks((to, Asked::AnsweredOperations(group)), now) {
            operations.clear();
            is_whole = false;
        }
        let has_answer = !keys.is_empty() || !operations.is_empty();
        let may_answer = has_answer && self.effort.may_answer(&group, &to, bytes_of(&operations, &keys), now);
        if !is_whole || has_answer != may_answer {
            self.put_off_for_a_while(to, word, now);
        }
        if may_answer {
            self.send_parts(vec![to], &group, operations, keys, false, out);
        }
    }

    /// Tells who is out how that came about: without what was before it they would take themselves for a member for ever.
    pub(super) fn answer_who_is_out(&mut self, to: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        if !is_question(word) {
            return;
        }
        let lacking = self.groups[&word.group].log.lacking_until_out(&to, &word.have);
        if lacking.is_empty() {
            // Whoever admitted them may be slower than they are.
            return self.later.put_off(to, word, None);
        }
        if !self.asks((to, Asked::AnsweredOperations(word.group)), now) {
            return;
        }
        match self.effort.may_answer(&word.group, &to, bytes_of(&lacking, &[]), now) {
            true => self.send_parts(vec![to], &word.group, lacking, Vec::new(), false, out),
            false => self.put_off_for_a_while(to, word, now),
        }
    }

    fn put_off_for_a_while(&mut self, who: NodeId, word: &GroupWord, now: DtnTime) {
        self.later.put_off(who, word, Some(DtnTime(now.0.saturating_add(ASKED_AGAIN.0))));
    }

    /// What follows from the log for this person.
    fn settle(&mut self, group: &NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get(group) else { return };
        let member = known.log.view().members.get(&self.me);
        match (known.state.standing, member) {
            // Who is asked in and out again is where they were: else each such group would stay.
            (Standing::Invited, None) if !known.log.has_admitted(&self.me) => {}
            (Standing::Invited, None) if !self.takes_part(group) => self.forget(group, out),
            // Whom somebody removed.
            (Standing::Joined | Standing::Invited, None) => self.stand(group, Standing::Out, now, out),
            // And who is asked again.
            (Standing::Out, Some(member)) if !member.joined => self.stand(group, Standing::Invited, now, out),
            _ => {}
        }
    }

    /// Whether it is time to ask, or to answer; and then it is remembered.
    pub(super) fn asks(&mut self, what: (NodeId, Asked), now: DtnTime) -> bool {
        let is_soon = |at: &DtnTime| now.0 < at.0.saturating_add(ASKED_AGAIN.0) && now.0 != 0;
        if self.asked.get(&what).is_some_and(is_soon) {
            return false;
        }
        let (first, who) = ((what.0, Asked::Epoch(EpochId([0; 16]))), what.0);
        let of_member = |asked: &BTreeMap<(NodeId, Asked), DtnTime>| {
            asked.range(first..).take_while(|((of, _), _)| *of == who).count()
        };
        if self.asked.len() >= ASKED_MAX || of_member(&self.asked) >= ASKED_EACH_MAX {
            self.asked.retain(|_, at| is_soon(at));
            if self.asked.len() >= ASKED_MAX || of_member(&self.asked) >= ASKED_EACH_MAX {
                return false;
            }
        }
        self.asked.insert(what, now);
        true
    }
}

/// What an answer takes in words, where each has all keys.
fn bytes_of(operations: &[Operation], keys: &[Epoch]) -> u64 {
    let of_operations: usize = operations.iter().map(|operation| operation.encode().len()).sum();
    let of_keys: usize = keys.iter().map(|epoch| KEY_BYTES + epoch.heads.len() * HEAD_BYTES).sum();
    (of_operations + of_keys * operations.len().div_ceil(OPERATIONS_AT_ONCE_MAX).max(1)) as u64
}

/// Whether somebody asks for something, and tells nothing.
fn is_question(word: &GroupWord) -> bool {
    word.operations.is_empty() && !(word.wants.is_empty() && word.have.is_empty())
}
