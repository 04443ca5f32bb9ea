//! The desk: answers what people ask of one home, from its agent, its store and its network.
//!
//! A running node and a home opened for one command have the same desk; only the second has no network. Names, ids and
//! times become what people read in [`rows`]; what a request changes goes to the agent as inputs, and an answer leaves
//! once it is durable.

mod answers;
mod appointments;
mod apps;
mod automatic;
mod changes;
mod checks;
mod closed;
mod crossings;
mod descriptors;
mod drafts;
mod due;
mod ending;
mod engine;
mod files;
mod find;
mod follow;
mod forwards;
mod groups;
mod happened;
mod health;
mod holes;
mod hooks;
mod importing;
mod introductions;
mod keeping;
mod listing;
mod mail;
mod metrics;
mod news;
mod once;
mod outlook;
mod pairing;
mod people;
mod places;
mod quiet;
mod rows;
mod search;
mod sending;
mod stats;
mod status;
mod stick;
mod stirs;
mod supervisor;
mod talk;
#[cfg(test)]
mod tests;
mod topics;
mod unsent;
mod uploads;
mod vault;
mod web;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Instant, SystemTime};

pub use self::engine::Homes;

use futures::StreamExt;
use tokio::sync::{Notify, broadcast};

use self::rows::Names;
use crate::agent::change::{Person, Standing};
use crate::agent::{Agent, Input};
use crate::api::model::{
    AppStartRow, CarryRow, ConfigRow, Counts, Done, Evicted, MeRow, NearbyRow, PeerRow, Schema, VersionRow,
};
use crate::api::{
    Answer, ApiError, AppFile, Backend, Chunks, Contents, ErrorKind, Listing, News, NextStep, Request, Response, Rows,
    Topic, UploadedRow,
};
use crate::config::Config;
use crate::home::{Home, HomeLock};
use crate::id::NodeId;
use crate::net::{NetError, NetHandle};
use crate::node::{Node, NodeError, Sighting};
use crate::seal::SealError;
use crate::stats::{Reading, Stats};
use crate::store::StoreError;
use crate::store::redb::{Body, RedbReader};
use crate::ticket::Ticket;
use crate::time::Timestamp;
use crate::web::Web;
use crate::words::SafetyWords;

/// News of what the desk did that nobody has heard yet.
const TOLD_MAX: usize = 256;
/// Answers for one home.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    node: Node,
    home: Home,
    config: Config,
    name: String,
    started: Instant,
    stop: Notify,
    lock: HomeLock,
    /// Where programs reach this node beside its socket.
    api_listen: OnceLock<SocketAddr>,
    /// The page for browsers.
    web: Web,
    /// Whoever changes what is arranged has this, so that of two nobody undoes what the other did.
    arranging: tokio::sync::Mutex<()>,
    /// Files of shared apps that were opened lately.
    containers: apps::Containers,
    /// Nothing is read or made of the index before somebody searches.
    finder: Mutex<search::Finder>,
    /// The same as `arranging` for drafts: one that is being sent is nobody's to delete.
    drafting: tokio::sync::Mutex<()>,
    /// Whose turn it is to send something once; and how many such are remembered, where that is known.
    once: Arc<tokio::sync::Mutex<Option<usize>>>,
    /// What is to be done at a time may be due earlier than it was.
    appointments: Notify,
    /// What is to be sent in parts changed.
    files_changed: Notify,
    /// Whoever writes to a group has this: nobody else chooses a key meanwhile.
    grouping: tokio::sync::Mutex<()>,
    /// When the record was looked through last for what is not to be kept any longer.
    looked_through: tokio::sync::Mutex<Option<Timestamp>>,
    /// Of two who show a message first, one sees that the other did.
    showing: tokio::sync::Mutex<()>,
    /// Whom a code is shown for.
    pairing: pairing::Going,
    /// Who consumes what is published.
    consumers: topics::Consumers,
    /// The person's programs that work on what comes.
    hooks: hooks::Hooks,
    /// Figures over time.
    stats: Mutex<Stats>,
    /// When a store that failed was tried last.
    tried: Mutex<Option<Instant>>,
    /// Of two automatic answers to one person, the second sees the first.
    answering: tokio::sync::Mutex<()>,
    /// What the desk itself did, for whoever wants to hear.
    told: broadcast::Sender<News>,
}

impl Desk {
    fn new(node: Node, home: Home, config: Config, name: String, lock: HomeLock) -> Desk {
        let place = (!lock.is_read_only()).then(|| home.search_path());
        let runs = node.net().is_some() && !lock.is_read_only();
        let stats = Mutex::new(Stats::open(&home.stats_path(), runs, Reading::now()));
        let finder = Mutex::new(search::Finder::new(place, node.identity().node()));
        let web = Web::of(home.web_path());
        let inner = Inner {
            node,
            home,
            config,
            name,
            started: Instant::now(),
            stop: Notify::new(),
            lock,
            api_listen: OnceLock::new(),
            web,
            arranging: tokio::sync::Mutex::default(),
            containers: apps::Containers::default(),
            finder,
            drafting: tokio::sync::Mutex::default(),
            once: Arc::default(),
            appointments: Notify::new(),
            files_changed: Notify::new(),
            grouping: tokio::sync::Mutex::default(),
            looked_through: tokio::sync::Mutex::default(),
            showing: tokio::sync::Mutex::default(),
            pairing: pairing::Going::default(),
            consumers: topics::Consumers::default(),
            hooks: hooks::Hooks::default(),
            stats,
            tried: Mutex::default(),
            answering: tokio::sync::Mutex::default(),
            told: broadcast::channel(TOLD_MAX).0,
        };
        Desk { inner: Arc::new(inner) }
    }

    fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Looks at the agent together with the names this person gave.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Agent, &Names<'_>) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let desk = Arc::clone(&self.inner);
        let groups = self.node().group_names();
        Ok(self.node().look(move |agent| look(agent, &Names::of(agent, &desk.name, &groups))).await?)
    }

    /// Reads in the record of mail once all that was said so far is durable: away from whoever else waits for the agent.
    async fn record<T: Send + 'static>(
        &self,
        read: impl FnOnce(&RedbReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.look(|_, _| ()).await?;
        let reader = self.node().reader().clone();
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        Ok(read.map_err(|error| ApiError::failure(error.to_string()))??)
    }

    async fn answer(&self, request: Request) -> Result<Response, ApiError> {
        let request = match request {
            // What was looked at stays unread where nothing can be written down.
            Request::Read { id, mark: _, tell: false } if self.inner.lock.is_read_only() => {
                Request::Read { id, mark: false, tell: false }
            }
            request if request.only_reads() => request,
            request => {
                refuse_to_write(&self.inner.lock, &self.inner.home)?;
                request
            }
        };
        if !matches!(request, Request::Version | Request::Health | Request::Metrics | Request::Me | Request::Down) {
            self.forget_first().await;
        }
        match request {
            Request::Version => Ok(Response::Version(VersionRow::of_this_build())),
            Request::Health => Ok(Response::Health(self.health().await)),
            Request::Metrics => self.metrics().await.map(Response::Metrics),
            Request::Me => Ok(Response::Me(self.me())),
            Request::ContactAdd(introduction) => self.contact_add(introduction).await.map(Response::Contact),
            Request::ContactList => self.contacts().await.map(Response::Contacts),
            Request::ContactShow { who } => self.contact(&who).await.map(Response::Contact),
            Request::ContactVerify { who, verified } => {
                self.change_person(&who, move |_, person| Ok(Person { verified, ..person })).await
            }
            Request::ContactRename { who, name } => self.rename(&who, name).await,
            Request::ContactBlock { who } => self.block(&who).await,
            Request::ContactUnblock { who } => {
                self.change_person(&who, |_, person| Ok(Person { standing: Standing::Contact, ..person })).await
            }
            Request::ContactRemove { who } => self.contact_remove(&who).await,
            Request::ContactSet { who, clear, usual } => {
                self.set_usual(&who, clear, usual).await.map(Response::Contact)
            }
            Request::ContactShare { who, with, text } => self.share(&who, &with, text).await.map(Response::Sent),
            Request::PairJoin { code, peers, name } => self.pair_join(&code, peers, name).await.map(Response::Contact),
            Request::PairEnd => self.pair_end(),
            Request::Nearby => self.nearby().await.map(Response::Nearby),
            Request::Recipient { who } => self.recipient(&who).await.map(Response::Recipient),
            Request::Send(compose) => self.send(*compose).await.map(Response::Sent),
            Request::Read { id, mark, tell } => {
                self.read(&id, mark, tell).await.map(|row| Response::Letter(row.into()))
            }
            Request::DraftAdd(new) => self.draft_add(*new).await.map(Response::Draft),
            Request::Drafts => self.drafts().await.map(Response::Drafts),
            Request::Draft { number } => self.draft(&number).await.map(Response::Draft),
            Request::DraftSend { number, to } => self.draft_send(&number, to).await.map(Response::Sents),
            Request::DraftDelete { number } => {
                self.draft_delete(&number).await?;
                Ok(Response::Done(Done::default()))
            }
            Request::Waiting => self.waiting().await.map(Response::Waiting),
            Request::Arrange { what, how } => self.arrange(what, how).await.map(Response::Arranged),
            Request::Label { label, ids, on } => self.label(&label, &ids, on).await,
            Request::Labels => self.labels().await.map(Response::Labels),
            Request::Mark { ids, read } => self.mark(&ids, read).await,
            Request::InboxDelete { id } => self.inbox_delete(&id).await,
            Request::Change(wish) => self.change_written(wish).await.map(Response::Sent),
            Request::Renew { id, lifetime_ms } => self.renew(&id, lifetime_ms).await.map(Response::Sent),
            Request::History { id } => self.history(&id).await.map(Response::History),
            Request::Crossings { told } => self.crossings(told).await.map(Response::Crossings),
            Request::Status { id } => self.status(&id).await.map(Response::Statuses),
            Request::Cancel { id } => self.cancel(&id).await.map(Response::Statuses),
            Request::Files => self.transfers().await.map(Response::Files),
            Request::FileGet { id, from, to } => self.file_get(&id, from, to).await.map(Response::Transfer),
            Request::FileCancel { id } => self.file_cancel(&id).await.map(Response::Transfer),
            Request::FileSave { id, directory } => self.file_save(&id, directory).await.map(Response::Saved),
            Request::Space => self.space().await.map(Response::Space),
            Request::Purge(purge) => self.purge(purge).await.map(Response::Purged),
            Request::Import(imports) => self.import(imports).await.map(Response::Imported),
            Request::Outlook => self.outlook().await.map(Response::Outlook),
            Request::StatusSeen { event } => self.looked_at_status(event).await,
            Request::Peers => self.peers().await.map(Response::Peers),
            Request::Stats => self.stats_rows().await.map(Response::Stats),
            Request::Carry => self.carry().await.map(Response::Carry),
            Request::CarryLimit { bytes } => {
                self.node().input(Input::CarryLimit(bytes)).await?;
                self.carry().await.map(Response::Carry)
            }
            Request::CarryDrop { id } => self.carry_drop(&id).await,
            Request::CarryExport { id } if !self.inner.lock.is_read_only() => {
                self.leaves_by_hand().await?;
                self.export(&id).await.map(Response::Bytes)
            }
            Request::CarryExport { id } => self.export(&id).await.map(Response::Bytes),
            Request::StickTake { ids, whom } => self.stick_take(&ids, whom.as_deref()).await.map(Response::Leaving),
            Request::StickBring { bundles } => self.stick_bring(bundles).await.map(Response::Entered),
            Request::Doctor => self.doctor().await.map(Response::Doctor),
            Request::Reindex => self.reindex().await.map(Response::Doctor),
            Request::Backup { path, passphrase } => self.backup(path, passphrase).await.map(Response::Backup),
            Request::Topics => self.topics().await.map(Response::Topics),
            Request::TopicCreate { topic, writers } => self.topic_create(&topic, writers).await.map(Response::Topic),
            Request::TopicSubscribe { topic } => self.topic_subscribe(&topic).await.map(Response::Subscribed),
            Request::TopicUnsubscribe { topic } => self.topic_unsubscribe(&topic).await,
            Request::TopicSet { topic, terms } => self.topic_set(&topic, terms).await.map(Response::TopicTerms),
            Request::TopicDelete { topic } => self.topic_delete(&topic).await.map(Response::TopicEnded),
            Request::Publish { topic, messages, lifetime_ms } => {
                self.publish(&topic, messages, lifetime_ms).await.map(Response::Published)
            }
            Request::TopicSettle { group, events } => self.topic_settle(&group, events).await,
            Request::TopicEvents { topic, before, limit } => {
                self.topic_events(&topic, before, limit).await.map(Response::TopicEvents)
            }
            Request::TopicFailed { topic, group } => self.topic_failed(&topic, group).await.map(Response::Failed),
            Request::TopicRetry { topic, group, event } => self.topic_retry(&topic, group, &event).await,
            Request::Groups => self.groups().await.map(Response::Groups),
            Request::GroupCreate { name, with } => self.group_create(&name, with).await.map(Response::Group),
            Request::GroupInvite { group, who, from_start } => {
                self.group_invite(&group, who, from_start).await.map(Response::Group)
            }
            Request::GroupJoin { group } => self.group_join(&group).await.map(Response::Group),
            Request::GroupLeave { group } => self.group_leave(&group).await,
            Request::GroupRemove { group, who } => self.group_remove(&group, &who).await.map(Response::Members),
            Request::GroupRename { group, name } => self.group_rename(&group, &name).await.map(Response::Group),
            Request::GroupOwner { group, who, owner } => {
                self.group_owner(&group, &who, owner).await.map(Response::Members)
            }
            Request::GroupMembers { group } => self.group_members(&group).await.map(Response::Members),
            Request::HookAdd(new) => self.hook_add(new).await.map(Response::Hook),
            Request::Hooks => self.hook_list().await.map(Response::Hooks),
            Request::HookRemove { name } => self.hook_remove(&name).await,
            Request::HookTest { name, id } => self.hook_test(&name, id.as_deref()).await.map(Response::HookTested),
            Request::HookFailed { name } => self.hook_failed(name.as_deref()).await.map(Response::HookFailed),
            Request::HookRetry { id, name } => self.hook_retry(&id, name.as_deref()).await,
            Request::Apps { who } => self.apps(who.as_deref()).await.map(Response::Apps),
            Request::AppBegin { who, app } => self.app_begin(who, &app).await.map(Response::Sent),
            Request::App { id } => self.app_start(&id).await.map(|row| Response::App(row.into())),
            Request::AppIcon { id } => self.app_icon(&id).await.map(Response::Bytes),
            Request::AppUpdate(new) => self.app_update(new).await.map(Response::Sent),
            Request::Away => self.away().await.map(Response::Away),
            Request::AwaySet(new) => self.away_set(new).await.map(Response::Away),
            Request::AwayEnd => self.away_end().await,
            Request::Web => self.web_link().await.map(Response::Web),
            Request::WebLan => self.web_link_for_phone().await.map(Response::WebLan),
            Request::WebLanEnd => self.web_close_to_phones().await,
            Request::WebDevices => self.inner.web.devices().map(Response::WebDevices),
            Request::WebRevoke { name } => self.web_revoke(&name),
            Request::Config => Ok(Response::Config(self.config_rows())),
            Request::Down => {
                self.net()?;
                self.inner.stop.notify_one();
                Ok(Response::Done(Done::default()))
            }
        }
    }

    fn net(&self) -> Result<&NetHandle, ApiError> {
        self.node().net().ok_or_else(ApiError::not_running)
    }

    pub(crate) fn me(&self) -> MeRow {
        let node = self.node().identity().node();
        let listen: Vec<String> = self.node().nearby().offered().iter().map(ToString::to_string).collect();
        let address = Ticket::new(node, listen.clone(), Some(&self.inner.name)).to_string();
        let safety_words = SafetyWords::of(&node).to_string();
        MeRow { schema: Schema, name: self.inner.name.clone(), peer_id: node.peer_id(), address, listen, safety_words }
    }

    async fn nearby(&self) -> Result<Vec<NearbyRow>, ApiError> {
        self.net()?;
        let around = self.node().nearby().around(Instant::now());
        let wall = SystemTime::now();
        let rows = move |agent: &Agent, names: &Names<'_>| {
            let connected = |node: &NodeId| agent.contacts().any(|contact| contact.peer == *node);
            let row = |(node, sighting): (NodeId, Sighting)| NearbyRow {
                schema: Schema,
                name: names.given(&node),
                nickname: sighting.nickname,
                peer_id: node.peer_id(),
                address: sighting.addr,
                seen_at: wall.checked_sub(sighting.ago).and_then(rows::when_system),
                seen_ago_ms: sighting.ago.as_millis() as u64,
                connected: connected(&node),
            };
            around.into_iter().map(row).collect()
        };
        self.look(rows).await
    }

    async fn peers(&self) -> Result<Vec<PeerRow>, ApiError> {
        self.net()?;
        let desk = self.clone();
        let rows = move |agent: &Agent, names: &Names<'_>| {
            let row = |contact: crate::agent::ContactView| PeerRow {
                schema: Schema,
                peer_id: contact.peer.peer_id(),
                name: names.given(&contact.peer),
                nickname: desk.node().nearby().nickname(&contact.peer),
                address: desk.node().nearby().address_of(&contact.peer).unwrap_or_default(),
                since: rows::when(agent.at(), contact.since),
                sent_bundles: contact.bundles_sent,
                received_bundles: contact.bundles_received,
            };
            agent.contacts().map(row).collect()
        };
        self.look(rows).await
    }

    async fn carry(&self) -> Result<CarryRow, ApiError> {
        let usage = self.look(|agent, _| agent.usage()).await?;
        let file_bytes = self.node().reader().file_bytes();
        let counts = |(bundles, bytes): (usize, u64)| Counts { bundles: bundles as u64, bytes };
        let [topics, strangers, contacts, own] = usage.by_class.map(counts);
        let [released, copy, custody] = usage.by_grade.map(counts);
        Ok(CarryRow {
            schema: Schema,
            bundles: usage.messages as u64,
            receipts: usage.receipts as u64,
            bytes: usage.bytes,
            quota_bytes: usage.quota_bytes,
            file_bytes,
            by_class: crate::api::model::Classes { own, contacts, strangers, topics },
            by_grade: crate::api::model::Grades { custody, copy, released },
            evicted: {
                let [released, copy, custody] = usage.evicted;
                Evicted { released, copy, custody }
            },
            refused: self.node().refused(),
        })
    }

    async fn carry_drop(&self, id: &str) -> Result<Response, ApiError> {
        let (id, own) = self.find_held(id).await?;
        if own {
            let own = ApiError::refused("that is your own message");
            return Err(own.next(NextStep::CancelMessage { id: id.full() }));
        }
        self.node().input(Input::Drop(id)).await?;
        Ok(Response::Done(Done::default()))
    }

    async fn export(&self, id: &str) -> Result<Vec<u8>, ApiError> {
        let id = self.find_stored(id).await?;
        let gone =
            || ApiError::not_found("that bundle has just left, or the store has lost it").next(NextStep::CheckHome);
        let row = match self.look(move |agent, _| agent.row_of(&id)).await? {
            Some(row) => Some(row),
            None => self.record(move |record| record.letter(&id)).await?.map(|letter| letter.row),
        };
        let row = row.ok_or_else(gone)?;
        if let Some((bundle, _)) = self.node().reader().bundle(row, id)? {
            return Ok(bundle.bytes().to_vec());
        }
        match self.node().reader().words(&[row])?.pop().flatten() {
            Some(Body::Filed(_)) => {
                let error = ApiError::refused("that message was opened when it came, and its bundle is not kept");
                Err(error.next(NextStep::ReadMessage { id: id.full() }))
            }
            _ => Err(gone()),
        }
    }

    fn config_rows(&self) -> Vec<ConfigRow> {
        let row = |row: crate::config::Row| ConfigRow {
            schema: Schema,
            key: row.key.into(),
            value: row.value,
            origin: row.origin.to_string(),
        };
        self.inner.config.rows().into_iter().map(row).collect()
    }
}

impl Backend for Desk {
    fn call(&self, request: Request) -> Answer<'_> {
        let stir = stirs::stirred_by(&request);
        Box::pin(async move {
            let answer = self.answer(request).await;
            if let (Ok(_), Some(stir)) = (&answer, stir) {
                self.stir(stir);
            }
            answer
        })
    }

    fn list(&self, listing: Listing) -> Rows {
        let desk = self.clone();
        let first = async move {
            desk.forget_first().await;
            listing::rows(desk, listing)
        };
        Box::pin(futures::stream::once(first).flatten())
    }

    fn upload(
        &self,
        name: String,
        chunks: Chunks,
    ) -> Pin<Box<dyn Future<Output = Result<UploadedRow, ApiError>> + Send + '_>> {
        let desk = self.clone();
        Box::pin(async move { Desk::upload(&desk, name, chunks).await })
    }

    fn contents(&self, id: String) -> Pin<Box<dyn Future<Output = Result<Contents, ApiError>> + Send + '_>> {
        Box::pin(async move { Desk::contents(self, &id).await })
    }

    fn app_at(&self, host: String) -> Pin<Box<dyn Future<Output = Result<AppStartRow, ApiError>> + Send + '_>> {
        Box::pin(async move { Desk::app_at(self, &host).await })
    }

    fn app_file(&self, host: String, name: String) -> Pin<Box<dyn Future<Output = AppFile> + Send + '_>> {
        Box::pin(async move { Desk::app_file(self, &host, name).await })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.node().stop())
    }

    fn follow(&self, topic: Topic) -> Rows {
        follow::rows(self.clone(), topic)
    }
}

/// Refuses what would have to be written down on a disk that can only be read.
fn refuse_to_write(lock: &HomeLock, home: &Home) -> Result<(), ApiError> {
    if !lock.is_read_only() {
        return Ok(());
    }
    let message = format!("{} is on a disk that can only be read", home.data_directory().display());
    Err(ApiError::failure(message).advise("read mail there, or make the disk writable and try again"))
}

impl From<NodeError> for ApiError {
    fn from(error: NodeError) -> ApiError {
        use crate::agent::io::NotSent;
        let message = error.to_string();
        match error {
            NodeError::Store(error) => error.into(),
            NodeError::NotSent(NotSent::Lifetime) => ApiError::refused(message).advise("choose one of at most 30 days"),
            NodeError::NotSent(NotSent::TooLarge) => {
                ApiError::refused(message).advise("send a shorter text or a smaller file")
            }
            NodeError::NotSent(NotSent::Space) => ApiError::failure(message).next(NextStep::FreeSpace { again: true }),
            NodeError::Recording { path, why } if why.kind() == std::io::ErrorKind::AlreadyExists => {
                let message = format!("{path:?} is there already, and a recording is never written over another file");
                ApiError::usage(message).advise("name a file that is not there")
            }
            NodeError::Net(NetError::PortTaken { .. }) => ApiError::failure(message).next(NextStep::ListenElsewhere),
            NodeError::NotWritten(_) => ApiError::refused(message)
                .advise("ask its owner to list you among its writers; the word comes by itself"),
            NodeError::Recording { .. } => ApiError::usage(message).advise("name a file in a directory of yours"),
            NodeError::NotSent(NotSent::Busy) => ApiError::new(ErrorKind::Busy, message),
            NodeError::Seal(SealError::Recipient) => {
                ApiError::verification(message).advise("ask them for their address anew")
            }
            NodeError::Seal(SealError::NoEpoch) => ApiError::refused(message).advise("try again once its key has come"),
            _ => ApiError::failure(message),
        }
    }
}
