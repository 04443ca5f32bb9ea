//! Advice to whoever typed a text that the shell took apart, or that reads as an option.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::api::ApiError;
use crate::safe_text::safe_text;

/// Adds to the error how the line is typed, where a text of several words, or one that begins with a dash, is the matter.
pub fn with_advice(mut error: clap::Error, line: &[String]) -> clap::Error {
    let odd = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(odd)) if error.kind() == ErrorKind::UnknownArgument => odd.clone(),
        _ => return error,
    };
    if let Some(advice) = advice(&odd, line) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
    }
    error
}

/// What clap says in paragraphs, as one error: what is wrong, and what to do.
pub fn as_an_error(error: &clap::Error) -> ApiError {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return ApiError::usage("the command is not whole").advise("add --help to see what belongs to it");
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let what = safe_text(what.strip_prefix("error: ").unwrap_or(&what));
    let tip = paragraphs.find_map(|lines| lines.strip_prefix("tip: ").map(safe_text));
    ApiError::usage(what).advise(tip.unwrap_or_else(|| "add --help to see what belongs to the command".into()))
}

/// Options whose times may have several words.
const TIME_OPTIONS: [&str; 5] = ["--at", "--due", "--reply-by", "--until", "--older-than"];

/// Options whose values count something, which nothing negative does.
const COUNT_OPTIONS: [&str; 4] = ["--lifetime", "--timeout", "--copies", "--expire-after-read"];

/// How to type the line, of which clap expected no `odd`; nothing where that was meant as an option.
fn advice(odd: &str, line: &[String]) -> Option<String> {
    let of_time = |words: &&[String]| TIME_OPTIONS.contains(&words[0].as_str()) && words[2] == odd;
    if let Some([option, time, _]) = line.windows(3).find(of_time) {
        return Some(format!("a time of several words is quoted: {option} \"{time} {odd}\""));
    }
    if odd == "--until" && line.iter().any(|word| word == "snooze") {
        return Some("the time needs no option before it: dak snooze WHO TIME".into());
    }
    if line.windows(2).any(|words| words == ["group", "create"]) && !odd.starts_with('-') {
        return Some("whom to ask stands behind --with: dak group create NAME --with WHO,WHO".into());
    }
    let verb_at = line.iter().position(|word| ["send", "reply", "forward"].contains(&word.as_str()))?;
    let verb = &line[verb_at];
    let is_to = |word: &String| word == "--to" || word.starts_with("--to=");
    let whom = match verb.as_str() {
        "send" if line.iter().any(is_to) => "--to WHO",
        "send" => "WHO",
        "forward" if line.iter().any(is_to) => "ID --to WHO",
        "forward" => "ID WHO",
        _ => "ID",
    };
    let text = |from: usize| {
        let words: Vec<&str> = line[from..].iter().map(String::as_str).collect();
        let end = words.iter().skip(1).position(|word| word.starts_with('-')).map_or(words.len(), |at| at + 1);
        words[..end].join(" ")
    };
    if odd.starts_with('-') {
        let at = line.iter().position(|word| word.starts_with(odd)).filter(|at| !is_option_like(&line[*at]))?;
        if let Some(option) = line.get(at - 1).filter(|word| COUNT_OPTIONS.contains(&word.as_str())) {
            return Some(format!("a value that begins with a dash stands behind `=`: {option}={odd}"));
        }
        return Some(format!(
            "a text that begins with a dash stands behind `--`: dak {verb} {whom} -- \"{}\"",
            text(at)
        ));
    }
    // Whom and the first word of the text were expected, and of a forward the id; the same words again are not.
    let first = verb_at + if verb == "forward" { 4 } else { 3 };
    let at = first + line.get(first..)?.iter().position(|word| word == odd)?;
    match (line[at - 1].as_str(), line[at - 2].starts_with('-') || whom.contains("--to")) {
        ("--wait", _) => Some(format!("what to wait for stands behind `=`: --wait={odd}")),
        // The word before is perhaps the value of an option, and where the text begins is not to be told.
        (before, option) if option || before.starts_with('-') => {
            Some(format!("a text of several words is quoted: dak {verb} {whom} \"TEXT\""))
        }
        _ => Some(format!("a text of several words is quoted: dak {verb} {whom} \"{}\"", text(at - 1))),
    }
}

/// A dash and one letter, or two dashes and a word: perhaps meant as an option.
fn is_option_like(word: &str) -> bool {
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphabetic() || "-=".contains(c));
    match word.strip_prefix("--") {
        Some(name) => is_plain(name),
        None => word.len() == 2 && is_plain(&word[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(odd: &str, line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        advice(odd, &words).unwrap_or_default()
    }

    #[test]
    fn the_advice_is_the_line_to_type() {
        for (odd, line, wanted) in [
            ("there", "dak send bob hello there friend", "dak send WHO \"hello there friend\""),
            ("there", "dak send -p urgent bob hello there -f x", "dak send WHO \"hello there\""),
            ("he", "dak send bob he he", "dak send WHO \"he he\""),
            ("bob", "dak --home x send bob hi bob", "dak send WHO \"hi bob\""),
            ("yes", "dak reply 3f2a oh yes", "dak reply ID \"oh yes\""),
            ("there", "dak send bob hello -p urgent there", "dak send WHO \"TEXT\""),
            ("delivered", "dak send bob hi --wait delivered", "--wait=delivered"),
            ("ours", "dak forward 3f2a bob see of ours", "dak forward ID WHO \"of ours\""),
            ("c", "dak send --to bob a b c", "dak send --to WHO \"TEXT\""),
            ("-5", "dak send bob -5 degrees", "dak send WHO -- \"-5 degrees\""),
            ("-1", "dak send bob hi --lifetime -1", "--lifetime=-1"),
            ("--until", "dak snooze bob --until 2h", "dak snooze WHO TIME"),
            ("ben", "dak group create camp ben cora", "dak group create NAME --with WHO,WHO"),
            ("--wiat", "dak send bob hi --wiat", ""),
            ("c", "dak contact add a b c", ""),
            (
                "17:00",
                "dak send bob hi --due fri 17:00 --task",
                "a time of several words is quoted: --due \"fri 17:00\"",
            ),
            ("9:00", "dak mute bob --until tomorrow 9:00", "--until \"tomorrow 9:00\""),
        ] {
            let said = said(odd, line);
            assert!(if wanted.is_empty() { said.is_empty() } else { said.ends_with(wanted) }, "{line}: {said}");
        }
    }
}
