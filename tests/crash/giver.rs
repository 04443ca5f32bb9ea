//! A peer that only hands over, over real libp2p, and hears what the node answers for each bundle.

use std::collections::BTreeMap;
use std::sync::Arc;

use dak::bundle::Bundle;
use dak::frame::{Frame, Grade, Hello, Incoming, PROTOCOL_VERSION, Refusal, RoutingInfo, Transit, encode_bundle};
use dak::id::BundleId;
use dak::net::{ContactSender, Net, NetConfig, NetEvent, NetHandle, peer};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::PATIENCE;

pub struct Giver {
    events: mpsc::Receiver<NetEvent>,
    outbound: ContactSender,
    handle: NetHandle,
    window_bytes: usize,
    /// How many ids the node's summary has.
    pub known: u64,
}

/// What the node said of one bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted(Grade),
    Refused(Refusal),
}

impl Giver {
    /// Meets the node at an address; none where it ends the contact before it says Hello.
    pub async fn meet(secret: [u8; 32], at: &str) -> Option<Giver> {
        let net = NetConfig { peers: vec![at.parse().unwrap()], ..NetConfig::default() };
        let (handle, mut events) = Net::start(net, peer::keypair(secret)).unwrap();
        let greeted = timeout(PATIENCE, greet(&mut events)).await.ok().flatten();
        match greeted {
            Some((outbound, hello)) => {
                let (window_bytes, known) = (hello.window_bytes as usize, hello.count);
                Some(Giver { events, outbound, handle, window_bytes, known })
            }
            None => {
                handle.shutdown().await;
                None
            }
        }
    }

    /// Hands over within the node's window, and tells of each answer. Says whether all were answered before the
    /// contact ended.
    pub async fn hand_over(&mut self, bundles: &[Arc<Bundle>], mut heard: impl FnMut(BundleId, Answer)) -> bool {
        let mut in_flight: BTreeMap<BundleId, usize> = BTreeMap::new();
        let mut rest = bundles.iter();
        loop {
            while in_flight.values().sum::<usize>() < self.window_bytes {
                let Some(bundle) = rest.next() else { break };
                let frame = encode_bundle(&Transit { copies: 1, ..Transit::default() }, bundle);
                in_flight.insert(bundle.id, bundle.encoded_len());
                if self.outbound.send(frame).is_err() {
                    break;
                }
            }
            if in_flight.is_empty() {
                return true;
            }
            let Some(frame) = self.hear().await else { return false };
            let answers = match frame {
                Frame::Accepted { grants } => {
                    let with = |prefix| in_flight.range(BundleId::with_prefix(prefix)).next().map(|(id, _)| *id);
                    let answer = |(prefix, grade)| Some((with(prefix)?, Answer::Accepted(grade)));
                    grants.into_iter().filter_map(answer).collect()
                }
                Frame::Refused { id, why, .. } => vec![(id, Answer::Refused(why))],
                _ => Vec::new(),
            };
            for (id, answer) in answers {
                in_flight.remove(&id);
                heard(id, answer);
            }
        }
    }

    pub async fn leave(self) {
        self.handle.shutdown().await;
    }

    /// The next frame; none once the contact has ended.
    async fn hear(&mut self) -> Option<Frame> {
        loop {
            match timeout(PATIENCE, self.events.recv()).await.expect("the node answers")? {
                NetEvent::Frame { bytes, .. } => {
                    if let Incoming::Frame(frame) = Incoming::decode(&bytes).expect("the node says what it should") {
                        return Some(frame);
                    }
                }
                NetEvent::ContactDown { .. } => return None,
                _ => {}
            }
        }
    }
}

/// Says Hello and waits for the node's.
async fn greet(events: &mut mpsc::Receiver<NetEvent>) -> Option<(ContactSender, Hello)> {
    let mut up = None;
    loop {
        match events.recv().await? {
            NetEvent::ContactUp { outbound, .. } => {
                outbound.send(Frame::Hello(hello()).encode().unwrap()).ok()?;
                up = Some(outbound);
            }
            NetEvent::Frame { bytes, .. } => {
                if let Ok(Incoming::Frame(Frame::Hello(hello))) = Incoming::decode(&bytes) {
                    return Some((up?, hello));
                }
            }
            NetEvent::ContactDown { .. } => return None,
            _ => {}
        }
    }
}

/// Of somebody who takes nothing.
fn hello() -> Hello {
    Hello {
        version: PROTOCOL_VERSION,
        bundle_bytes_max: 1 << 20,
        window_bytes: 1 << 20,
        carries: false,
        pushes: false,
        mailboxes: Vec::new(),
        routing: RoutingInfo::None,
        nonce: [7; 16],
        count: 0,
        root: [0; 16],
        interests: Vec::new(),
    }
}
