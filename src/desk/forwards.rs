//! Passing on what somebody wrote: the words and the files go along, and who wrote them, as this home knows it.

use std::collections::BTreeSet;

use super::Desk;
use super::find::{thread_mark, ticket};
use super::rows;
use crate::agent::change::Letter;
use crate::api::model::{Compose, File, ForwardedRow, InboxRow, LetterRow, PersonRow, check_composed};
use crate::api::{ApiError, NextStep};
use crate::content::{Attachment, Content, Forwarded, Proof, Text};
use crate::seal::{self, Facts};
use crate::store::redb::Body;

impl Desk {
    /// The text that passes a message on, with what is said of it. What was passed on here already is still its first
    /// author's.
    pub(super) async fn passed_on(&self, prefix: &str, compose: Compose) -> Result<Text, ApiError> {
        if compose.subject.is_some()
            || !compose.attachments.is_empty()
            || !compose.paths.is_empty()
            || !compose.uploads.is_empty()
        {
            return Err(ApiError::usage("what is forwarded goes as it was written")
                .advise("send another subject or other files in a message of their own"));
        }
        self.refuse_to_pass_on(self.find_message(prefix).await?).await?;
        let LetterRow { row, files, .. } = self.read(prefix, false, false).await?;
        let mut enclosed = Vec::new();
        for file in row.attachments.iter().filter(|file| file.root.is_some()) {
            let id = file.id.clone().unwrap_or_default();
            let named = self.find_file(&id).await?;
            if self.node().blobs().bytes_of(&named.file.root) < named.file.bytes {
                let message = format!("not all of {} is here", crate::safe_text::safe_text(&file.name));
                return Err(ApiError::refused(message).next(NextStep::GetFile { id }));
            }
            enclosed.push(named.file);
        }
        let InboxRow { id, from_address, text, subject, sent_at, forwarded, unreadable, changes, .. } = row;
        let Some(body) = text else {
            let why = if changes.withdrawn { "its writer withdrew it" } else { "it cannot be read" };
            let why = unreadable.unwrap_or_else(|| why.into());
            return Err(ApiError::refused(format!("there is nothing to forward: {why}")));
        };
        let (author, id, sent_at) = match forwarded {
            Some(ForwardedRow { author, id, sent_at, .. }) => (author.address, id, sent_at),
            None => (from_address, id, sent_at),
        };
        let attachments: Vec<Attachment> =
            files.into_iter().map(|File { name, bytes }| Attachment { name, bytes }).collect();
        let bytes: usize = attachments.iter().map(|file| file.name.len() + file.bytes.len()).sum();
        let words = compose.text.len() + body.len() + subject.as_ref().map_or(0, String::len);
        check_composed(attachments.len(), bytes + words)?;
        let forwarded = Forwarded {
            author: ticket(&author)?.node,
            id: thread_mark(&id)?,
            sent: sent_at.map_or(0, |when| when.to_dtn().0),
        };
        let text = Text {
            body,
            subject,
            attachments,
            enclosed,
            remark: compose.text,
            forwarded: Some(Box::new(forwarded)),
            ..Text::default()
        };
        let proof = self.proof_of(prefix, &text).await?;
        Ok(Text { proof, ..text })
    }

    /// What shows that a text which passes on a message has its author's signature; none where that cannot be shown.
    async fn proof_of(&self, prefix: &str, text: &Text) -> Result<Option<Box<Proof>>, ApiError> {
        let id = self.find_message(prefix).await?;
        let known = self.record(move |record| record.known(&id)).await?;
        let row = known.letter.as_ref().map(|letter| letter.row).or(known.outgoing.and_then(|own| own.row));
        let Some(row) = row else { return Ok(None) };
        let Some(Body::Filed(filed)) = self.record(move |record| record.words(&[row])).await?.pop().flatten() else {
            return Ok(None);
        };
        let Ok(Content::Text(Text { proof, .. })) = Content::decode(&filed.content) else { return Ok(None) };
        if proof.is_some() {
            // It goes on as it came.
            let passed = Text { proof, ..text.clone() };
            return Ok(if seal::is_signed(&passed) { passed.proof } else { None });
        }
        let Some(Letter { creation, lifetime, priority, .. }) = known.letter else { return Ok(None) };
        Ok(self.node().keyring().prove(&Facts { creation, lifetime, priority }, &filed, text))
    }

    /// Calls the authors of what was forwarded, and whom changes name, as this person does.
    pub(super) async fn name_authors(&self, mut rows: Vec<&mut InboxRow>) -> Result<(), ApiError> {
        if rows.iter().any(|row| row.kind == "group") {
            let texts: Vec<String> = rows.iter().map(|row| row.text.clone().unwrap_or_default()).collect();
            let named = move |_: &crate::agent::Agent, names: &rows::Names<'_>| {
                texts.iter().map(|text| super::groups::with_names(text, names)).collect::<Vec<_>>()
            };
            for (row, text) in rows.iter_mut().zip(self.look(named).await?) {
                if row.kind == "group" {
                    row.text = Some(text);
                }
            }
        }
        let mut people = Vec::new();
        for row in rows {
            people.extend(row.forwarded.as_mut().map(|forwarded| &mut forwarded.author));
            people.extend(row.sets.iter_mut().filter_map(|set| set.who.as_mut()));
        }
        self.name_people(people).await
    }

    /// Calls people whose addresses are known as this person does.
    pub(super) async fn name_people(&self, mut people: Vec<&mut PersonRow>) -> Result<(), ApiError> {
        if people.is_empty() {
            return Ok(());
        }
        let nodes = people.iter().filter_map(|person| ticket(&person.address).ok());
        let nodes: BTreeSet<_> = nodes.map(|ticket| ticket.node).collect();
        let known = move |_: &crate::agent::Agent, names: &rows::Names<'_>| {
            nodes.into_iter().map(|node| (rows::address(node), names.known(&node))).collect::<Vec<_>>()
        };
        let known = self.look(known).await?;
        for person in &mut people {
            let name = known.iter().find(|(address, _)| *address == person.address);
            person.name = name.and_then(|(_, name)| name.clone());
        }
        Ok(())
    }
}
