//! Topics at the agent: who may write, who carries, who hears, and what a flood displaces.

use std::sync::Arc;

use dak::agent::change::{Class, Standing};
use dak::agent::{Config, Event, Input, Terms};
use dak::bundle::{Bundle, Creation, Draft, Kind, Priority, Signer};
use dak::content::topic::{Filter, Leave, Post, Said};
use dak::eid::Eid;
use dak::frame::{Frame, Refusal};
use dak::id::BundleId;
use dak::time::{DAY, DtnTime, HOUR, MINUTE, Millis};

use super::World;
use super::world::WALL;
use super::world::ghost::{Ghost, refusals, takes};

fn topic(owner: &Ghost, name: &str) -> Eid {
    Eid::topic(owner.id, name)
}

fn message(sequence: u64, body: &str, leave: Option<Leave>) -> Post {
    Post { sequence, said: Said::Message { key: None, body: body.into(), leave } }
}

pub fn post(writer: &Ghost, topic: &Eid, created: u64, post: &Post) -> Bundle {
    let (kind, source, destination) = (Kind::Message, writer.id, topic.clone());
    let creation = Creation { time: DtnTime(created), sequence: post.sequence };
    let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority: Priority::Normal, copies: 1 };
    draft.sign(&post.encode(), &writer.key).unwrap()
}

fn leave(owner: &Ghost, topic: &Eid, writer: &Ghost) -> Option<Leave> {
    Some(Leave::give(topic, &writer.id, DtnTime(WALL + DAY.0), &owner.key))
}

pub fn serve(world: &mut World, n: usize, owner: &Ghost, filter: &str) {
    let filter = Filter::parse(filter).unwrap();
    world.input(n, Input::Serve { owner: owner.id, filter, on: true });
}

/// Publishes in a topic of the node's own.
fn publish(world: &mut World, n: usize, name: &str, body: &str) -> BundleId {
    let topic = Eid::topic(world.nodes[n].id, name);
    let payload: Arc<[u8]> = message(world.moment(n).wall.0, body, None).encode().into();
    world.input(n, Input::Publish { token: 7, topic, lifetime: DAY, payload });
    world.settle();
    let queued = world.nodes[n].events.iter().rev().find_map(|event| match event {
        Event::Queued { id, .. } => Some(*id),
        _ => None,
    });
    queued.expect("it was published")
}

#[test]
fn what_is_published_goes_by_way_of_a_carrier_to_all_who_serve_it_and_makes_no_receipt() {
    let mut world = World::of(4);
    let owner = world.nodes[0].id;
    for n in [2, 3] {
        world.input(n, Input::Serve { owner, filter: Filter::parse("#").unwrap(), on: true });
    }
    let id = publish(&mut world, 0, "t", "hello");
    world.meet(0, 1);
    assert!(world.holds(1, id));
    world.meet(1, 2);
    world.meet(1, 3);
    world.meet(2, 3);
    assert_eq!([0, 1, 2, 3].map(|n| world.nodes[n].heard.len()), [0, 0, 1, 1]);
    assert!([0, 1, 2, 3].iter().all(|n| world.nodes[*n].agent().usage().receipts == 0));
    assert!([1, 2, 3].iter().all(|n| world.inbox(*n).is_empty()));
    let class = |n: usize| world.nodes[n].agent().held_one(&id).unwrap().class;
    assert_eq!([0, 1, 2, 3].map(class), [Class::Own, Class::Topics, Class::Topics, Class::Topics]);
    world.crash(1);
    assert_eq!(world.nodes[1].agent().held_one(&id).unwrap().class, Class::Topics, "also after a restart");
    world.pass(DAY.times(2));
    assert!([0, 1, 2, 3].iter().all(|n| !world.holds(*n, id)), "its life is over everywhere");
}

#[test]
fn what_was_published_first_is_handed_over_first() {
    let mut world = World::of(3);
    let owner = world.nodes[0].id;
    world.input(2, Input::Serve { owner, filter: Filter::parse("#").unwrap(), on: true });
    let ids: Vec<BundleId> = (0..20)
        .map(|n| {
            world.pass(Millis(40));
            publish(&mut world, 0, "t", &format!("reading {n}"))
        })
        .collect();
    world.meet(0, 1);
    world.meet(1, 2);
    assert_eq!(world.nodes[2].heard, ids);
}

#[test]
fn a_writer_whose_clock_is_a_little_ahead_is_carried_and_heard_at_once() {
    let mut world = World::of(1);
    let (owner, peer) = (Ghost::new(50), Ghost::new(53));
    let t = topic(&owner, "t");
    serve(&mut world, 0, &owner, "t");
    world.visit(0, &peer);
    let ahead = post(&owner, &t, WALL + 20_000, &message(WALL + 20_000, "by a clock that is ahead", None));
    let far = post(&owner, &t, WALL + 2 * MINUTE.0, &message(WALL + 1, "by one that is wrong", None));
    [&ahead, &far].iter().for_each(|bundle| world.take(0, &peer, bundle));
    assert_eq!(world.nodes[0].heard, [ahead.id]);
    assert!(world.holds(0, ahead.id) && !world.holds(0, far.id));
}

#[test]
fn who_may_not_write_is_refused_at_every_door_and_costs_no_room() {
    let mut world = World::of(1);
    let (owner, writer, stranger, peer) = (Ghost::new(50), Ghost::new(51), Ghost::new(52), Ghost::new(53));
    let t = topic(&owner, "t");
    serve(&mut world, 0, &owner, "t");
    world.visit(0, &peer);
    let good = [
        post(&owner, &t, WALL, &message(WALL, "by the owner", None)),
        post(&writer, &t, WALL, &message(WALL, "with leave", leave(&owner, &t, &writer))),
    ];
    let list = Post { sequence: WALL, said: Said::List(Vec::new()) };
    let bad = [
        post(&stranger, &t, WALL, &message(WALL, "without", None)),
        post(&stranger, &t, WALL, &message(WALL, "with another's", leave(&owner, &t, &writer))),
        post(&stranger, &t, WALL, &message(WALL, "with its own", leave(&stranger, &t, &stranger))),
        post(&writer, &t, WALL, &list),
        post(&owner, &t, 0, &message(WALL, "without a clock", None)),
        post(&owner, &t, WALL + HOUR.0, &message(WALL, "from tomorrow", None)),
        post(&owner, &t, WALL, &message(u64::MAX, "far ahead", None)),
    ];
    good.iter().chain(&bad).for_each(|bundle| world.take(0, &peer, bundle));
    let heard: Vec<BundleId> = good.iter().map(|bundle| bundle.id).collect();
    assert_eq!(world.nodes[0].heard, heard);
    let refused: Vec<_> = bad.iter().map(|bundle| (bundle.id, Refusal::Unwilling)).collect();
    assert_eq!(refusals(&world.said_to(&peer)), refused);
    assert_eq!(world.nodes[0].agent().usage().messages, 2);
    world.name(0, owner.id, Standing::Blocked);
    let more = post(&owner, &t, WALL, &message(WALL + 1, "by who is blocked", None));
    world.take(0, &peer, &more);
    assert!(!world.holds(0, more.id));
}

/// Room for topics of about a hundred messages of two thousand bytes, with their cost.
fn room_for_a_hundred() -> Config {
    Config { carry_bytes_max: 4 * 100 * 2_000, custody_share: 0, ..Config::default() }
}

fn bring(
    world: &mut World,
    from: &Ghost,
    writer: &Ghost,
    topic: &Eid,
    leave: Option<Leave>,
    many: u64,
) -> Vec<BundleId> {
    let body = "x".repeat(1_100);
    let posts = (0..many).map(|n| post(writer, topic, WALL, &message(WALL + n, &format!("{n} {body}"), leave)));
    let bundles: Vec<Bundle> = posts.collect();
    bundles.iter().for_each(|bundle| world.take(0, from, bundle));
    bundles.into_iter().map(|bundle| bundle.id).collect()
}

fn kept(world: &World, ids: &[BundleId]) -> usize {
    ids.iter().filter(|id| world.holds(0, **id)).count()
}

#[test]
fn a_topic_that_is_flooded_displaces_its_own_and_topics_in_thousands_each_other() {
    let mut world = World::new(vec![room_for_a_hundred()]);
    let (owner, writer, peer) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let (quiet, loud) = (topic(&owner, "quiet"), topic(&owner, "loud"));
    world.visit(0, &peer);
    let of_quiet = bring(&mut world, &peer, &owner, &quiet, None, 15);
    let of_owner = bring(&mut world, &peer, &owner, &loud, None, 5);
    let flood = bring(&mut world, &peer, &writer, &loud, leave(&owner, &loud, &writer), 300);
    assert_eq!((kept(&world, &of_quiet), kept(&world, &of_owner)), (15, 5), "not even the owner in the same topic");
    let of_flood = kept(&world, &flood);
    assert!((10..=25).contains(&of_flood), "{of_flood}: a quarter of the room, and its latest");
    assert!(world.holds(0, *flood.last().unwrap()));

    let other = Ghost::new(53);
    world.visit(0, &other);
    for n in 0..400 {
        let sybil = Ghost::nth(1_000 + n);
        bring(&mut world, &other, &sybil, &topic(&sybil, "t"), None, 1);
    }
    let usage = world.nodes[0].agent().usage();
    assert!(usage.by_class[0].1 <= usage.quota_bytes / 4);
    assert!(kept(&world, &of_quiet) >= 10, "{} of fifteen are left", kept(&world, &of_quiet));
    world.crash(0);
    world.visit(0, &peer);
    let late = bring(&mut world, &peer, &owner, &topic(&owner, "late"), None, 3);
    assert_eq!(kept(&world, &late), 3, "also after a restart, a newcomer gets in");
}

#[test]
fn mail_comes_before_topics_where_room_is_short() {
    let mut world = World::new(vec![Config { carry_bytes_max: 100 * 2_000, ..room_for_a_hundred() }]);
    let (owner, mut friend, peer) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    world.name(0, friend.id, Standing::Contact);
    world.visit(0, &peer);
    let posts = bring(&mut world, &peer, &owner, &topic(&owner, "t"), None, 10);
    assert!(kept(&world, &posts) >= 5);
    let to = Eid::mail(Ghost::new(99).id);
    let mail: Vec<Bundle> = (0..120).map(|n| friend.message(to.clone(), DAY, &[n as u8; 1_000])).collect();
    mail.iter().for_each(|bundle| world.take(0, &peer, bundle));
    assert_eq!(kept(&world, &posts), 0, "all of it made way");
    let held = kept(&world, &mail.iter().map(|bundle| bundle.id).collect::<Vec<_>>());
    assert!(held >= 90, "{held}");
    let late = bring(&mut world, &peer, &owner, &topic(&owner, "u"), None, 1);
    assert_eq!(kept(&world, &late), 0, "and what is published makes no mail leave");
}

#[test]
fn of_what_is_published_here_a_bounded_part_stays() {
    let mut world = World::new(vec![Config { own_topic_bytes_max: 20_000, ..Config::default() }]);
    let body = "x".repeat(1_000);
    let ids: Vec<BundleId> = (0..30)
        .map(|n| {
            world.pass(Millis(10));
            publish(&mut world, 0, "t", &format!("{n} {body}"))
        })
        .collect();
    let other = publish(&mut world, 0, "u", "other");
    let left: Vec<&BundleId> = ids.iter().filter(|id| world.holds(0, **id)).collect();
    assert!((5..=15).contains(&left.len()), "{}", left.len());
    assert_eq!(left, ids[30 - left.len()..].iter().collect::<Vec<_>>(), "the latest");
    assert!(world.holds(0, other));
}

#[test]
fn who_serves_a_topic_without_room_to_carry_it_hears_all_the_same_and_once() {
    let mut world = World::new(vec![Config { topics_share: 0, ..Config::default() }]);
    let (owner, peer) = (Ghost::new(50), Ghost::new(51));
    serve(&mut world, 0, &owner, "t");
    world.visit(0, &peer);
    let bundle = post(&owner, &topic(&owner, "t"), WALL, &message(WALL, "hello", None));
    world.take(0, &peer, &bundle);
    world.take(0, &peer, &bundle);
    assert_eq!((world.nodes[0].heard.len(), world.holds(0, bundle.id)), (1, false));
    assert_eq!(owner.key.node(), owner.id);
}

fn keyed(sequence: u64, key: &str) -> Post {
    Post { sequence, said: Said::Message { key: Some(key.into()), body: format!("{sequence}"), leave: None } }
}

#[test]
fn of_one_writer_and_key_a_carrier_has_the_latest_word_whatever_the_order_it_came_in() {
    let mut world = World::of(2);
    let (owner, writer, peer) = (Ghost::new(50), Ghost::new(51), Ghost::new(53));
    let t = topic(&owner, "t");
    world.visit(0, &peer);
    let words = [3, 1, 2, 5, 4].map(|n| post(&owner, &t, WALL, &keyed(WALL + n, "door")));
    let other_key = post(&owner, &t, WALL, &keyed(WALL, "pump"));
    let by_another = Post {
        sequence: WALL,
        said: Said::Message { key: Some("door".into()), body: "x".into(), leave: leave(&owner, &t, &writer) },
    };
    let by_another = post(&writer, &t, WALL, &by_another);
    let loose = post(&owner, &t, WALL, &message(WALL, "no key", None));
    words.iter().chain([&other_key, &by_another, &loose]).for_each(|bundle| world.take(0, &peer, bundle));
    let held = |world: &World, n: usize| words.iter().filter(|word| world.holds(n, word.id)).count();
    assert!(held(&world, 0) == 1 && world.holds(0, words[3].id), "the fifth");
    assert!([&other_key, &by_another, &loose].iter().all(|bundle| world.holds(0, bundle.id)));
    assert_eq!(refusals(&world.said_to(&peer)), [1, 2, 4].map(|n| (words[n].id, Refusal::Known)));
    world.crash(0);
    world.visit(0, &peer);
    let sixth = post(&owner, &t, WALL, &keyed(WALL + 6, "door"));
    world.take(0, &peer, &words[0]);
    world.take(0, &peer, &sixth);
    assert!(held(&world, 0) == 0 && world.holds(0, sixth.id), "also after a restart");
    world.meet(0, 1);
    assert!(world.holds(1, sixth.id) && held(&world, 1) == 0);
}

#[test]
fn what_is_published_here_gives_way_to_the_next_word_on_its_key() {
    let mut world = World::of(2);
    let topic = Eid::topic(world.nodes[0].id, "t");
    let publish = |world: &mut World, sequence: u64| {
        let payload: Arc<[u8]> = keyed(sequence, "door").encode().into();
        world.input(0, Input::Publish { token: 7, topic: topic.clone(), lifetime: DAY, payload });
        world.settle();
        let queued = world.nodes[0].events.iter().rev().find_map(|event| match event {
            Event::Queued { id, .. } => Some(*id),
            _ => None,
        });
        queued.expect("it was published")
    };
    let first = publish(&mut world, WALL);
    world.meet(0, 1);
    let second = publish(&mut world, WALL + 1);
    assert_eq!([first, second].map(|id| world.holds(0, id)), [false, true]);
    world.meet(0, 1);
    assert_eq!([first, second].map(|id| world.holds(1, id)), [false, true]);
    world.input(0, Input::Forsake(topic.clone()));
    assert!(!world.holds(0, second), "a topic that is ended");
    world.meet(0, 1);
    assert!(!world.holds(0, second), "and nobody hands it back");
}

#[test]
fn an_owner_says_how_long_and_how_much_of_a_topic_stays() {
    let mut world = World::of(1);
    let (owner, peer) = (Ghost::new(50), Ghost::new(53));
    let [short, small] = ["short", "small"].map(|name| topic(&owner, name));
    let retain = |world: &mut World, filter: &str, terms: Terms| {
        let filter = Filter::parse(filter).unwrap();
        world.input(0, Input::Retain { owner: owner.id, filter, terms });
    };
    world.visit(0, &peer);
    let before = bring(&mut world, &peer, &owner, &small, None, 6);
    let early = bring(&mut world, &peer, &owner, &short, None, 2);
    retain(&mut world, "short", Terms { keep: Some(HOUR), bytes: None });
    retain(&mut world, "small", Terms { keep: None, bytes: Some(6_000) });
    assert!((1..=3).contains(&kept(&world, &before)), "{}", kept(&world, &before));
    assert_eq!(kept(&world, &early), 2);
    world.pass(HOUR.times(2));
    assert_eq!(kept(&world, &early), 0, "its hour is over");
    let more = bring(&mut world, &peer, &owner, &small, None, 9);
    assert!((1..=3).contains(&kept(&world, &[before, more].concat())));
    let late = bring(&mut world, &peer, &owner, &short, None, 1);
    assert_eq!(kept(&world, &late), 0, "it was published more than an hour ago");
    retain(&mut world, "short", Terms::default());
    let usual = bring(&mut world, &peer, &owner, &topic(&owner, "other"), None, 1);
    assert_eq!(kept(&world, &usual), 1);
}

/// A peer offers what was published, and hands over what it is asked for.
fn offer_and_hand_over(world: &mut World, peer: &Ghost, posts: &[&Bundle]) {
    world.said_to(peer);
    world.hear(0, peer, &Frame::Offer { ids: posts.iter().map(|post| post.id).collect() });
    let asked = takes(&world.said_to(peer));
    posts.iter().filter(|post| asked.contains(&post.id)).for_each(|post| world.take(0, peer, post));
}

#[test]
fn what_was_evicted_or_dropped_of_a_topic_comes_again_for_who_subscribes_to_it() {
    let mut world = World::of(1);
    let (owner, peer) = (Ghost::new(50), Ghost::new(53));
    let t = topic(&owner, "t");
    let [evicted, dropped] = [1, 2].map(|n| post(&owner, &t, WALL, &message(WALL + n, "before", None)));
    world.visit(0, &peer);
    [&evicted, &dropped].iter().for_each(|post| world.take(0, &peer, post));
    world.input(0, Input::Drop(dropped.id));
    world.input(0, Input::CarryLimit(0));
    world.input(0, Input::CarryLimit(1 << 20));
    offer_and_hand_over(&mut world, &peer, &[&evicted, &dropped]);
    assert!(!world.holds(0, evicted.id) && !world.holds(0, dropped.id), "not for a while");

    serve(&mut world, 0, &owner, "t");
    offer_and_hand_over(&mut world, &peer, &[&evicted, &dropped]);
    assert_eq!(world.nodes[0].heard, [evicted.id, dropped.id]);
}

#[test]
fn what_was_refused_of_a_topic_comes_again_once_its_writer_is_unblocked_or_it_is_kept_for_longer() {
    let mut world = World::of(1);
    let (owner, peer) = (Ghost::new(50), Ghost::new(53));
    let t = topic(&owner, "t");
    let before = post(&owner, &t, WALL, &message(WALL, "before", None));
    world.visit(0, &peer);
    world.name(0, owner.id, Standing::Blocked);
    world.take(0, &peer, &before);
    assert_eq!(refusals(&world.said_to(&peer)), [(before.id, Refusal::Unwilling)]);
    world.input(0, Input::SetPerson { node: owner.id, person: None });
    offer_and_hand_over(&mut world, &peer, &[&before]);
    assert!(world.holds(0, before.id));

    let filter = || Filter::parse("t").unwrap();
    let old = post(&owner, &t, WALL, &message(WALL + 1, "old", None));
    world.input(
        0,
        Input::Retain { owner: owner.id, filter: filter(), terms: Terms { keep: Some(MINUTE), bytes: None } },
    );
    world.pass(MINUTE.times(2));
    world.take(0, &peer, &old);
    assert_eq!(refusals(&world.said_to(&peer)), [(old.id, Refusal::Unwilling)]);
    world.input(0, Input::Retain { owner: owner.id, filter: filter(), terms: Terms::default() });
    offer_and_hand_over(&mut world, &peer, &[&old]);
    assert!(world.holds(0, old.id));
}

#[test]
fn what_was_refused_of_a_topic_while_the_clock_was_wrong_comes_again_once_it_is_right() {
    let mut world = World::of(1);
    let (owner, peer) = (Ghost::new(50), Ghost::new(53));
    let t = topic(&owner, "t");
    serve(&mut world, 0, &owner, "t");
    world.visit(0, &peer);
    for (n, off) in [HOUR.0 as i64, -(HOUR.0 as i64), 2 * DAY.0 as i64].into_iter().enumerate() {
        world.nodes[0].wall_offset = off;
        let created = WALL + world.now;
        let post = post(&owner, &t, created, &message(created + n as u64, "now", None));
        world.take(0, &peer, &post);
        let has_come = world.nodes[0].heard.contains(&post.id);
        world.nodes[0].wall_offset = 0;
        offer_and_hand_over(&mut world, &peer, &[&post]);
        assert!(world.holds(0, post.id), "by a clock that was off by {off} ms it had come: {has_come}");
        world.pass(MINUTE);
    }
}
