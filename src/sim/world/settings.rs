//! What an agent of a simulated node is told, from what the scenario says.

use crate::agent::Config;
use crate::agent::routing::Policy;
use crate::sim::scenario::{Loaded, Strategy};
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
        stranger_mail_bytes_max: u64::MAX,
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
        Strategy::Prophet(_) => Policy::Epidemic,
        Strategy::Default { .. } => Policy::SprayAndWait,
    }
}

fn copies(strategy: Strategy) -> u16 {
    let asked = match strategy {
        Strategy::SprayAndWait { copies } => Some(copies),
        Strategy::Default { copies } => copies,
        _ => None,
    };
    asked.unwrap_or(Config::default().copies)
}
