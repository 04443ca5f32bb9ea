//! What a trace is like: how many meet, for how long, and how long they wait to meet again.

use std::fmt;

use crate::sim::seconds::Seconds;
use crate::sim::trace::Trace;

/// Figures of a trace; times in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub nodes: u32,
    /// Nodes that meet nobody.
    pub lonely: u32,
    pub contacts: u64,
    /// Pairs that meet at least once.
    pub pairs: u64,
    /// From 0 to the last event.
    pub duration_us: u64,
    pub contact: Quantiles,
    /// From the end of a contact to the next start of the same pair.
    pub inter_contact: Quantiles,
}

/// The spread of some values; all zero where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    pub count: u64,
    pub min: u64,
    /// The value at position count / 2 in order, as The ONE takes it.
    pub median: u64,
    /// Rounded down.
    pub mean: u64,
    /// The smallest value that nine tenths do not exceed.
    pub p90: u64,
    pub max: u64,
}

impl Stats {
    pub fn of(trace: &Trace) -> Stats {
        let mut by_pair: Vec<_> = trace.contacts.iter().map(|c| (c.a, c.b, c.up_us, c.down_us)).collect();
        by_pair.sort_unstable();
        let same_pair = |one: &(u32, u32, u64, u64), next: &(u32, u32, u64, u64)| (one.0, one.1) == (next.0, next.1);
        let gaps = by_pair.windows(2).filter(|two| same_pair(&two[0], &two[1])).map(|two| two[1].2 - two[0].3);
        let mut met = vec![false; trace.nodes as usize];
        for contact in &trace.contacts {
            met[contact.a as usize] = true;
            met[contact.b as usize] = true;
        }
        Stats {
            nodes: trace.nodes,
            lonely: met.iter().filter(|met| !**met).count() as u32,
            contacts: trace.contacts.len() as u64,
            pairs: by_pair.chunk_by(same_pair).count() as u64,
            duration_us: trace.end_us,
            contact: Quantiles::of(trace.contacts.iter().map(|contact| contact.down_us - contact.up_us).collect()),
            inter_contact: Quantiles::of(gaps.collect()),
        }
    }
}

impl Quantiles {
    pub fn of(mut values: Vec<u64>) -> Quantiles {
        values.sort_unstable();
        let (Some(min), Some(max)) = (values.first(), values.last()) else { return Quantiles::default() };
        let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
        Quantiles {
            count: values.len() as u64,
            min: *min,
            median: values[values.len() / 2],
            mean: (sum / values.len() as u128) as u64,
            p90: values[(values.len() * 9).div_ceil(10) - 1],
            max: *max,
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "nodes          {}", self.nodes)?;
        writeln!(f, "lonely nodes   {}", self.lonely)?;
        writeln!(f, "contacts       {}", self.contacts)?;
        writeln!(f, "pairs          {}", self.pairs)?;
        writeln!(f, "duration       {} s", Seconds(self.duration_us))?;
        writeln!(f, "contact        {}", self.contact)?;
        write!(f, "inter-contact  {}", self.inter_contact)
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return f.write_str("none");
        }
        let [min, median, mean, p90, max] = [self.min, self.median, self.mean, self.p90, self.max].map(Seconds);
        write!(f, "min {min}  median {median}  mean {mean}  p90 {p90}  max {max} s  ({} values)", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::Contact;

    #[test]
    fn figures_of_a_small_trace() {
        let contact = |a, b, up_us, down_us| Contact { up_us, a, b, down_us };
        let contacts = vec![contact(0, 1, 0, 10), contact(0, 1, 30, 35), contact(0, 2, 5, 25), contact(0, 1, 40, 41)];
        let stats = Stats::of(&Trace::of(4, contacts));
        assert_eq!((stats.contacts, stats.pairs, stats.lonely, stats.duration_us), (4, 2, 1, 41));
        let contact = Quantiles { count: 4, min: 1, median: 10, mean: 9, p90: 20, max: 20 };
        assert_eq!(stats.contact, contact);
        assert_eq!((stats.inter_contact.count, stats.inter_contact.min, stats.inter_contact.max), (2, 5, 20));
    }
}
