//! Summaries: two honest nodes find every difference, and a hostile one gets no panic and no endless talk.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, OnceLock};

use dak::agent::summary::{Claim, IdIndex, Reconciliation, STRETCH_IDS_MAX};
use dak::frame::{Cell, FRAME_CELLS_MAX, Frame};
use dak::id::BundleId;

use super::draw::Draw;

/// Most frames of one contact here.
const FRAMES_MAX: usize = 200;
/// Ids that the two sides may have.
const IDS: usize = 1_500;
/// The same of a great store, and of the peer that invented more ids than one stretch may have. They take a while to fill,
/// so they are filled once.
const MANY: Range<u32> = 0..50_000;
const INVENTED: Range<u32> = 1_000_000..1_070_000;

pub fn cells(data: &[u8]) {
    let mut draw = Draw(data);
    if draw.flag() {
        return honest(&mut draw);
    }
    let count = draw.number() as u32 % IDS as u32;
    hostile(&mut draw, &mut Side::new((0..count).collect(), [7; 16]), None);
}

/// A great store, and a peer that says anything, or what it would say if it had all that it invented.
pub fn hoard(data: &[u8]) {
    static MINE: OnceLock<Mutex<Side>> = OnceLock::new();
    static THEIRS: OnceLock<Mutex<Side>> = OnceLock::new();
    let mut draw = Draw(data);
    let mut inventor = draw.flag().then(|| once(&THEIRS, INVENTED));
    hostile(&mut draw, &mut once(&MINE, MANY), inventor.as_deref_mut());
}

fn once(place: &'static OnceLock<Mutex<Side>>, ids: Range<u32>) -> MutexGuard<'static, Side> {
    let side = place.get_or_init(|| Mutex::new(Side::new(ids.collect(), [7; 16])));
    side.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn id(n: u32) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

/// What one side knows; slots are numbers of ids.
struct Side {
    index: IdIndex,
    known: BTreeSet<u32>,
    nonce: [u8; 16],
}

impl Side {
    fn new(known: BTreeSet<u32>, nonce: [u8; 16]) -> Side {
        let mut index = IdIndex::new();
        known.iter().for_each(|n| assert!(index.insert(&id(*n), *n, &id)));
        Side { index, known, nonce }
    }

    fn claim(&mut self) -> Claim {
        Claim { nonce: self.nonce, count: self.index.len(), root: self.index.root(&id) }
    }
}

/// Both know a stretch of numbers; some are taken out of either.
fn honest(draw: &mut Draw<'_>) {
    let of = |draw: &mut Draw<'_>, nonce: u8| {
        let end = draw.number() as usize % IDS;
        let mut known: BTreeSet<u32> = (0..end as u32).collect();
        for _ in 0..draw.byte() {
            known.remove(&((draw.number() as usize % IDS) as u32));
        }
        Side::new(known, [nonce; 16])
    };
    let mut sides = [of(draw, 1), of(draw, 2)];
    let claims = [sides[0].claim(), sides[1].claim()];
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    let mut talks = Vec::new();
    let mut wire = Vec::new();
    for n in [0, 1] {
        let (talk, step) = Reconciliation::begin(&claims[n], &claims[1 - n], &mut sides[n].index, &id);
        talks.push(talk);
        assert_eq!(step.misbehaved, None);
        found[n].extend(step.surplus.into_iter().chain(step.wanted));
        if step.everything {
            found[n].extend(&sides[n].known);
        }
        wire.extend(step.send.into_iter().map(|frame| (1 - n, frame)));
    }
    let mut frames = 0;
    while let Some((to, frame)) = (!wire.is_empty()).then(|| wire.remove(0)) {
        frames += 1;
        assert!(frames < FRAMES_MAX, "two honest nodes come to an end");
        let frame = Frame::decode(&frame.encode().expect("what a side says fits a frame")).expect("frames read back");
        let step = talks[to].handle(&frame, &mut sides[to].index, &id);
        assert_eq!(step.misbehaved, None, "an honest node looks honest");
        found[to].extend(step.surplus.into_iter().chain(step.wanted));
        wire.extend(step.send.into_iter().map(|frame| (1 - to, frame)));
    }
    assert!(talks.iter().all(Reconciliation::is_done));
    for n in [0, 1] {
        let lacking: BTreeSet<u32> = sides[n].known.difference(&sides[1 - n].known).copied().collect();
        assert_eq!(found[n], lacking, "each learns exactly what the other lacks");
    }
}

/// One side says anything at all; where it has an inventor, what that would say comes first.
fn hostile(draw: &mut Draw<'_>, mine: &mut Side, mut inventor: Option<&mut Side>) {
    let claim = mine.claim();
    let count = if draw.flag() { claim.count.saturating_add_signed(draw.below(4) as i64 - 2) } else { draw.number() };
    let theirs = Claim { nonce: [draw.byte(); 16], count, root: [draw.byte(); 16] };
    let (mut talk, step) = Reconciliation::begin(&claim, &theirs, &mut mine.index, &id);
    let mut tale = inventor.as_mut().map(|side| Reconciliation::begin(&theirs, &claim, &mut side.index, &id));
    let mut told: Vec<Frame> = tale.iter_mut().flat_map(|(_, step)| std::mem::take(&mut step.send)).collect();
    // What this side said last is worth sending back: a fuzzer does not guess fingerprints and counts.
    let mut said = step.send;
    let mut asked = 0u64;
    for _ in 0..FRAMES_MAX {
        if draw.is_over() {
            return;
        }
        if let (Some((tale, _)), Some(side), [frame]) = (&mut tale, &mut inventor, &said[..]) {
            told.extend(tale.handle(frame, &mut side.index, &id).send);
        }
        let frame = if told.is_empty() { any_frame(draw, &said, asked) } else { told.remove(0) };
        let was_done = talk.is_done();
        let step = talk.handle(&frame, &mut mine.index, &id);
        assert!(!was_done || step.misbehaved.is_some(), "nothing follows the end");
        assert!(step.misbehaved.is_none() || talk.is_done(), "who misbehaves is not talked to any more");
        assert!(step.send.len() <= 1, "one frame answers one frame");
        assert!(step.surplus.iter().chain(&step.wanted).all(|slot| mine.known.contains(slot)));
        for frame in &step.send {
            assert_eq!(Frame::decode(&frame.encode().expect("what a side says fits a frame")).as_ref(), Ok(frame));
            if let Frame::MoreCells { count, .. } = frame {
                asked += u64::from(*count);
                let max = 2 * (mine.known.len() as u64 + STRETCH_IDS_MAX as u64 + 256) * FRAMES_MAX as u64;
                assert!(asked <= max, "cells are asked for within bounds");
            }
        }
        said = step.send;
    }
}

fn any_frame(draw: &mut Draw<'_>, said: &[Frame], start: u64) -> Frame {
    let buckets = match draw.below(4) {
        0 => draw.bytes().to_vec(),
        n => vec![[0xff, 0x80, 0x00][n - 1]; draw.below(3)],
    };
    let up_to = if draw.flag() { u64::MAX } else { draw.number() };
    let numbers = |draw: &mut Draw<'_>| {
        let mut ids: Vec<u64> = (0..draw.below(40)).map(|_| draw.number()).collect();
        if draw.flag() {
            ids.sort_unstable();
            ids.dedup();
        }
        ids
    };
    match draw.below(7) {
        0 => {
            let bits = (draw.below(6) * 2) as u8;
            Frame::Buckets { bits, fingerprints: (0..1u32 << bits).map(|n| n * u32::from(draw.byte())).collect() }
        }
        1 => Frame::ShortIds { buckets, up_to, ids: numbers(draw) },
        2 | 3 => {
            let asked = said.iter().find_map(|frame| match frame {
                Frame::MoreCells { start, count } => Some((*start, *count)),
                _ => None,
            });
            let (start, count) = match asked {
                Some(asked) if draw.flag() => asked,
                _ => (draw.number().min(start) as u32, draw.byte().into()),
            };
            let pattern = [draw.number(), draw.number()];
            let cell = |n: u32| Cell {
                sum: pattern[0].wrapping_mul(u64::from(n)),
                check: pattern[1] as u32,
                count: n as u8 & draw.byte(),
            };
            let cells = (0..count.min(FRAME_CELLS_MAX as u32)).map(cell).collect();
            Frame::Cells { buckets: if start == 0 { buckets } else { Vec::new() }, up_to, start, cells }
        }
        4 => {
            Frame::MoreCells { start: draw.number() as u32, count: draw.number() as u32 % (FRAME_CELLS_MAX as u32 + 1) }
        }
        5 => Frame::Want { ids: numbers(draw) },
        // One's own frame, sent back.
        _ => said.first().cloned().unwrap_or(Frame::Want { ids: Vec::new() }),
    }
}
