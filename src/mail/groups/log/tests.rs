use super::judging::Removal;
use super::*;
use crate::bundle::Signer;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn node(n: u8) -> NodeId {
    key(n).node()
}

const AT: DtnTime = DtnTime(850_000_000_000);

/// What one person knows of a group.
#[derive(Clone)]
struct Home(Log);

impl Home {
    /// Somebody begins a group.
    fn begin(by: u8) -> Home {
        let begin = Operation::begin("crew", [1; 16], AT, &key(by));
        let mut log = Log::new(begin.group);
        assert_eq!(log.take(begin, &mut Vec::new()), Taken::New);
        Home(log)
    }

    /// Signs an operation behind all that is known here, whoever might do it.
    fn signed(&self, by: u8, act: Act) -> Operation {
        Operation::sign(self.0.group(), self.0.heads(), AT, act, &key(by))
    }

    fn does(&mut self, by: u8, act: Act) -> Taken {
        let operation = self.signed(by, act);
        self.0.take(operation, &mut Vec::new())
    }

    /// Does something that counts.
    fn did(&mut self, by: u8, act: Act) -> &mut Home {
        assert_eq!(self.does(by, act.clone()), Taken::New, "{by} {act:?}");
        self
    }

    fn hears(&mut self, other: &Home) -> &mut Home {
        for operation in other.0.lacking(&[]) {
            self.0.take(operation, &mut Vec::new());
        }
        self
    }

    fn has(&self, n: u8) -> bool {
        self.0.view().members.contains_key(&node(n))
    }

    fn owns(&self, n: u8) -> bool {
        self.0.view().members.get(&node(n)).is_some_and(|member| member.role == Role::Owner)
    }
}

fn admit(n: u8) -> Act {
    Act::Admit { who: node(n), role: Role::Member, from_start: false }
}

fn admit_owner(n: u8) -> Act {
    Act::Admit { who: node(n), role: Role::Owner, from_start: false }
}

fn remove(n: u8) -> Act {
    Act::Remove { who: node(n) }
}

/// Both hear of each other, and agree.
fn merged(one: &Home, other: &Home) -> Home {
    let (mut here, mut there) = (one.clone(), other.clone());
    here.hears(other);
    there.hears(one);
    assert_eq!(seen(&here.0), seen(&there.0));
    here
}

type Seen = (String, Vec<(NodeId, Member)>, Vec<OperationId>);

fn seen(log: &Log) -> Seen {
    (log.view().name.clone(), log.view().in_order(), log.frontier())
}

#[test]
fn a_group_is_who_was_admitted_and_did_not_go() {
    let mut home = Home::begin(1);
    home.did(1, admit(2)).did(1, admit(3)).did(2, Act::Join).did(1, Act::Rename { name: "team".into() });
    assert!(home.has(2) && home.0.view().members[&node(2)].joined && !home.0.view().members[&node(3)].joined);
    assert_eq!(home.0.view().name, "team");
    home.did(2, Act::Leave).did(1, remove(3));
    assert!(home.has(1) && !home.has(2) && !home.has(3));
    home.did(1, admit(3));
    assert!(home.has(3) && !home.0.view().members[&node(3)].joined, "who comes again joins again");
}

#[test]
fn only_owners_change_who_is_in_it_and_nobody_from_outside_does_anything() {
    let mut home = Home::begin(1);
    home.did(1, admit(2));
    for (by, act) in [
        (2, admit(3)),
        (2, remove(1)),
        (2, Act::Rename { name: "mine".into() }),
        (2, Act::Appoint { who: node(2), role: Role::Owner }),
        (3, Act::Join),
        (3, Act::Leave),
        (3, admit(3)),
        (1, admit(2)),
        (1, remove(1)),
        (1, remove(3)),
        (1, Act::Leave),
        (1, Act::Appoint { who: node(1), role: Role::Member }),
    ] {
        assert_eq!(home.does(by, act.clone()), Taken::Refused, "{by} {act:?}");
    }
    home.did(1, Act::Appoint { who: node(2), role: Role::Owner }).did(1, Act::Leave);
    assert!(home.owns(2) && !home.has(1), "who handed over may leave");
}

#[test]
fn what_is_forged_or_of_another_group_is_not_taken() {
    let mut home = Home::begin(1);
    let good = home.signed(1, admit(2));
    let forged = Operation { act: admit(3), ..good.clone() };
    let other = Operation::begin("crew", [2; 16], AT, &key(1));
    let elsewhere = Operation::sign(other.group, vec![other.id()], AT, admit(2), &key(1));
    for bad in [forged, other, elsewhere] {
        assert_eq!(home.0.take(bad, &mut Vec::new()), Taken::Refused);
    }
    assert_eq!(home.0.take(good.clone(), &mut Vec::new()), Taken::New);
    assert_eq!(home.0.take(good, &mut Vec::new()), Taken::Known);
}

#[test]
fn a_removal_beats_what_the_removed_one_did_beside_it() {
    let mut before = Home::begin(1);
    before.did(1, admit_owner(2)).did(1, admit(3));
    let (mut here, mut there) = (before.clone(), before.clone());
    here.did(1, remove(2));
    there.did(2, admit_owner(4)).did(4, admit(5)).did(2, remove(3)).did(2, Act::Rename { name: "his".into() });
    let both = merged(&here, &there);
    assert!(!both.has(2) && !both.has(4) && !both.has(5) && both.has(3));
    assert_eq!(both.0.view().name, "crew");
    // What he did before that counts all the same.
    let mut early = before.clone();
    early.did(2, admit(6)).did(1, remove(2));
    assert!(early.has(6));
}

#[test]
fn of_mutual_removals_the_one_of_the_earlier_owner_stands() {
    let mut before = Home::begin(1);
    before.did(1, admit_owner(2)).did(1, admit_owner(3));
    let (mut here, mut there) = (before.clone(), before.clone());
    here.did(2, remove(3));
    there.did(3, remove(2));
    let both = merged(&here, &there);
    assert!(both.has(2) && !both.has(3));
    // In a ring as well: the first owner's stands, and so the second does not get to remove the third.
    let mut ring: Vec<Home> = (0..3).map(|_| before.clone()).collect();
    ring[0].did(1, remove(2));
    ring[1].did(2, remove(3));
    ring[2].did(3, remove(1));
    let all = merged(&merged(&ring[0], &ring[1]), &ring[2]);
    assert!(!all.has(2), "the first owner removed the second");
    assert!(all.0.view().owners().count() > 0);
}

#[test]
fn two_owners_admitted_at_once_remove_each_other_and_the_lower_key_stays() {
    let mut first = Home::begin(1);
    let (mut here, mut there) = (first.clone(), first.clone());
    here.did(1, admit_owner(2));
    there.did(1, admit_owner(3));
    first = merged(&here, &there);
    let (mut here, mut there) = (first.clone(), first.clone());
    here.did(2, remove(3));
    there.did(3, remove(2));
    let both = merged(&here, &there);
    let lower = if node(2) < node(3) { 2 } else { 3 };
    assert!(both.has(lower) && !both.has(5 - lower));
}

#[test]
fn a_removal_beats_an_admission_beside_it_and_not_one_behind_it() {
    let mut before = Home::begin(1);
    before.did(1, admit_owner(2));
    let (mut here, mut there) = (before.clone(), before.clone());
    here.did(1, admit(3));
    here.did(1, remove(3));
    there.did(2, admit(3));
    let mut both = merged(&here, &there);
    assert!(!both.has(3));
    both.did(2, admit(3));
    assert!(both.has(3));
}

#[test]
fn where_all_owners_leave_beside_each_other_the_first_member_is_the_owner() {
    let mut before = Home::begin(1);
    before.did(1, admit_owner(2)).did(1, admit(3)).did(1, admit(4));
    let (mut here, mut there) = (before.clone(), before.clone());
    here.did(1, Act::Leave);
    there.did(2, Act::Leave);
    let mut both = merged(&here, &there);
    assert!(both.owns(3) && !both.owns(4) && !both.has(1) && !both.has(2));
    both.did(3, admit(5));
}

#[test]
fn what_comes_before_what_it_follows_waits_for_it_and_only_so_much_does() {
    let mut home = Home::begin(1);
    let start = home.clone();
    home.did(1, admit(2)).did(2, Act::Join).did(1, admit(3));
    let mut backwards: Vec<Operation> = home.0.lacking(&start.0.heads());
    backwards.reverse();
    let mut other = start.clone();
    let taken: Vec<Taken> = backwards.into_iter().map(|one| other.0.take(one, &mut Vec::new())).collect();
    assert_eq!(taken, [Taken::Waits, Taken::Waits, Taken::New]);
    assert_eq!(seen(&other.0), seen(&home.0));
    assert!(!other.0.is_waiting());
    // Of one author no more than some wait, and none of them keeps out what another author's waits for.
    let nowhere = |n: u16| {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&n.to_be_bytes());
        vec![OperationId(id)]
    };
    let group = start.0.group();
    let mut flooded = start.clone();
    let waits = (0..10_000)
        .filter(|n| {
            let operation = Operation::sign(group, nowhere(*n), AT, Act::Join, &key(9));
            flooded.0.take(operation, &mut Vec::new()) == Taken::Waits
        })
        .count();
    assert_eq!(waits, WAITING_OF_AUTHOR_MAX);
    let mut rest: Vec<Operation> = home.0.lacking(&start.0.heads());
    rest.reverse();
    for one in rest {
        flooded.0.take(one, &mut Vec::new());
    }
    assert_eq!(seen(&flooded.0), seen(&home.0));
}

#[test]
fn ten_thousand_invitations_end_at_the_bounds_and_the_others_go_on() {
    let mut home = Home::begin(1);
    home.did(1, admit_owner(2));
    let mut fork = Vec::new();
    for n in 0..10_000u32 {
        let who = SigningKey::from_bytes(blake3::hash(&n.to_be_bytes()).as_bytes()).node();
        fork.push(Operation::sign(
            home.0.group(),
            home.0.heads(),
            AT,
            Act::Admit { who, role: Role::Member, from_start: false },
            &key(1),
        ));
    }
    // All beside each other: none knows of another.
    let taken = fork.into_iter().filter(|one| home.0.take(one.clone(), &mut Vec::new()) == Taken::New).count();
    assert!(taken < OPERATIONS_OF_AUTHOR_MAX, "{taken}");
    assert_eq!(home.0.view().members.len(), MEMBERS_MAX);
    assert!(home.owns(2));
    home.did(2, remove(1));
    assert!(!home.has(1), "and whoever did it can be removed");
}

#[test]
fn an_epoch_covers_what_its_author_knew() {
    let mut home = Home::begin(1);
    home.did(1, admit(2));
    let heads = home.0.frontier();
    assert!(home.0.covers(&heads));
    home.did(2, Act::Join).did(1, Act::Rename { name: "team".into() });
    assert!(home.0.covers(&heads), "neither changes who may read");
    home.did(1, Act::Admit { who: node(3), role: Role::Member, from_start: true });
    assert!(home.0.covers(&heads), "whoever may read all from the start may read this");
    home.did(1, admit(4));
    assert!(!home.0.covers(&heads));
    let heads = home.0.frontier();
    home.did(1, remove(2));
    assert!(!home.0.covers(&heads));
    assert!(home.0.view_at(&heads).unwrap().members.contains_key(&node(2)));
    assert!(!home.0.covers(&[OperationId([9; 32])]));
}

/// One step of a world of homes that are often apart.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody does something, knowing what one of the homes knows: a hostile one knows what suits them.
    Act {
        home: usize,
        by: u8,
        act: u8,
        who: u8,
    },
    Meet {
        one: usize,
        other: usize,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let act = (0usize..4, 1u8..6, 0u8..9, 1u8..6).prop_map(|(home, by, act, who)| Step::Act { home, by, act, who });
    let meet = (0usize..4, 0usize..4).prop_map(|(one, other)| Step::Meet { one, other });
    prop_oneof![5 => act, 2 => meet]
}

fn act_of(n: u8, who: u8) -> Act {
    match n {
        0 | 1 => admit(who),
        2 | 3 => admit_owner(who),
        4 | 5 => remove(who),
        6 => Act::Leave,
        7 => Act::Join,
        _ => Act::Appoint { who: node(who), role: if who.is_multiple_of(2) { Role::Owner } else { Role::Member } },
    }
}

/// Which of some removals stand, as the description says it: pair by pair.
fn standing_plainly(log: &Log, candidates: &[Removal]) -> BTreeMap<NodeId, Vec<usize>> {
    let beats = |one: &Removal, other: &Removal| one.who == other.author && log.are_beside(one.at, other.at);
    let (mut standing, mut open) = (BTreeMap::<NodeId, Vec<usize>>::new(), candidates.iter().collect::<Vec<_>>());
    while !open.is_empty() {
        let unbeaten = open.iter().position(|one| !open.iter().any(|other| beats(other, one)));
        let eldest = (0..open.len()).min_by_key(|n| &open[*n].seniority).unwrap();
        let next = open.remove(unbeaten.unwrap_or(eldest));
        standing.entry(next.who).or_default().push(next.at);
        open.retain(|other| !beats(next, other));
    }
    standing
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn who_knows_the_same_operations_sees_the_same_group(
        steps in proptest::collection::vec(any_step(), 1..40),
        shuffle in any::<u64>(),
    ) {
        let mut start = Home::begin(1);
        start.did(1, admit_owner(2)).did(1, admit(3));
        let mut homes: Vec<Home> = (0..4).map(|_| start.clone()).collect();
        for step in &steps {
            match *step {
                Step::Act { home, by, act, who } => {
                    homes[home].does(by, act_of(act, who));
                }
                Step::Meet { one, other } => {
                    let there = homes[other].clone();
                    homes[one].hears(&there);
                    prop_assert!(homes[one].0.view().owners().count() > 0 || homes[one].0.view().members.is_empty());
                }
            }
        }
        let mut all = homes[0].clone();
        for home in &homes[1..] {
            all.hears(home);
        }
        let removals: Vec<Removal> = (0..all.0.len()).filter_map(|at| all.0.removal(at)).collect();
        prop_assert_eq!(all.0.standing(&removals), standing_plainly(&all.0, &removals));
        // In any order, and some of it twice.
        let mut operations = all.0.lacking(&[]);
        let again: Vec<Operation> = operations.iter().step_by(3).cloned().collect();
        operations.extend(again);
        let mut order: Vec<(blake3::Hash, Operation)> = operations
            .into_iter()
            .enumerate()
            .map(|(n, one)| (blake3::hash(&[shuffle.to_be_bytes(), (n as u64).to_be_bytes()].concat()), one))
            .collect();
        order.sort_by_key(|(hash, _)| *hash.as_bytes());
        let mut other = Log::new(all.0.group());
        let mut new = Vec::new();
        for (_, one) in order {
            other.take(one, &mut new);
        }
        prop_assert_eq!(seen(&other), seen(&all.0));
        prop_assert_eq!(new.len(), other.len(), "each is new once");
        // As the store brings it back.
        new.sort_unstable();
        let mut loaded = Log::new(all.0.group());
        new.iter().for_each(|(_, id)| loaded.load(other.operation(id).unwrap().clone()));
        prop_assert_eq!(seen(&loaded), seen(&all.0));
        // What counts by what somebody knew counts for them, whatever is known since.
        let heads = homes[0].0.heads();
        if homes[0].0.ends(&Bits::all(homes[0].0.len())).len() <= PREDECESSORS_MAX {
            let view = other.view_at(&heads).unwrap();
            prop_assert_eq!(view.in_order(), homes[0].0.view().in_order());
        }
    }
}
