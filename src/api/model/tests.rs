//! The rows are what other programs read.

use super::*;
use crate::api::samples;

fn keys(line: &str) -> Vec<String> {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    assert_eq!(row["schema"], 1);
    row.keys().cloned().collect()
}

fn has_all(line: &str, wanted: &str) {
    let keys = keys(line);
    wanted.split(' ').for_each(|key| assert!(keys.iter().any(|k| k == key), "{key} is missing in {line}"));
}

#[test]
fn rows_have_the_fields_that_other_programs_read() {
    has_all(&json_line(&samples::me()), "name peer_id address listen");
    let inbox = "id from from_address text subject thread in_reply_to priority sent_at received_at read";
    has_all(&json_line(&samples::inbox("hi")), inbox);
    has_all(&json_line(&LetterRow::of(samples::inbox("hi"))), inbox);
    has_all(&json_line(&samples::carry()), "bundles receipts bytes quota_bytes file_bytes by_class");
    let figures = "at span_secs contacts backlog bytes_in bytes_out held held_bytes store_bytes";
    has_all(&json_line(&samples::stats()), figures);
    has_all(&json_line(&samples::peer()), "peer_id name address since sent_bundles received_bundles");
    has_all(&json_line(&samples::status(Vec::new())), "id to state events");
}

#[test]
fn values_are_spelled_as_the_contract_spells_them() {
    let sent = SentRow { id: "3f".into(), to: "bob".into(), to_address: "dak:x".into(), ..samples::sent() };
    let wanted = r#"{"schema":1,"id":"3f","state":"queued","to":"bob","to_address":"dak:x"}"#;
    assert_eq!(json_line(&sent).trim_end(), wanted);
    let mut row = samples::inbox("hi");
    row.sent_at = None;
    let json: serde_json::Value = serde_json::from_str(&json_line(&row)).unwrap();
    assert_eq!(
        (&json["sent_at"], &json["received_at"], &json["priority"], &json["read"]),
        (&serde_json::Value::Null, &"2026-03-01T12:30:00Z".into(), &"normal".into(), &false.into())
    );
    let event = samples::event(EventKind::GaveUp, samples::at(11, 2), Some("carol"));
    let event = serde_json::to_string(&event).unwrap();
    assert_eq!(event, r#"{"at":"2026-03-01T11:02:00Z","what":"gave_up","who":"carol"}"#);
    let carry: serde_json::Value = serde_json::from_str(&json_line(&samples::carry())).unwrap();
    assert_eq!(carry["by_class"]["strangers"], serde_json::json!({"bundles": 1, "bytes": 200}));
}

#[test]
fn states_are_the_words_of_the_contract_and_the_highest_evidence_counts() {
    use EventKind as E;
    let words = [E::Queued, E::Copy, E::Custody, E::Delivered, E::Read, E::Expired, E::Cancelled, E::Rejected, E::Full];
    for (what, word) in
        words.into_iter().zip("queued copy custody delivered read expired cancelled rejected full".split(' '))
    {
        assert_eq!(serde_json::to_string(&what.state()).unwrap(), format!("\"{word}\""));
        assert_eq!(what.state().word(), word);
    }
    let events = [E::Queued, E::Custody, E::GaveUp].map(|what| samples::event(what, None, None));
    assert_eq!(State::of(&events), State::Custody);
    assert_eq!(State::of(&[]), State::Queued);
}

#[test]
fn one_object_is_one_physical_line_whatever_it_says() {
    let hostile = "a\nb\r\u{1b}[2J\u{9b}31m\u{2028}\u{202e}\u{7f}\0";
    let line = Row::Inbox(samples::inbox(hostile)).json_line();
    assert!(line.ends_with('\n') && line.trim_end_matches('\n').chars().all(|c| !c.is_control()), "{line:?}");
    assert!(!line.contains(['\u{2028}', '\u{202e}']));
    assert_eq!(serde_json::from_str::<InboxRow>(&line).unwrap(), samples::inbox(hostile));
}
