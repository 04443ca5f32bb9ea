//! One run of a hook's program: what it is told, what is around it, and what it printed.

use std::ffi::OsString;
use std::time::Instant;

use super::{Arc, Desk, Hook, no_hook};
use crate::agent::change::Letter;
use crate::api::ApiError;
use crate::api::model::{HookEventRow, HookTestedRow, InboxRow, Outcome, Schema, When, json_line};
use crate::command::{self, Apart, Became, Job, KEPT_BYTES_MAX, Printed};
use crate::desk::automatic::say_answered;
use crate::desk::rows::Taken;
use crate::desk::topics::consume::wall_now;
use crate::mail::happening::{Happening, What};
use crate::mail::hooks::is_hook_name;
use crate::safe_text::safe_text;
use crate::units::about_bytes;

/// What of the node's environment a program gets; all else it has from its hook.
const PASSED_ON: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
];
/// The shell, and how it is told what to do.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];
/// So many events are looked through, from the last one back, for a message to try a hook with.
const LOOKED_BACK_MAX: u64 = 4_096;
/// Read together.
const PAGE: u64 = 256;

/// What a run came to.
pub struct Tried {
    pub became: Became,
    pub why: Option<String>,
    stdout: Printed,
    stderr: Printed,
}

impl Tried {
    /// Nothing was to be run.
    pub fn done() -> Tried {
        Tried { became: Became::Done, why: None, stdout: Printed::default(), stderr: Printed::default() }
    }
}

impl Desk {
    /// What a program printed goes back to who wrote the message, where that is asked for.
    pub(super) async fn reply_of_hook(
        &self,
        name: &str,
        hook: &Hook,
        letter: &Letter,
        tried: Tried,
    ) -> Result<Tried, ApiError> {
        let text = tried.stdout.text();
        let text = text.trim_end();
        if !hook.reply || tried.became != Became::Done || text.is_empty() {
            return Ok(tried);
        }
        if tried.stdout.is_cut() {
            let limit = about_bytes(KEPT_BYTES_MAX as u64);
            let why = Some(format!("what it printed is no answer: it has more than {limit}"));
            return Ok(Tried { became: Became::GiveUp, why, ..tried });
        }
        let answered = self.answer_by_itself(letter, text.to_owned(), hook.every).await?;
        say_answered(name, letter, answered);
        Ok(tried)
    }

    /// Runs a hook's program on a message, or on one that nobody wrote.
    pub(super) async fn try_hook(
        &self,
        name: &str,
        hook: &Hook,
        event: u64,
        attempt: u32,
        letter: Option<&Letter>,
    ) -> Result<Tried, ApiError> {
        let row = match letter {
            None => sample(name),
            Some(letter) => {
                let Some(envelope) = self.envelope(letter.id).await? else {
                    return Ok(Tried { why: Some("the message was deleted".to_owned()), ..Tried::done() });
                };
                // A program looks at it, and no person.
                let opened = self.open_unseen(vec![envelope], Taken::Texts { chars_max: usize::MAX }).await?.pop();
                opened.ok_or_else(|| ApiError::not_found("that message was just deleted"))?.row
            }
        };
        let id = row.id.clone();
        let input = json_line(&HookEventRow { hook: name.to_owned(), event, attempt, row });
        let mut words = hook.cmd.clone();
        if hook.shell {
            words = SHELL.iter().map(|word| (*word).to_owned()).chain([hook.cmd.join(" ")]).collect();
        }
        let (program, args) = words.split_first().expect("a hook has a command");
        let variables = self.around(name, &id, event, attempt);
        let directory = self.inner.home.data_directory();
        let apart = Some(Apart { variables: &variables, directory });
        let job = Job { program, args, time_max: Some(hook.time_max), apart };
        let ran = match command::run(&job, input.as_bytes()).await {
            Ok(ran) => ran,
            Err(error) => {
                let why = Some(format!("cannot run {}: {error}", safe_text(program)));
                return Ok(Tried { became: Became::Again, why, ..Tried::done() });
            }
        };
        let command::Ran { became, why, stdout, stderr } = ran;
        // What went wrong is mostly in its last words.
        let last = stderr.text().lines().rev().find(|line| !line.trim().is_empty()).map(safe_text);
        let why = why.map(|why| match last {
            Some(last) => format!("{why}: {last}"),
            None => why,
        });
        for (printed, stream) in [(&stdout, "stdout"), (&stderr, "stderr")] {
            for line in printed.text().lines() {
                tracing::info!(hook = name, id, stream, "{}", safe_text(line));
            }
            if printed.is_cut() {
                tracing::info!(hook = name, id, stream, bytes = printed.bytes, "the rest is not kept");
            }
        }
        Ok(Tried { became, why, stdout, stderr })
    }

    /// The environment of a hook's program.
    fn around(&self, name: &str, id: &str, event: u64, attempt: u32) -> Vec<(String, OsString)> {
        let passed = PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?)));
        let home = self.inner.home.alone().map(|home| ("DAK_HOME".to_owned(), home.as_os_str().to_owned()));
        let own = [
            ("DAK_HOOK", name.to_owned()),
            ("DAK_ID", id.to_owned()),
            ("DAK_EVENT", event.to_string()),
            ("DAK_ATTEMPT", attempt.to_string()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), OsString::from(value)));
        passed.chain(home).chain(own).collect()
    }

    /// Runs a hook now, on this message or on the last that is meant for it; nothing counts as done by that.
    pub(in crate::desk) async fn hook_test(&self, name: &str, id: Option<&str>) -> Result<HookTestedRow, ApiError> {
        self.load_hooks().await?;
        let hook = self
            .hooks()
            .live()
            .get(name)
            .filter(|_| is_hook_name(name))
            .map(|live| Arc::clone(&live.hook))
            .ok_or_else(|| no_hook(name))?;
        let (letter, matches) = match id {
            Some(id) => {
                let id = self.find_letter(id).await?;
                let letter = self.record(move |record| record.letter(&id)).await?;
                let letter = letter.ok_or_else(|| ApiError::not_found("that message was just deleted"))?;
                let matches = self.meant_for(&hook, &letter.id).await?.is_some();
                (Some(letter), matches)
            }
            None => (self.last_meant_for(&hook).await?, true),
        };
        let started = Instant::now();
        let Tried { became, why, stdout, stderr } = self.try_hook(name, &hook, 0, 1, letter.as_ref()).await?;
        Ok(HookTestedRow {
            schema: Schema,
            hook: name.to_owned(),
            id: letter.map(|letter| letter.id.full()),
            matches,
            outcome: match became {
                Became::Done => Outcome::Done,
                Became::Again => Outcome::Again,
                Became::GiveUp => Outcome::GiveUp,
            },
            why,
            took_ms: started.elapsed().as_millis() as u64,
            stdout: stdout.text(),
            stderr: stderr.text(),
        })
    }

    /// The last message that a hook would get, among what happened lately.
    async fn last_meant_for(&self, hook: &Hook) -> Result<Option<Letter>, ApiError> {
        let (_, last) = self.record(|record| record.happened_span()).await?;
        let mut to = last;
        while to > 0 && last - to < LOOKED_BACK_MAX {
            let from = to.saturating_sub(PAGE);
            let mut page = self.record(move |record| record.happened(from, (to - from) as usize)).await?;
            page.retain(|(number, _)| *number <= to);
            for (_, happening) in page.into_iter().rev() {
                if let Happening { id, what: What::Came, .. } = happening
                    && let Some(letter) = self.meant_for(hook, &id).await?
                {
                    return Ok(Some(letter));
                }
            }
            to = from;
        }
        Ok(None)
    }
}

/// A message that nobody wrote, where there is none to try a hook with.
fn sample(hook: &str) -> InboxRow {
    let now = When::from_dtn(wall_now());
    let text = format!("This tests the hook {hook}.");
    InboxRow { sent_at: now, received_at: now, ..InboxRow::text("0".repeat(64), "nobody".into(), String::new(), text) }
}
