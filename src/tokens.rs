//! What programs show instead of being this user: a token each, of which the home keeps a hash alone.
//!
//! `tokens.toml` lies beside the identity, readable for its owner only. Commands change it and a running node reads it
//! whenever somebody comes, so that a token holds from the moment it is made and ends with the moment it is revoked, and no
//! node has to run for either. Backups leave it out: what was revoked since would hold again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::home::{KeptError, KeptFile};
use crate::id::{hex, unhex};

/// Most tokens of one home.
pub const TOKENS_MAX: usize = 64;
/// Most topics that one token names.
pub const TOKEN_TOPICS_MAX: usize = 64;
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a token begins with, so that it is recognised where it was left lying about.
const MARK: &str = "dak_";
/// What the hashes are for, and for nothing else.
const CONTEXT: &str = "dak 2026 token of a program";

/// The tokens of a home.
pub struct Tokens {
    file: KeptFile<Kept>,
}

/// A token as the home knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub name: String,
    /// Of the token, in hexadecimal digits.
    hash: String,
    /// In milliseconds since the Unix epoch.
    pub made_ms: i64,
    #[serde(flatten)]
    pub may: May,
}

/// What a token lets its program do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    /// It only asks, and changes nothing.
    #[serde(default)]
    pub read_only: bool,
    /// It publishes and subscribes in these topics, and does nothing else; anything where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    token: Vec<Token>,
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("there is a token {0} already")]
    Exists(String),
    #[error("there is no token {0}")]
    Unknown(String),
    #[error("a home has {TOKENS_MAX} tokens at most")]
    TooMany,
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes, and no control characters")]
    Name,
    #[error("a token names 1 to {TOKEN_TOPICS_MAX} topics")]
    Topics,
    #[error("the system has no entropy: {0}")]
    Entropy(getrandom::Error),
    #[error(transparent)]
    Kept(#[from] KeptError),
}

impl Tokens {
    pub fn of(path: PathBuf) -> Tokens {
        Tokens { file: KeptFile::at(path) }
    }

    /// All tokens, in the order in which they were made.
    pub fn list(&self) -> Result<Vec<Token>, TokenError> {
        Ok(self.file.get()?.token)
    }

    /// Makes a token and returns it; it is nowhere else, and cannot be told again.
    pub fn add(&self, name: &str, may: May, made_ms: i64) -> Result<String, TokenError> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(TokenError::Name);
        }
        if may.topics.as_ref().is_some_and(|topics| !(1..=TOKEN_TOPICS_MAX).contains(&topics.len())) {
            return Err(TokenError::Topics);
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(TokenError::Entropy)?;
        let secret = format!("{MARK}{}", hex(&secret));
        self.file.change(|Kept { token: tokens }| {
            if tokens.iter().any(|token| token.name == name) {
                return Err(TokenError::Exists(name.to_owned()));
            }
            if tokens.len() >= TOKENS_MAX {
                return Err(TokenError::TooMany);
            }
            tokens.push(Token { name: name.to_owned(), hash: hex(&hash(&secret)), made_ms, may });
            Ok(())
        })?;
        Ok(secret)
    }

    /// Lets nobody in any more who shows the token of this name.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.file.change(|Kept { token: tokens }| {
            let many = tokens.len();
            tokens.retain(|token| token.name != name);
            if tokens.len() == many { Err(TokenError::Unknown(name.to_owned())) } else { Ok(()) }
        })
    }

    /// The token that somebody shows. All are compared, each in a time that tells nothing of it.
    pub fn shown(&self, secret: &str) -> Result<Option<Token>, TokenError> {
        let shown = blake3::Hash::from(hash(secret));
        let mut found = None;
        for token in self.list()? {
            let known = unhex(&token.hash).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            // Hashes compare in constant time.
            if known.is_some_and(|known| blake3::Hash::from(known) == shown) {
                found = Some(token);
            }
        }
        Ok(found)
    }

    /// Whether a token that was shown before still holds.
    pub fn holds(&self, token: &Token) -> bool {
        self.list().is_ok_and(|tokens| tokens.contains(token))
    }
}

impl May {
    /// Whether it may have to do with a topic, as the program names it: one that is listed, or one under a listed
    /// beginning such as `alice/sensors/#`.
    pub fn has_topic(&self, asked: &str) -> bool {
        let Some(topics) = &self.topics else { return true };
        let is_one = !asked.contains(['#', '+']);
        topics.iter().any(|listed| {
            let under = listed.strip_suffix('#').filter(|beginning| beginning.ends_with('/'));
            listed == asked || is_one && under.is_some_and(|beginning| asked.starts_with(beginning))
        })
    }
}

fn hash(secret: &str) -> [u8; 32] {
    blake3::derive_key(CONTEXT, secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let place = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(place.path().join("tokens.toml"));
        (place, tokens)
    }

    #[test]
    fn a_token_holds_from_when_it_is_made_until_it_is_revoked_and_is_nowhere_in_clear() {
        let (place, tokens) = tokens();
        // Another process, which may have read before.
        let node = Tokens::of(place.path().join("tokens.toml"));
        assert_eq!(node.list().unwrap(), []);
        let may = May { read_only: true, topics: Some(vec!["a".into()]) };
        let secret = tokens.add("board", may.clone(), 7).unwrap();
        let other = tokens.add("other", May::default(), 8).unwrap();
        let shown = node.shown(&secret).unwrap().unwrap();
        assert_eq!((shown.name.as_str(), &shown.may, shown.made_ms), ("board", &may, 7));
        assert!(node.holds(&shown));
        let text = fs::read_to_string(place.path().join("tokens.toml")).unwrap();
        assert!(!text.contains(&secret[MARK.len()..]), "{text}");
        assert_eq!(fs::metadata(place.path().join("tokens.toml")).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(tokens.add("board", May::default(), 9), Err(TokenError::Exists(_))));
        tokens.revoke("board").unwrap();
        assert!(!node.holds(&shown));
        assert_eq!(node.shown(&secret).unwrap(), None);
        assert_eq!(node.shown(&other).unwrap().unwrap().name, "other");
        assert!(matches!(tokens.revoke("board"), Err(TokenError::Unknown(_))));
        // A token of the same name is another one.
        let again = tokens.add("board", may, 7).unwrap();
        assert!(again != secret && !node.holds(&shown));
        for wrong in ["", "dak_", &secret[..secret.len() - 1], &secret.to_uppercase()] {
            assert_eq!(node.shown(wrong).unwrap(), None);
        }
    }

    #[test]
    fn what_cannot_be_read_lets_nobody_in_and_is_not_written_over() {
        let (place, tokens) = tokens();
        let secret = tokens.add("board", May::default(), 7).unwrap();
        let path = place.path().join("tokens.toml");
        fs::write(&path, "[[token]]\nname = 7\n").unwrap();
        assert!(matches!(tokens.shown(&secret), Err(TokenError::Kept(KeptError::Damaged { .. }))));
        assert!(matches!(tokens.add("other", May::default(), 7), Err(TokenError::Kept(KeptError::Damaged { .. }))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[[token]]\nname = 7\n");
    }

    #[test]
    fn a_token_for_topics_has_those_that_are_listed_or_begin_so() {
        let may = May { read_only: false, topics: Some(vec!["temp".into(), "alice/sensors/#".into()]) };
        for topic in ["temp", "alice/sensors/#", "alice/sensors/a", "alice/sensors/a/b"] {
            assert!(may.has_topic(topic), "{topic}");
        }
        for topic in ["", "temps", "temp/a", "#", "alice/#", "alice/sensors", "alice/sensors/+", "alice/sensorsx/a"] {
            assert!(!may.has_topic(topic), "{topic}");
        }
        assert!(May::default().has_topic("#"));
    }

    #[test]
    fn there_are_only_so_many() {
        let (_place, tokens) = tokens();
        for number in 0..TOKENS_MAX {
            tokens.add(&number.to_string(), May::default(), 0).unwrap();
        }
        assert!(matches!(tokens.add("more", May::default(), 0), Err(TokenError::TooMany)));
        for name in ["", "a\u{1b}", &"a".repeat(65)] {
            assert!(matches!(tokens.add(name, May::default(), 0), Err(TokenError::Name)));
        }
        let none = May { topics: Some(vec![]), ..May::default() };
        assert!(matches!(tokens.add("none", none, 0), Err(TokenError::Topics)));
    }
}
