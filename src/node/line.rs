//! A contact as the node has it: where its frames go, and which messages crossed it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bundle::{Bundle, BundleError, Ends, Handed, Unverified, unfold};
use crate::frame::{Transit, encode_folded};
use crate::net::ContactSender;

/// Clones are of one contact.
#[derive(Clone)]
pub struct Line {
    pub sender: ContactSender,
    pub crossed: Arc<Crossed>,
}

/// Which messages crossed a contact, for their receipts: written by who hands over, read by who unfolds.
pub struct Crossed {
    given: Mutex<Handed>,
    taken: Mutex<Handed>,
}

impl Line {
    pub fn new(sender: ContactSender) -> Line {
        let crossed = Crossed { given: Mutex::new(Handed::given()), taken: Mutex::new(Handed::taken()) };
        Line { sender, crossed: Arc::new(crossed) }
    }
}

impl Crossed {
    /// The frame that hands over a bundle. What it hands over is noted before it leaves, for the answer may be quick.
    pub fn hand_over(&self, transit: &Transit, bundle: &Bundle, ends: &Ends) -> Vec<u8> {
        lock(&self.given).note(bundle, ends.to);
        encode_folded(transit, bundle, ends, &lock(&self.taken))
    }

    pub fn unfold(&self, folded: &[u8], ends: &Ends) -> Result<Vec<u8>, BundleError> {
        unfold(folded, ends, &lock(&self.given))
    }

    /// A bundle came, verified or not: its id is that of its bytes.
    pub fn took(&self, bundle: &Unverified<Vec<u8>>, ends: &Ends) {
        lock(&self.taken).note_parsed(bundle, ends.to);
    }
}

fn lock(handed: &Mutex<Handed>) -> MutexGuard<'_, Handed> {
    handed.lock().unwrap_or_else(PoisonError::into_inner)
}
