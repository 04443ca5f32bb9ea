//! A folder that is looked at again and again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::bringing::{Seen, ids_in, import_folder};
use super::leaving::{InFolder, Plan, whole_id};
use super::{ExportedRow, ImportedRow, open_to_write, tell_reasons, unreadable};
use crate::api::{ApiError, Engine, ErrorKind};
use crate::cli::args::Load;
use crate::cli::link::{Link, nothing_set_up};
use crate::cli::out::Out;
use crate::cli::{Outcome, Stop};
use crate::id::BundleId;
use crate::safe_text::safe_text;
use crate::stick::{Folder, Name, is_mount_point};

/// How often a folder that is watched is looked at, unless a look takes long.
const LOOK: Duration = Duration::from_secs(2);

/// A look takes at most one part in so many of the time.
const LOOK_PARTS: u32 = 10;

/// How often a closed home is opened to see whether it has something new: that takes more than to ask a node.
const LOOK_CLOSED: Duration = Duration::from_secs(10);

/// What could not be written for another reason than room is tried again after so long, or once something there changes:
/// each try spends copies.
const WRITE_AGAIN: Duration = Duration::from_secs(600);

/// Looks at a folder again and again: takes in what is new there, and adds what is wanted.
pub(super) async fn watch(engine: &dyn Engine, home: Option<&Path>, dir: &Path, load: &Load, out: &Out) -> Outcome {
    let shown = safe_text(&dir.display().to_string());
    if !Link::to(engine, home)?.home().is_set_up() {
        return Err(nothing_set_up().into());
    }
    out.talk(&format!("watching {shown}; Ctrl-C ends it"));
    let mut watched = Watched::default();
    // What lies under a stick that is not mounted is another disk's.
    let mut is_mounted = is_mount_point(dir);
    let mut said = String::new();
    loop {
        let began = Instant::now();
        let now = match dir.is_dir().then(|| open_to_write(dir)) {
            None => {
                watched = Watched::default();
                format!("waiting for {shown}")
            }
            Some(Err(error)) => error.to_string(),
            Some(Ok(folder)) if is_mounted && !folder.is_mount() => {
                watched = Watched::default();
                format!("waiting for {shown}: nothing is mounted there now")
            }
            Some(Ok(folder)) => {
                is_mounted |= folder.is_mount();
                if watched.is_of_another(&folder) {
                    if watched.has_written {
                        out.talk(&format!(
                            "{shown} is another disk now: what was written there before lies beneath it"
                        ));
                    }
                    watched = Watched::default();
                }
                watched.file_system = folder.file_system().ok();
                let link = Link::to(engine, home)?;
                let done = watched.look(&link, &folder, dir, load, out).await;
                link.close().await;
                match done {
                    Ok(()) => String::new(),
                    // No later look would end otherwise.
                    Err(Stop::Error(error)) if error.is_of_asker() => return Err(error.into()),
                    Err(Stop::Error(error)) => error.to_string(),
                    Err(stop) => return Err(stop),
                }
            }
        };
        // What stays wrong is said once.
        if now != said && !now.is_empty() {
            out.talk(&safe_text(&now));
        }
        said = now;
        tokio::time::sleep(LOOK.max(began.elapsed() * LOOK_PARTS)).await;
    }
}

/// A folder that is watched.
#[derive(Default)]
struct Watched {
    seen: Seen,
    looked_at: Option<Instant>,
    /// Why nothing could be written, and until when that is not tried again unless something there changes.
    unwritten: Option<(Instant, ApiError)>,
    /// What the last look failed with.
    failed: Option<ApiError>,
    /// What lay there after the last look.
    names: Option<Vec<Name>>,
    file_system: Option<u64>,
    /// Something was written there.
    has_written: bool,
}

impl Watched {
    /// Whether what stands there is not what was looked at before.
    fn is_of_another(&self, folder: &Folder) -> bool {
        self.file_system.is_some_and(|known| folder.file_system().is_ok_and(|now| now != known))
    }

    async fn look(&mut self, link: &Link<'_>, folder: &Folder, dir: &Path, load: &Load, out: &Out) -> Outcome {
        let (names, _) = folder.names().map_err(|error| unreadable(dir, &error))?;
        let is_changed = self.names.as_ref() != Some(&names);
        let is_due = self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_CLOSED) || link.is_up().await;
        let waits = self.seen.files.values().any(|known| known.again_at.is_some_and(|at| at <= Instant::now()));
        if !is_changed && !is_due && !waits {
            return self.failed.clone().map_or(Ok(()), |failed| Err(failed.into()));
        }
        if is_changed {
            self.unwritten = None;
        }
        let done = self.exchange(link, folder, dir, load, out).await;
        self.looked_at = Some(Instant::now());
        self.names = folder.names().ok().map(|(names, _)| names);
        self.failed = match &done {
            Err(Stop::Error(error)) => Some(error.clone()),
            _ => None,
        };
        done
    }

    async fn exchange(&mut self, link: &Link<'_>, folder: &Folder, dir: &Path, load: &Load, out: &Out) -> Outcome {
        let there = ids_in(folder, &mut self.seen).map_err(|error| unreadable(dir, &error))?;
        let mut imported = ImportedRow::none();
        let done = import_folder(link, folder, &mut self.seen, &mut imported, dir).await;
        if imported.new + imported.refused > 0 {
            out.row(&imported, |_| imported.text())?;
            tell_reasons(&imported, out);
        }
        done?;
        if let Some((until, why)) = &self.unwritten
            && Instant::now() < *until
        {
            return Err(why.clone().into());
        }
        let mut exported = ExportedRow::none();
        let plan = Plan::of(link, load, &there, &mut exported).await?;
        let own: BTreeSet<BundleId> = plan.bundles.iter().filter_map(|row| whole_id(&row.id)).collect();
        let done = plan.write(link, load, &mut InFolder { folder, place: dir }, &mut exported).await;
        if exported.bundles > 0 {
            self.has_written = true;
            out.row(&exported, |_| exported.text(&safe_text(&dir.display().to_string())))?;
            // What was just written need not be taken in; somebody else may have added more meanwhile.
            ids_in(folder, &mut self.seen).map_err(|error| unreadable(dir, &error))?;
            let written =
                self.seen.files.values_mut().filter(|known| !known.ids.is_empty() && known.ids.is_subset(&own));
            written.for_each(|known| known.is_in = true);
        }
        let why = done.as_ref().err().filter(|_| exported.wasted > 0);
        self.unwritten = why.map(|why| (Instant::now() + WRITE_AGAIN, why.clone()));
        Ok(done?)
    }
}

impl ApiError {
    /// Whether it is what was asked that makes no sense.
    fn is_of_asker(&self) -> bool {
        matches!(self.kind, ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Store)
    }
}
