//! Why a bundle may leave: by a receipt, at the end of its life in elapsed time, by its owner, or by the declared eviction.

use crate::agent::change::{Change, Class, Held};
use crate::agent::io::Gone;
use crate::agent::{Event, Output};
use crate::bundle::Kind;
use crate::frame::Grade;
use crate::time::Millis;

use super::node::Taken;
use super::truth::Truth;
use super::{Checked, Promise, must};

impl Truth {
    /// Looks at one bundle that a node lets go.
    pub(super) fn check_leaving(
        &mut self,
        n: usize,
        taken: &Taken,
        held: &Held,
        now_ms: u64,
        overcounted: Millis,
    ) -> Checked {
        let mut reasons = taken.outputs.iter().filter_map(|output| match output {
            Output::Report(Event::Gone { id, why }) if *id == held.id => Some(*why),
            _ => None,
        });
        let Some(why) = reasons.next_back() else {
            return must(false, Promise::AcceptedIsDurable, || format!("{n} lets {} go and says nothing", held.id));
        };
        let is_so = match why {
            Gone::Receipt => held.kind == Kind::Message && self.states(held.destination.node, held.id, |_| true),
            Gone::Expired => held.expires < taken.at.now && self.has_lived(n, held, now_ms, overcounted),
            Gone::Cancelled => taken.by_owner && held.class == Class::Own,
            Gone::HandedOn => taken.by_owner && held.class == Class::Own && held.kind == Kind::Message,
            Gone::Dropped => taken.by_owner && held.class != Class::Own,
            Gone::Evicted => held.class != Class::Own && may_give_way(taken, held),
            Gone::Unreadable => false,
            Gone::Delivered => held.destination.is_got() && self.is_done_with(&held.id),
            // Another of the same member's says more.
            Gone::Superseded if held.destination.is_got() => taken.by_owner && held.class == Class::Own,
            Gone::Superseded => held.destination.is_topic() && (held.class == Class::Own || self.gave_way(&held.id)),
        };
        must(is_so, Promise::AcceptedIsDurable, || {
            format!("{n} lets {held:?} go at {:?} because of {why:?}, which is no reason", taken.at)
        })?;
        match why {
            Gone::Evicted | Gone::Dropped => drop(self.gave_up.insert((n, held.id))),
            Gone::Cancelled => drop(self.cancelled.insert((n, held.id))),
            // Its tombstone keeps it away, and once that is over it is new again.
            Gone::Receipt | Gone::Delivered => drop(self.first.remove(&(n, held.id))),
            _ => {}
        }
        Ok(())
    }

    /// Whether as much time really passed as the bundle was given, apart from downtime that nobody could know better.
    fn has_lived(&self, n: usize, held: &Held, now_ms: u64, overcounted: Millis) -> bool {
        let Some((since_ms, overcounted_then)) = self.taken.get(&(n, held.id)) else { return false };
        let lived = Millis(now_ms - since_ms).saturating_add(overcounted.saturating_sub(*overcounted_then));
        lived >= held.expires.since(held.accepted_at)
    }
}

/// Whether room was missing: what was promised gives way to a higher class only, or to an owner who wants less carried.
fn may_give_way(taken: &Taken, held: &Held) -> bool {
    let outranked = taken.outputs.iter().any(|output| match output {
        Output::Commit(Change::Hold { held: new, .. }) => new.class > held.class,
        _ => false,
    });
    held.grade != Grade::Custody || taken.by_owner || outranked
}
