//! A bell, and notifications on the desktop, for what comes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::acquaint;
use crate::apps::packed;
use crate::hooks::{lines_of, send};
use crate::person::Person;

/// A desktop that writes down what it is to show, in a directory for PATH.
fn desktop(person: &Person) -> String {
    let (bin, shown) = (person.path("bin"), person.path("shown"));
    fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\ntest \"$1\" = --version && exit\nfor word; do printf '%s|' \"$word\"; done >> {shown}\necho >> {shown}\n"
    );
    let program = format!("{bin}/notify-send");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{bin}:{}", std::env::var("PATH").unwrap())
}

#[test]
fn what_comes_rings_and_is_shown_with_nothing_raw() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let path = desktop(&bob);
    let none = bob.run_with(&["notify", "--desktop"], &[("PATH", "/nowhere")]);
    assert!(none.code == 1 && none.talk.contains("notify-send"), "{none:?}");
    let talk = bob.path("talk");
    let start = |options: &[&str]| {
        let mut command = bob.command(&[&["notify"], options].concat());
        let log = fs::File::create(&talk).unwrap();
        command.env("PATH", &path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    };
    // It says that it listens before anything is sent.
    let mut notifier = start(&["--desktop", "--bell"]);
    bob.until_talk("talk", "listening");
    send(&alice, "bob", "come\nat \u{1b}[31msix <b>&</b>");
    let shown = lines_of(&bob, "shown", 1).remove(0);
    assert_eq!(shown, "--app-name=dak|--urgency=normal|--|alice|come at \\u{1b}[31msix &lt;b&gt;&amp;&lt;/b&gt;|");
    bob.until_talk("talk", "\u{7}");
    notifier.kill().unwrap();
    notifier.wait().unwrap();
    let mut private = start(&["--desktop", "--private"]);
    bob.until_talk("talk", "listening");
    assert_eq!(alice.run_args(&["send", "bob", "secret", "-p", "urgent"]).code, 0);
    let shown = lines_of(&bob, "shown", 2).remove(1);
    assert_eq!(shown, "--app-name=dak|--urgency=critical|--|urgent, a message||");
    private.kill().unwrap();
    private.wait().unwrap();
    assert_eq!(bob.run("inbox --count").data, "2\n");
    assert_eq!(bob.down(), Some(0));
    assert_eq!(bob.run("notify --bell").code, 3, "it listens to a node");
}

#[test]
fn an_app_rings_for_whom_it_means_unless_the_conversation_is_muted() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let path = desktop(&bob);
    let board = alice.file(
        "board.xdc",
        &packed(&[("index.html", b"x"), ("manifest.toml", "name = \"<b>Board\u{202e}\"".as_bytes())]),
    );
    let sent = alice.run_args(&["send", "bob", "-f", &board, "--json"]);
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    bob.until("app", |rows| rows.len() == 1);
    let mut command = bob.command(&["notify", "--desktop"]);
    let log = fs::File::create(bob.path("talk")).unwrap();
    command.env("PATH", &path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut notifier = command.spawn().unwrap();
    bob.until_talk("talk", "listening");
    let tells = |many: u64, more: &[&str]| {
        let ran = alice.run_args(&[&["app", "update", &id, "1"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.talk);
        bob.until("app", |rows| rows[0]["updates"] == many);
    };
    tells(1, &["--info", "nobody is called", "--notify", "somebody=else"]);
    tells(2, &["--notify", "*=your <i>turn\u{202e}"]);
    let shown = lines_of(&bob, "shown", 1).remove(0);
    let wanted = "--app-name=dak|--urgency=normal|--|alice|&lt;b&gt;Board\\u{202e}: your &lt;i&gt;turn\\u{202e}|";
    assert_eq!(shown, wanted);
    assert_eq!(bob.json("inbox --count")["unread"], 1, "it is no mail");
    assert_eq!(bob.run("mute alice").code, 0);
    tells(3, &["--notify", "*=not now"]);
    assert_eq!(bob.run("unmute alice").code, 0);
    tells(4, &["--info", "somebody moved", "--href", "page.html", "--notify", "*"]);
    let shown = lines_of(&bob, "shown", 2).remove(1);
    assert!(shown.ends_with(": somebody moved|"), "{shown}");
    // Who follows the record hears whom it means, and the line of it says where it leads.
    let rows = bob.rows("talk alice");
    let line = rows.iter().find(|row| row["text"] == "somebody moved").unwrap();
    assert_eq!((&line["kind"], &line["href"]), (&"app".into(), &"page.html".into()));
    let mut follow = bob.spawn("--json talk --follow --since 0");
    let notices = std::iter::from_fn(|| follow.try_line())
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
        .filter(|row| row["what"] == "update")
        .take(4)
        .map(|row| row["notice"]["href"].clone())
        .collect::<Vec<_>>();
    assert_eq!(notices.last().unwrap(), "page.html");
    assert_eq!(notices.iter().filter(|href| href.is_null()).count(), 3);
    notifier.kill().unwrap();
    notifier.wait().unwrap();
}
