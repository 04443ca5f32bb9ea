//! Work that takes a while and needs no agent: signatures are checked and payloads sealed here, off every loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::drafts::Drafts;
use super::queue::{Closed, Piece, Queue, Share};
use super::tally::{Offence, Tally};
use super::work::{Parsed, Work};
use crate::agent::{Input, STICK};
use crate::brake::Brake;
use crate::bundle::{Bundle, Draft, Kind, Unverified};
use crate::content::{Content, pad};
use crate::keyring::Keyring;
use crate::mail::{self, Opened};

enum Job {
    Verify(Parsed),
    /// What came out of files, and who waits for it.
    Check(Vec<Unverified<Vec<u8>>>, oneshot::Sender<Vec<Checked>>),
    Seal {
        token: u64,
        draft: Draft,
    },
}

/// A bundle that verifies, and of a message for the mailbox here what is in it; or why it does not.
pub type Checked = Result<(Bundle, Option<Opened>), String>;

/// What the pool works with.
#[derive(Clone)]
pub struct PoolParts {
    pub core: Arc<Queue<Work>>,
    pub drafts: Arc<Drafts>,
    pub keyring: Keyring,
    pub tally: Arc<Tally>,
}

/// Threads that take the jobs of peers in turn.
#[derive(Clone)]
pub struct Pool {
    jobs: Arc<Queue<Job>>,
}

impl Pool {
    /// Starts a thread for each processor; they end when it is closed.
    pub fn start(parts: PoolParts, ended: &CancellationToken) -> Pool {
        let jobs = Arc::<Queue<Job>>::default();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for n in 0..threads {
            let (jobs, parts) = (Arc::clone(&jobs), parts.clone());
            let thread = std::thread::Builder::new().name(format!("dak-verify-{n}"));
            let guard = ended.clone().drop_guard();
            let run = move || {
                let _guard = guard;
                while let Some(Piece { item: job, share }) = jobs.take() {
                    let begun = Instant::now();
                    if parts.perform(job).is_err() {
                        return;
                    }
                    jobs.spent(share, begun.elapsed());
                }
            };
            thread.spawn(run).expect("the system gives a node its few threads");
        }
        Pool { jobs }
    }

    pub fn verify(&self, parsed: Parsed) {
        // Without threads the process is ending, and nothing is owed for a bundle that was not accepted.
        let _ = self.jobs.put_from(parsed.from, parsed.share, Job::Verify(parsed));
    }

    /// Checks what came out of files, in turn with what comes of peers; nothing comes back where the process is ending.
    pub fn check(&self, bundles: Vec<Unverified<Vec<u8>>>) -> oneshot::Receiver<Vec<Checked>> {
        let (tell, told) = oneshot::channel();
        let _ = self.jobs.put_from(STICK, Share::Peer(STICK), Job::Check(bundles, tell));
        told
    }

    pub fn seal(&self, token: u64, draft: Draft) {
        let _ = self.jobs.put(Job::Seal { token, draft });
    }

    /// Ends the threads; what waits is dropped.
    pub fn close(&self) {
        self.jobs.close();
    }
}

impl PoolParts {
    fn perform(&self, job: Job) -> Result<(), Closed> {
        match job {
            // It was sent away for what it sent before this.
            Job::Verify(Parsed { from, .. }) if self.tally.is_banished(&from) => Ok(()),
            Job::Verify(Parsed { from, share, transit, bundle, permit }) => {
                match self.tally.contain(from, || bundle.verify().map(|(bundle, _)| (self.open(&bundle), bundle))) {
                    Some(Ok((opened, bundle))) => {
                        let size_bytes = bundle.encoded_len() as u32;
                        let input = Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes };
                        let work = match opened {
                            Some(opened) => Work::ForMailbox(input, permit, opened),
                            None => Work::FromPeer(input, permit),
                        };
                        self.core.put_from(from, share, work)
                    }
                    Some(Err(error)) => {
                        self.tally.bad(from, Offence::of(&error), &error.to_string());
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
            Job::Check(bundles, tell) => {
                // Who asked may have left.
                let _ = tell.send(bundles.into_iter().map(|bundle| self.check(bundle)).collect());
                Ok(())
            }
            Job::Seal { token, draft } => match self.drafts.seal(token, &draft, &self.keyring) {
                Ok((payload, (plaintext, beside))) => {
                    // The core files of a part only which it is.
                    let plaintext = mail::without_part(&plaintext).map_or(plaintext, Zeroizing::new);
                    let size_bytes = draft.encoded_len(payload.len()) as u32;
                    let input = Input::Sealed { token, payload: payload.into(), size_bytes };
                    self.core.put(Work::Sealed(input, (plaintext, beside)))
                }
                Err(error) => {
                    self.drafts.fail(token, error);
                    Ok(())
                }
            },
        }
    }

    /// Nobody can be sent away for what lies in a file, and whoever asks is told.
    fn check(&self, bundle: Unverified<Vec<u8>>) -> Checked {
        match self.tally.contain(STICK, || bundle.verify().map(|(bundle, _)| (self.open(&bundle), bundle))) {
            Some(Ok((opened, bundle))) => Ok((bundle, opened)),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("a fault of this program; please report it".into()),
        }
    }

    fn open(&self, bundle: &Bundle) -> Option<Opened> {
        open(&self.keyring, bundle)
    }
}

/// What a message for the mailbox or a group here says; none where it is for another, or does not open.
pub fn open(keyring: &Keyring, bundle: &Bundle) -> Option<Opened> {
    let is_mine = bundle.kind == Kind::Message && keyring.opens(&bundle.destination);
    let opened = is_mine.then(|| keyring.open(bundle).ok()).flatten()?;
    Some(checked(bundle, opened))
}

/// A part of a file is taken out of what its message says, once. Of one that is none is left only which it claims to be:
/// whoever signed it gains nothing.
fn checked(bundle: &Bundle, mut opened: Opened) -> Opened {
    let Some(mut part) = mail::part(&opened) else { return opened };
    opened.plaintext = pad(&Content::Part(part.stub()).encode());
    if !part.bytes.is_empty() && !part.is_true() {
        static BRAKE: Brake = Brake::new(Duration::ZERO);
        let source = bundle.source.peer_id();
        BRAKE.say((), |unsaid| {
            tracing::warn!(unsaid, %source, "what came as a part of a file is none, and is dropped");
        });
        part = part.stub();
    }
    opened.part = Some(Box::new(part));
    opened
}
