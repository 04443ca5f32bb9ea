//! Small wrong edits that a test run can switch on, to see that the suite notices each.
//!
//! ```text
//! if planted::is("store-tombstone-dropped") { return Ok(()) }     in the code, beside what is right
//! store-tombstone-dropped  store  a tombstone is not written      a line of tests/planted.list
//! tests/planted.sh                                                builds once, runs the suite once a bug
//! ```
//! Without `--cfg dak_planted`, which no ordinary build has, [`is`] is a constant and nothing of a bug is compiled.

/// Whether this bug is planted in the process: the one that `DAK_PLANTED` names.
#[cfg(not(dak_planted))]
#[allow(dead_code, reason = "a build without the store has none of its bugs")]
#[inline(always)]
pub(crate) const fn is(_: &str) -> bool {
    false
}

#[cfg(dak_planted)]
#[allow(dead_code, reason = "a build without the store has none of its bugs")]
pub(crate) fn is(name: &str) -> bool {
    use std::sync::LazyLock;
    static PLANTED: LazyLock<Option<String>> = LazyLock::new(|| {
        let planted = std::env::var("DAK_PLANTED").ok()?;
        assert!(is_listed(&planted), "{planted} is not in tests/planted.list");
        Some(planted)
    });
    debug_assert!(is_listed(name), "{name} is not in tests/planted.list");
    PLANTED.as_deref() == Some(name)
}

/// For bugs that remember: whether the bug is planted and this thread asked about the same key before.
#[cfg(not(dak_planted))]
#[allow(dead_code, reason = "a build without the driver has none of its bugs")]
#[inline(always)]
pub(crate) const fn again(_: &str, _: &[u8]) -> bool {
    false
}

#[cfg(dak_planted)]
#[allow(dead_code, reason = "a build without the driver has none of its bugs")]
pub(crate) fn again(name: &str, key: &[u8]) -> bool {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    thread_local!(static ASKED: RefCell<BTreeSet<Vec<u8>>> = const { RefCell::new(BTreeSet::new()) });
    is(name) && !ASKED.with_borrow_mut(|asked| asked.insert(key.to_vec()))
}

#[cfg(dak_planted)]
fn is_listed(name: &str) -> bool {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;
    // Looked up wherever a bug could be, so also in floods of a million entries.
    static LISTED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        include_str!("../tests/planted.list").lines().filter_map(|line| line.split_whitespace().next()).collect()
    });
    LISTED.contains(name)
}
