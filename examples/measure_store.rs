//! Measures the store on this machine: `cargo run --example measure_store [records] [group]`.
//!
//! Bundles are those of sealed 1 KiB texts. A child process fills the store, says so, and is killed; what opening takes
//! afterwards is part of the figures.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use dak::agent::change::{Change, Class, Held, Row};
use dak::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority};
use dak::eid::Eid;
use dak::frame::Grade;
use dak::id::NodeId;
use dak::store::Store;
use dak::store::redb::{RedbStore, StoreOptions};
use dak::time::{DtnTime, Millis, Timestamp};
use ed25519_dalek::SigningKey;

/// What a sealed text of 1 KiB makes of a payload: padded to 1,088 bytes, and 55 of envelope.
const PAYLOAD_BYTES: usize = 1_143;
/// Distinct bundles; signing a million would measure signing.
const BUNDLES: u64 = 4_096;

fn main() {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    if first.as_deref() == Some("fill") {
        let numbers: Vec<u64> = args.by_ref().take(2).map(|arg| arg.parse().unwrap()).collect();
        return fill(Path::new(&args.next().unwrap()), numbers[0], numbers[1] as usize);
    }
    let records: u64 = first.map_or(100_000, |arg| arg.parse().expect("a number of records"));
    let group: u64 = args.next().map_or(256, |arg| arg.parse().expect("a number of records"));
    let dir = tempfile::tempdir_in(".").unwrap();
    let path = dir.path().join("store.redb");

    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["fill", &records.to_string(), &group.to_string(), path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line == "filled" {
            break;
        }
        println!("{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reopen(&path, records);
}

fn fill(path: &Path, records: u64, group: usize) {
    let bundles = bundles();
    let mut store = RedbStore::open(path, StoreOptions::default()).unwrap();
    let changes: Vec<Change> = (0..records).map(|row| hold(row, &bundles[(row % BUNDLES) as usize])).collect();
    let (written, syncs) = (store.traffic().written_bytes(), store.traffic().syncs());
    let before = process_written_bytes();
    let start = Instant::now();
    changes.chunks(group).for_each(|batch| store.commit(batch).unwrap());
    let seconds = start.elapsed().as_secs_f64();

    let per = |bytes: u64| bytes / records;
    println!("{records} records of {} bytes, {group} a commit", bundles[0].encoded_len());
    println!("  {:.0} records/s", records as f64 / seconds);
    println!("  {} bytes written a record by redb", per(store.traffic().written_bytes() - written));
    println!("  {} bytes written a record by the process", per(process_written_bytes() - before));
    println!("  {:.2} syncs a commit", (store.traffic().syncs() - syncs) as f64 / (records as f64 / group as f64));
    let (live, allocated) = (store.live_bytes().unwrap(), store.allocated_bytes().unwrap());
    println!(
        "  a record: {} bytes live, {} on the disk, {} of file",
        per(live),
        per(allocated),
        per(store.file_bytes())
    );
    println!("filled");
    std::io::stdout().flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

fn reopen(path: &Path, records: u64) {
    let timed = |what: &str, start: Instant| println!("  {what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let store = RedbStore::open(path, StoreOptions::default()).unwrap();
    timed("open after kill", start);
    drop(store);
    println!("  closed: {} bytes of file a record", std::fs::metadata(path).unwrap().len() / records);
    let mut store = RedbStore::open(path, StoreOptions::default()).unwrap();
    let rss = resident_bytes();
    let start = Instant::now();
    let mut count = 0;
    store.each_held(|held| count += u64::from(held.size_bytes > 0)).unwrap();
    timed("every fact, one by one", start);
    println!("  memory for that: {} KiB", (resident_bytes() - rss) / 1024);
    assert_eq!(count, records);
    let start = Instant::now();
    let durable = store.durable().unwrap();
    timed("durable()", start);
    println!("  memory for that: {} KiB", (resident_bytes() - rss) / 1024);
    drop(durable);

    let rows: Vec<Row> = (0..records.min(10_000)).map(Row).collect();
    let start = Instant::now();
    let bodies = store.reader().bodies(&rows).unwrap();
    timed(&format!("{} bodies in one read", rows.len()), start);
    assert!(bodies.iter().all(Option::is_some));

    let start = Instant::now();
    let forget: Vec<Change> = (0..records).step_by(2).map(|row| Change::Forget { row: Row(row) }).collect();
    forget.chunks(256).for_each(|batch| store.commit(batch).unwrap());
    timed("half of them forgotten", start);
    let forget: Vec<Change> = (0..records).map(|row| Change::Forget { row: Row(row) }).collect();
    forget[..forget.len() * 9 / 10].chunks(256).for_each(|batch| store.commit(batch).unwrap());
    let start = Instant::now();
    println!("  compacted: {:?}", store.compact_if_idle());
    timed("compacting", start);
    println!("  file {} live {}", store.file_bytes(), store.live_bytes().unwrap());
}

fn bundles() -> Vec<Arc<Bundle>> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let node = |seed| NodeId::from_key(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap();
    let bundle = |sequence: u64| {
        let draft = Draft {
            kind: Kind::Message,
            source: node(7),
            destination: Eid::mail(node(8)),
            creation: Creation { time: DtnTime(820_454_400_000 + sequence), sequence },
            lifetime: Millis(3 * 86_400_000),
            priority: Priority::Normal,
            copies: 8,
        };
        let payload: Vec<u8> = (0..PAYLOAD_BYTES).map(|at| (at as u64 ^ sequence) as u8).collect();
        Arc::new(draft.sign(&payload, &key).unwrap())
    };
    (0..BUNDLES).map(bundle).collect()
}

fn hold(row: u64, bundle: &Arc<Bundle>) -> Change {
    let held = Held {
        row: Row(row),
        id: bundle.id,
        kind: bundle.kind,
        source: bundle.source,
        destination: bundle.destination.clone(),
        lifetime: bundle.lifetime,
        accepted_at: Timestamp(row),
        hops: Hops::default(),
        expires: Timestamp(row + 1),
        size_bytes: bundle.encoded_len() as u32,
        class: Class::Contacts,
        priority: bundle.priority,
        grade: Grade::Custody,
        copies: 8,
        from: Some(bundle.source),
    };
    Change::Hold { held, bundle: Arc::clone(bundle) }
}

fn process_written_bytes() -> u64 {
    proc_number("/proc/self/io", "write_bytes:")
}

fn resident_bytes() -> u64 {
    proc_number("/proc/self/status", "VmHWM:") * 1024
}

fn proc_number(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
