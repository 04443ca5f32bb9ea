//! The layouts of records, to the byte.
//!
//! Numbers are little-endian and of fixed width, texts and lists carry their length before them, enums are the bytes of
//! [`Code`]. Fixed layouts because a restore reads a million of them, and a change of grade is then four bytes at a
//! known place. Reading gives `None` for whatever writing could not have made.

use crate::agent::change::{
    About, Belief, Carrier, Class, Departure, Evidence, EvidenceKind, Held, Letter, Marks, Outgoing, Person, Row,
    Standing, Unlisted,
};
use crate::bundle::{Creation, Hops, Kind, Priority};
use crate::eid::{Eid, Service};
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis, Moment, Timestamp};

/// How long a [`Held`] is without the text of a service that this version does not know, at most.
pub const HELD_BYTES: usize = 4 + 2 * 8 + 2 + 2 + 4 + 2 * 8 + 4 * 32 + 2 + 2 * 8;

/// Where the marks of a letter stand.
pub const LETTER_MARKS: std::ops::Range<usize> = 0..1;

/// The facts of a held bundle: what [`regrade`] and [`prolong`] change first, then the rest.
pub fn write_held(held: &Held) -> Vec<u8> {
    let mut out = Vec::with_capacity(HELD_BYTES);
    out.extend(grades(held.grade, held.copies, held.class));
    out.extend(life(held.hops.age, held.expires));
    out.push(held.kind.code());
    out.push(held.priority.code());
    out.push(held.hops.count);
    out.push(held.dated.into());
    put_u32(&mut out, held.size_bytes);
    put_u64(&mut out, held.lifetime.0);
    put_u64(&mut out, held.accepted_at.0);
    out.extend(held.id.0);
    out.extend(held.source.as_bytes());
    put_eid(&mut out, &held.destination);
    put_option(&mut out, held.from);
    if let Some(About { mark, sequence }) = held.about {
        put_u64(&mut out, mark);
        put_u64(&mut out, sequence);
    }
    out
}

pub fn read_held(row: Row, bytes: &[u8]) -> Option<Held> {
    let mut scan = Scan(bytes);
    let (grade, class) = (scan.code()?, scan.code()?);
    let copies = scan.u16()?;
    let (age, expires) = (Millis(scan.u64()?), Timestamp(scan.u64()?));
    let (kind, priority) = (scan.code()?, scan.code()?);
    let (hops, dated) = (Hops { age, count: scan.u8()? }, scan.flag()?);
    let size_bytes = scan.u32()?;
    let (lifetime, accepted_at) = (Millis(scan.u64()?), Timestamp(scan.u64()?));
    let (id, source, destination, from) = (scan.id()?, scan.node()?, scan.eid()?, scan.option()?);
    // Nothing stands here where there is no key.
    let about = match scan.end() {
        Some(()) => None,
        None => Some(About { mark: scan.u64()?, sequence: scan.u64()? }),
    };
    scan.end()?;
    let class = if destination.is_topic() && class != Class::Own { Class::Topics } else { class };
    Some(Held {
        row,
        id,
        kind,
        source,
        destination,
        lifetime,
        accepted_at,
        hops,
        expires,
        dated,
        size_bytes,
        class,
        priority,
        grade,
        copies,
        from,
        about,
    })
}

/// Changes what may change about a held bundle, in its record.
pub fn regrade(record: &mut [u8], grade: Grade, copies: u16, class: Class) {
    let changed = grades(grade, copies, class);
    record[..changed.len()].copy_from_slice(&changed);
}

/// Corrects the age of a held bundle and the end of its life, in its record.
pub fn prolong(record: &mut [u8], age: Millis, expires: Timestamp) {
    record[LIFE].copy_from_slice(&life(age, expires));
}

/// Where age and end of life stand in the record of a held bundle.
const LIFE: std::ops::Range<usize> = 4..20;

fn life(age: Millis, expires: Timestamp) -> [u8; 16] {
    (u128::from(expires.0) << 64 | u128::from(age.0)).to_le_bytes()
}

fn grades(grade: Grade, copies: u16, class: Class) -> [u8; 4] {
    let [low, high] = copies.to_le_bytes();
    [grade.code(), class.code(), low, high]
}

/// A row of the inbox: the marks first, then the rest.
pub fn write_letter(letter: &Letter) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend(marks(letter.marks()));
    out.push(CHECKED);
    out.push(letter.priority.code());
    out.push(letter.hops.count);
    put_u32(&mut out, letter.size_bytes);
    put_creation(&mut out, letter.creation);
    put_u64(&mut out, letter.lifetime.0);
    put_moment(&mut out, letter.received);
    put_u64(&mut out, letter.hops.age.0);
    out.extend(letter.id.0);
    out.extend(letter.source.as_bytes());
    out.extend(letter.from.as_bytes());
    put_eid(&mut out, &letter.destination);
    let checksum = checksum(&letter.row.0.to_le_bytes(), &out[LETTER_FACTS..]);
    put_u32(&mut out, checksum);
    out
}

pub fn read_letter(row: Row, bytes: &[u8]) -> Option<Letter> {
    let bytes = match bytes.get(1)? {
        &CHECKED => {
            let (facts, right) = bytes.split_last_chunk::<4>()?;
            let found = checksum(&row.0.to_le_bytes(), facts.get(LETTER_FACTS..)?);
            if found == u32::from_le_bytes(*right) { facts } else { return None }
        }
        _ => bytes,
    };
    let mut scan = Scan(bytes);
    let (read, told) = match scan.u8()? {
        UNREAD => (false, false),
        READ => (true, false),
        TOLD => (true, true),
        UNREAD_AGAIN => (false, true),
        _ => return None,
    };
    // What this said when nothing was checked, nobody asks any more.
    scan.u8().filter(|checked| *checked <= CHECKED)?;
    let (priority, count) = (scan.code()?, scan.u8()?);
    let size_bytes = scan.u32()?;
    let creation = scan.creation()?;
    let lifetime = Millis(scan.u64()?);
    let received = scan.moment()?;
    let hops = Hops { age: Millis(scan.u64()?), count };
    let (id, source, from, destination) = (scan.id()?, scan.node()?, scan.node()?, scan.eid()?);
    scan.end()?;
    Some(Letter {
        row,
        id,
        source,
        destination,
        creation,
        lifetime,
        priority,
        size_bytes,
        received,
        from,
        hops,
        read,
        told,
    })
}

/// The second byte of a letter's record that ends in a checksum of its row and all facts but the marks.
const CHECKED: u8 = 2;
/// Where what is checked begins.
const LETTER_FACTS: usize = 2;

/// CRC-32C over what a record is found by, and over the record: redb looks at its own checksums only when it checks the
/// whole file, and one bit of an id makes another's message of it.
fn checksum(name: &[u8], record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(name), record)
}

const UNREAD: u8 = 0;
const READ: u8 = 1;
/// Read, and its writer was told.
const TOLD: u8 = 2;
/// The same, and then the person marked it unread.
const UNREAD_AGAIN: u8 = 3;

/// The byte at [`LETTER_MARKS`].
pub fn marks(marks: Marks) -> [u8; 1] {
    let read = match marks {
        Marks { read: true, told: true } => TOLD,
        Marks { read: true, told: false } => READ,
        Marks { read: false, told: true } => UNREAD_AGAIN,
        Marks { read: false, told: false } => UNREAD,
    };
    [read]
}

/// One's own message: the row of its words, fixed facts, what carriers said, and the other evidence up to the end.
pub fn write_outgoing(outgoing: &Outgoing) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    put_row(&mut out, outgoing.row);
    put_option(&mut out, outgoing.source);
    out.push(outgoing.priority.code());
    put_u32(&mut out, outgoing.size_bytes);
    put_creation(&mut out, outgoing.creation);
    put_moment(&mut out, outgoing.created);
    put_u64(&mut out, outgoing.lifetime.0);
    put_u64(&mut out, outgoing.expires.0);
    put_eid(&mut out, &outgoing.destination);
    put_u32(&mut out, outgoing.unlisted.answers);
    put_what(&mut out, outgoing.unlisted.best);
    out.push(outgoing.carriers.len() as u8);
    outgoing.carriers.iter().for_each(|carrier| put_carrier(&mut out, carrier));
    outgoing.evidence.iter().for_each(|evidence| put_evidence(&mut out, evidence));
    // The first byte says whether there is a row, and so that a checksum of the id and all this ends the record.
    out[0] += CHECKED;
    let checksum = checksum(&outgoing.id.0, &out);
    put_u32(&mut out, checksum);
    out
}

pub fn read_outgoing(id: BundleId, bytes: &[u8]) -> Option<Outgoing> {
    let mut unchecked = bytes.to_vec();
    if *bytes.first()? >= CHECKED {
        let (record, right) = bytes.split_last_chunk::<4>()?;
        if checksum(&id.0, record) != u32::from_le_bytes(*right) {
            return None;
        }
        unchecked = record.to_vec();
        unchecked[0] -= CHECKED;
    }
    let mut scan = Scan(&unchecked);
    let (row, source) = (scan.row()?, scan.option()?);
    read_outgoing_behind(&mut scan, id, row, source)
}

/// The rest of the record, behind the row of the words and the mailbox that wrote them.
pub fn read_outgoing_behind(
    scan: &mut Scan<'_>,
    id: BundleId,
    row: Option<Row>,
    source: Option<NodeId>,
) -> Option<Outgoing> {
    let priority = scan.code()?;
    let size_bytes = scan.u32()?;
    let (creation, created) = (scan.creation()?, scan.moment()?);
    let (lifetime, expires) = (Millis(scan.u64()?), Timestamp(scan.u64()?));
    let destination = scan.eid()?;
    let unlisted = Unlisted { answers: scan.u32()?, best: scan.what()? };
    let mut carriers = Vec::new();
    for _ in 0..scan.u8()? {
        carriers.push(scan.carrier()?);
    }
    let mut evidence = Vec::new();
    while !scan.0.is_empty() {
        evidence.push(scan.evidence()?);
    }
    Some(Outgoing {
        id,
        destination,
        creation,
        created,
        lifetime,
        expires,
        priority,
        size_bytes,
        source,
        row,
        evidence,
        carriers,
        unlisted,
    })
}

/// The row of the words, which is all that must be read of the record to let them go.
pub fn read_outgoing_row(bytes: &[u8]) -> Option<Row> {
    let (has_row, rest) = bytes.split_first()?;
    if has_row % CHECKED == 0 { None } else { Scan(rest).u64().map(Row) }
}

fn put_carrier(out: &mut Vec<u8>, carrier: &Carrier) {
    out.extend(carrier.who.as_bytes());
    put_what(out, carrier.promise);
    put_moment(out, carrier.at);
    out.push(carrier.gave_up.is_some().into());
    if let Some(at) = carrier.gave_up {
        put_moment(out, at);
    }
}

fn put_evidence(out: &mut Vec<u8>, evidence: &Evidence) {
    put_what(out, evidence.what);
    put_moment(out, evidence.at);
    put_option(out, evidence.who);
}

pub fn write_person(person: &Person) -> Vec<u8> {
    let mut out = vec![person.standing.code(), person.verified.into()];
    out.extend(person.name.as_bytes());
    out
}

pub fn read_person(bytes: &[u8]) -> Option<Person> {
    let mut scan = Scan(bytes);
    let (standing, verified) = (scan.code()?, scan.flag()?);
    Some(Person { name: std::str::from_utf8(scan.0).ok()?.to_owned(), standing, verified })
}

/// When a bundle came first that left, and who has a share in the memory of it.
pub fn write_departure(departure: &Departure) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * 8 + 2 * 32);
    put_u64(&mut out, departure.accepted_at.0);
    put_u64(&mut out, departure.until.0);
    out.extend(departure.from.as_bytes());
    out.extend(departure.source.as_bytes());
    out
}

pub fn read_departure(bytes: &[u8]) -> Option<Departure> {
    let mut scan = Scan(bytes);
    let (accepted_at, until) = (Timestamp(scan.u64()?), Timestamp(scan.u64()?));
    let (from, source) = (scan.node()?, scan.node()?);
    scan.end()?;
    Some(Departure { accepted_at, until, from, source })
}

pub fn write_belief(belief: &Belief) -> Vec<u8> {
    let mut out = Vec::with_capacity(10);
    put_what(&mut out, belief.what);
    put_u64(&mut out, belief.until.0);
    out.extend(belief.from.as_bytes());
    out
}

pub fn read_belief(bytes: &[u8]) -> Option<Belief> {
    let mut scan = Scan(bytes);
    let belief = Belief { what: scan.what()?, until: Timestamp(scan.u64()?), from: scan.node()? };
    scan.end()?;
    Some(belief)
}

/// An enum as one byte that never changes its meaning.
pub trait Code: Copy + Sized {
    fn code(self) -> u8;
    fn from_code(code: u8) -> Option<Self>;
}

macro_rules! codes {
    ($type:ident: $($code:literal = $variant:ident),+) => {
        impl Code for $type {
            fn code(self) -> u8 {
                match self { $($type::$variant => $code),+ }
            }

            fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some($type::$variant),)+ _ => None }
            }
        }
    };
}

codes!(Kind: 0 = Message, 1 = Receipt);
codes!(Priority: 0 = Bulk, 1 = Normal, 2 = Urgent);

/// What is of a topic is told by its destination: [`read_held`] sees to that, and an earlier version reads on.
impl Code for Class {
    fn code(self) -> u8 {
        match self {
            Class::Topics | Class::Strangers => 0,
            Class::Contacts => 1,
            Class::Own => 2,
        }
    }

    fn from_code(code: u8) -> Option<Class> {
        [Class::Strangers, Class::Contacts, Class::Own].get(usize::from(code)).copied()
    }
}
codes!(Grade: 0 = Released, 1 = Copy, 2 = Custody);
codes!(Standing: 0 = Contact, 1 = Blocked);

fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn put_creation(out: &mut Vec<u8>, creation: Creation) {
    put_u64(out, creation.time.0);
    put_u64(out, creation.sequence);
}

fn put_moment(out: &mut Vec<u8>, moment: Moment) {
    put_u64(out, moment.now.0);
    put_u64(out, moment.wall.0);
}

fn put_option(out: &mut Vec<u8>, node: Option<NodeId>) {
    match node {
        Some(node) => {
            out.push(1);
            out.extend(node.as_bytes());
        }
        None => out.push(0),
    }
}

fn put_row(out: &mut Vec<u8>, row: Option<Row>) {
    match row {
        Some(Row(row)) => {
            out.push(1);
            put_u64(out, row);
        }
        None => out.push(0),
    }
}

fn put_eid(out: &mut Vec<u8>, eid: &Eid) {
    out.extend(eid.node.as_bytes());
    let (kind, name) = match &eid.service {
        Service::Admin => (0, None),
        Service::Mail => (1, None),
        // As before there were topics, and read as one again.
        service @ (Service::Group(_) | Service::Topic(_)) => (2, service.name_of_many()),
        Service::Other(name) => (3, Some(name.to_string())),
    };
    out.push(kind);
    if let Some(name) = name {
        out.push(u8::try_from(name.len()).expect("a service name is at most 64 bytes"));
        out.extend(name.as_bytes());
    }
}

fn put_what(out: &mut Vec<u8>, what: EvidenceKind) {
    let code = match what {
        EvidenceKind::Queued => 0,
        EvidenceKind::GaveUp => 1,
        EvidenceKind::Copy => 2,
        EvidenceKind::Custody => 3,
        EvidenceKind::Expired => 4,
        EvidenceKind::Cancelled => 5,
        EvidenceKind::Rejected { .. } => 6,
        EvidenceKind::Delivered => 7,
        EvidenceKind::Read => 8,
        EvidenceKind::Full { .. } => 9,
    };
    out.push(code);
    match what {
        EvidenceKind::Rejected { reason } => out.push(reason),
        EvidenceKind::Full { retry_after } => put_u64(out, retry_after.0),
        _ => {}
    }
}

/// What is left to read of a record.
pub struct Scan<'a>(pub &'a [u8]);

impl<'a> Scan<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn code<C: Code>(&mut self) -> Option<C> {
        C::from_code(self.u8()?)
    }

    pub fn id(&mut self) -> Option<BundleId> {
        self.array().map(BundleId)
    }

    pub fn node(&mut self) -> Option<NodeId> {
        self.array().map(NodeId::from_trusted)
    }

    pub fn option(&mut self) -> Option<Option<NodeId>> {
        if self.flag()? { self.node().map(Some) } else { Some(None) }
    }

    pub fn row(&mut self) -> Option<Option<Row>> {
        if self.flag()? { self.u64().map(|row| Some(Row(row))) } else { Some(None) }
    }

    pub fn creation(&mut self) -> Option<Creation> {
        Some(Creation { time: DtnTime(self.u64()?), sequence: self.u64()? })
    }

    pub fn moment(&mut self) -> Option<Moment> {
        Some(Moment { now: Timestamp(self.u64()?), wall: DtnTime(self.u64()?) })
    }

    pub fn eid(&mut self) -> Option<Eid> {
        let node = self.node()?;
        let service = match self.u8()? {
            0 => Service::Admin,
            1 => Service::Mail,
            2 => Service::of_many(self.name()?),
            3 => Service::Other(self.name()?.into()),
            _ => return None,
        };
        Some(Eid { node, service })
    }

    pub fn name(&mut self) -> Option<&'a str> {
        let len = self.u8()?;
        std::str::from_utf8(self.take(len.into())?).ok()
    }

    pub fn what(&mut self) -> Option<EvidenceKind> {
        Some(match self.u8()? {
            0 => EvidenceKind::Queued,
            1 => EvidenceKind::GaveUp,
            2 => EvidenceKind::Copy,
            3 => EvidenceKind::Custody,
            4 => EvidenceKind::Expired,
            5 => EvidenceKind::Cancelled,
            6 => EvidenceKind::Rejected { reason: self.u8()? },
            7 => EvidenceKind::Delivered,
            8 => EvidenceKind::Read,
            9 => EvidenceKind::Full { retry_after: Millis(self.u64()?) },
            _ => return None,
        })
    }

    pub fn carrier(&mut self) -> Option<Carrier> {
        let (who, promise, at) = (self.node()?, self.what()?, self.moment()?);
        let gave_up = if self.flag()? { Some(self.moment()?) } else { None };
        Some(Carrier { who, promise, at, gave_up })
    }

    pub fn evidence(&mut self) -> Option<Evidence> {
        Some(Evidence { what: self.what()?, at: self.moment()?, who: self.option()? })
    }

    pub fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        Held {
            row: Row(9),
            id: BundleId([1; 32]),
            kind: Kind::Receipt,
            source: NodeId::from_trusted([2; 32]),
            destination: Eid { node: NodeId::from_trusted([3; 32]), service: Service::Group("crew".into()) },
            lifetime: Millis(4),
            accepted_at: Timestamp(5),
            hops: Hops { age: Millis(6), count: 7 },
            expires: Timestamp(8),
            dated: true,
            size_bytes: 9,
            class: Class::Contacts,
            priority: Priority::Urgent,
            grade: Grade::Custody,
            copies: 513,
            from: Some(NodeId::from_trusted([10; 32])),
            about: None,
        }
    }

    #[test]
    fn what_a_bundle_is_the_latest_word_on_stands_behind_the_rest() {
        let keyed = Held { about: Some(About { mark: 1, sequence: u64::MAX }), ..held() };
        let record = write_held(&keyed);
        assert!(record.len() <= HELD_BYTES + 32, "{}", record.len());
        assert_eq!(read_held(Row(9), &record), Some(keyed));
        assert_eq!(read_held(Row(9), &record[..record.len() - 1]), None);
    }

    #[test]
    fn a_regraded_record_reads_as_the_regraded_bundle() {
        let mut record = write_held(&held());
        regrade(&mut record, Grade::Released, 258, Class::Strangers);
        let expected = Held { grade: Grade::Released, copies: 258, class: Class::Strangers, ..held() };
        assert_eq!(read_held(Row(9), &record), Some(expected));
    }

    #[test]
    fn a_record_cut_or_lengthened_by_a_byte_is_refused() {
        let record = write_held(&held());
        assert_eq!(read_held(Row(9), &record[..record.len() - 1]), None);
        assert_eq!(read_held(Row(9), &[&record[..], &[0]].concat()), None);
    }
}
