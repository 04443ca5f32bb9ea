//! What the network brings, sorted: frames to the core, bundles parsed on the way, contacts to courier and core.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::line::{Crossed, Line};
use super::nearby::{Nearby, TWIN_AGAIN};
use super::queue::Queue;
use super::stirs::{Stir, Stirs};
use super::tally::{Offence, Tally};
use super::work::{Parsed, Work};
use crate::agent::Input;
use crate::brake::Brake;
use crate::bundle::{BundleError, Ends, Unverified};
use crate::frame::{FrameError, Incoming, Transit};
use crate::id::NodeId;
use crate::net::{NetEvent, NetHandle, Why};
use crate::store::redb::{Address, Side};
use crate::store::writer::StoreThread;

pub struct Inlet {
    pub me: NodeId,
    /// The contacts that last.
    pub contacts: BTreeMap<NodeId, Arc<Crossed>>,
    pub work: Arc<Queue<Work>>,
    pub store: Arc<StoreThread>,
    pub handle: NetHandle,
    pub tally: Arc<Tally>,
    pub nearby: Arc<Nearby>,
    pub stirs: Arc<Stirs>,
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
            NetEvent::ContactUp { peer, addr, outbound } => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| tracing::info!(unsaid, peer = %peer.peer_id(), %addr, "contact"));
                self.tally.met();
                self.nearby.connected(peer, addr);
                let line = Line::new(outbound);
                self.contacts.insert(peer, Arc::clone(&line.crossed));
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
                self.contacts.remove(&peer);
                self.tell(peer, Work::Parted(peer));
                self.stirs.stir(Stir::Nearby);
                self.dial_if_wanted(peer);
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
        let Some(crossed) = self.contacts.get(&from) else { return };
        let ends = Ends { from, to: self.me };
        match Incoming::decode(bytes) {
            Ok(Incoming::Frame(frame)) => self.tell(from, Work::FromPeer(Input::Frame { from, frame }, permit)),
            Ok(Incoming::Bundle { copies, bytes }) => {
                self.bundle(&ends, crossed, (copies, false), Ok(bytes.to_vec()), permit)
            }
            Ok(Incoming::Folded { copies, is_answer, folded }) => {
                self.bundle(&ends, crossed, (copies, is_answer), crossed.unfold(folded, &ends), permit);
            }
            Err(error @ FrameError::Version(_)) => self.tally.bad(from, Offence::Foreign, &error.to_string()),
            // Whoever cannot be understood would only keep a place from others.
            Err(error) => self.tally.bad(from, Offence::Rude, &error.to_string()),
        }
    }

    fn bundle(
        &self,
        ends: &Ends,
        crossed: &Crossed,
        (copies, is_answer): (u16, bool),
        bytes: Result<Vec<u8>, BundleError>,
        permit: Box<dyn Send>,
    ) {
        let from = ends.from;
        match bytes.and_then(Unverified::parse) {
            Ok(bundle) => {
                crossed.took(&bundle, ends);
                let transit = Transit { hops: bundle.hops(), copies, is_answer };
                self.tell(from, Work::Parsed(Parsed { from, transit, bundle: Box::new(bundle), permit }));
            }
            Err(error) => self.tally.bad(from, Offence::of(&error), &error.to_string()),
        }
    }

    /// A contact ended: was that all there is for the peer?
    fn dial_if_wanted(&self, peer: NodeId) {
        let handle = self.handle.clone();
        self.tell(
            peer,
            Work::Look(Box::new(move |agent| {
                let wanted = agent.wants(peer);
                Box::new(move || {
                    if wanted {
                        handle.dial(peer);
                    }
                })
            })),
        );
    }

    fn tell(&self, peer: NodeId, work: Work) {
        // A core that is gone means that the process is ending.
        let _ = self.work.put_from(peer, work);
    }
}
