//! The contacts that are up at an instant, and streams cut at the end of a run.

use crate::sim::trace::{Change, ContactEvent};

/// Which pairs are up, and since when. Pairs are named smaller id first.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// By the smaller id: the larger ids in order, each with the time it came up.
    peers: Vec<Vec<(u32, u64)>>,
}

impl Live {
    /// Notes a contact; returns since when it was up before, if it was.
    pub fn up(&mut self, a: u32, b: u32, at_us: u64) -> Option<u64> {
        // Callers bound ids by `NODES_MAX`.
        if self.peers.len() <= a as usize {
            self.peers.resize_with(a as usize + 1, Vec::new);
        }
        let peers = &mut self.peers[a as usize];
        match peers.binary_search_by_key(&b, |peer| peer.0) {
            Ok(found) => Some(peers[found].1),
            Err(place) => {
                peers.insert(place, (b, at_us));
                None
            }
        }
    }

    /// Ends a contact; returns since when it was up, or `None` where it was not.
    pub fn down(&mut self, a: u32, b: u32) -> Option<u64> {
        let peers = self.peers.get_mut(a as usize)?;
        let found = peers.binary_search_by_key(&b, |peer| peer.0).ok()?;
        Some(peers.remove(found).1)
    }

    pub fn is_up(&self, a: u32, b: u32) -> bool {
        let peers = self.peers.get(a as usize);
        peers.is_some_and(|peers| peers.binary_search_by_key(&b, |peer| peer.0).is_ok())
    }

    /// All pairs that are up, in order, with their start.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32, u64)> + '_ {
        (0..).zip(&self.peers).flat_map(|(a, peers)| peers.iter().map(move |(b, up_us)| (a, *b, *up_us)))
    }
}

/// Cuts a stream of events to the run `[0, end)`: contacts open at the end go down there, later ones do not happen.
pub struct Clip<I> {
    events: I,
    end_us: u64,
    live: Live,
    closing: Option<std::vec::IntoIter<ContactEvent>>,
}

impl<I: Iterator<Item = ContactEvent>> Clip<I> {
    pub fn new(events: I, end_us: u64) -> Clip<I> {
        Clip { events, end_us, live: Live::default(), closing: None }
    }
}

impl<I: Iterator<Item = ContactEvent>> Iterator for Clip<I> {
    type Item = ContactEvent;

    fn next(&mut self) -> Option<ContactEvent> {
        if let Some(closing) = &mut self.closing {
            return closing.next();
        }
        if let Some(event) = self.events.next().filter(|event| event.at_us < self.end_us) {
            let ContactEvent { at_us, change, a, b } = event;
            match change {
                Change::Up => self.live.up(a, b, at_us),
                Change::Down => self.live.down(a, b),
            };
            return Some(event);
        }
        let at_us = self.end_us;
        let downs: Vec<ContactEvent> =
            self.live.pairs().map(|(a, b, _)| ContactEvent { at_us, change: Change::Down, a, b }).collect();
        self.closing.insert(downs.into_iter()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::{Contact, events_of};

    #[test]
    fn a_clipped_stream_ends_with_every_contact_down() {
        let contact = |a, b, up_us, down_us| Contact { up_us, a, b, down_us };
        let contacts = [contact(0, 1, 0, 50), contact(0, 2, 5, 100), contact(1, 2, 10, 30), contact(3, 4, 30, 40)];
        let events: Vec<ContactEvent> = Clip::new(events_of(contacts.into_iter()), 30).collect();
        let downs: Vec<(u64, u32, u32)> =
            events.iter().filter(|event| event.change == Change::Down).map(|e| (e.at_us, e.a, e.b)).collect();
        assert_eq!(downs, [(30, 0, 1), (30, 0, 2), (30, 1, 2)]);
        assert_eq!(events.len(), 6, "the contact that opens at the end does not happen");
    }
}
