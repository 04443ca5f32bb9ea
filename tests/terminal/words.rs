//! What a person or a script passes on: arguments, variables, names of files; and what the log says of it.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::payloads::{TOGETHER, payloads, raw_in};
use crate::person::Person;
use crate::{SEED, dak, is_full};

/// Where a payload may stand in a command line.
const LINES: [&[&str]; 36] = [
    &["?"],
    &["--?"],
    &["send", "--?", "bob", "hi"],
    &["send", "bob", "hi", "-p", "?"],
    &["send", "bob", "hi", "--lifetime", "?"],
    &["send", "bob", "hi", "--wait=?"],
    &["send", "bob", "hi", "--copies", "?"],
    &["send", "bob", "hi", "--reply-by", "?"],
    &["send", "bob", "hi", "-f", "?"],
    &["send", "--", "?", "hi"],
    &["send", "bob", "hi", "?"],
    &["reply", "--", "?", "hi"],
    &["read", "--", "?"],
    &["read", "abcd", "--save", "?"],
    &["status", "--", "?"],
    &["cancel", "--", "?"],
    &["inbox", "--limit", "?"],
    &["inbox", "delete", "--", "?"],
    &["contact", "add", "--", "?", "12D3KooWnonsense"],
    &["contact", "add", "--", "bob", "?"],
    &["contact", "add", "--", "bob", "dak:?"],
    &["contact", "rename", "--", "?", "?"],
    &["contact", "?"],
    &["carry", "limit", "--", "?"],
    &["carry", "drop", "--", "?"],
    &["carry", "export", "abcd", "--", "?"],
    &["backup", "--passphrase-file", "?", "--", "x"],
    &["bundle", "inspect", "--", "?"],
    &["completions", "--", "?"],
    &["up", "--listen", "?"],
    &["up", "--name", "?"],
    &["up", "--log", "?"],
    &["up", "--strategy", "?"],
    &["up", "--carry-limit", "?"],
    &["--home", "/dev/null/?", "me"],
    &["config", "?"],
];

/// Variables that are read.
const VARIABLES: [&str; 10] = [
    "DAK_LISTEN",
    "DAK_PEERS",
    "DAK_MDNS",
    "DAK_CARRY_LIMIT",
    "DAK_MAIL_LIMIT",
    "DAK_STRANGERS_MAIL_LIMIT",
    "DAK_PUSH_LIMIT",
    "DAK_READ_RECEIPTS",
    "DAK_STRATEGY",
    "DAK_LOG",
];

#[test]
fn arguments_come_back_in_errors_without_anything_raw() {
    let mut alice = Person::new("alice");
    alice.up("");
    let payloads = payloads(SEED);
    for (number, some) in payloads.chunks(TOGETHER).enumerate() {
        let word = some.concat();
        for (at, line) in LINES.iter().enumerate() {
            if !is_full() && (at + number) % 12 != 0 {
                continue;
            }
            let args: Vec<String> = line.iter().map(|arg| arg.replace('?', &word)).collect();
            let output = dak(&alice.home(), &args, &[]);
            assert_ne!(output.status.code(), Some(0), "{args:?}");
            let args = [&["--json".to_owned()], &args[..]].concat();
            dak(&alice.home(), &args, &[]);
        }
    }
}

#[test]
fn variables_and_homes_come_back_in_errors_without_anything_raw() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    for (number, some) in payloads(SEED).chunks(TOGETHER).enumerate() {
        let variable = VARIABLES[number % VARIABLES.len()];
        let output = dak(&alice.home(), &["config", "show", "--origin"], &[(variable, &some.concat())]);
        assert_eq!(output.status.code(), Some(2), "{variable}");
        let harmless: String = some.concat().chars().filter(|c| !c.is_control()).take(12).collect();
        for name in [&some[0], &harmless] {
            dak(&alice.home(), &["config", "show"], &[("DAK_NAME", name)]);
            dak(&alice.home(), &["config", "show", "--json"], &[("DAK_NAME", name)]);
        }
        // A name of a file has at most 255 bytes.
        let home = Path::new(&alice.path("homes")).join(some[0].replace('/', "_")).join(some[1].replace('/', "_"));
        dak(&home, &["inbox"], &[]);
        dak(&home, &["doctor"], &[]);
        if number < 8 {
            std::fs::create_dir_all(&home).unwrap();
            std::fs::write(home.join("config.toml"), "nonsense").unwrap();
            dak(&home, &["up"], &[]);
            dak(&home, &["config", "show"], &[]);
            std::fs::write(home.join("config.toml"), "").unwrap();
            std::fs::write(home.join("identity.key"), "nonsense").unwrap();
            dak(&home, &["up"], &[]);
            dak(&home, &["doctor"], &[]);
        }
    }
}

#[test]
fn the_log_has_nothing_raw_at_any_level() {
    let mut alice = Person::new("alice");
    alice.up("--log trace,libp2p=trace,hyper=trace,yamux=trace");
    let me = alice.json("me");
    let port: u16 = me["listen"][0].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
    for some in payloads(SEED).chunks(TOGETHER) {
        let text = some.concat();
        // To other nodes: what multistream takes for a protocol's name.
        let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let name = format!("/{}\n", some[0]);
        let mut said = vec![19];
        said.extend_from_slice(b"/multistream/1.0.0\n");
        said.push(name.len() as u8);
        said.extend_from_slice(name.as_bytes());
        said.extend_from_slice(text.as_bytes());
        let _ = peer.write_all(&said);
        // To the owner's commands: paths and bodies.
        let path: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for head in [format!("GET /v1/status/{path} HTTP/1.1"), format!("GET /{text} HTTP/1.1"), text.clone()] {
            let mut client = UnixStream::connect(alice.home().join("run/dak.sock")).unwrap();
            let _ = write!(client, "{head}\r\nhost: d\r\nx: {text}\r\ncontent-length: 0\r\n\r\n");
        }
    }
    assert_eq!(alice.down(), Some(0));
    let log = alice.talk();
    assert!(log.contains("TRACE"), "it was asked for everything");
    assert_eq!(raw_in(log.as_bytes()), None);
}
