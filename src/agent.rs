//! The bundle protocol agent: pure, deterministic, without clock, entropy, network or disk.
//!
//! A driver feeds it inputs with the moment they happen and gets outputs: changes to commit, and acts to perform once
//! they are committed. Everything else follows from the configuration, the seed, the restored state and those inputs.
//!
//! ```text
//! Input ──▶ handle ──▶ receive   a bundle comes: refuse, deliver, carry         Output::Commit
//!                      lives     how long it lives here: age, clocks, first acceptance
//!                      quota     at which grade it is taken in, and what leaves for it
//!                      arrivals  mail gets its row, and its source the proof     Output::Notify
//!                      full      mail finds no room, and its source hears of it
//!                      receipts  proof that comes: believe, purge, attest
//!                      submit    a message leaves: stamp, seal, sign, hold       Output::Seal
//!                      setup     a contact: from its Hello to its end            Output::Send
//!                      reconcile what both know, and what each lacks
//!                      forward   what goes to a peer, what its answers settle    Output::Forward, Dial
//!                      stick     the same for a stick, which says nothing
//!                      answer    what is taken, refused and asked for
//!                      recall    what the record is asked of, for the agent keeps nothing that is filed
//!                      people    what the person does: names, blocks, reads, deletes
//!                      topics    what is published here, and what comes of topics    Output::Heard
//!                      groups    what is served of groups, whose words have room, who is met of them
//!                      again     what is held for them already and was not shown              Output::Again
//!                      renewals  a contact that this node's interests outgrew is begun anew        Output::Renew
//!                      expiry    time passes: expiry, tombstones, retries        Output::Report
//! ```
//!
//! This file only routes. Each way of an input is a file of its own under `agent/`. Their state is in three places:
//!
//! ```text
//! ledger    all that is durable: custody, memories of ids, inbox, outbox, people; each change is emitted as it is applied
//! contacts  who is there, what is in flight, offered and shunned: until the contact ends, or a restart
//! routing   what the strategy makes of what it learned
//! ```
//! [`Mailboxes`] says which endpoints are served here and by a peer; no file compares an endpoint with a node.
//!
//! The ledger's components ([`custody`], [`departed`], [`tombstones`], [`inbox`], [`outbox`]) can be read by every file and
//! changed by none: only the [`ledger`] has them to change. Its table says where an id is remembered, and for how long.

mod again;
mod answer;
mod arrivals;
mod backlog;
pub mod change;
pub mod config;
mod contact;
mod contacts;
mod custody;
mod departed;
mod drafts;
mod expiry;
mod fair;
mod flights;
#[cfg(test)]
mod floods;
mod forward;
mod full;
mod got;
mod graces;
mod groups;
mod inbox;
pub mod io;
mod ledger;
mod lives;
mod mailboxes;
mod offers;
mod outbox;
mod people;
mod place;
mod proofs;
mod quota;
mod recall;
mod receipts;
mod receive;
mod reconcile;
mod renewals;
mod retention;
pub mod routing;
mod setup;
mod shares;
mod shunned;
mod slots;
mod stick;
mod submit;
pub mod summary;
mod tombstones;
mod topics;
mod view;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

pub use self::change::{Change, Durable};
pub use self::config::{Config, ReceiptsFor};
pub use self::custody::{BUNDLE_COST_BYTES, Standing, cost_bytes};
pub use self::got::GOT_COPIES_MAX;
pub use self::io::{Cause, Declined, Due, Event, Filing, Input, Output};
pub use self::lives::AGE_TOLERANCE;
pub use self::mailboxes::Mailboxes;
pub use self::receipts::{REJECTED_BLOCKED, REJECTED_UNWANTED};
pub use self::retention::{Retention, Terms};
pub use self::stick::{Leaving, STICK, Willing};
#[cfg(test)]
pub use self::view::rows_walked;
pub use self::view::{ContactView, Usage};

use self::again::Again;
use self::change::Held;
use self::contacts::Contacts;
use self::drafts::Drafts;
use self::full::Full;
use self::io::{Handed, Posting};
use self::ledger::{Ledger, stream};
use self::proofs::Proofs;
use self::routing::Routing;
use crate::bundle::Creation;
use crate::id::NodeId;
use crate::time::{DtnTime, Moment, Timestamp};

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
    free_bytes: u64,

    /// All that is durable.
    ledger: Ledger,
    drafts: Drafts,

    routing: Routing,
    /// Who is there, and what contacts leave behind: nothing of it is durable.
    contacts: Contacts,
    full: Full,
    again: Again,
    /// What the owner said of topics; a driver says it again.
    retention: Retention,
    /// Bundles given up for want of room since the start, by grade.
    evicted: [u64; 3],
}

impl Agent {
    /// Builds an agent from what is durable. The seed must be fresh at every start of a real node.
    pub fn restore(node: NodeId, mailboxes: Mailboxes, config: Config, seed: [u8; 32], durable: Durable) -> Agent {
        assert_eq!(mailboxes.node(), node, "an agent signs as its own node");
        let ledger = Ledger::restore(mailboxes.sources(), &seed, config.memories_max(), durable);
        let mut routing = Routing::new(&config.policy, node, ledger.learned());
        let contacts = ledger.people().keys().filter(|person| ledger.is_contact(person));
        contacts.for_each(|person| routing.set_named(*person, true));
        let mut key = [0; 16];
        stream(&seed, "shares").fill_bytes(&mut key);
        let proofs = if routing.floods_receipts() { Proofs::none() } else { Proofs::keyed(&key) };
        Agent {
            node,
            mailboxes,
            nonces: stream(&seed, "nonces"),
            stamps: stream(&seed, "stamps"),
            stamp: Creation { time: DtnTime(0), sequence: 0 },
            dice: stream(&seed, "dice"),
            free_bytes: u64::MAX,
            ledger,
            drafts: Drafts::default(),
            routing,
            contacts: Contacts::keyed(node, &key, stream(&seed, "offers"), proofs),
            full: Full::default(),
            again: Again::default(),
            retention: Retention::default(),
            evicted: [0; 3],
            config,
        }
    }

    /// Adds every bundle that `each` hands over to what is restored, before the first input: for stores with more of them
    /// than a [`Durable`] should hold at once.
    pub fn reinstate<T>(&mut self, each: impl FnOnce(&mut dyn FnMut(&Held)) -> T) -> T {
        self.ledger.reinstate(each)
    }

    /// Takes one input; what the record knows of what [`Agent::asks_of`] it names must have come right before. Changes among the outputs are to be committed before any act that comes after them is performed.
    pub fn handle(&mut self, at: Moment, input: Input, out: &mut Vec<Output>) {
        let before = self.at();
        self.ledger.proceed(at);
        if self.at().is_set_since(&before, AGE_TOLERANCE) {
            // What a wrong clock made too old or not written yet may be neither by this one.
            self.want_other_posts();
        }
        match input {
            Input::Submit { token, mailbox, destination, lifetime, priority, copies } => {
                self.submit(token, Posting { mailbox, destination, lifetime, priority, copies }, out)
            }
            Input::Sealed { token, payload, size_bytes } => self.sealed(token, &payload, size_bytes, out),
            Input::Publish { token, topic, lifetime, payload } => self.publish(token, topic, lifetime, &payload, out),
            Input::Serve { owner, filter, on } => self.subscribe(owner, filter, on),
            Input::ServeGroup { group, on } => self.serve_group(group, on, out),
            Input::GroupMembers { group, members } => self.set_members(&group, members, out),
            Input::HandedIn => self.handed_in(),
            Input::RoomCame => self.room_comes(),
            Input::ContactUp { peer } => self.contact_up(peer, out),
            Input::ContactDown { peer } => self.contact_down(peer, out),
            Input::Frame { from, frame } => self.hear(from, frame, out),
            Input::Bundle { from, transit, bundle, size_bytes } => {
                self.receive(Handed { from, transit, bundle, size_bytes }, out)
            }
            Input::Decline { from, transit, bundle, size_bytes, why } => {
                self.decline(Handed { from, transit, bundle, size_bytes }, why, out)
            }
            Input::Duplicate { from, transit, id } => self.receive_again(from, transit, id, out),
            Input::Timeout => self.expire(out),
            Input::Space { free_bytes } => self.free_bytes = free_bytes,
            Input::Recall(known) => return self.ledger.recall(known),
            Input::Read { id, tell } => self.read(id, tell, out),
            Input::Unread(id) => self.unread(id, out),
            Input::Discard(id) => self.discard(id, out),
            Input::Adopt(adopted) => self.adopt(*adopted, out),
            Input::Cancel(id) => self.cancel(id, out),
            Input::HandOn(id) => self.hand_on(id, out),
            Input::Drop(id) => self.drop_carried(id, out),
            Input::CarryLimit(bytes) => self.carry_limit(bytes, out),
            Input::SetPerson { node, person } => self.meet_person(node, person, out),
            Input::Unreadable { to, id, row } => self.unreadable(to, id, row, out),
            Input::Retain { owner, filter, terms } => self.retain(owner, filter, terms, out),
            Input::Forsake(topic) => self.forsake(&topic, out),
            Input::LeaveOnFiles(ids) => self.leave_on_files(ids, out),
            Input::Moved { peer } => self.contacts.moved(&peer, at.now),
        }
        self.ledger.let_go(out);
    }

    /// When the last input happened, in elapsed time.
    fn now(&self) -> Timestamp {
        self.ledger.now()
    }
}
