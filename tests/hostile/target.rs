//! The node under attack, a `dak up` of its own, and what is measured of it from outside.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dak::api::client::Client;
use dak::api::model::{CarryRow, Compose, Show};
use dak::api::{ApiError, Listing, Request, Response, Row};
use dak::id::NodeId;
use ed25519_dalek::SigningKey;
use futures::StreamExt;

use super::person::Person;

/// Between two questions to the local API.
const PROBE_PAUSE: Duration = Duration::from_millis(20);

/// A node and its owner.
pub struct Target {
    pub person: Person,
    pub at: SocketAddr,
    pub node: NodeId,
}

impl Target {
    pub fn up(more: &str) -> Target {
        let mut person = Person::new("target");
        person.up(more);
        let (at, node) = place_of(&person);
        Target { person, at, node }
    }

    /// In a network namespace, where it looks for neighbours.
    pub fn up_in(network: &str) -> Target {
        let mut person = Person::new("target");
        person.up_in(network);
        let (at, node) = place_of(&person);
        Target { person, at, node }
    }

    pub fn carry(&self) -> CarryRow {
        serde_json::from_value(self.person.json("carry")).unwrap()
    }

    /// The ids of all that is in the inbox, sorted.
    pub fn inbox(&self) -> Vec<String> {
        ids(self.person.rows("inbox"))
    }

    /// The ids of the messages that are carried, sorted.
    pub fn carried_messages(&self) -> Vec<String> {
        ids(self.person.rows("carry list").into_iter().filter(|row| row["kind"] != "receipt").collect())
    }

    /// The ids of what its owner wrote.
    pub fn sent(&self) -> Vec<String> {
        ids(self.person.rows("status"))
    }

    /// Gives the owner somebody to write to, who is never there.
    pub fn befriend(&self) {
        let friend = NodeId::from_trusted(SigningKey::from_bytes(&[77; 32]).verifying_key().to_bytes());
        self.name("friend", friend);
    }

    /// Makes a contact of somebody.
    pub fn name(&self, name: &str, node: NodeId) {
        let address = dak::ticket::Ticket::new(node, [], None).to_string();
        assert_eq!(self.person.run(&format!("contact add {name} {address}")).code, 0);
    }

    pub fn watch(&self) -> Watch {
        Watch::start(self.person.home(), self.person.pid())
    }
}

fn ids(rows: Vec<serde_json::Value>) -> Vec<String> {
    let mut ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Where a person's node listens, and its name.
pub fn place_of(person: &Person) -> (SocketAddr, NodeId) {
    let me = person.json("me");
    let listen = me["listen"][0].as_str().unwrap().to_owned();
    let parts: Vec<&str> = listen.split('/').collect();
    let at = format!("{}:{}", parts[2], parts[4]).parse().unwrap();
    (at, NodeId::from_peer_id(me["peer_id"].as_str().unwrap()).unwrap())
}

/// Somebody who uses the local API all the while and looks at the process.
pub struct Watch {
    stop: Arc<AtomicBool>,
    rss_peak: Arc<AtomicU64>,
    file_peak: Arc<AtomicU64>,
    carried_peak: Arc<AtomicU64>,
    thread: Option<JoinHandle<Vec<f64>>>,
}

/// What a watch has seen.
#[derive(Debug)]
pub struct Seen {
    pub asked: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub worst_ms: f64,
    pub rss_bytes: u64,
    pub file_bytes: u64,
    /// Live bytes that count against the quota.
    pub carried_bytes: u64,
}

impl Watch {
    fn start(home: PathBuf, pid: u32) -> Watch {
        let [rss_peak, file_peak, carried_peak] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let (halt, rss, file, carried) = (stop.clone(), rss_peak.clone(), file_peak.clone(), carried_peak.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let home = dak::home::Home::find(Some(&home)).unwrap();
            let client = Client::new(home.socket_path());
            let mut times = Vec::new();
            for n in 0.. {
                if halt.load(Ordering::Relaxed) {
                    break;
                }
                let asked = Instant::now();
                let answer = runtime.block_on(ask(&client, n)).expect("the node answers");
                times.push(asked.elapsed().as_secs_f64() * 1e3);
                if let Some(Response::Carry(row)) = answer {
                    carried.fetch_max(row.bytes, Ordering::Relaxed);
                }
                rss.fetch_max(rss_bytes(pid), Ordering::Relaxed);
                file.fetch_max(std::fs::metadata(home.store_path()).map_or(0, |file| file.len()), Ordering::Relaxed);
                std::thread::sleep(PROBE_PAUSE);
            }
            times
        });
        Watch { stop, rss_peak, file_peak, carried_peak, thread: Some(thread) }
    }

    pub fn end(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut times = self.thread.take().expect("it ends once").join().expect("the node answered to the end");
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        Seen {
            asked: times.len(),
            p50_ms: at(50),
            p99_ms: at(99),
            worst_ms: at(100),
            rss_bytes: self.rss_peak.load(Ordering::Relaxed),
            file_bytes: self.file_peak.load(Ordering::Relaxed),
            carried_bytes: self.carried_peak.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Asks what a person does, in turn; a listing is read to its end.
async fn ask(client: &Client, n: usize) -> Result<Option<Response>, ApiError> {
    let listing = match n % 12 {
        0 | 6 => Listing::Inbox { unread: false, limit: Some(20), text_chars: None, show: Show::Waiting },
        2 | 8 => Listing::Status { limit: None, unsettled: false, to: None },
        _ => return client.call(&question(n)).await.map(Some),
    };
    let rows: Vec<Row> = client.list(&listing).await?.collect().await;
    match rows.into_iter().next_back() {
        Some(Row::Ended(why)) => Err(why),
        _ => Ok(None),
    }
}

/// What is answered at once; every twelfth is a message that must be durable before the answer.
fn question(n: usize) -> Request {
    match n % 12 {
        1 | 7 => Request::Carry,
        3 => Request::ContactList,
        4 | 9 => Request::Peers,
        5 => Request::Send(Box::new(Compose { to: "friend".into(), text: format!("note {n}"), ..Compose::default() })),
        _ => Request::Health,
    }
}

fn rss_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1_024
}

/// Open files, threads and connections of the node.
pub fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}
