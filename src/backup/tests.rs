use std::os::unix::fs::PermissionsExt;

use super::chunks::{CHUNK_BYTES, TAG_BYTES};
use super::*;

/// Stretching that costs nothing, for tests of everything else.
const CHEAP: Costs = Costs { memory_kib: 64, passes: 1, lanes: 1 };
const HEAD_BYTES: usize = 72;
const WORDS: &str = "correct horse";

#[test]
fn a_backup_gives_back_its_records_in_their_order() {
    let dir = Dir::new();
    // Lengths around the borders of chunks, with empty records between.
    let lens = [0, 1, CHUNK_BYTES - 100, CHUNK_BYTES, 2 * CHUNK_BYTES + 1, 0, 300_000];
    let records: Vec<(String, Vec<u8>)> =
        lens.iter().enumerate().map(|(i, len)| (format!("r{i}"), noise(*len))).collect();
    dir.write(&records);
    assert_eq!(dir.read().unwrap(), records);
    assert_eq!(dir.file().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(std::fs::read_dir(dir.0.path()).unwrap().count(), 1, "the temporary file is gone");
}

#[test]
fn a_backup_that_ends_exactly_with_a_chunk_is_whole() {
    for len in [CHUNK_BYTES - 10 - 1, CHUNK_BYTES - 10, CHUNK_BYTES - 10 + 1, 2 * CHUNK_BYTES - 10] {
        let dir = Dir::new();
        let records = vec![("r".to_owned(), noise(len))];
        dir.write(&records);
        assert_eq!(dir.read().unwrap(), records);
    }
    let dir = Dir::new();
    dir.write(&[]);
    assert_eq!(dir.read().unwrap(), []);
}

#[test]
fn records_can_be_read_in_part_or_skipped() {
    let dir = Dir::new();
    dir.write(&[("a".into(), noise(200_000)), ("b".into(), noise(5)), ("c".into(), noise(70_000))]);
    let mut reader = BackupReader::open(&dir.file(), WORDS).unwrap();
    let mut first = reader.next_record().unwrap().unwrap();
    let mut start = [0; 10];
    first.read_exact(&mut start).unwrap();
    assert_eq!(start, noise(10)[..]);
    assert_eq!(reader.next_record().unwrap().unwrap().name, "b");
    let mut last = reader.next_record().unwrap().unwrap();
    let mut bytes = Vec::new();
    last.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, noise(70_000));
    assert!(reader.next_record().unwrap().is_none());
}

#[test]
fn a_long_record_is_refused_before_it_is_read_into_memory() {
    let dir = Dir::new();
    dir.write(&[("a".into(), noise(1_000))]);
    let mut reader = BackupReader::open(&dir.file(), WORDS).unwrap();
    let error = reader.next_record().unwrap().unwrap().bytes(999).unwrap_err();
    assert!(matches!(error, BackupError::TooLong { len: 1_000, len_max: 999, .. }), "{error}");
}

#[test]
fn a_backup_is_never_written_over_and_appears_only_when_finished() {
    let dir = Dir::new();
    let mut unfinished = BackupWriter::create_with(&dir.file(), WORDS, CHEAP).unwrap();
    unfinished.record("a", b"bytes").unwrap();
    assert!(!dir.file().exists());
    let raced = BackupWriter::create_with(&dir.file(), WORDS, CHEAP).unwrap();
    unfinished.finish().unwrap();
    assert!(matches!(raced.finish(), Err(BackupError::Exists { .. })));
    assert!(matches!(BackupWriter::create_with(&dir.file(), WORDS, CHEAP), Err(BackupError::Exists { .. })));
    assert_eq!(dir.read().unwrap(), [("a".to_owned(), b"bytes".to_vec())]);
    assert_eq!(std::fs::read_dir(dir.0.path()).unwrap().count(), 1);
}

#[test]
fn a_record_that_ends_before_its_length_ends_the_backup() {
    let dir = Dir::new();
    let mut writer = BackupWriter::create_with(&dir.file(), WORDS, CHEAP).unwrap();
    assert!(matches!(writer.stream("a", 10, &mut &b"short"[..]), Err(BackupError::Io(_))));
}

#[test]
fn a_wrong_passphrase_is_told_from_damage() {
    let dir = Dir::new();
    dir.write(&[("a".into(), noise(10))]);
    for wrong in ["correct horsf", "Correct horse", "correct horse ", "x"] {
        assert!(matches!(BackupReader::open(&dir.file(), wrong), Err(BackupError::WrongPassphrase)));
    }
    assert!(matches!(BackupReader::open(&dir.file(), ""), Err(BackupError::NoPassphrase)));
    assert!(matches!(
        BackupWriter::create_with(&dir.0.path().join("other"), "", CHEAP),
        Err(BackupError::NoPassphrase)
    ));
}

#[test]
fn every_changed_byte_is_noticed() {
    let dir = Dir::new();
    dir.write(&[("a".into(), noise(100)), ("b".into(), noise(30))]);
    let good = std::fs::read(dir.file()).unwrap();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let error = dir.read_bytes(&changed).unwrap_err();
        let named = match at {
            0..11 => matches!(error, BackupError::NotABackup { .. }),
            11 => matches!(error, BackupError::Newer(0)),
            12..HEAD_BYTES => matches!(error, BackupError::WrongPassphrase | BackupError::Costs),
            _ => matches!(error, BackupError::Damaged { chunk: 0 }),
        };
        assert!(named, "byte {at}: {error}");
    }
}

#[test]
fn every_cut_is_noticed() {
    let dir = Dir::new();
    let sealed = CHUNK_BYTES + TAG_BYTES;
    dir.write(&[("a".into(), noise(2 * CHUNK_BYTES + 500))]);
    let good = std::fs::read(dir.file()).unwrap();
    let cuts = (0..HEAD_BYTES + 40).chain([good.len() - 1, HEAD_BYTES + sealed - 1, HEAD_BYTES + sealed + 1]);
    for len in cuts {
        assert!(dir.read_bytes(&good[..len]).is_err(), "cut to {len}");
    }
    for chunks in [0, 1, 2] {
        let error = dir.read_bytes(&good[..HEAD_BYTES + chunks * sealed]).unwrap_err();
        assert!(matches!(error, BackupError::Truncated), "cut to {chunks} chunks: {error}");
    }
}

#[test]
fn moved_repeated_and_added_chunks_are_noticed() {
    let dir = Dir::new();
    let sealed = CHUNK_BYTES + TAG_BYTES;
    dir.write(&[("a".into(), noise(3 * CHUNK_BYTES))]);
    let good = std::fs::read(dir.file()).unwrap();
    let (head, body) = good.split_at(HEAD_BYTES);
    let chunk = |n: usize| &body[n * sealed..body.len().min((n + 1) * sealed)];
    assert_eq!(dir.read_bytes(&[head, chunk(0), chunk(1), chunk(2), chunk(3)].concat()).unwrap().len(), 1);
    let swapped = [head, chunk(1), chunk(0), chunk(2), chunk(3)].concat();
    let repeated = [head, chunk(0), chunk(0), chunk(1), chunk(2), chunk(3)].concat();
    let left_out = [head, chunk(0), chunk(2), chunk(3)].concat();
    let ended_early = [head, chunk(0), chunk(3)].concat();
    let ended_twice = [head, chunk(0), chunk(1), chunk(2), chunk(3), chunk(3)].concat();
    let longer = [&good[..], b"x"].concat();
    for changed in [swapped, repeated, left_out, ended_early, ended_twice, longer] {
        let error = dir.read_bytes(&changed).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    }
    // A chunk of another backup with the same passphrase and the same content.
    let other = Dir::new();
    other.write(&[("a".into(), noise(3 * CHUNK_BYTES))]);
    let foreign = std::fs::read(other.file()).unwrap();
    let mixed = [&good[..HEAD_BYTES + sealed], &foreign[HEAD_BYTES + sealed..]].concat();
    assert!(matches!(dir.read_bytes(&mixed).unwrap_err(), BackupError::Damaged { chunk: 1 }));
}

#[test]
fn a_header_that_asks_for_too_much_costs_nothing() {
    let dir = Dir::new();
    dir.write(&[]);
    let good = std::fs::read(dir.file()).unwrap();
    for at in [12, 16, 20] {
        let mut greedy = good.clone();
        greedy[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(dir.read_bytes(&greedy).unwrap_err(), BackupError::Costs));
    }
}

#[test]
fn other_files_and_later_formats_are_named() {
    let dir = Dir::new();
    assert!(matches!(dir.read_bytes(b"").unwrap_err(), BackupError::NotABackup { .. }));
    assert!(matches!(dir.read_bytes(b"PK\x03\x04 a zip file, perhaps").unwrap_err(), BackupError::NotABackup { .. }));
    assert!(matches!(dir.read_bytes(b"dak-backup\n\x02").unwrap_err(), BackupError::Newer(2)));
    assert!(matches!(BackupReader::open(&dir.0.path().join("none"), WORDS), Err(BackupError::Io(_))));
}

#[test]
fn the_recommended_costs_are_what_a_person_gets() {
    let dir = Dir::new();
    let mut writer = BackupWriter::create(&dir.file(), WORDS).unwrap();
    writer.record(IDENTITY, b"secret").unwrap();
    writer.finish().unwrap();
    let bytes = std::fs::read(dir.file()).unwrap();
    assert_eq!(bytes[12..24], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4], "64 MiB, three passes, four lanes");
    assert_eq!(dir.read().unwrap(), [(IDENTITY.to_owned(), b"secret".to_vec())]);
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("a.dak")
    }

    fn write(&self, records: &[(String, Vec<u8>)]) {
        let mut writer = BackupWriter::create_with(&self.file(), WORDS, CHEAP).unwrap();
        for (name, bytes) in records {
            writer.record(name, bytes).unwrap();
        }
        writer.finish().unwrap();
    }

    fn read(&self) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
        read(&self.file())
    }

    fn read_bytes(&self, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
        let changed = self.0.path().join("changed");
        std::fs::write(&changed, bytes).unwrap();
        read(&changed)
    }
}

fn read(path: &Path) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let mut reader = BackupReader::open(path, WORDS)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push((record.name.clone(), record.bytes(1 << 20)?));
    }
    Ok(records)
}

/// Bytes that look random and are always the same.
fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}
