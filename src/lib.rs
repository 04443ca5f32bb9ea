//! dak: a peer-to-peer delay-tolerant messenger.

pub mod bundle;
pub mod eid;
pub mod frame;
pub mod id;
pub mod message;
pub mod receipt;
pub mod sim;
pub mod time;
