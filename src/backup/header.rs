//! The head of a backup: how hard the passphrase is to guess, and whether it is the right one.

use std::io::{self, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::BackupError;

const MAGIC: &[u8; 11] = b"dak-backup\n";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 40;
const CHECK_BYTES: usize = 32;

/// What stretching a passphrase costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Costs {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Costs {
    /// RFC 9106 section 4, the second recommended option: 64 MiB, three passes, four lanes.
    pub const RECOMMENDED: Costs = Costs { memory_kib: 64 << 10, passes: 3, lanes: 4 };

    /// What a reader is willing to pay, whatever a file asks for.
    const MOST: Costs = Costs { memory_kib: 1 << 20, passes: 16, lanes: 16 };

    fn params(self) -> Option<Params> {
        let most = Costs::MOST;
        if self.memory_kib > most.memory_kib || self.passes > most.passes || self.lanes > most.lanes {
            return None;
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()
    }
}

/// The part of the file that is in clear.
pub(super) struct Header {
    costs: Costs,
    salt: [u8; 16],
}

/// What comes of a passphrase and a header.
pub(super) struct Keys {
    check: Zeroizing<[u8; 32]>,
    pub chunks: Zeroizing<[u8; 32]>,
}

impl Header {
    pub fn new(costs: Costs) -> Result<Header, BackupError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(BackupError::Entropy)?;
        Ok(Header { costs, salt })
    }

    /// Stretches the passphrase, which takes a good part of a second on purpose.
    pub fn keys(&self, passphrase: &str) -> Result<Keys, BackupError> {
        if passphrase.is_empty() {
            return Err(BackupError::NoPassphrase);
        }
        let params = self.costs.params().ok_or(BackupError::Costs)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut stretched = Zeroizing::new([0; 32]);
        let done = argon2.hash_password_into(passphrase.as_bytes(), &self.salt, stretched.as_mut());
        done.map_err(|error| match error {
            argon2::Error::OutOfMemory => BackupError::Memory,
            _ => BackupError::Costs,
        })?;
        Ok(Keys {
            check: self.derive("dak 2026 backup check v1", &stretched),
            chunks: self.derive("dak 2026 backup chunks v1", &stretched),
        })
    }

    /// The keys, if the passphrase is the one that the backup was written with.
    pub fn checked_keys(&self, passphrase: &str, check: &[u8; CHECK_BYTES]) -> Result<Keys, BackupError> {
        let keys = self.keys(passphrase)?;
        // BLAKE3's hashes compare in constant time.
        if self.check(&keys) != blake3::Hash::from_bytes(*check) {
            return Err(BackupError::WrongPassphrase);
        }
        Ok(keys)
    }

    pub fn write(&self, keys: &Keys, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.encode())?;
        out.write_all(self.check(keys).as_bytes())
    }

    /// Reads header and check; `None` for a file that is something else.
    pub fn read(from: &mut impl Read) -> Result<Option<(Header, [u8; CHECK_BYTES])>, BackupError> {
        let mut start = [0; MAGIC.len() + 1];
        match from.read_exact(&mut start) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [magic @ .., version] = start;
        if magic != *MAGIC {
            return Ok(None);
        }
        if version != VERSION {
            return Err(BackupError::Newer(version));
        }
        let costs = Costs { memory_kib: number(from)?, passes: number(from)?, lanes: number(from)? };
        Ok(Some((Header { costs, salt: exactly(from)? }, exactly(from)?)))
    }

    /// A key that depends on the passphrase and on every byte of the header.
    fn derive(&self, context: &str, stretched: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut hash = blake3::Hasher::new_derive_key(context);
        hash.update(stretched).update(&self.encode());
        Zeroizing::new(*hash.finalize().as_bytes())
    }

    fn check(&self, keys: &Keys) -> blake3::Hash {
        blake3::keyed_hash(&keys.check, &self.encode())
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let Costs { memory_kib, passes, lanes } = self.costs;
        let costs = [memory_kib, passes, lanes].map(u32::to_be_bytes);
        let parts: [&[u8]; 4] = [MAGIC, &[VERSION], costs.as_flattened(), &self.salt];
        parts.concat().try_into().expect("11, 1, 12 and 16 bytes make 40")
    }
}

fn number(from: &mut impl Read) -> Result<u32, BackupError> {
    exactly(from).map(u32::from_be_bytes)
}

fn exactly<const N: usize>(from: &mut impl Read) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::Truncated,
        _ => error.into(),
    })?;
    Ok(bytes)
}
