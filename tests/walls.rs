//! The house keeps its floors: imports only go down, and the core has no clock, no dice, no floats and no hash order.

#[path = "walls/planted.rs"]
mod planted;

use std::fs;
use std::path::{Path, PathBuf};

/// Which floor each module of the crate stands on.
const FLOORS: [(u8, &[&str]); 5] = [
    (
        0,
        &[
            "id",
            "eid",
            "time",
            "cbor",
            "bundle",
            "receipt",
            "content",
            "frame",
            "units",
            "near",
            "words",
            "safe_text",
            "ticket",
            "bounds",
        ],
    ),
    (1, &["agent", "mail", "driver"]),
    (
        2,
        &[
            "store",
            "net",
            "keyring",
            "keys",
            "packed",
            "pairing",
            "seal",
            "home",
            "config",
            "tokens",
            "backup",
            "recording",
            "search",
            "stick",
            "blobs",
            "folder",
            "command",
            "stats",
            "xdc",
            "brake",
        ],
    ),
    (3, &["node", "sim"]),
    (4, &["desk", "api", "web", "cli", "bench"]),
];

/// Words that no file of the values and the agent may use.
const OUTSIDE: [&str; 9] =
    ["HashMap", "HashSet", "Instant::now", "SystemTime", "f32", "f64", "std::fs", "std::net", "thread_rng"];

#[test]
fn imports_only_go_down() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        let Some(floor) = floor_of(&module) else { continue };
        for used in imports(&text) {
            if let Some(other) = floor_of(&used)
                && other > floor
            {
                wrong.push(format!("{}: floor {floor} uses {used} of floor {other}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn store_and_network_never_meet_the_simulator_knows_neither_and_the_desk_no_door() {
    for (module, file, text) in sources() {
        let forbidden: &[&str] = match module.as_str() {
            "net" => &["store", "agent"],
            // An agent knows nothing of batches and commits.
            "agent" => &["driver", "mail"],
            "store" => &["net"],
            "sim" => &["net", "node"],
            // A door speaks to the desk, which knows of no door.
            "desk" => &["cli"],
            "api" => &["cli", "desk", "web"],
            "web" => &["cli", "desk"],
            _ => continue,
        };
        for used in imports(&text) {
            assert!(!forbidden.contains(&used.as_str()), "{}: {module} uses {used}", file.display());
        }
    }
}

#[test]
fn the_core_has_no_clock_no_dice_no_floats_and_no_hash_order() {
    for (module, file, text) in sources() {
        if floor_of(&module).is_none_or(|floor| floor > 1) {
            continue;
        }
        // Tests may compare with formulas in floats.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (n, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in OUTSIDE {
                let whole = code
                    .split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
                    .any(|token| token.contains(word));
                assert!(!whole, "{}:{}: {word} in the core", file.display(), n + 1);
            }
        }
    }
}

/// Commit before act rests on it: what could be changed elsewhere could be changed without being emitted.
#[test]
fn the_ledger_gives_durable_state_away_for_reading_only() {
    let files: Vec<_> =
        sources().into_iter().filter(|(_, file, _)| file.to_string_lossy().contains("agent/ledger")).collect();
    assert!(files.len() > 3, "{files:?}");
    for (_, file, text) in &files {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let gives = line.split_once("-> ").is_some_and(|(_, given)| given.contains("&mut"));
            assert!(!gives, "{}: {line}", file.display());
        }
    }
    let ledger =
        files.iter().find_map(|(.., text)| text.split_once("pub struct Ledger {")).expect("there is a ledger").1;
    let fields = ledger.split_once("\n}").expect("its fields end").0;
    assert!(fields.lines().all(|line| !line.trim_start().starts_with("pub")), "{fields}");
}

/// A door words what its people can do next: `api::next` and `cli::next_steps` have the words.
#[test]
fn nothing_below_the_command_line_names_its_commands_or_flags() {
    let mut wrong = Vec::new();
    let below = |module: &str| !["cli", "main", "bench", "build"].contains(&module);
    for (_, file, text) in sources().into_iter().filter(|(module, ..)| below(module)) {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_test = is_of_tests(&file);
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !is_test && !line.trim_start().starts_with("//")) {
            let code = line.split(" // ").next().unwrap_or_default();
            let flag = code.split("--").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
            if code.contains("`dak ") || flag {
                wrong.push(format!("{}:{}: {}", file.display(), n + 1, code.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_stands_on_a_floor() {
    for (module, file, _) in sources() {
        let top = ["lib", "main", "build"].contains(&module.as_str());
        assert!(top || floor_of(&module).is_some(), "{}: give {module} a floor", file.display());
    }
}

#[test]
fn the_tests_that_the_readme_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let security = readme.split("\n## ").find(|section| section.starts_with("Security")).expect("it has that section");
    let rows = security.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split('|').nth(3));
    let named: Vec<&str> = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 20, "{named:?}");
    let code: String =
        [root.join("src"), root.join("tests")].into_iter().flat_map(rust_files).map(|(_, text)| text).collect();
    let missing: Vec<&&str> = named.iter().filter(|name| !code.contains(&format!("fn {name}()"))).collect();
    assert!(missing.is_empty(), "no tests of these names: {missing:?}");
}

/// The parts of the house in which peers and time can fill something.
const FILLED: [&str; 9] = ["agent", "driver", "frame", "net", "node", "store", "stats", "api", "web"];

#[test]
fn every_bounded_place_stands_in_the_table_of_bounds_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = |file: &str| fs::read_to_string(root.join("src").join(file)).unwrap_or_default();
    let code: String =
        [root.join("src"), root.join("tests")].into_iter().flat_map(rust_files).map(|(_, text)| text).collect();
    let docs = source("bounds.rs");
    let (tables, others) = docs.split_once("# Bounds of no place").expect("the table ends with what is none");
    let (mut wrong, mut listed) = (Vec::new(), Vec::new());
    for row in tables.lines().filter_map(|line| line.strip_prefix("//! | `")) {
        let cells: Vec<&str> = row.split(" |").collect();
        let [file, _, name, said] = cells[0].split('`').collect::<Vec<_>>()[..] else { panic!("a bound: {row}") };
        assert_eq!(cells.len(), 7, "a row has six cells: {row}");
        listed.push((file, name));
        match bound_in(&source(file), name) {
            None => wrong.push(format!("{file} has no {name}")),
            Some(number) if number != said.trim().replace(',', "") => {
                wrong.push(format!("{file}: {name} is {number:?}, the table says {said:?}"));
            }
            Some(_) => {}
        }
        let floods = cells[5].split('`').skip(1).step_by(2);
        wrong
            .extend(floods.filter(|test| !code.contains(&format!("fn {test}("))).map(|test| format!("no test {test}")));
    }
    let others: Vec<&str> = others.split('`').skip(1).step_by(2).collect();
    wrong.extend(
        others.iter().filter(|name| !code.contains(&format!("const {name}:"))).map(|name| format!("no {name}")),
    );
    for (_, path, text) in sources().into_iter().filter(|(module, ..)| FILLED.contains(&module.as_str())) {
        if is_of_tests(&path) {
            continue;
        }
        let file = path.strip_prefix(root.join("src")).unwrap().to_str().unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for name in bounds(text) {
            if !listed.contains(&(file, name)) && !others.contains(&name) {
                wrong.push(format!("{file}: {name} is in no row"));
            }
        }
    }
    assert!(listed.len() > 80 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_of_tests(file: &Path) -> bool {
    let file = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file);
    file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs")
}

/// Names of the constants that bound a number of things: those that bound a time have another type.
fn bounds(text: &str) -> impl Iterator<Item = &str> {
    let constants = text.lines().filter_map(|line| line.trim_start().split_once("const ")?.1.split_once(": "));
    let counts = constants.filter(|(_, rest)| ["usize", "u64", "u32", "u8"].iter().any(|kind| rest.starts_with(kind)));
    counts.map(|(name, _)| name).filter(|name| name.ends_with("_MAX"))
}

/// What a bound is, where its constant is a plain number; empty where it is reckoned, or set by the owner.
fn bound_in(text: &str, name: &str) -> Option<String> {
    let constant = |line: &&str| line.contains(&format!("const {name}: "));
    if let Some(line) = text.lines().find(constant) {
        let value = line.split_once("= ")?.1.trim_end_matches(';').replace('_', "");
        return Some(if value.bytes().all(|byte| byte.is_ascii_digit()) { value } else { String::new() });
    }
    text.contains(&format!("pub {name}: ")).then(String::new)
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, modules)| modules.contains(&module)).map(|(floor, _)| *floor)
}

/// Modules that a file's code names through `crate::`, tests at its end left out.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let named =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| line.split("crate::").skip(1));
    named.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

/// Every source file with the top module it belongs to.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned()
    };
    let found: Vec<_> = rust_files(root.clone()).into_iter().map(|(path, text)| (module(&path), path, text)).collect();
    assert!(found.len() > 50, "the sources are where they were");
    found
}

/// Every Rust file in a directory and those below it, with its text.
fn rust_files(root: PathBuf) -> Vec<(PathBuf, String)> {
    let (mut found, mut places) = (Vec::new(), vec![root]);
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => places.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => {
                    found.push((path.clone(), fs::read_to_string(&path).unwrap()));
                }
                false => {}
            }
        }
    }
    found
}
