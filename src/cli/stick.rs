//! `dak stick`: bundles carried by hand, in the files of a folder or in one file.
//!
//! The node, or the home where none runs, says what goes and what is taken in, in batches; this side reads and writes the
//! files and believes nothing they say. A folder has a file for each bundle, named after it; one file has many, as
//! [`crate::bundle::first_part`] reads them. Beside each stands when it was written.

mod bringing;
mod leaving;
mod watching;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::bringing::{Intake, Seen, ids_in, import_folder};
use self::leaving::{InFolder, Plan, Sequence};
use self::watching::watch;
use super::args::{Load, Stick, StickWhat};
use super::link::Link;
use super::out::Out;
use super::{Outcome, Stop};
use crate::api::model::Schema;
use crate::api::{ApiError, Engine, ErrorKind};
use crate::safe_text::safe_text;
use crate::stick::{Folder, Parts, is_begun};
use crate::units::{about_bytes, counted};

/// Most refusals that are told one by one.
const REASONS_MAX: usize = 32;

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
    /// What was taken out of the node and could not be written.
    #[serde(skip)]
    wasted: u64,
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
    // Who ends a name so means a folder.
    if place.as_os_str().as_encoded_bytes().ends_with(b"/") && !place.exists() {
        std::fs::create_dir(place).map_err(|error| cannot_write(place, &error))?;
    }
    let (done, is_data) = match place {
        place if place.as_os_str() == "-" => {
            let plan = Plan::of(link, load, &BTreeSet::new(), &mut exported).await?;
            let done = plan.write(link, load, &mut Sequence::to(Box::new(io::stdout().lock())), &mut exported).await;
            (done, true)
        }
        place if place.is_dir() => {
            let folder = open_to_write(place)?;
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
    let begun = |pid: &str| format!(".{name}.{pid}.unfinished");
    // What a killed export to the same file left goes.
    let is_left = |other: &str| other.split('.').rev().nth(1).is_some_and(|pid| is_number(pid) && other == begun(pid));
    let folder = Folder::open_to_write(&parent, is_left).map_err(|error| unreadable(&parent, &error))?;
    let plan = Plan::of(link, load, &BTreeSet::new(), exported).await?;
    if plan.bundles.is_empty() {
        return Ok(());
    }
    let hidden = begun(&std::process::id().to_string());
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

impl ExportedRow {
    fn none() -> ExportedRow {
        ExportedRow { schema: Schema, bundles: 0, bytes: 0, left_out: 0, there: 0, wasted: 0 }
    }

    fn is_nothing(&self) -> bool {
        self.bundles + self.left_out + self.there == 0
    }

    fn text(&self, place: &str) -> String {
        let mut text = match self.bundles {
            0 => format!("nothing new to write to {place}"),
            _ => format!("wrote {}, {}, to {place}", counted(self.bundles, "bundle"), about_bytes(self.bytes)),
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
        format!("took in {}; {} known, {} refused\n", counted(self.new, "bundle"), self.known, self.refused)
    }
}

fn open(place: &Path) -> Result<Folder, ApiError> {
    Folder::open(place).map_err(|error| unreadable(place, &error))
}

fn open_to_write(place: &Path) -> Result<Folder, ApiError> {
    Folder::open_to_write(place, is_begun).map_err(|error| unreadable(place, &error))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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
