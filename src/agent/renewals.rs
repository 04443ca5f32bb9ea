//! Contacts that last, and no longer fit what this node is interested in: they are ended, and begun anew.
//!
//! What a node serves and whether it carries it says in its Hello, and there is one in a contact. What a peer turned out to
//! lack is offered once, and what was declined then is not offered again. Where contacts last for days, who joins a group
//! or has more room would wait as long for what a neighbour holds.
//!
//! ```text
//! a group is served, carrying begins               the Hello said otherwise: every contact
//! more room, a topic, other terms, no more blocked,
//! the clock was set                               where something was declined in the contact
//!
//! changes ──SETTLES──▶ the contact stands for STANDS, and nothing is on its way, or not for PATIENCE ──▶ Output::Renew
//!                      one contact after another, so that some are always there
//! ```
//! Only the owner and the machine's clock bring it about, no peer does, and a contact that began since says all there is
//! to say: so no renewal leads to another.
//! Nothing counts that is on its way when a contact ends, and the next Hello sorts it out as ever.

use super::Agent;
use super::contact::Contact;
use super::io::Output;
use crate::id::NodeId;
use crate::time::{Millis, SECOND, Timestamp};

/// Changes within so long are said at once.
const SETTLES: Millis = Millis(2 * SECOND.0);
/// A contact stands for so long before it is renewed, so it is renewed no more often than that.
const STANDS: Millis = Millis(10 * SECOND.0);
/// How long a contact is left alone for what is on its way.
const PATIENCE: Millis = Millis(30 * SECOND.0);
/// Between the renewals of two contacts.
const APART: Millis = SECOND;

impl Agent {
    /// More is served here than the Hellos of the contacts say.
    pub(super) fn outgrow_hellos(&mut self) {
        let now = self.now();
        self.contacts.iter_mut().for_each(|(_, contact)| contact.outgrow(now));
    }

    /// More is carried than before.
    pub(super) fn outgrow_limit(&mut self) {
        let now = self.now();
        self.contacts.iter_mut().filter(|(_, contact)| !contact.said_carries).for_each(|(_, one)| one.outgrow(now));
        self.want_declined();
    }

    /// What was declined may be wanted by now.
    pub(super) fn want_declined(&mut self) {
        let now = self.now();
        self.contacts.iter_mut().filter(|(_, contact)| contact.declined).for_each(|(_, one)| one.outgrow(now));
    }

    /// Something of a peer was declined that may be wanted later.
    pub(super) fn declines(&mut self, peer: NodeId) {
        if let Some(contact) = self.contacts.get_mut(&peer) {
            contact.declined = true;
        }
    }

    /// When a contact is to be renewed next.
    pub(super) fn next_renewal(&self) -> Option<Timestamp> {
        self.contacts.iter().filter_map(|(peer, contact)| self.renewal_of(peer, contact)).min()
    }

    /// Renews a contact that is due; the driver ends it and begins another.
    pub(super) fn renew_contacts(&mut self, out: &mut Vec<Output>) {
        let now = self.now();
        let is_due = |(peer, contact): &(&NodeId, &Contact)| self.renewal_of(peer, contact).is_some_and(|at| at <= now);
        let Some(peer) = self.contacts.iter().find(is_due).map(|(peer, _)| *peer) else { return };
        self.contacts.get_mut(&peer).expect("one of the contacts").outgrown = None;
        self.contacts.renewed_at = Some(now);
        out.push(Output::Renew(peer));
    }

    fn renewal_of(&self, peer: &NodeId, contact: &Contact) -> Option<Timestamp> {
        let outgrown = contact.outgrown?;
        let is_busy = contact.in_flight_bytes() > 0 || self.contacts.offers.is_owed_by(peer);
        let settled = if is_busy { outgrown + PATIENCE } else { outgrown + SETTLES };
        let apart = self.contacts.renewed_at.map_or(settled, |last| last + APART);
        Some(settled.max(contact.since + STANDS).max(apart))
    }
}
