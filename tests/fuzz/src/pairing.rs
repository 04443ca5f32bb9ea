//! What is said in a pairing, and what people type or scan for one.

use dak::pairing::{Frame, Invitation};

use super::memory::bounded;

pub fn pairing(data: &[u8]) {
    if let Ok(frame) = bounded("frame of a pairing", data, Frame::decode) {
        assert_eq!(frame.encode(), data, "encoding what was decoded gives the same bytes");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(invitation) = bounded("invitation", data, |_| Invitation::parse(text)) {
        assert_eq!(Invitation::parse(&invitation.to_string()), Ok(invitation));
    }
}
