//! One step of whoever drives an agent, written once: inputs gather into batches, and nothing that a batch says leaves
//! before what it says is durable.
//!
//! A real node, a simulated one and those of tests differ in their clocks, disks and networks. This part is the same in
//! all of them and has none of these.
//!
//! ```text
//! take      an input, with its moment   ─┐
//! run_due   what time has made due      ─┼─▶ the open batch ──close──▶ a batch to do now
//! say       an act of the driver's own  ─┘                     └─────▶ what may wait for a later one (held_back)
//! ```
//! The caller does a batch: it commits all its changes together, and then performs its acts in their order. Where the
//! commit fails it performs none of them, and all that the agent said since ran ahead: see [`Driver::start_again`].

pub mod filings;
pub mod held_back;

use crate::agent::change::{Change, Durable, Known};
use crate::agent::{Agent, Cause, Input, Output};
use crate::id::BundleId;
use crate::mail::record::Record;
use crate::time::{Moment, Timestamp};

use self::filings::Filings;
use self::held_back::HeldBack;
pub use self::held_back::{HELD_BACK_MAX, Weight};

/// Something that is done with a batch: a change to commit, or an act that waits for the changes.
pub trait Said {
    /// How soon it must be done.
    fn weight(&self) -> Weight;

    /// The change that it is; none for an act.
    fn change(&self) -> Option<&Change>;
}

/// In which one driver differs from another: how its agent gets an input, and what is kept of what comes out.
pub trait Step {
    type Said: Said;

    /// What the record that is durable knows of an id; none where it cannot be read for now, and then the input that speaks
    /// of it is dropped.
    fn recall(&mut self, id: &BundleId) -> Option<Known>;

    /// Gives the agent one input. A driver that writes down what goes in and comes out does so here, and so does a further
    /// machine that lives off what the agent says: what it adds to `out` joins the same batch, and so the same commit.
    fn give(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        agent.handle(at, input, out);
    }

    /// Adds all that came of one input to the batch that is open.
    fn add(&mut self, out: Vec<Output>, open: &mut Vec<Self::Said>);
}

/// Keeps the outputs as they are, and the record as if each were durable at once.
#[derive(Default)]
pub struct Plain {
    pub record: Record,
}

/// An agent, and what it said that is not done.
pub struct Driver<S: Step> {
    pub agent: Agent,
    pub step: S,
    /// What came of the inputs since the last batch ended.
    open: Vec<S::Said>,
    /// What may wait for the next commit.
    held_back: HeldBack<S::Said>,
    /// What the agent filed and is not durable yet.
    filings: Filings,
}

impl<S: Step> Driver<S> {
    pub fn new(agent: Agent, step: S) -> Driver<S> {
        Driver { agent, step, open: Vec::new(), held_back: HeldBack::default(), filings: Filings::default() }
    }

    /// Takes one input; what comes of it joins the open batch.
    pub fn take(&mut self, at: Moment, input: Input) {
        let mut out = Vec::new();
        let ids = self.agent.asks_of(&input);
        if !ids.is_empty() {
            let Some(known) = self.recall(ids) else { return };
            if !known.is_empty() {
                self.step.give(&mut self.agent, at, Input::Recall(known), &mut out);
            }
        }
        self.step.give(&mut self.agent, at, input, &mut out);
        let changes = out.iter().filter(|output| matches!(output, Output::Commit(_))).count();
        self.filings.said(changes as u64);
        let filed = out.extract_if(.., |output| matches!(output, Output::File(_)));
        filed.for_each(|output| {
            if let Output::File(filing) = output {
                self.filings.add(filing)
            }
        });
        self.step.add(out, &mut self.open);
    }

    /// What the record knows of these ids, durable or not; none where it cannot be read.
    fn recall(&mut self, ids: Vec<BundleId>) -> Option<Vec<Known>> {
        let mut all = Vec::new();
        for id in ids {
            let mut known = self.step.recall(&id)?;
            self.filings.amend(&mut known);
            if !known.is_nothing() {
                all.push(known);
            }
        }
        Some(all)
    }

    /// What is known of an id that was delivered or sent, durable or not; none where the record cannot be read.
    pub fn known(&mut self, id: &BundleId) -> Option<Known> {
        let mut known = self.step.recall(id)?;
        self.filings.amend(&mut known);
        Some(known)
    }

    /// How many changes were handed out to be committed so far.
    pub fn handed_out(&self) -> u64 {
        self.filings.handed_out()
    }

    /// So many changes of those that were handed out are durable.
    pub fn committed(&mut self, changes: u64) {
        self.filings.committed(changes);
    }

    /// Runs what is due, up to the end of a turn, after which others may have something to say; returns when the agent
    /// is due next, which after a turn may be at once.
    pub fn run_due(&mut self, at: Moment) -> Option<Timestamp> {
        while let Some((due, cause)) = self.agent.next_timeout() {
            if due > at.now {
                return Some(due);
            }
            self.take(at, Input::Timeout);
            if cause == Cause::Turn {
                return self.agent.next_timeout().map(|(due, _)| due);
            }
        }
        None
    }

    /// Runs what is due until nothing is, and nobody else has anything to say meanwhile; returns when the agent is due
    /// next.
    pub fn run_all_due(&mut self, at: Moment) -> Option<Timestamp> {
        loop {
            match self.run_due(at) {
                Some(due) if due <= at.now => {}
                next => return next,
            }
        }
    }

    /// Adds an act of the driver's own, after all that was said before it.
    pub fn say(&mut self, said: S::Said) {
        self.open.push(said);
    }

    /// Adds a change that is none of the agent's.
    pub fn change(&mut self, change: Change) {
        self.filings.said(1);
        self.step.add(vec![Output::Commit(change)], &mut self.open);
    }

    /// Ends the open batch; returns what is to be done now, in order: its changes in one commit, then its acts.
    pub fn close(&mut self, now: Timestamp) -> Vec<S::Said> {
        let batch = self.held_back.take(std::mem::take(&mut self.open), now);
        self.hand_out(batch)
    }

    /// Ends the open batch; returns it with all that waits, in order.
    pub fn flush(&mut self) -> Vec<S::Said> {
        let open = std::mem::take(&mut self.open);
        let mut all = self.held_back.flush();
        if all.is_empty() {
            return self.hand_out(open);
        }
        all.extend(open);
        self.hand_out(all)
    }

    fn hand_out(&mut self, batch: Vec<S::Said>) -> Vec<S::Said> {
        self.filings.hand_out(batch.iter().filter_map(Said::change).count() as u64);
        batch
    }

    /// Drops all that waits, for it did not happen, and returns the open batch, of which nothing did but acts of the
    /// driver's own.
    pub fn abandon(&mut self) -> Vec<S::Said> {
        self.held_back = HeldBack::default();
        self.filings.start_again();
        std::mem::take(&mut self.open)
    }

    /// Goes on with another agent, built from what is durable: all that this one said and was not done is dropped.
    pub fn start_again(&mut self, agent: Agent) {
        self.agent = agent;
        self.abandon();
    }

    /// When the agent or what waits for a commit is due.
    pub fn due(&self) -> Option<Timestamp> {
        self.agent.next_timeout().map(|(due, _)| due).into_iter().chain(self.held_back.due()).min()
    }

    /// What was said since the last batch ended.
    pub fn open(&self) -> &[S::Said] {
        &self.open
    }

    /// How many things wait for a later commit.
    pub fn held_back(&self) -> usize {
        self.held_back.iter().count()
    }

    /// What would be durable if everything here were committed now, on top of what is: what the agent believes, and what it
    /// filed, unless batches are under way to the store.
    pub fn believed(&self, mut durable: Durable) -> Durable {
        let said = self.held_back.iter().chain(&self.open);
        said.filter_map(Said::change).for_each(|change| durable.apply(change));
        durable
    }
}

impl Step for Plain {
    type Said = Output;

    fn recall(&mut self, id: &BundleId) -> Option<Known> {
        Some(self.record.known(id))
    }

    fn add(&mut self, out: Vec<Output>, open: &mut Vec<Output>) {
        out.iter().filter_map(Said::change).for_each(|change| self.record.apply(change));
        if open.is_empty() {
            *open = out;
        } else {
            open.extend(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::agent::change::{Person, Standing};
    use crate::agent::{Config, Mailboxes};
    use crate::bundle::Signer;
    use crate::id::NodeId;

    fn agent(durable: Durable) -> Agent {
        let key = Arc::new(SigningKey::from_bytes(&[1; 32]));
        Agent::restore(key.node(), Mailboxes::own(key), Config::default(), [7; 32], durable)
    }

    fn name(n: u8) -> Input {
        let person = Person { name: "somebody".into(), standing: Standing::Contact, verified: false };
        Input::SetPerson { node: NodeId::from_trusted([n; 32]), person: Some(person) }
    }

    #[test]
    fn inputs_share_a_batch_and_what_is_not_committed_is_believed_on_top_of_what_is() {
        let mut driver = Driver::new(agent(Durable::default()), Plain::default());
        let at = Moment::default();
        driver.take(at, name(2));
        driver.take(at, name(3));
        assert_eq!(driver.believed(Durable::default()), driver.agent.durable());
        let batch = driver.close(at.now);
        assert_eq!(batch.iter().filter_map(Said::change).count(), 2);
        assert!(driver.open().is_empty() && driver.close(at.now).is_empty());
    }

    #[test]
    fn who_starts_again_says_nothing_of_what_ran_ahead() {
        let mut driver = Driver::new(agent(Durable::default()), Plain::default());
        let at = Moment::default();
        driver.take(at, name(2));
        driver.say(Output::Dial(NodeId::from_trusted([2; 32])));
        let ran_ahead = driver.abandon();
        assert_eq!(ran_ahead.last(), Some(&Output::Dial(NodeId::from_trusted([2; 32]))), "in the order it was said");
        driver.take(at, name(3));
        driver.start_again(agent(Durable::default()));
        assert!(driver.flush().is_empty());
        assert_eq!(driver.agent.durable(), Durable::default());
    }
}
