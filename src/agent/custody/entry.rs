//! What is kept in memory of one bundle.

use super::names::Name;
use crate::agent::change::Class;
use crate::bundle::{Kind, Priority};
use crate::frame::Grade;
use crate::time::SixBytes;

/// Numbers in six bytes, and what takes a bit or two in one: there may be a million.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub source: Name,
    pub destination: Name,
    pub from: Name,
    pub size_bytes: u32,
    pub copies: u16,
    pub row: SixBytes,
    pub lifetime: SixBytes,
    pub accepted_at: SixBytes,
    pub age: SixBytes,
    pub expires: SixBytes,
    pub hop_count: u8,
    pub kind: Kind,
    pub traits: Traits,
}

/// Class, grade, priority and whether the bundle is dated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits(u8);

impl Traits {
    pub fn of(class: Class, grade: Grade, priority: Priority, dated: bool) -> Traits {
        Traits(class as u8 | (grade as u8) << 2 | (priority as u8) << 4 | u8::from(dated) << 6)
    }

    pub fn class(self) -> Class {
        CLASSES[usize::from(self.0 & 3)]
    }

    pub fn grade(self) -> Grade {
        GRADES[usize::from(self.0 >> 2 & 3)]
    }

    pub fn priority(self) -> Priority {
        PRIORITIES[usize::from(self.0 >> 4 & 3)]
    }

    pub fn dated(self) -> bool {
        self.0 >> 6 & 1 == 1
    }
}

/// One bucket for each class and grade.
pub(super) const BUCKETS: usize = 12;
/// Lowest first.
pub const CLASSES: [Class; 4] = [Class::Topics, Class::Strangers, Class::Contacts, Class::Own];
/// What leaves first, first.
pub const GRADES: [Grade; 3] = [Grade::Released, Grade::Copy, Grade::Custody];
pub(super) const PRIORITIES: [Priority; 3] = [Priority::Bulk, Priority::Normal, Priority::Urgent];

pub(super) fn bucket(class: Class, grade: Grade) -> usize {
    class as usize * 3 + grade as usize
}
