//! The bugs that `tests/planted.sh` plants: each stands in the list, and still finds the one place that it spoils.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_planted_bug_is_listed_and_finds_its_place_in_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = root.join("tests");
    let list = fs::read_to_string(tests.join("planted.list")).unwrap();
    let (mut listed, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut words = line.split_whitespace();
        let (name, by) = (words.next().unwrap(), words.next().unwrap_or_default());
        if !listed.insert(name.to_owned()) || words.next().is_none() {
            wrong.push(format!("{name}: one line with a name, tests and what is wrong"));
        }
        let programs = by.split(',').map(|test| test.split('/').next().unwrap_or_default());
        let missing = programs.filter(|name| *name != "lib" && !tests.join(format!("{name}.rs")).is_file());
        wrong.extend(missing.map(|program| format!("{name}: there is no test program {program:?}")));
    }
    let mut patched = BTreeSet::new();
    for entry in fs::read_dir(tests.join("planted")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let patch = fs::read_to_string(&path).unwrap();
        let faults = hunks(&patch).into_iter().filter_map(|hunk| hunk.fault(root));
        wrong.extend(faults.map(|fault| format!("{name}: {fault}")));
        if patch.starts_with("---") || hunks(&patch).is_empty() {
            wrong.push(format!("{name}: a patch says in words what is wrong, and changes something"));
        }
        patched.insert(name);
    }
    wrong.extend(listed.difference(&patched).map(|name| format!("{name}: no patch")));
    wrong.extend(patched.difference(&listed).map(|name| format!("{name}: not in tests/planted.list")));
    assert!(listed.len() > 100 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One place of a patch.
struct Hunk {
    file: String,
    before: String,
    after: String,
}

impl Hunk {
    /// Why it cannot be applied: a place that is there twice would be spoilt by chance.
    fn fault(&self, root: &Path) -> Option<String> {
        let Hunk { file, before, after } = self;
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        let times = format!("\n{text}").matches(&format!("\n{before}")).count();
        match times {
            1 if before != after => None,
            1 => Some(format!("changes nothing in {file}:\n{before}")),
            times => Some(format!("{times} times in {file}:\n{before}")),
        }
    }
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let (mut hunks, mut file): (Vec<Hunk>, &str) = (Vec::new(), "");
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("--- a/") {
            file = path;
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk { file: file.to_owned(), before: String::new(), after: String::new() });
        } else if let Some(hunk) = hunks.last_mut().filter(|_| !line.starts_with("+++ b/")) {
            let (sign, text) = line.split_at_checked(1).unwrap_or((" ", ""));
            let (is_old, is_new) = (sign != "+", sign != "-");
            is_old.then(|| hunk.before.extend([text, "\n"]));
            is_new.then(|| hunk.after.extend([text, "\n"]));
        }
    }
    hunks
}
