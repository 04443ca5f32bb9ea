//! Somebody else's generator makes a client of the API's description, and the client talks to real nodes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::person::Person;

/// Where `.ci/run` has a Python environment with the generator in it.
const GENERATOR: &str = "DAK_CLIENT_GENERATOR";

#[test]
fn a_generated_client_sends_reads_searches_and_follows() {
    let Some(programs) = generator() else {
        let why = format!("{GENERATOR} names no Python environment with openapi-python-client; .ci/run makes one");
        assert!(std::env::var_os("CI").is_none(), "{why}");
        return println!("not checked: {why}");
    };
    let place = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut generate = Command::new(programs.join("openapi-python-client"));
    generate.args(["generate", "--fail-on-warning", "--meta", "none", "--path"]).arg(root.join("src/api/openapi.json"));
    generate.arg("--config").arg(root.join("tests/api_client/generator.yml"));
    generate.arg("--output-path").arg(place.path().join("dak_api"));
    succeeds(generate);

    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    let (alice_at, alice_token) = open(&mut alice, "");
    let (bob_at, bob_token) = open(&mut bob, &format!("--peer {}", alice.place()));
    for (person, name, other) in [(&alice, "bob", &bob), (&bob, "alice", &alice)] {
        let added = person.run(&format!("contact add {name} {}", other.json("me")["address"].as_str().unwrap()));
        assert_eq!(added.code, 0, "{}", added.talk);
    }
    let mut client = Command::new(programs.join("python"));
    client
        .env("PYTHONPATH", place.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(root.join("tests/api_client/use.py"));
    let said = succeeds(client.args([alice_at, alice_token, bob_at, bob_token]));
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "fine");
}

/// The programs of the environment that the generator is installed in.
fn generator() -> Option<PathBuf> {
    let programs = PathBuf::from(std::env::var_os(GENERATOR)?).join("bin");
    programs.join("openapi-python-client").exists().then_some(programs)
}

/// Starts a node with a port for programs; returns where it is, and a token.
fn open(person: &mut Person, more: &str) -> (String, String) {
    person.up("");
    assert_eq!(person.run("config set api.listen 127.0.0.1:0").code, 0);
    person.down();
    let ready: Value = person.up(more);
    let token = person.run("token add generated");
    assert_eq!(token.code, 0, "{}", token.talk);
    let token = token.data.split_whitespace().last().unwrap().to_owned();
    (format!("http://{}", ready["api_listen"].as_str().unwrap()), token)
}

fn succeeds(mut command: impl std::borrow::BorrowMut<Command>) -> Output {
    let output = command.borrow_mut().output().unwrap();
    let said = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{said}");
    output
}
