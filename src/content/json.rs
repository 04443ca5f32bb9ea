//! Whether a text is JSON (RFC 8259), as every reader of it would say, and nested no deeper than every reader follows.
//!
//! Whoever writes to an app could leave a payload that its readers choke on; here it is no update at all, for all of them
//! alike. What a value means is the app's matter, so nothing is built.

use serde::de::IgnoredAny;

/// How deep arrays and objects of a payload may lie in one another: common readers follow a little further.
pub const NESTED_MAX: usize = 100;

/// Whether a text is one value of JSON and nothing else.
pub fn is_json(text: &str) -> bool {
    is_shallow(text) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether nothing lies too deep in a text, if it is JSON.
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut bytes) = (0usize, text.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(within) = bytes.next().filter(|byte| *byte != b'"') {
                    if within == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'[' | b'{' if depth == NESTED_MAX => return false,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nested(deep: usize) -> String {
        "[".repeat(deep) + &"]".repeat(deep)
    }

    #[test]
    fn json_is_what_its_specification_says() {
        for good in [
            "null",
            " true ",
            "\t[\r\n]",
            "{}",
            "0",
            "-0.5e+10",
            "1E9",
            "\"\"",
            "\"ä\\n\\u00e4\\ud800\"",
            "[1, [2, {\"a\": [], \"a\": {}}], \"x\"]",
            "{\"a\":{\"b\":[null]},\"c\":false}",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "nul",
            "nulll",
            "1 2",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "[1,]",
            "[,1]",
            "[1",
            "1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "[1}",
            "{\"a\":1]",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "'a'",
            "NaN",
            "\u{c}1",
            "\u{feff}1",
            "[1 2]",
            "{\"a\" 1}",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }

    #[test]
    fn what_lies_too_deep_is_none_and_takes_no_stack() {
        assert!(is_json(&nested(NESTED_MAX)) && !is_json(&nested(NESTED_MAX + 1)));
        assert!(!is_json(&nested(64_000)) && !is_json(&"{\"a\":".repeat(20_000)));
        assert!(is_json(&format!("[{}1]", "[1],".repeat(20_000))), "beside each other there may be many");
    }

    proptest! {
        #[test]
        fn what_is_written_as_json_is_as_deep_as_it_is(
            deep in 0..2 * NESTED_MAX,
            text in "[\\[\\]{}\"\\\\ä]{0,24}",
            is_object: bool,
        ) {
            let mut value = serde_json::Value::from(text.clone());
            for _ in 0..deep {
                value = if is_object { serde_json::json!({ text.clone(): value }) } else { serde_json::json!([value, text]) };
            }
            prop_assert_eq!(is_json(&value.to_string()), deep <= NESTED_MAX);
        }
    }
}
