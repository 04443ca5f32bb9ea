//! Whether an open store is what a model says, to the byte.

use std::sync::Arc;

use dak::agent::change::{Change, Durable, Row};
use dak::bundle::Bundle;
use dak::id::BundleId;
use dak::store::Store;
use dak::store::memory::MemoryStore;
use dak::store::redb::{Depth, RedbStore};
use dak::time::{DtnTime, Moment, Timestamp};

use crate::make::{deliver, hold, message};

/// One state that is right.
pub type Known = Arc<MemoryStore>;

/// Says which of the states that are right the store has; an error says how it has none of them.
pub fn inspect(store: &RedbStore, right: &[Known]) -> Result<Known, String> {
    let durable = store.durable().map_err(|error| format!("it cannot be read: {error}"))?;
    let rows: Vec<Row> = (0..=durable.next_row.0 + 1).map(Row).collect();
    // Where words were filed alone, two states differ in nothing else.
    let has_words = |known: &Known| rows.iter().all(|row| store.words(*row) == known.words(*row));
    let mut alike = right.iter().filter(|known| known.durable().as_ref() == Ok(&durable)).peekable();
    let is_any = alike.peek().is_some();
    let known = alike.find(|known| has_words(known));
    if is_any && known.is_none() {
        return Err("words are not the ones that were filed".into());
    }
    let known = known.ok_or_else(|| {
        let expected = right.iter().map(|known| difference(&durable, &known.durable().unwrap()));
        format!("it has none of {} right states: {}", right.len(), expected.collect::<Vec<_>>().join("; or "))
    })?;
    let bodies = store.reader().bodies(&rows).map_err(|error| format!("bodies cannot be read: {error}"))?;
    for (row, found) in rows.iter().zip(bodies) {
        if found != known.body(*row).unwrap() {
            return Err(format!("the body at row {} is not the one that was stored", row.0));
        }
        let Some(body) = found else { continue };
        let (bundle, _) = Bundle::from_store(&body).map_err(|error| format!("row {}: {error}", row.0))?;
        if Some(bundle.id) != named(&durable, *row) {
            return Err(format!("the bundle at row {} is not the one its facts name", row.0));
        }
    }
    let findings = store.reader().check(Depth::Form).map_err(|error| format!("it cannot be checked: {error}"))?;
    if !findings.is_sound() {
        return Err(format!("checking finds {:?}", findings.problems));
    }
    Ok(Arc::clone(known))
}

/// The id that the facts at a row name.
pub fn named(durable: &Durable, row: Row) -> Option<BundleId> {
    let letter = durable.letters.get(&row).map(|letter| letter.id);
    durable.held.get(&row).map(|held| held.id).or(letter)
}

/// What the model becomes.
pub fn after(known: &Known, batch: &[Change]) -> Known {
    let mut next = MemoryStore::clone(known);
    next.commit(batch).expect("memory takes everything");
    Arc::new(next)
}

/// A batch for whatever store there is: something comes, something goes, something is counted.
pub fn further(known: &Known) -> Vec<Change> {
    let durable = known.durable().expect("memory gives everything");
    let row = durable.next_row.0.max(1);
    let mut batch = vec![hold(row, &message(row, b"after the cut")), deliver(row + 1, &message(row, b"delivered"))];
    batch.extend(durable.held.keys().next().map(|row| Change::Forget { row: *row }));
    batch.extend(durable.letters.keys().next().map(|row| Change::Discard { row: *row }));
    batch.push(Change::Count { sequence: durable.sequence + 1 });
    batch.push(Change::Tick { at: Moment { now: Timestamp(row), wall: DtnTime(row) } });
    batch
}

fn difference(found: &Durable, right: &Durable) -> String {
    let mut tables = Vec::new();
    let mut note = |table: &str, same: bool, found: usize, right: usize| {
        if !same {
            tables.push(format!("{table} ({found} of {right})"));
        }
    };
    let (f, r) = (found, right);
    note("sequence", f.sequence == r.sequence, 0, 0);
    note("next_row", f.next_row == r.next_row, f.next_row.0 as usize, r.next_row.0 as usize);
    note("clock", f.clock == r.clock, 0, 0);
    note("held", f.held == r.held, f.held.len(), r.held.len());
    note("buried", f.buried == r.buried, f.buried.len(), r.buried.len());
    note("departed", f.departed == r.departed, f.departed.len(), r.departed.len());
    note("beliefs", f.beliefs == r.beliefs, f.beliefs.len(), r.beliefs.len());
    note("letters", f.letters == r.letters, f.letters.len(), r.letters.len());
    note("delivered", f.delivered == r.delivered, f.delivered.len(), r.delivered.len());
    note("outgoing", f.outgoing == r.outgoing, f.outgoing.len(), r.outgoing.len());
    note("people", f.people == r.people, f.people.len(), r.people.len());
    note("learned", f.learned == r.learned, f.learned.len(), r.learned.len());
    note("owed", f.owed == r.owed, f.owed.len(), r.owed.len());
    format!("differs in {}", tables.join(", "))
}
