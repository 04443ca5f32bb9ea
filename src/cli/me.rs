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
    let qr = if args.qr && !out.json { qr(&me.address, &out.style)? } else { String::new() };
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

/// Draws two rows of modules in each line. A camera wants dark on light: where there are colours they say so, elsewhere
/// the terminal is taken for a dark one, whose ink is light.
fn qr(address: &str, style: &Style) -> Result<String, ApiError> {
    let code = QrCode::new(address)
        .map_err(|error| ApiError::failure(format!("the address does not fit a QR code: {error}")))?;
    let (ink, paper) = (Dense1x2::Dark, Dense1x2::Light);
    let (dark, light) = if style.color { (ink, paper) } else { (paper, ink) };
    let picture = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    let line = |line: &str| if style.color { format!("{BLACK_ON_WHITE}{line}{PLAIN}\n") } else { format!("{line}\n") };
    Ok(picture.lines().map(line).chain(["\n".to_owned()]).collect())
}

const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const PLAIN: &str = "\u{1b}[0m";

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
    fn a_qr_code_is_dark_on_light() {
        let style = Style { width: 80, color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let plain = qr(&samples::me().address, &style).unwrap();
        let colored = qr(&samples::me().address, &Style { color: true, ..style }).unwrap();
        // The quiet zone is bright: light ink without colours, white paper with them.
        assert!(plain.starts_with("████") && colored.starts_with("\u{1b}[30;107m    "));
        assert_eq!(plain.lines().count(), colored.lines().count());
    }
}
