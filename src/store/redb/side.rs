//! What drivers keep in the store beside the agent's changes: an address book, and notes under their own keys.
//!
//! Both are conveniences: a damaged record of them is passed over by whoever reads and replaced by whoever writes, so
//! that it never stands in the way of the mail.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

use super::failure::failed;
use super::salvage::each_reachable;
use super::tables;
use crate::id::NodeId;
use crate::store::StoreError;

/// Most nodes in the address book; beyond that the one that was reached longest ago goes.
pub const ADDRESS_NODES_MAX: u64 = 1_024;
/// Most addresses of one node.
pub const ADDRESSES_PER_NODE_MAX: usize = 4;
/// Longest address that is kept.
const ADDRESS_BYTES_MAX: usize = 256;

/// A write that joins the next commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// This address of the node worked.
    PutAddress {
        node: NodeId,
        address: Address,
    },
    /// The node's address is gone, or without an address the node itself.
    ForgetAddress {
        node: NodeId,
        address: Option<String>,
    },
    /// Keeps bytes under a key; how many is the caller's business.
    PutNote {
        key: String,
        note: Vec<u8>,
    },
    ForgetNote {
        key: String,
    },
}

/// Where a node was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A multiaddr; at most 256 bytes, longer ones are not kept.
    pub text: String,
    /// When it worked last, in milliseconds since the Unix epoch.
    pub worked_unix_ms: u64,
}

pub fn apply(txn: &WriteTransaction, side: &Side) -> Result<(), StoreError> {
    match side {
        Side::PutAddress { address, .. } if address.text.len() > ADDRESS_BYTES_MAX => Ok(()),
        Side::PutAddress { node, address } => put_address(txn, *node, address),
        Side::ForgetAddress { node, address } => forget_address(txn, *node, address.as_deref()),
        Side::PutNote { key, note } => {
            txn.open_table(tables::NOTES).map_err(failed)?.insert(&key[..], &note[..]).map_err(failed)?;
            Ok(())
        }
        Side::ForgetNote { key } => {
            txn.open_table(tables::NOTES).map_err(failed)?.remove(&key[..]).map_err(failed)?;
            Ok(())
        }
    }
}

/// What can be read of the address book.
pub fn addresses(txn: &ReadTransaction) -> Result<Vec<(NodeId, Vec<Address>)>, StoreError> {
    let mut book = BTreeMap::new();
    let reached = each_reachable(txn, tables::ADDRESSES, |node, record| {
        if let Some(addresses) = read_addresses(record) {
            book.insert(NodeId::from_trusted(*node), addresses);
        }
    });
    match reached {
        Err(StoreError::Damaged(_)) | Ok(()) => Ok(book.into_iter().collect()),
        Err(error) => Err(error),
    }
}

pub fn notes(txn: &ReadTransaction, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let table = txn.open_table(tables::NOTES).map_err(failed)?;
    let mut notes = Vec::new();
    for entry in ReadableTable::range(&table, prefix..).map_err(failed)? {
        let (key, note) = entry.map_err(failed)?;
        if !key.value().starts_with(prefix) {
            break;
        }
        notes.push((key.value().to_owned(), note.value().to_vec()));
    }
    Ok(notes)
}

type Book<'t> = Table<'t, &'static [u8; 32], &'static [u8]>;

fn put_address(txn: &WriteTransaction, node: NodeId, address: &Address) -> Result<(), StoreError> {
    let mut book = txn.open_table(tables::ADDRESSES).map_err(failed)?;
    let mut known = known(&book, node)?;
    if known.is_empty() && book.len().map_err(failed)? >= ADDRESS_NODES_MAX {
        forget_oldest(&mut book)?;
    }
    known.retain(|other| other.text != address.text);
    known.push(address.clone());
    known.sort_by_key(|address| std::cmp::Reverse(address.worked_unix_ms));
    known.truncate(ADDRESSES_PER_NODE_MAX);
    book.insert(node.as_bytes(), &write_addresses(&known)[..]).map_err(failed)?;
    Ok(())
}

fn forget_address(txn: &WriteTransaction, node: NodeId, address: Option<&str>) -> Result<(), StoreError> {
    let mut book = txn.open_table(tables::ADDRESSES).map_err(failed)?;
    let mut known = known(&book, node)?;
    known.retain(|other| address.is_some_and(|address| other.text != address));
    if known.is_empty() {
        book.remove(node.as_bytes()).map_err(failed)?;
    } else {
        book.insert(node.as_bytes(), &write_addresses(&known)[..]).map_err(failed)?;
    }
    Ok(())
}

fn known(book: &Book<'_>, node: NodeId) -> Result<Vec<Address>, StoreError> {
    let record = book.get(node.as_bytes()).map_err(failed)?;
    Ok(record.and_then(|record| read_addresses(record.value())).unwrap_or_default())
}

fn forget_oldest(book: &mut Book<'_>) -> Result<(), StoreError> {
    let mut oldest: Option<(u64, [u8; 32])> = None;
    for entry in book.iter().map_err(failed)? {
        let (node, record) = entry.map_err(failed)?;
        let worked = read_addresses(record.value()).unwrap_or_default().first().map_or(0, |best| best.worked_unix_ms);
        let this = (worked, *node.value());
        oldest = Some(oldest.map_or(this, |oldest| oldest.min(this)));
    }
    if let Some((_, node)) = oldest {
        book.remove(&node).map_err(failed)?;
    }
    Ok(())
}

// Each: when it worked (8 bytes), the text's length (2 bytes), the text.
fn write_addresses(addresses: &[Address]) -> Vec<u8> {
    let mut out = Vec::new();
    for address in addresses {
        out.extend(address.worked_unix_ms.to_le_bytes());
        out.extend(u16::try_from(address.text.len()).expect("checked when it came in").to_le_bytes());
        out.extend(address.text.as_bytes());
    }
    out
}

pub fn read_addresses(mut bytes: &[u8]) -> Option<Vec<Address>> {
    let mut addresses = Vec::new();
    while !bytes.is_empty() {
        let (worked, rest) = bytes.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        let text = std::str::from_utf8(text).ok()?.to_owned();
        addresses.push(Address { text, worked_unix_ms: u64::from_le_bytes(*worked) });
        bytes = rest;
    }
    Some(addresses)
}
