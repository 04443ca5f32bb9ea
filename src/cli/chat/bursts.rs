//! Keys that come at once: a paste from a terminal that does not say where one begins and ends is keys like any others, and
//! each of its lines would be sent.

use std::time::Duration;

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use super::model::Event;

/// So many keys at once nobody types.
pub const PASTED_KEYS_MIN: usize = 32;
/// Keys that come so soon behind a paste belong to it.
pub const PASTE_PAUSE: Duration = Duration::from_millis(50);

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
    is_pasting: bool,
}

impl Bursts {
    pub fn events(&mut self, burst: Burst) -> Vec<Event> {
        let goes_on = self.is_pasting && burst.follows;
        self.is_pasting = false;
        let (mut events, mut text, mut keys) = (Vec::new(), String::new(), Vec::new());
        for input in burst.inputs {
            match (&input, typed(&input)) {
                (Input::Key(key), Some(c)) => {
                    text.push(c);
                    keys.push(*key);
                    continue;
                }
                _ => self.run(&mut text, &mut keys, goes_on, &mut events),
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
        self.run(&mut text, &mut keys, goes_on, &mut events);
        events
    }

    fn run(&mut self, text: &mut String, keys: &mut Vec<KeyEvent>, goes_on: bool, events: &mut Vec<Event>) {
        let (text, keys) = (std::mem::take(text), std::mem::take(keys));
        // A line alone, with Enter behind it, is sent as ever.
        let is_more_than_a_line = text.trim_end_matches('\n').contains('\n') || text.ends_with("\n\n");
        // A key alone is one that somebody presses behind the paste.
        match goes_on && keys.len() > 1 || keys.len() >= PASTED_KEYS_MIN && is_more_than_a_line {
            true => {
                self.is_pasting = true;
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
    fn what_somebody_types_is_keys_however_slow_the_line_is() {
        let mut bursts = Bursts::default();
        assert_eq!(bursts.events(burst("yes\nno\n", false)).len(), 7);
        let line = "a line of more than thirty-two characters\n";
        assert!(matches!(&bursts.events(burst(line, true))[..], [Event::Typed(text)] if text == line));
    }
}
