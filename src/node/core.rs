//! The thread that owns the agent: it gathers inputs into batches, hands their changes to the store, and lets the acts
//! go once they are committed.
//!
//! ```text
//! peers, people ──▶ Work ──▶ agent ──▶ changes ──▶ store thread ──▶ one transaction
//!                                  └─▶ acts ─ ─ ─ ─(after the commit)─ ─ ▶ courier
//! ```
//! The agent runs ahead of the store; nothing it says leaves before what it says is durable. When a commit fails, all
//! that ran ahead is dropped, and the agent starts again from the store.

pub mod again;
mod arrivals;
mod commit;
pub mod groups;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tokio::sync::watch;

use super::clock::Clock;
use super::courier::{Act, Courier};
use super::names::GroupNames;
use super::pool::{self, Pool};
use super::queue::{Piece, Queue};
use super::stirs::{Stir, Stirs};
use super::tape::Tape;
use super::work::{Parsed, Wishes, Work};
use crate::agent::change::{Change, Durable};
use crate::agent::{Agent, Event, Input};
use crate::blobs::Blobs;
use crate::content::topic::Filter;
use crate::driver::{self, Driver, Weight};
use crate::id::NodeId;
use crate::keyring::Keyring;
use crate::mail::Opening;
use crate::mail::groups::Groups;
use crate::mail::topics::Topics;
use crate::store::StoreError;
use crate::store::redb::RedbReader;
use crate::store::writer::StoreThread;
use crate::time::Millis;

pub use self::commit::LastFailure;
use self::steps::wall;
pub use self::steps::{Steps, topics};

/// Most pieces of work in one batch.
const BATCH_MAX: usize = 256;
/// Changes and acts after which a batch takes no more work: one receipt on a thousand ids makes two thousand changes, and
/// whoever looks waits for the whole batch.
const BATCH_CHANGES_MAX: usize = 4_096;
/// How long a batch takes more work: a piece can take milliseconds, and whoever looks waits for all of the batch.
const BATCH_SPAN: Duration = Duration::from_millis(50);
/// Most batches that may wait for the store; the agent runs no further ahead. Whoever looks waits for all of them, and
/// more than this share no commit to gain by it.
const AHEAD_MAX: usize = 4;
/// How old the knowledge of the disk's free space may be.
const SPACE: Duration = Duration::from_secs(1);

/// How long nothing may have changed before the store gives freed space back; readers wait meanwhile.
pub const IDLE: Duration = Duration::from_secs(300);

/// Builds the agent anew from what the store has.
pub type Restore = Box<dyn FnMut(Durable, &mut Tape) -> Result<Agent, StoreError> + Send>;

/// Asks the disk what it has left, in bytes.
pub type Space = Box<dyn FnMut() -> u64 + Send>;

pub struct Core {
    /// The agent, and what of it and of mail is not handed over yet.
    driver: Driver<Steps>,
    group_names: Arc<GroupNames>,
    /// Somebody was named, or a group, since names were given to groups.
    are_names_stale: bool,
    /// What the agent was told of the members of groups that are served.
    served: BTreeMap<NodeId, Vec<NodeId>>,
    clock: Clock,
    restore: Restore,
    space: Space,
    space_asked: Option<Instant>,
    idle: Duration,
    /// When something last changed, until the store was tidied after it.
    changed: Option<Instant>,
    work: Arc<Queue<Work>>,
    store: Arc<StoreThread>,
    courier: Courier,
    pool: Pool,
    blobs: Arc<Blobs>,
    keyring: Keyring,
    generation: u64,
    /// How many batches the store has and did not answer for.
    ahead: Arc<AtomicUsize>,
    /// How many changes of those that were handed out are durable.
    durable: Arc<AtomicU64>,
    failure: Arc<LastFailure>,
    committed: watch::Sender<()>,
    stirs: Arc<Stirs>,
}

/// What goes with the batch that is open.
#[derive(Default)]
struct Open {
    /// Answers to those who looked; given after all else.
    looks: Vec<Act>,
    /// Given back when the batch is handed over.
    permits: Vec<Box<dyn Send>>,
    /// Of frames: given back when what came of them is said, for an answer can be as long as its frame.
    permits_of_frames: Vec<Box<dyn Send>>,
}

/// What a batch says, in order. Contacts that begin and end are among the acts: what was said to a peer in one contact
/// must not reach it in the next.
pub enum Said {
    Change(Change),
    Act(Act),
}

impl driver::Said for Said {
    fn weight(&self) -> Weight {
        match self {
            Said::Change(change) => change.weight(),
            Said::Act(act) => act.weight(),
        }
    }

    fn change(&self) -> Option<&Change> {
        if let Said::Change(change) = self { Some(change) } else { None }
    }
}

/// What a core works with.
pub struct Parts {
    pub agent: Agent,
    pub tape: Tape,
    pub topics: Topics,
    pub groups: Groups,
    /// What groups are called here, for whoever asks.
    pub group_names: Arc<GroupNames>,
    /// Where what the agent filed can be read.
    pub record: RedbReader,
    pub clock: Clock,
    pub restore: Restore,
    pub space: Space,
    /// See [`IDLE`].
    pub idle: Duration,
    pub work: Arc<Queue<Work>>,
    pub store: Arc<StoreThread>,
    pub courier: Courier,
    pub pool: Pool,
    /// Files that come and go in parts.
    pub blobs: Arc<Blobs>,
    pub keyring: Keyring,
    pub failure: Arc<LastFailure>,
    /// Hears of every commit.
    pub committed: watch::Sender<()>,
    pub stirs: Arc<Stirs>,
}

impl Core {
    pub fn new(parts: Parts) -> Core {
        let Parts { agent, tape, topics, groups, group_names, record, clock, restore, space, idle, .. } = parts;
        let Parts { work, store, courier, pool, blobs, keyring, failure, committed, stirs, .. } = parts;
        let (generation, ahead, durable, space_asked, changed) = (0, Arc::default(), Arc::default(), None, None);
        Core {
            driver: Driver::new(
                agent,
                Steps {
                    tape,
                    opening: Opening::default(),
                    topics,
                    groups,
                    over: Vec::new(),
                    sealed_until: None,
                    record,
                },
            ),
            group_names,
            are_names_stale: true,
            served: BTreeMap::new(),
            clock,
            restore,
            space,
            space_asked,
            idle,
            changed,
            work,
            store,
            courier,
            pool,
            blobs,
            keyring,
            generation,
            ahead,
            durable,
            failure,
            committed,
            stirs,
        }
    }

    /// Runs until it is stopped; then everything that was taken is committed.
    pub fn run(mut self) {
        self.serve_topics();
        self.take_groups();
        self.open_sealed();
        loop {
            let mut next = self.wait();
            let (mut open, begun) = (Open::default(), Instant::now());
            self.driver.committed(self.durable.load(Ordering::Acquire));
            self.ask_space();
            let mut stop = false;
            let mut taken = 0;
            let mut before = begun;
            while let Some(Piece { item: work, share }) = next.take() {
                match work {
                    Work::Stop => stop = true,
                    Work::Failed(generation, error) if generation == self.generation => {
                        // Everything gathered since is from an agent that is no more.
                        let ways = self.driver.abandon().into_iter().filter(Said::is_of_contact).collect();
                        open = Open { permits: open.permits, ..Open::default() };
                        if self.start_again(&error, ways).is_break() {
                            // Of what was gathered nothing is durable, and nothing will be.
                            return;
                        }
                    }
                    work => self.take(work, &mut open),
                }
                let now = Instant::now();
                self.work.spent(share, now - before);
                before = now;
                taken += 1;
                let has_room = taken < BATCH_MAX && self.driver.open().len() < BATCH_CHANGES_MAX;
                if has_room && now - begun < BATCH_SPAN && !stop {
                    next = self.work.try_take();
                }
            }
            self.run_due();
            self.end_sealed();
            self.take_files();
            self.take_groups();
            self.driver.step.tape.flush();
            self.hand_over(open);
            if stop {
                break;
            }
        }
        let last = self.driver.flush();
        self.commit(last, Vec::new());
        // Acts of the last batches are performed before the process may end.
        let _ = block_on(self.store.flush());
    }

    /// Tells a new agent what is subscribed to: that is the driver's to remember.
    fn serve_topics(&mut self) {
        let subscriptions: Vec<(NodeId, Filter)> = self.driver.step.topics.subscriptions().cloned().collect();
        subscriptions.into_iter().for_each(|(owner, filter)| self.handle(Input::Serve { owner, filter, on: true }));
        let retention = self.driver.step.topics.retention().clone();
        for ((owner, filter), terms) in retention.iter() {
            self.handle(Input::Retain { owner: *owner, filter: filter.clone(), terms });
        }
    }

    /// The next work, or none of it when a timer is due or it is time to tidy up.
    fn wait(&mut self) -> Option<Piece<Work>> {
        while self.ahead.load(Ordering::Acquire) >= AHEAD_MAX || self.courier.is_behind() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let now = self.clock.moment().now;
        let groups = &self.driver.step.groups;
        let (receipts, wall) = (groups.receipts.next_timeout(), wall(self.clock.moment()));
        let questions = groups.next_timeout().map(|at| now + Millis(at.0.saturating_sub(wall.0)));
        let due = [self.driver.due(), self.driver.step.sealed_until, receipts, questions].into_iter().flatten().min();
        let due = due.map(|due| Duration::from_millis(due.since(now).0));
        let idle = self.changed.map(|since| self.idle.saturating_sub(since.elapsed()));
        let Some(span) = [due, idle].into_iter().flatten().min() else { return self.work.take() };
        let work = self.work.take_within(span);
        if work.is_none() && self.changed.is_some_and(|since| since.elapsed() >= self.idle) {
            self.changed = None;
            self.store.try_compact_if_idle();
        }
        work
    }

    /// Tells the agent of the disk, at most once a second and only when there is something to do.
    fn ask_space(&mut self) {
        if self.space_asked.is_none_or(|asked| asked.elapsed() >= SPACE) {
            self.space_asked = Some(Instant::now());
            let free_bytes = (self.space)();
            self.driver.step.tape.mind_space(free_bytes);
            self.handle(Input::Space { free_bytes });
        }
    }

    fn take(&mut self, work: Work, open: &mut Open) {
        match work {
            Work::Input(input) => self.handle(input),
            Work::FromPeer(input, permit) => {
                let is_frame = matches!(input, Input::Frame { .. });
                self.handle(input);
                if is_frame { &mut open.permits_of_frames } else { &mut open.permits }.push(permit);
            }
            Work::ForMailbox(input, permit, opened) => {
                let (input, opened) = self.take_part(input, opened);
                if let Input::Bundle { bundle, .. } = &input {
                    self.driver.step.opening.came(bundle.id, opened);
                }
                self.handle(input);
                open.permits.push(permit);
            }
            Work::Sealed(input, (plaintext, beside)) => {
                self.driver.step.opening.written(plaintext.to_vec());
                let before = self.driver.open().len();
                self.handle(input);
                let queued = self.driver.open()[before..].iter().find_map(|said| match said {
                    Said::Act(Act::Report(Event::Queued { id, .. })) => Some(*id),
                    _ => None,
                });
                if let (Some(id), Some(beside)) = (queued, beside) {
                    self.driver.change(beside(id));
                }
            }
            // It left before it was its turn. What this node says first nobody heard, so nothing was handed over.
            Work::Met(_, line) if line.sender.is_closed() => {}
            Work::Met(peer, line) => {
                self.driver.say(Said::Act(Act::Greet(peer, line)));
                self.handle(Input::ContactUp { peer });
            }
            Work::Parted(peer) => {
                self.driver.say(Said::Act(Act::Part(peer)));
                self.handle(Input::ContactDown { peer });
                // Was that all there is for the peer?
                if self.driver.agent.wants(peer) {
                    self.driver.say(Said::Act(Act::Dial(peer)));
                }
            }
            Work::Look(look) => {
                // Whoever looks sees whole batches, and no life that is over.
                self.run_due();
                open.looks.push(Act::Call(look(&self.driver.agent)));
            }
            Work::Decide(decide) => {
                self.run_due();
                let (input, tell) = decide(&self.driver.agent);
                input.into_iter().for_each(|input| self.handle(input));
                open.looks.push(Act::Call(tell));
            }
            Work::Bring(all, tell) => {
                let fates = all.into_iter().map(|brought| self.bring(brought)).collect();
                open.looks.push(Act::Call(Box::new(move || tell(fates))));
            }
            Work::Keep(changes, tell) => {
                changes.into_iter().for_each(|change| self.driver.change(change));
                open.looks.push(Act::Call(tell));
            }
            Work::Adopt(brought, tell) => {
                for (adopted, brought) in brought {
                    self.driver.step.opening.adopted(adopted.id(), brought);
                    self.handle(Input::Adopt(Box::new(adopted)));
                }
                open.looks.push(Act::Call(tell));
            }
            Work::Groups(on_groups) => {
                let now = wall(self.clock.moment());
                let Wishes { inputs, changes, tell } = on_groups(&mut self.driver.step.groups, now);
                inputs.into_iter().for_each(|input| self.handle(input));
                changes.into_iter().for_each(|change| self.driver.change(change));
                open.looks.push(Act::Call(tell));
            }
            Work::Topics(on_topics) => {
                let now = wall(self.clock.moment());
                let Wishes { inputs, changes, tell } = on_topics(&mut self.driver.step.topics, now);
                inputs.into_iter().for_each(|input| self.handle(input));
                changes.into_iter().for_each(|change| self.driver.change(change));
                open.looks.push(Act::Call(tell));
            }
            Work::Parsed(parsed) if self.driver.agent.turns_away(&parsed.id()) => {
                let (id, Parsed { from, transit, .. }) = (parsed.id(), parsed);
                self.handle(Input::Duplicate { from, transit, id });
            }
            Work::Parsed(parsed) => self.pool.verify(parsed),
            Work::Again(again) => self.again(again),
            Work::Failed(..) | Work::Stop => {}
        }
    }

    fn handle(&mut self, mut input: Input) {
        // A key may have come since it was verified, and what was held was opened by nobody.
        if let Input::Bundle { bundle, .. } = &input
            && bundle.destination.has_members()
            && !self.driver.step.opening.has(&bundle.id)
            && let Some(opened) = pool::open(&self.keyring, bundle)
        {
            let id = bundle.id;
            let (taken, opened) = self.take_part(input, opened);
            input = taken;
            self.driver.step.opening.came(id, opened);
        }
        if let Input::Bundle { bundle, .. } = &input
            && self.driver.agent.is_contact(&bundle.source)
        {
            self.clock.second_sign(bundle.creation.time);
        }
        self.are_names_stale |= matches!(input, Input::SetPerson { .. });
        let is_serving = matches!(input, Input::ServeGroup { on: true, .. });
        self.driver.take(self.clock.moment(), input);
        if is_serving {
            self.open_sealed();
        }
    }

    fn run_due(&mut self) {
        // After a turn whoever else has something to say comes first.
        self.driver.run_due(self.clock.moment());
    }

    /// Ends a batch, and commits what of it cannot wait.
    fn hand_over(&mut self, open: Open) {
        self.driver.step.opening.end_batch();
        let states = self.driver.step.topics.states();
        let is_stirred = !states.is_empty();
        states.into_iter().for_each(|change| self.driver.change(change));
        if is_stirred {
            let stirs = Arc::clone(&self.stirs);
            self.driver.say(Said::Act(Act::Call(Box::new(move || stirs.stir(Stir::Topics)))));
        }
        let Open { looks, permits: _permits, permits_of_frames } = open;
        looks.into_iter().for_each(|look| self.driver.say(Said::Act(look)));
        let batch = self.driver.close(self.clock.moment().now);
        self.commit(batch, permits_of_frames);
    }
}

impl Said {
    fn is_of_contact(&self) -> bool {
        matches!(self, Said::Act(act) if act.is_of_contact())
    }

    fn act(self) -> Option<Act> {
        if let Said::Act(act) = self { Some(act) } else { None }
    }
}

/// However it ends, nobody waits for an answer from it.
impl Drop for Core {
    fn drop(&mut self) {
        self.work.close();
        self.pool.close();
    }
}

#[cfg(test)]
mod tests;
