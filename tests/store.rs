//! The store's contract, the same for every store, and what only a disk can do.
#![cfg(feature = "node")]

#[path = "store/apps.rs"]
mod apps;
#[path = "store/bodies.rs"]
mod bodies;
#[path = "store/contract.rs"]
mod contract;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/disk.rs"]
mod disk;
#[path = "store/files.rs"]
mod files;
#[path = "store/index.rs"]
mod index;
#[path = "store/journal.rs"]
mod journal;
#[path = "store/make.rs"]
mod make;
#[path = "store/thread.rs"]
mod thread;
