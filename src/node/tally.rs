//! Whom the node met, and what peers did wrong: counted, logged as often as a log takes it, and answered.
//!
//! No honest node hands over what does not verify, and what costs a verification must not be free. So every bad bundle has
//! a price; a peer that has run up [`PRICE_MAX`] is sent away for [`BANISHED`]. Names are free, so this bounds what one
//! name costs and no more: the rest is done by turns, and by the places there are for strangers.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::brake::Brake;
use crate::bundle::BundleError;
use crate::id::NodeId;
use crate::net::NetHandle;
use crate::safe_text::safe_text;

/// Most peers remembered; later ones push out the earliest.
const PEERS_MAX: usize = 4_096;
/// So long a reason is not told of one peer again.
const AGAIN: Duration = Duration::from_secs(24 * 3_600);
/// From here on a peer is sent away.
const PRICE_MAX: u32 = 1_024;
/// For how long.
const BANISHED: Duration = Duration::from_secs(600);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// A bundle in no form that is known here: cheap to refuse, and a later version may make such.
    Form,
    /// A bundle that its source never signed.
    Forgery,
    /// What is no frame, or none that fits: the contact ends.
    Rude,
    /// A Hello of another version of the protocol: the contact ends, and nobody is to blame.
    Foreign,
    /// A frame or bundle that does not belong where the contact stands: it ends.
    OutOfStep,
    /// What made this node stumble over a fault of its own: the contact ends, and whoever does it again and again is
    /// sent away.
    Stumble,
}

#[derive(Default)]
pub struct Tally {
    /// None where the home is opened without a network.
    net: Option<NetHandle>,
    state: Mutex<State>,
    said: Said,
}

/// What the log says of peers.
struct Said {
    bad: Brake<(NodeId, String)>,
    banished: Brake,
    faults: Brake,
}

impl Default for Said {
    fn default() -> Said {
        let [banished, faults] = [Duration::ZERO; 2].map(Brake::new);
        Said { bad: Brake::new(AGAIN), banished, faults }
    }
}

#[derive(Default)]
struct State {
    met: u64,
    refused: u64,
    faults: u64,
    peers: BTreeMap<NodeId, Record>,
    /// The peers above, the earliest first.
    order: VecDeque<NodeId>,
}

#[derive(Default)]
struct Record {
    price: u32,
    banished: Option<Instant>,
}

impl Offence {
    /// What a bundle refused for this reason says of who handed it over.
    pub fn of(error: &BundleError) -> Offence {
        match error {
            BundleError::Signature | BundleError::WeakKey(..) => Offence::Forgery,
            _ => Offence::Form,
        }
    }

    fn ends_contact(self) -> bool {
        matches!(self, Offence::Rude | Offence::Foreign | Offence::OutOfStep | Offence::Stumble)
    }

    fn price(self) -> u32 {
        match self {
            // It may be this node that lost the thread: after a failed commit, what a peer sent before comes to an agent
            // that never heard its Hello. The contact ends, and a new one costs the peer a handshake.
            Offence::OutOfStep | Offence::Foreign => 0,
            Offence::Form => 1,
            Offence::Forgery | Offence::Rude | Offence::Stumble => 64,
        }
    }
}

impl Tally {
    pub fn new(net: Option<NetHandle>) -> Tally {
        Tally { net, ..Tally::default() }
    }

    /// A contact began.
    pub fn met(&self) {
        self.state().met += 1;
    }

    /// How many contacts began since the start.
    pub fn contacts(&self) -> u64 {
        self.state().met
    }

    /// A bundle or frame that was refused before the agent saw it, or another offence.
    pub fn bad(&self, from: NodeId, offence: Offence, why: &str) {
        let mut state = self.state();
        state.refused += u64::from(offence != Offence::Foreign);
        let record = state.record(from);
        record.price = record.price.saturating_add(offence.price());
        let banish = record.price >= PRICE_MAX && record.banished.is_none_or(|since| since.elapsed() >= BANISHED);
        if banish {
            record.price = 0;
            record.banished = Some(Instant::now());
        }
        drop(state);
        self.said.bad.say((from, why.to_owned()), |unsaid| {
            let what = match offence {
                Offence::Foreign => "no mail can pass between this node and a peer",
                _ => "refused what a peer sent",
            };
            tracing::warn!(unsaid, peer = %from.peer_id(), why = %safe_text(why), "{what}");
        });
        match &self.net {
            Some(net) if banish => {
                let minutes = BANISHED.as_secs() / 60;
                let peer = from.peer_id();
                self.said.banished.say((), |unsaid| tracing::warn!(unsaid, %peer, minutes, "sent a peer away"));
                net.banish(from, BANISHED);
            }
            Some(net) if offence.ends_contact() => net.disconnect(from),
            _ => {}
        }
    }

    /// A fault of this node's own in what it did for one peer.
    pub fn fault(&self, peer: NodeId, what: &str) {
        self.state().faults += 1;
        let (node, what) = (peer.peer_id(), safe_text(what));
        self.said.faults.say((), |unsaid| {
            tracing::error!(unsaid, peer = %node, %what, "a fault of this program ended a contact; please report it");
        });
        self.bad(peer, Offence::Stumble, "a fault of this program, not of the peer perhaps");
    }

    /// Does for one peer what its bytes call for. A fault in it ends the contact with that peer, and nothing else.
    pub fn contain<T>(&self, peer: NodeId, work: impl FnOnce() -> T) -> Option<T> {
        // Nothing of what broke is used again: it works on one peer's bytes, and hands over what is whole.
        catch_unwind(AssertUnwindSafe(work)).inspect_err(|panic| self.fault(peer, said(&**panic))).ok()
    }

    /// How many contacts a fault of this node's own ended since the start.
    pub fn faults(&self) -> u64 {
        self.state().faults
    }

    /// Whether a peer was sent away lately: what it had sent before is not worth a look.
    pub fn is_banished(&self, peer: &NodeId) -> bool {
        let state = self.state();
        let banished = state.peers.get(peer).and_then(|record| record.banished);
        banished.is_some_and(|since| since.elapsed() < BANISHED)
    }

    /// How many bundles and frames were refused since the start.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn record(&mut self, peer: NodeId) -> &mut Record {
        if !self.peers.contains_key(&peer) {
            if self.order.len() >= PEERS_MAX {
                self.order.pop_front().map(|earliest| self.peers.remove(&earliest));
            }
            self.order.push_back(peer);
        }
        self.peers.entry(peer).or_default()
    }
}

/// The words of a panic.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it said nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> NodeId {
        NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes())
    }

    #[test]
    fn a_few_forgeries_or_many_strange_forms_send_a_peer_away_and_nobody_else() {
        let tally = Tally::default();
        for n in 0..15 {
            tally.bad(peer(1), Offence::Forgery, "forged");
            assert!(!tally.is_banished(&peer(1)), "after {n}");
        }
        tally.bad(peer(1), Offence::Forgery, "forged");
        assert!(tally.is_banished(&peer(1)));
        (0..1_023).for_each(|_| tally.bad(peer(2), Offence::Form, "strange"));
        assert!(!tally.is_banished(&peer(2)));
        tally.bad(peer(2), Offence::Form, "strange");
        assert!(tally.is_banished(&peer(2)) && !tally.is_banished(&peer(3)));
        assert_eq!(tally.refused(), 16 + 1_024);
    }

    #[test]
    fn a_fault_in_what_is_done_for_one_peer_is_counted_and_goes_no_further() {
        let tally = Tally::default();
        assert_eq!(tally.contain(peer(1), || 7), Some(7));
        for n in 0..16 {
            assert!(!tally.is_banished(&peer(1)), "after {n}");
            assert_eq!(tally.contain(peer(1), || -> u8 { panic!("as a fault of ours would, {n}") }), None);
        }
        assert!(tally.is_banished(&peer(1)) && !tally.is_banished(&peer(2)), "who makes a node stumble is sent away");
        assert_eq!((tally.faults(), tally.contain(peer(2), || 8)), (16, Some(8)));
    }

    #[test]
    fn whoever_is_out_of_step_is_sent_away_from_a_contact_and_not_from_the_next() {
        let tally = Tally::default();
        (0..10_000).for_each(|_| tally.bad(peer(1), Offence::OutOfStep, "spoke before its Hello"));
        assert!(!tally.is_banished(&peer(1)));
        assert_eq!(tally.refused(), 10_000);
    }

    #[test]
    fn whoever_speaks_another_version_is_never_sent_away() {
        let tally = Tally::default();
        (0..10_000).for_each(|_| tally.bad(peer(1), Offence::Foreign, "speaks version 2"));
        assert!(!tally.is_banished(&peer(1)));
        assert_eq!(tally.refused(), 0);
    }

    #[test]
    fn ten_thousand_names_do_not_make_it_forget_to_judge() {
        let tally = Tally::default();
        (0..10_000).for_each(|n| tally.bad(peer(n), Offence::Form, "strange"));
        assert_eq!(tally.state().peers.len(), PEERS_MAX);
        (0..16).for_each(|_| tally.bad(peer(20_000), Offence::Forgery, "forged"));
        assert!(tally.is_banished(&peer(20_000)));
    }
}
