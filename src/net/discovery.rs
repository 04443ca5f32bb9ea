//! Finding neighbours by multicast DNS: a hint and no more.
//!
//! One thread of its own, so that a flood costs none of the swarm's time, with a [`Link`] for each interface and family of
//! addresses. It asks often while somebody is likely to be found, which is for a minute after the start or a change of
//! interfaces, and then seldom, and not at all while others ask: answers are for all to hear. It answers a moment after it
//! was asked, at most once a second, says without being asked that it is there, and takes it back when it stops.
//!
//! What is heard is believed of the address that it came from, where that is in a network of the interface that heard
//! it. All else may be forged, and so may this: Noise proves who answers.

mod heard;
mod link;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use self::heard::{Heard, TTL};
pub(super) use self::link::ear;
use self::link::{Key, Link};
use self::record::{PACKET_BYTES_MAX, Said};
use super::interfaces::{Changes, Interfaces, Place};
use super::jitter::Jitter;
use super::{Multicast, address};

/// How often to ask at most while somebody is likely to be found; the first questions come closer together.
const EAGER: Duration = Duration::from_secs(5);
const FIRST: Duration = Duration::from_millis(500);
/// For how long.
const EAGER_FOR: Duration = Duration::from_secs(60);
/// How often to ask afterwards, where nobody else does.
const CALM: Duration = Duration::from_secs(60);
/// By how much that varies, so that one asks for all.
const CALM_SPREAD_MS: usize = 20_000;
/// What gives reason to ask comes in bursts.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an answer waits, so that not all answer at once (RFC 6762, section 6).
const ANSWER_MIN: Duration = Duration::from_millis(20);
const ANSWER_SPREAD_MS: usize = 100;
/// What was said is not said again so soon.
const ANSWER_AGAIN: Duration = Duration::from_secs(1);
/// Interfaces and addresses change in bursts, one event for each.
const SETTLE: Duration = Duration::from_millis(50);
/// How long to rest after a fault.
const FAULT_PAUSE: Duration = Duration::from_secs(5);
/// A twin that goes on is not told again so soon.
const TWIN_AGAIN: Duration = Duration::from_secs(30);
/// Interfaces and families that are listened to.
const LINKS_MAX: usize = 32;
/// Sightings that wait for the swarm; more are dropped, as a hint may be.
const SIGHTINGS_MAX: usize = 256;

/// What was heard, of addresses near by that can be dialed.
#[derive(Debug)]
pub(super) enum Sighting {
    Seen(PeerId, Multiaddr),
    /// It said goodbye, fell silent, or its interface is gone.
    Gone(PeerId, Multiaddr),
    /// Another node answers to the name of this one.
    Twin(Multiaddr),
}

/// A running search.
pub(super) struct Discovery {
    sightings: mpsc::Receiver<Sighting>,
    ask: Arc<Notify>,
    done: oneshot::Receiver<()>,
}

impl Discovery {
    /// Starts to look around, in the name of `me` wherever `listening` says; ends when the sender of that is dropped.
    pub fn start(
        me: PeerId,
        listening: watch::Receiver<BTreeSet<Multiaddr>>,
        multicast: watch::Sender<Multicast>,
        jitter: Jitter,
    ) -> io::Result<Discovery> {
        let (sender, sightings) = mpsc::channel(SIGHTINGS_MAX);
        let (done_sender, done) = oneshot::channel();
        let ask = Arc::new(Notify::new());
        let asked = Arc::clone(&ask);
        thread::Builder::new().name("mdns".into()).spawn(move || {
            let _done = done_sender;
            let mut jitter = jitter;
            again_after_faults(FAULT_PAUSE, |fault| {
                if fault {
                    tracing::error!("the search for neighbours broke, and begins anew");
                    multicast.send_replace(Multicast::Fails("the search broke; it has begun anew".into()));
                }
                let jitter = Jitter::from_seed(jitter.seed());
                let looking = Looking::new(me, listening.clone(), sender.clone(), multicast.clone(), jitter);
                match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime.block_on(looking.look(Arc::clone(&asked))),
                    Err(error) => drop(multicast.send_replace(Multicast::Fails(error.to_string()))),
                }
            });
        })?;
        Ok(Discovery { sightings, ask, done })
    }

    /// Asks who is there once more: something changed.
    pub fn ask(&self) {
        self.ask.notify_one();
    }

    /// Waits for the next sighting; `None` once the search has ended.
    pub async fn next(&mut self) -> Option<Sighting> {
        self.sightings.recv().await
    }

    /// Says goodbye to the network.
    pub async fn stop(mut self) {
        self.sightings.close();
        // An error says that the thread is gone, which is what is waited for.
        let _ = self.done.await;
    }
}

/// Runs what should end by itself, and runs it anew, told so, when a fault of our own ended it: who feeds it packets must
/// not be able to end it for good.
fn again_after_faults(pause: Duration, mut run: impl FnMut(bool)) {
    let mut fault = false;
    while catch_unwind(AssertUnwindSafe(|| run(fault))).is_err() {
        fault = true;
        thread::sleep(pause);
    }
}

struct Looking {
    me: PeerId,
    /// The name of this node's records: no two nodes may have the same.
    label: String,
    listening: watch::Receiver<BTreeSet<Multiaddr>>,
    sightings: mpsc::Sender<Sighting>,
    multicast: watch::Sender<Multicast>,
    jitter: Jitter,
    interfaces: Interfaces,
    links: BTreeMap<Key, Ear>,
    /// Why an interface cannot be listened to.
    failed: BTreeMap<Key, String>,
    asking: Asking,
    /// When a twin was told last.
    twin: Option<Instant>,
}

/// A link, who is heard there, and what is owed there.
struct Ear {
    link: Link,
    heard: Heard,
    answered: Option<Instant>,
    answer_at: Option<Instant>,
}

/// When to ask.
struct Asking {
    last: Instant,
    next: Instant,
    eager_until: Instant,
    pause: Duration,
}

impl Looking {
    fn new(
        me: PeerId,
        listening: watch::Receiver<BTreeSet<Multiaddr>>,
        sightings: mpsc::Sender<Sighting>,
        multicast: watch::Sender<Multicast>,
        mut jitter: Jitter,
    ) -> Looking {
        let label = format!("{:x}{:x}", jitter.below(usize::MAX), jitter.below(usize::MAX));
        let (interfaces, asking) = (Interfaces::default(), Asking::eagerly(Instant::now()));
        let (links, failed) = (BTreeMap::new(), BTreeMap::new());
        Looking { me, label, listening, sightings, multicast, jitter, interfaces, links, failed, asking, twin: None }
    }

    async fn look(mut self, asked: Arc<Notify>) {
        let mut changes = Changes::new();
        let mut buffer = [0; PACKET_BYTES_MAX];
        self.find_links(Instant::now());
        loop {
            let wake = self.next_wake();
            tokio::select! {
                (key, heard) = hear(&mut self.links, &mut buffer) => match heard {
                    Ok((length, from)) => self.take(key, &buffer[..length], from),
                    Err(error) => self.lose(key, &error),
                },
                () = changes.next() => {
                    sleep(SETTLE).await;
                    self.find_links(Instant::now());
                }
                changed = self.listening.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    sleep(SETTLE).await;
                    self.listening.mark_unchanged();
                    self.announce(Instant::now());
                }
                () = asked.notified() => self.asking.soon(Instant::now()),
                () = sleep_until(wake) => self.tick(Instant::now()),
                () = self.sightings.closed() => break,
            }
        }
        self.say_goodbye();
    }

    /// Listens where there is an interface to listen to, and no more where there is none. Other interfaces mean another
    /// network, perhaps: somebody may be there to be found.
    fn find_links(&mut self, now: Instant) {
        match Interfaces::now() {
            Ok(interfaces) => self.interfaces = interfaces,
            Err(error) => tracing::debug!(%error, "the system does not tell its interfaces"),
        }
        let mut wanted: BTreeMap<Key, Vec<Place>> = BTreeMap::new();
        for place in self.interfaces.reachable() {
            let key = (place.index, place.ip.is_ipv6());
            if wanted.len() < LINKS_MAX || wanted.contains_key(&key) {
                wanted.entry(key).or_default().push(place.clone());
            }
        }
        let stale = |key: &Key, ear: &mut Ear| wanted.get(key).is_none_or(|places| !ear.link.has(places));
        let gone: Vec<(Key, Ear)> = self.links.extract_if(.., |key, ear| stale(key, ear)).collect();
        gone.into_iter().for_each(|(_, ear)| ear.heard.clear().for_each(|sighting| self.tell(sighting)));
        self.failed.retain(|key, _| wanted.contains_key(key));
        let mut fresh = false;
        for (key, places) in wanted {
            if self.links.contains_key(&key) {
                continue;
            }
            match Link::open(places, now) {
                Ok(link) => {
                    self.links.insert(key, Ear { link, heard: Heard::new(now), answered: None, answer_at: None });
                    self.failed.remove(&key);
                    fresh = true;
                }
                Err(error) => {
                    tracing::debug!(index = key.0, v6 = key.1, %error, "multicast cannot be listened to");
                    self.failed.insert(key, error.to_string());
                }
            }
        }
        if fresh {
            self.announce(now);
        }
        self.judge();
    }

    /// Says that this node is here, and asks who else is.
    fn announce(&mut self, now: Instant) {
        self.asking = Asking::eagerly(now);
        for key in self.links.keys().copied().collect::<Vec<_>>() {
            self.answer(key, TTL, now);
        }
    }

    fn tick(&mut self, now: Instant) {
        let mut gone = Vec::new();
        let mut due = Vec::new();
        for (key, ear) in &mut self.links {
            ear.link.tick(now);
            gone.extend(ear.heard.expire(now));
            if ear.answer_at.is_some_and(|at| at <= now) {
                due.push(*key);
            }
        }
        gone.into_iter().for_each(|sighting| self.tell(sighting));
        due.into_iter().for_each(|key| self.answer(key, TTL, now));
        if self.asking.next <= now {
            // An address may have been too young to speak when it was found.
            if !self.failed.is_empty() {
                self.find_links(now);
            }
            self.asking.wait(now, &mut self.jitter);
            self.links.values_mut().for_each(|ear| ear.link.ask(&record::question(), now));
        }
        self.judge();
    }

    fn next_wake(&self) -> Instant {
        let of = |ear: &Ear| [ear.answer_at, ear.heard.next_expiry(), ear.link.next_wake()].into_iter().flatten().min();
        self.links.values().filter_map(of).fold(self.asking.next, Instant::min)
    }

    fn take(&mut self, key: Key, packet: &[u8], from: SocketAddr) {
        let now = Instant::now();
        let Some(ear) = self.links.get_mut(&key) else { return };
        ear.link.heard();
        let claims = match record::read(packet) {
            _ if ear.link.is_own(from) || !ear.link.is_near(from) => return,
            None => return,
            Some(Said::Question) => {
                self.asked(key, now);
                return;
            }
            Some(Said::Answer(claims)) => claims,
        };
        let zone = ear.link.interface.clone();
        for claim in claims {
            let Some((said, _)) = address::dialable(&claim.addr).filter(|(said, _)| said.ip() == from.ip()) else {
                continue;
            };
            let addr = address::plain(said, Some(&zone));
            if claim.peer != self.me {
                let Some(ear) = self.links.get_mut(&key) else { return };
                let sighting = ear.heard.note(from.ip(), claim, addr, now, &mut self.jitter);
                sighting.into_iter().for_each(|sighting| self.tell(sighting));
            } else if !claim.ttl.is_zero() && !self.is_mine(said) && self.twin.is_none_or(|at| at + TWIN_AGAIN <= now) {
                self.twin = Some(now);
                self.tell(Sighting::Twin(addr));
            }
        }
    }

    /// Whether this very node listens there.
    fn is_mine(&self, socket: SocketAddr) -> bool {
        self.listening.borrow().iter().filter_map(address::parts).any(|(mine, _)| mine == socket)
    }

    /// Owes an answer, soon.
    fn asked(&mut self, key: Key, now: Instant) {
        let soon = now + ANSWER_MIN + Duration::from_millis(self.jitter.below(ANSWER_SPREAD_MS) as u64);
        if let Some(ear) = self.links.get_mut(&key) {
            let at = ear.answered.map_or(soon, |answered| soon.max(answered + ANSWER_AGAIN));
            ear.answer_at = Some(ear.answer_at.map_or(at, |before| before.min(at)));
        }
        self.asking.others_ask(now, &mut self.jitter);
    }

    fn answer(&mut self, key: Key, ttl: Duration, now: Instant) {
        let Some(ear) = self.links.get_mut(&key) else { return };
        ear.answer_at = None;
        ear.answered = Some(now);
        let (label, me, listening) = (&self.label, self.me, self.listening.borrow());
        let of = |ip: IpAddr| {
            let mine: Vec<Multiaddr> =
                listening.iter().filter(|addr| address::host(addr) == Some(ip)).cloned().collect();
            (!mine.is_empty()).then(|| record::answer(label, me, &mine, ttl))
        };
        ear.link.answer(of, now);
    }

    /// A link that cannot be read is opened anew, if its interface is still there.
    fn lose(&mut self, key: Key, error: &io::Error) {
        tracing::debug!(index = key.0, v6 = key.1, %error, "multicast cannot be heard");
        if let Some(ear) = self.links.remove(&key) {
            self.failed.insert(key, error.to_string());
            ear.heard.clear().for_each(|sighting| self.tell(sighting));
        }
    }

    fn say_goodbye(&mut self) {
        let now = Instant::now();
        for key in self.links.keys().copied().collect::<Vec<_>>() {
            self.answer(key, Duration::ZERO, now);
        }
    }

    fn tell(&self, sighting: Sighting) {
        // What does not fit is lost, as a hint may be.
        let _ = self.sightings.try_send(sighting);
    }

    /// Tells people whether any neighbour could be found.
    fn judge(&self) {
        let judged: Vec<_> = self.links.values().map(|ear| (&ear.link.interface, ear.link.works())).collect();
        let now = if judged.iter().any(|(_, works)| matches!(works, Some(Ok(())))) {
            Multicast::Works
        } else if judged.iter().any(|(_, works)| works.is_none()) {
            Multicast::Unknown
        } else if judged.is_empty() && self.failed.is_empty() {
            Multicast::Fails("this machine has no network".into())
        } else {
            let of_links =
                judged.iter().filter_map(|(name, works)| Some(format!("{name}: {}", (*works)?.as_ref().err()?)));
            let whys: BTreeSet<String> = of_links.chain(self.failed.values().cloned()).collect();
            Multicast::Fails(whys.into_iter().collect::<Vec<_>>().join("; "))
        };
        self.multicast.send_if_modified(|before| {
            let news = *before != now && now != Multicast::Unknown;
            if news {
                *before = now;
            }
            news
        });
    }
}

impl Asking {
    fn eagerly(now: Instant) -> Asking {
        Asking { last: now, next: now, eager_until: now + EAGER_FOR, pause: FIRST }
    }

    /// Asks as soon as that is no flood.
    fn soon(&mut self, now: Instant) {
        self.next = self.next.min(now.max(self.last + AGAIN));
    }

    /// Sets the next question after one was asked.
    fn wait(&mut self, now: Instant, jitter: &mut Jitter) {
        self.last = now;
        if now < self.eager_until {
            self.next = now + self.pause;
            self.pause = (self.pause * 2).min(EAGER);
        } else {
            self.next = now + CALM + Duration::from_millis(jitter.below(CALM_SPREAD_MS) as u64);
        }
    }

    /// The answers to others are for all to hear.
    fn others_ask(&mut self, now: Instant, jitter: &mut Jitter) {
        if now >= self.eager_until {
            self.wait(now, jitter);
        }
    }
}

/// Waits for a packet on any link.
async fn hear(links: &mut BTreeMap<Key, Ear>, buffer: &mut [u8]) -> (Key, io::Result<(usize, SocketAddr)>) {
    poll_fn(|cx| {
        let now = Instant::now();
        for (key, ear) in links.iter_mut() {
            if let Poll::Ready(heard) = ear.link.poll_hear(buffer, now, cx) {
                return Poll::Ready((*key, heard));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_breaks_begins_anew_and_one_that_is_over_does_not() {
        let mut runs = Vec::new();
        again_after_faults(Duration::ZERO, |fault| {
            runs.push(fault);
            assert!(runs.len() > 2, "our own fault");
        });
        assert_eq!(runs, [false, true, true]);
    }
}
