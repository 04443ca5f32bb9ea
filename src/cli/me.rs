//! `dak me`: what to give to others.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::Outcome;
use super::args::Me;
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use crate::api::ApiError;
use crate::api::model::{MeRow, Request, Response};
use crate::safe_text::safe_text;

pub async fn me(link: &Link<'_>, args: &Me, out: &Out) -> Outcome {
    let me = take!(link.ask(Request::Me).await?, Me)?;
    let runs = link.is_up().await;
    // Last, so that the whole picture is in sight.
    let qr = if args.qr && !out.json { qr(&me.address, &out.style)? } else { String::new() };
    out.answer(&Response::Me(me.clone()), |style| text(&me, runs, style) + &qr)
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

/// Draws two rows of modules in each line. A camera wants dark on light: where there are colours they say so, elsewhere
/// the terminal is taken for a dark one, whose ink is light.
fn qr(address: &str, style: &Style) -> Result<String, ApiError> {
    // What does not fit a terminal goes without its hints; the node's id is what counts.
    let bare = address.split(',').next().unwrap_or(address);
    let code = code(address).filter(|code| lines(code) <= QR_LINES_MAX).or_else(|| code(bare));
    let code = code.ok_or_else(|| ApiError::failure("the address does not fit a QR code"))?;
    let (ink, paper) = (Dense1x2::Dark, Dense1x2::Light);
    let (dark, light) = if style.color { (ink, paper) } else { (paper, ink) };
    let picture = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    let line = |line: &str| if style.color { format!("{BLACK_ON_WHITE}{line}{PLAIN}\n") } else { format!("{line}\n") };
    Ok(picture.lines().map(line).collect())
}

/// A screen shows it sharp, so little of it need be spare.
fn code(address: &str) -> Option<QrCode> {
    QrCode::with_error_correction_level(address, EcLevel::L).ok()
}

/// Lines of a terminal that a code takes, with four quiet modules above and below.
fn lines(code: &QrCode) -> usize {
    (code.width() + 8).div_ceil(2)
}

/// What a terminal of 24 lines shows above the next prompt.
const QR_LINES_MAX: usize = 23;

const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const PLAIN: &str = "\u{1b}[0m";

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

    #[test]
    fn a_qr_code_is_dark_on_light() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let plain = qr(&samples::me().address, &style).unwrap();
        let colored = qr(&samples::me().address, &Style { color: true, ..style }).unwrap();
        // The quiet zone is bright: light ink without colours, white paper with them.
        assert!(plain.starts_with("████") && colored.starts_with("\u{1b}[30;107m    "));
        assert_eq!(plain.lines().count(), colored.lines().count());
    }

    #[test]
    fn a_qr_code_fits_a_terminal_of_24_lines_however_many_hints_there_are() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let peer = format!("dak:{}", samples::CAROL);
        for hints in [0, 1, 2, 8] {
            let address = format!("{peer}{},n=alice", ",/ip4/192.168.100.200/tcp/33556".repeat(hints));
            let picture = qr(&address, &style).unwrap();
            assert!(picture.lines().count() <= QR_LINES_MAX, "{hints} hints:\n{picture}");
        }
        assert_eq!(qr(&peer, &style).unwrap(), qr(&format!("{peer}{}", ",n=alice".repeat(40)), &style).unwrap());
    }
}
