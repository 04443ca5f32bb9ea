//! Who is in reach of whom, and whether they talk already.

/// How far a contact has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// In reach, but one of the two is off.
    Not,
    /// Talks from this microsecond on.
    From(u64),
    Talks,
}

#[derive(Debug)]
pub struct Reach {
    /// Peers in order, with the start of the contact.
    peers: Vec<Vec<(u32, Talk, u64)>>,
}

impl Reach {
    pub fn new(nodes: u32) -> Reach {
        Reach { peers: vec![Vec::new(); nodes as usize] }
    }

    pub fn begin(&mut self, a: u32, b: u32, now_us: u64) {
        for (node, peer) in [(a, b), (b, a)] {
            let peers = &mut self.peers[node as usize];
            let at = peers.partition_point(|known| known.0 < peer);
            peers.insert(at, (peer, Talk::Not, now_us));
        }
    }

    /// Ends a contact; returns how far it had come and when it began.
    pub fn end(&mut self, a: u32, b: u32) -> Option<(Talk, u64)> {
        self.remove(b, a);
        self.remove(a, b).map(|(_, talk, since_us)| (talk, since_us))
    }

    fn remove(&mut self, node: u32, peer: u32) -> Option<(u32, Talk, u64)> {
        let peers = &mut self.peers[node as usize];
        let at = peers.binary_search_by_key(&peer, |known| known.0).ok()?;
        Some(peers.remove(at))
    }

    pub fn set(&mut self, a: u32, b: u32, talk: Talk) {
        for (node, peer) in [(a, b), (b, a)] {
            let peers = &mut self.peers[node as usize];
            let at = peers.binary_search_by_key(&peer, |known| known.0).expect("only those in reach talk");
            peers[at].1 = talk;
        }
    }

    pub fn talks(&self, a: u32, b: u32) -> bool {
        let peers = &self.peers[a as usize];
        peers.binary_search_by_key(&b, |known| known.0).is_ok_and(|at| peers[at].1 == Talk::Talks)
    }

    /// Peers in order.
    pub fn peers(&self, node: u32) -> Vec<(u32, Talk)> {
        self.peers[node as usize].iter().map(|(peer, talk, _)| (*peer, *talk)).collect()
    }
}
