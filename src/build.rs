//! Tells the program which commit it is built from, so that reports can say it, outside a checkout they say the version; and
//! takes the page for browsers and the description of the API into it, packed: whatever files the page has.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The files that a program is made of.
const WHAT_COUNTS: [&str; 3] = ["src", "Cargo.toml", "Cargo.lock"];

fn main() {
    take_page_in();
    link_small();
    WHAT_COUNTS.iter().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    for file in ["HEAD", "logs/HEAD"] {
        // One that is not there would be looked for, and found changed, at every build.
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo:rustc-env=DAK_COMMIT={commit}{}", modified().unwrap_or_default());
    }
}

/// Has what is handed out link its relocations packed, which are else a thirtieth of it. A linker that does not know how
/// says so and goes on.
fn link_small() {
    let is_small = env::var("OPT_LEVEL").is_ok_and(|level| level == "s");
    if is_small && env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Where the page lies as it was built.
const PAGE: &str = "src/web/built";

/// What describes the API to other programs.
const API: &str = "src/api/openapi.json";

/// Packs the page's files, writes their table in the order of their names, and packs what describes the API.
fn take_page_in() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where it builds");
    let mut names: Vec<String> = fs::read_dir(Path::new(&root).join(PAGE))
        .expect("the page is there")
        .map(|entry| entry.expect("its files can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let row = |name: &String| {
        let packed = pack(&Path::new(&root).join(PAGE).join(name), &format!("page-{name}"));
        format!("    ({name:?}, include_bytes!({packed:?})),\n")
    };
    let rows: String = names.iter().map(row).collect();
    let table =
        format!("/// The files of the page, by name, each by gzip.\nstatic BUILT: &[(&str, &[u8])] = &[\n{rows}];\n");
    make("built.rs", table.as_bytes());
    pack(&Path::new(&root).join(API), "openapi.json");
}

/// Writes the same by gzip; where it lies then.
fn pack(file: &Path, name: &str) -> PathBuf {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let bytes = fs::read(file).expect("what belongs to the program can be read");
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish()).expect("memory takes what is written");
    make(&format!("{name}.gz"), &packed)
}

/// Writes a file for the build; where it lies then.
fn make(name: &str, bytes: &[u8]) -> PathBuf {
    let place = Path::new(&env::var("OUT_DIR").expect("cargo says where to write")).join(name);
    // What was built may be linked from a copy of it elsewhere, which has a page of its own.
    let _ = fs::remove_file(&place);
    fs::write(&place, bytes).expect("what is made for the build can be written");
    place
}

/// What marks a build of sources that nobody committed: other edits, another mark, or a report would name a commit that
/// never made it, and a sweep would take results of before an edit for those after it.
fn modified() -> Option<String> {
    let edits = git(&[&["diff", "HEAD", "--"], &WHAT_COUNTS[..]].concat()).filter(|edits| !edits.is_empty())?;
    let mut hasher = DefaultHasher::new();
    edits.hash(&mut hasher);
    Some(format!("-modified-{:08x}", hasher.finish() as u32))
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
