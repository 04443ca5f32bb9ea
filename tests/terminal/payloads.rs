//! Texts that a terminal would obey, and how to see whether one got through.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How many payloads there are.
pub const COUNT: usize = 2_000;
/// How many travel together.
pub const TOGETHER: usize = 25;

/// What acts: sequences of ECMA-48 in seven and in eight bits, and controls by themselves.
const ACTS: [&str; 24] = [
    "\x1b[2J",
    "\x1b[31;1m",
    "\x1b[?1049h",
    "\x1b[6n",
    "\x1b[20;1H",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://example.org\x1b\\here\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=100\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x1b#8",
    "\u{9b}2J",
    "\u{9d}0;owned\u{9c}",
    "\u{90}q\u{9c}",
    "\u{85}",
    "\u{8d}",
    "\x07",
    "\x08\x08\x08",
    "\r",
    "\x0b\x0c",
    "\x0e",
    "\x7f",
];

/// What hides or turns around.
const HIDES: [char; 26] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{3164}',
    '\u{feff}',
    '\u{e0041}',
    '\u{fff9}',
];

/// What is only text, though it may trouble whoever quotes or formats it.
const PLAIN: [&str; 16] = [
    "hello", "Žofie", "日本", "שלום", "👋", "{}", "%s%n", "../", "C:\\dir", "'", "\"", "`id`", "$HOME", "<b>", " ",
    "e\u{301}",
];

/// The payloads of a seed, each with something that must not get through.
pub fn payloads(seed: u64) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |end: usize| random.next_u32() as usize % end;
    let mut payload = || {
        let mut text = String::new();
        let act = below(6);
        for at in 0..6 {
            match if at == act { 2 + below(6) } else { below(8) } {
                0..=1 => text.push_str(PLAIN[below(PLAIN.len())]),
                2..=3 => text.push_str(ACTS[below(ACTS.len())]),
                // Zero ends what is an argument or a path.
                4 => text.push(char::from(1 + below(31) as u8)),
                5 => text.push(char::from(0x7f + below(33) as u8)),
                _ => text.push(HIDES[below(HIDES.len())]),
            }
        }
        text
    };
    (0..COUNT).map(|_| payload()).collect()
}

/// Characters of control and those of [`HIDES`], but for a line's end and a tab.
pub fn is_raw(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t' || HIDES.contains(&c)
}

/// Says where output is not harmless: not text, or with something raw in it.
pub fn raw_in(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Some(format!("no text: {error}")),
    };
    let at = text.char_indices().find(|(_, c)| is_raw(*c))?.0;
    let from = text[..at].char_indices().rev().nth(60).map_or(0, |(from, _)| from);
    let around: String = text[from..].chars().take(100).collect();
    Some(format!("{around:?}"))
}
