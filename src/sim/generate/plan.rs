//! Nodes that meet by a timetable: satellites, ferries, offices.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::sim::generate::instants;
use crate::sim::random::Stream;
use crate::sim::trace::{Change, ContactEvent};

/// Meetings that repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub nodes: u32,
    pub meetings: Vec<Meeting>,
}

/// All pairs of `among` are in contact during `[start, start + duration)`, again after each period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Two or more different nodes, in order.
    pub among: Vec<u32>,
    pub start_us: u64,
    pub duration_us: u64,
    /// Absent: once.
    pub period_us: Option<u64>,
    /// No meeting starts at this time or later.
    pub until_us: Option<u64>,
    /// Each starts up to this much later than planned.
    pub jitter_us: u64,
}

impl Plan {
    /// The contacts in their order, as far as they begin by `end_us`. Meetings of a pair that overlap are one contact.
    pub(super) fn events(&self, seed: u64, end_us: u64) -> impl Iterator<Item = ContactEvent> + use<> {
        // Meetings of a pair may follow each other without a gap for ever.
        let mut raw = instants(self.raw_events(seed).take_while(move |event| event.at_us <= end_us));
        let mut together: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        std::iter::from_fn(move || {
            raw.find(|event| {
                let pair = (event.a, event.b);
                match event.change {
                    Change::Up => {
                        let meetings = together.entry(pair).or_insert(0);
                        *meetings += 1;
                        *meetings == 1
                    }
                    Change::Down => {
                        let meetings = together.get_mut(&pair).expect("a meeting ends after it began");
                        *meetings -= 1;
                        let is_over = *meetings == 0;
                        if is_over {
                            together.remove(&pair);
                        }
                        is_over
                    }
                }
            })
        })
    }

    /// Both ends of every meeting, in order of time only.
    fn raw_events(&self, seed: u64) -> impl Iterator<Item = ContactEvent> + use<> {
        let plan = self.clone();
        let mut streams: Vec<Stream> =
            (0..).zip(&self.meetings).map(|(number, _)| Stream::new(seed, "plan", number)).collect();
        // Time, change, meeting, and which repetition it is.
        let mut queue: BinaryHeap<Reverse<(u64, Change, usize, u64)>> = BinaryHeap::new();
        for (number, meeting) in plan.meetings.iter().enumerate() {
            let at_us = meeting.planned(0).map(|at_us| at_us + meeting.jitter(&mut streams[number]));
            queue.extend(at_us.map(|at_us| Reverse((at_us, Change::Up, number, 0))));
        }
        let mut ready: Vec<ContactEvent> = Vec::new();
        std::iter::from_fn(move || {
            while ready.is_empty() {
                let Reverse((at_us, change, number, repetition)) = queue.pop()?;
                let meeting = &plan.meetings[number];
                ready = meeting.pairs().map(|(a, b)| ContactEvent { at_us, change, a, b }).collect();
                if change == Change::Up {
                    queue.push(Reverse((at_us + meeting.duration_us, Change::Down, number, repetition)));
                    if let Some(next_us) = meeting.planned(repetition + 1) {
                        // A late meeting is not overtaken by the one after it.
                        let next_us = (next_us + meeting.jitter(&mut streams[number])).max(at_us);
                        queue.push(Reverse((next_us, Change::Up, number, repetition + 1)));
                    }
                }
            }
            ready.pop()
        })
    }
}

impl Meeting {
    fn planned(&self, repetition: u64) -> Option<u64> {
        let later = match repetition {
            0 => 0,
            _ => self.period_us?.checked_mul(repetition)?,
        };
        let at_us = self.start_us.checked_add(later)?;
        self.until_us.is_none_or(|until_us| at_us < until_us).then_some(at_us)
    }

    fn jitter(&self, stream: &mut Stream) -> u64 {
        stream.between(0, self.jitter_us)
    }

    fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let later = |place: usize| &self.among[place + 1..];
        self.among.iter().enumerate().flat_map(move |(place, a)| later(place).iter().map(move |b| (*a, *b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::{Clip, Contact, Trace};

    fn meeting(among: &[u32], start_us: u64, duration_us: u64, period_us: Option<u64>) -> Meeting {
        Meeting { among: among.to_vec(), start_us, duration_us, period_us, until_us: None, jitter_us: 0 }
    }

    fn contacts(meetings: Vec<Meeting>, end_us: u64) -> Vec<Contact> {
        let events: Vec<ContactEvent> = Clip::new(Plan { nodes: 9, meetings }.events(1, end_us), end_us).collect();
        let contacts = Trace::collect(9, events.iter().copied()).contacts;
        assert_eq!(events.len(), 2 * contacts.len(), "no contact begins or ends twice: {events:?}");
        contacts
    }

    #[test]
    fn a_meeting_repeats_until_the_end() {
        let contact = |up_us, down_us| Contact { up_us, a: 1, b: 4, down_us };
        let repeated = contacts(vec![meeting(&[1, 4], 5, 10, Some(100))], 210);
        assert_eq!(repeated, [contact(5, 15), contact(105, 115), contact(205, 210)]);
    }

    #[test]
    fn meetings_of_a_pair_that_overlap_are_one_contact() {
        let overlapping = contacts(vec![meeting(&[0, 1, 2], 0, 50, None), meeting(&[1, 2], 40, 30, None)], 1_000);
        let of_pair: Vec<&Contact> = overlapping.iter().filter(|contact| contact.a == 1).collect();
        assert_eq!(of_pair, [&Contact { up_us: 0, a: 1, b: 2, down_us: 70 }]);
        assert_eq!(overlapping.len(), 3);
    }

    #[test]
    fn meetings_that_begin_before_the_last_one_ends_are_one_long_contact() {
        let endless = contacts(vec![meeting(&[1, 4], 5, 10, Some(9))], 100);
        assert_eq!(endless, [Contact { up_us: 5, a: 1, b: 4, down_us: 100 }]);
    }

    #[test]
    fn jitter_delays_and_the_seed_decides() {
        let late = Meeting { jitter_us: 20, ..meeting(&[0, 1], 100, 10, Some(100)) };
        let starts = |seed| {
            let plan = Plan { nodes: 2, meetings: vec![late.clone()] };
            let trace = Trace::collect(2, Clip::new(plan.events(seed, 2_000), 2_000));
            trace.contacts.iter().map(|contact| contact.up_us % 100).collect::<Vec<_>>()
        };
        assert!(starts(1).iter().all(|start| *start <= 20) && starts(1).iter().any(|start| *start > 0));
        assert_ne!(starts(1), starts(2));
    }
}
