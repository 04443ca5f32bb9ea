use ed25519_dalek::SigningKey;

use super::*;
use crate::agent::change::{Change, What};
use crate::agent::io::Event;
use crate::bundle::Priority;
use crate::eid::Eid;
use crate::time::{DAY, DtnTime, Timestamp};

const SEED: [u8; 32] = [9; 32];

fn key(n: u8) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_bytes(&[n; 32]))
}

fn at(now: u64) -> Moment {
    Moment { now: Timestamp(now), wall: DtnTime(846_892_800_000 + now) }
}

/// Records Alice while she writes to Bob, who comes by, takes it and signs for it.
fn recorded() -> Vec<u8> {
    let (alice, bob) = (key(1).node(), key(2).node());
    let listening = Arc::new(Listening::new(key(1)));
    let config = Config::default();
    let header = Header {
        version: RECORDING_VERSION,
        node: alice,
        config: config.clone(),
        seed: SEED,
        durable: Durable::default(),
    };
    let signer: Arc<dyn Signer> = Arc::clone(&listening) as _;
    let mut a = Agent::restore(alice, Mailboxes::own(signer), config.clone(), SEED, Durable::default());
    let mut b = Agent::restore(bob, Mailboxes::own(key(2)), config, [8; 32], Durable::default());
    let mut file = Vec::new();
    let mut recorder = Recorder::begin(&mut file, &header, listening).unwrap();
    let submit = Input::Submit {
        token: 1,
        destination: Eid::mail(bob),
        lifetime: DAY,
        priority: Priority::Normal,
        copies: None,
    };
    let mut queues = [vec![submit, Input::ContactUp { peer: bob }], vec![Input::ContactUp { peer: alice }]];
    let (mut now, mut is_delivered) = (1_000, false);
    let mut bundles = std::collections::BTreeMap::new();
    while queues.iter().any(|queue| !queue.is_empty()) {
        now += 10;
        let mut out = [Vec::new(), Vec::new()];
        for input in std::mem::take(&mut queues[0]).into_iter().chain([Input::Timeout]) {
            recorder.handle(&mut a, at(now), input, &mut out[0]).unwrap();
        }
        for input in std::mem::take(&mut queues[1]).into_iter().chain([Input::Timeout]) {
            b.handle(at(now), input, &mut out[1]);
        }
        for (n, output) in out.into_iter().enumerate().flat_map(|(n, out)| out.into_iter().map(move |o| (n, o))) {
            let from = [alice, bob][n];
            match output {
                Output::Seal { token, .. } => {
                    queues[n].push(Input::Sealed { token, payload: b"sealed"[..].into(), size_bytes: 500 })
                }
                Output::Send { frame, .. } => queues[1 - n].push(Input::Frame { from, frame }),
                Output::Commit(Change::Hold { bundle, .. }) => drop(bundles.insert(bundle.id, bundle)),
                Output::Forward { id, transit, .. } => {
                    let bundle = Arc::clone(&bundles[&id]);
                    queues[1 - n].push(Input::Bundle { from, transit, bundle, size_bytes: 500 });
                }
                Output::Report(Event::Status { evidence, .. }) => is_delivered |= evidence.what == What::Delivered,
                _ => {}
            }
        }
    }
    assert!(is_delivered, "the story is worth recording");
    file
}

#[test]
fn a_recording_plays_with_the_same_outputs_and_without_the_key() {
    let file = recorded();
    let played = play(&file[..]).unwrap();
    assert_eq!((played.node, &played.difference, played.is_cut), (key(1).node(), &None, false));
    assert!(played.inputs > 8, "{played:?}");
    assert!(!file.windows(32).any(|window| window == key(1).as_bytes()), "no secret is in it");
}

#[test]
fn an_agent_that_does_something_else_is_caught_at_the_first_input() {
    let file = recorded();
    // Another lifetime than the one that was asked for.
    let at = file.windows(8).rposition(|window| window == b"lifetime").expect("the submitted message has one") + 8;
    let mut other = file.clone();
    assert_eq!(other[at], 0x1a, "a day in milliseconds takes four bytes");
    other[at + 4] ^= 1;
    let difference = play(&other[..]).unwrap().difference.expect("the draft says another lifetime");
    assert_eq!(difference.what, "a message to seal, number 1");
    assert_eq!(difference.input, 1);
}

#[test]
fn a_cut_recording_plays_to_its_last_whole_input() {
    let file = recorded();
    let whole = play(&file[..]).unwrap();
    let cut = play(&file[..file.len() - 3]).unwrap();
    assert_eq!((cut.inputs, cut.is_cut, cut.difference), (whole.inputs - 1, true, None));
}

#[test]
fn other_files_are_refused() {
    assert!(matches!(play(&b"[contacts]"[..]), Err(RecordingError::Read(_))));
    assert!(matches!(play(&[][..]), Err(RecordingError::Read(_))));
    let mut newer: Header = ciborium::from_reader(&recorded()[..]).unwrap();
    newer.version = 2;
    let mut file = Vec::new();
    ciborium::into_writer(&newer, &mut file).unwrap();
    assert!(matches!(play(&file[..]), Err(RecordingError::Version(2))));
}
