//! `dak chat` on the whole terminal: threads, files, groups, what is unread, the shell beside it, and terminals that do not say
//! where a paste begins.

use std::process::Command;

use rustix::process::Signal;
use serde_json::json;

use crate::acquaint;
use crate::apps::{begin, tell};
use crate::chat::{CTRL_C, ENTER, ESC, Terminal, drafts};
use crate::groups::know_each_other;
use crate::person::Person;

const CTRL_F: &str = "\u{6}";
const CTRL_N: &str = "\u{e}";
const CTRL_Z: &str = "\u{1a}";
const UP: &str = "\u{1b}[A";

#[test]
fn lines_that_are_pasted_without_a_word_of_it_are_one_message_and_wait_for_enter() {
    let mut alice = Person::new("alice");
    alice.up("");
    let mut chat = Terminal::chat(&alice, "chat me", (80, 24), &[]);
    chat.until("nothing was said yet");
    // Not bracketed: an old terminal, a serial line, a console.
    chat.types("the first line of a paste\rand its second line\rand its third");
    chat.until("  and its third");
    alice.until("draft", |rows| rows.len() == 1);
    assert_eq!(alice.rows("talk me").len(), 0, "nobody asked for any of it to be sent");
    chat.types(ENTER);
    alice.until("talk me", |rows| rows.len() == 1);
    let text = "the first line of a paste\nand its second line\nand its third";
    assert_eq!(alice.rows("talk me")[0]["text"], text);
    // Thousands of lines neither hold the program up nor go out one by one.
    let lines: Vec<String> = (0..2_000).map(|n| format!("line {n}")).collect();
    chat.types(&lines.join("\r"));
    chat.until("  line 1999");
    chat.types(CTRL_C);
    chat.ends(0);
    let draft = alice.json(&format!("draft show {}", alice.rows("draft")[0]["number"]));
    assert_eq!(draft["text"], lines.join("\n"));
    assert_eq!(alice.rows("talk me").len(), 1);
}

#[test]
fn one_thread_is_shown_alone_and_what_is_written_there_goes_on_in_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let root = bob.json("send alice the-pump-leaks --wait")["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.run(&format!("reply {root} i-have-a-seal --wait")).code, 0);
    assert_eq!(bob.run("send alice what-of-supper --wait").code, 0);
    let mut chat = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    chat.until("what-of-supper");
    chat.until("[1 answer]");
    chat.types(ESC);
    chat.until("t thread");
    // The last one is no thread, the ones above it are.
    chat.types("\u{1b}[F");
    chat.types("t");
    chat.until("nobody answered this one");
    chat.types(UP);
    chat.types("t");
    chat.until("bob, a thread");
    chat.until_right("the thread alone", |screen| screen.contains("i-have-a-seal") && !screen.contains("supper"));
    // What comes meanwhile is there where it belongs.
    assert_eq!(bob.run(&format!("reply {root} bring-it")).code, 0);
    assert_eq!(bob.run("send alice or-breakfast --wait").code, 0);
    chat.until_right("its new answer alone", |screen| screen.contains("  bring-it") && !screen.contains("breakfast"));
    chat.types("i");
    chat.types("on my way");
    chat.until("> on my way");
    chat.types(ENTER);
    bob.until("talk alice", |rows| {
        rows.iter().any(|row| row["text"] == "on my way" && root.starts_with(row["thread"].as_str().unwrap_or("none")))
    });
    chat.until("  on my way");
    chat.types(ESC);
    chat.until("t thread");
    chat.types(ESC);
    chat.until_right("all of it", |screen| !screen.contains("a thread") && screen.contains("supper"));
    chat.types(CTRL_C);
    chat.ends(0);
}

#[test]
fn the_shell_is_one_key_away_and_the_terminal_its_own_meanwhile() {
    let mut alice = Person::new("alice");
    alice.up("");
    let there = "echo \"stopped as $code\"; stty -a | grep -o -- '-*icanon'; fg >/dev/null; code=$?;";
    let mut chat = Terminal::in_shell(&alice, "chat me", (80, 24), &[], ("set -m;", there));
    chat.until("nothing was said yet");
    chat.types("half a thought");
    chat.until("> half a thought");
    chat.types(CTRL_Z);
    chat.until_written("stopped as ");
    // The shell goes on with it at once.
    chat.until_right("the chat again", |screen| screen.contains("> half a thought") && !screen.contains("stopped as"));
    let told = chat.raw();
    let meanwhile = told.split("stopped as").nth(1).unwrap().split("\u{1b}[?1049h").next().unwrap();
    assert!(meanwhile.contains("icanon") && !meanwhile.contains("-icanon"), "{meanwhile:?}");
    chat.types(" more");
    chat.until("> half a thought more");
    chat.types(CTRL_C);
    chat.ends(0);
    assert_eq!(drafts(&alice), ["half a thought more"]);
}

#[test]
fn a_chat_that_was_stopped_from_outside_takes_its_terminal_again() {
    let mut alice = Person::new("alice");
    alice.up("");
    let mut chat = Terminal::chat(&alice, "chat me", (80, 24), &[]);
    chat.until("nothing was said yet");
    let taken = |chat: &Terminal| chat.raw().matches("\u{1b}[?1049h").count();
    chat.signal(Signal::STOP);
    chat.signal(Signal::CONT);
    chat.until_right("it was taken again", |_| taken(&chat) == 2);
    // Where no shell could ever wake it, the key only draws the screen anew.
    chat.types(CTRL_Z);
    chat.until_right("it was taken again", |_| taken(&chat) >= 3);
    chat.types("still here");
    chat.until("> still here");
    chat.types(CTRL_C);
    chat.ends(0);
}

#[test]
fn files_go_out_groups_are_joined_and_what_is_unread_is_one_key_away() {
    let [alice, _bob, carol] = know_each_other(["alice", "bob", "carol"]);
    assert_eq!(carol.run("group create supper --with alice").code, 0);
    alice.until("group", |rows| rows.len() == 1);
    let mut chat = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    chat.until("nothing was said yet");
    let path = alice.file("a plan.txt", b"up the hill");
    chat.types("the plan");
    chat.until("> the plan");
    chat.types(CTRL_F);
    chat.until("send file:");
    chat.types("/nowhere/at-all.txt\r");
    chat.until("not sent: ");
    chat.until("> the plan");
    let pipe = alice.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    chat.types(CTRL_F);
    chat.until("send file:");
    chat.types(&pipe);
    chat.types(ENTER);
    chat.until("is neither a file nor a folder");
    chat.types(CTRL_F);
    chat.until("send file:");
    chat.types(&path);
    chat.types(ENTER);
    chat.until("[a plan.txt (11 B)]");
    let sent = alice.rows("talk bob");
    assert_eq!((sent.len(), &sent[0]["text"]), (1, &json!("the plan")));
    assert_eq!(drafts(&alice), Vec::<String>::new());
    // Whoever asks is in the list.
    chat.until("supper");
    chat.until("join?");
    chat.types("\t");
    chat.types("\u{1b}[H");
    chat.types(ENTER);
    chat.until("join? yes or no: yes");
    chat.types(ENTER);
    chat.until("joined supper");
    carol.until("group members supper", |rows| rows.len() == 2 && rows.iter().all(|row| row["role"] != "invited"));
    assert_eq!(carol.run("send supper at-eight").code, 0);
    alice.until("talk supper", |rows| rows.iter().any(|row| row["text"] == "at-eight"));
    chat.types(CTRL_N);
    chat.until("  asks to join the group supper");
    chat.types(CTRL_N);
    chat.until("  at-eight");
    chat.types(CTRL_C);
    chat.ends(0);
}

#[test]
fn what_an_app_says_is_there_as_it_comes() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let id = begin(&bob, "alice");
    alice.until("app", |rows| rows.len() == 1);
    let whole = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    let lines = Terminal::chat(&alice, "chat bob --plain", (80, 24), &[]);
    whole.until("board.xdc");
    lines.until("board.xdc");
    tell(&bob, &id, &json!({"add": "bread"}), &["--info", "Bob added bread"]);
    whole.until("Bob added bread");
    lines.until("Bob added bread");
}
