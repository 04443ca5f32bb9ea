//! What may wait for a commit, and what may not: so a lone message costs few of them.
//!
//! Most of what an agent says is bookkeeping that a power cut may take: it is found out again, or said again. A driver
//! gathers that until something must be durable, which takes along all that was said before it, or until it has waited
//! for [`HELD_BACK_MAX`].
//!
//! ```text
//! prompt   a bundle held or delivered, the recipient's word, spent copies, the owner's commands    commits at once
//! promise  Accepted and Noted to a peer, an answer to a person: true only once durable             commits what waits
//! lazy     evidence of carriers, forgetting, tombstones, what was learned, time                    waits
//! shown    events: they tell of changes, and wait with them                                        waits
//! spare    that a destination has a bundle                                                         waits for a commit
//! free     every other frame, bundles on their way, dials                                          goes at once
//! ```
//! The order of changes never changes: the store and what is held back together are what the agent believes.

use super::Said;
use crate::agent::change::{Change, EvidenceKind};
use crate::agent::{Event, Output};
use crate::frame::{Frame, Grade};
use crate::time::{Millis, SECOND, Timestamp};

/// How long a change may wait that need not be durable at once but soon.
pub const HELD_BACK_MAX: Millis = SECOND.times(3);
/// Most that waits.
const SAID_MAX: usize = 1_024;

/// How soon something that was said must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Prompt,
    Promise,
    Lazy,
    Shown,
    Spare,
    Free,
}

/// What was said and waits for the next commit.
#[derive(Debug)]
pub struct HeldBack<T> {
    said: Vec<T>,
    since: Option<Timestamp>,
}

impl<T> Default for HeldBack<T> {
    fn default() -> HeldBack<T> {
        HeldBack { said: Vec::new(), since: None }
    }
}

impl<T: Said> HeldBack<T> {
    /// Takes what was said; returns what is to be done now, in order: its changes in one commit, then its acts.
    pub fn take(&mut self, said: Vec<T>, now: Timestamp) -> Vec<T> {
        let has = |weight| said.iter().any(|one| one.weight() == weight);
        let must = has(Weight::Prompt) || has(Weight::Promise);
        let is_due = self.due().is_some_and(|due| due <= now) || self.said.len() + said.len() > SAID_MAX;
        if must || is_due {
            let mut all = self.flush();
            all.extend(said);
            return all;
        }
        if self.since.is_none() && !has(Weight::Lazy) {
            // What is lost without harm waits for a commit that something else is worth.
            let (spare, now) = said.into_iter().partition::<Vec<T>, _>(|one| one.weight() == Weight::Spare);
            self.said.extend(spare);
            return now;
        }
        self.since.get_or_insert(now);
        let is_free = |one: &T| matches!(one.weight(), Weight::Free | Weight::Promise);
        let (free, waits) = said.into_iter().partition::<Vec<T>, _>(is_free);
        self.said.extend(waits);
        free
    }

    /// When what waits has waited long enough.
    pub fn due(&self) -> Option<Timestamp> {
        self.since.map(|since| since + HELD_BACK_MAX)
    }

    /// Gives out all that waits, in order.
    pub fn flush(&mut self) -> Vec<T> {
        self.since = None;
        std::mem::take(&mut self.said)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.said.iter()
    }
}

impl Said for Output {
    fn weight(&self) -> Weight {
        match self {
            Output::Commit(change) => change.weight(),
            Output::Send { frame, .. } => frame_weight(frame),
            Output::Report(event) => event_weight(event),
            Output::Notify(_) | Output::File(_) | Output::Heard(_) => Weight::Shown,
            Output::Seal { .. } | Output::Forward { .. } | Output::Again(_) => Weight::Free,
            Output::Dial(_) | Output::Renew(_) => Weight::Free,
        }
    }

    fn change(&self) -> Option<&Change> {
        if let Output::Commit(change) = self { Some(change) } else { None }
    }
}

impl Change {
    /// [`Weight::Prompt`], [`Weight::Lazy`] or [`Weight::Spare`].
    pub fn weight(&self) -> Weight {
        if matches!(self, Change::Regrade { copies: 0, .. }) {
            return Weight::Spare;
        }
        let is_prompt = match self {
            Change::Hold { .. }
            | Change::Deliver { .. }
            | Change::Adopt { .. }
            | Change::File { .. }
            | Change::Discard { .. }
            | Change::Post { .. }
            | Change::Unpost { .. }
            | Change::SetPerson { .. }
            | Change::Keep { .. }
            | Change::Count { .. } => true,
            // The writer is told once that it was read. Other marks are set by a command, whose answer commits them.
            Change::Mark { marks, .. } => marks.told,
            // Copies that were spent must not be spent again. A released bundle has none left.
            Change::Regrade { grade, .. } => *grade != Grade::Released,
            Change::Attest { evidence, .. } => match evidence.what {
                EvidenceKind::Queued
                | EvidenceKind::Delivered
                | EvidenceKind::Read
                | EvidenceKind::Rejected { .. }
                | EvidenceKind::Full { .. }
                | EvidenceKind::Cancelled => true,
                EvidenceKind::Copy | EvidenceKind::Custody | EvidenceKind::GaveUp | EvidenceKind::Expired => false,
            },
            Change::Prolong { .. }
            | Change::Forget { .. }
            | Change::Depart { .. }
            | Change::Return { .. }
            | Change::Bury { .. }
            | Change::Unbury { .. }
            | Change::Believe { .. }
            | Change::Disbelieve { .. }
            | Change::Learn { .. }
            | Change::Owe { .. }
            | Change::Settle { .. }
            | Change::Tick { .. } => false,
        };
        if is_prompt { Weight::Prompt } else { Weight::Lazy }
    }
}

/// A peer forgets its own copy, or what it owes, on the strength of these.
pub fn frame_weight(frame: &Frame) -> Weight {
    match frame {
        Frame::Accepted { .. } | Frame::Noted { .. } => Weight::Promise,
        _ => Weight::Free,
    }
}

/// Most events tell of a change; the others answer somebody or name a fault.
pub fn event_weight(event: &Event) -> Weight {
    match event {
        Event::NotSent { .. } | Event::Refused { .. } | Event::Misbehaved { .. } => Weight::Free,
        Event::Queued { .. }
        | Event::Status { .. }
        | Event::Delivered { .. }
        | Event::Accepted { .. }
        | Event::Gone { .. } => Weight::Shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weight::{Free, Lazy, Promise, Prompt, Shown, Spare};

    impl Said for (u32, Weight) {
        fn weight(&self) -> Weight {
            self.1
        }

        fn change(&self) -> Option<&Change> {
            None
        }
    }

    const NOON: Timestamp = Timestamp(1_000_000);

    fn names(said: &[(u32, Weight)]) -> Vec<u32> {
        said.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn what_may_wait_goes_before_what_may_not_and_in_its_order() {
        let mut held = HeldBack::default();
        assert_eq!(names(&held.take(vec![(1, Lazy), (2, Free), (3, Shown)], NOON)), [2]);
        assert_eq!(names(&held.take(vec![(4, Free)], NOON)), [4]);
        assert!(held.take(vec![(5, Lazy), (6, Lazy)], NOON).is_empty());
        assert_eq!(names(&held.take(vec![(7, Free), (8, Prompt), (9, Lazy)], NOON)), [1, 3, 5, 6, 7, 8, 9]);
        assert_eq!(held.due(), None);
    }

    #[test]
    fn a_promise_commits_what_waits_and_an_event_waits_with_its_change() {
        let mut held = HeldBack::default();
        held.take(vec![(1, Lazy)], NOON);
        assert!(held.take(vec![(2, Shown)], NOON).is_empty());
        assert_eq!(names(&held.take(vec![(3, Promise)], NOON)), [1, 2, 3]);
        assert_eq!(names(&held.take(vec![(4, Shown)], NOON)), [4], "where nothing waits");
    }

    #[test]
    fn what_is_lost_without_harm_causes_no_commit_and_keeps_nothing_waiting() {
        let mut held = HeldBack::default();
        assert_eq!(names(&held.take(vec![(1, Spare), (2, Free), (3, Shown)], NOON)), [2, 3]);
        assert_eq!((held.due(), names(&held.take(vec![(4, Shown)], NOON))), (None, vec![4]));
        assert!(held.take(vec![(5, Lazy), (6, Spare)], NOON).is_empty());
        assert_eq!(names(&held.take(vec![(7, Prompt)], NOON)), [1, 5, 6, 7]);
    }

    #[test]
    fn nothing_waits_for_long_or_in_a_crowd() {
        let mut held = HeldBack::default();
        held.take(vec![(1, Lazy)], NOON);
        let due = held.due().unwrap();
        assert!(held.take(vec![(2, Lazy)], Timestamp(due.0 - 1)).is_empty());
        assert_eq!(held.due(), Some(due), "more of it does not prolong the wait");
        assert_eq!(names(&held.take(vec![], due)), [1, 2]);
        let crowd = (0..SAID_MAX as u32 + 1).map(|name| (name, Lazy)).collect();
        assert_eq!(held.take(crowd, NOON).len(), SAID_MAX + 1);
    }
}
