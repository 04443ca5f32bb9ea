//! The ONE's connection events: `time CONN a b up|down`, one a line, times in seconds.

use std::fmt::Write;
use std::io::BufRead;

use crate::sim::NODES_MAX;
use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::seconds::{Seconds, parse_seconds, parse_whole};
use crate::sim::trace::lines::Lines;
use crate::sim::trace::{Change, ContactEvent, Live};

/// Streams the events of a file and holds only the contacts that are up.
///
/// Lines of one instant may come in any order; the stream is in the order of [`ContactEvent`]. Contacts that are up
/// where the file ends go down at its last event. A contact without length is left out. After an error nothing follows.
pub struct EventReader<R> {
    lines: Lines<R>,
    /// What the scenario says, or `None`.
    declared: Option<u32>,
    seen: u32,
    live: Live,
    /// The first line of the next instant.
    ahead: Option<Line>,
    instant: Vec<Line>,
    instant_us: u64,
    ready: std::vec::IntoIter<ContactEvent>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Reading,
    Done,
}

#[derive(Clone, Copy)]
struct Line {
    event: ContactEvent,
    number: u64,
}

impl<R: BufRead> EventReader<R> {
    pub fn new(file: &str, input: R, nodes: Option<u32>) -> EventReader<R> {
        EventReader {
            lines: Lines::new(file, input),
            declared: nodes,
            seen: 0,
            live: Live::default(),
            ahead: None,
            instant: Vec::new(),
            instant_us: 0,
            ready: Vec::new().into_iter(),
            state: State::Fresh,
        }
    }

    /// The number of nodes: as declared, or one more than the largest id so far.
    pub fn nodes(&self) -> u32 {
        self.declared.unwrap_or(self.seen)
    }

    /// When the last event read so far happens, though it be one of a contact without length.
    pub fn last_us(&self) -> u64 {
        self.instant_us
    }

    /// Reads the lines of the next instant and makes `ready` of them.
    fn advance(&mut self) -> Result<(), InputError> {
        if self.state == State::Fresh {
            self.ahead = self.read()?;
            self.state = State::Reading;
        }
        let Some(first) = self.ahead.take() else {
            self.state = State::Done;
            return Ok(());
        };
        self.instant.clear();
        self.instant.push(first);
        while let Some(line) = self.read()? {
            if line.event.at_us < first.event.at_us {
                let mistake = Mistake::Backwards { before_us: first.event.at_us, at_us: line.event.at_us };
                return Err(InputError::at(&self.lines.file, line.number, mistake));
            }
            if line.event.at_us > first.event.at_us {
                self.ahead = Some(line);
                break;
            }
            self.instant.push(line);
        }
        let is_last = self.ahead.is_none();
        if is_last {
            self.state = State::Done;
        }
        self.instant_us = first.event.at_us;
        self.settle(is_last)
    }

    /// Checks the lines of one instant, pair by pair, against what is up.
    fn settle(&mut self, is_last: bool) -> Result<(), InputError> {
        let mut lines = std::mem::take(&mut self.instant);
        lines.sort_unstable_by_key(|line| (line.event.a, line.event.b, line.number));
        let mut events = Vec::with_capacity(lines.len());
        for pair in lines.chunk_by_mut(|one, next| (one.event.a, one.event.b) == (next.event.a, next.event.b)) {
            self.settle_pair(pair, &mut events)?;
        }
        if is_last {
            self.close(&mut events);
        }
        events.sort_unstable();
        self.ready = events.into_iter();
        self.instant = lines;
        Ok(())
    }

    /// What the lines of one pair at one instant come to. In the order of the file they may pass through contacts of no
    /// length, which do not happen; lines that make no sense in that order are taken downs first.
    fn settle_pair(&mut self, lines: &mut [Line], events: &mut Vec<ContactEvent>) -> Result<(), InputError> {
        let ContactEvent { at_us, a, b, .. } = lines[0].event;
        let is_up = self.live.is_up(a, b);
        let turns = lines.iter().map(|line| line.event.change == Change::Up);
        let alternates = turns.enumerate().all(|(place, up)| up == (is_up == (place % 2 == 1)));
        let kept = match (alternates, is_up, lines.len() % 2) {
            (false, _, _) => lines.len(),
            (true, true, 0) => 2,
            (true, false, 0) => 0,
            (true, _, _) => 1,
        };
        let lines = &mut lines[..kept];
        lines.sort_by_key(|line| line.event.change);
        for Line { event, number } in lines {
            let mistake = match event.change {
                Change::Down => self.live.down(a, b).is_none().then_some(Mistake::DownBeforeUp { a, b }),
                Change::Up => self.live.up(a, b, at_us).map(|since_us| Mistake::UpTwice { a, b, since_us }),
            };
            if let Some(mistake) = mistake {
                return Err(InputError::at(&self.lines.file, *number, mistake));
            }
            events.push(*event);
        }
        Ok(())
    }

    /// Ends what is up at the last event. What came up with it would have no length, and does not happen.
    fn close(&mut self, events: &mut Vec<ContactEvent>) {
        let last_us = self.instant_us;
        events.retain(|event| event.change == Change::Down);
        let open = self.live.pairs().filter(|(_, _, up_us)| *up_us < last_us);
        events.extend(open.map(|(a, b, _)| ContactEvent { at_us: last_us, change: Change::Down, a, b }));
    }

    fn read(&mut self) -> Result<Option<Line>, InputError> {
        let declared = self.declared;
        let line = self.lines.next_with(5, |fields| parse_event(fields, declared))?;
        if let Some((_, event)) = line {
            self.seen = self.seen.max(event.b + 1);
        }
        Ok(line.map(|(number, event)| Line { event, number }))
    }
}

impl<R: BufRead> Iterator for EventReader<R> {
    type Item = Result<ContactEvent, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(Ok(event));
            }
            match self.state {
                State::Done => return None,
                State::Fresh | State::Reading => {
                    if let Err(error) = self.advance() {
                        self.state = State::Done;
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

fn parse_event(fields: &[&[u8]], nodes: Option<u32>) -> Result<ContactEvent, Mistake> {
    let at_us = parse_seconds(fields[0])?;
    let form = "`time CONN a b up` or `time CONN a b down`";
    let malformed = |field: &[u8]| Mistake::Malformed { what: "connection event", found: shown(field), form };
    if fields[1] != b"CONN" {
        return Err(malformed(fields[1]));
    }
    let (a, b) = (parse_node(fields[2], nodes)?, parse_node(fields[3], nodes)?);
    let change = match fields[4] {
        b"up" => Change::Up,
        b"down" => Change::Down,
        other => return Err(malformed(other)),
    };
    if fields.len() > 5 {
        return Err(malformed(fields[5]));
    }
    if a == b {
        return Err(Mistake::SelfContact { node: a.into() });
    }
    Ok(ContactEvent { at_us, change, a: a.min(b), b: a.max(b) })
}

/// Reads a node's id; The ONE puts letters before it (`p12`), which are no part of the number.
pub(crate) fn parse_node(field: &[u8], nodes: Option<u32>) -> Result<u32, Mistake> {
    let letters = field.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let node = parse_whole(&field[letters..], "node id").map_err(|mistake| match mistake {
        Mistake::Malformed { what, form, .. } => Mistake::Malformed { what, found: shown(field), form },
        other => other,
    })?;
    let nodes = nodes.unwrap_or(NODES_MAX);
    match u32::try_from(node) {
        Ok(id) if id < nodes => Ok(id),
        _ => Err(Mistake::OutOfRange { node, nodes }),
    }
}

/// Writes events in The ONE's form, whole seconds without a decimal.
pub fn write_events(events: impl Iterator<Item = ContactEvent>) -> String {
    let mut text = String::new();
    for ContactEvent { at_us, change, a, b } in events {
        let change = if change == Change::Up { "up" } else { "down" };
        if at_us % 1_000_000 == 0 {
            writeln!(text, "{} CONN {a} {b} {change}", at_us / 1_000_000)
        } else {
            writeln!(text, "{} CONN {a} {b} {change}", Seconds(at_us))
        }
        .expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::lines::LINE_BYTES_MAX;
    use crate::sim::trace::{Contact, Trace};

    fn mistake(text: &str, nodes: Option<u32>) -> (Option<u64>, Mistake) {
        let error = Trace::parse("t.txt", text.as_bytes(), nodes).expect_err("it must be refused");
        (error.line, error.mistake)
    }

    #[test]
    fn events_read_in_any_order_within_an_instant() {
        let text = "# a comment\n0 CONN 1 0 up\n\n5 CONN 1 2 up\n5 CONN 0 1 down\n5.25 CONN p1 p2 down\n";
        let trace = Trace::parse("t.txt", text.as_bytes(), None).unwrap();
        let expected = [
            Contact { up_us: 0, a: 0, b: 1, down_us: 5_000_000 },
            Contact { up_us: 5_000_000, a: 1, b: 2, down_us: 5_250_000 },
        ];
        assert_eq!((trace.nodes, trace.contacts.as_slice(), trace.end_us), (3, &expected[..], 5_250_000));
        assert_eq!(write_events(trace.events()), "0 CONN 0 1 up\n5 CONN 0 1 down\n5 CONN 1 2 up\n5.25 CONN 1 2 down\n");
    }

    #[test]
    fn contacts_still_up_close_with_the_last_event() {
        let trace = Trace::parse("t.txt", &b"0 CONN 0 1 up\n9 CONN 0 2 up"[..], None).unwrap();
        assert_eq!(trace.contacts, [Contact { up_us: 0, a: 0, b: 1, down_us: 9_000_000 }]);
        assert_eq!((trace.nodes, trace.end_us), (3, 9_000_000));
    }

    #[test]
    fn a_contact_may_end_and_begin_again_at_one_instant() {
        let text = "0 CONN 0 1 up\n5 CONN 0 1 up\n5 CONN 0 1 down\n8 CONN 0 1 down\n";
        assert_eq!(Trace::parse("t.txt", text.as_bytes(), None).unwrap().contacts.len(), 2);
    }

    #[test]
    fn a_contact_without_length_is_left_out() {
        let text = "0 CONN 0 1 up\n3 CONN 1 2 up\n3 CONN 1 2 down\n8 CONN 0 1 down\n";
        assert_eq!(Trace::parse("t.txt", text.as_bytes(), None).unwrap().contacts.len(), 1);
        // Also between two that touch, before one, after one, and several at once.
        let contacts = |text: &str| {
            let trace = Trace::parse("t.txt", text.replace(';', "\n").as_bytes(), None).unwrap();
            trace.contacts.iter().map(|c| (c.up_us / 1_000_000, c.down_us / 1_000_000)).collect::<Vec<_>>()
        };
        let (up, down) = ("5 CONN 0 1 up;", "5 CONN 0 1 down;");
        let around = |middle: &str| contacts(&format!("0 CONN 0 1 up;{middle}9 CONN 0 1 down"));
        assert_eq!(around(&[down, up, down, up].concat()), [(0, 5), (5, 9)]);
        assert_eq!(contacts(&format!("0 CONN 0 1 up;{down}{up}{down}")), [(0, 5)]);
        assert_eq!(contacts(&format!("{up}{down}{up}9 CONN 0 1 down")), [(5, 9)]);
        assert_eq!(contacts(&format!("{up}{down}{up}{down}6 CONN 0 1 up;9 CONN 0 1 down")), [(6, 9)]);
    }

    #[test]
    fn a_trace_ends_with_its_last_line_though_that_contact_has_no_length() {
        let trace = Trace::parse("t.txt", &b"0 CONN 0 1 up\n5 CONN 0 1 down\n99 CONN 0 2 up\n"[..], None).unwrap();
        assert_eq!((trace.contacts.len(), trace.end_us, trace.nodes), (1, 99_000_000, 3));
    }

    #[test]
    fn every_mistake_has_its_line_and_its_name() {
        assert_eq!(mistake("0 CONN 0 1 up\n5 CONN 0 2 down\n", None), (Some(2), Mistake::DownBeforeUp { a: 0, b: 2 }));
        let twice = Mistake::UpTwice { a: 0, b: 1, since_us: 0 };
        assert_eq!(mistake("0 CONN 0 1 up\n5 CONN 1 0 up\n6 CONN 0 1 down\n", None), (Some(2), twice));
        let range = Mistake::OutOfRange { node: 4, nodes: 4 };
        assert_eq!(mistake("0 CONN 0 4 up\n", Some(4)), (Some(1), range));
        assert!(matches!(mistake("0 CONN 0 4000000000 up\n", None).1, Mistake::OutOfRange { .. }));
        let back = Mistake::Backwards { before_us: 5_000_000, at_us: 4_000_000 };
        assert_eq!(mistake("5 CONN 0 1 up\n\n4 CONN 0 2 up\n", None), (Some(3), back));
        assert!(matches!(mistake("-5 CONN 0 1 up\n", None), (Some(1), Mistake::Negative { what: "the time", .. })));
        assert!(matches!(mistake("5 CONN 0 -1 up\n", None), (Some(1), Mistake::Negative { what: "node id", .. })));
        assert_eq!(mistake("0 CONN 0 1 up\n5 CONN 0", None), (Some(2), Mistake::Cut { found: 3, needed: 5 }));
        assert_eq!(mistake("0 CONN 0 1 up\n5 CONN 0 1 dow", None), (Some(2), Mistake::Cut { found: 4, needed: 5 }));
        assert_eq!(mistake("0 CONN 0 1 up\n5 CONN 0\n", None), (Some(2), Mistake::Cut { found: 3, needed: 5 }));
        assert!(matches!(mistake("0 CONN 0\n5 CONN 0 1 up\n", None), (Some(1), Mistake::Malformed { .. })));
        assert_eq!(mistake("0 CONN 3 3 up\n", None), (Some(1), Mistake::SelfContact { node: 3 }));
        assert!(matches!(mistake("0 C M1 3 4 100\n", None), (Some(1), Mistake::Malformed { .. })));
        assert!(matches!(mistake("0 CONN 3 4 sideways\n", None), (Some(1), Mistake::Malformed { .. })));
        assert_eq!(mistake("# nothing\n", None), (None, Mistake::Empty { what: "contact" }));
        assert_eq!(mistake(&"x".repeat(9_000), None), (Some(1), Mistake::LongLine { max: LINE_BYTES_MAX }));
    }
}
