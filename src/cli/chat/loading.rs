//! How rows come to the screen: what is asked for, what came, and what happens while it is on its way.

use super::model::{Model, Part, Wish};
use super::window::{Kept, Side, Window};
use crate::api::model::{Happened, HappenedRow};

impl Model {
    /// Empties the window, and asks for what is to be in it.
    pub fn load_anew(&mut self, part: Part) {
        self.window = Window::new(self.window.now().clone());
        (self.is_loaded, self.end_wanted) = (false, false);
        self.wishes.retain(|wish| !matches!(wish, Wish::Load { .. }));
        self.load(part);
    }

    pub(super) fn load(&mut self, part: Part) {
        let Some((who, _)) = self.open.clone() else { return };
        self.loading = true;
        self.meanwhile.clear();
        self.wishes.push(Wish::Load { who, thread: self.thread().map(str::to_owned), part });
    }

    pub(super) fn on_loaded(&mut self, part: Part, rows: Vec<Kept>, older: bool, newer: bool) {
        self.loading = false;
        match part {
            Part::Open => self.window.open(rows, older),
            Part::End if self.window.rows.is_empty() || !self.is_loaded => self.window.open(rows, older),
            Part::End => self.window.renew_end(rows),
            Part::Before(_) => self.window.extend(Side::Older, rows, older),
            Part::After(_) => self.window.extend(Side::Newer, rows, newer),
            Part::Around(row) => self.window.open_around(rows, &row.id, older, newer),
        }
        self.is_loaded = true;
        std::mem::take(&mut self.meanwhile).into_iter().for_each(|row| self.on_happened(row));
    }

    pub(super) fn on_happened(&mut self, row: HappenedRow) {
        if self.loading {
            self.meanwhile.push(row.clone());
        }
        match row {
            HappenedRow::Here { what, row, .. } => {
                self.list_wanted |= !matches!(what, Happened::State);
                if self.who() != Some(&row.conversation) {
                    return;
                }
                let is_here = self.window.replace(*row);
                // An app may have a line of it.
                self.end_wanted |= what == Happened::Update || what == Happened::Message && !is_here;
            }
            HappenedRow::Gone { id, .. } => {
                self.list_wanted = true;
                id.into_iter().for_each(|id| self.window.remove(&id));
            }
            HappenedRow::Beside { .. } => {}
        }
    }

    /// Goes to the end, also where that is not in memory.
    pub fn end(&mut self) {
        match self.window.has_newer {
            true => self.load(Part::Open),
            false => self.window.go_to_end(),
        }
    }

    /// Asks for what the screen will need, and marks what it shows.
    pub(super) fn wish_for_more(&mut self) {
        if self.stalled {
            return;
        }
        if self.list_wanted && !self.list_coming {
            (self.list_wanted, self.list_coming) = (false, true);
            self.wishes.push(Wish::List);
        }
        if self.open.is_none() {
            return;
        }
        if !self.loading && self.end_wanted && !self.window.has_newer {
            self.end_wanted = false;
            self.load(Part::End);
        }
        let first_and_last = (self.window.rows.first(), self.window.rows.last());
        if let (false, Some(side), (Some(first), Some(last))) = (self.loading, self.window.lacks(), first_and_last) {
            let part = match side {
                Side::Older => Part::Before(first.row.id.clone()),
                Side::Newer => Part::After(last.row.id.clone()),
            };
            self.load(part);
        }
        if self.is_loaded && self.overlay.is_none() && self.layout.shows_messages() {
            let ids: Vec<String> = self.window.seen().into_iter().filter(|id| !self.marked.contains(id)).collect();
            if !ids.is_empty() {
                self.marked.extend(ids.iter().cloned());
                self.wishes.push(Wish::Mark { ids });
            }
        }
    }
}
