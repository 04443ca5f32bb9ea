//! What is published in topics: who owns them, who may write in them, who subscribes.

use super::{Channel, Message, Pace};
use crate::bundle::Priority;
use crate::sim::random::Stream;

/// Most topics of one run.
pub const TOPICS_MAX: u32 = 10_000;

/// Topics and what is published in them, as a scenario says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    pub count: u32,
    /// Empty: anybody.
    pub owners: Vec<u32>,
    /// Writers of each beside its owner.
    pub writers: u32,
    pub subscribers: Subscribers,
    pub pace: Pace,
    /// Smallest and largest text, both possible.
    pub size: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscribers {
    /// So many of each topic, drawn.
    Many(u32),
    /// These, of all topics.
    Listed(Vec<u32>),
}

/// One topic of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub owner: u32,
    /// In order, its owner among them.
    pub writers: Vec<u32>,
    /// In order.
    pub subscribers: Vec<u32>,
}

impl Topics {
    /// Draws the topics of a run.
    pub fn draw(&self, nodes: u32, seed: u64) -> Vec<Topic> {
        let mut who = Stream::new(seed, "topic people", 0);
        let topic = |_| {
            let owner = match self.owners.len() {
                0 => who.below(u64::from(nodes)) as u32,
                many => self.owners[who.below(many as u64) as usize],
            };
            let mut writers = some_of(nodes, self.writers, &[owner], &mut who);
            writers.push(owner);
            writers.sort_unstable();
            let subscribers = match &self.subscribers {
                Subscribers::Many(many) => some_of(nodes, *many, &[owner], &mut who),
                Subscribers::Listed(listed) => listed.clone(),
            };
            Topic { owner, writers, subscribers }
        };
        (0..self.count).map(topic).collect()
    }

    /// Makes what is published, `T0`, `T1`, … in order of time: one message for each subscriber, who is named behind it.
    pub fn generate(&self, topics: &[Topic], duration_us: u64, seed: u64) -> Vec<Message> {
        let mut who = Stream::new(seed, "topic writers", 0);
        let mut how = Stream::new(seed, "topic sizes", 0);
        let mut messages = Vec::new();
        let times = self.pace.times(duration_us, Stream::new(seed, "topic times", 0));
        for (number, create_us) in times.take(super::MESSAGES_MAX).enumerate() {
            let place = who.below(topics.len() as u64) as u32;
            let topic = &topics[place as usize];
            let from = topic.writers[who.below(topic.writers.len() as u64) as usize];
            let size = how.between(self.size.0, self.size.1);
            let readers = topic.subscribers.iter().filter(|reader| **reader != from);
            messages.extend(readers.zip(0..).map(|(to, further)| Message {
                id: format!("T{number}.{to}"),
                create_us,
                from,
                to: *to,
                size,
                priority: Priority::Normal,
                channel: Channel::Topic(place),
                further,
            }));
        }
        messages
    }
}

/// So many different nodes, in order, without these.
fn some_of(nodes: u32, many: u32, without: &[u32], who: &mut Stream) -> Vec<u32> {
    let mut all: Vec<u32> = (0..nodes).filter(|node| !without.contains(node)).collect();
    let many = (many as usize).min(all.len());
    for place in 0..many {
        let drawn = place + who.below((all.len() - place) as u64) as usize;
        all.swap(place, drawn);
    }
    all.truncate(many);
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::workload::{Arrivals, Rate};

    #[test]
    fn each_that_is_published_is_wanted_by_every_subscriber_but_its_writer() {
        let pace =
            Pace { rate: Rate { count: 1, per_us: 1_000 }, arrivals: Arrivals::Poisson, start_us: 0, end_us: None };
        let topics = Topics {
            count: 4,
            owners: vec![1, 2],
            writers: 2,
            subscribers: Subscribers::Many(5),
            pace,
            size: (10, 90),
        };
        let drawn = topics.draw(12, 7);
        assert!(drawn.iter().all(|t| t.writers.len() == 3 && t.subscribers.len() == 5 && [1, 2].contains(&t.owner)));
        assert!(drawn.iter().all(|t| t.writers.contains(&t.owner) && !t.subscribers.contains(&t.owner)));
        let messages = topics.generate(&drawn, 100_000, 7);
        let firsts = messages.iter().filter(|message| message.further == 0).count();
        assert!((60..150).contains(&firsts), "{firsts}");
        for (place, message) in messages.iter().enumerate() {
            let Channel::Topic(topic) = message.channel else { panic!("{message:?}") };
            let first = &messages[place - message.further as usize];
            assert_eq!((first.create_us, first.from, first.further), (message.create_us, message.from, 0));
            assert!(drawn[topic as usize].subscribers.contains(&message.to) && message.to != message.from);
        }
    }
}
