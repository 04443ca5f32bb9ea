//! Bytes that programs bring for a message before it is written, and those of files that are here, a part at a time.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::files::{Watched, not_taken_in};
use super::{Desk, refuse_to_write};
use crate::api::model::{File, Schema, Upload, UploadedRow};
use crate::api::{ApiError, Bytes, Chunks, Contents, ErrorKind, NextStep};
use crate::blobs::Blobs;
use crate::content::{ENCLOSED_MAX, Enclosed, FILE_NAME_BYTES_MAX, PART_BYTES, PART_LOG, Root, Shape, parts_of};
use crate::id::{hex, unhex};

/// Chunks between who brings or takes them and the disk.
const CHUNKS_MAX: usize = 4;

impl Desk {
    /// Takes in what a program brings; a message names it by its id within an hour, or it goes.
    pub(super) async fn upload(&self, name: String, mut chunks: Chunks) -> Result<UploadedRow, ApiError> {
        refuse_to_write(&self.inner.lock, &self.inner.home)?;
        let name = name_of(&name)?;
        // What was brought before and never sent makes way.
        self.tidy_files().await?;
        let blobs = Arc::clone(self.node().blobs());
        let room = self.node().reader().clone();
        let (queue, mut queued) = mpsc::channel::<Option<Bytes>>(CHUNKS_MAX);
        let writing = tokio::task::spawn_blocking(move || -> io::Result<_> {
            let mut stager = blobs.stage()?;
            let mut watched = Watched { stager: &mut stager, room: &room, left: 0 };
            loop {
                match queued.blocking_recv() {
                    Some(Some(bytes)) => watched.write_all(&bytes)?,
                    Some(None) => return stager.finish().map(Some),
                    // Whoever brought it broke off: nothing of it stays.
                    None => return Ok(None),
                }
            }
        });
        let mut broke = None;
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(bytes) => {
                    // The disk may have failed; it says so itself.
                    if queue.send(Some(bytes)).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    broke = Some(error);
                    break;
                }
            }
        }
        if broke.is_none() {
            let _ = queue.send(None).await;
        }
        drop(queue);
        let written = writing.await.map_err(|error| ApiError::failure(error.to_string()))?;
        if let Some(error) = broke {
            return Err(ApiError::usage(format!("the file broke off, and nothing of it is kept: {error}")));
        }
        match written {
            Ok(Some(staged)) => Ok(UploadedRow { schema: Schema, id: hex(&staged.root), name, bytes: staged.bytes }),
            Ok(None) => Err(ApiError::usage("the file broke off, and nothing of it is kept")),
            Err(error) => Err(not_taken_in(&format!("cannot take in {name}"), &error)),
        }
    }

    /// What was brought before, as it goes beside a message.
    pub(super) fn brought(&self, uploads: Vec<Upload>) -> Result<Vec<Enclosed>, ApiError> {
        if uploads.len() > ENCLOSED_MAX {
            let limit = format!("{} files, and one message has {ENCLOSED_MAX}", uploads.len());
            return Err(ApiError::refused(limit).advise("send them in several messages"));
        }
        uploads.into_iter().map(|Upload { id, name }| self.brought_one(&id, &name)).collect()
    }

    fn brought_one(&self, id: &str, name: &str) -> Result<Enclosed, ApiError> {
        let root = unhex(id).and_then(|root| Root::try_from(root).ok());
        let staged = root.and_then(|root| self.node().blobs().staged(&root));
        let none = || {
            let error =
                ApiError::not_found("nothing was uploaded under that id, or it waited too long for its message");
            error.advise("upload it with `POST /v1/files`")
        };
        let staged = staged.ok_or_else(none)?;
        Ok(Enclosed {
            name: name_of(name)?,
            bytes: staged.bytes,
            root: staged.root,
            key: staged.key,
            shape: Shape::File,
            part_log: PART_LOG,
        })
    }

    /// A file that is here, to be read from anywhere.
    pub(super) async fn contents(&self, id: &str) -> Result<Contents, ApiError> {
        let named = match self.find_file(id).await {
            Err(error) if error.kind == ErrorKind::NotFound => return self.inside(id).await?.ok_or(error),
            named => named?,
        };
        if named.file.shape == Shape::Folder {
            let error = ApiError::refused("that is a folder, which has no bytes of its own");
            return Err(error.next(NextStep::SaveFile { id: id.into() }));
        }
        let blobs = Arc::clone(self.node().blobs());
        let (file, id) = (named.file, id.to_owned());
        let (name, bytes, tag) = (file.name.clone(), file.bytes, hex(&file.root));
        let stretch = move |from: u64, until: u64| {
            let parts = part_of(from)..=part_of(until.saturating_sub(1));
            let have = blobs.have(&file.root).filter(|(size, _)| *size == file.bytes);
            if from < until && !have.is_some_and(|(_, have)| parts.clone().all(|index| have.has(index))) {
                let next = match blobs.is_expected(&file.root) {
                    true => NextStep::WatchFiles,
                    false => NextStep::GetFile { id: id.clone() },
                };
                return Err(ApiError::refused("not all of those bytes are here").next(next));
            }
            Ok(read(Arc::clone(&blobs), file.clone(), parts, from, until))
        };
        Ok(Contents { name, bytes, tag, stretch: Box::new(stretch) })
    }
}

impl Desk {
    /// A file that rode inside its message, which is small.
    async fn inside(&self, id: &str) -> Result<Option<Contents>, ApiError> {
        let (message, number) = id.split_once('/').unwrap_or((id, "1"));
        let Ok(number) = number.parse::<usize>() else { return Ok(None) };
        let mut letter = self.read(message, false, false).await?;
        if number == 0 || number > letter.files.len() {
            return Ok(None);
        }
        let File { name, bytes } = letter.files.swap_remove(number - 1);
        let (all, tag) = (Bytes::from(bytes), format!("{}-{number}", letter.row.id));
        let bytes = all.len() as u64;
        let stretch = move |from: u64, until: u64| -> Result<Chunks, ApiError> {
            let end = |byte: u64| usize::try_from(byte).map_or(all.len(), |byte| byte.min(all.len()));
            let some = all.slice(end(from)..end(until));
            Ok(Box::pin(stream::iter([Ok(some)])))
        };
        Ok(Some(Contents { name, bytes, tag, stretch: Box::new(stretch) }))
    }
}

/// The last part of whatever a program calls it, as far as a message takes it.
fn name_of(name: &str) -> Result<String, ApiError> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let end = last.floor_char_boundary(FILE_NAME_BYTES_MAX);
    match last[..end].trim() {
        "" => Err(ApiError::usage("a file has a name")),
        name => Ok(name.to_owned()),
    }
}

fn part_of(byte: u64) -> u32 {
    u32::try_from(byte / PART_BYTES as u64).unwrap_or(u32::MAX)
}

/// Reads parts as they are taken; each is proved before a byte of it is given.
fn read(blobs: Arc<Blobs>, file: Enclosed, parts: RangeInclusive<u32>, from: u64, until: u64) -> Chunks {
    let (queue, queued) = mpsc::channel(CHUNKS_MAX);
    tokio::task::spawn_blocking(move || {
        for index in parts.filter(|index| from < until && *index < parts_of(file.bytes)) {
            let begin = u64::from(index) * PART_BYTES as u64;
            let chunk = blobs.opened(&file.root, &file.key, index).map(|mut bytes| {
                bytes.truncate(usize::try_from(until - begin).unwrap_or(usize::MAX));
                let skipped = usize::try_from(from.saturating_sub(begin)).unwrap_or(usize::MAX);
                Bytes::from(bytes).slice(skipped..)
            });
            let is_over = chunk.is_err();
            if queue.blocking_send(chunk).is_err() || is_over {
                return;
            }
        }
    });
    Box::pin(stream::unfold(queued, |mut queued| async { queued.recv().await.map(|chunk| (chunk, queued)) }))
}
