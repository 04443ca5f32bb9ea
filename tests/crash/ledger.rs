//! What a node has answered for, and whether it still has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dak::bundle::{Bundle, Creation, Draft, Kind, Priority, Signer};
use dak::eid::Eid;
use dak::id::{BundleId, NodeId};
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime};
use ed25519_dalek::SigningKey;

use crate::giver::Answer;
use crate::person::Person;

/// Bundles that one source signs for one mailbox, in order.
pub struct Source {
    key: SigningKey,
    pub to: NodeId,
    next: u64,
}

/// What was promised, by where it must be found.
#[derive(Default)]
pub struct Ledger {
    /// Mail of others, in custody or as a copy.
    pub carried: BTreeSet<BundleId>,
    pub receipts: BTreeSet<BundleId>,
    /// Mail for the node's owner.
    pub letters: BTreeSet<BundleId>,
    /// Mail that the owner wrote, by the ids that the API gave.
    pub own: BTreeSet<String>,
    /// Carried once; since then a receipt was handed over that says it arrived, and nobody heard whether it was accepted.
    pub doubted: BTreeSet<BundleId>,
    /// Carried once, and let go by an accepted receipt.
    pub released: BTreeSet<BundleId>,
    /// Handed over and not answered.
    pub open: BTreeMap<BundleId, Arc<Bundle>>,
}

impl Source {
    pub fn new(secret: u8, to: NodeId) -> Source {
        Source { key: SigningKey::from_bytes(&[secret; 32]), to, next: 0 }
    }

    pub fn node(&self) -> NodeId {
        self.key.node()
    }

    pub fn bundles(&mut self, count: u64) -> Vec<Arc<Bundle>> {
        (0..count).map(|_| self.sign(Kind::Message, Eid::mail(self.to), &[0x5a; 300])).collect()
    }

    /// The recipient's word that these arrived; signed by this source, sent to theirs.
    pub fn receipt(&mut self, for_source: NodeId, ids: Vec<BundleId>) -> Arc<Bundle> {
        let receipt = Receipt { kind: ReceiptKind::Delivered, source: for_source, device: 0, devices: 1, ids };
        self.sign(Kind::Receipt, Eid::admin(for_source), &receipt.encode())
    }

    fn sign(&mut self, kind: Kind, destination: Eid, payload: &[u8]) -> Arc<Bundle> {
        self.next += 1;
        let creation = Creation { time: DtnTime(0), sequence: self.next };
        let (source, priority) = (self.key.node(), Priority::Normal);
        let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority, copies: 8 };
        Arc::new(draft.sign(payload, &self.key).unwrap())
    }
}

impl Ledger {
    pub fn acknowledged(&self) -> usize {
        let carried = self.carried.len() + self.doubted.len() + self.released.len() + self.receipts.len();
        carried + self.letters.len() + self.own.len()
    }

    pub fn offer(&mut self, bundles: &[Arc<Bundle>]) {
        for bundle in bundles {
            self.open.insert(bundle.id, Arc::clone(bundle));
            let ids = named(bundle);
            self.doubted.extend(ids.iter().filter(|id| self.carried.remove(id)));
        }
    }

    /// Notes an answer. `node` is whose it is.
    pub fn note(&mut self, node: NodeId, id: BundleId, answer: Answer) {
        match answer {
            Answer::Accepted(_) | Answer::Refused(dak::frame::Refusal::Known) => {}
            Answer::Refused(_) => return,
        }
        let Some(bundle) = self.open.remove(&id) else { return };
        match bundle.kind {
            Kind::Receipt => self.receipts.insert(id),
            Kind::Message if bundle.destination == Eid::mail(node) => self.letters.insert(id),
            Kind::Message => self.carried.insert(id),
        };
        for id in named(&bundle) {
            self.doubted.remove(&id);
            self.released.insert(id);
        }
    }

    /// Compares with what the running node lists. Says how many bundles it looked at.
    pub fn check(&self, person: &Person) -> usize {
        let ids = |line: &str| -> BTreeSet<String> {
            person.rows(line).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
        };
        let (carried, letters, own) = (ids("carry list"), ids("inbox"), ids("status"));
        let lost = |promised: &BTreeSet<BundleId>, found: &BTreeSet<String>| -> Vec<String> {
            promised.iter().map(BundleId::full).filter(|id| !found.contains(id)).collect()
        };
        let lost = [
            lost(&self.carried, &carried),
            lost(&self.receipts, &carried),
            lost(&self.letters, &letters),
            self.own.difference(&own).cloned().collect(),
            self.own.difference(&carried).cloned().collect(),
        ];
        assert!(lost.iter().all(Vec::is_empty), "acknowledged, and gone: {lost:?}");
        let risen: Vec<String> = self.released.iter().map(BundleId::full).filter(|id| carried.contains(id)).collect();
        assert!(risen.is_empty(), "purged by an accepted receipt, and back: {risen:?}");
        self.acknowledged()
    }
}

/// The ids that a receipt says have arrived.
fn named(bundle: &Bundle) -> Vec<BundleId> {
    Receipt::decode(bundle.payload()).map_or(Vec::new(), |receipt| receipt.ids)
}
