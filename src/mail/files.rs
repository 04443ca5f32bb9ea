//! Files in parts: which part goes next, what of a file is here, and what is asked for.
//!
//! A file that is too large to ride inside a message goes in parts, each a message of its own without a row that anybody
//! reads. The sender keeps a window of them on their way:
//!
//! ```text
//! wanted ──next──▶ on its way ──a peer promises──▶ promised ──more are──▶ carried ──the recipient signs──▶ safe
//!    ▲                  └────── its life ends, it was given up ──┐   its copy here leaves
//!    └───────────────────────────────────────────────────────────┘
//! ```
//! So a file is as far as its parts are, whatever happens to either end. What is asked for again is wanted again, safe or not.
//! Of what peers promised a copy stays here as long as there is room for it in the window: after that only theirs is left,
//! and the next parts go. A part that a carrier gave up, or that is asked for, is sealed anew; one that the recipient signs to
//! have declined is not wanted any more, until it is asked for.
//!
//! To a group a part goes once, and is safe when each of its members said to have it. What went there already and one of them
//! asks for goes to them alone, as a file of theirs: the others have it, or ask as well.

mod parts;
mod state;

use std::collections::BTreeMap;

use crate::agent::REJECTED_UNWANTED;
use crate::agent::change::EvidenceKind;

pub use self::parts::{PARTS_MAX, Parts};
pub use self::state::FileState;

/// So many parts of one file are on their way that nobody promised to keep.
pub const WINDOW_PARTS_MAX: usize = 64;
/// So many parts of one file that peers promised to keep have a copy here as well.
pub const PROMISED_PARTS_MAX: usize = 64;
/// So many parts of one file are on their way in all.
pub const AWAY_PARTS_MAX: usize = 16_384;

/// One file on its way to one recipient, or to a group.
#[derive(Clone, Debug)]
pub struct Sending {
    wanted: Parts,
    safe: Parts,
    /// Parts on their way, and whether a peer promised to keep each.
    away: BTreeMap<u32, Away>,
    promised: usize,
    /// How many of them have no copy here.
    carried: usize,
    /// No part before this one is to be sent.
    next: u32,
    stopped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    Alone,
    /// A peer says to hold it, and so does this node.
    Promised,
    /// A peer says to hold it, and this node does not.
    Carried,
}

/// What becomes of a part that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A peer stored it.
    Promised,
    /// A peer that stored it does so no longer.
    GivenUp,
    /// The recipient signed that it has it.
    Safe,
    /// Its life is over, or nobody keeps it any more.
    Lost,
    /// The recipient signed that it wants none of it, or not now: it goes when they ask.
    Unwanted,
}

impl Fate {
    /// What evidence of a part's bundle says of the part; none where that changes nothing.
    pub fn of(what: EvidenceKind) -> Option<Fate> {
        match what {
            EvidenceKind::Queued | EvidenceKind::Full { .. } => None,
            EvidenceKind::GaveUp => Some(Fate::GivenUp),
            EvidenceKind::Copy | EvidenceKind::Custody => Some(Fate::Promised),
            EvidenceKind::Delivered | EvidenceKind::Read => Some(Fate::Safe),
            EvidenceKind::Rejected { reason: REJECTED_UNWANTED } => Some(Fate::Unwanted),
            EvidenceKind::Expired | EvidenceKind::Cancelled | EvidenceKind::Rejected { .. } => Some(Fate::Lost),
        }
    }
}

impl Sending {
    /// With what is wanted and what is known to be there.
    pub fn new(wanted: Parts, safe: Parts, stopped: bool) -> Sending {
        let safe = if safe.of() == wanted.of() { safe } else { Parts::none(wanted.of()) };
        Sending { wanted, safe, away: BTreeMap::new(), promised: 0, carried: 0, next: 0, stopped }
    }

    /// The part to be sent next; none where enough are on their way, or nothing more is wanted.
    pub fn due(&mut self) -> Option<u32> {
        let is_full = self.alone() >= WINDOW_PARTS_MAX || self.promised >= PROMISED_PARTS_MAX;
        if self.stopped || is_full || self.away.len() >= AWAY_PARTS_MAX {
            return None;
        }
        let is_due = |part: &u32| self.wanted.has(*part) && !self.safe.has(*part) && !self.away.contains_key(part);
        let next = (self.next..self.wanted.of()).find(is_due);
        self.next = next.unwrap_or(self.wanted.of());
        next
    }

    /// A part was sent.
    pub fn sent(&mut self, part: u32) {
        self.leave(part);
        if part < self.wanted.of() {
            self.away.insert(part, Away::Alone);
        }
    }

    /// A part of which peers hold enough for no copy to be needed here: others would have to wait for its room.
    pub fn to_hand_on(&self) -> Option<u32> {
        if self.promised < PROMISED_PARTS_MAX {
            return None;
        }
        self.away.iter().find(|(_, away)| **away == Away::Promised).map(|(part, _)| *part)
    }

    /// The copy here of a part that a peer promised to keep is gone.
    pub fn handed_on(&mut self, part: u32) {
        if let Some(away @ Away::Promised) = self.away.get_mut(&part) {
            *away = Away::Carried;
            self.promised -= 1;
            self.carried += 1;
        }
    }

    /// Whether only others hold a part.
    pub fn is_carried(&self, part: u32) -> bool {
        self.away.get(&part) == Some(&Away::Carried)
    }

    /// Something is known of a part that was sent. Of one that is safe nothing else counts any more.
    pub fn heard(&mut self, part: u32, fate: Fate) {
        match fate {
            Fate::Promised => {
                if let Some(away @ Away::Alone) = self.away.get_mut(&part) {
                    *away = Away::Promised;
                    self.promised += 1;
                }
            }
            Fate::GivenUp if self.is_carried(part) => {
                self.leave(part);
                self.next = self.next.min(part);
            }
            // Its copy here goes on.
            Fate::GivenUp => {}
            Fate::Safe => {
                self.leave(part);
                self.safe.insert(part);
            }
            Fate::Lost => {
                self.leave(part);
                self.next = self.next.min(part);
            }
            Fate::Unwanted => {
                self.leave(part);
                self.wanted.remove(part);
            }
        }
    }

    fn leave(&mut self, part: u32) {
        match self.away.remove(&part) {
            Some(Away::Promised) => self.promised -= 1,
            Some(Away::Carried) => self.carried -= 1,
            Some(Away::Alone) | None => {}
        }
    }

    /// The recipient asks for stretches of the file: also what was safe is not, where they say so. What is held here comes;
    /// returns what others alone hold, which goes once more from here.
    pub fn ask(&mut self, wanted: &[(u32, u32)]) -> Vec<u32> {
        self.stopped = false;
        let mut again = Vec::new();
        for (first, many) in wanted {
            for part in *first..first.saturating_add(*many).min(self.wanted.of()) {
                if self.is_carried(part) {
                    self.leave(part);
                    again.push(part);
                }
                self.wanted.insert(part);
                self.safe.remove(part);
                self.next = self.next.min(part);
            }
        }
        again
    }

    /// A member of the group that the file goes to asks for stretches of it. What did not go to the group yet goes to all;
    /// returns the rest, which goes to who asks alone. What waits to go comes by itself.
    pub fn ask_of_group(&mut self, wanted: &[(u32, u32)]) -> Vec<u32> {
        self.stopped = false;
        let mut again = Vec::new();
        for (first, many) in wanted {
            for part in *first..first.saturating_add(*many).min(self.wanted.of()) {
                let went = self.safe.has(part) || self.away.get(&part).is_some_and(|away| *away != Away::Alone);
                if went {
                    again.push(part);
                } else {
                    self.wanted.insert(part);
                    self.next = self.next.min(part);
                }
            }
        }
        again
    }

    /// The recipient says to have stretches of the file.
    pub fn has(&mut self, have: &[(u32, u32)]) {
        for (first, many) in have {
            for part in *first..first.saturating_add(*many).min(self.wanted.of()) {
                self.heard(part, Fate::Safe);
            }
        }
    }

    /// The same file goes to the same recipient for another reason as well.
    pub fn also(&mut self, other: &Sending) {
        self.wanted.insert_all(&other.wanted);
        self.safe.insert_all(&other.safe);
        self.stopped &= other.stopped;
        self.next = 0;
    }

    /// The recipient does not take it without asking.
    pub fn want_nothing(&mut self) {
        self.wanted = Parts::none(self.wanted.of());
    }

    pub fn stop(&mut self) {
        self.stopped = true;
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub fn wanted(&self) -> &Parts {
        &self.wanted
    }

    pub fn safe(&self) -> &Parts {
        &self.safe
    }

    /// How many parts are on their way that nobody promised to keep.
    pub fn alone(&self) -> usize {
        self.away.len() - self.promised - self.carried
    }

    /// How many parts are on their way.
    pub fn away(&self) -> usize {
        self.away.len()
    }

    /// Whether the recipient has all of it.
    pub fn is_done(&self) -> bool {
        self.safe.is_all()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Next,
        Heard(u32, Fate),
        Ask(u32, u32),
        AskOfGroup(u32, u32),
        Has(u32, u32),
        HandOn(u32),
        Stop,
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        let fate = prop_oneof![
            Just(Fate::Promised),
            Just(Fate::Promised),
            Just(Fate::GivenUp),
            Just(Fate::Safe),
            Just(Fate::Lost),
            Just(Fate::Unwanted)
        ];
        prop_oneof![
            8 => Just(Step::Next),
            6 => (0..200u32, fate).prop_map(|(part, fate)| Step::Heard(part, fate)),
            2 => (0..200u32).prop_map(Step::HandOn),
            1 => (0..250u32, 0..40u32).prop_map(|(first, many)| Step::Ask(first, many)),
            1 => (0..250u32, 0..40u32).prop_map(|(first, many)| Step::AskOfGroup(first, many)),
            1 => (0..250u32, 0..40u32).prop_map(|(first, many)| Step::Has(first, many)),
            1 => Just(Step::Stop),
            1 => Just(Step::Restart),
        ]
    }

    /// Sends what is to be sent, and each part arrives.
    fn finish(sending: &mut Sending) {
        while let Some(part) = sending.due() {
            sending.sent(part);
            sending.heard(part, Fate::Safe);
        }
    }

    #[test]
    fn a_lost_part_goes_again_and_a_safe_one_only_where_it_is_asked_for() {
        let mut sending = Sending::new(Parts::all(3), Parts::none(3), false);
        let sent: Vec<u32> = std::iter::from_fn(|| sending.due().inspect(|part| sending.sent(*part))).collect();
        assert_eq!(sent, [0, 1, 2]);
        sending.heard(1, Fate::Lost);
        assert_eq!(sending.due(), Some(1));
        sending.sent(1);
        (0..3).for_each(|part| sending.heard(part, Fate::Safe));
        sending.heard(2, Fate::Lost);
        assert!(sending.is_done() && sending.due().is_none());
        sending.ask(&[(2, 9)]);
        assert_eq!((sending.due(), sending.is_done()), (Some(2), false));
    }

    #[test]
    fn what_nobody_promised_to_keep_fills_a_window_and_what_is_promised_leaves_it_to_the_next() {
        let mut sending = Sending::new(Parts::all(PARTS_MAX), Parts::none(PARTS_MAX), false);
        let send =
            |sending: &mut Sending| std::iter::from_fn(|| sending.due().inspect(|part| sending.sent(*part))).count();
        assert_eq!(send(&mut sending), WINDOW_PARTS_MAX);
        for part in 0..PARTS_MAX {
            sending.heard(part, Fate::Promised);
            if let Some(part) = sending.to_hand_on() {
                sending.handed_on(part);
            }
            assert!(sending.promised <= PROMISED_PARTS_MAX);
            if send(&mut sending) == 0 && sending.away() == AWAY_PARTS_MAX {
                break;
            }
        }
        assert_eq!(sending.away(), AWAY_PARTS_MAX, "one carrier takes much of a file along");
        assert!(sending.is_carried(0) && sending.due().is_none());
        sending.heard(0, Fate::GivenUp);
        assert_eq!(sending.due(), Some(0), "it is sealed anew");
        sending.sent(0);
        sending.heard(0, Fate::GivenUp);
        assert!(sending.due().is_none(), "its copy here goes on");
        assert_eq!(sending.ask(&[(0, 3)]), [1, 2], "so is what others alone hold and the recipient asks for");
    }

    #[test]
    fn nothing_is_sent_of_what_is_not_wanted_or_was_stopped() {
        let mut sending = Sending::new(Parts::none(9), Parts::none(9), false);
        assert_eq!(sending.due(), None, "it is offered");
        sending.ask(&[(4, 2)]);
        assert_eq!(sending.due(), Some(4));
        sending.stop();
        assert_eq!(sending.due(), None);
        sending.ask(&[(5, u32::MAX)]);
        assert_eq!(sending.due(), Some(4), "who asks wants it after all");
    }

    #[test]
    fn what_went_to_a_group_goes_once_more_to_who_asks_alone_and_the_rest_to_all() {
        let mut sending = Sending::new(Parts::none(6), Parts::none(6), false);
        assert!(sending.ask_of_group(&[(0, 3)]).is_empty(), "it was only offered, and goes to all");
        (0..2).for_each(|part| assert_eq!(sending.due().inspect(|part| sending.sent(*part)), Some(part)));
        sending.heard(0, Fate::Promised);
        assert_eq!(sending.ask_of_group(&[(0, 4)]), [0], "nobody has the others yet");
        assert_eq!(sending.wanted().iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        sending.has(&[(1, 1), (4, 9)]);
        assert_eq!(sending.ask_of_group(&[(0, u32::MAX)]), [0, 1, 4, 5]);
        assert_eq!(sending.safe().stretches(), [(1, 1), (4, 2)]);
        let mut other = Sending::new(Parts::none(6), Parts::all(6), true);
        other.also(&sending);
        assert!(other.is_done() && other.wanted().len() == 4 && !other.is_stopped());
    }

    proptest! {
        #[test]
        fn whatever_happens_the_windows_hold_and_a_file_that_is_wanted_arrives_whole(
            of in 1u32..200,
            steps in prop::collection::vec(step(), 0..400),
        ) {
            let mut sending = Sending::new(Parts::all(of), Parts::none(of), false);
            for step in steps {
                match step {
                    Step::Next => {
                        if let Some(part) = sending.due() {
                            prop_assert!(part < of && !sending.safe().has(part) && !sending.is_stopped());
                            sending.sent(part);
                        }
                    }
                    Step::Heard(part, fate) => sending.heard(part, fate),
                    Step::Ask(first, many) => {
                        for part in sending.ask(&[(first, many)]) {
                            prop_assert!(!sending.is_carried(part));
                        }
                    }
                    Step::AskOfGroup(first, many) => {
                        for part in sending.ask_of_group(&[(first, many)]) {
                            prop_assert!(sending.safe().has(part) || sending.away.contains_key(&part));
                        }
                    }
                    Step::Has(first, many) => {
                        sending.has(&[(first, many)]);
                        let end = first.saturating_add(many).min(of);
                        prop_assert!((first..end).all(|part| sending.safe().has(part)));
                    }
                    Step::HandOn(part) => sending.handed_on(part),
                    Step::Stop => sending.stop(),
                    Step::Restart => {
                        let (wanted, safe) = (sending.wanted().clone(), sending.safe().clone());
                        sending = Sending::new(wanted, safe, sending.is_stopped());
                    }
                }
                let of = |what| sending.away.values().filter(|away| **away == what).count();
                prop_assert_eq!((of(Away::Promised), of(Away::Carried)), (sending.promised, sending.carried));
                prop_assert!(of(Away::Alone) <= WINDOW_PARTS_MAX);
            }
            sending.ask(&[(0, of)]);
            (0..of).for_each(|part| sending.heard(part, Fate::Lost));
            finish(&mut sending);
            prop_assert!(sending.is_done(), "{:?}", sending);
            prop_assert_eq!(sending.away(), 0);
        }
    }
}
