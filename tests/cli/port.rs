//! What operators and large files meet at the port for programs: probes without secrets, figures with a token, and a node
//! that stays as large as it was.

use std::fs;
use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::SOMEBODY;
use crate::operator::read_metrics;
use crate::programs::Open;

/// A file that nobody would hold in memory.
const LARGE_BYTES: usize = 256 << 20;
const BLOCK_BYTES: usize = 1 << 20;
/// What a node may grow by while such a file comes or goes: buffers and what the allocator keeps of them.
const RISE_BYTES_MAX: u64 = 48 << 20;

#[test]
fn a_probe_learns_without_a_token_whether_the_node_is_well_and_nothing_else() {
    let alice = Open::new();
    let body = |answer: &str| serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let (status, answer) = alice.ask("GET", "/health", &[], "");
    assert_eq!((status, body(&answer)), (200, json!({"schema": 1, "ok": true})), "{answer}");
    // With a token it is all of it, and one that is none is not passed over.
    let bearer = format!("Bearer {}", alice.token("probe --read-only"));
    let (status, answer) = alice.ask("GET", "/health", &[("authorization", &bearer)], "");
    assert_eq!((status, &body(&answer)["pid"]), (200, &json!(alice.person.pid())), "{answer}");
    for (method, path, headers, wanted) in [
        ("GET", "/health", &[("authorization", "Bearer dak_00")][..], 401),
        ("GET", "/health", &[("host", "evil.example")], 421),
        ("GET", "/health", &[("origin", "http://evil.example")], 403),
        ("POST", "/health", &[], 401),
        ("GET", "/health/", &[], 401),
        ("GET", "/health%2f", &[], 401),
        ("GET", "/v1/health", &[], 401),
        ("GET", "/v1/../health", &[], 401),
        ("GET", "/metrics", &[], 401),
    ] {
        let (status, answer) = alice.ask(method, path, headers, "");
        assert_eq!(status, wanted, "{method} {path} {headers:?}: {answer}");
    }
}

#[test]
fn figures_are_read_over_the_port_with_a_token_that_only_reads() {
    let alice = Open::new();
    let (status, answer) = alice.with(&alice.token("board --read-only"), "GET", "/metrics", Value::Null);
    assert!(status == 200 && answer.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{answer}");
    let figures = read_metrics(answer.split_once("\r\n\r\n").unwrap().1);
    assert_eq!((figures["dak_healthy"], figures["dak_contacts"]), (1.0, 0.0));
    let (status, answer) = alice.with(&alice.token("sensor --topics temp"), "GET", "/metrics", Value::Null);
    assert!(status == 403 && answer.contains("for temp alone"), "{answer}");
}

#[test]
fn a_large_file_comes_and_goes_and_the_node_stays_as_large_as_it_was() {
    let alice = Open::new();
    let token = alice.token("desk");
    let body = |answer: &str| serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    // The first of each needs memory that stays.
    let (status, answer) = alice.ask("POST", "/v1/files?name=a", &[("authorization", &format!("Bearer {token}"))], "x");
    assert_eq!(status, 200, "{answer}");

    let before = start_over(&alice);
    let mut client = alice.head("POST", "/v1/files?name=large", &token, LARGE_BYTES);
    blocks().for_each(|block| client.write_all(&block).unwrap());
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let uploaded = body(&answer);
    assert_eq!(uploaded["bytes"], LARGE_BYTES, "{answer}");
    let rise = memory(&alice, "VmHWM") - before;
    assert!(rise <= RISE_BYTES_MAX, "while it came the node grew by {rise} B");

    let upload = json!({"id": uploaded["id"], "name": "large"});
    let (status, sent) = alice.with(&token, "POST", "/v1/send", json!({"to": SOMEBODY, "uploads": [upload]}));
    assert_eq!(status, 200, "{sent}");
    let id = body(&sent)["id"].as_str().unwrap()[..10].to_owned();
    let before = start_over(&alice);
    let mut client = alice.head("GET", &format!("/v1/files/{id}%2F1/content"), &token, 0);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let mut got = vec![0; BLOCK_BYTES];
    for block in blocks() {
        client.read_exact(&mut got).unwrap();
        assert!(got == block, "other bytes come out than went in");
    }
    assert_eq!(client.read(&mut got).unwrap(), 0);
    let rise = memory(&alice, "VmHWM") - before;
    assert!(rise <= RISE_BYTES_MAX, "while it went the node grew by {rise} B");
}

/// The file, of which no block is like another.
fn blocks() -> impl Iterator<Item = Vec<u8>> {
    (0..LARGE_BYTES / BLOCK_BYTES).map(|n| {
        let mut block = vec![b'.'; BLOCK_BYTES];
        block[..8].copy_from_slice(&n.to_le_bytes());
        block
    })
}

/// Has the kernel forget how large the node was, and returns how large it is, in bytes.
fn start_over(open: &Open) -> u64 {
    fs::write(format!("/proc/{}/clear_refs", open.person.pid()), "5").unwrap();
    memory(open, "VmHWM")
}

fn memory(open: &Open, field: &str) -> u64 {
    crate::listings::memory(open.person.pid(), field)
}
