//! What the network brings, sorted: frames to the core, bundles parsed on the way, contacts to courier and core.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::line::{Crossed, Line};
use super::nearby::{Nearby, TWIN_AGAIN};
use super::queue::{Queue, Share};
use super::stirs::{Stir, Stirs};
use super::tally::{Offence, Tally};
use super::work::{Parsed, Work};
use crate::agent::Input;
use crate::brake::Brake;
use crate::bundle::{BundleError, Ends, Unverified};
use crate::frame::{FrameError, Incoming, Transit};
use crate::id::NodeId;
use crate::net::{self, NetEvent, Why};
use crate::store::redb::{Address, Side};
use crate::store::writer::StoreThread;

pub struct Inlet {
    pub me: NodeId,
    /// The contacts that last.
    pub contacts: BTreeMap<NodeId, Talk>,
    pub work: Arc<Queue<Work>>,
    pub store: Arc<StoreThread>,
    pub tally: Arc<Tally>,
    pub nearby: Arc<Nearby>,
    pub stirs: Arc<Stirs>,
}

/// A contact that lasts.
#[derive(Clone)]
pub struct Talk {
    crossed: Arc<Crossed>,
    /// Whose time it takes.
    share: Share,
}

impl Inlet {
    /// Runs until the network ends.
    pub async fn run(mut self, mut events: mpsc::Receiver<NetEvent>) {
        while let Some(event) = events.recv().await {
            self.take(event);
        }
    }

    fn take(&mut self, event: NetEvent) {
        match event {
            NetEvent::Listening(addr) => self.nearby.listens(addr),
            NetEvent::ListeningEnded(addr) => self.nearby.listens_no_more(&addr),
            NetEvent::ContactUp { peer, addr, is_stranger, outbound } => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| tracing::info!(unsaid, peer = %peer.peer_id(), %addr, "contact"));
                self.tally.met();
                let line = Line::new(outbound);
                let share = share_of(peer, net::ip(&addr).filter(|_| is_stranger));
                self.contacts.insert(peer, Talk { crossed: Arc::clone(&line.crossed), share });
                self.nearby.connected(peer, addr);
                self.tell(peer, Work::Met(peer, line));
                // Who asks because of it finds the contact begun.
                self.stirs.stir(Stir::Nearby);
            }
            NetEvent::ContactDown { peer, why } => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| tracing::info!(unsaid, peer = %peer.peer_id(), ?why, "contact ended"));
                if why == Why::Fault {
                    self.tally.fault(peer, "a task of the contact broke");
                }
                self.nearby.parted(&peer);
                self.tell(peer, Work::Parted(peer));
                self.contacts.remove(&peer);
                self.stirs.stir(Stir::Nearby);
            }
            NetEvent::Frame { peer, bytes, permit } => {
                self.tally.contain(peer, || self.frame(peer, &bytes, Box::new(permit)));
            }
            NetEvent::Moved { peer } => self.tell(peer, Work::Input(Input::Moved { peer })),
            // It is dialed soon whatever is held for it: anybody may claim to be somebody, to learn who has mail here.
            NetEvent::Discovered { peer, addr } => self.stir(self.nearby.saw(peer, addr, Instant::now())),
            NetEvent::Vanished { peer, addr } => self.stir(self.nearby.vanished(&peer, &addr)),
            NetEvent::Named { peer, name } => self.stir(self.nearby.calls_itself(peer, name)),
            NetEvent::Twin { addr } => {
                self.nearby.met_twin(addr.clone(), Instant::now());
                static BRAKE: Brake = Brake::new(TWIN_AGAIN);
                BRAKE.say((), |unsaid| {
                    tracing::warn!(unsaid, %addr, "ANOTHER MACHINE RUNS WITH THE KEY OF THIS HOME: mail will reach now one, \
                         now the other; stop one of the two");
                });
            }
            NetEvent::AddressWorked { peer, addr } => self.save_address(peer, addr.to_string()),
            NetEvent::Bad { peer: Some(peer), what } => self.tally.bad(peer, Offence::Rude, &what),
            NetEvent::Bad { peer: None, what } => tracing::debug!(what, "somebody without a name"),
        }
    }

    /// Somebody is around of whom nobody knew, or is no more.
    fn stir(&self, is_another: bool) {
        if is_another {
            self.stirs.stir(Stir::Nearby);
        }
    }

    fn save_address(&self, node: NodeId, text: String) {
        let worked_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        self.store.try_stage(Side::PutAddress { node, address: Address { text, worked_unix_ms, entered: false } });
    }

    fn frame(&self, from: NodeId, bytes: &[u8], permit: Box<dyn Send>) {
        if self.tally.is_banished(&from) {
            return;
        }
        let Some(talk) = self.contacts.get(&from) else { return };
        let ends = Ends { from, to: self.me };
        match Incoming::decode(bytes) {
            Ok(Incoming::Frame(frame)) => self.tell(from, Work::FromPeer(Input::Frame { from, frame }, permit)),
            Ok(Incoming::Bundle { copies, bytes }) => {
                self.bundle(&ends, talk, (copies, false), Ok(bytes.to_vec()), permit)
            }
            Ok(Incoming::Folded { copies, is_answer, folded }) => {
                self.bundle(&ends, talk, (copies, is_answer), talk.crossed.unfold(folded, &ends), permit);
            }
            Err(error @ FrameError::Version(_)) => self.tally.bad(from, Offence::Foreign, &error.to_string()),
            // Whoever cannot be understood would only keep a place from others.
            Err(error) => self.tally.bad(from, Offence::Rude, &error.to_string()),
        }
    }

    fn bundle(
        &self,
        ends: &Ends,
        talk: &Talk,
        (copies, is_answer): (u16, bool),
        bytes: Result<Vec<u8>, BundleError>,
        permit: Box<dyn Send>,
    ) {
        let from = ends.from;
        match bytes.and_then(Unverified::parse) {
            Ok(bundle) => {
                talk.crossed.took(&bundle, ends);
                let transit = Transit { hops: bundle.hops(), copies, is_answer };
                self.tell(
                    from,
                    Work::Parsed(Parsed { from, share: talk.share, transit, bundle: Box::new(bundle), permit }),
                );
            }
            Err(error) => self.tally.bad(from, Offence::of(&error), &error.to_string()),
        }
    }

    fn tell(&self, peer: NodeId, work: Work) {
        // A core that is gone means that the process is ending.
        let share = self.contacts.get(&peer).map_or(Share::Peer(peer), |talk| talk.share);
        let _ = self.work.put_from(peer, share, work);
    }
}

/// Whose time the work of a peer takes.
fn share_of(peer: NodeId, stranger_at: Option<IpAddr>) -> Share {
    stranger_at.map_or(Share::Peer(peer), |ip| Share::Host(whole_host(ip)))
}

/// What whoever has one address of it can have more of for nothing: of IPv6 all that a network gives a host (RFC 6177),
/// unless the address is of one link.
fn whole_host(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_unicast_link_local() => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_of_one_host_share_its_time_whichever_of_its_addresses_they_come_from() {
        let share =
            |peer: u8, ip: Option<&str>| share_of(NodeId::from_trusted([peer; 32]), ip.map(|ip| ip.parse().unwrap()));
        let differ = |one: &str, other: &str| share(1, Some(one)) != share(2, Some(other));
        assert_ne!(share(1, None), share(2, None), "who was named");
        assert!(!differ("192.0.2.1", "192.0.2.1") && !differ("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!differ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"));
        assert!(differ("192.0.2.1", "192.0.2.2") && differ("2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(differ("fe80::1", "fe80::2"), "of one link all have the same beginning");
    }
}
