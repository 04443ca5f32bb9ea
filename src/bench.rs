//! `dak bench`: how fast and how lean this node is on this machine, each figure beside a limit of the same run.
//!
//! Machines differ and wander, so the ratio counts. The limits are what the disk, the processor and the loopback would
//! allow if nothing else were to do.

mod cast;
mod flow;
mod followers;
mod hoard;
mod hooks;
mod lan;
mod limits;
mod parts;
mod process;
mod record;
mod topics;

use std::time::Duration;

use serde::Serialize;

use self::limits::Limits;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub schema: u32,
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    /// The limit measured in the same run, or the goal where nothing sets one; see `limit_is`.
    pub limit: Option<f64>,
    /// `value / limit`.
    pub ratio: Option<f64>,
    pub limit_is: &'static str,
}

/// Why a bench ends early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Messages in the flows.
    pub messages: usize,
    /// Bundles an idle node holds.
    pub hoards: &'static [usize],
    /// Messages on the record of a node.
    pub records: &'static [u64],
    /// Messages sent one by one.
    pub pings: usize,
    /// Messages sent one by one, each after a rest.
    pub lone: usize,
    /// Bytes of a file that goes in parts.
    pub file_bytes: u64,
    /// How long an idle node is watched.
    pub watch: Duration,
}

const WATCH: Duration = Duration::from_secs(15);

/// What `dak bench` measures.
pub const USUAL: Extent = Extent {
    messages: 10_000,
    hoards: &[10_000],
    records: &[100_000],
    pings: 500,
    lone: 8,
    file_bytes: 256 << 20,
    watch: WATCH,
};
/// What `dak bench --short` measures: every figure, of too little to say much.
pub const SHORT: Extent = Extent {
    messages: 600,
    hoards: &[600],
    records: &[1_000],
    pings: 20,
    lone: 1,
    file_bytes: 10 << 20,
    watch: Duration::from_secs(1),
};
/// What `dak bench --full` measures.
pub const FULL: Extent = Extent {
    messages: 10_000,
    hoards: &[10_000, 1_000_000],
    records: &[100_000, 1_000_000],
    pings: 500,
    lone: 60,
    file_bytes: 1 << 30,
    watch: WATCH,
};

/// Most nodes in one room: each has room for so many peers that nobody named.
pub const LAN_NODES_MAX: u8 = 64;

/// Measures what a text costs a room of nodes and two alone, a row at a time.
pub async fn run_lan(nodes: u8, report: impl FnMut(Row)) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    lan::compare(place.path(), nodes, lan::USUAL, report).await
}

/// Measures everything, a row at a time.
pub async fn run(extent: Extent, mut report: impl FnMut(Row)) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let limits = Limits::measure(place.path()).await?;
    limits.rows().into_iter().for_each(&mut report);
    let ingest = flow::ingest(place.path(), extent.messages, &limits, &mut report).await?;
    record::filed(place.path(), extent.messages, ingest, &mut report).await?;
    topics::local(place.path(), extent.messages, ingest, &mut report).await?;
    let hand_over = flow::hand_over(place.path(), extent.messages, &limits, &mut report).await?;
    flow::stick(place.path(), extent.messages, hand_over, &mut report).await?;
    parts::file(place.path(), extent.file_bytes, &limits, &mut report).await?;
    flow::latency(place.path(), extent.pings, &limits, &mut report).await?;
    flow::lone(place.path(), extent.lone, &mut report).await?;
    flow::queue(place.path(), 4 * extent.pings, &mut report).await?;
    hooks::latency(place.path(), extent.pings / 10, &mut report).await?;
    followers::ten(place.path(), 4 * extent.pings, &mut report).await?;
    for bundles in extent.hoards {
        hoard::idle(place.path(), *bundles, extent.watch, &mut report).await?;
    }
    for messages in extent.records {
        record::many(place.path(), *messages, &mut report).await?;
    }
    Ok(())
}

/// A row with its ratio.
fn row(name: &'static str, value: f64, unit: &'static str, limit: Option<(f64, &'static str)>) -> Row {
    let (limit, limit_is) = limit.map_or((None, ""), |(limit, what)| (Some(limit), what));
    let ratio = limit.filter(|limit| *limit > 0.0).map(|limit| value / limit);
    Row { schema: 1, name, value, unit, limit, ratio, limit_is }
}
