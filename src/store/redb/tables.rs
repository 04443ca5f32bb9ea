//! Every table of the store. A name ends in the version of its layout; `record.rs` has the layouts to the byte.

use redb::{Key, TableDefinition, Value};

use crate::store::StoreError;

/// A 32-byte name: a node's key or a bundle's id.
type Name = &'static [u8; 32];
/// Two names, one after the other.
type Names = &'static [u8; 64];
type Bytes = &'static [u8];

/// One of the [`counter`] names → its number.
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta_v1");
/// Row → a bundle's bytes with their names folded, or what a message says (`body.rs`). Rows grow, so that commits append.
pub const BODIES: TableDefinition<u64, Bytes> = TableDefinition::new("bodies_v1");
/// Row → what of a long body does not fit the pages it has there (`bodies.rs`).
pub const RESTS: TableDefinition<u64, Bytes> = TableDefinition::new("rests_v1");
/// Row → facts of a bundle in custody. Apart from the bodies, so that a restore reads 200 bytes a bundle.
pub const HELD: TableDefinition<u64, Bytes> = TableDefinition::new("held_v1");
/// Row of an inbox row whose message is still sealed: it could not be opened when it came, or came to an earlier build.
pub const SEALED: TableDefinition<u64, ()> = TableDefinition::new("sealed_v1");
/// Row → a row of the inbox.
pub const LETTERS: TableDefinition<u64, Bytes> = TableDefinition::new("letters_v1");
/// Row the letter had → the first 16 bytes of its id. Never removed; by row, because random keys cost four times more.
pub const DELIVERED: TableDefinition<u64, &[u8; 16]> = TableDefinition::new("delivered_v1");
/// Bundle id → when its tombstone ends.
pub const BURIED: TableDefinition<Name, u64> = TableDefinition::new("buried_v1");
/// Bundle id → when a bundle that is gone and may come again was accepted first, until when that is remembered, and who
/// has a share in the place it takes.
pub const DEPARTED: TableDefinition<Name, Bytes> = TableDefinition::new("departed_v1");
/// Bundle id and the receipt's signer → what it said and until when that counts.
pub const BELIEFS: TableDefinition<Names, Bytes> = TableDefinition::new("beliefs_v1");
/// Bundle id → one's own message and its evidence, and the row of what it says.
pub const OUTGOING: TableDefinition<Name, Bytes> = TableDefinition::new("outgoing_v2");
/// Where what is in LETTERS, DELIVERED and OUTGOING is found; derived, and made anew whenever it is missing.
pub const INDEX: TableDefinition<Bytes, Bytes> = TableDefinition::new("index_v1");
/// Number → something that happened to the record of mail (`mail/happening.rs`): the last so many, for who reads on.
pub const HAPPENED: TableDefinition<u64, Bytes> = TableDefinition::new("happened_v1");
/// What the person arranged here (`mail/kept.rs`).
pub const KEPT: TableDefinition<Bytes, Bytes> = TableDefinition::new("kept_v1");
/// Node → name, standing, verified.
pub const PEOPLE: TableDefinition<Name, Bytes> = TableDefinition::new("people_v1");
/// Node → what the strategy learned about it, in the strategy's own encoding.
pub const LEARNED: TableDefinition<Name, Bytes> = TableDefinition::new("learned_v1");
/// Peer and bundle id → nothing: the peer must hear that this bundle was evicted here.
pub const OWED: TableDefinition<Names, ()> = TableDefinition::new("owed_v1");
/// Node → addresses it was reached at, and those the owner entered.
pub const ADDRESSES: TableDefinition<Name, Bytes> = TableDefinition::new("addresses_v2");

/// Keys of [`META`].
pub mod counter {
    /// The format of all tables together.
    pub const FORMAT: &str = "format";
    /// The next creation sequence number.
    pub const SEQUENCE: &str = "sequence";
    pub const NEXT_ROW: &str = "next_row";
    /// Where elapsed time stands, in milliseconds.
    pub const NOW: &str = "now";
    /// What the wall clock said then, in DTN milliseconds.
    pub const WALL: &str = "wall";
    /// How many commits there were, so that one whose outcome is in doubt can be looked for.
    pub const COMMITS: &str = "commits";
    /// The version of [`super::INDEX`]; another one than is known is made anew.
    pub const INDEX: &str = "index";
    /// The number of the last entry of [`super::HAPPENED`].
    pub const HAPPENED: &str = "happened";
    /// The era whose entries of the journal count.
    pub const ERA: &str = "era";
    /// The sum of the lengths of all values of [`super::BODIES`] and [`super::RESTS`].
    pub const BODY_BYTES: &str = "body_bytes";
}

/// Something to do with each table, whatever its types.
pub trait Visit {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError>;
}

/// Visits every table, in an order that lets a reader take [`META`] first.
pub fn visit_all(visit: &mut impl Visit) -> Result<(), StoreError> {
    visit.table(META)?;
    visit.table(BODIES)?;
    visit.table(RESTS)?;
    visit.table(HELD)?;
    visit.table(LETTERS)?;
    visit.table(SEALED)?;
    visit.table(DELIVERED)?;
    visit.table(BURIED)?;
    visit.table(DEPARTED)?;
    visit.table(BELIEFS)?;
    visit.table(OUTGOING)?;
    visit.table(INDEX)?;
    visit.table(HAPPENED)?;
    visit.table(KEPT)?;
    visit.table(PEOPLE)?;
    visit.table(LEARNED)?;
    visit.table(OWED)?;
    visit.table(ADDRESSES)
}

/// One key made of two names.
pub fn pair(first: &[u8; 32], second: &[u8; 32]) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(first);
    key[32..].copy_from_slice(second);
    key
}

/// The two names of a key made by [`pair`].
pub fn split(key: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    (key[..32].try_into().expect("32 of 64 bytes"), key[32..].try_into().expect("32 of 64 bytes"))
}
