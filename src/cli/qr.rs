//! QR codes in a terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::out::Style;
use crate::api::ApiError;
use crate::pairing::Invitation;

/// Draws an address.
pub fn of_address(address: &str, style: &Style) -> Result<String, ApiError> {
    // What does not fit a terminal goes without its hints; the node's id is what counts.
    let bare = address.split(',').next().unwrap_or(address);
    let code = code(address).filter(|code| lines(code) <= QR_LINES_MAX).or_else(|| code(bare));
    let code = code.ok_or_else(|| ApiError::failure("the address does not fit a QR code"))?;
    Ok(draw(&code, style))
}

/// The same of an invitation, with as many of its addresses as leave room for the code in words below it.
pub fn of_invitation(invitation: &Invitation, style: &Style) -> Option<String> {
    let fits = |text: &str| code(text).is_some_and(|code| lines(&code) <= QR_LINES_MAX - LINES_BELOW);
    code(&invitation.fitting(fits).to_string()).map(|code| draw(&code, style))
}

/// The same of a link.
pub fn of_link(link: &str, style: &Style) -> Option<String> {
    code(link).map(|code| draw(&code, style))
}

/// Draws two rows of modules in each line. A camera wants dark on light: where there are colours they say so, elsewhere
/// the terminal is taken for a dark one, whose ink is light.
fn draw(code: &QrCode, style: &Style) -> String {
    let (ink, paper) = (Dense1x2::Dark, Dense1x2::Light);
    let (dark, light) = if style.color { (ink, paper) } else { (paper, ink) };
    let picture = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    let line = |line: &str| if style.color { format!("{BLACK_ON_WHITE}{line}{PLAIN}\n") } else { format!("{line}\n") };
    picture.lines().map(line).collect()
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
/// Of these for an invitation's code, and for what to do with it.
const LINES_BELOW: usize = 2;

const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const PLAIN: &str = "\u{1b}[0m";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn a_qr_code_is_dark_on_light() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let plain = of_address(&samples::me().address, &style).unwrap();
        let colored = of_address(&samples::me().address, &Style { color: true, ..style }).unwrap();
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
            let picture = of_address(&address, &style).unwrap();
            assert!(picture.lines().count() <= QR_LINES_MAX, "{hints} hints:\n{picture}");
        }
        assert_eq!(
            of_address(&peer, &style).unwrap(),
            of_address(&format!("{peer}{}", ",n=alice".repeat(40)), &style).unwrap()
        );
    }

    #[test]
    fn an_invitation_leaves_room_for_the_code_in_words_and_has_the_address_that_fits() {
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let invitation = Invitation::parse(&samples::shown_code().uri).unwrap();
        let picture = of_invitation(&invitation, &style).unwrap();
        assert!(picture.lines().count() <= QR_LINES_MAX - LINES_BELOW, "{picture}");
        let bare = Invitation { at: Vec::new(), ..invitation.clone() };
        assert_ne!(of_invitation(&bare, &style), Some(picture), "the address is in it");
        let far = Invitation { at: vec![format!("/dns/{}/tcp/1", "a".repeat(120))], ..invitation };
        assert_eq!(of_invitation(&far, &style), of_invitation(&bare, &style));
    }
}
