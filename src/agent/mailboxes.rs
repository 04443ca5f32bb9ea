//! Which mailboxes are served, here and by peers: where nodes and endpoints have to do with each other.
//!
//! A *node* is the key that contacts are with. A *mailbox* is a key as well, with one endpoint for mail, one for
//! receipts and one for those of members of groups: who has it writes in its name and signs for what comes. Every node serves the mailbox of its own key, and
//! nobody has to prove that. It may serve others, which say so in delegations that peers check; and many nodes may serve a
//! group, of which nobody has the key. All else in the agent asks here, and compares no endpoint with a node.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bundle::Signer;
use crate::content::topic::Filter;
use crate::eid::{Eid, Service};
use crate::frame::{Delegation, MAILBOXES_MAX};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime};

/// The endpoints an agent serves and who signs for them.
pub struct Mailboxes {
    /// The mailbox of the node's own key comes first.
    keys: Vec<Arc<dyn Signer>>,
    endpoints: Vec<(Eid, Arc<dyn Signer>)>,
    groups: BTreeSet<Eid>,
    /// Topics that are subscribed to: whose, and which of them.
    topics: Vec<(NodeId, Filter)>,
}

impl Mailboxes {
    /// The mailboxes of a node that serves only itself.
    pub fn own(signer: Arc<dyn Signer>) -> Mailboxes {
        Mailboxes { keys: Vec::new(), endpoints: Vec::new(), groups: BTreeSet::new(), topics: Vec::new() }.and(signer)
    }

    /// Serves the mailbox of another key too.
    ///
    /// # Panics
    ///
    /// Where there are more than a Hello can name.
    pub fn and(mut self, signer: Arc<dyn Signer>) -> Mailboxes {
        let endpoints = of_key(signer.node()).map(|endpoint| (endpoint, Arc::clone(&signer)));
        self.endpoints.extend(endpoints);
        self.keys.push(signer);
        assert!(self.endpoints.len() <= MAILBOXES_MAX + 3, "a Hello names all mailboxes but the node's own");
        self
    }

    /// Shows what comes to a group, and goes on carrying it for the others.
    pub fn joined(mut self, group: Eid) -> Mailboxes {
        assert!(group.has_members(), "{group} has an owner");
        self.groups.insert(group);
        self
    }

    /// Subscribes to topics of an owner.
    pub fn subscribed(mut self, owner: NodeId, filter: Filter) -> Mailboxes {
        self.subscribe(owner, filter, true);
        self
    }

    /// Serves a group, or no longer.
    pub(super) fn serve_group(&mut self, group: Eid, on: bool) {
        match on {
            true => self.groups.insert(group),
            false => self.groups.remove(&group),
        };
    }

    /// The groups that are served here.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Eid> {
        self.groups.iter()
    }

    /// Subscribes to topics of an owner, or no longer; returns whether they are new.
    pub(super) fn subscribe(&mut self, owner: NodeId, filter: Filter, on: bool) -> bool {
        let known = self.topics.iter().position(|known| *known == (owner, filter.clone()));
        match known {
            Some(at) if !on => drop(self.topics.remove(at)),
            None if on => self.topics.push((owner, filter)),
            _ => return false,
        }
        on
    }

    /// Whether what is published in a topic is shown here.
    pub(super) fn hears(&self, topic: &Eid) -> bool {
        let Service::Topic(name) = &topic.service else { return false };
        self.topics.iter().any(|(owner, filter)| *owner == topic.node && filter.matches(name))
    }

    /// The key of the first mailbox, which is the node's.
    pub(super) fn node(&self) -> NodeId {
        self.keys[0].node()
    }

    /// Whether what comes to an endpoint is shown here.
    pub(super) fn serves(&self, endpoint: &Eid) -> bool {
        self.signer_of(endpoint).is_some() || self.groups.contains(endpoint)
    }

    /// Whether what comes to an endpoint is carried: somebody else may be waiting for it.
    pub(super) fn others_serve(&self, endpoint: &Eid) -> bool {
        self.signer_of(endpoint).is_none()
    }

    /// Who signs for what comes to an endpoint.
    pub(super) fn signer_of(&self, endpoint: &Eid) -> Option<&Arc<dyn Signer>> {
        self.endpoints.iter().find(|(served, _)| served == endpoint).map(|(_, signer)| signer)
    }

    /// Who signs what is written in the name of a source.
    pub(super) fn signer_as(&self, source: &NodeId) -> Option<&Arc<dyn Signer>> {
        self.keys.iter().find(|signer| signer.node() == *source)
    }

    /// Whether what bears this source was written here.
    pub(super) fn writes_as(&self, source: &NodeId) -> bool {
        self.signer_as(source).is_some()
    }

    /// The sources of all that is written here.
    pub(super) fn sources(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.keys.iter().map(|signer| signer.node())
    }

    /// What a Hello says of the mailboxes that are not the node's own, for a day. Without a clock nobody could believe it.
    pub(super) fn delegations(&self, wall: Option<DtnTime>) -> Vec<Delegation> {
        let Some(wall) = wall else { return Vec::new() };
        let others = self.endpoints.iter().filter(|(_, signer)| signer.node() != self.node());
        let say = |(mailbox, signer): &(Eid, Arc<dyn Signer>)| {
            let (mailbox, expires) = (mailbox.clone(), wall.0.saturating_add(DAY.0));
            let unsigned = Delegation { mailbox, node: self.node(), expires, signature: [0; 64] };
            Delegation { signature: signer.sign(&unsigned.signed_bytes()), ..unsigned }
        };
        others.map(say).collect()
    }
}

/// The endpoints of a key: those that a node serves without saying so, where it is the node's.
pub fn of_key(key: NodeId) -> [Eid; 3] {
    [receipts_to(key), Eid::mail(key), Eid::got(key)]
}

/// Where a source hears of its messages.
pub fn receipts_to(source: NodeId) -> Eid {
    Eid::admin(source)
}

/// The node to look for where something is for an endpoint. Others may serve it too; they are found by meeting them.
pub fn home_of(endpoint: &Eid) -> NodeId {
    endpoint.node
}
