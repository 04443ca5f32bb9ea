//! The length before a frame: seven bits a byte, the lowest first, as libp2p and multiformats spell numbers.

/// Most bytes of a length: what a longer one could say is longer than any frame.
pub(super) const LENGTH_BYTES_MAX: usize = 3;

/// What the first bytes of a frame say of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes follow the so many that say it.
    Is { len: u32, said_in: usize },
    /// It goes on.
    More,
    /// At least so many bytes, which is too long.
    TooLong(u32),
    /// There are bytes in it that say nothing.
    Padded,
}

/// Writes the length of a frame.
pub(super) fn write(len: u32, out: &mut Vec<u8>) {
    let mut left = len;
    while left >= 1 << 7 {
        out.push(left as u8 | 1 << 7);
        left >>= 7;
    }
    out.push(left as u8);
}

/// Reads the length that these bytes begin with.
pub(super) fn read(bytes: &[u8]) -> Length {
    let mut len = 0;
    for (at, byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        len |= u32::from(byte & 0x7f) << (7 * at);
        match byte >> 7 {
            0 if at > 0 && *byte == 0 => return Length::Padded,
            0 => return Length::Is { len, said_in: at + 1 },
            _ => {}
        }
    }
    if bytes.len() < LENGTH_BYTES_MAX { Length::More } else { Length::TooLong(1 << (7 * LENGTH_BYTES_MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_spelling_and_a_bound() {
        for len in [0, 1, 127, 128, 300, 16_383, 16_384, 1_048_640, (1 << 21) - 1] {
            let mut bytes = Vec::new();
            write(len, &mut bytes);
            assert_eq!(read(&bytes), Length::Is { len, said_in: bytes.len() }, "{len}");
            assert!((0..bytes.len()).all(|cut| read(&bytes[..cut]) == Length::More));
            bytes.push(7);
            assert_eq!(read(&bytes), Length::Is { len, said_in: bytes.len() - 1 }, "what follows is the frame");
        }
        for padded in [&[0x80, 0][..], &[0xff, 0x80, 0]] {
            assert_eq!(read(padded), Length::Padded);
        }
        assert_eq!(read(&[0xff; 4]), Length::TooLong(1 << 21));
        let mut long = Vec::new();
        write(1 << 21, &mut long);
        assert_eq!(read(&long), Length::TooLong(1 << 21));
    }
}
