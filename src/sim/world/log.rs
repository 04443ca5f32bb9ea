//! The hash of everything that happened, in order: two runs that agree in it agree in every step.

/// What kind of step it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    Up,
    Down,
    Crash,
    Restart,
    Create,
    Frame,
    Bundle,
    Timer,
    Cut,
    Seal,
    Send,
    Forward,
    Hold,
    Forget,
    Commit,
    Accepted,
    Refused,
    Delivered,
    Gone,
    Status,
    NotSent,
}

#[derive(Debug)]
pub struct EventLog {
    hasher: blake3::Hasher,
    waiting: Vec<u8>,
    steps: u64,
}

/// Hashing long stretches is ten times as fast as hashing each step.
const STRETCH_BYTES: usize = 1 << 16;

impl Default for EventLog {
    fn default() -> EventLog {
        EventLog { hasher: blake3::Hasher::new(), waiting: Vec::with_capacity(STRETCH_BYTES + 64), steps: 0 }
    }
}

impl EventLog {
    pub fn add(&mut self, at_us: u64, step: Step, one: u32, other: u32, what: u64) {
        self.steps += 1;
        self.waiting.push(step as u8);
        self.waiting.extend_from_slice(&at_us.to_le_bytes());
        self.waiting.extend_from_slice(&one.to_le_bytes());
        self.waiting.extend_from_slice(&other.to_le_bytes());
        self.waiting.extend_from_slice(&what.to_le_bytes());
        if self.waiting.len() >= STRETCH_BYTES {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }

    /// Over all steps so far.
    pub fn hash(&self) -> blake3::Hash {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.waiting).update(&self.steps.to_le_bytes());
        hasher.finalize()
    }
}
