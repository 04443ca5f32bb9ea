//! Groups that this person is in or is asked to join.
//!
//! ```text
//! person: begin, act ──▶ a signed operation ──▶ the log, a line to the group, and keys to whom they are due
//! a word came ──▶ hear ──▶ operations to the log; keys kept; what was asked for, answered
//! person: writes ──▶ ready ──▶ the epoch to seal under: one that includes all who went and came, or a new one
//! ```
//! Everything that is to be sent is kept first, in the commit of what it follows from, and leaves when somebody takes it from
//! there: so nothing of it is lost, and some of it may go twice.
//!
//! A key is sent only to who is a member both by the log here and by what the key's author knew. Who was admitted to read
//! from then on gets the keys made from then on; who may read from the start gets all that are kept.
//!
//! | | |
//! |---|---|
//! | `log` | which operations are known, and who is a member by them |
//! | `receipts` | which messages authors are to hear of, and which of one's own came to whom |
//! | `rows` | keys and values of all this in the store |

pub mod log;
pub mod receipts;
pub mod rows;

use std::collections::{BTreeMap, BTreeSet};

use self::log::{Log, MEMBERS_MAX, Taken, View};
use self::receipts::Receipts;
use self::rows::{KeptEpoch, Recipients, State, ToSend};
use crate::agent::change::Change;
use crate::bundle::Signer;
use crate::content::group::{
    Act, Epoch, EpochId, GroupKey, KEYS_AT_ONCE_MAX, OPERATIONS_AT_ONCE_MAX, Operation, OperationId, Role,
};
use crate::content::{Content, GroupWord, Mark};
use crate::id::NodeId;
use crate::time::{DAY, DtnTime, HOUR, Millis};

pub use self::rows::Standing;

/// Most groups that one is in.
pub const GROUPS_MAX: usize = 256;
/// Most groups that one is asked to join.
pub const INVITATIONS_MAX: usize = 64;
/// Most keys that are kept of a group.
pub const EPOCHS_MAX: usize = 256;
/// Most keys from one member among them.
pub const EPOCHS_OF_MEMBER_MAX: usize = 64;
/// How long one writes under the same key.
pub const EPOCH_USED: Millis = Millis(30 * DAY.0);
/// How long a key is kept once it is no longer written under: no message lives longer, and some come late.
pub const EPOCH_KEPT: Millis = Millis(90 * DAY.0);
/// How soon the same is asked of somebody again, or answered again.
pub const ASKED_AGAIN: Millis = Millis(HOUR.0);
/// So many questions and answers are remembered.
pub const ASKED_MAX: usize = 4_096;
/// So many of them are of one member: who writes under keys without end is asked for these, and nobody else's place is taken.
pub const ASKED_EACH_MAX: usize = 64;

/// All groups of one person.
#[derive(Debug)]
pub struct Groups {
    me: NodeId,
    groups: BTreeMap<NodeId, Group>,
    /// The number of what is sent next.
    next_out: u64,
    /// Own messages to groups, of which one hears who has them.
    meant: BTreeMap<Mark, NodeId>,
    /// Who was asked for what, or answered, and when.
    asked: BTreeMap<(NodeId, Asked), DtnTime>,
    /// Groups of which something changed since somebody asked.
    changed: BTreeSet<NodeId>,
    /// There is something to be sent that was not there when somebody asked.
    is_due: bool,
    /// Own messages that members said to have, since somebody asked.
    noted: Vec<(Mark, NodeId)>,
    /// What members of groups are to hear.
    pub receipts: Receipts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Epoch(EpochId),
    Operations(NodeId),
    Answered(EpochId),
    AnsweredOperations(NodeId),
}

/// One group, as it is known here.
#[derive(Debug)]
pub struct Group {
    pub state: State,
    pub log: Log,
    epochs: BTreeMap<EpochId, KeptEpoch>,
}

/// What becomes of something that somebody wrote to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    Yes,
    /// Its author is out by now, and says that they wrote it before.
    Late,
    No,
}

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
    #[error("its last owner does not leave: make somebody else an owner first")]
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
    pub fn new(me: NodeId) -> Groups {
        Groups {
            me,
            groups: BTreeMap::new(),
            next_out: 1,
            meant: BTreeMap::new(),
            asked: BTreeMap::new(),
            changed: BTreeSet::new(),
            is_due: false,
            noted: Vec::new(),
            receipts: Receipts::default(),
        }
    }

    /// Takes in a row of the store, in the order of the keys; what cannot be read is as if it were not there.
    pub fn load(&mut self, key: &[u8], value: &[u8]) {
        match rows::read_key(key) {
            Some(rows::Key::State(group)) => {
                if let Some(state) = State::read(value) {
                    self.groups.insert(group, Group { state, log: Log::new(group), epochs: BTreeMap::new() });
                    self.changed.insert(group);
                }
            }
            Some(rows::Key::Operation(group)) => {
                if let (Some(known), Some(operation)) = (self.groups.get_mut(&group), rows::read_operation(value)) {
                    known.log.load(operation);
                }
            }
            Some(rows::Key::Epoch(group, id)) => {
                if let (Some(known), Some(epoch)) = (self.groups.get_mut(&group), KeptEpoch::read(value)) {
                    known.epochs.insert(id, epoch);
                }
            }
            Some(rows::Key::Out(number)) => self.next_out = self.next_out.max(number + 1),
            Some(rows::Key::Meant(mark)) => {
                if let Some((group, _)) = rows::read_meant(value) {
                    self.meant.insert(mark, group);
                }
            }
            Some(rows::Key::Receipt(author, group, mark)) => {
                let members = self.others(&group).len() + 1;
                self.receipts.load(author, group, mark, value, members);
            }
            Some(rows::Key::Has(..) | rows::Key::Said(_) | rows::Key::Late(_)) | None => {}
        }
    }

    pub fn me(&self) -> NodeId {
        self.me
    }

    pub fn get(&self, group: &NodeId) -> Option<&Group> {
        self.groups.get(group)
    }

    pub fn all(&self) -> impl Iterator<Item = (&NodeId, &Group)> + '_ {
        self.groups.iter()
    }

    /// Groups of which something changed since this was asked.
    pub fn take_changed(&mut self) -> BTreeSet<NodeId> {
        std::mem::take(&mut self.changed)
    }

    /// Whether there is something to be sent since this was asked.
    pub fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// Own messages that members said to have since this was asked.
    pub fn take_noted(&mut self) -> Vec<(Mark, NodeId)> {
        std::mem::take(&mut self.noted)
    }

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

    /// A word came from somebody, in mail or in the group; who is no contact fills no more than a part of the room for
    /// invitations.
    pub fn hear(&mut self, from: NodeId, is_contact: bool, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let group = word.group;
        if !self.groups.contains_key(&group) && !self.is_asked_in(from, is_contact, word, now, out) {
            return;
        }
        for operation in &word.operations {
            self.take(&group, operation.clone(), out);
        }
        let is_member = |groups: &Groups| groups.groups[&group].log.view().members.contains_key(&from);
        if is_member(self) {
            for epoch in &word.keys {
                self.take_key(&group, epoch, from, now, out);
            }
            self.answer(from, word, now, out);
        } else {
            self.answer_who_is_out(from, word, now, out);
        }
        self.ask_for_what_is_before(from, word, now, out);
        self.settle(&group, now, out);
    }

    /// Asks for operations that are unknown here and that others name which came, or that the author of a key knew: who sent
    /// these, or where that is no member as far as one knows, an owner.
    fn ask_for_what_is_before(&mut self, from: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let (group, me) = (word.group, self.me);
        let log = &self.groups[&group].log;
        let is_member = log.view().members.contains_key(&from);
        let knew_more = || is_member && word.keys.iter().any(|epoch| !log.has_all(&epoch.heads));
        if !log.is_waiting() && !knew_more() {
            return;
        }
        let owner = || log.view().owners().copied().find(|owner| *owner != me);
        let Some(whom) = Some(from).filter(|_| is_member).or_else(owner) else { return };
        if self.asks((whom, Asked::Operations(group)), now) {
            let have = self.groups[&group].log.heads();
            self.send(vec![whom], GroupWord { have, ..GroupWord::of(group) }, out);
        }
    }

    /// Something came that is sealed under an epoch that is unknown: its author is asked for the key.
    pub fn miss(&mut self, group: &NodeId, epoch: EpochId, from: NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get(group) else { return };
        let is_member = known.log.view().members.contains_key(&from);
        if from == self.me || !is_member || known.epochs.contains_key(&epoch) {
            return;
        }
        if self.asks((from, Asked::Epoch(epoch)), now) {
            let have = self.groups[group].log.heads();
            self.send(vec![from], GroupWord { wants: vec![epoch], have, ..GroupWord::of(*group) }, out);
        }
    }

    /// The keys of a group that are kept.
    pub fn keys(&self, group: &NodeId) -> impl Iterator<Item = (EpochId, GroupKey)> + '_ {
        let epochs = self.groups.get(group).into_iter().flat_map(|known| &known.epochs);
        epochs.map(|(id, kept)| (*id, kept.epoch.key))
    }

    /// Members of a group but oneself, those who are invited among them.
    pub fn others(&self, group: &NodeId) -> Vec<NodeId> {
        let members = self.groups.get(group).into_iter().flat_map(|known| known.log.view().in_order());
        members.map(|(who, _)| who).filter(|who| *who != self.me).collect()
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

    fn count(&self, standing: Standing) -> usize {
        self.groups.values().filter(|known| known.state.standing == standing).count()
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

    fn take(&mut self, group: &NodeId, operation: Operation, out: &mut Vec<Change>) -> Taken {
        let Some(known) = self.groups.get_mut(group) else { return Taken::Refused };
        let mut new = Vec::new();
        let taken = known.log.take(operation, &mut new);
        for (depth, id) in new {
            let operation = known.log.operation(&id).expect("it was just taken in");
            out.push(Change::Keep { key: rows::operation(group, depth, &id), value: Some(operation.encode()) });
            self.changed.insert(*group);
        }
        taken
    }

    /// Somebody asks this person to join a group that is unknown here.
    fn is_asked_in(
        &mut self,
        from: NodeId,
        is_contact: bool,
        word: &GroupWord,
        now: DtnTime,
        out: &mut Vec<Change>,
    ) -> bool {
        let room = if is_contact { INVITATIONS_MAX } else { INVITATIONS_MAX / 2 };
        if !word.invites || self.count(Standing::Invited) >= room {
            return false;
        }
        let mut log = Log::new(word.group);
        for operation in &word.operations {
            log.take(operation.clone(), &mut Vec::new());
        }
        let members = &log.view().members;
        if !members.contains_key(&self.me) || !members.contains_key(&from) {
            return false;
        }
        let state = State { standing: Standing::Invited, since: now };
        self.groups.insert(word.group, Group { state, log: Log::new(word.group), epochs: BTreeMap::new() });
        self.keep_state(&word.group, out);
        true
    }

    /// Keeps a key from a member; of who sends many the oldest go.
    fn take_key(&mut self, group: &NodeId, epoch: &Epoch, from: NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get_mut(group) else { return };
        let id = epoch.id(group);
        if let Some(kept) = known.epochs.get(&id) {
            // From its author it can be written under.
            if kept.from == kept.epoch.author || from != epoch.author {
                return;
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
    }

    /// Answers what a member asks for, as far as it is theirs to have.
    fn answer(&mut self, to: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        let group = word.group;
        if word.wants.is_empty() && word.have.is_empty() || !word.operations.is_empty() {
            return;
        }
        let mut keys = Vec::new();
        for id in &word.wants {
            let known = &self.groups[&group];
            let Some(kept) = known.epochs.get(id) else { continue };
            if known.is_for(&kept.epoch, &to) && self.asks((to, Asked::Answered(*id)), now) {
                keys.push(self.groups[&group].epochs[id].epoch.clone());
            }
        }
        let lacking = self.groups[&group].log.lacking(&word.have);
        let is_news = !lacking.is_empty() && self.asks((to, Asked::AnsweredOperations(group)), now);
        let operations = if is_news { lacking } else { Vec::new() };
        if !keys.is_empty() || !operations.is_empty() {
            self.send_parts(vec![to], &group, operations, keys, false, out);
        }
    }

    /// Tells who is out how that came about: without what was before it they would take themselves for a member for ever.
    fn answer_who_is_out(&mut self, to: NodeId, word: &GroupWord, now: DtnTime, out: &mut Vec<Change>) {
        if word.have.is_empty() || !word.operations.is_empty() {
            return;
        }
        let lacking = self.groups[&word.group].log.lacking_until_out(&to, &word.have);
        if !lacking.is_empty() && self.asks((to, Asked::AnsweredOperations(word.group)), now) {
            self.send_parts(vec![to], &word.group, lacking, Vec::new(), false, out);
        }
    }

    /// What follows from the log for this person.
    fn settle(&mut self, group: &NodeId, now: DtnTime, out: &mut Vec<Change>) {
        let Some(known) = self.groups.get(group) else { return };
        let member = known.log.view().members.get(&self.me);
        match (known.state.standing, member) {
            // Whom somebody removed.
            (Standing::Joined | Standing::Invited, None) => self.stand(group, Standing::Out, now, out),
            // And who is asked again.
            (Standing::Out, Some(member)) if !member.joined => self.stand(group, Standing::Invited, now, out),
            _ => {}
        }
    }

    fn stand(&mut self, group: &NodeId, standing: Standing, now: DtnTime, out: &mut Vec<Change>) {
        if let Some(known) = self.groups.get_mut(group) {
            known.state = State { standing, since: now };
            self.keep_state(group, out);
        }
    }

    fn keep_state(&mut self, group: &NodeId, out: &mut Vec<Change>) {
        let state = self.groups[group].state.write();
        out.push(Change::Keep { key: rows::state(group), value: Some(state) });
        self.changed.insert(*group);
    }

    /// A key that one may write under, the newest of those that all have from its author.
    fn usable(&self, group: &NodeId, now: DtnTime) -> Option<EpochId> {
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

    fn newest(&self, group: &NodeId) -> Option<EpochId> {
        let known = self.groups.get(group)?;
        known.epochs.iter().max_by_key(|(id, kept)| (kept.at, **id)).map(|(id, _)| *id)
    }

    /// Makes a key; whom it goes to says the caller.
    fn renew(&mut self, group: &NodeId, by: &Actor<'_>, out: &mut Vec<Change>) -> EpochId {
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

    /// Sends a key to members who may have it, with operations that it includes.
    fn send_key(
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
    fn invite(&mut self, group: &NodeId, who: &[NodeId], epoch: Option<EpochId>, out: &mut Vec<Change>) {
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
    fn tell(&mut self, group: &NodeId, operations: Vec<Operation>, out: &mut Vec<Change>) {
        if let Some(epoch) = self.newest_own_or_usable(group) {
            self.tell_under(group, epoch, operations, out);
        }
    }

    fn newest_own_or_usable(&self, group: &NodeId) -> Option<EpochId> {
        self.usable(group, DtnTime(0)).or_else(|| self.newest(group))
    }

    fn tell_under(&mut self, group: &NodeId, epoch: EpochId, operations: Vec<Operation>, out: &mut Vec<Change>) {
        for some in operations.chunks(OPERATIONS_AT_ONCE_MAX) {
            let word = GroupWord { operations: some.to_vec(), ..GroupWord::of(*group) };
            let content = Content::Group(Box::new(word)).encode();
            self.put_out(ToSend { to: Recipients::Group(*group, epoch), content }, out);
        }
    }

    /// Sends operations and keys to each of these, in as many words as it takes; the last says what is asked of them.
    fn send_parts(
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

    fn send(&mut self, to: Vec<NodeId>, word: GroupWord, out: &mut Vec<Change>) {
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

    /// Whether it is time to ask, or to answer; and then it is remembered.
    fn asks(&mut self, what: (NodeId, Asked), now: DtnTime) -> bool {
        let is_soon = |at: &DtnTime| now.0 < at.0.saturating_add(ASKED_AGAIN.0) && now.0 != 0;
        if self.asked.get(&what).is_some_and(is_soon) {
            return false;
        }
        let (first, who) = ((what.0, Asked::Epoch(EpochId([0; 16]))), what.0);
        let of_member = |asked: &BTreeMap<(NodeId, Asked), DtnTime>| {
            asked.range(first..).take_while(|((of, _), _)| *of == who).count()
        };
        if self.asked.len() >= ASKED_MAX || of_member(&self.asked) >= ASKED_EACH_MAX {
            self.asked.retain(|_, at| is_soon(at));
            if self.asked.len() >= ASKED_MAX || of_member(&self.asked) >= ASKED_EACH_MAX {
                return false;
            }
        }
        self.asked.insert(what, now);
        true
    }
}

impl Group {
    /// Whether somebody is a member both by the log here and by what the author of an epoch knew. Who knows less than that author
    /// cannot tell: who may read from the start may be out by then.
    fn is_for(&self, epoch: &Epoch, who: &NodeId) -> bool {
        let Some(member) = self.log.view().members.get(who) else { return false };
        let Some(then) = self.log.view_at(&epoch.heads) else { return false };
        member.from_start || then.members.contains_key(who)
    }

    /// Whether the author of an epoch was a member by what they knew.
    fn knew(&self, epoch: &Epoch) -> bool {
        self.log.view_at(&epoch.heads).is_some_and(|view| view.members.contains_key(&epoch.author))
    }

    pub fn view(&self) -> &View {
        self.log.view()
    }

    /// Who began it.
    pub fn founder(&self) -> Option<NodeId> {
        self.log.lacking(&[]).first().map(|begin| begin.author)
    }

    pub fn knows(&self, id: &OperationId) -> bool {
        self.log.knows(id)
    }
}

#[cfg(test)]
mod tests;
