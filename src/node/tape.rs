//! The recording of a running node, where one is wanted: everything its agent gets goes through here.
//!
//! A recording never stands in the node's way: it is flushed once a batch, before the batch goes to the store, so that
//! it knows whatever the store knows after a kill; and where it cannot be written it ends, with a word in the log.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::agent::change::{Durable, Held};
use crate::agent::{Agent, Config, Input, Mailboxes, Output};
use crate::bundle::Signer;
use crate::node::NodeError;
use crate::recording::{Listening, Recorder, RecordingError, Start};
use crate::time::Moment;

/// How much waits in memory for the end of a batch.
const BUFFER_BYTES: usize = 256 << 10;
/// With less than this left on the store's disk a recording ends: the mail needs the room.
const FREE_BYTES_MIN: u64 = 64 << 20;

/// Gives an agent its inputs, and writes them down where that is wanted.
#[derive(Default)]
pub struct Tape {
    on: Option<Recording>,
}

struct Recording {
    path: PathBuf,
    recorder: Recorder<BufWriter<File>>,
    signatures: Arc<Listening>,
}

impl Tape {
    /// Makes a recording that only its owner can read, and never over an existing file.
    pub fn create(path: &Path, signer: Arc<dyn Signer>) -> Result<Tape, NodeError> {
        let failed = |why: io::Error| NodeError::Recording { path: path.to_owned(), why };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        Tape::over(file, path, signer).map_err(|why| failed(io::Error::other(why)))
    }

    fn over(file: File, path: &Path, signer: Arc<dyn Signer>) -> Result<Tape, RecordingError> {
        let signatures = Arc::new(Listening::new(signer));
        let recorder = Recorder::begin(BufWriter::with_capacity(BUFFER_BYTES, file), Arc::clone(&signatures))?;
        Ok(Tape { on: Some(Recording { path: path.to_owned(), recorder, signatures }) })
    }

    /// Starts an agent from what is durable; what it holds is handed in with [`Tape::reinstate`].
    pub fn start(&mut self, signer: Arc<dyn Signer>, config: Config, seed: [u8; 32], durable: Durable) -> Agent {
        let start = Start { node: signer.node(), config, seed, durable };
        self.write(|recorder| recorder.start(&start));
        let signer = self.on.as_ref().map_or(signer, |on| Arc::clone(&on.signatures) as Arc<dyn Signer>);
        let Start { node, config, seed, durable } = start;
        Agent::restore(node, Mailboxes::own(signer), config, seed, durable)
    }

    /// Hands an agent every bundle that `each` gives.
    pub fn reinstate<T>(&mut self, agent: &mut Agent, each: impl FnOnce(&mut dyn FnMut(&Held)) -> T) -> T {
        agent.reinstate(|take| {
            each(&mut |held| {
                self.write(|recorder| recorder.held(held));
                take(held);
            })
        })
    }

    pub fn handle(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        if self.on.is_none() {
            return agent.handle(at, input, out);
        }
        self.write(|recorder| recorder.handle(agent, at, input, out).map(drop));
    }

    /// Lets a killed process leave everything up to here.
    pub fn flush(&mut self) {
        self.write(Recorder::flush);
    }

    /// Ends a recording that would fill the disk.
    pub fn mind_space(&mut self, free_bytes: u64) {
        if free_bytes < FREE_BYTES_MIN {
            self.write(|recorder| {
                recorder.flush()?;
                Err(RecordingError::Write(io::Error::new(io::ErrorKind::StorageFull, "the disk is nearly full")))
            });
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Recorder<BufWriter<File>>) -> Result<(), RecordingError>) {
        let Some(on) = &mut self.on else { return };
        if let Err(error) = write(&mut on.recorder) {
            let file = on.path.display();
            tracing::error!(%file, %error, "the recording ends here and the node goes on; what is there can be replayed");
            self.on = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::bundle::Priority;
    use crate::eid::Eid;
    use crate::keys::Identity;
    use crate::recording::play;
    use crate::time::{DAY, DtnTime, Timestamp};

    fn signer() -> Arc<dyn Signer> {
        Identity::from_secret(&[1; 32]).signer()
    }

    fn at(now: u64) -> Moment {
        Moment { now: Timestamp(now), wall: DtnTime(846_892_800_000 + now) }
    }

    /// Writes a message and signs it.
    fn write_one(tape: &mut Tape, agent: &mut Agent, now: u64) -> Vec<Output> {
        let (mailbox, destination) = (Eid::mail(agent.node()), Eid::mail(Identity::from_secret(&[2; 32]).node()));
        let (lifetime, priority) = (DAY, Priority::Normal);
        let submit = Input::Submit { token: now, mailbox, destination, lifetime, priority, copies: None };
        let mut out = Vec::new();
        tape.handle(agent, at(now), submit, &mut out);
        let sealed = Input::Sealed { token: now, payload: b"sealed"[..].into(), size_bytes: 500 };
        tape.handle(agent, at(now + 1), sealed, &mut out);
        tape.flush();
        out
    }

    #[test]
    fn an_agent_that_starts_again_from_its_store_is_recorded_as_such() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("recording");
        let mut tape = Tape::create(&path, signer()).unwrap();
        let mut agent = tape.start(signer(), Config::default(), [7; 32], Durable::default());
        write_one(&mut tape, &mut agent, 1_000);
        let mut durable = agent.durable();
        write_one(&mut tape, &mut agent, 2_000);
        // The second message was never committed.
        let held = std::mem::take(&mut durable.held);
        assert_eq!(held.len(), 1);
        let mut agent = tape.start(signer(), Config::default(), [8; 32], durable);
        tape.reinstate(&mut agent, |take| held.values().for_each(take));
        write_one(&mut tape, &mut agent, 3_000);

        let played = play(BufReader::new(File::open(&path).unwrap())).unwrap();
        assert_eq!((played.inputs, played.starts, played.difference), (6, 2, None));
    }

    #[test]
    fn a_file_that_takes_nothing_ends_the_recording_and_the_agent_goes_on() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut tape = Tape::over(full, Path::new("/dev/full"), signer()).unwrap();
        let mut agent = tape.start(signer(), Config::default(), [7; 32], Durable::default());
        let first = write_one(&mut tape, &mut agent, 1_000);
        assert!(tape.on.is_none());
        let second = write_one(&mut tape, &mut agent, 2_000);
        let seals = |out: &[Output]| out.iter().filter(|output| matches!(output, Output::Seal { .. })).count();
        assert_eq!((seals(&first), seals(&second), agent.held().count()), (1, 1, 2));
    }

    #[test]
    fn a_nearly_full_disk_ends_the_recording_with_all_it_had() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("recording");
        let mut tape = Tape::create(&path, signer()).unwrap();
        let mut agent = tape.start(signer(), Config::default(), [7; 32], Durable::default());
        write_one(&mut tape, &mut agent, 1_000);
        tape.mind_space(FREE_BYTES_MIN);
        assert!(tape.on.is_some());
        tape.mind_space(FREE_BYTES_MIN - 1);
        assert!(tape.on.is_none());
        write_one(&mut tape, &mut agent, 2_000);
        let played = play(BufReader::new(File::open(&path).unwrap())).unwrap();
        assert_eq!((played.inputs, played.difference, played.is_cut), (2, None, false));
    }
}
