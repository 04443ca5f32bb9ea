//! The keyring: every secret key of a home, behind sealing and opening.
//!
//! Today it has one, the identity. Prekeys, keys of groups and of devices belong here too: whoever seals or opens names an
//! endpoint and never a key, so they change nothing outside.

use crate::bundle::Bundle;
use crate::content::{Filed, Proof, Seal, Text};
use crate::eid::Eid;
use crate::keys::Identity;
use crate::mail::Opened;
use crate::seal::{self, Facts, SealError};

/// The keys of one home.
#[derive(Clone)]
pub struct Keyring {
    identity: Identity,
}

impl Keyring {
    pub fn new(identity: Identity) -> Keyring {
        Keyring { identity }
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The mailbox whose messages it opens.
    pub fn mailbox(&self) -> Eid {
        Eid::mail(self.identity.node())
    }

    /// Seals padded content for a mailbox, in the bundle with this primary block.
    pub fn seal(&self, mailbox: &Eid, primary: &[u8], plaintext_padded: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::seal(&mailbox.node, primary, plaintext_padded, self.identity.signing_key())
    }

    /// Opens what a bundle carries for the mailbox here.
    pub fn open(&self, bundle: &Bundle) -> Result<Opened, SealError> {
        if bundle.destination != self.mailbox() {
            return Err(SealError::UnknownKey);
        }
        let opened = seal::open(&self.identity, bundle.primary(), bundle.payload())?;
        let (copies, signature, enc) = (bundle.copies, bundle.signature(), seal::enc_of(bundle.payload())?);
        Ok(Opened { seal: Some(Box::new(Seal { copies, signature, enc })), ..opened })
    }

    /// The proof for a text that passes on what came here.
    pub fn prove(&self, facts: &Facts, filed: &Filed, forward: &Text) -> Option<Box<Proof>> {
        seal::prove(&self.identity, facts, filed, forward)
    }
}
