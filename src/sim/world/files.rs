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
    /// Of a file of a group: how many of its parts its author was told are here.
    told: BTreeMap<u32, u32>,
    /// What is being sealed for authors, by token: of which file, and what it says.
    saying: BTreeMap<u64, (u32, Vec<u8>)>,
    /// By file that went to a group, and member: what they say to have.
    members: BTreeMap<(u32, u32), Parts>,
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

    /// What is here of a file, where its author is to be told.
    pub fn due_to_tell(&mut self, file: u32) -> Option<Vec<(u32, u32)>> {
        let here = self.here.get(&file)?;
        let told = self.told.entry(file).or_default();
        here.is_to_tell(*told).then(|| {
            *told = here.len();
            here.stretches()
        })
    }

    /// Words to an author wait to be sealed.
    pub fn say(&mut self, token: u64, file: u32, plaintext: Vec<u8>) {
        self.saying.insert(token, (file, plaintext));
    }

    pub fn said(&mut self, token: u64) -> Option<Vec<u8>> {
        self.saying.remove(&token).map(|(_, plaintext)| plaintext)
    }

    /// They could not be sent: the next part says it as well.
    pub fn not_told(&mut self, token: u64) {
        if let Some((file, _)) = self.saying.remove(&token) {
            self.told.remove(&file);
        }
    }

    /// A member of the group that a file went to says to have parts of it. What all of them have goes no more; returns the
    /// bundles of it, of which no copy need lie here.
    pub fn hear_here(
        &mut self,
        file: u32,
        member: u32,
        have: &[(u32, u32)],
        wanting: impl Iterator<Item = u32>,
    ) -> Vec<BundleId> {
        let Some(sending) = self.sending.get_mut(&file) else { return Vec::new() };
        let of = sending.wanted().of();
        let theirs = self.members.entry((file, member)).or_insert_with(|| Parts::none(of));
        for (first, many) in have {
            (*first..first.saturating_add(*many).min(of)).for_each(|part| {
                theirs.insert(part);
            });
        }
        let mut all = Parts::all(of);
        let none = Parts::none(of);
        wanting.for_each(|member| all.retain_all(self.members.get(&(file, member)).unwrap_or(&none)));
        let new: Vec<u32> = all.iter().filter(|part| !sending.safe().has(*part)).collect();
        new.iter().for_each(|part| sending.heard(*part, Fate::Safe));
        let over: Vec<BundleId> = new.iter().filter_map(|part| self.sealed.remove(&(file, *part))).collect();
        for id in &over {
            self.away.remove(id);
        }
        over
    }

    /// Whether a part has come.
    pub fn has(&self, file: u32, part: u32) -> bool {
        self.here.get(&file).is_some_and(|here| here.has(part))
    }
}
