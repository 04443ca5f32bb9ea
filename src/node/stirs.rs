//! What changed beside the record of mail, which numbers nothing of it: told to who looks, who then asks for it anew.

use tokio::sync::watch;

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
        Stirred { counts, seen }
    }
}

/// What somebody has seen of them.
#[derive(Debug)]
pub struct Stirred {
    counts: watch::Receiver<[u64; Stir::ALL.len()]>,
    seen: [u64; Stir::ALL.len()],
}

impl Stirred {
    /// The next kind that changed since it was told last; none once nothing can change any more.
    pub async fn next(&mut self) -> Option<Stir> {
        loop {
            let counts = *self.counts.borrow_and_update();
            let stirred = Stir::ALL.into_iter().find(|stir| counts[*stir as usize] != self.seen[*stir as usize]);
            if let Some(stir) = stirred {
                self.seen[stir as usize] = counts[stir as usize];
                return Some(stir);
            }
            self.counts.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_changes_of_a_kind_are_told_as_one_and_none_is_left_out() {
        let stirs = Stirs::default();
        stirs.stir(Stir::Drafts);
        let mut stirred = stirs.follow();
        for what in [Stir::Topics, Stir::Nearby, Stir::Topics] {
            stirs.stir(what);
        }
        assert_eq!(stirred.next().await, Some(Stir::Nearby));
        stirs.stir(Stir::Nearby);
        assert_eq!(stirred.next().await, Some(Stir::Nearby));
        assert_eq!(stirred.next().await, Some(Stir::Topics));
        drop(stirs);
        assert_eq!(stirred.next().await, None);
    }
}
