//! Listings of a large mailbox: what a node needs for them is what a row needs, and not what all of them do.

use std::process::Stdio;
use std::sync::Arc;

use dak::agent::change::{Change, Letter, Row};
use dak::bundle::{Creation, Draft, Hops, Kind, Priority};
use dak::content::{Attachment, Content, Filed, KeyUsed, Text, pad};
use dak::eid::Eid;
use dak::home::Home;
use dak::keys::Identity;
use dak::seal::seal;
use dak::store::Store;
use dak::store::redb::{DiskSync, RedbStore, StoreOptions};
use dak::time::{DAY, DtnTime, Moment, Timestamp};

use crate::person::Person;

/// What a listing may take beyond an idle node, in bytes: the store's cache of 32 MiB, the letters of one page on their way,
/// and what the allocator keeps beside them. All letters together are half as much again, beside that cache.
const LISTING_BYTES_MAX: u64 = 60 << 20;

#[test]
fn a_listing_takes_no_more_memory_for_many_large_letters_than_for_one() {
    // The whole of it is some ten times more, and takes as much longer.
    let (texts, photos) = match std::env::var_os("DAK_LISTING").is_some_and(|how| how == "full") {
        true => (400, 150),
        false => (40, 12),
    };
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    fill(&alice, texts, photos);
    alice.up("");
    let idle = memory(alice.pid(), "RssAnon");
    for line in ["inbox", "inbox --json"] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = alice.command(&args).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(ran.success(), "{line}");
    }
    // What of the program itself is in memory is as much as the machine likes, and no matter of the listing.
    let program = memory(alice.pid(), "RssFile");
    let (most, after) = (memory(alice.pid(), "VmHWM") - program, memory(alice.pid(), "RssAnon"));
    println!("idle {} KiB, at most {} KiB, after {} KiB", idle >> 10, most >> 10, after >> 10);
    assert!(most < idle + LISTING_BYTES_MAX, "idle {} MiB, then {} MiB", idle >> 20, most >> 20);
    assert!(after < idle + LISTING_BYTES_MAX, "idle {} MiB, after it {} MiB", idle >> 20, after >> 20);
}

/// Puts letters with long texts and with photos into the inbox of a closed home.
fn fill(person: &Person, texts: u64, photos: u64) {
    let home = Home::find(Some(&person.home())).unwrap();
    let owner = Identity::load(&home.identity_path()).unwrap();
    let mut store =
        RedbStore::open(&home.store_path(), StoreOptions { sync: DiskSync::Never, ..StoreOptions::default() }).unwrap();
    let next = store.durable().unwrap().next_row.0;
    let body: String = "all work and no play ".chars().cycle().take(850_000).collect();
    for n in 0..texts + photos {
        let text = match n < texts {
            true => Text { body: body.clone(), ..Text::default() },
            false => {
                let photo = Attachment { name: "photo.jpg".into(), bytes: vec![n as u8; 850_000] };
                Text { body: "look at this".into(), attachments: vec![photo], ..Text::default() }
            }
        };
        let content = Content::from(text);
        let (row, letter) = (Row(next + n), letter(&owner, next + n, &content));
        let filed = Arc::new(Filed { key: KeyUsed::Identity, content: content.encode(), seal: None });
        store.commit(&[letter, Change::File { row, filed }]).unwrap();
    }
}

fn letter(owner: &Identity, row: u64, content: &Content) -> Change {
    let sender = Identity::from_secret(&[7; 32]);
    let destination = Eid::mail(owner.node());
    let creation = Creation { time: DtnTime(0), sequence: row };
    let draft = Draft {
        kind: Kind::Message,
        source: sender.node(),
        destination: destination.clone(),
        creation,
        lifetime: DAY,
        priority: Priority::Normal,
        copies: 1,
    };
    let plaintext = pad(&content.encode());
    let sealed = seal(&owner.node(), &draft.primary(), &plaintext, sender.signing_key()).unwrap();
    let bundle = Arc::new(draft.sign(&sealed, &*sender.signer()).unwrap());
    let letter = Letter {
        row: Row(row),
        id: bundle.id,
        source: sender.node(),
        destination,
        creation,
        lifetime: DAY,
        priority: Priority::Normal,
        size_bytes: bundle.encoded_len() as u32,
        received: Moment { now: Timestamp(row), wall: DtnTime(0) },
        from: sender.node(),
        hops: Hops::default(),
        read: false,
        told: false,
    };
    Change::Deliver { letter, bundle }
}

/// A figure of a process from the system, in bytes.
pub fn memory(pid: u32, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.split_whitespace().find_map(|word| word.parse::<u64>().ok()).unwrap() << 10
}
