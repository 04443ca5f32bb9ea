//! `dak peers` and `dak nearby`: who is met now, and who could be.

use std::time::Duration;

use super::Outcome;
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::table::{Table, cell, painted};
use super::who::called_node;
use crate::api::model::{NearbyRow, PeerRow, Request, Response};

pub async fn peers(link: &Link<'_>, out: &Out) -> Outcome {
    let peers = take!(link.ask(Request::Peers).await?, Peers)?;
    if peers.is_empty() {
        out.talk("nobody is met now; `dak nearby` lists who could be");
    }
    out.answer(&Response::Peers(peers.clone()), |style| peer_table(&peers, style))
}

pub async fn nearby(link: &Link<'_>, out: &Out) -> Outcome {
    let nodes = take!(link.ask(Request::Nearby).await?, Nearby)?;
    if nodes.is_empty() {
        out.talk(
            "nobody is near; `dak doctor` says whether anybody could be found, `dak up --peer MULTIADDR` names a node",
        );
    }
    out.answer(&Response::Nearby(nodes.clone()), |style| nearby_table(&nodes, style))
}

fn peer_table(peers: &[PeerRow], style: &Style) -> String {
    let mut table = Table::new(&["NAME", "SINCE", "SENT", "RECEIVED", "ADDRESS"]);
    for peer in peers {
        let (sent, received) = (peer.sent_bundles.to_string(), peer.received_bundles.to_string());
        let name = called_node(peer.name.as_deref(), peer.nickname.as_deref(), &peer.peer_id);
        let address = painted(Paint::Dim, &peer.address);
        table.row(vec![cell(name), cell(style.when(peer.since)), cell(sent), cell(received), address]);
    }
    table.render(style)
}

fn nearby_table(nodes: &[NearbyRow], style: &Style) -> String {
    let mut table = Table::new(&["NAME", "HEARD", "MET", "ADDRESS"]);
    for node in nodes {
        let name = called_node(node.name.as_deref(), node.nickname.as_deref(), &node.peer_id);
        let met = if node.connected { painted(Paint::Good, "yes") } else { painted(Paint::Dim, "no") };
        let seen = ago(Duration::from_millis(node.seen_ago_ms));
        table.row(vec![cell(name), cell(seen), met, painted(Paint::Dim, &node.address)]);
    }
    table.render(style)
}

/// How long ago somebody was heard: nodes say again and again that they are there, so a few minutes are the most.
fn ago(span: Duration) -> String {
    match span.as_secs() {
        0 => "now".to_owned(),
        seconds @ 1..120 => format!("{seconds} s ago"),
        seconds => format!("{} min ago", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn peers_come_with_names_times_and_counts() {
        let wanted = "\
NAME   SINCE        SENT  RECEIVED  ADDRESS
carol  today 11:01  1     0         /ip4/127.0.0.1/tcp/4001
";
        assert_eq!(peer_table(&[samples::peer()], &style()), wanted);
    }

    #[test]
    fn a_strangers_own_name_stands_in_quotes_behind_the_id() {
        let wanted = "\
NAME               HEARD     MET  ADDRESS
111111bob1 \"dave\"  42 s ago  no   /ip4/192.0.2.7/tcp/4001
";
        assert_eq!(nearby_table(&[samples::nearby()], &style()), wanted);
    }
}
