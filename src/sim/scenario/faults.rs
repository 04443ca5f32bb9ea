//! `[faults]`: nodes that crash, carriers that cheat, clocks that are wrong.

use crate::sim::mistake::{InputError, Mistake};
use crate::sim::random::Stream;
use crate::sim::scenario::table::{Section, Value};
use crate::sim::workload::Rate;

/// What goes wrong, as the scenario says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub crashes: Vec<Crash>,
    /// Crashes of every node at a rate, beside those listed.
    pub outages: Option<Outages>,
    /// Accept every bundle and forward none.
    pub black_holes: Carriers,
    /// Accept every bundle and forward some.
    pub grey_holes: Carriers,
    /// Bundles that a grey hole does not forward, in a million.
    pub grey_drop_per_million: u32,
    /// Promise every destination the most that a Hello can say, accept every bundle and forward none.
    pub liars: Carriers,
    /// Are there and neither say nor hear anything.
    pub silent: Carriers,
    pub clocks: ClockOffsets,
}

/// A node is gone during `[at, up)` and then starts again from its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crash {
    pub at_us: u64,
    pub node: u32,
    pub up_us: u64,
}

/// Crashes as a Poisson process at every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outages {
    pub rate: Rate,
    /// Shortest and longest.
    pub down_us: (u64, u64),
}

/// Which nodes: some of all, drawn by the seed, or these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carriers {
    Share { per_million: u32 },
    Listed(Vec<u32>),
}

/// Wrong wall clocks: up to so much either way at every node, and those listed, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockOffsets {
    pub up_to_ms: u64,
    pub listed: Vec<(u32, i64)>,
}

/// The faults of one run, node by node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// In order of time; outages of one node do not overlap.
    pub crashes: Vec<Crash>,
    pub conduct: Vec<Conduct>,
    /// What a node's wall clock shows beyond the true time.
    pub clock_offset_ms: Vec<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    Honest,
    BlackHole,
    GreyHole { drop_per_million: u32 },
    Liar,
    Silent,
}

pub(super) const KEYS: &[&str] = &[
    "crashes",
    "crash_rate",
    "crash_down",
    "black_holes",
    "grey_holes",
    "grey_drop",
    "liars",
    "silent",
    "clock_offset",
    "clock_offsets",
];
/// Crashes are no more frequent than this at a node.
const CRASH_GAP_US_MIN: u64 = 1_000_000;
/// Most crashes of a run that are left to chance.
const CRASHES_MAX: u64 = 10_000_000;
const CRASH: &[&str] = &["node", "at", "down"];
const CLOCK: &[&str] = &["node", "offset"];

impl Default for Carriers {
    fn default() -> Carriers {
        Carriers::Listed(Vec::new())
    }
}

impl Faults {
    /// Draws what the scenario leaves to chance; each node and purpose has its own stream.
    pub fn resolve(&self, nodes: u32, duration_us: u64, seed: u64) -> FaultPlan {
        let mut crashes: Vec<Crash> = self.crashes.iter().copied().filter(|crash| crash.at_us < duration_us).collect();
        if let Some(outages) = self.outages {
            (0..nodes).for_each(|node| outages.draw(node, duration_us, seed, &mut crashes));
        }
        let conduct = self.conduct(nodes, seed);
        // Whoever is silent all the time has nothing that could crash.
        crashes.retain(|crash| conduct.get(crash.node as usize) != Some(&Conduct::Silent));
        FaultPlan { crashes: without_overlaps(crashes), conduct, clock_offset_ms: self.clocks.resolve(nodes, seed) }
    }

    fn conduct(&self, nodes: u32, seed: u64) -> Vec<Conduct> {
        let mut conduct = vec![Conduct::Honest; nodes as usize];
        let grey = Conduct::GreyHole { drop_per_million: self.grey_drop_per_million };
        for node in self.grey_holes.draw(nodes, "grey holes", seed) {
            conduct[node as usize] = grey;
        }
        for node in self.black_holes.draw(nodes, "black holes", seed) {
            conduct[node as usize] = Conduct::BlackHole;
        }
        // Of one stream, so that a run can be compared with the run in which the same nodes say nothing.
        for node in self.liars.draw(nodes, "liars", seed) {
            conduct[node as usize] = Conduct::Liar;
        }
        for node in self.silent.draw(nodes, "liars", seed) {
            conduct[node as usize] = Conduct::Silent;
        }
        conduct
    }

    /// What could not be checked before the trace was read: ids, and how many crashes there will be.
    pub(super) fn check(&self, file: &str, nodes: u32, duration_us: u64) -> Result<(), InputError> {
        let refuse = |said: String| Err(InputError::whole(file, Mistake::Scenario(format!("[faults]: {said}"))));
        let listed = |carriers: &Carriers| match carriers {
            Carriers::Listed(ids) => ids.clone(),
            Carriers::Share { .. } => Vec::new(),
        };
        let mut ids: Vec<u32> = self.crashes.iter().map(|crash| crash.node).collect();
        ids.extend(listed(&self.black_holes));
        ids.extend(listed(&self.grey_holes));
        ids.extend(listed(&self.liars));
        ids.extend(listed(&self.silent));
        ids.extend(self.clocks.listed.iter().map(|(node, _)| *node));
        match ids.into_iter().find(|node| *node >= nodes) {
            Some(node) => refuse(Mistake::OutOfRange { node: node.into(), nodes }.to_string()),
            None => match self.outages.map_or(0, |outages| outages.expected(nodes, duration_us)) {
                crashes if crashes > CRASHES_MAX => {
                    refuse(format!("the rate makes {crashes} crashes, more than {CRASHES_MAX}; lower `crash_rate`"))
                }
                _ => Ok(()),
            },
        }
    }
}

impl Outages {
    /// How many there will be, as far as that can be told.
    fn expected(&self, nodes: u32, duration_us: u64) -> u64 {
        let apart_us = self.rate.mean_us().saturating_add(self.down_us.0).max(1);
        (duration_us / apart_us).saturating_mul(nodes.into())
    }

    fn draw(&self, node: u32, duration_us: u64, seed: u64, crashes: &mut Vec<Crash>) {
        let mut stream = Stream::new(seed, "outages", node);
        let mut at_us = stream.exponential(self.rate.mean_us());
        while at_us < duration_us {
            let up_us = at_us + stream.between(self.down_us.0, self.down_us.1).max(1);
            crashes.push(Crash { at_us, node, up_us });
            at_us = up_us.saturating_add(stream.exponential(self.rate.mean_us()));
        }
    }
}

impl Carriers {
    /// Exactly the share of all nodes, rounded to the nearest, drawn without repetition; or those listed.
    fn draw(&self, nodes: u32, purpose: &str, seed: u64) -> Vec<u32> {
        let per_million = match self {
            Carriers::Listed(ids) => return ids.clone(),
            Carriers::Share { per_million } => *per_million,
        };
        let count = (u64::from(nodes) * u64::from(per_million) + 500_000) / 1_000_000;
        let mut ids: Vec<u32> = (0..nodes).collect();
        let mut stream = Stream::new(seed, purpose, 0);
        for place in 0..count as usize {
            let other = place + stream.below((ids.len() - place) as u64) as usize;
            ids.swap(place, other);
        }
        ids.truncate(count as usize);
        ids
    }
}

impl ClockOffsets {
    fn resolve(&self, nodes: u32, seed: u64) -> Vec<i64> {
        let up_to = i64::try_from(self.up_to_ms).unwrap_or(i64::MAX / 4);
        let drawn = |node| match up_to {
            0 => 0,
            _ => Stream::new(seed, "clock", node).between(0, 2 * up_to as u64) as i64 - up_to,
        };
        let mut offsets: Vec<i64> = (0..nodes).map(drawn).collect();
        for (node, offset_ms) in &self.listed {
            offsets[*node as usize] = *offset_ms;
        }
        offsets
    }
}

/// Joins outages of one node that overlap or touch, and orders all by time.
fn without_overlaps(mut crashes: Vec<Crash>) -> Vec<Crash> {
    crashes.sort_unstable_by_key(|crash| (crash.node, crash.at_us));
    let mut joined: Vec<Crash> = Vec::new();
    for crash in crashes {
        match joined.last_mut() {
            Some(last) if last.node == crash.node && crash.at_us <= last.up_us => {
                last.up_us = last.up_us.max(crash.up_us);
            }
            _ => joined.push(crash),
        }
    }
    joined.sort_unstable();
    joined
}

pub(super) fn read(top: &Section, nodes: Option<u32>) -> Result<Faults, InputError> {
    let Some(faults) = top.section("faults", KEYS)? else { return Ok(Faults::default()) };
    let list = |key: &str| faults.value(key).map_or(Ok(Vec::new()), |value| value.list());
    let rate = faults.value("crash_rate").map(|value| read_crash_rate(&value)).transpose()?;
    let down = faults.value("crash_down").map(|value| value.span(|end| end.duration_us())).transpose()?;
    let outages = match (rate, down) {
        (None, Some(_)) => {
            return Err(faults.refuse("`crash_down` without `crash_rate`; add `crash_rate = \"1/12h\"`".into()));
        }
        (rate, down) => rate.map(|rate| Outages { rate, down_us: down.unwrap_or((600_000_000, 600_000_000)) }),
    };
    let carriers = |key: &str| faults.value(key).map_or(Ok(Carriers::default()), |value| read_carriers(&value, nodes));
    Ok(Faults {
        crashes: list("crashes")?.iter().map(|crash| read_crash(crash, nodes)).collect::<Result<_, _>>()?,
        outages,
        black_holes: carriers("black_holes")?,
        grey_holes: carriers("grey_holes")?,
        grey_drop_per_million: faults.value("grey_drop").map_or(Ok(500_000), |value| value.share())?,
        liars: carriers("liars")?,
        silent: carriers("silent")?,
        clocks: ClockOffsets {
            up_to_ms: faults.value("clock_offset").map_or(Ok(0), |value| value.duration_us())? / 1_000,
            listed: list("clock_offsets")?.iter().map(|clock| read_clock(clock, nodes)).collect::<Result<_, _>>()?,
        },
    })
}

fn read_crash_rate(value: &Value) -> Result<Rate, InputError> {
    let rate = value.rate()?;
    if rate.mean_us() < CRASH_GAP_US_MIN {
        return Err(value.refuse("nodes would crash more than once a second; lower `crash_rate`".into()));
    }
    Ok(rate)
}

fn read_carriers(value: &Value, nodes: Option<u32>) -> Result<Carriers, InputError> {
    if !value.is_list() {
        return Ok(Carriers::Share { per_million: value.share()? });
    }
    let mut ids: Vec<u32> = value.list()?.iter().map(|id| id.node(nodes)).collect::<Result<_, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(Carriers::Listed(ids))
}

fn read_crash(value: &Value, nodes: Option<u32>) -> Result<Crash, InputError> {
    let crash = value.section("a crash".into(), CRASH)?;
    let at_us = crash.needed("at", "\"2h\"")?.duration_us()?;
    let down_us = crash.needed("down", "\"10min\"")?.duration_us()?.max(1);
    Ok(Crash { at_us, node: crash.needed("node", "3")?.node(nodes)?, up_us: at_us + down_us })
}

/// An offset may be negative: `"-3h"`.
fn read_clock(value: &Value, nodes: Option<u32>) -> Result<(u32, i64), InputError> {
    let clock = value.section("a clock".into(), CLOCK)?;
    let node = clock.needed("node", "3")?.node(nodes)?;
    let offset = clock.needed("offset", "\"-3h\"")?;
    let text = offset.text()?;
    let (sign, span) = match text.strip_prefix('-') {
        Some(span) => (-1, span),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span_us = super::units::parse_duration_us(span).filter(|span_us| *span_us <= crate::sim::TIME_US_MAX);
    let wrong = || offset.refuse("`offset` is no duration; write \"3h\" or \"-3h\"".into());
    Ok((node, sign * (span_us.ok_or_else(wrong)? / 1_000) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_carriers_is_exact_and_drawn_by_the_seed() {
        let share = Carriers::Share { per_million: 300_000 };
        let faults = Faults { black_holes: share, ..Faults::default() };
        let cheats = |seed| faults.resolve(10, 1_000, seed).conduct;
        assert_eq!(cheats(1).iter().filter(|conduct| **conduct == Conduct::BlackHole).count(), 3);
        assert_eq!(cheats(1), cheats(1));
        assert!((2..20).any(|seed| cheats(seed) != cheats(1)));
    }

    #[test]
    fn the_nodes_that_would_lie_are_those_that_would_be_silent() {
        let share = || Carriers::Share { per_million: 200_000 };
        let conduct = |faults: Faults| faults.resolve(20, 1_000, 3).conduct;
        let lying = conduct(Faults { liars: share(), ..Faults::default() });
        let silent = conduct(Faults { silent: share(), ..Faults::default() });
        assert_eq!(lying.iter().filter(|conduct| **conduct == Conduct::Liar).count(), 4);
        let same = lying.iter().zip(&silent).all(|(a, b)| (*a == Conduct::Liar) == (*b == Conduct::Silent));
        assert!(same, "{lying:?} {silent:?}");
    }

    #[test]
    fn outages_of_a_node_do_not_overlap_and_come_in_order() {
        let crash = |node, at_us, up_us| Crash { at_us, node, up_us };
        let rate = Rate { count: 1, per_us: 1_000 };
        let faults = Faults {
            crashes: vec![crash(1, 50, 5_000), crash(0, 99_999_999, 100_000_000)],
            outages: Some(Outages { rate, down_us: (10, 2_000) }),
            ..Faults::default()
        };
        let plan = faults.resolve(3, 100_000, 4);
        assert!(plan.crashes.is_sorted_by_key(|crash| crash.at_us) && plan.crashes.len() > 50);
        assert!(plan.crashes.iter().all(|crash| crash.at_us < 100_000));
        for node in 0..3 {
            let of_node: Vec<&Crash> = plan.crashes.iter().filter(|crash| crash.node == node).collect();
            assert!(of_node.windows(2).all(|two| two[0].up_us < two[1].at_us));
        }
    }

    #[test]
    fn clocks_are_off_by_no_more_than_said_and_as_listed() {
        let clocks = ClockOffsets { up_to_ms: 1_000, listed: vec![(2, -5_000)] };
        let offsets = Faults { clocks, ..Faults::default() }.resolve(50, 1, 1).clock_offset_ms;
        assert_eq!(offsets[2], -5_000);
        let others = || offsets.iter().enumerate().filter(|(node, _)| *node != 2).map(|(_, offset)| *offset);
        assert!(others().all(|offset| offset.abs() <= 1_000) && others().any(|offset| offset < 0));
    }
}
