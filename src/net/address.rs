//! Which multiaddresses this node can use: an IP address and a TCP port, and perhaps who lives there.

use std::net::{IpAddr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Takes an address apart; `None` where it says anything but `/ip4|ip6/…/tcp/…[/p2p/…]`.
pub(super) fn parts(addr: &Multiaddr) -> Option<(SocketAddr, Option<PeerId>)> {
    let mut protocols = addr.iter();
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
    protocols.next().is_none().then_some((SocketAddr::new(ip, port), peer))
}

/// Returns the address without its peer, if one can dial it.
pub(super) fn dialable(addr: &Multiaddr) -> Option<(SocketAddr, Multiaddr)> {
    let (socket, _) = parts(addr)?;
    let usable = socket.port() != 0 && !socket.ip().is_unspecified() && !socket.ip().is_multicast();
    usable.then(|| (socket, plain(socket)))
}

/// Whether an address can be one of a neighbour's: private, link-local or loopback.
pub(super) fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

fn plain(socket: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(socket.ip().into()).with(Protocol::Tcp(socket.port()))
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
    fn neighbours_live_near() {
        for near in ["192.168.1.1", "169.254.3.4", "127.0.0.1", "fe80::1", "fd00::1"] {
            assert!(is_near(near.parse().unwrap()), "{near}");
        }
        for far in ["8.8.8.8", "2001:db8::1"] {
            assert!(!is_near(far.parse().unwrap()), "{far}");
        }
    }
}
