//! Sends files part by part: a window of them is on its way, and what is lost goes again.
//!
//! It runs beside a node. What it knows follows from the record: the files beside one's own messages, the parts that were
//! sent and not forgotten with what became of each, and which parts recipients signed for. So it may end at any moment.

mod members;
mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use self::parts::{Leaving, PartOut, Sent};
use super::Desk;
use super::files::{PARTS_PAGE, asked_of, sent_of};
use crate::agent::change::{EvidenceKind, Letter, Outgoing};
use crate::agent::{Event, Input, REJECTED_UNWANTED};
use crate::api::ApiError;
use crate::content::{Content, FileAsk, Mark, PUSH_BYTES_MAX, Part, Root};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::mail::conversation::Conversation;
use crate::mail::files::{Fate, FileState, Sending};
use crate::mail::kept;
use crate::node::Stir;
use crate::node::named::{Named, each_named, of_message, part_of};
use crate::store::redb::{Body, Entry, RedbReader};

/// Parts that are sealed at once; their bytes are in memory.
const AT_ONCE: usize = 8;
/// Files of which parts are on their way at once.
const FILES_AT_ONCE: usize = 8;
/// Requests that are answered together.
const ASKS_AT_ONCE: usize = 64;
/// How long news gathers before anything is done about it. Requests are looked for and progress is written down each time,
/// which costs the same for one part as for twenty; and what a window has ahead is on its way meanwhile.
const GATHER: Duration = Duration::from_millis(20);
/// How often what no message names is swept.
const TIDY: Duration = Duration::from_secs(60);
/// How long after an error of the store or the disk it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Where a file goes, to somebody or to a group, and which it is.
type Way = (Eid, Root);

/// The groups that this person is in, each with its other members.
type Joined = BTreeMap<NodeId, Vec<NodeId>>;

/// A file on its way to somebody, or to a group. What a member of a group asks for that went to the group already goes to them
/// alone, as a file of theirs.
struct Out {
    /// The messages that it is beside, and of those to groups for which member it goes.
    beside: Vec<(Mark, usize, Option<NodeId>)>,
    sending: Sending,
    /// Of a file to a group: the members it is for.
    meant: Vec<NodeId>,
    /// What each part on its way was sealed as last.
    sealed: BTreeMap<u32, BundleId>,
    copies: Option<u16>,
    /// What the record says is older.
    changed: bool,
}

/// What is on its way from here.
struct Sender {
    desk: Desk,
    files: BTreeMap<Way, Out>,
    /// Parts that were sent and not forgotten.
    parts: BTreeMap<BundleId, (Way, u32)>,
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
                            Ok(event) => {
                                sender.hear(&event);
                                tokio::time::sleep(GATHER).await;
                            }
                            Err(RecvError::Lagged(_)) => is_stale = true,
                            Err(RecvError::Closed) => return,
                        },
                        () = self.inner.files_changed.notified() => is_stale = true,
                        () = self.node().groups_changed() => is_stale = true,
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
        let joined = desk.groups_joined().await?;
        let read = move |record: &RedbReader| {
            let mut files = BTreeMap::new();
            each_named(record, &mut |named| {
                let is_whole = || blobs.have(&named.file.root).is_some_and(|(_, have)| have.is_all());
                if !named.state.stopped && !named.state.gone && is_whole() {
                    begin(&mut files, &named, &joined);
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
        let rows = sender.desk.look(move |agent, _| ids.iter().map(|id| agent.row_of(id)).collect::<Vec<_>>());
        let rows = rows.await?;
        let outlived = sender.outlived(&sent, &rows).await?;
        for ((part, outgoing), row) in sent.into_iter().zip(rows) {
            sender.found(part, &outgoing, row.is_some());
            if outlived.contains(&outgoing.id) {
                sender.hold_back(&outgoing);
            }
        }
        let groups: Vec<Way> = sender.files.keys().filter(|(to, _)| to.has_members()).cloned().collect();
        groups.iter().for_each(|way| sender.count_members(way));
        Ok(sender)
    }

    /// A part was sent before this began.
    fn found(&mut self, part: Option<Part>, outgoing: &Outgoing, is_held: bool) {
        let Outgoing { id, destination, .. } = outgoing;
        let key = part.as_ref().map(|part| (destination.clone(), part.root));
        let Some((key, part, out)) = key.and_then(|key| Some((key.clone(), part.as_ref()?, self.files.get_mut(&key)?)))
        else {
            // Nobody sends that file any more.
            if !outgoing.is_settled() {
                self.desk.node().tell(Input::Cancel(*id));
            }
            return self.over.push(*id);
        };
        out.sending.sent(part.index);
        out.sealed.insert(part.index, *id);
        self.parts.insert(*id, (key.clone(), part.index));
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
        let Some((key, part)) = self.parts.get(id).cloned() else { return };
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
        if fate == Fate::Safe {
            self.count_groups_of(&key);
        }
    }

    /// Of parts that others alone hold nobody here sees the end of their lives.
    async fn end_lives(&mut self) -> Result<(), ApiError> {
        let is_carried = |(_, (key, part)): &(&BundleId, &(Way, u32))| {
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
        let (mut leaving, mut failed) = (Leaving::default(), None);
        loop {
            // Several are read by one thread and share a commit.
            let room = AT_ONCE - leaving.len();
            let next = if failed.is_none() && room >= AT_ONCE / 2 { self.due(room) } else { Vec::new() };
            let is_over = next.is_empty();
            if !is_over {
                match leaving.add(&self.desk, next).await {
                    Ok(sent) => sent.into_iter().for_each(|sent| failed = self.took(sent).err().or(failed.take())),
                    Err(error) => failed = Some(error),
                }
            }
            match leaving.next().await {
                Some(sent) => failed = self.took(sent).err().or(failed),
                None if is_over => return failed.map_or(Ok(()), Err),
                // Those for groups were sent at once, and more may be due.
                None => {}
            }
        }
    }

    /// The parts that go next, at most so many; they count as sent.
    fn due(&mut self, many: usize) -> Vec<PartOut> {
        let (mut next, mut busy) = (Vec::new(), 0);
        for (key, out) in &mut self.files {
            while let Some(part) = out.sending.to_hand_on() {
                out.sealed.get(&part).into_iter().for_each(|id| self.desk.node().tell(Input::HandOn(*id)));
                out.sending.handed_on(part);
            }
            while next.len() < many
                && let Some(part) = out.sending.due()
            {
                out.sending.sent(part);
                next.push((key.clone(), part, out.copies));
            }
            // Of a group somebody is always away.
            let on_way = if key.0.has_members() { out.sending.alone() } else { out.sending.away() };
            busy += usize::from(on_way > 0);
            if busy >= FILES_AT_ONCE || next.len() == many {
                break;
            }
        }
        next
    }

    /// A part is held now, or could not be.
    fn took(&mut self, ((key, part, _), sent): Sent) -> Result<(), ApiError> {
        let id = sent?;
        if let Some(out) = self.files.get_mut(&key) {
            out.sealed.insert(part, id);
        }
        self.parts.insert(id, (key, part));
        Ok(())
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
            let row = |(mark, number, member): &(Mark, usize, Option<NodeId>)| match member {
                Some(member) => (kept::file_of_member(mark, *number, member), Some(value.clone())),
                None => (kept::file(mark, *number), Some(value.clone())),
            };
            changed.extend(out.beside.iter().map(row));
            out.changed = false;
        }
        if !changed.is_empty() {
            self.desk.keep(changed).await?;
            self.desk.stir(Stir::Files);
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
        if named.state.gone {
            return Ok(());
        }
        match named.group() {
            Some(group) => return self.answer_member(letter.source, group, ask, named).await,
            None if named.to() != Some(letter.source) => return Ok(()),
            None => {}
        }
        let limit = ask.limit.map(|limit| limit.min(PUSH_BYTES_MAX));
        if let Some(limit) = limit.filter(|limit| *limit != named.push_bytes) {
            self.desk.keep(vec![(kept::push(&letter.source), Some(kept::write_bytes(limit)))]).await?;
            // What was only offered may go by itself now.
            self.desk.inner.files_changed.notify_one();
        }
        let key = (Eid::mail(letter.source), named.file.root);
        begin(&mut self.files, &named, &Joined::new());
        // Who asked for it has some of it before long, or asks again.
        let is_too_large = limit.is_some_and(|limit| limit < named.file.bytes) && ask.wanted.is_empty();
        if is_too_large && self.files.get(&key).is_some_and(|out| out.sending.safe().is_empty()) {
            self.end(&key, Sending::want_nothing);
        }
        self.take_ask(&key, ask);
        Ok(())
    }

    fn take_ask(&mut self, key: &Way, ask: &FileAsk) {
        let Some(out) = self.files.get_mut(key) else { return };
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
            self.end(key, Sending::stop);
        }
    }

    /// Nothing more of a file goes, and what of it is on its way is taken back.
    fn end(&mut self, key: &Way, end: impl FnOnce(&mut Sending)) {
        if let Some(out) = self.files.get_mut(key) {
            end(&mut out.sending);
            out.changed = true;
        }
        for (id, _) in self.parts.iter().filter(|(_, (of, _))| of == key) {
            self.desk.node().tell(Input::Cancel(*id));
        }
    }
}

/// A file goes to somebody, or to a group and those of its members who asked for some of it.
fn begin(files: &mut BTreeMap<Way, Out>, named: &Named, joined: &Joined) {
    let members = named.group().map(|group| joined.get(&group));
    if let Entry::Own(outgoing) = &named.entry
        && members != Some(None)
    {
        let (wanted, safe) = sent_of(named);
        let sending = Sending::new(wanted, safe, named.state.stopped);
        let out =
            add(files, (outgoing.destination.clone(), named.file.root), (named.mark, named.number, None), sending);
        let is_member = |who: &&NodeId| members.flatten().is_some_and(|members| members.contains(who));
        out.meant = named.meant.iter().filter(is_member).copied().collect();
    }
    for (member, state) in &named.members {
        if members.flatten().is_some_and(|members| members.contains(member)) {
            begin_member(files, named, *member, state);
        }
    }
}

fn begin_member(files: &mut BTreeMap<Way, Out>, named: &Named, member: NodeId, state: &FileState) {
    let (wanted, safe) = asked_of(named, state);
    let sending = Sending::new(wanted, safe, state.stopped);
    add(files, (Eid::mail(member), named.file.root), (named.mark, named.number, Some(member)), sending);
}

fn add(files: &mut BTreeMap<Way, Out>, way: Way, beside: (Mark, usize, Option<NodeId>), sending: Sending) -> &mut Out {
    let out = files.entry(way).or_insert_with(|| Out {
        beside: Vec::new(),
        sending: sending.clone(),
        meant: Vec::new(),
        sealed: BTreeMap::new(),
        copies: None,
        changed: false,
    });
    if !out.beside.contains(&beside) {
        if !out.beside.is_empty() {
            out.sending.also(&sending);
        }
        out.beside.push(beside);
    }
    out
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
    let with = ask.group.map_or_else(|| Conversation::of_letter(letter), |group| Conversation(Eid::group(group)));
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
