//! `dak status` and `dak cancel`: what became of one's messages. A sentence never says more than its evidence.

use std::collections::BTreeMap;

use futures::StreamExt;

use super::args::{Id, Status};
use super::link::{Link, take};
use super::listing;
use super::out::{Out, Paint, Style};
use super::outlook::{self, nobody_comes};
use super::table::{Cell, cell, painted, prose};
use super::who::{called, short_id};
use super::{Outcome, Stop, changes, drafts};
use crate::api::ErrorKind;
use crate::api::model::{
    Done, Event, EventKind, ID_PREFIX_DIGITS_MIN, Listing, MemberStateRow, OutlookRow, Request, Response, Row, State,
    StatusRow, Topic, json_line, priority_name,
};
use crate::safe_text::{one_line, one_line_of_prose, safe_text};
use crate::units::counted;

pub async fn status(link: &Link<'_>, args: &Status, out: &Out) -> Outcome {
    // Subscribed before listed: what happens in between is in the stream, and may be shown twice but never lost.
    let news = match args.follow {
        true => Some(link.follow(Topic::Status { id: args.id.clone() }).await?),
        false => None,
    };
    let mut only_to = None;
    let mut shown: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    match &args.id {
        Some(id) => {
            let rows = take!(link.ask(Request::Status { id: id.clone() }).await?, Statuses)?;
            out.answer(&Response::Statuses(rows.clone()), |style| rows.iter().map(|row| life(row, style)).collect())?;
            shown.extend(rows.into_iter().map(|row| (row.id, row.events)));
        }
        None => {
            if let (Some(who), true) = (&args.to, args.follow) {
                let row = take!(link.ask(Request::Recipient { who: who.clone() }).await?, Recipient)?;
                only_to = Some(row.to_address);
            }
            // Before the list, so that nothing ends unseen between them.
            let outlook = outlook::ask(link, out).await;
            let (limit, unsettled, to) = (args.limit, args.unsettled, args.to.clone());
            let rows = link.list(Listing::Status { limit, unsettled, to }).await?;
            let mut count = 0u64;
            listing::print(rows, out, &HEADS, cells, |row| {
                count += 1;
                if let (Row::Status(row), true) = (row, args.follow) {
                    shown.insert(row.id, row.events);
                }
            })
            .await?;
            if count == 0 && args.limit != Some(0) {
                out.talk(if args.unsettled { "nothing unsettled" } else { "nothing was sent yet" });
            }
            if let Some(row) = outlook {
                nobody_comes(&row, &out.style).into_iter().for_each(|line| out.talk(&line));
                looked(link, args, &row, out).await;
            }
        }
    }
    let Some(mut news) = news else { return Ok(()) };
    while let Some(row) = news.next().await {
        match row {
            Row::Status(row) if only_to.as_ref().is_none_or(|to| row.to_address == *to) => {
                show_news(&row, &mut shown, out)?
            }
            Row::Ended(why) => return Err(Stop::Error(why)),
            _ => {}
        }
    }
    Ok(())
}

/// What a terminal showed was seen; what a program reads nobody has seen. A home that cannot be written to has no memory
/// of it.
async fn looked(link: &Link<'_>, args: &Status, outlook: &OutlookRow, out: &Out) {
    let shows_all = args.limit.is_none() && args.to.is_none();
    if outlook.ended > 0 && shows_all && out.style.width.is_some() {
        let _ = link.ask(Request::StatusSeen { event: outlook.event }).await;
    }
}

pub async fn cancel(link: &Link<'_>, args: &Id, out: &Out) -> Outcome {
    // A draft's number is shorter than any id; what was to go later is taken back by it, and what went is known by it.
    if args.id.len() < ID_PREFIX_DIGITS_MIN && args.id.bytes().all(|digit| digit.is_ascii_digit()) {
        match drafts::delete(link, &args.id).await {
            Ok(()) => {
                return out
                    .row(&Done::default(), |_| format!("deleted draft {}: it was not sent\n", safe_text(&args.id)));
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rows = take!(link.ask(Request::Cancel { id: args.id.clone() }).await?, Statuses)?;
    out.answer(&Response::Statuses(rows.clone()), |style| rows.iter().map(|row| life(row, style)).collect())
}

/// Prints the events that were not printed yet, one a line; as JSON, the whole row. A carrier's latest word takes the
/// place of its former one, so they are told apart by what they say and not by how many there are.
fn show_news(row: &StatusRow, shown: &mut BTreeMap<String, Vec<Event>>, out: &Out) -> Outcome {
    let before = shown.insert(row.id.clone(), row.events.clone()).unwrap_or_default();
    let news: Vec<&Event> = row.events.iter().filter(|event| !before.contains(event)).collect();
    if news.is_empty() {
        return Ok(());
    }
    if out.json {
        return out.data(&json_line(row));
    }
    let lines = news.into_iter().map(|event| {
        let (id, to) = (short_id(&row.id), called(&row.to));
        format!("{id} to {to}, {}: {}\n", out.style.when(event.at), sentence(event, row))
    });
    out.data(&lines.collect::<String>())
}

const HEADS: [&str; 5] = ["ID", "TO", "STATE", "SINCE", "TEXT"];
/// With names of so many columns a line of the list fits a terminal of eighty, and has room for a few words.
const NAME_COLUMNS_MAX: usize = 11;

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Status(row) = row else { return None };
    let columns = style.width.map_or(usize::MAX, |_| NAME_COLUMNS_MAX);
    let proof = proof(row);
    let known = match proof {
        Some(event) => basis(event, row, columns),
        // By now it has no line of its own.
        None => "a carrier".into(),
    };
    let said = row.state.said();
    let state = match members(row, MEMBERS_LISTED) {
        Some(members) => members,
        None if known.is_empty() => said.into(),
        None => format!("{said}: {known}"),
    };
    let since = proof.map(|event| style.when(event.at)).unwrap_or_default();
    let to = one_line(&called(&row.to), columns);
    Some(vec![
        cell(short_id(&row.id)),
        cell(to),
        painted(paint(row.state), state),
        cell(since),
        prose(gist(row, style)),
    ])
}

/// So many members who lack a message are named in the list.
const MEMBERS_LISTED: usize = 2;

/// How many members of a group have a message, and who of them does not; none of a message to one person, or of which no
/// member is known to have it yet.
fn members(row: &StatusRow, named_max: usize) -> Option<String> {
    let missing: Vec<&MemberStateRow> = row.members.iter().filter(|member| member.state < State::Delivered).collect();
    let (all, have) = (row.members.len(), row.members.len() - missing.len());
    match (have, missing.is_empty()) {
        (0, _) => None,
        (_, true) => Some(format!("{have} of {all} delivered")),
        (_, false) => {
            let names = missing.iter().take(named_max);
            let mut names: Vec<String> =
                names.map(|member| called(member.name.as_ref().unwrap_or(&member.address))).collect();
            if missing.len() > named_max {
                names.push(format!("{} more", missing.len() - named_max));
            }
            Some(format!("{have} of {all} delivered; missing {}", names.join(", ")))
        }
    }
}

/// The first of its words.
fn gist(row: &StatusRow, style: &Style) -> String {
    let Some(text) = &row.text else { return "(not kept)".into() };
    let text = changes::set_words(&row.sets, style).unwrap_or_else(|| text.clone());
    super::inbox::gist(row.forwarded.then(|| "fwd:".into()), row.subject.as_deref(), &text, row.files)
}

/// The first event that carries the state, of a carrier that stands by it where there is one; none where it is that of a
/// carrier which is not listed any more.
fn proof(row: &StatusRow) -> Option<&Event> {
    let carries = |event: &&Event| event.what.state() == row.state;
    let stands = row.events.iter().filter(carries).find(|event| !is_given_up(event, row));
    stands.or_else(|| row.events.iter().find(carries))
}

/// Whether a carrier gave up what it said here that it stored.
fn is_given_up(event: &Event, row: &StatusRow) -> bool {
    let gave_up = |other: &Event| other.what == EventKind::GaveUp && other.who == event.who;
    matches!(event.what, EventKind::Copy | EventKind::Custody) && row.events.iter().any(gave_up)
}

/// The life of one message.
fn life(row: &StatusRow, style: &Style) -> String {
    let state = style.paint(paint(row.state), row.state.said());
    let mut text = format!("{} to {}: {state}\n", short_id(&row.id), style.paint(Paint::Bold, &called(&row.to)));
    if let Some(words) = changes::set_words(&row.sets, style) {
        text += &format!("a change: {}\n", one_line_of_prose(&words, style.width.unwrap_or(usize::MAX)));
    }
    let mut facts = vec![priority_name(row.priority).to_owned(), format!("written {}", style.when(row.created_at))];
    if row.expires_at.is_some() {
        let verb = if row.state == State::Expired { "life ended" } else { "life ends" };
        facts.push(format!("{verb} {}", style.when(row.expires_at)));
    }
    if !row.forward_secrecy {
        facts.push("no forward secrecy".into());
    }
    text += &style.paint(Paint::Dim, &facts.join(", "));
    if let Some(number) = row.draft {
        let meant = row.meant_at.map(|at| format!(", meant for {}", style.when(Some(at)))).unwrap_or_default();
        text += &style.paint(Paint::Dim, &format!("\nwas draft {number}{meant}"));
    }
    text += "\n\n";
    let times: Vec<String> = row.events.iter().map(|event| style.when(event.at)).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    for (event, time) in row.events.iter().zip(&times) {
        let word = style.paint(paint(event.what.state()), &format!("{:<9}", word(event.what)));
        text += &format!("  {time:<time_width$}  {word}  {}\n", sentence(event, row));
    }
    if row.carriers_unlisted > 0 {
        text += &format!("  and {} of carriers, not listed\n", counted(row.carriers_unlisted, "more answer"));
    }
    if let Some(members) = members(row, usize::MAX) {
        text += &format!("\n  {}, as they told us\n", style.paint(Paint::Bold, &members));
    }
    text += &format!("\n  {}\n", style.paint(Paint::Dim, outlook(row)));
    text
}

/// The event in the reader's words.
fn word(what: EventKind) -> &'static str {
    if what == EventKind::GaveUp { "given up" } else { what.state().word() }
}

/// What an event proves, and by whose word.
fn sentence(event: &Event, row: &StatusRow) -> String {
    let to = called(&row.to);
    let who = event.who.as_deref().map_or_else(|| "a carrier".to_owned(), called);
    match event.what {
        EventKind::Queued => "stored here, to be handed to whoever is met".into(),
        EventKind::Copy => format!("{who} told us it stored a copy while there is room"),
        EventKind::Custody if event.who.as_ref() == Some(&row.to) => {
            let missing = if row.state < State::Rejected { "; no receipt yet" } else { "" };
            let what = if row.state == State::Rejected { "received" } else { "stored" };
            format!("{who} told us it {what} the message{missing}")
        }
        EventKind::Custody => format!("{who} told us it stored a copy and answers for it"),
        EventKind::GaveUp if row.held_here => format!("{who} told us it gave the copy up; held here"),
        EventKind::GaveUp => format!("{who} told us it gave the copy up"),
        EventKind::Full => format!("{to}'s node signed that its mailbox had no room for it"),
        EventKind::Expired => "no receipt; it may still have arrived".into(),
        EventKind::Cancelled if !is_out(row) => {
            "it never left, as far as is known here: nobody told us of a copy".into()
        }
        EventKind::Cancelled => "no new copies from here; others may still arrive".into(),
        EventKind::Rejected => match &event.reason {
            Some(reason) => format!("{to} signed that it refused: {}", safe_text(reason)),
            None => format!("{to} signed that it refused"),
        },
        EventKind::Delivered => format!("{to}'s node signed that it stored the message"),
        EventKind::Read => format!("{to} chose to say that it was read"),
    }
}

/// Whose word it is, in a word or two for the list.
fn basis(event: &Event, row: &StatusRow, columns: usize) -> String {
    match event.what {
        // That it never left is not known here.
        EventKind::Queued => String::new(),
        // The state says it all.
        EventKind::Full => String::new(),
        EventKind::Cancelled if !is_out(row) => String::new(),
        EventKind::Copy | EventKind::Custody if is_given_up(event, row) => "given up".into(),
        EventKind::Copy | EventKind::Custody | EventKind::GaveUp => {
            let who = event.who.as_deref().map_or_else(|| "a carrier".to_owned(), called);
            one_line(&who, columns)
        }
        EventKind::Rejected | EventKind::Delivered | EventKind::Read => "signed".into(),
        EventKind::Expired => "no receipt".into(),
        EventKind::Cancelled => "some out".into(),
    }
}

/// Whether anybody ever said something of the message that only one who got it can know.
pub fn is_out(row: &StatusRow) -> bool {
    let told = |event: &Event| !matches!(event.what, EventKind::Queued | EventKind::Expired | EventKind::Cancelled);
    row.carriers_unlisted > 0 || row.events.iter().any(told)
}

/// What may come next.
fn outlook(row: &StatusRow) -> &'static str {
    match row.state {
        State::Queued | State::Copy | State::Custody if row.held_here => {
            "still held here, and handed to whoever is met"
        }
        State::Queued | State::Copy | State::Custody => "in flight; a receipt may come any time",
        State::Full if row.held_here => "still held here; it goes again by itself, and arrives once there is room",
        State::Full => "in flight; it goes again by itself, and arrives once there is room",
        State::Expired => "a late receipt would still be shown here",
        State::Cancelled if !is_out(row) => "nothing more to do",
        State::Cancelled => "a late receipt would still be shown here",
        State::Rejected | State::Delivered | State::Read => "nothing more to do",
    }
}

fn paint(state: State) -> Paint {
    match state {
        State::Delivered | State::Read => Paint::Good,
        State::Copy | State::Custody | State::Full => Paint::Warn,
        State::Expired | State::Rejected => Paint::Bad,
        State::Queued | State::Cancelled => Paint::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples::{at, event, status};
    use crate::cli::table::Table;
    use crate::safe_text::columns;
    use EventKind as E;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    fn carried() -> StatusRow {
        status(vec![
            event(E::Queued, at(11, 0), None),
            event(E::Custody, at(11, 2), Some("carol")),
            event(E::GaveUp, at(11, 40), Some("carol")),
        ])
    }

    fn table(rows: &[StatusRow], style: &Style) -> String {
        let mut table = Table::new(&HEADS);
        rows.iter().filter_map(|row| cells(&Row::Status(row.clone()), style)).for_each(|row| table.row(row));
        table.render(style)
    }

    #[test]
    fn the_life_of_a_message_names_who_said_what_when() {
        let wanted = "\
3f2a91c0de to bob: custody
normal, written today 11:00, life ends tomorrow 11:00, no forward secrecy

  today 11:00  queued     stored here, to be handed to whoever is met
  today 11:02  custody    carol told us she stored it
  today 11:40  given up   carol told us it gave the copy up; held here

  still held here, and handed to whoever is met
";
        let wanted = wanted.replace("she stored it", "it stored a copy and answers for it");
        assert_eq!(life(&carried(), &style()), wanted);
    }

    #[test]
    fn carriers_that_have_no_line_of_their_own_are_counted() {
        let many = StatusRow { carriers_unlisted: 84, ..carried() };
        assert!(life(&many, &style()).contains("held here\n  and 84 more answers of carriers, not listed\n\n"));
        let one = StatusRow { carriers_unlisted: 1, ..carried() };
        assert!(life(&one, &style()).contains("  and 1 more answer of carriers, not listed\n"));
    }

    #[test]
    fn a_state_whose_carrier_is_not_listed_is_still_its_word() {
        let row = StatusRow { state: State::Custody, ..status(vec![event(E::Copy, at(11, 2), Some("carol"))]) };
        assert!(table(&[row], &style()).contains("bob  custody: a carrier         come at six\n"));
    }

    #[test]
    fn the_list_names_a_carrier_that_stands_by_its_word_where_there_is_one() {
        let mut events = carried().events;
        events.push(event(E::Custody, at(11, 50), Some("dave")));
        assert!(table(&[status(events)], &style()).contains("bob  custody: dave  today 11:50  come at six\n"));
    }

    #[test]
    fn watching_shows_the_latest_word_of_a_carrier_also_where_it_takes_the_place_of_another() {
        let printed = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let out = Out::new(false, style(), printed.clone(), printed.clone());
        let mut shown = BTreeMap::from([(carried().id, carried().events)]);
        let again = [event(E::Queued, at(11, 0), None), event(E::Custody, at(11, 50), Some("carol"))];
        show_news(&status(again.into()), &mut shown, &out).unwrap();
        let text = String::from_utf8(printed.lock().unwrap().clone()).unwrap();
        assert!(text.contains("11:50: carol told us it stored a copy"), "{text}");
    }

    #[test]
    fn expiry_without_a_receipt_claims_nothing() {
        let row = status(vec![event(E::Queued, at(11, 0), None), event(E::Expired, at(35, 0), None)]);
        let text = life(&row, &style());
        assert!(text.contains("expired    no receipt; it may still have arrived"), "{text}");
        assert!(text.contains("life ended") && text.contains("late receipt"), "{text}");
    }

    #[test]
    fn a_line_of_the_list_fits_eighty_columns_whatever_became_of_the_message() {
        let style = style();
        let queued = event(E::Queued, at(11, 0), None);
        let copy = event(E::Copy, at(11, 2), Some("carol"));
        let named = "Bartholomew the second";
        let ends = [E::Expired, E::Cancelled, E::Custody, E::Delivered, E::Rejected];
        let ends = ends.map(|end| event(end, at(12, 0), (end == E::Custody).then_some(named)));
        for end in ends {
            for events in [vec![queued.clone(), end.clone()], vec![queued.clone(), copy.clone(), end.clone()]] {
                let to = "1Nft9HyQ6X \"Bartholomew the second\"".into();
                let row = StatusRow { to, text: Some("word ".repeat(9)), ..status(events) };
                // Yesterday is the longest of the days that have a name.
                let style = Style { now: "2026-03-02T12:00[UTC]".parse().unwrap(), ..style.clone() };
                let mut table = Table::new(&HEADS);
                table.row(cells(&Row::Status(row), &style).unwrap());
                let shown = table.render(&style);
                let line = shown.lines().nth(1).unwrap();
                assert!(line.contains("yesterday") && line.contains("  word word"), "{shown}");
                assert_eq!(columns(line), 80);
            }
        }
    }

    #[test]
    fn what_was_cancelled_before_it_left_says_so() {
        let queued = event(E::Queued, at(11, 0), None);
        let alone = life(&status(vec![queued.clone(), event(E::Cancelled, at(12, 0), None)]), &style());
        assert!(alone.contains("cancelled  it never left, as far as is known here"), "{alone}");
        assert!(!alone.contains("may still arrive") && alone.ends_with("nothing more to do\n"), "{alone}");
        let copy = event(E::Copy, at(11, 2), Some("carol"));
        let out = life(&status(vec![queued, copy, event(E::Cancelled, at(12, 0), None)]), &style());
        assert!(out.contains("others may still arrive") && !out.contains("never left"), "{out}");
    }

    #[test]
    fn a_late_receipt_upgrades_what_was_expired_or_cancelled() {
        for before in [E::Expired, E::Cancelled] {
            let row = status(vec![event(before, at(11, 0), None), event(E::Delivered, at(12, 0), Some("bob"))]);
            assert_eq!(row.state, State::Delivered);
            assert!(life(&row, &style()).contains("bob's node signed that it stored the message"));
        }
    }

    #[test]
    fn custody_at_the_recipient_is_no_receipt_yet() {
        let row = status(vec![event(E::Custody, at(11, 0), Some("bob"))]);
        assert!(life(&row, &style()).contains("bob told us it stored the message; no receipt yet\n"));
        let both = [event(E::Custody, at(11, 0), Some("bob")), event(E::Delivered, at(11, 0), Some("bob"))];
        assert!(life(&status(both.into()), &style()).contains("bob told us it stored the message\n"));
        let refused = [event(E::Rejected, at(11, 0), None), event(E::Custody, at(11, 0), Some("bob"))];
        assert!(life(&status(refused.into()), &style()).contains("bob told us it received the message\n"));
    }

    #[test]
    fn the_life_of_a_message_fits_80_columns() {
        let whats = [E::Queued, E::Copy, E::Custody, E::GaveUp, E::Full, E::Expired, E::Cancelled, E::Rejected];
        for last in [E::GaveUp, E::Cancelled, E::Rejected, E::Delivered, E::Read] {
            for who in ["bob", "carol"] {
                let mut events: Vec<Event> = whats.iter().map(|what| event(*what, at(11, 0), Some(who))).collect();
                events.push(Event { reason: Some("no mail from this source".into()), ..event(last, at(11, 0), None) });
                let text = life(&status(events), &style());
                let long = text.lines().find(|line| line.chars().count() > 80);
                assert_eq!(long, None);
            }
        }
    }

    #[test]
    fn a_full_mailbox_is_a_wait_that_names_its_evidence() {
        let full = event(E::Full, at(11, 2), Some("bob"));
        let row = status(vec![event(E::Queued, at(11, 0), None), event(E::Custody, at(11, 1), Some("carol")), full]);
        let wanted = "\
ID          TO   STATE                  SINCE        TEXT
3f2a91c0de  bob  waiting: mailbox full  today 11:02  come at six
";
        assert_eq!(table(std::slice::from_ref(&row), &style()), wanted);
        let text = life(&row, &style());
        assert!(text.contains("to bob: waiting: mailbox full\n"), "{text}");
        assert!(text.contains("  full       bob's node signed that its mailbox had no room for it\n"), "{text}");
        assert!(text.contains("it goes again by itself, and arrives once there is room\n"), "{text}");
    }

    #[test]
    fn the_list_shows_the_highest_evidence_and_its_source() {
        let wanted = "\
ID          TO   STATE              SINCE        TEXT
3f2a91c0de  bob  custody: given up  today 11:02  come at six
";
        assert_eq!(table(&[carried()], &style()), wanted);
    }

    #[test]
    fn hostile_names_and_reasons_are_harmless() {
        let reason = Event { reason: Some("\u{1b}[2J".into()), ..event(E::Rejected, at(11, 0), None) };
        let row = StatusRow { to: "b\u{9b}ob".into(), ..status(vec![event(E::Custody, None, Some("\u{7}")), reason]) };
        let text = life(&row, &style()) + &table(&[row], &style());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}
