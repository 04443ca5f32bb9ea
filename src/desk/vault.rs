//! Backups: identity, configuration and store in one encrypted file, made while the node runs, and back.

use std::path::{Path, PathBuf};

use super::Desk;
use crate::api::model::FileRow;
use crate::api::{ApiError, ErrorKind};
use crate::backup::{BackupError, BackupReader, BackupWriter, CONFIG, IDENTITY};
use crate::blobs;
use crate::home::{Home, create_private_file};
use crate::keys::Identity;
use crate::store::StoreError;
use crate::store::redb::{import_records, keep_aside};

/// What the names of the store's records start with.
const STORE: &str = "store/";
/// What the names of files that came or went in parts start with.
const FILES: &str = "files/";
/// Longest single record read back, in bytes: a body, its key, and room to grow.
const RECORD_BYTES_MAX: usize = 16 << 20;

impl Desk {
    pub(super) async fn backup(&self, path: String, passphrase: String) -> Result<FileRow, ApiError> {
        let desk = self.clone();
        let write = move || desk.write_backup(Path::new(&path), &passphrase);
        tokio::task::spawn_blocking(write).await.map_err(|error| ApiError::failure(error.to_string()))?
    }

    fn write_backup(&self, path: &Path, passphrase: &str) -> Result<FileRow, ApiError> {
        let cannot = |error| match error {
            BackupError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!("cannot write {}: its directory is not there", path.display());
                ApiError::new(ErrorKind::Place, message)
                    .advise("make the directory first, or name a file in one that is there")
            }
            BackupError::Io(error) => {
                let error = std::io::Error::from(error.kind());
                ApiError::at_place(&format!("cannot write {}", path.display()), &error)
                    .advise("name a file in a directory that can be written")
            }
            error => error.into(),
        };
        let mut backup = BackupWriter::create(path, passphrase).map_err(cannot)?;
        backup.record(IDENTITY, self.node().identity().to_text().as_bytes())?;
        if let Ok(config) = std::fs::read(self.inner.home.config_path()) {
            backup.record(CONFIG, &config)?;
        }
        let records = self.node().reader().records()?;
        records.each(&mut |name, bytes| {
            backup.record(&format!("{STORE}{name}"), bytes).map_err(|error| StoreError::Io(error.to_string()))
        })?;
        let mut failed = None;
        let files = blobs::each_file(self.node().blobs().dir(), &mut |name, len, mut file| {
            backup.stream(&format!("{FILES}{name}"), len, &mut file).map_err(|error| {
                let said = std::io::Error::other(error.to_string());
                failed = Some(error);
                said
            })
        });
        if let Some(error) = failed {
            return Err(cannot(error));
        }
        files.map_err(|error| ApiError::failure(format!("the files of this home cannot be read: {error}")))?;
        backup.finish().map_err(cannot)?;
        let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
        Ok(FileRow::of(path.display().to_string(), bytes))
    }
}

/// Fills an empty home from a backup. The identity comes last: without it the home counts as not set up.
pub fn restore(home: &Home, backup: &Path, passphrase: &str) -> Result<(), ApiError> {
    let mut reader = BackupReader::open(backup, passphrase).map_err(|error| match error {
        BackupError::Io(error) => ApiError::failure(format!("cannot read {}: {error}", backup.display()))
            .advise("name the file that the backup was written to"),
        error @ BackupError::NotABackup { .. } => {
            ApiError::from(error).advise("name the file that the backup was written to")
        }
        error @ BackupError::WrongPassphrase => ApiError::from(error).advise("type it again, or use another copy"),
        error => error.into(),
    })?;
    let store = home.store_path();
    let fresh: PathBuf = store.with_extension("restoring");
    let _ = std::fs::remove_file(&fresh);
    let (files, fresh_files) = (store.with_file_name(crate::node::FILES), store.with_file_name("files-restoring"));
    let _ = std::fs::remove_dir_all(&fresh_files);
    let mut secrets = Secrets { files: fresh_files.clone(), ..Secrets::default() };
    let mut failed = None;
    let result = import_records(&fresh, Records { reader: &mut reader, secrets: &mut secrets, failed: &mut failed });
    if let Some(error) = failed {
        let _ = (std::fs::remove_file(&fresh), std::fs::remove_dir_all(&fresh_files));
        return Err(error.into());
    }
    result.map_err(|error| match error {
        StoreError::Full | StoreError::Newer { .. } => error.into(),
        error => ApiError::verification(error.to_string()),
    })?;
    let text = secrets.identity.ok_or_else(|| ApiError::verification("the backup holds no identity"))?;
    let identity = Identity::from_text(&text).map_err(|error| ApiError::verification(error.to_string()))?;
    let cannot = |error: std::io::Error| ApiError::failure(format!("cannot write {}: {error}", store.display()));
    if store.exists() {
        // Perhaps of a home whose identity was lost: nothing in it is thrown away.
        keep_aside(&store, "replaced").map_err(cannot)?;
    }
    std::fs::rename(&fresh, &store).map_err(cannot)?;
    if fresh_files.exists() {
        if files.exists() {
            keep_aside(&files, "replaced").map_err(cannot)?;
        }
        std::fs::rename(&fresh_files, &files).map_err(cannot)?;
    }
    if let Some(config) = secrets.config {
        match create_private_file(&home.config_path(), &config) {
            // The one that is there was written for this place, or by a restore that broke off.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            written => written.map_err(cannot)?,
        }
    }
    Ok(identity.save(&home.identity_path())?)
}

#[derive(Default)]
struct Secrets {
    identity: Option<String>,
    config: Option<Vec<u8>>,
    /// Where files are put for now.
    files: PathBuf,
}

/// The store's records of a backup; what is not the store's is set aside on the way.
struct Records<'a> {
    reader: &'a mut BackupReader,
    secrets: &'a mut Secrets,
    /// Why the backup could not be read to its end.
    failed: &'a mut Option<BackupError>,
}

impl Iterator for Records<'_> {
    type Item = Result<(String, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.failed.is_none() {
            let mut record = match self.reader.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => return None,
                Err(error) => return Some(Err(self.fail(error))),
            };
            let name = record.name.clone();
            if let Some(file) = name.strip_prefix(FILES) {
                if let Err(error) = blobs::put_back(&self.secrets.files, file, &mut record) {
                    return Some(Err(self.fail(error.into())));
                }
                continue;
            }
            let bytes = match record.bytes(RECORD_BYTES_MAX) {
                Ok(bytes) => bytes,
                Err(error) => return Some(Err(self.fail(error))),
            };
            match name.strip_prefix(STORE) {
                Some(name) => return Some(Ok((name.to_owned(), bytes))),
                None if name == IDENTITY => self.secrets.identity = String::from_utf8(bytes).ok(),
                None if name == CONFIG => self.secrets.config = Some(bytes),
                None => {}
            }
        }
        None
    }
}

impl Records<'_> {
    fn fail(&mut self, error: BackupError) -> StoreError {
        let said = StoreError::Io(error.to_string());
        *self.failed = Some(error);
        said
    }
}
