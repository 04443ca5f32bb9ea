//! Files in parts, beside the store: encrypted, each in a directory named by its root.
//!
//! ```text
//! files/<root>/data    the encrypted bytes, each part at its place
//! files/<root>/have    how long it is (8 bytes), and a bit for each part that is here
//! files/<root>/nodes   the nodes of the parts, for what was taken in here: what proves them
//! files/<root>/plain   the hash of the file as it was and its key, for what was taken in here: it is taken in once
//! ```
//! A part is written when its message is delivered, and [`Blobs::sync`] runs before the commit that says so: first the bytes,
//! then the bits. A bit that is set speaks of bytes that are there; of bytes without a bit nothing was promised. Nothing here
//! is ever whole in memory.
//!
//! What no message names is swept when the node starts ([`Blobs::keep_only`]). Which files are wanted, and how much comes
//! unasked, is decided here too, for it must be known before a part is written.

mod encrypting;
mod place;
mod reading;
mod sweeping;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

pub use self::encrypting::Stager;
pub use self::place::{each_file, put_back};

use self::place::{PLAIN, read_have, remove};
use crate::content::{Enclosed, FileKey, PART_LOG, PUSH_BYTES_MAX, PartTree, Root, parts_of};
use crate::id::{NodeId, hex, unhex};
use crate::mail::files::Parts;

/// Bytes of files that came or come unasked, in all.
pub const UNASKED_BYTES_MAX: u64 = 256 << 20;
/// One of so many parts of them a single contact may take.
const PART_OF_CONTACT: u64 = 4;
/// Bytes of parts that came before their message, in all.
pub const EARLY_BYTES_MAX: u64 = 64 << 20;
/// What a file costs of both at least: its directory and what lies in there, however little that is.
pub const FILE_COST_BYTES: u64 = 16 << 10;

/// The files of a home.
pub struct Blobs {
    dir: PathBuf,
    /// Files up to this size come without being asked for.
    push_bytes: u64,
    /// A file is whole or wanted since somebody looked, or somebody offered one.
    news: Notify,
    /// More of a file is here that is not whole yet.
    more: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: BTreeMap<Root, Blob>,
    /// Files whose last parts are not known to be on the disk.
    dirty: BTreeSet<Root>,
    /// Why something could not be written, until the commit that must not happen fails for it.
    failure: Option<String>,
    /// Files that were taken in here, by the hash of what they were.
    plain: BTreeMap<[u8; 32], (Root, FileKey)>,
    /// Files that messages name and that come only when somebody asks.
    offered: BTreeSet<Root>,
    /// Who offered files since somebody asked: contacts.
    offerers: BTreeSet<NodeId>,
    /// When files were taken in whose messages may not be in the record yet.
    staged: BTreeMap<Root, Instant>,
    /// The tree of the file that was sent of last.
    tree: Option<(Root, Arc<PartTree>)>,
    /// Numbers the directories of what is being taken in.
    next: u64,
}

struct Blob {
    size: u64,
    have: Parts,
    /// Open while parts come, until they are durable.
    data: Option<Arc<File>>,
    why: Why,
}

impl Blob {
    /// A file of which nothing is here.
    fn of(size: u64, why: Why) -> Blob {
        Blob { size, have: Parts::none(parts_of(size)), data: None, why }
    }

    /// Whether its last part is here, with which it has its size.
    fn is_proven(&self) -> bool {
        self.have.of().checked_sub(1).is_some_and(|last| self.have.has(last))
    }
}

/// Why a file may be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nobody said yet.
    Unknown,
    /// It was taken in here, or a person asked for it.
    Wanted,
    /// It came unasked, from this contact.
    Pushed(NodeId),
    /// Parts came before any message that names it, the first of them from this contact; or it was wanted once.
    Early(NodeId),
    /// Nobody wants it any more.
    Refused,
}

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is here.
    Kept,
    /// Nobody here wants it.
    Unwanted,
    /// It may be wanted, and there is no room for it now.
    NoRoom,
}

/// A file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub bytes: u64,
    pub root: Root,
    pub key: FileKey,
}

impl Blobs {
    /// Opens the files in a directory, which need not be there yet; up to a size they come without being asked for.
    pub fn open(dir: PathBuf, push_bytes: u64) -> io::Result<Blobs> {
        let mut state = State::default();
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries?),
        };
        for entry in entries.into_iter().flatten() {
            let name = entry?.file_name();
            let root = name.to_str().and_then(unhex).and_then(|root| Root::try_from(root).ok());
            let Some(root) = root else { continue };
            let place = dir.join(&name);
            let Some((size, have)) = read_have(&place) else { continue };
            if let Ok(plain) = fs::read(place.join(PLAIN))
                && let Some((hash, key)) = plain.split_first_chunk::<32>()
                && let Ok(key) = key.try_into()
            {
                state.plain.insert(*hash, (root, FileKey(key)));
            }
            state.blobs.insert(root, Blob { size, have, data: None, why: Why::Unknown });
        }
        let push_bytes = push_bytes.min(PUSH_BYTES_MAX);
        Ok(Blobs { dir, push_bytes, news: Notify::new(), more: Notify::new(), state: Mutex::new(state) })
    }

    /// Files up to this size come without being asked for, in bytes.
    pub fn push_bytes(&self) -> u64 {
        self.push_bytes
    }

    /// Returns once a file is whole or wanted, or somebody offered one.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Returns once more of a file is here, which is not whole yet.
    pub async fn more(&self) {
        self.more.notified().await;
    }

    /// Who offered files since the last call.
    pub fn take_offerers(&self) -> BTreeSet<NodeId> {
        std::mem::take(&mut self.state().offerers)
    }

    /// The directory of all files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How long a file is and what of it is here; none where nothing is.
    pub fn have(&self, root: &Root) -> Option<(u64, Parts)> {
        self.state().blobs.get(root).map(|blob| (blob.size, blob.have.clone()))
    }

    /// How many files there are, and their bytes that are here.
    pub fn usage(&self) -> (u64, u64) {
        let state = self.state();
        (state.blobs.len() as u64, state.blobs.values().map(|blob| blob.have.bytes(blob.size)).sum())
    }

    /// Bytes of one file that are here.
    pub fn bytes_of(&self, root: &Root) -> u64 {
        self.state().blobs.get(root).map_or(0, |blob| blob.have.bytes(blob.size))
    }

    /// A person asked for a file, or it is one of their own.
    pub fn want(&self, file: &Enclosed) {
        let mut state = self.state();
        if state.expect(file, Why::Wanted) {
            self.start_anew(&file.root);
        }
        self.news.notify_one();
    }

    /// A contact says that a file comes: small ones may, as long as there is room for what nobody asked for. Says whether it
    /// may.
    pub fn offer(&self, from: NodeId, file: &Enclosed) -> bool {
        let mut state = self.state();
        state.offerers.insert(from);
        self.news.notify_one();
        let why = state.blobs.get(&file.root).map(|blob| blob.why);
        match why {
            Some(Why::Wanted | Why::Pushed(_)) => return true,
            Some(Why::Refused) => return false,
            Some(Why::Unknown | Why::Early(_)) | None => {}
        }
        // Its last part, where that is here, knows better than any message how long it is.
        let proven = state.blobs.get(&file.root).filter(|blob| blob.is_proven()).map(|blob| blob.size);
        let fits = file.part_log == PART_LOG
            && self.may_push(&state, from, &file.root, file.bytes.max(proven.unwrap_or_default()));
        if !fits {
            state.offered.insert(file.root);
            if let (Some(Why::Unknown), Some(blob)) = (why, state.blobs.get_mut(&file.root)) {
                blob.why = Why::Early(from);
            }
        } else if state.expect(file, Why::Pushed(from)) {
            self.start_anew(&file.root);
        }
        fits
    }

    /// Whether a contact may send a file of so many bytes without being asked, beside all others that come so.
    fn may_push(&self, state: &State, from: NodeId, root: &Root, bytes: u64) -> bool {
        let cost = bytes.max(FILE_COST_BYTES);
        let (mut all, mut of_contact) = (cost, cost);
        for (_, blob) in state.blobs.iter().filter(|(other, _)| *other != root) {
            if let Why::Pushed(by) = blob.why {
                let cost = blob.size.max(FILE_COST_BYTES);
                all = all.saturating_add(cost);
                of_contact = of_contact.saturating_add(if by == from { cost } else { 0 });
            }
        }
        bytes <= self.push_bytes && all <= UNASKED_BYTES_MAX && of_contact <= UNASKED_BYTES_MAX / PART_OF_CONTACT
    }

    /// What is here of a file that is named and not wanted any more counts as what came early.
    pub fn rest(&self, from: NodeId, root: &Root) {
        if let Some(blob) = self.state().blobs.get_mut(root).filter(|blob| blob.why == Why::Unknown) {
            blob.why = Why::Early(from);
        }
    }

    fn start_anew(&self, root: &Root) {
        if let Err(error) = remove(&self.dir.join(hex(root))) {
            tracing::warn!(%error, "parts of a file that speak of another size cannot be deleted");
        }
    }

    /// Whether parts of a file are taken in as they come.
    pub fn is_expected(&self, root: &Root) -> bool {
        let state = self.state();
        state.blobs.get(root).is_some_and(|blob| matches!(blob.why, Why::Wanted | Why::Pushed(_)))
    }

    /// Whether something is expected and not all here.
    pub fn is_incomplete(&self) -> bool {
        let is_wanted = |blob: &Blob| matches!(blob.why, Why::Wanted | Why::Pushed(_));
        self.state().blobs.values().any(|blob| is_wanted(blob) && !blob.have.is_all())
    }

    /// Nobody wants a file any more: what is here of it goes.
    pub fn refuse(&self, root: &Root) -> io::Result<()> {
        let mut state = self.state();
        let Some(blob) = state.blobs.get_mut(root) else { return Ok(()) };
        (blob.have, blob.data, blob.why) = (Parts::none(parts_of(blob.size)), None, Why::Refused);
        state.forget(root);
        remove(&self.dir.join(hex(root)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Says whether what is on the disk of it is of no use, for its parts spoke of another size.
    fn expect(&mut self, file: &Enclosed, why: Why) -> bool {
        self.offered.remove(&file.root);
        let blob = self.blobs.entry(file.root).or_insert_with(|| Blob::of(file.bytes, why));
        let is_other = blob.size != file.bytes;
        // What a person asks for counts more than what somebody pushes.
        let is_settled = match blob.why {
            // They may have asked by a message that says too little; then nothing of it comes.
            Why::Wanted => why != Why::Wanted || file.bytes <= blob.size || !blob.have.is_empty(),
            Why::Pushed(_) => why != Why::Wanted,
            _ => false,
        };
        if is_other && is_settled {
            return false;
        }
        if is_other && blob.is_proven() {
            blob.why = why;
            return false;
        }
        if is_other {
            *blob = Blob::of(file.bytes, why);
            self.dirty.remove(&file.root);
        }
        blob.why = why;
        is_other
    }

    /// A file left.
    fn forget(&mut self, root: &Root) {
        self.dirty.remove(root);
        self.offered.remove(root);
        self.staged.remove(root);
        self.plain.retain(|_, (of, _)| of != root);
        self.tree.take_if(|(of, _)| of == root);
    }
}

#[cfg(test)]
mod tests;
