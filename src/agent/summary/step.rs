//! What either side of a reconciliation does in one step.

use crate::frame::{FRAME_IDS_MAX, Frame};

/// What came of a step. Ids are named by their slots in the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub send: Vec<Frame>,
    /// Ids that this side knows and the peer lacks.
    pub surplus: Vec<u32>,
    /// The peer lacks all that this side knows, and no list of it is made.
    pub everything: bool,
    /// The same, because the peer asked for them: a hint, not a grant.
    pub wanted: Vec<u32>,
    /// No more frames of this reconciliation are sent or expected.
    pub done: bool,
    /// Why the reconciliation ended early: the peer did what no honest one would.
    pub misbehaved: Option<&'static str>,
}

/// Most ids of the teller in one stretch; few less than a frame takes, for ids of one prefix are not parted.
pub const STRETCH_IDS_MAX: usize = FRAME_IDS_MAX - 256;

impl Step {
    pub(super) fn send(frame: Frame) -> Step {
        Step { send: vec![frame], ..Step::default() }
    }

    pub(super) fn misbehaved(what: &'static str) -> Step {
        Step { misbehaved: Some(what), done: true, ..Step::default() }
    }
}
