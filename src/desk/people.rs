//! Whom this person knows, and by what names.

use super::mail::check_after_read;
use super::{Desk, find, rows};
use crate::agent::change::{Person, Standing};
use crate::agent::{Agent, Input};
use crate::api::model::{ContactRow, Done, Introduction, Usual, check_lifetime};
use crate::api::{ApiError, NextStep, Response};
use crate::id::NodeId;
use crate::mail::kept::{self, Habits};
use crate::node::look;
use crate::safe_text::{safe_prose, safe_text};
use crate::ticket::Ticket;
use crate::time::Millis;

/// Longest name a person may give, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// Words that a command takes for something else than a name.
const NAMES_RESERVED: [&str; 2] = ["me", "all"];

impl Desk {
    pub(super) async fn contact_add(&self, introduction: Introduction) -> Result<ContactRow, ApiError> {
        let Introduction { name, address } = introduction;
        let is_one_word = name == address;
        let (ticket, introducer) = match self.find_ticket(&address).await {
            // A message says whom it is from or of, but not what to call them.
            Err(error) if !is_one_word => self.meant_by(&address).await?.ok_or(error)?,
            found => (found?, None),
        };
        let name = match (is_one_word, &ticket.name) {
            (true, Some(nickname)) => checked_name(nickname)?,
            _ => checked_name(&name)?,
        };
        self.refuse_name_of_group(&name)?;
        let node = ticket.node;
        if node == self.node().identity().node() {
            return Err(ApiError::refused("that is your own address").next(NextStep::AskForAddress));
        }
        let add = move |agent: &Agent, before: Option<Person>| {
            let name = free_name(agent, node, name)?;
            let new = Person { name: String::new(), standing: Standing::Contact, verified: false };
            Ok(Person { name, ..before.unwrap_or(new) })
        };
        let is_new = self.look(move |agent, _| agent.person(&node).is_none()).await?;
        let row = self.set_person(node, add).await?;
        if introducer.is_some() && is_new {
            self.set_introducer(node, introducer).await?;
        }
        self.learn_hints(&ticket);
        self.with_arranged(node, row).await
    }

    /// Changes what is known of a person, who may be unknown so far. Whatever `change` looks at is still so when its
    /// answer is written.
    pub(super) async fn set_person(
        &self,
        node: NodeId,
        change: impl FnOnce(&Agent, Option<Person>) -> Result<Person, ApiError> + Send + 'static,
    ) -> Result<ContactRow, ApiError> {
        let decide = move |agent: &Agent| {
            let before = agent.person(&node).cloned();
            match change(agent, before.clone()) {
                Err(error) => (None, Err(error)),
                Ok(person) if before.as_ref() == Some(&person) => (None, Ok((before, person))),
                Ok(person) => (Some(Input::SetPerson { node, person: Some(person.clone()) }), Ok((before, person))),
            }
        };
        let (before, person) = self.node().decide(decide).await??;
        let renamed_from = before.map(|before| before.name).filter(|name| *name != person.name);
        Ok(ContactRow { renamed_from, ..rows::contact(self.node().identity().node(), node, &person) })
    }

    /// People and groups have their names from one store of them.
    pub(super) fn refuse_name_of_group(&self, name: &str) -> Result<(), ApiError> {
        match self.group_that_looks_like(name, None) {
            None => Ok(()),
            Some(group) => Err(refused_for_its_look(name, &group, "a group")),
        }
    }

    /// Remembers where a ticket says its node may be found.
    pub(super) fn learn_hints(&self, ticket: &Ticket) {
        for hint in &ticket.hints {
            if let Ok(addr) = hint.parse() {
                self.node().save_address(ticket.node, addr);
            }
        }
    }

    pub(super) async fn contacts(&self) -> Result<Vec<ContactRow>, ApiError> {
        let me = self.node().identity().node();
        let people: Vec<(NodeId, Person)> =
            self.look(|agent, _| agent.people().map(|(node, person)| (*node, person.clone())).collect()).await?;
        // Safety words take time, and the agent has other things to do.
        let mut rows: Vec<ContactRow> = people.iter().map(|(node, person)| rows::contact(me, *node, person)).collect();
        for (row, (node, _)) in rows.iter_mut().zip(&people) {
            *row = self.with_arranged(*node, row.clone()).await?;
        }
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    pub(super) async fn contact(&self, who: &str) -> Result<ContactRow, ApiError> {
        let (node, person) = self.somebody(who).await?;
        self.with_arranged(node, rows::contact(self.node().identity().node(), node, &person)).await
    }

    /// A row of a contact with what was arranged of it.
    pub(super) async fn with_arranged(&self, node: NodeId, row: ContactRow) -> Result<ContactRow, ApiError> {
        let introduced_by = self.introducer_of(node).await?;
        Ok(ContactRow { introduced_by, usual: self.usual(node).await?, ..row })
    }

    /// How messages to a node go where nothing else is said.
    pub(super) async fn usual(&self, node: NodeId) -> Result<Usual, ApiError> {
        let value = self.record(move |record| record.kept(&kept::usual(&node))).await?;
        let Habits { priority, lifetime, copies, read_receipts, after_read } =
            value.map_or(Habits::default(), |value| Habits::read(&value));
        let (lifetime_ms, expire_after_read_ms) = (lifetime.map(|span| span.0), after_read.map(|span| span.0));
        Ok(Usual { priority, lifetime_ms, copies, read_receipts, expire_after_read_ms })
    }

    pub(super) async fn set_usual(&self, who: &str, clear: bool, usual: Usual) -> Result<ContactRow, ApiError> {
        check_lifetime(usual.lifetime_ms)?;
        check_after_read(usual.expire_after_read_ms)?;
        if usual.copies == Some(0) {
            return Err(ApiError::usage("a message without a copy goes nowhere").advise("allow one at least"));
        }
        let (node, person) = self.somebody(who).await?;
        let before = if clear { Usual::default() } else { self.usual(node).await? };
        let Usual { priority, lifetime_ms, copies, read_receipts, expire_after_read_ms } = usual.or(before);
        let after_read = expire_after_read_ms.filter(|span| *span > 0).map(Millis);
        let habits = Habits { priority, lifetime: lifetime_ms.map(Millis), copies, read_receipts, after_read };
        self.keep(vec![(kept::usual(&node), habits.write())]).await?;
        self.with_arranged(node, rows::contact(self.node().identity().node(), node, &person)).await
    }

    /// Whether somebody is told that a message of theirs was read, where the command does not say.
    pub(super) async fn tells_read(&self, writer: NodeId) -> Result<bool, ApiError> {
        Ok(self.usual(writer).await?.read_receipts.unwrap_or(self.inner.config.read_receipts.value))
    }

    /// A person this home has a name for.
    pub(super) async fn somebody(&self, who: &str) -> Result<(NodeId, Person), ApiError> {
        let node = self.find_node(who).await?;
        let person = self.look(move |agent, _| agent.person(&node).cloned()).await?;
        person.map(|person| (node, person)).ok_or_else(|| find::nobody(who))
    }

    /// Changes somebody who is still known when it is done.
    pub(super) async fn change_person(
        &self,
        who: &str,
        change: impl FnOnce(&Agent, Person) -> Result<Person, ApiError> + Send + 'static,
    ) -> Result<Response, ApiError> {
        let (node, _) = self.somebody(who).await?;
        let gone = find::nobody(who);
        let change = move |agent: &Agent, before: Option<Person>| change(agent, before.ok_or(gone)?);
        self.set_person(node, change).await.map(Response::Contact)
    }

    pub(super) async fn rename(&self, who: &str, name: String) -> Result<Response, ApiError> {
        let name = checked_name(&name)?;
        self.refuse_name_of_group(&name)?;
        let (node, _) = self.somebody(who).await?;
        self.change_person(who, move |agent, person| Ok(Person { name: free_name(agent, node, name)?, ..person })).await
    }

    /// Somebody never named can be blocked too, by address or by a message; what came from there is put away then.
    pub(super) async fn block(&self, who: &str) -> Result<Response, ApiError> {
        let node = match self.find_node(who).await {
            Err(error) => self.writer_of(who).await?.ok_or(error)?.node,
            found => found?,
        };
        if self.look(move |agent, _| agent.person(&node).is_none()).await? {
            self.put_away(node).await?;
        }
        let block = move |agent: &Agent, before: Option<Person>| {
            let nameless = || free_name(agent, node, node.to_string()).unwrap_or_else(|_| node.peer_id());
            let name = before.as_ref().map_or_else(nameless, |person| person.name.clone());
            Ok(Person { name, standing: Standing::Blocked, verified: before.is_some_and(|person| person.verified) })
        };
        self.set_person(node, block).await.map(Response::Contact)
    }

    pub(super) async fn contact_remove(&self, who: &str) -> Result<Response, ApiError> {
        let (node, _) = self.somebody(who).await?;
        self.node().input(Input::SetPerson { node, person: None }).await?;
        self.keep(vec![(kept::introducer(&node), None), (kept::usual(&node), None)]).await?;
        Ok(Response::Done(Done::default()))
    }
}

pub(super) fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = &find::composed(name.trim());
    if name.starts_with(['@', '#', '-']) || name.contains(',') || NAMES_RESERVED.contains(&&*name.to_lowercase()) {
        let reserved = NAMES_RESERVED.join(" and ");
        let message = format!("a name begins with none of @ # -, has no comma, and {reserved} mean something else");
        return Err(ApiError::usage(message).advise("give another one"));
    }
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        let message = format!("a name has 1 to {NAME_BYTES_MAX} bytes on one line");
        return Err(ApiError::usage(message).advise("give another one"));
    }
    // A joiner within a word of a script that spells with it is seen by its readers.
    if safe_prose(name) != *name || name.chars().any(|c| c != ' ' && c.is_whitespace()) {
        let message = format!("something in that name is not seen: {}", safe_text(name));
        return Err(ApiError::usage(message).advise("type it anew, letter by letter"));
    }
    if find::looks_like_an_address(name) {
        return Err(
            ApiError::usage("a name must not look like an address").advise("the name comes first, then the address")
        );
    }
    Ok(name.to_owned())
}

/// The name, unless it is already that of another, or looks like it.
pub(super) fn free_name(agent: &Agent, node: NodeId, name: String) -> Result<String, ApiError> {
    match person_that_looks_like(agent, &name, Some(node)) {
        None => Ok(name),
        Some(other) => Err(refused_for_its_look(&name, &other, "another contact")),
    }
}

/// The name of somebody else whom a reader would take one of that name for.
pub fn person_that_looks_like(agent: &Agent, name: &str, but: Option<NodeId>) -> Option<String> {
    let looks = look(name);
    let mut others = agent.people().filter(|(other, _)| Some(**other) != but);
    others.find(|(_, person)| look(&person.name) == looks).map(|(_, person)| person.name.clone())
}

pub fn refused_for_its_look(name: &str, other: &str, what: &str) -> ApiError {
    let message = match other == name {
        true => format!("there is {what} named {}", safe_text(name)),
        false => format!("{} looks like {}, which is {what}", safe_text(name), safe_text(other)),
    };
    ApiError::refused(message).advise("choose another name")
}
