//! Endpoints as small numbers, counted, so that a name costs its key once however many bundles bear it.

use std::collections::BTreeMap;

use crate::eid::Eid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub u32);

impl Name {
    /// Stands where there is no name.
    pub const NONE: Name = Name(u32::MAX);
}

#[derive(Debug, Default)]
pub struct Names {
    numbers: BTreeMap<Eid, Name>,
    eids: Vec<Option<(Eid, u32)>>,
    free: Vec<Name>,
}

impl Names {
    /// Returns the number of `eid` and counts one more use.
    pub fn intern(&mut self, eid: &Eid) -> Name {
        if let Some(name) = self.numbers.get(eid).copied() {
            let (_, uses) = self.eids[name.0 as usize].as_mut().expect("a numbered name is in use");
            *uses += 1;
            return name;
        }
        let name = self.free.pop().unwrap_or(Name(self.eids.len() as u32));
        if name.0 as usize == self.eids.len() {
            self.eids.push(None);
        }
        self.eids[name.0 as usize] = Some((eid.clone(), 1));
        self.numbers.insert(eid.clone(), name);
        name
    }

    /// Counts one use less; the number is free again after the last.
    pub fn release(&mut self, name: Name) {
        if name == Name::NONE {
            return;
        }
        let place = &mut self.eids[name.0 as usize];
        let (eid, uses) = place.as_mut().expect("a name in use has a place");
        *uses -= 1;
        if *uses == 0 {
            self.numbers.remove(eid);
            *place = None;
            self.free.push(name);
        }
    }

    pub fn find(&self, eid: &Eid) -> Option<Name> {
        self.numbers.get(eid).copied()
    }

    pub fn eid(&self, name: Name) -> &Eid {
        &self.eids[name.0 as usize].as_ref().expect("a name in use has an endpoint").0
    }
}
