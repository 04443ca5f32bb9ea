//! What the person writes, until it has an id, and who waits to hear that.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::agent::change::Change;
use crate::bundle::Draft;
use crate::id::BundleId;
use crate::keyring::Keyring;
use crate::node::NodeError;

/// Padded content; wiped from memory when dropped.
pub type Plaintext = Zeroizing<Vec<u8>>;

/// What is kept in the commit that queues a message, once it has an id.
pub type InCommit = Box<dyn FnOnce(BundleId) -> Change + Send>;

/// What was written, and what is kept beside it.
pub type Written = (Plaintext, Option<InCommit>);

/// Plaintext by token, and the waiting senders.
pub struct Drafts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_token: u64,
    plaintexts: BTreeMap<u64, Written>,
    waiting: BTreeMap<u64, oneshot::Sender<Result<BundleId, NodeError>>>,
}

impl Drafts {
    pub fn new() -> Drafts {
        Drafts { state: Mutex::default() }
    }

    /// Keeps padded content, with what is kept beside it; returns its token and where its id will come.
    pub fn put(
        &self,
        plaintext: Vec<u8>,
        beside: Option<InCommit>,
    ) -> (u64, oneshot::Receiver<Result<BundleId, NodeError>>) {
        let (tell, told) = oneshot::channel();
        let mut state = self.state();
        let token = state.next_token;
        state.next_token += 1;
        state.plaintexts.insert(token, (Zeroizing::new(plaintext), beside));
        state.waiting.insert(token, tell);
        (token, told)
    }

    /// The same for what is published, which nobody seals.
    pub fn expect(&self) -> (u64, oneshot::Receiver<Result<BundleId, NodeError>>) {
        let (tell, told) = oneshot::channel();
        let mut state = self.state();
        let token = state.next_token;
        state.next_token += 1;
        state.waiting.insert(token, tell);
        (token, told)
    }

    /// Seals the content of a token for the draft's destination; returns both, and what is kept beside it.
    pub fn seal(&self, token: u64, draft: &Draft, keyring: &Keyring) -> Result<(Vec<u8>, Written), NodeError> {
        let written = self.state().plaintexts.remove(&token);
        let (plaintext, beside) = written.ok_or(NodeError::GivenUp)?;
        let payload = keyring.seal(&draft.destination, &draft.primary(), &plaintext).map_err(NodeError::Seal)?;
        Ok((payload, (plaintext, beside)))
    }

    pub fn queued(&self, token: u64, id: BundleId) {
        self.answer(token, Ok(id));
    }

    pub fn fail(&self, token: u64, error: NodeError) {
        self.answer(token, Err(error));
    }

    /// Nothing that waits will come: the agent that was asked is no more.
    pub fn fail_all(&self) {
        let mut state = self.state();
        state.plaintexts.clear();
        state.waiting.clear();
    }

    fn answer(&self, token: u64, answer: Result<BundleId, NodeError>) {
        let mut state = self.state();
        state.plaintexts.remove(&token);
        if let Some(tell) = state.waiting.remove(&token) {
            // Whoever asked may have left.
            let _ = tell.send(answer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
