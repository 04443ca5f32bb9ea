//! What the core is asked to do, by peers, by people and by the threads that work for it.

use tokio::sync::oneshot;

use super::core::again::Again;
use super::drafts::Written;
use super::line::Line;
use super::queue::Share;
use crate::agent::change::{Adopted, Change};
use crate::agent::{Agent, Input};
use crate::bundle::Unverified;
use crate::frame::{Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::mail::groups::Groups;
use crate::mail::topics::Topics;
use crate::mail::{Earlier, Opened};
use crate::store::StoreError;
use crate::time::DtnTime;

/// What the core is asked to do.
pub enum Work {
    Input(Input),
    /// An input from a peer, with what it still occupies of the peer's budget.
    FromPeer(Input, Box<dyn Send>),
    /// A verified message for the mailbox here, and what was in it; the rest is as with other inputs from a peer.
    ForMailbox(Input, Box<dyn Send>, Opened),
    /// What the person wrote is sealed.
    Sealed(Input, Written),
    /// A contact began; what is said to the peer goes this way.
    Met(NodeId, Line),
    Parted(NodeId),
    /// Looks at the agent; what it returns is called once everything seen is durable.
    Look(Look),
    /// Looks at the agent and gives it the input that follows, with nothing in between; the rest is as with a look.
    Decide(Decide),
    /// What came out of files: known ids, and verified bundles. Returns what became of each, in their order; the rest is as
    /// with a look.
    Bring(Vec<Brought>, Box<dyn FnOnce(Vec<Fate>) + Send>),
    /// What the person arranges; the rest is as with a look.
    Keep(Vec<Change>, Box<dyn FnOnce() + Send>),
    /// Mail of an earlier home, and what it says; the rest is as with a look.
    Adopt(Vec<(Adopted, Earlier)>, Box<dyn FnOnce() + Send>),
    /// What the person does with topics; the rest is as with a look.
    Topics(OnTopics),
    /// What the person does with groups; the rest is as with a look.
    Groups(OnGroups),
    /// What is here of a group is looked at once more.
    Again(Again),
    /// A bundle from a peer, parsed and not verified: dropped here where its id is known, else verified in the pool.
    Parsed(Parsed),
    /// A commit of this generation failed.
    Failed(u64, StoreError),
    Stop,
}

pub type Look = Box<dyn FnOnce(&Agent) -> Box<dyn FnOnce() + Send> + Send>;

pub type Decide = Box<dyn FnOnce(&Agent) -> (Option<Input>, Box<dyn FnOnce() + Send>) + Send>;

/// What came out of a file, as the agent gets it.
pub struct Brought {
    pub id: BundleId,
    pub input: Input,
    /// Of a message for the mailbox here, what was in it.
    pub opened: Option<Opened>,
}

/// What became of a bundle that came out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken: delivered, or into custody.
    New,
    Known,
    Refused(Refusal),
    /// The record cannot be read now, and so nothing was decided.
    Undecided,
}

/// Looks at what is subscribed to and changes it; the time is that of the node.
pub type OnTopics = Box<dyn FnOnce(&mut Topics, DtnTime) -> Wishes + Send>;

/// The same with groups.
pub type OnGroups = Box<dyn FnOnce(&mut Groups, DtnTime) -> Wishes + Send>;

/// What follows of it, all in one commit.
pub struct Wishes {
    pub inputs: Vec<Input>,
    pub changes: Vec<Change>,
    /// Called once all of it is durable.
    pub tell: Box<dyn FnOnce() + Send>,
}

impl Wishes {
    pub fn of<T: Send + 'static>(
        (inputs, changes, answer): (Vec<Input>, Vec<Change>, T),
        tell: oneshot::Sender<T>,
    ) -> Wishes {
        Wishes { inputs, changes, tell: Box::new(move || drop(tell.send(answer))) }
    }
}

/// A bundle as it came, its signature not yet checked.
pub struct Parsed {
    pub from: NodeId,
    /// Whose time it takes.
    pub share: Share,
    pub transit: Transit,
    /// In a box, for a queue holds many kinds of work, and most are small.
    pub bundle: Box<Unverified<Vec<u8>>>,
    /// What it occupies of the peer's budget until it is handled.
    pub permit: Box<dyn Send>,
}

impl Parsed {
    pub fn id(&self) -> BundleId {
        self.bundle.id()
    }
}
