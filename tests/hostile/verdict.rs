//! What was promised, what came of it, and whether that is kept.

use std::fmt::Display;

use super::target::Seen;

const MIB: f64 = (1 << 20) as f64;
/// The node's memory whatever peers do.
const RSS_MIB_MAX: f64 = 256.0;
/// The local API's slowest answers but one in a hundred.
const P99_MS_MAX: f64 = 250.0;

/// The promises of one story; it fails at the end if one was broken.
pub struct Verdict {
    story: &'static str,
    broken: Vec<String>,
}

impl Verdict {
    pub fn of(story: &'static str) -> Verdict {
        Verdict { story, broken: Vec::new() }
    }

    /// A promise in every run.
    pub fn check(&mut self, promise: &str, is_kept: bool, found: impl Display) {
        let line = format!("{}: {promise}: {found}", self.story);
        println!("{}  {line}", if is_kept { "PASS" } else { "FAIL" });
        if !is_kept {
            self.broken.push(line);
        }
    }

    /// A figure that is only told in an ordinary run, and promised by the full one.
    pub fn measure(&mut self, promise: &str, is_kept: bool, found: impl Display) {
        if super::is_full() {
            return self.check(promise, is_kept, found);
        }
        println!("      {}: {promise}: {found}", self.story);
    }

    pub fn note(&self, what: impl Display) {
        println!("      {}: {what}", self.story);
    }

    /// What every attack must leave as it is. `quota_bytes` is what others may fill.
    pub fn behaves(&mut self, seen: &Seen, quota_bytes: u64) {
        let file_bytes_max = 2 * quota_bytes + (16 << 20);
        self.note(format!("{} questions, p50 {:.1} ms, worst {:.0} ms", seen.asked, seen.p50_ms, seen.worst_ms));
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB);
        self.measure("API p99 under 250 ms", seen.p99_ms < P99_MS_MAX, format!("{:.1} ms", seen.p99_ms));
        self.measure("RSS under 256 MiB", seen.rss_bytes as f64 / MIB < RSS_MIB_MAX, mib(seen.rss_bytes));
        self.check("quota kept", seen.carried_bytes <= quota_bytes, mib(seen.carried_bytes));
        self.check("file under twice the quota and 16 MiB", seen.file_bytes <= file_bytes_max, mib(seen.file_bytes));
    }

    pub fn give(self) {
        assert!(self.broken.is_empty(), "{}", self.broken.join("\n"));
    }
}
