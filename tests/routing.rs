//! Strategies, seen from outside: their formulas, their bounds, and what they decide.

#[path = "routing/prophet.rs"]
mod prophet;
#[path = "routing/prospect.rs"]
mod prospect;
#[path = "routing/rig.rs"]
mod rig;
