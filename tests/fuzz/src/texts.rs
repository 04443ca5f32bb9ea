//! Texts that people paste or keep: addresses, scenarios, traces.

use dak::sim::trace::{Format, Imported, Leniency, import, write_events};
use dak::sim::{InputError, Scenario, Trace};
use dak::ticket::Ticket;

use super::memory::bounded;

pub fn ticket(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match bounded("ticket", data, |_| Ticket::parse(text)) {
        Ok(ticket) => {
            let printed = ticket.to_string();
            assert!(printed.bytes().all(|byte| byte.is_ascii_graphic()), "one word to a shell: {printed}");
            assert_eq!(Ticket::parse(&printed), Ok(ticket));
        }
        Err(error) => assert_plain(&error.to_string()),
    }
}

/// Parses only: a few words of a scenario may ask for a million nodes.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Scenario::parse("fuzzed.toml", text, &[]) {
        Ok(scenario) => assert_eq!(Scenario::parse("fuzzed.toml", text, &[]).ok(), Some(scenario)),
        Err(error) => assert_told(&error),
    }
}

pub fn trace(data: &[u8]) {
    match bounded("trace", data, |data| Trace::parse("fuzzed.txt", data, None)) {
        Ok(trace) => {
            let written = write_events(trace.events());
            let again = Trace::parse("again.txt", written.as_bytes(), None).expect("what is written can be read");
            assert_eq!(again.contacts, trace.contacts);
        }
        Err(error) => assert_told(&error),
    }
    for name in ["one", "sociopatterns", "imote"] {
        let Some(format) = Format::named(name).or_else(|| Format::guess(data)) else { continue };
        let leniency =
            Leniency { any_order: data.len().is_multiple_of(2), drops_self_contacts: data.len().is_multiple_of(3) };
        match bounded("import", data, |data| import("fuzzed.txt", data, format, leniency)) {
            Ok(Imported { trace, .. }) => {
                assert!(trace.contacts.iter().all(|contact| contact.a < contact.b && contact.b < trace.nodes))
            }
            Err(error) => assert_told(&error),
        }
    }
}

fn assert_told(error: &InputError) {
    assert_plain(&error.to_string());
}

/// Nothing that somebody else wrote reaches a terminal raw.
fn assert_plain(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}
