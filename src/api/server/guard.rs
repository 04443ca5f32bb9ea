//! Who comes in at a port, and what for: a program of this machine that shows a token, and no page of a browser.
//!
//! A browser lends its user's way to loopback to every page. What it cannot be made to lie about is the `Host` it was sent
//! to, which gives away a name that was bound to 127.0.0.1 only for this (DNS rebinding), and the `Origin` of the page that
//! asks. Both are looked at before the token is, and no answer says that another origin may read it (CORS).
//!
//! Probes are given no secrets, so `GET /health` answers without a token as well: 200 or 503, and nothing more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as HttpResponse};

use super::answer;
use super::permit::Permit;
use crate::api::Backend;
use crate::api::error::ApiError;
use crate::api::model::{LifeSign, Request, Response, Schema, json_line};
use crate::api::route::HEALTH;
use crate::brake::Brake;
use crate::home::KeptError;
use crate::tokens::{Token, TokenError, Tokens};

/// The answer to who is turned away.
pub type Refusal = Box<HttpResponse>;

/// Stands at a port.
pub struct Guard {
    tokens: Arc<Tokens>,
    backend: Arc<dyn Backend>,
    /// What clients may call this place, in small letters.
    hosts: Vec<String>,
}

impl Guard {
    pub fn of(tokens: Arc<Tokens>, backend: Arc<dyn Backend>, at: SocketAddr) -> Guard {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned(), "[::1]".to_owned(), host_of(at)];
        let with_port = names.iter().map(|name| format!("{name}:{}", at.port()));
        let bare = names.iter().filter(|_| at.port() == 80).cloned();
        Guard { tokens, backend, hosts: with_port.chain(bare).collect() }
    }

    /// Why a request goes no further, or what it may do; nothing for a probe, which learns whether the node is well.
    fn admit(&self, request: &HttpRequest) -> Result<Option<Permit>, Refusal> {
        self.look_at_place(request)?;
        self.look_at_origin(request.headers())?;
        if is_probe(request) {
            return Ok(None);
        }
        let token = self.look_at_token(request.headers())?;
        if token.may.read_only && request.method() != Method::GET {
            let why = format!("the token {} only reads, and this changes something", token.name);
            return Err(Box::new(ApiError::refused(why).advise("use a token that may do more").into_response()));
        }
        let (whose, may, tokens) = (format!("the token {}", token.name), token.may.clone(), Arc::clone(&self.tokens));
        Ok(Some(Permit::new(whose, may, move || tokens.holds(&token))))
    }

    /// Says to who shows no token whether the node does its work, and nothing of why not, whose it is or which.
    async fn sign_of_life(&self) -> HttpResponse {
        let health = self.backend.call(Request::Health).await;
        let sign = LifeSign { schema: Schema, ok: matches!(health, Ok(Response::Health(health)) if health.ok) };
        let status = if sign.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, [(header::CONTENT_TYPE, answer::JSON)], json_line(&sign)).into_response()
    }

    fn look_at_place(&self, request: &HttpRequest) -> Result<(), Refusal> {
        if host_named(request).is_some_and(|host| self.hosts.contains(&host)) {
            return Ok(());
        }
        Err(for_another_host(&format!("http://{}", self.hosts[0])))
    }

    fn look_at_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_own = |origin: &str| {
            origin.strip_prefix("http://").is_some_and(|host| self.hosts.iter().any(|ours| ours == host))
        };
        if comes_from(headers, is_own) {
            return Ok(());
        }
        Err(from_elsewhere("a page from elsewhere asks, and only programs of this machine may"))
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

/// The host that a request is meant for, in small letters; none where it names several, or none.
pub fn host_named(request: &HttpRequest) -> Option<String> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(Ok(host)), None) = (hosts.next().map(HeaderValue::to_str), hosts.next()) else { return None };
    let is_same = request.uri().authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(host));
    is_same.then(|| host.to_ascii_lowercase())
}

/// Whether every page that a request says it comes from is one of ours; programs say none.
pub fn comes_from(headers: &HeaderMap, is_own: impl Fn(&str) -> bool) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.all(|origin| origin.to_str().is_ok_and(|origin| is_own(&origin.to_ascii_lowercase())))
}

/// Turns away what was meant for another host, and says where it would have been right.
pub fn for_another_host(ours: &str) -> Refusal {
    static BRAKE: Brake = Brake::new(Duration::ZERO);
    BRAKE.say((), |unsaid| tracing::warn!(unsaid, "refused a request that was meant for another host"));
    misdirected(ours)
}

/// The same where that is nothing to tell of.
pub fn misdirected(ours: &str) -> Refusal {
    let error = ApiError::refused("this is not the host that the request names");
    let error = error.advise(format!("ask {ours}, with that as its Host"));
    Box::new(answer::with_status(StatusCode::MISDIRECTED_REQUEST, error))
}

pub fn from_elsewhere(why: &str) -> Refusal {
    static BRAKE: Brake = Brake::new(Duration::ZERO);
    BRAKE.say((), |unsaid| tracing::warn!(unsaid, "refused a request of a page from elsewhere"));
    Box::new(ApiError::refused(why).into_response())
}

/// What a supervisor asks who was given no secret.
fn is_probe(request: &HttpRequest) -> bool {
    let asks = request.method() == Method::GET && request.uri().path() == HEALTH;
    asks && !request.headers().contains_key(header::AUTHORIZATION)
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
        Ok(Some(permit)) => {
            request.extensions_mut().insert(permit);
            next.run(request).await
        }
        Ok(None) => guard.sign_of_life().await,
        Err(refusal) => *refusal,
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> ApiError {
        let said = error.to_string();
        match error {
            TokenError::Exists(_) => ApiError::refused(said).advise("give it another name, or revoke that one first"),
            TokenError::Unknown(_) => ApiError::not_found(said),
            TokenError::TooMany => ApiError::refused(said).advise("revoke one that is not needed"),
            TokenError::Name | TokenError::Topics => ApiError::usage(said),
            TokenError::Kept(KeptError::Damaged { path, .. }) => {
                ApiError::failure(said).advise(format!("move {} away, and make new tokens", path.display()))
            }
            TokenError::Entropy(_) | TokenError::Kept(KeptError::Io { .. }) => ApiError::failure(said),
        }
    }
}
