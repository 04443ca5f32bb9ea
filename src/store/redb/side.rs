//! What drivers keep in the store beside the agent's changes: an address book, and notes under their own keys.
//!
//! Both are conveniences: a damaged record of them is passed over by whoever reads and replaced by whoever writes, so
//! that it never stands in the way of the mail.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

use super::failure::failed;
use super::salvage::each_reachable;
use super::{record, tables};
use crate::agent::change::Standing;
use crate::id::NodeId;
use crate::store::StoreError;

/// Most nodes in the address book. Beyond that one that merely answered makes room, by chance, of the host where most of
/// them live; contacts and those whose address the owner entered go last, the one reached longest ago first.
pub const ADDRESS_NODES_MAX: u64 = 1_024;
/// Most addresses of one node.
pub const ADDRESSES_PER_NODE_MAX: usize = 4;
/// Longest address that is kept.
const ADDRESS_BYTES_MAX: usize = 256;

/// A write that joins the next commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// This address of the node worked.
    PutAddress { node: NodeId, address: Address },
    /// The node's address is gone, or without an address the node itself.
    ForgetAddress { node: NodeId, address: Option<String> },
}

/// Where a node was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A multiaddr; at most 256 bytes, longer ones are not kept.
    pub text: String,
    /// When it worked last, in milliseconds since the Unix epoch; 0 if it never did.
    pub worked_unix_ms: u64,
    /// The owner entered it.
    pub entered: bool,
}

pub fn apply(txn: &WriteTransaction, side: &Side) -> Result<(), StoreError> {
    match side {
        Side::PutAddress { address, .. } if address.text.len() > ADDRESS_BYTES_MAX => Ok(()),
        Side::PutAddress { node, address } => put_address(txn, *node, address),
        Side::ForgetAddress { node, address } => forget_address(txn, *node, address.as_deref()),
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

type Book<'t> = Table<'t, &'static [u8; 32], &'static [u8]>;

fn put_address(txn: &WriteTransaction, node: NodeId, address: &Address) -> Result<(), StoreError> {
    let mut book = txn.open_table(tables::ADDRESSES).map_err(failed)?;
    let mut known = known(&book, node)?;
    if known.is_empty()
        && book.len().map_err(failed)? >= ADDRESS_NODES_MAX
        && !make_room(txn, &mut book, node, address)?
    {
        return Ok(());
    }
    let mut address = address.clone();
    known.retain(|other| {
        let same = other.text == address.text;
        address.entered |= same && other.entered;
        address.worked_unix_ms = address.worked_unix_ms.max(if same { other.worked_unix_ms } else { 0 });
        !same
    });
    known.push(address);
    known.sort_by_key(|address| std::cmp::Reverse(address.worked_unix_ms));
    if known.len() > ADDRESSES_PER_NODE_MAX {
        known.remove(known.iter().rposition(|address| !address.entered).unwrap_or(known.len() - 1));
    }
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

/// Makes room for one more node; returns whether there is any.
fn make_room(txn: &WriteTransaction, book: &mut Book<'_>, node: NodeId, address: &Address) -> Result<bool, StoreError> {
    let people = txn.open_table(tables::PEOPLE).map_err(failed)?;
    let is_contact = |node: &[u8; 32]| -> Result<bool, StoreError> {
        let person = people.get(node).map_err(failed)?.and_then(|record| record::read_person(record.value()));
        Ok(person.is_some_and(|person| person.standing == Standing::Contact))
    };
    let (mut strangers, mut oldest) = (BTreeMap::<String, Vec<[u8; 32]>>::new(), None);
    for entry in book.iter().map_err(failed)? {
        let (other, record) = entry.map_err(failed)?;
        let known = read_addresses(record.value()).unwrap_or_default();
        if known.iter().any(|address| address.entered) || is_contact(other.value())? {
            let worked = known.first().map_or(0, |best| best.worked_unix_ms);
            let this = (worked, *other.value());
            oldest = Some(oldest.map_or(this, |oldest: (u64, [u8; 32])| oldest.min(this)));
        } else {
            let host = known.first().map_or_else(String::new, |best| host_of(&best.text).to_owned());
            strangers.entry(host).or_default().push(*other.value());
        }
    }
    let named = address.entered || is_contact(node.as_bytes())?;
    let unlucky = one_of_the_most(strangers).or(oldest.filter(|_| named).map(|(_, node)| node));
    if let Some(unlucky) = unlucky {
        book.remove(&unlucky).map_err(failed)?;
    }
    Ok(unlucky.is_some())
}

/// One by chance of the host with the most nodes, so that who floods the book cannot choose who leaves it.
fn one_of_the_most(by_host: BTreeMap<String, Vec<[u8; 32]>>) -> Option<[u8; 32]> {
    let most = by_host.values().map(Vec::len).max()?;
    let fullest: Vec<_> = by_host.into_values().filter(|nodes| nodes.len() == most).collect();
    let chance = |below: usize| {
        // Where the system gives no random numbers, the first is as good as any.
        getrandom::u64().map_or(0, |number| (number % below as u64) as usize)
    };
    let nodes = &fullest[chance(fullest.len())];
    Some(nodes[chance(nodes.len())])
}

/// The host in a multiaddr: `/ip4/10.0.0.1` of `/ip4/10.0.0.1/tcp/4242`.
fn host_of(text: &str) -> &str {
    text.match_indices('/').nth(2).map_or(text, |(end, _)| &text[..end])
}

// Each: when it worked (8 bytes), whether the owner entered it (1 byte), the text's length (2 bytes), the text.
pub fn write_addresses(addresses: &[Address]) -> Vec<u8> {
    let mut out = Vec::new();
    for address in addresses {
        out.extend(address.worked_unix_ms.to_le_bytes());
        out.push(address.entered.into());
        out.extend(u16::try_from(address.text.len()).expect("checked when it came in").to_le_bytes());
        out.extend(address.text.as_bytes());
    }
    out
}

pub fn read_addresses(mut bytes: &[u8]) -> Option<Vec<Address>> {
    let mut addresses = Vec::new();
    while !bytes.is_empty() {
        let (worked, rest) = bytes.split_first_chunk::<8>()?;
        let (&entered, rest) = rest.split_first()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        let text = std::str::from_utf8(text).ok()?.to_owned();
        addresses.push(Address { text, worked_unix_ms: u64::from_le_bytes(*worked), entered: entered != 0 });
        bytes = rest;
    }
    Some(addresses)
}
