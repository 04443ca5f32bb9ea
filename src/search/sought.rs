//! The words of a query as tokens, and whether a text says them.

use std::ops::Range;

use super::tokens::{Kind, Token, tokens};
use crate::mail::query::{Part, Words};

/// What a message is to say, and what it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    pub(super) wanted: Vec<Pattern>,
    pub(super) unwanted: Vec<Pattern>,
}

/// Tokens one after the other, of which the last may be the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub tokens: Vec<String>,
    pub is_open: bool,
}

impl Sought {
    /// Without a wanted word every message is meant that says none of the unwanted. None where words are wanted of which
    /// nothing is left to look for.
    pub fn of(words: &[Part<Words>]) -> Option<Sought> {
        let patterns = |is_wanted: bool| -> Vec<Pattern> {
            let words = words.iter().filter(|part| part.is_wanted == is_wanted);
            words.filter_map(|part| Pattern::of(&part.what)).collect()
        };
        let sought = Sought { wanted: patterns(true), unwanted: patterns(false) };
        let is_lost = sought.wanted.is_empty() && words.iter().any(|part| part.is_wanted);
        (!is_lost).then_some(sought)
    }

    /// Whether a message of these texts is meant.
    pub fn is_in(&self, texts: &[&str]) -> bool {
        let texts: Vec<Vec<String>> = texts.iter().map(|text| tokens(text).map(|token| token.text).collect()).collect();
        let says = |pattern: &Pattern| texts.iter().any(|text| pattern.is_in(text));
        self.wanted.iter().all(says) && !self.unwanted.iter().any(says)
    }

    /// Where a text first says one of the wanted things, in bytes.
    pub fn first_in(&self, text: &str) -> Option<Range<usize>> {
        let longest = self.wanted.iter().map(|pattern| pattern.tokens.len()).max()?;
        let mut window: Vec<Token> = Vec::with_capacity(longest + 1);
        let mut tokens = tokens(text);
        loop {
            while window.len() < longest
                && let Some(token) = tokens.next()
            {
                window.push(token);
            }
            let first = window.first()?;
            let says = |pattern: &&Pattern| {
                window.len() >= pattern.tokens.len() && pattern.fits(window.iter().map(|token| &*token.text))
            };
            if let Some(pattern) = self.wanted.iter().filter(says).max_by_key(|pattern| pattern.tokens.len()) {
                return Some(first.bytes.start..window[pattern.tokens.len() - 1].bytes.end);
            }
            window.remove(0);
        }
    }

    /// Whether a message is found by what it says.
    pub fn has_words(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether the order of words matters, which the index does not know.
    pub fn has_phrase(&self) -> bool {
        self.wanted.iter().chain(&self.unwanted).any(|pattern| pattern.tokens.len() > 1)
    }
}

impl Pattern {
    fn of(words: &Words) -> Option<Pattern> {
        let (text, is_prefix) = match words {
            Words::Word(text) | Words::Phrase(text) => (text, false),
            Words::Prefix(text) => (text, true),
        };
        let mut found: Vec<Token> = tokens(text).collect();
        // In a run without blanks any part is a word, so that nothing says where it ends.
        let ends_in_run = found.last()?.kind == Kind::Last;
        let has_pair = found.len() > 1 && found[found.len() - 2].kind == Kind::Pair;
        if ends_in_run && has_pair {
            found.pop();
        }
        let is_open = is_prefix && !ends_in_run || ends_in_run && !has_pair;
        Some(Pattern { tokens: found.into_iter().map(|token| token.text).collect(), is_open })
    }

    fn is_in(&self, text: &[String]) -> bool {
        text.windows(self.tokens.len()).any(|window| self.fits(window.iter().map(String::as_str)))
    }

    /// Whether a text that goes on so begins with it; the text has as many tokens at least.
    fn fits<'t>(&self, text: impl Iterator<Item = &'t str>) -> bool {
        let last = self.tokens.len() - 1;
        self.tokens.iter().zip(text).enumerate().all(|(n, (token, said))| match self.is_open && n == last {
            true => said.starts_with(&**token),
            false => said == token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::query::Query;

    fn sought(query: &str) -> Sought {
        Sought::of(&Query::parse(query).unwrap().words).unwrap()
    }

    fn says(text: &str, query: &str) -> bool {
        sought(query).is_in(&[text])
    }

    #[test]
    fn words_phrases_and_beginnings_are_said_or_not() {
        let text = "The pump at camp three is mended; well-known Zoë saw it";
        for query in ["PUMP", "pump mended", "\"camp three\"", "men*", "\"pump at camp\"", "well-known", "zoe -valve"] {
            assert!(says(text, query), "{query}");
        }
        for query in
            ["pumps", "\"camp is\"", "ended", "pump -mended", "pump -\"camp three\"", "pump -men*", "known-well"]
        {
            assert!(!says(text, query), "{query}");
        }
        assert!(sought("a \"b c\"").is_in(&["b c", "a"]) && !sought("\"a b\"").is_in(&["a", "b"]));
    }

    #[test]
    fn any_part_of_a_run_without_blanks_is_found() {
        let text = "请修水泵站 ASAP, ปั๊มน้ำเสีย";
        for query in ["水", "站", "水泵", "修水泵", "水泵*", "泵站", "\"水泵站 asap\"", "น้ำ", "ปั๊ม"]
        {
            assert!(says(text, query), "{query}");
        }
        for query in ["泵水", "请泵", "修泵", "站水", "\"水泵 asap\"", "水*泵"] {
            assert!(!says(text, query), "{query}");
        }
    }

    #[test]
    fn what_is_shown_is_where_it_is_first_said() {
        let first = |text: &'static str, query: &str| sought(query).first_in(text).map(|bytes| &text[bytes]);
        assert_eq!(first("a Crème, b crème", "creme"), Some("Crème"));
        assert_eq!(first("camp one, camp three: pumps", "pum* \"camp three\""), Some("camp three"));
        assert_eq!(first("请修水泵站", "水泵站"), Some("水泵站"));
        assert_eq!(first("抽水", "水"), Some("水"));
        assert_eq!(first("nothing here", "pump"), None);
        assert_eq!(first("", "pump"), None);
    }
}
