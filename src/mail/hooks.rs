//! Programs that the person has work on what comes: which, on what, and what they gave up.
//!
//! A hook is a consumer of what happened to the record ([`happening`](super::happening)), as durable as one of a topic: how
//! far it has come is a [`Group`](super::topics::group::Group), so that what it had and did not finish goes out again.
//! Here is how that lies among what a home keeps (`kept.rs`), behind its key for the home:
//!
//! | key | value | what |
//! |---|---|---|
//! | `HOOK`, name | array of the fields of [`Hook`] | a hook |
//! | `REACHED`, name | `topics/group.rs` | how far it has come |
//! | `GIVEN_UP`, name, 0, number | array of id, tries, time, reason | what it gave up |

use super::conversation::Conversation;
use super::kept::{of_home, read_conversation, write_conversation};
use crate::cbor::{CborError, Reader, Writer};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, MINUTE, Millis};

/// So many hooks there are at most.
pub const HOOKS_MAX: usize = 64;
/// Longest name of one in bytes.
pub const HOOK_NAME_BYTES_MAX: usize = 64;
/// Most words of its command.
pub const HOOK_WORDS_MAX: usize = 256;
/// Longest command, its words together, in bytes.
pub const HOOK_COMMAND_BYTES_MAX: usize = 16 << 10;
/// So many messages at most it works on at once.
pub const HOOK_AT_ONCE_MAX: u32 = 8;
/// Longest time in milliseconds that it may take for one.
pub const HOOK_TIME_MS_MAX: u64 = 60 * MINUTE.0;
/// Most tries.
pub const HOOK_TRIES_MAX: u32 = 100;

const HOOK: u8 = 20;
const REACHED: u8 = 21;
const GIVEN_UP: u8 = 22;

/// What is run, and for which messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments; of a shell the words of its line.
    pub cmd: Vec<String>,
    pub shell: bool,
    /// What it prints goes back as an automatic answer.
    pub reply: bool,
    pub time_max: Millis,
    pub tries: u32,
    pub at_once: u32,
    /// Nobody gets an automatic answer of it so soon after one.
    pub every: Millis,
    pub added: DtnTime,
    pub from: Option<NodeId>,
    pub within: Option<Conversation>,
    pub label: Option<String>,
    pub query: Option<String>,
}

/// A message that a hook gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    pub id: BundleId,
    /// How often it failed.
    pub failed: u32,
    pub at: DtnTime,
    pub why: String,
}

/// The start of the keys of all hooks.
pub fn hooks() -> Vec<u8> {
    of_home(HOOK, &[])
}

pub fn hook(name: &str) -> Vec<u8> {
    of_home(HOOK, name.as_bytes())
}

/// The name in the key of a hook.
pub fn read_hook(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&*hooks())?).ok()
}

pub fn reached(name: &str) -> Vec<u8> {
    of_home(REACHED, name.as_bytes())
}

/// The start of the keys of all that a hook gave up.
pub fn all_given_up(name: &str) -> Vec<u8> {
    of_home(GIVEN_UP, &[name.as_bytes(), &[0]].concat())
}

pub fn given_up(name: &str, number: u64) -> Vec<u8> {
    [all_given_up(name), number.to_be_bytes().to_vec()].concat()
}

/// The number in the key of what was given up.
pub fn read_given_up(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|number| u64::from_be_bytes(*number))
}

/// Whether a text can be the name of a hook.
pub fn is_hook_name(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    !text.is_empty() && text.len() <= HOOK_NAME_BYTES_MAX && is_plain
}

impl Hook {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.array(12);
        out.array(self.cmd.len());
        self.cmd.iter().for_each(|word| out.text(word));
        out.bool(self.shell);
        out.bool(self.reply);
        out.uint(self.time_max.0);
        out.uint(self.tries);
        out.uint(self.at_once);
        out.uint(self.every.0);
        out.uint(self.added.0);
        out.bytes(self.from.as_ref().map_or(&[][..], |node| node.as_bytes()));
        out.bytes(&self.within.as_ref().map(write_conversation).unwrap_or_default());
        out.text(self.label.as_deref().unwrap_or_default());
        out.text(self.query.as_deref().unwrap_or_default());
        out
    }

    /// Reads what [`Hook::write`] wrote; none for anything else.
    pub fn read(value: &[u8]) -> Option<Hook> {
        let mut reader = Reader::new(value);
        let hook = Hook::read_from(&mut reader).ok()?;
        reader.finish().ok().and(hook)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Option<Hook>, CborError> {
        reader.array_exact(12)?;
        let words = reader.array()?;
        if words > HOOK_WORDS_MAX {
            return Ok(None);
        }
        let cmd = (0..words).map(|_| reader.text().map(str::to_owned)).collect::<Result<_, _>>()?;
        let mut flag = || reader.bool();
        let (shell, reply) = (flag()?, flag()?);
        let (time_max, tries, at_once) = (Millis(reader.uint()?), reader.uint_as()?, reader.uint_as()?);
        let (every, added) = (Millis(reader.uint()?), DtnTime(reader.uint()?));
        let from = match reader.bytes()? {
            [] => None,
            key => match key.try_into().map(NodeId::from_key) {
                Ok(Ok(node)) => Some(node),
                _ => return Ok(None),
            },
        };
        let within = match reader.bytes()? {
            [] => None,
            key => match read_conversation(key) {
                Some(with) => Some(with),
                None => return Ok(None),
            },
        };
        let mut said = || reader.text().map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
        let (label, query) = (said()?, said()?);
        Ok(Some(Hook { cmd, shell, reply, time_max, tries, at_once, every, added, from, within, label, query }))
    }
}

impl GivenUp {
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.array(4);
        out.bytes(&self.id.0);
        out.uint(self.failed);
        out.uint(self.at.0);
        out.text(&self.why);
        out
    }

    pub fn read(value: &[u8]) -> Option<GivenUp> {
        let mut reader = Reader::new(value);
        reader.array_exact(4).ok()?;
        let (id, failed) = (BundleId(reader.bytes_exact().ok()?), reader.uint_as().ok()?);
        let (at, why) = (DtnTime(reader.uint().ok()?), reader.text().ok()?.to_owned());
        reader.finish().ok().map(|()| GivenUp { id, failed, at, why })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eid::Eid;
    use crate::mail::samples::node;

    fn sample() -> Hook {
        Hook {
            cmd: vec!["/bin/echo".into(), "a b".into(), String::new()],
            shell: true,
            reply: false,
            time_max: MINUTE,
            tries: 5,
            at_once: 2,
            every: Millis(7),
            added: DtnTime(9),
            from: Some(node(1)),
            within: Some(Conversation(Eid::mail(node(2)))),
            label: Some("plans".into()),
            query: Some("pump -valve".into()),
        }
    }

    #[test]
    fn what_was_written_reads_back_with_and_without_what_may_be_left_out() {
        let bare = Hook { from: None, within: None, label: None, query: None, ..sample() };
        for hook in [sample(), bare] {
            let value = hook.write();
            assert_eq!(Hook::read(&value), Some(hook));
            assert_eq!(Hook::read(&value[..value.len() - 1]), None);
        }
        let given_up = GivenUp { id: BundleId([7; 32]), failed: 5, at: DtnTime(3), why: "it \"ended\"".into() };
        assert_eq!(GivenUp::read(&given_up.write()), Some(given_up));
    }

    #[test]
    fn keys_of_one_hook_are_no_keys_of_another() {
        assert_eq!(read_hook(&hook("a-b")), Some("a-b"));
        assert_eq!(read_given_up(&given_up("a", 258)), Some(258));
        assert!(!given_up("ab", 1).starts_with(&all_given_up("a")));
        assert_eq!(read_hook(&reached("a")), None);
        for text in ["", "a b", "a/b", "é", "../x", &"x".repeat(65)] {
            assert!(!is_hook_name(text), "{text}");
        }
        assert!(is_hook_name("to-do_2"));
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_or_left(value in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(given_up) = GivenUp::read(&value) {
                prop_assert_eq!(given_up.write(), value.clone());
            }
            if let Some(hook) = Hook::read(&value) {
                prop_assert_eq!(hook.write(), value);
            }
        }
    }
}
