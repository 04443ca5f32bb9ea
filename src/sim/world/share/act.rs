//! A driver's duty: give an agent its input, commit what it says, do what it asks.

use std::collections::VecDeque;
use std::sync::Arc;

use super::here::is_of_here;
use super::receipts::is_of_receipt;
use super::{Share, of_token};
use crate::agent::STICK;
use crate::agent::change::{Change, Class, Row};
use crate::agent::io::{Event, Input, Output};
use crate::bundle::{Bundle, Ends, Kind};
use crate::frame::{Frame, Grade, Transit};
use crate::id::BundleId;
use crate::sim::catalog::Entry;
use crate::sim::link::{Parcel, Transfer};
use crate::sim::report::Move;
use crate::sim::world::common::{bytes_of, parts};
use crate::sim::world::count::Arrival;
use crate::sim::world::log::Step;
use crate::sim::world::shelf::Place;

impl Share<'_> {
    /// Gives one input to one agent, and does what comes out, until nothing is due.
    pub(super) fn input(&mut self, node: u32, input: Input) {
        let now_us = self.now_us;
        let state = self.node(node);
        if !state.is_on {
            return;
        }
        let at = state.moment(now_us);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let driver = &mut self.node(node).driver;
            driver.take(at, input);
            let due = driver.run_all_due(at);
            // No commit fails here, and so none has to come before all acts: each output is done in its turn.
            let batch = driver.flush();
            driver.committed(driver.handed_out());
            if let Some(due) = due {
                self.timers.set(node, due.0.saturating_mul(1_000));
            }
            for output in batch {
                self.perform(node, output, &mut inputs);
            }
            inputs.extend(self.to_drop.drain(..).map(Input::Drop));
            inputs.extend(self.next.drain(..));
        }
        for peer in std::mem::take(&mut self.to_renew) {
            self.renew(node, peer);
        }
    }

    /// Gives what has arrived to its receiver.
    pub(super) fn arrive(&mut self, transfer: Transfer) {
        let Transfer { from, to, bytes, parcel } = transfer;
        let name = self.common.roster.name(from);
        self.node(from).load.sent_bytes += bytes;
        self.node(to).load.received_bytes += bytes;
        match parcel {
            Parcel::Frame(frame) => {
                self.log.add(self.now_us, Step::Frame, from, to, bytes);
                self.count.arrived(bytes, None);
                self.input(to, Input::Frame { from: name, frame });
            }
            Parcel::Bundle { bundle: entry, transit } => {
                self.log.add(self.now_us, Step::Bundle, from, to, entry.bundle.id.prefix());
                self.count.arrived(bytes, Some(&entry));
                let (bundle, size_bytes) = (Arc::clone(&entry.bundle), entry.size_bytes);
                (self.recent, self.hops) = (Some(entry), transit.hops.count.into());
                let taker = self.common.roster.name(to);
                self.node(to).peers.took(from, &bundle, taker);
                self.input(to, Input::Bundle { from: name, transit, bundle, size_bytes });
            }
        }
    }

    /// Does one thing, and adds the inputs that answer it.
    fn perform(&mut self, node: u32, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Commit(change) => self.commit(node, change),
            Output::Seal { token, draft } => {
                self.log.add(self.now_us, Step::Seal, node, 0, token);
                if is_of_receipt(token) {
                    return inputs.push_back(self.seal_receipt(node, token, &draft));
                }
                if is_of_here(token) {
                    return inputs.push_back(self.seal_here(node, token, &draft));
                }
                let payload: Arc<[u8]> = token.to_be_bytes().into();
                let (message, part) = of_token(token);
                let size_bytes = u32::try_from(bytes_of(self.common.message(message), part)).unwrap_or(u32::MAX);
                debug_assert_eq!(draft.kind, Kind::Message, "only messages are sealed");
                inputs.push_back(Input::Sealed { token, payload, size_bytes });
            }
            Output::Again(rows) => {
                inputs.extend(rows.into_iter().filter_map(|(row, id)| self.held_again(node, row, id)));
                inputs.push_back(Input::HandedIn);
            }
            // Who reads files answers nobody.
            Output::Send { to: STICK, .. } => {}
            Output::Send { to, frame } => {
                let to = self.common.roster.number(&to);
                self.send(node, to, frame);
            }
            Output::Forward { to, transit, row, .. } => {
                let to = self.common.roster.number(&to);
                self.forward(node, to, transit, row);
            }
            Output::Renew(peer) => self.to_renew.push(self.common.roster.number(&peer)),
            Output::Report(event) => self.note(node, event),
            Output::Heard(bundle) => {
                self.log.add(self.now_us, Step::Delivered, node, 0, bundle.id.prefix());
                if bundle.destination.is_got() {
                    self.hear_receipt(node, &bundle);
                } else {
                    self.arrived(node, &bundle.id, self.hops);
                }
            }
            // Whoever is in reach is met anyway, and nobody sits before these inboxes.
            Output::Dial(_) | Output::Notify(_) | Output::File(_) => {}
        }
    }

    /// What is held in a row, to be handed in once more.
    fn held_again(&mut self, node: u32, row: Row, id: BundleId) -> Option<Input> {
        let node = self.node(node);
        let hops = node.driver.agent.held_one(&id)?.hops;
        let entry = &node.shelf.place(row).filter(|place| place.entry.bundle.id == id)?.entry;
        let (bundle, size_bytes) = (Arc::clone(&entry.bundle), entry.size_bytes);
        let transit = Transit { hops, copies: 0, is_answer: false };
        Some(Input::Bundle { from: STICK, transit, bundle, size_bytes })
    }

    fn commit(&mut self, node: u32, change: Change) {
        match change {
            Change::Hold { held, bundle } => {
                let entry = self.find(&held.id).unwrap_or_else(|| self.first_seen(bundle, held.size_bytes));
                let in_custody = held.grade == Grade::Custody && held.class != Class::Own;
                self.log.add(self.now_us, Step::Hold, node, 0, held.row.0);
                let since_us = self.now_us;
                let bundle = self.common.bundle_number(&entry);
                let (state, count) = self.counted(node);
                count.held(state, &entry, bundle);
                state.shelf.put(held.row, Place { entry, in_custody, since_us });
            }
            Change::Forget { row } => {
                self.log.add(self.now_us, Step::Forget, node, 0, row.0);
                let now_us = self.now_us;
                let (state, count) = self.counted(node);
                if let Some(place) = state.shelf.take(row) {
                    count.let_go(state, &place, now_us);
                    self.recent = Some(place.entry);
                }
            }
            _ => self.log.add(self.now_us, Step::Commit, node, 0, 0),
        }
    }

    pub(super) fn find(&mut self, id: &BundleId) -> Option<Arc<Entry>> {
        if self.recent.as_ref().is_none_or(|recent| recent.bundle.id != *id) {
            self.recent = self.common.catalog.find(id);
        }
        self.recent.clone()
    }

    /// Takes a bundle into the catalog, once its bytes read back as what was signed.
    fn first_seen(&mut self, bundle: Arc<Bundle>, size_bytes: u32) -> Arc<Entry> {
        let read = Bundle::decode(bundle.bytes()).expect("agents make bundles that others accept").0;
        assert_eq!(read.id, bundle.id, "a bundle reads back as itself");
        let token = self.queued.take_if(|(id, _)| *id == bundle.id).map(|(_, token)| of_token(token));
        self.count.counters.receipts_created += u64::from(bundle.kind == Kind::Receipt);
        let message = token.map(|(message, _)| message);
        let is_file = |message: u32| self.common.message(message).channel.is_file();
        let part = token.and_then(|(message, part)| is_file(message).then_some(part));
        self.common.catalog.add(Entry { bundle, size_bytes, message, part })
    }

    /// A bundle has reached somebody it is for.
    fn arrived(&mut self, node: u32, id: &BundleId, hops: u32) {
        let Some(entry) = self.find(id) else { return };
        let Some(first) = entry.message else { return self.hear_here(node, &entry.bundle) };
        let Some(message) = self.common.wanted_by(first, node) else { return };
        if let Some(part) = entry.part {
            self.count.counters.parts_delivered += 1;
            let of = parts(self.common.message(message));
            let is_whole = self.node(node).files.came(message, part, of);
            self.tell_here(node, first, message);
            if !is_whole {
                return;
            }
        }
        self.count.arrivals.push(Arrival { message, at_us: self.now_us, hops });
    }

    fn send(&mut self, from: u32, to: u32, frame: Frame) {
        if !self.node(from).peers.talks(to) {
            return;
        }
        let common = Arc::clone(&self.common);
        let frame = self.node(from).driven.says(frame, [from, to], &common.roster);
        let bytes = frame.encoded_len() as u64;
        self.log.add(self.now_us, Step::Send, from, to, bytes);
        self.links.send(Transfer { from, to, bytes, parcel: Parcel::Frame(frame) }, self.now_us);
    }

    fn forward(&mut self, from: u32, to: u32, transit: Transit, row: Row) {
        let [name, peer] = [from, to].map(|node| self.common.roster.name(node));
        let node = self.node(from);
        let bundle = Arc::clone(&node.shelf.place(row).expect("what is forwarded is held").entry);
        let is_own = bundle.bundle.source == name;
        if !node.peers.talks(to) || !is_own && !node.driven.forwards() {
            return;
        }
        let bytes = bundle.crossing_bytes(&transit, &Ends { from: name, to: peer }, node.peers.taken(to));
        self.log.add(self.now_us, Step::Forward, from, to, bundle.bundle.id.prefix());
        self.links.send(Transfer { from, to, bytes, parcel: Parcel::Bundle { bundle, transit } }, self.now_us);
    }

    fn note(&mut self, node: u32, event: Event) {
        match event {
            Event::Queued { token, id } if is_of_receipt(token) => self.receipt_queued(node, token, id),
            Event::Queued { token, .. } if is_of_here(token) => {}
            Event::Queued { token, id } => {
                self.queued = Some((id, token));
                let (message, part) = of_token(token);
                if self.common.message(message).channel.is_file() {
                    self.node(node).files.queued(id, message, part);
                }
            }
            Event::Accepted { id, from } => {
                self.log.add(self.now_us, Step::Accepted, node, 0, id.prefix());
                let from = match self.bearer {
                    Some(bearer) if from == STICK => bearer,
                    _ => self.common.roster.number(&from),
                };
                if let Some(entry) = self.find(&id) {
                    let (at_us, bundle) = (self.now_us, self.common.bundle_number(&entry));
                    let (state, count) = self.counted(node);
                    count.accepted(state, &entry, bundle, |message| Move { at_us, message, from, to: node });
                }
            }
            Event::Delivered { id, .. } => {
                self.log.add(self.now_us, Step::Delivered, node, 0, id.prefix());
                let hops = self.node(node).driver.step.record.letter(&id).map_or(0, |letter| letter.hops.count);
                self.arrived(node, &id, hops.into());
                self.owe(node, &id);
            }
            Event::Refused { id, .. } => {
                self.log.add(self.now_us, Step::Refused, node, 0, id.prefix());
                if let Some(entry) = self.find(&id) {
                    self.count.refused(&entry);
                }
            }
            Event::Gone { id, why } => {
                self.log.add(self.now_us, Step::Gone, node, why as u32, id.prefix());
                if let Some(entry) = self.find(&id) {
                    self.count.gone(&entry, why);
                    if entry.bundle.destination.is_got() && entry.bundle.source == self.common.roster.name(node) {
                        self.receipt_gone(node, &id, why);
                    }
                }
            }
            Event::Misbehaved { what, .. } => {
                self.count.misbehaved += 1;
                debug_assert!(false, "node {node} says of an honest one: {what}");
            }
            Event::NotSent { token, .. } if is_of_receipt(token) => self.receipt_not_sent(node, token),
            Event::NotSent { token, .. } if is_of_here(token) => self.node(node).files.not_told(token),
            Event::NotSent { token, .. } => self.log.add(self.now_us, Step::NotSent, node, 0, token),
            Event::Status { id, evidence } => {
                self.log.add(self.now_us, Step::Status, node, 0, id.prefix());
                if self.node(node).files.heard(&id, evidence.what) {
                    self.senders.insert(node);
                }
            }
        }
    }
}
