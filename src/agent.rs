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
//!                      receipts proof of delivery: believe, purge, attest       Output::Report
//!                      lapse    time passes: expiry, tombstones, retries
//! ```
//!
//! This file only routes. Each flow is a file of its own under `agent/`, and so is each component whose fields it uses:
//! [`custody`], [`tombstones`], [`inbox`], [`outbox`], [`contact`], [`backlog`], [`aloft`], [`offers`], [`routing`], [`summary`]. The components do not know
//! each other. All durable state changes through the methods of `door`, which apply a change and emit it in one step.

mod aloft;
mod backlog;
pub mod change;
pub mod config;
mod contact;
mod custody;
mod door;
mod flow;
mod inbox;
pub mod io;
mod lapse;
mod meet;
mod offers;
mod outbox;
mod people;
mod receipts;
mod receive;
mod room;
pub mod routing;
mod shunned;
mod submit;
pub mod summary;
mod tombstones;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub use self::change::{Change, Durable};
pub use self::config::Config;
pub use self::custody::{BUNDLE_COST_BYTES, cost_bytes};
pub use self::io::{Cause, Due, Event, Input, Output};
pub use self::receive::REJECTED_BLOCKED;
pub use self::view::{ContactView, Usage};

use self::aloft::Aloft;
use self::change::{Held, Person, Standing};
use self::contact::Contact;
use self::custody::{Custody, Slot};
use self::inbox::Inbox;
use self::offers::Offers;
use self::outbox::Outbox;
use self::routing::Routing;
use self::shunned::Shunned;
use self::summary::IdIndex;
use self::tombstones::{Beliefs, Tombstones};
use crate::bundle::Signer;
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::Moment;

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
    /// When the last input happened.
    at: Moment,
    /// Where durable time stands.
    clock: Moment,
    /// The next sequence number, and the first that is not reserved yet.
    sequence: u64,
    sequence_reserved: u64,
    free_bytes: u64,

    custody: Custody,
    /// Every id held: the lookup and the summary in one.
    summary: IdIndex,
    tombstones: Tombstones,
    beliefs: Beliefs,
    inbox: Inbox,
    outbox: Outbox,
    people: BTreeMap<NodeId, Person>,
    learned: BTreeMap<NodeId, Vec<u8>>,
    owed: BTreeSet<(NodeId, BundleId)>,

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
    unsettled: BTreeMap<(NodeId, BundleId), u16>,
    /// Inbox rows the application was not told of since the start.
    nudges: Vec<BundleId>,
    /// Bundles given up for want of room since the start, by grade.
    evicted: [u64; 3],
}

/// Most evictions that previous hops still have to hear of.
const OWED_MAX: usize = 65_536;
/// Most flights of broken contacts remembered.
const UNSETTLED_MAX: usize = 65_536;

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
        let mut tombstones = Tombstones::default();
        for (id, until) in durable.buried {
            tombstones.insert(id, until);
        }
        let mut beliefs = Beliefs::default();
        durable.beliefs.into_iter().for_each(|((id, signer), belief)| beliefs.insert(id, signer, belief));
        let mut inbox = Inbox::restore(durable.letters, durable.delivered);
        // Whoever writes to himself is no stranger.
        durable.people.keys().chain([&node]).for_each(|person| inbox.set_named(*person, true));
        let mut routing = Routing::new(&config.policy, node, &durable.learned);
        let contacts = durable.people.iter().filter(|(_, person)| person.standing == Standing::Contact);
        contacts.for_each(|(person, _)| routing.set_named(*person, true));
        let nudges = inbox.letters().filter(|letter| !letter.collected).map(|letter| letter.id).collect();
        let mut agent = Agent {
            node,
            mailboxes,
            nonces: stream(&seed, "nonces"),
            at: durable.clock,
            clock: durable.clock,
            sequence: match planted::is("agent-sequence-used-again") {
                true => durable.sequence.saturating_sub(64),
                false => durable.sequence,
            },
            sequence_reserved: durable.sequence,
            free_bytes: u64::MAX,
            custody,
            summary: IdIndex::default(),
            tombstones,
            beliefs,
            inbox,
            outbox: Outbox::restore(durable.outgoing),
            people: durable.people,
            routing,
            learned: durable.learned,
            owed: durable.owed,
            contacts: BTreeMap::new(),
            had_turn: node,
            aloft: Aloft::default(),
            offers: Offers::default(),
            shunned: Shunned::default(),
            unwelcome: Shunned::default(),
            unsettled: BTreeMap::new(),
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
        self.summary = IdIndex::of(custody.slots().collect(), &|slot| custody.id(slot));
        answer
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
            Input::Duplicate { from, transit, id } => self.receive_again(from, transit.copies, id, out),
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

/// One random stream per purpose, all from one seed.
fn stream(seed: &[u8; 32], purpose: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*blake3::keyed_hash(seed, purpose.as_bytes()).as_bytes())
}
