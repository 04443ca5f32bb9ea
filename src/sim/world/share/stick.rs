//! Contacts over files: what one node puts on a stick as somebody sets out with it, another reads as it arrives.
//!
//! A contact goes both ways, as one who takes a stick along and brings another back at the same time. Nothing flows before
//! its end, and nobody hears what became of it but by receipts.

use std::sync::Arc;

use super::Share;
use crate::agent::{Input, STICK, Standing, Willing};
use crate::bundle::Hops;
use crate::frame::Transit;
use crate::id::NodeId;
use crate::sim::catalog::Entry;
use crate::time::Millis;

/// Bundles on a stick, and when they were written.
#[derive(Debug)]
pub struct Stick {
    written_us: u64,
    bundles: Vec<(Arc<Entry>, Hops)>,
}

/// How much of what is held one look goes through.
const LOOKS: usize = 4_096;

impl Share<'_> {
    /// Somebody sets out between two nodes, each of whom writes for the other, at most so many bytes.
    pub(super) fn set_out(&mut self, a: u32, b: u32, bytes_max: u64) {
        for (from, to) in [(a, b), (b, a)] {
            if self.node(from).is_on {
                let stick = self.write_stick(from, to, bytes_max);
                self.node(from).sticks.insert(to, stick);
            }
        }
    }

    fn write_stick(&mut self, from: u32, to: u32, bytes_max: u64) -> Stick {
        let (name, whom) = (self.common.roster.name(from), Some(self.common.roster.name(to)));
        let ids = self.willing(from, whom).into_iter().map(|willing| willing.id).collect::<Vec<_>>();
        let mut left_bytes = bytes_max;
        let (mut leaving, mut bundles) = (Vec::new(), Vec::new());
        for leaves in self.node(from).driver.agent.leaving(whom, &ids) {
            let node = self.node(from);
            let entry = Arc::clone(&node.shelf.place(leaves.row).expect("what leaves is held").entry);
            let goes = entry.bundle.source == name || node.driven.forwards();
            let Some(left) = left_bytes.checked_sub(leaves.size_bytes.into()).filter(|_| goes) else { continue };
            left_bytes = left;
            leaving.push(leaves.id);
            self.count.began(&entry);
            bundles.push((entry, leaves.hops));
        }
        self.input(from, Input::LeaveOnFiles(leaving));
        Stick { written_us: self.now_us, bundles }
    }

    /// All that would go, the first first.
    fn willing(&mut self, node: u32, whom: Option<NodeId>) -> Vec<Willing> {
        let (mut all, mut after): (Vec<Willing>, Option<Standing>) = (Vec::new(), None);
        loop {
            let (page, last) = self.node(node).driver.agent.willing(whom, after, LOOKS);
            all.extend(page);
            if last.is_none() {
                break;
            }
            after = last;
        }
        all.sort_unstable();
        all
    }

    /// Whoever set out between two nodes arrives; one that is off reads nothing.
    pub(super) fn come_to(&mut self, a: u32, b: u32) {
        for (from, to) in [(a, b), (b, a)] {
            let Some(stick) = self.node(from).sticks.remove(&to) else { continue };
            if self.node(to).is_on {
                self.bearer = Some(from);
                self.read_stick(from, to, stick);
                self.bearer = None;
            }
        }
    }

    fn read_stick(&mut self, from: u32, to: u32, stick: Stick) {
        let lay = Millis((self.now_us - stick.written_us) / 1_000);
        for (entry, hops) in stick.bundles {
            let hops = Hops { age: hops.age.saturating_add(lay), ..hops };
            let (id, bytes) = (entry.bundle.id, u64::from(entry.size_bytes));
            self.log.add(self.now_us, super::Step::Bundle, from, to, id.prefix());
            self.node(from).load.sent_bytes += bytes;
            self.node(to).load.received_bytes += bytes;
            self.count.arrived(bytes, Some(&entry));
            let transit = Transit { hops, copies: 1, is_answer: false };
            let input = match self.node(to).driver.agent.turns_away(&id) {
                true => Input::Duplicate { from: STICK, transit, id },
                false => {
                    let (bundle, size_bytes) = (Arc::clone(&entry.bundle), entry.size_bytes);
                    Input::Bundle { from: STICK, transit, bundle, size_bytes }
                }
            };
            (self.recent, self.hops) = (Some(entry), hops.count.into());
            self.input(to, input);
        }
    }
}
