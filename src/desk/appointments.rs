//! What is to be done at its time while a node runs: drafts go, what is over is forgotten, and what is
//! older than the record keeps anything.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::Desk;
use super::places::wall;
use crate::agent::Event;
use crate::api::ApiError;
use crate::node::Stir;
use crate::time::{DtnTime, Millis};

/// A sleep does not count the time that a machine slept through, and no clock that is set: so late it gets at most.
const NAP_MAX: Duration = Duration::from_secs(60);
/// How long news gathers before it is looked what is due: to look costs the same for one message as for a thousand.
const GATHER: Duration = Duration::from_millis(100);

impl Desk {
    /// Does everything at its time, until the node ends.
    pub(super) async fn keep_appointments(self) {
        let mut events = self.node().follow();
        let mut away = None;
        loop {
            let nap = match self.do_what_is_due(&mut away).await {
                Ok(left) => left.map(|left| Duration::from_millis(left.0).min(NAP_MAX)),
                Err(error) => {
                    tracing::warn!(%error, "what is to be done at its time cannot be; trying again");
                    Some(NAP_MAX)
                }
            };
            let woken = async {
                match nap {
                    Some(nap) => tokio::time::sleep(nap).await,
                    None => std::future::pending().await,
                }
            };
            // What becomes of one's own message says when the copy of it goes that is here.
            let news = async {
                while !matches!(
                    events.recv().await,
                    Ok(Event::Status { .. } | Event::Queued { .. }) | Err(RecvError::Lagged(_))
                ) {}
            };
            tokio::select! {
                () = woken => {}
                () = news => {
                    tokio::time::sleep(GATHER).await;
                    // The look that follows sees what all of it said.
                    events = events.resubscribe();
                }
                () = self.inner.appointments.notified() => {}
                () = self.node().ended() => return,
            }
        }
    }

    /// Does what is due; returns how long it is until the next is.
    async fn do_what_is_due(&self, away: &mut Option<DtnTime>) -> Result<Option<Millis>, ApiError> {
        let over = self.forget_over().await?;
        let draft = self.send_due().await?;
        let now = self.look(|agent, _| wall(agent)).await?;
        let draft = draft.map(|at| Millis(at.0.saturating_sub(now.0)));
        let kept = self.keep_no_longer().await?;
        let back = self.hear_of_away(away, now).await?;
        Ok([over, draft, kept, back].into_iter().flatten().min())
    }

    /// Tells who looks that the person is not away any more, once the time that they named is over; returns how long it is until
    /// then.
    async fn hear_of_away(&self, until: &mut Option<DtnTime>, now: DtnTime) -> Result<Option<Millis>, ApiError> {
        let lasting = self.lasting_away().await?.map(|away| away.until);
        if lasting.is_none() && until.is_some_and(|until| until <= now) {
            self.stir(Stir::Away);
        }
        *until = lasting;
        Ok(lasting.map(|until| Millis(until.0.saturating_sub(now.0))))
    }
}
