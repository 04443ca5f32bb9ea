//! Pairing: two people who can speak to each other have each other as contacts after one of them said a short code.
//!
//! ```text
//! 7-copper-lantern      a number, by which the other node is found, and two of 256 words, which are the secret
//! ```
//!
//! The code is the password of a SPAKE2 exchange: who listens learns nothing of it, and who takes part without it can try
//! one guess in 65,536 for each run and is noticed; three wrong ones end the pairing, which leaves whoever guesses one chance
//! in 21,845. The exchange is bound to the keys that both connections proved, so nobody can sit between the two. What
//! follows under its key are both addresses. A code serves once.
//!
//! | file | |
//! |---|---|
//! | [`code`](Code) | the code, as it is said and typed, and the text of its QR code |
//! | [`frame`](Frame) | what is said on the stream |
//! | `exchange` | both sides as machines: no clock, no network, and chance comes in |
//!
//! Left out on purpose: who a person is. Both learn that the other node is the one that showed, or was given, the code.

mod code;
mod exchange;
mod frame;

pub use code::{Code, CodeError, INVITATION_BYTES_MAX, INVITATION_HINTS_MAX, Invitation};
pub use exchange::{Host, Joiner, NotProven, Proven, Proving, Run, WRONG_CODES_MAX};
pub use frame::{ELEMENT_BYTES, FRAME_BYTES_MAX, Frame, Refusal, TAG_BYTES};
