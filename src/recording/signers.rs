//! Signing while recorded, and while played back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_bytes::ByteArray;

use crate::bundle::Signer;
use crate::id::NodeId;

const UNPOISONED: &str = "nobody panics while holding a signature";

/// Signs as another does, and keeps the signatures of one input for the recording.
pub struct Listening {
    signer: Arc<dyn Signer>,
    /// None while nobody asked: a recording that ended leaves nothing to grow.
    made: Mutex<Option<Vec<ByteArray<64>>>>,
}

impl Listening {
    pub fn new(signer: Arc<dyn Signer>) -> Listening {
        Listening { signer, made: Mutex::default() }
    }

    pub(super) fn listen(&self) {
        *self.made.lock().expect(UNPOISONED) = Some(Vec::new());
    }

    pub(super) fn take(&self) -> Vec<ByteArray<64>> {
        self.made.lock().expect(UNPOISONED).take().unwrap_or_default()
    }
}

impl Signer for Listening {
    fn node(&self) -> NodeId {
        self.signer.node()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.signer.sign(message);
        if let Some(made) = &mut *self.made.lock().expect(UNPOISONED) {
            made.push(ByteArray::new(signature));
        }
        signature
    }
}

/// Gives the recorded signatures again, in their order.
#[derive(Default)]
pub struct Playback {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    node: Option<NodeId>,
    left: VecDeque<ByteArray<64>>,
}

impl Playback {
    /// Whose signatures they are.
    pub fn is(&self, node: NodeId) {
        self.state.lock().expect(UNPOISONED).node = Some(node);
    }

    /// Those of the next input.
    pub fn expect(&self, signatures: Vec<ByteArray<64>>) {
        self.state.lock().expect(UNPOISONED).left = signatures.into();
    }
}

impl Signer for Playback {
    fn node(&self) -> NodeId {
        self.state.lock().expect(UNPOISONED).node.expect("somebody signs after the start")
    }

    /// An agent that signs more than it did gives itself away by its outputs.
    fn sign(&self, _message: &[u8]) -> [u8; 64] {
        self.state.lock().expect(UNPOISONED).left.pop_front().map_or([0; 64], ByteArray::into_array)
    }
}
