//! TOML with the line of every value, and sentences about what is wrong with it.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::near::nearest;
use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::scenario::units;
use crate::sim::workload::Rate;

/// A scenario's text, which knows the line of every offset.
pub(super) struct Document<'a> {
    file: &'a str,
    text: &'a str,
    overrides: Vec<Override>,
    sections: &'a [(&'a str, &'a [&'a str])],
}

/// A key that is set from outside. Its text is read as if it stood behind the scenario's, so its offsets are its own.
struct Override {
    start: usize,
    said: String,
    padded: String,
}

impl<'a> Document<'a> {
    /// `sections` says of each place what keys it has, for "it belongs in".
    pub(super) fn new(
        file: &'a str,
        text: &'a str,
        overrides: &[(&str, &str)],
        sections: &'a [(&'a str, &'a [&'a str])],
    ) -> Document<'a> {
        let mut start = text.len();
        let overrides = overrides.iter().map(|(key, value)| {
            let said = format!("{key} = {value}");
            // A bare word is meant as a text.
            let line = if DeTable::parse(&said).is_ok() { said.clone() } else { format!("{key} = {value:?}") };
            let padded = format!("{}{line}", " ".repeat(start));
            let own_start = std::mem::replace(&mut start, padded.len());
            Override { start: own_start, said, padded }
        });
        Document { file, text, overrides: overrides.collect(), sections }
    }

    /// Reads the text, then what is set from outside.
    pub(super) fn read(&self) -> Result<DeTable<'_>, InputError> {
        let mut table = self.parse(self.text)?;
        for set in &self.overrides {
            merge(&mut table, self.parse(&set.padded)?);
        }
        Ok(table)
    }

    fn parse<'t>(&self, text: &'t str) -> Result<DeTable<'t>, InputError> {
        let parsed = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map(|span| span.start);
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.refuse(offset, format!("{message}; this is not TOML"))
        });
        parsed.map(Spanned::into_inner)
    }

    pub(super) fn refuse(&self, offset: Option<usize>, said: String) -> InputError {
        let set = self.overrides.iter().rev().find(|set| offset.is_some_and(|offset| offset >= set.start));
        if let Some(Override { said: set, .. }) = set {
            return InputError::whole(self.file, Mistake::Scenario(format!("in `{set}`, {said}")));
        }
        InputError { file: self.file.to_owned(), line: self.line(offset), mistake: Mistake::Scenario(said) }
    }

    fn line(&self, offset: Option<usize>) -> Option<u64> {
        let before = self.text.as_bytes().get(..offset?)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1)
    }
}

fn merge<'t>(table: &mut DeTable<'t>, other: DeTable<'t>) {
    for (key, value) in other {
        match (table.get_mut(&key).map(Spanned::get_mut), value.get_ref()) {
            (Some(DeValue::Table(inner)), DeValue::Table(new)) => merge(inner, new.clone()),
            _ => {
                table.insert(key, value);
            }
        }
    }
}

/// A table whose keys are all known.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    /// As a sentence names it: `[link]`.
    name: String,
    offset: Option<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn top(
        document: &'a Document<'a>,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Result<Section<'a>, InputError> {
        Section { document, name: "the scenario".into(), offset: None, table }.check(known)
    }

    /// Opens a section within this one, where it is there.
    pub(super) fn section(&self, key: &str, known: &[&str]) -> Result<Option<Section<'a>>, InputError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        value.section(format!("[{key}]"), known).map(Some)
    }

    fn check(self, known: &[&str]) -> Result<Section<'a>, InputError> {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                return Err(self.document.refuse(Some(key.span().start), self.unknown(name, known)));
            }
        }
        Ok(self)
    }

    /// The same section once one of its keys has said which others it can have.
    pub(super) fn narrowed(self, with: &str, known: &[&str]) -> Result<Section<'a>, InputError> {
        Section { name: format!("{} with {with}", self.name), ..self }.check(known)
    }

    fn unknown(&self, key: &str, known: &[&str]) -> String {
        let is_no_key = format!("{} is no key of {}", shown(key.as_bytes()), self.name);
        if let Some(near) = nearest(key, known) {
            return format!("{is_no_key}; did you mean `{near}`?");
        }
        let mut sections = self.document.sections.iter();
        if let Some((place, _)) =
            sections.find(|(place, keys)| keys.contains(&key) && !self.name.starts_with(&place[3..]))
        {
            return format!("{is_no_key}; it belongs {place}");
        }
        format!("{is_no_key}; its keys are {}", listed(known))
    }

    pub(super) fn value(&self, key: &str) -> Option<Value<'a>> {
        let value = self.table.get(key)?;
        Some(Value { document: self.document, name: key.to_owned(), value })
    }

    /// A value that the section cannot do without.
    pub(super) fn needed(&self, key: &str, example: &str) -> Result<Value<'a>, InputError> {
        self.value(key).ok_or_else(|| self.refuse(format!("{} needs `{key}`; add `{key} = {example}`", self.name)))
    }

    pub(super) fn refuse(&self, said: String) -> InputError {
        self.document.refuse(self.offset, said)
    }
}

/// A value, with the key that a sentence about it names.
pub(super) struct Value<'a> {
    document: &'a Document<'a>,
    name: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub(super) fn refuse(&self, said: String) -> InputError {
        self.document.refuse(Some(self.value.span().start), said)
    }

    pub(super) fn line(&self) -> Option<u64> {
        self.document.line(Some(self.value.span().start))
    }

    pub(super) fn section(&self, name: String, known: &[&str]) -> Result<Section<'a>, InputError> {
        let table = self.value.get_ref().as_table().ok_or_else(|| self.wrong_type("a table"))?;
        let offset = Some(self.value.span().start);
        Section { document: self.document, name, offset, table }.check(known)
    }

    pub(super) fn text(&self) -> Result<&'a str, InputError> {
        self.value.get_ref().as_str().ok_or_else(|| self.wrong_type("a text in quotes"))
    }

    /// One of the names, in the order of `names`.
    pub(super) fn choice<T: Copy>(&self, names: &[(&str, T)]) -> Result<T, InputError> {
        let text = self.text()?;
        let found = names.iter().find(|(name, _)| *name == text);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let hint = match nearest(text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("choose from {}", listed(&known)),
            };
            self.refuse(format!("`{}`: {} is unknown; {hint}", self.name, shown(text.as_bytes())))
        })
    }

    pub(super) fn whole(&self) -> Result<u64, InputError> {
        let integer = self.value.get_ref().as_integer().ok_or_else(|| self.wrong_type("a whole number"))?;
        if integer.as_str().starts_with('-') {
            return Err(self.refuse(format!(
                "`{}` is negative ({}); it must be 0 or more",
                self.name,
                integer.as_str()
            )));
        }
        u64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| self.refuse(format!("`{}` is too large; it must be below 2^64", self.name)))
    }

    pub(super) fn whole_between(&self, low: u64, high: u64) -> Result<u64, InputError> {
        let number = self.whole()?;
        if !(low..=high).contains(&number) {
            return Err(self.refuse(format!("`{}` is {number}; it must be from {low} to {high}", self.name)));
        }
        Ok(number)
    }

    pub(super) fn node(&self, nodes: Option<u32>) -> Result<u32, InputError> {
        let nodes = nodes.unwrap_or(crate::sim::NODES_MAX);
        let node = self.whole()?;
        match u32::try_from(node) {
            Ok(id) if id < nodes => Ok(id),
            _ => Err(self.refuse(Mistake::OutOfRange { node, nodes }.to_string())),
        }
    }

    /// A text with a unit, or a number of seconds.
    pub(super) fn duration_us(&self) -> Result<u64, InputError> {
        let form = "a duration; write \"300min\", \"12h\", \"90s\" or \"250ms\"";
        let duration_us = self.quantity("s", form, units::parse_duration_us)?;
        if duration_us > crate::sim::TIME_US_MAX {
            return Err(self.refuse(format!("`{}` is longer than 300 years; write less", self.name)));
        }
        Ok(duration_us)
    }

    /// A text with a unit, or a number of bytes.
    pub(super) fn size_bytes(&self) -> Result<u64, InputError> {
        self.quantity("", "a size; write 5000000, \"500kB\" or \"5MB\"", units::parse_size_bytes)
    }

    pub(super) fn length_mm(&self, max_mm: u64) -> Result<u64, InputError> {
        let length_mm = self.quantity("", "a length; write 30, \"30m\" or \"3.2km\"", units::parse_length_mm)?;
        if length_mm == 0 || length_mm > max_mm {
            let max_m = max_mm / 1_000;
            return Err(self.refuse(format!("`{}` must be more than 0 and at most {max_m} m", self.name)));
        }
        Ok(length_mm)
    }

    /// A length that may be 0.
    pub(super) fn place_mm(&self) -> Result<u64, InputError> {
        self.quantity("", "a place; write 30, \"30m\" or \"3.2km\"", units::parse_length_mm)
    }

    /// Rounded down, from 1 mm/s to 10 km/s.
    pub(super) fn speed_mm_s(&self) -> Result<u64, InputError> {
        let speed = self.quantity("", "a speed; write 1.5, \"1.5m/s\" or \"50km/h\"", units::parse_speed_mm_s)?;
        if !(1..=10_000_000).contains(&speed) {
            return Err(self.refuse(format!("`{}` must be from 0.001 to 10000 m/s", self.name)));
        }
        Ok(speed)
    }

    /// A percentage as a text, or parts in a thousand as a number; returns parts in a million.
    pub(super) fn share(&self) -> Result<u32, InputError> {
        if self.value.get_ref().is_integer() {
            return Ok(self.whole_between(0, 1_000)? as u32 * 1_000);
        }
        let form = "a share; write \"0.1%\", or 1 for one in a thousand";
        if self.value.get_ref().is_float() {
            return Err(self.refuse(format!("`{}` is not {form}", self.name)));
        }
        self.quantity("", form, |text| units::parse_percent(text).map(u64::from)).map(|parts| parts as u32)
    }

    /// A decimal number, in millionths.
    pub(super) fn millionths(&self) -> Result<u32, InputError> {
        let form = "a number; write 0.7 or so";
        self.quantity("", form, |text| units::parse_millionths(text).map(u64::from)).map(|parts| parts as u32)
    }

    pub(super) fn rate(&self) -> Result<Rate, InputError> {
        let text = self.text()?;
        let (count, per_us) = units::parse_rate(text).ok_or_else(|| {
            let found = shown(text.as_bytes());
            self.refuse(format!("`{}`: {found} is no rate; write \"60/h\", \"1/min\" or \"500/12h\"", self.name))
        })?;
        Ok(Rate { count, per_us })
    }

    /// One value for both ends, or a list of the two.
    pub(super) fn span<T: PartialOrd + Copy>(
        &self,
        read: impl Fn(&Value<'a>) -> Result<T, InputError>,
    ) -> Result<(T, T), InputError> {
        if !self.value.get_ref().is_array() {
            return read(self).map(|value| (value, value));
        }
        let ends = self.list()?;
        let [low, high] = ends.as_slice() else {
            return Err(self.refuse(format!("`{}` must be one value, or the two ends as [low, high]", self.name)));
        };
        let (low, high) = (read(low)?, read(high)?);
        if low > high {
            return Err(self.refuse(format!("`{}` has its ends the wrong way round; swap them", self.name)));
        }
        Ok((low, high))
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(super) fn list(&self) -> Result<Vec<Value<'a>>, InputError> {
        let array: &'a DeArray<'a> =
            self.value.get_ref().as_array().ok_or_else(|| self.wrong_type("a list in brackets"))?;
        let item = |value| Value { document: self.document, name: self.name.clone(), value };
        Ok(array.iter().map(item).collect())
    }

    /// A text, or a number to which `unit` is added.
    fn quantity(&self, unit: &str, form: &str, parse: impl Fn(&str) -> Option<u64>) -> Result<u64, InputError> {
        let (text, is_negative) = match self.value.get_ref() {
            DeValue::String(text) => (text.to_string(), text.trim_start().starts_with('-')),
            DeValue::Integer(number) if number.radix() == 10 => {
                (format!("{}{unit}", number.as_str()), number.as_str().starts_with('-'))
            }
            DeValue::Float(number) => (format!("{}{unit}", number.as_str()), number.as_str().starts_with('-')),
            _ => return Err(self.wrong_type(&form.replace("; write", ", as"))),
        };
        if is_negative {
            return Err(self.refuse(format!(
                "`{}` is negative ({}); it must be 0 or more",
                self.name,
                text.escape_debug()
            )));
        }
        parse(&text).ok_or_else(|| {
            let form = form.strip_prefix("a ").unwrap_or(form);
            self.refuse(format!("`{}`: {} is no {form}", self.name, shown(text.as_bytes())))
        })
    }

    fn wrong_type(&self, wanted: &str) -> InputError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.refuse(format!("`{}` must be {wanted}, not {found}", self.name))
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
