//! Where peers may be found, and whom to dial when.
//!
//! Four reasons to dial:
//! - the owner named an address (`--peer`) or a person whose address is known: at once, and again for ever;
//! - something is held for a peer that answered once: the same;
//! - multicast told of a name: at a random moment soon, whatever is known or held of it ([`hearsay`]);
//! - there are fewer contacts found by chance than wanted, or it is time to replace one: anybody known, by chance.
//!
//! Whoever is named or has mail waiting is dialed every few seconds while the machine shows any sign of life: a contact,
//! somebody heard or dialing in, a new address within [`LIVELY_FOR`]. With many of them each waits longer, so that all of
//! them together cost two dials a second. All else waits: [`Book::next_wake`] says until when, and nothing ticks.
//!
//! Pure but for chance: time comes in as an argument. Everything a stranger can fill is bounded, and shared by host.

mod chance;
mod hearsay;
mod known;
mod present;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use self::chance::Chance;
use self::hearsay::{Hearsay, Which};
use self::known::{BACKOFF, BACKOFF_MAX, Backoff, Known};
use self::present::Present;
pub(super) use self::present::Way;
use super::address;
use super::jitter::Jitter;
use crate::id::NodeId;

/// Peers kept that merely answered once; the host with most of them makes room, by chance.
pub const STRANGERS_MAX: usize = 1_024;
/// Peers that the owner named.
pub const NAMED_MAX: usize = 4_096;
/// Addresses of one peer.
pub const ADDRESSES_MAX: usize = 4;
/// Dials under way at once of peers that are named or have something waiting, and as many at most of all others.
pub const DIALS_MAX: usize = 16;
/// How many of the former may be of peers that did not answer last time: the dead keep no place from the living.
const RETRIES_MAX: usize = DIALS_MAX / 2;
/// Dials by chance under way at once.
const CHANCE_DIALS_MAX: usize = DIALS_MAX - hearsay::DIALS_MAX;
/// Outbound connections by hearsay or chance. Nothing else counts against them, so that whoever claims a name learns
/// nothing of how many others this node looks for.
const CHANCE_OUTBOUND_MAX: usize = 24;
/// Those of the others that only a peer may take for whom something is held.
const OUTBOUND_RESERVE: usize = 16;

/// A contact that lasted as long proves the way to the peer.
const PROOF: Duration = Duration::from_secs(30);
/// The longest wait for whoever is named or has something waiting, while the machine shows a sign of life.
const WAIT_LIVELY: Duration = Duration::from_secs(4);
/// The same while it shows none.
const WAIT_QUIET: Duration = Duration::from_secs(60);
/// What each peer that is waited for adds to the wait for all.
const WAIT_SHARE: Duration = Duration::from_millis(500);
/// How long a sign of life counts.
const LIVELY_FOR: Duration = Duration::from_secs(3_600);
/// How long an address is left alone at which this node found itself.
const PAUSE_FOR_SELF: Duration = Duration::from_secs(600);
/// Failures after which another node may live at the address of a `--peer` that answered once.
const MOVED_AFTER: u32 = 3;

/// How an address came to be known; a better one is not pushed out by a worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// It answered in an earlier run.
    Saved,
    /// It was dialed and answered.
    Worked,
    /// The owner entered it for this peer.
    Entered,
    /// `--peer`.
    Given,
}

/// A dial to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dial {
    Peer(NodeId, Vec<Multiaddr>, Way),
    /// An address the owner named, whoever answers.
    Address(Multiaddr),
}

pub(super) struct Book {
    me: NodeId,
    contacts_max: usize,
    outbound_max: usize,
    known: BTreeMap<NodeId, Known>,
    given: Vec<Given>,
    hearsay: Hearsay,
    dialing: BTreeMap<NodeId, Lane>,
    present: Present,
    chance: Chance,
    lively_until: Instant,
    named: BTreeSet<NodeId>,
    /// Peers that were named or are named no more, since somebody asked.
    named_changes: Vec<(NodeId, bool)>,
    jitter: Jitter,
}

/// Which of the bounds on dials under way counts a dial.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Fresh,
    Retry,
    Chance,
}

/// Dials under way.
struct Lanes {
    fresh: usize,
    retries: usize,
    chance: usize,
    /// Outbound connections there may be besides, of peers that are named or have something waiting.
    asked_left: usize,
    /// Of these, for whom something is held.
    reserve: usize,
    /// The same by hearsay or chance.
    chance_left: usize,
}

/// A `--peer` without a peer id.
struct Given {
    addr: Multiaddr,
    /// Who answered last.
    peer: Option<NodeId>,
    dialing: bool,
    backoff: Backoff,
}

/// Who is dialed at once.
#[derive(Clone, Copy)]
enum Urgent {
    Given(usize),
    Peer(NodeId),
}

impl Source {
    /// Whether the owner named it.
    fn is_named(self) -> bool {
        self >= Source::Entered
    }
}

impl Lanes {
    /// Whether there is room for one more dial of somebody urgent.
    fn have_room(&self, (lane, held): (Lane, bool)) -> bool {
        let reserve = if held { 0 } else { self.reserve };
        self.fresh + self.retries < DIALS_MAX
            && (lane == Lane::Fresh || self.retries < RETRIES_MAX)
            && self.asked_left > reserve
    }

    fn has_room_for_chance(&self) -> bool {
        self.chance_left > 0
    }
}

impl Book {
    pub fn new(me: NodeId, contacts_max: usize, outbound_max: usize, now: Instant, mut jitter: Jitter) -> Book {
        Book {
            me,
            contacts_max,
            outbound_max,
            known: BTreeMap::new(),
            given: Vec::new(),
            hearsay: Hearsay::default(),
            dialing: BTreeMap::new(),
            present: Present::default(),
            chance: Chance::new(now, &mut jitter),
            // A start is a sign of life.
            lively_until: now + LIVELY_FOR,
            named: BTreeSet::new(),
            named_changes: Vec::new(),
            jitter,
        }
    }

    /// Adds a `--peer` without a peer id.
    pub fn give(&mut self, addr: Multiaddr, now: Instant) {
        self.given.push(Given { addr, peer: None, dialing: false, backoff: Backoff::new(now) });
    }

    /// Adds an address of a peer.
    pub fn learn(&mut self, peer: NodeId, addr: Multiaddr, source: Source, now: Instant) {
        if peer == self.me || !self.make_room(peer, source.is_named()) {
            return;
        }
        self.known.entry(peer).or_insert_with(|| Known::new(now)).note(addr, source);
        if source.is_named() {
            self.dial_now(peer, now);
        }
        self.settle(peer);
    }

    /// The owner has a name for a peer: it is dialed wherever an address of it is known.
    pub fn name(&mut self, peer: NodeId, now: Instant) {
        if peer != self.me && self.make_room(peer, true) {
            self.known.entry(peer).or_insert_with(|| Known::new(now)).person = true;
            self.dial_now(peer, now);
            self.settle(peer);
        }
    }

    /// The owner has no name for a peer any more, and what was entered for it is forgotten.
    pub fn forget(&mut self, peer: NodeId) {
        let Some(known) = self.known.get_mut(&peer) else { return };
        known.person = false;
        known.addrs.retain(|(_, source)| *source == Source::Given);
        self.settle(peer);
    }

    /// Multicast tells that a peer lives there; returns whether it is news.
    pub fn hear(&mut self, peer: NodeId, addr: Multiaddr, now: Instant) -> bool {
        if peer == self.me {
            return false;
        }
        self.sign(now);
        let news = self.hearsay.hear(peer, addr, now, &mut self.jitter);
        if news {
            self.chance.found();
        }
        news
    }

    /// What multicast told is not so any more.
    pub fn unhear(&mut self, peer: NodeId, addr: &Multiaddr) {
        self.hearsay.forget(peer, addr);
    }

    /// Notes that something is held for a peer, until a contact with it comes up.
    pub fn hold(&mut self, peer: NodeId) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.held |= !self.present.contains(&peer);
        }
    }

    /// The machine has a new address: it may be in a network where others are.
    pub fn moved(&mut self, now: Instant) {
        self.lively_until = now + LIVELY_FOR;
        self.hurry(now);
    }

    /// Takes the dials that are due.
    pub fn due(&mut self, now: Instant) -> Vec<Dial> {
        let mut dials = Vec::new();
        self.dial_urgent(now, &mut dials);
        self.dial_by_chance(now, &mut dials);
        dials
    }

    /// When [`Book::due`] or [`Book::leaving`] may have something, unless something happens before.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let lanes = self.lanes();
        let urgent = self.urgent().filter(|(whom, _)| lanes.have_room(self.state_of(*whom)));
        let urgent = urgent.map(|(_, backoff)| backoff.not_before);
        urgent.chain(self.next_by_chance(now)).chain(self.present.next()).min()
    }

    /// A connection with a peer stands.
    pub fn connected(&mut self, peer: NodeId, way: Way, now: Instant) {
        self.dialing.remove(&peer);
        self.hearsay.met(peer);
        self.sign(now);
        self.present.insert(peer, way);
        self.chance.found();
    }

    /// A contact is up: what was held is on its way.
    pub fn contact_up(&mut self, peer: NodeId, now: Instant) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.held = false;
        }
        let (known, max) = (&self.known, self.contacts_max);
        self.present.make_room(peer, max, now, |peer| is_urgent(known, peer), &mut self.jitter);
    }

    /// The contacts to end that are too many, unless they move something: those come again later.
    pub fn leaving(&mut self, now: Instant) -> Vec<NodeId> {
        let known = &self.known;
        self.present.leaving(now, |peer| is_urgent(known, peer))
    }

    /// The last connection with a peer is gone; `lasted` is the length of the contact over it, if there was one.
    pub fn disconnected(&mut self, peer: NodeId, lasted: Option<Duration>, now: Instant) {
        let left = self.present.remove(peer);
        self.lively_until = now + LIVELY_FOR;
        self.hearsay.parted(peer, !left, now, &mut self.jitter);
        let Some(known) = self.known.get_mut(&peer) else { return };
        match lasted {
            Some(lasted) if lasted >= PROOF => known.backoff.was_met(now, &mut self.jitter),
            _ => known.backoff.was_brief(now, &mut self.jitter),
        }
        self.forget_if_nowhere(peer);
    }

    /// A dial to a peer failed. Where another node answered than the one dialed, `wrong` is the address.
    pub fn failed(&mut self, peer: NodeId, way: Way, wrong: Option<&Multiaddr>, now: Instant) {
        if !self.present.contains(&peer) {
            self.chance.missed();
        }
        if way == Way::Heard {
            if let Some(addr) = wrong {
                self.hearsay.was_false(peer, addr, now, &mut self.jitter);
            }
            return self.hearsay.failed(peer, now, &mut self.jitter);
        }
        self.dialing.remove(&peer);
        if let Some(addr) = wrong {
            self.wrong_peer(peer, addr, now);
        }
        let urgent = self.waits(now);
        let Some(known) = self.known.get_mut(&peer).filter(|_| !self.present.contains(&peer)) else { return };
        let waits = if known.is_urgent() { urgent } else { BACKOFF };
        known.backoff.failed(now, &waits, &mut self.jitter);
        self.forget_if_nowhere(peer);
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
        let waits = self.waits(now);
        for given in self.given.iter_mut().filter(|given| given.addr == *addr) {
            given.dialing = false;
            given.backoff.failed(now, &waits, &mut self.jitter);
        }
    }

    /// Peers that the owner named or names no more, since this was asked last.
    pub fn take_named_changes(&mut self) -> Vec<(NodeId, bool)> {
        std::mem::take(&mut self.named_changes)
    }

    /// The owner spoke of a peer: what failed before says nothing.
    fn dial_now(&mut self, peer: NodeId, now: Instant) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.backoff = Backoff::new(now);
        }
    }

    fn dial_urgent(&mut self, now: Instant, dials: &mut Vec<Dial>) {
        let mut due: Vec<_> = self.urgent().filter(|(_, backoff)| backoff.not_before <= now).collect();
        // Those who waited longest first, and before all others those of whom nothing says that they are away.
        due.sort_by_key(|(_, backoff)| (backoff.failures > 0, backoff.not_before));
        for (whom, _) in due {
            if !self.lanes().have_room(self.state_of(whom)) {
                self.give_way(whom, now);
                continue;
            }
            dials.push(match whom {
                Urgent::Given(at) => {
                    self.given[at].dialing = true;
                    Dial::Address(self.given[at].addr.clone())
                }
                Urgent::Peer(peer) => self.dial(peer, Way::Asked),
            });
        }
    }

    /// Who is to be dialed however many contacts there are, and is not.
    fn urgent(&self) -> impl Iterator<Item = (Urgent, Backoff)> + '_ {
        let open = |(at, given): (usize, &Given)| self.is_open(given).then_some((Urgent::Given(at), given.backoff));
        let wanted = |(peer, known): &(&NodeId, &Known)| known.is_urgent() && self.is_free(peer, known);
        let peers = self.known.iter().filter(wanted).map(|(peer, known)| (Urgent::Peer(*peer), known.backoff));
        self.given.iter().enumerate().filter_map(open).chain(peers)
    }

    /// Whether it answered last time, and whether something is held for it.
    fn state_of(&self, whom: Urgent) -> (Lane, bool) {
        match whom {
            Urgent::Given(at) => (lane_of(&self.given[at].backoff), false),
            Urgent::Peer(peer) => (lane_of(&self.known[&peer].backoff), self.known[&peer].held),
        }
    }

    fn lanes(&self) -> Lanes {
        let given = self.given.iter().filter(|given| given.dialing).map(|given| lane_of(&given.backoff));
        let under_way: Vec<_> = given.chain(self.dialing.values().copied()).collect();
        let count = |lane| under_way.iter().filter(|other| **other == lane).count();
        let [fresh, retries, chance] = [Lane::Fresh, Lane::Retry, Lane::Chance].map(count);
        let found = self.present.found(|peer| self.named.contains(peer));
        let chance_max = CHANCE_OUTBOUND_MAX.min(self.outbound_max / 2);
        let asked = self.present.dialed() - found + fresh + retries;
        let asked_max = self.outbound_max - chance_max;
        Lanes {
            fresh,
            retries,
            chance,
            asked_left: asked_max.saturating_sub(asked),
            reserve: OUTBOUND_RESERVE.min(asked_max / 4),
            chance_left: chance_max.saturating_sub(found + chance + self.hearsay.dialing()),
        }
    }

    /// One of the contacts found by chance leaves where there are too many for somebody who has something waiting.
    fn give_way(&mut self, whom: Urgent, now: Instant) {
        let known = &self.known;
        let held = matches!(whom, Urgent::Peer(peer) if known.get(&peer).is_some_and(|known| known.held));
        if held && self.lanes().asked_left == 0 {
            self.present.give_way(now, |peer| is_urgent(known, peer), &mut self.jitter);
        }
    }

    fn dial_by_chance(&mut self, now: Instant, dials: &mut Vec<Dial>) {
        self.chance.look(now);
        while !self.chance.is_spent() && self.lanes().has_room_for_chance() {
            let ready = self.ready(now);
            let hosts: BTreeSet<_> = ready.iter().map(|(host, ..)| *host).collect();
            // By host first: names are free.
            let Some(host) = hosts.iter().nth(self.jitter.below(hosts.len().max(1))) else { return };
            let there: Vec<_> = ready.iter().filter(|(at, ..)| at == host).collect();
            let (_, peer, way) = *there[self.jitter.below(there.len())];
            if self.is_full() && way == Way::Chance {
                self.chance.took_turn(now, &mut self.jitter);
            }
            self.chance.spend();
            let dial = if way == Way::Heard {
                Dial::Peer(peer, self.hearsay.dial(peer, now), Way::Heard)
            } else {
                self.dial(peer, Way::Chance)
            };
            dials.push(dial);
        }
    }

    /// Who may be dialed now by hearsay or chance, and where each lives.
    fn ready(&self, now: Instant) -> Vec<(Option<IpAddr>, NodeId, Way)> {
        let mut ready = Vec::new();
        let wants_more = !self.is_full() || self.chance.turn() <= now;
        if self.hearsay.dialing() < hearsay::DIALS_MAX {
            // A turn is for a peer that answered once.
            let which = if self.is_full() { Which::Fresh } else { Which::Any };
            let heard = self.hearsay.ready(which, now, |peer| self.present.contains(peer));
            ready.extend(heard.into_iter().map(|(host, peer)| (Some(host), peer, Way::Heard)));
        }
        if wants_more && self.has_chance_lane() {
            let strangers = self.strangers().filter(|(_, known)| known.backoff.not_before <= now);
            ready.extend(strangers.map(|(peer, known)| (known.host(), peer, Way::Chance)));
        }
        ready
    }

    fn next_by_chance(&self, now: Instant) -> Option<Instant> {
        if !self.lanes().has_room_for_chance() {
            return None;
        }
        let full = self.is_full();
        let which = if full { Which::Fresh } else { Which::Any };
        let heard = (self.hearsay.dialing() < hearsay::DIALS_MAX)
            .then(|| self.hearsay.next(which, |peer| self.present.contains(peer)))
            .flatten();
        let stranger = self.has_chance_lane().then(|| {
            let first = self.strangers().map(|(_, known)| known.backoff.not_before).min();
            first.map(|first| if full { first.max(self.chance.turn()) } else { first })
        });
        let next = heard.into_iter().chain(stranger.flatten()).min();
        next.map(|next| next.max(self.chance.from(now)))
    }

    /// Whether as many contacts are found by chance as are wanted.
    fn is_full(&self) -> bool {
        let lasting = |peer: &NodeId| is_urgent(&self.known, peer);
        self.present.by_chance(lasting).count() + self.lanes().chance >= self.contacts_max
    }

    fn has_chance_lane(&self) -> bool {
        self.contacts_max > 0 && self.lanes().chance < CHANCE_DIALS_MAX
    }

    fn strangers(&self) -> impl Iterator<Item = (NodeId, &Known)> {
        let stranger = |(peer, known): &(&NodeId, &Known)| !known.is_urgent() && self.is_free(peer, known);
        self.known.iter().filter(stranger).map(|(peer, known)| (*peer, known))
    }

    fn dial(&mut self, peer: NodeId, way: Way) -> Dial {
        let known = &self.known[&peer];
        let lane = if way == Way::Chance { Lane::Chance } else { lane_of(&known.backoff) };
        self.dialing.insert(peer, lane);
        Dial::Peer(peer, known.addresses(), way)
    }

    fn is_free(&self, peer: &NodeId, known: &Known) -> bool {
        !known.addrs.is_empty() && !self.present.contains(peer) && !self.dialing.contains_key(peer)
    }

    /// Whether an address that the owner named is to be dialed for whoever lives there.
    fn is_open(&self, given: &Given) -> bool {
        let lost = |peer| {
            let failures = self.known.get(peer).map_or(u32::MAX, |known| known.backoff.failures);
            !self.present.contains(peer) && !self.dialing.contains_key(peer) && failures >= MOVED_AFTER
        };
        !given.dialing && given.peer.as_ref().is_none_or(lost)
    }

    /// How long to wait for whoever is named or has something waiting: the more there are, the longer for each.
    fn waits(&self, now: Instant) -> RangeInclusive<Duration> {
        let share = WAIT_SHARE.saturating_mul(self.urgent().count() as u32).clamp(*BACKOFF.start(), BACKOFF_MAX);
        let quiet = self.present.is_empty() && now >= self.lively_until;
        share..=share.max(if quiet { WAIT_QUIET } else { WAIT_LIVELY })
    }

    /// A sign of life: a machine that was alone so far looks for everybody again.
    fn sign(&mut self, now: Instant) {
        let was_quiet = self.present.is_empty() && now >= self.lively_until;
        self.lively_until = now + LIVELY_FOR;
        if was_quiet {
            self.hurry(now);
        }
    }

    /// Looks soon for everybody who is named or has something waiting, at random moments.
    fn hurry(&mut self, now: Instant) {
        let within = *self.waits(now).end();
        self.given.iter_mut().for_each(|given| given.backoff.hurry(now, within, &mut self.jitter));
        for known in self.known.values_mut().filter(|known| known.is_urgent()) {
            known.backoff.hurry(now, within, &mut self.jitter);
        }
    }

    /// Makes room for a peer, if that can be.
    fn make_room(&mut self, peer: NodeId, named: bool) -> bool {
        if self.known.get(&peer).is_some_and(|known| known.is_named() || !named) {
            return true;
        }
        if named {
            return self.named.len() < NAMED_MAX;
        }
        if self.known.len() - self.named.len() < STRANGERS_MAX {
            return true;
        }
        self.push_out(|known| !known.held) || self.push_out(|_| true)
    }

    /// Forgets one of the idle strangers, by chance, of the host where most of them live.
    fn push_out(&mut self, of: impl Fn(&Known) -> bool) -> bool {
        let idle = |peer: &NodeId| !self.present.contains(peer) && !self.dialing.contains_key(peer);
        let strangers = self.known.iter().filter(|(peer, known)| !known.is_named() && of(known) && idle(peer));
        let strangers = strangers.map(|(peer, known)| (known.host(), *peer)).collect();
        let unlucky = crowded(strangers, &mut self.jitter);
        unlucky.is_some_and(|peer| self.known.remove(&peer).is_some())
    }

    /// Another node answered at a peer's address.
    fn wrong_peer(&mut self, peer: NodeId, addr: &Multiaddr, now: Instant) {
        let bound = |given: &&mut Given| given.addr == *addr && given.peer == Some(peer);
        if let Some(given) = self.given.iter_mut().find(bound) {
            given.peer = None;
            given.backoff = Backoff::new(now);
            self.release(peer, addr);
        } else if let Some(known) = self.known.get_mut(&peer) {
            // What the owner named together with its peer id stays: the peer may come back.
            known.addrs.retain(|(other, source)| other != addr || source.is_named());
        }
    }

    /// Takes a `--peer` address from a peer that is no longer the one who answers there.
    fn release(&mut self, peer: NodeId, addr: &Multiaddr) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.addrs.retain(|(other, _)| other != addr);
        }
        self.settle(peer);
    }

    /// Notes whether a peer is named, and forgets one of whom nothing is left.
    fn settle(&mut self, peer: NodeId) {
        let named = self.known.get(&peer).is_some_and(Known::is_named);
        let changed = if named { self.named.insert(peer) } else { self.named.remove(&peer) };
        if changed {
            self.named_changes.push((peer, named));
        }
        self.forget_if_nowhere(peer);
    }

    fn forget_if_nowhere(&mut self, peer: NodeId) {
        if self.known.get(&peer).is_some_and(|known| known.addrs.is_empty() && !known.is_named()) {
            self.known.remove(&peer);
        }
    }
}

fn lane_of(backoff: &Backoff) -> Lane {
    if backoff.failures == 0 { Lane::Fresh } else { Lane::Retry }
}

fn is_urgent(known: &BTreeMap<NodeId, Known>, peer: &NodeId) -> bool {
    known.get(peer).is_some_and(Known::is_urgent)
}

fn host_of(addr: &Multiaddr) -> Option<IpAddr> {
    address::host(addr)
}

/// Picks one by chance of the host with the largest share: who floods a place makes room in it first, and cannot choose
/// whom.
fn crowded(mut of: Vec<(Option<IpAddr>, NodeId)>, jitter: &mut Jitter) -> Option<NodeId> {
    of.sort_unstable();
    let hosts = || of.chunk_by(|(one, _), (other, _)| one == other);
    let most = hosts().map(<[_]>::len).max()?;
    let fullest: Vec<_> = hosts().filter(|there| there.len() == most).collect();
    let there = fullest[jitter.below(fullest.len())];
    Some(there[jitter.below(there.len())].1)
}
