//! Whether a peer still lives: by its answers to pings, and by any byte that moves.
//!
//! On a slow link that is kept busy a ping waits behind the bundles, for minutes perhaps, so a ping that fails says
//! nothing while bytes move either way. Bytes written count as well: after the first window only the peer makes room.

/// Failed pings in a row, with no byte moved, after which a peer is taken for dead. libp2p keeps the first failure to
/// itself, so these are three.
const MISSED_MAX: u32 = 2;

#[derive(Debug, Default)]
pub(super) struct Pulse {
    moved: u64,
    missed: u32,
}

impl Pulse {
    /// Takes the outcome of a ping and the bytes moved so far; returns whether the peer is to be taken for dead.
    pub fn felt(&mut self, answered: bool, moved: u64) -> bool {
        if answered || moved != self.moved {
            self.missed = 0;
        } else {
            self.missed += 1;
        }
        self.moved = moved;
        self.missed >= MISSED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_nothing_and_moves_nothing_is_dead() {
        let mut pulse = Pulse::default();
        assert!(!pulse.felt(true, 10));
        assert!(!pulse.felt(false, 10));
        assert!(pulse.felt(false, 10));
    }

    #[test]
    fn an_answer_between_is_life() {
        let mut pulse = Pulse::default();
        assert!(!pulse.felt(false, 0));
        assert!(!pulse.felt(true, 0));
        assert!(!pulse.felt(false, 0));
    }

    #[test]
    fn bytes_that_move_are_life_though_every_ping_fails() {
        let mut pulse = Pulse::default();
        assert!((1..100).all(|moved| !pulse.felt(false, moved)));
    }
}
