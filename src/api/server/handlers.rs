//! From HTTP to the backend and back, the same way for every route of the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, Request as HttpRequest, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{MethodFilter, on};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::accept::Form;
use super::permit::Permit;
use super::{BODY_BYTES_MAX, BODY_TIME_MAX, answer, streams};
use crate::api::Backend;
use crate::api::error::ApiError;
use crate::api::model::{Request, Response, Topic};
use crate::api::openapi;
use crate::api::route::{Ask, HEALTH, Kind, ROUTES, Route};

/// What every handler sees.
#[derive(Clone)]
pub struct Shared {
    pub backend: Arc<dyn Backend>,
    /// Cancelled when the node stops: streams end.
    pub closing: CancellationToken,
}

pub fn router(shared: Shared) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let method = MethodFilter::try_from(route.method.clone()).expect("the table has methods of HTTP");
        let served = match route.ask {
            Kind::Document => on(method, async || ([(header::CONTENT_TYPE, answer::JSON)], openapi::document())),
            Kind::Upload => on(method, |State(shared): State<Shared>, request: HttpRequest| shared.upload(request)),
            Kind::Content => on(method, |State(shared): State<Shared>, request: HttpRequest| shared.content(request)),
            Kind::Call | Kind::List | Kind::Follow => {
                on(method, move |State(shared): State<Shared>, request: HttpRequest| shared.serve(route, request))
            }
        };
        router = router.route(route.path, served);
    }
    router
        .fallback(async || ApiError::not_found("there is no such path").advise("see `GET /v1/openapi.json`"))
        .method_not_allowed_fallback(async || {
            answer::with_status(StatusCode::METHOD_NOT_ALLOWED, ApiError::usage("this path takes another method"))
        })
        .with_state(shared)
}

impl Shared {
    async fn serve(self, route: &'static Route, request: HttpRequest) -> HttpResponse {
        let other = if route.ask == Kind::Follow { Form::Events } else { Form::Array };
        let form = Form::wanted(request.headers(), other);
        let permit = request.extensions().get::<Permit>().cloned();
        match asked(route, request).await {
            Ok(ask) => self.answer(route, ask, form, permit).await.unwrap_or_else(ApiError::into_response),
            Err(refusal) => refusal,
        }
    }

    /// Answers as far as the permit goes; who has none is this user.
    async fn answer(
        self,
        route: &'static Route,
        ask: Ask,
        form: Form,
        permit: Option<Permit>,
    ) -> Result<HttpResponse, ApiError> {
        if let Some(permit) = &permit {
            permit.check(&ask, &*self.backend).await?;
        }
        match ask {
            Ask::Call(request) => {
                if let Request::Send(compose) = &request {
                    compose.check_size()?;
                }
                let response = self.backend.call(request).await?;
                let is_ill = route.path == HEALTH && matches!(&response, Response::Health(health) if !health.ok);
                let mut answer = match form {
                    Form::Array if response.is_many() => answer::array(&response),
                    _ => response.into_response(),
                };
                if is_ill {
                    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                }
                Ok(answer)
            }
            Ask::List(listing) => {
                let rows = self.backend.list(listing);
                let rows = match permit {
                    Some(permit) => permit.watched(rows),
                    None => rows,
                };
                streams::listed(rows, form, self.closing).await
            }
            Ask::Follow(topic) => {
                let id = if let Topic::Status { id } = &topic { id.clone() } else { None };
                let rows = self.backend.follow(topic);
                // An id that names nothing is an error at once and not an endless silence.
                if let Some(id) = id {
                    self.backend.call(Request::Status { id }).await?;
                }
                let rows = match permit {
                    Some(permit) => permit.watched(rows),
                    None => rows,
                };
                Ok(streams::respond(rows, form, self.closing))
            }
        }
    }
}

/// Reads what is asked from path, query and body.
async fn asked(route: &'static Route, request: HttpRequest) -> Result<Ask, HttpResponse> {
    let wrong =
        |what: &str, error: &dyn std::fmt::Display| ApiError::usage(format!("the {what}: {error}")).into_response();
    let (mut head, body) = request.into_parts();
    let segments = Path::<Vec<(String, String)>>::from_request_parts(&mut head, &()).await;
    let Path(segments) = segments.map_err(|error| wrong("path is wrong", &error))?;
    let mut words = BTreeMap::new();
    let (mut fields, place) = if route.takes_body() {
        let bytes = body_bytes(&head.headers, body).await?;
        let fields = if bytes.is_empty() { Ok(Map::new()) } else { serde_json::from_slice(&bytes) };
        let place = "body is not the JSON that this path takes";
        (fields.map_err(|error| wrong(place, &error))?, place)
    } else {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&head.uri);
        let Query(query) = query.map_err(|error| wrong("query is wrong", &error))?;
        words = query.iter().cloned().collect();
        (query.into_iter().map(|(name, word)| (name, value_of(word))).collect(), "query is wrong")
    };
    if route.has_numbers()
        && let Some(last) = head.headers.get(LAST_EVENT_ID)
    {
        let number = last.to_str().ok().and_then(|last| last.trim().parse::<u64>().ok());
        let number = number.ok_or_else(|| wrong("header Last-Event-ID is wrong", &"it is no number of an event"))?;
        // It is later than what the address said when it was first followed.
        fields.insert("since".into(), number.into());
    }
    for (name, segment) in segments {
        if fields.insert(name.clone(), Value::String(segment)).is_some() {
            return Err(wrong(place, &format!("`{name}` stands in the path")));
        }
    }
    read_fields(route, fields, &words).map_err(|error| wrong(place, &error))
}

/// Reads the fields. What looks like a number among the words of a query may be meant as a text: a word to search for, the
/// beginning of an id.
fn read_fields(route: &Route, fields: Map<String, Value>, words: &BTreeMap<String, String>) -> serde_json::Result<Ask> {
    let is_read = |(name, _): &(&String, &String)| fields.get(*name).is_some_and(|value| !value.is_string());
    let ambiguous: Vec<(&String, &String)> = words.iter().filter(is_read).take(QUERY_TRIES).collect();
    let mut first = None;
    for texts in 0..1u32 << ambiguous.len() {
        let mut tried = fields.clone();
        for (_, (name, word)) in ambiguous.iter().enumerate().filter(|(n, _)| texts & 1 << n != 0) {
            tried.insert((*name).clone(), Value::String((*word).clone()));
        }
        match route.read(tried) {
            Ok(ask) => return Ok(ask),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    Err(first.expect("it is tried once at least"))
}

/// The number of the last event that a reader of events saw.
const LAST_EVENT_ID: &str = "last-event-id";

/// Of so many fields both readings are tried; no route has more.
const QUERY_TRIES: usize = 6;

/// A word of a query: a number, a truth value, or a text.
fn value_of(word: String) -> Value {
    match serde_json::from_str(&word) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(word),
    }
}

/// A body within the limits of size and time.
async fn body_bytes(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, HttpResponse> {
    if declared_bytes(headers).is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let reading = axum::body::to_bytes(body, BODY_BYTES_MAX);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::api::fake::Fake;
    use crate::api::{Listing, Row, samples};
    use crate::tokens::May;

    #[tokio::test]
    async fn a_list_ends_with_the_token_that_it_goes_by() {
        let fake = Fake::default();
        fake.listed.lock().unwrap().push(vec![Row::Carried(samples::carried()); 3]);
        let shared = Shared { backend: Arc::new(fake), closing: CancellationToken::new() };
        let is_known = Arc::new(AtomicBool::new(true));
        let holds = Arc::clone(&is_known);
        let permit = Permit::new("the token board".into(), May::default(), move || holds.load(Ordering::Relaxed));
        let route = ROUTES.iter().find(|route| route.ask == Kind::List).unwrap();
        let answer = shared.answer(route, Ask::List(Listing::Carried), Form::Lines, Some(permit)).await.unwrap();
        is_known.store(false, Ordering::Relaxed);
        let told = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let told = String::from_utf8(told.to_vec()).unwrap();
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.lines().last().unwrap().contains("the token board was revoked"), "{told}");
    }
}
