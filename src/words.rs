//! Safety words: a node's id as eight words that two people can read to each other.
//!
//! An address that came through a chat or a website may have been exchanged on the way. Over the phone or face to
//! face each reads the *other's* words from the own screen; when both agree, the addresses are right. The words
//! depend on the id alone, so everybody sees the same ones. They carry 64 bits: somebody who wants another key with
//! the same words has to try 2^64 of them.

mod list;

use std::fmt;

use crate::id::NodeId;

use list::WORDS;

/// Words that stand for a node id.
pub const SAFETY_WORDS: usize = 8;

/// The safety words of a node id; printed with spaces between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafetyWords(pub [&'static str; SAFETY_WORDS]);

impl SafetyWords {
    pub fn of(node: &NodeId) -> SafetyWords {
        let digest = blake3::derive_key("dak 2026 safety words v1", node.as_bytes());
        SafetyWords(std::array::from_fn(|at| WORDS[usize::from(digest[at])]))
    }

    /// Says whether somebody typed these very words, whatever the case and what stands between them.
    pub fn matches(&self, typed: &str) -> bool {
        let words = typed.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).eq(self.0.iter().copied())
    }
}

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
        assert_eq!(SafetyWords::of(&node(7)).to_string(), "yacht oatmeal ribbon north goblet orchid hippo lobster");
        assert_ne!(SafetyWords::of(&node(7)), SafetyWords::of(&node(8)));
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
