//! `dak search`: where it was said.

use futures::StreamExt;
use jiff::Zoned;

use super::args::Search;
use super::link::Link;
use super::out::{Out, Paint, Style};
use super::talk::talker;
use super::times::parse_since;
use super::who::{called, short_id};
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::api::model::{Listing, Row, SearchRow};
use crate::mail::query::{Filter, Query};
use crate::safe_text::{columns, one_line_of_prose, safe_prose, safe_text};
use crate::search::Sought;

/// Wider than this a line is hard to read.
const COLUMNS_MAX: usize = 100;
const INDENT: &str = "  ";
/// Most characters that are looked at for each column before the first word found.
const CHARS_PER_COLUMN_MAX: usize = 4;

pub async fn search(link: &Link<'_>, args: &Search, out: &Out) -> Outcome {
    let words = [std::slice::from_ref(&args.query), &args.more].concat();
    let query = parse(&words.join(" "), &out.style.now)?;
    let sought = Sought::of(&query.words);
    let mut rows = link.list(Listing::Search { q: query.to_string(), limit: Some(args.limit) }).await?;
    let mut count = 0u64;
    while let Some(row) = rows.next().await {
        match row {
            Row::Search(row) => {
                out.row(&row, |style| hit(&row, sought.as_ref(), style))?;
                count += 1;
            }
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => {}
        }
    }
    if count == 0 && args.limit > 0 {
        out.talk("nothing found");
    }
    Ok(())
}

/// Reads a query, with the times in it as instants: this process knows the person's time zone, and the node may be in
/// another.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<Query, ApiError> {
    let mut query = Query::parse(text)?;
    for part in &mut query.filters {
        if let Filter::After(time) | Filter::Before(time) = &mut part.what {
            *time = parse_since(time, now)?.timestamp().to_string();
        }
    }
    Ok(query)
}

/// Who said it when, and the words around the first one found.
fn hit(found: &SearchRow, sought: Option<&Sought>, style: &Style) -> String {
    let row = &found.row;
    let with = called(found.conversation_name.as_deref().unwrap_or(&row.conversation));
    let place = match (row.mine, row.conversation == row.from.address) {
        (true, false) => format!(" to {with}"),
        (false, false) => format!(" in {with}"),
        (_, true) => String::new(),
    };
    let who = style.paint(Paint::Bold, &talker(row));
    let head = format!("{}  {who}{place}, {}", short_id(&row.id), style.when(row.sent_at.or(row.received_at)));
    let files = row.files.iter().map(|file| &*file.name);
    let texts: Vec<&str> = row.subject.as_deref().into_iter().chain(row.text.as_deref()).chain(files).collect();
    let first = sought.and_then(|sought| texts.iter().find(|text| sought.first_in(text).is_some()));
    let line = match (first.or(texts.first()), &row.unreadable) {
        (Some(text), _) => excerpt(text, sought, style),
        (None, why) => format!("(unreadable: {})", safe_text(why.as_deref().unwrap_or("nothing is known of it"))),
    };
    format!("{head}\n{INDENT}{line}\n")
}

/// The first words found in a text, with as much around them as fits one line.
fn excerpt(text: &str, sought: Option<&Sought>, style: &Style) -> String {
    let width = style.width.map_or(usize::MAX, |width| width.min(COLUMNS_MAX).saturating_sub(INDENT.len()));
    let found = sought.and_then(|sought| sought.first_in(text)).unwrap_or(0..0);
    let (before, rest) = text.split_at(found.start);
    let (words, after) = rest.split_at(found.len());
    let words = flat(words);
    let before = end_of(before, (width / 3).min(width.saturating_sub(columns(&words))));
    let left = width.saturating_sub(columns(&before));
    let words = one_line_of_prose(&words, left);
    let after = one_line_of_prose(&flat(after), left.saturating_sub(columns(&words)));
    format!("{before}{}{after}", if words.is_empty() { words } else { style.paint(Paint::Good, &words) })
}

/// The end of a text in so many columns, from the beginning of a word on where it has blanks.
fn end_of(text: &str, width: usize) -> String {
    // Marks that take no room still take time.
    let skip = text.chars().count().saturating_sub(width.saturating_mul(CHARS_PER_COLUMN_MAX));
    let skip = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    let end = flat(&text[skip..]);
    if skip == 0 && columns(&end) <= width {
        return end.trim_start().to_owned();
    }
    let starts = end.char_indices().map(|(at, _)| at).chain([end.len()]);
    let end = starts.map(|at| &end[at..]).find(|end| columns(end) < width).unwrap_or_default();
    let words = end.split_once(' ').filter(|(_, words)| !words.trim().is_empty());
    if width == 0 { String::new() } else { format!("…{}", words.map_or(end, |(_, words)| words)) }
}

/// All blanks and line ends as single blanks.
fn flat(text: &str) -> String {
    let text = safe_prose(text);
    let mut flat = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_whitespace() {
            true if flat.ends_with(' ') => {}
            true => flat.push(' '),
            false => flat.push(c),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style(width: Option<usize>) -> Style {
        Style { width, color: false, now: "2026-03-01T12:00[+02:00]".parse().unwrap() }
    }

    fn shown(row: &SearchRow, query: &str, width: usize) -> String {
        let sought = Sought::of(&Query::parse(query).unwrap().words);
        hit(row, sought.as_ref(), &style(Some(width)))
    }

    #[test]
    fn a_hit_says_who_when_and_the_words_around_the_match_in_two_lines() {
        let text = "When we came\nback from the river the pump at camp three was mended, and it runs since noon";
        let row = samples::found(text);
        let wanted = "3f2a91c0de  bob, today 13:02\n  …the river the pump at camp three was mended, and i…\n";
        assert_eq!(shown(&row, "PUMP", 54), wanted);
        assert!(shown(&row, "when", 54).contains("\n  When we came back from"));
        assert!(shown(&row, "noon", 54).ends_with("since noon\n"));
        let mut own = row.clone();
        (own.row.mine, own.row.from.address) = (true, "dak:me".into());
        assert!(shown(&own, "pump", 54).contains("  me to bob, today"));
    }

    #[test]
    fn what_is_found_in_a_subject_or_the_name_of_a_file_is_shown() {
        let mut row = samples::found("see there");
        row.row.subject = Some("the pump".into());
        row.row.files = vec![crate::api::model::FileRow::of("valve.pdf".into(), 1)];
        assert!(shown(&row, "pump", 80).ends_with("\n  the pump\n"));
        assert!(shown(&row, "valve", 80).ends_with("\n  valve.pdf\n"));
        assert!(shown(&row, "see", 80).ends_with("\n  see there\n"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_acts_on_it() {
        let long = format!("{}\u{1b}[2J \u{202e}水泵修好了 pump\u{7} {}", "水泵".repeat(300), "e\u{301}".repeat(900));
        for text in [&long[..], "pump", "", "\u{301}\u{301}pump", &"pump".repeat(50)] {
            for (query, width) in ["pump*", "水泵修", "nothing"].iter().flat_map(|q| [20, 33, 80].map(|w| (*q, w))) {
                let shown = shown(&samples::found(text), query, width);
                assert_eq!(shown.lines().count(), 2, "{shown:?}");
                let line = shown.lines().last().unwrap();
                assert!(columns(line) <= width && !line.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{width}: {line:?}");
            }
        }
        let everything = hit(&samples::found(&long), None, &style(None));
        assert!(everything.contains("pump") && everything.len() > 2_000, "a pipe gets all of it");
    }

    #[test]
    fn times_are_instants_before_they_are_asked_for() {
        let now = "2026-03-01T12:00[+02:00]".parse().unwrap();
        let query = parse("pump after:yesterday -before:\"2026-02-01 18:00\"", &now).unwrap();
        assert_eq!(query.to_string(), "pump after:2026-02-27T22:00:00Z -before:2026-02-01T16:00:00Z");
        assert_eq!(parse("pump after:whenever", &now).unwrap_err().kind.exit_code(), 2);
    }
}
