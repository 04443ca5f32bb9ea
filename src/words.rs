//! Safety words: a node's id as eight words that two people can read to each other.
//!
//! An address that came through a chat or a website may have been exchanged on the way. Over the phone or face to
//! face each reads the *other's* words from the own screen; when both agree, the addresses are right. The words
//! depend on the id alone, so everybody sees the same ones. They carry 64 bits of a hash that takes time and memory on
//! purpose, Argon2id (RFC 9106) over the key: somebody who wants another key with the same words has to try 2^64 of
//! them, each at some milliseconds and 16 MiB, where a plain hash would take a fraction of a microsecond and nothing.

mod list;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::id::NodeId;

use list::WORDS;

/// Words that stand for a node id.
pub const SAFETY_WORDS: usize = 8;

/// The safety words of a node id; printed with spaces between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafetyWords(pub [&'static str; SAFETY_WORDS]);

/// The salt: the same for everybody, or two people would not see the same words.
const SALT: &[u8] = b"dak 2026 safety words v2";
/// Memory in KiB and passes over it.
const MEMORY_KIB: u32 = 16 << 10;
const PASSES: u32 = 1;
/// So many KiB are set aside for it, of which the rest is never touched. The system's allocator takes the size of what it
/// gives back to the system, up to 32 MiB, for one that is often wanted: it would keep everything up to 16 MiB from then on,
/// for each thread, and a node that sends large files would be as large as all of that.
const ASIDE_BLOCKS: usize = 33 << 10;
/// Most ids whose words are remembered; nodes ask for those of the people they named, again and again.
const KNOWN_MAX: usize = 4_096;

static KNOWN: Mutex<BTreeMap<NodeId, SafetyWords>> = Mutex::new(BTreeMap::new());

impl SafetyWords {
    /// Takes some milliseconds the first time a process asks for a node.
    pub fn of(node: &NodeId) -> SafetyWords {
        let known = || KNOWN.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some(words) = known().get(node) {
            return *words;
        }
        let words = SafetyWords::stretched(node);
        let mut all = known();
        if all.len() >= KNOWN_MAX {
            all.pop_first();
        }
        all.insert(*node, words);
        words
    }

    fn stretched(node: &NodeId) -> SafetyWords {
        let mut digest = [0; SAFETY_WORDS];
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(SAFETY_WORDS)).expect("these parameters are in range");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut memory = Vec::with_capacity(ASIDE_BLOCKS);
        memory.resize(argon2.params().block_count(), Block::default());
        let stretched = argon2.hash_password_into_with_memory(node.as_bytes(), SALT, &mut digest, &mut memory);
        stretched.expect("lengths and memory are in range");
        SafetyWords(digest.map(|byte| WORDS[usize::from(byte)]))
    }

    /// Says whether somebody typed these very words, whatever the case and what stands between them.
    pub fn matches(&self, typed: &str) -> bool {
        let words = typed.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).eq(self.0.iter().copied())
    }
}

/// The word for a byte.
pub fn word(byte: u8) -> &'static str {
    WORDS[usize::from(byte)]
}

/// The word that begins like this in its first three letters, which no two have in common; the caller says whether that is
/// near enough.
pub fn begun(typed: &str) -> Option<&'static str> {
    let beginning = typed.get(..DISTINCT_LETTERS)?;
    WORDS.iter().find(|word| word.starts_with(beginning)).copied()
}

/// As many first letters tell a word from all others.
pub const DISTINCT_LETTERS: usize = 3;

impl fmt::Display for SafetyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn node(seed: u8) -> NodeId {
        NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
    }

    #[test]
    fn the_words_are_sorted_short_and_never_alike() {
        assert!(WORDS.is_sorted_by(|a, b| a < b));
        assert!(WORDS.iter().all(|word| (4..=7).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase())));
        assert_eq!(WORDS.iter().map(|word| &word[..3]).collect::<BTreeSet<_>>().len(), 256);
        for (at, one) in WORDS.iter().enumerate() {
            for other in &WORDS[at + 1..] {
                assert!(distance(one, other) >= 3, "{one} and {other}");
            }
        }
    }

    #[test]
    fn a_node_has_the_same_words_for_everybody_for_ever() {
        assert_eq!(SafetyWords::of(&node(7)).to_string(), "ladder bamboo chimney satin sauce sketch fiddle puppet");
        assert_ne!(SafetyWords::of(&node(7)), SafetyWords::of(&node(8)));
    }

    #[test]
    fn words_are_remembered_and_the_same_as_before() {
        let first = SafetyWords::of(&node(9));
        assert_eq!((SafetyWords::of(&node(9)), SafetyWords::stretched(&node(9))), (first, first));
        assert!(KNOWN.lock().unwrap().len() <= KNOWN_MAX);
    }

    #[test]
    fn typed_words_match_whatever_their_case_and_commas() {
        let words = SafetyWords::of(&node(7));
        assert!(words.matches(&words.to_string()));
        assert!(words.matches(&format!(" {}\n", words.0.join(", ").to_uppercase())));
        assert!(!words.matches(&words.0[..7].join(" ")));
        assert!(!words.matches(&format!("{words} {}", words.0[0])));
        assert!(!words.matches(""));
    }

    /// Single letters to add, drop or change to make one word of the other (Levenshtein).
    fn distance(one: &str, other: &str) -> usize {
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (i, a) in one.bytes().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, b) in other.bytes().enumerate() {
                let changed = diagonal + usize::from(a != b);
                diagonal = row[j + 1];
                row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
            }
        }
        row[other.len()]
    }
}
