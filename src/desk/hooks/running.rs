//! Runs hooks as long as the node does: each gets what is meant for it, a bounded number at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{AbortHandle, Abortable, BoxFuture};
use futures::stream::FuturesUnordered;

use super::trying::Tried;
use super::{AWAY, Arc, Desk, Hook, Live};
use crate::agent::change::Letter;
use crate::api::ApiError;
use crate::brake::Brake;
use crate::command::Became;
use crate::desk::topics::consume::{WHY_CHARS_MAX, wall_now};
use crate::id::BundleId;
use crate::mail::happening::{Happening, What};
use crate::mail::hooks::{self, GivenUp};
use crate::mail::topics::group::{DEAD_MAX, Next, Settled, Verdict};
use crate::time::DtnTime;

/// So many programs run at once, of all hooks together.
const HOOKS_RUN_MAX: usize = 16;
/// So much of what happened is looked at together.
const PAGE: usize = 64;
/// A hook that is meant for nothing says how far it has come at the latest after so many numbers.
const LAG_MAX: u64 = 256;
/// A sleep does not count the time that a machine slept through.
const NAP_MAX: Duration = Duration::from_secs(60);
/// How long after an error of the store it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// A message out with a hook.
#[derive(Clone, Debug)]
struct Out {
    name: String,
    /// Of the hook.
    hook: u64,
    event: u64,
    id: BundleId,
    tries: u32,
}

type Runs = FuturesUnordered<Abortable<BoxFuture<'static, (Out, Result<Tried, ApiError>)>>>;

/// What runs now.
#[derive(Default)]
struct Running {
    runs: Runs,
    ends: BTreeMap<(u64, u64), AbortHandle>,
    /// Which hook is first asked whether it has something to do.
    turn: usize,
}

impl Desk {
    /// Has hooks work on what comes as long as the node runs. What runs when this is dropped ends, and goes again at the next
    /// start.
    pub(in crate::desk) async fn run_hooks(self) {
        let mut commits = self.node().commits();
        let mut running = Running::default();
        loop {
            let changed = self.hooks().changed.notified();
            tokio::pin!(changed);
            // From here on nothing is missed.
            changed.as_mut().enable();
            commits.borrow_and_update();
            let nap = match self.start_hooks(&mut running).await {
                Ok(next_try) => {
                    let left = next_try.map(|at| Duration::from_millis(at.0.saturating_sub(wall_now().0).max(1)));
                    left.map_or(NAP_MAX, |left| left.min(NAP_MAX))
                }
                Err(error) => {
                    tracing::warn!(%error, "hooks cannot run for now; trying again");
                    RETRY
                }
            };
            let Running { runs, ends, .. } = &mut running;
            tokio::select! {
                Some(ended) = runs.next(), if !runs.is_empty() => {
                    if let Ok((out, tried)) = ended {
                        ends.remove(&(out.hook, out.event));
                        if let Err(error) = self.settle_hook(&out, tried).await {
                            tracing::warn!(%error, hook = out.name, "what a hook did is not written down; it may do it again");
                        }
                    }
                }
                changed = commits.changed() => if changed.is_err() { return },
                () = &mut changed => {}
                () = tokio::time::sleep(nap) => {}
                () = self.node().ended() => return,
            }
        }
    }

    /// Starts what there is room for; says when something goes again at the soonest.
    async fn start_hooks(&self, running: &mut Running) -> Result<Option<DtnTime>, ApiError> {
        self.load_hooks().await?;
        let mut hooks: Vec<(String, u64, Arc<Hook>)> = {
            let live = self.hooks().live();
            live.iter().map(|(name, live)| (name.clone(), live.number, Arc::clone(&live.hook))).collect()
        };
        running.ends.retain(|(hook, _), end| {
            let is_there = hooks.iter().any(|(_, number, _)| number == hook);
            if !is_there {
                end.abort();
            }
            is_there
        });
        if hooks.is_empty() {
            return Ok(None);
        }
        if hooks.iter().any(|(name, ..)| name == AWAY) && self.lasting_away().await?.is_none() {
            self.end_away().await?;
        }
        running.turn = running.turn.wrapping_add(1);
        let first = running.turn % hooks.len();
        hooks.rotate_left(first);
        let mut next_try = None;
        for (name, number, hook) in hooks {
            self.start_hook(&name, number, &hook, running).await?;
            if let Some(live) = self.hooks().live().get(&name) {
                next_try = [next_try, live.group.next_try()].into_iter().flatten().min();
            }
        }
        Ok(next_try)
    }

    async fn start_hook(&self, name: &str, hook: u64, what: &Arc<Hook>, running: &mut Running) -> Result<(), ApiError> {
        let mut page: std::collections::VecDeque<(u64, Happening)> = Default::default();
        while running.ends.len() < HOOKS_RUN_MAX {
            let now = wall_now();
            let next = self.with_live(name, hook, |live| {
                (live.group.count_of(hook) < what.at_once as usize).then(|| live.group.next(now))
            });
            let (event, happening) = match next.flatten() {
                None | Some(Next::Full) => break,
                Some(Next::Again(number, _)) => {
                    let found = self.record(move |record| record.happened(number.saturating_sub(1), 1)).await?;
                    (number, found.into_iter().find(|(found, _)| *found == number).map(|(_, happening)| happening))
                }
                Some(Next::Behind(handed)) => {
                    page.retain(|(number, _)| *number > handed);
                    if page.is_empty() {
                        page = self.record(move |record| record.happened(handed, PAGE)).await?.into();
                    }
                    match page.pop_front() {
                        Some((number, happening)) => (number, Some(happening)),
                        None => break,
                    }
                }
            };
            let letter = match happening {
                Some(Happening { id, what: What::Came, .. }) => self.meant_for(what, &id).await?,
                _ => None,
            };
            let letter = match letter {
                Some(letter) if name == AWAY && self.is_answered_away(&letter).await?.is_none() => None,
                letter => letter,
            };
            let attempt = self.with_live(name, hook, |live| match (live.group.hand(event, hook, now), &letter) {
                (Some(failed), Some(_)) => Some(failed + 1),
                // It is not for this one, or it left.
                (Some(_), None) => {
                    live.group.skip(event);
                    None
                }
                (None, _) => None,
            });
            if let (Some(Some(attempt)), Some(letter)) = (attempt, letter) {
                let out = Out { name: name.to_owned(), hook, event, id: letter.id, tries: what.tries };
                self.start(out, what, letter, attempt, running);
            }
        }
        self.keep_reached(name, hook).await
    }

    fn start(&self, out: Out, hook: &Arc<Hook>, letter: Letter, attempt: u32, running: &mut Running) {
        let (end, ends) = AbortHandle::new_pair();
        running.ends.insert((out.hook, out.event), end);
        let (desk, hook) = (self.clone(), Arc::clone(hook));
        let run: BoxFuture<'static, _> = Box::pin(async move {
            let tried = match out.name == AWAY {
                true => desk.answer_away(&letter).await.map(|()| Tried::done()),
                false => match desk.try_hook(&out.name, &hook, out.event, attempt, Some(&letter)).await {
                    Ok(tried) => desk.reply_of_hook(&out.name, &hook, &letter, tried).await,
                    Err(error) => Err(error),
                },
            };
            (out, tried)
        });
        running.runs.push(Abortable::new(run, ends));
    }

    /// Of a hook that had nothing to do for a while it is written down how far it has come.
    async fn keep_reached(&self, name: &str, hook: u64) -> Result<(), ApiError> {
        let _turn = self.hooks().settling.lock().await;
        let is_behind = |live: &mut Live| (live.group.cursor() >= live.kept + LAG_MAX).then(|| live.group.write());
        match self.with_live(name, hook, is_behind).flatten() {
            Some(value) => self.keep_group(name, hook, value, Vec::new()).await,
            None => Ok(()),
        }
    }

    async fn keep_group(
        &self,
        name: &str,
        hook: u64,
        value: Vec<u8>,
        mut more: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<(), ApiError> {
        let reached = crate::mail::topics::group::Group::read(&value).map_or(0, |group| group.cursor());
        more.push((hooks::reached(name), Some(value)));
        self.node().keep(more).await?;
        self.with_live(name, hook, |live| live.kept = reached);
        Ok(())
    }

    /// Looks at a hook, unless it is removed.
    fn with_live<T>(&self, name: &str, hook: u64, look: impl FnOnce(&mut Live) -> T) -> Option<T> {
        self.hooks().live().get_mut(name).filter(|live| live.number == hook).map(look)
    }

    /// Writes down what became of a message with a hook.
    async fn settle_hook(&self, out: &Out, tried: Result<Tried, ApiError>) -> Result<(), ApiError> {
        let (became, why) = match tried {
            Ok(Tried { became, why, .. }) => (became, why),
            Err(error) => (Became::Again, Some(error.to_string())),
        };
        let verdict = match became {
            Became::Done => Verdict::Done,
            Became::Again => Verdict::Again { tries_max: out.tries },
            Became::GiveUp => Verdict::GiveUp,
        };
        let _turn = self.hooks().settling.lock().await;
        let now = wall_now();
        let settled = self.with_live(&out.name, out.hook, |live| {
            let settled = live.group.settle(out.event, verdict, now);
            (settled, live.group.write())
        });
        let Some((Some(settled), value)) = settled else { return Ok(()) };
        let (hook, id) = (&*out.name, out.id.full());
        let said = why.clone().unwrap_or_default();
        let mut more = Vec::new();
        match settled {
            Settled::Done => {}
            Settled::Again(_) => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| tracing::warn!(unsaid, hook, id, why = said, "a hook failed; it goes again"));
            }
            Settled::GivenUp(failed) => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| {
                    tracing::warn!(unsaid, hook, id, why = said, "a hook gave a message up: dak hook failed");
                });
                let why = said.chars().take(WHY_CHARS_MAX).collect();
                let row = GivenUp { id: out.id, failed, at: now, why };
                let all = self.given_up_by(hook).await?;
                let over = (all.len() + 1).saturating_sub(DEAD_MAX);
                more.extend(all.iter().take(over).map(|(number, _)| (hooks::given_up(hook, *number), None)));
                more.push((hooks::given_up(hook, out.event), Some(row.write())));
            }
        }
        self.keep_group(hook, out.hook, value, more).await
    }
}
