//! Chance for timers and choices: a small generator, seeded once by the operating system.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub(super) struct Jitter(ChaCha8Rng);

impl Jitter {
    pub fn from_os() -> Result<Jitter, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Jitter::from_seed(seed))
    }

    pub fn from_seed(seed: [u8; 32]) -> Jitter {
        Jitter(ChaCha8Rng::from_seed(seed))
    }

    /// Picks a number below `bound`, which is not zero. The bias of the remainder is far below what a choice of peers notices.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// Picks the seed of another generator.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// Picks a span of at most `full`.
    pub fn up_to(&mut self, full: Duration) -> Duration {
        Duration::from_millis(self.below(full.as_millis() as usize + 1) as u64)
    }

    /// Picks a span between half of `full` and all of it.
    pub fn half_to_full(&mut self, full: Duration) -> Duration {
        let half = full / 2;
        half + self.up_to(half)
    }
}
