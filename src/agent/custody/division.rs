//! How the room for others is divided, so that no flood takes the part of another.
//!
//! ```text
//! room        who has a share                                          the others, together one party
//! strangers   people who were named, with what they hand over          peers that nobody named; inside, each has a share
//! strangers   and at the same time every source, whoever hands over
//! all         people who were named, with what is theirs               strangers
//!             groups served here, with what their members write; in
//!             each of them every member has a share
//! ```
//! Keys are free, so a crowd of fresh peers together has no more than one person who was named.

use super::{Name, Slot};
use crate::agent::shares::{self, Gathered, Shares};
use crate::time::Timestamp;

/// By what a bundle carried for others is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A stranger's, by the peer that handed it over and was not named.
    Peers,
    /// A stranger's, by the person who handed it over.
    People,
    /// A stranger's, by its source.
    Sources,
    /// A named person's own, by that person.
    Contacts,
}

/// A node under a number that peers do not know, so that nobody can choose where the lot falls.
pub type Member = (u32, Name);

impl shares::Party for Member {
    type Short = Name;

    fn short(self) -> Name {
        self.1
    }
}

impl shares::Party for (Member, Member) {
    type Short = (Name, Name);

    fn short(self) -> (Name, Name) {
        (self.0.1, self.1.1)
    }
}

/// Who has a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    One(Side, Member),
    /// All peers that were not named.
    Crowd,
    /// They and what people hand over that is not theirs.
    Strangers,
}

/// The shares of all parties, one place for each [`Side`], and inside of groups those of their members.
#[derive(Debug, Default)]
pub struct Division {
    sides: [Shares<Member, Slot>; 4],
    /// By group and member.
    members: Shares<(Member, Member), Slot>,
}

/// How one bundle counts: with whom, its cost, and how it is found there if it may make way.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    pub with: [Option<(Side, Member)>; 2],
    /// Who wrote it, where it counts with a group.
    pub in_group: Option<Member>,
    pub cost: u64,
    pub copy: Option<(Timestamp, Slot)>,
}

impl Division {
    /// Counts many bundles at once.
    pub fn of(bundles: impl Iterator<Item = Counted>) -> Division {
        let mut gathered: [Gathered<Member, Slot>; 4] = Default::default();
        let mut members = Gathered::default();
        for counted in bundles {
            let Counted { with, cost, copy, .. } = counted;
            with.into_iter().flatten().for_each(|(side, member)| gathered[side as usize].add(member, cost, copy));
            counted.of_member().into_iter().for_each(|of| members.add(of, cost, copy));
        }
        Division { sides: gathered.map(Shares::of), members: Shares::of(members) }
    }

    pub fn add(&mut self, counted: Counted) {
        let Counted { with, cost, copy, .. } = counted;
        with.into_iter().flatten().for_each(|(side, member)| self.sides[side as usize].add(member, cost, copy));
        counted.of_member().into_iter().for_each(|of| self.members.add(of, cost, copy));
    }

    /// Takes back what [`Division::add`] counted.
    pub fn take(&mut self, counted: Counted) {
        let Counted { with, cost, copy, .. } = counted;
        with.into_iter().flatten().for_each(|(side, member)| self.sides[side as usize].take(member, cost, copy));
        counted.of_member().into_iter().for_each(|of| self.members.take(of, cost, copy));
    }

    fn shares(&self, side: Side) -> &Shares<Member, Slot> {
        &self.sides[side as usize]
    }

    /// Bytes of one party.
    pub fn bytes(&self, party: Party) -> u64 {
        match party {
            Party::One(side, member) => self.shares(side).bytes(member),
            Party::Crowd => self.shares(Side::Peers).sum_bytes(),
            Party::Strangers => self.bytes(Party::Crowd) + self.shares(Side::People).sum_bytes(),
        }
    }

    /// Bytes of all who share a room.
    pub fn sum_bytes(&self, side: Side) -> u64 {
        self.shares(side).sum_bytes() + others(side).map_or(0, |party| self.bytes(party))
    }

    /// How many share a room.
    pub fn len(&self, side: Side) -> usize {
        let others = others(side).is_some_and(|party| self.bytes(party) > 0);
        self.shares(side).len() + usize::from(others)
    }

    /// All who share a room, the fullest first.
    pub fn fullest_first(&self, side: Side) -> impl Iterator<Item = (u64, Party)> + '_ {
        let each = move || self.shares(side).fullest_first().map(move |(n, member)| (n, Party::One(side, member)));
        let others = others(side).map(|party| (self.bytes(party), party)).filter(|(bytes, _)| *bytes > 0);
        let most = others.map_or(0, |(bytes, _)| bytes);
        let fuller = each().take_while(move |(bytes, _)| *bytes >= most);
        fuller.chain(others).chain(each().skip_while(move |(bytes, _)| *bytes >= most))
    }

    /// Those who have a share of their own, all around from where the lot falls.
    pub fn drawn(&self, side: Side, lot: u32) -> impl Iterator<Item = Party> + '_ {
        self.shares(side).around((lot, Name(0))).map(move |member| Party::One(side, member))
    }

    /// What may make way of one party, the soonest to expire first; of a group, of the member with most before the others.
    pub fn copies(&self, side: Side, member: Member) -> impl Iterator<Item = Slot> + '_ {
        let of_group = self.members.fullest_first().map(|(_, of)| of).filter(move |(group, _)| *group == member);
        let mut of_group = of_group.peekable();
        let is_group = matches!(side, Side::Contacts) && of_group.peek().is_some();
        let of_one = (!is_group).then(|| self.shares(side).copies(member));
        let of_each = is_group.then(|| of_group.flat_map(|of| self.members.copies(of)));
        of_one.into_iter().flatten().chain(of_each.into_iter().flatten())
    }
}

impl Counted {
    /// The group and the member that it counts with.
    fn of_member(&self) -> Option<(Member, Member)> {
        let (_, group) = self.with[0]?;
        Some((group, self.in_group?))
    }
}

/// The party that all others of a room are together.
fn others(side: Side) -> Option<Party> {
    match side {
        Side::Peers | Side::Sources => None,
        Side::People => Some(Party::Crowd),
        Side::Contacts => Some(Party::Strangers),
    }
}
