//! Nobody waits for long: what an honest peer offers while the contact lasts, the other has or asks that peer for within
//! a bounded time, whatever hostile nodes offered before and keep back.

use std::collections::BTreeSet;

use crate::frame::{Frame, Grade, Incoming};
use crate::id::BundleId;
use crate::time::{HOUR, Millis, SECOND};

use super::world::World;
use super::{Checked, Promise, must};

/// For how long a peer may be waited for, whether it keeps things back or has no more right to hand them over.
const WAIT: Millis = Millis(30 * SECOND.0);
/// How often frames move meanwhile.
const BEAT: Millis = Millis(5 * SECOND.0);

const GRADES: [Grade; 3] = [Grade::Released, Grade::Copy, Grade::Custody];

/// What honest nodes said to each other of offers.
#[derive(Default)]
pub struct Waits {
    /// Who offered what to whom.
    offered: BTreeSet<(usize, usize, BundleId)>,
    /// Who was asked for what by whom.
    asked: BTreeSet<(usize, usize, BundleId)>,
    /// Who had no room or no use for what.
    refused: BTreeSet<(usize, BundleId)>,
}

impl World {
    /// Notes what one end of a contact says, while it is watched.
    pub(super) fn watch(&mut self, from: usize, to: usize, bytes: &[u8]) {
        if self.waits.is_some() {
            let now = self.now;
            self.tell(|| match Incoming::decode(bytes) {
                Ok(Incoming::Frame(frame)) => format!("ZZ {now} {from}->{to} {frame:?}"),
                Ok(Incoming::Bundle { bytes, .. }) => format!("ZZ {now} {from}->{to} BUNDLE {:?}", crate::bundle::Unverified::parse(bytes).map(|b| b.id())),
                Err(_) => format!("ZZ {from}->{to} garbage"),
            });
        }
        let is_honest = !self.plan.is_hostile(from);
        let with_honest = is_honest && !self.plan.is_hostile(to);
        let Some(waits) = self.waits.as_mut().filter(|_| is_honest) else { return };
        match Incoming::decode(bytes) {
            Ok(Incoming::Frame(Frame::Offer { ids })) if with_honest => {
                waits.offered.extend(ids.into_iter().map(|id| (from, to, id)))
            }
            Ok(Incoming::Frame(Frame::Take { ids })) => waits.asked.extend(ids.into_iter().map(|id| (to, from, id))),
            Ok(Incoming::Frame(Frame::Refused { id, .. })) => drop(waits.refused.insert((from, id))),
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
        for h in &hostile {
            there.iter().try_for_each(|n| self.open(*h, *n))?;
        }
        self.run_errands()?;
        self.settle()?;
        for h in &hostile {
            self.offer_all(*h);
        }
        self.settle()?;
        self.waits = Some(Waits::default());
        for pair in there.windows(2) {
            self.open(pair[0], pair[1])?;
        }
        self.run_errands()?;
        self.settle()?;
        // In a line nobody has more than two honest peers.
        let beats = WAIT.0 * (hostile.len() as u64 + 1) / BEAT.0 + 1;
        for _ in 0..beats {
            self.pass(BEAT)?;
            self.settle()?;
        }
        let waits = self.waits.take().unwrap_or_default();
        self.check_waits(&waits)?;
        for (a, b) in self.links.clone() {
            self.part(a, b)?;
        }
        self.flush_all()
    }

    fn check_waits(&mut self, waits: &Waits) -> Checked {
        let Waits { offered, asked, refused } = waits;
        self.counts.waited += offered.len() as u64;
        for wait in offered {
            let (by, to, id) = *wait;
            let has = |n: usize| self.agent(n).held_one(&id).is_some();
            let _had = GRADES.iter().any(|grade| self.truth.stored.contains(&(to, id, *grade)));
            let is_over = asked.contains(wait) || refused.contains(&(to, id)) || self.agent(to).knows(&id);
            let carries = self.agent(to).usage().quota_bytes > 0;
            must(is_over || !carries || !self.is_linked(by, to) || !has(by), Promise::NobodyWaits, || {
                format!("{by} offered {id} to {to}, which neither has it by now nor asked for it")
            })?;
        }
        Ok(())
    }
}
