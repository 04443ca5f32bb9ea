//! A phone's connection: TLS, or the plain one of a device that does not know this node yet. Which it is, its first byte says.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::api::server::{Client, Door};
use crate::api::{ApiError, ErrorKind, NextStep};
use crate::net::interfaces::Interfaces;

/// What the first byte of TLS is: a handshake.
const HANDSHAKE: u8 = 0x16;

/// Connections of one address at a time: whoever takes those and reads nothing keeps no other device out. A browser makes
/// six to a host, and an app has one of its own.
const CONNECTIONS_OF_ADDRESS_MAX: usize = 16;

/// Where phones come in.
pub struct LanDoor {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    crowd: Crowd,
}

/// How many connections each address has here.
type Crowd = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// One of the connections of an address.
struct Place {
    crowd: Crowd,
    from: IpAddr,
}

impl LanDoor {
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor) -> LanDoor {
        LanDoor { listener, acceptor, crowd: Crowd::default() }
    }
}

impl Place {
    /// None where the address has all that it may.
    fn take(crowd: &Crowd, from: IpAddr) -> Option<Place> {
        let mut here = crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let many = here.entry(from).or_default();
        if *many >= CONNECTIONS_OF_ADDRESS_MAX {
            return None;
        }
        *many += 1;
        Some(Place { crowd: Arc::clone(crowd), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut here = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(many) = here.get_mut(&self.from) else { return };
        *many -= 1;
        if *many == 0 {
            here.remove(&self.from);
        }
    }
}

/// Whether what a request comes over is TLS, once that is known.
#[derive(Clone, Default)]
pub struct Secured(Arc<AtomicBool>);

impl Secured {
    pub fn is(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A connection as far as it has come.
pub struct Phone {
    state: State,
    secured: Secured,
    is_near: bool,
    place: Option<Place>,
}

enum State {
    Unknown(TcpStream, TlsAcceptor),
    Shaking(Box<Accept<TcpStream>>),
    Plain(TcpStream),
    Secret(Box<TlsStream<TcpStream>>),
    Over,
}

impl Door for LanDoor {
    type Client = Phone;

    async fn accept(&self) -> io::Result<Phone> {
        let (stream, from) = self.listener.accept().await?;
        let from = from.ip().to_canonical();
        // What an address says of itself is no sign of being near; the networks of this machine's interfaces are.
        let is_near = from.is_loopback()
            || Interfaces::now().is_ok_and(|here| here.reachable().any(|place| place.surrounds(from)));
        let state = State::Unknown(stream, self.acceptor.clone());
        Ok(Phone { state, secured: Secured::default(), is_near, place: Place::take(&self.crowd, from) })
    }
}

impl Client for Phone {
    fn refusal(&self) -> Option<ApiError> {
        let far = || ApiError::refused("this node answers devices of its own network alone");
        let many = || {
            let error = ApiError::new(ErrorKind::Busy, "this device has as many connections here as it may");
            error.next(NextStep::TryAgain)
        };
        if self.is_near { self.place.is_none().then(many) } else { Some(far()) }
    }

    fn readable(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }

    /// Who is not let in is told nothing: it may wait for a handshake.
    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn about(&self) -> Extensions {
        let mut about = Extensions::new();
        about.insert(self.secured.clone());
        about
    }

    fn keeps_on(&self) -> bool {
        true
    }
}

impl AsyncRead for Phone {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Unknown(stream, _) => {
                    let mut first = [0];
                    let many = ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut first)))?;
                    let State::Unknown(stream, acceptor) = std::mem::replace(&mut this.state, State::Over) else {
                        unreachable!("it was looked at a moment ago")
                    };
                    this.state = match many == 1 && first[0] == HANDSHAKE {
                        true => State::Shaking(Box::new(acceptor.accept(stream))),
                        false => State::Plain(stream),
                    };
                }
                State::Shaking(shaking) => {
                    let shaken = ready!(Pin::new(shaking.as_mut()).poll(cx));
                    this.state = State::Over;
                    this.state = State::Secret(Box::new(shaken?));
                    this.secured.0.store(true, Ordering::Release);
                }
                State::Plain(stream) => return Pin::new(stream).poll_read(cx, into),
                State::Secret(stream) => return Pin::new(stream.as_mut()).poll_read(cx, into),
                State::Over => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }
}

impl AsyncWrite for Phone {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().state {
            State::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            State::Secret(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            // Nothing is said before something was asked.
            State::Unknown(..) | State::Shaking(_) | State::Over => {
                Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state {
            State::Plain(stream) => Pin::new(stream).poll_flush(cx),
            State::Secret(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            State::Unknown(..) | State::Shaking(_) | State::Over => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().state {
            State::Unknown(stream, _) | State::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            State::Secret(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            State::Shaking(_) | State::Over => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustls::ServerConfig;
    use rustls::server::ResolvesServerCertUsingSni;
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn one_device_takes_a_part_of_the_places_and_another_comes_in() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let door = LanDoor::new(listener, TlsAcceptor::from(Arc::new(config)));
        let come = async |from: &str| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
            let theirs = socket.connect(at).await.unwrap();
            (theirs, door.accept().await.unwrap())
        };
        let mut crowd = Vec::new();
        for _ in 0..CONNECTIONS_OF_ADDRESS_MAX {
            crowd.push(come("127.0.0.1").await);
        }
        assert!(crowd.iter().all(|(_, phone)| phone.refusal().is_none()));
        for _ in 0..3 {
            assert_eq!(come("127.0.0.1").await.1.refusal().unwrap().kind, ErrorKind::Busy);
        }
        assert!(come("127.0.0.2").await.1.refusal().is_none());
        crowd.pop();
        assert!(come("127.0.0.1").await.1.refusal().is_none());
        drop(crowd);
        assert!(door.crowd.lock().unwrap().is_empty());
    }
}
