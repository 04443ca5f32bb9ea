//! What peers are told of what they hand over and offer: taken, refused, asked for.

use super::Agent;
use super::change::{Class, Held};
use super::io::{Event, Output};
use super::offers::{Requests, Settled};
use crate::frame::{Frame, Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::time::{Millis, SECOND};

/// When to try again where room was missing.
pub(super) const RETRY_FULL: Millis = Millis(60 * SECOND.0);
/// Most ids in one Offer, Take or Accepted.
pub(super) const IDS_PER_FRAME: usize = 1_024;

impl Agent {
    pub(super) fn grant(&mut self, to: NodeId, id: BundleId, grade: Grade, out: &mut Vec<Output>) {
        self.take_silently(to, id, out);
        if let Some(contact) = self.contacts.get_mut(&to) {
            contact.grants.push((id, grade));
        }
    }

    /// A bundle is taken whose giver wants no word of it.
    pub(super) fn take_silently(&mut self, from: NodeId, id: BundleId, out: &mut Vec<Output>) {
        self.settle_offer(&id, from, out);
        out.push(Output::Report(Event::Accepted { id, from }));
    }

    /// Nothing more is expected of an id; who else was asked for what is known by now is told so, and need not bring it.
    pub(super) fn settle_offer(&mut self, id: &BundleId, from: NodeId, out: &mut Vec<Output>) {
        let Settled { asked, others } = self.contacts.offers.settle(id, &from);
        for other in &asked {
            if self.knows(id) && self.contacts.has(other) {
                let frame = Frame::Refused { id: *id, why: Refusal::Known, retry_after: Millis(0) };
                out.push(Output::Send { to: *other, frame });
            }
        }
        // A copy that a hop aged must not keep out what they have for the little time that it lives.
        asked.iter().chain(&others).for_each(|other| self.doubt_offered(*other, &[*id], out));
    }

    /// There is no room for a bundle. Where strangers share it, a peer that filled less and offers the same may have some.
    pub(super) fn refuse_for_room(&mut self, from: NodeId, held: &Held, out: &mut Vec<Output>) {
        let is_shared = held.class == Class::Strangers && self.config.fair_shares;
        let mut others = if is_shared { self.contacts.offers.others(&held.id) } else { Vec::new() };
        others.retain(|peer| *peer != from);
        let has_room = |peer: &NodeId| self.has_room_for(&Held { from: Some(*peer), ..held.clone() });
        let Some(next) = others.into_iter().find(has_room) else {
            return self.refuse(from, held.id, Refusal::Full, out);
        };
        self.contacts.offers.turn_to(&held.id, &from, next, self.now());
        self.say_refused(from, held.id, Refusal::Full, out);
        out.push(Output::Send { to: next, frame: Frame::Take { ids: vec![held.id] } });
    }

    pub(super) fn refuse(&mut self, to: NodeId, id: BundleId, why: Refusal, out: &mut Vec<Output>) {
        self.say_refused(to, id, why, out);
        // Only this copy is dead; everything else would be said to the next peer too.
        if why != Refusal::Expired {
            return self.settle_offer(&id, to, out);
        }
        if let Some(next) = self.contacts.offers.pass_over(&id, to, self.now()) {
            out.push(Output::Send { to: next, frame: Frame::Take { ids: vec![id] } });
        }
    }

    fn say_refused(&mut self, to: NodeId, id: BundleId, why: Refusal, out: &mut Vec<Output>) {
        let retry_after = match why {
            Refusal::Full | Refusal::Space => RETRY_FULL,
            _ => Millis(0),
        };
        if matches!(why, Refusal::Full | Refusal::Space | Refusal::Unwilling | Refusal::Shunned) {
            self.declines(to);
        }
        out.push(Output::Report(Event::Refused { id, from: to, why }));
        if self.contacts.has(&to) {
            out.push(Output::Send { to, frame: Frame::Refused { id, why, retry_after } });
        }
    }

    pub(super) fn offered(&mut self, peer: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
        // What is for this node alone comes without being offered.
        if self.config.carry_bytes_max == 0 && self.mailboxes.groups().next().is_none() {
            return self.declines(peer);
        }
        self.doubt_offered(peer, &ids, out);
        self.hear_of_copies(peer, &ids, out);
        let (declined, mut ids): (Vec<BundleId>, Vec<BundleId>) =
            ids.into_iter().filter(|id| !self.knows(id)).partition(|id| self.is_declined(id));
        if !declined.is_empty() {
            self.declines(peer);
        }
        let is_named = self.ledger.is_contact(&peer);
        ids.retain(|id| self.contacts.offers.note(*id, peer, is_named, self.now()));
        ask(peer, ids, out);
    }

    /// Whether something is not asked for since it was evicted or dropped. A member is to see what is for its group,
    /// whether or not this node carries it for the others.
    fn is_declined(&self, id: &BundleId) -> bool {
        let is_for = |group| self.contacts.shunned.is_for(id, group);
        self.contacts.shuns(id, self.now()) && !self.mailboxes.groups().any(is_for)
    }

    /// Turns to others for what a peer offered and did not hand over.
    pub(super) fn ask_others(&mut self, out: &mut Vec<Output>) {
        let requests = self.contacts.offers.expire(self.now());
        request(requests, out);
    }

    /// Says what waited for the end of the batch: one frame where there would have been many.
    pub(super) fn flush_contacts(&mut self, out: &mut Vec<Output>) {
        for (peer, contact) in self.contacts.iter_mut().filter(|(_, contact)| !contact.is_settled()) {
            let to = *peer;
            for grants in by_frame(std::mem::take(&mut contact.grants)) {
                let grants = grants.into_iter().map(|(id, grade)| (id.prefix(), grade)).collect();
                out.push(Output::Send { to, frame: Frame::Accepted { grants } });
            }
            for ids in by_frame(contact.take_offers()) {
                out.push(Output::Send { to, frame: Frame::Offer { ids } });
            }
        }
    }
}

/// Asks for what was offered.
pub(super) fn request(requests: Requests, out: &mut Vec<Output>) {
    requests.into_iter().for_each(|(to, ids)| ask(to, ids, out));
}

fn ask(to: NodeId, ids: Vec<BundleId>, out: &mut Vec<Output>) {
    out.extend(by_frame(ids).map(|ids| Output::Send { to, frame: Frame::Take { ids } }));
}

/// What is to be said, in lists that fit a frame: as a rule the list itself.
pub(super) fn by_frame<T>(mut all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        if all.is_empty() {
            return None;
        }
        let later = all.split_off(all.len().min(IDS_PER_FRAME));
        Some(std::mem::replace(&mut all, later))
    })
}
