//! `dak me`: what to give to others.

use super::args::Me;
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::{Outcome, away, qr};
use crate::api::model::{MeRow, Request, Response};
use crate::safe_text::safe_text;

pub async fn me(link: &Link<'_>, args: &Me, out: &Out) -> Outcome {
    let me = take!(link.ask(Request::Me).await?, Me)?;
    let runs = link.is_up().await;
    let away = away::ask(link, out).await.and_then(|row| away::line(&row, &out.style)).unwrap_or_default();
    // Last, so that the whole picture is in sight.
    let qr = if args.qr && !out.json { qr::of_address(&me.address, &out.style)? } else { String::new() };
    out.answer(&Response::Me(me.clone()), |style| text(&me, runs, style) + &away + &qr)
}

fn text(me: &MeRow, runs: bool, style: &Style) -> String {
    let mut text = format!("{}\n\n", style.paint(Paint::Bold, &safe_text(&me.name)));
    text += &format!("address       {}\n", safe_text(&me.address));
    text += &format!("safety words  {}\n", safe_text(&me.safety_words));
    for (n, listen) in me.listen.iter().enumerate() {
        let label = if n == 0 { "listens at" } else { "" };
        text += &format!("{label:<12}  {}\n", safe_text(listen));
    }
    text += match (runs, me.listen.is_empty()) {
        (false, _) => "not running; start it with `dak up`\n",
        (true, true) => "listens nowhere, for there is no network now\n",
        (true, false) => "",
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn my_name_address_and_words_come_first() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let wanted = format!(
            "alice\n\naddress       dak:{}\nsafety words  acid acorn acre\nlistens at    /ip4/127.0.0.1/tcp/4001\n",
            samples::CAROL
        );
        assert_eq!(text(&samples::me(), true, &style), wanted);
        let alone = MeRow { listen: Vec::new(), ..samples::me() };
        assert!(text(&alone, false, &style).ends_with("not running; start it with `dak up`\n"));
        assert!(text(&alone, true, &style).ends_with("listens nowhere, for there is no network now\n"));
    }
}
