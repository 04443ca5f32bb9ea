//! A name of this machine in the local network, by multicast DNS (RFC 6762): whoever asks for it is told the addresses that
//! the interface has on which it is asked, whatever those are by then. The same goes for names of apps right below it.
//!
//! Unlike the search for neighbours this speaks from the port of multicast DNS, for what resolves names believes no other.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, sleep_until};

use super::address;
use super::discovery::ear;
use super::interfaces::{Changes, Interfaces, Place};

const PORT: u16 = 5_353;
const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), PORT);
const TTL: u32 = 255;
/// How long an answer holds, in seconds; and one to those who do not keep to multicast DNS.
const HOLDS_SECS: u32 = 120;
const LEGACY_SECS: u32 = 10;
/// Interfaces that are listened to.
const LINKS_MAX: usize = 32;
/// Addresses of one interface that are told.
const ADDRESSES_MAX: usize = 8;
/// Names of one packet that are told; what else is asked with them is asked again.
const NAMES_MAX: usize = 4;
/// Largest packet read.
const PACKET_BYTES_MAX: usize = 4 << 10;
/// Packets answered on one link within a second; a flood gets no more.
const ANSWERS_MAX: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);
/// What the names of apps begin with.
const APP: &[u8] = b"app-";
/// Interfaces change in bursts.
const SETTLE: Duration = Duration::from_millis(50);
/// How long it rests when it cannot listen anywhere.
const PAUSE: Duration = Duration::from_secs(5);

/// An interface that is listened to.
struct Link {
    places: Vec<Place>,
    socket: UdpSocket,
    answered: (u32, Instant),
}

/// Answers for a name such as `dak-a7k2m4xq.local` until it is dropped.
pub async fn answer_for(host: &str) {
    let Ok(name) = Name::from_ascii(format!("{host}.")) else { return };
    let mut links = BTreeMap::new();
    let mut changes = Changes::new();
    let mut buffer = [0; PACKET_BYTES_MAX];
    find_links(&mut links, &name).await;
    loop {
        let again = if links.is_empty() { Instant::now() + PAUSE } else { Instant::now() + SECOND * 3_600 };
        tokio::select! {
            (index, heard) = hear(&mut links, &mut buffer) => match heard {
                Ok((length, from)) => {
                    if let Some(link) = links.get_mut(&index) {
                        link.take(&name, &buffer[..length], from).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(index, %error, "an interface is not listened to any more");
                    links.remove(&index);
                }
            },
            () = changes.next() => {
                sleep(SETTLE).await;
                find_links(&mut links, &name).await;
            }
            () = sleep_until(again) => find_links(&mut links, &name).await,
        }
    }
}

/// Listens on every interface there is now, and says there what the name is.
async fn find_links(links: &mut BTreeMap<u32, Link>, name: &Name) {
    let Ok(interfaces) = Interfaces::now() else { return };
    let mut wanted: BTreeMap<u32, Vec<Place>> = BTreeMap::new();
    for place in interfaces.reachable() {
        if wanted.len() < LINKS_MAX || wanted.contains_key(&place.index) {
            wanted.entry(place.index).or_default().push(place.clone());
        }
    }
    // What one is asked by goes over IPv4.
    wanted.retain(|_, places| places.iter().any(|place| place.ip.is_ipv4()));
    links.retain(|index, link| wanted.get(index) == Some(&link.places));
    for (index, places) in wanted {
        if links.contains_key(&index) {
            continue;
        }
        match Link::open(places) {
            Ok(link) => {
                let _ = link.socket.send_to(&answer(std::slice::from_ref(name), &link.addresses(), None), GROUP).await;
                links.insert(index, link);
            }
            Err(error) => tracing::debug!(index, %error, "multicast cannot be listened to"),
        }
    }
}

/// The next packet of any link.
async fn hear(links: &mut BTreeMap<u32, Link>, buffer: &mut [u8]) -> (u32, io::Result<(usize, SocketAddr)>) {
    poll_fn(|cx| {
        for (index, link) in links.iter() {
            let mut buffer = ReadBuf::new(buffer);
            if let Poll::Ready(heard) = link.socket.poll_recv_from(cx, &mut buffer) {
                return Poll::Ready((*index, heard.map(|from| (buffer.filled().len(), from))));
            }
        }
        Poll::Pending
    })
    .await
}

impl Link {
    fn open(places: Vec<Place>) -> io::Result<Link> {
        let first = places.iter().find(|place| place.ip.is_ipv4()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let IpAddr::V4(ip) = first.ip else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
        let socket = ear(first)?;
        let options = SockRef::from(&socket);
        options.set_multicast_if_v4(&ip)?;
        options.set_multicast_ttl_v4(TTL)?;
        options.set_multicast_loop_v4(true)?;
        Ok(Link { socket, places, answered: (0, Instant::now()) })
    }

    /// Those that mean something beside their link first and alone, where there are some.
    fn addresses(&self) -> Vec<IpAddr> {
        let addresses = || self.places.iter().map(|place| place.ip);
        let wide: Vec<IpAddr> = addresses().filter(|ip| !address::is_link_local(*ip)).take(ADDRESSES_MAX).collect();
        if wide.is_empty() { addresses().filter(IpAddr::is_ipv4).take(ADDRESSES_MAX).collect() } else { wide }
    }

    async fn take(&mut self, name: &Name, packet: &[u8], from: SocketAddr) {
        // What comes from elsewhere is forged, and an answer would go to somebody who did not ask.
        if !self.places.iter().any(|place| place.surrounds(from.ip())) {
            return;
        }
        let Some((question, names)) = question(name, packet) else { return };
        if self.answered.1 + SECOND <= Instant::now() {
            self.answered = (0, Instant::now());
        }
        if self.answered.0 >= ANSWERS_MAX {
            return;
        }
        self.answered.0 += 1;
        // Who asks from another port is a simple resolver, and hears nothing but the answer to it (RFC 6762, section 6.7).
        let (to, question) = if from.port() == PORT { (GROUP, None) } else { (from, Some(question)) };
        let _ = self.socket.send_to(&answer(&names, &self.addresses(), question.as_ref()), to).await;
    }
}

/// A packet that asks for the addresses of a name, or of one of an app below it; and the names that it asks for, each once.
fn question(name: &Name, packet: &[u8]) -> Option<(Message, Vec<Name>)> {
    let message = Message::from_vec(packet).ok()?;
    let is_meant = |asked: &Name| asked == name || is_of_app(name, asked);
    let queries = message.queries.iter().filter(|query| is_of_address(query) && is_meant(query.name()));
    let mut names: Vec<Name> = Vec::new();
    for asked in queries.map(Query::name) {
        if names.len() < NAMES_MAX && !names.contains(asked) {
            names.push(asked.clone());
        }
    }
    let is_question = message.metadata.message_type == MessageType::Query && !names.is_empty();
    is_question.then_some((message, names))
}

fn is_of_address(query: &Query) -> bool {
    matches!(query.query_type(), RecordType::A | RecordType::AAAA | RecordType::ANY)
}

fn is_of_app(name: &Name, asked: &Name) -> bool {
    let is_below = asked.num_labels() == name.num_labels() + 1 && name.zone_of(asked);
    is_below && asked.iter().next().is_some_and(|label| label.to_ascii_lowercase().starts_with(APP))
}

/// The addresses of names; with the questions where a simple resolver asks them.
fn answer(names: &[Name], addresses: &[IpAddr], question: Option<&Message>) -> Vec<u8> {
    let id = question.map_or(0, |question| question.metadata.id);
    let mut message = Message::new(id, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = true;
    let seconds = if question.is_some() { LEGACY_SECS } else { HOLDS_SECS };
    let queries = question.into_iter().flat_map(|question| &question.queries);
    for query in queries.filter(|query| is_of_address(query) && names.contains(query.name())).take(2 * NAMES_MAX) {
        message.add_query(query.clone());
    }
    for (name, address) in names.iter().flat_map(|name| addresses.iter().map(move |address| (name, address))) {
        let data = match address {
            IpAddr::V4(ip) => RData::A(A(*ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(*ip)),
        };
        let mut record = Record::from_rdata(name.clone(), seconds, data);
        // Others who keep to multicast DNS forget what they knew before.
        record.mdns_cache_flush = question.is_none();
        message.add_answer(record);
    }
    message.to_vec().expect("a few short records can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name::from_ascii("dak-aaaaaaaa.local.").unwrap()
    }

    fn asked(of: &str, kind: RecordType) -> Vec<u8> {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii(of).unwrap(), kind));
        message.to_vec().unwrap()
    }

    #[test]
    fn who_asks_for_the_name_is_told_its_addresses_in_the_form_it_understands() {
        let addresses: Vec<IpAddr> = ["192.168.1.5", "2001:db8::5"].map(|ip| ip.parse().unwrap()).into();
        let (question, _) = question(&name(), &asked("DAK-aaaaaaaa.local.", RecordType::A)).unwrap();
        let told = |packet: Vec<u8>| Message::from_vec(&packet).unwrap();
        let multicast = told(answer(&[name()], &addresses, None));
        assert_eq!((multicast.metadata.id, multicast.queries.len(), multicast.answers.len()), (0, 0, 2));
        assert!(multicast.answers.iter().all(|record| record.mdns_cache_flush && record.ttl == HOLDS_SECS));
        let simple = told(answer(&[name()], &addresses, Some(&question)));
        assert_eq!((simple.metadata.id, simple.queries.len(), simple.answers.len()), (7, 1, 2));
        assert!(simple.answers.iter().all(|record| !record.mdns_cache_flush && record.ttl == LEGACY_SECS));
    }

    #[test]
    fn who_asks_for_an_app_is_told_of_the_name_that_was_asked_for() {
        let (_, apps) = question(&name(), &asked("App-x.dak-aaaaaaaa.local.", RecordType::A)).unwrap();
        let told = Message::from_vec(&answer(&apps, &["192.168.1.5".parse().unwrap()], None)).unwrap();
        assert_eq!(told.answers[0].name, Name::from_ascii("app-x.dak-aaaaaaaa.local.").unwrap());
    }

    #[test]
    fn who_asks_for_several_names_at_once_is_told_of_each() {
        let app = "app-x.dak-aaaaaaaa.local.";
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        let asked = [app, "dak-bbbbbbbb.local.", "dak-aaaaaaaa.local.", app];
        for (of, kind) in asked.into_iter().zip([RecordType::A, RecordType::A, RecordType::A, RecordType::AAAA]) {
            message.add_query(Query::query(Name::from_ascii(of).unwrap(), kind));
        }
        let (question, names) = question(&name(), &message.to_vec().unwrap()).unwrap();
        assert_eq!(names, [Name::from_ascii(app).unwrap(), name()]);
        let addresses: Vec<IpAddr> = ["192.168.1.5", "2001:db8::5"].map(|ip| ip.parse().unwrap()).into();
        let told = |question| Message::from_vec(&answer(&names, &addresses, question)).unwrap();
        let (multicast, simple) = (told(None), told(Some(&question)));
        assert_eq!((multicast.queries.len(), multicast.answers.len()), (0, 4));
        assert_eq!((simple.queries.len(), simple.answers.len()), (3, 4), "and the question about another is left out");
    }

    #[test]
    fn what_is_answered_fits_into_a_packet_however_much_is_asked() {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        for n in 0..100 {
            let of = format!("app-{}{n:03}.dak-aaaaaaaa.local.", "x".repeat(50));
            message.add_query(Query::query(Name::from_ascii(of).unwrap(), RecordType::A));
        }
        let (question, names) = question(&name(), &message.to_vec().unwrap()).unwrap();
        let addresses = ["2001:db8::5".parse().unwrap(); ADDRESSES_MAX];
        let answer = answer(&names, &addresses, Some(&question));
        assert!(answer.len() <= 1_400, "{}", answer.len());
    }

    #[test]
    fn other_questions_and_noise_are_nobodys() {
        for packet in [
            asked("dak-bbbbbbbb.local.", RecordType::A),
            asked("app-x.dak-bbbbbbbb.local.", RecordType::A),
            asked("web.dak-aaaaaaaa.local.", RecordType::A),
            asked("x.app-y.dak-aaaaaaaa.local.", RecordType::A),
            asked("dak-aaaaaaaa.local.", RecordType::TXT),
            answer(&[name()], &[IpAddr::V4(Ipv4Addr::LOCALHOST)], None),
            vec![0; 12],
            vec![0xff; 300],
        ] {
            assert!(question(&name(), &packet).is_none(), "{packet:?}");
        }
    }
}
