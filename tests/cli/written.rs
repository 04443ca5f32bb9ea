//! What people write beside their words: times, whom it is for, what it answers.

use std::fs;
use std::path::Path;

use dak::api::client::Client;
use dak::api::model::{Request, Response};
use serde_json::Value;

use crate::person::{Person, Ran};
use crate::{SOMEBODY, acquaint};

/// Runs a command in a time zone, as POSIX has them: `UTC-5` is five hours ahead.
fn run_in(person: &Person, zone: &str, args: &[&str]) -> Ran {
    person.run_with(args, &[("TZ", zone)])
}

fn head<'r>(ran: &'r Ran, label: &str) -> &'r str {
    ran.data.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("{label}: {}", ran.data)).trim()
}

#[test]
fn a_time_is_the_writers_and_is_read_by_both_clocks() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let line = ["send", "bob", "when?", "--reply-by", "2999-05-01 12:00", "--wait", "--timeout", "30s", "--json"];
    let sent = run_in(&alice, "AAA-5", &line).json();
    let id = sent["id"].as_str().unwrap();
    let row = &bob.rows("inbox")[0];
    assert_eq!(
        (&row["reply_by"], &row["sent_offset"]),
        (&"2999-05-01T07:00:00Z".into(), &300.into()),
        "an instant, and where it was written"
    );
    assert_eq!(head(&run_in(&bob, "BBB3", &["read", id]), "reply by"), "Wed 1 May 2999 04:00 (12:00 theirs)");
    assert_eq!(head(&run_in(&bob, "CCC-5", &["read", id]), "reply by"), "Wed 1 May 2999 12:00");
    let talk = run_in(&alice, "BBB3", &["talk", "bob"]);
    assert!(talk.data.contains("reply by Wed 1 May 2999 04:00 (12:00 where I wrote)"), "{}", talk.data);
    assert_eq!(alice.rows("talk bob")[0]["sent_offset"], 300);
}

#[test]
fn each_of_several_gets_a_message_of_its_own_and_sees_no_other() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    let other = carol.up(&format!("--peer {}", alice.place()));
    assert_eq!(alice.run(&format!("contact add carol {}", other["address"].as_str().unwrap())).code, 0);
    alice.until("peers", |peers| peers.len() == 2);
    let sent = alice.rows("send bob,carol,@bob hello --wait --timeout 30s");
    let to: Vec<_> = sent.iter().map(|row| (row["to"].as_str().unwrap(), row["state"].as_str().unwrap())).collect();
    assert_eq!(to, [("bob", "delivered"), ("carol", "delivered")]);
    assert_ne!(sent[0]["id"], sent[1]["id"]);
    assert_eq!(alice.rows("status").len(), 2, "each has a status");
    for (person, sent) in [(&bob, &sent[0]), (&carol, &sent[1])] {
        let [row] = &person.rows("inbox")[..] else { panic!("one message") };
        assert_eq!((&row["text"], &row["id"]), (&"hello".into(), &sent["id"]));
        assert!(!row.to_string().contains(if row["id"] == sent[0]["id"] { "carol" } else { "bob" }));
    }

    assert_eq!(alice.run("send bob,nobody hi").code, 4);
    assert_eq!(alice.rows("status").len(), 2, "nothing goes to anybody where one is unknown");
    let ran = alice.run(&format!("send --to bob --to {SOMEBODY} hi --wait --timeout 300ms --json"));
    assert_eq!((ran.code, ran.data.lines().count()), (6, 2), "{}", ran.talk);
    let ran = alice.run(&format!("send --to {SOMEBODY} --to {} hi", other["address"].as_str().unwrap()));
    assert!(ran.data.ends_with("for carol\n") && ran.talk.contains("nobody sees the others"), "{ran:?}");
}

#[test]
fn the_list_of_what_was_sent_has_its_words_and_leaves_out_what_is_settled() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan", b"at six");
    alice.run_args(&["send", "bob", "one and\ntwo", "-s", "numbers", "--wait", "--timeout", "30s", "-f", &file]);
    alice.json(&format!("send {SOMEBODY} three"));
    alice.json(&format!("send {SOMEBODY} four"));
    let texts = |line: &str| -> Vec<String> {
        alice.rows(line).iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("status"), ["one and\ntwo", "three", "four"]);
    assert_eq!(texts("status --limit 2"), ["three", "four"]);
    assert_eq!(texts("status --unsettled"), ["three", "four"]);
    assert_eq!(texts("status --unsettled --limit 1"), ["four"]);
    assert_eq!(texts("status --to bob"), ["one and\ntwo"]);
    assert_eq!(texts("status --limit 0"), [""; 0]);
    let first = &alice.rows("status")[0];
    assert_eq!((&first["subject"], &first["files"]), (&"numbers".into(), &1.into()));
    let listed = alice.run("status").data;
    assert!(listed.lines().nth(1).unwrap().ends_with("numbers: one and two [1 file]"), "{listed}");
    assert_eq!(alice.run("status --to nobody").code, 4);
    let id = first["id"].as_str().unwrap();
    assert_eq!(alice.run(&format!("status {id} --unsettled")).code, 2);
    let ended = alice.json(&format!("send {SOMEBODY} five --lifetime 1ms"));
    let is_ended = |rows: &[Value]| rows.iter().any(|row| row["id"] == ended["id"] && row["state"] == "expired");
    alice.until("status --unsettled", is_ended);
    let cancelled = alice.rows("status --unsettled")[0]["id"].as_str().unwrap().to_owned();
    alice.json(&format!("cancel {cancelled}"));
    assert_eq!(texts("status --unsettled"), ["four", "five"]);
}

#[test]
fn following_is_called_watching_too() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json(&format!("send {SOMEBODY} one"));
    for line in ["status --follow", "status --watch"] {
        let mut watcher = alice.spawn(&format!("{line} --json"));
        assert!(watcher.line().contains("queued"), "{line}");
    }
    alice.run_args(&["send", "me", "two"]);
    for line in ["inbox --follow", "inbox --watch"] {
        let mut watcher = alice.spawn(&format!("{line} --json"));
        assert!(watcher.line().contains("two"), "{line}");
    }
}

#[test]
fn an_answer_says_what_it_answers_on_both_sides_also_to_ones_own_words() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let question = alice.json("send bob question --wait --timeout 30s");
    let id = question["id"].as_str().unwrap();
    let file = alice.file("plan", b"at six");
    let more = alice.json(&format!("reply {id} more -s subject -f {file} --wait --timeout 30s"));
    bob.json(&format!("reply {} yes --wait --timeout 30s", more["id"].as_str().unwrap()));
    for (person, who, mine) in [(&alice, "bob", [true, true]), (&bob, "alice", [false, false])] {
        let rows = person.rows(&format!("talk {who}"));
        let answers: Vec<(&Value, &Value)> =
            rows.iter().map(|row| (&row["answers"]["text"], &row["answers"]["mine"])).collect();
        let wanted: [(Value, Value); 2] = [("question".into(), mine[0].into()), ("more".into(), mine[1].into())];
        assert_eq!(answers[1..], wanted.each_ref().map(|(text, mine)| (text, mine)));
        assert_eq!((&rows[1]["subject"], rows[1]["files"].as_array().unwrap().len()), (&"subject".into(), 1));
        let threads: Vec<&Value> = rows[1..].iter().map(|row| &row["thread"]).collect();
        assert_eq!(threads, [&Value::from(&id[..32]); 2], "all of it is one thread");
        assert_eq!(person.rows(&format!("talk {who} --thread {id}")).len(), 3);
    }
    let last = bob.rows("talk alice")[2]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        head(&bob.run(&format!("read {last}")), "answers"),
        format!("alice: more ({})", &more["id"].as_str().unwrap()[..10])
    );
    assert_eq!(bob.run(&format!("inbox delete {id}")).code, 0);
    let talk = bob.run("talk alice").data;
    assert!(talk.contains("  answers a message that was deleted here\n"), "{talk}");
}

#[test]
fn an_answer_that_came_before_what_it_answers_says_so_until_that_comes() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.down();
    let first = alice.json("send bob first");
    let id = first["id"].as_str().unwrap();
    // A home of before, in which the first message is still on its way.
    let before = alice.path("before");
    copy_directory(&alice.home(), Path::new(&before));
    assert_eq!(alice.run(&format!("cancel {id}")).code, 0);
    let second = alice.json(&format!("reply {id} second"));
    alice.up(&format!("--peer {}", bob.place()));
    bob.until("inbox", |rows| rows.iter().any(|row| row["text"] == "second"));
    assert_eq!(bob.rows("talk alice")[0]["answers"]["there"], "missing");
    let second = second["id"].as_str().unwrap();
    assert_eq!(head(&bob.run(&format!("read {second}")), "answers"), "a message that has not come");
    assert!(bob.run("talk alice").data.contains("  answers a message that has not come\n"));

    alice.down();
    alice.live_in(&before);
    alice.up(&format!("--peer {}", bob.place()));
    bob.until("inbox", |rows| rows.len() == 2);
    let rows = bob.rows("talk alice");
    let answer = rows.iter().find(|row| row["text"] == "second").unwrap();
    assert_eq!((&answer["answers"]["there"], &answer["answers"]["text"]), (&"here".into(), &"first".into()));
}

#[test]
fn what_is_forwarded_names_its_first_writer_and_has_the_signature_along() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    acquaint(&mut alice, &mut bob);
    let other = carol.up(&format!("--peer {}", bob.place()));
    let known = bob.json("me")["address"].as_str().unwrap().to_owned();
    assert_eq!(bob.run(&format!("contact add carol {}", other["address"].as_str().unwrap())).code, 0);
    assert_eq!(carol.run(&format!("contact add bob {known}")).code, 0);
    bob.until("peers", |peers| peers.len() == 2);
    let file = alice.file("plan", b"at six");
    let sent =
        alice.run_args(&["send", "bob", "come", "-s", "tonight", "-f", &file, "--wait", "--timeout", "30s", "--json"]);
    let id = sent.json()["id"].as_str().unwrap().to_owned();

    let ran = bob.run_args(&["forward", &id, "carol", "see this", "--wait", "--timeout", "30s"]);
    assert_eq!(ran.code, 0, "{}", ran.talk);
    let row = &carol.rows("inbox")[0];
    let is = |key: &str| row[key].as_str().unwrap();
    assert_eq!((is("text"), is("subject"), is("remark"), is("from")), ("come", "tonight", "see this", "bob"));
    let address = alice.json("me")["peer_id"].as_str().unwrap().to_owned();
    let author = &row["forwarded"]["author"];
    assert_eq!(
        (&author["name"], author["address"].as_str().unwrap()),
        (&Value::Null, format!("dak:{address}").as_str())
    );
    assert_eq!((row["forwarded"]["id"].as_str().unwrap(), row["thread"].is_null()), (&id[..32], true));
    let place = carol.path("saved");
    let read = carol.run(&format!("read {} --save {place}", is("id")));
    let who = &address[address.len() - 10..];
    assert!(head(&read, "forwarded").starts_with(&format!("written by {who}, today ")), "{}", read.data);
    assert!(head(&read, "forwarded").ends_with(", signed"), "{}", read.data);
    assert_eq!(row["forwarded"]["signed"], true);
    assert!(read.data.ends_with("\nsee this\n\n-- forwarded --\ncome\n"), "{}", read.data);
    assert_eq!(fs::read(format!("{place}/plan")).unwrap(), b"at six");

    // On it goes, to whoever wrote it and by another: it is still of the same writer.
    let ran = carol.run(&format!("forward {} me", is("id")));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    let note = &carol.rows("talk me")[0];
    assert_eq!((&note["forwarded"], &note["remark"]), (&row["forwarded"], &Value::Null));
    assert_eq!(alice.run(&format!("forward {id} bob,me look")).data.lines().count(), 2);
    let own = &alice.rows("talk bob")[1];
    assert_eq!((&own["forwarded"]["author"]["name"], &own["remark"]), (&"alice".into(), &"look".into()));
    assert_eq!(alice.rows("status --to bob")[1]["forwarded"], true);
    // Other words than the writer signed are the sender's word.
    alice.json(&format!("edit {id} came"));
    bob.until("inbox", |rows| rows[0]["text"] == "came");
    bob.json(&format!("forward {id} carol --wait --timeout 30s"));
    let row = carol.rows("inbox").pop().unwrap();
    assert_eq!((&row["text"], &row["forwarded"]["signed"]), (&"came".into(), &false.into()));
    assert!(carol.run("talk bob").data.contains(", as bob says"));
    assert_eq!(alice.run("forward abcd bob").code, 4);
    assert_eq!(alice.run(&format!("forward {id} nobody")).code, 4);
    assert_eq!(alice.run(&format!("forward {id}")).code, 2);
}

#[test]
fn what_waits_says_since_when_nobody_was_met_also_after_a_restart() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    alice.json(&format!("send {SOMEBODY} waits --lifetime 3d"));
    for line in ["status", "talk", &format!("talk {SOMEBODY}")] {
        let ran = alice.run(line);
        assert!(ran.talk.starts_with("nobody met so far; 1 message waits, and ends "), "{line}: {}", ran.talk);
    }
    alice.down();
    acquaint(&mut alice, &mut bob);
    assert_eq!(alice.run("status").talk, "", "somebody is met");
    alice.until("status", |rows| rows.iter().all(|row| row["state"] != "queued"));
    bob.down();
    alice.until("peers", |peers| peers.is_empty());
    assert_eq!(alice.run("status").talk, "", "nothing waits: bob has a copy");
    for text in ["one", "two"] {
        alice.json(&format!("send {SOMEBODY} {text} --lifetime 1d"));
    }
    let says = |ran: Ran| {
        assert!(ran.talk.starts_with("nobody met since today "), "{}", ran.talk);
        assert!(ran.talk.contains("; 2 messages wait, the first ends tomorrow "), "{}", ran.talk);
        assert_eq!(ran.talk.lines().count(), 1);
    };
    says(alice.run("status"));
    alice.down();
    says(alice.run("status"));
    // As a person starts it, without JSON.
    let mut node = alice.spawn("up --no-mdns --listen /ip4/127.0.0.1/tcp/0");
    assert!(node.line().starts_with("ready dak:"));
    alice.keep_talk("node");
    alice.until_talk("node", "2 messages wait, the first ends tomorrow ");
    assert_eq!(alice.run("status --json").talk, "", "a program asks for it");
}

#[test]
fn what_ended_without_a_receipt_is_told_below_the_inbox_until_the_status_was_seen() {
    let mut alice = Person::new("alice");
    alice.up("");
    let ended = alice.json(&format!("send {SOMEBODY} five --lifetime 1ms"));
    let is_ended = |rows: &[Value]| rows.iter().any(|row| row["id"] == ended["id"] && row["state"] == "expired");
    alice.until("status", is_ended);
    let told = "1 of my messages ended without a receipt: dak status --unsettled\n";
    let inbox = |person: &Person| person.run("inbox").talk;
    assert!(inbox(&alice).ends_with(told), "{}", inbox(&alice));
    assert!(alice.run("status").data.contains("expired"));
    assert!(inbox(&alice).ends_with(told), "a pipe has no eyes");
    alice.signal(rustix::process::Signal::KILL);
    alice.up("");
    assert!(inbox(&alice).ends_with(told));
    let Response::Outlook(outlook) = ask(&alice, Request::Outlook) else { panic!("no outlook") };
    ask(&alice, Request::StatusSeen { event: outlook.event });
    assert!(inbox(&alice).starts_with("the inbox is empty") && !inbox(&alice).contains("without a receipt"));
    alice.run(&format!("send {SOMEBODY} six --lifetime 1ms"));
    alice.until("status", |rows| rows.len() == 2 && rows[1]["state"] == "expired");
    assert!(inbox(&alice).ends_with(told));
}

#[test]
fn what_is_due_stands_soonest_first_until_it_is_answered() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let texts = |person: &Person, line: &str| -> Vec<String> {
        person.rows(line).iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    };
    let empty = bob.run("inbox --due");
    assert_eq!((empty.data.as_str(), empty.talk.contains("nothing is due")), ("", true));
    for (text, by) in [("later", Some("3d")), ("soon", Some("2h")), ("over", Some("1500ms")), ("any", None)] {
        let by: Vec<&str> = by.map_or_else(Vec::new, |by| vec!["--reply-by", by]);
        let ran = alice.run_args(&[&["send", "bob", text, "--wait", "--timeout", "30s"][..], &by].concat());
        assert_eq!(ran.code, 0, "{}", ran.talk);
    }
    assert_eq!(texts(&bob, "inbox --due"), ["over", "soon", "later"]);
    assert_eq!(texts(&bob, "inbox --due --limit 2"), ["over", "soon"]);
    bob.until_says("inbox", "1 answer due by ");
    bob.until_says("inbox", "; 1 overdue: dak inbox --due\n");
    let listed = bob.run("inbox --due").data;
    assert!(listed.lines().nth(1).unwrap().starts_with('!') && listed.contains(", overdue  over"), "{listed}");
    assert_eq!(alice.rows("inbox --due").len(), 0, "who asked owes nothing");

    let soon = bob.rows("inbox --due")[1]["id"].as_str().unwrap().to_owned();
    let answer = bob.json(&format!("reply {soon} yes --wait --timeout 30s"));
    assert_eq!(texts(&bob, "inbox --due"), ["over", "later"]);
    assert!(bob.run("inbox").talk.starts_with("1 overdue: "), "{}", bob.run("inbox").talk);
    assert_eq!(bob.run(&format!("inbox delete {}", answer["id"].as_str().unwrap())).code, 0);
    assert_eq!(texts(&bob, "inbox --due"), ["over", "soon", "later"], "it is not answered after all");
    let later = bob.rows("inbox --due")[2]["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.run(&format!("inbox delete {later}")).code, 0);
    assert_eq!(texts(&bob, "inbox --due"), ["over", "soon"]);
    assert_eq!(alice.run(&format!("withdraw {soon}")).code, 0);
    bob.until("inbox --due", |rows| rows.len() == 1);
    bob.down();
    assert_eq!(texts(&bob, "inbox --due"), ["over"], "the closed home says the same");
}

/// What a program asks at the socket.
fn ask(person: &Person, request: Request) -> Response {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Client::new(person.home().join("run/dak.sock")).call(&request)).unwrap()
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy_directory(&entry.path(), &to.join(entry.file_name())),
            kind if kind.is_file() => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn a_day_lasts_to_its_end_and_what_is_no_time_to_come_is_refused_with_what_is() {
    let mut alice = Person::new("alice");
    alice.up("");
    let send = |by: &str| run_in(&alice, "UTC0", &["send", SOMEBODY, "hi", "--reply-by", by, "--json"]);
    let kept = |ran: Ran| -> Value {
        assert_eq!(ran.code, 0, "{}", ran.talk);
        alice.json(&format!("read {}", ran.json()["id"].as_str().unwrap()))["reply_by"].clone()
    };
    assert_eq!(kept(send("2999-05-01")), "2999-05-01T23:59:59Z");
    assert!(kept(send("friday")).as_str().unwrap().ends_with("T23:59:59Z"));
    for (by, why) in [("2020-01-01", "over already"), ("soon", "no time"), ("friday soon", "no time")] {
        let ran = send(by);
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{by}");
        assert!(ran.talk.contains(why), "{}", ran.talk);
    }
    assert_eq!(alice.rows("status").len(), 2, "nothing was sent of what was refused");
}
