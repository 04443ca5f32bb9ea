//! Hooks: programs of the person's that work on what comes, with nobody at a terminal.
//!
//! ```text
//! what happened, by numbers ──▶ a message that is meant ──▶ the program: done │ again, later │ given up
//! ```
//! How far each hook has come is durable, and a message counts as done only once it is: after a restart, also one that
//! nobody announced, what was not done goes again under the same id. So programs get each message at least once.

mod matching;
mod running;
mod trying;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Desk;
use super::places::wall;
use super::rows::{Names, Taken};
use crate::agent::Agent;
use crate::agent::change::Row;
use crate::api::model::{Done, HookFailedRow, HookRow, NewHook, Schema, When};
use crate::api::{ApiError, NextStep, Response};
use crate::id::BundleId;
use crate::mail::automatic::{self, ANSWER_PERIOD, Away};
use crate::mail::conversation::Conversation;
use crate::mail::hooks::{
    self, GivenUp, HOOK_AT_ONCE_MAX, HOOK_COMMAND_BYTES_MAX, HOOK_NAME_BYTES_MAX, HOOK_TIME_MS_MAX, HOOK_TRIES_MAX,
    HOOK_WORDS_MAX, HOOKS_MAX, Hook,
};
use crate::mail::query::QUERY_BYTES_MAX;
use crate::mail::topics::group::{DEAD_MAX, Group, TRIES};
use crate::safe_text::safe_text;
use crate::store::redb::{Entry, RedbReader};
use crate::time::{DtnTime, MINUTE, Millis, SECOND};
use crate::units::exact_span;

/// What answers while the person is away, as if it were a hook; none is called so.
pub const AWAY: &str = "~away";
/// How long a program may take where nobody says.
const TIME_MAX: Millis = MINUTE;
/// So much of a text stands in a list of what was given up, in characters.
const TEXT_CHARS_MAX: usize = 256;

/// The hooks of a home, and what each has.
#[derive(Default)]
pub struct Hooks {
    is_loaded: tokio::sync::OnceCell<()>,
    live: Mutex<BTreeMap<String, Live>>,
    /// Of two that change how far a hook has come, one is written down before the other.
    settling: tokio::sync::Mutex<()>,
    /// There may be something to do that there was not before.
    changed: Notify,
    next: AtomicU64,
}

/// A hook that messages go to.
struct Live {
    hook: Arc<Hook>,
    /// No other has it, also none that had the name before.
    number: u64,
    group: Group,
    /// How far the record says it has come.
    kept: u64,
}

impl Hooks {
    fn live(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, name: String, hook: Hook, group: Group) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let kept = group.cursor();
        self.live().insert(name, Live { hook: Arc::new(hook), number, group, kept });
    }
}

impl Desk {
    fn hooks(&self) -> &Hooks {
        &self.inner.hooks
    }

    /// Reads the hooks that are kept, the first time.
    async fn load_hooks(&self) -> Result<(), ApiError> {
        let load = || async {
            let read = |record: &RedbReader| {
                let mut all = Vec::new();
                for (key, value) in record.all_kept(&hooks::hooks(), None, HOOKS_MAX)? {
                    let (Some(name), Some(hook)) = (hooks::read_hook(&key), Hook::read(&value)) else { continue };
                    let group = record.kept(&hooks::reached(name))?.and_then(|value| Group::read(&value));
                    all.push((name.to_owned(), hook, group));
                }
                if let Some(away) = record.kept(&automatic::away())?.and_then(|value| Away::read(&value))
                    && away.reply
                {
                    let group = record.kept(&hooks::reached(AWAY))?.and_then(|value| Group::read(&value));
                    all.push((AWAY.to_owned(), while_away(&away), group));
                }
                Ok((all, record.happened_span()?.1))
            };
            let (all, last) = self.record(read).await?;
            for (name, hook, group) in all {
                let at_the_end = || {
                    let mut group = Group::default();
                    group.go_to(last);
                    group
                };
                self.hooks().put(name, hook, group.unwrap_or_else(at_the_end));
            }
            Ok(())
        };
        self.hooks().is_loaded.get_or_try_init(load).await.copied()
    }

    pub(super) async fn hook_add(&self, new: NewHook) -> Result<HookRow, ApiError> {
        self.load_hooks().await?;
        let name = new.name.clone();
        let hook = self.checked_hook(new).await?;
        let _turn = self.hooks().settling.lock().await;
        {
            let live = self.hooks().live();
            if live.contains_key(&name) {
                let error = ApiError::refused(format!("there is a hook {name} already"));
                return Err(error.advise("remove it first, or choose another name"));
            }
            if live.keys().filter(|name| *name != AWAY).count() >= HOOKS_MAX {
                let error = ApiError::refused(format!("there are {HOOKS_MAX} hooks, and the limit is {HOOKS_MAX}"));
                return Err(error.advise("remove one first"));
            }
        }
        // It begins with what comes from now on.
        let (_, last) = self.record(|record| record.happened_span()).await?;
        let mut group = Group::default();
        group.go_to(last);
        let kept = vec![(hooks::hook(&name), Some(hook.write())), (hooks::reached(&name), Some(group.write()))];
        self.keep(kept).await?;
        self.hooks().put(name.clone(), hook.clone(), group);
        self.hooks().changed.notify_waiters();
        self.hook_row(name, &hook, [0; 3]).await
    }

    /// A hook as it is asked for, with names looked up.
    async fn checked_hook(&self, new: NewHook) -> Result<Hook, ApiError> {
        if !hooks::is_hook_name(&new.name) {
            let message = format!("a hook is called by letters, digits, - and _, at most {HOOK_NAME_BYTES_MAX}");
            return Err(ApiError::usage(message));
        }
        let bytes: usize = new.cmd.iter().map(String::len).sum();
        if new.cmd.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(ApiError::usage("a hook needs a command").advise("write it behind --"));
        }
        if new.cmd.len() > HOOK_WORDS_MAX || bytes > HOOK_COMMAND_BYTES_MAX {
            let message = format!("a command has at most {HOOK_WORDS_MAX} words and {HOOK_COMMAND_BYTES_MAX} bytes");
            return Err(ApiError::refused(message).advise("put it into a file"));
        }
        if new.cmd.iter().any(|word| word.contains('\0')) {
            return Err(ApiError::usage("no word of a command has a null character in it"));
        }
        let time_max = Millis(new.timeout_ms.unwrap_or(TIME_MAX.0));
        if time_max.0 == 0 {
            let error = ApiError::usage("a hook needs some time for a message");
            return Err(error.advise("give it a time such as 30s"));
        }
        if time_max.0 > HOOK_TIME_MS_MAX {
            let message = format!("a hook takes at most {} for a message", exact_span(Millis(HOOK_TIME_MS_MAX)));
            return Err(ApiError::usage(message).advise("have it start what takes longer elsewhere"));
        }
        let tries = new.tries.unwrap_or(TRIES);
        if !(1..=HOOK_TRIES_MAX).contains(&tries) {
            return Err(ApiError::usage(format!("a message is tried between once and {HOOK_TRIES_MAX} times")));
        }
        let at_once = new.at_once.unwrap_or(1);
        if !(1..=HOOK_AT_ONCE_MAX).contains(&at_once) {
            let message = format!("a hook works on 1 to {HOOK_AT_ONCE_MAX} messages at once");
            return Err(ApiError::usage(message));
        }
        let every = Millis(new.every_ms.unwrap_or(ANSWER_PERIOD.0));
        if every < SECOND {
            return Err(ApiError::usage("automatic answers to one person are a second apart at least"));
        }
        let from = match &new.from {
            Some(who) => Some(self.find_node(who).await?),
            None => None,
        };
        let within = match &new.within {
            Some(who) => Some(self.conversation_with(who).await?),
            None => None,
        };
        let label = match &new.label {
            Some(label) => Some(self.label_as_spelt(label).await?),
            None => None,
        };
        if let Some(query) = &new.query {
            if query.len() > QUERY_BYTES_MAX {
                return Err(crate::mail::query::QueryError::TooLong.into());
            }
            self.check_query(query).await?;
        }
        let added = self.look(|agent, _| wall(agent)).await?;
        let NewHook { cmd, shell, reply, query, .. } = new;
        Ok(Hook { cmd, shell, reply, time_max, tries, at_once, every, added, from, within, label, query })
    }

    /// All hooks, by name.
    pub(super) async fn hook_list(&self) -> Result<Vec<HookRow>, ApiError> {
        self.load_hooks().await?;
        let all: Vec<_> = {
            let live = self.hooks().live();
            let row = |(name, live): (&String, &Live)| {
                let counts = [live.group.count_of(live.number), live.group.waiting()];
                (name.clone(), Arc::clone(&live.hook), counts)
            };
            live.iter().filter(|(name, _)| *name != AWAY).map(row).collect()
        };
        let mut rows = Vec::new();
        for (name, hook, [running, waiting]) in all {
            let given_up = self.given_up_by(&name).await?.len();
            rows.push(self.hook_row(name, &hook, [running, waiting, given_up].map(|count| count as u64)).await?);
        }
        Ok(rows)
    }

    async fn hook_row(&self, name: String, hook: &Hook, counts: [u64; 3]) -> Result<HookRow, ApiError> {
        let from = hook.from;
        let within = match &hook.within {
            Some(with) => Some(match self.name_of(with).await? {
                Some(name) => name,
                None => super::rows::address_of(&with.0),
            }),
            None => None,
        };
        let from = self.look(move |_: &Agent, names: &Names<'_>| from.map(|node| names.show(&node))).await?;
        let [running, waiting, failed] = counts;
        Ok(HookRow {
            schema: Schema,
            name,
            cmd: hook.cmd.clone(),
            shell: hook.shell,
            from,
            within,
            label: hook.label.clone(),
            query: hook.query.clone(),
            reply: hook.reply,
            every_ms: hook.every.0,
            timeout_ms: hook.time_max.0,
            tries: hook.tries,
            at_once: hook.at_once,
            added_at: When::from_dtn(hook.added),
            running,
            waiting,
            failed,
        })
    }

    /// Ends a hook: what it works on is stopped, and what it gave up is forgotten with it.
    pub(super) async fn hook_remove(&self, name: &str) -> Result<Response, ApiError> {
        self.load_hooks().await?;
        let _turn = self.hooks().settling.lock().await;
        if !hooks::is_hook_name(name) || !self.hooks().live().contains_key(name) {
            return Err(no_hook(name));
        }
        let mut gone = vec![(hooks::hook(name), None), (hooks::reached(name), None)];
        let given_up = self.given_up_by(name).await?;
        gone.extend(given_up.into_iter().map(|(number, _)| (hooks::given_up(name, number), None)));
        self.keep(gone).await?;
        self.hooks().live().remove(name);
        self.hooks().changed.notify_waiters();
        Ok(Response::Done(Done::default()))
    }

    /// What a hook gave up, the oldest first.
    async fn given_up_by(&self, name: &str) -> Result<Vec<(u64, GivenUp)>, ApiError> {
        let start = hooks::all_given_up(name);
        let kept = self.record(move |record| record.all_kept(&start, None, DEAD_MAX + 1)).await?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| Some((hooks::read_given_up(&key)?, GivenUp::read(&value)?));
        Ok(kept.into_iter().filter_map(read).collect())
    }

    /// The names of all hooks, or this one.
    async fn hooks_named(&self, name: Option<&str>) -> Result<Vec<String>, ApiError> {
        self.load_hooks().await?;
        let live = self.hooks().live();
        match name {
            None => Ok(live.keys().filter(|name| *name != AWAY).cloned().collect()),
            Some(name) if hooks::is_hook_name(name) && live.contains_key(name) => Ok(vec![name.to_owned()]),
            Some(name) => Err(no_hook(name)),
        }
    }

    pub(super) async fn hook_failed(&self, name: Option<&str>) -> Result<Vec<HookFailedRow>, ApiError> {
        let mut rows = Vec::new();
        for hook in self.hooks_named(name).await? {
            for (event, GivenUp { id, failed, at, why }) in self.given_up_by(&hook).await? {
                let (mut from, mut text) = (None, None);
                if let Some(envelope) = self.envelope(id).await? {
                    let taken = Taken::Texts { chars_max: TEXT_CHARS_MAX };
                    let opened = self.open_unseen(vec![envelope], taken).await?.pop();
                    (from, text) = opened.map_or((None, None), |opened| (Some(opened.row.from), opened.row.text));
                }
                rows.push(HookFailedRow {
                    schema: Schema,
                    hook: hook.clone(),
                    id: id.full(),
                    event,
                    attempt: failed,
                    failed_at: When::from_dtn(at),
                    why,
                    from,
                    text,
                });
            }
        }
        Ok(rows)
    }

    /// Has what was given up worked on again, as if it never failed: a message by its id, in every hook or in one.
    pub(super) async fn hook_retry(&self, id: &str, name: Option<&str>) -> Result<Response, ApiError> {
        let names = self.hooks_named(name).await?;
        let _turn = self.hooks().settling.lock().await;
        let typed = id.trim().to_ascii_lowercase();
        let is_meant = |of: &BundleId, number: u64| {
            number.to_string() == typed || typed.len() >= 4 && of.full().starts_with(&typed)
        };
        let mut kept = Vec::new();
        for name in names {
            let given_up = self.given_up_by(&name).await?;
            let meant: Vec<u64> =
                given_up.iter().filter(|(number, row)| is_meant(&row.id, *number)).map(|(number, _)| *number).collect();
            let mut live = self.hooks().live();
            let Some(live) = live.get_mut(&name).filter(|_| !meant.is_empty()) else { continue };
            for number in meant {
                live.group.revive(number, super::topics::consume::wall_now());
                kept.push((hooks::given_up(&name, number), None));
            }
            kept.push((hooks::reached(&name), Some(live.group.write())));
        }
        if kept.is_empty() {
            let error = ApiError::not_found(format!("no hook gave up a message {}", safe_text(id)));
            return Err(error.next(NextStep::ListFailedHooks));
        }
        self.keep(kept).await?;
        self.hooks().changed.notify_waiters();
        Ok(Response::Done(Done::default()))
    }

    /// Messages get a label: hooks that want it have them now. Returns what is to be kept with it; whoever asks has the
    /// turn of the hooks until it is.
    pub(super) async fn labelled_for_hooks(
        &self,
        label: &str,
        rows: &[(Conversation, Row)],
    ) -> Result<Vec<(Vec<u8>, Option<Vec<u8>>)>, ApiError> {
        self.load_hooks().await?;
        let wants = |live: &Live| live.hook.label.as_ref().is_some_and(|wanted| is_same_label(wanted, label));
        if rows.is_empty() || !self.hooks().live().values().any(wants) {
            return Ok(Vec::new());
        }
        let of = rows.to_vec();
        let numbers = move |record: &RedbReader| {
            let mut numbers = Vec::new();
            for (with, row) in of {
                let line = record.line(&with, row)?;
                let came = line.filter(|line| line.number > 0 && matches!(line.entry, Entry::Came(_)));
                numbers.extend(came.map(|line| line.number));
            }
            Ok(numbers)
        };
        let (numbers, now) = (self.record(numbers).await?, super::topics::consume::wall_now());
        let mut kept = Vec::new();
        for (name, live) in self.hooks().live().iter_mut().filter(|(_, live)| wants(live)) {
            numbers.iter().for_each(|number| live.group.revive(*number, now));
            kept.push((hooks::reached(name), Some(live.group.write())));
        }
        Ok(kept)
    }

    /// How long nobody gets a second automatic answer of a hook; none where there is no such hook.
    pub(super) async fn period_of_hook(&self, name: &str) -> Result<Option<Millis>, ApiError> {
        self.load_hooks().await?;
        Ok(self.hooks().live().get(name).map(|live| live.hook.every))
    }

    /// The person is away, and what comes from now on is answered where that is said.
    pub(super) async fn begin_away(&self, away: Away) -> Result<(), ApiError> {
        self.load_hooks().await?;
        let _turn = self.hooks().settling.lock().await;
        let (_, last) = self.record(|record| record.happened_span()).await?;
        let mut group = Group::default();
        group.go_to(last);
        let reached = away.reply.then(|| group.write());
        self.keep(vec![(automatic::away(), Some(away.write())), (hooks::reached(AWAY), reached)]).await?;
        self.hooks().live().remove(AWAY);
        if away.reply {
            self.hooks().put(AWAY.to_owned(), while_away(&away), group);
        }
        self.hooks().changed.notify_waiters();
        Ok(())
    }

    /// The person is back.
    pub(super) async fn end_away(&self) -> Result<(), ApiError> {
        self.load_hooks().await?;
        let _turn = self.hooks().settling.lock().await;
        let mut gone = vec![(automatic::away(), None), (hooks::reached(AWAY), None)];
        gone.extend(self.given_up_by(AWAY).await?.into_iter().map(|(number, _)| (hooks::given_up(AWAY, number), None)));
        self.node().keep(gone).await?;
        self.hooks().live().remove(AWAY);
        self.hooks().changed.notify_waiters();
        Ok(())
    }

    /// Of two that change how far hooks have come, one waits for the other.
    pub(super) async fn turn_of_hooks(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.hooks().settling.lock().await
    }

    pub(super) fn wake_hooks(&self) {
        self.hooks().changed.notify_waiters();
    }
}

/// What answers while the person is away: it runs no program, and what it answers is looked at with each message.
fn while_away(away: &Away) -> Hook {
    Hook {
        cmd: Vec::new(),
        shell: false,
        reply: true,
        time_max: TIME_MAX,
        tries: TRIES,
        at_once: 1,
        every: away.every,
        added: DtnTime(0),
        from: None,
        within: None,
        label: None,
        query: None,
    }
}

fn is_same_label(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn no_hook(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no hook {}", safe_text(name))).next(NextStep::ListHooks)
}
