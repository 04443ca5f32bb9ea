//! Contact traces as other collections publish them.
//!
//! - *SocioPatterns* `t i j`, further columns ignored: `i` and `j` faced each other in the 20 seconds before `t`, so a row
//!   is the contact `[t - 20, t)`.
//! - *Haggle/CRAWDAD iMote* `a b start end`, further columns ignored: `a` saw `b` from `start` to `end`. A sighting that
//!   starts and ends in the same second lasts that second.
//!
//! Rows of SocioPatterns rise in time; those of iMotes may come in any order and from both sides. Rows of a pair that
//! overlap or touch become one contact. Ids are numbered anew, 0 to N-1 in the order of the numbers in the file. Time 0 is
//! the start of the first contact.

use std::io::BufRead;

use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::seconds::{Seconds, parse_seconds, parse_whole};
use crate::sim::trace::lines::Lines;
use crate::sim::trace::{Contact, Trace};

/// The forms of a trace file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    TheOne,
    SocioPatterns,
    Imote,
}

/// How long a row of SocioPatterns lasts.
const SOCIOPATTERNS_US: u64 = 20_000_000;
/// How long a sighting of no length lasts.
const SIGHTING_US: u64 = 1_000_000;

impl Format {
    /// The names a person may write: `one`, `sociopatterns`, `imote`.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "one" => Some(Format::TheOne),
            "sociopatterns" => Some(Format::SocioPatterns),
            "imote" => Some(Format::Imote),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Format::TheOne => "one",
            Format::SocioPatterns => "sociopatterns",
            Format::Imote => "imote",
        }
    }

    /// The number of the first line that is no comment, and what it says, for people.
    pub fn first_line(bytes: &[u8]) -> Option<(u64, String)> {
        first(bytes).map(|(number, line)| (number, shown(line)))
    }

    /// Guesses by the first line: `CONN` is The ONE's, four numbers or more are iMote's, else three are SocioPatterns'.
    pub fn guess(bytes: &[u8]) -> Option<Format> {
        let (_, line) = first(bytes)?;
        let fields: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).take(5).collect();
        let numbers = fields.iter().take_while(|field| parse_seconds(field).is_ok()).count();
        match (fields.get(1), numbers) {
            (Some(&b"CONN"), _) => Some(Format::TheOne),
            (_, 4..) => Some(Format::Imote),
            (_, 3) => Some(Format::SocioPatterns),
            _ => None,
        }
    }
}

/// The first line that says something, with its number.
fn first(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii));
    lines.into_iter().find(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}

/// Reads a trace of any of the forms.
pub fn import(file: &str, input: impl BufRead, format: Format) -> Result<Trace, InputError> {
    match format {
        Format::TheOne => Trace::parse(file, input, None),
        Format::SocioPatterns => rows(file, input, 3, true, sociopatterns),
        Format::Imote => rows(file, input, 4, false, imote),
    }
}

/// A row as it stands: the ids of the file, start and end.
type Row = (u64, u64, u64, u64);

fn sociopatterns(fields: &[&[u8]]) -> Result<Row, Mistake> {
    // The start may lie before 0, so ends are moved by the length of a row until all are shifted.
    let end_us = parse_seconds(fields[0])?;
    Ok((parse_whole(fields[1], "node id")?, parse_whole(fields[2], "node id")?, end_us, end_us + SOCIOPATTERNS_US))
}

fn imote(fields: &[&[u8]]) -> Result<Row, Mistake> {
    let (start_us, end_us) = (parse_seconds(fields[2])?, parse_seconds(fields[3])?);
    if end_us < start_us {
        return Err(Mistake::EndsBeforeStart { start: shown(fields[2]), end: shown(fields[3]) });
    }
    let end_us = if end_us == start_us { start_us + SIGHTING_US } else { end_us };
    Ok((parse_whole(fields[0], "node id")?, parse_whole(fields[1], "node id")?, start_us, end_us))
}

fn rows(
    file: &str,
    input: impl BufRead,
    needed: usize,
    is_in_order: bool,
    parse: impl Fn(&[&[u8]]) -> Result<Row, Mistake>,
) -> Result<Trace, InputError> {
    let mut lines = Lines::new(file, input);
    let mut rows: Vec<Row> = Vec::new();
    while let Some((number, (a, b, start_us, end_us))) = lines.next_with(needed, &parse)? {
        if a == b {
            return Err(InputError::at(file, number, Mistake::SelfContact { node: a }));
        }
        let before_us = rows.last().map_or(0, |row| row.2);
        if is_in_order && start_us < before_us {
            return Err(InputError::at(file, number, Mistake::Backwards { before_us, at_us: start_us }));
        }
        rows.push((a.min(b), a.max(b), start_us, end_us));
    }
    let zero_us = rows.iter().map(|row| row.2).min().unwrap_or(0);
    let mut ids: Vec<u64> = rows.iter().flat_map(|row| [row.0, row.1]).collect();
    ids.sort_unstable();
    ids.dedup();
    let number = |id: u64| ids.binary_search(&id).expect("every id of a row is listed") as u32;
    rows.sort_unstable();
    let mut contacts: Vec<Contact> = Vec::new();
    for (a, b, start_us, end_us) in rows {
        let next = Contact { up_us: start_us - zero_us, a: number(a), b: number(b), down_us: end_us - zero_us };
        match contacts.last_mut() {
            Some(last) if (last.a, last.b) == (next.a, next.b) && next.up_us <= last.down_us => {
                last.down_us = last.down_us.max(next.down_us);
            }
            _ => contacts.push(next),
        }
    }
    not_empty(file, Trace::of(ids.len() as u32, contacts))
}

fn not_empty(file: &str, trace: Trace) -> Result<Trace, InputError> {
    if trace.contacts.is_empty() {
        return Err(InputError::whole(file, Mistake::Empty { what: "contact" }));
    }
    Ok(trace)
}

/// Most rows that are written: some hundred megabytes of text.
pub const ROWS_MAX: u64 = 20_000_000;

/// Writes a trace as SocioPatterns rows, one for each 20 seconds begun; the opposite of the importer where contacts last
/// whole multiples of 20 seconds. None where that would be more than [`ROWS_MAX`].
pub fn write_sociopatterns(trace: &Trace) -> Option<String> {
    use std::fmt::Write;
    let steps = |contact: &Contact| (contact.down_us - contact.up_us).div_ceil(SOCIOPATTERNS_US);
    if trace.contacts.iter().map(steps).sum::<u64>() > ROWS_MAX {
        return None;
    }
    let mut rows: Vec<(u64, u32, u32)> = Vec::new();
    for contact in &trace.contacts {
        rows.extend((1..=steps(contact)).map(|step| (contact.up_us + step * SOCIOPATTERNS_US, contact.a, contact.b)));
    }
    rows.sort_unstable();
    let text = rows.iter().fold(String::new(), |mut text, (at_us, a, b)| {
        let whole = Seconds(*at_us).to_string();
        writeln!(text, "{}\t{a}\t{b}", whole.strip_suffix(".0").unwrap_or(&whole))
            .expect("writing to a string cannot fail");
        text
    });
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(a: u32, b: u32, up_s: u64, down_s: u64) -> Contact {
        Contact { up_us: up_s * 1_000_000, a, b, down_us: down_s * 1_000_000 }
    }

    #[test]
    fn sociopatterns_rows_become_contacts_of_the_20_seconds_before() {
        let text = "120\t1148\t1026\tA\tB\n140\t1026\t1148\tA\tB\n140\t7\t1148\tA\tB\n180\t1026\t1148\tA\tB\n";
        let trace = import("s.dat", text.as_bytes(), Format::SocioPatterns).unwrap();
        assert_eq!(trace.nodes, 3, "7, 1026 and 1148 become 0, 1 and 2");
        assert_eq!(trace.contacts, [contact(1, 2, 0, 40), contact(0, 2, 20, 40), contact(1, 2, 60, 80)]);
        let again = write_sociopatterns(&trace).unwrap();
        assert_eq!(import("again", again.as_bytes(), Format::SocioPatterns).unwrap(), trace);
    }

    #[test]
    fn imote_sightings_of_both_sides_become_one_contact() {
        let text = "1 2 100 200 1 0\n2 1 150 260 1 0\n1 2 300 300 2 40\n";
        let trace = import("i.dat", text.as_bytes(), Format::Imote).unwrap();
        assert_eq!(trace.contacts, [contact(0, 1, 0, 160), contact(0, 1, 200, 201)]);
    }

    #[test]
    fn rows_that_cannot_be_are_refused_with_their_line() {
        let refused = |text: &str, format| import("x.dat", text.as_bytes(), format).expect_err("refused");
        let error = refused("1 2 100 200\n1 2 300 250\n", Format::Imote);
        assert_eq!(
            error.to_string(),
            "x.dat:2: the contact ends (`250`) before it starts (`300`); swap the two, or remove the line"
        );
        assert_eq!(refused("20 4 4\n", Format::SocioPatterns).mistake, Mistake::SelfContact { node: 4 });
        assert_eq!(refused("20 4 5\n40 4", Format::SocioPatterns).mistake, Mistake::Cut { found: 2, needed: 3 });
        let backwards = Mistake::Backwards { before_us: 40_000_000, at_us: 20_000_000 };
        assert_eq!(refused("40 4 5\n20 4 6\n", Format::SocioPatterns).mistake, backwards);
        assert!(matches!(refused("20 4 -5\n", Format::SocioPatterns).mistake, Mistake::Negative { .. }));
        assert_eq!(refused("", Format::Imote).mistake, Mistake::Empty { what: "contact" });
    }

    #[test]
    fn the_form_is_guessed_from_the_first_line() {
        assert_eq!(Format::guess(b"# x\n0 CONN 1 2 up\n"), Some(Format::TheOne));
        assert_eq!(Format::guess(b"20 1 2\n"), Some(Format::SocioPatterns));
        assert_eq!(Format::guess(b"31220\t1558\t1567\t3B\t3B\n"), Some(Format::SocioPatterns));
        assert_eq!(Format::guess(b"1 2 100 200 1 0\n"), Some(Format::Imote));
        assert_eq!(Format::guess(b"hello\n"), None);
    }
}
