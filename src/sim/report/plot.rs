//! Plots as SVG text: lines and bars with axes that end on round numbers. Coordinates are tenths of a pixel, in integers.

use std::fmt::Write;

/// What the numbers of an axis mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Ten-thousandths, shown as percent.
    Share,
    /// Microseconds.
    Time,
    Bytes,
}

/// A plot of lines over two axes.
pub(super) struct Plot<'a> {
    /// For those who do not see it.
    pub(super) label: &'a str,
    pub(super) x: Axis<'a>,
    pub(super) y: Axis<'a>,
    pub(super) lines: Vec<Line<'a>>,
    /// Upright lines with a name: a lifetime, a quota.
    pub(super) marks: Vec<(u64, String)>,
}

pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    pub(super) unit: Unit,
    /// At least this far. Upright, an axis goes on to a round number; level, it ends with what there is.
    pub(super) max: u64,
}

pub(super) struct Line<'a> {
    pub(super) name: String,
    /// The style sheet's name for its colour.
    pub(super) class: &'a str,
    /// In order of x.
    pub(super) points: Vec<(u64, u64)>,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Level until the next point.
    Steps,
    /// Straight from point to point, each with a dot.
    Dots,
    Area,
}

/// The drawing, in tenths of a pixel.
const WIDTH: u64 = 6_400;
const HEIGHT: u64 = 3_400;
const LEFT: u64 = 740;
const RIGHT: u64 = 160;
const TOP: u64 = 250;
const BOTTOM: u64 = 470;
/// The style sheet's name for the line that is broken.
const BROKEN: &str = "s2";
/// A label whose middle is nearer than this to the right edge ends there.
const LABEL_HALF: u64 = 300;
/// More points than a screen has columns say nothing more.
const POINTS_MAX: usize = 500;

/// Divides a range into a few round steps.
struct Scale {
    unit: Unit,
    step: u64,
    max: u64,
}

impl Scale {
    fn of(unit: Unit, max: u64, steps: u64) -> Scale {
        let max = max.max(1);
        let step = round_steps(unit).find(|step| max.div_ceil(*step) <= steps).unwrap_or(max);
        Scale { unit, step, max: max.div_ceil(step) * step }
    }

    /// The same steps, and no room beyond the end.
    fn to_the_end(unit: Unit, max: u64, steps: u64) -> Scale {
        Scale { max: max.max(1), ..Scale::of(unit, max, steps) }
    }

    fn place(&self, value: u64, length: u64) -> u64 {
        (u128::from(value.min(self.max)) * u128::from(length) / u128::from(self.max)) as u64
    }

    /// All ticks of an axis in one unit: that of its step.
    fn label(&self, tick: u64) -> String {
        const HOUR: u64 = 3_600_000_000;
        match self.unit {
            Unit::Time if tick == 0 || self.step < 60_000_000 => shown(self.unit, tick),
            Unit::Time if self.step.is_multiple_of(24 * HOUR) => format!("{} d", tick / (24 * HOUR)),
            Unit::Time if self.step.is_multiple_of(HOUR) => format!("{} h", tick / HOUR),
            Unit::Time => format!("{} min", tick / 60_000_000),
            _ => shown(self.unit, tick),
        }
    }

    fn ticks(&self) -> impl Iterator<Item = u64> + '_ {
        (0..=self.max / self.step).map(|tick| tick * self.step)
    }
}

/// Steps that people count in, from small to large.
fn round_steps(unit: Unit) -> Box<dyn Iterator<Item = u64>> {
    const SECOND: u64 = 1_000_000;
    const SPANS: [u64; 26] = [
        1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400,
        172_800, 432_000, 864_000, 1_728_000, 4_320_000, 8_640_000, 31_536_000,
    ];
    let decimal = |first: u64| (0..18).flat_map(move |power| [1, 2, 5].map(|digit| digit * first * 10u64.pow(power)));
    match unit {
        Unit::Time => Box::new(decimal(1).take(18).chain(SPANS.map(|seconds| seconds * SECOND))),
        Unit::Share => Box::new([100, 200, 500, 1_000, 2_000].into_iter()),
        Unit::Bytes => Box::new(decimal(1)),
    }
}

/// A number with its unit, as short as it can be.
pub(super) fn shown(unit: Unit, value: u64) -> String {
    let with = |value: u64, name: &str, one: u64| {
        // One decimal, where it is not 0.
        let tenths = (u128::from(value) * 10 + u128::from(one) / 2) / u128::from(one);
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            tenth => format!("{}.{tenth} {name}", tenths / 10),
        }
    };
    let largest = |units: &[(&str, u64)]| {
        let (name, one) = units.iter().rfind(|(_, one)| value >= *one - one / 20).unwrap_or(&units[0]);
        with(value, name, *one)
    };
    match unit {
        _ if value == 0 => "0".into(),
        Unit::Share => with(value, "%", 100),
        Unit::Time => largest(&[
            ("µs", 1),
            ("ms", 1_000),
            ("s", 1_000_000),
            ("min", 60_000_000),
            ("h", 3_600_000_000),
            ("d", 86_400_000_000),
        ]),
        Unit::Bytes => largest(&[("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)]),
    }
}

/// Draws lines, with a legend below them where there are several.
pub(super) fn draw(plot: &Plot) -> String {
    let farthest = |pick: fn(&(u64, u64)) -> u64| plot.lines.iter().flat_map(|line| line.points.iter().map(pick)).max();
    let x = Scale::to_the_end(plot.x.unit, plot.x.max.max(farthest(|point| point.0).unwrap_or(0)), 5);
    let y = Scale::of(plot.y.unit, plot.y.max.max(farthest(|point| point.1).unwrap_or(0)), 6);
    let mut svg = open(plot.label, HEIGHT);
    axes(&mut svg, Some(&x), &y, [plot.x.name, plot.y.name]);
    let at = |(px, py): (u64, u64)| {
        (LEFT + x.place(px, WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y.place(py, HEIGHT - TOP - BOTTOM))
    };
    for (value, name) in &plot.marks {
        let (mark_x, _) = at((*value, 0));
        let end = if mark_x > WIDTH * 3 / 4 { "end" } else { "middle" };
        let text_x = px(mark_x);
        let (mark_x, top, bottom) = (px(mark_x), px(TOP), px(HEIGHT - BOTTOM));
        add(&mut svg, format_args!("<path class=\"mark\" d=\"M{mark_x} {top}V{bottom}\"/>"));
        let text_y = px(TOP - 90);
        let name = escaped(name);
        add(
            &mut svg,
            format_args!("<text class=\"note\" x=\"{text_x}\" y=\"{text_y}\" text-anchor=\"{end}\">{name}</text>"),
        );
    }
    // A broken line is drawn over the one that may lie on it.
    let is_broken = |line: &&Line| line.class == BROKEN;
    let (above, below): (Vec<_>, Vec<_>) = plot.lines.iter().partition(is_broken);
    for line in below.into_iter().chain(above) {
        draw_line(&mut svg, line, &at, px(HEIGHT - BOTTOM));
    }
    svg.push_str("</svg>");
    if plot.lines.len() > 1 {
        svg.push_str(&legend(plot));
    }
    svg
}

fn draw_line(svg: &mut String, line: &Line, at: &dyn Fn((u64, u64)) -> (u64, u64), bottom: String) {
    let stride = line.points.len().div_ceil(POINTS_MAX).max(1);
    let last = line.points.len().saturating_sub(1);
    let kept = line.points.iter().enumerate().filter(|(place, _)| place % stride == 0 || *place == last);
    let points: Vec<(u64, u64)> = kept.map(|(_, point)| at(*point)).collect();
    let Some((first_x, first_y)) = points.first().copied() else { return };
    let mut path = format!("M{} {}", px(first_x), px(first_y));
    for (x, y) in &points[1..] {
        let (x, y) = (px(*x), px(*y));
        match line.shape {
            Shape::Steps => write!(path, "H{x}V{y}"),
            Shape::Dots | Shape::Area => write!(path, "L{x} {y}"),
        }
        .expect("writing to a string cannot fail");
    }
    let class = line.class;
    if line.shape == Shape::Area {
        let (first_x, last_x) = (px(first_x), px(points[points.len() - 1].0));
        add(svg, format_args!("<path class=\"area {class}\" d=\"{path}L{last_x} {bottom}L{first_x} {bottom}Z\"/>"));
    }
    add(svg, format_args!("<path class=\"line {class}\" d=\"{path}\"/>"));
    if line.shape == Shape::Dots {
        for (x, y) in &points {
            add(svg, format_args!("<circle class=\"dot {class}\" cx=\"{}\" cy=\"{}\" r=\"3.2\"/>", px(*x), px(*y)));
        }
    }
}

/// Bars have no numbers along x.
fn axes(svg: &mut String, x: Option<&Scale>, y: &Scale, [x_name, y_name]: [&str; 2]) {
    let (left, right, bottom) = (px(LEFT), px(WIDTH - RIGHT), HEIGHT - BOTTOM);
    for tick in y.ticks() {
        let place = bottom - y.place(tick, HEIGHT - TOP - BOTTOM);
        let class = if tick == 0 { "axis" } else { "grid" };
        add(svg, format_args!("<path class=\"{class}\" d=\"M{left} {}H{right}\"/>", px(place)));
        let (text_x, text_y) = (px(LEFT - 80), px(place + 40));
        let text = y.label(tick);
        add(svg, format_args!("<text class=\"tick\" x=\"{text_x}\" y=\"{text_y}\" text-anchor=\"end\">{text}</text>"));
    }
    for (x, tick) in x.iter().flat_map(|x| x.ticks().map(move |tick| (x, tick))) {
        let place = LEFT + x.place(tick, WIDTH - LEFT - RIGHT);
        let (top, end) = (px(bottom), px(bottom + 45));
        add(svg, format_args!("<path class=\"axis\" d=\"M{} {top}V{end}\"/>", px(place)));
        // The last label would be cut in half at the edge.
        let is_last = place + LABEL_HALF > WIDTH;
        let anchor = if is_last { "end" } else { "middle" };
        let (text_x, text_y) = (px(if is_last { WIDTH - 40 } else { place }), px(bottom + 190));
        let text = x.label(tick);
        add(
            svg,
            format_args!("<text class=\"tick\" x=\"{text_x}\" y=\"{text_y}\" text-anchor=\"{anchor}\">{text}</text>"),
        );
    }
    let (middle, low) = (px(LEFT + (WIDTH - LEFT - RIGHT) / 2), px(HEIGHT - 60));
    add(
        svg,
        format_args!(
            "<text class=\"name\" x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>",
            escaped(x_name)
        ),
    );
    let half = px(TOP + (HEIGHT - TOP - BOTTOM) / 2);
    let name = escaped(y_name);
    add(
        svg,
        format_args!(
            "<text class=\"name upright\" transform=\"translate(11 {half}) rotate(-90)\" text-anchor=\"middle\">{name}</text>"
        ),
    );
}

fn legend(plot: &Plot) -> String {
    let mut legend = String::from("<ul class=\"legend\">");
    for Line { name, class, .. } in &plot.lines {
        let name = escaped(name);
        add(
            &mut legend,
            format_args!(
                "<li><svg aria-hidden=\"true\" viewBox=\"0 0 28 8\"><path class=\"line {class}\" d=\"M1 4H27\"/></svg>{name}</li>"
            ),
        );
    }
    legend.push_str("</ul>");
    legend
}

/// Draws one upright bar a value, each of two parts stacked: `(first, second, title)`.
pub(super) fn draw_bars(
    label: &str,
    y_name: &str,
    x_name: &str,
    bars: &[(u64, u64, String)],
    classes: [&str; 2],
) -> String {
    let highest = bars.iter().map(|(first, second, _)| first + second).max().unwrap_or(0);
    let y = Scale::of(Unit::Bytes, highest, 6);
    let mut svg = open(label, HEIGHT);
    axes(&mut svg, None, &y, [x_name, y_name]);
    let (room, count) = (WIDTH - LEFT - RIGHT, bars.len().max(1) as u64);
    for (place, (first, second, title)) in (0..).zip(bars) {
        let (start, end) = (LEFT + room * place / count, LEFT + room * (place + 1) / count);
        let gap = ((end - start) / 6).min(40);
        let width = px((end - start).saturating_sub(gap).max(4));
        let tall = |value| y.place(value, HEIGHT - TOP - BOTTOM);
        let (low, high) = (tall(*first), tall(first + second));
        let (base, x) = (HEIGHT - BOTTOM, px(start + gap / 2));
        let part = |class, from: u64, to: u64| {
            format!(
                "<rect class=\"bar {class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\"/>",
                px(base - to),
                px(to - from)
            )
        };
        let (one, two) = (part(classes[0], 0, low), part(classes[1], low, high));
        add(&mut svg, format_args!("<g><title>{}</title>{one}{two}</g>", escaped(title)));
    }
    svg.push_str("</svg>");
    svg
}

fn open(label: &str, height: u64) -> String {
    let (width, height) = (WIDTH / 10, height / 10);
    format!("<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">", escaped(label))
}

fn add(svg: &mut String, part: std::fmt::Arguments) {
    svg.write_fmt(part).expect("writing to a string cannot fail");
}

/// Tenths of a pixel as pixels.
fn px(tenths: u64) -> String {
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// Text made safe for the page, in elements and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_on_round_numbers() {
        let ticks = |unit, max| {
            let scale = Scale::of(unit, max, 5);
            scale.ticks().map(|tick| scale.label(tick)).collect::<Vec<_>>()
        };
        assert_eq!(ticks(Unit::Share, 10_000), ["0", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert_eq!(ticks(Unit::Time, 17_000_000_000), ["0", "1 h", "2 h", "3 h", "4 h", "5 h"]);
        assert_eq!(ticks(Unit::Time, 7_000_000_000), ["0", "30 min", "60 min", "90 min", "120 min"]);
        assert_eq!(ticks(Unit::Bytes, 4_700_000), ["0", "1 MB", "2 MB", "3 MB", "4 MB", "5 MB"]);
        assert_eq!(ticks(Unit::Bytes, 0), ["0", "1 B"]);
        let level = Scale::to_the_end(Unit::Time, 49 * 3_600_000_000, 5);
        assert_eq!((level.ticks().last(), level.max), (Some(48 * 3_600_000_000), 49 * 3_600_000_000));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(shown(Unit::Time, 5_400_000_000), "1.5 h");
        assert_eq!(shown(Unit::Bytes, 1_234_567), "1.2 MB");
        assert_eq!(shown(Unit::Share, 3_456), "34.6 %");
        assert_eq!(shown(Unit::Share, 417), "4.2 %");
        assert_eq!(shown(Unit::Share, 9_996), "100 %");
        assert_eq!(shown(Unit::Bytes, 3_085_710), "3.1 MB");
        assert_eq!(shown(Unit::Bytes, 999_960), "1 MB");
    }

    #[test]
    fn a_plot_of_nothing_is_still_a_plot() {
        let axis = || Axis { name: "<x>", unit: Unit::Time, max: 0 };
        let plot = Plot { label: "none", x: axis(), y: axis(), lines: Vec::new(), marks: Vec::new() };
        let svg = draw(&plot);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && svg.contains("&lt;x&gt;"));
        assert!(draw_bars("none", "y", "x", &[], ["s1", "s2"]).ends_with("</svg>"));
    }
}
