//! One page with everything: plots, a map that plays, every figure. It loads nothing and works from a file.

use std::fmt::Write;

use crate::sim::report::plot::{Axis, Line, Plot, Shape, Unit, draw, draw_bars, escaped, shown};
use crate::sim::report::{Curves, Decimal, Figure, MessageRow, Report, Sweep, Swept, map};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Bars of the plot of load; more nodes share one.
const BARS_MAX: usize = 120;

/// The page of a report.
pub fn page(report: &Report) -> String {
    let head = &report.head;
    let title = escaped(head.title.as_deref().unwrap_or(&head.scenario));
    let mut page = String::with_capacity(200_000);
    let mut add = |part: &str| page.push_str(part);
    add("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    add("<meta name=\"color-scheme\" content=\"light dark\">\n");
    // Nothing is loaded, and nothing could be. In capitals, so that who searches for addresses finds none.
    add(
        "<meta HTTP-EQUIV=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n",
    );
    add(&format!("<title>{title} · dak sim</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"));
    add(&header(report, &title));
    add("<main>\n");
    if let Some(sweep) = &report.sweep {
        add(&swept_section(report, sweep));
    }
    add(&cards(report));
    add("<div class=\"figures\">\n");
    add(&figure("How soon messages arrive", &delay_note(report), &delays(report)));
    add(&figure("What the stores hold", &occupancy_note(report), &occupancy(report)));
    add(&figure("Load per node", "Bytes sent and received, busiest node first.", &load(report)));
    add(&figure("Where the bytes went", "Everything that crossed a link, by kind.", &kinds(report)));
    add("</div>\n");
    add(&map_section(report));
    add(&details(report));
    add("</main>\n");
    add(&footer(report));
    add(&format!("<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
    page
}

/// What a whole sweep shows, before the plots of one of its runs.
fn swept_section(report: &Report, sweep: &Sweep) -> String {
    let mut html = String::from("<div class=\"figures\">\n");
    for curves in &sweep.curves {
        let what = if curves.what == Swept::Lifetime { "lifetime" } else { "store" };
        let note = "Share delivered on average over all runs, one line a strategy.";
        html.push_str(&figure(&format!("Delivery by {what}"), note, &curve(curves)));
    }
    html.push_str("</div>\n<section class=\"mapbox\">\n<h2>Every combination</h2>\n");
    writeln!(html, "<p class=\"note\">{}</p>", escaped(&sweep.note)).expect(CANNOT_FAIL);
    html.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for name in &sweep.table.names {
        write!(html, "<th scope=\"col\">{}</th>", escaped(name)).expect(CANNOT_FAIL);
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &sweep.table.rows {
        let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        writeln!(html, "<tr>{cells}</tr>").expect(CANNOT_FAIL);
    }
    let (strategy, seed) = (escaped(&report.head.strategy), report.head.seed);
    writeln!(
        html,
        "</tbody></table></div>\n</section>\n<h2 class=\"part\">Its first run: {strategy}, seed {seed}, under the settings of the first line above</h2>"
    )
    .expect(CANNOT_FAIL);
    html
}

fn header(report: &Report, title: &str) -> String {
    let head = &report.head;
    let lifetime = head.lifetime_us.map_or("the whole run".into(), |us| shown(Unit::Time, us));
    let quota = head.quota_bytes.map_or("unbounded".into(), |bytes| shown(Unit::Bytes, bytes));
    let facts = [
        ("Strategy", head.strategy.clone()),
        ("Nodes", head.nodes.to_string()),
        ("Contacts", head.contacts.to_string()),
        ("Duration", shown(Unit::Time, head.duration_us)),
        ("Lifetime", lifetime),
        ("Store", quota),
        ("Link", head.link.clone()),
        ("Seed", head.seed.to_string()),
    ];
    let kind = if report.sweep.is_some() { "dak sim sweep" } else { "dak sim report" };
    let mut html = format!("<header>\n<p class=\"kind\">{kind}</p>\n<h1>{title}</h1>\n");
    if report.sweep.is_some() {
        return html + "</header>\n";
    }
    html.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escaped(&value)).expect(CANNOT_FAIL);
    }
    html.push_str("</dl>\n</header>\n");
    html
}

fn cards(report: &Report) -> String {
    let s = &report.summary;
    let percent = |share: Option<Decimal>| share.map_or("–".into(), |share| shown(Unit::Share, share.0 as u64));
    let seconds = |value: Option<Decimal>| value.map_or("–".into(), |value| shown(Unit::Time, value.0 as u64 * 100));
    let tenths = |value: Option<Decimal>| value.map_or("–".into(), one_decimal);
    let untrue = match (s.status_checked, s.status_untrue) {
        (0, _) => ("–".into(), "not checked".to_owned()),
        (checked, 0) => ("true".into(), format!("all {checked} states checked")),
        (checked, untrue) => (format!("{untrue} untrue"), format!("of {checked} states checked")),
    };
    let cards = [
        ("Delivered", percent(s.delivery_prob), format!("{} of {} messages", s.delivered, s.created)),
        ("Possible at best", percent(s.ceiling_prob), format!("{} of the possible arrived", percent(s.ceiling_share))),
        (
            "Median delay",
            seconds(s.latency_med),
            format!("{} over all that could arrive", seconds(s.ceiling_latency_med)),
        ),
        (
            "Overhead",
            tenths(s.overhead_ratio),
            format!("{} transfers, {} hops on average", s.relayed, tenths(s.hopcount_avg)),
        ),
        ("Fullest store", shown(Unit::Bytes, s.occupancy_max), format!("{} copies dropped", s.dropped)),
        ("Status shown", untrue.0, untrue.1),
    ];
    let mut html = String::from("<section class=\"cards\" aria-label=\"In short\">\n");
    for (name, value, note) in cards {
        writeln!(
            html,
            "<div class=\"card\"><h2>{name}</h2><p class=\"value\">{value}</p><p class=\"note\">{note}</p></div>"
        )
        .expect(CANNOT_FAIL);
    }
    html.push_str("</section>\n");
    html
}

fn one_decimal(value: Decimal) -> String {
    let tenths = (value.0 + 500 * value.0.signum()) / 1_000;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

fn figure(title: &str, note: &str, drawing: &str) -> String {
    let (title, note) = (escaped(title), escaped(note));
    format!("<figure>\n<figcaption><h2>{title}</h2><p>{note}</p></figcaption>\n{drawing}\n</figure>\n")
}

fn delay_note(report: &Report) -> String {
    match report.summary.ceiling_prob {
        Some(share) => format!(
            "Share of all messages that arrived within a delay. No strategy can rise above the earliest possible, {}.",
            shown(Unit::Share, share.0 as u64)
        ),
        None => "There were no messages.".into(),
    }
}

fn delays(report: &Report) -> String {
    let line = |name: &str, class, end: fn(&MessageRow) -> Option<u64>| {
        let ends = report.messages.iter().filter_map(|row| Some(end(row)?.saturating_sub(row.create_us)));
        let mut delays: Vec<u64> = ends.collect();
        delays.sort_unstable();
        let all = report.messages.len().max(1) as u64;
        let points = (1..).zip(delays).map(|(count, delay)| (delay, count * 10_000 / all));
        let mut points: Vec<(u64, u64)> = std::iter::once((0, 0)).chain(points).collect();
        points.push((x_max(report), points[points.len() - 1].1));
        Line { name: name.to_owned(), class, points, shape: Shape::Steps }
    };
    let ceiling = report.summary.ceiling_prob.map_or(0, |share| share.0.max(0) as u64);
    let ceiling = Line {
        name: "ceiling".into(),
        class: "level",
        points: vec![(0, ceiling), (x_max(report), ceiling)],
        shape: Shape::Steps,
    };
    let marks = report.head.lifetime_us.map(|us| (us, format!("lifetime {}", shown(Unit::Time, us))));
    draw(&Plot {
        label: "Share of messages delivered within a delay, against the earliest possible",
        x: Axis { name: "delay", unit: Unit::Time, max: x_max(report) },
        y: Axis { name: "delivered", unit: Unit::Share, max: 10_000 },
        lines: vec![
            line("earliest possible", "s2", |row| row.earliest_us),
            line("this run", "s1", |row| row.delivered_us),
            line("source meets recipient", "s3", |row| row.direct_us),
            ceiling,
        ],
        marks: marks.filter(|(us, _)| *us <= x_max(report)).into_iter().collect(),
    })
}

/// How far the axis of delays goes: to the lifetime, or to the latest arrival.
fn x_max(report: &Report) -> u64 {
    let ends = |row: &MessageRow| [row.delivered_us, row.earliest_us, row.direct_us].into_iter().flatten().max();
    let latest = report.messages.iter().filter_map(|row| Some(ends(row)?.saturating_sub(row.create_us))).max();
    latest.unwrap_or(0).max(report.head.lifetime_us.unwrap_or(0).min(report.head.duration_us)).max(1)
}

fn curve(curves: &Curves) -> String {
    let (name, unit) = match curves.what {
        Swept::Lifetime => ("lifetime", Unit::Time),
        Swept::Quota => ("store of each node", Unit::Bytes),
    };
    const CLASSES: [&str; 5] = ["s1", "s3", "s4", "s5", "s6"];
    let mut strategies = 0;
    let lines = curves.lines.iter().map(|line| {
        let class = if line.name == "ceiling" {
            "s2"
        } else {
            strategies += 1;
            CLASSES[(strategies - 1) % CLASSES.len()]
        };
        let points = line.points.iter().map(|(x, share)| (*x, share.0.max(0) as u64)).collect();
        Line { name: line.name.clone(), class, points, shape: Shape::Dots }
    });
    draw(&Plot {
        label: "Share of messages delivered against a setting",
        x: Axis { name, unit, max: 0 },
        y: Axis { name: "delivered", unit: Unit::Share, max: 10_000 },
        lines: lines.collect(),
        marks: Vec::new(),
    })
}

fn occupancy_note(report: &Report) -> String {
    let quota = match report.head.quota_bytes {
        Some(bytes) => format!("{} for what is carried for others; own mail counts apart", shown(Unit::Bytes, bytes)),
        None => "no bound".into(),
    };
    format!("Bytes held over time, by the average node and by the fullest. Quota: {quota}.")
}

fn occupancy(report: &Report) -> String {
    let nodes = u64::from(report.head.nodes.max(1));
    let line = |name: &str, class, shape, of: &dyn Fn(u64, u64) -> u64| {
        let points = report.occupancy.iter().map(|sample| (sample.at_us, of(sample.bytes, sample.bytes_max)));
        Line { name: name.to_owned(), class, points: points.collect(), shape }
    };
    draw(&Plot {
        label: "Bytes held in the stores over time",
        x: Axis { name: "time", unit: Unit::Time, max: report.head.duration_us },
        y: Axis { name: "held", unit: Unit::Bytes, max: 0 },
        lines: vec![
            line("average node", "s1", Shape::Area, &|all, _| all / nodes),
            line("fullest node", "s3", Shape::Steps, &|_, fullest| fullest),
        ],
        marks: Vec::new(),
    })
}

fn load(report: &Report) -> String {
    let mut load: Vec<(u64, u64, usize)> =
        report.load.iter().enumerate().map(|(node, load)| (load.sent_bytes, load.received_bytes, node)).collect();
    load.sort_by_key(|(sent, received, node)| (std::cmp::Reverse(sent + received), *node));
    let shared = load.len().div_ceil(BARS_MAX).max(1);
    let bars: Vec<(u64, u64, String)> = load
        .chunks(shared)
        .map(|group| {
            let of = |pick: fn(&(u64, u64, usize)) -> u64| group.iter().map(pick).sum::<u64>() / group.len() as u64;
            let (sent, received) = (of(|node| node.0), of(|node| node.1));
            let who = match group {
                [(_, _, node)] => format!("node {node}"),
                _ => format!("average of {} nodes", group.len()),
            };
            let title = format!("{who}: {} sent, {} received", shown(Unit::Bytes, sent), shown(Unit::Bytes, received));
            (sent, received, title)
        })
        .collect();
    let svg = draw_bars("Bytes sent and received by each node", "bytes", "nodes, busiest first", &bars, ["s1", "s4"]);
    let key = |class: &str, name: &str| format!("<li><span class=\"swatch {class}\"></span>{name}</li>");
    format!("{svg}<ul class=\"legend\">{}{}</ul>", key("s1", "sent"), key("s4", "received"))
}

fn kinds(report: &Report) -> String {
    let s = &report.summary;
    let arrived: u64 = report.messages.iter().filter(|row| row.delivered_us.is_some()).map(|row| row.size).sum();
    let useful = arrived.min(s.bytes_bundles);
    let kinds = [
        ("s1", "messages, once each", useful),
        ("s3", "further copies and hops", s.bytes_bundles - useful),
        ("s4", "receipts", s.bytes_receipts),
        ("s5", "control: summaries, acceptance", s.bytes_control),
    ];
    let all = kinds.iter().map(|(_, _, bytes)| bytes).sum::<u64>().max(1);
    let mut html = String::from("<div class=\"stack\" aria-hidden=\"true\">");
    for (class, _, bytes) in kinds.iter().filter(|(_, _, bytes)| *bytes > 0) {
        let width = one_decimal(Decimal((u128::from(*bytes) * 1_000_000 / u128::from(all)) as i64));
        write!(html, "<span class=\"swatch {class}\" style=\"width:{width}%\"></span>").expect(CANNOT_FAIL);
    }
    html.push_str("</div><table class=\"kinds\"><tbody>");
    for (class, name, bytes) in kinds {
        let share = shown(Unit::Share, (u128::from(bytes) * 10_000 / u128::from(all)) as u64);
        let bytes = shown(Unit::Bytes, bytes);
        write!(html, "<tr><th scope=\"row\"><span class=\"swatch {class}\"></span>{name}</th><td>{bytes}</td><td>{share}</td></tr>")
            .expect(CANNOT_FAIL);
    }
    let total = shown(Unit::Bytes, if all == 1 { 0 } else { all });
    write!(html, "<tr class=\"total\"><th scope=\"row\">all</th><td>{total}</td><td></td></tr></tbody></table>")
        .expect(CANNOT_FAIL);
    html
}

fn map_section(report: &Report) -> String {
    let map = map::draw(report);
    let left_out = map.left_out.unwrap_or_default();
    format!(
        "<section class=\"mapbox\" aria-labelledby=\"map-title\">\n<h2 id=\"map-title\">Who meets whom, and how messages move</h2>\n\
        <p class=\"note\">Nodes that meet often stand near each other. Play it, or follow one message. {left_out}</p>\n\
        <div class=\"mapgrid\">\n{}\n<div class=\"controls\" id=\"controls\" hidden>\n\
        <div class=\"row\"><button type=\"button\" id=\"play\">Play</button>\n\
        <output id=\"clock\" for=\"time\"></output></div>\n\
        <label for=\"time\">Time</label>\n<input type=\"range\" id=\"time\" min=\"0\" max=\"1000\" value=\"0\" step=\"1\">\n\
        <label for=\"speed\">The whole run in</label>\n<select id=\"speed\"><option value=\"240\">4 min</option>\
        <option value=\"60\" selected>1 min</option><option value=\"20\">20 s</option></select>\n\
        <label for=\"message\">Message</label>\n<select id=\"message\"><option value=\"-1\">all messages</option></select>\n\
        <p id=\"fate\" class=\"note\" aria-live=\"polite\"></p>\n\
        <ul class=\"legend\"><li><span class=\"swatch live\"></span>contact</li>\
        <li><span class=\"swatch dotmark\"></span>message on its way</li>\
        <li><span class=\"swatch has\"></span>has received a copy</li><li><span class=\"swatch goal\"></span>recipient</li></ul>\n\
        </div>\n</div>\n<noscript><p class=\"note\">The map plays where scripts are allowed.</p></noscript>\n\
        <script type=\"application/json\" id=\"data\">{}</script>\n</section>\n",
        map.svg, map.data
    )
}

fn details(report: &Report) -> String {
    let mut html = String::from("<details>\n<summary>All figures</summary>\n<table class=\"all\"><tbody>\n");
    for (name, figure) in report.summary.figures() {
        let value = match figure {
            Figure::Count(count) => count.to_string(),
            Figure::Decimal(decimal) => decimal.map_or("–".into(), |decimal| decimal.to_string()),
        };
        writeln!(html, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>").expect(CANNOT_FAIL);
    }
    let scenario = escaped(&report.head.scenario_text);
    write!(html, "</tbody></table>\n</details>\n<details>\n<summary>The scenario</summary>\n<pre tabindex=\"0\">{scenario}</pre>\n</details>\n")
        .expect(CANNOT_FAIL);
    html
}

fn footer(report: &Report) -> String {
    let head = &report.head;
    let rows = [
        ("scenario", head.scenario.clone()),
        ("scenario hash", head.scenario_hash.clone()),
        ("seed", head.seed.to_string()),
        ("commit", head.commit.clone()),
        ("events", head.events.to_string()),
        ("event hash", head.event_hash.clone()),
    ];
    let mut html = String::from(
        "<footer>\n<p>The same scenario, seed and commit give this page again, byte for byte.</p>\n<dl>\n",
    );
    for (name, value) in rows {
        writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escaped(&value)).expect(CANNOT_FAIL);
    }
    html.push_str("</dl>\n</footer>\n");
    html
}

const CANNOT_FAIL: &str = "writing to a string cannot fail";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::report::{SweepLine, Table, example};

    #[test]
    fn the_page_draws_every_plot_and_loads_nothing() {
        let mut report = example::report();
        let points = vec![(3_600_000_000, Decimal(2_000)), (7_200_000_000, Decimal(4_000))];
        let lines = ["ceiling", "default"].map(|name| SweepLine { name: name.into(), points: points.clone() });
        let curves = vec![Curves { what: Swept::Lifetime, lines: lines.to_vec() }];
        let table = Table { names: vec!["runs".into()], rows: vec![vec!["12 <b>".into()]] };
        report.sweep = Some(Sweep { note: "Averages.".into(), curves, table });
        let page = page(&report);
        assert!(page.matches("<svg class=\"plot\"").count() == 4 && page.contains("<svg id=\"map\""));
        for loader in ["http://", "https://", "src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(loader), "{loader}");
        }
        assert!(page.contains(&report.head.scenario_hash) && page.contains(&report.head.commit));
        assert!(page.contains("12 &lt;b&gt;") && !page.contains("http"));
    }

    #[test]
    fn what_a_file_says_never_becomes_part_of_the_page() {
        let mut report = example::report();
        let hostile = "</script><img src=x onerror=alert(1)>\"'&";
        report.head.title = Some(hostile.into());
        report.head.scenario = hostile.into();
        report.head.scenario_text = hostile.into();
        report.head.strategy = hostile.into();
        report.head.commit = hostile.into();
        report.messages.iter_mut().for_each(|row| row.id = hostile.into());
        assert!(!page(&report).contains("<img"));
    }

    #[test]
    fn an_empty_run_still_has_a_page() {
        let mut report = example::report();
        report.messages.clear();
        report.occupancy.clear();
        report.load.clear();
        report.summary = Default::default();
        report.contacts = crate::sim::report::Thinned::new(10);
        report.moves = crate::sim::report::Moves::new(10);
        assert!(page(&report).ends_with("</html>\n"));
    }
}
