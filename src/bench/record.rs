//! A home with many messages on record: how soon a few of them are read and found, and what it costs to start; and how fast
//! mail for oneself is filed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::cast::{Porter, address, bundles, key, node};
use super::process::Process;
use super::{Failure, Row, row};
use crate::agent::change::{Change, Letter, Row as RecordRow};
use crate::api::client::Client;
use crate::api::model::{Listing, Show};
use crate::bundle::{Creation, Hops, Priority, Signer};
use crate::content::{Content, Filed, KeyUsed, Text};
use crate::eid::Eid;
use crate::home::Home;
use crate::id::BundleId;
use crate::keys::Identity;
use crate::store::Store;
use crate::store::redb::{RedbStore, StoreOptions};
use crate::ticket::Ticket;
use crate::time::{DAY, DtnTime, Moment, Timestamp};

/// How many people wrote what is on record.
const WRITERS: u64 = 50;
/// Messages committed together.
const CHUNK: u64 = 10_000;
/// How often each page is asked for.
const LOOKS: usize = 40;
/// How long a started node rests before its memory is looked at.
const REST: Duration = Duration::from_secs(2);

/// Mail for oneself from one peer: verified, opened, filed and indexed, durable; `ingest` is what custody took a second.
pub async fn filed(place: &Path, messages: usize, ingest: f64, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let recipient = node(place, 40, Vec::new()).await?;
    let to = key(40).node();
    let made = tokio::task::spawn_blocking(move || bundles(&key(41), to, messages + 100)).await??;
    let made: Vec<Arc<_>> = made.into_iter().map(Arc::new).collect();
    let mut porter = Porter::meet(&key(42), address(&recipient)?).await?;
    porter.hand_over(&made[..100]).await?;
    let start = Instant::now();
    let accepted = porter.hand_over(&made[100..]).await?;
    let rate = accepted as f64 / start.elapsed().as_secs_f64();
    if accepted != messages {
        return Err(format!("only {accepted} of {messages} were filed").into());
    }
    report(row("filed", rate, "1/s", Some((ingest / 3.0, "a third of ingest"))));
    porter.leave().await;
    recipient.stop().await;
    Ok(())
}

/// A home with so many messages on record, beside an empty one.
pub async fn many(place: &Path, messages: u64, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let (empty, full) = (place.join("record-0"), place.join(format!("record-{messages}")));
    let (a, b) = (empty.clone(), full.clone());
    tokio::task::spawn_blocking(move || fill(&a, 0).and_then(|()| fill(&b, messages))).await??;
    let of_empty = Process::start(&empty)?;
    let start = Instant::now();
    let node = Process::start(&full)?;
    let took = start.elapsed().as_secs_f64();
    tokio::time::sleep(REST).await;
    let more = node.rss_bytes()? as f64 - of_empty.rss_bytes()? as f64;
    drop(of_empty);
    let large = messages >= 1_000_000;
    let name = |small, of_large| if large { of_large } else { small };
    report(row(name("up_100k_filed", "up_1m_filed"), took, "s", Some((0.3, "goal"))));
    let name_rss = name("rss_100k_filed", "rss_1m_filed");
    report(row(name_rss, more / f64::from(1 << 20), "MiB", Some((20.0, "goal, over an empty home"))));
    let client = Client::new(Home::open_or_create(Some(&full))?.socket_path());
    let who = Ticket::new(writer(1).node(), [], None).to_string();
    let talk = Listing::Talk {
        who,
        limit: Some(20),
        before: None,
        after: None,
        thread: None,
        unread: false,
        from_unread: None,
        glance: false,
    };
    let inbox = Listing::Inbox { unread: false, limit: Some(20), text_chars: None, show: Show::Waiting };
    for (name, listing) in [(name("talk_100k", "talk_1m"), talk), (name("inbox_100k", "inbox_1m"), inbox)] {
        let mut times = Vec::with_capacity(LOOKS);
        for _ in 0..LOOKS {
            let start = Instant::now();
            let rows = client.list(&listing).await?.count().await;
            if rows != 20 {
                return Err(format!("{name} gave {rows} rows").into());
            }
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        report(row(name, times[LOOKS / 2], "ms", Some((15.0, "goal, the last 20 rows"))));
    }
    let search = |n: u64| Listing::Search { q: query(n, messages), limit: Some(20) };
    let start = Instant::now();
    client.list(&search(0)).await?.count().await;
    let took = start.elapsed().as_secs_f64();
    report(row(name("search_first_100k", "search_first_1m"), took, "s", Some((messages as f64 / 1e4, "goal"))));
    let mut times = Vec::with_capacity(LOOKS);
    for n in 0..LOOKS as u64 {
        let start = Instant::now();
        let rows = client.list(&search(n)).await?.count().await;
        if rows == 0 {
            return Err(format!("nothing was found for {}", query(n, messages)).into());
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    report(row(name("search_100k", "search_1m"), times[LOOKS / 2], "ms", Some((20.0, "goal, the best 20 rows"))));
    let texts: u64 = (0..messages).map(|n| text(n).len() as u64).sum();
    let share = bytes_in(&Home::find(Some(&full))?.search_path())? as f64 / texts as f64;
    report(row(name("index_share_100k", "index_share_1m"), share, "", Some((1.0 / 3.0, "goal, of the texts"))));
    drop(node);
    std::fs::remove_dir_all(&full)?;
    Ok(())
}

fn writer(n: u64) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(blake3::hash(&n.to_be_bytes()).as_bytes())
}

/// Makes a home whose owner got so many messages of about 200 bytes.
fn fill(dir: &Path, messages: u64) -> Result<(), Failure> {
    let home = Home::open_or_create(Some(dir))?;
    let (identity, _) = Identity::load_or_create(&home.identity_path())?;
    let mut store = RedbStore::open(&home.store_path(), StoreOptions::default())?;
    let destination = Eid::mail(identity.node());
    let sample = Arc::new(bundles(&writer(0), identity.node(), 1)?.remove(0));
    let writers: Vec<_> = (0..WRITERS).map(|n| writer(n).node()).collect();
    for start in (0..messages).step_by(CHUNK as usize) {
        let mut changes = Vec::new();
        for n in start..messages.min(start + CHUNK) {
            let source = writers[(n % WRITERS) as usize];
            let id = BundleId(*blake3::hash(&n.to_le_bytes()).as_bytes());
            let row = RecordRow(n + 1);
            let letter = Letter {
                row,
                id,
                source,
                destination: destination.clone(),
                creation: Creation { time: DtnTime(840_000_000_000 + n), sequence: n },
                lifetime: DAY,
                priority: Priority::Normal,
                size_bytes: 700,
                received: Moment { now: Timestamp(n), wall: DtnTime(840_000_000_000 + n) },
                from: source,
                hops: Hops::default(),
                read: true,
                told: false,
            };
            let content = Content::from(Text { body: text(n), ..Text::default() }).encode();
            changes.push(Change::Deliver { letter, bundle: Arc::clone(&sample) });
            changes.push(Change::File { row, filed: Arc::new(Filed { key: KeyUsed::Identity, content, seal: None }) });
        }
        store.commit(&changes)?;
    }
    Ok(())
}

/// A query that finds something: words, some in their order, the beginning of one, of one writer.
fn query(n: u64, messages: u64) -> String {
    let said = text(n * (messages / LOOKS as u64));
    let words: Vec<&str> = said.split(' ').collect();
    match n % 4 {
        0 => words[0].into(),
        1 => format!("{} {}", words[1], words[2]),
        2 => format!("\"{} {} {}\"", words[3], words[4], words[5]),
        _ => format!("{}* {}", &words[6][..3], words[7]),
    }
}

fn bytes_in(place: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(place)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// About 200 bytes of words that differ from message to message.
fn text(n: u64) -> String {
    const WORDS: [&str; 16] = [
        "pump", "camp", "river", "bridge", "water", "radio", "tomorrow", "north", "supplies", "engine", "doctor",
        "road", "harbour", "signal", "battery", "weather",
    ];
    let dice = *blake3::hash(&n.to_be_bytes()).as_bytes();
    let words = dice.iter().map(|byte| WORDS[usize::from(byte % 16)]);
    format!("{n} {}", words.collect::<Vec<_>>().join(" "))
}
