//! A room of nodes that are all in contact: what one text between two of them costs all together, beside what it costs two
//! nodes alone.
//!
//! Each text is sent when all that the last one brought about is durable, so that nothing shares a commit with the next.
//! Contacts that merely last cost something too, pings above all, which would hide the rest: there are none here, and what
//! is left is measured before and taken off.

use std::path::Path;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::broadcast::error::RecvError;

use super::cast::{PATIENCE, address, loopback, node_on};
use super::flow::SHORT_TEXT_BYTES;
use super::{Failure, Row, row};
use crate::agent::Event;
use crate::agent::change::EvidenceKind;
use crate::bundle::Priority;
use crate::content::{Content, Text, pad};
use crate::driver::HELD_BACK_MAX;
use crate::eid::Eid;
use crate::net::{Deadlines, Limits, NetConfig};
use crate::node::Node;
use crate::time::DAY;

/// How many texts, and how long after each one everything about it is over.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub texts: u32,
    pub rest: Duration,
}

pub const USUAL: Pace = Pace { texts: 8, rest: Duration::from_millis(HELD_BACK_MAX.0 + 500) };
/// Rests that show what the contacts alone cost.
const IDLE_RESTS: u32 = 3;
/// Longer than any measurement.
const NO_PING: Duration = Duration::from_secs(24 * 3_600);

pub async fn compare(place: &Path, nodes: u8, pace: Pace, mut report: impl FnMut(Row)) -> Result<(), Failure> {
    let pair = measure(&place.join("pair"), 2, pace).await?;
    let room = measure(&place.join("room"), nodes, pace).await?;
    for (figure, cost) in FIGURES.iter().zip(pair) {
        report(row(figure.of_pair, cost, figure.unit, None));
    }
    for ((figure, pair), cost) in FIGURES.iter().zip(pair).zip(room) {
        report(row(figure.of_room, cost, figure.unit, Some((pair, "two nodes alone; three times that is the goal"))));
    }
    Ok(())
}

struct Figure {
    of_pair: &'static str,
    of_room: &'static str,
    unit: &'static str,
}

/// In the order of [`Cost`].
const FIGURES: [Figure; 4] = [
    Figure { of_pair: "pair_cpu_per_text", of_room: "lan_cpu_per_text", unit: "ms" },
    Figure { of_pair: "pair_sent_per_text", of_room: "lan_sent_per_text", unit: "B" },
    Figure { of_pair: "pair_written_per_text", of_room: "lan_written_per_text", unit: "B" },
    Figure { of_pair: "pair_syncs_per_text", of_room: "lan_syncs_per_text", unit: "" },
];

/// Of all nodes together: processor time in milliseconds, bytes sent, bytes written to disk, and syncs.
type Cost = [f64; 4];

/// Returns what a text costs, beyond what the contacts cost in the same time.
async fn measure(place: &Path, nodes: u8, pace: Pace) -> Result<Cost, Failure> {
    std::fs::create_dir(place)?;
    let room = Room::open(place, nodes).await?;
    // The first warms caches, and what the contacts began with ends meanwhile.
    room.send().await?;
    tokio::time::sleep(pace.rest * 2).await;
    let (start, before) = (Instant::now(), room.spent()?);
    tokio::time::sleep(pace.rest * IDLE_RESTS).await;
    let idle = per(room.spent()?, before, start.elapsed().as_secs_f64());
    let (start, before) = (Instant::now(), room.spent()?);
    for _ in 0..pace.texts {
        room.send().await?;
        tokio::time::sleep(pace.rest).await;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(pace.texts);
    let cost = per(room.spent()?, before, f64::from(pace.texts));
    room.close().await;
    Ok(std::array::from_fn(|i| (cost[i] - idle[i] * seconds).max(0.0)))
}

fn per(after: Cost, before: Cost, parts: f64) -> Cost {
    std::array::from_fn(|i| (after[i] - before[i]) / parts)
}

/// Nodes of this process, each in contact with every other; the first writes to the last.
struct Room {
    nodes: Vec<Node>,
    text: Vec<u8>,
}

impl Room {
    async fn open(place: &Path, count: u8) -> Result<Room, Failure> {
        let (mut nodes, mut addresses) = (Vec::new(), Vec::<Multiaddr>::new());
        for n in 0..count {
            let deadlines = Deadlines { ping: NO_PING, ..Deadlines::default() };
            let limits = Limits { deadlines, ..Limits::default() };
            let (listen, peers) = (vec![loopback()], addresses.clone());
            let node = node_on(place, n, NetConfig { listen, peers, limits, ..NetConfig::default() }).await?;
            addresses.push(address(&node)?);
            nodes.push(node);
        }
        let until = Instant::now() + PATIENCE;
        for node in &nodes {
            while node.look(|agent| agent.contacts().count()).await? + 1 < nodes.len() {
                if Instant::now() > until {
                    return Err("the nodes did not all meet".into());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let text = pad(&Content::from(Text { body: "x".repeat(SHORT_TEXT_BYTES), ..Text::default() }).encode());
        Ok(Room { nodes, text })
    }

    /// Returns once a text is in the last node's inbox and the first has the receipt.
    async fn send(&self) -> Result<(), Failure> {
        let [alice, .., bob] = self.nodes.as_slice() else { return Err("a room has two nodes at least".into()) };
        let mut news = alice.follow();
        let to = Eid::mail(bob.identity().node());
        let sent = alice.send(to, self.text.clone(), DAY, Priority::Normal, None).await?;
        loop {
            match tokio::time::timeout(PATIENCE, news.recv()).await? {
                Ok(Event::Status { id, evidence }) if id == sent && evidence.what == EvidenceKind::Delivered => {
                    return Ok(());
                }
                Err(RecvError::Closed) => return Err("the node stopped".into()),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
            }
        }
    }

    /// What all nodes together took so far.
    fn spent(&self) -> Result<Cost, Failure> {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let mut spent = [cpu.tv_sec as f64 * 1e3 + cpu.tv_nsec as f64 / 1e6, 0.0, 0.0, 0.0];
        for node in &self.nodes {
            spent[1] += node.net().ok_or("the node has no network")?.sent_bytes() as f64;
            spent[2] += node.reader().written_bytes() as f64;
            spent[3] += node.reader().syncs() as f64;
        }
        Ok(spent)
    }

    async fn close(self) {
        for node in &self.nodes {
            node.stop().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_room_counts_what_all_its_nodes_sent_and_wrote() {
        let place = tempfile::tempdir().unwrap();
        let room = Room::open(place.path(), 3).await.unwrap();
        let before = room.spent().unwrap();
        room.send().await.unwrap();
        let [cpu, sent, written, syncs] = per(room.spent().unwrap(), before, 1.0);
        // The text and its receipt cross one contact at least, and both ends commit the text before anything is said.
        assert!(sent > room.text.len() as f64, "{sent} bytes sent");
        assert!(cpu > 0.0 && written > 2.0 * room.text.len() as f64 && syncs >= 2.0, "{cpu} {written} {syncs}");
        room.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_short_text_between_neighbours_takes_little_more_than_what_is_sealed_and_two_signatures() {
        let place = tempfile::tempdir().unwrap();
        let room = Room::open(place.path(), 2).await.unwrap();
        room.send().await.unwrap();
        let before = room.spent().unwrap();
        for _ in 0..4 {
            room.send().await.unwrap();
        }
        // Whatever follows has begun to by then.
        tokio::time::sleep(USUAL.rest).await;
        let [_, sent, ..] = per(room.spent().unwrap(), before, 4.0);
        let (sealed, signatures, pieces) = (32 + 16 + room.text.len(), 2 * 64, 2 * (12 + 18));
        let heads = sent - (sealed + signatures + pieces) as f64;
        assert!((0.0..=52.0).contains(&heads), "{sent} bytes for a text, {heads} of them in heads");
        room.close().await;
    }
}
