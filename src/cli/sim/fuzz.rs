//! `dak sim fuzz`.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use super::gauge::Bar;
use super::{FuzzArgs, Outcome, Stop, print, threads};
use crate::sim::fuzz::{Actor, Counts, Run, run, run_twice};

/// One seed in so many runs twice, to see that it comes out the same.
const TWICE_EVERY: u64 = 64;
/// After so many violations no further seeds are begun.
const VIOLATIONS_MAX: u64 = 20;

pub fn fuzz(args: &FuzzArgs, json: bool) -> Outcome {
    let end = args.seed.checked_add(args.seeds).ok_or_else(|| {
        Stop::Refused(format!("--seed {} --seeds {}: the last seed is beyond {}", args.seed, args.seeds, u64::MAX))
    })?;
    let pool = threads(args.jobs)?;
    // What panics is told with its seed; the thread's own words would only come in between.
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let found = pool.install(|| search(args.seed..end, &args.actor, json));
    drop(std::panic::take_hook());
    let (ran, counts, mut broken) = found;
    broken.sort_by_key(|run| run.seed);
    broken.iter().try_for_each(|run| print(violation(run, json)))?;
    print(summary(args, ran, broken.len(), &counts, began.elapsed().as_millis() as u64, json))?;
    match broken.len() {
        0 => Ok(()),
        1 => Err(Stop::Failed(format!("seed {} breaks a promise", broken[0].seed))),
        n => Err(Stop::Failed(format!("{n} seeds break a promise, seed {} first", broken[0].seed))),
    }
}

fn search(seeds: std::ops::Range<u64>, actors: &[Actor], json: bool) -> (u64, Counts, Vec<Run>) {
    let (done, violations, of) = (AtomicUsize::new(0), AtomicU64::new(0), (seeds.end - seeds.start) as usize);
    let bar = Bar::new(json);
    let actors = (!actors.is_empty()).then_some(actors);
    let one = |seed: u64| {
        if violations.load(Ordering::Relaxed) >= VIOLATIONS_MAX {
            return None;
        }
        let run = if seed.is_multiple_of(TWICE_EVERY) { run_twice(seed, actors) } else { run(seed, actors) };
        violations.fetch_add(u64::from(run.violation.is_some()), Ordering::Relaxed);
        bar.count(done.fetch_add(1, Ordering::Relaxed) + 1, of);
        Some(run)
    };
    let nothing = || (0, Counts::default(), Vec::new());
    let join = |(ran, mut counts, mut broken): (u64, Counts, Vec<Run>), (more, others, worse)| {
        counts.add(&others);
        broken.extend(worse);
        (ran + more, counts, broken)
    };
    let runs = seeds.into_par_iter().filter_map(one);
    let found = runs.map(|run| (1, run.counts, if run.violation.is_some() { vec![run] } else { Vec::new() }));
    let found = found.reduce(nothing, join);
    bar.clear();
    found
}

/// The command that runs a seed again.
fn replay(run: &Run) -> String {
    let actors = run.actors.iter().flatten().map(|actor| format!(" --actor {actor}"));
    format!("dak sim fuzz --seed {} --seeds 1{}", run.seed, actors.collect::<String>())
}

fn violation(run: &Run, json: bool) -> String {
    let Some(violation) = run.violation.as_ref().filter(|_| json) else {
        return format!("{run}\n  replay: {}\n", replay(run));
    };
    let line = serde_json::json!({
        "schema": 1,
        "seed": run.seed,
        "promise": violation.promise.to_string(),
        "what": violation.what,
        "step": violation.step,
        "trail": violation.trail,
        "replay": replay(run),
    });
    format!("{line}\n")
}

fn summary(args: &FuzzArgs, ran: u64, broken: usize, counts: &Counts, ms: u64, json: bool) -> String {
    let each_second = ran.saturating_mul(1_000) / ms.max(1);
    let Counts { messages, delivered, frames, damaged, refused, crashes, batches_lost, commits_failed, .. } = *counts;
    let Counts { evictions, deeds, clock_jumps, owed, waited, published, heard, from_files, .. } = *counts;
    let Counts { in_group, parts, words, keys, asked, got, said, .. } = *counts;
    if json {
        let line = serde_json::json!({
            "schema": 1, "first": args.seed, "seeds": ran, "violations": broken, "ms": ms, "messages": messages,
            "delivered": delivered, "frames": frames, "frames_damaged": damaged, "refused": refused, "crashes": crashes,
            "batches_lost": batches_lost, "commits_failed": commits_failed, "evictions": evictions,
            "hostile_deeds": deeds, "clock_jumps": clock_jumps, "owed": owed, "waited": waited, "published": published, "heard": heard, "from_files": from_files,
            "in_group": in_group, "parts": parts, "words": words, "keys": keys, "asked": asked, "got": got, "said": said,
        });
        return format!("{line}\n");
    }
    format!(
        "{ran} seeds from {}, {broken} violations, {each_second} seeds/s\n\
         {messages} messages, {delivered} inbox rows, {owed} owed when the faults stopped\n\
         {frames} frames, {damaged} of them lost or damaged; {refused} turned away unread or unverified\n\
         {crashes} power cuts, {batches_lost} batches lost whole, {commits_failed} commits failed, {evictions} evictions\n\
         {deeds} hostile deeds, {clock_jumps} clock jumps; {waited} offers behind those of hostile nodes\n\
         {published} published in topics and heard {heard} times; {from_files} bundles read from sticks\n\
         {in_group} rows of what was written to groups, {parts} parts of files\n\
         {words} words about groups, {keys} keys in them, {asked} rows that lacked theirs; members said {got} times what came, and {said} such words were carried\n",
        args.seed
    )
}
