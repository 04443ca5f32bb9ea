//! The page, cut into what tests look at: vectors, sections, tables; and the sources that it describes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub const PAGE: &str = include_str!("../../src/wire.md");

/// The bytes of every vector; those of a text are the text.
pub fn vectors() -> BTreeMap<&'static str, Vec<u8>> {
    let mut found = BTreeMap::new();
    for block in PAGE.split("\n```vector ").skip(1) {
        let (title, rest) = block.split_once('\n').expect("a block has lines");
        let body = rest.split("```").next().expect("a block ends").trim_end();
        let (name, bytes) = match title.split_once(' ') {
            Some((name, "text")) => (name, body.as_bytes().to_vec()),
            Some(_) => panic!("a vector is hexadecimal or a text: {title}"),
            None => (title, unhex(body)),
        };
        assert!(found.insert(name, bytes).is_none(), "{name} stands twice on the page");
    }
    found
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "two digits a byte: {text}");
    let digit = |digit: u8| (digit as char).to_digit(16).expect("hexadecimal digits") as u8;
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The text below a heading, up to the next one of any depth.
pub fn section(heading: &str) -> &'static str {
    let (_, below) = PAGE.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?} on the page"));
    below.split("\n#").next().unwrap_or_default()
}

/// The rows of all tables in a text, cells trimmed.
pub fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| ") && line.ends_with('|'));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// A source file, by its path below `src`.
pub fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A source file without the tests at its end.
pub fn code(file: &str) -> String {
    source(file).split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
}

/// The paths below `src` of all Rust files in a directory or of one module: `frame` are `frame.rs` and `frame/*`.
pub fn files(module: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut places) = (Vec::new(), vec![root.join(module), root.join(format!("{module}.rs"))]);
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(fs::read_dir(&place).unwrap().map(|entry| -> PathBuf { entry.unwrap().path() }));
        } else if place.is_file() && place.extension().is_some_and(|extension| extension == "rs") {
            found.push(place.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
        }
    }
    assert!(!found.is_empty(), "src has {module}");
    found
}
