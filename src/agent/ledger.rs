//! The ledger: everything of this node that outlives a restart.
//!
//! Its methods apply a change and emit it in one step, and they alone can: the fields are private, and what they hand out
//! is for reading. So a store that commits what was emitted has what the agent has, and an act that rests on a change
//! comes behind it in the outputs. What a flow decides, it writes here:
//!
//! ```text
//! holding.rs    what is held, and the receipts that share a place
//! memories.rs   what is remembered of ids that are not held: over, believed over, departed, owed
//! mail.rs       inbox, outbox and people, what the strategy learned, sequence numbers
//! reading.rs    all of it, for whoever decides
//! ```
//! How far time and sequence numbers came is durable too.
//!
//! # Where an id is remembered
//!
//! An id can be in any of these places, and the answer to a bundle depends on which. The numbers, and how peers share a
//! place, are in [`crate::bounds`].
//!
//! | durable | bound | makes way | ends |
//! |---|---|---|---|
//! | custody, and the summary of it | `carry_bytes_max` of others', of one's own the disk | the declared order of eviction; own never | receipt, life, eviction, the owner's word |
//! | – receipts that freed nothing here | `receipts_unmatched_max` | the largest share | with custody |
//! | – own receipts for strangers | `receipts_own_max` | none: their mail is refused | with custody |
//! | tombstones: ids that are over | `TOMBSTONES_MAX` | of some drawn by lot, one of the peer that brought most | a lifetime and an hour after it was over |
//! | departures | `DEPARTED_MAX` | the largest share | held again; two lifetimes and an hour after it first came |
//! | words of receipts on what is not held | `BELIEFS_MAX` | the largest share | the bundle comes; life of the receipt |
//! | evictions owed to previous hops | `OWED_MAX` | the largest share | the peer says it heard |
//! | in the record alone: inbox rows | `stranger_mail_bytes_max` of strangers', `contact_mail_bytes_max` of people's, of one's own the disk | none: mail is refused | the person deletes them |
//! | in the record alone: ids that had a row, 16 bytes each | the rows there were | none | never |
//! | outbox: one's own messages on their way; settled, in the record alone | the disk; `EVENTS_MAX` events each | none; events are folded | the person deletes them |
//!
//! These end with the process, and losing them costs traffic and no mail:
//!
//! | not durable | bound | makes way | ends |
//! |---|---|---|---|
//! | arrivals that wait for their row: their senders were promised nothing yet | those of strangers count as mail | none: mail is refused | end of the batch |
//! | what the record told of, for one input | the ids it speaks of | none | end of the input |
//! | a contact's queue, retries and offers | `QUEUED_MAX`, `RETRIES_MAX`, `OFFERS_MAX` | the last in order waits in the backlog | sent, answered; the contact |
//! | a contact's backlog, one bit a bundle | custody | none | told; custody; the contact |
//! | in flight to a peer | the window | none: the rest waits | answered; the contact |
//! | flights of broken contacts | `UNSETTLED_MAX` | the largest share | the next contact with the peer |
//! | who was given copies | `SPENT_MAX` | the largest share | with custody |
//! | what peers were asked for, and who else offered it | `ASKED_MAX`, `OFFERERS_MAX` | none: asked without memory; who stalled most | it comes; nobody is left to ask |
//! | what a destination in contact gets alone | `GRACES_MAX` | none: it goes to everybody | accepted, refused; the contact, half a minute |
//! | who holds copies of what is held here | `HOLDERS_MAX` | the oldest | the receipt |
//! | messages with the receipts for them, and who wants which | `PROVEN_MAX` | the oldest | displaced |
//! | evicted here, and not taken again | `SHUNNED_MAX` | the oldest | `Config::shun` |
//! | receipts that a peer shuns | `SHUNNED_MAX` | the oldest | `Config::shun` |
//! | what the strategy handed to whom | `HANDED_MAX` | the oldest | the receipt |
//!
//! Beside ids the ledger keeps the people whom the owner named, without a bound, and what the strategy learned of nodes,
//! bounded by the strategy.

mod holding;
mod mail;
mod memories;
mod reading;

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub use self::holding::Vacated;
use super::change::{Change, Durable, Person, Standing};
use super::custody::{Custody, Slot};
use super::departed::Departed;
use super::inbox::Inbox;
use super::io::Output;
use super::outbox::Outbox;
use super::place::{Origin, Place};
use super::summary::IdIndex;
use super::tombstones::{Beliefs, Tombstones};
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, Moment, SECOND};

/// Most evictions that previous hops still have to hear of.
pub const OWED_MAX: usize = 65_536;
/// Where counting goes on at the latest: no node sends so much, but a damaged store may say that it did.
const SEQUENCE_MAX: u64 = 1 << 62;
/// How far durable time may lag behind while other changes are committed anyway.
const TICK: Millis = SECOND;

/// All durable state of one agent.
pub struct Ledger {
    /// When the last input happened.
    at: Moment,
    /// Where durable time stands.
    clock: Moment,
    /// The next sequence number without a clock, and the first that is not reserved yet.
    sequence: u64,
    sequence_reserved: u64,

    custody: Custody,
    /// Every id held: the lookup and the summary in one.
    summary: IdIndex,
    /// Receipts held that freed nothing here.
    unmatched: Place<Slot, ()>,
    /// Own receipts held.
    signed: Place<Slot, ()>,
    /// The latest own receipt held that says of a mailbox here, by its key, that it had no room, by source.
    told_full: BTreeMap<(NodeId, NodeId), Slot>,

    tombstones: Tombstones,
    departed: Departed,
    beliefs: Beliefs,
    /// Evictions that previous hops have to hear of.
    owed: Place<(NodeId, BundleId), ()>,
    /// Most entries of each of these four, beside the bound it has in any case.
    memories_max: usize,
    /// Decides what makes way where shares are alike.
    lots: ChaCha8Rng,

    inbox: Inbox,
    outbox: Outbox,
    /// What the present input speaks of, and whether it changed: the record has it, and the agent lets go of it.
    in_hand: BTreeMap<BundleId, bool>,
    people: BTreeMap<NodeId, Person>,
    learned: BTreeMap<NodeId, Vec<u8>>,
}

impl Ledger {
    /// Reads in what is durable; `own` are the sources of what is written here, and `memories_max` is what
    /// [`Ledger::limit_memories`] says. What is secret to places and lots follows from the seed.
    pub fn restore(
        own: impl Iterator<Item = NodeId>,
        seed: &[u8; 32],
        memories_max: usize,
        durable: Durable,
    ) -> Ledger {
        let mut key = [0; 16];
        stream(seed, "names").fill_bytes(&mut key);
        let mut custody = Custody::keyed(&key);
        custody.row_reserve(durable.next_row);
        let named = durable.people.keys().filter(|node| is_named(&durable.people, node));
        named.for_each(|node| custody.set_named(*node, true));
        let mut tombstones = Tombstones::keyed(&key);
        for (id, until) in durable.buried {
            tombstones.insert(id, until, None);
        }
        stream(seed, "shares").fill_bytes(&mut key);
        let mut beliefs = Beliefs::keyed(&key);
        for ((id, signer), belief) in durable.beliefs {
            beliefs.insert(id, signer, belief, is_named(&durable.people, &signer));
        }
        let mut owed = Place::keyed(&key);
        for (peer, id) in durable.owed {
            owed.insert((peer, id), (), Origin::of_peer(peer, is_named(&durable.people, &peer)));
        }
        let mut departed = Departed::keyed(&key);
        for (id, departure) in durable.departed {
            departed.insert(id, departure, is_named(&durable.people, &departure.source));
        }
        let mut inbox = Inbox::restore(durable.mail_bytes);
        // Whoever writes to himself is no stranger.
        durable.people.keys().copied().chain(own).for_each(|person| inbox.set_named(person, true));
        let sequence = durable.sequence.min(SEQUENCE_MAX);
        let mut ledger = Ledger {
            at: durable.clock,
            clock: durable.clock,
            sequence,
            sequence_reserved: sequence,
            custody,
            summary: IdIndex::default(),
            unmatched: Place::keyed(&key),
            signed: Place::keyed(&key),
            told_full: BTreeMap::new(),
            tombstones,
            departed,
            beliefs,
            owed,
            memories_max,
            lots: stream(seed, "lots"),
            inbox,
            outbox: Outbox::restore(durable.outgoing),
            in_hand: BTreeMap::new(),
            people: durable.people,
            learned: durable.learned,
        };
        ledger.reinstate(|take| durable.held.values().for_each(take));
        ledger
    }

    /// Says when what comes next happens.
    pub fn proceed(&mut self, at: Moment) {
        // Elapsed time never goes back, whatever a driver says.
        self.at = Moment { now: self.at.now.max(at.now), wall: at.wall };
    }

    /// Bounds each table of memories: what is over that leaves by and by, as [`Ledger::remember_less`] is called.
    pub fn limit_memories(&mut self, memories_max: usize) {
        self.memories_max = memories_max;
    }

    /// A number that nobody else knows, to decide what makes way among equals.
    pub fn draw(&mut self) -> u64 {
        self.lots.next_u64()
    }

    fn emit(&mut self, change: Change, out: &mut Vec<Output>) {
        // A home that knows no time yet could not tell how long it was off.
        let is_first = self.clock.wall.0 == 0 && self.at.wall.0 != 0;
        if is_first || self.at.now.since(self.clock.now) >= TICK {
            self.clock = self.at;
            out.push(Output::Commit(Change::Tick { at: self.at }));
        }
        out.push(Output::Commit(change));
    }
}

fn is_named(people: &BTreeMap<NodeId, Person>, node: &NodeId) -> bool {
    people.get(node).is_some_and(|person| person.standing == Standing::Contact)
}

/// One random stream per purpose, all from one seed.
pub fn stream(seed: &[u8; 32], purpose: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(*blake3::keyed_hash(seed, purpose.as_bytes()).as_bytes())
}
