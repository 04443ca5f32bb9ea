//! What asks for an answer by some time.

use std::collections::{BTreeSet, VecDeque};
use std::time::SystemTime;

use super::Desk;
use super::listing::PAGE_ROWS;
use super::rows::{self, Names, Taken};
use crate::agent::Agent;
use crate::agent::change::{Letter, Row};
use crate::api::model::Show;
use crate::api::{self, ApiError};
use crate::time::{BUILD_DATE, DAY, DtnTime};

/// Letters opened at once.
const PAGE: usize = 16;

/// A listing of what is due, under way.
pub struct Due {
    desk: Desk,
    limit: Option<u32>,
    taken: Taken,
    show: Show,
    /// What is left of it, once that is known.
    left: Option<VecDeque<Row>>,
}

impl Due {
    pub fn of(desk: Desk, limit: Option<u32>, taken: Taken, show: Show) -> Due {
        Due { desk, limit, taken, show, left: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<api::Row>, Due)>, ApiError> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => self.desk.record(|record| record.due()).await?.into_iter().map(|(_, row)| row).collect(),
        };
        while self.limit != Some(0) && !left.is_empty() {
            let page: Vec<Row> = left.drain(..PAGE.min(left.len())).collect();
            let mut letters = self.desk.letters_wanted(page, self.show).await?;
            letters.truncate(self.limit.map_or(usize::MAX, |limit| limit as usize));
            if letters.is_empty() {
                continue;
            }
            self.limit = self.limit.map(|limit| limit - letters.len() as u32);
            let named =
                |_: &Agent, names: &Names<'_>| letters.into_iter().map(|letter| names.envelope(letter)).collect();
            let envelopes = self.desk.look(named).await?;
            let opened = self.desk.open(envelopes, self.taken).await?;
            self.left = Some(left);
            return Ok(Some((opened.into_iter().map(|opened| api::Row::Due(opened.row)).collect(), self)));
        }
        Ok(None)
    }
}

impl Desk {
    async fn letters_wanted(&self, rows: Vec<Row>, show: Show) -> Result<Vec<Letter>, ApiError> {
        let letters = self.record(move |record| record.letters_at(&rows)).await?;
        let wanted = self.wanted(&letters, show).await?;
        Ok(letters.into_iter().zip(wanted).filter_map(|(letter, is_wanted)| is_wanted.then_some(letter)).collect())
    }

    /// When answers are due in the next day, and when they were in the last one; none without a clock.
    pub(super) async fn due_within_a_day(&self) -> Result<(Vec<DtnTime>, Vec<DtnTime>), ApiError> {
        let now = rows::when_system(SystemTime::now()).map_or(DtnTime(0), |when| when.to_dtn());
        if now < BUILD_DATE {
            return Ok((Vec::new(), Vec::new()));
        }
        let near = now.0.saturating_sub(DAY.0)..=now.0 + DAY.0;
        let mut due = self.record(|record| record.due()).await?;
        due.retain(|(by, _)| near.contains(&by.0));
        let mut times = Vec::new();
        for page in due.chunks(PAGE_ROWS) {
            let rows = page.iter().map(|(_, row)| *row).collect();
            let wanted: BTreeSet<Row> =
                self.letters_wanted(rows, Show::Known).await?.iter().map(|letter| letter.row).collect();
            times.extend(page.iter().filter(|(_, row)| wanted.contains(row)).map(|(by, _)| *by));
        }
        Ok(times.into_iter().partition(|by| *by > now))
    }
}
