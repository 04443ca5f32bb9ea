//! One-time links: made for the owner, used once, soon or never.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::hex;

/// Most links at a time; one more takes the place of the oldest.
const LINKS_MAX: usize = 16;
/// How long one lasts.
const LINK_LIFE: Duration = Duration::from_secs(300);
/// A phone is to be given a certificate first.
const PHONE_LIFE: Duration = Duration::from_secs(900);
/// Wrong codes that one link takes.
const TRIES: u8 = 3;
/// What the hashes are for, and for nothing else.
const CONTEXT: &str = "dak 2026 one-time link of a page";

/// Links that were made and not used. A node that ends forgets them.
#[derive(Default)]
pub struct Links(Mutex<Vec<Link>>);

struct Link {
    hash: [u8; 32],
    until: Instant,
    kind: Kind,
}

enum Kind {
    /// For a browser of this machine.
    Here,
    /// For a phone, with the code that it is to say and how often it may be wrong yet.
    Phone { code: String, tries: u8 },
    /// For a phone that said it.
    Met,
}

/// Why a phone is not let in.
#[derive(Debug)]
pub enum NotMet {
    /// The link was used already, or its time is over.
    Unknown,
    WrongCode,
    /// The same, and the link takes no other.
    TooOften,
    Entropy(getrandom::Error),
}

impl From<getrandom::Error> for NotMet {
    fn from(error: getrandom::Error) -> NotMet {
        NotMet::Entropy(error)
    }
}

impl Links {
    /// Makes the secret of a link for a browser of this machine.
    pub fn make(&self, now: Instant) -> Result<String, getrandom::Error> {
        self.keep(Kind::Here, now, LINK_LIFE)
    }

    /// Makes the secret of a link for a phone, and the code that goes with it.
    pub fn make_for_phone(&self, now: Instant) -> Result<(String, String), getrandom::Error> {
        let mut number = [0; 8];
        getrandom::fill(&mut number)?;
        let code = format!("{:06}", u64::from_le_bytes(number) % 1_000_000);
        Ok((self.keep(Kind::Phone { code: code.clone(), tries: TRIES }, now, PHONE_LIFE)?, code))
    }

    /// Takes a phone's link with its code, and gives it one that opens the page.
    pub fn meet(&self, secret: &str, code: &str, now: Instant) -> Result<String, NotMet> {
        let shown = blake3::Hash::from(hash(secret));
        {
            let mut links = self.lasting(now);
            let found = links.iter().position(|link| blake3::Hash::from(link.hash) == shown);
            let at = found.ok_or(NotMet::Unknown)?;
            let Kind::Phone { code: wanted, tries } = &mut links[at].kind else { return Err(NotMet::Unknown) };
            if blake3::hash(wanted.as_bytes()) != blake3::hash(code.as_bytes()) {
                *tries -= 1;
                if *tries > 0 {
                    return Err(NotMet::WrongCode);
                }
                links.remove(at);
                return Err(NotMet::TooOften);
            }
            links.remove(at);
        }
        Ok(self.keep(Kind::Met, now, LINK_LIFE)?)
    }

    /// Uses a link up that opens the page, for a phone or for a browser of this machine; false where there is none such any
    /// more.
    pub fn take(&self, secret: &str, is_phone: bool, now: Instant) -> bool {
        let shown = blake3::Hash::from(hash(secret));
        let mut links = self.lasting(now);
        let many = links.len();
        let opens = |link: &Link| match link.kind {
            Kind::Here => !is_phone,
            Kind::Met => is_phone,
            Kind::Phone { .. } => false,
        };
        // Hashes compare in constant time.
        links.retain(|link| blake3::Hash::from(link.hash) != shown || !opens(link));
        links.len() < many
    }

    fn keep(&self, kind: Kind, now: Instant, life: Duration) -> Result<String, getrandom::Error> {
        // Short enough for a picture that fits a terminal, and far too long to be guessed.
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)?;
        let secret = hex(&secret);
        let mut links = self.lasting(now);
        if links.len() >= LINKS_MAX {
            links.remove(0);
        }
        links.push(Link { hash: hash(&secret), until: now + life, kind });
        Ok(secret)
    }

    fn lasting(&self, now: Instant) -> MutexGuard<'_, Vec<Link>> {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| now < link.until);
        links
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
        for wrong in ["", &one[1..], &other[1..]] {
            assert!(!links.take(wrong, false, now));
        }
        assert!(!links.take(&one, true, now), "it is for this machine");
        assert!(links.take(&one, false, now + Duration::from_secs(1)));
        assert!(!links.take(&one, false, now + Duration::from_secs(1)), "it was used");
        assert!(!links.take(&other, false, now + Duration::from_secs(60) + LINK_LIFE), "its time is over");
    }

    #[test]
    fn a_phone_says_the_code_within_three_tries_and_opens_the_page_once() {
        let (links, now) = (Links::default(), Instant::now());
        let (secret, code) = links.make_for_phone(now).unwrap();
        assert!(!links.take(&secret, true, now) && !links.take(&secret, false, now), "the code is missing");
        assert!(matches!(links.meet("nonsense", &code, now), Err(NotMet::Unknown)));
        assert!(matches!(links.meet(&secret, "", now), Err(NotMet::WrongCode)));
        let open = links.meet(&secret, &code, now).unwrap();
        assert!(matches!(links.meet(&secret, &code, now), Err(NotMet::Unknown)), "it was used");
        assert!(!links.take(&open, false, now) && links.take(&open, true, now) && !links.take(&open, true, now));
        let (secret, code) = links.make_for_phone(now).unwrap();
        let tried: Vec<_> = (0..TRIES).map(|_| links.meet(&secret, "wrong", now).unwrap_err()).collect();
        assert!(matches!(tried[..], [NotMet::WrongCode, NotMet::WrongCode, NotMet::TooOften]), "{tried:?}");
        assert!(matches!(links.meet(&secret, &code, now), Err(NotMet::Unknown)));
        let (secret, code) = links.make_for_phone(now).unwrap();
        assert!(matches!(links.meet(&secret, &code, now + PHONE_LIFE), Err(NotMet::Unknown)));
    }

    #[test]
    fn links_are_bounded_and_the_oldest_goes_first() {
        let (links, now) = (Links::default(), Instant::now());
        let made: Vec<String> = (0..=LINKS_MAX).map(|_| links.make(now).unwrap()).collect();
        assert!(!links.take(&made[0], false, now));
        assert!(made[1..].iter().all(|link| links.take(link, false, now)));
    }
}
