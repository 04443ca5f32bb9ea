//! A program that works on what comes: how soon it starts.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cast::PATIENCE;
use super::process::Process;
use super::{Failure, Row, row};
use crate::api::client::Client;
use crate::api::model::{Compose, NewHook, Request, Response};
use crate::home::Home;

/// From the moment at which a message comes to that at which a shell has started on it, its commit and the shell's own start
/// included.
pub async fn latency(place: &Path, messages: usize, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let (home, started) = (place.join("hooks"), place.join("started"));
    if !Command::new("mkfifo").arg(&started).status()?.success() {
        return Err("there can be no pipe with a name".into());
    }
    let _node = Process::start(&home)?;
    let client = Client::new(Home::open_or_create(Some(&home))?.socket_path());
    let cmd = ["/bin/sh", "-c", ": > \"$1\"", "hook", started.to_str().ok_or("a path is no text")?];
    let new = NewHook { name: "bench".into(), cmd: cmd.map(str::to_owned).into(), ..NewHook::default() };
    client.call(&Request::HookAdd(new)).await?;
    let mut times = Vec::with_capacity(messages);
    for _ in 0..messages {
        let pipe = started.clone();
        // A pipe opens once somebody else opened its other end.
        let start = tokio::task::spawn_blocking(move || File::open(pipe).map(|_| SystemTime::now()));
        let note = Compose { to: "me".into(), text: "the pump is dry".into(), ..Compose::default() };
        let Response::Sent(sent) = client.call(&Request::Send(Box::new(note))).await? else {
            return Err("nothing was sent".into());
        };
        let started = tokio::time::timeout(PATIENCE, start).await???;
        let read = Request::Read { id: sent.id, mark: false, tell: false };
        let Response::Letter(letter) = client.call(&read).await? else { return Err("nothing came".into()) };
        let came = letter.row.received_at.ok_or("it came at no time")?;
        times.push(started.duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3 - came.0 as f64);
    }
    times.sort_by(f64::total_cmp);
    report(row("hook_start_p50", times[times.len() / 2], "ms", None));
    Ok(())
}
