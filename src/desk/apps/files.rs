//! The files of shared apps: where they lie, and what they hold.
//!
//! A container rides inside its message or came in parts; it is read whole, which [`XDC_BYTES_MAX`] bounds, and only the last
//! few stay open.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::Desk;
use super::App;
use crate::api::{ApiError, NextStep};
use crate::blobs::Blobs;
use crate::content::{Attachment, Content, Enclosed, Mark, Shape, Text};
use crate::mail::apps::is_app;
use crate::mail::conversation::Conversation;
use crate::store::StoreError;
use crate::store::redb::{Body, Entry, RedbReader};
use crate::xdc::{Container, XDC_BYTES_MAX};

/// Containers that stay open.
const OPEN_MAX: usize = 4;
/// Descriptions that stay at hand.
const DESCRIBED_MAX: usize = 256;
/// Longest name of an app that anybody is shown, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Longest address of a source, in bytes.
const SOURCE_BYTES_MAX: usize = 512;

/// Containers that were opened lately.
#[derive(Default)]
pub struct Containers(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    /// The last one last.
    open: Vec<(Key, Arc<Container>)>,
    described: Vec<(Key, Arc<Described>)>,
    hosts: Vec<(String, (Conversation, Mark))>,
}

/// Whose container it is, and the file as the message names it: a later bundle of the message may have another.
type Key = (Vec<u8>, Mark, String);

/// What a container says of itself.
#[derive(Default)]
pub struct Described {
    pub name: Option<String>,
    pub source_code_url: Option<String>,
    pub icon: bool,
    /// It came with the program.
    pub ours: bool,
    pub here: bool,
    pub broken: Option<String>,
}

/// The file of an app beside a message.
pub enum AppFile {
    Inside(Attachment),
    InParts(Enclosed),
}

impl AppFile {
    pub fn name(&self) -> &str {
        match self {
            AppFile::Inside(file) => &file.name,
            AppFile::InParts(file) => &file.name,
        }
    }
}

/// The file of the app that a message has.
pub fn of(record: &RedbReader, entry: &Entry) -> Result<Option<AppFile>, StoreError> {
    let row = match entry {
        Entry::Came(letter) => Some(letter.row),
        Entry::Own(outgoing) => outgoing.row,
    };
    let Some(row) = row else { return Ok(None) };
    let Some(Body::Filed(filed)) = record.words(&[row])?.pop().flatten() else { return Ok(None) };
    let Ok(Content::Text(Text { attachments, enclosed, .. })) = Content::decode(&filed.content) else {
        return Ok(None);
    };
    let inside = attachments.into_iter().find(|file| is_app(&file.name)).map(AppFile::Inside);
    let is_file = |file: &Enclosed| is_app(&file.name) && file.shape == Shape::File;
    Ok(inside.or_else(|| enclosed.into_iter().find(is_file).map(AppFile::InParts)))
}

/// Why a container is not to be had.
enum Closed {
    /// Not all of it is here.
    Away,
    Broken(String),
}

impl Desk {
    /// What an app's container says of itself.
    pub(super) async fn describe(&self, app: &App) -> Result<Arc<Described>, ApiError> {
        let key = key(app);
        let containers = &self.inner.containers;
        if let Some(described) = containers.described(&key) {
            return Ok(described);
        }
        let described = match self.opened(app).await? {
            Ok(container) => Described {
                name: container.name().map(|name| name.chars().take(NAME_CHARS_MAX).collect()),
                source_code_url: container
                    .source_code_url()
                    .filter(|url| url.len() <= SOURCE_BYTES_MAX)
                    .map(Into::into),
                icon: container.icon().is_some(),
                ours: super::ours::is_one(container.hash()),
                here: true,
                broken: None,
            },
            // It may come.
            Err(Closed::Away) => return Ok(Arc::default()),
            Err(Closed::Broken(why)) => Described { broken: Some(why), ..Described::default() },
        };
        let described = Arc::new(described);
        containers.describe(key, &described);
        Ok(described)
    }

    /// The container of an app, by the message that has it.
    pub(super) async fn container(&self, app: &App) -> Result<Arc<Container>, ApiError> {
        let id = app.id().full();
        match self.opened(app).await? {
            Ok(container) => Ok(container),
            Err(Closed::Away) => Err(ApiError::refused("not all of that app is here").next(NextStep::GetFile { id })),
            Err(Closed::Broken(why)) => {
                Err(ApiError::refused(format!("that app cannot be opened: {why}"))
                    .advise("ask its sender for another one"))
            }
        }
    }

    /// The icon of an app.
    pub(in crate::desk) async fn app_icon(&self, id: &str) -> Result<Vec<u8>, ApiError> {
        let app = self.app(id).await?;
        let container = self.container(&app).await?;
        let none = || ApiError::not_found("that app has no icon").advise("show one of your own");
        let icon = container.icon().ok_or_else(none)?.to_owned();
        let read = tokio::task::spawn_blocking(move || container.file(&icon)).await;
        let read = read.map_err(|error| ApiError::failure(error.to_string()))?;
        read.map_err(|error| ApiError::refused(error.to_string()))?.ok_or_else(none)
    }

    /// The host that an app's files are served at: nobody guesses it, and it is the same tomorrow, so that a browser keeps there
    /// what the app stores.
    pub(super) fn host_of(&self, app: &App) -> String {
        let secret = self.node().identity().signing_key().to_bytes();
        let key = blake3::derive_key("dak 2026 host of an app v1", &secret);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&app.with.key()).update(&app.mark);
        let host = format!("app-{}.localhost", base32(&hasher.finalize().as_bytes()[..10]));
        self.inner.containers.host(&host, (app.with.clone(), app.mark));
        host
    }

    async fn opened(&self, app: &App) -> Result<Result<Arc<Container>, Closed>, ApiError> {
        let key = key(app);
        if let Some(container) = self.inner.containers.open(&key) {
            return Ok(Ok(container));
        }
        let (entry, blobs) = (app.entry.clone(), Arc::clone(self.node().blobs()));
        let file = self.record(move |record| of(record, &entry)).await?;
        let Some(file) = file else { return Ok(Err(Closed::Away)) };
        let open = move || -> Result<Container, Closed> {
            let bytes = match file {
                AppFile::Inside(file) => file.bytes,
                AppFile::InParts(file) => whole(&blobs, &file)?,
            };
            Container::open(bytes).map_err(|error| Closed::Broken(error.to_string()))
        };
        let opened = tokio::task::spawn_blocking(open).await.map_err(|error| ApiError::failure(error.to_string()))?;
        Ok(opened.map(|container| self.inner.containers.keep(key, Arc::new(container))))
    }
}

/// All bytes of a file that came in parts.
fn whole(blobs: &Arc<Blobs>, file: &Enclosed) -> Result<Vec<u8>, Closed> {
    if file.bytes > XDC_BYTES_MAX {
        return Err(Closed::Broken(format!("it has {} bytes, and the limit is {XDC_BYTES_MAX}", file.bytes)));
    }
    if !blobs.have(&file.root).is_some_and(|(_, have)| have.is_all()) {
        return Err(Closed::Away);
    }
    let mut bytes = Vec::new();
    let read = blobs.read(&file.root, &file.key).and_then(|read| read.take(XDC_BYTES_MAX).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| Closed::Broken(error.to_string()))
}

/// As RFC 4648 has it, in small letters.
fn base32(bytes: &[u8]) -> String {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect::<Vec<u8>>();
    let digit = |five: &[u8]| {
        char::from(b"abcdefghijklmnopqrstuvwxyz234567"[five.iter().fold(0, |n, bit| 2 * n + usize::from(*bit))])
    };
    bits.chunks(5).map(digit).collect()
}

fn key(app: &App) -> Key {
    (app.with.key(), app.mark, app.id().full())
}

impl Containers {
    fn open(&self, key: &Key) -> Option<Arc<Container>> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = lately.open.iter().position(|(of, _)| of == key)?;
        let found = lately.open.remove(at);
        let container = Arc::clone(&found.1);
        lately.open.push(found);
        Some(container)
    }

    fn keep(&self, key: Key, container: Arc<Container>) -> Arc<Container> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.open.retain(|(of, _)| *of != key);
        if lately.open.len() >= OPEN_MAX {
            lately.open.remove(0);
        }
        lately.open.push((key, Arc::clone(&container)));
        container
    }

    /// The app of a host, if anybody looked at it lately.
    pub fn hosted(&self, host: &str) -> Option<(Conversation, Mark)> {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.hosts.iter().find(|(of, _)| of == host).map(|(_, app)| app.clone())
    }

    fn host(&self, host: &str, app: (Conversation, Mark)) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.hosts.iter().any(|(of, _)| of == host) {
            return;
        }
        if lately.hosts.len() >= DESCRIBED_MAX {
            lately.hosts.remove(0);
        }
        lately.hosts.push((host.to_owned(), app));
    }

    fn described(&self, key: &Key) -> Option<Arc<Described>> {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.described.iter().find(|(of, _)| of == key).map(|(_, described)| Arc::clone(described))
    }

    fn describe(&self, key: Key, described: &Arc<Described>) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.described.len() >= DESCRIBED_MAX {
            lately.described.remove(0);
        }
        lately.described.push((key, Arc::clone(described)));
    }
}
