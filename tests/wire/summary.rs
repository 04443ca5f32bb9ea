//! The example of a reconciliation, word by word: each frame of the page is what the other side's calls for.

use std::collections::BTreeSet;

use dak::agent::summary::{Claim, ContactKey, IdIndex, Reconciliation, Step};
use dak::frame::Frame;
use dak::id::BundleId;

use crate::page::PAGE;

/// What a node holds.
pub struct Side {
    ids: Vec<BundleId>,
    index: IdIndex,
    nonce: [u8; 16],
}

/// What the example says, by its vectors' names, and what it comes to.
pub struct Example {
    pub key: ContactKey,
    pub roots: [[u8; 16]; 2],
    pub frames: Vec<(&'static str, Frame)>,
}

pub fn id(n: u64) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

impl Side {
    fn new(numbers: std::ops::Range<u64>, nonce: u8) -> Side {
        let ids: Vec<BundleId> = numbers.map(id).collect();
        let slots = (0..ids.len() as u32).collect();
        let (index, _) = IdIndex::of(slots, &|slot| ids[slot as usize]);
        Side { ids, index, nonce: [nonce; 16] }
    }

    fn claim(&mut self) -> Claim {
        let Side { ids, index, nonce } = self;
        Claim { nonce: *nonce, count: index.len(), root: index.root(&|slot| ids[slot as usize]) }
    }

    fn begin(&mut self, theirs: &Claim) -> (Reconciliation, Step) {
        let mine = self.claim();
        Reconciliation::begin(&mine, theirs, &mut self.index, &|slot| self.ids[slot as usize])
    }

    fn handle(&mut self, reconciliation: &mut Reconciliation, frame: &Frame) -> Step {
        reconciliation.handle(frame, &mut self.index, &|slot| self.ids[slot as usize])
    }

    fn named(&self, slots: &[u32]) -> BTreeSet<BundleId> {
        slots.iter().map(|slot| self.ids[*slot as usize]).collect()
    }
}

pub fn example() -> Example {
    let (mut alice, mut bob) = (Side::new(0..200, 1), Side::new(3..203, 2));
    let claims = [alice.claim(), bob.claim()];
    let (mut teller, silence) = alice.begin(&claims[1]);
    assert_eq!(silence, Step::default(), "the teller waits for buckets");
    let (mut solver, buckets) = bob.begin(&claims[0]);
    let buckets = only(&buckets);
    let cells = only(&alice.handle(&mut teller, &buckets));
    let more_cells = only(&bob.handle(&mut solver, &cells));
    let further_cells = only(&alice.handle(&mut teller, &more_cells));
    let step = bob.handle(&mut solver, &further_cells);
    assert!(step.done, "these cells are enough");
    assert_eq!(bob.named(&step.surplus), (200..203).map(id).collect());
    let want = only(&step);
    let last = alice.handle(&mut teller, &want);
    assert!(last.done && last.send.is_empty());
    assert_eq!(alice.named(&last.wanted), (0..3).map(id).collect());
    let key = ContactKey::new(&alice.nonce, &bob.nonce);
    let frames = vec![
        ("frame-buckets", buckets),
        ("frame-cells", cells),
        ("frame-more-cells", more_cells),
        ("frame-further-cells", further_cells),
        ("frame-want", want),
    ];
    Example { key, roots: claims.map(|claim| claim.root), frames }
}

fn only(step: &Step) -> Frame {
    assert_eq!((step.send.len(), step.misbehaved), (1, None));
    step.send[0].clone()
}

/// The plan's borders stand on the page as `few < 768, < 160,000, …`, with the bits that belong to them.
#[test]
fn the_plan_changes_at_the_counts_that_the_page_names() {
    let line = PAGE.lines().find(|line| line.starts_with("few < ")).expect("the page has the plan");
    let number = |word: &str| word.trim_matches(',').replace(',', "").parse::<u64>().ok();
    let numbers: Vec<u64> = line.split_whitespace().filter_map(number).collect();
    let (borders, bits) = numbers.split_at(3);
    for (at, border) in borders.iter().enumerate() {
        assert_eq!([border - 1, *border].map(planned), [bits[at], bits[at + 1]].map(Some), "at {border}");
    }
    let line = PAGE.lines().find(|line| line.starts_with("few \u{2264} ")).expect("the page says what is listed");
    let listed = number(line.split_whitespace().nth(2).unwrap()).unwrap();
    assert_eq!([listed, listed + 1].map(planned), [None, Some(bits[0])]);
}

/// How many bits of buckets the solver sends to a teller of so many ids that lacks one.
fn planned(few: u64) -> Option<u64> {
    let mut solver = Side::new(0..1, 2);
    let (teller, mine) = (claim(few, 1), claim(few + 1, 2));
    let (_, step) = Reconciliation::begin(&mine, &teller, &mut solver.index, &|slot| solver.ids[slot as usize]);
    step.send.first().map(|frame| match frame {
        Frame::Buckets { bits, .. } => u64::from(*bits),
        frame => panic!("the solver begins with {frame:?}"),
    })
}

fn claim(count: u64, byte: u8) -> Claim {
    Claim { nonce: [byte; 16], count, root: [byte; 16] }
}
