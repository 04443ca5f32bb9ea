//! Where the map draws each node: those who meet much attract each other, all others repel (Fruchterman and Reingold
//! 1991).
//!
//! Floats, but of a kind that no machine changes: sums, products and square roots are the same everywhere (IEEE 754), and
//! nothing else is used.

use crate::sim::random::Stream;

/// A side of the map, in its own units.
pub(super) const SIDE: u32 = 1_000;
const ROUNDS: u32 = 220;
const MARGIN: f64 = 40.0;

/// Places `nodes` nodes; `ties` are pairs with a weight from 0 to 1.
pub(super) fn place(nodes: usize, ties: &[(usize, usize, f64)]) -> Vec<(u32, u32)> {
    let side = f64::from(SIDE);
    let mut draw = Stream::new(0, "layout", 0);
    let mut random = || draw.below(1_000_000) as f64 / 1_000_000.0 * side;
    let mut places: Vec<(f64, f64)> = (0..nodes).map(|_| (random(), random())).collect();
    let ideal = (side * side / nodes.max(1) as f64).sqrt() * 0.8;
    for round in 0..ROUNDS {
        let hottest = side * 0.1 * f64::from(ROUNDS - round) / f64::from(ROUNDS);
        let pulls = forces(&places, ties, ideal);
        for (place, pull) in places.iter_mut().zip(pulls) {
            let length = (pull.0 * pull.0 + pull.1 * pull.1).sqrt().max(1e-9);
            let step = length.min(hottest) / length;
            *place = (place.0 + pull.0 * step, place.1 + pull.1 * step);
        }
    }
    fitted(&places)
}

fn forces(places: &[(f64, f64)], ties: &[(usize, usize, f64)], ideal: f64) -> Vec<(f64, f64)> {
    let side = f64::from(SIDE);
    // A weak pull to the middle keeps those who meet nobody on the map.
    let inward = |place: &(f64, f64)| ((side / 2.0 - place.0) * 0.12, (side / 2.0 - place.1) * 0.12);
    let mut forces: Vec<(f64, f64)> = places.iter().map(inward).collect();
    for one in 0..places.len() {
        for other in one + 1..places.len() {
            let (dx, dy) = (places[one].0 - places[other].0, places[one].1 - places[other].1);
            let push = ideal * ideal / (dx * dx + dy * dy).max(1.0);
            forces[one] = (forces[one].0 + dx * push, forces[one].1 + dy * push);
            forces[other] = (forces[other].0 - dx * push, forces[other].1 - dy * push);
        }
    }
    for (one, other, weight) in ties {
        let (dx, dy) = (places[*one].0 - places[*other].0, places[*one].1 - places[*other].1);
        let pull = (dx * dx + dy * dy).sqrt() / ideal * (0.15 + 0.85 * weight);
        forces[*one] = (forces[*one].0 - dx * pull, forces[*one].1 - dy * pull);
        forces[*other] = (forces[*other].0 + dx * pull, forces[*other].1 + dy * pull);
    }
    forces
}

/// Stretches the places to the map.
fn fitted(places: &[(f64, f64)]) -> Vec<(u32, u32)> {
    let along = |pick: fn(&(f64, f64)) -> f64| {
        let low = places.iter().map(pick).fold(f64::MAX, f64::min);
        let high = places.iter().map(pick).fold(f64::MIN, f64::max);
        (low, (high - low).max(1.0))
    };
    let (x, y) = (along(|place| place.0), along(|place| place.1));
    let room = f64::from(SIDE) - 2.0 * MARGIN;
    let fit = |value: f64, (low, length): (f64, f64)| (MARGIN + (value - low) / length * room) as u32;
    places.iter().map(|place| (fit(place.0, x), fit(place.1, y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_meet_stand_nearer_than_those_who_do_not() {
        let ties = [(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0), (3, 5, 1.0), (2, 3, 0.1)];
        let places = place(6, &ties);
        let apart = |one: usize, other: usize| {
            let ((x0, y0), (x1, y1)) = (places[one], places[other]);
            x0.abs_diff(x1).pow(2) + y0.abs_diff(y1).pow(2)
        };
        assert!(apart(0, 1) < apart(0, 4) && apart(4, 5) < apart(5, 1), "{places:?}");
        assert!(places.iter().all(|(x, y)| *x <= SIDE && *y <= SIDE));
    }

    #[test]
    fn nobody_and_somebody_alone_have_their_place() {
        assert!(place(0, &[]).is_empty());
        assert_eq!(place(1, &[]).len(), 1);
    }
}
