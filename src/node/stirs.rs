//! What changed beside the record of mail, which numbers nothing of it: told to who looks, who then asks for it anew.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Who is near changes at the pace of whoever passes by; nobody is told of it more often.
const NEARBY_EVERY: Duration = Duration::from_secs(1);

/// A kind of thing that is another than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stir {
    /// Who is met or was heard, or what they call themselves.
    Nearby,
    Contacts,
    Groups,
    /// Which members of groups have what was written there.
    Receipts,
    /// What is read, published or kept of topics.
    Topics,
    Drafts,
    /// What the person pinned, muted, put away or labelled.
    Places,
    Files,
    Away,
}

impl Stir {
    pub const ALL: [Stir; 9] = [
        Stir::Nearby,
        Stir::Contacts,
        Stir::Groups,
        Stir::Receipts,
        Stir::Topics,
        Stir::Drafts,
        Stir::Places,
        Stir::Files,
        Stir::Away,
    ];
}

/// How often each kind changed. Who lags behind sees one change for many, and misses none.
#[derive(Debug)]
pub struct Stirs(watch::Sender<[u64; Stir::ALL.len()]>);

impl Default for Stirs {
    fn default() -> Stirs {
        Stirs(watch::channel([0; Stir::ALL.len()]).0)
    }
}

impl Stirs {
    pub fn stir(&self, what: Stir) {
        self.0.send_modify(|counts| counts[what as usize] += 1);
    }

    /// How often a kind changed.
    #[cfg(test)]
    pub fn count(&self, what: Stir) -> u64 {
        self.0.borrow()[what as usize]
    }

    /// Changes from now on.
    pub fn follow(&self) -> Stirred {
        let counts = self.0.subscribe();
        let seen = *counts.borrow();
        Stirred { counts, seen, nearby_from: None }
    }
}

/// What somebody has seen of them.
#[derive(Debug)]
pub struct Stirred {
    counts: watch::Receiver<[u64; Stir::ALL.len()]>,
    seen: [u64; Stir::ALL.len()],
    /// From when on who is near is told again.
    nearby_from: Option<Instant>,
}

impl Stirred {
    /// The next kind that changed since it was told last; none once nothing can change any more.
    pub async fn next(&mut self) -> Option<Stir> {
        loop {
            let counts = *self.counts.borrow_and_update();
            let now = Instant::now();
            let rests = self.nearby_from.filter(|from| now < *from);
            let is_new = |stir: &Stir| counts[*stir as usize] != self.seen[*stir as usize];
            let stirred =
                Stir::ALL.into_iter().find(|stir| is_new(stir) && !(*stir == Stir::Nearby && rests.is_some()));
            if let Some(stir) = stirred {
                self.seen[stir as usize] = counts[stir as usize];
                if stir == Stir::Nearby {
                    self.nearby_from = Some(now + NEARBY_EVERY);
                }
                return Some(stir);
            }
            match rests.filter(|_| is_new(&Stir::Nearby)) {
                None => self.counts.changed().await.ok()?,
                Some(from) => tokio::select! {
                    changed = self.counts.changed() => changed.ok()?,
                    () = sleep_until(from) => {}
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_busy_neighbourhood_is_told_of_once_a_second_and_holds_nothing_else_up() {
        let stirs = Stirs::default();
        let mut stirred = stirs.follow();
        let began = Instant::now();
        let mut told = Vec::new();
        while began.elapsed() < 5 * NEARBY_EVERY {
            stirs.stir(Stir::Nearby);
            if told.len() == 2 {
                stirs.stir(Stir::Drafts);
            }
            if let Ok(stir) = tokio::time::timeout(NEARBY_EVERY / 20, stirred.next()).await {
                told.push(stir.unwrap());
                // Else the clock would stand still where all is told at once.
                tokio::time::sleep(NEARBY_EVERY / 20).await;
            }
        }
        let near = told.iter().filter(|stir| **stir == Stir::Nearby).count();
        assert!((5..=6).contains(&near), "{told:?}");
        assert_eq!(told[2], Stir::Drafts);
    }

    #[tokio::test(start_paused = true)]
    async fn many_changes_of_a_kind_are_told_as_one_and_none_is_left_out() {
        let stirs = Stirs::default();
        stirs.stir(Stir::Drafts);
        let mut stirred = stirs.follow();
        for what in [Stir::Topics, Stir::Nearby, Stir::Topics] {
            stirs.stir(what);
        }
        assert_eq!(stirred.next().await, Some(Stir::Nearby));
        stirs.stir(Stir::Nearby);
        assert_eq!(stirred.next().await, Some(Stir::Topics));
        assert_eq!(stirred.next().await, Some(Stir::Nearby));
        drop(stirs);
        assert_eq!(stirred.next().await, None);
    }
}
