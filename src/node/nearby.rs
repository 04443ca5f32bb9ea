//! Who was heard on the network, and where this node listens: what people may be shown, bounded.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::{Notify, broadcast};

use crate::id::NodeId;
use crate::net::interfaces::Interfaces;

/// Most nodes remembered; one more takes the place of the one that was heard least lately.
const SIGHTINGS_MAX: usize = 1_024;
/// Most names that are kept of nodes whose contact has not begun.
const EARLY_MAX: usize = 64;
/// Addresses remembered of one node.
const ADDRESSES_MAX: usize = 4;
/// How long a word counts; who is there says so more often.
const LATELY: Duration = Duration::from_secs(200);
/// How long a machine that answers to this node's name is spoken of after it was met last.
const TWIN_LATELY: Duration = Duration::from_secs(600);
/// How often the log says so.
pub const TWIN_AGAIN: Duration = Duration::from_secs(300);
/// Contacts that a slow follower may lag behind.
const MEETINGS_MAX: usize = 256;

/// A node that was heard lately, or is met now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Where it can be dialed; of a contact that it dialed itself perhaps its host only.
    pub addr: String,
    /// Since it was heard; nothing while there is a contact.
    pub ago: Duration,
    /// What it calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
}

#[derive(Debug)]
pub struct Nearby {
    state: Mutex<State>,
    listens: Notify,
    met: broadcast::Sender<NodeId>,
}

impl Default for Nearby {
    fn default() -> Nearby {
        Nearby { state: Mutex::default(), listens: Notify::default(), met: broadcast::channel(MEETINGS_MAX).0 }
    }
}

#[derive(Debug, Default)]
struct State {
    listening: Vec<Multiaddr>,
    /// Addresses and when each was heard.
    seen: BTreeMap<NodeId, BTreeMap<Multiaddr, Instant>>,
    /// What nodes call themselves that are seen or connected.
    nicknames: BTreeMap<NodeId, String>,
    /// The same of nodes whose contact is about to begin.
    early_nicknames: BTreeMap<NodeId, String>,
    connected: BTreeMap<NodeId, Multiaddr>,
    twin: Option<Twin>,
}

/// A machine that proved to have this node's own key.
#[derive(Debug)]
struct Twin {
    addr: Multiaddr,
    met: Instant,
}

impl Nearby {
    pub fn listens(&self, addr: Multiaddr) {
        let mut state = self.state();
        if !state.listening.contains(&addr) {
            state.listening.push(addr);
        }
        drop(state);
        self.listens.notify_one();
    }

    /// The interface of an address is gone.
    pub fn listens_no_more(&self, addr: &Multiaddr) {
        self.state().listening.retain(|known| known != addr);
    }

    /// Returns after the next address was added.
    pub async fn changed(&self) {
        self.listens.notified().await;
    }

    pub fn listening(&self) -> Vec<String> {
        self.state().listening.iter().map(Multiaddr::to_string).collect()
    }

    /// Of the addresses it listens on those that others may be told now; see [`Interfaces::offer`].
    pub fn offered(&self) -> Vec<Multiaddr> {
        let listening = self.state().listening.clone();
        match Interfaces::now() {
            Ok(interfaces) => interfaces.offer(&listening),
            Err(_) => listening,
        }
    }

    /// Whether there is an address for each of `wanted`.
    pub fn listens_on(&self, wanted: &[Multiaddr]) -> bool {
        let state = self.state();
        wanted.iter().all(|wanted| state.listening.iter().any(|found| is_one_of(found, wanted)))
    }

    /// A node was heard at an address; says whether it was not around before.
    pub fn saw(&self, node: NodeId, addr: Multiaddr, now: Instant) -> bool {
        let mut state = self.state();
        let was_heard = state.seen.get(&node).is_some_and(|addrs| addrs.values().any(|at| now < *at + LATELY));
        let is_new = !was_heard && !state.connected.contains_key(&node);
        if state.seen.len() >= SIGHTINGS_MAX && !state.seen.contains_key(&node) {
            let newest = |addrs: &BTreeMap<Multiaddr, Instant>| addrs.values().max().copied();
            let oldest = state.seen.iter().min_by_key(|(_, addrs)| newest(addrs)).map(|(node, _)| *node);
            oldest.into_iter().for_each(|node| state.forget(&node));
        }
        let addrs = state.seen.entry(node).or_default();
        if addrs.len() >= ADDRESSES_MAX && !addrs.contains_key(&addr) {
            let oldest = addrs.iter().min_by_key(|(_, at)| **at).map(|(addr, _)| addr.clone());
            oldest.map(|addr| addrs.remove(&addr));
        }
        addrs.insert(addr, now);
        is_new
    }

    /// A node said goodbye at an address, or fell silent there; says whether it is around no more.
    pub fn vanished(&self, node: &NodeId, addr: &Multiaddr) -> bool {
        let mut state = self.state();
        let Some(addrs) = state.seen.get_mut(node) else { return false };
        addrs.remove(addr);
        if !addrs.is_empty() {
            return false;
        }
        state.forget(node);
        !state.connected.contains_key(node)
    }

    /// Says whether who is around is called otherwise from now on.
    pub fn calls_itself(&self, node: NodeId, nickname: String) -> bool {
        let mut state = self.state();
        // It can be told of nodes that are remembered only, so it is bounded with them.
        if state.seen.contains_key(&node) || state.connected.contains_key(&node) {
            return state.nicknames.insert(node, nickname.clone()) != Some(nickname);
        }
        if state.early_nicknames.len() < EARLY_MAX || state.early_nicknames.contains_key(&node) {
            state.early_nicknames.insert(node, nickname);
        } else {
            // Connections that came to no contact left theirs behind.
            state.early_nicknames = BTreeMap::from([(node, nickname)]);
        }
        false
    }

    pub fn connected(&self, node: NodeId, addr: Multiaddr) {
        let mut state = self.state();
        state.connected.insert(node, addr);
        if let Some(nickname) = state.early_nicknames.remove(&node) {
            state.nicknames.insert(node, nickname);
        }
        drop(state);
        // Nobody may be following.
        let _ = self.met.send(node);
    }

    /// Contacts as they begin, from now on.
    pub fn follow(&self) -> broadcast::Receiver<NodeId> {
        self.met.subscribe()
    }

    /// A contact ended. What was heard of the node before says nothing any more; it is asked for again.
    pub fn parted(&self, node: &NodeId) {
        let mut state = self.state();
        state.connected.remove(node);
        state.forget(node);
    }

    /// The address of a contact that lasts.
    pub fn address_of(&self, node: &NodeId) -> Option<String> {
        let state = self.state();
        state.connected.contains_key(node).then(|| state.place(node)).flatten()
    }

    pub fn nickname(&self, node: &NodeId) -> Option<String> {
        self.state().nicknames.get(node).cloned()
    }

    /// Who was heard lately or is met now.
    pub fn around(&self, now: Instant) -> Vec<(NodeId, Sighting)> {
        let state = self.state();
        let nodes: std::collections::BTreeSet<&NodeId> = state.seen.keys().chain(state.connected.keys()).collect();
        let sighting = |node: &&NodeId| {
            let heard = state.seen.get(node).and_then(|addrs| addrs.values().max());
            let ago = match state.connected.contains_key(node) {
                true => Duration::ZERO,
                false => heard.map(|at| now.saturating_duration_since(*at)).filter(|ago| *ago < LATELY)?,
            };
            let nickname = state.nicknames.get(node).cloned();
            Some((**node, Sighting { addr: state.place(node)?, ago, nickname }))
        };
        nodes.iter().filter_map(sighting).collect()
    }

    /// Another machine proved to have this node's key.
    pub fn met_twin(&self, addr: Multiaddr, now: Instant) {
        self.state().twin = Some(Twin { addr, met: now });
    }

    /// Where this node's own key was met lately on another machine.
    pub fn twin(&self, now: Instant) -> Option<String> {
        let state = self.state();
        let twin = state.twin.as_ref().filter(|twin| now < twin.met + TWIN_LATELY);
        twin.map(|twin| twin.addr.to_string())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, node: &NodeId) {
        self.seen.remove(node);
        if !self.connected.contains_key(node) {
            self.nicknames.remove(node);
        }
    }

    /// Where a node can be dialed: where it was, or where it said so last; else the host that it dialed from. Addresses of
    /// one link are the last that people can use.
    fn place(&self, node: &NodeId) -> Option<String> {
        let contact = self.connected.get(node);
        let dialed = contact.filter(|addr| addr.iter().any(|part| matches!(part, Protocol::Tcp(_))));
        let of_one_link = |addr: &Multiaddr| matches!(addr.iter().next(), Some(Protocol::Ip6zone(_)));
        let heard = || self.seen.get(node)?.iter().max_by_key(|(addr, at)| (!of_one_link(addr), **at));
        dialed.or_else(|| heard().map(|(addr, _)| addr)).or(contact).map(Multiaddr::to_string)
    }
}

/// Whether `found` came of a wish for `wanted`, in which every interface and any port have a zero.
fn is_one_of(found: &Multiaddr, wanted: &Multiaddr) -> bool {
    wanted.iter().zip(found).all(|(wanted, found)| match (&wanted, &found) {
        (Protocol::Ip4(any), Protocol::Ip4(_)) if any.is_unspecified() => true,
        (Protocol::Ip6(any), Protocol::Ip6(_)) if any.is_unspecified() => true,
        (Protocol::Tcp(0), Protocol::Tcp(_)) => true,
        _ => wanted == found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: NodeId = NodeId::from_trusted([1; 32]);

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_wish_may_bring_many_addresses_and_does_not_answer_another() {
        let nearby = Nearby::default();
        let wanted = [addr("/ip4/0.0.0.0/tcp/0"), addr("/ip4/127.0.0.1/tcp/7")];
        nearby.listens(addr("/ip4/127.0.0.1/tcp/4711"));
        nearby.listens(addr("/ip4/192.0.2.1/tcp/4711"));
        assert!(!nearby.listens_on(&wanted));
        nearby.listens(addr("/ip4/127.0.0.1/tcp/7"));
        assert!(nearby.listens_on(&wanted));
        nearby.listens_no_more(&addr("/ip4/127.0.0.1/tcp/7"));
        assert!(!nearby.listens_on(&wanted) && nearby.listening().len() == 2);
    }

    #[test]
    fn who_is_heard_is_shown_until_it_leaves_everywhere_or_falls_silent() {
        let (nearby, now) = (Nearby::default(), Instant::now());
        let [v4, v6] = [addr("/ip4/10.0.0.1/tcp/7"), addr("/ip6/2001:db8::1/tcp/7")];
        nearby.saw(ALICE, v4.clone(), now);
        nearby.saw(ALICE, v6.clone(), now);
        nearby.calls_itself(ALICE, "alice".into());
        nearby.vanished(&ALICE, &v6);
        let shown = Sighting { addr: v4.to_string(), ago: Duration::from_secs(9), nickname: Some("alice".into()) };
        assert_eq!(nearby.around(now + Duration::from_secs(9)), [(ALICE, shown)]);
        assert_eq!(nearby.around(now + LATELY), []);
        nearby.vanished(&ALICE, &v4);
        assert_eq!((nearby.around(now), nearby.nickname(&ALICE)), (vec![], None));
    }

    #[test]
    fn a_contact_that_ended_is_not_near_until_it_is_heard_again() {
        let (nearby, now) = (Nearby::default(), Instant::now());
        let place = addr("/ip4/10.0.0.1/tcp/7");
        nearby.saw(ALICE, place.clone(), now);
        nearby.connected(ALICE, place.clone());
        assert_eq!(nearby.around(now + LATELY)[0].1.ago, Duration::ZERO, "who is met now is near");
        nearby.parted(&ALICE);
        assert_eq!(nearby.around(now), []);
        nearby.saw(ALICE, place, now);
        assert_eq!(nearby.around(now).len(), 1);
    }

    #[test]
    fn what_a_node_says_before_its_contact_begins_is_heard_and_of_those_who_never_begin_one_only_so_much() {
        let nearby = Nearby::default();
        nearby.calls_itself(ALICE, "alice".into());
        assert_eq!(nearby.nickname(&ALICE), None);
        nearby.connected(ALICE, addr("/ip4/10.0.0.1"));
        assert_eq!(nearby.nickname(&ALICE).as_deref(), Some("alice"));
        for n in 0..1_000u32 {
            nearby.calls_itself(NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes()), "n".into());
            assert!(nearby.state().early_nicknames.len() <= EARLY_MAX);
        }
    }

    #[test]
    fn the_address_shown_is_one_that_can_be_dialed() {
        let (nearby, now) = (Nearby::default(), Instant::now());
        let [host, of_link, v4] = ["/ip4/10.0.0.1", "/ip6zone/eth0/ip6/fe80::1/tcp/7", "/ip4/10.0.0.1/tcp/7"].map(addr);
        let shown = || nearby.around(now)[0].1.addr.clone();
        nearby.connected(ALICE, host.clone());
        assert_eq!(shown(), host.to_string(), "it dialed itself, and said nothing yet");
        nearby.saw(ALICE, v4.clone(), now);
        nearby.saw(ALICE, of_link.clone(), now);
        assert_eq!(shown(), v4.to_string());
        nearby.connected(ALICE, of_link.clone());
        assert_eq!(shown(), of_link.to_string(), "where it was dialed");
    }

    #[test]
    fn the_places_for_those_who_were_heard_are_bounded_and_the_least_lately_heard_go_first() {
        let (nearby, now) = (Nearby::default(), Instant::now());
        for n in 0..2_000u32 {
            let node = NodeId::from_trusted(*blake3::hash(&n.to_be_bytes()).as_bytes());
            nearby.saw(node, addr("/ip4/10.0.0.1/tcp/7"), now + Duration::from_millis(n.into()));
            nearby.calls_itself(node, "n".into());
        }
        for port in 1..100 {
            let is_news = nearby.saw(ALICE, addr(&format!("/ip4/10.0.0.1/tcp/{port}")), now + LATELY / 2);
            assert_eq!(is_news, port == 1, "she is heard again and again");
        }
        let state = nearby.state();
        assert_eq!((state.seen.len(), state.nicknames.len()), (SIGHTINGS_MAX, SIGHTINGS_MAX - 1));
        assert_eq!(state.seen[&ALICE].len(), ADDRESSES_MAX);
    }

    #[test]
    fn a_twin_is_spoken_of_while_it_lasts() {
        let (nearby, now) = (Nearby::default(), Instant::now());
        let there = addr("/ip4/10.0.0.9/tcp/7");
        nearby.met_twin(there.clone(), now);
        nearby.met_twin(there.clone(), now + TWIN_LATELY / 2);
        assert_eq!(nearby.twin(now + TWIN_LATELY), Some(there.to_string()));
        assert_eq!(nearby.twin(now + TWIN_LATELY / 2 + TWIN_LATELY), None);
    }
}
