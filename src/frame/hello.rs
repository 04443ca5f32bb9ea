//! The Hello frame as bytes: limits, delegations and what routing tells.

use super::codec::{FrameError, HELLO, begin, expect_fields, records};
use super::{
    Delegation, Hello, INTERESTS, Interest, MAILBOXES_MAX, PROTOCOL_VERSION, ROUTING_ENTRIES_MAX, RoutingInfo,
};
use crate::bundle::key;
use crate::cbor::{Reader, Writer};
use crate::eid::Eid;
use crate::id::NodeId;

/// A hash that shows interest in a group.
const INTEREST_BYTES: usize = 8;

impl Hello {
    pub(super) fn write(&self, out: &mut impl Writer) {
        match self.interests.is_empty() {
            true => begin(out, HELLO, 10),
            false => begin(out, HELLO, 11),
        }
        out.uint(self.version);
        out.uint(self.bundle_bytes_max);
        out.uint(self.window_bytes);
        out.bool(self.carries);
        out.bool(self.pushes);
        out.array(self.mailboxes.len());
        self.mailboxes.iter().for_each(|delegation| delegation.write(out));
        self.routing.write(out);
        out.bytes(&self.nonce);
        out.uint(self.count);
        out.bytes(&self.root);
        if !self.interests.is_empty() {
            out.packed(self.interests.len() * INTEREST_BYTES, |out| {
                self.interests.iter().for_each(|interest| out.raw(&interest.0));
            });
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, fields: usize) -> Result<Hello, FrameError> {
        let version = reader.uint()?;
        // Before the fields are counted: another version may have others.
        if version != u64::from(PROTOCOL_VERSION) {
            return Err(FrameError::Version(version));
        }
        let has_interests = fields == 12;
        expect_fields(fields, if has_interests { 12 } else { 11 })?;
        Ok(Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: reader.uint_as()?,
            window_bytes: reader.uint_as()?,
            carries: reader.bool()?,
            pushes: reader.bool()?,
            mailboxes: read_mailboxes(reader)?,
            routing: RoutingInfo::read(reader)?,
            nonce: reader.bytes_exact()?,
            count: reader.uint()?,
            root: reader.bytes_exact()?,
            interests: if has_interests { read_interests(reader)? } else { Vec::new() },
        })
    }
}

impl Delegation {
    pub(super) fn write(&self, out: &mut impl Writer) {
        out.array(4);
        out.text(&self.mailbox.to_string());
        out.bytes(self.node.as_bytes());
        out.uint(self.expires);
        out.bytes(&self.signature);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Delegation, FrameError> {
        reader.array_exact(4)?;
        Ok(Delegation {
            mailbox: Eid::parse(reader.text()?)?,
            node: key::checked(NodeId::from_trusted(reader.bytes_exact()?))?,
            expires: reader.uint()?,
            signature: reader.bytes_exact()?,
        })
    }
}

fn read_mailboxes(reader: &mut Reader<'_>) -> Result<Vec<Delegation>, FrameError> {
    let len = reader.array()?;
    if len > MAILBOXES_MAX {
        return Err(FrameError::TooMany("mailboxes"));
    }
    (0..len).map(|_| Delegation::read(reader)).collect()
}

fn read_interests(reader: &mut Reader<'_>) -> Result<Vec<Interest>, FrameError> {
    let records = records::<INTEREST_BYTES>(reader.bytes()?, INTERESTS, "interests")?;
    if records.len() != INTERESTS {
        return Err(FrameError::Lengths("interests"));
    }
    match records.is_sorted() {
        true => Ok(records.iter().map(|record| Interest(*record)).collect()),
        false => Err(FrameError::Order("interests")),
    }
}

impl RoutingInfo {
    /// Either `null`, or the kind and records of 32 bytes of key and 2 of number.
    pub(super) fn write(&self, out: &mut impl Writer) {
        let (kind, entries) = match self {
            RoutingInfo::None => return out.raw(&[0xf6]),
            RoutingInfo::Predictabilities(entries) => (1u8, entries),
            RoutingInfo::Meetings(entries) => (2, entries),
        };
        out.array(2);
        out.uint(kind);
        out.packed(entries.len() * 34, |out| {
            entries.iter().for_each(|(node, number)| {
                out.raw(node.as_bytes());
                out.raw(&number.to_be_bytes());
            });
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<RoutingInfo, FrameError> {
        if reader.take_if(&[0xf6]) {
            return Ok(RoutingInfo::None);
        }
        reader.array_exact(2)?;
        let kind = reader.uint()?;
        let records = records::<34>(reader.bytes()?, ROUTING_ENTRIES_MAX, "routing entries")?;
        let entries: Vec<(NodeId, u16)> = records
            .iter()
            .map(|record| {
                let (key, number) = record.split_first_chunk::<32>().expect("34 bytes hold 32");
                // Names in these tables are only ever compared, so their keys are not worth a check each.
                (NodeId::from_trusted(*key), u16::from_be_bytes([number[0], number[1]]))
            })
            .collect();
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(FrameError::Order("routing entries"));
        }
        match kind {
            1 => Ok(RoutingInfo::Predictabilities(entries)),
            2 => Ok(RoutingInfo::Meetings(entries)),
            _ => Err(FrameError::Unknown("kind of routing information")),
        }
    }
}
