//! Binary spray-and-wait (Spyropoulos, Psounis, Raghavendra 2005): a holder of n > 1 copies hands on half of them; the
//! holder of the last one waits for the destination.

use super::{Facts, Lessons, Strategy, Verdict, by_remaining_life};
use crate::frame::RoutingInfo;
use crate::id::NodeId;
use crate::time::Timestamp;

#[derive(Debug)]
pub struct SprayAndWait;

impl Strategy for SprayAndWait {
    fn replicates(&self) -> bool {
        true
    }

    fn info(&mut self, _peer: NodeId, _price_max: u64, _now: Timestamp) -> RoutingInfo {
        RoutingInfo::None
    }

    fn met(&mut self, _peer: NodeId, _info: &RoutingInfo, _now: Timestamp, _lessons: &mut Lessons) {}

    fn verdict(&self, bundle: &Facts, _peer: NodeId) -> Verdict {
        match bundle.copies {
            0 | 1 => Verdict::Keep,
            copies => Verdict::Copy(copies / 2),
        }
    }

    fn send_rank(&self, bundle: &Facts, _peer: NodeId) -> u64 {
        by_remaining_life(bundle)
    }

    fn drop_rank(&self, bundle: &Facts) -> u64 {
        by_remaining_life(bundle)
    }
}
