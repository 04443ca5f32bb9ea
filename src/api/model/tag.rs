//! What a writer means a message to be.

use serde::{Deserialize, Serialize};

use crate::content::{TAG_AUTOMATIC, TAG_DECISION, TAG_FYI, TAG_QUESTION};

/// What a message is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    Question,
    Decision,
    /// For your information: nothing has to be done.
    Fyi,
    /// A program wrote it by itself, and nothing that answers by itself answers it.
    Automatic,
}

impl Tag {
    pub const ALL: [Tag; 4] = [Tag::Question, Tag::Decision, Tag::Fyi, Tag::Automatic];

    pub fn word(self) -> &'static str {
        match self {
            Tag::Question => "question",
            Tag::Decision => "decision",
            Tag::Fyi => "fyi",
            Tag::Automatic => "automatic",
        }
    }

    fn bit(self) -> u64 {
        match self {
            Tag::Question => TAG_QUESTION,
            Tag::Decision => TAG_DECISION,
            Tag::Fyi => TAG_FYI,
            Tag::Automatic => TAG_AUTOMATIC,
        }
    }

    /// The tags of a message; what newer versions know besides is left out.
    pub fn of(bits: u64) -> Vec<Tag> {
        Tag::ALL.into_iter().filter(|tag| bits & tag.bit() != 0).collect()
    }

    pub fn bits(tags: &[Tag]) -> u64 {
        tags.iter().fold(0, |bits, tag| bits | tag.bit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_bits_and_what_nobody_knows_is_left_out() {
        assert_eq!(Tag::of(Tag::bits(&Tag::ALL)), Tag::ALL);
        assert_eq!(Tag::of(0b1000_0101), [Tag::Question, Tag::Fyi]);
        assert_eq!(Tag::bits(&[Tag::Fyi, Tag::Fyi]), TAG_FYI);
    }
}
