//! From what a person types to what it means: names, addresses, and prefixes of ids.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::Desk;
use super::listing::PAGE_ROWS;
use crate::agent::change::{Class, Held, Outgoing};
use crate::agent::{Agent, Standing};
use crate::api::model::ID_PREFIX_DIGITS_MIN;
use crate::api::{ApiError, ErrorKind, NextStep};
use crate::eid::Eid;
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::node::Sighting;
use crate::safe_text::safe_text;
use crate::store::redb::RedbReader;
use crate::ticket::Ticket;

/// As much of the end of a peer id as tells it from others: what tables print.
const SHORT_PEER_DIGITS: usize = 10;
/// As much of a message's id as tables print.
const SHORT_ID_DIGITS: usize = 10;

/// What a person calls himself: a note goes there.
const ME: &str = "me";

/// Reads an address; a bad key is a failure of verification, everything else a slip of the keyboard.
pub fn ticket(address: &str) -> Result<Ticket, ApiError> {
    Ticket::parse(address).map_err(|error| {
        let kind = if error.refuses_key() { ErrorKind::Verification } else { ErrorKind::Usage };
        ApiError::new(kind, error.to_string()).next(NextStep::AskForAddressAgain)
    })
}

/// The key in the address of a person or of a group.
pub fn key_of(address: &str) -> Option<NodeId> {
    let group = || Eid::parse(address).ok().filter(Eid::has_members).map(|group| group.node);
    ticket(address).ok().map(|ticket| ticket.node).or_else(group)
}

/// One spelling of what can be spelt in several ways: the composed characters of Unicode's NFC, in which names are kept
/// and compared.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// Whether it was meant as an address, be it one or not.
pub fn looks_like_an_address(text: &str) -> bool {
    ["dak:", "12D3KooW", "/"].iter().any(|start| text.starts_with(start))
}

/// Whether it can be the beginning of a message's id.
pub fn looks_like_an_id(text: &str) -> bool {
    let text = text.trim();
    text.len() >= ID_PREFIX_DIGITS_MIN && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

pub fn nobody(who: &str) -> ApiError {
    let who = if who.trim().is_empty() { "with an empty name".into() } else { safe_text(who) };
    ApiError::not_found(format!("there is no contact {who}")).next(NextStep::AddContact)
}

impl Desk {
    /// Reads an address, or what `nearby` prints of a node: the end of its id, or the name that it gives itself where no
    /// other there does.
    pub(super) fn introduced(&self, text: &str) -> Result<Ticket, ApiError> {
        let text = text.trim();
        let failed = match ticket(text) {
            Err(error) if error.kind == ErrorKind::Usage => error,
            read => return read,
        };
        let around = self.node().nearby().around(std::time::Instant::now());
        let name = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        // As it is, or as it is printed.
        let typed = [composed(text), composed(name)];
        let is_called = |nickname: &str| {
            let nickname = composed(nickname);
            typed.iter().any(|name| *name == nickname || *name == safe_text(&nickname))
        };
        let is_meant = |(node, sighting): &&(NodeId, Sighting)| {
            let id = text.len() >= SHORT_PEER_DIGITS && node.peer_id().ends_with(text);
            id || sighting.nickname.as_deref().is_some_and(is_called)
        };
        let mut meant = around.iter().filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some((node, sighting)), None) => {
                let hints = Some(sighting.addr.clone());
                Ok(Ticket::new(*node, hints, sighting.nickname.as_deref()))
            }
            (Some(_), Some(_)) => {
                let message = format!("more than one node near by calls itself {}", safe_text(name));
                Err(ApiError::refused(message).next(NextStep::ChooseByPeerId))
            }
            (None, _) if text.starts_with("dak:") || text.starts_with('/') => Err(failed),
            (None, _) => {
                Err(ApiError::usage(format!("{} is no address, and nobody near by is called so", safe_text(text)))
                    .next(NextStep::AskForAddressOrLookAround))
            }
        }
    }

    /// The node of a contact's name; none where nobody is called so.
    pub(super) async fn find_named(&self, who: &str) -> Result<Option<NodeId>, ApiError> {
        // A mark before a name is never needed, and people are used to it.
        let name = composed(who.trim().trim_start_matches(['@', '#']));
        if name == ME {
            return self.look(|agent, _| agent.node()).await.map(Some);
        }
        let named = move |agent: &Agent, names: &super::Names<'_>| {
            let same = |person: &&str, folded: bool| match folded {
                true => person.to_lowercase() == name.to_lowercase(),
                false => **person == name,
            };
            let find = |folded| {
                let mut found = agent.people().filter(|(_, p)| same(&p.name.as_str(), folded)).map(|(node, _)| *node);
                (found.next(), found.next().is_some())
            };
            match find(false) {
                (None, _) => match find(true) {
                    // One's own name is how listings call oneself.
                    (None, _) if names.is_mine(&name) => (Some(agent.node()), false),
                    folded => folded,
                },
                exactly => exactly,
            }
        };
        match self.look(named).await? {
            (node, false) => Ok(node),
            (_, true) => {
                let message =
                    format!("more than one contact is called {}, in small or capital letters", safe_text(who));
                Err(ApiError::not_found(message).next(NextStep::GiveNameAsListed))
            }
        }
    }

    /// The node of a contact's name, or of an address.
    pub(super) async fn find_node(&self, who: &str) -> Result<NodeId, ApiError> {
        if let Some(node) = self.find_named(who).await? {
            return Ok(node);
        }
        match Ticket::parse(who) {
            Ok(ticket) => {
                self.learn_hints(&ticket);
                Ok(ticket.node)
            }
            Err(_) => match self.find_short(who).await? {
                Some(node) => Ok(node),
                // What starts like an address was meant as one.
                None if looks_like_an_address(who) => ticket(who).map(|t| t.node),
                None => Err(nobody(who)),
            },
        }
    }

    /// The same, or the short id of any node that this home has heard of.
    pub(super) async fn find_ticket(&self, text: &str) -> Result<Ticket, ApiError> {
        match self.introduced(text) {
            Err(error) if error.kind == ErrorKind::Usage => match self.find_short(text).await? {
                Some(node) => Ok(Ticket::new(node, [], None)),
                None => Err(error),
            },
            read => read,
        }
    }

    /// Who wrote the message that came here with an id that begins so; none where there is none.
    pub(super) async fn writer_of(&self, id: &str) -> Result<Option<Ticket>, ApiError> {
        if !looks_like_an_id(id) {
            return Ok(None);
        }
        let id = match self.find_letter(id).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        let letter = self.record(move |record| record.letter(&id)).await?;
        Ok(letter.map(|letter| Ticket::new(letter.source, [], None)))
    }

    /// The node whose peer id ends like this: what is printed of nodes that have no name.
    async fn find_short(&self, short: &str) -> Result<Option<NodeId>, ApiError> {
        let short = short.trim();
        if short.len() < SHORT_PEER_DIGITS || !short.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let (mut known, mut found) = (BTreeSet::new(), Vec::new());
        let mut take = |node: NodeId| {
            if known.insert(node) && node.peer_id().ends_with(short) {
                found.push(node);
            }
        };
        let near = |agent: &Agent, _: &super::Names<'_>| {
            let contacts = agent.contacts().map(|contact| contact.peer);
            agent.people().map(|(node, _)| *node).chain(contacts).collect::<Vec<_>>()
        };
        let around = self.node().nearby().around(std::time::Instant::now()).into_iter().map(|(node, _)| node);
        self.look(near).await?.into_iter().chain(around).for_each(&mut take);
        let parties = self.record(RedbReader::parties).await?;
        parties.into_iter().flat_map(|(source, from)| [source, from]).for_each(&mut take);
        self.walk_sent(&mut take).await?;
        self.walk_held(&mut take).await?;
        match found[..] {
            [] => Ok(None),
            [node] => Ok(Some(node)),
            [..] => {
                Err(ApiError::not_found(format!("more than one node's id ends in {short}"))
                    .next(NextStep::GivePeerIdWhole))
            }
        }
    }

    /// Takes whom one's own messages are for, and who carries them.
    async fn walk_sent(&self, take: &mut impl FnMut(NodeId)) -> Result<(), ApiError> {
        let mut after = None;
        loop {
            let page = self.record(move |record| record.sent_behind(after, PAGE_ROWS)).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (_, Outgoing { destination, carriers, .. }) in &page {
                take(destination.node);
                carriers.iter().for_each(|carrier| take(carrier.who));
            }
        }
    }

    /// Takes whom the bundles held are from and for, and who handed them over, one page after another: others wait for the
    /// agent too.
    async fn walk_held(&self, take: &mut impl FnMut(NodeId)) -> Result<(), ApiError> {
        let mut after = None;
        loop {
            let page = move |agent: &Agent, _: &super::Names<'_>| {
                let nodes = |held: Held| [held.source, held.destination.node].into_iter().chain(held.from);
                let page = agent.held_behind(after).take(PAGE_ROWS);
                page.map(|(standing, held)| (standing, nodes(held).collect())).collect::<Vec<(Standing, Vec<NodeId>)>>()
            };
            let rows = self.look(page).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(*last);
            rows.into_iter().flat_map(|(_, nodes)| nodes).for_each(&mut *take);
        }
    }

    /// A bundle in custody, and whether it is one's own.
    pub(super) async fn find_held(&self, prefix: &str) -> Result<(BundleId, bool), ApiError> {
        let id = self.find_id(prefix, Among { held: true, ..Among::default() }).await?;
        let own = move |agent: &Agent, _: &super::Names<'_>| agent.held_one(&id).is_some_and(|h| h.class == Class::Own);
        Ok((id, self.look(own).await?))
    }

    /// A bundle in custody or in the inbox.
    pub(super) async fn find_stored(&self, prefix: &str) -> Result<BundleId, ApiError> {
        self.find_id(prefix, Among { held: true, letters: true, ..Among::default() }).await
    }

    pub(super) async fn find_letter(&self, prefix: &str) -> Result<BundleId, ApiError> {
        self.find_id(prefix, Among { letters: true, ..Among::default() }).await
    }

    /// A message that came or was sent from here.
    pub(super) async fn find_message(&self, prefix: &str) -> Result<BundleId, ApiError> {
        if let Some(id) = self.was_draft(prefix).await? {
            return Ok(id);
        }
        let found = self.find_id(prefix, Among { letters: true, sent: true, ..Among::default() }).await;
        self.or_alias(prefix, found).await
    }

    /// What was found, or what stands in the place of what is not there any more.
    async fn or_alias(&self, typed: &str, found: Result<BundleId, ApiError>) -> Result<BundleId, ApiError> {
        match found {
            Err(error) if error.kind == ErrorKind::NotFound => self.stands_for(typed).await?.ok_or(error),
            found => found,
        }
    }

    pub(super) async fn find_sent(&self, prefix: &str) -> Result<BundleId, ApiError> {
        if let Some(id) = self.was_draft(prefix).await? {
            return Ok(id);
        }
        let found = self.find_id(prefix, Among { sent: true, ..Among::default() }).await;
        self.or_alias(prefix, found).await
    }

    /// The message that a draft of this number became; none of what is longer than such numbers, and so an id.
    async fn was_draft(&self, typed: &str) -> Result<Option<BundleId>, ApiError> {
        let typed = typed.trim();
        let number = typed.parse().ok().filter(|_| typed.len() < ID_PREFIX_DIGITS_MIN);
        let Some(number) = number else { return Ok(None) };
        match &self.sent_of_draft(number).await?[..] {
            [] => Ok(None),
            [id] => Ok(Some(*id)),
            [one, other, ..] => {
                let message = format!("draft {number} went to more than one");
                Err(ApiError::not_found(message)
                    .next(NextStep::GiveMoreOfId { such_as: told_apart(*one, *other).into() }))
            }
        }
    }

    /// Up to two ids of each place that begin so: as many as it takes to know whether there is one.
    async fn ids_like(&self, prefix: IdPrefix, among: Among) -> Result<Vec<BundleId>, ApiError> {
        let mut ids: Vec<BundleId> = Vec::new();
        if among.held {
            ids = self.look(move |agent, _| agent.held_like(&prefix).take(2).collect()).await?;
        }
        let mail = move |record: &RedbReader| {
            let came = if among.letters { record.letters_like(&prefix, 2)? } else { Vec::new() };
            let sent = if among.sent { record.sent_like(&prefix, 2)? } else { Vec::new() };
            Ok([came, sent].concat())
        };
        if among.letters || among.sent {
            ids.extend(self.record(mail).await?);
        }
        Ok(ids)
    }

    /// The one id there that begins so.
    async fn find_id(&self, typed: &str, among: Among) -> Result<BundleId, ApiError> {
        let typed = typed.trim().to_ascii_lowercase();
        if !looks_like_an_id(&typed) {
            let message = format!("an id is {ID_PREFIX_DIGITS_MIN} or more hexadecimal digits");
            return Err(ApiError::usage(message).next(NextStep::CopyMessageId));
        }
        let place = among.place();
        let mut found = match IdPrefix::parse(&typed) {
            Some(prefix) => self.ids_like(prefix, among).await?,
            // Longer than any id.
            None => Vec::new(),
        };
        found.sort();
        found.dedup();
        match (found.pop(), found.pop()) {
            (Some(id), None) => Ok(id),
            (Some(one), Some(other)) => {
                Err(ApiError::not_found(format!("more than one message {place} starts with {typed}"))
                    .next(NextStep::GiveMoreOfId { such_as: told_apart(one, other).into() }))
            }
            (None, _) => Err(self.elsewhere(&typed, place).await?),
        }
    }

    /// There is no such id in one place; perhaps there is in another, and another step leads there.
    async fn elsewhere(&self, typed: &str, place: &str) -> Result<ApiError, ApiError> {
        let error = ApiError::not_found(format!("no message {place} has the id {typed}"));
        let Some(prefix) = IdPrefix::parse(typed) else { return Ok(error) };
        let came = !self.ids_like(prefix, Among { letters: true, ..Among::default() }).await?.is_empty();
        let sent = !self.ids_like(prefix, Among { sent: true, ..Among::default() }).await?.is_empty();
        let held = !self.ids_like(prefix, Among { held: true, ..Among::default() }).await?.is_empty();
        let id = typed.to_owned();
        Ok(match (came, sent, held) {
            (true, _, _) => error.next(NextStep::ReadMessage { id }),
            (_, true, _) => error.next(NextStep::SeeStatus { id }),
            (_, _, true) => error.next(NextStep::SeeCarried),
            _ => error.next(NextStep::CopyMessageId),
        })
    }
}

/// The first half of an id that names a thread; whole ids are taken too.
pub fn thread_mark(text: &str) -> Result<[u8; 16], ApiError> {
    let digits = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.map(byte).collect();
    // Whole ids are taken too: a thread is named by the first half of its first message's id.
    let bytes = bytes.filter(|bytes| bytes.len() == 16 || bytes.len() == 32);
    let mark = bytes.and_then(|bytes| bytes[..16].try_into().ok());
    mark.ok_or_else(|| ApiError::usage("a thread is 32 hexadecimal digits").next(NextStep::CopyThread))
}

/// Where an id is looked for.
#[derive(Clone, Copy, Default)]
struct Among {
    held: bool,
    letters: bool,
    sent: bool,
}

impl Among {
    fn place(self) -> &'static str {
        match (self.held, self.letters, self.sent) {
            (true, true, _) => "stored",
            (true, ..) => "held",
            (_, true, true) => "in the inbox or sent from here",
            (_, true, _) => "in the inbox",
            _ => "sent from here",
        }
    }
}

/// Two ids, with as many digits as tell one from the other.
fn told_apart(one: BundleId, other: BundleId) -> [String; 2] {
    let (one, other) = (one.full(), other.full());
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let digits = (same + 1).clamp(SHORT_ID_DIGITS, one.len());
    [&one[..digits], &other[..digits]].map(str::to_owned)
}
