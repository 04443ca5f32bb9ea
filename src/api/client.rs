//! A command's end of the socket: one connection a request.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;

use tokio::time::Instant;

use super::error::{ApiError, ErrorKind, ErrorReport};
use super::model::{Listing, Request, Response, Row, Topic};
use super::next::NextStep;
use super::route::{Ask, Asked};
use super::socket;
use asking::Asking;

mod asking;

/// How long to wait for a node that serves as many clients as it can.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);
const BUSY_POLL: Duration = Duration::from_millis(50);

/// Talks to the node that listens at a socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Rows as they come; a [`Row::Ended`] is the last, also where the connection broke.
pub type RowStream = Pin<Box<dyn Stream<Item = Row> + Send>>;

impl Client {
    pub fn new(socket: impl Into<PathBuf>) -> Client {
        Client { socket: socket.into() }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Whether a node answers at the socket.
    pub async fn is_up(&self) -> bool {
        socket::connect(&self.socket).await.is_ok()
    }

    pub async fn call(&self, request: &Request) -> Result<Response, ApiError> {
        let asked = Ask::Call(request.clone()).write();
        let answer = self.exchange(&asked).await?;
        let bytes = answer.collect().await.map_err(|error| broke(&error))?.to_bytes();
        asked.route.response(&bytes).map_err(|error| strange(&error))
    }

    /// Reads a listing; the node makes a row when the one before was taken.
    pub async fn list(&self, listing: &Listing) -> Result<RowStream, ApiError> {
        self.rows(&Ask::List(listing.clone())).await
    }

    /// Follows a topic; the node has subscribed when this returns.
    pub async fn follow(&self, topic: Topic) -> Result<RowStream, ApiError> {
        self.rows(&Ask::Follow(topic)).await
    }

    async fn rows(&self, ask: &Ask) -> Result<RowStream, ApiError> {
        let asked = ask.write();
        let (answer, route) = (self.exchange(&asked).await?, asked.route);
        let lines =
            stream::unfold(Lines::new(answer), |mut lines| async { lines.next().await.map(|line| (line, lines)) });
        Ok(Box::pin(lines.map(move |line| {
            let row = line.and_then(|line| route.row(&line).map_err(|error| strange(&error)));
            row.unwrap_or_else(Row::Ended)
        })))
    }

    /// Asks until the node has room for one client more, for a while; returns the body of an answer that is no refusal.
    async fn exchange(&self, asked: &Asked) -> Result<Incoming, ApiError> {
        let body = Bytes::from(asked.body.clone());
        let began = Instant::now();
        loop {
            match self.try_exchange(asked.route.method.clone(), &asked.path, body.clone()).await {
                Err(error) if error.kind == ErrorKind::Busy && began.elapsed() < BUSY_PATIENCE => {
                    tokio::time::sleep(BUSY_POLL).await;
                }
                answer => return answer,
            }
        }
    }

    async fn try_exchange(&self, method: Method, path: &str, body: Bytes) -> Result<Incoming, ApiError> {
        let stream = socket::connect(&self.socket).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(Asking::new(stream)))
            .await
            .map_err(|error| broke(&error))?;
        // Ends with the answer's last byte, or when the answer is dropped.
        tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "dak")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| ApiError::usage(format!("this cannot be asked: {error}")))?;
        let answer = sender.send_request(request).await.map_err(|error| broke(&error))?;
        let (head, body) = answer.into_parts();
        if head.status == StatusCode::OK {
            return Ok(body);
        }
        let bytes = body.collect().await.map_err(|error| broke(&error))?.to_bytes();
        Err(refusal(head.status, &bytes))
    }
}

/// The lines of a body, as they come.
struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
    /// So much of the buffer has no line's end in it.
    searched: usize,
    ended: bool,
}

impl Lines {
    fn new(body: Incoming) -> Lines {
        Lines { body, buffer: Vec::new(), searched: 0, ended: false }
    }

    async fn next(&mut self) -> Option<Result<Vec<u8>, ApiError>> {
        loop {
            // What was looked through before has no end in it: a row may come in thousands of pieces.
            if let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + end + 1);
                self.searched = 0;
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Some(Ok(line));
            }
            self.searched = self.buffer.len();
            if self.ended {
                return None;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref())),
                Some(Err(error)) => {
                    self.ended = true;
                    self.buffer.clear();
                    self.searched = 0;
                    return Some(Err(broke(&error)));
                }
                None => self.ended = true,
            }
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> ApiError {
    match serde_json::from_slice::<ErrorReport>(body) {
        Ok(report) => report.error,
        Err(_) => ApiError::failure(format!("the node answered with HTTP status {status} and no reason")),
    }
}

fn broke(error: &hyper::Error) -> ApiError {
    ApiError::failure(format!("the node hung up: {error}")).next(NextStep::CheckNode)
}

fn strange(error: &serde_json::Error) -> ApiError {
    ApiError::failure(format!("the node's answer is not understood: {error}")).next(NextStep::RestartNode)
}
