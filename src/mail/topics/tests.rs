//! Whatever order things come in, and whoever sends them.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::shared::{SHARED_BYTES_MAX, SHARED_TOPICS_MAX};
use super::*;
use crate::bundle::{Creation, Draft, Kind, Priority, Signer};
use crate::time::DAY;

const NOW: u64 = 850_000_000_000;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn topic() -> Eid {
    Eid::topic(key(1).node(), "t")
}

fn leave(writer: u8) -> Leave {
    Leave::give(&topic(), &key(writer).node(), DtnTime(2 * NOW), &key(1))
}

fn bundle(by: u8, created: u64, post: &Post) -> Arc<Bundle> {
    let creation = Creation { time: DtnTime(created), sequence: 1 };
    let (kind, source, destination) = (Kind::Message, key(by).node(), topic());
    let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority: Priority::Normal, copies: 1 };
    Arc::new(draft.sign(&post.encode(), &key(by)).unwrap())
}

fn message(by: u8, sequence: u64, key: Option<&str>, body: &str) -> Arc<Bundle> {
    let leave = (by != 1).then(|| leave(by));
    let said = Said::Message { key: key.map(str::to_owned), body: body.to_owned(), leave };
    bundle(by, NOW, &Post { sequence: NOW + sequence, said })
}

fn list(sequence: u64, writers: &[u8]) -> Arc<Bundle> {
    let mut writers: Vec<_> = writers.iter().map(|writer| (key(*writer).node(), leave(*writer))).collect();
    writers.sort_by_key(|(writer, _)| *writer);
    bundle(1, NOW, &Post { sequence: NOW + sequence, said: Said::List(writers) })
}

/// What the owner says in another of its topics.
fn elsewhere(name: &str, sequence: u64, body: &str) -> Bundle {
    let said = Said::Message { key: None, body: body.to_owned(), leave: None };
    let creation = Creation { time: DtnTime(NOW + sequence), sequence };
    let (kind, source, destination) = (Kind::Message, key(1).node(), Eid::topic(key(1).node(), name));
    let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority: Priority::Normal, copies: 1 };
    draft.sign(&Post { sequence: NOW + sequence, said }.encode(), &key(1)).unwrap()
}

/// The key of an event, its text and its writer.
type Words = (Option<String>, String, NodeId);

/// A home, and its rows as a store has them.
#[derive(Default)]
struct Home {
    topics: Topics,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Home {
    fn subscribed() -> Home {
        let mut home = Home::default();
        let changes = home.topics.subscribe(topic().node, Filter::parse("#").unwrap());
        home.commit(changes);
        home
    }

    fn hear(&mut self, bundle: &Bundle) {
        let mut changes = Vec::new();
        self.topics.hear(bundle, DtnTime(NOW), &mut changes);
        changes.extend(self.topics.states());
        self.commit(changes);
    }

    fn commit(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Keep { key, value: Some(value) } => drop(self.rows.insert(key, value)),
                Change::Keep { key, value: None } => drop(self.rows.remove(&key)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// As after a restart.
    fn again(&self) -> Topics {
        let mut topics = Topics::default();
        self.rows.iter().for_each(|(key, value)| topics.load(key, value));
        topics
    }

    fn events(&self) -> Vec<(u64, Event)> {
        let events = self.rows.iter().filter_map(|(key, value)| match rows::read_key(key) {
            Some(rows::Key::Event(_, number)) => Some((number, Event::read(value).unwrap())),
            _ => None,
        });
        events.collect()
    }

    /// What is there, without the numbers.
    fn said(&self) -> (BTreeSet<Words>, Option<u64>) {
        let events = self.events().into_iter().map(|(_, event)| (event.key, event.body, event.writer)).collect();
        let state = self.rows.get(&rows::state(&topic())).and_then(|value| State::read(value));
        (events, state.and_then(|state| Some(state.list?.sequence)))
    }
}

#[test]
fn what_is_published_gets_numbers_and_comes_once() {
    let mut home = Home::subscribed();
    let [one, two] = [1, 2].map(|n| message(1, n, None, &n.to_string()));
    for bundle in [&one, &two, &one, &two] {
        home.hear(bundle);
    }
    let numbered: Vec<_> = home.events().into_iter().map(|(number, event)| (number, event.body)).collect();
    assert_eq!(numbered, [(1, "1".into()), (2, "2".into())]);
    let mut again = Home { topics: home.again(), rows: home.rows.clone() };
    again.hear(&one);
    assert_eq!(again.rows, home.rows, "also after a restart");
}

#[test]
fn the_latest_word_on_a_key_takes_the_place_of_the_one_before_in_any_order() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let mut home = Home::subscribed();
        order.iter().for_each(|n| home.hear(&message(1, *n, Some("door"), &n.to_string())));
        home.hear(&message(1, 9, None, "no key"));
        let bodies: BTreeSet<String> = home.events().into_iter().map(|(_, event)| event.body).collect();
        assert_eq!(bodies, BTreeSet::from(["3".into(), "no key".into()]), "{order:?}");
    }
}

#[test]
fn who_is_not_on_the_list_that_counts_is_not_heard() {
    let mut home = Home::subscribed();
    home.hear(&list(5, &[2]));
    home.hear(&message(3, 1, None, "carol"));
    home.hear(&message(2, 1, None, "bob"));
    home.hear(&list(4, &[3]));
    home.hear(&message(3, 2, None, "carol again"));
    home.hear(&list(6, &[3]));
    home.hear(&message(2, 2, None, "bob again"));
    home.hear(&message(3, 3, None, "carol at last"));
    let bodies: Vec<String> = home.events().into_iter().map(|(_, event)| event.body).collect();
    assert_eq!(bodies, ["bob", "carol at last"]);
}

#[test]
fn a_listed_writer_shows_the_leave_of_the_list_and_nobody_else_writes() {
    let mut home = Home::subscribed();
    let write =
        |home: &mut Home, who: u8| home.topics.write(&topic(), key(who).node(), (None, "x".into()), DtnTime(NOW));
    assert_eq!(write(&mut home, 2), Err(NotWritten::NoLeave));
    home.hear(&list(1, &[2]));
    assert_eq!(write(&mut home, 3), Err(NotWritten::NoLeave));
    let payload = write(&mut home, 2).unwrap();
    let Said::Message { leave: Some(shown), .. } = Post::decode(&payload).unwrap().said else { panic!("a message") };
    assert!(shown.holds(&topic(), &key(2).node()));
    let own = Post::decode(&write(&mut home, 1).unwrap()).unwrap();
    assert!(own.sequence > NOW, "behind all that was published here: {own:?}");
}

#[test]
fn a_flood_leaves_a_bounded_topic_and_nothing_that_left_comes_again() {
    let mut home = Home::subscribed();
    let body = "x".repeat(60_000);
    let flood: Vec<_> = (0..400).map(|n| message(2, n, None, &body)).collect();
    flood.iter().for_each(|bundle| home.hear(bundle));
    let bytes = |home: &Home| home.events().iter().map(|(_, event)| Brief::of(event).cost).sum::<u64>();
    assert!(bytes(&home) <= TOPIC_KEPT_BYTES_MAX && bytes(&home) > TOPIC_KEPT_BYTES_MAX / 2);
    let before = home.rows.clone();
    home.hear(&flood[0]);
    assert_eq!(home.rows, before);
    assert!(home.rows.len() < 300, "and no rows are left behind");
}

#[test]
fn nothing_is_left_of_what_nobody_here_subscribes_to_any_more() {
    let mut home = Home::subscribed();
    home.hear(&list(1, &[2]));
    home.hear(&message(2, 1, None, "bob"));
    let changes = home.topics.unsubscribe(topic().node, Filter::parse("#").unwrap());
    home.commit(changes);
    assert!(home.rows.is_empty());
    home.hear(&message(2, 2, None, "bob"));
    assert!(home.rows.is_empty());
}

/// Messages of three writers, some under one sequence, and lists that only grow.
fn any_bundle() -> impl Strategy<Value = Arc<Bundle>> {
    let key = proptest::option::of(prop_oneof![Just("a"), Just("b")]);
    let said = (1u8..4, 0u64..6, key, "[xy]").prop_map(|(by, n, key, body)| message(by, n, key, &body));
    let lists = (0u64..3).prop_map(|n| list(n, &[2, 3]));
    prop_oneof![8 => said, 1 => lists]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equal_sets_give_equal_topics_in_any_order_and_over_restarts(
        bundles in proptest::collection::vec(any_bundle(), 1..24),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 1..48),
    ) {
        let mut one = Home::subscribed();
        bundles.iter().for_each(|bundle| one.hear(bundle));
        let mut other = Home::subscribed();
        for index in &order {
            let bundle: &Arc<Bundle> = index.get(&bundles);
            other.hear(bundle);
            other.topics = other.again();
        }
        bundles.iter().rev().for_each(|bundle| other.hear(bundle));
        prop_assert_eq!(one.said(), other.said());
        let numbers: Vec<u64> = other.events().into_iter().map(|(number, _)| number).collect();
        prop_assert!(numbers.iter().all(|number| *number >= 1));
    }

    #[test]
    fn any_row_is_read_or_passed_over(key in proptest::collection::vec(any::<u8>(), 0..80), value in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut topics = Topics::default();
        for tag in 1..6 {
            topics.load(&[&[rows::TOPIC, tag], &key[..]].concat(), &value);
            topics.load(&[&[rows::TOPIC, tag][..], topic().node.as_bytes(), &b"\x01t"[..], &key[..]].concat(), &value);
        }
        let _ = (State::read(&value), Event::read(&value), group::Group::read(&value), group::Dead::read(&value));
    }
}

mod groups {
    use super::group::{Group, Next, OPEN_MAX, Settled, Verdict};
    use super::*;

    const AT: DtnTime = DtnTime(NOW);

    /// Events 1 to `last`, handed to one consumer as they come; what it gets.
    fn take(group: &mut Group, last: u64, who: u64, now: DtnTime) -> Option<u64> {
        let number = match group.next(now) {
            Next::Again(number, _) => number,
            Next::Behind(number) if number < last => number + 1,
            Next::Behind(_) | Next::Full => return None,
        };
        group.hand(number, who, now).map(|_| number)
    }

    #[test]
    fn what_a_consumer_that_left_had_goes_to_another_and_what_is_done_to_nobody() {
        let mut group = Group::default();
        assert_eq!([1, 2].map(|who| take(&mut group, 3, who, AT)), [Some(1), Some(2)]);
        assert_eq!(group.settle(1, Verdict::Done, AT), Some(Settled::Done));
        group.part(2);
        assert_eq!([3, 3].map(|who| take(&mut group, 3, who, AT)), [Some(2), Some(3)]);
        assert_eq!(group.settle(3, Verdict::Done, AT), Some(Settled::Done));
        assert_eq!(group.cursor(), 1);
        let mut restarted = Group::read(&group.write()).unwrap();
        assert_eq!(take(&mut restarted, 3, 4, AT), Some(2), "over a restart too");
        assert_eq!(restarted.hand(3, 4, AT), None, "and 3 was done");
        assert_eq!(group.settle(2, Verdict::Done, AT), Some(Settled::Done));
        assert_eq!(group.cursor(), 3);
        assert_eq!(group.settle(2, Verdict::Done, AT), None, "done once");
    }

    #[test]
    fn what_fails_goes_again_ever_later_and_is_given_up_after_so_many_tries() {
        let mut group = Group::default();
        let (mut now, mut pauses) = (AT, Vec::new());
        loop {
            assert_eq!(take(&mut group, 1, 1, now), Some(1));
            match group.settle(1, Verdict::Again { tries_max: 4 }, now) {
                Some(Settled::Again(at)) => {
                    assert_eq!(take(&mut group, 1, 1, DtnTime(at.0 - 1)), None);
                    pauses.push(at.0 - now.0);
                    now = at;
                }
                settled => break assert_eq!(settled, Some(Settled::GivenUp(4))),
            }
        }
        assert_eq!(pauses, [1_000, 2_000, 4_000]);
        assert_eq!((group.cursor(), take(&mut group, 1, 1, now)), (1, None));
        assert_eq!(take(&mut group, 2, 1, now), Some(2));
        assert_eq!(group.settle(2, Verdict::GiveUp, now), Some(Settled::GivenUp(1)));
    }

    #[test]
    fn what_waits_for_another_try_holds_up_nothing_else_and_outlives_a_restart() {
        let mut group = Group::default();
        assert_eq!(take(&mut group, 3, 1, AT), Some(1));
        let Some(Settled::Again(at)) = group.settle(1, Verdict::Again { tries_max: 9 }, AT) else { panic!("again") };
        assert_eq!(take(&mut group, 3, 1, AT), Some(2));
        group.settle(2, Verdict::Done, AT);
        let mut group = Group::read(&group.write()).unwrap();
        assert_eq!(group.hand(1, 1, AT), None, "its time has not come");
        assert_eq!(group.hand(2, 1, AT), None);
        assert_eq!(take(&mut group, 3, 1, AT), Some(3));
        assert_eq!(take(&mut group, 3, 1, at), Some(1));
    }

    #[test]
    fn one_that_is_done_with_nothing_gets_a_bounded_number() {
        let mut group = Group::default();
        let got = (0..2 * OPEN_MAX as u64).filter(|_| take(&mut group, u64::MAX, 1, AT).is_some()).count();
        assert_eq!((got, group.next(AT)), (OPEN_MAX, Next::Full));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(u64),
        Settle(u64, u8),
        Part(u64),
        Restart,
        Wait,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0u64..3).prop_map(Step::Take),
            3 => (1u64..20, 0u8..3).prop_map(|(number, verdict)| Step::Settle(number, verdict)),
            1 => (0u64..3).prop_map(Step::Part),
            1 => Just(Step::Restart),
            1 => Just(Step::Wait),
        ]
    }

    proptest! {
        /// Whoever dies and whatever fails: in the end every event was done or given up, and none is done twice.
        #[test]
        fn every_event_is_settled_once(steps in proptest::collection::vec(any_step(), 0..200)) {
            const LAST: u64 = 12;
            let (mut group, mut now, mut over) = (Group::default(), AT, BTreeSet::new());
            let settle = |group: &mut Group, number, verdict, now, over: &mut BTreeSet<u64>| {
                if let Some(Settled::Done | Settled::GivenUp(_)) = group.settle(number, verdict, now) {
                    assert!(over.insert(number), "{number} is over once");
                }
            };
            for step in steps {
                match step {
                    Step::Take(who) => drop(take(&mut group, LAST, who, now)),
                    Step::Settle(number, 0) => settle(&mut group, number, Verdict::Done, now, &mut over),
                    Step::Settle(number, 1) => settle(&mut group, number, Verdict::GiveUp, now, &mut over),
                    Step::Settle(number, _) => settle(&mut group, number, Verdict::Again { tries_max: 3 }, now, &mut over),
                    Step::Part(who) => group.part(who),
                    Step::Restart => group = Group::read(&group.write()).unwrap(),
                    Step::Wait => now = DtnTime(now.0 + 3_000),
                }
            }
            (0..3).for_each(|who| group.part(who));
            for _ in 0..200 {
                match take(&mut group, LAST, 7, now) {
                    Some(number) => settle(&mut group, number, Verdict::Done, now, &mut over),
                    // One that waits is passed over when it comes in its turn.
                    None => now = DtnTime(now.0 + 1_000),
                }
            }
            prop_assert_eq!(over, (1..=LAST).collect::<BTreeSet<_>>());
            prop_assert_eq!(group.cursor(), LAST);
        }
    }
}

/// The numbers that a topic's events have.
fn numbers(home: &Home, name: &str) -> Vec<u64> {
    let topic = Eid::topic(key(1).node(), name);
    let of_topic = home.rows.keys().filter_map(|key| match rows::read_key(key) {
        Some(rows::Key::Event(of, number)) if of == topic => Some(number),
        _ => None,
    });
    of_topic.collect()
}

#[test]
fn an_owner_who_names_topics_without_end_fills_a_bounded_room() {
    let mut home = Home::subscribed();
    let named = home.topics.subscribe(key(1).node(), Filter::parse("named").unwrap());
    home.commit(named);
    let long = "y".repeat(60_000);
    let mut sequence = 0;
    let mut hear = |home: &mut Home, name: &str, body: &str| {
        sequence += 1;
        home.hear(&elsewhere(name, sequence, body));
    };
    (0..3).for_each(|_| hear(&mut home, "named", &long));
    (0..9).for_each(|_| hear(&mut home, "first", "one"));
    for n in 0..SHARED_BYTES_MAX / 60_000 + 200 {
        hear(&mut home, &format!("long.n{}", n % 50), &long);
    }
    let bytes: usize = home.rows.values().map(Vec::len).sum();
    assert!(bytes as u64 <= SHARED_BYTES_MAX + 8 * 60_000 && bytes as u64 > SHARED_BYTES_MAX - 8 * 60_000, "{bytes}");
    assert_eq!((numbers(&home, "named").len(), numbers(&home, "first").len()), (3, 9), "the fullest gave way");
    for n in 0..SHARED_TOPICS_MAX + 10 {
        hear(&mut home, &format!("many.n{n}"), "");
    }
    assert_eq!(home.topics.topics.len(), SHARED_TOPICS_MAX + 1);
    assert_eq!((numbers(&home, "named").len(), numbers(&home, "first").len()), (3, 0), "it was silent longest");
    hear(&mut home, "first", "back");
    assert!(numbers(&home, "first")[0] > 9, "who read up to 9 hears of it: {:?}", numbers(&home, "first"));
    let again = home.again();
    assert_eq!(again.topics.len(), SHARED_TOPICS_MAX + 1);
    assert!(again.topics.values().filter(|known| known.is_named).count() == 1);
}
