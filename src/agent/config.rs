//! What an agent is told once: policy, quotas and bounds.

use serde::{Deserialize, Serialize};

use crate::agent::routing::Policy;
use crate::bundle::{BUNDLE_BYTES_MAX, LIFETIME_MAX};
use crate::time::{HOUR, Millis};

/// For so many bytes carried, one id of those that left is remembered in each table.
const BYTES_PER_MEMORY: u64 = 256;
/// So many ids are remembered in any case.
const MEMORIES_MIN: usize = 4_096;

/// Configuration of one agent. Shares are per mille.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// A recording of before a setting was there plays with its default.
#[serde(default)]
pub struct Config {
    pub policy: Policy,
    /// Bytes carried for others; 0 carries for nobody.
    pub carry_bytes_max: u64,
    /// The part of `carry_bytes_max` that all strangers together may fill.
    pub strangers_share: u16,
    /// The part of `carry_bytes_max` that topics may fill, as far as mail leaves it.
    pub topics_share: u16,
    /// Bytes of each topic that are kept of what is published here.
    pub own_topic_bytes_max: u64,
    /// The part of a class's room that is promised as custody rather than as a copy.
    pub custody_share: u16,
    /// Whether room is shared fairly: of strangers among the peers who hand over and by source, of contacts by contact.
    pub fair_shares: bool,
    /// Bytes of inbox that all people named may fill together.
    pub contact_mail_bytes_max: u64,
    /// Bytes of inbox that strangers together may fill.
    pub stranger_mail_bytes_max: u64,
    /// Most receipts held that freed nothing here.
    pub receipts_unmatched_max: u32,
    /// Most own receipts that strangers may cause: each is kept for weeks.
    pub receipts_own_max: u32,
    /// Who gets proof that a message was delivered.
    pub receipts: ReceiptsFor,
    /// Bytes of unaccepted bundles this node is ready to receive in one contact.
    pub window_bytes: u32,
    pub bundle_bytes_max: u32,
    pub lifetime_max: Millis,
    /// Spray budget of one's own messages and receipts.
    pub copies: u16,
    /// How long an evicted bundle is not taken again.
    pub shun: Millis,
    /// With less than this left on the disk, nothing new is carried for others.
    pub free_bytes_min: u64,
    /// With less than this, one's own mail neither leaves nor arrives: one bundle and what its commit writes anew.
    pub free_bytes_own_min: u64,
}

/// Who gets proof that a message was delivered; it also says that this node is in use, and when it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceiptsFor {
    /// People whom the owner named.
    Contacts,
    #[default]
    Everyone,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            policy: Policy::Prospect,
            carry_bytes_max: 256 << 20,
            strangers_share: 500,
            topics_share: 250,
            own_topic_bytes_max: 16 << 20,
            custody_share: 500,
            fair_shares: true,
            contact_mail_bytes_max: 16 << 30,
            stranger_mail_bytes_max: 64 << 20,
            receipts_unmatched_max: 16_384,
            receipts_own_max: 65_536,
            receipts: ReceiptsFor::Everyone,
            window_bytes: 1 << 20,
            bundle_bytes_max: BUNDLE_BYTES_MAX as u32,
            lifetime_max: LIFETIME_MAX,
            copies: Policy::Prospect.copies(),
            shun: HOUR,
            free_bytes_min: 16 << 20,
            free_bytes_own_min: 3 << 20,
        }
    }
}

impl Config {
    /// How many ids may be remembered in one table beside what is carried, where the table has room for them: a store that
    /// carries little keeps a small file.
    pub fn memories_max(&self) -> usize {
        let fits = usize::try_from(self.carry_bytes_max / BYTES_PER_MEMORY).unwrap_or(usize::MAX);
        fits.max(MEMORIES_MIN)
    }

    /// The part of `whole` that `share` per mille are.
    pub fn share_of(whole: u64, share: u16) -> u64 {
        (u128::from(whole) * u128::from(share) / 1_000) as u64
    }
}
