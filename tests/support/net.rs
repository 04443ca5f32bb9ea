//! A node's network under test: its events, waited for with patience, and checked for their order.
#![allow(dead_code)]

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use dak::id::NodeId;
use dak::net::{ContactSender, Net, NetConfig, NetEvent, NetHandle, Permit, Why, peer};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Node {
    pub id: NodeId,
    pub handle: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    listening: Vec<Multiaddr>,
    /// Events that a test did not wait for yet.
    kept: VecDeque<NetEvent>,
    up: BTreeSet<NodeId>,
}

pub fn secret(n: u8) -> [u8; 32] {
    [n; 32]
}

pub fn any_port() -> Vec<Multiaddr> {
    vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()]
}

/// One that is there again for who listens there a second time.
pub fn one_port() -> Vec<Multiaddr> {
    vec![format!("/ip4/127.0.0.1/tcp/{}", super::port::free_port()).parse().unwrap()]
}

impl Node {
    /// Starts a network and waits until it listens.
    pub async fn start(secret: [u8; 32], config: NetConfig) -> Node {
        let keypair = peer::keypair(secret);
        let id = peer::node_id(&keypair.public().to_peer_id()).unwrap();
        let expected = config.listen.len();
        let (handle, events) = Net::start(config, keypair).unwrap();
        let mut node = Node { id, handle, events, listening: Vec::new(), kept: VecDeque::new(), up: BTreeSet::new() };
        while node.listening.len() < expected {
            let addr = node.find(|event| match event {
                NetEvent::Listening(addr) => Ok(addr),
                event => Err(event),
            });
            let addr = addr.await;
            node.listening.push(addr);
        }
        node
    }

    /// Where the node listens, with its real port.
    pub fn addr(&self) -> Multiaddr {
        self.listening[0].clone()
    }

    pub fn socket(&self) -> SocketAddr {
        let mut protocols = self.listening[0].iter();
        match (protocols.next(), protocols.next()) {
            (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => (ip, port).into(),
            other => panic!("listens on {other:?}"),
        }
    }

    /// Waits for a contact.
    pub async fn up(&mut self, with: NodeId) -> ContactSender {
        self.find(|event| match event {
            NetEvent::ContactUp { peer, outbound, .. } if peer == with => Ok(outbound),
            event => Err(event),
        })
        .await
    }

    /// Waits for the end of a contact.
    pub async fn down(&mut self, with: NodeId) -> Why {
        self.find(|event| match event {
            NetEvent::ContactDown { peer, why } if peer == with => Ok(why),
            event => Err(event),
        })
        .await
    }

    /// Waits for the end of a contact and drops the frames before it.
    pub async fn down_after_frames(&mut self, with: NodeId) -> Why {
        loop {
            match timeout(PATIENCE, self.next()).await.expect("an event in time") {
                NetEvent::ContactDown { peer, why } if peer == with => return why,
                NetEvent::Frame { .. } => {}
                event => self.kept.push_back(event),
            }
        }
    }

    /// Waits for a frame, and takes it as dealt with.
    pub async fn frame(&mut self, from: NodeId) -> Vec<u8> {
        self.frame_within(from, PATIENCE).await.expect("a frame in time").0
    }

    /// Waits for a frame for so long.
    pub async fn frame_within(&mut self, from: NodeId, span: Duration) -> Option<(Vec<u8>, Permit)> {
        let frame = self.find(|event| match event {
            NetEvent::Frame { peer, bytes, permit } if peer == from => Ok((bytes, permit)),
            event => Err(event),
        });
        timeout(span, frame).await.ok()
    }

    /// Waits for what a peer is blamed for.
    pub async fn blame(&mut self, of: NodeId) -> String {
        self.find(|event| match event {
            NetEvent::Bad { peer, what } if peer == Some(of) => Ok(what),
            event => Err(event),
        })
        .await
    }

    pub async fn stays_without_contact(&mut self, span: Duration) {
        self.keep_for(span).await;
        assert!(!self.kept.iter().any(|event| matches!(event, NetEvent::ContactUp { .. })), "{:?}", self.kept);
    }

    pub async fn stays_in_contact(&mut self, span: Duration) {
        self.keep_for(span).await;
        assert!(!self.kept.iter().any(|event| matches!(event, NetEvent::ContactDown { .. })), "{:?}", self.kept);
    }

    async fn keep_for(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while let Ok(event) = timeout_at(end, self.next()).await {
            self.kept.push_back(event);
        }
    }

    /// Waits for the first event that `wanted` takes; those it gives back are kept for later, in order.
    pub async fn find<T>(&mut self, wanted: impl Fn(NetEvent) -> Result<T, NetEvent>) -> T {
        let mut found = None;
        for event in std::mem::take(&mut self.kept) {
            match if found.is_none() { wanted(event) } else { Err(event) } {
                Ok(taken) => found = Some(taken),
                Err(event) => self.kept.push_back(event),
            }
        }
        if let Some(found) = found {
            return found;
        }
        loop {
            match wanted(timeout(PATIENCE, self.next()).await.expect("an event in time")) {
                Ok(found) => return found,
                Err(event) => self.kept.push_back(event),
            }
        }
    }

    /// Takes the next event and checks that contacts and their frames come in order.
    async fn next(&mut self) -> NetEvent {
        let event = self.events.recv().await.expect("the network runs");
        match &event {
            NetEvent::ContactUp { peer, .. } => assert!(self.up.insert(*peer), "two contacts with one peer"),
            NetEvent::ContactDown { peer, .. } => assert!(self.up.remove(peer), "an end without a contact"),
            NetEvent::Frame { peer, .. } => assert!(self.up.contains(peer), "a frame without a contact"),
            _ => {}
        }
        event
    }
}
