//! What is told to who looks, of what changes beside the record.

use std::io;
use std::time::{Duration, SystemTime};

use super::*;
use crate::api::model::{Arranging, Compose, Introduction, NewAway, NewDraft, TermsWanted, Usual, When};
use crate::blobs::Blobs;
use crate::content::{Enclosed, PUSH_BYTES, Shape, parts_of};
use crate::node::Stir;

/// What is not told by then never is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a kind was told of so often.
async fn told(desk: &Desk, what: Stir, many: u64) {
    let is_told = async {
        while desk.node().stirs().count(what) < many {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, is_told).await.is_ok(), "of {what:?} it was told less than {many} times");
}

fn in_a_moment(ms: i64) -> When {
    When(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64 + ms)
}

fn away(ms: i64) -> Request {
    Request::AwaySet(NewAway { text: "at sea".into(), until: in_a_moment(ms), reply: false, every_ms: None })
}

#[tokio::test]
async fn every_request_that_changes_something_beside_the_record_tells_of_it_once() {
    let owner = Owner::of(20);
    let (desk, who) = (&owner.desk, || "bob".to_owned());
    let draft = || {
        let compose = Compose { to: who(), text: "hello".into(), ..Compose::default() };
        Request::DraftAdd(Box::new(NewDraft { compose, more: Vec::new(), at: None, refused: None }))
    };
    let topic = || "weather".to_owned();
    let rows = [
        (Stir::Contacts, Request::ContactAdd(Introduction { name: who(), address: peer().node().peer_id() })),
        (Stir::Contacts, Request::ContactVerify { who: who(), verified: true }),
        (Stir::Contacts, Request::ContactSet { who: who(), clear: true, usual: Usual::default() }),
        (Stir::Contacts, Request::ContactBlock { who: who() }),
        (Stir::Contacts, Request::ContactUnblock { who: who() }),
        (Stir::Drafts, draft()),
        (Stir::Drafts, Request::DraftDelete { number: "1".into() }),
        (Stir::Drafts, draft()),
        (Stir::Drafts, Request::DraftSend { number: "2".into(), to: Vec::new() }),
        (Stir::Places, Request::Arrange { what: vec![who()], how: Arranging::Pin }),
        (Stir::Places, Request::Label { label: "later".into(), ids: vec![owner.letter.full()], on: true }),
        (Stir::Topics, Request::TopicSubscribe { topic: "bob/news".into() }),
        (Stir::Topics, Request::TopicUnsubscribe { topic: "bob/news".into() }),
        (Stir::Topics, Request::TopicCreate { topic: topic(), writers: None }),
        (Stir::Topics, Request::TopicSet { topic: topic(), terms: TermsWanted::default() }),
        (Stir::Topics, Request::TopicDelete { topic: topic() }),
        (Stir::Groups, Request::GroupCreate { name: "boat".into(), with: Vec::new() }),
        (Stir::Groups, Request::GroupRename { group: "boat".into(), name: "ship".into() }),
        (Stir::Groups, Request::GroupLeave { group: "ship".into() }),
        (Stir::Away, away(1_000_000)),
        (Stir::Away, Request::AwayEnd),
        (Stir::Contacts, Request::ContactRename { who: who(), name: "rob".into() }),
        (Stir::Contacts, Request::ContactRemove { who: "rob".into() }),
    ];
    for (what, request) in rows {
        let before = desk.node().stirs().count(what);
        let shown = format!("{request:?}");
        desk.call(request).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        told(desk, what, before + 1).await;
        // What the node tells of by itself may come in several steps.
        if !matches!(what, Stir::Topics | Stir::Groups) {
            assert_eq!(desk.node().stirs().count(what), before + 1, "{shown}");
        }
    }
}

#[tokio::test]
async fn that_a_file_is_whole_is_told_to_who_looks() {
    let (owner, other) = (Owner::of(20), tempfile::tempdir().unwrap());
    let from = Arc::new(Blobs::open(other.path().join("files"), PUSH_BYTES).unwrap());
    let mut stager = from.stage().unwrap();
    io::copy(&mut &[7; 300_000][..], &mut stager).unwrap();
    let staged = stager.finish().unwrap();
    let (bytes, root, key) = (staged.bytes, staged.root, staged.key);
    let file = Enclosed { name: "x".into(), bytes, root, key, shape: Shape::File, part_log: crate::content::PART_LOG };
    let looking = tokio::spawn(owner.desk.clone().fill_holes());
    let blobs = owner.desk.node().blobs();
    blobs.want(&file);
    told(&owner.desk, Stir::Files, 1).await;
    // Of each part, for somebody may watch how far it is.
    for index in 0..parts_of(bytes) {
        blobs.take(&from.part(&root, index).unwrap(), None);
        blobs.sync().unwrap();
        told(&owner.desk, Stir::Files, 2 + u64::from(index)).await;
    }
    assert!(parts_of(bytes) > 1);
    looking.abort();
}

#[tokio::test]
async fn that_the_time_is_over_for_which_the_person_is_away_is_told_to_who_looks() {
    let owner = Owner::of(20);
    let keeping = tokio::spawn(owner.desk.clone().keep_appointments());
    owner.desk.call(away(1_000)).await.unwrap();
    told(&owner.desk, Stir::Away, 2).await;
    let Response::Away(row) = owner.ask(Request::Away).await else { panic!("it says whether") };
    assert!(!row.away);
    keeping.abort();
}
