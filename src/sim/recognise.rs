//! What a file is that was given where another was wanted, so that the answer can name what takes it.

use std::fmt;

use crate::sim::mistake::{InputError, Mistake};
use crate::sim::numbers::parse_seconds;
use crate::sim::trace::{Format, fields};

/// A file of a kind that some command of `dak sim` takes, or that is well known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Contacts(Format),
    /// Lines `time C id from to size`.
    Messages,
    Scenario,
    Recording,
    /// The summary of a run.
    Summary,
    /// Settings of The ONE.
    OneSettings,
    /// Packed in a way that is not unpacked here.
    Packed(&'static str),
}

/// So much of a file tells what it is.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// First bytes of packed files.
const PACKED: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
];

impl Kind {
    /// Looks at the start of a file; none where it is like nothing known.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        let head = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
        if let Some((_, name)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(Kind::Packed(name));
        }
        if head.starts_with(b"dak recording ") {
            return Some(Kind::Recording);
        }
        if head.starts_with(b"{") && contains(head, b"\"scenario_hash\"") {
            return Some(Kind::Summary);
        }
        let lines = || head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        if lines().any(|line| matches!(line, b"[contacts]" | b"[workload]" | b"[routing]")) {
            return Some(Kind::Scenario);
        }
        if lines().any(|line| line.starts_with(b"Scenario.") || line.starts_with(b"Group.")) {
            return Some(Kind::OneSettings);
        }
        let first = lines().find(|line| !line.is_empty() && !line.starts_with(b"#"))?;
        let fields = fields(first);
        if fields.len() >= 6 && fields[1] == b"C" && parse_seconds(fields[0]).is_ok() {
            return Some(Kind::Messages);
        }
        Format::guess(bytes).map(Kind::Contacts)
    }

    /// What a reader should say of a file in which it found a mistake: that the file is of another kind, where it is.
    pub fn explain(bytes: &[u8], error: InputError, is_wanted: impl Fn(Kind) -> bool) -> InputError {
        match Kind::of(bytes) {
            Some(kind) if !is_wanted(kind) => InputError::whole(&error.file, Mistake::Foreign(kind)),
            _ => error,
        }
    }
}

/// What it is, as a sentence.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Contacts(Format::TheOne) => f.write_str("this is a contact trace"),
            Kind::Contacts(format) => write!(f, "this is a contact trace of the form {}", format.name()),
            Kind::Messages => f.write_str("this is a list of messages"),
            Kind::Scenario => f.write_str("this is a scenario"),
            Kind::Recording => f.write_str("this is a recording of a node"),
            Kind::Summary => f.write_str("this is the summary of a run"),
            Kind::OneSettings => f.write_str("these are settings of The ONE, which are not read here"),
            Kind::Packed(name) => {
                write!(f, "this is packed with {name}; unpack it first (gzip alone is read as it is)")
            }
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_lines() {
        let cases: [(&[u8], Option<Kind>); 11] = [
            (b"# contacts\n0 CONN 1 2 up\n", Some(Kind::Contacts(Format::TheOne))),
            (b"20\t1148\t1026\n", Some(Kind::Contacts(Format::SocioPatterns))),
            (b"1,2,100,200\n", Some(Kind::Contacts(Format::Imote))),
            (b"5.5 C M1 0 2 1000\n", Some(Kind::Messages)),
            (b"title = \"x\"\n\n[contacts]\ntrace = \"t\"\n", Some(Kind::Scenario)),
            (b"dak recording 1\n\x00", Some(Kind::Recording)),
            (b"{\n  \"scenario\": \"s.toml\",\n  \"scenario_hash\": \"0\"\n}\n", Some(Kind::Summary)),
            (b"# default\nScenario.name = x\nGroup.router = EpidemicRouter\n", Some(Kind::OneSettings)),
            (b"PK\x03\x04\x14", Some(Kind::Packed("zip"))),
            (b"hello, world\n", None),
            (b"", None),
        ];
        for (bytes, kind) in cases {
            assert_eq!(Kind::of(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
