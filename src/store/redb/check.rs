//! Looking a store over: pages, format, every body, and whether bodies and facts belong together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase, TableHandle};

use super::bodies::whole_in;
use super::body::{self, Body};
use super::disk::Traffic;
use super::failure::{close, failed, guarded};
use super::format::{self, STEPS, format_after};
use super::former;
use super::load::number;
use super::record;
use super::salvage::{each_reachable, each_row};
use super::shared::{open_as_is, salvage_journal};
use super::side::read_addresses;
use super::tables::{self, counter};
use super::{DiskSync, StoreOptions};
use crate::agent::change::{Held, Letter, Row};
use crate::bundle::Bundle;
use crate::id::BundleId;
use crate::mail::happening::Happening;
use crate::store::StoreError;

/// How closely bodies are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Their form and their ids: two microseconds a bundle.
    Form,
    /// Their signatures as well: fifty microseconds a bundle.
    Signatures,
}

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Zero where nothing was ever stored.
    pub format: u64,
    /// Every page has the checksum it was written with.
    pub pages_intact: bool,
    pub file_bytes: u64,
    pub bodies: u64,
    pub held: u64,
    pub letters: u64,
    pub outgoing: u64,
    pub tombstones: u64,
    /// The first [`PROBLEMS_MAX`] of them.
    pub problems: Vec<Problem>,
    pub problem_count: u64,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("pages of the file are damaged: {0}")]
    Pages(String),
    #[error("the journal cannot be read: {0}")]
    Journal(String),
    #[error("a record of {0} cannot be read")]
    Record(&'static str),
    #[error("the bundle at row {} does not verify: {why}", .row.0)]
    Body { row: Row, why: String },
    #[error("the bundle at row {} is not the one its facts name", .0.0)]
    Mismatch(Row),
    #[error("there is no bundle at row {}, only its facts", .0.0)]
    NoBody(Row),
    #[error("there is a bundle at row {} that nothing names", .0.0)]
    NoFacts(Row),
    #[error("the store counts {counted} bytes of bundles and has {found}")]
    BodyBytes { counted: u64, found: u64 },
}

/// Most problems that are listed.
pub const PROBLEMS_MAX: usize = 1_000;

impl Findings {
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

/// Looks over the store at `path`, which nobody else may have open. An error says that it cannot be looked at at all;
/// damage is a finding. Nothing is changed but what redb mends by itself on opening.
pub fn check(path: &Path, depth: Depth) -> Result<Findings, StoreError> {
    let options = StoreOptions { sync: DiskSync::Always, ..StoreOptions::default() };
    let traffic = Arc::new(Traffic::default());
    let mut db = open_as_is(path, options, &traffic)?;
    let mut findings = Findings { pages_intact: true, file_bytes: traffic.len_bytes(), ..Findings::default() };
    if let Err(what) = check_pages(&mut db) {
        findings.pages_intact = false;
        findings.problem(Problem::Pages(what));
    }
    if let Err(error) = salvage_journal(path, &db) {
        findings.problem(Problem::Journal(error.to_string()));
    }
    let txn = guarded(|| db.begin_read().map_err(failed));
    let checked = txn.and_then(|txn| {
        let checked = check_snapshot(&txn, depth, &mut findings);
        close(txn);
        checked
    });
    // Closing writes, and may stumble over the same damage.
    close(db);
    checked.map(|()| findings)
}

/// Looks over records and bodies as one transaction sees them; pages that redb does not read are left out.
pub(super) fn check_snapshot(txn: &ReadTransaction, depth: Depth, findings: &mut Findings) -> Result<(), StoreError> {
    findings.format = guarded(|| format::found(txn))?.unwrap_or(0);
    let known = format_after(STEPS);
    match findings.format {
        0 => return Ok(()),
        found if found > known => return Err(StoreError::Newer { found, known }),
        _ => {}
    }
    check_records(txn, findings);
    let mut facts = facts(txn, findings);
    let found = check_bodies(txn, depth, &mut facts, findings);
    // A message that is on its way without mail has no words.
    facts.retain(|_, facts| !matches!(facts, Facts::Sent(_)));
    facts.keys().for_each(|row| findings.problem(Problem::NoBody(*row)));
    let counted = guarded(|| number(txn, counter::BODY_BYTES)).ok();
    if let (Some(counted), Some(found)) = (counted, found)
        && counted != found
    {
        findings.problem(Problem::BodyBytes { counted, found });
    }
    Ok(())
}

/// What the tables say of the body at a row.
#[derive(Clone)]
pub(super) enum Facts {
    Held(Held),
    Letter(Letter),
    /// They are the words of one's own message.
    Sent(BundleId),
}

impl Facts {
    /// Whether the signed facts are those of this bundle.
    pub fn are_of(&self, bundle: &Bundle) -> bool {
        match self {
            Facts::Held(held) => {
                (held.id, held.kind, held.source, &held.destination, held.lifetime, held.priority)
                    == (bundle.id, bundle.kind, bundle.source, &bundle.destination, bundle.lifetime, bundle.priority)
            }
            Facts::Letter(letter) => {
                (letter.id, letter.source, &letter.destination, letter.creation, letter.lifetime, letter.priority)
                    == (
                        bundle.id,
                        bundle.source,
                        &bundle.destination,
                        bundle.creation,
                        bundle.lifetime,
                        bundle.priority,
                    )
            }
            Facts::Sent(_) => false,
        }
    }

    /// Whether this body is theirs.
    pub fn are_of_body(&self, body: &Stored) -> bool {
        match body {
            Stored::Bundle(bundle) => self.are_of(bundle),
            Stored::Filed => !matches!(self, Facts::Held(_)),
        }
    }
}

/// A body that was read as closely as asked.
pub(super) enum Stored {
    Bundle(Box<Bundle>),
    /// What a message says: it was verified when it came.
    Filed,
}

/// Reads a stored body as closely as asked.
pub(super) fn read_body(row: Row, stored: &[u8], depth: Depth) -> Result<Stored, String> {
    let bytes = match body::read(row, stored).ok_or("its record cannot be read")? {
        Body::Bundle(bytes) => bytes,
        Body::Filed(_) => return Ok(Stored::Filed),
    };
    let read = match depth {
        Depth::Form => Bundle::from_store(&bytes),
        Depth::Signatures => Bundle::decode(&bytes),
    };
    read.map(|(bundle, _)| Stored::Bundle(Box::new(bundle))).map_err(|error| error.to_string())
}

/// The row after the last, as far as that can be read.
pub(super) fn end_of_rows(txn: &ReadTransaction) -> u64 {
    guarded(|| number(txn, counter::NEXT_ROW)).unwrap_or(0)
}

fn check_pages(db: &mut Database) -> Result<(), String> {
    match guarded(|| db.check_integrity().map_err(failed)) {
        Ok(true) => Ok(()),
        Ok(false) => Err("redb mended them".into()),
        Err(StoreError::Damaged(what) | StoreError::Io(what)) => Err(what),
        Err(error) => Err(error.to_string()),
    }
}

fn check_records(txn: &ReadTransaction, findings: &mut Findings) {
    let (mut outgoing, mut tombstones, mut unreadable) = (0, 0, Vec::new());
    let mut note = |table: &'static str, readable: bool| {
        if !readable {
            unreadable.push(table);
        }
    };
    let results = [
        each_reachable(txn, tables::OUTGOING, |id, bytes| {
            outgoing += 1;
            note(tables::OUTGOING.name(), record::read_outgoing(BundleId(*id), bytes).is_some());
        }),
        each_reachable(txn, tables::BELIEFS, |key, bytes| {
            note(tables::BELIEFS.name(), former::read_belief(key, bytes).is_some());
        }),
        each_reachable(txn, tables::PEOPLE, |_, bytes| {
            note(tables::PEOPLE.name(), record::read_person(bytes).is_some());
        }),
        each_reachable(txn, tables::BURIED, |_, _| tombstones += 1),
        each_reachable(txn, tables::DEPARTED, |_, bytes| {
            note(tables::DEPARTED.name(), record::read_departure(bytes).is_some());
        }),
        each_reachable(txn, tables::DELIVERED, |_, _| {}),
        each_reachable(txn, tables::INDEX, |_, _| {}),
        each_reachable(txn, tables::HAPPENED, |_, bytes| {
            note(tables::HAPPENED.name(), Happening::read(bytes).is_some());
        }),
        each_reachable(txn, tables::KEPT, |_, _| {}),
        each_reachable(txn, tables::LEARNED, |_, _| {}),
        each_reachable(txn, tables::OWED, |_, ()| {}),
        each_reachable(txn, tables::ADDRESSES, |_, bytes| {
            note(tables::ADDRESSES.name(), read_addresses(bytes).is_some());
        }),
    ];
    let former = each_reachable(txn, former::OUTGOING, |id, bytes| {
        outgoing += 1;
        note(former::OUTGOING.name(), former::read_outgoing(BundleId(*id), bytes).is_some());
    });
    (findings.outgoing, findings.tombstones) = (outgoing, tombstones);
    unreadable.into_iter().for_each(|table| findings.problem(Problem::Record(table)));
    let results = results.into_iter().chain([former]);
    results.filter_map(Result::err).for_each(|error| findings.problem(Problem::Pages(error.to_string())));
}

fn facts(txn: &ReadTransaction, findings: &mut Findings) -> BTreeMap<Row, Facts> {
    let (mut facts, mut unreadable) = (BTreeMap::new(), Vec::new());
    let (mut held, mut letters) = (0, 0);
    let end = end_of_rows(txn);
    let results = [
        each_row(txn, tables::HELD, end, |row, bytes| {
            held += 1;
            match former::read_held(Row(row), bytes) {
                Some(held) => drop(facts.insert(Row(row), Facts::Held(held))),
                None => unreadable.push(tables::HELD.name()),
            }
        }),
        each_row(txn, tables::LETTERS, end, |row, bytes| {
            letters += 1;
            match record::read_letter(Row(row), bytes) {
                Some(letter) => drop(facts.insert(Row(row), Facts::Letter(letter))),
                None => unreadable.push(tables::LETTERS.name()),
            }
        }),
    ];
    (findings.held, findings.letters) = (held, letters);
    // Records that cannot be read are found elsewhere.
    let _ = each_reachable(txn, tables::OUTGOING, |id, bytes| {
        record::read_outgoing_row(bytes)
            .into_iter()
            .for_each(|row| drop(facts.insert(row, Facts::Sent(BundleId(*id)))));
    });
    unreadable.into_iter().for_each(|table| findings.problem(Problem::Record(table)));
    results.into_iter().filter_map(Result::err).for_each(|error| findings.problem(Problem::Pages(error.to_string())));
    facts
}

/// Takes out of `facts` whatever has its body; returns what all bodies take, if all could be reached.
fn check_bodies(
    txn: &ReadTransaction,
    depth: Depth,
    facts: &mut BTreeMap<Row, Facts>,
    findings: &mut Findings,
) -> Option<u64> {
    let mut bytes = 0;
    let (end, mut going_on) = (end_of_rows(txn), BTreeSet::new());
    let result = each_row(txn, tables::BODIES, end, |row, first| {
        // Without its rest a body does not verify.
        let stored = guarded(|| whole_in(txn, row, first)).unwrap_or(Cow::Borrowed(first));
        going_on.extend((stored.len() > first.len()).then_some(row));
        let row = Row(row);
        findings.bodies += 1;
        bytes += stored.len() as u64;
        let named = facts.remove(&row);
        match (read_body(row, &stored, depth), named) {
            (Err(why), _) => findings.problem(Problem::Body { row, why }),
            (Ok(_), None) => findings.problem(Problem::NoFacts(row)),
            (Ok(body), Some(facts)) if !facts.are_of_body(&body) => findings.problem(Problem::Mismatch(row)),
            (Ok(_), Some(_)) => {}
        }
    });
    let rests = each_row(txn, tables::RESTS, end, |row, rest| {
        if !going_on.contains(&row) {
            bytes += rest.len() as u64;
            findings.problem(Problem::NoFacts(Row(row)));
        }
    });
    match result.and(rests) {
        Ok(()) => Some(bytes),
        Err(error) => {
            findings.problem(Problem::Pages(error.to_string()));
            None
        }
    }
}
