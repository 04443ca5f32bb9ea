//! Nodes that meet by chance: each meets others at a given rate, more often those of its own community.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sim::random::Stream;
use crate::sim::trace::{Change, ContactEvent, Live};
use crate::sim::workload::Rate;

/// Meetings as Poisson processes, of each node with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meet {
    pub nodes: u32,
    /// How often a node meets somebody of its community.
    pub rate: Rate,
    /// How often a node meets somebody of another community; `None`: never.
    pub rate_across: Option<Rate>,
    /// 1 or more; node `n` belongs to community `n % communities`.
    pub communities: u32,
    /// Shortest and longest contact, both possible.
    pub length_us: (u64, u64),
}

/// What happens next, in order: contacts end before others begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    End { a: u32, b: u32 },
    Meeting { node: u32, across: bool },
}

impl Meet {
    /// The contacts, in order of time, without end.
    pub(super) fn events(&self, seed: u64) -> impl Iterator<Item = ContactEvent> + use<> {
        let meet = self.clone();
        let mut streams: Vec<[Stream; 2]> = (0..self.nodes)
            .map(|node| [Stream::new(seed, "meetings inside", node), Stream::new(seed, "meetings across", node)])
            .collect();
        let mut queue: BinaryHeap<Reverse<(u64, Next)>> = BinaryHeap::new();
        for node in 0..self.nodes {
            for across in [false, true] {
                let wait = meet.wait(across, &mut streams[node as usize][usize::from(across)]);
                queue.extend(wait.map(|wait| Reverse((wait, Next::Meeting { node, across }))));
            }
        }
        let mut live = Live::default();
        std::iter::from_fn(move || {
            loop {
                let Reverse((at_us, next)) = queue.pop()?;
                let (node, across) = match next {
                    Next::End { a, b } => {
                        live.down(a, b);
                        return Some(ContactEvent { at_us, change: Change::Down, a, b });
                    }
                    Next::Meeting { node, across } => (node, across),
                };
                let stream = &mut streams[node as usize][usize::from(across)];
                let wait = meet.wait(across, stream).unwrap_or(u64::MAX);
                let (peer, length_us) =
                    (meet.peer(node, across, stream), stream.between(meet.length_us.0, meet.length_us.1));
                queue.push(Reverse((at_us.saturating_add(wait), Next::Meeting { node, across })));
                let (a, b) = (node.min(peer), node.max(peer));
                // Who is together already cannot meet.
                if live.up(a, b, at_us).is_none() {
                    queue.push(Reverse((at_us + length_us.max(1), Next::End { a, b })));
                    return Some(ContactEvent { at_us, change: Change::Up, a, b });
                }
            }
        })
    }

    /// The time to the next meeting that a node begins: half of all it has, the others begin the rest.
    fn wait(&self, across: bool, stream: &mut Stream) -> Option<u64> {
        let rate = if across { self.rate_across.filter(|_| self.communities > 1)? } else { self.rate };
        let has_peers = across || self.nodes > self.communities;
        (rate.count > 0 && has_peers).then(|| stream.exponential(rate.mean_us().saturating_mul(2)).max(1))
    }

    /// Somebody else: of the same community, or of another. A community of one meets across instead.
    fn peer(&self, node: u32, across: bool, stream: &mut Stream) -> u32 {
        let home = node % self.communities;
        let members = (self.nodes - home).div_ceil(self.communities);
        if !across && members > 1 {
            let place = stream.below(u64::from(members) - 1) as u32;
            let skips_self = u32::from(place >= node / self.communities);
            return home + (place + skips_self) * self.communities;
        }
        loop {
            let peer = stream.below(self.nodes.into()) as u32;
            if peer != node && (peer % self.communities != home || !across) {
                return peer;
            }
        }
    }
}
