//! Topics: published, carried, consumed; and what keeps a consumer that dies, or fails, from losing anything.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::acquaint;
use crate::person::{Person, Ran};

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

/// Waits until so many events of a topic are here, then takes them.
fn events(person: &Person, topic: &str, many: u64) -> Vec<Value> {
    person.until("topic", |rows| rows.iter().any(|row| row["topic"] == topic && row["last_event"] == many));
    person.rows(&format!("sub {topic}"))
}

/// Runs a command with lines on its stdin.
fn with_stdin(person: &Person, args: &[&str], text: &str) -> Ran {
    let mut command = person.command(args);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), data: text(output.stdout), talk: text(output.stderr) }
}

#[test]
fn what_is_published_comes_to_who_subscribes_with_a_carrier_between_and_each_event_once() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    carol.up("");
    let alices = alice.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    alice.json("topic create sensors/temp");
    alice.until("peers", |peers| peers.len() == 1);
    alice.json("pub sensors/temp 20.5");
    alice.json("pub sensors/temp 21 --key kitchen");
    carol.until("topic", |rows| rows.iter().any(|row| row["standing"] == "around" && row["carried"] == 3));
    assert_eq!(alice.down(), Some(0));
    // By her key alone: bob meets carol, and never alice.
    bob.up(&format!("--peer {}", carol.place()));
    assert_eq!(bob.run(&format!("contact add alice {alices}")).code, 0);
    assert_eq!(bob.json("topic subscribe alice/sensors/temp")["topic"], "alice/sensors/temp");
    let rows = events(&bob, "alice/sensors/temp", 2);
    // Numbered as they came: two signatures are checked side by side, and either may be done first.
    let came = texts(&rows);
    assert_eq!(BTreeSet::from_iter(&came), BTreeSet::from(["20.5", "21"].each_ref()));
    assert_eq!(rows.iter().map(|row| &row["event"]).collect::<Vec<_>>(), [1, 2]);
    let row = rows.iter().find(|row| row["text"] == "21").unwrap();
    assert_eq!((&row["topic"], &row["key"]), (&"alice/sensors/temp".into(), &"kitchen".into()));
    assert_eq!(row["from"]["name"], "alice");
    assert!(row["id"].as_str().unwrap().len() == 64 && row["sent_at"].is_string(), "{row}");
    assert_eq!(bob.rows("sub alice/sensors/temp").len(), 0, "each once");
    assert_eq!(texts(&bob.rows("sub alice/sensors/temp --group other")), came, "every group for itself");
    assert_eq!(texts(&bob.rows("sub alice/sensors/temp --from 1")), came[1..]);
    assert_eq!(bob.run("inbox").data, "", "and no mail of it");
    let late = bob.run("sub alice/sensors/temp --from 9");
    assert_eq!(late.code, 9, "{}", late.talk);
    // The same over a restart, also one that nobody announced.
    bob.signal(Signal::KILL);
    bob.up(&format!("--peer {}", carol.place()));
    assert_eq!(bob.rows("sub alice/sensors/temp").len(), 0);
    alice.up(&format!("--peer {}", carol.place()));
    alice.json("pub sensors/temp 22");
    assert_eq!(texts(&events(&bob, "alice/sensors/temp", 3)), ["22"]);
}

#[test]
fn who_is_listed_writes_and_who_is_not_is_refused_here_and_by_everybody() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("topic create board/rides");
    let refused = bob.run("pub alice/board/rides hello");
    assert_eq!((refused.code, refused.talk.contains("leave to write")), (5, true), "{}", refused.talk);
    let created = alice.json("topic create board/rides --writers bob");
    assert_eq!(created["writers"][0]["name"], "bob");
    bob.until("topic", |rows| rows.iter().any(|row| row["writers"][0]["name"] == "bob"));
    bob.json("pub alice/board/rides hello");
    let rows = events(&alice, "board/rides", 1);
    assert_eq!((texts(&rows), &rows[0]["from"]["name"]), (vec!["hello"], &"bob".into()));
    alice.json("topic create board/walks --writers bob");
    bob.until("topic", |rows| rows.iter().any(|row| row["topic"] == "alice/board/walks" && row["carried"] == 1));
    assert_eq!(bob.run("pub alice/board/walks hello").code, 0, "a list that was carried before counts");
    let nobody = alice.run_args(&["topic", "create", "board/rides", "--writers", ""]);
    assert_eq!(nobody.code, 0, "{}", nobody.talk);
    bob.until("topic", |rows| rows.iter().any(|row| row["writers"].as_array().unwrap().is_empty()));
    assert_eq!(bob.run("pub alice/board/rides again").code, 5);
    for (line, code) in [
        ("topic create A", 2),
        ("topic create a.b", 2),
        ("topic create bob/x", 2),
        ("pub nothing hello", 4),
        ("pub nobody/nothing hello", 4),
        ("sub nothing", 4),
        ("sub alice/board/rides --group a/b", 2),
        ("topic unsubscribe nothing", 4),
    ] {
        let ran = bob.run(&line.replace("create bob/", "create alice/"));
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{line}: {}", ran.talk);
    }
}

#[test]
fn the_latest_word_on_a_key_is_all_that_a_late_reader_gets() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json("topic create door");
    for (text, key) in [("open", "front"), ("open", "back"), ("closed", "front")] {
        alice.json(&format!("pub door {text} --key {key}"));
    }
    let rows = alice.rows("sub door");
    let words: Vec<_> = rows.iter().map(|row| (row["key"].as_str().unwrap(), row["text"].as_str().unwrap())).collect();
    assert_eq!(words, [("back", "open"), ("front", "closed")]);
}

#[test]
fn many_lines_are_many_messages_and_go_together() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json("topic create log");
    let lines: String = (0..2_000).map(|n| format!("line {n}\n")).collect();
    let ran = with_stdin(&alice, &["pub", "log", "-"], &lines);
    assert_eq!((ran.code, ran.talk.trim()), (0, "published 2000 messages in log"));
    let rows = alice.rows("sub log");
    assert_eq!(rows.len(), 2_000);
    assert!(rows.iter().enumerate().all(|(n, row)| row["text"] == format!("line {n}") && row["event"] == n as u64 + 1));
    let long = with_stdin(&alice, &["pub", "log", "-"], &"x".repeat(70_000));
    assert_eq!(long.code, 5, "{}", long.talk);
}

#[test]
fn what_a_consumer_that_was_killed_had_goes_to_the_next_one() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json("topic create jobs");
    for job in ["one", "two", "three"] {
        alice.json(&format!("pub jobs {job}"));
    }
    let got = alice.path("got");
    // It ends with whoever runs it, so that nothing of it outlasts the test.
    let slow = format!("cat >> {got}; echo >> {got}.began; while kill -0 $PPID 2>/dev/null; do sleep 0.1; done");
    let script = alice.file("slow.sh", slow.as_bytes());
    let mut slow = alice.spawn(&format!("sub jobs -- sh {script}"));
    let started = std::time::Instant::now();
    while fs::read_to_string(format!("{got}.began")).unwrap_or_default().is_empty() {
        assert!(started.elapsed() < crate::PATIENCE, "{}", alice.talk());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The next one shares the group, and gets what nobody has.
    let second = alice.file("fast.sh", format!("cat >> {got}.second").as_bytes());
    assert_eq!(alice.run(&format!("sub jobs -- sh {second}")).code, 0);
    let read = |path: &str| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().into()).collect()
    };
    assert_eq!((read(&got), read(&format!("{got}.second"))), (vec!["one".into()], vec!["two".into(), "three".into()]));
    slow.signal(Signal::KILL);
    assert_eq!(slow.end(), None);
    let third = alice.file("third.sh", format!("cat >> {got}.third").as_bytes());
    let started = std::time::Instant::now();
    while read(&format!("{got}.third")).is_empty() && started.elapsed() < crate::PATIENCE {
        assert_eq!(alice.run(&format!("sub jobs -- sh {third}")).code, 0);
    }
    assert_eq!(read(&format!("{got}.third")), ["one"]);
    assert_eq!(alice.rows("sub jobs").len(), 0);
}

#[test]
fn what_fails_goes_again_and_what_is_given_up_can_be_looked_at_and_handed_out_again() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json("topic create jobs");
    alice.json("pub jobs bad");
    alice.json("pub jobs flaky");
    alice.json("pub jobs good");
    let (seen, work) = (alice.path("seen"), alice.path("work.sh"));
    fs::write(
        &work,
        format!(
            "read line; echo \"$line\" >> {seen}\ncase \"$line\" in *'\"bad\"'*) exit 65;; *'\"flaky\"'*'\"attempt\":1'*) exit 1;; esac"
        ),
    )
    .unwrap();
    let mut consumer = alice.spawn(&format!("sub jobs --follow --tries 3 -- sh {work}"));
    let started = std::time::Instant::now();
    while fs::read_to_string(&seen).unwrap_or_default().lines().count() < 4 {
        assert!(started.elapsed() < crate::PATIENCE, "{:?}", fs::read_to_string(&seen));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let order: Vec<(String, u64)> = fs::read_to_string(&seen)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| (row["text"].as_str().unwrap().to_owned(), row["attempt"].as_u64().unwrap()))
        .collect();
    let wanted = [("bad", 1), ("flaky", 1), ("good", 1), ("flaky", 2)].map(|(text, n)| (text.to_owned(), n));
    assert_eq!(order, wanted, "a pause holds up nothing else");
    alice.until("sub jobs --failed", |rows| rows.len() == 1);
    let failed = alice.json("sub jobs --failed");
    assert_eq!((&failed["text"], &failed["event"], &failed["attempt"]), (&"bad".into(), &1.into(), &1.into()));
    assert!(failed["why"].as_str().unwrap().contains("65"), "{failed}");
    assert!(alice.run("sub jobs --failed").data.contains("dak sub jobs --retry 1"));
    consumer.signal(Signal::INT);
    consumer.end();
    assert_eq!(alice.run("sub jobs --retry 2").code, 4);
    assert_eq!(alice.run("sub jobs --retry 1").code, 0);
    alice.signal(Signal::KILL);
    alice.up("");
    assert_eq!(texts(&alice.rows("sub jobs")), ["bad"], "also after a restart");
    assert_eq!(alice.rows("sub jobs --failed").len(), 0);
    // One that always fails, too slow this time, until there is no more patience.
    alice.json("pub jobs stuck");
    let sleepy = alice.file("sleepy.sh", b"sleep 600");
    assert_eq!(alice.run(&format!("sub jobs --tries 1 --timeout 200ms -- sh {sleepy}")).code, 0);
    let failed = alice.json("sub jobs --failed");
    assert!(failed["why"].as_str().unwrap().contains("longer than"), "{failed}");
    assert_eq!(alice.run("sub jobs --from start -- no-such-program").code, 2);
}

#[test]
fn a_pattern_hears_of_several_topics_and_what_is_no_longer_subscribed_to_leaves_nothing() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    for topic in ["home/kitchen/temp", "home/attic/temp", "home/attic/door"] {
        alice.json(&format!("topic create {topic}"));
    }
    bob.json("topic subscribe alice/home/+/temp");
    for topic in ["home/kitchen/temp", "home/attic/temp", "home/attic/door"] {
        alice.json(&format!("pub {topic} {topic}"));
    }
    for topic in ["alice/home/kitchen/temp", "alice/home/attic/temp"] {
        bob.until("topic", |rows| rows.iter().any(|row| row["topic"] == topic && row["last_event"] == 1));
    }
    let mut heard: Vec<String> =
        bob.rows("sub alice/home/+/temp").iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    heard.sort();
    assert_eq!(heard, ["home/attic/temp", "home/kitchen/temp"]);
    assert_eq!(bob.run("topic unsubscribe alice/home/+/temp").code, 0);
    let left = bob.rows("topic");
    assert!(left.iter().all(|row| row["standing"] == "around" && row["last_event"] == 0), "{left:?}");
}

#[test]
fn what_was_published_while_no_node_ran_leaves_with_the_next_one() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("topic create notes");
    bob.json("topic subscribe alice/notes");
    assert_eq!(alice.down(), Some(0));
    alice.json("pub notes later");
    let place = bob.place();
    alice.up(&format!("--peer {place}"));
    assert_eq!(texts(&events(&bob, "alice/notes", 1)), ["later"]);
}

#[test]
fn what_a_neighbour_carries_is_subscribed_to_by_the_name_it_is_listed_under() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    carol.up("");
    alice.up(&format!("--peer {}", carol.place()));
    alice.json("topic create weather/lake");
    alice.json("pub weather/lake calm");
    // Bob knows carol alone; who alice is he has never heard.
    bob.up(&format!("--peer {}", carol.place()));
    bob.until("topic", |rows| rows.iter().any(|row| row["standing"] == "around" && row["carried"] == 2));
    let listed = bob.json("topic")["topic"].as_str().unwrap().to_owned();
    let shown = bob.run("topic").data;
    assert!(shown.contains("weather/lake") && shown.contains("around"), "{shown}");
    assert_eq!(bob.run_args(&["topic", "subscribe", &listed]).code, 0, "{listed}");
    assert_eq!(texts(&events(&bob, &listed, 1)), ["calm"]);
    let typed = shown.lines().find_map(|line| line.split_whitespace().find(|word| word.ends_with("/lake"))).unwrap();
    let again = bob.run_args(&["sub", typed, "--from", "start", "--json"]);
    assert_eq!((again.code, again.data.contains("calm")), (0, true), "{typed}: {}", again.talk);
}

#[test]
fn a_carrier_keeps_the_latest_word_on_each_key_and_as_much_of_a_topic_as_its_owner_says() {
    let (mut alice, mut carol) = (Person::new("alice"), Person::new("carol"));
    carol.up("");
    let alices = alice.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    assert_eq!(carol.run(&format!("contact add alice {alices}")).code, 0);
    alice.json("topic create door");
    for n in 0..6 {
        alice.json(&format!("pub door {n} --key {}", ["front", "back"][n % 2]));
    }
    let carried = |many: u64| {
        carol.until("topic", |rows| rows.iter().any(|row| row["topic"] == "alice/door" && row["carried"] == many))
    };
    // The list of writers, and the last word on either door.
    carried(3);
    assert_eq!(alice.json("topic")["carried"], 3, "at its owner as well");
    alice.json("pub door loose");
    carried(4);
    assert_eq!(
        carol.run("topic set alice/door").data,
        "alice/door stays here to the end of its life, as far as there is room\n"
    );
    let set = carol.run("topic set alice/door --keep 2d --bytes 900");
    assert_eq!((set.code, set.data.as_str()), (0, "alice/door stays here for 2d, at most 900\n"), "{}", set.talk);
    carol.until("topic", |rows| {
        rows.iter().any(|row| row["topic"] == "alice/door" && row["carried"].as_u64() < Some(2))
    });
    carol.signal(Signal::KILL);
    carol.up("");
    let kept = carol.json("topic set alice/door");
    assert_eq!((&kept["keep_ms"], &kept["keep_bytes"]), (&172_800_000.into(), &900.into()), "also after a restart");
    let usual = carol.json("topic set alice/door --usual --keep 1h");
    assert_eq!((&usual["keep_ms"], &usual["keep_bytes"]), (&3_600_000.into(), &Value::Null));
    assert_eq!(carol.run("topic set nobody/door --keep 1h").code, 4);
    assert_eq!(carol.run("topic set nobody/# --keep 1h").code, 4, "a slip is no pattern of one's own topics");
    // What is read here keeps to it as well.
    alice.json("topic set door --bytes 600");
    alice.json("pub door one");
    alice.json("pub door two");
    assert_eq!(texts(&alice.rows("sub door --from start --group late")), ["one", "two"]);
    let stays = alice.json("topic");
    assert_eq!(stays["keep_bytes"], 600);
    // So does what is published after a restart.
    alice.signal(Signal::KILL);
    alice.up("");
    (0..4).for_each(|_| drop(alice.json("pub door six")));
    alice.until("topic", |rows| rows[0]["carried"] == stays["carried"]);
}

#[test]
fn a_topic_of_ones_own_can_be_ended_and_made_anew() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("topic create board --writers bob");
    bob.json("topic subscribe alice/board");
    bob.until("topic", |rows| rows.iter().any(|row| row["writers"][0]["name"] == "bob"));
    bob.json("pub alice/board hello");
    assert_eq!(texts(&events(&alice, "board", 1)), ["hello"]);
    let ended = alice.json("topic delete board");
    assert!(ended["carried_until"].is_string(), "{ended}");
    assert_eq!(alice.rows("topic").len(), 0);
    assert_eq!(alice.run("sub board").code, 4);
    assert_eq!(alice.run("pub board again").code, 4);
    bob.until("topic", |rows| rows.iter().all(|row| row["writers"].as_array().unwrap().is_empty()));
    assert_eq!(bob.run("pub alice/board more").code, 5, "nobody writes there any more");
    for (line, code) in [("topic delete board", 4), ("topic delete bob/board", 4)] {
        let ran = alice.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{line}: {}", ran.talk);
    }
    assert_eq!(bob.run("topic delete alice/board").code, 5);
    alice.signal(Signal::KILL);
    alice.up("");
    assert_eq!(alice.rows("topic").len(), 0, "also after a restart");
    alice.json("topic create board");
    alice.json("pub board anew");
    assert_eq!(texts(&alice.rows("sub board")), ["anew"]);
}

#[test]
fn plus_stands_for_one_level_and_a_trailing_hash_for_all_that_follow() {
    let mut alice = Person::new("alice");
    alice.up("");
    for topic in ["home", "home/attic", "home/attic/temp", "home/cellar/temp", "shed/temp"] {
        alice.json(&format!("topic create {topic}"));
        alice.json(&format!("pub {topic} {topic}"));
    }
    for (pattern, wanted) in [
        ("home/#", &["home", "home/attic", "home/attic/temp", "home/cellar/temp"][..]),
        ("home/+/temp", &["home/attic/temp", "home/cellar/temp"]),
        ("+/temp", &["shed/temp"]),
        ("#", &["home", "home/attic", "home/attic/temp", "home/cellar/temp", "shed/temp"]),
    ] {
        let rows = alice.rows(&format!("sub {pattern} --group {}", wanted.len()));
        let mut heard = texts(&rows);
        heard.sort_unstable();
        assert_eq!(heard, wanted, "{pattern}");
    }
    assert_eq!(alice.run("sub home/#/temp").code, 2, "all that follow stands last");
}

#[test]
fn who_carries_more_and_subscribes_while_a_carrier_is_in_contact_is_told_what_the_carrier_holds() {
    let (mut alice, mut bob, mut carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    carol.up("");
    let alices = alice.up(&format!("--peer {}", carol.place()))["peer_id"].as_str().unwrap().to_owned();
    bob.up(&format!("--peer {} --carry-limit 0", carol.place()));
    bob.until("peers", |peers| peers.len() == 1);
    alice.json("topic create weather");
    alice.json("pub weather gale");
    carol.until("topic", |rows| rows.iter().any(|row| row["standing"] == "around" && row["carried"] == 2));
    assert_eq!(alice.down(), Some(0));
    assert_eq!(bob.run(&format!("contact add alice {alices}")).code, 0);
    let subscribed = bob.run("topic subscribe alice/weather");
    assert_eq!((subscribed.code, &*subscribed.data), (0, "subscribed to alice/weather\n"));
    assert!(subscribed.talk.contains("dak carry limit 64M"), "{subscribed:?}");
    assert_eq!(bob.rows("sub alice/weather").len(), 0, "who carries for nobody is offered nothing");
    assert_eq!(bob.run("carry limit 64M").code, 0);
    assert_eq!(bob.run("topic subscribe alice/weather").talk, "");
    assert_eq!(texts(&events(&bob, "alice/weather", 1)), ["gale"]);
    bob.until("peers", |peers| peers.len() == 1);
}
