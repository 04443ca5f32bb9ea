//! Where clients come in: the socket of one owner, and a port of this machine that other programs reach.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::answer;
use crate::api::error::ApiError;
use crate::brake::Brake;

/// How long one that is not let in may take to begin.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(1);

type Ready<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// A place where clients come in.
pub trait Door: Send + 'static {
    type Client: Client;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Client>> + Send;
}

/// One that came in.
pub trait Client: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Why it goes no further, whatever it asks.
    fn refusal(&self) -> Option<ApiError>;
    fn readable(&self) -> Ready<'_>;
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize>;
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// What its requests have with them of its connection.
    fn about(&self) -> Extensions {
        Extensions::new()
    }

    /// Whether one connection may have several requests: worth it where it takes long to make.
    fn keeps_on(&self) -> bool {
        false
    }
}

/// The two ends of a client's connection, where it has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub theirs: SocketAddr,
    pub ours: SocketAddr,
}

/// Waits until the client has begun to ask: an answer before the question is none to it.
pub async fn wait_and_turn_away(client: impl Client, refusal: ApiError) {
    let _ = tokio::time::timeout(REFUSAL_TIME_MAX, client.readable()).await;
    turn_away(&client, refusal);
}

/// Says why, as far as the socket takes it at once, and hangs up.
pub fn turn_away(client: &impl Client, refusal: ApiError) {
    // What is left unread when a socket closes would reset it, and the answer would be lost.
    let _ = client.try_read(&mut [0; 4096]);
    let _ = client.try_write(&answer::raw(refusal));
}

/// What tokio's sockets do by methods of the same names, which no trait of theirs has.
macro_rules! by_its_own_methods {
    () => {
        fn readable(&self) -> Ready<'_> {
            Box::pin(self.readable())
        }

        fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
            self.try_read(into)
        }

        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            self.try_write(bytes)
        }
    };
}

impl Door for UnixListener {
    type Client = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        self.accept().await.map(|(client, _)| client)
    }
}

impl Client for UnixStream {
    /// Lets in who is this user or root.
    fn refusal(&self) -> Option<ApiError> {
        let uid = match self.peer_cred() {
            Ok(cred) => cred.uid(),
            Err(error) => return Some(ApiError::refused(format!("the system does not say who is asking: {error}"))),
        };
        if uid != 0 && uid != rustix::process::geteuid().as_raw() {
            static BRAKE: Brake = Brake::new(Duration::ZERO);
            BRAKE.say((), |unsaid| tracing::warn!(unsaid, uid, "refused a client of another user"));
            return Some(ApiError::refused("this node belongs to another user"));
        }
        None
    }

    by_its_own_methods!();
}

impl Door for TcpListener {
    type Client = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        self.accept().await.map(|(client, _)| client)
    }
}

impl Client for TcpStream {
    /// Nobody else reaches a loopback address; what each one may do its token says.
    fn refusal(&self) -> Option<ApiError> {
        let from = self.peer_addr().map(|from| from.ip().to_canonical());
        match from {
            Ok(from) if from.is_loopback() => None,
            _ => Some(ApiError::refused("this node answers programs of its own machine alone")),
        }
    }

    by_its_own_methods!();

    fn about(&self) -> Extensions {
        let mut about = Extensions::new();
        if let (Ok(theirs), Ok(ours)) = (self.peer_addr(), self.local_addr()) {
            about.insert(Ends { theirs, ours });
        }
        about
    }
}
