//! Which nodes have to do with each other in a window, and which share takes them.

use super::script::{Cue, EvidenceKind};
use crate::sim::trace::Live;

/// Nobody: the node has nothing to do in this window.
pub const NOBODY: u32 = u32::MAX;

/// Parts nodes by the contacts that are up at the start of a window or begin in it.
#[derive(Debug)]
pub struct Parting {
    live: Live,
    /// A forest whose trees are the groups.
    parents: Vec<u32>,
    /// By group: how much happens in it.
    weights: Vec<u64>,
    /// By group: the share that takes it.
    shares: Vec<u32>,
    loads: Vec<u64>,
}

impl Parting {
    pub fn new(nodes: u32, shares: usize) -> Parting {
        let nodes = nodes as usize;
        Parting {
            live: Live::default(),
            parents: vec![0; nodes],
            weights: vec![0; nodes],
            shares: vec![NOBODY; nodes],
            loads: vec![0; shares],
        }
    }

    /// Fills `share_of` with each node's share, [`NOBODY`] where nothing happens near it.
    pub fn part(&mut self, cues: &[Cue], last_us: u64, wakes_us: &[u64], share_of: &mut [u32]) {
        (0..).zip(&mut self.parents).for_each(|(node, parent)| *parent = node);
        self.weights.fill(0);
        self.shares.fill(NOBODY);
        self.loads.fill(0);
        let Parting { live, parents, weights, .. } = self;
        live.pairs().for_each(|(a, b, _)| unite(parents, a, b));
        for cue in cues {
            if let EvidenceKind::Up { a, b } = cue.what {
                unite(parents, a, b);
            }
        }
        for cue in cues {
            weights[root(parents, cue.what.node()) as usize] += 1;
            match cue.what {
                EvidenceKind::Up { a, b } => drop(live.up(a, b, cue.at_us)),
                EvidenceKind::Down { a, b } => drop(live.down(a, b)),
                _ => {}
            }
        }
        for (node, wake_us) in (0..).zip(wakes_us) {
            weights[root(parents, node) as usize] += u64::from(*wake_us <= last_us);
        }
        for (node, share) in (0..).zip(share_of) {
            *share = self.share(node);
        }
    }

    /// The share of a node's group; the one with least to do where none has it yet.
    fn share(&mut self, node: u32) -> u32 {
        let group = root(&mut self.parents, node) as usize;
        if self.weights[group] > 0 && self.shares[group] == NOBODY {
            let least = (0..self.loads.len()).min_by_key(|share| self.loads[*share]).expect("a world has a share");
            self.shares[group] = least as u32;
            self.loads[least] += self.weights[group];
        }
        self.shares[group]
    }
}

fn root(parents: &mut [u32], node: u32) -> u32 {
    let mut node = node;
    while parents[node as usize] != node {
        // Halves the way for whoever comes next.
        parents[node as usize] = parents[parents[node as usize] as usize];
        node = parents[node as usize];
    }
    node
}

fn unite(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(at_us: u64, a: u32, b: u32) -> Cue {
        Cue { at_us, what: EvidenceKind::Up { a, b } }
    }

    fn parted(parting: &mut Parting, cues: &[Cue], wakes_us: &[u64]) -> Vec<u32> {
        let mut share_of = vec![0; wakes_us.len()];
        parting.part(cues, 99, wakes_us, &mut share_of);
        share_of
    }

    #[test]
    fn who_meets_in_a_window_or_met_before_it_is_in_one_share() {
        let mut parting = Parting::new(7, 2);
        let never = [u64::MAX; 7];
        let first = parted(&mut parting, &[up(1, 0, 1), up(2, 2, 3), up(3, 3, 4)], &never);
        assert_eq!(first[0], first[1]);
        assert!(first[2] == first[3] && first[3] == first[4] && first[0] != first[2], "{first:?}");
        assert_eq!(first[5..], [NOBODY; 2]);
        let then = parted(&mut parting, &[up(100, 1, 2)], &never);
        assert!(then[..5].iter().all(|share| *share == then[0] && *share != NOBODY), "{then:?}");
    }

    #[test]
    fn who_parted_before_is_free_and_what_is_due_counts() {
        let mut parting = Parting::new(4, 2);
        let never = [u64::MAX; 4];
        let down = Cue { at_us: 5, what: EvidenceKind::Down { a: 0, b: 1 } };
        let met = parted(&mut parting, &[up(1, 0, 1), down], &never);
        assert!(met[0] == met[1] && met[2] == NOBODY, "{met:?}");
        let rung = parted(&mut parting, &[], &[99, 99, 100, 7]);
        assert!(rung[0] != rung[1] && rung[2] == NOBODY && rung[3] != NOBODY, "{rung:?}");
    }
}
