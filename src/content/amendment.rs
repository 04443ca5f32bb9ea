//! Changes of something written: its words, its fate, what people feel about it, and its task.
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | target | 16 bytes: the first half of the id of what is changed |
//! | 3 | prior | array of at most 4 times 16 bytes: changes of the same register that its author knew |
//! | 4 | body | text: the words that stand instead |
//! | 5 | withdrawn | true: the author asks that it be forgotten |
//! | 6 | reaction | [text of 1 to 64 bytes, bool]: put there, or taken back |
//! | 7 | task | 0 no task, 1 open, 2 done |
//! | 8 | assignee | 32 bytes: who is to do it; empty: nobody |
//! | 9 | due | ms since 2000-01-01; 0: at no time |
//!
//! At least one of 4 to 9 is there. Each sets one register of its target; which of several changes of a register counts
//! is mail's to say (`mail/registers.rs`).

use super::text::{read_node, write_node};
use super::{ContentError, Field, keep, read_map, write_map};
use crate::cbor::{Reader, Writer};
use crate::id::NodeId;
use crate::time::DtnTime;

/// Most prior changes that a change names.
pub const PRIOR_MAX: usize = 4;
/// Longest reaction in bytes: an emoji of several parts, or a short word.
pub const REACTION_BYTES_MAX: usize = 64;

/// The first half of an id, which names content.
pub type Mark = [u8; 16];

/// A change of something written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    pub target: Mark,
    /// At most [`PRIOR_MAX`], in rising order.
    pub prior: Vec<Mark>,
    pub body: Option<String>,
    pub withdrawn: bool,
    pub reaction: Option<Reaction>,
    pub task: Option<TaskState>,
    /// Somebody, or nobody.
    pub assignee: Option<Option<NodeId>>,
    /// A time, or none.
    pub due: Option<Option<DtnTime>>,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// An emoji or a word; 1 to [`REACTION_BYTES_MAX`] bytes.
    pub text: String,
    /// It is put there; else taken back.
    pub on: bool,
}

/// Whether something written is a task, and what of it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    #[default]
    None,
    Open,
    Done,
}

impl TaskState {
    pub fn code(self) -> u64 {
        self as u64
    }

    pub fn of_code(code: u64) -> Option<TaskState> {
        [TaskState::None, TaskState::Open, TaskState::Done].into_iter().find(|state| state.code() == code)
    }
}

/// The kind of a change.
pub(super) const CHANGE: u64 = 1;

const TARGET: u64 = 2;
const PRIOR: u64 = 3;
const BODY: u64 = 4;
const WITHDRAWN: u64 = 5;
const REACTION: u64 = 6;
const TASK: u64 = 7;
const ASSIGNEE: u64 = 8;
const DUE: u64 = 9;

impl Amendment {
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.prior.len() <= PRIOR_MAX && self.prior.is_sorted_by(|a, b| a < b), "priors rise, and are few");
        assert!(self.sets_something(), "a change sets something");
        assert!(self.extra.iter().all(|(key, _)| !is_known(*key)), "unknown fields have unknown keys");
        let fields = self.known_fields();
        let mut out = Vec::new();
        let write_known = |out: &mut Vec<u8>| fields.iter().for_each(|key| self.write_field(*key, out));
        write_map(&self.extra, fields.len(), write_known, &mut out);
        out
    }

    fn known_fields(&self) -> Vec<u64> {
        let present = [
            (super::KIND, true),
            (TARGET, true),
            (PRIOR, !self.prior.is_empty()),
            (BODY, self.body.is_some()),
            (WITHDRAWN, self.withdrawn),
            (REACTION, self.reaction.is_some()),
            (TASK, self.task.is_some()),
            (ASSIGNEE, self.assignee.is_some()),
            (DUE, self.due.is_some()),
        ];
        present.into_iter().filter_map(|(key, present)| present.then_some(key)).collect()
    }

    fn sets_something(&self) -> bool {
        self.known_fields().iter().any(|key| *key >= BODY)
    }

    fn write_field(&self, key: u64, out: &mut Vec<u8>) {
        out.uint(key);
        match key {
            super::KIND => out.uint(CHANGE),
            TARGET => out.bytes(&self.target),
            PRIOR => write_prior(&self.prior, out),
            BODY => out.text(self.body.as_deref().unwrap_or_default()),
            WITHDRAWN => out.bool(true),
            REACTION => {
                let reaction = self.reaction.as_ref().expect("only present fields are written");
                out.array(2);
                out.text(&reaction.text);
                out.bool(reaction.on);
            }
            TASK => out.uint(self.task.unwrap_or_default().code()),
            ASSIGNEE => write_node(self.assignee.flatten(), out),
            DUE => out.uint(self.due.flatten().map_or(0, |due| due.0)),
            _ => unreachable!("known fields have known keys"),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Amendment, ContentError> {
        let (mut amendment, mut target) = (Amendment::default(), None);
        read_map(bytes, &mut |key, reader| match key {
            TARGET => {
                target = Some(reader.bytes_exact()?);
                Ok(())
            }
            _ => amendment.read_field(key, reader),
        })?;
        amendment.target = target.ok_or(ContentError::Missing("what it changes"))?;
        match amendment.sets_something() {
            true => Ok(amendment),
            false => Err(ContentError::Missing("what it sets")),
        }
    }

    fn read_field(&mut self, key: u64, reader: &mut Reader<'_>) -> Result<(), ContentError> {
        match key {
            super::KIND => drop(reader.uint()?),
            PRIOR => self.prior = read_prior(reader)?,
            BODY => self.body = Some(reader.text()?.to_owned()),
            WITHDRAWN => {
                self.withdrawn = reader.bool()?;
                if !self.withdrawn {
                    return Err(ContentError::Default(key));
                }
            }
            REACTION => {
                reader.array_exact(2)?;
                let (text, on) = (reader.text()?.to_owned(), reader.bool()?);
                if text.is_empty() || text.len() > REACTION_BYTES_MAX {
                    return Err(ContentError::Odd("reaction"));
                }
                self.reaction = Some(Reaction { text, on });
            }
            TASK => self.task = Some(TaskState::of_code(reader.uint()?).ok_or(ContentError::Odd("task"))?),
            ASSIGNEE => self.assignee = Some(read_node(reader)?),
            DUE => self.due = Some(Some(DtnTime(reader.uint()?)).filter(|due| due.0 > 0)),
            _ => keep(key, reader, &mut self.extra)?,
        }
        Ok(())
    }
}

pub(super) fn write_prior(prior: &[Mark], out: &mut Vec<u8>) {
    out.array(prior.len());
    prior.iter().for_each(|mark| out.bytes(mark));
}

pub(super) fn read_prior(reader: &mut Reader<'_>) -> Result<Vec<Mark>, ContentError> {
    let many = reader.array()?;
    if many > PRIOR_MAX {
        return Err(ContentError::TooMany("prior changes"));
    }
    let prior = (0..many).map(|_| Ok(reader.bytes_exact()?)).collect::<Result<Vec<Mark>, ContentError>>()?;
    // One set of changes has one encoding.
    if prior.is_empty() || !prior.is_sorted_by(|a, b| a < b) {
        Err(ContentError::Odd("prior changes"))
    } else {
        Ok(prior)
    }
}

fn is_known(key: u64) -> bool {
    (super::KIND..=DUE).contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    fn node() -> NodeId {
        NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes()).unwrap()
    }

    fn all_fields() -> Amendment {
        Amendment {
            target: [1; 16],
            prior: vec![[2; 16], [3; 16]],
            body: Some("at six".into()),
            withdrawn: true,
            reaction: Some(Reaction { text: "👍".into(), on: false }),
            task: Some(TaskState::Done),
            assignee: Some(Some(node())),
            due: Some(Some(DtnTime(5))),
            extra: vec![(40, vec![0x05])],
        }
    }

    #[test]
    fn every_field_reads_back_also_where_it_says_nobody_or_never() {
        let cleared = Amendment { assignee: Some(None), due: Some(None), task: Some(TaskState::None), ..all_fields() };
        let empty = Amendment { target: [9; 16], body: Some(String::new()), ..Amendment::default() };
        for amendment in [all_fields(), cleared, empty] {
            let content = Content::Change(amendment);
            assert_eq!(Content::decode(&content.encode()), Ok(content));
        }
    }

    #[test]
    fn what_sets_nothing_or_cannot_be_is_refused() {
        let broken = |edit: fn(&mut Vec<u8>)| {
            let mut bytes = Content::Change(Amendment { body: Some("x".into()), ..all_fields() }).encode();
            edit(&mut bytes);
            Content::decode(&bytes)
        };
        assert!(broken(|_| {}).is_ok());
        // Kind and target alone.
        let nothing = [&[0xa2, 0x01, 0x01, 0x02, 0x50][..], &[1; 16]].concat();
        assert_eq!(Content::decode(&nothing), Err(ContentError::Missing("what it sets")));
        let targetless = [0xa2, 0x01, 0x01, 0x04, 0x61, b'x'];
        assert_eq!(Content::decode(&targetless), Err(ContentError::Missing("what it changes")));
        let task = [&[0xa3, 0x01, 0x01, 0x02, 0x50][..], &[1; 16], &[0x07, 0x03]].concat();
        assert_eq!(Content::decode(&task), Err(ContentError::Odd("task")));
        let reaction = [&[0xa3, 0x01, 0x01, 0x02, 0x50][..], &[1; 16], &[0x06, 0x82, 0x60, 0xf5]].concat();
        assert_eq!(Content::decode(&reaction), Err(ContentError::Odd("reaction")));
        let unsorted =
            [&[0xa4, 0x01, 0x01, 0x02, 0x50][..], &[1; 16], &[0x03, 0x82, 0x50], &[3; 16], &[0x50], &[2; 16]];
        let unsorted = [&unsorted.concat()[..], &[0x05, 0xf5]].concat();
        assert_eq!(Content::decode(&unsorted), Err(ContentError::Odd("prior changes")));
    }
}
