//! Which of the connections with a peer carries the contact: exactly one, agreed without talking about it.
//!
//! Both sides may dial at once, and a peer may return while its old connection still looks alive. So one side decides:
//! the *leader*, whose id is the smaller. It picks a connection and opens its stream there; the follower answers on the
//! same connection with its own, and the contact is up. The rest is housekeeping:
//!
//! - the side that dialed a connection closes it when a contact is up already;
//! - a connection that the follower dialed and keeps open beside a contact says that the follower lost that contact
//!   (it was restarted, say): after [`GRACE`] the leader moves over;
//! - a leader's stream on another connection always replaces the contact, for the same reason.
//!
//! Pure: it knows no socket and no clock, and answers with acts. `S` is a stream.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::swarm::ConnectionId;
use tokio::time::Instant;

use super::Why;
use crate::id::NodeId;

/// How long a follower's extra connection may stand beside a contact before it is taken for a return.
pub const GRACE: Duration = Duration::from_secs(3);

/// What the swarm task must do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act<S> {
    /// Open our writing stream.
    Open(ConnectionId),
    /// Run the contact over these streams.
    Start {
        connection: ConnectionId,
        peer: NodeId,
        inbound: S,
        outbound: S,
    },
    /// End the contact that runs over a connection; [`Links::ended`] is due when it has ended.
    Stop(ConnectionId, Why),
    Close(ConnectionId),
}

struct Link<S> {
    peer: NodeId,
    we_dialed: bool,
    phase: Phase,
    deadline: Option<Instant>,
    inbound: Option<S>,
    outbound: Option<S>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for the leader's choice.
    Spare,
    /// Streams are being opened, or wait for the end of the contact before.
    Chosen,
    Live,
    /// Told to close.
    Closing,
}

#[derive(Default)]
struct Pair {
    links: Vec<ConnectionId>,
    chosen: Option<ConnectionId>,
    /// The running contact; stays until it has ended, even after its connection is gone.
    live: Option<ConnectionId>,
    stopping: bool,
}

pub(super) struct Links<S> {
    me: NodeId,
    /// How long a connection may stand without a contact.
    patience: Duration,
    links: BTreeMap<ConnectionId, Link<S>>,
    pairs: BTreeMap<NodeId, Pair>,
}

impl<S> Links<S> {
    pub fn new(me: NodeId, patience: Duration) -> Links<S> {
        Links { me, patience, links: BTreeMap::new(), pairs: BTreeMap::new() }
    }

    /// Takes in a new connection.
    pub fn connected(&mut self, id: ConnectionId, peer: NodeId, we_dialed: bool, now: Instant) -> Vec<Act<S>> {
        let deadline = Some(now + self.patience);
        let link = Link { peer, we_dialed, phase: Phase::Spare, deadline, inbound: None, outbound: None };
        self.links.insert(id, link);
        let pair = self.pairs.entry(peer).or_default();
        pair.links.push(id);
        let mut acts = Vec::new();
        if pair.live.is_some() && !pair.stopping {
            if we_dialed {
                self.close(id, &mut acts);
            } else if self.leads(peer) {
                self.set_deadline(id, now + GRACE);
            }
        } else if pair.chosen.is_none() && self.leads(peer) {
            self.choose(id, now, &mut acts);
        }
        acts
    }

    /// Takes the peer's stream; a stream in the wrong place is dropped.
    pub fn stream_in(&mut self, id: ConnectionId, stream: S, now: Instant) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        let Some(link) = self.links.get_mut(&id) else { return acts };
        let peer = link.peer;
        if link.inbound.is_some() || !matches!(link.phase, Phase::Spare | Phase::Chosen) {
            return acts;
        }
        link.inbound = Some(stream);
        // A follower that is early waits until this connection is chosen.
        if link.phase == Phase::Spare && self.me > peer {
            // The leader has chosen, whatever it chose before.
            if let Some(before) = self.pair(peer).chosen.take() {
                self.close(before, &mut acts);
            }
            self.choose(id, now, &mut acts);
            self.stop_contact(peer, Why::Replaced, &mut acts);
        }
        self.start_if_ready(peer, &mut acts);
        acts
    }

    /// Takes our own stream.
    pub fn stream_out(&mut self, id: ConnectionId, stream: S) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        if let Some(link) = self.links.get_mut(&id)
            && link.phase == Phase::Chosen
        {
            link.outbound = Some(stream);
            let peer = link.peer;
            self.start_if_ready(peer, &mut acts);
        }
        acts
    }

    /// Closes a connection that is of no use: our stream did not open there, or the peer misbehaves.
    pub fn failed(&mut self, id: ConnectionId) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        match self.links.get(&id).map(|link| (link.phase, link.peer)) {
            Some((Phase::Live, peer)) => self.stop_contact(peer, Why::Bad, &mut acts),
            Some(_) => self.close(id, &mut acts),
            None => {}
        }
        acts
    }

    /// Notes that the contact of a connection has ended.
    pub fn ended(&mut self, id: ConnectionId, peer: NodeId, now: Instant) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        let pair = self.pair(peer);
        pair.live = None;
        pair.stopping = false;
        self.close(id, &mut acts);
        self.start_if_ready(peer, &mut acts);
        self.choose_another(peer, now, &mut acts);
        self.tidy(peer);
        acts
    }

    /// Notes that a connection is gone. A contact over it notices by itself.
    pub fn disconnected(&mut self, id: ConnectionId, now: Instant) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        let Some(link) = self.links.remove(&id) else { return acts };
        let pair = self.pair(link.peer);
        pair.links.retain(|other| *other != id);
        if pair.chosen == Some(id) {
            pair.chosen = None;
        }
        self.choose_another(link.peer, now, &mut acts);
        self.tidy(link.peer);
        acts
    }

    /// Ends the contact with a peer and closes all its connections.
    pub fn drop_peer(&mut self, peer: NodeId, why: Why) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        self.stop_contact(peer, why, &mut acts);
        let live = self.pairs.get(&peer).and_then(|pair| pair.live);
        for id in self.links_of(peer) {
            if Some(id) != live {
                self.close(id, &mut acts);
            }
        }
        acts
    }

    /// Ends one contact.
    pub fn drop_contact(&mut self, id: ConnectionId, why: Why) -> Vec<Act<S>> {
        let mut acts = Vec::new();
        if let Some(link) = self.links.get(&id)
            && link.phase == Phase::Live
        {
            let peer = link.peer;
            self.stop_contact(peer, why, &mut acts);
        }
        acts
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Instant) -> Vec<Act<S>> {
        let late = |link: &Link<S>| link.deadline.is_some_and(|deadline| deadline <= now);
        let late: Vec<_> = self.links.iter().filter(|(_, link)| late(link)).map(|(id, _)| *id).collect();
        let mut acts = Vec::new();
        for id in late {
            let link = &self.links[&id];
            let (peer, spare) = (link.peer, link.phase == Phase::Spare);
            if spare && self.leads(peer) && self.pair(peer).live.is_some() && self.pair(peer).chosen.is_none() {
                self.choose(id, now, &mut acts);
                self.stop_contact(peer, Why::Replaced, &mut acts);
            } else {
                self.close(id, &mut acts);
            }
        }
        acts
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(|link| link.deadline).min()
    }

    /// Whether any connection with the peer stands or its contact still runs.
    pub fn knows(&self, peer: NodeId) -> bool {
        self.pairs.contains_key(&peer)
    }

    fn leads(&self, peer: NodeId) -> bool {
        self.me < peer
    }

    fn pair(&mut self, peer: NodeId) -> &mut Pair {
        self.pairs.entry(peer).or_default()
    }

    fn links_of(&self, peer: NodeId) -> Vec<ConnectionId> {
        self.pairs.get(&peer).map(|pair| pair.links.clone()).unwrap_or_default()
    }

    fn set_deadline(&mut self, id: ConnectionId, at: Instant) {
        if let Some(link) = self.links.get_mut(&id) {
            link.deadline = Some(at);
        }
    }

    fn choose(&mut self, id: ConnectionId, now: Instant, acts: &mut Vec<Act<S>>) {
        let deadline = now + self.patience;
        let Some(link) = self.links.get_mut(&id) else { return };
        link.phase = Phase::Chosen;
        link.deadline = Some(deadline);
        let peer = link.peer;
        self.pair(peer).chosen = Some(id);
        acts.push(Act::Open(id));
    }

    /// The leader goes on with a connection that was in reserve.
    fn choose_another(&mut self, peer: NodeId, now: Instant, acts: &mut Vec<Act<S>>) {
        let Some(pair) = self.pairs.get(&peer) else { return };
        if !self.leads(peer) || pair.chosen.is_some() || pair.live.is_some() {
            return;
        }
        let spare = pair.links.iter().rev().find(|id| self.links[id].phase == Phase::Spare);
        if let Some(id) = spare.copied() {
            self.choose(id, now, acts);
        }
    }

    fn start_if_ready(&mut self, peer: NodeId, acts: &mut Vec<Act<S>>) {
        let pair = self.pair(peer);
        let (Some(id), None) = (pair.chosen, pair.live) else { return };
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.inbound.is_none() || link.outbound.is_none() {
            return;
        }
        let (inbound, outbound) = (link.inbound.take(), link.outbound.take());
        link.phase = Phase::Live;
        link.deadline = None;
        let pair = self.pair(peer);
        pair.chosen = None;
        pair.live = Some(id);
        if let (Some(inbound), Some(outbound)) = (inbound, outbound) {
            acts.push(Act::Start { connection: id, peer, inbound, outbound });
        }
        let leads = self.leads(peer);
        for other in self.links_of(peer) {
            if other != id && (leads || self.links[&other].we_dialed) {
                self.close(other, acts);
            }
        }
    }

    fn stop_contact(&mut self, peer: NodeId, why: Why, acts: &mut Vec<Act<S>>) {
        let Some(pair) = self.pairs.get_mut(&peer) else { return };
        if let Some(id) = pair.live
            && !pair.stopping
        {
            pair.stopping = true;
            acts.push(Act::Stop(id, why));
        }
    }

    fn close(&mut self, id: ConnectionId, acts: &mut Vec<Act<S>>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.phase != Phase::Closing {
            link.phase = Phase::Closing;
            link.deadline = None;
            link.inbound = None;
            link.outbound = None;
            acts.push(Act::Close(id));
        }
    }

    fn tidy(&mut self, peer: NodeId) {
        if self.pairs.get(&peer).is_some_and(|pair| pair.links.is_empty() && pair.live.is_none()) {
            self.pairs.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const LOW: NodeId = NodeId::from_trusted([1; 32]);
    const HIGH: NodeId = NodeId::from_trusted([2; 32]);

    fn id(n: usize) -> ConnectionId {
        ConnectionId::new_unchecked(n)
    }

    fn start(n: usize, peer: NodeId) -> Act<&'static str> {
        Act::Start { connection: id(n), peer, inbound: "in", outbound: "out" }
    }

    fn leader() -> Links<&'static str> {
        Links::new(LOW, PATIENCE)
    }

    fn follower() -> Links<&'static str> {
        Links::new(HIGH, PATIENCE)
    }

    /// Brings a contact up over connection 1, which the other side dialed.
    fn with_contact(mut links: Links<&'static str>, peer: NodeId, now: Instant) -> Links<&'static str> {
        links.connected(id(1), peer, false, now);
        links.stream_in(id(1), "in", now);
        assert_eq!(links.stream_out(id(1), "out"), [start(1, peer)]);
        links
    }

    #[test]
    fn the_leader_opens_at_once_and_the_follower_answers() {
        let now = Instant::now();
        let mut leader = leader();
        assert_eq!(leader.connected(id(1), HIGH, true, now), [Act::Open(id(1))]);
        assert_eq!(leader.stream_out(id(1), "out"), []);
        assert_eq!(leader.stream_in(id(1), "in", now), [start(1, HIGH)]);
        let mut follower = follower();
        assert_eq!(follower.connected(id(1), LOW, false, now), []);
        assert_eq!(follower.stream_in(id(1), "in", now), [Act::Open(id(1))]);
        assert_eq!(follower.stream_out(id(1), "out"), [start(1, LOW)]);
    }

    #[test]
    fn of_two_connections_dialed_at_once_one_carries_and_the_other_closes() {
        let now = Instant::now();
        let mut leader = leader();
        assert_eq!(leader.connected(id(1), HIGH, true, now), [Act::Open(id(1))]);
        assert_eq!(leader.connected(id(2), HIGH, false, now), []);
        leader.stream_out(id(1), "out");
        assert_eq!(leader.stream_in(id(1), "in", now), [start(1, HIGH), Act::Close(id(2))]);

        let mut follower = follower();
        follower.connected(id(2), LOW, true, now);
        follower.connected(id(1), LOW, false, now);
        assert_eq!(follower.stream_in(id(1), "in", now), [Act::Open(id(1))]);
        assert_eq!(follower.stream_out(id(1), "out"), [start(1, LOW), Act::Close(id(2))]);
    }

    #[test]
    fn a_superfluous_dial_is_closed_by_who_dialed() {
        let now = Instant::now();
        for (links, peer) in [(leader(), HIGH), (follower(), LOW)] {
            let mut links = with_contact_either(links, peer, now);
            assert_eq!(links.connected(id(2), peer, true, now), [Act::Close(id(2))]);
        }
    }

    /// As [`with_contact`], for either side.
    fn with_contact_either(mut links: Links<&'static str>, peer: NodeId, now: Instant) -> Links<&'static str> {
        links.connected(id(1), peer, true, now);
        let mut acts = links.stream_in(id(1), "in", now);
        acts.extend(links.stream_out(id(1), "out"));
        assert!(acts.contains(&start(1, peer)));
        links
    }

    #[test]
    fn a_follower_that_returns_is_taken_over_after_the_grace() {
        let now = Instant::now();
        let mut links = leader();
        links.connected(id(1), HIGH, false, now);
        links.stream_out(id(1), "out");
        links.stream_in(id(1), "in", now);
        assert_eq!(links.connected(id(2), HIGH, false, now), []);
        assert_eq!(links.next_deadline(), Some(now + GRACE));
        assert_eq!(links.tick(now + GRACE), [Act::Open(id(2)), Act::Stop(id(1), Why::Replaced)]);
        assert_eq!(links.stream_out(id(2), "out"), []);
        // The old contact must have ended before the new one begins.
        assert_eq!(links.stream_in(id(2), "in", now + GRACE), []);
        assert_eq!(links.ended(id(1), HIGH, now + GRACE), [Act::Close(id(1)), start(2, HIGH)]);
    }

    #[test]
    fn a_leader_that_returns_replaces_the_contact() {
        let now = Instant::now();
        let mut links = with_contact(follower(), LOW, now);
        assert_eq!(links.connected(id(2), LOW, false, now), []);
        assert_eq!(links.stream_in(id(2), "in", now), [Act::Open(id(2)), Act::Stop(id(1), Why::Replaced)]);
        assert_eq!(links.stream_out(id(2), "out"), []);
        assert_eq!(links.ended(id(1), LOW, now), [Act::Close(id(1)), start(2, LOW)]);
    }

    #[test]
    fn a_connection_without_a_contact_is_closed_when_patience_ends() {
        let now = Instant::now();
        for (mut links, peer) in [(leader(), HIGH), (follower(), LOW)] {
            links.connected(id(1), peer, false, now);
            assert_eq!(links.tick(now + PATIENCE - Duration::from_millis(1)), []);
            assert_eq!(links.tick(now + PATIENCE), [Act::Close(id(1))]);
            links.disconnected(id(1), now + PATIENCE);
            assert!(!links.knows(peer));
        }
    }

    #[test]
    fn the_leader_goes_on_with_the_spare_when_the_chosen_breaks() {
        let now = Instant::now();
        let mut links = leader();
        links.connected(id(1), HIGH, true, now);
        links.connected(id(2), HIGH, false, now);
        assert_eq!(links.disconnected(id(1), now), [Act::Open(id(2))]);
    }

    #[test]
    fn a_contact_is_not_started_anew_before_its_end_is_known() {
        let now = Instant::now();
        let mut links = with_contact(follower(), LOW, now);
        links.disconnected(id(1), now);
        assert!(links.knows(LOW));
        links.connected(id(2), LOW, false, now);
        links.stream_in(id(2), "in", now);
        assert_eq!(links.stream_out(id(2), "out"), []);
        assert_eq!(links.ended(id(1), LOW, now), [start(2, LOW)]);
    }
}
