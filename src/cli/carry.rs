//! `dak carry`: what this node holds for others, and how much it may.

use std::path::Path;

use super::args::{Carry, CarryWhat};
use super::link::{Link, take};
use super::listing;
use super::out::{Out, Paint, Style, stdin_is_person};
use super::table::{Cell, Table, cell, painted};
use super::who::{called, short_id};
use super::{Outcome, Stop, says_yes};
use crate::api::model::{CarryRow, Class, Counts, FileRow, Grade, Grades, Listing, Request, Response, Row};
use crate::api::{ApiError, ErrorKind};
use crate::safe_text::safe_text;
use crate::units::{about_bytes, counted};

pub async fn carry(link: &Link<'_>, args: &Carry, out: &Out) -> Outcome {
    match &args.what {
        None => totals(link, Request::Carry, out).await,
        Some(CarryWhat::Limit { bytes, yes }) => limit(link, *bytes, *yes, out).await,
        Some(CarryWhat::List) => {
            let rows = link.list(Listing::Carried).await?;
            let mut count = 0u64;
            listing::print(rows, out, &HEADS, cells, |_| count += 1).await?;
            if count == 0 {
                out.talk("nothing is held");
            }
            Ok(())
        }
        Some(CarryWhat::Drop { id }) => {
            let done = take!(link.ask(Request::CarryDrop { id: id.clone() }).await?, Done)?;
            out.row(&done, |_| format!("dropped {}\n", safe_text(id)))
        }
        Some(CarryWhat::Export { id, file }) => {
            let bytes = take!(link.ask(Request::CarryExport { id: id.clone() }).await?, Bytes)?;
            if file.as_os_str() == "-" {
                return out.bytes(&bytes);
            }
            let name = file.display().to_string();
            write_anew(file, &bytes)?;
            let written = FileRow::of(name, bytes.len() as u64);
            out.row(&written, |_| format!("wrote {} to {}\n", counted(written.bytes, "byte"), safe_text(&written.name)))
        }
    }
}

/// Writes a file that is not there yet, or to what is no file, such as a pipe.
fn write_anew(file: &Path, bytes: &[u8]) -> Result<(), ApiError> {
    let name = file.display();
    if file.metadata().is_ok_and(|there| there.is_file()) {
        let next = "name another file, or remove that one";
        return Err(ApiError::refused(format!("{name} is there already")).advise(next));
    }
    std::fs::write(file, bytes).map_err(|error| ApiError::failure(format!("cannot write {name}: {error}")))
}

/// What a smaller limit evicts is gone for good, so it is said before it happens.
async fn limit(link: &Link<'_>, bytes: u64, yes: bool, out: &Out) -> Outcome {
    let before = take!(link.ask(Request::Carry).await?, Carry)?;
    if before.bytes > bytes && !yes {
        let what = eviction(&before, bytes);
        if out.json || !stdin_is_person() {
            let say = "say so with --yes, or name a larger limit, such as 256M";
            return Err(ApiError::refused(what).advise(say).into());
        }
        if !says_yes(format!("{what}. Evict that? [y/N] ")).await? {
            out.talk("nothing was changed");
            return Err(Stop::Code(ErrorKind::Refused.exit_code()));
        }
    }
    totals(link, Request::CarryLimit { bytes }, out).await
}

/// What goes, and what goes first.
fn eviction(carry: &CarryRow, limit: u64) -> String {
    let (held, over) = (about_bytes(carry.bytes), about_bytes(carry.bytes - limit));
    let Grades { released, copy, custody } = carry.by_grade;
    let mut left = carry.bytes - limit;
    let mut kinds = Vec::new();
    let copies = if copy.bundles == 1 { "copy" } else { "copies" };
    for (name, counts) in [("released", released), (copies, copy), ("in custody", custody)] {
        if left > 0 && counts.bundles > 0 {
            // How large each of them is, the sums do not say.
            let most = if counts.bytes > left && counts.bundles > 1 { "up to " } else { "" };
            kinds.push(format!("{most}{} {name}", counts.bundles));
            left = left.saturating_sub(counts.bytes);
        }
    }
    let goes = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    format!("{held} are carried for others, and a limit of {} evicts {over} of them{goes}", about_bytes(limit))
}

async fn totals(link: &Link<'_>, request: Request, out: &Out) -> Outcome {
    let carry = take!(link.ask(request).await?, Carry)?;
    out.answer(&Response::Carry(carry.clone()), |style| text(&carry, style))
}

fn text(carry: &CarryRow, style: &Style) -> String {
    let quota = match carry.quota_bytes {
        0 => "carries for nobody".to_owned(),
        quota => format!("{} of {}", about_bytes(carry.bytes), about_bytes(quota)),
    };
    let (messages, receipts) = (counted(carry.bundles, "message"), counted(carry.receipts, "receipt"));
    let head = format!("holds {messages} and {receipts}: {quota}; on the disk {}\n", about_bytes(carry.file_bytes));
    let mut table = Table::new(&["FOR", "BUNDLES", "SIZE"]);
    let (by_class, by_grade, evicted) = (&carry.by_class, &carry.by_grade, &carry.evicted);
    let mut classes = vec![("me", by_class.own), ("contacts", by_class.contacts), ("strangers", by_class.strangers)];
    classes.extend((by_class.topics.bundles > 0).then_some(("topics", by_class.topics)));
    for (name, counts) in classes {
        table.row(vec![cell(name), cell(counts.bundles.to_string()), cell(about_bytes(counts.bytes))]);
    }
    let mut order = Table::new(&["EVICTED", "BUNDLES", "SIZE", "SO FAR"]);
    let grades = [
        ("first: released", by_grade.released, evicted.released),
        ("then: copies", by_grade.copy, evicted.copy),
        ("last: custody", by_grade.custody, evicted.custody),
    ];
    for (name, Counts { bundles, bytes }, evicted) in grades {
        let evicted = painted(if evicted > 0 { Paint::Warn } else { Paint::Dim }, evicted.to_string());
        order.row(vec![cell(name), cell(bundles.to_string()), cell(about_bytes(bytes)), evicted]);
    }
    format!(
        "{head}\n{}\n{}\nCustody goes only for a higher class, my own messages never.\n",
        table.render(style),
        order.render(style)
    )
}

const HEADS: [&str; 6] = ["ID", "FROM", "TO", "WHAT", "SIZE", "EXPIRES"];

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::Carried(row) = row else { return None };
    let class = match row.class {
        Class::Own => "own",
        Class::Contacts => "contact's",
        Class::Strangers => "stranger's",
        Class::Topics => "topic",
    };
    let grade = match row.grade {
        Grade::Custody => "custody",
        Grade::Copy => "copy",
        Grade::Released => "released",
    };
    let what = if row.kind == "receipt" { format!("{class} receipt") } else { format!("{class} {grade}") };
    Some(vec![
        cell(short_id(&row.id)),
        cell(called(&row.from)),
        cell(called(&row.to)),
        cell(what),
        cell(about_bytes(row.bytes)),
        cell(style.when(row.expires_at)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn totals_show_for_whom_and_the_order_of_eviction() {
        let wanted = "\
holds 3 messages and 1 receipt: 4.5 KiB of 256.0 MiB; on the disk 1.0 MiB

FOR        BUNDLES  SIZE
me         1        1.4 KiB
contacts   2        2.9 KiB
strangers  1        200 B

EVICTED          BUNDLES  SIZE     SO FAR
first: released  1        200 B    2
then: copies     1        1.4 KiB  1
last: custody    2        2.9 KiB  0

Custody goes only for a higher class, my own messages never.
";
        assert_eq!(text(&samples::carry(), &style()), wanted);
        let nobody = CarryRow { quota_bytes: 0, ..samples::carry() };
        assert!(text(&nobody, &style()).contains("carries for nobody"));
    }

    #[test]
    fn what_is_held_is_listed_with_its_class_and_grade() {
        let wanted = "\
ID          FROM   TO   WHAT               SIZE     EXPIRES
3f2a91c0de  alice  bob  contact's custody  1.4 KiB  tomorrow 11:00
";
        let mut table = Table::new(&HEADS);
        table.row(cells(&Row::Carried(samples::carried()), &style()).unwrap());
        assert_eq!(table.render(&style()), wanted);
    }
}
