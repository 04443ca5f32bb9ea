//! The identity: one Ed25519 secret in a file of its own.
//!
//! ```text
//! # The secret key of a dak node. …
//! dak-identity-1 12D3KooW… 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
//! ```
//!
//! The line names the node beside the secret, so that a damaged digit is noticed instead of making another person.
//! The file appears whole or not at all, readable by its owner only, and is never written over: losing it means
//! losing the name. A file that others could have read is refused until its owner has closed it.

mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use ed25519_dalek::SigningKey;
use zeroize::{Zeroize, Zeroizing};

use crate::bundle::Signer;
use crate::home::create_private_file;
use crate::id::NodeId;

/// A node's secret key; wiped from memory when dropped.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
    node: NodeId,
}

/// Why there is no identity to use.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("there is no identity at {path:?}")]
    Missing { path: PathBuf },
    #[error("there is an identity at {path:?} already; it is never written over")]
    Exists { path: PathBuf },
    #[error("other users can read the secret key {path:?} (mode {mode:o})")]
    Loose { path: PathBuf, mode: u32 },
    #[error("the secret key {path:?} belongs to another user (number {owner})")]
    Foreign { path: PathBuf, owner: u32 },
    #[error("{path:?} is not an identity ({why})")]
    Malformed { path: PathBuf, why: Malformed },
    #[error("cannot use the identity {path:?}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("the operating system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
}

/// What is wrong with an identity's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is not one line `dak-identity-1 PEER-ID SECRET`")]
    Form,
    #[error("it has a later format than this version of dak knows")]
    Newer,
    #[error("the secret does not belong to the peer id beside it")]
    Mismatch,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it is too long")]
    TooLong,
}

impl Identity {
    /// Makes a new identity from the operating system's entropy.
    pub fn generate() -> Result<Identity, IdentityError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut()).map_err(IdentityError::Entropy)?;
        Ok(Identity::from_secret(&secret))
    }

    /// Takes the 32 bytes that RFC 8032 calls the private key.
    pub fn from_secret(secret: &[u8; 32]) -> Identity {
        let key = SigningKey::from_bytes(secret);
        let node = NodeId::from_key(key.verifying_key().to_bytes()).expect("a key made from its secret is a good one");
        Identity { key, node }
    }

    /// Reads an identity's file, unless others could have read it too.
    pub fn load(path: &Path) -> Result<Identity, IdentityError> {
        let text = file::read(path)?;
        Identity::from_text(&text).map_err(|why| IdentityError::Malformed { path: path.to_owned(), why })
    }

    /// Writes a new file for this identity; an existing one stays as it is.
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        create_private_file(path, self.to_text().as_bytes()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => IdentityError::Exists { path: path.to_owned() },
            _ => IdentityError::Io { path: path.to_owned(), source },
        })
    }

    /// Loads the identity, or makes one; says whether it is new.
    pub fn load_or_create(path: &Path) -> Result<(Identity, bool), IdentityError> {
        match Identity::load(path) {
            Err(IdentityError::Missing { .. }) => {}
            other => return other.map(|identity| (identity, false)),
        }
        let identity = Identity::generate()?;
        match identity.save(path) {
            // Another process was faster: its identity is the one that counts.
            Err(IdentityError::Exists { .. }) => Identity::load(path).map(|identity| (identity, false)),
            saved => saved.map(|()| (identity, true)),
        }
    }

    pub fn node(&self) -> NodeId {
        self.node
    }

    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// What signs bundles in this node's name.
    pub fn signer(&self) -> Arc<dyn Signer> {
        Arc::new(self.key.clone())
    }

    /// The same key as libp2p proves it in a Noise handshake, so that peer id and node id are one name.
    pub fn libp2p_keypair(&self) -> libp2p::identity::Keypair {
        let mut secret = self.key.to_bytes();
        let keypair = libp2p::identity::Keypair::ed25519_from_bytes(&mut secret);
        secret.zeroize();
        keypair.expect("32 bytes are a secret key")
    }

    /// The text of the identity's file, as a backup keeps it.
    pub fn to_text(&self) -> Zeroizing<String> {
        file::text(&self.node, &self.key)
    }

    /// Reads the text of an identity's file.
    pub fn from_text(text: &str) -> Result<Identity, Malformed> {
        let (peer_id, secret) = file::parse(text)?;
        let identity = Identity::from_secret(&secret);
        if identity.node.peer_id() != peer_id {
            return Err(Malformed::Mismatch);
        }
        Ok(identity)
    }
}

/// Names the node and never the secret.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.node)
    }
}
