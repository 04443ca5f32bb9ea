//! The keyring: every secret key of a home, behind sealing and opening.
//!
//! It has the identity, and the keys of the groups that are served here. Prekeys and keys of devices belong here too: whoever
//! seals or opens names an endpoint and never a key, so they change nothing outside. Keys of groups come from the record at
//! the start and with mail later; what is sealed under one that is not here yet stays sealed until it comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::bundle::Bundle;
use crate::content::{Filed, KeyUsed, Proof, Seal, Text};
use crate::eid::Eid;
use crate::keys::Identity;
use crate::mail::Opened;
use crate::seal::group::{self, Epoch, EpochKey};
use crate::seal::{self, Facts, SealError};

/// The keys of one home.
#[derive(Clone)]
pub struct Keyring {
    identity: Identity,
    groups: Arc<Mutex<BTreeMap<Eid, GroupKeys>>>,
}

/// The keys of one group.
#[derive(Default)]
struct GroupKeys {
    epochs: BTreeMap<Epoch, EpochKey>,
    /// What is written to the group now is sealed under this.
    in_use: Option<Epoch>,
}

impl Keyring {
    pub fn new(identity: Identity) -> Keyring {
        Keyring { identity, groups: Arc::default() }
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The mailbox whose messages it opens.
    pub fn mailbox(&self) -> Eid {
        Eid::mail(self.identity.node())
    }

    /// Keeps these keys of a group and no others, in memory only. Says whether one of them was not there.
    pub fn set_group_keys(&self, group: &Eid, keys: BTreeMap<Epoch, [u8; 32]>) -> bool {
        let mut groups = self.groups();
        let known = &mut groups.entry(group.clone()).or_default().epochs;
        let is_new = keys.keys().any(|epoch| !known.contains_key(epoch));
        *known = keys.into_iter().map(|(epoch, key)| (epoch, Zeroizing::new(key))).collect();
        is_new
    }

    /// From now on what is written to a group is sealed under this epoch.
    pub fn use_epoch(&self, group: &Eid, epoch: Epoch) {
        self.groups().entry(group.clone()).or_default().in_use = Some(epoch);
    }

    /// Seals padded content for a mailbox or a group, in the bundle with this primary block.
    pub fn seal(&self, destination: &Eid, primary: &[u8], plaintext_padded: &[u8]) -> Result<Vec<u8>, SealError> {
        let hedge = self.identity.signing_key();
        if !destination.has_members() {
            return seal::seal(&destination.node, primary, plaintext_padded, hedge);
        }
        let (epoch, key) = self.epoch_in_use(destination).ok_or(SealError::NoEpoch)?;
        group::seal(&epoch, &key, primary, plaintext_padded, hedge)
    }

    fn epoch_in_use(&self, group: &Eid) -> Option<(Epoch, EpochKey)> {
        let groups = self.groups();
        let keys = groups.get(group)?;
        let epoch = keys.in_use?;
        Some((epoch, keys.epochs.get(&epoch)?.clone()))
    }

    /// Whether it may be able to open what comes to an endpoint.
    pub fn opens(&self, endpoint: &Eid) -> bool {
        self.is_own(endpoint) || endpoint.has_members() && self.groups().contains_key(endpoint)
    }

    /// Whether what comes to an endpoint is sealed to the key of the mailbox.
    fn is_own(&self, endpoint: &Eid) -> bool {
        *endpoint == self.mailbox() || endpoint.is_got() && endpoint.node == self.mailbox().node
    }

    /// Opens what a bundle carries for the mailbox or a group here.
    pub fn open(&self, bundle: &Bundle) -> Result<Opened, SealError> {
        if bundle.destination.has_members() {
            return self.open_for_group(bundle);
        }
        if !self.is_own(&bundle.destination) {
            return Err(SealError::UnknownKey);
        }
        let opened = seal::open(&self.identity, bundle.primary(), bundle.payload())?;
        let (copies, signature, enc) = (bundle.copies, bundle.signature(), seal::enc_of(bundle.payload())?);
        Ok(Opened { seal: Some(Box::new(Seal { copies, signature, enc })), ..opened })
    }

    fn open_for_group(&self, bundle: &Bundle) -> Result<Opened, SealError> {
        let epoch = group::epoch_of(bundle.payload())?;
        let key = self.groups().get(&bundle.destination).and_then(|keys| keys.epochs.get(&epoch).cloned());
        let plaintext = group::open(&key.ok_or(SealError::UnknownKey)?, bundle.primary(), bundle.payload())?;
        Ok(Opened::new(KeyUsed::Group(epoch), plaintext))
    }

    /// The proof for a text that passes on what came here.
    pub fn prove(&self, facts: &Facts, filed: &Filed, forward: &Text) -> Option<Box<Proof>> {
        seal::prove(&self.identity, facts, filed, forward)
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<Eid, GroupKeys>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
