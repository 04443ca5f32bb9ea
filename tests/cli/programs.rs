//! Programs that reach a node over loopback: each with a token, within what that allows, and nobody else.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::person::Person;
use crate::{PATIENCE, SOMEBODY, acquaint};

/// More clients than a node serves at a time.
const CROWD: usize = 80;

/// A node with a port for programs.
pub struct Open {
    pub person: Person,
    pub at: SocketAddr,
}

impl Open {
    pub fn new() -> Open {
        let mut person = Person::new("alice");
        person.up("");
        assert_eq!(person.run("config set api.listen 127.0.0.1:0").code, 0);
        person.down();
        let ready = person.up("");
        let at = ready["api_listen"].as_str().unwrap().parse().unwrap();
        Open { person, at }
    }

    /// Starts the node anew.
    fn again(&mut self) {
        self.person.down();
        self.at = self.person.up("")["api_listen"].as_str().unwrap().parse().unwrap();
    }

    pub fn token(&self, more: &str) -> String {
        let ran = self.person.run(&format!("token add {more}"));
        assert_eq!(ran.code, 0, "{}", ran.talk);
        ran.data.split_whitespace().last().unwrap().to_owned()
    }

    /// Status and body of the answer to a request with these headers besides the usual ones.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        self.try_ask(method, path, headers, body).unwrap()
    }

    /// The same where a node may have no room for another, and hang up.
    fn try_ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<(u16, String)> {
        let mut client = self.try_say(method, path, headers, body)?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok((status, answer))
    }

    fn say(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        self.try_say(method, path, headers, body).unwrap()
    }

    fn try_say(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<TcpStream> {
        let mut client = TcpStream::connect(self.at)?;
        client.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += &format!("host: {}\r\n", self.at);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        write!(client, "{request}\r\n{body}")?;
        Ok(client)
    }

    /// The head of a request with a token, whose body is still to come.
    pub fn head(&self, method: &str, path: &str, token: &str, body_bytes: usize) -> TcpStream {
        let mut client = TcpStream::connect(self.at).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let at = self.at;
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n");
        write!(client, "{head}content-length: {body_bytes}\r\n\r\n").unwrap();
        client
    }

    pub fn with(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], &body)
    }
}

#[test]
fn a_program_with_a_token_reads_and_sends_and_follows_with_the_numbers_of_the_command_line() {
    let alice = Open::new();
    let token = alice.token("desk");
    let (status, me) = alice.with(&token, "GET", "/v1/me", Value::Null);
    assert!(status == 200 && me.contains(alice.person.json("me")["peer_id"].as_str().unwrap()), "{me}");
    let (status, document) = alice.with(&token, "GET", "/v1/openapi.json", Value::Null);
    assert!(status == 200 && document.contains("\"openapi\": \"3.1.0\""));

    let bearer = format!("Bearer {token}");
    let follow = |last: &str| {
        let headers = [("authorization", &bearer[..]), ("accept", "text/event-stream"), ("last-event-id", last)];
        Events::of(alice.say("GET", "/v1/events", &headers, ""))
    };
    for text in ["one", "two"] {
        let (status, sent) = alice.with(&token, "POST", "/v1/send", json!({"to": SOMEBODY, "text": text}));
        assert_eq!(status, 200, "{sent}");
    }
    // A time in a query is what people write, as at the command line.
    for (when, rows) in [("yesterday", 1), ("\"in 2 days\"", 0)] {
        let path = format!("/v1/search?q=one+after:{}", when.replace('"', "%22").replace(' ', "+"));
        let (status, found) = alice.with(&token, "GET", &path, Value::Null);
        assert_eq!((status, found.matches("\"schema\":1").count()), (200, rows), "{found}");
    }
    let (first, second) = {
        let mut events = follow("0");
        (events.next(), events.next())
    };
    assert_eq!((first.what.as_str(), first.data["text"].as_str()), ("message", Some("one")));
    assert_eq!((first.id, second.id), (first.data["event"].as_u64(), second.data["event"].as_u64()));
    // A reader that saw the first goes on with the second, and so does the command line.
    let again = follow(&first.id.unwrap().to_string()).next();
    assert_eq!(again.data, second.data);
    let mut talk = alice.person.spawn(&format!("talk --follow --json --since {}", first.id.unwrap()));
    assert_eq!(serde_json::from_str::<Value>(&talk.line()).unwrap(), second.data);
}

#[test]
fn what_is_here_of_a_topic_can_be_read_again_and_its_consumers_get_it_all_the_same() {
    let alice = Open::new();
    let token = alice.token("page");
    alice.person.json("topic create door");
    for n in 0..40 {
        alice.person.json(&format!("pub door {n} --key {}", if n % 10 == 0 { "tens" } else { "rest" }));
    }
    alice.person.json("pub door last");
    let read = |query: &str| -> Vec<(u64, String)> {
        let path = format!("/v1/topics/events?topic=door{query}");
        let (status, answer) = alice.with(&token, "GET", &path, Value::Null);
        assert_eq!(status, 200, "{answer}");
        let rows = answer.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let rows = rows.filter_map(|row| Some((row["event"].as_u64()?, row["text"].as_str()?.to_owned())));
        rows.collect()
    };
    let all: Vec<(u64, String)> = [(31, "30"), (40, "39"), (41, "last")].map(|(n, text)| (n, text.to_owned())).into();
    assert_eq!(read(""), all);
    assert_eq!(read(""), all, "as often as somebody likes");
    assert_eq!(read("&limit=1"), all[2..]);
    assert_eq!(read("&limit=1&before=40"), all[..1], "over numbers that left");
    assert_eq!(read("&before=31"), []);
    assert_eq!(alice.person.rows("sub door").len(), 3);
    assert_eq!(alice.with(&token, "GET", "/v1/topics/events?topic=window", Value::Null).0, 404);
}

#[test]
fn who_shows_no_token_or_one_that_was_revoked_is_not_let_in_and_what_it_followed_ends() {
    let alice = Open::new();
    let token = alice.token("board --read-only");
    let bearer = format!("Bearer {token}");
    for headers in [
        &[][..],
        &[("authorization", "Bearer dak_00")],
        &[("authorization", "Basic dXNlcjpwdw==")],
        &[("authorization", &token)],
        &[("authorization", "Bearer ")],
        &[("cookie", &bearer)],
    ] {
        for path in ["/v1/me", "/v1/openapi.json", "/nowhere"] {
            let (status, answer) = alice.ask("GET", path, headers, "");
            assert_eq!(status, 401, "{headers:?}: {answer}");
            assert!(answer.contains("www-authenticate: Bearer") && answer.contains("\"kind\":\"refused\""), "{answer}");
        }
    }
    let listed = alice.person.json("token list");
    assert_eq!(
        (&listed["name"], &listed["read_only"], &listed["topics"]),
        (&json!("board"), &json!(true), &Value::Null)
    );
    assert!(listed.get("token").is_none());
    let headers = [("authorization", &bearer[..]), ("accept", "text/event-stream")];
    let mut events = Events::of(alice.say("GET", "/v1/events?since=0", &headers, ""));
    assert_eq!(alice.with(&token, "GET", "/v1/me", Value::Null).0, 200);
    assert_eq!(alice.person.run("token revoke board").code, 0);
    assert_eq!(alice.with(&token, "GET", "/v1/me", Value::Null).0, 401);
    // What happens now is not told, and the stream says why it ends.
    let last = events.next();
    assert_eq!((last.what.as_str(), last.id), ("error", None));
    assert!(last.data["error"]["message"].as_str().unwrap().contains("revoked"), "{}", last.data);
    assert_eq!(alice.person.run("token revoke board").code, 4);
    // A file that nobody can read lets nobody in.
    let other = alice.token("other");
    std::fs::write(alice.person.home().join("tokens.toml"), "nonsense").unwrap();
    let (status, answer) = alice.with(&other, "GET", "/v1/me", Value::Null);
    assert_eq!(status, 500, "{answer}");
    let ran = alice.person.run("token add more");
    assert!(ran.code == 1 && ran.talk.contains("move "), "{}", ran.talk);
}

#[test]
fn bytes_that_are_under_way_end_with_the_token_that_they_go_by() {
    let alice = Open::new();
    let desk = alice.token("desk");
    let bearer = |token: &str| format!("Bearer {token}");
    // More than what two sockets and what is between them hold.
    let bytes = "0123456789abcdef".repeat(2 << 20);
    let body = |answer: &str| serde_json::from_str::<Value>(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let (status, answer) = alice.ask("POST", "/v1/files?name=a", &[("authorization", &bearer(&desk))], &bytes);
    assert_eq!(status, 200, "{answer}");
    let upload = json!({"id": body(&answer)["id"], "name": "a"});
    let (status, answer) =
        alice.with(&desk, "POST", "/v1/send", json!({"to": SOMEBODY, "text": "", "uploads": [upload]}));
    assert_eq!(status, 200, "{answer}");
    let path = format!("/v1/files/{}%2F1/content", body(&answer)["id"].as_str().unwrap());
    let reader = alice.token("board --read-only");
    let mut going_out = alice.say("GET", &path, &[("authorization", &bearer(&reader))], "");
    going_out.read_exact(&mut [0; 1_000]).unwrap();
    let mut coming_in = alice.head("POST", "/v1/files?name=b", &desk, 200);
    coming_in.write_all(&[b'x'; 100]).unwrap();
    let began = Instant::now();
    while std::fs::read_dir(alice.person.home().join("files")).unwrap().count() < 2 {
        assert!(began.elapsed() < PATIENCE, "it is not taken in");
        thread::sleep(Duration::from_millis(20));
    }
    for name in ["board", "desk"] {
        assert_eq!(alice.person.run(&format!("token revoke {name}")).code, 0);
    }
    let mut rest = Vec::new();
    let _ = going_out.read_to_end(&mut rest);
    assert!(rest.len() < bytes.len() / 2, "{} of {} bytes came all the same", rest.len(), bytes.len());
    coming_in.write_all(&[b'x'; 100]).unwrap();
    let mut answer = String::new();
    let _ = coming_in.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("the token desk was revoked"), "{answer}");
}

#[test]
fn pages_from_elsewhere_and_names_bound_to_loopback_are_turned_away_whatever_they_show() {
    let alice = Open::new();
    let bearer = format!("Bearer {}", alice.token("desk"));
    let port = alice.at.port();
    let ask = |method: &str, headers: &[(&str, &str)]| {
        let all = [headers, &[("authorization", &bearer[..])]].concat();
        alice.ask(method, "/v1/send", &all, &json!({"to": SOMEBODY, "text": "bad"}).to_string())
    };
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", &format!("127.0.0.1:{}", port ^ 1), ""] {
        let (status, answer) = ask("POST", &[("host", host)]);
        assert_eq!(status, 421, "{host}: {answer}");
    }
    let (one, other) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    assert_eq!(ask("POST", &[("host", &one), ("host", &other)]).0, 421);
    for origin in ["http://evil.example", "null", "https://127.0.0.1", &format!("http://localhost:{}", port ^ 1)] {
        for method in ["POST", "OPTIONS", "GET"] {
            let (status, answer) = ask(method, &[("origin", origin)]);
            assert_eq!(status, 403, "{origin}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
        }
    }
    assert_eq!(alice.person.rows("status").len(), 0);
    for headers in [&[("host", &other[..])][..], &[("origin", &format!("http://{other}"))]] {
        assert_eq!(ask("POST", headers).0, 200);
    }
    assert_eq!(alice.person.rows("status").len(), 2);
}

#[test]
fn a_token_does_what_it_allows_and_nothing_else() {
    let alice = Open::new();
    assert_eq!(alice.person.run("topic create temp").code, 0);
    assert_eq!(alice.person.run("topic create other").code, 0);
    let (reader, sensor) = (alice.token("board --read-only"), alice.token("sensor --topics temp,bob/#"));
    let send = || json!({"to": SOMEBODY, "text": "hi"});
    let publish = |topic: &str| json!({"topic": topic, "messages": [{"text": "20.5"}]});
    assert_eq!(alice.with(&reader, "GET", "/v1/inbox", Value::Null).0, 200);
    for (method, path, body) in [
        ("POST", "/v1/send", send()),
        ("POST", "/v1/topics/publish", publish("temp")),
        ("DELETE", "/v1/contacts/bob", Value::Null),
        ("PUT", "/v1/carry/limit", json!({"bytes": 1})),
        ("POST", "/v1/down", Value::Null),
        // A consumer moves its group, and takes from its others.
        ("GET", "/v1/topics/follow?topic=temp&group=g&from=last", Value::Null),
    ] {
        let (status, answer) = alice.with(&reader, method, path, body);
        assert!(status == 403 && answer.contains("only reads"), "{path}: {answer}");
    }
    assert_eq!(alice.with(&reader, "GET", "/v1/topics/events?topic=temp", Value::Null).0, 200);
    assert_eq!(alice.with(&sensor, "POST", "/v1/topics/publish", publish("temp")).0, 200);
    for (method, path, body) in [
        ("POST", "/v1/topics/publish", publish("other")),
        ("POST", "/v1/topics/delete", json!({"topic": "temp"})),
        ("POST", "/v1/send", send()),
        ("GET", "/v1/inbox", Value::Null),
        ("GET", "/v1/topics", Value::Null),
        ("GET", "/v1/topics/follow?topic=other", Value::Null),
        ("GET", "/v1/topics/follow?topic=%23", Value::Null),
        ("GET", "/v1/events", Value::Null),
        ("GET", "/v1/config", Value::Null),
    ] {
        let (status, answer) = alice.with(&sensor, method, path, body);
        assert!(status == 403 && answer.contains("for temp, bob/# alone"), "{path}: {answer}");
    }
    // It ends when what it gave out is settled.
    let bearer = format!("Bearer {sensor}");
    let path = "/v1/topics/follow?topic=temp&group=g&from=start";
    let events = BufReader::new(alice.say("GET", path, &[("authorization", &bearer)], ""));
    let row = events.lines().map(Result::unwrap).find(|line| line.starts_with('{')).unwrap();
    let row: Value = serde_json::from_str(&row).unwrap();
    assert_eq!(row["text"], "20.5");
    let settled = |endpoint: &Value| json!({"group": "g", "events": [{"endpoint": endpoint, "event": row["event"], "outcome": "done"}]});
    let other = alice.person.rows("topic").into_iter().find(|row| row["topic"] == "other").unwrap();
    let settle = |body| alice.with(&sensor, "POST", "/v1/topics/settle", body).0;
    assert_eq!((settle(settled(&row["endpoint"])), settle(settled(&other["endpoint"]))), (200, 403));
    // Whoever may do everything has no hands for this user's files all the same.
    let desk = alice.token("desk");
    let path = alice.person.file("secret", b"mine");
    for (path, body) in [
        ("/v1/send", json!({"to": SOMEBODY, "paths": [path]})),
        ("/v1/drafts", json!({"compose": {"to": SOMEBODY, "paths": [path]}})),
        ("/v1/backup", json!({"path": "/tmp/b", "passphrase": "p"})),
        ("/v1/hooks", json!({"name": "h", "cmd": ["true"]})),
    ] {
        let (status, answer) = alice.with(&desk, "POST", path, body);
        assert!(status == 403 && answer.contains("paths and commands of this machine"), "{answer}");
    }
    assert_eq!(alice.person.rows("status").len(), 0);
}

#[test]
fn groups_of_a_topic_are_bounded_and_known_ones_go_on() {
    let mut alice = Open::new();
    assert_eq!(alice.person.run("topic create temp").code, 0);
    let sensor = alice.token("sensor --topics temp");
    let follow = |alice: &Open, group: &str, more: &str| {
        alice.with(&sensor, "GET", &format!("/v1/topics/follow?topic=temp&group={group}{more}"), Value::Null).1
    };
    let is_full = |alice: &Open| {
        for more in ["&from=last", ""] {
            let answer = follow(alice, "g256", more);
            assert!(answer.contains("\"kind\":\"refused\"") && answer.contains("room for no more"), "{answer}");
            for known in ["g7", "g8"] {
                let answer = follow(alice, known, more);
                assert!(!answer.contains("error"), "{known}: {answer}");
            }
        }
    };
    let begin = |alice: &Open, n: usize, more: &str| {
        let answer = follow(alice, &format!("g{n}"), more);
        assert!(!answer.contains("error"), "{n}: {answer}");
    };
    (0..256).for_each(|n| begin(&alice, n, if n % 2 == 0 { "&from=last" } else { "" }));
    is_full(&alice);
    // Those that have a place of their own by now are there after a restart as well.
    (0..256).filter(|n| n % 2 == 1).for_each(|n| begin(&alice, n, "&from=last"));
    alice.again();
    is_full(&alice);
}

#[test]
fn streams_that_nobody_reads_and_a_crowd_at_the_port_keep_nobody_from_the_socket() {
    let alice = Open::new();
    let bearer = format!("Bearer {}", alice.token("desk"));
    let headers = [("authorization", &bearer[..]), ("accept", "text/event-stream")];
    // Those for whom there is no room may be hung up on before they have said what they want.
    let come = |_| alice.try_say("GET", "/v1/events?since=0", &headers, "").ok();
    let crowd: Vec<TcpStream> = (0..CROWD).filter_map(come).collect();
    assert!(!crowd.is_empty());
    let long = "x".repeat(60_000);
    for _ in 0..20 {
        let ran = alice.person.run_args(&["send", SOMEBODY, &long]);
        assert_eq!(ran.code, 0, "{}", ran.talk);
    }
    assert_eq!(alice.person.rows("status").len(), 20);
    drop(crowd);
    let began = Instant::now();
    while !matches!(alice.try_ask("GET", "/v1/me", &headers, ""), Ok((200, _))) {
        assert!(began.elapsed() < PATIENCE, "the crowd left, and nobody is let in");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn only_this_machine_is_listened_to_and_only_when_asked() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    assert!(alice.json("config get api.listen")["value"] == "");
    alice.down();
    let config = alice.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("api.listen = \"0.0.0.0:7070\"\n{text}")).unwrap();
    let ran = alice.run("up");
    assert!(ran.code == 2 && ran.talk.contains("only 127.0.0.1 or [::1] will do"), "{}", ran.talk);
    // A port that somebody else has is a clear error.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    std::fs::write(&config, format!("api.listen = \"{}\"\n{text}", taken.local_addr().unwrap())).unwrap();
    let ran = alice.run("up --listen /ip4/127.0.0.1/tcp/0 --no-mdns");
    assert!(ran.code == 1 && ran.talk.contains("cannot listen for programs at 127.0.0.1:"), "{}", ran.talk);
    assert!(ran.talk.contains("api.listen"), "{}", ran.talk);
}

#[test]
fn a_file_is_brought_sent_by_its_id_and_read_from_anywhere_and_what_breaks_off_leaves_nothing() {
    let alice = Open::new();
    let token = alice.token("desk");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &bearer[..])];
    let bytes = "0123456789abcdef".repeat(40_000);
    let (status, answer) = alice.ask("POST", "/v1/files?name=dir/notes.txt", &headers, &bytes);
    let body = |answer: &str| serde_json::from_str::<Value>(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(status, 200, "{answer}");
    let uploaded = body(&answer);
    assert_eq!((&uploaded["name"], &uploaded["bytes"]), (&json!("notes.txt"), &json!(640_000)));
    let files = || std::fs::read_dir(alice.person.home().join("files")).unwrap().count();
    assert_eq!(files(), 1);
    let upload = json!({"id": uploaded["id"], "name": "notes.txt"});
    let (status, sent) =
        alice.with(&token, "POST", "/v1/send", json!({"to": SOMEBODY, "text": "", "uploads": [upload]}));
    assert_eq!(status, 200, "{sent}");
    let id = body(&sent)["id"].as_str().unwrap()[..10].to_owned();
    let content = |range: &str| {
        let headers = [("authorization", &bearer[..]), ("range", range)];
        alice.ask("GET", &format!("/v1/files/{id}%2F1/content"), &headers, "")
    };
    let text = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    let (status, whole) = content("");
    assert!(status == 200 && text(&whole) == bytes && whole.contains("filename*=UTF-8''notes%2Etxt"), "{status}");
    // Over the edge of a part, and the last bytes.
    for (range, from, until) in [("bytes=262140-262150", 262_140, 262_151), ("bytes=-5", 639_995, 640_000)] {
        let (status, answer) = content(range);
        assert_eq!((status, text(&answer)), (206, bytes[from..until].to_owned()), "{range}");
        assert!(answer.contains(&format!("content-range: bytes {from}-{}/640000", until - 1)), "{answer}");
    }
    assert_eq!(content("bytes=640000-").0, 416);
    // One that is small enough rides inside its message, and is read from anywhere just so.
    let note = json!({"name": "note.txt", "hex": "68656c6c6f"});
    let (status, sent) =
        alice.with(&token, "POST", "/v1/send", json!({"to": SOMEBODY, "text": "", "attachments": [note]}));
    assert_eq!(status, 200, "{sent}");
    let inside = body(&sent)["id"].as_str().unwrap()[..10].to_owned();
    for (range, wanted, said) in [("", 200, "hello"), ("bytes=1-2", 206, "el"), ("bytes=-2", 206, "lo")] {
        let headers = [("authorization", &bearer[..]), ("range", range)];
        let (status, answer) = alice.ask("GET", &format!("/v1/files/{inside}%2F1/content"), &headers, "");
        assert_eq!((status, text(&answer)), (wanted, said.to_owned()), "{range}");
        assert!(answer.contains("filename*=UTF-8''note%2Etxt"), "{answer}");
    }
    for number in ["0", "2", "x"] {
        let (status, _) = alice.with(&token, "GET", &format!("/v1/files/{inside}%2F{number}/content"), Value::Null);
        assert!([400, 404].contains(&status), "{number}: {status}");
    }
    for (method, path, body, wanted) in [
        ("GET", "/v1/files/abcdef%2F1/content", Value::Null, 404),
        ("POST", "/v1/files", Value::Null, 400),
        ("POST", "/v1/files?name=empty", Value::Null, 400),
        ("POST", "/v1/send", json!({"to": SOMEBODY, "uploads": [{"id": "00".repeat(32), "name": "n"}]}), 404),
    ] {
        let (status, answer) = alice.with(&token, method, path, body);
        assert_eq!(status, wanted, "{path}: {answer}");
    }
    let (reader, sensor) = (alice.token("board --read-only"), alice.token("sensor --topics temp"));
    for (token, method, path) in [
        (&reader, "POST", "/v1/files?name=a".to_owned()),
        (&sensor, "POST", "/v1/files?name=a".to_owned()),
        (&sensor, "GET", format!("/v1/files/{id}%2F1/content")),
    ] {
        assert_eq!(alice.with(token, method, &path, json!("x")).0, 403, "{path}");
    }
    // Somebody who says there is more and leaves, and somebody whose chunks never end.
    let mut leaves = TcpStream::connect(alice.at).unwrap();
    let head = |more: &str| {
        format!("POST /v1/files?name=a HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\n{more}\r\n", alice.at)
    };
    write!(leaves, "{}{bytes}", head("content-length: 9000000\r\n")).unwrap();
    drop(leaves);
    let mut chunked = TcpStream::connect(alice.at).unwrap();
    write!(chunked, "{}", head("transfer-encoding: chunked\r\n")).unwrap();
    for _ in 0..40 {
        write!(chunked, "{:x}\r\n{bytes}\r\n", bytes.len()).unwrap();
    }
    drop(chunked);
    let began = Instant::now();
    while files() > 1 {
        assert!(began.elapsed() < PATIENCE, "what broke off stays");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Server-sent events, one after the other.
pub struct Events(BufReader<TcpStream>);

pub struct Event {
    pub id: Option<u64>,
    pub what: String,
    pub data: Value,
}

impl Events {
    pub fn of(stream: TcpStream) -> Events {
        Events(BufReader::new(stream))
    }

    pub fn next(&mut self) -> Event {
        let (mut id, mut what) = (None, String::new());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.trim().parse().unwrap());
            } else if let Some(text) = line.strip_prefix("event: ") {
                what = text.trim().to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return Event { id, what, data: serde_json::from_str(text).unwrap() };
            }
        }
    }
}
