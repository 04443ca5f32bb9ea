//! Figures in the text form that Prometheus reads (exposition format 0.0.4).

use std::fmt::Write;

/// The media type of the form.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Figures, one family after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics(String);

impl Metrics {
    /// What only grows while a node runs; its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Into<Value>) {
        self.family(name, "counter", help, [(None, value)]);
    }

    /// What goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Into<Value>) {
        self.family(name, "gauge", help, [(None, value)]);
    }

    /// A figure for each value of one label.
    pub fn family<'a, V: Into<Value>>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Option<(&'a str, &'a str)>, V)>,
    ) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (label, value) in samples {
            let label = label.map(|(name, value)| format!("{{{name}=\"{}\"}}", escaped(value))).unwrap_or_default();
            let Value(value) = value.into();
            let _ = writeln!(self.0, "{name}{label} {value}");
        }
    }

    pub fn of_text(text: String) -> Metrics {
        Metrics(text)
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A number as the form has it.
pub struct Value(String);

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value(value.to_string())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value(value.to_string())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value(value.to_string())
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_its_help_its_type_and_a_line_for_each_figure() {
        let mut metrics = Metrics::default();
        metrics.counter("dak_met_total", "Met.", 3_u64);
        metrics.family("dak_held", "gauge", "Held.", [(Some(("class", "a\"\\\nb")), 1_u64), (Some(("class", "c")), 2)]);
        metrics.gauge("dak_seconds", "Time.", 1.5);
        let wanted = "# HELP dak_met_total Met.\n# TYPE dak_met_total counter\ndak_met_total 3\n# HELP dak_held Held.\n\
                      # TYPE dak_held gauge\ndak_held{class=\"a\\\"\\\\\\nb\"} 1\ndak_held{class=\"c\"} 2\n\
                      # HELP dak_seconds Time.\n# TYPE dak_seconds gauge\ndak_seconds 1.5\n";
        assert_eq!(metrics.text(), wanted);
    }
}
