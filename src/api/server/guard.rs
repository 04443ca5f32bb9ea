//! Who comes in at a port, and what for: a program of this machine that shows a token, and no page of a browser.
//!
//! A browser lends its user's way to loopback to every page. What it cannot be made to lie about is the `Host` it was sent
//! to, which gives away a name that was bound to 127.0.0.1 only for this (DNS rebinding), and the `Origin` of the page that
//! asks. Both are looked at before the token is, and no answer says that another origin may read it (CORS).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as HttpResponse};
use futures::{StreamExt, stream};

use super::answer;
use crate::api::error::{ApiError, ErrorKind};
use crate::api::model::{Request, Response, Topic};
use crate::api::route::Ask;
use crate::api::{Backend, Row, Rows};
use crate::tokens::{Token, TokenError, Tokens};

/// How often it is looked whether the token of a program that follows something still holds.
const LOOK: Duration = Duration::from_secs(2);

/// The answer to who is turned away.
type Refusal = Box<HttpResponse>;

/// Stands at a port.
pub struct Guard {
    tokens: Arc<Tokens>,
    /// What clients may call this place, in small letters.
    hosts: Vec<String>,
}

/// What a request may do: its program's token, held against the home's whenever it matters.
#[derive(Clone)]
pub struct Permit {
    tokens: Arc<Tokens>,
    token: Token,
}

impl Guard {
    pub fn of(tokens: Arc<Tokens>, at: SocketAddr) -> Guard {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned(), "[::1]".to_owned(), host_of(at)];
        let with_port = names.iter().map(|name| format!("{name}:{}", at.port()));
        let bare = names.iter().filter(|_| at.port() == 80).cloned();
        Guard { tokens, hosts: with_port.chain(bare).collect() }
    }

    /// Why a request goes no further, or what it may do.
    fn admit(&self, request: &HttpRequest) -> Result<Permit, Refusal> {
        self.look_at_place(request)?;
        self.look_at_origin(request.headers())?;
        let token = self.look_at_token(request.headers())?;
        if token.may.read_only && request.method() != Method::GET {
            let why = format!("the token {} only reads, and this changes something", token.name);
            return Err(Box::new(ApiError::refused(why).advise("use a token that may do more").into_response()));
        }
        Ok(Permit { tokens: Arc::clone(&self.tokens), token })
    }

    fn look_at_place(&self, request: &HttpRequest) -> Result<(), Refusal> {
        let is_ours = |host: &str| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let named = match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
            (Some(Ok(host)), None) => is_ours(host),
            _ => false,
        };
        let authority = request.uri().authority();
        if named && authority.is_none_or(|authority| is_ours(authority.as_str())) {
            return Ok(());
        }
        tracing::warn!("refused a request that was meant for another host");
        let error = ApiError::refused("this is not the host that the request names");
        let error = error.advise(format!("ask http://{}, with that as its Host", self.hosts[0]));
        Err(Box::new(answer::with_status(StatusCode::MISDIRECTED_REQUEST, error)))
    }

    fn look_at_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_own = |origin: &HeaderValue| {
            let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            host.is_some_and(|host| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host)))
        };
        if headers.get_all(header::ORIGIN).iter().all(is_own) {
            return Ok(());
        }
        tracing::warn!("refused a request of a page from elsewhere");
        let error = ApiError::refused("a page from elsewhere asks, and only programs of this machine may");
        Err(Box::new(error.into_response()))
    }

    fn look_at_token(&self, headers: &HeaderMap) -> Result<Token, Refusal> {
        let unknown = |why: &str| {
            let error = ApiError::refused(why).advise("show a token of its own as `Authorization: Bearer TOKEN`");
            let mut answer = answer::with_status(StatusCode::UNAUTHORIZED, error);
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Box::new(answer)
        };
        let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
        let secret =
            shown.and_then(|shown| shown.split_once(' ')).filter(|(how, _)| how.eq_ignore_ascii_case("bearer"));
        let Some((_, secret)) = secret else { return Err(unknown("a program needs a token here")) };
        match self.tokens.shown(secret.trim()) {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Err(unknown("there is no such token, or it was revoked")),
            Err(error) => Err(Box::new(ApiError::from(error).into_response())),
        }
    }
}

fn host_of(at: SocketAddr) -> String {
    match at {
        SocketAddr::V4(at) => at.ip().to_string(),
        SocketAddr::V6(at) => format!("[{}]", at.ip()),
    }
}

/// Lets a request through, with what it may do, or turns it away.
pub async fn stand(State(guard): State<Arc<Guard>>, mut request: HttpRequest, next: Next) -> HttpResponse {
    match guard.admit(&request) {
        Ok(permit) => {
            request.extensions_mut().insert(permit);
            next.run(request).await
        }
        Err(refusal) => *refusal,
    }
}

impl Permit {
    /// Refuses what lies outside the topics of the token, where it is for topics, and files of this user that only a path
    /// tells of: a program has bytes of its own to give, and may be somebody else.
    pub async fn check(&self, ask: &Ask, backend: &dyn Backend) -> Result<(), ApiError> {
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
        let Some(topics) = &self.token.may.topics else { return Ok(()) };
        let is_within = match ask {
            Ask::Call(Request::Version | Request::Health) => true,
            Ask::Call(
                Request::Publish { topic, .. }
                | Request::TopicSubscribe { topic }
                | Request::TopicUnsubscribe { topic }
                | Request::TopicFailed { topic, .. }
                | Request::TopicRetry { topic, .. },
            )
            | Ask::Follow(Topic::Sub { topic, .. }) => self.token.may.has_topic(topic),
            Ask::Call(Request::TopicSettle { events, .. }) => {
                let Response::Topics(rows) = backend.call(Request::Topics).await? else { return Err(odd()) };
                let is_within = |endpoint: &str| {
                    rows.iter().any(|row| row.endpoint == endpoint && self.token.may.has_topic(&row.topic))
                };
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
    pub fn check_all(&self) -> Result<(), ApiError> {
        self.token.may.topics.as_deref().map_or(Ok(()), |topics| Err(self.beyond(topics)))
    }

    fn beyond(&self, topics: &[String]) -> ApiError {
        ApiError::refused(format!("the token {} is for {} alone", self.token.name, topics.join(", ")))
            .advise("use a token that may do more")
    }

    /// Rows until there are no more, or the token holds no more.
    pub fn watched(self, rows: Rows) -> Rows {
        let rows = stream::unfold(Some((rows, self)), |state| async {
            let (mut rows, permit) = state?;
            loop {
                let row = tokio::time::timeout(LOOK, rows.next()).await;
                if !permit.tokens.holds(&permit.token) {
                    let why = ApiError::new(ErrorKind::Refused, "the token was revoked");
                    return Some((Row::Ended(why), None));
                }
                match row {
                    Ok(Some(row)) => return Some((row, Some((rows, permit)))),
                    Ok(None) => return None,
                    Err(_) => {}
                }
            }
        });
        Box::pin(rows)
    }
}

fn odd() -> ApiError {
    ApiError::failure("the topics of the events cannot be told")
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> ApiError {
        let said = error.to_string();
        match error {
            TokenError::Exists(_) => ApiError::refused(said).advise("give it another name, or revoke that one first"),
            TokenError::Unknown(_) => ApiError::not_found(said),
            TokenError::TooMany => ApiError::refused(said).advise("revoke one that is not needed"),
            TokenError::Name | TokenError::Topics => ApiError::usage(said),
            TokenError::Damaged { path, .. } => {
                ApiError::failure(said).advise(format!("move {} away, and make new tokens", path.display()))
            }
            TokenError::Entropy(_) | TokenError::Io { .. } => ApiError::failure(said),
        }
    }
}
