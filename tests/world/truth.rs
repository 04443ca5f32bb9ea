//! What really happened, kept beside the agents, and the promises checked against it after every step.

use std::collections::{BTreeMap, BTreeSet};

use dak::agent::change::{Change, Class, EVENTS_MAX, Evidence, EvidenceKind, Held, Letter, Outgoing, Row, Standing};
use dak::agent::io::Gone;
use dak::agent::{Agent, Event, Input, Output, cost_bytes};
use dak::frame::Grade;
use dak::id::{BundleId, NodeId};
use dak::time::Timestamp;

/// Everything committed anywhere, by what it says and not by what the agents think of it.
#[derive(Default)]
pub struct Truth {
    /// Whose deeds are known; what others say of themselves is taken as said.
    pub nodes: BTreeSet<NodeId>,
    /// What each node holds now.
    held: BTreeMap<(NodeId, Row), Held>,
    /// At which grades a node ever stored an id.
    stored: BTreeMap<(NodeId, BundleId), BTreeSet<Grade>>,
    /// Inbox rows ever made.
    rows: BTreeSet<(NodeId, BundleId)>,
    letters: BTreeMap<(NodeId, Row), Letter>,
    read: BTreeSet<(NodeId, BundleId)>,
    blocked: BTreeSet<(NodeId, NodeId)>,
    gave_up: BTreeSet<(NodeId, BundleId)>,
    /// Of what a recipient's driver kept nothing.
    pub declined: BTreeSet<(NodeId, BundleId)>,
    /// What each status said when it was last looked at.
    said: BTreeMap<(NodeId, BundleId), Outgoing>,
}

impl Truth {
    /// Takes note of what a node committed, and checks that whatever left, left for a reason that was promised.
    pub fn committed(&mut self, n: NodeId, now: Timestamp, by_owner: bool, out: &[Output]) {
        let reasons = out.iter().filter_map(|output| match output {
            Output::Report(Event::Gone { id, why }) => Some((*id, *why)),
            _ => None,
        });
        let reasons: BTreeMap<BundleId, Gone> = reasons.collect();
        let arrived = out.iter().filter_map(|output| match output {
            Output::Commit(Change::Hold { held, .. }) => Some(held.class),
            _ => None,
        });
        let highest = arrived.max();
        for output in out {
            let Output::Commit(change) = output else { continue };
            match change {
                Change::Hold { held, .. } => {
                    self.stored.entry((n, held.id)).or_default().insert(held.grade);
                    let old = self.held.insert((n, held.row), held.clone());
                    assert!(old.is_none(), "a row is used once");
                }
                Change::Regrade { row, grade, copies, class } => {
                    let held = self.held.get_mut(&(n, *row)).expect("what changes is held");
                    (held.grade, held.copies, held.class) = (*grade, *copies, *class);
                }
                Change::Prolong { row, age, expires } => {
                    let held = self.held.get_mut(&(n, *row)).expect("what changes is held");
                    let is_owners = held.class == Class::Topics && *expires < held.expires;
                    assert!(
                        is_owners || *expires > held.expires && !held.dated,
                        "a life is only lengthened, and where no clock knew, but for topics of which an owner keeps less"
                    );
                    (held.hops.age, held.expires) = (*age, *expires);
                }
                Change::Forget { row } => {
                    let held = self.held.remove(&(n, *row)).expect("what leaves is held");
                    self.check_leaving(n, now, &held, reasons[&held.id], by_owner, highest);
                }
                Change::Deliver { letter, .. } => {
                    assert!(self.rows.insert((n, letter.id)), "one row for each id, for ever");
                    self.stored.entry((n, letter.id)).or_default().insert(Grade::Custody);
                    self.letters.insert((n, letter.row), letter.clone());
                }
                Change::Mark { row, marks } if marks.read => {
                    let letter = &self.letters[&(n, *row)];
                    self.read.insert((n, letter.id));
                }
                Change::SetPerson { node, person }
                    if person.as_ref().is_some_and(|p| p.standing == Standing::Blocked) =>
                {
                    self.blocked.insert((n, *node));
                }
                _ => {}
            }
        }
    }

    fn check_leaving(
        &mut self,
        n: NodeId,
        now: Timestamp,
        held: &Held,
        why: Gone,
        owner: bool,
        highest: Option<Class>,
    ) {
        match why {
            Gone::Receipt => assert!(self.is_settled(held), "only what arrived, or was turned away, ends by receipt"),
            Gone::Expired => assert!(held.expires < now, "a life lasts to its end"),
            Gone::Cancelled => assert!(owner && held.class == Class::Own),
            Gone::HandedOn => assert!(owner && held.class == Class::Own),
            Gone::Dropped => assert!(owner && held.class != Class::Own),
            Gone::Evicted => {
                assert_ne!(held.class, Class::Own, "one's own never leaves for want of room");
                let outranked = highest.is_some_and(|class| class > held.class);
                assert!(
                    held.grade != Grade::Custody || owner || outranked,
                    "a promise gives way to a higher class only"
                );
            }
            Gone::Unreadable => assert!(owner, "a body is lost only where a story says so"),
            Gone::Superseded => {
                let in_topic = held.destination.is_topic() && (held.class == Class::Own || held.about.is_some());
                assert!(in_topic || held.destination.is_got() && held.class == Class::Own)
            }
            Gone::Delivered => assert!(held.destination.is_got(), "only what nobody answers leaves like this"),
        }
        if matches!(why, Gone::Evicted | Gone::Dropped | Gone::Unreadable) {
            self.gave_up.insert((n, held.id));
        }
    }

    fn is_settled(&self, held: &Held) -> bool {
        let to = held.destination.node;
        !self.nodes.contains(&to)
            || self.rows.contains(&(to, held.id))
            || self.declined.contains(&(to, held.id))
            || self.blocked.contains(&(to, held.source))
    }

    /// Checks every promise that can be seen on one node; `sent` are its messages, and `shown` the same as far as they are durable, which is
    /// all that a person ever sees.
    pub fn check(
        &mut self,
        agent: &Agent,
        sent: &BTreeMap<BundleId, Outgoing>,
        shown: &BTreeMap<BundleId, Outgoing>,
        now: Timestamp,
    ) {
        for outgoing in sent.values() {
            let events = outgoing.events();
            assert!(events.len() <= EVENTS_MAX, "the record is bounded");
            for evidence in &events {
                self.check_evidence(agent.node(), outgoing, evidence, now);
            }
            let highest = events.iter().map(|evidence| evidence.what).max();
            assert!(highest <= Some(outgoing.state()), "the state is the highest evidence");
        }
        for outgoing in shown.values() {
            if let Some(before) = self.said.insert((agent.node(), outgoing.id), outgoing.clone()) {
                assert!(outgoing.evidence.starts_with(&before.evidence), "events only append");
                assert!(before.state() <= outgoing.state(), "the state never goes back");
            }
        }
        check_sums(agent);
    }

    fn check_evidence(&self, me: NodeId, outgoing: &Outgoing, evidence: &Evidence, now: Timestamp) {
        let id = outgoing.id;
        let recipient = outgoing.destination.node;
        if evidence.who.is_some_and(|who| !self.nodes.contains(&who)) {
            return;
        }
        let stored = |grade| self.stored.get(&(evidence.who.unwrap_or(me), id)).is_some_and(|at| at.contains(&grade));
        match (evidence.what, evidence.who) {
            (EvidenceKind::Queued, None) => assert!(stored(Grade::Custody), "what is queued is stored"),
            (EvidenceKind::Custody, Some(_)) => assert!(stored(Grade::Custody), "it promised, and had stored"),
            (EvidenceKind::Copy, Some(_)) => assert!(stored(Grade::Copy) || stored(Grade::Custody)),
            (EvidenceKind::GaveUp, Some(who)) => assert!(self.gave_up.contains(&(who, id))),
            (EvidenceKind::Delivered, Some(who)) => {
                assert_eq!(who, recipient);
                assert!(self.rows.contains(&(who, id)), "delivered is in the inbox");
            }
            (EvidenceKind::Read, Some(who)) => {
                assert_eq!(who, recipient);
                assert!(self.read.contains(&(who, id)));
            }
            (EvidenceKind::Rejected { .. }, Some(who)) => {
                let is_declined = self.declined.contains(&(who, id)) && !self.rows.contains(&(who, id));
                assert!(who == recipient && (is_declined || self.blocked.contains(&(who, me))))
            }
            (EvidenceKind::Full { .. }, Some(who)) => assert_eq!(who, recipient),
            (EvidenceKind::Expired, None) => assert!(now.since(outgoing.created.now) >= outgoing.lifetime),
            (EvidenceKind::Cancelled, None) => {}
            other => panic!("nobody could say {other:?}"),
        }
    }

    /// Whether a node ever blocked another.
    pub fn is_blocked(&self, by: NodeId, source: NodeId) -> bool {
        self.blocked.contains(&(by, source))
    }

    /// Whether a message is where it belongs, with everybody who can know knowing it.
    pub fn is_delivered(&self, to: NodeId, id: BundleId) -> bool {
        self.rows.contains(&(to, id))
    }
}

/// The owner, and the disk, may end custody in ways that nobody else may.
pub fn is_of_owner(input: &Input) -> bool {
    matches!(
        input,
        Input::Cancel(_)
            | Input::HandOn(_)
            | Input::Drop(_)
            | Input::CarryLimit(_)
            | Input::Retain { .. }
            | Input::Forsake(_)
            | Input::Unreadable { .. }
    )
}

/// Sums that quotas ask for are those of what is held.
fn check_sums(agent: &Agent) {
    let usage = agent.usage();
    let mut by_class = [(0, 0); 4];
    let mut by_grade = [(0, 0); 3];
    for held in agent.held() {
        let cost = cost_bytes(held.size_bytes);
        by_class[held.class as usize].0 += 1;
        by_class[held.class as usize].1 += cost;
        if held.class != Class::Own {
            by_grade[held.grade as usize].0 += 1;
            by_grade[held.grade as usize].1 += cost;
        }
        assert!(held.expires.since(held.accepted_at) <= held.lifetime);
    }
    assert_eq!((usage.by_class, usage.by_grade), (by_class, by_grade));
    assert_eq!(usage.bytes, by_class[..3].iter().map(|(_, bytes)| bytes).sum::<u64>());
    assert!(usage.bytes <= usage.quota_bytes, "the quota holds");
    assert_eq!(usage.messages + usage.receipts, agent.held().count());
}
