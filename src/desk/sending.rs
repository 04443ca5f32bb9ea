//! Sends files part by part: a window of them is on its way, and what is lost goes again.
//!
//! It runs beside a node. What it knows follows from the record: the files beside one's own messages, the parts that were
//! sent and not forgotten with what became of each, and which parts recipients signed for. So it may end at any moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Desk;
use super::files::{PARTS_PAGE, sent_of};
use super::mail::LIFETIME;
use crate::agent::change::{EvidenceKind, Letter, Outgoing};
use crate::agent::{Event, Input, REJECTED_UNWANTED};
use crate::api::ApiError;
use crate::bundle::Priority;
use crate::content::{Content, FileAsk, Mark, Part, Root, pad};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::mail::conversation::Conversation;
use crate::mail::files::{Fate, FileState, Sending};
use crate::mail::kept;
use crate::node::named::{Named, each_named, of_message, part_of};
use crate::store::redb::{Body, Entry, RedbReader};
use crate::time::{DAY, Millis};

/// Parts that are sealed at once; their bytes are in memory.
const AT_ONCE: usize = 8;
/// Files of which parts are on their way at once.
const FILES_AT_ONCE: usize = 8;
/// Requests that are answered together.
const ASKS_AT_ONCE: usize = 64;
/// How often what no message names is swept.
const TIDY: Duration = Duration::from_secs(60);
/// How long after an error of the store or the disk it is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a part is under way before it is sealed anew.
const PART_LIFETIME: Millis = Millis(7 * DAY.0);

/// A file on its way to somebody.
struct Out {
    /// The messages that it is beside.
    beside: Vec<(Mark, usize)>,
    sending: Sending,
    /// What each part on its way was sealed as last.
    sealed: BTreeMap<u32, BundleId>,
    copies: Option<u16>,
    /// What the record says is older.
    changed: bool,
}

/// What is on its way from here.
struct Sender {
    desk: Desk,
    files: BTreeMap<(NodeId, Root), Out>,
    /// Parts that were sent and not forgotten.
    parts: BTreeMap<BundleId, ((NodeId, Root), u32)>,
    /// Parts whose records are of no more use.
    over: Vec<BundleId>,
}

impl Desk {
    /// Sends files in parts as long as the node runs.
    pub(super) async fn send_files(self) {
        let mut events = self.node().follow();
        loop {
            let failed = match Sender::load(self.clone()).await {
                Ok(mut sender) => loop {
                    if let Err(error) = sender.turn().await {
                        break Some(error);
                    }
                    let mut is_stale = false;
                    tokio::select! {
                        event = events.recv() => match event {
                            Ok(event) => sender.hear(&event),
                            Err(RecvError::Lagged(_)) => is_stale = true,
                            Err(RecvError::Closed) => return,
                        },
                        () = self.inner.files_changed.notified() => is_stale = true,
                        () = tokio::time::sleep(TIDY) => {
                            if let Err(error) = self.tidy_files().await {
                                break Some(error);
                            }
                            if let Err(error) = sender.end_lives().await {
                                break Some(error);
                            }
                        }
                        () = self.node().ended() => return,
                    }
                    loop {
                        match events.try_recv() {
                            Ok(event) => sender.hear(&event),
                            Err(TryRecvError::Lagged(_)) => is_stale = true,
                            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                        }
                    }
                    if is_stale {
                        break None;
                    }
                },
                Err(error) => Some(error),
            };
            if let Some(error) = failed {
                tracing::warn!(%error, "files cannot be sent for now; trying again");
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    () = self.node().ended() => return,
                }
            }
        }
    }
}

impl Sender {
    /// Reads what is on its way in the record.
    async fn load(desk: Desk) -> Result<Sender, ApiError> {
        let blobs = Arc::clone(desk.node().blobs());
        let read = move |record: &RedbReader| {
            let mut files = BTreeMap::new();
            each_named(record, &mut |named| {
                let is_whole = || blobs.have(&named.file.root).is_some_and(|(_, have)| have.is_all());
                if named.to().is_some() && !named.state.stopped && !named.state.gone && is_whole() {
                    begin(&mut files, named);
                }
            })?;
            let (mut after, mut sent) = (None, Vec::new());
            loop {
                let page = record.parts_sent(after.as_ref(), PARTS_PAGE)?;
                let Some(last) = page.last() else { return Ok((files, sent)) };
                after = Some(last.id);
                for outgoing in page {
                    sent.push((part_of(record, &outgoing)?, outgoing));
                }
            }
        };
        let (files, sent) = desk.record(read).await?;
        let mut sender = Sender { desk, files, parts: BTreeMap::new(), over: Vec::new() };
        let ids: Vec<BundleId> = sent.iter().map(|(_, outgoing): &(_, Outgoing)| outgoing.id).collect();
        let held =
            sender.desk.look(move |agent, _| ids.iter().map(|id| agent.row_of(id).is_some()).collect::<Vec<_>>());
        for ((part, outgoing), is_held) in sent.into_iter().zip(held.await?) {
            sender.found(part, &outgoing, is_held);
        }
        Ok(sender)
    }

    /// A part was sent before this began.
    fn found(&mut self, part: Option<Part>, outgoing: &Outgoing, is_held: bool) {
        let Outgoing { id, destination, .. } = outgoing;
        let key = part.as_ref().map(|part| (destination.node, part.root));
        let Some((key, part, out)) = key.and_then(|key| Some((key, part.as_ref()?, self.files.get_mut(&key)?))) else {
            // Nobody sends that file any more.
            if !outgoing.is_settled() {
                self.desk.node().tell(Input::Cancel(*id));
            }
            return self.over.push(*id);
        };
        out.sending.sent(part.index);
        out.sealed.insert(part.index, *id);
        self.parts.insert(*id, (key, part.index));
        self.heard(id, outgoing.state());
        if !is_held
            && self.parts.contains_key(id)
            && let Some(out) = self.files.get_mut(&key)
        {
            out.sending.heard(part.index, Fate::Promised);
            out.sending.handed_on(part.index);
            if outgoing.carriers.iter().all(|carrier| carrier.gave_up.is_some()) {
                self.heard(id, EvidenceKind::GaveUp);
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        if let Event::Status { id, evidence } = event {
            self.heard(id, evidence.what);
        }
    }

    fn heard(&mut self, id: &BundleId, what: EvidenceKind) {
        let Some((key, part)) = self.parts.get(id).copied() else { return };
        let Some(out) = self.files.get_mut(&key) else { return };
        let Some(fate) = Fate::of(what) else { return };
        if fate == Fate::GivenUp {
            if !out.sending.is_carried(part) {
                return;
            }
            self.desk.node().tell(Input::Cancel(*id));
        }
        if let EvidenceKind::Rejected { reason } = what {
            out.changed = true;
            if reason != REJECTED_UNWANTED {
                // The recipient wants no mail from here.
                out.sending.stop();
            }
        }
        out.sending.heard(part, fate);
        if fate != Fate::Promised {
            out.changed |= fate == Fate::Safe;
            out.sealed.remove(&part);
            self.parts.remove(id);
            self.over.push(*id);
        }
    }

    /// Of parts that others alone hold nobody here sees the end of their lives.
    async fn end_lives(&mut self) -> Result<(), ApiError> {
        let is_carried = |(_, (key, part)): &(&BundleId, &((NodeId, Root), u32))| {
            self.files.get(key).is_some_and(|out| out.sending.is_carried(*part))
        };
        let carried: Vec<BundleId> = self.parts.iter().filter(is_carried).map(|(id, _)| *id).collect();
        let over = self.desk.record(move |record| {
            let mut over = Vec::new();
            for id in carried {
                over.extend(record.sent(&id)?.map(|outgoing| (id, outgoing.expires)));
            }
            Ok(over)
        });
        let (over, now) = (over.await?, self.desk.look(|agent, _| agent.at().now).await?);
        for (id, _) in over.into_iter().filter(|(_, expires)| *expires <= now) {
            self.desk.node().tell(Input::Cancel(id));
        }
        Ok(())
    }

    /// Does what there is to do.
    async fn turn(&mut self) -> Result<(), ApiError> {
        self.answer().await?;
        self.save().await?;
        self.send().await
    }

    /// Sends parts until enough are on their way.
    async fn send(&mut self) -> Result<(), ApiError> {
        loop {
            let mut next = Vec::new();
            let mut busy = 0;
            for (key, out) in &mut self.files {
                while let Some(part) = out.sending.to_hand_on() {
                    out.sealed.get(&part).into_iter().for_each(|id| self.desk.node().tell(Input::HandOn(*id)));
                    out.sending.handed_on(part);
                }
                while next.len() < AT_ONCE
                    && let Some(part) = out.sending.due()
                {
                    out.sending.sent(part);
                    next.push((*key, part, out.copies));
                }
                busy += usize::from(out.sending.away() > 0);
                if busy >= FILES_AT_ONCE || next.len() == AT_ONCE {
                    break;
                }
            }
            if next.is_empty() {
                return Ok(());
            }
            let sent = send_parts(&self.desk, &next).await?;
            let mut failed = None;
            for ((key, part, _), sent) in next.into_iter().zip(sent) {
                match sent {
                    Ok(id) => {
                        self.parts.insert(id, (key, part));
                        if let Some(out) = self.files.get_mut(&key) {
                            out.sealed.insert(part, id);
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// Writes down what recipients signed for, and then forgets the parts that said so.
    async fn save(&mut self) -> Result<(), ApiError> {
        let mut changed = Vec::new();
        for out in self.files.values_mut().filter(|out| out.changed) {
            let state = FileState {
                stopped: out.sending.is_stopped(),
                sent: Some((out.sending.wanted().clone(), out.sending.safe().clone())),
                ..FileState::default()
            };
            let value = state.write();
            changed.extend(out.beside.iter().map(|(mark, number)| (kept::file(mark, *number), Some(value.clone()))));
            out.changed = false;
        }
        if !changed.is_empty() {
            self.desk.keep(changed).await?;
        }
        for id in std::mem::take(&mut self.over) {
            self.desk.node().tell(Input::Discard(id));
        }
        Ok(())
    }

    /// Answers requests of recipients, and hears who is done with a file.
    async fn answer(&mut self) -> Result<(), ApiError> {
        loop {
            let asks = self.desk.record(asked).await?;
            if asks.is_empty() {
                return Ok(());
            }
            for (letter, ask, named) in asks {
                if let (Some(ask), Some(named)) = (ask, named) {
                    self.answer_one(&letter, &ask, named).await?;
                }
                self.desk.node().input(Input::Discard(letter.id)).await?;
            }
        }
    }

    async fn answer_one(&mut self, letter: &Letter, ask: &FileAsk, named: Named) -> Result<(), ApiError> {
        if named.from() == Some(letter.source) {
            let is_here = |here: Option<(u64, crate::mail::files::Parts)>| here.is_some_and(|(_, have)| have.is_all());
            let blobs = Arc::clone(self.desk.node().blobs());
            // What is whole stays: its sender cannot take it back so.
            if ask.stop && !is_here(blobs.have(&named.file.root)) {
                let state = FileState { stopped: true, ..named.state.clone() };
                self.desk.keep_file(&named, state).await?;
            }
            return Ok(());
        }
        if named.to() != Some(letter.source) || named.state.gone {
            return Ok(());
        }
        let key = (letter.source, named.file.root);
        begin(&mut self.files, named);
        let Some(out) = self.files.get_mut(&key) else { return Ok(()) };
        out.changed = true;
        if !ask.wanted.is_empty() {
            // What others hold of it may come as well; their copies are of no more use than this one.
            for id in out.sending.ask(&ask.wanted).iter().filter_map(|part| out.sealed.remove(part)) {
                self.desk.node().tell(Input::Cancel(id));
                self.parts.remove(&id);
                self.over.push(id);
            }
        }
        if ask.stop {
            out.sending.stop();
            for (id, _) in self.parts.iter().filter(|(_, (of, _))| *of == key) {
                self.desk.node().tell(Input::Cancel(*id));
            }
        }
        Ok(())
    }
}

/// A file goes to somebody.
fn begin(files: &mut BTreeMap<(NodeId, Root), Out>, named: Named) {
    let Entry::Own(outgoing) = &named.entry else { return };
    let (wanted, safe) = sent_of(&named.file, &named.state);
    let out = files.entry((outgoing.destination.node, named.file.root)).or_insert_with(|| Out {
        beside: Vec::new(),
        sending: Sending::new(wanted, safe, named.state.stopped),
        sealed: BTreeMap::new(),
        copies: None,
        changed: false,
    });
    let beside = (named.mark, named.number);
    if !out.beside.contains(&beside) {
        out.beside.push(beside);
    }
}

/// A part that leaves: for whom and of which file, which one, and as how many copies where that is said.
type PartOut = ((NodeId, Root), u32, Option<u16>);

/// Reads, seals and holds parts; returns their ids. They are read on one thread: what one thread frees, another does not
/// get from the system's allocator, and a part is large.
async fn send_parts(desk: &Desk, parts: &[PartOut]) -> Result<Vec<Result<BundleId, ApiError>>, ApiError> {
    let blobs = Arc::clone(desk.node().blobs());
    let wanted: Vec<(Root, u32)> = parts.iter().map(|((_, root), index, _)| (*root, *index)).collect();
    let read = move || {
        let padded = |(root, index): (Root, u32)| {
            let part = blobs.part(&root, index).inspect_err(|error| {
                // Else it would be tried again and again, and nothing else would go.
                if is_damage(error) {
                    tracing::error!(%error, "a file is damaged on the disk, and is sent no further");
                    blobs.doubt(&root).unwrap_or_else(|error| tracing::warn!(%error, "what is damaged stays"));
                }
            })?;
            Ok(pad(&Content::Part(part).encode()))
        };
        wanted.into_iter().map(padded).collect::<Result<Vec<_>, std::io::Error>>()
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| ApiError::failure(error.to_string()))?;
    let plain = read.map_err(|error| ApiError::failure(format!("a file to be sent cannot be read: {error}")))?;
    let send = |(((to, _), _, copies), plaintext): (&PartOut, Vec<u8>)| {
        desk.node().send(Eid::mail(*to), plaintext, PART_LIFETIME.min(LIFETIME), Priority::Bulk, *copies)
    };
    let sent = join_all(parts.iter().zip(plain).map(send)).await;
    Ok(sent.into_iter().map(|sent| sent.map_err(ApiError::from)).collect())
}

fn is_damage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    matches!(error.kind(), InvalidData | NotFound | UnexpectedEof)
}

/// A request that came, what it says, and the file that it is of.
type Asked = (Letter, Option<FileAsk>, Option<Named>);

/// Requests that came, each with the file that it is of.
fn asked(record: &RedbReader) -> Result<Vec<Asked>, crate::store::StoreError> {
    let mut asks = Vec::new();
    for letter in record.asked_for(ASKS_AT_ONCE)? {
        let ask = match record.words(&[letter.row])?.pop().flatten() {
            Some(Body::Filed(filed)) => match Content::decode(&filed.content) {
                Ok(Content::Ask(ask)) => Some(ask),
                _ => None,
            },
            _ => None,
        };
        let named = match &ask {
            Some(ask) => target(record, &letter, ask)?,
            None => None,
        };
        asks.push((letter, ask, named));
    }
    Ok(asks)
}

fn target(record: &RedbReader, letter: &Letter, ask: &FileAsk) -> Result<Option<Named>, crate::store::StoreError> {
    let with = Conversation::of_letter(letter);
    let Some(entry) = record.with_content(&with, &ask.target)? else { return Ok(None) };
    let row = match &entry {
        Entry::Came(letter) => Some(letter.row),
        Entry::Own(outgoing) => outgoing.row,
    };
    let Some(row) = row else { return Ok(None) };
    let body = record.words(&[row])?.pop().flatten();
    let mut found = None;
    of_message(record, (row, &with), &entry, body, &mut |named| {
        if named.number as u64 == ask.file {
            found = Some(named);
        }
    })?;
    Ok(found)
}
