//! `dak stick`: bundles carried by hand, in the files of a folder or in one file.
//!
//! The node, or the home where none runs, says what goes and what is taken in, in batches; this side reads and writes the
//! files and believes nothing they say. A folder has a file for each bundle, named after it; one file has many, as
//! [`crate::bundle::first_part`] reads them. Beside each stands when it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use serde::Serialize;
use tokio::time::Instant;

use super::args::{Load, Stick, StickWhat};
use super::link::{Link, nothing_set_up, take};
use super::out::Out;
use super::{Outcome, Stop};
use crate::api::model::{
    EnteredRow, Fate, FromStick, LeavingRow, Listing, Request, Row, STICK_BUNDLES_MAX, STICK_BYTES_MAX, Schema, When,
    WillingRow,
};
use crate::api::{ApiError, Engine, ErrorKind};
use crate::bundle::written_part;
use crate::id::{BundleId, IdPrefix};
use crate::safe_text::safe_text;
use crate::stick::{Folder, Found, Name, Parts, ToWrite};
use crate::units::about_bytes;

/// How many batches are on their way in at a time.
const BATCHES_AT_ONCE: usize = 3;
/// Most refusals that are told one by one.
const REASONS_MAX: usize = 32;
/// How often a folder that is watched is looked at, unless a look takes long.
const LOOK: Duration = Duration::from_secs(2);
/// A look takes at most one part in so many of the time.
const LOOK_PARTS: u32 = 10;
/// How often a closed home is opened to see whether it has something new: that takes more than to ask a node.
const LOOK_CLOSED: Duration = Duration::from_secs(10);
/// What was refused for now is tried again after so long.
const AGAIN: Duration = Duration::from_secs(600);

/// What an export came to.
#[derive(Debug, Serialize)]
struct ExportedRow {
    schema: Schema,
    bundles: u64,
    bytes: u64,
    /// What would go as well and is over the limit, or did not fit.
    left_out: u64,
    /// What would go and lies there already.
    there: u64,
}

/// What an import came to.
#[derive(Debug, Serialize)]
struct ImportedRow {
    schema: Schema,
    new: u64,
    known: u64,
    refused: u64,
    /// Folders, which are not looked into.
    skipped: u64,
    /// Why, of the first that were refused.
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    file: String,
    why: String,
}

pub async fn stick(engine: &dyn Engine, home: Option<&Path>, args: &Stick, out: &Out) -> Outcome {
    match &args.what {
        StickWhat::Export { place, load } => export(&Link::to(engine, home)?, place, load, out).await,
        StickWhat::Import { place } => import(&Link::to(engine, home)?, place, out).await,
        StickWhat::Watch { dir, load } => watch(engine, home, dir, load, out).await,
    }
}

async fn export(link: &Link<'_>, place: &Path, load: &Load, out: &Out) -> Outcome {
    let mut exported = ExportedRow::none();
    let (done, is_data) = match place {
        place if place.as_os_str() == "-" => {
            let plan = Plan::of(link, load, &BTreeSet::new(), &mut exported).await?;
            let done = plan.write(link, load, &mut Sequence::to(Box::new(io::stdout().lock())), &mut exported).await;
            (done, true)
        }
        place if place.is_dir() => {
            let folder = open(place)?;
            let there = ids_in(&folder, &mut Seen::default()).map_err(|error| unreadable(place, &error))?;
            let plan = Plan::of(link, load, &there, &mut exported).await?;
            let mut target = InFolder { folder: &folder, place };
            (plan.write(link, load, &mut target, &mut exported).await, false)
        }
        place => (export_to_file(link, place, load, &mut exported).await, false),
    };
    let name = safe_text(&place.display().to_string());
    if done.is_ok() && exported.is_nothing() && load.whom.is_none() {
        out.talk("what would go to one person only is written with --for WHO");
    }
    match is_data {
        true => out.talk(exported.text("stdout").trim_end()),
        false if done.is_ok() || exported.bundles > 0 => out.row(&exported, |_| exported.text(&name))?,
        false => {}
    }
    Ok(done?)
}

/// One new file gets its name once all of it is on the disk.
async fn export_to_file(
    link: &Link<'_>,
    place: &Path,
    load: &Load,
    exported: &mut ExportedRow,
) -> Result<(), ApiError> {
    let shown = place.display();
    if place.symlink_metadata().is_ok() {
        let next = "name another file, a folder, or - for stdout";
        return Err(ApiError::refused(format!("{shown} is there already")).advise(next));
    }
    let (Some(name), parent) = (place.file_name().and_then(|name| name.to_str()), parent_of(place)) else {
        return Err(ApiError::usage(format!("{shown} is no name for a file")));
    };
    let folder = open(&parent)?;
    let plan = Plan::of(link, load, &BTreeSet::new(), exported).await?;
    if plan.bundles.is_empty() {
        return Ok(());
    }
    let hidden = format!(".{name}.{}", std::process::id());
    let path = parent.join(&hidden);
    let made = File::options().write(true).create_new(true).mode(0o644).open(&path);
    let file = made.map_err(|error| cannot_write(place, &error))?;
    let mut sequence = Sequence::to(Box::new(file.try_clone().map_err(|error| cannot_write(place, &error))?));
    let done = plan.write(link, load, &mut sequence, exported).await;
    let named = done.and_then(|()| {
        let finish = || {
            file.sync_all()?;
            folder.name_anew(&hidden, name)
        };
        finish().map_err(|error| cannot_write(place, &error))
    });
    named.inspect_err(|_| {
        // Half a file is no export.
        *exported = ExportedRow::none();
        let _ = std::fs::remove_file(&path);
    })
}

async fn import(link: &Link<'_>, place: &Path, out: &Out) -> Outcome {
    let mut imported = ImportedRow::none();
    let done = match place {
        place if place.as_os_str() == "-" => {
            Intake::of(link, &mut imported).all_of("stdin", Parts::of(io::stdin().lock(), None)).await
        }
        place if place.is_dir() => {
            let folder = open(place)?;
            import_folder(link, &folder, &mut Seen::default(), &mut imported, place).await
        }
        place => {
            let file = File::open(place).map_err(|error| unreadable(place, &error))?;
            let name = place.display().to_string();
            Intake::of(link, &mut imported).all_of(&name, Parts::of(file, None)).await
        }
    };
    if done.is_ok() || imported.new + imported.known > 0 {
        out.row(&imported, |_| imported.text())?;
    }
    tell_reasons(&imported, out);
    done?;
    let is_nothing = imported.new + imported.known == 0 && imported.refused > 0;
    if is_nothing && !place.is_dir() { Err(Stop::Code(ErrorKind::Verification.exit_code())) } else { Ok(()) }
}

/// Refusals are the stick's affair, and no error of the command.
fn tell_reasons(imported: &ImportedRow, out: &Out) {
    for Reason { file, why } in &imported.reasons {
        out.talk(&format!("refused {}: {}", safe_text(file), safe_text(why)));
    }
    let more = imported.refused.saturating_sub(imported.reasons.len() as u64);
    if more > 0 {
        out.talk(&format!("and {more} more"));
    }
}

/// What is known of the files of a folder.
#[derive(Default)]
struct Seen {
    files: BTreeMap<Name, Known>,
}

#[derive(Default)]
struct Known {
    ids: BTreeSet<BundleId>,
    /// It need not be taken in again, at least until then.
    is_in: bool,
    again_at: Option<Instant>,
}

/// The ids of all bundles that lie in a folder.
fn ids_in(folder: &Folder, seen: &mut Seen) -> io::Result<BTreeSet<BundleId>> {
    let (names, _) = folder.names()?;
    let mut files = BTreeMap::new();
    for name in names.into_iter().filter(|name| !name.is_folder()) {
        let known = seen.files.remove(&name);
        let known = known.unwrap_or_else(|| Known { ids: folder.ids(&name), ..Known::default() });
        files.insert(name, known);
    }
    seen.files = files;
    Ok(seen.files.values().flat_map(|known| &known.ids).copied().collect())
}

async fn import_folder(
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
        match folder.read(&name) {
            Ok(parts) => intake.read(&shown, parts).await?,
            Err(why) => intake.row.refuse(&shown, why),
        }
        taken.push((shown, name));
    }
    intake.flush().await?;
    for (shown, name) in taken {
        let again_at = intake.again.contains(&shown).then(|| Instant::now() + AGAIN);
        let known = seen.files.entry(name).or_default();
        (known.is_in, known.again_at) = (true, again_at);
    }
    if is_more {
        return Err(ApiError::failure(format!("{} has more files than are looked at", place.display()))
            .advise("put them into several folders"));
    }
    Ok(())
}

/// Bundles on their way in, a few batches at a time: while one is checked another is committed.
struct Intake<'a, 'b> {
    link: &'a Link<'b>,
    row: &'a mut ImportedRow,
    batch: Batch,
    full: Vec<Batch>,
    /// Files of which something was refused for now.
    again: BTreeSet<String>,
}

impl<'a, 'b> Intake<'a, 'b> {
    fn of(link: &'a Link<'b>, row: &'a mut ImportedRow) -> Intake<'a, 'b> {
        Intake { link, row, batch: Batch::default(), full: Vec::new(), again: BTreeSet::new() }
    }

    async fn all_of(mut self, name: &str, parts: Parts<impl Read>) -> Result<(), ApiError> {
        self.read(name, parts).await?;
        self.flush().await
    }

    /// Reads all that one file holds; the last of it goes with the next [`Intake::flush`].
    async fn read(&mut self, name: &str, mut parts: Parts<impl Read>) -> Result<(), ApiError> {
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
                Ok(None) => return Ok(()),
                Err(why) => {
                    self.row.refuse(name, why.to_string());
                    return Ok(());
                }
            }
        }
    }

    async fn flush(&mut self) -> Result<(), ApiError> {
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

/// What goes, as long as there is room.
struct Plan {
    bundles: Vec<WillingRow>,
}

impl Plan {
    /// Asks what would go, and leaves out what lies there, and what is over the limit with it.
    async fn of(
        link: &Link<'_>,
        load: &Load,
        there: &BTreeSet<BundleId>,
        exported: &mut ExportedRow,
    ) -> Result<Plan, ApiError> {
        let mut rows = link.list(Listing::Stick { whom: load.whom.clone() }).await?;
        let (mut bundles, mut bytes) = (Vec::new(), 0u64);
        while let Some(row) = rows.next().await {
            let row = match row {
                Row::Stick(row) => row,
                Row::Ended(why) => return Err(why),
                _ => continue,
            };
            if bytes.saturating_add(row.bytes) > load.max {
                exported.left_out += 1;
                continue;
            }
            bytes += row.bytes;
            match whole_id(&row.id).is_some_and(|id| there.contains(&id)) {
                true => exported.there += 1,
                false => bundles.push(row),
            }
        }
        Ok(Plan { bundles })
    }

    /// Takes the bundles out of the node and writes them, a batch at a time.
    async fn write(
        self,
        link: &Link<'_>,
        load: &Load,
        target: &mut impl Target,
        exported: &mut ExportedRow,
    ) -> Result<(), ApiError> {
        let mut left = &self.bundles[..];
        while !left.is_empty() {
            let mut bytes = 0;
            let fits = left.iter().take(STICK_BUNDLES_MAX).take_while(|row| {
                bytes += row.bytes;
                bytes <= STICK_BYTES_MAX
            });
            let (batch, later) = left.split_at(fits.count().max(1));
            let ids = batch.iter().map(|row| row.id.clone()).collect();
            let whom = load.whom.clone();
            let leaving = take!(link.ask(Request::StickTake { ids, whom }).await?, Leaving)?;
            let leaving: Vec<ToWrite> = leaving.into_iter().filter_map(copy).collect();
            if let Err(error) = target.write(&leaving) {
                exported.left_out += left.len() as u64;
                return Err(error);
            }
            exported.bundles += leaving.len() as u64;
            exported.bytes += leaving.iter().map(|bundle| bundle.bytes.len() as u64).sum::<u64>();
            left = later;
        }
        Ok(())
    }
}

fn copy(LeavingRow { id, at, bytes, .. }: LeavingRow) -> Option<ToWrite> {
    Some(ToWrite { id: whole_id(&id)?, bytes, at: at.map(When::to_dtn) })
}

fn whole_id(id: &str) -> Option<BundleId> {
    IdPrefix::parse(id).map(|prefix| *prefix.range().start())
}

/// Where bundles are written.
trait Target {
    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError>;
}

struct InFolder<'a> {
    folder: &'a Folder,
    place: &'a Path,
}

impl Target for InFolder<'_> {
    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError> {
        self.folder.add(bundles).map_err(|error| cannot_write(self.place, &error))
    }
}

/// One file that holds many.
struct Sequence<'a> {
    file: Box<dyn Write + 'a>,
    written: Option<u64>,
}

impl<'a> Sequence<'a> {
    fn to(file: Box<dyn Write + 'a>) -> Sequence<'a> {
        Sequence { file, written: None }
    }
}

impl Target for Sequence<'_> {
    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError> {
        let mut bytes = Vec::new();
        for bundle in bundles {
            let second = bundle.at.map(|at| at.unix_ms() / 1_000);
            if let Some(at) = bundle.at.filter(|_| second != self.written) {
                self.written = second;
                bytes.extend(written_part(at));
            }
            bytes.extend(&bundle.bytes);
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.flush());
        written.map_err(|error| cannot_write(Path::new("the file"), &error))
    }
}

/// Looks at a folder again and again: takes in what is new there, and adds what is wanted.
async fn watch(engine: &dyn Engine, home: Option<&Path>, dir: &Path, load: &Load, out: &Out) -> Outcome {
    let shown = safe_text(&dir.display().to_string());
    if !Link::to(engine, home)?.home().is_set_up() {
        return Err(nothing_set_up().into());
    }
    out.talk(&format!("watching {shown}; Ctrl-C ends it"));
    let mut watched = Watched { seen: Seen::default(), exported_at: None, names: None };
    let mut said = String::new();
    loop {
        let began = Instant::now();
        let now = match dir.is_dir() {
            false => {
                watched = Watched { seen: Seen::default(), exported_at: None, names: None };
                format!("waiting for {shown}")
            }
            true => {
                let link = Link::to(engine, home)?;
                let done = watched.look(&link, dir, load, out).await;
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
struct Watched {
    seen: Seen,
    exported_at: Option<Instant>,
    /// What lay there after the last look.
    names: Option<Vec<Name>>,
}

impl Watched {
    async fn look(&mut self, link: &Link<'_>, dir: &Path, load: &Load, out: &Out) -> Outcome {
        let folder = open(dir)?;
        let names = |folder: &Folder| folder.names().map(|(names, _)| names).map_err(|error| unreadable(dir, &error));
        let is_changed = self.names.as_ref() != Some(&names(&folder)?);
        let is_due = self.exported_at.is_none_or(|at| at.elapsed() >= LOOK_CLOSED) || link.is_up().await;
        let waits = self.seen.files.values().any(|known| known.again_at.is_some_and(|at| at <= Instant::now()));
        if !is_changed && !is_due && !waits {
            return Ok(());
        }
        self.names = None;
        let there = ids_in(&folder, &mut self.seen).map_err(|error| unreadable(dir, &error))?;
        let mut imported = ImportedRow::none();
        let done = import_folder(link, &folder, &mut self.seen, &mut imported, dir).await;
        if imported.new + imported.refused > 0 {
            out.row(&imported, |_| imported.text())?;
            tell_reasons(&imported, out);
        }
        done?;
        let mut exported = ExportedRow::none();
        let plan = Plan::of(link, load, &there, &mut exported).await?;
        let own: BTreeSet<BundleId> = plan.bundles.iter().filter_map(|row| whole_id(&row.id)).collect();
        let done = plan.write(link, load, &mut InFolder { folder: &folder, place: dir }, &mut exported).await;
        if exported.bundles > 0 {
            out.row(&exported, |_| exported.text(&safe_text(&dir.display().to_string())))?;
            // What was just written need not be taken in; somebody else may have added more meanwhile.
            ids_in(&folder, &mut self.seen).map_err(|error| unreadable(dir, &error))?;
            let written =
                self.seen.files.values_mut().filter(|known| !known.ids.is_empty() && known.ids.is_subset(&own));
            written.for_each(|known| known.is_in = true);
        }
        done?;
        self.exported_at = Some(Instant::now());
        self.names = Some(names(&folder)?);
        Ok(())
    }
}

impl ExportedRow {
    fn none() -> ExportedRow {
        ExportedRow { schema: Schema, bundles: 0, bytes: 0, left_out: 0, there: 0 }
    }

    fn is_nothing(&self) -> bool {
        self.bundles + self.left_out + self.there == 0
    }

    fn text(&self, place: &str) -> String {
        let mut text = match self.bundles {
            0 => format!("nothing new to write to {place}"),
            _ => format!("wrote {}, {}, to {place}", counted(self.bundles), about_bytes(self.bytes)),
        };
        if self.there > 0 {
            text += &format!("; {} there already", self.there);
        }
        if self.left_out > 0 {
            text += &format!("; {} left out", self.left_out);
        }
        text + "\n"
    }
}

impl ImportedRow {
    fn none() -> ImportedRow {
        ImportedRow { schema: Schema, new: 0, known: 0, refused: 0, skipped: 0, reasons: Vec::new() }
    }

    fn refuse(&mut self, file: &str, why: String) {
        self.refused += 1;
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(Reason { file: file.to_owned(), why });
        }
    }

    fn text(&self) -> String {
        format!("took in {}; {} known, {} refused\n", counted(self.new), self.known, self.refused)
    }
}

impl ApiError {
    /// Whether it is what was asked that makes no sense.
    fn is_of_asker(&self) -> bool {
        matches!(self.kind, ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Store)
    }
}

fn counted(bundles: u64) -> String {
    if bundles == 1 { "1 bundle".into() } else { format!("{bundles} bundles") }
}

fn open(place: &Path) -> Result<Folder, ApiError> {
    Folder::open(place).map_err(|error| unreadable(place, &error))
}

fn parent_of(place: &Path) -> PathBuf {
    place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn unreadable(place: &Path, error: &io::Error) -> ApiError {
    ApiError::failure(format!("cannot read {}: {error}", place.display()))
        .advise("see that it is there and may be read; nothing is lost")
}

fn cannot_write(place: &Path, error: &io::Error) -> ApiError {
    use io::ErrorKind as K;
    let next = match error.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => "make room there, or name another place",
        K::ReadOnlyFilesystem | K::PermissionDenied => "make it writable, or name another place",
        _ => "see that it is there, and try again; what was written stays, and this node keeps all of it",
    };
    ApiError::failure(format!("cannot write to {}: {error}", place.display())).advise(next)
}
