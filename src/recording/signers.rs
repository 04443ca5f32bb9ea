//! Signing while recorded, and while played back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_bytes::ByteArray;

use crate::bundle::Signer;
use crate::id::NodeId;

const UNPOISONED: &str = "nobody panics while holding a signature";

/// Signs as another does and keeps the signatures for the recording.
pub struct Listening {
    signer: Arc<dyn Signer>,
    made: Mutex<Vec<ByteArray<64>>>,
}

impl Listening {
    pub fn new(signer: Arc<dyn Signer>) -> Listening {
        Listening { signer, made: Mutex::default() }
    }

    pub(super) fn take(&self) -> Vec<ByteArray<64>> {
        std::mem::take(&mut self.made.lock().expect(UNPOISONED))
    }
}

impl Signer for Listening {
    fn node(&self) -> NodeId {
        self.signer.node()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.signer.sign(message);
        self.made.lock().expect(UNPOISONED).push(ByteArray::new(signature));
        signature
    }
}

/// Gives the recorded signatures again, in their order.
pub struct Playback {
    node: NodeId,
    left: Mutex<VecDeque<ByteArray<64>>>,
}

impl Playback {
    pub fn new(node: NodeId) -> Playback {
        Playback { node, left: Mutex::default() }
    }

    /// Those of the next input.
    pub fn expect(&self, signatures: Vec<ByteArray<64>>) {
        *self.left.lock().expect(UNPOISONED) = signatures.into();
    }
}

impl Signer for Playback {
    fn node(&self) -> NodeId {
        self.node
    }

    /// An agent that signs more than it did gives itself away by its outputs.
    fn sign(&self, _message: &[u8]) -> [u8; 64] {
        self.left.lock().expect(UNPOISONED).pop_front().map_or([0; 64], ByteArray::into_array)
    }
}
