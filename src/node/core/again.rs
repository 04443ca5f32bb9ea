//! What is here of a group already, looked at once more: what was carried for others is handed in where the agent asks for
//! it, and what is sealed opens where a key came that was not here yet.
//!
//! Both begin behind the commit of what brought it about, so that nothing under way is passed over, and go on a few rows at
//! a time, so that whoever else has something to say waits for no group.

use std::sync::Arc;

use super::{Core, Said};
use crate::agent::change::{Change, Letter, Row};
use crate::agent::{Event, Input, STICK};
use crate::bundle::Bundle;
use crate::content::group::EpochId;
use crate::frame::Transit;
use crate::id::BundleId;
use crate::mail::Opened;
use crate::node::courier::Act;
use crate::node::pool;
use crate::node::work::Work;
use crate::seal;
use crate::store::redb::Body;

/// Rows looked at in one go.
const ROWS_AT_ONCE: usize = 64;
/// Bytes of bodies after which a go ends.
const BYTES_AT_ONCE: u64 = 4 << 20;

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Again {
    /// What is held for a group in these rows.
    Held(Vec<(Row, BundleId)>),
    /// What is sealed in the inbox, from a row on.
    Sealed(Row),
}

impl Core {
    /// A key of a group came: what is sealed under it opens, once all that was said before is durable.
    pub fn open_sealed(&mut self) {
        self.look_again(Again::Sealed(Row(0)));
    }

    fn look_again(&mut self, again: Again) {
        let work = Arc::clone(&self.work);
        self.driver.say(Said::Act(Act::Call(Box::new(move || drop(work.put(Work::Again(again)))))));
    }

    pub(super) fn again(&mut self, again: Again) {
        let next = match again {
            Again::Held(rows) => self.hand_in(rows),
            Again::Sealed(from) => self.open_from(from),
        };
        next.into_iter().for_each(|next| self.look_again(next));
    }

    fn hand_in(&mut self, rows: Vec<(Row, BundleId)>) -> Option<Again> {
        for (row, id) in rows {
            // A body that cannot be read now is looked at again at the next start.
            let Ok(Some((bundle, hops))) = self.driver.step.record.bundle(row, id) else { continue };
            let size_bytes = bundle.encoded_len() as u32;
            let transit = Transit { hops, copies: 0, is_answer: false };
            self.handle(Input::Bundle { from: STICK, transit, bundle: Arc::new(bundle), size_bytes });
        }
        self.handle(Input::HandedIn);
        None
    }

    /// What is sealed still leaves with the end of its life: its key may come, but no more of it.
    pub(super) fn end_sealed(&mut self) {
        let now = self.clock.moment().now;
        if self.driver.step.sealed_until.take_if(|until| *until <= now).is_some() {
            self.open_sealed();
        }
    }

    fn open_from(&mut self, from: Row) -> Option<Again> {
        let rows = self.driver.step.record.sealed(from, ROWS_AT_ONCE).unwrap_or_default();
        let last = *rows.last()?;
        let mut bytes = 0;
        for row in rows {
            if bytes > BYTES_AT_ONCE {
                return Some(Again::Sealed(row));
            }
            let body = self.driver.step.record.words(&[row]).ok().and_then(|mut bodies| bodies.pop().flatten());
            let Some(Body::Bundle(stored)) = body else { continue };
            bytes += stored.len() as u64;
            let Ok((bundle, _)) = Bundle::from_store(&stored) else { continue };
            // It may have been deleted meanwhile.
            let letter = self.driver.known(&bundle.id).and_then(|known| known.letter);
            let Some(letter) = letter.filter(|letter| letter.row == row) else { continue };
            match pool::open(&self.keyring, &bundle) {
                Some(opened) => self.opens_late(&letter, opened),
                None if letter.destination.has_members() => self.stays_sealed(&letter, &bundle),
                None => {}
            }
        }
        Some(Again::Sealed(last.next()))
    }

    /// Whoever follows the inbox hears of it now: of what was written to a group nobody was told before it opened.
    fn opens_late(&mut self, letter: &Letter, mut opened: Opened) {
        if let Some(part) = opened.part.take().filter(|part| !part.bytes.is_empty()) {
            let taken = self.blobs.take(&part, Some(letter.source));
            tracing::debug!(?taken, "a part of a file was sealed still");
        }
        let Some(filed) = self.driver.step.opening.late(letter, opened) else { return };
        self.driver.change(Change::File { row: letter.row, filed });
        if letter.destination.has_members() {
            self.driver.say(Said::Act(Act::Report(Event::Delivered { id: letter.id, from: letter.from })));
        }
    }

    /// The key was asked for when it came, by a node that may have forgotten that since.
    fn stays_sealed(&mut self, letter: &Letter, bundle: &Bundle) {
        let (until, at) = (letter.received.now + letter.lifetime, self.clock.moment());
        if until <= at.now {
            return self.handle(Input::Discard(letter.id));
        }
        if let Ok(epoch) = seal::group::epoch_of(bundle.payload()) {
            let (group, mut asked) = (bundle.destination.node, Vec::new());
            self.driver.step.groups.miss(&group, EpochId(epoch), bundle.source, super::wall(at), &mut asked);
            asked.into_iter().for_each(|change| self.driver.change(change));
        }
        let first = &mut self.driver.step.sealed_until;
        *first = first.iter().copied().chain([until]).min();
    }
}
