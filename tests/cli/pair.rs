//! Pairing: two people who never met have each other as contacts after one of them read a short code to the other.

use rustix::process::Signal;
use serde_json::Value;

use crate::SOMEBODY;
use crate::person::{Person, Running};

#[test]
fn two_commands_make_contacts_of_two_people_and_the_first_message_arrives() {
    let (alice, bob) = both();
    let (mut showing, code) = show(&alice, "");
    let joined = bob.json(&format!("pair {code} --peer {}", alice.place()));
    let shown: Value = serde_json::from_str(&showing.line()).unwrap();
    assert_eq!(showing.end(), Some(0));
    for (row, other, mine) in [(&joined, &alice, &bob), (&shown, &bob, &alice)] {
        let them = other.json("me");
        assert_eq!((&row["name"], &row["peer_id"]), (&them["name"], &them["peer_id"]));
        assert_eq!(row["safety_words"], them["safety_words"]);
        assert_eq!(row["my_safety_words"], mine.json("me")["safety_words"]);
        assert_eq!((&row["verified"], &row["standing"]), (&true.into(), &"contact".into()));
        assert!(row["address"].as_str().unwrap().contains(them["peer_id"].as_str().unwrap()));
    }
    assert_eq!(shown["mutual"], true);
    let sent = alice.json("send bob hello --wait=delivered --timeout 60s");
    assert_eq!(sent["state"], "delivered");
    assert_eq!(bob.json("inbox")["from"], "alice");
}

#[test]
fn people_see_the_code_last_and_both_words_in_the_end() {
    let (alice, bob) = both();
    let mut showing = alice.spawn("pair");
    let mut lines = Vec::new();
    let code = loop {
        let line = showing.line();
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            break line.trim_end().to_owned();
        }
        lines.push(line);
    };
    assert!(lines.len() <= 21 && lines.iter().all(|line| line.trim_end().chars().count() <= 80), "{lines:?}");
    assert!(lines.concat().contains('█'), "a QR code");
    alice.until_talk("stderr", &format!("on the other machine: dak pair {code}\n"));
    // As it was heard: in words, some of them in capital letters.
    let heard = code.replace('-', " ").to_uppercase();
    let ran = bob.run(&format!("pair {heard} --peer {}", alice.place()));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    for wanted in ["paired with alice (", "verified by the code", "its safety words  ", "my safety words   "] {
        assert!(ran.data.contains(wanted), "{}", ran.data);
    }
    assert!(showing.line().starts_with("paired with bob ("));
}

#[test]
fn the_text_of_the_qr_code_is_enough_without_an_address() {
    let (alice, bob) = both();
    let mut showing = alice.spawn("pair --json");
    let row: Value = serde_json::from_str(&showing.line()).unwrap();
    assert!(row["expires_at"].is_string(), "{row}");
    // With addresses that lead nowhere, or to this machine itself: networks use the same ones.
    let own = bob.json("me")["listen"][0].as_str().unwrap().to_owned();
    let uri =
        format!("{}&at={own}&at=/ip4/127.0.0.1/tcp/1&at=/dns/nowhere.invalid/tcp/1", row["uri"].as_str().unwrap());
    let joined = bob.json(&format!("pair {uri}"));
    assert_eq!(joined["name"], "alice");
    assert_eq!(showing.end(), Some(0));
}

#[test]
fn three_wrong_codes_end_it_and_nobody_is_let_in() {
    let (alice, bob) = both();
    let mut showing = alice.spawn("pair --json");
    let row: Value = serde_json::from_str(&showing.line()).unwrap();
    let code = row["code"].as_str().unwrap().to_owned();
    let at = alice.place();
    for left in [2, 1, 0] {
        let ran = bob.run(&format!("pair {} --peer {at}", wrong(&code)));
        assert_eq!((ran.code, ran.data.as_str()), (8, ""), "{}", ran.talk);
        assert!(ran.talk.contains("that code is wrong"), "{}", ran.talk);
        let told: Value = serde_json::from_str(&showing.line()).unwrap();
        assert_eq!((&told["wrong_codes"], &told["tries_left"]), (&(3 - left).into(), &left.into()));
    }
    assert_eq!(showing.end(), Some(8));
    assert!(alice.talk().contains("3 wrong codes were tried"), "{}", alice.talk());
    let late = bob.run(&format!("pair {code} --peer {at}"));
    assert_eq!(late.code, 4, "{}", late.talk);
    assert!(late.talk.contains("nobody who can be met shows a code with the number"), "{}", late.talk);
    assert!(alice.rows("contact list").is_empty() && bob.rows("contact list").is_empty());
    // Nothing is lost: the next code serves.
    let (mut showing, code) = show(&alice, "");
    assert_eq!(bob.run(&format!("pair {code} --peer {at}")).code, 0);
    assert_eq!(showing.end(), Some(0));
}

#[test]
fn of_two_pairings_at_once_the_second_is_refused_and_the_first_goes_on() {
    let (alice, bob) = both();
    let (mut first, code) = show(&alice, "");
    let second = alice.run("pair");
    assert_eq!((second.code, second.data.as_str()), (5, ""), "{}", second.talk);
    assert!(second.talk.contains("a pairing goes on here already") && second.talk.contains("dak pair --cancel"));
    // It says so to programs as well.
    let refused = alice.run("pair --json");
    assert!(refused.code == 5 && refused.talk.contains("\"end_pairing\""), "{}", refused.talk);
    assert_eq!(bob.json(&format!("pair {code} --peer {}", alice.place()))["name"], "alice");
    assert_eq!(first.end(), Some(0));
}

#[test]
fn a_pairing_is_ended_by_its_owner_in_every_way_and_the_next_one_begins() {
    let mut alice = Person::new("alice");
    alice.up("");
    assert_eq!(alice.run("pair --cancel").code, 4, "there is none");
    let (mut showing, code) = show(&alice, "");
    assert_eq!(alice.run("pair --cancel").code, 0);
    assert_eq!(showing.end(), Some(5));
    let (mut showing, another) = show(&alice, "");
    assert_ne!(code, another);
    showing.signal(Signal::INT);
    assert_eq!(showing.end(), Some(130));
    // As soon as the node sees that nobody reads any more.
    let (mut showing, _) = show(&alice, "");
    showing.signal(Signal::KILL);
    assert_eq!(showing.end(), None);
    let (mut showing, _) = show(&alice, "");
    assert_eq!(alice.down(), Some(0));
    assert_eq!(showing.end(), Some(3));
}

#[test]
fn a_code_whose_time_is_over_lets_nobody_in_and_says_so() {
    let (alice, bob) = both();
    let ran = alice.run("pair --timeout 1s --json");
    assert_eq!(ran.code, 6, "{}", ran.talk);
    assert!(ran.talk.contains("nobody came with the code within 1s"), "{}", ran.talk);
    let row: Value = serde_json::from_str(&ran.data).unwrap();
    let code = row["code"].as_str().unwrap();
    assert!(row["expires_at"].is_string(), "{row}");
    let late = bob.run(&format!("pair {code} --peer {}", alice.place()));
    assert_eq!(late.code, 4, "{}", late.talk);
    // On a terminal it is a sentence, with what to do next.
    let ran = alice.run("pair --timeout 1s");
    assert_eq!(ran.code, 6, "{}", ran.talk);
    assert!(ran.talk.contains("within 1s; ") && ran.talk.contains("dak pair"), "{}", ran.talk);
    assert!(alice.rows("contact list").is_empty() && bob.rows("contact list").is_empty());
    for span in ["11m", "0s", "never", "1h"] {
        let ran = alice.run(&format!("pair --timeout {span}"));
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{span}: {}", ran.talk);
    }
    assert_eq!(alice.run("pair 7-copper-lantern --timeout 5s").code, 2, "the other side shows it");
    let (mut showing, code) = show(&alice, "--timeout 10m");
    assert_eq!(bob.run(&format!("pair {code} --peer {}", alice.place())).code, 0);
    assert_eq!(showing.end(), Some(0));
}

#[test]
fn a_node_that_is_killed_while_a_code_is_shown_can_pair_again() {
    let (mut alice, bob) = both();
    let (mut showing, code) = show(&alice, "");
    let at = alice.place();
    alice.signal(Signal::KILL);
    assert_ne!(showing.end(), Some(0));
    let ran = bob.run(&format!("pair {code} --peer {at}"));
    assert_eq!(ran.code, 4, "{}", ran.talk);
    alice.up("");
    let (mut showing, code) = show(&alice, "");
    assert_eq!(bob.run(&format!("pair {code} --peer {}", alice.place())).code, 0);
    assert_eq!(showing.end(), Some(0));
    assert_eq!((alice.rows("contact list").len(), bob.rows("contact list").len()), (1, 1));
}

#[test]
fn what_is_no_code_is_no_try() {
    let (alice, bob) = both();
    let (mut showing, code) = show(&alice, "");
    let at = alice.place();
    let slip = format!("{}x", code);
    for typed in ["7", "copper-lantern", "100-copper-lantern", "7-copper", "dak:pair?code=7", slip.as_str()] {
        let ran = bob.run(&format!("pair {typed} --peer {at}"));
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{typed}: {}", ran.talk);
    }
    let ran = bob.run(&format!("pair 7-copper-lantren --peer {at}"));
    assert!(ran.talk.contains("lantren is no word of any code; lantern is one"), "{}", ran.talk);
    let ran = bob.run(&format!("pair {code} --peer nowhere"));
    assert_eq!(ran.code, 2, "{}", ran.talk);
    // Its own code is nobody else's.
    let own = alice.run(&format!("pair {code} --peer {at}"));
    assert_eq!(own.code, 5, "{}", own.talk);
    // Another number is another's code.
    let (number, words) = code.split_once('-').unwrap();
    let other = number.parse::<u8>().unwrap() % 99 + 1;
    assert_eq!(bob.run(&format!("pair {other}-{words} --peer {at}")).code, 4);
    assert_eq!(bob.run(&format!("pair {code} --peer {at}")).code, 0);
    let paired: Value = serde_json::from_str(&showing.line()).unwrap();
    assert_eq!(paired["name"], "bob", "no wrong code was told before");
}

#[test]
fn without_a_node_both_sides_say_what_to_do_first() {
    let alice = Person::new("alice");
    for line in ["pair", "pair 7-copper-lantern", "pair --cancel"] {
        let ran = alice.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (3, ""), "{line}");
        assert!(ran.talk.contains("dak up"), "{line}: {}", ran.talk);
    }
}

#[test]
fn names_that_are_taken_or_look_like_others_get_a_number_and_one_that_is_said_counts() {
    let (alice, bob) = both();
    // With a letter that looks like another, and the one of the other script for bob.
    assert_eq!(alice.run(&format!("contact add b\u{43e}b {SOMEBODY}")).code, 0);
    pair(&alice, "", &bob, "");
    assert_eq!(names(&alice), ["b\u{43e}b", "bob-2"].map(str::to_owned));
    assert_eq!(names(&bob), ["alice"].map(str::to_owned));
    // Once more with somebody who is known: the name stays, unless another is said.
    pair(&alice, "", &bob, "");
    assert_eq!(alice.rows("contact list").len(), 2);
    pair(&alice, "--name robert", &bob, "--name alissa");
    assert!(names(&alice).contains(&"robert".to_owned()) && names(&bob) == ["alissa".to_owned()]);
    // One that is another's is refused before anybody sees a code.
    let taken = alice.run("pair --name bob");
    assert_eq!((taken.code, taken.data.as_str()), (5, ""), "{}", taken.talk);
    assert_eq!(alice.run("pair --name me").code, 2);
    // Who has the same name as this person is not called so.
    let mut another = Person::new("alice");
    another.up("");
    pair(&alice, "", &another, "");
    assert!(names(&alice).contains(&"alice-2".to_owned()), "{:?}", names(&alice));
}

#[test]
fn who_is_blocked_learns_nothing_of_a_code_that_is_shown() {
    let (alice, bob) = both();
    let address = bob.json("me")["address"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("contact add bob {address}")).code, 0);
    assert_eq!(alice.run("contact block bob").code, 0);
    let (mut showing, code) = show(&alice, "");
    for typed in [wrong(&code), code.clone()] {
        assert_eq!(bob.run(&format!("pair {typed} --peer {}", alice.place())).code, 4);
    }
    assert!(bob.rows("contact list").is_empty());
    assert_eq!(alice.json("contact list")["standing"], "blocked");
    // Nor does this person pair with them unawares.
    let (mut theirs, code) = show(&bob, "");
    let ran = alice.run(&format!("pair {code} --peer {}", bob.place()));
    assert!(ran.code == 5 && ran.talk.contains("blocked"), "{}", ran.talk);
    for person in [&alice, &bob] {
        assert_eq!(person.run("pair --cancel").code, 0);
    }
    assert_eq!((showing.end(), theirs.end()), (Some(5), Some(5)));
}

fn both() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    bob.up("");
    (alice, bob)
}

/// Shows a code as soon as it may.
fn show(person: &Person, more: &str) -> (Running, String) {
    let started = std::time::Instant::now();
    loop {
        let mut showing = person.spawn(&format!("pair --json {more}"));
        if let Some(line) = showing.try_line() {
            let row: Value = serde_json::from_str(&line).unwrap();
            return (showing, row["code"].as_str().unwrap().to_owned());
        }
        assert_eq!(showing.end(), Some(5), "{}", person.talk());
        assert!(started.elapsed() < crate::PATIENCE, "the one before never ended");
    }
}

fn pair(one: &Person, of_one: &str, other: &Person, of_other: &str) {
    let (mut showing, code) = show(one, of_one);
    let ran = other.run(&format!("pair {code} --peer {} {of_other}", one.place()));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert_eq!(showing.end(), Some(0));
}

fn names(person: &Person) -> Vec<String> {
    let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = person.rows("contact list").iter().map(name).collect();
    names.sort_by_key(|name| (name.is_ascii(), name.clone()));
    names
}

/// A code with the same number and another last word.
fn wrong(code: &str) -> String {
    let (rest, last) = code.rsplit_once('-').unwrap();
    let other = (0..=u8::MAX).map(dak::words::word).find(|word| *word != last).unwrap();
    format!("{rest}-{other}")
}
