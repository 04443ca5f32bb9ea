//! What every story needs that is told in a browser.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::person::Person;

/// Names the browser.
const BROWSER: &str = "DAK_BROWSER";

/// The browser; where there is none, that is said.
pub fn browser() -> Option<OsString> {
    let browser = std::env::var_os(BROWSER).filter(|browser| Path::new(browser).exists());
    if browser.is_none() {
        let why = format!("{BROWSER} names no Chromium; .ci/run installs one");
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("not checked: {why}");
    }
    browser
}

/// Starts the nodes of these people, who know each other and meet at the first one's.
pub fn meet(people: &mut [Person]) {
    let mut addresses: Vec<Value> = Vec::new();
    let mut middle = String::new();
    for person in &mut *people {
        let more = if middle.is_empty() { String::new() } else { format!("--peer {middle}") };
        addresses.push(person.up(&more)["address"].clone());
        if middle.is_empty() {
            middle = person.place();
        }
    }
    for (n, person) in people.iter().enumerate() {
        for (m, (other, address)) in people.iter().zip(&addresses).enumerate() {
            if n != m {
                let added = person.run(&format!("contact add {} {}", other.name(), address.as_str().unwrap()));
                assert_eq!(added.code, 0, "{}", added.talk);
            }
        }
    }
}

/// Tells a story about them by a command that runs a script; `more` is what it is told beside.
pub fn tell(name: &str, browser: &OsStr, people: &[Person], mut node: Command, more: Value) {
    let row = |person: &Person| json!({"name": person.name(), "home": person.home().to_str().unwrap()});
    let people: Vec<Value> = people.iter().map(row).collect();
    let mut about = json!({"dak": env!("CARGO_BIN_EXE_dak"), "browser": browser.to_str().unwrap(), "people": people});
    about.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    node.arg(place.join("run.mjs")).arg(name).env("DAK_STORY", about.to_string()).stdin(Stdio::null());
    let told = node.output().expect("node runs, which .ci/run installs");
    let said = [&told.stdout[..], &told.stderr].map(String::from_utf8_lossy).concat();
    assert!(told.status.success(), "{name}: {said}");
}
