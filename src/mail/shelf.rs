//! A sorted map of bytes, which is all that an index of the record needs of whatever keeps it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

/// What can be read of it.
pub trait Shelf {
    type Error;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Hands over the entries with keys from `from` on, below `to`, in the order of the keys, until `take` breaks off.
    fn walk(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), Self::Error>;

    /// The same from the end.
    fn walk_back(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), Self::Error>;
}

/// Gets a key and its value.
pub type Take<'t> = &'t mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// And what can be done to it.
pub trait ShelfMut: Shelf {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Self::Error>;

    fn remove(&mut self, key: &[u8]) -> Result<(), Self::Error>;
}

impl Shelf for BTreeMap<Vec<u8>, Vec<u8>> {
    type Error = Infallible;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.get(key).cloned())
    }

    fn walk(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), Infallible> {
        let mut entries = self.range(from.to_vec()..to.to_vec());
        let _ = entries.try_for_each(|(key, value)| take(key, value));
        Ok(())
    }

    fn walk_back(&self, from: &[u8], to: &[u8], take: Take<'_>) -> Result<(), Infallible> {
        let mut entries = self.range(from.to_vec()..to.to_vec()).rev();
        let _ = entries.try_for_each(|(key, value)| take(key, value));
        Ok(())
    }
}

impl ShelfMut for BTreeMap<Vec<u8>, Vec<u8>> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Infallible> {
        self.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), Infallible> {
        self.remove(key);
        Ok(())
    }
}
