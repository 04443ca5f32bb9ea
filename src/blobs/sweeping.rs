//! Files that nothing names are removed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use super::place::remove;
use super::{Blob, Blobs, Why};
use crate::content::{Root, parts_of};
use crate::id::{hex, unhex};
use crate::mail::files::Parts;

/// So long a file that was taken in waits for the message that names it.
const STAGED_MAX: Duration = Duration::from_secs(3_600);

impl Blobs {
    /// Removes every file that none of these names, but those that were taken in lately.
    pub fn keep_only(&self, named: &BTreeSet<Root>) -> io::Result<()> {
        let mut state = self.state();
        state.staged.retain(|root, since| !named.contains(root) && since.elapsed() < STAGED_MAX);
        state.offered.retain(|root| named.contains(root));
        let early = |blob: &Blob| matches!(blob.why, Why::Early(_));
        let gone: Vec<Root> = state
            .blobs
            .iter()
            .filter(|(root, blob)| !named.contains(*root) && !state.staged.contains_key(*root) && !early(blob))
            .map(|(root, _)| *root)
            .collect();
        for root in gone {
            state.blobs.remove(&root);
            state.forget(&root);
            remove(&self.dir.join(hex(&root)))?;
        }
        Ok(())
    }

    /// What lies here of a file is not what it was: none of it counts any more, and it may come again.
    pub fn doubt(&self, root: &Root) -> io::Result<()> {
        let mut state = self.state();
        let Some(blob) = state.blobs.get_mut(root) else { return Ok(()) };
        (blob.have, blob.data) = (Parts::none(parts_of(blob.size)), None);
        state.forget(root);
        remove(&self.dir.join(hex(root)))
    }

    /// How many files and directories lie here that are no file's, but what is being taken in.
    pub fn strays(&self) -> io::Result<usize> {
        let state = self.state();
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut strays = 0;
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let root = unhex(&name).and_then(|root| Root::try_from(root).ok());
            let is_known = root.is_some_and(|root| state.blobs.contains_key(&root));
            strays += usize::from(!is_known && !name.starts_with(&format!("new-{}-", std::process::id())));
        }
        Ok(strays)
    }

    /// Removes what no blob lies in: the rest of what was being taken in when the process ended, and parts without a message.
    pub fn sweep(&self, named: &BTreeSet<Root>) -> io::Result<()> {
        self.keep_only(named)?;
        let state = self.state();
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            let root = name.to_str().and_then(unhex).and_then(|root| Root::try_from(root).ok());
            if !root.is_some_and(|root| state.blobs.contains_key(&root)) {
                remove(&self.dir.join(name))?;
            }
        }
        Ok(())
    }
}
