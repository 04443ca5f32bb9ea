//! Places with small stable numbers, in chunks: growing never copies what is there, nor doubles what is taken.

/// Entries per chunk.
const CHUNK: usize = 1_024;

#[derive(Debug)]
pub struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { chunks: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Slab<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        if let Some(slot) = self.free.pop() {
            *self.place(slot) = Some(value);
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first chunk grows as it must: a simulated node often holds a handful.
            self.chunks.push(if self.chunks.is_empty() { Vec::new() } else { Vec::with_capacity(CHUNK) });
        }
        let chunk = self.chunks.len() - 1;
        self.chunks[chunk].push(Some(value));
        (chunk * CHUNK + self.chunks[chunk].len() - 1) as u32
    }

    /// Takes the value out; the slot must be taken.
    pub fn remove(&mut self, slot: u32) -> T {
        self.len -= 1;
        self.free.push(slot);
        self.place(slot).take().expect("a slot is removed once")
    }

    /// Every slot that is taken, rising, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.chunks.iter().flatten()).filter_map(|(slot, place)| Some((slot, place.as_ref()?)))
    }

    pub fn entry(&self, slot: u32) -> &T {
        let place = &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK];
        place.as_ref().expect("a slot that is pointed at is taken")
    }

    pub fn entry_mut(&mut self, slot: u32) -> &mut T {
        self.place(slot).as_mut().expect("a slot that is pointed at is taken")
    }

    fn place(&mut self, slot: u32) -> &mut Option<T> {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}
