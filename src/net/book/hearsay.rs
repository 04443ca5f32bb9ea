//! Who is said to live where, by multicast DNS: claims that nothing proves yet.
//!
//! Anybody in the network can claim any name. So what is done about a claim shows nothing of what this node keeps: not
//! whether it has mail for that name, nor whether its owner knows it. A name newly heard is dialed at a random moment
//! within [`DELAY`], then a few times with backoff, and later by chance; nothing in this file knows of mail or people.
//! Whoever turns out to be another than was claimed raises the price of its host, whatever it claims next.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use super::known::doubled;
use super::{ADDRESSES_MAX, crowded, host_of};
use crate::id::NodeId;
use crate::net::jitter::Jitter;

/// Names that may be claimed at once; more push out others, by chance and of the host that claims most.
pub const CLAIMS_MAX: usize = 1_024;
/// Names that one host may claim.
pub const CLAIMS_PER_HOST_MAX: usize = 16;
/// Dials of claims under way at once.
pub const DIALS_MAX: usize = 8;
/// Within how long a name newly heard is dialed.
pub const DELAY: Duration = Duration::from_secs(2);
/// Tries that a name newly heard gets although there are contacts enough.
const FRESH_TRIES: u32 = 3;
/// A name heard again counts as new, but not sooner than this after the last try.
const HEARD_AGAIN: Duration = Duration::from_secs(5);
/// Hosts whose record is kept; one by chance makes room.
const HOSTS_MAX: usize = 1_024;
/// How long a host is left alone after its first false claim; four times as long after each further one.
const FALSE_CLAIM: Duration = Duration::from_secs(4);
/// The longest of these, and how long a record is kept.
const FALSE_CLAIM_MAX: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Hearsay {
    claims: BTreeMap<NodeId, Claim>,
    hosts: BTreeMap<IpAddr, Host>,
}

struct Claim {
    /// One for each host.
    addrs: Vec<(IpAddr, Multiaddr)>,
    tries: u32,
    not_before: Instant,
    last_try: Option<Instant>,
    dialing: bool,
    /// The peer was met since it was heard: to hear it again is no news.
    met: bool,
}

/// What came of the claims of a host lately.
struct Host {
    failures: u32,
    false_claims: u32,
    not_before: Instant,
    since: Instant,
}

/// Which claims to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those newly heard.
    Fresh,
    /// All: there are fewer contacts than wanted.
    Any,
}

impl Hearsay {
    /// Notes a claim; returns whether it is news.
    pub fn hear(&mut self, peer: NodeId, addr: Multiaddr, now: Instant, jitter: &mut Jitter) -> bool {
        let Some(host) = host_of(&addr) else { return false };
        self.make_room(peer, host, jitter);
        let soon = now + jitter.up_to(DELAY);
        let new = Claim { addrs: Vec::new(), tries: 0, not_before: soon, last_try: None, dialing: false, met: false };
        let claim = self.claims.entry(peer).or_insert(new);
        let news = !claim.addrs.iter().any(|(_, known)| *known == addr);
        claim.met &= !news;
        if !claim.met && claim.last_try.is_some_and(|last| last + HEARD_AGAIN <= now) {
            claim.tries = 0;
            claim.not_before = claim.not_before.min(soon);
        }
        if !news {
            return false;
        }
        // A host has one port for a node: the latest it told.
        claim.addrs.retain(|(other, _)| *other != host);
        if claim.addrs.len() == ADDRESSES_MAX {
            claim.addrs.swap_remove(jitter.below(ADDRESSES_MAX));
        }
        claim.addrs.push((host, addr));
        true
    }

    /// A claim ran out.
    pub fn forget(&mut self, peer: NodeId, addr: &Multiaddr) {
        let Some(claim) = self.claims.get_mut(&peer) else { return };
        claim.addrs.retain(|(_, other)| other != addr);
        if claim.addrs.is_empty() && !claim.dialing {
            self.claims.remove(&peer);
        }
    }

    /// Claims that may be dialed now, the best of their hosts with each. `met` are the peers there is no need to dial.
    pub fn ready(&self, which: Which, now: Instant, met: impl Fn(&NodeId) -> bool) -> Vec<(IpAddr, NodeId)> {
        let waiting = self.waiting(which, met);
        let ready: Vec<_> = waiting.filter(|(_, at, _)| *at <= now).map(|(peer, _, host)| (host, peer)).collect();
        // A flood of claims that come to nothing does not keep an honest host waiting.
        let cheapest = ready.iter().map(|(host, _)| self.failures_of(host)).min();
        ready.into_iter().filter(|(host, _)| Some(self.failures_of(host)) == cheapest).collect()
    }

    /// When a claim may be dialed next.
    pub fn next(&self, which: Which, met: impl Fn(&NodeId) -> bool) -> Option<Instant> {
        self.waiting(which, met).map(|(_, at, _)| at).min()
    }

    /// Begins to dial; returns where.
    pub fn dial(&mut self, peer: NodeId, now: Instant) -> Vec<Multiaddr> {
        let Some(claim) = self.claims.get_mut(&peer) else { return Vec::new() };
        claim.dialing = true;
        claim.tries = claim.tries.saturating_add(1);
        claim.last_try = Some(now);
        let mut open = claim.addrs.clone();
        open.retain(|(host, _)| opens(&self.hosts, host) <= Some(now));
        // Whoever lied before is dialed for one name at a time.
        for (host, _) in &open {
            if let Some(host) = self.hosts.get_mut(host).filter(|host| host.false_claims > 0) {
                host.not_before = now + FALSE_CLAIM;
            }
        }
        open.into_iter().map(|(_, addr)| addr).collect()
    }

    /// How many dials are under way.
    pub fn dialing(&self) -> usize {
        self.claims.values().filter(|claim| claim.dialing).count()
    }

    /// Nobody answered, or the wrong one.
    pub fn failed(&mut self, peer: NodeId, now: Instant, jitter: &mut Jitter) {
        let Some(claim) = self.claims.get_mut(&peer) else { return };
        claim.dialing = false;
        claim.not_before = now + jitter.half_to_full(doubled(claim.tries));
        let hosts: Vec<_> = claim.addrs.iter().map(|(host, _)| *host).collect();
        if claim.addrs.is_empty() {
            self.claims.remove(&peer);
        }
        for host in hosts {
            let host = self.host(host, now, jitter);
            host.failures = host.failures.saturating_add(1);
        }
    }

    /// Another node answered than was claimed.
    pub fn was_false(&mut self, peer: NodeId, addr: &Multiaddr, now: Instant, jitter: &mut Jitter) {
        if let Some(claim) = self.claims.get_mut(&peer) {
            claim.addrs.retain(|(_, other)| other != addr);
        }
        let Some(host) = host_of(addr) else { return };
        let times = 1 << (2 * self.host(host, now, jitter).false_claims).min(16);
        let pause = jitter.half_to_full(FALSE_CLAIM.saturating_mul(times).min(FALSE_CLAIM_MAX));
        let host = self.host(host, now, jitter);
        host.failures = host.failures.saturating_add(1);
        host.false_claims = host.false_claims.saturating_add(1);
        host.not_before = now + pause;
    }

    /// The peer was met: what was said of it has served.
    pub fn met(&mut self, peer: NodeId) {
        if let Some(claim) = self.claims.get_mut(&peer) {
            claim.dialing = false;
            claim.met = true;
        }
    }

    /// The last connection with the peer is gone. Where it was lost, a neighbour that is still heard is looked for as if
    /// it were new; where it was one too many, it may come back by chance.
    pub fn parted(&mut self, peer: NodeId, lost: bool, now: Instant, jitter: &mut Jitter) {
        if let Some(claim) = self.claims.get_mut(&peer) {
            claim.tries = 0;
            claim.met = !lost;
            claim.not_before = now + jitter.up_to(DELAY);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.claims.len()
    }

    #[cfg(test)]
    pub fn knows(&self, peer: NodeId) -> bool {
        self.claims.contains_key(&peer)
    }

    fn waiting<'a>(
        &'a self,
        which: Which,
        met: impl Fn(&NodeId) -> bool + 'a,
    ) -> impl Iterator<Item = (NodeId, Instant, IpAddr)> + 'a {
        let wanted = move |(peer, claim): &(&NodeId, &Claim)| {
            !claim.dialing && (which == Which::Any || claim.tries < FRESH_TRIES && !claim.met) && !met(peer)
        };
        self.claims.iter().filter(wanted).filter_map(|(peer, claim)| {
            let (opens, host) = claim.addrs.iter().map(|(host, _)| (opens(&self.hosts, host), *host)).min()?;
            Some((*peer, claim.not_before.max(opens.unwrap_or(claim.not_before)), host))
        })
    }

    fn failures_of(&self, host: &IpAddr) -> u32 {
        self.hosts.get(host).map_or(0, |host| host.failures)
    }

    fn host(&mut self, host: IpAddr, now: Instant, jitter: &mut Jitter) -> &mut Host {
        if self.hosts.len() >= HOSTS_MAX && !self.hosts.contains_key(&host) {
            self.hosts.retain(|_, host| host.since + FALSE_CLAIM_MAX > now);
            if self.hosts.len() >= HOSTS_MAX {
                let unlucky = self.hosts.keys().nth(jitter.below(self.hosts.len())).copied();
                unlucky.map(|host| self.hosts.remove(&host));
            }
        }
        let new = Host { failures: 0, false_claims: 0, not_before: now, since: now };
        let host = self.hosts.entry(host).or_insert(new);
        if host.since + FALSE_CLAIM_MAX <= now {
            *host = Host { failures: 0, false_claims: 0, not_before: now, since: now };
        }
        host.since = now;
        host
    }

    /// Makes room for one more name at a host, so that no host fills the place with claims, nor all hosts together.
    fn make_room(&mut self, peer: NodeId, host: IpAddr, jitter: &mut Jitter) {
        let at_host = |claim: &Claim| claim.addrs.iter().any(|(other, _)| *other == host);
        if self.claims.get(&peer).is_some_and(at_host) {
            return;
        }
        let idle = |claim: &Claim| !claim.dialing;
        let there = self.claims.iter().filter(|(_, claim)| at_host(claim));
        let there: Vec<_> = there.filter(|(_, claim)| idle(claim)).map(|(peer, _)| *peer).collect();
        if there.len() >= CLAIMS_PER_HOST_MAX {
            self.claims.remove(&there[jitter.below(there.len())]);
        }
        if self.claims.len() >= CLAIMS_MAX && !self.claims.contains_key(&peer) {
            let all = self.claims.iter().filter(|(_, claim)| idle(claim));
            let all = all.map(|(peer, claim)| (claim.addrs.first().map(|(host, _)| *host), *peer)).collect();
            crowded(all, jitter).map(|peer| self.claims.remove(&peer));
        }
    }
}

/// From when on a host's claims may be dialed; none says that nothing is against it.
fn opens(hosts: &BTreeMap<IpAddr, Host>, host: &IpAddr) -> Option<Instant> {
    hosts.get(host).map(|host| host.not_before)
}
