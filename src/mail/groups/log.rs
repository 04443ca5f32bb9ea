//! The log of a group: which operations are known, and who is a member by them.
//!
//! Operations name those before them, so they form a graph. Who is a member is a function of the set alone, in whatever
//! order it came:
//!
//! - An operation counts only if its author might do it by what is before it, and that never changes: one that does not is
//!   not taken in.
//! - A removal beats what the removed one did beside it. Where two removals beat each other, in a ring of any length, the one
//!   stands whose author was admitted first, then the lower key.
//! - What somebody did whom such a removal takes out, or whom only somebody admitted that is out, does not count either.
//! - Somebody is a member who was admitted after every removal and every leaving that counts. So a removal also beats an
//!   admission beside it.
//! - Where all owners left beside each other, the member admitted first is the owner.
//!
//! Operations whose predecessors are unknown wait, a bounded number of each author.

mod bits;
mod judging;

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::content::group::{Act, HEADS_MAX, Operation, OperationId, PREDECESSORS_MAX, Role};
use crate::id::NodeId;
use crate::time::DtnTime;

use self::bits::Bits;

/// Most operations of one group.
pub const OPERATIONS_MAX: usize = 4_096;
/// Most of them but of owners: past it somebody who filled the log can still be removed.
pub const OPERATIONS_OF_ALL_MAX: usize = 3_072;
/// Most operations of one author among them.
pub const OPERATIONS_OF_AUTHOR_MAX: usize = 1_024;
/// Most members of a group, those who are invited among them.
pub const MEMBERS_MAX: usize = 256;
/// Most operations that wait for others.
pub const WAITING_MAX: usize = 256;
/// Most of one author among those.
pub const WAITING_OF_AUTHOR_MAX: usize = 64;

/// All that is known of one group.
#[derive(Clone, Debug)]
pub struct Log {
    group: NodeId,
    /// None before those that it names.
    entries: Vec<Entry>,
    index: BTreeMap<OperationId, usize>,
    by_author: BTreeMap<NodeId, usize>,
    waiting: BTreeMap<OperationId, Arc<Operation>>,
    view: OnceCell<View>,
    /// What it took so far to tell who is a member.
    steps: Cell<u64>,
}

#[derive(Clone, Debug)]
struct Entry {
    id: OperationId,
    operation: Arc<Operation>,
    /// All before it.
    past: Bits,
    /// The longest way to the beginning.
    depth: u32,
    /// Of a removal: how early its author was admitted, by what is before it.
    admitted_at: u32,
}

/// What became of an operation that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    Known,
    /// Something before it is unknown.
    Waits,
    /// It is forged, its author might not do that, or there is no room for it.
    Refused,
}

/// Who is in a group, and what it is called.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub name: String,
    pub members: BTreeMap<NodeId, Member>,
    /// Those that count, by their places in the log.
    effective: Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub role: Role,
    /// Whether they joined; else they are invited.
    pub joined: bool,
    /// By the clock of who admitted them.
    pub since: DtnTime,
    pub admitted_by: NodeId,
    pub from_start: bool,
    /// How early they were admitted.
    rank: (u32, NodeId),
}

impl Log {
    pub fn new(group: NodeId) -> Log {
        Log {
            group,
            entries: Vec::new(),
            index: BTreeMap::new(),
            by_author: BTreeMap::new(),
            waiting: BTreeMap::new(),
            view: OnceCell::new(),
            steps: Cell::new(0),
        }
    }

    pub fn group(&self) -> NodeId {
        self.group
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What it took so far to tell who is a member: a step for each pair of removals that was looked at, and
    /// [`judging::OPERATION_STEPS`] for each operation.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Whether somebody did anything in the group.
    pub fn has_of(&self, author: &NodeId) -> bool {
        self.by_author.contains_key(author)
    }

    /// Whether somebody was admitted ever, or began it.
    pub fn has_admitted(&self, who: &NodeId) -> bool {
        self.entries.iter().any(|Entry { operation, .. }| match &operation.act {
            Act::Begin { .. } => operation.author == *who,
            Act::Admit { who: admitted, .. } => admitted == who,
            _ => false,
        })
    }

    pub fn knows(&self, id: &OperationId) -> bool {
        self.index.contains_key(id)
    }

    /// Takes in an operation, and says which that is new it brought in: it and those that waited for it, each with how far
    /// it is from the beginning.
    pub fn take(&mut self, operation: Operation, new: &mut Vec<(u32, OperationId)>) -> Taken {
        let id = operation.id();
        if self.index.contains_key(&id) {
            return Taken::Known;
        }
        if operation.group != self.group || !operation.is_signed() {
            return Taken::Refused;
        }
        let taken = self.put(id, Arc::new(operation), true, new);
        if taken == Taken::New {
            self.wake(new);
        }
        taken
    }

    /// Takes in an operation that was taken in before; of those that it names any that is not there yet is waited for again.
    pub fn load(&mut self, operation: Operation) {
        let id = operation.id();
        if !self.index.contains_key(&id) {
            self.put(id, Arc::new(operation), false, &mut Vec::new());
        }
    }

    fn put(
        &mut self,
        id: OperationId,
        operation: Arc<Operation>,
        is_strange: bool,
        new: &mut Vec<(u32, OperationId)>,
    ) -> Taken {
        let mut past = Bits::default();
        let mut depth = 0;
        for before in &operation.predecessors {
            let Some(&at) = self.index.get(before) else { return self.wait(id, operation) };
            past.add(&self.entries[at].past);
            past.set(at);
            depth = depth.max(self.entries[at].depth + 1);
        }
        let of_author = self.by_author.get(&operation.author).copied().unwrap_or(0);
        if self.entries.len() >= OPERATIONS_MAX || of_author >= OPERATIONS_OF_AUTHOR_MAX {
            return Taken::Refused;
        }
        if is_strange && !(self.has_place(&operation.author) && self.might(&operation, &past)) {
            return Taken::Refused;
        }
        *self.by_author.entry(operation.author).or_default() += 1;
        self.index.insert(id, self.entries.len());
        new.push((depth, id));
        let admitted_at = match operation.act {
            Act::Remove { .. } => self.admitted_at(&operation.author, &past),
            _ => u32::MAX,
        };
        self.entries.push(Entry { id, operation, past, depth, admitted_at });
        self.view = OnceCell::new();
        Taken::New
    }

    /// Whether the log has a place for somebody: the last are for those who are owners by all that is known.
    fn has_place(&self, author: &NodeId) -> bool {
        self.entries.len() < OPERATIONS_OF_ALL_MAX || self.view().owners().any(|owner| owner == author)
    }

    fn wait(&mut self, id: OperationId, operation: Arc<Operation>) -> Taken {
        let of_author = self.waiting.values().filter(|other| other.author == operation.author).count();
        if of_author >= WAITING_OF_AUTHOR_MAX {
            return Taken::Refused;
        }
        if self.waiting.len() >= WAITING_MAX {
            // Of whose most wait one goes.
            let mut many = BTreeMap::<NodeId, (usize, OperationId)>::new();
            self.waiting.iter().for_each(|(id, other)| many.entry(other.author).or_insert((0, *id)).0 += 1);
            let most = many.values().max().copied();
            most.filter(|(most, _)| *most > of_author).map(|(_, id)| self.waiting.remove(&id));
            if self.waiting.len() >= WAITING_MAX {
                return Taken::Refused;
            }
        }
        self.waiting.insert(id, operation);
        Taken::Waits
    }

    /// Those that waited for what is there by now.
    fn wake(&mut self, new: &mut Vec<(u32, OperationId)>) {
        loop {
            let is_ready = |operation: &Operation| operation.predecessors.iter().all(|id| self.index.contains_key(id));
            let ready: Vec<OperationId> =
                self.waiting.iter().filter(|(_, operation)| is_ready(operation)).map(|(id, _)| *id).collect();
            if ready.is_empty() {
                return;
            }
            for id in ready {
                if let Some(operation) = self.waiting.remove(&id) {
                    self.put(id, operation, true, new);
                }
            }
        }
    }

    /// Whether an operation is here before which something is unknown.
    pub fn waits(&self, id: &OperationId) -> bool {
        self.waiting.contains_key(id)
    }

    /// Operations before which something is unknown, by their ids.
    pub fn waiting(&self) -> impl Iterator<Item = (&OperationId, &Operation)> + '_ {
        self.waiting.iter().map(|(id, operation)| (id, &**operation))
    }

    /// All that are known, none before those that it names, each with how far it is from the beginning.
    pub fn in_order(&self) -> impl Iterator<Item = (u32, &OperationId)> + '_ {
        self.entries.iter().map(|entry| (entry.depth, &entry.id))
    }

    /// Whether something before what is known is missing.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether somebody might do something, by all that is before it.
    fn might(&self, operation: &Operation, past: &Bits) -> bool {
        let is_begin = matches!(operation.act, Act::Begin { .. });
        if is_begin {
            return self.entries.is_empty();
        }
        // Mostly an operation follows on all that is known.
        let view = if past.count() == self.entries.len() { self.view().clone() } else { self.evaluate(past) };
        let Some(author) = view.members.get(&operation.author) else { return false };
        let is_owner = author.role == Role::Owner;
        let other_owners =
            || view.members.iter().any(|(who, other)| *who != operation.author && other.role == Role::Owner);
        match &operation.act {
            Act::Begin { .. } => false,
            Act::Admit { who, .. } => is_owner && !view.members.contains_key(who) && view.members.len() < MEMBERS_MAX,
            Act::Join => !author.joined,
            Act::Remove { who } => is_owner && *who != operation.author && view.members.contains_key(who),
            Act::Leave => !is_owner || other_owners() || view.members.len() == 1,
            Act::Rename { .. } => is_owner,
            Act::Appoint { who, role } => {
                let hands_over = *who != operation.author || *role == Role::Owner || other_owners();
                is_owner && view.members.get(who).is_some_and(|member| member.role != *role) && hands_over
            }
            Act::Other(_) => true,
        }
    }

    /// Who is in the group by all that is known.
    pub fn view(&self) -> &View {
        self.view.get_or_init(|| self.evaluate(&Bits::all(self.entries.len())))
    }

    /// Who was in the group as somebody saw it who knew these and what is before them; none where one is unknown.
    pub fn view_at(&self, heads: &[OperationId]) -> Option<View> {
        Some(self.evaluate(&self.closure(heads)?))
    }

    /// The operations that the next one names.
    pub fn heads(&self) -> Vec<OperationId> {
        let mut heads = self.ends(&Bits::all(self.entries.len()));
        // What has many ends has been torn; each operation ties some of them together.
        heads.sort_by_key(|at| std::cmp::Reverse(self.entries[*at].depth));
        self.ids(heads.into_iter().take(PREDECESSORS_MAX))
    }

    /// The last operations that changed who may read: an epoch that includes these includes all such.
    pub fn frontier(&self) -> Vec<OperationId> {
        let mut closing = Bits::default();
        for at in self.view().effective.iter() {
            let is_closing = match &self.entries[at].operation.act {
                Act::Admit { from_start, .. } => !from_start,
                Act::Begin { .. } | Act::Remove { .. } | Act::Leave => true,
                Act::Join | Act::Rename { .. } | Act::Appoint { .. } | Act::Other(_) => false,
            };
            if is_closing {
                closing.set(at);
            }
        }
        let mut ends = self.ids(self.ends(&closing).into_iter());
        ends.truncate(HEADS_MAX);
        ends
    }

    /// Whether who knew these heads knew all that changed who may read.
    pub fn covers(&self, heads: &[OperationId]) -> bool {
        let Some(known) = self.closure(heads) else { return false };
        self.frontier().iter().all(|id| known.has(self.index[id]))
    }

    /// Whether all of these are known.
    pub fn has_all(&self, heads: &[OperationId]) -> bool {
        heads.iter().all(|head| self.index.contains_key(head))
    }

    /// What somebody lacks who has these and what is before them, as far as they are known here; in an order in which each
    /// comes behind those that it names.
    pub fn lacking(&self, have: &[OperationId]) -> Vec<Operation> {
        let mut known = Bits::default();
        for at in have.iter().filter_map(|id| self.index.get(id)) {
            known.add(&self.entries[*at].past);
            known.set(*at);
        }
        let lacking = self.entries.iter().enumerate().filter(|(at, _)| !known.has(*at));
        lacking.map(|(_, entry)| (*entry.operation).clone()).collect()
    }

    /// Of what somebody lacks who is out the going itself and what is before it: so much of the log was theirs to know. Where
    /// they were let in by somebody whose doing does not count, it is the going of those.
    pub fn lacking_until_out(&self, who: &NodeId, have: &[OperationId]) -> Vec<Operation> {
        let mut theirs = Bits::default();
        if !self.view().members.contains_key(who) {
            let gone = self.who_let_in(who);
            let is_going = |at: &usize| gone.iter().any(|who| goes(&self.entries[*at].operation, who));
            for at in self.view().effective.iter().filter(is_going) {
                theirs.add(&self.entries[at].past);
                theirs.set(at);
            }
        }
        let is_theirs = |operation: &Operation| theirs.has(self.index[&operation.id()]);
        self.lacking(have).into_iter().filter(is_theirs).collect()
    }

    /// Somebody, and on whose doing that does not count their place here hangs.
    fn who_let_in(&self, who: &NodeId) -> BTreeSet<NodeId> {
        let mut all = BTreeSet::from([*who]);
        let beaten = || self.entries.iter().enumerate().filter(|(at, _)| !self.view().effective.has(*at));
        loop {
            let before = all.len();
            for (_, entry) in beaten() {
                if let Act::Admit { who, .. } | Act::Appoint { who, .. } = &entry.operation.act
                    && all.contains(who)
                {
                    all.insert(entry.operation.author);
                }
            }
            if all.len() == before {
                return all;
            }
        }
    }

    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.index.get(id).map(|at| &*self.entries[*at].operation)
    }

    /// When somebody who is out was removed or left, by the clock of who did it; none of who was never in.
    pub fn out_at(&self, who: &NodeId) -> Option<DtnTime> {
        let view = self.view();
        let goings =
            view.effective.iter().map(|at| &self.entries[at].operation).filter(|operation| goes(operation, who));
        goings.map(|operation| operation.at).max().filter(|_| !view.members.contains_key(who))
    }

    fn closure(&self, heads: &[OperationId]) -> Option<Bits> {
        let mut known = Bits::default();
        for head in heads {
            let at = *self.index.get(head)?;
            known.add(&self.entries[at].past);
            known.set(at);
        }
        Some(known)
    }

    /// Those of some that no other of them comes behind.
    fn ends(&self, some: &Bits) -> Vec<usize> {
        let mut before = Bits::default();
        some.iter().for_each(|at| before.add(&self.entries[at].past));
        some.iter().filter(|at| !before.has(*at)).collect()
    }

    fn ids(&self, places: impl Iterator<Item = usize>) -> Vec<OperationId> {
        let mut ids: Vec<OperationId> = places.map(|at| self.entries[at].id).collect();
        ids.sort_unstable();
        ids
    }
}

/// Whether somebody is out by an operation.
fn goes(operation: &Operation, who: &NodeId) -> bool {
    match &operation.act {
        Act::Remove { who: removed } => removed == who,
        Act::Leave => operation.author == *who,
        _ => false,
    }
}

impl View {
    pub fn owners(&self) -> impl Iterator<Item = &NodeId> + '_ {
        self.members.iter().filter(|(_, member)| member.role == Role::Owner).map(|(who, _)| who)
    }

    /// Members in the order in which they were admitted.
    pub fn in_order(&self) -> Vec<(NodeId, Member)> {
        let mut members: Vec<(NodeId, Member)> = self.members.iter().map(|(who, member)| (*who, *member)).collect();
        members.sort_by_key(|(_, member)| member.rank);
        members
    }
}

#[cfg(test)]
mod tests;
