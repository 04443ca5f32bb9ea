//! Multicast on one interface, in one family of addresses.
//!
//! One socket hears what is said to the group on this interface alone, so that a flood on one cable keeps no other from
//! being read. One more for each address of the interface speaks with that address: what is said there is believed of the
//! address that it comes from, and of no other.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::time::Instant;

use crate::net::address;
use crate::net::interfaces::Place;

const PORT: u16 = 5_353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// RFC 6762, section 11: packets are sent with it, so that one of far away could be told.
const TTL: u32 = 255;
/// Addresses of one interface that speak.
const VOICES_MAX: usize = 4;
/// Packets read in one second; more are left to the kernel, which drops them.
const PACKETS_MAX: u32 = 1_000;
const SECOND: Duration = Duration::from_secs(1);
/// How long what was sent may take to be heard here.
const ECHO: Duration = Duration::from_secs(2);

/// An interface, by its index, and whether IPv6 is meant.
pub type Key = (u32, bool);

pub struct Link {
    pub interface: String,
    places: Vec<Place>,
    ear: tokio::net::UdpSocket,
    voices: Vec<Voice>,
    /// Packets read since when.
    read: (u32, Instant),
    /// When something was sent that was not heard yet.
    sent: Option<Instant>,
    /// Whether multicast works here, once that is known.
    works: Option<Result<(), String>>,
}

/// An address of this machine that speaks.
struct Voice {
    ip: IpAddr,
    port: u16,
    socket: UdpSocket,
}

impl Link {
    /// Joins the group with the addresses of one interface and family, of which there is one at least. Must be called
    /// inside a tokio runtime.
    pub fn open(places: Vec<Place>, now: Instant) -> io::Result<Link> {
        let first = &places[0];
        let ear = ear(first)?;
        // The address of the link itself first: everybody there can answer it.
        let mut speakers: Vec<&Place> = places.iter().collect();
        speakers.sort_by_key(|place| !address::is_link_local(place.ip));
        let voices: io::Result<Vec<Voice>> = speakers.into_iter().take(VOICES_MAX).map(voice).collect();
        let (interface, voices) = (first.interface.clone(), voices?);
        Ok(Link { interface, places, ear, voices, read: (0, now), sent: None, works: None })
    }

    pub fn has(&self, places: &[Place]) -> bool {
        self.places == places
    }

    fn is_v6(&self) -> bool {
        self.places[0].ip.is_ipv6()
    }

    /// Says one thing with the first address.
    pub fn ask(&mut self, packet: &[u8], now: Instant) {
        self.send(0, packet, now);
    }

    /// Says with each address what there is to say of it.
    pub fn answer(&mut self, of: impl Fn(IpAddr) -> Option<Vec<u8>>, now: Instant) {
        for at in 0..self.voices.len() {
            let Some(packet) = of(self.voices[at].ip) else { continue };
            self.send(at, &packet, now);
            // Whoever hears one IPv6 address of this link can reach it.
            if self.is_v6() {
                return;
            }
        }
    }

    fn send(&mut self, voice: usize, packet: &[u8], now: Instant) {
        let group: SocketAddr = match self.is_v6() {
            true => SocketAddrV6::new(GROUP_V6, PORT, 0, self.places[0].index).into(),
            false => (GROUP_V4, PORT).into(),
        };
        match self.voices[voice].socket.send_to(packet, group) {
            Ok(_) => self.sent = self.sent.or(Some(now)),
            // A queue that is full for a moment says nothing of the network.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.works = Some(Err(format!("sending failed: {error}"))),
        }
    }

    /// Takes the next packet, unless there were too many within this second.
    pub fn poll_hear(
        &mut self,
        buffer: &mut [u8],
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        if now >= self.read.1 + SECOND {
            self.read = (0, now);
        }
        if self.read.0 >= PACKETS_MAX {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(buffer);
        self.ear.poll_recv_from(cx, &mut buffer).map_ok(|from| {
            self.read.0 += 1;
            (buffer.filled().len(), from)
        })
    }

    /// When to look at this link again although nothing happens.
    pub fn next_wake(&self) -> Option<Instant> {
        let full = (self.read.0 >= PACKETS_MAX).then(|| self.read.1 + SECOND);
        full.into_iter().chain(self.sent.map(|sent| sent + ECHO)).min()
    }

    /// Notes that something was heard here, be it one's own word.
    pub fn heard(&mut self) {
        self.sent = None;
        self.works = Some(Ok(()));
    }

    /// Judges what was sent and should have been heard by now.
    pub fn tick(&mut self, now: Instant) {
        if self.sent.is_some_and(|sent| sent + ECHO <= now) {
            self.sent = None;
            self.works = Some(Err("what this node says there is not heard even here".into()));
        }
    }

    /// Whether multicast works here; `None` while nobody can know.
    pub fn works(&self) -> Option<&Result<(), String>> {
        self.works.as_ref()
    }

    /// Whether this node itself said it.
    pub fn is_own(&self, from: SocketAddr) -> bool {
        self.voices.iter().any(|voice| (voice.ip, voice.port) == (from.ip(), from.port()))
    }

    /// Whether a packet came from a machine of this very network.
    pub fn is_near(&self, from: SocketAddr) -> bool {
        let here = match from {
            SocketAddr::V6(from) if from.ip().is_unicast_link_local() => from.scope_id() == self.places[0].index,
            _ => true,
        };
        here && self.places.iter().any(|place| place.surrounds(from.ip()))
    }
}

/// A socket that hears what is said to the group on one interface.
pub fn ear(place: &Place) -> io::Result<tokio::net::UdpSocket> {
    let v6 = place.ip.is_ipv6();
    let socket = Socket::new(if v6 { Domain::IPV6 } else { Domain::IPV4 }, Type::DGRAM, Some(Protocol::UDP))?;
    // Others on this machine listen there as well. Elsewhere that needs SO_REUSEPORT besides; Linux takes sockets that have
    // it for one service, and since 6.6 gives a packet for a group to one of them by chance, whatever interface each is for.
    socket.set_reuse_address(true)?;
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    if v6 {
        socket.set_only_v6(true)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
        socket.join_multicast_v6(&GROUP_V6, place.index)?;
    } else {
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        socket.join_multicast_v4_n(&GROUP_V4, &socket2::InterfaceIndexOrAddress::Index(place.index))?;
    }
    // Else Linux hands over what any socket of this machine asked for on any interface.
    #[cfg(target_os = "linux")]
    match v6 {
        true => socket.set_multicast_all_v6(false)?,
        false => socket.set_multicast_all_v4(false)?,
    }
    socket.set_nonblocking(true)?;
    tokio::net::UdpSocket::from_std(socket.into())
}

fn voice(place: &Place) -> io::Result<Voice> {
    let v6 = place.ip.is_ipv6();
    let socket = Socket::new(if v6 { Domain::IPV6 } else { Domain::IPV4 }, Type::DGRAM, Some(Protocol::UDP))?;
    match place.ip {
        IpAddr::V4(ip) => {
            socket.bind(&SocketAddr::from((ip, 0)).into())?;
            socket.set_multicast_if_v4(&ip)?;
            socket.set_multicast_ttl_v4(TTL)?;
            socket.set_multicast_loop_v4(true)?;
        }
        IpAddr::V6(ip) => {
            let scope = if address::is_link_local(place.ip) { place.index } else { 0 };
            socket.bind(&SocketAddr::from(SocketAddrV6::new(ip, 0, 0, scope)).into())?;
            socket.set_multicast_if_v6(place.index)?;
            socket.set_multicast_hops_v6(TTL)?;
            socket.set_multicast_loop_v6(true)?;
        }
    }
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from(socket);
    Ok(Voice { ip: place.ip, port: socket.local_addr()?.port(), socket })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::net::interfaces::Side;

    /// Both tests would hear what the other says.
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    /// The loopback, on which everything said is heard.
    fn loopback(now: Instant) -> Link {
        let [interface, ip] = ["lo", "127.0.0.1"];
        let place = Place {
            interface: interface.into(),
            index: 1,
            ip: ip.parse().unwrap(),
            prefix: 8,
            runs: true,
            side: Side::Loopback,
        };
        Link::open(vec![place], now).unwrap()
    }

    #[tokio::test]
    async fn a_link_works_once_its_own_word_is_heard_and_does_not_where_it_is_not() {
        let _alone = ALONE.lock().await;
        let now = Instant::now();
        let mut link = loopback(now);
        assert_eq!(link.works(), None);
        link.ask(b"is anybody there?", now);
        link.tick(now + ECHO / 2);
        assert_eq!(link.works(), None, "it is too early to tell");
        link.tick(now + ECHO);
        assert!(matches!(link.works(), Some(Err(why)) if why.contains("not heard")));

        let mut buffer = [0; 100];
        loop {
            let (length, from) = poll_fn(|cx| link.poll_hear(&mut buffer, now, cx)).await.unwrap();
            if link.is_own(from) {
                assert_eq!(&buffer[..length], b"is anybody there?");
                break;
            }
        }
        link.heard();
        link.tick(now + ECHO * 2);
        assert_eq!(link.works(), Some(&Ok(())));
    }

    #[tokio::test]
    async fn a_flood_is_read_up_to_a_bound_and_on_in_the_next_second() {
        let _alone = ALONE.lock().await;
        let now = Instant::now();
        let mut link = loopback(now);
        let mut buffer = [0; 100];
        for _ in 0..PACKETS_MAX {
            link.ask(b"me!", now);
            poll_fn(|cx| link.poll_hear(&mut buffer, now, cx)).await.unwrap();
        }
        link.ask(b"me!", now);
        let more = poll_fn(|cx| Poll::Ready(link.poll_hear(&mut buffer, now, cx).is_ready()));
        assert!(!more.await, "enough for this second");
        assert_eq!(link.next_wake(), Some(now + SECOND));
        poll_fn(|cx| link.poll_hear(&mut buffer, now + SECOND, cx)).await.unwrap();
    }
}
