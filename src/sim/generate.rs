//! Contacts from a seed: nodes that walk, nodes that meet by chance, nodes that meet by a timetable.
//!
//! All three are streams that hold what is up now and little more, so a run of fifty million contacts needs no list of
//! them. Each node draws from its own [`crate::sim::random::Stream`]; all arithmetic is in whole millimetres and
//! microseconds, so the same seed makes the same contacts on every machine.

mod meet;
mod plan;
mod walk;

pub use meet::Meet;
pub use plan::{Meeting, Plan};
pub use walk::{Homes, Route, SIDE_MM_MAX, Walk};

use crate::sim::trace::{Clip, ContactEvent, Events};

/// A source of contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generator {
    Walk(Walk),
    Meet(Meet),
    Plan(Plan),
}

impl Generator {
    /// The contacts of the run `[0, end_us)`, in their order; what is still up at the end goes down there.
    pub fn events(&self, seed: u64, end_us: u64) -> Events<'static> {
        match self {
            Generator::Walk(walk) => Box::new(Clip::new(walk.events(seed, end_us), end_us)),
            Generator::Meet(meet) => Box::new(Clip::new(instants(meet.events(seed)), end_us)),
            Generator::Plan(plan) => Box::new(Clip::new(plan.events(seed, end_us), end_us)),
        }
    }

    /// Ids go from 0 to one less.
    pub fn nodes(&self) -> u32 {
        match self {
            Generator::Walk(walk) => walk.nodes,
            Generator::Meet(meet) => meet.nodes,
            Generator::Plan(plan) => plan.nodes,
        }
    }
}

/// Puts the events of each instant in order; the stream must be in order of time already.
fn instants(events: impl Iterator<Item = ContactEvent>) -> impl Iterator<Item = ContactEvent> {
    let mut events = events.peekable();
    let mut instant: Vec<ContactEvent> = Vec::new();
    std::iter::from_fn(move || {
        if instant.is_empty() {
            let first = events.next()?;
            instant.push(first);
            while let Some(next) = events.next_if(|next| next.at_us == first.at_us) {
                instant.push(next);
            }
            // Taken from the back.
            instant.sort_unstable_by(|one, other| other.cmp(one));
        }
        instant.pop()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::Change;

    #[test]
    fn an_instant_is_put_in_order() {
        let event = |at_us, change, a| ContactEvent { at_us, change, a, b: 9 };
        let mixed =
            [event(1, Change::Up, 3), event(1, Change::Up, 2), event(1, Change::Down, 4), event(2, Change::Up, 1)];
        let ordered: Vec<u32> = instants(mixed.into_iter()).map(|event| event.a).collect();
        assert_eq!(ordered, [4, 2, 3, 1]);
    }
}
