//! What the record of a person's mail knows of an id.
//!
//! The agent does not keep what is filed: a message that was delivered, and one's own whose fate is settled, are in the
//! record alone. Of what an input speaks of, the driver says beside it what stands there.

use serde::{Deserialize, Serialize};

use super::{Letter, Outgoing};
use crate::id::BundleId;

/// What is on record of one id. A note to oneself both came and was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub id: BundleId,
    /// It was delivered here once.
    pub delivered: bool,
    /// Its row of the inbox, until the person deletes it.
    pub letter: Option<Letter>,
    /// One's own message.
    pub outgoing: Option<Outgoing>,
}

impl Known {
    /// Nothing is on record.
    pub fn nothing(id: BundleId) -> Known {
        Known { id, delivered: false, letter: None, outgoing: None }
    }

    pub fn is_nothing(&self) -> bool {
        !self.delivered && self.letter.is_none() && self.outgoing.is_none()
    }
}
