//! Homes on machines as they are: disks that can only be read, sockets that are swept away, sessions that differ.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::person::{Person, Ran, Running};
use crate::{SOMEBODY, acquaint};

/// Runs commands in a mount namespace of their own, where the home can only be read.
fn on_a_disk_that_takes_nothing(person: &Person, lines: &[&str]) -> Vec<Ran> {
    let home = person.home();
    let mount = format!("mount --bind {0} {0} && mount -o remount,bind,ro {0} || exit 77; exec \"$@\"", home.display());
    let run = |line: &&str| {
        let command = person.command(&line.split_whitespace().collect::<Vec<_>>());
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--map-root-user", "sh", "-c", &mount, "sh"]);
        shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        let output = shell.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        assert_ne!(code, 77, "the test cannot mount: {}", text(output.stderr));
        Ran { code, data: text(output.stdout), talk: text(output.stderr) }
    };
    lines.iter().map(run).collect()
}

#[test]
fn a_home_on_a_disk_that_takes_nothing_can_be_read() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let sent = alice.json("send bob still-legible --wait --timeout 30s");
    let id = sent["id"].as_str().unwrap().to_owned();
    bob.down();
    // One was closed in peace, the other was not.
    alice.signal(Signal::KILL);
    let (read, write) = (format!("read {id}"), format!("send {SOMEBODY} hello"));
    let reads = ["inbox", &read, "status", "config show", "doctor", "carry list", "contact list", "search legible"];
    for (reader, person) in [("bob", &bob), ("alice", &alice)] {
        let before = files(person);
        for (line, ran) in reads.iter().zip(on_a_disk_that_takes_nothing(person, &reads)) {
            assert_eq!(ran.code, 0, "{reader}: {line}: {} {}", ran.data, ran.talk);
            let shows = match *line {
                "inbox" => reader == "alice" || ran.data.contains("still-legible"),
                "status" => reader == "bob" || ran.data.contains("delivered"),
                "search legible" => ran.data.contains("still-legible"),
                "doctor" => ran.data.contains("can only be read"),
                // Who sent it can read it as well.
                line if line == read => ran.data.contains("still-legible"),
                _ => true,
            };
            assert!(shows, "{reader}: {line}: {}", ran.data);
        }
        for ran in
            on_a_disk_that_takes_nothing(person, &[&write, "up --no-mdns", "doctor --repair", "doctor --reindex"])
        {
            assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{}", ran.talk);
            assert!(ran.talk.contains("can only be read"), "{}", ran.talk);
        }
        assert_eq!(files(person), before);
    }
    // A copy of a home may come without the file that is locked.
    std::fs::remove_file(bob.home().join("node.lock")).unwrap();
    assert_eq!(on_a_disk_that_takes_nothing(&bob, &["inbox"])[0].code, 0);
}

/// Names and bytes of what is in a home.
fn files(person: &Person) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(person.home()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_node_is_found_from_sessions_that_name_other_runtime_directories() {
    let mut alice = Person::new("alice");
    // Too long for a socket's path under the home, so that it goes to the session's own directory.
    let deep = alice.path(&"deep/".repeat(24));
    std::fs::create_dir_all(&deep).unwrap();
    alice.live_in(&format!("{deep}home"));
    let [first, second] = ["first", "second"].map(|name| {
        let path = alice.path(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        path
    });
    alice.session(Some(&first));
    alice.up("");
    for session in [None, Some(second.as_str()), Some("/nonexistent"), Some(first.as_str())] {
        alice.session(session);
        let ran = alice.run("peers");
        assert_eq!(ran.code, 0, "{session:?}: {}", ran.talk);
        let ran = alice.run("up --no-mdns");
        assert_eq!((ran.code, ran.talk.contains("dak down")), (7, true), "{session:?}: {}", ran.talk);
    }
    alice.session(Some(&second));
    assert_eq!(alice.down(), Some(0));
}

#[test]
fn a_swept_socket_is_made_again() {
    let mut alice = Person::new("alice");
    alice.up("");
    for _ in 0..2 {
        std::fs::remove_dir_all(alice.home().join("run")).unwrap();
        // Commands wait for a node that holds the home; one of them is answered when the socket is there again.
        let answered = (0..10).any(|_| alice.run("peers").code == 0);
        assert!(answered, "{}", alice.talk());
    }
    assert_eq!(alice.down(), Some(0));
}

#[test]
fn a_node_that_cannot_be_reached_is_named_with_the_signal_that_ends_it() {
    let mut alice = Person::new("alice");
    alice.up("");
    // As if it hung while it starts: it holds the home and answers nothing.
    std::fs::remove_file(alice.home().join("run/dak.sock")).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(alice.pid() as i32).unwrap(), Signal::STOP).unwrap();
    let kill = format!("kill -TERM {}", alice.pid());
    for line in ["down", "peers", "inbox", "up --no-mdns --listen /ip4/127.0.0.1/tcp/0", "inbox --follow"] {
        let ran = alice.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (7, ""), "{line}: {}", ran.talk);
        assert!(ran.talk.contains(&kill) && !ran.talk.contains("dak down"), "{line}: {}", ran.talk);
    }
}

#[test]
fn an_interrupt_ends_whatever_opens_a_users_file() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    let fifo = alice.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let heir = Person::new("heir");
    let lines = [
        format!("send {SOMEBODY} hi -f {fifo}"),
        format!("backup {fifo}.backup --passphrase-file {fifo}"),
        format!("bundle inspect {fifo}"),
        format!("sim run {fifo}"),
        format!("sim trace stat {fifo}"),
        format!("sim replay {fifo}"),
    ];
    let restores = format!("restore {fifo} --passphrase-file {fifo}");
    let all = lines.iter().map(|line| (&alice, line)).chain([(&heir, &restores)]);
    for (person, line) in all {
        let mut waiting = person.spawn(line);
        until_it_opens_a_pipe(&waiting);
        waiting.signal(Signal::INT);
        assert_eq!(waiting.end(), Some(130), "{line}: {}", person.talk());
    }
    // Whoever sends listens for Ctrl-C to tell an id; the other signals need no listener. A hang-up may be ignored by
    // whatever started the tests.
    let mut waiting = alice.spawn(&lines[0]);
    until_it_opens_a_pipe(&waiting);
    waiting.signal(Signal::TERM);
    assert_eq!(waiting.end(), None, "{}", alice.talk());
}

/// Returns when a process waits for the other end of a pipe, or, where the system does not say so, after a while.
fn until_it_opens_a_pipe(process: &Running) {
    let waits = || std::fs::read_to_string(format!("/proc/{}/wchan", process.pid())).unwrap_or_default();
    (0..1_000).take_while(|_| !waits().contains("fifo") && !waits().contains("partner")).for_each(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
    });
}

#[test]
fn a_umask_that_takes_from_the_owner_locks_nobody_out() {
    for umask in ["0777", "0277", "0000", "0177"] {
        let alice = Person::new("alice");
        let mut node = alice.up_after(&format!("umask {umask}"));
        assert_eq!(alice.run("peers").code, 0, "{umask}");
        node.signal(Signal::TERM);
        assert_eq!(node.end(), Some(0));
        let mode = |path: &str| {
            let found = std::fs::metadata(alice.home().join(path)).unwrap();
            std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777
        };
        let modes = ["", "run", "identity.key", "store.redb", "node.lock", "config.toml"].map(mode);
        assert_eq!(modes, [0o700, 0o700, 0o600, 0o600, 0o600, 0o600], "{umask}");
    }
}

#[test]
fn a_node_with_sixty_four_descriptors_works() {
    let (mut alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    let mut node = bob.up_after("ulimit -n 64");
    let me = bob.json("me");
    alice.json(&format!("contact add bob {}", me["address"].as_str().unwrap()));
    alice.json("send bob few-but-enough --wait --timeout 30s");
    let checks = bob.rows("doctor");
    let told = checks.iter().any(|check| check["message"].as_str().is_some_and(|text| text.contains("64")));
    assert!(told, "{checks:?}");
    node.signal(Signal::TERM);
    assert_eq!(node.end(), Some(0));
}
