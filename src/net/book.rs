//! Where peers may be found, and whom to dial when.
//!
//! Three reasons to dial: the owner named the address (`--peer`: for ever, at least once a minute), something is held for
//! the peer (at once, then with backoff), or there are fewer contacts than wanted (anybody known, by chance). All else
//! waits: [`Book::next_wake`] says until when, and nothing ticks.
//!
//! Pure but for chance: time comes in as an argument. Everything a stranger can fill is bounded.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use self::known::{Backoff, Known};
use super::jitter::Jitter;
use crate::id::NodeId;

/// Peers known by hearsay only; more push out others, by chance.
pub const STRANGERS_MAX: usize = 1_024;
/// Peers that the owner or the address book named.
pub const FAMILIARS_MAX: usize = 4_096;
/// Peers known by hearsay only at one host.
pub const STRANGERS_PER_HOST_MAX: usize = 16;
/// Addresses of one peer.
pub const ADDRESSES_MAX: usize = 4;
/// Dials under way at once.
pub const DIALS_MAX: usize = 16;
/// Dials a second to peers for whom nothing is held.
pub const CHANCE_DIALS_PER_SECOND: u32 = 8;

/// A contact that lasted as long proves the way to the peer.
const PROOF: Duration = Duration::from_secs(30);
/// A neighbour seen anew is dialed although its backoff runs, but not sooner than this after the last try.
const SEEN_AGAIN: Duration = Duration::from_secs(5);
/// How long the larger id leaves it to the smaller to dial, when both see each other at once.
const COURTESY: Duration = Duration::from_millis(800);
/// How long an address is left alone at which this node found itself.
const PAUSE_FOR_SELF: Duration = Duration::from_secs(600);
/// Failures after which another node may live at the address of a `--peer` that answered once.
const MOVED_AFTER: u32 = 3;

/// How an address came to be known, from hearsay to certainty; a better one is not pushed out by a worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The peer said so itself.
    Told,
    /// Multicast DNS.
    Seen,
    /// The address book.
    Saved,
    /// It was dialed and answered.
    Worked,
    /// `--peer`.
    Given,
}

/// A dial to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dial {
    Peer(NodeId, Vec<Multiaddr>),
    /// An address the owner named, whoever answers.
    Address(Multiaddr),
}

pub(super) struct Book {
    me: NodeId,
    contacts_max: usize,
    known: BTreeMap<NodeId, Known>,
    given: Vec<Given>,
    dialing: BTreeSet<NodeId>,
    connected: BTreeSet<NodeId>,
    /// Start of the second in which `chance_dials` were made.
    second: Instant,
    chance_dials: u32,
    jitter: Jitter,
}

/// A `--peer` without a peer id.
struct Given {
    addr: Multiaddr,
    /// Who answered last.
    peer: Option<NodeId>,
    dialing: bool,
    backoff: Backoff,
}

impl Source {
    /// Whether the owner or the address book named it.
    fn is_named(self) -> bool {
        matches!(self, Source::Saved | Source::Given)
    }
}

impl Book {
    pub fn new(me: NodeId, contacts_max: usize, now: Instant, jitter: Jitter) -> Book {
        Book {
            me,
            contacts_max,
            known: BTreeMap::new(),
            given: Vec::new(),
            dialing: BTreeSet::new(),
            connected: BTreeSet::new(),
            second: now,
            chance_dials: 0,
            jitter,
        }
    }

    pub fn set_contacts_max(&mut self, contacts_max: usize) {
        self.contacts_max = contacts_max;
    }

    /// Adds a `--peer` without a peer id.
    pub fn give(&mut self, addr: Multiaddr, now: Instant) {
        self.given.push(Given { addr, peer: None, dialing: false, backoff: Backoff::new(now) });
    }

    /// Adds an address of a peer; returns whether it is news.
    pub fn learn(&mut self, peer: NodeId, addr: Multiaddr, source: Source, now: Instant) -> bool {
        let familiar = source.is_named();
        if peer == self.me || !self.make_room(peer, familiar) || !self.make_room_at(peer, &addr, source) {
            return false;
        }
        // Both sides see each other at about the same time; one of the two dials is enough.
        let courteous = source == Source::Seen && self.me > peer;
        let pause = if courteous { self.jitter.half_to_full(COURTESY) } else { Duration::ZERO };
        let known = self.known.entry(peer).or_insert_with(|| Known::new(now + pause));
        known.familiar |= familiar;
        if source >= Source::Seen && known.backoff.last_try.is_none_or(|last| last + SEEN_AGAIN <= now) {
            known.backoff.not_before = known.backoff.not_before.min(now + pause);
        }
        known.note(addr, source)
    }

    /// Drops an address that is known from nothing better than `source`: its record ran out.
    pub fn unlearn(&mut self, peer: NodeId, addr: &Multiaddr, source: Source) {
        let Some(known) = self.known.get_mut(&peer) else { return };
        known.addrs.retain(|(other, better)| other != addr || *better > source);
        let idle = !self.connected.contains(&peer) && !self.dialing.contains(&peer);
        if known.addrs.is_empty() && !known.familiar && idle {
            self.known.remove(&peer);
        }
    }

    /// Notes that something is held for a peer, until a contact with it comes up; returns whether it is known at all.
    pub fn hold(&mut self, peer: NodeId) -> bool {
        let Some(known) = self.known.get_mut(&peer) else { return false };
        known.held |= !self.connected.contains(&peer);
        true
    }

    /// Takes the dials that are due.
    pub fn due(&mut self, now: Instant) -> Vec<Dial> {
        let mut dials = Vec::new();
        for at in 0..self.given.len() {
            if self.has_room() && self.is_open(&self.given[at]) && self.given[at].backoff.not_before <= now {
                self.given[at].dialing = true;
                self.given[at].backoff.last_try = Some(now);
                dials.push(Dial::Address(self.given[at].addr.clone()));
            }
        }
        for peer in self.ready(now, Known::is_urgent) {
            if self.has_room() {
                dials.push(self.dial(peer, now));
            }
        }
        if now >= self.second + Duration::from_secs(1) {
            self.second = now;
            self.chance_dials = 0;
        }
        let mut others = if self.wants_more() { self.ready(now, |_| true) } else { Vec::new() };
        while self.wants_more() && self.has_room() && self.chance_dials < CHANCE_DIALS_PER_SECOND && !others.is_empty()
        {
            let peer = others.swap_remove(self.jitter.below(others.len()));
            self.chance_dials += 1;
            dials.push(self.dial(peer, now));
        }
        dials
    }

    /// When [`Book::due`] may have something, unless something happens before; never sooner than just after `now`.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        if !self.has_room() {
            return None;
        }
        let more = self.wants_more();
        let chance_from =
            if self.chance_dials < CHANCE_DIALS_PER_SECOND { now } else { self.second + Duration::from_secs(1) };
        let peers = self.known.iter().filter(|(peer, known)| self.is_free(peer, known)).filter_map(|(_, known)| {
            let at = known.backoff.not_before;
            if known.is_urgent() { Some(at) } else { more.then(|| at.max(chance_from)) }
        });
        let given = self.given.iter().filter(|given| self.is_open(given)).map(|given| given.backoff.not_before);
        peers.chain(given).min()
    }

    /// A connection with a peer stands, whoever dialed.
    pub fn connected(&mut self, peer: NodeId) {
        self.dialing.remove(&peer);
        self.connected.insert(peer);
    }

    /// A contact is up: what was held is on its way.
    pub fn contact_up(&mut self, peer: NodeId) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.held = false;
        }
    }

    /// The last connection with a peer is gone; `lasted` is the length of the contact over it, if there was one.
    pub fn disconnected(&mut self, peer: NodeId, lasted: Option<Duration>, now: Instant) {
        self.connected.remove(&peer);
        let Some(known) = self.known.get_mut(&peer) else { return };
        match lasted {
            Some(lasted) if lasted >= PROOF => known.backoff.failures = 0,
            _ => known.backoff.failed(),
        }
        known.wait(now, &mut self.jitter);
        self.forget_if_nowhere(peer);
    }

    /// A dial to a peer failed.
    pub fn failed(&mut self, peer: NodeId, now: Instant) {
        self.dialing.remove(&peer);
        if self.connected.contains(&peer) {
            return;
        }
        let Some(known) = self.known.get_mut(&peer) else { return };
        known.backoff.failed();
        known.wait(now, &mut self.jitter);
        self.forget_if_nowhere(peer);
    }

    /// Another node answered at a peer's address.
    pub fn wrong_peer(&mut self, peer: NodeId, addr: &Multiaddr, now: Instant) {
        let bound = |given: &&mut Given| given.addr == *addr && given.peer == Some(peer);
        if let Some(given) = self.given.iter_mut().find(bound) {
            given.peer = None;
            given.backoff = Backoff::new(now);
            self.release(peer, addr);
        } else {
            // What the owner named together with its peer id stays: the peer may come back.
            self.unlearn(peer, addr, Source::Worked);
        }
    }

    /// Somebody answered at a `--peer` without a peer id.
    pub fn given_answered(&mut self, addr: &Multiaddr, peer: NodeId, now: Instant) {
        let mut before = None;
        for given in self.given.iter_mut().filter(|given| given.addr == *addr) {
            given.dialing = false;
            before = given.peer.replace(peer).filter(|before| *before != peer);
            given.backoff = Backoff::new(now);
        }
        if let Some(before) = before {
            self.release(before, addr);
        }
        self.learn(peer, addr.clone(), Source::Given, now);
    }

    /// This node itself answered there; the address may be another's some day.
    pub fn given_is_me(&mut self, addr: &Multiaddr, now: Instant) {
        for given in self.given.iter_mut().filter(|given| given.addr == *addr) {
            given.dialing = false;
            given.backoff.not_before = now + PAUSE_FOR_SELF;
        }
    }

    /// Nobody answered there.
    pub fn given_failed(&mut self, addr: &Multiaddr, now: Instant) {
        for given in self.given.iter_mut().filter(|given| given.addr == *addr) {
            given.dialing = false;
            given.backoff.failed();
            given.backoff.wait(now, true, &mut self.jitter);
        }
    }

    /// Who the owner or the address book named.
    pub fn familiars(&self) -> impl Iterator<Item = NodeId> {
        self.known.iter().filter(|(_, known)| known.familiar).map(|(peer, _)| *peer)
    }

    /// Whether the owner or the address book named a peer.
    pub fn is_familiar(&self, peer: NodeId) -> bool {
        self.known.get(&peer).is_some_and(|known| known.familiar)
    }

    fn dial(&mut self, peer: NodeId, now: Instant) -> Dial {
        self.dialing.insert(peer);
        let known = self.known.get_mut(&peer).expect("it was found in the book");
        Dial::Peer(peer, known.dial(now))
    }

    fn ready(&self, now: Instant, wanted: impl Fn(&Known) -> bool) -> Vec<NodeId> {
        let ready = |(peer, known): &(&NodeId, &Known)| {
            self.is_free(peer, known) && known.backoff.not_before <= now && wanted(known)
        };
        self.known.iter().filter(ready).map(|(peer, _)| *peer).collect()
    }

    fn is_free(&self, peer: &NodeId, known: &Known) -> bool {
        !known.addrs.is_empty() && !self.connected.contains(peer) && !self.dialing.contains(peer)
    }

    /// Whether an address that the owner named is to be dialed for whoever lives there.
    fn is_open(&self, given: &Given) -> bool {
        let lost = |peer| {
            let failures = self.known.get(peer).map_or(u32::MAX, |known| known.backoff.failures);
            !self.connected.contains(peer) && !self.dialing.contains(peer) && failures >= MOVED_AFTER
        };
        !given.dialing && given.peer.as_ref().is_none_or(lost)
    }

    fn has_room(&self) -> bool {
        self.dialing.len() + self.given.iter().filter(|given| given.dialing).count() < DIALS_MAX
    }

    fn wants_more(&self) -> bool {
        self.connected.len() + self.dialing.len() < self.contacts_max
    }

    /// Makes room for a peer, if that can be.
    fn make_room(&mut self, peer: NodeId, familiar: bool) -> bool {
        if self.known.get(&peer).is_some_and(|known| known.familiar || !familiar) {
            return true;
        }
        let alike = || self.known.iter().filter(|(_, known)| known.familiar == familiar);
        if familiar {
            return alike().count() < FAMILIARS_MAX;
        }
        if alike().count() < STRANGERS_MAX {
            return true;
        }
        self.push_out(|known| !known.familiar)
    }

    /// Makes room for one more peer at a host, so that no host fills the book with claims.
    fn make_room_at(&mut self, peer: NodeId, addr: &Multiaddr, source: Source) -> bool {
        let host = addr.iter().next();
        let lives_there = |known: &Known| !known.familiar && known.addrs.iter().any(|(at, _)| at.iter().next() == host);
        if source > Source::Seen || self.known.get(&peer).is_some_and(lives_there) {
            return true;
        }
        let there = self.known.values().filter(|known| lives_there(known)).count();
        there < STRANGERS_PER_HOST_MAX || self.push_out(lives_there)
    }

    /// Forgets one of some idle peers, by chance, so that who floods the book cannot choose who leaves it.
    fn push_out(&mut self, of: impl Fn(&Known) -> bool) -> bool {
        let idle = |(peer, known): &(&NodeId, &Known)| {
            of(known) && !known.held && !self.connected.contains(peer) && !self.dialing.contains(peer)
        };
        let idle: Vec<_> = self.known.iter().filter(idle).map(|(peer, _)| *peer).collect();
        if idle.is_empty() {
            return false;
        }
        self.known.remove(&idle[self.jitter.below(idle.len())]);
        true
    }

    /// Takes a `--peer` address from a peer that is no longer the one who answers there.
    fn release(&mut self, peer: NodeId, addr: &Multiaddr) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.addrs.retain(|(other, _)| other != addr);
            // Otherwise whoever owns the address could fill the book with names.
            known.familiar = known.addrs.iter().any(|(_, source)| source.is_named());
        }
        self.forget_if_nowhere(peer);
    }

    fn forget_if_nowhere(&mut self, peer: NodeId) {
        if self.known.get(&peer).is_some_and(|known| known.addrs.is_empty() && !known.familiar) {
            self.known.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert!(dials <= 10 * CHANCE_DIALS_PER_SECOND, "{dials}");
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
}
