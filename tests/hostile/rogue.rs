//! A peer in a contact of the real protocol that says whatever it is told to.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dak::cbor::{Reader, Writer};
use dak::frame::{Frame, Hello, Incoming, PROTOCOL_VERSION, RoutingInfo};
use ed25519_dalek::SigningKey;
use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use yamux::Stream;

use super::wire::{CONTACT, Wire, consent, propose};

/// How long a contact may take to come up.
const CONTACT_TIME: Duration = Duration::from_secs(15);

/// A contact; over when dropped.
pub struct Rogue {
    pub out: Stream,
    pub heard: Arc<Heard>,
    /// The node's frames, for who asked to see them.
    pub frames: mpsc::UnboundedReceiver<Vec<u8>>,
    pub wire: Wire,
    reader: Option<tokio::task::JoinHandle<()>>,
}

/// What the node said so far.
#[derive(Default)]
pub struct Heard {
    pub accepted: AtomicU64,
    pub refused: AtomicU64,
    /// The ids accepted, as their prefixes.
    pub ids: std::sync::Mutex<BTreeSet<u64>>,
    /// And of those that receipts name by four bytes, these.
    named: std::sync::Mutex<BTreeSet<u32>>,
    pub is_over: AtomicBool,
}

/// What is done with the node's frames.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ears {
    /// Answers are counted.
    Count,
    /// And all frames are kept.
    Keep,
    /// Nothing is read at all.
    Shut,
}

impl Rogue {
    /// Dials, opens a contact and says Hello.
    pub async fn meet(key: &SigningKey, to: SocketAddr, ears: Ears) -> io::Result<Rogue> {
        let mut rogue = Rogue::contact(key, to, ears).await?;
        rogue.say(&framed(&Frame::Hello(hello()).encode().unwrap())).await?;
        Ok(rogue)
    }

    /// Dials and opens a contact in which nothing was said yet.
    pub async fn contact(key: &SigningKey, to: SocketAddr, ears: Ears) -> io::Result<Rogue> {
        timeout(CONTACT_TIME, Rogue::open(key, to, ears)).await?
    }

    async fn open(key: &SigningKey, to: SocketAddr, ears: Ears) -> io::Result<Rogue> {
        let mut wire = Wire::dial(key, to).await?;
        let mut out = wire.open().await?;
        propose(&mut out, CONTACT).await?;
        let inbound = loop {
            let mut stream = wire.arriving.recv().await.ok_or(io::ErrorKind::UnexpectedEof)?;
            if consent(&mut stream, CONTACT).await.unwrap_or(false) {
                break stream;
            }
        };
        let heard = Arc::new(Heard::default());
        let (give, frames) = mpsc::unbounded_channel();
        let reader = match ears {
            // Held open and never read.
            Ears::Shut => tokio::spawn(async move {
                let _inbound = inbound;
                std::future::pending::<()>().await;
            }),
            ears => tokio::spawn(listen(inbound, Arc::clone(&heard), (ears == Ears::Keep).then_some(give))),
        };
        Ok(Rogue { out, heard, frames, wire, reader: Some(reader) })
    }

    /// Writes bytes as they are.
    pub async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes).await?;
        self.out.flush().await
    }

    pub fn is_over(&self) -> bool {
        self.wire.is_over() || self.heard.is_over.load(Ordering::Relaxed)
    }

    /// Waits until the bundle whose id begins so was accepted, or the contact is over. Receipts for others come along too.
    pub async fn accepted(&self, prefix: u64, patience: Duration) -> bool {
        let until = tokio::time::Instant::now() + patience;
        while !self.heard.has(prefix) {
            if self.is_over() || tokio::time::Instant::now() > until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }

    /// Waits until so many bundles were answered for, or the contact is over.
    pub async fn answered(&self, count: u64, patience: Duration) -> bool {
        let until = tokio::time::Instant::now() + patience;
        while self.heard.answers() < count {
            if self.is_over() || tokio::time::Instant::now() > until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.abort();
        }
    }
}

impl Heard {
    /// Whether the bundle whose id begins so was accepted.
    pub fn has(&self, prefix: u64) -> bool {
        let is_named = self.named.lock().unwrap().contains(&((prefix >> 32) as u32));
        is_named || self.ids.lock().unwrap().contains(&prefix)
    }

    /// How many bundles were accepted besides those whose ids begin so.
    pub fn beside(&self, known: &BTreeSet<u64>) -> u64 {
        let names: BTreeSet<u32> = known.iter().map(|prefix| (prefix >> 32) as u32).collect();
        let (ids, named) = (self.ids.lock().unwrap(), self.named.lock().unwrap());
        (ids.difference(known).count() + named.difference(&names).count()) as u64
    }

    pub fn answers(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed) + self.refused.load(Ordering::Relaxed)
    }
}

async fn listen(mut stream: Stream, heard: Arc<Heard>, keep: Option<mpsc::UnboundedSender<Vec<u8>>>) {
    while let Ok(frame) = read_frame(&mut stream).await {
        match Incoming::decode(&frame) {
            Ok(Incoming::Frame(Frame::Accepted { grants })) => {
                heard.accepted.fetch_add(grants.len() as u64, Ordering::Relaxed);
                heard.ids.lock().unwrap().extend(grants.iter().map(|(prefix, _)| *prefix));
            }
            Ok(Incoming::Folded { folded, .. }) => {
                let (whole, named) = proven_by(folded).unwrap_or_default();
                heard.accepted.fetch_add((whole.len() + named.len()) as u64, Ordering::Relaxed);
                heard.ids.lock().unwrap().extend(whole);
                heard.named.lock().unwrap().extend(named);
            }
            Ok(Incoming::Frame(Frame::Refused { .. })) => drop(heard.refused.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        if let Some(keep) = &keep {
            let _ = keep.send(frame);
        }
    }
    heard.is_over.store(true, Ordering::Relaxed);
}

/// The first bytes of the ids that a folded receipt names, whole or by four bytes: it is the answer for them.
fn proven_by(folded: &[u8]) -> Option<(Vec<u64>, Vec<u32>)> {
    let mut reader = Reader::new(folded);
    let [shape, class] = *reader.take(2).ok()? else { return None };
    // A receipt whose payload is folded.
    if shape & 0x81 != 0x81 {
        return None;
    }
    reader.take(6).ok()?;
    for _number in 0..5 {
        reader.uint().ok()?;
    }
    let keys = [3, 5].iter().filter(|at| shape >> *at & 0b11 == 0).count();
    reader.take(keys * 32 + 64).ok()?;
    let ids = reader.rest();
    if class & 0x20 != 0 {
        return Some((Vec::new(), ids.as_chunks().0.iter().map(|name| u32::from_be_bytes(*name)).collect()));
    }
    Some((ids.as_chunks::<32>().0.iter().map(|id| dak::id::BundleId(*id).prefix()).collect(), Vec::new()))
}

pub async fn read_frame(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let (mut len, mut shift) = (0, 0);
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        len |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] < 0x80 {
            break;
        }
    }
    let mut frame = vec![0; len];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// The Hello of somebody who knows nothing, takes everything and pushes nothing.
pub fn hello() -> Hello {
    Hello {
        version: PROTOCOL_VERSION,
        bundle_bytes_max: 1 << 20,
        window_bytes: u32::MAX,
        carries: true,
        pushes: false,
        mailboxes: Vec::new(),
        routing: RoutingInfo::None,
        nonce: [9; 16],
        count: 0,
        root: [0; 16],
        interests: Vec::new(),
    }
}

/// A frame behind its length.
pub fn framed(frame: &[u8]) -> Vec<u8> {
    [&length(frame.len()), frame].concat()
}

/// A length as it stands before a frame.
pub fn length(len: usize) -> Vec<u8> {
    let more = (1..).map(|n| len >> (7 * n)).take_while(|rest| *rest > 0).count();
    (0..=more).map(|n| (len >> (7 * n)) as u8 & 0x7f | if n < more { 0x80 } else { 0 }).collect()
}

/// The frame that hands over these bytes as a bundle, behind its length.
pub fn handing_over(bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(bytes.len() + 16);
    frame.array(3);
    frame.uint(10u8);
    frame.uint(1u8);
    frame.bytes(bytes);
    framed(&frame)
}
