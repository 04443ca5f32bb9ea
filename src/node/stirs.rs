//! What changed beside the record of mail, which numbers nothing of it: told to who looks, who then asks for it anew.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Who is near changes at the pace of whoever passes by, and how far files are with each part of them; nobody is told of these
/// more often.
const BUSY_EVERY: Duration = Duration::from_secs(1);

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
    /// Which files come or go, or how far they are.
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

    /// Whether others change it at their own pace.
    fn is_busy(self) -> bool {
        matches!(self, Stir::Nearby | Stir::Files)
    }
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
        Stirred { counts, seen, rests: [None; Stir::ALL.len()] }
    }
}

/// What somebody has seen of them.
#[derive(Debug)]
pub struct Stirred {
    counts: watch::Receiver<[u64; Stir::ALL.len()]>,
    seen: [u64; Stir::ALL.len()],
    /// From when on each kind is told again.
    rests: [Option<Instant>; Stir::ALL.len()],
}

impl Stirred {
    /// The next kind that changed since it was told last; none once nothing can change any more.
    pub async fn next(&mut self) -> Option<Stir> {
        loop {
            let counts = *self.counts.borrow_and_update();
            let now = Instant::now();
            let is_new = |stir: &Stir| counts[*stir as usize] != self.seen[*stir as usize];
            let rests = |stir: &Stir| self.rests[*stir as usize].filter(|from| now < *from);
            if let Some(stir) = Stir::ALL.into_iter().find(|stir| is_new(stir) && rests(stir).is_none()) {
                self.seen[stir as usize] = counts[stir as usize];
                self.rests[stir as usize] = stir.is_busy().then(|| now + BUSY_EVERY);
                return Some(stir);
            }
            match Stir::ALL.iter().filter(|stir| is_new(stir)).filter_map(rests).min() {
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
        while began.elapsed() < 5 * BUSY_EVERY {
            stirs.stir(Stir::Nearby);
            if told.len() == 2 {
                stirs.stir(Stir::Drafts);
            }
            if let Ok(stir) = tokio::time::timeout(BUSY_EVERY / 20, stirred.next()).await {
                told.push(stir.unwrap());
                // Else the clock would stand still where all is told at once.
                tokio::time::sleep(BUSY_EVERY / 20).await;
            }
        }
        let near = told.iter().filter(|stir| **stir == Stir::Nearby).count();
        assert!((5..=6).contains(&near), "{told:?}");
        assert_eq!(told[2], Stir::Drafts);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_comes_is_told_of_once_a_second_and_its_last_part_is_not_left_out() {
        let stirs = Stirs::default();
        let mut stirred = stirs.follow();
        let began = Instant::now();
        let mut told = 0;
        for _ in 0..100 {
            stirs.stir(Stir::Files);
            while tokio::time::timeout(BUSY_EVERY / 50, stirred.next()).await.is_ok() {
                told += 1;
            }
        }
        assert!(began.elapsed() >= BUSY_EVERY && (2..=4).contains(&told), "{told}");
        stirs.stir(Stir::Files);
        assert_eq!(stirred.next().await, Some(Stir::Files));
        // Who passes by waits for no file, and the other way round.
        stirs.stir(Stir::Files);
        stirs.stir(Stir::Nearby);
        assert_eq!(stirred.next().await, Some(Stir::Nearby));
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
