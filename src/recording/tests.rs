use ed25519_dalek::SigningKey;

use super::frames::{Next, Reader};
use super::*;
use crate::agent::Mailboxes;
use crate::agent::change::{Change, EvidenceKind};
use crate::agent::io::Event;
use crate::bundle::{Priority, Signer};
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
    let start = Start { node: alice, config: config.clone(), seed: SEED, durable: Durable::default() };
    let signer: Arc<dyn Signer> = Arc::clone(&listening) as _;
    let mut a = Agent::restore(alice, Mailboxes::own(signer), config.clone(), SEED, Durable::default());
    let mut b = Agent::restore(bob, Mailboxes::own(key(2)), config, [8; 32], Durable::default());
    let mut file = Vec::new();
    let mut recorder = Recorder::begin(&mut file, listening).unwrap();
    recorder.start(&start).unwrap();
    let submit = Input::Submit {
        token: 1,
        mailbox: Eid::mail(alice),
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
                Output::Report(Event::Status { evidence, .. }) => {
                    is_delivered |= evidence.what == EvidenceKind::Delivered
                }
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
    assert_eq!((played.node, &played.difference, played.is_cut), (Some(key(1).node()), &None, false));
    assert!(played.inputs > 8 && played.starts == 1 && !played.is_open, "{played:?}");
    assert!(!file.windows(32).any(|window| window == key(1).as_bytes()), "no secret is in it");
}

#[test]
fn an_agent_that_does_something_else_is_caught_at_the_first_input() {
    let file = recorded();
    // Another lifetime than the one that was asked for, in a file that is whole.
    let other = rewritten(&file, |record| {
        if let Record::Input { input: Noted::Submit { lifetime, .. }, .. } = record {
            lifetime.0 += 1;
        }
    });
    let difference = play(&other[..]).unwrap().difference.expect("the draft says another lifetime");
    assert_eq!((difference.input, &*difference.what), (1, "a message to seal, number 1"));
    assert!(difference.outputs.iter().any(|output| output.contains("Seal")), "{difference:?}");

    // Today's outputs to the same inputs are a recording that plays.
    let mut renewed = Vec::new();
    let played = renew(&other[..], &mut renewed).unwrap();
    assert_eq!(played.difference.map(|difference| difference.input), Some(1));
    assert_eq!(play(&renewed[..]).unwrap().difference, None);
    let mut again = Vec::new();
    renew(&file[..], &mut again).unwrap();
    assert_eq!(again, file, "where nothing differs the file is the same");
}

#[test]
fn every_changed_byte_is_noticed() {
    let file = recorded();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        let played = play(&changed[..]);
        assert!(played.is_err(), "byte {at} of {}: {played:?}", file.len());
    }
}

#[test]
fn a_recording_cut_anywhere_plays_to_its_last_whole_input() {
    let file = recorded();
    let (whole, first_line) = (play(&file[..]).unwrap(), "dak recording 1\n".len());
    let mut inputs = 0;
    for end in first_line..file.len() {
        let played = play(&file[..end]).unwrap();
        assert_eq!(played.difference, None, "cut at {end}");
        assert!(played.inputs >= inputs, "cut at {end}");
        inputs = played.inputs;
    }
    assert_eq!(inputs, whole.inputs);
    let open = play(&file[..file.len() - 3]).unwrap();
    assert!((open.inputs, open.is_cut, open.is_open) == (whole.inputs, true, true), "{open:?}");
}

#[test]
fn other_files_are_refused() {
    for other in [&b"[contacts]"[..], b"", b"dak recording\n", b"dak recording one\n", &[0xff; 300]] {
        assert!(matches!(play(other), Err(RecordingError::Foreign)));
    }
    assert!(matches!(play(&b"dak recording 2\n"[..]), Err(RecordingError::Version(2))));
    let mut headless = Vec::new();
    let mut writer = Writer::begin(&mut headless).unwrap();
    writer.write(&Written::Input { at: at(1), input: Noted::Timeout }).unwrap();
    assert!(matches!(play(&headless[..]), Err(RecordingError::Damaged { after: 0, .. })));
    // Whole in its checks, and held twice.
    let mut twice = Vec::new();
    let mut writer = Writer::begin(&mut twice).unwrap();
    let node = key(1).node();
    let durable = Durable::default();
    writer.write(&Written::Start(&Start { node, config: Config::default(), seed: SEED, durable })).unwrap();
    (0..2).for_each(|_| writer.write(&Written::Held(&held())).unwrap());
    assert!(matches!(play(&twice[..]), Err(RecordingError::Damaged { .. })));
}

/// Something of a stranger's.
fn held() -> Held {
    Held {
        row: crate::agent::change::Row(1),
        id: crate::id::BundleId([7; 32]),
        kind: crate::bundle::Kind::Message,
        source: key(3).node(),
        destination: Eid::mail(key(2).node()),
        lifetime: DAY,
        accepted_at: Timestamp(0),
        hops: Default::default(),
        expires: Timestamp(DAY.0),
        dated: true,
        size_bytes: 500,
        class: crate::agent::change::Class::Strangers,
        priority: Priority::Normal,
        grade: crate::frame::Grade::Custody,
        copies: 1,
        from: None,
        about: None,
    }
}

/// The same file with some records changed, and right again in its checks.
fn rewritten(file: &[u8], change: impl Fn(&mut Record)) -> Vec<u8> {
    let (mut reader, mut other) = (Reader::begin(file).unwrap(), Vec::new());
    let mut writer = Writer::begin(&mut other).unwrap();
    while let Ok(Next::Record(mut record)) = reader.next::<Record>() {
        change(&mut record);
        let written = match record {
            Record::Start(start) => writer.write(&Written::Start(&start)),
            Record::Held(held) => writer.write(&Written::Held(&held)),
            Record::Input { at, input } => writer.write(&Written::Input { at, input }),
            Record::Outcome { signatures, outputs } => writer.write(&Written::Outcome { signatures, outputs }),
        };
        written.unwrap();
    }
    other
}
