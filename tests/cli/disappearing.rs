//! Messages that disappear once they were read: from the record, its files, the index and the exports, at both ends.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

/// Sends a text with this name in it, which goes so long after it was read; returns its id.
fn say(from: &Person, to: &str, text: &str, span: &str) -> String {
    let line = format!("send {to} {text} --expire-after-read {span} --wait=delivered --timeout 30s");
    from.json(&line)["id"].as_str().unwrap().to_owned()
}

fn is_gone(row: &Value) -> bool {
    row["disappeared"] == true && row["text"].is_null() && row["files"].as_array().is_none_or(Vec::is_empty)
}

/// The files of an index that have words.
fn segments(person: &Person) -> Vec<String> {
    let entries = fs::read_dir(person.home().join("search")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".term")).collect()
}

#[test]
fn a_message_disappears_with_its_file_so_long_after_it_was_read_and_leaves_that_it_was_there() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan.bin", &[7; 3_000]);
    let ran = alice.run(&format!("send bob volatile -s hush -f {file} --expire-after-read 12s --wait --timeout 30s"));
    assert!(ran.code == 0 && ran.talk.contains("may copy it"), "it says what it cannot promise: {}", ran.talk);
    assert_eq!(bob.json("inbox --count")["unread"], 1);
    std::thread::sleep(Duration::from_secs(13));
    let row = &bob.rows("inbox")[0];
    assert_eq!(
        (&row["text"], &row["expire_after_read_ms"]),
        (&"volatile".into(), &12_000.into()),
        "nobody had seen it"
    );
    assert!(row["expires_at"].is_string(), "{row}");
    let id = row["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.rows("search volatile").len(), 1);
    let before = segments(&bob);
    let refused = bob.run(&format!("forward {id} alice"));
    assert_eq!((refused.code, refused.data.as_str()), (5, ""), "{}", refused.talk);
    assert!(refused.talk.contains("not passed on") && refused.talk.contains("dak reply"), "{}", refused.talk);
    bob.until("talk alice", |rows| rows.len() == 1 && is_gone(&rows[0]));
    alice.until("talk bob", |rows| rows.len() == 1 && is_gone(&rows[0]));
    for person in [&alice, &bob] {
        let other = if person.home() == alice.home() { "bob" } else { "alice" };
        for line in [format!("export {other}"), format!("read {id}"), format!("read {id} --history"), "status".into()] {
            let ran = person.run(&format!("--json {line}"));
            assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
            for word in ["volatile", "hush", "plan.bin", &"07".repeat(100)] {
                assert!(!ran.data.contains(word), "{line}: {}", ran.data);
            }
        }
        assert!(person.run(&format!("talk {other}")).data.contains("(a message that disappeared)"));
        assert_eq!(person.rows("search volatile").len(), 0);
    }
    assert!(before.iter().all(|name| !segments(&bob).contains(name)), "the file that had the words is gone");
    for line in [format!("react {id} 👍"), format!("forward {id} alice")] {
        assert_eq!(bob.run(&line).code, 5, "{line}");
    }
    assert_eq!(alice.run(&format!("renew {id}")).code, 5);
}

#[test]
fn the_time_goes_on_while_the_node_is_off_and_after_a_kill() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = say(&alice, "bob", "volatile", "4s");
    assert_eq!(bob.json(&format!("read {id}"))["text"], "volatile");
    bob.signal(Signal::KILL);
    std::thread::sleep(Duration::from_secs(5));
    for line in [format!("read {id}"), "inbox".into(), "export --all".into(), "talk alice".into()] {
        let row = bob.json(&line);
        assert!(is_gone(&row), "with no node: {line}: {row}");
    }
    bob.up("");
    assert!(is_gone(&bob.json(&format!("read {id}"))));
    // The same without anybody who asks meanwhile.
    let id = say(&alice, "bob", "evanescent", "1s");
    assert_eq!(bob.json("talk alice --limit 1")["text"], "evanescent");
    bob.signal(Signal::KILL);
    std::thread::sleep(Duration::from_secs(2));
    bob.up("");
    let started = Instant::now();
    bob.until("export alice", |rows| rows.iter().all(is_gone) && rows.len() == 2);
    assert!(is_gone(&bob.json(&format!("read {id}"))) && started.elapsed() < Duration::from_secs(60));
}

#[test]
fn nobody_is_shown_what_a_listing_leaves_out_and_a_draft_keeps_its_span() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let kept = say(&alice, "bob", "kept", "1s");
    let other = alice.json("send bob other --wait=delivered --timeout 30s")["id"].as_str().unwrap().to_owned();
    bob.json(&format!("read {other}"));
    assert_eq!(bob.rows(&format!("talk alice --thread {other}")).len(), 1);
    assert_eq!(bob.rows("task").len(), 0);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(bob.json(&format!("read {kept}"))["text"], "kept", "only the other one was shown");

    let draft = alice.json("draft add bob later --expire-after-read 1h");
    assert_eq!(draft["expire_after_read_ms"], 3_600_000);
    let number = draft["number"].as_u64().unwrap();
    let sent = alice.json(&format!("draft send {number}"));
    let id = sent["id"].as_str().unwrap();
    bob.until("inbox", |rows| rows.iter().any(|row| row["id"] == id && row["expire_after_read_ms"] == 3_600_000));
    let answer = bob.json(&format!("reply {id} yes --expire-after-read 2h"));
    assert!(answer["id"].is_string());
    for span in ["0s", "10ms", "400d", "soon"] {
        assert_eq!(alice.run(&format!("send bob x --expire-after-read {span}")).code, 2, "{span}");
    }
}
