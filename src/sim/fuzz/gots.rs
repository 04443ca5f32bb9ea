//! Receipts of members of the group, as agents carry them: for their author alone, in few copies, answered by nobody.

use crate::agent::GOT_COPIES_MAX;
use crate::bundle::{Bundle, Kind};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};

use super::calm::LIFE_LEFT_MIN;
use super::truth::{Truth, is_over_by_clock};
use super::world::World;
use super::{Checked, Promise, must};

/// How often what somebody writes says that something came, per million.
const GOTS: u32 = 600_000;
/// The same of what a hostile node signs.
const FORGED: u32 = 150_000;

impl World {
    /// Whether what somebody writes to another says that something of the group came.
    pub(super) fn any_got(&mut self, n: usize, to: usize) -> bool {
        self.plan.has_group && n != to && self.got_dice.chance(GOTS)
    }

    /// Whether what a hostile node signs says so, of nothing at all.
    pub(super) fn any_forged_got(&mut self) -> bool {
        self.plan.has_group && self.got_dice.chance(FORGED)
    }

    /// Somebody is told what came, whom the agent let say so.
    pub(super) fn hears_got(&mut self, n: usize, bundle: &Bundle) -> Checked {
        self.counts.said += 1;
        let truth = &mut self.truth;
        truth.heard.insert((n, bundle.id));
        let is_mine = truth.numbers.get(&bundle.destination.node) == Some(&n);
        must(is_mine && truth.signed.has(bundle), Promise::NothingUnverified, || {
            format!("{n} hears {bundle:?}, which is not for it or which nobody signed")
        })?;
        must(truth.may_say.contains(&(n, bundle.source)), Promise::StatusIsTrue, || {
            format!("{n} hears that {} got something, who is neither a contact nor was ever a member", bundle.source)
        })
    }

    /// Receipts that are still held, and that their authors must have done with: holder, author, id.
    pub(super) fn owed_gots(&self, there: &[usize]) -> Vec<(usize, usize, BundleId)> {
        let soon = self.now + LIFE_LEFT_MIN.0;
        let mut owed = Vec::new();
        for holder in there.iter().copied() {
            for held in self.agent(holder).held().filter(|held| held.destination.is_got()) {
                let to = self.truth.numbers.get(&held.destination.node).copied().filter(|to| there.contains(to));
                let (Some(to), Some((creation, created_ms))) = (to, self.truth.creation(held.id)) else { continue };
                let lives = created_ms.saturating_add(held.lifetime.0) > soon
                    && self.nodes[holder].world_ms(held.expires) > soon
                    && !is_over_by_clock(creation, held.lifetime, self.nodes[to].wall(soon));
                if lives && holder != to {
                    owed.push((holder, to, held.id));
                }
            }
        }
        owed
    }

    pub(super) fn check_got(&self, (holder, to, id): (usize, usize, BundleId)) -> Checked {
        let is_done = self.truth.is_done_with(&id) || self.truth.gave_up.contains(&(holder, id));
        must(is_done, Promise::EverythingArrives, || {
            format!("{id}, a receipt held by {holder} for {to}, never came there though everybody met everybody")
        })
    }
}

impl Truth {
    /// Who may tell a node what came to them, from now on.
    pub(super) fn let_say(&mut self, n: usize, members: &[NodeId]) {
        self.may_say.extend(members.iter().map(|member| (n, *member)));
    }

    /// A node says that it knows a bundle, which of a receipt that is for it says that it wants no more of it. That need not
    /// be durable: what was turned away may be turned away again.
    pub(super) fn is_turned_away(&mut self, n: usize, id: BundleId) {
        let is_for_it = |(_, to, _): &(NodeId, Eid, Kind)| to.is_got() && self.numbers.get(&to.node) == Some(&n);
        if self.bundles.get(&id).is_some_and(is_for_it) {
            self.done.insert((n, id));
        }
    }

    /// Whether whom a receipt is for heard it, or turned it away.
    pub(super) fn is_done_with(&self, id: &BundleId) -> bool {
        let author = self.bundles.get(id).and_then(|(_, to, _)| self.numbers.get(&to.node));
        author.is_none_or(|author| !self.honest[*author] || self.done.contains(&(*author, *id)))
    }
}

/// In how many copies something may be held that its source gave so many.
pub(super) fn budget(destination: &Eid, copies: u16) -> u16 {
    let most = if destination.is_got() { copies.min(GOT_COPIES_MAX) } else { copies };
    (most / 2).max(1)
}
