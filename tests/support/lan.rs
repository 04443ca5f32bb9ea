//! Two network namespaces of this machine that stand for two machines of one network.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::PATIENCE;

/// Two namespaces and a cable between them; gone when dropped.
pub struct Lan {
    pub names: [String; 2],
}

impl Lan {
    pub fn new(number: u8) -> Option<Lan> {
        let names = ["a", "b"].map(|side| format!("dak{}{side}{number}", std::process::id()));
        let lan = Lan { names };
        for name in &lan.names {
            if !ip(&["netns", "add", name]) {
                eprintln!("NOT TESTED: two machines on one network need namespaces, and none may be made here");
                return None;
            }
        }
        let [a, b] = &lan.names;
        assert!(ip(&["link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b]));
        for name in [a, b] {
            assert!(ip(&["-n", name, "link", "set", "lo", "up"]));
        }
        lan.cable(true);
        Some(lan)
    }

    /// Leaves IPv4 alone with the link.
    pub fn without_ipv6(&self) {
        for name in &self.names {
            assert!(ip(&["-n", name, "-6", "addr", "flush", "dev", "cable"]));
        }
    }

    /// Gives each end an IPv4 address; that of IPv6 comes with the link.
    pub fn number(&self, a: &str, b: &str) {
        for (name, address) in self.names.iter().zip([a, b]) {
            assert!(ip(&["-n", name, "addr", "add", address, "dev", "cable"]));
        }
    }

    /// Gives one end another IPv4 address in place of the one it had.
    pub fn renumber(&self, side: usize, address: &str) {
        assert!(ip(&["-n", &self.names[side], "-4", "addr", "flush", "dev", "cable"]));
        assert!(ip(&["-n", &self.names[side], "addr", "add", address, "dev", "cable"]));
    }

    /// Tells each end that the other's network is behind the cable.
    pub fn route(&self, from_a: &str, from_b: &str) {
        for (name, network) in self.names.iter().zip([from_a, from_b]) {
            assert!(ip(&["-n", name, "route", "add", network, "dev", "cable"]));
        }
    }

    pub fn cable(&self, plugged: bool) {
        for name in &self.names {
            assert!(ip(&["-n", name, "link", "set", "cable", if plugged { "up" } else { "down" }]));
        }
    }

    /// Starts this very program in one namespace as something that a variable says more of.
    pub fn child(&self, side: usize, what: &str, variable: &str, value: &str) -> Process {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.names[side]])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", what, "--nocapture"])
            .env(variable, value)
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

pub struct Process {
    child: Child,
    pub lines: Receiver<String>,
}

impl Process {
    pub fn says(&self, word: &str) -> bool {
        self.says_within(word, PATIENCE)
    }

    pub fn says_within(&self, word: &str, span: Duration) -> bool {
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
