//! A command's end of the socket: one connection a request.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;

use super::error::{ApiError, ErrorReport};
use super::model::{Request, Response, Row, Topic};
use super::{route, socket};

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
        let exchange = route::exchange(request);
        let answer = self.exchange(exchange.method, &exchange.path, exchange.body).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| broke(&error))?.to_bytes();
        if status != StatusCode::OK {
            return Err(refusal(status, &bytes));
        }
        (exchange.decode)(&bytes).map_err(|error| strange(&error))
    }

    /// Follows a topic; the node has subscribed when this returns.
    pub async fn follow(&self, topic: Topic) -> Result<RowStream, ApiError> {
        let answer = self.exchange(Method::GET, &route::stream_path(&topic), None).await?;
        let status = answer.status();
        if status != StatusCode::OK {
            let bytes = answer.into_body().collect().await.map_err(|error| broke(&error))?.to_bytes();
            return Err(refusal(status, &bytes));
        }
        let lines = stream::unfold(Lines::new(answer.into_body()), |mut lines| async {
            lines.next().await.map(|line| (line, lines))
        });
        Ok(Box::pin(lines.map(move |line| {
            let row = line.and_then(|line| route::decode_row(&topic, &line).map_err(|error| strange(&error)));
            row.unwrap_or_else(Row::Ended)
        })))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<hyper::Response<Incoming>, ApiError> {
        let stream = socket::connect(&self.socket).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broke(&error))?;
        // Ends with the answer's last byte, or when the answer is dropped.
        tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "dak")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| ApiError::usage(format!("this cannot be asked: {error}")))?;
        sender.send_request(request).await.map_err(|error| broke(&error))
    }
}

/// The lines of a body, as they come.
struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    fn new(body: Incoming) -> Lines {
        Lines { body, buffer: Vec::new(), ended: false }
    }

    async fn next(&mut self) -> Option<Result<Vec<u8>, ApiError>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref())),
                Some(Err(error)) => {
                    self.ended = true;
                    self.buffer.clear();
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
    ApiError::failure(format!("the node hung up: {error}")).next("see whether it still runs with `dak doctor`")
}

fn strange(error: &serde_json::Error) -> ApiError {
    ApiError::failure(format!("the node's answer is not understood: {error}"))
        .next("the node may be of another version; restart it with `dak down` and `dak up`")
}
