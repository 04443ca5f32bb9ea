//! What is asked of the record before an input is taken: the agent keeps nothing of mail that is filed.

use super::Agent;
use super::change::Class;
use super::io::Input;
use crate::bundle::{Bundle, Kind};
use crate::frame::Frame;
use crate::id::{BundleId, NodeId};
use crate::receipt::Receipt;

impl Agent {
    /// The ids of which the driver says what the record knows, in [`Input::Recall`], before it gives this input. Peers name
    /// ids for nothing, so what costs a look is bounded by what was signed for this node, or was sent or is remembered here.
    pub fn asks_of(&self, input: &Input) -> Vec<BundleId> {
        match input {
            Input::Read { id, .. } | Input::Unread(id) | Input::Discard(id) | Input::Cancel(id) => vec![*id],
            Input::Adopt(adopted) => vec![adopted.id()],
            // Nothing is kept of it.
            Input::Bundle { bundle, .. } if bundle.destination.is_got() => Vec::new(),
            Input::Bundle { bundle, .. } if self.mailboxes.serves(&bundle.destination) => match bundle.kind {
                Kind::Message => vec![bundle.id],
                Kind::Receipt => self.settled_in(bundle),
            },
            Input::Decline { bundle, .. } => vec![bundle.id],
            Input::Duplicate { id, .. } if self.ledger.tombstones().contains(id) => vec![*id],
            Input::Frame { from, frame: Frame::Accepted { grants } } => {
                self.answered_late(from, grants.iter().map(|g| g.0))
            }
            Input::Frame { frame: Frame::Ask { ids }, .. } => {
                ids.iter().filter(|id| self.ledger.tombstones().contains(id)).copied().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Of the messages that a receipt names, those that are not on their way any more.
    fn settled_in(&self, receipt: &Bundle) -> Vec<BundleId> {
        let mut ids = Receipt::decode(receipt.payload()).map(|receipt| receipt.ids).unwrap_or_default();
        ids.retain(|id| self.ledger.outbox().find(id).is_none());
        ids
    }

    /// Of what a peer accepted, what left from here as one's own and was settled meanwhile: cancelled, say.
    fn answered_late(&self, peer: &NodeId, prefixes: impl Iterator<Item = u64>) -> Vec<BundleId> {
        let Some(contact) = self.contacts.get(peer) else { return Vec::new() };
        let is_others = |id: &BundleId| {
            self.ledger.find_held(id).is_some_and(|slot| self.ledger.custody().class(slot) != Class::Own)
        };
        let ids = prefixes.filter_map(|prefix| contact.in_flight_with(prefix));
        ids.filter(|id| self.ledger.outbox().find(id).is_none() && !is_others(id)).collect()
    }
}
