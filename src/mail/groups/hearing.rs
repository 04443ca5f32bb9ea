//! What others say of groups: operations go to the log, keys are kept, and what somebody asks for is answered as far as it
//! is theirs to have.

use std::collections::BTreeMap;

use super::log::Log;
use super::rows::{Standing, State};
use super::{Group, Groups};
use crate::agent::change::Change;
use crate::content::GroupWord;
use crate::content::group::EpochId;
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Epoch(EpochId),
    Operations(NodeId),
    Answered(EpochId),
    AnsweredOperations(NodeId),
}

impl Groups {
    /// A word came from somebody, in mail or in the group; who is no contact fills no more than a part of the room for
    /// invitations.
    pub fn hear(&mut self, from: NodeId, is_contact: bool, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let group = word.group;
        if !self.groups.contains_key(&group) && !self.is_asked_in(from, is_contact, word, now, out) {
            return;
        }
        let known_before = self.groups[&group].log.len();
        for operation in &word.operations {
            self.take(&group, operation.clone(), out);
        }
        let is_member = |groups: &Groups| groups.groups[&group].log.view().members.contains_key(&from);
        if is_member(self) {
            for epoch in &word.keys {
                self.take_key(&group, epoch, from, now, out);
            }
            self.answer(from, word, now, out);
        } else {
            self.answer_who_is_out(from, word, now, out);
        }
        // Two who both lack what nobody has would else ask each other for ever.
        if !is_question(word) {
            self.ask_for_what_is_before(from, word, now, out);
        }
        if self.groups[&group].log.len() > known_before {
            self.answer_early(&group, now, out);
        }
        self.settle(&group, now, out);
    }

    /// Asks for operations that are unknown here and that others name which came, or that the author of a key knew: who sent
    /// these, or where that is no member as far as one knows, an owner.
    fn ask_for_what_is_before(&mut self, from: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let (group, me) = (word.group, self.me);
        let log = &self.groups[&group].log;
        let is_member = log.view().members.contains_key(&from);
        let knew_more = || is_member && word.keys.iter().any(|epoch| !log.has_all(&epoch.heads));
        if !log.is_waiting() && !knew_more() {
            return;
        }
        let owner = || log.view().owners().copied().find(|owner| *owner != me);
        let Some(whom) = Some(from).filter(|_| is_member).or_else(owner) else { return };
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
        now: DtnTime,
        out: &mut Vec<Change>,
    ) -> bool {
        let room = if is_contact { INVITATIONS_MAX } else { INVITATIONS_MAX / 2 };
        if !word.invites || self.count(Standing::Invited) >= room {
            return false;
        }
        let mut log = Log::new(word.group);
        for operation in &word.operations {
            log.take(operation.clone(), &mut Vec::new());
        }
        let members = &log.view().members;
        if !members.contains_key(&self.me) || !members.contains_key(&from) {
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
        if !is_whole {
            self.later.put_off(to, word, Some(DtnTime(now.0.saturating_add(ASKED_AGAIN.0))));
        }
        if !keys.is_empty() || !operations.is_empty() {
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
        if self.asks((to, Asked::AnsweredOperations(word.group)), now) {
            self.send_parts(vec![to], &word.group, lacking, Vec::new(), false, out);
        }
    }

    /// What follows from the log for this person.
    fn settle(&mut self, group: &NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get(group) else { return };
        let member = known.log.view().members.get(&self.me);
        match (known.state.standing, member) {
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

/// Whether somebody asks for something, and tells nothing.
fn is_question(word: &GroupWord) -> bool {
    word.operations.is_empty() && !(word.wants.is_empty() && word.have.is_empty())
}
