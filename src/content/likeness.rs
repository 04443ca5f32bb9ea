//! Whether two texts are one content: all but their words is equal.

use super::text::{BODY, EXPIRE_AFTER_READ, IN_REPLY_TO, SAME, THREAD};
use super::{ContentError, read_map};

/// The first half of a hash of some of a content's fields.
pub type Digest = [u8; 16];

/// What tells one text from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness {
    pub words: Digest,
    /// All but the words, and what it says of being there once more.
    pub beside: Digest,
    /// It says nothing: its words were forgotten, or there never were any.
    pub is_bare: bool,
}

impl Likeness {
    /// Reads it from an encoded text.
    pub fn of(text: &[u8]) -> Result<Likeness, ContentError> {
        let (mut words, mut beside, mut is_bare) = (words_of(""), blake3::Hasher::new(), true);
        read_map(text, &mut |key, reader| {
            if key == BODY {
                words = words_of(reader.text()?);
                is_bare = false;
                return Ok(());
            }
            let value = reader.skip()?;
            if key != SAME {
                beside.update(&key.to_be_bytes()).update(&(value.len() as u64).to_be_bytes()).update(value);
                is_bare &= [THREAD, IN_REPLY_TO, EXPIRE_AFTER_READ].contains(&key);
            }
            Ok(())
        })?;
        Ok(Likeness { words, beside: half(&beside.finalize()), is_bare })
    }
}

/// The digest of words alone.
pub fn words_of(body: &str) -> Digest {
    half(&blake3::hash(body.as_bytes()))
}

fn half(hash: &blake3::Hash) -> Digest {
    hash.as_bytes()[..16].try_into().expect("16 of 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Attachment, Content, Text};

    fn of(text: Text) -> Likeness {
        Likeness::of(&Content::Text(text).encode()).unwrap()
    }

    #[test]
    fn only_words_and_the_claim_to_be_another_may_differ() {
        let text = |body: &str| Text { body: body.into(), subject: Some("plan".into()), ..Text::default() };
        let first = of(text("at six"));
        assert_eq!(of(Text { same: Some([1; 16]), ..text("at six") }), first);
        let later = of(Text { same: Some([1; 16]), ..text("at seven") });
        assert!(later.beside == first.beside && later.words != first.words);
        let attachments = |bytes: u8| vec![Attachment { name: "map".into(), bytes: vec![bytes] }];
        let with = |bytes| of(Text { attachments: attachments(bytes), ..text("at six") }).beside;
        assert!(with(1) != first.beside && with(1) != with(2));
        assert_ne!(of(Text { subject: None, ..text("at six") }).beside, first.beside);
    }

    #[test]
    fn what_only_answers_says_nothing() {
        let bare = Text { same: Some([1; 16]), thread: Some([2; 16]), in_reply_to: Some([3; 16]), ..Text::default() };
        assert!(of(bare.clone()).is_bare && of(Text::default()).is_bare);
        assert!(!of(Text { body: "x".into(), ..bare.clone() }).is_bare);
        assert!(!of(Text { tags: 1, ..bare }).is_bare);
    }
}
