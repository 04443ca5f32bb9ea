//! One case: a history and where it is cut, as a text that replays it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use crate::recording::{CACHES, Recording};

/// How many batches the history has.
pub const BATCHES: usize = 200;

/// One thing that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The power goes, and a subset of what nobody synced survives.
    Cut { point: usize, subset: u64 },
    /// The process dies, and the machine goes on.
    Kill { point: usize },
}

/// A history, and the ends of one process after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub seed: u64,
    /// The history is one of giving freed space back.
    pub compacting: bool,
    pub ends: Vec<End>,
}

impl Case {
    /// One power cut.
    pub fn cut(seed: u64, point: usize, subset: u64) -> Case {
        Case { seed, compacting: false, ends: vec![End::Cut { point, subset }] }
    }

    /// Ends the history of `recording` as told, each end while the store recovers from the one before or goes on, and
    /// checks that it does. A point counts as many times as it takes to fit.
    pub fn run(&self, recording: &Recording) -> Result<(), String> {
        let run = || {
            let mut ended = self.ends[0].of(recording);
            for (depth, end) in self.ends.iter().enumerate().skip(1) {
                ended = end.of(&Recording::reopened(&ended, self.cache(depth))?);
            }
            Recording::reopened(&ended, self.cache(self.ends.len())).map(drop)
        };
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("it panicked".into()));
        result.map_err(|why| {
            format!("{why}\n  DAK_DISK_REPLAY={self} cargo test --test disk a_case_is_replayed -- --nocapture")
        })
    }

    fn cache(&self, depth: usize) -> usize {
        CACHES[(self.seed as usize + depth) % 2]
    }
}

impl End {
    fn of(&self, recording: &Recording) -> crate::recording::Remains {
        match *self {
            End::Cut { point, subset } => recording.cut(point % recording.points(), subset),
            End::Kill { point } => recording.kill(point % recording.points()),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.compacting { "c" } else { "" }, self.seed)?;
        self.ends.iter().try_for_each(|end| match end {
            End::Cut { point, subset } => write!(f, ":{point}.{subset}"),
            End::Kill { point } => write!(f, ":{point}k"),
        })
    }
}

impl FromStr for Case {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Case, Self::Err> {
        let (seed, ends) = text.split_once(':').unwrap_or((text, ""));
        let ends = ends.split(':').filter(|end| !end.is_empty()).map(|end| match end.strip_suffix('k') {
            Some(point) => Ok(End::Kill { point: point.parse()? }),
            None => {
                let (point, subset) = end.split_once('.').unwrap_or((end, "0"));
                Ok(End::Cut { point: point.parse()?, subset: subset.parse()? })
            }
        });
        let compacting = seed.starts_with('c');
        Ok(Case { seed: seed.trim_start_matches('c').parse()?, compacting, ends: ends.collect::<Result<_, _>>()? })
    }
}
