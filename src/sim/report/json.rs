//! JSON with keys in a fixed order and numbers with fixed decimals.

use std::fmt::{Display, Write};

use crate::sim::report::{Figure, Report};

/// An object under construction, one key a line.
#[derive(Clone, Debug, Default)]
pub struct Json {
    lines: Vec<String>,
}

impl Json {
    pub fn text(mut self, key: &str, value: &str) -> Json {
        self.lines.push(format!("{}: {}", quoted(key), quoted(value)));
        self
    }

    /// A value that prints as a JSON number.
    pub fn number(mut self, key: &str, value: impl Display) -> Json {
        self.lines.push(format!("{}: {value}", quoted(key)));
        self
    }

    /// A number, or `null`.
    pub fn number_or_null(self, key: &str, value: Option<impl Display>) -> Json {
        match value {
            Some(value) => self.number(key, value),
            None => self.number(key, "null"),
        }
    }

    pub fn figure(self, key: &str, figure: Figure) -> Json {
        match figure {
            Figure::Count(count) => self.number(key, count),
            Figure::Decimal(decimal) => self.number_or_null(key, decimal),
        }
    }

    /// The object with an end of line.
    pub fn finish(self) -> String {
        format!("{{\n  {}\n}}\n", self.lines.join(",\n  "))
    }
}

/// `summary.json`: what was run, then every figure by name.
pub fn summary_json(report: &Report) -> String {
    let head = &report.head;
    let json = Json::default()
        .text("scenario", &head.scenario)
        .text("title", head.title.as_deref().unwrap_or_default())
        .text("strategy", &head.strategy)
        .number("seed", head.seed)
        .text("commit", &head.commit)
        .text("settings", &head.settings)
        .text("scenario_hash", &head.scenario_hash)
        .text("world_hash", &head.world_hash)
        .number("nodes", head.nodes)
        .number("contacts", head.contacts)
        .number("events", head.events)
        .text("event_hash", &head.event_hash);
    report.summary.figures().into_iter().fold(json, |json, (name, figure)| json.figure(name, figure)).finish()
}

/// A JSON string; `<` is escaped too, so that none can end a script.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '<' | '\u{2028}' | '\u{2029}' | '\u{7f}' | '\0'..='\u{1f}' => {
                write!(quoted, "\\u{:04x}", c as u32).expect("writing to a string cannot fail");
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_being_quoted() {
        let odd = "a\"b\\c\n\u{1b}<script>\u{2028}é";
        let parsed: String = serde_json::from_str(&quoted(odd)).unwrap();
        assert_eq!(parsed, odd);
        assert!(!quoted(odd).contains('<'));
    }

    #[test]
    fn the_summary_is_json_with_the_names_others_rely_on() {
        let report = crate::sim::report::example::report();
        let value: serde_json::Value = serde_json::from_str(&summary_json(&report)).unwrap();
        let names = ["seed", "commit", "scenario_hash", "events", "created", "relayed", "delivery_prob", "latency_avg"];
        assert!(names.iter().all(|name| value.get(name).is_some()), "{value}");
        assert_eq!(value["created"], report.messages.len());
    }
}
