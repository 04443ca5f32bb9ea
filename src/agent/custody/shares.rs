//! With whom a bundle counts: the peer that handed it over, its source, the person, the group or the topic it is of.

use super::division::{Counted, Member, Party, Side};
use super::entry::{Entry, bucket};
use super::names::Name;
use super::topics::{InTopic, Whose};
use super::{Custody, Slot, cost_bytes};
use crate::agent::change::{Class, Held};
use crate::bundle::Kind;
use crate::eid::Eid;
use crate::frame::Grade;
use crate::id::NodeId;
use crate::time::{SixBytes, Timestamp};

/// Where an entry counts.
pub(super) struct Place {
    pub bucket: usize,
    pub expires: SixBytes,
    pub cost: u64,
    pub receipts: usize,
    /// None of one's own, which has all the room it needs, nor of what is for topics.
    pub counted: Option<Counted>,
    pub in_topic: Option<InTopic>,
}

impl Custody {
    /// How a bundle for a topic would count; the topic, its writer and the peer that hands over as far as something held has
    /// to do with them.
    pub fn whose(&self, held: &Held) -> Whose {
        let named = |name: Option<Name>| name.map(|name| self.member(name));
        Whose {
            topic: named(self.names.find(&held.destination)),
            writer: named(self.name_of(held.source)),
            from: named(held.from.and_then(|from| self.name_of(from))),
        }
    }

    /// With whom what a peer hands over for strangers counts; no party where nothing held has to do with that peer.
    pub fn handed_by(&self, peer: NodeId) -> (Side, Option<Party>) {
        let side = if self.named.contains(&peer) { Side::People } else { Side::Peers };
        (side, self.party(side, peer))
    }

    /// The source that a stranger's bundle counts with, and the person a named one's does.
    pub fn source_of(&self, held: &Held) -> (Side, Option<Party>) {
        match held.class {
            Class::Strangers => (Side::Sources, self.party(Side::Sources, held.source)),
            _ if held.kind == Kind::Message && self.is_member(&held.destination, &held.source) => {
                let name = self.names.find(&held.destination);
                (Side::Contacts, name.map(|name| Party::One(Side::Contacts, self.member(name))))
            }
            // A receipt is in the place of a bundle of the person it is for.
            _ if held.kind == Kind::Receipt => {
                let name = self.names.find(&held.destination);
                (Side::Contacts, name.map(|name| Party::One(Side::Contacts, self.member(name))))
            }
            _ => (Side::Contacts, self.party(Side::Contacts, held.source)),
        }
    }

    fn party(&self, side: Side, node: NodeId) -> Option<Party> {
        self.name_of(node).map(|name| Party::One(side, self.member(name)))
    }

    pub(super) fn member(&self, name: Name) -> Member {
        (self.names.lot_of(name), name)
    }

    /// Says whether a node is a named person: what such a one handed over has a share of its own.
    pub fn set_named(&mut self, node: NodeId, is_named: bool) {
        if is_named == self.named.contains(&node) {
            return;
        }
        let from = self.name_of(node);
        let handed: Vec<Slot> = self.slots().filter(|slot| Some(self.entries.entry(*slot).from) == from).collect();
        handed.iter().for_each(|slot| self.leave(*slot));
        match is_named {
            true => self.named.insert(node),
            false => self.named.remove(&node),
        };
        handed.iter().for_each(|slot| self.enter(*slot));
    }

    /// The members of a group that is served here.
    pub fn members(&self, group: &Eid) -> Option<&Vec<NodeId>> {
        self.groups.get(group)
    }

    /// Whether a node is a member of a group that is served here.
    pub fn is_member(&self, group: &Eid, node: &NodeId) -> bool {
        self.groups.get(group).is_some_and(|members| members.binary_search(node).is_ok())
    }

    /// Whether a node is a member of any group that is served here.
    pub fn is_member_of_any(&self, node: &NodeId) -> bool {
        self.groups.values().any(|members| members.binary_search(node).is_ok())
    }

    /// Says who the members of a group are that is served here, in order; none where it is not.
    pub fn set_group(&mut self, group: &Eid, members: Option<Vec<NodeId>>) {
        let slots: Vec<Slot> = self.for_destination(group).collect();
        slots.iter().for_each(|slot| self.leave(*slot));
        match members {
            Some(members) => drop(self.groups.insert(group.clone(), members)),
            None => drop(self.groups.remove(group)),
        }
        slots.iter().for_each(|slot| self.enter(*slot));
    }

    pub(super) fn place(&self, slot: Slot, entry: &Entry) -> Place {
        let cost = cost_bytes(entry.size_bytes);
        let (class, grade, expires) = (entry.traits.class(), entry.traits.grade(), Timestamp(entry.expires.get()));
        let copy = (grade == Grade::Copy).then_some((expires, slot));
        Place {
            bucket: bucket(class, grade),
            expires: entry.expires,
            cost,
            receipts: usize::from(entry.kind == Kind::Receipt),
            counted: matches!(class, Class::Strangers | Class::Contacts).then(|| Counted {
                with: self.parties(entry),
                in_group: self.counts_in_group(entry).then(|| self.member(entry.source)),
                cost,
                copy,
            }),
            in_topic: self.names.eid(entry.destination).is_topic().then(|| InTopic {
                topic: self.member(entry.destination),
                writer: self.member(entry.source),
                from: (class == Class::Topics && entry.from != Name::NONE).then(|| self.member(entry.from)),
                is_own: class == Class::Own,
                cost,
                place: (expires, slot),
            }),
        }
    }

    fn parties(&self, entry: &Entry) -> [Option<(Side, Member)>; 2] {
        if entry.traits.class() == Class::Strangers {
            let side = if self.is_named(entry.from) { Side::People } else { Side::Peers };
            return [(side, entry.from), (Side::Sources, entry.source)]
                .map(|(side, name)| Some((side, self.member(name))));
        }
        let is_of_destination = entry.kind == Kind::Receipt || self.counts_in_group(entry);
        let contact = if is_of_destination { entry.destination } else { entry.source };
        [Some((Side::Contacts, self.member(contact))), None]
    }

    /// Whether a bundle counts with the group that it is for.
    fn counts_in_group(&self, entry: &Entry) -> bool {
        entry.traits.class() == Class::Contacts
            && entry.kind == Kind::Message
            && !self.groups.is_empty()
            && self.is_member(self.names.eid(entry.destination), &self.names.eid(entry.source).node)
    }

    fn is_named(&self, name: Name) -> bool {
        name != Name::NONE && !self.named.is_empty() && self.named.contains(&self.names.eid(name).node)
    }
}
