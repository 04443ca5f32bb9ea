//! What the person arranges here for themselves: it is in no message, and nobody else hears of it.
//!
//! Each thing has a key and a value; the store keeps them as they are, and so does a backup. The first byte of a key says
//! what it is of.

use crate::agent::change::Row;
use crate::content::Mark;
use crate::mail::conversation::Conversation;

/// What a key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A message, by the name of its content.
    Message = 1,
    /// A conversation.
    Conversation = 2,
    /// This home as a whole.
    Home = 3,
}

/// The key of something that is arranged of a message: all of one message's begin alike.
pub fn of_message(mark: &Mark, what: &[u8]) -> Vec<u8> {
    [&[Of::Message as u8], &mark[..], what].concat()
}

/// The key of something that is arranged of a conversation.
pub fn of_conversation(with: &Conversation, what: &[u8]) -> Vec<u8> {
    [&[Of::Conversation as u8], &with.key()[..], what].concat()
}

/// The key of something that is arranged of this home, in an order of its own.
pub fn of_home(what: &[u8], row: Row) -> Vec<u8> {
    [&[Of::Home as u8], what, &row.0.to_be_bytes()].concat()
}
