//! A disk that fills up under a running node and is freed again: nothing acknowledged is lost, nobody restarts anything.
//!
//! The disk is a small tmpfs in a mount namespace of the test's own, so the test runs itself again in there.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dak::api::client::Client;
use dak::api::model::{Request, Response};
use dak::frame::Refusal;
use dak::id::NodeId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;

use crate::giver::{Answer, Giver};
use crate::kills::write;
use crate::ledger::{Ledger, Source};
use crate::person::Person;
use crate::{PATIENCE, is_full, seed};

/// Says to the test that it is inside, and where the small disk is.
const INSIDE: &str = "DAK_CRASH_DISK";
const DISK: &str = "size=64m";
const MOUNT: &str = "mount -t tmpfs -o \"$1\" tmpfs \"$0\"";
/// Bundles offered at a time.
const OFFERED: u64 = 60;
/// The disk is full for so long at most, in milliseconds; nodes ask a disk at most once a second what it has left.
const FULL_MS_MAX: u32 = 1_500;

#[test]
fn a_full_disk_loses_nothing_acknowledged_and_is_over_without_a_restart() {
    if let Some(place) = std::env::var_os(INSIDE) {
        return Cycles::begin(PathBuf::from(place)).run(if is_full() { 50 } else { 3 });
    }
    let place = tempfile::tempdir().unwrap();
    let namespace = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--map-root-user", "sh", "-c"]).stdin(Stdio::null());
        unshare
    };
    let allowed = namespace().arg(MOUNT).arg(place.path()).arg(DISK).output();
    if !allowed.as_ref().is_ok_and(|tried| tried.status.success()) {
        return println!("not checked: this machine lets nobody mount a small disk of his own: {allowed:?}");
    }
    let test = "full::a_full_disk_loses_nothing_acknowledged_and_is_over_without_a_restart";
    let mut inside = namespace();
    inside.arg(format!("{MOUNT} && shift && exec \"$@\"")).arg(place.path()).arg(DISK);
    inside.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let output = inside.env(INSIDE, place.path()).env("TMPDIR", place.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    print!(
        "{}",
        said.lines().filter(|line| line.contains("cycles")).map(|line| format!("{line}\n")).collect::<String>()
    );
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "the test ran inside: {said}");
}

/// A node on a small disk, and those who fill it.
struct Cycles {
    disk: PathBuf,
    carol: Person,
    client: Client,
    node: NodeId,
    address: String,
    random: ChaCha8Rng,
    ledger: Ledger,
    for_others: Source,
    recipient: Source,
    /// Contacts that the node ended, which it does where a commit failed.
    parted: usize,
    /// Bundles refused for want of space.
    refused: usize,
    slowest: Duration,
}

impl Cycles {
    fn begin(disk: PathBuf) -> Cycles {
        let mut carol = Person::new("carol");
        let ready = carol.up("");
        let (listen, peer_id) = (ready["listen"][0].as_str().unwrap(), ready["peer_id"].as_str().unwrap());
        let node = NodeId::from_peer_id(peer_id).unwrap();
        let mut recipient = Source::new(52, node);
        let for_others = Source::new(51, recipient.node());
        recipient.to = for_others.node();
        Cycles {
            disk,
            client: Client::new(carol.home().join("run/dak.sock")),
            node,
            address: format!("{listen}/p2p/{peer_id}"),
            carol,
            random: ChaCha8Rng::seed_from_u64(seed()),
            ledger: Ledger::default(),
            for_others,
            recipient,
            parted: 0,
            refused: 0,
            slowest: Duration::ZERO,
        }
    }

    fn run(mut self, cycles: usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let pid = runtime.block_on(self.pid());
        for cycle in 0..cycles {
            runtime.block_on(self.cycle());
            if cycle % 10 == 9 {
                self.ledger.check(&self.carol);
            }
        }
        assert_eq!(runtime.block_on(self.pid()), pid, "it is the same process");
        let looked_at = self.ledger.check(&self.carol);
        // A node that dies on a full disk can be started there: it serves, and what it deletes makes room.
        let ballast = Ballast::beside(&self.disk);
        fill(&ballast.path);
        self.carol.signal(Signal::KILL);
        fill(&ballast.path);
        self.carol.up("");
        self.ledger.check(&self.carol);
        drop(ballast);
        assert_eq!(self.carol.down(), Some(0));
        let sound = self.carol.run("doctor");
        assert_eq!(sound.code, 0, "{} {}", sound.data, sound.talk);
        assert!(self.parted + self.refused > 0, "the disk was never full");
        println!(
            "{cycles} cycles of a full disk, {looked_at} bundles acknowledged, 0 lost; {} contacts ended by a failed \
             commit, {} bundles refused for want of space, slowest recovery {:.2} s",
            self.parted,
            self.refused,
            self.slowest.as_secs_f64()
        );
    }

    fn below(&mut self, end: u32) -> u64 {
        u64::from(self.random.next_u32() % end)
    }

    async fn pid(&self) -> u32 {
        match self.client.call(&Request::Health).await {
            Ok(Response::Health(health)) => health.pid,
            other => panic!("the node answers {other:?}"),
        }
    }

    /// Fills the disk under the work, goes on working, frees it, and works until something is accepted.
    async fn cycle(&mut self) {
        let ballast = Ballast::beside(&self.disk);
        let (fill_after, full_for) = (self.below(60), self.below(FULL_MS_MAX));
        let filled = ballast.path.clone();
        let filling = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(fill_after));
            fill(&filled);
            Instant::now()
        });
        let mut full_since = None;
        let mut filling = Some(filling);
        while full_since.is_none_or(|since: Instant| since.elapsed() < Duration::from_millis(full_for)) {
            self.offer().await;
            if filling.as_ref().is_some_and(tokio::task::JoinHandle::is_finished) {
                full_since = Some(filling.take().expect("just looked at").await.unwrap());
            }
        }
        // Its owner is answered all the same.
        let written = write(&self.client, &self.for_others.to.peer_id(), 2).await;
        self.ledger.own.extend(written);
        assert!(matches!(self.client.call(&Request::Carry).await, Ok(Response::Carry(_))));
        drop(ballast);
        let freed = Instant::now();
        while self.offer().await == 0 {
            assert!(freed.elapsed() < PATIENCE, "it never took anything again");
        }
        self.slowest = self.slowest.max(freed.elapsed());
    }

    /// Hands over what had no answer, something new, and at times a receipt. Says how many were accepted.
    async fn offer(&mut self) -> usize {
        let open = self.ledger.open.len() as u64;
        let mut fresh = self.for_others.bundles(OFFERED.saturating_sub(open));
        if self.below(8) == 0 {
            let arrived: Vec<_> = self.ledger.carried.iter().copied().step_by(7).take(20).collect();
            if !arrived.is_empty() {
                fresh.push(self.recipient.receipt(self.for_others.node(), arrived));
            }
        }
        self.ledger.offer(&fresh);
        let offered: Vec<_> = self.ledger.open.values().cloned().collect();
        let Some(mut giver) = Giver::meet([60; 32], &self.address).await else { return 0 };
        let (ledger, node, refused) = (&mut self.ledger, self.node, &mut self.refused);
        let mut accepted = 0;
        let all = giver.hand_over(&offered, |id, answer| {
            accepted += usize::from(matches!(answer, Answer::Accepted(_)));
            *refused += usize::from(answer == Answer::Refused(Refusal::Space));
            ledger.note(node, id, answer);
        });
        self.parted += usize::from(!all.await);
        giver.leave().await;
        accepted
    }
}

/// What takes all the room that a disk has left, until it is dropped.
struct Ballast {
    path: PathBuf,
}

impl Ballast {
    fn beside(disk: &Path) -> Ballast {
        Ballast { path: disk.join("ballast") }
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes until nothing more fits, not even a byte.
fn fill(path: &Path) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for size in [1 << 20, 4_096, 1] {
        let piece = vec![0x55; size];
        while file.write(&piece).is_ok_and(|written| written > 0) {}
    }
}
