//! Stories of the book: whom it dials, and when.

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

fn book(contacts_max: usize, now: Instant) -> Book {
    Book::new(ME, contacts_max, now, Jitter::from_seed([3; 32]))
}

fn second(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn an_empty_book_never_wakes() {
    let now = Instant::now();
    let mut book = book(12, now);
    assert_eq!(book.due(now), []);
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn a_given_address_is_dialed_again_for_ever_at_least_once_a_minute() {
    let mut now = Instant::now();
    let mut book = book(0, now);
    book.give(addr(1), now);
    let mut waits = Vec::new();
    for _ in 0..20 {
        assert_eq!(book.due(now), [Dial::Address(addr(1))]);
        assert_eq!(book.next_wake(now), None);
        book.given_failed(&addr(1), now);
        let wake = book.next_wake(now).unwrap();
        waits.push(wake - now);
        now = wake;
    }
    assert!(waits[0] <= second(1), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= second(60)), "{waits:?}");
    assert!(waits[10..].iter().all(|wait| *wait >= second(30)), "{waits:?}");
}

#[test]
fn who_answered_at_a_given_address_is_dialed_by_name_until_it_is_lost() {
    let mut now = Instant::now();
    let mut book = book(0, now);
    book.give(addr(1), now);
    book.due(now);
    book.connected(node(1));
    book.given_answered(&addr(1), node(1), now);
    assert_eq!(book.due(now + second(100)), []);
    book.disconnected(node(1), Some(second(60)), now);
    for _ in 0..3 {
        now = book.next_wake(now).unwrap();
        assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)])]);
        book.failed(node(1), now);
    }
    assert_eq!(book.due(now), [Dial::Address(addr(1))]);
    book.connected(node(2));
    book.given_answered(&addr(1), node(2), now);
    assert!(book.is_familiar(node(2)));
    assert!(!book.is_familiar(node(1)), "a name that left the address is a stranger's");
}

#[test]
fn another_node_at_a_given_address_is_dialed_by_address_at_once() {
    let now = Instant::now();
    let mut book = book(0, now);
    book.give(addr(1), now);
    book.due(now);
    book.given_answered(&addr(1), node(1), now);
    book.disconnected(node(1), None, now);
    let now = book.next_wake(now).unwrap();
    assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)])]);
    book.wrong_peer(node(1), &addr(1), now);
    book.failed(node(1), now);
    assert_eq!(book.due(now), [Dial::Address(addr(1))]);
}

#[test]
fn a_peer_for_whom_something_is_held_is_dialed_although_there_are_contacts_enough() {
    let now = Instant::now();
    let mut book = book(1, now);
    book.connected(node(9));
    book.learn(node(1), addr(1), Source::Told, now);
    assert_eq!(book.due(now), []);
    assert_eq!(book.next_wake(now), None);
    assert!(book.hold(node(1)));
    assert_eq!(book.due(now), [Dial::Peer(node(1), vec![addr(1)])]);
    book.failed(node(1), now);
    assert_eq!(book.due(now), []);
    assert!(book.next_wake(now).unwrap() > now);
    book.connected(node(1));
    book.contact_up(node(1));
    book.disconnected(node(1), Some(second(40)), now);
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn nothing_is_held_for_a_peer_nobody_knows() {
    assert!(!book(1, Instant::now()).hold(node(1)));
}

#[test]
fn backoff_doubles_to_ten_minutes_and_a_good_contact_ends_it() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(1), addr(1), Source::Saved, now);
    let mut waits = Vec::new();
    for _ in 0..14 {
        assert_eq!(book.due(now).len(), 1);
        book.failed(node(1), now);
        let wake = book.next_wake(now).unwrap();
        waits.push(wake - now);
        now = wake;
    }
    assert!(waits.windows(2).take(8).all(|pair| pair[1] >= pair[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= second(600)), "{waits:?}");
    assert!(waits[13] >= second(300), "{waits:?}");
    book.due(now);
    book.connected(node(1));
    book.disconnected(node(1), Some(second(60)), now);
    assert!(book.next_wake(now).unwrap() <= now + second(1));
}

#[test]
fn about_as_many_contacts_as_wanted_are_dialed_by_chance() {
    let now = Instant::now();
    let mut book = book(5, now);
    for n in 0..100 {
        book.learn(node(n), addr(n), Source::Seen, now);
    }
    let dialed: BTreeSet<_> = book
        .due(now)
        .into_iter()
        .map(|dial| match dial {
            Dial::Peer(peer, _) => peer,
            Dial::Address(_) => panic!("none was given"),
        })
        .collect();
    assert_eq!(dialed.len(), 5);
    assert!(dialed.iter().any(|peer| *peer > node(20)), "chosen by chance, not in order");
    assert_eq!(book.next_wake(now), None);
}

#[test]
fn a_host_that_floods_does_not_hide_the_others() {
    let now = Instant::now();
    let mut book = book(12, now);
    let quiet: Multiaddr = "/ip4/192.168.0.2/tcp/7".parse().unwrap();
    book.learn(node(60_000), quiet, Source::Seen, now);
    for n in 0..2_000 {
        book.learn(node(n), addr(n), Source::Seen, now);
    }
    assert_eq!(book.known.len(), STRANGERS_PER_HOST_MAX + 1);
    assert!(book.known.contains_key(&node(60_000)));
    assert!(book.known.keys().any(|peer| *peer > node(1_900)), "later ones have a chance as well");
}

#[test]
fn a_flood_of_claims_fills_neither_the_book_nor_the_wire() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(60_000), addr(1), Source::Saved, now);
    let mut dials = 0;
    for n in 0..10_000_u16 {
        let host: Multiaddr = format!("/ip4/10.0.{}.{}/tcp/7", n >> 8, n & 255).parse().unwrap();
        book.learn(node(n), host, Source::Seen, now);
        if n % 1_000 == 0 {
            now += second(1);
            for dial in book.due(now) {
                dials += 1;
                if let Dial::Peer(peer, _) = dial {
                    book.failed(peer, now);
                }
            }
        }
    }
    assert_eq!(book.known.len(), STRANGERS_MAX + 1);
    assert!(book.is_familiar(node(60_000)), "who was named stays");
    assert!(dials <= 10 * CHANCE_DIALS_MAX, "{dials}");
}

#[test]
fn better_addresses_are_not_pushed_out_and_come_first() {
    let now = Instant::now();
    let mut book = book(12, now);
    book.learn(node(1), addr(1), Source::Worked, now);
    for port in 2..20 {
        book.learn(node(1), addr(port), Source::Seen, now);
    }
    let Some(Dial::Peer(_, addrs)) = book.due(now).pop() else { panic!("it is due") };
    assert_eq!(addrs[0], addr(1));
    assert_eq!(addrs.len(), ADDRESSES_MAX);
    assert!(addrs.contains(&addr(19)), "the newest sighting counts: {addrs:?}");
}

#[test]
fn the_larger_id_leaves_the_dial_to_the_smaller_for_a_moment() {
    let now = Instant::now();
    let mut large = Book::new(node(2), 12, now, Jitter::from_seed([3; 32]));
    large.learn(node(1), addr(1), Source::Seen, now);
    assert_eq!(large.due(now), []);
    let wake = large.next_wake(now).unwrap();
    assert!(wake <= now + COURTESY);
    assert_eq!(large.due(wake).len(), 1);
}

#[test]
fn a_node_does_not_dial_itself() {
    let now = Instant::now();
    let mut book = book(12, now);
    assert!(!book.learn(ME, addr(1), Source::Seen, now));
    assert_eq!(book.due(now), []);
}

#[test]
fn a_book_of_peers_that_are_gone_is_read_ever_more_slowly() {
    let mut now = Instant::now();
    let mut book = book(12, now);
    for n in 0..500 {
        book.learn(node(n), addr(n), Source::Saved, now);
    }
    let mut dials_by_minute = [0; 10];
    let start = now;
    while now < start + second(600) {
        for dial in book.due(now) {
            let Dial::Peer(peer, _) = dial else { panic!("none was given") };
            dials_by_minute[(now - start).as_secs() as usize / 60] += 1;
            book.failed(peer, now);
        }
        now = book.next_wake(now).unwrap();
    }
    assert!(dials_by_minute[0] >= WEARY_AFTER, "{dials_by_minute:?}");
    assert!(dials_by_minute[5] <= 3 * CHANCE_DIALS_MAX, "{dials_by_minute:?}");
    // Somebody new is dialed at once all the same.
    book.learn(node(999), addr(999), Source::Seen, now);
    let wake = book.next_wake(now).unwrap();
    assert!(wake <= now + second(1));
}
