//! Waiting for what becomes of a message that was queued: for the evidence that was asked for, or for what makes it vain.

use std::time::Duration;

use futures::StreamExt;

use crate::api::client::RowStream;
use crate::api::model::{EventKind, Request, Row, State, StatusRow, Topic};
use crate::api::{ApiError, ErrorKind};
use crate::cli::args::Goal;
use crate::cli::link::{Link, take};
use crate::cli::signals::Signals;
use crate::cli::status::is_out;
use crate::cli::who::short_id;

/// How waiting ended, and the highest evidence seen by then.
pub(super) struct Waited {
    pub(super) state: State,
    pub(super) end: End,
}

pub(super) enum End {
    Reached,
    Failed(ApiError),
    Interrupted,
}

/// Waits for evidence. Whatever ends the waiting, the message is queued and stays so.
pub(super) async fn wait(
    link: &Link<'_>,
    id: &str,
    goal: Goal,
    timeout: Option<Duration>,
    mut signals: Signals,
) -> Waited {
    let mut state = State::Queued;
    let watching = async {
        let news = link.follow(Topic::Status { id: Some(id.into()) }).await?;
        let now = take!(link.ask(Request::Status { id: id.into() }).await?, Statuses)?;
        watch(now, news, goal, &mut state).await
    };
    let deadline = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        ended = watching => match ended {
            Ok(()) => End::Reached,
            Err(error) => End::Failed(error),
        },
        () = deadline => End::Failed(still_in_flight(id, "the time is up")),
        () = signals.asked(1) => End::Interrupted,
    };
    Waited { state, end }
}

async fn watch(now: Vec<StatusRow>, mut news: RowStream, goal: Goal, state: &mut State) -> Result<(), ApiError> {
    let mut id = String::new();
    let mut rows = now;
    loop {
        for row in rows {
            *state = row.state;
            if reached(&row, goal) {
                return Ok(());
            }
            if let Some(error) = settled(&row) {
                return Err(error);
            }
            id = row.id;
        }
        rows = match news.next().await {
            Some(Row::Status(row)) => vec![row],
            Some(Row::Ended(why)) => return Err(still_in_flight(&id, &why.message)),
            Some(_) => Vec::new(),
            None => return Err(still_in_flight(&id, "the node stopped")),
        };
    }
}

fn reached(row: &StatusRow, goal: Goal) -> bool {
    let delivered = row.state >= State::Delivered;
    match goal {
        Goal::Delivered => delivered,
        // A promise once given was reached, whatever came after it.
        Goal::Custody => delivered || row.events.iter().any(|event| event.what == EventKind::Custody),
    }
}

/// What makes waiting any longer vain.
fn settled(row: &StatusRow) -> Option<ApiError> {
    let id = short_id(&row.id);
    match row.state {
        State::Rejected => Some(ApiError::refused(format!("{id} was rejected by its recipient"))),
        State::Expired => Some(ApiError::failure(format!("{id} expired: no receipt; it may still have arrived"))),
        State::Cancelled if !is_out(row) => Some(ApiError::failure(format!("{id} was cancelled before it left"))),
        State::Cancelled => Some(ApiError::failure(format!("{id} was cancelled; copies already out may still arrive"))),
        _ => None,
    }
}

fn still_in_flight(id: &str, why: &str) -> ApiError {
    let id = short_id(id);
    ApiError::new(ErrorKind::InFlight, format!("{why}; the message is still in flight"))
        .advise(format!("see what becomes of it with `dak status {id}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples::{at, event, status};

    async fn ends(goal: Goal, known: Vec<StatusRow>, news: Vec<Row>) -> (Result<(), u8>, State) {
        let mut state = State::Queued;
        let ended = watch(known, Box::pin(futures::stream::iter(news)), goal, &mut state).await;
        (ended.map_err(|error| error.kind.exit_code()), state)
    }

    fn row(whats: &[EventKind]) -> StatusRow {
        status(whats.iter().map(|what| event(*what, at(11, 0), Some("carol"))).collect())
    }

    #[tokio::test]
    async fn waiting_ends_with_the_evidence_it_waits_for() {
        use EventKind as E;
        let news = vec![Row::Status(row(&[E::Queued, E::Custody])), Row::Status(row(&[E::Custody, E::Delivered]))];
        let queued = vec![row(&[E::Queued])];
        assert_eq!(ends(Goal::Custody, queued.clone(), news.clone()).await, (Ok(()), State::Custody));
        assert_eq!(ends(Goal::Delivered, queued.clone(), news).await, (Ok(()), State::Delivered));
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Read])], Vec::new()).await, (Ok(()), State::Read));
    }

    #[tokio::test]
    async fn waiting_ends_where_it_is_vain_and_says_why() {
        use EventKind as E;
        let rejected = vec![Row::Status(row(&[E::Rejected]))];
        assert_eq!(ends(Goal::Delivered, Vec::new(), rejected).await, (Err(5), State::Rejected));
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Expired])], Vec::new()).await, (Err(1), State::Expired));
        let stopped = vec![Row::Ended(ApiError::not_running())];
        assert_eq!(ends(Goal::Delivered, vec![row(&[E::Copy])], stopped).await, (Err(6), State::Copy));
    }
}
