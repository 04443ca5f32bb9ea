//! Nodes that walk over a plane and are in contact within a range: random waypoints, home cells, routes.
//!
//! Time is cut into windows in which no node can cross more than half the range. In a window a node moves along a
//! polyline through whole millimetres; nodes near each other at its start (found by a grid) are compared leg by leg, and
//! the instant at which their distance crosses the range is the root of a quadratic, found in integers. Every pair sees
//! the same points at the window's edges, so no state of a pair needs to be kept from one window to the next.

use crate::sim::generate::walk::crossing::{Polyline, crossings};
use crate::sim::generate::walk::grid::Grid;
use crate::sim::random::Stream;
use crate::sim::trace::ContactEvent;

mod crossing;
mod grid;

/// Walkers, then the vehicles of the routes: the last ids belong to the last route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// All nodes, those of the routes included.
    pub nodes: u32,
    pub width_mm: u64,
    pub height_mm: u64,
    /// Nodes are in contact at this distance or less.
    pub range_mm: u64,
    /// Slowest and fastest leg of a walker, 1 mm/s or more.
    pub speed_mm_s: (u64, u64),
    /// Shortest and longest rest between two legs.
    pub pause_us: (u64, u64),
    /// Absent: the next goal is anywhere.
    pub homes: Option<Homes>,
    pub routes: Vec<Route>,
}

/// The plane is divided into cells, one a community, in rows from the top left; node `n` is at home in cell
/// `n % communities`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Homes {
    pub communities: u32,
    /// Columns and rows of the cells.
    cells: (u64, u64),
    /// How often in a million the next goal is at home.
    pub home_per_million: u32,
    /// Side of the square in the middle of the cell where everybody of it lives; none: all of the cell.
    pub side_mm: Option<u64>,
}

/// Vehicles that go from stop to stop, and from the last to the first again. One stop: they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Vehicles, spread over the stops at the start.
    pub nodes: u32,
    pub speed_mm_s: u64,
    pub pause_us: u64,
    pub stops_mm: Vec<(i64, i64)>,
}

/// Longest side of the plane: 2,000 km, so that coordinates fit 32 bits.
pub const SIDE_MM_MAX: u64 = 2_000_000_000;
/// Windows are no shorter, however fast a node is.
const WINDOW_US_MIN: u64 = 20_000;
/// Windows are no longer, however slow all nodes are.
const WINDOW_US_MAX: u64 = 600_000_000;
/// Rounding to millimetres moves a node by less than this.
const ROUNDING_MM: u64 = 4;

/// One node on its way.
struct Walker {
    stream: Stream,
    leg: Leg,
    /// The route and the next stop, for vehicles.
    route: Option<(usize, usize)>,
}

/// From one point to another; a rest has no distance.
#[derive(Clone, Copy)]
struct Leg {
    from: (i64, i64),
    to: (i64, i64),
    start_us: u64,
    end_us: u64,
    /// Millimetres a microsecond, times 2^40.
    velocity: (i64, i64),
    is_rest: bool,
}

impl Walk {
    /// The contacts in their order; those still up at the end have no end.
    pub(super) fn events(&self, seed: u64, end_us: u64) -> impl Iterator<Item = ContactEvent> + use<> {
        let walk = self.clone();
        let window_us = walk.window_us();
        let reach_mm = walk.range_mm + 2 * (walk.fastest_mm_s() * window_us).div_ceil(1_000_000) + ROUNDING_MM;
        let mut grid = Grid::new(walk.width_mm, walk.height_mm, reach_mm, walk.nodes);
        let mut walkers: Vec<Walker> = (0..walk.nodes).map(|node| walk.walker(node, seed)).collect();
        let mut paths: Vec<Polyline> = (0..walk.nodes).map(Polyline::of).collect();
        let mut start_us = 0;
        let mut ready: Vec<ContactEvent> = Vec::new();
        std::iter::from_fn(move || {
            while ready.is_empty() && start_us < end_us {
                let stop_us = (start_us + window_us).min(end_us);
                for (walker, path) in walkers.iter_mut().zip(&mut paths) {
                    walk.follow(walker, path, start_us, stop_us);
                }
                grid.for_near_pairs(&paths, |a, b| {
                    crossings(a, b, &paths, walk.range_mm, start_us == 0, &mut ready);
                });
                // Taken from the back.
                ready.sort_unstable_by(|one, other| other.cmp(one));
                start_us = stop_us;
            }
            ready.pop()
        })
    }

    /// The number of walkers, which have the first ids.
    fn walkers(&self) -> u32 {
        self.nodes - self.routes.iter().map(|route| route.nodes).sum::<u32>()
    }

    fn fastest_mm_s(&self) -> u64 {
        let walkers = if self.walkers() > 0 { self.speed_mm_s.1 } else { 0 };
        self.routes.iter().map(|route| route.speed_mm_s).fold(walkers, u64::max).max(1)
    }

    fn window_us(&self) -> u64 {
        (self.range_mm * 1_000_000 / (2 * self.fastest_mm_s())).clamp(WINDOW_US_MIN, WINDOW_US_MAX)
    }

    fn walker(&self, node: u32, seed: u64) -> Walker {
        let mut stream = Stream::new(seed, "walk", node);
        let mut first = self.walkers();
        for (number, route) in self.routes.iter().enumerate() {
            if (first..first + route.nodes).contains(&node) {
                let place = (node - first) as usize;
                let stop = place * route.stops_mm.len() / route.nodes as usize;
                let next = (stop + 1) % route.stops_mm.len();
                return Walker { stream, leg: Leg::rest(route.stops_mm[stop], 0, 0), route: Some((number, next)) };
            }
            first += route.nodes;
        }
        let place = self.goal(node, &mut stream);
        Walker { stream, leg: Leg::rest(place, 0, 0), route: None }
    }

    /// Draws where a walker goes next.
    fn goal(&self, node: u32, stream: &mut Stream) -> (i64, i64) {
        let (mut left, mut top, mut width, mut height) = (0, 0, self.width_mm, self.height_mm);
        if let Some(homes) = self.homes.filter(|homes| stream.chance(homes.home_per_million)) {
            let (columns, rows) = homes.cells;
            let home = u64::from(node % homes.communities);
            (width, height) = (width / columns, height / rows);
            (left, top) = (home % columns * width, home / columns * height);
            let side_mm = homes.side_mm.unwrap_or(u64::MAX);
            (left, width) = (left + width.saturating_sub(side_mm) / 2, width.min(side_mm));
            (top, height) = (top + height.saturating_sub(side_mm) / 2, height.min(side_mm));
        }
        ((left + stream.between(0, width)) as i64, (top + stream.between(0, height)) as i64)
    }

    /// The polyline of a node through a window, from its first to its last instant.
    fn follow(&self, walker: &mut Walker, path: &mut Polyline, start_us: u64, stop_us: u64) {
        path.restart(start_us, walker.leg.at(start_us));
        while walker.leg.end_us < stop_us {
            walker.leg = self.next_leg(path.node, walker);
            path.push(walker.leg.start_us, walker.leg.from);
        }
        path.push(stop_us, walker.leg.at(stop_us));
    }

    fn next_leg(&self, node: u32, walker: &mut Walker) -> Leg {
        let Leg { to: here, end_us: now_us, is_rest, .. } = walker.leg;
        let stream = &mut walker.stream;
        let Some((number, stop)) = walker.route else {
            return if is_rest {
                let goal = self.goal(node, stream);
                Leg::to(here, goal, now_us, stream.between(self.speed_mm_s.0, self.speed_mm_s.1))
            } else {
                Leg::rest(here, now_us, now_us + stream.between(self.pause_us.0, self.pause_us.1))
            };
        };
        let route = &self.routes[number];
        if route.stops_mm.len() == 1 {
            return Leg::rest(here, now_us, u64::MAX);
        }
        if !is_rest {
            return Leg::rest(here, now_us, now_us + route.pause_us);
        }
        walker.route = Some((number, (stop + 1) % route.stops_mm.len()));
        Leg::to(here, route.stops_mm[stop], now_us, route.speed_mm_s)
    }
}

impl Homes {
    /// Homes on a plane of that width and height, in cells as near to squares as its shape allows; of two alike, those
    /// that leave fewer cells empty, then those with fewer columns.
    pub fn on(plane_mm: (u64, u64), communities: u32, home_per_million: u32, side_mm: Option<u64>) -> Homes {
        let (width_mm, height_mm) = plane_mm;
        let count = u64::from(communities.max(1));
        let rows = |columns: u64| count.div_ceil(columns);
        // How much longer one side of a cell is than the other, in thousandths.
        let stretch = |columns: u64| {
            let wide = u128::from(width_mm) * u128::from(rows(columns));
            let high = u128::from(height_mm) * u128::from(columns);
            wide.max(high) * 1_000 / wide.min(high).max(1)
        };
        let order = |columns: &u64| (stretch(*columns), columns * rows(*columns) - count, *columns);
        let columns = (1..=count).min_by_key(order).unwrap_or(1);
        Homes { communities, cells: (columns, rows(columns)), home_per_million, side_mm }
    }
}

impl Leg {
    fn rest(place: (i64, i64), start_us: u64, end_us: u64) -> Leg {
        Leg { from: place, to: place, start_us, end_us, velocity: (0, 0), is_rest: true }
    }

    fn to(from: (i64, i64), to: (i64, i64), start_us: u64, speed_mm_s: u64) -> Leg {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length_mm = (dx.unsigned_abs().pow(2) + dy.unsigned_abs().pow(2)).isqrt() + 1;
        let duration_us = (length_mm * 1_000_000).div_ceil(speed_mm_s.max(1));
        let velocity = |distance: i64| ((i128::from(distance) << 40) / i128::from(duration_us)) as i64;
        let velocity = (velocity(dx), velocity(dy));
        Leg { from, to, start_us, end_us: start_us + duration_us, velocity, is_rest: false }
    }

    fn at(&self, now_us: u64) -> (i64, i64) {
        if now_us >= self.end_us || self.is_rest {
            return self.to;
        }
        let elapsed_us = i128::from(now_us - self.start_us);
        let moved = |velocity: i64| ((i128::from(velocity) * elapsed_us) >> 40) as i64;
        (self.from.0 + moved(self.velocity.0), self.from.1 + moved(self.velocity.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::trace::{Change, Clip, Contact, Trace};

    fn standing(stops_mm: Vec<(i64, i64)>, speed_mm_s: u64) -> Route {
        Route { nodes: 1, speed_mm_s, pause_us: 0, stops_mm }
    }

    fn plane(routes: Vec<Route>) -> Walk {
        Walk {
            nodes: routes.len() as u32,
            width_mm: 1_000_000,
            height_mm: 1_000_000,
            range_mm: 10_000,
            speed_mm_s: (500, 1_500),
            pause_us: (0, 0),
            homes: None,
            routes,
        }
    }

    fn contacts(walk: &Walk, seed: u64, end_us: u64) -> Vec<Contact> {
        let mut last = None;
        let ordered = Clip::new(walk.events(seed, end_us), end_us).inspect(|event| {
            assert!(last.is_none_or(|last| last < *event), "{last:?} before {event:?}");
            last = Some(*event);
        });
        Trace::collect(walk.nodes, ordered).contacts
    }

    #[test]
    fn a_vehicle_passes_a_stop_at_the_instants_of_geometry() {
        // Along y = 6 m past a post at the origin of the circle: the chord of a 10 m circle is 16 m, at 1 m/s.
        let post = standing(vec![(100_000, 100_000)], 0);
        let vehicle = standing(vec![(50_000, 106_000), (150_000, 106_000)], 1_000);
        let found = contacts(&plane(vec![post, vehicle]), 1, 100_000_000);
        assert_eq!(found.len(), 1);
        assert!(found[0].up_us.abs_diff(42_000_000) < 5_000, "{found:?}");
        assert!(found[0].down_us.abs_diff(58_000_000) < 5_000, "{found:?}");
    }

    #[test]
    fn what_stands_in_reach_is_in_contact_from_start_to_end() {
        let posts = vec![standing(vec![(5_000, 5_000)], 0), standing(vec![(5_000, 15_000)], 0)];
        assert_eq!(contacts(&plane(posts), 1, 1_000), [Contact { up_us: 0, a: 0, b: 1, down_us: 1_000 }]);
    }

    #[test]
    fn walkers_meet_exactly_when_a_fine_sampling_says_so() {
        let walk =
            Walk { nodes: 12, width_mm: 60_000, height_mm: 60_000, pause_us: (0, 9_000_000), ..plane(Vec::new()) };
        let end_us = 120_000_000;
        let found = contacts(&walk, 5, end_us);
        assert!(found.len() > 40, "{}", found.len());
        let mut walkers: Vec<Walker> = (0..walk.nodes).map(|node| walk.walker(node, 5)).collect();
        for sample in 1..1_200 {
            let now_us = sample * 100_000;
            let places: Vec<(i64, i64)> = (0..)
                .zip(&mut walkers)
                .map(|(node, walker)| {
                    let mut path = Polyline::of(node);
                    walk.follow(walker, &mut path, now_us - 100_000, now_us);
                    walker.leg.at(now_us)
                })
                .collect();
            for a in 0..walk.nodes {
                for b in a + 1..walk.nodes {
                    let (one, other) = (places[a as usize], places[b as usize]);
                    let distance_mm = ((one.0 - other.0).pow(2) + (one.1 - other.1).pow(2)).isqrt();
                    let of_pair = |c: &&Contact| (c.a, c.b) == (a, b) && (c.up_us..c.down_us).contains(&now_us);
                    // Positions inside a window lie on a chord through whole millimetres.
                    if distance_mm.abs_diff(10_000) > 5 {
                        assert_eq!(found.iter().any(|c| of_pair(&c)), distance_mm < 10_000, "{a} {b} {now_us}");
                    }
                }
            }
        }
    }

    #[test]
    fn people_at_home_meet_their_community() {
        let homes = Some(Homes::on((400_000, 400_000), 4, 1_000_000, None));
        let walk = Walk { nodes: 40, width_mm: 400_000, height_mm: 400_000, homes, ..plane(Vec::new()) };
        let found = contacts(&walk, 3, 1_800_000_000);
        let inside = found.iter().filter(|contact| contact.a % 4 == contact.b % 4).count();
        assert!(found.len() > 100 && inside * 10 > found.len() * 8, "{inside} of {}", found.len());
    }

    #[test]
    fn communities_lie_as_the_plane_is_shaped() {
        let cells = |communities, width, height| Homes::on((width, height), communities, 1_000_000, None).cells;
        assert_eq!((cells(3, 3_000, 1_000), cells(3, 1_000, 3_000)), ((3, 1), (1, 3)));
        assert_eq!((cells(9, 1_200, 1_200), cells(4, 400, 400), cells(1, 7, 900)), ((3, 3), (2, 2), (1, 1)));
        assert_eq!((cells(8, 2_000, 1_000), cells(6, 1_000, 1_000)), ((4, 2), (2, 3)));
    }

    #[test]
    fn hamlets_out_of_earshot_hear_nothing_of_each_other() {
        // Three squares of 200 m in the middle of cells of 1 km: 800 m lie between them.
        let homes = Some(Homes::on((3_000_000, 1_000_000), 3, 1_000_000, Some(200_000)));
        let plane = Walk { nodes: 30, width_mm: 3_000_000, height_mm: 1_000_000, homes, ..plane(Vec::new()) };
        let found = contacts(&Walk { range_mm: 790_000, ..plane.clone() }, 3, 3_600_000_000);
        assert!(!found.is_empty() && found.iter().all(|contact| contact.a % 3 == contact.b % 3));
        let walkers = (0..30).map(|node| plane.walker(node, 1).leg.to);
        for (node, (x, y)) in (0..).zip(walkers) {
            let middle_x = 500_000 + i64::from(node % 3) * 1_000_000;
            assert!((x - middle_x).abs() <= 100_000 && (y - 500_000).abs() <= 100_000, "{node} lives at {x}, {y}");
        }
    }

    #[test]
    fn every_up_has_its_down() {
        let walk = Walk { nodes: 30, width_mm: 100_000, height_mm: 100_000, ..plane(Vec::new()) };
        let events: Vec<ContactEvent> = Clip::new(walk.events(9, 300_000_000), 300_000_000).collect();
        let ups = events.iter().filter(|event| event.change == Change::Up).count();
        assert_eq!(ups * 2, events.len());
    }

    #[test]
    fn fast_nodes_with_radios_that_reach_far_are_near_each_other() {
        // How far two may come together in a window is more than a 64-bit square of millimetres has room for.
        let fast = |x_mm| standing(vec![(x_mm, 0)], 7_500_000);
        let reach = |range_mm| Walk {
            width_mm: 2_000_000_000,
            height_mm: 2_000_000_000,
            range_mm,
            speed_mm_s: (7_500_000, 7_500_000),
            ..plane(vec![fast(0), fast(1_700_000_000)])
        };
        assert_eq!(contacts(&reach(1_800_000_000), 1, 60_000_000).len(), 1);
        assert_eq!(contacts(&reach(1_600_000_000), 1, 60_000_000).len(), 0);
    }
}
