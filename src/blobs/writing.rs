//! Parts that come: written where they belong, and made durable before the commit that says so.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::place::{DATA, HAVE, make_directory, options, sync_directory, write_have};
use super::{Blob, Blobs, EARLY_BYTES_MAX, State, Why};
use crate::content::{PART_BYTES, Part, parts_of};
use crate::id::hex;
use crate::mail::files::Parts;

impl Blobs {
    /// Takes in a part that verified; says whether it is wanted. What cannot be written fails the next [`Blobs::sync`].
    pub fn take(&self, part: &Part, is_contact: bool) -> bool {
        let mut state = self.state();
        let early: u64 = state.blobs.values().filter(|b| b.why == Why::Early).map(|b| b.have.bytes(b.size)).sum();
        let may_be_early = is_contact && early + PART_BYTES as u64 <= EARLY_BYTES_MAX;
        let blob = match state.blobs.get_mut(&part.root) {
            Some(Blob { why: Why::Wanted | Why::Pushed(_), size, .. }) if *size == part.size => None,
            Some(Blob { why: Why::Unknown | Why::Early, size, .. }) if *size == part.size && may_be_early => None,
            Some(_) => return false,
            None if may_be_early => {
                Some(Blob { size: part.size, have: Parts::none(parts_of(part.size)), data: None, why: Why::Early })
            }
            None => return false,
        };
        state.blobs.extend(blob.map(|blob| (part.root, blob)));
        if state.blobs[&part.root].have.has(part.index) {
            return true;
        }
        match self.write(&mut state, part) {
            Ok(()) => {
                state.dirty.insert(part.root);
                state.blobs.get_mut(&part.root).expect("it was just found").have.insert(part.index);
            }
            Err(error) => state.failure = Some(error.to_string()),
        }
        true
    }

    fn write(&self, state: &mut State, part: &Part) -> io::Result<()> {
        let blob = state.blobs.get_mut(&part.root).expect("it was just found");
        let data = match &blob.data {
            Some(data) => Arc::clone(data),
            None => {
                let place = self.dir.join(hex(&part.root));
                if !place.join(HAVE).exists() {
                    make_directory(&self.dir)?;
                    make_directory(&place)?;
                    write_have(&place, blob.size, &blob.have)?;
                    sync_directory(&place)?;
                    sync_directory(&self.dir)?;
                }
                let data = Arc::new(options().write(true).create(true).truncate(false).open(place.join(DATA))?);
                blob.data = Some(Arc::clone(&data));
                data
            }
        };
        data.write_all_at(&part.bytes, u64::from(part.index) * PART_BYTES as u64)
    }

    /// Makes durable what was taken in: the bytes first, and then that they are there.
    pub fn sync(&self) -> io::Result<()> {
        let (dirty, failure) = {
            let mut state = self.state();
            (std::mem::take(&mut state.dirty), state.failure.take())
        };
        if let Some(failure) = failure {
            return Err(io::Error::other(failure));
        }
        for root in dirty {
            let (data, size, have) = {
                let mut state = self.state();
                let Some(blob) = state.blobs.get_mut(&root) else { continue };
                // What is whole is not written to any more.
                let data = if blob.have.is_all() { blob.data.take() } else { blob.data.clone() };
                (data, blob.size, blob.have.clone())
            };
            // It went meanwhile, and what was promised of it went with it.
            let Some(data) = data else { continue };
            data.sync_data()?;
            match write_have(&self.dir.join(hex(&root)), size, &have) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => written?,
            }
        }
        Ok(())
    }
}
