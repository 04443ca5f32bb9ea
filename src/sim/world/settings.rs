//! What an agent of a simulated node is told, from what the scenario says.

use crate::agent::Config;
use crate::agent::routing::Parameters;
use crate::agent::routing::Policy;
use crate::sim::scenario::{Loaded, Prophet, Strategy};
use crate::time::Millis;

/// The configuration that all nodes of a run share.
///
/// In a simulation everybody is a stranger to everybody, so strangers may fill the whole store, and no peer gets a fair
/// share of it unless a scenario is about that. Bodies are sizes, so nothing is too large for a frame or a window.
pub fn agent_config(loaded: &Loaded) -> Config {
    let store = loaded.scenario.store;
    let lifetime_ms = loaded.lifetime_us().div_ceil(1_000);
    Config {
        policy: policy(loaded.scenario.routing.strategy),
        carry_bytes_max: store.quota_bytes.unwrap_or(u64::MAX),
        strangers_share: 1_000,
        custody_share: (store.custody_share_per_million.unwrap_or(0) / 1_000) as u16,
        fair_shares: false,
        contact_mail_bytes_max: u64::MAX,
        stranger_mail_bytes_max: u64::MAX,
        receipts_own_max: u32::MAX,
        bundle_bytes_max: u32::MAX,
        lifetime_max: Millis(lifetime_ms),
        copies: copies(loaded.scenario.routing.strategy),
        ..Config::default()
    }
}

fn policy(strategy: Strategy) -> Policy {
    match strategy {
        Strategy::Direct => Policy::Direct,
        Strategy::Epidemic => Policy::Epidemic,
        Strategy::SprayAndWait { .. } => Policy::SprayAndWait,
        Strategy::Prophet(asked) => Policy::Prophet(predictability(asked)),
        // What a real node does that nobody told otherwise.
        Strategy::Default { .. } => Config::default().policy,
    }
}

/// PRoPHETv2's parameters: those the scenario gives, else the agent's.
fn predictability(asked: Prophet) -> Parameters {
    let usual = Parameters::default();
    let millis = |us: Option<u64>, usual: Millis| us.map_or(usual, |us| Millis((us / 1_000).max(1)));
    Parameters {
        p_encounter_max: asked.p_encounter_max.unwrap_or(usual.p_encounter_max),
        p_encounter_first: asked.p_encounter_first.unwrap_or(usual.p_encounter_first),
        p_first_threshold: asked.p_first_threshold.unwrap_or(usual.p_first_threshold),
        beta: asked.beta.unwrap_or(usual.beta),
        gamma: asked.gamma.unwrap_or(usual.gamma),
        delta: asked.delta.unwrap_or(usual.delta),
        time_unit: millis(asked.time_unit_us, usual.time_unit),
        interval: millis(asked.interval_us, usual.interval),
        forwarding: asked.forwarding.unwrap_or(usual.forwarding),
    }
}

fn copies(strategy: Strategy) -> u16 {
    let asked = match strategy {
        Strategy::SprayAndWait { copies } => Some(copies),
        Strategy::Default { copies } => copies,
        _ => None,
    };
    asked.unwrap_or(policy(strategy).copies())
}
