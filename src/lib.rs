//! dak: a peer-to-peer delay-tolerant messenger.

pub mod bundle;
pub mod eid;
pub mod frame;
pub mod id;
pub mod message;
#[cfg(feature = "node")]
pub mod net;
pub mod receipt;
pub mod time;
