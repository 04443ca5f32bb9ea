//! The figures of a run under The ONE's names and ours.

use std::collections::BTreeMap;

use crate::sim::report::{Decimal, Histogram, MessageRow, NodeLoad, Occupancy};
use crate::sim::workload::Channel;

/// What the world counts while it runs.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Transfers of message bundles begun.
    pub started: u64,
    /// … completed and accepted.
    pub relayed: u64,
    /// … cut off by the end of a contact, or lost.
    pub aborted: u64,
    /// Copies given up for want of space or at the end of their life.
    pub dropped: u64,
    /// Copies removed because a receipt came or they were handed on.
    pub removed: u64,
    /// … of the dropped, those whose life ended.
    pub expired: u64,
    /// Transfers that the receiver refused.
    pub refused: u64,
    /// Parts of files that reached whom they were for.
    pub parts_delivered: u64,
    pub receipts_created: u64,
    /// Messages whose source has the receipt.
    pub receipts_returned: u64,
    pub bytes_bundles: u64,
    pub bytes_receipts: u64,
    /// Hello, summaries, acceptance.
    pub bytes_control: u64,
    /// Bundles in which members of groups say what came to them.
    pub group_receipts_created: u64,
    /// For how many members their author heard that they have a message to a group, over all messages.
    pub group_receipts_returned: u64,
    /// Of the bytes of bundles, those of what is for groups.
    pub bytes_group_messages: u64,
    pub bytes_group_receipts: u64,
    pub crashes: u64,
    /// States of messages that were compared with what really happened.
    pub status_checked: u64,
    /// … that said more than was true.
    pub status_untrue: u64,
    /// How long each copy stayed in a store, in microseconds.
    pub buffer_times_us: Histogram,
    /// How long each custody lasted, in microseconds.
    pub custody_times_us: Histogram,
}

impl Counters {
    /// Adds what was counted elsewhere in the same run.
    pub fn add(&mut self, other: &Counters) {
        let Counters {
            started,
            relayed,
            aborted,
            dropped,
            removed,
            expired,
            refused,
            parts_delivered,
            receipts_created,
            receipts_returned,
            bytes_bundles,
            bytes_receipts,
            bytes_control,
            group_receipts_created,
            group_receipts_returned,
            bytes_group_messages,
            bytes_group_receipts,
            crashes,
            status_checked,
            status_untrue,
            buffer_times_us,
            custody_times_us,
        } = other;
        self.started += started;
        self.relayed += relayed;
        self.aborted += aborted;
        self.dropped += dropped;
        self.removed += removed;
        self.expired += expired;
        self.refused += refused;
        self.parts_delivered += parts_delivered;
        self.receipts_created += receipts_created;
        self.receipts_returned += receipts_returned;
        self.bytes_bundles += bytes_bundles;
        self.bytes_receipts += bytes_receipts;
        self.bytes_control += bytes_control;
        self.group_receipts_created += group_receipts_created;
        self.group_receipts_returned += group_receipts_returned;
        self.bytes_group_messages += bytes_group_messages;
        self.bytes_group_receipts += bytes_group_receipts;
        self.crashes += crashes;
        self.status_checked += status_checked;
        self.status_untrue += status_untrue;
        self.buffer_times_us.merge(buffer_times_us);
        self.custody_times_us.merge(custody_times_us);
    }
}

/// Every figure of a run; ratios and seconds with four decimals, `None` where there is nothing to divide by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub sim_time: Decimal,
    pub created: u64,
    pub started: u64,
    pub relayed: u64,
    pub aborted: u64,
    pub dropped: u64,
    pub removed: u64,
    pub delivered: u64,
    pub delivery_prob: Option<Decimal>,
    /// (relayed - delivered) / delivered.
    pub overhead_ratio: Option<Decimal>,
    pub latency_avg: Option<Decimal>,
    /// The value at position count / 2, as The ONE takes it.
    pub latency_med: Option<Decimal>,
    pub hopcount_avg: Option<Decimal>,
    pub hopcount_med: Option<u64>,
    pub buffertime_avg: Option<Decimal>,
    pub buffertime_med: Option<Decimal>,
    /// What the oracle says could have arrived.
    pub ceiling_delivered: u64,
    pub ceiling_prob: Option<Decimal>,
    pub ceiling_latency_avg: Option<Decimal>,
    pub ceiling_latency_med: Option<Decimal>,
    /// delivered / ceiling_delivered.
    pub ceiling_share: Option<Decimal>,
    pub direct_delivered: u64,
    pub expired: u64,
    pub refused: u64,
    pub custodytime_avg: Option<Decimal>,
    pub custodytime_med: Option<Decimal>,
    pub receipts_created: u64,
    pub receipts_returned: u64,
    pub bytes_bundles: u64,
    pub bytes_receipts: u64,
    pub bytes_control: u64,
    /// Bytes held by a node, averaged over the samples.
    pub occupancy_avg: Option<Decimal>,
    /// Most bytes that one node held.
    pub occupancy_max: u64,
    pub crashes: u64,
    pub status_checked: u64,
    pub status_untrue: u64,
    /// Where something was written to a group.
    pub groups: Option<GroupFigures>,
    /// By kind of traffic, where there is another than mail.
    pub kinds: Vec<(Kind, KindFigures)>,
}

/// What members of groups said to have, and at which price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupFigures {
    pub receipts_created: u64,
    pub receipts_returned: u64,
    pub bytes_messages: u64,
    pub bytes_receipts: u64,
}

impl GroupFigures {
    fn of(counters: &Counters, messages: &[MessageRow]) -> Option<GroupFigures> {
        let is_to_group = |row: &MessageRow| matches!(row.channel, Channel::Group(_) | Channel::GroupFile(_));
        messages.iter().any(is_to_group).then_some(GroupFigures {
            receipts_created: counters.group_receipts_created,
            receipts_returned: counters.group_receipts_returned,
            bytes_messages: counters.bytes_group_messages,
            bytes_receipts: counters.bytes_group_receipts,
        })
    }

    fn figures(&self) -> [(&'static str, Figure); 4] {
        [
            ("group_receipts_created", Figure::Count(self.receipts_created)),
            ("group_receipts_returned", Figure::Count(self.receipts_returned)),
            ("bytes_group_messages", Figure::Count(self.bytes_messages)),
            ("bytes_group_receipts", Figure::Count(self.bytes_receipts)),
        ]
    }
}

/// Messages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Mail,
    Topics,
    Files,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindFigures {
    pub created: u64,
    pub delivered: u64,
    pub delivery_prob: Option<Decimal>,
    pub latency_avg: Option<Decimal>,
    pub ceiling_delivered: u64,
    pub ceiling_latency_avg: Option<Decimal>,
    pub ceiling_share: Option<Decimal>,
}

impl Kind {
    fn of(channel: Channel) -> Kind {
        match channel {
            Channel::Mail | Channel::Group(_) => Kind::Mail,
            Channel::Topic(_) => Kind::Topics,
            Channel::File | Channel::GroupFile(_) => Kind::Files,
        }
    }

    /// The names of its figures.
    fn names(self) -> [&'static str; 7] {
        match self {
            Kind::Mail => [
                "mail_created",
                "mail_delivered",
                "mail_delivery_prob",
                "mail_latency_avg",
                "mail_ceiling_delivered",
                "mail_ceiling_latency_avg",
                "mail_ceiling_share",
            ],
            Kind::Topics => [
                "topics_created",
                "topics_delivered",
                "topics_delivery_prob",
                "topics_latency_avg",
                "topics_ceiling_delivered",
                "topics_ceiling_latency_avg",
                "topics_ceiling_share",
            ],
            Kind::Files => [
                "files_created",
                "files_delivered",
                "files_delivery_prob",
                "files_latency_avg",
                "files_ceiling_delivered",
                "files_ceiling_latency_avg",
                "files_ceiling_share",
            ],
        }
    }
}

impl KindFigures {
    fn of(rows: &[&MessageRow]) -> KindFigures {
        let delays = |end: fn(&MessageRow) -> Option<u64>| {
            let delays = rows.iter().filter_map(|row| end(row).map(|end| end.saturating_sub(row.create_us)));
            Sorted::of(delays.collect())
        };
        let (latency, earliest) = (delays(|row| row.delivered_us), delays(|row| row.earliest_us));
        let ratio = |part: u64, whole: u64| Decimal::ratio(part.into(), whole.into());
        KindFigures {
            created: rows.len() as u64,
            delivered: latency.count(),
            delivery_prob: ratio(latency.count(), rows.len() as u64),
            latency_avg: latency.mean_seconds(),
            ceiling_delivered: earliest.count(),
            ceiling_latency_avg: earliest.mean_seconds(),
            ceiling_share: ratio(latency.count(), earliest.count()),
        }
    }

    fn figures(&self, kind: Kind) -> impl Iterator<Item = (&'static str, Figure)> + use<> {
        let count = Figure::Count;
        let decimal = Figure::Decimal;
        let all = [
            count(self.created),
            count(self.delivered),
            decimal(self.delivery_prob),
            decimal(self.latency_avg),
            count(self.ceiling_delivered),
            decimal(self.ceiling_latency_avg),
            decimal(self.ceiling_share),
        ];
        kind.names().into_iter().zip(all)
    }
}

/// One figure as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Count(u64),
    Decimal(Option<Decimal>),
}

impl Summary {
    pub fn of(
        counters: &Counters,
        messages: &[MessageRow],
        occupancy: &[Occupancy],
        load: &[NodeLoad],
        duration_us: u64,
    ) -> Summary {
        let delays = |end: fn(&MessageRow) -> Option<u64>| {
            let delays = messages.iter().filter_map(|row| end(row).map(|end| end.saturating_sub(row.create_us)));
            Sorted::of(delays.collect())
        };
        let (latency, earliest) = (delays(|row| row.delivered_us), delays(|row| row.earliest_us));
        let delivered = latency.count();
        let delivered_rows = messages.iter().filter(|row| row.delivered_us.is_some());
        let hops = Sorted::of(delivered_rows.filter_map(|row| row.hops.map(u64::from)).collect());
        let created = messages.len() as u64;
        let ratio = |part: u64, whole: u64| Decimal::ratio(part.into(), whole.into());
        let held: u128 = occupancy.iter().map(|sample| u128::from(sample.bytes)).sum();
        // Of a file every part is handed on by itself.
        let whole = messages.iter().filter(|row| !row.channel.is_file() && row.delivered_us.is_some());
        let arrived = whole.count() as u64 + counters.parts_delivered;
        let overhead = i128::from(counters.relayed) - i128::from(arrived);
        Summary {
            sim_time: Decimal::of_us(duration_us),
            created,
            started: counters.started,
            relayed: counters.relayed,
            aborted: counters.aborted,
            dropped: counters.dropped,
            removed: counters.removed,
            delivered,
            delivery_prob: ratio(delivered, created),
            overhead_ratio: Decimal::ratio(overhead, arrived.into()),
            latency_avg: latency.mean_seconds(),
            latency_med: latency.median().map(Decimal::of_us),
            hopcount_avg: hops.mean(1),
            hopcount_med: hops.median(),
            buffertime_avg: counters.buffer_times_us.mean_seconds(),
            buffertime_med: counters.buffer_times_us.median_seconds(),
            ceiling_delivered: earliest.count(),
            ceiling_prob: ratio(earliest.count(), created),
            ceiling_latency_avg: earliest.mean_seconds(),
            ceiling_latency_med: earliest.median().map(Decimal::of_us),
            ceiling_share: ratio(delivered, earliest.count()),
            direct_delivered: messages.iter().filter(|row| row.direct_us.is_some()).count() as u64,
            expired: counters.expired,
            refused: counters.refused,
            custodytime_avg: counters.custody_times_us.mean_seconds(),
            custodytime_med: counters.custody_times_us.median_seconds(),
            receipts_created: counters.receipts_created,
            receipts_returned: counters.receipts_returned,
            bytes_bundles: counters.bytes_bundles,
            bytes_receipts: counters.bytes_receipts,
            bytes_control: counters.bytes_control,
            occupancy_avg: Decimal::ratio(held as i128, (occupancy.len() * load.len()) as i128),
            occupancy_max: load.iter().map(|node| node.peak_bytes).max().unwrap_or(0),
            crashes: counters.crashes,
            status_checked: counters.status_checked,
            status_untrue: counters.status_untrue,
            groups: GroupFigures::of(counters, messages),
            kinds: kinds(messages),
        }
    }

    /// All figures by name, The ONE's first and in its order. Its responses are there by name alone: no workload here asks
    /// for one, so none comes, and there is no time for it to take.
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let count = Figure::Count;
        let decimal = Figure::Decimal;
        let kinds = self.kinds.iter().flat_map(|(kind, figures)| figures.figures(*kind));
        let all = vec![
            ("sim_time", decimal(Some(self.sim_time))),
            ("created", count(self.created)),
            ("started", count(self.started)),
            ("relayed", count(self.relayed)),
            ("aborted", count(self.aborted)),
            ("dropped", count(self.dropped)),
            ("removed", count(self.removed)),
            ("delivered", count(self.delivered)),
            ("delivery_prob", decimal(self.delivery_prob)),
            ("response_prob", decimal(Some(Decimal::default()))),
            ("overhead_ratio", decimal(self.overhead_ratio)),
            ("latency_avg", decimal(self.latency_avg)),
            ("latency_med", decimal(self.latency_med)),
            ("hopcount_avg", decimal(self.hopcount_avg)),
            ("hopcount_med", self.hopcount_med.map_or(decimal(None), count)),
            ("buffertime_avg", decimal(self.buffertime_avg)),
            ("buffertime_med", decimal(self.buffertime_med)),
            ("rtt_avg", decimal(None)),
            ("rtt_med", decimal(None)),
            ("ceiling_delivered", count(self.ceiling_delivered)),
            ("ceiling_prob", decimal(self.ceiling_prob)),
            ("ceiling_latency_avg", decimal(self.ceiling_latency_avg)),
            ("ceiling_latency_med", decimal(self.ceiling_latency_med)),
            ("ceiling_share", decimal(self.ceiling_share)),
            ("direct_delivered", count(self.direct_delivered)),
            ("expired", count(self.expired)),
            ("refused", count(self.refused)),
            ("custodytime_avg", decimal(self.custodytime_avg)),
            ("custodytime_med", decimal(self.custodytime_med)),
            ("receipts_created", count(self.receipts_created)),
            ("receipts_returned", count(self.receipts_returned)),
            ("bytes_bundles", count(self.bytes_bundles)),
            ("bytes_receipts", count(self.bytes_receipts)),
            ("bytes_control", count(self.bytes_control)),
            ("occupancy_avg", decimal(self.occupancy_avg)),
            ("occupancy_max", count(self.occupancy_max)),
            ("crashes", count(self.crashes)),
            ("status_checked", count(self.status_checked)),
            ("status_untrue", count(self.status_untrue)),
        ];
        let groups = self.groups.iter().flat_map(GroupFigures::figures);
        all.into_iter().chain(groups).chain(kinds).collect()
    }
}

fn kinds(messages: &[MessageRow]) -> Vec<(Kind, KindFigures)> {
    let mut by_kind: BTreeMap<Kind, Vec<&MessageRow>> = BTreeMap::new();
    messages.iter().for_each(|row| by_kind.entry(Kind::of(row.channel)).or_default().push(row));
    match by_kind.keys().eq([&Kind::Mail]) {
        true => Vec::new(),
        false => by_kind.into_iter().map(|(kind, rows)| (kind, KindFigures::of(&rows))).collect(),
    }
}

struct Sorted(Vec<u64>);

impl Sorted {
    fn of(mut values: Vec<u64>) -> Sorted {
        values.sort_unstable();
        Sorted(values)
    }

    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn median(&self) -> Option<u64> {
        self.0.get(self.0.len() / 2).copied()
    }

    /// The mean of values that are counted in so many to the unit.
    fn mean(&self, per_unit: i128) -> Option<Decimal> {
        let sum: i128 = self.0.iter().map(|value| i128::from(*value)).sum();
        Decimal::ratio(sum, self.0.len() as i128 * per_unit)
    }

    fn mean_seconds(&self) -> Option<Decimal> {
        self.mean(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_one_come_first_and_in_its_order() {
        let names = "sim_time created started relayed aborted dropped removed delivered delivery_prob response_prob \
            overhead_ratio latency_avg latency_med hopcount_avg hopcount_med buffertime_avg buffertime_med rtt_avg rtt_med";
        let figures = Summary::default().figures();
        assert!(figures.iter().map(|(name, _)| *name).take(19).eq(names.split_whitespace()));
    }

    #[test]
    fn ratios_follow_the_ones_definitions() {
        let row = |delivered_us, hops| MessageRow { create_us: 1_000_000, delivered_us, hops, ..MessageRow::default() };
        let messages = [row(Some(3_000_000), Some(1)), row(Some(9_500_000), Some(4)), row(None, None)];
        let counters = Counters { relayed: 12, ..Counters::default() };
        let summary = Summary::of(&counters, &messages, &[], &[], 60_000_000);
        let printed = |name: &str| {
            let figures = summary.figures();
            let (_, figure) = figures.iter().find(|(known, _)| *known == name).unwrap();
            match figure {
                Figure::Count(count) => count.to_string(),
                Figure::Decimal(decimal) => decimal.map_or("none".into(), |decimal| decimal.to_string()),
            }
        };
        assert_eq!(printed("delivery_prob"), "0.6667");
        assert_eq!(printed("overhead_ratio"), "5.0000");
        assert_eq!(printed("latency_avg"), "5.2500");
        assert_eq!(printed("latency_med"), "8.5000");
        assert_eq!((printed("hopcount_avg"), printed("hopcount_med")), ("2.5000".into(), "4".into()));
        assert_eq!(printed("ceiling_prob"), "0.0000");
        assert_eq!((printed("ceiling_share"), printed("buffertime_avg")), ("none".into(), "none".into()));
    }
}
