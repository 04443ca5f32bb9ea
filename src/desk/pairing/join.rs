//! The side that was given a code: it asks whoever can be met for its number, and proves to those who have it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::time::{sleep, timeout};

use super::super::Desk;
use super::{chance, heard, refuse_blocked, says, ticket_of};
use crate::api::model::ContactRow;
use crate::api::{ApiError, ErrorKind, NextStep};
use crate::id::NodeId;
use crate::net::{NetHandle, NotPaired, PairStream, PairWith, peer};
use crate::pairing::{Code, Frame, Invitation, Joiner, Refusal, WRONG_CODES_MAX};
use crate::safe_text::safe_text;

/// How long to look for a node that shows the code, where nobody typed an address and where somebody did: multicast may take
/// some seconds after a start.
const SEARCH: Duration = Duration::from_secs(20);
const SEARCH_TYPED: Duration = Duration::from_secs(5);
/// Before everybody is looked at once more.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the way to a node may take.
const REACH: Duration = Duration::from_secs(20);
/// Nodes asked at the same time, and in one round.
const AT_ONCE_MAX: usize = 8;
const ROUND_MAX: usize = 256;
/// Addresses that a person may give.
const PEERS_MAX: usize = 16;

/// A search for one code.
struct Search<'a> {
    desk: &'a Desk,
    net: &'a NetHandle,
    code: Code,
    name: Option<String>,
    /// Nodes that need not be asked again.
    asked: Mutex<BTreeSet<NodeId>>,
    /// Proofs that may still be given to whoever claims to show the code: each is a guess at it. One at a time, and none
    /// once the right node was found.
    proofs: tokio::sync::Mutex<u8>,
}

/// What came of asking one node.
enum Asked {
    Paired(Box<ContactRow>),
    /// The node says that the code is wrong.
    Wrong {
        left: u8,
    },
    /// It claims to show the code, and has not got it.
    False,
    /// It shows no such code any more, or never did.
    NotHere,
    /// It did not answer, or not to the end.
    Away,
}

/// What came of asking several.
#[derive(Default)]
struct Round {
    paired: Option<Box<ContactRow>>,
    /// Somebody said that the code is wrong, and how many more may be.
    wrong: Option<u8>,
    /// Somebody claims to show the code, and has not got it.
    is_false: bool,
}

impl Round {
    /// Whether others may be the right ones.
    fn is_open(&self) -> bool {
        self.paired.is_none() && self.wrong.is_none()
    }

    fn or(self, before: Round) -> Round {
        Round { is_false: self.is_false || before.is_false, ..self }
    }
}

impl Desk {
    pub(in crate::desk) async fn pair_join(
        &self,
        code: &str,
        peers: Vec<String>,
        name: Option<String>,
    ) -> Result<ContactRow, ApiError> {
        let net = self.net()?;
        let Invitation { code, at } = Invitation::parse(code).map_err(|error| {
            ApiError::usage(safe_text(&error.to_string())).advise("type the code as the other reads it")
        })?;
        let name = self.name_for_another(name).await?;
        let typed = peers.iter().map(|peer| address(peer)).collect::<Result<Vec<_>, _>>()?;
        if typed.len() > PEERS_MAX {
            return Err(ApiError::usage(format!("more than {PEERS_MAX} addresses")).advise("name the other's alone"));
        }
        // What a QR code has and this version cannot use is left out; what a person typed is not.
        let scanned = at.iter().filter_map(|at| address(at).ok());
        let search = Search {
            desk: self,
            net,
            code,
            name,
            asked: Mutex::default(),
            proofs: tokio::sync::Mutex::new(WRONG_CODES_MAX),
        };
        search.run(typed, scanned.collect()).await
    }
}

impl Search<'_> {
    async fn run(&self, typed: Vec<PairWith>, scanned: Vec<PairWith>) -> Result<ContactRow, ApiError> {
        let ends = Instant::now() + if typed.is_empty() { SEARCH } else { SEARCH_TYPED };
        loop {
            // Anybody near can claim the number, and use up the proofs there are: who was named goes first.
            let named = typed.iter().cloned().map(|with| (with, true));
            let mut round = self.round(named.collect()).await?;
            if round.is_open() {
                let found = scanned.iter().cloned().chain(self.near()).map(|with| (with, false));
                round = self.round(found.take(ROUND_MAX).collect()).await?.or(round);
            }
            match round {
                Round { paired: Some(contact), .. } => return Ok(*contact),
                Round { wrong: Some(left), .. } => return Err(is_wrong(left)),
                Round { is_false: true, .. } => {
                    let message =
                        format!("somebody answers for the number {} and does not have the code", self.code.number());
                    let next = if typed.is_empty() { NextStep::PairAtAddress } else { NextStep::PairAnew };
                    return Err(ApiError::new(ErrorKind::Verification, message).next(next));
                }
                Round { .. } => {}
            }
            if Instant::now() >= ends {
                let message = format!("nobody who can be met shows a code with the number {}", self.code.number());
                return Err(ApiError::not_found(message).next(NextStep::PairAtAddress));
            }
            sleep(PAUSE).await;
        }
    }

    /// Asks nodes, several at the same time, until one of them is the right one.
    async fn round(&self, targets: Vec<(PairWith, bool)>) -> Result<Round, ApiError> {
        let asking = stream::iter(targets).map(|(with, is_typed)| self.ask(with, is_typed));
        let mut answers = asking.buffer_unordered(AT_ONCE_MAX);
        let mut round = Round::default();
        while let Some(asked) = answers.next().await {
            match asked? {
                Asked::Paired(contact) => return Ok(Round { paired: Some(contact), ..round }),
                Asked::Wrong { left } => round.wrong = Some(left),
                Asked::False => round.is_false = true,
                Asked::NotHere | Asked::Away => {}
            }
        }
        Ok(round)
    }

    /// Whoever can be met and was not asked yet.
    fn near(&self) -> Vec<PairWith> {
        let asked = self.asked();
        let around = self.desk.node().nearby().around(Instant::now()).into_iter();
        let new = around.filter(|(node, _)| !asked.contains(node));
        new.map(|(node, seen)| PairWith::Node(node, seen.addr.parse().into_iter().collect())).collect()
    }

    async fn ask(&self, with: PairWith, is_typed: bool) -> Result<Asked, ApiError> {
        if let PairWith::Node(node, _) = &with
            && self.asked().contains(node)
        {
            return Ok(Asked::NotHere);
        }
        // What another machine calls its address may be one of this machine's, too.
        let own = || match is_typed {
            true => {
                let error = ApiError::refused("that is this node's own address");
                Err(error.advise("type the code on the other machine"))
            }
            false => Ok(Asked::NotHere),
        };
        if matches!(with, PairWith::Node(node, _) if node == self.desk.node().identity().node()) {
            return own();
        }
        let stream = match timeout(REACH, self.net.pair(with)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(NotPaired::Myself)) => return own(),
            Ok(Err(NotPaired::Away | NotPaired::Busy)) | Err(_) => return Ok(Asked::Away),
        };
        let peer = stream.peer;
        if let Err(blocked) = self.desk.look(move |agent, _| refuse_blocked(agent.person(&peer))).await? {
            self.asked().insert(peer);
            return if is_typed { Err(blocked) } else { Ok(Asked::NotHere) };
        }
        // It may be known by two addresses.
        if !self.asked().insert(peer) {
            return Ok(Asked::NotHere);
        }
        let answer = self.talk(stream).await?;
        if matches!(answer, Asked::Away) {
            self.asked().remove(&peer);
        }
        Ok(answer)
    }

    async fn talk(&self, mut stream: PairStream) -> Result<Asked, ApiError> {
        let me = self.desk.node().identity().node();
        let (joiner, ask) = Joiner::ask(me, &self.code, stream.peer, &mut chance()?);
        if !says(&mut stream, &ask).await {
            return Ok(Asked::Away);
        }
        let element = match heard(&mut stream).await {
            Some(Frame::Answer { element }) => element,
            Some(Frame::Refused(_)) => return Ok(Asked::NotHere),
            _ => return Ok(Asked::Away),
        };
        let mut proofs = self.proofs.lock().await;
        if *proofs == 0 {
            return Ok(Asked::False);
        }
        *proofs -= 1;
        let Ok((proving, proof)) = joiner.prove(&element, self.desk.me().address.as_bytes()) else {
            return Ok(Asked::False);
        };
        // From here on the other may count on this one: whoever asked may go, and it is finished all the same.
        let (desk, name) = (self.desk.clone(), self.name.clone());
        let finish = tokio::spawn(async move {
            if !says(&mut stream, &proof).await {
                return Ok(Asked::Away);
            }
            let said = match heard(&mut stream).await {
                Some(Frame::Welcome { tag, sealed }) => proving.welcomed(&tag, &sealed),
                Some(Frame::Refused(Refusal::Wrong { left })) => return Ok(Asked::Wrong { left }),
                Some(Frame::Refused(_)) => return Ok(Asked::NotHere),
                _ => return Ok(Asked::Away),
            };
            let Ok(said) = said else { return Ok(Asked::False) };
            let contact = desk.take_in(&ticket_of(&said, stream.peer)?, name).await?;
            says(&mut stream, &Frame::Done).await;
            stream.close().await;
            Ok(Asked::Paired(Box::new(contact)))
        });
        finish.await.map_err(|error| ApiError::failure(error.to_string()))?
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeSet<NodeId>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_wrong(left: u8) -> ApiError {
    let error = |message: String| ApiError::new(ErrorKind::Verification, message);
    match left {
        0 => error("that code is wrong, and it was the last try".into()).next(NextStep::PairAnew),
        1 => error("that code is wrong; one more can be tried".into()).advise("type it as the other reads it"),
        left => {
            let left = left.min(WRONG_CODES_MAX);
            error(format!("that code is wrong; {left} more can be tried")).advise("type it as the other reads it")
        }
    }
}

/// Whom an address means.
fn address(text: &str) -> Result<PairWith, ApiError> {
    let wrong = || {
        let error = ApiError::usage(format!("{} is no address to dial", safe_text(text)));
        error.advise("give one like /ip4/192.168.1.7/tcp/33556")
    };
    let addr: Multiaddr = text.trim().parse().map_err(|_| wrong())?;
    let node = addr.iter().find_map(|part| match part {
        Protocol::P2p(node) => Some(node),
        _ => None,
    });
    match node {
        Some(node) => Ok(PairWith::Node(peer::node_id(&node).map_err(|_| wrong())?, vec![addr])),
        None => Ok(PairWith::Whoever(addr)),
    }
}
