//! What several test programs share.

pub mod net;
pub mod port;
