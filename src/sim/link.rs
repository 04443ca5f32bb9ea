//! What a contact can carry: everything at once, or so many bytes a second.
//!
//! The world gives a link frames and bundles and gets them back when they have arrived. Of what is in them it knows the
//! length alone, and it adds the time that a bundle waited to the age that its transit tells.

mod ideal;
mod rate;

use std::sync::Arc;

use crate::frame::{Frame, Transit};
use crate::sim::catalog::Entry;
use crate::sim::scenario::{Carried, Link};

use self::ideal::Ideal;
pub use self::rate::Moved;
use self::rate::Rate;

/// Something on its way from one node to another.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub from: u32,
    pub to: u32,
    pub bytes: u64,
    pub parcel: Parcel,
}

#[derive(Clone, Debug)]
pub enum Parcel {
    Frame(Frame),
    Bundle { bundle: Arc<Entry>, transit: Transit },
}

/// The links of a run.
#[derive(Debug)]
pub enum Links {
    Ideal(Ideal),
    Rate(Box<Rate>),
    /// Nothing is said between nodes: so many bytes are taken along.
    Carried(u64),
}

/// What happens to a transfer before it has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Begun,
    /// Gone all the way and lost; it begins again.
    Lost,
}

/// What became of the transfers of a contact that ended.
#[derive(Debug, Default)]
pub struct Cut {
    /// Those that were under way.
    pub moving: Vec<Transfer>,
}

impl Links {
    pub fn new(link: &Link, seed: u64) -> Links {
        match link {
            Link::Ideal => Links::Ideal(Ideal::default()),
            Link::Rate(rated) => Links::Rate(Box::new(Rate::new(*rated, seed))),
            Link::Stick(Carried { bytes_max }) => Links::Carried(bytes_max.unwrap_or(u64::MAX)),
        }
    }

    /// The most bytes that one takes along, where files are carried by hand.
    pub fn are_carried(&self) -> Option<u64> {
        match self {
            Links::Carried(bytes_max) => Some(*bytes_max),
            Links::Ideal(_) | Links::Rate(_) => None,
        }
    }

    /// From the start of a contact to its first byte.
    pub fn setup_us(&self) -> u64 {
        match self {
            Links::Ideal(_) | Links::Carried(_) => 0,
            Links::Rate(rate) => rate.setup_us(),
        }
    }

    /// Two nodes can talk from now on.
    pub fn open(&mut self, a: u32, b: u32) {
        match self {
            Links::Ideal(_) | Links::Carried(_) => {}
            Links::Rate(rate) => rate.open(a, b),
        }
    }

    /// They no longer can; what was between them is lost.
    pub fn close(&mut self, a: u32, b: u32) -> Cut {
        match self {
            Links::Ideal(ideal) => {
                ideal.close(a, b);
                Cut::default()
            }
            Links::Carried(_) => Cut::default(),
            Links::Rate(rate) => rate.close(a, b),
        }
    }

    /// Takes in a node and what is under way between it and others; these come or came as well.
    pub fn enter(&mut self, node: u32, moved: Moved) {
        if let Links::Rate(rate) = self {
            rate.enter(node, moved);
        }
    }

    /// Gives a node up, with what is under way. Nodes between which something is leave together.
    pub fn leave(&mut self, node: u32) -> Moved {
        match self {
            // Nothing outlasts an instant.
            Links::Ideal(_) | Links::Carried(_) => Moved::default(),
            Links::Rate(rate) => rate.leave(node),
        }
    }

    /// Every node has left.
    pub fn clear(&mut self) {
        if let Links::Rate(rate) = self {
            rate.clear();
        }
    }

    /// Puts something on its way over an open link.
    pub fn send(&mut self, transfer: Transfer, now_us: u64) {
        match self {
            Links::Ideal(ideal) => ideal.send(transfer),
            Links::Carried(_) => unreachable!("nobody talks where files are carried"),
            Links::Rate(rate) => rate.send(transfer, now_us),
        }
    }

    /// When there is something to do next, not before `now_us`.
    /// Whether a bundle is under way from one node to another; where all takes no time nothing ever is.
    pub fn moves(&self, from: u32, to: u32) -> bool {
        match self {
            Links::Ideal(_) | Links::Carried(_) => false,
            Links::Rate(rate) => rate.moves(from, to),
        }
    }

    pub fn next_due_us(&self, now_us: u64) -> Option<u64> {
        match self {
            Links::Ideal(ideal) => (!ideal.is_empty()).then_some(now_us),
            Links::Carried(_) => None,
            Links::Rate(rate) => rate.next_due_us(now_us),
        }
    }

    /// Returns what has arrived by now, one at a time. `tell` hears of what happens before that.
    pub fn arrived(&mut self, now_us: u64, tell: &mut dyn FnMut(Fate, &Transfer)) -> Option<Transfer> {
        match self {
            Links::Ideal(ideal) => ideal.arrived().inspect(|transfer| tell(Fate::Begun, transfer)),
            Links::Carried(_) => None,
            Links::Rate(rate) => rate.arrived(now_us, tell),
        }
    }
}
