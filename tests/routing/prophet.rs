//! PRoPHETv2 against RFC 6693, computed here in floating point.

use std::collections::BTreeMap;

use dak::agent::routing::{Facts, Policy, Verdict};
use dak::agent::routing::{Forwarding, Parameters};
use dak::eid::Eid;
use dak::frame::{ROUTING_ENTRIES_MAX, RoutingInfo};
use dak::time::{DAY, HOUR, MINUTE, Millis, SECOND, Timestamp};

use crate::rig::{Dice, Rig, facts, node};

/// Section 2.1.2 of the RFC for one node, in floating point.
struct Reference {
    parameters: Parameters,
    /// Per node: P, up to when it is aged, when the last contact ended.
    table: BTreeMap<usize, (f64, Timestamp, Option<Timestamp>)>,
    present: Vec<usize>,
}

fn part(millionths: u32) -> f64 {
    f64::from(millionths) / 1e6
}

impl Reference {
    fn new(parameters: Parameters) -> Reference {
        Reference { parameters, table: BTreeMap::new(), present: Vec::new() }
    }

    fn age(&mut self, now: Timestamp) {
        for (node, (p, aged, _)) in &mut self.table {
            let unit = self.parameters.time_unit.0;
            let units = if self.present.contains(node) { 0 } else { now.0 / unit - aged.0 / unit };
            *p *= part(self.parameters.gamma).powf(units as f64);
            *aged = now;
        }
    }

    fn met(&mut self, me: usize, peer: usize, told: &BTreeMap<usize, f64>, now: Timestamp) {
        self.age(now);
        let (p, _, met) = *self.table.entry(peer).or_insert((0.0, now, None));
        let p = if p < part(self.parameters.p_first_threshold) {
            part(self.parameters.p_encounter_first)
        } else {
            let interval = met.map_or(1.0, |met| now.since(met).0 as f64 / self.parameters.interval.0 as f64);
            let encounter = part(self.parameters.p_encounter_max) * interval.min(1.0);
            p + (1.0 - part(self.parameters.delta) - p) * encounter
        };
        let entry = self.table.get_mut(&peer).unwrap();
        (entry.0, entry.2) = (p, Some(now));
        for (node, theirs) in told.iter().filter(|(node, _)| **node != me && **node != peer) {
            let through = p * theirs * part(self.parameters.beta);
            let entry = self.table.entry(*node).or_insert((0.0, now, None));
            if through > entry.0 {
                (entry.0, entry.1) = (through, now);
            }
        }
        self.present.push(peer);
    }

    fn parted(&mut self, peer: usize, now: Timestamp) {
        self.age(now);
        self.present.retain(|present| *present != peer);
        let entry = self.table.get_mut(&peer).unwrap();
        (entry.1, entry.2) = (now, Some(now));
    }

    fn told(&mut self, now: Timestamp) -> BTreeMap<usize, f64> {
        self.age(now);
        self.table.iter().map(|(node, (p, _, _))| (*node, *p)).collect()
    }
}

fn parameter_sets() -> [Parameters; 3] {
    let usual = Parameters::default();
    [
        usual,
        Parameters { gamma: 980_000, beta: 250_000, delta: 0, time_unit: SECOND.times(600), ..usual },
        Parameters { gamma: 999_999, p_encounter_max: 300_000, time_unit: SECOND, interval: HOUR, ..usual },
    ]
}

const NODES: usize = 12;

/// Runs a random history and returns the largest difference between ours and the reference. With `words`, the reference
/// hears what our nodes say over the wire; without, its nodes tell each other unrounded numbers.
fn largest_error(parameters: Parameters, seed: u64, words: bool) -> f64 {
    let mut dice = Dice::new(seed);
    let mut rig = Rig::new(Policy::Prophet(parameters), NODES);
    let mut references: Vec<Reference> = (0..NODES).map(|_| Reference::new(parameters)).collect();
    let mut error: f64 = 0.0;
    for _ in 0..3_000 {
        // Gaps from seconds to days.
        let span = [5 * SECOND.0, 5 * MINUTE.0, HOUR.0, DAY.0][dice.below(4) as usize];
        rig.pass(Millis(dice.below(span)));
        let a = dice.below(NODES as u64) as usize;
        let b = (a + 1 + dice.below(NODES as u64 - 1) as usize) % NODES;
        let said = rig.up(a, b);
        let mut told = [references[a].told(rig.now), references[b].told(rig.now)];
        if words {
            told = said.map(|info| {
                let RoutingInfo::Predictabilities(told) = info else { panic!("PRoPHET tells predictabilities") };
                told.into_iter().map(|(id, p)| (number(id), f64::from(p) / 65_535.0)).collect()
            });
        }
        references[a].met(a, b, &told[1], rig.now);
        references[b].met(b, a, &told[0], rig.now);
        rig.pass(Millis(dice.below(HOUR.0)));
        rig.down(a, b);
        references[a].parted(b, rig.now);
        references[b].parted(a, rig.now);
        for n in [a, b] {
            let ours = rig.told(n);
            for (other, p) in references[n].told(rig.now) {
                let ours = f64::from(ours.get(&node(other)).copied().unwrap_or(0)) / 65_535.0;
                error = error.max((ours - p).abs());
            }
        }
    }
    error
}

fn number(id: dak::id::NodeId) -> usize {
    u32::from_be_bytes(id.as_bytes()[..4].try_into().unwrap()) as usize
}

#[test]
fn predictabilities_follow_the_formulas_to_half_a_step_of_the_wire() {
    for (seed, parameters) in parameter_sets().into_iter().enumerate() {
        let error = largest_error(parameters, seed as u64, true);
        assert!(error < 0.501 / 65_535.0, "seed {seed}: off by {error}");
    }
}

#[test]
fn rounding_on_the_wire_never_adds_up_to_more_than_a_step_and_a_half() {
    for (seed, parameters) in parameter_sets().into_iter().enumerate() {
        let error = largest_error(parameters, 100 + seed as u64, false);
        assert!(error < 1.5 / 65_535.0, "seed {seed}: off by {error}");
    }
}

fn usual() -> Policy {
    Policy::Prophet(Parameters::default())
}

#[test]
fn the_defaults_are_those_of_the_rfc() {
    let Parameters { p_encounter_max, p_encounter_first, p_first_threshold, beta, gamma, delta, forwarding, .. } =
        Parameters::default();
    let of_rfc = [700_000, 500_000, 100_000, 900_000, 999_000, 10_000];
    assert_eq!([p_encounter_max, p_encounter_first, p_first_threshold, beta, gamma, delta], of_rfc);
    assert_eq!(forwarding, Forwarding::Grtr);
}

#[test]
fn a_bundle_goes_to_whoever_is_likelier_to_meet_its_destination_and_to_nobody_else() {
    let mut rig = Rig::new(usual(), 4);
    rig.meet(1, 3);
    rig.pass(MINUTE);
    rig.up(0, 1);
    assert_eq!(rig.verdict(0, 1, 3), Verdict::Copy(1));
    assert_eq!(rig.verdict(1, 0, 3), Verdict::Keep);
    rig.up(0, 2);
    assert_eq!(rig.verdict(0, 2, 3), Verdict::Keep, "2 never heard of 3");
    assert_eq!(rig.verdict(2, 0, 3), Verdict::Copy(1), "0 has heard of 3 from 1");
    rig.down(0, 1);
    assert_eq!(rig.verdict(0, 1, 3), Verdict::Keep, "a peer that is gone gets nothing");
}

#[test]
fn a_first_meeting_gives_a_half_and_two_nodes_on_one_desk_do_not_forget_each_other() {
    let mut rig = Rig::new(usual(), 2);
    rig.up(0, 1);
    rig.pass(DAY);
    assert_eq!(rig.told(0)[&node(1)], 32_768);
    rig.down(0, 1);
    rig.pass(DAY);
    assert!(rig.told(0)[&node(1)] < 32_768 / 16);
}

#[test]
fn a_link_that_flaps_is_not_a_string_of_encounters() {
    let mut rig = Rig::new(usual(), 2);
    rig.up(0, 1);
    for _ in 0..20 {
        rig.down(0, 1);
        rig.pass(SECOND);
        rig.up(0, 1);
        rig.pass(MINUTE);
    }
    assert!(rig.told(0)[&node(1)] < 34_000, "20 seconds apart in all are a hundredth of an encounter");
}

#[test]
fn sorting_strategies_send_first_where_the_peer_is_of_most_use() {
    let ranks = |forwarding| {
        let mut rig = Rig::new(Policy::Prophet(Parameters { forwarding, ..Parameters::default() }), 4);
        rig.meet(1, 2);
        rig.pass(HOUR);
        rig.meet(1, 3);
        rig.up(0, 1);
        let rank = |to: usize, remaining| {
            let destination = Eid::mail(node(to));
            rig.routings[0].send_rank(&Facts { remaining, ..facts(rig.now, &destination) }, node(1))
        };
        (rank(2, MINUTE), rank(3, HOUR))
    };
    let (longer_ago, just_now) = ranks(Forwarding::Grtr);
    assert!(longer_ago < just_now, "soonest to expire first");
    for forwarding in [Forwarding::GrtrSort, Forwarding::GrtrMax] {
        let (longer_ago, just_now) = ranks(forwarding);
        assert!(just_now < longer_ago, "likeliest first under {forwarding:?}");
    }
}

#[test]
fn a_restart_changes_nothing_of_what_is_known() {
    let mut rig = Rig::new(usual(), 8);
    let mut dice = Dice::new(5);
    for _ in 0..200 {
        rig.pass(Millis(dice.below(HOUR.0)));
        let a = dice.below(8) as usize;
        rig.meet(a, (a + 1 + dice.below(7) as usize) % 8);
    }
    for n in 0..8 {
        let before = rig.told(n);
        rig.restart(n);
        assert_eq!(rig.told(n), before);
        assert!(rig.learned[n].values().all(|record| record.len() <= 21));
    }
}

#[test]
fn a_table_is_bounded_whatever_peers_claim() {
    let mut rig = Rig::new(usual(), 3);
    rig.meet(0, 1);
    for round in 0..10 {
        let claims = (0..2 * ROUTING_ENTRIES_MAX).rev().map(|n| (node(10_000 * round + n + 10), 60_000)).collect();
        rig.hear(0, 2, &RoutingInfo::Predictabilities(claims));
        rig.down(0, 2);
        rig.pass(MINUTE);
    }
    assert_eq!(rig.learned[0].len(), ROUTING_ENTRIES_MAX);
    assert!(rig.told(0).contains_key(&node(1)), "what was lived through outlasts what was claimed");
    assert!(rig.told(0).len() <= 512);
}

#[test]
fn no_lie_makes_a_predictability_exceed_what_the_meeting_with_the_liar_is_worth() {
    let mut rig = Rig::new(usual(), 3);
    let lies = vec![(node(9), 65_535), (node(0), 65_535), (node(5), 65_535), (node(5), 65_535), (node(1), 65_535)];
    rig.hear(0, 1, &RoutingInfo::Predictabilities(lies));
    let told = rig.told(0);
    assert_eq!(told.get(&node(0)), None, "nothing is believed about oneself");
    assert_eq!(told[&node(1)], 32_768, "nor about the peer from itself");
    assert_eq!(told[&node(5)], 29_491, "0.5 · 1 · 0.9");
    rig.hear(0, 2, &RoutingInfo::Meetings(vec![(node(7), 65_535)]));
    assert_eq!(rig.told(0).get(&node(7)), None, "another strategy's numbers mean nothing here");
}

#[test]
fn records_of_another_strategy_are_forgotten_at_the_first_meeting() {
    let mut rig = Rig::new(usual(), 2);
    rig.learned[0].insert(node(8), vec![99, 1, 2]);
    rig.learned[0].insert(node(9), Vec::new());
    rig.restart(0);
    rig.meet(0, 1);
    assert_eq!(rig.learned[0].keys().copied().collect::<Vec<_>>(), [node(1)]);
}
