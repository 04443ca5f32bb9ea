//! Peers without an agent: a story says every frame and every bundle of theirs itself.

use dak::agent::Input;
use dak::bundle::{Bundle, Creation, Draft, Ends, Handed, Hops, Kind, Priority, Signer};
use dak::eid::Eid;
use dak::frame::{
    Frame, Grade, Hello, Incoming, PROTOCOL_VERSION, Refusal, RoutingInfo, Transit, encode_bundle, encode_folded,
};
use dak::id::{BundleId, NodeId};
use dak::receipt::{Receipt, ReceiptKind};
use dak::store::Store;
use dak::time::{DAY, DtnTime, Millis};
use ed25519_dalek::SigningKey;

use super::{WALL, World};

/// A key of somebody who is no node of the world.
pub struct Ghost {
    pub key: SigningKey,
    pub id: NodeId,
    sequence: u64,
}

/// What a node said to a ghost.
#[derive(Debug)]
pub enum Said {
    Frame(Frame),
    Bundle { id: BundleId, transit: Transit, bytes: Vec<u8> },
}

impl Ghost {
    pub fn new(seed: u8) -> Ghost {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Ghost { id: key.node(), key, sequence: 0 }
    }

    /// One of as many as a story wants.
    pub fn nth(n: u32) -> Ghost {
        let key = SigningKey::from_bytes(blake3::hash(&n.to_be_bytes()).as_bytes());
        Ghost { id: key.node(), key, sequence: 0 }
    }

    /// A message from this ghost that nobody saw yet.
    pub fn message(&mut self, destination: Eid, lifetime: Millis, payload: &[u8]) -> Bundle {
        self.bundle(Kind::Message, destination, lifetime, payload)
    }

    /// This ghost's word about bundles of `source`.
    pub fn receipt(&mut self, source: NodeId, kind: ReceiptKind, ids: &[BundleId]) -> Bundle {
        self.receipt_of(&Receipt { kind, source, device: 0, devices: 1, ids: ids.to_vec() })
    }

    pub fn receipt_of(&mut self, receipt: &Receipt) -> Bundle {
        self.bundle(Kind::Receipt, Eid::admin(receipt.source), DAY.times(8), &receipt.encode())
    }

    fn bundle(&mut self, kind: Kind, destination: Eid, lifetime: Millis, payload: &[u8]) -> Bundle {
        self.sequence += 1;
        let creation = Creation { time: DtnTime(WALL), sequence: self.sequence };
        let (source, priority, copies) = (self.id, Priority::Normal, 8);
        Draft { kind, source, destination, creation, lifetime, priority, copies }.sign(payload, &self.key).unwrap()
    }

    /// A Hello of somebody who carries, pushes and knows nothing yet.
    pub fn hello(&self) -> Hello {
        Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: 1 << 20,
            window_bytes: 1 << 20,
            carries: true,
            pushes: true,
            mailboxes: Vec::new(),
            routing: RoutingInfo::None,
            nonce: [self.id.as_bytes()[0]; 16],
            count: 0,
            root: [0; 16],
            interests: Vec::new(),
        }
    }
}

impl<S: Store> World<S> {
    /// A contact with a ghost that greets.
    pub fn visit(&mut self, n: usize, ghost: &Ghost) {
        self.visit_silently(n, ghost);
        self.hear(n, ghost, &Frame::Hello(ghost.hello()));
    }

    /// A contact with a ghost that has not said anything yet.
    pub fn visit_silently(&mut self, n: usize, ghost: &Ghost) {
        self.input(n, Input::ContactUp { peer: ghost.id });
    }

    pub fn leave(&mut self, n: usize, ghost: &Ghost) {
        self.input(n, Input::ContactDown { peer: ghost.id });
        self.settle();
    }

    /// The ghost says a frame.
    pub fn hear(&mut self, n: usize, ghost: &Ghost, frame: &Frame) {
        self.arrive(ghost.id, n, &frame.encode().unwrap());
        self.settle();
    }

    /// The ghost hands over a bundle that made one hop.
    pub fn take(&mut self, n: usize, ghost: &Ghost, bundle: &Bundle) {
        self.take_with(n, ghost, bundle, Hops { age: Millis(1), count: 1 }, 1);
    }

    pub fn take_with(&mut self, n: usize, ghost: &Ghost, bundle: &Bundle, hops: Hops, copies: u16) {
        let transit = Transit { hops, copies, is_answer: false };
        self.arrive(ghost.id, n, &encode_bundle(&transit, bundle));
        self.settle();
    }

    /// The ghost hands over a receipt as the answer for what it names.
    pub fn take_as_answer(&mut self, n: usize, ghost: &Ghost, receipt: &Bundle) {
        let transit = Transit { is_answer: true, ..Transit::default() };
        let ends = Ends { from: ghost.id, to: self.nodes[n].id };
        self.arrive(ghost.id, n, &encode_folded(&transit, receipt, &ends, Handed::nothing()));
        self.settle();
    }

    /// Everything said to the ghost since this was last asked.
    pub fn said_to(&mut self, ghost: &Ghost) -> Vec<Said> {
        let said = std::mem::take(&mut self.said);
        let (to_it, others) = said.into_iter().partition(|(to, ..)| *to == ghost.id);
        self.said = others;
        let read = |(_, is_answer, bytes): (NodeId, bool, Vec<u8>)| match Incoming::decode(&bytes)
            .expect("nodes say what can be read")
        {
            Incoming::Frame(frame) => Said::Frame(frame),
            Incoming::Bundle { copies, bytes } => {
                let (bundle, hops) = Bundle::decode(bytes).expect("nodes hand over what verifies");
                Said::Bundle { id: bundle.id, transit: Transit { hops, copies, is_answer }, bytes: bytes.to_vec() }
            }
            Incoming::Folded { .. } => unreachable!("what was said was unfolded"),
        };
        to_it.into_iter().map(read).collect()
    }
}

/// The ids handed over.
pub fn bundles(said: &[Said]) -> Vec<BundleId> {
    said.iter().filter_map(|said| if let Said::Bundle { id, .. } = said { Some(*id) } else { None }).collect()
}

/// The receipts handed over, with their signers.
pub fn receipts(said: &[Said]) -> Vec<(NodeId, Receipt)> {
    let receipts = said.iter().filter_map(|said| match said {
        Said::Bundle { bytes, .. } => Some(Bundle::decode(bytes).expect("what was said can be read").0),
        Said::Frame(_) => None,
    });
    let receipts = receipts.filter(|bundle| bundle.kind == Kind::Receipt);
    receipts.map(|bundle| (bundle.source, Receipt::decode(bundle.payload()).expect("a receipt"))).collect()
}

/// What was promised for the ids with these prefixes.
pub fn grants(said: &[Said]) -> Vec<(u64, Grade)> {
    let grants = said.iter().filter_map(|said| match said {
        Said::Frame(Frame::Accepted { grants }) => Some(grants.clone()),
        _ => None,
    });
    grants.flatten().collect()
}

pub fn refusals(said: &[Said]) -> Vec<(BundleId, Refusal)> {
    let refusals = said.iter().filter_map(|said| match said {
        Said::Frame(Frame::Refused { id, why, .. }) => Some((*id, *why)),
        _ => None,
    });
    refusals.collect()
}

/// The ids asked for.
pub fn takes(said: &[Said]) -> Vec<BundleId> {
    let takes = said.iter().filter_map(|said| match said {
        Said::Frame(Frame::Take { ids }) => Some(ids.clone()),
        _ => None,
    });
    takes.flatten().collect()
}

/// The ids offered.
pub fn offers(said: &[Said]) -> Vec<BundleId> {
    let offers = said.iter().filter_map(|said| match said {
        Said::Frame(Frame::Offer { ids }) => Some(ids.clone()),
        _ => None,
    });
    offers.flatten().collect()
}

/// The Hello among what was said.
pub fn hello_of(said: &[Said]) -> Hello {
    let hello = |said: &Said| match said {
        Said::Frame(Frame::Hello(hello)) => Some(hello.clone()),
        _ => None,
    };
    said.iter().find_map(hello).expect("a node greets")
}
