//! `dak chat`: conversations in a terminal, by the keyboard alone.
//!
//! A pure [`model`] takes events in, keys among them, and gives wishes; [`view`] draws it; [`work`] does what it wishes through
//! the local API, as every command does, and where no node runs through the closed home. What is written is kept as a draft a
//! second after it was typed, and sent out of that draft: so it is sent once, and neither a crash nor a node that stops takes
//! more than that second. Nothing that a peer wrote comes to the terminal but through [`crate::safe_text`].

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use jiff::Zoned;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until, timeout};

use self::bursts::{Burst, Bursts};
use self::model::{Event, Model, Wish};
use self::screen::Screen;
use self::work::Work;
use super::args::Chat;
use super::link::nothing_set_up;
use super::out::Out;
use super::signals::{self, Signals};
use super::{Outcome, find_home};
use crate::api::{ApiError, Engine};
use crate::safe_text::{safe_prose, safe_text};

mod bursts;
mod compose;
mod keys;
mod layout;
mod lines;
mod loading;
mod model;
mod overlay;
mod plain;
mod screen;
#[cfg(test)]
mod tests;
mod threads;
mod typing;
mod view;
mod window;
mod work;
mod writing;

/// How long what is typed may be unkept.
const UNKEPT: Duration = Duration::from_secs(1);
/// How long the end waits for a node that does not answer.
const ENDING_MAX: Duration = Duration::from_secs(10);

pub async fn chat(engine: &dyn Engine, home: Option<&Path>, args: &Chat, out: &Out) -> Outcome {
    if out.json {
        let error = ApiError::usage("chat is for people, and has no JSON");
        return Err(error.advise("follow with `dak talk --follow --json`, and write with `dak send`").into());
    }
    let (reads, writes) = (std::io::stdin().is_terminal(), std::io::stdout().is_terminal());
    let has_terminal = reads && writes;
    if !args.plain && !has_terminal {
        let error = ApiError::usage("chat needs a terminal to read keys from and to draw on");
        return Err(error.advise("try `dak chat --plain`, or `dak talk` and `dak send`").into());
    }
    let home = find_home(home)?;
    if !home.is_set_up() {
        return Err(nothing_set_up().into());
    }
    let work = Work::new(engine, home);
    let open = match &args.who {
        Some(who) => {
            let found = work.recipient(who).await?;
            Some((found.to_address, found.to))
        }
        None => None,
    };
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    if is_dumb && !args.plain {
        out.talk("this terminal cannot move its cursor, so chat goes line by line; /help says how");
    }
    if args.plain || is_dumb {
        return plain::run(&work, open, writes, reads, out).await;
    }
    run(&work, open, out).await
}

/// Takes the terminal for the time of the conversation.
async fn run(work: &Work<'_>, open: Option<(String, String)>, out: &Out) -> Outcome {
    let mut signals = Signals::count()?;
    let cannot = |error| ApiError::failure(format!("cannot use the terminal: {error}")).advise("try --plain");
    let mut screen = Screen::take(out.style.color).map_err(cannot)?;
    let inputs = screen::inputs().map_err(cannot)?;
    let wakes = signals::wakes()?;
    let mut model = Model::new(open, Zoned::now());
    let (mut reads, mut writes) = (Lane::new(work), Lane::new(work));
    let turns = turns(&mut model, &mut screen, (&mut reads, &mut writes), inputs, (&mut signals, wakes));
    // Also where this program itself is wrong, what is written stays.
    let turned = AssertUnwindSafe(turns).catch_unwind().await;
    // First the terminal: whatever comes next, the person has it back.
    drop(screen);
    if turned.is_err() {
        writes.doing = None;
    }
    let ended = timeout(ENDING_MAX, end(&mut model, &mut writes)).await.is_ok();
    if !ended || model.has_unkept() || !model.outgoing.is_empty() {
        tell_unkept(&model, out);
    }
    turned.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok(())
}

/// One task: keys, what happens, and what was wished for, each as it comes.
async fn turns(
    model: &mut Model,
    screen: &mut Screen,
    (reads, writes): (&mut Lane<'_>, &mut Lane<'_>),
    mut inputs: UnboundedReceiver<Burst>,
    (signals, mut wakes): (&mut Signals, Signal),
) {
    let mut happenings = std::pin::pin!(reads.work.happenings());
    let mut bursts = Bursts::default();
    let (columns, lines) = screen.size();
    let mut events = vec![Event::Size { columns, lines }];
    let mut keep_at: Option<Instant> = None;
    while !model.ends {
        model.is_now(Zoned::now());
        for event in events.drain(..) {
            share(model.on(event), reads, writes);
        }
        if model.has_unkept() && keep_at.is_none() {
            keep_at = Some(Instant::now() + UNKEPT);
        }
        let is_gone = std::mem::take(&mut model.suspends) && screen.suspend().is_err();
        // A terminal that takes nothing any more is gone.
        if model.ends || is_gone || screen.draw(model).is_err() {
            break;
        }
        let keep = async {
            match keep_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            burst = inputs.recv() => {
                let Some(burst) = burst else { break };
                events.extend(bursts.events(burst));
                // What was typed or pasted meanwhile is drawn once.
                while let Ok(burst) = inputs.try_recv() {
                    bursts.events(burst).into_iter().for_each(|event| event.join(&mut events));
                }
            }
            event = happenings.next() => events.extend(event),
            event = reads.next() => events.extend(event),
            event = writes.next() => events.extend(event),
            () = keep => {
                keep_at = None;
                events.push(Event::KeepNow);
            }
            _ = wakes.recv() => {
                // Whoever had the terminal meanwhile left it in a state of theirs.
                if screen.again().is_err() {
                    break;
                }
                let (columns, lines) = screen.size();
                events.push(Event::Size { columns, lines });
            }
            () = signals.asked(1) => break,
        }
    }
}

/// Keeps what is written, and waits for what is on its way into the node.
async fn end(model: &mut Model, writes: &mut Lane<'_>) {
    model.unseen(Event::KeepNow).into_iter().for_each(|wish| writes.push(wish));
    while !writes.is_idle() {
        let Some(event) = writes.next().await else { continue };
        let failed = matches!(event, Event::NotKept { .. });
        let mut wishes = model.unseen(event);
        if !failed {
            wishes.extend(model.unseen(Event::KeepNow));
        }
        wishes.into_iter().for_each(|wish| writes.push(wish));
    }
}

/// What could not be kept is told once more: the terminal has it then.
fn tell_unkept(model: &Model, out: &Out) {
    let unsent = model.outgoing.iter().map(|sent| (&sent.who, sent.writing.compose.text()));
    let here = model.open.as_ref().map(|(who, _)| (who, model.writing.compose.text()));
    let others = model.others.iter().map(|(who, writing)| (who, writing.compose.text()));
    for (who, text) in unsent.chain(here).chain(others).filter(|(_, text)| !text.trim().is_empty()) {
        out.talk(&format!("not kept, to {}:\n{}", safe_text(who), safe_prose(text)));
    }
}

/// What is only looked up does not wait for what is written, and neither the other way round.
fn share(wishes: Vec<Wish>, reads: &mut Lane<'_>, writes: &mut Lane<'_>) {
    for wish in wishes {
        let looks =
            matches!(wish, Wish::List | Wish::Load { .. } | Wish::Find { .. } | Wish::Members { .. } | Wish::Near);
        if looks { reads.push(wish) } else { writes.push(wish) }
    }
}

/// Wishes that are done one after the other.
struct Lane<'a> {
    work: &'a Work<'a>,
    waiting: VecDeque<Wish>,
    doing: Option<Pin<Box<dyn Future<Output = Option<Event>> + 'a>>>,
}

impl<'a> Lane<'a> {
    fn new(work: &'a Work<'a>) -> Lane<'a> {
        Lane { work, waiting: VecDeque::new(), doing: None }
    }

    fn push(&mut self, wish: Wish) {
        self.waiting.push_back(wish);
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.doing.is_none()
    }

    /// Waits for the next one to be done, for ever where there is none; what began goes on at the next call.
    async fn next(&mut self) -> Option<Event> {
        if self.doing.is_none() {
            let Some(wish) = self.waiting.pop_front() else { return std::future::pending().await };
            let work = self.work;
            self.doing = Some(Box::pin(async move { work.done(wish).await }));
        }
        let event = self.doing.as_mut().expect("it was just begun").await;
        self.doing = None;
        event
    }
}
