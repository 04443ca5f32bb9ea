use std::io::Write;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A zip of these files.
fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The same with one name in the place of another of the same length, in all places.
fn renamed(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes;
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|part| part == from.as_bytes()) {
        bytes[at + found..at + found + to.len()].copy_from_slice(to.as_bytes());
        at += found + to.len();
    }
    bytes
}

fn why(bytes: Vec<u8>) -> XdcError {
    Container::open(bytes).err().expect("it is refused")
}

#[test]
fn a_container_has_files_a_name_and_an_icon() {
    let manifest = b"name = \"Board\"\nsource_code_url = \"https://example.org/board\"\n";
    let files: [(&str, &[u8]); 4] =
        [("index.html", b"<p>hi"), ("manifest.toml", manifest), ("icon.png", b"png"), ("js/app.js", b"1")];
    let container = Container::open(packed(&files)).unwrap();
    assert_eq!(container.name(), Some("Board"));
    assert_eq!(container.source_code_url(), Some("https://example.org/board"));
    assert_eq!(container.icon(), Some("icon.png"));
    assert_eq!(container.file("js/app.js"), Ok(Some(b"1".to_vec())));
    assert_eq!(container.file("index.html"), Ok(Some(b"<p>hi".to_vec())));
    assert_eq!(container.file("js"), Ok(None));
    let bare = Container::open(packed(&[("index.html", b"x")])).unwrap();
    assert_eq!((bare.name(), bare.icon()), (None, None));
    let odd = Container::open(packed(&[("index.html", b"x"), ("manifest.toml", b"name = [")])).unwrap();
    assert_eq!(odd.name(), None, "what cannot be read says nothing");
}

#[test]
fn what_is_no_app_says_why() {
    assert!(matches!(why(b"hello".to_vec()), XdcError::NoZip(_)));
    assert!(matches!(why(Vec::new()), XdcError::NoZip(_)));
    assert_eq!(why(packed(&[("main.html", b"x")])), XdcError::NoIndex);
    assert_eq!(why(vec![0; XDC_BYTES_MAX as usize + 1]), XdcError::TooLong(XDC_BYTES_MAX + 1));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../x.html",
        "a/../b.js",
        "/etc/file",
        "a//bc.htm",
        "./../in.h",
        "a\\..\\b.j",
        "c:/x.html",
        "a/./b.htm",
        "\\\\a\\b.js",
    ] {
        let place = "n".repeat(name.len());
        let zip = renamed(packed(&[("index.html", b"x"), (&place, b"y")]), &place, name);
        assert_eq!(why(zip), XdcError::Name, "{name}");
    }
}

/// The same with records for large archives at its end, which some programs write always.
fn with_large_end(zip: &[u8], entries: u64) -> Vec<u8> {
    let (rest, end) = zip.split_at(zip.len() - 22);
    let long = |at: usize| u64::from(u32::from_le_bytes(end[at..at + 4].try_into().unwrap())).to_le_bytes();
    let at = (rest.len() as u64).to_le_bytes();
    let many = entries.to_le_bytes();
    let large = [b"PK\x06\x06", &44u64.to_le_bytes()[..], &[45, 0, 45, 0], &[0; 8], &many, &many, &long(12), &long(16)];
    let locator = [b"PK\x06\x07", &[0; 4][..], &at, &[1, 0, 0, 0]];
    let end = [&end[..8], &[0xff; 12], &end[20..]];
    [rest, &large.concat(), &locator.concat(), &end.concat()].concat()
}

#[test]
fn what_other_packers_do_is_taken_as_they_mean_it() {
    let options = SimpleFileOptions::default();
    let stored = options.compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("js/", options).unwrap();
    for (name, how) in [
        ("./index.html", options.compression_level(Some(9))),
        ("js\\app.js", options.compression_level(Some(1))),
        ("grüße/日本.txt", stored),
        ("12:30.txt", options.large_file(true)),
        ("Case.txt", options),
        ("case.txt", options),
        ("a.wasm", stored.large_file(true)),
    ] {
        zip.start_file(name, how).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    for zip in [zip.clone(), with_large_end(&zip, 8)] {
        let container = Container::open(zip).unwrap();
        let has =
            |name: &str, text: &str| assert_eq!(container.file(name), Ok(Some(text.as_bytes().to_vec())), "{name}");
        has("index.html", "./index.html");
        has("js/app.js", "js\\app.js");
        for name in ["grüße/日本.txt", "12:30.txt", "Case.txt", "case.txt", "a.wasm"] {
            has(name, name);
        }
        assert_eq!(container.file("CASE.txt"), Ok(None), "as it is written");
    }
    // A number of files that the directory does not bear out, and one that no memory holds.
    assert!(Container::open(with_large_end(&zip, 9)).is_err());
    assert_eq!(why(with_large_end(&zip, u64::MAX)), XdcError::TooMany);
}

/// The same with a comment.
fn with_comment(mut zip: Vec<u8>, comment: &[u8]) -> Vec<u8> {
    let at = zip.len() - 2;
    zip[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    [&zip, comment].concat()
}

/// A record that ends a zip of so many files, whose directory is elsewhere.
fn false_end(entries: u16) -> Vec<u8> {
    let many = entries.to_le_bytes();
    [b"PK\x05\x06", &[0; 4][..], &many, &many, &[0; 4], &u32::MAX.to_le_bytes(), &[0; 2]].concat()
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let app = packed(&[("index.html", b"x"), ("app.js", b"y")]);
    assert!(Container::open(with_comment(app.clone(), b"made by hand")).is_ok());
    for (n, bytes) in [[&app[..], b"more"].concat(), with_comment(app.clone(), &false_end(2))].into_iter().enumerate() {
        assert!(matches!(why(bytes), XdcError::NoZip(_)), "{n}");
    }
    // The last end is of few, and readers pass over it to one of many: those are in no memory before they are refused.
    let names: Vec<String> = (0..=ENTRIES_MAX).map(|n| format!("{n}.html")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b"x"[..])).collect();
    let crowd = packed(&many);
    assert_eq!(why(with_comment(crowd.clone(), &false_end(2))), XdcError::TooMany);
    // So it is with a larger record that is not where its locator says.
    let large = with_large_end(&crowd, ENTRIES_MAX as u64 + 1);
    assert_eq!(why([&b"put before it"[..], &large].concat()), XdcError::TooMany);
    // Another zip within, packed no further, ends in nothing that is taken for the end.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [("index.html", &b"x"[..]), ("inner.zip", &app)] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let container = Container::open(zip.finish().unwrap().into_inner()).unwrap();
    assert_eq!(container.file("inner.zip"), Ok(Some(app)));
}

#[test]
fn names_of_an_old_code_page_are_read_and_sizes_may_come_behind_the_bytes() {
    let mut zip = packed(&[("index.html", b"x"), ("gr~n.txt", b"green")]);
    while let Some(at) = zip.windows(4).position(|part| part == b"gr~n") {
        zip[at + 2] = 0x81;
    }
    assert_eq!(Container::open(zip).unwrap().file("grün.txt"), Ok(Some(b"green".to_vec())));
    let mut zip = ZipWriter::new_stream(Vec::new());
    for name in ["index.html", "b.js"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(name.repeat(300).as_bytes()).unwrap();
    }
    let container = Container::open(zip.finish().unwrap().into_inner()).unwrap();
    assert_eq!(container.file("b.js"), Ok(Some(b"b.js".repeat(300))));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let zip = renamed(packed(&[("index.html", b"x"), ("indes.html", b"y")]), "indes.html", "index.html");
    assert_eq!(why(zip), XdcError::Twice);
}

#[test]
fn links_and_crowds_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("index.html", SimpleFileOptions::default()).unwrap();
    zip.add_symlink("passwd", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_eq!(why(zip.finish().unwrap().into_inner()), XdcError::Odd);
    let names: Vec<String> = (0..=ENTRIES_MAX).map(|n| format!("{n}.html")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b"x"[..])).collect();
    assert_eq!(why(packed(&many)), XdcError::TooMany);
}

#[test]
fn what_unpacks_to_too_much_is_refused_as_it_says_and_as_it_is() {
    let zeros = vec![0u8; ENTRY_BYTES_MAX as usize + 1];
    assert_eq!(why(packed(&[("index.html", &zeros)])), XdcError::TooMuch);
    let part = &zeros[1..];
    let five: Vec<(&str, &[u8])> = ["index.html", "b", "c", "d", "e"].into_iter().map(|name| (name, part)).collect();
    assert_eq!(why(packed(&five)), XdcError::TooMuch, "together");
    // It says one byte and unpacks to a million.
    let million = vec![0u8; 1_000_000];
    let zip = packed(&[("index.html", b"x"), ("bomb", &million)]);
    let long = 1_000_000u32.to_le_bytes();
    let mut lie = zip.clone();
    let mut at = 0;
    while let Some(found) = lie[at..].windows(4).position(|part| part == long) {
        lie[at + found..at + found + 4].copy_from_slice(&1u32.to_le_bytes());
        at += found + 4;
    }
    assert_ne!(lie, zip);
    let container = Container::open(lie).unwrap();
    assert_eq!(container.file("bomb"), Err(XdcError::Damaged));
    assert_eq!(container.file("index.html"), Ok(Some(b"x".to_vec())), "the others are as they are");
}

#[test]
fn what_was_changed_within_is_noticed() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("index.html", SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
    zip.write_all(b"meet at the bridge").unwrap();
    let zip = renamed(zip.finish().unwrap().into_inner(), "bridge", "harbor");
    assert_eq!(Container::open(zip).unwrap().file("index.html"), Err(XdcError::Damaged));
}

proptest! {
    #[test]
    fn whatever_is_changed_of_a_container_nothing_breaks_and_what_is_given_is_bounded(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut zip = packed(&[("index.html", b"<p>hello hello hello hello"), ("a/b.js", &[b'x'; 300]), ("icon.png", b"")]);
        for (at, byte) in changes {
            let at = at.index(zip.len());
            zip[at] = byte;
        }
        let cut = cut.index(2 * zip.len());
        zip.truncate(cut.max(1));
        if let Ok(container) = Container::open(zip) {
            for name in container.names() {
                if let Ok(Some(bytes)) = container.file(name) {
                    prop_assert!(bytes.len() as u64 <= ENTRY_BYTES_MAX);
                }
            }
        }
    }

    #[test]
    fn noise_is_no_container(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Container::open(noise).is_err());
    }
}
