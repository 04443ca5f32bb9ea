//! dak: a peer-to-peer delay-tolerant messenger.

pub mod agent;
#[cfg(feature = "node")]
pub mod api;
pub mod bundle;
pub mod eid;
pub mod frame;
pub mod id;
pub mod message;
pub mod receipt;
pub mod store;
pub mod time;
