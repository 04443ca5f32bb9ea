//! Two nodes in two network namespaces find each other by multicast, with no configuration at all.
//!
//! Needs root and iproute2; where it may not make namespaces it says so aloud and passes.
#![cfg(feature = "node")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dak::net::{NetConfig, NetEvent};
use support::net::{Node, secret};

/// Tells this very program, started anew, to be a node: the number is its secret.
const BE_A_NODE: &str = "DAK_TEST_BE_A_NODE";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn neighbours_find_each_other_without_configuration() {
    let Some(lan) = Lan::new(1) else { return };
    let alice = lan.node(0, 1);
    assert!(alice.says("listening"));
    let bob = lan.node(1, 2);
    assert!(alice.says("up"), "the first hears of the second");
    assert!(bob.says("up"));
}

#[test]
fn nodes_that_drift_into_range_find_each_other() {
    let Some(lan) = Lan::new(2) else { return };
    lan.cable(false);
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    // Past the moment in which a fresh node asks anyway.
    assert!(!alice.says_within("up", Duration::from_secs(3)));
    lan.cable(true);
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

/// Not a test of its own: what the other two start in each namespace.
#[test]
fn be_a_node() {
    let Ok(number) = std::env::var(BE_A_NODE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config =
            NetConfig { listen: vec!["/ip4/0.0.0.0/tcp/0".parse().unwrap()], mdns: true, ..NetConfig::default() };
        let mut node = Node::start(secret(number.parse().unwrap()), config).await;
        println!("\nlistening");
        let (peer, sender) = node
            .find(|event| match event {
                NetEvent::ContactUp { peer, outbound, .. } => Ok((peer, outbound)),
                event => Err(event),
            })
            .await;
        sender.send(b"hello".to_vec()).unwrap();
        assert_eq!(node.frame(peer).await, b"hello");
        println!("\nup");
        // Stays for the other; the test ends it.
        std::future::pending::<()>().await;
    });
}

/// Two namespaces and a cable between them; gone when dropped.
struct Lan {
    names: [String; 2],
}

impl Lan {
    fn new(number: u8) -> Option<Lan> {
        let names = ["a", "b"].map(|side| format!("dak{}{side}{number}", std::process::id()));
        let lan = Lan { names };
        for name in &lan.names {
            if !ip(&["netns", "add", name]) {
                eprintln!("NOT TESTED: mDNS between two nodes needs network namespaces, and none may be made here");
                return None;
            }
        }
        let [a, b] = &lan.names;
        assert!(ip(&["link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b]));
        for (name, host) in [(a, 1), (b, 2)] {
            assert!(ip(&["-n", name, "addr", "add", &format!("10.77.{number}.{host}/24"), "dev", "cable"]));
            assert!(ip(&["-n", name, "link", "set", "lo", "up"]));
        }
        lan.cable(true);
        Some(lan)
    }

    fn cable(&self, plugged: bool) {
        for name in &self.names {
            assert!(ip(&["-n", name, "link", "set", "cable", if plugged { "up" } else { "down" }]));
        }
    }

    fn node(&self, side: usize, number: u8) -> Process {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.names[side]])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "be_a_node", "--nocapture"])
            .env(BE_A_NODE, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Process { child, lines }
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "del", name]);
        }
    }
}

struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn says(&self, word: &str) -> bool {
        self.says_within(word, PATIENCE)
    }

    fn says_within(&self, word: &str, span: Duration) -> bool {
        loop {
            match self.lines.recv_timeout(span) {
                Ok(line) if line == word => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs iproute2; returns whether it worked.
fn ip(args: &[&str]) -> bool {
    let run = Command::new("ip").args(args).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}
