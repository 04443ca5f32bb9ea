//! Bundles on their way: taken from a peer, handed to one who appears, and one by one between neighbours.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::cast::{PATIENCE, Porter, TEXT_BYTES, address, bundles, key, node};
use super::limits::Limits;
use super::{Failure, Row, row};
use crate::agent::Event;
use crate::api::model::{STICK_BUNDLES_MAX, STICK_BYTES_MAX};
use crate::bundle::{Bundle, Priority, Signer};
use crate::content::{Content, Text, pad};
use crate::driver::HELD_BACK_MAX;
use crate::eid::Eid;
use crate::node::{Came, Node, NodeError, Taken};
use crate::stick::{Folder, Found, ToWrite};
use crate::time::DAY;

/// Durable, verified custody from one peer over the loopback; then what it took of the disk. Returns how much a second.
pub async fn ingest(
    place: &Path,
    messages: usize,
    limits: &Limits,
    report: &mut impl FnMut(Row),
) -> Result<f64, Failure> {
    let carrier = node(place, 1, Vec::new()).await?;
    let absent = key(200).node();
    let made = tokio::task::spawn_blocking(move || bundles(&key(2), absent, 2 * messages + 100)).await??;
    let made: Vec<Arc<Bundle>> = made.into_iter().map(Arc::new).collect();
    let mut porter = Porter::meet(&key(3), address(&carrier)?).await?;
    // The first hundred warm caches and connections.
    porter.hand_over(&made[..100]).await?;
    let (file_before, written_before) = (used_bytes(&carrier)?, carrier.reader().written_bytes());
    let start = Instant::now();
    let accepted = porter.hand_over(&made[100..100 + 2 * messages]).await?;
    let rate = accepted as f64 / start.elapsed().as_secs_f64();
    if accepted != 2 * messages {
        return Err(format!("only {accepted} of {} were accepted", 2 * messages).into());
    }
    report(row("ingest", rate, "1/s", Some((2.0 * limits.verifications, "2 x verify_strict"))));
    let per = |bytes: u64| bytes as f64 / accepted as f64;
    let written = per(carrier.reader().written_bytes() - written_before);
    report(row("written_per_message", written, "B", Some((made[100].encoded_len() as f64, "bytes of the bundle"))));
    let stored = per(used_bytes(&carrier)? - file_before);
    report(row("stored_per_message", stored, "B", Some((TEXT_BYTES as f64, "bytes of the text"))));
    porter.leave().await;
    carrier.stop().await;
    Ok(rate)
}

fn used_bytes(node: &Node) -> Result<u64, Failure> {
    Ok(node.reader().allocated_bytes()?)
}

/// Bundles stored for somebody who then appears, until the last is committed there.
pub async fn hand_over(
    place: &Path,
    messages: usize,
    limits: &Limits,
    report: &mut impl FnMut(Row),
) -> Result<f64, Failure> {
    let recipient = key(11).node();
    let carrier = node(place, 10, Vec::new()).await?;
    let made = tokio::task::spawn_blocking(move || bundles(&key(12), recipient, messages)).await??;
    let made: Vec<Arc<Bundle>> = made.into_iter().map(Arc::new).collect();
    let mut porter = Porter::meet(&key(13), address(&carrier)?).await?;
    porter.hand_over(&made).await?;
    porter.leave().await;
    let bytes: usize = made.iter().map(|bundle| bundle.encoded_len()).sum();

    let at = address(&carrier)?;
    let start = Instant::now();
    let appearing = node(place, 11, vec![at]).await?;
    wait_for(&appearing, messages).await?;
    let took = start.elapsed().as_secs_f64();
    // The recipient verifies and opens each.
    let work = messages as f64 * (1.0 / limits.verifications + 1.0 / limits.openings);
    let at_best = work / 2.0 + bytes as f64 / limits.stream;
    report(row(
        "hand_over_10k",
        took * 10_000.0 / messages as f64,
        "s",
        Some((at_best, "2 x (verify_strict and open) + loopback")),
    ));
    appearing.stop().await;
    carrier.stop().await;
    Ok(took)
}

/// The same with no network: out of one node into the files of a folder, and out of them into the recipient's.
pub async fn stick(place: &Path, messages: usize, hand_over: f64, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let recipient = key(15).node();
    let [carrier, other] = [node(place, 14, Vec::new()).await?, node(place, 15, Vec::new()).await?];
    let made = tokio::task::spawn_blocking(move || bundles(&key(16), recipient, messages)).await??;
    let came = |bytes: Vec<u8>, written| Came { bytes, written };
    for some in made.chunks(STICK_BUNDLES_MAX) {
        carrier.bring(some.iter().map(|bundle| came(bundle.bytes().to_vec(), None)).collect()).await?;
    }
    let path = place.join("stick");
    std::fs::create_dir(&path)?;

    let start = Instant::now();
    let folder = Folder::open(&path)?;
    let (mut willing, _) = carrier.look(|agent| agent.willing(None, None, usize::MAX)).await?;
    willing.sort_unstable();
    for some in willing.chunks(STICK_BUNDLES_MAX) {
        let ids = some.iter().map(|willing| willing.id).collect();
        let taken = carrier.take_out(None, ids, STICK_BYTES_MAX).await?.into_iter();
        let copies: Vec<ToWrite> = taken.map(|Taken { id, bytes, at }| ToWrite { id, bytes, at }).collect();
        folder.add(&copies)?;
    }
    let (names, _) = folder.names()?;
    for some in names.chunks(STICK_BUNDLES_MAX) {
        let mut batch = Vec::new();
        for name in some {
            let mut parts = folder.read(name)?;
            while let Some(Found { bytes, written }) = parts.read_next()? {
                batch.push(came(bytes, written));
            }
        }
        other.bring(batch).await?;
    }
    wait_for(&other, messages).await?;
    let took = start.elapsed().as_secs_f64();
    let scale = 10_000.0 / messages as f64;
    let limit = Some((2.0 * hand_over * scale, "goal: twice as long as to hand over"));
    report(row("stick_10k", took * scale, "s", limit));
    carrier.stop().await;
    other.stop().await;
    Ok(())
}

/// How often it is looked how much came: at every event it would take the time of what is measured.
const LOOK: Duration = Duration::from_millis(2);

async fn wait_for(node: &Node, letters: usize) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while node.reader().letters_len()? < letters as u64 {
        if Instant::now() > until {
            return Err("the bundles did not arrive".into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Two neighbours that have met, and what the one writes to the other.
struct Pair {
    alice: Node,
    bob: Node,
    text: Vec<u8>,
}

/// A text as people send it, where nothing but the number of commits counts.
pub const SHORT_TEXT_BYTES: usize = 200;

impl Pair {
    async fn meet(place: &Path, n: u8, text_bytes: usize) -> Result<Pair, Failure> {
        let bob = node(place, n + 1, Vec::new()).await?;
        let alice = node(place, n, vec![address(&bob)?]).await?;
        let until = Instant::now() + PATIENCE;
        while alice.look(|agent| agent.contacts().count()).await? == 0 {
            if Instant::now() > until {
                return Err("the neighbours did not meet".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let text = pad(&Content::from(Text { body: "x".repeat(text_bytes), ..Text::default() }).encode());
        Ok(Pair { alice, bob, text })
    }

    /// Returns once a text is durable in bob's inbox.
    async fn send(&self) -> Result<(), Failure> {
        let mut arrivals = self.bob.follow();
        let to = Eid::mail(self.bob.identity().node());
        let id = self.alice.send(to, self.text.clone(), DAY, Priority::Normal, None).await?;
        loop {
            match tokio::time::timeout(PATIENCE, arrivals.recv()).await?? {
                Event::Delivered { id: arrived, .. } if arrived == id => return Ok(()),
                _ => {}
            }
        }
    }

    /// Bytes written and syncs asked for, at both ends together.
    fn disk(&self) -> (u64, u64) {
        let [a, b] = [&self.alice, &self.bob].map(|node| node.reader());
        (a.written_bytes() + b.written_bytes(), a.syncs() + b.syncs())
    }

    async fn part(self) {
        self.alice.stop().await;
        self.bob.stop().await;
    }
}

/// From `send` to the row in a neighbour's inbox, durable at both.
pub async fn latency(place: &Path, pings: usize, limits: &Limits, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let pair = Pair::meet(place, 20, TEXT_BYTES).await?;
    let mut times = Vec::with_capacity(pings);
    for _ in 0..pings {
        let start = Instant::now();
        pair.send().await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at_best = (2.0 / limits.appends + limits.round_trip / 2.0 + 1.0 / limits.verifications) * 1e3;
    let limit = Some((at_best, "two synced appends, half a round trip, one verification"));
    report(row("send_to_inbox_p50", times[times.len() / 2], "ms", limit));
    report(row("send_to_inbox_p99", times[times.len() * 99 / 100], "ms", limit));
    pair.part().await;
    Ok(())
}

/// What a text costs the disks of two neighbours who have nothing else to do: each is sent when all that the last one
/// brought about is durable.
pub async fn lone(place: &Path, texts: usize, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let pair = Pair::meet(place, 24, SHORT_TEXT_BYTES).await?;
    let rest = Duration::from_millis(HELD_BACK_MAX.0) + Duration::from_millis(500);
    pair.send().await?;
    tokio::time::sleep(rest).await;
    let before = pair.disk();
    let mut times = Vec::with_capacity(texts);
    for _ in 0..texts {
        let start = Instant::now();
        pair.send().await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(rest).await;
    }
    let after = pair.disk();
    times.sort_by(f64::total_cmp);
    report(row("lone_to_inbox_p50", times[texts / 2], "ms", None));
    let per = |before: u64, after: u64| (after - before) as f64 / texts as f64;
    report(row(
        "written_per_lone_message",
        per(before.0, after.0),
        "B",
        Some((110_000.0, "the goal, both ends together")),
    ));
    report(row("syncs_per_lone_message", per(before.1, after.1), "", Some((4.0, "the goal, both ends together"))));
    pair.part().await;
    Ok(())
}

/// Programs at once that queue texts for somebody who is away, each the next one when the last is durable.
pub async fn queue(place: &Path, texts: usize, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let sender = Arc::new(node(place, 28, Vec::new()).await?);
    let text = pad(&Content::from(Text { body: "x".repeat(SHORT_TEXT_BYTES), ..Text::default() }).encode());
    let to = Eid::mail(key(200).node());
    let disk = || (sender.reader().written_bytes(), sender.reader().syncs());
    let (start, before) = (Instant::now(), disk());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (sender, text, to) = (Arc::clone(&sender), text.clone(), to.clone());
        clients.spawn(async move {
            for _ in 0..texts / CLIENTS {
                sender.send(to.clone(), text.clone(), DAY, Priority::Normal, None).await?;
            }
            Ok::<_, NodeError>(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    let (took, after) = (start.elapsed().as_secs_f64(), disk());
    let per = |before: u64, after: u64| (after - before) as f64 / texts as f64;
    report(row("queued_by_four", texts as f64 / took, "1/s", None));
    report(row("written_per_queued", per(before.0, after.0), "B", None));
    report(row("syncs_per_queued", per(before.1, after.1), "", None));
    Ok(())
}

/// How many programs queue at once.
const CLIENTS: usize = 4;
