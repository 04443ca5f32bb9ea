//! An interrupt ends a command wherever it stands: also inside a call of the system that waits for another's pipe, for a
//! person at the terminal, or for a disk that does not answer.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::args::Command;
use super::{INTERRUPTED, sim};

/// How long a command may take to end by itself once it was asked to.
pub const ENDING_MAX: Duration = Duration::from_secs(1);

/// Lasts as long as the command is at work.
pub struct Busy(oneshot::Sender<()>);

/// Ends the process on Ctrl-C where the command itself does not; returns once it would.
///
/// The command's own thread may sit in a call that blocks, so the signal is waited for on another one. A node ends by
/// itself after the first signal, as `chat` does, and at once after the second.
pub fn end_what_blocks(command: &Command) -> Busy {
    let signals = match command {
        Command::Up(_) | Command::Demo(_) | Command::Chat(_) => 2,
        _ => 1,
    };
    let writes_results = matches!(command, Command::Sim(_));
    let (busy, over) = oneshot::channel();
    let (ready, is_ready) = channel::<()>();
    let watch = move || watch(signals, writes_results, over, ready);
    // Without the thread an interrupt ends what it ended before.
    if std::thread::Builder::new().name("interrupts".into()).spawn(watch).is_ok() {
        let _ = is_ready.recv();
    }
    Busy(busy)
}

impl Busy {
    /// The command has ended.
    pub fn end(self) {
        drop(self.0);
    }
}

fn watch(signals: u32, writes_results: bool, over: oneshot::Receiver<()>, ready: Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let blocks = async {
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return std::future::pending().await };
        drop(ready);
        for _ in 0..signals {
            interrupts.recv().await;
        }
        tokio::time::sleep(ENDING_MAX).await;
    };
    let is_over = runtime.block_on(async {
        tokio::select! {
            _ = over => true,
            () = blocks => false,
        }
    });
    if is_over {
        return;
    }
    if writes_results {
        sim::put_away();
    }
    std::process::exit(INTERRUPTED.into());
}
