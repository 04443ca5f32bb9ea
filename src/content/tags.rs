//! What a writer means a text to be, a bit each.

/// The writer asks something.
pub const TAG_QUESTION: u64 = 1;
/// The writer says what is decided.
pub const TAG_DECISION: u64 = 2;
/// The writer wants nothing done.
pub const TAG_FYI: u64 = 4;
/// A program wrote it, by itself: nothing that answers by itself answers it.
pub const TAG_AUTOMATIC: u64 = 8;
