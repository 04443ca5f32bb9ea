//! A second implementation of the wire, made for breaking: every part of a bundle is a field that a test can change,
//! and CRC and signature are computed over whatever stands there.

use ed25519_dalek::{Signer, SigningKey};

use crate::common::{alice, bob};

/// The parts of a bundle, encoded where a field is bytes.
#[derive(Clone)]
pub struct Hand {
    pub version: Vec<u8>,
    pub flags: Vec<u8>,
    pub crc_type: Vec<u8>,
    pub destination: Vec<u8>,
    pub source: Vec<u8>,
    pub report_to: Vec<u8>,
    pub creation: Vec<u8>,
    pub lifetime: Vec<u8>,
    /// Abstract security block: everything before the security source, everything from the results to the signature.
    pub security_start: Vec<u8>,
    pub security_source: Vec<u8>,
    pub scope: Vec<u8>,
    pub result: Vec<u8>,
    /// The protected header in it.
    pub protected: Vec<u8>,
    /// Whether the payload's digest is signed in its place.
    pub by_digest: bool,
    pub class: Vec<u8>,
    pub age: Vec<u8>,
    pub hops: Vec<u8>,
    /// Type, number and data of blocks between hop count and payload.
    pub unknown: Vec<(u64, u64, Vec<u8>)>,
    /// Whether those blocks are in the signed bytes.
    pub unknown_signed: bool,
    pub payload: Vec<u8>,
    pub key: SigningKey,
    /// Instead of the key's.
    pub signature: Option<[u8; 64]>,
}

impl Hand {
    /// A message from alice to bob.
    pub fn message() -> Hand {
        Hand {
            version: uint(7),
            flags: uint(0x24),
            crc_type: uint(2),
            destination: endpoint(&name(&bob(), "mail")),
            source: endpoint(&name(&alice(), "")),
            report_to: vec![0x82, 1, 0],
            creation: [vec![0x82], uint(836_000_000_000), uint(7)].concat(),
            lifetime: uint(259_200_000),
            security_start: vec![0x81, 1, 3, 1],
            security_source: endpoint(&name(&alice(), "")),
            scope: vec![0xa4, 0, 1, 3, 3, 0x20, 1, 0x21, 1],
            result: vec![0x81, 0x81, 0x82, 0x12, 0x58, 73, 0x84, 0x43, 0xa1, 1, 0x32, 0xa0, 0xf6, 0x58, 64],
            protected: vec![0xa1, 1, 0x32],
            by_digest: false,
            class: vec![0x82, 1, 8],
            age: uint(0),
            hops: vec![0x82, 0x18, 255, 0],
            unknown: Vec::new(),
            unknown_signed: true,
            payload: b"hello".to_vec(),
            key: alice(),
            signature: None,
        }
    }

    /// The same, of which the digest of the payload is signed.
    pub fn by_digest(self) -> Hand {
        let protected = vec![0xa2, 1, 0x32, 0x19, 1, 2, 0x3a, 0, 1, 0, 0];
        let result = [&[0x81, 0x81, 0x82, 0x12, 0x58, 81, 0x84][..], &bytes(&protected), &[0xa0, 0xf6, 0x58, 64]];
        Hand { result: result.concat(), protected, by_digest: true, ..self }
    }

    pub fn primary(&self) -> Vec<u8> {
        let parts = [
            &vec![0x89],
            &self.version,
            &self.flags,
            &self.crc_type,
            &self.destination,
            &self.source,
            &self.report_to,
            &self.creation,
            &self.lifetime,
        ];
        let mut block: Vec<u8> = parts.into_iter().flatten().copied().collect();
        block.extend([0x44, 0, 0, 0, 0]);
        fix_crc(&mut block);
        block
    }

    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut aad = [&self.security_source[..], &self.scope, &self.primary(), &[0x18, 0xc1, 3, 0]].concat();
        aad.extend(bytes(&self.class));
        if self.unknown_signed {
            for (block_type, number, data) in &self.unknown {
                aad.extend([uint(*block_type), uint(*number), vec![0], bytes(data)].concat());
            }
        }
        aad.extend([1, 1, 0, 11, 2, 0, 0x40]);
        let mut signed = vec![0x84, 0x6a];
        signed.extend(b"Signature1");
        signed.extend(bytes(&self.protected));
        signed.extend(bytes(&aad));
        match self.by_digest {
            true => signed.extend(bytes(blake3::hash(&self.payload).as_bytes())),
            false => signed.extend(bytes(&self.payload)),
        }
        signed
    }

    /// Every block encoded, in order.
    pub fn blocks(&self) -> Vec<Vec<u8>> {
        let signature = self.signature.unwrap_or_else(|| self.key.sign(&self.signed_bytes()).to_bytes());
        let security =
            [&self.security_start[..], &self.security_source, &[0x81, 0x82, 5], &self.scope, &self.result, &signature];
        let mut blocks = vec![
            self.primary(),
            block(11, 2, &security.concat()),
            block(193, 3, &self.class),
            block(7, 4, &self.age),
            block(10, 5, &self.hops),
        ];
        blocks.extend(self.unknown.iter().map(|(block_type, number, data)| block(*block_type, *number, data)));
        blocks.push(block(1, 1, &self.payload));
        blocks
    }

    pub fn bundle(&self) -> Vec<u8> {
        bundle(&self.blocks())
    }

    /// Adds a block of an unknown kind that the signature covers.
    pub fn with_unknown(mut self, block_type: u64, number: u8, data: &[u8]) -> Hand {
        self.unknown.push((block_type, u64::from(number), data.to_vec()));
        self.scope[0] += 1;
        let end = self.scope.len() - 4;
        self.scope.splice(end..end, [number, 3]);
        self
    }
}

pub fn bundle(blocks: &[Vec<u8>]) -> Vec<u8> {
    [vec![0x9f], blocks.concat(), vec![0xff]].concat()
}

pub fn block(block_type: u64, number: u64, data: &[u8]) -> Vec<u8> {
    [vec![0x85], uint(block_type), uint(number), vec![0, 0], bytes(data)].concat()
}

/// The scheme-specific part of a key's endpoint.
pub fn name(key: &SigningKey, service: &str) -> String {
    name_of_key(&key.verifying_key().to_bytes(), service)
}

pub fn name_of_key(key: &[u8; 32], service: &str) -> String {
    let peer_id = bs58::encode([&[0, 0x24, 8, 1, 0x12, 0x20], &key[..]].concat()).into_string();
    format!("//{peer_id}/{service}")
}

pub fn endpoint(name: &str) -> Vec<u8> {
    let mut item = vec![0x82, 1];
    item.extend(head(0x60, name.len() as u64));
    item.extend(name.as_bytes());
    item
}

pub fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

pub fn bytes(data: &[u8]) -> Vec<u8> {
    [head(0x40, data.len() as u64), data.to_vec()].concat()
}

pub fn head(major: u8, value: u64) -> Vec<u8> {
    let wide = value.to_be_bytes();
    match value {
        0..24 => vec![major | value as u8],
        24..256 => vec![major | 24, wide[7]],
        256..65_536 => [vec![major | 25], wide[6..].to_vec()].concat(),
        65_536..4_294_967_296 => [vec![major | 26], wide[4..].to_vec()].concat(),
        _ => [vec![major | 27], wide.to_vec()].concat(),
    }
}

/// Writes the CRC of a primary block into its last four bytes.
pub fn fix_crc(primary: &mut [u8]) {
    let at = primary.len() - 4;
    primary[at..].fill(0);
    let crc = crc_32c(primary);
    primary[at..].copy_from_slice(&crc.to_be_bytes());
}

/// CRC-32C bit by bit: reflected polynomial 0x82f63b78, all ones before and after (RFC 9171 section 4.2.1).
fn crc_32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
