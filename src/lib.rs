//! dak: a peer-to-peer delay-tolerant messenger.
//!
//! Nodes sign messages into bundles, gossip them over libp2p to whatever peers they meet, and hold them in a redb custody
//! store until the recipient appears. There is no server.
//!
//! # Five promises
//!
//! 1. **Accepted means durable**, as far as the disk keeps what it said it kept. A node says "accepted" only after the
//!    bundle, its indexes and its quota entry are committed in one transaction. An accepted bundle leaves only by a
//!    receipt, by the end of its life in elapsed time, by the owner's command, or by the declared eviction (released
//!    copies first, one's own never).
//! 2. **Nothing is stored, relayed or shown unless its signed parts verify** under the key in its source's name, strictly,
//!    over the bytes as received. What hops may change, age and hop count, are bounded hints.
//! 3. **Once to the person.** One inbox row per bundle id, for ever on this home, through copies, replays, restarts and
//!    clock jumps.
//! 4. **The status never says more than its evidence, and names it.** Events only append; the state follows from them. At
//!    the end of a life without a receipt it says so, and a late receipt still upgrades it.
//! 5. **Same inputs, same outputs.** The core reads no clock, no entropy, no network and no disk, and uses no floats.
//!
//! # The house
//!
//! ```text
//! floor 0  values   id, eid, time, cbor, bundle, receipt, content, frame    no clock, no IO, no policy
//! floor 1  agent    ledger (what lasts), contacts (what does not), routing,
//!                   topics (public, carried in room of their own)           pure, deterministic
//!          mail     the words that came, opened once, and one's own; where each
//!                   is found and read, what was changed of it, what happened
//!                   in which order, what ends and what goes in parts, who is
//!                   in which group, and what the person arranged             pure
//!          driver   one step: inputs to batches, commit before act          pure; node, sim and tests drive with it
//! floor 2  edges    store, blobs, search, net, stick, keyring, pairing, home, config, tokens, backup, command, stats, xdc, packed, brake    each alone; they never meet
//! floor 3  drivers  node (real time, threads), sim (virtual time)           the only two that own an agent
//! floor 4  people   desk (answers), api (HTTP over a unix socket, and loopback), web (its page), cli, bench
//! ```
//! Imports only go down. Without the feature `node` the core and the simulator build alone, so the compiler guards the
//! walls. A message's way: `desk` composes and pads it, `node` has it stamped by the [`agent`], sealed by `keyring`,
//! signed and held, and its words kept by [`mail`], whose index has them in their conversation and gives each what changes
//! of it come to; a contact of `net` brings a peer, or somebody a stick, and the agent says what goes; the peer's node
//! parses, verifies and opens it, its agent decides, its mail files it, its store commits, and only then it says
//! `Accepted`. A file that is too large to ride inside goes in parts, each a message of its own, whose bytes `blobs` keeps.
//!
//! [`wire`] describes every byte that two nodes exchange.

pub mod agent;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod api;
#[cfg(feature = "node")]
pub mod backup;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod bench;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod blobs;
pub mod bounds;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod brake;
pub mod bundle;
pub mod cbor;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod cli;
#[cfg(feature = "node")]
pub mod command;
#[cfg(feature = "node")]
pub mod config;
pub mod content;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod desk;
pub mod driver;
pub mod eid;
#[cfg(feature = "node")]
pub mod folder;
pub mod frame;
#[cfg(feature = "node")]
pub mod home;
pub mod id;
#[cfg(feature = "node")]
pub mod keyring;
#[cfg(feature = "node")]
pub mod keys;
pub mod mail;
pub mod near;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod net;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod node;
#[cfg(feature = "node")]
pub mod packed;
#[cfg(feature = "node")]
pub mod pairing;
pub mod receipt;
pub mod recording;
pub mod safe_text;
#[cfg(feature = "node")]
pub mod seal;
#[cfg(feature = "node")]
pub mod search;
#[allow(clippy::disallowed_methods)] // times itself for `timing.json`
pub mod sim;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod stats;
#[cfg(feature = "node")]
pub mod stick;
pub mod store;
pub mod ticket;
pub mod time;
#[cfg(feature = "node")]
pub mod tokens;
pub mod units;
#[cfg(feature = "node")]
#[allow(clippy::disallowed_methods)] // reads real clocks
pub mod web;
#[doc = include_str!("wire.md")]
pub mod wire {}
#[cfg(feature = "node")]
pub mod words;
#[cfg(feature = "node")]
pub mod xdc;
