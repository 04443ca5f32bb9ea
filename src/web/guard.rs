//! Who comes in, and from where: the page's own requests of a browser that was let in, and nobody else's.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::headers::Headers;
use super::lan::secured::Secured;
use super::links::Links;
use super::sessions::{SEEN_EVERY_MS, Session, Sessions};
use super::{Place, built, lan, now_ms};
use crate::api::ApiError;
use crate::api::server::guard::{Refusal, comes_from, for_another_host, from_elsewhere, host_named, misdirected};
use crate::api::server::{Permit, answer};
use crate::tokens::May;

/// The cookie with the one half of a session.
pub const COOKIE: &str = "dak";
/// The cookie that opens the hosts of apps in the local network.
pub const APPS_COOKIE: &str = "dak-apps";
/// The header with the other.
const PAGE: &str = "dak-page";
/// The header of an answer that says that a session is over, so that nothing of it need be kept.
const OVER: HeaderName = HeaderName::from_static("dak-session-over");

/// Where a phone becomes the owner's.
const PAIR: &str = "/pair";
/// Where browsers that are not let in yet ask to be.
const OPENING: [&str; 2] = [SESSION, "/web/pair"];
const SESSION: &str = "/web/session";

/// What the guard knows.
pub struct Doorway {
    pub place: Place,
    pub sessions: Arc<Sessions>,
    pub links: Arc<Links>,
    headers: Headers,
}

/// Where a browser says that a request was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// It says nothing: an old one, or none at all.
    Unsaid,
    /// By a page of ours.
    Own,
    /// By the person: an address that was typed, a bookmark, another program.
    Person,
    Other,
}

impl Doorway {
    pub fn new(place: Place, sessions: Arc<Sessions>, links: Arc<Links>) -> Doorway {
        Doorway { headers: Headers::of(&place), place, sessions, links }
    }

    /// Why a request goes no further; else it has with it what it may do.
    fn admit(&self, request: &mut Request) -> Result<(), Refusal> {
        let origin = self.place.origin();
        // Who does not know this node yet is told how to, under whatever name it came, and nothing else.
        if self.place.lan && !request.extensions().get::<Secured>().is_some_and(Secured::is) {
            return match request.method() == Method::GET && lan::is_public(request.uri().path()) {
                true => Ok(()),
                false => Err(misdirected(&origin)),
            };
        }
        if host_named(request).is_none_or(|host| host != self.place.host) {
            return Err(for_another_host(&origin));
        }
        if !comes_from(request.headers(), |from| from == origin) {
            return Err(from_elsewhere("a page from elsewhere asks, and only the node's own may"));
        }
        let (path, site) = (request.uri().path(), Site::of(request.headers()));
        if built::is_one(path) || self.place.lan && (lan::is_public(path) || path == PAIR) {
            // A link to the page may stand anywhere; parts of it belong into no other page.
            let is_visit =
                (path == "/" || path == PAIR) && said(request.headers(), "sec-fetch-mode") == Some("navigate");
            return match site {
                Site::Other if !is_visit => Err(from_elsewhere("the page is no part of another")),
                _ => Ok(()),
            };
        }
        if !matches!(site, Site::Own | Site::Unsaid) {
            return Err(from_elsewhere("only the node's own page may ask"));
        }
        if OPENING.contains(&path) && request.method() == Method::POST {
            // Every browser says where a post comes from.
            return match request.headers().contains_key(header::ORIGIN) {
                true => Ok(()),
                false => Err(from_elsewhere("only the node's own page may ask")),
            };
        }
        let session = self.session(request, site)?;
        let (known, sessions) = (session.clone(), Arc::clone(&self.sessions));
        let whose = format!("the session of {}", session.name);
        request.extensions_mut().insert(Permit::new(whose, May::default(), move || sessions.holds(&known)));
        request.extensions_mut().insert(session);
        Ok(())
    }

    /// The session of a request that shows both halves, or the one where only the one can be shown, and the browser has to
    /// say that it is part of our page: what shows pictures and plays sounds sends cookies alone, and who forgot the
    /// passphrase that the other half is sealed with may still end the session.
    fn session(&self, request: &Request, site: Site) -> Result<Session, Refusal> {
        let page = said(request.headers(), PAGE);
        let path = request.uri().path();
        let is_media = request.method() == Method::GET && is_content(path);
        let ends = request.method() == Method::DELETE && path == SESSION;
        let half_does = site == Site::Own && page.is_none() && (is_media || ends);
        for cookie in cookies(request.headers(), COOKIE) {
            match self.sessions.shown(cookie, page) {
                Ok(Some((session, is_whole))) if session.lan == self.place.lan && (is_whole || half_does) => {
                    self.note(&session);
                    return Ok(session);
                }
                Ok(_) => {}
                Err(error) => return Err(Box::new(ApiError::from(error).into_response())),
            }
        }
        let error = ApiError::refused("this browser is not let in, or no longer").advise("open a new link of the node");
        let mut answer = answer::with_status(StatusCode::UNAUTHORIZED, error);
        // A cookie may be lost, or put out by others of the same site; what belongs to no session any more was revoked.
        if page.is_some_and(|page| !self.sessions.knows_half(page)) {
            answer.headers_mut().insert(OVER, HeaderValue::from_static("1"));
        }
        Err(Box::new(answer))
    }

    /// Writes down that it was seen, away from those who wait.
    fn note(&self, session: &Session) {
        let now = now_ms();
        // A clock that was set back is as good a reason as time that went by.
        if now.saturating_sub(session.seen_ms).unsigned_abs() < SEEN_EVERY_MS {
            return;
        }
        let (session, sessions) = (session.clone(), Arc::clone(&self.sessions));
        tokio::task::spawn_blocking(move || {
            if let Err(error) = sessions.seen(&session, now) {
                tracing::warn!(%error, "when a browser was seen is not written down");
            }
        });
    }
}

/// Lets a request through with what it may do, or turns it away; whatever comes of it, browsers are told how to take it.
pub async fn stand(State(doorway): State<Arc<Doorway>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_data = !built::is_one(path) && !lan::is_public(path);
    let mut answer = match doorway.admit(&mut request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    };
    doorway.headers.put(&mut answer, is_data);
    answer
}

impl Site {
    fn of(headers: &HeaderMap) -> Site {
        match said(headers, "sec-fetch-site") {
            None if !headers.contains_key("sec-fetch-site") => Site::Unsaid,
            Some("same-origin") => Site::Own,
            Some("none") => Site::Person,
            _ => Site::Other,
        }
    }
}

fn said<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a path is that of a file's bytes.
fn is_content(path: &str) -> bool {
    path.strip_prefix("/v1/files/").and_then(|rest| rest.strip_suffix("/content")).is_some_and(|id| !id.contains('/'))
}

/// All cookies of ours that a request has: those of others who share our host's name are not ours to believe.
pub fn cookies<'h>(headers: &'h HeaderMap, called: &'static str) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| *name == called).map(|(_, value)| value).take(COOKIES_TRIED)
}

/// So many cookies of one request are looked at.
const COOKIES_TRIED: usize = 64;
