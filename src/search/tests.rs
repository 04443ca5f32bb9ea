use std::fs;

use super::*;
use crate::mail::query::Query;

const NO_TIME: Option<u64> = None;

fn document<'a>(row: u64, texts: &'a [&'a str]) -> Document<'a> {
    Document { row, group: b"g", at: NO_TIME, marks: &[], texts }
}

fn fill(index: &mut Index, texts: &[(u64, &str)]) {
    let mut filling = index.fill().unwrap();
    for (row, text) in texts {
        filling.add(&Document { row: *row, group: b"g", at: NO_TIME, marks: &[], texts: &[text] }).unwrap();
    }
    let cursor = texts.iter().map(|(row, _)| *row).max().unwrap_or_default();
    filling.commit(cursor).unwrap();
    filling.end().unwrap();
}

fn remove(index: &mut Index, rows: &[u64]) {
    let cursor = index.cursor().unwrap();
    let mut filling = index.fill().unwrap();
    rows.iter().for_each(|row| filling.remove(*row).unwrap());
    filling.commit(cursor).unwrap();
    filling.end().unwrap();
}

fn rows_that(index: &Index, query: &str, narrowed: &Narrowed, many: usize, is_meant: impl Fn(u64) -> bool) -> Vec<u64> {
    let sought = Sought::of(&Query::parse(query).unwrap().words).unwrap();
    let hits = index.find(&sought, narrowed, many, |hit| Ok::<bool, SearchError>(is_meant(hit.row))).unwrap();
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    hits.into_iter().map(|hit| hit.row).collect()
}

fn rows(index: &Index, query: &str) -> Vec<u64> {
    rows_that(index, query, &Narrowed::default(), 100, |_| true)
}

/// Whether any segment has a word in its dictionary, and no file is there but those of segments.
fn holds(index: &Index, place: &Path, word: &str) -> bool {
    let searcher = index.reader.searcher();
    let of_segments = searcher.segment_readers().iter().map(|segment| segment.segment_id().uuid_string());
    let known: Vec<String> = of_segments.chain(["meta".into(), ".managed".into()]).collect();
    for entry in fs::read_dir(place).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.iter().any(|known| name.starts_with(known)), "{name}");
    }
    searcher.segment_readers().iter().any(|segment| {
        let words = segment.inverted_index(index.fields.word).unwrap();
        let mut words = words.terms().stream().unwrap();
        while words.advance() {
            if words.key() == word.as_bytes() {
                return true;
            }
        }
        false
    })
}

#[test]
fn words_are_found_best_first_and_of_those_alike_the_latest() {
    let mut index = Index::in_memory().unwrap();
    let long = format!("the pump {}", "and so on ".repeat(50));
    fill(&mut index, &[(3, "the pump is mended"), (5, &long), (7, "nothing"), (9, "a pump was found")]);
    assert_eq!(rows(&index, "Pump"), [9, 3, 5]);
    assert_eq!(rows(&index, "pump mended"), [3]);
    assert_eq!(rows(&index, "pump -found"), [3, 5]);
    assert_eq!(rows(&index, "PUM*").len(), 3);
    assert_eq!(rows(&index, "noth* -pum*"), [7]);
    assert_eq!(rows(&index, "pumps"), [0; 0]);
    assert_eq!(rows_that(&index, "pump", &Narrowed::default(), 1, |_| true), [9]);
    assert_eq!((index.rows(), index.cursor()), (4, Some(9)));
}

#[test]
fn every_row_that_is_meant_is_found_however_many_others_are_better() {
    let mut index = Index::in_memory().unwrap();
    let texts: Vec<(u64, String)> =
        (1..2_000).map(|row| (row, format!("pump {}", "x ".repeat(row as usize % 7)))).collect();
    fill(&mut index, &texts.iter().map(|(row, text)| (*row, &**text)).collect::<Vec<_>>());
    let meant = |many| {
        let mut meant = rows_that(&index, "pump", &Narrowed::default(), many, |row| row % 500 == 6);
        meant.sort();
        meant
    };
    assert_eq!(meant(9), [6, 506, 1_006, 1_506]);
    assert_eq!(meant(3).len(), 3);
}

#[test]
fn facts_and_times_narrow_down() {
    let mut index = Index::in_memory().unwrap();
    let mut filling = index.fill().unwrap();
    let (a, b) = (b"a".to_vec(), b"b".to_vec());
    let rows = [(1, Some(10), vec![a.clone()]), (2, Some(20), vec![a.clone(), b.clone()]), (3, None, vec![])];
    for (row, at, marks) in rows {
        let group = if row == 2 { b"even" } else { &b"odd"[..] };
        filling.add(&Document { row, group, at, marks: &marks, texts: &["pump"] }).unwrap();
    }
    filling.commit(3).unwrap();
    filling.end().unwrap();
    let [a, b] = [a, b].map(Fact::Mark);
    let odd = Fact::Group(b"odd".to_vec());
    let narrow = |narrowed: Narrowed| rows_that(&index, "pump", &narrowed, 10, |_| true);
    assert_eq!(narrow(Narrowed { facts: vec![a.clone()], ..Narrowed::default() }), [2, 1]);
    assert_eq!(narrow(Narrowed { facts: vec![a.clone(), b.clone()], ..Narrowed::default() }), [2]);
    assert_eq!(narrow(Narrowed { no_facts: vec![b], ..Narrowed::default() }), [3, 1]);
    assert_eq!(narrow(Narrowed { facts: vec![odd.clone()], ..Narrowed::default() }), [3, 1]);
    assert_eq!(narrow(Narrowed { facts: vec![a], no_facts: vec![odd.clone()], ..Narrowed::default() }), [2]);
    assert_eq!(narrow(Narrowed { at: (Bound::Included(10), Bound::Excluded(20)), ..Narrowed::default() }), [1]);
    assert_eq!(narrow(Narrowed { at: (Bound::Unbounded, Bound::Included(20)), ..Narrowed::default() }), [2, 1]);
    let mut each = Vec::new();
    index.each(&odd, |row, group| each.push((row, group.to_vec()))).unwrap();
    each.sort();
    assert_eq!(each, [(1, b"odd".to_vec()), (3, b"odd".to_vec())]);
}

#[test]
fn what_is_removed_is_in_no_file_and_what_is_written_anew_is_found_by_its_new_words() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("search");
    let mut index = Index::open(&place).unwrap();
    fill(&mut index, &[(1, "xyzzyplugh pump"), (2, "frobnicate valve")]);
    assert!(holds(&index, &place, "xyzzyplugh") && holds(&index, &place, "frobnicate"));
    remove(&mut index, &[1]);
    assert_eq!((rows(&index, "pump"), rows(&index, "valve")), (vec![], vec![2]));
    assert!(
        !holds(&index, &place, "xyzzyplugh") && !holds(&index, &place, "pump") && holds(&index, &place, "frobnicate")
    );
    let mut filling = index.fill().unwrap();
    filling.replace(&document(2, &["mended"])).unwrap();
    filling.commit(3).unwrap();
    filling.end().unwrap();
    assert_eq!((rows(&index, "valve"), rows(&index, "mended")), (vec![], vec![2]));
    assert!(!holds(&index, &place, "frobnicate"));
}

#[test]
fn what_somebody_died_over_removing_leaves_with_the_next_commit() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("search");
    let mut index = Index::open(&place).unwrap();
    let others = (3..12).map(|row| (row, "pump"));
    fill(&mut index, &[(1, "xyzzyplugh"), (2, "frobnicate")].into_iter().chain(others).collect::<Vec<_>>());
    let mut filling = index.fill().unwrap();
    filling.drop_row(1).unwrap();
    filling.commit(7).unwrap();
    filling.end().unwrap();
    assert!(holds(&index, &place, "xyzzyplugh") && rows(&index, "xyzzyplugh").is_empty());
    drop(index);
    let mut index = Index::open(&place).unwrap();
    assert!(index.is_untidy());
    fill(&mut index, &[]);
    assert!(!index.is_untidy() && !holds(&index, &place, "xyzzyplugh") && holds(&index, &place, "frobnicate"));
}

#[test]
fn what_was_committed_is_there_when_it_is_opened_again_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("search");
    let mut index = Index::open(&place).unwrap();
    fill(&mut index, &[(1, "pump")]);
    let mut filling = index.fill().unwrap();
    filling.add(&document(2, &["pump"])).unwrap();
    drop(filling);
    drop(index);
    let mut index = Index::open(&place).unwrap();
    assert_eq!((index.cursor(), rows(&index, "pump")), (Some(1), vec![1]));
    for row in 2..30 {
        fill(&mut index, &[(row, "pump")]);
    }
    assert_eq!(rows(&index, "pump").len(), 29);
    let segments = index.index.searchable_segment_ids().unwrap().len();
    assert!(segments < 10, "{segments} segments");
}

#[test]
fn one_that_nobody_filled_to_its_end_begins_anew() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("search");
    let mut index = Index::open(&place).unwrap();
    let mut filling = index.fill().unwrap();
    // More than may wait.
    let long = "pump ".repeat(WAITING_BYTES / 10);
    (1..4).for_each(|row| filling.add(&document(row, &[&long])).unwrap());
    drop(filling);
    drop(index);
    assert!(fs::read_dir(&place).unwrap().any(|entry| entry.unwrap().path().extension().is_some_and(|e| e == "term")));
    let mut index = Index::open(&place).unwrap();
    assert_eq!((index.cursor(), rows(&index, "pump")), (None, vec![]));
    fill(&mut index, &[(1, &long), (2, &long), (3, &long), (4, "pump")]);
    assert_eq!((index.cursor(), rows(&index, "pump")), (Some(4), vec![4, 3, 2, 1]));
}

#[test]
fn one_that_is_cut_damaged_or_of_another_version_begins_anew() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("search");
    let made = |place: &Path| {
        Index::destroy(place).unwrap();
        let mut index = Index::open(place).unwrap();
        fill(&mut index, &[(1, "pump and valve"), (2, "pump")]);
        remove(&mut index, &[2]);
        fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let mut harmed = 0;
    for n in 0..made(&place).len() {
        for harm in [cut as fn(&Path), flip, fs_remove] {
            let files = made(&place);
            let name = &files[n];
            harm(&place.join(name));
            let mut index = Index::open(&place).unwrap();
            match (index.cursor(), rows(&index, "valve").len()) {
                (None, 0) => harmed += 1,
                // The list of files is only for whoever tidies up.
                (Some(1 | 2), 1) if name == ".managed.json" => {}
                other => panic!("{name:?}: {other:?}"),
            }
            fill(&mut index, &[(1, "pump and valve")]);
            assert!(!rows(&index, "valve").is_empty());
        }
    }
    assert!(harmed > 10);
    made(&place);
    let meta = fs::read_to_string(place.join("meta.json")).unwrap();
    fs::write(place.join("meta.json"), meta.replace(&format!("\"{VERSION} 2\""), "\"0 2\"")).unwrap();
    assert_eq!(Index::open(&place).unwrap().cursor(), None);
    Index::destroy(&place).unwrap();
    fs::write(&place, "a file in its place").unwrap();
    assert_eq!(Index::open(&place).unwrap().cursor(), None);
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

fn fs_remove(path: &Path) {
    fs::remove_file(path).unwrap();
}
