//! Reading bundles: the strict profile over the bytes as received, cheap checks first, the signature last.

use crate::cbor::{CborError, Reader};
use crate::eid::{Eid, Service};
use crate::id::{BundleId, NodeId};
use crate::planted;
use crate::time::{DtnTime, Millis};

use super::integrity::Integrity;
use super::layout::{self, Covered, Place};
use super::{BUNDLE_BYTES_MAX, Bundle, BundleError, COPIES_MAX, Creation, HOP_LIMIT, Hops, Kind, Parts, Priority};
use super::{Role, key};

/// A bundle whose form is right and whose signature nobody has looked at.
///
/// Its facts are claims: good for dropping a bundle (its id is known, its source is over its rate), never for taking
/// one. The keys of its endpoints were not checked either.
#[derive(Debug)]
pub struct Unverified<'a> {
    bytes: &'a [u8],
    id: BundleId,
    hops: Hops,
    primary: Primary<'a>,
    priority: Priority,
    copies: u16,
    signed: Vec<u8>,
    signature: [u8; 64],
    parts: Parts,
}

impl<'a> Unverified<'a> {
    /// Checks everything but keys and signature.
    pub fn parse(bytes: &'a [u8]) -> Result<Unverified<'a>, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        if !reader.take_if(&[layout::OPEN]) {
            return Err(BundleError::NotABundle);
        }
        let primary = Primary::read(&mut reader)?;
        let primary_end = reader.position();

        let integrity = Integrity::read(Block::read_at(&mut reader, layout::INTEGRITY)?.data, primary.source_item)?;
        let class = Block::read_at(&mut reader, layout::CLASS)?;
        let (priority, copies) = read_class(class.data)?;
        let hops_at = reader.position();
        let age = read_age(Block::read_at(&mut reader, layout::AGE)?.data)?;
        let count = read_hop_count(Block::read_at(&mut reader, layout::HOP_COUNT)?.data)?;
        let hops_end = reader.position();

        let mut covered = vec![class.covered()];
        read_unknown_blocks(&mut reader, integrity.unknown, &mut covered)?;
        let payload = Block::read_at(&mut reader, layout::PAYLOAD)?;
        let payload_at = reader.position() - payload.data.len();
        if !reader.take_if(&[layout::CLOSE]) {
            return Err(if reader.rest().is_empty() {
                BundleError::Truncated
            } else {
                BundleError::Layout(layout::PAYLOAD.name)
            });
        }
        reader.finish().map_err(|_| BundleError::Trailing)?;
        if bytes.len() - (hops_end - hops_at) + layout::HOPS_BYTES_MAX > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }

        let signed = layout::signed_bytes(
            primary.source_item,
            integrity.scope,
            primary.bytes,
            &covered,
            [payload.data_item, &[]],
        );
        Ok(Unverified {
            bytes,
            id: layout::bundle_id(if planted::is("codec-id-of-every-byte") { bytes } else { &signed }),
            hops: Hops { age, count },
            primary,
            priority,
            copies,
            signed,
            signature: integrity.signature,
            parts: Parts::new(primary_end, hops_at..hops_end, payload_at),
        })
    }

    /// The hash of the signed bytes: if it is the id of a verified bundle, then this one says the same.
    pub fn id(&self) -> BundleId {
        self.id
    }

    pub fn hops(&self) -> Hops {
        self.hops
    }

    pub fn kind(&self) -> Kind {
        self.primary.kind
    }

    /// The key that the signature is to be verified with.
    pub fn source(&self) -> NodeId {
        self.primary.source
    }

    pub fn destination(&self) -> &Eid {
        &self.primary.destination
    }

    pub fn creation(&self) -> Creation {
        self.primary.creation
    }

    pub fn lifetime(&self) -> Millis {
        self.primary.lifetime
    }

    pub fn priority(&self) -> Priority {
        self.priority
    }

    pub fn copies(&self) -> u16 {
        self.copies
    }

    /// The bytes that the source signed (the `Sig_structure` of RFC 9052 section 4.4).
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed
    }

    /// Checks the keys and the signature.
    pub fn verify(self) -> Result<(Bundle, Hops), BundleError> {
        let weak = |role| move |error| BundleError::WeakKey(role, error);
        if !planted::is("codec-destination-key-unread") {
            key::checked(self.primary.destination.node).map_err(weak(Role::Destination))?;
        }
        let holds = key::verify(self.primary.source, &self.signed, &self.signature).map_err(weak(Role::Source))?;
        if !holds && !planted::is("codec-signature-unread") {
            return Err(BundleError::Signature);
        }
        Ok(self.believe())
    }

    /// Makes a bundle of it; only after [`Unverified::verify`], or for bytes that our own store verified before.
    pub(super) fn believe(self) -> (Bundle, Hops) {
        let bundle = Bundle {
            id: self.id,
            kind: self.primary.kind,
            source: self.primary.source,
            destination: self.primary.destination,
            creation: self.primary.creation,
            lifetime: self.primary.lifetime,
            priority: self.priority,
            copies: self.copies,
            bytes: self.bytes.into(),
            parts: self.parts,
        };
        (bundle, self.hops)
    }
}

#[derive(Debug)]
struct Primary<'a> {
    bytes: &'a [u8],
    kind: Kind,
    destination: Eid,
    source: NodeId,
    /// The source's endpoint as encoded.
    source_item: &'a [u8],
    creation: Creation,
    lifetime: Millis,
}

impl<'a> Primary<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Primary<'a>, BundleError> {
        let start = reader.position();
        let fields = reader.array().map_err(not_a_bundle)?;
        let version = reader.uint().map_err(not_a_bundle)?;
        if version != 7 {
            return Err(BundleError::Version(version));
        }
        let kind = kind_of(reader.uint()?)?;
        let crc_type = reader.uint()?;
        if crc_type != layout::CRC_TYPE {
            return Err(BundleError::CrcType(crc_type));
        }
        if fields != 9 {
            return Err(BundleError::Layout("primary"));
        }
        let destination = read_endpoint(reader, Role::Destination)?;
        let source_at = reader.position();
        let source = read_endpoint(reader, Role::Source)?;
        let source_item = reader.since(source_at);
        if source.service != Service::Admin {
            return Err(BundleError::SourceService);
        }
        if kind == Kind::Receipt && destination.service != Service::Admin {
            return Err(BundleError::ReceiptDestination);
        }
        if reader.skip()? != layout::NO_ENDPOINT && !planted::is("codec-reports-to-anybody") {
            return Err(BundleError::ReportTo);
        }
        reader.array_exact(2)?;
        let creation = Creation { time: DtnTime(reader.uint()?), sequence: reader.uint()? };
        let lifetime = Millis(reader.uint()?);
        let crc: [u8; 4] = reader.bytes_exact()?;
        let bytes = reader.since(start);
        if crc != layout::primary_crc(bytes) && !planted::is("codec-crc-unread") {
            return Err(BundleError::Crc);
        }
        Ok(Primary { bytes, kind, destination, source: source.node, source_item, creation, lifetime })
    }
}

fn not_a_bundle(error: CborError) -> BundleError {
    match error {
        CborError::Type => BundleError::NotABundle,
        error => error.into(),
    }
}

fn kind_of(flags: u64) -> Result<Kind, BundleError> {
    match flags {
        layout::FLAGS_MESSAGE => Ok(Kind::Message),
        layout::FLAGS_RECEIPT => Ok(Kind::Receipt),
        _ if flags & layout::FLAG_FRAGMENT != 0 => Err(BundleError::Fragment),
        _ if flags & layout::FLAGS_REPORT != 0 => Err(BundleError::ReportRequested),
        _ => Err(BundleError::Flags(flags)),
    }
}

fn read_endpoint(reader: &mut Reader<'_>, role: Role) -> Result<Eid, BundleError> {
    reader.array_exact(2)?;
    // Scheme 1 is dtn; its `dtn:none` has a number where a name has a text.
    if reader.uint()? != 1 {
        return Err(BundleError::Scheme(role));
    }
    let text = match reader.text() {
        Err(CborError::Type) => return Err(BundleError::Scheme(role)),
        text => text?,
    };
    Eid::parse_name(text).map_err(|error| BundleError::Endpoint(role, error))
}

/// A block other than the primary.
struct Block<'a> {
    block_type: u64,
    number: u64,
    /// Its encoded type, number and flags.
    head: &'a [u8],
    data: &'a [u8],
    /// Its data as an encoded byte string.
    data_item: &'a [u8],
}

impl<'a> Block<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Block<'a>, BundleError> {
        let fields = reader.array()?;
        let start = reader.position();
        let (block_type, number, flags) = (reader.uint()?, reader.uint()?, reader.uint()?);
        let head = reader.since(start);
        let crc_type = reader.uint()?;
        if flags != 0 {
            return Err(BundleError::BlockFlags(number));
        }
        if crc_type != 0 {
            return Err(BundleError::BlockCrc(number));
        }
        if fields != 5 {
            return Err(CborError::Range.into());
        }
        let start = reader.position();
        let data = reader.bytes()?;
        Ok(Block { block_type, number, head, data, data_item: reader.since(start) })
    }

    fn read_at(reader: &mut Reader<'a>, place: Place) -> Result<Block<'a>, BundleError> {
        if reader.peek() == Some(layout::CLOSE) {
            return Err(BundleError::Layout(place.name));
        }
        let mut block = Block::read(reader)?;
        if planted::is("codec-unsigned-block-skipped") && !layout::KNOWN_TYPES.contains(&block.block_type) {
            block = Block::read(reader)?;
        }
        block.expect(place)?;
        Ok(block)
    }

    fn expect(&self, place: Place) -> Result<(), BundleError> {
        if (self.block_type, self.number) == (place.block_type, place.number) {
            Ok(())
        } else if !layout::KNOWN_TYPES.contains(&self.block_type) {
            Err(BundleError::UnknownUnsignedBlock(self.block_type))
        } else {
            Err(BundleError::Layout(place.name))
        }
    }

    fn covered(&self) -> Covered<'a> {
        Covered { head: self.head, data: self.data_item }
    }
}

/// Reads the blocks of unknown kinds that the signature covers, a bit of `expected` for each number.
fn read_unknown_blocks<'a>(
    reader: &mut Reader<'a>,
    mut expected: u16,
    covered: &mut Vec<Covered<'a>>,
) -> Result<(), BundleError> {
    let start = reader.position();
    while expected != 0 {
        let block = Block::read(reader)?;
        let next = u64::from(expected.trailing_zeros());
        if block.number != next || layout::KNOWN_TYPES.contains(&block.block_type) {
            return Err(BundleError::SecurityScope);
        }
        if !planted::is("codec-unknown-block-unsigned") {
            covered.push(block.covered());
        }
        expected &= expected - 1;
    }
    if reader.position() - start > layout::UNKNOWN_BYTES_MAX {
        return Err(BundleError::UnknownTooLarge);
    }
    Ok(())
}

fn read_class(data: &[u8]) -> Result<(Priority, u16), BundleError> {
    let mut reader = Reader::new(data);
    reader.array_exact(2)?;
    let priority = match reader.uint()? {
        0 => Priority::Bulk,
        1 => Priority::Normal,
        2 => Priority::Urgent,
        _ => return Err(BundleError::Class),
    };
    let copies = reader.uint()?;
    reader.finish()?;
    if !(1..=u64::from(COPIES_MAX)).contains(&copies) {
        return Err(BundleError::Class);
    }
    Ok((priority, copies as u16))
}

fn read_age(data: &[u8]) -> Result<Millis, BundleError> {
    let mut reader = Reader::new(data);
    let age = Millis(reader.uint()?);
    reader.finish()?;
    Ok(age)
}

fn read_hop_count(data: &[u8]) -> Result<u8, BundleError> {
    let mut reader = Reader::new(data);
    reader.array_exact(2)?;
    let (limit, count) = (reader.uint()?, reader.uint()?);
    reader.finish()?;
    if limit != u64::from(HOP_LIMIT) && !planted::is("codec-any-hop-limit") {
        return Err(BundleError::HopCount);
    }
    u8::try_from(count).map_err(|_| BundleError::HopCount)
}
