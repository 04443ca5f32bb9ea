//! Work that takes a while and needs no agent: signatures are checked and payloads sealed here, off every loop.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::letters::Drawer;
use super::queue::{Closed, Queue};
use super::tally::{Offence, Tally};
use super::work::{Parsed, Work};
use crate::agent::Input;
use crate::bundle::Draft;

enum Job {
    Verify(Parsed),
    Seal { token: u64, draft: Draft },
}

/// Threads that take the jobs of peers in turn.
#[derive(Clone)]
pub struct Pool {
    jobs: Arc<Queue<Job>>,
}

impl Pool {
    /// Starts a thread for each processor; they end when it is closed.
    pub fn start(core: Arc<Queue<Work>>, drawer: Arc<Drawer>, tally: Arc<Tally>, ended: &CancellationToken) -> Pool {
        let jobs = Arc::<Queue<Job>>::default();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for n in 0..threads {
            let (jobs, core) = (Arc::clone(&jobs), Arc::clone(&core));
            let (drawer, tally) = (Arc::clone(&drawer), Arc::clone(&tally));
            let thread = std::thread::Builder::new().name(format!("dak-verify-{n}"));
            let guard = ended.clone().drop_guard();
            let run = move || {
                let _guard = guard;
                while let Some(job) = jobs.take() {
                    if perform(job, &core, &drawer, &tally).is_err() {
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
        let _ = self.jobs.put_from(parsed.from, Job::Verify(parsed));
    }

    pub fn seal(&self, token: u64, draft: Draft) {
        let _ = self.jobs.put(Job::Seal { token, draft });
    }

    /// Ends the threads; what waits is dropped.
    pub fn close(&self) {
        self.jobs.close();
    }
}

fn perform(job: Job, core: &Queue<Work>, drawer: &Drawer, tally: &Tally) -> Result<(), Closed> {
    match job {
        // It was sent away for what it sent before this.
        Job::Verify(Parsed { from, .. }) if tally.is_banished(&from) => Ok(()),
        Job::Verify(Parsed { from, transit, bundle, permit }) => match tally.contain(from, || bundle.verify()) {
            Some(Ok((bundle, _))) => {
                let size_bytes = bundle.encoded_len() as u32;
                let input = Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes };
                core.put_from(from, Work::FromPeer(input, permit))
            }
            Some(Err(error)) => {
                tally.bad(from, Offence::of(&error), &error.to_string());
                Ok(())
            }
            None => Ok(()),
        },
        Job::Seal { token, draft } => match drawer.seal(token, &draft) {
            Ok(payload) => {
                let size_bytes = draft.encoded_len(payload.len()) as u32;
                core.put(Work::Input(Input::Sealed { token, payload: payload.into(), size_bytes }))
            }
            Err(error) => {
                drawer.fail(token, error);
                Ok(())
            }
        },
    }
}
