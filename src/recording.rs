//! Recordings: everything that went into an agent, so that what came out can be had again.
//!
//! An agent is a function of its configuration, seed, restored state and timed inputs. A recording has these in one file
//! and, after each input, the running hash of all outputs so far; a bug in the field becomes one file and one line of
//! test. It has no secret: messages are sealed when they reach the agent, what is published in topics is public, and in place
//! of the key it has the signatures that were made. It does say who spoke to whom and when, and by what names its owner knows them, so it is nobody's
//! but its owner's to give away.
//!
//! ```text
//! dak recording 1 ⏎
//! Start        node, configuration, seed, everything durable but the bundles held
//! Held         one of these, facts without the body; as many as there are
//! Input        when and what, written before the agent sees it
//! Outcome      the signatures it made and the hash of what came out
//! Input …      and so on; a Start again where a commit failed and the agent went on from its store
//! ```
//! Each record stands in a frame with a checksum over the whole file so far (see `frames`). A file cut in the middle of
//! a record, as a killed process leaves it, ends with the last whole one; an input without an outcome is what the agent
//! was at when its process ended.

mod frames;
mod play;
mod signers;
mod step;

use std::io::Write;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::agent::change::Held;
use crate::agent::{Agent, Config, Durable, Input, Output};
use crate::id::NodeId;
use crate::time::Moment;

use self::frames::Writer;
use self::step::Noted;

pub use self::play::{Difference, Played, play, renew};
pub use self::signers::Listening;

/// What an agent starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    pub node: NodeId,
    pub config: Config,
    #[serde(with = "serde_bytes")]
    pub seed: [u8; 32],
    /// Without what is held, which follows one by one.
    pub durable: Durable,
}

pub const RECORDING_VERSION: u16 = 1;

/// What a frame holds.
#[derive(Debug, Deserialize)]
enum Record {
    Start(Box<Start>),
    Held(Box<Held>),
    Input { at: Moment, input: Noted },
    Outcome { signatures: Vec<ByteArray<64>>, outputs: [u8; 32] },
}

/// The same, to be written.
#[derive(Serialize)]
#[serde(rename = "Record")]
enum Written<'a> {
    Start(&'a Start),
    Held(&'a Held),
    Input { at: Moment, input: Noted },
    Outcome { signatures: Vec<ByteArray<64>>, outputs: [u8; 32] },
}

/// Writes down an agent's inputs as they happen.
pub struct Recorder<W> {
    writer: Writer<W>,
    signatures: Arc<Listening>,
    outputs: blake3::Hasher,
}

/// Why a recording cannot be written or played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("the recording cannot be written: {0}")]
    Write(std::io::Error),
    #[error("it cannot be read: {0}")]
    Read(std::io::Error),
    #[error("it is no recording of a node: its first line is not \"dak recording {RECORDING_VERSION}\"")]
    Foreign,
    #[error(
        "it is a recording of version {0}, and this dak plays version {RECORDING_VERSION}; install the dak that made it"
    )]
    Version(u16),
    #[error("it is damaged after input {after}: {why}; nothing from there on can be trusted, so look for another copy")]
    Damaged { after: u64, why: String },
    #[error("input {input} is none that this dak takes ({why}); install the dak that made the recording")]
    Unknown { input: u64, why: String },
}

impl<W: Write> Recorder<W> {
    /// Begins a recording. `signatures` is the signer that the agent is given.
    pub fn begin(writer: W, signatures: Arc<Listening>) -> Result<Recorder<W>, RecordingError> {
        let outputs = blake3::Hasher::new_derive_key("dak 2026 recorded outputs v1");
        Ok(Recorder { writer: Writer::begin(writer)?, signatures, outputs })
    }

    /// An agent starts, the first one or one after a failed commit.
    pub fn start(&mut self, start: &Start) -> Result<(), RecordingError> {
        assert!(start.durable.held.is_empty(), "what is held follows the start");
        self.writer.write(&Written::Start(start))
    }

    /// What it was told it holds, in the same order.
    pub fn held(&mut self, held: &Held) -> Result<(), RecordingError> {
        self.writer.write(&Written::Held(held))
    }

    /// Gives the agent an input and writes down both sides; returns the hash of all outputs so far.
    ///
    /// The agent gets its input whatever becomes of the recording.
    pub fn handle(
        &mut self,
        agent: &mut Agent,
        at: Moment,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<[u8; 32], RecordingError> {
        let before = out.len();
        let noted = step::noted(&input).map_err(|why| RecordingError::Write(std::io::Error::other(why)));
        let written = noted.and_then(|input| self.writer.write(&Written::Input { at, input }));
        self.signatures.listen();
        agent.handle(at, input, out);
        let signatures = self.signatures.take();
        written?;
        // Outputs print everything they hold but the bytes of bundles, whose ids stand for them.
        for output in &out[before..] {
            self.outputs.update(format!("{output:?}\n").as_bytes());
        }
        let outputs = self.outputs.finalize().into();
        self.writer.write(&Written::Outcome { signatures, outputs })?;
        Ok(outputs)
    }

    /// Hands what was written to whatever is below.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests;
