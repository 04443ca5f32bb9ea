//! Where peers may be found, and whom to dial when.
//!
//! Three reasons to dial: the owner named the address (`--peer`: for ever, at least once a minute), something is held for
//! the peer (at once, then with backoff), or there are fewer contacts than wanted (anybody known, by chance). All else
//! waits: [`Book::next_wake`] says until when, and nothing ticks.
//!
//! Pure but for chance: time comes in as an argument. Everything a stranger can fill is bounded.

mod known;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use self::known::{Backoff, Known};
use super::address;
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
/// Dials by chance in one span of [`EAGER_SPAN`] or [`WEARY_SPAN`].
pub const CHANCE_DIALS_MAX: u32 = 8;

const EAGER_SPAN: Duration = Duration::from_secs(1);
/// After [`WEARY_AFTER`] failures in a row: a book full of peers that are gone must not keep a machine awake.
const WEARY_SPAN: Duration = Duration::from_secs(30);
const WEARY_AFTER: u32 = 64;

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
    /// Start of the span in which `chance_dials` were made.
    span_start: Instant,
    chance_dials: u32,
    /// Failures since anybody answered or was seen anew.
    misses: u32,
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
            span_start: now,
            chance_dials: 0,
            misses: 0,
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
        let news = known.note(addr, source);
        if news && source >= Source::Seen {
            self.misses = 0;
        }
        news
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
        if now >= self.next_span() {
            self.span_start = now;
            self.chance_dials = 0;
        }
        let mut others = if self.wants_more() { self.ready(now, |_| true) } else { Vec::new() };
        while self.wants_more() && self.has_room() && self.chance_dials < CHANCE_DIALS_MAX && !others.is_empty() {
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
        let chance_from = if self.chance_dials < CHANCE_DIALS_MAX { now } else { self.next_span() };
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
        self.misses = 0;
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
        self.misses = self.misses.saturating_add(1);
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

    fn next_span(&self) -> Instant {
        self.span_start + if self.misses < WEARY_AFTER { EAGER_SPAN } else { WEARY_SPAN }
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
        let host = address::host(addr);
        let lives_there =
            |known: &Known| !known.familiar && known.addrs.iter().any(|(at, _)| address::host(at) == host);
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
