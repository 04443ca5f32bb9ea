//! What a writer means a text to be, a bit each.

/// The writer asks something.
pub const TAG_QUESTION: u64 = 1;
/// The writer says what is decided.
pub const TAG_DECISION: u64 = 2;
/// The writer wants nothing done.
pub const TAG_FYI: u64 = 4;
/// A program wrote it, by itself: nothing that answers by itself answers it.
pub const TAG_AUTOMATIC: u64 = 8;

/// Of an automatic message so many others stand behind in a row, each sent because of the last: what programs that pass on
/// what comes send each other comes to an end.
pub const STEPS_MAX: u64 = 7;
/// Where that number lies among the bits: it takes three.
const STEPS_SHIFT: u32 = 4;

/// How many automatic messages stand behind one.
pub fn steps_of(tags: u64) -> u64 {
    tags >> STEPS_SHIFT & STEPS_MAX
}

/// The bits of an automatic message that so many stand behind.
pub fn automatic_after(steps: u64) -> u64 {
    TAG_AUTOMATIC | steps.min(STEPS_MAX) << STEPS_SHIFT
}
