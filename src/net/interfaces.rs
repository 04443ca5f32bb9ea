//! The network interfaces of this machine: their addresses, the networks around them, and when they change.
//!
//! Whether an address belongs to a neighbour is not written on it: a campus hands out public addresses, a carrier those
//! of 100.64/10, and 10/8 may be behind the other end of a tunnel. What counts is the network that an interface of this
//! machine stands in.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use libp2p::Multiaddr;
use tokio::time::{Instant, sleep_until};

use super::address;

/// Addresses that a node says of itself, to people and in tickets.
pub const OFFERED_MAX: usize = 8;
/// How often to look where the system does not tell of changes, or does so no more.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What the names of bridges, containers and tunnels begin with.
const INDIRECT: [&str; 18] = [
    "cali",
    "cni",
    "docker",
    "flannel",
    "lxc",
    "lxd",
    "nordlynx",
    "podman",
    "tailscale",
    "tap",
    "tun",
    "utun",
    "vboxnet",
    "veth",
    "virbr",
    "vmnet",
    "wg",
    "zt",
];

/// All addresses of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces(Vec<Place>);

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub interface: String,
    pub index: u32,
    pub ip: IpAddr,
    /// Bits that all in its network share.
    pub prefix: u8,
    /// Whether the interface is up and has a carrier.
    pub runs: bool,
    pub side: Side,
}

/// Whom one meets through an interface; who looks for a way in takes them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Whoever is on the same network.
    Network,
    /// Guests of this machine, or members of a private network elsewhere: bridges and tunnels.
    Indirect,
    /// This machine itself.
    Loopback,
}

impl Interfaces {
    /// Asks the system.
    pub fn now() -> io::Result<Interfaces> {
        let found = if_addrs::get_if_addrs()?.into_iter().filter_map(|found| {
            let (ip, prefix) = match &found.addr {
                if_addrs::IfAddr::V4(addr) => (IpAddr::V4(addr.ip), addr.prefixlen),
                if_addrs::IfAddr::V6(addr) => (IpAddr::V6(addr.ip), addr.prefixlen),
            };
            let (runs, index) = (found.is_oper_up(), found.index?);
            let side = match () {
                () if ip.is_loopback() => Side::Loopback,
                () if found.is_p2p || is_indirect(&found.name) => Side::Indirect,
                () => Side::Network,
            };
            Some(Place { interface: found.name, index, ip, prefix, runs, side })
        });
        Ok(Interfaces(found.collect()))
    }

    /// Addresses that others could reach now.
    pub fn reachable(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter(|place| place.runs && place.side != Side::Loopback)
    }

    /// Whether this machine has an address like those that a multiaddress means.
    pub fn could_have(&self, addr: &Multiaddr) -> bool {
        address::host(addr).is_none_or(|ip| self.0.iter().any(|place| place.ip.is_ipv6() == ip.is_ipv6()))
    }

    /// The interface that an address of this machine belongs to.
    pub fn of(&self, ip: IpAddr) -> Option<&Place> {
        self.0.iter().find(|place| place.ip == ip)
    }

    /// Picks of the addresses that a node listens on those worth telling others, the likeliest to be reached first, at
    /// most [`OFFERED_MAX`]. Loopback, and addresses that mean something on their own link only, are told where there is
    /// nothing better.
    pub fn offer(&self, listening: &[Multiaddr]) -> Vec<Multiaddr> {
        let mut offered: Vec<(Offer, &Multiaddr)> = listening
            .iter()
            .filter_map(|addr| {
                let ip = address::host(addr)?;
                let place = self.of(ip).filter(|place| place.runs);
                let side = if ip.is_loopback() { Side::Loopback } else { place?.side };
                Some(((side == Side::Loopback, address::is_link_local(ip), side, ip.is_ipv6()), addr))
            })
            .collect();
        offered.sort_by_key(|(offer, _)| *offer);
        let best = offered.first().map(|((loopback, link_local, ..), _)| (*loopback, *link_local));
        let good = |(loopback, link_local, ..): &Offer| Some((*loopback, *link_local)) == best;
        offered.into_iter().filter(|(offer, _)| good(offer)).map(|(_, addr)| addr.clone()).take(OFFERED_MAX).collect()
    }
}

/// What to order addresses by, the best first: whether it is loopback, whether it is of one link only, its side, whether
/// it is of IPv6, which fewer can use.
type Offer = (bool, bool, Side, bool);

impl Place {
    /// Whether an address belongs to the network that this one is in.
    pub fn surrounds(&self, ip: IpAddr) -> bool {
        let (a, b, bits) = match (self.ip, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        // A network of everybody says nothing of who is near.
        self.prefix > 0 && (a ^ b).checked_shr(bits - u32::from(self.prefix).min(bits)).unwrap_or(0) == 0
    }
}

fn is_indirect(name: &str) -> bool {
    // Docker's own bridges; that of a router is its network.
    let docker = |rest: &str| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    INDIRECT.iter().any(|start| name.starts_with(start)) || name.strip_prefix("br-").is_some_and(docker)
}

/// Tells when interfaces may have changed.
pub(super) struct Changes {
    #[cfg(target_os = "linux")]
    told: Option<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>>,
    /// When to look where nothing tells.
    next: Instant,
}

#[cfg(target_os = "linux")]
impl Changes {
    /// Must be called inside a tokio runtime.
    pub fn new() -> Changes {
        let told = subscribe().inspect_err(|error| tracing::debug!(%error, "changes of interfaces are looked for"));
        Changes { told: told.ok(), next: Instant::now() + LOOK_AGAIN }
    }

    /// Returns after the next change, or after one that came to nothing.
    pub async fn next(&mut self) {
        if let Some(told) = &self.told {
            match told.readable().await {
                Ok(mut ready) => {
                    drain(told.get_ref());
                    ready.clear_ready();
                    return;
                }
                Err(error) => tracing::debug!(%error, "changes of interfaces are looked for from now on"),
            }
            self.told = None;
        }
        self.look_again().await;
    }
}

/// Asks the kernel to tell of links and addresses that come, go or change (rtnetlink(7)).
#[cfg(target_os = "linux")]
fn subscribe() -> io::Result<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, netlink::SocketAddrNetlink, socket_with};
    /// RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR.
    const GROUPS: u32 = 0x1 | 0x10 | 0x100;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    // What replaces it is unsafe, for descriptors that change under it; one that is owned does not.
    #[allow(deprecated)]
    tokio::io::unix::AsyncFd::with_interest(socket, tokio::io::Interest::READABLE)
}

/// Drops what waits; that there was something is all that counts, and what was lost is something as well.
#[cfg(target_os = "linux")]
fn drain(socket: &std::os::fd::OwnedFd) {
    use rustix::io::Errno;
    let mut buffer = [0u8; 8 << 10];
    loop {
        match rustix::net::recv(socket, &mut buffer[..], rustix::net::RecvFlags::empty()) {
            Ok(_) | Err(Errno::NOBUFS | Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Changes {
    pub fn new() -> Changes {
        Changes { next: Instant::now() + LOOK_AGAIN }
    }

    pub async fn next(&mut self) {
        self.look_again().await;
    }
}

impl Changes {
    async fn look_again(&mut self) {
        sleep_until(self.next).await;
        self.next = Instant::now() + LOOK_AGAIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(interface: &str, network: &str, side: Side) -> Place {
        let (ip, prefix) = network.split_once('/').unwrap();
        let (ip, prefix) = (ip.parse().unwrap(), prefix.parse().unwrap());
        Place { interface: interface.into(), index: 1, ip, prefix, runs: true, side }
    }

    fn surrounds(network: &str, ip: &str) -> bool {
        place("eth0", network, Side::Network).surrounds(ip.parse().unwrap())
    }

    #[test]
    fn neighbours_live_in_the_networks_of_the_interfaces_whatever_their_addresses_look_like() {
        for (network, near) in [
            ("192.168.1.1/24", "192.168.1.200"),
            ("129.132.7.9/20", "129.132.15.1"),
            ("100.64.3.4/10", "100.127.0.1"),
            ("fe80::1/64", "fe80::2"),
            ("2001:db8:1::1/64", "2001:db8:1::ffff"),
            ("10.0.0.1/32", "10.0.0.1"),
        ] {
            assert!(surrounds(network, near), "{near} is near {network}");
        }
        for (network, far) in [
            ("192.168.1.1/24", "192.168.2.1"),
            ("129.132.7.9/20", "129.132.16.1"),
            ("10.0.0.1/32", "10.0.0.2"),
            ("2001:db8:1::1/64", "2001:db8:1:1::1"),
            ("10.0.0.1/8", "fd00::1"),
            ("10.0.0.1/0", "10.0.0.2"),
        ] {
            assert!(!surrounds(network, far), "{far} is not near {network}");
        }
    }

    fn laptop() -> Interfaces {
        let mut unplugged = place("eth1", "172.16.0.9/24", Side::Network);
        unplugged.runs = false;
        Interfaces(vec![
            place("lo", "127.0.0.1/8", Side::Loopback),
            place("docker0", "172.17.0.1/16", Side::Indirect),
            place("wlan0", "192.168.1.5/24", Side::Network),
            unplugged,
            place("lo", "::1/128", Side::Loopback),
            place("wlan0", "2001:db8::5/64", Side::Network),
            place("wlan0", "fe80::5/64", Side::Network),
        ])
    }

    fn offer(interfaces: &Interfaces, ips: &[&str]) -> Vec<String> {
        let addr = |ip: &&str| format!("/ip{}/{ip}/tcp/7", if ip.contains(':') { 6 } else { 4 }).parse().unwrap();
        let listening: Vec<Multiaddr> = ips.iter().map(addr).collect();
        interfaces.offer(&listening).iter().map(|addr| address::host(addr).unwrap().to_string()).collect()
    }

    #[test]
    fn others_are_told_of_networks_first_of_tunnels_last_and_never_of_loopback_or_a_cable_that_hangs_loose() {
        let all = ["127.0.0.1", "172.17.0.1", "192.168.1.5", "172.16.0.9", "::1", "2001:db8::5", "fe80::5"];
        assert_eq!(offer(&laptop(), &all), ["192.168.1.5", "2001:db8::5", "172.17.0.1"]);
        assert_eq!(offer(&laptop(), &["127.0.0.1", "::1", "fe80::5"]), ["fe80::5"], "where there is nothing better");
        assert_eq!(offer(&laptop(), &["::1", "127.0.0.1"]), ["127.0.0.1", "::1"]);
        assert_eq!(offer(&laptop(), &["10.1.2.3"]), [""; 0], "an address that is gone");
    }

    #[test]
    fn no_more_addresses_are_told_than_a_ticket_holds() {
        let many: Vec<_> = (1..20).map(|n| place("eth0", &format!("10.0.0.{n}/24"), Side::Network)).collect();
        let ips: Vec<String> = many.iter().map(|place| place.ip.to_string()).collect();
        let ips: Vec<&str> = ips.iter().map(String::as_str).collect();
        assert_eq!(offer(&Interfaces(many), &ips).len(), OFFERED_MAX);
    }

    #[test]
    fn bridges_and_tunnels_are_known_by_their_names() {
        for name in ["docker0", "br-0123456789ab", "virbr0", "veth12ab", "tun0", "wg0", "tailscale0"] {
            assert!(is_indirect(name), "{name}");
        }
        for name in ["eth0", "enp3s0", "wlan0", "wlp2s0", "br0", "br-lan", "en0"] {
            assert!(!is_indirect(name), "{name}");
        }
    }
}
