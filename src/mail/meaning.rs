//! What content means to the record, before anybody reads it.

use super::apps::{self, Update};
use crate::agent::change::Letter;
use crate::content::{AfterRead, Amendment, Content, Likeness, Mark, Outline, Text, has_attachment};
use crate::id::BundleId;
use crate::time::{DtnTime, Millis};

/// What the record must know of a message to file it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// It is still sealed, of a kind that this version does not know, or its words were not kept: a row like any other.
    #[default]
    Hidden,
    /// It was written to a group under a key that is not here yet: nobody is told of it before it opens.
    Sealed,
    Words(Words),
    Change(Amendment),
    /// It tells a shared app something; of some there is a line in the conversation.
    App(Update),
    /// It asks for parts of a file, and is read nowhere.
    Ask,
    /// One part of a file, which is read nowhere.
    Part,
    /// Who came to a group or went, or that this person is asked to join one: a row like any other.
    Members,
    /// What members tell each other of a group's keys and messages, which is read nowhere.
    Keys,
}

/// What is to be known of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The content that it is once more, by the first half of the id of the first bundle with it.
    pub same: Option<Mark>,
    /// It is a task from the start.
    pub is_task: bool,
    /// What it answers.
    pub answers: Option<Mark>,
    /// The thread that it goes on in, by what that began with.
    pub thread: Option<Mark>,
    /// When an answer to it would come too late.
    pub reply_by: Option<DtnTime>,
    /// How long after it was read it is to be forgotten.
    pub after_read: Option<Millis>,
    /// Files that come in parts are beside it.
    pub has_files: bool,
    /// A shared app is among its files.
    pub has_app: bool,
    /// What tells it from another content.
    pub likeness: Likeness,
}

impl Meaning {
    pub fn of(content: &[u8]) -> Meaning {
        match Outline::decode(content, 0).map(|outline| outline.content) {
            Ok(Content::Text(Text {
                same, task, thread, in_reply_to, reply_by, expire_after_read, enclosed, ..
            })) => {
                let (is_task, reply_by) = (task.is_some(), reply_by.map(DtnTime));
                let (after_read, has_files) = (expire_after_read.map(AfterRead::span), !enclosed.is_empty());
                let likeness = Likeness::of(content).unwrap_or_default();
                let has_app =
                    has_attachment(content, apps::is_app) || enclosed.iter().any(|file| apps::is_app(&file.name));
                let answers = in_reply_to;
                Meaning::Words(Words {
                    same,
                    is_task,
                    answers,
                    thread,
                    reply_by,
                    after_read,
                    has_files,
                    has_app,
                    likeness,
                })
            }
            Ok(Content::Change(amendment)) => Meaning::Change(amendment),
            Ok(Content::App(update)) => Meaning::App(Update::of(&update, content.len())),
            Ok(Content::Ask(_)) => Meaning::Ask,
            Ok(Content::Part(_)) => Meaning::Part,
            Ok(Content::Group(word)) if word.is_for_person() => Meaning::Members,
            Ok(Content::Group(_)) => Meaning::Keys,
            Ok(Content::Unknown(_)) | Err(_) => Meaning::Hidden,
        }
    }

    /// What is known of a message that nobody opened.
    pub fn of_sealed(letter: &Letter) -> Meaning {
        if letter.destination.has_members() { Meaning::Sealed } else { Meaning::Hidden }
    }

    /// Whether nobody hears that it came or went, for it belongs to something else.
    pub fn is_silent(&self) -> bool {
        matches!(self, Meaning::Ask | Meaning::Part | Meaning::Keys | Meaning::Sealed)
    }

    /// How content is named that a bundle of this id has, as it says itself: the record may know better.
    pub fn mark(&self, id: &BundleId) -> Mark {
        match self {
            Meaning::Words(words) => words.same.unwrap_or(Letter::mark_of(id)),
            _ => Letter::mark_of(id),
        }
    }
}

/// What stays of content that was withdrawn or whose time is over: its name, what it answered, that it was not to stay, and
/// of a change what it was of.
pub fn emptied(content: &[u8]) -> Option<Vec<u8>> {
    let rest = match Content::decode(content).ok()? {
        Content::Text(Text { thread, in_reply_to, same, expire_after_read, .. }) => {
            Content::Text(Text { thread, in_reply_to, same, expire_after_read, ..Text::default() })
        }
        Content::Change(Amendment { target, prior, body: Some(_), .. }) => {
            Content::Change(Amendment { target, prior, body: Some(String::new()), ..Amendment::default() })
        }
        Content::Change(_)
        | Content::App(_)
        | Content::Ask(_)
        | Content::Part(_)
        | Content::Group(_)
        | Content::Unknown(_) => return None,
    };
    Some(rest.encode()).filter(|rest| rest != content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Attachment, Unknown};

    #[test]
    fn what_was_withdrawn_keeps_only_what_it_answered() {
        let attachments = vec![Attachment { name: "plan".into(), bytes: vec![1] }];
        let text = Text { body: "secret".into(), in_reply_to: Some([3; 16]), attachments, ..Text::default() };
        let rest = emptied(&Content::Text(text).encode()).unwrap();
        assert_eq!(Content::decode(&rest), Ok(Content::Text(Text { in_reply_to: Some([3; 16]), ..Text::default() })));
        assert_eq!(emptied(&rest), None, "there is nothing left to forget");
        let edit = Amendment { target: [1; 16], body: Some("secret".into()), ..Amendment::default() };
        let rest = emptied(&Content::Change(edit.clone()).encode()).unwrap();
        assert_eq!(Content::decode(&rest), Ok(Content::Change(Amendment { body: Some(String::new()), ..edit })));
        assert_eq!(emptied(&Content::Unknown(Unknown { kind: 70, fields: Vec::new() }).encode()), None);
    }
}
