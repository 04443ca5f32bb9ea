//! What a request may do that did not come in at the owner's socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};

use crate::api::error::{ApiError, ErrorKind};
use crate::api::model::{Request, Response, Topic};
use crate::api::route::Ask;
use crate::api::{Backend, Chunks, Row, Rows};
use crate::tokens::May;

/// How often it is looked whether the permit of somebody who follows something still holds.
const LOOK: Duration = Duration::from_secs(2);

/// Of a program with a token, or of a browser with a session; held against what the home knows whenever it matters.
#[derive(Clone)]
pub struct Permit {
    /// What it stands for, as in "the token desk".
    whose: String,
    may: May,
    holds: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Permit {
    pub fn new(whose: String, may: May, holds: impl Fn() -> bool + Send + Sync + 'static) -> Permit {
        Permit { whose, may, holds: Arc::new(holds) }
    }

    /// Refuses what lies outside its topics, where it is for topics, and files of this user that only a path tells of: a
    /// program has bytes of its own to give, and may be somebody else.
    pub(super) async fn check(&self, ask: &Ask, backend: &dyn Backend) -> Result<(), ApiError> {
        let has_path = match ask {
            Ask::Call(Request::Send(compose)) => !compose.paths.is_empty(),
            Ask::Call(Request::DraftAdd(draft)) => !draft.compose.paths.is_empty(),
            // It would run as this user.
            Ask::Call(Request::HookAdd(_)) => true,
            Ask::Call(Request::FileSave { .. } | Request::Backup { .. }) => true,
            _ => false,
        };
        if has_path {
            let error = ApiError::refused("paths and commands of this machine are for programs at the node's socket");
            return Err(error.advise("give and take the bytes themselves"));
        }
        // Who was let in lets in nobody else: that would outlast a revocation.
        if matches!(ask, Ask::Call(Request::Web | Request::WebLan)) {
            let error = ApiError::refused("a way in for a browser is opened at the node's socket alone");
            return Err(error.advise("ask for it as the owner, on the node's machine"));
        }
        // It is asked for as what is read is, and moves its group.
        if self.may.read_only && matches!(ask, Ask::Follow(Topic::Sub { .. })) {
            let why = format!("{} only reads, and what a consumer gets is out of its group", self.whose);
            return Err(ApiError::refused(why).advise("use a token that may do more"));
        }
        let Some(topics) = &self.may.topics else { return Ok(()) };
        let is_within = match ask {
            Ask::Call(Request::Version | Request::Health) => true,
            Ask::Call(
                Request::Publish { topic, .. }
                | Request::TopicSubscribe { topic }
                | Request::TopicUnsubscribe { topic }
                | Request::TopicEvents { topic, .. }
                | Request::TopicFailed { topic, .. }
                | Request::TopicRetry { topic, .. },
            )
            | Ask::Follow(Topic::Sub { topic, .. }) => self.may.has_topic(topic),
            Ask::Call(Request::TopicSettle { events, .. }) => {
                let Response::Topics(rows) = backend.call(Request::Topics).await? else { return Err(odd()) };
                let is_within =
                    |endpoint: &str| rows.iter().any(|row| row.endpoint == endpoint && self.may.has_topic(&row.topic));
                events.iter().all(|event| is_within(&event.endpoint))
            }
            _ => false,
        };
        match is_within {
            true => Ok(()),
            false => Err(self.beyond(topics)),
        }
    }

    /// Refuses what no topic is about, where the token is for topics.
    pub(super) fn check_all(&self) -> Result<(), ApiError> {
        self.may.topics.as_deref().map_or(Ok(()), |topics| Err(self.beyond(topics)))
    }

    fn beyond(&self, topics: &[String]) -> ApiError {
        ApiError::refused(format!("{} is for {} alone", self.whose, topics.join(", ")))
            .advise("use a token that may do more")
    }

    /// Rows until there are no more, or the permit holds no more.
    pub(super) fn watched(self, rows: Rows) -> Rows {
        let rows = stream::unfold(Some((rows, self)), |state| async {
            let (mut rows, permit) = state?;
            loop {
                let row = tokio::time::timeout(LOOK, rows.next()).await;
                if !(permit.holds)() {
                    let why = ApiError::new(ErrorKind::Refused, permit.revoked());
                    return Some((Row::Ended(why), None));
                }
                match row {
                    Ok(Some(row)) => return Some((row, Some((rows, permit)))),
                    Ok(None) => return None,
                    Err(_) => {}
                }
            }
        });
        // Whoever reads a list asks once more after its end.
        Box::pin(rows.fuse())
    }

    /// Bytes of a file, on their way in or out, until there are no more, or the permit holds no more.
    pub(super) fn watched_bytes(self, chunks: Chunks) -> Chunks {
        Box::pin(chunks.map(move |chunk| match (self.holds)() {
            true => chunk,
            false => Err(io::Error::new(io::ErrorKind::PermissionDenied, self.revoked())),
        }))
    }

    fn revoked(&self) -> String {
        format!("{} was revoked", self.whose)
    }
}

fn odd() -> ApiError {
    ApiError::failure("the topics of the events cannot be told")
}
