//! Random numbers that are the same on every machine: one ChaCha stream per purpose and node, integers only.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The random numbers of one purpose at one node. What one stream draws never moves another.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    pub fn new(seed: u64, purpose: &str, node: u32) -> Stream {
        let mut hasher = blake3::Hasher::new_derive_key("dak 2026 simulation stream v1");
        hasher.update(&seed.to_le_bytes()).update(&node.to_le_bytes()).update(purpose.as_bytes());
        Stream(ChaCha8Rng::from_seed(hasher.finalize().into()))
    }

    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`, each equally likely (Lemire 2019, "Fast random integer generation in an interval").
    ///
    /// # Panics
    /// Where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no number below 0");
        let rejected_below = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.draw()) * u128::from(n);
            if product as u64 >= rejected_below {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        match (high - low).checked_add(1) {
            Some(span) => low + self.below(span),
            None => self.draw(),
        }
    }

    /// True in `per_million` of a million cases.
    pub fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }

    /// An exponentially distributed number with this mean: the wait for the next event of a Poisson process.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // -ln(u) with u in (0, 1], as 64.32 fixed point.
        let log2 = log2_of_inverse(self.draw());
        let ln = (u128::from(log2) * u128::from(LN_2)) >> 64;
        ((ln * u128::from(mean)) >> 32) as u64
    }
}

/// ln 2 times 2^64.
const LN_2: u64 = 0xb172_17f7_d1cf_79ac;

/// Returns -log2((x + 1) / 2^64) times 2^32: binary digits of a logarithm by repeated squaring.
fn log2_of_inverse(x: u64) -> u64 {
    let Some(value) = x.checked_add(1) else { return 0 };
    let zeros = value.leading_zeros();
    let mut mantissa = value << zeros;
    let mut fraction = 0u64;
    for _ in 0..32 {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let carries = square >> 127 == 1;
        mantissa = (square >> if carries { 64 } else { 63 }) as u64;
        fraction = fraction << 1 | u64::from(carries);
    }
    // log2(value) is (63 - zeros) + fraction; its distance from 64 is what is asked.
    ((u64::from(zeros) + 1) << 32) - fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_seed_its_purpose_and_its_node() {
        let first = |seed, purpose, node| Stream::new(seed, purpose, node).draw();
        assert_eq!(first(1, "walk", 2), first(1, "walk", 2));
        let others = [first(2, "walk", 2), first(1, "talk", 2), first(1, "walk", 3)];
        assert!(others.iter().all(|other| *other != first(1, "walk", 2)));
    }

    #[test]
    fn the_first_numbers_of_a_stream_never_change() {
        let mut stream = Stream::new(7, "test", 0);
        assert_eq!([stream.below(1000), stream.below(1000), stream.exponential(1000)], PINNED);
    }

    const PINNED: [u64; 3] = [87, 768, 324];

    #[test]
    fn logarithms_are_right_to_a_part_in_a_million() {
        assert_eq!(log2_of_inverse(u64::MAX), 0);
        assert_eq!(log2_of_inverse((1 << 63) - 1), 1 << 32);
        assert_eq!(log2_of_inverse(0), 64 << 32);
        let three_quarters = log2_of_inverse((3 << 62) - 1);
        assert!(three_quarters.abs_diff(1_782_572_487) < 100, "{three_quarters}: log2(4/3) times 2^32");
    }

    #[test]
    fn exponential_waits_have_their_mean_and_their_median() {
        let mut stream = Stream::new(1, "waits", 0);
        let mut waits: Vec<u64> = (0..40_000).map(|_| stream.exponential(1_000_000)).collect();
        waits.sort_unstable();
        let mean = waits.iter().sum::<u64>() / 40_000;
        assert!((980_000..1_020_000).contains(&mean), "{mean}");
        assert!((675_000..711_000).contains(&waits[20_000]), "ln 2 of the mean, not {}", waits[20_000]);
    }

    #[test]
    fn numbers_in_a_range_reach_both_ends() {
        let mut stream = Stream::new(1, "dice", 0);
        let throws: Vec<u64> = (0..200).map(|_| stream.between(1, 6)).collect();
        assert!((1..=6).all(|face| throws.contains(&face)) && throws.iter().all(|throw| (1..=6).contains(throw)));
    }
}
