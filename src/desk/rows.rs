//! The agent's facts as rows for people: names for keys, wall times for elapsed ones.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::changes::Subject;
use super::find;
use crate::agent::change::{self, EvidenceKind, Held, Letter, Outgoing, Person, Row};
use crate::agent::{Agent, STICK};
use crate::api::model::{
    Arranged, CarriedRow, Changes, Class, ContactRow, Event, EventKind, File, FileRow, ForwardedRow, Grade, InboxRow,
    IntroducedRow, LetterRow, PersonRow, Schema, SetRow, Standing, StatusRow, Tag, Usual, When,
};
use crate::api::{ApiError, NextStep};
use crate::bundle::{Bundle, Kind};
use crate::content::{
    AfterRead, Amendment, Attachment, Content, ContentError, Enclosed, Forwarded, Introduced, KeyUsed, Outline,
    Reaction, TaskState, Text, unpad,
};
use crate::eid::Eid;
use crate::frame;
use crate::id::{BundleId, NodeId};
use crate::keyring::Keyring;
use crate::mail::conversation::Conversation;
use crate::seal;
use crate::store::redb::Body;
use crate::ticket::Ticket;
use crate::time::{DtnTime, HOUR, Moment, Timestamp};
use crate::words::SafetyWords;

/// The names this person gave, the own one, and those of groups; each is looked up where it is shown.
pub struct Names<'a> {
    agent: &'a Agent,
    name: &'a str,
    groups: &'a BTreeMap<NodeId, String>,
}

/// A letter, and the names it is shown with.
#[derive(Clone)]
pub struct Envelope {
    pub letter: Letter,
    from: String,
    /// The group that it was written to.
    group: Option<String>,
    via: Option<String>,
}

/// One's own message, the own name and address, and what became of it.
#[derive(Clone)]
pub struct Sent {
    pub outgoing: Outgoing,
    from: (String, String),
    status: StatusRow,
}

/// An opened letter.
pub struct Opened {
    pub row: InboxRow,
    /// Where it stands in the record.
    pub at: Row,
    /// The first message of the conversation, and the one that this answers, by the first half of their ids.
    pub thread: Option<[u8; 16]>,
    pub answers: Option<[u8; 16]>,
    /// The attachments, where they were asked for.
    pub files: Vec<Attachment>,
    /// What changes of it may be about.
    pub subject: Subject,
}

/// How much of a letter is taken out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Everything,
    /// Its texts, so many characters at most, and what its attachments are called.
    Texts {
        chars_max: usize,
    },
}

impl Taken {
    /// At most so many characters of each text.
    pub fn chars_max(self) -> usize {
        if let Taken::Texts { chars_max } = self { chars_max } else { usize::MAX }
    }
}

impl Names<'_> {
    pub fn of<'a>(agent: &'a Agent, name: &'a str, groups: &'a BTreeMap<NodeId, String>) -> Names<'a> {
        Names { agent, name, groups }
    }

    /// The name this person gave to another, or that a group has here.
    pub fn given(&self, node: &NodeId) -> Option<String> {
        if let Some(group) = self.groups.get(node) {
            return Some(group.clone());
        }
        self.agent.person(node).filter(|_| *node != self.agent.node()).map(|person| person.name.clone())
    }

    /// Whether it is the own name, in small or capital letters.
    pub fn is_mine(&self, name: &str) -> bool {
        !name.is_empty() && self.name.to_lowercase() == name.to_lowercase()
    }

    /// What this person calls a node, this one included.
    pub fn known(&self, node: &NodeId) -> Option<String> {
        if *node == self.agent.node() { Some(self.name.to_owned()) } else { self.given(node) }
    }

    pub fn person(&self, node: &NodeId) -> PersonRow {
        PersonRow { name: self.known(node), address: address(*node) }
    }

    /// A name, or the address.
    pub fn show(&self, node: &NodeId) -> String {
        // Nobody is behind that address.
        if *node == STICK { "a stick".into() } else { self.known(node).unwrap_or_else(|| address(*node)) }
    }

    pub fn envelope(&self, letter: Letter) -> Envelope {
        let via = (letter.from != letter.source).then(|| self.show(&letter.from));
        Envelope { from: self.show(&letter.source), group: self.group(&letter.destination), via, letter }
    }

    /// What a group is called here; none for what is no group.
    fn group(&self, endpoint: &Eid) -> Option<String> {
        endpoint.has_members().then(|| self.show(&endpoint.node))
    }

    pub fn sent(&self, outgoing: Outgoing) -> Sent {
        let me = self.agent.node();
        let from = (self.show(&me), address(me));
        Sent { from, status: self.status(&outgoing), outgoing }
    }

    pub fn carried(&self, held: &Held) -> CarriedRow {
        self.carried_row(held, self.agent.at())
    }

    fn carried_row(&self, held: &Held, at: Moment) -> CarriedRow {
        CarriedRow {
            schema: Schema,
            id: held.id.full(),
            kind: if held.kind == Kind::Receipt { "receipt" } else { "message" }.into(),
            from: self.show(&held.source),
            from_address: address(held.source),
            to: self.show(&held.destination.node),
            to_address: address_of(&held.destination),
            class: match held.class {
                change::Class::Topics => Class::Topics,
                change::Class::Strangers => Class::Strangers,
                change::Class::Contacts => Class::Contacts,
                change::Class::Own => Class::Own,
            },
            grade: match held.grade {
                frame::Grade::Released => Grade::Released,
                frame::Grade::Copy => Grade::Copy,
                frame::Grade::Custody => Grade::Custody,
            },
            priority: held.priority,
            bytes: held.size_bytes.into(),
            accepted_at: when(at, held.accepted_at),
            expires_at: when(at, held.expires),
            copies: held.copies,
            via: held.from.map(|node| self.show(&node)),
        }
    }

    pub fn status(&self, outgoing: &Outgoing) -> StatusRow {
        let (at, held_here) = (self.agent.at(), self.agent.held_one(&outgoing.id).is_some());
        let event = |evidence: &change::Evidence| Event {
            at: when_known(evidence.at),
            what: kind(evidence.what),
            who: evidence.who.map(|node| self.show(&node)),
            who_address: evidence.who.map(address),
            reason: match evidence.what {
                EvidenceKind::Rejected { reason } => Some(rejection(reason)),
                _ => None,
            },
            retry_at: match evidence.what {
                EvidenceKind::Full { retry_after } => {
                    let wall = evidence.at.trusted_wall();
                    wall.and_then(|wall| When::from_dtn(DtnTime(wall.0.saturating_add(retry_after.0))))
                }
                _ => None,
            },
        };
        let events: Vec<Event> = outgoing.events().iter().map(event).collect();
        StatusRow {
            schema: Schema,
            id: outgoing.id.full(),
            to: self.show(&outgoing.destination.node),
            to_address: address_of(&outgoing.destination),
            state: kind(outgoing.state()).state(),
            events,
            carriers_unlisted: outgoing.unlisted.answers.into(),
            priority: outgoing.priority,
            created_at: when_known(outgoing.created),
            expires_at: when(at, outgoing.expires),
            expire_after_read_ms: None,
            draft: None,
            meant_at: None,
            held_here,
            forward_secrecy: false,
            text: None,
            subject: None,
            files: 0,
            forwarded: false,
            members: Vec::new(),
            sets: Vec::new(),
        }
    }
}

impl Sent {
    /// One's own message and what is in it, the first half of the id of what it answers, and what changes of it may be about.
    pub fn open(self, body: Option<Body>) -> (LetterRow, Option<[u8; 16]>, Subject) {
        let Sent { outgoing, from, status } = self;
        let group = outgoing.destination.has_members().then(|| status.to.clone());
        let filed = match body {
            Some(Body::Filed(filed)) => words(&filed.content, Taken::Everything),
            _ if outgoing.row.is_none() => {
                Err(ApiError::not_found("the version of dak that sent it did not keep its words"))
            }
            _ => Err(ApiError::store("the store has lost its words").next(NextStep::CheckHome)),
        };
        let (words, unreadable) = match filed {
            Ok(words) => (words, None),
            Err(why) => (Words::default(), Some(why)),
        };
        let (Words { text, files, attachments, what, sets, is_signed }, is_unreadable) = (words, unreadable.is_some());
        let row = InboxRow {
            schema: Schema,
            id: outgoing.id.full(),
            from: from.0,
            from_address: from.1,
            text: unreadable.is_none().then_some(text.body),
            subject: text.subject,
            thread: text.thread.map(|id| crate::id::hex(&id)),
            in_reply_to: text.in_reply_to.map(|id| crate::id::hex(&id)),
            priority: outgoing.priority,
            sent_at: status.created_at,
            sent_offset: text.offset,
            received_at: None,
            read: true,
            reply_by: text.reply_by.and_then(|time| When::from_dtn(DtnTime(time))),
            attachments: file_rows(&outgoing.id, files, &text.enclosed),
            forwarded: text.forwarded.map(|forwarded| forwarded_row(&forwarded, is_signed)),
            tags: Tag::of(text.tags),
            remark: Some(text.remark).filter(|remark| !remark.is_empty()),
            via: None,
            forward_secrecy: status.forward_secrecy,
            clock_differs: false,
            next: unreadable.as_ref().and_then(|why| why.next.clone()),
            unreadable: unreadable.map(|why| why.message),
            changes: Changes::default(),
            kind: kind_word(what, is_unreadable).into(),
            sets,
            request: false,
            group,
            nickname: None,
            introduces: text.introduces.map(|introduced| introduced_row(&introduced)),
            arranged: Arranged::default(),
            expire_after_read_ms: text.expire_after_read.map(|after| after.span().0),
            expires_at: None,
        };
        let files = attachments.into_iter().map(|Attachment { name, bytes }| File { name, bytes }).collect();
        let StatusRow { to, to_address, state, .. } = status;
        let message =
            LetterRow { files, to: Some(to), to_address: Some(to_address), state: Some(state), ..LetterRow::of(row) };
        let subject = Subject {
            with: Conversation::of_sent(&outgoing),
            id: outgoing.id,
            at: outgoing.row,
            same: text.same,
            mark: Letter::mark_of(&outgoing.id),
            author: outgoing.source.unwrap_or(outgoing.destination.node),
            task: text.task,
            after_read: text.expire_after_read.map(AfterRead::span),
        };
        (message, text.in_reply_to, subject)
    }
}

/// Puts the first of a message's words beside what became of it. Says whether names belong in the place of addresses there.
pub fn say(status: &mut StatusRow, body: &Body, chars_max: usize) -> bool {
    let Body::Filed(filed) = body else { return false };
    let words = words(&filed.content, Taken::Texts { chars_max });
    let Ok(Words { text, files, what, sets, .. }) = words else { return false };
    status.sets = sets;
    status.expire_after_read_ms = text.expire_after_read.map(|after| after.span().0);
    if text.expire_after_read.is_some() && files.is_empty() && text.body.is_empty() && text.subject.is_none() {
        return false;
    }
    status.files = (files.len() + text.enclosed.len()) as u64;
    status.text = Some(text.body);
    status.subject = text.subject;
    status.forwarded = text.forwarded.is_some();
    matches!(what, Told::Group)
}

/// What content says that was written here, with words of so many characters at most, and its files.
pub fn outline(content: &[u8], chars_max: usize) -> Result<(Text, Vec<FileRow>), ApiError> {
    let Words { text, files, .. } = words(content, Taken::Texts { chars_max })?;
    let inside = files.into_iter().map(|(name, bytes)| FileRow::of(name, bytes as u64));
    let beside = text.enclosed.iter().map(|file| FileRow::of(file.name.clone(), file.bytes));
    let all = inside.chain(beside).collect();
    Ok((text, all))
}

/// Whose name is to be filled in.
fn forwarded_row(forwarded: &Forwarded, signed: bool) -> ForwardedRow {
    ForwardedRow {
        author: PersonRow { name: None, address: address(forwarded.author) },
        id: crate::id::hex(&forwarded.id),
        sent_at: When::from_dtn(DtnTime(forwarded.sent)),
        signed,
    }
}

/// Whether this person knows them is to be filled in.
fn introduced_row(introduced: &Introduced) -> IntroducedRow {
    IntroducedRow { name: introduced.name.clone(), address: address(introduced.node), known_as: None }
}

/// The rows of a message's files.
fn file_rows(id: &BundleId, files: Vec<(String, usize)>, beside: &[Enclosed]) -> Vec<FileRow> {
    let inside = files
        .into_iter()
        .map(|(name, bytes)| FileRow { state: (bytes > 0).then(|| "here".into()), ..FileRow::of(name, bytes as u64) });
    let beside =
        beside.iter().map(|file| FileRow { root: Some(file.root), ..FileRow::of(file.name.clone(), file.bytes) });
    let number = |(n, row)| FileRow { id: Some(format!("{}/{}", &id.full()[..10], n + 1)), ..row };
    inside.chain(beside).enumerate().map(number).collect()
}

impl Envelope {
    /// Who wrote it, and in which group.
    pub fn place(&self) -> String {
        let from = find::ticket(&self.from).map_or_else(|_| self.from.clone(), |ticket| ticket.node.to_string());
        self.group.as_ref().map_or_else(|| from.clone(), |group| format!("{from} in {group}"))
    }

    /// The inbox row of a letter and what is in it; the row says why where it cannot be read.
    pub fn open(self, body: Option<Body>, keyring: &Keyring, taken: Taken) -> Opened {
        let Envelope { letter, from, group, via } = self;
        let (words, key, unreadable) = match words_of(&letter, body, keyring, taken) {
            Ok((words, key)) => (words, key, None),
            Err(why) => (Words::default(), KeyUsed::Identity, Some(why)),
        };
        let (Words { text, files, attachments, what, sets, is_signed }, is_unreadable) = (words, unreadable.is_some());
        let forward_secrecy = key.is_forward_secret();
        let received = letter.received.trusted_wall();
        let id16 = |id: [u8; 16]| crate::id::hex(&id);
        let row = InboxRow {
            schema: Schema,
            id: letter.id.full(),
            from,
            from_address: address(letter.source),
            text: unreadable.is_none().then_some(text.body),
            subject: text.subject,
            thread: text.thread.map(id16),
            in_reply_to: text.in_reply_to.map(id16),
            priority: letter.priority,
            sent_at: When::from_dtn(letter.creation.time),
            sent_offset: text.offset,
            received_at: received.and_then(When::from_dtn),
            read: letter.read,
            reply_by: text.reply_by.and_then(|time| When::from_dtn(DtnTime(time))),
            attachments: file_rows(&letter.id, files, &text.enclosed),
            forwarded: text.forwarded.map(|forwarded| forwarded_row(&forwarded, is_signed)),
            tags: Tag::of(text.tags),
            remark: Some(text.remark).filter(|remark| !remark.is_empty()),
            via,
            forward_secrecy,
            clock_differs: received.is_some_and(|wall| clock_differs(&letter, wall)),
            next: unreadable.as_ref().and_then(|why| why.next.clone()),
            unreadable: unreadable.map(|why| why.message),
            changes: Changes::default(),
            kind: kind_word(what, is_unreadable).into(),
            sets,
            request: false,
            group,
            nickname: None,
            introduces: text.introduces.map(|introduced| introduced_row(&introduced)),
            arranged: Arranged::default(),
            expire_after_read_ms: text.expire_after_read.map(|after| after.span().0),
            expires_at: None,
        };
        let subject = Subject {
            with: Conversation::of_letter(&letter),
            id: letter.id,
            at: Some(letter.row),
            same: text.same,
            mark: Letter::mark_of(&letter.id),
            author: letter.source,
            task: text.task,
            after_read: text.expire_after_read.map(AfterRead::span),
        };
        Opened { row, at: letter.row, thread: text.thread, answers: text.in_reply_to, files: attachments, subject }
    }
}

/// A text that was in a letter.
#[derive(Default)]
struct Words {
    /// Without attachments.
    text: Text,
    files: Vec<(String, usize)>,
    /// All of them, where everything was to be taken.
    attachments: Vec<Attachment>,
    what: Told,
    /// What it sets, where it is a change; then the text tells of it.
    sets: Vec<SetRow>,
    /// What it passes on is signed by its author.
    is_signed: bool,
}

/// What a letter says. Only what could not be read when it came is still sealed; this says why.
fn words_of(
    letter: &Letter,
    body: Option<Body>,
    keyring: &Keyring,
    taken: Taken,
) -> Result<(Words, KeyUsed), ApiError> {
    let lost = |what: &str| ApiError::store(what).next(NextStep::CheckHome);
    let body = match body.ok_or_else(|| lost("the store has lost its body"))? {
        Body::Filed(filed) => return Ok((words(&filed.content, taken)?, filed.key)),
        Body::Bundle(body) => body,
    };
    let (bundle, _) = Bundle::from_store(&body).map_err(|error| ApiError::from(error).next(NextStep::CheckHome))?;
    if bundle.id != letter.id {
        return Err(lost("the store has another body in its place"));
    }
    let sealed = keyring.open(&bundle);
    let opened = sealed.map_err(|error| ApiError::verification(error.to_string()))?;
    let content = unpad(&opened.plaintext).map_err(|error| ApiError::verification(error.to_string()))?;
    Ok((words(content, taken)?, opened.key))
}

fn words(content: &[u8], taken: Taken) -> Result<Words, ApiError> {
    let malformed = |error: ContentError| ApiError::verification(error.to_string());
    let chars_max = taken.chars_max();
    let outline = Outline::decode(content, chars_max).map_err(malformed)?;
    let what = match outline.content {
        Content::Change(_) => Told::Change,
        Content::Group(_) => Told::Group,
        _ => Told::Text,
    };
    let mut sets = Vec::new();
    let text = match outline.content {
        Content::Text(text) => text,
        Content::Change(amendment) => {
            let target = amendment.target;
            sets = what_it_sets(amendment, chars_max);
            Text { body: told(&sets), in_reply_to: Some(target), ..Text::default() }
        }
        Content::Ask(_) => Text { body: "asks for a file".into(), ..Text::default() },
        Content::Part(_) => Text { body: "part of a file".into(), ..Text::default() },
        Content::Group(word) => Text { body: super::groups::told(&word), ..Text::default() },
        // It stays in the store until a version reads it that can.
        Content::Unknown(unknown) => {
            let newer = format!("written by a newer version of dak (kind {}); it is kept", unknown.kind);
            return Err(ApiError::refused(newer).next(NextStep::Update));
        }
    };
    // What is proved is the whole of it, however much of it is shown.
    let is_signed = text.proof.is_some()
        && matches!(Content::decode(content).map_err(malformed)?, Content::Text(whole) if seal::is_signed(&whole));
    let attachments = match taken {
        Taken::Everything => match Content::decode(content).map_err(malformed)? {
            Content::Text(text) => text.attachments,
            _ => Vec::new(),
        },
        Taken::Texts { .. } => Vec::new(),
    };
    Ok(Words { text, files: outline.files, attachments, what, sets, is_signed })
}

/// What the words of a row are.
#[derive(Clone, Copy, Default)]
enum Told {
    /// As they were written.
    #[default]
    Text,
    /// A change, told in words.
    Change,
    /// What happened in a group, told in words, with addresses where names belong.
    Group,
}

fn kind_word(what: Told, is_unreadable: bool) -> &'static str {
    match (is_unreadable, what) {
        (true, _) => "unreadable",
        (false, Told::Change) => "change",
        (false, Told::Group) => "group",
        (false, Told::Text) => "text",
    }
}

/// What a change sets; names are to be filled in.
fn what_it_sets(amendment: Amendment, chars_max: usize) -> Vec<SetRow> {
    let Amendment { body, withdrawn, reaction, task, assignee, due, .. } = amendment;
    let set = |field: &str, what: String| SetRow { field: field.into(), what, who: None };
    let mut sets = Vec::new();
    sets.extend(withdrawn.then(|| set("withdrawn", "withdrawn".into())));
    sets.extend(body.map(|body| set("text", body.chars().take(chars_max).collect())));
    sets.extend(reaction.map(|reaction| set("reaction", reaction_words(&reaction))));
    sets.extend(task.map(|state| set("task", task_word(state).into())));
    sets.extend(assignee.map(|node| SetRow {
        who: node.map(|node| PersonRow { name: None, address: address(node) }),
        ..set("assignee", node.map_or("nobody".into(), address))
    }));
    sets.extend(due.map(|due| set("due", due_words(due))));
    sets
}

/// The same as a text, for programs that know no better.
fn told(sets: &[SetRow]) -> String {
    let words = |SetRow { field, what, .. }: &SetRow| match &**field {
        "text" => format!("now says: {what}"),
        "assignee" => format!("for {what}"),
        "due" => format!("due {what}"),
        _ => what.clone(),
    };
    sets.iter().map(words).collect::<Vec<_>>().join(", ")
}

pub fn reaction_words(Reaction { text, on }: &Reaction) -> String {
    if *on { text.clone() } else { format!("no more {text}") }
}

pub fn due_words(due: Option<DtnTime>) -> String {
    due.and_then(When::from_dtn).map_or("at no time".into(), |due| due.to_string())
}

pub fn task_word(state: TaskState) -> &'static str {
    match state {
        TaskState::None => "no task",
        TaskState::Open => "open",
        TaskState::Done => "done",
    }
}

pub fn contact(me: NodeId, node: NodeId, person: &Person) -> ContactRow {
    ContactRow {
        schema: Schema,
        name: person.name.clone(),
        peer_id: node.peer_id(),
        address: address(node),
        standing: match person.standing {
            change::Standing::Contact => Standing::Contact,
            change::Standing::Blocked => Standing::Blocked,
        },
        verified: person.verified,
        safety_words: SafetyWords::of(&node).to_string(),
        my_safety_words: SafetyWords::of(&me).to_string(),
        introduced_by: None,
        usual: Usual::default(),
        renamed_from: None,
    }
}

/// Whether the time that a message bears does not agree with when it came and how long it was under way, which is what
/// its carriers say: it lies ahead, or further back than that. An hour is no difference.
fn clock_differs(letter: &Letter, received: DtnTime) -> bool {
    let (written, age) = (letter.creation.time.0, letter.hops.age.0);
    let is_ahead = written > received.0.saturating_add(HOUR.0);
    let is_backdated = written > 0 && written < received.0.saturating_sub(age).saturating_sub(HOUR.0);
    is_ahead || is_backdated
}

/// The address of a person, or of a group.
pub fn address_of(endpoint: &Eid) -> String {
    if endpoint.has_members() { endpoint.to_string() } else { address(endpoint.node) }
}

/// A node's address without hints.
pub fn address(node: NodeId) -> String {
    Ticket::new(node, [], None).to_string()
}

fn kind(what: EvidenceKind) -> EventKind {
    match what {
        EvidenceKind::Queued => EventKind::Queued,
        EvidenceKind::GaveUp => EventKind::GaveUp,
        EvidenceKind::Copy => EventKind::Copy,
        EvidenceKind::Custody => EventKind::Custody,
        EvidenceKind::Expired => EventKind::Expired,
        EvidenceKind::Cancelled => EventKind::Cancelled,
        EvidenceKind::Rejected { .. } => EventKind::Rejected,
        EvidenceKind::Full { .. } => EventKind::Full,
        EvidenceKind::Delivered => EventKind::Delivered,
        EvidenceKind::Read => EventKind::Read,
    }
}

/// Reads what [`rejection`] wrote.
pub fn read_rejection(text: &str) -> u8 {
    if text == UNWANTED {
        return crate::agent::REJECTED_UNWANTED;
    }
    let number = text.strip_prefix("reason ").and_then(|rest| rest.split(',').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(crate::agent::REJECTED_BLOCKED)
}

const UNWANTED: &str = "a part of a file that nobody there wants now";

fn rejection(reason: u8) -> String {
    match reason {
        crate::agent::REJECTED_BLOCKED => "no mail from this source".into(),
        crate::agent::REJECTED_UNWANTED => UNWANTED.into(),
        other => format!("reason {other}, which this version does not know"),
    }
}

/// The wall time of a moment, where there was a clock.
pub fn when_known(at: Moment) -> Option<When> {
    at.trusted_wall().and_then(When::from_dtn)
}

/// The wall time of an elapsed one, as the clock stands now.
pub fn when(at: Moment, then: Timestamp) -> Option<When> {
    let wall = at.trusted_wall()?;
    let time = if then >= at.now {
        wall.0.saturating_add(then.since(at.now).0)
    } else {
        wall.0 - at.now.since(then).0.min(wall.0)
    };
    When::from_dtn(DtnTime(time))
}

pub fn when_system(time: SystemTime) -> Option<When> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(When(since.as_millis() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Creation, Hops, Priority};
    use crate::eid::Eid;
    use crate::id::BundleId;
    use crate::time::{DAY, Millis};

    #[test]
    fn a_time_that_lies_ahead_or_further_back_than_the_message_was_under_way_is_doubted() {
        let node = NodeId::from_trusted([7; 32]);
        let now = 846_892_800_000;
        let letter = |written: u64, age: Millis| Letter {
            row: Row(1),
            id: BundleId([7; 32]),
            source: node,
            destination: Eid::mail(node),
            creation: Creation { time: DtnTime(written), sequence: 1 },
            lifetime: DAY.times(7),
            priority: Priority::Normal,
            size_bytes: 1_000,
            received: Moment { now: Timestamp(0), wall: DtnTime(now) },
            from: node,
            hops: Hops { age, count: 1 },
            read: false,
            told: false,
        };
        let doubted = |written: u64, age| clock_differs(&letter(written, age), DtnTime(now));
        assert!(doubted(now + 2 * HOUR.0, Millis(0)), "from tomorrow");
        assert!(doubted(now - 3 * DAY.0, Millis(60_000)), "backdated by days, and under way for a minute");
        assert!(doubted(now - 300 * DAY.0, Millis(0)));
        assert!(!doubted(now - 3 * DAY.0, DAY.times(3)), "three days under way");
        assert!(!doubted(now - 60_000, Millis(0)) && !doubted(now + 60_000, Millis(0)));
        assert!(!doubted(0, Millis(0)), "a sender without a clock says no time");
    }
}
