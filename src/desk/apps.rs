//! Shared apps: which there are, what is in their files, and their updates, there and back.

mod files;
mod notices;
mod ours;

use std::collections::{BTreeMap, VecDeque};

pub use self::files::Containers;
use serde_json::Value;

use super::Desk;
use super::changes::Subject;
use super::rows;
use crate::agent::change::{Letter, Row as RecordRow};
use crate::api::model::{
    AppBound, AppRow, AppStartRow, AppUpdateRow, Compose, File, NewAppUpdate, Schema, SentRow, When,
};
use crate::api::{ApiError, NextStep, Row};
use crate::bundle::{LIFETIME_MAX, Priority};
use crate::content::json::{NESTED_MAX, is_json};
use crate::content::{
    ADDRESS_BYTES_MAX, AppUpdate, Content, HREF_BYTES_MAX, INFO_BYTES_MAX, Mark, NOTICE_BYTES_MAX, NOTIFIED_MAX,
    PAYLOAD_BYTES_MAX, TITLE_BYTES_MAX, is_app_update, pad,
};
use crate::id::{BundleId, NodeId};
use crate::mail::apps::{
    self, AUTHOR_BYTES_MAX, AUTHOR_UPDATES_MAX, FILE_ENDING, Sum, UPDATES_BYTES_MAX, UPDATES_MAX, Updates,
};
use crate::mail::conversation::Conversation;
use crate::store::StoreError;
use crate::store::redb::{Body, Entry, RedbReader};

/// How long an app waits between two updates, in milliseconds: each is a signed bundle of its own, which others carry.
pub const INTERVAL_MS: u64 = 1_000;
/// Most apps of one look.
const PAGE_APPS: usize = 64;
/// Updates that are read together.
const PAGE_UPDATES: usize = 64;

/// An app of the record.
#[derive(Clone)]
pub struct App {
    pub with: Conversation,
    pub mark: Mark,
    pub entry: Entry,
    /// The name of its file.
    pub file: String,
}

impl App {
    pub fn id(&self) -> BundleId {
        match &self.entry {
            Entry::Came(letter) => letter.id,
            Entry::Own(outgoing) => outgoing.id,
        }
    }

    fn author(&self, me: NodeId) -> NodeId {
        match &self.entry {
            Entry::Came(letter) => letter.source,
            Entry::Own(outgoing) => outgoing.source.unwrap_or(me),
        }
    }
}

impl Desk {
    /// All apps, or those of one conversation.
    pub(super) async fn apps(&self, who: Option<&str>) -> Result<Vec<AppRow>, ApiError> {
        let only = match who {
            Some(who) => Some(self.conversation_with(who).await?),
            None => None,
        };
        let mut rows = Vec::new();
        for app in self.record(all).await?.into_iter().filter(|app| only.as_ref().is_none_or(|with| app.with == *with))
        {
            rows.push(self.app_row(&app).await?);
        }
        Ok(rows)
    }

    /// One app, with what it takes to run it.
    pub(super) async fn app_start(&self, id: &str) -> Result<AppStartRow, ApiError> {
        let app = self.app(id).await?;
        self.started(app).await
    }

    async fn started(&self, app: App) -> Result<AppStartRow, ApiError> {
        let me = self.node().identity().node();
        Ok(AppStartRow {
            self_addr: apps::address_in(&app.mark, &me),
            self_name: self.inner.name.clone(),
            host: self.host_of(&app),
            send_update_interval_ms: INTERVAL_MS,
            send_update_bytes_max: PAYLOAD_BYTES_MAX as u64,
            ours: self.describe(&app).await?.ours,
            app: self.app_row(&app).await?,
        })
    }

    async fn app_row(&self, app: &App) -> Result<AppRow, ApiError> {
        let (with, mark, me) = (app.with.clone(), app.mark, self.node().identity().node());
        let read = move |record: &RedbReader| {
            let sums = record.app_sums(&with, &mark, &me)?;
            let updates = record.app_updates(&with, &mark)?;
            Ok((sums, titles(record, &updates)?))
        };
        let ((all, own), (summary, document)) = self.record(read).await?;
        let author = app.author(me);
        let from = self.look(move |_, names| names.person(&author)).await?;
        let at = match &app.entry {
            Entry::Came(letter) => When::from_dtn(letter.creation.time),
            Entry::Own(outgoing) => rows::when_known(outgoing.created),
        };
        let described = self.describe(app).await?;
        let Sum { updates, bytes } = all;
        Ok(AppRow {
            schema: Schema,
            id: app.id().full(),
            conversation: rows::address_of(&app.with.0),
            from,
            mine: author == me,
            at,
            name: described.name.clone().unwrap_or_else(|| apps::called(&app.file).to_owned()),
            icon: described.icon,
            source_code_url: described.source_code_url.clone(),
            here: described.here,
            broken: described.broken.clone(),
            updates,
            bytes,
            bound: AppBound { updates: UPDATES_MAX, bytes: UPDATES_BYTES_MAX },
            read_only: apps::is_read_only(all, own),
            summary,
            document,
        })
    }

    /// An app by the message that has it.
    pub(super) async fn app(&self, id: &str) -> Result<App, ApiError> {
        let id = self.find_message(id).await?;
        let none =
            || ApiError::not_found(format!("there is no app beside {}", &id.full()[..10])).next(NextStep::ListApps);
        let (Subject { with, mark, .. }, _) = self.subject_of(id).await.map_err(|_| none())?;
        self.record(move |record| app_of(record, with, mark)).await?.ok_or_else(none)
    }

    /// Tells something in an app, from here.
    pub(super) async fn app_update(&self, new: NewAppUpdate) -> Result<SentRow, ApiError> {
        let app = self.app(&new.id).await?;
        let (with, mark, me) = (app.with.clone(), app.mark, self.node().identity().node());
        let read = move |record: &RedbReader| {
            let sums = record.app_sums(&with, &mark, &me)?;
            Ok((sums, record.app_updates(&with, &mark)?.heads()))
        };
        let ((all, own), prior) = self.record(read).await?;
        let update = update(new, app.mark, prior)?;
        let node = app.with.0.node;
        let content = Content::App(update).encode();
        // More than is heard of one author would be told to nobody.
        if apps::is_read_only(all, own) || apps::is_too_much_with(own, content.len()) {
            let error = format!(
                "that app is at its bound, and read-only from here: {} updates are yours, of {AUTHOR_UPDATES_MAX} or {} \
                 MiB, and {} in all, of {UPDATES_MAX} or {} MiB",
                own.updates,
                AUTHOR_BYTES_MAX >> 20,
                all.updates,
                UPDATES_BYTES_MAX >> 20,
            );
            return Err(ApiError::refused(error).next(NextStep::SendAppAnew { id: app.id().full() }));
        }
        let plaintext = pad(&content);
        let id = self.send_content(node, plaintext, LIFETIME_MAX, Priority::Normal, None).await?;
        self.sent_row(id, node).await
    }

    /// What an app is told that has dealt with everything up to a serial.
    pub(super) async fn app_updates(&self, id: &str, after: u64, json: bool) -> Result<Updating, ApiError> {
        let app = self.app(id).await?;
        let (with, mark) = (app.with, app.mark);
        let read = move |record: &RedbReader| {
            let updates = record.app_updates(&with, &mark)?;
            let left =
                updates.behind(after).into_iter().map(|(serial, entry)| (serial, entry.row, entry.id, entry.author));
            Ok((left.collect::<VecDeque<_>>(), updates.serial_max()))
        };
        let (left, serial_max) = self.record(read).await?;
        Ok(Updating { desk: self.clone(), left, serial_max, json })
    }

    /// Begins one of the apps that come with the program.
    pub(super) async fn app_begin(&self, who: String, app: &str) -> Result<SentRow, ApiError> {
        let Some((name, bytes)) = ours::find(app) else {
            let known = format!("{app:?} is none of the apps that come along, which are {}", ours::names().join(", "));
            return Err(ApiError::usage(known).advise("name one of these, or send a file of your own"));
        };
        let attachments = vec![File { name: format!("{name}{FILE_ENDING}"), bytes: bytes.to_vec() }];
        self.send(Compose { to: who, attachments, ..Compose::default() }).await
    }

    /// The app that is served at a host.
    pub(super) async fn app_at(&self, host: &str) -> Result<AppStartRow, ApiError> {
        let app = self.hosted(host).await?;
        self.started(app).await
    }

    /// A file of that.
    pub(super) async fn app_file(&self, host: &str, name: String) -> Result<Option<Vec<u8>>, ApiError> {
        let container = self.container(&self.hosted(host).await?).await?;
        let read = tokio::task::spawn_blocking(move || container.file(&name)).await;
        let read = read.map_err(|error| ApiError::failure(error.to_string()))?;
        read.map_err(|error| ApiError::refused(error.to_string()).advise("ask its sender for another one"))
    }

    async fn hosted(&self, host: &str) -> Result<App, ApiError> {
        let gone = || ApiError::not_found("no app is served there").next(NextStep::ListApps);
        if let Some((with, mark)) = self.inner.containers.hosted(host) {
            return self.record(move |record| app_of(record, with, mark)).await?.ok_or_else(gone);
        }
        // Hosts are only known where somebody looks at apps; after a start nobody has.
        let all = self.record(all).await?;
        all.into_iter().find(|app| self.host_of(app) == host).ok_or_else(gone)
    }

    /// The updates of an app beside a message, for those who delete it.
    pub(super) async fn updates_of(&self, subject: &Subject) -> Result<Vec<BundleId>, ApiError> {
        let (with, mark) = (subject.with.clone(), subject.mark);
        let updates = self.record(move |record| record.app_updates(&with, &mark)).await?;
        Ok(updates.all().iter().map(|entry| entry.id).collect())
    }

    /// Whether what a bundle of this id brought is an update of an app.
    pub(super) async fn is_update(&self, id: &BundleId) -> Result<bool, ApiError> {
        let id = *id;
        let read = move |record: &RedbReader| {
            let known = record.known(&id)?;
            let row = known.letter.map(|letter| letter.row).or(known.outgoing.and_then(|outgoing| outgoing.row));
            let body = row.map_or(Ok(Vec::new()), |row| record.words(&[row]))?.pop().flatten();
            Ok(matches!(body, Some(Body::Filed(filed)) if is_app_update(&filed.content)))
        };
        self.record(read).await
    }
}

/// Updates that are read for an app, a page at a time.
pub struct Updating {
    desk: Desk,
    left: VecDeque<(u64, RecordRow, BundleId, NodeId)>,
    serial_max: u64,
    /// Payloads are given as they were written.
    json: bool,
}

/// The start of such a listing.
pub struct UpdatePages {
    pub desk: Desk,
    pub id: String,
    pub after: u64,
    pub json: bool,
    pub going: Option<Updating>,
}

impl UpdatePages {
    pub async fn next(mut self) -> Result<Option<(Vec<Row>, UpdatePages)>, ApiError> {
        let mut going = match self.going.take() {
            Some(going) => going,
            None => self.desk.app_updates(&self.id, self.after, self.json).await?,
        };
        loop {
            let Some(rows) = going.page().await? else { return Ok(None) };
            if !rows.is_empty() {
                self.going = Some(going);
                return Ok(Some((rows.into_iter().map(Row::AppUpdates).collect(), self)));
            }
        }
    }
}

impl Updating {
    /// Some of what is left; none where nothing is. What an app cannot read is left out.
    async fn page(&mut self) -> Result<Option<Vec<AppUpdateRow>>, ApiError> {
        let many = self.left.len().min(PAGE_UPDATES);
        if many == 0 {
            return Ok(None);
        }
        let page: Vec<_> = self.left.drain(..many).collect();
        let rows: Vec<RecordRow> = page.iter().map(|(_, row, ..)| *row).collect();
        let ids: Vec<BundleId> = page.iter().map(|(.., id, _)| *id).collect();
        let read = move |record: &RedbReader| {
            let known: Result<Vec<_>, StoreError> = ids.iter().map(|id| record.known(id)).collect();
            Ok((record.words(&rows)?, known?))
        };
        let (bodies, known) = self.desk.record(read).await?;
        let me = self.desk.node().identity().node();
        let authors: Vec<NodeId> = page.iter().map(|(.., author)| *author).collect();
        let named = move |_: &crate::agent::Agent, names: &super::Names<'_>| {
            authors.iter().map(|author| names.person(author)).collect::<Vec<_>>()
        };
        let people = self.desk.look(named).await?;
        let mut told = Vec::new();
        for ((((serial, _, id, author), body), known), from) in page.into_iter().zip(bodies).zip(known).zip(people) {
            let Some(Body::Filed(filed)) = body else { continue };
            let Ok(Content::App(update)) = Content::decode(&filed.content) else { continue };
            let AppUpdate { payload, info, document, summary, href, notify, .. } = update;
            // What no value holds, such as a number without end or half a letter, is given as it is written.
            let payload = match (self.json, serde_json::from_str(&payload)) {
                (false, Ok(value)) => value,
                _ => Value::String(payload),
            };
            let at = match (known.letter, known.outgoing) {
                (Some(Letter { creation, .. }), _) => When::from_dtn(creation.time),
                (None, Some(outgoing)) => rows::when_known(outgoing.created),
                (None, None) => None,
            };
            told.push(AppUpdateRow {
                schema: Schema,
                id: id.full(),
                serial,
                max_serial: self.serial_max,
                payload,
                info,
                document,
                summary,
                href,
                notify: notify.into_iter().collect::<BTreeMap<_, _>>(),
                from,
                mine: author == me,
                at,
            });
        }
        Ok(Some(told))
    }
}

/// An update as it goes; texts that are too long are cut, as apps are told.
fn update(new: NewAppUpdate, target: Mark, prior: Vec<Mark>) -> Result<AppUpdate, ApiError> {
    let NewAppUpdate { payload, json, info, document, summary, href, notify, .. } = new;
    let payload = match payload {
        Value::String(text) if json => text,
        payload => payload.to_string(),
    };
    if !is_json(&payload) {
        let error = format!("the payload is no JSON, or has more than {NESTED_MAX} arrays and objects in one another");
        return Err(ApiError::usage(error).advise("give a value that any program can read"));
    }
    let cut = |text: Option<String>, bytes_max: usize| {
        let text = text?;
        let line: Vec<&str> = text.split_whitespace().collect();
        let line = line.join(" ");
        Some(line[..line.floor_char_boundary(bytes_max)].trim_end().to_owned()).filter(|line| !line.is_empty())
    };
    if payload.len() > PAYLOAD_BYTES_MAX {
        let limit = format!("an update has {} bytes, and the limit is {PAYLOAD_BYTES_MAX}", payload.len());
        return Err(ApiError::refused(limit).advise("tell it in several updates"));
    }
    if href.as_ref().is_some_and(|href| href.len() > HREF_BYTES_MAX) {
        let limit = format!("the page of an app has at most {HREF_BYTES_MAX} bytes");
        return Err(ApiError::refused(limit).advise("leave it out, or name it more shortly"));
    }
    if notify.len() > NOTIFIED_MAX || notify.keys().any(|who| !(1..=ADDRESS_BYTES_MAX).contains(&who.len())) {
        let limit = format!("at most {NOTIFIED_MAX} users of an app are told, each by an address of its");
        return Err(ApiError::refused(limit).advise("give * for everybody"));
    }
    let notice = |(who, text): (String, String)| (who, cut(Some(text), NOTICE_BYTES_MAX).unwrap_or_default());
    Ok(AppUpdate {
        target,
        prior,
        payload,
        info: cut(info, INFO_BYTES_MAX),
        document: cut(document, TITLE_BYTES_MAX),
        summary: cut(summary, TITLE_BYTES_MAX),
        href: href.filter(|href| !href.is_empty()),
        notify: notify.into_iter().map(notice).collect(),
        extra: Vec::new(),
    })
}

/// What stands beside an app's icon, and what is being edited with it, as the last update says that has it.
fn titles(record: &RedbReader, updates: &Updates) -> Result<(Option<String>, Option<String>), StoreError> {
    let last = |is_meant: fn(&apps::Entry) -> bool| updates.all().iter().rev().find(|entry| is_meant(entry));
    let read = |entry: Option<&apps::Entry>| -> Result<Option<AppUpdate>, StoreError> {
        let Some(entry) = entry else { return Ok(None) };
        let Some(Body::Filed(filed)) = record.words(&[entry.row])?.pop().flatten() else { return Ok(None) };
        Ok(match Content::decode(&filed.content) {
            Ok(Content::App(update)) => Some(update),
            _ => None,
        })
    };
    let summary = read(last(apps::Entry::says_summary))?.and_then(|update| update.summary);
    let document = read(last(apps::Entry::says_document))?.and_then(|update| update.document);
    Ok((summary, document))
}

/// All apps of the record.
fn all(record: &RedbReader) -> Result<Vec<App>, StoreError> {
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = record.apps(after.as_ref(), PAGE_APPS)?;
        let Some(last) = page.last().cloned() else { return Ok(all) };
        after = Some(last);
        for (with, mark) in page {
            all.extend(app_of(record, with, mark)?);
        }
    }
}

/// The app that content of a name has; none where it has none, or none any more.
fn app_of(record: &RedbReader, with: Conversation, mark: Mark) -> Result<Option<App>, StoreError> {
    let Some(entry) = record.with_content(&with, &mark)? else { return Ok(None) };
    let file = files::of(record, &entry)?;
    Ok(file.map(|file| App { with, mark, entry, file: file.name().to_owned() }))
}
