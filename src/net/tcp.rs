//! TCP as it is used here: addresses of one link, and connections that end when nobody acknowledges any more.
//!
//! libp2p's transport drops the zone of a link-local address, and no system connects to such an address without one. An
//! address that came without (a ticket of the other's making, a peer's own word) is tried on every link.

use std::io::{self, IoSlice};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, TryFutureExt, select_ok};
use futures::{AsyncRead, AsyncWrite};
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
    traffic: Arc<Traffic>,
}

/// Bytes that all connections of a node together gave to the system to send, and had from it: handshakes, pings and all,
/// but for the headers of TCP and IP.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub sent: AtomicU64,
    pub received: AtomicU64,
}

/// A connection whose bytes are counted as they come and leave.
pub(super) struct Counted {
    inner: TcpStream,
    traffic: Arc<Traffic>,
}

impl Tcp {
    pub fn new(traffic: Arc<Traffic>) -> Tcp {
        Tcp { inner: tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)).boxed(), traffic }
    }

    /// Takes a fresh connection into use.
    fn welcome(&self) -> impl FnOnce(TcpStream) -> Counted + Send + 'static {
        let traffic = Arc::clone(&self.traffic);
        |stream| Counted { inner: watched(stream), traffic }
    }
}

impl Transport for Tcp {
    type Output = Counted;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<Counted>>;
    type Dial = BoxFuture<'static, io::Result<Counted>>;

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
            let dial = dial_on_link(*socket.ip(), socket.port(), address::zone(&addr));
            return Ok(dial.map_ok(self.welcome()).boxed());
        }
        Ok(self.inner.dial(addr, opts)?.map_ok(self.welcome()).boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let event = Pin::new(&mut self.inner).poll(cx);
        event.map(|event| event.map_upgrade(|upgrade| upgrade.map_ok(self.welcome()).boxed()))
    }
}

impl Counted {
    fn note(&self, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &sent {
            self.traffic.sent.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        sent
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes)) = &read {
            self.traffic.received.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.note(sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
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
    Ok(TcpStream(stream))
}

/// Has the kernel end a connection on which nothing is acknowledged.
fn watched(stream: TcpStream) -> TcpStream {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(&stream.0).set_tcp_user_timeout(Some(UNACKNOWLEDGED)) {
        tracing::debug!(%error, "a connection will notice late that its cable is cut");
    }
    stream
}
