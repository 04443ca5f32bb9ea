//! The files that messages of this home name: which are wanted, and which nothing names any more.

use std::collections::BTreeSet;

use crate::agent::change::{Letter, Outgoing, Row};
use crate::blobs::Blobs;
use crate::content::{Content, Enclosed, Mark, PUSH_BYTES, PUSH_BYTES_MAX, Part, Root};
use crate::eid::Eid;
use crate::id::NodeId;
use crate::mail::conversation::Conversation;
use crate::mail::files::FileState;
use crate::mail::groups::log::MEMBERS_MAX;
use crate::mail::groups::rows;
use crate::mail::kept::{self, DRAFTS_MAX, Draft};
use crate::store::StoreError;
use crate::store::redb::{Body, Entry, RedbReader};

/// Messages looked at together.
const PAGE: usize = 64;

/// A file beside a message of the record.
#[derive(Clone, Debug)]
pub struct Named {
    /// The row of its message.
    pub row: Row,
    pub with: Conversation,
    /// The name of its message's content.
    pub mark: Mark,
    /// Which of the files of that message.
    pub number: usize,
    /// How many files ride inside the message.
    pub inside: usize,
    pub file: Enclosed,
    /// The message.
    pub entry: Entry,
    pub state: FileState,
    /// Of a file of a group: what is known of it for its members.
    pub members: Vec<(NodeId, FileState)>,
    /// Of one that was sent to a group: for whom.
    pub meant: Vec<NodeId>,
    /// Up to this size files go without being asked for to who gets it, in bytes.
    pub push_bytes: u64,
}

impl Named {
    /// Who sent it, where it came; none of what was sent from here.
    pub fn from(&self) -> Option<NodeId> {
        match &self.entry {
            Entry::Came(Letter { source, .. }) => Some(*source),
            Entry::Own(_) => None,
        }
    }

    /// The group that its message was written to.
    pub fn group(&self) -> Option<NodeId> {
        self.with.0.has_members().then_some(self.with.0.node)
    }

    /// Who gets it, where it was sent from here: somebody, or a group.
    pub fn to(&self) -> Option<NodeId> {
        match &self.entry {
            Entry::Came(_) => None,
            Entry::Own(Outgoing { destination: Eid { node, .. }, .. }) => Some(*node),
        }
    }
}

/// Hands over every file that a message of the record names, in the order of the rows.
pub fn each_named(reader: &RedbReader, take: &mut dyn FnMut(Named)) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = reader.with_files(after, PAGE)?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after = Some(*last);
        let rows: Vec<Row> = page.iter().map(|(row, ..)| *row).collect();
        for ((row, with, mark), body) in page.into_iter().zip(reader.words(&rows)?) {
            let Some(entry) = reader.with_content(&with, &mark)? else { continue };
            of_message(reader, (row, &with), &entry, body, take)?;
        }
    }
}

/// Hands over every file that one message names.
pub fn of_message(
    reader: &RedbReader,
    (row, with): (Row, &Conversation),
    entry: &Entry,
    body: Option<Body>,
    take: &mut dyn FnMut(Named),
) -> Result<(), StoreError> {
    let Some(Body::Filed(filed)) = body else { return Ok(()) };
    let Ok(Content::Text(text)) = Content::decode(&filed.content) else { return Ok(()) };
    let inside = text.attachments.len();
    let id = match entry {
        Entry::Came(letter) => letter.id,
        Entry::Own(outgoing) => outgoing.id,
    };
    let mark = reader.name_of(with, row, &id, text.same)?;
    let is_own = matches!(entry, Entry::Own(_));
    let (mut meant, mut push_bytes) = (Vec::new(), PUSH_BYTES);
    if with.0.has_members() && is_own {
        let written = reader.kept(&rows::meant(&Letter::mark_of(&id)))?;
        meant = written.and_then(|value| rows::read_meant(&value)).map_or_else(Vec::new, |(_, members)| members);
    } else if is_own && let Some(told) = reader.kept(&kept::push(&with.0.node))? {
        push_bytes = kept::read_bytes(&told).min(PUSH_BYTES_MAX);
    }
    for (number, file) in text.enclosed.into_iter().enumerate() {
        let state = reader.kept(&kept::file(&mark, number))?.map(|value| FileState::read(&value));
        let mut members = Vec::new();
        if with.0.has_members() {
            let known = reader.all_kept(&kept::file(&mark, number), None, 2 * MEMBERS_MAX)?;
            let read =
                |(key, value): &(Vec<u8>, Vec<u8>)| Some((kept::read_file_of_member(key)?, FileState::read(value)));
            members.extend(known.iter().filter_map(read));
        }
        let (entry, state, meant) = (entry.clone(), state.unwrap_or_default(), meant.clone());
        take(Named { row, with: with.clone(), mark, number, inside, file, entry, state, members, meant, push_bytes });
    }
    Ok(())
}

/// The files that something here names: a message, or a draft.
pub fn roots(reader: &RedbReader) -> Result<BTreeSet<Root>, StoreError> {
    let mut roots = BTreeSet::new();
    each_named(reader, &mut |named| {
        if !named.state.gone {
            roots.insert(named.file.root);
        }
    })?;
    for (_, value) in reader.all_kept(&kept::drafts(), None, DRAFTS_MAX)? {
        let content = Draft::read(&value).and_then(|draft| Content::decode(&draft.content).ok());
        if let Some(Content::Text(text)) = content {
            roots.extend(text.enclosed.iter().map(|file| file.root));
        }
    }
    Ok(roots)
}

/// Says which files are wanted, as the record has it, and sweeps away what nothing names. `may_push` says whose files come
/// by themselves: somebody's, or a member's to a group.
pub fn restore(
    reader: &RedbReader,
    blobs: &Blobs,
    may_push: &dyn Fn(&NodeId, Option<&NodeId>) -> bool,
) -> Result<(), StoreError> {
    each_named(reader, &mut |named| {
        let Named { file, state, .. } = &named;
        match named.from() {
            None if state.gone || state.stopped => {}
            None => blobs.want(file),
            Some(from) if state.gone || state.stopped => blobs.rest(from, &file.root),
            Some(_) if state.asked => blobs.want(file),
            Some(from) if may_push(&from, named.group().as_ref()) => {
                blobs.offer(from, file);
            }
            Some(from) => blobs.rest(from, &file.root),
        }
    })?;
    blobs.sweep(&roots(reader)?).map_err(|error| StoreError::Io(error.to_string()))
}

/// Which part of which file one's own message is.
pub fn part_of(reader: &RedbReader, outgoing: &Outgoing) -> Result<Option<Part>, StoreError> {
    let Some(row) = outgoing.row else { return Ok(None) };
    let Some(Body::Filed(filed)) = reader.words(&[row])?.pop().flatten() else { return Ok(None) };
    Ok(if let Ok(Content::Part(part)) = Content::decode(&filed.content) { Some(part) } else { None })
}
