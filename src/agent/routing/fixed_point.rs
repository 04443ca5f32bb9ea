//! Powers and logarithms of two as integers, so that every machine decides the same.

/// Bits after the point of an exponent and of a logarithm.
pub const POINT: u32 = 16;
/// One, as [`half_to`] gives it.
pub const ONE: u64 = 1 << 31;

/// 2^(−1/2), 2^(−1/4), … 2^(−1/65536), with 31 bits after the point.
const ROOTS: [u64; POINT as usize] = roots();

const fn roots() -> [u64; POINT as usize] {
    let mut roots = [0; POINT as usize];
    let mut square = ONE / 2;
    let mut i = 0;
    while i < roots.len() {
        // The root of a number with 31 bits after the point, with as many.
        roots[i] = (square * ONE).isqrt();
        square = roots[i];
        i += 1;
    }
    roots
}

/// How many of the bits after the point [`POWERS`] has.
const KNOWN: u32 = 10;
/// 2^(−x) for every `x` below one with that many bits after the point.
static POWERS: [u32; 1 << KNOWN] = powers();

const fn powers() -> [u32; 1 << KNOWN] {
    let mut powers = [0; 1 << KNOWN];
    let mut x = 0;
    while x < powers.len() {
        powers[x] = product(ONE, x as u64, 0, KNOWN) as u32;
        x += 1;
    }
    powers
}

/// Multiplies by the roots of the bits from `first` up to `end` after the point; the lowest bit of `x` is the last.
const fn product(mut product: u64, x: u64, first: u32, end: u32) -> u64 {
    let mut bit = first;
    while bit < end {
        if x >> (end - 1 - bit) & 1 == 1 {
            product = (product * ROOTS[bit as usize]) >> 31;
        }
        bit += 1;
    }
    product
}

/// Returns 2^(−x) with 31 bits after the point, for an `x` with 16.
pub fn half_to(x: u64) -> u64 {
    let whole = x >> POINT;
    if whole > 31 {
        return 0;
    }
    let known = POWERS[(x >> (POINT - KNOWN)) as usize % POWERS.len()];
    product(known.into(), x, KNOWN, POINT) >> whole
}

/// Returns the logarithm of `x` to the base 2 with 16 bits after the point; that of zero counts as zero.
pub fn log2(x: u64) -> u64 {
    let Some(whole) = x.checked_ilog2() else { return 0 };
    // The number between one and two, with 31 bits after the point.
    let mut rest = if whole >= 31 { x >> (whole - 31) } else { x << (31 - whole) };
    let mut log = u64::from(whole);
    for _ in 0..POINT {
        rest = (rest * rest) >> 31;
        let is_over = rest >= 2 * ONE;
        log = log << 1 | u64::from(is_over);
        rest >>= u32::from(is_over);
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_agree_with_floating_point() {
        for x in [0, 1, 2, 1_000, 32_768, 65_535, 65_536, 100_000, 1_000_000, 31 << POINT, 40 << POINT, u64::MAX] {
            let exact = (-(x as f64) / 65_536.0).exp2();
            let ours = half_to(x) as f64 / ONE as f64;
            assert!((ours - exact).abs() < 1e-8, "{x}: {ours} for {exact}");
        }
    }

    #[test]
    fn logarithms_agree_with_floating_point() {
        for x in [1, 2, 3, 7, 1_000, 65_537, 1 << 31, (1 << 31) + 1, 1 << 40, u64::MAX] {
            let exact = (x as f64).log2();
            let ours = log2(x) as f64 / 65_536.0;
            assert!((ours - exact).abs() < 1e-4, "{x}: {ours} for {exact}");
        }
        assert_eq!(log2(0), 0);
    }

    #[test]
    fn a_power_is_the_product_of_its_roots_one_after_the_other() {
        for x in 0..1 << POINT {
            assert_eq!(half_to(x), product(ONE, x, 0, POINT), "{x}");
        }
    }

    #[test]
    fn both_keep_the_order() {
        assert!((1..100_000u64).all(|x| half_to(x) <= half_to(x - 1) && log2(x) <= log2(x + 1)));
    }
}
