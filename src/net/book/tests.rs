//! Stories of the book: whom it dials, and when.

use super::chance::{DIALS_PER_SPAN_MAX, TURN, WEARY_AFTER};
use super::present::LINGER;
use super::*;

const ME: NodeId = NodeId::from_trusted([0; 32]);

fn node(n: u16) -> NodeId {
    let mut key = [1; 32];
    key[..2].copy_from_slice(&n.to_be_bytes());
    NodeId::from_trusted(key)
}

fn addr(port: u16) -> Multiaddr {
    format!("/ip4/192.168.0.1/tcp/{port}").parse().unwrap()
}

/// An address at a host of its own.
fn home(n: u16) -> Multiaddr {
    format!("/ip4/10.0.{}.{}/tcp/7", n >> 8, n & 255).parse().unwrap()
}

fn book(contacts_max: usize, now: Instant) -> Book {
    Book::new(ME, contacts_max, 64, now, Jitter::from_seed([3; 32]))
}

fn second(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn peers(dials: &[Dial]) -> Vec<NodeId> {
    let peer = |dial: &Dial| match dial {
        Dial::Peer(peer, ..) => *peer,
        Dial::Address(addr) => panic!("{addr} was not given"),
    };
    dials.iter().map(peer).collect()
}

/// Lets time pass until then; every dial fails.
fn in_vain(book: &mut Book, now: &mut Instant, until: Instant, mut each: impl FnMut(Instant, &Dial)) {
    while *now < until {
        for dial in book.due(*now) {
            each(*now, &dial);
            match dial {
                Dial::Peer(peer, _, way) => book.failed(peer, way, None, *now),
                Dial::Address(addr) => book.given_failed(&addr, *now),
            }
        }
        book.leaving(*now);
        *now = book.next_wake(*now).unwrap_or(until).max(*now + Duration::from_millis(1)).min(until);
    }
}

/// Takes the dials that are due, all of which succeed.
fn meet(book: &mut Book, now: Instant) -> Vec<NodeId> {
    let dials = book.due(now);
    for dial in &dials {
        let Dial::Peer(peer, _, way) = dial else { panic!("none was given") };
        book.connected(*peer, *way, now);
        book.contact_up(*peer, now);
    }
    peers(&dials)
}

#[test]
fn an_empty_book_never_wakes() {
    let now = Instant::now();
    let mut book = book(12, now);
    assert_eq!(book.due(now), []);
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn a_given_address_is_dialed_every_few_seconds_and_once_a_minute_where_nothing_lives() {
    let mut now = Instant::now();
    let start = now;
    let mut book = book(0, now);
    book.give(addr(1), now);
    let mut dials = Vec::new();
    in_vain(&mut book, &mut now, start + LIVELY_FOR + second(1_000), |now, dial| {
        assert_eq!(*dial, Dial::Address(addr(1)));
        dials.push(now - start);
    });
    let waits: Vec<_> = dials.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
    assert!(waits[0].1 <= second(1), "{waits:?}");
    let lively = |at: &Duration| *at < LIVELY_FOR - second(5);
    assert!(waits.iter().filter(|(at, _)| lively(at)).all(|(_, wait)| *wait <= WAIT_LIVELY), "{waits:?}");
    let last = waits.last().unwrap().1;
    assert!(last >= WAIT_QUIET / 2 && last <= WAIT_QUIET, "{last:?}");
    // Somebody is heard: perhaps others are there as well.
    book.hear(node(9), addr(9), now);
    let dialed = now;
    in_vain(&mut book, &mut now, dialed + second(5), |now, dial| {
        if *dial == Dial::Address(addr(1)) {
            dials.push(now - start);
        }
    });
    assert!(*dials.last().unwrap() > dialed - start, "it is looked for within five seconds");
}

#[test]
fn whoever_is_named_is_dialed_wherever_it_answered_once_although_there_are_contacts_enough() {
    let now = Instant::now();
    let mut book = book(1, now);
    (100..112).for_each(|n| book.connected(node(n), Way::In, now));
    book.name(node(1), now);
    book.learn(node(1), addr(1), Source::Saved, now);
    assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)], Way::Asked)]);
    // Once it is named no more it is one of many.
    book.connected(node(1), Way::Asked, now);
    book.forget(node(1));
    assert_eq!(book.take_named_changes(), [(node(1), true), (node(1), false)]);
}

#[test]
fn those_who_dial_in_take_no_place_of_those_that_are_dialed() {
    let now = Instant::now();
    let mut book = book(3, now);
    (100..112).for_each(|n| book.connected(node(n), Way::In, now));
    (0..9).for_each(|n| book.learn(node(n), home(n), Source::Saved, now));
    assert_eq!(book.due(now).len(), 3);
}

#[test]
fn every_few_minutes_one_contact_found_by_chance_takes_the_place_of_another() {
    let mut now = Instant::now();
    let mut book = book(3, now);
    book.name(node(50), now);
    book.learn(node(50), home(50), Source::Saved, now);
    (0..9).for_each(|n| book.learn(node(n), home(n), Source::Saved, now));
    assert_eq!(meet(&mut book, now).len(), 4, "three by chance, and who is named");
    let (start, mut left) = (now, BTreeSet::new());
    for _ in 0..20 {
        now = book.next_wake(now).unwrap();
        let came = meet(&mut book, now);
        assert_eq!(came.len(), 1);
        let gone = book.leaving(now);
        assert_eq!(gone.len(), 1);
        assert!(!gone.contains(&node(50)) && !gone.contains(&came[0]));
        gone.iter().for_each(|peer| book.disconnected(*peer, Some(second(100)), now));
        left.extend(gone);
    }
    assert!(now - start >= TURN / 2 * 20 && now - start <= TURN * 20);
    assert!(left.len() > 4, "{left:?}");
}

#[test]
fn with_nobody_to_take_a_place_there_is_no_timer() {
    let now = Instant::now();
    let mut book = book(3, now);
    (0..3).for_each(|n| book.learn(node(n), home(n), Source::Saved, now));
    assert_eq!(meet(&mut book, now).len(), 3);
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn a_turn_that_finds_nobody_costs_no_contact() {
    let mut now = Instant::now();
    let mut book = book(3, now);
    (0..3).for_each(|n| book.learn(node(n), home(n), Source::Saved, now));
    meet(&mut book, now);
    book.learn(node(9), home(9), Source::Saved, now);
    let mut dials = 0;
    let until = now + second(3_600);
    in_vain(&mut book, &mut now, until, |_, _| dials += 1);
    assert!((6..=24).contains(&dials), "{dials}");
    assert_eq!(book.leaving(now), []);
}

#[test]
fn who_answered_at_a_given_address_is_dialed_by_name_until_it_is_lost() {
    let mut now = Instant::now();
    let mut book = book(0, now);
    book.give(addr(1), now);
    book.due(now);
    book.connected(node(1), Way::Asked, now);
    book.given_answered(&addr(1), node(1), now);
    assert_eq!(book.due(now + second(100)), []);
    book.disconnected(node(1), Some(second(60)), now);
    for _ in 0..3 {
        now = book.next_wake(now).unwrap();
        assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)], Way::Asked)]);
        book.failed(node(1), Way::Asked, None, now);
    }
    assert_eq!(book.due(now), [Dial::Address(addr(1))]);
    book.connected(node(2), Way::Asked, now);
    book.given_answered(&addr(1), node(2), now);
    let changes = book.take_named_changes();
    assert_eq!(changes, [(node(1), true), (node(1), false), (node(2), true)], "who left the address is a stranger");
}

#[test]
fn another_node_at_a_given_address_is_dialed_by_address_at_once() {
    let now = Instant::now();
    let mut book = book(0, now);
    book.give(addr(1), now);
    book.due(now);
    book.connected(node(1), Way::Asked, now);
    book.given_answered(&addr(1), node(1), now);
    book.disconnected(node(1), None, now);
    let now = book.next_wake(now).unwrap();
    assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)], Way::Asked)]);
    book.failed(node(1), Way::Asked, Some(&addr(1)), now);
    assert_eq!(book.due(now), [Dial::Address(addr(1))]);
}

#[test]
fn a_peer_for_whom_something_is_held_is_dialed_although_there_are_contacts_enough() {
    let mut now = Instant::now();
    let mut book = book(1, now);
    book.learn(node(9), home(9), Source::Saved, now);
    meet(&mut book, now);
    book.learn(node(1), addr(1), Source::Worked, now);
    assert_eq!(book.due(now), []);
    book.hold(node(1));
    assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)], Way::Asked)]);
    book.failed(node(1), Way::Asked, None, now);
    assert_eq!(book.due(now), []);
    now = book.next_wake(now).unwrap();
    assert_eq!(meet(&mut book, now), [node(1)]);
    // It is one too many, and leaves when it has what it came for.
    assert_eq!(book.leaving(now), []);
    assert_eq!(book.leaving(now + LINGER), [node(1)]);
    book.hold(node(1));
    assert_eq!(book.leaving(now + LINGER), [], "it was asked a moment ago");
    book.disconnected(node(1), Some(second(40)), now);
    assert!(book.next_wake(now).unwrap() > now + second(60), "only a turn is left");
}

#[test]
fn nothing_is_held_for_a_peer_nobody_knows() {
    let now = Instant::now();
    let mut book = book(1, now);
    book.hold(node(1));
    book.learn(node(1), addr(1), Source::Saved, now);
    assert!(!book.known[&node(1)].held);
}

#[test]
fn backoff_of_a_stranger_doubles_to_ten_minutes_and_a_good_contact_ends_it() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(1), addr(1), Source::Saved, now);
    let mut waits = Vec::new();
    for _ in 0..14 {
        assert_eq!(book.due(now).len(), 1);
        book.failed(node(1), Way::Chance, None, now);
        let wake = book.next_wake(now).unwrap();
        waits.push(wake - now);
        now = wake;
    }
    assert!(waits.windows(2).take(8).all(|pair| pair[1] >= pair[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= second(600)), "{waits:?}");
    assert!(waits[13] >= second(300), "{waits:?}");
    meet(&mut book, now);
    book.disconnected(node(1), Some(second(60)), now);
    assert!(book.next_wake(now).unwrap() <= now + second(1));
}

#[test]
fn who_answers_and_has_nothing_to_say_is_left_alone_for_ever_longer_though_it_is_named() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(1), addr(1), Source::Entered, now);
    for _ in 0..12 {
        assert_eq!(meet(&mut book, now), [node(1)]);
        book.disconnected(node(1), Some(second(1)), now);
        let wake = book.next_wake(now).unwrap();
        (now, book.lively_until) = (wake, wake);
    }
    meet(&mut book, now);
    book.disconnected(node(1), None, now);
    assert!(book.next_wake(now).unwrap() >= now + second(300));
}

#[test]
fn about_as_many_contacts_as_wanted_are_dialed_by_chance() {
    let now = Instant::now();
    let mut book = book(5, now);
    (0..100).for_each(|n| book.learn(node(n), addr(n), Source::Saved, now));
    let dialed = meet(&mut book, now);
    assert_eq!(dialed.len(), 5);
    assert!(dialed.iter().any(|peer| *peer > node(20)), "chosen by chance, not in order");
    assert!(book.next_wake(now).unwrap() >= now + TURN / 2);
}

#[test]
fn a_host_with_many_names_has_one_share_of_chance() {
    let (mut loud, mut quiet) = (0, 0);
    for seed in 0..200 {
        let now = Instant::now();
        let mut book = Book::new(ME, 1, 64, now, Jitter::from_seed([seed; 32]));
        (0..100).for_each(|n| book.learn(node(n), addr(n), Source::Saved, now));
        book.learn(node(200), home(1), Source::Saved, now);
        *(if peers(&book.due(now)) == [node(200)] { &mut quiet } else { &mut loud }) += 1;
    }
    assert!((60..140).contains(&quiet), "{quiet} of {}", quiet + loud);
}

#[test]
fn what_merely_answered_makes_room_by_host_and_whoever_is_named_stays() {
    let now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(60_000), home(1), Source::Entered, now);
    book.name(node(60_001), now);
    (0..100).for_each(|n| book.learn(node(n), home(100 + n), Source::Worked, now));
    (1_000..3_000).for_each(|n| book.learn(node(n), addr(n), Source::Worked, now));
    assert_eq!(book.known.len(), STRANGERS_MAX + 2);
    assert_eq!(book.named, BTreeSet::from([node(60_000), node(60_001)]));
    assert!((0..100).all(|n| book.known.contains_key(&node(n))), "one host takes from itself");
    assert!(book.known.keys().any(|peer| *peer > node(2_900)), "later ones have a chance as well");
}

#[test]
fn a_host_that_floods_does_not_hide_the_others() {
    let now = Instant::now();
    let mut book = book(12, now);
    book.hear(node(60_000), home(2), now);
    for n in 0..2_000 {
        book.hear(node(n), addr(n), now);
    }
    assert_eq!(book.hearsay.len(), hearsay::CLAIMS_PER_HOST_MAX + 1);
    assert!(book.hearsay.knows(node(60_000)));
    assert!((1_900..2_000).any(|n| book.hearsay.knows(node(n))), "later ones have a chance as well");
}

#[test]
fn a_flood_of_claims_fills_neither_the_book_nor_the_wire() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(60_000), addr(1), Source::Entered, now);
    let mut dials = 0;
    for n in 0..3_000_u16 {
        book.hear(node(n), home(n), now);
        if n % 300 == 0 {
            now += second(1);
            for dial in book.due(now) {
                dials += 1;
                if let Dial::Peer(peer, _, way) = dial {
                    book.failed(peer, way, None, now);
                }
            }
        }
    }
    assert_eq!(book.hearsay.len(), hearsay::CLAIMS_MAX);
    assert_eq!(book.known.len(), 1);
    assert!(dials <= 10 * (DIALS_PER_SPAN_MAX + 1), "{dials}");
}

#[test]
fn a_neighbour_newly_heard_is_dialed_within_two_seconds_though_claims_that_come_to_nothing_wait() {
    let mut now = Instant::now();
    let mut book = book(0, now);
    for n in 0..500_u16 {
        let host: Multiaddr = format!("/ip4/10.1.0.{}/tcp/{}", n % 50, n + 1).parse().unwrap();
        book.hear(node(n), host, now);
    }
    let until = now + second(10);
    in_vain(&mut book, &mut now, until, |_, _| ());
    book.hear(node(60_000), home(2), now);
    let (heard, mut met) = (now, None);
    in_vain(&mut book, &mut now, heard + second(60), |now, dial| {
        if met.is_none() && *dial == Dial::Peer(node(60_000), vec![home(2)], Way::Heard) {
            met = Some(now - heard);
        }
    });
    assert!(met.unwrap() <= second(3), "{met:?}");
}

/// Whoever claims a name learns nothing of what is held for it, nor whether it is named or answered elsewhere once.
#[test]
fn the_dials_that_follow_a_claim_tell_nothing_of_what_is_held_for_the_name() {
    let mut now = Instant::now();
    let mut book = Book::new(ME, 2, 64, now, Jitter::from_seed([7; 32]));
    // Contacts enough, or everybody heard would be dialed for them.
    [1, 2].into_iter().for_each(|n| book.connected(node(n), Way::Chance, now));
    let mut delays = [Vec::new(), Vec::new()];
    for trial in 0..400_u16 {
        let (peer, holding) = (node(1_000 + trial), usize::from(trial % 2 == 0));
        let elsewhere: Multiaddr = "/ip4/172.16.0.1/tcp/9".parse().unwrap();
        if holding == 1 {
            if trial % 4 == 0 {
                book.name(peer, now);
            }
            book.learn(peer, elsewhere, Source::Worked, now);
        }
        book.hear(peer, home(trial), now);
        book.hold(peer);
        let heard = now;
        in_vain(&mut book, &mut now, heard + second(20), |now, dial| match dial {
            Dial::Peer(dialed, addrs, _) if *dialed == peer && addrs.contains(&home(trial)) => {
                delays[holding].push((now - heard).as_secs_f64());
            }
            _ => {}
        });
        book.forget(peer);
        book.known.remove(&peer);
        book.unhear(peer, &home(trial));
    }
    let [not, held] = delays;
    assert_eq!(not.len(), held.len(), "each is dialed as often");
    assert_eq!(not.len() % 200, 0);
    let first = |delays: &[f64]| delays.iter().step_by(delays.len() / 200).copied().collect::<Vec<_>>();
    assert!(first(&not).iter().chain(&first(&held)).all(|delay| *delay <= 2.01));
    for (not, held) in [(first(&not), first(&held)), (not, held)] {
        let distance = largest_distance(not, held);
        // Kolmogorov and Smirnov: past 1.63 √(2/n) two samples of n differ with p < 0.01.
        assert!(distance < 1.63 * (2.0_f64 / 200.0).sqrt(), "{distance}");
    }
}

#[test]
fn whoever_claims_a_name_is_dialed_however_many_this_node_is_connected_with_or_looks_for() {
    let now = Instant::now();
    let mut book = book(2, now);
    for n in 0..200 {
        book.learn(node(n), home(n), Source::Worked, now);
        book.hold(node(n));
    }
    while !meet_held(&mut book, now).is_empty() {}
    assert!(book.urgent().next().is_some(), "more are looked for than there is room for");
    book.hear(node(60_000), home(60_000), now);
    assert_eq!(peers(&book.due(now + hearsay::DELAY)), [node(60_000)]);
}

/// Takes the dials that are due, all of which succeed, and whose contacts bring nothing for now.
fn meet_held(book: &mut Book, now: Instant) -> Vec<Dial> {
    let dials = book.due(now);
    peers(&dials).into_iter().for_each(|peer| book.connected(peer, Way::Asked, now));
    dials
}

#[test]
fn a_node_that_may_have_few_connections_dials_whom_its_owner_named_and_who_is_heard() {
    let now = Instant::now();
    for outbound_max in 2..20 {
        let mut book = Book::new(ME, 12, outbound_max, now, Jitter::from_seed([3; 32]));
        book.learn(node(1), home(1), Source::Entered, now);
        book.hear(node(2), home(2), now);
        let dialed: BTreeSet<NodeId> = peers(&book.due(now + hearsay::DELAY)).into_iter().collect();
        assert_eq!(dialed, BTreeSet::from([node(1), node(2)]), "of {outbound_max}");
    }
}

/// Between the distributions of two samples of one size.
fn largest_distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |sample: &[f64], at: f64| sample.partition_point(|x| *x <= at) as f64 / sample.len() as f64;
    a.iter().chain(&b).map(|at| (below(&a, *at) - below(&b, *at)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_host_that_claims_to_be_somebody_else_is_dialed_ever_more_rarely_whatever_it_claims() {
    let mut now = Instant::now();
    let start = now;
    let mut book = book(12, now);
    let mut dials = Vec::new();
    for second_of_hour in 0..3_600_u16 {
        book.hear(node(second_of_hour), addr(1 + second_of_hour), now);
        for dial in book.due(now) {
            let Dial::Peer(peer, addrs, way) = dial else { panic!("none was given") };
            dials.push(now - start);
            book.failed(peer, way, Some(&addrs[0]), now);
        }
        now += second(1);
    }
    assert!(dials.len() <= 25, "{dials:?}");
}

#[test]
fn better_addresses_are_not_pushed_out_and_come_first() {
    let now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(1), addr(1), Source::Entered, now);
    for port in 2..20 {
        book.learn(node(1), addr(port), Source::Worked, now);
    }
    let Some(Dial::Peer(_, addrs, _)) = book.due(now).pop() else { panic!("it is due") };
    assert_eq!(addrs[0], addr(1));
    assert_eq!(addrs.len(), ADDRESSES_MAX);
    assert!(addrs.contains(&addr(19)), "the latest that worked counts: {addrs:?}");
}

#[test]
fn a_node_does_not_dial_itself() {
    let now = Instant::now();
    let mut book = book(12, now);
    assert!(!book.hear(ME, addr(1), now));
    book.learn(ME, addr(1), Source::Entered, now);
    assert_eq!(book.due(now), []);
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn a_book_of_peers_that_are_gone_is_read_ever_more_slowly() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    for n in 0..500 {
        book.learn(node(n), home(n), Source::Saved, now);
    }
    let mut dials_by_minute = [0; 10];
    let start = now;
    in_vain(&mut book, &mut now, start + second(600), |now, _| {
        dials_by_minute[(now - start).as_secs() as usize / 60] += 1;
    });
    assert!(dials_by_minute[0] >= WEARY_AFTER, "{dials_by_minute:?}");
    assert!(dials_by_minute[5] <= 3 * DIALS_PER_SPAN_MAX, "{dials_by_minute:?}");
    // Somebody new is dialed soon all the same.
    book.hear(node(999), home(999), now);
    let wake = book.next_wake(now).unwrap();
    assert!(wake <= now + second(2));
}

/// The dials of the dead last until they time out; whoever has the larger key waited behind all of them.
#[test]
fn dead_addresses_keep_no_place_from_somebody_who_lives() {
    let mut now = Instant::now();
    let start = now;
    let mut book = book(0, now);
    for n in 0..100 {
        book.learn(node(n), home(n), Source::Entered, now);
    }
    let timeout = second(10);
    let (mut under_way, mut first_tries, mut living) = (Vec::new(), BTreeSet::new(), None);
    while now < start + second(600) {
        let (over, lasting): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(_, since)| *since + timeout <= now);
        under_way = lasting;
        over.into_iter().for_each(|(peer, _)| book.failed(peer, Way::Asked, None, now));
        if now == start + second(300) {
            book.learn(node(999), addr(1), Source::Worked, now);
            book.hold(node(999));
        }
        for peer in peers(&book.due(now)) {
            first_tries.insert(peer);
            under_way.push((peer, now));
            if peer == node(999) {
                living = living.or(Some(now));
            }
        }
        assert!(under_way.len() <= DIALS_MAX);
        now += Duration::from_millis(100);
    }
    assert_eq!(first_tries.len(), 101, "everybody has a turn");
    assert_eq!(living, Some(start + second(300)), "something is held for it, and nothing says that it is away");
}

/// An hour of an idle machine: a dial costs some 0.2 ms, and a thousandth of a core is 3.6 s of them.
#[test]
fn many_that_are_waited_for_cost_two_dials_a_second_and_few_are_met_within_five() {
    for (count, dials_max) in [(1_u16, 1_900), (8, 11_000), (200, 11_000)] {
        let mut now = Instant::now();
        let start = now;
        let mut book = book(0, now);
        for n in 0..count {
            book.name(node(n), now);
            book.learn(node(n), home(n), Source::Saved, now);
        }
        let (mut dials, mut last, mut longest) = (0, BTreeMap::new(), Duration::ZERO);
        in_vain(&mut book, &mut now, start + second(3_000), |now, dial| {
            dials += 1;
            let before = last.insert(peers(std::slice::from_ref(dial))[0], now);
            longest = longest.max(before.map_or(Duration::ZERO, |before| now - before));
        });
        assert!(dials <= dials_max, "{count}: {dials}");
        assert!(count > 8 || longest < second(5), "{count}: {longest:?}");
    }
}
