//! What the runs of a sweep come to: a line each, averages by combination, and curves.

use std::collections::BTreeMap;

use super::{Axis, Planned};
use crate::sim::compare::Interval;
use crate::sim::report::{Curves, Decimal, Sweep, SweepLine, Swept, Table, csv_field};

/// A run that is there, with the figures of its summary.
#[derive(Clone, Debug)]
pub struct Made {
    pub name: String,
    pub planned: Planned,
    pub strategy: String,
    pub lifetime_us: Option<u64>,
    pub quota_bytes: Option<u64>,
    /// By name, each as the summary writes it; absent where there is none.
    pub figures: BTreeMap<String, String>,
}

impl Made {
    fn figure(&self, name: &str) -> Option<f64> {
        self.figures.get(name)?.parse().ok()
    }
}

/// One line a run: its name, its seed, its settings, its figures in this order.
pub fn csv(axes: &[Axis], figures: &[String], rows: &[Made]) -> String {
    let keys = axes.iter().map(|axis| &axis.key).chain(figures).map(|name| csv_field(name));
    let mut text = format!("run,seed,{}\n", keys.collect::<Vec<_>>().join(","));
    for Made { name, planned, figures: found, .. } in rows {
        let settings = planned.settings.iter().map(|(_, value)| csv_field(value));
        let values = figures.iter().map(|figure| found.get(figure).cloned().unwrap_or_default());
        let cells: Vec<String> = settings.chain(values).collect();
        text.push_str(&format!("{name},{},{}\n", planned.seed, cells.join(",")));
    }
    text
}

/// What the page of a sweep shows beside its first run. Rows come in the order of the plan.
pub fn summed_up(axes: &[Axis], rows: &[Made]) -> Sweep {
    let note = "Averages, and how far the true ones may lie from them with 95 % confidence.";
    Sweep { note: format!("{} runs. {note}", rows.len()), curves: curves(axes, rows), table: combinations(axes, rows) }
}

/// One row a combination.
fn combinations(axes: &[Axis], rows: &[Made]) -> Table {
    let figures = ["runs", "delivered", "possible", "median delay", "overhead", "dropped"].map(str::to_owned);
    let names = axes.iter().map(|axis| axis.key.clone()).chain(figures).collect();
    let row = |runs: &[Made]| {
        let mean = |figure: &str, times: f64, unit: &str| {
            let values: Vec<f64> = runs.iter().filter_map(|run| Some(run.figure(figure)? * times)).collect();
            Interval::of(&values).map_or("–".to_owned(), |interval| with_unit(interval, unit))
        };
        let settings = runs[0].planned.settings.iter().map(|(_, value)| value.clone());
        let figures = [
            runs.len().to_string(),
            mean("delivery_prob", 100.0, "%"),
            mean("ceiling_prob", 100.0, "%"),
            mean("latency_med", 1.0 / 60.0, "min"),
            mean("overhead_ratio", 1.0, ""),
            mean("dropped", 1.0, ""),
        ];
        settings.chain(figures).collect()
    };
    Table { names, rows: rows.chunk_by(|one, next| one.planned.settings == next.planned.settings).map(row).collect() }
}

fn with_unit(interval: Interval, unit: &str) -> String {
    let mean = format!("{:.1} {unit}", interval.mean);
    match interval.half_width {
        Some(half_width) => format!("{} ± {half_width:.1}", mean.trim_end()),
        None => mean.trim_end().to_owned(),
    }
}

/// Delivery against lifetime and against quota, where either takes several values: one line a strategy, and the ceiling.
fn curves(axes: &[Axis], rows: &[Made]) -> Vec<Curves> {
    let swept = [("bundle.lifetime", Swept::Lifetime), ("store.quota_bytes", Swept::Quota)];
    let several = |key: &str| axes.iter().any(|axis| axis.key == key && axis.values.len() > 1);
    let curves = swept.into_iter().filter(|(key, _)| several(key));
    curves.map(|(_, what)| Curves { what, lines: lines(what, rows) }).collect()
}

fn lines(what: Swept, rows: &[Made]) -> Vec<SweepLine> {
    let mut points: BTreeMap<(&str, u64), Vec<f64>> = BTreeMap::new();
    for run in rows {
        let at = match what {
            Swept::Lifetime => run.lifetime_us,
            Swept::Quota => run.quota_bytes,
        };
        let Some(at) = at else { continue };
        for (name, figure) in [(&*run.strategy, "delivery_prob"), ("ceiling", "ceiling_prob")] {
            points.entry((name, at)).or_default().extend(run.figure(figure));
        }
    }
    let mut lines: Vec<SweepLine> = Vec::new();
    for ((name, at), values) in points.into_iter().filter(|(_, values)| !values.is_empty()) {
        let mean = (values.iter().sum::<f64>() / values.len() as f64 * 1e6) as i128;
        let Some(share) = Decimal::ratio(mean, 1_000_000) else { continue };
        match lines.last_mut().filter(|line| line.name == name) {
            Some(line) => line.points.push((at, share)),
            None => lines.push(SweepLine { name: name.to_owned(), points: vec![(at, share)] }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(strategy: &str, lifetime: &str, seed: u64, delivered: Option<&str>) -> Made {
        let settings = vec![
            ("routing.strategy".to_owned(), strategy.to_owned()),
            ("bundle.lifetime".to_owned(), lifetime.to_owned()),
        ];
        let figures = [("delivery_prob", delivered), ("ceiling_prob", Some("0.9000"))];
        Made {
            name: format!("{strategy}{seed}"),
            planned: Planned { settings, seed },
            strategy: strategy.to_owned(),
            lifetime_us: lifetime.parse().ok(),
            quota_bytes: None,
            figures: figures
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), value.as_ref()?.to_string())))
                .collect(),
        }
    }

    fn runs() -> (Vec<Axis>, Vec<Made>) {
        let axes = ["routing.strategy=direct,epidemic", "bundle.lifetime=60,600"];
        let rows = vec![
            made("direct", "60", 1, Some("0.1000")),
            made("direct", "60", 2, Some("0.3000")),
            made("direct", "600", 1, Some("0.5000")),
            made("epidemic", "60", 1, None),
        ];
        (axes.map(|axis| Axis::parse(axis).unwrap()).to_vec(), rows)
    }

    #[test]
    fn a_combination_is_the_mean_over_its_seeds_and_says_how_sure_it_is() {
        let (axes, rows) = runs();
        let table = summed_up(&axes, &rows).table;
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0][..4], ["direct", "60", "2", "20.0 % ± 127.1"]);
        assert_eq!(
            table.rows[1][..4],
            ["direct", "600", "1", "50.0 %"],
            "nothing is known of how far one run lies off"
        );
        assert_eq!(table.rows[2][..4], ["epidemic", "60", "1", "–"]);
    }

    #[test]
    fn a_curve_has_a_line_a_strategy_and_the_ceiling_and_rises_along_the_setting() {
        let (axes, rows) = runs();
        let curves = summed_up(&axes, &rows).curves;
        assert_eq!(curves.len(), 1, "stores were not swept");
        let lines: Vec<(&str, Vec<(u64, String)>)> = curves[0]
            .lines
            .iter()
            .map(|line| (&*line.name, line.points.iter().map(|(at, share)| (*at, share.to_string())).collect()))
            .collect();
        let point = |at, share: &str| (at, share.to_owned());
        assert_eq!(lines[0], ("ceiling", vec![point(60, "0.9000"), point(600, "0.9000")]));
        assert_eq!(lines[1], ("direct", vec![point(60, "0.2000"), point(600, "0.5000")]));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn a_line_has_a_field_for_each_figure_that_any_run_has() {
        let (axes, rows) = runs();
        let text = csv(&axes, &["delivery_prob".to_owned(), "ceiling_prob".to_owned()], &rows);
        assert!(text.starts_with("run,seed,routing.strategy,bundle.lifetime,delivery_prob,ceiling_prob\n"), "{text}");
        assert_eq!(text.lines().last(), Some("epidemic1,1,epidemic,60,,0.9000"));
    }
}
