//! What a run costs: processor, wall clock and memory; and how far it is.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer, SigningKey};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sim::report::Json;
use crate::sim::run::Progress;
use crate::sim::world::Threads;

/// Started with the work that it measures.
pub struct Gauge {
    threads: Threads,
    since: Instant,
    cpu: Duration,
}

/// What the work took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Of all threads that the work may take.
    pub cpu: Duration,
    pub wall: Duration,
    /// Most memory the process ever had.
    pub peak_bytes: Option<u64>,
}

impl Gauge {
    pub fn start(threads: Threads) -> Gauge {
        Gauge { threads, since: Instant::now(), cpu: cpu(threads) }
    }

    pub fn read(&self) -> Cost {
        let cpu = cpu(self.threads).saturating_sub(self.cpu);
        Cost { cpu, wall: self.since.elapsed(), peak_bytes: peak_bytes() }
    }
}

impl Cost {
    pub fn events_per_second(&self, events: u64) -> u64 {
        (events as f64 / self.cpu.as_secs_f64().max(1e-6)) as u64
    }

    /// `timing.json`: the one file that may differ between equal runs.
    pub fn json(&self, events: u64) -> String {
        Json::default()
            .number("cpu_seconds", format_args!("{:.3}", self.cpu.as_secs_f64()))
            .number("wall_seconds", format_args!("{:.3}", self.wall.as_secs_f64()))
            .number_or_null("peak_memory_bytes", self.peak_bytes)
            .number("events", events)
            .number("events_per_second", self.events_per_second(events))
            .finish()
    }
}

fn cpu(threads: Threads) -> Duration {
    let clock = match threads {
        Threads::One => rustix::time::ClockId::ThreadCPUTime,
        Threads::Pool => rustix::time::ClockId::ProcessCPUTime,
    };
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.max(0) as u32)
}

/// CPU time that a signature takes on this machine: made once, verified once, as for every bundle of a run.
pub fn signature_cost() -> Duration {
    const ROUNDS: u32 = 512;
    let key = SigningKey::from_bytes(&[7; 32]);
    // What a short bundle signs is about so long.
    let mut message = [0; 300];
    let start = cpu(Threads::One);
    for round in 0..ROUNDS {
        message[..4].copy_from_slice(&round.to_be_bytes());
        let signature = key.sign(&message);
        assert!(key.verifying_key().verify_strict(&message, &signature).is_ok(), "a signature just made is a good one");
    }
    cpu(Threads::One).saturating_sub(start) / ROUNDS
}

/// Linux says it in kilobytes; elsewhere it stays unknown.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// A bar on a terminal, nothing elsewhere.
pub struct Bar(ProgressBar);

/// The bar that is on the terminal now.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Takes the bar from the terminal of a process that is interrupted.
pub fn put_away() {
    if let Some(bar) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

impl Bar {
    pub fn new(quiet: bool) -> Bar {
        let target = match quiet || !io::stderr().is_terminal() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let form = "{wide_bar} {percent:>3}%  {msg}  {eta} left";
        let style = ProgressStyle::with_template(form).expect("the form is a good one");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Bar(bar)
    }

    pub fn at(&self, progress: Progress) {
        if self.0.is_hidden() {
            return;
        }
        let seconds = progress.now_us / 1_000_000;
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let rate = progress.events as f64 / self.0.elapsed().as_secs_f64().max(1e-3);
        self.0.set_length(progress.end_us);
        self.0.set_position(progress.now_us);
        let (events, rate) = (HumanCount(progress.events), HumanCount(rate as u64));
        let day = if days > 0 { format!("{days} d ") } else { String::new() };
        self.0.set_message(format!("{day}{hours:02}:{minutes:02}  {events} events, {rate}/s"));
    }

    /// Runs of a sweep.
    pub fn count(&self, made: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(made as u64);
        self.0.set_message(format!("{made} of {of} runs"));
    }

    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
