//! One-time links: made for the owner, used once, soon or never.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::id::hex;

/// Most links at a time; one more takes the place of the oldest.
const LINKS_MAX: usize = 16;
/// How long one lasts.
const LINK_LIFE: Duration = Duration::from_secs(300);
/// What the hashes are for, and for nothing else.
const CONTEXT: &str = "dak 2026 one-time link of a page";

/// Links that were made and not used. A node that ends forgets them.
#[derive(Default)]
pub struct Links(Mutex<Vec<Link>>);

struct Link {
    hash: [u8; 32],
    made: Instant,
}

impl Links {
    /// Makes a link's secret.
    pub fn make(&self, now: Instant) -> Result<String, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let secret = hex(&secret);
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.lasts(now));
        if links.len() >= LINKS_MAX {
            links.remove(0);
        }
        links.push(Link { hash: hash(&secret), made: now });
        Ok(secret)
    }

    /// Uses a link up; false where there is none such any more.
    pub fn take(&self, secret: &str, now: Instant) -> bool {
        let shown = blake3::Hash::from(hash(secret));
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.lasts(now));
        let many = links.len();
        // Hashes compare in constant time.
        links.retain(|link| blake3::Hash::from(link.hash) != shown);
        links.len() < many
    }
}

impl Link {
    fn lasts(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.made) < LINK_LIFE
    }
}

fn hash(secret: &str) -> [u8; 32] {
    blake3::derive_key(CONTEXT, secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_used_once_and_within_its_time() {
        let (links, now) = (Links::default(), Instant::now());
        let [one, other] = [now, now + Duration::from_secs(60)].map(|at| links.make(at).unwrap());
        for wrong in ["", &one[1..], &one.to_uppercase()] {
            assert!(!links.take(wrong, now) || wrong == one);
        }
        assert!(links.take(&one, now + Duration::from_secs(1)));
        assert!(!links.take(&one, now + Duration::from_secs(1)), "it was used");
        assert!(!links.take(&other, now + Duration::from_secs(60) + LINK_LIFE), "its time is over");
    }

    #[test]
    fn links_are_bounded_and_the_oldest_goes_first() {
        let (links, now) = (Links::default(), Instant::now());
        let made: Vec<String> = (0..=LINKS_MAX).map(|_| links.make(now).unwrap()).collect();
        assert!(!links.take(&made[0], now));
        assert!(made[1..].iter().all(|link| links.take(link, now)));
    }
}
