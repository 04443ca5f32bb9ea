//! What is known of one peer, and how long to leave it alone.

use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::Instant;

use super::{ADDRESSES_MAX, Source};
use crate::net::jitter::Jitter;

/// The first wait after a failure; it doubles with each.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(600);
/// The longest wait for an address that the owner named.
const BACKOFF_GIVEN_MAX: Duration = Duration::from_secs(60);

pub(super) struct Known {
    pub addrs: Vec<(Multiaddr, Source)>,
    /// Named by the owner or the address book.
    pub familiar: bool,
    /// Something is held for it.
    pub held: bool,
    pub backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub failures: u32,
    pub not_before: Instant,
    pub last_try: Option<Instant>,
}

impl Known {
    pub fn new(not_before: Instant) -> Known {
        Known { addrs: Vec::new(), familiar: false, held: false, backoff: Backoff::new(not_before) }
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

    /// Whether to dial it however many contacts there are.
    pub fn is_urgent(&self) -> bool {
        self.held || self.is_given()
    }

    /// The best addresses first.
    pub fn dial(&mut self, now: Instant) -> Vec<Multiaddr> {
        self.backoff.last_try = Some(now);
        let mut addrs = self.addrs.clone();
        addrs.sort_by_key(|(_, source)| std::cmp::Reverse(*source));
        addrs.into_iter().map(|(addr, _)| addr).collect()
    }

    pub fn wait(&mut self, now: Instant, jitter: &mut Jitter) {
        self.backoff.wait(now, self.is_given(), jitter);
    }

    fn is_given(&self) -> bool {
        self.addrs.iter().any(|(_, source)| *source == Source::Given)
    }
}

impl Backoff {
    pub fn new(not_before: Instant) -> Backoff {
        Backoff { failures: 0, not_before, last_try: None }
    }

    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Sets the next try after what went wrong so far.
    pub fn wait(&mut self, now: Instant, given: bool, jitter: &mut Jitter) {
        let max = if given { BACKOFF_GIVEN_MAX } else { BACKOFF_MAX };
        let full = BACKOFF_MIN.saturating_mul(1 << self.failures.saturating_sub(1).min(16)).min(max);
        self.not_before = now + jitter.half_to_full(full);
    }
}
