//! What groups are called here: one name for each, that nobody and nothing else has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;
use unicode_security::confusable_detection::skeleton;

use crate::id::NodeId;
use crate::mail::groups::{Group, Standing};
use crate::safe_text::safe_text;

/// Names of groups by their keys, and whether something is to be sent about groups.
#[derive(Default)]
pub struct GroupNames {
    names: RwLock<Arc<BTreeMap<NodeId, String>>>,
    due: Notify,
    changed: Notify,
}

impl GroupNames {
    pub fn all(&self) -> Arc<BTreeMap<NodeId, String>> {
        Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something is to be sent.
    pub fn tell_due(&self) {
        self.due.notify_one();
    }

    /// Returns once something is to be sent.
    pub async fn due(&self) {
        self.due.notified().await;
    }

    pub fn set(&self, names: BTreeMap<NodeId, String>) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
        self.changed.notify_one();
    }

    /// Returns once something is to be looked at anew: who is in a group, or what one is called.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// What a name looks like: names that a reader takes for one another look alike (Unicode TR 39, section 4).
pub fn look(name: &str) -> String {
    skeleton(name).collect()
}

/// The same in small or capital letters, by which groups are told apart.
pub fn look_of_group(name: &str) -> String {
    look(&name.to_lowercase())
}

/// Gives each group its name. A group of this person's has the name that it has for all, and so have others whose name is
/// free and looks like no other; else it is `crew (bob's)`, by who began it. `people` are the names that this person gave.
pub fn name_groups<'g>(
    me: NodeId,
    people: &BTreeMap<NodeId, String>,
    groups: impl Iterator<Item = (&'g NodeId, &'g Group)>,
) -> BTreeMap<NodeId, String> {
    let mut taken: BTreeSet<String> = people.values().map(|name| look_of_group(name)).collect();
    taken.extend(["me", "all"].map(look_of_group));
    let mut groups: Vec<_> = groups.collect();
    // Who was there first keeps the name.
    let rank = |(key, group): &(&NodeId, &Group)| {
        let is_out = group.state.standing == Standing::Out;
        let is_mine = group.founder() == Some(me);
        (is_out, group.state.standing != Standing::Joined, !is_mine, group.state.since, **key)
    };
    groups.sort_by_key(rank);
    let mut names = BTreeMap::new();
    for (key, group) in groups {
        let said = safe_text(&group.view().name);
        let begins_well = !said.starts_with(['@', '#', '-']) && !said.trim().is_empty();
        let plain = if begins_well { said.replace(',', " ").trim().to_owned() } else { format!("group {key}") };
        let founder = group.founder();
        let whose = founder.map(|founder| people.get(&founder).cloned().unwrap_or_else(|| founder.to_string()));
        let theirs = whose.map_or_else(|| plain.clone(), |whose| format!("{plain} ({whose}'s)"));
        let numbered = (2..).map(|n| format!("{theirs} {n}"));
        let mut tries = [plain.clone(), theirs.clone()].into_iter().chain(numbered);
        if let Some(name) = tries.find(|name| taken.insert(look_of_group(name))) {
            names.insert(*key, name);
        }
    }
    names
}
