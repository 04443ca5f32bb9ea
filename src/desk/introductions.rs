//! Introductions: one contact's address by the word of another.

use super::Desk;
use super::find::ticket;
use super::rows;
use crate::agent::change::Standing;
use crate::api::ApiError;
use crate::api::model::{InboxRow, SentRow};
use crate::bundle::Priority;
use crate::content::{Content, Introduced, Text, pad};
use crate::eid::Eid;
use crate::id::NodeId;
use crate::mail::kept;
use crate::safe_text::safe_text;
use crate::store::redb::Body;
use crate::ticket::Ticket;

impl Desk {
    /// Introduces a contact to another one.
    pub(super) async fn share(&self, who: &str, with: &str, text: Option<String>) -> Result<SentRow, ApiError> {
        let (node, person) = self.somebody(who).await?;
        let to = self.find_node(with).await?;
        if node == to {
            return Err(ApiError::usage("nobody has to be introduced to themselves").advise("name two contacts"));
        }
        if person.standing == Standing::Blocked {
            let message = format!("{} is blocked here, and nobody to introduce", safe_text(&person.name));
            return Err(ApiError::refused(message));
        }
        // Whoever reads this with an older version has the address at least.
        let body = text.unwrap_or_else(|| bare_words(&person.name, &rows::address(node)));
        let introduces = Some(Box::new(Introduced { name: person.name, node }));
        let content = Content::Text(Text { body, introduces, ..Text::default() });
        let plaintext = pad(&content.encode());
        let id = self.node().send(Eid::mail(to), plaintext, super::mail::LIFETIME, Priority::Normal, None).await?;
        self.sent_row(id, to).await
    }

    /// Whom a message that came here introduces, or else who wrote it; and of an introduction who made it. None where there
    /// is no such message.
    pub(super) async fn meant_by(&self, id: &str) -> Result<Option<(Ticket, Option<NodeId>)>, ApiError> {
        let Some(writer) = self.writer_of(id).await? else { return Ok(None) };
        let id = self.find_letter(id).await?;
        let Some(letter) = self.record(move |record| record.letter(&id)).await? else { return Ok(None) };
        let row = letter.row;
        let body = self.record(move |record| record.words(&[row])).await?.pop().flatten();
        let Some(Body::Filed(filed)) = body else { return Ok(Some((writer, None))) };
        match Content::decode(&filed.content) {
            Ok(Content::Text(Text { introduces: Some(introduced), .. })) => {
                let name = Some(&*introduced.name).filter(|name| !name.is_empty());
                Ok(Some((Ticket::new(introduced.node, [], name), Some(letter.source))))
            }
            _ => Ok(Some((writer, None))),
        }
    }

    /// Remembers who introduced somebody, or forgets it.
    pub(super) async fn set_introducer(&self, node: NodeId, introducer: Option<NodeId>) -> Result<(), ApiError> {
        let value = introducer.map(|introducer| kept::write_node(&introducer));
        self.keep(vec![(kept::introducer(&node), value)]).await
    }

    /// Who introduced somebody, as this person calls them.
    pub(super) async fn introducer_of(&self, node: NodeId) -> Result<Option<String>, ApiError> {
        let value = self.record(move |record| record.kept(&kept::introducer(&node))).await?;
        let Some(introducer) = value.and_then(|value| kept::read_node(&value)) else { return Ok(None) };
        self.look(move |_, names| names.show(&introducer)).await.map(Some)
    }

    /// Calls those whom messages introduce as this person does.
    pub(super) async fn name_introduced(&self, rows: Vec<&mut InboxRow>) -> Result<(), ApiError> {
        for row in rows {
            if let Some(introduces) = &mut row.introduces
                && let Ok(ticket) = ticket(&introduces.address)
            {
                introduces.known_as = self.look(move |_, names| names.known(&ticket.node)).await?;
            }
        }
        Ok(())
    }
}

/// What an introduction says where its writer says nothing.
fn bare_words(name: &str, address: &str) -> String {
    format!("{name} {address}")
}
