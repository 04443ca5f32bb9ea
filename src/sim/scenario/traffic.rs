//! `[topics]` and `[files]`: what is written beside mail.

use super::messages::{check as check_workload, read_pace, read_rate, read_size};
use crate::bundle::Priority;
use crate::content::topic::{BODY_BYTES_MAX, WRITERS_MAX};
use crate::sim::mistake::{InputError, Mistake};
use crate::sim::scenario::Scenario;
use crate::sim::scenario::table::Section;
use crate::sim::workload::topics::{Subscribers, TOPICS_MAX, Topics};
use crate::sim::workload::{MESSAGES_MAX, Workload};

/// Sections in whose place there may be no mail.
pub(super) const SECTIONS: &[&str] = &["topics", "files"];
pub(super) const TOPICS: &[&str] =
    &["count", "owners", "writers", "subscribers", "rate", "arrivals", "size", "start", "end"];
pub(super) const FILES: &[&str] =
    &["rate", "arrivals", "size", "priorities", "from", "to", "pairs", "groups", "group_copies", "start", "end"];

/// Largest file of a run.
const FILE_BYTES_MAX: u64 = 64 << 30;

pub(super) fn read_topics(top: &Section, nodes: Option<u32>) -> Result<Option<Topics>, InputError> {
    let Some(section) = top.section("topics", TOPICS)? else { return Ok(None) };
    let many = |key: &str, low: u64, high: u64| {
        section.value(key).map(|value| value.whole_between(low, high)).transpose().map(|many| many.map(|n| n as u32))
    };
    let listed = |value: crate::sim::scenario::table::Value| {
        let mut ids = value.list()?.iter().map(|id| id.node(nodes)).collect::<Result<Vec<u32>, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        Ok::<_, InputError>(ids)
    };
    let rate = section.needed("rate", "\"10/h\"")?;
    let subscribers = section.needed("subscribers", "5")?;
    let subscribers = match subscribers.is_list() {
        true => Subscribers::Listed(listed(subscribers)?),
        false => Subscribers::Many(subscribers.whole_between(1, u32::MAX.into())? as u32),
    };
    Ok(Some(Topics {
        count: many("count", 1, TOPICS_MAX.into())?.unwrap_or(1),
        owners: section.value("owners").map_or(Ok(Vec::new()), listed)?,
        writers: many("writers", 0, WRITERS_MAX as u64)?.unwrap_or(0),
        subscribers,
        pace: read_pace(&section, &rate)?,
        size: read_size(&section, BODY_BYTES_MAX as u64)?,
    }))
}

pub(super) fn read_files(top: &Section, nodes: Option<u32>) -> Result<Option<Workload>, InputError> {
    let Some(section) = top.section("files", FILES)? else { return Ok(None) };
    let rate = section.needed("rate", "\"1/h\"")?;
    read_rate(&section, &rate, nodes, FILE_BYTES_MAX, Priority::Bulk).map(Some)
}

/// What could not be checked before the trace was read: ids, and how many messages there will be.
pub(super) fn check(scenario: &Scenario, nodes: u32, duration_us: u64) -> Result<(), InputError> {
    let file = &scenario.file;
    if let Some(files) = &scenario.files {
        check_workload(file, "[files]", files, nodes, duration_us)?;
    }
    let Some(topics) = &scenario.topics else { return Ok(()) };
    let refuse = |said: String| Err(InputError::whole(file, Mistake::Scenario(format!("[topics]: {said}"))));
    let (listed, each) = match &topics.subscribers {
        Subscribers::Listed(listed) => (&listed[..], listed.len() as u64),
        Subscribers::Many(many) => (&[][..], u64::from(*many.min(&nodes))),
    };
    if let Some(node) = topics.owners.iter().chain(listed).find(|node| **node >= nodes) {
        return refuse(Mistake::OutOfRange { node: (*node).into(), nodes }.to_string());
    }
    let messages = topics.pace.count(duration_us).saturating_mul(each);
    if messages > MESSAGES_MAX as u64 {
        return refuse(format!("that makes {messages} arrivals, more than {MESSAGES_MAX}; lower `rate`"));
    }
    Ok(())
}
