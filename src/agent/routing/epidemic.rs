//! The two ends of the scale: everything to everybody (Vahdat and Becker 2000), and nothing to anybody but the
//! destination.

use super::{Facts, Lessons, Strategy, Verdict, by_remaining_life};
use crate::frame::RoutingInfo;
use crate::id::NodeId;
use crate::time::Timestamp;

#[derive(Debug)]
pub struct Epidemic;

#[derive(Debug)]
pub struct Direct;

impl Strategy for Epidemic {
    fn replicates(&self) -> bool {
        true
    }

    fn info(&mut self, _peer: NodeId, _price_max: u64, _now: Timestamp) -> RoutingInfo {
        RoutingInfo::None
    }

    fn met(&mut self, _peer: NodeId, _info: &RoutingInfo, _now: Timestamp, _lessons: &mut Lessons) {}

    fn verdict(&self, _bundle: &Facts, _peer: NodeId) -> Verdict {
        Verdict::Copy(1)
    }

    fn send_rank(&self, bundle: &Facts, _peer: NodeId) -> u64 {
        by_remaining_life(bundle)
    }

    fn drop_rank(&self, bundle: &Facts) -> u64 {
        by_remaining_life(bundle)
    }
}

impl Strategy for Direct {
    fn replicates(&self) -> bool {
        false
    }

    fn info(&mut self, _peer: NodeId, _price_max: u64, _now: Timestamp) -> RoutingInfo {
        RoutingInfo::None
    }

    fn met(&mut self, _peer: NodeId, _info: &RoutingInfo, _now: Timestamp, _lessons: &mut Lessons) {}

    fn verdict(&self, _bundle: &Facts, _peer: NodeId) -> Verdict {
        Verdict::Keep
    }

    fn send_rank(&self, bundle: &Facts, _peer: NodeId) -> u64 {
        by_remaining_life(bundle)
    }

    fn drop_rank(&self, bundle: &Facts) -> u64 {
        by_remaining_life(bundle)
    }
}
