//! Names: one local namespace, marks before them that are never needed, and nothing that only looks like one.

use crate::person::Person;
use crate::{SOMEBODY, acquaint};

#[test]
fn a_mark_before_a_name_is_taken_wherever_a_name_is() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let sent = alice.json("send bob hi --wait=delivered --timeout 30s");
    let id = &sent["id"].as_str().unwrap()[..10];
    bob.json("topic create news --writers alice");
    let place = alice.path("stick/");
    for mark in ["@", "#"] {
        let lines = [
            "send NAME hi",
            "send NAME,me hi",
            "send --to NAME hi",
            "send NAME do --task --assign NAME",
            "draft add NAME later",
            "forward ID NAME",
            "task add ID --assign NAME",
            "task assign ID NAME",
            "talk NAME",
            "status --to NAME",
            "export NAME",
            "purge --from NAME --dry-run",
            "search in:NAME",
            "search from:me to:NAME",
            "archive NAME",
            "unarchive NAME",
            "pin NAME",
            "unpin NAME",
            "snooze NAME 3d",
            "unsnooze NAME",
            "mute NAME",
            "unmute NAME",
            "contact set NAME --copies 4",
            "contact verify NAME",
            "contact rename NAME bob",
            "contact block NAME",
            "contact unblock NAME",
            "topic subscribe NAME/news",
            "sub NAME/news",
            "pub NAME/news text",
            "topic unsubscribe NAME/news",
            "topic create mine --writers NAME",
            "stick export PLACE --for NAME",
        ];
        for line in lines {
            let line = line.replace("NAME", &format!("{mark}bob")).replace("ID", id).replace("PLACE", &place);
            let args: Vec<&str> = match line.strip_prefix("search ") {
                Some(query) => vec!["search", query],
                None => line.split(' ').collect(),
            };
            let ran = alice.run_args(&args);
            assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
            assert!(!ran.data.contains(&format!("{mark}bob")), "{line}: {}", ran.data);
        }
    }
}

#[test]
fn a_new_name_is_seen_whole_means_nothing_else_and_looks_like_no_other() {
    let mut alice = Person::new("alice");
    alice.up("");
    let other = "12D3KooWQ5Mc9r3UEC1VNmW2LtFQZrDcCGfmjsJje7FJarFbmZHP";
    let add = |name: &str, address: &str| alice.run_args(&["contact", "add", "--", name, address]);
    assert_eq!(add("bob", SOMEBODY).code, 0);
    let long = "x".repeat(65);
    for name in ["@carol", "#carol", "-carol", "a,b", "me", "ME", "all", "All", "", " ", &long, "dak:x", "a\nb"] {
        let ran = add(name, other);
        assert_eq!((ran.code, ran.talk.lines().count()), (2, 1), "{name:?}: {}", ran.talk);
    }
    for name in ["bo\u{200b}b", "b\u{ad}ob", "\u{202e}bob", "bob\u{2060}", "b\u{a0}b", "bob\u{fe0f}\u{200d}"] {
        let ran = add(name, other);
        assert!(ran.code == 2 && ran.talk.contains("is not seen"), "{name:?}: {ran:?}");
        assert!(!ran.talk.contains(['\u{200b}', '\u{ad}', '\u{202e}', '\u{2060}', '\u{200d}']), "{}", ran.talk);
    }
    // Cyrillic and Greek letters, and another alphabet of Latin ones.
    for name in ["b\u{43e}b", "\u{184}ob", "b\u{3bf}b", "\u{1d41b}ob"] {
        let ran = add(name, other);
        assert!(ran.code == 5 && ran.talk.contains("looks like bob, which is another contact"), "{name}: {ran:?}");
    }
    assert_eq!(add("bob", other).code, 5);
    // Names of other scripts are names, with the joiners that they are spelt with.
    for name in ["Боб", "水泵", "می\u{200c}خواهم", "Zoë", "carol smith", "🚰", "o'brien"] {
        let ran = add(name, other);
        assert_eq!(ran.code, 0, "{name}: {}", ran.talk);
        assert_eq!(alice.run_args(&["send", name, "hi"]).code, 0, "{name}");
    }
    let ran = alice.run_args(&["contact", "rename", "o'brien", "b\u{43e}b"]);
    assert_eq!(ran.code, 5, "{}", ran.talk);
    // However it was typed, composed or not, in small letters or capitals.
    assert_eq!(alice.run_args(&["contact", "rename", "o'brien", "Zoe\u{308}"]).code, 0);
    assert_eq!(alice.run_args(&["send", "ZOË", "hi"]).code, 0);
    for line in [format!("send bob,{other} hi"), "send bob, hi".into(), "send ,bob hi".into(), "send bob,,me hi".into()]
    {
        assert_eq!(alice.run(&line).code, 2, "{line}");
    }
}
