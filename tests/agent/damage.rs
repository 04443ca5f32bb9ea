//! Homes whose records are damaged and can still be read: an agent starts from whatever they say, and goes on.

use std::sync::Arc;

use dak::agent::change::{Class, Durable, Held, Letter, Person, Row, Standing};
use dak::agent::{Agent, Config, Input, Mailboxes, Output};
use dak::bundle::{Bundle, Priority, Signer};
use dak::driver::Said;
use dak::eid::Eid;
use dak::frame::{Frame, Grade, Refusal, Transit};
use dak::id::{BundleId, NodeId};
use dak::mail::record::Record;
use dak::store::Store;
use dak::time::{DAY, HOUR, Millis, Moment, Timestamp};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngSeed};

use super::random::{any_story, take_step};
use super::world::ghost::Ghost;
use super::{ALICE, BOB, CAROL, World};

/// An agent on its own: whatever it wants done is dropped.
struct Alone {
    agent: Agent,
    record: Record,
    at: Moment,
    out: Vec<Output>,
}

impl Alone {
    fn start(key: Arc<SigningKey>, config: Config, durable: Durable) -> Alone {
        let (at, record) = (durable.clock, Record::of(&durable));
        let agent = Agent::restore(key.node(), Mailboxes::own(key), config, [7; 32], durable);
        Alone { agent, record, at, out: Vec::new() }
    }

    fn input(&mut self, input: Input) {
        let known = self.agent.asks_of(&input).iter().map(|id| self.record.known(id)).collect();
        let from = self.out.len();
        self.agent.handle(self.at, Input::Recall(known), &mut self.out);
        self.agent.handle(self.at, input, &mut self.out);
        self.out[from..].iter().filter_map(Said::change).for_each(|change| self.record.apply(change));
        // Not for ever: with its clock at the end of time, some of what is due stays due.
        for _ in 0..50 {
            if self.agent.next_timeout().is_none_or(|(due, _)| due > self.at.now) {
                break;
            }
            self.agent.handle(self.at, Input::Timeout, &mut self.out);
        }
    }

    fn hear(&mut self, from: NodeId, frame: Frame) {
        self.input(Input::Frame { from, frame });
    }

    /// A day in a life: contacts, mail, receipts, the person's wishes, and a time in which everything ends.
    fn live(&mut self, bundles: &[Arc<Bundle>]) {
        let (stranger, friend) = (Ghost::new(50), Ghost::new(51));
        let named = Person { name: "friend".into(), standing: Standing::Contact, verified: false };
        let ids: Vec<BundleId> = self.agent.held().map(|held| held.id).collect();
        let nodes: Vec<NodeId> = self.agent.held().flat_map(|held| [held.source, held.destination.node]).collect();
        for node in nodes.into_iter().take(4).chain([friend.id]) {
            self.input(Input::SetPerson { node, person: Some(named.clone()) });
        }
        for ghost in [&stranger, &friend] {
            self.input(Input::ContactUp { peer: ghost.id });
            self.hear(ghost.id, Frame::Hello(ghost.hello()));
            self.hear(ghost.id, Frame::Want { ids: Vec::new() });
            self.hear(ghost.id, Frame::Take { ids: ids.clone() });
            self.hear(ghost.id, Frame::Lives { lives: ids.iter().map(|id| (*id, Millis(u64::MAX))).collect() });
            self.hear(ghost.id, Frame::Offer { ids: bundles.iter().map(|bundle| bundle.id).collect() });
        }
        for bundle in bundles {
            let size_bytes = bundle.encoded_len() as u32;
            let transit = Transit { copies: 8, ..Transit::default() };
            self.input(Input::Bundle { from: stranger.id, transit, bundle: Arc::clone(bundle), size_bytes });
        }
        self.hear(friend.id, Frame::Accepted { grants: ids.iter().map(|id| (id.prefix(), Grade::Custody)).collect() });
        for id in &ids {
            self.hear(stranger.id, Frame::Refused { id: *id, why: Refusal::Full, retry_after: Millis(u64::MAX) });
        }
        self.hear(friend.id, Frame::GaveUp { ids: ids.clone() });
        self.hear(friend.id, Frame::Ask { ids: ids.clone() });
        self.submit(Eid::mail(stranger.id));
        let letters: Vec<BundleId> = self.record.letters().map(|letter| letter.id).collect();
        let sent: Vec<BundleId> = self.record.sent().map(|outgoing| outgoing.id).collect();
        letters.iter().for_each(|id| self.input(Input::Read { id: *id, tell: true }));
        letters.iter().skip(1).for_each(|id| self.input(Input::Discard(*id)));
        sent.iter().take(1).for_each(|id| self.input(Input::Cancel(*id)));
        sent.iter().for_each(|id| self.input(Input::Discard(*id)));
        ids.iter().take(1).for_each(|id| self.input(Input::Drop(*id)));
        self.input(Input::CarryLimit(1_000));
        self.input(Input::SetPerson { node: friend.id, person: None });
        self.input(Input::ContactDown { peer: friend.id });
        for span in [HOUR, DAY.times(90)] {
            self.at.now = self.at.now + span;
            self.input(Input::Timeout);
        }
        self.input(Input::ContactDown { peer: stranger.id });
        assert!(self.agent.usage().bytes <= 1_000, "the sums are still those of what is held");
    }

    fn submit(&mut self, destination: Eid) {
        let (mailbox, lifetime, priority) = (Eid::mail(self.agent.node()), DAY, Priority::Normal);
        self.input(Input::Submit { token: 1, mailbox, destination, lifetime, priority, copies: None });
        self.input(Input::Sealed { token: 1, payload: Arc::from(&b"hello"[..]), size_bytes: 500 });
    }
}

/// A home with mail, a copy carried for others, and one's own message; and the bundles that are about.
fn home() -> (Arc<SigningKey>, Durable, Vec<Arc<Bundle>>) {
    let mut world = World::of(3);
    world.send(ALICE, BOB);
    world.meet(ALICE, CAROL);
    world.send(BOB, CAROL);
    world.meet(BOB, CAROL);
    world.send(CAROL, BOB);
    world.send(BOB, ALICE);
    world.meet(BOB, CAROL);
    world.send(CAROL, ALICE);
    let carol = &world.nodes[CAROL];
    let durable = carol.store.durable().unwrap();
    assert!(durable.held.len() > 1 && !durable.letters.is_empty() && !durable.outgoing.is_empty());
    (Arc::clone(&carol.key), durable, bundles(&world))
}

fn bundles(world: &World) -> Vec<Arc<Bundle>> {
    let bodies = world.nodes.iter().flat_map(|node| {
        let rows: Vec<Row> = node.agent().held().map(|held| held.row).collect();
        rows.into_iter().filter_map(|row| node.store.bundle(row).cloned())
    });
    bodies.collect()
}

/// Lives on from a home in which `damage` is done.
fn live_damaged(damage: impl FnOnce(&mut Durable)) -> Alone {
    let (key, mut durable, bundles) = home();
    damage(&mut durable);
    let mut alone = Alone::start(key, Config::default(), durable);
    alone.live(&bundles);
    alone
}

fn held(durable: &Durable) -> Held {
    durable.held.values().next().unwrap().clone()
}

fn letter(durable: &Durable) -> Letter {
    durable.letters.values().next().unwrap().clone()
}

#[test]
fn a_home_that_holds_one_bundle_twice_starts_and_lets_go_of_it_once() {
    live_damaged(|durable| {
        for n in 100..103 {
            let double = Held { row: Row(n), class: Class::Strangers, ..held(durable) };
            durable.held.insert(Row(n), double);
        }
    });
}

#[test]
fn a_letter_to_a_mailbox_that_is_not_served_is_read_and_nobody_is_told() {
    let alone = live_damaged(|durable| {
        let foreign = Letter { destination: Eid::mail(Ghost::new(60).id), ..letter(durable) };
        durable.letters.insert(foreign.row, foreign);
    });
    let letter = alone.record.letters().next().unwrap();
    assert!(letter.read && !letter.told, "nobody can sign for that mailbox");
}

#[test]
fn numbers_at_their_end_run_over_nowhere() {
    live_damaged(|durable| durable.sequence = u64::MAX);
    live_damaged(|durable| durable.next_row = Row(u64::MAX));
    live_damaged(|durable| durable.clock.now = Timestamp(u64::MAX));
    live_damaged(|durable| durable.clock.wall.0 = u64::MAX);
    live_damaged(|durable| {
        let last = Held { row: Row(u64::MAX), id: BundleId([9; 32]), ..held(durable) };
        durable.held.insert(last.row, last);
    });
    for number in [0, u64::MAX] {
        live_damaged(|durable| {
            for held in durable.held.values_mut() {
                (held.lifetime, held.hops.age) = (Millis(number), Millis(number));
                (held.expires, held.accepted_at) = (Timestamp(number), Timestamp(number));
                (held.copies, held.size_bytes) = (number as u16, number as u32);
            }
            for letter in durable.letters.values_mut() {
                (letter.lifetime, letter.hops.age, letter.size_bytes) = (Millis(number), Millis(number), number as u32);
                (letter.creation.time.0, letter.creation.sequence) = (number, number);
            }
            for outgoing in durable.outgoing.values_mut() {
                (outgoing.lifetime, outgoing.expires) = (Millis(number), Timestamp(number));
            }
        });
    }
}

#[test]
fn records_that_contradict_each_other_are_lived_with() {
    live_damaged(|durable| {
        let ids: Vec<BundleId> = durable.held.values().map(|held| held.id).collect();
        for id in ids {
            durable.buried.insert(id, Timestamp(1));
            durable.delivered.insert(Letter::mark_of(&id));
            durable.owed.insert((Ghost::new(50).id, id));
        }
    });
    live_damaged(|durable| {
        let double = Letter { row: Row(200), ..letter(durable) };
        durable.letters.insert(double.row, double);
        let of_held = Letter { row: Row(201), id: held(durable).id, ..letter(durable) };
        durable.letters.insert(of_held.row, of_held);
        durable.delivered.clear();
    });
    live_damaged(|durable| durable.held.clear());
    live_damaged(|durable| durable.outgoing.clear());
}

proptest! {
    #![proptest_config(Runs { cases: 64, rng_seed: RngSeed::Fixed(20_261_129), failure_persistence: None, ..Runs::default() })]

    #[test]
    fn no_byte_of_a_home_that_can_still_be_read_ends_an_agent(
        (configs, steps) in any_story(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 64),
    ) {
        let mut world = World::new(configs);
        steps.iter().for_each(|step| take_step(&mut world, step));
        world.settle();
        let bundles = bundles(&world);
        for (n, (at, bits)) in flips.into_iter().enumerate() {
            let node = &world.nodes[n % world.nodes.len()];
            let mut bytes = Vec::new();
            ciborium::into_writer(&node.store.durable().unwrap(), &mut bytes).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            let Ok(durable) = ciborium::from_reader::<Durable, _>(&bytes[..]) else { continue };
            Alone::start(Arc::clone(&node.key), node.config.clone(), durable).live(&bundles);
        }
    }
}
