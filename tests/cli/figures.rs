//! What `dak bench` measures: every figure is there, each a number, beside what it is compared with.

use std::collections::BTreeSet;

use crate::person::Person;

#[test]
fn every_figure_is_measured_and_has_a_name_of_its_own() {
    let rows = Person::new("alice").rows("bench --short");
    let names: BTreeSet<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rows.len(), "{rows:?}");
    for wanted in [
        "limit_round_trip",
        "ingest",
        "published_and_consumed",
        "stick_10k",
        "file_in_parts",
        "send_to_inbox_p50",
        "queued_by_four",
        "hook_start_p50",
        "told_to_ten_followers",
        "restart_after_kill_10k",
        "search_100k",
    ] {
        assert!(names.contains(wanted), "{wanted} is missing: {names:?}");
    }
    for row in &rows {
        assert!(row["value"].is_number(), "{row}");
        assert_eq!(row["ratio"].is_number(), row["limit"].as_f64().is_some_and(|limit| limit > 0.0), "{row}");
    }
}
