//! Whole networks under faults: random worlds that try to break the promises, each from one seed.
//!
//! ```text
//! plan      what a seed decides: who there is, what can go wrong and how often, who is hostile
//! steps     one thing that happens: a contact, a crash, a letter, a clock that jumps, a deed of somebody hostile
//! published what is written in topics, and who hears it
//! crew      a group whose members change, and parts of files of which only the bytes are kept
//! gots      receipts of its members, which nobody answers
//! sticks    files that are written, damaged, and read by somebody, more than once
//! drive     a driver's duty, with commits that fail and power that goes before, between or after them
//! air       frames as bytes: lost, doubled, overtaken, cut, damaged
//! hostile   nodes that forge, replay, tamper, swallow and lie
//! actors    … and those with a purpose: liars, stallers, capturers of places, poisoners of summaries
//! truth     what really happened, and every change that is committed checked against it
//! calm      the faults stop: what is still owed arrives, and in the end nothing is left of it
//! words     what members of a group tell each other of it, apart from all else
//! waits     before that, nobody waits long for those who offer and keep back what somebody else has
//! ```
//! A world knows more than its nodes: who signed what, who stored what when, who read and who blocked. After every
//! batch that a node commits, what it did is compared with that. The agents are driven as a real node drives them, through
//! their public methods, and the stores are [`MemoryStore`](crate::store::memory::MemoryStore)s.

mod actors;
mod acts;
mod air;
mod calm;
mod crew;
mod drive;
mod forge;
mod frames;
mod gots;
mod heard;
mod hostile;
mod leaving;
mod node;
mod offers;
mod plan;
mod published;
mod status;
mod steps;
mod sticks;
mod truth;
mod waits;
mod witness;
mod words;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use self::actors::Actor;
use self::words::Words;
use self::world::World;

/// What came of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub seed: u64,
    /// The actors asked for, where the seed did not decide.
    pub actors: Option<Vec<Actor>>,
    pub steps: u64,
    /// Over every byte that arrived and everything that is durable in the end.
    pub hash: String,
    pub counts: Counts,
    pub violation: Option<Violation>,
}

/// A promise that was broken, where, and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub promise: Promise,
    pub what: String,
    pub step: u64,
    /// The last events, oldest first.
    pub trail: Vec<String>,
}

/// What must hold in every world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    AcceptedIsDurable,
    NothingUnverified,
    OnceToThePerson,
    BlockedIsNotShown,
    StatusIsTrue,
    SameInputsSameOutputs,
    QuotaHolds,
    StoreAndAgentAgree,
    HonestLooksHonest,
    NobodyWaits,
    KeysAreForMembers,
    EverythingArrives,
    NothingIsLeft,
    /// An assertion of the code itself.
    NoPanic,
}

/// What a run was about; a fuzzer whose faults never happen finds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub messages: u64,
    pub delivered: u64,
    pub frames: u64,
    pub damaged: u64,
    pub refused: u64,
    pub crashes: u64,
    pub batches_lost: u64,
    pub commits_failed: u64,
    pub evictions: u64,
    pub deeds: u64,
    pub clock_jumps: u64,
    /// Messages that still had to arrive when the faults stopped.
    pub owed: u64,
    /// Offers of honest nodes to each other after hostile ones had offered.
    pub waited: u64,
    /// What was published, how often it was heard, and bundles that were read from files.
    pub published: u64,
    pub heard: u64,
    pub from_files: u64,
    /// Rows of what was written to a group, and parts of files that came.
    pub in_group: u64,
    pub parts: u64,
    /// Words about a group that were sent, keys that came with them, posts that did not open at once, and what authors heard
    /// that members have.
    pub words: u64,
    pub keys: u64,
    pub asked: u64,
    pub got: u64,
    /// What agents let members of the group say to have.
    pub said: u64,
}

/// One promise broken.
#[derive(Debug)]
struct Broken {
    promise: Promise,
    what: String,
}

type Checked = Result<(), Broken>;

fn must(holds: bool, promise: Promise, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken { promise, what: what() }) }
}

/// Runs the world of one seed, with the actors that the seed draws or with these alone. Where a promise is broken it runs
/// a second time, to write down what led to it.
pub fn run(seed: u64, actors: Option<&[Actor]>) -> Run {
    let silent = attempt(seed, actors, false);
    match silent.violation {
        Some(_) => attempt(seed, actors, true),
        None => silent,
    }
}

/// Runs the world of one seed twice, and compares.
pub fn run_twice(seed: u64, actors: Option<&[Actor]>) -> Run {
    let (first, second) = (run(seed, actors), attempt(seed, actors, false));
    if first.violation.is_some() || (first.hash == second.hash && first.counts == second.counts) {
        return first;
    }
    let what = format!("the run has hash {}, and {} the next time", first.hash, second.hash);
    let promise = Promise::SameInputsSameOutputs;
    Run { violation: Some(Violation { promise, what, step: first.steps, trail: Vec::new() }), ..first }
}

fn attempt(seed: u64, actors: Option<&[Actor]>, tells: bool) -> Run {
    let mut world = World::new(seed, actors, tells);
    let mut words = Words::new(seed, tells);
    let broken = tried(|| world.run());
    let (steps, mut hash, mut counts) = (world.steps_taken(), world.hash(), world.counts);
    let violated = |Broken { promise, what }, step, trail| Violation { promise, what, step, trail };
    let mut violation = broken.map(|broken| violated(broken, steps, world.trail()));
    // Whoever asks for actors wants to see those.
    if violation.is_none() && actors.is_none() {
        violation = tried(|| words.run()).map(|broken| violated(broken, words.steps, words.trail.clone()));
        counts.add(&words.counts);
        hash = blake3::hash(&[hash.as_bytes(), words.hasher.finalize().as_bytes()].concat()).to_hex().to_string();
    }
    let actors = actors.map(<[Actor]>::to_vec);
    Run { seed, actors, steps, hash, counts, violation }
}

/// What was broken, if anything was.
fn tried(run: impl FnOnce() -> Checked) -> Option<Broken> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(checked) => checked.err(),
        Err(why) => Some(Broken { promise: Promise::NoPanic, what: message(&*why) }),
    }
}

/// What a panic said.
fn message(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.frames += other.frames;
        self.damaged += other.damaged;
        self.refused += other.refused;
        self.crashes += other.crashes;
        self.batches_lost += other.batches_lost;
        self.commits_failed += other.commits_failed;
        self.evictions += other.evictions;
        self.deeds += other.deeds;
        self.clock_jumps += other.clock_jumps;
        self.owed += other.owed;
        self.waited += other.waited;
        self.published += other.published;
        self.heard += other.heard;
        self.from_files += other.from_files;
        self.in_group += other.in_group;
        self.parts += other.parts;
        self.words += other.words;
        self.keys += other.keys;
        self.asked += other.asked;
        self.got += other.got;
        self.said += other.said;
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::AcceptedIsDurable => "accepted means durable",
            Promise::NothingUnverified => "nothing is stored, relayed or shown unless it verifies",
            Promise::OnceToThePerson => "once to the person",
            Promise::BlockedIsNotShown => "nobody who is blocked is shown",
            Promise::StatusIsTrue => "the status never says more than its evidence",
            Promise::SameInputsSameOutputs => "same inputs, same outputs",
            Promise::QuotaHolds => "the quota holds",
            Promise::StoreAndAgentAgree => "the store holds what the agent believes",
            Promise::HonestLooksHonest => "honest nodes look honest to each other",
            Promise::NobodyWaits => "what an honest peer offers is asked for within seconds, whoever stalls",
            Promise::KeysAreForMembers => "the keys of a group are for its members",
            Promise::EverythingArrives => "what is owed arrives once the faults stop",
            Promise::NothingIsLeft => "in the end nothing is left but the rows",
            Promise::NoPanic => "the code keeps its own assertions",
        })
    }
}

/// What was broken, by which seed and actors, at which step, and what led there.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(violation) = &self.violation else { return write!(f, "seed {}: nothing broken", self.seed) };
        write!(f, "seed {}", self.seed)?;
        self.actors.iter().flatten().try_for_each(|actor| write!(f, " with {actor}"))?;
        writeln!(f, " breaks \"{}\" at step {}:", violation.promise, violation.step)?;
        write!(f, "  {}", violation.what)?;
        violation.trail.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}
