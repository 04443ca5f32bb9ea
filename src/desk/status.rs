//! What became of one's own messages, each with the first of its words.

use std::collections::BTreeSet;

use super::Desk;
use super::listing::PAGE_ROWS;
use super::rows;
use crate::agent::Agent;
use crate::agent::change::{Letter, Outgoing};
use crate::api::model::{MemberStateRow, State, StatusRow, When};
use crate::api::{ApiError, NextStep, Row};
use crate::content::Mark;
use crate::id::{BundleId, NodeId};
use crate::mail::groups::log::MEMBERS_MAX;
use crate::mail::groups::rows as group_rows;
use crate::mail::index::Written;
use crate::mail::kept::{self, WasDraft};
use crate::safe_text::safe_text;
use crate::store::StoreError;
use crate::store::redb::RedbReader;

/// So much of its words stands beside what became of a message, in characters.
const WORDS_CHARS_MAX: usize = 256;

/// Rows, which of them are told with addresses where names belong, and members of those to groups.
type Read = (Vec<StatusRow>, Vec<usize>, Vec<(usize, Vec<Has>)>);

/// A listing of one's own messages under way, oldest first.
pub struct StatusPages {
    desk: Desk,
    limit: Option<u32>,
    unsettled: bool,
    /// The recipient as typed, and once that is known, its node.
    to: Option<String>,
    node: Option<NodeId>,
    /// What was listed last, once it is known where the listing begins.
    after: Option<Option<Written>>,
}

impl StatusPages {
    pub fn of(desk: Desk, limit: Option<u32>, unsettled: bool, to: Option<String>) -> StatusPages {
        StatusPages { desk, limit, unsettled, to, node: None, after: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, StatusPages)>, ApiError> {
        let mut after = match self.after {
            Some(after) => after,
            None => match self.beginning().await? {
                Some(after) => after,
                None => return Ok(None),
            },
        };
        loop {
            let page = self.desk.record(move |record| record.sent_behind(after, PAGE_ROWS)).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            after = Some(*last);
            let wanted = page.into_iter().map(|(_, sent)| sent).filter(|sent| self.wants(sent)).collect();
            let rows = self.desk.statuses(wanted).await?;
            if !rows.is_empty() {
                self.after = Some(after);
                return Ok(Some((rows.into_iter().map(Row::Status).collect(), self)));
            }
        }
    }

    fn wants(&self, sent: &Outgoing) -> bool {
        let is_to = self.node.is_none_or(|node| sent.destination.node == node);
        is_to && !(self.unsettled && sent.has_end())
    }

    /// Behind what the listing begins, which may be nothing; none where it has no rows.
    async fn beginning(&mut self) -> Result<Option<Option<Written>>, ApiError> {
        if let Some(who) = &self.to {
            self.node = Some(self.desk.find_whom(who).await?);
        }
        let Some(mut left) = self.limit else { return Ok(Some(None)) };
        let mut before = None;
        while left > 0 {
            let page = self.desk.record(move |record| record.sent_before(before, PAGE_ROWS)).await?;
            if page.is_empty() {
                return Ok(Some(None));
            }
            for (written, sent) in page {
                before = Some(written);
                left -= u32::from(self.wants(&sent));
                if left == 0 {
                    break;
                }
            }
        }
        if self.limit == Some(0) {
            return Ok(None);
        }
        let ahead = self.desk.record(move |record| record.sent_before(before, 1)).await?;
        Ok(Some(ahead.first().map(|(written, _)| *written)))
    }
}

impl Desk {
    /// What became of one message: the one row.
    pub(super) async fn status(&self, prefix: &str) -> Result<Vec<StatusRow>, ApiError> {
        let id = self.find_sent(prefix).await?;
        Ok(self.status_of(id).await?.into_iter().collect())
    }

    pub(super) async fn status_of(&self, id: BundleId) -> Result<Option<StatusRow>, ApiError> {
        let Some(outgoing) = self.record(move |record| record.sent(&id)).await? else { return Ok(None) };
        Ok(self.statuses(vec![outgoing]).await?.pop())
    }

    pub(super) async fn cancel(&self, prefix: &str) -> Result<Vec<StatusRow>, ApiError> {
        let id = self.find_sent(prefix).await?;
        if let Some(StatusRow { state: State::Delivered | State::Read, to, .. }) = self.status_of(id).await? {
            let message = format!("that message arrived: {} has it, and no copies are handed out", safe_text(&to));
            return Err(ApiError::refused(message).next(NextStep::WithdrawMessage { id: id.full() }));
        }
        let mut rows = Vec::new();
        for id in self.stop(id).await? {
            rows.extend(self.status_of(id).await?);
        }
        Ok(rows)
    }

    /// The caller bounds how many it hands over; of their words only the first are in memory.
    async fn statuses(&self, sent: Vec<Outgoing>) -> Result<Vec<StatusRow>, ApiError> {
        let rows_at: Vec<_> = sent.iter().map(|outgoing| outgoing.row).collect();
        let mark = |outgoing: &Outgoing| outgoing.destination.has_members().then(|| Letter::mark_of(&outgoing.id));
        let marks: Vec<Option<Mark>> = sent.iter().map(mark).collect();
        let facts = move |_: &Agent, names: &super::Names<'_>| {
            sent.iter().map(|outgoing| names.status(outgoing)).collect::<Vec<StatusRow>>()
        };
        let mut rows = self.look(facts).await?;
        let reader = self.node().reader().clone();
        let add_words = move || -> Result<Read, ApiError> {
            let (mut of_groups, mut members) = (Vec::new(), Vec::new());
            for (n, mark) in marks.iter().enumerate() {
                if let Some(mark) = mark {
                    members.push((n, who_has(&reader, mark)?));
                }
            }
            for (n, (row, at)) in rows.iter_mut().zip(rows_at).enumerate() {
                let Some(at) = at else { continue };
                if let Some(body) = reader.words(&[at])?.pop().flatten()
                    && rows::say(row, &body, WORDS_CHARS_MAX)
                {
                    of_groups.push(n);
                }
                if let Some(was) = reader.kept(&kept::draft_of_message(at))?.map(|value| WasDraft::read(&value)) {
                    row.draft = Some(was.number);
                    row.meant_at = was.at.and_then(When::from_dtn);
                }
            }
            Ok((rows, of_groups, members))
        };
        let joined = tokio::task::spawn_blocking(add_words).await;
        let (mut rows, of_groups, members) = joined.map_err(|error| ApiError::failure(error.to_string()))??;
        let named = rows.iter_mut().flat_map(|row| &mut row.sets).filter_map(|set| set.who.as_mut());
        self.name_people(named.collect()).await?;
        if of_groups.is_empty() && members.is_empty() {
            return Ok(rows);
        }
        let name = move |_: &Agent, names: &super::Names<'_>| {
            for n in of_groups {
                rows[n].text = rows[n].text.as_deref().map(|text| super::groups::with_names(text, names));
            }
            for (n, members) in members {
                let row = &mut rows[n];
                let (all, state) = (members.iter().all(|member| member.has), row.state);
                row.members = members.iter().map(|member| member.row(state, names)).collect();
                if all && !members.is_empty() {
                    row.state = row.state.max(State::Delivered);
                }
            }
            rows
        };
        self.look(name).await
    }
}

/// A member for whom a message to a group was, and whether they said to have it.
pub(super) struct Has {
    member: NodeId,
    pub has: bool,
}

impl Has {
    fn row(&self, state: State, names: &super::Names<'_>) -> MemberStateRow {
        let state = if self.has { State::Delivered } else { state };
        MemberStateRow { name: names.known(&self.member), address: rows::address(self.member), state }
    }
}

/// For whom a message to a group was, and who of them has it.
pub(super) fn who_has(record: &RedbReader, mark: &Mark) -> Result<Vec<Has>, StoreError> {
    let meant = record.kept(&group_rows::meant(mark))?;
    let Some((_, members)) = meant.and_then(|value| group_rows::read_meant(&value)) else { return Ok(Vec::new()) };
    let known = record.all_kept(&group_rows::who_has(mark), None, 2 * MEMBERS_MAX)?;
    let has = |key: &[u8]| match group_rows::read_key(key) {
        Some(group_rows::Key::Has(_, member)) => Some(member),
        _ => None,
    };
    let have: BTreeSet<NodeId> = known.iter().filter_map(|(key, _)| has(key)).collect();
    Ok(members.into_iter().map(|member| Has { has: have.contains(&member), member }).collect())
}
