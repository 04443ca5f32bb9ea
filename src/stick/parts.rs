//! Bundles one by one out of a file of one or many, with no more of it in memory than one bundle takes.

use std::io::{self, Read};

use super::Found;
use crate::bundle::{BUNDLE_BYTES_MAX, BundleError, Part, first_part};
use crate::time::DtnTime;

/// How much is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// What can be read of a file, in its order.
pub struct Parts<R> {
    source: R,
    buffer: Vec<u8>,
    /// So much of the buffer is done with.
    start: usize,
    ended: bool,
    /// How much of the file is done with.
    at: u64,
    written: Option<DtnTime>,
}

/// Why no more can be read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    #[error("{0}")]
    Alone(BundleError),
    #[error("at byte {0}: {1}")]
    At(u64, BundleError),
    #[error("it is empty")]
    Empty,
}

impl<R: Read> Parts<R> {
    /// `written` is what is known beside the file of when it was written.
    pub fn of(source: R, written: Option<DtnTime>) -> Parts<R> {
        Parts { source, buffer: Vec::new(), start: 0, ended: false, at: 0, written }
    }

    /// The next bundle; none at the end.
    pub fn read_next(&mut self) -> Result<Option<Found>, Broken> {
        loop {
            let waiting = &self.buffer[self.start..];
            match first_part(waiting) {
                Ok((part, len)) => {
                    let bundle = match part {
                        Part::Written(at) => {
                            self.written = Some(at);
                            None
                        }
                        Part::Bundle(bytes) => Some(Found { bytes: bytes.to_vec(), written: self.written }),
                    };
                    self.start += len;
                    self.at += len as u64;
                    if bundle.is_some() {
                        return Ok(bundle);
                    }
                }
                Err(BundleError::Truncated) if self.ended && waiting.is_empty() => {
                    return if self.at == 0 { Err(Broken::Empty) } else { Ok(None) };
                }
                Err(BundleError::Truncated) if !self.ended && waiting.len() <= BUNDLE_BYTES_MAX => self.read_on()?,
                Err(BundleError::Truncated) if !self.ended => return Err(self.broken(BundleError::TooLarge)),
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    fn broken(&self, error: BundleError) -> Broken {
        if self.at == 0 { Broken::Alone(error) } else { Broken::At(self.at, error) }
    }

    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let read = self.source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < CHUNK_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::written_part;

    /// What has the shape of a bundle, of so many bytes.
    fn shape(len: usize) -> Vec<u8> {
        [vec![0x9f], vec![0; len - 2], vec![0xff]].concat()
    }

    fn read(bytes: &[u8]) -> (Vec<usize>, Option<String>) {
        let mut parts = Parts::of(bytes, None);
        let mut found = Vec::new();
        loop {
            match parts.read_next() {
                Ok(Some(one)) => found.push(one.bytes.len()),
                Ok(None) => return (found, None),
                Err(why) => return (found, Some(why.to_string())),
            }
        }
    }

    #[test]
    fn bundles_of_any_size_come_out_whole_wherever_a_read_ends() {
        let sizes = [2, CHUNK_BYTES - 1, CHUNK_BYTES, 3, CHUNK_BYTES + 1, BUNDLE_BYTES_MAX, 2];
        let all: Vec<u8> = sizes.iter().flat_map(|len| shape(*len)).collect();
        assert_eq!(read(&all), (sizes.to_vec(), None));
    }

    #[test]
    fn what_is_broken_says_where_and_what_came_before_counts() {
        let cut = [shape(7), shape(9)[..8].to_vec()].concat();
        assert_eq!(read(&cut), (vec![7], Some("at byte 7: the bundle ends too early".into())));
        assert_eq!(read(b""), (vec![], Some("it is empty".into())));
        assert!(read(b"GIF89a").1.unwrap().starts_with("this is not a bundle"));
        let endless = [vec![0x9f], vec![0; 3 * BUNDLE_BYTES_MAX]].concat();
        assert_eq!(read(&endless), (vec![], Some("the bundle is larger than 1 MiB".into())));
    }

    #[test]
    fn a_time_counts_for_what_stands_behind_it() {
        let time = |seconds: u64| DtnTime::from_unix_ms(seconds * 1_000);
        let [one, other] = [1_796_000_000, 1_797_000_000].map(|seconds| written_part(time(seconds)));
        let all = [shape(3), one, shape(4), shape(5), other, shape(6)].concat();
        let mut parts = Parts::of(&all[..], Some(DtnTime(5)));
        let times: Vec<_> = std::iter::from_fn(|| parts.read_next().unwrap()).map(|found| found.written).collect();
        let wanted = [DtnTime(5), time(1_796_000_000), time(1_796_000_000), time(1_797_000_000)];
        assert_eq!(times, wanted.map(Some));
    }
}
