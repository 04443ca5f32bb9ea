//! libp2p by hand: TCP, Noise and Yamux without a swarm, so that a peer can stop, lie or babble at any layer.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::core::upgrade::OutboundConnectionUpgrade;
use libp2p::noise;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};
use yamux::{Connection, Mode, Stream};

/// How long the other side may take for any answer of a handshake.
const ANSWER: Duration = Duration::from_secs(15);
pub const CONTACT: &str = "/dak/contact/1";

/// One encrypted connection whose streams are opened at will. Closed when dropped.
pub struct Wire {
    opens: mpsc::UnboundedSender<oneshot::Sender<io::Result<Stream>>>,
    pub arriving: mpsc::UnboundedReceiver<Stream>,
    driver: tokio::task::JoinHandle<()>,
}

type Socket = noise::Output<Compat<TcpStream>>;

impl Wire {
    /// Connects with a key.
    pub async fn dial(key: &SigningKey, to: SocketAddr) -> io::Result<Wire> {
        timeout(ANSWER, Wire::shake(key, to)).await?
    }

    async fn shake(key: &SigningKey, to: SocketAddr) -> io::Result<Wire> {
        let mut socket = plain(to).await?;
        propose(&mut socket, "/noise").await?;
        let config = noise::Config::new(&dak::net::peer::keypair(key.to_bytes())).map_err(io::Error::other)?;
        let (_, mut socket) = config.upgrade_outbound(socket, "/noise").await.map_err(io::Error::other)?;
        propose(&mut socket, "/yamux/1.0.0").await?;
        let (opens, asked) = mpsc::unbounded_channel();
        let (arrived, arriving) = mpsc::unbounded_channel();
        let driver = tokio::spawn(drive(socket, asked, arrived));
        Ok(Wire { opens, arriving, driver })
    }

    /// Opens a stream that speaks nothing yet.
    pub async fn open(&self) -> io::Result<Stream> {
        let (answer, answered) = oneshot::channel();
        self.opens.send(answer).map_err(io::Error::other)?;
        answered.await.map_err(io::Error::other)?
    }

    /// Whether the connection has ended.
    pub fn is_over(&self) -> bool {
        self.driver.is_finished()
    }

    /// Waits for the end of the connection for so long; returns whether it ended.
    pub async fn ends_within(&mut self, span: Duration) -> bool {
        timeout(span, &mut self.driver).await.is_ok()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A TCP connection on which nothing was said yet.
pub async fn plain(to: SocketAddr) -> io::Result<Compat<TcpStream>> {
    let socket = TcpStream::connect(to).await?;
    socket.set_nodelay(true)?;
    Ok(socket.compat())
}

async fn drive(
    socket: Socket,
    mut asked: mpsc::UnboundedReceiver<oneshot::Sender<io::Result<Stream>>>,
    arrived: mpsc::UnboundedSender<Stream>,
) {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(4_096);
    config.set_max_connection_receive_window(None);
    let mut connection = Connection::new(socket, config, Mode::Client);
    let mut waiting = None;
    poll_fn(|cx| {
        loop {
            if waiting.is_none()
                && let Poll::Ready(Some(answer)) = asked.poll_recv(cx)
            {
                waiting = Some(answer);
            }
            if let Some(answer) = waiting.take() {
                match connection.poll_new_outbound(cx) {
                    Poll::Ready(stream) => {
                        let _: Result<(), _> = answer.send(stream.map_err(io::Error::other));
                        continue;
                    }
                    Poll::Pending => waiting = Some(answer),
                }
            }
            match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => drop(arrived.send(stream)),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

/// multistream-select as the side that opened: says what it wants and waits for the consent.
pub async fn propose<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, protocol: &str) -> io::Result<()> {
    io.write_all(&[line("/multistream/1.0.0"), line(protocol)].concat()).await?;
    io.flush().await?;
    for expected in ["/multistream/1.0.0", protocol] {
        if read_line(io).await? != expected {
            return Err(io::Error::other("another protocol lives there"));
        }
    }
    Ok(())
}

/// multistream-select as the side that was called: takes `wanted` and turns away all else.
pub async fn consent<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, wanted: &str) -> io::Result<bool> {
    let _: String = read_line(io).await?;
    io.write_all(&line("/multistream/1.0.0")).await?;
    let is_wanted = read_line(io).await? == wanted;
    io.write_all(&line(if is_wanted { wanted } else { "na" })).await?;
    io.flush().await?;
    Ok(is_wanted)
}

/// A line of multistream-select: its length in one byte, as these are short, and its end.
pub fn line(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len() + 1).expect("short");
    [&[len], text.as_bytes(), b"\n"].concat()
}

async fn read_line<S: AsyncRead + Unpin>(io: &mut S) -> io::Result<String> {
    let mut len = [0];
    io.read_exact(&mut len).await?;
    let mut text = vec![0; len[0].into()];
    io.read_exact(&mut text).await?;
    text.pop();
    String::from_utf8(text).map_err(io::Error::other)
}
