//! Probabilities as integers, so that every machine decides the same.

/// A probability in units of 2^-31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u32);

/// Certainty.
const ONE: u32 = 1 << 31;
/// Certainty in the powers of a [`Decay`], which are finer: squaring doubles their relative error each time.
const ONE_FINE: u64 = 1 << 63;
/// Millionths in one.
const MILLION: u32 = 1_000_000;

impl Chance {
    pub const NEVER: Chance = Chance(0);
    pub const CERTAIN: Chance = Chance(ONE);

    /// Takes millionths; more than a million of them are certainty.
    pub fn from_millionths(millionths: u32) -> Chance {
        let scaled = u64::from(millionths.min(MILLION)) * u64::from(ONE);
        Chance(((scaled + u64::from(MILLION / 2)) / u64::from(MILLION)) as u32)
    }

    /// Takes 1/65,535ths, as a Hello has them.
    pub fn from_wire(part: u16) -> Chance {
        let scaled = u64::from(part) * u64::from(ONE);
        Chance(((scaled + 32_767) / 65_535) as u32)
    }

    /// Rounds to 1/65,535ths.
    pub fn to_wire(self) -> u16 {
        ((u64::from(self.0) * 65_535 + u64::from(ONE / 2)) >> 31) as u16
    }

    /// Takes 31 bits after the point, as [`Chance::to_bits`] gives them; more than certainty is certainty.
    pub fn from_bits(bits: u32) -> Chance {
        Chance(bits.min(ONE))
    }

    pub fn to_bits(self) -> u32 {
        self.0
    }

    pub fn times(self, other: Chance) -> Chance {
        Chance(((u64::from(self.0) * u64::from(other.0) + u64::from(ONE / 2)) >> 31) as u32)
    }

    /// This part of `part / whole`, where `part` is at most `whole` and `whole` is not zero.
    pub fn scaled(self, part: u64, whole: u64) -> Chance {
        let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
        Chance(((u128::from(self.0) * part + whole / 2) / whole) as u32)
    }

    pub fn plus(self, other: Chance) -> Chance {
        Chance(self.0.saturating_add(other.0).min(ONE))
    }

    pub fn minus(self, other: Chance) -> Chance {
        Chance(self.0.saturating_sub(other.0))
    }
}

/// The powers of one factor below one, by squaring and multiplying.
#[derive(Clone, Debug)]
pub struct Decay {
    /// The factor to the power of 2^i.
    squares: [u64; 32],
}

impl Decay {
    /// Takes the factor of one step in millionths.
    pub fn new(millionths: u32) -> Decay {
        let first = u128::from(millionths.min(MILLION)) * u128::from(ONE_FINE) / u128::from(MILLION);
        let mut squares = [first as u64; 32];
        for i in 1..squares.len() {
            squares[i] = product(squares[i - 1], squares[i - 1]);
        }
        Decay { squares }
    }

    /// What is left of `chance` after so many steps; the same as multiplying by the factor each time.
    pub fn after(&self, chance: Chance, steps: u64) -> Chance {
        if self.squares[0] == ONE_FINE {
            return chance;
        }
        // A millionth less than one, to this power, is far below 2^-31.
        if steps > u64::from(u32::MAX) {
            return Chance::NEVER;
        }
        let (mut factor, mut left) = (ONE_FINE, steps as u32);
        while left != 0 {
            factor = product(factor, self.squares[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
        Chance(((u128::from(chance.0) * u128::from(factor) + u128::from(ONE_FINE / 2)) >> 63) as u32)
    }
}

fn product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b) + u128::from(ONE_FINE / 2)) >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(chance: Chance) -> f64 {
        f64::from(chance.0) / f64::from(ONE)
    }

    #[test]
    fn powers_agree_with_floating_point_to_the_last_bits() {
        for millionths in [0, 1, 500_000, 980_000, 999_000, 999_999, 1_000_000] {
            let decay = Decay::new(millionths);
            for steps in [0, 1, 2, 3, 7, 100, 693, 10_000, 1_000_000, u64::from(u32::MAX), u64::MAX] {
                let exact = (f64::from(millionths) / 1e6).powf(steps as f64);
                let ours = float(decay.after(Chance::CERTAIN, steps));
                assert!((ours - exact).abs() < 1e-9, "{millionths} millionths, {steps} steps: {ours} for {exact}");
            }
        }
    }

    #[test]
    fn what_goes_over_the_wire_comes_back_as_it_was() {
        assert!((0..=u16::MAX).all(|part| Chance::from_wire(part).to_wire() == part));
        assert_eq!(Chance::from_wire(u16::MAX), Chance::CERTAIN);
        assert_eq!(Chance::from_bits(u32::MAX), Chance::CERTAIN);
        assert_eq!(Chance::from_millionths(u32::MAX), Chance::CERTAIN);
    }
}
