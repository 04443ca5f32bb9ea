//! A node's core in memory, the peer it knows, and what that one sends.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend;
use tokio::sync::broadcast;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::*;
use crate::agent::{Config, Event, Mailboxes};
use crate::blobs::Blobs;
use crate::bundle::{Bundle, Creation, Draft, Kind, Priority};
use crate::content::PUSH_BYTES;
use crate::eid::Eid;
use crate::frame::{Frame, Hello, PROTOCOL_VERSION, RoutingInfo, Transit};
use crate::id::{BundleId, NodeId};
use crate::keyring::Keyring;
use crate::keys::Identity;
use crate::net::ContactSender;
use crate::node::courier::{EVENTS_MAX, Tools};
use crate::node::drafts::Drafts;
use crate::node::line::Line;
use crate::node::pool::PoolParts;
use crate::node::tally::Tally;
use crate::store::redb::{DiskSync, RedbStore, Storage, StoreOptions};
use crate::time::{DAY, DtnTime};

/// How often an answer is asked for at most.
pub const ASKED_MAX: u32 = 2_000;

/// A node's core over a disk in memory, without a network.
pub struct Home {
    pub disk: Disk,
    pub work: Arc<Queue<Work>>,
    pub core: Mutex<Option<Core>>,
    pub store: Arc<StoreThread>,
    pub events: Mutex<broadcast::Receiver<Event>>,
    pub tally: Arc<Tally>,
    pub failure: Arc<LastFailure>,
    pub reader: RedbReader,
    pub keyring: Keyring,
}

pub fn owner() -> Identity {
    Identity::from_secret(&[1; 32])
}

pub fn peer() -> Identity {
    Identity::from_secret(&[2; 32])
}

pub fn arrives(message: &Arc<Bundle>) -> Input {
    let (from, transit) = (peer().node(), Transit { copies: 1, ..Transit::default() });
    Input::Bundle { from, transit, bundle: Arc::clone(message), size_bytes: message.encoded_len() as u32 }
}

/// A message from the peer.
pub fn message_to(node: NodeId) -> Arc<Bundle> {
    let (source, destination) = (peer().node(), Eid::mail(node));
    let creation = Creation { time: DtnTime(0), sequence: 1 };
    let (kind, priority) = (Kind::Message, Priority::Normal);
    let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority, copies: 1 };
    Arc::new(draft.sign(b"hello", &*peer().signer()).unwrap())
}

impl Home {
    pub fn new() -> Home {
        let disk = Disk::default();
        let backend = disk.clone();
        let open = Box::new(move || {
            let pages = Box::new(backend.clone()) as Box<dyn StorageBackend>;
            Ok(Storage { pages, journal: None })
        });
        let options = StoreOptions { sync: DiskSync::Always, ..StoreOptions::default() };
        let store = RedbStore::open_with(open, options).unwrap();
        let reader = store.reader();
        let build = |durable: Durable| {
            Agent::restore(owner().node(), Mailboxes::own(owner().signer()), Config::default(), [7; 32], durable)
        };
        let (work, ended) = (Arc::<Queue<Work>>::default(), CancellationToken::new());
        let (events, followed) = broadcast::channel(EVENTS_MAX);
        let (drafts, tally) = (Arc::new(Drafts::new()), Arc::new(Tally::new(None)));
        let keyring = Keyring::new(owner());
        let parts = PoolParts {
            core: work.clone(),
            drafts: Arc::clone(&drafts),
            keyring: keyring.clone(),
            tally: Arc::clone(&tally),
        };
        let pool = Pool::start(parts, &ended);
        let store = Arc::new(StoreThread::start(store));
        let keys = keyring.clone();
        let courier = Courier::start(Tools {
            me: owner().node(),
            reader: reader.clone(),
            net: None,
            pool: pool.clone(),
            drafts,
            core: work.clone(),
            tally: Arc::clone(&tally),
            events,
            ended,
        });
        let failure = Arc::<LastFailure>::default();
        let core = Core::new(Parts {
            agent: build(Durable::default()),
            tape: Tape::default(),
            topics: Default::default(),
            groups: super::groups(),
            group_names: Arc::default(),
            record: reader.clone(),
            clock: Clock::resume(&Durable::default()),
            restore: Box::new(move |durable, _| Ok(build(durable))),
            space: Box::new(|| u64::MAX),
            idle: Duration::from_millis(50),
            work: work.clone(),
            store: Arc::clone(&store),
            courier,
            pool,
            blobs: Arc::new(Blobs::open(PathBuf::from("/nowhere/files"), PUSH_BYTES).unwrap()),
            keyring,
            failure: Arc::clone(&failure),
            committed: watch::channel(()).0,
            stirs: Default::default(),
        });
        Home {
            disk,
            work,
            core: Mutex::new(Some(core)),
            store,
            events: Mutex::new(followed),
            tally,
            failure,
            reader,
            keyring: keys,
        }
    }

    /// Starts the core with this work before it.
    pub fn start(&self, work: Vec<Work>) -> std::thread::JoinHandle<()> {
        work.into_iter().for_each(|work| self.work.put(work).unwrap());
        let core = self.core.lock().unwrap().take().expect("a home starts once");
        std::thread::spawn(move || core.run())
    }

    /// A contact with the peer that is not listened to, up to its Hello.
    pub fn greeting(&self) -> Vec<Work> {
        self.contact(&ContactSender::alone(peer().node()))
    }

    pub fn contact(&self, sender: &ContactSender) -> Vec<Work> {
        let hello = Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: 1 << 20,
            window_bytes: 1 << 20,
            carries: true,
            pushes: true,
            mailboxes: Vec::new(),
            routing: RoutingInfo::None,
            nonce: [9; 16],
            count: 0,
            root: [0; 16],
            interests: Vec::new(),
        };
        let from = peer().node();
        vec![
            Work::Met(from, Line::new(sender.clone())),
            Work::FromPeer(Input::Frame { from, frame: Frame::Hello(hello) }, Box::new(())),
        ]
    }

    /// What the agent shows once that is durable; none where its commit failed.
    pub fn look<T: Send + 'static>(&self, look: impl FnOnce(&Agent) -> T + Send + 'static) -> Option<T> {
        let (tell, told) = channel();
        let look = Box::new(move |agent: &Agent| -> Box<dyn FnOnce() + Send> {
            let seen = look(agent);
            Box::new(move || drop(tell.send(seen)))
        });
        self.work.put(Work::Look(look)).unwrap();
        told.recv().ok()
    }

    pub fn until(&self, is_so: fn(&Agent) -> bool) {
        for _ in 0..ASKED_MAX {
            if self.look(is_so) == Some(true) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("it never came to that");
    }

    /// How many rows the inbox has, once all that was said is durable; none from a core that answers no more.
    pub fn letters(&self) -> Option<u64> {
        self.look(|_| ())?;
        Some(self.reader.letters_len().unwrap())
    }

    pub fn until_letters(&self, many: u64) {
        for _ in 0..ASKED_MAX {
            if self.letters() == Some(many) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("it never came to that");
    }

    /// What peers heard that it was accepted, since this was last asked.
    pub fn accepted(&self) -> Vec<BundleId> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let told = std::iter::from_fn(|| events.try_recv().ok());
        let accepted = told.filter_map(|event| if let Event::Accepted { id, .. } = event { Some(id) } else { None });
        accepted.collect()
    }

    /// What was told to whoever follows the inbox, since this was last asked.
    pub fn delivered(&self) -> Vec<BundleId> {
        self.look(|_| ());
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let told = std::iter::from_fn(|| events.try_recv().ok());
        told.filter_map(|event| if let Event::Delivered { id, .. } = event { Some(id) } else { None }).collect()
    }

    /// Rows that the store would give to the next agent.
    pub fn stored(&self) -> usize {
        let durable = block_on(self.store.reset()).unwrap();
        self.reader.letters_len().unwrap() as usize + durable.held.len()
    }
}

/// A disk in memory; the next thing it is to keep fails once it is told so.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub bytes: Arc<Mutex<Vec<u8>>>,
    pub fails: Arc<AtomicBool>,
    /// Nothing works from now on.
    pub is_gone: Arc<AtomicBool>,
    /// Nothing is kept while somebody holds this.
    pub gate: Arc<Mutex<()>>,
}

impl Disk {
    pub fn is_there(&self) -> io::Result<()> {
        if self.is_gone.load(Ordering::SeqCst) { Err(io::ErrorKind::NotConnected.into()) } else { Ok(()) }
    }

    pub fn fail_once(&self) -> io::Result<()> {
        self.is_there()?;
        if self.fails.swap(false, Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.is_there()?;
        let at = offset as usize;
        let bytes = self.bytes.lock().unwrap();
        out.copy_from_slice(bytes.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fail_once()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        drop(self.gate.lock().unwrap());
        self.fail_once()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.fail_once()?;
        let at = offset as usize;
        self.bytes.lock().unwrap()[at..at + data.len()].copy_from_slice(data);
        Ok(())
    }
}
