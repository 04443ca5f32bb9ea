//! Files as they are: bytes that come in and go out as fast as both sides take them, and never whole in memory.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, Query, Request as HttpRequest};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use futures::{Stream, StreamExt, stream};

use super::BODY_TIME_MAX;
use super::answer::{self, BYTES};
use super::handlers::Shared;
use super::permit::Permit;
use crate::api::Chunks;
use crate::api::error::ApiError;
use crate::api::model::Response;
use crate::api::route::escaped;

impl Shared {
    /// Takes in a file that is the body of a request.
    pub async fn upload(self, request: HttpRequest) -> HttpResponse {
        let permit = request.extensions().get::<Permit>().cloned();
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let name = query.ok().and_then(|Query(query)| query.into_iter().find(|(field, _)| field == "name"));
        let Some((_, name)) = name else {
            return ApiError::usage("the query is wrong: it names the file, as in `?name=survey.tar`").into_response();
        };
        let taken = async {
            permit.as_ref().map_or(Ok(()), Permit::check_all)?;
            let chunks = watched(permit, Box::pin(patient(request.into_body())));
            self.backend.upload(name, chunks).await.map(Response::Uploaded)
        };
        taken.await.map_or_else(ApiError::into_response, IntoResponse::into_response)
    }

    /// Gives the bytes of a file, or a stretch of them.
    pub async fn content(self, request: HttpRequest) -> HttpResponse {
        let permit = request.extensions().get::<Permit>().cloned();
        let (mut head, _) = request.into_parts();
        let segments = Path::<String>::from_request_parts(&mut head, &()).await;
        let Ok(Path(id)) = segments else { return ApiError::usage("the path is wrong").into_response() };
        let given = async {
            permit.as_ref().map_or(Ok(()), Permit::check_all)?;
            let contents = self.backend.contents(id).await?;
            let range = stretch(&head.headers, contents.bytes, &contents.tag);
            let (status, from, until) = match range {
                Wanted::All => (StatusCode::OK, 0, contents.bytes),
                Wanted::Stretch(from, until) => (StatusCode::PARTIAL_CONTENT, from, until),
                Wanted::Nothing => return Ok(beyond(contents.bytes)),
            };
            let chunks = watched(permit, (contents.stretch)(from, until)?);
            let mut answer = (status, Body::from_stream(chunks)).into_response();
            let headers = answer.headers_mut();
            let mut put = |name: HeaderName, value: String| {
                headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
            };
            put(header::CONTENT_TYPE, BYTES.into());
            put(header::CONTENT_LENGTH, (until - from).to_string());
            put(header::ACCEPT_RANGES, "bytes".into());
            put(header::ETAG, format!("\"{}\"", contents.tag));
            put(header::X_CONTENT_TYPE_OPTIONS, "nosniff".into());
            put(header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", escaped(&contents.name)));
            if status == StatusCode::PARTIAL_CONTENT {
                put(header::CONTENT_RANGE, format!("bytes {from}-{}/{}", until - 1, contents.bytes));
            }
            answer.extensions_mut().insert(FileName(contents.name));
            Ok(answer)
        };
        given.await.unwrap_or_else(ApiError::into_response)
    }
}

/// The name of the file that an answer has, for a door that says more of it.
#[derive(Clone, Debug)]
pub struct FileName(pub String);

/// Bytes on their way for as long as the permit holds; who has none is this user.
fn watched(permit: Option<Permit>, chunks: Chunks) -> Chunks {
    match permit {
        Some(permit) => permit.watched_bytes(chunks),
        None => chunks,
    }
}

/// The body as it comes, as long as something comes.
fn patient(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(Some(body.into_data_stream()), |body| async {
        let mut body = body?;
        match tokio::time::timeout(BODY_TIME_MAX, body.next()).await {
            Ok(chunk) => match chunk? {
                Ok(bytes) => Some((Ok(bytes), Some(body))),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
            Err(_) => Some((Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came for too long")), None)),
        }
    })
}

/// What is wanted of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    All,
    /// From one byte until before another.
    Stretch(u64, u64),
    /// What it does not have.
    Nothing,
}

/// Which bytes a request wants. What is no single range is passed over, as RFC 9110 section 14.2 allows; so is a range of
/// something else than this.
pub fn stretch(headers: &HeaderMap, bytes: u64, tag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|wanted| wanted.trim_matches('"') != tag) {
        return Wanted::All;
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else { return Wanted::All };
    let (first, last) = (first.trim(), last.trim());
    // A number as Rust reads it may have a sign.
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
    let (from, until) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(bytes)),
        (Some(first), None) if last.is_empty() => (first, bytes),
        (None, Some(many)) if first.is_empty() => (bytes.saturating_sub(many), bytes),
        _ => return Wanted::All,
    };
    if from < until { Wanted::Stretch(from, until) } else { Wanted::Nothing }
}

fn beyond(bytes: u64) -> HttpResponse {
    let error = ApiError::usage(format!("the file has {bytes} bytes, and none of those"));
    let mut answer = answer::with_status(StatusCode::RANGE_NOT_SATISFIABLE, error);
    let range = HeaderValue::try_from(format!("bytes */{bytes}")).expect("digits are fit for a header");
    answer.headers_mut().insert(header::CONTENT_RANGE, range);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_http_says() {
        let wanted = |range: &str| stretch(&HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]), 10, "a");
        for (range, from, until) in [
            ("bytes=0-0", 0, 1),
            ("bytes=2-5", 2, 6),
            ("bytes=2-", 2, 10),
            ("bytes=-3", 7, 10),
            ("bytes=-30", 0, 10),
            ("bytes=9-99", 9, 10),
            ("bytes=0-18446744073709551615", 0, 10),
        ] {
            assert_eq!(wanted(range), Wanted::Stretch(from, until), "{range}");
        }
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(wanted(range), Wanted::Nothing, "{range}");
        }
        for range in
            ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "bytes=x-", "bytes=+1-5", "lines=0-1"]
        {
            assert_eq!(wanted(range), Wanted::All, "{range}");
        }
        let headers = [(header::RANGE, "bytes=2-5"), (header::IF_RANGE, "\"b\"")];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        assert_eq!(stretch(&HeaderMap::from_iter(headers), 10, "a"), Wanted::All);
    }
}
