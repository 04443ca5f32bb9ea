//! The door for phones: the same page over TLS in the local network, for devices that the owner paired.
//!
//! A phone first comes without knowing the node, over a plain connection at the same port, and gets nothing there but the
//! certificate and how to install it; the pairing itself, and everything after it, is TLS. A link shows as a picture on the
//! node's terminal and is good for one device that also says the code below it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::authority::{AHEAD_DAYS, Authority, BEHIND_DAYS};
use self::secured::LanDoor;
use self::words::{Words, escaped};
use super::guard::Doorway;
use super::links::NotMet;
use super::session::{OPENING_BYTES_MAX, OPENING_TIME_MAX};
use crate::api::ApiError;
use crate::api::model::{Schema, json_line};
use crate::api::server::answer;

pub mod authority;
pub mod secured;
mod words;

const START: &str = include_str!("lan/start.html");
const PAIR: &str = include_str!("lan/pair.html");
const SCRIPT: &str = include_str!("lan/device.js");
const STYLE: &str = include_str!("lan/device.css");

/// What a device that is not let in gets, and over a plain connection nothing else.
const PUBLIC: [&str; 5] = ["/start", "/ca.crt", "/dak.mobileconfig", "/device.js", "/device.css"];

pub fn is_public(path: &str) -> bool {
    PUBLIC.contains(&path)
}

/// Listens for phones on every interface; who is none of their networks is turned away.
pub async fn listen(port: u16, authority: Arc<Authority>) -> Result<LanDoor, ApiError> {
    let everywhere = [IpAddr::from(Ipv6Addr::UNSPECIFIED), IpAddr::from(Ipv4Addr::UNSPECIFIED)];
    // A machine without IPv6 has the other.
    let listener = match TcpListener::bind(SocketAddr::from((everywhere[0], port))).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(SocketAddr::from((everywhere[1], port))).await,
    };
    let listener =
        listener.map_err(|error| ApiError::failure(format!("cannot listen for phones at port {port}: {error}")))?;
    let broken = |error: rustls::Error| ApiError::failure(format!("TLS cannot be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let mut config = config.map_err(broken)?.with_no_client_auth().with_cert_resolver(authority);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(LanDoor::new(listener, TlsAcceptor::from(Arc::new(config))))
}

/// What phones get beside the page.
pub fn routes(doorway: Arc<Doorway>, authority: &Authority) -> Router {
    let (origin, fingerprint) = (doorway.place.origin(), authority.fingerprint());
    let [behind, ahead] = [BEHIND_DAYS, AHEAD_DAYS].map(|days| days.to_string());
    let called = authority.called();
    let places =
        [("origin", &origin), ("name", &called), ("behind", &behind), ("ahead", &ahead), ("fingerprint", &fingerprint)];
    let start = |words: &Words| {
        let page = words.put_in(START);
        places.iter().fold(page, |page, (name, what)| page.replace(&format!("{{{name}}}"), &escaped(what)))
    };
    let certificate = authority.der().to_vec();
    let certificate_headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-x509-ca-cert")),
        (header::CONTENT_DISPOSITION, attachment("dak-ca.crt")),
    ];
    let file = |kind: &'static str, bytes: Vec<u8>| get(async move || ([(header::CONTENT_TYPE, kind)], bytes));
    let page = |made: &dyn Fn(&Words) -> String| in_languages("text/html; charset=utf-8", None, made);
    Router::new()
        .route("/web/pair", post(pair))
        .with_state(doorway)
        .route("/start", page(&start))
        .route("/pair", page(&|words| words.put_in(PAIR)))
        .route("/device.js", file("text/javascript; charset=utf-8", SCRIPT.into()))
        .route("/device.css", file("text/css; charset=utf-8", STYLE.into()))
        .route("/ca.crt", get(async move || (certificate_headers, certificate)))
        .route(
            "/dak.mobileconfig",
            in_languages("application/x-apple-aspen-config", Some("dak.mobileconfig"), &|words| {
                profile(authority, words)
            }),
        )
}

/// Something that is made once in each language; each device gets the one that it likes best.
fn in_languages(kind: &'static str, file: Option<&str>, made: &dyn Fn(&Words) -> String) -> MethodRouter {
    let all: Arc<[String]> = words::all().iter().map(made).collect();
    let saved = file.map(attachment);
    get(move |headers: HeaderMap| {
        let at = words::liked(&headers);
        let mut answer = all[at].clone().into_response();
        let fixed = HeaderValue::from_static;
        answer.headers_mut().insert(header::CONTENT_TYPE, fixed(kind));
        answer.headers_mut().insert(header::CONTENT_LANGUAGE, fixed(words::all()[at].language));
        answer.headers_mut().insert(header::VARY, fixed("accept-language"));
        saved.clone().and_then(|saved| answer.headers_mut().insert(header::CONTENT_DISPOSITION, saved));
        std::future::ready(answer)
    })
}

/// How a browser is told to save an answer under a name.
fn attachment(name: &str) -> HeaderValue {
    HeaderValue::try_from(format!("attachment; filename={name}")).expect("it is plain ASCII")
}

#[derive(Deserialize)]
struct Pairing {
    /// What the link has behind `#`.
    pair: String,
    /// What the node shows below it.
    code: String,
}

/// What the page opens with.
#[derive(Serialize)]
struct Paired {
    schema: Schema,
    open: String,
}

/// `POST /web/pair`
async fn pair(State(doorway): State<Arc<Doorway>>, request: Request) -> Response {
    let words = &words::all()[words::liked(request.headers())];
    let paired = async {
        let body = tokio::time::timeout(OPENING_TIME_MAX, to_bytes(request.into_body(), OPENING_BYTES_MAX)).await;
        let body =
            body.ok().and_then(Result::ok).ok_or_else(|| ApiError::usage("the body is too long, or broke off"))?;
        let Pairing { pair, code } = serde_json::from_slice(&body)
            .map_err(|error| ApiError::usage(format!("the body is not {{\"pair\": …, \"code\": …}}: {error}")))?;
        doorway.links.meet(&pair, &code, Instant::now()).map_err(|why| not_met(why, words))
    };
    match paired.await {
        Ok(open) => {
            let kind = HeaderValue::from_static(answer::JSON);
            ([(header::CONTENT_TYPE, kind)], json_line(&Paired { schema: Schema, open })).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// Says to a person at a device, in the language of the device, why it is not let in.
fn not_met(why: NotMet, words: &Words) -> ApiError {
    let (what, next) = match why {
        NotMet::Unknown => ("phone.used", "phone.another_link"),
        NotMet::TooOften => ("phone.too_often", "phone.another_link"),
        NotMet::WrongCode => ("phone.wrong_code", "phone.right_code"),
        NotMet::Entropy(error) => return ApiError::failure(format!("the system has no entropy: {error}")),
    };
    ApiError::refused(words.text(what)).advise(words.text(next))
}

/// The certificate as iOS takes it.
fn profile(authority: &Authority, words: &Words) -> String {
    let hash = blake3::hash(authority.der());
    let uuid = |part: usize| {
        let hex = hash.to_hex();
        let digits = &hex[part * 32..part * 32 + 32];
        format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>dak.page</string>
<key>PayloadUUID</key><string>{}</string>
<key>PayloadDisplayName</key><string>dak</string>
<key>PayloadDescription</key><string>{}</string>
<key>PayloadContent</key>
<array>
<dict>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>dak.page.authority</string>
<key>PayloadUUID</key><string>{}</string>
<key>PayloadDisplayName</key><string>dak</string>
<key>PayloadCertificateFileName</key><string>dak-ca.crt</string>
<key>PayloadContent</key><data>{}</data>
</dict>
</array>
</dict>
</plist>
"#,
        uuid(0),
        escaped(words.text("phone.profile")),
        uuid(1),
        STANDARD.encode(authority.der())
    )
}
