//! The code that one person says and another types.

use std::fmt;

use crate::words;

/// A number and two words: `7-copper-lantern`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    number: u8,
    words: [&'static str; WORDS],
}

/// Words of a code, of which each has 8 bits.
const WORDS: usize = 2;
/// Numbers of one code go from 1 to this.
const NUMBER_MAX: u8 = 99;

/// Why something typed is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("a code is a number from 1 to {NUMBER_MAX} and two words, such as 7-copper-lantern")]
    Form,
    #[error("{typed} is no word of any code{}", .meant.map_or(String::new(), |meant| format!("; {meant} is one")))]
    Word { typed: String, meant: Option<&'static str> },
    #[error(
        "an invitation looks like {INVITATION}code=7-copper-lantern, and has no more than {INVITATION_HINTS_MAX} addresses"
    )]
    Invitation,
}

impl Code {
    /// Makes a code of random bytes.
    pub fn draw(random: [u8; 3]) -> Code {
        // The number only tells codes apart, so a small bias does not matter.
        let [number, first, second] = random;
        Code { number: number % NUMBER_MAX + 1, words: [first, second].map(words::word) }
    }

    /// Reads what was typed: capital letters, spaces for hyphens and words cut to their first letters do no harm.
    pub fn parse(text: &str) -> Result<Code, CodeError> {
        if text.len() > INVITATION_BYTES_MAX {
            return Err(CodeError::Form);
        }
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        let [number, first, second] = parts.collect::<Vec<_>>()[..] else { return Err(CodeError::Form) };
        let number = number.parse().ok().filter(|number| (1..=NUMBER_MAX).contains(number)).ok_or(CodeError::Form)?;
        Ok(Code { number, words: [known(first)?, known(second)?] })
    }

    /// By which the node is found that shows the code; no secret.
    pub fn number(&self) -> u8 {
        self.number
    }
}

/// The word that was typed.
fn known(typed: &str) -> Result<&'static str, CodeError> {
    let lower = typed.to_lowercase();
    let near = words::begun(&lower);
    match near {
        Some(word) if word.starts_with(&lower) => Ok(word),
        meant => Err(CodeError::Word { typed: typed.to_owned(), meant }),
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.words.join("-"))
    }
}

/// A code, and where the node may be met that shows it: what a QR code holds.
///
/// ```text
/// dak:pair?code=7-copper-lantern&at=/ip4/192.168.1.5/tcp/33556
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub code: Code,
    /// Multiaddresses, best first; hints, for the code proves who answers.
    pub at: Vec<String>,
}

const INVITATION: &str = "dak:pair?";
/// Most addresses of an invitation.
pub const INVITATION_HINTS_MAX: usize = 8;
/// Longest invitation, in bytes.
pub const INVITATION_BYTES_MAX: usize = 2_048;

impl Invitation {
    /// Reads an invitation, or a code alone.
    pub fn parse(text: &str) -> Result<Invitation, CodeError> {
        let text = text.trim();
        let Some(fields) = text.strip_prefix(INVITATION).filter(|_| text.len() <= INVITATION_BYTES_MAX) else {
            return Ok(Invitation { code: Code::parse(text)?, at: Vec::new() });
        };
        let (mut code, mut at) = (None, Vec::new());
        for field in fields.split('&') {
            match field.split_once('=') {
                Some(("code", value)) if code.is_none() => code = Some(Code::parse(value)?),
                Some(("at", value)) if at.len() < INVITATION_HINTS_MAX && is_plain(value) => at.push(value.to_owned()),
                Some(("code" | "at", _)) | None => return Err(CodeError::Invitation),
                // A later version adds it.
                Some(_) => {}
            }
        }
        Ok(Invitation { code: code.ok_or(CodeError::Invitation)?, at })
    }

    /// The same with as many addresses, from the first on, as `fits` has room for; those that do not fit are passed over.
    pub fn fitting(&self, fits: impl Fn(&str) -> bool) -> Invitation {
        let mut fitting = Invitation { code: self.code, at: Vec::new() };
        for at in self.at.iter().take(INVITATION_HINTS_MAX).filter(|at| is_plain(at)) {
            fitting.at.push(at.clone());
            if !fits(&fitting.to_string()) {
                fitting.at.pop();
            }
        }
        fitting
    }
}

/// Whether a multiaddress stands in an invitation as it is.
fn is_plain(at: &str) -> bool {
    at.starts_with('/') && at.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&')
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{INVITATION}code={}", self.code)?;
        self.at.iter().try_for_each(|at| write!(f, "&at={at}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_typed_as_it_was_heard() {
        let code = Code::draw([6, 41, 107]);
        assert_eq!(Code::parse(&code.to_string()), Ok(code));
        let [first, second] = code.words;
        for typed in [
            format!(" {} {first} {second}\n", code.number),
            format!("{}-{}-{second}", code.number, first.to_uppercase()),
            format!("0{}, {}, {}", code.number, &first[..3], &second[..4]),
        ] {
            assert_eq!(Code::parse(&typed), Ok(code), "{typed}");
        }
    }

    #[test]
    fn a_slip_of_the_keyboard_is_no_guess() {
        for typed in
            ["", "7", "7-copper", "copper-lantern", "0-copper-lantern", "100-copper-lantern", "7-a-b-c", "-7--"]
        {
            assert_eq!(Code::parse(typed), Err(CodeError::Form), "{typed}");
        }
        let slip = Code::parse("7-copper-lantren").unwrap_err();
        assert_eq!(slip.to_string(), "lantren is no word of any code; lantern is one");
        assert_eq!(Code::parse("7-xyzzy-lantern").unwrap_err().to_string(), "xyzzy is no word of any code");
        assert!(Code::parse(&"7-copper-lantern ".repeat(10_000)).is_err());
        // Cut through a character.
        assert!(Code::parse("7-zöé-lantern").is_err());
    }

    #[test]
    fn every_draw_is_a_code_and_numbers_begin_with_one() {
        for byte in 0..=u8::MAX {
            let code = Code::draw([byte, byte, !byte]);
            assert!((1..=99).contains(&code.number()) && Code::parse(&code.to_string()) == Ok(code));
        }
    }

    #[test]
    fn an_invitation_is_a_code_with_places_to_look_and_reads_back() {
        let code = Code::parse("7-copper-lantern").unwrap();
        let full = Invitation { code, at: (0..9).map(|n| format!("/ip4/192.168.1.{n}/tcp/33556")).collect() };
        let fitting = full.fitting(|text| text.len() < 100);
        assert_eq!(
            fitting.to_string(),
            "dak:pair?code=7-copper-lantern&at=/ip4/192.168.1.0/tcp/33556&at=/ip4/192.168.1.1/tcp/33556"
        );
        assert_eq!(Invitation::parse(&fitting.to_string()), Ok(fitting));
        assert_eq!(full.fitting(|_| true).at.len(), INVITATION_HINTS_MAX);
        assert_eq!(Invitation::parse(&full.to_string()), Err(CodeError::Invitation));
        assert_eq!(Invitation::parse(" 7 copper lantern "), Ok(Invitation { code, at: vec![] }));
        for text in ["dak:pair?", "dak:pair?at=/ip4/1.2.3.4/tcp/1", "dak:pair?code=7-copper-lantern&at=x", "dak:pair?x"]
        {
            assert_eq!(Invitation::parse(text), Err(CodeError::Invitation), "{text}");
        }
        let later = Invitation::parse("dak:pair?later=1&code=7-copper-lantern");
        assert_eq!(later.unwrap().code, code);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_invitation_that_reads_back_or_an_error(
            rest in "[-&=?/0-9a-z. é]{0,60}",
            prefix in 0..3usize,
        ) {
            let prefix = ["", "dak:pair?", "dak:pair?code=7-copper-lantern&"][prefix];
            if let Ok(invitation) = Invitation::parse(&format!("{prefix}{rest}")) {
                proptest::prop_assert_eq!(Invitation::parse(&invitation.to_string()), Ok(invitation));
            }
        }
    }
}
