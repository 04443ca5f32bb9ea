mod burden;
mod later;

use super::log::MEMBERS_MAX;
use super::rows::{Key, Recipients, ToSend};
use super::*;
use crate::bundle::Signer;
use crate::content::group::{Epoch, GroupKey, OPERATIONS_AT_ONCE_MAX, Role};
use crate::content::{Content, GroupWord};
use ed25519_dalek::SigningKey;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn node(n: u8) -> NodeId {
    key(n).node()
}

/// A person, what their home keeps, and what is still to be sent from it.
struct Person {
    n: u8,
    groups: Groups,
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    made: u8,
    now: DtnTime,
}

const NOW: DtnTime = DtnTime(850_000_000_000);

impl Person {
    fn new(n: u8) -> Person {
        Person { n, groups: Groups::new(node(n)), kept: BTreeMap::new(), made: 0, now: NOW }
    }

    /// Does something, and keeps what changed.
    fn does<T>(&mut self, act: impl FnOnce(&mut Groups, &Actor<'_>, &mut Vec<Change>) -> T) -> T {
        self.made = self.made.wrapping_add(1);
        let mut fresh = [self.n; 32];
        fresh[0] = self.made;
        let (signer, mut out) = (key(self.n), Vec::new());
        let done = act(&mut self.groups, &Actor { signer: &signer, now: self.now, fresh }, &mut out);
        for change in out {
            let Change::Keep { key, value } = change else { unreachable!("groups keep rows") };
            match value {
                Some(value) => drop(self.kept.insert(key, value)),
                None => drop(self.kept.remove(&key)),
            }
        }
        done
    }

    /// Takes what is to be sent.
    fn sends(&mut self) -> Vec<ToSend> {
        let sent: Vec<Vec<u8>> =
            self.kept.keys().filter(|key| matches!(rows::read_key(key), Some(Key::Out(_)))).cloned().collect();
        sent.iter().map(|key| ToSend::read(&self.kept.remove(key).unwrap()).unwrap()).collect()
    }

    fn restarts(&mut self) {
        let mut groups = Groups::new(node(self.n));
        self.kept.iter().for_each(|(key, value)| groups.load(key, value));
        groups.loaded();
        self.groups = groups;
    }

    fn opens(&self, group: &NodeId, epoch: &EpochId) -> bool {
        self.groups.keys(group).any(|(id, _)| id == *epoch)
    }

    fn members(&self, group: &NodeId) -> Vec<NodeId> {
        let mut members =
            self.groups.get(group).map_or(Vec::new(), |known| known.view().members.keys().copied().collect());
        members.sort();
        members
    }
}

/// Brings what people sent to those whom it is for and who can open it, until nothing more is sent.
fn deliver(people: &mut [Person]) {
    for _ in 0..20 {
        let mut all = Vec::new();
        for person in people.iter_mut() {
            let from = node(person.n);
            all.extend(person.sends().into_iter().map(|sent| (from, sent)));
        }
        if all.is_empty() {
            return;
        }
        for (from, ToSend { to, content }) in all {
            let Ok(Content::Group(word)) = Content::decode(&content) else { panic!("it is a word") };
            for person in people.iter_mut().filter(|person| node(person.n) != from) {
                let reaches = match &to {
                    Recipients::Each(nodes) => nodes.contains(&node(person.n)),
                    Recipients::Group(group, epoch) => {
                        let joined =
                            person.groups.get(group).is_some_and(|known| known.state.standing == Standing::Joined);
                        joined && person.opens(group, epoch)
                    }
                };
                if reaches {
                    person.does(|groups, by, out| groups.hear(from, true, &word, by.now, out));
                }
            }
        }
    }
    panic!("they never stop talking");
}

fn people() -> Vec<Person> {
    (1..=5).map(Person::new).collect()
}

/// A crew of the first three, who all joined.
fn crew(people: &mut [Person]) -> NodeId {
    let group = people[0].does(|groups, by, out| groups.begin("crew", [1; 16], &[node(2), node(3)], by, out)).unwrap();
    deliver(people);
    for n in [1, 2] {
        assert_eq!(people[n].groups.get(&group).unwrap().state.standing, Standing::Invited);
        people[n].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    }
    deliver(people);
    group
}

fn writes(person: &mut Person, group: &NodeId) -> EpochId {
    person.does(|groups, by, out| groups.ready(group, by, out)).unwrap()
}

#[test]
fn who_is_invited_joins_and_all_write_under_one_key() {
    let mut people = people();
    let group = crew(&mut people);
    let mut all = [node(1), node(2), node(3)];
    all.sort();
    let epoch = writes(&mut people[0], &group);
    for person in &mut people[..3] {
        assert_eq!(person.members(&group), all);
        assert_eq!(writes(person, &group), epoch, "nobody makes another");
        assert!(person.groups.get(&group).unwrap().view().members.values().all(|member| member.joined));
        assert!(person.sends().is_empty());
        person.restarts();
        assert_eq!(writes(person, &group), epoch, "after a restart as well");
    }
    assert!(people[3].groups.get(&group).is_none());
}

#[test]
fn who_is_removed_gets_no_key_that_is_made_since_and_who_comes_none_from_before() {
    let mut people = people();
    let group = crew(&mut people);
    let before = writes(&mut people[1], &group);
    people[0].does(|groups, by, out| groups.remove(&group, node(3), by, out)).unwrap();
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    deliver(&mut people);
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    deliver(&mut people);
    let after = writes(&mut people[1], &group);
    assert_ne!(before, after);
    assert!(people[3].opens(&group, &after) && !people[3].opens(&group, &before));
    assert!(people[2].opens(&group, &before) && !people[2].opens(&group, &after));
    assert_eq!(people[2].groups.get(&group).unwrap().state.standing, Standing::Out);
    assert_eq!(people[2].does(|groups, by, out| groups.ready(&group, by, out)), Err(NotDone::NotMember));
    // Who may read from the start gets what is kept.
    people[0].does(|groups, by, out| groups.admit(&group, &[node(5)], true, by, out)).unwrap();
    deliver(&mut people);
    assert!(people[4].opens(&group, &before) && people[4].opens(&group, &after));
    assert_eq!(writes(&mut people[1], &group), after, "and nobody needs a new one");
}

#[test]
fn a_key_that_is_missing_is_asked_for_and_given_to_members_alone() {
    let mut people = people();
    let group = crew(&mut people);
    // The third hears nothing of the fourth, whom the first admits; the second writes under the new key.
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    let third = people.remove(2);
    deliver(&mut people);
    people.insert(2, third);
    let epoch = writes(&mut people[1], &group);
    assert!(!people[2].opens(&group, &epoch));
    people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
    people[2].does(|groups, by, out| groups.miss(&group, epoch, node(2), by.now, out));
    let asked = people[2].sends();
    assert_eq!(asked.len(), 1, "once an hour");
    let Ok(Content::Group(word)) = Content::decode(&asked[0].content) else { panic!("it is a word") };
    people[1].does(|groups, by, out| groups.hear(node(3), true, &word, by.now, out));
    deliver(&mut people);
    assert!(people[2].opens(&group, &epoch) && people[2].members(&group).contains(&node(4)));
    // An outsider asks in vain, and so does who was removed.
    let ask = GroupWord { wants: vec![epoch], ..GroupWord::of(group) };
    people[1].does(|groups, by, out| groups.hear(node(5), true, &ask, by.now, out));
    assert!(people[1].sends().is_empty());
    people[0].does(|groups, by, out| groups.remove(&group, node(3), by, out)).unwrap();
    deliver(&mut people);
    let after = writes(&mut people[1], &group);
    let ask = GroupWord { wants: vec![after], ..GroupWord::of(group) };
    people[1].does(|groups, by, out| groups.hear(node(3), true, &ask, by.now, out));
    assert!(people[1].sends().is_empty());
}

#[test]
fn who_is_removed_and_lacks_what_was_before_learns_of_it_and_of_nothing_since() {
    let mut people = people();
    let group = crew(&mut people);
    let third = people.remove(2);
    people[0].does(|groups, by, out| groups.rename(&group, "other", by, out)).unwrap();
    deliver(&mut people);
    people.insert(2, third);
    people[0].does(|groups, by, out| groups.remove(&group, node(3), by, out)).unwrap();
    let removal = people[0].sends().into_iter().find(|sent| sent.to == Recipients::Each(vec![node(3)])).unwrap();
    people[0].does(|groups, by, out| groups.rename(&group, "hidden", by, out)).unwrap();
    let Ok(Content::Group(word)) = Content::decode(&removal.content) else { panic!("it is a word") };
    people[2].does(|groups, by, out| groups.hear(node(1), true, &word, by.now, out));
    assert_eq!(people[2].groups.get(&group).unwrap().state.standing, Standing::Joined);
    deliver(&mut people);
    let known = people[2].groups.get(&group).unwrap();
    assert_eq!((known.state.standing, known.view().name.as_str()), (Standing::Out, "other"));
    // Who never was a member hears nothing.
    let ask = GroupWord { have: vec![OperationId([7; 32])], ..GroupWord::of(group) };
    people[0].does(|groups, by, out| groups.hear(node(5), true, &ask, by.now, out));
    assert!(people[0].sends().is_empty());
}

#[test]
fn what_is_before_a_key_or_an_operation_is_asked_for_of_who_can_know_it() {
    let mut people = people();
    let group = crew(&mut people);
    let third = people.remove(2);
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    deliver(&mut people);
    people.insert(2, third);
    // The key that the second writes under says that there was more than the third knows.
    let id = writes(&mut people[1], &group);
    let epoch = people[1].groups.groups[&group].epochs[&id].epoch.clone();
    let word = GroupWord { keys: vec![epoch], ..GroupWord::of(group) };
    people[2].does(|groups, by, out| groups.hear(node(2), true, &word, by.now, out));
    let asked = people[2].sends();
    assert_eq!(asked.iter().map(|sent| &sent.to).collect::<Vec<_>>(), [&Recipients::Each(vec![node(2)])]);
    // Of the one who joins it never heard, so an owner is asked.
    people[2].restarts();
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    let join = people[3].groups.get(&group).unwrap().log.lacking(&[]).pop().unwrap();
    let word = GroupWord { operations: vec![join], ..GroupWord::of(group) };
    people[2].does(|groups, by, out| groups.hear(node(4), true, &word, by.now, out));
    deliver(&mut people);
    let members = &people[2].groups.get(&group).unwrap().view().members;
    assert!(members.get(&node(4)).is_some_and(|member| member.joined), "{members:?}");
}

#[test]
fn who_might_read_from_the_start_gets_no_key_whose_author_knew_that_they_left() {
    let mut people = people();
    let group = crew(&mut people);
    people[0].does(|groups, by, out| groups.appoint(&group, node(2), Role::Owner, by, out)).unwrap();
    deliver(&mut people);
    people[0].does(|groups, by, out| groups.leave(&group, by, out)).unwrap();
    // The third hears nothing of it, but gets the key that the second makes then.
    let third = people.remove(2);
    deliver(&mut people);
    people.insert(2, third);
    let id = writes(&mut people[1], &group);
    let epoch = people[1].groups.groups[&group].epochs[&id].epoch.clone();
    let word = GroupWord { keys: vec![epoch], ..GroupWord::of(group) };
    people[2].does(|groups, by, out| groups.hear(node(2), true, &word, by.now, out));
    people[2].sends();
    assert!(people[2].members(&group).contains(&node(1)) && people[2].opens(&group, &id));
    let ask = GroupWord { wants: vec![id], ..GroupWord::of(group) };
    people[2].does(|groups, by, out| groups.hear(node(1), true, &ask, by.now, out));
    let words = people[2].sends().into_iter().map(|sent| Content::decode(&sent.content).unwrap());
    let keys: usize = words.map(|word| if let Content::Group(word) = word { word.keys.len() } else { 0 }).sum();
    assert_eq!(keys, 0, "who left gets nothing that was made since");
}

#[test]
fn who_came_later_asks_in_vain_for_the_key_of_what_was_written_before() {
    let mut people = people();
    let group = crew(&mut people);
    let before = writes(&mut people[0], &group);
    people[0].does(|groups, by, out| groups.admit(&group, &[node(4)], false, by, out)).unwrap();
    deliver(&mut people);
    people[3].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    deliver(&mut people);
    assert!(people[0].members(&group).contains(&node(4)));
    let ask = GroupWord { wants: vec![before], ..GroupWord::of(group) };
    let keys_for = |people: &mut [Person], who: u8| -> usize {
        people[0].does(|groups, by, out| groups.hear(node(who), true, &ask, by.now, out));
        let words = people[0].sends().into_iter().map(|sent| Content::decode(&sent.content).unwrap());
        words.map(|word| if let Content::Group(word) = word { word.keys.len() } else { 0 }).sum()
    };
    assert_eq!(keys_for(&mut people, 4), 0);
    assert_eq!(keys_for(&mut people, 3), 1, "who was there then gets it");
}

#[test]
fn a_member_who_writes_under_keys_without_end_takes_nobody_elses_questions() {
    let mut people = people();
    let group = crew(&mut people);
    for n in 0..10_000_u32 {
        let unknown = EpochId(*blake3::hash(&n.to_le_bytes()).as_bytes().first_chunk().unwrap());
        people[2].does(|groups, by, out| groups.miss(&group, unknown, node(2), by.now, out));
    }
    assert_eq!(people[2].sends().len(), ASKED_EACH_MAX);
    people[2].does(|groups, by, out| groups.miss(&group, EpochId([7; 16]), node(1), by.now, out));
    assert_eq!(people[2].sends().len(), 1, "another is asked all the same");
}

#[test]
fn who_is_admitted_behind_more_than_a_word_holds_is_asked_to_join_in_whatever_order_that_comes() {
    for is_reversed in [false, true] {
        let mut people = people();
        let group = people[0].does(|groups, by, out| groups.begin("crew", [1; 16], &[], by, out)).unwrap();
        for n in 0..OPERATIONS_AT_ONCE_MAX {
            people[0].does(|groups, by, out| groups.rename(&group, &format!("crew {n}"), by, out)).unwrap();
        }
        people[0].sends();
        people[0].does(|groups, by, out| groups.admit(&group, &[node(2)], false, by, out)).unwrap();
        let mut sent = people[0].sends();
        sent.retain(|sent| sent.to == Recipients::Each(vec![node(2)]));
        assert_eq!(sent.len(), 2, "words that ask to join");
        if is_reversed {
            sent.reverse();
        }
        for ToSend { content, .. } in sent {
            let Ok(Content::Group(word)) = Content::decode(&content) else { panic!("it is a word") };
            people[1].does(|groups, by, out| groups.hear(node(1), false, &word, by.now, out));
        }
        deliver(&mut people);
        people[1].does(|groups, by, out| groups.join(&group, by, out)).unwrap();
        deliver(&mut people);
        assert_eq!(people[0].members(&group), people[1].members(&group));
        let epoch = writes(&mut people[0], &group);
        assert!(people[1].opens(&group, &epoch));
    }
}

#[test]
fn who_leaves_is_not_written_to_any_more() {
    let mut people = people();
    let group = crew(&mut people);
    let before = writes(&mut people[0], &group);
    assert_eq!(people[0].does(|groups, by, out| groups.leave(&group, by, out)), Err(NotDone::LastOwner));
    people[1].does(|groups, by, out| groups.leave(&group, by, out)).unwrap();
    deliver(&mut people);
    let after = writes(&mut people[0], &group);
    deliver(&mut people);
    assert_ne!(before, after);
    assert!(!people[1].opens(&group, &after) && people[2].opens(&group, &after));
    assert_eq!(people[1].groups.get(&group).unwrap().state.standing, Standing::Out);
}

#[test]
fn a_key_that_somebody_removed_makes_for_themselves_is_not_written_under() {
    let mut people = people();
    let group = crew(&mut people);
    people[0].does(|groups, by, out| groups.remove(&group, node(3), by, out)).unwrap();
    deliver(&mut people);
    let good = writes(&mut people[1], &group);
    // It names the removal among what its author knew.
    let heads = people[0].groups.get(&group).unwrap().log.frontier();
    let epoch = Epoch { author: node(3), heads, key: GroupKey([9; 32]) };
    let word = GroupWord { keys: vec![epoch.clone()], ..GroupWord::of(group) };
    people[1].does(|groups, by, out| groups.hear(node(3), true, &word, by.now, out));
    assert_eq!(writes(&mut people[1], &group), good);
    // Nor is one that a member says to be another member's.
    let claimed = Epoch { author: node(1), ..epoch };
    let word = GroupWord { keys: vec![claimed], ..GroupWord::of(group) };
    people[0].does(|groups, by, out| groups.hear(node(2), true, &word, by.now, out));
    assert_eq!(writes(&mut people[0], &group), good);
}

#[test]
fn invitations_of_strangers_and_words_of_unknown_groups_take_bounded_room() {
    let mut me = Person::new(1);
    for n in 0..200u8 {
        let mut other = Person::new(2);
        let group = other.does(|groups, by, out| groups.begin("spam", [n; 16], &[node(1)], by, out)).unwrap();
        for ToSend { to, content } in other.sends() {
            if let (Recipients::Each(_), Ok(Content::Group(word))) = (to, Content::decode(&content)) {
                me.does(|groups, by, out| groups.hear(node(2), false, &word, by.now, out));
            }
        }
        let word = GroupWord { wants: vec![EpochId([n; 16])], ..GroupWord::of(group) };
        me.does(|groups, by, out| groups.hear(node(3), false, &word, by.now, out));
    }
    assert_eq!(me.groups.all().count(), INVITATIONS_MAX / 2);
    // A contact's still comes in.
    let mut friend = Person::new(4);
    friend.does(|groups, by, out| groups.begin("crew", [1; 16], &[node(1)], by, out)).unwrap();
    for ToSend { content, .. } in friend.sends() {
        let Ok(Content::Group(word)) = Content::decode(&content) else { panic!("it is a word") };
        me.does(|groups, by, out| groups.hear(node(4), true, &word, by.now, out));
    }
    assert_eq!(me.groups.all().count(), INVITATIONS_MAX / 2 + 1);
    assert!(me.sends().is_empty());
    // One that does not have this person in it is none.
    let mut other = Person::new(2);
    let group = other.does(|groups, by, out| groups.begin("other", [0; 16], &[node(3)], by, out)).unwrap();
    let operations = other.groups.get(&group).unwrap().log.lacking(&[]);
    let word = GroupWord { operations, invites: true, ..GroupWord::of(group) };
    let mut me = Person::new(1);
    me.does(|groups, by, out| groups.hear(node(2), true, &word, by.now, out));
    assert!(me.groups.get(&group).is_none());
}

#[test]
fn what_a_removed_member_wrote_before_counts_and_what_they_write_later_does_not() {
    let mut people = people();
    let group = crew(&mut people);
    let epoch = writes(&mut people[2], &group);
    people[0].does(|groups, by, out| groups.remove(&group, node(3), by, out)).unwrap();
    deliver(&mut people);
    let admits = |author, created| people[1].groups.admits(&group, &epoch, &node(author), DtnTime(created));
    assert_eq!((admits(2, NOW.0 + 5), admits(3, NOW.0 - 5)), (Admitted::Yes, Admitted::Late));
    assert_eq!((admits(3, NOW.0 + 5), admits(5, NOW.0 - 5)), (Admitted::No, Admitted::No));
    // Under a key that was made without them nothing of theirs counts, whatever they say of the time.
    let after = writes(&mut people[0], &group);
    deliver(&mut people);
    let admits = |created| people[1].groups.admits(&group, &after, &node(3), DtnTime(created));
    assert_eq!([admits(NOW.0 - 5), admits(NOW.0)], [Admitted::No; 2]);
}

#[test]
fn what_somebody_writes_who_left_counts_as_far_as_it_was_written_before() {
    let mut people = people();
    let group = crew(&mut people);
    let epoch = writes(&mut people[2], &group);
    people[2].does(|groups, by, out| groups.leave(&group, by, out)).unwrap();
    deliver(&mut people);
    let admits = |created| people[1].groups.admits(&group, &epoch, &node(3), DtnTime(created));
    assert_eq!((admits(NOW.0), admits(NOW.0 + 1)), (Admitted::Late, Admitted::No));
}

#[test]
fn a_key_is_written_under_for_a_month_and_kept_until_nothing_under_it_can_come() {
    let mut people = people();
    let group = crew(&mut people);
    let first = writes(&mut people[0], &group);
    deliver(&mut people);
    let pass = |people: &mut [Person], ms: u64| people.iter_mut().for_each(|person| person.now = DtnTime(NOW.0 + ms));
    pass(&mut people, EPOCH_USED.0 - 1);
    assert_eq!(writes(&mut people[0], &group), first);
    pass(&mut people, EPOCH_USED.0);
    let second = writes(&mut people[0], &group);
    assert_ne!(second, first);
    deliver(&mut people);
    people.iter_mut().for_each(Person::restarts);
    // All members have both, and write under the new one.
    for person in &mut people[..3] {
        assert!(person.opens(&group, &first) && person.opens(&group, &second));
        assert_eq!(writes(person, &group), second);
    }
    pass(&mut people, EPOCH_KEPT.0 + 1);
    let third = writes(&mut people[1], &group);
    assert!(!people[1].opens(&group, &first), "no message that it opens lives so long");
    assert!(people[1].opens(&group, &second) && people[1].opens(&group, &third));
}

#[test]
fn members_who_have_a_message_are_noted_and_nobody_else() {
    let mut people = people();
    let group = crew(&mut people);
    people[0].does(|groups, _, out| groups.sent(&group, [7; 16], out));
    let word = |mark| GroupWord { got: vec![mark], ..GroupWord::of(group) };
    for (from, mark) in [(2, [7; 16]), (5, [7; 16]), (3, [8; 16])] {
        let was_for = [node(2), node(3)];
        let is_news = |_: &Mark| was_for.contains(&node(from));
        people[0].does(|groups, by, out| groups.note(node(from), &word(mark), by.now, is_news, out));
    }
    let has: Vec<Key> = people[0].kept.keys().filter_map(|key| rows::read_key(key)).collect();
    let has: Vec<Key> = has.into_iter().filter(|key| matches!(key, Key::Has(..))).collect();
    assert_eq!(has, [Key::Has([7; 16], node(2))]);
}

#[test]
fn a_member_who_sends_keys_without_end_displaces_their_own() {
    let mut people = people();
    let group = crew(&mut people);
    let good = writes(&mut people[0], &group);
    let heads = people[0].groups.get(&group).unwrap().log.frontier();
    for n in 0..1_000u32 {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        let epoch = Epoch { author: node(2), heads: heads.clone(), key: GroupKey(key) };
        let word = GroupWord { keys: vec![epoch], ..GroupWord::of(group) };
        people[0].does(|groups, by, out| groups.hear(node(2), true, &word, by.now, out));
    }
    assert!(people[0].groups.keys(&group).count() <= EPOCHS_OF_MEMBER_MAX + 1);
    assert!(people[0].opens(&group, &good));
    people[0].restarts();
    assert!(people[0].groups.keys(&group).count() <= EPOCHS_OF_MEMBER_MAX + 1);
}

#[test]
fn a_group_of_as_many_as_there_may_be_is_begun_joined_written_to_and_heard_of() {
    let mut owner = Person::new(1);
    let others: Vec<u8> = std::iter::once(0).chain(2..=255).collect();
    let nodes: Vec<NodeId> = others.iter().map(|n| node(*n)).collect();
    let group = owner.does(|groups, by, out| groups.begin("crew", [1; 16], &nodes, by, out)).unwrap();
    assert_eq!(owner.members(&group).len(), MEMBERS_MAX);
    let mut secret = [1; 32];
    secret[0] = 2;
    let stranger = SigningKey::from_bytes(&secret).node();
    let one_more = owner.does(|groups, by, out| groups.admit(&group, &[stranger], false, by, out));
    assert_eq!(one_more, Err(NotDone::Full));
    let said = owner.sends();
    assert!(said.len() <= 2 && said.iter().all(|said| said.content.len() < 100_000), "one word for all");

    // Some join, and write; whoever writes knows all for whom it is.
    let mut people: Vec<Person> = others.iter().step_by(50).map(|n| Person::new(*n)).collect();
    for ToSend { content, .. } in &said {
        let Ok(Content::Group(word)) = Content::decode(content) else { panic!("it is a word") };
        people
            .iter_mut()
            .for_each(|person| person.does(|groups, by, out| groups.hear(node(1), true, &word, by.now, out)));
    }
    people.push(owner);
    for person in &mut people {
        person.does(|groups, by, out| groups.join(&group, by, out)).unwrap();
    }
    deliver(&mut people);
    let epochs: Vec<EpochId> = people.iter_mut().map(|person| writes(person, &group)).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "under one key");
    for person in &people {
        let view = person.groups.get(&group).unwrap().view();
        assert_eq!(
            (view.members.len(), view.members.values().filter(|member| member.joined).count()),
            (256, people.len())
        );
    }

    let owner = people.last_mut().unwrap();
    owner.does(|groups, _, out| groups.sent(&group, [7; 16], out));
    let word = GroupWord { got: vec![[7; 16]], ..GroupWord::of(group) };
    for member in &nodes {
        owner.does(|groups, by, out| groups.note(*member, &word, by.now, |_| true, out));
    }
    let has = || owner.kept.keys().filter(|key| matches!(rows::read_key(key), Some(Key::Has(..)))).count();
    assert_eq!(has(), MEMBERS_MAX - 1);
}
