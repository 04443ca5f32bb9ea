//! What a decoder holds at its peak: at most four times its input and 64 kB.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Decodes, and panics if that held more at once than `4 * input.len()` and 64 kB.
pub fn bounded<'a, T>(what: &str, input: &'a [u8], decode: impl FnOnce(&'a [u8]) -> T) -> T {
    let before = HELD.get();
    PEAK.set(before);
    let result = decode(input);
    let (peak, bound) = (PEAK.get() - before, 4 * input.len() as isize + 64 * 1_024);
    assert!(peak <= bound, "{what}: {peak} bytes held for an input of {}", input.len());
    result
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
