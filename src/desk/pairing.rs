//! Pairing of two people by a code: what both sides have in common. See [`crate::pairing`] for what is exchanged.

pub mod host;
mod join;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::people::{NAME_BYTES_MAX, checked_name, free_name};
use crate::agent::Agent;
use crate::agent::change::{Person, Standing};
use crate::api::model::{ContactRow, Done};
use crate::api::{ApiError, NextStep, Response};
use crate::id::NodeId;
use crate::net::PairStream;
use crate::pairing::{FRAME_BYTES_MAX, Frame};
use crate::safe_text::safe_text;
use crate::ticket::Ticket;
use crate::time::Millis;

/// Room for `-2` and what follows it.
const SUFFIX_BYTES_MAX: usize = 8;

/// The pairing that a code is shown for; one at a time.
#[derive(Default)]
pub struct Going(Mutex<Option<(Instant, CancellationToken)>>);

/// Lasts as long as the pairing.
struct Turn<'a> {
    going: &'a Going,
    ended: CancellationToken,
}

impl Going {
    fn begin(&self) -> Result<Turn<'_>, ApiError> {
        let mut going = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, _)) = &*going {
            let ago = Millis(since.elapsed().as_secs() * 1_000);
            let error = ApiError::refused(format!("a pairing goes on here already, begun {ago} ago"));
            return Err(error.next(NextStep::EndPairing));
        }
        let ended = CancellationToken::new();
        *going = Some((Instant::now(), ended.clone()));
        Ok(Turn { going: self, ended })
    }

    fn end(&self) -> bool {
        let going = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        going.as_ref().inspect(|(_, ended)| ended.cancel()).is_some()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.going.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Desk {
    /// Ends the pairing that a code is shown for.
    pub(super) fn pair_end(&self) -> Result<Response, ApiError> {
        self.net()?;
        match self.inner.pairing.end() {
            true => Ok(Response::Done(Done::default())),
            false => Err(ApiError::not_found("no pairing goes on here")),
        }
    }

    /// Checks what somebody is to be called before it is known who that will be.
    async fn name_for_another(&self, name: Option<String>) -> Result<Option<String>, ApiError> {
        let Some(name) = name else { return Ok(None) };
        let name = checked_name(&name)?;
        self.refuse_name_of_group(&name)?;
        let (me, wanted) = (self.node().identity().node(), name.clone());
        self.look(move |agent, _| free_name(agent, me, wanted)).await??;
        Ok(Some(name))
    }

    /// Makes the other side of a pairing a contact, whose key the code has proved. One that is known keeps its name.
    async fn take_in(&self, ticket: &Ticket, wanted: Option<String>) -> Result<ContactRow, ApiError> {
        let node = ticket.node;
        let nickname = ticket.name.as_deref().and_then(|nickname| checked_name(nickname).ok());
        let desk = self.clone();
        let taken = move |name: &str| {
            name.to_lowercase() == desk.inner.name.to_lowercase() || desk.group_that_looks_like(name, None).is_some()
        };
        let change = move |agent: &Agent, before: Option<Person>| {
            refuse_blocked(before.as_ref())?;
            let name = match (wanted, before) {
                (Some(wanted), _) => first_free(agent, node, wanted, |_| false),
                (None, Some(before)) => before.name,
                (None, None) => first_free(agent, node, nickname.unwrap_or_else(|| node.to_string()), taken),
            };
            Ok(Person { name, standing: Standing::Contact, verified: true })
        };
        let row = self.set_person(node, change).await?;
        self.learn_hints(ticket);
        self.with_arranged(node, row).await
    }

    async fn is_blocked(&self, node: NodeId) -> Result<bool, ApiError> {
        self.look(move |agent, _| refuse_blocked(agent.person(&node)).is_err()).await
    }
}

fn refuse_blocked(person: Option<&Person>) -> Result<(), ApiError> {
    match person.filter(|person| person.standing == Standing::Blocked) {
        None => Ok(()),
        Some(Person { name, .. }) => {
            let error = ApiError::refused(format!("{} answers there, who is blocked here", safe_text(name)));
            Err(error.advise("unblock them first, if that is meant"))
        }
    }
}

/// The name, or else the first of `name-2`, `name-3` and so on that is nobody's here.
fn first_free(agent: &Agent, node: NodeId, name: String, taken: impl Fn(&str) -> bool) -> String {
    let short = name[..name.floor_char_boundary(NAME_BYTES_MAX - SUFFIX_BYTES_MAX)].trim_end().to_owned();
    let others = (2..).map(|n| format!("{short}-{n}"));
    let free = |name: &String| !taken(name) && free_name(agent, node, name.clone()).is_ok();
    std::iter::once(name).chain(others).find(free).expect("people are fewer than numbers")
}

/// Reads what the other side said under the key of the code: its address, and none but its own.
fn ticket_of(said: &[u8], peer: NodeId) -> Result<Ticket, ApiError> {
    let ticket = std::str::from_utf8(said).ok().and_then(|said| Ticket::parse(said).ok());
    ticket.filter(|ticket| ticket.node == peer).ok_or_else(|| {
        let error = ApiError::failure("the other has the code, and said something else than its address");
        error.advise("it may be of another version; exchange addresses by hand")
    })
}

/// The next frame; none where nothing comes in time that is one.
async fn heard(stream: &mut PairStream) -> Option<Frame> {
    let bytes = stream.receive(FRAME_BYTES_MAX).await;
    let frame =
        bytes.map_err(|error| error.to_string()).and_then(|bytes| Frame::decode(&bytes).map_err(|e| e.to_string()));
    frame.inspect_err(|error| tracing::debug!(peer = %stream.peer, %error, "a pairing broke off")).ok()
}

async fn says(stream: &mut PairStream, frame: &Frame) -> bool {
    stream.send(&frame.encode()).await.is_ok()
}

fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| ApiError::failure(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

fn chance() -> Result<ChaCha20Rng, ApiError> {
    Ok(ChaCha20Rng::from_seed(random()?))
}
