//! The way in: a browser shows a one-time link and gets a session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::guard::{APPS_COOKIE, COOKIE, Doorway, cookies};
use super::sessions::{Halves, Session};
use super::{Place, now_ms, whose};
use crate::api::ApiError;
use crate::api::model::{Done, Schema, json_line};
use crate::api::server::{Ends, answer};

/// Largest body of a request for a session.
pub const OPENING_BYTES_MAX: usize = 4 << 10;
/// How long it may take to come.
pub const OPENING_TIME_MAX: Duration = Duration::from_secs(5);
/// How long browsers keep the cookie: they keep none longer than 400 days.
const COOKIE_SECS: u32 = 400 * 86_400;

#[derive(Deserialize)]
struct Opening {
    /// What the link has behind `#open=`.
    open: String,
}

/// What the page keeps, and shows with every request.
#[derive(Serialize)]
struct Opened {
    schema: Schema,
    page: String,
}

/// `POST /web/session`
pub async fn begin(State(doorway): State<Arc<Doorway>>, request: Request) -> Response {
    match opened(&doorway, request).await {
        Ok(opened) => opened,
        Err(error) => error.into_response(),
    }
}

async fn opened(doorway: &Doorway, request: Request) -> Result<Response, ApiError> {
    let lan = doorway.place.lan;
    if let Some(ends) = request.extensions().get::<Ends>().filter(|_| !lan) {
        whose::refuse_others(ends)?;
    }
    let (head, body) = request.into_parts();
    let body = tokio::time::timeout(OPENING_TIME_MAX, to_bytes(body, OPENING_BYTES_MAX)).await;
    let body = body.ok().and_then(Result::ok).ok_or_else(|| ApiError::usage("the body is too long, or broke off"))?;
    let Opening { open } = serde_json::from_slice(&body)
        .map_err(|error| ApiError::usage(format!("the body is not {{\"open\": …}}: {error}")))?;
    if !doorway.links.take(&open, lan, Instant::now()) {
        let error = ApiError::refused("this link was used already, or its time is over");
        return Err(error.advise("ask the node for another"));
    }
    let shown: Vec<&str> = cookies(&head.headers, COOKIE).collect();
    let halves = doorway.sessions.begin(&called(&head.headers), lan, &shown, now_ms())?;
    let (both, page) = (given(&doorway.place, &halves, COOKIE_SECS), halves.page);
    Ok(with_cookies(&Opened { schema: Schema, page }, both))
}

/// `POST /web/session/renew`
pub async fn renew(State(doorway): State<Arc<Doorway>>, request: Request) -> Response {
    let session = request.extensions().get::<Session>().expect("the guard lets nobody else here");
    match doorway.sessions.renew(session) {
        Ok(halves) => {
            let (both, page) = (given(&doorway.place, &halves, COOKIE_SECS), halves.page);
            with_cookies(&Opened { schema: Schema, page }, both)
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// `DELETE /web/session`
pub async fn end(State(doorway): State<Arc<Doorway>>, request: Request) -> Response {
    let session = request.extensions().get::<Session>().expect("the guard lets nobody else here");
    match doorway.sessions.end(session) {
        Ok(()) => {
            let none = Halves { cookie: String::new(), page: String::new(), apps: String::new() };
            with_cookies(&Done::default(), given(&doorway.place, &none, 0))
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// The cookies of a session. In the local network the hosts of apps are called by names that everybody there hears, so they
/// want one as well: it opens nothing else, and no script of an app reads it.
fn given(place: &Place, halves: &Halves, secs: u32) -> Vec<String> {
    let rest = format!("; HttpOnly; SameSite=Strict; Path=/; Max-Age={secs}");
    let own = format!("{COOKIE}={}{rest}", halves.cookie);
    if !place.lan {
        return vec![own];
    }
    let name = place.host.split(':').next().unwrap_or_default();
    vec![format!("{own}; Secure"), format!("{APPS_COOKIE}={}; Domain={name}{rest}; Secure", halves.apps)]
}

fn with_cookies(row: &impl Serialize, cookies: Vec<String>) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(answer::JSON))];
    let cookies = cookies
        .into_iter()
        .map(|cookie| (header::SET_COOKIE, HeaderValue::try_from(cookie).expect("it is plain ASCII")));
    (kind, AppendHeaders(cookies.collect::<Vec<_>>()), json_line(row)).into_response()
}

/// What to call a browser, in words of ours: what it says of itself could be anything.
fn called(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).and_then(|said| said.to_str().ok()).unwrap_or_default();
    let first =
        |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| said.contains(mark)).map(|known| known.1);
    // Each says that it is most of those behind it as well.
    let browser = first(&[
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "a browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_words_of_ours() {
        let called =
            |said: &'static str| called(&HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(said))]));
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        assert_eq!(called(firefox), "Firefox on Linux");
        let chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";
        assert_eq!(called(chrome), "Chrome on Android");
        let safari =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        assert_eq!(called(safari), "Safari on iPhone");
        assert_eq!(called("<script>alert(1)</script>"), "a browser");
    }
}
