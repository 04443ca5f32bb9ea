//! A home without a network, asked through its desk.

use futures::StreamExt;

use super::super::*;
use crate::agent::change;
use crate::api::model::{Compose, ContactRow, InboxRow, Introduction, Show};
use crate::api::{Listing, News, Row};
use crate::bundle::Priority;
use crate::content::{Content, Unknown, pad};
use crate::eid::Eid;
use crate::keys::Identity;
use crate::mail::order::Span;
use crate::node::Options;
use crate::store::redb::Direction;
use crate::time::DAY;

const COMPOSED: &str = "Zo\u{eb}";
const DECOMPOSED: &str = "Zoe\u{308}";

/// A desk, and the directory that lasts as long.
fn desk() -> (Desk, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    let home = Home::open_or_create(Some(&place.path().join("home"))).unwrap();
    let lock = home.lock().unwrap();
    let config = Config::load(&home.config_path(), |_| None, Default::default()).unwrap();
    let options = Options {
        identity: Identity::from_secret(&[1; 32]),
        store: home.store_path(),
        config: Default::default(),
        push_bytes: crate::content::PUSH_BYTES,
        net: None,
        record: None,
    };
    (Desk::new(Node::start(options).unwrap(), home, config, "alice".into(), lock), place)
}

fn somebody(number: u8) -> String {
    rows::address(Identity::from_secret(&[number; 32]).node())
}

async fn add(desk: &Desk, name: &str, number: u8) -> Result<ContactRow, ApiError> {
    let new = Introduction { name: name.into(), address: somebody(number) };
    match desk.answer(Request::ContactAdd(new)).await? {
        Response::Contact(row) => Ok(row),
        other => panic!("{other:?}"),
    }
}

async fn inbox(desk: &Desk) -> Vec<InboxRow> {
    let whole = Listing::Inbox { unread: false, limit: None, text_chars: None, show: Show::All };
    let rows: Vec<Row> = desk.list(whole).collect().await;
    let inbox = rows.into_iter().map(|row| match row {
        Row::Inbox(row) => row,
        other => panic!("{other:?}"),
    });
    inbox.collect()
}

#[tokio::test]
async fn a_name_is_one_name_however_it_is_spelt() {
    let (desk, _place) = desk();
    assert_eq!(add(&desk, DECOMPOSED, 2).await.unwrap().name, COMPOSED);
    for name in [COMPOSED, DECOMPOSED] {
        assert_eq!(add(&desk, name, 3).await.unwrap_err().kind.exit_code(), 5, "{name:?} is another's");
        let Response::Contact(row) = desk.answer(Request::ContactShow { who: name.into() }).await.unwrap() else {
            panic!("it answers otherwise")
        };
        assert_eq!(row.address, somebody(2));
    }
}

#[tokio::test]
async fn a_name_typed_in_other_letters_names_its_only_owner_or_says_that_there_are_several() {
    let (desk, _place) = desk();
    let show = |who: &str| desk.answer(Request::ContactShow { who: who.into() });
    add(&desk, "Bob", 2).await.unwrap();
    assert!(show("bOB").await.is_ok());
    add(&desk, "bob", 3).await.unwrap();
    assert!(show("bob").await.is_ok());
    let error = show("bOB").await.unwrap_err();
    assert!(error.kind.exit_code() == 4 && error.message.contains("more than one contact"), "{error}");
}

#[tokio::test]
async fn what_looks_like_an_address_is_no_name() {
    let (desk, _place) = desk();
    for name in ["dak:bob", "12D3KooWbob", "/ip4/bob"] {
        assert_eq!(add(&desk, name, 2).await.unwrap_err().kind.exit_code(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_note_to_oneself_is_news_of_oneself() {
    let (desk, _place) = desk();
    let mut news = news::news(desk.clone());
    let note = Compose { to: desk.me().peer_id, text: "hi".into(), ..Compose::default() };
    let Response::Sent(sent) = desk.answer(Request::Send(Box::new(note))).await.unwrap() else { panic!("not sent") };
    let Some(News::Mail { from, id }) = news.next().await else { panic!("no news") };
    assert_eq!((from.name.as_deref(), id), (Some("alice"), sent.id));
}

#[tokio::test]
async fn of_two_that_take_a_name_at_the_same_time_one_gets_it() {
    let (desk, _place) = desk();
    for round in 0..20 {
        let name = format!("bob{round}");
        let (one, two, three) = (add(&desk, &name, 2), add(&desk, &name, 3), add(&desk, &name, 4));
        let (one, two, three) = tokio::join!(one, two, three);
        let got = [&one, &two, &three].into_iter().filter(|added| added.is_ok()).count();
        assert_eq!(got, 1, "{one:?} {two:?} {three:?}");
    }
}

#[tokio::test]
async fn another_name_for_a_known_address_says_what_it_was() {
    let (desk, _place) = desk();
    assert_eq!(add(&desk, "bob", 2).await.unwrap().renamed_from, None);
    assert_eq!(add(&desk, "bob", 2).await.unwrap().renamed_from, None);
    assert_eq!(add(&desk, "robert", 2).await.unwrap().renamed_from.as_deref(), Some("bob"));
    let rename = Request::ContactRename { who: "robert".into(), name: "rob".into() };
    let Response::Contact(row) = desk.answer(rename).await.unwrap() else { panic!("it answers otherwise") };
    assert_eq!((row.name.as_str(), row.renamed_from.as_deref()), ("rob", Some("robert")));
}

#[tokio::test]
async fn what_is_printed_of_a_node_without_a_name_names_it() {
    let (desk, _place) = desk();
    let node = Identity::from_secret(&[2; 32]).node();
    let short = node.to_string();
    let send = |to: &str| Request::Send(Box::new(Compose { to: to.into(), text: "hi".into(), ..Compose::default() }));
    assert_eq!(desk.answer(send(&short)).await.unwrap_err().kind.exit_code(), 4, "nobody heard of it yet");
    desk.answer(send(&somebody(2))).await.unwrap();
    desk.answer(send(&short)).await.unwrap();
    let new = Introduction { name: "bob".into(), address: short };
    let Response::Contact(row) = desk.answer(Request::ContactAdd(new)).await.unwrap() else {
        panic!("it answers otherwise")
    };
    assert_eq!(row.address, somebody(2));
}

#[tokio::test]
async fn what_one_wrote_is_read_again_and_what_came_lies_open_in_the_store() {
    let (desk, _place) = desk();
    add(&desk, "bob", 2).await.unwrap();
    let send = async |to: &str, text: &str| {
        let file = crate::api::model::File { name: "map".into(), bytes: vec![1, 2] };
        let compose = Compose { to: to.into(), text: text.into(), attachments: vec![file], ..Compose::default() };
        match desk.answer(Request::Send(Box::new(compose))).await.unwrap() {
            Response::Sent(row) => row.id,
            other => panic!("{other:?}"),
        }
    };
    let read = async |id: &str| match desk.answer(Request::Read { id: id.into(), mark: false, tell: false }).await {
        Ok(Response::Letter(letter)) => letter,
        other => panic!("{other:?}"),
    };
    let to_bob = read(&send("bob", "for bob").await).await;
    assert_eq!((to_bob.row.text.as_deref(), to_bob.to.as_deref()), (Some("for bob"), Some("bob")));
    assert_eq!((to_bob.row.from.as_str(), to_bob.state), ("alice", Some(crate::api::model::State::Queued)));
    assert_eq!(to_bob.files[0].bytes, [1, 2]);
    // To oneself: it is delivered here, and the words lie open in both rows.
    let to_me = read(&send(&somebody(1), "a note").await).await;
    assert_eq!((to_me.row.text.as_deref(), to_me.to), (Some("a note"), None));
    assert!(desk.node().reader().sealed(change::Row(0), 9).unwrap().is_empty(), "nothing waits to be opened");
    let letters = desk.record(|record| record.letters(Span::ALL, Direction::Forwards, 9)).await.unwrap();
    let rows: Vec<_> = letters.iter().map(|(_, letter)| letter.row).collect();
    let words = desk.node().reader().words(&rows).unwrap();
    assert!(matches!(&words[..], [Some(crate::store::redb::Body::Filed(_))]), "{words:?}");
}

#[tokio::test]
async fn one_s_own_answer_names_what_it_answers_whole() {
    let (desk, _place) = desk();
    let compose = Compose { to: somebody(1), text: "a note".into(), ..Compose::default() };
    let Response::Sent(note) = desk.answer(Request::Send(Box::new(compose))).await.unwrap() else { panic!("not sent") };
    let in_reply_to = Some(note.id[..12].to_owned());
    let compose = Compose { to: somebody(2), text: "about it".into(), in_reply_to, ..Compose::default() };
    let Response::Sent(sent) = desk.answer(Request::Send(Box::new(compose))).await.unwrap() else { panic!("not sent") };
    match desk.answer(Request::Read { id: sent.id, mark: false, tell: false }).await.unwrap() {
        Response::Letter(letter) => assert_eq!(letter.row.in_reply_to, Some(note.id)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_s_own_words_can_be_deleted_once_they_are_not_on_their_way() {
    let (desk, _place) = desk();
    let send = async |to: String| {
        let compose = Compose { to, text: "a slip of the pen".into(), ..Compose::default() };
        match desk.answer(Request::Send(Box::new(compose))).await.unwrap() {
            Response::Sent(row) => row.id,
            other => panic!("{other:?}"),
        }
    };
    let delete = async |id: &str| desk.answer(Request::InboxDelete { id: id.into() }).await;
    let read = async |id: &str| desk.answer(Request::Read { id: id.into(), mark: false, tell: false }).await;
    let away = send(somebody(2)).await;
    let rows = [&away, &send(somebody(1)).await].map(|id| {
        let id = id.clone();
        desk.record(move |record| {
            let sent = record.sent_behind(None, 9)?;
            Ok(sent.into_iter().find(|(_, sent)| sent.id.full() == id).and_then(|(_, sent)| sent.row))
        })
    });
    let rows: Vec<_> = futures::future::try_join_all(rows).await.unwrap().into_iter().flatten().collect();
    let letters = desk.record(|record| record.letters(Span::ALL, Direction::Forwards, 1)).await.unwrap();
    let note = letters[0].1.id.full();
    assert_eq!(delete(&away).await.unwrap_err().next, Some(NextStep::CancelMessage { id: away.clone() }));
    assert!(read(&away).await.is_ok());
    desk.answer(Request::Cancel { id: away.clone() }).await.unwrap();
    for id in [&away, &note] {
        delete(id).await.unwrap();
        assert!(read(id).await.is_err(), "nothing of it is left");
    }
    assert_eq!(rows.len(), 2);
    assert!(desk.node().reader().words(&rows).unwrap().iter().all(Option::is_none), "also in the store");
}

#[tokio::test]
async fn a_message_of_an_unknown_kind_is_kept_and_never_shown_as_a_text() {
    let (desk, _place) = desk();
    // Where a text has its subject and its body.
    let newer = Unknown { kind: 7, fields: vec![(4, b"\x63odd".to_vec()), (5, b"\x67no text".to_vec())] };
    let plaintext = pad(&Content::Unknown(newer).encode());
    let me = Eid::mail(desk.node().identity().node());
    let id = desk.node().send(me, plaintext, DAY, Priority::Normal, None).await.unwrap();
    let rows = inbox(&desk).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].text, &rows[0].subject), (&None, &None));
    let why = rows[0].unreadable.as_deref().unwrap();
    assert!(why.contains("newer version") && why.contains("kind 7"), "{why}");
    // A note of one's own is not new by itself.
    desk.answer(Request::Mark { ids: vec![id.full()], read: false }).await.unwrap();
    let Response::Letter(letter) = desk.answer(Request::Read { id: id.full(), mark: true, tell: true }).await.unwrap()
    else {
        panic!("it answers otherwise")
    };
    assert_eq!((letter.row.text, letter.files.len()), (None, 0));
    assert!(!inbox(&desk).await[0].read, "what nobody could read stays new");
}

#[tokio::test]
async fn an_id_that_means_several_messages_is_told_apart_in_the_answer() {
    let (desk, _place) = desk();
    let mut ids: Vec<String> = Vec::new();
    // Four digits: some two of so many begin alike.
    let prefix = loop {
        let compose = Compose { to: somebody(2), text: "hi".into(), ..Compose::default() };
        let Response::Sent(sent) = desk.answer(Request::Send(Box::new(compose))).await.unwrap() else {
            panic!("not sent")
        };
        if let Some(twin) = ids.iter().find(|id| id[..4] == sent.id[..4]) {
            break twin[..4].to_owned();
        }
        ids.push(sent.id);
    };
    let error = desk.answer(Request::Status { id: prefix.clone() }).await.unwrap_err();
    let Some(NextStep::GiveMoreOfId { such_as }) = error.next else { panic!("{error:?}") };
    assert_eq!(such_as.len(), 2);
    for id in such_as {
        assert!(id.starts_with(&prefix));
        desk.answer(Request::Status { id }).await.unwrap();
    }
}

#[tokio::test]
async fn an_id_of_elsewhere_names_the_step_that_takes_it() {
    let (desk, _place) = desk();
    let compose = Compose { to: somebody(2), text: "hi".into(), ..Compose::default() };
    let Response::Sent(sent) = desk.answer(Request::Send(Box::new(compose))).await.unwrap() else { panic!("not sent") };
    let id = sent.id;
    let error = desk.answer(Request::Mark { ids: vec![id.clone()], read: true }).await.unwrap_err();
    assert_eq!(error.next, Some(NextStep::SeeStatus { id }));
}
