//! What members of a group tell the author of a file of it: how much of it is here, in the words and at the times of a home.

use std::sync::Arc;

use super::{ENVELOPE_BYTES, Share};
use crate::agent::Input;
use crate::bundle::{Bundle, Draft, Priority};
use crate::content::{Content, FileAsk, pad, unpad};
use crate::eid::Eid;
use crate::sim::workload::Channel;

/// Tokens of such words have this bit, and neither a message's nor a receipt's has it.
const HERE: u64 = 1 << 62;

/// Whether a token is of what somebody has of a file.
pub fn is_of_here(token: u64) -> bool {
    token >> 62 == 1
}

impl Share<'_> {
    /// A part of a file came, whose first bundle is for `first` and which is `message` here: its author may be owed a word.
    pub(super) fn tell_here(&mut self, node: u32, first: u32, message: u32) {
        let Channel::GroupFile(group) = self.common.message(message).channel else { return };
        let Some(have) = self.node(node).files.due_to_tell(message) else { return };
        let mut target = [0; 16];
        target[..4].copy_from_slice(&first.to_be_bytes());
        let group = Some(self.common.group(group).node);
        let plaintext = pad(&Content::Ask(FileAsk { target, group, have, ..FileAsk::default() }).encode());
        let token = HERE | u64::from(message);
        self.node(node).files.say(token, message, plaintext);
        let [mailbox, destination] =
            [node, self.common.message(message).from].map(|node| Eid::mail(self.common.roster.name(node)));
        let (lifetime, priority) = (self.common.lifetime(), Priority::Normal);
        self.next.push(Input::Submit { token, mailbox, destination, lifetime, priority, copies: None });
    }

    /// Seals such a word: here it is in clear, and weighs what it would.
    pub(super) fn seal_here(&mut self, node: u32, token: u64, draft: &Draft) -> Input {
        let plaintext = self.node(node).files.said(token).expect("what is sealed was said");
        let size_bytes = draft.encoded_len(ENVELOPE_BYTES + plaintext.len()) as u32;
        Input::Sealed { token, payload: plaintext.into(), size_bytes }
    }

    /// Somebody says to have some of a file that a node sent to its group.
    pub(super) fn hear_here(&mut self, node: u32, bundle: &Bundle) {
        let content = unpad(bundle.payload()).ok().and_then(|content| Content::decode(content).ok());
        let Some(Content::Ask(FileAsk { target, have, .. })) = content else { return };
        let file = u32::from_be_bytes(*target.first_chunk().expect("4 of 16 bytes"));
        let member = self.common.roster.number(&bundle.source);
        let common = Arc::clone(&self.common);
        let over = self.node(node).files.hear_here(file, member, &have, common.wanting(file));
        self.next.extend(over.into_iter().map(Input::Cancel));
        self.senders.insert(node);
    }
}
