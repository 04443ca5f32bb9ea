//! Playing: a new agent is fed what a recording says, and what comes out is compared.

use std::io::{BufRead, Write, sink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::frames::{Broken, Next, Reader};
use super::signers::{Listening, Playback};
use super::{Record, Recorder, RecordingError, Start};
use crate::agent::change::Held;
use crate::agent::{Agent, Input, Mailboxes, Output};
use crate::bundle::Signer;
use crate::id::NodeId;
use crate::time::Moment;

/// What playing a recording showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// None where the recording ends before it says.
    pub node: Option<NodeId>,
    /// Inputs taken, over all starts.
    pub inputs: u64,
    /// Agents started: one, and one more for each commit that failed.
    pub starts: u64,
    /// The last moment of it.
    pub at: Moment,
    /// The first input whose outputs are not those recorded.
    pub difference: Option<Difference>,
    /// Whether the last record is incomplete, and left out.
    pub is_cut: bool,
    /// Whether the last input has no outcome to compare with: the process ended while the agent was at it.
    pub is_open: bool,
    /// Whether it ended by a panic of the agent, at its last input.
    pub is_panic: bool,
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

/// Feeds a recording to a new agent and compares what comes out, up to the first difference.
pub fn play(reader: impl BufRead) -> Result<Played, RecordingError> {
    let mut player = Player::begin(reader, sink())?;
    player.run(|played| played.difference.is_none())?;
    Ok(player.played)
}

/// Feeds a recording to a new agent and writes one with the same inputs and what comes out of them today.
pub fn renew(reader: impl BufRead, writer: impl Write) -> Result<Played, RecordingError> {
    let mut player = Player::begin(reader, writer)?;
    // The hash runs over all outputs, so after the first difference nothing is comparable; the inputs are.
    player.run(|played| !played.is_panic)?;
    player.recorder.flush()?;
    Ok(player.played)
}

struct Player<R, W> {
    reader: Reader<R>,
    recorder: Recorder<W>,
    playback: Arc<Playback>,
    listening: Arc<Listening>,
    agent: Option<Agent>,
    /// What the agent is to hold, until there is something else to do with it.
    held: Vec<Held>,
    played: Played,
    out: Vec<Output>,
}

impl<R: BufRead, W: Write> Player<R, W> {
    fn begin(reader: R, writer: W) -> Result<Player<R, W>, RecordingError> {
        let reader = Reader::begin(reader)?;
        let playback = Arc::new(Playback::default());
        let listening = Arc::new(Listening::new(Arc::clone(&playback) as Arc<dyn Signer>));
        let recorder = Recorder::begin(writer, Arc::clone(&listening))?;
        let played = Played {
            node: None,
            inputs: 0,
            starts: 0,
            at: Moment::default(),
            difference: None,
            is_cut: false,
            is_open: false,
            is_panic: false,
        };
        Ok(Player { reader, recorder, playback, listening, agent: None, held: Vec::new(), played, out: Vec::new() })
    }

    fn run(&mut self, goes_on: impl Fn(&Played) -> bool) -> Result<(), RecordingError> {
        while goes_on(&self.played)
            && let Some(record) = self.next()?
        {
            if !matches!(record, Record::Held(_)) {
                self.reinstate()?;
            }
            match record {
                Record::Start(start) => self.start(*start)?,
                Record::Held(held) => {
                    self.recorder.held(&held)?;
                    self.agent()?;
                    if self.held.last().is_some_and(|last| last.row >= held.row) {
                        return Err(self.damaged("its rows do not rise"));
                    }
                    self.held.push(*held);
                }
                Record::Input { at, input } => {
                    let what = input.to_string();
                    let number = self.played.inputs + 1;
                    self.agent()?;
                    let node = self.played.node.expect("an agent that started is a node's");
                    let input = input.input(node).map_err(|why| RecordingError::Unknown { input: number, why })?;
                    self.step(at, input, what)?;
                }
                Record::Outcome { .. } => return Err(self.damaged("an outcome has no input")),
            }
        }
        self.reinstate()
    }

    fn reinstate(&mut self) -> Result<(), RecordingError> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        let agent = self.agent()?;
        let taken = catch_unwind(AssertUnwindSafe(|| agent.reinstate(|take| held.iter().for_each(take))));
        taken.map_err(|_| self.damaged("no agent holds what it says"))
    }

    fn start(&mut self, start: Start) -> Result<(), RecordingError> {
        self.recorder.start(&start)?;
        let Start { node, config, seed, durable } = start;
        (self.played.node, self.played.starts) = (Some(node), self.played.starts + 1);
        self.played.at = durable.clock;
        self.playback.is(node);
        let signer: Arc<dyn Signer> = Arc::clone(&self.listening) as _;
        self.agent = Some(Agent::restore(node, Mailboxes::own(signer), config, seed, durable));
        Ok(())
    }

    /// One input and its outcome.
    fn step(&mut self, at: Moment, input: Input, what: String) -> Result<(), RecordingError> {
        self.agent()?;
        let recorded = match self.next()? {
            Some(Record::Outcome { signatures, outputs }) => {
                self.playback.expect(signatures);
                Some(outputs)
            }
            Some(_) => return Err(self.damaged("an input has no outcome")),
            None => None,
        };
        self.played.inputs += 1;
        self.played.at = at;
        self.played.is_open = recorded.is_none();
        self.out.clear();
        let Player { recorder, agent: Some(agent), out, .. } = self else { unreachable!("there is an agent") };
        // An agent that panics on what another took is the difference that is looked for; nothing of it is used again.
        let outcome = catch_unwind(AssertUnwindSafe(|| recorder.handle(agent, at, input, out)));
        self.played.is_panic = outcome.is_err();
        let outputs = match outcome {
            Err(_) => vec!["a panic".to_owned()],
            Ok(outputs) => {
                let outputs = outputs?;
                if recorded.is_none_or(|recorded| recorded == outputs) {
                    return Ok(());
                }
                self.out.iter().map(|output| format!("{output:?}")).collect()
            }
        };
        let input = self.played.inputs;
        self.played.difference.get_or_insert(Difference { input, at, what, outputs });
        Ok(())
    }

    fn agent(&mut self) -> Result<&mut Agent, RecordingError> {
        if self.agent.is_none() {
            return Err(self.damaged("no agent has started"));
        }
        Ok(self.agent.as_mut().expect("looked a line above"))
    }

    fn next(&mut self) -> Result<Option<Record>, RecordingError> {
        match self.reader.next() {
            Ok(Next::Record(record)) => Ok(Some(record)),
            Ok(Next::Over) => Ok(None),
            Ok(Next::Cut) => {
                self.played.is_cut = true;
                Ok(None)
            }
            Err(Broken::Read(why)) => Err(RecordingError::Read(why)),
            Err(Broken::Damaged(why)) => Err(self.damaged(&why)),
        }
    }

    fn damaged(&self, why: &str) -> RecordingError {
        RecordingError::Damaged { after: self.played.inputs, why: why.to_owned() }
    }
}
