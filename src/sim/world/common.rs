//! What all shares of a run read.

use crate::agent::Config;
use crate::sim::catalog::Catalog;
use crate::sim::scenario::Loaded;
use crate::sim::world::roster::Roster;

/// Settled before the run begins, all but the catalog, which grows.
pub struct Common<'a> {
    pub loaded: &'a Loaded,
    pub config: Config,
    pub roster: Roster,
    pub catalog: Catalog,
}
