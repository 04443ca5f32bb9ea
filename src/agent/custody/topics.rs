//! Who has how much of the room for topics: every topic has a share, and in it every writer; so has every peer that hands
//! over, for topics cost nothing to make.

use super::Slot;
use super::division::Member;
use crate::agent::shares::Shares;
use crate::time::Timestamp;

/// The shares of what is for topics.
#[derive(Debug, Default)]
pub struct TopicShares {
    by_topic: Shares<Member, Slot>,
    by_writer: Shares<(Member, Member), Slot>,
    by_peer: Shares<Member, Slot>,
    /// What is published here, by topic.
    own: Shares<Member, Slot>,
}

/// How one bundle for a topic counts.
#[derive(Clone, Copy, Debug)]
pub struct InTopic {
    pub topic: Member,
    pub writer: Member,
    /// None of one's own.
    pub from: Option<Member>,
    pub is_own: bool,
    pub cost: u64,
    /// The end of its life, and where it stands.
    pub place: (Timestamp, Slot),
}

/// Whose a bundle that comes would be; none of what nothing held has to do with.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    pub topic: Option<Member>,
    pub writer: Option<Member>,
    pub from: Option<Member>,
}

impl TopicShares {
    pub fn add(&mut self, InTopic { topic, writer, from, is_own, cost, place }: InTopic) {
        if is_own {
            return self.own.add(topic, cost, Some(place));
        }
        self.by_topic.add(topic, cost, Some(place));
        self.by_writer.add((topic, writer), cost, Some(place));
        from.into_iter().for_each(|from| self.by_peer.add(from, cost, Some(place)));
    }

    /// Takes back what [`TopicShares::add`] counted.
    pub fn take(&mut self, InTopic { topic, writer, from, is_own, cost, place }: InTopic) {
        if is_own {
            return self.own.take(topic, cost, Some(place));
        }
        self.by_topic.take(topic, cost, Some(place));
        self.by_writer.take((topic, writer), cost, Some(place));
        from.into_iter().for_each(|from| self.by_peer.take(from, cost, Some(place)));
    }

    /// Bytes of one topic that others published.
    pub fn bytes(&self, topic: Option<Member>) -> u64 {
        topic.map_or(0, |topic| self.by_topic.bytes(topic))
    }

    /// Bytes of one topic that are published here, and what of them goes first.
    pub fn own(&self, topic: Member) -> (u64, impl Iterator<Item = Slot> + '_) {
        (self.own.bytes(topic), self.own.copies(topic))
    }

    /// What goes first of one topic for another message of it, of `cost` bytes: of the writer with the largest share, what
    /// ends soonest; then of any of its writers.
    pub fn of_topic(&self, whose: Whose, cost: u64) -> impl Iterator<Item = Slot> + '_ {
        let topic = whose.topic;
        let mut fullest = None;
        for (bytes, (of, writer)) in self.by_writer.fullest_first() {
            if Some(of) == topic {
                fullest = Some((bytes, (of, writer)));
                break;
            }
        }
        let own = topic.zip(whose.writer).filter(|party| {
            let bytes = self.by_writer.bytes(*party);
            bytes > 0 && fullest.is_none_or(|(most, _)| bytes.saturating_add(cost) >= most)
        });
        let party = own.or(fullest.map(|(_, party)| party));
        let first = party.into_iter().flat_map(|party| self.by_writer.copies(party));
        first.chain(topic.into_iter().flat_map(|topic| self.by_topic.copies(topic)))
    }

    /// What goes first of all topics for another message, of `cost` bytes: of the topic or the peer with the largest share,
    /// the newcomer's counted with it; then of the fullest topics.
    pub fn of_fullest(&self, whose: Whose, cost: u64) -> impl Iterator<Item = Slot> + '_ {
        let topic = self.by_topic.fullest_first().next();
        let peer = self.by_peer.fullest_first().next();
        let most = topic.map_or(0, |(bytes, _)| bytes).max(peer.map_or(0, |(bytes, _)| bytes));
        let share = |of: &Shares<Member, Slot>, who: Option<Member>| who.map_or(0, |who| of.bytes(who));
        let is_mine = |bytes: u64| bytes > 0 && bytes.saturating_add(cost) >= most;
        let (of_topic, of_peer) = match () {
            () if is_mine(share(&self.by_topic, whose.topic)) => (whose.topic, None),
            () if is_mine(share(&self.by_peer, whose.from)) => (None, whose.from),
            () if topic.is_some_and(|(bytes, _)| bytes == most) => (topic.map(|(_, who)| who), None),
            () => (None, peer.map(|(_, who)| who)),
        };
        let of_topic = of_topic.into_iter().flat_map(|topic| self.by_topic.copies(topic));
        let of_peer = of_peer.into_iter().flat_map(|peer| self.by_peer.copies(peer));
        of_topic.chain(of_peer).chain(self.fullest_first())
    }

    /// All of it, of the fullest topic first.
    pub fn fullest_first(&self) -> impl Iterator<Item = Slot> + '_ {
        self.by_topic.fullest_first().flat_map(|(_, topic)| self.by_topic.copies(topic))
    }
}
