//! Which multiaddresses this node can use: an IP address and a TCP port, and perhaps who lives there.
//!
//! An IPv6 address of one link (`fe80::…`) may say which: `/ip6zone/eth0/ip6/fe80::1/tcp/…`. A zone is a name of this
//! machine's own, so what others say of theirs is left out.

use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Takes an address apart; `None` where it says anything but `[/ip6zone/…]/ip4|ip6/…/tcp/…[/p2p/…]`.
pub(super) fn parts(addr: &Multiaddr) -> Option<(SocketAddr, Option<PeerId>)> {
    let mut protocols = addr.iter().peekable();
    let zoned = protocols.next_if(|protocol| matches!(protocol, Protocol::Ip6zone(_))).is_some();
    let ip = match protocols.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    let Protocol::Tcp(port) = protocols.next()? else { return None };
    let peer = match protocols.next() {
        Some(Protocol::P2p(peer)) => Some(peer),
        Some(_) => return None,
        None => None,
    };
    let plain = protocols.next().is_none() && (!zoned || is_link_local(ip));
    plain.then_some((SocketAddr::new(ip, port), peer))
}

/// Returns the address without its peer, if one can dial it.
pub(super) fn dialable(addr: &Multiaddr) -> Option<(SocketAddr, Multiaddr)> {
    let (socket, _) = parts(addr)?;
    let usable = socket.port() != 0 && !socket.ip().is_unspecified() && !socket.ip().is_multicast();
    usable.then(|| (socket, plain(socket, zone(addr).as_deref())))
}

/// The link that an address is on, where it says so.
pub(super) fn zone(addr: &Multiaddr) -> Option<String> {
    match addr.iter().next()? {
        Protocol::Ip6zone(zone) => Some(zone.into_owned()),
        _ => None,
    }
}

/// The machine that an address is at, whether it says a port or not.
pub fn ip(addr: &Multiaddr) -> Option<IpAddr> {
    addr.iter().find_map(|protocol| match protocol {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}

/// The machine that an address is at, where it is one to dial.
pub(super) fn host(addr: &Multiaddr) -> Option<IpAddr> {
    parts(addr).map(|(socket, _)| socket.ip())
}

/// Whether an address means something on its own link only. Those of IPv4 do not: no system asks for their link.
pub(super) fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Returns the address as far as its host.
pub(super) fn without_port(addr: &Multiaddr) -> Multiaddr {
    addr.iter().take_while(|protocol| !matches!(protocol, Protocol::Tcp(_))).collect()
}

/// Puts an address together; the zone counts where the address is of one link only.
pub(super) fn plain(socket: SocketAddr, zone: Option<&str>) -> Multiaddr {
    let zone = zone.filter(|_| is_link_local(socket.ip())).map(|zone| Protocol::Ip6zone(zone.into()));
    zone.into_iter().chain([socket.ip().into(), Protocol::Tcp(socket.port())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_tcp_over_ip_can_be_dialed() {
        let with_peer = addr(&format!("/ip4/10.0.0.1/tcp/7/p2p/{PEER}"));
        assert_eq!(dialable(&with_peer).unwrap().1, addr("/ip4/10.0.0.1/tcp/7"));
        assert_eq!(parts(&with_peer).unwrap().1, Some(PEER.parse().unwrap()));
        for text in [
            "/ip4/10.0.0.1/tcp/0",
            "/ip4/0.0.0.0/tcp/7",
            "/ip4/224.0.0.1/tcp/7",
            "/ip4/10.0.0.1/udp/7/quic-v1",
            "/dns4/example.org/tcp/7",
            "/ip4/10.0.0.1/tcp/7/ws",
            "/ip4/10.0.0.1",
        ] {
            assert_eq!(dialable(&addr(text)), None, "{text}");
        }
        let relayed = addr(&format!("/ip4/10.0.0.1/tcp/7/p2p/{PEER}/p2p-circuit"));
        assert_eq!(dialable(&relayed), None);
    }

    #[test]
    fn an_address_of_one_link_keeps_its_link_and_others_have_none() {
        let zoned = addr(&format!("/ip6zone/eth0/ip6/fe80::1/tcp/7/p2p/{PEER}"));
        let (socket, plain) = dialable(&zoned).unwrap();
        assert_eq!((socket, plain), ("[fe80::1]:7".parse().unwrap(), addr("/ip6zone/eth0/ip6/fe80::1/tcp/7")));
        assert_eq!((zone(&zoned).as_deref(), host(&zoned)), (Some("eth0"), Some("fe80::1".parse().unwrap())));
        for text in ["/ip6zone/eth0/ip6/2001:db8::1/tcp/7", "/ip6zone/eth0/ip4/10.0.0.1/tcp/7", "/ip6zone/eth0/tcp/7"] {
            assert_eq!(parts(&addr(text)), None, "{text}");
        }
        assert_eq!(dialable(&addr("/ip6/fe80::1/tcp/7")).unwrap().1, addr("/ip6/fe80::1/tcp/7"));
    }
}
