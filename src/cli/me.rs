//! `dak me`: what to give to others.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::Outcome;
use super::args::Me;
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use crate::api::ApiError;
use crate::api::model::{MeRow, Request, Response};
use crate::safe_text::safe_text;

pub async fn me(link: &Link<'_>, args: &Me, out: &Out) -> Outcome {
    let me = take!(link.ask(Request::Me).await?, Me)?;
    let qr = if args.qr && !out.json { qr(&me.address)? } else { String::new() };
    out.answer(&Response::Me(me.clone()), |style| qr + &text(&me, style))
}

fn text(me: &MeRow, style: &Style) -> String {
    let mut text = format!("{}\n\n", style.paint(Paint::Bold, &safe_text(&me.name)));
    text += &format!("address       {}\n", safe_text(&me.address));
    text += &format!("safety words  {}\n", safe_text(&me.safety_words));
    for (n, listen) in me.listen.iter().enumerate() {
        let label = if n == 0 { "listens at" } else { "" };
        text += &format!("{label:<12}  {}\n", safe_text(listen));
    }
    if me.listen.is_empty() {
        text += "not running; start it with `dak up`\n";
    }
    text
}

/// Dark on light whatever the terminal's colours: a camera wants the quiet zone bright.
fn qr(address: &str) -> Result<String, ApiError> {
    let code = QrCode::new(address)
        .map_err(|error| ApiError::failure(format!("the address does not fit a QR code: {error}")))?;
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    Ok(picture + "\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn my_name_address_and_words_come_first() {
        let style = Style { width: 80, color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let wanted = format!(
            "alice\n\naddress       dak:{}\nsafety words  acid acorn acre\nlistens at    /ip4/127.0.0.1/tcp/4001\n",
            samples::CAROL
        );
        assert_eq!(text(&samples::me(), &style), wanted);
        let asleep = MeRow { listen: Vec::new(), ..samples::me() };
        assert!(text(&asleep, &style).ends_with("not running; start it with `dak up`\n"));
    }

    #[test]
    fn an_address_becomes_a_picture_of_half_blocks() {
        let picture = qr(&samples::me().address).unwrap();
        assert!(picture.lines().count() > 10 && picture.contains('▀') && picture.contains('█'));
    }
}
