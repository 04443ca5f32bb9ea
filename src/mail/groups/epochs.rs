//! The keys that a group's content is sealed under: which one is written under, who may have it, and whose words under it
//! belong in the group.

use std::collections::BTreeMap;

use super::rows::{self, KeptEpoch, Standing};
use super::{Actor, Group, Groups, NotDone};
use crate::agent::change::Change;
use crate::content::group::{Epoch, EpochId, GroupKey};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime, Millis};

/// Most keys that are kept of a group.
pub const EPOCHS_MAX: usize = 256;
/// Most keys from one member among them.
pub const EPOCHS_OF_MEMBER_MAX: usize = 64;
/// How long one writes under the same key.
pub const EPOCH_USED: Millis = Millis(30 * DAY.0);
/// How long a key is kept once it is no longer written under: no message lives longer, and some come late.
pub const EPOCH_KEPT: Millis = Millis(90 * DAY.0);

/// What becomes of something that somebody wrote to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    Yes,
    /// Its author is out by now, and says that they wrote it before.
    Late,
    No,
}

impl Groups {
    /// The epoch that one writes under now: one that includes all who came and went, as far as one knows.
    pub fn ready(&mut self, group: &NodeId, by: &Actor<'_>, out: &mut Vec<Change>) -> Result<EpochId, NotDone> {
        let known = self.groups.get(group).ok_or(NotDone::NoGroup)?;
        if !known.log.view().members.contains_key(&self.me) {
            return Err(NotDone::NotMember);
        }
        if known.state.standing != Standing::Joined {
            return Err(NotDone::NotJoined);
        }
        if let Some(epoch) = self.usable(group, by.now) {
            return Ok(epoch);
        }
        let epoch = self.renew(group, by, out);
        let others = self.others(group);
        self.send_key(group, epoch, &[], others, out);
        Ok(epoch)
    }

    /// The keys of a group that are kept.
    pub fn keys(&self, group: &NodeId) -> impl Iterator<Item = (EpochId, GroupKey)> + '_ {
        let epochs = self.groups.get(group).into_iter().flat_map(|known| &known.epochs);
        epochs.map(|(id, kept)| (*id, kept.epoch.key))
    }

    /// Whether whoever wrote under an epoch knew of every removal that is known here.
    pub fn covers(&self, group: &NodeId, epoch: &EpochId) -> bool {
        let known = self.groups.get(group);
        known.is_some_and(|known| known.epochs.get(epoch).is_some_and(|kept| known.log.covers(&kept.epoch.heads)))
    }

    /// Whether something that somebody wrote under an epoch belongs in a group. Of who is out by now that does which they
    /// wrote as a member by what the epoch's author knew, before they went, as far as clocks tell: nobody can tell theirs
    /// from what was under way then, so everybody shows the same, and who hears of it only now is told so.
    pub fn admits(&self, group: &NodeId, epoch: &EpochId, author: &NodeId, created: DtnTime) -> Admitted {
        let Some(known) = self.groups.get(group) else { return Admitted::No };
        if known.log.view().members.contains_key(author) {
            return Admitted::Yes;
        }
        let Some(kept) = known.epochs.get(epoch) else { return Admitted::No };
        let was_member = known.log.view_at(&kept.epoch.heads).is_some_and(|view| view.members.contains_key(author));
        match was_member && known.log.out_at(author).is_some_and(|out| created <= out) {
            true => Admitted::Late,
            false => Admitted::No,
        }
    }

    /// Keeps a key from a member, and says whether it was not here; of who sends many the oldest go.
    pub(super) fn take_key(
        &mut self,
        group: &NodeId,
        epoch: &Epoch,
        from: NodeId,
        now: DtnTime,
        out: &mut Vec<Change>,
    ) -> bool {
        let Some(known) = self.groups.get_mut(group) else { return false };
        let id = epoch.id(group);
        if let Some(kept) = known.epochs.get(&id) {
            // From its author it can be written under.
            if kept.from == kept.epoch.author || from != epoch.author {
                return false;
            }
        }
        let oldest = |epochs: &BTreeMap<EpochId, KeptEpoch>, of: Option<NodeId>, many: usize| {
            let some = || epochs.iter().filter(|(_, kept)| of.is_none_or(|of| kept.from == of));
            let oldest = some().min_by_key(|(id, kept)| (kept.at, **id)).map(|(id, _)| *id);
            oldest.filter(|_| some().count() >= many)
        };
        let goes = oldest(&known.epochs, Some(from), EPOCHS_OF_MEMBER_MAX).or(oldest(&known.epochs, None, EPOCHS_MAX));
        if let Some(goes) = goes {
            known.epochs.remove(&goes);
            out.push(Change::Keep { key: rows::epoch(group, &goes), value: None });
        }
        let kept = KeptEpoch { epoch: epoch.clone(), from, at: now };
        out.push(Change::Keep { key: rows::epoch(group, &id), value: Some(kept.write()) });
        known.epochs.insert(id, kept);
        self.changed.insert(*group);
        true
    }

    /// A key that one may write under, the newest of those that all have from its author.
    pub(super) fn usable(&self, group: &NodeId, now: DtnTime) -> Option<EpochId> {
        let known = self.groups.get(group)?;
        let is_usable = |kept: &&KeptEpoch| {
            let is_young = now.0 < kept.at.0.saturating_add(EPOCH_USED.0) || now.0 == 0;
            let is_authors = kept.from == kept.epoch.author;
            let is_member = known.log.view().members.contains_key(&kept.epoch.author);
            is_young && is_authors && is_member && known.log.covers(&kept.epoch.heads) && known.knew(&kept.epoch)
        };
        let usable = known.epochs.values().filter(is_usable).map(|kept| (kept.at, kept.epoch.id(group)));
        usable.max().map(|(_, id)| id)
    }

    pub(super) fn newest(&self, group: &NodeId) -> Option<EpochId> {
        let known = self.groups.get(group)?;
        known.epochs.iter().max_by_key(|(id, kept)| (kept.at, **id)).map(|(id, _)| *id)
    }

    /// Makes a key; whom it goes to says the caller.
    pub(super) fn renew(&mut self, group: &NodeId, by: &Actor<'_>, out: &mut Vec<Change>) -> EpochId {
        let known = self.groups.get(group).expect("its group is known");
        let epoch = Epoch { author: self.me, heads: known.log.frontier(), key: GroupKey(by.fresh) };
        let id = epoch.id(group);
        let old = known.epochs.iter().filter(|(_, kept)| kept.at.0.saturating_add(EPOCH_KEPT.0) < by.now.0);
        let old: Vec<EpochId> = old.map(|(id, _)| *id).collect();
        for gone in old {
            out.push(Change::Keep { key: rows::epoch(group, &gone), value: None });
            self.groups.get_mut(group).into_iter().for_each(|known| drop(known.epochs.remove(&gone)));
        }
        self.take_key(group, &epoch, self.me, by.now, out);
        id
    }
}

impl Group {
    /// Whether somebody is a member both by the log here and by what the author of an epoch knew. Who knows less than that author
    /// cannot tell: who may read from the start may be out by then.
    pub(super) fn is_for(&self, epoch: &Epoch, who: &NodeId) -> bool {
        let Some(member) = self.log.view().members.get(who) else { return false };
        let Some(then) = self.log.view_at(&epoch.heads) else { return false };
        member.from_start || then.members.contains_key(who)
    }

    /// Whether the author of an epoch was a member by what they knew.
    fn knew(&self, epoch: &Epoch) -> bool {
        self.log.view_at(&epoch.heads).is_some_and(|view| view.members.contains_key(&epoch.author))
    }
}
