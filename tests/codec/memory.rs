//! No input makes a decoder allocate more than four times its length and 64 kB.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dak::bundle::{BUNDLE_BYTES_MAX, Bundle, Ends, Handed, inspect, unfold};
use dak::content::{Content, Text};
use dak::frame::{Cell as DakCell, FRAME_BYTES_MAX, FRAME_CELLS_MAX, FRAME_IDS_MAX, Frame, Incoming};
use dak::id::{BundleId, NodeId};
use dak::receipt::{RECEIPT_IDS_MAX, Receipt};

use crate::common::{alice, message, receipt};
use crate::hand::{Hand, bytes, head, uint};

/// Counts what each thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends gives memory back after its counters are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may both exist for a moment.
        count(size as isize);
        count(-(layout.size() as isize));
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `decode` held at once beyond what was held before.
fn peak_of<T>(decode: impl FnOnce() -> T) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let result = decode();
    let peak = PEAK.get() - before;
    drop(result);
    peak as usize
}

fn assert_bounded<T>(what: &str, input: &[u8], decode: impl FnOnce(&[u8]) -> T) {
    let peak = peak_of(|| decode(input));
    let bound = 4 * input.len() + 64 * 1_024;
    assert!(peak <= bound, "{what}: {peak} bytes for an input of {}", input.len());
}

fn assert_all_bounded(what: &str, input: &[u8]) {
    assert_bounded(&format!("bundle, {what}"), input, |input| Bundle::decode(input).is_ok());
    assert_bounded(&format!("stored bundle, {what}"), input, |input| Bundle::from_store(input).is_ok());
    assert_bounded(&format!("inspection, {what}"), input, inspect);
    assert_bounded(&format!("frame, {what}"), input, |input| Incoming::decode(input).is_ok());
    let ends = Ends { from: NodeId::from_trusted([1; 32]), to: NodeId::from_trusted([2; 32]) };
    assert_bounded(&format!("fold, {what}"), input, |input| unfold(input, &ends, Handed::nothing()).is_ok());
    assert_bounded(&format!("receipt, {what}"), input, Receipt::decode);
    assert_bounded(&format!("message, {what}"), input, Content::decode);
}

#[test]
fn the_counter_counts() {
    assert!(peak_of(|| vec![0u8; 1_000_000]) >= 1_000_000);
    assert!(peak_of(|| ()) < 1_000);
}

#[test]
fn huge_lengths_allocate_nothing() {
    for major in [0x40, 0x60, 0x80, 0xa0] {
        for len in [1 << 20, 1 << 32, u64::MAX / 2, u64::MAX] {
            let huge = head(major, len);
            assert_all_bounded("a bare length", &huge);
            assert_all_bounded(
                "a length after a bundle's start",
                &[&[0x9f, 0x89, 7, 0x18, 0x24, 2], &huge[..]].concat(),
            );
            for kind in 0..12 {
                assert_all_bounded("a length in a frame", &[&[0x82, kind][..], &huge].concat());
                assert_all_bounded("a length in a list", &[&[0x83, kind, 0][..], &huge].concat());
            }
            assert_all_bounded("a length in a receipt", &[&[0x82, 0x1a, 0, 1, 0, 0][..], &huge].concat());
            for key in 1..10 {
                assert_all_bounded("a length in a message", &[&[0xa1, key][..], &huge].concat());
            }
        }
    }
}

#[test]
fn a_mebibyte_of_tiny_items_stays_small() {
    for filler in [0x00, 0x40, 0x60, 0x80, 0x81, 0xa0, 0xc1, 0xf6] {
        let noise = vec![filler; BUNDLE_BYTES_MAX - 16];
        assert_all_bounded("filler", &noise);
        let items = (noise.len() - 8) as u64;
        for start in [vec![0x9f], vec![0x85, 3, 0x40, 0, 0], vec![0x82, 0], [vec![0xa1, 6], head(0x80, items)].concat()]
        {
            assert_all_bounded("filler after a start", &[&start[..], &noise].concat());
        }
    }
    let pairs: Vec<u8> = (9..100_000u64).flat_map(|key| [uint(key), vec![0]].concat()).collect();
    assert_all_bounded("a map of many fields", &[head(0xa0, 99_991), pairs].concat());
    let blocks = [0x85, 200, 6, 0, 0, 0x40].repeat(100_000);
    let start = Hand::message().primary();
    assert_all_bounded("many blocks", &[&[0x9f], &start[..], &blocks, &[0xff]].concat());
}

#[test]
fn the_largest_good_inputs_stay_within_the_bound() {
    let bundle = message().sign(&vec![7; BUNDLE_BYTES_MAX - 1_000], &alice()).unwrap();
    assert_bounded("bundle", bundle.bytes(), |input| Bundle::decode(input).unwrap());
    assert_bounded("inspection", bundle.bytes(), inspect);

    let cells = [vec![0x85, 3, 0x40, 0, 0], bytes(&vec![1; DakCell::BYTES * FRAME_CELLS_MAX])].concat();
    assert!(cells.len() <= FRAME_BYTES_MAX);
    assert_bounded("cells", &cells, |input| Frame::decode(input).unwrap());
    let short_ids = [vec![0x84, 2, 0x40, 0], bytes(&vec![1; 8 * FRAME_IDS_MAX])].concat();
    assert_bounded("short ids", &short_ids, |input| Frame::decode(input).unwrap());
    let grants = [vec![0x82, 7], bytes(&[1; 9 * 10_000])].concat();
    assert_bounded("grants", &grants, |input| Frame::decode(input).unwrap());

    let full = Receipt { ids: vec![BundleId([1; 32]); RECEIPT_IDS_MAX], ..receipt() }.encode();
    assert_bounded("receipt", &full, |input| Receipt::decode(input).unwrap());
    let text = Content::from(Text { body: "x".repeat(500_000), ..Text::default() }).encode();
    assert_bounded("message", &text, |input| Content::decode(input).unwrap());
}
