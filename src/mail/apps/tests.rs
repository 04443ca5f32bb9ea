use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const TARGET: Mark = [9; 16];

type Index = BTreeMap<Vec<u8>, Vec<u8>>;

fn node(n: u8) -> NodeId {
    NodeId::from_trusted([n; 32])
}

fn id(n: usize) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

fn mark(n: usize) -> Mark {
    Letter::mark_of(&id(n))
}

fn update(prior: &[usize]) -> Update {
    let prior: BTreeSet<Mark> = prior.iter().map(|n| mark(*n)).collect();
    Update { target: TARGET, prior: prior.into_iter().collect(), bytes: 100, says: 0, is_json: true }
}

fn take(index: &mut Index, author: u8, n: usize, event: u64, prior: &[usize]) -> bool {
    put(index, b"with", node(author), (id(n), Row(event), event), &update(prior)).unwrap()
}

fn read(index: &Index) -> Updates {
    updates(index, b"with", &TARGET).unwrap()
}

fn order(index: &Index) -> Vec<BundleId> {
    read(index).all().iter().map(|entry| entry.id).collect()
}

#[test]
fn what_an_author_had_seen_comes_first_and_beside_each_other_the_lower_author() {
    let mut index = Index::new();
    take(&mut index, 2, 1, 1, &[]);
    take(&mut index, 2, 2, 2, &[1]);
    take(&mut index, 1, 3, 3, &[1]);
    take(&mut index, 3, 4, 4, &[]);
    assert_eq!(order(&index), [1, 4, 3, 2].map(id));
    assert_eq!(BTreeSet::from_iter(read(&index).heads()), [2, 3, 4].map(mark).into());
}

#[test]
fn a_long_chain_is_ordered_and_a_circle_that_no_hash_makes_ends() {
    let mut index = Index::new();
    for n in 0..2_000 {
        take(&mut index, 1, n, n as u64 + 1, &[n.wrapping_sub(1)]);
    }
    assert_eq!(order(&index), (0..2_000).map(id).collect::<Vec<_>>());
    let mut circle = Index::new();
    take(&mut circle, 1, 1, 1, &[2, 1]);
    take(&mut circle, 1, 2, 2, &[1]);
    assert_eq!(order(&circle).len(), 2);
}

#[test]
fn what_comes_late_is_the_last_to_who_reads_on_and_in_its_place_to_who_starts_anew() {
    let mut index = Index::new();
    take(&mut index, 1, 1, 7, &[]);
    take(&mut index, 1, 2, 8, &[1]);
    let first: Vec<(u64, BundleId)> = read(&index).behind(0).iter().map(|(serial, one)| (*serial, one.id)).collect();
    assert_eq!(first, [(8 * STEP - 1, id(1)), (8 * STEP, id(2))]);
    // Somebody else wrote beside the first, and it took a long way.
    take(&mut index, 2, 3, 9, &[]);
    let on: Vec<(u64, BundleId)> =
        read(&index).behind(8 * STEP).iter().map(|(serial, one)| (*serial, one.id)).collect();
    assert_eq!(on, [(9 * STEP, id(3))]);
    assert_eq!(order(&index), [1, 3, 2].map(id));
    assert!(read(&index).behind(9 * STEP).is_empty());
    // Who broke off after the first of the first replay.
    let rest: Vec<BundleId> = read(&index).behind(8 * STEP - 1).iter().map(|(_, one)| one.id).collect();
    assert_eq!(rest, [id(2), id(3)]);
}

#[test]
fn an_author_who_floods_is_heard_up_to_a_bound_and_makes_it_read_only_for_nobody_else() {
    let many = AUTHOR_UPDATES_MAX as usize + 5;
    let mut index = Index::new();
    for n in 0..many {
        take(&mut index, 2, n, n as u64 + 1, &[]);
    }
    assert_eq!(read(&index).all().len() as u64, AUTHOR_UPDATES_MAX);
    let first = order(&index)[0];
    let n = (0..many).find(|n| id(*n) == first).unwrap();
    assert!(take(&mut index, 2, n, 1, &[]), "once more is no more");
    let of = |index: &Index, who| sums(index, b"with", &TARGET, &node(who)).unwrap();
    assert_eq!(of(&index, 2).1.updates, AUTHOR_UPDATES_MAX);
    assert!(is_read_only(of(&index, 2).0, of(&index, 2).1) && !is_read_only(of(&index, 1).0, of(&index, 1).1));
    assert!(take(&mut index, 1, 9_999, 9_999, &[]));
    // Whatever of the flood came first, the same is heard.
    let mut other = Index::new();
    take(&mut other, 1, 9_999, 1, &[]);
    for n in (0..many).rev() {
        take(&mut other, 2, n, 9_999 - n as u64, &[]);
    }
    assert_eq!(order(&other), order(&index));
    for n in 0..many {
        remove(&mut other, b"with", &TARGET, &id(n)).unwrap();
    }
    remove(&mut other, b"with", &TARGET, &id(9_999)).unwrap();
    assert!(other.is_empty(), "what is deleted leaves nothing of its bound");
}

#[test]
fn so_it_is_with_bytes_and_a_small_one_does_not_slip_in_behind_what_was_too_much() {
    let large = |of: u32| Update { bytes: AUTHOR_BYTES_MAX as u32 / of, ..update(&[]) };
    let puts = |index: &mut Index, n: usize, of: u32| {
        put(index, b"with", node(3), (id(n), Row(0), 1), &large(of)).unwrap();
    };
    let sizes = [2, 3, 4, 1, 9, 50, 7, 3, 20, 2];
    let heard = |order_of: &[usize]| {
        let mut index = Index::new();
        order_of.iter().for_each(|n| puts(&mut index, *n, sizes[*n]));
        order(&index)
    };
    let straight: Vec<usize> = (0..sizes.len()).collect();
    let wanted = heard(&straight);
    assert!((1..sizes.len()).contains(&wanted.len()));
    for turn in 0..sizes.len() {
        let turned: Vec<usize> = straight[turn..].iter().chain(&straight[..turn]).copied().collect();
        assert_eq!(heard(&turned), wanted, "{turn}");
        assert_eq!(heard(&turned.into_iter().rev().collect::<Vec<_>>()), wanted, "{turn} back");
    }
    assert!(is_too_much_with(Sum { updates: 1, bytes: AUTHOR_BYTES_MAX - 99 }, 100));
    assert!(!is_too_much_with(Sum { updates: 1, bytes: AUTHOR_BYTES_MAX - 100 }, 100));
}

#[test]
fn what_is_no_json_is_heard_by_no_app() {
    let update = |payload: &str| AppUpdate { payload: payload.into(), ..AppUpdate::default() };
    let heard =
        |payload| put(&mut Index::new(), b"with", node(1), (id(1), Row(1), 1), &Update::of(&update(payload), 9));
    assert!(heard("{\"a\": [1]}").unwrap());
    assert!(!heard("{a: 1}").unwrap() && !heard(&"[".repeat(9_000)).unwrap());
}

/// Room for so few that a flood is soon one.
const SMALL: Bounds = Bounds { author: Sum { updates: 4, bytes: 8_192 }, all: Sum { updates: 12, bytes: 24_576 } };

fn take_small(index: &mut Index, author: u8, n: usize, bytes: u32) -> bool {
    let update = Update { bytes, ..update(&[]) };
    put_within(index, b"with", node(author), (id(n), Row(n as u64), 1), &update, &SMALL).unwrap()
}

fn heard_of(index: &Index, author: u8) -> usize {
    read(index).all().iter().filter(|entry| entry.author == node(author)).count()
}

#[test]
fn all_together_are_heard_up_to_twice_what_is_written() {
    assert_eq!(BOUNDS.all, Sum { updates: 2 * UPDATES_MAX, bytes: 2 * UPDATES_BYTES_MAX });
    assert!(is_read_only(Sum { updates: UPDATES_MAX, bytes: 0 }, Sum::default()));
    let mut index = Index::new();
    for n in 0..200 {
        take_small(&mut index, (n % 40) as u8, n, 2_000);
    }
    let all = Sum::read(&index, &sum_key(b"with", &TARGET)).unwrap();
    assert!(all.cost() <= SMALL.all.cost(), "{all:?}");
    assert_eq!(all.updates as usize, read(&index).all().len());
}

#[test]
fn who_needs_less_than_an_even_share_is_heard_whole_whoever_floods() {
    let mut index = Index::new();
    take_small(&mut index, 1, 1_000, 100);
    for n in 0..60 {
        take_small(&mut index, 2 + (n % 6) as u8, n, 1_500);
    }
    take_small(&mut index, 1, 1_001, 100);
    assert_eq!(heard_of(&index, 1), 2);
    let flooders: Vec<usize> = (2..8).map(|who| heard_of(&index, who)).collect();
    assert!(flooders.iter().all(|many| (1..4).contains(many)), "{flooders:?}");
    for n in (0..60).chain([1_000, 1_001]) {
        remove(&mut index, b"with", &TARGET, &id(n)).unwrap();
    }
    assert!(index.is_empty(), "what is deleted leaves nothing of its bound");
}

#[test]
fn what_is_told_under_two_names_is_bounded_as_if_under_one() {
    const OTHER: Mark = [8; 16];
    let large = |target: Mark, of: u32| Update { target, bytes: AUTHOR_BYTES_MAX as u32 / of, ..update(&[]) };
    let sizes = [2, 3, 4, 1, 9, 50, 7, 3, 20, 2];
    for split in 1..sizes.len() {
        let (mut one, mut two) = (Index::new(), Index::new());
        for (n, of) in sizes.into_iter().enumerate() {
            let at = if n < split { OTHER } else { TARGET };
            put(&mut one, b"with", node(3), (id(n), Row(0), 1), &large(TARGET, of)).unwrap();
            put(&mut two, b"with", node(3), (id(n), Row(0), 1), &large(at, of)).unwrap();
        }
        rename(&mut two, b"with", &OTHER, &TARGET).unwrap();
        assert_eq!(two, one, "{split}");
    }
}

#[test]
fn an_address_within_an_app_is_the_same_there_and_another_elsewhere() {
    let here = address_in(&[1; 16], &node(1));
    assert_eq!(here, address_in(&[1; 16], &node(1)));
    assert_ne!(here, address_in(&[2; 16], &node(1)));
    assert_ne!(here, address_in(&[1; 16], &node(2)));
    assert_eq!(here.len(), 32);
}

#[test]
fn an_app_is_a_file_whose_name_ends_so() {
    for name in ["board.xdc", "Board.XDC", "ä.xdc"] {
        assert!(is_app(name), "{name}");
    }
    for name in [".xdc", "xdc", "board.xdc.zip", "boardxdc", "", "ä"] {
        assert!(!is_app(name), "{name}");
    }
}

/// Authors, and which of those before it each names.
fn some() -> impl Strategy<Value = Vec<(u8, Vec<usize>)>> {
    let one = (1..4u8, prop::collection::vec(any::<prop::sample::Index>(), 0..4));
    prop::collection::vec(one, 1..24).prop_map(|all| {
        let named = |(n, (author, prior)): (usize, (u8, Vec<prop::sample::Index>))| {
            let prior = prior.iter().filter(|_| n > 0).map(|at| at.index(n)).collect();
            (author, prior)
        };
        all.into_iter().enumerate().map(named).collect()
    })
}

proptest! {
    #[test]
    fn equal_sets_give_equal_orders_however_they_came(
        some in some(),
        order_of in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut straight = Index::new();
        for (n, (author, prior)) in some.iter().enumerate() {
            take(&mut straight, *author, n, n as u64 + 1, prior);
        }
        let mut mixed = Index::new();
        let shuffled = order_of.iter().map(|at| at.index(some.len())).chain((0..some.len()).rev());
        for (event, n) in shuffled.enumerate() {
            take(&mut mixed, some[n].0, n, event as u64 + 1, &some[n].1);
        }
        prop_assert_eq!(order(&straight), order(&mixed));
        let replay = |index: &Index| read(index).behind(0).into_iter().map(|(_, one)| one.id).collect::<Vec<_>>();
        prop_assert_eq!(replay(&mixed), order(&straight));
        // What is named comes before who names it.
        let places: BTreeMap<BundleId, usize> = order(&mixed).into_iter().enumerate().map(|(at, id)| (id, at)).collect();
        for (n, (_, prior)) in some.iter().enumerate() {
            prop_assert!(prior.iter().all(|prior| places[&id(*prior)] < places[&id(n)]));
        }
        // And what is taken away again leaves nothing.
        for n in 0..some.len() {
            remove(&mut mixed, b"with", &TARGET, &id(n)).unwrap();
        }
        prop_assert!(mixed.is_empty());
    }

    #[test]
    fn equal_floods_of_many_leave_the_same_however_they_came(
        some in prop::collection::vec((1..9u8, 1..1_200u32), 1..60),
        order_of in prop::collection::vec(any::<prop::sample::Index>(), 0..90),
    ) {
        let (mut straight, mut mixed) = (Index::new(), Index::new());
        for (n, (author, bytes)) in some.iter().enumerate() {
            take_small(&mut straight, *author, n, *bytes);
        }
        for n in order_of.iter().map(|at| at.index(some.len())).chain((0..some.len()).rev()) {
            take_small(&mut mixed, some[n].0, n, some[n].1);
        }
        prop_assert_eq!(order(&straight), order(&mixed));
        let all = Sum::read(&mixed, &sum_key(b"with", &TARGET)).unwrap();
        prop_assert!(all.cost() <= SMALL.all.cost());
    }

    /// An app is started, stopped in the middle and started again while updates come, as often as it likes.
    #[test]
    fn an_app_that_reads_on_from_its_last_serial_hears_each_once(
        some in some(),
        starts in prop::collection::vec((0..6usize, 0..6usize), 1..12),
    ) {
        let (mut index, mut came, mut last, mut heard) = (Index::new(), 0, 0, Vec::new());
        for (more, stop) in starts {
            for _ in 0..more {
                if came < some.len() {
                    take(&mut index, some[came].0, came, 3 * came as u64 + 1, &some[came].1);
                    came += 1;
                }
            }
            for (serial, one) in read(&index).behind(last).into_iter().take(stop) {
                prop_assert!(serial > last, "serials rise");
                prop_assert!(serial <= read(&index).serial_max());
                last = serial;
                heard.push(one.id);
            }
        }
        let rest: Vec<BundleId> = read(&index).behind(last).into_iter().map(|(_, one)| one.id).collect();
        heard.extend(rest);
        prop_assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), heard.len(), "none twice");
        prop_assert_eq!(heard.len(), came, "and none is left out");
    }

    #[test]
    fn whatever_serial_somebody_makes_up_is_answered(some in some(), serial: u64) {
        let mut index = Index::new();
        for (n, (author, prior)) in some.iter().enumerate() {
            take(&mut index, *author, n, n as u64 + 1, prior);
        }
        let told = read(&index);
        prop_assert!(told.behind(serial).len() <= some.len());
        prop_assert!(told.behind(serial % (STEP * 30)).len() <= some.len());
    }
}
