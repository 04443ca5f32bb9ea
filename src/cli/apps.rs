//! `dak app`: shared apps, and what is said in them.

use super::Outcome;
use super::args::{AppArgs, AppWhat};
use super::link::{Link, take};
use super::listing;
use super::out::{Out, Paint, Style};
use super::send::stdin_text;
use super::table::{Cell, Table, cell, painted, prose};
use super::who::{called, short_id};
use crate::api::ApiError;
use crate::api::model::{AppRow, AppUpdateRow, Listing, NewAppUpdate, Request, Response, Row};
use crate::safe_text::safe_text;
use crate::units::about_bytes;

pub async fn app(link: &Link<'_>, args: &AppArgs, out: &Out) -> Outcome {
    match (&args.what, &args.id) {
        (Some(AppWhat::List { who }), _) => list(link, who.clone(), out).await,
        (None, None) => list(link, None, out).await,
        (None, Some(id)) => updates(link, id, args.after, out).await,
        (Some(AppWhat::Send { who, app }), _) => {
            let begin = Request::AppBegin { who: who.clone(), app: app.clone() };
            let sent = take!(link.ask(begin).await?, Sent)?;
            out.row(&sent, |_| format!("{} goes to {} as {}\n", safe_text(app), called(&sent.to), short_id(&sent.id)))
        }
        (Some(AppWhat::Update { id, payload, info, document, summary, href, notify }), _) => {
            let json = if payload == "-" { stdin_text().await? } else { payload.clone() };
            let payload = serde_json::from_str(&json).map_err(|error| {
                ApiError::usage(format!("that is no JSON: {error}")).advise("give a value such as '{\"vote\": 2}'")
            })?;
            let update = NewAppUpdate {
                id: id.clone(),
                payload,
                json: false,
                info: info.clone(),
                document: document.clone(),
                summary: summary.clone(),
                href: href.clone(),
                notify: notify.iter().cloned().collect(),
            };
            let sent = take!(link.ask(Request::AppUpdate(update)).await?, Sent)?;
            out.row(&sent, |_| format!("told in the app, goes to {} as {}\n", called(&sent.to), short_id(&sent.id)))
        }
    }
}

async fn list(link: &Link<'_>, who: Option<String>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::Apps { who }).await?, Apps)?;
    if rows.is_empty() {
        out.talk("no apps; `dak app send WHO checklist` begins one, or `dak send WHO -f FILE.xdc`");
    }
    out.answer(&Response::Apps(rows.clone()), |style| table(&rows, style))
}

fn table(rows: &[AppRow], style: &Style) -> String {
    let mut table = Table::new(&["ID", "FROM", "SENT", "UPDATES", "", "APP"]);
    for row in rows {
        let from = if row.mine { "me".into() } else { called(row.from.name.as_ref().unwrap_or(&row.from.address)) };
        let standing = match row {
            AppRow { broken: Some(_), .. } => painted(Paint::Warn, "broken"),
            AppRow { here: false, .. } => painted(Paint::Dim, "not here"),
            AppRow { read_only: true, .. } => painted(Paint::Warn, "read-only"),
            _ => cell(about_bytes(row.bytes)),
        };
        let titles =
            [Some(&row.name), row.document.as_ref(), row.summary.as_ref()].map(|title| title.map(String::as_str));
        let titles: Vec<&str> = titles.into_iter().flatten().collect();
        table.row(vec![
            cell(short_id(&row.id)),
            cell(from),
            cell(style.when(row.at)),
            cell(row.updates.to_string()),
            standing,
            prose(titles.join(" · ")),
        ]);
    }
    table.render(style)
}

async fn updates(link: &Link<'_>, id: &str, after: u64, out: &Out) -> Outcome {
    let rows = link.list(Listing::AppUpdates { id: id.to_owned(), after, json: false }).await?;
    let mut count = 0u64;
    listing::print(rows, out, &["SERIAL", "WHO", "WHEN", "TOLD"], cells, |_| count += 1).await?;
    if count == 0 {
        out.talk("nothing was said in it");
    }
    Ok(())
}

fn cells(row: &Row, style: &Style) -> Option<Vec<Cell>> {
    let Row::AppUpdates(AppUpdateRow { serial, payload, info, from, mine, at, .. }) = row else { return None };
    let who = if *mine { "me".into() } else { called(from.name.as_ref().unwrap_or(&from.address)) };
    let told = [info.clone(), Some(payload.to_string())].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Some(vec![cell(serial.to_string()), cell(who), cell(style.when(*at)), prose(told)])
}
