//! The default strategy: what it learns from meetings, what it tells, and what a copy is worth to it.

use dak::agent::routing::{Facts, Policy, RATES_TOLD_MAX, Verdict};
use dak::eid::Eid;
use dak::frame::{ROUTING_ENTRIES_MAX, RoutingInfo};
use dak::id::BundleId;
use dak::time::{DAY, HOUR, MINUTE, Millis};

use crate::rig::{Dice, Rig, facts, node};

/// A rate on the wire has so many steps in one meeting a day.
const STEPS: u16 = 64;

#[test]
fn whoever_is_met_often_is_told_with_a_higher_rate_and_fades() {
    let mut rig = rig(4);
    for round in 0..8 {
        rig.meet(0, 1);
        if round % 4 == 0 {
            rig.meet(0, 2);
        }
        rig.pass(HOUR);
    }
    let fresh = rig.told(0);
    assert!(fresh[&node(1)] > 2 * fresh[&node(2)], "{fresh:?}");
    // 24 a day, as everybody can count.
    assert!((16 * STEPS..32 * STEPS).contains(&fresh[&node(1)]), "{fresh:?}");
    rig.pass(HOUR.times(6));
    // Half is forgotten, and the time it is averaged over has grown.
    let later = rig.told(0)[&node(1)];
    assert!((fresh[&node(1)] / 4..fresh[&node(1)] * 6 / 10).contains(&later), "{later} of {fresh:?}");
}

#[test]
fn a_link_that_flaps_counts_as_one_meeting() {
    let (mut steady, mut flapping) = (rig(2), rig(2));
    steady.meet(0, 1);
    for _ in 0..100 {
        flapping.meet(0, 1);
        flapping.pass(Millis(100));
    }
    let (steady, flapping) = (steady.told(0)[&node(1)], flapping.told(0)[&node(1)]);
    assert!(flapping <= steady + steady / 50, "{flapping} for {steady}");
}

#[test]
fn nobody_is_told_who_is_here_now() {
    let mut rig = rig(3);
    for _ in 0..4 {
        rig.meet(0, 1);
        rig.pass(HOUR);
    }
    let apart = rig.told(0);
    rig.up(0, 1);
    let present = rig.told(0);
    // One meeting more, as any other.
    assert!(present[&node(1)] <= apart[&node(1)] * 3 / 2, "{present:?} after {apart:?}");
    rig.pass(DAY.times(3));
    assert!(rig.told(0).get(&node(1)).is_none_or(|told| *told < STEPS), "it says nothing of a contact that lasts");
    rig.down(0, 1);
    rig.pass(MINUTE.times(10));
    assert!(rig.told(0)[&node(1)] > 0, "nothing was forgotten meanwhile");
}

#[test]
fn strangers_are_told_habits_in_steps_of_four_times() {
    let mut rig = rig(4);
    for round in 0..8 {
        rig.meet(0, 1);
        if round % 4 == 0 {
            rig.meet(0, 2);
        }
        rig.pass(HOUR);
    }
    let (exact, coarse) = (rig.told(0), rig.told_a_stranger(0));
    for who in [1, 2] {
        let (exact, coarse) = (exact[&node(who)], coarse[&node(who)]);
        assert!([STEPS, 4 * STEPS, 16 * STEPS, 64 * STEPS].contains(&coarse), "{coarse}");
        assert!((coarse / 2..2 * coarse).contains(&exact), "{exact} is told as {coarse}");
    }
}

#[test]
fn who_is_met_often_is_told_as_those_named_are() {
    let mut rig = rig(2);
    for round in 0..5 {
        rig.pass(MINUTE.times(20));
        // Of the 5 nodes that 0 meets, 9 is one that nobody named.
        let before = rig.told_to(0, 9);
        rig.hear(0, 9, &RoutingInfo::Meetings(vec![]));
        rig.routings[0].parted(node(9), rig.now);
        rig.meet(0, 1);
        let RoutingInfo::Meetings(told) = before else { panic!("it tells meetings") };
        let exact = rig.told(0).get(&node(1)).copied();
        let is_coarse = told.iter().all(|(_, rate)| (rate / STEPS).is_power_of_two() && rate % STEPS == 0);
        assert_eq!(is_coarse, round < 4, "{round}: {told:?}, {exact:?}");
    }
}

#[test]
fn what_was_heard_is_not_told_on() {
    let mut rig = rig(4);
    rig.meet(0, 1);
    rig.pass(HOUR);
    rig.up(0, 1);
    rig.hear(0, 1, &RoutingInfo::Meetings(vec![(node(2), u16::MAX)]));
    rig.down(0, 1);
    assert_eq!(rig.told(0).into_keys().collect::<Vec<_>>(), [node(1)]);
}

#[test]
fn one_hello_of_invented_rates_changes_nothing_that_lasts_or_is_told_on() {
    let mut rig = rig(200);
    (1..100).for_each(|other| rig.meet(0, other));
    let (met, kept) = (rig.told(0), rig.learned[0].clone());
    rig.pass(MINUTE);
    rig.meet(0, 100);
    let invented = (0..ROUTING_ENTRIES_MAX).map(|n| (node(10_000 + n), u16::MAX));
    rig.hear(0, 100, &RoutingInfo::Meetings(invented.collect()));
    rig.down(0, 100);
    let told = rig.told(0);
    assert!(met.keys().chain([&node(100)]).all(|other| told.contains_key(other)), "no meeting made way");
    assert_eq!(told.len(), met.len() + 1, "and nothing of it is repeated");
    assert_eq!(rig.learned[0].len(), kept.len() + 1, "what is durable is whom it met");
}

#[test]
fn a_promise_of_one_peer_keeps_nothing_from_another_that_meets_the_destination() {
    let mut rig = rig(4);
    for _ in 0..5 {
        rig.meet(2, 3);
        rig.pass(HOUR);
    }
    // Something worth next to nothing had to go, so that room is not free.
    evict(&mut rig, 0, Millis(2_000), 900_000);
    rig.meet(0, 1);
    rig.pass(MINUTE.times(10));
    rig.up(0, 1);
    rig.hear(0, 1, &RoutingInfo::Meetings(vec![(node(3), u16::MAX)]));
    rig.down(0, 1);
    rig.up(0, 2);
    assert_eq!(rig.verdict(0, 2, 3), Verdict::Copy(1), "2 meets 3 every hour, and 1 says that it always does");
}

#[test]
fn hearsay_never_takes_the_place_of_a_meeting() {
    let mut rig = rig(400);
    (300..400).for_each(|other| rig.meet(0, other));
    let met = rig.told(0);
    rig.pass(MINUTE);
    for liar in 1..80 {
        let told = (0..ROUTING_ENTRIES_MAX).map(|n| (node(1_000 + liar * ROUTING_ENTRIES_MAX + n), u16::MAX));
        rig.told_to(0, liar);
        rig.hear(0, liar, &RoutingInfo::Meetings(told.collect()));
    }
    assert_eq!(rig.learned[0].len(), 79 + 100, "what is durable is who was met");
    let told = rig.told(0);
    assert!(met.keys().filter(|other| told.contains_key(other)).count() >= 100 - (79 + 100 - (RATES_TOLD_MAX - 1)));
}

#[test]
fn a_promise_is_worth_no_more_than_what_the_other_end_says_of_it() {
    // 2 meets 3 now and then, and 1 not at all; 1 says that it meets both all the time.
    let mut rig = rig(5);
    for _ in 0..4 {
        rig.meet(2, 3);
        rig.meet(0, 2);
        rig.meet(0, 3);
        rig.pass(MINUTE.times(30));
    }
    evict(&mut rig, 0, Millis(2_000), 900_000);
    rig.up(0, 1);
    let boast = |others: &[usize]| RoutingInfo::Meetings(others.iter().map(|other| (node(*other), u16::MAX)).collect());
    rig.hear(0, 1, &boast(&[2, 4]));
    rig.up(0, 2);
    let destination = Eid::mail(node(4));
    let of_4 = facts(rig.now, &destination);
    let to_liar = rig.routings[0].send_rank(&of_4, node(1));
    rig.hear(0, 1, &boast(&[4]));
    let unrefuted = rig.routings[0].send_rank(&of_4, node(1));
    assert!(to_liar > unrefuted, "found out about 2, it is believed less about 4: {to_liar} {unrefuted}");
    rig.hear(0, 1, &boast(&[2, 3, 4]));
    let destination = Eid::mail(node(3));
    let of_3 = facts(rig.now, &destination);
    assert!(rig.routings[0].send_rank(&of_3, node(2)) < rig.routings[0].send_rank(&of_3, node(1)), "2 really meets 3");
}

#[test]
fn a_carrier_whose_copies_never_lead_to_receipts_is_given_few() {
    let mut rig = rig(4);
    rig.up(0, 1);
    rig.up(0, 2);
    assert_eq!(rig.verdict_on(0, 1, 3, 16), Verdict::Copy(8));
    for n in 0..40u8 {
        let id = BundleId([n; 32]);
        [1, 2].into_iter().for_each(|peer| rig.routings[0].handed(&id, node(peer)));
        rig.routings[0].proven(&id, node(2));
    }
    assert_eq!(rig.verdict_on(0, 2, 3, 16), Verdict::Copy(8), "2 brought every receipt");
    assert_eq!(rig.verdict_on(0, 1, 3, 16), Verdict::Copy(0), "1 none, so that its copy spends nothing");
}

#[test]
fn with_room_everywhere_everybody_gets_everything() {
    let mut rig = rig(3);
    rig.up(0, 1);
    assert_eq!(rig.verdict_on(0, 1, 2, 16), Verdict::Copy(8));
    assert_eq!(rig.verdict_on(0, 1, 2, 1), Verdict::Copy(1));
}

#[test]
fn where_room_is_short_the_last_copy_goes_only_to_whoever_is_likelier_to_meet_the_destination() {
    let mut rig = rig(4);
    for round in 0..5 {
        rig.meet(1, 3);
        if round < 2 {
            rig.meet(0, 3);
        }
        rig.pass(HOUR);
    }
    rig.pass(MINUTE);
    // Something worth next to nothing had to go.
    evict(&mut rig, 0, Millis(2_000), 900_000);
    rig.up(0, 1);
    rig.up(0, 2);
    assert_eq!(rig.verdict(0, 1, 3), Verdict::Copy(1), "1 meets 3 more often");
    assert_eq!(rig.verdict(0, 2, 3), Verdict::Keep, "2 never met 3");
    assert_eq!(rig.verdict_on(0, 2, 3, 16), Verdict::Copy(8), "a budget is spent on anybody with room");
    rig.pass(HOUR.times(3));
    assert_eq!(rig.verdict(0, 2, 3), Verdict::Copy(1), "room costs nothing again");
}

#[test]
fn where_nobody_is_likelier_the_last_copy_goes_only_where_it_is_worth_four_times_the_price() {
    // What had to go was worth as much, a half, a quarter, and less than that.
    for (size_bytes, goes) in [(1_000, false), (2_500, false), (6_000, true), (900_000, true)] {
        let mut rig = rig(3);
        let destination = Eid::mail(node(77));
        let life = facts(rig.now, &destination).remaining;
        evict(&mut rig, 1, life, size_bytes);
        rig.up(0, 1);
        let wanted = if goes { Verdict::Copy(1) } else { Verdict::Keep };
        assert_eq!(rig.verdict(0, 1, 77), wanted, "{size_bytes}");
        assert_eq!(rig.verdict_on(0, 1, 77, 16), Verdict::Copy(8), "a budget is spent where there is room at all");
    }
}

#[test]
fn nothing_goes_where_it_would_be_the_first_to_leave() {
    let mut rig = rig(4);
    // 1 evicts what is worth a lot: small, and its destination comes every hour.
    for _ in 0..5 {
        rig.meet(1, 3);
        rig.pass(HOUR);
    }
    evict_for(&mut rig, 1, 3, DAY, 500);
    let said = rig.up(0, 1);
    let RoutingInfo::Meetings(told) = &said[1] else { panic!("it tells meetings") };
    assert!(told.iter().any(|(who, price)| *who == node(1) && *price > 0), "a price is told");
    assert_eq!(rig.verdict_on(0, 1, 2, 16), Verdict::Keep, "to 2, whom 1 never meets");
}

#[test]
fn the_same_prospect_in_fewer_bytes_goes_first_and_leaves_last() {
    let mut rig = rig(3);
    rig.meet(0, 2);
    rig.meet(1, 2);
    rig.up(0, 1);
    let destination = Eid::mail(node(2));
    let large = Facts { size_bytes: 500_000, ..facts(rig.now, &destination) };
    let small = Facts { size_bytes: 100_000, ..large };
    let dying = Facts { remaining: MINUTE, ..small };
    let to_stranger = Eid::mail(node(99));
    let strange = Facts { destination: &to_stranger, ..small };
    let routing = &rig.routings[0];
    for worse in [large, dying, strange] {
        assert!(routing.send_rank(&small, node(1)) < routing.send_rank(&worse, node(1)), "{worse:?}");
        assert!(routing.drop_rank(&small) > routing.drop_rank(&worse), "{worse:?}");
    }
}

#[test]
fn what_was_learned_of_meetings_outlives_a_restart() {
    let mut rig = rig(3);
    for _ in 0..3 {
        rig.meet(0, 1);
        rig.meet(0, 2);
        rig.pass(HOUR);
    }
    let before = rig.told(0);
    rig.restart(0);
    assert_eq!(rig.told(0), before);
    rig.pass(DAY);
    rig.restart(0);
    assert!(rig.told(0)[&node(1)] < before[&node(1)]);
}

#[test]
fn a_peer_met_again_at_once_is_told_only_what_changes() {
    let mut rig = rig(3);
    rig.meet(0, 2);
    let first = rig.up(0, 1);
    assert!(matches!(&first[0], RoutingInfo::Meetings(told) if !told.is_empty()));
    rig.down(0, 1);
    let again = rig.up(0, 1);
    assert_eq!(again[0], RoutingInfo::Meetings(vec![]));
    // It still knows.
    assert_eq!(rig.verdict_on(1, 0, 2, 2), Verdict::Copy(1));
    rig.down(0, 1);
    rig.pass(HOUR);
    let later = rig.up(0, 1);
    assert!(matches!(&later[0], RoutingInfo::Meetings(told) if !told.is_empty()));
}

#[test]
fn who_said_nothing_may_have_heard_nothing_and_is_told_again() {
    let mut rig = rig(3);
    rig.meet(0, 2);
    // A contact so short that neither Hello arrives.
    rig.told_to(0, 1);
    rig.down(0, 1);
    assert!(matches!(&rig.up(0, 1)[0], RoutingInfo::Meetings(told) if !told.is_empty()));
}

#[test]
fn what_peers_tell_is_bounded_however_many_they_are() {
    let mut rig = rig(1);
    let mut dice = Dice::new(1);
    for peer in 1..200usize {
        let mut told: Vec<_> = (0..ROUTING_ENTRIES_MAX).map(|_| (node(dice.below(1 << 20) as usize), 9)).collect();
        told.sort_unstable();
        told.dedup();
        rig.routings[0].info(node(peer), u64::MAX, rig.now);
        rig.hear(0, peer, &RoutingInfo::Meetings(told));
        if peer % 2 == 0 {
            rig.routings[0].parted(node(peer), rig.now);
        }
        rig.pass(MINUTE);
    }
    assert_eq!(rig.told(0).len(), RATES_TOLD_MAX - 1, "one place is for the price, and room costs nothing here");
    assert!(rig.learned[0].len() <= ROUTING_ENTRIES_MAX);
}

#[test]
fn numbers_at_their_ends_break_nothing() {
    let mut rig = rig(3);
    rig.up(0, 1);
    rig.hear(0, 1, &RoutingInfo::Meetings(vec![(node(1), u16::MAX), (node(2), u16::MAX)]));
    let destination = Eid::mail(node(2));
    for remaining in [Millis(0), Millis(1), Millis(u64::MAX)] {
        for size_bytes in [0, 1, u32::MAX] {
            let bundle = Facts { remaining, size_bytes, ..facts(rig.now, &destination) };
            rig.routings[0].evicted(&bundle);
            rig.routings[0].send_rank(&bundle, node(1));
            assert_eq!(rig.routings[0].verdict(&bundle, node(1)), Verdict::Keep, "no price is higher");
        }
    }
    rig.pass(Millis(u64::MAX / 2));
    rig.down(0, 1);
    rig.meet(0, 1);
    rig.told(0);
}

fn rig(nodes: usize) -> Rig {
    Rig::new(Policy::Prospect, nodes)
}

/// `n` evicts a copy for somebody it never meets.
fn evict(rig: &mut Rig, n: usize, remaining: Millis, size_bytes: u32) {
    evict_for(rig, n, 77, remaining, size_bytes);
}

fn evict_for(rig: &mut Rig, n: usize, destination: usize, remaining: Millis, size_bytes: u32) {
    let destination = Eid::mail(node(destination));
    let now = rig.now;
    rig.routings[n].evicted(&Facts { remaining, size_bytes, ..facts(now, &destination) });
}
