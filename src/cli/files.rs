//! `dak backup`, `dak restore` and `dak bundle`: homes and bundles as files.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use super::args::{Bundle, BundleWhat, Vault};
use super::link::{Link, take};
use super::out::{Out, stdin_is_person};
use super::{Outcome, Stop};
use crate::api::model::{Done, Request, Schema};
use crate::api::{ApiError, Engine, ErrorKind};

use crate::bundle::{BUNDLE_BYTES_MAX, Inspection, inspect};
use crate::home::Home;
use crate::safe_text::{safe_block, safe_text};
use crate::units::about_bytes;

/// Longest passphrase read from a file, in bytes.
const PASSPHRASE_BYTES_MAX: u64 = 4_096;

pub async fn backup(link: &Link<'_>, args: &Vault, out: &Out) -> Outcome {
    let path = absolute(&args.file)?;
    if path.symlink_metadata().is_ok() {
        let message = format!("{} exists already", path.display());
        return Err(ApiError::refused(message).advise("name another file; a backup is never written over").into());
    }
    let passphrase = passphrase(args, "A passphrase for the backup: ", true).await?;
    let path = path.to_str().ok_or_else(|| ApiError::usage("the file's name is not UTF-8"))?.to_owned();
    let request = Request::Backup { path, passphrase: passphrase.to_string() };
    let file = take!(link.ask(request).await?, Backup)?;
    out.row(&file, |_| format!("wrote {} to {}\n", about_bytes(file.bytes), safe_text(&file.name)))?;
    out.talk("without its passphrase nobody can read it, and nobody can help");
    Ok(())
}

pub async fn restore(engine: &dyn Engine, home: Option<&Path>, args: &Vault, out: &Out) -> Outcome {
    let path = absolute(&args.file)?;
    let home = Home::open_or_create(home).map_err(ApiError::from)?;
    let place = home.data_directory().display().to_string();
    if home.is_set_up() {
        let message = format!("there is an identity in {place} already");
        return Err(ApiError::refused(message).advise("name an empty directory with --home").into());
    }
    let passphrase = passphrase(args, "The backup's passphrase: ", false).await?;
    engine.restore(&home, &path, &passphrase)?;
    out.row(&Done::default(), |_| format!("restored in {}\n", safe_text(&place)))?;
    out.talk("never run two nodes with one identity: stop the old one for good, then `dak up`");
    Ok(())
}

/// Exits 8 where the bundle does not verify.
pub fn bundle(args: &Bundle, out: &Out) -> Outcome {
    let BundleWhat::Inspect { file } = &args.what;
    let inspection = inspect(&bundle_bytes(file)?);
    let row = InspectRow { schema: Schema, inspection: &inspection };
    out.row(&row, |_| safe_block(&inspection.to_string()))?;
    if inspection.verified { Ok(()) } else { Err(Stop::Code(ErrorKind::Verification.exit_code())) }
}

#[derive(Serialize)]
struct InspectRow<'a> {
    schema: Schema,
    #[serde(flatten)]
    inspection: &'a Inspection,
}

fn bundle_bytes(file: &Path) -> Result<Vec<u8>, ApiError> {
    let shown = file.display();
    let cannot = |error| ApiError::failure(format!("cannot read {shown}: {error}"));
    let source: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(file).map_err(cannot)?),
    };
    let mut bytes = Vec::new();
    source.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(ApiError::refused(format!("{shown} is larger than any bundle ({BUNDLE_BYTES_MAX} bytes)")));
    }
    Ok(bytes)
}

/// The node that writes the file may run in another directory.
fn absolute(path: &Path) -> Result<PathBuf, ApiError> {
    std::path::absolute(path).map_err(|error| ApiError::usage(format!("{} is no file: {error}", path.display())))
}

async fn passphrase(args: &Vault, prompt: &'static str, twice: bool) -> Result<Zeroizing<String>, ApiError> {
    let passphrase = match &args.passphrase_file {
        Some(file) => first_line(file)?,
        None if !stdin_is_person() => {
            return Err(
                ApiError::usage("there is nobody to ask for the passphrase").advise("use --passphrase-file FILE")
            );
        }
        None => {
            let asked = tokio::task::spawn_blocking(move || ask(prompt, twice)).await;
            asked.map_err(|error| ApiError::failure(error.to_string()))??
        }
    };
    match passphrase.is_empty() {
        true => Err(ApiError::usage("the passphrase is empty").advise("whoever finds the file would have the key")),
        false => Ok(passphrase),
    }
}

fn ask(prompt: &str, twice: bool) -> Result<Zeroizing<String>, ApiError> {
    let hidden = |prompt: &str| {
        let typed = rpassword::prompt_password(prompt).map(Zeroizing::new);
        typed.map_err(|error| ApiError::failure(format!("cannot read the passphrase: {error}")))
    };
    let passphrase = hidden(prompt)?;
    if twice && hidden("Once more: ")? != passphrase {
        return Err(ApiError::usage("the two passphrases differ").advise("try again"));
    }
    Ok(passphrase)
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, ApiError> {
    let cannot = |error| {
        let message = format!("cannot read {}: {error}", file.display());
        ApiError::failure(message).advise("name a file whose first line is the passphrase")
    };
    let mut text = Zeroizing::new(String::new());
    let opened = std::fs::File::open(file).map_err(cannot)?;
    opened.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text).map_err(cannot)?;
    // Some editors begin a file with the mark of its encoding, which nobody could type at a prompt.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
