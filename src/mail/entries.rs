//! The entries of the index, as they lie in the store's one sorted map.
//!
//! | key | value | for |
//! |---|---|---|
//! | `ID`, the first 16 bytes of a delivered id | its row, there or deleted | whether it was delivered before; what begins so |
//! | `STAMP`, writer, has a clock, stamp, row | the place it is read at, its conversation | `order.rs` |
//! | `MOVED`, place, stamp, row | | rows that are read elsewhere than they arrived |
//! | `AWAY`, row | its place | the same |
//! | `COST`, source, who handed over | bytes | the room that mail of strangers shares |
//! | `ON_WAY`, id | | one's own messages that an agent keeps |
//! | `SENT`, when it was written, stamp, id | | one's own messages in their order |
//! | `TALK`, conversation, place, stamp, row | the number it came with; of one's own words the id behind it | `conversation.rs` |
//! | `UNREAD`, the same | | the same |
//! | `WITH`, conversation | how many rows, how many of them unread, the highest row | the same |
//! | `CONTENT`, conversation, mark | `sameness.rs` | changes of it |
//! | `NAMED`, conversation, mark of a later bundle | the mark of its content | the same |
//! | `REGISTER`, … | | `registers.rs` |
//! | `UNSHOWN`, row | of a change the conversation and its target | rows that are read nowhere |
//! | `TASK`, conversation, mark | | what may be a task |
//! | `APP`, conversation, mark | | what has a shared app beside it |
//! | `UPDATE`, `UPDATES`, … | | `apps.rs` |
//! | `DUE`, row | by when an answer helps, mark | `due.rs` |
//! | `ANSWERED`, mark, row of one's own answer | | the same |
//! | `ANSWERS`, that row | that mark | the same |
//! | `ENDING`, `ENDS`, `GONE`, … | | `ending.rs` |
//! | `PINNED`, row | | messages that the person pinned |
//! | `ENDED`, number of what happened | id | one's own messages whose lives ended without a receipt, whatever came later |
//! | `THREAD`, `THREADS`, `IN_THREAD`, … | | `threads.rs` |
//! | `FILES`, row | mark, conversation | messages with files that come in parts |
//! | `ASKED`, row | | requests for parts that came |
//! | `PARTS`, id | | parts that were sent from here |
//!
//! Numbers are big-endian, so that keys are in their order.

pub(super) const ID: u8 = 1;
pub(super) const STAMP: u8 = 2;
pub(super) const MOVED: u8 = 3;
pub(super) const AWAY: u8 = 4;
pub(super) const COST: u8 = 5;
pub(super) const ON_WAY: u8 = 6;
pub(super) const SENT: u8 = 7;
pub(super) const TALK: u8 = 8;
pub(super) const UNREAD: u8 = 9;
pub(super) const WITH: u8 = 10;
pub(super) const REGISTER: u8 = 11;
pub(super) const CONTENT: u8 = 12;
pub(super) const UNSHOWN: u8 = 13;
pub(super) const TASK: u8 = 14;
pub(super) const DUE: u8 = 15;
pub(super) const ANSWERED: u8 = 16;
pub(super) const ANSWERS: u8 = 17;
pub(super) const ENDING: u8 = 18;
pub(super) const ENDS: u8 = 19;
pub(super) const GONE: u8 = 20;
pub(super) const NAMED: u8 = 21;
pub(super) const PINNED: u8 = 22;
pub(super) const ENDED: u8 = 23;
pub(super) const APP: u8 = 24;
pub(super) const UPDATE: u8 = 25;
pub(super) const UPDATES: u8 = 26;
pub(super) const THREAD: u8 = 27;
pub(super) const IN_THREAD: u8 = 28;
pub(super) const THREADS: u8 = 29;
pub(super) const FILES: u8 = 40;
pub(super) const ASKED: u8 = 41;
pub(super) const PARTS: u8 = 42;

/// One key of its parts.
pub(super) fn key<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}

/// The first key behind all that begin with `start`.
pub(super) fn behind(start: &[u8]) -> Vec<u8> {
    let mut end = start.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    unreachable!("the first byte of a key says what it is, and is none of 255")
}

/// A number at a place of a key or value; zero where it is cut short.
pub(super) fn number(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_be_bytes)
}

pub(super) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}
