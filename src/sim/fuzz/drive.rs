//! A driver's duty, with a disk that may fail: inputs gather into batches, batches are committed, and only then acted on.

use std::sync::Arc;

use crate::agent::change::{Change, Row};
use crate::agent::{Event, Input, Output, STICK};
use crate::bundle::Ends;
use crate::driver::Said as _;
use crate::frame::{Transit, encode_folded};
use crate::id::{BundleId, NodeId};
use crate::store::Store;
use crate::time::HOUR;

use super::node::{FaultKind, Said};
use super::world::{Errand, World};
use super::{Checked, Promise, must};

impl World {
    /// Gives one input to one node, and does what comes of it.
    pub(super) fn input(&mut self, n: usize, input: Input) -> Checked {
        self.take(n, input)?;
        self.run_errands()
    }

    pub(super) fn run_errands(&mut self) -> Checked {
        while let Some(errand) = self.errands.pop_front() {
            match errand {
                Errand::Input(n, incarnation, input) if self.nodes[n].incarnation == incarnation => {
                    self.take(n, input)?
                }
                Errand::Input(..) => {}
                Errand::Part(a, b) => self.part(a, b)?,
                Errand::Renew(a, b) if self.is_linked(a, b) => {
                    self.part(a, b)?;
                    self.open(a, b)?;
                }
                Errand::Renew(..) => {}
            }
        }
        Ok(())
    }

    /// Gives one input to one node; what its acts lead to waits.
    pub(super) fn take(&mut self, n: usize, input: Input) -> Checked {
        if !self.nodes[n].is_on {
            return Ok(());
        }
        if let Input::CarryLimit(bytes) = input {
            // What an owner sets is still set after a restart.
            self.nodes[n].config.carry_bytes_max = bytes;
        }
        let input = self.take_part(n, input);
        let node = &mut self.nodes[n];
        node.driver.take(node.moment(self.now), input);
        let waits = self.is_stormy && self.plan.open_batches > 0 && self.dice.chance(self.plan.open_batches);
        if waits {
            return Ok(());
        }
        self.close(n);
        while self.nodes[n].ahead.len() > if self.is_stormy { self.plan.ahead } else { 0 } {
            self.commit(n)?;
        }
        Ok(())
    }

    /// Ends a batch: whatever is due now belongs to it.
    fn close(&mut self, n: usize) {
        if !self.nodes[n].is_on {
            return;
        }
        let node = &mut self.nodes[n];
        let at = node.moment(self.now);
        node.driver.run_all_due(at);
        self.discard_parts(n);
        let node = &mut self.nodes[n];
        let batch = node.driver.close(at.now);
        if !batch.is_empty() {
            node.ahead.push_back(batch);
        }
    }

    /// Closes and commits everything everywhere.
    pub(super) fn flush_all(&mut self) -> Checked {
        loop {
            for n in 0..self.nodes.len() {
                self.flush(n)?;
            }
            self.run_errands()?;
            if self.errands.is_empty() && self.nodes.iter().all(|node| node.is_settled()) {
                return Ok(());
            }
        }
    }

    pub(super) fn flush(&mut self, n: usize) -> Checked {
        self.close(n);
        while !self.nodes[n].ahead.is_empty() {
            self.commit(n)?;
        }
        Ok(())
    }

    /// Commits the oldest batch that waits, and performs its acts; or fails to.
    fn commit(&mut self, n: usize) -> Checked {
        let Some(batch) = self.nodes[n].ahead.pop_front() else { return Ok(()) };
        let has_changes = batch.iter().any(|said| said.change().is_some());
        let fault = if has_changes { self.fault(n) } else { None };
        match fault {
            Some(FaultKind::CutBefore) => {
                self.counts.batches_lost += 1;
                return self.power_cut(n);
            }
            Some(FaultKind::Fails) => return self.commit_failed(n),
            Some(FaultKind::CutAfter) => {
                self.apply(n, &batch)?;
                return self.power_cut(n);
            }
            None => {}
        }
        self.apply(n, &batch)?;
        self.check_agreement(n)?;
        batch.into_iter().try_for_each(|said| self.act(n, said.output().clone()))
    }

    /// The fault whose commit this is, if it is one's.
    fn fault(&mut self, n: usize) -> Option<FaultKind> {
        let fault = self.nodes[n].fault.as_mut()?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        self.nodes[n].fault.take().map(|fault| fault.what)
    }

    /// Makes a batch durable, and compares each change with what is true.
    fn apply(&mut self, n: usize, batch: &[Said]) -> Checked {
        for said in batch {
            if let Output::Heard(bundle) = said.output() {
                self.hears(n, bundle)?;
            }
            let (Some(change), taken) = (said.change(), &said.taken) else { continue };
            self.weigh(n, change);
            let node = &mut self.nodes[n];
            self.truth.committed(n, &node.disk, &node.config, taken, change, self.now, node.overcounted)?;
            node.disk.commit(std::slice::from_ref(change)).expect("memory does not fail");
            node.driver.step.record.apply(change);
            self.truth.check_limit(n, &node.disk, taken, change)?;
            self.count(change);
        }
        let node = &mut self.nodes[n];
        if node.ahead.is_empty() {
            node.driver.committed(node.driver.handed_out());
        }
        self.truth.check_batch(n, node.disk.model())
    }

    /// Notes what one's own bundles count, which everybody else is told with their bytes.
    fn weigh(&mut self, n: usize, change: &Change) {
        match change {
            Change::Hold { held, .. } if held.from.is_none() => drop(self.weights.insert(held.id, held.size_bytes)),
            Change::Deliver { letter, .. } if letter.from == self.nodes[n].id => {
                self.weights.insert(letter.id, letter.size_bytes);
            }
            _ => {}
        }
    }

    fn count(&mut self, change: &Change) {
        match change {
            Change::Deliver { letter, .. } => {
                self.counts.delivered += 1;
                self.counts.in_group += u64::from(letter.destination.has_members());
            }
            Change::Post { .. } => self.counts.messages += 1,
            Change::Owe { .. } => self.counts.evictions += 1,
            _ => {}
        }
    }

    fn check_agreement(&self, n: usize) -> Checked {
        let node = &self.nodes[n];
        if !node.is_settled() {
            return Ok(());
        }
        let (agent, disk) = (node.driver.agent.durable(), node.believed().without_filed());
        must(agent == disk, Promise::StoreAndAgentAgree, || {
            format!("{}: the agent has {agent:?}, the store {disk:?}", self.name(n))
        })?;
        let usage = node.driver.agent.usage();
        must(usage.bytes <= usage.quota_bytes, Promise::QuotaHolds, || {
            format!("{} carries {} of {} bytes", self.name(n), usage.bytes, usage.quota_bytes)
        })
    }

    /// Everything but the store is lost; the node comes back in a while.
    pub(super) fn power_cut(&mut self, n: usize) -> Checked {
        self.counts.crashes += 1;
        let off_ms = if self.dice.chance(500_000) { 0 } else { self.dice.below(3 * HOUR.0) };
        self.tell(|| format!("the power of {n} goes for {off_ms} ms"));
        self.nodes[n].switch_off(self.now + off_ms);
        for peer in self.peers(n) {
            self.errands.push_back(Errand::Part(n, peer));
        }
        Ok(())
    }

    pub(super) fn switch_on(&mut self, n: usize) -> Checked {
        self.tell(|| format!("{n} is on again"));
        self.nodes[n].switch_on(self.now);
        self.check_agreement_after_start(n)?;
        self.serve_again(n);
        self.input(n, Input::Timeout)
    }

    fn check_agreement_after_start(&self, n: usize) -> Checked {
        let (agent, disk) = (self.nodes[n].driver.agent.durable(), self.nodes[n].disk.model());
        must(agent == disk.clone().without_filed(), Promise::StoreAndAgentAgree, || {
            format!("{} starts with {agent:?}, the store has {disk:?}", self.name(n))
        })
    }

    /// Nothing of what ran ahead happened: contacts end, and the agent starts again from the store.
    fn commit_failed(&mut self, n: usize) -> Checked {
        self.counts.commits_failed += 1;
        self.tell(|| format!("a commit of {n} fails"));
        self.nodes[n].restore();
        for peer in self.peers(n) {
            self.errands.push_back(Errand::Part(n, peer));
        }
        self.serve_again(n);
        self.check_agreement_after_start(n)
    }

    fn act(&mut self, n: usize, output: Output) -> Checked {
        match output {
            // What is heard is kept in the commit that it came in.
            Output::Commit(_) | Output::Notify(_) | Output::File(_) | Output::Heard(_) | Output::Dial(_) => {}

            Output::Seal { token, draft } => {
                let payload: Arc<[u8]> = self.any_payload(n, token).into();
                let size_bytes = draft.encoded_len(payload.len()) as u32 + self.dice.below(3_000) as u32;
                let incarnation = self.nodes[n].incarnation;
                self.errands.push_back(Errand::Input(n, incarnation, Input::Sealed { token, payload, size_bytes }));
            }
            Output::Again(rows) => {
                let (incarnation, disk) = (self.nodes[n].incarnation, &self.nodes[n].disk);
                let hand_in = |(row, id): (Row, BundleId)| {
                    let held = disk.model().held.get(&row).filter(|held| held.id == id)?;
                    let (bundle, size_bytes) = (Arc::clone(disk.bundle(row)?), held.size_bytes);
                    let transit = Transit { hops: held.hops, copies: 0, is_answer: false };
                    Some(Input::Bundle { from: STICK, transit, bundle, size_bytes })
                };
                let inputs: Vec<Input> = rows.into_iter().filter_map(hand_in).chain([Input::HandedIn]).collect();
                self.errands.extend(inputs.into_iter().map(|input| Errand::Input(n, incarnation, input)));
            }
            Output::Send { to, frame } => {
                let Some(peer) = self.linked(n, to) else { return Ok(()) };
                if self.plan.is_hostile(n) {
                    return self.twist_frame(n, peer, frame);
                }
                self.truth.said(n, &frame)?;
                self.tell(|| format!("{n} says to {peer}: {}", told(&frame)));
                self.say(n, peer, &frame);
            }
            Output::Forward { to, transit, id, row } => {
                let disk = &self.nodes[n].disk;
                let Some(bundle) = disk.bundle(row).filter(|bundle| bundle.id == id).map(Arc::clone) else {
                    // Gone since; and of what is not gone there is a body.
                    let is_held = disk.model().held.get(&row).is_some_and(|held| held.id == id);
                    must(!is_held, Promise::StoreAndAgentAgree, || format!("{n} holds {id} without a body"))?;
                    let incarnation = self.nodes[n].incarnation;
                    self.errands.push_back(Errand::Input(n, incarnation, Input::Unreadable { to, id, row }));
                    return Ok(());
                };
                let Some(peer) = self.linked(n, to) else { return Ok(()) };
                if self.plan.is_hostile(n) {
                    return self.twist_bundle(n, peer, transit, &bundle);
                }
                self.truth.forwards(n, &bundle)?;
                self.tell(|| format!("{n} hands {id} to {peer}: {transit:?}"));
                let ends = Ends { from: self.nodes[n].id, to };
                let frame = encode_folded(&transit, &bundle, &ends, self.air.taken((peer, n)));
                self.put(n, peer, frame);
            }
            Output::Renew(peer) => {
                if let Some(peer) = self.linked(n, peer) {
                    self.errands.push_back(Errand::Renew(n, peer));
                }
            }
            Output::Report(event) => self.report(n, event)?,
        }
        Ok(())
    }

    fn report(&mut self, n: usize, event: Event) -> Checked {
        self.tell(|| format!("{n} reports {event:?}"));
        self.watch_custody(n, &event);
        let Event::Misbehaved { peer, what } = event else { return Ok(()) };
        let Some(m) = self.numbers.get(&peer).copied() else { return Ok(()) };
        let excused = self.plan.is_hostile(n) || self.plan.is_hostile(m) || !self.plan.is_clean();
        must(excused, Promise::HonestLooksHonest, || format!("{} says of {}: {what}", self.name(n), self.name(m)))?;
        if self.plan.parts {
            self.errands.push_back(Errand::Part(n, m));
        }
        Ok(())
    }

    fn linked(&self, n: usize, to: NodeId) -> Option<usize> {
        self.numbers.get(&to).copied().filter(|peer| self.is_linked(n, *peer))
    }
}

/// A frame in few words.
fn told(frame: &crate::frame::Frame) -> String {
    let mut text = format!("{frame:?}");
    if let Some((at, _)) = text.char_indices().nth(200) {
        text.truncate(at);
    }
    text
}
