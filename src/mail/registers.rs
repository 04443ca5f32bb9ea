//! Registers: which of several changes of something written counts, in whatever order and however often they came.
//!
//! A register is a field of a target; of reactions, an author's reaction with one text. A change names those before it that
//! its author knew. Its **rank** is one more than the highest of those of them that are here and of the same register, so
//! that neither a wrong clock nor a hostile number decides anything; the highest rank counts, then the higher author, then
//! the higher id. Equal sets of changes give equal records.
//!
//! Who may change what: words and their withdrawal are the author's; a task and a reaction are for everybody in the
//! conversation. What came for a target that is not here yet waits for it.
//!
//! Of one content there may be several bundles with other words each, for it was changed before it left: these are its
//! **versions**. The bundle that gave the content its name comes first, the others in the order of their stamps, and every
//! change of words counts before them, for it was made of what had left. None is lost: each stands in the history.
//!
//! | key | value |
//! |---|---|
//! | `REGISTER`, conversation, target, field, author, id | row, how many prior changes, these, what is set |

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::entries::{REGISTER, behind, key, number, part};
use super::shelf::{Shelf, ShelfMut};
use crate::agent::change::{Letter, Row};
use crate::bundle::Creation;
use crate::content::{Amendment, Digest, Mark, Reaction, TaskState};
use crate::id::{BundleId, NodeId};
use crate::time::DtnTime;

/// So many changes of one target by one author are heard; later ones stay in the record and change nothing.
pub const CHANGES_MAX: usize = 256;

/// One change of one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub author: NodeId,
    /// The change that it came with.
    pub id: BundleId,
    /// The row of that.
    pub row: Row,
    pub prior: Vec<Mark>,
    pub value: Value,
}

/// What a register is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The words are at the row of the change.
    Body,
    /// The words are those of the content itself as a bundle at that row has them.
    Version(Version),
    Withdrawn,
    Task(TaskState),
    Assignee(Option<NodeId>),
    Due(Option<DtnTime>),
    Reaction(Reaction),
}

/// The same content in another bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub creation: Creation,
    pub words: Digest,
}

/// Which register, of one target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    Body,
    Withdrawn,
    Task,
    Assignee,
    Due,
    Reaction(NodeId, String),
}

/// All registers of one target, each with its settings in the order of their ranks: the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    all: BTreeMap<Register, Vec<Setting>>,
    /// The words of the row that it is shown at.
    shown: Option<Digest>,
}

impl Value {
    fn field(&self) -> u8 {
        match self {
            Value::Body => 1,
            Value::Withdrawn => 2,
            Value::Task(_) => 3,
            Value::Assignee(_) => 4,
            Value::Due(_) => 5,
            Value::Reaction(_) => 6,
            Value::Version(_) => 7,
        }
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Value::Body | Value::Withdrawn => Vec::new(),
            Value::Task(state) => vec![state.code() as u8],
            Value::Assignee(node) => node.map_or(Vec::new(), |node| node.as_bytes().to_vec()),
            Value::Due(due) => due.map_or(Vec::new(), |due| due.0.to_be_bytes().to_vec()),
            Value::Reaction(Reaction { text, on }) => key([&[u8::from(*on)], text.as_bytes()]),
            Value::Version(Version { creation: Creation { time, sequence }, words }) => {
                key([&time.0.to_be_bytes(), &sequence.to_be_bytes(), words])
            }
        }
    }

    fn read(field: u8, bytes: &[u8]) -> Option<Value> {
        Some(match field {
            1 => Value::Body,
            2 => Value::Withdrawn,
            3 => Value::Task(TaskState::of_code(u64::from(*bytes.first()?))?),
            4 if bytes.is_empty() => Value::Assignee(None),
            4 => Value::Assignee(Some(NodeId::from_trusted(bytes.try_into().ok()?))),
            5 if bytes.is_empty() => Value::Due(None),
            5 => Value::Due(Some(DtnTime(u64::from_be_bytes(bytes.try_into().ok()?)))),
            6 => {
                let (on, text) = bytes.split_first()?;
                Value::Reaction(Reaction { text: std::str::from_utf8(text).ok()?.to_owned(), on: *on == 1 })
            }
            7 => Value::Version(Version {
                creation: Creation { time: DtnTime(number(bytes, 0)), sequence: number(bytes, 8) },
                words: part(bytes, 16),
            }),
            _ => return None,
        })
    }

    fn register(&self, author: NodeId) -> Register {
        match self {
            Value::Body | Value::Version(_) => Register::Body,
            Value::Withdrawn => Register::Withdrawn,
            Value::Task(_) => Register::Task,
            Value::Assignee(_) => Register::Assignee,
            Value::Due(_) => Register::Due,
            Value::Reaction(reaction) => Register::Reaction(author, reaction.text.clone()),
        }
    }

    /// Only the author of what it is about may set it.
    fn is_of_author(&self) -> bool {
        matches!(self, Value::Body | Value::Version(_) | Value::Withdrawn)
    }

    pub fn is_version(&self) -> bool {
        matches!(self, Value::Version(_))
    }

    /// What a change sets, register by register.
    fn all(amendment: &Amendment) -> Vec<Value> {
        let Amendment { body, withdrawn, reaction, task, assignee, due, .. } = amendment;
        let body = body.as_ref().map(|_| Value::Body);
        let withdrawn = withdrawn.then_some(Value::Withdrawn);
        let (task, assignee, due) = (task.map(Value::Task), assignee.map(Value::Assignee), due.map(Value::Due));
        let reaction = reaction.clone().map(Value::Reaction);
        [body, withdrawn, task, assignee, due, reaction].into_iter().flatten().collect()
    }
}

/// Takes a change in; `with` is the key of the conversation. Says whether it is heard, for of one author's only so many are.
pub(super) fn put<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    author: NodeId,
    (id, row): (BundleId, Row),
    amendment: &Amendment,
) -> Result<bool, S::Error> {
    let settings = settings(shelf, with, &amendment.target)?;
    let is_of_author = |setting: &&Setting| setting.author == author && !setting.value.is_version();
    let of_author: BTreeSet<BundleId> = settings.iter().filter(is_of_author).map(|setting| setting.id).collect();
    if of_author.len() >= CHANGES_MAX && !of_author.contains(&id) {
        return Ok(false);
    }
    for value in Value::all(amendment) {
        set(shelf, with, &amendment.target, &Setting { author, id, row, prior: amendment.prior.clone(), value })?;
    }
    Ok(true)
}

/// Takes a version of content in.
pub(super) fn put_version<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    mark: &Mark,
    author: NodeId,
    (id, row): (BundleId, Row),
    version: Version,
) -> Result<(), S::Error> {
    let value = Value::Version(version);
    set(shelf, with, mark, &Setting { author, id, row, prior: Vec::new(), value })
}

fn set<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, setting: &Setting) -> Result<(), S::Error> {
    let Setting { author, id, row, prior, value } = setting;
    let stored = key([&row.0.to_be_bytes(), &[prior.len() as u8], &prior.concat(), &value.write()]);
    shelf.put(&setting_key(with, target, value.field(), author, id), &stored)
}

/// What changes of one name, and versions of it, is of another from now on. Returns the rows of those.
pub(super) fn rename<S: ShelfMut>(
    shelf: &mut S,
    with: &[u8],
    from: &Mark,
    to: &Mark,
    is_meant: impl Fn(&Setting) -> bool,
) -> Result<Vec<Row>, S::Error> {
    let mut rows = Vec::new();
    for setting in settings(shelf, with, from)?.iter().filter(|setting| is_meant(setting)) {
        shelf.remove(&setting_key(with, from, setting.value.field(), &setting.author, &setting.id))?;
        set(shelf, with, to, setting)?;
        rows.push(setting.row);
    }
    Ok(rows)
}

/// Drops what a change set.
pub(super) fn remove<S: ShelfMut>(shelf: &mut S, with: &[u8], target: &Mark, id: &BundleId) -> Result<(), S::Error> {
    for setting in settings(shelf, with, target)?.iter().filter(|setting| setting.id == *id) {
        shelf.remove(&setting_key(with, target, setting.value.field(), &setting.author, id))?;
    }
    Ok(())
}

/// The registers of what `author` wrote.
pub(super) fn of<S: Shelf>(shelf: &S, with: &[u8], target: &Mark, author: &NodeId) -> Result<Registers, S::Error> {
    let mut registers: BTreeMap<Register, Vec<Setting>> = BTreeMap::new();
    for setting in settings(shelf, with, target)? {
        if setting.author == *author || !setting.value.is_of_author() {
            registers.entry(setting.value.register(setting.author)).or_default().push(setting);
        }
    }
    registers.values_mut().for_each(|settings| by_rank(target, settings));
    Ok(Registers { all: registers, shown: None })
}

fn setting_key(with: &[u8], target: &Mark, field: u8, author: &NodeId, id: &BundleId) -> Vec<u8> {
    key([&[REGISTER], with, target, &[field], author.as_bytes(), &id.0])
}

fn settings<S: Shelf>(shelf: &S, with: &[u8], target: &Mark) -> Result<Vec<Setting>, S::Error> {
    let start = key([&[REGISTER], with, target]);
    let mut settings = Vec::new();
    shelf.walk(&start, &behind(&start), &mut |key, stored| {
        settings.extend(setting(&key[start.len()..], stored));
        ControlFlow::Continue(())
    })?;
    Ok(settings)
}

fn setting(key: &[u8], stored: &[u8]) -> Option<Setting> {
    let (author, id) = (NodeId::from_trusted(part(key, 1)), BundleId(part(key, 33)));
    let many = usize::from(*stored.get(8)?);
    let (prior, value) = stored.get(9..)?.split_at_checked(16 * many)?;
    let prior = prior.chunks_exact(16).map(|mark| part(mark, 0)).collect();
    Some(Setting { author, id, row: Row(number(stored, 0)), prior, value: Value::read(*key.first()?, value)? })
}

fn by_rank(target: &Mark, settings: &mut [Setting]) {
    let ranks = ranks(settings);
    settings.sort_by_key(|setting| {
        let mark = Letter::mark_of(&setting.id);
        let (class, rank, sequence) = match setting.value {
            Value::Version(_) if mark == *target => (0, 0, 0),
            Value::Version(Version { creation, .. }) => (1, creation.time.0, creation.sequence),
            _ => (2, ranks[&mark], 0),
        };
        (class, rank, sequence, setting.author, setting.id)
    });
}

/// The rank of each change of one register. They name each other by hashes, so that there is no circle; one that damage
/// made would end where it began.
fn ranks(settings: &[Setting]) -> BTreeMap<Mark, u64> {
    let here: BTreeMap<Mark, &Setting> =
        settings.iter().map(|setting| (Letter::mark_of(&setting.id), setting)).collect();
    let mut ranks = BTreeMap::new();
    for start in here.keys() {
        let mut path = vec![*start];
        while let Some(mark) = path.last().copied() {
            let prior = || here[&mark].prior.iter().filter(|prior| here.contains_key(*prior));
            match prior().find(|prior| !ranks.contains_key(*prior) && !path.contains(prior)) {
                Some(unknown) => path.push(*unknown),
                None => {
                    let highest = prior().filter_map(|prior| ranks.get(prior)).max().copied();
                    ranks.insert(mark, highest.unwrap_or(0) + 1);
                    path.pop();
                }
            }
        }
    }
    ranks
}

impl Registers {
    /// What a register is set to, and by whom.
    pub fn get(&self, register: &Register) -> Option<&Setting> {
        self.all.get(register)?.last()
    }

    /// The row of the words that stand in the place of the first ones.
    pub fn body(&self) -> Option<Row> {
        self.get(&Register::Body).map(|setting| setting.row)
    }

    /// The rows of all words that were ever put in the place of the first ones.
    pub(super) fn bodies(&self) -> Vec<Row> {
        self.of_words().iter().map(|setting| setting.row).collect()
    }

    /// Those of them that changes put there.
    pub(super) fn edits(&self) -> Vec<Row> {
        let edits = self.of_words().iter().filter(|setting| !setting.value.is_version());
        edits.map(|setting| setting.row).collect()
    }

    fn of_words(&self) -> &[Setting] {
        self.all.get(&Register::Body).map_or(&[], |settings| settings)
    }

    /// The same, where these words are shown.
    pub(super) fn shown_with(self, words: Digest) -> Registers {
        Registers { shown: Some(words), ..self }
    }

    /// The words of each version, and of the row that it is shown at.
    pub(super) fn words(&self) -> BTreeSet<Digest> {
        let versions = self.of_words().iter().filter_map(|setting| match setting.value {
            Value::Version(version) => Some(version.words),
            _ => None,
        });
        versions.chain(self.shown).collect()
    }

    /// Whether it was ever put in other words.
    pub fn is_edited(&self) -> bool {
        self.of_words().iter().any(|setting| !setting.value.is_version()) || self.words().len() > 1
    }

    /// The bundles that are versions of it.
    pub fn versions(&self) -> impl Iterator<Item = BundleId> {
        self.of_words().iter().filter(|setting| setting.value.is_version()).map(|setting| setting.id)
    }

    /// Whether nothing was ever changed of what left.
    pub fn is_unchanged(&self) -> bool {
        self.all.values().flatten().all(|setting| setting.value.is_version())
    }

    pub fn is_withdrawn(&self) -> bool {
        self.get(&Register::Withdrawn).is_some()
    }

    /// Each reaction, and who has it there, in the order of the texts.
    pub fn reactions(&self) -> BTreeMap<&str, Vec<NodeId>> {
        let mut reactions: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        for (register, settings) in &self.all {
            let Register::Reaction(author, text) = register else { continue };
            let is_on = settings.last().is_some_and(|last| matches!(&last.value, Value::Reaction(last) if last.on));
            if is_on {
                reactions.entry(text).or_default().push(*author);
            }
        }
        reactions
    }

    pub fn task(&self) -> Option<TaskState> {
        let Value::Task(state) = self.get(&Register::Task)?.value else { return None };
        Some(state)
    }

    /// Who is to do it, where that was ever said.
    pub fn assignee(&self) -> Option<Option<NodeId>> {
        let Value::Assignee(node) = self.get(&Register::Assignee)?.value else { return None };
        Some(node)
    }

    pub fn due(&self) -> Option<Option<DtnTime>> {
        let Value::Due(due) = self.get(&Register::Due)?.value else { return None };
        Some(due)
    }

    /// What a new change of these registers names as prior: what counts now, and what nobody has changed yet.
    pub fn heads(&self, registers: &[Register]) -> Vec<Mark> {
        let mut heads = BTreeSet::new();
        for settings in registers.iter().filter_map(|register| self.all.get(register)) {
            let named: BTreeSet<Mark> = settings.iter().flat_map(|setting| setting.prior.iter().copied()).collect();
            // Whoever has a change need not have every version, and changes count before them anyway.
            let changes = settings.iter().rev().filter(|setting| !setting.value.is_version());
            let marks = changes.map(|setting| Letter::mark_of(&setting.id));
            let open = marks.filter(|mark| !named.contains(mark));
            heads.extend(open.take(crate::content::PRIOR_MAX / registers.len().max(1)));
        }
        heads.into_iter().take(crate::content::PRIOR_MAX).collect()
    }

    /// Every change, register by register, in the order of their ranks: the last of a register counts.
    pub fn all(&self) -> impl Iterator<Item = (&Register, &[Setting])> {
        self.all.iter().map(|(register, settings)| (register, &settings[..]))
    }

    /// The settings of a register that gave way to one whose author had not seen them.
    pub fn gave_way(settings: &[Setting]) -> Vec<&Setting> {
        let Some((stands, others)) = settings.split_last() else { return Vec::new() };
        let here: BTreeMap<Mark, &Setting> =
            settings.iter().map(|setting| (Letter::mark_of(&setting.id), setting)).collect();
        let (mut seen, mut next) = (BTreeSet::new(), vec![stands]);
        while let Some(setting) = next.pop() {
            let unseen = setting.prior.iter().filter(|prior| seen.insert(**prior));
            next.extend(unseen.filter_map(|prior| here.get(prior)));
        }
        let unseen = |setting: &&Setting| !setting.value.is_version() && !seen.contains(&Letter::mark_of(&setting.id));
        others.iter().filter(unseen).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TARGET: Mark = [9; 16];

    type Index = BTreeMap<Vec<u8>, Vec<u8>>;

    fn node(n: u8) -> NodeId {
        NodeId::from_trusted([n; 32])
    }

    fn id(n: u8) -> BundleId {
        BundleId([n; 32])
    }

    fn due(n: u8, prior: &[u8]) -> Amendment {
        let prior = prior.iter().map(|n| [*n; 16]).collect();
        Amendment { target: TARGET, prior, due: Some(Some(DtnTime(n.into()))), ..Amendment::default() }
    }

    fn take(index: &mut Index, author: u8, n: u8, amendment: &Amendment) -> bool {
        put(index, b"with", node(author), (id(n), Row(n.into())), amendment).unwrap()
    }

    fn registers(index: &Index) -> Registers {
        of(index, b"with", &TARGET, &node(1)).unwrap()
    }

    #[test]
    fn who_knew_of_a_change_overrules_it_and_of_two_who_did_not_the_higher_author() {
        let mut index = Index::new();
        take(&mut index, 2, 20, &due(20, &[]));
        take(&mut index, 1, 30, &due(30, &[20]));
        assert_eq!(registers(&index).due(), Some(Some(DtnTime(30))));
        take(&mut index, 3, 10, &due(10, &[20]));
        assert_eq!(registers(&index).due(), Some(Some(DtnTime(10))), "as many before it, and its author is higher");
        let lost = registers(&index);
        let (_, settings) = lost.all().next().unwrap();
        let lost: Vec<_> = Registers::gave_way(settings).iter().map(|setting| setting.id).collect();
        assert_eq!(lost, [id(30)], "20 was known to who changed it");
    }

    #[test]
    fn what_is_made_next_names_what_counts_and_what_crossed_it() {
        let mut index = Index::new();
        take(&mut index, 2, 20, &due(20, &[]));
        take(&mut index, 1, 30, &due(30, &[20]));
        take(&mut index, 3, 10, &due(10, &[20]));
        let heads = registers(&index).heads(&[Register::Due]);
        assert_eq!(heads, [[10; 16], [30; 16]]);
        take(&mut index, 1, 5, &Amendment { prior: heads, ..due(5, &[]) });
        assert_eq!(registers(&index).due(), Some(Some(DtnTime(5))));
    }

    #[test]
    fn words_are_their_authors_and_reactions_everybodys() {
        let mut index = Index::new();
        let edit = Amendment { target: TARGET, body: Some("x".into()), ..Amendment::default() };
        take(&mut index, 2, 20, &Amendment { withdrawn: true, ..edit.clone() });
        assert!(registers(&index).body().is_none() && !registers(&index).is_withdrawn(), "node 1 wrote it");
        take(&mut index, 1, 21, &edit);
        assert_eq!(registers(&index).body(), Some(Row(21)));
        let thumb = |on| {
            let reaction = Some(Reaction { text: "👍".into(), on });
            Amendment { target: TARGET, reaction, ..Amendment::default() }
        };
        take(&mut index, 2, 30, &thumb(true));
        take(&mut index, 1, 31, &thumb(true));
        assert_eq!(registers(&index).reactions(), BTreeMap::from([("👍", vec![node(1), node(2)])]));
        take(&mut index, 2, 32, &Amendment { prior: vec![[30; 16]], ..thumb(false) });
        assert_eq!(registers(&index).reactions(), BTreeMap::from([("👍", vec![node(1)])]));
    }

    #[test]
    fn of_one_author_only_so_many_changes_are_heard_and_nobody_else_is_kept_from_speaking() {
        let mut index = Index::new();
        let many = |n: usize| BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes());
        let flood = Amendment { due: Some(None), ..due(1, &[]) };
        let heard = (0..CHANGES_MAX + 5)
            .filter(|n| put(&mut index, b"with", node(2), (many(*n), Row(0)), &flood).unwrap())
            .count();
        assert_eq!(heard, CHANGES_MAX);
        assert!(put(&mut index, b"with", node(2), (many(0), Row(0)), &flood).unwrap(), "once more is no more");
        assert!(take(&mut index, 1, 200, &due(7, &[])));
    }

    #[test]
    fn a_circle_that_no_hash_makes_ends_all_the_same() {
        let mut index = Index::new();
        take(&mut index, 1, 20, &due(20, &[21]));
        take(&mut index, 1, 21, &due(21, &[20]));
        assert!(registers(&index).due().is_some());
    }

    proptest! {
        #[test]
        fn equal_sets_give_equal_records_in_any_order_and_taken_twice(
            changes in prop::collection::btree_map(1..40u8, (1..4u8, prop::collection::btree_set(1..40u8, 0..4)), 1..16),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            // Only what was there before can be named.
            let changes: Vec<(u8, u8, Amendment)> = changes
                .iter()
                .map(|(n, (author, prior))| {
                    let prior: Vec<u8> = prior.iter().copied().filter(|prior| prior < n).collect();
                    (*author, *n, due(*n, &prior))
                })
                .collect();
            let mut straight = Index::new();
            changes.iter().for_each(|(author, n, change)| assert!(take(&mut straight, *author, *n, change)));
            let mut mixed = Index::new();
            let shuffled = order.iter().map(|at| &changes[at.index(changes.len())]).chain(changes.iter().rev());
            shuffled.for_each(|(author, n, change)| assert!(take(&mut mixed, *author, *n, change)));
            prop_assert_eq!(registers(&straight), registers(&mixed));
            // And what is taken away again leaves nothing.
            for (_, n, _) in &changes {
                remove(&mut mixed, b"with", &TARGET, &id(*n)).unwrap();
            }
            prop_assert!(mixed.is_empty());
        }
    }
}
