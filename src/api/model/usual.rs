//! How messages to one contact go where nothing else is said.

use serde::{Deserialize, Serialize};

use super::names;
use crate::bundle::Priority;

/// What is usual with a contact; of what is not said here the home's own rules hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Usual {
    #[serde(with = "names::maybe_priority", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<super::names::Named>"))]
    pub priority: Option<Priority>,
    /// How long a message may be under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_ms: Option<u64>,
    /// The spray budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u16>,
    /// Whether it is told that its messages were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<bool>,
    /// How long after it was read a message disappears; in a wish, 0 is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after_read_ms: Option<u64>,
}

impl Usual {
    pub fn is_empty(&self) -> bool {
        *self == Usual::default()
    }

    /// What one says, and where it says nothing, the other.
    pub fn or(self, other: Usual) -> Usual {
        Usual {
            priority: self.priority.or(other.priority),
            lifetime_ms: self.lifetime_ms.or(other.lifetime_ms),
            copies: self.copies.or(other.copies),
            read_receipts: self.read_receipts.or(other.read_receipts),
            expire_after_read_ms: self.expire_after_read_ms.or(other.expire_after_read_ms),
        }
    }
}
