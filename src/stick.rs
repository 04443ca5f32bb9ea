//! Bundles in files: a folder on a stick that anybody may have had, or one file of many.
//!
//! ```text
//! folder  a file for each bundle, its bytes and nothing else; its name says when it was written
//! parts   what a file holds, one by one: a bundle, or a CBOR sequence of them (see `bundle::first_part`)
//! table   where the machine means to mount a stick
//! ```
//! Nothing here knows what a bundle is worth: the agent says what goes and what is taken in. Nothing that a stick says is
//! believed, and nothing on it is removed or replaced, but for what was begun here and never got its name.

mod folder;
mod parts;
mod table;

pub use self::folder::{Folder, Name, Unread, is_begun, no_room};
pub use self::parts::{Broken, Parts};
pub use self::table::is_mount_point;

use crate::id::BundleId;
use crate::time::DtnTime;

/// A bundle to be written, and when that is, where there is a clock.
#[derive(Clone, Debug)]
pub struct ToWrite {
    pub id: BundleId,
    pub bytes: Vec<u8>,
    pub at: Option<DtnTime>,
}

/// What was found, in the shape of a bundle, and when it says that it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub bytes: Vec<u8>,
    pub written: Option<DtnTime>,
}
