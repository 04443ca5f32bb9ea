//! The report as lines of text: one figure a line, so that a changed figure is a changed line.

use std::fmt::Write;

use crate::sim::report::{Figure, Report};
use crate::sim::seconds::Seconds;

/// A head of what was run, then `name: value` as The ONE prints it; `NaN` where there is nothing to divide by.
pub fn text(report: &Report) -> String {
    let head = &report.head;
    let mut text = String::new();
    if let Some(title) = &head.title {
        writeln!(text, "# {}", plain(title)).expect(CANNOT_FAIL);
    }
    writeln!(text, "# scenario {}  strategy {}  link {}", plain(&head.scenario), head.strategy, head.link)
        .expect(CANNOT_FAIL);
    let duration = Seconds(head.duration_us);
    writeln!(text, "# {} nodes, {} contacts in {duration} s; {} events", head.nodes, head.contacts, head.events)
        .expect(CANNOT_FAIL);
    writeln!(text, "# seed {}  commit {}  scenario_hash {}", head.seed, plain(&head.commit), head.scenario_hash)
        .expect(CANNOT_FAIL);
    for (name, figure) in report.summary.figures() {
        match figure {
            Figure::Count(count) => writeln!(text, "{name}: {count}"),
            Figure::Decimal(Some(decimal)) => writeln!(text, "{name}: {decimal}"),
            Figure::Decimal(None) => writeln!(text, "{name}: NaN"),
        }
        .expect(CANNOT_FAIL);
    }
    text
}

const CANNOT_FAIL: &str = "writing to a string cannot fail";

/// Text from a file, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_line() {
        let mut report = crate::sim::report::example::report();
        report.head.title = Some("a\x1b[2Jb".into());
        let text = text(&report);
        assert!(text.starts_with("# a\u{fffd}[2Jb\n"));
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, report.summary.figures().len());
        assert!(text.contains(&format!("\ncreated: {}\n", report.messages.len())));
    }
}
