//! Taking in what an export wrote: mail of an earlier home of the owner's, which this one keeps as if it had been here.
//!
//! An export has no signatures, so what is in it is the owner's word for it, and says so for ever. Nothing of it is sent: of
//! one's own messages whatever was not settled there ends here without a receipt.

use std::sync::Arc;

use super::Desk;
use super::find::ticket;
use super::rows::read_rejection;
use crate::agent::Agent;
use crate::agent::change::{Adopted, Evidence, EvidenceKind, Letter, Outgoing, Row};
use crate::api::ApiError;
use crate::api::model::{Event, EventKind, IMPORTS_MAX, Imported, ImportedRow, Imports, RefusedLine, Schema, When};
use crate::bundle::{Creation, Hops, LIFETIME_MAX};
use crate::content::{CONTENT_BYTES_MAX, Content, Filed, KeyUsed, Text};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId, unhex};
use crate::mail::Earlier;
use crate::time::{Millis, Moment, Timestamp};

/// So many events of one message are read.
const EVENTS_READ_MAX: usize = 256;

impl Desk {
    pub(super) async fn import(&self, imports: Imports) -> Result<ImportedRow, ApiError> {
        if imports.rows.len() > IMPORTS_MAX {
            return Err(ApiError::usage(format!("at most {IMPORTS_MAX} messages are imported at once")));
        }
        let (me, at) = self.look(|agent: &Agent, _| (agent.node(), agent.at())).await?;
        let mut row = ImportedRow { schema: Schema, ..ImportedRow::default() };
        let mut brought = Vec::new();
        for imported in imports.rows {
            let line = imported.line;
            match (Reader { me, at }).read(imported) {
                Ok(Some(one)) => brought.push(one),
                Ok(None) => row.without_words += 1,
                Err(why) => row.refused.push(RefusedLine { line, why }),
            }
        }
        let mut fresh: Vec<(Adopted, Earlier)> = Vec::new();
        for (adopted, words) in brought {
            let id = adopted.id();
            let known = self.record(move |record| record.known(&id)).await?;
            if known.letter.is_some() || known.outgoing.is_some() || fresh.iter().any(|(other, _)| other.id() == id) {
                row.known += 1;
            } else {
                fresh.push((adopted, words));
            }
        }
        row.imported = fresh.len() as u64;
        if !fresh.is_empty() {
            self.node().adopt(fresh).await?;
            self.inner.appointments.notify_one();
        }
        Ok(row)
    }
}

/// Reads rows of an export at this moment of this home.
struct Reader {
    me: NodeId,
    at: Moment,
}

impl Reader {
    /// None where the row has no words.
    fn read(&self, row: Imported) -> Result<Option<(Adopted, Earlier)>, String> {
        let id = unhex(&row.id).and_then(|bytes| bytes.try_into().ok()).map(BundleId);
        let id = id.ok_or("its id is none")?;
        let (from, to) = (node(&row.from)?, node(&row.to)?);
        if row.lifetime_ms == 0 || Millis(row.lifetime_ms) > LIFETIME_MAX {
            return Err("no message lives so long".into());
        }
        let is_note = row.mine && from == to;
        let is_anothers = if row.mine { to == self.me && !is_note } else { from == self.me };
        if is_anothers {
            return Err("it is from the export of somebody you talk with, whose own words would be yours here".into());
        }
        let Some(content) = &row.content else { return Ok(None) };
        let content = unhex(content).filter(|content| content.len() <= CONTENT_BYTES_MAX);
        let content = content.ok_or("its content is no message")?;
        let after_read = match Content::decode(&content) {
            Ok(Content::Text(Text { expire_after_read, .. })) => expire_after_read.map(|after| after.span()),
            Ok(Content::Change(_) | Content::App(_) | Content::Ask(_) | Content::Part(_) | Content::Group(_)) => None,
            Ok(Content::Unknown(_)) => return Err("its content is of a newer version".into()),
            Err(error) => return Err(error.to_string()),
        };
        let size_bytes = content.len() as u32;
        let destination = if row.to_group { Eid::group(to) } else { Eid::mail(to) };
        let key = match row.key.as_deref() {
            _ if row.mine => KeyUsed::Own,
            Some("prekey") => KeyUsed::Prekey([0; 8]),
            Some("group") => KeyUsed::Group([0; 16]),
            _ => KeyUsed::Identity,
        };
        let creation = Creation { time: row.sent_at.map(When::to_dtn).unwrap_or_default(), sequence: row.sequence };
        let (lifetime, priority) = (Millis(row.lifetime_ms), row.priority);
        let filed = Arc::new(Filed { key, content, seal: None });
        if row.mine && !is_note {
            let created = self.moment(row.sent_at);
            let mut outgoing = Outgoing {
                id,
                destination,
                creation,
                created,
                lifetime,
                expires: created.now + lifetime,
                priority,
                size_bytes,
                source: Some(from),
                row: None,
                evidence: Vec::new(),
                carriers: Vec::new(),
                unlisted: Default::default(),
            };
            self.attest(&mut outgoing, &row.events)?;
            return Ok(Some((Adopted::Own(outgoing), Earlier { filed, shown: None })));
        }
        let shown = match (after_read, row.expires_at) {
            (Some(span), Some(end)) => Some(self.moment(Some(When(end.0.saturating_sub(span.0 as i64))))),
            _ => None,
        };
        let letter = Letter {
            row: Row(0),
            id,
            source: from,
            destination,
            creation,
            lifetime,
            priority,
            size_bytes,
            received: self.moment(row.received_at),
            from,
            hops: Hops::default(),
            read: row.read,
            // Whoever wrote it was told where it was read, or not; here nobody is.
            told: true,
        };
        Ok(Some((Adopted::Came(letter), Earlier { filed, shown })))
    }

    /// What became of one's own message there, each a moment after the one before, and its end where there was none.
    fn attest(&self, outgoing: &mut Outgoing, events: &[Event]) -> Result<(), String> {
        let mut last = outgoing.created.now;
        for event in events.iter().take(EVENTS_READ_MAX) {
            let Moment { now, wall } = self.moment(event.at);
            last = now.max(last + Millis(1));
            let who = event.who_address.as_deref().map(node).transpose()?;
            let what = match event.what {
                EventKind::Queued => EvidenceKind::Queued,
                EventKind::GaveUp => EvidenceKind::GaveUp,
                EventKind::Copy => EvidenceKind::Copy,
                EventKind::Custody => EvidenceKind::Custody,
                EventKind::Full => {
                    let retry = event.retry_at.map_or(0, |retry| retry.to_dtn().0.saturating_sub(wall.0));
                    EvidenceKind::Full { retry_after: Millis(retry) }
                }
                EventKind::Expired => EvidenceKind::Expired,
                EventKind::Cancelled => EvidenceKind::Cancelled,
                EventKind::Rejected => {
                    EvidenceKind::Rejected { reason: read_rejection(event.reason.as_deref().unwrap_or_default()) }
                }
                EventKind::Delivered => EvidenceKind::Delivered,
                EventKind::Read => EvidenceKind::Read,
            };
            outgoing.attest(Evidence { at: Moment { now: last, wall }, what, who });
        }
        if !outgoing.is_settled() {
            let at = Moment { now: self.at.now.max(last + Millis(1)), wall: self.at.wall };
            outgoing.attest(Evidence { at, what: EvidenceKind::Expired, who: None });
        }
        Ok(())
    }

    /// A moment of the wall clock as this home counts; what was before it began, at its beginning.
    fn moment(&self, when: Option<When>) -> Moment {
        let wall = when.map(When::to_dtn).unwrap_or_default();
        let now = match self.at.trusted_wall() {
            Some(here) if wall.0 > 0 => Timestamp(self.at.now.0.saturating_sub(here.0.saturating_sub(wall.0))),
            _ => self.at.now,
        };
        Moment { now, wall }
    }
}

fn node(address: &str) -> Result<NodeId, String> {
    ticket(address).map(|ticket| ticket.node).map_err(|error| error.message)
}
