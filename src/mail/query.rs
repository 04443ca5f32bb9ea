//! What a person looks for in the record, as it is typed: `pump "camp three" -valve from:carol after:2026-11-01`.
//!
//! | typed | means |
//! |---|---|
//! | `pump` | the word |
//! | `pum*` | words that begin so |
//! | `"camp three"` | these words, one after the other |
//! | `from:WHO`, `to:WHO`, `in:WHO` | who wrote it, to whom, in which conversation; a mark before the name is left out |
//! | `after:DATE`, `before:DATE` | when it was written |
//! | `has:file`, `is:unread`, `is:read`, `label:NAME` | what it has, and what was made of it here |
//! | `tag:question`, `tag:decision`, `tag:fyi`, `tag:automatic` | what its writer means it to be |
//! | `-` before any of these | not that |
//!
//! All of it must hold. Without a wanted word it is what else is known that finds a message. A value with blanks stands in quotes: `from:"carol smith"`. Here nothing is looked up: names and
//! dates stay as they are typed, and what a word is decides the index.

use std::fmt::{self, Display, Formatter};

use crate::content::{TAG_AUTOMATIC, TAG_DECISION, TAG_FYI, TAG_QUESTION};

/// Longest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 1_024;
/// Most parts of one query.
pub const QUERY_PARTS_MAX: usize = 32;

/// A query, part by part as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub words: Vec<Part<Words>>,
    pub filters: Vec<Part<Filter>>,
}

/// One part, wanted or unwanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    pub is_wanted: bool,
    pub what: T,
}

/// What a message is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    Word(String),
    /// Words that begin so.
    Prefix(String),
    /// Words one after the other.
    Phrase(String),
}

/// What else is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    From(String),
    To(String),
    In(String),
    /// From the beginning of this time on.
    After(String),
    /// Before the beginning of this time.
    Before(String),
    HasFile,
    Unread,
    Label(String),
    /// The bit of a text's tags.
    Tag(u64),
}

/// Why a text is no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("the query has nothing to look for")]
    Nothing,
    #[error("a quote in the query is not closed")]
    OpenQuote,
    #[error("{0}: in the query needs a value right behind it")]
    NoValue(&'static str),
    #[error("there is no operator {0}:")]
    UnknownOperator(String),
    #[error("{operator}: takes {takes}, not {value:?}")]
    UnknownValue { operator: &'static str, takes: &'static str, value: String },
    #[error("the query is longer than {QUERY_BYTES_MAX} bytes")]
    TooLong,
    #[error("the query has more than {QUERY_PARTS_MAX} parts")]
    TooMany,
}

impl Query {
    /// Reads a query; one with no wanted word and no filter is none.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(QueryError::TooLong);
        }
        let (mut query, mut rest) = (Query::default(), text.trim_start());
        while !rest.is_empty() {
            rest = query.take_part(rest)?.trim_start();
            if query.words.len() + query.filters.len() > QUERY_PARTS_MAX {
                return Err(QueryError::TooMany);
            }
        }
        let is_query = query.has_wanted_word() || !query.filters.is_empty();
        if is_query { Ok(query) } else { Err(QueryError::Nothing) }
    }

    pub fn has_wanted_word(&self) -> bool {
        self.words.iter().any(|part| part.is_wanted)
    }

    /// Takes one part off the beginning, which is no blank; returns what follows.
    fn take_part<'t>(&mut self, text: &'t str) -> Result<&'t str, QueryError> {
        let (is_wanted, text) = text.strip_prefix('-').map_or((true, text), |text| (false, text));
        if let Some(quoted) = text.strip_prefix(is_quote) {
            let (phrase, rest) = unquoted(quoted)?;
            if says_something(phrase) {
                self.words.push(Part { is_wanted, what: Words::Phrase(phrase.to_owned()) });
            }
            return Ok(rest);
        }
        if let Some((operator, rest)) = operator(text) {
            let (value, rest) = value(rest)?;
            if let Some((is_so, filter)) = filter(operator, value)? {
                self.filters.push(Part { is_wanted: is_wanted == is_so, what: filter });
                return Ok(rest);
            }
        }
        let (word, rest) = text.split_at(text.find(ends_word).unwrap_or(text.len()));
        let what = match word.trim_end_matches('*') {
            start if start.len() < word.len() => Words::Prefix(start.to_owned()),
            word => Words::Word(word.to_owned()),
        };
        if says_something(word) {
            self.words.push(Part { is_wanted, what });
        }
        Ok(rest)
    }
}

/// Tags by the words for them.
const TAGS: [(u64, &str); 4] =
    [(TAG_QUESTION, "question"), (TAG_DECISION, "decision"), (TAG_FYI, "fyi"), (TAG_AUTOMATIC, "automatic")];

/// The straight quote, and those that phones and word processors put in its place.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || is_quote(c)
}

/// Marks alone are nothing to look for; what else is no letter may be a sign or a picture.
fn says_something(text: &str) -> bool {
    text.chars().any(|c| c.is_alphanumeric() || !(c.is_ascii() || c.is_whitespace()))
}

/// What stands in quotes, behind the first of them, and what follows the last.
fn unquoted(text: &str) -> Result<(&str, &str), QueryError> {
    let (quoted, rest) = text.split_once(is_quote).ok_or(QueryError::OpenQuote)?;
    Ok((quoted, rest))
}

/// The name before a colon, and what follows that. `18:00` has none.
fn operator(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then_some((name, rest))
}

fn value(text: &str) -> Result<(&str, &str), QueryError> {
    match text.strip_prefix(is_quote) {
        Some(quoted) => unquoted(quoted),
        None => Ok(text.split_at(text.find(ends_word).unwrap_or(text.len()))),
    }
}

/// The filter of an operator, and whether it or its opposite is meant; none where a word only has a colon behind it, as
/// `re:` and `https://`.
fn filter(operator: &str, value: &str) -> Result<Option<(bool, Filter)>, QueryError> {
    let name = |value: &str| value.trim().trim_start_matches(['@', '#']).trim().to_owned();
    let lower = value.trim().to_ascii_lowercase();
    let wrong = |operator, takes| QueryError::UnknownValue { operator, takes, value: value.to_owned() };
    let (operator, filter): (&'static str, fn(String) -> Filter) = match &*operator.to_ascii_lowercase() {
        "from" => ("from", Filter::From),
        "to" => ("to", Filter::To),
        "in" => ("in", Filter::In),
        "label" => ("label", Filter::Label),
        "after" => ("after", Filter::After),
        "before" => ("before", Filter::Before),
        "has" if lower.is_empty() => return Err(QueryError::NoValue("has")),
        "is" if lower.is_empty() => return Err(QueryError::NoValue("is")),
        "tag" if lower.is_empty() => return Err(QueryError::NoValue("tag")),
        "tag" => match TAGS.iter().find(|(_, word)| *word == lower) {
            Some((bit, _)) => return Ok(Some((true, Filter::Tag(*bit)))),
            None => return Err(wrong("tag", "question, decision, fyi or automatic")),
        },
        "has" => match &*lower {
            "file" | "files" => return Ok(Some((true, Filter::HasFile))),
            _ => return Err(wrong("has", "file")),
        },
        "is" => match &*lower {
            "unread" | "read" => return Ok(Some((lower == "unread", Filter::Unread))),
            _ => return Err(wrong("is", "unread or read")),
        },
        _ if value.is_empty() || value.starts_with("//") => return Ok(None),
        unknown => return Err(QueryError::UnknownOperator(unknown.to_owned())),
    };
    match name(value) {
        name if name.is_empty() => Err(QueryError::NoValue(operator)),
        name => Ok(Some((true, filter(name)))),
    }
}

/// As it can be typed again.
impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let words = self.words.iter().map(|part| (part.is_wanted, part.what.to_string()));
        let filters = self.filters.iter().map(|part| (part.is_wanted, part.what.to_string()));
        for (n, (is_wanted, what)) in words.chain(filters).enumerate() {
            let (blank, minus) = (if n == 0 { "" } else { " " }, if is_wanted { "" } else { "-" });
            write!(f, "{blank}{minus}{what}")?;
        }
        Ok(())
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Words::Word(word) => write!(f, "{word}"),
            Words::Prefix(start) => write!(f, "{start}*"),
            Words::Phrase(phrase) => write!(f, "\"{phrase}\""),
        }
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (operator, value) = match self {
            Filter::From(who) => ("from", who),
            Filter::To(who) => ("to", who),
            Filter::In(conversation) => ("in", conversation),
            Filter::After(time) => ("after", time),
            Filter::Before(time) => ("before", time),
            Filter::Label(label) => ("label", label),
            Filter::HasFile => return write!(f, "has:file"),
            Filter::Tag(bit) => {
                let word = TAGS.iter().find(|(tag, _)| tag == bit).map_or("", |(_, word)| word);
                return write!(f, "tag:{word}");
            }
            Filter::Unread => return write!(f, "is:unread"),
        };
        match value.contains(char::is_whitespace) {
            true => write!(f, "{operator}:\"{value}\""),
            false => write!(f, "{operator}:{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted<T>(what: T) -> Part<T> {
        Part { is_wanted: true, what }
    }

    fn unwanted<T>(what: T) -> Part<T> {
        Part { is_wanted: false, what }
    }

    fn words(text: &str) -> Vec<Part<Words>> {
        Query::parse(text).unwrap().words
    }

    fn filters(text: &str) -> Vec<Part<Filter>> {
        Query::parse(&format!("pump {text}")).unwrap().filters
    }

    #[test]
    fn words_phrases_and_beginnings_of_words_are_told_apart() {
        let (word, prefix) = (|text: &str| Words::Word(text.into()), |text: &str| Words::Prefix(text.into()));
        let phrase = |text: &str| Words::Phrase(text.into());
        assert_eq!(words("  pump\tvalve "), [wanted(word("pump")), wanted(word("valve"))]);
        assert_eq!(words("pum* \"camp  three\""), [wanted(prefix("pum")), wanted(phrase("camp  three"))]);
        assert_eq!(words("“camp three”"), [wanted(phrase("camp three"))]);
        assert_eq!(
            words("a -b -c* -\"d e\"")[1..],
            [unwanted(word("b")), unwanted(prefix("c")), unwanted(phrase("d e"))]
        );
        assert_eq!(words("well-known don't 水泵 ☎"), ["well-known", "don't", "水泵", "☎"].map(|w| wanted(word(w))));
        assert_eq!(words("pump & ... - ** valve \"!\""), words("pump valve"), "marks alone are nothing");
    }

    #[test]
    fn what_only_has_a_colon_is_a_word() {
        for text in ["18:00", "https://dak.example/a", "re:", ":-)x", "a.b:c", "::x"] {
            assert_eq!(words(text), [wanted(Words::Word(text.into()))], "{text}");
        }
    }

    #[test]
    fn filters_take_their_values_as_they_are_typed_but_for_a_mark_before_a_name() {
        let all = filters("from:carol to:@bob in:#crew after:2026-11-01 before:today has:file label:x is:unread");
        let text = |text: &str| text.to_owned();
        let values = [
            Filter::From(text("carol")),
            Filter::To(text("bob")),
            Filter::In(text("crew")),
            Filter::After(text("2026-11-01")),
            Filter::Before(text("today")),
            Filter::HasFile,
            Filter::Label(text("x")),
            Filter::Unread,
        ];
        assert_eq!(all, values.map(wanted));
        assert_eq!(filters("FROM:\"carol smith\""), [wanted(Filter::From(text("carol smith")))]);
        let opposites = [Filter::Unread, Filter::HasFile, Filter::In(text("crew"))];
        assert_eq!(filters("is:read -has:files -in:crew"), opposites.map(unwanted));
        assert_eq!(filters("-is:read"), [wanted(Filter::Unread)]);
        assert_eq!(
            filters("tag:FYI -tag:question"),
            [wanted(Filter::Tag(TAG_FYI)), unwanted(Filter::Tag(TAG_QUESTION))]
        );
    }

    #[test]
    fn what_is_no_query_says_why() {
        let error = |text: &str| Query::parse(text).unwrap_err();
        for text in ["", "  ", "-", "* ?", "\"\"", "\" \"", "-pump", "-pump -\"camp three\"", "\u{3000}"] {
            assert_eq!(error(text), QueryError::Nothing, "{text:?}");
        }
        for text in ["from:carol", "-has:file", "-pump is:unread"] {
            assert!(!Query::parse(text).unwrap().has_wanted_word(), "{text:?}");
        }
        for text in ["\"camp three", "pump \"", "camp\"three", "from:\"carol"] {
            assert_eq!(error(text), QueryError::OpenQuote, "{text:?}");
        }
        assert_eq!(error("pump from: carol"), QueryError::NoValue("from"));
        assert_eq!(error("pump has:"), QueryError::NoValue("has"));
        assert_eq!(error("pump in:#"), QueryError::NoValue("in"));
        assert_eq!(error("pump colour:red"), QueryError::UnknownOperator("colour".into()));
        assert_eq!(error("pump has:wings").to_string(), "has: takes file, not \"wings\"");
        assert_eq!(error(&"x".repeat(QUERY_BYTES_MAX + 1)), QueryError::TooLong);
        assert_eq!(error(&"x ".repeat(QUERY_PARTS_MAX + 1)), QueryError::TooMany);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_query_that_can_be_typed_again_or_an_error(text in any_query()) {
            // One that only its blanks kept within bounds is of the same parts.
            if let Ok(query) = Query::parse(&text) {
                let again = query.to_string();
                prop_assert!(again.len() > QUERY_BYTES_MAX || Query::parse(&again) == Ok(query), "{again:?}");
            }
        }
    }

    /// Any text, and text of what queries are made of.
    fn any_query() -> impl Strategy<Value = String> {
        const PIECES: &[&str] = &[
            "pump", "é", "水", " ", " ", "\"", "“", "-", "*", ":", "@", "#", "from:", "IN:", "has:file", "is:read",
            "after:", "x:", "//", "🚰",
        ];
        let made = prop::collection::vec(prop::sample::select(PIECES), 0..24);
        prop_oneof![any::<String>(), made.prop_map(|pieces| pieces.concat())]
    }
}
