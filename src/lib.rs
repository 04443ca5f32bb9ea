//! dak: a peer-to-peer delay-tolerant messenger.

pub mod agent;
#[cfg(feature = "node")]
pub mod backup;
pub mod bundle;
pub mod cbor;
pub mod eid;
pub mod frame;
#[cfg(feature = "node")]
pub mod home;
pub mod id;
#[cfg(feature = "node")]
pub mod keys;
pub mod message;
pub mod receipt;
pub mod safe_text;
#[cfg(feature = "node")]
pub mod seal;
pub mod sim;
pub mod store;
pub mod ticket;
pub mod time;
pub mod units;
pub mod words;
