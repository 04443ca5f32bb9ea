//! Work that takes a while and needs no agent: signatures are checked and payloads sealed here, off every loop.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::core::Work;
use super::letters::Drawer;
use super::tally::Tally;
use crate::agent::Input;
use crate::bundle::{Bundle, Draft};
use crate::frame::Transit;
use crate::id::{BundleId, NodeId};

/// A bundle as it came, its id computed, its signature not yet checked.
pub struct Parsed {
    pub from: NodeId,
    pub transit: Transit,
    pub id: BundleId,
    pub bytes: Vec<u8>,
    /// What it occupies of the peer's budget until it is handled.
    pub permit: Box<dyn Send>,
}

enum Job {
    Verify(Parsed),
    Seal { token: u64, draft: Draft },
}

/// Threads that take jobs in turn.
#[derive(Clone)]
pub struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    /// Starts a thread for each processor; they end with the last handle.
    pub fn start(core: Sender<Work>, drawer: Arc<Drawer>, tally: Arc<Tally>) -> Pool {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for n in 0..threads {
            let (queue, core) = (Arc::clone(&queue), core.clone());
            let (drawer, tally) = (Arc::clone(&drawer), Arc::clone(&tally));
            let thread = std::thread::Builder::new().name(format!("dak-verify-{n}"));
            let run = move || {
                while let Some(job) = next(&queue) {
                    if let Some(work) = perform(job, &drawer, &tally)
                        && core.send(work).is_err()
                    {
                        return;
                    }
                }
            };
            thread.spawn(run).expect("the system gives a node its few threads");
        }
        Pool { jobs }
    }

    pub fn verify(&self, parsed: Parsed) {
        // Without threads the process is ending, and nothing is owed for a bundle that was not accepted.
        let _ = self.jobs.send(Job::Verify(parsed));
    }

    pub fn seal(&self, token: u64, draft: Draft) {
        let _ = self.jobs.send(Job::Seal { token, draft });
    }
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn perform(job: Job, drawer: &Drawer, tally: &Tally) -> Option<Work> {
    match job {
        Job::Verify(Parsed { from, transit, bytes, permit, .. }) => match Bundle::decode(&bytes) {
            Ok((bundle, _)) => {
                let size_bytes = bytes.len() as u32;
                let input = Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes };
                Some(Work::FromPeer(input, permit))
            }
            Err(error) => {
                tally.bad(from, &error.to_string());
                None
            }
        },
        Job::Seal { token, draft } => match drawer.seal(token, &draft) {
            Ok(payload) => {
                let size_bytes = draft.encoded_len(payload.len()) as u32;
                Some(Work::Input(Input::Sealed { token, payload: payload.into(), size_bytes }))
            }
            Err(error) => {
                drawer.fail(token, error);
                None
            }
        },
    }
}
