//! What others say of groups: operations go to the log, keys are kept, and what somebody asks for is answered as far as it
//! is theirs to have.

use std::collections::BTreeMap;

use super::effort::Whose;
use super::log::{Log, Taken};
use super::rows::{Standing, State};
use super::{Group, Groups};
use crate::agent::change::Change;
use crate::content::GroupWord;
use crate::content::group::{Epoch, EpochId, OPERATIONS_AT_ONCE_MAX, Operation};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime, HOUR, Millis};

/// Most groups that one is asked to join.
pub const INVITATIONS_MAX: usize = 64;
/// How soon the same is asked of somebody again, or answered again.
pub const ASKED_AGAIN: Millis = Millis(HOUR.0);
/// So often the same is asked of somebody, or answered, while the log here stays as it is: what did not help until then does
/// not, and two who each wait for the other stop.
pub const SAME_MAX: u32 = 16;
/// After so long without it the same is asked and answered as if it were new.
pub const SAME_FORGOTTEN: Millis = Millis(30 * DAY.0);
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

/// When something was asked or answered last, and how often with a log of this length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    at: DtnTime,
    times: u32,
    log_len: usize,
}

/// Whether it is time to ask somebody for something, or to answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// It was done shortly before, or there is no room to remember it.
    Later,
    /// It was done often enough.
    Never,
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
        // Only what is new brings about a question. Two who both lack what nobody has would else ask each other for ever, and
        // so would one who knows more ask one who knows less, and hear what they know.
        let (mut is_news, mut knew_more) = (word.invites, false);
        for operation in &word.operations {
            if self.groups[&group].log.steps() - steps_before >= left {
                is_news = true;
                break;
            }
            let waited = self.groups[&group].log.waits(&operation.id());
            is_news |= match self.take(&group, operation.clone(), out) {
                Taken::New => true,
                Taken::Waits => !waited,
                Taken::Known | Taken::Refused => false,
            };
        }
        let is_member = self.groups[&group].log.view().members.contains_key(&from);
        if is_member {
            for epoch in &word.keys {
                let is_new = self.take_key(&group, epoch, from, now, out);
                knew_more |= is_new && !self.groups[&group].log.has_all(&epoch.heads);
            }
        }
        if self.takes_part(&group) {
            match is_member {
                true => self.answer(from, word, now, out),
                false => self.answer_who_is_out(from, word, now, out),
            }
        }
        let has_grown = self.groups[&group].log.len() > known_before;
        if has_grown {
            self.begin_asking_anew(&group);
        }
        if is_news || knew_more {
            self.ask_for_what_is_before(from, &group, knew_more, now, out);
        }
        if has_grown {
            self.answer_early(&group, now, out);
        }
        let steps = self.groups[&group].log.steps() - steps_before;
        self.effort.took_steps(whose, steps, now);
        self.settle(&group, now, out);
    }

    /// Asks for operations that are unknown here and that others name which came, or that the author of a key knew: who sent
    /// these, or where that is no member as far as one knows, an owner.
    fn ask_for_what_is_before(
        &mut self,
        from: NodeId,
        group: &NodeId,
        knew_more: bool,
        now: DtnTime,
        out: &mut Vec<Change>,
    ) {
        let (group, me) = (*group, self.me);
        let log = &self.groups[&group].log;
        let is_member = log.view().members.contains_key(&from);
        let is_begun = !log.has_admitted(&me);
        if !log.is_waiting() && !knew_more && !is_begun {
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
        if self.turn((whom, Asked::Operations(group)), &group, now) == Turn::Now {
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
        if self.turn((from, Asked::Epoch(epoch)), group, now) == Turn::Now {
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
            match self.turn((to, Asked::Answered(*id)), &group, now) {
                Turn::Now => keys.push(self.groups[&group].epochs[id].epoch.clone()),
                Turn::Later => is_whole = false,
                Turn::Never => {}
            }
        }
        let mut operations = self.groups[&group].log.lacking(&word.have);
        if !operations.is_empty() {
            let turn = self.turn((to, Asked::AnsweredOperations(group)), &group, now);
            if turn != Turn::Now {
                operations.clear();
                is_whole &= turn == Turn::Never;
            }
        }
        let has_answer = !keys.is_empty() || !operations.is_empty();
        let may_answer = has_answer && self.effort.may_answer(&group, &to, bytes_of(&operations, &keys), now);
        if has_answer && !may_answer {
            keys.iter().for_each(|epoch| self.take_back((to, Asked::Answered(epoch.id(&group)))));
            if !operations.is_empty() {
                self.take_back((to, Asked::AnsweredOperations(group)));
            }
        }
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
        if self.turn((to, Asked::AnsweredOperations(word.group)), &word.group, now) != Turn::Now {
            return;
        }
        match self.effort.may_answer(&word.group, &to, bytes_of(&lacking, &[]), now) {
            true => self.send_parts(vec![to], &word.group, lacking, Vec::new(), false, out),
            false => {
                self.take_back((to, Asked::AnsweredOperations(word.group)));
                self.put_off_for_a_while(to, word, now);
            }
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
    pub(super) fn turn(&mut self, what: (NodeId, Asked), group: &NodeId, now: DtnTime) -> Turn {
        let is_within = |at: &DtnTime, span: Millis| now.0 < at.0.saturating_add(span.0);
        let is_soon = |said: &Said| now.0 != 0 && is_within(&said.at, ASKED_AGAIN);
        let log_len = self.groups[group].log.len();
        let before = self.asked.get(&what);
        if before.is_some_and(is_soon) {
            return Turn::Later;
        }
        let counts = |said: &&Said| said.log_len == log_len && is_within(&said.at, SAME_FORGOTTEN);
        let times = before.filter(counts).map_or(0, |said| said.times);
        if times >= SAME_MAX {
            return Turn::Never;
        }
        if before.is_none() && !self.has_room_for(what.0, is_soon) {
            return Turn::Later;
        }
        self.asked.insert(what, Said { at: now, times: times + 1, log_len });
        Turn::Now
    }

    /// What is put off after all does not count as answered.
    fn take_back(&mut self, what: (NodeId, Asked)) {
        if let Some(said) = self.asked.get_mut(&what) {
            said.times = said.times.saturating_sub(1);
        }
    }

    /// Whether there is room to remember something more that was asked of somebody; what is long ago makes room.
    fn has_room_for(&mut self, who: NodeId, is_soon: impl Fn(&Said) -> bool) -> bool {
        let first = (who, Asked::Epoch(EpochId([0; 16])));
        let of_member = |asked: &BTreeMap<(NodeId, Asked), Said>| {
            asked.range(first..).take_while(|((of, _), _)| *of == who).count()
        };
        if of_member(&self.asked) >= ASKED_EACH_MAX {
            self.asked.retain(|(of, _), said| *of != who || is_soon(said));
        }
        if self.asked.len() >= ASKED_MAX {
            self.asked.retain(|_, said| is_soon(said));
        }
        self.asked.len() < ASKED_MAX && of_member(&self.asked) < ASKED_EACH_MAX
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
