//! What all shares of a run read.

use crate::agent::{Config, Input};
use crate::content::topic::Leave;
use crate::content::{PART_BYTES, part_len};
use crate::eid::Eid;
use crate::id::NodeId;
use crate::sim::catalog::{Catalog, Entry};
use crate::sim::scenario::Loaded;
use crate::sim::workload::topics::Topic;
use crate::sim::workload::{Channel, Message};
use crate::sim::world::roster::{Roster, group_name};
use crate::time::{DtnTime, Millis};

/// Settled before the run begins, all but the catalog, which grows.
pub struct Common<'a> {
    pub loaded: &'a Loaded,
    pub config: Config,
    pub roster: Roster,
    pub catalog: Catalog,
    /// By topic.
    topics: Vec<Published>,
    /// By group: its name and its members.
    groups: Vec<(Eid, Vec<u32>)>,
    /// By message: the number of its first bundle among all that are to be.
    first_bundles: Vec<u32>,
}

/// A topic, and the leaves of those who write in it.
struct Published {
    name: Eid,
    leaves: Vec<(u32, Leave)>,
}

impl<'a> Common<'a> {
    pub fn new(loaded: &'a Loaded, config: Config, roster: Roster) -> Common<'a> {
        let published = |(Topic { owner, writers, .. }, number): (&Topic, u32)| {
            let name = Eid::topic(roster.name(*owner), &format!("t{number}"));
            let others = writers.iter().filter(|writer| *writer != owner);
            let leave = |writer: &u32| {
                let until = DtnTime(u64::MAX);
                (*writer, Leave::give(&name, &roster.name(*writer), until, &*roster.key(*owner)))
            };
            let leaves = others.map(leave).collect();
            Published { name, leaves }
        };
        let topics = loaded.topics.iter().zip(0..).map(published).collect();
        let group = |(number, members): (u32, &Vec<u32>)| {
            (Eid::group(group_name(loaded.scenario.seed, number)), members.clone())
        };
        let groups = (0..).zip(loaded.groups()).map(group).collect();
        let mut bundles = 0;
        let first = |message: &Message| {
            let first = bundles;
            bundles += parts(message);
            first
        };
        let first_bundles = loaded.messages.iter().map(first).collect();
        Common { loaded, config, roster, catalog: Catalog::default(), topics, groups, first_bundles }
    }

    pub fn message(&self, number: u32) -> &'a Message {
        &self.loaded.messages[number as usize]
    }

    /// The life that every message gets.
    pub fn lifetime(&self) -> Millis {
        Millis(self.loaded.lifetime_us().div_ceil(1_000))
    }

    /// The topic of this number, and the leave that somebody shows who does not own it.
    pub fn topic(&self, number: u32, writer: u32) -> (&Eid, Option<Leave>) {
        let Published { name, leaves } = &self.topics[number as usize];
        (name, leaves.iter().find(|(who, _)| *who == writer).map(|(_, leave)| *leave))
    }

    pub fn group(&self, number: u32) -> &Eid {
        &self.groups[number as usize].0
    }

    /// What a node's agent is told of the members of its groups, at each start.
    pub fn memberships(&self, node: u32) -> impl Iterator<Item = Input> + '_ {
        let joined = self.groups.iter().filter(move |(_, members)| members.contains(&node));
        joined.map(|(group, members)| {
            let members = members.iter().map(|member| self.roster.name(*member)).collect();
            Input::GroupMembers { group: group.clone(), members }
        })
    }

    /// How many members the group of a key has.
    pub fn members_of(&self, group: &NodeId) -> usize {
        self.groups.iter().find(|(name, _)| name.node == *group).map_or(0, |(_, members)| members.len())
    }

    /// The groups that a node is in.
    pub fn joined(&self, node: u32) -> impl Iterator<Item = &Eid> + '_ {
        self.groups.iter().filter(move |(_, members)| members.contains(&node)).map(|(name, _)| name)
    }

    /// The topics that a node subscribes to.
    pub fn subscribed(&self, node: u32) -> impl Iterator<Item = &Eid> + '_ {
        let topics = self.loaded.topics.iter().zip(&self.topics);
        topics.filter(move |(topic, _)| topic.subscribers.contains(&node)).map(|(_, published)| &published.name)
    }

    /// The number of a bundle among all that are to be.
    pub fn bundle_number(&self, entry: &Entry) -> Option<u32> {
        entry.message.map(|message| self.first_bundles[message as usize] + entry.part.unwrap_or(0))
    }

    /// Whom a bundle of a message is for, with all others who want it.
    pub fn wanting(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let all = self.loaded.messages[first as usize..].iter().zip(0..);
        all.take_while(|(message, further)| message.further == *further).map(|(message, _)| message.to)
    }

    /// Which message arrives where the bundle of `first` reaches a node.
    pub fn wanted_by(&self, first: u32, node: u32) -> Option<u32> {
        let all = self.loaded.messages[first as usize..].iter().zip(first..);
        let mut same = all.take_while(|(message, number)| *number == first + message.further);
        same.find(|(message, _)| message.to == node).map(|(_, number)| number)
    }
}

/// What seal, signature and blocks add to a part.
const PART_COST_BYTES: u64 = 400;

/// How many bundles a message takes.
pub fn parts(message: &Message) -> u32 {
    match message.channel {
        Channel::File | Channel::GroupFile(_) => message.size.div_ceil(PART_BYTES as u64).max(1) as u32,
        Channel::Mail | Channel::Topic(_) | Channel::Group(_) => 1,
    }
}

/// Bytes of one of its bundles.
pub fn bytes_of(message: &Message, part: u32) -> u64 {
    match message.channel {
        Channel::File | Channel::GroupFile(_) => part_len(message.size, part) as u64 + PART_COST_BYTES,
        Channel::Mail | Channel::Topic(_) | Channel::Group(_) => message.size,
    }
}
