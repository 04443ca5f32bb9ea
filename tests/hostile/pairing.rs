//! Whoever guesses at the code of a pairing, or takes part in it badly: nobody without the code is let in, its owner is
//! told of each guess, and the next pairing works.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dak::id::NodeId;
use dak::pairing::{Code, Frame, Joiner, Refusal};
use dak::ticket::Ticket;
use ed25519_dalek::SigningKey;
use futures::AsyncWriteExt;
use futures::future::join_all;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::time::timeout;
use yamux::Stream;

use super::forge::{dice, fresh_key};
use super::person::Person;
use super::rogue::{Ears, Rogue, framed, read_frame};
use super::target::Target;
use super::wire::{consent, propose};
use super::{PATIENCE, run, size};

const PAIR: &str = "/dak/pair/1";

#[test]
fn whoever_guesses_at_a_code_in_crowds_is_told_of_and_let_in_by_nobody() {
    run(async {
        let target = Target::up("");
        let (mut showing, code) = show(&target.person);
        let code = Code::parse(&code).unwrap();
        let mut dice = dice(41);
        // Numbers are asked for one after another, garbage is said, and streams are left open: none of that is a try.
        let key = fresh_key(&mut dice);
        let rogue = Rogue::meet(&key, target.at, Ears::Count).await.unwrap();
        for number in 1..=99 {
            let asked = Code::parse(&format!("{number}-alarm-alarm")).unwrap();
            let Ok((_, heard)) = ask(&rogue, &key, &target, &asked, &mut dice).await else { continue };
            let is_shown = matches!(heard, Frame::Answer { .. });
            assert!(is_shown == (number == code.number()) && (is_shown || heard == Frame::Refused(Refusal::NotHere)));
        }
        for garbage in [&b"\x00"[..], b"\xff\xff\xff\xff", b"\x03\x83\x01\x07", &[0x41; 4_000]] {
            let mut stream = open(&rogue).await.unwrap();
            let _ = stream.write_all(garbage).await;
            let _ = stream.close().await;
        }
        drop(rogue);
        // A crowd, each with its own key and a guess of its own, all at once.
        let guesses = size(12, 40);
        let keys: Vec<SigningKey> = (0..guesses).map(|_| fresh_key(&mut dice)).collect();
        let mut chances: Vec<ChaCha8Rng> = (0..guesses).map(super::forge::dice).collect();
        let all = keys.iter().zip(&mut chances).map(|(key, dice)| guess(key, &target, &code, dice));
        let answers = timeout(PATIENCE, join_all(all)).await.expect("all are answered, or hung up on");
        assert!(!answers.iter().any(|answer| matches!(answer, Some(Frame::Welcome { .. }))), "{answers:?}");
        let wrong =
            answers.iter().filter(|answer| matches!(answer, Some(Frame::Refused(Refusal::Wrong { .. })))).count();
        assert!(wrong <= 3, "{answers:?}");
        // As many as it takes, where most of the crowd was turned away.
        let mut more = wrong;
        while more < 3 {
            let key = fresh_key(&mut dice);
            let answer = guess(&key, &target, &code, &mut dice).await;
            assert!(!matches!(answer, Some(Frame::Welcome { .. })));
            more += usize::from(matches!(answer, Some(Frame::Refused(Refusal::Wrong { .. }))));
        }
        for left in [2, 1, 0] {
            let told: Value = serde_json::from_str(&showing.line()).unwrap();
            assert_eq!(told["tries_left"], left);
        }
        assert_eq!(showing.end(), Some(8));
        assert!(target.person.rows("contact list").is_empty());
        // The next pairing works.
        let mut bob = Person::new("bob");
        bob.up("");
        let (mut showing, code) = show(&target.person);
        let joined = bob.json(&format!("pair {code} --peer {}", target.person.place()));
        assert_eq!(joined["peer_id"], target.node.peer_id());
        assert_eq!(showing.end(), Some(0));
    });
}

#[test]
fn who_claims_every_number_and_has_no_code_keeps_nobody_from_the_one_at_an_address() {
    run(async {
        let target = Target::up("");
        let mut dice = dice(44);
        // More than there are proofs, and in contact already: they are asked before anybody can be dialed.
        let mut crowd = Vec::new();
        for _ in 0..4 {
            let mut rogue = Rogue::meet(&fresh_key(&mut dice), target.at, Ears::Count).await.unwrap();
            crowd.push(tokio::spawn(async move {
                let mut held = Vec::new();
                while let Some(mut stream) = rogue.wire.arriving.recv().await {
                    if !consent(&mut stream, PAIR).await.unwrap_or(false) {
                        continue;
                    }
                    // An element that nobody can do anything with costs a proof as well; nothing more is ever said.
                    if let Ok(Frame::Ask { element, .. }) = hear(&mut stream).await {
                        let _ = say(&mut stream, &Frame::Answer { element }).await;
                    }
                    held.push(stream);
                }
            }));
        }
        let mut bob = Person::new("bob");
        bob.up("");
        let (mut showing, code) = show(&bob);
        let person = target.person.run(&format!("pair {code} --peer {} --json", bob.place()));
        assert_eq!(person.code, 0, "{}{}", person.data, person.talk);
        assert_eq!(showing.end(), Some(0));
        // Without an address they are met alone, which is said with what helps.
        let ran = target.person.run(&format!("pair {code}"));
        assert!(ran.code == 8 && ran.talk.contains("does not have the code"), "{}", ran.talk);
        assert!(ran.talk.contains("--peer"), "{}", ran.talk);
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

#[test]
fn a_crowd_that_opens_streams_to_pair_keeps_nobody_from_pairing() {
    run(async {
        let target = Target::up("");
        let mut bob = Person::new("bob");
        bob.up("");
        let (mut showing, code) = show(&target.person);
        let (mut dice, mut crowd) = (dice(45), Vec::new());
        let opened = Arc::new(AtomicU64::new(0));
        for _ in 0..12 {
            let (key, at, opened) = (fresh_key(&mut dice), target.at, Arc::clone(&opened));
            crowd.push(tokio::spawn(async move {
                // A connection may end on a stream that is opened before the node forgot another; then there is a next one.
                loop {
                    let met = Rogue::meet(&key, at, Ears::Count).await;
                    let Ok(rogue) = met else {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    // On each nothing is said, and where one is dropped another takes its place.
                    let streams = (0..5).map(|_| async {
                        while let Ok(mut stream) = open(&rogue).await {
                            opened.fetch_add(1, Ordering::Relaxed);
                            let _ = read_frame(&mut stream).await;
                        }
                    });
                    join_all(streams).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }));
        }
        let are_many = async {
            while opened.load(Ordering::Relaxed) < 240 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, are_many).await.expect("the crowd opens its streams");
        let paired = bob.run(&format!("pair {code} --peer {}", target.person.place()));
        assert_eq!(paired.code, 0, "{}{}", paired.data, paired.talk);
        assert_eq!(showing.end(), Some(0));
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

#[test]
fn a_joiner_that_dies_before_it_has_the_other_is_told_of_and_can_pair_again() {
    run(async {
        let target = Target::up("");
        let (mut showing, code) = show(&target.person);
        let code = Code::parse(&code).unwrap();
        let (key, mut dice) = (SigningKey::from_bytes(&[42; 32]), dice(42));
        for round in 0..2 {
            let code = match round {
                0 => code,
                _ => {
                    let (again, code) = show(&target.person);
                    showing = again;
                    Code::parse(&code).unwrap()
                }
            };
            let rogue = Rogue::meet(&key, target.at, Ears::Count).await.unwrap();
            let ((joiner, mut stream), Frame::Answer { element }) =
                until_heard(&rogue, &key, &target, &code, &mut dice).await
            else {
                panic!("it shows the code")
            };
            let me = node(&key);
            let ticket = Ticket::new(me, [], Some("mallory\u{1b}[2J")).to_string();
            let (proving, proof) = joiner.prove(&element, ticket.as_bytes()).unwrap();
            say(&mut stream, &proof).await.unwrap();
            let Ok(Frame::Welcome { tag, sealed }) = hear(&mut stream).await else { panic!("it is let in") };
            assert!(proving.welcomed(&tag, &sealed).is_ok());
            if round == 1 {
                say(&mut stream, &Frame::Done).await.unwrap();
            }
            // In the first round it is gone without that word.
            let left = (round == 1).then_some((stream, rogue));
            let row: Value = serde_json::from_str(&showing.line()).unwrap();
            drop(left);
            assert_eq!((&row["mutual"], &row["verified"]), (&(round == 1).into(), &true.into()), "{row}");
            // Nothing raw of what it calls itself.
            assert_eq!(row["name"], me.to_string());
            assert_eq!(showing.end(), Some(0));
        }
        assert_eq!(target.person.rows("contact list").len(), 1);
    });
}

#[test]
fn who_has_the_code_and_names_another_is_not_let_in() {
    run(async {
        let target = Target::up("");
        let (mut showing, code) = show(&target.person);
        let code = Code::parse(&code).unwrap();
        let (key, mut dice) = (SigningKey::from_bytes(&[43; 32]), dice(43));
        let rogue = Rogue::meet(&key, target.at, Ears::Count).await.unwrap();
        let ((joiner, mut stream), Frame::Answer { element }) =
            until_heard(&rogue, &key, &target, &code, &mut dice).await
        else {
            panic!("it shows the code")
        };
        let another = Ticket::new(node(&fresh_key(&mut dice)), [], None).to_string();
        let (_, proof) = joiner.prove(&element, another.as_bytes()).unwrap();
        say(&mut stream, &proof).await.unwrap();
        assert_eq!(showing.end(), Some(1), "its owner is told");
        assert!(target.person.rows("contact list").is_empty());
    });
}

/// Asks for the number of a code, and guesses its words badly.
async fn guess(key: &SigningKey, target: &Target, code: &Code, dice: &mut ChaCha8Rng) -> Option<Frame> {
    let wrong = Code::parse(&format!("{}-alarm-alarm", code.number())).unwrap();
    let rogue = Rogue::meet(key, target.at, Ears::Count).await.ok()?;
    let ((joiner, mut stream), heard) = ask(&rogue, key, target, &wrong, dice).await.ok()?;
    let Frame::Answer { element } = heard else { return Some(heard) };
    let ticket = Ticket::new(node(key), [], None).to_string();
    let (_, proof) = joiner.prove(&element, ticket.as_bytes()).ok()?;
    say(&mut stream, &proof).await.ok()?;
    hear(&mut stream).await.ok()
}

/// Asks until it is answered: streams that come faster than they are taken are dropped.
async fn until_heard(
    rogue: &Rogue,
    key: &SigningKey,
    target: &Target,
    code: &Code,
    dice: &mut ChaCha8Rng,
) -> ((Joiner, Stream), Frame) {
    let until_heard = async {
        loop {
            if let Ok(heard) = ask(rogue, key, target, code, dice).await {
                return heard;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, until_heard).await.expect("somebody shows a code")
}

async fn ask(
    rogue: &Rogue,
    key: &SigningKey,
    target: &Target,
    code: &Code,
    dice: &mut ChaCha8Rng,
) -> io::Result<((Joiner, Stream), Frame)> {
    let mut stream = open(rogue).await?;
    let (joiner, ask) = Joiner::ask(node(key), code, target.node, dice);
    say(&mut stream, &ask).await?;
    let heard = hear(&mut stream).await?;
    Ok(((joiner, stream), heard))
}

async fn open(rogue: &Rogue) -> io::Result<Stream> {
    let mut stream = rogue.wire.open().await?;
    propose(&mut stream, PAIR).await?;
    Ok(stream)
}

async fn say(stream: &mut Stream, frame: &Frame) -> io::Result<()> {
    stream.write_all(&framed(&frame.encode())).await?;
    stream.flush().await
}

async fn hear(stream: &mut Stream) -> io::Result<Frame> {
    let frame = timeout(PATIENCE, read_frame(stream)).await??;
    Frame::decode(&frame).map_err(io::Error::other)
}

fn show(person: &Person) -> (super::person::Running, String) {
    let mut showing = person.spawn("pair --json");
    let row: Value = serde_json::from_str(&showing.line()).unwrap();
    let code = row["code"].as_str().unwrap().to_owned();
    (showing, code)
}

fn node(key: &SigningKey) -> NodeId {
    NodeId::from_key(key.verifying_key().to_bytes()).unwrap()
}
