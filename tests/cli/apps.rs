//! Shared apps: sent as a file, used by people who are never online together, the same everywhere.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::groups::{crew, know_each_other};
use crate::person::Person;

/// A container of these files.
pub fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn board() -> Vec<u8> {
    let manifest = b"name = \"Board\"\nsource_code_url = \"https://example.org/board\"\n";
    packed(&[("index.html", b"<p>hi"), ("manifest.toml", manifest), ("icon.png", b"\x89PNG")])
}

/// Sends an app and returns the id of its message.
pub fn begin(person: &Person, who: &str) -> String {
    let path = person.file("board.xdc", &board());
    let sent = person.run_args(&["send", who, "a board", "-f", &path, "--json"]);
    assert_eq!(sent.code, 0, "{}", sent.talk);
    sent.json()["id"].as_str().unwrap().to_owned()
}

pub fn tell(person: &Person, id: &str, payload: &Value, more: &[&str]) {
    let payload = payload.to_string();
    let ran = person.run_args(&[&["app", "update", id, &payload, "--json"], more].concat());
    assert_eq!(ran.code, 0, "{}", ran.talk);
    assert_eq!(ran.json()["state"], "queued");
}

/// What is said in an app, in the order of everybody.
fn payloads(person: &Person, id: &str) -> Vec<Value> {
    person.rows(&format!("app {id}")).into_iter().map(|row| row["payload"].clone()).collect()
}

fn ids(person: &Person, id: &str) -> Vec<String> {
    person.rows(&format!("app {id}")).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_who_are_never_online_together_use_an_app_and_have_the_same_in_it() {
    let [mut alice, mut bob, mut carol] = know_each_other(["alice", "bob", "carol"]);
    assert_eq!((alice.down(), bob.down(), carol.down()), (Some(0), Some(0), Some(0)));
    carol.up("");
    let carols = format!("--peer {}", carol.place());
    let carries = |carol: &Person, many: usize| {
        carol.until("carry list", |rows| rows.iter().filter(|row| row["kind"] == "message").count() >= many);
    };

    alice.up(&carols);
    let id = begin(&alice, "bob");
    tell(&alice, &id, &json!({"add": "bread"}), &["--info", "Alice added bread", "--summary", "1 thing"]);
    tell(&alice, &id, &json!({"add": "milk"}), &["--summary", "2 things"]);
    carries(&carol, 3);
    alice.down();

    bob.up(&carols);
    bob.until("app", |rows| rows.len() == 1 && rows[0]["updates"] == 2);
    let app = &bob.rows("app")[0];
    assert_eq!(
        (&app["id"], &app["name"], &app["icon"], &app["here"]),
        (&json!(id), &json!("Board"), &json!(true), &json!(true))
    );
    assert_eq!((&app["summary"], &app["read_only"], &app["mine"]), (&json!("2 things"), &json!(false), &json!(false)));
    assert_eq!(app["from"]["name"], "alice");
    // An app that runs heard so much, and another one heard the first and stopped.
    let (heard, first) = {
        let rows = bob.rows(&format!("app {id}"));
        assert_eq!(rows[1]["serial"], rows[1]["max_serial"], "the last one says so");
        (rows[1]["serial"].as_u64().unwrap(), rows[0]["serial"].as_u64().unwrap())
    };
    assert_eq!(bob.rows(&format!("app {id} --after {first}")).len(), 1);
    // Nobody has to read what an app says, and its line stands in the conversation.
    assert_eq!(bob.json("inbox --count")["unread"], 1, "the message with the app alone");
    let rows = bob.rows("talk alice");
    let lines: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "app").collect();
    assert_eq!(lines.len(), 1, "{rows:?}");
    assert_eq!((&lines[0]["text"], &lines[0]["read"]), (&json!("Alice added bread"), &json!(true)));
    assert_eq!(lines[0]["in_reply_to"], json!(id));
    assert_eq!(bob.rows("inbox").len(), 1);
    tell(&bob, &id, &json!({"tick": "bread"}), &[]);
    bob.until("status", |rows| rows.iter().all(|row| row["state"] != "queued"));
    bob.down();

    // Meanwhile alice, who has not heard of that.
    alice.up("");
    tell(&alice, &id, &json!({"add": "salt"}), &[]);
    tell(&alice, &id, &json!({"add": "eggs"}), &[]);
    alice.down();
    alice.up(&carols);
    alice.until("app", |rows| rows[0]["updates"] == 5);
    alice.until(&format!("app {id}"), |rows| rows.len() == 5);
    alice.until("status", |rows| rows.iter().all(|row| row["state"] != "queued"));
    alice.down();

    bob.up(&carols);
    bob.until("app", |rows| rows[0]["updates"] == 5);
    let on: Vec<Value> =
        bob.rows(&format!("app {id} --after {heard}")).into_iter().map(|row| row["payload"].clone()).collect();
    assert_eq!(on, [json!({"tick": "bread"}), json!({"add": "salt"}), json!({"add": "eggs"})], "as they came");
    let bobs = ids(&bob, &id);
    let told = payloads(&bob, &id);
    bob.down();
    alice.up("");
    assert_eq!(ids(&alice, &id), bobs, "from the start both have one order");
    let at = |payload: Value| told.iter().position(|told| *told == payload).unwrap();
    assert!(at(json!({"add": "bread"})) < at(json!({"tick": "bread"})), "what was seen comes first: {told:?}");
    assert!(at(json!({"add": "salt"})) < at(json!({"add": "eggs"})));
    // Who follows the record hears of it.
    let mut follow = alice.spawn("--json talk --follow --since 0");
    let row = std::iter::from_fn(|| follow.try_line()).map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let update = row.into_iter().find(|row| row["what"] == "update").unwrap();
    assert_eq!((&update["id"], update["by"].is_string()), (&json!(id), true));
}

#[test]
fn members_of_a_group_have_one_order_whatever_came_when_and_it_goes_with_its_message() {
    let [alice, bob, carol] = crew();
    let id = begin(&alice, "crew");
    for person in [&bob, &carol] {
        person.until("app", |rows| rows.len() == 1);
    }
    for (person, n) in [(&alice, 1), (&bob, 2), (&carol, 3), (&alice, 4), (&bob, 5), (&carol, 6)] {
        tell(person, &id, &json!(n), &["--info", "somebody moved"]);
    }
    for person in [&alice, &bob, &carol] {
        person.until("app", |rows| rows[0]["updates"] == 6);
    }
    let order = ids(&alice, &id);
    assert_eq!((&ids(&bob, &id), &ids(&carol, &id)), (&order, &order));
    assert_eq!(bob.rows("talk crew").iter().filter(|row| row["kind"] == "app").count(), 6);
    assert_eq!(bob.rows("app list crew").len(), 1);
    let deleted = bob.run(&format!("delete {id}"));
    assert_eq!(deleted.code, 0, "{}", deleted.talk);
    assert_eq!(bob.rows("app").len(), 0);
    let others = |row: &&Value| row["kind"] == "app" && row["mine"] == false;
    assert_eq!(bob.rows("talk crew").iter().filter(others).count(), 0, "its lines go with it");
    assert_eq!(ids(&carol, &id), order, "others keep it");
}

#[test]
fn what_cannot_be_said_in_an_app_or_is_none_says_why() {
    let mut alice = Person::new("alice");
    alice.up("");
    let text = alice.json("send me hello")["id"].as_str().unwrap().to_owned();
    let id = begin(&alice, "me");
    let fails = |args: &[&str], code: i32, words: &str| {
        let ran = alice.run_args(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.talk);
        assert!(ran.talk.contains(words), "{args:?}: {}", ran.talk);
    };
    fails(&["app", &text], 4, "see `dak app`");
    fails(&["app", "update", &text, "1"], 4, "no app beside");
    fails(&["app", "update", &id, "{vote"], 2, "no JSON");
    let long = json!("x".repeat(128_000)).to_string();
    fails(&["app", "update", &id, &long], 5, "the limit is 128000");
    tell(&alice, &id, &json!(null), &["--info", "  a line\nof \u{202e}two  "]);
    assert_eq!(payloads(&alice, &id), [json!(null)]);
    let line = alice.run("talk me").data;
    assert!(line.contains("a line of") && !line.contains('\u{202e}'), "{line}");
    // What only looks like an app is listed as what it is.
    let bad = alice.file("bad.xdc", b"no zip");
    assert_eq!(alice.run_args(&["send", "me", "-f", &bad]).code, 0);
    let rows = alice.rows("app");
    let bad = rows.iter().find(|row| row["name"] == "bad").unwrap();
    assert_eq!(bad["here"], false);
    assert!(bad["broken"].as_str().unwrap().contains("no zip"), "{bad}");
    assert!(alice.run("app").data.contains("broken"));
    // And a large one rides in parts.
    let noise: Vec<u8> =
        (0..100_000u32).flat_map(|n| blake3::hash(&n.to_be_bytes()).as_bytes()[..2].to_vec()).collect();
    let large = alice.file("large.xdc", &packed(&[("index.html", b"x"), ("noise", &noise)]));
    assert_eq!(alice.run_args(&["send", "me", "-f", &large]).code, 0);
    alice.until("app", |rows| rows.iter().any(|row| row["name"] == "large" && row["here"] == true));
}

/// What the door for browsers answers: the head, and the body.
fn get(port: u16, host: &str, path: &str, more: &str) -> (String, String) {
    let mut door = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(door, "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{more}\r\n").unwrap();
    let mut answer = Vec::new();
    door.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[test]
fn an_app_has_a_host_of_its_own_with_its_files_and_nothing_else() {
    let mut alice = Person::new("alice");
    alice.up("");
    for app in ["checklist", "poll", "text"] {
        assert_eq!(alice.json(&format!("app send me {app}"))["state"], "queued");
    }
    let other = alice.run("app send me chess");
    assert_eq!((other.code, other.talk.contains("checklist, poll, text")), (2, true), "{}", other.talk);
    alice.until("app", |rows| rows.len() == 3 && rows.iter().all(|row| row["here"] == true && row["icon"] == true));
    let names: Vec<Value> = alice.rows("app").iter().map(|row| row["name"].clone()).collect();
    assert!(["Checklist", "Poll", "Shared text"].iter().all(|name| names.contains(&json!(name))), "{names:?}");
    let id = alice.rows("app")[0]["id"].as_str().unwrap().to_owned();
    // Only a program at the API is told where.
    let start = api(&alice, &format!("/v1/apps/{id}"));
    let host = start["host"].as_str().unwrap().to_owned();
    assert_eq!((start["ours"].as_bool(), start["self_addr"].as_str().unwrap().len()), (Some(true), 32), "{start}");
    let link = alice.run("web --print").data;
    let (_, rest) = link.trim().split_once("http://").unwrap();
    let (page, port) = rest.split_once('/').unwrap().0.split_once(':').unwrap();
    let port: u16 = port.parse().unwrap();

    let (head, body) = get(port, &host, "/", "");
    assert!(head.starts_with("http/1.1 200") && body.contains("webxdc.js"), "{head}");
    let policy = format!("frame-ancestors http://{page}:{port} 'self'");
    for wanted in [
        &*policy,
        "connect-src 'self' data: blob:",
        "form-action 'self'",
        "sandbox allow-scripts",
        "connection-allowlist: (response-origin)",
        "x-dns-prefetch-control: off",
        "text/html",
        "nosniff",
    ] {
        assert!(head.contains(wanted), "{wanted}: {head}");
    }
    assert!(!head.contains("set-cookie"), "{head}");
    let (head, script) = get(port, &host, "/webxdc.js", "");
    assert!(head.contains("text/javascript") && script.contains(start["self_addr"].as_str().unwrap()), "{head}");
    assert!(get(port, &host, "/icon.png", "").0.contains("image/png"));
    // What would answer in the place of the server is not served, nor an app by itself, nor anything that is no file of it.
    for (path, more, status) in [
        ("/app.js", "Service-Worker: script\r\n", "403"),
        ("/index.html", "Sec-Fetch-Dest: document\r\n", "403"),
        ("/v1/me", "", "404"),
        ("/web/session", "", "404"),
        ("/../index.html", "", "404"),
        ("/%2e%2e/index.html", "", "404"),
        ("/nothing", "", "404"),
    ] {
        let (head, body) = get(port, &host, path, more);
        assert!(
            head.starts_with(&format!("http/1.1 {status}")) && head.contains("content-security-policy"),
            "{path}: {head}"
        );
        assert!(!body.contains("alice"), "{path}: {body}");
    }
    assert!(get(port, "app-aaaaaaaaaaaaaaaa.localhost", "/", "").0.starts_with("http/1.1 404"), "nobody guesses one");
    // An app that was deleted is served no longer.
    assert_eq!(alice.run(&format!("delete {id}")).code, 0);
    assert!(get(port, &host, "/", "").0.starts_with("http/1.1 404"));
}

/// What the API says at the node's socket.
fn api(person: &Person, path: &str) -> Value {
    serde_json::from_str(said(person, path).split_once("\r\n\r\n").unwrap().1.trim()).unwrap()
}

fn said(person: &Person, path: &str) -> String {
    use std::os::unix::net::UnixStream;
    let mut socket = UnixStream::connect(person.home().join("run/dak.sock")).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: dak\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// The rows of a listing there.
fn told(person: &Person, path: &str) -> Vec<Value> {
    let lines = said(person, path);
    lines.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same with a body; the status, and what it says.
fn post(person: &Person, path: &str, body: &Value) -> (u16, Value) {
    use std::os::unix::net::UnixStream;
    let mut socket = UnixStream::connect(person.home().join("run/dak.sock")).unwrap();
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: dak\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    write!(socket, "{head}Content-Type: application/json\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body.trim()).unwrap())
}

/// Says so much in an app that nothing more of this person's fits; how many updates that took.
fn fill(person: &Person, id: &str, who: &str) -> usize {
    let (mut bytes, mut told) = (127_000, 0);
    while bytes > 0 {
        let payload = format!("{who} {told} {}", "x".repeat(bytes));
        let (status, answer) = post(person, &format!("/v1/apps/{id}/updates"), &json!({"payload": payload}));
        match status {
            200 => told += 1,
            _ => {
                assert!(answer["error"]["message"].as_str().unwrap().contains("read-only"), "{answer}");
                bytes /= 2;
            }
        }
    }
    told
}

#[test]
fn at_its_bound_an_app_is_read_only_at_both_homes_whatever_came_first() {
    let [mut alice, mut bob, mut carol] = know_each_other(["alice", "bob", "carol"]);
    let id = begin(&alice, "bob");
    bob.until("app", |rows| rows.len() == 1);
    assert_eq!((alice.down(), bob.down()), (Some(0), Some(0)));
    // Each says all that fits, alone.
    let mut all = 0;
    for (person, who) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        person.up("");
        all += fill(person, &id, who);
        let app = &person.rows("app")[0];
        assert_eq!(app["read_only"], true, "{app}");
        let told = person.run_args(&["app", "update", &id, "1"]);
        assert_eq!(told.code, 5, "{}", told.talk);
        assert!(told.talk.contains("read-only") && told.talk.contains("send its file anew"), "{}", told.talk);
        assert!(person.run("app").data.contains("read-only"));
        person.down();
    }
    // They are never there together; carol is.
    let carols = format!("--peer {}", carol.place());
    for person in [&mut alice, &mut bob] {
        person.up(&carols);
        person.until("status", |rows| rows.iter().all(|row| row["state"] != "queued"));
        person.down();
    }
    for person in [&mut alice, &mut bob] {
        person.up(&carols);
        person.until("app", |rows| rows[0]["updates"] == all);
        person.down();
    }
    let mut orders = Vec::new();
    for person in [&mut alice, &mut bob] {
        person.up("");
        orders.push(ids(person, &id));
        assert_eq!(person.rows("app")[0]["read_only"], true);
        person.down();
    }
    assert_eq!((orders[0].len(), &orders[0]), (all, &orders[1]));
    // Its file sent anew begins another one, which is not.
    alice.up("");
    let other = begin(&alice, "bob");
    tell(&alice, &other, &json!("on we go"), &[]);
    assert_eq!(carol.down(), Some(0));
}

#[test]
fn what_an_app_was_told_is_at_its_readers_as_it_was_written() {
    let mut alice = Person::new("alice");
    alice.up("");
    let id = begin(&alice, "me");
    let path = format!("/v1/apps/{id}/updates");
    // The order of names, half a letter, and numbers as they stand there are the app's.
    let written = r#"{"z":1,"a":[0.1,1e999,"\ud83d"],"z":-0}"#;
    assert_eq!(post(&alice, &path, &json!({"payload": written, "json": true})).0, 200);
    let row = |query: &str| told(&alice, &format!("{path}{query}")).remove(0);
    assert_eq!(row("?json=true")["payload"], written);
    assert_eq!(row("")["payload"], written, "no value holds that");
    assert!(alice.run(&format!("app {id}")).data.contains("1e999"));
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    for bad in ["{", "01", "", &deep(101)] {
        let (status, answer) = post(&alice, &path, &json!({"payload": bad, "json": true}));
        assert_eq!(status, 400, "{bad}: {answer}");
    }
    assert_eq!(post(&alice, &path, &json!({"payload": deep(100), "json": true})).0, 200);
    assert_eq!(post(&alice, &path, &json!({"payload": "{", "json": false})).0, 200, "that is a text");
    assert_eq!(payloads(&alice, &id).len(), 3);
}
