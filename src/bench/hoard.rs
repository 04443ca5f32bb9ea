//! A node that holds much for somebody who is away: what it takes, idle, and how soon it is back after kill -9.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cast::{bundles, hello, key};
use super::process::Process;
use super::{Failure, Row, row};
use crate::agent::{Agent, Config, Input, Mailboxes, Output};
use crate::bundle::Signer;
use crate::driver::{Driver, Plain};
use crate::frame::Transit;
use crate::home::Home;
use crate::keys::Identity;
use crate::store::Store;
use crate::store::redb::{RedbStore, StoreOptions};
use crate::time::{DtnTime, Moment, Timestamp};

/// Bundles signed and committed together.
const CHUNK: usize = 10_000;

/// A node is watched for so long while it has nothing to do.
pub async fn idle(place: &Path, count: usize, watch: Duration, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let dir = place.join(format!("hoard-{count}"));
    let home = dir.clone();
    tokio::task::spawn_blocking(move || fill(&home, count)).await??;
    let mut node = Process::start(&dir)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = node.cpu_seconds()?;
    let start = Instant::now();
    tokio::time::sleep(watch).await;
    let share = (node.cpu_seconds()? - before) / start.elapsed().as_secs_f64() * 100.0;
    let large = count >= 1_000_000;
    let name = if large { "idle_cpu_1m" } else { "idle_cpu_10k" };
    report(row(name, share, "% of a core", Some((0.1, "goal"))));
    let goal = if large { 200.0 } else { 25.0 };
    let name = if large { "idle_rss_1m" } else { "idle_rss_10k" };
    report(row(name, node.rss_bytes()? as f64 / f64::from(1 << 20), "MiB", Some((goal, "goal"))));
    node.kill()?;
    let start = Instant::now();
    let node = Process::start(&dir)?;
    let name = if large { "restart_after_kill_1m" } else { "restart_after_kill_10k" };
    report(row(name, start.elapsed().as_secs_f64(), "s", Some((2.0, "goal"))));
    drop(node);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Makes a home whose store holds bundles for a node that never comes.
fn fill(dir: &Path, count: usize) -> Result<(), Failure> {
    let home = Home::open_or_create(Some(dir))?;
    let (identity, _) = Identity::load_or_create(&home.identity_path())?;
    std::fs::write(home.config_path(), "carry_limit = \"64G\"\n")?;
    let mut store = RedbStore::open(&home.store_path(), StoreOptions::default())?;
    let config = Config { carry_bytes_max: 64 << 30, ..Config::default() };
    let mailboxes = Mailboxes::own(identity.signer());
    let agent = Agent::restore(identity.node(), mailboxes, config, [1; 32], store.durable()?);
    let mut driver = Driver::new(agent, Plain::default());
    let (peer, absent) = (key(31).node(), key(201).node());
    let at = Moment { now: Timestamp(1), wall: DtnTime(0) };
    driver.take(at, Input::ContactUp { peer });
    driver.take(at, Input::Frame { from: peer, frame: hello([3; 16]) });
    let mut sequence = 0;
    while sequence < count {
        let n = CHUNK.min(count - sequence);
        // One source a chunk, so that its sequence numbers start afresh.
        let source = ed25519_dalek::SigningKey::from_bytes(blake3::hash(&(sequence as u64).to_be_bytes()).as_bytes());
        for bundle in bundles(&source, absent, n)? {
            let (transit, size_bytes) = (Transit::default(), bundle.encoded_len() as u32);
            driver.take(at, Input::Bundle { from: peer, transit, bundle: Arc::new(bundle), size_bytes });
            driver.run_all_due(at);
        }
        sequence += n;
        commit(&mut store, driver.flush())?;
    }
    driver.take(at, Input::ContactDown { peer });
    commit(&mut store, driver.flush())
}

/// Commits a batch; of its acts none has anybody to hear of it.
fn commit(store: &mut RedbStore, batch: Vec<Output>) -> Result<(), Failure> {
    let changes: Vec<_> = batch
        .into_iter()
        .filter_map(|output| if let Output::Commit(change) = output { Some(change) } else { None })
        .collect();
    for changes in changes.chunks(4_096) {
        store.commit(changes)?;
    }
    Ok(())
}
