//! Kinds, codes and names: what the code has stands on the page, and a new one fails here until it does.

use dak::frame::PROTOCOL_VERSION;
use libp2p::{identify, ping};

use crate::page::{PAGE, code, files, rows, section};

/// Contexts of hashes that never meet another node's.
const INSIDE: [&str; 2] = ["dak 2026 seal entropy v1", "dak 2026 group seal salt v1"];

#[test]
fn every_frame_has_its_row_with_its_kind_and_fields() {
    let codec = code("frame/codec.rs");
    let table = rows(section("# 6. Frames"));
    let kinds = numbered(&codec);
    assert_eq!(kinds.len(), table.len() - 1, "as many kinds as rows below the head");
    for (name, kind) in &kinds {
        let row = table.iter().find(|row| row[0] == kind).unwrap_or_else(|| panic!("no row for kind {kind}, {name}"));
        let frame = match name.as_str() {
            "BUNDLE" => "a bundle".to_owned(),
            "FOLDED" => "a folded bundle".to_owned(),
            "ANSWER" => "an answer".to_owned(),
            name => format!("`{}`", camel(name)),
        };
        assert_eq!(row[1], frame, "kind {kind}");
        let fields = row[2].split(", ").count();
        let code = [codec.clone(), code("frame/hello.rs")].concat();
        let begins = |fields: usize| {
            code.contains(&format!("begin(out, {name}, {fields})"))
                || fields == 1 && code.contains(&format!("full_ids(out, {name}, "))
                || name == "BUNDLE" && code.contains(&format!("out.array({});\n    out.uint(BUNDLE)", fields + 1))
                || name == "FOLDED"
                    && fields == 2
                    && code.contains(
                        "out.uint(FOLDED);\n        out.uint(transit.copies);\n    }\n    match bundle.fold_into(",
                    )
                || name == "ANSWER" && fields == 1 && code.contains("out.uint(ANSWER);\n    } else {")
        };
        assert!(begins(fields), "{name}: the page has {fields} fields, {}", row[2]);
    }
    let hello = code("frame.rs");
    let hello = hello.split("pub struct Hello {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields = hello.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
    let fields: Vec<String> = fields.map(|(name, _)| name.replace("_max", "").replace('_', " ")).collect();
    assert_eq!(fields.join(", "), table.iter().find(|row| row[0] == "0").unwrap()[2]);
    assert_eq!(
        rows(section("## Hello"))[1][2].split('.').next(),
        Some(&*format!("{PROTOCOL_VERSION}; another ends the contact without blame"))
    );
}

#[test]
fn every_grade_reason_and_kind_has_its_row() {
    let codec = code("frame/codec.rs");
    let table = rows(section("## What follows"));
    for (enumeration, count) in [("Grade::", 3), ("Refusal::", 7)] {
        let arms = codec.lines().filter_map(|line| line.trim().strip_prefix(enumeration)?.split_once(" => "));
        let codes: Vec<(String, &str)> = arms.map(|(name, code)| (spaced(name), code.trim_end_matches(','))).collect();
        assert!(codes.len() >= count, "{enumeration} {codes:?}");
        for (name, code) in codes {
            assert!(table.iter().any(|row| row[0] == name && row[1] == code), "no row `{name} | {code}`");
        }
    }
    let routing = code("frame/hello.rs");
    for kind in routing.lines().filter_map(|line| line.trim().split_once(" => Ok(RoutingInfo::")) {
        assert!(rows(section("## Hello")).iter().any(|row| row[0] == kind.0), "no row for routing kind {}", kind.0);
    }
    let keys = numbered(&[code("content.rs"), code("content/text.rs")].concat());
    let keys: Vec<_> = keys.into_iter().filter(|(name, _)| name != "TEXT").collect();
    assert!(keys.len() >= 8, "{keys:?}");
    for (name, key) in keys {
        let name = name.to_lowercase().replace('_', " ");
        assert!(
            rows(section("# 4. Messages")).iter().any(|row| row[..2] == [&*key, &*name]),
            "no row for {key}, {name}"
        );
    }
    for (name, kind) in numbered(&code("receipt.rs")).into_iter().filter(|(_, number)| number.len() == 1) {
        let said = format!("{kind} {}", name.to_lowercase());
        assert!(section("# 5. Receipts").contains(&said), "no `{said}`");
    }
}

#[test]
fn every_block_stands_in_its_place() {
    let layout = code("bundle/layout.rs");
    let places: Vec<&str> = layout.lines().filter_map(|line| line.split_once("= Place { ")).map(|(_, at)| at).collect();
    assert!(places.len() >= 5, "{places:?}");
    let table = rows(section("# 3. Bundles"));
    for place in places {
        let part = |name: &str| place.split(name).nth(1).unwrap().split([',', ' ', '}']).next().unwrap().to_owned();
        let (kind, number) = (part("block_type: "), part("number: "));
        let name = place.split('"').nth(1).unwrap();
        assert!(table.iter().any(|row| row[..3] == [name, &*kind, &*number]), "no row for {place}");
    }
    let known = layout.lines().find_map(|line| line.split_once("KNOWN_TYPES: [u64; 8] = [")).unwrap().1;
    let unknown = table.iter().find(|row| row[0] == "of unknown kinds").unwrap();
    assert_eq!(unknown[1], format!("any but {}", known.trim_end_matches("];")));
}

#[test]
fn every_protocol_and_every_hash_context_is_named() {
    let theirs = [identify::PROTOCOL_NAME, identify::PUSH_PROTOCOL_NAME, ping::PROTOCOL_NAME];
    let mut names: Vec<String> = theirs.iter().map(|name| name.to_string()).collect();
    for text in files("net").iter().flat_map(|file| literals(&code(file))) {
        let parts: Vec<&str> = text.split('/').collect();
        let is_protocol =
            parts.len() > 2 && parts[0].is_empty() && parts.last().unwrap().starts_with(|c: char| c.is_ascii_digit());
        if is_protocol && !text.contains("/ip") {
            names.push(text);
        }
    }
    assert!(names.len() > 5, "{names:?}");
    for module in ["bundle", "frame", "receipt", "content", "seal", "words", "agent", "pairing"] {
        for text in files(module).iter().flat_map(|file| literals(&code(file))) {
            if (text.starts_with("dak 2026 ") || text.starts_with("dak/")) && !INSIDE.contains(&&*text) {
                names.push(text.trim_end_matches("\\0").to_owned());
            }
        }
    }
    assert!(names.len() > 11, "{names:?}");
    let missing: Vec<&String> = names.iter().filter(|name| !PAGE.contains(&***name)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn the_list_of_words_is_that_of_the_code() {
    let list = crate::page::vectors().remove("word-list").expect("the page has the words");
    let list = String::from_utf8(list).unwrap();
    assert_eq!(list.split_whitespace().collect::<Vec<_>>(), literals(&code("words/list.rs")));
}

/// Names and numbers of the constants `const NAME: u64 = 7;`.
fn numbered(code: &str) -> Vec<(String, String)> {
    let constants = code.lines().filter_map(|line| line.split_once("const ")?.1.split_once(": u64 = "));
    let plain = constants.filter(|(_, number)| number.trim_end_matches(';').bytes().all(|byte| byte.is_ascii_digit()));
    plain.map(|(name, number)| (name.to_owned(), number.trim_end_matches(';').to_owned())).collect()
}

/// `SHORT_IDS` as `ShortIds`.
fn camel(name: &str) -> String {
    name.split('_').map(|word| [&word[..1], &word[1..].to_lowercase()].concat()).collect()
}

/// `TooLarge` as `too large`.
fn spaced(name: &str) -> String {
    let apart = name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain(c.to_lowercase()));
    apart.collect::<String>().trim_start().to_owned()
}

/// The texts in quotes outside comments.
fn literals(code: &str) -> Vec<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}
