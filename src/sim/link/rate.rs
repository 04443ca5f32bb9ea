//! Links of so many bytes a second.
//!
//! A transfer keeps busy what the scenario says: a link, one way of it, or both radios. While something is busy, what
//! waits for it queues, frames before bundles and otherwise in the order of sending. A transfer that is lost takes its
//! time and begins again, because the streams of a real contact lose nothing either; a contact that ends cuts it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::{Cut, Fate, Parcel, Transfer};
use crate::sim::random::Stream;
use crate::sim::scenario::{Duplex, Rated, Sharing};
use crate::time::Timestamp;

#[derive(Debug)]
pub struct Rate {
    rated: Rated,
    seed: u64,
    lines: Vec<Line>,
    unused: Vec<u32>,
    /// By node, up to the largest that was ever here.
    radios: Vec<Radio>,
    /// When each transfer under way arrives: time, number, line, way.
    due: BinaryHeap<Reverse<(u64, u64, u32, usize)>>,
    numbers: u64,
    /// Places where something may be able to begin: nodes where radios are shared, else lines.
    restless: VecDeque<u32>,
    is_restless: Vec<bool>,
}

/// What a node sends and receives with.
#[derive(Debug, Default)]
struct Radio {
    /// Open lines by peer, in order.
    lines: Vec<(u32, u32)>,
    /// Whether it does; both at once for a half-duplex one.
    sends: bool,
    receives: bool,
    losses: Option<Box<Stream>>,
}

/// A node's radio on its way to other links, with its lines to peers of larger numbers and all that is under way there.
#[derive(Debug, Default)]
pub struct Moved {
    radio: Radio,
    lines: Vec<Line>,
    /// Where its links were in their count: what comes after gets larger numbers.
    numbers: u64,
}

/// A link between two nodes: way 0 goes from the first to the second.
#[derive(Debug, Default)]
struct Line {
    ends: [u32; 2],
    ways: [Way; 2],
}

#[derive(Debug, Default)]
struct Way {
    frames: VecDeque<Waiting>,
    bundles: VecDeque<Waiting>,
    moving: Option<Waiting>,
    /// When what moves arrives.
    due_us: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    since_us: u64,
    transfer: Transfer,
}

/// What goes first: frames before bundles, then in the order of sending.
type Order = (bool, u64);

impl Rate {
    pub fn new(rated: Rated, seed: u64) -> Rate {
        Rate {
            rated,
            seed,
            lines: Vec::new(),
            unused: Vec::new(),
            radios: Vec::new(),
            due: BinaryHeap::new(),
            numbers: 0,
            restless: VecDeque::new(),
            is_restless: Vec::new(),
        }
    }

    pub fn setup_us(&self) -> u64 {
        self.rated.setup_us
    }

    pub fn open(&mut self, a: u32, b: u32) {
        self.put_line(Line { ends: [a, b], ..Line::default() });
    }

    pub fn close(&mut self, a: u32, b: u32) -> Cut {
        let line = self.line(a, b);
        let mut cut = Cut::default();
        for way in 0..2 {
            if let Some(moving) = self.lines[line as usize].ways[way].moving.take() {
                self.release(line, way);
                cut.moving.push(moving.transfer);
            }
        }
        for (node, peer) in [(a, b), (b, a)] {
            self.radios[node as usize].lines.retain(|(other, _)| *other != peer);
        }
        self.take_line(line);
        cut
    }

    fn put_line(&mut self, line: Line) -> u32 {
        let [a, b] = line.ends;
        let at = self.unused.pop().unwrap_or(self.lines.len() as u32);
        if at as usize == self.lines.len() {
            self.lines.push(Line::default());
        }
        self.lines[at as usize] = line;
        for (node, peer) in [(a, b), (b, a)] {
            let lines = &mut self.radios[node as usize].lines;
            let place = lines.binary_search_by_key(&peer, |line| line.0).expect_err("a link is opened once");
            lines.insert(place, (peer, at));
        }
        at
    }

    fn take_line(&mut self, line: u32) -> Line {
        self.unused.push(line);
        std::mem::take(&mut self.lines[line as usize])
    }

    /// Takes in a node and what is under way on its lines; the peers on them come or came as well.
    pub fn enter(&mut self, node: u32, moved: Moved) {
        let Moved { radio, lines, numbers } = moved;
        self.numbers = self.numbers.max(numbers);
        let largest = lines.iter().map(|line| line.ends[1]).max().unwrap_or(node).max(node);
        if self.radios.len() <= largest as usize {
            self.radios.resize_with(largest as usize + 1, Radio::default);
        }
        let lines_before = std::mem::take(&mut self.radios[node as usize].lines);
        self.radios[node as usize] = Radio { lines: lines_before, ..radio };
        for line in lines {
            let at = self.put_line(line);
            for (way, Way { moving, due_us, .. }) in self.lines[at as usize].ways.iter().enumerate() {
                self.due.extend(moving.iter().map(|moving| Reverse((*due_us, moving.number, at, way))));
            }
        }
    }

    /// Gives a node up. All that have something under way together leave together.
    pub fn leave(&mut self, node: u32) -> Moved {
        let radio = std::mem::take(&mut self.radios[node as usize]);
        let own = radio.lines.iter().filter(|(peer, _)| *peer > node);
        let lines = own.map(|(_, line)| self.take_line(*line)).collect();
        Moved { radio: Radio { lines: Vec::new(), ..radio }, lines, numbers: self.numbers }
    }

    /// Forgets when things were due on lines that are gone, once all are.
    pub fn clear(&mut self) {
        assert!(self.restless.is_empty(), "what can begin at an instant has begun by its end");
        self.due.clear();
        self.lines.clear();
        self.unused.clear();
    }

    pub fn send(&mut self, transfer: Transfer, now_us: u64) {
        let line = self.line(transfer.from, transfer.to);
        let way = self.way(line, transfer.from);
        let waiting = Waiting { number: self.number(), since_us: now_us, transfer };
        let Way { frames, bundles, .. } = &mut self.lines[line as usize].ways[way];
        match waiting.transfer.parcel {
            Parcel::Frame(_) => frames.push_back(waiting),
            Parcel::Bundle { .. } => bundles.push_back(waiting),
        }
        self.stir(line);
    }

    /// Whether a bundle is under way from one node to another.
    pub fn moves(&self, from: u32, to: u32) -> bool {
        let Some(place) = self.radios[from as usize].lines.binary_search_by_key(&to, |line| line.0).ok() else {
            return false;
        };
        let line = self.radios[from as usize].lines[place].1;
        let way = &self.lines[line as usize].ways[self.way(line, from)];
        way.moving.as_ref().is_some_and(|moving| matches!(moving.transfer.parcel, Parcel::Bundle { .. }))
    }

    pub fn next_due_us(&self, now_us: u64) -> Option<u64> {
        if !self.restless.is_empty() {
            return Some(now_us);
        }
        self.due.peek().map(|Reverse((at_us, ..))| *at_us)
    }

    pub fn arrived(&mut self, now_us: u64, tell: &mut dyn FnMut(Fate, &Transfer)) -> Option<Transfer> {
        self.begin_what_can(now_us, tell);
        let Reverse((at_us, number, line, way)) = *self.due.peek()?;
        if at_us > now_us {
            return None;
        }
        self.due.pop();
        // A line that closed meanwhile has another transfer, or none.
        let moving = &mut self.lines[line as usize].ways[way].moving;
        let arrived = moving.take_if(|moving| moving.number == number)?;
        self.release(line, way);
        if self.is_lost(arrived.transfer.from) {
            tell(Fate::Lost, &arrived.transfer);
            let Way { frames, bundles, .. } = &mut self.lines[line as usize].ways[way];
            match arrived.transfer.parcel {
                Parcel::Frame(_) => frames.push_front(arrived),
                Parcel::Bundle { .. } => bundles.push_front(arrived),
            }
            return None;
        }
        Some(arrived.transfer)
    }

    fn is_lost(&mut self, from: u32) -> bool {
        let Rated { loss_per_million, .. } = self.rated;
        let losses = &mut self.radios[from as usize].losses;
        let stream = || Box::new(Stream::new(self.seed, "loss", from));
        loss_per_million > 0 && losses.get_or_insert_with(stream).chance(loss_per_million)
    }

    /// Begins transfers wherever nothing they need is busy, longest restless first.
    fn begin_what_can(&mut self, now_us: u64, tell: &mut dyn FnMut(Fate, &Transfer)) {
        while let Some(place) = self.restless.pop_front() {
            self.is_restless[place as usize] = false;
            while let Some((line, way)) = self.next_at(place) {
                self.begin(line, way, now_us, tell);
            }
        }
    }

    /// What goes next at a node, or on a line.
    fn next_at(&self, place: u32) -> Option<(u32, usize)> {
        let ways = |line: u32| [(line, 0), (line, 1)];
        let first = |candidates: &mut dyn Iterator<Item = (u32, usize)>| {
            let ready = candidates.filter_map(|(line, way)| {
                let order = self.lines[line as usize].ways[way].next_order()?;
                self.is_free(line, way).then_some((order, line, way))
            });
            ready.min().map(|(_, line, way)| (line, way))
        };
        match self.rated.sharing {
            Sharing::Link => first(&mut ways(place).into_iter()),
            Sharing::Host => first(&mut self.radios[place as usize].lines.iter().flat_map(|(_, line)| ways(*line))),
        }
    }

    fn is_free(&self, line: u32, way: usize) -> bool {
        let Line { ends, ways } = &self.lines[line as usize];
        let (from, to) = (ends[way] as usize, ends[1 - way] as usize);
        match (self.rated.sharing, self.rated.duplex) {
            (Sharing::Link, Duplex::Half) => ways.iter().all(|way| way.moving.is_none()),
            (Sharing::Link, Duplex::Full) => ways[way].moving.is_none(),
            (Sharing::Host, _) => !self.radios[from].sends && !self.radios[to].receives,
        }
    }

    fn begin(&mut self, line: u32, way: usize, now_us: u64, tell: &mut dyn FnMut(Fate, &Transfer)) {
        self.keep_busy(line, way, true);
        let number = self.number();
        let place = &mut self.lines[line as usize].ways[way];
        let waiting = place.frames.pop_front().or_else(|| place.bundles.pop_front());
        let mut moving = waiting.expect("only what waits begins");
        moving.number = number;
        if let Parcel::Bundle { transit, .. } = &mut moving.transfer.parcel {
            *transit = transit.after_waiting(Timestamp(moving.since_us / 1_000), Timestamp(now_us / 1_000));
            moving.since_us = now_us;
        }
        tell(Fate::Begun, &moving.transfer);
        let rate = u128::from(self.rated.bytes_per_second);
        let takes_us = (u128::from(moving.transfer.bytes) * 1_000_000).div_ceil(rate) as u64;
        (place.moving, place.due_us) = (Some(moving), now_us.saturating_add(takes_us));
        self.due.push(Reverse((place.due_us, number, line, way)));
    }

    fn release(&mut self, line: u32, way: usize) {
        self.keep_busy(line, way, false);
        self.stir(line);
    }

    fn keep_busy(&mut self, line: u32, way: usize, busy: bool) {
        let ends = self.lines[line as usize].ends;
        let (from, to) = (ends[way] as usize, ends[1 - way] as usize);
        (self.radios[from].sends, self.radios[to].receives) = (busy, busy);
        if self.rated.duplex == Duplex::Half {
            (self.radios[from].receives, self.radios[to].sends) = (busy, busy);
        }
    }

    /// Something about a line changed: what shares it may be able to begin.
    fn stir(&mut self, line: u32) {
        let ends = self.lines[line as usize].ends;
        let places: &[u32] = if self.rated.sharing == Sharing::Link { &[line] } else { &ends };
        for place in places {
            if self.is_restless.len() <= *place as usize {
                self.is_restless.resize(*place as usize + 1, false);
            }
            if !std::mem::replace(&mut self.is_restless[*place as usize], true) {
                self.restless.push_back(*place);
            }
        }
    }

    fn line(&self, a: u32, b: u32) -> u32 {
        let lines = &self.radios[a as usize].lines;
        let at = lines.binary_search_by_key(&b, |line| line.0).expect("only what is open is used");
        lines[at].1
    }

    fn way(&self, line: u32, from: u32) -> usize {
        usize::from(self.lines[line as usize].ends[0] != from)
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

impl Moved {
    /// When what moves on its lines arrives.
    pub fn due_us(&self) -> impl Iterator<Item = u64> + '_ {
        self.lines.iter().flat_map(|line| &line.ways).filter(|way| way.moving.is_some()).map(|way| way.due_us)
    }
}

impl Way {
    fn next_order(&self) -> Option<Order> {
        let frame = self.frames.front().map(|waiting| (false, waiting.number));
        frame.or_else(|| self.bundles.front().map(|waiting| (true, waiting.number)))
    }
}
