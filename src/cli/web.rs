//! `dak web`: the page for browsers.

use std::process::{Command, Stdio};

use super::Outcome;
use super::args::{Web as Args, WebWhat};
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::qr;
use super::table::{Table, cell};
use crate::api::Response;
use crate::api::model::{Request, WebDeviceRow};
use crate::safe_text::safe_text;

pub async fn web(link: &Link<'_>, args: &Args, out: &Out) -> Outcome {
    match &args.what {
        None if args.off => {
            let done = take!(link.ask(Request::WebLanEnd).await?, Done)?;
            out.row(&done, |_| "the page is closed to phones\n".into())
        }
        None if args.lan => phone(link, out).await,
        None => open(link, args.print, out).await,
        Some(WebWhat::Devices { revoke: None }) => devices(link, out).await,
        Some(WebWhat::Devices { revoke: Some(name) }) => {
            let done = take!(link.ask(Request::WebRevoke { name: name.clone() }).await?, Done)?;
            out.row(&done, |_| format!("revoked {}\n", safe_text(name)))
        }
    }
}

/// Opens a browser where there is one; else, and where that is wanted, the link is printed.
async fn open(link: &Link<'_>, print: bool, out: &Out) -> Outcome {
    let row = take!(link.ask(Request::Web).await?, Web)?;
    let line = format!("for one browser of this machine, once: {}\n", safe_text(&row.url));
    if print || out.json {
        return out.answer(&Response::Web(row), |_| line);
    }
    match opened(&row.url) {
        true => {
            let place = row.url.split("/#").next().unwrap_or_default();
            out.talk(&format!("opened in your browser; a bookmark of {} holds", safe_text(place)));
            Ok(())
        }
        false => {
            out.talk("no browser can be opened from here; open the link in Chrome, Edge or Firefox yourself");
            out.data(&line)
        }
    }
}

/// Shows a link for a phone as a picture, with what is to be compared and said; picture and code last, so that a terminal of 24
/// lines has them whole.
async fn phone(link: &Link<'_>, out: &Out) -> Outcome {
    let row = take!(link.ask(Request::WebLan).await?, WebLan)?;
    out.talk(
        "What scans this and says the code becomes your phone, which reads and writes\n\
         as you; `dak web devices` lists and revokes them. It is given a certificate\n\
         first, whose fingerprint is:",
    );
    out.answer(&Response::WebLan(row.clone()), |style| {
        let picture = qr::of_link(&row.url, style).unwrap_or_default();
        let (first, last) = row.code.split_at(row.code.len() / 2);
        let code = style.paint(Paint::Bold, &safe_text(&format!("{first} {last}")));
        let (fingerprint, url) = (safe_text(&row.fingerprint), safe_text(&row.url));
        format!("{fingerprint}\nonce, within fifteen minutes: {url}\n{picture}code {code}\n")
    })
}

/// Whether the desktop took the link. Where there is none, what stands in for a browser would take the terminal.
fn opened(url: &str) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let opener = match cfg!(target_os = "macos") {
        true => "open",
        false if ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(is_set) => "xdg-open",
        false => return false,
    };
    let ran = Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}

async fn devices(link: &Link<'_>, out: &Out) -> Outcome {
    let rows = take!(link.ask(Request::WebDevices).await?, WebDevices)?;
    out.answer(&Response::WebDevices(rows.clone()), |style| table(&rows, style))?;
    if rows.is_empty() {
        out.talk("no browser is let in; let one in with `dak web`");
    }
    Ok(())
}

fn table(rows: &[WebDeviceRow], style: &Style) -> String {
    let mut table = Table::new(&["SINCE", "LAST SEEN", "WHERE", "BROWSER"]);
    for row in rows {
        let (since, seen) = (cell(style.when(Some(row.since))), cell(style.when(Some(row.last_seen))));
        table.row(vec![since, seen, cell(if row.lan { "my phone" } else { "this machine" }), cell(&row.name)]);
    }
    table.render(style)
}
