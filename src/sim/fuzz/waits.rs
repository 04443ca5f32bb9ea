//! Nobody waits for long: what an honest peer offers while the contact lasts is asked of that peer within a bounded time,
//! whatever hostile nodes offered before and keep back.
//!
//! ```text
//! hostile nodes offer everything they heard of          the honest ask them first
//! the honest meet in a line, and offer what they have   each offer is noted when it arrives
//! time passes                                           every peer that was asked before may take its time, one after the other
//! an offer is settled by then                           its peer was asked, or the node has it, had it, or had no room
//! ```

use crate::agent::Event;
use crate::agent::io::Gone;
use crate::frame::{Frame, Incoming, Refusal};
use crate::id::BundleId;
use crate::time::{HOUR, Millis, SECOND};

use super::offers::Waits;
use super::world::World;
use super::{Checked, Promise, must};

/// How long one peer that was asked may keep the next one waiting: what the agent allows for many things asked at once.
const PATIENCE: Millis = Millis(30 * SECOND.0);
/// How often frames move meanwhile.
const BEAT: Millis = Millis(5 * SECOND.0);

impl World {
    /// Notes what one end of a contact hears, while it is watched.
    pub(super) fn watch(&mut self, from: usize, to: usize, bytes: &[u8]) {
        if self.plan.is_hostile(from) {
            return;
        }
        let (now, with_honest) = (self.now, !self.plan.is_hostile(to));
        let Some(waits) = &mut self.waits else { return };
        match Incoming::decode(bytes) {
            Ok(Incoming::Frame(Frame::Offer { ids })) if with_honest => ids.into_iter().for_each(|id| {
                waits.offered.entry((from, to, id)).or_insert(now);
            }),
            Ok(Incoming::Frame(Frame::Take { ids })) => waits.asked.extend(ids.into_iter().map(|id| (to, from, id))),
            _ => {}
        }
    }

    /// Notes what a node says of its custody, while it is watched.
    pub(super) fn watch_custody(&mut self, n: usize, event: &Event) {
        let Some(waits) = &mut self.waits else { return };
        match event {
            Event::Gone { id, why: Gone::Evicted | Gone::Expired } => drop(waits.left.insert((n, *id))),
            // Only that copy was of no use.
            Event::Refused { why: Refusal::Expired, .. } => {}
            Event::Refused { id, .. } => drop(waits.refused.insert((n, *id))),
            _ => {}
        }
    }

    /// Hostile nodes offer what they heard of to everybody; then the honest meet, one after the other in a line, and
    /// time passes.
    pub(super) fn wait_for_offers(&mut self, there: &[usize]) -> Checked {
        let hostile: Vec<usize> = (self.plan.nodes - self.plan.hostile..self.plan.nodes).collect();
        if hostile.is_empty() {
            return Ok(());
        }
        // What was evicted is not asked for again so soon.
        self.pass(HOUR)?;
        self.waits = Some(Waits::default());
        for h in &hostile {
            there.iter().try_for_each(|n| self.open(*h, *n))?;
        }
        self.run_errands()?;
        self.settle()?;
        hostile.iter().for_each(|h| self.offer_all(*h));
        self.settle()?;
        for pair in there.windows(2) {
            self.open(pair[0], pair[1])?;
        }
        self.run_errands()?;
        self.settle()?;
        // In a line there is one other honest peer.
        let wait_ms = PATIENCE.0 * (hostile.len() as u64 + 1) + BEAT.0;
        // What is handed over meanwhile is offered on.
        for _ in 0..2 * wait_ms / BEAT.0 {
            self.pass(BEAT)?;
            self.settle()?;
        }
        let waits = self.waits.take().unwrap_or_default();
        self.check_waits(&waits, wait_ms)?;
        for (a, b) in self.links.clone().into_keys() {
            self.part(a, b)?;
        }
        self.flush_all()
    }

    fn check_waits(&mut self, waits: &Waits, wait_ms: u64) -> Checked {
        let offered = waits.offered.iter().filter(|(_, at)| **at + wait_ms <= self.now);
        let offered: Vec<(usize, usize, BundleId)> = offered.map(|(offer, _)| *offer).collect();
        self.counts.waited += offered.len() as u64;
        for (by, to, id) in offered {
            let is_asked = waits.asked.contains(&(by, to, id));
            let is_over = waits.refused.contains(&(to, id)) || waits.left.contains(&(to, id));
            // What it let go just now it says with its next commit.
            let has_left = || self.agent(to).durable().departed.contains_key(&id);
            let carries = self.agent(to).usage().quota_bytes > 0;
            let can_ask = carries && self.is_linked(by, to) && self.agent(by).held_one(&id).is_some();
            must(
                is_asked || is_over || !can_ask || self.agent(to).knows(&id) || has_left(),
                Promise::NobodyWaits,
                || format!("{by} offered {id} to {to}, which neither has it by now nor asked for it"),
            )?;
        }
        Ok(())
    }
}
