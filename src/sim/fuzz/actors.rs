//! Hostile nodes with a purpose. Each kind can be switched on by itself, to see what a mechanism is good for; in an ordinary
//! world a seed decides which there are.
//!
//! ```text
//! liars       tell the highest rates of everybody and of thousands that are not, and hops and ages at the end of a life
//! stallers    offer whatever they heard of, and hand nothing over
//! capturers   fill places: receipts of throwaway names for ids that never were, and mail of as many strangers
//! poisoners   claim one id fewer than the peer has, and then tell tens of thousands that they made up
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::agent::summary::{Claim, IdIndex, Reconciliation};
use crate::id::BundleId;
use crate::sim::random::Stream;

/// What a hostile node is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Liar,
    Staller,
    Capturer,
    Poisoner,
}

impl Actor {
    pub const ALL: [Actor; 4] = [Actor::Liar, Actor::Staller, Actor::Capturer, Actor::Poisoner];

    /// Which of them a seed lets act, each in every other world.
    pub fn drawn(seed: u64) -> Vec<Actor> {
        let dice = &mut Stream::new(seed, "fuzz actors", 0);
        Actor::ALL.into_iter().filter(|_| dice.chance(500_000)).collect()
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Actor::Liar => "liars",
            Actor::Staller => "stallers",
            Actor::Capturer => "capturers",
            Actor::Poisoner => "poisoners",
        })
    }
}

/// A summary of ids that never were, and the contacts in which it is told.
#[derive(Default)]
pub struct Poison {
    pub ids: Vec<BundleId>,
    pub index: IdIndex,
    /// What a poisoner claimed to a peer, and where the comparison with it stands.
    pub claims: BTreeMap<(usize, usize), Claim>,
    pub told: BTreeMap<(usize, usize), Reconciliation>,
}

/// How many ids a poisoner makes up: few, some, and now and then as many as make a list of 160 kB.
const INVENTED: [u64; 8] = [40, 40, 200, 200, 200, 3_000, 3_000, 20_000];
impl Poison {
    pub fn prepare(&mut self, dice: &mut Stream) {
        if self.ids.is_empty() {
            let count = INVENTED[dice.below(INVENTED.len() as u64) as usize];
            self.ids = (0..count).map(|_| invented(dice)).collect();
            (self.index, _) = IdIndex::of((0..count as u32).collect(), &|slot| self.ids[slot as usize]);
        }
    }
}

pub fn invented(dice: &mut Stream) -> BundleId {
    BundleId(*blake3::hash(&dice.draw().to_le_bytes()).as_bytes())
}
