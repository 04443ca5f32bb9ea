//! The file of figures: a head, and a slot of fixed size for each place of the two rings.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::{LONG_SAMPLES_MAX, Levels, SHORT_SAMPLES_MAX, Sample, Totals};
use crate::time::{DtnTime, Millis, Timestamp};

/// What a slot takes: eleven numbers, a checksum of them, and nothing in the last four bytes.
const SLOT_BYTES: usize = 96;
const NUMBERS: usize = 11;
const SLOTS: usize = SHORT_SAMPLES_MAX + LONG_SAMPLES_MAX;
const FILE_BYTES: u64 = (SLOT_BYTES * (1 + SLOTS)) as u64;
/// The head, with zeros behind it. Another layout begins with other words.
const HEAD: &[u8] = b"dak figures 1\n";
const CHECKSUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

pub struct StatsFile(File);

/// A slot that holds something.
pub struct Slot {
    pub is_long: bool,
    pub sample: Sample,
    /// What the wall clock showed when it was written.
    pub wall: DtnTime,
}

/// Opens the file, or makes it where it may be written; returns what it holds that can be read. One that is none of ours is
/// left as it is.
pub fn open(path: &Path, may_write: bool) -> io::Result<(Option<StatsFile>, Vec<Slot>)> {
    let mut options = OpenOptions::new();
    options.read(true).write(may_write).create(may_write).mode(0o600);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !may_write => return Ok((None, Vec::new())),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    (&mut file).take(FILE_BYTES).read_to_end(&mut bytes)?;
    let head = bytes.get(..SLOT_BYTES).unwrap_or(&bytes);
    // A power cut may have left a file without its head.
    let is_fresh = head.iter().all(|byte| *byte == 0);
    if !is_fresh && !head.starts_with(HEAD) {
        let why = format!("{} is no file of figures that this version knows", path.display());
        return Err(io::Error::new(ErrorKind::InvalidData, why));
    }
    if is_fresh {
        if may_write {
            file.set_len(0)?;
            file.set_len(FILE_BYTES)?;
            file.write_all_at(HEAD, 0)?;
        }
        return Ok((may_write.then_some(StatsFile(file)), Vec::new()));
    }
    let slots = bytes.get(SLOT_BYTES..).unwrap_or_default().chunks_exact(SLOT_BYTES).enumerate();
    let held = slots.filter_map(|(place, bytes)| read(bytes).map(|(sample, wall)| (place, sample, wall)));
    let held = held.map(|(place, sample, wall)| Slot { is_long: place >= SHORT_SAMPLES_MAX, sample, wall });
    let held = held.collect();
    Ok((may_write.then_some(StatsFile(file)), held))
}

impl StatsFile {
    /// Writes what a slot holds now. Nothing waits for the disk: the system writes it when it suits it.
    pub fn write(&mut self, is_long: bool, slot: usize, sample: Sample, wall: DtnTime) -> io::Result<()> {
        let place = if is_long { SHORT_SAMPLES_MAX + slot } else { slot };
        self.0.write_all_at(&bytes(sample, wall), (SLOT_BYTES * (1 + place)) as u64)
    }
}

fn bytes(sample: Sample, wall: DtnTime) -> [u8; SLOT_BYTES] {
    let Sample { end, span, moved, levels } = sample;
    let numbers: [u64; NUMBERS] = [
        // No slot that holds something begins with a zero.
        end.0.max(1),
        span.0,
        wall.0,
        moved.contacts,
        moved.bytes_in,
        moved.bytes_out,
        levels.backlog,
        levels.held,
        levels.held_bytes,
        levels.store_bytes,
        0,
    ];
    let mut bytes = [0; SLOT_BYTES];
    for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    let sum = CHECKSUM.checksum(&bytes[..NUMBERS * 8]);
    bytes[NUMBERS * 8..][..4].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// What a slot holds; nothing where it is empty or damaged.
fn read(bytes: &[u8]) -> Option<(Sample, DtnTime)> {
    let (numbers, rest) = bytes.split_at(NUMBERS * 8);
    if CHECKSUM.checksum(numbers).to_be_bytes() != rest[..4] {
        return None;
    }
    let number = |place: usize| {
        let bytes = &numbers[place * 8..][..8];
        u64::from_be_bytes(bytes.try_into().expect("a number has eight bytes"))
    };
    let sample = Sample {
        end: Timestamp(number(0)),
        span: Millis(number(1)),
        moved: Totals { contacts: number(3), bytes_in: number(4), bytes_out: number(5) },
        levels: Levels { backlog: number(6), held: number(7), held_bytes: number(8), store_bytes: number(9) },
    };
    (sample.end.0 > 0).then_some((sample, DtnTime(number(2))))
}
