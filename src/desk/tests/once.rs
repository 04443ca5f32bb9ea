//! What is asked again under a key is there already.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::api::model::{Compose, SentRow};
use crate::mail::kept::{self, ONCE_MAX, Once};
use crate::time::Timestamp;

const KEY: &str = "0123456789abcdef";

fn hello(named: &str) -> Compose {
    Compose { to: peer().node().peer_id(), text: "hello".into(), once: Some(named.into()), ..Compose::default() }
}

async fn send(owner: &Owner, compose: Compose) -> SentRow {
    let Response::Sent(row) = owner.ask(Request::Send(Box::new(compose))).await else { panic!("it was sent") };
    row
}

async fn many_sent(owner: &Owner) -> usize {
    owner.desk.record(|record| record.sent_before(None, 1_000)).await.unwrap().len()
}

#[tokio::test]
async fn what_is_sent_again_under_its_key_is_the_message_that_is_there() {
    let owner = Owner::of(20);
    let before = many_sent(&owner).await;
    let first = send(&owner, hello(KEY)).await;
    // An answer that was lost, and two that ask at the same time.
    let (second, third) = tokio::join!(send(&owner, hello(KEY)), send(&owner, hello(KEY)));
    assert_eq!((&second.id, &third.id), (&first.id, &first.id));
    assert_eq!(many_sent(&owner).await, before + 1);
    // Other words, and other keys for the same ones.
    let other = Compose { text: "hello again".into(), ..hello(KEY) };
    let refused = owner.desk.answer(Request::Send(Box::new(other))).await.unwrap_err();
    assert!(refused.kind == api::ErrorKind::Refused && refused.message.contains("something else"), "{refused}");
    assert_ne!(send(&owner, hello("another-key_of-16")).await.id, first.id);
    assert_eq!(many_sent(&owner).await, before + 2);
}

#[tokio::test]
async fn who_asks_and_leaves_and_asks_again_has_sent_one_message() {
    let owner = Owner::of(20);
    let before = many_sent(&owner).await;
    {
        let mut asked = pin!(owner.desk.answer(Request::Send(Box::new(hello(KEY)))));
        assert!(matches!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
        tokio::task::yield_now().await;
    }
    send(&owner, hello(KEY)).await;
    assert_eq!(many_sent(&owner).await, before + 1);
}

#[tokio::test]
async fn a_key_is_long_and_plain() {
    let owner = Owner::of(20);
    for wrong in ["", "short", "0123456789abcde ", "0123456789abcdeé", &"x".repeat(65)] {
        let refused = owner.desk.answer(Request::Send(Box::new(hello(wrong)))).await.unwrap_err();
        assert_eq!(refused.kind, api::ErrorKind::Usage, "{wrong}: {refused}");
    }
}

#[tokio::test]
async fn of_what_was_sent_once_the_last_are_remembered() {
    let owner = Owner::of(20);
    let row = |n: usize| {
        let once = Once { to: peer().node(), asked: [0; 16], at: Timestamp(n as u64) };
        (kept::once(&n.to_string()), Some(once.write(&BundleId([7; 32]))))
    };
    owner.desk.keep((0..ONCE_MAX).map(row).collect()).await.unwrap();
    let first = send(&owner, hello(KEY)).await;
    let all = owner.desk.record(|record| record.all_kept(&kept::all_once(), None, 2 * ONCE_MAX)).await.unwrap();
    assert!(all.len() < ONCE_MAX, "{}", all.len());
    let is_there = |n: usize| all.iter().any(|(key, _)| *key == kept::once(&n.to_string()));
    assert!(!is_there(0) && is_there(ONCE_MAX - 1), "the oldest went");
    assert_eq!(send(&owner, hello(KEY)).await.id, first.id);
}
