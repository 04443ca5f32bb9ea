//! What requests change beside the record of mail, and how that is told to who follows what happens.

use crate::api::Request;
use crate::api::model::Beside;
use crate::desk::Desk;
use crate::node::Stir;

impl Desk {
    pub(super) fn stir(&self, what: Stir) {
        self.node().stirs().stir(what);
    }
}

/// What a request changes that is done as it was asked, where nothing else tells of it: the node does of the groups and topics
/// whose state changed, whoever changed it, and of files that come or are whole, and drafts tell where they go.
pub fn stirred_by(request: &Request) -> Option<Stir> {
    use Request as R;
    Some(match request {
        R::ContactAdd(_)
        | R::ContactVerify { .. }
        | R::ContactRename { .. }
        | R::ContactBlock { .. }
        | R::ContactUnblock { .. }
        | R::ContactRemove { .. }
        | R::ContactSet { .. }
        | R::PairJoin { .. } => Stir::Contacts,
        R::DraftAdd(_) | R::DraftDelete { .. } => Stir::Drafts,
        R::Arrange { .. } | R::Label { .. } => Stir::Places,
        R::TopicSubscribe { .. } | R::TopicUnsubscribe { .. } | R::TopicSet { .. } | R::TopicDelete { .. } => {
            Stir::Topics
        }
        R::FileCancel { .. } => Stir::Files,
        R::AwaySet(_) | R::AwayEnd => Stir::Away,
        _ => return None,
    })
}

/// As rows name it.
pub fn beside(stir: Stir) -> Beside {
    match stir {
        Stir::Nearby => Beside::Nearby,
        Stir::Contacts => Beside::Contacts,
        Stir::Groups => Beside::Groups,
        Stir::Receipts => Beside::Receipts,
        Stir::Topics => Beside::Topics,
        Stir::Drafts => Beside::Drafts,
        Stir::Places => Beside::Places,
        Stir::Files => Beside::Files,
        Stir::Away => Beside::Away,
    }
}
