//! The bugs that `tests/planted.sh` plants: each stands in the list, and still finds the one place that it spoils.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_planted_bug_finds_its_place_in_the_source_and_stands_in_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut wrong, mut patched) = (Vec::new(), BTreeSet::new());
    for entry in fs::read_dir(root.join("tests/planted")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let patch = fs::read_to_string(&path).unwrap();
        if patch.starts_with("---") || hunks(&patch).is_empty() {
            wrong.push(format!("{name}: a patch says in words what is wrong, and changes something"));
        }
        let faults = hunks(&patch).into_iter().filter_map(|hunk| hunk.fault(root));
        wrong.extend(faults.map(|fault| format!("{name}: {fault}")));
        patched.insert(name);
    }
    let list = list();
    let listed = BTreeSet::from_iter(list.iter().map(|bug| bug.name.clone()));
    wrong.extend(listed.difference(&patched).map(|name| format!("{name}: no patch")));
    wrong.extend(patched.difference(&listed).map(|name| format!("{name}: not in tests/planted.list")));
    assert_eq!(listed.len(), list.len(), "each has one line");
    assert!(listed.len() > 100 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tests_that_must_notice_planted_bugs_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = [root.join("src"), root.join("tests")]
        .into_iter()
        .flat_map(super::rust_files)
        .map(|(path, text)| (path.strip_prefix(root).unwrap().to_owned(), text))
        .collect();
    let mut wrong = Vec::new();
    for Bug { name, tests } in list() {
        for test in tests.split(',') {
            let (program, parts) = test.split_once('/').unwrap_or((test, ""));
            let missing = parts.split('+').filter(|part| !chooses(program, part, &files));
            wrong.extend(missing.map(|part| format!("{name}: {program} has no test {part:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether part of a test's name, as `module::start_of_its_name` or as a module alone, chooses one of a program.
fn chooses(program: &str, part: &str, files: &[(PathBuf, String)]) -> bool {
    let names: Vec<&str> = part.split("::").filter(|name| !name.is_empty()).collect();
    let (last, modules) = names.split_last().map_or(("", &[][..]), |(last, modules)| (*last, modules));
    let last = if last == "tests" { "" } else { last };
    // Modules of the other programs may come out of a macro; tests of a module stand in its file or in one of their own.
    let beside: Vec<&str> = modules.iter().copied().filter(|name| *name != "tests").collect();
    let places = match ["lib", "core"].contains(&program) {
        true => [modules, &beside].map(|modules| format!("src/{}", modules.join("/"))).to_vec(),
        false => vec![format!("tests/{program}")],
    };
    let is_of_program = |path: &Path| places.iter().any(|place| path.to_string_lossy().starts_with(place));
    let of_program = files.iter().filter(|(path, _)| is_of_program(path));
    let mut of_program = of_program.peekable();
    let is_there = of_program.peek().is_some();
    let has = |(path, text): &(PathBuf, String)| {
        let is_module = path.components().any(|name| Path::new(name.as_os_str()).file_stem() == Some(last.as_ref()));
        is_module || text.contains(&format!("fn {last}"))
    };
    is_there && (part.is_empty() || of_program.any(has))
}

/// A line of the list.
struct Bug {
    name: String,
    /// Test programs with parts of names, by commas.
    tests: String,
}

fn list() -> Vec<Bug> {
    let list = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted.list")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let bug = |line: &str| {
        let [name, tests, _, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("a line has a name, tests and what is wrong: {line}")
        };
        Bug { name: name.to_owned(), tests: tests.to_owned() }
    };
    lines.map(bug).collect()
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
