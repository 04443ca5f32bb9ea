//! Shared apps in a browser: each at a host of its own, with files of its container, and nothing else of this node.
//!
//! ```text
//! page  http://dak-xxxxxxxx.localhost:PORT          frames ──▶  http://app-yyyyyyyyyyyyyyyy.dak-xxxxxxxx.localhost:PORT/index.html
//!       the API, behind both halves of a session    ◀── MessageChannel ──▶  webxdc.js
//! ```
//! On a phone the same with `https` and `.local`: the certificate speaks for names below the page's, and so does multicast DNS.
//!
//! An app is a stranger's program. Its host is an origin of its own, below the page's name so that a browser lets it store what
//! it likes, and asked to be kept in a process of its own; it gets no cookie, no header and no route of the API, and whatever it
//! wants it asks the page for, which asks the person. Its host is what the home's secret makes of it: nobody guesses
//! another app's. What it could do below that name is set cookies that the page's requests have too: they open nothing, and the
//! page sweeps them away.
//!
//! *No network at all.* The policy lets it load and reach its own host alone; an allowlist of connections (of newer
//! Chromium) closes what a policy has no word for: WebRTC, prefetches, pings and names looked up. Workers that would answer
//! in the place of this server, and so without its policy, are not served. What a browser does not enforce the page finds
//! out with [`PROBE`], before it starts an app that did not come with the program.
//!
//! The frame may run scripts and keep storage at its own origin, and hear of forms that it handles itself; it opens no windows,
//! saves no files, asks nothing by dialogs that hang the page, and navigates nothing but itself within its host.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::Place;
use super::guard::{APPS_COOKIE, cookies};
use super::lan::secured::Secured;
use super::sessions::Sessions;
use crate::api::server::guard::host_named;
use crate::api::server::{Wanted, stretch};
use crate::api::{ApiError, Backend, ErrorKind};
use crate::content::{ADDRESS_BYTES_MAX, HREF_BYTES_MAX, NOTIFIED_MAX};

/// What the frame may do, also where it is opened by itself.
const SANDBOX: &str = "allow-scripts allow-same-origin allow-forms";
const INDEX: &str = "index.html";
/// What apps call the script that talks to the page for them.
const SCRIPT_NAME: &str = "webxdc.js";
/// What talks to the page for the app.
const SCRIPT: &str = include_str!("apps/webxdc.js");
/// Where `SCRIPT` has what is of this app and this person.
const OWN: &str = "/*own*/{}";
/// A document of ours that tries what no app may do, and tells the page whether it could.
const PROBE: &str = "/.dak/probe";
const PROBE_PAGE: &str = include_str!("apps/probe.html");
/// With this the browser forgets what the app kept there.
const CLEARS: &str = "forget";
/// What it tries to reach: a host that no app has, which answers everybody.
const PROBED: &str = "app-probe";

/// What the hosts of apps know.
pub struct Hosts {
    place: Place,
    sessions: Arc<Sessions>,
    backend: Arc<dyn Backend>,
    policy: HeaderValue,
    probe_policy: HeaderValue,
    probe_page: String,
}

impl Hosts {
    pub fn new(place: Place, sessions: Arc<Sessions>, backend: Arc<dyn Backend>) -> Hosts {
        let page = place.origin();
        let policy = format!(
            "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' data: blob:; webrtc 'block'; \
             base-uri 'self'; form-action 'self'; frame-ancestors {page} 'self'; sandbox {SANDBOX}"
        );
        let probed = format!("{}://{PROBED}.{}", place.scheme(), place.host);
        let probe_policy = format!(
            "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self' {probed}; \
             frame-ancestors {page}; sandbox {SANDBOX}"
        );
        let value = |policy: String| HeaderValue::try_from(policy).expect("it is plain ASCII");
        let probe_page = PROBE_PAGE.replace("/*probed*/", &format!("{probed}/"));
        Hosts { policy: value(policy), probe_policy: value(probe_policy), probe_page, place, sessions, backend }
    }

    /// The app whose host a request is for. Browsers get it below the page's own name: what a frame of another site stores,
    /// many of them refuse. Other programs of this machine may leave that name out.
    fn app_of(&self, request: &Request) -> Option<String> {
        let host = host_named(request)?;
        let app = match host.strip_suffix(&self.place.host) {
            Some(below) => below.strip_suffix('.')?,
            None if self.place.lan => return None,
            None => host.strip_suffix(&format!(":{}", self.place.port))?.strip_suffix(".localhost")?,
        };
        (app.starts_with("app-") && !app.contains('.')).then(|| app.to_owned())
    }

    async fn answer(&self, app: &str, request: &Parts) -> Response {
        // What a phone says before it knows this node could be read by anybody between.
        if self.place.lan && !request.extensions.get::<Secured>().is_some_and(Secured::is) {
            return StatusCode::MISDIRECTED_REQUEST.into_response();
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        if app == PROBED {
            return ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], "reached").into_response();
        }
        // Everybody in the network hears the names that a phone asks for, so a name alone opens nothing there.
        let is_let_in = || cookies(&request.headers, APPS_COOKIE).any(|shown| self.sessions.opens_apps(shown));
        if self.place.lan && !is_let_in() {
            return StatusCode::NOT_FOUND.into_response();
        }
        // What a worker of this kind answers has no policy; a document by itself has no page that it could ask.
        if request.headers.contains_key("service-worker") || is_dest(&request.headers, &["serviceworker", "document"]) {
            return (StatusCode::FORBIDDEN, "an app runs in the page, and nowhere else").into_response();
        }
        let Some(path) = decoded(request.uri.path()) else { return StatusCode::BAD_REQUEST.into_response() };
        if path == PROBE {
            let clears = request.uri.query() == Some(CLEARS);
            let page = html(self.probe_page.clone());
            let forget = (HeaderName::from_static("clear-site-data"), "\"storage\"");
            return if clears { ([forget], page).into_response() } else { page };
        }
        let path = path.trim_start_matches('/');
        let name = if path.is_empty() || path.ends_with('/') { format!("{path}{INDEX}") } else { path.to_owned() };
        match self.file(&format!("{app}.localhost"), &name).await {
            Ok(Some(bytes)) => file(&request.headers, kind(&name), bytes),
            Ok(None) => StatusCode::NOT_FOUND.into_response(),
            Err(error) if error.kind == ErrorKind::NotFound => StatusCode::NOT_FOUND.into_response(),
            Err(error) => error.into_response(),
        }
    }

    async fn file(&self, host: &str, name: &str) -> Result<Option<Vec<u8>>, ApiError> {
        // Pages in folders may ask for it beside them; what an app has there itself is its own.
        let is_script = name.eq_ignore_ascii_case(SCRIPT_NAME);
        if !is_script {
            let found = self.backend.app_file(host.to_owned(), name.to_owned()).await?;
            let is_beside = name.rsplit_once('/').is_some_and(|(_, last)| last.eq_ignore_ascii_case(SCRIPT_NAME));
            if found.is_some() || !is_beside {
                return Ok(found);
            }
        }
        let app = self.backend.app_at(host.to_owned()).await?;
        let own = serde_json::json!({
            "page": self.place.origin(),
            "selfAddr": app.self_addr,
            "selfName": app.self_name,
            "isAppSender": app.app.mine,
            "sendUpdateInterval": app.send_update_interval_ms,
            "sendUpdateMaxSize": app.send_update_bytes_max,
            "hrefMax": HREF_BYTES_MAX,
            "addressMax": ADDRESS_BYTES_MAX,
            "notifiedMax": NOTIFIED_MAX,
        });
        Ok(Some(SCRIPT.replace(OWN, &own.to_string().replace('<', "\\u003c")).into_bytes()))
    }

    fn put(&self, answer: &mut Response, is_probe: bool) {
        let headers = answer.headers_mut();
        let fixed = HeaderValue::from_static;
        let policy = if is_probe { &self.probe_policy } else { &self.policy };
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        headers.insert(HeaderName::from_static("connection-allowlist"), fixed("(response-origin)"));
        headers.insert(HeaderName::from_static("x-dns-prefetch-control"), fixed("off"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
        headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
        headers.insert(header::CACHE_CONTROL, fixed("no-store"));
        headers.insert(HeaderName::from_static("origin-agent-cluster"), fixed("?1"));
        let resource = HeaderName::from_static("cross-origin-resource-policy");
        let is_open = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        headers.insert(resource, fixed(if is_open { "cross-origin" } else { "same-origin" }));
        headers.insert(
            HeaderName::from_static("permissions-policy"),
            fixed(
                "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), hid=()",
            ),
        );
    }
}

/// What answers for a page, with the hosts of apps before it.
pub fn beside(routes: Router, hosts: Arc<Hosts>) -> Router {
    routes.layer(middleware::from_fn_with_state(hosts, stand))
}

/// Answers what is for the host of an app, and lets everything else through.
async fn stand(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let Some(app) = hosts.app_of(&request) else { return next.run(request).await };
    let (head, _) = request.into_parts();
    let mut answer = hosts.answer(&app, &head).await;
    hosts.put(&mut answer, head.uri.path() == PROBE);
    answer
}

fn html(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// A file, or the part of it that is asked for, as players of sounds and films do.
fn file(headers: &HeaderMap, kind: &'static str, bytes: Vec<u8>) -> Response {
    let whole = bytes.len();
    let known = [(header::CONTENT_TYPE, kind), (header::ACCEPT_RANGES, "bytes")];
    match stretch(headers, whole as u64, "") {
        Wanted::All => (known, Body::from(bytes)).into_response(),
        Wanted::Stretch(from, until) => {
            let range = format!("bytes {from}-{}/{whole}", until - 1);
            let part = bytes[from as usize..until as usize].to_vec();
            (StatusCode::PARTIAL_CONTENT, known, [(header::CONTENT_RANGE, range)], Body::from(part)).into_response()
        }
        Wanted::Nothing => {
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, format!("bytes */{whole}"))]).into_response()
        }
    }
}

fn is_dest(headers: &HeaderMap, dests: &[&str]) -> bool {
    headers.get("sec-fetch-dest").and_then(|dest| dest.to_str().ok()).is_some_and(|dest| dests.contains(&dest))
}

/// A path with what is written as `%XX` in it; none where that is no text.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push((digit()? << 4 | digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// What a file is, by what its name ends in: a browser runs and shows nothing that is called something else.
fn kind(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match &*ending {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" | "md" | "toml" | "yaml" | "yml" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "ics" => "text/calendar; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "xhtml" => "application/xhtml+xml",
        "xml" => "text/xml; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "bmp" => "image/bmp",
        "apng" => "image/apng",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "mp4" | "m4v" => "video/mp4",
        "ogv" => "video/ogg",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "gltf" => "model/gltf+json",
        "glb" => "model/gltf-binary",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        assert_eq!(decoded("/a%20b/%C3%A4.js").as_deref(), Some("/a b/ä.js"));
        for wrong in ["/%", "/%4", "/%zz", "/%ff"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn files_are_what_their_names_end_in() {
        assert_eq!(kind("a/INDEX.HTML"), "text/html; charset=utf-8");
        assert_eq!(kind("lib.wasm"), "application/wasm");
        assert_eq!(kind("html"), "application/octet-stream");
        assert_eq!(kind("a.js/readme"), "application/octet-stream");
    }
}
