//! Whether a text is JSON (RFC 8259), as every reader of it would say, and nested no deeper than every reader follows.
//!
//! Whoever writes to an app could leave a payload that its readers choke on; here it is no update at all, for all of them
//! alike. What a value means is the app's matter, so nothing is built.

/// How deep arrays and objects of a payload may lie in one another: common readers follow a little further.
pub const NESTED_MAX: usize = 100;

/// Whether a text is one value of JSON and nothing else.
pub fn is_json(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    rest.value().is_some() && rest.peek().is_none()
}

/// What was not looked at yet.
struct Rest<'t>(&'t [u8]);

/// What is open, and what may come next in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

impl Rest<'_> {
    /// Reads one value with all that lies in it. Of a text that anybody may send nothing is read by recursion.
    fn value(&mut self) -> Option<()> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            match self.peek()? {
                b'[' | b'{' if open.len() == NESTED_MAX => return None,
                b'[' => {
                    self.skip(1);
                    if self.peek()? != b']' {
                        open.push(Open::Array);
                        continue;
                    }
                    self.skip(1);
                }
                b'{' => {
                    self.skip(1);
                    if self.peek()? != b'}' {
                        open.push(Open::Object);
                        self.name()?;
                        continue;
                    }
                    self.skip(1);
                }
                b'"' => self.string()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // A value has ended, and with it perhaps what it is the last of.
            loop {
                let Some(innermost) = open.last().copied() else { return Some(()) };
                match (self.peek()?, innermost) {
                    (b',', _) => {
                        self.skip(1);
                        if innermost == Open::Object {
                            self.name()?;
                        }
                        break;
                    }
                    (b']', Open::Array) | (b'}', Open::Object) => {
                        self.skip(1);
                        open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The name of a member, and what parts it from its value.
    fn name(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.string()?;
        self.peek().filter(|byte| *byte == b':')?;
        self.skip(1);
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.skip(1);
        loop {
            let byte = *self.0.first()?;
            self.skip(1);
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    let escaped = *self.0.first()?;
                    self.skip(1);
                    match escaped {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            self.0.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                            self.skip(4);
                        }
                        _ => return None,
                    }
                }
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.one_of(b"-");
        // A zero stands alone before the point.
        if !matches!(self.digits(), [b'0'] | [b'1'..=b'9', ..]) {
            return None;
        }
        if self.one_of(b".") && self.digits().is_empty() {
            return None;
        }
        if self.one_of(b"eE") {
            self.one_of(b"+-");
            if self.digits().is_empty() {
                return None;
            }
        }
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let many = self.0.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
        self.skip(many);
        self.0.first().copied()
    }

    fn skip(&mut self, many: usize) {
        self.0 = &self.0[many..];
    }

    fn one_of(&mut self, bytes: &[u8]) -> bool {
        let is_one = self.0.first().is_some_and(|byte| bytes.contains(byte));
        self.skip(usize::from(is_one));
        is_one
    }

    fn digits(&mut self) -> &[u8] {
        let many = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(many);
        self.0 = rest;
        digits
    }
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

    #[cfg(feature = "node")]
    proptest! {
        #[test]
        fn it_agrees_with_another_reader(text in "[\\[\\]{}:,\"\\\\untrfalse0-9eE+. \n-]{0,24}") {
            let is_read = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(&text), is_read);
        }
    }
}
