use std::io::Read;

use super::place::DATA;
use super::*;
use crate::content::{PART_BYTES, PUSH_BYTES, Part, Shape};

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 253) as u8).collect()
}

fn stage(blobs: &Arc<Blobs>, bytes: &[u8]) -> Staged {
    let mut stager = blobs.stage().unwrap();
    io::copy(&mut &bytes[..], &mut stager).unwrap();
    stager.finish().unwrap()
}

fn blobs(dir: &Path) -> Arc<Blobs> {
    Arc::new(Blobs::open(dir.join("files"), PUSH_BYTES).unwrap())
}

fn enclosed(staged: &Staged) -> Enclosed {
    let Staged { bytes, root, key } = *staged;
    Enclosed { name: "x".into(), bytes, root, key, shape: Shape::File, part_log: PART_LOG }
}

fn node(n: u8) -> NodeId {
    NodeId::from_trusted([n; 32])
}

#[test]
fn a_file_goes_part_by_part_in_any_order_and_is_read_back_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    for (n, len) in [1, 70_000, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 5 * PART_BYTES + 9].into_iter().enumerate()
    {
        let place = home.path().join(n.to_string());
        let (from, to) = (blobs(&place.join("a")), blobs(&place.join("b")));
        fs::create_dir_all(place.join("a")).unwrap();
        fs::create_dir_all(place.join("b")).unwrap();
        let plain = bytes(len);
        let staged = stage(&from, &plain);
        let lies = fs::read(from.dir().join(hex(&staged.root)).join(DATA)).unwrap();
        assert!(lies != plain && *blake3::hash(&lies).as_bytes() == staged.root, "encrypted, and named by its hash");
        to.want(&enclosed(&staged));
        for index in (0..parts_of(staged.bytes)).rev() {
            let part = from.part(&staged.root, index).unwrap();
            assert_eq!([to.take(&part, None), to.take(&part, None)], [Taken::Kept; 2]);
            to.sync().unwrap();
        }
        let mut read = Vec::new();
        blobs(&place.join("b")).read(&staged.root, &staged.key).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == plain, "{len} bytes, after a restart");
    }
}

#[test]
fn the_same_file_is_taken_in_once_also_after_a_restart_and_what_nothing_names_is_swept() {
    let home = tempfile::tempdir().unwrap();
    let first = stage(&blobs(home.path()), &bytes(300_000));
    let again = blobs(home.path());
    assert_eq!(stage(&again, &bytes(300_000)), first);
    assert_ne!(stage(&again, &bytes(300_001)).root, first.root);
    drop(again.stage().unwrap());
    assert_eq!(again.usage().0, 2);
    let swept = blobs(home.path());
    swept.sweep(&[first.root].into()).unwrap();
    let left: Vec<_> = fs::read_dir(swept.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [&*hex(&first.root)]);
}

#[test]
fn what_nobody_asked_for_is_bounded_and_shared_and_a_stranger_s_is_not_taken() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let file = |n: u32, bytes: u64| {
        let mut root = [0; 32];
        root[..4].copy_from_slice(&n.to_be_bytes());
        Enclosed { root, ..enclosed(&Staged { bytes, root, key: FileKey([0; 32]) }) }
    };
    assert!(!blobs.offer(node(1), &file(0, PUSH_BYTES + 1)), "it is to be asked for");
    let many = |by: u8| (0..1_000).filter(|n| blobs.offer(node(by), &file(u32::from(by) << 16 | n, 1 << 20))).count();
    assert_eq!([many(1), many(2)], [64, 64]);
    assert_eq!((3..20).map(many).sum::<usize>(), 128, "together no more than there is room for");
    assert_eq!(blobs.usage(), (256, 0), "and nothing is written before it comes");
    let part = Part { root: [9; 32], size: 5, ..Part::default() };
    assert_eq!(blobs.take(&part, None), Taken::Unwanted, "a stranger's, and nobody asked for it");
    blobs.want(&file(1 << 16, 1 << 20));
    let lie = Part { root: file(1 << 16, 1).root, size: 1 << 21, ..Part::default() };
    assert_eq!(blobs.take(&lie, Some(node(1))), Taken::Unwanted, "it is another size than its message says");
}

#[test]
fn parts_that_come_before_their_message_are_kept_within_bounds() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let part = |n: u32| {
        let mut root = [0; 32];
        root[..4].copy_from_slice(&n.to_be_bytes());
        Part { root, size: PART_BYTES as u64, bytes: vec![1; 9], ..Part::default() }
    };
    let many = |from: u8| {
        let first = u32::from(from) * 400;
        (first..first + 400).filter(|n| blobs.take(&part(*n), Some(node(from))) == Taken::Kept).count() as u64
    };
    let all = EARLY_BYTES_MAX / PART_BYTES as u64;
    assert_eq!((1..9).map(many).collect::<Vec<_>>(), [[all / 4; 4], [0; 4]].concat(), "no contact fills it alone");
    assert_eq!(blobs.take(&part(9_999), Some(node(9))), Taken::NoRoom, "its message may still come");
}

#[test]
fn files_of_a_byte_cost_what_their_places_do_and_one_that_never_ends_is_not_kept_open() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let root = |n: u32| {
        let mut root = [0; 32];
        root[..4].copy_from_slice(&n.to_be_bytes());
        root
    };
    let part = |n: u32, size: u64| Part { root: root(n), size, bytes: vec![1], ..Part::default() };
    let early = (0..2_000).filter(|n| blobs.take(&part(*n, 1), Some(node(1))) == Taken::Kept).count() as u64;
    assert!(early <= EARLY_BYTES_MAX / PART_OF_CONTACT / FILE_COST_BYTES, "{early}");
    let offered = (10_000..15_000u32).filter(|n| {
        let staged = Staged { bytes: 1, root: root(*n), key: FileKey([0; 32]) };
        blobs.offer(node(2), &enclosed(&staged))
    });
    let (offered, all) = (offered.count() as u64, UNASKED_BYTES_MAX / PART_OF_CONTACT / FILE_COST_BYTES);
    assert_eq!(offered, all, "no contact has more of them than what the room is for");
    // Of each the first part of two, and nothing ever after.
    let begun = (20_000..20_020).map(|n| part(n, PART_BYTES as u64 + 1));
    assert!(begun.into_iter().all(|part| blobs.take(&part, Some(node(3))) == Taken::Kept));
    let held = || blobs.state().blobs.values().filter(|blob| blob.data.is_some()).count();
    assert!(held() >= 20);
    blobs.sync().unwrap();
    assert_eq!(held(), 0);
}

#[test]
fn the_last_part_of_a_file_counts_more_than_a_message_that_lies_about_its_size() {
    const SIZE: u64 = 2 * PART_BYTES as u64 + 9;
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let named = |bytes| enclosed(&Staged { bytes, root: [9; 32], key: FileKey([0; 32]) });
    let part = |index| Part { root: [9; 32], size: SIZE, index, bytes: vec![1; 9], ..Part::default() };
    for lie in [5, SIZE - 1, SIZE + 1, PUSH_BYTES] {
        assert!(blobs.offer(node(1), &named(lie)) && blobs.offer(node(2), &named(SIZE)));
        assert_eq!(blobs.take(&part(0), Some(node(2))), Taken::Unwanted, "it proves nothing");
        assert_eq!(blobs.take(&part(2), Some(node(2))), Taken::Kept);
        assert!(blobs.offer(node(1), &named(lie)), "and what it says again changes nothing");
        let lying = Part { size: lie, index: parts_of(lie) - 2.min(parts_of(lie)), ..part(0) };
        assert_eq!(blobs.take(&lying, Some(node(1))), Taken::Unwanted);
        (0..2).for_each(|index| assert_eq!(blobs.take(&part(index), Some(node(2))), Taken::Kept));
        blobs.sync().unwrap();
        assert!(blobs.have(&[9; 32]).is_some_and(|(size, have)| size == SIZE && have.is_all()));
        blobs.refuse(&[9; 32]).unwrap();
        blobs.want(&named(SIZE));
        blobs.state().blobs.clear();
    }
    // A small lie is no way past what may come unasked.
    assert!(blobs.offer(node(1), &named(5)));
    let large = Part { size: PUSH_BYTES + 1, index: parts_of(PUSH_BYTES + 1) - 1, ..part(0) };
    assert_eq!(blobs.take(&large, Some(node(1))), Taken::Unwanted);
    // What a person asks for comes, whatever was pushed.
    blobs.want(&named(PUSH_BYTES + 1));
    assert_eq!(blobs.take(&large, Some(node(2))), Taken::Kept);
}

#[test]
fn what_is_said_to_be_small_and_is_not_counts_by_its_true_size_also_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let mut blobs = blobs(home.path());
    let lie = |n: u8| enclosed(&Staged { bytes: 1, root: [n; 32], key: FileKey([0; 32]) });
    let last = |n: u8| Part {
        root: [n; 32],
        size: PUSH_BYTES,
        index: parts_of(PUSH_BYTES) - 1,
        bytes: vec![1; 9],
        ..Part::default()
    };
    let many = (UNASKED_BYTES_MAX / PART_OF_CONTACT / PUSH_BYTES) as usize;
    for round in 0..2 {
        // All are said to be small before the first proves to be large.
        let offered: Vec<u8> = (1..100).filter(|n| blobs.offer(node(1), &lie(*n))).collect();
        let kept = offered.iter().filter(|n| blobs.take(&last(**n), Some(node(1))) == Taken::Kept).count();
        assert_eq!(kept, many, "round {round}");
        assert!(!blobs.offer(node(1), &Enclosed { bytes: PUSH_BYTES, ..lie(200) }));
        blobs.sync().unwrap();
        blobs = self::blobs(home.path());
    }
}

#[test]
fn who_asks_by_a_message_that_says_too_little_may_ask_by_another() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    const SIZE: u64 = 3 * PUSH_BYTES;
    let named = |bytes| enclosed(&Staged { bytes, root: [9; 32], key: FileKey([0; 32]) });
    let part = |index| Part { root: [9; 32], size: SIZE, index, bytes: vec![1; 9], ..Part::default() };
    blobs.want(&named(2 * PUSH_BYTES));
    assert_eq!(blobs.take(&part(0), Some(node(1))), Taken::Unwanted, "more than was asked for");
    blobs.want(&named(SIZE));
    assert_eq!(blobs.take(&part(0), Some(node(1))), Taken::Kept);
    blobs.want(&named(SIZE + 1));
    assert_eq!(blobs.take(&part(1), Some(node(1))), Taken::Kept, "what is here stays");
}

#[test]
fn of_what_is_offered_and_not_asked_for_no_part_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let file = enclosed(&Staged { bytes: PUSH_BYTES + 1, root: [9; 32], key: FileKey([0; 32]) });
    let part = |index| Part { root: [9; 32], size: PUSH_BYTES + 1, index, bytes: vec![1; 9], ..Part::default() };
    assert_eq!(blobs.take(&part(0), Some(node(1))), Taken::Kept, "its message did not come yet");
    assert!(!blobs.offer(node(1), &file));
    assert_eq!(blobs.take(&part(1), Some(node(1))), Taken::Unwanted);
    blobs.want(&file);
    assert_eq!(blobs.take(&part(1), Some(node(1))), Taken::Kept);
    blobs.refuse(&[9; 32]).unwrap();
    assert_eq!(blobs.take(&part(2), Some(node(1))), Taken::Unwanted);
}

#[test]
fn what_cannot_be_written_fails_the_commit_that_would_promise_it() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("files"), "in the way").unwrap();
    let blobs = Arc::new(Blobs {
        dir: home.path().join("files"),
        push_bytes: PUSH_BYTES,
        news: Notify::new(),
        more: Notify::new(),
        state: Mutex::default(),
    });
    let part = Part { root: [9; 32], size: 5, bytes: vec![1; 5], ..Part::default() };
    assert_eq!(blobs.take(&part, Some(node(1))), Taken::Kept);
    assert!(blobs.sync().is_err());
    assert!(blobs.have(&[9; 32]).unwrap().1.is_empty());
    blobs.sync().unwrap();
}

#[test]
fn what_the_disk_changed_is_noticed_and_counts_as_missing() {
    let home = tempfile::tempdir().unwrap();
    let blobs = blobs(home.path());
    let staged = stage(&blobs, &bytes(3 * PART_BYTES));
    assert!(blobs.is_sound(&staged.root).unwrap() && blobs.strays().unwrap() == 0);
    let data = blobs.dir().join(hex(&staged.root)).join(DATA);
    let mut lies = fs::read(&data).unwrap();
    lies[2 * PART_BYTES + 5] ^= 1;
    fs::write(&data, &lies).unwrap();
    assert!(!blobs.is_sound(&staged.root).unwrap());
    let mut read = blobs.read(&staged.root, &staged.key).unwrap();
    assert_eq!(io::copy(&mut read, &mut io::sink()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    lies.truncate(9);
    fs::write(&data, &lies).unwrap();
    assert!(!blobs.is_sound(&staged.root).unwrap());
    blobs.doubt(&staged.root).unwrap();
    assert!(blobs.is_sound(&staged.root).unwrap() && blobs.bytes_of(&staged.root) == 0);
    fs::write(blobs.dir().join("lost"), "nothing").unwrap();
    assert_eq!(blobs.strays().unwrap(), 1);
    assert_eq!(stage(&blobs, &bytes(3 * PART_BYTES)).bytes, staged.bytes, "it is taken in anew");
}
