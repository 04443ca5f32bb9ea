//! Files that come and go in parts: taking them in, listing them, asking for them, saving them, and an end to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Desk;
use super::mail::LIFETIME;
use super::rows::{self, Names};
use crate::agent::Agent;
use crate::api::model::{FileRow, HeldRow, InboxRow, MemberTransferRow, Schema, TransferRow, TransferState};
use crate::api::{ApiError, NextStep};
use crate::blobs::Blobs;
use crate::bundle::Priority;
use crate::content::{
    Content, ENCLOSED_MAX, Enclosed, FILE_NAME_BYTES_MAX, FileAsk, PART_BYTES, PART_LOG, Root, Shape, pad, part_len,
};
use crate::eid::Eid;
use crate::folder;
use crate::id::{BundleId, NodeId};
use crate::mail::files::{FileState, Parts};
use crate::mail::kept;
use crate::node::named::{Named, each_named, of_message, part_of, roots};
use crate::store::redb::{Entry, RedbReader};

/// Most files of one list: the newest.
pub(super) const LISTED_MAX: usize = 1_024;
/// Most peers that are named as holding parts of one file.
const HOLDERS_MAX: usize = 16;
/// Parts that were sent from here, read together.
pub(super) const PARTS_PAGE: usize = 256;
/// Things kept, read together.
const KEPT_PAGE: usize = 256;

impl Desk {
    /// Takes in files and folders, so that the originals may change or go.
    pub(super) async fn enclose(&self, paths: Vec<String>) -> Result<Vec<Enclosed>, ApiError> {
        if paths.len() > ENCLOSED_MAX {
            let limit =
                format!("{} files are too large to ride inside, and one message has {ENCLOSED_MAX}", paths.len());
            return Err(ApiError::refused(limit).advise("send them in several messages, or in one folder"));
        }
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let blobs = Arc::clone(self.node().blobs());
        let room = self.node().reader().clone();
        let key = std::fs::canonicalize(self.inner.home.identity_path()).ok();
        let stage = move || {
            let whole = |path: &String| {
                refuse_key(Path::new(path), key.as_deref())?;
                stage(&blobs, Path::new(path), &room)
            };
            paths.iter().map(whole).collect()
        };
        tokio::task::spawn_blocking(stage).await.map_err(|error| ApiError::failure(error.to_string()))?
    }

    /// The newest files that came or went in parts, oldest first.
    pub(super) async fn transfers(&self) -> Result<Vec<TransferRow>, ApiError> {
        let mut named = self.record(|record| all_named(record, LISTED_MAX)).await?;
        let rest = named.len().saturating_sub(LISTED_MAX);
        named.drain(..rest);
        self.transfer_rows(named).await
    }

    async fn transfer_rows(&self, mut named: Vec<Named>) -> Result<Vec<TransferRow>, ApiError> {
        if named.iter().any(|named| named.group().is_some()) {
            let joined = self.groups_joined().await?;
            for named in &mut named {
                let members = named.group().map_or(&[][..], |group| joined.get(&group).map_or(&[], |members| members));
                named.meant.retain(|who| members.contains(who));
            }
        }
        let sent = self.record(parts_away).await?;
        let blobs = Arc::clone(self.node().blobs());
        let rows = move |agent: &Agent, names: &Names<'_>| {
            let mut too_large = BTreeMap::<BundleId, Vec<NodeId>>::new();
            agent.too_large_for().for_each(|(peer, id)| too_large.entry(*id).or_default().push(peer));
            named.iter().map(|named| transfer_row(named, &blobs, (&sent, &too_large), names)).collect()
        };
        self.look(rows).await
    }

    /// One file, by the id of its message and its number there, where there are several.
    pub(super) async fn find_file(&self, id: &str) -> Result<Named, ApiError> {
        let (message, number) = match id.split_once('/') {
            Some((message, number)) => {
                let number = number.parse::<usize>().map_err(|_| {
                    ApiError::usage(format!("{number:?} is no number of a file")).advise("write ID/2 for the second")
                })?;
                (message, Some(number))
            }
            None => (id, None),
        };
        let found = self.find_message(message).await?;
        let mut files = self.files_of(found).await?;
        match number {
            Some(number) => files.retain(|named| named.inside + named.number + 1 == number),
            None if files.len() > 1 => {
                let error = ApiError::usage(format!("there are {} files in that message", files.len()));
                return Err(error.advise(format!("say which: {}/{}", &found.full()[..10], files[0].inside + 1)));
            }
            None => {}
        }
        let none = || ApiError::not_found("no such file came or went in parts").next(NextStep::ListFiles);
        files.pop().ok_or_else(none)
    }

    pub(super) async fn files_of(&self, id: BundleId) -> Result<Vec<Named>, ApiError> {
        let read = move |record: &RedbReader| {
            let mut files = Vec::new();
            let Some((with, row)) = record.row_shown(&id)? else { return Ok(files) };
            let Some(entry) = record.entry_at(&with, row)? else { return Ok(files) };
            // One's own words may have gone on in a later bundle, whose row has them.
            let row = match &entry {
                Entry::Own(outgoing) => outgoing.row.unwrap_or(row),
                Entry::Came(_) => row,
            };
            let body = record.words(&[row])?.pop().flatten();
            of_message(record, (row, &with), &entry, body, &mut |named| files.push(named))?;
            Ok(files)
        };
        self.record(read).await
    }

    async fn transfer(&self, id: &str) -> Result<TransferRow, ApiError> {
        let named = self.find_file(id).await?;
        let mut rows = self.transfer_rows(vec![named]).await?;
        rows.pop().ok_or_else(|| ApiError::not_found("that file was just deleted"))
    }

    /// Asks for a file that was offered, or for what of it is missing; for a stretch of its bytes where that is said.
    pub(super) async fn file_get(&self, id: &str, from: Option<u64>, to: Option<u64>) -> Result<TransferRow, ApiError> {
        let named = self.find_file(id).await?;
        let Some(source) = named.from() else {
            return Err(ApiError::refused("that file was sent from here").next(NextStep::SaveFile { id: id.into() }));
        };
        if named.file.part_log != PART_LOG {
            return Err(ApiError::refused("a newer version of dak sent that file").next(NextStep::Update));
        }
        let bytes = named.file.bytes;
        let (from, to) = (from.unwrap_or(0), to.unwrap_or(bytes).min(bytes));
        if from >= to {
            return Err(ApiError::usage("there is nothing between these places")
                .advise(format!("the file has {bytes} bytes: give two of its places, as in 0-{bytes}")));
        }
        let part = |at: u64| (at / PART_BYTES as u64) as u32;
        let (first, end) = (part(from), part(to - 1) + 1);
        // What was asked for before is wanted as well; what is not of a stretch is wanted whole.
        let mut asked = match (&named.state.wanted, named.state.asked) {
            (Some(wanted), true) if wanted.of() == named.file.parts() => wanted.clone(),
            (_, true) => Parts::all(named.file.parts()),
            (_, false) => Parts::none(named.file.parts()),
        };
        for part in first..end {
            asked.insert(part);
        }
        let wanted = Some(asked).filter(|asked| !asked.is_all());
        self.keep_file(&named, FileState { asked: true, stopped: false, gone: false, wanted, ..named.state.clone() })
            .await?;
        self.node().blobs().want(&named.file);
        let have = self.here(&named);
        for who in self.whom_to_ask(source, &named).await? {
            self.ask_missing(who, &named, have.missing(first, end)).await?;
        }
        self.transfer(id).await
    }

    /// What of a file is here.
    pub(super) fn here(&self, named: &Named) -> Parts {
        let none = || Parts::none(named.file.parts());
        self.node().blobs().have(&named.file.root).map_or_else(none, |(_, have)| have)
    }

    /// Asks for parts, where there are any.
    pub(super) async fn ask_missing(
        &self,
        source: NodeId,
        named: &Named,
        wanted: Vec<(u32, u32)>,
    ) -> Result<(), ApiError> {
        match wanted.is_empty() {
            true => Ok(()),
            false => self.ask_for(Eid::mail(source), named, FileAsk { wanted, ..FileAsk::default() }).await,
        }
    }

    /// Ends the coming or going of a file, here and with the other one.
    pub(super) async fn file_cancel(&self, id: &str) -> Result<TransferRow, ApiError> {
        let named = self.find_file(id).await?;
        let is_here = self.node().blobs().have(&named.file.root).is_some_and(|(_, have)| have.is_all());
        let (other, gone) = match (named.from(), &named.entry) {
            (Some(_), _) if is_here => {
                return Err(ApiError::refused("all of that file is here").next(NextStep::SaveFile { id: id.into() }));
            }
            (Some(from), _) => (Eid::mail(from), true),
            (None, Entry::Own(outgoing)) => (outgoing.destination.clone(), false),
            (None, Entry::Came(letter)) => (letter.destination.clone(), false),
        };
        self.keep_file(&named, FileState { stopped: true, gone, ..named.state.clone() }).await?;
        if gone && !self.record(roots).await?.contains(&named.file.root) {
            let blobs = Arc::clone(self.node().blobs());
            blobs.refuse(&named.file.root).map_err(|error| failed("cannot delete what came of it", &error))?;
        }
        self.ask_for(other, &named, FileAsk { stop: true, ..FileAsk::default() }).await?;
        self.inner.files_changed.notify_one();
        self.transfer(id).await
    }

    /// Says something about a file to somebody, or to the group that it is in.
    pub(super) async fn ask_for(&self, other: Eid, named: &Named, ask: FileAsk) -> Result<(), ApiError> {
        let (target, file, group) = (named.mark, named.number as u64, named.group());
        let plaintext = pad(&Content::Ask(FileAsk { target, file, group, ..ask }).encode());
        match other.has_members() {
            // Who left it says nothing there any more.
            true if !self.groups_joined().await?.contains_key(&other.node) => {}
            true => drop(self.send_content(other.node, plaintext, LIFETIME, Priority::Normal, None).await?),
            false => drop(self.node().send(other, plaintext, LIFETIME, Priority::Normal, None).await?),
        }
        Ok(())
    }

    pub(super) async fn keep_file(&self, named: &Named, state: FileState) -> Result<(), ApiError> {
        self.keep(vec![(kept::file(&named.mark, named.number), Some(state.write()))]).await
    }

    /// Saves a whole file under a harmless name in a directory, over nothing.
    pub(super) async fn file_save(&self, id: &str, directory: String) -> Result<FileRow, ApiError> {
        let named = self.find_file(id).await?;
        let blobs = Arc::clone(self.node().blobs());
        let have = blobs.have(&named.file.root).map_or(0, |(size, have)| have.bytes(size));
        if have < named.file.bytes {
            let what = format!("{have} of {} bytes of that file are here", named.file.bytes);
            let next = match blobs.is_expected(&named.file.root) && !named.state.stopped {
                true => NextStep::WatchFiles,
                false => NextStep::GetFile { id: id.into() },
            };
            return Err(ApiError::refused(what).next(next));
        }
        let id = id.to_owned();
        let save = move || {
            save(&blobs, &named.file, Path::new(&directory)).map_err(|error| match blobs.is_sound(&named.file.root) {
                Ok(false) => damaged(&blobs, &named, &id),
                _ => error,
            })
        };
        tokio::task::spawn_blocking(save).await.map_err(|error| ApiError::failure(error.to_string()))?
    }

    /// Says of files beside messages how much of each is here.
    pub(super) fn say_files<'r>(&self, rows: impl Iterator<Item = &'r mut InboxRow>) {
        for file in rows.flat_map(|row| &mut row.attachments) {
            let Some(root) = &file.root else { continue };
            let have = self.node().blobs().have(root);
            let state = match have {
                Some((_, have)) if have.is_all() => TransferState::Here,
                Some(_) if self.node().blobs().is_expected(root) => TransferState::Coming,
                _ => TransferState::Offered,
            };
            file.state = Some(state.word().into());
        }
    }

    /// Removes files that no message names any more, and what was known of them.
    pub(super) async fn tidy_files(&self) -> Result<(), ApiError> {
        let blobs = Arc::clone(self.node().blobs());
        let tidy = move |record: &RedbReader| {
            let mut marks = BTreeSet::new();
            each_named(record, &mut |named| {
                marks.insert(named.mark);
            })?;
            let (start, mut after, mut over) = (kept::all_files(), None::<Vec<u8>>, Vec::new());
            loop {
                let page = record.all_kept(&start, after.as_deref(), KEPT_PAGE)?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                let is_over = |key: &Vec<u8>| kept::read_file(key).is_none_or(|mark| !marks.contains(&mark));
                over.extend(page.into_iter().map(|(key, _)| key).filter(is_over));
            }
            if let Err(error) = blobs.keep_only(&roots(record)?) {
                tracing::warn!(%error, "files that no message names cannot be deleted for now");
            }
            Ok(over)
        };
        let over = self.record(tidy).await?;
        self.keep(over.into_iter().map(|key| (key, None)).collect()).await
    }
}

/// Every file that is named, at most about so many: the newest.
pub(super) fn all_named(record: &RedbReader, many: usize) -> Result<Vec<Named>, crate::store::StoreError> {
    let mut all = Vec::new();
    each_named(record, &mut |named| {
        if all.len() >= 2 * many {
            all.drain(..many);
        }
        all.push(named);
    })?;
    Ok(all)
}

/// Parts that are on their way, by where they go and of which file.
type AwayParts = BTreeMap<(Eid, Root), Vec<AwayPart>>;

/// A part on its way, and who says to hold it.
struct AwayPart {
    id: BundleId,
    index: u32,
    holders: Vec<NodeId>,
}

fn parts_away(record: &RedbReader) -> Result<AwayParts, crate::store::StoreError> {
    let (mut after, mut away) = (None, AwayParts::new());
    loop {
        let page = record.parts_sent(after.as_ref(), PARTS_PAGE)?;
        let Some(last) = page.last() else { return Ok(away) };
        after = Some(last.id);
        for outgoing in page {
            let Some(part) = part_of(record, &outgoing)? else { continue };
            let held = |carrier: &&crate::agent::change::Carrier| carrier.gave_up.is_none();
            let holders: Vec<NodeId> = outgoing.carriers.iter().filter(held).map(|carrier| carrier.who).collect();
            if !outgoing.is_settled() {
                let parts = away.entry((outgoing.destination, part.root)).or_default();
                parts.push(AwayPart { id: outgoing.id, index: part.index, holders });
            }
        }
    }
}

fn transfer_row(
    named: &Named,
    blobs: &Blobs,
    (sent, turned_away): (&AwayParts, &BTreeMap<BundleId, Vec<NodeId>>),
    names: &Names<'_>,
) -> TransferRow {
    let Named { file, state, inside, number, .. } = named;
    let (id, to) = match &named.entry {
        Entry::Came(letter) => (letter.id, Eid::mail(letter.source)),
        Entry::Own(outgoing) => (outgoing.id, outgoing.destination.clone()),
    };
    let other = to.node;
    let here = blobs.have(&file.root).filter(|(size, _)| *size == file.bytes);
    let have_bytes = here.as_ref().map_or(0, |(size, have)| have.bytes(*size));
    let (mut holders, mut too_large_for) = (BTreeMap::<NodeId, u64>::new(), BTreeSet::new());
    let mut safe_bytes = have_bytes;
    let transfer = match &named.entry {
        Entry::Came(_) => match () {
            () if have_bytes == file.bytes => TransferState::Here,
            () if state.stopped => TransferState::Cancelled,
            () if have_bytes > 0 && blobs.is_expected(&file.root) => TransferState::Coming,
            () if blobs.is_expected(&file.root) => TransferState::Wanted,
            () => TransferState::Offered,
        },
        Entry::Own(_) => {
            let parts = file.parts();
            let (wanted, mut safe) = sent_of(named);
            for part in sent.get(&(to.clone(), file.root)).into_iter().flatten() {
                if !part.holders.is_empty() {
                    safe.insert(part.index);
                }
                for who in &part.holders {
                    *holders.entry(*who).or_default() += part_len(file.bytes, part.index) as u64;
                }
                too_large_for.extend(turned_away.get(&part.id).into_iter().flatten().filter(|who| **who != other));
            }
            safe_bytes = safe.bytes(file.bytes);
            let is_there = state.sent.as_ref().is_some_and(|(_, safe)| safe.of() == parts && safe.is_all());
            match () {
                () if is_there => TransferState::Sent,
                () if state.stopped => TransferState::Cancelled,
                () if wanted.is_empty() => TransferState::Offered,
                () if safe.is_empty() => TransferState::Wanted,
                () => TransferState::Coming,
            }
        }
    };
    let members = if named.from().is_some() { Vec::new() } else { members_of(named, transfer, names) };
    let held = |(node, bytes): (&NodeId, &u64)| HeldRow { name: names.show(node), bytes: *bytes };
    let held: Vec<HeldRow> = holders.iter().take(HOLDERS_MAX).map(held).collect();
    TransferRow {
        schema: Schema,
        id: format!("{}/{}", &id.full()[..10], inside + number + 1),
        name: file.name.clone(),
        bytes: file.bytes,
        have_bytes,
        safe_bytes,
        direction: if named.to().is_some() { "out" } else { "in" }.into(),
        who: names.known(&other),
        who_address: if to.has_members() { to.to_string() } else { rows::address(other) },
        group: named.group().map(|group| names.show(&group)),
        folder: file.shape == Shape::Folder,
        state: transfer,
        holders: held.iter().map(|held| held.name.clone()).collect(),
        held,
        too_large_for: too_large_for.iter().take(HOLDERS_MAX).map(|node| names.show(node)).collect(),
        members,
    }
}

/// How far a file of one's own is with each member of the group that it went to, as they say.
fn members_of(named: &Named, whole: TransferState, names: &Names<'_>) -> Vec<MemberTransferRow> {
    let row = |member: &NodeId| {
        let known = named.members.iter().find(|(who, _)| who == member).map(|(_, state)| state);
        let safe = known.map_or_else(|| Parts::none(named.file.parts()), |state| asked_of(named, state).1);
        let state = match whole {
            _ if safe.is_all() => TransferState::Sent,
            _ if known.is_some_and(|state| state.stopped) => TransferState::Cancelled,
            TransferState::Offered | TransferState::Cancelled => whole,
            _ if safe.is_empty() => TransferState::Wanted,
            _ => TransferState::Coming,
        };
        let safe_bytes = safe.bytes(named.file.bytes);
        MemberTransferRow { name: names.known(member), address: rows::address(*member), safe_bytes, state }
    };
    named.meant.iter().map(row).collect()
}

/// The parts of a file that its recipient wants, and those known to be there: a small file goes without being asked for.
pub(super) fn sent_of(named: &Named) -> (Parts, Parts) {
    let parts = named.file.parts();
    match &named.state.sent {
        Some((wanted, safe)) if wanted.of() == parts => (wanted.clone(), safe.clone()),
        _ if named.file.bytes <= named.push_bytes => (Parts::all(parts), Parts::none(parts)),
        _ => (Parts::none(parts), Parts::none(parts)),
    }
}

/// The parts of a file of a group that a member asked for alone, and those that they have.
pub(super) fn asked_of(named: &Named, state: &FileState) -> (Parts, Parts) {
    let parts = named.file.parts();
    let known = state.sent.clone().filter(|(wanted, _)| wanted.of() == parts);
    known.unwrap_or_else(|| (Parts::none(parts), Parts::none(parts)))
}

pub(super) fn failed(what: &str, error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ApiError::at_place(what, error),
        _ => ApiError::failure(format!("{what}: {error}")),
    }
}

/// Why what was brought is not taken in: for what it is, or for the home's disk.
pub(super) fn not_taken_in(what: &str, error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::InvalidInput => ApiError::usage(format!("{what}: {error}")),
        io::ErrorKind::FileTooLarge => ApiError::refused(format!("{what}: {error}")),
        _ => failed(what, error),
    }
}

/// Who sends a folder with this home in it, or all of their own, means no one to write in their name from then on.
fn refuse_key(path: &Path, key: Option<&Path>) -> Result<(), ApiError> {
    match (std::fs::canonicalize(path), key) {
        (Ok(folder), Some(key)) if key.starts_with(&folder) => {
            let message =
                format!("{} has the key of this home in it, with which anybody writes as you", path.display());
            Err(ApiError::refused(message).advise("send what else is in it; a backup is encrypted, and may be sent"))
        }
        _ => Ok(()),
    }
}

fn stage(blobs: &Arc<Blobs>, path: &Path, room: &RedbReader) -> Result<Enclosed, ApiError> {
    let shown = path.display();
    let what = format!("cannot take in {shown}");
    let cannot = |error: &io::Error| ApiError::at_place(&what, error);
    let is_folder = std::fs::metadata(path).map_err(|error| cannot(&error))?.is_dir();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "folder".into());
    let end = name.floor_char_boundary(FILE_NAME_BYTES_MAX);
    let mut stager = blobs.stage().map_err(|error| failed(&what, &error))?;
    let mut counted = Watched { stager: &mut stager, room, left: 0 };
    match is_folder {
        true => {
            let passed_over = folder::pack(path, &mut counted).map_err(|error| cannot(&error))?;
            if passed_over > 0 {
                tracing::info!(passed_over, "links and devices in a folder are not sent");
            }
        }
        false => {
            let mut file = File::open(path).map_err(|error| cannot(&error))?;
            io::copy(&mut file, &mut counted).map_err(|error| cannot(&error))?;
        }
    }
    let staged = stager.finish().map_err(|error| not_taken_in(&what, &error))?;
    Ok(Enclosed {
        name: name[..end].to_owned(),
        bytes: staged.bytes,
        root: staged.root,
        key: staged.key,
        shape: if is_folder { Shape::Folder } else { Shape::File },
        part_log: PART_LOG,
    })
}

/// So often it is looked how much room the disk has, in bytes.
const ROOM_LOOK_BYTES: usize = 16 << 20;
/// So much of the disk stays free, in bytes, as for other mail of one's own.
const ROOM_LEFT_BYTES: u64 = 16 << 20;

/// Stops before a file takes the last of the disk: deleting needs some.
pub(super) struct Watched<'s> {
    pub(super) stager: &'s mut crate::blobs::Stager,
    pub(super) room: &'s RedbReader,
    /// So much may be written before the next look.
    pub(super) left: usize,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            if self.room.room_bytes().is_ok_and(|room| room < ROOM_LEFT_BYTES + ROOM_LOOK_BYTES as u64) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left = ROOM_LOOK_BYTES;
        }
        let written = self.stager.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stager.flush()
    }
}

/// What the disk changed is of no use: it is missing from now on.
fn damaged(blobs: &Blobs, named: &Named, id: &str) -> ApiError {
    blobs.doubt(&named.file.root).unwrap_or_else(|error| tracing::warn!(%error, "what is damaged stays"));
    let error = ApiError::failure("the disk changed that file, and what is left of it is of no use");
    match named.from() {
        Some(_) => error.next(NextStep::GetFile { id: id.into() }),
        None => error.advise("send it again from where it came"),
    }
}

fn save(blobs: &Blobs, file: &Enclosed, directory: &Path) -> Result<FileRow, ApiError> {
    let what = format!("cannot save in {}", directory.display());
    let cannot = |error: io::Error| ApiError::at_place(&what, &error).advise("name another directory");
    std::fs::create_dir_all(directory).map_err(cannot)?;
    let mut read = blobs.read(&file.root, &file.key).map_err(|error| failed(&what, &error))?;
    let name = folder::harmless_name(&file.name);
    let path: PathBuf = match file.shape {
        Shape::Folder => folder::unpack(&mut read, directory, &name).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => ApiError::verification(format!("{name} came whole, and is no packed folder"))
                .advise("ask its sender to send it anew; nothing of it was saved"),
            _ => cannot(error),
        })?,
        Shape::File => {
            let (path, mut saved) = folder::create(directory, &name).map_err(cannot)?;
            let copied = io::copy(&mut read, &mut saved).and_then(|_| saved.sync_all());
            copied.inspect_err(|_| drop(std::fs::remove_file(&path))).map_err(cannot)?;
            path
        }
    };
    Ok(FileRow::of(path.display().to_string(), file.bytes))
}
