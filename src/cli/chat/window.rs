//! The stretch of a conversation that is in memory, and the part of it that is on the screen.

use jiff::Zoned;

use super::lines::{self, Above, Line};
use crate::api::model::TalkRow;

/// Most rows in memory; what is farther away from the screen is asked for again.
pub const ROWS_MAX: usize = 400;
/// So many rows are asked for at once.
pub const PAGE_ROWS: u32 = 100;
/// Of longer texts only the beginning is kept.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// When so few rows are left on a side of the screen, more are asked for.
const AHEAD_ROWS: usize = 20;

/// A message in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub row: TalkRow,
    /// More was written than is kept.
    pub is_cut: bool,
}

/// Rows in the order in which they are read, and what of them is on the screen.
#[derive(Clone, Debug)]
pub struct Window {
    pub rows: Vec<Kept>,
    /// There may be more before the first one, and behind the last one.
    pub has_older: bool,
    pub has_newer: bool,
    /// The row that keys are about.
    pub chosen: usize,
    /// Whether the screen ends with the last row, also when one comes.
    is_at_end: bool,
    /// The first line on the screen: a row, and a line of it.
    top: (usize, usize),
    /// Above this one stands that what follows is unread.
    first_unread: Option<String>,
    columns: usize,
    height: usize,
    now: Zoned,
}

/// Lines on the screen, each with the row that it belongs to.
pub type Shown = Vec<(usize, Line)>;

/// A side of what is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Older,
    Newer,
}

impl Kept {
    pub fn of(mut row: TalkRow) -> Kept {
        let text = row.text.as_mut().is_some_and(cut);
        let remark = row.remark.as_mut().is_some_and(cut);
        Kept { row, is_cut: text || remark }
    }
}

fn cut(text: &mut String) -> bool {
    let is_long = text.len() > TEXT_BYTES_MAX;
    if is_long {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
    is_long
}

impl Window {
    pub fn new(now: Zoned) -> Window {
        Window {
            rows: Vec::new(),
            has_older: false,
            has_newer: false,
            chosen: 0,
            is_at_end: true,
            top: (0, 0),
            first_unread: None,
            columns: 80,
            height: 1,
            now,
        }
    }

    /// Shows the last rows of a conversation, from the first unread one among them on.
    pub fn open(&mut self, rows: Vec<Kept>, has_older: bool) {
        self.rows = rows;
        (self.has_older, self.has_newer) = (has_older, false);
        self.is_at_end = true;
        let unread = self.rows.iter().position(|kept| !kept.row.read);
        self.first_unread = unread.map(|at| self.rows[at].row.id.clone());
        self.chosen = self.rows.len().saturating_sub(1);
        if let Some(unread) = unread {
            self.is_at_end = false;
            self.chosen = unread;
            self.top = (unread, 0);
        }
        self.settle();
    }

    /// Shows a row with what stands around it.
    pub fn open_around(&mut self, rows: Vec<Kept>, id: &str, has_older: bool, has_newer: bool) {
        self.rows = rows;
        (self.has_older, self.has_newer) = (has_older, has_newer);
        self.first_unread = None;
        self.is_at_end = false;
        self.chosen = self.rows.iter().position(|kept| kept.row.id == id).unwrap_or(0);
        self.top = (self.chosen, 0);
        self.settle();
        self.show_chosen();
    }

    /// The last rows of the conversation as they are now: they take the place of what is known of the end.
    pub fn renew_end(&mut self, rows: Vec<Kept>) {
        if self.has_newer {
            return;
        }
        let Some(first) = rows.first() else {
            self.rows.clear();
            return self.settle();
        };
        let chosen = self.chosen().map(|kept| kept.row.id.clone());
        let top = self.rows.get(self.top.0).map(|kept| kept.row.id.clone());
        let was_last = self.chosen + 1 >= self.rows.len();
        match self.rows.iter().position(|kept| kept.row.id == first.row.id) {
            Some(at) => self.rows.truncate(at),
            None => {
                self.has_older |= !self.rows.is_empty();
                self.rows.clear();
            }
        }
        self.rows.extend(rows);
        let place = |id: Option<String>| id.and_then(|id| self.rows.iter().position(|kept| kept.row.id == id));
        let (chosen, top) = (place(chosen), place(top));
        let last = self.rows.len().saturating_sub(1);
        self.chosen = if was_last && self.is_at_end { last } else { chosen.unwrap_or(last) };
        match top {
            Some(row) => self.top.0 = row,
            None => self.is_at_end = true,
        }
        self.trim(Side::Older);
        self.settle();
    }

    /// Puts rows before the first or behind the last one.
    pub fn extend(&mut self, side: Side, rows: Vec<Kept>, has_more: bool) {
        let known: std::collections::BTreeSet<String> = self.rows.iter().map(|kept| kept.row.id.clone()).collect();
        let mut new: Vec<Kept> = rows.into_iter().filter(|kept| !known.contains(&kept.row.id)).collect();
        match side {
            Side::Older => {
                self.has_older = has_more;
                let many = new.len();
                new.append(&mut self.rows);
                self.rows = new;
                self.chosen += many;
                self.top.0 += many;
                self.trim(Side::Newer);
            }
            Side::Newer => {
                self.has_newer = has_more;
                self.rows.append(&mut new);
                self.trim(Side::Older);
            }
        }
        self.settle();
    }

    /// Lets rows of a side go that are too many.
    fn trim(&mut self, side: Side) {
        let over = self.rows.len().saturating_sub(ROWS_MAX);
        if over == 0 {
            return;
        }
        match side {
            Side::Older => {
                let over = over.min(self.top.0).min(self.chosen);
                self.rows.drain(..over);
                self.has_older |= over > 0;
                self.chosen -= over;
                self.top.0 -= over;
            }
            Side::Newer => {
                let keep = ROWS_MAX.max(self.chosen + 1).max(self.top.0 + 1);
                self.has_newer |= keep < self.rows.len();
                self.rows.truncate(keep);
                self.is_at_end = self.is_at_end && !self.has_newer;
            }
        }
    }

    /// A row that is here is another now. Its place and what it answers stay as they were.
    pub fn replace(&mut self, row: TalkRow) -> bool {
        let Some(at) = self.rows.iter().position(|kept| kept.row.id == row.id) else { return false };
        let old = &self.rows[at].row;
        let row = TalkRow { late: old.late, answers: row.answers.clone().or_else(|| old.answers.clone()), ..row };
        self.rows[at] = Kept::of(row);
        self.settle();
        true
    }

    pub fn remove(&mut self, id: &str) {
        let Some(at) = self.rows.iter().position(|kept| kept.row.id == id) else { return };
        self.rows.remove(at);
        if at < self.chosen {
            self.chosen -= 1;
        }
        if at < self.top.0 {
            self.top.0 -= 1;
        }
        self.settle();
    }

    pub fn resize(&mut self, columns: usize, height: usize) {
        if (self.columns, self.height) != (columns, height) {
            (self.columns, self.height) = (columns, height);
            self.settle();
            self.show_chosen();
        }
    }

    /// The day may be another one.
    pub fn is_now(&mut self, now: Zoned) {
        self.now = now;
    }

    pub fn now(&self) -> &Zoned {
        &self.now
    }

    pub fn chosen(&self) -> Option<&Kept> {
        self.rows.get(self.chosen)
    }

    pub fn last_own(&self) -> Option<&Kept> {
        let is_own = |kept: &&Kept| kept.row.mine && kept.row.text.is_some() && kept.row.forwarded.is_none();
        self.rows.iter().rev().find(is_own)
    }

    /// Goes to the next row, or a page or a line on in one that is higher than the screen.
    pub fn next(&mut self) {
        if !self.shows_chosen() {
            return self.show_chosen();
        }
        let bottom = self.bottom();
        let is_below = |end: Option<(usize, usize)>| end.is_some_and(|(row, _)| row <= self.chosen);
        let tall = self.lines_of(self.chosen).len();
        if tall > self.height && is_below(bottom) && bottom != Some((self.chosen, tall - 1)) {
            return self.scroll(Side::Newer, 1);
        }
        if self.chosen + 1 < self.rows.len() {
            self.chosen += 1;
            self.show_chosen();
        }
    }

    pub fn previous(&mut self) {
        if !self.shows_chosen() {
            return self.show_chosen();
        }
        let tall = self.lines_of(self.chosen).len();
        if tall > self.height && self.top.0 == self.chosen && self.top.1 > 0 {
            return self.scroll(Side::Older, 1);
        }
        if self.chosen > 0 {
            self.chosen -= 1;
            self.show_chosen();
        }
    }

    pub fn page(&mut self, side: Side) {
        self.scroll(side, self.height.saturating_sub(1).max(1));
        let shown = self.on_screen();
        self.chosen = match side {
            Side::Older => shown.first(),
            Side::Newer => shown.last(),
        }
        .map_or(self.chosen, |(row, _)| *row);
    }

    pub fn go_to_start(&mut self) {
        self.chosen = 0;
        self.show_chosen();
    }

    pub fn go_to_end(&mut self) {
        self.chosen = self.rows.len().saturating_sub(1);
        self.is_at_end = true;
        self.settle();
    }

    /// Which side of what is in memory is near the screen, where there is more.
    pub fn lacks(&self) -> Option<Side> {
        if self.has_older && (self.top.0 < AHEAD_ROWS || self.chosen < AHEAD_ROWS) {
            return Some(Side::Older);
        }
        let last = self.on_screen().last().map_or(0, |(row, _)| *row);
        (self.has_newer && last.max(self.chosen) + AHEAD_ROWS >= self.rows.len()).then_some(Side::Newer)
    }

    /// Ids of the unread rows of which all is on the screen, or of one higher than the screen its end.
    pub fn seen(&self) -> Vec<String> {
        let shown = self.on_screen();
        let mut seen = Vec::new();
        let mut at = 0;
        while at < shown.len() {
            let row = shown[at].0;
            let many = shown[at..].iter().take_while(|(other, _)| *other == row).count();
            let kept = &self.rows[row];
            if !kept.row.read && kept.row.unreadable.is_none() {
                let tall = self.lines_of(row).len();
                let ends = self.bottom().is_some_and(|(last, line)| row < last || line + 1 == tall);
                if many == tall || (ends && tall > self.height) {
                    seen.push(kept.row.id.clone());
                }
            }
            at += many;
        }
        seen
    }

    /// The lines on the screen, from its top.
    pub fn on_screen(&self) -> Shown {
        let mut shown = Vec::new();
        let (first, skip) = self.top;
        for row in first..self.rows.len() {
            let skip = if row == first { skip } else { 0 };
            for line in self.lines_of(row).into_iter().skip(skip) {
                if shown.len() == self.height {
                    return shown;
                }
                shown.push((row, line));
            }
        }
        shown
    }

    fn lines_of(&self, at: usize) -> Vec<Line> {
        let Some(Kept { row, is_cut }) = self.rows.get(at) else { return Vec::new() };
        let day = lines::day(row, &self.now);
        let before = at.checked_sub(1).and_then(|before| lines::day(&self.rows[before].row, &self.now));
        let is_new_day = day.is_some() && day != before;
        let unread = self.first_unread.as_ref() == Some(&row.id);
        lines::of(row, *is_cut, Above { day: day.filter(|_| is_new_day), unread }, self.columns, &self.now)
    }

    /// The last line on the screen.
    fn bottom(&self) -> Option<(usize, usize)> {
        let shown = self.on_screen();
        let (row, _) = shown.last()?;
        let of_it = shown.iter().filter(|(other, _)| other == row).count();
        Some((*row, if *row == self.top.0 { self.top.1 + of_it - 1 } else { of_it - 1 }))
    }

    fn scroll(&mut self, side: Side, many: usize) {
        match side {
            Side::Older => {
                self.top = self.back(self.top, many);
                self.is_at_end = false;
            }
            Side::Newer => {
                for _ in 0..many {
                    let (row, line) = self.top;
                    match line + 1 < self.lines_of(row).len() {
                        true => self.top = (row, line + 1),
                        false if row + 1 < self.rows.len() => self.top = (row + 1, 0),
                        false => break,
                    }
                }
            }
        }
        self.settle();
    }

    /// So many lines before a line, or the first one.
    fn back(&self, from: (usize, usize), many: usize) -> (usize, usize) {
        let ((mut row, mut line), mut left) = (from, many);
        while left > 0 {
            if line >= left {
                return (row, line - left);
            }
            if row == 0 {
                return (0, 0);
            }
            left -= line + 1;
            row -= 1;
            line = self.lines_of(row).len().saturating_sub(1);
        }
        (row, line)
    }

    fn shows_chosen(&self) -> bool {
        self.on_screen().iter().any(|(row, _)| *row == self.chosen)
    }

    /// The screen shows the row that keys are about: all of it, or its beginning.
    fn show_chosen(&mut self) {
        let tall = self.lines_of(self.chosen).len();
        let (row, line) = self.bottom().unwrap_or((0, 0));
        if self.chosen < self.top.0 || (self.chosen == self.top.0 && self.top.1 > 0) {
            self.top = (self.chosen, 0);
            self.is_at_end = false;
        } else if self.chosen > row || (self.chosen == row && line + 1 < tall) {
            self.top = match tall > self.height {
                true => (self.chosen, 0),
                false => self.back((self.chosen, tall.saturating_sub(1)), self.height.saturating_sub(1)),
            };
        }
        self.settle();
    }

    /// Puts everything within its bounds; at the end the last line is the last one of the screen.
    fn settle(&mut self) {
        let last = self.rows.len().saturating_sub(1);
        self.chosen = self.chosen.min(last);
        self.top.0 = self.top.0.min(last);
        self.top.1 = self.top.1.min(self.lines_of(self.top.0).len().saturating_sub(1));
        let end = (last, self.lines_of(last).len().saturating_sub(1));
        let lowest = self.back(end, self.height.saturating_sub(1));
        if self.is_at_end || self.top >= lowest {
            self.top = lowest;
            self.is_at_end = !self.has_newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples::said;
    use proptest::prelude::*;

    fn now() -> Zoned {
        "2026-03-01T12:00[UTC]".parse().unwrap()
    }

    fn rows(from: usize, many: usize, read: bool) -> Vec<Kept> {
        let row = |n: usize| Kept::of(TalkRow { id: format!("{n:064x}"), read, ..said(&format!("words {n}")) });
        (from..from + many).map(row).collect()
    }

    fn window(rows: Vec<Kept>, height: usize) -> Window {
        let mut window = Window::new(now());
        window.resize(40, height);
        window.open(rows, false);
        window
    }

    fn texts(window: &Window) -> Vec<String> {
        window.on_screen().iter().map(|(_, line)| lines::plain(line)).collect()
    }

    #[test]
    fn the_last_rows_are_shown_and_new_ones_push_them_up() {
        let mut window = window(rows(0, 9, true), 4);
        assert_eq!(texts(&window), ["bob  11:02", "  words 7", "bob  11:02", "  words 8"]);
        window.renew_end(rows(5, 5, true));
        assert_eq!(texts(&window)[3], "  words 9");
        window.previous();
        window.previous();
        window.previous();
        let before = texts(&window);
        window.renew_end(rows(5, 9, true));
        assert_eq!(texts(&window), before, "who reads further up is left there");
    }

    #[test]
    fn what_was_wholly_on_the_screen_was_seen_and_nothing_else() {
        let mut window = window(rows(0, 5, false), 6);
        assert_eq!(texts(&window)[..2], ["--- today ---", "--- unread ---"]);
        assert_eq!(window.seen().len(), 2);
        window.resize(40, 5);
        assert_eq!(window.seen().len(), 1);
        window.next();
        window.next();
        assert_eq!(window.seen().last(), Some(&format!("{:064x}", 2)));
    }

    #[test]
    fn a_long_conversation_is_never_whole_in_memory() {
        let mut window = window(rows(90_000, 100, true), 10);
        window.has_older = true;
        for page in (899..900).rev().chain((880..899).rev()) {
            window.go_to_start();
            assert_eq!(window.lacks(), Some(Side::Older));
            window.extend(Side::Older, rows(page * 100, 100, true), true);
            assert!(window.rows.len() <= ROWS_MAX);
        }
        assert!(window.has_newer);
        window.go_to_end();
        assert_eq!(window.lacks(), Some(Side::Newer));
    }

    #[test]
    fn of_a_text_of_a_megabyte_the_beginning_is_kept() {
        let kept = Kept::of(said(&"ä".repeat(500_000)));
        assert!(kept.is_cut && kept.row.text.unwrap().len() <= TEXT_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn whatever_is_done_the_screen_is_full_and_what_is_chosen_is_there(
            steps in prop::collection::vec((0..11u8, 1..30usize), 0..60),
            many in 0..40usize,
        ) {
            let mut window = window(rows(1_000, many, false), 7);
            for (step, n) in steps {
                match step {
                    0 | 1 => window.next(),
                    2 | 3 => window.previous(),
                    4 => window.page(Side::Older),
                    5 => window.page(Side::Newer),
                    6 => window.resize(8 + n, n),
                    7 => window.go_to_end(),
                    8 => window.remove(&format!("{:064x}", 1_000 + n)),
                    9 => window.extend(Side::Older, rows(1_000 - n, n, false), n > 3),
                    _ => window.renew_end(rows(1_000, n, false)),
                }
                let shown = window.on_screen();
                let all: usize = (0..window.rows.len()).map(|row| window.lines_of(row).len()).sum();
                prop_assert_eq!(shown.len(), all.min(window.height));
                let chosen = window.chosen;
                prop_assert!(window.rows.is_empty() || chosen < window.rows.len());
                if step < 6 && !window.rows.is_empty() {
                    prop_assert!(shown.iter().any(|(row, _)| *row == chosen), "{} is not shown", chosen);
                }
            }
        }
    }
}
