//! What goes to members. All of it is kept first, in the commit of what it follows from, and leaves when somebody takes it
//! from there: so nothing of it is lost, and some of it may go twice.

use super::Groups;
use super::rows::{self, KeptEpoch, Recipients, ToSend};
use crate::agent::change::Change;
use crate::content::group::{Epoch, EpochId, KEYS_AT_ONCE_MAX, OPERATIONS_AT_ONCE_MAX, Operation};
use crate::content::{Content, GroupWord};
use crate::id::NodeId;
use crate::time::DtnTime;

impl Groups {
    /// Sends a key to members who may have it, with operations that it includes.
    pub(super) fn send_key(
        &mut self,
        group: &NodeId,
        id: EpochId,
        operations: &[Operation],
        to: Vec<NodeId>,
        out: &mut Vec<Change>,
    ) {
        let known = &self.groups[group];
        let epoch = known.epochs[&id].epoch.clone();
        let to: Vec<NodeId> = to.into_iter().filter(|to| known.is_for(&epoch, to)).collect();
        self.send_parts(to, group, operations.to_vec(), vec![epoch], false, out);
    }

    /// Sends people who were just admitted what they need to join, and the key of this epoch; or all keys that are kept, the
    /// newest first.
    pub(super) fn invite(&mut self, group: &NodeId, who: &[NodeId], epoch: Option<EpochId>, out: &mut Vec<Change>) {
        let known = &self.groups[group];
        let mut kept: Vec<&KeptEpoch> = known
            .epochs
            .iter()
            .filter(|(id, _)| epoch.is_none_or(|epoch| epoch == **id))
            // An admission beside which somebody else did something may not count.
            .filter(|(_, kept)| who.iter().all(|who| known.is_for(&kept.epoch, who)))
            .map(|(_, kept)| kept)
            .collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.at));
        let keys = kept.into_iter().take(KEYS_AT_ONCE_MAX).map(|kept| kept.epoch.clone()).collect();
        let operations = known.log.lacking(&[]);
        self.send_parts(who.to_vec(), group, operations, keys, true, out);
    }

    /// Says what was done in the group.
    pub(super) fn tell(&mut self, group: &NodeId, operations: Vec<Operation>, out: &mut Vec<Change>) {
        if let Some(epoch) = self.newest_own_or_usable(group) {
            self.tell_under(group, epoch, operations, out);
        }
    }

    fn newest_own_or_usable(&self, group: &NodeId) -> Option<EpochId> {
        self.usable(group, DtnTime(0)).or_else(|| self.newest(group))
    }

    pub(super) fn tell_under(
        &mut self,
        group: &NodeId,
        epoch: EpochId,
        operations: Vec<Operation>,
        out: &mut Vec<Change>,
    ) {
        for some in operations.chunks(OPERATIONS_AT_ONCE_MAX) {
            let word = GroupWord { operations: some.to_vec(), ..GroupWord::of(*group) };
            let content = Content::Group(Box::new(word)).encode();
            self.put_out(ToSend { to: Recipients::Group(*group, epoch), content }, out);
        }
    }

    /// Sends operations and keys to each of these, in as many words as it takes; the last says what is asked of them.
    pub(super) fn send_parts(
        &mut self,
        to: Vec<NodeId>,
        group: &NodeId,
        operations: Vec<Operation>,
        keys: Vec<Epoch>,
        invites: bool,
        out: &mut Vec<Change>,
    ) {
        let have = self.groups[group].log.heads();
        let mut chunks: Vec<Vec<Operation>> =
            operations.chunks(OPERATIONS_AT_ONCE_MAX).map(<[Operation]>::to_vec).collect();
        if chunks.is_empty() {
            chunks.push(Vec::new());
        }
        for operations in chunks {
            // What is asked comes with each part, for whoever gets one alone knows what it is of.
            let have = if invites { Vec::new() } else { have.clone() };
            let word = GroupWord { operations, keys: keys.clone(), have, invites, ..GroupWord::of(*group) };
            self.send(to.clone(), word, out);
        }
    }

    pub(super) fn send(&mut self, to: Vec<NodeId>, word: GroupWord, out: &mut Vec<Change>) {
        if !to.is_empty() {
            let content = Content::Group(Box::new(word)).encode();
            self.put_out(ToSend { to: Recipients::Each(to), content }, out);
        }
    }

    fn put_out(&mut self, what: ToSend, out: &mut Vec<Change>) {
        out.push(Change::Keep { key: rows::out(self.next_out), value: Some(what.write()) });
        self.next_out += 1;
        self.is_due = true;
    }
}
