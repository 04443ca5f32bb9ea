//! `dak pair`: contacts by a short code.

use futures::StreamExt;

use super::args::Pair;
use super::link::{Link, take, unexpected};
use super::out::{Out, Paint, Style};
use super::who::short_peer;
use super::{Outcome, qr};
use crate::api::model::{CodeRow, ContactRow, PairRow, Request};
use crate::api::{Row, Topic};
use crate::pairing::Invitation;
use crate::safe_text::safe_text;
use crate::time::Millis;

pub async fn pair(link: &Link<'_>, args: &Pair, out: &Out) -> Outcome {
    let name = args.name.clone();
    if args.cancel {
        let done = take!(link.ask(Request::PairEnd).await?, Done)?;
        return out.row(&done, |_| "ended the pairing\n".into());
    }
    if args.code.is_empty() {
        return show(link, (name, args.timeout), out).await;
    }
    // A code may be typed as it was heard, in several words.
    let (code, peers) = (args.code.join(" "), args.peer.clone());
    // What cannot be one is refused without a search.
    if Invitation::parse(&code).is_ok() {
        out.talk("looking for the other");
    }
    let contact = take!(link.ask(Request::PairJoin { code, peers, name }).await?, Contact)?;
    out.row(&contact, |style| paired(&contact, style))
}

/// Shows a code until somebody has typed it.
async fn show(link: &Link<'_>, (name, timeout): (Option<String>, Option<Millis>), out: &Out) -> Outcome {
    let timeout_ms = timeout.map(|span| span.0);
    let mut rows = link.follow(Topic::Pair { name, timeout_ms }).await?;
    while let Some(row) = rows.next().await {
        let row = match row {
            Row::Pair(row) => row,
            Row::Ended(error) => return Err(error.into()),
            _ => return Err(unexpected().into()),
        };
        match &row {
            PairRow::Shown(code) => {
                out.row(&row, |style| shown(code, style))?;
                out.talk(&told(code, &out.style));
            }
            PairRow::Wrong(wrong) if out.json => out.row(wrong, |_| String::new())?,
            PairRow::Wrong(wrong) => out.talk(&format!("somebody tried a wrong code; {}", left(wrong.tries_left))),
            PairRow::Paired(paired_row) => {
                out.row(&row, |style| paired(&paired_row.contact, style))?;
                if !paired_row.mutual {
                    let name = safe_text(&paired_row.contact.name);
                    out.talk(&format!("{name} did not say that it has you too; if it has not, pair once more"));
                }
                return Ok(());
            }
        }
    }
    Err(unexpected().into())
}

/// The code last, so that it is in sight.
fn shown(code: &CodeRow, style: &Style) -> String {
    let picture = Invitation::parse(&code.uri).ok().and_then(|invitation| qr::of_invitation(&invitation, style));
    format!("{}{}\n", picture.unwrap_or_default(), style.paint(Paint::Bold, &safe_text(&code.code)))
}

fn told(code: &CodeRow, style: &Style) -> String {
    let until = code.expires_at.map_or(String::new(), |at| format!(" until {}", style.when(Some(at))));
    format!("waits{until}; on the other machine: dak pair {}", safe_text(&code.code))
}

fn left(tries: u8) -> String {
    match tries {
        1 => "1 try left".into(),
        tries => format!("{tries} tries left"),
    }
}

fn paired(contact: &ContactRow, style: &Style) -> String {
    let (name, peer) = (safe_text(&contact.name), short_peer(&contact.peer_id));
    let (theirs, mine) = (safe_text(&contact.safety_words), safe_text(&contact.my_safety_words));
    format!(
        "paired with {} ({peer}), verified by the code\n  its safety words  {theirs}\n  my safety words   {mine}\n",
        style.paint(Paint::Bold, &name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn the_code_is_the_last_line_and_all_of_it_is_in_sight_at_once() {
        let text = shown(&samples::shown_code(), &style());
        assert_eq!(text.lines().last(), Some("7-copper-lantern"));
        assert!(text.lines().count() <= 22 && text.contains('█'), "{text}");
        let told = told(&samples::shown_code(), &style());
        assert_eq!(told, "waits until today 12:10; on the other machine: dak pair 7-copper-lantern");
    }

    #[test]
    fn both_see_whom_they_have_and_both_words() {
        let text = paired(&samples::contact(), &style());
        assert!(text.starts_with("paired with bob (") && text.contains("), verified by the code\n"), "{text}");
        assert!(text.contains("its safety words  zebra zero zone\n  my safety words   acid acorn acre\n"), "{text}");
    }
}
