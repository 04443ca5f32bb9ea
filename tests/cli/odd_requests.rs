//! Every field of every route, filled with what makes no sense: the fault is the request's, and the answer says so.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::SOMEBODY;
use crate::person::Person;

/// Longer than any path may be, and any part of one.
const TOO_LONG: usize = 5_000;
/// So deep objects are filled: a draft has a message, which has a task.
const DEPTH_MAX: usize = 3;

#[test]
fn a_request_that_makes_no_sense_is_never_the_nodes_failure() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.run(&format!("contact add carol {SOMEBODY}"));
    alice.run("send carol hello");
    alice.run("group create club carol");
    let socket = alice.home().join("run/dak.sock");
    let (_, document) = exchange(&socket, "GET", "/v1/openapi.json", "");
    let document: Value = serde_json::from_str(&document).unwrap();
    let (mut asked, mut wrong) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            // Its end would end the test, and a door for phones depends on the machine.
            if path == "/v1/down" || path.starts_with("/v1/web") || path == "/health" {
                continue;
            }
            for (target, body) in requests_of(&document, path, route) {
                // A backup of a good name would be made, in the directory where the node runs.
                if path == "/v1/backup" && !body.contains(r#""path":"/"#) {
                    continue;
                }
                asked += 1;
                let (status, answer) = exchange(&socket, &method.to_uppercase(), &target, &body);
                let said: Value = serde_json::from_str(&answer).unwrap_or_default();
                let is_error = said["error"]["kind"].is_string() && said["error"]["message"].is_string();
                if status >= 500 || status == 0 || status >= 400 && !is_error {
                    let short = |text: &str| text.chars().take(160).collect::<String>();
                    wrong.push(format!("{method} {}: {} -> {status} {}", short(&target), short(&body), short(&answer)));
                }
            }
        }
    }
    assert!(asked > 500, "{asked} requests were made");
    assert!(wrong.is_empty(), "of {asked} requests:\n{}", wrong.join("\n"));
    assert_eq!(alice.run("me").code, 0);
}

/// The requests of a route: one as it should be, as far as its types say, and for each of its fields some with that one
/// odd.
fn requests_of(document: &Value, path: &str, route: &Value) -> Vec<(String, String)> {
    let mut requests = Vec::new();
    let parameters = route["parameters"].as_array().cloned().unwrap_or_default();
    let (in_path, in_query): (Vec<_>, Vec<_>) = parameters.iter().partition(|field| field["in"] == "path");
    let named = |name: &str| match name {
        "who" => "carol",
        "group" => "club",
        "number" => "1",
        "label" => "word",
        _ => "none",
    };
    let filled = |odd: Option<(&str, &str)>| {
        in_path.iter().fold(path.to_owned(), |path, field| {
            let name = field["name"].as_str().unwrap();
            let word = odd.filter(|(which, _)| *which == name).map_or(named(name), |(_, word)| word);
            path.replace(&format!("{{{name}}}"), &escaped(word))
        })
    };
    let body = &route["requestBody"]["content"]["application/json"]["schema"];
    let bare = body.is_object().then(|| usual(document, body, 0));
    let bare_text = bare.as_ref().map(Value::to_string).unwrap_or_default();
    requests.push((filled(None), bare_text.clone()));
    for field in &in_path {
        for word in odd_words() {
            requests.push((filled(Some((field["name"].as_str().unwrap(), &word))), bare_text.clone()));
        }
    }
    for field in &in_query {
        for word in odd_words().into_iter().chain(["-1".into(), u64::MAX.to_string()]) {
            let name = field["name"].as_str().unwrap();
            requests.push((format!("{}?{name}={}", filled(None), escaped(&word)), bare_text.clone()));
        }
    }
    if let Some(bare) = bare {
        let mut bodies = Vec::new();
        vary(document, body, &bare, 0, &mut |odd| bodies.push(odd.to_string()));
        requests.extend(bodies.into_iter().map(|body| (filled(None), body)));
    }
    requests
}

/// Calls `found` with `value`, each time with one thing in it odd.
fn vary(document: &Value, schema: &Value, value: &Value, depth: usize, found: &mut dyn FnMut(Value)) {
    let schema = resolved(document, schema);
    odd_ones(&schema).into_iter().for_each(&mut *found);
    if depth == DEPTH_MAX {
        return;
    }
    if let Some(fields) = schema["properties"].as_object() {
        for (name, field) in fields {
            let inner = usual(document, field, depth + 1);
            vary(document, field, &inner, depth + 1, &mut |odd| {
                let mut whole = value.as_object().cloned().unwrap_or_default();
                whole.insert(name.clone(), odd);
                found(Value::Object(whole));
            });
        }
    }
    if schema["items"].is_object() {
        let inner = usual(document, &schema["items"], depth + 1);
        vary(document, &schema["items"], &inner, depth + 1, &mut |odd| found(json!([odd])));
        found(Value::Array(vec![inner; 2_000]));
    }
}

/// What a schema allows and makes most sense.
fn usual(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if let Some(one) = schema["enum"].as_array().and_then(|all| all.first()).or(schema.get("const")) {
        return one.clone();
    }
    match kind_of(&schema) {
        "string" => json!("carol"),
        "integer" | "number" => json!(1),
        "boolean" => json!(false),
        "array" => json!([]),
        _ if depth > DEPTH_MAX => json!({}),
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let field = |name: &Value| {
                let name = name.as_str()?.to_owned();
                let value = usual(document, &schema["properties"][&name], depth + 1);
                Some((name, value))
            };
            Value::Object(required.iter().filter_map(field).collect::<Map<_, _>>())
        }
    }
}

fn odd_ones(schema: &Value) -> Vec<Value> {
    match kind_of(schema) {
        "string" => odd_words().into_iter().map(Value::String).collect(),
        "integer" | "number" => vec![json!(-1), json!(0), json!(u64::MAX), json!(i64::MIN), json!(1e300)],
        "array" => vec![json!([[]]), json!({})],
        "boolean" => vec![json!(true)],
        _ => vec![json!([]), Value::Null],
    }
}

/// No name, no text, no id and no place; none of them can be made, whoever tries.
fn odd_words() -> Vec<String> {
    let long = "x".repeat(TOO_LONG);
    let words = ["", "\0", "/proc/none/such", "/dev/null/none", "\u{202e}/../..", "0000", "é😀\n"];
    words.into_iter().map(str::to_owned).chain([format!("/{long}"), long]).collect()
}

fn resolved(document: &Value, schema: &Value) -> Value {
    let mut schema = schema.clone();
    for _ in 0..4 {
        if let Some(to) = schema["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            schema = document.pointer(to).cloned().unwrap_or_default();
        }
        if let Some(first) = ["anyOf", "oneOf", "allOf"].iter().find_map(|how| schema[*how].get(0)) {
            schema = first.clone();
        }
    }
    schema
}

fn kind_of(schema: &Value) -> &str {
    let kind = &schema["type"];
    kind.as_str().or_else(|| kind[0].as_str()).unwrap_or("object")
}

fn escaped(word: &str) -> String {
    word.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The status and the body of an answer, or as much of it as comes at once where it has no end.
fn exchange(socket: &Path, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    let head = format!("{method} {target} HTTP/1.1\r\nhost: d\r\nconnection: close\r\n");
    let length = format!("content-length: {}\r\n\r\n", body.len());
    // The node may hang up on what it refuses before it has read all.
    let _ = stream.write_all(format!("{head}{length}{body}").as_bytes());
    let (mut answer, mut some) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        // Errors are whole; of good answers the status is enough, for some have no end.
        let (head, said) = text.split_once("\r\n\r\n").unwrap_or_default();
        if status < 400 && !head.is_empty() && !target.ends_with("openapi.json") {
            return (status, said.to_owned());
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return (status, said.to_owned()),
            Ok(read) => answer.extend_from_slice(&some[..read]),
        }
    }
}
