//! Endpoints as small numbers, counted, so that a name costs its key once however many bundles bear it.

use std::fmt;
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::eid::Eid;
use crate::id::NodeId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub u32);

impl Name {
    /// Stands where there is no name.
    pub const NONE: Name = Name(u32::MAX);
}

#[derive(Default)]
pub struct Names {
    /// Under a key that peers do not know, so that none can choose names which all fall into one place.
    hasher: SipHasher13,
    numbers: HashTable<Name>,
    eids: Vec<Option<(Eid, u32)>>,
    free: Vec<Name>,
}

impl Names {
    pub fn keyed(key: &[u8; 16]) -> Names {
        Names { hasher: SipHasher13::new_with_key(key), ..Names::default() }
    }

    /// Returns the number of `eid` and counts one more use.
    pub fn intern(&mut self, eid: &Eid) -> Name {
        if let Some(name) = self.find(eid) {
            let (_, uses) = self.eids[name.0 as usize].as_mut().expect("a numbered name is in use");
            *uses += 1;
            return name;
        }
        let name = self.free.pop().unwrap_or(Name(self.eids.len() as u32));
        if name.0 as usize == self.eids.len() {
            self.eids.push(None);
        }
        self.eids[name.0 as usize] = Some((eid.clone(), 1));
        let Names { hasher, numbers, eids, .. } = self;
        numbers.insert_unique(hash(*hasher, eid), name, |name| hash(*hasher, eid_at(eids, *name)));
        name
    }

    /// The same for a node, or for a source: it goes by the name of the endpoint that every key has.
    pub fn intern_node(&mut self, node: NodeId) -> Name {
        self.intern(&Eid::admin(node))
    }

    /// Counts one use less; the number is free again after the last.
    pub fn release(&mut self, name: Name) {
        if name == Name::NONE {
            return;
        }
        let (eid, uses) = self.eids[name.0 as usize].as_mut().expect("a name in use has a place");
        *uses -= 1;
        if *uses == 0 {
            let entry = self.numbers.find_entry(hash(self.hasher, eid), |other| *other == name);
            entry.expect("a name in use has a number").remove();
            self.eids[name.0 as usize] = None;
            self.free.push(name);
        }
    }

    pub fn find(&self, eid: &Eid) -> Option<Name> {
        self.numbers.find(hash(self.hasher, eid), |name| eid_at(&self.eids, *name) == eid).copied()
    }

    pub fn find_node(&self, node: NodeId) -> Option<Name> {
        self.find(&Eid::admin(node))
    }

    /// How many uses of a name are counted.
    pub fn uses(&self, name: Name) -> u32 {
        if name == Name::NONE { 0 } else { self.eids[name.0 as usize].as_ref().map_or(0, |(_, uses)| *uses) }
    }

    /// A number for a name that peers do not know.
    pub fn lot_of(&self, name: Name) -> u32 {
        let mut hasher = self.hasher;
        name.0.hash(&mut hasher);
        hasher.finish() as u32
    }

    pub fn eid(&self, name: Name) -> &Eid {
        eid_at(&self.eids, name)
    }
}

/// The names alone: where the table has their numbers depends on what came and went.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("eids", &self.eids).field("free", &self.free).finish_non_exhaustive()
    }
}

fn eid_at(eids: &[Option<(Eid, u32)>], name: Name) -> &Eid {
    &eids[name.0 as usize].as_ref().expect("a name in use has an endpoint").0
}

fn hash(mut hasher: SipHasher13, eid: &Eid) -> u64 {
    eid.hash(&mut hasher);
    hasher.finish()
}
