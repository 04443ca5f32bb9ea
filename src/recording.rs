//! Recordings: everything that went into an agent, so that what came out can be had again.
//!
//! An agent is a function of its configuration, seed, restored state and timed inputs. A recording has these in one file
//! and, for each input, a hash of the outputs; a bug in the field becomes one file and one line of test. It has no
//! secret: messages are sealed when they reach the agent, and in place of the key it has the signatures that were made.
//! It does say who spoke to whom and when, so it is nobody's but its owner's to give away.
//!
//! The file is a sequence of CBOR items: one [`Header`], then one record an input. A file cut in the middle of a record,
//! as a killed process leaves it, ends with the last whole one.

mod signers;
mod step;

use std::io::{BufRead, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, Config, Durable, Input, Mailboxes, Output};
use crate::bundle::Signer;
use crate::id::NodeId;
use crate::time::Moment;

pub use self::signers::Listening;
use self::signers::Playback;
use self::step::Step;

/// What an agent starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`RECORDING_VERSION`].
    pub version: u16,
    pub node: NodeId,
    pub config: Config,
    #[serde(with = "serde_bytes")]
    pub seed: [u8; 32],
    pub durable: Durable,
}

pub const RECORDING_VERSION: u16 = 1;

/// Writes down an agent's inputs as they happen.
pub struct Recorder<W> {
    writer: W,
    signatures: Arc<Listening>,
}

/// Why a recording cannot be written or played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("the recording cannot be written: {0}")]
    Write(String),
    #[error("it is no recording, or a damaged one ({0}); check that this is the right file")]
    Read(String),
    #[error("the recording is of version {0}, this dak plays version 1; install the dak that made it")]
    Version(u16),
}

/// What playing a recording showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    pub node: NodeId,
    pub inputs: u64,
    /// The last moment of it.
    pub at: Moment,
    /// The first input whose outputs are not those recorded.
    pub difference: Option<Difference>,
    /// Whether the last record is incomplete.
    pub is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Counted from 1.
    pub input: u64,
    pub at: Moment,
    /// The input, for people.
    pub what: String,
    /// What came out this time.
    pub outputs: Vec<String>,
}

impl<W: Write> Recorder<W> {
    /// Begins with the state before the first input. `signatures` is the signer that the agent was given.
    pub fn begin(mut writer: W, header: &Header, signatures: Arc<Listening>) -> Result<Recorder<W>, RecordingError> {
        write(&mut writer, header)?;
        Ok(Recorder { writer, signatures })
    }

    /// Gives the agent an input and writes down both sides.
    pub fn handle(
        &mut self,
        agent: &mut Agent,
        at: Moment,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), RecordingError> {
        let (before, input_noted) = (out.len(), step::noted(&input));
        agent.handle(at, input, out);
        let step = Step { at, input: input_noted, signatures: self.signatures.take(), outputs: hash(&out[before..]) };
        write(&mut self.writer, &step)
    }

    /// Hands what was written to whatever is below.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        self.writer.flush().map_err(|why| RecordingError::Write(why.to_string()))
    }
}

fn write(writer: &mut impl Write, item: &impl Serialize) -> Result<(), RecordingError> {
    ciborium::into_writer(item, writer).map_err(|why| RecordingError::Write(why.to_string()))
}

/// Feeds a recording to a new agent and compares what comes out, up to the first difference.
pub fn play(mut reader: impl BufRead) -> Result<Played, RecordingError> {
    let header: Header = ciborium::from_reader(&mut reader).map_err(|why| RecordingError::Read(why.to_string()))?;
    if header.version != RECORDING_VERSION {
        return Err(RecordingError::Version(header.version));
    }
    let node = header.node;
    let playback = Arc::new(Playback::new(node));
    let signer: Arc<dyn Signer> = Arc::clone(&playback) as _;
    let at = header.durable.clock;
    let mut agent = Agent::restore(node, Mailboxes::own(signer), header.config, header.seed, header.durable);
    let mut played = Played { node, inputs: 0, at, difference: None, is_cut: false };
    let mut out = Vec::new();
    while played.difference.is_none() && !is_over(&mut reader)? {
        let step: Step = match ciborium::from_reader(&mut reader) {
            Ok(step) => step,
            Err(ciborium::de::Error::Io(_)) => {
                played.is_cut = true;
                break;
            }
            Err(why) => return Err(RecordingError::Read(why.to_string())),
        };
        played.inputs += 1;
        played.at = step.at;
        let what = step.input.to_string();
        let input = step.input.input().map_err(RecordingError::Read)?;
        playback.expect(step.signatures);
        agent.handle(step.at, input, &mut out);
        if hash(&out) != step.outputs {
            let outputs = out.iter().map(|output| format!("{output:?}")).collect();
            played.difference = Some(Difference { input: played.inputs, at: step.at, what, outputs });
        }
        out.clear();
    }
    Ok(played)
}

fn is_over(reader: &mut impl BufRead) -> Result<bool, RecordingError> {
    reader.fill_buf().map(<[u8]>::is_empty).map_err(|why| RecordingError::Read(why.to_string()))
}

/// Outputs print everything they hold but the bytes of bundles, whose ids stand for them.
fn hash(outputs: &[Output]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("dak 2026 recorded outputs v1");
    for output in outputs {
        hasher.update(format!("{output:?}\n").as_bytes());
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
