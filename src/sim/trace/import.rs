//! Contact traces as other collections publish them.
//!
//! - *SocioPatterns* `t i j`, further columns ignored: `i` and `j` faced each other in the 20 seconds before `t`, so a row
//!   is the contact `[t - 20, t)`.
//! - *Haggle/CRAWDAD iMote* `a b start end`, further columns ignored: `a` saw `b` from `start` to `end`. A sighting that
//!   starts and ends in the same second lasts that second.
//!
//! Rows of SocioPatterns rise in time; those of iMotes may come in any order and from both sides. Rows of a pair that
//! overlap or touch become one contact. Ids are numbered anew, 0 to N-1 in the order of the numbers in the file. Time 0 is
//! the start of the first contact. A first line that names the columns is left out.

use std::io::BufRead;

use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::numbers::{parse_seconds, parse_whole};
use crate::sim::seconds::Seconds;
use crate::sim::trace::lines::{Lines, fields};
use crate::sim::trace::{Contact, EventReader, Trace};

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
        content(bytes).next().map(|(number, line)| (number, shown(line)))
    }

    /// Guesses by the first line, or the second where that is a heading: `CONN` is The ONE's, four numbers or more are
    /// iMote's, else three are SocioPatterns'.
    pub fn guess(bytes: &[u8]) -> Option<Format> {
        content(bytes).take(2).find_map(|(_, line)| {
            let fields = fields(line);
            let numbers = fields.iter().take_while(|field| parse_seconds(field).is_ok()).count();
            match (fields.get(1), numbers) {
                (Some(&b"CONN"), _) => Some(Some(Format::TheOne)),
                (_, 4..) => Some(Some(Format::Imote)),
                (_, 3) => Some(Some(Format::SocioPatterns)),
                _ if is_heading(&fields) => None,
                _ => Some(None),
            }
        })?
    }
}

/// The lines that say something, with their numbers.
fn content(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}

/// Whether a line names the columns of a table: three or more, none of them with a number.
fn is_heading(fields: &[&[u8]]) -> bool {
    let is_name = |field: &&[u8]| field.first().is_none_or(|first| first.is_ascii_alphabetic() || *first == b'_');
    fields.len() >= 3 && fields.iter().all(is_name)
}

/// What a reader overlooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// Lines may come in any order of time.
    pub any_order: bool,
    /// A node that meets itself is left out and counted, not refused.
    pub drops_self_contacts: bool,
}

/// A trace, and what was done to the file's contents on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub trace: Trace,
    /// None where ids and times are as in the file.
    pub renumbered: Option<Renumbered>,
    /// Lines left out in which a node meets itself.
    pub self_contacts: u64,
}

/// How to find in the file what is in the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbered {
    /// The file's id of each node.
    pub ids: Vec<u64>,
    /// The file's time, in microseconds, at which the trace begins.
    pub zero_us: i64,
}

/// Reads a trace of any of the forms.
pub fn import(file: &str, input: impl BufRead, format: Format, leniency: Leniency) -> Result<Imported, InputError> {
    match format {
        Format::TheOne => the_one(file, input, leniency),
        Format::SocioPatterns => rows(file, input, &SOCIOPATTERNS, leniency),
        Format::Imote => rows(file, input, &IMOTE, leniency),
    }
}

fn the_one(file: &str, input: impl BufRead, leniency: Leniency) -> Result<Imported, InputError> {
    let mut reader = EventReader::new(file, input, None).lenient(leniency);
    let trace = Trace::read(&mut reader)?;
    Ok(Imported { trace: not_empty(file, trace)?, renumbered: None, self_contacts: reader.self_contacts() })
}

/// How the rows of a form are read.
struct Rows {
    /// Fewest columns.
    needed: usize,
    is_in_order: bool,
    /// The times of a row are this much later than the file says, for none is below 0 then.
    moved_us: u64,
    parse: fn(&[&[u8]]) -> Result<Row, Mistake>,
}

const SOCIOPATTERNS: Rows = Rows { needed: 3, is_in_order: true, moved_us: SOCIOPATTERNS_US, parse: sociopatterns };
const IMOTE: Rows = Rows { needed: 4, is_in_order: false, moved_us: 0, parse: imote };

/// A row as it stands: the ids of the file, start and end.
type Row = (u64, u64, u64, u64);

fn sociopatterns(fields: &[&[u8]]) -> Result<Row, Mistake> {
    // The start may lie before 0, so all are moved by the length of a row.
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

fn rows(file: &str, input: impl BufRead, form: &Rows, leniency: Leniency) -> Result<Imported, InputError> {
    let mut lines = Lines::new(file, input);
    let mut rows: Vec<Row> = Vec::new();
    let (mut is_first, mut self_contacts) = (true, 0);
    let mut parse = |fields: &[&[u8]]| match std::mem::take(&mut is_first) && is_heading(fields) {
        true => Ok(None),
        false => (form.parse)(fields).map(Some),
    };
    while let Some((number, row)) = lines.next_with(form.needed, &mut parse)? {
        let Some((a, b, start_us, end_us)) = row else { continue };
        if a == b && leniency.drops_self_contacts {
            self_contacts += 1;
            continue;
        }
        if a == b {
            return Err(InputError::at(file, number, Mistake::SelfContact { node: a }));
        }
        let before_us = rows.last().map_or(0, |row| row.2);
        if form.is_in_order && !leniency.any_order && start_us < before_us {
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
    let trace = not_empty(file, Trace::of(ids.len() as u32, contacts))?;
    // Both are at most `TIME_US_MAX`, far below the bound of the type.
    let zero_us = zero_us as i64 - form.moved_us as i64;
    Ok(Imported { trace, renumbered: Some(Renumbered { ids, zero_us }), self_contacts })
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
        let imported = import("s.dat", text.as_bytes(), Format::SocioPatterns, Leniency::default()).unwrap();
        let trace = imported.trace;
        assert_eq!(imported.renumbered, Some(Renumbered { ids: vec![7, 1_026, 1_148], zero_us: 100_000_000 }));
        assert_eq!(trace.nodes, 3, "7, 1026 and 1148 become 0, 1 and 2");
        assert_eq!(trace.contacts, [contact(1, 2, 0, 40), contact(0, 2, 20, 40), contact(1, 2, 60, 80)]);
        let again = write_sociopatterns(&trace).unwrap();
        let again = import("again", again.as_bytes(), Format::SocioPatterns, Leniency::default()).unwrap();
        assert_eq!(again.trace, trace);
    }

    #[test]
    fn tables_with_headings_read_as_well_and_in_any_order_where_that_is_asked() {
        let text = "time,i,j,Ci,Cj\n40,1148,7,A,B\n2e1,7,7,A,A\n20,7,1148,A,B\n";
        assert_eq!(Format::guess(text.as_bytes()), Some(Format::SocioPatterns));
        let leniency = Leniency { any_order: true, drops_self_contacts: true };
        let imported = import("s.csv", text.as_bytes(), Format::SocioPatterns, leniency).unwrap();
        assert_eq!((imported.trace.contacts.as_slice(), imported.self_contacts), (&[contact(0, 1, 0, 40)][..], 1));
        assert_eq!(imported.renumbered.unwrap().zero_us, 0);
        let strict = Leniency { drops_self_contacts: true, ..Leniency::default() };
        let refused = import("s.csv", text.as_bytes(), Format::SocioPatterns, strict).expect_err("it runs backwards");
        assert_eq!(refused.line, Some(4));
    }

    #[test]
    fn imote_sightings_of_both_sides_become_one_contact() {
        let text = "1 2 100 200 1 0\n2 1 150 260 1 0\n1 2 300 300 2 40\n";
        let imported = import("i.dat", text.as_bytes(), Format::Imote, Leniency::default()).unwrap();
        assert_eq!(imported.trace.contacts, [contact(0, 1, 0, 160), contact(0, 1, 200, 201)]);
    }

    #[test]
    fn rows_that_cannot_be_are_refused_with_their_line() {
        let refused =
            |text: &str, format| import("x.dat", text.as_bytes(), format, Leniency::default()).expect_err("refused");
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
