//! One handler a route: reads what HTTP says, asks the backend, answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request as HttpRequest, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{delete, get, post, put};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{BODY_BYTES_MAX, BODY_TIME_MAX, answer, streams};
use crate::api::Backend;
use crate::api::error::ApiError;
use crate::api::model::{Compose, Introduction, LimitRow, Listing, Request, Response, Topic};
use crate::api::route::body;

/// What every handler sees.
#[derive(Clone)]
pub struct Shared {
    pub backend: Arc<dyn Backend>,
    /// Cancelled when the node stops: streams end.
    pub closing: CancellationToken,
}

pub fn router(shared: Shared) -> Router {
    use Request as R;
    type S = State<Shared>;
    Router::new()
        .route("/v1/version", get(|s: S| s.0.ask(R::Version)))
        .route("/v1/health", get(|s: S| s.0.ask(R::Health)))
        .route("/v1/me", get(|s: S| s.0.ask(R::Me)))
        .route("/v1/contacts", get(|s: S| s.0.ask(R::ContactList)))
        .route("/v1/contacts", post(|s: S, Json(new): Json<Introduction>| s.0.ask(R::ContactAdd(new))))
        .route("/v1/contacts/{who}", get(|s: S, Segment(who): Segment| s.0.ask(R::ContactShow { who })))
        .route("/v1/contacts/{who}", delete(|s: S, Segment(who): Segment| s.0.ask(R::ContactRemove { who })))
        .route(
            "/v1/contacts/{who}/verify",
            post(|s: S, Segment(who): Segment, Json(b): Json<body::Verify>| {
                s.0.ask(R::ContactVerify { who, verified: b.verified })
            }),
        )
        .route(
            "/v1/contacts/{who}/rename",
            post(|s: S, Segment(who): Segment, Json(b): Json<body::Rename>| {
                s.0.ask(R::ContactRename { who, name: b.name })
            }),
        )
        .route("/v1/contacts/{who}/block", post(|s: S, Segment(who): Segment| s.0.ask(R::ContactBlock { who })))
        .route("/v1/contacts/{who}/unblock", post(|s: S, Segment(who): Segment| s.0.ask(R::ContactUnblock { who })))
        .route("/v1/nearby", get(|s: S| s.0.ask(R::Nearby)))
        .route("/v1/peers", get(|s: S| s.0.ask(R::Peers)))
        .route("/v1/send", post(|s: S, Json(compose): Json<Compose>| s.0.send(compose)))
        .route("/v1/inbox", get(|s: S, Asked(q): Asked<Inbox>| s.0.list(q.listing())))
        .route("/v1/inbox/follow", get(|s: S| async { s.0.follow(Topic::Inbox) }))
        .route("/v1/inbox/{id}", delete(|s: S, Segment(id): Segment| s.0.ask(R::InboxDelete { id })))
        .route(
            "/v1/inbox/{id}/read",
            post(|s: S, Segment(id): Segment, Json(b): Json<body::Read>| {
                s.0.ask(R::Read { id, mark: b.mark, tell: b.tell })
            }),
        )
        .route("/v1/status", get(|s: S| s.0.list(Listing::Status)))
        .route("/v1/status/follow", get(|s: S| async { s.0.follow(Topic::Status { id: None }) }))
        .route("/v1/status/{id}", get(|s: S, Segment(id): Segment| s.0.ask(R::Status { id })))
        .route("/v1/status/{id}/follow", get(|s: S, Segment(id): Segment| s.0.follow_one(id)))
        .route("/v1/status/{id}/cancel", post(|s: S, Segment(id): Segment| s.0.ask(R::Cancel { id })))
        .route("/v1/carry", get(|s: S| s.0.ask(R::Carry)))
        .route("/v1/carry/limit", put(|s: S, Json(b): Json<LimitRow>| s.0.ask(R::CarryLimit { bytes: b.bytes })))
        .route("/v1/carry/bundles", get(|s: S| s.0.list(Listing::Carried)))
        .route("/v1/carry/bundles/{id}", get(|s: S, Segment(id): Segment| s.0.ask(R::CarryExport { id })))
        .route("/v1/carry/bundles/{id}", delete(|s: S, Segment(id): Segment| s.0.ask(R::CarryDrop { id })))
        .route("/v1/doctor", get(|s: S| s.0.ask(R::Doctor)))
        .route("/v1/config", get(|s: S| s.0.ask(R::Config)))
        .route(
            "/v1/backup",
            post(|s: S, Json(b): Json<body::Backup>| s.0.ask(R::Backup { path: b.path, passphrase: b.passphrase })),
        )
        .route("/v1/down", post(|s: S| s.0.ask(R::Down)))
        .fallback(async || ApiError::not_found("there is no such path"))
        .method_not_allowed_fallback(async || {
            answer::with_status(StatusCode::METHOD_NOT_ALLOWED, ApiError::usage("this path takes another method"))
        })
        .with_state(shared)
}

impl Shared {
    async fn ask(self, request: Request) -> Result<Response, ApiError> {
        self.backend.call(request).await
    }

    async fn send(self, compose: Compose) -> Result<Response, ApiError> {
        compose.check_size()?;
        self.ask(Request::Send(compose)).await
    }

    async fn list(self, listing: Listing) -> Result<HttpResponse, ApiError> {
        streams::listed(self.backend.list(listing), self.closing).await
    }

    fn follow(self, topic: Topic) -> HttpResponse {
        streams::respond(self.backend.follow(topic), self.closing)
    }

    /// An id that names nothing is an error at once and not an endless silence.
    async fn follow_one(self, id: String) -> Result<HttpResponse, ApiError> {
        let rows = self.backend.follow(Topic::Status { id: Some(id.clone()) });
        self.backend.call(Request::Status { id }).await?;
        Ok(streams::respond(rows, self.closing))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbox {
    #[serde(default)]
    unread: bool,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    text_chars: Option<u32>,
}

impl Inbox {
    fn listing(self) -> Listing {
        let Inbox { unread, limit, text_chars } = self;
        Listing::Inbox { unread, limit, text_chars }
    }
}

/// The path's only parameter.
struct Segment(String);

impl<T: Send + Sync> FromRequestParts<T> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Segment, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Segment(text)).map_err(|error| ApiError::usage(format!("the path is wrong: {error}")))
    }
}

/// The query's parameters.
struct Asked<Q>(Q);

impl<T: Send + Sync, Q: DeserializeOwned> FromRequestParts<T> for Asked<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Asked<Q>, ApiError> {
        let query = Query::<Q>::try_from_uri(&parts.uri);
        query.map(|Query(q)| Asked(q)).map_err(|error| ApiError::usage(format!("the query is wrong: {error}")))
    }
}

/// A body of JSON, whatever its declared type, within the limits of size and time.
struct Json<B>(B);

impl<T: Send + Sync, B: DeserializeOwned> FromRequest<T> for Json<B> {
    type Rejection = HttpResponse;

    async fn from_request(request: HttpRequest, _: &T) -> Result<Json<B>, HttpResponse> {
        let bytes = body_bytes(request).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|error| {
            ApiError::usage(format!("the body is not the JSON that this path takes: {error}")).into_response()
        })
    }
}

async fn body_bytes(request: HttpRequest) -> Result<Bytes, HttpResponse> {
    if declared_bytes(request.headers()).is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let reading = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIME_MAX, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_over_limit(&error) => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::usage(format!("the body broke off: {error}")).into_response()),
        Err(_) => {
            Err(answer::with_status(StatusCode::REQUEST_TIMEOUT, ApiError::usage("the body took too long to arrive")))
        }
    }
}

fn declared_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_over_limit(error: &axum::Error) -> bool {
    let inner = std::error::Error::source(error);
    inner.is_some_and(|inner| inner.is::<http_body_util::LengthLimitError>())
}

fn too_large() -> HttpResponse {
    let error = ApiError::refused(format!("the request is larger than {BODY_BYTES_MAX} bytes"));
    answer::with_status(StatusCode::PAYLOAD_TOO_LARGE, error)
}
