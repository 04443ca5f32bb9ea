//! A bell, and notifications on the desktop, for what comes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::acquaint;
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
