//! Groups in the core: what of them came is heard in the commit that brings it, and the agent and the keyring follow.

use std::collections::BTreeMap;

use super::{Core, Said, Steps};
use crate::agent::change::{Change, Evidence, EvidenceKind, Letter};
use crate::agent::{Agent, Event, Input};
use crate::bundle::Bundle;
use crate::content::Mark;
use crate::content::group::EpochId;
use crate::driver::Driver;
use crate::eid::Eid;
use crate::id::{IdPrefix, NodeId, hex};
use crate::mail::OfGroup;
use crate::mail::groups::{Admitted, Groups, Standing, rows};
use crate::node::courier::Act;
use crate::node::names::name_groups;
use crate::node::stirs::Stir;
use crate::seal;
use crate::store::StoreError;
use crate::store::redb::RedbReader;
use crate::time::{DtnTime, Moment};

/// Rows of groups that are read at once at the start.
const ROWS_AT_ONCE: usize = 1_024;

/// Groups as the store has them.
pub fn groups(record: &RedbReader, me: NodeId) -> Result<Groups, StoreError> {
    let mut groups = Groups::new(me);
    for part in rows::loaded() {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = record.all_kept(&part, after.as_deref(), ROWS_AT_ONCE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            page.iter().for_each(|(key, value)| groups.load(key, value));
        }
    }
    groups.loaded();
    Ok(groups)
}

impl Steps {
    /// Hears what came of groups since the last call.
    pub(super) fn hear_of_groups(&mut self, agent: &Agent, at: Moment, out: &mut Vec<Change>) {
        let now = super::wall(at);
        for of_group in self.opening.take_of_groups() {
            match of_group {
                OfGroup::Word { id, from, word } => {
                    self.groups.hear(from, agent.is_contact(&from), &word, now, out);
                    // What it says of keys is kept with the group.
                    if !word.is_for_person() {
                        self.over.push(id);
                    }
                }
                OfGroup::Written { letter, epoch, owes } => {
                    let (group, author) = (letter.destination.node, letter.source);
                    match self.groups.admits(&group, &EpochId(epoch), &author, letter.creation.time) {
                        Admitted::No => self.over.push(letter.id),
                        Admitted::Late => out.push(Change::Keep { key: rows::late(letter.row), value: Some(vec![]) }),
                        Admitted::Yes if owes && agent.proves_to(&author) => {
                            self.groups.owe(&group, author, Letter::mark_of(&letter.id), (at.now, now), out);
                        }
                        Admitted::Yes => {}
                    }
                }
                OfGroup::Sealed(bundle) => {
                    self.sealed_until = self.sealed_until.into_iter().chain([at.now + bundle.lifetime]).min();
                    if let Ok(epoch) = seal::group::epoch_of(bundle.payload()) {
                        self.groups.miss(&bundle.destination.node, EpochId(epoch), bundle.source, now, out);
                    }
                }
                OfGroup::Queued { id, group } => self.groups.sent(&group, Letter::mark_of(&id), out),
                OfGroup::Said { id } => out.push(Change::Keep { key: rows::said(&id), value: Some(vec![]) }),
            }
        }
        self.groups.catch_up(now, out);
    }

    /// Somebody says what of this person's came to them.
    pub(super) fn hear_got(&mut self, bundle: &Bundle, now: DtnTime, out: &mut Vec<Change>) {
        let Some(word) = self.opening.take_word(&bundle.id) else { return };
        let (record, from) = (&self.record, bundle.source);
        let is_news = |mark: &Mark| {
            let meant = record.kept(&rows::meant(mark)).ok().flatten();
            let was_for =
                meant.as_deref().and_then(rows::read_meant).is_some_and(|(_, members)| members.contains(&from));
            was_for && record.kept(&rows::has(mark, &from)).is_ok_and(|has| has.is_none())
        };
        self.groups.note(from, &word, now, is_news, out);
    }
}

impl Core {
    /// What changed of groups goes to the agent and the keyring, and what is to be sent is said to be there.
    pub(super) fn take_groups(&mut self) {
        loop {
            let mut heard = Vec::new();
            self.driver.step.hear_of_groups(&self.driver.agent, self.clock.moment(), &mut heard);
            heard.into_iter().for_each(|change| self.driver.change(change));
            for id in std::mem::take(&mut self.driver.step.over) {
                self.handle(Input::Discard(id));
            }
            let changed = self.driver.step.groups.take_changed();
            if changed.is_empty() {
                break;
            }
            self.are_names_stale = true;
            changed.into_iter().for_each(|group| self.take_group(group));
            let stirs = std::sync::Arc::clone(&self.stirs);
            self.driver.say(Said::Act(Act::Call(Box::new(move || stirs.stir(Stir::Groups)))));
        }
        if std::mem::take(&mut self.are_names_stale) {
            let agent = &self.driver.agent;
            let mut people: BTreeMap<NodeId, String> =
                agent.people().map(|(node, person)| (*node, person.name.clone())).collect();
            people.remove(&agent.node());
            self.group_names.set(name_groups(agent.node(), &people, self.driver.step.groups.all()));
        }
        for (mark, member) in self.driver.step.groups.take_noted() {
            self.tell_of_member(&mark, member);
        }
        let Driver { agent, step, .. } = &mut self.driver;
        let is_gathered = step.groups.receipts.gather(self.clock.moment().now, |id| agent.copies_left(id));
        if self.driver.step.groups.take_due() || is_gathered {
            let names = std::sync::Arc::clone(&self.group_names);
            self.driver.say(Said::Act(Act::Call(Box::new(move || names.tell_due()))));
        }
    }

    /// Whoever follows one's own message hears that a member has it.
    fn tell_of_member(&mut self, mark: &Mark, member: NodeId) {
        let Some(prefix) = IdPrefix::parse(&hex(mark)) else { return };
        let evidence = Evidence { at: self.clock.moment(), what: EvidenceKind::Delivered, who: Some(member) };
        for id in self.driver.step.record.sent_like(&prefix, 1).unwrap_or_default() {
            self.driver.say(Said::Act(Act::Report(Event::Status { id, evidence })));
            let stirs = std::sync::Arc::clone(&self.stirs);
            self.driver.say(Said::Act(Act::Call(Box::new(move || stirs.stir(Stir::Receipts)))));
        }
    }

    fn take_group(&mut self, group: NodeId) {
        let address = Eid::group(group);
        let groups = &self.driver.step.groups;
        let keys: BTreeMap<[u8; 16], [u8; 32]> = groups.keys(&group).map(|(id, key)| (id.0, key.0)).collect();
        let is_new_key = self.keyring.set_group_keys(&address, keys);
        let is_joined = groups.get(&group).is_some_and(|known| known.state.standing == Standing::Joined);
        let members = groups.others(&group);
        match (is_joined, self.served.contains_key(&group)) {
            (true, false) => self.handle(Input::ServeGroup { group: address.clone(), on: true }),
            (false, true) => {
                self.served.remove(&group);
                self.handle(Input::ServeGroup { group: address.clone(), on: false });
            }
            _ => {}
        }
        if is_joined && self.served.get(&group) != Some(&members) {
            self.served.insert(group, members.clone());
            self.handle(Input::GroupMembers { group: address, members });
        }
        if is_new_key {
            self.open_sealed();
        }
    }
}
