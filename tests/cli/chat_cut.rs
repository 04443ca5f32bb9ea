//! `dak chat` and a node that hangs up in the middle of any one request, as one does that is killed there.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::acquaint;
use crate::chat::{CTRL_C, ENTER, Terminal, screen};
use crate::person::Person;

const CTRL_U: &str = "\u{15}";

/// Stands between the commands of a home and its node.
struct Between {
    /// So many requests came since the last cut was asked for.
    asked: Arc<AtomicUsize>,
    /// Which one of them is read and answered by nothing.
    cut: Arc<AtomicUsize>,
}

impl Between {
    /// The home's lock tells commands where its node listens: here, from now on.
    fn stand(home: &Path) -> Between {
        let lock = home.join("node.lock");
        let told = fs::read_to_string(&lock).unwrap();
        let (process, node) = told.trim_end().split_once('\n').unwrap();
        let (here, node) = (home.join("run/between.sock"), PathBuf::from(node));
        let listener = UnixListener::bind(&here).unwrap();
        fs::write(&lock, format!("{process}\n{}\n", here.display())).unwrap();
        let between = Between { asked: Arc::default(), cut: Arc::new(usize::MAX.into()) };
        let (asked, cut) = (between.asked.clone(), between.cut.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let is_cut = asked.fetch_add(1, Ordering::SeqCst) == cut.load(Ordering::SeqCst);
                let (client, node) = (client.unwrap(), node.clone());
                thread::spawn(move || pass(client, &node, is_cut));
            }
        });
        between
    }

    fn cut(&self, n: usize) {
        self.asked.store(0, Ordering::SeqCst);
        self.cut.store(n, Ordering::SeqCst);
    }
}

fn pass(mut client: UnixStream, node: &Path, is_cut: bool) {
    let mut some = [0; 4_096];
    if is_cut {
        let _ = client.read(&mut some);
        return;
    }
    let Ok(mut node) = UnixStream::connect(node) else { return };
    let (mut asking, mut asked) = (client.try_clone().unwrap(), node.try_clone().unwrap());
    thread::spawn(move || {
        let mut some = [0; 4_096];
        while let Ok(many @ 1..) = asking.read(&mut some) {
            if asked.write_all(&some[..many]).is_err() {
                break;
            }
        }
        let _ = asked.shutdown(std::net::Shutdown::Both);
    });
    while let Ok(many @ 1..) = node.read(&mut some) {
        if client.write_all(&some[..many]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
}

#[test]
fn a_node_that_hangs_up_at_any_one_request_ends_no_conversation() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let between = Between::stand(&alice.home());
    for how in ["chat bob --plain", "chat bob"] {
        let mut n = 1;
        loop {
            // The first request asks who bob is: without an answer no conversation begins.
            between.cut(n);
            let mut chat = Terminal::chat(&alice, how, (80, 24), &[]);
            chat.until("bob");
            let (word, answer) = (format!("word-{}-{n}", how.len()), format!("answer-{}-{n}", how.len()));
            assert_eq!(bob.run(&format!("send alice {word}")).code, 0);
            chat.until(&word);
            while !says(&bob, &answer) {
                // In the place of what an earlier cut left unsent.
                chat.types(CTRL_U);
                chat.types(&answer);
                chat.types(ENTER);
                chat.until_right("that it went or did not", |shown| {
                    says(&bob, &answer) || shown.contains("not sent") && !shown.contains("left with")
                });
            }
            let were_asked = between.asked.load(Ordering::SeqCst);
            chat.types(CTRL_C);
            chat.until("left with");
            assert!(!screen(&chat.raw()).contains("left with 1\n"), "{}", screen(&chat.raw()));
            if were_asked <= n {
                break;
            }
            n += 1;
        }
        assert!(n > 8, "{how} asked {n} times only");
    }
}

fn says(person: &Person, text: &str) -> bool {
    person.rows("talk alice").iter().any(|row| row["text"] == text)
}
