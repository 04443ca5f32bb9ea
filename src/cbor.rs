//! The CBOR that is signed, hashed and sent: deterministic encoding (RFC 8949 section 4.2.1) and nothing else.
//!
//! A [`Reader`] walks received bytes without copying them and refuses what a deterministic encoder would not have
//! written: longer integers than needed, indefinite lengths, map keys out of order, bytes left over. So decoding what
//! was encoded, and encoding what was decoded, give the same bytes. Lengths are checked against the bytes that remain
//! before anything is allocated for them.
//!
//! Floats, `undefined` and other simple values are refused: no record here has a use for them.

/// Deepest nesting of an item that this version does not know and skips.
pub const DEPTH_MAX: usize = 16;

/// Why bytes are not the deterministic CBOR expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    #[error("it ends too early")]
    Truncated,
    #[error("bytes follow its end")]
    Trailing,
    #[error("a number is written longer than it needs")]
    NotShortest,
    #[error("a length is left open")]
    Indefinite,
    #[error("it has a float, a simple value or a reserved byte")]
    Malformed,
    #[error("a value is of another kind than belongs there")]
    Type,
    #[error("a number is out of range")]
    Range,
    #[error("the keys of a map are repeated or out of order")]
    KeyOrder,
    #[error("it is nested deeper than 16 levels")]
    Depth,
    #[error("a text is not UTF-8")]
    Utf8,
}

/// The major types of RFC 8949 section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Major {
    Uint,
    Nint,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
    Simple,
}

const MAJORS: [Major; 8] =
    [Major::Uint, Major::Nint, Major::Bytes, Major::Text, Major::Array, Major::Map, Major::Tag, Major::Simple];

/// Walks deterministic CBOR; clones are cheap bookmarks.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes read since `start`, an earlier [`Reader::position`].
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next byte, left in place.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Refuses bytes left over.
    pub fn finish(&self) -> Result<(), CborError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(CborError::Trailing) }
    }

    /// Takes `len` bytes as they are.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], CborError> {
        let taken = self.rest().get(..len).ok_or(CborError::Truncated)?;
        self.at += len;
        Ok(taken)
    }

    /// Takes exactly `expected`, and says whether that is what stood there; nothing is taken otherwise.
    pub fn take_if(&mut self, expected: &[u8]) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub fn uint(&mut self) -> Result<u64, CborError> {
        self.expect(Major::Uint)
    }

    /// Reads an unsigned number that fits the type asked for.
    pub fn uint_as<T: TryFrom<u64>>(&mut self) -> Result<T, CborError> {
        T::try_from(self.uint()?).map_err(|_| CborError::Range)
    }

    pub fn int(&mut self) -> Result<i64, CborError> {
        let (major, value) = self.head()?;
        let value = i64::try_from(value).map_err(|_| CborError::Range)?;
        match major {
            Major::Uint => Ok(value),
            Major::Nint => Ok(-1 - value),
            _ => Err(CborError::Type),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        let len = self.expect(Major::Bytes)?;
        self.take(usize::try_from(len).map_err(|_| CborError::Truncated)?)
    }

    /// Reads a byte string of exactly `N` bytes.
    pub fn bytes_exact<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        self.bytes()?.try_into().map_err(|_| CborError::Range)
    }

    pub fn text(&mut self) -> Result<&'a str, CborError> {
        let len = self.expect(Major::Text)?;
        let bytes = self.take(usize::try_from(len).map_err(|_| CborError::Truncated)?)?;
        std::str::from_utf8(bytes).map_err(|_| CborError::Utf8)
    }

    pub fn bool(&mut self) -> Result<bool, CborError> {
        match self.take(1)?[0] {
            0xf4 => Ok(false),
            0xf5 => Ok(true),
            _ => Err(CborError::Type),
        }
    }

    /// Reads the head of an array and returns its length, which the remaining bytes can hold.
    pub fn array(&mut self) -> Result<usize, CborError> {
        let len = self.expect(Major::Array)?;
        self.fitting(len, 1)
    }

    /// Reads the head of an array of exactly `len` items.
    pub fn array_exact(&mut self, len: usize) -> Result<(), CborError> {
        if self.array()? == len { Ok(()) } else { Err(CborError::Range) }
    }

    /// Reads the head of a map and returns how many pairs follow, which the remaining bytes can hold.
    pub fn map(&mut self) -> Result<usize, CborError> {
        let len = self.expect(Major::Map)?;
        self.fitting(len, 2)
    }

    /// Skips one item of any kind, checked as strictly as any other, and returns its bytes.
    pub fn skip(&mut self) -> Result<&'a [u8], CborError> {
        let start = self.at;
        self.skip_within(DEPTH_MAX)?;
        Ok(self.since(start))
    }

    fn skip_within(&mut self, depth: usize) -> Result<(), CborError> {
        let inner = depth.checked_sub(1).ok_or(CborError::Depth)?;
        match MAJORS[usize::from(self.peek().ok_or(CborError::Truncated)? >> 5)] {
            Major::Uint | Major::Nint => self.head().map(drop),
            Major::Bytes => self.bytes().map(drop),
            Major::Text => self.text().map(drop),
            Major::Array => (0..self.array()?).try_for_each(|_| self.skip_within(inner)),
            Major::Map => self.skip_map(inner),
            Major::Tag => {
                self.head()?;
                self.skip_within(inner)
            }
            // false, true and null
            Major::Simple => match self.take(1)?[0] {
                0xf4..=0xf6 => Ok(()),
                0xff => Err(CborError::Indefinite),
                _ => Err(CborError::Malformed),
            },
        }
    }

    fn skip_map(&mut self, depth: usize) -> Result<(), CborError> {
        let mut last: &[u8] = &[];
        for _ in 0..self.map()? {
            let start = self.at;
            self.skip_within(depth)?;
            let key = self.since(start);
            // No key is empty, so the first one passes.
            if key <= last {
                return Err(CborError::KeyOrder);
            }
            last = key;
            self.skip_within(depth)?;
        }
        Ok(())
    }

    fn fitting(&self, len: u64, bytes_each: u64) -> Result<usize, CborError> {
        let room = self.rest().len() as u64;
        if len.checked_mul(bytes_each).is_some_and(|bytes| bytes <= room) {
            Ok(len as usize)
        } else {
            Err(CborError::Truncated)
        }
    }

    fn expect(&mut self, expected: Major) -> Result<u64, CborError> {
        let (major, value) = self.head()?;
        if major == expected { Ok(value) } else { Err(CborError::Type) }
    }

    /// Reads the first byte of an item and the number that follows it.
    fn head(&mut self) -> Result<(Major, u64), CborError> {
        let first = self.take(1)?[0];
        let major = MAJORS[usize::from(first >> 5)];
        if major == Major::Simple {
            return Err(if first == 0xff { CborError::Indefinite } else { CborError::Type });
        }
        let (value, least) = match first & 0x1f {
            small @ 0..24 => (u64::from(small), 0),
            24 => (u64::from(self.take(1)?[0]), 24),
            25 => (self.number::<2>()?, 1 << 8),
            26 => (self.number::<4>()?, 1 << 16),
            27 => (self.number::<8>()?, 1 << 32),
            31 => return Err(CborError::Indefinite),
            _ => return Err(CborError::Malformed),
        };
        if value < least { Err(CborError::NotShortest) } else { Ok((major, value)) }
    }

    fn number<const N: usize>(&mut self) -> Result<u64, CborError> {
        Ok(self.take(N)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

/// Writes deterministic CBOR into a `Vec<u8>`, or only counts it as [`Length`].
pub trait Writer {
    /// Adds bytes as they are.
    fn raw(&mut self, bytes: &[u8]);

    /// Adds a byte string of `len` bytes that `fill` appends; counting does not call it.
    fn packed(&mut self, len: usize, fill: impl FnOnce(&mut Vec<u8>));

    fn head(&mut self, major: Major, value: u64) {
        let major = (major as u8) << 5;
        match value {
            0..24 => self.raw(&[major | value as u8]),
            24..0x100 => self.raw(&[major | 24, value as u8]),
            0x100..0x1_0000 => {
                let [a, b] = (value as u16).to_be_bytes();
                self.raw(&[major | 25, a, b]);
            }
            0x1_0000..0x1_0000_0000 => {
                let [a, b, c, d] = (value as u32).to_be_bytes();
                self.raw(&[major | 26, a, b, c, d]);
            }
            _ => {
                self.raw(&[major | 27]);
                self.raw(&value.to_be_bytes());
            }
        }
    }

    fn uint(&mut self, value: impl Into<u64>) {
        self.head(Major::Uint, value.into());
    }

    fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.head(Major::Uint, value),
            Err(_) => self.head(Major::Nint, !(value as u64)),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.head(Major::Bytes, bytes.len() as u64);
        self.raw(bytes);
    }

    fn text(&mut self, text: &str) {
        self.head(Major::Text, text.len() as u64);
        self.raw(text.as_bytes());
    }

    fn bool(&mut self, value: bool) {
        self.raw(&[0xf4 | u8::from(value)]);
    }

    fn array(&mut self, len: usize) {
        self.head(Major::Array, len as u64);
    }

    fn map(&mut self, len: usize) {
        self.head(Major::Map, len as u64);
    }
}

impl Writer for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn packed(&mut self, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        self.head(Major::Bytes, len as u64);
        let start = self.len();
        self.reserve(len);
        fill(self);
        assert_eq!(self.len() - start, len, "a packed byte string has the length announced");
    }
}

/// Compares what would be written with bytes that are there already.
#[derive(Clone, Copy, Debug)]
pub struct Same<'a> {
    /// What is still to come; none once something was different.
    left: Option<&'a [u8]>,
}

impl<'a> Same<'a> {
    pub fn with(bytes: &'a [u8]) -> Same<'a> {
        Same { left: Some(bytes) }
    }

    /// Whether it was the same to the last byte.
    pub fn is_all(&self) -> bool {
        self.left.is_some_and(<[u8]>::is_empty)
    }
}

impl Writer for Same<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.left = self.left.and_then(|left| left.strip_prefix(bytes));
    }

    fn packed(&mut self, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut packed = Vec::with_capacity(len);
        fill(&mut packed);
        self.bytes(&packed);
    }
}

/// How many bytes would be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length(pub usize);

impl Writer for Length {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn packed(&mut self, len: usize, _fill: impl FnOnce(&mut Vec<u8>)) {
        self.head(Major::Bytes, len as u64);
        self.0 += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(bytes: &[u8]) -> Result<usize, CborError> {
        let mut reader = Reader::new(bytes);
        let len = reader.skip()?.len();
        reader.finish()?;
        Ok(len)
    }

    #[test]
    fn what_is_written_is_the_same_only_to_the_last_byte() {
        let write = |out: &mut Same<'_>| {
            out.array(2);
            out.uint(7u64);
            out.packed(3, |out| out.raw(b"abc"));
        };
        let mut bytes = Vec::new();
        bytes.array(2);
        bytes.uint(7u64);
        bytes.bytes(b"abc");
        let is_same = |bytes: &[u8]| {
            let mut same = Same::with(bytes);
            write(&mut same);
            same.is_all()
        };
        assert!(is_same(&bytes));
        assert!(!is_same(&bytes[..bytes.len() - 1]) && !is_same(&[&bytes[..], &[0]].concat()));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(!is_same(&other), "byte {at}");
        }
    }

    #[test]
    fn numbers_at_every_border_read_back() {
        for value in [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            let mut bytes = Vec::new();
            bytes.uint(value);
            let mut length = Length::default();
            length.uint(value);
            assert_eq!((Reader::new(&bytes).uint(), length.0), (Ok(value), bytes.len()));
        }
        for value in [0, -1, -24, -25, -256, -257, 1_000, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            bytes.int(value);
            assert_eq!(Reader::new(&bytes).int(), Ok(value));
        }
    }

    #[test]
    fn longer_numbers_than_needed_are_refused() {
        for bytes in
            [&[0x18, 23][..], &[0x19, 0, 255], &[0x1a, 0, 0, 255, 255], &[0x1b, 0, 0, 0, 0, 255, 255, 255, 255]]
        {
            assert_eq!(Reader::new(bytes).uint(), Err(CborError::NotShortest));
        }
        assert_eq!(Reader::new(&[0x58, 1, 0]).bytes(), Err(CborError::NotShortest));
    }

    #[test]
    fn open_lengths_floats_and_reserved_bytes_are_refused() {
        for bytes in [&[0x9f, 0xff][..], &[0xbf, 0xff], &[0x5f, 0x40, 0xff], &[0x7f, 0xff], &[0xff]] {
            assert_eq!(skip(bytes), Err(CborError::Indefinite));
        }
        for bytes in [&[0xf9, 0, 0][..], &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0], &[0xf7], &[0xf8, 0xff], &[0x1c], &[0x5e]] {
            assert_eq!(skip(bytes), Err(CborError::Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn keys_of_a_map_rise_and_never_repeat() {
        assert_eq!(skip(&[0xa2, 1, 0, 2, 0]), Ok(5));
        assert_eq!(skip(&[0xa2, 2, 0, 1, 0]), Err(CborError::KeyOrder));
        assert_eq!(skip(&[0xa2, 1, 0, 1, 0]), Err(CborError::KeyOrder));
    }

    #[test]
    fn nesting_ends_at_sixteen() {
        let nested = |depth: usize| [vec![0x81; depth - 1], vec![0x80]].concat();
        assert_eq!(skip(&nested(16)), Ok(16));
        assert_eq!(skip(&nested(17)), Err(CborError::Depth));
        assert_eq!(skip(&[vec![0xc1; 100_000], vec![0]].concat()), Err(CborError::Depth));
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused_before_anything_is_made_of_them() {
        let huge = [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for major in [0x40u8, 0x60, 0x80, 0xa0] {
            let mut bytes = huge;
            bytes[0] = major | 27;
            assert_eq!(skip(&bytes), Err(CborError::Truncated));
        }
        assert_eq!(Reader::new(&[0x82, 0]).array(), Err(CborError::Truncated));
        assert_eq!(Reader::new(&[0xa1, 0]).map(), Err(CborError::Truncated));
    }
}
