//! Rows one JSON object a line, or an event each: as they come, for a reader of any speed, and as a reader takes them.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response as HttpResponse};
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::STREAM_ROWS_MAX;
use super::accept::Form;
use super::answer::{JSON, JSON_LINES, line};
use crate::api::error::{ApiError, ErrorKind};
use crate::api::model::HappenedRow;
use crate::api::{NextStep, Row, Rows};

const EVENTS: &str = "text/event-stream";
/// After so long without an event a reader of events is told that nothing happened: whoever stands between drops no
/// connection that says something, and one whose reader is gone comes to its end.
const SILENCE: Duration = Duration::from_secs(15);

/// Answers with `rows` until they end, the reader leaves, lags too far behind, or the node stops.
pub fn respond(rows: Rows, form: Form, closing: CancellationToken) -> HttpResponse {
    match form {
        Form::Events => {
            let body = Body::from_stream(rows_of(rows, event, Some(SILENCE), closing).map(Ok::<_, Infallible>));
            ([(header::CONTENT_TYPE, EVENTS), (header::CACHE_CONTROL, "no-store")], body).into_response()
        }
        Form::Lines | Form::Array => {
            let body = Body::from_stream(rows_of(rows, Row::json_line, None, closing).map(Ok::<_, Infallible>));
            ([(header::CONTENT_TYPE, JSON_LINES)], body).into_response()
        }
    }
}

/// A row as a server-sent event: its number, where it has one that can be followed on from, what happened, and its object.
fn event(row: &Row) -> String {
    let (id, what) = match row {
        Row::Happened(row) => (row.event(), happened(row)),
        Row::Ended(_) => (None, "error".into()),
        Row::Inbox(_) | Row::Due(_) => (None, "inbox".into()),
        Row::Status(_) => (None, "status".into()),
        _ => (None, "row".into()),
    };
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // An object is one physical line.
    format!("{id}event: {what}\ndata: {}\n", row.json_line())
}

fn happened(row: &HappenedRow) -> String {
    match row {
        HappenedRow::Here { what, .. } | HappenedRow::Gone { what, .. } => what.word().to_owned(),
        HappenedRow::Beside { .. } => "beside".to_owned(),
    }
}

fn rows_of(
    rows: Rows,
    written: fn(&Row) -> String,
    silence: Option<Duration>,
    closing: CancellationToken,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let (queue, queued) = mpsc::channel(STREAM_ROWS_MAX);
    let lagged = Arc::new(AtomicBool::new(false));
    tokio::spawn(pump(rows, written, queue, Arc::clone(&lagged), closing));
    let queued = stream::unfold(queued, move |mut queued| async move {
        let row = match silence {
            None => queued.recv().await,
            Some(silence) => {
                let said = tokio::time::timeout(silence, queued.recv()).await;
                said.unwrap_or(Some(Bytes::from_static(b": nothing so far\n\n")))
            }
        };
        row.map(|row| (row, queued))
    });
    // The queue was full when the reader fell behind, so the last word goes around it.
    let last_word = stream::once(async move { lagged.load(Ordering::Acquire) }).filter_map(move |lagged| async move {
        let why = ApiError::new(ErrorKind::Failure, "the stream ended: its reader was too slow");
        lagged.then(|| Bytes::from(written(&Row::Ended(why.next(NextStep::FollowAgain)))))
    });
    queued.chain(last_word)
}

/// Takes rows off the node's hands at once, whatever the reader does.
async fn pump(
    mut rows: Rows,
    written: fn(&Row) -> String,
    queue: mpsc::Sender<Bytes>,
    lagged: Arc<AtomicBool>,
    closing: CancellationToken,
) {
    loop {
        let row = tokio::select! {
            biased;
            () = queue.closed() => return,
            () = closing.cancelled() => Some(Row::Ended(ApiError::not_running())),
            row = rows.next() => row,
        };
        let Some(row) = row else { return };
        let last = matches!(row, Row::Ended(_));
        match queue.try_send(Bytes::from(written(&row))) {
            Ok(()) if last => return,
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return lagged.store(true, Ordering::Release),
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        }
    }
}

/// Answers with a listing: the next row is made when the last one was taken, so that little of it is in memory. What
/// fails before its first row is an error as any other.
pub async fn listed(mut rows: Rows, form: Form, closing: CancellationToken) -> Result<HttpResponse, ApiError> {
    let first = match rows.next().await {
        Some(Row::Ended(why)) => return Err(why),
        first => stream::iter(first),
    };
    let rows: Rows = Box::pin(first.chain(rows));
    let rows = stream::unfold(Some(rows), move |rows| {
        let closing = closing.clone();
        async move {
            let mut rows = rows?;
            let row = tokio::select! {
                biased;
                () = closing.cancelled() => Some(Row::Ended(ApiError::not_running())),
                row = rows.next() => row,
            }?;
            let is_last = matches!(row, Row::Ended(_));
            Some((row, (!is_last).then_some(rows)))
        }
    });
    if form == Form::Array {
        return Ok(([(header::CONTENT_TYPE, JSON)], Body::from_stream(array(rows))).into_response());
    }
    let lines = rows.map(|row| Ok::<_, Infallible>(Bytes::from(row.json_line())));
    Ok(([(header::CONTENT_TYPE, JSON_LINES)], Body::from_stream(lines)).into_response())
}

/// An array has no place for an error after its first rows: it breaks off, so that nobody takes it for whole.
fn array(rows: impl Stream<Item = Row> + Send + 'static) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let rows = rows.enumerate().map(|(n, row)| match row {
        Row::Ended(why) => Err(io::Error::other(line(why))),
        row => Ok(Bytes::from(format!("{}{}", if n == 0 { "" } else { "," }, row.json_line()))),
    });
    let bracket = |bracket: &'static [u8]| stream::iter([Ok(Bytes::from_static(bracket))]);
    bracket(b"[").chain(rows).chain(bracket(b"]\n"))
}
