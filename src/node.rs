//! The driver of a real node: one agent, one store, one network, and the threads that keep them apart.
//!
//! ```text
//! net ──frames──▶ inlet ──▶ core (owns the agent) ──▶ store thread ──▶ courier ──▶ net
//!                   └─▶ pool: signatures, seals ─▶┘
//! ```
//! [`core`] is the only one that calls the agent. Nothing waits in it but for the store, and nothing leaves it but
//! through the commit. A home can also be opened without a network, for one command while no node runs.

mod clock;
mod core;
mod courier;
mod drafts;
mod inlet;
mod line;
pub mod named;
mod names;
mod nearby;
mod pool;
mod queue;
mod stick;
mod stirs;
mod tally;
mod tape;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use self::drafts::InCommit;
pub use self::names::{look, look_of_group};
pub use self::nearby::Sighting;
pub use self::stick::{Came, Entered, Taken};
pub use self::stirs::{Stir, Stirred};

use self::clock::Clock;
use self::core::{Core, LastFailure, Parts};
use self::courier::{Courier, EVENTS_MAX, Tools};
use self::drafts::Drafts;
use self::names::GroupNames;
use self::nearby::Nearby;
use self::pool::{Pool, PoolParts};
use self::queue::Queue;
use self::stirs::Stirs;
use self::tally::Tally;
use self::tape::Tape;
use self::work::{Wishes, Work};
use crate::agent::change::{Adopted, Change, Person, Row, Standing};
use crate::agent::io::NotSent;
use crate::agent::{Agent, Config, Durable, Event, Input};
use crate::blobs::Blobs;
use crate::bundle::{Bundle, Priority};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::keyring::Keyring;
use crate::keys::Identity;
use crate::mail::groups::Groups;
use crate::mail::topics::{NotWritten, Topics};
use crate::mail::{self, Earlier};
use crate::net::interfaces::Interfaces;
use crate::net::{Net, NetConfig, NetError, NetHandle, Saved};
use crate::seal::SealError;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::redb::{Address, Body, RedbReader, RedbStore, Side, StoreOptions};
use crate::store::writer::StoreThread;
use crate::time::{DtnTime, Millis};

/// How long a starting node waits for its addresses.
const LISTEN: Duration = Duration::from_secs(1);
/// Messages of the inbox that are opened together at the start: of a million bytes each, as many as a commit should have.
const UNSEALED_AT_ONCE: usize = 8;
/// The directory of files, beside the store.
pub const FILES: &str = "files";
/// How long a stopping node waits for its threads.
const STOP: Duration = Duration::from_secs(5);

/// What a node needs to start.
#[derive(Clone)]
pub struct Options {
    pub identity: Identity,
    pub store: PathBuf,
    pub config: Config,
    /// The largest file in bytes that comes in parts without being asked for.
    pub push_bytes: u64,
    /// None opens the home without a network.
    pub net: Option<NetConfig>,
    /// Where the agent's inputs are recorded, if they are; see [`crate::recording`].
    pub record: Option<PathBuf>,
}

/// Why a node cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("{0}")]
    NotSent(NotSent),
    #[error("the message cannot be sealed: {0}")]
    Seal(SealError),
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    #[error("the message was given up before it was sealed")]
    GivenUp,
    #[error("the node stopped before this was done")]
    Lost,
    #[error("the operating system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
    #[error("the recording {path:?} cannot be made: {why}")]
    Recording { path: PathBuf, why: std::io::Error },
}

/// A running node, or an open home.
pub struct Node {
    work: Arc<Queue<Work>>,
    reader: RedbReader,
    drafts: Arc<Drafts>,
    pool: Pool,
    keyring: Keyring,
    tally: Arc<Tally>,
    nearby: Arc<Nearby>,
    stirs: Arc<Stirs>,
    events: broadcast::Sender<Event>,
    committed: watch::Sender<()>,
    net: Option<NetHandle>,
    store: Arc<StoreThread>,
    blobs: Arc<Blobs>,
    group_names: Arc<GroupNames>,
    failure: Arc<LastFailure>,
    /// Addresses it was asked to listen on.
    listen: Vec<Multiaddr>,
    thread: std::sync::Mutex<Option<std::thread::JoinHandle<()>>>,
    /// Cancelled once any part of it has ended.
    ended: CancellationToken,
}

impl Node {
    /// Opens the store and starts everything; must be called inside a tokio runtime.
    pub fn start(options: Options) -> Result<Node, NodeError> {
        let Some(record) = options.record.clone() else { return Node::start_on(options, Tape::default()) };
        let tape = Tape::create(&record, options.identity.signer())?;
        // A node that did not start has nothing to record, and the next try wants the name.
        Node::start_on(options, tape).inspect_err(|_| drop(std::fs::remove_file(record)))
    }

    /// Opens a home on a disk that can only be read. Nothing that happens in it lasts.
    pub fn open_to_read(options: Options) -> Result<Node, NodeError> {
        let store = RedbStore::open_to_read(&options.store, StoreOptions::default())?;
        Node::start_over(store, Options { net: None, ..options }, Tape::default())
    }

    fn start_on(options: Options, tape: Tape) -> Result<Node, NodeError> {
        Node::start_over(RedbStore::open(&options.store, StoreOptions::default())?, options, tape)
    }

    fn start_over(mut store: RedbStore, options: Options, mut tape: Tape) -> Result<Node, NodeError> {
        let Options { identity, store: path, config, push_bytes, net, record: _ } = options;
        let (reader, keyring) = (store.reader(), Keyring::new(identity));
        // A disk that is full or can only be read, or damage of just these records, is no reason not to start.
        let blobs =
            Blobs::open(path.with_file_name(FILES), push_bytes).map_err(|error| StoreError::Io(error.to_string()))?;
        let blobs = Arc::new(blobs);
        if let Err(error) = unseal_rest(&mut store, &keyring, &blobs) {
            tracing::warn!(%error, "some messages of the inbox stay sealed for now");
        }
        let durable = store.unfiled_but_held()?;
        let topics = core::topics(&reader)?;
        let groups = core::groups::groups(&reader, keyring.identity().node())?;
        let group_names = Arc::<GroupNames>::default();
        let clock = Clock::resume(&durable);
        let keypair = keyring.identity().libp2p_keypair();
        let signer = keyring.identity().signer();
        let build = move |durable, tape: &mut Tape| {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(NodeError::Entropy)?;
            Ok::<Agent, NodeError>(tape.start(signer.clone(), config.clone(), seed, durable))
        };
        let mut agent = build(durable, &mut tape)?;
        tape.reinstate(&mut agent, |take| store.each_held(|held| take(&held)))?;
        tape.flush();
        if let Err(error) = named::restore(&reader, &blobs, &|from, group| match group {
            Some(group) => groups.others(group).contains(from),
            None => agent.is_contact(from),
        }) {
            tracing::warn!(%error, "some files are not tidied up for now");
        }
        let wanted: Vec<NodeId> = agent.destinations().collect();
        let named: Vec<NodeId> =
            agent.people().filter(|(_, person)| is_welcome(person)).map(|(node, _)| *node).collect();

        let listen = net.as_ref().map_or(Vec::new(), |net| net.listen.clone());
        let net = match net {
            Some(net) => {
                let address_book = address_book(&reader)?;
                Some(Net::start(NetConfig { address_book, named, ..net }, keypair)?)
            }
            None => None,
        };
        let (handle, net_events) = net.unzip();

        let (work, ended) = (Arc::<Queue<Work>>::default(), CancellationToken::new());
        let ((events, _), (committed, _)) = (broadcast::channel(EVENTS_MAX), watch::channel(()));
        let drafts = Arc::new(Drafts::new());
        let tally = Arc::new(Tally::new(handle.clone()));
        let (nearby, stirs) = (Arc::new(Nearby::default()), Arc::new(Stirs::default()));
        let pool = Pool::start(
            PoolParts {
                core: work.clone(),
                drafts: Arc::clone(&drafts),
                keyring: keyring.clone(),
                tally: Arc::clone(&tally),
            },
            &ended,
        );
        let before = {
            let blobs = Arc::clone(&blobs);
            Box::new(move || blobs.sync().map_err(|error| StoreError::Io(error.to_string())))
        };
        let store = Arc::new(StoreThread::start_with(store, ended.clone().drop_guard(), before));
        let failure = Arc::new(LastFailure::default());
        let courier = Courier::start(Tools {
            me: keyring.identity().node(),
            reader: reader.clone(),
            net: handle.clone(),
            pool: pool.clone(),
            drafts: Arc::clone(&drafts),
            core: work.clone(),
            tally: Arc::clone(&tally),
            events: events.clone(),
            ended: ended.clone(),
        });
        let restore = Box::new(move |mut durable: Durable, tape: &mut Tape| {
            let held = std::mem::take(&mut durable.held);
            let mut agent = build(durable, tape).map_err(|error| StoreError::Io(error.to_string()))?;
            tape.reinstate(&mut agent, |take| held.values().for_each(take));
            Ok(agent)
        });
        let space = {
            let reader = reader.clone();
            Box::new(move || reader.room_bytes().unwrap_or(u64::MAX))
        };
        let core = Core::new(Parts {
            agent,
            tape,
            topics,
            groups,
            group_names: Arc::clone(&group_names),
            record: reader.clone(),
            clock,
            restore,
            space,
            idle: core::IDLE,
            work: work.clone(),
            store: Arc::clone(&store),
            courier: courier.clone(),
            pool: pool.clone(),
            blobs: Arc::clone(&blobs),
            keyring: keyring.clone(),
            failure: Arc::clone(&failure),
            committed: committed.clone(),
            stirs: Arc::clone(&stirs),
        });
        let guard = ended.clone().drop_guard();
        let run = move || {
            let _guard = guard;
            core.run();
        };
        let thread = std::thread::Builder::new().name("dak-core".into()).spawn(run);
        let thread = thread.expect("the system gives a node its threads");

        if let (Some(handle), Some(net_events)) = (&handle, net_events) {
            wanted.into_iter().for_each(|node| handle.dial(node));
            let inlet = inlet::Inlet {
                contacts: BTreeMap::new(),
                me: keyring.identity().node(),
                work: work.clone(),
                store: Arc::clone(&store),
                tally: Arc::clone(&tally),
                nearby: Arc::clone(&nearby),
                stirs: Arc::clone(&stirs),
            };
            let guard = ended.clone().drop_guard();
            tokio::spawn(async move {
                let _guard = guard;
                inlet.run(net_events).await;
            });
        }
        let thread = std::sync::Mutex::new(Some(thread));
        Ok(Node {
            work,
            reader,
            drafts,
            pool,
            keyring,
            tally,
            nearby,
            stirs,
            events,
            committed,
            net: handle,
            store,
            blobs,
            group_names,
            failure,
            listen,
            thread,
            ended,
        })
    }

    /// Looks at the agent; the answer comes once everything it shows is durable.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Agent) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let work = |tell: oneshot::Sender<T>| {
            Work::Look(Box::new(move |agent: &Agent| -> Box<dyn FnOnce() + Send> {
                let seen = look(agent);
                Box::new(move || drop(tell.send(seen)))
            }))
        };
        self.wait_for(work).await
    }

    /// Gives the core something to do, which tells the answer.
    async fn wait_for<T>(&self, work: impl FnOnce(oneshot::Sender<T>) -> Work) -> Result<T, NodeError> {
        let (tell, told) = oneshot::channel();
        self.work.put(work(tell)).map_err(|_| NodeError::Lost)?;
        told.await.map_err(|_| self.lost())
    }

    /// Why nobody answers any more: the commit failed that had to come first, or the node stopped.
    fn lost(&self) -> NodeError {
        self.failure.get().map_or(NodeError::Lost, NodeError::Store)
    }

    /// Gives the agent one input; returns once what follows from it is durable.
    pub async fn input(&self, input: Input) -> Result<(), NodeError> {
        self.decide(|_| (Some(input), ())).await
    }

    /// Looks at the agent and gives it the input that follows from what is seen, in one step: of two that decide at the
    /// same time, one sees what the other did. Returns once what follows is durable.
    pub async fn decide<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&Agent) -> (Option<Input>, T) + Send + 'static,
    ) -> Result<T, NodeError> {
        let (net, store) = (self.net.clone(), Arc::clone(&self.store));
        let work = |tell: oneshot::Sender<T>| {
            Work::Decide(Box::new(move |agent: &Agent| -> (Option<Input>, Box<dyn FnOnce() + Send>) {
                let (input, seen) = decide(agent);
                if let Some(Input::SetPerson { node, person }) = &input {
                    tell_whether_named(net.as_ref(), &store, *node, person.as_ref());
                }
                (input, Box::new(move || drop(tell.send(seen))))
            }))
        };
        self.wait_for(work).await
    }

    /// Seals a padded message and takes custody of it; returns its id once it is durable.
    pub async fn send(
        &self,
        destination: Eid,
        plaintext: Vec<u8>,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
    ) -> Result<BundleId, NodeError> {
        self.send_beside(destination, plaintext, lifetime, priority, copies, None).await
    }

    /// The same, with something that is kept in the same commit.
    pub async fn send_beside(
        &self,
        destination: Eid,
        plaintext: Vec<u8>,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
        beside: Option<InCommit>,
    ) -> Result<BundleId, NodeError> {
        let (token, told) = self.drafts.put(plaintext, beside);
        let mailbox = self.keyring.mailbox();
        let submit = Input::Submit { token, mailbox, destination, lifetime, priority, copies };
        self.work.put(Work::Input(submit)).map_err(|_| NodeError::Lost)?;
        told.await.map_err(|_| self.lost())?
    }

    /// Keeps what the person arranges, a value for each key or none; returns once it is durable.
    pub async fn keep(&self, kept: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<(), NodeError> {
        self.change(kept.into_iter().map(|(key, value)| Change::Keep { key, value }).collect()).await
    }

    /// Makes changes of the record that are no concern of the agent's; returns once they are durable.
    pub async fn change(&self, changes: Vec<Change>) -> Result<(), NodeError> {
        self.wait_for(|tell| Work::Keep(changes, Box::new(move || tell.send(()).unwrap_or(())))).await
    }

    /// Takes in mail of an earlier home, each with what it says; what is here already stays as it is. Returns once it is
    /// durable.
    pub async fn adopt(&self, brought: Vec<(Adopted, Earlier)>) -> Result<(), NodeError> {
        self.wait_for(|tell| Work::Adopt(brought, Box::new(move || tell.send(()).unwrap_or(())))).await
    }

    /// Looks at what is subscribed to and changes it: what is given back are inputs of the agent that follow, changes, and an
    /// answer, which comes once all of it is durable.
    pub async fn on_topics<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Topics, DtnTime) -> (Vec<Input>, Vec<Change>, T) + Send + 'static,
    ) -> Result<T, NodeError> {
        self.wait_for(|tell| Work::Topics(Box::new(move |topics, now| Wishes::of(change(topics, now), tell)))).await
    }

    /// The same with groups.
    pub async fn on_groups<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Groups, DtnTime) -> (Vec<Input>, Vec<Change>, T) + Send + 'static,
    ) -> Result<T, NodeError> {
        self.wait_for(|tell| Work::Groups(Box::new(move |groups, now| Wishes::of(change(groups, now), tell)))).await
    }

    /// What groups are called here, by their keys.
    pub fn group_names(&self) -> Arc<BTreeMap<NodeId, String>> {
        self.group_names.all()
    }

    /// Returns once something is to be sent about groups.
    pub async fn group_words_due(&self) {
        self.group_names.due().await;
    }

    /// Returns once a group may have changed.
    pub async fn groups_changed(&self) {
        self.group_names.changed().await;
    }

    /// Publishes messages in a topic, each with a key or without; returns their ids, once they are durable. Where no lifetime
    /// is said it is as long as the topic is kept here, else the usual one.
    pub async fn publish(
        &self,
        topic: Eid,
        messages: Vec<(Option<String>, String)>,
        lifetime: Option<Millis>,
        usual: Millis,
    ) -> Result<Vec<BundleId>, NodeError> {
        let (tokens, told): (Vec<u64>, Vec<_>) = messages.iter().map(|_| self.drafts.expect()).unzip();
        let (me, drafts) = (self.keyring.identity().node(), Arc::clone(&self.drafts));
        let publish = move |topics: &mut Topics, now: DtnTime| {
            let mut inputs = Vec::new();
            let lifetime = lifetime.or(topics.retention().of(&topic).keep).unwrap_or(usual);
            for (token, message) in tokens.into_iter().zip(messages) {
                match topics.write(&topic, me, message, now) {
                    Ok(payload) => {
                        let topic = topic.clone();
                        inputs.push(Input::Publish { token, topic, lifetime, payload: payload.into() });
                    }
                    Err(why) => drafts.fail(token, why.into()),
                }
            }
            (inputs, Vec::new(), ())
        };
        self.on_topics(publish).await?;
        let mut ids = Vec::new();
        for told in told {
            ids.push(told.await.map_err(|_| self.lost())??);
        }
        Ok(ids)
    }

    /// A token for something that is published by hand, and where its id will come.
    pub fn expect(&self) -> (u64, oneshot::Receiver<Result<BundleId, NodeError>>) {
        self.drafts.expect()
    }

    /// Changes with every commit from now on.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Events from now on.
    pub fn follow(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub fn identity(&self) -> &Identity {
        self.keyring.identity()
    }

    /// The keys of this home.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub fn reader(&self) -> &RedbReader {
        &self.reader
    }

    /// Files that come and go in parts.
    pub fn blobs(&self) -> &Arc<Blobs> {
        &self.blobs
    }

    /// The network, where the home was opened with one.
    pub fn net(&self) -> Option<&NetHandle> {
        self.net.as_ref()
    }

    /// Nodes seen on the network, and where this one listens.
    pub fn nearby(&self) -> &Nearby {
        &self.nearby
    }

    /// What changes beside the record.
    pub fn stirs(&self) -> &Arc<Stirs> {
        &self.stirs
    }

    /// Why the last commit failed, where none came through since.
    pub fn failing(&self) -> Option<StoreError> {
        self.failure.lasting()
    }

    /// How many contacts began since the start.
    pub fn met(&self) -> u64 {
        self.tally.contacts()
    }

    /// How many contacts a fault of this program ended since the start.
    pub fn faults(&self) -> u64 {
        self.tally.faults()
    }

    /// How many bundles and frames of peers were refused since the start.
    pub fn refused(&self) -> u64 {
        self.tally.refused()
    }

    /// Gives the agent one input and waits for nothing.
    pub fn tell(&self, input: Input) {
        let _ = self.work.put(Work::Input(input));
    }

    /// Remembers where its owner says a node may be found; the address joins the next commit.
    pub fn save_address(&self, node: NodeId, addr: Multiaddr) {
        let address = Address { text: addr.to_string(), worked_unix_ms: 0, entered: true };
        self.store.try_stage(Side::PutAddress { node, address });
        if let Some(net) = &self.net {
            net.add_address(node, addr);
        }
    }

    /// Returns once the node listens wherever it was asked to. A machine may have no network just now: what is still
    /// missing after a second comes when its interface does.
    pub async fn listening(&self) {
        let interfaces = Interfaces::now().unwrap_or_default();
        let wanted: Vec<Multiaddr> = self.listen.iter().filter(|addr| interfaces.could_have(addr)).cloned().collect();
        let all = async {
            while !self.nearby.listens_on(&wanted) {
                self.nearby.changed().await;
            }
        };
        let _ = tokio::time::timeout(LISTEN, all).await;
    }

    /// Returns once a part of the node has ended: after [`Node::stop`], or because it broke, and then the rest is of no
    /// use to anybody.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Ends contacts and commits what was taken. The store closes when the node is dropped and its last task has ended.
    pub async fn stop(&self) {
        if let Some(net) = &self.net {
            net.shutdown().await;
        }
        let _ = self.work.put(Work::Stop);
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            let closed = async {
                let _ = joined.await;
                // Whoever still looks holds a reader, and the process may end before he is gone.
                self.store.end().await;
            };
            if tokio::time::timeout(STOP, closed).await.is_err() {
                tracing::warn!("the store took too long to close; nothing accepted is lost");
            }
        }
    }
}

/// Files what is still sealed in the inbox and can be opened and read by now: a crash came between, or it came to an earlier
/// version.
fn unseal_rest(store: &mut RedbStore, keyring: &Keyring, blobs: &Blobs) -> Result<(), StoreError> {
    let reader = store.reader();
    let mut from = Row(0);
    loop {
        let rows = reader.sealed(from, UNSEALED_AT_ONCE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = last.next();
        let mut changes = Vec::new();
        for row in rows {
            let Some(Body::Bundle(bytes)) = reader.words(&[row])?.pop().flatten() else { continue };
            let bundle = Bundle::from_store(&bytes).ok().map(|(bundle, _)| bundle);
            let opened = bundle.and_then(|bundle| Some((bundle.source, keyring.open(&bundle).ok()?)));
            let filed = opened.and_then(|(source, opened)| {
                if let Some(part) = mail::part(&opened) {
                    let taken = part.is_true().then(|| blobs.take(&part, Some(source)));
                    tracing::debug!(?taken, "a part of a file was sealed still");
                }
                mail::filed(&opened)
            });
            changes.extend(filed.map(|filed| Change::File { row, filed: Arc::new(filed) }));
        }
        if changes.is_empty() {
            continue;
        }
        blobs.sync().map_err(|error| StoreError::Io(error.to_string()))?;
        store.commit(&changes)?;
    }
}

/// Tells the network whether somebody is named. Where one is not any more, the places where it lives are forgotten.
fn tell_whether_named(net: Option<&NetHandle>, store: &StoreThread, node: NodeId, person: Option<&Person>) {
    let is_welcome = person.is_some_and(is_welcome);
    if !is_welcome {
        store.try_stage(Side::ForgetAddress { node, address: None });
    }
    match net {
        Some(net) if is_welcome => net.name(node),
        Some(net) => net.forget(node),
        None => {}
    }
}

/// Whether the network keeps room for somebody.
fn is_welcome(person: &Person) -> bool {
    person.standing == Standing::Contact
}

/// The saved addresses that still read as such.
fn address_book(reader: &RedbReader) -> Result<Vec<Saved>, StoreError> {
    let saved = reader.addresses()?.into_iter();
    let each = saved.flat_map(|(node, addresses)| addresses.into_iter().map(move |address| (node, address)));
    let saved =
        |(node, Address { text, entered, .. }): (_, Address)| Some(Saved { node, addr: text.parse().ok()?, entered });
    Ok(each.filter_map(saved).collect())
}

#[cfg(test)]
mod tests;
