//! What others wrote, made harmless for a terminal, a log and the eye.
//!
//! A peer chooses its name, its texts, its file names and its error messages. Printed raw, an escape sequence
//! clears the screen, a bidirectional override turns `gpj.exe` around, a zero-width character makes two names look
//! equal. Every print site passes such text through one of the functions here; what could act instead of being
//! seen comes out as `\u{1b}`.
//!
//! Letters of every script, combining marks as people stack them and emoji pass unharmed; an emoji joined by zero-width joiners shows
//! its joiners. In what is there to be read ([`safe_prose`]), unlike names, zero-width joiners stay inside the words
//! of scripts that spell with them. A backslash is left alone: an escape that somebody typed is only text. Private-use characters and
//! noncharacters mean nothing that sender and reader agree on, and are escaped.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthChar;

/// Shows a text of one line through `Display`, without a copy.
#[derive(Clone, Copy)]
pub struct SafeText<'a>(pub &'a str);

/// Most characters without width that are shown one upon another: the longest stack that people write, in Tibetan, has
/// eight. More would paint over the lines above and below.
const STACKED_MAX: usize = 8;

/// Most characters [`one_line`] prints per column: marks that take no room still take time.
const CHARS_PER_COLUMN_MAX: usize = 4;

/// Escapes everything that is not plainly visible, line breaks and tabs included.
pub fn safe_text(text: &str) -> String {
    SafeText(text).to_string()
}

/// Like [`safe_text`] for texts of several lines: newline and tab stay, `\r\n` becomes a newline.
pub fn safe_block(text: &str) -> String {
    lines(text, Reading::Plain)
}

/// Like [`safe_block`] for what a person wrote: joiners that spell Persian or Indic words stay as they are.
pub fn safe_prose(text: &str) -> String {
    lines(text, Reading::Prose)
}

fn lines(text: &str, reading: Reading) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = judged(text, reading).peekable();
    while let Some((c, is_shown)) = chars.next() {
        match c {
            '\n' | '\t' => safe.push(c),
            '\r' if chars.peek().is_some_and(|(next, _)| *next == '\n') => {}
            _ if is_shown => safe.push(c),
            _ => push_escape(&mut safe, c),
        }
    }
    safe
}

/// Like [`safe_block`] for JSON, and for output that may be JSON: escapes as JSON has them, by UTF-16 units, so that a
/// program reads back what was there.
pub fn safe_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (c, is_shown) in judged(text, Reading::Plain) {
        if is_shown || matches!(c, '\n' | '\t') {
            safe.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(safe, "\\u{unit:04x}").expect("writing to a string cannot fail");
        }
    }
    safe
}

/// Escapes and cuts to `width` columns of a terminal; an ellipsis takes the last column where something was cut.
pub fn one_line(text: &str, width: usize) -> String {
    cut(text, width, Reading::Plain)
}

/// Like [`one_line`] for what a person wrote, as [`safe_prose`] shows it.
pub fn one_line_of_prose(text: &str, width: usize) -> String {
    cut(text, width, Reading::Prose)
}

/// What is shown of each character of a text that is being written, with the place where it stands: itself or its escape.
/// Newlines and tabs come as they are.
pub fn pieces_of_prose(text: &str) -> impl Iterator<Item = (usize, Piece)> + '_ {
    text.char_indices().zip(judged(text, Reading::Prose)).map(|((at, _), (c, is_shown))| {
        let piece = if is_shown || matches!(c, '\n' | '\t') { Piece::Shown(c) } else { Piece::Escaped(c) };
        (at, piece)
    })
}

/// A character, and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Shown(char),
    Escaped(char),
}

impl Piece {
    pub fn push_to(self, line: &mut String) {
        match self {
            Piece::Shown(c) => line.push(c),
            Piece::Escaped(c) => push_escape(line, c),
        }
    }
}

fn cut(text: &str, width: usize, reading: Reading) -> String {
    let chars_max = width.saturating_mul(CHARS_PER_COLUMN_MAX);
    let mut line = String::new();
    let mut columns = Columns::default();
    // Where to cut, should the text not fit: the last place that leaves a column for the ellipsis.
    let mut cut = 0;
    let mut piece = String::new();
    for (count, (c, is_shown)) in judged(text, reading).enumerate() {
        piece.clear();
        match is_shown {
            true => piece.push(c),
            false => push_escape(&mut piece, c),
        }
        for shown in piece.chars() {
            columns.add(shown);
        }
        if columns.taken > width || count >= chars_max {
            line.truncate(cut);
            if width > 0 {
                line.push('…');
            }
            return line;
        }
        line.push_str(&piece);
        if columns.taken < width {
            cut = line.len();
        }
    }
    line
}

/// The columns a terminal needs for text that [`safe_text`] or [`one_line`] returned.
pub fn columns(safe: &str) -> usize {
    let mut columns = Columns::default();
    safe.chars().for_each(|c| columns.add(c));
    columns.taken
}

/// Says whether a character acts on its surroundings, or hides, instead of being seen.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Khmer fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
            // Mongolian variation selectors and vowel separator.
            | '\u{180b}'..='\u{180f}'
            // Zero-width space and joiners, direction marks.
            | '\u{200b}'..='\u{200f}'
            // Line and paragraph separators, direction embeddings and overrides.
            | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, direction isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            // Variation selectors but the two that choose between text and emoji.
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{feff}'
            // Specials: unassigned and interlinear annotation; U+FFFC and U+FFFD are seen.
            | '\u{fff0}'..='\u{fffb}'
            // Joiners of Egyptian hieroglyphs, shorthand and musical format characters.
            | '\u{13430}'..='\u{13440}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tags, the variation selectors supplement, and what Unicode keeps free there to be ignored.
            | '\u{e0000}'..='\u{e0fff}'
            // Private use.
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
            // Noncharacters.
            | '\u{fdd0}'..='\u{fdef}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// What a text is looked at for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// To be told from others: a name, an error, an address.
    Plain,
    /// To be understood.
    Prose,
}

/// Each character, and whether it is shown as it is.
fn judged(text: &str, reading: Reading) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut chars = text.chars().peekable();
    let (mut before, mut stacked) = (None, 0);
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let spells = reading == Reading::Prose && spells(before, c, chars.peek().copied());
        before = Some(c);
        stacked = if c.width() == Some(0) && c != '\0' { stacked + 1 } else { 0 };
        if stacked > STACKED_MAX {
            // Shown as an escape, which begins a stack anew.
            stacked = 0;
            return Some((c, false));
        }
        Some((c, spells || !is_unsafe(c)))
    })
}

/// Whether a zero-width joiner or non-joiner stands between letters that it changes the look of: Persian plurals and
/// verbs, Indic conjuncts. Elsewhere it is not seen, and only makes equal what is different.
fn spells(before: Option<char>, c: char, after: Option<char>) -> bool {
    let between = |of: fn(char) -> bool| before.is_some_and(of) && after.is_some_and(of);
    matches!(c, '\u{200c}' | '\u{200d}') && (between(is_arabic) || between(is_indic))
}

/// Letters and marks of the Arabic script.
fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{65f}' | '\u{66e}'..='\u{6d3}' | '\u{6d5}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}'
        | '\u{6ea}'..='\u{6ef}' | '\u{6fa}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8e1}'
        | '\u{8e3}'..='\u{8ff}')
}

/// Letters and marks from Devanagari to Sinhala.
fn is_indic(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}')
}

impl fmt::Display for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        judged(self.0, Reading::Plain).try_for_each(|(c, is_shown)| match is_shown {
            true => f.write_char(c),
            false => write_escape(f, c),
        })
    }
}

impl fmt::Debug for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Writes the escape of a character that is not shown as it is.
fn push_escape(text: &mut String, c: char) {
    write_escape(text, c).expect("writing to a string cannot fail");
}

fn write_escape(out: &mut impl fmt::Write, c: char) -> fmt::Result {
    match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ => write!(out, "{}", c.escape_unicode()),
    }
}

/// Counts columns character by character, as a terminal advances.
#[derive(Default)]
struct Columns {
    taken: usize,
    last_width: usize,
}

impl Columns {
    fn add(&mut self, c: char) {
        let width = match c {
            // The emoji selector widens the character before it.
            '\u{fe0f}' if self.last_width == 1 => 1,
            _ => c.width().unwrap_or(0),
        };
        self.taken += width;
        if width > 0 {
            self.last_width = width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_passes() {
        for code in (0..0x20).chain(0x7f..0xa0) {
            let c = char::from_u32(code).unwrap();
            let shown = safe_text(&c.to_string());
            assert!(
                shown.starts_with('\\') && shown.is_ascii() && !shown.contains(c),
                "U+{code:04X} shown as {shown:?}"
            );
        }
        assert_eq!(safe_text("\x1b[2J\u{9b}31m\x07"), "\\u{1b}[2J\\u{9b}31m\\u{7}");
    }

    #[test]
    fn nothing_hidden_or_turning_passes() {
        let hidden = "\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
                      \u{2060}\u{2061}\u{2065}\u{2066}\u{2067}\u{2068}\u{2069}\u{206a}\u{206f}\u{feff}\u{ad}\u{34f}\u{115f}\u{1160}\
                      \u{17b4}\u{180b}\u{180e}\u{180f}\u{3164}\u{ffa0}\u{fe00}\u{fe0d}\u{fff0}\u{fff9}\u{fffa}\u{fffb}\u{1bca0}\u{1d173}\
                      \u{1d17a}\u{13430}\u{e0001}\u{e0020}\u{e007f}\u{e0100}\u{e01ef}\u{e0fff}\u{e000}\u{f8ff}\u{f0000}\u{10fffd}\u{fdd0}\
                      \u{fffe}\u{ffff}\u{1fffe}\u{10ffff}";
        for c in hidden.chars() {
            let expected = format!("\\u{{{:x}}}", c as u32);
            assert_eq!(safe_text(&c.to_string()), expected);
            assert_eq!(safe_block(&c.to_string()), expected);
            assert_eq!(one_line(&c.to_string(), 80), expected);
        }
    }

    #[test]
    fn plain_text_of_every_script_is_unharmed() {
        let plain = "Grüße, C:\\dir \"x\" ~ señor Ω Привет שלום مرحبا नमस्ते 你好 こんにちは 안녕 e\u{301} 👋🏽 ❤\u{fe0f} 🇫🇷 €\u{a0}5 \u{fffd}";
        assert_eq!(safe_text(plain), plain);
        assert_eq!(safe_block(plain), plain);
        assert_eq!(one_line(plain, 500), plain);
        assert_eq!(SafeText(plain).to_string(), plain);
    }

    #[test]
    fn what_was_escaped_once_stays_as_it_is() {
        let once = safe_text("a\x1b\u{202e}b");
        assert_eq!(safe_text(&once), once);
    }

    #[test]
    fn blocks_keep_lines_and_tabs_and_nothing_else() {
        assert_eq!(safe_block("one\r\ntwo\n\tthree\rfour\x0bfive"), "one\ntwo\n\tthree\\rfour\\u{b}five");
        assert_eq!(safe_text("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
    }

    #[test]
    fn json_reads_back_what_was_escaped() {
        let hostile = "\u{9b}31m \u{202e}\u{200d}\u{e0041}\u{180e}\u{f0000} e\u{301} 👋 \x1b\n\t\u{7f}";
        let json = serde_json::to_string(hostile).unwrap();
        let safe = safe_json(&json);
        assert!(safe.contains("\\u009b31m \\u202e\\u200d\\udb40\\udc41") && safe.contains("e\u{301} 👋"), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), hostile);
        assert_eq!(safe_json("one\n\ttwo\x1b[2J"), "one\n\ttwo\\u001b[2J");
    }

    #[test]
    fn a_line_is_cut_by_columns_with_an_ellipsis() {
        assert_eq!(one_line("short", 5), "short");
        assert_eq!(one_line("longer", 5), "long…");
        assert_eq!(one_line("你好世界", 8), "你好世界");
        assert_eq!(one_line("你好世界", 7), "你好世…");
        assert_eq!(one_line("你好世界", 6), "你好…");
        assert_eq!(one_line("ab", 1), "…");
        assert_eq!(one_line("ab", 0), "");
        assert_eq!(one_line("", 0), "");
        // An escape is shown whole or not at all.
        assert_eq!(one_line("ab\x1bcd", 6), "ab…");
    }

    #[test]
    fn a_cut_line_never_takes_more_columns_than_asked() {
        let text = "aé你👋\x1b\u{202e}b❤\u{fe0f}c\n\u{301}\u{301}d世";
        for width in 0..40 {
            assert!(columns(&one_line(text, width)) <= width, "{width}");
        }
    }

    #[test]
    fn marks_without_width_cannot_make_a_line_endless() {
        let stacked = format!("a{}", "\u{301}".repeat(100_000));
        assert!(one_line(&stacked, 10).len() < 100);
    }

    #[test]
    fn marks_are_stacked_as_high_as_people_write_and_no_higher() {
        let tibetan = "\u{f67}\u{f90}\u{fb5}\u{fa8}\u{fb3}\u{fba}\u{fbc}\u{fbb}\u{f82}";
        assert_eq!([safe_text(tibetan), safe_prose(tibetan)], [tibetan, tibetan]);
        let tower = format!("a{}b", "\u{301}".repeat(1_000));
        for shown in [safe_text(&tower), safe_block(&tower), safe_prose(&tower), one_line(&tower, 100_000)] {
            let highest = shown.split(|c: char| c != '\u{301}').map(|stack| stack.chars().count()).max();
            assert_eq!(highest, Some(STACKED_MAX), "{shown}");
            assert_eq!(safe_text(&shown), shown);
        }
        let json = safe_json(&serde_json::to_string(&tower).unwrap());
        assert!(!json.contains(&"\u{301}".repeat(STACKED_MAX + 1)), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), tower);
    }

    #[test]
    fn joiners_stay_inside_words_that_are_spelt_with_them() {
        let words = "می\u{200c}خواهم کتاب\u{200c}ها क्\u{200d}ष র\u{200d}্য ශ්\u{200d}රී";
        assert_eq!(safe_prose(words), words);
        assert_eq!(one_line_of_prose(words, 500), words);
        for name in [safe_text(words), safe_block(words), one_line(words, 500)] {
            assert!(name.contains("\\u{200c}") && name.contains("\\u{200d}"), "{name}");
        }
        for hidden in
            ["a\u{200c}b", "\u{200d}क", "می\u{200c}", "ک\u{200c}\u{200c}ک", "ک\u{200c}a", "👩\u{200d}👧", "ک\u{200b}ک"]
        {
            assert!(!safe_prose(hidden).chars().any(is_unsafe), "{hidden:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_unsafe_is_in_what_is_printed(text in "\\PC*|.*|(\\PC|\\p{C}){0,40}", width in 0..100usize) {
            proptest::prop_assert!(!safe_text(&text).chars().any(is_unsafe));
            proptest::prop_assert!(!safe_block(&text).chars().any(|c| is_unsafe(c) && c != '\n' && c != '\t'));
            let prose = [safe_prose(&text), one_line_of_prose(&text, width)].concat();
            let may = ['\n', '\t', '\u{200c}', '\u{200d}'];
            proptest::prop_assert!(!prose.chars().any(|c| is_unsafe(c) && !may.contains(&c)));
            proptest::prop_assert!(columns(&one_line_of_prose(&text, width)) <= width);
            proptest::prop_assert!(!safe_json(&text).chars().any(|c| is_unsafe(c) && c != '\n' && c != '\t'));
            let line = one_line(&text, width);
            proptest::prop_assert!(!line.chars().any(is_unsafe) && columns(&line) <= width);
        }
    }
}
