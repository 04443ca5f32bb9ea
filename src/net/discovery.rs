//! Finding neighbours by multicast DNS: a hint and no more.
//!
//! Runs libp2p's mDNS on a thread of its own, for what that leaves out:
//! - its rate of asking is fixed: here a fresh one asks every 5 s for a minute after the start or a change of addresses,
//!   then one that asks every 60 s takes its place;
//! - it keeps whatever anybody in the network claims, and walks through all of it for every claim: here it is thrown away
//!   with its list at [`CLAIMS_MAX`] and pauses, so a flood costs bounded memory and time, and none of the swarm's; real
//!   neighbours answer within milliseconds and are found at every new start;
//! - its tasks for each interface outlive it: here the runtime that they run on goes as well.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use libp2p::core::transport::ListenerId;
use libp2p::swarm::{FromSwarm, NetworkBehaviour, NewListenAddr, ToSwarm};
use libp2p::{Multiaddr, PeerId, mdns};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::address;

/// How often to ask while somebody is likely to be found.
const EAGER: Duration = Duration::from_secs(5);
/// For how long.
const EAGER_FOR: Duration = Duration::from_secs(60);
/// How often to ask afterwards.
const CALM: Duration = Duration::from_secs(60);
/// Pairs of peer and address that libp2p may remember.
const CLAIMS_MAX: usize = 4_096;
/// How long to be deaf after more than that.
const FLOOD_PAUSE: Duration = Duration::from_secs(1);
/// Claims of one host that are passed on within [`HOST_SPAN`]. libp2p replaces the address in a record by the one that
/// the packet came from, so a host can flood in its own name only.
const HOST_CLAIMS_MAX: u32 = 16;
const HOST_SPAN: Duration = Duration::from_secs(10);
/// How long others may remember our own record; three questions of the calm rate fit into it.
const TTL: Duration = Duration::from_secs(200);
/// Addresses of this node change in bursts, one event for each.
const SETTLE: Duration = Duration::from_millis(50);
/// Sightings that wait for the swarm; more are dropped, as a hint may be.
const SIGHTINGS_MAX: usize = 256;

/// What was heard, of addresses near by that can be dialed.
#[derive(Debug)]
pub(super) enum Sighting {
    Seen(PeerId, Multiaddr),
    /// A record ran out.
    Gone(PeerId, Multiaddr),
}

/// What to do when a run of libp2p's mDNS is over.
enum Next {
    AskEagerly,
    AskCalmly,
    Pause,
    Stop,
}

/// Starts looking around; ends when the receiver or the sender of `listening` is dropped.
pub(super) fn start(
    me: PeerId,
    listening: watch::Receiver<BTreeSet<Multiaddr>>,
) -> io::Result<mpsc::Receiver<Sighting>> {
    let (sightings, receiver) = mpsc::channel(SIGHTINGS_MAX);
    thread::Builder::new().name("mdns".into()).spawn(move || {
        let claims = Claims { of: BTreeMap::new(), since: Instant::now() };
        let mut looking = Looking { me, listening, sightings, claims };
        if let Err(error) = looking.look() {
            tracing::warn!(%error, "mDNS stopped; neighbours are found by --peer only");
        }
    })?;
    Ok(receiver)
}

struct Looking {
    me: PeerId,
    listening: watch::Receiver<BTreeSet<Multiaddr>>,
    sightings: mpsc::Sender<Sighting>,
    claims: Claims,
}

/// How much each host said lately.
struct Claims {
    of: BTreeMap<IpAddr, u32>,
    since: Instant,
}

impl Looking {
    fn look(&mut self) -> io::Result<()> {
        let mut next = Next::AskEagerly;
        loop {
            // One for each run, because dropping it ends the tasks that mDNS leaves behind.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            next = runtime.block_on(async {
                match next {
                    Next::AskEagerly => self.ask(EAGER, Some(EAGER_FOR)).await,
                    Next::AskCalmly => self.ask(CALM, None).await,
                    Next::Pause => self.pause(FLOOD_PAUSE).await,
                    Next::Stop => Next::Stop,
                }
            });
            if let Next::Stop = next {
                return Ok(());
            }
        }
    }

    async fn ask(&mut self, every: Duration, span: Option<Duration>) -> Next {
        let config = mdns::Config { ttl: TTL, query_interval: every, enable_ipv6: false };
        let mut asking = match mdns::tokio::Behaviour::new(config, self.me) {
            Ok(asking) => asking,
            Err(error) => {
                tracing::debug!(%error, "mDNS does not start; trying again");
                return self.pause(CALM).await;
            }
        };
        let listener_id = ListenerId::next();
        for addr in self.listening.borrow_and_update().iter() {
            asking.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
        }
        let end = span.map(|span| Instant::now() + span);
        loop {
            tokio::select! {
                happened = poll_fn(|cx| asking.poll(cx)) => {
                    // The rest are addresses for other behaviours of a swarm.
                    if let ToSwarm::GenerateEvent(event) = happened {
                        self.tell(event, Instant::now());
                    }
                    if asking.discovered_nodes().len() > CLAIMS_MAX {
                        tracing::debug!("more neighbours are claimed over mDNS than can be; pausing");
                        return Next::Pause;
                    }
                }
                changed = self.listening.changed() => {
                    sleep(SETTLE).await;
                    // Other addresses mean another network, perhaps: somebody may be there to be found.
                    return if changed.is_ok() { Next::AskEagerly } else { Next::Stop };
                }
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => return Next::AskCalmly,
                () = self.sightings.closed() => return Next::Stop,
            }
        }
    }

    async fn pause(&mut self, span: Duration) -> Next {
        tokio::select! {
            () = sleep(span) => Next::AskEagerly,
            () = self.sightings.closed() => Next::Stop,
        }
    }

    fn tell(&mut self, event: mdns::Event, now: Instant) {
        let (pairs, sighting): (_, fn(PeerId, Multiaddr) -> Sighting) = match event {
            mdns::Event::Discovered(pairs) => (pairs, Sighting::Seen),
            mdns::Event::Expired(pairs) => (pairs, Sighting::Gone),
        };
        for (peer, addr) in pairs {
            let Some((socket, addr)) = address::dialable(&addr) else { continue };
            if address::is_near(socket.ip()) && self.claims.admit(socket.ip(), now) {
                // What does not fit is lost, as a hint may be.
                let _ = self.sightings.try_send(sighting(peer, addr));
            }
        }
    }
}

impl Claims {
    fn admit(&mut self, host: IpAddr, now: Instant) -> bool {
        if now >= self.since + HOST_SPAN {
            self.since = now;
            self.of.clear();
        }
        let claims = self.of.entry(host).or_default();
        *claims += 1;
        *claims <= HOST_CLAIMS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_floods_is_not_heard_and_others_are() {
        let now = Instant::now();
        let mut claims = Claims { of: BTreeMap::new(), since: now };
        let [loud, quiet] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let heard = (0..10_000).filter(|_| claims.admit(loud, now)).count();
        assert_eq!(heard, HOST_CLAIMS_MAX as usize);
        assert!(claims.admit(quiet, now));
        assert!(claims.admit(loud, now + HOST_SPAN));
    }
}
