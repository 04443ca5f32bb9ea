//! The door for browsers: a page of the node's own, and the API behind it.
//!
//! ```text
//! owner ── POST /v1/web at the socket ──▶ one-time link ──▶ browser ── POST /web/session ──▶ session
//!                                                           page ──── /v1/... with both halves ──▶ the API's routes
//! ```
//! A browser lends its user's way to loopback to every page, and its cookies know neither ports nor whom they were meant
//! for. So the page has a host of its own, `dak-xxxxxxxx.localhost`, which other servers of this machine do not share; every
//! request says that host, and no other origin; and a session has two halves, a cookie that no script reads and a secret that
//! no other page can send. Nothing of a peer's is ever HTML here: files come as attachments, but for pictures and sounds.
//!
//! - [`sessions`]: who was let in, durable and revocable; [`links`]: the way in, once.
//! - [`guard`]: who comes, and from where; [`whose`]: which user of this machine it is.
//! - [`apps`]: the hosts of shared apps, which have nothing of all this.
//! - [`built`]: the page as it was built; [`headers`]: what browsers are told with every answer.
//!
//! - [`lan`]: the same page for phones in the local network, over TLS.
//!
//! The door opens when a link is asked for, and again at every start for as long as a browser is let in.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::extract::Request;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::guard::Doorway;
use self::lan::authority::Authority;
use self::links::Links;
use self::sessions::{Sessions, WebError};
use crate::api::model::{Schema, WebDeviceRow, WebLanRow, WebRow, When};
use crate::api::server::{self, Door};
use crate::api::{ApiError, Backend, NextStep};
use crate::net::hostname;

mod apps;
mod built;
mod guard;
mod headers;
mod lan;
mod links;
mod session;
mod sessions;
mod whose;

/// Ports that no system gives to connections it makes, so that one that was free once mostly stays free.
const PORTS: std::ops::Range<u16> = 20_000..32_768;
/// How many of them are tried.
const PORT_TRIES: usize = 32;

/// The page of one home.
pub struct Web {
    sessions: Arc<Sessions>,
    links: Arc<Links>,
    open: tokio::sync::Mutex<Option<Open>>,
    for_phones: tokio::sync::Mutex<Option<Open>>,
    /// Where the authority is kept.
    authority: PathBuf,
}

/// The door while it is open.
struct Open {
    place: Place,
    closing: CancellationToken,
    server: JoinHandle<()>,
}

/// Where a page is: its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// With its port, in small letters.
    pub host: String,
    pub port: u16,
    /// For phones in the local network, over TLS; else for browsers of this machine.
    pub lan: bool,
}

impl Web {
    pub fn of(path: PathBuf) -> Web {
        Web {
            authority: path.with_file_name("web-ca.toml"),
            sessions: Arc::new(Sessions::of(path)),
            links: Arc::default(),
            open: tokio::sync::Mutex::default(),
            for_phones: tokio::sync::Mutex::default(),
        }
    }

    /// Opens the door where browsers were let in before. A port that somebody else has is no reason for a node not to start.
    pub async fn open_again(&self, backend: Arc<dyn Backend>, port: Option<u16>) {
        if self.sessions.is_for_phones().unwrap_or(false)
            && let Err(error) = self.opened_for_phones(Arc::clone(&backend)).await
        {
            tracing::warn!(%error, "the page for phones is not open");
        }
        match self.sessions.list() {
            Ok(sessions) if sessions.iter().all(|session| session.lan) => return,
            Ok(_) => {}
            Err(error) => return tracing::warn!(%error, "no browser is let in"),
        }
        if let Err(error) = self.opened(backend, port, Moves::Never).await {
            tracing::warn!(%error, "the page for browsers is not open");
        }
    }

    /// A link that lets one browser of this machine in, once. `port` is where the owner wants the page.
    pub async fn link(&self, backend: Arc<dyn Backend>, port: Option<u16>) -> Result<WebRow, ApiError> {
        let place = self.opened(backend, port, Moves::WhereTaken).await?;
        let secret = self.links.make(Instant::now()).map_err(WebError::Entropy)?;
        Ok(WebRow { schema: Schema, url: format!("{}/#open={secret}", place.origin()) })
    }

    /// A link that makes one phone in the local network the owner's, and opens the page there from now on.
    pub async fn link_for_phone(&self, backend: Arc<dyn Backend>) -> Result<WebLanRow, ApiError> {
        let (place, fingerprint) = self.opened_for_phones(backend).await?;
        let (secret, code) = self.links.make_for_phone(Instant::now()).map_err(WebError::Entropy)?;
        // Over a plain connection, for the phone does not know this node yet.
        let url = format!("http://{}/start#{secret}", place.host);
        Ok(WebLanRow { schema: Schema, url, code, page: place.origin(), fingerprint })
    }

    /// Closes the page to phones; those that are let in stay so for when it is open again.
    pub async fn close_to_phones(&self) -> Result<(), ApiError> {
        self.sessions.keep_lan(None)?;
        if let Some(open) = self.for_phones.lock().await.take() {
            open.end().await;
        }
        Ok(())
    }

    /// Browsers that are let in, in the order in which they were.
    pub fn devices(&self) -> Result<Vec<WebDeviceRow>, ApiError> {
        let row = |session: sessions::Session| WebDeviceRow {
            schema: Schema,
            since: When(session.made_ms),
            last_seen: When(session.seen_ms),
            lan: session.lan,
            name: session.name,
        };
        Ok(self.sessions.list()?.into_iter().map(row).collect())
    }

    pub fn revoke(&self, name: &str) -> Result<(), ApiError> {
        Ok(self.sessions.revoke(name)?)
    }

    /// Lets requests under way finish for a moment.
    pub async fn close(&self) {
        for open in [&self.open, &self.for_phones] {
            if let Some(open) = open.lock().await.take() {
                open.end().await;
            }
        }
    }

    async fn opened(&self, backend: Arc<dyn Backend>, port: Option<u16>, moves: Moves) -> Result<Place, ApiError> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| !open.server.is_finished()) {
            return Ok(open.place.clone());
        }
        let (door, place) = self.listen(port, moves).await?;
        let doorway = Arc::new(Doorway::new(place.clone(), Arc::clone(&self.sessions), Arc::clone(&self.links)));
        let closing = CancellationToken::new();
        let shutdown = closing.clone().cancelled_owned();
        let hosts = Arc::new(apps::Hosts::new(place.clone(), Arc::clone(&self.sessions), Arc::clone(&backend)));
        let server = tokio::spawn(server::serve_at(
            door,
            backend,
            move |routes| apps::beside(dressed(routes, doorway), hosts),
            shutdown,
        ));
        *open = Some(Open { place: place.clone(), closing, server });
        Ok(place)
    }

    /// The page for phones, at the port where it was before if that can be, and the fingerprint of its certificate.
    async fn opened_for_phones(&self, backend: Arc<dyn Backend>) -> Result<(Place, String), ApiError> {
        let mut open = self.for_phones.lock().await;
        let name = format!("{}.local", self.sessions.name()?);
        let authority = Arc::new(Authority::of(self.authority.clone(), &name)?);
        let fingerprint = authority.fingerprint();
        if let Some(open) = open.as_ref().filter(|open| !open.server.is_finished()) {
            return Ok((open.place.clone(), fingerprint));
        }
        let before = self.sessions.lan_port()?;
        let (mut door, mut last) = (None, None);
        for at in 0..PORT_TRIES {
            let port = before.filter(|_| at == 0).map_or_else(any_port, Ok)?;
            match lan::listen(port, Arc::clone(&authority)).await {
                Ok(found) => {
                    door = Some((found, port));
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        let none = || last.unwrap_or_else(|| ApiError::failure("no port of this machine is free for phones"));
        let (door, port) = door.ok_or_else(none)?;
        self.sessions.keep_lan(Some(port))?;
        let place = Place { host: format!("{name}:{port}"), port, lan: true };
        let doorway = Arc::new(Doorway::new(place.clone(), Arc::clone(&self.sessions), Arc::clone(&self.links)));
        let closing = CancellationToken::new();
        let shutdown = closing.clone().cancelled_owned();
        let more = lan::routes(Arc::clone(&doorway), &authority);
        let hosts = Arc::new(apps::Hosts::new(place.clone(), Arc::clone(&self.sessions), Arc::clone(&backend)));
        let server = server::serve_at(
            door,
            backend,
            move |routes| apps::beside(dressed(routes.merge(more), doorway), hosts),
            shutdown,
        );
        let server = tokio::spawn(async move {
            // The name ends with the page, and not the other way round.
            let named = tokio::spawn(async move { hostname::answer_for(&name).await });
            server.await;
            named.abort();
        });
        *open = Some(Open { place: place.clone(), closing, server });
        Ok((place, fingerprint))
    }

    /// Listens where the owner wants it, else where it was before, else where it can and will again.
    async fn listen(&self, wanted: Option<u16>, moves: Moves) -> Result<(Loopback, Place), ApiError> {
        let name = self.sessions.name()?;
        let place = |port| Place { host: format!("{name}.localhost:{port}"), port, lan: false };
        if let Some(port) = wanted.or(self.sessions.port()?) {
            match Loopback::bind(port).await {
                Ok(door) => return Ok((door, place(port))),
                Err(error) if wanted.is_some() || moves == Moves::Never => {
                    let error = ApiError::failure(format!("cannot listen for browsers at 127.0.0.1:{port}: {error}"));
                    return Err(error.next(NextStep::CheckSetting { key: "web.port".into() }));
                }
                Err(error) => tracing::warn!(%error, port, "the page moves to another port"),
            }
        }
        let mut last = None;
        for _ in 0..PORT_TRIES {
            let port = any_port()?;
            match Loopback::bind(port).await {
                Ok(door) => {
                    self.sessions.keep_port(port)?;
                    return Ok((door, place(port)));
                }
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(String::new, |error| format!(": {error}"));
        Err(ApiError::failure(format!("no port of this machine is free for browsers{why}")))
    }
}

impl Open {
    /// Lets requests under way finish for a moment.
    async fn end(self) {
        self.closing.cancel();
        let _ = self.server.await;
    }
}

fn any_port() -> Result<u16, WebError> {
    let mut chosen = [0; 2];
    getrandom::fill(&mut chosen).map_err(WebError::Entropy)?;
    Ok(PORTS.start + u16::from_le_bytes(chosen) % (PORTS.end - PORTS.start))
}

/// Whether a page whose port somebody else has goes elsewhere: its origin changes, and with it what browsers keep for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moves {
    Never,
    WhereTaken,
}

impl Place {
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.host)
    }

    pub fn scheme(&self) -> &'static str {
        if self.lan { "https" } else { "http" }
    }
}

/// The routes of the API with those of the page, and the guard before all of them.
fn dressed(routes: Router, doorway: Arc<Doorway>) -> Router {
    let sessions = Router::new()
        .route("/web/session", post(session::begin).delete(session::end))
        .route("/web/session/renew", post(session::renew));
    let mut own = sessions.with_state(Arc::clone(&doorway));
    for file in built::files() {
        let served = get(move |request: Request| async move { built::answer(file, &request) });
        if file.path == built::INDEX {
            own = own.route("/", served.clone());
        }
        own = own.route(&file.path, served);
    }
    routes.merge(own).layer(middleware::from_fn_with_state(doorway, guard::stand))
}

/// Loopback of both families: a browser tries either, and who listens at the other would be taken for this.
struct Loopback {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Loopback {
    async fn bind(port: u16) -> io::Result<Loopback> {
        let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let v6 = match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(v6) => Some(v6),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // This machine has no such address, and nobody listens there.
            Err(_) => None,
        };
        Ok(Loopback { v4, v6 })
    }
}

impl Door for Loopback {
    type Client = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let accepted = match &self.v6 {
            None => self.v4.accept().await,
            Some(v6) => tokio::select! {
                accepted = self.v4.accept() => accepted,
                accepted = v6.accept() => accepted,
            },
        };
        accepted.map(|(client, _)| client)
    }
}

/// Milliseconds since the Unix epoch, by this machine's clock.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
