//! Homes: made on the first run, opened with a network by `up`, or without one for a single command.

use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::net::UnixListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::{Desk, descriptors};
use crate::agent::{self, ReceiptsFor, routing::Policy};
use crate::api::model::CheckRow;
use crate::api::socket::SocketFile;
use crate::api::{ApiError, Backend, Engine, NextStep, Ready, server, socket};
use crate::config::{self, Config, Flags, Origin};
use crate::home::Home;
use crate::keys::Identity;
use crate::net::{self, Limits, NetConfig};
use crate::node::{Node, Options};
use crate::safe_text::safe_block;
use crate::tokens::Tokens;

/// How often a node looks whether its socket is still there.
const SOCKET_LOOK: Duration = Duration::from_secs(5);
/// How long the last figures may take.
const LAST_SAMPLE: Duration = Duration::from_secs(1);
/// Bytes of bundles that one contact hands over before an answer: half of it is on its way while the other half is verified
/// and synced, where that takes as long.
const WINDOW_BYTES: u32 = 2 << 20;
/// That, and what is said beside it.
const BUDGET_BYTES: usize = 9 << 18;
/// Contacts that a node looks for by chance.
const CONTACTS_MAX: usize = 12;

/// Opens homes for the command line.
pub struct Homes;

impl Engine for Homes {
    fn up(
        &self,
        home: Home,
        flags: Flags,
        ready: Box<dyn FnOnce(Ready) + Send>,
        shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + '_>> {
        Box::pin(up(home, flags, ready, shutdown))
    }

    fn offline(&self, home: &Home) -> Result<Box<dyn Backend>, ApiError> {
        let lock = home.lock()?;
        let config = Config::load(&home.config_path(), variable, Flags::default())?;
        let identity = Identity::load(&home.identity_path())?;
        let config_of_agent = agent_config(&config);
        let (store, push_bytes) = (home.store_path(), config.push_limit_bytes.value);
        let options = Options { identity, store, config: config_of_agent, push_bytes, net: None, record: None };
        let node = if lock.is_read_only() { Node::open_to_read(options)? } else { Node::start(options)? };
        let name = name_of(&config);
        Ok(Box::new(Desk::new(node, home.clone(), config, name, lock)))
    }

    fn examine(&self, home: &Home) -> Result<Vec<CheckRow>, ApiError> {
        super::closed::examine(home)
    }

    fn mend(&self, home: &Home) -> Result<Vec<CheckRow>, ApiError> {
        super::closed::mend(home)
    }

    fn restore(&self, home: &Home, backup: &Path, passphrase: &str) -> Result<(), ApiError> {
        let lock = home.lock()?;
        super::refuse_to_write(&lock, home)?;
        super::vault::restore(home, backup, passphrase)
    }
}

async fn up(
    home: Home,
    flags: Flags,
    ready: Box<dyn FnOnce(Ready) + Send>,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<(), ApiError> {
    let lock = home.lock()?;
    super::refuse_to_write(&lock, &home)?;
    refuse_another_identity(&home)?;
    config::write_first(&home.config_path(), flags.name.as_deref())?;
    let record = flags.record.clone();
    let config = Config::load(&home.config_path(), variable, flags)?;
    start_log(&config);
    let (identity, created) = Identity::load_or_create(&home.identity_path())?;
    let files = descriptors::take();
    if let Some(tight) = descriptors::check(files) {
        tracing::warn!(files, "{}; {}", tight.message, tight.next_step.unwrap_or_default());
    }
    let net = NetConfig {
        limits: descriptors::fit(Limits { budget_bytes: BUDGET_BYTES, ..Limits::default() }, files),
        listen: listen_on(&config),
        peers: config.peers.value.clone(),
        mdns: config.mdns.value,
        // The host's name is nobody's business; a name that the owner gave is meant to be known.
        name: config.name.value.clone(),
        contacts_max: CONTACTS_MAX,
        ..NetConfig::default()
    };
    let (store, push_bytes) = (home.store_path(), config.push_limit_bytes.value);
    let options = Options { identity, store, config: agent_config(&config), push_bytes, net: Some(net), record };
    let node = Node::start(options)?;
    node.listening().await;
    let desk = Desk::new(node, home.clone(), config.clone(), name_of(&config), lock);
    serve(desk, &home, created, ready, shutdown).await
}

/// Serves the local API until somebody wants the node to stop.
async fn serve(
    desk: Desk,
    home: &Home,
    created: bool,
    ready: Box<dyn FnOnce(Ready) + Send>,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<(), ApiError> {
    let (stop, stopped) = watch::channel(false);
    let bound = listen(&desk, home).await?;
    let programs = serve_programs(&desk, home, stopped.clone()).await?;
    desk.open_web_again().await;
    let server = tokio::spawn(serve_wherever(desk.clone(), home.clone(), bound, stopped));
    tokio::spawn(super::search::forget_as_it_goes(desk.clone()));
    let outlook = desk.outlook().await.ok();
    let away = desk.away().await.ok();
    let api_listen = desk.inner.api_listen.get().copied();
    ready(Ready { me: desk.me(), api_listen, outlook, away, created, news: super::news::news(desk.clone()) });
    desk.tell_ready().await;
    let telling = tokio::spawn(desk.clone().keep_telling());
    let appointments = tokio::spawn(desk.clone().keep_appointments());
    let lists = tokio::spawn(desk.clone().keep_lists());
    let files = tokio::spawn(desk.clone().send_files());
    let groups = tokio::spawn(desk.clone().keep_groups());
    let holes = tokio::spawn(desk.clone().fill_holes());
    let hooks = tokio::spawn(desk.clone().run_hooks());
    let stats = tokio::spawn(desk.clone().keep_stats());
    let broke = tokio::select! {
        () = shutdown => false,
        () = desk.inner.stop.notified() => false,
        () = desk.node().ended() => true,
    };
    super::supervisor::tell_stopping();
    telling.abort();
    appointments.abort();
    lists.abort();
    files.abort();
    groups.abort();
    holes.abort();
    hooks.abort();
    // What hooks run ends before the home is another's.
    let _ = hooks.await;
    stats.abort();
    // The figures of a node that hangs are no reason to stay.
    let _ = tokio::time::timeout(LAST_SAMPLE, desk.keep_sample()).await;
    let _ = stop.send(true);
    let _ = server.await;
    desk.close_web().await;
    if let Some(programs) = programs {
        let _ = programs.await;
    }
    desk.node().stop().await;
    if broke {
        let error = ApiError::failure("a part of the node broke, and the rest stopped; what it accepted is safe");
        return Err(error.advise("start it again, and report what it wrote to its log"));
    }
    Ok(())
}

/// Opens the port for programs, where the configuration names one, and serves there until `stopped` says so.
async fn serve_programs(
    desk: &Desk,
    home: &Home,
    mut stopped: watch::Receiver<bool>,
) -> Result<Option<JoinHandle<()>>, ApiError> {
    let Some(at) = desk.inner.config.api_listen.value else { return Ok(None) };
    let listener = server::listen_for_programs(at).await?;
    let at =
        listener.local_addr().map_err(|error| ApiError::failure(format!("the port at {at} is of no use: {error}")))?;
    let _ = desk.inner.api_listen.set(at);
    let tokens = Arc::new(Tokens::of(home.tokens_path()));
    let backend: Arc<dyn Backend> = Arc::new(desk.clone());
    let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
    Ok(Some(tokio::spawn(server::serve_programs(listener, tokens, backend, shutdown))))
}

type Bound = (UnixListener, SocketFile);

/// Makes the socket, and tells every session of this user where it is.
async fn listen(desk: &Desk, home: &Home) -> Result<Bound, ApiError> {
    let bound = socket::bind_first(&home.socket_places()).await?;
    desk.inner.lock.tell_socket(bound.1.path());
    Ok(bound)
}

/// Serves until `stopped` says so; where the socket is swept away, at a new one. Clients of the old one are served on, but
/// not those of the one before.
async fn serve_wherever(desk: Desk, home: Home, bound: Bound, mut stopped: watch::Receiver<bool>) {
    let backend: Arc<dyn Backend> = Arc::new(desk.clone());
    let (mut listener, mut file) = bound;
    let mut before: Option<(oneshot::Sender<()>, JoinHandle<()>)> = None;
    loop {
        let (end, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&backend), async { drop(ended.await) }));
        let is_over = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = swept(&file) => false,
        };
        if is_over {
            drop(end);
            if let Some((end, server)) = before.take() {
                drop(end);
                let _ = server.await;
            }
            let _ = server.await;
            return;
        }
        before = Some((end, server));
        tracing::warn!(socket = %file.path().display(), "the node's socket was removed; making it again");
        (listener, file) = loop {
            match listen(&desk, &home).await {
                Ok(bound) => break bound,
                Err(error) => tracing::error!(%error, "commands cannot reach this node; trying again"),
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(SOCKET_LOOK) => {}
            }
        };
    }
}

/// Returns once the socket is gone from its place. A look every few seconds costs nothing that could be measured, and
/// sees what no notice of a directory does: that the directory itself, or the whole file system, went.
async fn swept(file: &SocketFile) {
    while file.is_there() {
        tokio::time::sleep(SOCKET_LOOK).await;
    }
}

/// The identity is made before the store; a store without one has lost it, and a new identity could open none of its mail.
fn refuse_another_identity(home: &Home) -> Result<(), ApiError> {
    let store = home.store_path();
    if home.is_set_up() || std::fs::metadata(&store).map_or(0, |store| store.len()) == 0 {
        return Ok(());
    }
    let message = format!("{} belongs to an identity that is not here", store.display());
    Err(ApiError::refused(message).next(NextStep::RestoreOrMoveAway { path: store.display().to_string() }))
}

/// Where to listen. Of what nobody asked for, a machine without IPv6 has no use for the half.
fn listen_on(config: &Config) -> Vec<Multiaddr> {
    let mut addresses = once_each(&config.listen.value);
    if config.listen.origin == Origin::Default {
        addresses.retain(net::can_listen);
    }
    addresses
}

/// Two listeners on one port would wait for each other.
fn once_each(addresses: &[Multiaddr]) -> Vec<Multiaddr> {
    let mut unique: Vec<Multiaddr> = Vec::new();
    for address in addresses {
        if !unique.contains(address) {
            unique.push(address.clone());
        }
    }
    unique
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn agent_config(config: &Config) -> agent::Config {
    let policy = match config.strategy.value.as_str() {
        "direct" => Policy::Direct,
        "epidemic" => Policy::Epidemic,
        "spray-and-wait" => Policy::SprayAndWait,
        "prophet" => Policy::Prophet(Default::default()),
        _ => agent::Config::default().policy,
    };
    agent::Config {
        copies: policy.copies(),
        policy,
        window_bytes: WINDOW_BYTES,
        carry_bytes_max: config.carry_limit_bytes.value,
        contact_mail_bytes_max: config.mail_limit_bytes.value,
        stranger_mail_bytes_max: config.strangers_mail_limit_bytes.value,
        receipts: match config.receipts.value.as_str() {
            "contacts" => ReceiptsFor::Contacts,
            _ => ReceiptsFor::Everyone,
        },
        ..agent::Config::default()
    }
}

/// The name in the configuration, or the host's.
fn name_of(config: &Config) -> String {
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.name.value.clone().unwrap_or_else(host)
}

/// A bare level is about dak itself; of the libraries below it only warnings are worth reading. Directives are taken as
/// they are.
fn log_filter(text: &str) -> Targets {
    let of = |level: LevelFilter| Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("dak", level);
    match text.parse::<LevelFilter>() {
        Ok(level) => of(level),
        Err(_) => text.parse().unwrap_or_else(|_| of(LevelFilter::INFO)),
    }
}

/// The log goes to stderr: stdout is for data.
fn start_log(config: &Config) {
    // Whoever looks at a terminal is told what is new in plain words, and of the rest only what is wrong.
    let is_person = io::stderr().is_terminal() && config.log.origin == config::Origin::Default;
    let level = if is_person { "warn" } else { config.log.value.as_str() };
    let log = tracing_subscriber::fmt::layer().with_writer(|| SafeLog).with_ansi(false).with_filter(log_filter(level));
    // A second node in one process keeps the first one's log.
    let _ = tracing_subscriber::registry().with(log).try_init();
}

/// What libraries log of what peers said is escaped as everything else is. A log that cannot be written, for its disk is
/// full or its reader gone, is no reason to stop.
struct SafeLog;

impl Write for SafeLog {
    /// Takes a whole event, which is how they come.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // A failure that is passed on would be reported on stderr, and a report that fails there ends the thread.
        let _ = io::stderr().write_all(safe_block(&String::from_utf8_lossy(event)).as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
