//! Hooks: programs that work on what comes, whatever becomes of them, of the node and of each other.

use std::fs;
use std::time::Instant;

use rustix::process::{Pid, Signal, test_kill_process};
use serde_json::Value;

use crate::acquaint;
use crate::person::Person;

/// What a file beside the home says, once it says this much.
pub fn lines_of(person: &Person, file: &str, many: usize) -> Vec<String> {
    let (path, started) = (person.path(file), Instant::now());
    loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= many && (text.is_empty() || text.ends_with('\n')) {
            return lines;
        }
        assert!(started.elapsed() < crate::PATIENCE, "{file} never had {many} lines: {text}\n{}", person.talk());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Adds a hook for the shell, which may have blanks in it.
pub fn add(person: &Person, name: &str, options: &str, line: &str) -> Value {
    let options: Vec<&str> = options.split_whitespace().collect();
    let args = [&["hook", "add", name, "--json", "--shell"], &options[..], &["--", line]].concat();
    let ran = person.run_args(&args);
    assert_eq!(ran.code, 0, "{}", ran.talk);
    ran.json()
}

pub fn send(from: &Person, to: &str, text: &str) -> String {
    let ran = from.run_args(&["send", to, text, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.talk);
    ran.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_hook_gets_what_comes_as_json_with_little_around_it_and_no_shell_between() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let got = bob.path("got");
    let script = bob
        .file("got.sh", format!("#!/bin/sh\nenv >> {got}.env\necho \"$@\" >> {got}.args\ncat >> {got}\n").as_bytes());
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let row = bob.run_args(&["hook", "add", "log", "--json", "--", &script, "$(touch evil)", "a b"]).json();
    assert_eq!((&row["name"], &row["cmd"][1], &row["shell"]), (&"log".into(), &"$(touch evil)".into(), &false.into()));
    let id = send(&alice, "bob", "$(touch evil); `touch evil`");
    let lines = lines_of(&bob, "got", 1);
    let message: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&message["hook"], &message["id"], &message["attempt"]), (&"log".into(), &id.clone().into(), &1.into()));
    assert_eq!((&message["from"], &message["text"]), (&"alice".into(), &"$(touch evil); `touch evil`".into()));
    assert!(message["event"].as_u64().unwrap() > 0 && message["schema"] == 1, "{message}");
    assert_eq!(lines_of(&bob, "got.args", 1), ["$(touch evil) a b"]);
    let around = lines_of(&bob, "got.env", 1).join("\n");
    for wanted in [format!("DAK_ID={id}"), "DAK_HOOK=log".into(), format!("DAK_HOME={}", bob.home().display())] {
        assert!(around.contains(&wanted), "{wanted} is missing: {around}");
    }
    assert!(!around.contains("CARGO"), "{around}");
    assert!(!bob.home().join("evil").exists() && bob.json("inbox")["read"] == false);
    // Each once, and not what the node's owner writes.
    send(&bob, "alice", "hello");
    let second = send(&alice, "bob", "again");
    let lines = lines_of(&bob, "got", 2);
    assert!(lines[1].contains(&second) && lines.len() == 2, "{lines:?}");
    let list = bob.rows("hook");
    assert_eq!((list.len(), &list[0]["failed"], &list[0]["timeout_ms"]), (1, &0.into(), &60_000.into()));
    assert_eq!(bob.run("hook add log -- cat").code, 5, "the name is taken");
    assert_eq!(bob.run("hook remove log").code, 0);
    assert_eq!(bob.run("hook remove log").code, 4);
    assert_eq!(bob.rows("hook").len(), 0);
}

#[test]
fn filters_say_which_messages_and_a_label_that_comes_later_counts() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let got = bob.path("got");
    let note = |name: &str| format!("echo {name} >> {got}");
    add(&bob, "pumps", "--match pump*", &note("pumps"));
    add(&bob, "dry", "--match dry", &note("dry"));
    add(&bob, "hers", "--from alice --in alice", &note("hers"));
    add(&bob, "mine", "--from me", &note("mine"));
    add(&bob, "todo", "--label todo", &note("todo"));
    let id = send(&alice, "bob", "the pumps and a valve");
    assert_eq!(
        lines_of(&bob, "got", 2).iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["hers", "pumps"].into()
    );
    assert_eq!(bob.run(&format!("label add ToDo {id}")).code, 0);
    assert_eq!(lines_of(&bob, "got", 3)[2], "todo");
    send(&alice, "bob", "dry");
    let mut all = lines_of(&bob, "got", 5);
    all.sort();
    assert_eq!(all, ["dry", "hers", "hers", "pumps", "todo"]);
    for (line, code) in [
        ("hook add x --from nobody -- cat", 4),
        ("hook add x --in nobody -- cat", 4),
        ("hook add x --match colour:red -- cat", 2),
        ("hook add a/b -- cat", 2),
        ("hook add x -- no-such-program", 2),
        ("hook add x --timeout 2h -- cat", 2),
        ("hook add x --tries 0 -- cat", 2),
        ("hook add x", 2),
        ("hook test x", 4),
        ("hook failed x", 4),
        ("hook retry beef", 4),
    ] {
        let ran = bob.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{line}: {}", ran.talk);
    }
}

#[test]
fn what_fails_goes_again_what_is_given_up_is_listed_and_a_retry_has_it_done() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let got = bob.path("got");
    add(&bob, "flaky", "", &format!("echo $DAK_ATTEMPT >> {got}; test $DAK_ATTEMPT -ge 2"));
    let id = send(&alice, "bob", "one");
    assert_eq!(lines_of(&bob, "got", 2), ["1", "2"]);
    bob.until("hook", |rows| rows[0]["running"] == 0 && rows[0]["waiting"] == 0);
    assert_eq!(bob.rows("hook failed").len(), 0);
    // Until a file is there, one gives up at once and another after two tries.
    let ready = bob.path("ready");
    add(&bob, "strict", "", &format!("test -e {ready} || exit 65; echo strict >> {got}"));
    add(
        &bob,
        "patient",
        "--tries 2",
        &format!("test -e {ready} || {{ echo not yet >&2; exit 3; }}; echo patient >> {got}"),
    );
    let other = send(&alice, "bob", "two");
    bob.until("hook failed", |rows| rows.len() == 2);
    let failed = bob.rows("hook failed patient");
    assert_eq!(
        (&failed[0]["id"], &failed[0]["attempt"], &failed[0]["text"]),
        (&other.clone().into(), &2.into(), &"two".into())
    );
    assert!(failed[0]["why"].as_str().unwrap().ends_with("ended with exit status: 3: not yet"), "{failed:?}");
    assert_eq!(bob.rows("hook failed strict")[0]["attempt"], 1);
    // Who looks whether all is well hears of it.
    let told = |wanted: &str| {
        let rows = bob.rows("doctor").into_iter().filter(|row| row["check"] == "hooks").collect::<Vec<_>>();
        assert_eq!((rows.len(), &rows[0]["verdict"]), (1, &wanted.into()), "{rows:?}");
        rows[0].clone()
    };
    let row = told("warn");
    assert_eq!(row["message"], "2 messages were given up by patient, strict");
    assert_eq!(row["next"]["step"], "list_failed_hooks");
    let shown = bob.run("doctor").data;
    assert!(
        shown.contains("2 messages were given up by patient, strict") && shown.contains("dak hook failed"),
        "{shown}"
    );
    assert!(bob.talk().contains("not yet") && bob.talk().contains("a hook gave a message up"), "{}", bob.talk());
    // It is there after a restart as well.
    assert_eq!(bob.down(), Some(0));
    bob.up("");
    fs::write(&ready, "").unwrap();
    assert_eq!(bob.run(&format!("hook retry {}", &other[..8])).code, 0);
    let mut all = lines_of(&bob, "got", 6)[2..].to_vec();
    all.sort();
    assert_eq!(all, ["1", "2", "patient", "strict"], "{id}");
    bob.until("hook", |rows| rows.iter().all(|row| row["failed"] == 0 && row["running"] == 0));
    let rows = bob.rows("doctor").into_iter().filter(|row| row["check"] == "hooks").collect::<Vec<_>>();
    assert_eq!((&rows[0]["verdict"], &rows[0]["message"]), (&"ok".into(), &"3 hooks; no message was given up".into()));
}

#[test]
fn what_was_under_way_when_the_node_died_goes_again_under_the_same_id() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let (got, ready) = (bob.path("got"), bob.path("ready"));
    // It ends with the node, so that nothing of it outlasts the test.
    let wait = format!("while kill -0 $PPID 2>/dev/null && ! test -e {ready}; do sleep 0.1; done");
    add(&bob, "slow", "", &format!("echo $DAK_ID $$ >> {got}; {wait}"));
    let id = send(&alice, "bob", "one");
    let first = lines_of(&bob, "got", 1)[0].clone();
    assert!(first.starts_with(&id));
    let second = send(&alice, "bob", "two");
    bob.signal(Signal::KILL);
    let place = alice.place();
    bob.up(&format!("--peer {place}"));
    let lines = lines_of(&bob, "got", 2);
    assert!(lines[1].starts_with(&id), "{lines:?}");
    // A node that is stopped as it should be ends what runs with it.
    assert_eq!(bob.down(), Some(0));
    let pid: i32 = lines[1].rsplit_once(' ').unwrap().1.parse().unwrap();
    let started = Instant::now();
    while test_kill_process(Pid::from_raw(pid).unwrap()).is_ok() {
        assert!(started.elapsed() < crate::PATIENCE, "process {pid} lives on");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fs::write(&ready, "").unwrap();
    bob.up(&format!("--peer {place}"));
    let lines = lines_of(&bob, "got", 4);
    assert!(lines[2].starts_with(&id) && lines[3].starts_with(&second), "{lines:?}");
    bob.until("hook", |rows| rows[0]["running"] == 0);
    assert_eq!(lines_of(&bob, "got", 4).len(), 4, "what is done stays done");
}

#[test]
fn hooks_that_hang_fork_or_print_without_end_harm_nobody_and_are_named_with_their_messages() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let got = bob.path("got");
    add(&bob, "hangs", "--timeout 1s --tries 1", "sleep 600");
    add(
        &bob,
        "forks",
        // Long enough to have forked three times on a machine that is busy.
        "--timeout 10s --tries 1",
        &format!("for n in 1 2 3; do sleep 600 & echo $! >> {got}.pids; done; wait"),
    );
    add(&bob, "prints", "--tries 1", "yes");
    add(&bob, "leaves", "", &format!("sleep 600 & echo $! >> {got}.pids; echo left >> {got}"));
    add(&bob, "works", "", &format!("cat >> {got}"));
    let id = send(&alice, "bob", "one");
    bob.until("hook failed", |rows| rows.len() == 3);
    let whys: Vec<(String, String)> = bob
        .rows("hook failed")
        .iter()
        .map(|row| {
            assert_eq!(row["id"], id);
            (row["hook"].as_str().unwrap().to_owned(), row["why"].as_str().unwrap().to_owned())
        })
        .collect();
    let why = |hook: &str| whys.iter().find(|(name, _)| name == hook).unwrap().1.as_str();
    assert!(why("hangs").contains("took longer than 1s") && why("forks").contains("took longer than 10s"), "{whys:?}");
    assert!(why("prints").contains("printed more than"), "{whys:?}");
    assert_eq!(lines_of(&bob, "got", 2).len(), 2);
    for pid in lines_of(&bob, "got.pids", 4) {
        let (pid, started) = (Pid::from_raw(pid.parse().unwrap()).unwrap(), Instant::now());
        let lives = || {
            fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
                .is_ok_and(|line| line.contains("sleep"))
        };
        while lives() {
            assert!(started.elapsed() < crate::PATIENCE, "what a hook started lives on");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    assert!(fs::metadata(bob.path("stderr")).unwrap().len() < 4 << 20, "the log is bounded");
    assert_eq!(bob.rows("inbox").len(), 1, "and the message is where it was");
}

#[test]
fn a_hook_is_tried_without_counting_and_what_it_prints_is_shown_harmlessly() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    add(&bob, "words", "--match pump", "printf '\\033[31m%s' red; echo oops >&2; exit 65");
    let ran = bob.run("hook test words");
    assert!(ran.code == 1 && ran.data.contains("a message that nobody wrote"), "{ran:?}");
    assert!(
        ran.data.contains("\\u{1b}[31mred") && ran.data.contains("given up") && !ran.data.contains('\u{1b}'),
        "{ran:?}"
    );
    let id = send(&alice, "bob", "a valve");
    bob.until("inbox", |rows| rows.len() == 1);
    let row = bob.run(&format!("hook test words {id} --json")).json();
    assert_eq!((&row["matches"], &row["outcome"], &row["id"]), (&false.into(), &"give_up".into(), &id.into()));
    assert_eq!((&row["stderr"], bob.rows("hook failed").len()), (&"oops\n".into(), 0));
    // Without a node it runs all the same, and is kept.
    assert_eq!(bob.down(), Some(0));
    assert_eq!(bob.run("hook test words").code, 1);
    assert_eq!(bob.rows("hook")[0]["match"], "pump");
}
