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

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::content::group::{Act, HEADS_MAX, Operation, OperationId, PREDECESSORS_MAX, Role};
use crate::id::NodeId;
use crate::time::DtnTime;

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

/// To look at an operation takes about as long as at so many pairs of removals.
const OPERATION_STEPS: usize = 16;

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

/// A removal that may count.
#[derive(Debug)]
struct Removal {
    at: usize,
    author: NodeId,
    who: NodeId,
    /// The lowest stands where removals beat each other.
    seniority: (u32, NodeId, OperationId),
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
    /// [`OPERATION_STEPS`] for each operation.
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

    /// Who is in the group by some of what is known, which has all that is before any of it.
    fn evaluate(&self, within: &Bits) -> View {
        let mut candidates: Vec<Removal> = within.iter().filter_map(|at| self.removal(at)).collect();
        loop {
            self.worked(within.count() * OPERATION_STEPS);
            let standing = self.standing(&candidates);
            let (people, effective) = self.effective(within, &standing);
            // A removal by somebody whom another takes out was none, and what it beat is looked at again.
            let before = candidates.len();
            let mut stands = Bits::default();
            standing.values().flatten().for_each(|at| stands.set(*at));
            candidates.retain(|removal| !stands.has(removal.at) || effective.has(removal.at));
            if candidates.len() == before {
                return self.members(&people, effective);
            }
        }
    }

    fn removal(&self, at: usize) -> Option<Removal> {
        let Entry { id, operation, admitted_at, .. } = &self.entries[at];
        let Act::Remove { who } = operation.act else { return None };
        Some(Removal { at, author: operation.author, who, seniority: (*admitted_at, operation.author, *id) })
    }

    /// Of removals those that stand, by whom they remove.
    fn standing(&self, candidates: &[Removal]) -> BTreeMap<NodeId, Vec<usize>> {
        let mut of_author = BTreeMap::<NodeId, Vec<usize>>::new();
        for (n, removal) in candidates.iter().enumerate() {
            of_author.entry(removal.author).or_default().push(n);
        }
        // By their places among the candidates.
        let beats = |n: usize| {
            let of_removed = of_author.get(&candidates[n].who).map_or(&[][..], |all| all);
            self.worked(of_removed.len());
            of_removed.iter().copied().filter(move |other| self.are_beside(candidates[n].at, candidates[*other].at))
        };
        let mut beaten_by = vec![0_usize; candidates.len()];
        (0..candidates.len()).flat_map(&beats).for_each(|other| beaten_by[other] += 1);
        let mut unbeaten: BTreeSet<usize> = (0..candidates.len()).filter(|n| beaten_by[*n] == 0).collect();
        let mut by_seniority: Vec<usize> = (0..candidates.len()).collect();
        by_seniority.sort_unstable_by_key(|n| &candidates[*n].seniority);
        let mut eldest = by_seniority.into_iter();
        let mut is_decided = vec![false; candidates.len()];
        let mut standing = BTreeMap::<NodeId, Vec<usize>>::new();
        while let Some(next) = unbeaten.pop_first().or_else(|| eldest.find(|n| !is_decided[*n])) {
            is_decided[next] = true;
            standing.entry(candidates[next].who).or_default().push(candidates[next].at);
            let beaten: Vec<usize> = beats(next).filter(|other| !is_decided[*other]).collect();
            beaten.iter().for_each(|gone| is_decided[*gone] = true);
            for other in beaten.into_iter().flat_map(&beats) {
                beaten_by[other] -= 1;
                if beaten_by[other] == 0 && !is_decided[other] {
                    unbeaten.insert(other);
                }
            }
        }
        standing
    }

    /// How early the author of a removal was admitted, by what is before it.
    fn admitted_at(&self, author: &NodeId, past: &Bits) -> u32 {
        let admitted = past.iter().filter(|before| match &self.entries[*before].operation.act {
            Act::Begin { .. } => self.entries[*before].operation.author == *author,
            Act::Admit { who, .. } => who == author,
            _ => false,
        });
        admitted.map(|before| self.entries[before].depth).min().unwrap_or(u32::MAX)
    }

    fn worked(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps as u64));
    }

    fn are_beside(&self, one: usize, other: usize) -> bool {
        one != other && !self.entries[one].past.has(other) && !self.entries[other].past.has(one)
    }

    /// Which operations count where these removals stand, and what they say of each person.
    fn effective(&self, within: &Bits, standing: &BTreeMap<NodeId, Vec<usize>>) -> (BTreeMap<NodeId, Person>, Bits) {
        let (mut people, mut effective) = (BTreeMap::<NodeId, Person>::new(), Bits::default());
        for at in within.iter() {
            let Entry { operation, past, .. } = &self.entries[at];
            let is_beaten = standing.get(&operation.author).into_iter().flatten().any(|by| self.are_beside(*by, at));
            if is_beaten || !self.may(operation, &people, past) {
                continue;
            }
            effective.set(at);
            let author = operation.author;
            let mut of = |who: NodeId, change: &dyn Fn(&mut Person)| change(people.entry(who).or_default());
            match &operation.act {
                Act::Begin { .. } => of(author, &|person| {
                    person.admitted.push(at);
                    person.appointed.push(at);
                    person.joined.push(at);
                }),
                Act::Admit { who, role, .. } => of(*who, &|person| {
                    person.admitted.push(at);
                    if *role == Role::Owner {
                        person.appointed.push(at);
                    }
                }),
                Act::Join => of(author, &|person| person.joined.push(at)),
                Act::Remove { who } => of(*who, &|person| person.out.push(at)),
                Act::Leave => of(author, &|person| person.out.push(at)),
                Act::Appoint { who, role: Role::Owner } => of(*who, &|person| person.appointed.push(at)),
                Act::Appoint { who, role: Role::Member } => of(*who, &|person| person.dismissed.push(at)),
                Act::Rename { .. } | Act::Other(_) => {}
            }
        }
        (people, effective)
    }

    /// Whether somebody may do something by what counts of what is before it.
    fn may(&self, operation: &Operation, people: &BTreeMap<NodeId, Person>, past: &Bits) -> bool {
        let is_member = || self.is_in(people, &operation.author, past);
        match operation.act {
            Act::Begin { .. } => true,
            Act::Join | Act::Leave | Act::Other(_) => is_member(),
            Act::Admit { .. } | Act::Remove { .. } | Act::Rename { .. } | Act::Appoint { .. } => {
                is_member()
                    && (self.is_owner(people, &operation.author, past)
                        || self.heir(people, past) == Some(operation.author))
            }
        }
    }

    fn is_in(&self, people: &BTreeMap<NodeId, Person>, who: &NodeId, past: &Bits) -> bool {
        people.get(who).is_some_and(|person| self.last_in(&person.admitted, &[&person.out], past).is_some())
    }

    fn is_owner(&self, people: &BTreeMap<NodeId, Person>, who: &NodeId, past: &Bits) -> bool {
        let holds = |person: &Person| {
            self.last_in(&person.admitted, &[&person.out], past).is_some()
                && self.last_in(&person.appointed, &[&person.out, &person.dismissed], past).is_some()
        };
        people.get(who).is_some_and(holds)
    }

    /// Who is the owner where no owner is left.
    fn heir(&self, people: &BTreeMap<NodeId, Person>, past: &Bits) -> Option<NodeId> {
        if people.keys().any(|who| self.is_owner(people, who, past)) {
            return None;
        }
        let admitted = |(who, person): (&NodeId, &Person)| {
            let at = self.last_in(&person.admitted, &[&person.out], past)?;
            Some((self.entries[at].depth, *who))
        };
        people.iter().filter_map(admitted).min().map(|(_, who)| who)
    }

    /// The first of some grants that have every revocation before them; of both only those count that are in `past`.
    fn last_in(&self, grants: &[usize], revocations: &[&Vec<usize>], past: &Bits) -> Option<usize> {
        let revoked = revocations.iter().flat_map(|list| list.iter()).copied();
        let revoked: Vec<usize> = revoked.filter(|at| past.has(*at)).collect();
        let holds = |grant: &usize| past.has(*grant) && revoked.iter().all(|at| self.entries[*grant].past.has(*at));
        // Of several the same for everybody, wherever they stand in the log here.
        grants.iter().copied().filter(holds).min_by_key(|at| (self.entries[*at].depth, self.entries[*at].id))
    }

    fn members(&self, people: &BTreeMap<NodeId, Person>, effective: Bits) -> View {
        let (mut members, heir) = (Vec::new(), self.heir(people, &effective));
        for (who, person) in people {
            let Some(at) = self.last_in(&person.admitted, &[&person.out], &effective) else { continue };
            let is_owner = heir == Some(*who) || self.is_owner(people, who, &effective);
            let Entry { operation, depth, .. } = &self.entries[at];
            let from_start = matches!(operation.act, Act::Begin { .. } | Act::Admit { from_start: true, .. });
            let member = Member {
                role: if is_owner { Role::Owner } else { Role::Member },
                joined: self.last_in(&person.joined, &[&person.out], &effective).is_some(),
                since: operation.at,
                admitted_by: operation.author,
                from_start,
                rank: (*depth, *who),
            };
            members.push((*who, member));
        }
        members.sort_by_key(|(_, member)| member.rank);
        members.truncate(MEMBERS_MAX);
        let names = effective.iter().filter_map(|at| match &self.entries[at].operation.act {
            Act::Begin { name, .. } | Act::Rename { name } => {
                Some(((self.entries[at].depth, self.entries[at].id), name))
            }
            _ => None,
        });
        let name = names.max_by_key(|(rank, _)| *rank).map(|(_, name)| name.clone()).unwrap_or_default();
        View { name, members: members.into_iter().collect(), effective }
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

/// What counts of what was done to somebody, by places in the log.
#[derive(Clone, Debug, Default)]
struct Person {
    admitted: Vec<usize>,
    joined: Vec<usize>,
    appointed: Vec<usize>,
    dismissed: Vec<usize>,
    out: Vec<usize>,
}

/// A set of places.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn all(many: usize) -> Bits {
        let mut bits = Bits(vec![u64::MAX; many / 64]);
        (many / 64 * 64..many).for_each(|at| bits.set(at));
        bits
    }

    fn set(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    fn add(&mut self, other: &Bits) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let of_word = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit)
        };
        self.0.iter().enumerate().flat_map(of_word)
    }
}

#[cfg(test)]
mod tests;
