//! Groups: begun, joined, written to once and read by all; who came and went, and what they can read.

use rustix::process::Signal;
use serde_json::Value;

use crate::person::Person;

impl Person {
    /// Runs a command that must succeed.
    pub fn does(&self, line: &str) {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
    }

    /// Runs a command of these words that must succeed, and returns its one object.
    pub fn json_of(&self, words: &[&str]) -> Value {
        let ran = self.run_args(&[words, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.talk);
        ran.json()
    }
}

/// People who know each other under their names, on one network that the first is the middle of.
pub fn know_each_other<const N: usize>(names: [&'static str; N]) -> [Person; N] {
    let mut people = names.map(Person::new);
    let mut addresses = Vec::new();
    let mut middle = String::new();
    for person in &mut people {
        let more = if middle.is_empty() { String::new() } else { format!("--peer {middle}") };
        addresses.push(person.up(&more)["address"].as_str().unwrap().to_owned());
        if middle.is_empty() {
            middle = person.place();
        }
    }
    for (one, person) in people.iter().enumerate() {
        for (other, (name, address)) in names.iter().zip(&addresses).enumerate() {
            if one != other {
                let ran = person.run(&format!("contact add {name} {address}"));
                assert_eq!(ran.code, 0, "{}", ran.talk);
            }
        }
    }
    people
}

/// The texts of a conversation, lines of who came and went left out.
fn texts(person: &Person, who: &str) -> Vec<String> {
    let rows = person.rows(&format!("talk {who}"));
    let texts = rows.iter().filter(|row| row["kind"] == "text");
    texts.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn lines(person: &Person, who: &str) -> String {
    let rows = person.rows(&format!("talk {who}"));
    let lines = rows.iter().filter(|row| row["kind"] == "group");
    let line = |row: &Value| format!("{} {}", row["from"]["name"].as_str().unwrap(), row["text"].as_str().unwrap());
    lines.map(line).collect::<Vec<_>>().join("\n")
}

fn joins(person: &Person, group: &str) {
    person.until("group", |rows| rows.iter().any(|row| row["name"] == group && row["standing"] == "invited"));
    assert_eq!(person.json(&format!("group join {group}"))["standing"], "joined");
}

pub fn reads(person: &Person, group: &str, text: &str) {
    person.until(&format!("talk {group}"), |rows| rows.iter().any(|row| row["text"] == text));
}

/// Alice begins a crew with bob and carol, who join.
pub fn crew() -> [Person; 3] {
    let people = know_each_other(["alice", "bob", "carol"]);
    let [alice, bob, carol] = &people;
    let begun = alice.json("group create crew --with bob,carol");
    assert_eq!((&begun["name"], &begun["role"], &begun["members"]), (&"crew".into(), &"owner".into(), &3.into()));
    joins(bob, "crew");
    joins(carol, "crew");
    for person in &people {
        person.until("group members crew", |rows| rows.len() == 3 && rows.iter().all(|row| row["role"] != "invited"));
    }
    people
}

#[test]
fn what_is_written_once_to_a_group_is_read_by_all_its_members_who_say_so() {
    let [alice, bob, carol] = crew();
    let held = || alice.rows("carry list").into_iter().filter(|row| row["to"] == "crew").collect::<Vec<Value>>();
    let before = held().len();
    let text = "tide at 0610, meet on the pier";
    let ran = alice.run_args(&["send", "crew", text, "--wait=delivered", "--json"]);
    assert_eq!(ran.code, 0, "until all members said to have it: {}", ran.talk);
    let sent: Value = serde_json::from_str(ran.data.lines().next().unwrap()).unwrap();
    assert_eq!(sent["to"], "crew");
    assert_eq!(held().len(), before + 1, "one bundle, whatever the number of members");
    let id = sent["id"].as_str().unwrap();
    let bundle = held().into_iter().find(|row| row["id"] == id).unwrap();
    assert!(bundle["bytes"].as_u64().unwrap() <= 700 + text.len() as u64, "{bundle}");
    for person in [&bob, &carol] {
        reads(person, "crew", text);
        let rows = person.rows("talk crew");
        let row = rows.iter().find(|row| row["text"] == text).unwrap();
        assert_eq!((&row["from"]["name"], &row["mine"]), (&"alice".into(), &false.into()));
        assert_eq!(person.run("inbox").data.matches("tide at").count(), 1);
    }
    alice.until(&format!("status {id}"), |rows| rows[0]["state"] == "delivered");
    let status = alice.json(&format!("status {id}"));
    let members = status["members"].as_array().unwrap();
    assert_eq!((&status["to"], members.len()), (&"crew".into(), 2));
    assert!(members.iter().all(|member| member["state"] == "delivered" && member["name"].is_string()), "{status}");
    let said = alice.run(&format!("status {id}")).data;
    assert!(said.contains("2 of 2 delivered"), "{said}");
    assert!(lines(&alice, "crew").contains("bob joined"), "{}", lines(&alice, "crew"));
    assert!(lines(&carol, "crew").contains("alice began the group crew; asked bob to join; asked carol to join"));
    assert!(!alice.run("status").data.contains("of a group"), "keys and receipts are nobody's messages");
}

#[test]
fn what_was_said_in_a_group_comes_back_from_an_export_into_its_own_conversation() {
    let [alice, bob, _carol] = crew();
    alice.json_of(&["send", "crew", "tide at 0610"]);
    reads(&bob, "crew", "tide at 0610");
    bob.json_of(&["send", "crew", "I bring the rope"]);
    reads(&alice, "crew", "I bring the rope");
    let said = texts(&alice, "crew");
    assert_eq!(said, ["tide at 0610", "I bring the rope"]);
    let file = alice.path("all.jsonl");
    assert_eq!(alice.run(&format!("export --all -o {file}")).code, 0);
    let exported = alice.rows("export --all");
    assert_eq!(exported.iter().filter(|row| row["kind"] == "text" && row["to_group"] == true).count(), 2);

    // Her own is on its way still, and stays.
    alice.json("purge --from crew --yes");
    assert_eq!(texts(&alice, "crew"), ["tide at 0610"]);
    assert_eq!(alice.run(&format!("import {file}")).code, 0);
    assert_eq!(texts(&alice, "crew"), said);

    // A new home is in no group, and reads what was said in it by its address.
    let address = alice.rows("group")[0]["address"].as_str().unwrap().to_owned();
    let mut heir = Person::new("heir");
    heir.up("");
    assert_eq!(heir.run(&format!("import {file}")).code, 0);
    assert!(heir.rows("talk").iter().any(|row| row["conversation"] == address.as_str()), "{:?}", heir.rows("talk"));
    assert_eq!(texts(&heir, &address), said);
    assert_eq!(heir.rows("carry list").len(), 0, "nothing is sent again");
}

#[test]
fn what_members_have_they_say_in_words_that_nobody_answers_and_that_leave_once_they_are_heard() {
    let [alice, bob, carol] = crew();
    let sent: Vec<String> = (0..3)
        .map(|n| alice.json_of(&["send", "crew", &format!("leg {n}")])["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &sent {
        alice.until(&format!("status {id}"), |rows| rows[0]["state"] == "delivered");
    }
    for person in [&bob, &carol] {
        let to_alice = |row: &Value| row["to"] == "alice" && row["kind"] != "receipt";
        person.until("carry list", |rows| !rows.iter().any(to_alice));
        // Nor is any of it in what they wrote, or in what came.
        assert!(person.rows("status").iter().all(|row| row["to"] != "alice"), "{:?}", person.rows("status"));
    }
}

#[test]
fn who_is_away_is_named_and_reads_what_was_written_meanwhile_from_a_carrier() {
    let [mut alice, mut bob, mut carol] = crew();
    assert_eq!(carol.down(), Some(0));
    let sent = alice.json_of(&["send", "crew", "the pier is closed"]);
    let id = sent["id"].as_str().unwrap();
    alice.until(&format!("status {id}"), |rows| {
        rows[0]["members"].as_array().unwrap().iter().any(|member| member["state"] == "delivered")
    });
    let said = alice.run(&format!("status {id}")).data;
    assert!(said.contains("1 of 2 delivered; missing carol"), "{said}");
    // Bob has it, and carries it to her; the process of both was killed in between.
    alice.signal(Signal::KILL);
    bob.signal(Signal::KILL);
    bob.up("");
    let bobs = bob.place();
    carol.up(&format!("--peer {bobs}"));
    reads(&carol, "crew", "the pier is closed");
    assert_eq!(texts(&carol, "crew").len(), 1);
    alice.up(&format!("--peer {bobs}"));
    alice.until(&format!("status {id}"), |rows| rows[0]["state"] == "delivered");
}

#[test]
fn who_is_removed_reads_nothing_that_is_written_since_and_who_comes_nothing_from_before() {
    let mut people = know_each_other(["alice", "bob", "carol", "dave"]);
    {
        let [alice, bob, carol, _] = &people;
        alice.json("group create crew --with bob,carol");
        joins(bob, "crew");
        joins(carol, "crew");
        alice.until("group members crew", |rows| rows.iter().all(|row| row["role"] != "invited"));
        alice.json_of(&["send", "crew", "from before"]);
        reads(bob, "crew", "from before");
        reads(carol, "crew", "from before");
        let removed = alice.run("group remove crew carol");
        assert!(removed.code == 0 && removed.data.contains("once its writer has learned"), "{}", removed.data);
        bob.until("group members crew", |rows| rows.len() == 2);
        carol.until("group", |rows| rows[0]["standing"] == "out");
        bob.json_of(&["send", "crew", "without carol"]);
        reads(alice, "crew", "without carol");
        assert_eq!(carol.run("send crew hello").code, 5);
    }
    let [alice, bob, carol, dave] = &mut people;
    assert_eq!(alice.json("group invite crew dave")["members"], 3);
    joins(dave, "crew");
    bob.until("group members crew", |rows| rows.len() == 3 && rows.iter().all(|row| row["role"] != "invited"));
    bob.json_of(&["send", "crew", "welcome"]);
    reads(dave, "crew", "welcome");
    assert_eq!(texts(dave, "crew"), ["welcome"]);
    assert!(lines(bob, "crew").contains("alice removed carol"), "{}", lines(bob, "crew"));
    assert_eq!(texts(carol, "crew"), ["from before"]);
    // The last owner hands over first.
    let stays = alice.run("group leave crew");
    assert!(stays.code == 5 && stays.talk.contains("; make another member an owner first"), "{}", stays.talk);
    alice.does("group owner crew bob");
    alice.does("group leave crew");
    bob.until("group members crew", |rows| rows.len() == 2);
    bob.json_of(&["send", "crew", "without alice"]);
    reads(dave, "crew", "without alice");
    bob.does("group rename crew team");
    dave.until("group", |rows| rows[0]["name"] == "team");
    reads(dave, "team", "without alice");
    assert!(!texts(alice, "crew").contains(&"without alice".to_owned()));
}

#[test]
fn what_comes_of_somebody_who_is_out_leaves_one_event_that_it_is_gone() {
    let [alice, mut bob, mut carol] = crew();
    let bobs = bob.place();
    assert_eq!(carol.down(), Some(0));
    alice.does("group remove crew carol");
    bob.until("group members crew", |rows| rows.len() == 2);
    // She does not know yet, and what she writes is later than that.
    let id = carol.json_of(&["send", "crew", "from outside"])["id"].as_str().unwrap().to_owned();
    let mut events = bob.spawn("talk --follow --json --since 0");
    carol.up(&format!("--peer {bobs}"));
    let row = loop {
        let line = events.line();
        assert!(!line.contains("from outside"), "{line}");
        if line.contains(&id) {
            break serde_json::from_str::<Value>(&line).unwrap();
        }
    };
    assert_eq!(row["what"], "deleted", "{row}");
    assert!(!texts(&bob, "crew").contains(&"from outside".to_owned()));
    assert!(bob.rows("inbox").iter().all(|row| row["id"] != id.as_str()));
    assert_eq!(bob.down(), Some(0));
}

#[test]
fn everything_of_conversations_works_in_a_group() {
    let [alice, bob, carol] = crew();
    let sent = alice.json_of(&["send", "crew", "who brings the anchor?"]);
    let id = &sent["id"].as_str().unwrap()[..10];
    reads(&bob, "crew", "who brings the anchor?");
    bob.does(&format!("react {id} 👍"));
    assert_eq!(bob.run_args(&["reply", id, "I do"]).code, 0);
    reads(&carol, "crew", "I do");
    let answer = carol.rows("talk crew").into_iter().find(|row| row["text"] == "I do").unwrap();
    assert_eq!((&answer["from"]["name"], answer["in_reply_to"].is_string()), (&"bob".into(), true), "{answer}");
    alice.until("talk crew", |rows| rows.iter().any(|row| row["reactions"].to_string().contains('👍')));
    assert_eq!(alice.run_args(&["edit", id, "who brings the small anchor?"]).code, 0);
    reads(&carol, "crew", "who brings the small anchor?");
    alice.does(&format!("task add {id} --assign bob"));
    carol.until("task --all", |rows| rows.len() == 1);
    carol.does(&format!("task done {id}"));
    bob.until("task --all", |rows| rows.iter().any(|row| row["state"] == "done"));
    let found = carol.rows("search in:crew anchor");
    assert!(!found.is_empty());
    carol.does("mute crew --except-mentions");
    bob.does("archive crew");
}

#[test]
fn names_belong_to_one_and_what_cannot_be_done_says_why() {
    let [alice, bob, _] = crew();
    for (line, code) in [
        ("group create crew", 5),
        ("group create bob", 5),
        ("group create me", 2),
        ("group join nothing", 4),
        ("group members nothing", 4),
        ("group invite crew nobody", 4),
        ("group invite crew bob", 5),
        ("group remove crew me", 5),
        ("contact verify crew", 4),
    ] {
        let ran = alice.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{line}: {}", ran.talk);
    }
    for line in ["group invite crew alice", "group remove crew carol", "group rename crew mine", "group owner crew me"]
    {
        let ran = bob.run(line);
        assert!(ran.code == 5 && ran.talk.contains("owner"), "{line}: {}", ran.talk);
    }
    // Another's group of the same name is told apart by whose it is.
    bob.json("group create boat");
    alice.json("group create boat --with bob");
    bob.until("group", |rows| rows.iter().any(|row| row["name"] == "boat (alice's)"));
    assert_eq!(bob.json_of(&["group", "join", "boat (alice's)"])["name"], "boat (alice's)");
    assert_eq!(bob.run_args(&["send", "boat (alice's)", "hello"]).code, 0);
    reads(&alice, "boat", "hello");
    // So is one that only looks the same, with a letter of another script or a wide one.
    for name in ["b\u{43e}at", "\u{ff42}oat"] {
        assert_eq!(alice.run_args(&["group", "create", name, "--with", "bob"]).code, 5, "it looks like her own");
    }
    alice.json("group rename boat barge");
    for name in ["b\u{43e}at", "Barg\u{435}"] {
        let code = alice.run_args(&["group", "create", name, "--with", "bob"]).code;
        assert_eq!(code == 0, name != "Barg\u{435}", "{name}");
    }
    bob.until("group", |rows| rows.iter().any(|row| row["name"] == "b\u{43e}at (alice's)"));
    // Who does not want to be asked says so.
    alice.json("group create spare --with bob");
    bob.until("group", |rows| rows.iter().any(|row| row["name"] == "spare"));
    assert_eq!(bob.run("send spare hello").code, 5);
    bob.does("group leave spare");
    alice.until("group members spare", |rows| rows.len() == 1);
}

#[test]
fn a_carrier_that_is_no_member_is_the_only_link_between_two_halves() {
    let [mut alice, mut bob] = know_each_other(["alice", "bob"]);
    alice.json("group create crew --with bob");
    joins(&bob, "crew");
    alice.until("group members crew", |rows| rows.iter().all(|row| row["role"] != "invited"));
    assert_eq!((alice.down(), bob.down()), (Some(0), Some(0)));
    let mut dave = Person::new("dave");
    dave.up("");
    let link = format!("--peer {}", dave.place());
    let carries = |many: usize| {
        dave.until("carry list", |rows| {
            let to_groups = |row: &&Value| row["to_address"].as_str().unwrap().starts_with("dtn:");
            rows.iter().filter(to_groups).count() >= many
        });
    };
    alice.up(&link);
    let sent = alice.json_of(&["send", "crew", "the bridge is out"]);
    carries(3);
    assert_eq!(alice.down(), Some(0));
    bob.up(&link);
    reads(&bob, "crew", "the bridge is out");
    bob.does("send crew on-my-way");
    carries(4);
    assert_eq!(bob.down(), Some(0));
    assert!(!dave.run("talk").data.contains("crew"), "who carries reads nothing");
    alice.up(&link);
    reads(&alice, "crew", "on-my-way");
    alice.until(&format!("status {}", sent["id"].as_str().unwrap()), |rows| rows[0]["state"] == "delivered");
    let waited = alice.run("send crew anybody --wait=delivered --timeout 1s");
    assert_eq!(waited.code, 6, "{}", waited.talk);
}

#[test]
fn changes_that_cross_come_to_the_same_and_everybody_reads_what_is_written_then() {
    let mut people = know_each_other(["alice", "bob", "carol", "dave"]);
    {
        let [alice, bob, carol, _] = &people;
        alice.json("group create crew --with bob,carol");
        joins(bob, "crew");
        joins(carol, "crew");
        alice.until("group members crew", |rows| rows.iter().all(|row| row["role"] != "invited"));
        alice.does("group owner crew bob");
        bob.until("group members crew", |rows| rows.iter().filter(|row| row["role"] == "owner").count() == 2);
    }
    people.iter_mut().for_each(|person| assert_eq!(person.down(), Some(0)));
    let [alice, bob, carol, dave] = &mut people;
    alice.up("");
    alice.does("group remove crew carol");
    assert_eq!(alice.down(), Some(0));
    bob.up("");
    bob.does("group invite crew dave");
    alice.up(&format!("--peer {}", bob.place()));
    let link = format!("--peer {}", alice.place());
    carol.up(&link);
    dave.up(&link);
    joins(dave, "crew");
    for person in [&*alice, &*bob, &*dave] {
        person.until("group members crew", |rows| {
            let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
            rows.len() == 3 && !names.contains(&"carol") && rows.iter().all(|row| row["role"] != "invited")
        });
    }
    carol.until("group", |rows| rows[0]["standing"] == "out");
    let sent = dave.json_of(&["send", "crew", "hello all"]);
    reads(alice, "crew", "hello all");
    reads(bob, "crew", "hello all");
    dave.until(&format!("status {}", sent["id"].as_str().unwrap()), |rows| rows[0]["state"] == "delivered");
    assert!(texts(carol, "crew").is_empty());
}

#[test]
fn who_may_read_from_the_start_does_and_a_stranger_s_invitation_is_a_request() {
    let people = know_each_other(["alice", "bob", "carol"]);
    let [alice, bob, carol] = &people;
    alice.json("group create crew --with bob");
    joins(bob, "crew");
    alice.json_of(&["send", "crew", "from before"]);
    reads(bob, "crew", "from before");
    alice.does("group invite crew carol --from-start");
    joins(carol, "crew");
    reads(carol, "crew", "from before");
    let mut dave = Person::new("dave");
    dave.up(&format!("--peer {}", alice.place()));
    let address = alice.json("me")["address"].as_str().unwrap().to_owned();
    dave.does(&format!("contact add alice {address}"));
    dave.json("group create club --with alice");
    alice.until("group", |rows| rows.iter().any(|row| row["name"] == "club" && row["standing"] == "invited"));
    alice.until("requests", |rows| rows.iter().any(|row| row["text"].as_str().unwrap().contains("club")));
    alice.does("group leave club");
    dave.until("group members club", |rows| rows.len() == 1);
}

#[test]
fn who_joins_while_a_carrier_is_in_contact_reads_what_the_carrier_holds_for_the_group() {
    let [mut alice, mut bob] = know_each_other(["alice", "bob"]);
    let mut dave = Person::new("dave");
    dave.up("");
    let link = format!("--peer {}", dave.place());
    assert_eq!((alice.down(), bob.down()), (Some(0), Some(0)));
    // Of somebody who carries for nobody a carrier learns by its Hello alone which groups it is in.
    bob.up(&format!("{link} --carry-limit 0"));
    alice.up(&link);
    alice.json("group create crew --with bob");
    bob.until("group", |rows| rows.iter().any(|row| row["name"] == "crew" && row["standing"] == "invited"));
    alice.does("send crew the-bridge-is-out");
    dave.until("carry list", |rows| {
        rows.iter().filter(|row| row["to_address"].as_str().unwrap().starts_with("dtn:")).count() >= 2
    });
    assert_eq!(alice.down(), Some(0));
    joins(&bob, "crew");
    reads(&bob, "crew", "the-bridge-is-out");
    bob.until("peers", |peers| peers.len() == 1);
}
