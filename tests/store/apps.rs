//! Updates of shared apps in a store: one order and the same serials, also of what opened late and of an index made anew.

use std::path::Path;
use std::sync::Arc;

use dak::agent::change::{Change, Letter, Row};
use dak::bundle::Kind;
use dak::content::{AppUpdate, Attachment, Content, Filed, KeyUsed, Mark, Text};
use dak::eid::Eid;
use dak::id::BundleId;
use dak::mail::conversation::Conversation;
use dak::mail::order::Span;
use dak::store::Store;
use dak::store::redb::{Direction, RedbStore};

use crate::index::copy_of;
use crate::make::{deliver, node, open, signed};

fn file(row: u64, content: &Content) -> Change {
    let filed = Filed { key: KeyUsed::Identity, content: content.encode(), seal: None };
    Change::File { row: Row(row), filed: Arc::new(filed) }
}

fn update(target: Mark, prior: &[BundleId], info: Option<&str>) -> Content {
    let mut prior: Vec<Mark> = prior.iter().map(Letter::mark_of).collect();
    prior.sort_unstable();
    let info = info.map(Into::into);
    Content::App(AppUpdate { target, prior, payload: "1".into(), info, ..AppUpdate::default() })
}

/// What an app is told behind a serial, and which apps there are.
fn told(store: &RedbStore, with: &Conversation, mark: &Mark, serial: u64) -> Vec<(u64, BundleId)> {
    let updates = store.reader().app_updates(with, mark).unwrap();
    updates.behind(serial).into_iter().map(|(serial, entry)| (serial, entry.id)).collect()
}

#[test]
fn what_opened_late_is_told_once_and_an_index_made_anew_gives_the_same_serials() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let group = Eid::group(node(9));
    let with = Conversation(group.clone());
    let bundles: Vec<_> =
        (1..7).map(|row| signed(1 + row as u8 % 2, Kind::Message, group.clone(), row, 8, &[row as u8])).collect();
    let id = |row: u64| bundles[row as usize - 1].id;
    let mark = Letter::mark_of(&id(1));
    let attachments = vec![Attachment { name: "board.xdc".into(), bytes: vec![1] }];
    let app = Content::from(Text { attachments, ..Text::default() });
    let bring = |row: u64, content: &Content| [deliver(row, &bundles[row as usize - 1]), file(row, content)];
    // An update comes before its app, and one that its group's key is not there for.
    store.commit(&bring(2, &update(mark, &[], None))).unwrap();
    store.commit(&bring(1, &app)).unwrap();
    store.commit(&[deliver(3, &bundles[2])]).unwrap();
    store.commit(&bring(4, &update(mark, &[id(2)], Some("moved")))).unwrap();
    assert_eq!(store.reader().apps(None, 9).unwrap(), [(with.clone(), mark)]);
    let first = told(&store, &with, &mark, 0);
    assert_eq!(first.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [id(2), id(4)]);
    let (heard, broken_off) = (first[1].0, first[0].0);
    store.commit(&[file(3, &update(mark, &[], None))]).unwrap();
    let check = |store: &RedbStore| {
        assert_eq!(told(store, &with, &mark, heard).iter().map(|(_, id)| *id).collect::<Vec<_>>(), [id(3)]);
        let rest: Vec<_> = told(store, &with, &mark, broken_off).iter().map(|(_, id)| *id).collect();
        assert_eq!(rest, [id(4), id(3)]);
        let mut beside = [id(2), id(3)];
        beside.sort_by_key(|id| bundles.iter().find(|bundle| bundle.id == *id).map(|bundle| bundle.source));
        let all: Vec<_> = told(store, &with, &mark, 0).iter().map(|(_, id)| *id).collect();
        assert_eq!(all, [beside[0], beside[1], id(4)], "in the order of everybody");
        let counts = store.reader().counts_of(&with).unwrap().unwrap();
        assert_eq!((counts.rows, counts.unread), (2, 1), "a line is there, and nobody has to read it");
        assert_eq!(store.reader().letters(Span::ALL, Direction::Forwards, 9).unwrap().len(), 1);
    };
    check(&store);
    check(&copy_of(&store, &dir.path().join("copy.redb")));
    drop(store);
    let mut store = open(Path::new(&path));
    check(&store);
    store.commit(&[1, 2, 3, 4].map(|row| Change::Discard { row: Row(row) })).unwrap();
    assert!(told(&store, &with, &mark, 0).is_empty());
    assert_eq!(store.reader().counts_of(&with).unwrap(), None, "nothing of it is left");
    assert_eq!(store.reader().apps(None, 9).unwrap(), []);
}
