//! How frames move. Within a contact they may be lost, doubled, overtaken, cut or damaged; whatever is under
//! way when a contact ends is gone.
//!
//! Streams between real nodes are encrypted and authenticated, so nobody but the two ends can say anything in one.
//! Damage therefore comes to whatever a hostile end says and, of what honest ones say, to bundles only, whose words
//! carry a signature of their own.

use std::sync::Arc;

use crate::agent::Input;
use crate::bundle::{Ends, Unverified};
use crate::frame::{Frame, Incoming, Transit, is_answer, unfolded};

use super::Checked;
use super::air::AirFaults;
use super::world::World;

/// Most frames that move before a settled world is found restless.
const FRAMES_MAX: u64 = 200_000;

impl World {
    /// A frame goes on its way. One that no peer would take is a fault, whoever says it.
    pub(super) fn say(&mut self, from: usize, to: usize, frame: &Frame) {
        self.put(from, to, frame.encode().expect("what an agent says fits a frame"));
    }

    /// Bytes go on their way.
    pub(super) fn put(&mut self, from: usize, to: usize, mut bytes: Vec<u8>) {
        let AirFaults { lost, doubled, overtaken, cut, damaged } = match self.is_stormy {
            true => self.plan.air,
            false => AirFaults::default(),
        };
        let ends = Ends { from: self.nodes[from].id, to: self.nodes[to].id };
        let whole = unfolded(&bytes, &ends, self.air.given((to, from))).into_owned();
        self.air.note_given((from, to), &whole, &ends);
        let World { dice, counts, air, .. } = self;
        if lost > 0 && dice.chance(lost) {
            counts.damaged += 1;
            return;
        }
        if cut > 0 && !bytes.is_empty() && dice.chance(cut) {
            counts.damaged += 1;
            bytes.truncate(dice.below(bytes.len() as u64) as usize);
        }
        let can_be_damaged = self.plan.is_hostile(from) || is_bundle(&bytes);
        if damaged > 0 && !bytes.is_empty() && can_be_damaged && dice.chance(damaged) {
            counts.damaged += 1;
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << dice.below(8);
        }
        let lane = air.lanes.entry((from, to)).or_default();
        if doubled > 0 && dice.chance(doubled) {
            counts.damaged += 1;
            lane.push_back(bytes.clone());
        }
        if overtaken > 0 && !lane.is_empty() && dice.chance(overtaken) {
            counts.damaged += 1;
            let at = dice.below(lane.len() as u64) as usize;
            lane.insert(at, bytes);
        } else {
            lane.push_back(bytes);
        }
    }

    /// Moves at most so many frames; false once none is under way.
    pub(super) fn move_frames(&mut self, frames: u64) -> Result<bool, super::Broken> {
        for _ in 0..frames {
            let Some((from, to, bytes)) = self.air.pop(&mut self.dice) else { return Ok(false) };
            self.counts.frames += 1;
            let ends = Ends { from: self.nodes[from].id, to: self.nodes[to].id };
            let wants_none = is_answer(&bytes);
            let bytes = unfolded(&bytes, &ends, self.air.given((to, from))).into_owned();
            self.air.note_taken((from, to), &bytes, &ends);
            self.note(to, &bytes);
            self.watch(from, to, &bytes);
            self.arrive(from, to, &bytes, wants_none)?;
        }
        Ok(true)
    }

    /// Moves everything that is under way and everything it leads to.
    pub(super) fn settle(&mut self) -> Checked {
        for _ in 0..FRAMES_MAX {
            if !self.move_frames(1)? {
                self.flush_all()?;
                if self.air.lanes.is_empty() {
                    return Ok(());
                }
            }
        }
        super::must(false, super::Promise::EverythingArrives, || "the exchange never ends".into())
    }

    /// What a driver does with bytes from a peer.
    fn arrive(&mut self, from: usize, to: usize, bytes: &[u8], is_answer: bool) -> Checked {
        if self.plan.is_hostile(to) && self.swallows(from, to, bytes) {
            return Ok(());
        }
        let peer = self.nodes[from].id;
        let input = match Incoming::decode(bytes) {
            Ok(Incoming::Frame(frame)) => Input::Frame { from: peer, frame },
            Ok(Incoming::Bundle { copies, bytes }) => {
                let Ok(unverified) = Unverified::parse(bytes) else { return self.turn_away(to) };
                let (id, transit) = (unverified.id(), Transit { hops: unverified.hops(), copies, is_answer });
                if self.agent(to).turns_away(&id) {
                    Input::Duplicate { from: peer, transit, id }
                } else {
                    let Ok((bundle, _)) = unverified.verify() else { return self.turn_away(to) };
                    let size_bytes = self.weights.get(&id).copied().unwrap_or(bytes.len() as u32);
                    Input::Bundle { from: peer, transit, bundle: Arc::new(bundle), size_bytes }
                }
            }
            // What unfolds was unfolded.
            Ok(Incoming::Folded { .. }) | Err(_) => return self.turn_away(to),
        };
        self.input(to, input)
    }

    fn turn_away(&mut self, to: usize) -> Checked {
        self.counts.refused += 1;
        self.tell(|| format!("{to} turns bytes away"));
        Ok(())
    }
}

fn is_bundle(bytes: &[u8]) -> bool {
    matches!(Incoming::decode(bytes), Ok(Incoming::Bundle { .. }))
}
