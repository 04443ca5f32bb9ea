//! Links on which every exchange takes no time: what is sent arrives at the same instant, in the order of sending.

use std::collections::VecDeque;

use super::Transfer;

#[derive(Debug, Default)]
pub struct Ideal {
    under_way: VecDeque<Transfer>,
}

impl Ideal {
    pub fn send(&mut self, transfer: Transfer) {
        self.under_way.push_back(transfer);
    }

    /// What was said while other contacts of this instant ended goes no further.
    pub fn close(&mut self, a: u32, b: u32) {
        self.under_way
            .retain(|transfer| (transfer.from, transfer.to) != (a, b) && (transfer.to, transfer.from) != (a, b));
    }

    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    pub fn arrived(&mut self) -> Option<Transfer> {
        self.under_way.pop_front()
    }
}
