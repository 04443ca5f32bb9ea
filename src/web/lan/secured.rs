//! A phone's connection: TLS, or the plain one of a device that does not know this node yet. Which it is, its first byte says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::api::ApiError;
use crate::api::server::{Client, Door};
use crate::net::interfaces::Interfaces;

/// What the first byte of TLS is: a handshake.
const HANDSHAKE: u8 = 0x16;

/// Where phones come in.
pub struct LanDoor {
    pub listener: TcpListener,
    pub acceptor: TlsAcceptor,
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
        Ok(Phone { state, secured: Secured::default(), is_near })
    }
}

impl Client for Phone {
    fn refusal(&self) -> Option<ApiError> {
        let far = || ApiError::refused("this node answers devices of its own network alone");
        (!self.is_near).then(far)
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
