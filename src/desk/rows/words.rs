//! What is in a message, as words for people.

use super::address;
use crate::agent::change::Letter;
use crate::api::model::{FileRow, PersonRow, SetRow, StatusRow, When};
use crate::api::{ApiError, NextStep};
use crate::bundle::Bundle;
use crate::content::{
    Amendment, Attachment, Content, ContentError, KeyUsed, Outline, Reaction, TaskState, Text, unpad,
};
use crate::keyring::Keyring;
use crate::seal;
use crate::store::redb::Body;
use crate::time::DtnTime;

/// How much of a letter is taken out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Everything,
    /// Its texts, so many characters at most, and what its attachments are called.
    Texts {
        chars_max: usize,
    },
    /// All of its texts, and nobody looks at them: see [`crate::api::model::Listing::Talk`].
    Glance,
}

impl Taken {
    /// At most so many characters of each text.
    pub fn chars_max(self) -> usize {
        if let Taken::Texts { chars_max } = self { chars_max } else { usize::MAX }
    }
}

/// A text that was in a letter.
#[derive(Default)]
pub(super) struct Words {
    /// Without attachments.
    pub text: Text,
    pub files: Vec<(String, usize)>,
    /// All of them, where everything was to be taken.
    pub attachments: Vec<Attachment>,
    pub what: Told,
    /// What it sets, where it is a change; then the text tells of it.
    pub sets: Vec<SetRow>,
    /// Which page an app opens from its line.
    pub href: Option<String>,
    /// What it passes on is signed by its author.
    pub is_signed: bool,
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

/// What a letter says. Only what could not be read when it came is still sealed; this says why.
pub(super) fn words_of(
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

pub(super) fn words(content: &[u8], taken: Taken) -> Result<Words, ApiError> {
    let malformed = |error: ContentError| ApiError::verification(error.to_string());
    let chars_max = taken.chars_max();
    let outline = Outline::decode(content, chars_max).map_err(malformed)?;
    let what = match outline.content {
        Content::Change(_) => Told::Change,
        Content::App(_) => Told::App,
        Content::Group(_) => Told::Group,
        _ => Told::Text,
    };
    let (mut sets, mut href) = (Vec::new(), None);
    let text = match outline.content {
        Content::Text(text) => text,
        Content::Change(amendment) => {
            let target = amendment.target;
            sets = what_it_sets(amendment, chars_max);
            Text { body: told(&sets), in_reply_to: Some(target), ..Text::default() }
        }
        Content::App(update) => {
            let line: String =
                update.info.unwrap_or_else(|| "told an app something".into()).chars().take(chars_max).collect();
            href = update.href;
            Text { body: line, in_reply_to: Some(update.target), ..Text::default() }
        }
        Content::Ask(_) => Text { body: "asks for a file".into(), ..Text::default() },
        Content::Part(_) => Text { body: "part of a file".into(), ..Text::default() },
        Content::Group(word) => Text { body: super::super::groups::told(&word), ..Text::default() },
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
        Taken::Texts { .. } | Taken::Glance => Vec::new(),
    };
    Ok(Words { text, files: outline.files, attachments, what, sets, href, is_signed })
}

/// What the words of a row are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// As they were written.
    #[default]
    Text,
    /// A change, told in words.
    Change,
    /// What an app says of one of its users.
    App,
    /// What happened in a group, told in words, with addresses where names belong.
    Group,
}

pub(super) fn kind_word(what: Told, is_unreadable: bool) -> &'static str {
    match (is_unreadable, what) {
        (true, _) => "unreadable",
        (false, Told::Change) => "change",
        (false, Told::App) => "app",
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
