//! A peer that takes whatever the node relays and looks at it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dak::bundle::{Bundle, Ends, Handed, Signer};
use dak::frame::{Frame, Grade, Incoming, unfolded};
use dak::id::{BundleId, NodeId};
use ed25519_dalek::SigningKey;

use super::rogue::{Ears, Rogue, framed};

/// Stays until dropped.
pub struct Witness {
    seen: Arc<Mutex<Relayed>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Relayed {
    verified: BTreeMap<BundleId, Vec<u8>>,
    forged: usize,
}

impl Witness {
    pub async fn meet(key: &SigningKey, (at, node): (SocketAddr, NodeId)) -> Witness {
        let rogue = Rogue::meet(key, at, Ears::Keep).await.expect("the node meets a witness");
        let seen = Arc::<Mutex<Relayed>>::default();
        Witness {
            seen: Arc::clone(&seen),
            task: tokio::spawn(listen(rogue, Ends { from: node, to: key.node() }, seen)),
        }
    }

    /// The bundles relayed so far that verify, and how many did not.
    pub fn relayed(&self) -> (BTreeMap<BundleId, Vec<u8>>, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.verified.clone(), seen.forged)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut rogue: Rogue, ends: Ends, seen: Arc<Mutex<Relayed>>) {
    while let Some(frame) = rogue.frames.recv().await {
        let answer = match Incoming::decode(&unfolded(&frame, &ends, Handed::nothing())) {
            Ok(Incoming::Frame(Frame::Offer { ids })) => Frame::Take { ids },
            Ok(Incoming::Bundle { bytes, .. }) => match Bundle::decode(bytes) {
                Ok((bundle, _)) => {
                    seen.lock().unwrap().verified.insert(bundle.id, bytes.to_vec());
                    Frame::Accepted { grants: vec![(bundle.id.prefix(), Grade::Copy)] }
                }
                Err(_) => {
                    seen.lock().unwrap().forged += 1;
                    continue;
                }
            },
            _ => continue,
        };
        if rogue.say(&framed(&answer.encode().unwrap())).await.is_err() {
            return;
        }
    }
}
