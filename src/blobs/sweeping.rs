//! Files that nothing names are removed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use super::place::remove;
use super::{Blob, Blobs, Why};
use crate::content::Root;
use crate::id::{hex, unhex};

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
