//! `dak chat` on a terminal of its own: drafts, crashes, nodes that stop, and what is left of the terminal.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::PATIENCE;
use crate::acquaint;
use crate::person::Person;

/// A program on a pseudoterminal, which `script` makes and this end types into.
pub struct Terminal {
    script: Child,
    keys: ChildStdin,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Where the process id of the program stands, and the name of its terminal.
    note: String,
}

impl Terminal {
    pub fn chat(person: &Person, line: &str, size: (u16, u16), variables: &[(&str, &str)]) -> Terminal {
        Terminal::in_shell(person, line, size, variables, ("", ""))
    }

    /// A program that a shell with this before it and this behind it runs.
    pub fn in_shell(
        person: &Person,
        line: &str,
        size: (u16, u16),
        variables: &[(&str, &str)],
        (before, behind): (&str, &str),
    ) -> Terminal {
        let args: Vec<&str> = line.split_whitespace().collect();
        let command = person.command(&args);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let note = person.path("terminal");
        let _ = fs::remove_file(&note);
        let (columns, lines) = size;
        // The settings afterwards tell whether the terminal was given back as it was.
        let shell = format!(
            "stty rows {lines} cols {columns}; {before} {}; code=$?; {behind} echo; echo \"left with $code\"; stty -a | grep -o -- '-*icanon'",
            format_args!("sh -c 'echo $$ $(tty) > {note}; exec \"$@\"' sh {}", quoted.join(" "))
        );
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &shell, "/dev/null"]).env("TERM", "xterm-256color").env("NO_COLOR", "1");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.envs(variables.iter().copied());
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let keys = script.stdin.take().unwrap();
        let mut stdout = script.stdout.take().unwrap();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let all = bytes.clone();
        thread::spawn(move || {
            let mut some = [0; 4_096];
            while let Ok(many @ 1..) = stdout.read(&mut some) {
                all.lock().unwrap().extend_from_slice(&some[..many]);
            }
        });
        Terminal { script, keys, bytes, note }
    }

    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Waits until the screen shows this.
    pub fn until(&self, wanted: &str) {
        self.until_right(wanted, |screen| screen.contains(wanted));
    }

    /// Waits until this was written, wherever on the screen.
    pub fn until_written(&self, wanted: &str) {
        let started = Instant::now();
        while !self.raw().contains(wanted) {
            assert!(started.elapsed() < PATIENCE, "{wanted:?} was never written:\n{:?}", self.raw());
            thread::sleep(Duration::from_millis(30));
        }
    }

    pub fn until_right(&self, wanted: &str, right: impl Fn(&str) -> bool) {
        let started = Instant::now();
        loop {
            let screen = screen(&self.raw());
            if right(&screen) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{wanted:?} was never shown:\n{screen}");
            thread::sleep(Duration::from_millis(30));
        }
    }

    pub fn note(&self) -> (Pid, String) {
        let note = fs::read_to_string(&self.note).unwrap();
        let (pid, tty) = note.trim().split_once(' ').unwrap();
        (Pid::from_raw(pid.parse().unwrap()).unwrap(), tty.to_owned())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.note().0, signal).unwrap();
    }

    /// Everything after the end of the program; it must have given the terminal back.
    pub fn ends(self, code: i32) {
        self.until(&format!("left with {code}\n"));
        self.until("icanon");
        let raw = self.raw();
        let tail = raw.rsplit("left with").next().unwrap();
        assert!(tail.contains("icanon") && !tail.contains("-icanon"), "{tail:?}");
        assert_eq!(raw.matches("\u{1b}[?1049h").count(), raw.matches("\u{1b}[?1049l").count(), "{raw:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// What a terminal shows that got these bytes, as far as ratatui's go: places, clearing, text of one column a character.
pub fn screen(bytes: &str) -> String {
    let (mut rows, mut x, mut y) = (vec![vec![' '; 220]; 70], 0usize, 0usize);
    let mut chars = bytes.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                let mut parameters = String::new();
                let Some(last) = chars.by_ref().find(|c| {
                    let ends = c.is_ascii_alphabetic();
                    if !ends {
                        parameters.push(*c);
                    }
                    ends
                }) else {
                    break;
                };
                let number = |n: usize| parameters.split(';').nth(n).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
                match last {
                    'H' => (y, x) = (number(0) - 1, number(1) - 1),
                    'J' => rows.iter_mut().for_each(|row| row.fill(' ')),
                    'K' => rows[y][x..].fill(' '),
                    'h' | 'l' if parameters == "?1049" => {
                        rows.iter_mut().for_each(|row| row.fill(' '));
                        (x, y) = (0, 0);
                    }
                    _ => {}
                }
            }
            '\u{1b}' => drop(chars.next()),
            '\r' => x = 0,
            '\n' if y + 1 < rows.len() => y += 1,
            '\n' => {
                rows.remove(0);
                rows.push(vec![' '; 220]);
            }
            c if !c.is_control() => {
                if y < rows.len() && x < 220 {
                    rows[y][x] = c;
                }
                x += 1;
            }
            _ => {}
        }
    }
    rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
}

pub const ENTER: &str = "\r";
pub const CTRL_C: &str = "\u{3}";
pub const ESC: &str = "\u{1b}";

pub fn drafts(person: &Person) -> Vec<String> {
    person.rows("draft").iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_people_chat_on_their_terminals_and_what_was_shown_is_read() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut here = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    here.until("nothing was said yet");
    here.types("Is the pump\u{1b}\rmended?");
    here.until("mended?");
    here.types(ENTER);
    here.until(", delivered");
    bob.until("talk", |rows| rows[0]["unread"] == 1);
    let mut there = Terminal::chat(&bob, "chat", (80, 24), &[]);
    there.until("mended?");
    bob.until("talk", |rows| rows[0]["unread"] == 0);
    assert_eq!(bob.rows("talk alice")[0]["text"], "Is the pump\nmended?");
    // What is said now comes by itself, and an answer quotes what it answers.
    there.types("\t");
    there.until("r answer");
    there.types("r");
    there.until("answers alice: Is the pump mended?");
    there.types("It is");
    there.until("> It is");
    there.types(ENTER);
    here.until("  > me: Is the pump mended?");
    here.types(ESC);
    here.until("r answer");
    here.types("+");
    here.until("react:");
    here.types(ENTER);
    there.until("👍");
    assert!(!here.raw().contains("\u{1b}[38;"), "no colours were wanted");
    there.types(CTRL_C);
    there.ends(0);
    here.types(CTRL_C);
    here.ends(0);
}

#[test]
fn what_is_written_outlives_a_kill_and_comes_back_and_is_sent_once() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut first = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    first.until("nothing was said yet");
    first.types("half a thought");
    alice.until("draft", |rows| rows.len() == 1 && rows[0]["text"] == "half a thought");
    first.signal(Signal::KILL);
    first.until_written("left with 137");
    drop(first);
    let mut second = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    second.until("> half a thought");
    second.types(" more");
    second.until("thought more");
    // The end keeps it at once.
    second.types(CTRL_C);
    second.ends(0);
    assert_eq!(drafts(&alice), ["half a thought more"]);
    let mut third = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    third.until("> half a thought more");
    third.types(ENTER);
    third.until(", delivered");
    third.types(CTRL_C);
    third.ends(0);
    assert_eq!(drafts(&alice), Vec::<String>::new());
    assert_eq!(bob.rows("talk alice").len(), 1);
}

#[test]
fn a_node_that_stops_is_said_and_words_are_kept_without_it() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut chat = Terminal::chat(&alice, "chat bob", (80, 24), &[]);
    chat.until("nothing was said yet");
    alice.signal(Signal::KILL);
    chat.until("no node runs");
    // What is sent waits in the home, and is seen there.
    chat.types("at once");
    chat.types(ENTER);
    chat.until("|   at once");
    chat.types("later");
    alice.until("draft", |rows| rows.len() == 1 && rows[0]["text"] == "later");
    alice.up(&format!("--peer {}", bob.place()));
    chat.until_right("that the node is there", |screen| !screen.contains("no node runs") && screen.contains("> later"));
    assert_eq!(bob.run("send alice hello").code, 0);
    chat.until("  hello");
    chat.types(ENTER);
    bob.until("talk alice", |rows| rows.iter().any(|row| row["text"] == "later"));
    chat.types(CTRL_C);
    chat.ends(0);
}

#[test]
fn a_terminal_is_given_back_also_to_who_ends_the_program_from_outside() {
    let mut alice = Person::new("alice");
    alice.up("");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut chat = Terminal::chat(&alice, "chat me", (80, 24), &[]);
        chat.until("nothing was said yet");
        chat.types(&format!("word {signal:?}"));
        chat.until("> word");
        chat.signal(signal);
        chat.ends(0);
        let kept = drafts(&alice);
        assert!(kept.len() == 1 && kept[0].starts_with("word "), "{kept:?}");
        assert_eq!(alice.run(&format!("draft delete {}", alice.rows("draft")[0]["number"])).code, 0);
    }
}

#[test]
fn two_clients_of_one_home_see_the_same_and_lose_nothing() {
    let mut alice = Person::new("alice");
    alice.up("");
    let mut one = Terminal::chat(&alice, "chat me", (80, 24), &[]);
    one.until("nothing was said yet");
    one.types("first");
    alice.until("draft", |rows| rows.len() == 1 && rows[0]["text"] == "first");
    let mut other = Terminal::chat(&alice, "chat me", (80, 24), &[]);
    other.until("> first");
    other.types(" and second");
    alice.until("draft", |rows| rows.iter().any(|row| row["text"] == "first and second"));
    one.types(ENTER);
    other.until("  first");
    other.types(ENTER);
    one.until("  first and second");
    let texts: Vec<String> = alice.rows("talk me").iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, ["first", "first and second"]);
    alice.until("draft", |rows| rows.is_empty());
}

#[test]
fn a_tiny_terminal_a_new_size_and_a_paste_of_a_megabyte_do_no_harm() {
    let mut alice = Person::new("alice");
    alice.up("");
    for n in 0..5 {
        assert_eq!(alice.run(&format!("send me words-{n}")).code, 0);
    }
    let mut chat = Terminal::chat(&alice, "chat me", (20, 5), &[]);
    chat.until("words-4");
    chat.types("hi");
    chat.until("> hi");
    let (_, tty) = chat.note();
    let sized = Command::new("stty").args(["-F", &tty, "rows", "30", "cols", "100"]).status().unwrap();
    assert!(sized.success());
    chat.until("words-0");
    let pasted = format!("\u{1b}[200~{}\u{1b}[201~", "x".repeat(1 << 20));
    chat.types(&pasted);
    chat.until("too much for a message");
    chat.until("> hi");
    chat.types("\u{1b}[200~two\nlines\u{1b}[201~");
    chat.until("  lines");
    chat.types(ENTER);
    alice.until("talk me", |rows| rows.last().unwrap()["text"] == "hitwo\nlines");
    chat.types(CTRL_C);
    chat.ends(0);
}

#[test]
fn nothing_that_a_peer_wrote_acts_on_the_screen() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let hostile = "<b>\u{1b}[2J\u{9b}31m\u{202e}\u{7}x\u{1b}]0;owned\u{7}";
    let file = alice.file("evil\u{1b}[2J\u{202e}.txt", b"x");
    assert_eq!(alice.run_args(&["send", "bob", hostile, "-s", hostile, "-f", &file, "--wait"]).code, 0);
    for line in ["chat alice", "chat alice --plain"] {
        let chat = Terminal::chat(&bob, line, (100, 24), &[]);
        chat.until("<b>\\u{1b}[2J\\u{9b}31m\\u{202e}");
        let raw = chat.raw();
        let bad = ["\u{1b}[2Jx", "\u{9b}", "\u{202e}", "\u{7}", "\u{1b}]0"].iter().find(|bad| raw.contains(**bad));
        assert_eq!(bad, None, "{line}: {raw:?}");
    }
}

#[test]
fn line_by_line_nothing_moves_and_everything_has_a_number() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert_eq!(bob.run("send alice one --wait").code, 0);
    let mut chat = Terminal::chat(&alice, "chat --plain", (80, 24), &[]);
    chat.until("/talk NAME begins");
    chat.types("/talk bob\n");
    chat.until("[1] bob, today ");
    alice.until("talk", |rows| rows[0]["unread"] == 0);
    chat.types("/reply 1 two\n");
    chat.until("(answers [1]) two");
    chat.until("[2] delivered");
    assert_eq!(bob.run("send alice three").code, 0);
    chat.until(": three");
    chat.types("/search one\n");
    chat.until("in bob: bob");
    chat.types("/who\n");
    chat.until("near: bob");
    chat.types("/fly\n/help\n");
    chat.until("/fly is not known");
    chat.types("/quit\n");
    chat.until("left with 0");
    assert!(!chat.raw().contains('\u{1b}'), "{:?}", chat.raw());
    let talk = bob.rows("talk alice");
    assert_eq!((&talk[1]["text"], talk[1]["in_reply_to"].is_string()), (&"two".into(), true));
    // A terminal that cannot move its cursor gets the same, with a sentence.
    let dumb = Terminal::chat(&alice, "chat bob", (80, 24), &[("TERM", "dumb")]);
    dumb.until("this terminal cannot move its cursor");
    dumb.until(": three");
}

#[test]
fn without_a_terminal_chat_says_what_to_use() {
    let mut alice = Person::new("alice");
    assert_eq!(alice.run("chat --plain").code, 3);
    alice.up("");
    let ran = alice.run("chat");
    assert_eq!((ran.code, ran.data.as_str()), (2, ""));
    assert!(ran.talk.contains("needs a terminal") && ran.talk.contains("dak chat --plain"), "{}", ran.talk);
    assert_eq!(alice.run("chat --json").code, 2);
    assert_eq!(alice.run("chat nobody --plain").code, 4);
    // Lines in, lines out, also through a pipe, where nobody's eyes mark anything read.
    let ran = alice.run("chat me --plain");
    assert_eq!((ran.code, ran.data.contains("nothing was said yet")), (0, true), "{ran:?}");
}
