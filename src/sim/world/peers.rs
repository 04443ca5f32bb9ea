//! Whom a node has in reach, and whether they talk already.

use crate::bundle::{Bundle, Handed};
use crate::id::NodeId;

/// How far a contact has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// In reach, but one of the two is off.
    Not,
    /// Talks from this microsecond on.
    From(u64),
    Talks,
}

/// One node's peers in order.
#[derive(Debug, Default)]
pub struct Peers(Vec<Peer>);

#[derive(Debug)]
struct Peer {
    number: u32,
    talk: Talk,
    /// The start of the contact.
    since_us: u64,
    /// Messages for the node that the peer handed over.
    taken: Handed,
}

impl Peers {
    pub fn begin(&mut self, peer: u32, now_us: u64) {
        let at = self.0.partition_point(|known| known.number < peer);
        self.0.insert(at, Peer { number: peer, talk: Talk::Not, since_us: now_us, taken: Handed::taken() });
    }

    /// Ends a contact; returns how far it had come and when it began.
    pub fn end(&mut self, peer: u32) -> Option<(Talk, u64)> {
        let at = self.place(peer)?;
        let Peer { talk, since_us, .. } = self.0.remove(at);
        Some((talk, since_us))
    }

    pub fn set(&mut self, peer: u32, talk: Talk) {
        let at = self.place(peer).expect("only those in reach talk");
        self.0[at].talk = talk;
    }

    pub fn talks(&self, peer: u32) -> bool {
        self.place(peer).is_some_and(|at| self.0[at].talk == Talk::Talks)
    }

    /// A peer handed over a bundle to the node of this name.
    pub fn took(&mut self, peer: u32, bundle: &Bundle, name: NodeId) {
        if let Some(at) = self.place(peer) {
            self.0[at].taken.note(bundle, name);
        }
    }

    /// What a peer in reach handed over.
    pub fn taken(&self, peer: u32) -> &Handed {
        self.place(peer).map_or(Handed::nothing(), |at| &self.0[at].taken)
    }

    pub fn all(&self) -> Vec<(u32, Talk)> {
        self.0.iter().map(|peer| (peer.number, peer.talk)).collect()
    }

    /// Those with whom it begins to talk later, and when.
    pub fn set_up(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.0.iter().filter_map(|peer| match peer.talk {
            Talk::From(at_us) => Some((peer.number, at_us)),
            Talk::Not | Talk::Talks => None,
        })
    }

    fn place(&self, peer: u32) -> Option<usize> {
        self.0.binary_search_by_key(&peer, |known| known.number).ok()
    }
}
