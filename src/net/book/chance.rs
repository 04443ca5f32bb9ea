//! How often this node dials for no better reason than chance: a few at once, ever more rarely while nobody answers, and
//! every few minutes one more, whose contact takes the place of another.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::jitter::Jitter;

/// Dials by chance or hearsay in one span of [`EAGER_SPAN`] or [`WEARY_SPAN`].
pub const DIALS_PER_SPAN_MAX: u32 = 8;

const EAGER_SPAN: Duration = Duration::from_secs(1);
/// After [`WEARY_AFTER`] failures in a row: a book full of peers that are gone must not keep a machine awake.
const WEARY_SPAN: Duration = Duration::from_secs(30);
pub const WEARY_AFTER: u32 = 64;
/// How long contacts found by chance stay as they are, at most.
pub const TURN: Duration = Duration::from_secs(300);

pub(super) struct Chance {
    /// Start of the span in which `dials` were made.
    span_start: Instant,
    dials: u32,
    /// Failures since anybody answered or was heard of anew.
    misses: u32,
    /// When one contact is to be replaced, if there is anybody to replace it by.
    turn: Instant,
}

impl Chance {
    pub fn new(now: Instant, jitter: &mut Jitter) -> Chance {
        Chance { span_start: now, dials: 0, misses: 0, turn: now + jitter.half_to_full(TURN) }
    }

    /// Begins a new span if it is time.
    pub fn look(&mut self, now: Instant) {
        if now >= self.next_span() {
            (self.span_start, self.dials) = (now, 0);
        }
    }

    pub fn is_spent(&self) -> bool {
        self.dials >= DIALS_PER_SPAN_MAX
    }

    pub fn spend(&mut self) {
        self.dials += 1;
    }

    /// From when on there may be a dial.
    pub fn from(&self, now: Instant) -> Instant {
        if self.is_spent() { self.next_span() } else { now }
    }

    pub fn missed(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// Somebody answered, or was heard of anew.
    pub fn found(&mut self) {
        self.misses = 0;
    }

    /// When one contact is to be replaced.
    pub fn turn(&self) -> Instant {
        self.turn
    }

    pub fn took_turn(&mut self, now: Instant, jitter: &mut Jitter) {
        self.turn = now + jitter.half_to_full(TURN);
    }

    fn next_span(&self) -> Instant {
        self.span_start + if self.misses < WEARY_AFTER { EAGER_SPAN } else { WEARY_SPAN }
    }
}
