//! Who is a member by a set of operations: which removals stand, and what counts beside them. The rules are in [`super`].

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use super::{Entry, Log, MEMBERS_MAX, Member, View};
use crate::content::group::{Act, Operation, OperationId, Role};
use crate::id::NodeId;

/// To look at an operation takes about as long as at so many pairs of removals.
pub(super) const OPERATION_STEPS: usize = 16;

/// A removal that may count.
#[derive(Debug)]
pub(super) struct Removal {
    pub at: usize,
    pub author: NodeId,
    pub who: NodeId,
    /// The lowest stands where removals beat each other.
    pub seniority: (u32, NodeId, OperationId),
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

impl Log {
    /// Who is in the group by some of what is known, which has all that is before any of it.
    pub(super) fn evaluate(&self, within: &Bits) -> View {
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

    pub(super) fn removal(&self, at: usize) -> Option<Removal> {
        let Entry { id, operation, admitted_at, .. } = &self.entries[at];
        let Act::Remove { who } = operation.act else { return None };
        Some(Removal { at, author: operation.author, who, seniority: (*admitted_at, operation.author, *id) })
    }

    /// Of removals those that stand, by whom they remove.
    pub(super) fn standing(&self, candidates: &[Removal]) -> BTreeMap<NodeId, Vec<usize>> {
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
    pub(super) fn admitted_at(&self, author: &NodeId, past: &Bits) -> u32 {
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

    pub(super) fn are_beside(&self, one: usize, other: usize) -> bool {
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
