//! Rows of figures over time.

use serde::{Deserialize, Serialize};

use super::{Schema, When};

/// What one span came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatsRow {
    pub schema: Schema,
    /// When it ended; none without a clock.
    pub at: Option<When>,
    /// How long it was: an hour, or five minutes within the last day. Less where the node was not up for all of it, and
    /// in the last row, which ends now.
    pub span_secs: u64,
    /// Contacts that began within it.
    pub contacts: u64,
    /// Messages that waited for their recipients at its end: one's own, and those in custody for others.
    pub backlog: u64,
    /// Bytes that peers sent within it, and that they were sent: handshakes and all, but for the headers of TCP and IP.
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Messages held at its end, copies for others included, and what they count.
    pub held: u64,
    pub held_bytes: u64,
    /// What the store took on the disk at its end.
    pub store_bytes: u64,
}
