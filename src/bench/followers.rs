//! Programs that follow over loopback what happens: how fast ten of them hear of what is written.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::{BodyExt, Empty};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cast::{PATIENCE, key};
use super::process::Process;
use super::{Failure, Row, row};
use crate::api::client::Client;
use crate::api::model::{Compose, Request, Response};
use crate::bundle::Signer as _;
use crate::home::Home;
use crate::ticket::Ticket;
use crate::tokens::{May, Tokens};

const FOLLOWERS: usize = 10;
/// Programs that write at once.
const WRITERS: usize = 4;

/// Who follows, and how far it has read.
struct Follower {
    at: SocketAddr,
    authorization: String,
    body: Incoming,
    /// What came of a line that goes on.
    line: Vec<u8>,
    last: Option<u64>,
}

/// Messages a second that are written through the API and told to ten followers, each as an event with its number, beside
/// as many with nobody to tell.
pub async fn ten(place: &Path, messages: usize, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let home = place.join("followed");
    let _node = Process::start_open(&home)?;
    let home = Home::open_or_create(Some(&home))?;
    let client = Arc::new(Client::new(home.socket_path()));
    let Response::Health(health) = client.call(&Request::Health).await? else { return Err("no health".into()) };
    let at: SocketAddr = health.api_listen.ok_or("the node opened no port")?.parse()?;
    let secret = Tokens::of(home.tokens_path()).add("bench", May { read_only: true, topics: None }, 0)?;

    let start = Instant::now();
    write(&client, messages).await?;
    let alone = messages as f64 / start.elapsed().as_secs_f64();

    let mut followers = Vec::new();
    for _ in 0..FOLLOWERS {
        followers.push(Follower::begin(at, format!("Bearer {secret}")).await?);
    }
    let start = Instant::now();
    let mut told = JoinSet::new();
    for mut follower in followers {
        told.spawn(async move { follower.hear(messages).await });
    }
    write(&client, messages).await?;
    while let Some(heard) = timeout(PATIENCE, told.join_next()).await? {
        heard??;
    }
    let rate = messages as f64 / start.elapsed().as_secs_f64();
    report(row("told_to_ten_followers", rate, "1/s", Some((alone, "as many with nobody to tell"))));
    Ok(())
}

async fn write(client: &Arc<Client>, messages: usize) -> Result<(), Failure> {
    let to = Ticket::new(key(200).node(), [], None).to_string();
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let (client, to) = (Arc::clone(client), to.clone());
        writers.spawn(async move {
            for _ in (n..messages).step_by(WRITERS) {
                let compose = Compose { to: to.clone(), text: "the pump is dry".into(), ..Compose::default() };
                client.call(&Request::Send(Box::new(compose))).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(())
}

impl Follower {
    /// Follows from now on.
    async fn begin(at: SocketAddr, authorization: String) -> Result<Follower, Failure> {
        let body = follow(at, &authorization, None).await?;
        Ok(Follower { at, authorization, body, line: Vec::new(), last: None })
    }

    /// Returns once so many messages were told. A stream that ends, for its reader lagged, is followed on behind its last
    /// event.
    async fn hear(&mut self, messages: usize) -> Result<(), Failure> {
        let mut heard = 0;
        while heard < messages {
            match timeout(PATIENCE, self.body.frame()).await? {
                Some(Ok(frame)) => {
                    let bytes = frame.into_data().unwrap_or_default();
                    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                        self.line.extend_from_slice(piece);
                        if piece.ends_with(b"\n") {
                            heard += usize::from(self.read()?);
                        }
                    }
                }
                Some(Err(_)) | None => {
                    self.line.clear();
                    self.body = follow(self.at, &self.authorization, self.last).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads a line; says whether it begins the event of a message.
    fn read(&mut self) -> Result<bool, Failure> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line)?.trim_end();
        if let Some(id) = line.strip_prefix("id: ") {
            self.last = Some(id.parse()?);
        }
        Ok(line == "event: message")
    }
}

async fn follow(at: SocketAddr, authorization: &str, last: Option<u64>) -> Result<Incoming, Failure> {
    let stream = TcpStream::connect(at).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = hyper::Request::get("/v1/events")
        .header(HOST, at.to_string())
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => Err(format!("who follows is told {status}").into()),
    }
}
