//! Times as people type them: one grammar wherever a time is asked for.

use crate::person::Person;

/// What every time to come may be.
const TO_COME: [&str; 15] = [
    "3d",
    "in 3 days",
    "1h30m",
    "friday",
    "tomorrow",
    "5pm",
    "17:00",
    "tomorrow 5pm",
    "fri 17:00",
    "tomorrow at 17:00",
    "31.12.2199",
    "31.12.2199 18:00",
    "2199-12-31 18:00",
    "24 dec",
    "2199-05-01T18:00+02:00",
];

fn note(person: &Person) -> String {
    person.run_args(&["send", "me", "note", "--task", "--json"]).json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_option_that_is_a_time_takes_every_form_of_one() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = note(&alice);
    let lines: [&[&str]; 7] = [
        &["send", "me", "x", "--at"],
        &["send", "me", "x", "--reply-by"],
        &["send", "me", "x", "--task", "--due"],
        &["task", "add", &id, "--due"],
        &["task", "due", &id],
        &["mute", "me", "--until"],
        &["snooze", &id],
    ];
    for (n, time) in TO_COME.iter().enumerate() {
        // Each form at some of the doors, and at each door some of the forms.
        for line in lines.iter().skip(n % 2).step_by(2) {
            let ran = alice.run_args(&[line, &[*time][..]].concat());
            assert_eq!(ran.code, 0, "{line:?} {time}: {}", ran.talk);
        }
    }
    for line in lines {
        for time in ["soon", "32.12.2199", "25:00", "2199"] {
            let ran = alice.run_args(&[line, &[time][..]].concat());
            assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{line:?} {time}");
            for form in ["3d", "5pm", "friday 17:00", "31.12.2026", "2026-03-01T18:00+02:00"] {
                assert!(ran.talk.contains(form), "{line:?} {time}: {}", ran.talk);
            }
        }
        let ran = alice.run_args(&[line, &["03/04/2199"][..]].concat());
        // What was to be sent is kept as a draft, and that is said between.
        let says = |words: &str| ran.talk.contains(words);
        assert!(says("\"03/04/2199\" may be 3 April or 4 March"), "{line:?}: {}", ran.talk);
        assert!(ran.code == 2 && says("; write 2199-04-03 or 2199-03-04\n"), "{line:?}: {}", ran.talk);
    }
    // Two words are one time where nothing else can stand.
    assert_eq!(alice.run(&format!("snooze {id} tomorrow 9:00")).code, 0);
    assert_eq!(alice.run(&format!("task due {id} fri 17:00")).code, 0);
    let ran = alice.run("send me x --at tomorrow 9:00");
    assert!(ran.code == 2 && ran.talk.contains("--at \"tomorrow 9:00\""), "{}", ran.talk);
}

#[test]
fn what_begins_on_a_day_begins_with_it_and_what_is_due_on_a_day_is_due_at_its_end() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = note(&alice);
    assert!(alice.run("send me later --at 31.12.2199").data.ends_with("goes 2199-12-31\n"));
    let utc = |args: &[&str]| alice.run_with(args, &[("TZ", "UTC0")]);
    assert_eq!(utc(&["snooze", &id, "31.12.2199"]).code, 0);
    assert_eq!(utc(&["task", "due", &id, "31.12.2199"]).code, 0);
    let row = &alice.rows("talk me")[0];
    assert_eq!(
        (&row["snoozed_until"], &row["task"]["due"]),
        (&"2199-12-31T00:00:00Z".into(), &"2199-12-31T23:59:59Z".into())
    );
}

#[test]
fn what_is_over_is_told_in_every_form_where_something_is_looked_for_or_purged() {
    let mut alice = Person::new("alice");
    alice.up("");
    note(&alice);
    for time in ["7d", "3 days ago", "yesterday", "monday", "31.12.2025", "2025-12", "2025", "2025-12-31T18:00+02:00"] {
        let ran = alice.run_args(&["search", &format!("note after:\"{time}\""), "--json"]);
        // Monday may be today.
        assert!(ran.code == 0 && (ran.data.lines().count() == 1 || time == "monday"), "{time}: {ran:?}");
        let ran = alice.run_args(&["purge", "--older-than", time, "--dry-run"]);
        assert_eq!((ran.code, ran.data.as_str()), (0, "nothing to delete\n"), "{time}: {}", ran.talk);
    }
    for line in [&["search", "note after:03/04/2025"][..], &["purge", "--older-than", "03/04/2025"]] {
        let ran = alice.run_args(line);
        assert!(ran.code == 2 && ran.talk.contains("3 April or 4 March"), "{line:?}: {}", ran.talk);
    }
    let ran = alice.run("purge --older-than 2199-01-01 --yes");
    assert!(ran.code == 2 && ran.talk.contains("time to come"), "{}", ran.talk);
    assert_eq!(alice.rows("talk me").len(), 1);
}

#[test]
fn a_span_that_is_none_is_refused_with_what_one_is() {
    let mut alice = Person::new("alice");
    alice.up("");
    for option in ["--lifetime", "--expire-after-read"] {
        for span in ["friday", "3", "1.5h", "tomorrow 9:00"] {
            let ran = alice.run_args(&["send", "me", "x", option, span]);
            assert!(ran.code == 2 && ran.talk.contains("12h, 3d, 2w"), "{option} {span}: {}", ran.talk);
        }
        assert_eq!(alice.run_args(&["send", "me", "x", option, "2 weeks"]).code, 0, "{option}");
    }
}
