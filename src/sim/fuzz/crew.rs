//! The group of a fuzzed world, and parts of files: who is a member changes, nobody hears of it at the same time, and of a
//! part nothing is kept but its bytes.

use crate::agent::Input;
use crate::agent::change::Change;
use crate::agent::{Declined, Output};
use crate::bundle::{Bundle, Kind, Signer};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};

use super::Checked;
use super::world::{Errand, World};

/// How often something changes about the group where there is one, per million steps.
const CHANGES: u32 = 80_000;
/// The same with room for parts of files.
const ROOM_CHANGES: u32 = 60_000;
/// How payloads of parts of files begin.
const PART: &[u8] = b"part ";
/// Of so many parts one is of a file that nobody wants any more.
const UNWANTED: u8 = 6;

/// Parts of files that a node has, and for how many more there is room.
#[derive(Default)]
pub struct Shelf {
    taken: std::collections::BTreeSet<BundleId>,
    room: u64,
}

impl World {
    /// Who serves the group when the world begins hears of it.
    pub(super) fn found_group(&mut self) -> Checked {
        for n in 0..self.nodes.len() {
            self.nodes[n].shelf.room = self.plan.shelf_room;
            if self.truth.crew[n] {
                self.nodes[n].crew = Some(self.members());
                self.serve_again(n);
            }
        }
        self.run_errands()
    }

    /// What a node that starts is told again.
    pub(super) fn serve_again(&mut self, n: usize) {
        let (incarnation, Some(members)) = (self.nodes[n].incarnation, self.nodes[n].crew.clone()) else { return };
        self.truth.let_say(n, &members);
        let inputs = [Input::ServeGroup { group: group(), on: true }, Input::GroupMembers { group: group(), members }];
        self.errands.extend(inputs.map(|input| Errand::Input(n, incarnation, input)));
    }

    /// Perhaps somebody joins or leaves, hears who else did, or makes room for parts of files.
    pub(super) fn change_group(&mut self) -> Checked {
        let n = self.crew_dice.below(self.nodes.len() as u64) as usize;
        if self.plan.parts_of_files && self.crew_dice.chance(ROOM_CHANGES) {
            self.nodes[n].shelf.room = self.crew_dice.below(6);
            self.tell(|| format!("{n} has other room for parts of files"));
            return self.input(n, Input::RoomCame);
        }
        if !self.plan.has_group || !self.crew_dice.chance(CHANGES) || !self.nodes[n].is_on {
            return Ok(());
        }
        match self.crew_dice.below(3) {
            0 if self.truth.crew[n] => {
                self.tell(|| format!("{n} leaves the group"));
                self.truth.crew[n] = false;
                self.nodes[n].crew = None;
                self.input(n, Input::ServeGroup { group: group(), on: false })
            }
            0 => {
                self.tell(|| format!("{n} joins the group"));
                (self.truth.crew[n], self.truth.crew_ever[n]) = (true, true);
                // A commit may fail at once, and then it is told again.
                self.nodes[n].crew = Some(self.members());
                self.input(n, Input::ServeGroup { group: group(), on: true })?;
                self.hear_of_members(n)
            }
            _ => self.hear_of_members(n),
        }
    }

    /// A member hears of some of those who came and went.
    fn hear_of_members(&mut self, n: usize) -> Checked {
        if !self.truth.crew[n] {
            return Ok(());
        }
        let mut members = self.members();
        if !members.is_empty() && self.crew_dice.chance(300_000) {
            members.remove(self.crew_dice.below(members.len() as u64) as usize);
        }
        if self.crew_dice.chance(300_000) {
            let invited = self.crew_dice.below(self.nodes.len() as u64) as usize;
            members.push(self.nodes[invited].id);
        }
        self.tell(|| format!("{n} hears that the group has {members:?}"));
        self.nodes[n].crew = Some(members.clone());
        self.truth.let_say(n, &members);
        self.input(n, Input::GroupMembers { group: group(), members })
    }

    fn members(&self) -> Vec<NodeId> {
        let in_it = |(n, _): &(usize, &super::node::Node)| self.truth.crew[*n];
        self.nodes.iter().enumerate().filter(in_it).map(|(_, node)| node.id).collect()
    }

    /// Everybody knows who is in the group, and has room for all parts.
    pub(super) fn calm_group(&mut self, n: usize) -> Checked {
        self.nodes[n].shelf.room = u64::MAX;
        if self.truth.crew[n] {
            let members = self.members();
            self.nodes[n].crew = Some(members.clone());
            self.truth.let_say(n, &members);
            self.input(n, Input::GroupMembers { group: group(), members })?;
        }
        self.input(n, Input::RoomCame)
    }

    /// Whether what somebody writes is for the group: also somebody who is no member may.
    pub(super) fn any_for_group(&mut self) -> bool {
        self.plan.has_group && self.crew_dice.chance(400_000)
    }

    /// What a message says: some are parts of files.
    pub(super) fn any_payload(&mut self, n: usize, token: u64) -> Vec<u8> {
        let is_part = self.plan.parts_of_files && self.crew_dice.chance(400_000);
        format!("{} {token} of {n}", if is_part { "part" } else { "letter" }).into_bytes()
    }

    /// Takes in the part of a file that a message brings before the agent hears of it, as a driver must.
    pub(super) fn take_part(&mut self, n: usize, input: Input) -> Input {
        let Input::Bundle { from, transit, bundle, size_bytes } = input else { return input };
        let is_mine = bundle.destination == Eid::mail(self.nodes[n].id)
            || bundle.destination == group() && self.nodes[n].crew.is_some();
        let why = match is_part(&bundle) && is_mine {
            false => None,
            true if bundle.id.0[0].is_multiple_of(UNWANTED) => Some(Declined::Unwanted),
            true if self.nodes[n].shelf.take(bundle.id) => None,
            true => Some(Declined::Room),
        };
        let Some(why) = why else { return Input::Bundle { from, transit, bundle, size_bytes } };
        if why == Declined::Unwanted {
            self.truth.unwanted.insert((n, bundle.id));
        }
        self.tell(|| format!("{n} keeps nothing of the part {}: {why:?}", bundle.id));
        Input::Decline { from, transit, bundle, size_bytes, why }
    }

    /// The row of a part leaves in the commit that brings it.
    pub(super) fn discard_parts(&mut self, n: usize) {
        let delivered = |said: &super::node::Said| match said.output() {
            Output::Commit(Change::Deliver { letter, bundle }) if is_part(bundle) => Some(letter.id),
            _ => None,
        };
        let parts: Vec<BundleId> = self.nodes[n].driver.open().iter().filter_map(delivered).collect();
        if parts.is_empty() {
            return;
        }
        self.counts.parts += parts.len() as u64;
        let node = &mut self.nodes[n];
        let at = node.moment(self.now);
        parts.into_iter().for_each(|id| node.driver.take(at, Input::Discard(id)));
        node.driver.run_all_due(at);
    }
}

impl Shelf {
    /// Whether the part is here now.
    fn take(&mut self, id: BundleId) -> bool {
        if !self.taken.contains(&id) {
            let Some(room) = self.room.checked_sub(1) else { return false };
            (self.room, _) = (room, self.taken.insert(id));
        }
        true
    }
}

fn is_part(bundle: &Bundle) -> bool {
    bundle.kind == Kind::Message && bundle.payload().starts_with(PART)
}

/// The one group of a world, of whose key nobody has the secret.
pub(super) fn group() -> Eid {
    Eid::group(ed25519_dalek::SigningKey::from_bytes(&[0xc9; 32]).node())
}
