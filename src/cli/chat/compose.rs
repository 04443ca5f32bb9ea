//! The words that somebody is writing: several lines, and a place in them.

use unicode_width::UnicodeWidthChar;

use crate::api::model::COMPOSED_BYTES_MAX;
use crate::safe_text::{Piece, columns, pieces_of_prose};

/// A tab is shown as so many blanks.
const TAB: &str = "    ";

/// A text and the place in it where the next character goes, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compose {
    text: String,
    at: usize,
}

/// How a text is laid out: its lines as they are shown, and where the next character goes.
#[derive(Debug, PartialEq, Eq)]
pub struct LaidOut {
    pub lines: Vec<String>,
    pub row: usize,
    pub column: usize,
}

impl Compose {
    /// A text whose writer goes on at its end.
    pub fn of(text: String) -> Compose {
        Compose { at: text.len(), text }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Nothing that could be sent.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Puts words in; says no, and changes nothing, where a message has no room for them.
    pub fn insert(&mut self, words: &str) -> bool {
        if self.text.len() + words.len() > COMPOSED_BYTES_MAX {
            return false;
        }
        self.text.insert_str(self.at, words);
        self.at += words.len();
        true
    }

    pub fn backspace(&mut self) {
        let from = self.before();
        self.text.replace_range(from..self.at, "");
        self.at = from;
    }

    pub fn delete(&mut self) {
        let to = self.behind();
        self.text.replace_range(self.at..to, "");
    }

    /// Takes the word before the place away.
    pub fn rub_out_word(&mut self) {
        let before = &self.text[..self.at];
        let word = before.trim_end();
        let from = word.rfind(char::is_whitespace).map_or(0, |at| at + next_len(&word[at..]));
        self.text.replace_range(from..self.at, "");
        self.at = from;
    }

    /// Takes away what stands before the place in its line.
    pub fn rub_out_line(&mut self) {
        let from = self.line_start();
        self.text.replace_range(from..self.at, "");
        self.at = from;
    }

    pub fn left(&mut self) {
        self.at = self.before();
    }

    pub fn right(&mut self) {
        self.at = self.behind();
    }

    pub fn home(&mut self) {
        self.at = self.line_start();
    }

    pub fn end(&mut self) {
        self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at);
    }

    /// Goes a line up, as the text is laid out; says no where there is none.
    pub fn up(&mut self, width: usize) -> bool {
        let LaidOut { row, column, .. } = self.lay_out(width);
        row > 0 && self.go_to(width, row - 1, column)
    }

    pub fn down(&mut self, width: usize) -> bool {
        let LaidOut { row, column, lines } = self.lay_out(width);
        row + 1 < lines.len() && self.go_to(width, row + 1, column)
    }

    fn go_to(&mut self, width: usize, row: usize, column: usize) -> bool {
        let mut found = None;
        lay_out(&self.text, width, |at, place| {
            if place.0 == row && place.1 <= column {
                found = Some(at);
            }
        });
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    pub fn lay_out(&self, width: usize) -> LaidOut {
        let (mut row, mut column) = (0, 0);
        let lines = lay_out(&self.text, width, |at, place| {
            if at <= self.at {
                (row, column) = place;
            }
        });
        LaidOut { lines, row, column }
    }

    fn line_start(&self) -> usize {
        self.text[..self.at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where the character before the place begins, with the marks that stand upon it.
    fn before(&self) -> usize {
        let mut chars = self.text[..self.at].char_indices().rev();
        chars.find(|(_, c)| !is_mark(*c)).map_or(0, |(at, _)| at)
    }

    fn behind(&self) -> usize {
        let mut chars = self.text[self.at..].char_indices().skip(1);
        chars.find(|(_, c)| !is_mark(*c)).map_or(self.text.len(), |(at, _)| self.at + at)
    }
}

/// What has no width of its own belongs to the character before it.
fn is_mark(c: char) -> bool {
    c.width() == Some(0) && c != '\0'
}

fn next_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Lays a text out in lines of so many columns, and tells the place of every character and of the end.
fn lay_out(text: &str, width: usize, mut tell: impl FnMut(usize, (usize, usize))) -> Vec<String> {
    // The cursor stands behind the last character of a full line.
    let width = width.max(2) - 1;
    let mut lines = vec![String::new()];
    let (mut taken, mut shown) = (0, String::new());
    for (at, piece) in pieces_of_prose(text) {
        if piece == Piece::Shown('\n') {
            tell(at, (lines.len() - 1, taken));
            lines.push(String::new());
            taken = 0;
            continue;
        }
        shown.clear();
        match piece {
            Piece::Shown('\t') => shown.push_str(TAB),
            piece => piece.push_to(&mut shown),
        }
        let needed = columns(&shown);
        if taken > 0 && taken + needed > width {
            lines.push(String::new());
            taken = 0;
        }
        tell(at, (lines.len() - 1, taken));
        lines.last_mut().expect("there is a line").push_str(&shown);
        taken += needed;
    }
    tell(text.len(), (lines.len() - 1, taken));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_put_in_and_taken_out_where_the_place_is() {
        let mut compose = Compose::of("come at six".into());
        compose.rub_out_word();
        compose.insert("seven\nor not");
        compose.home();
        compose.insert("then ");
        assert_eq!(compose.text(), "come at seven\nthen or not");
        assert!(compose.up(80) && !compose.up(80) && compose.down(80) && !compose.down(80));
        compose.rub_out_line();
        assert_eq!(compose.text(), "come at seven\nor not");
        compose.backspace();
        assert_eq!(compose.text(), "come at sevenor not");
    }

    #[test]
    fn a_character_goes_with_its_marks() {
        let mut compose = Compose::of("cafe\u{301}s".into());
        compose.left();
        compose.backspace();
        assert_eq!(compose.text(), "cafs");
    }

    #[test]
    fn more_than_a_message_holds_is_not_taken_in() {
        let mut compose = Compose::of("mine".into());
        assert!(!compose.insert(&"x".repeat(1 << 20)));
        assert_eq!(compose.text(), "mine");
    }

    #[test]
    fn lines_are_broken_by_their_width() {
        let LaidOut { lines, row, column } = Compose::of("水泵修好了ab\n".into()).lay_out(9);
        assert_eq!((lines, row, column), (vec!["水泵修好".into(), "了ab".into(), String::new()], 2, 0));
        let safe = Compose::of("a\u{1b}\u{202e}\tb".into()).lay_out(80);
        assert_eq!(safe.lines, ["a\\u{1b}\\u{202e}    b"]);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_stays_text_and_its_place_on_the_screen(
            keys in prop::collection::vec((0..12u8, "\\PC{0,4}|[\n\t ]|\u{301}|\u{1b}"), 0..60),
            width in 1..40usize,
        ) {
            let mut compose = Compose::default();
            for (key, words) in keys {
                match key {
                    0 => compose.backspace(),
                    1 => compose.delete(),
                    2 => compose.rub_out_word(),
                    3 => compose.rub_out_line(),
                    4 => compose.left(),
                    5 => compose.right(),
                    6 => compose.home(),
                    7 => compose.end(),
                    8 => drop(compose.up(width)),
                    9 => drop(compose.down(width)),
                    _ => prop_assert!(compose.insert(&words)),
                }
                prop_assert!(compose.text.is_char_boundary(compose.at));
                let laid = compose.lay_out(width);
                prop_assert!(laid.row < laid.lines.len());
                let is_raw = |c: char| crate::safe_text::is_unsafe(c) && !matches!(c, '\u{200c}' | '\u{200d}');
                let raw = laid.lines.iter().any(|line| line.chars().any(is_raw));
                prop_assert!(!raw, "{:?}", laid.lines);
            }
        }
    }
}
