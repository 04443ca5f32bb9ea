//! Gives the agent its inputs: what it says of mail, groups and topics goes on to these in the same step.

use super::Said;
use crate::agent::change::Known;
use crate::agent::io::Gone;
use crate::agent::{Agent, Event, Input, Output};
use crate::driver::Step;
use crate::id::BundleId;
use crate::mail::Opening;
use crate::mail::groups::Groups;
use crate::mail::topics::{Topics, rows};
use crate::node::courier::Act;
use crate::node::tape::Tape;
use crate::store::StoreError;
use crate::store::redb::RedbReader;
use crate::time::{DtnTime, Moment, Timestamp};

/// Rows of topics that are read at once at the start: each has a text of 64 KiB at most.
const TOPIC_ROWS_AT_ONCE: usize = 1_024;

/// Gives the agent its inputs, and mail what the agent says.
pub struct Steps {
    pub tape: Tape,
    /// Messages that were opened, until the agent says what becomes of them.
    pub(super) opening: Opening,
    /// What is subscribed to.
    pub(super) topics: Topics,
    /// Who is in which group.
    pub(super) groups: Groups,
    /// Written to a group by who is none of its members, or about its keys and heard: the rows of these go.
    pub(super) over: Vec<BundleId>,
    /// When the first life ends of what was written to a group and is sealed still.
    pub(super) sealed_until: Option<Timestamp>,
    pub(super) record: RedbReader,
}

impl Step for Steps {
    type Said = Said;

    fn recall(&mut self, id: &BundleId) -> Option<Known> {
        let known = self.record.known(id);
        known
            .inspect_err(|error| tracing::warn!(%error, "the record of mail cannot be read; what is about it waits"))
            .ok()
    }

    fn give(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        let from = out.len();
        self.tape.handle(agent, at, input, out);
        self.opening.follow(out, from);
        let mut kept = Vec::new();
        for output in &out[from..] {
            match output {
                Output::Heard(bundle) if bundle.destination.is_got() => self.hear_got(bundle, wall(at), &mut kept),
                Output::Heard(bundle) => self.topics.hear(bundle, wall(at), &mut kept),
                Output::Report(Event::Gone { id, why }) => {
                    let is_heard = *why == Gone::Delivered;
                    self.groups.receipts.gone(id, is_heard, (at.now, wall(at)), &mut kept);
                }
                _ => {}
            }
        }
        self.hear_of_groups(agent, at, &mut kept);
        out.extend(kept.into_iter().map(Output::Commit));
    }

    fn add(&mut self, out: Vec<Output>, open: &mut Vec<Said>) {
        open.extend(out.into_iter().filter_map(|output| match output {
            Output::Commit(change) => Some(Said::Change(change)),
            act => Act::of(act).map(Said::Act),
        }));
    }
}

/// What the clock says, as far as it can be trusted.
pub(super) fn wall(at: Moment) -> DtnTime {
    at.trusted_wall().unwrap_or_default()
}

/// What is subscribed to, as the store has it.
pub fn topics(record: &RedbReader) -> Result<Topics, StoreError> {
    let mut topics = Topics::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = record.all_kept(&[rows::TOPIC], after.as_deref(), TOPIC_ROWS_AT_ONCE)?;
        let Some((last, _)) = page.last() else { return Ok(topics) };
        after = Some(last.clone());
        page.iter().for_each(|(key, value)| topics.load(key, value));
        if page.len() < TOPIC_ROWS_AT_ONCE || last.as_slice() > &rows::END_OF_EVENTS[..] {
            return Ok(topics);
        }
    }
}
