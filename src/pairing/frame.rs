//! What two nodes say to each other on the stream of a pairing: arrays of deterministic CBOR, the kind first.

use crate::cbor::{CborError, Reader, Writer};

/// Bytes of a group element.
pub const ELEMENT_BYTES: usize = 32;
/// Bytes of a proof that its sender has the key.
pub const TAG_BYTES: usize = 32;
/// Longest frame, in bytes: a sealed ticket, and what is around it.
pub const FRAME_BYTES_MAX: usize = 4_160;

/// One frame; the joiner and the host speak in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The joiner asks for the code with this number.
    Ask { number: u8, element: [u8; ELEMENT_BYTES] },
    /// The host shows one.
    Answer { element: [u8; ELEMENT_BYTES] },
    /// The joiner has the code, and says who it is.
    Proof { tag: [u8; TAG_BYTES], sealed: Vec<u8> },
    /// So has the host. It has the joiner as a contact now.
    Welcome { tag: [u8; TAG_BYTES], sealed: Vec<u8> },
    /// The joiner has the host as a contact as well.
    Done,
    /// The host has nothing more to say.
    Refused(Refusal),
}

/// Why a host says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It shows no code with that number.
    NotHere,
    /// The code is another. So many more may be tried.
    Wrong { left: u8 },
    /// The pairing is over.
    Over,
}

const ASK: u64 = 1;
const ANSWER: u64 = 2;
const PROOF: u64 = 3;
const WELCOME: u64 = 4;
const DONE: u64 = 5;
const REFUSED: u64 = 6;

const NOT_HERE: u64 = 0;
const WRONG: u64 = 1;
const OVER: u64 = 2;

impl Frame {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let begin = |out: &mut Vec<u8>, kind: u64, fields: usize| {
            out.array(1 + fields);
            out.uint(kind);
        };
        match self {
            Frame::Ask { number, element } => {
                begin(&mut out, ASK, 2);
                out.uint(*number);
                out.bytes(element);
            }
            Frame::Answer { element } => {
                begin(&mut out, ANSWER, 1);
                out.bytes(element);
            }
            Frame::Proof { tag, sealed } => {
                begin(&mut out, PROOF, 2);
                out.bytes(tag);
                out.bytes(sealed);
            }
            Frame::Welcome { tag, sealed } => {
                begin(&mut out, WELCOME, 2);
                out.bytes(tag);
                out.bytes(sealed);
            }
            Frame::Done => begin(&mut out, DONE, 0),
            Frame::Refused(refusal) => {
                begin(&mut out, REFUSED, 2);
                let (why, left) = match refusal {
                    Refusal::NotHere => (NOT_HERE, 0),
                    Refusal::Wrong { left } => (WRONG, *left),
                    Refusal::Over => (OVER, 0),
                };
                out.uint(why);
                out.uint(left);
            }
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Frame, CborError> {
        let mut from = Reader::new(bytes);
        let fields = from.array()?;
        let frame = match (from.uint()?, fields) {
            (ASK, 3) => Frame::Ask { number: from.uint_as()?, element: from.bytes_exact()? },
            (ANSWER, 2) => Frame::Answer { element: from.bytes_exact()? },
            (PROOF, 3) => Frame::Proof { tag: from.bytes_exact()?, sealed: from.bytes()?.to_vec() },
            (WELCOME, 3) => Frame::Welcome { tag: from.bytes_exact()?, sealed: from.bytes()?.to_vec() },
            (DONE, 1) => Frame::Done,
            (REFUSED, 3) => Frame::Refused(match (from.uint()?, from.uint_as()?) {
                (NOT_HERE, 0) => Refusal::NotHere,
                (WRONG, left) => Refusal::Wrong { left },
                (OVER, 0) => Refusal::Over,
                _ => return Err(CborError::Range),
            }),
            _ => return Err(CborError::Range),
        };
        from.finish()?;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::TICKET_BYTES_MAX;

    fn every() -> Vec<Frame> {
        vec![
            Frame::Ask { number: 7, element: [1; 32] },
            Frame::Answer { element: [2; 32] },
            Frame::Proof { tag: [3; 32], sealed: vec![4; 20] },
            Frame::Welcome { tag: [5; 32], sealed: vec![6; TICKET_BYTES_MAX + 16] },
            Frame::Done,
            Frame::Refused(Refusal::NotHere),
            Frame::Refused(Refusal::Wrong { left: 2 }),
            Frame::Refused(Refusal::Over),
        ]
    }

    #[test]
    fn every_frame_reads_back_and_the_longest_fits() {
        for frame in every() {
            let bytes = frame.encode();
            assert!(bytes.len() <= FRAME_BYTES_MAX);
            assert_eq!(Frame::decode(&bytes), Ok(frame));
        }
    }

    #[test]
    fn cut_or_lengthened_a_frame_is_none() {
        for bytes in every().iter().map(Frame::encode) {
            assert!((0..bytes.len().min(80)).all(|len| Frame::decode(&bytes[..len]).is_err()));
            assert_eq!(Frame::decode(&[&bytes[..], &[0]].concat()), Err(CborError::Trailing));
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_a_frame_spelt_in_one_way_or_an_error(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..90),
            begins in 0..8usize,
        ) {
            let bytes = [&every()[begins].encode()[..2], &bytes].concat();
            if let Ok(frame) = Frame::decode(&bytes) {
                proptest::prop_assert_eq!(frame.encode(), bytes);
            }
        }
    }
}
