//! Where words are found: an index on disk of rows and what they say, without the texts themselves.
//!
//! It knows numbers, marks and words, and nothing of people or messages; whoever fills it says what a row is. The record is
//! the truth, and the index comes after it: it says up to where it knows the record ([`Index::cursor`]), and one that is
//! damaged, cut short or of another version is thrown away and begins anew.
//!
//! It knows which words a text has, and not in which order, which would make it half again as large: a phrase is looked up
//! as words, and whoever has the texts says which of the rows found have it ([`Sought::is_in`]).

mod files;
mod sought;
mod tokens;

use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tantivy::collector::TopDocs;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByStaticFastValue};
use tantivy::columnar::BytesColumn;
use tantivy::directory::{Directory, RamDirectory};
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{LogMergePolicy, MergePolicy, NoMergePolicy};
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, EnableScoring, Occur, Query, RangeQuery, TermQuery};
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{
    DocAddress, DocId, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
};

use self::files::Files;
use self::sought::Pattern;
use self::tokens::Folded;

pub use self::sought::Sought;

/// Grows with every change of what is found by what.
const VERSION: u64 = 2;
/// So many bytes of texts wait to be written at most, and each row counts as so many more.
const WAITING_BYTES: usize = 4 << 20;
const ENTRY_BYTES: usize = 256;
/// The least memory that collects what is added before it is written, in bytes.
const WRITER_BYTES: usize = 15_000_000;
/// Larger segments are not put together any more, in rows.
const SMALL_ROWS_MAX: usize = 16_384;
/// So many rows make a segment that is large enough: who deletes a row waits until its segment is written anew.
const SEGMENT_ROWS_ABOUT: u32 = 65_536;
/// A segment of which so large a part is gone is written anew.
const STALE_PART: u32 = 4;
/// How many more rows are looked at where too few of the last ones were meant.
const WIDER: usize = 8;

/// An index that is open.
pub struct Index {
    index: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    cursor: Option<u64>,
    /// Files may have what was removed.
    is_untidy: bool,
}

/// What is found.
pub struct Document<'a> {
    pub row: u64,
    /// What the row belongs to, as one of not too many; it is told with a hit.
    pub group: &'a [u8],
    /// When it was written, in any unit that goes on; none where nobody knows.
    pub at: Option<u64>,
    /// What else it is found by, as it is.
    pub marks: &'a [Vec<u8>],
    pub texts: &'a [&'a str],
}

/// What is looked for besides words.
#[derive(Clone, Debug)]
pub struct Narrowed {
    /// What it is, and what it is not.
    pub facts: Vec<Fact>,
    pub no_facts: Vec<Fact>,
    pub at: (Bound<u64>, Bound<u64>),
}

/// Something that a row is found by beside its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Group(Vec<u8>),
    Mark(Vec<u8>),
}

/// A row that was found; the higher the score, the better.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub row: u64,
    pub group: Vec<u8>,
    pub score: f32,
}

/// The index fails; made anew it may not.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the index of words fails: {0}")]
pub struct SearchError(String);

#[derive(Clone, Copy)]
struct Fields {
    row: Field,
    group: Field,
    at: Field,
    mark: Field,
    word: Field,
}

impl Default for Narrowed {
    fn default() -> Narrowed {
        Narrowed { facts: Vec::new(), no_facts: Vec::new(), at: (Bound::Unbounded, Bound::Unbounded) }
    }
}

impl Index {
    /// Opens the index in a directory of its own; where that has none that is sound and of this version, an empty one.
    pub fn open(place: &Path) -> Result<Index, SearchError> {
        match guarded(|| Index::open_sound(place)) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "it is made anew"),
        }
        Index::destroy(place)?;
        guarded(|| Index::make(Files::at(place)?))
    }

    /// An empty index in memory.
    pub fn in_memory() -> Result<Index, SearchError> {
        guarded(|| Index::make(RamDirectory::create()))
    }

    /// The cursor of the index in a directory, which is not opened for it; none where there is none of this version.
    pub fn cursor_at(place: &Path) -> Option<u64> {
        let meta = Files::of(place).atomic_read(Path::new("meta.json")).ok()?;
        let meta: serde_json::Value = serde_json::from_slice(&meta).ok()?;
        read_cursor(meta.get("payload")?.as_str()?)
    }

    /// Deletes the index in a directory.
    pub fn destroy(place: &Path) -> Result<(), SearchError> {
        Ok(files::delete(place)?)
    }

    /// None where there is none of this version.
    fn open_sound(place: &Path) -> Result<Option<Index>, SearchError> {
        if !place.try_exists()? {
            return Ok(None);
        }
        let index = tantivy::Index::open(Files::of(place))?;
        let (schema, _) = schema();
        let cursor = index.load_metas()?.payload.as_deref().and_then(read_cursor);
        let Some(cursor) = cursor.filter(|_| index.schema() == schema) else { return Ok(None) };
        if !index.validate_checksum()?.is_empty() {
            return Err(SearchError("it is damaged".into()));
        }
        Index::over(index, Some(cursor)).map(Some)
    }

    fn make(files: impl Directory) -> Result<Index, SearchError> {
        let index = tantivy::Index::create(files, schema().0, Default::default())?;
        Index::over(index, None)
    }

    fn over(index: tantivy::Index, cursor: Option<u64>) -> Result<Index, SearchError> {
        index.tokenizers().register(FOLDED, TextAnalyzer::from(Folded));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let is_untidy = index.searchable_segment_metas()?.iter().any(|segment| segment.has_deletes());
        Ok(Index { index, fields: schema().1, reader, cursor, is_untidy })
    }

    /// Up to where whoever fills it had come at the last commit; none of one that was never filled to its end.
    pub fn cursor(&self) -> Option<u64> {
        self.cursor
    }

    /// Whether files may have what was removed, for whoever removed it died over it: the next commit sees to that.
    pub fn is_untidy(&self) -> bool {
        self.is_untidy
    }

    /// How many rows it knows.
    pub fn rows(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    fn last_row(&self) -> Result<Option<u64>, SearchError> {
        let mut last = None;
        for segment in self.reader.searcher().segment_readers() {
            let rows = segment.fast_fields().u64(ROW)?;
            last = last.max((rows.num_docs() > 0).then(|| rows.max_value()));
        }
        Ok(last)
    }

    /// Begins to change it.
    pub fn fill(&mut self) -> Result<Filling<'_>, SearchError> {
        let writer = guarded(|| {
            let writer: IndexWriter = self.index.writer_with_num_threads(1, WRITER_BYTES)?;
            writer.set_merge_policy(Box::new(NoMergePolicy));
            Ok(writer)
        })?;
        let last_row = guarded(|| self.last_row())?;
        let has_removed = self.is_untidy;
        Ok(Filling { index: self, writer, last_row, has_removed, waiting_bytes: 0 })
    }

    /// The best rows, best first and of those alike the one that was filed last; without wanted words the latest, by when
    /// they were written. At most so many. `is_meant` says of a row that was found
    /// whether it is to be told, and is asked also whether it has the phrases that are sought.
    pub fn find<E: From<SearchError>>(
        &self,
        sought: &Sought,
        narrowed: &Narrowed,
        many: usize,
        mut is_meant: impl FnMut(&Hit) -> Result<bool, E>,
    ) -> Result<Vec<Hit>, E> {
        let query = self.query(sought, narrowed);
        let all = usize::try_from(self.rows()).unwrap_or(usize::MAX).max(1);
        let (mut found, mut asked, mut limit) = (Vec::new(), 0, many);
        while found.len() < many {
            let hits = guarded(|| match sought.has_words() {
                true => self.best(&*query, limit.min(all)),
                false => self.latest(&*query, limit.min(all)),
            })?;
            let is_last = hits.len() < limit;
            for hit in hits.into_iter().skip(asked) {
                asked += 1;
                if is_meant(&hit)? {
                    found.push(hit);
                    if found.len() == many {
                        break;
                    }
                }
            }
            if is_last {
                break;
            }
            limit = limit.saturating_mul(WIDER);
        }
        Ok(found)
    }

    fn best(&self, query: &dyn Query, limit: usize) -> Result<Vec<Hit>, SearchError> {
        let searcher = self.reader.searcher();
        // Of rows alike the one that was filed last.
        let order = (SortBySimilarityScore, SortByStaticFastValue::<u64>::for_field(ROW));
        let best = searcher.search(query, &TopDocs::with_limit(limit).order_by(order))?;
        self.hits(&searcher, best.into_iter().map(|((score, row), at)| (score, row, at)))
    }

    fn latest(&self, query: &dyn Query, limit: usize) -> Result<Vec<Hit>, SearchError> {
        let searcher = self.reader.searcher();
        let [at, row] = [AT, ROW].map(SortByStaticFastValue::<u64>::for_field);
        let latest = searcher.search(query, &TopDocs::with_limit(limit).order_by((at, row)))?;
        self.hits(&searcher, latest.into_iter().map(|((_, row), at)| (0.0, row, at)))
    }

    /// With their groups.
    fn hits(
        &self,
        searcher: &Searcher,
        found: impl Iterator<Item = (f32, Option<u64>, DocAddress)>,
    ) -> Result<Vec<Hit>, SearchError> {
        let groups: Result<Vec<Option<BytesColumn>>, TantivyError> =
            searcher.segment_readers().iter().map(|segment| segment.fast_fields().bytes(GROUP)).collect();
        let groups = groups?;
        let mut hits = Vec::new();
        for (score, row, at) in found {
            let group = group_of(groups[at.segment_ord as usize].as_ref(), at.doc_id)?;
            hits.extend(row.map(|row| Hit { row, group, score }));
        }
        Ok(hits)
    }

    /// Every row of which something is so, with its group, in no order.
    pub fn each(&self, fact: &Fact, mut take: impl FnMut(u64, &[u8])) -> Result<(), SearchError> {
        guarded(|| {
            let searcher = self.reader.searcher();
            let weight = self.fact(fact).weight(EnableScoring::disabled_from_searcher(&searcher))?;
            for segment in searcher.segment_readers() {
                let (rows, groups) = (segment.fast_fields().u64(ROW)?, segment.fast_fields().bytes(GROUP)?);
                let mut failed = None;
                weight.for_each_no_score(segment, &mut |docs| {
                    for doc in docs.iter().filter(|doc| !segment.is_deleted(**doc)) {
                        match (rows.first(*doc), group_of(groups.as_ref(), *doc)) {
                            (Some(row), Ok(group)) => take(row, &group),
                            (None, Ok(_)) => {}
                            (_, Err(error)) => failed = Some(error),
                        }
                    }
                })?;
                failed.map_or(Ok(()), Err)?;
            }
            Ok(())
        })
    }

    fn query(&self, sought: &Sought, narrowed: &Narrowed) -> Box<dyn Query> {
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for pattern in &sought.wanted {
            parts.extend(self.pattern(pattern).into_iter().map(|query| (Occur::Must, query)));
        }
        // A phrase is not there also where its words are.
        for pattern in sought.unwanted.iter().filter(|pattern| pattern.tokens.len() == 1) {
            parts.extend(self.pattern(pattern).into_iter().map(|query| (Occur::MustNot, query)));
        }
        parts.extend(narrowed.facts.iter().map(|wanted| (Occur::Must, self.fact(wanted))));
        parts.extend(narrowed.no_facts.iter().map(|unwanted| (Occur::MustNot, self.fact(unwanted))));
        let (from, to) = narrowed.at;
        if (from, to) != (Bound::Unbounded, Bound::Unbounded) {
            let term = |bound: Bound<u64>| bound.map(|at| Term::from_field_u64(self.fields.at, at));
            parts.push((Occur::Must, unscored(RangeQuery::new(term(from), term(to)))));
        }
        // What is only unwanted leaves out of something.
        if parts.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            parts.push((Occur::Must, unscored(AllQuery)));
        }
        Box::new(BooleanQuery::new(parts))
    }

    fn fact(&self, fact: &Fact) -> Box<dyn Query> {
        let term = match fact {
            Fact::Group(group) => Term::from_field_bytes(self.fields.group, group),
            Fact::Mark(mark) => Term::from_field_bytes(self.fields.mark, mark),
        };
        unscored(TermQuery::new(term, IndexRecordOption::Basic))
    }

    fn pattern(&self, pattern: &Pattern) -> Vec<Box<dyn Query>> {
        let once: BTreeSet<&String> = pattern.tokens.iter().collect();
        let open = pattern.tokens.last().filter(|_| pattern.is_open);
        let whole = once.into_iter().filter(|token| Some(*token) != open);
        let whole = whole.map(|token| -> Box<dyn Query> {
            Box::new(TermQuery::new(Term::from_field_text(self.fields.word, token), IndexRecordOption::Basic))
        });
        whole.chain(open.map(|start| self.beginning_with(start))).collect()
    }

    /// Words that begin so. No word has the last character of Unicode.
    fn beginning_with(&self, start: &str) -> Box<dyn Query> {
        let term = |text: &str| Term::from_field_text(self.fields.word, text);
        let end = format!("{start}{}", char::MAX);
        Box::new(RangeQuery::new(Bound::Included(term(start)), Bound::Excluded(term(&end))))
    }
}

/// Changes to an index; what is not committed is forgotten.
pub struct Filling<'i> {
    index: &'i mut Index,
    writer: IndexWriter,
    /// The highest row that may be there.
    last_row: Option<u64>,
    /// Something must leave the disk.
    has_removed: bool,
    /// Texts that may wait to be written.
    waiting_bytes: usize,
}

impl Filling<'_> {
    /// The index as it was at the last commit.
    pub fn index(&self) -> &Index {
        self.index
    }

    /// Adds a row that is not there yet.
    pub fn add(&mut self, document: &Document<'_>) -> Result<(), SearchError> {
        let fields = &self.index.fields;
        let mut entry = TantivyDocument::new();
        entry.add_u64(fields.row, document.row);
        entry.add_bytes(fields.group, document.group);
        if let Some(at) = document.at {
            entry.add_u64(fields.at, at);
        }
        document.marks.iter().for_each(|mark| entry.add_bytes(fields.mark, mark));
        document.texts.iter().for_each(|text| entry.add_text(fields.word, text));
        self.last_row = self.last_row.max(Some(document.row));
        self.waiting_bytes += document.texts.iter().map(|text| text.len()).sum::<usize>() + ENTRY_BYTES;
        guarded(|| Ok(self.writer.add_document(entry).map(drop)?))?;
        if self.waiting_bytes >= WAITING_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what was added so far, which is found with the next commit: what waits to be written is in memory.
    fn flush(&mut self) -> Result<(), SearchError> {
        self.waiting_bytes = 0;
        self.write(self.index.cursor)
    }

    /// Adds a row in the place of what is found of it so far, if anything is. That is found no more, and leaves the disk in
    /// time.
    pub fn replace(&mut self, document: &Document<'_>) -> Result<(), SearchError> {
        self.drop_row(document.row)?;
        self.add(document)
    }

    /// Nothing of a row is found any more, and no file has it once this is committed.
    pub fn remove(&mut self, row: u64) -> Result<(), SearchError> {
        self.has_removed = true;
        self.drop_row(row)
    }

    fn drop_row(&self, row: u64) -> Result<(), SearchError> {
        // Looking for it takes time.
        if self.last_row < Some(row) {
            return Ok(());
        }
        let row = Term::from_field_u64(self.index.fields.row, row);
        let query = RangeQuery::new(Bound::Included(row.clone()), Bound::Included(row));
        guarded(|| Ok(self.writer.delete_query(Box::new(query)).map(drop)?))
    }

    /// Makes what was added so far be found, and says up to where that is.
    pub fn commit(&mut self, cursor: u64) -> Result<(), SearchError> {
        self.write(Some(cursor))?;
        guarded(|| {
            self.put_together()?;
            self.index.reader.reload()?;
            // Whoever reads keeps files, and reads from new ones by now.
            let swept = self.writer.garbage_collect_files().wait()?;
            match swept.failed_to_delete_files.first() {
                Some(file) => Err(SearchError(format!("cannot delete {}", file.display()))),
                None => Ok(()),
            }
        })?;
        (self.index.cursor, self.index.is_untidy) = (Some(cursor), false);
        Ok(())
    }

    fn write(&mut self, cursor: Option<u64>) -> Result<(), SearchError> {
        guarded(|| {
            let mut commit = self.writer.prepare_commit()?;
            commit.set_payload(&write_cursor(cursor));
            Ok(commit.commit().map(drop)?)
        })
    }

    /// Puts together small segments where there are many, and writes those anew of which much is gone, or anything where
    /// it must be.
    fn put_together(&mut self) -> Result<(), SearchError> {
        let has_removed = std::mem::take(&mut self.has_removed);
        let is_stale = |gone: u32, rows: u32| gone > 0 && (has_removed || gone >= rows / STALE_PART);
        for segment in self.index.index.searchable_segment_metas()? {
            if is_stale(segment.num_deleted_docs(), segment.max_doc()) {
                self.writer.merge(&[segment.id()]).wait()?;
            }
        }
        let mut policy = LogMergePolicy::default();
        policy.set_max_docs_before_merge(SMALL_ROWS_MAX);
        let segments = self.index.index.searchable_segment_metas()?;
        let rows =
            |id: &SegmentId| segments.iter().find(|segment| segment.id() == *id).map_or(0, SegmentMeta::num_docs);
        for candidate in policy.compute_merge_candidates(&segments) {
            let (mut together, mut sum) = (Vec::new(), 0);
            for id in candidate.0 {
                sum += rows(&id);
                together.push(id);
                if sum >= SEGMENT_ROWS_ABOUT {
                    sum = 0;
                    self.writer.merge(&std::mem::take(&mut together)).wait()?;
                }
            }
            if together.len() > 1 {
                self.writer.merge(&together).wait()?;
            }
        }
        Ok(())
    }

    /// Ends it with the threads that helped.
    pub fn end(self) -> Result<(), SearchError> {
        guarded(|| Ok(self.writer.wait_merging_threads()?))
    }
}

const ROW: &str = "row";
const GROUP: &str = "group";
const AT: &str = "at";
const FOLDED: &str = "folded";

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    // No counts and no places of words: half of the index would be those.
    let words = TextFieldIndexing::default().set_tokenizer(FOLDED).set_index_option(IndexRecordOption::Basic);
    let fields = Fields {
        row: schema.add_u64_field(ROW, NumericOptions::default().set_fast()),
        group: schema.add_bytes_field(GROUP, BytesOptions::default().set_fast().set_indexed()),
        at: schema.add_u64_field(AT, NumericOptions::default().set_fast()),
        mark: schema.add_bytes_field("mark", BytesOptions::default().set_indexed()),
        word: schema.add_text_field("word", TextOptions::default().set_indexing_options(words)),
    };
    (schema.build(), fields)
}

fn group_of(groups: Option<&BytesColumn>, doc: DocId) -> Result<Vec<u8>, SearchError> {
    let mut group = Vec::new();
    if let Some(groups) = groups
        && let Some(number) = groups.term_ords(doc).next()
    {
        groups.ord_to_bytes(number, &mut group)?;
    }
    Ok(group)
}

fn unscored(query: impl Query) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

fn write_cursor(cursor: Option<u64>) -> String {
    cursor.map_or(String::new(), |cursor| format!("{VERSION} {cursor}"))
}

/// None of another version, or of one that was never filled to its end.
fn read_cursor(payload: &str) -> Option<u64> {
    let (version, cursor) = payload.split_once(' ')?;
    (version == VERSION.to_string()).then(|| cursor.parse().ok())?
}

/// A damaged file may break what the library takes for granted, which is no reason to end the process.
fn guarded<T>(work: impl FnOnce() -> Result<T, SearchError>) -> Result<T, SearchError> {
    let broke = |_| Err(SearchError("it is damaged".into()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(broke)
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> SearchError {
        SearchError(error.to_string())
    }
}

impl From<io::Error> for SearchError {
    fn from(error: io::Error) -> SearchError {
        SearchError(error.to_string())
    }
}

#[cfg(test)]
mod tests;
