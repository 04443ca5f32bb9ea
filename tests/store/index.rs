//! What the index of the record finds is what the record has: after any changes, a restart, and made anew from a backup.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use dak::agent::change::{Change, Evidence, EvidenceKind, Letter, Marks, Outgoing, Row};
use dak::bundle::{Bundle, Creation, Kind, Priority};
use dak::content::{AfterRead, Amendment, Content, Filed, KeyUsed, Text};
use dak::eid::Eid;
use dak::id::{BundleId, IdPrefix};
use dak::mail::conversation::Conversation;
use dak::mail::happening::{Happening, What};
use dak::mail::kept;
use dak::mail::order::{Position, Span};
use dak::store::Store;
use dak::store::redb::{Body, Direction, Entry, Line, RedbReader, RedbStore, import_records};
use dak::time::{DAY, DtnTime, Millis, Moment, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::make::{deliver, node, open, signed};

/// Mail of three writers that overtakes itself, and what the person does with it; and mail that is sent.
fn some_mail(seed: u64) -> Vec<Change> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |end: u64| random.next_u64() % end;
    let mut changes = Vec::new();
    for row in 0..40 {
        changes.push(deliver(row, &came(1 + below(3) as u8, 1 + below(9), row)));
        let earlier = Row(below(row + 1));
        match below(5) {
            0 => changes.push(Change::Discard { row: earlier }),
            n @ 1..3 => changes.push(Change::Mark { row: earlier, marks: Marks { read: n == 1, told: false } }),
            _ => {}
        }
    }
    for n in 0..12 {
        changes.push(Change::Post { outgoing: sent(n, below(3)) });
        let id = id_of(below(n + 1));
        let what = [EvidenceKind::Custody, EvidenceKind::Expired, EvidenceKind::Delivered][below(3) as usize];
        let evidence = Evidence { at: Moment::default(), what, who: Some(node(9)) };
        changes.push(Change::Attest { id, evidence });
        if below(6) == 0 {
            changes.push(Change::Unpost { id });
        }
    }
    changes
}

fn came(writer: u8, stamp: u64, row: u64) -> Arc<Bundle> {
    signed(writer, Kind::Message, Eid::mail(node(7)), stamp, 8, &row.to_be_bytes())
}

fn id_of(n: u64) -> BundleId {
    BundleId(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

fn sent(n: u64, at: u64) -> Outgoing {
    Outgoing {
        id: id_of(n),
        source: None,
        row: Some(Row(100 + n)),
        destination: Eid::mail(node(8 + n as u8 % 2)),
        creation: Creation { time: DtnTime(5), sequence: n },
        created: Moment { now: Timestamp(at), wall: DtnTime(5) },
        lifetime: DAY,
        expires: Timestamp(DAY.0),
        priority: Priority::Normal,
        size_bytes: 500,
        evidence: Vec::new(),
        carriers: Vec::new(),
        unlisted: Default::default(),
    }
}

fn check(store: &RedbStore, ids: &BTreeSet<BundleId>) {
    let (durable, reader) = (store.durable().unwrap(), store.reader());
    for id in ids {
        assert_eq!(reader.known(id).unwrap(), durable.known(id));
        let like = IdPrefix::parse(&id.full()[..8]).unwrap();
        let here = durable.known(id);
        assert_eq!(reader.letters_like(&like, 9).unwrap(), Vec::from_iter(here.letter.map(|letter| letter.id)));
        assert_eq!(reader.sent_like(&like, 9).unwrap(), Vec::from_iter(here.outgoing.map(|outgoing| outgoing.id)));
    }
    assert_eq!(store.unfiled().unwrap(), durable.clone().without_filed());
    let forwards = reader.letters(Span::ALL, Direction::Forwards, 100).unwrap();
    let mut backwards = reader.letters(Span::ALL, Direction::Backwards, 100).unwrap();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    assert!(forwards.is_sorted_by_key(|(position, _)| *position));
    let rows: BTreeSet<Row> = forwards.iter().map(|(_, letter)| letter.row).collect();
    assert_eq!(rows, durable.letters.keys().copied().collect());
    for pair in forwards.windows(2) {
        let [one, next] = [&pair[0].1, &pair[1].1];
        let stamps = [one, next].map(|letter| letter.creation.time);
        assert!(one.source != next.source || stamps[0] <= stamps[1], "each writer's mail is read as it was written");
    }
    let written = reader.sent_behind(None, 100).unwrap();
    assert!(written.is_sorted_by_key(|(written, _)| *written));
    let sent: BTreeSet<BundleId> = written.iter().map(|(_, outgoing)| outgoing.id).collect();
    assert_eq!(sent, durable.outgoing.keys().copied().collect());
    assert_eq!(reader.letters_len().unwrap(), durable.letters.len() as u64);
    check_talk(store, &forwards);
}

/// Every conversation has its letters where the inbox has them and one's own words at their filing, and counts what is unread.
fn check_talk(store: &RedbStore, inbox: &[(Position, Letter)]) {
    let (durable, reader) = (store.durable().unwrap(), store.reader());
    let mut talks: BTreeMap<Conversation, Vec<(Position, Entry)>> = BTreeMap::new();
    for (position, letter) in inbox {
        let talk = talks.entry(Conversation::of_letter(letter)).or_default();
        talk.push((*position, Entry::Came(letter.clone())));
    }
    for outgoing in durable.outgoing.values() {
        let talk = talks.entry(Conversation::of_sent(outgoing)).or_default();
        talk.push((Position::of_own(outgoing.row.unwrap()), Entry::Own(outgoing.clone())));
    }
    let counted = reader.conversations().unwrap();
    assert_eq!(counted.iter().map(|(counts, _)| &counts.with).collect::<BTreeSet<_>>(), talks.keys().collect());
    for (counts, last) in counted {
        let mut talk = talks.remove(&counts.with).unwrap();
        talk.sort_by_key(|(position, _)| *position);
        let is_unread = |(_, entry): &&(Position, Entry)| matches!(entry, Entry::Came(letter) if !letter.read);
        assert_eq!((counts.rows, counts.unread), (talk.len() as u64, talk.iter().filter(is_unread).count() as u64));
        assert_eq!(last, talk.last().map(|(_, entry)| entry.clone()));
        let first_unread = talk.iter().find(is_unread).map(|(position, _)| *position);
        assert_eq!(reader.first_unread(&counts.with).unwrap(), first_unread);
        assert_eq!(lines(&reader, &counts.with, Direction::Forwards, 100), talk);
        talk.reverse();
        talk.truncate(3);
        assert_eq!(lines(&reader, &counts.with, Direction::Backwards, 3), talk);
    }
}

/// The rows of a conversation, each of which came with the number of its coming.
fn lines(reader: &RedbReader, with: &Conversation, direction: Direction, many: usize) -> Vec<(Position, Entry)> {
    let happened: BTreeMap<u64, Happening> = reader.happened(0, 1_000).unwrap().into_iter().collect();
    let line = |line: Line| {
        let (id, what) = match &line.entry {
            Entry::Came(letter) => (letter.id, What::Came),
            Entry::Own(outgoing) => (outgoing.id, What::Queued),
        };
        let came = happened[&line.number];
        assert_eq!((came.id, came.what), (id, what));
        (line.position, line.entry)
    };
    reader.talk(with, Span::ALL, direction, many).unwrap().into_iter().map(line).collect()
}

pub fn copy_of(store: &RedbStore, path: &Path) -> RedbStore {
    let mut records = Vec::new();
    let mut take = |name: &str, bytes: &[u8]| {
        assert!(!name.starts_with("index"), "what can be derived is in no backup");
        records.push(Ok((name.to_owned(), bytes.to_vec())));
        Ok(())
    };
    store.reader().records().unwrap().each(&mut take).unwrap();
    import_records(path, records).unwrap();
    open(path)
}

#[test]
fn what_the_index_finds_is_what_the_record_has() {
    for seed in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let mut store = open(&path);
        let mut ids = BTreeSet::from([id_of(1_000)]);
        for batch in some_mail(seed).chunks(7) {
            for change in batch {
                match change {
                    Change::Deliver { letter, .. } => ids.insert(letter.id),
                    Change::Post { outgoing } => ids.insert(outgoing.id),
                    _ => false,
                };
            }
            store.commit(batch).unwrap();
            check(&store, &ids);
        }
        let order = store.reader().letters(Span::ALL, Direction::Forwards, 100).unwrap();
        let copy = copy_of(&store, &dir.path().join("copy.redb"));
        check(&copy, &ids);
        assert_eq!(copy.reader().letters(Span::ALL, Direction::Forwards, 100).unwrap(), order, "seed {seed}");
        drop(store);
        check(&open(&path), &ids);
    }
}

#[test]
fn a_page_of_the_inbox_goes_on_where_the_one_before_ended() {
    use std::ops::Bound;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    store.commit(&some_mail(1)).unwrap();
    let reader = store.reader();
    let whole = reader.letters(Span::ALL, Direction::Forwards, 100).unwrap();
    for direction in [Direction::Forwards, Direction::Backwards] {
        let (mut span, mut all) = (Span::ALL, Vec::new());
        loop {
            let page = reader.letters(span, direction, 3).unwrap();
            let Some((last, _)) = page.last() else { break };
            assert!(page.len() <= 3, "whatever stands at one place");
            match direction {
                Direction::Forwards => span.from = Bound::Excluded(*last),
                Direction::Backwards => span.to = Bound::Excluded(*last),
            }
            all.extend(page);
        }
        if direction == Direction::Backwards {
            all.reverse();
        }
        assert_eq!(all, whole, "{direction:?}");
    }
}

/// A text that goes so long after it was read, or once more the one with this name.
fn fleeting(row: u64, same: Option<[u8; 16]>) -> Change {
    let after = Some(AfterRead::Span(Millis(10)));
    let text = Text { body: "volatile".into(), expire_after_read: after, same, ..Text::default() };
    file(row, &Content::from(text))
}

fn file(row: u64, content: &Content) -> Change {
    Change::File {
        row: Row(row),
        filed: Arc::new(Filed { key: KeyUsed::Identity, content: content.encode(), seal: None }),
    }
}

#[test]
fn what_is_over_leaves_the_store_with_its_copies_and_changes_and_an_index_made_anew_knows_that() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let (first, again, edit) = (came(1, 1, 1), came(1, 2, 2), came(1, 3, 3));
    let mark = Letter::mark_of(&first.id);
    let body = Some("volatile too".into());
    let words = Content::Change(Amendment { target: mark, body, ..Amendment::default() });
    let mail = [
        deliver(1, &first),
        fleeting(1, None),
        deliver(2, &again),
        fleeting(2, Some(mark)),
        deliver(3, &edit),
        file(3, &words),
    ];
    store.commit(&mail).unwrap();
    let at = |now| Moment { now: Timestamp(now), wall: DtnTime(0) };
    let keep = |key, now| Change::Keep { key, value: Some(kept::write_moment(at(now))) };
    assert_eq!(store.reader().next_over(at(0)).unwrap(), None, "nobody saw it");
    store.commit(&[keep(kept::shown(Row(1)), 5)]).unwrap();
    let says = |store: &RedbStore, word: &str| {
        let bodies = store.reader().words(&[Row(1), Row(2), Row(3)]).unwrap();
        let said = |body: Option<Body>| match body {
            Some(Body::Filed(filed)) => filed.content.windows(word.len()).any(|part| part == word.as_bytes()),
            other => panic!("{other:?}"),
        };
        bodies.into_iter().map(said).collect::<Vec<_>>()
    };
    let with = Conversation(Eid::mail(node(1)));
    let check = |store: &RedbStore, is_gone: bool| {
        let reader = store.reader();
        assert_eq!(reader.over(at(14), 9).unwrap(), []);
        assert_eq!(reader.over(at(15), 9).unwrap(), if is_gone { vec![] } else { vec![Row(1)] });
        assert_eq!(reader.is_gone(&with, &mark).unwrap(), is_gone);
        assert_eq!(says(store, "volatile"), [!is_gone; 3]);
    };
    check(&store, false);
    check(&copy_of(&store, &dir.path().join("before.redb")), false);
    store.commit(&[keep(kept::gone(Row(1)), 15)]).unwrap();
    check(&store, true);
    check(&copy_of(&store, &dir.path().join("after.redb")), true);
    drop(store);
    let mut store = open(&path);
    check(&store, true);
    let late = came(1, 4, 4);
    store.commit(&[deliver(4, &late), fleeting(4, Some(mark))]).unwrap();
    let Some(Body::Filed(filed)) = store.reader().words(&[Row(4)]).unwrap().pop().flatten() else { panic!("no words") };
    assert!(!filed.content.windows(8).any(|part| part == b"volatile"), "what comes again stays forgotten");
    assert_eq!(store.reader().talk(&with, Span::ALL, Direction::Forwards, 9).unwrap().len(), 1, "a row stays");
}

#[test]
fn what_came_and_went_in_one_commit_leaves_one_line_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("store.redb"));
    let bundles: Vec<Arc<Bundle>> = (1..4).map(|row| came(1, row, row)).collect();
    let text = Content::from(Text { body: "hello".into(), ..Text::default() });
    let bring = |row: u64| [deliver(row, &bundles[row as usize - 1]), file(row, &text)];
    let both = [&bring(1)[..], &bring(2), &[Change::Discard { row: Row(1) }]].concat();
    store.commit(&both).unwrap();
    let happened = |store: &RedbStore| -> Vec<(u64, BundleId, What)> {
        let all = store.reader().happened(0, 9).unwrap().into_iter();
        all.map(|(number, Happening { id, what, .. })| (number, id, what)).collect()
    };
    let first = [(1, bundles[0].id, What::Deleted), (2, bundles[1].id, What::Came)];
    assert_eq!(happened(&store), first);
    // What somebody could see has a line for each.
    store.commit(&[Change::Discard { row: Row(2) }]).unwrap();
    assert_eq!(happened(&store), [&first[..], &[(3, bundles[1].id, What::Deleted)]].concat());
}

#[test]
fn what_was_deleted_stays_so_when_it_comes_in_another_bundle_and_what_says_more_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let mut store = open(&path);
    let bundles: Vec<Arc<Bundle>> = (1..8).map(|row| came(1, row, row)).collect();
    let mark = Letter::mark_of(&bundles[0].id);
    let with = Conversation(Eid::mail(node(1)));
    let text = |body: &str, same| Content::from(Text { body: body.into(), same, ..Text::default() });
    let bring = |row: u64, content: &Content| [deliver(row, &bundles[row as usize - 1]), file(row, content)];
    let edit = Content::Change(Amendment { target: mark, body: Some("seven".into()), ..Amendment::default() });
    store
        .commit(&[bring(1, &text("five", None)), bring(2, &text("six", Some(mark))), bring(3, &edit)].concat())
        .unwrap();
    let shown = |store: &RedbStore| store.reader().talk(&with, Span::ALL, Direction::Forwards, 9).unwrap().len();
    assert_eq!(shown(&store), 1);
    store.commit(&[2, 1, 3].map(|row| Change::Discard { row: Row(row) })).unwrap();
    let again =
        [bring(4, &text("five", Some(mark))), bring(5, &text("six", Some(mark))), bring(6, &text("seven", Some(mark)))];
    store.commit(&again.concat()).unwrap();
    let check = |store: &RedbStore, many: usize| {
        assert_eq!(shown(store), many);
        let letters = store.durable().unwrap().letters.len();
        assert_eq!(letters, many, "its facts are gone too");
        for bundle in &bundles[..6] {
            assert!(store.reader().known(&bundle.id).unwrap().delivered, "it is answered as before");
        }
    };
    check(&store, 0);
    store.commit(&bring(7, &text("eight", Some(mark)))).unwrap();
    check(&store, 1);
    check(&copy_of(&store, &dir.path().join("copy.redb")), 1);
    drop(store);
    check(&open(&path), 1);
}
