//! What nodes say over multicast DNS (RFC 6762), in the form that libp2p specifies: a question for `_p2p._udp.local`, and
//! answers that hold a peer and an address each, `dnsaddr=/ip4/192.168.1.5/tcp/33556/p2p/12D3KooW…`, in TXT records.

use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::{PTR, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use libp2p::{Multiaddr, PeerId};

use super::super::address;

const SERVICE: &str = "_p2p._udp.local.";
const KEY: &str = "dnsaddr=";
/// Longest packet read.
pub const PACKET_BYTES_MAX: usize = 4 << 10;
/// Claims taken out of one packet.
pub const CLAIMS_MAX: usize = 16;

/// What a packet says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// Who is there?
    Question,
    Answer(Vec<Claim>),
}

/// A peer may be reached there, for so long; zero takes it back.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    pub peer: PeerId,
    pub addr: Multiaddr,
    pub ttl: Duration,
}

/// Asks who is there.
pub fn question() -> Vec<u8> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name(SERVICE), RecordType::PTR));
    encode(&message)
}

/// Says where a peer may be reached. `label` is the name of its records: letters and digits, at most 63.
pub fn answer(label: &str, peer: PeerId, addrs: &[Multiaddr], ttl: Duration) -> Vec<u8> {
    let (owner, seconds) = (name(&format!("{label}.{SERVICE}")), ttl.as_secs() as u32);
    let mut message = Message::new(0, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = true;
    message.add_answer(Record::from_rdata(name(SERVICE), seconds, RData::PTR(PTR(owner.clone()))));
    for addr in addrs.iter().take(CLAIMS_MAX) {
        let text = RData::TXT(TXT::new(vec![format!("{KEY}{addr}/p2p/{peer}")]));
        message.add_additional(Record::from_rdata(owner.clone(), seconds, text));
    }
    encode(&message)
}

/// Reads a packet; `None` where it says nothing to us.
pub fn read(packet: &[u8]) -> Option<Said> {
    let message = Message::from_vec(packet).ok()?;
    let service = name(SERVICE);
    if !message.queries.is_empty() {
        return message.queries.iter().any(|query| query.name() == &service).then_some(Said::Question);
    }
    let owner = |record: &Record| match &record.data {
        RData::PTR(PTR(owner)) if record.name == service => Some(owner.clone()),
        _ => None,
    };
    let owners: Vec<Name> = message.answers.iter().filter_map(owner).take(CLAIMS_MAX).collect();
    let claims = message.additionals.iter().filter(|record| owners.contains(&record.name)).flat_map(claims);
    Some(Said::Answer(claims.take(CLAIMS_MAX).collect()))
}

fn claims(record: &Record) -> Vec<Claim> {
    let RData::TXT(text) = &record.data else { return Vec::new() };
    let claim = |bytes: &[u8]| {
        let addr: Multiaddr = std::str::from_utf8(bytes).ok()?.strip_prefix(KEY)?.parse().ok()?;
        let (_, peer) = address::parts(&addr)?;
        let (_, addr) = address::dialable(&addr)?;
        Some(Claim { peer: peer?, addr, ttl: Duration::from_secs(record.ttl.into()) })
    };
    text.txt_data.iter().take(CLAIMS_MAX).filter_map(|bytes| claim(bytes)).collect()
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("our own names are well-formed")
}

fn encode(message: &Message) -> Vec<u8> {
    message.to_vec().expect("a few short records can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> PeerId {
        super::super::super::peer::keypair([7; 32]).public().to_peer_id()
    }

    #[test]
    fn what_is_said_is_understood() {
        assert_eq!(read(&question()), Some(Said::Question));
        let addrs = ["/ip4/10.0.0.1/tcp/7", "/ip6/fe80::1/tcp/8"].map(|addr| addr.parse::<Multiaddr>().unwrap());
        let ttl = Duration::from_secs(200);
        let wanted = addrs.clone().map(|addr| Claim { peer: peer(), addr, ttl });
        assert_eq!(read(&answer("a1", peer(), &addrs, ttl)), Some(Said::Answer(wanted.into())));
    }

    #[test]
    fn the_packets_in_the_description_of_the_wire_are_those_that_are_said() {
        let page = include_str!("../../wire.md");
        let vector = |name: &str| {
            let (_, block) = page.split_once(&format!("\n```vector {name}\n")).expect("it is on the page");
            block.split("```").next().unwrap_or_default().replace('\n', "")
        };
        let alice = super::super::super::peer::keypair([0xa1; 32]).public().to_peer_id();
        let addr = "/ip4/10.0.0.1/tcp/4747".parse().unwrap();
        let answer = answer("d1", alice, &[addr], super::super::heard::TTL);
        let said = [question(), answer].map(|packet| crate::id::hex(&packet));
        assert_eq!(["mdns-question", "mdns-answer"].map(vector), said);
    }

    proptest::proptest! {
        #[test]
        fn whatever_anybody_in_the_network_sends_is_read_or_left(
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            at in 0..200usize,
        ) {
            read(&noise);
            let addr = "/ip4/10.0.0.1/tcp/7".parse().unwrap();
            let mut packet = answer("a1", peer(), &[addr], Duration::from_secs(1));
            packet.iter_mut().skip(at).zip(&noise).for_each(|(byte, noise)| *byte ^= noise);
            read(&packet);
        }
    }

    #[test]
    fn no_packet_makes_much_of_itself() {
        let many: Vec<Multiaddr> = (1..100).map(|n| format!("/ip4/10.0.0.{n}/tcp/7").parse().unwrap()).collect();
        let Some(Said::Answer(claims)) = read(&answer("a1", peer(), &many, Duration::from_secs(1))) else { panic!() };
        assert_eq!(claims.len(), CLAIMS_MAX);
        let whole = answer("a1", peer(), &many[..1], Duration::from_secs(1));
        for end in 0..whole.len() {
            assert!(!matches!(read(&whole[..end]), Some(Said::Answer(claims)) if !claims.is_empty()), "cut at {end}");
        }
    }
}
