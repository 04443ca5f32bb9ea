//! What a text is found by: its words, folded so that accents, capitals and ways of writing do not matter.
//!
//! Words are runs of letters and digits. Where a script puts no blanks between words, as Chinese, Japanese, Korean and Thai,
//! a run is found by the pairs of neighbours in it, and its last character alone; so any part of it is found: two and more
//! characters as pairs one after the other, one as the beginning of a pair or as the last. Pictures are words of their own.
//!
//! ```text
//! Zoë's  水泵站  🚰     zoe  s  水泵  泵站  站  🚰
//! ```

use std::ops::Range;

use tantivy::tokenizer::{self, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Longer words are found by their beginning, in characters.
const TOKEN_CHARS_MAX: usize = 64;

/// One of the things that a text is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Folded.
    pub text: String,
    /// Where it stands in the text.
    pub bytes: Range<usize>,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word, or a picture.
    Word,
    /// Two neighbours of a run without blanks.
    Pair,
    /// The last of such a run.
    Last,
}

/// The tokens of a text, in their order.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

pub struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let (class, mut end) = self.unit(start)?;
            self.at = end;
            let kind = match class {
                Class::Break => continue,
                Class::Picture => Kind::Word,
                Class::Letter => {
                    while let Some((Class::Letter, next)) = self.unit(end) {
                        end = next;
                    }
                    self.at = end;
                    Kind::Word
                }
                Class::Unspaced => match self.unit(end) {
                    Some((Class::Unspaced, next)) => {
                        end = next;
                        Kind::Pair
                    }
                    _ => Kind::Last,
                },
            };
            let text = folded(&self.text[start..end]);
            // Marks alone are left of nothing.
            if !text.is_empty() {
                return Some(Token { text, bytes: start..end, kind });
            }
        }
    }
}

impl Tokens<'_> {
    /// The character at a place with the marks that go with it, and where it ends.
    fn unit(&self, at: usize) -> Option<(Class, usize)> {
        let mut chars = self.text[at..].char_indices();
        let (_, first) = chars.next()?;
        let end = chars.find(|(_, c)| !is_attached(*c)).map_or(self.text.len(), |(end, _)| at + end);
        Some((class(first), end))
    }
}

/// Hands the tokens of texts to the index; where they stand is not kept.
#[derive(Clone)]
pub struct Folded;

pub struct Stream<'t> {
    tokens: Tokens<'t>,
    token: tokenizer::Token,
}

impl Tokenizer for Folded {
    type TokenStream<'t> = Stream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> Stream<'t> {
        Stream { tokens: tokens(text), token: tokenizer::Token { position: 0, ..Default::default() } }
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        let next = self.tokens.next();
        let is_there = next.is_some();
        next.into_iter().for_each(|token| self.token.text = token.text);
        is_there
    }

    fn token(&self) -> &tokenizer::Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut tokenizer::Token {
        &mut self.token
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    /// Of a script without blanks between words.
    Unspaced,
    Picture,
    Break,
}

fn class(c: char) -> Class {
    match c {
        _ if is_unspaced(c) && c.is_alphanumeric() => Class::Unspaced,
        _ if c.is_alphanumeric() => Class::Letter,
        '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{1f000}'..='\u{1faff}' => Class::Picture,
        _ => Class::Break,
    }
}

/// Thai, Lao, Myanmar, Khmer and their neighbours; kana and Bopomofo; Han; Hangul, whose words carry their particles.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1950}'..='\u{19df}'
        | '\u{1a20}'..='\u{1aaf}' | '\u{1b00}'..='\u{1b7f}' | '\u{a980}'..='\u{a9ff}' | '\u{aa60}'..='\u{aadf}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{1b000}'..='\u{1b16f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{ffa0}'..='\u{ffdc}')
}

/// What belongs to the character before it: marks, voicing of half-width kana, the later parts of a Hangul syllable, and
/// what is not seen.
fn is_attached(c: char) -> bool {
    !c.is_ascii()
        && (canonical_combining_class(c) != 0
            || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}')
            || is_unseen(c))
}

/// What changes a look and no word: joiners, soft hyphens, marks of direction, variation selectors, tones of skin, and the
/// stroke that makes an Arabic word longer.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}' | '\u{200c}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// One way of writing for all that mean the same.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text[..text.len().min(TOKEN_CHARS_MAX)].to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let plain = text.nfkd().flat_map(char::to_lowercase).filter(|c| !is_accent(*c) && !is_unseen(*c));
    plain.nfc().take(TOKEN_CHARS_MAX).for_each(|c| push_alike(&mut folded, c));
    folded
}

/// Points and accents of European, Hebrew, Arabic and Syriac letters. Vowels of Indic scripts and voicing of kana make
/// another word, and stay.
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..=240)
}

/// Letters that are no other letter with an accent, and are typed as another all the same.
fn push_alike(text: &mut String, c: char) {
    let alike = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        'ى' | 'ی' => "ي",
        'ة' => "ه",
        'ک' => "ك",
        '\u{660}'..='\u{669}' => return push_digit(text, c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => return push_digit(text, c, '\u{6f0}'),
        '\u{966}'..='\u{96f}' => return push_digit(text, c, '\u{966}'),
        _ => return text.push(c),
    };
    text.push_str(alike);
}

fn push_digit(text: &mut String, c: char, zero: char) {
    text.extend(char::from_digit(c as u32 - zero as u32, 10));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).map(|token| token.text).collect()
    }

    fn same(one: &str, other: &str) {
        assert_eq!(texts(one), texts(other), "{one} and {other}");
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_without_accents_and_capitals() {
        assert_eq!(
            texts("The well-known PUMP_3 isn't (here)."),
            ["the", "well", "known", "pump", "3", "isn", "t", "here"]
        );
        same("Crème Brûlée Ångström ZOË", "creme brulee angstrom zoe");
        same("cre\u{300}me", "crème");
        same("STRASSE ÆRØ Łódź İstanbul ıssız", "straße aero lodz istanbul issiz");
        same("ΣΊΣΥΦΟΣ", "σισυφος");
        same("Ёлка ЙОД", "елка иод");
        same("ｆｕｌｌ ﬁne", "full fine");
        assert_eq!(texts("!? — …"), [""; 0]);
    }

    #[test]
    fn arabic_and_hebrew_are_found_with_points_and_without() {
        same("مُحَمَّد", "محمد");
        same("إلى الأمام مدرسة", "الي الامام مدرسه");
        same("مــاء ١٢٣", "ماء 123");
        same("שָׁלוֹם", "שלום");
        assert_eq!(texts("می\u{200c}خواهم"), ["ميخواهم"]);
    }

    #[test]
    fn vowels_of_indic_scripts_stay() {
        assert_eq!(texts("हिन्दी पानी"), ["हिन्दी", "पानी"]);
        assert_ne!(texts("पानी"), texts("पाना"));
        assert_ne!(texts("か"), texts("が"));
    }

    #[test]
    fn runs_without_blanks_are_found_by_pairs_and_their_last() {
        let kinds = |text: &str| tokens(text).map(|token| (token.text, token.kind)).collect::<Vec<_>>();
        let token = |text: &str, kind| (text.to_owned(), kind);
        assert_eq!(
            kinds("修水泵 ok"),
            [token("修水", Kind::Pair), token("水泵", Kind::Pair), token("泵", Kind::Last), token("ok", Kind::Word)]
        );
        assert_eq!(texts("ปั๊มน้ำ")[..3], ["ปั๊", "ั๊ม", "มน้"]);
        same("ﾎﾟﾝﾌﾟ", "ポンプ");
        same("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "한글");
        assert_eq!(texts("学校3号"), ["学校", "校", "3", "号"]);
    }

    #[test]
    fn pictures_are_words_whatever_their_skin() {
        assert_eq!(texts("ok👍🏽!👩‍🔧☎️"), ["ok", "👍", "👩", "🔧", "☎"]);
    }

    #[test]
    fn a_word_without_end_is_found_by_its_beginning() {
        assert_eq!(texts(&"x".repeat(100_000)), ["x".repeat(TOKEN_CHARS_MAX)]);
        assert_eq!(texts(&"é".repeat(100_000)), ["e".repeat(TOKEN_CHARS_MAX)]);
    }

    proptest! {
        #[test]
        fn tokens_of_any_text_stand_where_they_say(text: String) {
            let mut last = 0;
            for token in tokens(&text) {
                prop_assert!(token.bytes.start >= last && !token.text.is_empty());
                prop_assert!(tokens(&text[token.bytes.clone()]).next().is_some());
                last = token.bytes.start;
            }
        }
    }
}
