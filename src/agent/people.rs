//! What the person does: names and blocks others, reads and deletes mail.

use super::Agent;
use super::change::{Adopted, Class, Letter, Marks, Outgoing, Person, Standing};
use super::io::Output;
use crate::id::{BundleId, NodeId};
use crate::receipt::ReceiptKind;

impl Agent {
    /// What is held already moves to the class its source now has.
    pub(super) fn meet_person(&mut self, node: NodeId, person: Option<Person>, out: &mut Vec<Output>) {
        if self.mailboxes.writes_as(&node) {
            return;
        }
        let is_blocked =
            |agent: &Agent| agent.ledger.people().get(&node).is_some_and(|person| person.standing == Standing::Blocked);
        let was_blocked = is_blocked(self);
        self.ledger.name(node, person, out);
        if was_blocked && !is_blocked(self) {
            self.want_other_posts();
        }
        self.room_comes();
        self.routing.set_named(node, self.ledger.is_contact(&node));
        // What a blocked person handed over stays where others want it, among that of strangers.
        for slot in self.ledger.custody().messages_of(node) {
            let held = self.ledger.custody().held(slot);
            let class = self.class_of(node, &held.destination).unwrap_or(Class::Strangers);
            if class != held.class && held.class != Class::Topics {
                self.ledger.regrade(slot, held.grade, held.copies, class, out);
            }
        }
    }

    pub(super) fn read(&mut self, id: BundleId, tell: bool, out: &mut Vec<Output>) {
        let Some(letter) = self.ledger.inbox().find(&id).cloned() else { return };
        let tell = tell && self.mailboxes.signer_of(&letter.destination).is_some();
        let marks = Marks { read: true, told: letter.told || tell };
        if marks != letter.marks() {
            self.ledger.mark(&id, marks, out);
        }
        // Also long after it was read, and once.
        if tell && !letter.told {
            let about = (letter.source, letter.from);
            let lifetime = letter.lifetime.min(self.config.lifetime_max);
            self.sign_receipt(&letter.destination, about, ReceiptKind::Read, vec![id], lifetime, out);
        }
    }

    /// What its writer was told stays told.
    pub(super) fn unread(&mut self, id: BundleId, out: &mut Vec<Output>) {
        if let Some(letter) = self.ledger.inbox().find(&id).filter(|letter| letter.read) {
            let marks = Marks { read: false, ..letter.marks() };
            self.ledger.mark(&id, marks, out);
        }
    }

    /// Takes in mail of an earlier home, at the next row of this one; what is here stays as it is.
    pub(super) fn adopt(&mut self, adopted: Adopted, out: &mut Vec<Output>) {
        let row = self.ledger.custody().next_row();
        match adopted {
            Adopted::Came(letter) => {
                let inbox = self.ledger.inbox();
                if inbox.find(&letter.id).is_none() && !inbox.is_arriving(&letter.id) {
                    self.ledger.adopt(Letter { row, ..letter }, out);
                }
            }
            Adopted::Own(outgoing) => {
                assert!(outgoing.is_settled(), "what is adopted is never sent again");
                if self.ledger.outbox().find(&outgoing.id).is_none() {
                    self.ledger.adopt_own(Outgoing { row: Some(row), ..outgoing }, out);
                }
            }
        }
    }

    /// Deletes an inbox row, and the record of one's own message once nothing more is held for it: a note to oneself is both.
    pub(super) fn discard(&mut self, id: BundleId, out: &mut Vec<Output>) {
        self.ledger.discard_letter(&id, out);
        self.room_comes();
        if self.ledger.find_held(&id).is_none() {
            self.ledger.unpost(&id, out);
        }
    }
}
