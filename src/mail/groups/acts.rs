//! What the person does in their groups: each a signed operation that goes to the log, to the group, and with keys to whom
//! they are due.

use std::collections::BTreeMap;

use super::log::{Log, MEMBERS_MAX, Taken};
use super::rows::{Standing, State};
use super::{GROUPS_MAX, Group, Groups};
use crate::agent::change::Change;
use crate::bundle::Signer;
use crate::content::GroupWord;
use crate::content::group::{Act, Operation, Role};
use crate::id::NodeId;
use crate::time::DtnTime;

/// Why something cannot be done in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    #[error("there is no such group here")]
    NoGroup,
    #[error("you are not a member of it")]
    NotMember,
    #[error("you have not joined it")]
    NotJoined,
    #[error("only an owner does that")]
    NotOwner,
    #[error("they are a member already")]
    Member,
    #[error("they are no member")]
    Stranger,
    #[error("its last owner does not leave")]
    LastOwner,
    #[error("a group has at most {MEMBERS_MAX} members")]
    Full,
    #[error("you are in {GROUPS_MAX} groups, and there is room for no more")]
    TooMany,
    #[error("the log of the group has no room for more")]
    NoRoom,
}

/// Who acts, when, and with what randomness.
pub struct Actor<'a> {
    pub signer: &'a dyn Signer,
    pub now: DtnTime,
    /// For a new key, used once.
    pub fresh: [u8; 32],
}

impl Groups {
    /// Begins a group and admits others to it.
    pub fn begin(
        &mut self,
        name: &str,
        nonce: [u8; 16],
        with: &[NodeId],
        by: &Actor<'_>,
        out: &mut Vec<Change>,
    ) -> Result<NodeId, NotDone> {
        if self.count(Standing::Joined) >= GROUPS_MAX {
            return Err(NotDone::TooMany);
        }
        if with.len() >= MEMBERS_MAX {
            return Err(NotDone::Full);
        }
        let begin = Operation::begin(name, nonce, by.now, by.signer);
        let group = begin.group;
        let state = State { standing: Standing::Joined, since: by.now };
        self.groups.insert(group, Group { state, log: Log::new(group), epochs: BTreeMap::new() });
        self.keep_state(&group, out);
        let mut operations = vec![begin.clone()];
        self.take(&group, begin, out);
        for who in with {
            operations.push(self.sign(
                &group,
                Act::Admit { who: *who, role: Role::Member, from_start: false },
                by,
                out,
            )?);
        }
        let epoch = self.renew(&group, by, out);
        self.invite(&group, with, Some(epoch), out);
        self.tell(&group, operations, out);
        Ok(group)
    }

    /// Admits people, who are sent what they need to join.
    pub fn admit(
        &mut self,
        group: &NodeId,
        who: &[NodeId],
        from_start: bool,
        by: &Actor<'_>,
        out: &mut Vec<Change>,
    ) -> Result<(), NotDone> {
        self.check_owner(group)?;
        let view = self.groups[group].log.view();
        if who.iter().any(|who| view.members.contains_key(who)) {
            return Err(NotDone::Member);
        }
        if view.members.len() + who.len() > MEMBERS_MAX {
            return Err(NotDone::Full);
        }
        let before = self.others(group);
        let mut operations = Vec::new();
        for who in who {
            operations.push(self.sign(group, Act::Admit { who: *who, role: Role::Member, from_start }, by, out)?);
        }
        // Whoever came to read from now on must not be able to read what was written before.
        if !from_start || self.usable(group, by.now).is_none() {
            let epoch = self.renew(group, by, out);
            self.send_key(group, epoch, &operations, before, out);
            self.invite(group, who, Some(epoch).filter(|_| !from_start), out);
        } else {
            self.invite(group, who, None, out);
        }
        self.tell(group, operations, out);
        Ok(())
    }

    /// Joins a group that one is asked to join.
    pub fn join(&mut self, group: &NodeId, by: &Actor<'_>, out: &mut Vec<Change>) -> Result<(), NotDone> {
        let known = self.groups.get(group).ok_or(NotDone::NoGroup)?;
        let member = known.log.view().members.get(&self.me).ok_or(NotDone::NotMember)?;
        if known.state.standing == Standing::Joined && member.joined {
            return Ok(());
        }
        if self.count(Standing::Joined) >= GROUPS_MAX {
            return Err(NotDone::TooMany);
        }
        let has_joined = member.joined;
        self.stand(group, Standing::Joined, by.now, out);
        if !has_joined {
            let operation = self.sign(group, Act::Join, by, out)?;
            self.ready(group, by, out)?;
            self.tell(group, vec![operation], out);
        }
        Ok(())
    }

    /// Leaves a group, or turns an invitation down.
    pub fn leave(&mut self, group: &NodeId, by: &Actor<'_>, out: &mut Vec<Change>) -> Result<(), NotDone> {
        let known = self.groups.get(group).ok_or(NotDone::NoGroup)?;
        let view = known.log.view();
        if let Some(member) = view.members.get(&self.me) {
            if member.role == Role::Owner && view.owners().count() == 1 && view.members.len() > 1 {
                return Err(NotDone::LastOwner);
            }
            // The last that one writes there is under a key that one still has a right to.
            let epoch = self.usable(group, by.now).or_else(|| self.newest(group));
            let operation = self.sign(group, Act::Leave, by, out)?;
            match epoch {
                Some(epoch) => self.tell_under(group, epoch, vec![operation], out),
                None => {
                    let word = GroupWord { operations: vec![operation], ..GroupWord::of(*group) };
                    let others = self.others(group);
                    self.send(others, word, out);
                }
            }
        }
        self.stand(group, Standing::Out, by.now, out);
        Ok(())
    }

    /// Removes a member: a new key goes to those who stay.
    pub fn remove(
        &mut self,
        group: &NodeId,
        who: NodeId,
        by: &Actor<'_>,
        out: &mut Vec<Change>,
    ) -> Result<(), NotDone> {
        self.check_owner(group)?;
        if who == self.me || !self.groups[group].log.view().members.contains_key(&who) {
            return Err(NotDone::Stranger);
        }
        let operation = self.sign(group, Act::Remove { who }, by, out)?;
        let epoch = self.renew(group, by, out);
        let others = self.others(group);
        self.send_key(group, epoch, std::slice::from_ref(&operation), others, out);
        self.send(vec![who], GroupWord { operations: vec![operation.clone()], ..GroupWord::of(*group) }, out);
        self.tell(group, vec![operation], out);
        Ok(())
    }

    pub fn rename(&mut self, group: &NodeId, name: &str, by: &Actor<'_>, out: &mut Vec<Change>) -> Result<(), NotDone> {
        self.check_owner(group)?;
        let operation = self.sign(group, Act::Rename { name: name.to_owned() }, by, out)?;
        self.ready(group, by, out)?;
        self.tell(group, vec![operation], out);
        Ok(())
    }

    /// Makes somebody an owner, or a member as others.
    pub fn appoint(
        &mut self,
        group: &NodeId,
        who: NodeId,
        role: Role,
        by: &Actor<'_>,
        out: &mut Vec<Change>,
    ) -> Result<(), NotDone> {
        self.check_owner(group)?;
        let view = self.groups[group].log.view();
        let Some(member) = view.members.get(&who) else { return Err(NotDone::Stranger) };
        if member.role == role {
            return Ok(());
        }
        if who == self.me && role == Role::Member && view.owners().count() == 1 {
            return Err(NotDone::LastOwner);
        }
        let operation = self.sign(group, Act::Appoint { who, role }, by, out)?;
        self.ready(group, by, out)?;
        self.tell(group, vec![operation], out);
        Ok(())
    }

    fn check_owner(&self, group: &NodeId) -> Result<(), NotDone> {
        let known = self.groups.get(group).ok_or(NotDone::NoGroup)?;
        let member = known.log.view().members.get(&self.me).ok_or(NotDone::NotMember)?;
        match (known.state.standing, member.role) {
            (Standing::Joined, Role::Owner) => Ok(()),
            (Standing::Joined, Role::Member) => Err(NotDone::NotOwner),
            _ => Err(NotDone::NotJoined),
        }
    }

    /// Signs an operation behind all that is known.
    fn sign(&mut self, group: &NodeId, act: Act, by: &Actor<'_>, out: &mut Vec<Change>) -> Result<Operation, NotDone> {
        let heads = self.groups.get(group).ok_or(NotDone::NoGroup)?.log.heads();
        let operation = Operation::sign(*group, heads, by.now, act, by.signer);
        match self.take(group, operation.clone(), out) {
            Taken::New => Ok(operation),
            _ => Err(NotDone::NoRoom),
        }
    }
}
