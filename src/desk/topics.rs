//! Topics as people and their programs use them: made, subscribed to, published in; `consume` hands out what comes.
//!
//! A topic of mine goes by its name, `sensors/temp`; another's by its owner's name before that, `bob/sensors/temp`. Levels
//! have `/` between them for people, and dots in the topic's endpoint.

pub mod consume;
mod gone;

use std::collections::{BTreeMap, BTreeSet};

pub use self::consume::Consumers;

use super::Desk;
use super::rows::{Names, address};
use crate::agent::change::Row;
use crate::agent::{Agent, Input, Terms};
use crate::api::model::{
    Done, PUBLISHED_AT_ONCE_MAX, Publication, PublishedRow, Schema, SubscribedRow, TermsWanted, TopicEndedRow,
    TopicRow, TopicStanding, TopicTermsRow, When,
};
use crate::api::{ApiError, NextStep, Response};
use crate::content::topic::{BODY_BYTES_MAX, Filter, KEY_BYTES_MAX, Leave, WRITERS_MAX};
use crate::eid::{Eid, Service, TOPIC_BYTES_MAX};
use crate::id::{BundleId, NodeId};
use crate::mail::topics::{SUBSCRIPTIONS_MAX, State, TERMS_MAX, rows};
use crate::safe_text::safe_text;
use crate::ticket::Ticket;
use crate::time::{DAY, DtnTime, Millis};

/// How long a message is under way unless its writer says otherwise.
const LIFETIME: Millis = Millis(7 * DAY.0);
/// How long a list of writers is under way, and the leaves on it hold.
const LIST_LIFETIME: Millis = Millis(30 * DAY.0);
/// A list of this age is published anew.
const LIST_RENEWED: Millis = Millis(7 * DAY.0);
/// Messages of a topic held here that are looked at together when somebody subscribes to it.
const HEARD_AT_ONCE: usize = 64;
/// Rows of the record read together.
const ROWS_AT_ONCE: usize = 256;

/// Topics of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    pub owner: NodeId,
    pub filter: Filter,
}

impl Meant {
    /// The one topic; none where it is a pattern.
    fn one(&self) -> Option<Eid> {
        self.filter.is_name().then(|| Eid::topic(self.owner, &self.filter.to_string()))
    }
}

impl Desk {
    pub(super) fn my_node(&self) -> NodeId {
        self.node().identity().node()
    }

    /// Which topics somebody means: of mine where there is one of that name, else of the contact that it begins with.
    async fn meant(&self, text: &str) -> Result<Meant, ApiError> {
        let me = self.my_node();
        if let Some(filter) = filter(text)
            && let Some(topic) = (Meant { owner: me, filter: filter.clone() }).one()
            && self.record(move |record| record.kept(&rows::state(&topic))).await?.is_some()
        {
            return Ok(Meant { owner: me, filter });
        }
        for (at, _) in text.match_indices('/') {
            let (who, rest) = (&text[..at], &text[at + 1..]);
            let named = match (self.find_named(who).await?, Ticket::parse(who)) {
                (None, Ok(ticket)) => Some(ticket.node),
                (None, Err(_)) => self.owner_shown_as(who).await?,
                (named, _) => named,
            };
            if let Some(owner) = named {
                let filter = filter(rest).ok_or_else(|| no_name(rest))?;
                return Ok(Meant { owner, filter });
            }
        }
        let filter = filter(text).ok_or_else(|| no_name(text))?;
        if !filter.is_name() {
            return Ok(Meant { owner: me, filter });
        }
        match text.split_once('/') {
            Some((who, _)) => {
                let message =
                    format!("there is no topic {} of mine, and no contact {}", safe_text(text), safe_text(who));
                Err(ApiError::not_found(message).next(NextStep::MakeTopic))
            }
            None => Err(no_topic(text)),
        }
    }

    /// The one owner of topics around who is listed under this name, contact or not.
    async fn owner_shown_as(&self, who: &str) -> Result<Option<NodeId>, ApiError> {
        let mut owners: BTreeSet<NodeId> = self.states().await?.into_keys().map(|topic| topic.node).collect();
        owners.extend(self.subscriptions().await?.into_iter().map(|(owner, _)| owner));
        let who = who.to_owned();
        let find = move |agent: &Agent, names: &Names<'_>| {
            owners.extend(agent.topics().map(|topic| topic.node));
            let mut found = owners.into_iter().filter(|owner| owner.to_string() == who || names.show(owner) == who);
            let first = found.next();
            first.filter(|_| found.next().is_none())
        };
        self.look(find).await
    }

    async fn meant_one(&self, text: &str) -> Result<Eid, ApiError> {
        let meant = self.meant(text).await?;
        meant.one().ok_or_else(|| ApiError::usage("a pattern is no topic; name one"))
    }

    /// Makes a topic of mine, or says anew who may write in it.
    pub(super) async fn topic_create(&self, text: &str, who: Option<Vec<String>>) -> Result<TopicRow, ApiError> {
        let filter = filter(text).filter(Filter::is_name).ok_or_else(|| no_name(text))?;
        let first = text.split('/').next().unwrap_or_default();
        if text.contains('/') && self.find_named(first).await?.is_some() {
            let message =
                format!("{} is a contact, and what begins with that name is a topic of theirs", safe_text(first));
            return Err(ApiError::usage(message).advise("give the topic another name"));
        }
        let me = self.my_node();
        let topic = Eid::topic(me, &filter.to_string());
        let (of, state_key) = (topic.clone(), rows::state(&topic));
        let known = self.record(move |record| record.kept(&state_key)).await?.and_then(|value| State::read(&value));
        let mut writers = BTreeSet::new();
        match (who, known.and_then(|state| state.list)) {
            (Some(who), _) => {
                for who in who {
                    writers.insert(self.find_node(&who).await?);
                }
            }
            (None, list) => writers.extend(list.into_iter().flat_map(|list| list.writers).map(|(writer, _)| writer)),
        }
        writers.remove(&me);
        if writers.len() > WRITERS_MAX {
            return Err(ApiError::refused(format!("a topic has at most {WRITERS_MAX} writers beside its owner")));
        }
        self.check_subscriptions(me, &filter).await?;
        self.publish_list(topic, writers, Some(filter)).await?;
        self.topic_row(of).await
    }

    /// Publishes who may write, and subscribes to the topic first where it is new.
    async fn publish_list(
        &self,
        topic: Eid,
        writers: BTreeSet<NodeId>,
        subscribed: Option<Filter>,
    ) -> Result<BundleId, ApiError> {
        let signer = self.node().identity().signer();
        let (token, told) = self.node().expect();
        self.node()
            .on_topics(move |topics, now| {
                let (mut inputs, mut changes) = (Vec::new(), Vec::new());
                if let Some(filter) = subscribed {
                    changes.extend(topics.subscribe(topic.node, filter.clone()));
                    inputs.push(Input::Serve { owner: topic.node, filter, on: true });
                }
                let until = DtnTime(now.0.saturating_add(LIST_LIFETIME.0));
                let leaves = writers.into_iter().map(|writer| (writer, Leave::give(&topic, &writer, until, &*signer)));
                let payload = topics.write_list(&topic, leaves.collect(), now).into();
                inputs.push(Input::Publish { token, topic, lifetime: LIST_LIFETIME, payload });
                (inputs, changes, ())
            })
            .await?;
        Ok(told.await.map_err(|_| ApiError::failure("the node stopped before this was done"))??)
    }

    /// Publishes lists anew that are older than a week, so that who hears of a topic late hears who may write, and leaves
    /// do not run out.
    pub(super) async fn renew_lists(&self) -> Result<(), ApiError> {
        let me = self.my_node();
        let now = self.look(|agent, _| super::places::wall(agent)).await?;
        for (topic, state) in self.states().await? {
            let Some(list) = state.list.filter(|_| topic.node == me) else { continue };
            if list.sequence.saturating_add(LIST_RENEWED.0) < now.0 {
                self.publish_list(topic, list.writers.into_iter().map(|(writer, _)| writer).collect(), None).await?;
            }
        }
        Ok(())
    }

    /// As long as the node runs.
    pub(super) async fn keep_lists(self) {
        loop {
            if let Err(error) = self.renew_lists().await {
                tracing::warn!(%error, "who may write in topics could not be published anew");
            }
            if let Err(error) = self.tidy_consumers().await {
                tracing::warn!(%error, "consumers of topics that left are not tidied up for now");
            }
            tokio::time::sleep(std::time::Duration::from_millis(DAY.0)).await;
        }
    }

    async fn check_subscriptions(&self, owner: NodeId, filter: &Filter) -> Result<(), ApiError> {
        let known = self.subscriptions().await?;
        if known.len() >= SUBSCRIPTIONS_MAX && !known.contains(&(owner, filter.clone())) {
            let message = format!("there are {SUBSCRIPTIONS_MAX} subscriptions, and there is room for no more");
            return Err(ApiError::refused(message).next(NextStep::ListTopics));
        }
        Ok(())
    }

    pub(super) async fn topic_subscribe(&self, text: &str) -> Result<SubscribedRow, ApiError> {
        let Meant { owner, filter } = match self.meant(text).await {
            Err(error) if !text.contains('/') => return Err(error),
            meant => meant?,
        };
        self.check_subscriptions(owner, &filter).await?;
        let serve = filter.clone();
        self.node()
            .on_topics(move |topics, _| {
                let changes = topics.subscribe(owner, serve.clone());
                (vec![Input::Serve { owner, filter: serve, on: true }], changes, ())
            })
            .await?;
        self.hear_what_is_held(owner, &filter).await?;
        let topic = filter.to_string().replace('.', "/");
        let row = move |_: &Agent, names: &Names<'_>| SubscribedRow {
            schema: Schema,
            topic: format!("{}/{topic}", names.show(&owner)),
            owner: names.person(&owner),
        };
        self.look(row).await
    }

    /// What was carried before anybody here subscribed to it counts as well.
    async fn hear_what_is_held(&self, owner: NodeId, filter: &Filter) -> Result<(), ApiError> {
        let meant = filter.clone();
        let held = self.look(move |agent, _| agent.topics().collect::<Vec<_>>()).await?;
        let is_meant =
            |topic: &Eid| matches!(&topic.service, Service::Topic(name) if topic.node == owner && meant.matches(name));
        for topic in held.into_iter().filter(is_meant) {
            let mut from = Row(0);
            loop {
                let of = topic.clone();
                let page = self.look(move |agent, _| agent.held_for(&of, from, HEARD_AT_ONCE)).await?;
                let Some((last, _)) = page.last() else { break };
                from = last.next();
                let read = move |record: &crate::store::redb::RedbReader| {
                    let read = page.into_iter().map(|(row, id)| record.bundle(row, id));
                    read.collect::<Result<Vec<_>, _>>()
                };
                let bundles = self.record(read).await?;
                self.node()
                    .on_topics(move |topics, now| {
                        let mut changes = Vec::new();
                        bundles.iter().flatten().for_each(|(bundle, _)| topics.hear(bundle, now, &mut changes));
                        (Vec::new(), changes, ())
                    })
                    .await?;
            }
        }
        Ok(())
    }

    pub(super) async fn topic_unsubscribe(&self, text: &str) -> Result<Response, ApiError> {
        let Meant { owner, filter } = self.meant(text).await?;
        if !self.subscriptions().await?.contains(&(owner, filter.clone())) {
            return Err(no_topic(text));
        }
        if owner == self.my_node() {
            return Err(ApiError::refused("that is a topic of mine").advise("publish nothing more in it"));
        }
        let before: Vec<Eid> = self.states().await?.into_keys().collect();
        let gone = self
            .node()
            .on_topics(move |topics, _| {
                let changes = topics.unsubscribe(owner, filter.clone());
                let gone: Vec<Eid> = before.into_iter().filter(|topic| !topics.hears(topic)).collect();
                (vec![Input::Serve { owner, filter, on: false }], changes, gone)
            })
            .await?;
        for topic in gone {
            self.forget_consumers(&topic).await?;
        }
        Ok(Response::Done(Done::default()))
    }

    /// Says how long and how much of topics stays here, and answers what holds now.
    pub(super) async fn topic_set(&self, text: &str, wanted: TermsWanted) -> Result<TopicTermsRow, ApiError> {
        let Meant { owner, filter } = self.meant(text).await?;
        let me = self.my_node();
        // A pattern that begins with nobody's name is of topics of mine, or a slip.
        let is_meant = |topic: &Eid| matches!(&topic.service, Service::Topic(name) if filter.matches(name));
        if owner == me && !self.states().await?.keys().any(|topic| topic.node == me && is_meant(topic)) {
            return Err(no_topic(text));
        }
        let shown_as = filter.to_string().replace('.', "/");
        let terms = self
            .node()
            .on_topics(move |topics, now| {
                let known = topics.retention().iter().find(|((of, known), _)| (*of, known) == (owner, &filter));
                let before = known.map(|(_, terms)| terms).filter(|_| !wanted.usual).unwrap_or_default();
                let terms = Terms {
                    keep: wanted.keep_ms.map(Millis).or(before.keep),
                    bytes: wanted.keep_bytes.or(before.bytes),
                };
                let is_new = known.is_none() && terms != Terms::default();
                if is_new && topics.retention().len() >= TERMS_MAX {
                    return (Vec::new(), Vec::new(), None);
                }
                if wanted == TermsWanted::default() {
                    return (Vec::new(), Vec::new(), Some(terms));
                }
                let changes = topics.retain(owner, filter.clone(), terms, now);
                (vec![Input::Retain { owner, filter, terms }], changes, Some(terms))
            })
            .await?;
        let Some(Terms { keep, bytes }) = terms else {
            let message = format!("there are terms for {TERMS_MAX} topics, and there is room for no more");
            return Err(ApiError::refused(message).advise("set one for several, by a pattern"));
        };
        let row = move |_: &Agent, names: &Names<'_>| TopicTermsRow {
            schema: Schema,
            topic: if owner == me { shown_as } else { format!("{}/{shown_as}", names.show(&owner)) },
            keep_ms: keep.map(|keep| keep.0),
            keep_bytes: bytes,
        };
        self.look(row).await
    }

    /// Ends a topic of mine: nobody may write in it any more, and nothing of it stays here.
    pub(super) async fn topic_delete(&self, text: &str) -> Result<TopicEndedRow, ApiError> {
        let topic = self.meant_one(text).await?;
        let state = self.states().await?.remove(&topic).ok_or_else(|| no_topic(text))?;
        if topic.node != self.my_node() {
            return Err(ApiError::refused("only its owner ends a topic").next(NextStep::ListTopics));
        }
        let Service::Topic(name) = &topic.service else { return Err(no_topic(text)) };
        let filter = Filter::parse(name).ok_or_else(|| no_topic(text))?;
        let of = topic.clone();
        let held = move |agent: &Agent, _: &Names<'_>| {
            let ends = agent.held().filter(|held| held.destination == of).map(|held| held.expires);
            let now = agent.at();
            ends.max().map(|end| DtnTime(now.wall.0.saturating_add(end.since(now.now).0)))
        };
        let carried_until = self.look(held).await?;
        let has_writers = state.list.is_some_and(|list| !list.writers.is_empty());
        let (token, told) = self.node().expect();
        let of = topic.clone();
        self.node()
            .on_topics(move |topics, now| {
                let owner = of.node;
                let mut inputs =
                    vec![Input::Serve { owner, filter: filter.clone(), on: false }, Input::Forsake(of.clone())];
                if has_writers {
                    let payload = topics.write_list(&of, Vec::new(), now).into();
                    let (topic, lifetime) = (of.clone(), LIST_LIFETIME);
                    inputs.push(Input::Publish { token, topic, lifetime, payload });
                }
                inputs.push(Input::Retain { owner, filter, terms: Terms::default() });
                (inputs, topics.forget(&of), ())
            })
            .await?;
        if has_writers {
            told.await.map_err(|_| ApiError::failure("the node stopped before this was done"))??;
        }
        self.forget_consumers(&topic).await?;
        let carried_until = carried_until.and_then(When::from_dtn);
        Ok(TopicEndedRow { schema: Schema, topic: text.to_owned(), carried_until })
    }

    pub(super) async fn publish(
        &self,
        text: &str,
        messages: Vec<Publication>,
        lifetime_ms: Option<u64>,
    ) -> Result<Vec<PublishedRow>, ApiError> {
        if messages.len() > PUBLISHED_AT_ONCE_MAX {
            return Err(ApiError::refused(format!("one request publishes at most {PUBLISHED_AT_ONCE_MAX} messages")));
        }
        for Publication { key, text } in &messages {
            if text.len() > BODY_BYTES_MAX {
                let message =
                    format!("a message of a topic has at most {BODY_BYTES_MAX} bytes, and this has {}", text.len());
                return Err(ApiError::refused(message).advise("publish it in parts"));
            }
            if key.as_ref().is_some_and(|key| key.len() > KEY_BYTES_MAX) {
                return Err(ApiError::refused(format!("a key has at most {KEY_BYTES_MAX} bytes")));
            }
        }
        let topic = self.meant_one(text).await?;
        let me = self.my_node();
        if topic.node == me && !self.states().await?.contains_key(&topic) {
            return Err(no_topic(text));
        }
        if topic.node != me && !self.is_subscribed(&topic).await? {
            // Who may write says the list, and that is heard of by subscribing.
            self.topic_subscribe(text).await?;
        }
        let messages = messages.into_iter().map(|message| (message.key, message.text)).collect();
        let lifetime = lifetime_ms.map(Millis);
        let ids = self.node().publish(topic.clone(), messages, lifetime, LIFETIME).await?;
        let shown = self.look(move |_, names| shown(&topic, names, me)).await?;
        Ok(ids.into_iter().map(|id| PublishedRow { schema: Schema, id: id.full(), topic: shown.clone() }).collect())
    }

    /// Topics of mine, then those subscribed to, then those around.
    pub(super) async fn topics(&self) -> Result<Vec<TopicRow>, ApiError> {
        let subscriptions = self.subscriptions().await?;
        let names = subscriptions.into_iter().filter(|(_, filter)| filter.is_name());
        let mut all: BTreeSet<Eid> = names.map(|(owner, filter)| Eid::topic(owner, &filter.to_string())).collect();
        all.extend(self.states().await?.into_keys());
        let me = self.my_node();
        // Of a topic of mine that is no more, who may write may still be under way.
        all.extend(self.look(move |agent, _| agent.topics().filter(|of| of.node != me).collect::<Vec<_>>()).await?);
        let mut rows = Vec::new();
        for topic in all {
            rows.push(self.topic_row(topic).await?);
        }
        rows.sort_by(|a, b| (a.standing, &a.topic).cmp(&(b.standing, &b.topic)));
        Ok(rows)
    }

    async fn topic_row(&self, topic: Eid) -> Result<TopicRow, ApiError> {
        let (me, key) = (self.my_node(), rows::state(&topic));
        let state = self.record(move |record| record.kept(&key)).await?.and_then(|value| State::read(&value));
        let standing = match () {
            () if topic.node == me && state.is_some() => TopicStanding::Mine,
            () if self.is_subscribed(&topic).await? => TopicStanding::Subscribed,
            () => TopicStanding::Around,
        };
        let state = state.unwrap_or_default();
        let of = topic.clone();
        let terms =
            self.node().on_topics(move |topics, _| (Vec::new(), Vec::new(), topics.retention().of(&of))).await?;
        let row = move |agent: &Agent, names: &Names<'_>| TopicRow {
            schema: Schema,
            topic: shown(&topic, names, me),
            endpoint: topic.to_string(),
            owner: names.person(&topic.node),
            standing,
            writers: state.list.iter().flat_map(|list| &list.writers).map(|(writer, _)| names.person(writer)).collect(),
            last_event: state.next.saturating_sub(1),
            carried: agent.held_count(&topic) as u64,
            keep_ms: terms.keep.map(|keep| keep.0),
            keep_bytes: terms.bytes,
        };
        self.look(row).await
    }

    async fn is_subscribed(&self, topic: &Eid) -> Result<bool, ApiError> {
        let Service::Topic(name) = &topic.service else { return Ok(false) };
        let known = self.subscriptions().await?;
        Ok(known.iter().any(|(owner, filter)| *owner == topic.node && filter.matches(name)))
    }

    async fn subscriptions(&self) -> Result<Vec<(NodeId, Filter)>, ApiError> {
        let kept = self.record(|record| record.all_kept(&rows::subscriptions(), None, SUBSCRIPTIONS_MAX)).await?;
        let read = kept.into_iter().filter_map(|(key, _)| match rows::read_key(&key) {
            Some(rows::Key::Subscription(owner, filter)) => Some((owner, filter)),
            _ => None,
        });
        Ok(read.collect())
    }

    /// All that is known of topics as a whole.
    async fn states(&self) -> Result<BTreeMap<Eid, State>, ApiError> {
        let (mut states, mut after) = (BTreeMap::new(), None::<Vec<u8>>);
        loop {
            let from = after.take();
            let page =
                self.record(move |record| record.all_kept(&rows::states(), from.as_deref(), ROWS_AT_ONCE)).await?;
            after = page.last().map(|(key, _)| key.clone());
            let is_last = page.len() < ROWS_AT_ONCE;
            states.extend(page.into_iter().filter_map(|(key, value)| match rows::read_key(&key) {
                Some(rows::Key::State(topic)) => Some((topic, State::read(&value)?)),
                _ => None,
            }));
            if is_last {
                return Ok(states);
            }
        }
    }
}

/// A topic as it is typed here.
fn shown(topic: &Eid, names: &Names<'_>, me: NodeId) -> String {
    let Service::Topic(name) = &topic.service else { return address(topic.node) };
    let name = name.replace('.', "/");
    if topic.node == me { name } else { format!("{}/{name}", names.show(&topic.node)) }
}

/// Levels as people type them.
fn filter(text: &str) -> Option<Filter> {
    if text.contains('.') { None } else { Filter::parse(&text.replace('/', ".")) }
}

fn no_name(text: &str) -> ApiError {
    let shown = if text.trim().is_empty() { "an empty name".into() } else { safe_text(text) };
    let message = format!(
        "{shown} names no topic: its levels have a-z, 0-9, _ and -, with / between them, at most {TOPIC_BYTES_MAX} bytes in all"
    );
    ApiError::usage(message)
}

fn no_topic(text: &str) -> ApiError {
    ApiError::not_found(format!("there is no topic {} here", safe_text(text))).next(NextStep::ListTopics)
}
