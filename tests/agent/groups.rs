//! Groups: shown to all who serve them, carried for the others, in room of their own; members are handed theirs first.

use dak::agent::change::{Class, EvidenceKind, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Config, Input, STICK};
use dak::bundle::{Bundle, Hops};
use dak::eid::Eid;
use dak::frame::{Frame, Hello, INTERESTS, Interest, Refusal, Transit};
use dak::id::{BundleId, NodeId};
use dak::time::{DAY, HOUR, Millis};

use super::world::ghost::{Ghost, bundles, grants, hello_of, offers, refusals, takes};
use super::{ALICE, BOB, CAROL, World};

fn group() -> Eid {
    Eid::group(Ghost::new(70).id)
}

fn serve(world: &mut World, n: usize, members: &[NodeId]) {
    world.input(n, Input::ServeGroup { group: group(), on: true });
    world.input(n, Input::GroupMembers { group: group(), members: members.to_vec() });
}

/// A Hello that shows interest in these groups.
fn interested(ghost: &Ghost, groups: &[Eid]) -> Hello {
    let hello = ghost.hello();
    let mut interests: Vec<Interest> =
        groups.iter().map(|group| Interest::of(&hello.nonce, &ghost.id, group)).collect();
    interests.extend((interests.len()..INTERESTS).map(|n| Interest([n as u8; 8])));
    interests.sort_unstable();
    Hello { interests, ..hello }
}

#[test]
fn what_one_writes_to_a_group_is_held_to_the_end_of_its_life_and_is_no_news_to_its_writer() {
    let mut world = World::of(2);
    let members: Vec<NodeId> = world.nodes.iter().map(|node| node.id).collect();
    [ALICE, BOB].into_iter().for_each(|n| serve(&mut world, n, &members));
    let id = world.send_to(ALICE, group(), DAY, None).expect("it is queued");
    world.meet(ALICE, BOB);
    assert_eq!((world.inbox(ALICE), world.inbox(BOB)), (vec![], vec![id]));
    assert!(world.state(ALICE, id) < EvidenceKind::Expired, "no member speaks for all");
    assert!(world.dialled.iter().all(|dialled| !dialled.contains(&group().node)), "behind a group there is no node");
    world.crash(ALICE);
    assert!(world.holds(ALICE, id));
    world.pass(DAY.saturating_add(HOUR));
    assert!(!world.holds(ALICE, id));
    assert_eq!(world.state(ALICE, id), EvidenceKind::Expired);
}

#[test]
fn what_is_carried_for_a_group_is_delivered_once_when_it_is_joined_and_its_own_words_are_not_taken_back() {
    let mut world = World::of(1);
    let (mut from, me) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(group(), DAY, b"before");
    world.visit(ALICE, &from);
    world.take(ALICE, &from, &message);
    assert!(world.inbox(ALICE).is_empty() && world.holds(ALICE, message.id));

    serve(&mut world, ALICE, &[from.id, me.id]);
    assert_eq!(world.inbox(ALICE), [message.id]);
    for _ in 0..2 {
        let (bundle, _) = Bundle::decode(&message.encode(Hops::default())).unwrap();
        let (transit, size_bytes) = (Transit::default(), bundle.encoded_len() as u32);
        let bundle = std::sync::Arc::new(bundle);
        world.input(ALICE, Input::Bundle { from: STICK, transit, bundle, size_bytes });
        assert_eq!(world.inbox(ALICE), [message.id]);
        assert!(world.holds(ALICE, message.id), "the others may lack it");
    }
    world.input(ALICE, Input::Discard(message.id));
    let (bundle, _) = Bundle::decode(&message.encode(Hops::default())).unwrap();
    let (transit, size_bytes) = (Transit::default(), bundle.encoded_len() as u32);
    world.input(ALICE, Input::Bundle { from: STICK, transit, bundle: std::sync::Arc::new(bundle), size_bytes });
    assert!(world.inbox(ALICE).is_empty(), "what was deleted stays so");
}

#[test]
fn what_found_no_room_in_the_mailbox_is_shown_once_there_is_some_and_by_nobody_else_handed_over() {
    let config = Config { contact_mail_bytes_max: 40 * 2_000, ..Config::default() };
    let mut world = World::new(vec![config]);
    let (mut flooder, mut other, peer) = (Ghost::new(51), Ghost::new(52), Ghost::new(53));
    serve(&mut world, ALICE, &[flooder.id, other.id]);
    world.visit(ALICE, &peer);
    let all: Vec<Bundle> = (0..60).map(|n| flooder.message(group(), DAY, &[n as u8; 1_000])).collect();
    all.iter().for_each(|bundle| world.take(ALICE, &peer, bundle));
    world.leave(ALICE, &peer);
    let shown = world.inbox(ALICE);
    assert!((1..40).contains(&shown.len()) && all.iter().all(|bundle| world.holds(ALICE, bundle.id)), "{shown:?}");

    // One by one is read and deleted; nobody is met meanwhile.
    let mut seen = Vec::new();
    while let Some(id) = world.inbox(ALICE).first().copied() {
        seen.push(id);
        world.input(ALICE, Input::Discard(id));
    }
    let written: Vec<BundleId> = all.iter().map(|bundle| bundle.id).collect();
    assert_eq!(seen, written, "each once, in the order in which they came");

    // The same where it found none as the group was served only now, after a restart.
    let late: Vec<Bundle> = (0..60).map(|n| other.message(group(), DAY, &[n as u8; 1_000])).collect();
    world.input(ALICE, Input::ServeGroup { group: group(), on: false });
    world.visit(ALICE, &peer);
    late.iter().for_each(|bundle| world.take(ALICE, &peer, bundle));
    world.leave(ALICE, &peer);
    world.crash(ALICE);
    assert!(world.inbox(ALICE).is_empty());
    serve(&mut world, ALICE, &[flooder.id, other.id]);
    let mut seen = Vec::new();
    while let Some(id) = world.inbox(ALICE).first().copied() {
        seen.push(id);
        world.input(ALICE, Input::Discard(id));
    }
    assert_eq!(seen, late.iter().map(|bundle| bundle.id).collect::<Vec<_>>());
}

#[test]
fn who_is_blocked_is_not_shown_of_what_is_held_and_is_once_they_are_no_longer() {
    let mut world = World::of(1);
    let (mut from, peer) = (Ghost::new(50), Ghost::new(51));
    let message = from.message(group(), DAY, b"before");
    world.visit(ALICE, &peer);
    world.take(ALICE, &peer, &message);
    world.name(ALICE, from.id, Standing::Blocked);
    serve(&mut world, ALICE, &[from.id]);
    assert!(world.inbox(ALICE).is_empty() && world.holds(ALICE, message.id));
    world.input(ALICE, Input::SetPerson { node: from.id, person: None });
    assert_eq!(world.inbox(ALICE), [message.id]);
}

#[test]
fn a_member_has_room_among_contacts_for_what_it_writes_to_the_group_and_an_invitation_gives_none() {
    let mut world = World::of(1);
    let (mut member, other) = (Ghost::new(50), Ghost::new(51));
    let [before, within, beside] = [group(), group(), Eid::mail(other.id)].map(|to| member.message(to, DAY, b"words"));
    world.visit(ALICE, &other);
    let class = |world: &World, bundle: &Bundle| world.nodes[ALICE].agent().held_one(&bundle.id).unwrap().class;
    world.input(ALICE, Input::GroupMembers { group: group(), members: vec![member.id] });
    world.take(ALICE, &other, &before);
    assert_eq!(class(&world, &before), Class::Strangers, "the group is not served here");

    serve(&mut world, ALICE, &[member.id]);
    world.take(ALICE, &other, &within);
    world.take(ALICE, &other, &beside);
    assert_eq!([&before, &within].map(|bundle| class(&world, bundle)), [Class::Contacts; 2]);
    assert_eq!(class(&world, &beside), Class::Strangers, "what is for others has nothing to do with the group");
    let stranger = Ghost::new(52).message(group(), DAY, b"an outsider");
    world.take(ALICE, &other, &stranger);
    assert_eq!(class(&world, &stranger), Class::Strangers);

    world.input(ALICE, Input::GroupMembers { group: group(), members: vec![] });
    assert_eq!(class(&world, &within), Class::Strangers, "who was removed has no room as a member");
    world.input(ALICE, Input::ServeGroup { group: group(), on: false });
    assert_eq!(class(&world, &within), Class::Strangers);
}

#[test]
fn a_group_fills_no_more_than_a_share_of_the_room_of_contacts_and_a_member_no_more_than_its_part() {
    let room = Config { carry_bytes_max: 100 * 2_000, custody_share: 0, ..Config::default() };
    let mut world = World::new(vec![room]);
    let (mut friend, mut flooder, mut modest, peer) = (Ghost::new(50), Ghost::new(51), Ghost::new(52), Ghost::new(53));
    world.name(ALICE, friend.id, Standing::Contact);
    let hundreds: Vec<NodeId> = (0..50).map(|n| Ghost::nth(n).id).chain([flooder.id, modest.id]).collect();
    serve(&mut world, ALICE, &hundreds);
    world.visit(ALICE, &peer);
    let hand_over = |world: &mut World, source: &mut Ghost, to: &Eid, count: u32| -> Vec<Bundle> {
        let all: Vec<Bundle> = (0..count).map(|n| source.message(to.clone(), DAY, &[n as u8; 1_000])).collect();
        all.iter().for_each(|bundle| world.take(ALICE, &peer, bundle));
        all
    };
    let elsewhere = Eid::mail(Ghost::new(99).id);
    let of_modest = hand_over(&mut world, &mut modest, &group(), 10);
    let of_flooder = hand_over(&mut world, &mut flooder, &group(), 150);
    let of_friend = hand_over(&mut world, &mut friend, &elsewhere, 40);
    let kept = |all: &[Bundle]| all.iter().filter(|bundle| world.holds(ALICE, bundle.id)).count();
    let counts = (kept(&of_modest), kept(&of_flooder), kept(&of_friend));
    assert_eq!(
        (counts.0, counts.2),
        (10, 40),
        "{counts:?}: the flood makes way for the friend, and not the modest member"
    );
    assert!(counts.1 <= 70, "{counts:?}");
}

#[test]
fn members_fill_a_bounded_part_of_the_mailbox_together_and_each_its_part_of_that() {
    let config = Config { contact_mail_bytes_max: 80 * 2_000, ..Config::default() };
    let mut world = World::new(vec![config]);
    let (mut flooder, mut other, peer) = (Ghost::new(51), Ghost::new(52), Ghost::new(53));
    serve(&mut world, ALICE, &[flooder.id, other.id]);
    world.visit(ALICE, &peer);
    let write = |world: &mut World, source: &mut Ghost, count: u32| {
        let all: Vec<Bundle> = (0..count).map(|n| source.message(group(), DAY, &[n as u8; 1_000])).collect();
        all.iter().for_each(|bundle| world.take(ALICE, &peer, bundle));
        world.nodes[ALICE].letters().iter().filter(|letter| letter.source == source.id).count()
    };
    let of_flooder = write(&mut world, &mut flooder, 100);
    assert!((10..=30).contains(&of_flooder), "{of_flooder}");
    assert!(write(&mut world, &mut other, 10) >= 10, "the next member still delivers");
    assert!(world.nodes[ALICE].agent().turned_away().next().is_none(), "nobody is told so for a group");
}

#[test]
fn a_member_that_shows_itself_is_handed_what_is_for_the_group_first_and_whatever_the_strategy_says() {
    let direct = Config { policy: Policy::Direct, ..Config::default() };
    let mut world = World::new(vec![direct, Config::default()]);
    let mut from = Ghost::new(50);
    for n in [ALICE, BOB] {
        let (stranger, message) = (Ghost::new(54), from.message(group(), DAY, &[n as u8]));
        world.visit(n, &stranger);
        world.take(n, &stranger, &message);
        world.leave(n, &stranger);
        let (member, outsider) = (Ghost::new(51), Ghost::new(52));
        for (peer, groups, is_offered) in [(&outsider, vec![], n == BOB), (&member, vec![group()], true)] {
            world.visit_silently(n, peer);
            world.hear(n, peer, &Frame::Hello(interested(peer, &groups)));
            world.pass(Millis(1));
            assert_eq!(offers(&world.said_to(peer)).contains(&message.id), is_offered, "node {n}");
        }
        world.hear(n, &member, &Frame::Take { ids: vec![message.id] });
        assert_eq!(bundles(&world.said_to(&member)), [message.id]);
    }
}

#[test]
fn a_member_is_offered_what_it_handed_over_itself_for_it_may_have_let_it_go_since() {
    let mut world = World::of(1);
    let (mut from, mut member) = (Ghost::new(50), Ghost::new(51));
    let (message, own) = (from.message(group(), DAY, b"passed on"), member.message(group(), DAY, b"its own"));
    world.visit(ALICE, &member);
    [&message, &own].into_iter().for_each(|bundle| world.take(ALICE, &member, bundle));
    world.leave(ALICE, &member);
    // It carries for nobody, and its strategy hands nothing on: no summaries are compared that would show what it lacks.
    world.visit_silently(ALICE, &member);
    let hello = Hello { carries: false, pushes: false, ..interested(&member, &[group()]) };
    world.hear(ALICE, &member, &Frame::Hello(hello));
    world.pass(Millis(1));
    assert_eq!(offers(&world.said_to(&member)), [message.id]);
}

#[test]
fn interest_of_another_contact_or_another_peer_shows_nothing() {
    let mut world = World::new(vec![Config { policy: Policy::Direct, ..Config::default() }]);
    let (mut from, member, thief) = (Ghost::new(50), Ghost::new(51), Ghost::new(52));
    let message = from.message(group(), DAY, b"words");
    world.visit(ALICE, &from);
    world.take(ALICE, &from, &message);
    let shown = interested(&member, &[group()]);
    let repeated = Hello { nonce: shown.nonce, interests: shown.interests.clone(), ..thief.hello() };
    let stale = Hello { nonce: [0xee; 16], ..shown };
    for (peer, hello) in [(&thief, repeated), (&member, stale)] {
        world.visit_silently(ALICE, peer);
        world.hear(ALICE, peer, &Frame::Hello(hello));
        world.pass(Millis(1));
        assert!(offers(&world.said_to(peer)).is_empty());
    }
}

#[test]
fn a_hello_shows_as_many_interests_however_many_groups_are_served_and_none_where_there_are_none() {
    let mut world = World::of(1);
    let peer = Ghost::new(50);
    let shown = |world: &mut World| {
        world.visit_silently(ALICE, &peer);
        let hello = hello_of(&world.said_to(&peer));
        world.leave(ALICE, &peer);
        hello
    };
    assert!(shown(&mut world).interests.is_empty());
    for n in 0..20 {
        let group = Eid::group(Ghost::nth(n).id);
        world.input(ALICE, Input::ServeGroup { group: group.clone(), on: true });
        let (one, other) = (shown(&mut world), shown(&mut world));
        assert_eq!([one.interests.len(), other.interests.len()], [INTERESTS; 2]);
        assert!(one.interests.iter().all(|interest| !other.interests.contains(interest)), "no two contacts are alike");
        let me = world.nodes[ALICE].id;
        assert!(n >= 16 || one.interests.contains(&Interest::of(&one.nonce, &me, &group)));
    }
}

#[test]
fn a_member_that_carries_for_nobody_gets_what_is_for_its_group() {
    let nothing = Config { carry_bytes_max: 0, ..Config::default() };
    let mut world = World::new(vec![Config::default(), nothing.clone(), nothing]);
    let members: Vec<NodeId> = world.nodes.iter().map(|node| node.id).collect();
    [ALICE, BOB].into_iter().for_each(|n| serve(&mut world, n, &members));
    let id = world.send_to(ALICE, group(), DAY, None).expect("it is queued");
    world.meet(ALICE, BOB);
    world.meet(ALICE, CAROL);
    assert_eq!((world.inbox(BOB), world.inbox(CAROL)), (vec![id], vec![]));
    // The second time it is known, and nothing goes.
    let before = world.forwards[&(ALICE, BOB)];
    world.meet(ALICE, BOB);
    assert_eq!(world.forwards[&(ALICE, BOB)], before);
}

/// A peer offers a message, and hands it over where it is asked to.
fn offer_and_hand_over(world: &mut World, peer: &Ghost, message: &Bundle) -> bool {
    world.said_to(peer);
    world.hear(ALICE, peer, &Frame::Offer { ids: vec![message.id] });
    let is_asked = takes(&world.said_to(peer)) == [message.id];
    if is_asked {
        world.take(ALICE, peer, message);
    }
    is_asked
}

#[test]
fn what_was_evicted_before_its_group_was_joined_is_asked_for_and_shown_and_what_is_for_others_is_not() {
    let mut world = World::of(1);
    let (mut from, peer) = (Ghost::new(50), Ghost::new(51));
    let [message, elsewhere] =
        [group(), Eid::group(Ghost::new(71).id)].map(|to| from.message(to, DAY, b"before this one joined"));
    world.visit(ALICE, &peer);
    for bundle in [&message, &elsewhere] {
        world.take(ALICE, &peer, bundle);
        assert!(world.holds(ALICE, bundle.id));
    }
    world.input(ALICE, Input::CarryLimit(0));
    assert_eq!(world.nodes[ALICE].agent().held().count(), 0);
    world.input(ALICE, Input::CarryLimit(1 << 20));
    assert!(!offer_and_hand_over(&mut world, &peer, &message), "it is for others");

    serve(&mut world, ALICE, &[from.id]);
    assert!(!offer_and_hand_over(&mut world, &peer, &elsewhere), "that still is");
    assert!(offer_and_hand_over(&mut world, &peer, &message));
    assert_eq!(world.inbox(ALICE), [message.id]);
    assert!(!world.holds(ALICE, message.id), "for the others it is not carried again for a while");
    assert!(!offer_and_hand_over(&mut world, &peer, &message), "it is known");
}

#[test]
fn what_is_dropped_before_there_was_room_to_show_it_is_shown_when_there_is_some() {
    let config = Config { contact_mail_bytes_max: 40 * 2_000, ..Config::default() };
    let mut world = World::new(vec![config]);
    let (mut from, peer) = (Ghost::new(50), Ghost::new(51));
    serve(&mut world, ALICE, &[from.id]);
    world.visit(ALICE, &peer);
    let all: Vec<Bundle> = (0..60).map(|n| from.message(group(), DAY, &[n as u8; 1_000])).collect();
    all.iter().for_each(|bundle| world.take(ALICE, &peer, bundle));
    let last = all.last().expect("there are sixty");
    assert!(world.holds(ALICE, last.id) && !world.inbox(ALICE).contains(&last.id), "it found no room");
    all.iter().for_each(|bundle| world.input(ALICE, Input::Drop(bundle.id)));
    world.inbox(ALICE).into_iter().for_each(|id| world.input(ALICE, Input::Discard(id)));
    assert!(offer_and_hand_over(&mut world, &peer, last));
    assert_eq!(world.inbox(ALICE), [last.id]);
    assert!(!world.holds(ALICE, last.id), "the owner does not carry it for others");
}

#[test]
fn a_writer_takes_its_own_words_to_a_group_from_nobody() {
    let mut world = World::of(1);
    let (peer, me) = (Ghost::new(50), world.nodes[ALICE].id);
    serve(&mut world, ALICE, &[peer.id, me]);
    // The same key, as a home restored from a backup has it.
    let mut earlier = Ghost::new(50);
    earlier.key = (*world.nodes[ALICE].key).clone();
    earlier.id = me;
    let message = earlier.message(group(), DAY, b"written before");
    world.visit(ALICE, &peer);
    world.take(ALICE, &peer, &message);
    let said = world.said_to(&peer);
    assert_eq!((grants(&said), refusals(&said)), (vec![], vec![(message.id, Refusal::Known)]));
    assert!(world.inbox(ALICE).is_empty());
}
