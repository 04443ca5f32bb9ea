//! Which nodes are near each other: a grid of cells that pairs never have to look beyond.

use crate::sim::generate::walk::crossing::Polyline;

/// Cells with sides of at least the distance asked for, so that near pairs lie in the same or in touching cells.
pub(super) struct Grid {
    side_mm: u64,
    reach_mm: u64,
    columns: usize,
    rows: usize,
    /// Per cell where its nodes start in `order`; one more at the end.
    starts: Vec<u32>,
    order: Vec<Placed>,
}

#[derive(Clone, Copy, Default)]
struct Placed {
    node: u32,
    x: i32,
    y: i32,
}

impl Grid {
    pub(super) fn new(width_mm: u64, height_mm: u64, reach_mm: u64, nodes: u32) -> Grid {
        let mut side_mm = reach_mm.max(1);
        // Empty cells cost time too: no more than about four a node.
        let cells = |side_mm: u64| (width_mm / side_mm + 1).saturating_mul(height_mm / side_mm + 1);
        while cells(side_mm) > 4 * u64::from(nodes) + 16 {
            side_mm += side_mm / 2 + 1;
        }
        let (columns, rows) = ((width_mm / side_mm + 1) as usize, (height_mm / side_mm + 1) as usize);
        Grid {
            side_mm,
            reach_mm,
            columns,
            rows,
            starts: vec![0; columns * rows + 1],
            order: vec![Placed::default(); nodes as usize],
        }
    }

    /// Calls `visit` once for every two nodes that are within reach at the start of their paths, smaller id first.
    pub(super) fn for_near_pairs(&mut self, paths: &[Polyline], mut visit: impl FnMut(u32, u32)) {
        self.place(paths);
        let reach = u128::from(self.reach_mm).pow(2);
        let near = |one: Placed, other: Placed| {
            let (dx, dy) = (u128::from(one.x.abs_diff(other.x)), u128::from(one.y.abs_diff(other.y)));
            dx * dx + dy * dy <= reach
        };
        for row in 0..self.rows {
            for column in 0..self.columns {
                let cell = row * self.columns + column;
                let own = self.starts[cell] as usize..self.starts[cell + 1] as usize;
                if own.is_empty() {
                    continue;
                }
                // The rest of the cell and the one to its right lie side by side, and so do the three below.
                let right_end = self.starts[cell + 1 + usize::from(column + 1 < self.columns)] as usize;
                let below = self.below(row, column);
                for place in own {
                    let one = self.order[place];
                    let others = self.order[place + 1..right_end].iter().chain(&self.order[below.clone()]);
                    for other in others.filter(|other| near(one, **other)) {
                        visit(one.node.min(other.node), one.node.max(other.node));
                    }
                }
            }
        }
    }

    fn below(&self, row: usize, column: usize) -> std::ops::Range<usize> {
        if row + 1 == self.rows {
            return 0..0;
        }
        let first = (row + 1) * self.columns;
        let (left, right) = (first + column.saturating_sub(1), first + (column + 1).min(self.columns - 1));
        self.starts[left] as usize..self.starts[right + 1] as usize
    }

    /// Sorts the nodes by cell: count, add up, put in place.
    fn place(&mut self, paths: &[Polyline]) {
        let side = self.side_mm;
        let (columns, rows) = (self.columns, self.rows);
        let cell = |(x, y): (i64, i64)| {
            let along = |place: i64, cells: usize| (place.max(0) as u64 / side).min(cells as u64 - 1) as usize;
            along(y, rows) * columns + along(x, columns)
        };
        self.starts.fill(0);
        for path in paths {
            self.starts[cell(path.first()) + 1] += 1;
        }
        for place in 1..self.starts.len() {
            self.starts[place] += self.starts[place - 1];
        }
        let mut next = self.starts.clone();
        for path in paths {
            let (x, y) = path.first();
            let place = &mut next[cell((x, y))];
            self.order[*place as usize] = Placed { node: path.node, x: x as i32, y: y as i32 };
            *place += 1;
        }
    }
}
