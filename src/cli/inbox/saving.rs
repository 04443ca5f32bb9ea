//! The files of a message, saved in a directory under harmless names and never over what is there.

use std::path::{Path, PathBuf};

use crate::api::ApiError;
use crate::api::model::{File, LetterRow};
use crate::cli::link::Link;
use crate::cli::transfers;
use crate::folder::harmless_name;
use crate::home::create_private_file;
use crate::safe_text::safe_text;

/// Saves all files of a message in a directory, and tells of each.
pub async fn save_files(
    link: &Link<'_>,
    letter: &LetterRow,
    directory: &Path,
    mut tell: impl FnMut(String),
) -> Result<(), ApiError> {
    let beside = letter.row.attachments.iter().skip(letter.files.len());
    let beside: Vec<&str> = beside.filter_map(|file| file.id.as_deref()).collect();
    match letter.files.is_empty() && beside.is_empty() {
        true => tell("nothing to save: no file came with it".into()),
        false => make_directory(directory)?,
    }
    for file in &letter.files {
        if file.bytes.is_empty() {
            tell(format!("{} has no bytes here: it was empty, or its bytes were purged", safe_text(&file.name)));
            continue;
        }
        let path = save(directory, file)?;
        tell(format!("saved {}", safe_text(&path.display().to_string())));
    }
    for id in beside {
        let saved = transfers::save(link, id, directory).await?;
        tell(format!("saved {}", safe_text(&saved.name)));
    }
    Ok(())
}

fn make_directory(directory: &Path) -> Result<(), ApiError> {
    std::fs::create_dir_all(directory).map_err(|error| {
        let place = directory.display();
        ApiError::failure(format!("cannot make the directory {place}: {error}")).advise("name another one with --save")
    })
}

/// Saves under a harmless name, and never over a file that is there.
fn save(directory: &Path, file: &File) -> Result<PathBuf, ApiError> {
    let name = harmless_name(&file.name);
    let failed = |path: &Path, error: std::io::Error| {
        ApiError::failure(format!("cannot save {}: {error}", path.display()))
            .advise("name another directory with --save")
    };
    for n in 0..1_000 {
        let numbered = if n == 0 { name.clone() } else { format!("{n}-{name}") };
        let path = directory.join(numbered);
        match create_private_file(&path, &file.bytes) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    Err(ApiError::failure(format!("there are too many files called {name} already")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_has_a_name_that_does_nothing() {
        let names = ["map.png", "../../x", "-rf", ".profile", "a\u{202e}b", "C:\\c|d", "…", " . "];
        let saved = ["map.png", "x", "_rf", "profile", "a_b", "c_d", "…", "attachment"];
        assert_eq!(names.map(harmless_name), saved);
    }

    #[test]
    fn a_saved_attachment_goes_nowhere_else_and_over_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| File { name: name.into(), bytes: b"x".to_vec() };
        let names = ["../../etc/passwd", "..", "", "a\u{1b}[2Jb", "C:\\x\\y.txt", "y.txt", "/", ".bashrc"];
        let saved: Vec<PathBuf> = names.iter().map(|name| save(directory.path(), &file(name)).unwrap()).collect();
        let saved: Vec<&str> =
            saved.iter().map(|path| path.strip_prefix(directory.path()).unwrap().to_str().unwrap()).collect();
        let wanted = ["passwd", "attachment", "1-attachment", "a_[2Jb", "y.txt", "1-y.txt", "2-attachment", "bashrc"];
        assert_eq!(saved, wanted);
    }
}
