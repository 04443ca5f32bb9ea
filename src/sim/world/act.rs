//! A driver's duty: give an agent its input, commit what it says, do what it asks.

use std::sync::Arc;

use super::World;
use super::catalog::Entry;
use super::log::Step;
use super::shelf::Place;
use crate::agent::change::{Change, Class, Row};
use crate::agent::io::{Event, Input, Output};
use crate::bundle::{Bundle, Kind};
use crate::frame::{Frame, Grade, Transit};
use crate::sim::link::{Parcel, Transfer};

impl World<'_> {
    /// Gives one input to one agent, and does what comes out, until nothing is due.
    pub(super) fn input(&mut self, node: u32, input: Input) {
        if !self.nodes[node as usize].is_on {
            return;
        }
        let at = self.nodes[node as usize].moment(self.now_us);
        let mut outputs = std::mem::take(&mut self.outputs);
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let agent = &mut self.nodes[node as usize].agent;
            agent.handle(at, input, &mut outputs);
            loop {
                match agent.next_timeout() {
                    Some((due, _)) if due <= at.now => agent.handle(at, Input::Timeout, &mut outputs),
                    Some((due, _)) => break self.timers.set(node, due.0.saturating_mul(1_000)),
                    None => break,
                }
            }
            for output in outputs.drain(..) {
                next = self.perform(node, output).or(next);
            }
        }
        self.outputs = outputs;
    }

    /// Gives what has arrived to its receiver.
    pub(super) fn arrive(&mut self, transfer: Transfer) {
        let Transfer { from, to, bytes, parcel } = transfer;
        let name = self.roster.name(from);
        match parcel {
            Parcel::Frame(frame) => {
                self.log.add(self.now_us, Step::Frame, from, to, bytes);
                self.tally.arrived(from, to, bytes, None);
                self.input(to, Input::Frame { from: name, frame });
            }
            Parcel::Bundle { bundle, transit } => {
                self.log.add(self.now_us, Step::Bundle, from, to, bundle.into());
                let entry = self.catalog.entry(bundle);
                self.tally.arrived(from, to, bytes, Some(entry));
                let (bundle, size_bytes) = (Arc::clone(&entry.bundle), entry.size_bytes);
                self.input(to, Input::Bundle { from: name, transit, bundle, size_bytes });
            }
        }
    }

    /// Does one thing; returns the input that answers it.
    fn perform(&mut self, node: u32, output: Output) -> Option<Input> {
        match output {
            Output::Commit(change) => self.commit(node, change),
            Output::Seal { token, draft } => {
                self.log.add(self.now_us, Step::Seal, node, 0, token);
                let payload: Arc<[u8]> = token.to_be_bytes().into();
                let size_bytes = u32::try_from(self.loaded.messages[token as usize].size).unwrap_or(u32::MAX);
                debug_assert_eq!(draft.kind, Kind::Message, "only messages are sealed");
                return Some(Input::Sealed { token, payload, size_bytes });
            }
            Output::Send { to, frame } => {
                let to = self.roster.number(&to);
                self.send(node, to, frame);
            }
            Output::Forward { to, transit, row, .. } => {
                let to = self.roster.number(&to);
                self.forward(node, to, transit, row);
            }
            Output::Report(event) => self.note(node, event),
            // Whoever is in reach is met anyway, and nobody sits before these inboxes.
            Output::Dial(_) | Output::Notify(_) => {}
        }
        None
    }

    fn commit(&mut self, node: u32, change: Change) {
        match change {
            Change::Hold { held, bundle } => {
                let number = self.catalog.number(&held.id);
                let number = number.unwrap_or_else(|| self.first_seen(bundle, held.size_bytes));
                self.tally.held(node, self.catalog.entry(number));
                let in_custody = held.grade == Grade::Custody && held.class != Class::Own;
                let place = Place { bundle: number, in_custody, since_us: self.now_us };
                self.nodes[node as usize].shelf.put(held.row, place);
                self.log.add(self.now_us, Step::Hold, node, number, held.row.0);
            }
            Change::Forget { row } => {
                if let Some(place) = self.nodes[node as usize].shelf.take(row) {
                    self.tally.let_go(node, self.catalog.entry(place.bundle), place, self.now_us);
                }
                self.log.add(self.now_us, Step::Forget, node, 0, row.0);
            }
            _ => self.log.add(self.now_us, Step::Commit, node, 0, 0),
        }
    }

    /// Takes a bundle into the catalog, once its bytes read back as what was signed.
    fn first_seen(&mut self, bundle: Arc<Bundle>, size_bytes: u32) -> u32 {
        let read = Bundle::decode(bundle.bytes()).expect("agents make bundles that others accept").0;
        assert_eq!(read.id, bundle.id, "a bundle reads back as itself");
        let message = self.queued.take_if(|(id, _)| *id == bundle.id).map(|(_, message)| message);
        self.tally.counters.receipts_created += u64::from(bundle.kind == Kind::Receipt);
        self.catalog.add(Entry { bundle, size_bytes, message })
    }

    fn send(&mut self, from: u32, to: u32, frame: Frame) {
        if !self.reach.talks(from, to) {
            return;
        }
        let bytes = frame.encoded_len() as u64;
        self.log.add(self.now_us, Step::Send, from, to, bytes);
        self.links.send(Transfer { from, to, bytes, parcel: Parcel::Frame(frame) }, self.now_us);
    }

    fn forward(&mut self, from: u32, to: u32, transit: Transit, row: Row) {
        let number = self.nodes[from as usize].shelf.place(row).expect("what is forwarded is held").bundle;
        let entry = self.catalog.entry(number);
        let is_own = entry.bundle.source == self.roster.name(from);
        if !self.reach.talks(from, to) || !is_own && !self.nodes[from as usize].forwards() {
            return;
        }
        let bytes = u64::from(entry.size_bytes);
        self.log.add(self.now_us, Step::Forward, from, to, number.into());
        self.links.send(Transfer { from, to, bytes, parcel: Parcel::Bundle { bundle: number, transit } }, self.now_us);
    }

    fn note(&mut self, node: u32, event: Event) {
        match event {
            Event::Queued { token, id } => self.queued = Some((id, token as u32)),
            Event::Accepted { id, from } => {
                self.log.add(self.now_us, Step::Accepted, node, 0, id.prefix());
                let from = self.roster.number(&from);
                if let Some(entry) = self.catalog.find(&id) {
                    self.tally.accepted(entry, from, node, self.now_us);
                }
            }
            Event::Delivered { id, .. } => {
                self.log.add(self.now_us, Step::Delivered, node, 0, id.prefix());
                let hops = self.nodes[node as usize].agent.letter(&id).map_or(0, |letter| letter.hops.count);
                if let Some(entry) = self.catalog.find(&id) {
                    self.tally.delivered(entry, hops.into(), self.now_us);
                }
            }
            Event::Refused { id, .. } => {
                self.log.add(self.now_us, Step::Refused, node, 0, id.prefix());
                if let Some(entry) = self.catalog.find(&id) {
                    self.tally.refused(entry);
                }
            }
            Event::Gone { id, why } => {
                self.log.add(self.now_us, Step::Gone, node, why as u32, id.prefix());
                if let Some(entry) = self.catalog.find(&id) {
                    self.tally.gone(entry, why);
                }
            }
            Event::Misbehaved { what, .. } => {
                self.tally.misbehaved += 1;
                debug_assert!(false, "node {node} says of an honest one: {what}");
            }
            Event::NotSent { token, .. } => self.log.add(self.now_us, Step::NotSent, node, 0, token),
            Event::Status { id, .. } => self.log.add(self.now_us, Step::Status, node, 0, id.prefix()),
        }
    }
}
