//! When two polylines come within a distance of each other, in integers.

use crate::sim::trace::{Change, ContactEvent};

/// A node's way through a window: points in whole millimetres, straight lines at constant speed between.
#[derive(Clone, Debug)]
pub(super) struct Polyline {
    pub(super) node: u32,
    /// Time, x, y; in order of time, two or more.
    points: Vec<(u64, i64, i64)>,
}

/// Where one node stands, seen from another.
type Offset = (i64, i64);

impl Polyline {
    pub(super) fn of(node: u32) -> Polyline {
        Polyline { node, points: Vec::new() }
    }

    pub(super) fn restart(&mut self, at_us: u64, place: (i64, i64)) {
        self.points.clear();
        self.push(at_us, place);
    }

    pub(super) fn push(&mut self, at_us: u64, (x, y): (i64, i64)) {
        // Several points of one instant are rests without length: the last is where the node is.
        if self.points.len() > 1 && self.points.last().is_some_and(|last| last.0 == at_us) {
            self.points.pop();
        }
        self.points.push((at_us, x, y));
    }

    pub(super) fn first(&self) -> (i64, i64) {
        let (_, x, y) = self.points[0];
        (x, y)
    }

    fn is_straight(&self) -> bool {
        self.points.len() == 2
    }

    /// The place at a time within the window, rounded to a millimetre.
    fn at(&self, now_us: u64) -> (i64, i64) {
        let next = self.points.partition_point(|point| point.0 < now_us);
        let (end_us, x1, y1) = self.points[next.min(self.points.len() - 1)];
        if next == 0 || end_us <= now_us {
            return (x1, y1);
        }
        let (start_us, x0, y0) = self.points[next - 1];
        let (passed, whole) = ((now_us - start_us) as i64, (end_us - start_us) as i64);
        (x0 + (x1 - x0) * passed / whole, y0 + (y1 - y0) * passed / whole)
    }
}

/// Adds the events of one pair in a window: those after its start, and at its start where the run begins there.
pub(super) fn crossings(
    a: u32,
    b: u32,
    paths: &[Polyline],
    range_mm: u64,
    is_first_window: bool,
    events: &mut Vec<ContactEvent>,
) {
    let (one, other) = (&paths[a as usize], &paths[b as usize]);
    let range = i64::try_from(range_mm).expect("a plane is smaller").pow(2);
    let mut add = |at_us, change| events.push(ContactEvent { at_us, change, a, b });
    let (start_us, stop_us) = (one.points[0].0, one.points[one.points.len() - 1].0);
    let first = offset(one.first(), other.first());
    if is_first_window && squared(first) <= range {
        add(start_us, Change::Up);
    }
    if one.is_straight() && other.is_straight() {
        let last = offset((one.points[1].1, one.points[1].2), (other.points[1].1, other.points[1].2));
        return cross_leg((start_us, first), (stop_us, last), range, &mut add);
    }
    let mut times: Vec<u64> = one.points.iter().chain(&other.points).map(|point| point.0).collect();
    times.sort_unstable();
    times.dedup();
    let mut before = (start_us, first);
    for now_us in times.into_iter().skip(1) {
        let after = (now_us, offset(one.at(now_us), other.at(now_us)));
        cross_leg(before, after, range, &mut add);
        before = after;
    }
}

/// The events in `(start, stop]` of two nodes that move straight from one offset to another; `range` is squared.
fn cross_leg(
    (start_us, from): (u64, Offset),
    (stop_us, to): (u64, Offset),
    range: i64,
    add: &mut impl FnMut(u64, Change),
) {
    // The distance squared at the fraction f of the leg is a f² + 2 b f + c + range.
    let step = offset(to, from);
    let (a, b) = (squared(step), from.0 * step.0 + from.1 * step.1);
    let (c, c_at_end) = (squared(from) - range, squared(to) - range);
    let at = |fraction_times_a: i128| {
        let passed = (i128::from(stop_us - start_us) * fraction_times_a).div_euclid(i128::from(a).max(1)) + 1;
        (start_us + passed.max(1) as u64).min(stop_us)
    };
    let root = || (i128::from(b) * i128::from(b) - i128::from(a) * i128::from(c)).max(0).isqrt();
    match (c <= 0, c_at_end <= 0) {
        (true, true) => {}
        (true, false) => add(at(-i128::from(b) + root()), Change::Down),
        (false, true) => add(at(-i128::from(b) - root()), Change::Up),
        // Outside at both ends: they come near only where the closest point lies between.
        (false, false) if b < 0 && a + b > 0 && root() > 0 => {
            let (up_us, down_us) = (at(-i128::from(b) - root()), at(-i128::from(b) + root()));
            if up_us < down_us {
                add(up_us, Change::Up);
                add(down_us, Change::Down);
            }
        }
        (false, false) => {}
    }
}

fn offset(one: (i64, i64), other: (i64, i64)) -> Offset {
    (one.0 - other.0, one.1 - other.1)
}

fn squared(offset: Offset) -> i64 {
    offset.0 * offset.0 + offset.1 * offset.1
}
