//! When each agent wants to be called again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One alarm a node. An alarm that became too early is kept: it rings, and the world sets the next.
#[derive(Debug, Default)]
pub struct Timers {
    alarms: BinaryHeap<Reverse<(u64, u32)>>,
    /// The alarm that counts, for nodes up to the last that had one; others of the node are void.
    set_us: Vec<u64>,
}

/// Later than any run.
pub const NEVER: u64 = u64::MAX;

impl Timers {
    /// Takes a node's alarm out; returns when it would have rung, [`NEVER`] where none was set.
    pub fn take(&mut self, node: u32) -> u64 {
        self.set_us.get_mut(node as usize).map_or(NEVER, |set_us| std::mem::replace(set_us, NEVER))
    }

    /// Forgets what all the alarms taken out have left behind.
    pub fn clear(&mut self) {
        self.alarms.clear();
    }

    /// Makes sure that an alarm rings by `due_us`.
    pub fn set(&mut self, node: u32, due_us: u64) {
        let least = node as usize + 1;
        if self.set_us.len() < least {
            self.set_us.resize(least, NEVER);
        }
        let set_us = &mut self.set_us[node as usize];
        if due_us < *set_us {
            *set_us = due_us;
            self.alarms.push(Reverse((due_us, node)));
        }
    }

    pub fn next_us(&mut self) -> Option<u64> {
        while let Some(Reverse((due_us, node))) = self.alarms.peek() {
            if self.set_us[*node as usize] == *due_us {
                return Some(*due_us);
            }
            self.alarms.pop();
        }
        None
    }

    /// Takes the next alarm.
    pub fn ring(&mut self) -> Option<u32> {
        self.next_us()?;
        let Reverse((_, node)) = self.alarms.pop()?;
        self.set_us[node as usize] = NEVER;
        Some(node)
    }
}
