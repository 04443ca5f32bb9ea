//! What peers write: texts, subjects, names of files, and names of themselves.

use dak::api::client::Client;
use dak::api::model::{Compose, File, Introduction, Request, Response};
use dak::bundle::Signer;
use dak::id::NodeId;
use dak::safe_text::safe_prose;
use dak::ticket::Ticket;
use ed25519_dalek::SigningKey;

use crate::payloads::{COUNT, TOGETHER, payloads};
use crate::person::Person;
use crate::{SEED, dak, rows};

/// How many payloads make one name.
const PEOPLE_SHARE: usize = 8;

fn ask(person: &Person, request: Request) -> Result<Response, dak::api::ApiError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Client::new(person.home().join("run/dak.sock")).call(&request))
}

fn stranger(number: usize) -> NodeId {
    SigningKey::from_bytes(blake3::hash(&number.to_be_bytes()).as_bytes()).node()
}

#[test]
fn mail_of_a_peer_is_shown_without_anything_raw() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    let address = bob.up(&format!("--peer {}", alice.place()))["address"].as_str().unwrap().to_owned();
    let payloads = payloads(SEED);
    let messages: Vec<Compose> = payloads.chunks(2 * TOGETHER).map(|some| written(&address, some)).collect();
    for compose in &messages {
        let sent = ask(&alice, Request::Send(Box::new(compose.clone()))).unwrap();
        assert!(matches!(sent, Response::Sent(_)));
    }
    bob.until("inbox", |rows| rows.len() == messages.len());

    let home = bob.home();
    dak(&home, &["inbox"], &[]);
    let listed = rows(&dak(&home, &["inbox", "--json"], &[]));
    let texts: Vec<&str> = listed.iter().map(|row| row["text"].as_str().unwrap()).collect();
    assert!(messages.iter().all(|compose| texts.contains(&compose.text.as_str())), "JSON gives back what was written");
    let saved = bob.path("saved");
    std::fs::create_dir(&saved).unwrap();
    for row in &listed {
        let id = row["id"].as_str().unwrap();
        let letter = rows(&dak(&home, &["read", id, "--json"], &[])).remove(0);
        assert_eq!((&letter["text"], &letter["subject"]), (&row["text"], &row["subject"]));
        dak(&home, &["read", id, "--save", &saved], &[]);
    }
    let names = std::fs::read_dir(&saved).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    assert_eq!(names.len(), COUNT);
    assert!(!names.iter().any(|name| name.contains('/') || name.chars().any(crate::payloads::is_raw)));
    for line in ["status", "carry list", "peers", "nearby", "doctor", "me"] {
        let args: Vec<&str> = line.split(' ').collect();
        dak(&alice.home(), &args, &[]);
        rows(&dak(&alice.home(), &[&args[..], &["--json"]].concat(), &[]));
    }
}

fn written(to: &str, some: &[String]) -> Compose {
    Compose {
        to: to.to_owned(),
        text: some.join("\n"),
        subject: Some(some.concat()),
        attachments: some.iter().map(|name| File { name: name.clone(), bytes: vec![1] }).collect(),
        ..Compose::default()
    }
}

#[test]
fn mail_is_followed_without_anything_raw() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up("");
    let address = bob.up(&format!("--peer {}", alice.place()))["address"].as_str().unwrap().to_owned();
    let payloads = payloads(SEED + 1);
    ask(&alice, Request::Send(Box::new(written(&address, &payloads[..TOGETHER])))).unwrap();
    bob.until("inbox", |rows| rows.len() == 1);
    let mut follower = bob.spawn("inbox --follow");
    // It lists what is there once it hears of what comes.
    let listed = [follower.line(), follower.line()].concat();
    assert_eq!(crate::payloads::raw_in(listed.as_bytes()), None);
    for (sent, some) in payloads.chunks(100).enumerate() {
        // A line that says where the message ends.
        let text = format!("{}\nend {sent}", some.join("\n"));
        let compose = Compose { text, ..written(&address, &some[..TOGETHER]) };
        ask(&alice, Request::Send(Box::new(compose))).unwrap();
        loop {
            let line = follower.line();
            assert_eq!(crate::payloads::raw_in(line.as_bytes()), None);
            if line.trim() == format!("end {sent}") {
                break;
            }
        }
    }
}

#[test]
fn names_that_people_and_nodes_have_are_shown_without_anything_raw() {
    let mut alice = Person::new("alice");
    alice.up("");
    let payloads = payloads(SEED);
    let mut named = Vec::new();
    for (number, some) in payloads.chunks(PEOPLE_SHARE).enumerate() {
        // A node says its own name in its address. Nothing over 64 bytes is a name, and nothing with a control character or
        // a comma.
        let ticket = Ticket::new(stranger(number), Vec::new(), Some(&some.concat())).to_string();
        let is_seen = |c: &char| !c.is_whitespace() && safe_prose(&c.to_string()) == c.to_string();
        let hides: String = some.concat().chars().filter(|c| !c.is_control() && *c != ',').take(14).collect();
        let seen: String = some.concat().chars().filter(|c| is_seen(c) && *c != ',').take(14).collect();
        let add = |name: String| ask(&alice, Request::ContactAdd(Introduction { name, address: ticket.clone() }));
        // A name that is not seen whole is no name, and the answer shows what is in it.
        let added = add(format!("n{hides}{number}")).or_else(|refusal| {
            assert_eq!(crate::payloads::raw_in(refusal.to_string().as_bytes()), None);
            add(format!("n{seen}{number}"))
        });
        let Response::Contact(contact) = added.unwrap() else { panic!("it answers otherwise") };
        named.push(contact.name);
        if number % 20 == 0 {
            assert!(add(format!("a{}b", some[0].chars().find(|c| c.is_control()).unwrap_or('\x1b'))).is_err());
            let compose = Compose { to: ticket, text: "hi".into(), ..Compose::default() };
            ask(&alice, Request::Send(Box::new(compose))).unwrap();
        }
    }
    let home = alice.home();
    for line in ["contact list", "status", "carry list", "talk"] {
        let args: Vec<&str> = line.split(' ').collect();
        dak(&home, &args, &[]);
        rows(&dak(&home, &[&args[..], &["--json"]].concat(), &[]));
    }
    let listed = rows(&dak(&home, &["contact", "list", "--json"], &[]));
    assert_eq!(listed.len(), named.len());
    for name in named.iter().step_by(25) {
        assert!(listed.iter().any(|row| row["name"] == name.as_str()));
        dak(&home, &["contact", "verify", "--yes", "--", name], &[]);
        dak(&home, &["contact", "block", "--", name], &[]);
        dak(&home, &["contact", "remove", "--", name], &[]);
    }
}
