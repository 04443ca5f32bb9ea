//! What people in groups may have others do for them, members, owners and those who ask one in.

use super::*;
use crate::content::group::Act;
use crate::mail::groups::log::{OPERATIONS_OF_AUTHOR_MAX, Taken};
use crate::mail::groups::{ANSWERS_BYTES_MAX, ANSWERS_OF_MEMBER_BYTES_MAX, ASKED_AGAIN, STEPS_OF_STRANGERS_MAX};

/// What somebody wrote into a log by hand.
struct Scribe {
    group: NodeId,
    operations: Vec<Operation>,
}

impl Scribe {
    fn begins(by: u8, nonce: u8) -> Scribe {
        let begin = Operation::begin("crew", [nonce; 16], NOW, &key(by));
        Scribe { group: begin.group, operations: vec![begin] }
    }

    fn last(&self) -> OperationId {
        self.operations.last().unwrap().id()
    }

    /// Behind these; the time tells it from others like it.
    fn behind(&mut self, before: &[OperationId], by: &SigningKey, act: Act) -> OperationId {
        let mut before = before.to_vec();
        before.sort_unstable();
        let at = DtnTime(NOW.0 + self.operations.len() as u64);
        self.operations.push(Operation::sign(self.group, before, at, act, by));
        self.last()
    }

    fn then(&mut self, by: u8, act: Act) -> OperationId {
        self.behind(&[self.last()], &key(by), act)
    }

    fn admits(&mut self, by: u8, who: NodeId) -> OperationId {
        self.then(by, Act::Admit { who, role: Role::Member, from_start: true })
    }

    fn admit_all(&mut self, by: u8, all: std::ops::Range<u8>) {
        all.for_each(|n| {
            self.admits(by, node(n));
        });
    }

    /// Sends all of it, in words that ask to join.
    fn asks_in(&self, me: &mut Person, from: NodeId, is_contact: bool) {
        for some in self.operations.chunks(400) {
            let word = GroupWord { operations: some.to_vec(), invites: true, ..GroupWord::of(self.group) };
            me.does(|groups, by, out| groups.hear(from, is_contact, &word, by.now, out));
        }
    }

    fn steps(&self, me: &Person) -> u64 {
        me.groups.get(&self.group).map_or(0, |known| known.log.steps())
    }
}

fn asks(me: &mut Person, from: NodeId, group: NodeId) {
    let word = GroupWord { have: vec![OperationId([9; 32])], ..GroupWord::of(group) };
    me.does(|groups, by, out| groups.hear(from, false, &word, by.now, out));
}

fn bytes(sent: &[ToSend]) -> u64 {
    sent.iter().map(|sent| sent.content.len() as u64).sum()
}

#[test]
fn who_is_only_asked_to_join_answers_nobody_there() {
    let mut me = Person::new(1);
    let mut theirs = Scribe::begins(2, 1);
    theirs.admits(2, node(1));
    theirs.admit_all(2, 3..60);
    theirs.asks_in(&mut me, node(2), false);
    assert_eq!(me.groups.get(&theirs.group).unwrap().state.standing, Standing::Invited);
    (2..60).for_each(|n| asks(&mut me, node(n), theirs.group));
    // Nor do any number of members get a question of what is before their operations.
    for n in 3..60 {
        let stray = Operation::sign(theirs.group, vec![OperationId([n; 32])], NOW, Act::Join, &key(n));
        let word = GroupWord { operations: vec![stray], ..GroupWord::of(theirs.group) };
        me.does(|groups, by, out| groups.hear(node(n), false, &word, by.now, out));
    }
    let sent = me.sends();
    assert!(sent.iter().all(|sent| sent.to == Recipients::Each(vec![node(2)])) && sent.len() <= 1, "{}", sent.len());
    me.restarts();
    me.now = DtnTime(NOW.0 + ASKED_AGAIN.0);
    me.does(|groups, by, out| groups.catch_up(by.now, out));
    assert!(me.sends().is_empty());

    me.does(|groups, by, out| groups.join(&theirs.group, by, out)).unwrap();
    me.sends();
    asks(&mut me, node(3), theirs.group);
    assert_eq!(me.sends().len(), 1, "who joined answers");
}

#[test]
fn a_stranger_who_asks_in_and_out_without_end_leaves_nothing() {
    let mut me = Person::new(1);
    for n in 0..200 {
        let mut theirs = Scribe::begins(2, n);
        theirs.admits(2, node(1));
        let keys = vec![Epoch { author: node(2), heads: vec![theirs.last()], key: GroupKey([n; 32]) }];
        let operations = theirs.operations.clone();
        let word = GroupWord { operations, keys, invites: true, ..GroupWord::of(theirs.group) };
        me.does(|groups, by, out| groups.hear(node(2), false, &word, by.now, out));
        let stray = Operation::sign(theirs.group, vec![OperationId([n; 32])], NOW, Act::Join, &key(3));
        theirs.then(2, Act::Remove { who: node(1) });
        let operations = vec![stray, theirs.operations.pop().unwrap()];
        let word = GroupWord { operations, ..GroupWord::of(theirs.group) };
        me.does(|groups, by, out| groups.hear(node(2), false, &word, by.now, out));
    }
    me.sends();
    assert_eq!((me.groups.all().count(), me.kept.len()), (0, 0));

    // What one had to do with stays.
    let mut theirs = Scribe::begins(2, 1);
    theirs.admits(2, node(1));
    theirs.asks_in(&mut me, node(2), false);
    me.does(|groups, by, out| groups.join(&theirs.group, by, out)).unwrap();
    theirs.then(2, Act::Remove { who: node(1) });
    theirs.asks_in(&mut me, node(2), false);
    assert_eq!(me.groups.get(&theirs.group).unwrap().state.standing, Standing::Out);
}

#[test]
fn a_log_that_is_hard_to_judge_takes_a_bounded_part_of_an_hour() {
    // Owners who remove each other, and were admitted by one who is removed beside that: of none of them does anything
    // count, and that comes out one by one.
    let mut hard = Scribe::begins(2, 1);
    hard.admits(2, node(1));
    let admitted = hard.then(2, Act::Admit { who: node(3), role: Role::Owner, from_start: true });
    let mut ends = vec![hard.then(2, Act::Remove { who: node(3) })];
    let rivals: Vec<SigningKey> = (10..30).map(key).collect();
    let mut last = admitted;
    for rival in &rivals {
        let admit = Act::Admit { who: rival.node(), role: Role::Owner, from_start: true };
        last = hard.behind(&[last], &key(3), admit);
    }
    for one in &rivals {
        for other in rivals.iter().filter(|other| other.node() != one.node()) {
            ends.push(hard.behind(&[last], one, Act::Remove { who: other.node() }));
        }
    }
    while ends.len() > 1 {
        let some: Vec<OperationId> = ends.drain(..ends.len().min(8)).collect();
        ends.push(hard.behind(&some, &key(2), Act::Rename { name: "tied".into() }));
    }
    for _ in 0..400 {
        hard.behind(&ends, &key(2), Act::Rename { name: "beside".into() });
    }
    let mut me = Person::new(1);
    hard.asks_in(&mut me, node(2), false);
    let first = hard.steps(&me);
    let known = me.groups.get(&hard.group).unwrap().log.len();
    assert!(first < STEPS_OF_STRANGERS_MAX * 9 / 8, "{first} steps");
    assert!(known < hard.operations.len(), "it is worth the bound");
    for n in 2..9 {
        hard.asks_in(&mut me, node(n), false);
    }
    assert_eq!(hard.steps(&me), first, "whoever brings the rest");
    // A contact's is looked at all the same, and so is the rest of this one when time has passed.
    let mut friends = Scribe::begins(4, 1);
    friends.admits(4, node(1));
    friends.asks_in(&mut me, node(4), true);
    assert!(me.groups.get(&friends.group).is_some());
    me.now = DtnTime(NOW.0 + ASKED_AGAIN.0);
    hard.asks_in(&mut me, node(2), false);
    assert!(me.groups.get(&hard.group).unwrap().log.len() > known);
}

#[test]
fn members_who_ask_without_end_are_answered_with_so_much_a_day() {
    let mut me = Person::new(1);
    let mut theirs = Scribe::begins(2, 1);
    theirs.admits(2, node(1));
    theirs.admit_all(2, 3..100);
    for n in 0..900 {
        theirs.then(2, Act::Rename { name: format!("{n:064}") });
    }
    theirs.asks_in(&mut me, node(2), false);
    me.does(|groups, by, out| groups.join(&theirs.group, by, out)).unwrap();
    me.sends();
    let whole: u64 = theirs.operations.iter().map(|operation| operation.encode().len() as u64).sum();
    let mut sent = 0;
    for hour in 0..23 {
        me.now = DtnTime(NOW.0 + hour * ASKED_AGAIN.0);
        asks(&mut me, node(3), theirs.group);
        sent += bytes(&me.sends());
    }
    assert!(sent > ANSWERS_OF_MEMBER_BYTES_MAX - whole && sent < ANSWERS_OF_MEMBER_BYTES_MAX * 9 / 8, "{sent}");
    for n in 4..100 {
        asks(&mut me, node(n), theirs.group);
        sent += bytes(&me.sends());
    }
    assert!(sent > ANSWERS_BYTES_MAX - whole && sent < ANSWERS_BYTES_MAX * 9 / 8, "{sent}");
    me.now = DtnTime(NOW.0 + 24 * ASKED_AGAIN.0);
    me.does(|groups, by, out| groups.catch_up(by.now, out));
    assert!(!me.sends().is_empty(), "who was not answered is answered then");
}

#[test]
fn who_fills_a_log_with_nothing_can_still_be_removed() {
    let mut theirs = Scribe::begins(1, 1);
    theirs.admit_all(1, 2..6);
    let admitted = theirs.last();
    let mut log = log::Log::new(theirs.group);
    theirs.operations.iter().for_each(|operation| assert_eq!(log.take(operation.clone(), &mut Vec::new()), Taken::New));
    for n in 2..6 {
        let mut last = admitted;
        for _ in 0..OPERATIONS_OF_AUTHOR_MAX {
            last = theirs.behind(&[last], &key(n), Act::Other(vec![0x81, 0x18, 99]));
            log.take(theirs.operations.last().unwrap().clone(), &mut Vec::new());
        }
    }
    let remove = Operation::sign(theirs.group, log.heads(), NOW, Act::Remove { who: node(5) }, &key(1));
    assert_eq!(log.take(remove, &mut Vec::new()), Taken::New);
    assert!(!log.view().members.contains_key(&node(5)));
}
