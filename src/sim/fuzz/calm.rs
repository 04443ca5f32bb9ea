//! The faults stop: clocks are right, disks have room, nobody is hostile, and everybody meets everybody. What is owed
//! then must arrive within a few meetings; and long after, nothing is left of any of it but the rows.

use crate::agent::Input;
use crate::agent::change::{Class, What};
use crate::bundle::Kind;
use crate::id::BundleId;
use crate::time::{DAY, HOUR, MINUTE, Millis};

use super::truth::is_over_by_clock;
use super::world::World;
use super::{Checked, Promise, must};

/// Rounds in which everybody meets everybody until what is owed must have arrived.
const ROUNDS: u64 = 6;
/// Time between them.
const PAUSE: Millis = Millis(2 * MINUTE.0);
/// A life that ends within the rounds may end undelivered.
const LIFE_LEFT_MIN: Millis = HOUR;
/// Longer than anything is remembered.
const LONG_AFTER: Millis = Millis(80 * DAY.0);

/// A message that must arrive.
#[derive(Clone, Copy)]
struct Owed {
    from: usize,
    to: usize,
    id: BundleId,
}

impl World {
    pub(super) fn calm(&mut self) -> Checked {
        self.tell(|| "the faults stop".into());
        self.is_stormy = false;
        self.flush_all()?;
        let honest = self.plan.nodes - self.plan.hostile;
        for n in 0..self.nodes.len() {
            let node = &mut self.nodes[n];
            (node.fault, node.wall_offset, self.groups[n]) = (None, 0, 0);
            if !node.is_on {
                self.switch_on(n)?;
            }
            self.input(n, Input::Space { free_bytes: u64::MAX })?;
        }
        for (a, b) in self.links.clone() {
            self.part(a, b)?;
        }
        self.flush_all()?;
        let owed = self.owed(honest);
        self.counts.owed += owed.len() as u64;
        for _ in 0..ROUNDS {
            self.meet_all(honest)?;
        }
        for owed in owed {
            self.check_arrived(owed)?;
        }
        self.forget(honest)
    }

    /// What honest nodes hold of their own for honest nodes, with life left.
    fn owed(&self, honest: usize) -> Vec<Owed> {
        let mut owed = Vec::new();
        for from in 0..honest {
            let agent = self.agent(from);
            for held in agent.held().filter(|held| held.class == Class::Own && held.kind == Kind::Message) {
                let to = self.numbers.get(&held.destination.node).copied().filter(|to| *to < honest);
                let (Some(to), Some(outgoing)) = (to, agent.sent_one(&held.id)) else { continue };
                let created_ms = self.truth.taken.get(&(from, held.id)).map_or(0, |(at_ms, _)| *at_ms);
                let end_ms = created_ms.saturating_add(held.lifetime.0);
                let wall = self.nodes[to].wall(self.now + LIFE_LEFT_MIN.0);
                let lives = end_ms > self.now + LIFE_LEFT_MIN.0
                    && self.nodes[from].world_ms(held.expires) > self.now + LIFE_LEFT_MIN.0
                    && !is_over_by_clock(outgoing.creation, held.lifetime, wall);
                if lives {
                    owed.push(Owed { from, to, id: held.id });
                }
            }
        }
        owed
    }

    fn meet_all(&mut self, honest: usize) -> Checked {
        for a in 0..honest {
            for b in 0..a {
                self.open(a, b)?;
                self.run_errands()?;
                self.settle()?;
                self.part(a, b)?;
                self.flush_all()?;
            }
        }
        // Who reads his mail has room for more.
        for n in 0..honest {
            let ids: Vec<BundleId> = self.agent(n).letters().map(|letter| letter.id).collect();
            ids.into_iter().try_for_each(|id| self.input(n, Input::Discard(id)))?;
        }
        self.pass(PAUSE)
    }

    fn check_arrived(&self, Owed { from, to, id }: Owed) -> Checked {
        let state = self.agent(from).sent_one(&id).map(|outgoing| outgoing.state());
        let arrived = self.truth.rows.contains(&(to, id));
        let is_so = match state {
            Some(What::Delivered | What::Read) => arrived,
            Some(What::Rejected { .. }) => !arrived,
            _ => false,
        };
        must(is_so, Promise::EverythingArrives, || {
            let row = if arrived { "there is a row" } else { "no row" };
            format!("{id} from {from} to {to} is {state:?} after everybody met everybody; {row} at its destination")
        })
    }

    /// Every life and every memory ends.
    fn forget(&mut self, honest: usize) -> Checked {
        self.pass(LONG_AFTER)?;
        for n in 0..honest {
            let agent = self.agent(n);
            let (held, buried, due) = (agent.held().count(), agent.tombstones(), agent.next_timeout());
            must(held == 0 && buried == 0 && due.is_none(), Promise::NothingIsLeft, || {
                format!("{n} still holds {held}, remembers {buried} and waits for {due:?}")
            })?;
        }
        Ok(())
    }
}
