//! What a person arranges for themselves: labels, archive, pins, snoozes, mutes; and mail of those who have no name there.

use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

/// Two who know and meet each other.
fn two() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    (alice, bob)
}

/// Sends a text that arrives, and returns its id.
fn say(from: &Person, to: &str, text: &str) -> String {
    let ran = from.run_args(&["send", to, text, "--wait=delivered", "--timeout", "60s", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.talk);
    ran.json()["id"].as_str().unwrap().to_owned()
}

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

/// What waits, as every door counts it.
fn waiting(person: &Person) -> u64 {
    let listed = person.rows("inbox --unread").iter().filter(|row| row["request"] == false).count() as u64;
    let talks = person.rows("talk");
    let counted: u64 =
        talks.iter().filter(|row| row["request"] == false).map(|row| row["waiting"].as_u64().unwrap()).sum();
    let said = person.json("inbox --count")["unread"].as_u64().unwrap();
    assert_eq!((listed, counted), (said, said));
    assert_eq!(person.run("inbox --count").data, format!("{said}\n"));
    said
}

fn works(person: &Person, line: &str) -> String {
    let ran = person.run(line);
    assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
    ran.data
}

#[test]
fn labels_are_put_on_messages_of_both_sides_and_stay_until_they_are_taken_off_or_their_message_is_deleted() {
    let (alice, mut bob) = two();
    let (one, two) = (say(&alice, "bob", "one"), say(&alice, "bob", "two"));
    let own = say(&bob, "alice", "three");
    assert_eq!(
        works(&bob, &format!("label add Plans {} {own}", &one[..8])),
        format!("labelled Plans: {}, {}\n", &one[..8], &own[..10])
    );
    // Small or capital letters are one label.
    works(&bob, &format!("label add plans {two}"));
    assert_eq!(bob.run_args(&["label", "add", "to do", &two]).code, 0);
    let labels: Vec<(String, u64)> = bob
        .rows("label")
        .iter()
        .map(|row| (row["label"].as_str().unwrap().to_owned(), row["messages"].as_u64().unwrap()))
        .collect();
    assert_eq!(labels, [("Plans".to_owned(), 3), ("to do".to_owned(), 1)]);
    assert_eq!(texts(&bob.rows("label list plans")), ["one", "two", "three"]);
    assert_eq!(bob.rows("inbox")[1]["labels"], serde_json::json!(["Plans", "to do"]));
    assert_eq!(bob.rows("talk alice")[2]["labels"], serde_json::json!(["Plans"]));
    assert!(alice.rows("inbox").iter().all(|row| row["labels"] == serde_json::json!([])), "nobody else hears of it");

    bob.signal(rustix::process::Signal::KILL);
    assert_eq!(texts(&bob.rows("label list Plans")), ["one", "two", "three"], "the closed home says the same");
    works(&bob, &format!("label remove PLANS {two}"));
    works(&bob, &format!("inbox delete {one}"));
    assert_eq!(texts(&bob.rows("label list Plans")), ["three"]);
    works(&bob, &format!("label remove Plans {own}"));
    let gone = bob.run("label list Plans");
    assert!(gone.code == 4 && gone.talk.contains("dak label list"), "{}", gone.talk);
    assert_eq!(bob.run(&format!("label remove Plans {own}")).code, 4);
    let long = "x".repeat(65);
    for label in ["@x", "#x", "-x", "a,b", "", "a\u{200b}b", &long] {
        let ran = bob.run_args(&["label", "add", label, &two]);
        assert_eq!(ran.code, 2, "{label}: {ran:?}");
    }
    assert_eq!(bob.run("label add x 0000").code, 4);
}

#[test]
fn one_message_takes_so_many_labels_and_no_more() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = say(&alice, "me", "a note");
    for n in 0..32 {
        works(&alice, &format!("label add l{n} {id}"));
    }
    let ran = alice.run(&format!("label add more {id}"));
    assert!(ran.code == 5 && ran.talk.contains("32"), "{}", ran.talk);
    works(&alice, &format!("label add l7 {id}"));
    assert_eq!(alice.rows("label").len(), 32);
}

#[test]
fn an_archived_conversation_is_back_with_what_comes_next_and_a_muted_one_is_not() {
    let (alice, bob) = two();
    say(&alice, "bob", "one");
    assert_eq!(works(&bob, "archive alice"), "archived the conversation with alice\n");
    assert_eq!((bob.rows("inbox").len(), bob.rows("talk").len(), waiting(&bob)), (0, 0, 0));
    assert_eq!(bob.rows("talk --all")[0]["archived"], true);
    assert_eq!(bob.rows("inbox --all")[0]["archived"], true);
    say(&alice, "bob", "two");
    assert_eq!(texts(&bob.rows("inbox")), ["two"], "what was put away stays there");
    assert_eq!((bob.rows("talk")[0]["archived"].clone(), waiting(&bob)), (false.into(), 1));
    assert_eq!(bob.rows("talk alice").len(), 2, "and is all there to be read");

    works(&bob, "archive alice");
    works(&bob, "mute alice");
    say(&alice, "bob", "three");
    assert_eq!((bob.rows("inbox").len(), bob.rows("talk").len(), waiting(&bob)), (0, 0, 0));
    let row = &bob.rows("talk --all")[0];
    assert_eq!((&row["archived"], &row["muted"], &row["unread"]), (&true.into(), &true.into(), &3.into()));
    works(&bob, "unmute alice");
    assert_eq!(texts(&bob.rows("inbox")), ["three"]);
    works(&bob, "unarchive alice");
    assert_eq!((texts(&bob.rows("inbox")), waiting(&bob)), (vec!["one", "two", "three"], 3));
    assert_eq!(bob.run("archive nobody").code, 4);
    let nothing = bob.run("archive me");
    assert!(nothing.code == 5 && nothing.talk.contains("nothing was said"), "{}", nothing.talk);
}

#[test]
fn one_message_is_archived_alone_and_a_slip_changes_nothing_of_what_stands_beside_it() {
    let (alice, bob) = two();
    let ids = ["one", "two", "three"].map(|text| say(&alice, "bob", text));
    assert_eq!(bob.run(&format!("archive {} 0000", ids[0])).code, 4);
    assert_eq!(waiting(&bob), 3);
    works(&bob, &format!("archive {} {}", ids[0], ids[1]));
    assert_eq!((texts(&bob.rows("inbox")), waiting(&bob)), (vec!["three"], 1));
    assert_eq!(texts(&bob.rows("inbox --all")), ["one", "two", "three"]);
    assert_eq!(texts(&bob.rows("inbox --limit 2")), ["three"]);
    works(&bob, &format!("unarchive {}", ids[0]));
    assert_eq!((texts(&bob.rows("inbox")), waiting(&bob)), (vec!["one", "three"], 2));
    works(&bob, "archive alice");
    let with_all = bob.run(&format!("unarchive {}", ids[0]));
    assert!(with_all.code == 5 && with_all.talk.contains("conversation"), "{}", with_all.talk);
}

#[test]
fn what_is_snoozed_is_out_of_sight_and_comes_back_by_itself() {
    let (alice, bob) = two();
    let (one, _) = (say(&alice, "bob", "one"), say(&alice, "bob", "two"));
    assert!(works(&bob, &format!("snooze {one} 2h")).starts_with(&format!("snoozed {} until t", &one[..10])));
    assert_eq!((texts(&bob.rows("inbox")), waiting(&bob)), (vec!["two"], 1));
    assert!(bob.rows("inbox --all")[0]["snoozed_until"].is_string());
    works(&bob, "snooze alice tomorrow");
    assert_eq!((bob.rows("inbox").len(), bob.rows("talk").len(), waiting(&bob)), (0, 0, 0));
    assert!(bob.rows("talk --all")[0]["snoozed_until"].is_string());
    assert_eq!(bob.run(&format!("unsnooze {one}")).code, 5);
    works(&bob, "unsnooze alice");
    works(&bob, &format!("unsnooze {one}"));
    assert_eq!(waiting(&bob), 2);
    works(&bob, &format!("snooze {one} 1s"));
    bob.until("inbox", |rows| texts(rows) == ["one", "two"]);
    assert_eq!(bob.rows("inbox")[0]["snoozed_until"], Value::Null);
    for until in ["yesterday", "2020-01-01", "soon"] {
        assert_eq!(bob.run(&format!("snooze {one} {until}")).code, 2, "{until}");
    }
}

#[test]
fn of_a_muted_conversation_waits_only_what_names_its_reader_where_that_was_wanted() {
    let (alice, bob) = two();
    works(&bob, "mute alice --except-mentions");
    for text in ["hello", "ask @Bob about it", "@bobby knows"] {
        say(&alice, "bob", text);
    }
    assert_eq!((texts(&bob.rows("inbox")), waiting(&bob)), (vec!["ask @Bob about it"], 1));
    let row = &bob.rows("talk")[0];
    assert_eq!((&row["muted"], &row["except_mentions"], &row["unread"]), (&true.into(), &true.into(), &3.into()));
    works(&bob, "mute alice");
    assert_eq!((bob.rows("inbox").len(), waiting(&bob)), (0, 0));
    assert!(bob.run("inbox").talk.contains("3 unread messages in muted conversations: dak inbox --all"));
    assert_eq!(bob.json("inbox --count")["muted"], 3);
    works(&bob, "mute alice --until 1s");
    bob.until("inbox", |rows| rows.len() == 3);
    assert_eq!((bob.rows("talk")[0]["muted"].clone(), waiting(&bob)), (false.into(), 3));
    let id = bob.rows("inbox")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.run(&format!("mute {id}")).code, 2, "a message says nothing more");
}

#[test]
fn nobody_is_told_of_what_does_not_wait() {
    let (alice, mut bob) = two();
    let mut carol = Person::new("carol");
    let address = carol.up(&format!("--peer {}", alice.place()))["address"].as_str().unwrap().to_owned();
    works(&bob, &format!("contact add carol {address}"));
    works(&carol, &format!("contact add bob {}", bob.json("me")["address"].as_str().unwrap()));
    works(&bob, "mute alice");
    bob.down();
    let mut node =
        bob.spawn(&format!("up --name bob --no-mdns --listen /ip4/127.0.0.1/tcp/0 --peer {}", alice.place()));
    node.line();
    bob.keep_talk("node");
    let (mut all, mut some) = (bob.spawn("inbox --follow --all --json"), bob.spawn("inbox --follow --json"));
    say(&carol, "bob", "before");
    assert!(all.line().contains("before") && some.line().contains("before"), "both have begun");
    say(&alice, "bob", "quietly");
    assert!(all.line().contains("quietly"));
    works(&bob, "unmute alice");
    let second = say(&alice, "bob", "loudly");
    assert!(some.line().contains("loudly"));
    let told = bob.until_talk("node", &format!("mail from alice: dak read {}", &second[..10]));
    assert_eq!(told.matches("mail from alice").count(), 1, "{told}");
}

#[test]
fn pinned_conversations_stand_first() {
    let (alice, bob) = two();
    say(&bob, "me", "a note");
    say(&alice, "bob", "hello");
    let names = |line: &str| -> Vec<Value> { bob.rows(line).iter().map(|row| row["name"].clone()).collect() };
    assert_eq!(names("talk"), ["alice", "bob"]);
    works(&bob, "pin me");
    assert_eq!(names("talk"), ["bob", "alice"]);
    assert_eq!(bob.rows("talk")[0]["pinned"], true);
    works(&bob, "unpin me");
    assert_eq!(names("talk"), ["alice", "bob"]);
    let id = bob.rows("inbox")[1]["id"].as_str().unwrap().to_owned();
    works(&bob, &format!("pin {id}"));
    assert_eq!((&bob.rows("inbox")[0]["pinned"], &bob.rows("talk alice")[0]["pinned"]), (&true.into(), &true.into()));
}

#[test]
fn pinned_messages_stand_first_in_the_inbox_also_in_an_index_made_anew() {
    let (alice, bob) = two();
    let ids: Vec<String> = ["one", "two", "three", "four"].map(|text| say(&alice, "bob", text)).into();
    for id in [&ids[2], &ids[1]] {
        works(&bob, &format!("pin {id}"));
    }
    let is_right = || {
        assert_eq!(texts(&bob.rows("inbox")), ["two", "three", "one", "four"]);
        assert_eq!(texts(&bob.rows("inbox --limit 3")), ["two", "three", "four"]);
        assert_eq!(texts(&bob.rows("inbox --limit 2")), ["two", "three"]);
        assert_eq!(texts(&bob.rows("inbox --limit 1")), ["three"]);
        assert_eq!(bob.rows("inbox --limit 0").len(), 0);
    };
    is_right();
    works(&bob, &format!("read {}", ids[1]));
    assert_eq!(texts(&bob.rows("inbox --unread")), ["three", "one", "four"]);
    works(&bob, &format!("delete {}", ids[2]));
    works(&bob, &format!("unpin {}", ids[1]));
    assert_eq!(texts(&bob.rows("inbox")), ["one", "two", "four"]);
}

#[test]
fn what_cannot_go_as_it_was_written_is_kept_as_a_draft_that_the_error_names() {
    let (mut alice, _bob) = two();
    let refused = |alice: &Person, args: &[&str], code: u8| {
        let ran = alice.run_args(args);
        assert_eq!(ran.code, i32::from(code), "{ran:?}");
        ran.talk
    };
    let told = refused(&alice, &["send", "bob", "long and well considered", "-f", "/nowhere/plan"], 1);
    assert!(told.contains("/nowhere/plan") && told.contains("draft 1"), "{told}");
    assert_eq!(alice.json("draft show 1")["text"], "long and well considered");
    let told = refused(&alice, &["send", "bob", "soon", "--reply-by", "whenever"], 2);
    assert!(told.contains("draft 2"), "{told}");
    let told = refused(&alice, &["send", "bob", "later", "--at", "whenever"], 2);
    assert!(told.contains("draft 3"), "{told}");
    let nothing = "f".repeat(64);
    for args in [&["forward", &*nothing, "bob"][..], &["send", "bob", "-f", "/nowhere/plan"][..]] {
        let told = alice.run_args(args).talk;
        assert!(!told.contains("draft"), "nothing was written: {told}");
    }
    assert_eq!(alice.rows("draft").len(), 3);
    alice.down();
    let told = refused(&alice, &["send", "bob", "and now", "--wait"], 3);
    assert!(told.contains("draft 4"), "{told}");
    assert_eq!((alice.rows("draft").len(), &alice.rows("draft")[3]["to"][0]), (4, &"bob".into()));
}

#[test]
fn what_was_withdrawn_unread_asks_for_nobody_and_an_answer_to_what_was_deleted_says_so() {
    let (alice, bob) = two();
    let first = say(&alice, "bob", "one");
    say(&alice, "bob", "two");
    alice.json(&format!("withdraw {first}"));
    bob.until("talk alice", |rows| rows[0]["withdrawn"] == true);
    let is_quiet = || {
        assert_eq!((waiting(&bob), bob.rows("talk")[0]["unread"].clone()), (1, 1.into()));
        assert_eq!(texts(&bob.rows("inbox --unread")), ["two"]);
        assert_eq!(bob.rows("talk alice")[0]["read"], true);
    };
    is_quiet();
    works(&bob, &format!("read {first}"));
    is_quiet();
    works(&bob, "talk alice --mark-read");
    assert_eq!((waiting(&bob), bob.rows("talk")[0]["unread"].clone()), (0, 0.into()));

    let mine = say(&bob, "alice", "three");
    works(&alice, &format!("reply {mine} yes --wait=delivered --timeout 30s"));
    works(&bob, &format!("delete {mine}"));
    let answer = bob.run("talk alice").data;
    assert!(answer.contains("answers a message that was deleted here"), "{answer}");
}

#[test]
fn what_is_arranged_is_in_a_backup() {
    let (alice, bob) = two();
    let id = say(&alice, "bob", "one");
    works(&bob, &format!("label add plans {id}"));
    works(&bob, "mute alice");
    let (backup, good) = (bob.path("backup"), bob.file("good", b"correct horse\n"));
    works(&bob, &format!("backup {backup} --passphrase-file {good}"));
    let heir = Person::new("bob");
    works(&heir, &format!("restore {backup} --passphrase-file {good}"));
    assert_eq!(texts(&heir.rows("label list plans")), ["one"]);
    assert_eq!((heir.rows("inbox").len(), &heir.rows("talk")[0]["muted"]), (0, &true.into()));
}

/// A stranger of bob's, who has bob's address.
fn stranger_and_bob() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    let address = bob.up(&format!("--peer {}", alice.place()))["address"].as_str().unwrap().to_owned();
    works(&alice, &format!("contact add bob {address}"));
    alice.until("peers", |peers| !peers.is_empty());
    (alice, bob)
}

#[test]
fn mail_of_strangers_stands_apart_until_they_are_taken_in_by_one_of_their_messages() {
    let (alice, bob) = stranger_and_bob();
    let (one, _) = (say(&alice, "bob", "hello"), say(&alice, "bob", "it is me"));
    say(&bob, "me", "a note");
    let rows = bob.rows("inbox");
    assert_eq!(rows.iter().map(|row| row["request"].clone()).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!((waiting(&bob), &bob.json("inbox --count")["requests"]), (0, &2.into()));
    let shown = works(&bob, "inbox");
    let (waits, below) = shown.split_once("\n2 requests from strangers: dak requests\n").unwrap();
    assert!(waits.contains("a note") && !waits.contains("hello") && below.contains("hello"), "{shown}");
    let peer = alice.json("me")["peer_id"].as_str().unwrap().to_owned();
    bob.until("peers", |peers| peers[0]["nickname"] == "alice");
    let listed = bob.run("requests");
    let called = format!("{} \"alice\"", &peer[peer.len() - 10..]);
    assert!(listed.data.contains(&called), "it calls itself so: {}", listed.data);
    assert!(!listed.data.contains("a note") && listed.talk.contains("dak contact add NAME ID"), "{listed:?}");
    assert_eq!(texts(&bob.rows("requests")), ["hello", "it is me"]);
    assert_eq!((bob.rows("talk").len(), bob.rows("inbox --all").len()), (2, 3));
    // What is here can be read all the same.
    assert!(works(&bob, &format!("read {one} --peek")).contains("hello"));

    works(&bob, &format!("contact add alice {}", &one[..6]));
    assert_eq!((waiting(&bob), bob.rows("requests").len()), (2, 0));
    assert!(bob.rows("inbox").iter().all(|row| row["request"] == false));
    assert_eq!(bob.rows("contact")[0]["peer_id"], peer);
    assert!(!works(&bob, "inbox").contains("strangers"));
    works(&bob, "contact remove alice");
    assert_eq!(bob.rows("requests").len(), 2);
    for line in ["contact add carol 0000", "contact block 0000"] {
        assert!([2, 4].contains(&bob.run(line).code), "{line}");
    }
}

#[test]
fn a_stranger_is_blocked_by_a_message_and_what_came_is_put_away() {
    let (alice, bob) = stranger_and_bob();
    let one = say(&alice, "bob", "buy this");
    works(&bob, &format!("contact block {one}"));
    assert_eq!((bob.rows("inbox").len(), bob.rows("requests").len(), bob.rows("talk").len()), (0, 0, 0));
    assert_eq!(texts(&bob.rows("inbox --all")), ["buy this"]);
    assert_eq!(alice.run("send bob again --wait --timeout 2s").code, 6, "and nothing comes any more");
    assert_eq!(bob.rows("inbox --all").len(), 1);
}

#[test]
fn drafts_are_kept_shown_sent_and_deleted_by_small_numbers_that_no_later_one_has() {
    let (alice, bob) = two();
    let added = alice.run_args(&["draft", "add", "bob", "come at six", "-s", "tonight", "-p", "urgent"]);
    assert_eq!((added.code, added.data.as_str()), (0, "draft 1 for bob\n"), "{}", added.talk);
    works(&alice, "draft add bob,me second");
    let file = alice.file("plan.txt", b"at six");
    works(&alice, &format!("draft add bob -f {file}"));
    let rows = alice.rows("draft");
    let numbers: Vec<u64> = rows.iter().map(|row| row["number"].as_u64().unwrap()).collect();
    assert_eq!((numbers, &rows[0]["to"]), (vec![1, 2, 3], &serde_json::json!(["bob"])));
    assert!(alice.rows("status").is_empty(), "nothing was sent");
    assert!(works(&alice, "draft show 1").contains("\ncome at six\n"));
    works(&alice, "draft delete 3");
    let sent = alice.rows("draft send 1").remove(0);
    bob.until("inbox", |rows| texts(rows) == ["come at six"]);
    let row = &bob.rows("inbox")[0];
    assert_eq!((&row["subject"], &row["priority"], &row["id"]), (&"tonight".into(), &"urgent".into(), &sent["id"]));
    let status = alice.json("status 1");
    assert_eq!((&status["id"], &status["draft"]), (&sent["id"], &1.into()), "its number is another name of it");
    let both = alice.rows("draft send 2");
    assert_eq!((&both[0]["to"], &both[1]["to"]), (&"bob".into(), &"alice".into()));
    assert!(alice.rows("draft list").is_empty());
    works(&alice, "draft add bob again");
    assert_eq!(alice.json("draft")["number"], 4);
    for (line, code) in
        [("draft show 9", 4), ("draft send 1", 4), ("draft delete x", 2), ("draft add bob hi --wait", 2)]
    {
        assert_eq!(alice.run(line).code, code, "{line}");
    }
    assert!(alice.run("draft send 1").talk.contains("dak status"), "it was sent");
}

#[test]
fn what_is_refused_is_kept_and_goes_once_its_recipient_has_a_name() {
    let (alice, bob) = two();
    let refused = alice.run_args(&["send", "robert", "long and well considered"]);
    assert_eq!(refused.code, 4);
    let kept = "there is no contact robert, and the text is kept as draft 1, to be sent with `dak draft send 1`";
    assert!(refused.talk.contains(kept), "{}", refused.talk);
    assert_eq!(alice.json("draft")["refused"], "there is no contact robert");
    assert_eq!(alice.run("draft send 1").code, 4);
    works(&alice, "contact rename bob robert");
    works(&alice, "draft send 1");
    bob.until("inbox", |rows| texts(rows) == ["long and well considered"]);
    for _ in 0..2 {
        assert_eq!(alice.run("send nobody hi").code, 4);
    }
    assert_eq!(alice.rows("draft").len(), 1, "trying again keeps it once");
    assert_eq!(alice.run("send robert hi --lifetime 400d").code, 5);
    assert!(alice.rows("draft")[1]["refused"].as_str().unwrap().contains("lifetime"));
    works(&alice, "draft send 2 --to robert");
    bob.until("inbox", |rows| rows.len() == 2);
}

#[test]
fn what_is_to_go_later_goes_by_itself_at_its_time_also_after_a_restart() {
    let (mut alice, bob) = two();
    let soon = works(&alice, "send bob soon --at 1s");
    assert!(
        soon.starts_with("draft 1 for bob, goes today") || soon.starts_with("draft 1 for bob, goes tomorrow"),
        "{soon}"
    );
    bob.until("inbox", |rows| texts(rows) == ["soon"]);
    let status = alice.json("status 1");
    assert!(status["meant_at"].is_string() && status["draft"] == 1, "{status}");
    assert!(alice.rows("draft").is_empty());

    works(&alice, "send bob never --at 3h");
    assert!(alice.json("draft")["at"].is_string());
    assert!(works(&alice, "cancel 2").contains("not sent"));
    alice.down();
    works(&alice, "send bob after --at 1s");
    alice.up(&format!("--peer {}", bob.place()));
    bob.until("inbox", |rows| texts(rows) == ["soon", "after"]);
    assert!(alice.rows("draft").is_empty());
    for (line, code) in [
        ("send bob hi --at yesterday", 2),
        ("send bob hi --at 2h --wait", 2),
        ("send bob hi --at 2h --reply-by 1h", 2),
        ("send nobody hi --at 2h", 4),
    ] {
        assert_eq!(alice.run(line).code, code, "{line}");
    }
}

#[test]
fn whom_a_contact_introduces_is_added_with_one_command_by_the_id_of_the_introduction() {
    let (alice, bob) = two();
    let mut carol = Person::new("carol");
    let address = carol.up(&format!("--peer {}", alice.place()))["address"].as_str().unwrap().to_owned();
    works(&alice, &format!("contact add carol {address}"));
    let sent = alice.json("contact share carol --with bob");
    bob.until("inbox", |rows| rows.len() == 1);
    let row = &bob.rows("inbox")[0];
    let id = sent["id"].as_str().unwrap();
    assert_eq!((&row["introduces"]["name"], &row["introduces"]["known_as"]), (&"carol".into(), &Value::Null));
    let command = format!("dak contact add carol {}", &id[..10]);
    for line in ["inbox".to_owned(), "talk alice".into(), format!("read {id} --peek")] {
        let shown = works(&bob, &line);
        assert!(shown.contains(&format!("introduces carol: {command}")), "{line}: {shown}");
    }
    let added = works(&bob, command.strip_prefix("dak ").unwrap());
    assert!(added.ends_with(", introduced by alice; not verified\n"), "{added}");
    let peer = carol.json("me")["peer_id"].clone();
    let contact = bob.rows("contact").into_iter().find(|row| row["name"] == "carol").unwrap();
    assert_eq!((&contact["peer_id"], &contact["introduced_by"]), (&peer, &"alice".into()));
    assert_eq!(contact["verified"], false);
    assert!(works(&bob, "inbox").contains("introduces carol, whom you know"));
    // Whoever only wrote is meant themselves.
    let plain = say(&alice, "bob", "hello");
    works(&bob, "contact remove alice");
    let writer = works(&bob, &format!("contact add al {plain}"));
    assert!(writer.ends_with(&format!(", who wrote {}\n", &plain[..10])), "{writer}");
    works(&bob, "contact remove carol");
    for (line, code) in [("contact share bob --with bob", 2), ("contact share nobody --with bob", 4)] {
        assert_eq!(alice.run(line).code, code, "{line}");
    }
}
