//! The program as a person or a script meets it: processes, exit codes, stdout and stderr.

#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

#[path = "cli/apps.rs"]
mod apps;
#[path = "cli/automatic.rs"]
mod automatic;
#[path = "cli/changes.rs"]
mod changes;
#[path = "cli/chat.rs"]
mod chat;
#[path = "cli/chat_cut.rs"]
mod chat_cut;
#[path = "cli/chat_lines.rs"]
mod chat_lines;
#[path = "cli/chat_requests.rs"]
mod chat_requests;
#[path = "cli/chat_ways.rs"]
mod chat_ways;
#[path = "cli/client.rs"]
mod client;
#[path = "cli/contract.rs"]
mod contract;
#[path = "cli/disappearing.rs"]
mod disappearing;
#[path = "cli/figures.rs"]
mod figures;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/full.rs"]
mod full;
#[path = "cli/group_files.rs"]
mod group_files;
#[path = "cli/groups.rs"]
mod groups;
#[path = "cli/hooks.rs"]
mod hooks;
#[path = "cli/keeping.rs"]
mod keeping;
#[path = "cli/listings.rs"]
mod listings;
#[path = "cli/names.rs"]
mod names;
#[path = "cli/notify.rs"]
mod notify;
#[path = "cli/odd_files.rs"]
mod odd_files;
#[path = "cli/odd_requests.rs"]
mod odd_requests;
#[path = "cli/older.rs"]
mod older;
#[path = "cli/operator.rs"]
mod operator;
#[path = "cli/order.rs"]
mod order;
#[path = "cli/pair.rs"]
mod pair;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "cli/places.rs"]
mod places;
#[path = "cli/port.rs"]
mod port;
#[path = "support/port.rs"]
mod port_of_loopback;
#[path = "cli/programs.rs"]
mod programs;
#[path = "cli/search.rs"]
mod search;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/socket.rs"]
mod socket;
#[path = "cli/stick.rs"]
mod stick;
#[path = "cli/talk.rs"]
mod talk;
#[path = "cli/times.rs"]
mod times;
#[path = "cli/topics.rs"]
mod topics;
#[path = "cli/trouble.rs"]
mod trouble;
#[path = "cli/watched.rs"]
mod watched;
#[path = "cli/ways.rs"]
mod ways;
#[path = "cli/web.rs"]
mod web;
#[path = "cli/words.rs"]
mod words;
#[path = "cli/written.rs"]
mod written;

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use person::{Person, Ran};
use serde_json::Value;

const WEAK_KEY: &str = "12D3KooW9tGaPdJo5jmCpadQ971nfiq4kLcQjeBPYTfutBTtckPH";

#[test]
fn without_a_home_every_command_says_what_to_do_first() {
    let nobody = Person::new("nobody");
    for line in ["me", "inbox", "peers", "send bob hi", "status", "down", "carry", "doctor"] {
        let ran = nobody.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (3, ""), "{line}");
        assert!(ran.talk.contains("dak up"), "{line}: {}", ran.talk);
    }
    for line in ["", "fly", "send", "up --listen nowhere", "carry limit much", "--json"] {
        assert_eq!(nobody.run(line).code, 2, "{line}");
    }
    assert_eq!(nobody.run("--help").code, 0);
    assert!(!nobody.home().exists(), "asking makes nothing");
}

#[test]
fn a_node_says_one_line_when_it_is_ready_and_stops_on_sigterm() {
    let mut alice = Person::new("alice");
    let ready = alice.up("");
    assert_eq!(ready["name"], "alice");
    let me = alice.json("me");
    let fields = ["schema", "name", "peer_id", "address", "listen"];
    fields.iter().for_each(|field| assert_eq!(me[field], ready[field], "{field}"));
    assert!(me["listen"][0].as_str().unwrap().starts_with("/ip4/127.0.0.1/tcp/"));
    let second = alice.run("up --no-mdns --listen /ip4/127.0.0.1/tcp/0");
    assert_eq!((second.code, second.data.as_str()), (7, ""));
    assert!(second.talk.contains("dak down"), "{}", second.talk);
    let (code, rest) = alice.signal(rustix::process::Signal::TERM);
    assert_eq!((code, rest.as_str()), (Some(0), ""));
}

#[test]
fn a_killed_node_leaves_nothing_in_the_way() {
    let mut alice = Person::new("alice");
    let before = alice.up("");
    alice.signal(rustix::process::Signal::KILL);
    let ran = alice.run("peers");
    assert_eq!((ran.code, ran.talk.as_str()), (3, "dak: no node running; start it with `dak up`\n"));
    assert_eq!(alice.up("")["peer_id"], before["peer_id"]);
    assert_eq!(alice.run("peers").code, 0);
    assert_eq!(alice.down(), Some(0));
}

#[test]
fn neighbours_write_read_and_answer() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let sent = alice.json("send bob hello --subject greetings --wait=delivered --timeout 30s");
    assert_eq!((&sent["schema"], &sent["state"]), (&1.into(), &"delivered".into()));
    let id = sent["id"].as_str().unwrap();

    let inbox = bob.rows("inbox");
    assert_eq!(inbox.len(), 1);
    let row = &inbox[0];
    let wanted = serde_json::json!({"id": id, "from": "alice", "text": "hello", "subject": "greetings",
        "thread": null, "in_reply_to": null, "priority": "normal", "read": false});
    wanted.as_object().unwrap().iter().for_each(|(key, value)| assert_eq!(row[key], *value, "{key}"));
    assert!(bob.run(&format!("read {}", &id[..6])).data.contains("hello"));
    assert_eq!(bob.rows("inbox --unread").len(), 0);
    assert_eq!(alice.json(&format!("status {id}"))["state"], "delivered", "nobody was told");
    assert_eq!(bob.run(&format!("read {id} --tell")).code, 0);
    alice.until(&format!("status {id}"), |rows| rows[0]["state"] == "read");

    let answer = bob.json(&format!("reply {id} thanks --wait --timeout 30s"));
    let answered = alice.rows("inbox").remove(0);
    assert_eq!(
        (&answered["id"], &answered["text"], &answered["from"]),
        (&answer["id"], &"thanks".into(), &"bob".into())
    );
    assert_eq!(answered["in_reply_to"], id);

    let status = alice.json(&format!("status {id}"));
    assert_eq!((&status["to"], &status["state"]), (&"bob".into(), &"read".into()));
    let events: Vec<&str> = status["events"].as_array().unwrap().iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert!(events.first() == Some(&"queued") && events.contains(&"delivered"), "{events:?}");

    assert_eq!(bob.run(&format!("inbox delete {id}")).code, 0);
    assert_eq!(bob.rows("inbox").len(), 0);
    for line in ["peers", "nearby"] {
        let rows = bob.rows(line);
        assert_eq!((rows.len(), &rows[0]["name"]), (1, &"alice".into()), "{line}");
    }
}

#[test]
fn what_was_written_while_no_node_ran_leaves_with_the_next_one() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert_eq!(alice.down(), Some(0));
    let sent = alice.json("send bob later");
    assert_eq!(sent["state"], "queued");
    assert_eq!(alice.json(&format!("status {}", sent["id"].as_str().unwrap()))["state"], "queued");
    let place = bob.place();
    alice.up(&format!("--peer {place}"));
    bob.until("inbox", |rows| rows.iter().any(|row| row["text"] == "later"));
}

#[test]
fn addresses_that_cannot_be_right_are_refused_with_a_sentence() {
    let mut alice = Person::new("alice");
    alice.up("");
    let mine = alice.json("me")["address"].as_str().unwrap().to_owned();
    for (address, code) in
        [("12D3KooWnonsense", 2), ("dak:", 2), ("bob@example.org", 2), (WEAK_KEY, 8), (mine.as_str(), 5)]
    {
        let ran = alice.run(&format!("contact add bob {address}"));
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{address}: {}", ran.talk);
        assert_eq!(ran.talk.lines().count(), 1, "{}", ran.talk);
    }
    assert_eq!(alice.rows("contact list").len(), 0);
}

#[test]
fn what_is_not_there_exits_4_and_what_is_no_id_exits_2() {
    let mut alice = Person::new("alice");
    alice.up("");
    for line in [
        "send nobody hi",
        "read abcd",
        "status abcd",
        "cancel abcd",
        "carry export abcd /dev/null",
        "contact block nobody",
    ] {
        assert_eq!(alice.run(line).code, 4, "{line}");
    }
    for line in ["read abc", "status xyzw"] {
        assert_eq!(alice.run(line).code, 2, "{line}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let mut alice = Person::new("alice");
    alice.up("");
    let directory = alice.home().display().to_string();
    for (words, code, said) in [
        (vec!["send", "", "hi"], 4, "no contact with an empty name"),
        (vec!["topic", "create", ""], 2, "an empty name names no topic"),
        (vec!["hook", "add", "h", "--timeout", "0s", "--", "true"], 2, "a time such as 30s"),
        (vec!["import", &directory], 2, "is a directory; name what `dak export -o FILE` wrote"),
    ] {
        let ran = alice.run_args(&words);
        assert!(ran.code == code && ran.talk.contains(said), "{words:?}: {} {}", ran.code, ran.talk);
    }
    let code = alice.run("pair 7-copper");
    assert!(code.code == 2 && !code.talk.contains("looking for"), "{}", code.talk);
}

#[test]
fn a_lifetime_that_no_message_can_have_is_in_no_habit_and_no_draft() {
    let mut alice = Person::new("alice");
    alice.up("");
    let habit = alice.run(&format!("contact set {SOMEBODY} --lifetime 31d"));
    assert!(habit.code == 5 && habit.talk.contains("at most 30d"), "{}", habit.talk);
    let sent = alice.run(&format!("send {SOMEBODY} hi --lifetime 31d"));
    assert!(sent.code == 5 && sent.talk.contains("`dak draft send 1`"), "{}", sent.talk);
    assert_eq!(alice.run("draft send 1").code, 0);
    assert_eq!(alice.rows("status").len(), 1);
}

#[test]
fn nothing_that_a_peer_wrote_reaches_the_terminal_raw() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}";
    let file = alice.file("evil\u{1b}[2J.txt", b"x");
    let sent =
        alice.run_args(&["send", "bob", hostile, "-s", hostile, "-f", &file, "--wait", "--timeout", "30s", "--json"]);
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    for line in ["inbox".to_owned(), format!("read {id}"), format!("read {id} --json"), "inbox --json".into()] {
        let ran = bob.run(&line);
        assert_eq!(ran.code, 0, "{}", ran.talk);
        let raw = ran.data.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(raw, None, "{line}: {:?}", ran.data);
    }
}

#[test]
fn a_message_that_is_too_long_is_refused_with_the_limit() {
    let mut alice = Person::new("alice");
    alice.up("");
    let file = alice.file("long", &vec![b'x'; 64 << 10]);
    let many = format!(" -f {file}").repeat(15);
    let ran = alice.run(&format!("send {SOMEBODY}{many}"));
    assert_eq!(ran.code, 5, "{}", ran.talk);
    assert!(ran.talk.contains("the message is too long"), "{}", ran.talk);
    assert_eq!(alice.rows("status").len(), 0);
}

#[test]
fn waiting_for_somebody_who_is_away_exits_6_and_the_message_stays() {
    let mut alice = Person::new("alice");
    alice.up("");
    let ran = alice.run(&format!("send {SOMEBODY} hi --wait=delivered --timeout 300ms --json"));
    assert_eq!(ran.code, 6);
    assert_eq!(ran.json()["state"], "queued");
    assert!(ran.talk.contains("still in flight"), "{}", ran.talk);
    assert_eq!(alice.rows("status").len(), 1);
    assert_eq!(alice.json("carry")["bundles"], 1);
}

#[test]
fn a_backup_brings_the_home_back_and_only_with_its_passphrase() {
    let mut alice = Person::new("alice");
    let me = alice.up("");
    let (backup, good, bad) =
        (alice.path("backup"), alice.file("good", b"correct horse\n"), alice.file("bad", b"wrong\n"));
    assert_eq!(alice.run(&format!("backup {backup} --passphrase-file {good}")).code, 0);
    let again = alice.run(&format!("backup {backup} --passphrase-file {good}"));
    assert_eq!(again.code, 5, "a backup is never written over");
    let bytes = fs::read(&backup).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("dak-identity"));

    let mut heir = Person::new("alice");
    let refused = heir.run(&format!("restore {backup} --passphrase-file {bad}"));
    assert_eq!(refused.code, 8, "{}", refused.talk);
    // As another editor writes it.
    let good = alice.file("good", "\u{feff}correct horse\r\n".as_bytes());
    let restored = heir.run(&format!("restore {backup} --passphrase-file {good}"));
    assert_eq!(restored.code, 0, "{}", restored.talk);
    assert_eq!(heir.run(&format!("restore {backup} --passphrase-file {good}")).code, 5);
    alice.down();
    assert_eq!(heir.up("")["peer_id"], me["peer_id"]);
}

#[test]
fn an_exported_bundle_verifies_and_a_changed_one_does_not() {
    let mut alice = Person::new("alice");
    alice.up("");
    let sent = alice.json(&format!("send {SOMEBODY} hello"));
    let file = alice.path("bundle");
    assert_eq!(alice.run(&format!("carry export {} {file}", sent["id"].as_str().unwrap())).code, 0);
    let inspected = alice.json(&format!("bundle inspect {file}"));
    assert_eq!((&inspected["verified"], &inspected["id"]), (&true.into(), &sent["id"]));
    let again = alice.run(&format!("carry export {} {file}", sent["id"].as_str().unwrap()));
    assert_eq!((again.code, again.talk.contains("there already")), (5, true), "{}", again.talk);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    let ran = alice.run(&format!("bundle inspect {}", alice.file("changed", &bytes)));
    assert_eq!(ran.code, 8);
    assert!(ran.data.contains("NOT VERIFIED"), "{}", ran.data);
}

#[test]
fn new_mail_is_followed_until_the_node_stops() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut follower = bob.spawn("inbox --follow --json");
    for text in ["one", "two"] {
        assert_eq!(alice.run(&format!("send bob {text}")).code, 0);
        let row: Value = serde_json::from_str(&follower.line()).unwrap();
        assert_eq!(row["text"], text);
    }
    bob.down();
    assert_eq!(follower.end(), Some(3));
}

#[test]
fn the_inbox_is_read_as_it_was_written_whatever_came_first() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.down();
    // Urgent mail overtakes the rest on its way.
    for (text, priority) in [("first", "bulk"), ("second", "normal"), ("third", "urgent"), ("fourth", "normal")] {
        alice.json(&format!("send bob {text} --priority {priority}"));
    }
    alice.up(&format!("--peer {}", bob.place()));
    bob.until("inbox", |rows| rows.len() == 4);
    let texts = |line: &str| -> Vec<String> {
        bob.rows(line).iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("inbox"), ["first", "second", "third", "fourth"]);
    assert_eq!(texts("inbox --limit 2"), ["third", "fourth"]);
    assert_eq!(texts("inbox --limit 0"), [""; 0]);
    let nothing = bob.run("inbox --limit 0");
    assert_eq!((nothing.data.as_str(), nothing.talk.as_str()), ("", ""), "the inbox is not empty");
    let listed = |ran: Ran| -> Vec<String> {
        ran.data.lines().skip(1).map(|line| line.split_whitespace().last().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(bob.run("inbox")), ["first", "second", "third", "fourth"]);
    bob.down();
    assert_eq!(listed(bob.run("inbox")), ["first", "second", "third", "fourth"], "the closed home has the same order");
}

#[test]
fn an_interrupted_wait_tells_the_id_of_what_was_sent() {
    let mut alice = Person::new("alice");
    alice.up("");
    for _ in 0..5 {
        let before = alice.rows("status").len();
        let mut waiting = alice.spawn(&format!("send {SOMEBODY} hi --wait"));
        alice.until("status", |rows| rows.len() > before);
        waiting.signal(rustix::process::Signal::INT);
        let line = waiting.line();
        let id = line.split(' ').nth(1).unwrap().to_owned();
        assert_eq!(waiting.end(), Some(130));
        assert_eq!(alice.json(&format!("status {id}"))["state"], "queued", "{line}");
    }
}

#[test]
fn a_running_node_tells_its_terminal_of_mail_and_of_whom_it_meets() {
    let (mut alice, bob) = (Person::new("alice"), Person::new("bob"));
    let me = alice.up("");
    // By name, for bob knows alice; started as a person would, without JSON.
    let mut node = bob.spawn("up --name bob --no-mdns --listen /ip4/127.0.0.1/tcp/0");
    assert!(node.line().starts_with("ready dak:"));
    bob.keep_talk("node");
    assert_eq!(bob.run(&format!("contact add alice {}", me["address"].as_str().unwrap())).code, 0);
    let address = bob.json("me")["address"].as_str().unwrap().to_owned();
    let sent = alice.json(&format!("send {address} xyzzy-plugh --wait --timeout 60s"));
    let short = &sent["id"].as_str().unwrap()[..10];
    let told = bob.until_talk("node", &format!("  mail from alice: dak read {short}\n"));
    assert!(told.contains("  met alice\n") && told.contains("Ctrl-C or `dak down` stops the node"), "{told}");
    assert!(!told.contains("xyzzy-plugh"), "{told}");
}

#[test]
fn attachments_are_saved_in_a_directory_that_is_made_for_them() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan.txt", b"at six");
    let sent = alice.json(&format!("send bob -f {file} --wait --timeout 60s"));
    let place = bob.path("new/and/deep");
    assert_eq!(bob.run(&format!("read {} --save {place}", sent["id"].as_str().unwrap())).code, 0);
    assert_eq!(fs::read(format!("{place}/plan.txt")).unwrap(), b"at six");
    let taken = bob.file("taken", b"a file");
    let ran = bob.run(&format!("read {} --save {taken}/below", sent["id"].as_str().unwrap()));
    assert!(ran.code == 1 && ran.talk.contains("--save"), "{}", ran.talk);
}

#[test]
fn ctrl_c_exits_130() {
    let mut alice = Person::new("alice");
    alice.up("");
    assert_eq!(alice.run(&format!("send {SOMEBODY} hi")).code, 0);
    let mut watcher = alice.spawn("status --watch --json");
    watcher.line();
    watcher.signal(rustix::process::Signal::INT);
    assert_eq!(watcher.end(), Some(130));
}

#[test]
fn a_reader_that_hangs_up_hears_no_complaint() {
    let mut alice = Person::new("alice");
    alice.up("");
    let ran = alice.run_into_closed_pipe("me");
    assert_eq!((ran.code, ran.talk.as_str()), (0, ""));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let alice = Person::new("alice");
    let ran = alice.run(&format!("up --no-mdns --listen /ip4/127.0.0.1/tcp/{port}"));
    assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{}", ran.talk);
    assert!(ran.talk.contains(&port.to_string()), "{}", ran.talk);
}

#[test]
fn who_carries_for_nobody_says_so() {
    let mut alice = Person::new("alice");
    alice.up("--carry-limit 0");
    assert!(alice.run("carry").data.contains("carries for nobody"));
    assert_eq!(alice.json("carry limit 5M")["quota_bytes"], 5 << 20);
}

#[test]
fn the_demo_passes() {
    let ran = Person::new("audience").run("demo --json");
    let verdict: Value = serde_json::from_str(ran.data.lines().last().unwrap()).unwrap();
    assert_eq!(
        (ran.code, &verdict["pass"], &verdict["checks"]),
        (0, &true.into(), &7.into()),
        "{} {}",
        ran.data,
        ran.talk
    );
}

/// Starts both and lets them know and meet each other.
fn acquaint(alice: &mut Person, bob: &mut Person) {
    let me = alice.up("");
    let other = bob.up(&format!("--peer {}", alice.place()));
    let added = |person: &Person, name: &str, of: &Value| {
        let ran: Ran = person.run(&format!("contact add {name} {}", of["address"].as_str().unwrap()));
        assert_eq!(ran.code, 0, "{}", ran.talk);
    };
    added(alice, "bob", &other);
    added(bob, "alice", &me);
    alice.until("peers", |peers| !peers.is_empty());
}

/// The peer id of somebody who is never there.
const SOMEBODY: &str = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";

/// How long anything may take before a test gives up waiting for it.
const PATIENCE: Duration = Duration::from_secs(60);
