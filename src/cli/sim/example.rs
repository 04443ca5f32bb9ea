//! `dak sim example`.

use super::{Outcome, print};

pub fn example() -> Outcome {
    print(crate::sim::EXAMPLE)
}
