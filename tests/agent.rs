//! Stories of a few agents: what a person was promised, told through what the agents do.

#[path = "agent/again.rs"]
mod again;
#[path = "agent/ages.rs"]
mod ages;
#[path = "agent/damage.rs"]
mod damage;
#[path = "agent/declined.rs"]
mod declined;
#[path = "agent/evidence.rs"]
mod evidence;
#[path = "agent/ferry.rs"]
mod ferry;
#[path = "agent/full.rs"]
mod full;
#[path = "agent/got.rs"]
mod got;
#[path = "agent/groups.rs"]
mod groups;
#[path = "agent/handed_on.rs"]
mod handed_on;
#[path = "agent/hostile.rs"]
mod hostile;
#[path = "agent/lives.rs"]
mod lives;
#[path = "agent/mailboxes.rs"]
mod mailboxes;
#[path = "agent/memories.rs"]
mod memories;
#[path = "agent/offers.rs"]
mod offers;
#[path = "agent/places.rs"]
mod places;
#[path = "agent/power.rs"]
mod power;
#[path = "agent/present.rs"]
mod present;
#[path = "agent/random.rs"]
mod random;
#[path = "agent/receipts.rs"]
mod receipts;
#[path = "agent/renewals.rs"]
mod renewals;
#[path = "agent/room.rs"]
mod room;
#[path = "agent/shares.rs"]
mod shares;
#[path = "agent/spray.rs"]
mod spray;
#[path = "agent/stick.rs"]
mod stick;
#[path = "agent/topics.rs"]
mod topics;
#[path = "agent/turns.rs"]
mod turns;
#[path = "agent/twice.rs"]
mod twice;
mod world;

/// The stories run over any store; here over one in memory.
type World = world::World<dak::store::memory::MemoryStore>;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
