//! Whether two groups of runs differ: means and their confidence intervals over seeds.
//!
//! Reports only; nothing here feeds a run.

/// A mean and how far the true one may lie from it, with 95 % confidence (Student's t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub mean: f64,
    /// None for a single value, of which nothing is known.
    pub half_width: Option<f64>,
    pub count: usize,
}

/// The two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
const T_95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

impl Interval {
    /// Of no values there is none.
    pub fn of(values: &[f64]) -> Option<Interval> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let half_width = (count > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            t_95(count - 1) * (squares / (count - 1) as f64 / count as f64).sqrt()
        });
        Some(Interval { mean, half_width, count })
    }

    /// Whether zero lies outside; none where nothing can be said.
    pub fn excludes_zero(&self) -> Option<bool> {
        self.half_width.map(|half_width| self.mean.abs() > half_width)
    }
}

/// The difference `b - a` by seed: what the seeds have in common cancels out. Runs of only one side are left out.
pub fn paired(a: &[(u64, f64)], b: &[(u64, f64)]) -> Option<Interval> {
    let of = |seed: u64| a.iter().find(|(other, _)| *other == seed).map(|(_, value)| *value);
    let differences: Vec<f64> = b.iter().filter_map(|(seed, value)| Some(value - of(*seed)?)).collect();
    Interval::of(&differences)
}

fn t_95(degrees: usize) -> f64 {
    match degrees {
        0 => f64::INFINITY,
        1..=30 => T_95[degrees - 1],
        31..=60 => 2.042 - (degrees - 30) as f64 * (2.042 - 2.000) / 30.0,
        // The normal quantile and the first term of the expansion in 1 / degrees (Cornish and Fisher 1938).
        _ => 1.960 + 2.4 / degrees as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_students() {
        // Mean 10, standard deviation 2, five values: 2.776 times 2 over the root of 5.
        let interval = Interval::of(&[8.0, 8.0, 10.0, 12.0, 12.0]).unwrap();
        assert_eq!(interval.mean, 10.0);
        assert!((interval.half_width.unwrap() - 2.776 * 2.0 / 5f64.sqrt()).abs() < 1e-9);
        assert_eq!(Interval::of(&[]), None);
        assert_eq!(Interval::of(&[3.0]).unwrap().half_width, None);
    }

    #[test]
    fn pairs_of_a_seed_show_a_small_difference_among_large_ones() {
        let a = [(1, 10.0), (2, 50.0), (3, 90.0), (7, 0.0)];
        let b = [(3, 91.1), (2, 51.0), (1, 10.9)];
        let difference = paired(&a, &b).unwrap();
        assert_eq!(difference.count, 3);
        assert!((difference.mean - 1.0).abs() < 1e-9);
        assert_eq!(difference.excludes_zero(), Some(true));
    }
}
