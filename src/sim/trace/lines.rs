//! Text files read line by line, with the number of each and a plain word about what is wrong with it.

use std::io::BufRead;

use crate::sim::mistake::{InputError, Mistake, shown};

/// Lines of a text file with their numbers; blank ones and those that start with `#` are left out.
pub(crate) struct Lines<R> {
    pub(crate) file: String,
    input: R,
    number: u64,
    buffer: Vec<u8>,
}

/// Longest line of a file, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 4_096;
/// Most fields a line is split into; what follows is no concern of any form.
const FIELDS_MAX: usize = 16;

/// Splits a line into its fields and returns how many there are; what is past the room for them is left out. They stand
/// between spaces and tabs, or where the line has commas or semicolons between those, as tables are written: then a field
/// may be empty or in quotes.
fn split<'a>(line: &'a [u8], fields: &mut [&'a [u8]]) -> usize {
    let is_comma = |byte: &u8| b",;".contains(byte);
    let is_table = line.iter().any(is_comma) && !line.trim_ascii_start().starts_with(b"#");
    let mut count = 0;
    let mut add = |field: &'a [u8]| {
        if let Some(place) = fields.get_mut(count) {
            *place = field;
            count += 1;
        }
    };
    if is_table {
        line.trim_ascii().split(is_comma).for_each(|field| add(unquoted(field.trim_ascii())));
    } else {
        line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).for_each(add);
    }
    count
}

/// The fields of a line, as far as any form of file has some.
pub(crate) fn fields(line: &[u8]) -> Vec<&[u8]> {
    let mut fields = vec![&[][..]; FIELDS_MAX];
    let count = split(line, &mut fields);
    fields.truncate(count);
    fields
}

fn unquoted(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(field)
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(file: &str, input: R) -> Lines<R> {
        Lines { file: file.to_owned(), input, number: 0, buffer: Vec::new() }
    }

    /// Parses the next line, which must have `needed` fields or more; with fewer on the last line the file is cut.
    pub(crate) fn next_with<T>(
        &mut self,
        needed: usize,
        parse: impl FnOnce(&[&[u8]]) -> Result<T, Mistake>,
    ) -> Result<Option<(u64, T)>, InputError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let mut fields = [&[][..]; FIELDS_MAX];
            let count = split(&self.buffer, &mut fields);
            if count == 0 || fields[0].starts_with(b"#") {
                continue;
            }
            let number = self.number;
            let parsed = if count < needed { Err(None) } else { parse(&fields[..count]).map_err(Some) };
            return match parsed {
                Ok(value) => Ok(Some((number, value))),
                Err(mistake) => Err(self.explain(number, count, needed, mistake)),
            };
        }
    }

    /// A bad last line without an end of line is one that was cut; anything else is as it says.
    fn explain(&mut self, number: u64, count: usize, needed: usize, mistake: Option<Mistake>) -> InputError {
        let is_open = self.buffer.last() != Some(&b'\n');
        let mistake = match mistake {
            Some(mistake @ Mistake::Malformed { .. }) if !is_open => mistake,
            Some(Mistake::Malformed { .. }) => Mistake::Cut { found: count.saturating_sub(1), needed },
            Some(mistake) => mistake,
            None if is_open || self.at_end() => Mistake::Cut { found: count, needed },
            None => Mistake::Malformed {
                what: "whole line",
                found: shown(self.buffer.trim_ascii()),
                form: "all its fields, with spaces or commas between",
            },
        };
        InputError::at(&self.file, number, mistake)
    }

    fn at_end(&mut self) -> bool {
        self.input.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn read_line(&mut self) -> Result<bool, InputError> {
        self.buffer.clear();
        self.number += 1;
        let mut limited = std::io::Read::take(&mut self.input, LINE_BYTES_MAX as u64 + 1);
        let read = limited.read_until(b'\n', &mut self.buffer);
        let read = read
            .map_err(|error| InputError::at(&self.file, self.number, Mistake::Unreadable { why: error.to_string() }))?;
        if read > LINE_BYTES_MAX {
            return Err(InputError::at(&self.file, self.number, Mistake::LongLine { max: LINE_BYTES_MAX }));
        }
        Ok(read > 0)
    }
}
