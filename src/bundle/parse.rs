//! Reading bundles: the strict profile over the bytes as received, cheap checks first, the signature last.

use std::ops::Range;

use crate::cbor::{CborError, Reader};
use crate::eid::{Eid, Service};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

use super::integrity::{Integrity, Over};
use super::layout::{self, Covered, Place};
use super::{BUNDLE_BYTES_MAX, Bundle, BundleError, COPIES_MAX, Creation, HOP_LIMIT, Hops, Kind, Parts, Priority};
use super::{Role, key};

/// A bundle whose form is right and whose signature nobody has looked at, over its bytes, borrowed or owned.
///
/// Its facts are claims: good for dropping a bundle (its id is known, its source is over its rate), never for taking
/// one. The keys of its endpoints were not checked either.
#[derive(Debug)]
pub struct Unverified<B> {
    bytes: B,
    facts: Facts,
}

/// What the bytes of a bundle say, and where they say it.
#[derive(Debug)]
struct Facts {
    id: BundleId,
    hops: Hops,
    primary: Primary,
    priority: Priority,
    copies: u16,
    signed: Signed,
    signature: [u8; 64],
    parts: Parts,
}

/// Where in a bundle the parts lie that its source signed. The signed bytes are put together from them when they are
/// looked at: a bundle that waits for its verification is not kept twice.
#[derive(Debug)]
struct Signed {
    source_item: Range<usize>,
    scope: Range<usize>,
    primary: Range<usize>,
    covered: Vec<CoveredAt>,
    payload: Range<usize>,
    /// What is signed in its place.
    digest: Option<[u8; 32]>,
}

#[derive(Debug)]
struct CoveredAt {
    head: Range<usize>,
    data_item: Range<usize>,
}

impl<B: AsRef<[u8]>> Unverified<B> {
    /// Checks everything but keys and signature.
    pub fn parse(bytes: B) -> Result<Unverified<B>, BundleError> {
        let facts = Facts::read(bytes.as_ref())?;
        Ok(Unverified { bytes, facts })
    }

    /// The hash of the signed bytes: if it is the id of a verified bundle, then this one says the same.
    pub fn id(&self) -> BundleId {
        self.facts.id
    }

    pub fn hops(&self) -> Hops {
        self.facts.hops
    }

    pub fn kind(&self) -> Kind {
        self.facts.primary.kind
    }

    /// The key that the signature is to be verified with.
    pub fn source(&self) -> NodeId {
        self.facts.primary.source
    }

    pub fn destination(&self) -> &Eid {
        &self.facts.primary.destination
    }

    pub fn creation(&self) -> Creation {
        self.facts.primary.creation
    }

    pub fn lifetime(&self) -> Millis {
        self.facts.primary.lifetime
    }

    pub fn priority(&self) -> Priority {
        self.facts.priority
    }

    pub fn copies(&self) -> u16 {
        self.facts.copies
    }

    /// The whole bundle as it came.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// The bytes that the source signed (the `Sig_structure` of RFC 9052 section 4.4).
    pub fn signed_bytes(&self) -> Vec<u8> {
        self.facts.signed.bytes(self.bytes())
    }
}

impl<B: AsRef<[u8]> + Into<Box<[u8]>>> Unverified<B> {
    /// Checks everything.
    pub(super) fn decode(bytes: B) -> Result<(Bundle, Hops), BundleError> {
        Unverified::parse(bytes)?.verify()
    }

    /// Checks the keys and the signature.
    pub fn verify(self) -> Result<(Bundle, Hops), BundleError> {
        self.facts.verify(self.bytes())?;
        Ok(self.believe())
    }

    /// Makes a bundle of it; only of what verifies, or of bytes that our own store verified before.
    pub(super) fn believe(self) -> (Bundle, Hops) {
        let Facts { id, hops, primary, priority, copies, parts, .. } = self.facts;
        let Primary { kind, destination, source, creation, lifetime, .. } = primary;
        let bytes = self.bytes.into();
        (Bundle { id, kind, source, destination, creation, lifetime, priority, copies, bytes, parts }, hops)
    }
}

impl Facts {
    /// Reads what a bundle says.
    fn read(bytes: &[u8]) -> Result<Facts, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        if !reader.take_if(&[layout::OPEN]) {
            return Err(BundleError::NotABundle);
        }
        let primary = Primary::read(&mut reader)?;
        let primary_end = reader.position();

        let block = Block::read_at(&mut reader, layout::INTEGRITY)?;
        let integrity = Integrity::read(block.data, &bytes[primary.source_item.clone()])?;
        let scope_at = block.data_at + integrity.scope_at;
        let class = Block::read_at(&mut reader, layout::CLASS)?;
        let (priority, copies) = read_class(class.data)?;
        let hops_at = reader.position();
        let age = read_age(Block::read_at(&mut reader, layout::AGE)?.data)?;
        let count = read_hop_count(Block::read_at(&mut reader, layout::HOP_COUNT)?.data)?;
        let hops_end = reader.position();

        let mut covered = vec![class.covered()];
        read_unknown_blocks(&mut reader, integrity.unknown, &mut covered)?;
        let payload = Block::read_at(&mut reader, layout::PAYLOAD)?;
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

        let signed = Signed {
            source_item: primary.source_item.clone(),
            scope: scope_at..scope_at + integrity.scope.len(),
            primary: 1..primary_end,
            covered,
            payload: payload.data_at..payload.data_at + payload.data.len(),
            digest: integrity.over.digest(payload.data),
        };
        Ok(Facts {
            id: signed.id(bytes),
            hops: Hops { age, count },
            primary,
            priority,
            copies,
            signed,
            signature: integrity.signature,
            parts: Parts::new(primary_end, hops_at..hops_end, payload.data_at),
        })
    }

    /// Checks the keys and the signature.
    fn verify(&self, bundle: &[u8]) -> Result<(), BundleError> {
        let weak = |role| move |error| BundleError::WeakKey(role, error);
        key::checked(self.primary.destination.node).map_err(weak(Role::Destination))?;
        let message = [&self.signed.head(bundle, 0), self.signed.payload(bundle)];
        let holds = key::verify(self.primary.source, &message, &self.signature).map_err(weak(Role::Source))?;
        if holds { Ok(()) } else { Err(BundleError::Signature) }
    }
}

impl Signed {
    /// Puts the signed bytes of a bundle together.
    fn bytes(&self, bundle: &[u8]) -> Vec<u8> {
        let payload = self.payload(bundle);
        let mut signed = self.head(bundle, payload.len());
        signed.extend_from_slice(payload);
        signed
    }

    /// The id of the bundle that they are of.
    fn id(&self, bundle: &[u8]) -> BundleId {
        layout::bundle_id([&self.head(bundle, 0), self.payload(bundle)])
    }

    /// The payload, or its digest.
    fn payload<'a>(&'a self, bundle: &'a [u8]) -> &'a [u8] {
        self.digest.as_ref().map_or(&bundle[self.payload.clone()], |digest| digest)
    }

    /// The signed bytes up to the payload's, with room for so many more.
    fn head(&self, bundle: &[u8], room: usize) -> Vec<u8> {
        let over = if self.digest.is_some() { Over::Digest } else { Over::Payload };
        let part = |range: &Range<usize>| &bundle[range.clone()];
        let covered = self.covered.iter().map(|at| Covered { head: part(&at.head), data: part(&at.data_item) });
        let covered: Vec<Covered<'_>> = covered.collect();
        let [source, scope, primary] = [&self.source_item, &self.scope, &self.primary].map(part);
        layout::signed_head(over, [source, scope, primary], &covered, self.payload(bundle).len(), room)
    }
}

#[derive(Debug)]
struct Primary {
    kind: Kind,
    destination: Eid,
    source: NodeId,
    /// Where the source's endpoint stands as encoded.
    source_item: Range<usize>,
    creation: Creation,
    lifetime: Millis,
}

impl Primary {
    fn read(reader: &mut Reader<'_>) -> Result<Primary, BundleError> {
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
        let source_item = source_at..reader.position();
        if source.service != Service::Admin {
            return Err(BundleError::SourceService);
        }
        if kind == Kind::Receipt && destination.service != Service::Admin {
            return Err(BundleError::ReceiptDestination);
        }
        if reader.skip()? != layout::NO_ENDPOINT {
            return Err(BundleError::ReportTo);
        }
        reader.array_exact(2)?;
        let creation = Creation { time: DtnTime(reader.uint()?), sequence: reader.uint()? };
        let lifetime = Millis(reader.uint()?);
        let crc: [u8; 4] = reader.bytes_exact()?;
        if crc != layout::primary_crc(reader.since(start)) {
            return Err(BundleError::Crc);
        }
        Ok(Primary { kind, destination, source: source.node, source_item, creation, lifetime })
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
    head: Range<usize>,
    data: &'a [u8],
    data_at: usize,
    /// Its data as an encoded byte string.
    data_item: Range<usize>,
}

impl<'a> Block<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Block<'a>, BundleError> {
        let fields = reader.array()?;
        let start = reader.position();
        let (block_type, number, flags) = (reader.uint()?, reader.uint()?, reader.uint()?);
        let head = start..reader.position();
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
        let end = reader.position();
        Ok(Block { block_type, number, head, data, data_at: end - data.len(), data_item: start..end })
    }

    fn read_at(reader: &mut Reader<'a>, place: Place) -> Result<Block<'a>, BundleError> {
        if reader.peek() == Some(layout::CLOSE) {
            return Err(BundleError::Layout(place.name));
        }
        let block = Block::read(reader)?;
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

    fn covered(&self) -> CoveredAt {
        CoveredAt { head: self.head.clone(), data_item: self.data_item.clone() }
    }
}

/// Reads the blocks of unknown kinds that the signature covers, a bit of `expected` for each number.
fn read_unknown_blocks(
    reader: &mut Reader<'_>,
    mut expected: u16,
    covered: &mut Vec<CoveredAt>,
) -> Result<(), BundleError> {
    let start = reader.position();
    while expected != 0 {
        let block = Block::read(reader)?;
        let next = u64::from(expected.trailing_zeros());
        if block.number != next || layout::KNOWN_TYPES.contains(&block.block_type) {
            return Err(BundleError::SecurityScope);
        }
        covered.push(block.covered());
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
    let priority = Priority::of_number(reader.uint()?).ok_or(BundleError::Class)?;
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
    if limit != u64::from(HOP_LIMIT) {
        return Err(BundleError::HopCount);
    }
    u8::try_from(count).map_err(|_| BundleError::HopCount)
}
