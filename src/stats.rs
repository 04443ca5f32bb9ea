//! Figures over time: whom a node met, what it moved and what it holds, in one file that never grows.
//!
//! A sample says what one span came to. It is kept twice: in the five minutes that it ends in, for a day, and in the hour,
//! for thirty days. Both are rings of slots in a file of fixed size beside the store, so old figures make way by
//! being written over, and a sample costs two small writes that nothing waits for: a power cut may take the last of them,
//! and whatever a disk makes of a slot is left out when its checksum says so.
//!
//! Time here is a count of milliseconds of its own that only goes forward: by the clock that no one sets while the node
//! runs, and between two runs by as much as the wall clock went on. So a clock that is set back or forward moves no
//! figure before another. Times of the wall are reckoned back from now when somebody looks.

mod file;
mod ring;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use self::file::StatsFile;
use self::ring::Ring;
use crate::time::{BUILD_DATE, DAY, DtnTime, HOUR, MINUTE, Millis, Timestamp};

/// A span of the recent figures.
pub const SHORT: Millis = MINUTE.times(5);
/// A span of the older ones.
pub const LONG: Millis = HOUR;
/// Samples of five minutes: a day.
pub const SHORT_SAMPLES_MAX: usize = 288;
/// Samples of an hour: thirty days.
pub const LONG_SAMPLES_MAX: usize = 720;
/// Longer than this a node was not off, as far as figures go: what is older than that is shown to nobody.
const OFF_MAX: Millis = DAY.times(30);

/// What counts up from the start of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Contacts that began.
    pub contacts: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// What is so at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Messages that wait for their recipients: one's own, and those in custody for others.
    pub backlog: u64,
    /// Messages held in all.
    pub held: u64,
    pub held_bytes: u64,
    /// What the store takes on the disk.
    pub store_bytes: u64,
}

/// What one span came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When it ended.
    pub end: Timestamp,
    pub span: Millis,
    /// Within the span.
    pub moved: Totals,
    /// At its end.
    pub levels: Levels,
}

/// A sample, and the wall's time of its end where there is a clock to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    pub at: Option<DtnTime>,
    pub sample: Sample,
}

/// What the clocks of the machine show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since the machine started, sleep included.
    pub boot: Millis,
    pub wall: DtnTime,
}

/// The figures of one home.
pub struct Stats {
    /// None where nothing can be written, or nothing should.
    file: Option<StatsFile>,
    short: Ring,
    long: Ring,
    /// When this run began, in the time of the figures and on the machine's clock.
    start: Timestamp,
    begun: Millis,
    /// Up to here figures were kept.
    kept_to: Timestamp,
    /// What had come together by then.
    counted: Totals,
}

impl Reading {
    pub fn now() -> Reading {
        let time = clock_gettime(ClockId::Boottime);
        let boot = Millis(time.tv_sec as u64 * 1_000 + time.tv_nsec as u64 / 1_000_000);
        let unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        Reading { boot, wall: DtnTime::from_unix_ms(unix_ms) }
    }

    fn trusted_wall(&self) -> Option<DtnTime> {
        (self.wall >= BUILD_DATE).then_some(self.wall)
    }
}

impl Stats {
    /// Goes on from what the file has. What cannot be read or written is no reason to be without a node: the figures
    /// begin anew, or last as long as the run.
    pub fn open(path: &Path, may_write: bool, now: Reading) -> Stats {
        let (mut short, mut long) = (Ring::new(SHORT, SHORT_SAMPLES_MAX), Ring::new(LONG, LONG_SAMPLES_MAX));
        let (file, kept) = file::open(path, may_write).unwrap_or_else(|error| {
            tracing::warn!(%error, "figures over time are not kept");
            (None, Vec::new())
        });
        let mut last: Option<(Timestamp, DtnTime)> = None;
        for slot in kept {
            let ring = if slot.is_long { &mut long } else { &mut short };
            ring.load(slot.sample);
            last = last.max(Some((slot.sample.end, slot.wall)));
        }
        let start = last.map_or(Timestamp::default(), |(end, wall)| end + off_for(wall, now));
        Stats { file, short, long, start, begun: now.boot, kept_to: start, counted: Totals::default() }
    }

    /// How long it is until the next sample is due.
    pub fn due(&self, now: Reading) -> Millis {
        let at = self.time(now);
        Millis(SHORT.0 - at.0 % SHORT.0)
    }

    /// Keeps what the time since the last sample came to.
    pub fn keep(&mut self, now: Reading, totals: Totals, levels: Levels) {
        let sample = self.since_kept(now, totals, levels);
        (self.kept_to, self.counted) = (sample.end, totals);
        if sample.span.0 == 0 {
            return;
        }
        let slots = [(false, self.short.add(sample)), (true, self.long.add(sample))];
        let Some(file) = &mut self.file else { return };
        for (is_long, (slot, sample)) in slots {
            if let Err(error) = file.write(is_long, slot, sample, now.wall) {
                // It may be the disk that is full: the next one may be kept again.
                tracing::debug!(%error, "a sample of the figures is not kept");
            }
        }
    }

    /// Every sample that is kept, the oldest first: by the hour, and those of the last day by five minutes. The last one
    /// is what came since, where the node says what that is.
    pub fn samples(&self, now: Reading, so_far: Option<(Totals, Levels)>) -> Vec<Dated> {
        let at = self.time(now);
        let day_ago = Millis(SHORT.0 * SHORT_SAMPLES_MAX as u64);
        // A whole hour, so that nothing is shown twice.
        let recent = Timestamp(at.0.saturating_sub(day_ago.0).div_ceil(LONG.0) * LONG.0);
        let oldest = Timestamp(at.0.saturating_sub(OFF_MAX.0));
        let old = self.long.samples().filter(|sample| sample.end <= recent && sample.end > oldest);
        let new = self.short.samples().filter(|sample| sample.end > recent);
        let since = so_far.map(|(totals, levels)| self.since_kept(now, totals, levels));
        let wall = now.trusted_wall();
        let dated = |sample: Sample| {
            let at = wall.map(|wall| DtnTime(wall.0.saturating_sub(at.since(sample.end).0)));
            Dated { at, sample }
        };
        old.chain(new).chain(since).map(dated).collect()
    }

    fn since_kept(&self, now: Reading, totals: Totals, levels: Levels) -> Sample {
        let end = self.time(now).max(self.kept_to);
        let counted = self.counted;
        let moved = Totals {
            contacts: totals.contacts.saturating_sub(counted.contacts),
            bytes_in: totals.bytes_in.saturating_sub(counted.bytes_in),
            bytes_out: totals.bytes_out.saturating_sub(counted.bytes_out),
        };
        Sample { end, span: end.since(self.kept_to), moved, levels }
    }

    fn time(&self, now: Reading) -> Timestamp {
        self.start + now.boot.saturating_sub(self.begun)
    }
}

/// How long there was no node, by the wall clocks of then and now.
fn off_for(then: DtnTime, now: Reading) -> Millis {
    let was_right = then >= BUILD_DATE;
    let off = now.trusted_wall().filter(|_| was_right).map_or(0, |wall| wall.0.saturating_sub(then.0));
    Millis(off.min(OFF_MAX.0))
}

#[cfg(test)]
mod tests;
