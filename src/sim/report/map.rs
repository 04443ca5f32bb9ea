//! What the map that can be played needs, in few bytes: places, contacts and moves as lists of small integers.

use std::fmt::Write;

use crate::sim::report::json::quoted;
use crate::sim::report::{Report, layout};

/// Most nodes drawn: those with most contacts.
const NODES_MAX: usize = 300;
/// The run is divided into so many ticks.
const TICKS: u64 = 40_000;
/// Strongest ties of a node that count for its place and are drawn.
const TIES_OF_NODE: usize = 5;

/// The map: its still picture as SVG, its data as JSON, and what it leaves out as a sentence.
pub(super) struct Map {
    pub(super) svg: String,
    pub(super) data: String,
    pub(super) left_out: Option<String>,
}

struct Tie {
    a: usize,
    b: usize,
    contacts: u64,
}

pub(super) fn draw(report: &Report) -> Map {
    let drawn = drawn_nodes(report);
    let ties = strongest_ties(report, &drawn);
    let most = ties.iter().map(|tie| tie.contacts).max().unwrap_or(1) as f64;
    let weighted: Vec<(usize, usize, f64)> =
        ties.iter().map(|tie| (tie.a, tie.b, (tie.contacts as f64 / most).sqrt())).collect();
    let places = layout::place(drawn.len(), &weighted);
    Map { svg: svg(&drawn, &ties, &places), data: data(report, &drawn, &places), left_out: left_out(report, &drawn) }
}

/// The ids of the nodes on the map, in order.
fn drawn_nodes(report: &Report) -> Vec<u32> {
    let mut contacts = vec![0u64; report.head.nodes as usize];
    for contact in report.contacts.kept() {
        contacts[contact.a as usize] += 1;
        contacts[contact.b as usize] += 1;
    }
    let mut ids: Vec<u32> = (0..report.head.nodes).collect();
    if ids.len() > NODES_MAX {
        ids.sort_by_key(|id| std::cmp::Reverse(contacts[*id as usize]));
        ids.truncate(NODES_MAX);
        ids.sort_unstable();
    }
    ids
}

/// Pairs of places in `drawn`, each among the strongest of one of its nodes.
fn strongest_ties(report: &Report, drawn: &[u32]) -> Vec<Tie> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for contact in report.contacts.kept() {
        if let (Ok(a), Ok(b)) = (drawn.binary_search(&contact.a), drawn.binary_search(&contact.b)) {
            pairs.push((a, b));
        }
    }
    pairs.sort_unstable();
    let mut ties: Vec<Tie> = pairs
        .chunk_by(|one, next| one == next)
        .map(|pair| Tie { a: pair[0].0, b: pair[0].1, contacts: pair.len() as u64 })
        .collect();
    ties.sort_by_key(|tie| (std::cmp::Reverse(tie.contacts), tie.a, tie.b));
    let mut count = vec![0; drawn.len()];
    ties.retain(|tie| {
        let is_strong = count[tie.a] < TIES_OF_NODE || count[tie.b] < TIES_OF_NODE;
        if is_strong {
            count[tie.a] += 1;
            count[tie.b] += 1;
        }
        is_strong
    });
    ties
}

fn svg(drawn: &[u32], ties: &[Tie], places: &[(u32, u32)]) -> String {
    let side = layout::SIDE;
    let mut svg = format!(
        "<svg id=\"map\" class=\"map\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"Map of who meets whom\">"
    );
    svg.push_str("<path class=\"ties\" d=\"");
    for tie in ties {
        let ((x0, y0), (x1, y1)) = (places[tie.a], places[tie.b]);
        write!(svg, "M{x0} {y0}L{x1} {y1}").expect("writing to a string cannot fail");
    }
    svg.push_str("\"/><path id=\"live\" class=\"live\" d=\"\"/><g id=\"nodes\">");
    let radius = match drawn.len() {
        0..=40 => 13,
        41..=120 => 9,
        _ => 6,
    };
    for (id, (x, y)) in drawn.iter().zip(places) {
        write!(svg, "<circle class=\"node\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>node {id}</title></circle>")
            .expect("writing to a string cannot fail");
    }
    svg.push_str("</g><g id=\"dots\"></g>");
    if drawn.len() <= 60 {
        svg.push_str("<g class=\"ids\" aria-hidden=\"true\">");
        for (id, (x, y)) in drawn.iter().zip(places) {
            write!(svg, "<text x=\"{x}\" y=\"{}\">{id}</text>", y + 5).expect("writing to a string cannot fail");
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// `{tick_us, ticks, nodes: [x, y, …], contacts: [a, b, up since the last, length, …], moves: [at since the last,
/// message, from, to, …], messages: [[id, from, to, created, delivered or -1], …]}`, nodes as places on the map.
fn data(report: &Report, drawn: &[u32], places: &[(u32, u32)]) -> String {
    let tick_us = report.head.duration_us.div_ceil(TICKS).max(1);
    let on_map = |id: u32| drawn.binary_search(&id).ok();
    let mut contacts: Vec<_> = report.contacts.kept().to_vec();
    contacts.sort_unstable();
    let mut moves = report.moves.kept().to_vec();
    moves.sort_unstable();
    let mut json = format!("{{\"tick_us\":{tick_us},\"ticks\":{},\"nodes\":", report.head.duration_us / tick_us);
    list(&mut json, places.iter().flat_map(|(x, y)| [u64::from(*x), u64::from(*y)]));
    json.push_str(",\"contacts\":");
    let mut before = 0;
    let contacts = contacts.iter().filter_map(|c| Some((on_map(c.a)?, on_map(c.b)?, c)));
    list(
        &mut json,
        contacts.flat_map(|(a, b, contact)| {
            let up = contact.up_us / tick_us;
            let since = up - std::mem::replace(&mut before, up);
            [a as u64, b as u64, since, (contact.down_us - contact.up_us).div_ceil(tick_us)]
        }),
    );
    json.push_str(",\"moves\":");
    let mut before = 0;
    let moves = moves.iter().filter_map(|m| Some((on_map(m.from)?, on_map(m.to)?, m)));
    let every = report.moves.every();
    list(
        &mut json,
        moves.flat_map(|(from, to, step)| {
            let at = step.at_us / tick_us;
            let since = at - std::mem::replace(&mut before, at);
            [since, u64::from(step.message / every), from as u64, to as u64]
        }),
    );
    json.push_str(",\"messages\":[");
    let last = report.moves.kept().iter().map(|kept| kept.message).max().map_or(0, |last| last as usize + 1);
    for (place, row) in report.messages.iter().take(last).step_by(every as usize).enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let end = row.delivered_us.map_or(-1, |at_us| (at_us / tick_us) as i64);
        let node = |id: u32| on_map(id).map_or(-1, |place| place as i64);
        let (id, created) = (quoted(&row.id), row.create_us / tick_us);
        write!(json, "{comma}[{id},{},{},{created},{end},{},{}]", node(row.from), node(row.to), row.from, row.to)
            .expect("writing to a string cannot fail");
    }
    json.push_str("]}");
    json
}

fn list(json: &mut String, numbers: impl Iterator<Item = u64>) {
    json.push('[');
    for (place, number) in numbers.enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(json, "{comma}{number}").expect("writing to a string cannot fail");
    }
    json.push(']');
}

fn left_out(report: &Report, drawn: &[u32]) -> Option<String> {
    let mut parts = Vec::new();
    if drawn.len() < report.head.nodes as usize {
        parts.push(format!("the {} busiest of {} nodes", drawn.len(), report.head.nodes));
    }
    let contacts = &report.contacts;
    if (contacts.kept().len() as u64) < contacts.seen() {
        parts.push(format!("{} of {} contacts", contacts.kept().len(), contacts.seen()));
    }
    if report.moves.every() > 1 {
        parts.push(format!("one message in {}", report.moves.every()));
    }
    (!parts.is_empty()).then(|| format!("It shows {}.", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_the_map_is_json_that_adds_up() {
        let report = crate::sim::report::example::report();
        let map = draw(&report);
        let data: serde_json::Value = serde_json::from_str(&map.data).unwrap();
        let numbers = |key: &str| data[key].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(numbers("nodes").len(), 2 * report.head.nodes as usize);
        assert_eq!(numbers("contacts").len(), 4 * report.contacts.kept().len());
        let moves = numbers("moves");
        assert_eq!(moves.len(), 4 * report.moves.kept().len());
        let end: u64 = moves.chunks(4).map(|step| step[0]).sum();
        assert!(end <= data["ticks"].as_u64().unwrap());
        let messages = data["messages"].as_array().unwrap().len() as u64;
        assert!(moves.chunks(4).all(|step| step[1] < messages));
        assert_eq!(map.left_out, None);
    }
}
