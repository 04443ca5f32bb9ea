//! What a seed decides before anything happens. Each world has some kinds of faults and not others: one in which
//! everything fails at once is too noisy for the rarer chains of events.

use crate::agent::Config;
use crate::agent::routing::Parameters;
use crate::agent::routing::Policy;
use crate::sim::random::Stream;
use crate::time::{MINUTE, Millis};

use super::actors::Actor;
use super::air::AirFaults;

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub nodes: usize,
    /// The last so many of the nodes are hostile.
    pub hostile: usize,
    /// What these are after.
    pub actors: Vec<Actor>,
    pub steps: u64,
    pub configs: Vec<Config>,
    pub air: AirFaults,
    pub walls: Walls,
    /// How often a batch waits for more inputs, per million.
    pub open_batches: u32,
    /// Batches that the agent may run ahead of its store.
    pub ahead: usize,
    /// Whether a peer that misbehaves is parted with.
    pub parts: bool,
    /// Whether there is a group, and who serves it when the world begins.
    pub has_group: bool,
    pub crew: Vec<bool>,
    /// Whether some messages are parts of files, and for how many of them there is room.
    pub parts_of_files: bool,
    pub shelf_room: u64,
    /// The likelihood of each kind of step.
    pub weights: [u64; KINDS.len()],
}

/// How wrong wall clocks get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walls {
    True,
    /// By whole years up to ten, both ways.
    Years,
    /// By hours up to six days, which is plausible, and by years.
    Any,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Send,
    Open,
    Part,
    Move,
    Pass,
    Flush,
    PowerCut,
    CommitFault,
    Partition,
    Wall,
    Space,
    CarryLimit,
    Name,
    Read,
    Discard,
    Cancel,
    Drop,
    Deed,
    Act,
    Publish,
    Serve,
    WriteStick,
    ReadStick,
}

/// Everything that can happen, with how likely it usually is.
pub const KINDS: [(Kind, u64); 23] = [
    (Kind::Send, 10),
    (Kind::Open, 22),
    (Kind::Part, 10),
    (Kind::Move, 40),
    (Kind::Pass, 8),
    (Kind::Flush, 4),
    (Kind::PowerCut, 3),
    (Kind::CommitFault, 5),
    (Kind::Partition, 2),
    (Kind::Wall, 3),
    (Kind::Space, 2),
    (Kind::CarryLimit, 2),
    (Kind::Name, 3),
    (Kind::Read, 2),
    (Kind::Discard, 2),
    (Kind::Cancel, 1),
    (Kind::Drop, 2),
    (Kind::Deed, 30),
    (Kind::Act, 10),
    (Kind::Publish, 8),
    (Kind::Serve, 3),
    (Kind::WriteStick, 4),
    (Kind::ReadStick, 5),
];

const NODES_MIN: u64 = 3;
const NODES_MAX: u64 = 8;
/// At most three nodes in ten are hostile.
const HOSTILE_TENTHS: usize = 3;
/// Most that a bundle counts, for each of the members that there can be, who have half of the room.
const MEMBERS_ROOM: u64 = 2 * NODES_MAX * 5_500;
/// About what a bundle counts.
const PLACE_BYTES: u64 = 1_500;

impl Plan {
    /// The world of a seed, with the actors it draws, or with these alone.
    pub fn new(seed: u64, actors: Option<&[Actor]>) -> Plan {
        let dice = &mut Stream::new(seed, "fuzz plan", 0);
        let nodes = dice.between(NODES_MIN, NODES_MAX) as usize;
        let hostile_max = nodes * HOSTILE_TENTHS / 10;
        let hostile = dice.below(hostile_max as u64 + 1).max(dice.below(hostile_max as u64 + 1)) as usize;
        // Who asks for an actor wants to see it.
        let hostile = if actors.is_some_and(|actors| !actors.is_empty()) { hostile.max(1) } else { hostile };
        let actors = match actors {
            Some(actors) => actors.to_vec(),
            None if hostile > 0 => Actor::drawn(seed),
            None => Vec::new(),
        };
        let policy = one_in(dice, 4).then(|| any_policy(dice));
        let air = if one_in(dice, 2) { any_air(dice) } else { AirFaults::default() };
        let walls = [Walls::True, Walls::Years, Walls::Any][dice.below(3) as usize];
        let acts = !actors.is_empty();
        let crew = any_crew(seed, nodes);
        Plan {
            seed,
            nodes,
            hostile,
            actors,
            steps: dice.between(100, 420),
            configs: (0..nodes).map(|_| crew.fits(any_config(dice, policy.as_ref()))).collect(),
            air,
            walls,
            open_batches: if one_in(dice, 2) { dice.below(600_000) as u32 } else { 0 },
            ahead: if one_in(dice, 3) { dice.between(1, 3) as usize } else { 0 },
            parts: one_in(dice, 2),
            has_group: crew.has_group,
            crew: crew.members,
            parts_of_files: crew.parts_of_files,
            shelf_room: crew.shelf_room,
            weights: any_weights(dice, hostile > 0, acts, walls),
        }
    }

    pub fn is_hostile(&self, n: usize) -> bool {
        n >= self.nodes - self.hostile
    }

    /// Whether frames arrive as they were said, and nobody says one of an earlier contact.
    pub fn is_clean(&self) -> bool {
        let AirFaults { lost, doubled, overtaken, cut, damaged } = self.air;
        lost + doubled + overtaken + cut + damaged == 0 && self.ahead == 0 && self.open_batches == 0
    }
}

/// Drawn apart from all else: worlds without a group are what they are without this.
fn any_crew(seed: u64, nodes: usize) -> Crew {
    let dice = &mut Stream::new(seed, "fuzz crew", 0);
    let (has_group, parts_of_files) = (one_in(dice, 2), one_in(dice, 3));
    let members = (0..nodes).map(|_| dice.chance(700_000) && has_group).collect();
    let shelf_room = if one_in(dice, 2) { dice.below(6) } else { u64::MAX };
    Crew { has_group, members, parts_of_files, shelf_room }
}

struct Crew {
    has_group: bool,
    members: Vec<bool>,
    parts_of_files: bool,
    shelf_room: u64,
}

impl Crew {
    /// What one of many members may fill holds the largest message.
    fn fits(&self, config: Config) -> Config {
        let least = if self.has_group { MEMBERS_ROOM } else { 0 };
        Config { contact_mail_bytes_max: config.contact_mail_bytes_max.max(least), ..config }
    }
}

fn one_in(dice: &mut Stream, n: u64) -> bool {
    dice.below(n) == 0
}

fn any_policy(dice: &mut Stream) -> Policy {
    let prophet = Parameters { interval: MINUTE.times(dice.between(1, 60)), ..Parameters::default() };
    match dice.below(8) {
        0 => Policy::Direct,
        1 | 2 => Policy::Epidemic,
        3 | 4 => Policy::SprayAndWait,
        5 => Policy::Prophet(prophet),
        _ => Config::default().policy,
    }
}

fn any_config(dice: &mut Stream, policy: Option<&Policy>) -> Config {
    let usual = Config::default();
    let carry_bytes_max = match dice.below(8) {
        0 => 0,
        1..=4 => dice.between(1, 20) * PLACE_BYTES,
        _ => usual.carry_bytes_max,
    };
    Config {
        policy: policy.cloned().unwrap_or_else(|| any_policy(dice)),
        carry_bytes_max,
        strangers_share: any_share(dice),
        custody_share: any_share(dice),
        fair_shares: one_in(dice, 2),
        contact_mail_bytes_max: if one_in(dice, 4) { dice.between(20, 80) * PLACE_BYTES } else { 16 << 30 },
        stranger_mail_bytes_max: if one_in(dice, 4) { dice.between(40, 120) * PLACE_BYTES } else { 64 << 20 },
        receipts_unmatched_max: if one_in(dice, 4) { dice.below(6) as u32 } else { usual.receipts_unmatched_max },
        window_bytes: if one_in(dice, 3) { dice.between(1, 4_000) as u32 } else { usual.window_bytes },
        copies: dice.between(1, 16) as u16,
        shun: Millis(dice.between(1, usual.shun.0)),
        ..usual
    }
}

fn any_share(dice: &mut Stream) -> u16 {
    [0, 1_000, dice.below(1_001) as u16, dice.below(1_001) as u16][dice.below(4) as usize]
}

fn any_air(dice: &mut Stream) -> AirFaults {
    let mut rate = || if one_in(dice, 2) { dice.below(120_000) as u32 } else { 0 };
    AirFaults { lost: rate(), doubled: rate(), overtaken: rate(), cut: rate(), damaged: rate() }
}

fn any_weights(dice: &mut Stream, hostile: bool, acts: bool, walls: Walls) -> [u64; KINDS.len()] {
    KINDS.map(|(kind, usual)| {
        let can_happen = match kind {
            Kind::Deed => hostile,
            Kind::Act => acts,
            Kind::Wall => walls != Walls::True,
            _ => true,
        };
        let always = matches!(kind, Kind::Send | Kind::Open | Kind::Part | Kind::Move | Kind::Pass);
        match can_happen && (always || !one_in(dice, 3)) {
            true => dice.between(1, usual * 2),
            false => 0,
        }
    })
}
