//! Who signed what: keys that remember, and one that signs in another's name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;

use crate::bundle::{Bundle, Signer, Unverified};
use crate::id::{BundleId, NodeId};

/// Every id that was really signed, with its signature.
#[derive(Clone, Default)]
pub struct Signed(Arc<Mutex<BTreeMap<BundleId, [u8; 64]>>>);

/// A key whose signatures are noted.
pub struct Witness {
    key: SigningKey,
    node: NodeId,
    signed: Signed,
}

/// Claims to be somebody and signs with another key.
pub struct Liar<'a> {
    pub claims: NodeId,
    pub key: &'a Witness,
}

/// How an id follows from signed bytes.
const ID_CONTEXT: &str = "dak 2026 bundle id v1";

impl Witness {
    pub fn new(secret: [u8; 32], signed: &Signed) -> Witness {
        let key = SigningKey::from_bytes(&secret);
        Witness { node: key.node(), key, signed: signed.clone() }
    }
}

impl Signer for Witness {
    fn node(&self) -> NodeId {
        self.node
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = Signer::sign(&self.key, message);
        let id = BundleId(blake3::derive_key(ID_CONTEXT, message));
        self.signed.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, signature);
        signature
    }
}

impl Signer for Liar<'_> {
    fn node(&self) -> NodeId {
        self.claims
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        Signer::sign(&self.key.key, message)
    }
}

impl Signed {
    /// Whether these very bytes, age and hop count aside, were signed by the key in their source's name.
    pub fn has(&self, bundle: &Bundle) -> bool {
        let Ok(parsed) = Unverified::parse(bundle.bytes()) else { return false };
        let signed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(signature) = signed.get(&parsed.id()).filter(|_| parsed.id() == bundle.id) else { return false };
        bundle.bytes().windows(signature.len()).any(|part| part == signature)
    }
}
