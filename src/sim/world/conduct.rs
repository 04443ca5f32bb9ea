//! How a node's driver bends what its agent means honestly.

use crate::agent::Config;
use crate::frame::{Frame, ROUTING_ENTRIES_MAX, RoutingInfo};
use crate::id::NodeId;
use crate::sim::random::Stream;
use crate::sim::scenario::Conduct;
use crate::sim::world::roster::Roster;

/// The conduct of one node, with the random choices that it takes.
pub struct Driven {
    conduct: Conduct,
    whims: Stream,
}

impl Driven {
    pub fn new(conduct: Conduct, seed: u64, number: u32) -> Driven {
        Driven { conduct, whims: Stream::new(seed, "grey hole", number) }
    }

    /// Whether the node is there at all.
    pub fn is_on(&self) -> bool {
        self.conduct != Conduct::Silent
    }

    /// Whether the node really forwards what its agent asks it to of others.
    pub fn forwards(&mut self) -> bool {
        match self.conduct {
            Conduct::Honest => true,
            Conduct::BlackHole | Conduct::Liar | Conduct::Silent => false,
            Conduct::GreyHole { drop_per_million } => !self.whims.chance(drop_per_million),
        }
    }

    /// What the node's agent is told of its store: a liar drops what it takes, so that it always has room.
    pub fn config(&self, common: &Config) -> Config {
        let carry_bytes_max = if self.conduct == Conduct::Liar { u64::MAX } else { common.carry_bytes_max };
        Config { carry_bytes_max, ..common.clone() }
    }

    /// What the node says where its agent says `frame`.
    pub fn says(&self, frame: Frame, ends: [u32; 2], roster: &Roster) -> Frame {
        match (self.conduct, frame) {
            (Conduct::Liar, Frame::Hello(mut hello)) => {
                let all = || boasts(roster, ends.map(|end| roster.name(end)));
                hello.routing = match hello.routing {
                    RoutingInfo::None => RoutingInfo::None,
                    RoutingInfo::Predictabilities(_) => RoutingInfo::Predictabilities(all()),
                    RoutingInfo::Meetings(_) => RoutingInfo::Meetings(all()),
                };
                Frame::Hello(hello)
            }
            (_, frame) => frame,
        }
    }
}

/// The most that can be said of every node but the two that are in contact: what a node says of itself is the price of
/// its room under the default strategy.
fn boasts(roster: &Roster, ends: [NodeId; 2]) -> Vec<(NodeId, u16)> {
    let others = roster.all().filter(|name| !ends.contains(name));
    let mut told: Vec<(NodeId, u16)> = others.map(|name| (name, u16::MAX)).collect();
    told.sort_unstable();
    told.truncate(ROUTING_ENTRIES_MAX);
    told
}
