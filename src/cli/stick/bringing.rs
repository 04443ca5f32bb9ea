//! From a folder or a file into the node.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::{ImportedRow, unreadable};
use crate::api::ApiError;
use crate::api::model::{EnteredRow, Fate, FromStick, Request, STICK_BUNDLES_MAX, STICK_BYTES_MAX, When};
use crate::cli::link::{Link, take};
use crate::id::BundleId;
use crate::stick::{Broken, Folder, Found, Name, Parts, Unread};

/// How many batches are on their way in at a time.
const BATCHES_AT_ONCE: usize = 3;

/// What was refused for now is tried again after so long.
const AGAIN: Duration = Duration::from_secs(600);

/// What is known of the files of a folder.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) files: BTreeMap<Name, Known>,
}

#[derive(Default)]
pub(super) struct Known {
    pub(super) ids: BTreeSet<BundleId>,
    /// It need not be taken in again, at least until then.
    pub(super) is_in: bool,
    pub(super) again_at: Option<Instant>,
    /// It could not be read, and that was told.
    is_unread: bool,
}

/// The ids of all bundles that lie in a folder.
pub(super) fn ids_in(folder: &Folder, seen: &mut Seen) -> io::Result<BTreeSet<BundleId>> {
    let (names, _) = folder.names()?;
    let mut files = BTreeMap::new();
    for name in names.into_iter().filter(|name| !name.is_folder()) {
        let known = match seen.files.remove(&name) {
            Some(known) if !known.is_unread => known,
            known => Known { ids: folder.ids(&name), ..known.unwrap_or_default() },
        };
        files.insert(name, known);
    }
    seen.files = files;
    Ok(seen.files.values().flat_map(|known| &known.ids).copied().collect())
}

pub(super) async fn import_folder(
    link: &Link<'_>,
    folder: &Folder,
    seen: &mut Seen,
    imported: &mut ImportedRow,
    place: &Path,
) -> Result<(), ApiError> {
    let (names, is_more) = folder.names().map_err(|error| unreadable(place, &error))?;
    let (mut intake, mut taken) = (Intake::of(link, imported), Vec::new());
    for name in names {
        if name.is_folder() {
            intake.row.skipped += 1;
            continue;
        }
        let due = |known: &Known| !known.is_in || known.again_at.is_some_and(|at| at <= Instant::now());
        if seen.files.get(&name).is_some_and(|known| !due(known)) {
            continue;
        }
        let shown = name.name.to_string_lossy().into_owned();
        let unread = match folder.read(&name) {
            Ok(parts) => intake.read(&shown, parts).await?,
            Err(why @ Unread::Unopened(_)) => Some(why.to_string()),
            Err(why) => {
                intake.row.refuse(&shown, why.to_string());
                None
            }
        };
        let is_unread = unread.is_some();
        if let Some(why) = unread {
            // The stick may be gone, with all that it had.
            if let Err(error) = Folder::check(place) {
                intake.flush().await?;
                return Err(unreadable(place, &error));
            }
            if seen.files.get(&name).is_none_or(|known| !known.is_unread) {
                intake.row.refuse(&shown, why);
            }
        }
        taken.push((shown, name, is_unread));
    }
    intake.flush().await?;
    for (shown, name, is_unread) in taken {
        let again_at = intake.again.contains(&shown).then(|| Instant::now() + AGAIN);
        let known = seen.files.entry(name).or_default();
        (known.is_in, known.is_unread, known.again_at) = (!is_unread, is_unread, again_at);
    }
    if is_more {
        return Err(ApiError::failure(format!("{} has more files than are looked at", place.display()))
            .advise("put them into several folders"));
    }
    Ok(())
}

/// Bundles on their way in, a few batches at a time: while one is checked another is committed.
pub(super) struct Intake<'a, 'b> {
    link: &'a Link<'b>,
    row: &'a mut ImportedRow,
    batch: Batch,
    full: Vec<Batch>,
    /// Files of which something was refused for now.
    again: BTreeSet<String>,
}

impl<'a, 'b> Intake<'a, 'b> {
    pub(super) fn of(link: &'a Link<'b>, row: &'a mut ImportedRow) -> Intake<'a, 'b> {
        Intake { link, row, batch: Batch::default(), full: Vec::new(), again: BTreeSet::new() }
    }

    pub(super) async fn all_of(mut self, name: &str, parts: Parts<impl Read>) -> Result<(), ApiError> {
        if let Some(why) = self.read(name, parts).await? {
            self.row.refuse(name, why);
        }
        self.flush().await
    }

    /// Reads all that one file holds; the last of it goes with the next [`Intake::flush`]. Returns why it cannot be read to
    /// its end now; another time it may be.
    async fn read(&mut self, name: &str, mut parts: Parts<impl Read>) -> Result<Option<String>, ApiError> {
        loop {
            match parts.read_next() {
                Ok(Some(Found { bytes, written })) => {
                    let len = bytes.len() as u64;
                    let Batch { bundles, bytes: before, .. } = &self.batch;
                    if bundles.len() == STICK_BUNDLES_MAX || before + len > STICK_BYTES_MAX {
                        self.full.push(std::mem::take(&mut self.batch));
                    }
                    if self.full.len() == BATCHES_AT_ONCE {
                        self.hand_in().await?;
                    }
                    self.batch.bytes += len;
                    self.batch.bundles.push(FromStick { bytes, written_at: written.and_then(When::from_dtn) });
                    self.batch.files.push(name.to_owned());
                }
                Ok(None) => return Ok(None),
                Err(why @ Broken::Read(_)) => return Ok(Some(why.to_string())),
                Err(why) => {
                    self.row.refuse(name, why.to_string());
                    return Ok(None);
                }
            }
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), ApiError> {
        if !self.batch.bundles.is_empty() {
            self.full.push(std::mem::take(&mut self.batch));
        }
        self.hand_in().await
    }

    async fn hand_in(&mut self) -> Result<(), ApiError> {
        let asks = self.full.drain(..).map(|Batch { bundles, files, .. }| {
            let link = self.link;
            async move { (link.ask(Request::StickBring { bundles }).await, files) }
        });
        let mut failed = None;
        for (answer, files) in join_all(asks).await {
            match answer.and_then(|answer| take!(answer, Entered)) {
                Ok(entered) => entered.into_iter().zip(files).for_each(|(row, file)| self.count(row, file)),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn count(&mut self, EnteredRow { fate, why, may_come_again, .. }: EnteredRow, file: String) {
        match fate {
            Fate::New => self.row.new += 1,
            Fate::Known => self.row.known += 1,
            Fate::Refused => self.row.refuse(&file, why.unwrap_or_default()),
        }
        if may_come_again {
            self.again.insert(file);
        }
    }
}

#[derive(Default)]
struct Batch {
    bundles: Vec<FromStick>,
    /// Of each, the file it is from.
    files: Vec<String>,
    bytes: u64,
}
