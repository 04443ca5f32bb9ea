//! The ONE's connection events: `time CONN a b up|down [interface]`, one a line, times in seconds.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::BufRead;

use crate::sim::NODES_MAX;
use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::numbers::{parse_seconds, parse_whole};
use crate::sim::seconds::Seconds;
use crate::sim::trace::lines::Lines;
use crate::sim::trace::{Change, ContactEvent, Leniency, Live};

/// Streams the events of a file and holds only the contacts that are up.
///
/// Lines of one instant may come in any order; the stream is in the order of [`ContactEvent`]. Contacts that are up
/// where the file ends go down at its last event. A contact without length is left out. Two nodes are in contact as long
/// as any of their interfaces is. After an error nothing follows.
pub struct EventReader<R> {
    lines: Lines<R>,
    leniency: Leniency,
    /// All lines by their time, where they may come in any order.
    sorted: Option<std::vec::IntoIter<Line>>,
    self_contacts: u64,
    /// What the scenario says, or `None`.
    declared: Option<u32>,
    seen: u32,
    live: Live,
    /// The interfaces that lines name, numbered from 1.
    interfaces: BTreeMap<Vec<u8>, u32>,
    /// For pairs of which lines name interfaces: those that are up, and since when.
    links: BTreeMap<(u32, u32), BTreeMap<u32, u64>>,
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
    /// Zero where the line names none.
    interface: u32,
    number: u64,
}

/// Most names of interfaces in one file; a device has a handful.
const INTERFACES_MAX: usize = 4_096;

impl<R: BufRead> EventReader<R> {
    pub fn new(file: &str, input: R, nodes: Option<u32>) -> EventReader<R> {
        EventReader {
            lines: Lines::new(file, input),
            leniency: Leniency::default(),
            sorted: None,
            self_contacts: 0,
            declared: nodes,
            seen: 0,
            live: Live::default(),
            interfaces: BTreeMap::new(),
            links: BTreeMap::new(),
            ahead: None,
            instant: Vec::new(),
            instant_us: 0,
            ready: Vec::new().into_iter(),
            state: State::Fresh,
        }
    }

    /// Overlooks some of what is wrong with the file. Lines in any order are all held at once.
    pub fn lenient(self, leniency: Leniency) -> EventReader<R> {
        EventReader { leniency, ..self }
    }

    /// How many lines in which a node meets itself were left out.
    pub fn self_contacts(&self) -> u64 {
        self.self_contacts
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
            if self.leniency.any_order {
                self.sort()?;
            }
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

    /// What the lines of one pair at one instant come to.
    fn settle_pair(&mut self, lines: &mut [Line], events: &mut Vec<ContactEvent>) -> Result<(), InputError> {
        let ContactEvent { at_us, a, b, .. } = lines[0].event;
        if lines.iter().any(|line| line.interface > 0) || self.links.contains_key(&(a, b)) {
            return self.settle_links(lines, events);
        }
        for Line { event, number, .. } in that_matter(lines, self.live.is_up(a, b)) {
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

    /// The same for a pair with interfaces: it comes up with the first of them, and goes down with the last.
    fn settle_links(&mut self, lines: &mut [Line], events: &mut Vec<ContactEvent>) -> Result<(), InputError> {
        let ContactEvent { at_us, a, b, .. } = lines[0].event;
        let was_up = self.live.is_up(a, b);
        let mut links = self.links.remove(&(a, b)).unwrap_or_else(|| match was_up {
            true => BTreeMap::from([(0, at_us)]),
            false => BTreeMap::new(),
        });
        lines.sort_by_key(|line| line.interface);
        for lines in lines.chunk_by_mut(|one, next| one.interface == next.interface) {
            let interface = lines[0].interface;
            for Line { event, number, .. } in that_matter(lines, links.contains_key(&interface)) {
                let mistake = match event.change {
                    Change::Down => links.remove(&interface).is_none().then_some(Mistake::DownBeforeUp { a, b }),
                    Change::Up => links.insert(interface, at_us).map(|since_us| Mistake::UpTwice { a, b, since_us }),
                };
                if let Some(mistake) = mistake {
                    return Err(InputError::at(&self.lines.file, *number, mistake));
                }
            }
        }
        let is_up = !links.is_empty();
        match (was_up, is_up) {
            (false, true) => {
                self.live.up(a, b, at_us);
                events.push(ContactEvent { at_us, change: Change::Up, a, b });
            }
            (true, false) => {
                self.live.down(a, b);
                events.push(ContactEvent { at_us, change: Change::Down, a, b });
            }
            _ => {}
        }
        if is_up {
            self.links.insert((a, b), links);
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

    /// Reads all lines, and puts them in the order of their times.
    fn sort(&mut self) -> Result<(), InputError> {
        let mut lines = Vec::new();
        while let Some(line) = self.read()? {
            lines.push(line);
        }
        lines.sort_by_key(|line| line.event.at_us);
        self.sorted = Some(lines.into_iter());
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Line>, InputError> {
        if let Some(sorted) = &mut self.sorted {
            return Ok(sorted.next());
        }
        let (declared, interfaces) = (self.declared, &mut self.interfaces);
        loop {
            match self.lines.next_with(5, |fields| parse_event(fields, declared, interfaces)) {
                Ok(Some((number, (event, interface)))) => {
                    self.seen = self.seen.max(event.b + 1);
                    return Ok(Some(Line { event, interface, number }));
                }
                Err(InputError { mistake: Mistake::SelfContact { .. }, .. }) if self.leniency.drops_self_contacts => {
                    self.self_contacts += 1;
                }
                Ok(None) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The lines of one pair at one instant that change anything, in the order in which they do. In the order of the file they
/// may pass through contacts of no length, which do not happen; lines that make no sense in that order are taken downs
/// first.
fn that_matter(lines: &mut [Line], is_up: bool) -> &[Line] {
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
    lines
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

fn parse_event(
    fields: &[&[u8]],
    nodes: Option<u32>,
    interfaces: &mut BTreeMap<Vec<u8>, u32>,
) -> Result<(ContactEvent, u32), Mistake> {
    let at_us = parse_seconds(fields[0])?;
    let form = "`time CONN a b up` or `time CONN a b down`";
    let malformed = |field: &[u8]| Mistake::Malformed { what: "connection event", found: shown(field), form };
    match fields[1] {
        b"CONN" => {}
        b"C" | b"S" | b"DE" | b"A" | b"DR" | b"R" => return Err(Mistake::MessageEvent { found: shown(fields[1]) }),
        other => return Err(malformed(other)),
    }
    let (a, b) = (parse_node(fields[2], nodes)?, parse_node(fields[3], nodes)?);
    let change = match fields[4] {
        field if field.eq_ignore_ascii_case(b"up") => Change::Up,
        field if field.eq_ignore_ascii_case(b"down") => Change::Down,
        other => return Err(malformed(other)),
    };
    if let Some(further) = fields.get(6) {
        return Err(malformed(further));
    }
    if a == b {
        return Err(Mistake::SelfContact { node: a.into() });
    }
    let interface = fields.get(5).filter(|name| !name.is_empty()).map_or(Ok(0), |name| number_of(name, interfaces))?;
    Ok((ContactEvent { at_us, change, a: a.min(b), b: a.max(b) }, interface))
}

fn number_of(name: &[u8], interfaces: &mut BTreeMap<Vec<u8>, u32>) -> Result<u32, Mistake> {
    if let Some(number) = interfaces.get(name) {
        return Ok(*number);
    }
    if interfaces.len() >= INTERFACES_MAX {
        let form = "at most 4096 different names in a file";
        return Err(Mistake::Malformed { what: "name of an interface", found: shown(name), form });
    }
    let number = interfaces.len() as u32 + 1;
    interfaces.insert(name.to_owned(), number);
    Ok(number)
}

/// Reads a node's id; The ONE puts letters before it (`p12`), which are no part of the number.
pub(crate) fn parse_node(field: &[u8], nodes: Option<u32>) -> Result<u32, Mistake> {
    let letters = match field.first() {
        Some(first) if first.is_ascii_alphabetic() => field.iter().take_while(|byte| !byte.is_ascii_digit()).count(),
        _ => 0,
    };
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

    fn spans(text: &str, leniency: Leniency) -> (Vec<(u32, u32, u64, u64)>, u64) {
        let mut reader = EventReader::new("t.txt", text.as_bytes(), None).lenient(leniency);
        let events: Vec<ContactEvent> = reader.by_ref().collect::<Result<_, _>>().unwrap();
        let trace = Trace::collect(reader.nodes(), events.into_iter());
        let second = |us: u64| us / 1_000_000;
        let spans = trace.contacts.iter().map(|c| (c.a, c.b, second(c.up_us), second(c.down_us))).collect();
        (spans, reader.self_contacts())
    }

    #[test]
    fn what_other_programs_write_is_read() {
        let strict = Leniency::default();
        assert_eq!(spans("0,CONN,p_1,\"2\",UP\n1e1;CONN;1;2;Down\n", strict).0, [(1, 2, 0, 10)]);
        assert_eq!(spans("0 CONN n-1 2 Up bt0\n9 CONN 1 2 DOWN bt0\n", strict).0, [(1, 2, 0, 9)]);
    }

    #[test]
    fn a_pair_is_in_contact_as_long_as_any_of_its_interfaces() {
        let strict = Leniency::default();
        let up_down = |text: &str| spans(text, strict).0;
        let two = "0 CONN 0 1 up bt\n3 CONN 0 1 up wifi\n5 CONN 0 1 down bt\n9 CONN 0 1 down wifi\n";
        assert_eq!(up_down(two), [(0, 1, 0, 9)]);
        let unnamed = "0 CONN 0 1 up\n3 CONN 0 1 up wifi\n5 CONN 0 1 down\n7 CONN 0 1 down wifi\n8 CONN 0 1 up\n9 CONN 0 1 down\n";
        assert_eq!(up_down(unnamed), [(0, 1, 0, 7), (0, 1, 8, 9)]);
        let handed_over = "0 CONN 0 1 up bt\n5 CONN 0 1 down bt\n5 CONN 0 1 up wifi\n9 CONN 0 1 down wifi\n";
        assert_eq!(up_down(handed_over), [(0, 1, 0, 9)]);
        let twice = mistake("0 CONN 0 1 up bt\n5 CONN 0 1 up bt\n", None);
        assert_eq!(twice, (Some(2), Mistake::UpTwice { a: 0, b: 1, since_us: 0 }));
        assert_eq!(mistake("0 CONN 0 1 up bt\n5 CONN 0 1 down wifi\n6 CONN 0 1 down bt\n", None).0, Some(2));
    }

    #[test]
    fn a_lenient_reader_sorts_lines_and_leaves_out_who_meets_itself() {
        let leniency = Leniency { any_order: true, drops_self_contacts: true };
        let text = "9 CONN 0 1 down\n3 CONN 2 2 up\n0 CONN 0 1 up\n4 CONN 2 2 down\n";
        assert_eq!(spans(text, leniency), (vec![(0, 1, 0, 9)], 2));
        let mut reader = EventReader::new("t.txt", &b"9 CONN 0 1 up\n3 CONN 0 2 down\n"[..], None).lenient(leniency);
        let error = reader.find_map(Result::err).expect("nothing is up that could go down");
        assert_eq!(error.line, Some(2), "a mistake keeps the line it has in the file");
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
        assert!(matches!(mistake("0 C M1 3 4 100\n", None), (Some(1), Mistake::MessageEvent { .. })));
        assert!(matches!(mistake("0 CONN 3 4 up eth0 more\n", None), (Some(1), Mistake::Malformed { .. })));
        assert!(matches!(mistake("0 CONN 3 4 sideways\n", None), (Some(1), Mistake::Malformed { .. })));
        assert_eq!(mistake("# nothing\n", None), (None, Mistake::Empty { what: "contact" }));
        assert_eq!(mistake(&"x".repeat(9_000), None), (Some(1), Mistake::LongLine { max: LINE_BYTES_MAX }));
    }
}
