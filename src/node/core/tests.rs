//! What a driver owes: nothing is said of a commit that failed, nothing is known that did not verify.

mod home;

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;

use redb::StorageBackend;

use self::home::*;
use super::*;
use crate::agent::change::Row;
use crate::bundle::{Bundle, Creation, Draft, Kind, Priority, Unverified};
use crate::content::group::{Act, Epoch, GroupKey, Operation, Role};
use crate::content::{Content, GroupWord, KeyUsed, Text, pad};
use crate::eid::Eid;
use crate::frame::{Frame, Incoming, Transit};
use crate::id::{BundleId, NodeId};
use crate::keys::Identity;
use crate::mail::groups::{Actor, Standing, rows as group_rows};
use crate::net::ContactSender;
use crate::node::queue::Share;
use crate::receipt::{RECEIPT_IDS_MAX, Receipt, ReceiptKind};
use crate::seal;
use crate::store::redb::Body;
use crate::time::{DAY, DtnTime, Millis};

#[test]
fn nobody_hears_of_what_a_failed_commit_was_about_and_it_is_taken_when_it_comes_again() {
    let home = Home::new();
    let message = message_to(owner().node());
    home.start(home.greeting());
    assert_eq!(home.look(|agent| agent.contacts().count()), Some(1));
    home.disk.fails.store(true, Ordering::SeqCst);
    home.work.put(Work::FromPeer(arrives(&message), Box::new(()))).unwrap();
    // The agent that had the contact is no more.
    home.until(|agent| agent.contacts().count() == 0);
    assert_eq!(home.letters(), Some(0));
    assert_eq!(home.accepted(), []);
    assert!(home.failure.lasting().is_some(), "nothing was written since");
    home.greeting().into_iter().chain([Work::FromPeer(arrives(&message), Box::new(()))]).for_each(|work| {
        home.work.put(work).unwrap();
    });
    home.until_letters(1);
    assert_eq!(home.accepted(), [message.id]);
    assert!(home.failure.lasting().is_none() && home.failure.get().is_some());
}

/// Strangers can have receipts on anything signed, at two changes an id, and whoever looks waits for the whole batch.
#[test]
fn receipts_on_a_thousand_ids_each_fill_a_batch_of_their_own() {
    let home = Home::new();
    let left = Arc::<AtomicBool>::default();
    let mut work = home.greeting();
    for n in 0..16 {
        let batch_ends = Ends { work: home.work.clone(), left: Arc::clone(&left) };
        work.push(Work::FromPeer(arrives(&receipt_on_nothing(n)), Box::new(batch_ends)));
    }
    home.start(work);
    home.until(|agent| agent.held().count() == 16);
    assert!(left.load(Ordering::SeqCst), "the first batch took all of them");
}

/// Knows, when a batch ends, whether there was more to take.
struct Ends {
    work: Arc<Queue<Work>>,
    left: Arc<AtomicBool>,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.left.fetch_or(!self.work.is_empty(), Ordering::SeqCst);
    }
}

/// From the peer to a stranger, on as many messages as a receipt can name, none of which anybody ever saw.
fn receipt_on_nothing(n: u64) -> Arc<Bundle> {
    let source = Identity::from_secret(&[3; 32]).node();
    let ids = (0..RECEIPT_IDS_MAX as u64)
        .map(|id| BundleId(*blake3::hash(&[n, id].map(u64::to_be_bytes).concat()).as_bytes()));
    let mut ids: Vec<BundleId> = ids.collect();
    ids.sort_unstable();
    let receipt = Receipt { kind: ReceiptKind::Delivered, source, device: 0, devices: 1, ids };
    let creation = Creation { time: DtnTime(0), sequence: n };
    let (kind, destination, priority) = (Kind::Receipt, Eid::admin(source), Priority::Normal);
    let draft = Draft { kind, source: peer().node(), destination, creation, lifetime: DAY, priority, copies: 1 };
    Arc::new(draft.sign(&receipt.encode(), &*peer().signer()).unwrap())
}

/// An offer of thousands is answered at its own length, and what is not said yet waits in memory.
#[test]
fn a_frame_takes_of_its_peers_budget_until_its_answer_is_said() {
    let home = Home::new();
    home.start(home.greeting());
    home.until(|agent| agent.contacts().count() == 1);
    let slow = home.disk.gate.lock().unwrap();
    home.work.put(Work::FromPeer(arrives(&message_to(owner().node())), Box::new(()))).unwrap();
    let is_paid = Arc::<AtomicBool>::default();
    let frame = Frame::Offer { ids: vec![BundleId([7; 32])] };
    home.work
        .put(Work::FromPeer(Input::Frame { from: peer().node(), frame }, Box::new(Paid(is_paid.clone()))))
        .unwrap();
    for _ in 0..20 {
        // Of another generation: it does nothing, and shows that the core is past what came before.
        home.work.put(Work::Failed(u64::MAX, StoreError::Full)).unwrap();
        while !home.work.is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert!(!is_paid.load(Ordering::SeqCst), "its answer waits for the commit");
    drop(slow);
    home.until_letters(1);
    assert!(is_paid.load(Ordering::SeqCst));
}

/// Knows when it is given back.
struct Paid(Arc<AtomicBool>);

impl Drop for Paid {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn what_was_thought_out_before_a_failure_was_known_is_not_committed_after_it() {
    let home = Home::new();
    // To be carried for somebody, so that it is held at once and not with the next timeout.
    let message = message_to(Identity::from_secret(&[3; 32]).node());
    let mut work = home.greeting();
    work.push(Work::FromPeer(arrives(&message), Box::new(())));
    work.push(Work::Failed(0, StoreError::Full));
    // All of it is there before the first batch begins, so it is one.
    home.start(work);
    home.until(|agent| agent.contacts().count() == 0);
    assert_eq!(home.look(|agent| agent.held().count()), Some(0));
    assert_eq!(home.accepted(), []);
    assert_eq!(home.stored(), 0, "the store has no row that the agent does not know");
}

#[test]
fn what_was_said_in_one_contact_does_not_reach_the_peer_in_the_next() {
    let home = Home::new();
    let message = message_to(owner().node());
    let [first, second] = [(); 2].map(|()| ContactSender::alone(peer().node()));
    home.start(home.contact(&first));
    until_said(&first, &["Hello"]);
    let slow = home.disk.gate.lock().unwrap();
    home.work.put(Work::FromPeer(arrives(&message), Box::new(()))).unwrap();
    while !home.work.is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // It comes back while the commit of what it handed over is still under way.
    home.work.put(Work::Parted(peer().node())).unwrap();
    home.contact(&second).into_iter().for_each(|work| home.work.put(work).unwrap());
    while !home.work.is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(slow);
    home.until_letters(1);
    until_said(&second, &["Hello"]);
    assert_eq!(home.accepted(), [message.id]);
}

#[test]
fn a_contact_that_began_in_a_batch_that_failed_is_not_left_standing() {
    let home = Home::new();
    let message = message_to(owner().node());
    let sender = ContactSender::alone(peer().node());
    home.disk.fails.store(true, Ordering::SeqCst);
    let mut work = home.contact(&sender);
    work.push(Work::FromPeer(arrives(&message), Box::new(())));
    home.start(work);
    home.until(|agent| agent.contacts().count() == 0);
    assert_eq!(home.letters(), Some(0));
    assert_eq!(kinds(&sender), Vec::<String>::new());
    assert_eq!(sender.clones(), 1, "nobody would write to it any more");
}

#[test]
fn a_node_that_has_nothing_to_do_gives_freed_space_back() {
    let home = Home::new();
    let peer = peer();
    home.start(home.greeting());
    let destination = Eid::mail(Identity::from_secret(&[3; 32]).node());
    let mut ids = Vec::new();
    for sequence in 1..=40 {
        let creation = Creation { time: DtnTime(0), sequence };
        let (kind, priority, source) = (Kind::Message, Priority::Normal, peer.node());
        let destination = destination.clone();
        let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority, copies: 1 };
        let message = Arc::new(draft.sign(&vec![7; 900_000], &*peer.signer()).unwrap());
        ids.push(message.id);
        home.work.put(Work::FromPeer(arrives(&message), Box::new(()))).unwrap();
    }
    home.until(|agent| agent.held().count() == 40);
    let full = home.disk.len().unwrap();
    ids.into_iter().for_each(|id| home.work.put(Work::Input(Input::Drop(id))).unwrap());
    for _ in 0..ASKED_MAX {
        if home.disk.len().unwrap() < full / 4 {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{full} bytes became {}", home.disk.len().unwrap());
}

#[test]
fn a_node_whose_store_cannot_be_read_again_says_so_and_stops_when_told() {
    let home = Home::new();
    let core = home.start(home.greeting());
    home.until(|agent| agent.contacts().count() == 1);
    home.disk.is_gone.store(true, Ordering::SeqCst);
    home.work.put(Work::FromPeer(arrives(&message_to(owner().node())), Box::new(()))).unwrap();
    // Whoever asks is not left waiting.
    for _ in 0..ASKED_MAX {
        if home.letters().is_none() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(matches!(home.failure.get(), Some(StoreError::Io(_) | StoreError::Full)), "{:?}", home.failure.get());
    home.work.put(Work::Stop).unwrap();
    let (ended, is_ended) = channel();
    std::thread::spawn(move || ended.send(core.join().is_ok()));
    assert_eq!(is_ended.recv_timeout(Duration::from_secs(60)), Ok(true), "it goes on and on");
}

/// What was said on a contact.
fn kinds(sender: &ContactSender) -> Vec<String> {
    let frames = sender.queued().into_iter().map(|bytes| match Incoming::decode(&bytes).unwrap() {
        Incoming::Frame(frame) => format!("{frame:?}").split([' ', '(']).next().unwrap().to_owned(),
        Incoming::Bundle { .. } | Incoming::Folded { .. } => "a bundle".to_owned(),
    });
    frames.collect()
}

/// Waits until what was said in a contact begins with these.
fn until_said(sender: &ContactSender, said: &[&str]) {
    let mut heard = Vec::new();
    for _ in 0..ASKED_MAX {
        heard.extend(kinds(sender));
        if heard.len() >= said.len() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    heard.truncate(said.len());
    assert_eq!(heard, said);
}

#[test]
fn who_left_before_its_turn_began_no_contact() {
    let home = Home::new();
    let gone = ContactSender::alone(peer().node());
    gone.close();
    home.start(home.contact(&gone));
    assert_eq!(home.look(|agent| agent.contacts().count()), Some(0));
    home.work.put(Work::Parted(peer().node())).unwrap();
    home.greeting().into_iter().for_each(|work| home.work.put(work).unwrap());
    home.until(|agent| agent.contacts().count() == 1);
}

#[test]
fn the_work_of_a_host_that_takes_long_waits_for_that_of_others() {
    let home = Home::new();
    let (seen, looks) = channel();
    let put = |peer: u8, share: Share, span: Duration| {
        let seen = seen.clone();
        let look = move |_: &Agent| -> Box<dyn FnOnce() + Send> {
            std::thread::sleep(span);
            seen.send(peer).unwrap();
            Box::new(|| ())
        };
        home.work.put_from(NodeId::from_trusted([peer; 32]), share, Work::Look(Box::new(look))).unwrap();
    };
    // Strangers of one host, of whom the first takes long, and somebody who asks for little.
    let (host, named) = (Share::Host([10, 0, 0, 66].into()), Share::Peer(NodeId::from_trusted([9; 32])));
    (1..=5).for_each(|peer| put(peer, host, if peer == 1 { Duration::from_secs(2) } else { Duration::ZERO }));
    (0..5).for_each(|_| put(9, named, Duration::ZERO));
    home.start(Vec::new());
    let order: Vec<u8> = (0..10).map(|_| looks.recv_timeout(Duration::from_secs(60)).unwrap()).collect();
    assert_eq!(order, [1, 9, 9, 9, 9, 9, 2, 3, 4, 5]);
}

#[test]
fn whoever_looks_does_not_wait_for_all_that_takes_long() {
    let home = Home::new();
    let (answered, answer) = channel();
    let first = move |_: &Agent| -> Box<dyn FnOnce() + Send> {
        std::thread::sleep(2 * BATCH_SPAN);
        Box::new(move || answered.send(()).unwrap())
    };
    let (told, is_answered) = channel();
    let second = move |_: &Agent| -> Box<dyn FnOnce() + Send> {
        told.send(answer.recv_timeout(Duration::from_secs(20)).is_ok()).unwrap();
        Box::new(|| ())
    };
    home.start(vec![Work::Look(Box::new(first)), Work::Look(Box::new(second))]);
    assert_eq!(is_answered.recv(), Ok(true), "the answer to the first waited for the second");
}

#[test]
fn a_forged_signature_under_the_id_of_a_genuine_bundle_does_not_keep_it_out() {
    let home = Home::new();
    let message = message_to(owner().node());
    let mut forged = message.bytes().to_vec();
    let at = forged.windows(2).position(|head| head == [0x58, 0x40]).unwrap() + 10;
    forged[at] ^= 1;
    let parsed = |bytes: Vec<u8>| {
        let (from, transit) = (peer().node(), Transit { copies: 1, ..Transit::default() });
        Work::Parsed(Parsed {
            from,
            share: Share::Peer(from),
            transit,
            bundle: Box::new(Unverified::parse(bytes).unwrap()),
            permit: Box::new(()),
        })
    };
    let mut work = home.greeting();
    work.push(parsed(forged));
    home.start(work);
    for _ in 0..ASKED_MAX {
        if home.tally.refused() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(home.letters(), Some(0));
    home.work.put(parsed(message.bytes().to_vec())).unwrap();
    home.until_letters(1);
}

fn begun() -> Operation {
    Operation::begin("crew", [9; 16], DtnTime(0), &*peer().signer())
}

fn group() -> Eid {
    Eid::group(begun().group)
}

/// Groups of somebody who is asked to join that of the peer's.
fn groups() -> Groups {
    let (begun, mut groups) = (begun(), Groups::new(owner().node()));
    let state = group_rows::State { standing: Standing::Invited, since: DtnTime(0) };
    groups.load(&group_rows::state(&begun.group), &state.write());
    groups.load(&group_rows::operation(&begun.group, 0, &begun.id()), &begun.encode());
    groups
}

/// A message of the peer's to the group, under the key of 32 times the epoch's first byte.
fn message_to_group(epoch: [u8; 16], sequence: u64, body: &str) -> Arc<Bundle> {
    message_under(epoch, [epoch[0]; 32], DAY, Creation { time: DtnTime(0), sequence }, body)
}

fn message_under(epoch: [u8; 16], key: [u8; 32], lifetime: Millis, creation: Creation, body: &str) -> Arc<Bundle> {
    let (source, kind, destination, priority) = (peer().node(), Kind::Message, group(), Priority::Normal);
    let draft = Draft { kind, source, destination, creation, lifetime, priority, copies: 1 };
    let text = Text { body: body.into(), ..Text::default() };
    let plaintext = pad(&Content::from(text).encode());
    let signing_key = peer();
    let payload =
        seal::group::seal(&epoch, &key.into(), &draft.primary(), &plaintext, signing_key.signing_key()).unwrap();
    Arc::new(draft.sign(&payload, &*peer().signer()).unwrap())
}

/// What came before the group was served is delivered then; what came before its key opens when the key comes.
#[test]
fn what_is_here_of_a_group_already_is_delivered_once_it_is_served_and_opens_once_its_key_comes() {
    let home = Home::new();
    let (one, other) = ([7; 16], [8; 16]);
    let carried = message_to_group(one, 1, "carried before");
    let sealed = message_to_group(other, 2, "before its key");
    let mut work = home.greeting();
    work.push(Work::FromPeer(arrives(&carried), Box::new(())));
    home.start(work);
    home.until(|agent| agent.held().count() == 1);
    assert_eq!(home.letters(), Some(0));

    home.keyring.set_group_keys(&group(), BTreeMap::from([(one, [7; 32])]));
    home.work.put(Work::Input(Input::ServeGroup { group: group(), on: true })).unwrap();
    home.until_letters(1);
    home.work.put(Work::FromPeer(arrives(&sealed), Box::new(()))).unwrap();
    home.until_letters(2);
    let sealed_rows = || home.look(|_| ()).map(|()| home.reader.sealed(Row(0), 8).unwrap());
    let rows = sealed_rows().unwrap();
    assert_eq!(rows.len(), 1, "what was carried before is opened where it is delivered");

    home.keyring.set_group_keys(&group(), BTreeMap::from([(one, [7; 32]), (other, [8; 32])]));
    home.work.put(Work::Again(again::Again::Sealed(Row(0)))).unwrap();
    for _ in 0..ASKED_MAX {
        if sealed_rows() == Some(Vec::new()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let Some(Body::Filed(filed)) = home.reader.words(&rows).unwrap().remove(0) else { panic!("it is still sealed") };
    assert_eq!(filed.key, KeyUsed::Group(other));
    let Ok(Content::Text(text)) = Content::decode(&filed.content) else { panic!("a text") };
    assert_eq!(text.body, "before its key");
    assert_eq!(home.look(|agent| agent.held().count()), Some(2), "both are carried on for the others");
    let told = home.delivered().into_iter().filter(|id| *id == sealed.id).count();
    assert_eq!(told, 2, "nobody is told of what is sealed, so whoever follows hears of it again when it opens");
}

#[test]
fn what_stays_sealed_leaves_with_the_end_of_its_life_and_does_not_come_back() {
    let home = Home::new();
    let [other, unknown] = [[7; 16], [8; 16]];
    home.keyring.set_group_keys(&group(), BTreeMap::from([(other, [7; 32])]));
    let [short, long] = [Millis(150), DAY].map(|life| {
        let creation = Creation { time: DtnTime(0), sequence: life.0 };
        message_under(unknown, [8; 32], life, creation, "without a key")
    });
    let mut work = vec![Work::Input(Input::ServeGroup { group: group(), on: true })];
    work.extend(home.greeting());
    work.extend([&short, &long].map(|message| Work::FromPeer(arrives(message), Box::new(()))));
    home.start(work);
    let known = |message: &Bundle| home.look(|_| ()).map(|()| home.reader.known(&message.id).unwrap()).unwrap();
    for _ in 0..ASKED_MAX {
        if known(&short).delivered && known(&short).letter.is_none() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(known(&short).delivered && known(&short).letter.is_none());
    assert_eq!(home.letters(), Some(1));
    assert!(known(&long).letter.is_some());
    home.work.put(Work::FromPeer(arrives(&short), Box::new(()))).unwrap();
    assert_eq!(home.letters(), Some(1));
}

#[test]
fn what_comes_of_who_left_before_is_kept_as_such_and_what_they_wrote_since_is_dropped() {
    let home = Home::new();
    let begun = begun();
    let epoch = Epoch { author: peer().node(), heads: vec![begun.id()], key: GroupKey([7; 32]) };
    let id = epoch.id(&begun.group).0;
    let messages =
        [4, 6].map(|ms| message_under(id, [7; 32], DAY, Creation { time: DtnTime(ms), sequence: ms }, "on my way"));
    home.start(home.greeting());
    let act = move |groups: &mut Groups, _| {
        let (group, signer, peer) = (begun.group, owner().signer(), peer());
        let sign =
            |before: &Operation, at, act| Operation::sign(group, vec![before.id()], DtnTime(at), act, &*peer.signer());
        let admit = sign(&begun, 1, Act::Admit { who: owner().node(), role: Role::Owner, from_start: true });
        let leave = sign(&admit, 5, Act::Leave);
        let mut changes = Vec::new();
        let word = |operations, keys| GroupWord { operations, keys, ..GroupWord::of(group) };
        groups.hear(peer.node(), true, &word(vec![admit], vec![epoch]), DtnTime(0), &mut changes);
        groups.join(&group, &Actor { signer: &*signer, now: DtnTime(2), fresh: [5; 32] }, &mut changes).unwrap();
        groups.hear(peer.node(), true, &word(vec![leave], Vec::new()), DtnTime(0), &mut changes);
        Wishes { inputs: Vec::new(), changes, tell: Box::new(|| ()) }
    };
    home.work.put(Work::Groups(Box::new(act))).unwrap();
    for message in &messages {
        home.work.put(Work::FromPeer(arrives(message), Box::new(()))).unwrap();
    }
    home.until(|agent| agent.held().count() == 2);
    home.until_letters(1);
    let [before, since] = messages.map(|message| home.reader.known(&message.id).unwrap());
    assert!(since.delivered && since.letter.is_none());
    let row = before.letter.unwrap().row;
    assert!(home.reader.kept(&group_rows::late(row)).unwrap().is_some());
}
