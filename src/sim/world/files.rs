//! Files in parts at one node: those that it sends, and what has come of others.

use std::collections::BTreeMap;

use crate::agent::change::EvidenceKind;
use crate::id::BundleId;
use crate::mail::files::{Fate, Parts, Sending};

/// By the number of the message that a file is.
#[derive(Debug, Default)]
pub struct Files {
    sending: BTreeMap<u32, Sending>,
    /// Parts on their way: of which file, and which.
    away: BTreeMap<BundleId, (u32, u32)>,
    /// What each of them was sealed as last.
    sealed: BTreeMap<(u32, u32), BundleId>,
    here: BTreeMap<u32, Parts>,
}

impl Files {
    /// A person sends a file of so many parts.
    pub fn begin(&mut self, file: u32, parts: u32) {
        self.sending.insert(file, Sending::new(Parts::all(parts), Parts::none(parts), false));
    }

    /// The next part that leaves, of the first file that has one to send.
    pub fn due(&mut self) -> Option<(u32, u32)> {
        let mut due = self.sending.iter_mut().filter_map(|(file, sending)| {
            let part = sending.due()?;
            sending.sent(part);
            Some((*file, part))
        });
        due.next()
    }

    /// The next part whose copy here leaves, for others hold it and more are to go.
    pub fn hand_on(&mut self) -> Option<BundleId> {
        for (file, sending) in &mut self.sending {
            while let Some(part) = sending.to_hand_on() {
                sending.handed_on(part);
                if let Some(id) = self.sealed.get(&(*file, part)) {
                    return Some(*id);
                }
            }
        }
        None
    }

    /// A part is under way, and has its id.
    pub fn queued(&mut self, id: BundleId, file: u32, part: u32) {
        self.away.insert(id, (file, part));
        self.sealed.insert((file, part), id);
    }

    /// Something is known of a bundle that was sent; says whether more may leave.
    pub fn heard(&mut self, id: &BundleId, what: EvidenceKind) -> bool {
        let Some((file, part)) = self.away.get(id).copied() else { return false };
        let Some(fate) = Fate::of(what) else { return false };
        if let Some(sending) = self.sending.get_mut(&file) {
            if fate == Fate::GivenUp && !sending.is_carried(part) {
                return false;
            }
            sending.heard(part, fate);
        }
        if fate != Fate::Promised {
            self.away.remove(id);
            self.sealed.remove(&(file, part));
        }
        true
    }

    /// A part of a file of so many is here; says whether all of them are.
    pub fn came(&mut self, file: u32, part: u32, of: u32) -> bool {
        let here = self.here.entry(file).or_insert_with(|| Parts::none(of));
        here.insert(part);
        here.is_all()
    }

    /// Whether a part has come.
    pub fn has(&self, file: u32, part: u32) -> bool {
        self.here.get(&file).is_some_and(|here| here.has(part))
    }
}
