//! The words of the pages that a device gets before it is let in: those of the page's one catalogue, as its build wrote them
//! down for the node. A device gets the language that it asks for, as far as the page speaks it, and else English.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::api::server::accept::ranges;

/// In which the page speaks to who asks for none of its languages.
const FALLBACK: &str = "en";

/// What those of a script start with; numbers have several forms, and scripts alone choose among them.
const SAID_BY_SCRIPT: [&str; 2] = ["phone.say_", "times."];

/// The words of one language, by their keys.
pub struct Words {
    pub language: &'static str,
    known: &'static Map<String, Value>,
}

/// All languages, the one that who asks for none gets first.
pub fn all() -> &'static [Words] {
    static KNOWN: LazyLock<BTreeMap<String, Map<String, Value>>> =
        LazyLock::new(|| serde_json::from_str(include_str!("words.json")).expect("the build of the page wrote it"));
    static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
        let mut all: Vec<Words> = KNOWN.iter().map(|(language, known)| Words { language, known }).collect();
        all.sort_by_key(|words| words.language != FALLBACK);
        all
    });
    &ALL
}

/// Where in [`all`] the language is that a request likes best.
pub fn liked(headers: &HeaderMap) -> usize {
    let mut ranges = ranges(headers, &header::ACCEPT_LANGUAGE);
    ranges.sort_by_key(|(_, liked)| std::cmp::Reverse(*liked));
    let primary = |range: &str| range.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let known = |range: &str| all().iter().position(|words| words.language == primary(range));
    ranges.into_iter().filter(|(_, liked)| *liked > 0).find_map(|(range, _)| known(range)).unwrap_or(0)
}

impl Words {
    /// A text that is one, and has no forms.
    pub fn text(&self, key: &str) -> &'static str {
        self.known.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A page with its `{phone.keys}` in this language. What the words leave open, such as `{name}`, stays so.
    pub fn put_in(&self, page: &str) -> String {
        let texts = self.known.iter().filter_map(|(key, said)| Some((key, said.as_str()?)));
        let page = texts.fold(page.to_owned(), |page, (key, text)| page.replace(&format!("{{{key}}}"), &escaped(text)));
        page.replace("{lang}", self.language).replace("{words}", &escaped(&self.of_script()))
    }

    fn of_script(&self) -> String {
        let is_said = |key: &str| SAID_BY_SCRIPT.iter().any(|start| key.starts_with(start));
        let said = self.known.iter().filter(|(key, _)| is_said(key)).map(|(key, said)| (key.clone(), said.clone()));
        Value::Object(said.collect()).to_string()
    }
}

/// A text as it stands in a document or in a value of an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' => write!(out, "&#{};", u32::from(c)).expect("strings take everything"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [&str; 2] = [include_str!("start.html"), include_str!("pair.html")];

    fn language(accept: &str) -> &'static str {
        all()[liked(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accept.parse().unwrap())]))].language
    }

    #[test]
    fn a_device_gets_the_language_that_it_likes_best_of_those_that_there_are() {
        assert_eq!(all()[liked(&HeaderMap::new())].language, "en");
        assert_eq!(["de", "de-AT,en;q=0.5", "fr, de;q=0.7, en;q=0.3", "DE-de"].map(language), ["de"; 4]);
        for accept in ["", "fr", "*", "en-US,en;q=0.9,de;q=0.8", "de;q=0.1, en;q=0.2", "de;q=0", "dex", ";;,,=q"] {
            assert_eq!(language(accept), "en", "{accept}");
        }
    }

    #[test]
    fn no_page_has_words_past_the_catalogue_and_every_word_of_it_is_said() {
        let script = include_str!("device.js");
        let door = include_str!("../lan.rs");
        for words in all() {
            for page in PAGES {
                let filled = words.put_in(page);
                assert!(!filled.contains("{phone."), "{}: {filled}", words.language);
                let mut bare = String::new();
                for piece in page.replace("<code>dak web --lan</code>", "").split('<').skip(1) {
                    bare += piece.split_once('>').unwrap().1;
                }
                for place in bare.split('}') {
                    let words = place.split('{').next().unwrap();
                    assert!(!words.contains(char::is_alphabetic), "{words:?} is no word of the catalogue");
                }
            }
            for key in words.known.keys().filter(|key| key.starts_with("phone.")) {
                let is_said = PAGES.iter().any(|page| page.contains(&format!("{{{key}}}")))
                    || [script, door]
                        .iter()
                        .any(|code| code.contains(&format!("'{key}'")) || code.contains(&format!("\"{key}\"")));
                assert!(is_said, "{key}");
            }
        }
    }

    #[test]
    fn what_a_word_has_of_html_is_text() {
        assert_eq!(escaped("<b>\"a\" & b</b>"), "&#60;b&#62;&#34;a&#34; &#38; b&#60;/b&#62;");
    }
}
