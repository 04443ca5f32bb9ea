//! What is usual with a contact: how messages to it go where nothing else is said.
//!
//! ```text
//! [priority, lifetime, copies, read receipts, time after reading]
//! ```
//! A CBOR array. What is not said is zero; a priority counts from 1, the lowest first; read receipts are 1 for no and 2 for
//! yes. The last is left out where it is not said, as versions before it wrote it.

use crate::bundle::Priority;
use crate::cbor::{CborError, Reader, Writer};
use crate::time::Millis;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    pub priority: Option<Priority>,
    pub lifetime: Option<Millis>,
    pub copies: Option<u16>,
    /// Whether it is told that its messages were read.
    pub read_receipts: Option<bool>,
    /// How long after it was read a message disappears.
    pub after_read: Option<Millis>,
}

impl Habits {
    /// None where nothing is usual.
    pub fn write(&self) -> Option<Vec<u8>> {
        if *self == Habits::default() {
            return None;
        }
        let mut out = Vec::with_capacity(16);
        out.array(if self.after_read.is_some() { 5 } else { 4 });
        out.uint(self.priority.map_or(0, |priority| priority.number() + 1));
        out.uint(self.lifetime.unwrap_or_default().0);
        out.uint(self.copies.unwrap_or_default());
        out.uint(self.read_receipts.map_or(0u64, |told| if told { 2 } else { 1 }));
        self.after_read.iter().for_each(|span| out.uint(span.0));
        Some(out)
    }

    /// Reads what [`Habits::write`] wrote; of anything else nothing is usual.
    pub fn read(value: &[u8]) -> Habits {
        let mut reader = Reader::new(value);
        let habits = Habits::read_from(&mut reader);
        reader.finish().and(habits).unwrap_or_default()
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Habits, CborError> {
        let many = reader.array()?;
        let priority = reader.uint()?.checked_sub(1).and_then(Priority::of_number);
        let lifetime = Some(Millis(reader.uint()?)).filter(|lifetime| lifetime.0 != 0);
        let copies = Some(reader.uint_as()?).filter(|copies| *copies != 0u16);
        let read_receipts = match reader.uint()? {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        };
        let after_read = match many {
            4 => None,
            5 => Some(Millis(reader.uint()?)).filter(|span| span.0 != 0),
            _ => return Err(CborError::Range),
        };
        Ok(Habits { priority, lifetime, copies, read_receipts, after_read })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn habits_read_back_and_of_anything_else_nothing_is_usual(
            priority in prop::option::of(0..3usize),
            lifetime in prop::option::of(1..u64::MAX),
            copies in prop::option::of(1..u16::MAX),
            read_receipts: Option<bool>,
            after_read in prop::option::of(1..u64::MAX),
            cut in any::<prop::sample::Index>(),
        ) {
            let priority = priority.map(|at| Priority::ALL[at]);
            let habits = Habits { priority, lifetime: lifetime.map(Millis), copies, read_receipts, after_read: after_read.map(Millis) };
            let Some(value) = habits.write() else { return Ok(()) };
            prop_assert_eq!(Habits::read(&value), habits);
            prop_assert_eq!(Habits::read(&value[..cut.index(value.len())]), Habits::default());
        }
    }
}
