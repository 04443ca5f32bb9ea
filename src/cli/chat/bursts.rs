//! Keys that come at once: a paste from a terminal that does not say where one begins and ends is keys like any others, and
//! each of its lines would be sent.

use std::time::Duration;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use super::model::Event;

/// So many keys at once nobody types.
pub const PASTED_KEYS_MIN: usize = 32;
/// Keys that come so soon behind a paste belong to it.
pub const PASTE_PAUSE: Duration = Duration::from_millis(50);
/// A terminal that had so much to say at once may hold back the rest, for it takes about 4 KiB: what comes next is part of it,
/// however long that takes.
pub const FULL_MIN: usize = 4_000;

/// Tells of a piece of a paste whether it is one, from the piece before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    is_paste: bool,
    /// It was itself behind another.
    is_rest: bool,
    is_full: bool,
}

impl Before {
    /// Whether a piece of so many keys goes on with what came before it. A key alone is one that somebody presses behind a
    /// paste, unless that came in pieces.
    pub fn goes_on(self, keys: usize, follows: bool) -> bool {
        self.is_paste && (self.is_full || follows && (keys > 1 || self.is_rest))
    }

    pub fn is_paste(self) -> bool {
        self.is_paste
    }

    /// What the next one sees of a piece of so many keys, which has several lines or not.
    pub fn next(self, keys: usize, follows: bool, has_lines: bool) -> Before {
        let goes_on = self.goes_on(keys, follows);
        let is_full = keys >= FULL_MIN;
        Before { is_paste: goes_on || is_full || keys >= PASTED_KEYS_MIN && has_lines, is_rest: goes_on, is_full }
    }
}

/// What a terminal had to say at once.
#[derive(Debug, Default)]
pub struct Burst {
    pub inputs: Vec<Input>,
    /// It came just behind the one before.
    pub follows: bool,
}

/// Tells pastes from keys, in one burst after the other.
#[derive(Debug, Default)]
pub struct Bursts {
    before: Before,
}

impl Bursts {
    pub fn events(&mut self, burst: Burst) -> Vec<Event> {
        let (before, follows) = (std::mem::take(&mut self.before), burst.follows);
        let (mut events, mut text, mut keys) = (Vec::new(), String::new(), Vec::new());
        for input in burst.inputs {
            match (&input, typed(&input)) {
                (Input::Key(key), Some(c)) => {
                    text.push(c);
                    keys.push(*key);
                    continue;
                }
                _ => self.run(&mut text, &mut keys, (before, follows), &mut events),
            }
            events.extend(match input {
                Input::Key(key) => Some(Event::Key(key)),
                Input::Paste(text) => Some(Event::Paste(text)),
                Input::Resize(columns, lines) => {
                    Some(Event::Size { columns: usize::from(columns), lines: usize::from(lines) })
                }
                _ => None,
            });
        }
        self.run(&mut text, &mut keys, (before, follows), &mut events);
        events
    }

    fn run(
        &mut self,
        text: &mut String,
        keys: &mut Vec<KeyEvent>,
        (before, follows): (Before, bool),
        events: &mut Vec<Event>,
    ) {
        let (text, keys) = (std::mem::take(text), std::mem::take(keys));
        if keys.is_empty() {
            return;
        }
        // A line alone, with Enter behind it, is sent as ever.
        let is_more_than_a_line = text.trim_end_matches('\n').contains('\n') || text.ends_with("\n\n");
        let now = before.next(keys.len(), follows, is_more_than_a_line);
        match now.is_paste() {
            true => {
                self.before = now;
                events.push(Event::Paste(text));
            }
            // Letters of a long line are taken in at once by who writes.
            false if keys.len() >= PASTED_KEYS_MIN => events.push(Event::Typed(text)),
            false => events.extend(keys.into_iter().map(Event::Key)),
        }
    }
}

/// The character that a key puts into a text.
fn typed(input: &Input) -> Option<char> {
    let Input::Key(KeyEvent { code, modifiers, .. }) = input else { return None };
    match (code, *modifiers - KeyModifiers::SHIFT) {
        (KeyCode::Char(c), KeyModifiers::NONE) => Some(*c),
        (KeyCode::Enter, KeyModifiers::NONE) | (KeyCode::Char('j'), KeyModifiers::CONTROL) => Some('\n'),
        (KeyCode::Tab, KeyModifiers::NONE) => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(text: &str, follows: bool) -> Burst {
        let key = |c| match c {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            c => KeyCode::Char(c),
        };
        let inputs = text.chars().map(|c| Input::Key(KeyEvent::new(key(c), KeyModifiers::NONE)));
        Burst { inputs: inputs.collect(), follows }
    }

    fn pasted(events: &[Event]) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Paste(text) => text.clone(),
            other => panic!("{other:?} is no paste"),
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn lines_that_come_at_once_are_a_paste_to_its_last_one() {
        let mut bursts = Bursts::default();
        let lines = "the first of some lines\n\tand the second\nand the be";
        assert_eq!(pasted(&bursts.events(burst(lines, false))), [lines]);
        assert_eq!(pasted(&bursts.events(burst("ginning\n", true))), ["ginning\n"]);
        assert!(matches!(bursts.events(burst("x\n", false))[..], [Event::Key(_), Event::Key(_)]), "typed later");
        assert!(matches!(bursts.events(burst("x\n", true))[..], [Event::Key(_), Event::Key(_)]), "no paste goes on");
    }

    #[test]
    fn an_enter_that_is_the_last_piece_of_a_long_paste_sends_nothing() {
        let mut bursts = Bursts::default();
        // As much as the terminal holds, and then its rest, late.
        let much = "a line of many\n".repeat(300);
        assert_eq!(pasted(&bursts.events(burst(&much[..4_096], false))), [&much[..4_096]]);
        assert_eq!(pasted(&bursts.events(burst("\n", false))), ["\n"]);
        assert!(matches!(bursts.events(burst("\n", false))[..], [Event::Key(_)]), "the next one is somebody's");
        // One long line that nobody types, too.
        assert_eq!(pasted(&bursts.events(burst(&"x".repeat(4_096), false))).len(), 1);
        assert_eq!(pasted(&bursts.events(burst("\n", true))), ["\n"]);
        // In small pieces, each just behind the one before.
        assert_eq!(pasted(&bursts.events(burst(&much[..500], false))).len(), 1);
        assert_eq!(pasted(&bursts.events(burst(&much[500..900], true))).len(), 1);
        assert_eq!(pasted(&bursts.events(burst("\n", true))), ["\n"]);
        // A short paste, and somebody who is quick.
        assert_eq!(pasted(&bursts.events(burst(&much[..500], false))).len(), 1);
        assert!(matches!(bursts.events(burst("\n", true))[..], [Event::Key(_)]));
    }

    #[test]
    fn what_somebody_types_is_keys_however_slow_the_line_is() {
        let mut bursts = Bursts::default();
        assert_eq!(bursts.events(burst("yes\nno\n", false)).len(), 7);
        let line = "a line of more than thirty-two characters\n";
        assert!(matches!(&bursts.events(burst(line, true))[..], [Event::Typed(text)] if text == line));
    }
}
