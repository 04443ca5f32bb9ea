//! What questions cost everybody else who waits for the agent: rows it walks over, counted.

mod drafts;
mod once;
mod people;
mod stirs;

use std::sync::Arc;

use futures::StreamExt;
use tempfile::TempDir;

use super::rows::Taken;
use super::*;
use crate::agent::change::{Change, Letter, Outgoing, Row};
use crate::agent::{self, rows_walked};
use crate::api::model::{Introduction, Show};
use crate::api::{self, Listing};
use crate::bundle::{Creation, Draft, Hops, Kind, Priority};
use crate::config::Flags;
use crate::eid::Eid;
use crate::id::BundleId;
use crate::keys::Identity;
use crate::store::redb::{DiskSync, RedbStore, StoreOptions};
use crate::time::{DAY, DtnTime, Moment, Timestamp};

/// A closed home that has sent and received so many messages.
struct Owner {
    _place: TempDir,
    desk: Desk,
    sent: BundleId,
    letter: BundleId,
}

impl Owner {
    fn of(messages: u64) -> Owner {
        let place = tempfile::tempdir().unwrap();
        let home = Home::open_or_create(Some(&place.path().join("home"))).unwrap();
        let identity = Identity::from_secret(&[1; 32]);
        let changes: Vec<Change> = (1..=messages).flat_map(|n| [posted(n), delivered(n, &identity)]).collect();
        let quickly = StoreOptions { sync: DiskSync::Never, ..StoreOptions::default() };
        let mut store = RedbStore::open(&home.store_path(), quickly).unwrap();
        changes.chunks(512).for_each(|some| store.commit_all(&[some]).unwrap());
        drop(store);
        let mut letters = changes.iter().filter_map(|change| match change {
            Change::Deliver { letter, .. } => Some(letter.id),
            _ => None,
        });
        let letter = letters.next_back().unwrap();
        let config = Config::load(&home.config_path(), |_| None, Flags::default()).unwrap();
        let options = crate::node::Options {
            identity,
            store: home.store_path(),
            config: agent::Config::default(),
            push_bytes: crate::content::PUSH_BYTES,
            net: None,
            record: None,
        };
        let lock = home.lock().unwrap();
        let desk = Desk::new(Node::start(options).unwrap(), home, config, "alice".into(), lock);
        Owner { _place: place, desk, sent: id_of(messages), letter }
    }

    /// How many rows the agent's thread has walked over so far.
    async fn walked(&self) -> u64 {
        self.desk.look(|_, _| rows_walked()).await.unwrap()
    }

    async fn ask(&self, request: Request) -> Response {
        self.desk.answer(request).await.unwrap()
    }
}

fn id_of(n: u64) -> BundleId {
    BundleId(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

fn peer() -> Identity {
    Identity::from_secret(&[2; 32])
}

fn posted(n: u64) -> Change {
    let outgoing = Outgoing {
        id: id_of(n),
        destination: Eid::mail(peer().node()),
        creation: Creation { time: DtnTime(0), sequence: n },
        created: Moment { now: Timestamp(n), wall: DtnTime(0) },
        lifetime: DAY,
        expires: Timestamp(n + DAY.0),
        priority: Priority::Normal,
        source: None,
        row: None,
        size_bytes: 500,
        evidence: Vec::new(),
        carriers: Vec::new(),
        unlisted: Default::default(),
    };
    Change::Post { outgoing }
}

fn delivered(n: u64, to: &Identity) -> Change {
    let (source, destination) = (peer().node(), Eid::mail(to.node()));
    let creation = Creation { time: DtnTime(0), sequence: n };
    let (kind, priority) = (Kind::Message, Priority::Normal);
    let draft = Draft { kind, source, destination: destination.clone(), creation, lifetime: DAY, priority, copies: 1 };
    let bundle = Arc::new(draft.sign(b"sealed by nobody", &*peer().signer()).unwrap());
    let letter = Letter {
        row: Row(n),
        id: bundle.id,
        source,
        destination,
        creation,
        lifetime: DAY,
        priority,
        size_bytes: bundle.encoded_len() as u32,
        received: Moment { now: Timestamp(n), wall: DtnTime(0) },
        from: source,
        hops: Hops::default(),
        read: false,
        told: false,
    };
    Change::Deliver { letter, bundle }
}

#[tokio::test]
async fn a_question_about_one_message_is_answered_from_the_record_and_walks_over_nothing_in_the_agent() {
    for messages in [20, 2_000] {
        let owner = Owner::of(messages);
        let (sent, letter) = (owner.sent.full(), owner.letter.full());
        let before = owner.walked().await;
        owner.ask(Request::Status { id: sent.clone() }).await;
        owner.ask(Request::Read { id: letter.clone(), mark: true, tell: false }).await;
        owner.ask(Request::CarryExport { id: letter.clone() }).await;
        owner.desk.thread_of(owner.letter).await.unwrap();
        let envelope = owner.desk.envelope(owner.letter).await.unwrap().unwrap();
        owner.desk.open(vec![envelope], Taken::Everything).await.unwrap();
        assert_eq!(owner.walked().await - before, 0, "of {messages}");

        let mut rows = owner.desk.follow(Topic::Status { id: None });
        let before = owner.walked().await;
        owner.ask(Request::Cancel { id: sent }).await;
        let Some(api::Row::Status(row)) = rows.next().await else { panic!("the stream ended") };
        assert_eq!(row.id, owner.sent.full());
        assert_eq!(owner.walked().await - before, 0, "of {messages}");
    }
}

#[tokio::test]
async fn what_is_deleted_while_it_is_listed_is_left_out() {
    let Owner { _place, desk, sent, letter } = Owner::of(2);
    let envelope = || async { desk.envelope(letter).await.unwrap().unwrap() };
    let (found, listed) = (envelope().await, envelope().await);
    let mut lines = Vec::new();
    for id in [sent, letter] {
        lines.push(desk.entry(&id).await.unwrap().unwrap());
    }
    assert_eq!(desk.open(vec![found], Taken::Everything).await.unwrap().len(), 1);
    desk.answer(Request::Cancel { id: sent.full() }).await.unwrap();
    for id in [sent, letter] {
        desk.answer(Request::InboxDelete { id: id.full() }).await.unwrap();
    }
    assert!(desk.open(vec![listed], Taken::Everything).await.unwrap().is_empty());
    for (with, entry) in lines {
        assert!(desk.said_in(&with, entry).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_listing_looks_at_one_page_at_a_time_and_gives_every_row_once() {
    let owner = Owner::of(2_000);
    let inbox = |unread, limit| Listing::Inbox { unread, limit, text_chars: Some(10), show: Show::Waiting };
    let status = |limit| Listing::Status { limit, unsettled: true, to: Some(peer().node().peer_id()) };
    let inboxes = [(inbox(false, None), 2_000), (inbox(true, Some(700)), 700)];
    let statuses =
        [(status(None), 2_000), (status(Some(700)), 700), (status(Some(1)), 1), (status(Some(9_999)), 2_000)];
    for (listing, all) in inboxes.into_iter().chain(statuses) {
        let before = owner.walked().await;
        let mut rows = owner.desk.list(listing.clone());
        let first = rows.next().await;
        assert_eq!(owner.walked().await, before, "{listing:?}: the agent has better to do");
        let ids = futures::stream::iter(first).chain(rows).map(|row| match row {
            api::Row::Inbox(row) => row.id,
            api::Row::Status(row) => row.id,
            other => panic!("{other:?}"),
        });
        let ids: Vec<String> = ids.collect().await;
        let once: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!((ids.len(), once.len()), (all, all), "{listing:?}");
        let newest = if matches!(listing, Listing::Status { .. }) { owner.sent } else { owner.letter };
        assert_eq!(ids.last(), Some(&newest.full()));
    }
    for listing in [inbox(false, Some(0)), status(Some(0))] {
        assert_eq!(owner.desk.list(listing).count().await, 0);
    }
}

#[tokio::test]
async fn two_ids_with_the_same_first_digits_are_told_apart_by_more_of_them() {
    let owner = Owner::of(2_000);
    let ids: Vec<String> = (1..=2_000).map(|n| id_of(n).full()).collect();
    let twins = |id: &&String| ids.iter().filter(|other| other[..4] == id[..4]).count() == 2;
    let id = ids.iter().find(twins).unwrap();
    let error = owner.desk.answer(Request::Status { id: id[..4].into() }).await.unwrap_err();
    assert!(error.message.contains("more than one message sent from here"), "{error}");
    let found = owner.ask(Request::Status { id: format!(" {} ", id[..16].to_uppercase()) }).await;
    assert!(matches!(found, Response::Statuses(rows) if rows[0].id == *id));
    for (typed, kind) in [("123", api::ErrorKind::Usage), (&"1".repeat(65), api::ErrorKind::NotFound)] {
        assert_eq!(owner.desk.answer(Request::Status { id: typed.into() }).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn a_short_id_is_found_behind_many_rows() {
    let owner = Owner::of(2 * listing::PAGE_ROWS as u64);
    let last = Identity::from_secret(&[3; 32]).node();
    let text = "hi".into();
    let compose = api::model::Compose { to: rows::address(last), text, ..Default::default() };
    owner.ask(Request::Send(Box::new(compose))).await;
    let new = Introduction { name: "carol".into(), address: last.to_string() };
    let Response::Contact(row) = owner.ask(Request::ContactAdd(new)).await else { panic!("it answers otherwise") };
    assert_eq!(row.address, rows::address(last));
}
