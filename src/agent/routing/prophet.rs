//! PRoPHETv2 (RFC 6693): a bundle goes to whoever is likelier to meet its destination.
//!
//! Every node keeps a *delivery predictability* P for each destination it has heard of (section 2.1.2 of the RFC):
//!
//! ```text
//! meeting B:     P(A,B) ← P_first                                    where P(A,B) < P_first_threshold
//!                P(A,B) ← P(A,B) + (1 − δ − P(A,B)) · P_max · min(1, interval / I_typ)
//! every unit:    P(A,C) ← γ · P(A,C)
//! B says P(B,C): P(A,C) ← max(P(A,C), P(A,B) · P(B,C) · β)
//! ```
//!
//! The interval is that since the last contact with B *ended*, and P(A,B) does not age while the contact lasts: two
//! nodes on one desk are neighbours all day, and a link that flaps is not a string of encounters.
//!
//! Numbers are integers with 31 bits after the point, rounded to 1/65,535 on the wire. What a node tells is within half
//! such a step of what the formulas make of the words it heard, and within one and a half of what they would be had nobody
//! rounded (`tests/routing/prophet.rs`).
//!
//! Section 6 of the RFC leaves open whom to believe. Here a Hello is taken for its 512 highest words at most, and who was
//! never met but heard of makes room first where there are too many. Everybody is told the same numbers: rounded to powers
//! of two for strangers, they cost ten points of delivery where people have habits (`simulations/commuters.toml`).
//!
//! Values are aged when they are looked at, so that time costs nothing and a record stays true while it lies in a store.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::{Chance, Decay};
use super::{ENTRIES_TOLD_MAX, Facts, Learned, Lessons, Strategy, Verdict, by_remaining_life, highest, in_order};
use crate::frame::{ROUTING_ENTRIES_MAX, RoutingInfo};
use crate::id::NodeId;
use crate::time::{MINUTE, Millis, SECOND, Timestamp};

/// The parameters of RFC 6693 section 3.3. Probabilities and factors are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parameters {
    /// P_encounter_max: the most that one encounter adds.
    pub p_encounter_max: u32,
    /// P_encounter_first: what a first encounter gives.
    pub p_encounter_first: u32,
    /// P_first_threshold: below it, an encounter is a first one again.
    pub p_first_threshold: u32,
    /// β: how much a predictability that passes through another node counts.
    pub beta: u32,
    /// γ: what is left after one unit of time.
    pub gamma: u32,
    /// δ: how far from certainty predictabilities stay.
    pub delta: u32,
    /// One step of ageing. The RFC leaves it to the scenario; with γ = 0.999, 30 s halve a value in 5.8 hours.
    pub time_unit: Millis,
    /// I_typ: after so long without the other an encounter counts in full. Left to the scenario too.
    pub interval: Millis,
    pub forwarding: Forwarding,
}

/// Who gets a copy, and in which order (RFC 6693 section 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Forwarding {
    /// Whoever is likelier to deliver; soonest to expire first.
    Grtr,
    /// The same; where the peer is better by more goes first.
    GrtrSort,
    /// The same; where the peer is likeliest to deliver goes first.
    GrtrMax,
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            p_encounter_max: 700_000,
            p_encounter_first: 500_000,
            p_first_threshold: 100_000,
            beta: 900_000,
            gamma: 999_000,
            delta: 10_000,
            time_unit: SECOND.times(30),
            interval: MINUTE.times(30),
            forwarding: Forwarding::Grtr,
        }
    }
}

#[derive(Debug)]
pub struct Prophet {
    node: NodeId,
    encounter_max: Chance,
    encounter_first: Chance,
    first_threshold: Chance,
    /// 1 − δ.
    ceiling: Chance,
    beta: Chance,
    decay: Decay,
    time_unit: Millis,
    interval: Millis,
    forwarding: Forwarding,
    /// Rising by node. A list, because every contact walks over all of it twice, and nodes new to it are few.
    table: Vec<(NodeId, Entry)>,
    /// What the peers of present contacts said, and when.
    told: BTreeMap<NodeId, (Timestamp, Vec<(NodeId, u16)>)>,
    named: BTreeSet<NodeId>,
}

/// One predictability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    chance: Chance,
    /// Up to when the value is aged.
    aged: Timestamp,
    /// When the last contact with the node ended, or began while it lasts; none where there was no contact.
    met: Option<Timestamp>,
    /// A contact with the node lasts: its value does not age.
    in_contact: bool,
}

impl Prophet {
    pub fn new(parameters: &Parameters, node: NodeId, learned: &mut Learned) -> Prophet {
        let table = learned.take(Entry::decode, ROUTING_ENTRIES_MAX).into_iter().collect();
        Prophet {
            node,
            encounter_max: Chance::from_millionths(parameters.p_encounter_max),
            encounter_first: Chance::from_millionths(parameters.p_encounter_first),
            first_threshold: Chance::from_millionths(parameters.p_first_threshold),
            ceiling: Chance::CERTAIN.minus(Chance::from_millionths(parameters.delta)),
            beta: Chance::from_millionths(parameters.beta),
            decay: Decay::new(parameters.gamma),
            time_unit: parameters.time_unit.max(Millis(1)),
            interval: parameters.interval.max(Millis(1)),
            forwarding: parameters.forwarding,
            table,
            told: BTreeMap::new(),
            named: BTreeSet::new(),
        }
    }

    /// P(this node, `node`) now.
    fn predictability(&self, node: NodeId, now: Timestamp) -> Chance {
        self.entry(node).map_or(Chance::NEVER, |entry| self.chance(entry, now))
    }

    fn entry(&self, node: NodeId) -> Option<&Entry> {
        self.place(node).ok().map(|place| &self.table[place].1)
    }

    /// Where a node is in the table, or where it belongs.
    fn place(&self, node: NodeId) -> Result<usize, usize> {
        self.table.binary_search_by(|(other, _)| other.cmp(&node))
    }

    /// P(`peer`, `node`) now, of a peer in contact.
    fn predictability_of(&self, peer: NodeId, node: NodeId, now: Timestamp) -> Chance {
        let Some((at, told)) = self.told.get(&peer) else { return Chance::NEVER };
        let Ok(place) = told.binary_search_by_key(&node, |(node, _)| *node) else { return Chance::NEVER };
        self.decay.after(Chance::from_wire(told[place].1), self.steps(*at, now))
    }

    /// The units of time that ended since then. All values age at the same moments, so that when one is looked at never
    /// matters.
    fn steps(&self, since: Timestamp, now: Timestamp) -> u64 {
        (now.0 / self.time_unit.0).saturating_sub(since.0 / self.time_unit.0)
    }

    /// The value of an entry `now`.
    fn chance(&self, entry: &Entry, now: Timestamp) -> Chance {
        let steps = if entry.in_contact { 0 } else { self.steps(entry.aged, now) };
        self.decay.after(entry.chance, steps)
    }

    /// Meets `peer`: equation 1.
    fn encounter(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) -> Chance {
        let (old, met) = self.entry(peer).map_or((Chance::NEVER, None), |entry| (self.chance(entry, now), entry.met));
        let chance = if old < self.first_threshold {
            self.encounter_first
        } else {
            // Known from the words of others alone: as if the last encounter were long ago.
            let interval = met.map_or(self.interval, |met| now.since(met));
            let encounter = self.encounter_max.scaled(interval.0, self.interval.0);
            old.plus(self.ceiling.minus(old).times(encounter))
        };
        self.set(peer, Entry { chance, aged: now, met: Some(now), in_contact: true }, lessons);
        chance
    }

    fn set(&mut self, node: NodeId, entry: Entry, lessons: &mut Lessons) {
        match self.place(node) {
            Ok(place) => self.table[place].1 = entry,
            Err(place) => self.table.insert(place, (node, entry)),
        }
        lessons.push((node, Some(entry.encode())));
    }

    /// Learns from what `peer` told, rising by node: equation 3, in one walk over both lists.
    fn learn(&mut self, peer: NodeId, told: &[(NodeId, u16)], through: Chance, now: Timestamp, lessons: &mut Lessons) {
        let mut new = Vec::new();
        let mut place = 0;
        for (node, part) in told.iter().filter(|(node, _)| *node != peer && *node != self.node) {
            while self.table.get(place).is_some_and(|(other, _)| other < node) {
                place += 1;
            }
            let chance = through.times(Chance::from_wire(*part)).times(self.beta);
            let known = self.table.get(place).filter(|(other, _)| other == node).map(|(_, entry)| *entry);
            if chance <= known.map_or(Chance::NEVER, |entry| self.chance(&entry, now)) {
                continue;
            }
            // A node in contact may have fallen out of a full table meanwhile.
            let in_contact = known.map_or_else(|| self.told.contains_key(node), |entry| entry.in_contact);
            let entry = Entry { chance, aged: now, met: known.and_then(|entry| entry.met), in_contact };
            match known {
                Some(_) => self.table[place].1 = entry,
                None => new.push((*node, entry)),
            }
            lessons.push((*node, Some(entry.encode())));
        }
        if !new.is_empty() {
            self.table.append(&mut new);
            // Two rising lists one after the other: merged in one pass.
            self.table.sort_by_key(|(node, _)| *node);
        }
    }

    /// Forgets the least likely where there are too many, and first of all what others told.
    fn shrink(&mut self, now: Timestamp, lessons: &mut Lessons) {
        if self.table.len() <= ROUTING_ENTRIES_MAX {
            return;
        }
        let rank = |(node, entry): &(NodeId, Entry)| {
            (entry.met.is_some(), self.named.contains(node), self.chance(entry, now), *node)
        };
        let mut ranked: Vec<(bool, bool, Chance, NodeId)> = self.table.iter().map(rank).collect();
        ranked.sort_unstable();
        let mut goes: Vec<NodeId> = ranked.drain(..ranked.len() - ROUTING_ENTRIES_MAX).map(|ranked| ranked.3).collect();
        lessons.extend(goes.iter().map(|node| (*node, None)));
        goes.sort_unstable();
        self.table.retain(|(node, _)| goes.binary_search(node).is_err());
    }
}

impl Strategy for Prophet {
    fn replicates(&self) -> bool {
        true
    }

    fn set_named(&mut self, node: NodeId, is_named: bool) {
        if is_named {
            self.named.insert(node)
        } else {
            self.named.remove(&node)
        };
    }

    fn info(&mut self, peer: NodeId, _price_max: u64, now: Timestamp) -> RoutingInfo {
        let mut all = Vec::with_capacity(self.table.len());
        let others = self.table.iter().filter(|(node, _)| *node != peer);
        all.extend(others.map(|(node, entry)| (*node, self.chance(entry, now).to_wire())));
        RoutingInfo::Predictabilities(highest(all, ENTRIES_TOLD_MAX))
    }

    fn met(&mut self, peer: NodeId, info: &RoutingInfo, now: Timestamp, lessons: &mut Lessons) {
        let through = self.encounter(peer, now, lessons);
        let told = match info {
            RoutingInfo::Predictabilities(told) => highest(in_order(told), ENTRIES_TOLD_MAX),
            _ => Vec::new(),
        };
        self.learn(peer, &told, through, now, lessons);
        self.told.insert(peer, (now, told));
        self.shrink(now, lessons);
    }

    fn last_met(&self) -> Option<Timestamp> {
        self.table.iter().filter_map(|(_, entry)| entry.met).max()
    }

    fn remembers_meetings(&self) -> bool {
        true
    }

    fn parted(&mut self, peer: NodeId, now: Timestamp, lessons: &mut Lessons) {
        let was_met = self.told.remove(&peer).is_some();
        if let Some(entry) = self.entry(peer).copied().filter(|_| was_met) {
            self.set(peer, Entry { aged: now, met: Some(now), in_contact: false, ..entry }, lessons);
        }
    }

    fn verdict(&self, bundle: &Facts, peer: NodeId) -> Verdict {
        let node = bundle.destination.node;
        let better = self.predictability_of(peer, node, bundle.now) > self.predictability(node, bundle.now);
        if better { Verdict::Copy(1) } else { Verdict::Keep }
    }

    fn send_rank(&self, bundle: &Facts, peer: NodeId) -> u64 {
        let node = bundle.destination.node;
        let theirs = || self.predictability_of(peer, node, bundle.now);
        let last = |chance: Chance| u64::from(Chance::CERTAIN.minus(chance).to_bits());
        match self.forwarding {
            Forwarding::Grtr => by_remaining_life(bundle),
            Forwarding::GrtrSort => last(theirs().minus(self.predictability(node, bundle.now))),
            Forwarding::GrtrMax => last(theirs()),
        }
    }

    fn drop_rank(&self, bundle: &Facts) -> u64 {
        by_remaining_life(bundle)
    }
}

/// Distinguishes the records of this strategy.
const RECORD: u8 = 1;

impl Entry {
    /// 13 bytes, and 8 more where the node was met: kind, chance, when it was true, when the last contact ended.
    fn encode(&self) -> Vec<u8> {
        let met = self.met.map(|met| met.0.to_be_bytes());
        let parts: [&[u8]; 4] = [
            &[RECORD],
            &self.chance.to_bits().to_be_bytes(),
            &self.aged.0.to_be_bytes(),
            met.as_ref().map_or(&[], |met| met.as_slice()),
        ];
        parts.concat()
    }

    fn decode(record: &[u8]) -> Option<Entry> {
        let (kind, rest) = record.split_first()?;
        let (chance, rest) = rest.split_first_chunk()?;
        let (aged, rest) = rest.split_first_chunk()?;
        let met = match rest {
            [] => None,
            met => Some(Timestamp(u64::from_be_bytes(met.try_into().ok()?))),
        };
        let chance = Chance::from_bits(u32::from_be_bytes(*chance));
        let aged = Timestamp(u64::from_be_bytes(*aged));
        (*kind == RECORD).then_some(Entry { chance, aged, met, in_contact: false })
    }
}
