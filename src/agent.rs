//! The bundle protocol agent: pure, deterministic, without clock, entropy, network or disk.
//!
//! A driver feeds it inputs with the moment they happen and gets outputs: changes to commit, and acts to perform once
//! they are committed. Everything else follows from the configuration, the seed, the restored state and those inputs.
//!
//! ```text
//! Input ──▶ handle ──▶ receive  a bundle comes: refuse, deliver, or carry       Output::Commit
//!                      submit   a message leaves: stamp, seal, sign, hold       Output::Send, Forward
//!                      meet     a contact: Hello, reconcile, offer, ask         Output::Dial, Notify
//!                      flow     what goes to a peer, and what its answers settle
//!                      lives    how long a bundle lives here: age, clocks, first acceptance
//!                      receipts proof of delivery: believe, purge, attest       Output::Report
//!                      lapse    time passes: expiry, tombstones, retries
//! ```
//!
//! This file only routes. Each flow is a file of its own under `agent/`, and so is each component whose fields it uses:
//! [`custody`], [`departed`], [`tombstones`], [`inbox`], [`outbox`], [`contact`], [`backlog`], [`aloft`], [`offers`], [`routing`], [`summary`]. The components do not know
//! each other. All durable state changes through the methods of `door`, which apply a change and emit it in one step.

mod aloft;
mod backlog;
pub mod change;
pub mod config;
mod contact;
mod custody;
mod departed;
mod door;
mod fair;
mod flow;
pub mod held_back;
mod inbox;
pub mod io;
mod lapse;
mod lives;
mod meet;
mod offers;
mod outbox;
mod people;
mod place;
mod receipts;
mod receive;
mod room;
pub mod routing;
mod shares;
mod shunned;
mod submit;
pub mod summary;
mod tombstones;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub use self::change::{Change, Durable};
pub use self::config::{Config, ReceiptsFor};
pub use self::custody::{BUNDLE_COST_BYTES, Standing, cost_bytes};
pub use self::inbox::Position;
pub use self::io::{Cause, Due, Event, Input, Output};
pub use self::lives::AGE_TOLERANCE;
pub use self::outbox::Written;
pub use self::receipts::REJECTED_BLOCKED;
#[cfg(test)]
pub use self::view::rows_walked;
pub use self::view::{ContactView, Usage};

use self::aloft::Aloft;
use self::change::{Held, Person};
use self::contact::Contact;
use self::custody::{Custody, Slot};
use self::departed::Departed;
use self::inbox::Inbox;
use self::offers::Offers;
use self::outbox::Outbox;
use self::place::{Origin, Place};
use self::routing::Routing;
use self::shunned::Shunned;
use self::summary::IdIndex;
use self::tombstones::{Beliefs, Tombstones};
use crate::bundle::{Creation, Kind, Signer};
use crate::eid::Eid;
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::{DtnTime, Moment, Timestamp};

/// The endpoints an agent serves and who signs for them.
pub struct Mailboxes {
    own: Arc<dyn Signer>,
    endpoints: Vec<(Eid, Arc<dyn Signer>)>,
}

/// The agent of one node.
pub struct Agent {
    node: NodeId,
    mailboxes: Mailboxes,
    config: Config,
    nonces: ChaCha8Rng,
    /// Where the sequence of a millisecond starts.
    stamps: ChaCha8Rng,
    /// The last stamp under a clock.
    stamp: Creation,
    /// Decides where many have the same right.
    dice: ChaCha8Rng,
    /// When the last input happened.
    at: Moment,
    /// Where durable time stands.
    clock: Moment,
    /// The next sequence number without a clock, and the first that is not reserved yet.
    sequence: u64,
    sequence_reserved: u64,
    free_bytes: u64,

    custody: Custody,
    /// Every id held: the lookup and the summary in one.
    summary: IdIndex,
    tombstones: Tombstones,
    departed: Departed,
    beliefs: Beliefs,
    inbox: Inbox,
    outbox: Outbox,
    people: BTreeMap<NodeId, Person>,
    learned: BTreeMap<NodeId, Vec<u8>>,
    /// Evictions that previous hops have to hear of.
    owed: Place<(NodeId, BundleId), ()>,
    /// Receipts held that freed nothing here.
    unmatched: Place<Slot, ()>,
    /// Own receipts held.
    signed: Place<Slot, ()>,
    /// Decides what makes way where shares are alike.
    lots: ChaCha8Rng,

    routing: Routing,
    /// In boxes: a leaf of the map has room for eleven, and most agents have one or two.
    contacts: BTreeMap<NodeId, Box<Contact>>,
    /// The peer that was last told of more that it lacks.
    had_turn: NodeId,
    aloft: Aloft,
    offers: Offers,
    shunned: Shunned,
    /// Receipts that a peer shuns.
    unwelcome: Shunned,
    /// Spray copies that were in flight when a contact broke: halved once the peer turns out to have them.
    unsettled: Place<(NodeId, BundleId), u16>,
    /// Who was given spray copies of what: nobody gets them twice, however often he asks and accepts.
    spent: Place<(BundleId, NodeId), ()>,
    /// Inbox rows the application was not told of since the start.
    nudges: Vec<BundleId>,
    /// Bundles given up for want of room since the start, by grade.
    evicted: [u64; 3],
}

/// Most evictions that previous hops still have to hear of.
const OWED_MAX: usize = 65_536;
/// Most flights of broken contacts remembered.
const UNSETTLED_MAX: usize = 65_536;
/// Most peers and bundles remembered whose spray copies are given; lost at a restart, which no peer brings about.
const SPENT_MAX: usize = 65_536;

/// Where counting goes on at the latest: no node sends so much, but a damaged store may say that it did.
const SEQUENCE_MAX: u64 = 1 << 62;

impl Mailboxes {
    /// The mailboxes of a node that serves only itself.
    pub fn own(signer: Arc<dyn Signer>) -> Mailboxes {
        let node = signer.node();
        let endpoints = [Eid::admin(node), Eid::mail(node)].map(|endpoint| (endpoint, Arc::clone(&signer)));
        Mailboxes { own: signer, endpoints: endpoints.into() }
    }

    fn signer_of(&self, endpoint: &Eid) -> Option<&Arc<dyn Signer>> {
        self.endpoints.iter().find(|(served, _)| served == endpoint).map(|(_, signer)| signer)
    }
}

impl Agent {
    /// Builds an agent from what is durable. The seed must be fresh at every start of a real node.
    pub fn restore(node: NodeId, mailboxes: Mailboxes, config: Config, seed: [u8; 32], durable: Durable) -> Agent {
        assert_eq!(mailboxes.own.node(), node, "an agent signs as its own node");
        let mut key = [0; 16];
        stream(&seed, "names").fill_bytes(&mut key);
        let mut custody = Custody::keyed(&key);
        custody.row_reserve(durable.next_row);
        let named = durable.people.keys().filter(|node| is_named(&durable.people, node));
        named.for_each(|node| custody.set_named(*node, true));
        let mut tombstones = Tombstones::keyed(&key);
        for (id, until) in durable.buried {
            tombstones.insert(id, until, None);
        }
        stream(&seed, "shares").fill_bytes(&mut key);
        let mut beliefs = Beliefs::keyed(&key);
        for ((id, signer), belief) in durable.beliefs {
            beliefs.insert(id, signer, belief, is_named(&durable.people, &signer));
        }
        let mut owed = Place::keyed(&key);
        for (peer, id) in durable.owed {
            owed.insert((peer, id), (), of_peer(peer, is_named(&durable.people, &peer)));
        }
        let mut departed = Departed::keyed(&key);
        for (id, departure) in durable.departed {
            departed.insert(id, departure, is_named(&durable.people, &departure.source));
        }
        let mut inbox = Inbox::restore(durable.letters, durable.delivered);
        // Whoever writes to himself is no stranger.
        durable.people.keys().chain([&node]).for_each(|person| inbox.set_named(*person, true));
        let mut routing = Routing::new(&config.policy, node, &durable.learned);
        let contacts = durable.people.keys().filter(|person| is_named(&durable.people, person));
        contacts.for_each(|person| routing.set_named(*person, true));
        let sequence = durable.sequence.min(SEQUENCE_MAX);
        let nudges = inbox.letters().filter(|letter| !letter.collected).map(|letter| letter.id).collect();
        let mut agent = Agent {
            node,
            mailboxes,
            nonces: stream(&seed, "nonces"),
            stamps: stream(&seed, "stamps"),
            stamp: Creation { time: DtnTime(0), sequence: 0 },
            dice: stream(&seed, "dice"),
            at: durable.clock,
            clock: durable.clock,
            sequence: match planted::is("agent-sequence-used-again") {
                true => sequence.saturating_sub(64),
                false => sequence,
            },
            sequence_reserved: sequence,
            free_bytes: u64::MAX,
            custody,
            summary: IdIndex::default(),
            tombstones,
            departed,
            beliefs,
            inbox,
            outbox: Outbox::restore(durable.outgoing),
            people: durable.people,
            routing,
            learned: durable.learned,
            owed,
            unmatched: Place::keyed(&key),
            signed: Place::keyed(&key),
            lots: stream(&seed, "lots"),
            contacts: BTreeMap::new(),
            had_turn: node,
            aloft: Aloft::default(),
            offers: Offers::new(stream(&seed, "offers")),
            shunned: Shunned::default(),
            unwelcome: Shunned::default(),
            unsettled: Place::keyed(&key),
            spent: Place::keyed(&key),
            nudges,
            evicted: [0; 3],
            config,
        };
        agent.reinstate(|take| durable.held.values().for_each(take));
        agent
    }

    /// Adds every bundle that `each` hands over to what is restored, before the first input: for stores with more of them
    /// than a [`Durable`] should hold at once. Orders made of all together take less time than one by one, and leave
    /// fuller trees.
    pub fn reinstate<T>(&mut self, each: impl FnOnce(&mut dyn FnMut(&Held)) -> T) -> T {
        let answer = each(&mut |held| self.custody.load(held));
        self.custody.order();
        let custody = &self.custody;
        let (summary, doubles) = IdIndex::of(custody.slots().collect(), &|slot| custody.id(slot));
        self.summary = summary;
        // Only a damaged store names an id twice. What the second one says is left to a repair, which looks at bodies.
        doubles.into_iter().for_each(|slot| self.custody.remove(slot));
        let custody = &self.custody;
        let receipts: Vec<Slot> = custody.slots().filter(|slot| custody.kind(*slot) == Kind::Receipt).collect();
        for slot in receipts {
            let held = self.custody.held(slot);
            // Who brought what an own receipt proves is not kept: its source counts as both.
            self.share_receipt(slot, &held, held.from.unwrap_or(held.destination.node));
        }
        answer
    }

    /// Counts a receipt in the place it takes, if it is one of those that share one.
    fn share_receipt(&mut self, slot: Slot, held: &Held, from: NodeId) {
        let is_unmatched = held.grade == Grade::Released;
        let source = if is_unmatched { held.source } else { held.destination.node };
        let origin = Origin { from, source, is_named: self.is_contact(&source), end: held.expires };
        match held.class {
            _ if is_unmatched => self.unmatched.insert(slot, (), origin),
            change::Class::Own => self.signed.insert(slot, (), origin),
            _ => {}
        }
    }

    /// Whether this person named a node, and did not block it.
    pub fn is_contact(&self, node: &NodeId) -> bool {
        is_named(&self.people, node)
    }

    /// Takes one input. Changes among the outputs are to be committed before any act that comes after them is performed.
    pub fn handle(&mut self, at: Moment, input: Input, out: &mut Vec<Output>) {
        // Elapsed time never goes back, whatever a driver says.
        self.at = Moment { now: self.at.now.max(at.now), wall: at.wall };
        match input {
            Input::Submit { token, destination, lifetime, priority, copies } => {
                self.submit(token, destination, lifetime, priority, copies, out)
            }
            Input::Sealed { token, payload, size_bytes } => self.sealed(token, &payload, size_bytes, out),
            Input::ContactUp { peer } => self.contact_up(peer, out),
            Input::ContactDown { peer } => self.contact_down(peer, out),
            Input::Frame { from, frame } => self.hear(from, frame, out),
            Input::Bundle { from, transit, bundle, size_bytes } => self.receive(from, transit, bundle, size_bytes, out),
            Input::Duplicate { from, transit, id } => self.receive_again(from, transit, id, out),
            Input::Timeout => self.lapse(out),
            Input::Space { free_bytes } => self.free_bytes = free_bytes,
            Input::Collect(id) => self.collect(id, out),
            Input::Read { id, tell } => self.read(id, tell, out),
            Input::Discard(id) => self.discard(id, out),
            Input::Cancel(id) => self.cancel(id, out),
            Input::Drop(id) => self.drop_carried(id, out),
            Input::CarryLimit(bytes) => self.carry_limit(bytes, out),
            Input::Meet { node, person } => self.meet_person(node, person, out),
            Input::Unreadable { to, id, row } => self.unreadable(to, id, row, out),
        }
    }

    fn find_held(&self, id: &BundleId) -> Option<Slot> {
        self.summary.find(id, &|slot| self.custody.id(slot))
    }

    /// Whether an id is held or buried.
    fn is_known(&self, id: &BundleId) -> bool {
        self.find_held(id).is_some() || self.tombstones.contains(id)
    }
}

fn is_named(people: &BTreeMap<NodeId, Person>, node: &NodeId) -> bool {
    people.get(node).is_some_and(|person| person.standing == change::Standing::Contact)
}

/// Notes on one peer are shared by peers alone, and end with what they are about.
fn of_peer(peer: NodeId, is_named: bool) -> Origin {
    Origin { from: peer, source: peer, is_named, end: Timestamp(0) }
}

/// One random stream per purpose, all from one seed.
fn stream(seed: &[u8; 32], purpose: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*blake3::keyed_hash(seed, purpose.as_bytes()).as_bytes())
}

#[cfg(test)]
mod floods;
