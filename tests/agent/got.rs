//! Receipts of members of groups: for their author alone, in few copies, answered by nobody, and gone once they are heard.

use dak::agent::change::Standing;
use dak::agent::routing::Policy;
use dak::agent::{Config, GOT_COPIES_MAX, Input};
use dak::bundle::Hops;
use dak::eid::Eid;
use dak::frame::{Grade, Refusal};
use dak::id::{BundleId, NodeId};
use dak::time::{DAY, HOUR};

use super::world::ghost::{Ghost, grants, refusals};
use super::{ALICE, BOB, CAROL, World};

/// A group that a node serves with these members.
fn serve(world: &mut World, n: usize, members: &[NodeId]) {
    let group = Eid::group(Ghost::new(70).id);
    world.input(n, Input::ServeGroup { group: group.clone(), on: true });
    world.input(n, Input::GroupMembers { group, members: members.to_vec() });
}

/// Tells a node that something of its came.
fn tell(world: &mut World, from: usize, to: usize, copies: Option<u16>) -> BundleId {
    let to = Eid::got(world.nodes[to].id);
    world.send_to(from, to, DAY, copies).expect("it is held")
}

fn holders(world: &World, id: BundleId) -> usize {
    (0..world.nodes.len()).filter(|n| world.holds(*n, id)).count()
}

#[test]
fn an_author_hears_it_keeps_nothing_and_answers_nothing_and_whoever_held_it_lets_it_go() {
    for policy in [Policy::Prospect, Policy::Epidemic, Policy::Direct] {
        let mut world = World::new(vec![Config { policy, ..Config::default() }; 3]);
        let members: Vec<NodeId> = world.nodes.iter().map(|node| node.id).collect();
        serve(&mut world, ALICE, &members);
        let id = tell(&mut world, BOB, ALICE, None);
        assert!(world.nodes[BOB].sent().is_empty(), "it has no status");
        world.meet(BOB, CAROL);
        world.crash(BOB);
        assert!(world.holds(BOB, id));
        world.meet(BOB, ALICE);
        assert_eq!(world.nodes[ALICE].heard, [id]);
        assert!(world.inbox(ALICE).is_empty() && !world.holds(ALICE, id) && !world.holds(BOB, id));
        world.meet(CAROL, ALICE);
        assert_eq!((world.nodes[ALICE].heard.len(), holders(&world, id)), (1, 0), "a second copy says nothing new");
        let before = world.forwards.clone();
        [(ALICE, BOB), (BOB, CAROL), (CAROL, ALICE)].into_iter().for_each(|(a, b)| world.meet(a, b));
        assert_eq!(world.forwards, before, "there is no receipt for a receipt");
    }
}

#[test]
fn it_goes_in_as_many_copies_as_it_was_given_and_never_in_more_than_four() {
    for policy in [Policy::Prospect, Policy::Epidemic] {
        for (given, most) in [(1, 1), (2, 2), (4, 4), (4_000, usize::from(GOT_COPIES_MAX))] {
            let mut world = World::new(vec![Config { policy: policy.clone(), ..Config::default() }; 9]);
            let id = tell(&mut world, BOB, ALICE, Some(given));
            for _ in 0..3 {
                for a in 1..9 {
                    (a + 1..9).for_each(|b| world.meet(a, b));
                }
            }
            assert_eq!(holders(&world, id), most, "{policy:?}, {given} given");
        }
    }
}

#[test]
fn a_source_that_signs_for_more_copies_gets_no_more() {
    let mut world = World::of(9);
    let mut ghost = Ghost::new(50);
    let bundle = ghost.message(Eid::got(Ghost::new(51).id), DAY, b"sealed");
    world.visit(ALICE, &ghost);
    world.take_with(ALICE, &ghost, &bundle, Hops::default(), 1_000);
    for _ in 0..3 {
        for a in 0..9 {
            (a + 1..9).for_each(|b| world.meet(a, b));
        }
    }
    assert!(holders(&world, bundle.id) <= usize::from(GOT_COPIES_MAX) / 2, "half of them stay with the source");
}

#[test]
fn who_is_no_member_is_not_heard_and_gets_no_word_that_tells_so() {
    let mut world = World::of(1);
    let (mut member, mut contact, mut blocked, mut outsider) =
        (Ghost::new(50), Ghost::new(51), Ghost::new(52), Ghost::new(53));
    serve(&mut world, ALICE, &[member.id, blocked.id]);
    world.name(ALICE, contact.id, Standing::Contact);
    world.name(ALICE, blocked.id, Standing::Blocked);
    let carrier = Ghost::new(54);
    world.visit(ALICE, &carrier);
    let to = Eid::got(world.nodes[ALICE].id);
    for (ghost, is_heard) in [(&mut member, true), (&mut contact, true), (&mut blocked, false), (&mut outsider, false)]
    {
        let bundle = ghost.message(to.clone(), DAY, b"sealed");
        world.take(ALICE, &carrier, &bundle);
        let said = world.said_to(&carrier);
        assert_eq!(world.nodes[ALICE].heard.contains(&bundle.id), is_heard);
        match is_heard {
            true => assert_eq!(grants(&said), [(bundle.id.prefix(), Grade::Custody)]),
            false => assert_eq!(refusals(&said), [(bundle.id, Refusal::Known)]),
        }
        // The second time it is known, whoever wrote it.
        world.take(ALICE, &carrier, &bundle);
        assert_eq!(refusals(&world.said_to(&carrier)), [(bundle.id, Refusal::Known)]);
    }
    assert_eq!(world.nodes[ALICE].heard.len(), 2);
}

#[test]
fn only_its_author_ends_it() {
    let mut world = World::of(2);
    let (mut ghost, carol) = (Ghost::new(50), Ghost::new(51));
    let id = tell(&mut world, BOB, ALICE, None);
    // A peer that accepts it, says to know it, or signs a receipt for it.
    world.visit(BOB, &ghost);
    world.hear(BOB, &ghost, &dak::frame::Frame::Take { ids: vec![id] });
    let grant = dak::frame::Frame::Accepted { grants: vec![(id.prefix(), Grade::Custody)] };
    world.hear(BOB, &ghost, &grant);
    assert!(world.holds(BOB, id));
    let receipt = ghost.receipt(world.nodes[BOB].id, dak::receipt::ReceiptKind::Delivered, &[id]);
    world.take(BOB, &ghost, &receipt);
    world.visit(BOB, &carol);
    world.hear(BOB, &carol, &dak::frame::Frame::Refused { id, why: Refusal::Known, retry_after: HOUR });
    assert!(world.holds(BOB, id));
}

#[test]
fn one_in_the_place_of_which_another_goes_leaves_its_source_and_is_not_taken_back() {
    let mut world = World::of(3);
    let members: Vec<NodeId> = world.nodes.iter().map(|node| node.id).collect();
    serve(&mut world, ALICE, &members);
    let first = tell(&mut world, BOB, ALICE, Some(4));
    world.meet(BOB, CAROL);
    assert_eq!((holders(&world, first), world.nodes[BOB].agent().copies_left(&first)), (2, Some(2)));
    world.input(BOB, Input::Drop(first));
    let second = tell(&mut world, BOB, ALICE, Some(4));
    world.meet(BOB, CAROL);
    assert!(!world.holds(BOB, first) && world.holds(CAROL, first));
    world.crash(BOB);
    world.meet(BOB, CAROL);
    world.meet(BOB, ALICE);
    assert_eq!(world.nodes[ALICE].heard, [second]);
    // A message of a person's is not let go of like this.
    let message = world.send(BOB, CAROL).unwrap();
    world.input(BOB, Input::Drop(message));
    assert!(world.holds(BOB, message));
}
