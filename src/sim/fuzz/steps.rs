//! One thing that happens in a fuzzed world.

use crate::agent::Input;
use crate::agent::change::{Person, Standing};
use crate::bundle::Priority;
use crate::eid::Eid;
use crate::id::BundleId;
use crate::time::{DAY, HOUR, MINUTE, Millis};

use super::Checked;
use super::crew::group;
use super::node::{Fault, FaultKind};
use super::plan::{KINDS, Kind, Walls};
use super::world::World;

/// Most messages of one world.
const MESSAGES_MAX: u64 = 40;

impl World {
    pub(super) fn take_step(&mut self) -> Checked {
        let kind = self.any_kind();
        let n = self.any_node();
        match kind {
            Kind::Send => self.send(n),
            Kind::Open => {
                let peer = self.any_node();
                self.open(n, peer)?;
                self.run_errands()
            }
            Kind::Part => {
                let peers = self.peers(n);
                let Some(peer) = self.any_of(&peers) else { return Ok(()) };
                self.part(n, peer)?;
                self.run_errands()
            }
            Kind::Move => {
                let frames = [1, 3, 30, 200][self.dice.below(4) as usize];
                self.move_frames(frames).map(drop)
            }
            Kind::Pass => {
                let span = [1, 100, MINUTE.0, 30 * MINUTE.0, 6 * HOUR.0][self.dice.below(5) as usize];
                let span = Millis(self.dice.below(span) + 1);
                self.tell(|| format!("{span} pass"));
                self.pass(span)
            }
            Kind::Flush => {
                self.flush(n)?;
                self.run_errands()
            }
            Kind::PowerCut if self.nodes[n].is_on => {
                self.power_cut(n)?;
                self.run_errands()
            }
            Kind::PowerCut => self.switch_on(n),
            Kind::CommitFault => {
                let whats = [FaultKind::CutBefore, FaultKind::CutAfter, FaultKind::Fails];
                let (after, what) = (self.dice.below(6) as u32, whats[self.dice.below(3) as usize]);
                self.nodes[n].fault = Some(Fault { after, what });
                Ok(())
            }
            Kind::Partition => self.partition(),
            Kind::Wall => self.jump(n),
            Kind::Space => {
                let free_bytes = [0, 4 << 20, 17 << 20, u64::MAX][self.dice.below(4) as usize];
                self.input(n, Input::Space { free_bytes })
            }
            Kind::CarryLimit if self.nodes[n].is_on => {
                let limit = [0, self.dice.below(30_000), 256 << 20][self.dice.below(3) as usize];
                self.tell(|| format!("{n} carries {limit} bytes from now on"));
                self.input(n, Input::CarryLimit(limit))
            }
            Kind::CarryLimit => Ok(()),
            Kind::Name => self.meet_person(n),
            Kind::Read => {
                let tell = self.dice.chance(700_000);
                self.of_letters(n, |id| Input::Read { id, tell })
            }
            Kind::Discard => self.of_letters(n, Input::Discard),
            Kind::Cancel => {
                let ids: Vec<BundleId> = self.record(n).sent().map(|outgoing| outgoing.id).collect();
                self.of(n, &ids, Input::Cancel)
            }
            Kind::Drop => {
                let ids: Vec<BundleId> = self.agent(n).held().map(|held| held.id).collect();
                self.of(n, &ids, Input::Drop)
            }
            Kind::Deed => {
                let hostile = self.plan.hostile as u64;
                let n = self.plan.nodes - 1 - self.dice.below(hostile) as usize;
                self.deed(n)
            }
            Kind::Publish => self.publish(n),
            Kind::Serve => self.serve(n),
            Kind::WriteStick => self.write_stick(n),
            Kind::ReadStick => self.read_stick(n),
            Kind::Act => {
                let hostile = self.plan.hostile as u64;
                let n = self.plan.nodes - 1 - self.dice.below(hostile) as usize;
                self.act_out(n)
            }
        }
    }

    fn any_kind(&mut self) -> Kind {
        let sum: u64 = self.plan.weights.iter().sum();
        let mut left = self.dice.below(sum);
        for ((kind, _), weight) in KINDS.iter().zip(self.plan.weights) {
            match left.checked_sub(weight) {
                None => return *kind,
                Some(rest) => left = rest,
            }
        }
        unreachable!("a number below the sum of the weights falls to one of them")
    }

    pub(super) fn any_node(&mut self) -> usize {
        self.dice.below(self.nodes.len() as u64) as usize
    }

    pub(super) fn any_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.dice.below(all.len() as u64) as usize])
    }

    /// Somebody writes to anybody, himself included.
    fn send(&mut self, n: usize) -> Checked {
        if self.counts.messages >= MESSAGES_MAX || !self.nodes[n].is_on {
            return Ok(());
        }
        let to = self.any_node();
        let span = [2 * MINUTE.0, HOUR.0, DAY.0, 9 * DAY.0][self.dice.below(4) as usize];
        let lifetime = Millis(span + self.dice.below(span));
        let priority = [Priority::Bulk, Priority::Normal, Priority::Urgent][self.dice.below(3) as usize];
        let copies = self.dice.chance(300_000).then(|| self.dice.between(1, 20) as u16);
        let token = self.nodes[n].next_token;
        self.nodes[n].next_token += 1;
        let to_group = self.any_for_group();
        let mailbox = Eid::mail(self.nodes[n].id);
        let destination = match to_group {
            true => group(),
            false if self.any_got(n, to) => Eid::got(self.nodes[to].id),
            false => Eid::mail(self.nodes[to].id),
        };
        self.tell(|| format!("{n} writes to {destination}, for {lifetime}"));
        self.input(n, Input::Submit { token, mailbox, destination, lifetime, priority, copies })
    }

    /// The world falls into two parts that do not hear each other, or becomes one again.
    fn partition(&mut self) -> Checked {
        let splits = self.dice.chance(600_000);
        for n in 0..self.nodes.len() {
            self.groups[n] = if splits { self.dice.below(2) as u8 } else { 0 };
        }
        let groups = self.groups.clone();
        self.tell(|| format!("who hears whom: {groups:?}"));
        for (a, b) in self.links.clone().into_keys() {
            if self.groups[a] != self.groups[b] {
                self.part(a, b)?;
            }
        }
        self.run_errands()
    }

    fn jump(&mut self, n: usize) -> Checked {
        let year = 365 * DAY.0 as i64;
        let years = self.dice.between(0, 20) as i64 - 10;
        let hours = self.dice.between(0, 288) as i64 - 144;
        let is_plausible = self.plan.walls == Walls::Any && self.dice.chance(500_000);
        let offset_ms = if is_plausible { hours * HOUR.0 as i64 } else { years * year };
        self.nodes[n].wall_offset = offset_ms;
        self.counts.clock_jumps += 1;
        self.tell(|| format!("the clock of {n} is off by {offset_ms} ms"));
        Ok(())
    }

    fn meet_person(&mut self, n: usize) -> Checked {
        let node = self.any_node();
        let node = self.nodes[node].id;
        let standings = [None, Some(Standing::Contact), Some(Standing::Contact), Some(Standing::Blocked)];
        let standing = standings[self.dice.below(4) as usize];
        let person = standing.map(|standing| Person { name: "somebody".into(), standing, verified: false });
        self.tell(|| format!("{n} takes {node} for {standing:?}"));
        self.input(n, Input::SetPerson { node, person })
    }

    fn of_letters(&mut self, n: usize, input: impl Fn(BundleId) -> Input) -> Checked {
        let ids: Vec<BundleId> = self.record(n).letters().map(|letter| letter.id).collect();
        self.of(n, &ids, input)
    }

    fn of(&mut self, n: usize, ids: &[BundleId], input: impl Fn(BundleId) -> Input) -> Checked {
        let Some(id) = self.any_of(ids) else { return Ok(()) };
        let input = input(id);
        self.tell(|| format!("the owner of {n}: {input:?}"));
        self.input(n, input)
    }
}
