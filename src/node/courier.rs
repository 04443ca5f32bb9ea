//! Acts, performed in order once what they say is durable: frames and bundles to peers, answers to people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::NodeError;
use super::core::again::Again;
use super::drafts::Drafts;
use super::line::Line;
use super::pool::Pool;
use super::queue::Queue;
use super::tally::{Offence, Tally};
use super::work::Work;
use crate::agent::change::Row;
use crate::agent::{Event, Input, Output};
use crate::brake::Brake;
use crate::bundle::{Bundle, Draft, Ends};
use crate::driver::held_back::{Weight, event_weight, frame_weight};
use crate::frame::{Frame, Transit};
use crate::id::{BundleId, NodeId};
use crate::net::{NetHandle, SendError};
use crate::store::redb::RedbReader;

/// Events that a slow follower may lag behind.
pub const EVENTS_MAX: usize = 4_096;
/// Batches of acts that may wait before the agent pauses.
const BEHIND_MAX: usize = 16;
/// So many bytes are not kept back for what else a batch says to a peer.
const TOGETHER_BYTES: usize = 16 * 1024;
/// Most bodies read at once; a window of small bundles.
const FETCH_MAX: usize = 1_024;

/// Something to do.
pub enum Act {
    Send {
        to: NodeId,
        frame: Frame,
    },
    Forward {
        to: NodeId,
        transit: Transit,
        id: BundleId,
        row: Row,
        /// What this very batch holds need not be read back.
        held: Option<Arc<Bundle>>,
    },
    /// See [`Output::Again`].
    Again(Vec<(Row, BundleId)>),
    Dial(NodeId),
    /// See [`Output::Renew`].
    Renew(NodeId),
    Report(Event),
    Seal {
        token: u64,
        draft: Draft,
    },
    /// Gives an answer that waited for the commit.
    Call(Box<dyn FnOnce() + Send>),
    /// What frames occupy of their peers' budgets, until what came before this is said.
    GiveBack(Vec<Box<dyn Send>>),
    /// A contact is up; its frames go this way.
    Greet(NodeId, Line),
    Part(NodeId),
    /// The agent that had these contacts is no more.
    PartWithAll,
}

impl Act {
    /// The act of an output; commits are none, and people are told by the event that comes with the row.
    pub fn of(output: Output) -> Option<Act> {
        Some(match output {
            Output::Commit(_) | Output::File(_) | Output::Heard(_) | Output::Notify(_) => return None,
            Output::Seal { token, draft } => Act::Seal { token, draft },
            Output::Send { to, frame } => Act::Send { to, frame },
            Output::Forward { to, transit, id, row } => Act::Forward { to, transit, id, row, held: None },
            Output::Again(rows) => Act::Again(rows),
            Output::Dial(node) => Act::Dial(node),
            Output::Renew(node) => Act::Renew(node),
            Output::Report(event) => Act::Report(event),
        })
    }

    /// How soon it must be done.
    pub fn weight(&self) -> Weight {
        match self {
            Act::Send { frame, .. } => frame_weight(frame),
            Act::Report(event) => event_weight(event),
            // Whoever looked saw what is not durable yet.
            Act::Call(_) => Weight::Promise,
            Act::Forward { .. }
            | Act::Again(_)
            | Act::Dial(_)
            | Act::Renew(_)
            | Act::Seal { .. }
            | Act::GiveBack(_) => Weight::Free,
            Act::Greet(..) | Act::Part(_) | Act::PartWithAll => Weight::Free,
        }
    }

    /// Whether it says that a contact began or ended, which is so whatever became of a commit.
    pub fn is_of_contact(&self) -> bool {
        matches!(self, Act::Greet(..) | Act::Part(_))
    }
}

/// Where acts are handed in.
#[derive(Clone)]
pub struct Courier {
    acts: Sender<Vec<Act>>,
    /// Batches handed in and not performed.
    waiting: Arc<AtomicUsize>,
    ended: CancellationToken,
}

/// What the courier's thread works with.
pub struct Tools {
    pub me: NodeId,
    pub reader: RedbReader,
    /// None where the home is opened without a network.
    pub net: Option<NetHandle>,
    pub pool: Pool,
    pub drafts: Arc<Drafts>,
    pub core: Arc<Queue<Work>>,
    pub tally: Arc<Tally>,
    pub events: broadcast::Sender<Event>,
    /// Cancelled when the courier ends.
    pub ended: CancellationToken,
}

impl Courier {
    pub fn start(tools: Tools) -> Courier {
        let (acts, queue) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let performed = Arc::clone(&waiting);
        let ended = tools.ended.clone();
        let guard = ended.clone().drop_guard();
        let run = move || {
            let _guard = guard;
            Thread { tools, contacts: BTreeMap::new(), unsaid: BTreeMap::new() }.run(&queue, &performed);
        };
        std::thread::Builder::new().name("dak-courier".into()).spawn(run).expect("the system gives a node its threads");
        Courier { acts, waiting, ended }
    }

    /// Whether it has enough to do: an answer to somebody would wait behind all of it. Once a part of the node has ended,
    /// and that may be its thread, nobody waits for it.
    pub fn is_behind(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= BEHIND_MAX && !self.ended.is_cancelled()
    }

    pub fn perform(&self, acts: Vec<Act>) {
        // Without its thread the process is ending; an act that does not happen is sorted out after the restart.
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let _ = self.acts.send(acts);
    }
}

struct Thread {
    tools: Tools,
    contacts: BTreeMap<NodeId, Line>,
    /// What acts of this batch say to peers.
    unsaid: BTreeMap<NodeId, Unsaid>,
}

#[derive(Default)]
struct Unsaid {
    frames: Vec<Vec<u8>>,
    bytes: usize,
}

/// However it ends, nobody waits for the id of a message any more.
impl Drop for Thread {
    fn drop(&mut self) {
        self.tools.drafts.fail_all();
    }
}

impl Thread {
    fn run(mut self, queue: &Receiver<Vec<Act>>, performed: &AtomicUsize) {
        while let Ok(acts) = queue.recv() {
            let fetched = self.fetch(&acts);
            acts.into_iter().for_each(|act| self.perform(act, &fetched));
            self.say_all();
            performed.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Reads all bundles of a batch in one snapshot, each once; none where one of them cannot be read.
    fn fetch(&self, acts: &[Act]) -> BTreeMap<Row, Bundle> {
        let unread = |act: &Act| if let Act::Forward { row, held: None, .. } = act { Some(*row) } else { None };
        let rows: BTreeSet<Row> = acts.iter().filter_map(unread).collect();
        let rows: Vec<Row> = rows.into_iter().collect();
        let mut bundles = BTreeMap::new();
        for rows in rows.chunks(FETCH_MAX) {
            let fetched = self.tools.reader.bodies(rows).unwrap_or_default();
            let parsed = |body: Option<Vec<u8>>| Some(Bundle::from_stored(body?).ok()?.0);
            bundles.extend(rows.iter().zip(fetched).filter_map(|(row, body)| Some((*row, parsed(body)?))));
        }
        bundles
    }

    fn perform(&mut self, act: Act, fetched: &BTreeMap<Row, Bundle>) {
        match act {
            Act::Send { to, frame } => self.say(to, &frame),
            Act::Forward { to, transit, held: Some(bundle), .. } => self.hand_over(to, &transit, &bundle),
            Act::Forward { to, transit, id, row, held: None } => match fetched.get(&row).filter(|found| found.id == id)
            {
                Some(bundle) => self.hand_over(to, &transit, bundle),
                None => self.forward(to, &transit, id, row),
            },
            Act::Again(rows) => drop(self.tools.core.put(Work::Again(Again::Held(rows)))),
            Act::Dial(node) => {
                if let Some(net) = &self.tools.net {
                    net.dial(node);
                }
            }
            // Who knows the other's address dials again, within a second or two as after any contact that was one.
            Act::Renew(peer) => self.part_with(peer),
            Act::Report(event) => self.report(event),
            Act::Seal { token, draft } => self.tools.pool.seal(token, draft),
            Act::Call(call) => call(),
            Act::GiveBack(permits) => {
                self.say_all();
                drop(permits);
            }
            Act::Greet(peer, line) => {
                self.say_to(peer);
                self.contacts.insert(peer, line);
            }
            Act::Part(peer) => drop(self.contacts.remove(&peer)),
            Act::PartWithAll => self.part_with_all(),
        }
    }

    /// What did not come with the batch is asked for alone, and the answer says why.
    fn forward(&mut self, to: NodeId, transit: &Transit, id: BundleId, row: Row) {
        match self.tools.reader.bundle(row, id) {
            Ok(Some((bundle, _))) => self.hand_over(to, transit, &bundle),
            // It may have left since; if the index still names it, the store has lost it.
            Ok(None) => drop(self.tools.core.put(Work::Input(Input::Unreadable { to, id, row }))),
            // The store still has it and the disk may give it later: the next contact asks again.
            Err(error) => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                let peer = to.peer_id();
                BRAKE.say((), |unsaid| {
                    tracing::warn!(unsaid, %error, %peer, "a bundle cannot be read now; ending the contact");
                });
                self.part_with(to);
            }
        }
    }

    /// Without a contact nothing is handed over; the next one sorts it out.
    fn hand_over(&mut self, to: NodeId, transit: &Transit, bundle: &Bundle) {
        let Some(line) = self.contacts.get(&to) else { return };
        let frame = line.crossed.hand_over(transit, bundle, &Ends { from: self.tools.me, to });
        self.send(to, frame);
    }

    /// What cannot be said ends the contact: the peer would wait for it, and may have brought this node there.
    fn say(&mut self, to: NodeId, frame: &Frame) {
        match frame.encode() {
            Ok(bytes) => self.send(to, bytes),
            Err(error) => {
                self.tools.tally.fault(to, &format!("no frame can be made of what is to be said: {error}"));
                self.part_with(to);
            }
        }
    }

    /// Frames of a batch leave together where they are small: each piece costs thirty bytes more on the wire.
    fn send(&mut self, to: NodeId, frame: Vec<u8>) {
        let unsaid = self.unsaid.entry(to).or_default();
        unsaid.bytes += frame.len();
        unsaid.frames.push(frame);
        if unsaid.bytes >= TOGETHER_BYTES {
            self.say_to(to);
        }
    }

    fn say_all(&mut self) {
        while let Some((to, unsaid)) = self.unsaid.pop_first() {
            self.hand_in(to, unsaid);
        }
    }

    fn say_to(&mut self, to: NodeId) {
        if let Some(unsaid) = self.unsaid.remove(&to) {
            self.hand_in(to, unsaid);
        }
    }

    fn hand_in(&mut self, to: NodeId, unsaid: Unsaid) {
        let Some(line) = self.contacts.get(&to) else { return };
        match line.sender.send_all(unsaid.frames) {
            Ok(()) => {}
            // It is over, or ends by itself; the peer may have another contact by now.
            Err(SendError::Closed | SendError::Full) => drop(self.contacts.remove(&to)),
            Err(SendError::TooLong) => self.part_with(to),
        }
    }

    fn part_with(&mut self, peer: NodeId) {
        self.say_to(peer);
        self.contacts.remove(&peer);
        if let Some(net) = &self.tools.net {
            net.disconnect(peer);
        }
    }

    fn report(&mut self, event: Event) {
        match &event {
            Event::Queued { token, id } => self.tools.drafts.queued(*token, *id),
            Event::NotSent { token, why } => self.tools.drafts.fail(*token, NodeError::NotSent(*why)),
            Event::Misbehaved { peer, what } => {
                self.tools.tally.bad(*peer, Offence::OutOfStep, what);
            }
            event => tracing::debug!(?event),
        }
        // Nobody may be following.
        let _ = self.tools.events.send(event);
    }

    fn part_with_all(&mut self) {
        self.tools.drafts.fail_all();
        self.say_all();
        for (peer, _) in std::mem::take(&mut self.contacts) {
            if let Some(net) = &self.tools.net {
                net.disconnect(peer);
            }
        }
    }
}
