//! The local API of a running node, met by those who mean it ill or behave badly: nobody else gets in, and nothing that
//! a client does or leaves undone holds up the next one.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::person::Person;
use crate::{SOMEBODY, acquaint};

/// More clients than a node serves at a time.
const CROWD: usize = 80;

#[test]
fn whatever_the_umask_nobody_else_gets_at_a_home() {
    let alice = Person::new("alice");
    let _node = alice.up_after("umask 0");
    alice.json(&format!("send {SOMEBODY} hi"));
    let passphrase = alice.file("passphrase", b"correct horse\n");
    let backup = alice.path("backup");
    assert_eq!(alice.run(&format!("backup {backup} --passphrase-file {passphrase}")).code, 0);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o777;
    let (home, run) = (alice.home(), alice.home().join("run"));
    assert_eq!((mode(&home), mode(&run), mode(&run.join("dak.sock"))), (0o700, 0o700, 0o600));
    for entry in fs::read_dir(&home).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    assert_eq!(mode(backup.as_ref()), 0o600);
}

#[test]
fn another_user_is_refused_whatever_the_modes_say() {
    if !rustix::process::geteuid().is_root() {
        return println!("not checked: only root can become another user");
    }
    let mut alice = Person::new("alice");
    alice.up("");
    let home = alice.home();
    let socket = home.join("run/dak.sock");
    for (path, mode) in [(home.parent().unwrap(), 0o755), (&home, 0o755), (&home.join("run"), 0o755), (&socket, 0o666)]
    {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    // The program itself may lie where only its owner comes.
    let program = alice.path("dak");
    fs::copy(env!("CARGO_BIN_EXE_dak"), &program).unwrap();
    let ran = Command::new(&program).args(["me", "--home"]).arg(&home).uid(65_534).gid(65_534).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), ran.stdout.is_empty()), (Some(5), true), "{said}");
    assert!(said.contains("another user"), "{said}");

    let stranger = thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65_534);
        // On Linux a change of user by system call is this thread's alone.
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        exchange(&socket, b"GET /v1/me HTTP/1.1\r\nhost: d\r\n\r\n")
    });
    let answer = stranger.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("another user"), "{answer}");
    assert!(!answer.contains("12D3Koo"), "{answer}");
    assert!(alice.talk().contains("refused a client of another user"));
}

#[test]
fn requests_that_make_no_sense_are_turned_away_and_the_next_one_is_answered() {
    let mut alice = Person::new("alice");
    alice.up("");
    let socket = alice.home().join("run/dak.sock");
    let post =
        |body: &str| format!("POST /v1/send HTTP/1.1\r\nhost: d\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let many_headers: String = (0..1_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let requests: [(String, &[&str]); 14] = [
        ("GET /v1/me HTTP/1.1\r\n\r\n\r\n".into(), &["200", "400"]),
        ("GET /v1/me HTTP/1.0\r\n\r\n".into(), &["200"]),
        ("GET http://elsewhere/v1/me HTTP/1.1\r\nhost: d\r\n\r\n".into(), &["200", "400", "404"]),
        (format!("GET /v1/me HTTP/1.1\r\nhost: d\r\n{many_headers}\r\n"), &["431"]),
        (format!("GET /{} HTTP/1.1\r\nhost: d\r\n\r\n", "a".repeat(100_000)), &["414", "404"]),
        (format!("GET /v1/me HTTP/1.1\r\nhost: d\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)), &["431"]),
        ("GET /v1/me\0 HTTP/1.1\r\nhost: d\r\n\r\n".into(), &["400"]),
        ("BREW /v1/me HTTP/1.1\r\nhost: d\r\n\r\n".into(), &["405"]),
        ("GET /v1/../v1/me HTTP/1.1\r\nhost: d\r\n\r\n".into(), &["404"]),
        (post(&"[".repeat(1 << 20)), &["400"]),
        (post(&format!("{{\"to\":\"{}\"}}", "x".repeat(2 << 20))), &["404", "400", "403"]),
        (post("{\"to\":\"\\ud800\"}"), &["400"]),
        ("POST /v1/send HTTP/1.1\r\nhost: d\r\ncontent-length: 9\r\ncontent-length: 8\r\n\r\n{}".into(), &["400"]),
        ("POST /v1/send HTTP/1.1\r\nhost: d\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n".into(), &["400"]),
    ];
    for (request, statuses) in &requests {
        let answer = exchange(&socket, request.as_bytes());
        let status = answer.split(' ').nth(1).unwrap_or("none");
        let start: String = request.chars().take(60).collect();
        assert!(statuses.contains(&status), "{start:?}: {}", answer.lines().next().unwrap_or_default());
        assert_eq!(alice.run("me").code, 0, "after {start:?}");
    }
    assert_eq!(alice.rows("status").len(), 0);
}

#[test]
fn thousands_of_clients_that_come_and_go_leave_nothing_behind() {
    let alice = Person::new("alice");
    let node = alice.up_after("true");
    let socket = alice.home().join("run/dak.sock");
    let files = || fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap().count();
    alice.run("me");
    let before = files();
    for number in 0..3_000 {
        let mut client = connect(&socket);
        // Nothing, half a request, a request whose answer nobody reads, or the start of a stream.
        let words = [
            "",
            "GET /v1/m",
            "GET /v1/me HTTP/1.1\r\nhost: d\r\n\r\n",
            "GET /v1/inbox/follow HTTP/1.1\r\nhost: d\r\n\r\n",
        ];
        let _ = client.write_all(words[number % 4].as_bytes());
    }
    until(|| alice.run("me").code == 0 && files() <= before);
}

#[test]
fn a_command_waits_for_a_crowd_that_leaves() {
    let mut alice = Person::new("alice");
    alice.up("");
    let socket = alice.home().join("run/dak.sock");
    let crowd: Vec<UnixStream> = (0..CROWD).map(|_| follow(&socket)).collect();
    let leaving = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        drop(crowd);
    });
    let ran = alice.run("me");
    assert_eq!(ran.code, 0, "{}", ran.talk);
    leaving.join().unwrap();
}

#[test]
fn a_crowd_that_stays_keeps_others_out_only_as_long_as_it_stays() {
    let mut alice = Person::new("alice");
    alice.up("");
    let socket = alice.home().join("run/dak.sock");
    let crowd: Vec<UnixStream> = (0..CROWD).map(|_| follow(&socket)).collect();
    let ran = alice.run("me");
    assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{}", ran.talk);
    assert!(ran.talk.contains("too many clients") && ran.talk.contains("try again"), "{}", ran.talk);
    drop(crowd);
    until(|| alice.run("me").code == 0);
    // Those that say nothing are not waited for.
    let _silent: Vec<UnixStream> = (0..CROWD).map(|_| connect(&socket)).collect();
    until(|| alice.run("me").code == 0);
}

#[test]
fn a_client_that_dies_in_the_middle_troubles_nobody() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let mut followers: Vec<_> = (0..8).map(|_| bob.spawn("inbox --follow --json")).collect();
    let mut waiting: Vec<_> =
        (0..8).map(|n| alice.spawn(&format!("send {SOMEBODY} waiting-{n} --wait --timeout 60s --json"))).collect();
    alice.until("status", |rows| rows.len() == waiting.len());
    for client in followers.iter_mut().chain(&mut waiting) {
        client.signal(Signal::KILL);
        client.end();
    }
    alice.json("send bob after --wait --timeout 30s");
    assert_eq!(bob.rows("inbox").len(), 1);
    let sent = alice.rows("status");
    assert_eq!(sent.iter().filter(|row| row["state"] != "delivered").count(), waiting.len(), "{sent:?}");
    assert_eq!((alice.down(), bob.down()), (Some(0), Some(0)));
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let bob = Person::new("bob");
    let _node = bob.up_after("export DAK_LOG=trace; exec 2>/dev/full");
    let mut alice = Person::new("alice");
    alice.up(&format!("--peer {}", bob.place()));
    let sent = alice.json(&format!("send {} hi --wait --timeout 30s", bob.json("me")["peer_id"].as_str().unwrap()));
    assert_eq!(sent["state"], "delivered");
    assert_eq!(bob.rows("inbox").len(), 1);
    assert_eq!(bob.run("down").code, 0);
}

fn follow(socket: &Path) -> UnixStream {
    let mut client = connect(socket);
    // One too many may be hung up on before it has said what it wants.
    let _ = client.write_all(b"GET /v1/inbox/follow HTTP/1.1\r\nhost: d\r\n\r\n");
    client
}

fn connect(socket: &Path) -> UnixStream {
    // A full queue of those who wait to be let in is no refusal.
    for _ in 0..2_000 {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    panic!("the node lets nobody in");
}

/// Says `bytes` and returns all that comes back.
fn exchange(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = connect(socket);
    // The node may hang up on what it refuses before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn until(right: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !right() {
        assert!(started.elapsed() < crate::PATIENCE, "it never came right");
        thread::sleep(Duration::from_millis(20));
    }
}
