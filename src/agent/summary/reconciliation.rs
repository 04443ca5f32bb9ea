//! One contact's reconciliation: who knows what the other lacks.
//!
//! The side with fewer ids (or, of two as many, the smaller nonce) *tells*, the other *solves*:
//!
//! ```text
//! roots equal, or the teller has nothing      no frame at all
//! few ids, or numbers far apart               teller: ShortIds …     solver: Want
//! else     solver: Buckets                    teller: ShortIds | Cells (solver: MoreCells …)     solver: Want
//! ```
//!
//! The solver learns both halves of the difference: what only it knows it pushes, what only the teller knows it asks
//! for by [`Frame::Want`]. Large sets go in stretches of at most [`STRETCH_IDS_MAX`](super::STRETCH_IDS_MAX) ids of the teller, each told,
//! solved and wanted before the next begins, so that neither side keeps more than one in memory. `up_to` of the last
//! is the largest prefix there is.
//!
//! The teller tells a stretch in whichever of the two forms is shorter, as far as it can guess, and turns from cells
//! to the list once more cells would be longer than that; or at once, when the solver gives up on its cells and asks
//! for zero more. So an exchange between honest nodes always ends with the whole difference, at no more than twice
//! the cost of the list.
//!
//! Bundles may come and go meanwhile: a stretch is a snapshot at the teller, and an id is looked up afresh when it is
//! named. Each id that one side knew and the other lacked throughout is found; one that came to the other meanwhile
//! may be missing from the answer or not.

use super::index::{Digest, IdIndex};
use super::key::ContactKey;
use super::solver::Solver;
use super::step::Step;
use super::teller::Teller;
use crate::frame::{Frame, Hello};
use crate::id::BundleId;

/// What one side said of its summary in its `Hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub nonce: [u8; 16],
    pub count: u64,
    pub root: Digest,
}

/// Where one contact's reconciliation stands.
#[derive(Debug)]
pub struct Reconciliation {
    key: ContactKey,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Teller(Teller),
    Solver(Solver),
    Done,
}

/// A claimed count counts as no more than this.
pub const CLAIM_MAX: u64 = 1 << 26;

impl Claim {
    pub fn of(hello: &Hello) -> Claim {
        Claim { nonce: hello.nonce, count: hello.count, root: hello.root }
    }
}

impl Reconciliation {
    /// Begins once both have said `Hello`.
    pub fn begin(
        mine: &Claim,
        theirs: &Claim,
        index: &mut IdIndex,
        full: &impl Fn(u32) -> BundleId,
    ) -> (Reconciliation, Step) {
        let key = ContactKey::new(&mine.nonce, &theirs.nonce);
        let (mine_count, theirs_count) = (mine.count.min(CLAIM_MAX), theirs.count.min(CLAIM_MAX));
        let (role, step) = if mine.root == theirs.root {
            (Role::Done, Step { done: true, ..Step::default() })
        } else if mine.nonce == theirs.nonce {
            (Role::Done, Step::misbehaved("it sent this node's own nonce back"))
        } else if (mine_count, mine.nonce) < (theirs_count, theirs.nonce) {
            let (teller, step) = Teller::begin(&key, mine_count, theirs_count, index, full);
            (Role::Teller(teller), step)
        } else {
            let (solver, step) = Solver::begin(&key, mine_count, theirs_count, index, full);
            (Role::Solver(solver), step)
        };
        let role = if step.done { Role::Done } else { role };
        (Reconciliation { key, role }, step)
    }

    pub fn is_done(&self) -> bool {
        matches!(self.role, Role::Done)
    }

    /// Takes a frame of the peer: [`Frame::Buckets`], `ShortIds`, `Cells`, `MoreCells` or `Want`.
    pub fn handle(&mut self, frame: &Frame, index: &mut IdIndex, full: &impl Fn(u32) -> BundleId) -> Step {
        let step = match &mut self.role {
            Role::Teller(teller) => teller.handle(&self.key, frame, index, full),
            Role::Solver(solver) => solver.handle(&self.key, frame, index, full),
            Role::Done => Step::misbehaved("a summary frame came after the end of the reconciliation"),
        };
        if step.done {
            self.role = Role::Done;
        }
        step
    }
}
