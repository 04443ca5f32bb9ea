//! One contact: what the peer said of itself, what waits to go, and what is in flight.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::backlog::Backlog;
use crate::agent::change::Row;
use crate::agent::custody::Slot;
use crate::agent::summary::{Claim, Reconciliation};
use crate::eid::Eid;
use crate::frame::{Grade, Hello, Interest};
use crate::id::{BundleId, NodeId};
use crate::time::{HOUR, Millis, SECOND, Timestamp};

/// Most ids that may wait to be offered to one peer.
pub const OFFERS_MAX: usize = 16_384;
/// As many in a queue keep any window full; what else a peer lacks waits in the backlog.
const QUEUED_MAX: usize = 4_096;
/// Most refused bundles remembered for another try.
const RETRIES_MAX: usize = 4_096;
/// Most mail without room remembered; of the rest the peer tries again when its time comes.
const WITHOUT_ROOM_MAX: usize = 1_024;
/// The longest wait for another try.
const RETRY_MAX: Millis = HOUR;
/// After so many tries the wait is the longest there is, whatever the peer asks for.
const TRIES_MAX: u32 = 12;

/// What goes first: lower orders do. Stage, class and priority turned over, then the strategy's rank.
pub type Order = (Stage, u8, u8, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Receipts let the peer forget what it would send in vain.
    Receipt,
    ForPeer,
    Other,
}

/// What a peer's Hello showed interest with.
#[derive(Debug)]
struct Interests {
    nonce: [u8; 16],
    peer: NodeId,
    shown: Vec<Interest>,
}

/// A bundle sent and not yet answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    pub size_bytes: u32,
    /// Spray copies that went with it.
    pub copies: u16,
}

#[derive(Debug)]
pub struct Contact {
    pub since: Timestamp,
    /// What this node's Hello said of its summary.
    pub claim: Claim,
    /// The first row that is not in that summary.
    pub rows_said: Row,
    /// Whether it said that this node carries for others.
    pub said_carries: bool,
    /// The peer's Hello, once it came.
    pub hello: Option<Hello>,
    /// Endpoints the peer serves: bundles for them go first and without asking the strategy.
    pub endpoints: Vec<Eid>,
    /// What its Hello showed interest with, and what that is hashed under.
    interests: Option<Interests>,
    pub reconciliation: Option<Reconciliation>,
    /// What the reconciliation has shown the peer to lack so far.
    pub lacks: BTreeSet<BundleId>,
    /// What it lacks and was neither offered nor sent yet, what the queue had no room for, and of whose longer life it is
    /// to hear.
    pub backlog: Backlog,
    /// How much of it was offered.
    proposed: usize,
    queue: BTreeSet<(Order, Slot)>,
    queued: BTreeMap<Slot, Order>,
    in_flight: BTreeMap<BundleId, Flight>,
    in_flight_bytes: u64,
    /// When something last moved for which the peer has to do its part.
    pub moved_at: Timestamp,
    /// Ids for the next Offer; before the peer's Hello they wait to be looked at.
    to_offer: Vec<BundleId>,
    /// Sources whose receipts were shown again during this contact.
    pub shown: BTreeSet<NodeId>,
    /// Answers that wait for the end of the batch.
    pub grants: Vec<(BundleId, Grade)>,
    /// Whether something was declined here that may be wanted later.
    pub declined: bool,
    /// Since when this node is interested in more than its Hello said, or in what was declined.
    pub outgrown: Option<Timestamp>,
    retries: BTreeSet<(Timestamp, BundleId)>,
    /// Mail for this node that the peer brought and that found no room, with its source and size.
    without_room: BTreeMap<BundleId, (NodeId, u32)>,
    /// One's own messages that the peer has no room for, or that are larger than it takes.
    turned_away: BTreeSet<BundleId>,
    /// How many times something was tried again since the peer last accepted anything.
    tries: u32,
    pub bundles_sent: u64,
    pub bundles_received: u64,
}

impl Contact {
    pub fn new(since: Timestamp, hello: &Hello, rows_said: Row) -> Contact {
        Contact {
            since,
            claim: Claim::of(hello),
            rows_said,
            said_carries: hello.carries,
            hello: None,
            endpoints: Vec::new(),
            interests: None,
            reconciliation: None,
            lacks: BTreeSet::new(),
            backlog: Backlog::default(),
            proposed: 0,
            queue: BTreeSet::new(),
            queued: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            in_flight_bytes: 0,
            moved_at: since,
            to_offer: Vec::new(),
            shown: BTreeSet::new(),
            grants: Vec::new(),
            declined: false,
            outgrown: None,
            retries: BTreeSet::new(),
            without_room: BTreeMap::new(),
            turned_away: BTreeSet::new(),
            tries: 0,
            bundles_sent: 0,
            bundles_received: 0,
        }
    }

    /// Another contact would bring more; the first change of several counts.
    pub fn outgrow(&mut self, now: Timestamp) {
        self.outgrown.get_or_insert(now);
    }

    /// Offers an id at the end of the batch; false where too many are offered in this one already.
    pub fn offer(&mut self, id: BundleId) -> bool {
        let room = self.to_offer.len() < OFFERS_MAX;
        if room {
            self.to_offer.push(id);
        }
        room
    }

    /// Offers what the peer lacks; false where it was offered enough, and the window has to pace the rest.
    pub fn propose(&mut self, id: BundleId) -> bool {
        let is_offered = self.proposed < OFFERS_MAX && self.offer(id);
        self.proposed += usize::from(is_offered);
        is_offered
    }

    /// Whether the peer has to hear of more, or lacks more and there is room for it.
    pub fn wants_turn(&self) -> bool {
        self.backlog.has_renewed() || self.has_room_for_more()
    }

    /// Whether there is room for more of the backlog.
    pub fn has_room_for_more(&self) -> bool {
        !self.backlog.is_empty() && self.queued.len() < QUEUED_MAX
    }

    pub fn take_offers(&mut self) -> Vec<BundleId> {
        std::mem::take(&mut self.to_offer)
    }

    pub fn serves(&self, endpoint: &Eid) -> bool {
        self.endpoints.contains(endpoint)
    }

    /// Keeps what the peer's Hello said, and what it serves.
    pub fn greeted(&mut self, peer: NodeId, endpoints: Vec<Eid>, mut hello: Hello) {
        let shown = std::mem::take(&mut hello.interests);
        self.interests = (!shown.is_empty()).then_some(Interests { nonce: hello.nonce, peer, shown });
        self.endpoints = endpoints;
        self.hello = Some(hello);
    }

    /// Whether the peer showed interest in any group.
    pub fn has_interests(&self) -> bool {
        self.interests.is_some()
    }

    /// Whether the peer serves an endpoint, or shows that it is one of those who serve a group.
    pub fn wants(&self, endpoint: &Eid) -> bool {
        let shows = |interests: &Interests| {
            interests.shown.contains(&Interest::of(&interests.nonce, &interests.peer, endpoint))
        };
        match endpoint.has_members() {
            true => self.interests.as_ref().is_some_and(shows),
            false => self.serves(endpoint),
        }
    }

    pub fn enqueue(&mut self, slot: Slot, order: Order) {
        // A bundle asked for twice goes once, in its first order.
        if self.queued.contains_key(&slot) {
            return;
        }
        self.queued.insert(slot, order);
        self.queue.insert((order, slot));
        self.backlog.take_back(slot);
        // Many contacts may serve one mailbox over a full store: the last in order waits where it takes one bit.
        if self.queued.len() > QUEUED_MAX
            && let Some((_, last)) = self.queue.last().copied()
        {
            self.unqueue(last);
            self.backlog.set_aside(last);
        }
    }

    /// Takes what was queued and had to give way, as far as there is room again.
    pub fn take_set_aside(&mut self) -> Vec<Slot> {
        self.backlog.take_set_aside(QUEUED_MAX.saturating_sub(self.queued.len()))
    }

    /// Forgets a slot that is about to be empty.
    pub fn leave_out(&mut self, slot: Slot) {
        self.unqueue(slot);
        self.backlog.remove(slot);
    }

    /// Takes a slot out of the queue, where it is in it.
    fn unqueue(&mut self, slot: Slot) {
        let Some(order) = self.queued.remove(&slot) else { return };
        self.queue.remove(&(order, slot));
    }

    /// The slot that goes next, if the window has room for it.
    pub fn next(&mut self, window_bytes: u32) -> Option<Slot> {
        if self.in_flight_bytes >= u64::from(window_bytes) {
            return None;
        }
        let (_, slot) = *self.queue.first()?;
        self.unqueue(slot);
        Some(slot)
    }

    pub fn is_in_flight(&self, id: &BundleId) -> bool {
        self.in_flight.contains_key(id)
    }

    /// The id in flight with this prefix. None where two have it: whoever made such a pair waits for its answer.
    pub fn in_flight_with(&self, prefix: u64) -> Option<BundleId> {
        let mut ids = self.in_flight.range(BundleId::with_prefix(prefix)).map(|(id, _)| *id);
        ids.next().filter(|_| ids.next().is_none())
    }

    /// Notes that something left; returns what was in flight under its id before.
    pub fn sent(&mut self, id: BundleId, flight: Flight) -> Option<Flight> {
        self.in_flight_bytes += u64::from(flight.size_bytes);
        let before = self.in_flight.insert(id, flight)?;
        self.in_flight_bytes -= u64::from(before.size_bytes);
        Some(before)
    }

    /// The peer answered for this id.
    pub fn answered(&mut self, id: &BundleId) -> Option<Flight> {
        let flight = self.in_flight.remove(id)?;
        self.in_flight_bytes -= u64::from(flight.size_bytes);
        Some(flight)
    }

    pub fn into_flights(self) -> BTreeMap<BundleId, Flight> {
        self.in_flight
    }

    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight_bytes
    }

    /// Tries a refused bundle again: when the peer says, and half as often after each time it had no room.
    pub fn retry_after(&mut self, id: BundleId, now: Timestamp, after: Millis) {
        let after = Millis(after.0.clamp(SECOND.0, RETRY_MAX.0)).times(1 << self.tries.min(TRIES_MAX));
        if self.retries.len() < RETRIES_MAX {
            self.retries.insert((now + after.min(RETRY_MAX), id));
        }
    }

    /// Mail for this node found no room.
    pub fn lacked_room(&mut self, id: BundleId, source: NodeId, size_bytes: u32) {
        if self.without_room.len() < WITHOUT_ROOM_MAX {
            self.without_room.insert(id, (source, size_bytes));
        }
    }

    /// Mail for this node that the peer brought in vain, with its source and size.
    pub fn without_room(&self) -> impl Iterator<Item = (&BundleId, &(NodeId, u32))> {
        self.without_room.iter()
    }

    /// It need not be remembered any more that this found no room.
    pub fn found_room(&mut self, id: &BundleId) {
        self.without_room.remove(id);
    }

    /// The peer turned one's own message away for its size; of more than so many it is known well enough.
    pub fn turns_away(&mut self, id: BundleId) {
        if self.turned_away.len() < WITHOUT_ROOM_MAX {
            self.turned_away.insert(id);
        }
    }

    /// The peer took it after all, or its place here is another's.
    pub fn took(&mut self, id: &BundleId) {
        self.turned_away.remove(id);
    }

    /// One's own messages that the peer turned away for their size.
    pub fn turned_away(&self) -> &BTreeSet<BundleId> {
        &self.turned_away
    }

    /// The peer has room for something.
    pub fn has_room(&mut self) {
        self.tries = 0;
    }

    pub fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// The ids whose next try is due.
    pub fn take_retries(&mut self, now: Timestamp) -> Vec<BundleId> {
        let later = self.retries.split_off(&(now + Millis(1), BundleId([0; 32])));
        let due = std::mem::replace(&mut self.retries, later);
        self.tries += u32::from(!due.is_empty());
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether the end of the batch has nothing to say here.
    pub fn is_settled(&self) -> bool {
        (self.to_offer.is_empty() || self.hello.is_none()) && self.grants.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{PROTOCOL_VERSION, RoutingInfo};

    fn contact() -> Contact {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: 0,
            window_bytes: 0,
            carries: true,
            pushes: true,
            mailboxes: Vec::new(),
            routing: RoutingInfo::None,
            nonce: [0; 16],
            count: 0,
            root: [0; 16],
            interests: Vec::new(),
        };
        Contact::new(Timestamp(0), &hello, Row(0))
    }

    #[test]
    fn an_answer_is_for_what_is_in_flight_and_begins_like_nothing_else_there() {
        let mut contact = contact();
        let [one, twin, other] = [[7; 32], [[7; 16], [8; 16]].concat().try_into().unwrap(), [9; 32]].map(BundleId);
        [one, other]
            .into_iter()
            .for_each(|id| assert_eq!(contact.sent(id, Flight { size_bytes: 1, copies: 0 }).map(|_| ()), None));
        assert_eq!([one, other].map(|id| contact.in_flight_with(id.prefix())), [Some(one), Some(other)]);
        contact.sent(twin, Flight { size_bytes: 1, copies: 0 });
        assert_eq!([one, other].map(|id| contact.in_flight_with(id.prefix())), [None, Some(other)]);
        contact.answered(&one);
        assert_eq!(contact.in_flight_with(one.prefix()), Some(twin));
        assert_eq!(contact.in_flight_with(0), None);
    }

    #[test]
    fn past_its_bound_a_queue_keeps_what_goes_first_and_the_rest_waits_in_the_backlog() {
        let mut contact = contact();
        let all = 3 * QUEUED_MAX as Slot;
        for slot in 0..all {
            // The last to come goes first.
            contact.enqueue(slot, (Stage::ForPeer, 0, 0, u64::from(all - slot)));
            assert!(contact.queued.len() <= QUEUED_MAX && contact.queue.len() == contact.queued.len());
        }
        let mut gone = Vec::new();
        while let Some(slot) = contact.next(1) {
            gone.push(slot);
            for slot in contact.take_set_aside() {
                contact.enqueue(slot, (Stage::ForPeer, 0, 0, u64::from(all - slot)));
            }
        }
        assert_eq!(gone[..QUEUED_MAX], Vec::from_iter((2 * QUEUED_MAX as Slot..all).rev()));
        gone.sort_unstable();
        assert_eq!(gone, Vec::from_iter(0..all), "each goes once");
    }
}
