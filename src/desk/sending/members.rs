//! Files that go to a group: what lies here of one for it goes once every member has it, and what a member asks for again goes
//! to them alone. Of what lies here under a key of somebody who was removed since, no copy leaves any more.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::{Out, Sender, Way, begin, begin_member};
use crate::agent::Input;
use crate::agent::change::{EvidenceKind, Outgoing, Row};
use crate::api::ApiError;
use crate::bundle::Priority;
use crate::content::group::EpochId;
use crate::content::{FileAsk, Part};
use crate::desk::Desk;
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::mail::files::{Fate, FileState, Parts, Sending};
use crate::mail::groups::Standing;
use crate::node::NodeError;
use crate::node::named::Named;
use crate::seal::group::epoch_of;
use crate::time::Millis;

impl Sender {
    /// Parts for groups that are held here sealed under a key of somebody who was removed since.
    pub(super) async fn outlived(
        &self,
        sent: &[(Option<Part>, Outgoing)],
        rows: &[Option<Row>],
    ) -> Result<BTreeSet<BundleId>, ApiError> {
        let held = sent.iter().zip(rows).filter(|((_, outgoing), _)| outgoing.destination.has_members());
        let held: Vec<(BundleId, Row)> = held.filter_map(|((_, outgoing), row)| Some((outgoing.id, (*row)?))).collect();
        let sealed = self.desk.record(move |record| {
            let mut sealed = Vec::new();
            for (id, row) in held {
                let Some((bundle, _)) = record.bundle(row, id)? else { continue };
                if let Ok(epoch) = epoch_of(bundle.payload()) {
                    sealed.push((id, (bundle.destination.node, epoch)));
                }
            }
            Ok(sealed)
        });
        let sealed = sealed.await?;
        let outlived = self.desk.keys_outlived(sealed.iter().map(|(_, key)| *key).collect()).await?;
        Ok(sealed.into_iter().filter(|(_, key)| outlived.contains(key)).map(|(id, _)| id).collect())
    }

    /// Who was removed from the group may open a part: no copy of it leaves from here any more.
    pub(super) fn hold_back(&mut self, outgoing: &Outgoing) {
        let Some((way, part)) = self.parts.get(&outgoing.id).cloned() else { return };
        let Some(out) = self.files.get_mut(&way) else { return };
        if outgoing.carriers.iter().any(|carrier| carrier.gave_up.is_none()) {
            self.desk.node().tell(Input::HandOn(outgoing.id));
            out.sending.heard(part, Fate::Promised);
            return out.sending.handed_on(part);
        }
        self.desk.node().tell(Input::Cancel(outgoing.id));
        self.heard(&outgoing.id, EvidenceKind::Cancelled);
    }

    /// What every member of a group has of a file that went there need not lie here for it any more.
    pub(super) fn count_members(&mut self, way: &Way) {
        let (group, root) = way;
        let Some(out) = self.files.get(way).filter(|out| group.has_members() && !out.meant.is_empty()) else { return };
        let of_member = |member: &NodeId| self.files.get(&(Eid::mail(*member), *root)).map(|out| &out.sending);
        let wanting = out.meant.iter().map(of_member).filter(|member| !member.is_some_and(Sending::is_stopped));
        let mut all = None::<Parts>;
        for member in wanting {
            let Some(member) = member else { return };
            all.get_or_insert_with(|| member.safe().clone()).retain_all(member.safe());
        }
        let safe = all.into_iter().flat_map(|all| all.iter().collect::<Vec<u32>>());
        let new: Vec<u32> = safe.filter(|part| !out.sending.safe().has(*part)).collect();
        for part in new {
            self.safe_at_all(way, part);
        }
    }

    fn safe_at_all(&mut self, way: &Way, part: u32) {
        let Some(out) = self.files.get_mut(way) else { return };
        out.sending.heard(part, Fate::Safe);
        out.changed = true;
        if let Some(id) = out.sealed.remove(&part) {
            self.desk.node().tell(Input::Cancel(id));
            self.parts.remove(&id);
            self.over.push(id);
        }
    }

    /// The groups that a file went to and that somebody is a member of.
    pub(super) fn count_groups_of(&mut self, (to, root): &Way) {
        let is_of =
            |((group, of), out): &(&Way, &Out)| of == root && group.has_members() && out.meant.contains(&to.node);
        let groups: Vec<Way> = self.files.iter().filter(is_of).map(|(way, _)| way.clone()).collect();
        groups.iter().for_each(|way| self.count_members(way));
    }

    /// A member of a group asks for parts of a file of it, or says what they have. Of what went to the group nothing is to
    /// come again but to who asks.
    pub(super) async fn answer_member(
        &mut self,
        member: NodeId,
        group: NodeId,
        ask: &FileAsk,
        named: Named,
    ) -> Result<(), ApiError> {
        let joined = self.desk.groups_joined().await?;
        let is_member = joined.get(&group).is_some_and(|members| members.contains(&member));
        let have = self.desk.node().blobs().have(&named.file.root);
        if !is_member || !have.is_some_and(|(_, have)| have.is_all()) {
            return Ok(());
        }
        begin(&mut self.files, &named, &joined);
        let (way, root) = ((Eid::mail(member), named.file.root), named.file.root);
        begin_member(&mut self.files, &named, member, &FileState::default());
        let mut ask = ask.clone();
        if named.from().is_none()
            && let Some(out) = self.files.get_mut(&(Eid::group(group), root))
        {
            let again = out.sending.ask_of_group(&ask.wanted);
            out.changed |= !ask.wanted.is_empty();
            let mut alone = Parts::none(named.file.parts());
            for part in again {
                alone.insert(part);
            }
            ask.wanted = alone.stretches();
        }
        if let Some(out) = self.files.get_mut(&way) {
            out.sending.has(&ask.have);
        }
        self.take_ask(&way, &ask);
        self.count_groups_of(&way);
        Ok(())
    }
}

impl Desk {
    /// Writes parts of files to a group, each padded; nobody owes a receipt for them.
    pub(super) async fn send_parts_to_group(
        &self,
        group: NodeId,
        parts: Vec<Vec<u8>>,
        lifetime: Millis,
    ) -> Result<Vec<Result<BundleId, NodeError>>, ApiError> {
        let _turn = self.inner.grouping.lock().await;
        self.use_right_key(group).await?;
        let send = |part| self.node().send(Eid::group(group), part, lifetime, Priority::Bulk, None);
        Ok(join_all(parts.into_iter().map(send)).await)
    }

    /// The groups that this person is in, each with its other members.
    pub(in crate::desk) async fn groups_joined(&self) -> Result<BTreeMap<NodeId, Vec<NodeId>>, ApiError> {
        let joined = self.on_groups(|groups, _, _| {
            let joined = groups.all().filter(|(_, known)| known.state.standing == Standing::Joined);
            Ok(joined.map(|(group, _)| (*group, groups.others(group))).collect())
        });
        Ok(joined.await?.unwrap_or_default())
    }

    /// Which of these keys of groups somebody has who was removed since.
    async fn keys_outlived(
        &self,
        keys: BTreeSet<(NodeId, [u8; 16])>,
    ) -> Result<BTreeSet<(NodeId, [u8; 16])>, ApiError> {
        let outlived = self.on_groups(move |groups, _, _| {
            let is_over = |(group, epoch): &(NodeId, [u8; 16])| !groups.covers(group, &EpochId(*epoch));
            Ok(keys.into_iter().filter(is_over).collect())
        });
        Ok(outlived.await?.unwrap_or_default())
    }
}
