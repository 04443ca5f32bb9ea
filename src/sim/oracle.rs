//! The best that any strategy could do: each message's earliest possible arrival over the contacts.
//!
//! Transfers take no time and stores have no bounds, so at every instant all nodes of a connected component know the same
//! messages (a foremost journey, Bui-Xuan et al. 2003). One pass over the events keeps, per node, one bit a message; a
//! contact that opens or a message that is written joins the sets of its component. At one instant contacts end first,
//! then others open, then messages are written; what is written while a contact lasts crosses it at once.
//!
//! A lifetime is a ceiling on the delay: an arrival after exactly the lifetime still counts, as a bundle's life ends only
//! after everything else of its last instant. Lives are told in whole milliseconds, as
//! agents tell them: instants are cut to theirs, a lifetime is rounded up.
//!
//! Where files are taken along, nothing is known at both ends at once: what is known where somebody sets out is known at the
//! other end as that one arrives. A file that takes time is more than its last part: [`flow`] has the bound for it.
//!
//! Nothing here counts hops, and no agent lets their number end anything ([`HOP_LIMIT`](crate::bundle::HOP_LIMIT)).

pub mod flow;

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::sim::seconds::Seconds;
use crate::sim::trace::{Change, ContactEvent, Quantiles};
use crate::sim::workload::Message;

/// When a message can arrive, in microseconds of the run; `None` where it cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Over any number of hops.
    pub earliest_us: Option<u64>,
    /// From its source's own hands.
    pub direct_us: Option<u64>,
}

/// How what is known gets from one end of a contact to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Travel {
    /// At once, as long as the contact lasts.
    AtOnce,
    /// With one who sets out as the contact begins and arrives as it ends.
    Carried,
}

/// Finds the arrivals of `messages`, ordered by creation, over `events` in their order.
///
/// With a lifetime, later arrivals than `create_us + lifetime_us` are `None`.
///
/// # Panics
/// Where messages are out of order, or name a node that is not among `nodes`.
pub fn solve(
    nodes: u32,
    events: impl Iterator<Item = ContactEvent>,
    messages: &[Message],
    lifetime_us: Option<u64>,
) -> Vec<Arrival> {
    solve_for(Travel::AtOnce, nodes, events, messages, lifetime_us)
}

/// The same for one way to travel.
///
/// # Panics
/// As [`solve`] does.
pub fn solve_for(
    travel: Travel,
    nodes: u32,
    events: impl Iterator<Item = ContactEvent>,
    messages: &[Message],
    lifetime_us: Option<u64>,
) -> Vec<Arrival> {
    assert!(messages.is_sorted_by_key(|message| message.create_us), "messages come in order of creation");
    let mut pass = Pass::new(travel, nodes, messages, lifetime_us);
    let mut events = events.peekable();
    loop {
        let next_event_us = events.peek().map(|event| event.at_us);
        let next_create_us = messages.get(pass.created).map(|message| message.create_us);
        let Some(now_us) = next_event_us.into_iter().chain(next_create_us).min() else { break };
        while let Some(event) = events.next_if(|event| event.at_us == now_us) {
            pass.change(event);
        }
        while messages.get(pass.created).is_some_and(|message| message.create_us == now_us) {
            pass.create();
        }
        pass.spread(now_us);
    }
    pass.arrivals
}

struct Pass<'a> {
    travel: Travel,
    messages: &'a [Message],
    lifetime_us: u64,
    arrivals: Vec<Arrival>,
    created: usize,
    /// Messages before this one have arrived or are past their life: their words are never looked at again.
    settled: usize,
    words: usize,
    /// One bit a message, `words` words a node.
    known: Vec<u64>,
    reach: Vec<Vec<u32>>,
    /// Nodes whose component may have something to share at this instant.
    touched: Vec<u32>,
    /// By pair: the messages that wait for it to meet.
    direct: BTreeMap<(u32, u32), Vec<usize>>,
    /// By where it set out and where it goes: what is on its way.
    carried: BTreeMap<(u32, u32), Vec<u64>>,
    /// The number of the search that saw a node last.
    seen: Vec<u64>,
    search: u64,
}

impl<'a> Pass<'a> {
    fn new(travel: Travel, nodes: u32, messages: &'a [Message], lifetime_us: Option<u64>) -> Pass<'a> {
        let (nodes, words) = (nodes as usize, messages.len().div_ceil(64));
        Pass {
            travel,
            messages,
            lifetime_us: lifetime_us.unwrap_or(u64::MAX),
            arrivals: vec![Arrival::default(); messages.len()],
            created: 0,
            settled: 0,
            words,
            known: vec![0; nodes * words],
            reach: vec![Vec::new(); nodes],
            touched: Vec::new(),
            direct: BTreeMap::new(),
            carried: BTreeMap::new(),
            seen: vec![0; nodes],
            search: 0,
        }
    }

    fn change(&mut self, event: ContactEvent) {
        let ContactEvent { at_us, change, a, b } = event;
        if self.travel == Travel::Carried {
            return [(a, b), (b, a)].into_iter().for_each(|(from, to)| match change {
                Change::Up => self.set_out(from, to),
                Change::Down => self.come_to(from, to, at_us),
            });
        }
        match change {
            Change::Down => {
                self.reach[a as usize].retain(|peer| *peer != b);
                self.reach[b as usize].retain(|peer| *peer != a);
            }
            Change::Up => {
                self.reach[a as usize].push(b);
                self.reach[b as usize].push(a);
                self.touched.push(a);
                for message in self.direct.remove(&(a.min(b), a.max(b))).unwrap_or_default() {
                    self.arrivals[message].direct_us = self.in_time(message, at_us);
                }
            }
        }
    }

    fn set_out(&mut self, from: u32, to: u32) {
        let known = &self.known[from as usize * self.words..][..self.words];
        self.carried.insert((from, to), known.to_vec());
    }

    fn come_to(&mut self, from: u32, to: u32, at_us: u64) {
        let Some(carried) = self.carried.remove(&(from, to)) else { return };
        let is_here = |number: usize| carried[number / 64] >> (number % 64) & 1 == 1;
        let pair = (from.min(to), from.max(to));
        let waiting = self.direct.remove(&pair).unwrap_or_default();
        let (here, left): (Vec<usize>, Vec<usize>) =
            waiting.into_iter().partition(|number| self.messages[*number].to == to && is_here(*number));
        here.into_iter().for_each(|number| self.arrivals[number].direct_us = self.in_time(number, at_us));
        if !left.is_empty() {
            self.direct.insert(pair, left);
        }
        let live = self.settled / 64..self.created.div_ceil(64);
        self.learn(to, live.start, &carried[live], at_us);
    }

    fn create(&mut self) {
        let number = self.created;
        let Message { create_us, from, to, .. } = self.messages[number];
        self.created += 1;
        self.known[from as usize * self.words + number / 64] |= 1 << (number % 64);
        if self.reach[from as usize].contains(&to) {
            self.arrivals[number].direct_us = Some(create_us);
        } else {
            self.direct.entry((from.min(to), from.max(to))).or_default().push(number);
        }
        self.touched.push(from);
    }

    /// Makes every node of the touched components know what one of them knows.
    fn spread(&mut self, now_us: u64) {
        self.settle(now_us);
        let live = self.settled / 64..self.created.div_ceil(64);
        let first_search = self.search + 1;
        let mut component = Vec::new();
        let mut union = vec![0; live.len()];
        for start in std::mem::take(&mut self.touched) {
            if self.seen[start as usize] >= first_search {
                continue;
            }
            self.search += 1;
            self.find_component(start, &mut component);
            union.fill(0);
            for node in &component {
                let known = &self.known[*node as usize * self.words..][live.clone()];
                union.iter_mut().zip(known).for_each(|(all, word)| *all |= word);
            }
            for node in &component {
                self.learn(*node, live.start, &union, now_us);
            }
        }
    }

    fn find_component(&mut self, start: u32, component: &mut Vec<u32>) {
        component.clear();
        component.push(start);
        self.seen[start as usize] = self.search;
        let mut next = 0;
        while let Some(node) = component.get(next) {
            for peer in &self.reach[*node as usize] {
                if self.seen[*peer as usize] != self.search {
                    self.seen[*peer as usize] = self.search;
                    component.push(*peer);
                }
            }
            next += 1;
        }
    }

    fn learn(&mut self, node: u32, first_word: usize, union: &[u64], now_us: u64) {
        let known = &mut self.known[node as usize * self.words + first_word..][..union.len()];
        for (word, (has, all)) in known.iter_mut().zip(union).enumerate() {
            let mut new = all & !*has;
            *has |= *all;
            while new != 0 {
                let number = (first_word + word) * 64 + new.trailing_zeros() as usize;
                new &= new - 1;
                let message = &self.messages[number];
                if message.to == node && lives(message, now_us, self.lifetime_us) {
                    self.arrivals[number].earliest_us = Some(now_us);
                }
            }
        }
    }

    /// Moves `settled` past the messages for which nothing can change any more.
    fn settle(&mut self, now_us: u64) {
        while self.settled < self.created {
            let has_arrived = self.arrivals[self.settled].earliest_us.is_some();
            if !has_arrived && lives(&self.messages[self.settled], now_us, self.lifetime_us) {
                break;
            }
            self.settled += 1;
        }
    }

    fn in_time(&self, message: usize, at_us: u64) -> Option<u64> {
        lives(&self.messages[message], at_us, self.lifetime_us).then_some(at_us)
    }
}

/// Whether the message has not outlived its lifetime.
fn lives(message: &Message, now_us: u64, lifetime_us: u64) -> bool {
    now_us / 1_000 - message.create_us / 1_000 <= lifetime_us.div_ceil(1_000)
}

/// Writes arrivals as tab-separated lines under a head, times in seconds, empty where a message never arrives.
pub fn write_tsv(messages: &[Message], arrivals: &[Arrival]) -> String {
    let seconds = |at_us: Option<u64>| at_us.map(|at_us| Seconds(at_us).to_string()).unwrap_or_default();
    let mut text = String::from("#id\tcreate\tsrc\tdst\tsize\tearliest_arrival\tdirect_arrival\n");
    for (Message { id, create_us, from, to, size, .. }, arrival) in messages.iter().zip(arrivals) {
        let (earliest, direct) = (seconds(arrival.earliest_us), seconds(arrival.direct_us));
        writeln!(text, "{id}\t{}\t{from}\t{to}\t{size}\t{earliest}\t{direct}", Seconds(*create_us))
            .expect("writing to a string cannot fail");
    }
    text
}

/// How many messages could arrive, and how late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    pub messages: u64,
    pub earliest: Quantiles,
    pub direct: Quantiles,
}

impl Ceiling {
    /// `lifetime_us` cuts arrivals that were found without one.
    pub fn of(messages: &[Message], arrivals: &[Arrival], lifetime_us: Option<u64>) -> Ceiling {
        let delays = |arrival: fn(&Arrival) -> Option<u64>| {
            let times = messages.iter().zip(arrivals).filter_map(|(message, found)| Some((message, arrival(found)?)));
            let in_time = times.filter(|(message, at_us)| lives(message, *at_us, lifetime_us.unwrap_or(u64::MAX)));
            Quantiles::of(in_time.map(|(message, at_us)| at_us - message.create_us).collect())
        };
        Ceiling {
            messages: messages.len() as u64,
            earliest: delays(|arrival| arrival.earliest_us),
            direct: delays(|arrival| arrival.direct_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::Trace;
    use crate::sim::workload;

    fn solved(trace: &str, messages: &str, lifetime_us: Option<u64>) -> Vec<(Option<u64>, Option<u64>)> {
        let trace = Trace::parse("t", trace.as_bytes(), None).unwrap();
        let messages = workload::parse("w", messages.as_bytes(), Some(trace.nodes)).unwrap();
        let arrivals = solve(trace.nodes, trace.events(), &messages, lifetime_us);
        arrivals.iter().map(|arrival| (arrival.earliest_us, arrival.direct_us)).collect()
    }

    #[test]
    fn a_chain_that_opens_at_one_instant_is_crossed_at_once() {
        let trace = "5 CONN 2 3 up\n5 CONN 1 2 up\n5 CONN 0 1 up\n9 CONN 0 3 up\n10 CONN 1 2 down\n";
        assert_eq!(solved(trace, "1 C a 0 3 1\n", None), [(Some(5_000_000), Some(9_000_000))]);
    }

    #[test]
    fn what_is_written_in_a_contact_crosses_at_once_but_not_as_it_ends() {
        let trace = "0 CONN 0 1 up\n10 CONN 0 1 down\n20 CONN 1 2 up\n30 CONN 0 1 up\n40 CONN 0 1 down\n";
        let arrivals = solved(trace, "0 C first 0 1 1\n5 C middle 0 2 1\n10 C last 0 1 1\n", None);
        assert_eq!(arrivals[0], (Some(0), Some(0)));
        assert_eq!(arrivals[1], (Some(20_000_000), None));
        assert_eq!(arrivals[2], (Some(30_000_000), Some(30_000_000)));
    }

    #[test]
    fn a_lifetime_includes_its_last_instant() {
        let trace = "7 CONN 0 1 up\n9 CONN 0 1 down\n";
        let late = [(Some(7_000_000), Some(7_000_000))];
        assert_eq!(solved(trace, "2 C a 0 1 1\n", Some(5_000_000)), late);
        assert_eq!(solved(trace, "2 C a 0 1 1\n", Some(4_999_000)), [(None, None)]);
    }

    #[test]
    fn arrivals_are_written_with_empty_fields_where_there_is_none() {
        let messages = workload::parse("w", &b"2.5 C a 0 1 77\n"[..], None).unwrap();
        let arrival = Arrival { earliest_us: Some(20_000_000), direct_us: None };
        let text = write_tsv(&messages, &[arrival]);
        assert_eq!(text.lines().nth(1), Some("a\t2.5\t0\t1\t77\t20.0\t"));
    }
}
