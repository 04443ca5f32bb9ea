//! A set of the parts of a file.

use crate::content::{PART_BYTES, WANTED_MAX, part_len};

/// Most parts of a file.
pub const PARTS_MAX: u32 = 1 << 18;

/// Of a file of a group its author hears when so many parts of it came, one after the other.
const TOLD_PARTS: u32 = 8;

/// Some of the parts of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    of: u32,
    /// A bit for each part, the lowest of a word first.
    words: Vec<u64>,
    count: u32,
}

impl Parts {
    /// None of so many.
    pub fn none(of: u32) -> Parts {
        let of = of.min(PARTS_MAX);
        Parts { of, words: vec![0; of.div_ceil(64) as usize], count: 0 }
    }

    /// All of so many.
    pub fn all(of: u32) -> Parts {
        let mut parts = Parts::none(of);
        (0..parts.of).for_each(|part| {
            parts.insert(part);
        });
        parts
    }

    /// Of how many parts.
    pub fn of(&self) -> u32 {
        self.of
    }

    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn is_all(&self) -> bool {
        self.count == self.of
    }

    pub fn has(&self, part: u32) -> bool {
        part < self.of && self.words[part as usize / 64] >> (part % 64) & 1 == 1
    }

    /// Takes a part in; says whether it was missing.
    pub fn insert(&mut self, part: u32) -> bool {
        let is_new = part < self.of && !self.has(part);
        if is_new {
            self.words[part as usize / 64] |= 1 << (part % 64);
            self.count += 1;
        }
        is_new
    }

    pub fn remove(&mut self, part: u32) {
        if self.has(part) {
            self.words[part as usize / 64] &= !(1 << (part % 64));
            self.count -= 1;
        }
    }

    /// Keeps what is in another set of the same file as well.
    pub fn retain_all(&mut self, other: &Parts) {
        let others = other.words.iter().chain(std::iter::repeat(&0));
        self.words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
        self.count = self.words.iter().map(|word| word.count_ones()).sum();
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.of).filter(|part| self.has(*part))
    }

    /// The first parts that are missing in a stretch of the file, as stretches: at most as many as one request has.
    pub fn missing(&self, from: u32, to: u32) -> Vec<(u32, u32)> {
        stretches((from..to.min(self.of)).filter(|part| !self.has(*part)))
    }

    /// The first of these parts as stretches: at most as many as one word has.
    pub fn stretches(&self) -> Vec<(u32, u32)> {
        stretches(self.iter())
    }

    /// Takes all of another set of the same file in.
    pub fn insert_all(&mut self, other: &Parts) {
        other.iter().for_each(|part| {
            self.insert(part);
        });
    }

    /// Whether a member of a group tells the author of a file of it what is here, where so many parts were told before: some
    /// times as it comes, and once it is whole.
    pub fn is_to_tell(&self, told: u32) -> bool {
        let step = (self.of / TOLD_PARTS).max(1);
        self.count > told && (self.is_all() || self.count >= told + step)
    }

    /// Bytes of these parts of a file.
    pub fn bytes(&self, file_bytes: u64) -> u64 {
        let last = self.of.checked_sub(1).filter(|last| self.has(*last));
        let short = last.map_or(0, |last| PART_BYTES as u64 - part_len(file_bytes, last) as u64);
        u64::from(self.count) * PART_BYTES as u64 - short
    }

    /// A bit for each part, eight a byte.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(self.of.div_ceil(8) as usize);
        bytes
    }

    /// Reads what [`Parts::write`] wrote; what is cut short lacks the rest, and bits behind the last part mean nothing.
    pub fn read(of: u32, bytes: &[u8]) -> Parts {
        let mut parts = Parts::none(of);
        let is_set = |part: u32| bytes.get(part as usize / 8).is_some_and(|byte| byte >> (part % 8) & 1 == 1);
        (0..parts.of).filter(|part| is_set(*part)).collect::<Vec<_>>().into_iter().for_each(|part| {
            parts.insert(part);
        });
        parts
    }
}

/// Parts in rising order as stretches: at most [`WANTED_MAX`], the first.
fn stretches(parts: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for part in parts {
        let full = stretches.len() == WANTED_MAX;
        match stretches.last_mut() {
            Some((first, many)) if *first + *many == part => *many += 1,
            _ if full => break,
            _ => stretches.push((part, 1)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_author_hears_eight_times_of_a_file_of_many_parts_and_of_each_of_few() {
        let times = |of: u32| {
            let (mut here, mut told, mut times) = (Parts::none(of), 0, 0);
            for part in 0..of {
                here.insert(part);
                if here.is_to_tell(told) {
                    (told, times) = (here.len(), times + 1);
                }
            }
            assert!(!here.is_to_tell(told), "once it is whole nothing more is said");
            (told, times)
        };
        assert_eq!([1, 3, 8, 64, 99].map(times), [(1, 1), (3, 3), (8, 8), (64, 8), (99, 9)]);
    }

    #[test]
    fn holes_are_asked_for_as_stretches() {
        let mut have = Parts::none(10);
        for part in [0, 1, 4, 9] {
            have.insert(part);
        }
        assert_eq!(have.missing(0, 10), [(2, 2), (5, 4)]);
        assert_eq!(have.missing(3, 6), [(3, 1), (5, 1)]);
        let mut holes = Parts::none(1_000);
        for part in (0..1_000).step_by(2) {
            holes.insert(part);
        }
        assert_eq!(holes.missing(0, u32::MAX).len(), WANTED_MAX);
    }

    proptest! {
        #[test]
        fn parts_are_a_set_that_reads_back(of in 0u32..300, some in prop::collection::vec(0u32..320, 0..99)) {
            let mut parts = Parts::none(of);
            let set: BTreeSet<u32> = some.into_iter().filter(|part| *part < of).collect();
            set.iter().for_each(|part| prop_assert_ok(parts.insert(*part)));
            prop_assert_eq!(parts.iter().collect::<BTreeSet<_>>(), set.clone());
            prop_assert_eq!(parts.len() as usize, set.len());
            prop_assert_eq!(&Parts::read(of, &parts.write()), &parts);
            let (mut both, mut all) = (parts.clone(), Parts::all(of));
            both.retain_all(&Parts::none(of));
            all.retain_all(&parts);
            prop_assert_eq!((both, &all), (Parts::none(of), &parts));
            all.insert_all(&Parts::all(of));
            prop_assert!(all.is_all());
            let missing: u32 = parts.missing(0, of).iter().map(|(_, many)| many).sum();
            prop_assert!(missing + parts.len() <= of);
        }
    }

    fn prop_assert_ok(is_new: bool) {
        assert!(is_new, "each is new once");
    }
}
