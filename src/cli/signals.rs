//! Counts the signals that ask to stop: Ctrl-C, SIGTERM, and the terminal's end.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::api::ApiError;

/// How often this process was asked to stop since it began to count.
#[derive(Clone)]
pub struct Signals(watch::Receiver<u32>);

/// Tells when this process goes on that somebody had stopped.
pub fn wakes() -> Result<Signal, ApiError> {
    let wakes = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()));
    wakes.map_err(|error| ApiError::failure(format!("cannot listen for signals: {error}")))
}

impl Signals {
    pub fn count() -> Result<Signals, ApiError> {
        Signals::of(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])
    }

    /// Counts Ctrl-C alone; the others end the process as they end any other.
    pub fn count_interrupts() -> Result<Signals, ApiError> {
        Signals::of(&[SignalKind::interrupt()])
    }

    fn of(kinds: &[SignalKind]) -> Result<Signals, ApiError> {
        let cannot = |error| ApiError::failure(format!("cannot listen for signals: {error}"));
        let mut signals = kinds.iter().copied().map(signal).collect::<Result<Vec<_>, _>>().map_err(cannot)?;
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            while !count.is_closed() {
                let next = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
                futures::future::select_all(next).await;
                count.send_modify(|n| *n += 1);
            }
        });
        Ok(Signals(counted))
    }

    /// Returns once the process was asked to stop `n` times.
    pub async fn asked(&mut self, n: u32) {
        if self.0.wait_for(|count| *count >= n).await.is_err() {
            // Nobody counts any more: the process is ending.
            std::future::pending::<()>().await;
        }
    }
}
