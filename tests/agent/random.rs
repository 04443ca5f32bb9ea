//! Random stories: any contacts, any mail, any crash, every strategy. The world checks the promises after every step;
//! what is still owed at the end is delivered once everybody meets everybody.

use dak::agent::change::{Class, EvidenceKind, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Config, Event, Input};
use dak::id::BundleId;
use dak::time::{DAY, HOUR, MINUTE};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, FileFailurePersistence, RngSeed};

use super::World;

/// One thing that happens. Nodes are numbered modulo how many there are, bundles modulo those that can be meant.
#[derive(Clone, Debug)]
pub enum Step {
    Send {
        from: usize,
        to: usize,
        lifetime_hours: u64,
        copies: Option<u16>,
    },
    Meet(usize, usize),
    Open(usize, usize),
    /// So many frames arrive.
    Settle(usize),
    Down(usize, usize),
    PassMinutes(u64),
    Crash(usize),
    PowerCut {
        n: usize,
        after_commits: u32,
        before: bool,
    },
    Read {
        n: usize,
        nth: usize,
        tell: bool,
    },
    Discard {
        n: usize,
        nth: usize,
    },
    Cancel {
        n: usize,
        nth: usize,
    },
    Drop {
        n: usize,
        nth: usize,
    },
    Name {
        n: usize,
        other: usize,
        standing: Option<Standing>,
    },
    CarryLimit {
        n: usize,
        places: u64,
    },
    /// A clock that is wrong by less than a month makes lives shorter, as it must; one wrong by years is not believed.
    Wall {
        n: usize,
        years: i64,
    },
    Space {
        n: usize,
        free: bool,
    },
    /// A stick goes from one to another, and back, for nobody or for somebody.
    Stick {
        from: usize,
        to: usize,
        whom: Option<usize>,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let n = || 0..8usize;
    let standing = prop_oneof![Just(None), Just(Some(Standing::Contact)), Just(Some(Standing::Blocked))];
    prop_oneof![
        6 => (n(), n(), 1..60u64, prop::option::of(1..20u16)).prop_map(|(from, to, lifetime_hours, copies)| Step::Send {
            from, to, lifetime_hours, copies
        }),
        8 => (n(), n()).prop_map(|(a, b)| Step::Meet(a, b)),
        5 => (n(), n()).prop_map(|(a, b)| Step::Open(a, b)),
        6 => (0..12usize).prop_map(Step::Settle),
        4 => (n(), n()).prop_map(|(a, b)| Step::Down(a, b)),
        3 => (1..180u64).prop_map(Step::PassMinutes),
        2 => n().prop_map(Step::Crash),
        2 => (n(), 0..4u32, any::<bool>()).prop_map(|(n, after_commits, before)| Step::PowerCut {
            n, after_commits, before
        }),
        1 => (n(), 0..9usize, any::<bool>()).prop_map(|(n, nth, tell)| Step::Read { n, nth, tell }),
        1 => (n(), 0..9usize).prop_map(|(n, nth)| Step::Discard { n, nth }),
        1 => (n(), 0..9usize).prop_map(|(n, nth)| Step::Cancel { n, nth }),
        1 => (n(), 0..9usize).prop_map(|(n, nth)| Step::Drop { n, nth }),
        1 => (n(), n(), standing).prop_map(|(n, other, standing)| Step::Name { n, other, standing }),
        1 => (n(), 0..20u64).prop_map(|(n, places)| Step::CarryLimit { n, places }),
        1 => (n(), -20..20i64).prop_map(|(n, years)| Step::Wall { n, years }),
        1 => (n(), any::<bool>()).prop_map(|(n, free)| Step::Space { n, free }),
        3 => (n(), n(), prop::option::of(n())).prop_map(|(from, to, whom)| Step::Stick { from, to, whom }),
    ]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        1 => Just(Policy::Direct),
        2 => Just(Policy::Epidemic),
        2 => Just(Policy::SprayAndWait),
        1 => Just(Policy::Prophet(Default::default())),
        3 => Just(Policy::Prospect),
    ]
}

fn any_config() -> impl Strategy<Value = Config> {
    (any_policy(), 0..20u64, 0..=1_000u16, 0..=1_000u16, any::<bool>(), 0..4u64).prop_map(
        |(policy, places, strangers_share, custody_share, fair_shares, mail)| Config {
            policy,
            carry_bytes_max: if places == 19 { 256 << 20 } else { places * PLACE_BYTES },
            strangers_share,
            custody_share,
            fair_shares,
            contact_mail_bytes_max: if mail == 0 { 6 * PLACE_BYTES } else { 16 << 30 },
            stranger_mail_bytes_max: if mail == 1 { 24 * PLACE_BYTES } else { 64 << 20 },
            ..Config::default()
        },
    )
}

/// About what a small message counts.
const PLACE_BYTES: u64 = 1_000;

pub fn any_story() -> impl Strategy<Value = (Vec<Config>, Vec<Step>)> {
    (prop::collection::vec(any_config(), 3..=8), prop::collection::vec(any_step(), 1..80))
}

/// Does one step.
pub fn take_step(world: &mut World, step: &Step) {
    let nodes = world.nodes.len();
    match *step {
        Step::Send { from, to, lifetime_hours, copies } => {
            let _accepted = world.send_with(from % nodes, to % nodes, HOUR.times(lifetime_hours), copies);
        }
        Step::Meet(a, b) if a % nodes != b % nodes => world.meet(a % nodes, b % nodes),
        Step::Open(a, b) if a % nodes != b % nodes => world.open(a % nodes, b % nodes),
        Step::Down(a, b) if a % nodes != b % nodes => world.down(a % nodes, b % nodes),
        Step::Meet(..) | Step::Open(..) | Step::Down(..) => {}
        Step::Settle(frames) => world.settle_some(frames),
        Step::PassMinutes(minutes) => world.pass(MINUTE.times(minutes)),
        Step::Crash(n) => world.crash(n % nodes),
        Step::PowerCut { n, after_commits, before } => {
            world.nodes[n % nodes].power_cut = Some((after_commits, before));
        }
        Step::Read { n, nth, tell } => of_letters(world, n % nodes, nth, |id| Input::Read { id, tell }),
        Step::Discard { n, nth } => of_letters(world, n % nodes, nth, Input::Discard),
        Step::Cancel { n, nth } => {
            let ids: Vec<BundleId> = world.nodes[n % nodes].sent().iter().map(|outgoing| outgoing.id).collect();
            give(world, n % nodes, &ids, nth, Input::Cancel);
        }
        Step::Drop { n, nth } => {
            let ids: Vec<BundleId> = world.nodes[n % nodes].agent().held().map(|held| held.id).collect();
            give(world, n % nodes, &ids, nth, Input::Drop);
        }
        Step::Name { n, other, standing } => {
            let node = world.nodes[other % nodes].id;
            match standing {
                Some(standing) => world.name(n % nodes, node, standing),
                None => world.input(n % nodes, Input::SetPerson { node, person: None }),
            }
        }
        Step::CarryLimit { n, places } => world.input(n % nodes, Input::CarryLimit(places * PLACE_BYTES)),
        Step::Wall { n, years } => world.nodes[n % nodes].wall_offset = years * 365 * DAY.0 as i64,
        Step::Stick { from, to, whom } => {
            let (from, to) = (from % nodes, to % nodes);
            let whom = whom.map(|whom| whom % nodes);
            let files = world.export(from, whom);
            world.import(to, &files);
            let back = world.export(to, whom);
            world.import(from, &back);
        }
        Step::Space { n, free } => {
            let free_bytes = if free { u64::MAX } else { 0 };
            world.input(n % nodes, Input::Space { free_bytes });
        }
    }
}

fn of_letters(world: &mut World, n: usize, nth: usize, input: impl Fn(BundleId) -> Input) {
    let ids: Vec<BundleId> = world.nodes[n].letters().iter().map(|letter| letter.id).collect();
    give(world, n, &ids, nth, input);
}

fn give(world: &mut World, n: usize, ids: &[BundleId], nth: usize, input: impl Fn(BundleId) -> Input) {
    if let Some(id) = ids.get(nth % ids.len().max(1)) {
        world.input(n, input(*id));
    }
}

/// Clocks are right, disks have room, nothing fails any more, and everybody meets everybody.
fn meet_again(world: &mut World) {
    world.settle();
    for n in 0..world.nodes.len() {
        (world.nodes[n].power_cut, world.nodes[n].wall_offset) = (None, 0);
        world.input(n, Input::Space { free_bytes: u64::MAX });
        (0..n).for_each(|m| world.down(n, m));
    }
    for _ in 0..3 {
        for a in 0..world.nodes.len() {
            (0..a).for_each(|b| meet_and_read(world, a, b));
        }
    }
}

/// Who reads and deletes has room for more.
fn meet_and_read(world: &mut World, a: usize, b: usize) {
    world.up(a, b);
    loop {
        let read = [a, b].map(|n| (n, world.nodes[n].letters()));
        if read.iter().all(|(_, letters)| letters.is_empty()) {
            return world.down(a, b);
        }
        for (n, letters) in read {
            letters.iter().for_each(|letter| world.input(n, Input::Discard(letter.id)));
        }
        world.settle();
    }
}

/// One's own messages that still live: from whom, to whom, which.
fn owed(world: &World) -> Vec<(usize, usize, BundleId)> {
    let mut owed = Vec::new();
    for (n, node) in world.nodes.iter().enumerate() {
        for held in node.agent().held().filter(|held| held.class == Class::Own) {
            let to = world.nodes.iter().position(|node| node.id == held.destination.node);
            owed.extend(to.filter(|_| node.sent_one(&held.id).is_some()).map(|to| (n, to, held.id)));
        }
    }
    owed
}

fn runs(cases: u32) -> Runs {
    let regressions = FileFailurePersistence::Direct("tests/agent/random.regressions");
    Runs {
        cases,
        failure_persistence: Some(Box::new(regressions)),
        rng_seed: RngSeed::Fixed(20_261_121),
        max_shrink_iters: 3_000,
        ..Runs::default()
    }
}

proptest! {
    #![proptest_config(runs(96))]

    #[test]
    fn no_story_breaks_a_promise((configs, steps) in any_story()) {
        let mut world = World::new(configs);
        steps.iter().for_each(|step| take_step(&mut world, step));
        let owed = owed(&world);
        // Lives that end within these contacts may end undelivered; there is no time in them.
        meet_again(&mut world);
        for (from, to, id) in owed {
            let state = world.state(from, id);
            // Who is blocked hears nothing.
            let silent = world.truth.is_blocked(world.nodes[to].id, world.nodes[from].id);
            let settled = silent || matches!(state, EvidenceKind::Delivered | EvidenceKind::Read);
            prop_assert!(settled, "{id} from {from} to {to}: {state:?} after everybody met everybody");
        }
        for node in &world.nodes {
            let bad = node.events.iter().find(|event| matches!(event, Event::Misbehaved { .. }));
            prop_assert!(bad.is_none(), "honest nodes look honest to each other: {bad:?}");
        }
        // And in the end nothing is left of any of it but the rows.
        world.pass(DAY.times(60));
        for node in &world.nodes {
            prop_assert_eq!(node.agent().held().count(), 0);
            prop_assert_eq!(node.agent().tombstones(), 0);
            prop_assert!(node.agent().next_timeout().is_none());
        }
    }
}
