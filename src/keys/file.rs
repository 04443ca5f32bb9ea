//! The identity's file: its text, and reading it only where nobody else could.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ed25519_dalek::SigningKey;
use rustix::fs::OFlags;
use zeroize::{Zeroize, Zeroizing};

use super::{IdentityError, Malformed};
use crate::home::is_own;
use crate::id::NodeId;

const FORMAT: &str = "dak-identity-1";
const FORMAT_STEM: &str = "dak-identity-";

/// Longest file read: ours has under 400 bytes, a person may add comments.
const FILE_BYTES_MAX: u64 = 4_096;

/// What stands above the secret, for a person who opens the file.
const COMMENT: &str = "\
# The secret key of a dak node. Whoever has it can read this node's mail and write in its name:
# never share it, never send it. A backup of the home keeps a copy behind a passphrase.
";

pub(super) fn text(node: &NodeId, key: &SigningKey) -> Zeroizing<String> {
    // Reserved whole, because a string that grows leaves copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(512));
    for part in [COMMENT, FORMAT, " ", &node.peer_id(), " "] {
        text.push_str(part);
    }
    let secret = Zeroizing::new(key.to_bytes());
    for byte in secret.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("four bits are a hexadecimal digit"));
        }
    }
    text.push('\n');
    text
}

/// Returns the peer id and the secret of the one line that is not a comment.
pub(super) fn parse(text: &str) -> Result<(&str, Zeroizing<[u8; 32]>), Malformed> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(Malformed::Form) };
    let mut words = line.split_ascii_whitespace();
    match words.next() {
        Some(FORMAT) => {}
        Some(format) if format.starts_with(FORMAT_STEM) => return Err(Malformed::Newer),
        _ => return Err(Malformed::Form),
    }
    let (Some(peer_id), Some(digits), None) = (words.next(), words.next(), words.next()) else {
        return Err(Malformed::Form);
    };
    Ok((peer_id, parse_secret(digits).ok_or(Malformed::Form)?))
}

fn parse_secret(digits: &str) -> Option<Zeroizing<[u8; 32]>> {
    let digits = digits.as_bytes();
    let mut secret = Zeroizing::new([0; 32]);
    if digits.len() != 2 * secret.len() {
        return None;
    }
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
    }
    Some(secret)
}

/// Reads the file after checking, on the opened file itself, that it is the user's and closed to others.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => IdentityError::Missing { path: path.to_owned() },
        _ => IdentityError::Io { path: path.to_owned(), source },
    };
    let malformed = |why| IdentityError::Malformed { path: path.to_owned(), why };
    // Without waiting: opening a pipe that stands in its place would never return.
    let flags = OFlags::NONBLOCK.bits() as i32;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(malformed(Malformed::NotAFile));
    }
    if !is_own(&found) {
        return Err(IdentityError::Foreign { path: path.to_owned(), owner: found.uid() });
    }
    if found.mode() & 0o077 != 0 {
        return Err(IdentityError::Loose { path: path.to_owned(), mode: found.mode() & 0o777 });
    }
    if found.len() > FILE_BYTES_MAX {
        return Err(malformed(Malformed::TooLong));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize));
    (&mut file).take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(malformed(Malformed::Form))
        }
    }
}
