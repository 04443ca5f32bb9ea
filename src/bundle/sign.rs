//! Making bundles: what a source says about one, and its signature.

use ed25519_dalek::SigningKey;

use crate::cbor::{Length, Writer};
use crate::eid::{Eid, Service};
use crate::id::NodeId;
use crate::time::Millis;

use super::integrity::{self, Over};
use super::layout::{self, Covered};
use super::{BUNDLE_BYTES_MAX, Bundle, BundleError, COPIES_MAX, Creation, Hops, Kind, Parts, Priority};

/// Signs in a node's name; where the key lives is its own business.
pub trait Signer: Send + Sync {
    fn node(&self) -> NodeId;

    /// The Ed25519 signature of `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

impl Signer for SigningKey {
    fn node(&self) -> NodeId {
        // A public key computed from a secret one is a multiple of the base point: canonical, torsion-free, not weak.
        NodeId::from_trusted(self.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        ed25519_dalek::Signer::sign(self, message).to_bytes()
    }
}

/// Everything a source says about a bundle but its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub kind: Kind,
    pub source: NodeId,
    pub destination: Eid,
    pub creation: Creation,
    pub lifetime: Millis,
    pub priority: Priority,
    /// The spray budget, 1 to [`COPIES_MAX`].
    pub copies: u16,
}

impl Draft {
    /// Returns the encoded primary block with its CRC: what sealing binds a payload to.
    pub fn primary(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.array(9);
        out.uint(7u64);
        out.uint(match self.kind {
            Kind::Message => layout::FLAGS_MESSAGE,
            Kind::Receipt => layout::FLAGS_RECEIPT,
        });
        out.uint(layout::CRC_TYPE);
        out.raw(&endpoint(&self.destination));
        out.raw(&endpoint(&Eid::admin(self.source)));
        out.raw(&layout::NO_ENDPOINT);
        out.array(2);
        out.uint(self.creation.time.0);
        out.uint(self.creation.sequence);
        out.uint(self.lifetime.0);
        out.bytes(&[0; 4]);
        let crc = layout::primary_crc(&out);
        let at = out.len() - crc.len();
        out[at..].copy_from_slice(&crc);
        out
    }

    /// Signs a bundle with this payload.
    ///
    /// Refuses what every other node would refuse: a bundle over the size limit, a copy budget out of range, a receipt
    /// for something else than an administrative endpoint. Panics if the signer is not the source.
    pub fn sign(&self, payload: &[u8], signer: &dyn Signer) -> Result<Bundle, BundleError> {
        assert_eq!(signer.node(), self.source, "a bundle is signed by its source");
        if self.copies == 0 || self.copies > COPIES_MAX {
            return Err(BundleError::Class);
        }
        if self.kind == Kind::Receipt && self.destination.service != Service::Admin {
            return Err(BundleError::ReceiptDestination);
        }
        if payload.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }

        let primary = self.primary();
        let source = endpoint(&Eid::admin(self.source));
        let mut class = Vec::with_capacity(16);
        layout::class_block(&mut class, self.priority, self.copies);
        let covered = Covered { head: &class[1..5], data: &class[6..] };
        let over = Over::of(payload.len());
        let digest = over.digest(payload);
        let covers = digest.as_ref().map_or(payload, |digest| digest);
        let parts = [&source[..], &integrity::SCOPE, &primary];
        let mut signed = layout::signed_head(over, parts, &[covered], covers.len(), covers.len());
        signed.raw(covers);
        let (bytes, parts) = self.assemble(&primary, Hops::default(), over, &signer.sign(&signed), payload);
        let hops_len = (parts.hops_end - parts.hops_at) as usize;
        if bytes.len() - hops_len + layout::HOPS_BYTES_MAX > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge);
        }
        Ok(Bundle {
            id: layout::bundle_id([&signed]),
            kind: self.kind,
            source: self.source,
            destination: self.destination.clone(),
            creation: self.creation,
            lifetime: self.lifetime,
            priority: self.priority,
            copies: self.copies,
            bytes: bytes.into_boxed_slice(),
            parts,
        })
    }

    /// The bundle that its source signed so; refuses one whose signature does not hold.
    pub fn signed(&self, payload: &[u8], signature: &[u8; 64]) -> Result<Bundle, BundleError> {
        let with = |over| {
            let (bytes, _) = self.assemble(&self.primary(), Hops::default(), over, signature, payload);
            Bundle::decode(&bytes).map(|(bundle, _)| bundle)
        };
        match Over::of(payload.len()) {
            Over::Payload => with(Over::Payload),
            // Earlier builds signed it whole.
            Over::Digest => with(Over::Digest).or_else(|_| with(Over::Payload)),
        }
    }

    /// Puts a bundle together around a signature, whether it holds or not.
    pub(super) fn assemble(
        &self,
        primary: &[u8],
        hops: Hops,
        over: Over,
        signature: &[u8; 64],
        payload: &[u8],
    ) -> (Vec<u8>, Parts) {
        self.assemble_from(primary, hops, (over, signature), payload.len(), |out| out.raw(payload))
    }

    /// The same with a payload of so many bytes that is written where it goes.
    pub(super) fn assemble_from(
        &self,
        primary: &[u8],
        hops: Hops,
        (over, signature): (Over, &[u8; 64]),
        payload_len: usize,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> (Vec<u8>, Parts) {
        let mut out = Vec::with_capacity(primary.len() + payload_len + 256);
        self.write_before_hops(primary, over, signature, &mut out);
        let hops_at = out.len();
        layout::hop_blocks(&mut out, hops);
        let hops_end = out.len();
        layout::block_head(&mut out, layout::PAYLOAD, payload_len);
        let payload_at = out.len();
        payload(&mut out);
        out.raw(&[layout::CLOSE]);
        let parts = Parts::new(1 + primary.len(), hops_at..hops_end, payload_at);
        (out, parts)
    }

    /// Writes a bundle around a signature as far as its age.
    pub(super) fn write_before_hops(&self, primary: &[u8], over: Over, signature: &[u8; 64], out: &mut impl Writer) {
        out.raw(&[layout::OPEN]);
        out.raw(primary);
        integrity::write(out, &endpoint(&Eid::admin(self.source)), over, signature);
        layout::class_block(out, self.priority, self.copies);
    }

    /// The length of the bundle that [`Draft::sign`] makes of a payload of `payload_len` bytes.
    pub fn encoded_len(&self, payload_len: usize) -> usize {
        let mut blocks = self.primary();
        integrity::write(&mut blocks, &endpoint(&Eid::admin(self.source)), Over::of(payload_len), &[0; 64]);
        layout::class_block(&mut blocks, self.priority, self.copies);
        layout::hop_blocks(&mut blocks, Hops::default());
        layout::block_head(&mut blocks, layout::PAYLOAD, payload_len);
        blocks.len() + payload_len + 2
    }
}

/// An endpoint as it stands in a block: scheme 1 and the text after it.
fn endpoint(eid: &Eid) -> Vec<u8> {
    let text = eid.after_scheme();
    let mut len = Length::default();
    len.text(&text);
    let mut out = Vec::with_capacity(2 + len.0);
    out.array(2);
    out.uint(1u64);
    out.text(&text);
    out
}
