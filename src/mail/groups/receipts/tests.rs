use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::mail::groups::rows::Key;

const LARGE: usize = 50;
const WALL: DtnTime = DtnTime(850_000_000_000);

fn author() -> NodeId {
    NodeId::from_trusted([1; 32])
}

fn group() -> NodeId {
    NodeId::from_trusted([2; 32])
}

fn mark(n: u16) -> Mark {
    let mut mark = [0; 16];
    mark[..2].copy_from_slice(&n.to_be_bytes());
    mark
}

/// A member, its store, and the bundles that it holds with the copies that are left of each.
struct Member {
    receipts: Receipts,
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    held: BTreeMap<BundleId, (Batch, u16)>,
    members: usize,
    made: u8,
    now: Timestamp,
}

impl Member {
    fn of(members: usize) -> Member {
        let (kept, held) = (BTreeMap::new(), BTreeMap::new());
        Member { receipts: Receipts::default(), kept, held, members, made: 0, now: Timestamp(5_000_000) }
    }

    fn keep(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Keep { key, value: Some(value) } => drop(self.kept.insert(key, value)),
                Change::Keep { key, value: None } => drop(self.kept.remove(&key)),
                _ => unreachable!("receipts keep rows"),
            }
        }
    }

    fn wall(&self) -> DtnTime {
        DtnTime(WALL.0 + self.now.0)
    }

    fn gets(&mut self, marks: impl IntoIterator<Item = u16>) {
        for n in marks {
            let (mut out, owed) = (Vec::new(), Owed { mark: mark(n), came: self.wall() });
            self.receipts.owe((author(), group()), owed, self.members, self.now, &mut out);
            self.keep(out);
        }
    }

    /// Lets time pass, and sends what is due meanwhile; returns it.
    fn passes(&mut self, span: Millis) -> Vec<Batch> {
        let until = self.now + span;
        let mut all = Vec::new();
        while let Some(due) = self.receipts.next_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let held = &self.held;
            self.receipts.gather(self.now, |id| held.get(id).map(|(_, left)| *left));
            for batch in self.receipts.take_ready() {
                self.made += 1;
                let (id, mut out) = (BundleId([self.made; 32]), Vec::new());
                let over = self.receipts.sent(&batch, id, &mut out);
                self.keep(out);
                self.held.insert(id, (batch.clone(), batch.copies));
                over.iter().for_each(|id| drop(self.held.remove(id)));
                all.push(batch);
            }
        }
        self.now = until;
        all
    }

    /// What is held comes to its author, or to its end.
    fn ends(&mut self, is_heard: bool) {
        for id in std::mem::take(&mut self.held).into_keys() {
            let (mut out, at) = (Vec::new(), (self.now, self.wall()));
            self.receipts.gone(&id, is_heard, at, &mut out);
            self.keep(out);
        }
    }

    fn restarts(&mut self) {
        self.receipts = Receipts::default();
        for (key, value) in &self.kept {
            let Some(Key::Receipt(author, group, mark)) = rows::read_key(key) else { panic!("only receipts are kept") };
            self.receipts.load(author, group, mark, value, self.members);
        }
    }
}

fn marks(batch: &Batch) -> Vec<Mark> {
    let mut marks: Vec<Mark> = batch.got.iter().map(|owed| owed.mark).collect();
    marks.sort_unstable();
    marks
}

fn all(marks: impl IntoIterator<Item = u16>) -> Vec<Mark> {
    marks.into_iter().map(mark).collect()
}

#[test]
fn what_came_together_is_told_together_a_moment_later() {
    let mut member = Member::of(LARGE);
    member.gets(0..10);
    assert_eq!(member.passes(Millis(SETTLES.0 - 1)), []);
    let sent = member.passes(Millis(1));
    assert_eq!((sent.len(), marks(&sent[0]), sent[0].copies), (1, all(0..10), GOT_COPIES_MAX));
    let word = word_in(&sent[0].plaintext()).unwrap();
    assert_eq!((word.group, word.got.len()), (group(), 10));
    member.ends(true);
    assert!(member.kept.is_empty() && member.receipts.next_timeout().is_none());
}

#[test]
fn in_a_large_group_batches_are_ten_minutes_apart_or_full_and_in_a_small_one_none_waits() {
    for (members, waits) in [(MEMBERS_FEW, false), (LARGE, true)] {
        let mut member = Member::of(members);
        member.gets([0]);
        assert_eq!(member.passes(SETTLES).len(), 1);
        member.gets([1]);
        assert_eq!(member.passes(SETTLES).is_empty(), waits);
        member.gets(2..2 + GOT_MAX as u16);
        assert!(!member.passes(SETTLES).is_empty(), "what is full goes");
        member.gets([999]);
        assert_eq!(member.passes(APART).len(), 1);
    }
}

#[test]
fn what_no_author_is_known_to_have_is_named_again_until_one_does() {
    let mut member = Member::of(LARGE);
    member.gets([0]);
    assert_eq!(member.passes(APART).len(), 1);
    member.gets([1, 2]);
    let second = member.passes(APART).pop().unwrap();
    assert_eq!(
        (marks(&second), second.fresh, member.held.len()),
        (all(0..3), 2, 1),
        "one takes the place of the other"
    );
    // Also where the process ended in between.
    member.restarts();
    member.gets([3]);
    let third = member.passes(APART).pop().unwrap();
    assert_eq!((marks(&third), third.fresh, member.held.len()), (all(0..4), 1, 1));
    member.ends(true);
    member.gets([4]);
    assert_eq!(marks(&member.passes(APART)[0]), all([4]));
}

#[test]
fn a_message_pays_for_one_copy_and_what_was_not_spent_goes_over() {
    let mut member = Member::of(LARGE);
    let copies = |sent: Vec<Batch>| sent.iter().map(|batch| batch.copies).collect::<Vec<_>>();
    member.gets([0]);
    assert_eq!(copies(member.passes(APART)), [2], "one for a carrier, and one that stays");
    member.gets([1]);
    assert_eq!(copies(member.passes(APART)), [3], "nobody took the first");
    // All but the last went to carriers.
    member.held.values_mut().for_each(|(_, left)| *left = 1);
    member.gets([2]);
    assert_eq!(copies(member.passes(APART)), [2]);
    member.gets(3..9);
    assert_eq!(copies(member.passes(APART)), [GOT_COPIES_MAX]);
    let mut few = Member::of(MEMBERS_FEW);
    few.gets([0]);
    assert_eq!(copies(few.passes(SETTLES)), [GOT_COPIES_MAX]);
}

#[test]
fn what_was_not_sent_when_the_process_ended_is_sent_after_it() {
    let mut member = Member::of(LARGE);
    member.gets(0..3);
    member.restarts();
    let sent = member.passes(Millis(0));
    assert_eq!(marks(&sent[0]), all(0..3));
    // And where it ended between the bundle and what says that it is there, it goes twice.
    member.kept.values_mut().for_each(|value| value.truncate(8));
    member.restarts();
    assert_eq!(marks(&member.passes(Millis(0))[0]), all(0..3));
}

#[test]
fn what_could_not_be_sent_is_tried_again_and_not_at_once() {
    let mut member = Member::of(LARGE);
    member.gets(0..3);
    member.now = member.now + SETTLES;
    assert!(member.receipts.gather(member.now, |_| None));
    let batch = member.receipts.take_ready().pop().unwrap();
    member.receipts.not_sent(&batch);
    assert!(member.receipts.next_timeout().unwrap() > member.now);
    assert_eq!(marks(&member.passes(MINUTE)[0]), all(0..3));
}

#[test]
fn what_ended_unheard_is_told_anew_for_a_month() {
    let mut member = Member::of(LARGE);
    member.gets([0]);
    for day in (0..OWED.0).step_by(RECEIPT_LIFETIME.0 as usize) {
        let sent = member.passes(RECEIPT_LIFETIME);
        assert_eq!(sent.iter().map(marks).collect::<Vec<_>>(), [all([0])], "at {day}");
        member.ends(false);
    }
    assert!(member.passes(RECEIPT_LIFETIME).is_empty() && member.kept.is_empty());
}

#[test]
fn an_author_who_writes_without_end_has_a_bounded_number_of_bundles_here() {
    let mut member = Member::of(256);
    for n in 0..100 {
        member.gets((0..100).map(|k| n * 100 + k));
        member.passes(SETTLES);
        assert!(member.held.len() <= UNDER_WAY_MAX);
        assert!(member.kept.len() <= (UNDER_WAY_MAX + 2) * GOT_MAX, "{}", member.kept.len());
    }
    member.passes(APART);
    assert!(member.held.values().all(|(batch, _)| batch.got.len() <= GOT_MAX && batch.copies <= GOT_COPIES_MAX));
    member.ends(true);
    assert!(member.kept.is_empty());
}

/// What may happen to a member.
#[derive(Clone, Copy, Debug)]
enum Step {
    Gets(u8),
    Passes(u32),
    Ends(bool),
    Restarts,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..90u8).prop_map(Step::Gets),
        (0..2_000_000u32).prop_map(Step::Passes),
        any::<bool>().prop_map(Step::Ends),
        Just(Step::Restarts),
    ]
}

proptest! {
    /// Whatever happens in between: in the end the author has heard of all, once it is there, but of what was given up.
    #[test]
    fn all_that_came_is_told_or_under_way(steps in proptest::collection::vec(any_step(), 0..40), members in 2..60usize) {
        let (mut member, mut next, mut told) = (Member::of(members), 0u16, BTreeSet::new());
        for step in steps {
            match step {
                Step::Gets(many) => {
                    // Less than what is given up.
                    let many = u16::from(many).min(500u16.saturating_sub(next));
                    member.gets(next..next + many);
                    next += many;
                }
                Step::Passes(span) => drop(member.passes(Millis(span.into()))),
                Step::Ends(is_heard) => {
                    told.extend(member.held.values().filter(|_| is_heard).flat_map(|(batch, _)| marks(batch)));
                    member.ends(is_heard);
                }
                Step::Restarts => member.restarts(),
            }
            prop_assert!(member.held.len() <= UNDER_WAY_MAX);
        }
        member.passes(APART);
        told.extend(member.held.values().flat_map(|(batch, _)| marks(batch)));
        if member.made < UNDER_WAY_MAX as u8 {
            prop_assert_eq!(told.into_iter().collect::<Vec<_>>(), all(0..next));
        }
        member.ends(true);
        prop_assert!(member.kept.is_empty() && member.receipts.next_timeout().is_none());
    }
}
