//! A large file between two nodes that are in contact: each a process of its own, as people run them.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::cast::PATIENCE;
use super::limits::Limits;
use super::process::Process;
use super::{Failure, Row, row};
use crate::content::{PART_BYTES, parts_of};
use crate::mail::files::Parts;

/// How often it is looked whether all of the file came; a look reads a few hundred bytes.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes from which the limit is measured.
const SAMPLE_BYTES: u64 = 64 << 20;
/// Bytes that are synced together where the limit is measured.
const SYNC_BYTES: u64 = 16 << 20;

/// What nothing could be faster than: reading, verifying, writing with syncs, and the loopback, one after the other.
struct AtBest {
    read: f64,
    verified: f64,
    written: f64,
    moved: f64,
}

/// From the recipient's request until the last part is durable there.
pub async fn file(place: &Path, bytes: u64, limits: &Limits, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let (place, stream) = (place.join("parts"), limits.stream);
    let measured = tokio::task::spawn_blocking(move || measure(&place, bytes, stream));
    let (took, at_best, memory) = measured.await??;
    let rate = |seconds: f64| bytes as f64 / seconds / 1e6;
    let best = rate(at_best.read + at_best.verified + at_best.written + at_best.moved);
    report(row("file_in_parts", rate(took), "MB/s", Some((best, "read + verify + write with sync + loopback"))));
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    report(row("file_rss_sender", mib(memory[0]), "MiB", Some((96.0, "goal, at most"))));
    report(row("file_rss_recipient", mib(memory[1]), "MiB", Some((96.0, "goal, at most"))));
    Ok(())
}

fn measure(place: &Path, bytes: u64, stream: f64) -> Result<(f64, AtBest, [u64; 2]), Failure> {
    std::fs::create_dir(place)?;
    let (film, homes) = (place.join("film"), [place.join("alice"), place.join("bob")]);
    fill(&film, bytes)?;
    let bob = Process::start(&homes[1])?;
    let (bobs, at) = bob.addresses()?;
    let alice = Process::start_near(&homes[0], Some(at))?;
    dak(&homes[0], &["contact", "add", "bob", bobs])?;
    dak(&homes[1], &["contact", "add", "alice", alice.addresses()?.0])?;
    let name = film.to_str().ok_or("the directory has a name that is no text")?;
    let sent: serde_json::Value = serde_json::from_str(&dak(&homes[0], &["send", "bob", "-f", name, "--json"])?)?;
    let id = sent["id"].as_str().ok_or("the message has no id")?[..10].to_owned();
    wait(PATIENCE, || Ok(dak(&homes[1], &["file", "--json"])?.contains("\"offered\"")))?;
    let start = Instant::now();
    dak(&homes[1], &["file", "get", &id])?;
    wait(PATIENCE * (1 + (bytes >> 28) as u32), || is_whole(&homes[1], bytes))?;
    let took = start.elapsed().as_secs_f64();
    let memory = [alice.rss_bytes_max()?, bob.rss_bytes_max()?];
    drop((alice, bob));
    let at_best = at_best(&film, place, bytes, stream)?;
    std::fs::remove_dir_all(place)?;
    Ok((took, at_best, memory))
}

fn fill(path: &Path, bytes: u64) -> Result<(), Failure> {
    let (mut file, mut hasher) = (File::create(path)?, blake3::Hasher::new());
    let (mut noise, mut left) = (hasher.update(b"film").finalize_xof(), bytes);
    let mut buffer = vec![0; PART_BYTES];
    while left > 0 {
        let many = (buffer.len() as u64).min(left) as usize;
        noise.fill(&mut buffer[..many]);
        file.write_all(&buffer[..many])?;
        left -= many as u64;
    }
    file.sync_all()?;
    Ok(())
}

/// Runs a command on a home as a person would.
fn dak(home: &Path, args: &[&str]) -> Result<String, Failure> {
    let ran = Command::new(std::env::current_exe()?).arg("--home").arg(home).args(args).output()?;
    match ran.status.success() {
        true => Ok(String::from_utf8(ran.stdout)?),
        false => Err(format!("{args:?}: {}", String::from_utf8_lossy(&ran.stderr)).into()),
    }
}

fn wait(patience: Duration, mut is_so: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let until = Instant::now() + patience;
    while !is_so()? {
        if Instant::now() > until {
            return Err("the file did not arrive".into());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Whether all parts of the only file of a home are durable there: to ask its node would take its time.
fn is_whole(home: &Path, bytes: u64) -> Result<bool, Failure> {
    let Some(have) = have_of(home)? else { return Ok(false) };
    let Some((_, bits)) = have.split_first_chunk::<8>() else { return Ok(false) };
    Ok(Parts::read(parts_of(bytes), bits).is_all())
}

fn have_of(home: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let Ok(files) = std::fs::read_dir(home.join(crate::node::FILES)) else { return Ok(None) };
    let places: Vec<PathBuf> =
        files.map(|file| Ok(file?.path().join("have"))).collect::<Result<_, std::io::Error>>()?;
    Ok(places.first().and_then(|place| std::fs::read(place).ok()))
}

/// How long so many bytes take at best, step by step.
fn at_best(film: &Path, place: &Path, bytes: u64, stream: f64) -> Result<AtBest, Failure> {
    let mut sample = Vec::new();
    let start = Instant::now();
    File::open(film)?.take(SAMPLE_BYTES.min(bytes)).read_to_end(&mut sample)?;
    let read = start.elapsed().as_secs_f64();
    let start = Instant::now();
    std::hint::black_box(blake3::hash(&sample));
    let verified = start.elapsed().as_secs_f64();
    let mut file = File::create(place.join("written"))?;
    let start = Instant::now();
    for some in sample.chunks(SYNC_BYTES as usize) {
        file.write_all(some)?;
        file.sync_data()?;
    }
    let written = start.elapsed().as_secs_f64();
    let scale = bytes as f64 / sample.len() as f64;
    Ok(AtBest {
        read: read * scale,
        verified: verified * scale,
        written: written * scale,
        moved: bytes as f64 / stream,
    })
}
