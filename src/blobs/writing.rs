//! Parts that come: written where they belong, and made durable before the commit that says so.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::place::{DATA, HAVE, make_directory, options, sync_directory, write_have};
use super::{Blob, Blobs, EARLY_BYTES_MAX, FILE_COST_BYTES, PART_OF_CONTACT, State, Taken, Why};
use crate::content::{PART_BYTES, Part, parts_of};
use crate::id::{NodeId, hex};

impl Blobs {
    /// Takes in a part that verified, from a contact or from somebody else. What cannot be written fails the next
    /// [`Blobs::sync`].
    pub fn take(&self, part: &Part, contact: Option<NodeId>) -> Taken {
        let mut state = self.state();
        self.correct(&mut state, part);
        let blob = match (state.blobs.get(&part.root).map(|blob| (blob.why, blob.size == part.size)), contact) {
            (Some((Why::Wanted | Why::Pushed(_), true)), _) => None,
            (Some((Why::Wanted | Why::Pushed(_), false) | (Why::Refused, _)), _) => return Taken::Unwanted,
            (_, None) => return Taken::Unwanted,
            _ if state.offered.contains(&part.root) => return Taken::Unwanted,
            // Its message, when it comes, says which size is the right one.
            (Some((Why::Unknown | Why::Early(_), false)), Some(_)) => return Taken::NoRoom,
            (Some((Why::Unknown | Why::Early(_), true)), Some(from)) if state.has_room_early(from) => None,
            (None, Some(from)) if state.has_room_early(from) => Some(Blob::of(part.size, Why::Early(from))),
            (Some(_) | None, Some(_)) => return Taken::NoRoom,
        };
        state.blobs.extend(blob.map(|blob| (part.root, blob)));
        if state.blobs[&part.root].have.has(part.index) {
            return Taken::Kept;
        }
        match self.write(&mut state, part) {
            Ok(()) => {
                state.dirty.insert(part.root);
                state.blobs.get_mut(&part.root).expect("it was just found").have.insert(part.index);
            }
            Err(error) => state.failure = Some(error.to_string()),
        }
        Taken::Kept
    }

    /// Whoever knows the name of a file may say a wrong size of it, and first. Its last part is at the end of its tree, and
    /// so proves which is the right one.
    fn correct(&self, state: &mut State, part: &Part) {
        let proves = part.index + 1 == parts_of(part.size);
        let Some(blob) = state.blobs.get(&part.root) else { return };
        let (why, is_lie) = (blob.why, blob.size != part.size && !blob.is_proven());
        let may_come = match why {
            Why::Wanted => part.size <= blob.size.max(self.push_bytes),
            Why::Pushed(from) => self.may_push(state, from, &part.root, part.size),
            Why::Unknown | Why::Early(_) | Why::Refused => return,
        };
        if !proves || !is_lie {
            return;
        }
        if may_come {
            state.blobs.insert(part.root, Blob::of(part.size, why));
        } else if why != Why::Wanted {
            // It is offered, and no more.
            state.blobs.remove(&part.root);
            state.offered.insert(part.root);
        } else {
            return;
        }
        state.dirty.remove(&part.root);
        self.start_anew(&part.root);
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
                // It is opened again when more comes: what never does would keep it open for ever.
                (blob.data.take(), blob.size, blob.have.clone())
            };
            // It went meanwhile, and what was promised of it went with it.
            let Some(data) = data else { continue };
            data.sync_data()?;
            match write_have(&self.dir.join(hex(&root)), size, &have) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => written?,
            }
            match have.is_all() {
                true => self.news.notify_one(),
                false => self.more.notify_one(),
            }
        }
        Ok(())
    }
}

impl State {
    /// Whether one more part of a contact may come before its message.
    fn has_room_early(&self, contact: NodeId) -> bool {
        let (mut all, mut of_contact) = (PART_BYTES as u64, PART_BYTES as u64);
        for blob in self.blobs.values() {
            if let Why::Early(from) = blob.why {
                let bytes = blob.have.bytes(blob.size).max(FILE_COST_BYTES);
                all += bytes;
                of_contact += if from == contact { bytes } else { 0 };
            }
        }
        all <= EARLY_BYTES_MAX && of_contact <= EARLY_BYTES_MAX / PART_OF_CONTACT
    }
}
