//! Who was heard on one link, and how much anybody may say there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use super::Sighting;
use super::record::Claim;
use crate::net::jitter::Jitter;

/// Peers remembered on one link; one more takes the place of one by chance, which is told again when it is heard again.
const NEIGHBOURS_MAX: usize = 1_024;
/// Claims of one host that are passed on within [`SPAN`]. A host is believed of its own address only, so it can flood in
/// its own name only.
const HOST_CLAIMS_MAX: u32 = 16;
/// Claims on one link that are passed on within [`SPAN`]: an IPv6 host has more addresses than anybody can count.
const LINK_CLAIMS_MAX: u32 = 512;
const SPAN: Duration = Duration::from_secs(10);
/// How long a sighting stays fresh, so that a peer that repeats itself is not told every time; less than what lies between
/// two answers, since whoever asked anew wants to be told.
const FRESH: Duration = Duration::from_millis(500);
const _: () = assert!(FRESH.as_millis() < super::ANSWER_AGAIN.as_millis());
/// How long a peer counts as near by on one word; three questions of the calm rate fit into it.
pub const TTL: Duration = Duration::from_secs(200);

pub struct Heard {
    pairs: BTreeMap<(PeerId, Multiaddr), Entry>,
    claims: Claims,
    /// No entry runs out before.
    next_expiry: Option<Instant>,
}

struct Entry {
    until: Instant,
    told: Instant,
}

/// How much each host said lately.
struct Claims {
    of: BTreeMap<IpAddr, u32>,
    all: u32,
    since: Instant,
}

impl Heard {
    pub fn new(now: Instant) -> Heard {
        let claims = Claims { of: BTreeMap::new(), all: 0, since: now };
        Heard { pairs: BTreeMap::new(), claims, next_expiry: None }
    }

    /// Takes a claim that `host` made; returns what is worth telling of it. `addr` is how to reach the host from here.
    pub fn note(
        &mut self,
        host: IpAddr,
        claim: Claim,
        addr: Multiaddr,
        now: Instant,
        jitter: &mut Jitter,
    ) -> Option<Sighting> {
        let pair = (claim.peer, addr);
        if claim.ttl.is_zero() {
            return self.pairs.remove(&pair).map(|_| Sighting::Gone(pair.0, pair.1));
        }
        let until = now + claim.ttl.min(TTL);
        self.next_expiry = Some(self.next_expiry.map_or(until, |next| next.min(until)));
        if let Some(entry) = self.pairs.get_mut(&pair) {
            entry.until = until;
            if now < entry.told + FRESH {
                return None;
            }
        }
        if !self.claims.admit(host, now) {
            return None;
        }
        if self.pairs.len() >= NEIGHBOURS_MAX && !self.pairs.contains_key(&pair) {
            let unlucky = self.pairs.keys().nth(jitter.below(NEIGHBOURS_MAX)).cloned();
            unlucky.map(|unlucky| self.pairs.remove(&unlucky));
        }
        self.pairs.insert(pair.clone(), Entry { until, told: now });
        Some(Sighting::Seen(pair.0, pair.1))
    }

    /// Forgets who was not heard for too long.
    pub fn expire(&mut self, now: Instant) -> Vec<Sighting> {
        if self.next_expiry.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let gone: Vec<_> = self.pairs.extract_if(.., |_, entry| entry.until <= now).collect();
        self.next_expiry = self.pairs.values().map(|entry| entry.until).min();
        gone.into_iter().map(|((peer, addr), _)| Sighting::Gone(peer, addr)).collect()
    }

    pub fn next_expiry(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// Forgets everybody: the link is gone.
    pub fn clear(self) -> impl Iterator<Item = Sighting> {
        self.pairs.into_keys().map(|(peer, addr)| Sighting::Gone(peer, addr))
    }
}

impl Claims {
    fn admit(&mut self, host: IpAddr, now: Instant) -> bool {
        if now >= self.since + SPAN {
            *self = Claims { of: BTreeMap::new(), all: 0, since: now };
        }
        if self.all >= LINK_CLAIMS_MAX {
            return false;
        }
        let claims = self.of.entry(host).or_default();
        if *claims >= HOST_CLAIMS_MAX {
            return false;
        }
        *claims += 1;
        self.all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u64) -> PeerId {
        // Any key will do: nobody proves anything here.
        let secret = *blake3::hash(&n.to_be_bytes()).as_bytes();
        crate::net::peer::keypair(secret).public().to_peer_id()
    }

    fn say(heard: &mut Heard, host: &str, n: u64, ttl: Duration, now: Instant) -> Option<Sighting> {
        let addr: Multiaddr = format!("/ip4/{host}/tcp/7").parse().unwrap();
        let claim = Claim { peer: peer(n), addr: addr.clone(), ttl };
        heard.note(host.parse().unwrap(), claim, addr, now, &mut Jitter::from_seed([1; 32]))
    }

    #[test]
    fn a_host_that_floods_is_not_heard_and_others_are() {
        let now = Instant::now();
        let mut heard = Heard::new(now);
        let told = (0..100).filter(|n| say(&mut heard, "10.0.0.1", *n, TTL, now).is_some()).count();
        assert_eq!(told, HOST_CLAIMS_MAX as usize);
        assert!(say(&mut heard, "10.0.0.2", 200, TTL, now).is_some());
        assert!(say(&mut heard, "10.0.0.1", 300, TTL, now + SPAN).is_some());
    }

    #[test]
    fn a_crowd_of_hosts_is_bounded_together_and_remembered_up_to_a_bound() {
        let mut now = Instant::now();
        let mut heard = Heard::new(now);
        let crowd = |now, heard: &mut Heard, from: u64| {
            let host = |n: u64| format!("10.0.{}.{}", n / 250, n % 250 + 1);
            (from..from + 600).filter(|n| say(heard, &host(*n), *n, TTL, now).is_some()).count()
        };
        assert_eq!(crowd(now, &mut heard, 0), LINK_CLAIMS_MAX as usize);
        for round in 1..4 {
            now += SPAN;
            crowd(now, &mut heard, round * 600);
        }
        assert_eq!(heard.pairs.len(), NEIGHBOURS_MAX);
    }

    #[test]
    fn a_neighbour_is_told_when_it_is_heard_and_when_it_leaves_or_falls_silent() {
        let now = Instant::now();
        let mut heard = Heard::new(now);
        assert!(matches!(say(&mut heard, "10.0.0.1", 1, TTL, now), Some(Sighting::Seen(..))));
        assert!(say(&mut heard, "10.0.0.1", 1, TTL, now).is_none(), "it is fresh");
        let later = now + FRESH;
        assert!(matches!(say(&mut heard, "10.0.0.1", 1, TTL, later), Some(Sighting::Seen(..))));
        assert!(heard.expire(now + TTL).is_empty());
        assert!(matches!(heard.expire(later + TTL)[..], [Sighting::Gone(..)]));
        say(&mut heard, "10.0.0.1", 1, TTL, later + TTL);
        assert!(matches!(say(&mut heard, "10.0.0.1", 1, Duration::ZERO, later + TTL), Some(Sighting::Gone(..))));
        assert!(say(&mut heard, "10.0.0.1", 1, Duration::ZERO, later + TTL).is_none());
    }

    #[test]
    fn nobody_stays_longer_for_promising_to() {
        let now = Instant::now();
        let mut heard = Heard::new(now);
        say(&mut heard, "10.0.0.1", 1, TTL * 1_000, now);
        assert_eq!(heard.expire(now + TTL).len(), 1);
    }
}
