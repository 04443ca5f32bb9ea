//! The table of limits: each number is that of the constant beside it, and no limit of the wire's files is missing.

use std::collections::BTreeSet;

use crate::page::{PAGE, code, files, rows, section};

/// What the wire is made of: each constant here that is called `…_MAX` has a row.
const MODULES: [&str; 12] = [
    "bundle",
    "cbor",
    "eid",
    "receipt",
    "content",
    "frame",
    "ticket",
    "agent/summary",
    "net/protocol",
    "net/discovery/record",
    "net/pairing",
    "pairing",
];
/// Bounds of what a program keeps or shows, which no peer sees.
const INSIDE: [&str; 1] = ["INSPECTED_BLOCKS_MAX"];
/// Numbers of the text that no constant bounds.
const LAYOUT: [u64; 5] = [
    193,    // a block type
    65_535, // certainty
    4_747,  // examples
    90_000,
    259_200_000,
];
/// Where constants are looked up that a file takes from others.
const SHARED: [&str; 4] = ["time.rs", "bundle.rs", "frame.rs", "agent/summary/step.rs"];

#[test]
fn every_limit_of_the_table_is_the_constant_of_the_code() {
    let mut wrong = Vec::new();
    let limits = limits();
    assert!(limits.len() > 80, "the table is there");
    for (what, said, file, name) in limits {
        let (said, is) = (number(&said), constant(&file, &name));
        if said.is_none() || said != is {
            wrong.push(format!("{what}: the page says {said:?}, {file} has {name} = {is:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_limit_of_the_wire_is_missing_in_the_table() {
    let limits = limits();
    let listed =
        |file: &str, name: &str| limits.iter().any(|(.., in_file, other)| (&**in_file, &**other) == (file, name));
    let mut missing = Vec::new();
    for file in MODULES.iter().flat_map(|module| files(module)) {
        for line in code(&file).lines() {
            let Some((_, rest)) = line.split_once("const ") else { continue };
            let Some((name, _)) = rest.split_once(':') else { continue };
            if name.ends_with("_MAX") && !listed(&file, name) && !INSIDE.contains(&name) {
                missing.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "in no row of the table of limits: {missing:?}");
}

#[test]
fn what_the_text_says_of_times_and_sizes_stands_in_the_table() {
    let known: BTreeSet<u64> = limits().iter().filter_map(|(_, said, ..)| number(said)).collect();
    let mut wrong = Vec::new();
    for line in prose() {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(is_mark)).collect();
        for at in 0..words.len() {
            let before = at.checked_sub(1).map_or("", |before| words[before]);
            let unit = words.get(at + 1).copied().unwrap_or_default();
            let Some(said) = said(words[at], unit).filter(|_| before != "RFC") else { continue };
            if !known.contains(&said) && !LAYOUT.contains(&said) {
                wrong.push(format!("{} {unit}: {line}", words[at]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of the page before the table, without what stands as code, and without the example.
fn prose() -> Vec<String> {
    let (text, _) = PAGE.split_once("\n# 10. Limits").expect("the table is last");
    let text = text.replace(section("## Example"), "");
    let lines = text.split("```").step_by(2).flat_map(str::lines);
    lines.map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join("`")).collect()
}

fn is_mark(c: char) -> bool {
    "()|`*.,;:".contains(c)
}

/// A time in milliseconds, a size in bytes, or a number that is large enough to be no part of a layout.
fn said(word: &str, unit: &str) -> Option<u64> {
    let value: u64 = word.replace(',', "").parse().ok()?;
    let factor = match unit {
        "MiB" => 1 << 20,
        "KiB" => 1 << 10,
        "s" => 1_000,
        "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "day" | "days" => 86_400_000,
        _ if value >= 100 => 1,
        _ => return None,
    };
    Some(value * factor)
}

/// What, how much, in which file and by which name.
fn limits() -> Vec<(String, String, String, String)> {
    let rows = rows(section("# 10. Limits")).into_iter().filter(|row| row.len() == 3 && row[2].contains('`'));
    let parts = |row: Vec<&str>| {
        let [_, file, _, name, _] = row[2].split('`').collect::<Vec<_>>()[..] else {
            panic!("a file and a name: {row:?}")
        };
        (row[0].to_owned(), row[1].to_owned(), file.to_owned(), name.to_owned())
    };
    rows.map(parts).collect()
}

/// A number as the page says it, times in milliseconds.
fn number(said: &str) -> Option<u64> {
    let (number, unit) = said.split_once(' ').unwrap_or((said, ""));
    let factor = match unit {
        "" | "bytes" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "days" => 86_400_000,
        _ => return None,
    };
    Some(number.replace(',', "").parse::<u64>().ok()? * factor)
}

/// The value of a constant, or of a field of a default: the first that is an expression of numbers.
fn constant(file: &str, name: &str) -> Option<u64> {
    let code = code(file);
    let of_constant = |line: &str| {
        let (_, rest) = line.split_once(&format!("const {name}: "))?;
        Some(rest.split_once(" = ")?.1.trim_end_matches(';').to_owned())
    };
    let of_field = |line: &str| Some(line.trim().strip_prefix(&format!("{name}: "))?.trim_end_matches(',').to_owned());
    let values = code.lines().filter_map(|line| of_constant(line).or_else(|| of_field(line)));
    values.filter_map(|value| Expression { file, rest: &value }.value()).next()
}

/// A constant's expression: numbers, names, `+ - * /`, `<<`, and what wraps a time or changes a type.
struct Expression<'a> {
    file: &'a str,
    rest: &'a str,
}

impl Expression<'_> {
    fn value(mut self) -> Option<u64> {
        let value = self.shift()?;
        self.rest.is_empty().then_some(value)
    }

    fn shift(&mut self) -> Option<u64> {
        let mut value = self.sum()?;
        while self.take("<<") {
            value <<= self.sum()?;
        }
        Some(value)
    }

    fn sum(&mut self) -> Option<u64> {
        let mut value = self.product()?;
        loop {
            if self.take("+") {
                value += self.product()?;
            } else if self.take("-") {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<u64> {
        let mut value = self.atom()?;
        loop {
            if self.take("*") {
                value *= self.atom()?;
            } else if self.take("/") {
                value /= self.atom()?;
            } else {
                return Some(value);
            }
        }
    }

    fn atom(&mut self) -> Option<u64> {
        let value = if self.take("(") {
            let value = self.shift()?;
            self.take(")").then_some(value)?
        } else {
            let word = self.word()?;
            match word.replace('_', "").parse() {
                Ok(number) => number,
                Err(_) if self.take("(") => {
                    let inner = self.shift()?;
                    self.take(")").then_some(())?;
                    match word.rsplit("::").next()? {
                        "from_secs" => inner * 1_000,
                        "from_millis" | "Millis" | "DtnTime" | "max" => inner,
                        _ => return None,
                    }
                }
                Err(_) => self.named(word.rsplit("::").next()?)?,
            }
        };
        self.changed(value)
    }

    /// What follows a value and keeps it, or takes the larger of it and another.
    fn changed(&mut self, mut value: u64) -> Option<u64> {
        loop {
            if self.take(".0") {
            } else if self.take(".max(") {
                value = value.max(self.shift()?);
                self.take(")").then_some(())?;
            } else if self.take("as ") {
                self.word()?;
            } else {
                return Some(value);
            }
        }
    }

    fn named(&self, name: &str) -> Option<u64> {
        let is_constant = name.len() > 1 && !name.contains(|c: char| c.is_ascii_lowercase());
        let of = |file: &str| code(file).contains(&format!("const {name}: ")).then(|| constant(file, name)).flatten();
        is_constant.then(|| std::iter::once(self.file).chain(SHARED).find_map(of)).flatten()
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(token);
        self.rest = found.unwrap_or(rest).trim_start();
        found.is_some()
    }

    fn word(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest.trim_start();
        (!word.is_empty()).then(|| word.to_owned())
    }
}
