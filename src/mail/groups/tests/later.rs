//! Questions that are lost, come too early, or are forgotten with the power.

use super::*;
use crate::content::group::Act;
use crate::mail::groups::{ASKED_AGAIN, EARLY_QUESTIONS_MAX, SAME_MAX};

/// Words of somebody to these people alone, taken off their way.
fn words(person: &mut Person) -> Vec<(Recipients, GroupWord)> {
    let word = |ToSend { to, content }: ToSend| match Content::decode(&content) {
        Ok(Content::Group(word)) => (to, *word),
        _ => panic!("it is a word"),
    };
    person.sends().into_iter().map(word).collect()
}

fn hears(person: &mut Person, from: u8, word: &GroupWord) {
    person.does(|groups, by, out| groups.hear(node(from), true, word, by.now, out));
}

/// So much time passes for somebody, who then looks what there is to do.
fn waits(person: &mut Person, hours: u64) {
    person.now = DtnTime(person.now.0 + hours * ASKED_AGAIN.0);
    person.does(|groups, by, out| groups.catch_up(by.now, out));
}

/// The crew, whose third did not hear that the fourth was admitted and under which key the others write since.
fn crew_whose_third_lags(people: &mut Vec<Person>) -> (NodeId, EpochId) {
    let group = crew(people);
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    let third = people.remove(2);
    deliver(people);
    people.insert(2, third);
    let epoch = writes(&mut people[1], &group);
    (group, epoch)
}

#[test]
fn a_question_that_is_lost_is_asked_a_few_times_more_and_then_no_more() {
    let mut people = people();
    let (group, epoch) = crew_whose_third_lags(&mut people);
    people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
    assert_eq!(words(&mut people[2]).len(), 1, "and this is lost");
    waits(&mut people[2], 0);
    assert!(words(&mut people[2]).is_empty(), "it is soon");
    let mut asked = 0;
    for _ in 0..200 {
        waits(&mut people[2], 1);
        asked += words(&mut people[2]).len();
    }
    assert_eq!((asked, people[2].groups.next_timeout()), (3, None));
    people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
    assert_eq!(words(&mut people[2]).len(), 1, "where it is named again");
    assert_eq!(people[2].groups.next_timeout(), None);

    // What came meanwhile is not asked for.
    waits(&mut people[2], 1);
    people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
    deliver(&mut people);
    assert!(people[2].opens(&group, &epoch));
    waits(&mut people[2], 100);
    assert!(words(&mut people[2]).is_empty() && people[2].groups.next_timeout().is_none());
}

#[test]
fn what_was_asked_for_often_enough_is_asked_for_as_often_again_once_something_is_new() {
    let mut people = people();
    let group = crew(&mut people);
    // The third gets the last of three changes, and much later the first.
    let [first, _, last] = ["one", "two", "three"].map(|name| {
        people[0].does(|groups, by, out| groups.rename(&group, name, by, out)).unwrap();
        words(&mut people[0]).pop().unwrap().1
    });
    let mut asked = Vec::new();
    for word in [&last, &first] {
        hears(&mut people[2], 1, word);
        asked.push(words(&mut people[2]).len());
        for _ in 0..200 {
            waits(&mut people[2], 1);
            *asked.last_mut().unwrap() += words(&mut people[2]).len();
        }
    }
    assert_eq!(asked, [4, 4]);
}

#[test]
fn who_asks_before_they_are_known_as_a_member_is_answered_once_they_are() {
    let mut people = people();
    let (group, _) = crew_whose_third_lags(&mut people);
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    drop(words(&mut people[3]));
    // The third knows no fourth, but has something that the fourth lacks: it left.
    let old = people[2].groups.keys(&group).next().unwrap().0;
    let ask =
        GroupWord { wants: vec![old], have: people[0].groups.get(&group).unwrap().log.heads(), ..GroupWord::of(group) };
    people[2].does(|groups, by, out| groups.leave(&group, by, out)).unwrap();
    drop(words(&mut people[2]));
    hears(&mut people[2], 4, &ask);
    assert!(words(&mut people[2]).is_empty(), "nobody is known who asks so");
    let operations = people[0].groups.get(&group).unwrap().log.lacking(&[]);
    hears(&mut people[2], 1, &GroupWord { operations, ..GroupWord::of(group) });
    let told = words(&mut people[2]);
    let fourth = told.iter().find(|(to, _)| matches!(to, Recipients::Each(to) if *to == [node(4)]));
    let leaves = |word: &GroupWord| word.operations.iter().any(|operation| operation.act == Act::Leave);
    assert!(fourth.is_some_and(|(_, word)| leaves(word)), "{told:?}");
}

#[test]
fn an_operation_that_waits_outlives_a_restart_and_what_is_before_it_is_asked_for() {
    let mut people = people();
    let (group, _) = crew_whose_third_lags(&mut people);
    people[0].does(|groups, by, out| groups.rename(&group, "team", by, out)).unwrap();
    let said: Vec<GroupWord> = words(&mut people[0]).into_iter().map(|(_, word)| word).collect();
    let named = said.iter().find(|word| !word.operations.is_empty()).unwrap();
    hears(&mut people[2], 1, named);
    drop(words(&mut people[2]));
    people[2].restarts();
    waits(&mut people[2], 0);
    let asked = words(&mut people[2]);
    assert!(asked.len() == 1 && !asked[0].1.have.is_empty(), "{asked:?}");
    hears(&mut people[0], 3, &asked[0].1);
    let answer = words(&mut people[0]).pop().unwrap().1;
    hears(&mut people[2], 1, &answer);
    let known = people[2].groups.get(&group).unwrap();
    assert_eq!((&*known.view().name, known.view().members.contains_key(&node(4))), ("team", true));
    // And nothing of it is left to be waited for.
    people[2].restarts();
    assert_eq!(people[2].groups.next_timeout(), None);
    assert_eq!(people[2].groups.get(&group).unwrap().view().name, "team");
}

#[test]
fn whose_admission_does_not_count_learns_why() {
    let mut people = people();
    let group = crew(&mut people);
    people[0].does(|groups, by, out| groups.appoint(&group, node(2), Role::Owner, by, out)).unwrap();
    deliver(&mut people);
    // The first removes the second, who admits the fourth beside it.
    people[0].does(|groups, by, out| groups.remove(&group, node(2), by, out)).unwrap();
    let removal = words(&mut people[0]);
    people[1].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    for (_, word) in words(&mut people[1]) {
        hears(&mut people[0], 2, &word);
        hears(&mut people[3], 2, &word);
    }
    drop((removal, words(&mut people[0]), words(&mut people[3])));
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    let joins: Vec<GroupWord> = words(&mut people[3]).into_iter().map(|(_, word)| word).collect();
    joins.iter().for_each(|word| hears(&mut people[0], 4, word));
    assert!(!people[0].members(&group).contains(&node(4)));
    let have = people[3].groups.get(&group).unwrap().log.heads();
    drop(words(&mut people[0]));
    hears(&mut people[0], 4, &GroupWord { have, ..GroupWord::of(group) });
    let told = words(&mut people[0]).pop().expect("it is told").1;
    hears(&mut people[3], 1, &told);
    assert_eq!(people[3].groups.get(&group).unwrap().state.standing, Standing::Out);
}

#[test]
fn who_left_and_waits_for_what_nobody_tells_them_is_not_kept_talking_by_who_knows_less() {
    let mut people = people();
    let group = crew(&mut people);
    // The second leaves while the first admits the fourth, and gets the joining of the fourth, but not what it names.
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    words(&mut people[0]).iter().for_each(|(_, word)| hears(&mut people[3], 1, word));
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    let joins = words(&mut people[3]);
    people[1].does(|groups, by, out| groups.leave(&group, by, out)).unwrap();
    drop(words(&mut people[1]));
    joins.iter().for_each(|(_, word)| hears(&mut people[1], 4, word));
    assert!(people[1].groups.get(&group).unwrap().log.is_waiting());
    drop(words(&mut people[1]));
    // The third takes the second for a member, and lacks what that has: it tells all that it knows.
    let operations = people[2].groups.get(&group).unwrap().log.lacking(&[]);
    hears(&mut people[1], 3, &GroupWord { operations, ..GroupWord::of(group) });
    let mut said = [0; 100];
    for said in &mut said {
        for (one, other) in [(1, 2), (2, 1)] {
            people.iter_mut().for_each(|person| waits(person, 1));
            let all = words(&mut people[one]);
            *said += all.len();
            all.iter().for_each(|(_, word)| hears(&mut people[other], one as u8 + 1, word));
        }
    }
    assert_eq!(said[50..].iter().sum::<usize>(), 0, "{said:?}");
}

#[test]
fn who_gets_a_key_whose_author_knew_more_asks_for_that_though_the_author_asks_as_well() {
    let mut people = people();
    let (group, _) = crew_whose_third_lags(&mut people);
    people.iter_mut().for_each(|person| person.now = DtnTime(NOW.0 + EPOCH_USED.0));
    writes(&mut people[1], &group);
    let (_, key) = words(&mut people[1]).pop().expect("a new key goes to all");
    assert!(key.operations.is_empty() && !key.keys.is_empty() && !key.have.is_empty(), "{key:?}");
    hears(&mut people[2], 2, &key);
    deliver(&mut people);
    assert!(people[2].members(&group).contains(&node(4)));
}

#[test]
fn the_same_is_asked_and_answered_so_often_and_then_once_something_is_new() {
    let mut people = people();
    let (group, epoch) = crew_whose_third_lags(&mut people);
    let ask = GroupWord { wants: vec![epoch], have: vec![OperationId([7; 32])], ..GroupWord::of(group) };
    let mut said = [0; 2];
    let hour = |people: &mut [Person], said: &mut [usize; 2]| {
        waits(&mut people[1], 1);
        hears(&mut people[1], 1, &ask);
        waits(&mut people[2], 1);
        people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
        said[0] += words(&mut people[1]).len();
        said[1] += words(&mut people[2]).len();
    };
    (0..400).for_each(|_| hour(&mut people, &mut said));
    let most = SAME_MAX as usize;
    assert!(said[0] <= most && (most..most + 4).contains(&said[1]), "{said:?}");
    assert!(people[1..3].iter().all(|person| person.groups.next_timeout().is_none()), "and nothing waits to be said");
    // The third hears of the fourth, and the second of another name.
    people[0].does(|groups, by, out| groups.rename(&group, "team", by, out)).unwrap();
    drop(words(&mut people[0]));
    let operations = people[0].groups.get(&group).unwrap().log.lacking(&[]);
    let all = GroupWord { operations, ..GroupWord::of(group) };
    (1..3).for_each(|n| hears(&mut people[n], 1, &all));
    assert!([1, 2].iter().all(|n| words(&mut people[*n]).is_empty()));
    let mut said = [0; 2];
    hour(&mut people, &mut said);
    assert_eq!(said, [1, 1]);
}

#[test]
fn questions_of_people_who_are_no_members_take_a_bounded_room() {
    let mut people = people();
    let group = crew(&mut people);
    for n in 0..1_000_u32 {
        let stranger = NodeId::from_trusted(*blake3::hash(&n.to_le_bytes()).as_bytes());
        let ask = GroupWord { wants: vec![EpochId([1; 16])], ..GroupWord::of(group) };
        people[0].does(|groups, by, out| groups.hear(stranger, false, &ask, by.now, out));
    }
    assert_eq!(people[0].groups.questions(), EARLY_QUESTIONS_MAX);
    assert!(people[0].sends().is_empty());
}
