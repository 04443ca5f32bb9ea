//! Drafts that were being sent when the power went.

use super::*;
use crate::api::model::{Compose, NewDraft};
use crate::content::{Content, Text};
use crate::mail::kept::{self, Draft};
use crate::time::Timestamp;

fn hello() -> Compose {
    Compose { to: peer().node().peer_id(), text: "hello".into(), ..Compose::default() }
}

/// Keeps a draft that says hello, as if its sending had begun at a moment.
async fn marked(owner: &Owner, number: u64, began: u64) {
    let content = Content::from(Text { body: "hello".into(), ..Text::default() }).encode();
    let draft = Draft { to: vec![peer().node().peer_id()], began: Some(Timestamp(began)), content, ..Draft::default() };
    owner.desk.keep(vec![(kept::draft(number), Some(draft.write()))]).await.unwrap();
}

#[tokio::test]
async fn what_was_queued_before_the_power_went_is_not_queued_again() {
    let owner = Owner::of(20);
    let Response::Sent(sent) = owner.ask(Request::Send(Box::new(hello()))).await else { panic!("it was sent") };
    marked(&owner, 1, 1).await;
    let send = |number: &str| Request::DraftSend { number: number.into(), to: Vec::new() };
    let Response::Sents(again) = owner.ask(send("1")).await else { panic!("it was sent") };
    assert_eq!(again, std::slice::from_ref(&sent), "it was there");
    // What was said before the draft began to go was something else.
    marked(&owner, 2, u64::MAX).await;
    let Response::Sents(other) = owner.ask(send("2")).await else { panic!("it was sent") };
    assert_ne!(other[0].id, sent.id);
    for number in ["1", "2"] {
        let gone = owner.desk.answer(send(number)).await.unwrap_err();
        assert!(gone.message.contains("was sent"), "{gone}");
    }
}

#[tokio::test]
async fn a_draft_of_which_something_could_not_be_sent_keeps_the_rest_and_says_why() {
    let owner = Owner::of(20);
    let compose = Compose { lifetime_ms: Some(DAY.0 * 400), ..hello() };
    let new = NewDraft { compose, more: Vec::new(), at: None, refused: None };
    let Response::Draft(row) = owner.ask(Request::DraftAdd(Box::new(new))).await else { panic!("it is kept") };
    let refused = owner.desk.answer(Request::DraftSend { number: "1".into(), to: Vec::new() }).await.unwrap_err();
    let Response::Draft(left) = owner.ask(Request::Draft { number: "1".into() }).await else { panic!("it is kept") };
    assert_eq!((left.refused, left.to), (Some(refused.message), row.to));
}
