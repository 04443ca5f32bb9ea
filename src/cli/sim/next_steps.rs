//! What to do about a mistake in a file, in the words of the command line: the commands of `dak sim` that do it.

use crate::sim::recognise::Kind;
use crate::sim::trace::Format;
use crate::sim::{InputError, Mistake};

/// A mistake with the command that helps, where there is one.
pub fn in_commands(error: &InputError) -> String {
    let file = &error.file;
    let step = match &error.mistake {
        Mistake::Foreign(kind) => step(*kind, file).map(|step| format!("; {step}")),
        Mistake::Backwards { .. } => Some(", as `dak sim trace convert --sort` does".into()),
        Mistake::SelfContact { .. } => Some(", or all such lines with `dak sim trace convert`".into()),
        Mistake::Unfamiliar { .. } => Some("; name the form with --from to hear what is wrong".into()),
        _ => None,
    };
    format!("{error}{}", step.unwrap_or_default())
}

/// The command that takes a file of this kind.
fn step(kind: Kind, file: &str) -> Option<String> {
    Some(match kind {
        Kind::Contacts(Format::TheOne) => format!(
            "describe it with `dak sim trace stat {file}`, or name it in a scenario, as `trace = \"{file}\"` below \
             [contacts]"
        ),
        Kind::Contacts(_) => {
            format!("`dak sim trace convert {file} --out trace.txt` makes one that a scenario can name")
        }
        Kind::Messages => format!(
            "name it in a scenario, as `file = \"{file}\"` below [workload], or second, as `dak sim oracle TRACE {file}`"
        ),
        Kind::Scenario => format!("run it with `dak sim run {file}`"),
        Kind::Recording => format!("play it back with `dak sim replay {file}`"),
        Kind::Summary => "compare its directory with another, as `dak sim compare A B`".to_owned(),
        Kind::OneSettings => {
            "`dak sim example` prints a scenario to begin with, and traces of The ONE can be named in \
                              it as they are"
                .to_owned()
        }
        Kind::Packed(_) => return None,
    })
}
