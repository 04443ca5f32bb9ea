//! `dak chat --plain` on a terminal: a line that somebody types is neither torn nor lost, whatever comes meanwhile.

use rustix::process::Signal;

use crate::acquaint;
use crate::chat::{CTRL_C, ENTER, Terminal, drafts};
use crate::person::Person;

#[test]
fn a_line_that_is_typed_stands_whole_below_what_comes_meanwhile() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut chat = Terminal::chat(&alice, "chat bob --plain", (80, 24), &[]);
    chat.until("nothing was said yet");
    chat.types("the pump is mendid");
    chat.until("the pump is mendid");
    assert_eq!(bob.run("send alice are-you-there").code, 0);
    chat.until_right("the line below what came", |screen| {
        screen.lines().rfind(|line| !line.is_empty()) == Some("the pump is mendid")
            && screen.contains(": are-you-there\n")
    });
    // It is one's own still, to the last letter.
    chat.types("\u{7f}\u{7f}ed");
    chat.types(ENTER);
    bob.until("talk alice", |rows| rows.iter().any(|row| row["text"] == "the pump is mended"));
    chat.until("me, today");
    chat.types("two\u{1b}\rlines");
    chat.types(ENTER);
    bob.until("talk alice", |rows| rows.last().unwrap()["text"] == "two\nlines");
    assert!(!chat.raw().contains('\u{1b}'), "{:?}", chat.raw());
    assert_eq!(drafts(&alice), Vec::<String>::new());
}

#[test]
fn a_line_that_is_typed_outlives_a_kill_a_cut_line_and_a_node_that_is_gone() {
    let mut alice = Person::new("alice");
    alice.up("");
    for signal in [Signal::KILL, Signal::HUP] {
        let mut chat = Terminal::chat(&alice, "chat me --plain", (80, 24), &[]);
        chat.until("nothing was said yet");
        chat.types("half a thought");
        alice.until("draft", |rows| rows.len() == 1 && rows[0]["text"] == "half a thought");
        chat.signal(signal);
        chat.until_written("left with");
        drop(chat);
        let mut chat = Terminal::chat(&alice, "chat me --plain", (80, 24), &[]);
        chat.until("a draft waits: half a thought (/draft)");
        chat.types("/draft\r");
        chat.until("\nhalf a thought\n");
        chat.types("\u{15}/quit\r");
        chat.ends(0);
        assert_eq!(drafts(&alice), Vec::<String>::new(), "what was taken away is gone");
    }
    let mut chat = Terminal::chat(&alice, "chat me --plain", (80, 24), &[]);
    chat.until("nothing was said yet");
    alice.signal(Signal::KILL);
    chat.until_right("that nothing comes", |screen| screen.contains("no node runs") || screen.contains("cut off"));
    // What is sent waits in the home, and is seen there.
    chat.types("at once\r");
    chat.until("me, today");
    chat.types("later");
    chat.until("\nlater");
    // The key keeps it at once.
    chat.types(CTRL_C);
    chat.ends(130);
    assert_eq!(drafts(&alice), ["later"]);
}

#[test]
fn lines_that_are_pasted_are_one_message_and_wait_for_enter() {
    let mut alice = Person::new("alice");
    alice.up("");
    let mut chat = Terminal::chat(&alice, "chat me --plain", (80, 24), &[]);
    chat.until("nothing was said yet");
    chat.types("the first line of a paste\nand its second line\nand its third");
    chat.until("(3 lines; Enter sends");
    assert_eq!(alice.rows("talk me").len(), 0);
    chat.types(ENTER);
    alice.until("talk me", |rows| rows.len() == 1);
    let text = "the first line of a paste\nand its second line\nand its third";
    assert_eq!(alice.rows("talk me")[0]["text"], text);
    chat.types("/quit\r");
    chat.ends(0);
}

#[test]
fn an_enter_at_the_end_of_a_paste_of_more_than_a_terminal_holds_sends_nothing() {
    let mut alice = Person::new("alice");
    alice.up("");
    let lines: Vec<String> = (0..1_000).map(|n| format!("line {n} of a long paste")).collect();
    for how in ["chat me --plain", "chat me"] {
        let mut chat = Terminal::chat(&alice, how, (80, 24), &[]);
        chat.until("nothing was said yet");
        chat.types(&format!("{}\r", lines.join("\r")));
        chat.until("line 999 of a long paste");
        let last = lines.last().unwrap();
        alice.until("draft", |rows| {
            rows.len() == 1 && {
                let draft = alice.json(&format!("draft show {}", rows[0]["number"]));
                draft["text"].as_str().unwrap().trim_end().ends_with(last)
            }
        });
        assert_eq!(alice.rows("talk me").len(), 0, "{how}: nobody asked for it to be sent");
        chat.types(CTRL_C);
        chat.until("left with");
        alice.run(&format!("draft delete {}", alice.rows("draft")[0]["number"]));
    }
}

#[test]
fn on_a_narrow_terminal_lines_are_broken_between_words() {
    let mut alice = Person::new("alice");
    alice.up("");
    let words = "the pump at the upper well leaks again and the seal has not come yet";
    assert_eq!(alice.run_args(&["send", "me", words]).code, 0);
    let mut chat = Terminal::chat(&alice, "chat me --plain", (40, 30), &[]);
    chat.until("come yet");
    chat.types("/help\r");
    chat.until("kept as a draft.");
    let raw = chat.raw();
    let screen: Vec<&str> = raw.lines().map(|line| line.trim_end_matches('\r')).collect();
    let wide: Vec<&&str> = screen.iter().filter(|line| line.chars().count() > 40).collect();
    assert!(wide.is_empty(), "{wide:?}");
    assert!(screen.iter().any(|line| line.starts_with("  ") && line.ends_with("come yet")), "{screen:?}");
    assert!(screen.contains(&"/talk NAME") && screen.contains(&"/who"), "{screen:?}");
    chat.types("/quit\r");
    chat.ends(0);
}

#[test]
fn line_by_line_threads_edits_reactions_and_files_go_by_number() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert_eq!(bob.run("send alice one --wait").code, 0);
    let mut chat = Terminal::chat(&alice, "chat bob --plain", (80, 24), &[]);
    chat.until("[1] bob, today");
    chat.types("/reply 1 two\r");
    chat.until("(answers [1]) two");
    chat.types("/edit 2 three\r");
    bob.until("talk alice", |rows| rows.iter().any(|row| row["text"] == "three"));
    chat.until("changed: me");
    chat.types("/edit 1 mine\r");
    chat.until("only what you wrote yourself");
    for many in [1, 0] {
        chat.types("/react 1 +\r");
        bob.until("talk alice", |rows| rows[0]["reactions"].as_array().unwrap().len() == many);
        alice.until("talk bob", |rows| rows[0]["reactions"].as_array().unwrap().len() == many);
        chat.until_right("that it changed", |screen| screen.matches("changed: bob").count() == 2 - many);
    }
    chat.types("/thread 2\r");
    chat.until("-- a thread of 2 --");
    let path = alice.file("a plan.txt", b"up the hill");
    chat.types(&format!("/file \"{path}\" the plan\r"));
    chat.until("[a plan.txt (11 B)]");
    bob.until("talk alice", |rows| rows.iter().any(|row| row["text"] == "the plan"));
    chat.types("/file\r");
    chat.until("no file is named");
    let place = alice.path("saved");
    chat.types(&format!("/save 3 {place}\r"));
    chat.until("a plan.txt");
    chat.until("saved");
    chat.types("/quit\r");
    chat.ends(0);
}
