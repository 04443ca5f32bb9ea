//! Topics that a pattern alone means: their owner names as many as they like, so all of one owner share a room and a number.
//!
//! What the person subscribed to by its name has a room of its own, and so has what is written in here: its list and its
//! sequence are not to be lost. Of the rest the fullest topic gives its oldest where the owner's room is over, and the topic
//! that was silent longest leaves as a whole where there are too many. What comes anew is numbered behind all that came from
//! its owner then, so whoever reads by numbers passes over nothing of a topic that was gone.

use super::{Change, DtnTime, Eid, Filter, NodeId, Service, TOPIC_KEPT_BYTES_MAX, Topic, Topics};

/// Bytes of events that are kept of such topics of one owner together.
pub const SHARED_BYTES_MAX: u64 = 4 * TOPIC_KEPT_BYTES_MAX;
/// Most such topics of one owner.
pub const SHARED_TOPICS_MAX: usize = 4_096;

/// All such topics of one owner.
#[derive(Default)]
struct Shared {
    topics: usize,
    bytes: u64,
    /// The highest number that comes next in one of them.
    next: u64,
    /// When the last of it was created, in the one that was silent longest; in what keeps nothing, never.
    silent: Option<((DtnTime, u64), Eid)>,
    fullest: Option<(u64, Eid)>,
}

impl Topics {
    /// What is known of a topic, from now on at least.
    pub(super) fn known(&mut self, topic: &Eid) -> &mut Topic {
        if !self.topics.contains_key(topic) {
            let fresh = Topic { is_named: self.is_named(topic), ..Topic::default() };
            self.topics.insert(topic.clone(), fresh);
        }
        self.topics.get_mut(topic).expect("it was put there")
    }

    /// The subscriptions of an owner changed.
    pub(super) fn name_again(&mut self, owner: NodeId) {
        let of_owner = |topic: &&Eid| topic.node == owner;
        let topics: Vec<Eid> = self.topics.keys().filter(of_owner).cloned().collect();
        for topic in topics {
            let is_named = self.is_named(&topic);
            self.known(&topic).is_named = is_named;
        }
    }

    /// Makes a place for a topic of which nothing is known yet, where a pattern alone means it.
    pub(super) fn make_place(&mut self, topic: &Eid, out: &mut Vec<Change>) {
        if self.topics.contains_key(topic) || self.is_named(topic) {
            return;
        }
        let mut next = 0;
        loop {
            let shared = self.shared(topic.node);
            let Some((_, silent)) = shared.silent.filter(|_| shared.topics >= SHARED_TOPICS_MAX) else { break };
            next = next.max(shared.next);
            self.drop_topic(&silent, out);
        }
        let known = self.known(topic);
        (known.state.next, known.state.left) = (next, next.saturating_sub(1));
    }

    /// The fullest topics of an owner that a pattern alone means give their oldest, where there is too much of them all.
    pub(super) fn make_shared_room(&mut self, owner: NodeId, out: &mut Vec<Change>) {
        loop {
            let shared = self.shared(owner);
            let Some((_, fullest)) = shared.fullest.filter(|_| shared.bytes > SHARED_BYTES_MAX) else { return };
            self.known(&fullest).drop_oldest(&fullest, out);
            self.changed.insert(fullest);
        }
    }

    fn shared(&self, owner: NodeId) -> Shared {
        let of_owner = self.topics.range(Eid::admin(owner)..).take_while(|(topic, _)| topic.node == owner);
        let mut shared = Shared::default();
        let (mut silent, mut fullest) = (None, None);
        for (topic, known) in of_owner.filter(|(_, known)| !known.is_named && known.state.sequence == 0) {
            shared.topics += 1;
            shared.bytes += known.bytes;
            shared.next = shared.next.max(known.state.next);
            silent = silent.into_iter().chain([(known.spoke(), topic)]).min();
            fullest = fullest.into_iter().chain([(known.bytes, topic)]).max();
        }
        shared.silent = silent.map(|(spoke, topic)| (spoke, topic.clone()));
        shared.fullest = fullest.map(|(bytes, topic)| (bytes, topic.clone()));
        shared
    }

    fn is_named(&self, topic: &Eid) -> bool {
        let Service::Topic(name) = &topic.service else { return false };
        Filter::parse(name).is_some_and(|name| self.subscriptions.contains(&(topic.node, name)))
    }
}

impl Topic {
    fn spoke(&self) -> (DtnTime, u64) {
        let last = self.events.last_key_value();
        (last.map_or(DtnTime(0), |(_, brief)| brief.created), self.state.next)
    }
}
