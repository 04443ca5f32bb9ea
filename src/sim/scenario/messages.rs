//! `[workload]`: a file, or a rate with its keys.

use std::collections::BTreeSet;

use crate::bundle::Priority;
use crate::sim::mistake::{InputError, Mistake};
use crate::sim::scenario::table::{Section, Value};
use crate::sim::scenario::{Messages, Named};
use crate::sim::workload::{
    Arrivals, GROUP_MEMBERS_MAX, GroupCopies, MESSAGES_MAX, Pace, Pairs, SIZE_BYTES_MAX, Workload,
};

pub(super) const KEYS: &[&str] = &[
    "file",
    "rate",
    "arrivals",
    "size",
    "priorities",
    "from",
    "to",
    "pairs",
    "groups",
    "group_copies",
    "start",
    "end",
];
const PRIORITIES: &[&str] = &["bulk", "normal", "urgent"];

pub(super) fn read(top: &Section, nodes: Option<u32>) -> Result<Messages, InputError> {
    let Some(workload) = top.section("workload", KEYS)? else {
        if super::traffic::SECTIONS.iter().any(|section| top.value(section).is_some()) {
            return Ok(Messages::None);
        }
        return Err(top.refuse("there is no [workload]; add it, with `file = \"FILE\"` or `rate = \"1/min\"`".into()));
    };
    match (workload.value("file"), workload.value("rate")) {
        (Some(file), None) => {
            workload.narrowed("a file", &["file"])?;
            Ok(Messages::File(Named { path: file.text()?.to_owned(), line: file.line() }))
        }
        (Some(_), Some(rate)) => Err(rate.refuse("[workload] has both `file` and `rate`; remove one".into())),
        (None, None) => {
            let said = "[workload] names no messages; add `file = \"FILE\"` or `rate = \"1/min\"`";
            Err(workload.refuse(said.into()))
        }
        (None, Some(rate)) => read_rate(&workload, &rate, nodes, SIZE_BYTES_MAX, Priority::Normal).map(Messages::Rate),
    }
}

/// Reads who writes how much to whom, at most so much at once; `priority` is that of what names none.
pub(super) fn read_rate(
    workload: &Section,
    rate: &Value,
    nodes: Option<u32>,
    size_max: u64,
    priority: Priority,
) -> Result<Workload, InputError> {
    let Pace { rate, arrivals, start_us, end_us } = read_pace(workload, rate)?;
    let size = read_size(workload, size_max)?;
    let (priorities, pairs) = (read_priorities(workload, priority)?, read_pairs(workload, nodes)?);
    Ok(Workload { rate, arrivals, size, priorities, pairs, start_us, end_us })
}

/// Smallest and largest size.
pub(super) fn read_size(workload: &Section, size_max: u64) -> Result<(u64, u64), InputError> {
    let size = workload.needed("size", "\"1kB\"")?;
    let size_bytes = size.span(|end| end.size_bytes())?;
    if size_bytes.1 > size_max {
        return Err(size.refuse(format!("`size` is more than {size_max} bytes; make it smaller")));
    }
    Ok(size_bytes)
}

pub(super) fn read_pace(workload: &Section, rate: &Value) -> Result<Pace, InputError> {
    let arrivals = workload.value("arrivals");
    let kinds = [("regular", Arrivals::Regular), ("poisson", Arrivals::Poisson)];
    let time = |key: &str| workload.value(key).map(|value| value.duration_us()).transpose();
    let (start_us, end_us) = (time("start")?.unwrap_or(0), time("end")?);
    if end_us.is_some_and(|end_us| end_us <= start_us) {
        return Err(workload.refuse("`end` is not after `start`, so there would be no message; move one".into()));
    }
    let arrivals = arrivals.map_or(Ok(Arrivals::Regular), |value| value.choice(&kinds))?;
    Ok(Pace { rate: rate.rate()?, arrivals, start_us, end_us })
}

fn read_priorities(workload: &Section, usual: Priority) -> Result<[u32; 3], InputError> {
    let Some(value) = workload.value("priorities") else {
        return Ok([Priority::Bulk, Priority::Normal, Priority::Urgent].map(|priority| u32::from(priority == usual)));
    };
    let section = value.section("`priorities`".into(), PRIORITIES)?;
    let mut weights = [0; 3];
    for (weight, name) in weights.iter_mut().zip(PRIORITIES) {
        *weight = section.value(name).map_or(Ok(0), |value| value.whole_between(0, 1_000_000))? as u32;
    }
    if weights == [0; 3] {
        return Err(value.refuse("`priorities` are all 0; give one of `bulk`, `normal`, `urgent` a weight".into()));
    }
    Ok(weights)
}

fn read_pairs(workload: &Section, nodes: Option<u32>) -> Result<Pairs, InputError> {
    if let Some(groups) = read_groups(workload, nodes)? {
        return Ok(groups);
    }
    let ids = |key: &str| -> Result<Vec<u32>, InputError> {
        let Some(value) = workload.value(key) else { return Ok(Vec::new()) };
        let ids: Vec<u32> = value.list()?.iter().map(|id| id.node(nodes)).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            Err(value.refuse(format!("`{key}` is empty; leave it out for all nodes")))
        } else {
            Ok(ids)
        }
    };
    let (from, to) = (ids("from")?, ids("to")?);
    let Some(value) = workload.value("pairs") else {
        if from.len() == 1 && from == to {
            let said = format!("`from` and `to` are both node {} alone; choose two nodes", from[0]);
            return Err(workload.refuse(said));
        }
        return Ok(Pairs::Any { from, to });
    };
    if !from.is_empty() || !to.is_empty() {
        return Err(value.refuse("`pairs` says who writes to whom; remove `from` and `to`".into()));
    }
    let mut pairs = Vec::new();
    for pair in value.list()? {
        let ends = pair.list()?;
        let [from, to] = ends.as_slice() else {
            return Err(pair.refuse("a pair is two nodes, as [0, 5]".into()));
        };
        let (from, to) = (from.node(nodes)?, to.node(nodes)?);
        if from == to {
            return Err(pair.refuse(format!("node {from} would write to itself; choose two nodes")));
        }
        pairs.push((from, to));
    }
    if pairs.is_empty() {
        return Err(value.refuse("`pairs` is empty; add one as [0, 5], or leave it out".into()));
    }
    Ok(Pairs::Listed(pairs))
}

fn read_groups(workload: &Section, nodes: Option<u32>) -> Result<Option<Pairs>, InputError> {
    let copies = workload.value("group_copies");
    let Some(value) = workload.value("groups") else {
        return match copies {
            Some(copies) => Err(copies.refuse("`group_copies` is of `groups`; add them, or remove it".into())),
            None => Ok(None),
        };
    };
    if let Some(other) = ["from", "to", "pairs"].into_iter().find_map(|key| workload.value(key)) {
        return Err(other.refuse("`groups` says who writes to whom; remove `from`, `to` and `pairs`".into()));
    }
    let mut groups = Vec::new();
    for group in value.list()? {
        let members: Vec<u32> = group.list()?.iter().map(|id| id.node(nodes)).collect::<Result<_, _>>()?;
        let distinct: BTreeSet<u32> = members.iter().copied().collect();
        if distinct.len() < members.len() || !(2..=GROUP_MEMBERS_MAX).contains(&members.len()) {
            return Err(group.refuse(format!("a group is 2 to {GROUP_MEMBERS_MAX} different nodes, as [0, 5, 9]")));
        }
        groups.push(members);
    }
    if groups.is_empty() {
        return Err(value.refuse("`groups` is empty; add one as [0, 5, 9], or leave it out".into()));
    }
    let kinds = [("one", GroupCopies::One), ("each", GroupCopies::Each)];
    let copies = copies.map_or(Ok(GroupCopies::One), |copies| copies.choice(&kinds))?;
    Ok(Some(Pairs::Groups(groups, copies)))
}

/// What could not be checked before the trace was read: ids, and how many messages there will be.
pub(super) fn check(
    file: &str,
    section: &str,
    workload: &Workload,
    nodes: u32,
    duration_us: u64,
) -> Result<(), InputError> {
    let refuse = |said: String| Err(InputError::whole(file, Mistake::Scenario(format!("{section}: {said}"))));
    let largest = match &workload.pairs {
        Pairs::Any { from, to } => from.iter().chain(to).max().copied(),
        Pairs::Listed(pairs) => pairs.iter().map(|(from, to)| *from.max(to)).max(),
        Pairs::Groups(groups, _) => groups.iter().flatten().max().copied(),
    };
    if let Some(node) = largest.filter(|node| *node >= nodes) {
        return refuse(Mistake::OutOfRange { node: node.into(), nodes }.to_string());
    }
    let window_us = workload.end_us.unwrap_or(duration_us).min(duration_us).saturating_sub(workload.start_us);
    let rows = match &workload.pairs {
        Pairs::Groups(groups, _) => groups.iter().map(|members| members.len() as u64 - 1).max().unwrap_or(1),
        Pairs::Any { .. } | Pairs::Listed(_) => 1,
    };
    let messages = (window_us / workload.rate.mean_us().max(1)).saturating_mul(rows);
    if messages > MESSAGES_MAX as u64 {
        return refuse(format!("the rate makes {messages} messages, more than {MESSAGES_MAX}; lower `rate`"));
    }
    Ok(())
}
