//! Groups: what comes to one that is served here is shown and carried on; what its members write to it has room of its own.
//!
//! ```text
//! served here        delivered, and carried for the others; nobody signs for a whole group
//! was evicted here   asked for all the same until it was shown, and not carried again for a while
//! of members         counts with the group among contacts, in it by member; an invitation alone gives no room
//! a peer is one      its Hello shows interest: it is handed what is for the group first, whatever the strategy says
//! ```
//! Who is a member is nothing that the agent finds out: a driver says it, as it says which groups are served. Interest is a
//! claim that nobody can check, so it gives order and copies, and ends no custody.

use rand_core::Rng;

use super::Agent;
use super::answer::IDS_PER_FRAME;
use super::change::Class;
use super::custody::Slot;
use super::inbox::{Arrival, Due};
use super::io::{Handed, Output};
use super::place::admits;
use crate::bundle::{Bundle, Kind};
use crate::eid::Eid;
use crate::frame::{INTERESTS, Interest};
use crate::id::NodeId;

/// All members of a group together take as much of what is free in the mailbox as one contact.
const PART_OF_GROUP: u64 = 2;

impl Agent {
    pub(super) fn serve_group(&mut self, group: Eid, on: bool, out: &mut Vec<Output>) {
        if !group.has_members() {
            return;
        }
        let is_new = on && !self.mailboxes.serves(&group);
        self.mailboxes.serve_group(group.clone(), on);
        if is_new {
            self.outgrow_hellos();
        }
        if on {
            // Who its members are is said next; at a start they are those of before, and nothing that is held moves.
            return self.look_at_held(&group);
        }
        self.look_no_more(&group);
        self.count_group(&group, None, out);
    }

    /// Nobody has room for a group that is not served here.
    pub(super) fn set_members(&mut self, group: &Eid, mut members: Vec<NodeId>, out: &mut Vec<Output>) {
        if self.mailboxes.serves(group) {
            // One's own needs no room.
            members.retain(|member| !self.mailboxes.writes_as(member));
            members.sort_unstable();
            members.dedup();
            self.count_group(group, Some(members), out);
        }
    }

    /// What is held for the group already moves to where it counts now.
    fn count_group(&mut self, group: &Eid, members: Option<Vec<NodeId>>, out: &mut Vec<Output>) {
        self.ledger.set_group(group, members);
        self.room_comes();
        let slots: Vec<Slot> = self.ledger.custody().for_destination(group).collect();
        for slot in slots {
            let held = self.ledger.custody().held(slot);
            let class = self.class_of(held.source, group).unwrap_or(Class::Strangers);
            if held.kind == Kind::Message && class != held.class {
                self.ledger.regrade(slot, held.grade, held.copies, class, out);
            }
        }
    }

    /// Delivers what is held here for a group that is served only now, as the driver hands it in; true where there was
    /// anything to do.
    pub(super) fn deliver_held(&mut self, handed: &Handed) -> bool {
        let Handed { ref bundle, size_bytes, .. } = *handed;
        let is_new = bundle.kind == Kind::Message
            && self.is_for_group_here(bundle)
            && !self.mailboxes.writes_as(&bundle.source)
            && !self.ledger.inbox().had(&bundle.id);
        let Some(slot) = self.ledger.find_held(&bundle.id).filter(|_| is_new) else { return false };
        let held = self.ledger.custody().held(slot);
        if self.is_welcome(held.from, &held.destination, held.source, size_bytes) {
            let (bundle, hops, from) = (bundle.clone(), held.hops, held.from.unwrap_or(self.node));
            self.ledger.arrive(Arrival { bundle, hops, size_bytes, from, due: Due::Row });
        } else {
            self.try_again(&bundle.id);
        }
        true
    }

    /// Whether what is held for a group here is shown where it is handed in now.
    pub(super) fn is_welcome(&self, from: Option<NodeId>, group: &Eid, source: NodeId, size_bytes: u32) -> bool {
        let from = from.unwrap_or(self.node);
        self.class_of(source, group).is_some() && self.has_room_for_mail(from, group, source, size_bytes)
    }

    /// Whether a bundle is for a group that is served here.
    pub(super) fn is_for_group_here(&self, bundle: &Bundle) -> bool {
        bundle.destination.has_members() && self.mailboxes.serves(&bundle.destination)
    }

    /// Whether what a member writes to a group finds room in the mailbox: together they have as much as one contact, and each
    /// its part of that.
    pub(super) fn has_room_for_member(&self, group: &Eid, source: NodeId, cost: u64) -> bool {
        let inbox = self.ledger.inbox();
        let (bytes, bytes_max) = self.mail_of_contacts();
        let free = bytes_max.saturating_sub(bytes);
        let members = self.ledger.custody().members(group).map_or(&[][..], |members| members);
        let strangers = members.iter().filter(|member| !self.ledger.is_contact(member));
        let by_group: u64 = strangers.map(|member| inbox.bytes_of(member)).sum();
        let part_of_member = PART_OF_GROUP * members.len().max(1) as u64;
        admits(by_group, cost, free, PART_OF_GROUP) && admits(inbox.bytes_of(&source), cost, free, part_of_member)
    }

    /// What this node's Hello says of the groups that it serves: nothing where there are none, else so many entries that
    /// nobody learns how many there are; of more some, by lot.
    pub(super) fn interests(&mut self, nonce: &[u8; 16]) -> Vec<Interest> {
        let node = self.node;
        let mut all: Vec<Interest> = self.mailboxes.groups().map(|group| Interest::of(nonce, &node, group)).collect();
        if all.is_empty() {
            return all;
        }
        // By their hashes, which are new at each contact: so it is the lot that decides which are left out.
        all.sort_unstable();
        while all.len() < INTERESTS {
            let mut noise = Interest::default();
            self.nonces.fill_bytes(&mut noise.0);
            all.push(noise);
        }
        all.truncate(INTERESTS);
        all.sort_unstable();
        all
    }

    /// Offers a member what is held for its groups, where no summaries are compared that would show what it lacks.
    pub(super) fn offer_to_member(&mut self, peer: NodeId) {
        let Some(contact) = self.contacts.get(&peer) else { return };
        if !contact.has_interests() || self.compares(peer) {
            return;
        }
        let custody = self.ledger.custody();
        let groups = custody.destinations_of_members().take(IDS_PER_FRAME).filter(|group| contact.wants(group));
        let slots: Vec<Slot> = groups.flat_map(|group| custody.for_destination(group)).collect();
        for slot in slots {
            let held = self.ledger.custody().held(slot);
            // Who handed it over may have had to let it go since.
            if held.source != peer && held.kind == Kind::Message {
                let contact = self.contacts.get_mut(&peer).expect("it was there");
                contact.offer(held.id);
            }
        }
    }
}
