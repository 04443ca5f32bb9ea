//! Rows one JSON object a line: as they come, for a reader of any speed, and as a reader takes them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response as HttpResponse};
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::STREAM_ROWS_MAX;
use super::answer::{JSON_LINES, line};
use crate::api::error::{ApiError, ErrorKind};
use crate::api::{NextStep, Row, Rows};

/// Answers with `rows` until they end, the reader leaves, lags too far behind, or the node stops.
pub fn respond(rows: Rows, closing: CancellationToken) -> HttpResponse {
    let body = Body::from_stream(lines(rows, closing).map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, JSON_LINES)], body).into_response()
}

fn lines(rows: Rows, closing: CancellationToken) -> impl Stream<Item = Bytes> + Send + 'static {
    let (queue, lines) = mpsc::channel(STREAM_ROWS_MAX);
    let lagged = Arc::new(AtomicBool::new(false));
    tokio::spawn(pump(rows, queue, Arc::clone(&lagged), closing));
    let queued = stream::unfold(lines, |mut lines| async { lines.recv().await.map(|line| (line, lines)) });
    // The queue was full when the reader fell behind, so the last word goes around it.
    let last_word = stream::once(async move { lagged.load(Ordering::Acquire) }).filter_map(|lagged| async move {
        let why = ApiError::new(ErrorKind::Failure, "the stream ended: its reader was too slow");
        lagged.then(|| Bytes::from(line(why.next(NextStep::FollowAgain))))
    });
    queued.chain(last_word)
}

/// Takes rows off the node's hands at once, whatever the reader does.
async fn pump(mut rows: Rows, queue: mpsc::Sender<Bytes>, lagged: Arc<AtomicBool>, closing: CancellationToken) {
    loop {
        let row = tokio::select! {
            biased;
            () = queue.closed() => return,
            () = closing.cancelled() => Some(Row::Ended(ApiError::not_running())),
            row = rows.next() => row,
        };
        let Some(row) = row else { return };
        let last = matches!(row, Row::Ended(_));
        match queue.try_send(Bytes::from(row.json_line())) {
            Ok(()) if last => return,
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return lagged.store(true, Ordering::Release),
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        }
    }
}

/// Answers with a listing: the next row is made when the last one was taken, so that little of it is in memory. What
/// fails before its first row is an error as any other.
pub async fn listed(mut rows: Rows, closing: CancellationToken) -> Result<HttpResponse, ApiError> {
    let first = match rows.next().await {
        Some(Row::Ended(why)) => return Err(why),
        first => stream::iter(first),
    };
    let rows: Rows = Box::pin(first.chain(rows));
    let lines = stream::unfold(Some(rows), move |rows| {
        let closing = closing.clone();
        async move {
            let mut rows = rows?;
            let row = tokio::select! {
                biased;
                () = closing.cancelled() => Some(Row::Ended(ApiError::not_running())),
                row = rows.next() => row,
            }?;
            let is_last = matches!(row, Row::Ended(_));
            Some((Ok::<_, Infallible>(Bytes::from(row.json_line())), (!is_last).then_some(rows)))
        }
    });
    Ok(([(header::CONTENT_TYPE, JSON_LINES)], Body::from_stream(lines)).into_response())
}
