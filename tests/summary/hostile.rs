//! Peers that lie: an exchange with them ends soon, costs little, and takes nothing from the honest.

use dak::agent::summary::{Claim, ContactKey, Reconciliation, Step};
use dak::frame::{Cell, FRAME_CELLS_MAX, Frame};
use dak::id::BundleId;
use proptest::prelude::*;

use crate::common::{Node, id, ids, reconcile};

const MINE: u8 = 1;
const THEIRS: u8 = 2;

/// A node in contact with a peer that says what it likes.
struct Victim {
    node: Node,
    reconciliation: Reconciliation,
    began: Step,
}

impl Victim {
    fn of(count: u64, claimed: u64) -> Victim {
        let mut node = Node::with((0..count).map(id));
        let mine = node.claim(MINE);
        let (reconciliation, began) = node.begin(&mine, &claim(claimed));
        Victim { node, reconciliation, began }
    }

    /// A victim that tells: the peer claims as many ids and one more.
    fn telling(count: u64) -> Victim {
        Victim::of(count, count + 1)
    }

    /// A victim that solves: the peer claims one id less.
    fn solving(count: u64) -> Victim {
        Victim::of(count, count - 1)
    }

    fn say(&mut self, frame: &Frame) -> Step {
        // What the codec would not let through never reaches a reconciliation.
        let frame = Frame::decode(&frame.encode().unwrap()).expect("the frame is well formed");
        self.node.handle(&mut self.reconciliation, &frame)
    }

    fn bits(&self) -> u8 {
        match self.began.send[..] {
            [Frame::Buckets { bits, .. }] => bits,
            _ => panic!("a victim that solves begins with buckets"),
        }
    }

    /// A map that names all buckets.
    fn all_buckets(&self) -> Vec<u8> {
        vec![0xff; 1 << (self.bits() - 3)]
    }
}

fn claim(count: u64) -> Claim {
    Claim { nonce: [THEIRS; 16], count, root: [0xee; 16] }
}

fn key() -> ContactKey {
    ContactKey::new(&[MINE; 16], &[THEIRS; 16])
}

fn cells(victim: &Victim, start: u32, cells: Vec<Cell>) -> Frame {
    Frame::Cells { buckets: if start == 0 { victim.all_buckets() } else { Vec::new() }, up_to: u64::MAX, start, cells }
}

fn single(short: u64) -> Cell {
    Cell { sum: short, check: key().check(short), count: 1 }
}

/// The first cells of a set of short ids, reckoned by a second program from the formula in the code's description.
fn cells_of(shorts: impl IntoIterator<Item = u64>, count: u32) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); count as usize];
    for short in shorts {
        let (check, mut at) = (key().check(short), 0u64);
        while let Some(cell) = cells.get_mut(at as usize) {
            *cell = Cell { sum: cell.sum ^ short, check: cell.check ^ check, count: cell.count.wrapping_add(1) };
            let mut x = short.wrapping_add((at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^= x >> 31;
            let s = (x >> 32).max(x & 0xffff_ffff) + 1;
            at += ((2 * at + 3) * ((1 << 32) - s)).div_ceil(2 * s).max(1);
        }
    }
    cells
}

/// How many ids a step asks for.
fn wants(step: &Step) -> usize {
    step.send.iter().map(|frame| if let Frame::Want { ids } = frame { ids.len() } else { 0 }).sum()
}

fn assert_misbehaved(step: &Step) {
    assert!(step.misbehaved.is_some() && step.done, "{step:?}");
    assert!(step.send.is_empty() && step.surplus.is_empty() && step.wanted.is_empty() && !step.everything);
}

/// Answers every wish for more with the cells that `cell` makes, until the victim asks for the list or ends.
fn feed(victim: &mut Victim, mut cell: impl FnMut(u32) -> Cell) -> Step {
    let mut step = victim.say(&cells(victim, 0, (0..10).map(&mut cell).collect()));
    for _ in 0..1_000 {
        match step.send[..] {
            [Frame::MoreCells { start, count }] if count > 0 => {
                step = victim.say(&cells(victim, start, (start..start + count).map(&mut cell).collect()));
            }
            _ => return step,
        }
    }
    panic!("the victim asks for cells without end");
}

#[test]
fn cells_of_no_set_end_in_the_list_and_the_list_in_the_difference() {
    let garbage = |n: u32| {
        let hash = blake3::hash(&n.to_be_bytes());
        let number = |at: usize| u64::from_be_bytes(hash.as_bytes()[at..at + 8].try_into().unwrap());
        Cell { sum: number(0), check: number(8) as u32, count: number(16) as u8 }
    };
    let same = |_| single(0x1234_5678_9abc_def0);
    // Empty, less the victim's own, is minus the victim's own: only the first cell is wrong.
    let first_wrong = |n| if n == 0 { single(77) } else { Cell::default() };
    let many_singles = |n| single(u64::from(n) << 32);
    for (name, cell) in [
        ("garbage", &garbage as &dyn Fn(u32) -> Cell),
        ("all the same", &same),
        ("the first wrong", &first_wrong),
        ("each a single", &many_singles),
    ] {
        let mut victim = Victim::solving(1_000);
        let step = feed(&mut victim, cell);
        assert!(matches!(step.send[..], [Frame::MoreCells { count: 0, .. }]), "{name}: {step:?}");
        let mut list: Vec<u64> = (100..1_100).map(|n| key().short_id(&id(n))).collect();
        list.sort_unstable();
        let step = victim.say(&Frame::ShortIds { buckets: victim.all_buckets(), up_to: u64::MAX, ids: list });
        assert_eq!((step.surplus.len(), wants(&step), step.done), (100, 100, true), "{name}");
    }
}

/// The crafted cell that makes others' decoders loop: taking its id out leaves another single id behind, for ever.
#[test]
fn a_cell_that_gives_itself_away_again_and_again_is_given_up() {
    for copies in [2u8, 3, 129, 200] {
        let mut victim = Victim::solving(1_000);
        // The victim knows nothing in these buckets, so that the cells are taken as they are.
        let short = 42;
        let odd = u64::from(copies % 2);
        let cell = Cell { sum: short * odd, check: key().check(short) * odd as u32, count: copies };
        let frame = Frame::Cells {
            buckets: vec![0; victim.all_buckets().len()],
            up_to: u64::MAX,
            start: 0,
            cells: [vec![cell; 500], vec![single(short); 500]].concat(),
        };
        let step = victim.say(&frame);
        assert!(matches!(step.send[..], [Frame::MoreCells { .. }]), "{copies}: {step:?}");
        assert_eq!((wants(&step), step.done), (0, false));
    }
}

#[test]
fn an_id_in_cells_where_it_does_not_belong_is_not_believed() {
    let mut victim = Victim::solving(1_000);
    let frame = Frame::Cells {
        buckets: vec![0; victim.all_buckets().len()],
        up_to: u64::MAX,
        start: 0,
        cells: vec![single(42); 300],
    };
    let step = victim.say(&frame);
    // The first cell is explained by one id, the others are not: no set makes such cells.
    assert!(matches!(step.send[..], [Frame::MoreCells { count: 0, .. }]), "{step:?}");
    assert_eq!(wants(&step), 0);
}

#[test]
fn other_cells_than_those_asked_for_are_misbehaviour() {
    let open = || {
        let mut victim = Victim::solving(1_000);
        let step = victim.say(&cells(&victim, 0, vec![single(5); 10]));
        let [Frame::MoreCells { start, count }] = step.send[..] else { panic!("{step:?}") };
        (victim, start, count)
    };
    let (mut victim, start, count) = open();
    assert_misbehaved(&victim.say(&cells(&victim, start, vec![single(5); count as usize + 1])));
    let (mut victim, start, count) = open();
    assert_misbehaved(&victim.say(&cells(&victim, start, vec![single(5); count as usize - 1])));
    let (mut victim, start, count) = open();
    assert_misbehaved(&victim.say(&cells(&victim, start + 1, vec![single(5); count as usize])));
    let (mut victim, start, count) = open();
    let elsewhere = Frame::Cells { buckets: Vec::new(), up_to: 7, start, cells: vec![single(5); count as usize] };
    assert_misbehaved(&victim.say(&elsewhere));
    let (mut victim, start, count) = open();
    let renamed =
        Frame::Cells { buckets: victim.all_buckets(), up_to: u64::MAX, start, cells: vec![single(5); count as usize] };
    assert_misbehaved(&victim.say(&renamed));
    let (mut victim, ..) = open();
    assert_misbehaved(&victim.say(&cells(&victim, 0, vec![single(5); 10])));
    let (mut victim, ..) = open();
    assert_misbehaved(&victim.say(&Frame::ShortIds { buckets: victim.all_buckets(), up_to: 7, ids: Vec::new() }));
}

#[test]
fn more_cells_than_any_two_sets_need_are_not_looked_at() {
    // Cells of no difference at all; but no honest peer of 99 ids sends so many.
    for (count, looked_at) in [(198, true), (199, false), (FRAME_CELLS_MAX, false)] {
        let mut victim = Victim::of(100, 99);
        let frame = Frame::Cells {
            buckets: vec![0; victim.all_buckets().len()],
            up_to: u64::MAX,
            start: 0,
            cells: vec![Cell::default(); count],
        };
        assert_eq!(victim.say(&frame).done, looked_at, "{count} cells");
    }
}

#[test]
fn whoever_asks_for_cells_without_end_gets_the_list_and_then_nothing() {
    let mut victim = Victim::telling(1_000);
    // One bucket that is not the victim's: cells are the shorter form.
    let mut other = victim.node.clone();
    other.insert(id(5_000_000));
    let fingerprints = other.buckets(6).iter().map(|bucket| key().fingerprint(&bucket.digest)).collect();
    let mut step = victim.say(&Frame::Buckets { bits: 6, fingerprints });
    let mut bytes = 0;
    for _ in 0..1_000 {
        bytes += step.send.iter().map(Frame::encoded_len).sum::<usize>();
        step = match step.send[..] {
            [Frame::Cells { start, ref cells, .. }] => {
                victim.say(&Frame::MoreCells { start: start + cells.len() as u32, count: 3 })
            }
            [Frame::ShortIds { .. }] => break,
            _ => panic!("neither cells nor a list: {step:?}"),
        };
    }
    assert!(matches!(step.send[..], [Frame::ShortIds { .. }]));
    assert!(bytes < 1_000 * 8, "{bytes} bytes");
    assert_misbehaved(&victim.say(&Frame::MoreCells { start: 0, count: 3 }));
}

/// The poison: cells that peel to the end and hold more ids than the frame that asks for them.
#[test]
fn cells_of_more_ids_than_a_stretch_may_have_are_misbehaviour() {
    for invented in [65_536, 65_537] {
        let mut victim = Victim::solving(50_000);
        let own = (0..50_000).map(|n| key().short_id(&id(n)));
        let poison = cells_of(own.chain((0..invented).map(|n| n << 32 | 7)), 200_000);
        let mut step = victim.say(&cells(&victim, 0, poison[..FRAME_CELLS_MAX].to_vec()));
        while let [Frame::MoreCells { start, count }] = step.send[..] {
            assert_ne!(count, 0, "the cells are those of a set");
            let more = poison[start as usize..][..count as usize].to_vec();
            step = victim.say(&cells(&victim, start, more));
        }
        match &step.send[..] {
            [want @ Frame::Want { ids }] => {
                assert_eq!(ids.len() as u64, invented);
                assert_eq!(Frame::decode(&want.encode().unwrap()).as_ref(), Ok(want));
                assert!(invented <= 65_536);
            }
            _ => assert_misbehaved(&step),
        }
    }
}

#[test]
fn cells_are_asked_for_in_turn() {
    for (start, count) in [(0, 5), (7, 5), (u32::MAX, 5), (u32::MAX, 0)] {
        let mut victim = Victim::telling(1_000);
        victim.say(&Frame::Buckets { bits: 6, fingerprints: vec![0; 64] });
        assert_misbehaved(&victim.say(&Frame::MoreCells { start, count }));
    }
}

#[test]
fn a_giant_claim_costs_four_kilobytes_at_most() {
    for claimed in [1 << 20, 1 << 40, u64::MAX] {
        for count in [0, 1, 40, 1_000] {
            let victim = Victim::of(count, claimed);
            let bytes: usize = victim.began.send.iter().map(Frame::encoded_len).sum();
            assert!(bytes <= 9_000, "{count} against {claimed}: {bytes}");
        }
    }
    // Many on both sides, as far as the peer's word goes.
    let mut node = Node::with((0..500).map(id));
    let mine = Claim { count: u64::MAX, ..node.claim(MINE) };
    let (_, step) = node.begin(&mine, &claim(u64::MAX - 1));
    assert!(step.send.iter().map(Frame::encoded_len).sum::<usize>() <= 4_200);
}

#[test]
fn who_claims_nothing_lacks_everything_and_costs_no_list_of_it() {
    let victim = Victim::of(500, 0);
    assert_eq!(victim.began, Step { everything: true, done: true, ..Step::default() });
}

#[test]
fn lists_out_of_order_or_with_repetitions_are_misbehaviour() {
    for ids in [vec![5, 4], vec![5, 5], vec![1, 2, 3, 3, 9], vec![u64::MAX, 0]] {
        let mut victim = Victim::solving(1_000);
        assert_misbehaved(&victim.say(&Frame::ShortIds {
            buckets: victim.all_buckets(),
            up_to: u64::MAX,
            ids: ids.clone(),
        }));
        let mut victim = Victim::telling(40);
        assert_misbehaved(&victim.say(&Frame::Want { ids }));
    }
}

#[test]
fn maps_of_other_buckets_are_misbehaviour() {
    for len in [0, 1, 7, 9, 128] {
        let mut victim = Victim::solving(1_000);
        let list = Frame::ShortIds { buckets: vec![0xff; len], up_to: u64::MAX, ids: Vec::new() };
        assert_misbehaved(&victim.say(&list));
        let mut victim = Victim::solving(1_000);
        assert_misbehaved(&victim.say(&Frame::Cells {
            buckets: vec![0xff; len],
            up_to: u64::MAX,
            start: 0,
            cells: vec![single(1)],
        }));
    }
}

#[test]
fn fingerprints_of_other_buckets_are_misbehaviour() {
    for bits in [0, 4, 5, 7, 8, 10] {
        let mut victim = Victim::telling(1_000);
        assert_misbehaved(&victim.say(&Frame::Buckets { bits, fingerprints: vec![0; 1 << bits] }));
    }
}

#[test]
fn forged_fingerprints_draw_no_more_than_cells_and_the_list() {
    let mut victim = Victim::telling(1_000);
    let step = victim.say(&Frame::Buckets { bits: 6, fingerprints: vec![7; 64] });
    let [Frame::Cells { ref cells, .. }] = step.send[..] else { panic!("{step:?}") };
    let (sent, start) = (step.send[0].encoded_len(), cells.len() as u32);
    let step = victim.say(&Frame::MoreCells { start, count: 0 });
    let [Frame::ShortIds { ref ids, .. }] = step.send[..] else { panic!("{step:?}") };
    assert_eq!(ids.len(), 1_000);
    assert!(sent + step.send[0].encoded_len() <= 2 * 8_100);
}

#[test]
fn fingerprints_all_alike_end_the_exchange() {
    let mut victim = Victim::telling(1_000);
    let fingerprints = victim.node.buckets(6).iter().map(|bucket| key().fingerprint(&bucket.digest)).collect();
    let step = victim.say(&Frame::Buckets { bits: 6, fingerprints });
    assert!(matches!(&step.send[..], [Frame::ShortIds { ids, up_to: u64::MAX, .. }] if ids.is_empty()));
    assert!(victim.say(&Frame::Want { ids: Vec::new() }).done);
}

#[test]
fn a_summary_in_endless_parts_is_cut_off() {
    let mut victim = Victim::solving(1_000);
    for up_to in 0..1_000 {
        let step = victim.say(&Frame::ShortIds { buckets: victim.all_buckets(), up_to, ids: Vec::new() });
        if step.done {
            assert_misbehaved(&step);
            assert!(up_to < 20, "after {up_to} parts");
            return;
        }
    }
    panic!("the parts went on for ever");
}

#[test]
fn no_part_is_told_twice() {
    let mut victim = Victim::solving(1_000);
    let list = |victim: &Victim, up_to| Frame::ShortIds { buckets: victim.all_buckets(), up_to, ids: Vec::new() };
    assert_eq!(victim.say(&list(&victim, 1 << 63)).misbehaved, None);
    assert_misbehaved(&victim.say(&list(&victim, 1 << 62)));
}

#[test]
fn only_what_was_told_is_wanted() {
    let known = |n| key().short_id(&id(n));
    let mut victim = Victim::telling(40);
    let mut want = vec![known(3), known(7), known(1_000_000)];
    want.sort_unstable();
    let step = victim.say(&Frame::Want { ids: want });
    let mut wanted: Vec<BundleId> = step.wanted.iter().map(|slot| victim.node.slab[*slot as usize]).collect();
    wanted.sort_unstable();
    assert_eq!(wanted, Vec::from_iter(ids([3, 7])));

    let mut victim = Victim::telling(40);
    assert_misbehaved(&victim.say(&Frame::Want { ids: (0..41).collect() }));
}

#[test]
fn one_s_own_nonce_sent_back_is_misbehaviour() {
    let mut node = Node::with((0..100).map(id));
    let mine = node.claim(MINE);
    let (_, step) = node.begin(&mine, &Claim { nonce: mine.nonce, ..claim(100) });
    assert_misbehaved(&step);
}

#[test]
fn frames_after_the_end_are_misbehaviour() {
    let mut victim = Victim::of(0, 100);
    assert!(victim.began.done);
    for frame in [Frame::Want { ids: Vec::new() }, Frame::MoreCells { start: 0, count: 1 }] {
        assert_misbehaved(&victim.say(&frame));
    }
}

#[test]
fn after_a_liar_the_honest_reconcile_as_ever() {
    let mut victim = Victim::solving(1_000);
    feed(&mut victim, |n| single(u64::from(n)));
    let mut other = Node::with((500..2_000).map(id));
    let outcome = reconcile(&mut victim.node, &mut other);
    assert_eq!(outcome.gives, [ids(0..500), ids(1_000..2_000)]);
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let map = || {
        prop_oneof![
            Just(vec![0xff; 8]),
            Just(vec![0xff; 2]),
            Just(Vec::new()),
            prop::collection::vec(any::<u8>(), 0..12)
        ]
    };
    let up_to = || prop_oneof![Just(u64::MAX), any::<u64>()];
    let ids = || {
        prop_oneof![
            prop::collection::vec(any::<u64>(), 0..30),
            prop::collection::btree_set((0..60u64).prop_map(|n| key().short_id(&id(n))), 0..40)
                .prop_map(Vec::from_iter),
        ]
    };
    let cell = || {
        prop_oneof![
            (any::<u64>(), any::<u32>(), any::<u8>()).prop_map(|(sum, check, count)| Cell { sum, check, count }),
            (0..60u64).prop_map(|n| single(key().short_id(&id(n)))),
            Just(Cell::default()),
        ]
    };
    let start = || prop_oneof![Just(0), 0..100u32, any::<u32>()];
    prop_oneof![
        prop_oneof![Just(4u8), Just(6)].prop_flat_map(|bits| {
            prop::collection::vec(any::<u32>(), 1 << bits)
                .prop_map(move |fingerprints| Frame::Buckets { bits, fingerprints })
        }),
        (map(), up_to(), ids()).prop_map(|(buckets, up_to, ids)| Frame::ShortIds { buckets, up_to, ids }),
        (map(), up_to(), start(), prop::collection::vec(cell(), 0..60))
            .prop_map(|(buckets, up_to, start, cells)| Frame::Cells { buckets, up_to, start, cells }),
        (start(), 0..100u32).prop_map(|(start, count)| Frame::MoreCells { start, count }),
        ids().prop_map(|ids| Frame::Want { ids }),
        Just(Frame::GaveUp { ids: Vec::new() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_frames_whatever_break_a_node(
        count in prop_oneof![0..60u64, 700..900u64],
        claimed in prop_oneof![0..60u64, 700..900u64, any::<u64>()],
        frames in prop::collection::vec(any_frame(), 0..12),
    ) {
        let mut victim = Victim::of(count, claimed);
        let before = victim.node.known();
        let mut done = victim.began.done;
        for frame in frames {
            let step = victim.say(&frame);
            prop_assert!(!done || step.misbehaved.is_some(), "nothing comes after the end");
            done = step.done;
            prop_assert!(step.surplus.len() as u64 <= count && step.wanted.len() as u64 <= count);
            let bytes: usize = step.send.iter().map(Frame::encoded_len).sum();
            prop_assert!(bytes <= 9_000 + 13 * 100, "an answer of {} bytes", bytes);
            done |= victim.reconciliation.is_done();
        }
        prop_assert_eq!(victim.node.known(), before);
    }
}
