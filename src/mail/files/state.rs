//! What is kept of a file that comes or goes, in the store: see `mail/kept.rs`.

use super::parts::{PARTS_MAX, Parts};

/// What is remembered of a file beside what its message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileState {
    /// The person here, or the other one, is done with it.
    pub stopped: bool,
    /// This person asked for it.
    pub asked: bool,
    /// Its bytes were deleted here.
    pub gone: bool,
    /// Of a file sent from here: the parts that the recipient wants and those that it signed for.
    pub sent: Option<(Parts, Parts)>,
    /// Of a file that this person asked for: which parts, where it is not all of it.
    pub wanted: Option<Parts>,
}

const STOPPED: u8 = 1;

const ASKED: u8 = 2;

const SENT: u8 = 4;

const GONE: u8 = 8;

const WANTED: u8 = 16;

impl FileState {
    pub fn write(&self) -> Vec<u8> {
        let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
        let flags = flag(STOPPED, self.stopped)
            | flag(ASKED, self.asked)
            | flag(SENT, self.sent.is_some())
            | flag(GONE, self.gone)
            | flag(WANTED, self.wanted.is_some());
        let mut value = vec![flags];
        if let Some((wanted, safe)) = &self.sent {
            value.extend_from_slice(&wanted.of().to_be_bytes());
            value.extend(wanted.write());
            value.extend(safe.write());
        }
        if let Some(wanted) = &self.wanted {
            value.extend_from_slice(&wanted.of().to_be_bytes());
            value.extend(wanted.write());
        }
        value
    }

    /// Reads what [`FileState::write`] wrote; of anything else nothing is known.
    pub fn read(value: &[u8]) -> FileState {
        let Some((&flags, rest)) = value.split_first() else { return FileState::default() };
        let is = |bit| flags & bit != 0;
        let mut rest = rest;
        let sent = is(SENT).then(|| {
            let of = read_of(&mut rest)?;
            Some((read_parts(of, &mut rest)?, read_parts(of, &mut rest)?))
        });
        let wanted = is(WANTED).then(|| {
            let of = read_of(&mut rest)?;
            read_parts(of, &mut rest)
        });
        FileState {
            stopped: is(STOPPED),
            asked: is(ASKED),
            gone: is(GONE),
            sent: sent.flatten(),
            wanted: wanted.flatten(),
        }
    }
}

fn read_of(rest: &mut &[u8]) -> Option<u32> {
    let (of, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*of))
}

fn read_parts(of: u32, rest: &mut &[u8]) -> Option<Parts> {
    let (bits, after) = rest.split_at_checked(of.min(PARTS_MAX).div_ceil(8) as usize)?;
    *rest = after;
    Some(Parts::read(of, bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_known_of_a_file_reads_back(of in 0u32..300, some in prop::collection::vec(0u32..300, 0..99), noise: [u8; 50]) {
            let mut parts = Parts::none(of);
            some.into_iter().for_each(|part| {
                parts.insert(part);
            });
            let state = FileState {
                stopped: of % 2 == 0,
                asked: of % 3 == 0,
                gone: of % 5 == 0,
                sent: (of % 7 != 0).then(|| (parts.clone(), Parts::all(of))),
                wanted: (of % 4 != 0).then_some(parts),
            };
            prop_assert_eq!(FileState::read(&state.write()), state);
            let _ = (FileState::read(&noise), FileState::read(&[]));
        }
    }
}
