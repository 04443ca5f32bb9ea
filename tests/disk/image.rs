//! What a disk holds, in pages that images share until one of them writes.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

const PAGE: usize = 4_096;

/// The files of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Pages,
    Journal,
}

/// What a disk holds of a store.
#[derive(Clone, Debug, Default)]
pub struct Image {
    pages: Content,
    journal: Content,
}

impl Index<Part> for Image {
    type Output = Content;

    fn index(&self, part: Part) -> &Content {
        match part {
            Part::Pages => &self.pages,
            Part::Journal => &self.journal,
        }
    }
}

impl IndexMut<Part> for Image {
    fn index_mut(&mut self, part: Part) -> &mut Content {
        match part {
            Part::Pages => &mut self.pages,
            Part::Journal => &mut self.journal,
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pages: Vec<Arc<[u8; PAGE]>>,
    len: u64,
}

impl Content {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = self.pages.iter().flat_map(|page| page.iter().copied()).collect::<Vec<u8>>();
        bytes.truncate(self.len as usize);
        bytes
    }

    /// Whether there was as much to read.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> bool {
        if offset + out.len() as u64 > self.len {
            return false;
        }
        for (page, within, range) in pieces(offset, out.len()) {
            let len = range.len();
            out[range].copy_from_slice(&self.pages[page][within..within + len]);
        }
        true
    }

    /// Writes, and makes the image as long as that takes.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.set_len(self.len.max(offset + data.len() as u64));
        for (page, within, range) in pieces(offset, data.len()) {
            let piece = &data[range];
            Arc::make_mut(&mut self.pages[page])[within..within + piece.len()].copy_from_slice(piece);
        }
    }

    /// Cuts, or lengthens with zeros.
    pub fn set_len(&mut self, len: u64) {
        let rest = (len % PAGE as u64) as usize;
        if len < self.len && rest != 0 {
            Arc::make_mut(&mut self.pages[len as usize / PAGE])[rest..].fill(0);
        }
        self.pages.resize(len.div_ceil(PAGE as u64) as usize, Arc::new([0; PAGE]));
        self.len = len;
    }

    pub fn flip(&mut self, at: u64, bit: u8) {
        Arc::make_mut(&mut self.pages[at as usize / PAGE])[at as usize % PAGE] ^= 1 << bit;
    }

    /// Where pages begin that have anything in them.
    pub fn used_pages(&self) -> Vec<u64> {
        let used = |(_, page): &(usize, &Arc<[u8; PAGE]>)| page.iter().any(|byte| *byte != 0);
        self.pages.iter().enumerate().filter(used).map(|(at, _)| (at * PAGE) as u64).collect()
    }
}

/// The parts of a range that lie in one page each: the page, where in it, and where in the range.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset as usize + done;
        let piece = (PAGE - at % PAGE).min(len - done);
        done += piece;
        (piece > 0).then_some((at / PAGE, at % PAGE, done - piece..done))
    })
}
