//! What is known of one peer that answered somewhere or was named, and how long to leave it alone.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use super::{ADDRESSES_MAX, Source, host_of};
use crate::net::jitter::Jitter;

/// The first wait after a failure; it doubles with each.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
/// The longest wait, and the bounds of all of them.
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(600);
pub(super) const BACKOFF: RangeInclusive<Duration> = BACKOFF_MIN..=BACKOFF_MAX;

pub(super) struct Known {
    pub addrs: Vec<(Multiaddr, Source)>,
    /// The owner has a name for it.
    pub person: bool,
    /// Something is held for it.
    pub held: bool,
    pub backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    /// Dials in a row that nobody answered.
    pub failures: u32,
    /// Contacts in a row that hardly began. Whoever answers and has nothing to say is left alone for longer than whoever
    /// is away, because nobody waits for it.
    brief: u32,
    pub not_before: Instant,
}

impl Known {
    pub fn new(not_before: Instant) -> Known {
        Known { addrs: Vec::new(), person: false, held: false, backoff: Backoff::new(not_before) }
    }

    /// Keeps an address, in the place of a worse one if need be; returns whether it is news.
    pub fn note(&mut self, addr: Multiaddr, source: Source) -> bool {
        if let Some((_, before)) = self.addrs.iter_mut().find(|(other, _)| *other == addr) {
            *before = source.max(*before);
            return false;
        }
        if self.addrs.len() == ADDRESSES_MAX {
            // The first of the worst is the oldest of them.
            let worst = (0..ADDRESSES_MAX).min_by_key(|at| self.addrs[*at].1).expect("there are several");
            if self.addrs[worst].1 > source {
                return false;
            }
            self.addrs.remove(worst);
        }
        self.addrs.push((addr, source));
        true
    }

    /// Whether the owner named it: as a person, or by an address.
    pub fn is_named(&self) -> bool {
        self.person || self.addrs.iter().any(|(_, source)| source.is_named())
    }

    /// Whether to dial it however many contacts there are.
    pub fn is_urgent(&self) -> bool {
        self.held || self.is_named()
    }

    /// The best addresses first.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        let mut addrs = self.addrs.clone();
        addrs.sort_by_key(|(_, source)| std::cmp::Reverse(*source));
        addrs.into_iter().map(|(addr, _)| addr).collect()
    }

    /// Where it lives, as far as shares are concerned.
    pub fn host(&self) -> Option<IpAddr> {
        self.addrs.first().and_then(|(addr, _)| host_of(addr))
    }
}

impl Backoff {
    pub fn new(not_before: Instant) -> Backoff {
        Backoff { failures: 0, brief: 0, not_before }
    }

    /// Nobody answered: twice the wait of last time, within `bounds`.
    pub fn failed(&mut self, now: Instant, bounds: &RangeInclusive<Duration>, jitter: &mut Jitter) {
        self.failures = self.failures.saturating_add(1);
        self.brief = 0;
        self.wait(now, doubled(self.failures).clamp(*bounds.start(), *bounds.end()), jitter);
    }

    /// A contact ended that hardly began.
    pub fn was_brief(&mut self, now: Instant, jitter: &mut Jitter) {
        self.failures = 0;
        self.brief = self.brief.saturating_add(1);
        self.wait(now, doubled(self.brief), jitter);
    }

    /// A contact ended that was one.
    pub fn was_met(&mut self, now: Instant, jitter: &mut Jitter) {
        (self.failures, self.brief) = (0, 0);
        self.wait(now, BACKOFF_MIN, jitter);
    }

    /// Tries again within so long, if it would not do so anyway.
    pub fn hurry(&mut self, now: Instant, within: Duration, jitter: &mut Jitter) {
        self.not_before = self.not_before.min(now + jitter.up_to(within));
    }

    fn wait(&mut self, now: Instant, full: Duration, jitter: &mut Jitter) {
        self.not_before = now + jitter.half_to_full(full);
    }
}

/// The wait after so many failures, unless something bounds it.
pub(super) fn doubled(failures: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MAX)
}
