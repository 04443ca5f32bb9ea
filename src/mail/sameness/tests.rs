use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::content::{Amendment, Digest, Reaction};
use crate::eid::Eid;
use crate::mail::conversation::{Conversation, spoken};
use crate::mail::index;
use crate::mail::order::Span;
use crate::mail::samples;
use crate::time::DtnTime;

type Index = BTreeMap<Vec<u8>, Vec<u8>>;

/// What comes from one author, named by its number.
#[derive(Clone, Debug)]
enum Sent {
    /// These words; of the content of another, and with something beside them.
    Words {
        words: u8,
        beside: u8,
        same: Option<u8>,
    },
    Edit {
        target: u8,
        prior: Option<u8>,
    },
    Reacts {
        target: u8,
    },
    Withdraws {
        target: u8,
    },
}

/// What a reader has of one content.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    /// The number of what the words came with that stand.
    stands: u8,
    edited: bool,
    withdrawn: bool,
    reactions: usize,
    /// All words that can be read, by what they came with.
    history: BTreeSet<u8>,
}

fn author() -> NodeId {
    NodeId::from_trusted([1; 32])
}

fn id(n: u8) -> BundleId {
    BundleId([n; 32])
}

fn with() -> Conversation {
    Conversation(Eid::mail(author()))
}

fn meaning(sent: &Sent) -> Meaning {
    let mark = |n: u8| [n; 16];
    match *sent {
        Sent::Words { words, beside, same } => {
            let likeness = Likeness { words: [words; 16], beside: [beside; 16], is_bare: false };
            Meaning::Words(Words { same: same.map(mark), likeness, ..Words::default() })
        }
        Sent::Edit { target, prior } => {
            let prior = prior.map(mark).into_iter().collect();
            Meaning::Change(Amendment { target: mark(target), prior, body: Some("".into()), ..Amendment::default() })
        }
        Sent::Reacts { target } => {
            let reaction = Some(Reaction { text: "yes".into(), on: true });
            Meaning::Change(Amendment { target: mark(target), reaction, ..Amendment::default() })
        }
        Sent::Withdraws { target } => {
            Meaning::Change(Amendment { target: mark(target), withdrawn: true, ..Amendment::default() })
        }
    }
}

fn letter(n: u8, row: u64) -> Letter {
    let creation = Creation { time: DtnTime(5), sequence: n.into() };
    Letter { id: id(n), source: author(), from: author(), creation, ..samples::letter(row, 1) }
}

/// Delivers what has these numbers in this order; returns the rows whose words were to be forgotten.
fn deliver(index: &mut Index, sent: &BTreeMap<u8, Sent>, order: &[u8]) -> BTreeMap<u64, u8> {
    let mut rows = BTreeMap::new();
    for n in order {
        // A later copy of a bundle never comes so far.
        if rows.values().any(|came| came == n) {
            continue;
        }
        let row = rows.len() as u64 + 1;
        rows.insert(row, *n);
        index::deliver(index, &letter(*n, row), &meaning(&sent[n]), 0).unwrap();
    }
    rows
}

/// What can be read, and what of it is in which row.
fn read(index: &Index, sent: &BTreeMap<u8, Sent>, rows: &BTreeMap<u64, u8>) -> BTreeSet<Read> {
    let shown = spoken(index, &with(), Span::ALL, false, 999).unwrap();
    let one = |position: crate::mail::order::Position| {
        let row = position.row();
        let n = rows[&row.0];
        let Sent::Words { same, .. } = sent[&n] else { panic!("a change is shown nowhere") };
        let mark = index::name_of(index, &with(), row, &id(n), same.map(|same| [same; 16])).unwrap();
        let registers = index::registers(index, &with(), &mark, &author()).unwrap();
        let words = registers.bodies().into_iter().chain([row]).map(|row| rows[&row.0]);
        Read {
            stands: rows[&registers.body().unwrap_or(row).0],
            edited: registers.is_edited(),
            withdrawn: registers.is_withdrawn(),
            reactions: registers.reactions().len(),
            history: words.collect(),
        }
    };
    shown.into_iter().map(|(position, _)| one(position)).collect()
}

#[test]
fn a_later_bundle_with_other_words_is_an_edit_of_the_first_and_both_can_be_read() {
    let words = |words, same| Sent::Words { words, beside: 0, same };
    let sent = BTreeMap::from([(1, words(1, None)), (2, words(2, Some(1)))]);
    let expected = Read { stands: 2, edited: true, withdrawn: false, reactions: 0, history: [1, 2].into() };
    for order in [[1, 2], [2, 1]] {
        let mut index = Index::new();
        let rows = deliver(&mut index, &sent, &order);
        assert_eq!(
            read(&index, &sent, &rows).into_iter().collect::<Vec<_>>(),
            [Read { history: expected.history.clone(), ..expected }]
        );
    }
}

#[test]
fn what_differs_in_more_than_its_words_is_a_message_of_its_own() {
    let sent = BTreeMap::from([
        (1, Sent::Words { words: 1, beside: 1, same: None }),
        (2, Sent::Words { words: 2, beside: 2, same: Some(1) }),
        (3, Sent::Edit { target: 2, prior: None }),
    ]);
    for order in [[1, 2, 3], [2, 1, 3], [3, 2, 1]] {
        let mut index = Index::new();
        let rows = deliver(&mut index, &sent, &order);
        let all = read(&index, &sent, &rows);
        assert_eq!(all.len(), 2, "{order:?}: {all:?}");
        assert_eq!(all.iter().flat_map(|read| &read.history).collect::<BTreeSet<_>>().len(), 3, "{all:?}");
    }
    for order in [[1, 2, 3], [2, 1, 3]] {
        let mut index = Index::new();
        let rows = deliver(&mut index, &sent, &order);
        let stands: Vec<u8> = read(&index, &sent, &rows).iter().map(|read| read.stands).collect();
        assert_eq!(stands, [1, 3], "{order:?}");
    }
}

#[test]
fn past_the_bound_what_says_the_same_leaves_its_words_and_what_says_something_else_has_a_row() {
    let mut sent = BTreeMap::from([(1, Sent::Words { words: 1, beside: 0, same: None })]);
    sent.extend((2..=66).map(|n| (n, Sent::Words { words: n, beside: 0, same: Some(1) })));
    let mut index = Index::new();
    let rows = deliver(&mut index, &sent, &sent.keys().copied().collect::<Vec<_>>());
    assert_eq!(rows.len(), SAME_MAX + 2);
    let shown: Vec<usize> = read(&index, &sent, &rows).iter().map(|read| read.history.len()).collect();
    assert_eq!(shown.iter().sum::<usize>(), rows.len(), "each can be read: {shown:?}");
    assert_eq!(shown.len(), 2);
    let again = Sent::Words { words: 7, beside: 0, same: Some(1) };
    assert_eq!(index::deliver(&mut index, &letter(99, 99), &meaning(&again), 0).unwrap(), [Row(99)]);
    assert_eq!(spoken(&index, &with(), Span::ALL, false, 999).unwrap().len(), 2, "it is shown already");
}

#[test]
fn a_change_of_any_bundle_of_a_content_changes_it_also_where_it_came_first() {
    let words = |same| Sent::Words { words: 1, beside: 0, same };
    let sent = BTreeMap::from([
        (1, words(None)),
        (2, words(Some(1))),
        (3, Sent::Reacts { target: 2 }),
        (4, Sent::Withdraws { target: 2 }),
    ]);
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]] {
        let mut index = Index::new();
        let rows = deliver(&mut index, &sent, &order);
        let all = read(&index, &sent, &rows);
        assert_eq!(all.len(), 1);
        assert!(all.iter().all(|read| read.withdrawn && read.reactions == 1), "{order:?}: {all:?}");
    }
}

#[test]
fn one_s_own_that_was_changed_before_it_left_goes_on_in_its_place_as_the_task_that_it_was() {
    let mut index = Index::new();
    let told = |n: u8, same: Option<Mark>| {
        let words = Words { same, is_task: true, has_files: true, ..Words::default() };
        (id(n), Row(n.into()), Meaning::Words(words))
    };
    let outgoing = |n: u8| Outgoing { destination: Eid::mail(author()), ..samples::outgoing(n.into()) };
    let mark = [1; 16];
    for (n, same) in [(1, None), (2, Some(mark))] {
        index::post(&mut index, &outgoing(n), &told(n, same).2, 0).unwrap();
    }
    index::unpost(&mut index, &outgoing(1)).unwrap();
    assert_eq!(index::tasks(&index, None, 9).unwrap(), [(with(), mark)]);
    assert_eq!(index::files(&index, None, 9).unwrap(), [(Row(2), with(), mark)]);
    assert_eq!(spoken(&index, &with(), Span::ALL, false, 9).unwrap().len(), 1);
    index::unpost(&mut index, &outgoing(2)).unwrap();
    assert!(index.is_empty(), "{index:?}");
}

/// What one author sends: a content, in some bundles with other words each, and changes of any of these.
fn honest() -> impl Strategy<Value = BTreeMap<u8, Sent>> {
    let more = prop::collection::vec((0..4u8, 0..4u8, prop::option::of(any::<prop::sample::Index>())), 0..10);
    more.prop_map(|more| {
        let mut sent = BTreeMap::from([(1, Sent::Words { words: 0, beside: 0, same: None })]);
        for (kind, words, at) in more {
            let of = |is_meant: fn(&Sent) -> bool, at: prop::sample::Index| {
                let meant: Vec<u8> = sent.iter().filter(|(_, sent)| is_meant(sent)).map(|(n, _)| *n).collect();
                (!meant.is_empty()).then(|| *at.get(&meant))
            };
            let target = at.and_then(|at| of(|sent| matches!(sent, Sent::Words { .. }), at)).unwrap_or(1);
            let prior = at.and_then(|at| of(|sent| matches!(sent, Sent::Edit { .. }), at));
            let next = match kind {
                0 | 1 => Sent::Words { words, beside: 0, same: Some(1) },
                2 => Sent::Edit { target, prior },
                _ => Sent::Reacts { target },
            };
            sent.insert(sent.len() as u8 + 1, next);
        }
        sent
    })
}

fn shuffled(sent: &BTreeMap<u8, Sent>, order: &[prop::sample::Index]) -> Vec<u8> {
    let all: Vec<u8> = sent.keys().copied().collect();
    order.iter().map(|at| *at.get(&all)).chain(all.iter().rev().copied()).collect()
}

fn any_order() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..20)
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_one_record(sent in honest(), order in any_order()) {
        let all: Vec<u8> = sent.keys().copied().collect();
        let (mut straight, mut mixed) = (Index::new(), Index::new());
        let rows = deliver(&mut straight, &sent, &all);
        let expected = read(&straight, &sent, &rows);
        prop_assert_eq!(expected.len(), 1);
        let rows = deliver(&mut mixed, &sent, &shuffled(&sent, &order));
        prop_assert_eq!(read(&mixed, &sent, &rows), expected);
        // And what is taken away again, the one that is shown last, leaves nothing.
        let shown = spoken(&mixed, &with(), Span::ALL, false, 9).unwrap()[0].0.row();
        let mut all: Vec<(u64, u8)> = rows.into_iter().collect();
        all.sort_by_key(|(row, _)| *row == shown.0);
        for (row, n) in all {
            index::discard(&mut mixed, &letter(n, row)).unwrap();
        }
        let left: BTreeSet<u8> = mixed.keys().map(|key| key[0]).collect();
        prop_assert_eq!(left.len(), 1, "only that they were delivered: {:?}", left);
    }

    #[test]
    fn whatever_a_sender_claims_all_words_that_came_can_be_read(
        claims in prop::collection::vec((0..3u8, 0..3u8, prop::option::of(1..8u8)), 1..8),
        order in any_order(),
    ) {
        let all = claims.iter().zip(1..).map(|((words, beside, same), n)| {
            (n, Sent::Words { words: *words, beside: *beside, same: *same })
        });
        let sent: BTreeMap<u8, Sent> = all.collect();
        let mut index = Index::new();
        let rows = deliver(&mut index, &sent, &shuffled(&sent, &order));
        let facts = |n: &u8| match sent[n] {
            Sent::Words { words, beside, .. } => ([words; 16] as Digest, beside),
            _ => unreachable!("only words are sent"),
        };
        let readable: BTreeSet<_> =
            read(&index, &sent, &rows).iter().flat_map(|read| read.history.iter().map(facts).collect::<Vec<_>>()).collect();
        let came: BTreeSet<_> = sent.keys().map(facts).collect();
        prop_assert_eq!(readable, came);
    }
}
