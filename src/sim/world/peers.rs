//! Whom a node has in reach, and whether they talk already.

/// How far a contact has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// In reach, but one of the two is off.
    Not,
    /// Talks from this microsecond on.
    From(u64),
    Talks,
}

/// One node's peers in order, each with the start of the contact.
#[derive(Debug, Default)]
pub struct Peers(Vec<(u32, Talk, u64)>);

impl Peers {
    pub fn begin(&mut self, peer: u32, now_us: u64) {
        let at = self.0.partition_point(|known| known.0 < peer);
        self.0.insert(at, (peer, Talk::Not, now_us));
    }

    /// Ends a contact; returns how far it had come and when it began.
    pub fn end(&mut self, peer: u32) -> Option<(Talk, u64)> {
        let at = self.place(peer)?;
        let (_, talk, since_us) = self.0.remove(at);
        Some((talk, since_us))
    }

    pub fn set(&mut self, peer: u32, talk: Talk) {
        let at = self.place(peer).expect("only those in reach talk");
        self.0[at].1 = talk;
    }

    pub fn talks(&self, peer: u32) -> bool {
        self.place(peer).is_some_and(|at| self.0[at].1 == Talk::Talks)
    }

    pub fn all(&self) -> Vec<(u32, Talk)> {
        self.0.iter().map(|(peer, talk, _)| (*peer, *talk)).collect()
    }

    /// Those with whom it begins to talk later, and when.
    pub fn set_up(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.0.iter().filter_map(|(peer, talk, _)| match talk {
            Talk::From(at_us) => Some((*peer, *at_us)),
            Talk::Not | Talk::Talks => None,
        })
    }

    fn place(&self, peer: u32) -> Option<usize> {
        self.0.binary_search_by_key(&peer, |known| known.0).ok()
    }
}
