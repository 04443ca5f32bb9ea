//! What came of a run, from plain numbers: text, JSON, CSV and one page of HTML.
//!
//! The world fills a [`Report`] and this module writes it. Names and definitions are The ONE's where it has them; ours
//! follow. All figures are integers or fixed decimals, so the same run gives the same bytes on every machine. The page
//! holds its plots as SVG and loads nothing.

mod csv;
mod decimal;
mod html;
mod json;
mod layout;
mod map;
mod plot;
mod summary;
mod text;
mod thin;

pub use csv::{csv_field, messages_csv};
pub use decimal::Decimal;
pub use html::page;
pub use json::{Json, summary_json};
pub use summary::{Counters, Figure, Summary};
pub use text::text;
pub use thin::{Histogram, Moves, Thinned};

use crate::sim::oracle::Arrival;
use crate::sim::scenario::{Link, Loaded};
use crate::sim::trace::Contact;
use crate::sim::workload::{Channel, Message};

/// Everything a report shows.
#[derive(Clone, Debug)]
pub struct Report {
    pub head: Head,
    pub summary: Summary,
    /// In order of creation.
    pub messages: Vec<MessageRow>,
    /// In order of time.
    pub occupancy: Vec<Occupancy>,
    /// One a node, in order of ids.
    pub load: Vec<NodeLoad>,
    /// For the map.
    pub contacts: Thinned<Contact>,
    /// For the map.
    pub moves: Moves,
    /// What a whole sweep shows, of which this is the first run.
    pub sweep: Option<Sweep>,
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub title: Option<String>,
    /// The scenario's file name and its text.
    pub scenario: String,
    pub scenario_text: String,
    pub strategy: String,
    pub link: String,
    pub seed: u64,
    pub commit: String,
    /// Every setting that matters for the outcome, as `key value`, with `; ` between.
    pub settings: String,
    pub scenario_hash: String,
    /// The same for all strategies.
    pub world_hash: String,
    pub nodes: u32,
    pub contacts: u64,
    pub duration_us: u64,
    /// `None`: as long as the run.
    pub lifetime_us: Option<u64>,
    /// `None`: unbounded.
    pub quota_bytes: Option<u64>,
    /// Events that the run took, of every kind.
    pub events: u64,
    /// Over all of them in order: equal runs have equal ones.
    pub event_hash: String,
}

/// The fate of one message; times from the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageRow {
    pub id: String,
    pub from: u32,
    pub to: u32,
    pub size: u64,
    pub create_us: u64,
    pub delivered_us: Option<u64>,
    pub hops: Option<u32>,
    /// What the oracle says, within the lifetime.
    pub earliest_us: Option<u64>,
    pub direct_us: Option<u64>,
    pub channel: Channel,
}

/// The stores at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    pub at_us: u64,
    /// Of all nodes together.
    pub bytes: u64,
    /// Of the node that holds most.
    pub bytes_max: u64,
    pub bundles: u64,
}

/// What one node did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeLoad {
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Most it held at once.
    pub peak_bytes: u64,
}

/// A copy of a message that went from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    pub at_us: u64,
    /// Its place in [`Report::messages`].
    pub message: u32,
    pub from: u32,
    pub to: u32,
}

/// All runs of a sweep together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// What the table shows, as a sentence.
    pub note: String,
    pub curves: Vec<Curves>,
    /// One row a combination of settings.
    pub table: Table,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Delivery against one setting, one line a strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curves {
    pub what: Swept,
    pub lines: Vec<SweepLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// In microseconds.
    Lifetime,
    /// In bytes.
    Quota,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepLine {
    /// The strategy, or `ceiling`.
    pub name: String,
    /// The setting and the share delivered.
    pub points: Vec<(u64, Decimal)>,
}

impl Head {
    /// What a run's scenario says; `contacts` and `events` are for the world to fill in.
    pub fn of(run: &Loaded, scenario_text: &str, commit: &str) -> Head {
        let scenario = &run.scenario;
        let link = match scenario.link {
            Link::Ideal => "ideal".to_owned(),
            Link::Stick(_) => "stick".to_owned(),
            Link::Rate(rated) => format!("{}/s", plot::shown(plot::Unit::Bytes, rated.bytes_per_second)),
        };
        Head {
            title: scenario.title.clone(),
            scenario: scenario.file.clone(),
            scenario_text: scenario_text.to_owned(),
            strategy: scenario.routing.strategy.name().to_owned(),
            link,
            seed: scenario.seed,
            commit: commit.to_owned(),
            settings: scenario.normal_form().lines().collect::<Vec<_>>().join("; "),
            scenario_hash: run.hash.clone(),
            world_hash: run.world.clone(),
            nodes: run.nodes,
            contacts: 0,
            duration_us: run.duration_us,
            lifetime_us: scenario.bundle.lifetime_us,
            quota_bytes: scenario.store.quota_bytes,
            events: 0,
            event_hash: String::new(),
        }
    }
}

impl MessageRow {
    /// A message that has not arrived, with what the oracle says of it.
    pub fn of(message: &Message, arrival: &Arrival) -> MessageRow {
        MessageRow {
            id: message.id.clone(),
            from: message.from,
            to: message.to,
            size: message.size,
            create_us: message.create_us,
            delivered_us: None,
            hops: None,
            earliest_us: arrival.earliest_us,
            direct_us: arrival.direct_us,
            channel: message.channel,
        }
    }
}

#[cfg(test)]
pub(crate) mod example;
