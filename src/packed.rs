//! Files of the program that it carries by gzip: most who ask for them take them so.

use std::io::Read;

use flate2::read::GzDecoder;

/// What was packed when the program was built.
pub fn unpack(packed: &'static [u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).expect("the program has what it was built with");
    bytes
}
