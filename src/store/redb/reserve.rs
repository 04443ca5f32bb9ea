//! A file that only takes up room, so that a full disk still has some for deleting.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Room for the pages that a commit of deletions writes anew.
pub const RESERVE_BYTES: u64 = 1 << 20;
/// How much must be free before the reserve is taken again.
pub const REFILL_FROM_BYTES: u64 = 4 * RESERVE_BYTES;

pub struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    /// The reserve of the store at `path`.
    pub fn beside(path: &Path) -> Reserve {
        let path = path.with_extension("reserve");
        let held = fs::metadata(&path).is_ok_and(|data| data.len() == RESERVE_BYTES);
        Reserve { path, held }
    }

    pub fn is_missing(&self) -> bool {
        !self.held
    }

    /// Gives the room to whoever writes next. Says whether there was any.
    pub fn release(&mut self) -> bool {
        std::mem::take(&mut self.held) && fs::remove_file(&self.path).is_ok()
    }

    /// Takes the room again, if the disk has it.
    pub fn refill(&mut self) {
        self.held = self.fill().is_ok();
        if !self.held {
            // A part of a reserve helps nobody; if it cannot be removed, the next attempt overwrites it.
            let _ = fs::remove_file(&self.path);
        }
    }

    // Written rather than allocated: some file systems pretend to allocate.
    fn fill(&self) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        let page = [0xa5; 64 << 10];
        for _ in 0..RESERVE_BYTES / page.len() as u64 {
            file.write_all(&page)?;
        }
        file.sync_data()
    }
}
