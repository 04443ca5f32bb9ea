//! What the command line says: with names and local times, about what is so, and with what to do next.

use serde_json::Value;

use crate::person::Person;
use crate::{SOMEBODY, acquaint};

fn two() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    (alice, bob)
}

fn say(from: &Person, to: &str, text: &str) -> String {
    let sent = from.json(&format!("send {to} {text} --wait=delivered --timeout 30s"));
    sent["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_change_is_told_with_names_and_local_times_wherever_it_is_shown() {
    let (alice, bob) = two();
    let id = say(&alice, "bob", "pump");
    let change = bob.json(&format!("task add {id} --assign alice --due 2199-05-01T12:00Z"));
    let change = change["id"].as_str().unwrap();
    bob.until(&format!("status {change}"), |rows| rows[0]["state"] == "delivered");
    let shown = |args: &[&str]| bob.run_with(args, &[("TZ", "AAA-5")]).data;
    let words = "open, for alice, due 2199-05-01";
    let listed = shown(&["status"]);
    assert!(listed.ends_with(&format!("  {words}\n")), "{listed}");
    assert!(shown(&["status", change]).contains(&format!("\na change: {words}\n")), "{}", shown(&["status", change]));
    let read = shown(&["read", change]);
    assert!(read.contains("\nchanges   alice: pump (") && read.ends_with(&format!("\n{words}\n")), "{read}");
    // A program gets what it can compare.
    let row = bob.json(&format!("status {change}"));
    let sets: Vec<(&str, &str)> = row["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| (set["field"].as_str().unwrap(), set["what"].as_str().unwrap()))
        .collect();
    let address = format!("dak:{}", alice.json("me")["peer_id"].as_str().unwrap());
    assert_eq!(sets, [("task", "open"), ("assignee", &address), ("due", "2199-05-01T12:00:00Z")]);
    assert_eq!(row["sets"][1]["who"]["name"], "alice");
    bob.json(&format!("task assign {id} nobody"));
    bob.json(&format!("task due {id} never"));
    bob.json(&format!("react {id} thanks"));
    let listed = bob.run("status").data;
    let last: Vec<&str> = listed.lines().rev().take(3).collect();
    for (line, words) in last.iter().rev().zip(["  for nobody", "  due at no time", "  thanks"]) {
        assert!(line.ends_with(words), "{listed}");
    }
}

#[test]
fn of_what_is_no_task_nothing_is_done_and_the_way_to_make_it_one_is_named() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = alice.json("send me note")["id"].as_str().unwrap().to_owned();
    let verbs = ["done ID", "open ID", "assign ID me", "due ID 3d", "due ID never", "remove ID"];
    for verb in verbs {
        let ran = alice.run(&format!("task {}", verb.replace("ID", &id)));
        let wanted = format!("dak: that message is no task; make it one with `dak task add {}`\n", &id[..10]);
        assert_eq!((ran.code, ran.talk), (5, wanted), "{verb}");
    }
    assert_eq!(alice.rows("task --all").len(), 0);
    assert_eq!(alice.rows("status").len(), 1, "nobody was told of anything");
    alice.json(&format!("task add {id}"));
    for verb in verbs {
        alice.json(&format!("task {}", verb.replace("ID", &id)));
    }
    assert_eq!(alice.run(&format!("task done {id}")).code, 5, "it is none any more");
}

#[test]
fn what_arrived_is_not_cancelled_and_the_way_to_take_it_back_is_named() {
    let (alice, _bob) = two();
    let id = say(&alice, "bob", "slip");
    let ran = alice.run(&format!("cancel {id}"));
    let wanted = format!(
        "dak: that message arrived: bob has it, and no copies are handed out; ask that it be forgotten with `dak withdraw {}`\n",
        &id[..10]
    );
    assert_eq!((ran.code, ran.data.as_str(), ran.talk), (5, "", wanted));
    assert_eq!(alice.json(&format!("status {id}"))["state"], "delivered");
}

#[test]
fn one_is_never_called_several() {
    let (alice, bob) = two();
    let file = alice.file("plan", b"at six");
    assert_eq!(alice.run(&format!("send bob hi -f {file} --wait=delivered --timeout 30s")).code, 0);
    assert!(bob.run("purge --files-only --dry-run").data.starts_with("would go: 1 file of 1 message, "));
    assert!(bob.run("purge --from alice --dry-run").data.starts_with("would go: 1 message, "));
    assert!(bob.run("space").data.contains("with alice, 1 message  "));
    alice.json("topic create one");
    let ran = alice.run("pub one text");
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert!(alice.run("doctor").data.contains("contacts: 1 contact lasts now"));
}

#[test]
fn what_frees_space_is_proposed_where_it_frees_some() {
    let (alice, bob) = two();
    let proposed = |person: &Person| -> Vec<(String, String)> {
        let rows = person.rows("space").into_iter();
        let row = |row: Value| Some((row["what"].as_str()?.to_owned(), row["frees"].as_str()?.to_owned()));
        rows.filter_map(row).collect()
    };
    assert_eq!(proposed(&alice), []);
    alice.json(&format!("send {SOMEBODY} waits"));
    assert_eq!(proposed(&alice), [], "what is on its way is no record yet");
    let file = bob.file("plan", &[b'x'; 2_000]);
    assert_eq!(bob.run(&format!("send me note -f {file}")).code, 0);
    let both = |what: &str, frees: &str| (what.to_owned(), frees.to_owned());
    // He carries what waits at alice's.
    bob.until("carry", |rows| rows[0]["bytes"].as_u64() > Some(0));
    let wanted = [
        both("files", "dak purge --files-only"),
        both("carried", "dak carry limit SIZE"),
        both("conversation", "dak purge --from bob"),
    ];
    assert_eq!(proposed(&bob), wanted);
    for (_, command) in proposed(&bob).into_iter().filter(|(what, _)| what != "carried") {
        let dry = format!("{} --dry-run", command.strip_prefix("dak ").unwrap());
        assert!(bob.json(&dry)["messages"].as_u64().unwrap() > 0, "{command}");
    }
}

#[test]
fn who_verifies_without_a_terminal_is_told_how() {
    let (alice, _bob) = two();
    let ran = alice.run("contact verify bob");
    assert_eq!(ran.code, 0);
    assert!(ran.talk.contains("dak contact verify bob --yes"), "{}", ran.talk);
    assert_eq!(alice.json("contact verify bob --yes")["verified"], true);
}

#[test]
fn a_line_that_makes_no_sense_is_an_error_object_where_json_was_asked_for() {
    let nobody = Person::new("nobody");
    for line in [
        "--json",
        "--json fly",
        "send --json",
        "send bob hi there --json",
        "talk bob --limit many --json",
        "contact --json add",
        "send bob hi -p asap --json",
        "up --json --listen nowhere",
        "task due 3f2a --json",
        "\u{1b}[2J --json",
    ] {
        let ran = nobody.run(line);
        assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (2, "", 1), "{line}: {}", ran.talk);
        let error: Value = serde_json::from_str(&ran.talk).unwrap();
        assert_eq!(
            (&error["schema"], &error["exit_code"], &error["error"]["kind"]),
            (&1.into(), &2.into(), &"usage".into())
        );
        for field in ["message", "next_step"] {
            let words = error["error"][field].as_str().unwrap();
            assert!(!words.is_empty() && !words.contains(['\u{1b}', '\n']), "{line}: {words}");
        }
    }
    let ran = nobody.run("send bob hello there friend --json");
    assert!(ran.talk.contains("dak send WHO \\\"hello there friend\\\""), "{}", ran.talk);
    // What stands behind is another program's.
    assert!(!nobody.run("sub -- x --json").talk.starts_with('{'));
    assert_eq!(nobody.run("send --help --json").code, 0);
}

#[test]
fn a_name_that_ends_as_a_folder_is_made_one() {
    let mut alice = Person::new("alice");
    alice.up("");
    assert_eq!(alice.run(&format!("send {} hi", SOMEBODY)).code, 0);
    let place = alice.path("new");
    let ran = alice.run(&format!("stick export {place}/"));
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    let file = alice.path("one.cborseq");
    assert_eq!(alice.run(&format!("stick export {file}")).code, 0);
    assert!(std::fs::metadata(&file).unwrap().is_file());
    assert_eq!(alice.run(&format!("stick export {file}/")).code, 1);
}

#[test]
fn nouns_list_without_a_verb_and_following_has_two_names_everywhere() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json("topic create one");
    for (noun, verb) in [
        ("contact", "list"),
        ("task", "list"),
        ("draft", "list"),
        ("label", "list"),
        ("topic", "list"),
        ("file", "list"),
        ("inbox", "list"),
        ("config", "show"),
    ] {
        let (bare, whole) = (alice.run(noun), alice.run(&format!("{noun} {verb}")));
        assert_eq!((bare.code, bare.data), (0, whole.data), "{noun}: {}", bare.talk);
    }
    alice.json("pub one text");
    for line in ["sub one --group a --follow", "sub one --group b --watch"] {
        assert!(alice.spawn(&format!("{line} --json")).line().contains("text"), "{line}");
    }
    for command in ["inbox", "talk", "status", "sub", "file"] {
        let help = alice.run(&format!("{command} --help")).data;
        assert!(help.contains("--follow") && help.contains("--watch"), "{command}: {help}");
    }
}
