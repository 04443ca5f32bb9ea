//! TCP as it is used here: addresses of one link, and connections that end when nobody acknowledges any more.
//!
//! libp2p's transport drops the zone of a link-local address, and no system connects to such an address without one. An
//! address that came without (a ticket of the other's making, a peer's own word) is tried on every link.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, TryFutureExt, select_ok};
use libp2p::Multiaddr;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use libp2p::tcp;
use libp2p::tcp::tokio::TcpStream;

use super::address;
use super::interfaces::Interfaces;

/// How long the kernel goes on sending what nobody acknowledges (`TCP_USER_TIMEOUT`, RFC 5482). With a ping every few
/// seconds it is what notices a cut cable; what is slow and still acknowledged does not run into it.
const UNACKNOWLEDGED: Duration = Duration::from_secs(9);

pub(super) struct Tcp {
    inner: Boxed<TcpStream>,
}

impl Tcp {
    pub fn new() -> Tcp {
        Tcp { inner: tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)).boxed() }
    }
}

impl Transport for Tcp {
    type Output = TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<TcpStream>>;
    type Dial = BoxFuture<'static, io::Result<TcpStream>>;

    fn listen_on(&mut self, id: ListenerId, addr: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, addr)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, addr: Multiaddr, opts: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        if let Some((SocketAddr::V6(socket), _)) = address::parts(&addr)
            && socket.ip().is_unicast_link_local()
        {
            return Ok(dial_on_link(*socket.ip(), socket.port(), address::zone(&addr)).boxed());
        }
        Ok(self.inner.dial(addr, opts)?.map_ok(watched).boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let event = Pin::new(&mut self.inner).poll(cx);
        event.map(|event| event.map_upgrade(|upgrade| upgrade.map_ok(watched).boxed()))
    }
}

/// Connects on the link named, or on the first that leads there.
async fn dial_on_link(ip: Ipv6Addr, port: u16, zone: Option<String>) -> io::Result<TcpStream> {
    let interfaces = Interfaces::now()?;
    let links = interfaces.reachable().filter(|place| address::is_link_local(place.ip));
    let links = links.filter(|place| zone.as_ref().is_none_or(|zone| *zone == place.interface));
    let dials: Vec<_> = links
        .map(|place| tokio::net::TcpStream::connect(SocketAddrV6::new(ip, port, 0, place.index)).boxed())
        .collect();
    if dials.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NetworkUnreachable, "no such link"));
    }
    let (stream, _) = select_ok(dials).await?;
    stream.set_nodelay(true)?;
    Ok(watched(TcpStream(stream)))
}

/// Has the kernel end a connection on which nothing is acknowledged.
fn watched(stream: TcpStream) -> TcpStream {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(&stream.0).set_tcp_user_timeout(Some(UNACKNOWLEDGED)) {
        tracing::debug!(%error, "a connection will notice late that its cable is cut");
    }
    stream
}
