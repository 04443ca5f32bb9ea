//! Decisions out of bytes: what a fuzzer changes a little changes a story a little.

/// Gives bytes one after the other, then zeros.
pub struct Draw<'a>(pub &'a [u8]);

impl<'a> Draw<'a> {
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is at most 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Any number, small ones as often as huge ones: one byte says how many bits it has.
    pub fn number(&mut self) -> u64 {
        let bits = u32::from(self.byte()) % 65;
        let low = (0..bits.div_ceil(8)).fold(0u64, |value, _| value << 8 | u64::from(self.byte()));
        if bits == 0 { 0 } else { (low & u64::MAX >> (64 - bits)) | 1 << (bits - 1) }
    }

    /// Up to 255 bytes, as many as the first says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }
}
