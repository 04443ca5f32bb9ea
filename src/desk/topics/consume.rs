//! Consumers: each gets events of a topic one after the other, says what became of them, and shares with its group what
//! nobody has got yet.
//!
//! ```text
//! follow ──▶ a row, out with this consumer ──▶ settle: done │ again, later │ given up
//!                       └──▶ the consumer leaves: out with the next one
//! ```
//! What a group is done with is durable before the answer says so.

use std::collections::VecDeque;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream;
use tokio::sync::Notify;

use super::super::Desk;
use super::super::rows::Names;
use super::{Meant, ROWS_AT_ONCE, no_topic, shown};
use crate::agent::Agent;
use crate::api::model::{Done, FailedRow, Outcome, PUBLISHED_AT_ONCE_MAX, Schema, SettledEvent, TopicEventRow, When};
use crate::api::{ApiError, ErrorKind, NextStep, Response, Row, Rows};
use crate::eid::{Eid, Service};
use crate::mail::topics::group::{DEAD_MAX, Dead, Group, Next, Settled, TRIES, Verdict};
use crate::mail::topics::rows::GROUP_BYTES_MAX;
use crate::mail::topics::{Event, State, rows};
use crate::store::redb::RedbReader;
use crate::time::DtnTime;

/// The group of those who name none.
const GROUP: &str = "main";
/// Events that are out with one consumer at most, unless it says otherwise.
const WINDOW: u32 = 64;
/// The most that it may ask for: less than a stream's reader may lag behind.
const WINDOW_MAX: u32 = 512;
/// Events read at once.
const PAGE: usize = 256;
/// Events that somebody reads at once who says no number.
const READ_AT_ONCE: usize = 100;
/// A sleep does not count the time that a machine slept through.
const NAP_MAX: Duration = Duration::from_secs(60);
/// Longest reason that is kept of what was given up, in characters.
pub const WHY_CHARS_MAX: usize = 500;
/// Most events that one request settles.
const SETTLED_AT_ONCE_MAX: usize = 1_024;

/// Most groups that consume one topic: each has a row that stays while the topic is subscribed to.
const GROUPS_MAX: usize = 256;

/// What a consumer wants.
pub struct Wish {
    pub topic: String,
    pub group: Option<String>,
    pub from: Option<String>,
    pub follow: bool,
    pub window: Option<u32>,
}

/// Who has what.
#[derive(Default)]
pub struct Consumers {
    next: AtomicU64,
    groups: Mutex<BTreeMap<(Eid, String), Group>>,
    /// Of two that settle at the same time, one is written down before the other.
    settling: tokio::sync::Mutex<()>,
    /// Something may go out that could not before.
    changed: Notify,
}

impl Consumers {
    pub(super) fn groups(&self) -> MutexGuard<'_, BTreeMap<(Eid, String), Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows for one consumer.
pub fn rows(desk: Desk, wish: Wish) -> Rows {
    Box::pin(stream::unfold(Some(Start::Wish(desk, wish)), |start| async move {
        let started = match start? {
            Start::Wish(desk, wish) => Consumer::begin(desk, wish).await,
            Start::Consumer(consumer) => Ok(*consumer),
        };
        let mut consumer = match started {
            Ok(consumer) => consumer,
            Err(error) => return Some((Row::Ended(error), None)),
        };
        match consumer.next().await {
            Ok(Some(row)) => Some((Row::Sub(row), Some(Start::Consumer(Box::new(consumer))))),
            Ok(None) => None,
            Err(error) => Some((Row::Ended(error), None)),
        }
    }))
}

enum Start {
    Wish(Desk, Wish),
    Consumer(Box<Consumer>),
}

struct Consumer {
    desk: Desk,
    number: u64,
    meant: Meant,
    group: String,
    follow: bool,
    window: usize,
    /// Out with this consumer, and on the way to it.
    page: VecDeque<TopicEventRow>,
}

/// Whoever it had goes to others.
impl Drop for Consumer {
    fn drop(&mut self) {
        let consumers = &self.desk.inner.consumers;
        consumers.groups().values_mut().for_each(|group| group.part(self.number));
        consumers.changed.notify_waiters();
    }
}

impl Consumer {
    async fn begin(desk: Desk, wish: Wish) -> Result<Consumer, ApiError> {
        let group = group_name(wish.group)?;
        let meant = desk.meant(&wish.topic).await?;
        if !desk.subscriptions().await?.iter().any(|(owner, filter)| *owner == meant.owner && meant.is_within(filter)) {
            if meant.owner == desk.my_node() && meant.one().is_some() {
                return Err(no_topic(&wish.topic));
            }
            // Who wants to hear of something subscribes by that.
            desk.topic_subscribe(&wish.topic).await?;
        }
        if let Some(from) = &wish.from {
            let one = meant.one();
            match (from.as_str(), one) {
                (_, Some(topic)) => desk.go_to(&topic, &group, from).await?,
                ("start" | "last", None) => {
                    for topic in desk.topics_meant(&meant).await? {
                        desk.go_to(&topic, &group, from).await?;
                    }
                }
                _ => return Err(ApiError::usage("events of several topics have no common number to go on from")),
            }
        }
        let number = desk.inner.consumers.next.fetch_add(1, Ordering::Relaxed);
        let window = wish.window.unwrap_or(WINDOW).clamp(1, WINDOW_MAX) as usize;
        Ok(Consumer { desk, number, meant, group, follow: wish.follow, window, page: VecDeque::new() })
    }

    async fn next(&mut self) -> Result<Option<TopicEventRow>, ApiError> {
        if let Some(row) = self.page.pop_front() {
            return Ok(Some(row));
        }
        let mut commits = self.desk.node().commits();
        let desk = self.desk.clone();
        loop {
            let changed = desk.inner.consumers.changed.notified();
            tokio::pin!(changed);
            // From here on nothing is missed.
            changed.as_mut().enable();
            commits.borrow_and_update();
            let topics = desk.topics_meant(&self.meant).await?;
            if self.meant.one().is_none() {
                desk.forget_consumers_beside(&self.meant, &topics).await?;
            }
            let now = wall_now();
            let (mut has, mut next_try) = (0, None::<DtnTime>);
            for topic in &topics {
                desk.load_group(topic, &self.group).await?;
                let groups = desk.inner.consumers.groups();
                let Some(group) = groups.get(&(topic.clone(), self.group.clone())) else { continue };
                has += group.count_of(self.number);
                next_try = [next_try, group.next_try()].into_iter().flatten().min();
            }
            for topic in &topics {
                if has < self.window {
                    let rows = self.take(topic, now, self.window - has).await?;
                    has += rows.len();
                    self.page.extend(rows);
                }
            }
            match self.page.pop_front() {
                Some(row) => return Ok(Some(row)),
                None if !self.follow && has == 0 => return Ok(None),
                None => {}
            }
            let nap =
                next_try.map_or(NAP_MAX, |at| Duration::from_millis(at.0.saturating_sub(now.0).max(1)).min(NAP_MAX));
            tokio::select! {
                changed = commits.changed() => if changed.is_err() { return Ok(None) },
                () = &mut changed => {}
                () = tokio::time::sleep(nap) => {}
                () = desk.node().ended() => return Ok(None),
            }
        }
    }

    /// The next events of a topic that this consumer may have: at most so many.
    async fn take(&mut self, topic: &Eid, now: DtnTime, many: usize) -> Result<Vec<TopicEventRow>, ApiError> {
        let (key, desk) = ((topic.clone(), self.group.clone()), self.desk.clone());
        let mut taken = Vec::new();
        let mut read: VecDeque<(u64, Event)> = VecDeque::new();
        while taken.len() < many {
            let Some(next) = desk.inner.consumers.groups().get(&key).map(|group| group.next(now)) else { break };
            let (number, event) = match next {
                Next::Full => break,
                Next::Again(number, _) => (number, desk.event(topic, &self.group, number).await?),
                Next::Behind(handed) => {
                    read.retain(|(number, _)| *number > handed);
                    if read.is_empty() {
                        read = desk.events_behind(topic, handed, PAGE.min(many - taken.len())).await?.into();
                    }
                    match read.pop_front() {
                        Some((number, event)) => (number, Some(event)),
                        None => break,
                    }
                }
            };
            let mut groups = desk.inner.consumers.groups();
            let Some(group) = groups.get_mut(&key) else { break };
            let handed = group.hand(number, self.number, now);
            match (handed, event) {
                (Some(failed), Some(event)) => taken.push((number, event, failed + 1)),
                // It left meanwhile.
                (Some(_), None) => group.skip(number),
                (None, _) => {}
            }
        }
        desk.event_rows(topic, taken).await
    }
}

impl Meant {
    /// Whether a subscription has all of this.
    fn is_within(&self, subscribed: &crate::content::topic::Filter) -> bool {
        *subscribed == self.filter || self.filter.is_name() && subscribed.matches(&self.filter.to_string())
    }
}

impl Desk {
    /// Topics that something is known of here.
    async fn topics_meant(&self, meant: &Meant) -> Result<Vec<Eid>, ApiError> {
        if let Some(topic) = meant.one() {
            return Ok(vec![topic]);
        }
        let is_meant = |topic: &Eid| matches!(&topic.service, Service::Topic(name) if topic.node == meant.owner && meant.filter.matches(name));
        Ok(self.states().await?.into_keys().filter(is_meant).collect())
    }

    async fn load_group(&self, topic: &Eid, name: &str) -> Result<(), ApiError> {
        let key = (topic.clone(), name.to_owned());
        if self.inner.consumers.groups().contains_key(&key) {
            return Ok(());
        }
        self.admit_group(topic, name).await?;
        let row = rows::group(topic, name);
        let group = self.record(move |record| record.kept(&row)).await?.and_then(|value| Group::read(&value));
        self.inner.consumers.groups().entry(key).or_insert(group.unwrap_or_default());
        Ok(())
    }

    /// Whether a group is known, or may begin.
    async fn admit_group(&self, topic: &Eid, name: &str) -> Result<(), ApiError> {
        let start = rows::groups(topic);
        let kept = self.record(move |record| record.all_kept(&start, None, GROUPS_MAX)).await?;
        let mut known: BTreeSet<Vec<u8>> = kept.into_iter().map(|(key, _)| key).collect();
        let of_topic = |(of, name): &(Eid, String)| (of == topic).then(|| rows::group(of, name));
        known.extend(self.inner.consumers.groups().keys().filter_map(of_topic));
        if known.len() < GROUPS_MAX || known.contains(&rows::group(topic, name)) {
            return Ok(());
        }
        let error = format!("{GROUPS_MAX} groups consume this topic, and there is room for no more");
        Err(ApiError::refused(error).advise("use one of them, or end the subscription, which ends them all"))
    }

    /// Puts a group to the start, to the end, or behind an event.
    async fn go_to(&self, topic: &Eid, name: &str, from: &str) -> Result<(), ApiError> {
        let key = rows::state(topic);
        let state = self.record(move |record| record.kept(&key)).await?.and_then(|value| State::read(&value));
        let State { next, left, .. } = state.unwrap_or_default();
        let last = next.saturating_sub(1);
        let number = match from {
            "start" => 0,
            "last" => last,
            number => {
                let number: u64 = number.parse().map_err(|_| {
                    ApiError::usage(format!(
                        "{} is neither start nor last nor the number of an event",
                        crate::safe_text::safe_text(number)
                    ))
                })?;
                if number > last {
                    let error = format!("event {number} has not happened yet; the last one is {last}");
                    return Err(ApiError::new(ErrorKind::Forgotten, error).next(NextStep::ConsumeFrom { event: last }));
                }
                if number < left {
                    let first = self.events_behind(topic, 0, 1).await?.first().map_or(next, |(number, _)| *number);
                    let error = format!("events up to {left} are kept no more; the oldest there is is {first}");
                    let next = NextStep::ConsumeFrom { event: first.saturating_sub(1) };
                    return Err(ApiError::new(ErrorKind::Forgotten, error).next(next));
                }
                number
            }
        };
        let _turn = self.inner.consumers.settling.lock().await;
        self.admit_group(topic, name).await?;
        let mut group = Group::default();
        group.go_to(number);
        let value = group.write();
        self.inner.consumers.groups().insert((topic.clone(), name.to_owned()), group);
        self.node().keep(vec![(rows::group(topic, name), Some(value))]).await?;
        self.inner.consumers.changed.notify_waiters();
        Ok(())
    }

    /// The next events behind a number: at most so many.
    async fn events_behind(&self, topic: &Eid, number: u64, many: usize) -> Result<Vec<(u64, Event)>, ApiError> {
        let (start, after) = (rows::events(topic), rows::event(topic, number));
        let kept = self.record(move |record| record.all_kept(&start, Some(&after), many)).await?;
        let events = kept.into_iter().filter_map(|(key, value)| match rows::read_key(&key) {
            Some(rows::Key::Event(_, number)) => Some((number, Event::read(&value)?)),
            _ => None,
        });
        Ok(events.collect())
    }

    /// An event, or what is kept of it among those that a group gave up.
    async fn event(&self, topic: &Eid, group: &str, number: u64) -> Result<Option<Event>, ApiError> {
        let (key, dead) = (rows::event(topic, number), rows::dead(topic, group, number));
        let read = move |record: &RedbReader| {
            if let Some(value) = record.kept(&key)? {
                return Ok(Event::read(&value));
            }
            Ok(record.kept(&dead)?.and_then(|value| Dead::read(&value)).map(|dead| dead.event))
        };
        self.record(read).await
    }

    /// The last events of a topic before one of them, the oldest first; nobody's place in it moves.
    pub(in crate::desk) async fn topic_events(
        &self,
        text: &str,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<TopicEventRow>, ApiError> {
        let topic = self.meant_one(text).await?;
        let key = rows::state(&topic);
        let state = self.record(move |record| record.kept(&key)).await?.and_then(|value| State::read(&value));
        let Some(state) = state else { return Err(no_topic(text)) };
        let wanted = limit.map_or(READ_AT_ONCE, |limit| limit as usize).min(PUBLISHED_AT_ONCE_MAX);
        let mut found = VecDeque::new();
        let mut end = before.unwrap_or(u64::MAX).min(state.next);
        // Numbers have gaps where a later word on a key took the place of an earlier one: ever wider steps go over them.
        let mut step = wanted.max(1) as u64;
        while found.len() < wanted && end > 1 {
            let start = (end - 1).saturating_sub(step);
            let mut events = self.events_behind(&topic, start, step as usize).await?;
            events.retain(|(number, _)| *number < end);
            events.into_iter().rev().take(wanted - found.len()).for_each(|event| found.push_front(event));
            (end, step) = (start + 1, (step * 2).min(PUBLISHED_AT_ONCE_MAX as u64));
        }
        self.event_rows(&topic, found.into_iter().map(|(number, event)| (number, event, 1)).collect()).await
    }

    /// Events with their numbers, and which try it is.
    async fn event_rows(&self, topic: &Eid, events: Vec<(u64, Event, u32)>) -> Result<Vec<TopicEventRow>, ApiError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (topic, me) = (topic.clone(), self.my_node());
        let rows = move |_: &Agent, names: &Names<'_>| {
            let row = |(number, event, attempt): (u64, Event, u32)| TopicEventRow {
                schema: Schema,
                event: number,
                id: event.id.full(),
                topic: shown(&topic, names, me),
                key: event.key,
                from: names.person(&event.writer),
                text: event.body,
                sent_at: When::from_dtn(event.created),
                endpoint: topic.to_string(),
                attempt,
            };
            events.into_iter().map(row).collect()
        };
        self.look(rows).await
    }

    /// Takes in what became of events.
    pub(in crate::desk) async fn topic_settle(
        &self,
        group: &str,
        events: Vec<SettledEvent>,
    ) -> Result<Response, ApiError> {
        let group = group_name(Some(group.to_owned()))?;
        if events.len() > SETTLED_AT_ONCE_MAX {
            return Err(ApiError::refused(format!("one request settles at most {SETTLED_AT_ONCE_MAX} events")));
        }
        let _turn = self.inner.consumers.settling.lock().await;
        let now = wall_now();
        let mut given_up = Vec::new();
        let mut keep: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        for SettledEvent { endpoint, event: number, outcome, why, tries } in events {
            let topic = Eid::parse(&endpoint).ok().filter(Eid::is_topic);
            let topic = topic.ok_or_else(|| ApiError::usage("an event names its topic as its row does"))?;
            let verdict = match outcome {
                Outcome::Done => Verdict::Done,
                Outcome::Again => Verdict::Again { tries_max: tries.unwrap_or(TRIES).max(1) },
                Outcome::GiveUp => Verdict::GiveUp,
            };
            let mut groups = self.inner.consumers.groups();
            let Some(known) = groups.get_mut(&(topic.clone(), group.clone())) else { continue };
            let was_given_up = number <= known.cursor();
            match known.settle(number, verdict, now) {
                Some(Settled::GivenUp(failed)) => given_up.push((topic.clone(), number, failed, why)),
                Some(Settled::Done) if was_given_up => drop(keep.insert(rows::dead(&topic, &group, number), None)),
                Some(_) => {}
                None => continue,
            }
            keep.insert(rows::group(&topic, &group), Some(known.write()));
        }
        for (topic, number, failed, why) in given_up {
            let Some(event) = self.event(&topic, &group, number).await? else { continue };
            let why = why.unwrap_or_default().chars().take(WHY_CHARS_MAX).collect();
            let dead = Dead { failed, at: now, why, event };
            keep.insert(rows::dead(&topic, &group, number), Some(dead.write()));
            let all = self.dead_keys(&topic, &group).await?;
            let over = (all.len() + 1).saturating_sub(DEAD_MAX);
            all.into_iter().take(over).for_each(|key| drop(keep.insert(key, None)));
        }
        self.node().keep(keep.into_iter().collect()).await?;
        self.inner.consumers.changed.notify_waiters();
        Ok(Response::Done(Done::default()))
    }

    async fn dead_keys(&self, topic: &Eid, group: &str) -> Result<Vec<Vec<u8>>, ApiError> {
        let start = rows::dead_of(topic, group);
        let kept = self.record(move |record| record.all_kept(&start, None, DEAD_MAX + 1)).await?;
        Ok(kept.into_iter().map(|(key, _)| key).collect())
    }

    /// What a group gave up, the oldest first.
    pub(in crate::desk) async fn topic_failed(
        &self,
        text: &str,
        group: Option<String>,
    ) -> Result<Vec<FailedRow>, ApiError> {
        let (topic, group) = (self.meant_one(text).await?, group_name(group)?);
        let start = rows::dead_of(&topic, &group);
        let kept = self.record(move |record| record.all_kept(&start, None, DEAD_MAX + 1)).await?;
        let dead = kept.into_iter().filter_map(|(key, value)| match rows::read_key(&key) {
            Some(rows::Key::Dead(_, _, number)) => Some((number, Dead::read(&value)?)),
            _ => None,
        });
        let (events, whys): (Vec<_>, Vec<_>) =
            dead.map(|(number, dead)| ((number, dead.event, dead.failed), (dead.at, dead.why))).unzip();
        let events = self.event_rows(&topic, events).await?;
        let row = |(event, (at, why))| FailedRow { event, failed_at: When::from_dtn(at), why };
        Ok(events.into_iter().zip(whys).map(row).collect())
    }

    /// Hands out again what a group gave up.
    pub(in crate::desk) async fn topic_retry(
        &self,
        text: &str,
        group: Option<String>,
        event: &str,
    ) -> Result<Response, ApiError> {
        let (topic, name) = (self.meant_one(text).await?, group_name(group.clone())?);
        let failed = self.topic_failed(text, group).await?;
        let is_meant = |row: &FailedRow| {
            row.event.event.to_string() == event || event.len() >= 4 && row.event.id.starts_with(event)
        };
        let Some(row) = failed.iter().find(|row| is_meant(row)) else {
            let message = format!("no event {} was given up there", crate::safe_text::safe_text(event));
            return Err(ApiError::not_found(message).next(NextStep::ListFailed { topic: text.to_owned() }));
        };
        let _turn = self.inner.consumers.settling.lock().await;
        self.load_group(&topic, &name).await?;
        let now = wall_now();
        let key = (topic.clone(), name.clone());
        let value = {
            let mut groups = self.inner.consumers.groups();
            let group = groups.entry(key).or_default();
            group.revive(row.event.event, now);
            group.write()
        };
        self.node().keep(vec![(rows::group(&topic, &name), Some(value))]).await?;
        self.inner.consumers.changed.notify_waiters();
        Ok(Response::Done(Done::default()))
    }

    /// Nobody subscribes to a topic any more: groups, and what they gave up, go with it.
    pub(super) async fn forget_consumers(&self, topic: &Eid) -> Result<(), ApiError> {
        let _turn = self.inner.consumers.settling.lock().await;
        self.inner.consumers.groups().retain(|(of, _), _| of != topic);
        for start in [rows::groups(topic), rows::all_dead(topic)] {
            loop {
                let from = start.clone();
                let kept = self.record(move |record| record.all_kept(&from, None, ROWS_AT_ONCE)).await?;
                if kept.is_empty() {
                    break;
                }
                self.node().keep(kept.into_iter().map(|(key, _)| (key, None)).collect()).await?;
            }
        }
        Ok(())
    }
}

/// The clock on the wall.
pub fn wall_now() -> DtnTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    DtnTime::from_unix_ms(since.map_or(0, |since| since.as_millis() as u64))
}

fn group_name(name: Option<String>) -> Result<String, ApiError> {
    let name = name.unwrap_or_else(|| GROUP.to_owned());
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !plain || name.len() > GROUP_BYTES_MAX {
        let message = format!("a group is called by letters, digits, - and _, at most {GROUP_BYTES_MAX}");
        return Err(ApiError::usage(message));
    }
    Ok(name)
}
