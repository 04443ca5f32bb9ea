//! The side that shows a code.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures::stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::super::{Desk, rows};
use super::{chance, heard, random, says, ticket_of};
use crate::api::model::{CodeRow, PairRow, PairedRow, Schema, WrongCodeRow};
use crate::api::{ApiError, ErrorKind, NextStep, Row, Rows};
use crate::id::NodeId;
use crate::net::PairStream;
use crate::node::Stir;
use crate::pairing::{Code, Frame, Host, INVITATION_BYTES_MAX, Invitation, Refusal, WRONG_CODES_MAX};
use crate::time::Millis;
use crate::units::exact_span;

/// How long a code is shown at most.
const LASTS_MAX: Millis = Millis(600_000);
/// Between two conversations that begin: more than people need, and a hundredth of what a processor can do.
const PACE: Duration = Duration::from_millis(20);
/// Rows that wait to be read; there are at most as many.
const ROWS_MAX: usize = 8;

/// What came of one conversation.
enum Came {
    Nothing,
    /// Of a wrong code, which was told already.
    Guessed {
        is_last: bool,
    },
    Paired(Box<PairedRow>),
}

/// Shows a code and tells what comes of it. Dropped, it ends.
pub fn rows(desk: Desk, name: Option<String>, lasts: Option<Millis>) -> Rows {
    let (tell, told) = mpsc::channel(ROWS_MAX);
    tokio::spawn(async move {
        if let Err(error) = show(&desk, name, lasts.unwrap_or(LASTS_MAX), &tell).await {
            let _ = tell.send(Row::Ended(error)).await;
        }
    });
    Box::pin(stream::unfold(told, |mut told| async { told.recv().await.map(|row| (row, told)) }))
}

async fn show(desk: &Desk, name: Option<String>, lasts: Millis, tell: &mpsc::Sender<Row>) -> Result<(), ApiError> {
    let net = desk.net()?;
    if !(1..=LASTS_MAX.0).contains(&lasts.0) {
        let most = exact_span(LASTS_MAX);
        return Err(ApiError::usage(format!("a code is shown for {most} at most, and for some time")));
    }
    let time = Duration::from_millis(lasts.0);
    let name = desk.name_for_another(name).await?;
    let turn = desk.inner.pairing.begin()?;
    let code = Code::draw(random()?);
    let mut streams = net.take_pairings();
    let shown = tell.send(Row::Pair(PairRow::Shown(row(desk, code, time)))).await;
    let host = Arc::new(Mutex::new(Host::new(desk.node().identity().node(), code)));
    let (wrong, mut wrongs) = mpsc::channel(WRONG_CODES_MAX.into());
    // One conversation with a node at a time, so there are no more of them than connections.
    let (mut talks, mut talking) = (JoinSet::new(), BTreeSet::new());
    let (ends, mut next) = (Instant::now() + time, Instant::now());
    if shown.is_err() {
        return Ok(());
    }
    loop {
        let arrived = async {
            sleep_until(next).await;
            streams.next().await
        };
        tokio::select! {
            // What a node tried is told before anything else, lest its end hide it.
            biased;
            Some(left) = wrongs.recv() => {
                let row = WrongCodeRow { schema: Schema, wrong_codes: WRONG_CODES_MAX - left, tries_left: left };
                let _ = tell.send(Row::Pair(PairRow::Wrong(row))).await;
            }
            Some(talk) = talks.join_next() => match talk {
                Ok((node, came)) => {
                    talking.remove(&node);
                    match came? {
                        Came::Nothing => {}
                        // It ends once whoever tried last was told so.
                        Came::Guessed { is_last } if is_last => return Err(guessed()),
                        Came::Guessed { .. } => {}
                        Came::Paired(row) => {
                            let _ = tell.send(Row::Pair(PairRow::Paired(row))).await;
                            return Ok(());
                        }
                    }
                }
                Err(broke) => std::panic::resume_unwind(broke.into_panic()),
            },
            () = tell.closed() => return Ok(()),
            () = turn.ended.cancelled() => {
                return Err(ApiError::refused("the pairing was ended by another command").next(NextStep::PairAnew));
            }
            () = sleep_until(ends) => {
                let message = format!("nobody came with the code within {}", exact_span(lasts));
                let error = ApiError::new(ErrorKind::InFlight, message);
                return Err(error.next(NextStep::PairAnew));
            }
            stream = arrived => {
                let stream = stream.ok_or_else(ApiError::not_running)?;
                next = Instant::now() + PACE;
                if talking.insert(stream.peer) {
                    let (desk, host, wrong, name) = (desk.clone(), Arc::clone(&host), wrong.clone(), name.clone());
                    talks.spawn(async move { (stream.peer, talk(&desk, &host, &wrong, stream, name).await) });
                }
            }
        }
    }
}

fn row(desk: &Desk, code: Code, lasts: Duration) -> CodeRow {
    let at = desk.node().nearby().offered().iter().map(ToString::to_string).collect();
    let uri = Invitation { code, at }.fitting(|text| text.len() <= INVITATION_BYTES_MAX).to_string();
    let expires_at = SystemTime::now().checked_add(lasts).and_then(rows::when_system);
    CodeRow { schema: Schema, code: code.to_string(), uri, expires_at }
}

fn guessed() -> ApiError {
    let message = format!("{WRONG_CODES_MAX} wrong codes were tried, and nobody was let in");
    ApiError::new(ErrorKind::Verification, message).next(NextStep::PairAnew)
}

/// One conversation, with somebody who may have the code.
async fn talk(
    desk: &Desk,
    host: &Mutex<Host>,
    wrong: &mpsc::Sender<u8>,
    mut stream: PairStream,
    name: Option<String>,
) -> Result<Came, ApiError> {
    let peer: NodeId = stream.peer;
    // Who is blocked hears as much as while no code is shown.
    if desk.is_blocked(peer).await? {
        return Ok(Came::Nothing);
    }
    let Some(Frame::Ask { number, element }) = heard(&mut stream).await else { return Ok(Came::Nothing) };
    let asked = lock(host).ask(peer, (number, element), &mut chance()?);
    let (run, answer) = match asked {
        None => return Ok(Came::Nothing),
        Some(Err(refusal)) => return refuse(stream, refusal).await,
        Some(Ok(answered)) => answered,
    };
    if !says(&mut stream, &answer).await {
        return Ok(Came::Nothing);
    }
    let Some(Frame::Proof { tag, sealed }) = heard(&mut stream).await else { return Ok(Came::Nothing) };
    let judged = lock(host).prove(run, &tag, &sealed);
    let proven = match judged {
        Ok(proven) => proven,
        Err(refusal) => {
            if let Refusal::Wrong { left } = refusal {
                // There is room for all that a host finds wrong.
                let _ = wrong.try_send(left);
            }
            return refuse(stream, refusal).await;
        }
    };
    let contact = desk.take_in(&ticket_of(&proven.said, peer)?, name).await?;
    desk.stir(Stir::Contacts);
    let welcome = proven.welcome(desk.me().address.as_bytes());
    // What is durable here stays, whether or not the other hears of it: it can pair once more.
    let mutual = says(&mut stream, &welcome).await && heard(&mut stream).await == Some(Frame::Done);
    stream.close().await;
    Ok(Came::Paired(Box::new(PairedRow { contact, mutual })))
}

async fn refuse(mut stream: PairStream, refusal: Refusal) -> Result<Came, ApiError> {
    if says(&mut stream, &Frame::Refused(refusal)).await {
        stream.close().await;
    }
    Ok(match refusal {
        Refusal::Wrong { left } => Came::Guessed { is_last: left == 0 },
        Refusal::NotHere | Refusal::Over => Came::Nothing,
    })
}

fn lock(host: &Mutex<Host>) -> MutexGuard<'_, Host> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}
