use std::fs;
use std::path::PathBuf;

use super::*;

/// 2026-11-01.
const THEN: u64 = 846_892_800_000;
const LEVELS: Levels = Levels { backlog: 3, held: 5, held_bytes: 700, store_bytes: 9_000 };

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("figures")
    }

    fn open(&self, now: Reading) -> Stats {
        Stats::open(&self.path(), true, now)
    }
}

/// So long after the start of the machine, by a wall clock that is right.
fn at(span: Millis) -> Reading {
    Reading { boot: span, wall: DtnTime(THEN + span.0) }
}

fn totals(n: u64) -> Totals {
    Totals { contacts: n, bytes_in: 10 * n, bytes_out: 100 * n }
}

fn spans(stats: &Stats, now: Reading) -> Vec<u64> {
    stats.samples(now, None).iter().map(|dated| dated.sample.span.0 / MINUTE.0).collect()
}

/// Keeps a sample whenever one is due, one contact in each.
fn run(stats: &mut Stats, from: Millis, to: Millis) -> Millis {
    let (mut now, mut n) = (from, 0);
    loop {
        now = now.saturating_add(stats.due(at(now)));
        if now > to {
            return now;
        }
        n += 1;
        stats.keep(at(now), totals(n), LEVELS);
    }
}

#[test]
fn what_was_counted_is_shared_out_to_the_span_it_came_in() {
    let place = Place::new();
    let mut stats = place.open(at(Millis(0)));
    stats.keep(at(MINUTE.times(5)), totals(3), LEVELS);
    stats.keep(at(MINUTE.times(10)), totals(3), Levels { held: 6, ..LEVELS });
    let shown = stats.samples(at(MINUTE.times(12)), Some((totals(4), LEVELS)));
    let moved: Vec<u64> = shown.iter().map(|dated| dated.sample.moved.bytes_out).collect();
    assert_eq!(moved, [300, 0, 100]);
    assert_eq!(shown[1].sample.levels.held, 6);
    let ends: Vec<u64> = shown.iter().map(|dated| (dated.at.unwrap().0 - THEN) / MINUTE.0).collect();
    assert_eq!(ends, [5, 10, 12]);
}

#[test]
fn a_month_fits_by_the_hour_and_its_last_day_by_five_minutes_in_a_file_that_does_not_grow() {
    let place = Place::new();
    let mut stats = place.open(at(Millis(0)));
    let first = fs::metadata(place.path()).unwrap().len();
    let now = run(&mut stats, Millis(0), DAY.times(45));
    let shown = stats.samples(at(now), None);
    let hours = shown.iter().filter(|dated| dated.sample.span == HOUR).count();
    let short = shown.iter().filter(|dated| dated.sample.span == SHORT).count();
    assert_eq!(hours + short, shown.len());
    assert!((695..=697).contains(&hours) && (276..=288).contains(&short), "{hours} {short}");
    let covered: u64 = shown.iter().map(|dated| dated.sample.span.0).sum();
    assert!(covered >= DAY.times(29).0 && covered <= DAY.times(30).0, "{covered}");
    assert!(shown.is_sorted_by(|a, b| a.sample.end + b.sample.span == b.sample.end), "one follows the other");
    assert_eq!(fs::metadata(place.path()).unwrap().len(), first);
    assert!(first < 100_000);
    let again = place.open(at(now));
    assert_eq!(again.samples(at(now), None), shown);
}

#[test]
fn a_run_goes_on_where_the_one_before_ended_and_time_off_lies_between() {
    let place = Place::new();
    let mut stats = place.open(at(Millis(0)));
    run(&mut stats, Millis(0), MINUTE.times(10));
    stats.keep(at(MINUTE.times(12)), totals(2), LEVELS);
    // The machine was started in between.
    let later = Reading { boot: MINUTE, wall: DtnTime(THEN + MINUTE.times(60).0) };
    let mut stats = place.open(later);
    stats.keep(Reading { boot: MINUTE.times(3), wall: DtnTime(THEN + MINUTE.times(62).0) }, totals(1), LEVELS);
    let now = Reading { boot: MINUTE.times(3), wall: DtnTime(THEN + MINUTE.times(62).0) };
    let shown = stats.samples(now, None);
    let ends: Vec<u64> = shown.iter().map(|dated| (dated.at.unwrap().0 - THEN) / MINUTE.0).collect();
    assert_eq!((ends, spans(&stats, now)), (vec![5, 10, 12, 62], vec![5, 5, 2, 2]));
    assert_eq!(shown[3].sample.moved, totals(1), "counters of a new run begin at nothing");
}

#[test]
fn clocks_that_jump_put_no_figure_before_another() {
    for jump in [-(DAY.times(900).0 as i64), -(HOUR.0 as i64), HOUR.0 as i64, DAY.times(4_000).0 as i64] {
        let place = Place::new();
        let mut stats = place.open(at(Millis(0)));
        stats.keep(at(SHORT), totals(1), LEVELS);
        let wall = DtnTime(THEN.saturating_add_signed(jump));
        stats.keep(Reading { boot: SHORT.times(2), wall }, totals(2), LEVELS);
        let mut stats = place.open(Reading { boot: SHORT.times(2), wall: DtnTime(THEN + SHORT.times(2).0) });
        let now = Reading { boot: SHORT.times(3), wall: DtnTime(THEN + SHORT.times(3).0) };
        stats.keep(now, totals(1), LEVELS);
        let shown = stats.samples(now, None);
        assert_eq!(shown.len(), 3, "{jump}");
        assert!(shown.is_sorted_by(|a, b| a.sample.end < b.sample.end && a.at < b.at), "{jump}: {shown:?}");
    }
}

#[test]
fn without_a_clock_there_are_figures_and_no_times() {
    let place = Place::new();
    let none = |boot| Reading { boot, wall: DtnTime(0) };
    let mut stats = place.open(none(Millis(0)));
    stats.keep(none(SHORT), totals(1), LEVELS);
    let shown = place.open(none(SHORT)).samples(none(SHORT), None);
    assert_eq!((shown.len(), shown[0].at), (1, None));
}

#[test]
fn what_a_disk_makes_of_a_slot_is_left_out_and_the_rest_is_read() {
    let place = Place::new();
    let mut stats = place.open(at(Millis(0)));
    let now = run(&mut stats, Millis(0), HOUR);
    let sound = fs::read(place.path()).unwrap();
    let count = stats.samples(at(now), None).len();
    let mut damaged = sound.clone();
    damaged[96 + 20] ^= 1;
    fs::write(place.path(), &damaged).unwrap();
    assert_eq!(place.open(at(now)).samples(at(now), None).len(), count - 1);
    for cut in [0, 1, 50, 96, 97, 5_000] {
        fs::write(place.path(), &sound[..cut]).unwrap();
        let stats = place.open(at(now));
        assert!(stats.samples(at(now), None).len() <= count, "{cut}");
    }
    fs::write(place.path(), vec![0; sound.len()]).unwrap();
    let mut stats = place.open(at(now));
    stats.keep(at(now.saturating_add(SHORT)), totals(1), LEVELS);
    assert_eq!(place.open(at(now)).samples(at(now.saturating_add(SHORT)), None).len(), 1);
}

#[test]
fn a_file_of_another_version_is_left_as_it_is() {
    let place = Place::new();
    fs::write(place.path(), b"dak figures 2\nand so on").unwrap();
    let mut stats = place.open(at(Millis(0)));
    stats.keep(at(SHORT), totals(1), LEVELS);
    assert_eq!(stats.samples(at(SHORT), None).len(), 1, "they last as long as the run");
    assert_eq!(fs::read(place.path()).unwrap(), b"dak figures 2\nand so on");
}

#[test]
fn who_only_reads_makes_no_file() {
    let place = Place::new();
    let stats = Stats::open(&place.path(), false, at(Millis(0)));
    assert!(stats.samples(at(Millis(0)), None).is_empty() && !place.path().exists());
}
