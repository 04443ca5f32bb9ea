//! Who plays: nodes in this process, and a scripted peer that only hands over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use libp2p::Multiaddr;
use tokio::sync::mpsc;

use super::Failure;
use crate::agent::Config;
use crate::bundle::{Bundle, Creation, Draft, Ends, Handed, Kind, Priority, Signer};
use crate::content::{Content, PUSH_BYTES, Text, pad};
use crate::eid::Eid;
use crate::frame::{Frame, Grade, Hello, Incoming, PROTOCOL_VERSION, RoutingInfo, Transit, encode_folded};
use crate::id::NodeId;
use crate::keys::Identity;
use crate::net::{ContactSender, Net, NetConfig, NetEvent, NetHandle};
use crate::node::{Node, Options};
use crate::seal::seal;
use crate::time::{DAY, DtnTime};

/// A text of 1 KiB.
pub const TEXT_BYTES: usize = 1_024;
/// How long anything may take before the bench gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A key for each player, the same in every run.
pub fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

pub fn loopback() -> Multiaddr {
    "/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddress")
}

/// A node of this process, listening on the loopback; `peers` are dialed.
pub async fn node(place: &Path, n: u8, peers: Vec<Multiaddr>) -> Result<Node, Failure> {
    node_on(place, n, NetConfig { listen: vec![loopback()], peers, ..NetConfig::default() }).await
}

/// A node of this process on a network of its own settings.
pub async fn node_on(place: &Path, n: u8, net: NetConfig) -> Result<Node, Failure> {
    let identity = Identity::from_secret(&key(n).to_bytes());
    let config = Config { carry_bytes_max: 8 << 30, stranger_mail_bytes_max: 8 << 30, ..Config::default() };
    let node = Node::start(Options {
        identity,
        store: place.join(format!("{n}.redb")),
        config,
        push_bytes: PUSH_BYTES,
        net: Some(net),
        record: None,
    })?;
    node.listening().await;
    Ok(node)
}

pub fn address(node: &Node) -> Result<Multiaddr, Failure> {
    let listening = node.nearby().listening();
    Ok(listening.first().ok_or("the node listens nowhere")?.parse()?)
}

/// Sealed and signed texts of 1 KiB from one source to one mailbox.
pub fn bundles(source: &SigningKey, to: NodeId, count: usize) -> Result<Vec<Bundle>, Failure> {
    let sample = pad(&Content::from(Text { body: "x".repeat(TEXT_BYTES), ..Text::default() }).encode());
    let sign = |sequence| -> Result<Bundle, Failure> {
        let draft = Draft {
            kind: Kind::Message,
            source: source.node(),
            destination: Eid::mail(to),
            creation: Creation { time: DtnTime(0), sequence },
            lifetime: DAY,
            priority: Priority::Normal,
            copies: 8,
        };
        let sealed = seal(&to, &draft.primary(), &sample, source)?;
        Ok(draft.sign(&sealed, source)?)
    };
    (0..count as u64).map(sign).collect()
}

/// What a peer says first that takes nothing.
pub fn hello(nonce: [u8; 16]) -> Frame {
    Frame::Hello(Hello {
        version: PROTOCOL_VERSION,
        bundle_bytes_max: 1 << 20,
        window_bytes: 1 << 20,
        carries: false,
        pushes: false,
        mailboxes: Vec::new(),
        routing: RoutingInfo::None,
        nonce,
        count: 0,
        root: [0; 16],
        interests: Vec::new(),
    })
}

/// A peer that says Hello, hands over what it is told to, and counts what is accepted.
pub struct Porter {
    events: mpsc::Receiver<NetEvent>,
    outbound: ContactSender,
    window_bytes: usize,
    handle: NetHandle,
    ends: Ends,
}

impl Porter {
    pub async fn meet(key: &SigningKey, at: Multiaddr) -> Result<Porter, Failure> {
        let identity = Identity::from_secret(&key.to_bytes());
        let net = NetConfig { peers: vec![at], ..NetConfig::default() };
        let (handle, mut events) = Net::start(net, identity.libp2p_keypair())?;
        let (outbound, ends) = loop {
            if let NetEvent::ContactUp { outbound, peer, .. } = events.recv().await.ok_or("the network ended")? {
                break (outbound, Ends { from: key.node(), to: peer });
            }
        };
        outbound.send(hello([9; 16]).encode()?)?;
        let mut porter = Porter { events, outbound, window_bytes: 0, handle, ends };
        while porter.window_bytes == 0 {
            if let Some(Frame::Hello(hello)) = porter.hear().await? {
                porter.window_bytes = hello.window_bytes as usize;
            }
        }
        Ok(porter)
    }

    /// Hands over all bundles within the window; returns how many were accepted in custody or as copies.
    pub async fn hand_over(&mut self, bundles: &[Arc<Bundle>]) -> Result<usize, Failure> {
        let (mut next, mut in_flight, mut accepted, mut refused) = (0, 0, 0, 0);
        while accepted + refused < bundles.len() {
            while next < bundles.len() && in_flight < self.window_bytes {
                let transit = Transit { copies: 1, ..Transit::default() };
                let frame = encode_folded(&transit, &bundles[next], &self.ends, Handed::nothing());
                in_flight += bundles[next].encoded_len();
                self.outbound.send(frame)?;
                next += 1;
            }
            match self.hear().await? {
                Some(Frame::Accepted { grants }) => {
                    let grants: Vec<(_, Grade)> = grants;
                    accepted += grants.len();
                    in_flight = in_flight.saturating_sub(grants.len() * bundles[0].encoded_len());
                }
                Some(Frame::Refused { .. }) => {
                    refused += 1;
                    in_flight = in_flight.saturating_sub(bundles[0].encoded_len());
                }
                _ => {}
            }
        }
        Ok(accepted)
    }

    async fn hear(&mut self) -> Result<Option<Frame>, Failure> {
        match tokio::time::timeout(PATIENCE, self.events.recv()).await?.ok_or("the network ended")? {
            NetEvent::Frame { bytes, .. } => match Incoming::decode(&bytes)? {
                Incoming::Frame(frame) => Ok(Some(frame)),
                Incoming::Bundle { .. } | Incoming::Folded { .. } => Ok(None),
            },
            NetEvent::ContactDown { why, .. } => Err(format!("the contact ended: {why:?}").into()),
            _ => Ok(None),
        }
    }

    pub async fn leave(self) {
        self.handle.shutdown().await;
    }
}
