//! What was sent under a key that whoever asked for it chose: asked again, it is the same message.
//!
//! ```text
//! id 32, whom it went to 32, digest of what was asked 16, moment of the elapsed clock 8
//! ```
//! It is written in the commit that queues the message, so that no power cut comes between the two.

use crate::id::{BundleId, NodeId};
use crate::time::Timestamp;

/// So many are remembered; one more takes the place of the oldest.
pub const ONCE_MAX: usize = 4_096;

/// A message that is to be sent once, before it has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    pub to: NodeId,
    /// Of everything that was asked: under the same key nothing else goes.
    pub asked: [u8; 16],
    pub at: Timestamp,
}

impl Once {
    pub fn write(&self, id: &BundleId) -> Vec<u8> {
        [&id.0[..], self.to.as_bytes(), &self.asked, &self.at.0.to_be_bytes()].concat()
    }

    /// Reads what [`Once::write`] wrote; none for anything else.
    pub fn read(value: &[u8]) -> Option<(BundleId, Once)> {
        let (id, rest) = value.split_first_chunk::<32>()?;
        let (to, rest) = rest.split_first_chunk::<32>()?;
        let (asked, at) = rest.split_first_chunk::<16>()?;
        let at = Timestamp(u64::from_be_bytes(at.try_into().ok()?));
        Some((BundleId(*id), Once { to: NodeId::from_key(*to).ok()?, asked: *asked, at }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::samples::node;

    #[test]
    fn what_was_sent_once_reads_back_and_nothing_else_does() {
        let once = Once { to: node(3), asked: [7; 16], at: Timestamp(9) };
        let value = once.write(&BundleId([5; 32]));
        assert_eq!(Once::read(&value), Some((BundleId([5; 32]), once)));
        for cut in 0..value.len() {
            assert_eq!(Once::read(&value[..cut]), None, "{cut}");
        }
        assert_eq!(Once::read(&[value, vec![0]].concat()), None);
    }
}
