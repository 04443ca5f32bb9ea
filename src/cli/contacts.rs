//! `dak contact`: whom this person knows, and by what name.

use super::args::{Contact, ContactWhat};
use super::link::{Link, take};
use super::out::{Out, Paint, Style, stdin_is_person};
use super::table::{Table, cell, painted};
use super::who::{called, shell_word, short_id, short_peer};
use super::{Outcome, says_yes};
use crate::api::model::{
    ContactRow, ID_PREFIX_DIGITS_MIN, Introduction, Request, Response, Standing, Usual, priority_name,
};
use crate::safe_text::safe_text;
use crate::time::Millis;

pub async fn contact(link: &Link<'_>, args: &Contact, out: &Out) -> Outcome {
    let Some(what) = &args.what else { return list(link, out).await };
    match what {
        ContactWhat::Add { name, address } => {
            let id = address.as_deref().filter(|address| looks_like_an_id(address));
            let new = Introduction { name: name.clone(), address: address.clone().unwrap_or_else(|| name.clone()) };
            let contact = take!(link.ask(Request::ContactAdd(new)).await?, Contact)?;
            out.row(&contact, |_| added(&contact, id))
        }
        ContactWhat::List => list(link, out).await,
        ContactWhat::Verify { who, yes, no } => verify(link, who, *yes, *no, out).await,
        ContactWhat::Rename { who, name } => {
            change(link, Request::ContactRename { who: who.clone(), name: name.clone() }, "renamed", out).await
        }
        ContactWhat::Block { who } => change(link, Request::ContactBlock { who: who.clone() }, "blocked", out).await,
        ContactWhat::Unblock { who } => {
            change(link, Request::ContactUnblock { who: who.clone() }, "unblocked", out).await
        }
        ContactWhat::Set { who, priority, lifetime, copies, read_receipts, expire_after_read, clear } => {
            let usual = Usual {
                priority: *priority,
                lifetime_ms: lifetime.map(|span| span.0),
                copies: *copies,
                read_receipts: *read_receipts,
                expire_after_read_ms: expire_after_read.map(|span| span.0),
            };
            let request = Request::ContactSet { who: who.clone(), clear: *clear, usual };
            let contact = take!(link.ask(request).await?, Contact)?;
            out.row(&contact, |_| usual_words(&contact))
        }
        ContactWhat::Share { who, with, text } => {
            let request = Request::ContactShare { who: who.clone(), with: with.clone(), text: text.clone() };
            let sent = take!(link.ask(request).await?, Sent)?;
            let told =
                || format!("queued {}: introduces {} to {}\n", short_id(&sent.id), safe_text(who), called(&sent.to));
            out.row(&sent, |_| told())
        }
        ContactWhat::Remove { who } => {
            let done = take!(link.ask(Request::ContactRemove { who: who.clone() }).await?, Done)?;
            out.row(&done, |_| format!("removed {}\n", safe_text(who)))
        }
    }
}

async fn list(link: &Link<'_>, out: &Out) -> Outcome {
    let contacts = take!(link.ask(Request::ContactList).await?, Contacts)?;
    if contacts.is_empty() {
        out.talk("no contacts yet; add one with `dak contact add NAME ADDRESS`; `dak nearby` lists who is around");
    }
    out.answer(&Response::Contacts(contacts.clone()), |style| table(&contacts, style))
}

/// Who was added, and where a message said so, whether that is its writer or whom it introduces.
fn added(contact: &ContactRow, id: Option<&str>) -> String {
    let said = changed(contact, "added");
    let said = said.trim_end();
    match (&contact.introduced_by, id) {
        (Some(by), _) => {
            let compare = if contact.verified { "" } else { "; not verified" };
            format!("{said}, introduced by {}{compare}\n", called(by))
        }
        (None, Some(id)) => format!("{said}, who wrote {}\n", short_id(id)),
        (None, None) => format!("{said}\n"),
    }
}

fn looks_like_an_id(text: &str) -> bool {
    text.len() >= ID_PREFIX_DIGITS_MIN && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn changed(contact: &ContactRow, done: &str) -> String {
    let (name, peer) = (safe_text(&contact.name), short_peer(&contact.peer_id));
    match &contact.renamed_from {
        Some(before) => format!("renamed {} to {name} ({peer})\n", safe_text(before)),
        None => format!("{done} {name} ({peer})\n"),
    }
}

/// How messages to somebody go: `to bob: urgent, within 3d, read receipts off`.
fn usual_words(contact: &ContactRow) -> String {
    let Usual { priority, lifetime_ms, copies, read_receipts, expire_after_read_ms } = contact.usual;
    let mut words: Vec<String> = Vec::new();
    words.extend(priority.map(|priority| priority_name(priority).into()));
    words.extend(lifetime_ms.map(|span| format!("within {}", Millis(span))));
    words.extend(copies.map(|copies| match copies {
        1 => "1 copy".into(),
        many => format!("at most {many} copies"),
    }));
    words.extend(read_receipts.map(|on| format!("read receipts {}", if on { "on" } else { "off" })));
    words.extend(expire_after_read_ms.map(|span| format!("disappearing {} after they are read", Millis(span))));
    let words = if words.is_empty() { "as to everybody".into() } else { words.join(", ") };
    format!("to {}: {words}\n", safe_text(&contact.name))
}

async fn change(link: &Link<'_>, request: Request, done: &str, out: &Out) -> Outcome {
    let contact = take!(link.ask(request).await?, Contact)?;
    out.row(&contact, |_| changed(&contact, done))
}

/// Shows both sides' words, and takes the person's word for the comparison.
async fn verify(link: &Link<'_>, who: &str, yes: bool, no: bool, out: &Out) -> Outcome {
    let contact = take!(link.ask(Request::ContactShow { who: who.into() }).await?, Contact)?;
    let asks = !yes && !no && !out.json && stdin_is_person();
    if !out.json {
        out.data(&words(&contact, &out.style))?;
    }
    let verified = match (yes, no, asks) {
        (true, _, _) => true,
        (_, true, _) => false,
        (_, _, true) => says_yes("Are both the same on both sides? [y/N] ".into()).await?,
        // Nobody to ask: what is known is shown, and nothing changes.
        _ => {
            let name = shell_word(&safe_text(&contact.name));
            out.talk(&format!("once you have compared them: dak contact verify {name} --yes, or --no"));
            return out.row(&contact, |_| verdict(&contact));
        }
    };
    let request = Request::ContactVerify { who: who.into(), verified };
    let contact = take!(link.ask(request).await?, Contact)?;
    out.row(&contact, |_| verdict(&contact))
}

fn verdict(contact: &ContactRow) -> String {
    let verdict = if contact.verified { "verified" } else { "not verified" };
    format!("{} is {verdict}\n", safe_text(&contact.name))
}

fn words(contact: &ContactRow, style: &Style) -> String {
    let (name, theirs, mine) =
        (safe_text(&contact.name), safe_text(&contact.safety_words), safe_text(&contact.my_safety_words));
    format!(
        "Read these to each other, by voice or face to face.\n\n  the words of {name}: {}\n  my own words: {}\n\n\
         {name} must see the same two lines the other way round.\n\n",
        style.paint(Paint::Bold, &theirs),
        style.paint(Paint::Bold, &mine)
    )
}

fn table(contacts: &[ContactRow], style: &Style) -> String {
    let mut table = Table::new(&["NAME", "VERIFIED", "PEER ID"]);
    for contact in contacts {
        let verified = match (contact.standing, contact.verified) {
            (Standing::Blocked, _) => painted(Paint::Bad, "blocked"),
            (_, true) => painted(Paint::Good, "yes"),
            (_, false) => match &contact.introduced_by {
                Some(by) => painted(Paint::Dim, format!("no, by {}", called(by))),
                None => painted(Paint::Dim, "no"),
            },
        };
        table.row(vec![cell(&contact.name), verified, painted(Paint::Dim, &contact.peer_id)]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn contacts_are_listed_by_name() {
        let blocked = ContactRow { name: "mal\u{1b}[2Jlory".into(), standing: Standing::Blocked, ..samples::contact() };
        let wanted = "\
NAME              VERIFIED  PEER ID
bob               yes       12D3KooWBob1111111111111111111111111111111111111bob1
mal\\u{1b}[2Jlory  blocked   12D3KooWBob1111111111111111111111111111111111111bob1
";
        assert_eq!(table(&[samples::contact(), blocked], &style()), wanted);
    }

    #[test]
    fn both_sides_words_are_shown() {
        let text = words(&samples::contact(), &style());
        assert!(text.contains("the words of bob: zebra zero zone") && text.contains("my own words: acid acorn acre"));
    }
}
