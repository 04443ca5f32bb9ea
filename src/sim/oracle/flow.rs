//! When a file can be whole at the earliest, where links carry so many bytes a second.
//!
//! Time is cut where contacts begin and end. In each stretch between, a link carries what it can in that time, either way,
//! and every node keeps what it has room for until the next: a network of flows over time (Ford and Fulkerson 1958), in which the file
//! is whole as soon as its bytes can have flowed. Bytes are taken as a fluid that is alone in the world, so nothing real is
//! earlier: frames, receipts, other mail and radios that do one thing at a time only make it later.

use std::collections::VecDeque;

use crate::sim::trace::{Change, ContactEvent};

/// Most stretches times nodes that are looked at; a larger world has no bound of this kind.
const PLACES_MAX: usize = 2_000_000;

const ENDLESS: u128 = u128::MAX >> 1;

/// A file on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    pub from: u32,
    pub to: u32,
    pub bytes: u64,
    pub create_us: u64,
}

/// What links carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipe {
    pub bytes_per_second: u64,
    /// From the start of a contact to its first byte.
    pub setup_us: u64,
    /// What a node carries for others; `None`: no bound.
    pub store_bytes: Option<u64>,
}

/// The earliest time at which all of a file can be at its end; `None` where it cannot, or where the world is too large to
/// tell.
pub fn earliest_us(nodes: u32, events: impl Iterator<Item = ContactEvent>, pipe: Pipe, file: Whole) -> Option<u64> {
    let links = links(events, pipe, file.create_us);
    let mut cuts: Vec<u64> = links.iter().flat_map(|link| [link.from_us, link.to_us]).collect();
    cuts.push(file.create_us);
    cuts.sort_unstable();
    cuts.dedup();
    if cuts.len().saturating_mul(nodes as usize) > PLACES_MAX {
        return None;
    }
    let mut net = Net::new(nodes, file, pipe.store_bytes);
    for stretch in cuts.windows(2) {
        let [from_us, to_us] = [stretch[0], stretch[1]];
        let open: Vec<(u32, u32)> = links
            .iter()
            .filter(|link| link.from_us <= from_us && to_us <= link.to_us)
            .map(|link| (link.a, link.b))
            .collect();
        let before = (!open.is_empty()).then(|| net.clone());
        net.pass(&open, pipe.bytes_per_second, to_us - from_us);
        if let (true, Some(before)) = (net.is_whole(), before) {
            // The more of the stretch is over, the more has flowed.
            let (mut low_us, mut high_us) = (0, to_us - from_us);
            while high_us - low_us > 1 {
                let middle_us = low_us + (high_us - low_us) / 2;
                let mut net = before.clone();
                net.pass(&open, pipe.bytes_per_second, middle_us);
                if net.is_whole() { high_us = middle_us } else { low_us = middle_us }
            }
            return Some(from_us + high_us);
        }
    }
    None
}

/// A contact while bytes can flow.
#[derive(Clone, Copy, Debug)]
struct Link {
    a: u32,
    b: u32,
    from_us: u64,
    to_us: u64,
}

fn links(events: impl Iterator<Item = ContactEvent>, pipe: Pipe, create_us: u64) -> Vec<Link> {
    let (mut open, mut links, mut end_us) = (std::collections::BTreeMap::new(), Vec::new(), create_us);
    let mut add = |(a, b), up_us: u64, to_us: u64| {
        let from_us = up_us.saturating_add(pipe.setup_us).max(create_us);
        if from_us < to_us {
            links.push(Link { a, b, from_us, to_us });
        }
    };
    for ContactEvent { at_us, change, a, b } in events {
        end_us = at_us;
        match change {
            Change::Up => drop(open.insert((a, b), at_us)),
            Change::Down => open.remove(&(a, b)).into_iter().for_each(|up_us| add((a, b), up_us, at_us)),
        }
    }
    open.into_iter().for_each(|(pair, up_us)| add(pair, up_us, end_us));
    links
}

/// Nodes over time, and what flows between them, in millionths of a byte.
#[derive(Clone)]
struct Net {
    nodes: usize,
    source: usize,
    target: usize,
    needed: u128,
    flowed: u128,
    store: u128,
    /// By place: where its edges lead, and what they still carry. Two edges that are one another's reverse stand at `n` and
    /// `n ^ 1`.
    edges: Vec<Edge>,
    by_place: Vec<Vec<usize>>,
}

#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    left: u128,
}

impl Net {
    /// The nodes as the file is written; its bytes are all at its start.
    fn new(nodes: u32, file: Whole, store_bytes: Option<u64>) -> Net {
        let nodes = nodes as usize;
        let needed = u128::from(file.bytes) * 1_000_000;
        let (source, target) = (file.from as usize, file.to as usize);
        let store = store_bytes.map_or(ENDLESS, |bytes| u128::from(bytes) * 1_000_000);
        Net { nodes, source, target, needed, flowed: 0, store, edges: Vec::new(), by_place: vec![Vec::new(); nodes] }
    }

    fn is_whole(&self) -> bool {
        self.flowed >= self.needed
    }

    /// Lets a stretch of time pass, in which these can exchange.
    fn pass(&mut self, open: &[(u32, u32)], bytes_per_second: u64, long_us: u64) {
        let first = self.by_place.len();
        self.by_place.resize(first + self.nodes, Vec::new());
        for node in 0..self.nodes {
            let is_end = [self.source, self.target].contains(&node);
            let keeps = if is_end { ENDLESS } else { self.store };
            self.join(first - self.nodes + node, first + node, [keeps, 0]);
        }
        if open.is_empty() {
            return;
        }
        let carries = u128::from(bytes_per_second) * u128::from(long_us);
        open.iter().for_each(|(a, b)| self.join(first + *a as usize, first + *b as usize, [carries, carries]));
        // What is there already stays there, so only what is still missing flows.
        while !self.is_whole()
            && let Some(path) = self.path(first + self.target)
        {
            let least = path.iter().map(|edge| self.edges[*edge].left).min().unwrap_or(0);
            let least = least.min(self.needed - self.flowed);
            for edge in path {
                self.edges[edge].left -= least;
                self.edges[edge ^ 1].left += least;
            }
            self.flowed += least;
        }
    }

    fn join(&mut self, a: usize, b: usize, [there, back]: [u128; 2]) {
        self.by_place[a].push(self.edges.len());
        self.by_place[b].push(self.edges.len() + 1);
        self.edges.push(Edge { to: b, left: there });
        self.edges.push(Edge { to: a, left: back });
    }

    /// The edges of a shortest way on which more can flow.
    fn path(&self, target: usize) -> Option<Vec<usize>> {
        let mut by = vec![usize::MAX; self.by_place.len()];
        let mut waiting = VecDeque::from([self.source]);
        while let Some(place) = waiting.pop_front() {
            for edge in &self.by_place[place] {
                let Edge { to, left } = self.edges[*edge];
                if left == 0 || to == self.source || by[to] != usize::MAX {
                    continue;
                }
                by[to] = *edge;
                if to == target {
                    return Some(self.back_from(target, &by));
                }
                waiting.push_back(to);
            }
        }
        None
    }

    fn back_from(&self, target: usize, by: &[usize]) -> Vec<usize> {
        let (mut path, mut place) = (Vec::new(), target);
        while place != self.source {
            path.push(by[place]);
            place = self.edges[by[place] ^ 1].to;
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::Trace;

    const PIPE: Pipe = Pipe { bytes_per_second: 1_000, setup_us: 0, store_bytes: None };

    fn earliest(trace: &str, pipe: Pipe, bytes: u64) -> Option<u64> {
        let trace = Trace::parse("t", trace.as_bytes(), None).unwrap();
        let file = Whole { from: 0, to: 2, bytes, create_us: 1_000_000 };
        earliest_us(trace.nodes, trace.events(), pipe, file)
    }

    #[test]
    fn a_file_is_whole_once_its_bytes_have_crossed_the_narrowest_contact() {
        let ferry =
            "2 CONN 0 1 up\n12 CONN 0 1 down\n20 CONN 1 2 up\n24 CONN 1 2 down\n40 CONN 1 2 up\n60 CONN 1 2 down\n";
        assert_eq!(earliest(ferry, PIPE, 3_000), Some(23_000_000));
        assert_eq!(earliest(ferry, PIPE, 4_000), Some(24_000_000));
        assert_eq!(earliest(ferry, PIPE, 4_001), Some(40_001_000));
        assert_eq!(earliest(ferry, PIPE, 10_000), Some(46_000_000));
        assert_eq!(earliest(ferry, PIPE, 10_001), None, "more than the first contact carries");
        assert_eq!(earliest(ferry, Pipe { setup_us: 500_000, ..PIPE }, 3_500), Some(24_000_000));
        assert_eq!(
            earliest(ferry, Pipe { store_bytes: Some(3_000), ..PIPE }, 3_001),
            None,
            "more than the ferry has room for"
        );
    }

    #[test]
    fn two_ways_carry_more_than_one_and_a_chain_no_more_than_its_links() {
        let two = "2 CONN 0 1 up\n2 CONN 1 2 up\n2 CONN 0 3 up\n2 CONN 2 3 up\n99 CONN 0 1 down\n";
        assert_eq!(earliest(two, PIPE, 10_000), Some(7_000_000));
        let chain = "2 CONN 0 1 up\n2 CONN 1 2 up\n99 CONN 0 1 down\n";
        assert_eq!(earliest(chain, PIPE, 10_000), Some(12_000_000));
    }
}
