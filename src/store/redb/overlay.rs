//! A store on a disk that can only be read: what redb writes to open it, and what an agent does while it is looked at,
//! stays in memory and is gone afterwards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

const PAGE_BYTES: usize = 4_096;
/// Most bytes that are kept in memory; opening a killed store of a gigabyte writes less than a tenth of it.
const WRITTEN_BYTES_MAX: usize = 64 << 20;

/// A file under pages in memory.
#[derive(Debug)]
pub struct Overlay {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    len: u64,
    /// So much of the file still counts; behind it everything that is not in a page is zero.
    file_bytes: u64,
    written: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
}

impl Overlay {
    pub fn over(file: File) -> io::Result<Overlay> {
        let len = file.metadata()?.len();
        Ok(Overlay { file, state: Mutex::new(State { len, file_bytes: len, written: BTreeMap::new() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page as it was before anything was written to it.
    fn page_of_file(&self, state: &State, page: u64) -> io::Result<Box<[u8; PAGE_BYTES]>> {
        let mut bytes = Box::new([0; PAGE_BYTES]);
        let at = page * PAGE_BYTES as u64;
        let len = state.file_bytes.saturating_sub(at).min(PAGE_BYTES as u64);
        self.file.read_exact_at(&mut bytes[..len as usize], at)?;
        Ok(bytes)
    }
}

/// The pages of a stretch: the number of each, where in it the stretch begins, and how much of the stretch it has.
fn pages(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PAGE_BYTES as u64) as usize;
        let some = (PAGE_BYTES - within).min(len - done);
        let range = done..done + some;
        done += some;
        (some > 0).then_some((at / PAGE_BYTES as u64, within, range))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > state.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (page, within, range) in pages(offset, out.len()) {
            let out = &mut out[range];
            match state.written.get(&page) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + out.len()]),
                None => out.copy_from_slice(&self.page_of_file(&state, page)?[within..within + out.len()]),
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len < state.len {
            let kept = len.div_ceil(PAGE_BYTES as u64);
            state.written.split_off(&kept);
            state.file_bytes = state.file_bytes.min(len);
            let within = (len % PAGE_BYTES as u64) as usize;
            if let Some(bytes) = state.written.get_mut(&(len / PAGE_BYTES as u64)) {
                bytes[within..].fill(0);
            }
        }
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.written.len() * PAGE_BYTES + data.len() > WRITTEN_BYTES_MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        for (page, within, range) in pages(offset, data.len()) {
            let mut bytes = match state.written.remove(&page) {
                Some(bytes) => bytes,
                None => self.page_of_file(&state, page)?,
            };
            bytes[within..within + range.len()].copy_from_slice(&data[range]);
            state.written.insert(page, bytes);
        }
        state.len = state.len.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_over_a_file_is_read_back_and_the_file_stays_as_it_was() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let before: Vec<u8> = (0..10_000u32).map(|at| at as u8).collect();
        file.write_all(&before).unwrap();
        let overlay = Overlay::over(File::open(file.path()).unwrap()).unwrap();
        let mut model = before.clone();
        let writes: [(u64, usize); 5] = [(10, 5), (4_090, 20), (9_990, 300), (4_096, 4_096), (12_000, 1)];
        for (at, len) in writes {
            model.resize(model.len().max(at as usize + len), 0);
            model[at as usize..at as usize + len].fill(0xaa);
            overlay.write(at, &vec![0xaa; len]).unwrap();
        }
        for len in [9_000, 11_000, 3, 5_000] {
            overlay.set_len(len).unwrap();
            model.resize(len as usize, 0);
            let mut read = vec![0; len as usize];
            overlay.read(0, &mut read).unwrap();
            assert_eq!(read, model, "{len}");
            assert!(overlay.read(1, &mut read).is_err());
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), before);
    }
}
