//! Sticks of a fuzzed world: written by anybody, perhaps damaged, forged or read twice, by whoever finds them.

use std::sync::Arc;

use crate::agent::{Input, STICK, Standing};
use crate::bundle::{Hops, Unverified};
use crate::frame::Transit;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

use super::Checked;
use super::world::World;

/// Bytes that are said to be a bundle, and when they were written, as their stamp says.
pub type OnStick = (Vec<u8>, DtnTime);

/// Sticks that lie around at once.
const STICKS_MAX: usize = 6;
/// Most bundles on one.
const BUNDLES_MAX: usize = 40;
/// How much of what is held one look goes through: few, so that there are several.
const LOOKS: usize = 5;

impl World {
    /// Somebody writes a stick for another, or for whoever gets it.
    pub(super) fn write_stick(&mut self, n: usize) -> Checked {
        if !self.nodes[n].is_on {
            return Ok(());
        }
        if self.plan.is_hostile(n) {
            return self.forge_stick(n);
        }
        let whom = self.dice.chance(500_000).then(|| self.any_node()).filter(|m| *m != n).map(|m| self.nodes[m].id);
        let ids = self.willing(n, whom);
        let leaving = self.agent(n).leaving(whom, &ids);
        let rows: Vec<(BundleId, crate::agent::change::Row, Hops)> =
            leaving.iter().map(|leaves| (leaves.id, leaves.row, leaves.hops)).collect();
        self.tell(|| format!("{n} writes {} bundles to a stick for {whom:?}", rows.len()));
        let incarnation = self.nodes[n].incarnation;
        self.input(n, Input::LeaveOnFiles(leaving.into_iter().map(|leaves| leaves.id).collect()))?;
        // Bytes go once that is durable; what ran ahead and was lost went nowhere.
        self.flush(n)?;
        self.run_errands()?;
        if self.nodes[n].incarnation != incarnation {
            return Ok(());
        }
        let wall = self.nodes[n].wall(self.now);
        let mut stick = Vec::new();
        for (id, row, hops) in rows {
            let Some(bundle) = self.nodes[n].disk.bundle(row).filter(|bundle| bundle.id == id).cloned() else {
                continue;
            };
            self.truth.forwards(n, &bundle)?;
            stick.push((bundle.encode(hops), wall));
        }
        self.lay(stick);
        Ok(())
    }

    /// What a hostile node puts on a stick: what it heard, forged and damaged.
    fn forge_stick(&mut self, n: usize) -> Checked {
        let many = self.heard.dice.between(1, 8);
        let mut stick = Vec::new();
        for _ in 0..many {
            let bytes = match self.heard.dice.below(3) {
                0 => (0..self.heard.dice.below(600)).map(|_| self.heard.dice.draw() as u8).collect::<Vec<u8>>(),
                1 => self.forged_for_files(n),
                _ => self.heard.any_bundle().unwrap_or_default(),
            };
            let wall = [DtnTime(0), self.nodes[n].wall(self.now), DtnTime(u64::MAX)][self.heard.dice.below(3) as usize];
            stick.push((bytes, wall));
        }
        self.counts.deeds += 1;
        self.tell(|| format!("{n} (hostile) leaves a stick of {many}"));
        self.lay(stick);
        Ok(())
    }

    fn lay(&mut self, mut stick: Vec<OnStick>) {
        stick.truncate(BUNDLES_MAX);
        if self.sticks.len() == STICKS_MAX {
            self.sticks.pop_front();
        }
        self.sticks.push_back(stick);
    }

    fn willing(&self, n: usize, whom: Option<NodeId>) -> Vec<BundleId> {
        let (mut all, mut after): (Vec<_>, Option<Standing>) = (Vec::new(), None);
        loop {
            let (page, last) = self.agent(n).willing(whom, after, LOOKS);
            all.extend(page);
            if last.is_none() {
                break;
            }
            after = last;
        }
        all.sort_unstable();
        all.into_iter().map(|willing| willing.id).collect()
    }

    /// Somebody finds a stick, torn out in the middle or damaged as may be, and leaves it where it is.
    pub(super) fn read_stick(&mut self, n: usize) -> Checked {
        if self.sticks.is_empty() || !self.nodes[n].is_on {
            return Ok(());
        }
        let at = self.dice.below(self.sticks.len() as u64) as usize;
        let mut stick = self.sticks[at].clone();
        if self.dice.chance(200_000) {
            stick.truncate(self.dice.below(stick.len() as u64 + 1) as usize);
        }
        self.tell(|| format!("{n} reads a stick of {}", stick.len()));
        for (mut bytes, written) in stick {
            if !bytes.is_empty() && self.dice.chance(60_000) {
                let place = self.dice.below(bytes.len() as u64) as usize;
                bytes[place] ^= 1 << self.dice.below(8);
            }
            self.read_from_stick(n, bytes, written)?;
        }
        Ok(())
    }

    fn read_from_stick(&mut self, n: usize, bytes: Vec<u8>, written: DtnTime) -> Checked {
        let Ok(parsed) = Unverified::parse(bytes) else { return Ok(()) };
        let (id, hops) = (parsed.id(), parsed.hops());
        let agent = self.agent(n);
        let (is_known, wall) = (agent.turns_away(&id), agent.at().trusted_wall());
        let lay = wall.map_or(0, |wall| wall.0.saturating_sub(written.0));
        let hops = Hops { age: hops.age.saturating_add(Millis(lay)), ..hops };
        let transit = Transit { hops, copies: 1, is_answer: false };
        self.counts.from_files += 1;
        if is_known {
            return self.input(n, Input::Duplicate { from: STICK, transit, id });
        }
        let Ok((bundle, _)) = parsed.verify() else { return Ok(()) };
        let size_bytes = self.weights.get(&id).copied().unwrap_or(bundle.encoded_len() as u32);
        self.input(n, Input::Bundle { from: STICK, transit, bundle: Arc::new(bundle), size_bytes })
    }
}
