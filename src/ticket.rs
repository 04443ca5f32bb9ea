//! Addresses that people give each other: who somebody is, and where to look first.
//!
//! A ticket is one word that survives a chat, a shell and a QR code without quotes:
//!
//! ```text
//! dak:12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X,/ip4/192.168.1.5/tcp/33556,n=Bob
//! ```
//!
//! The peer id comes first and is all that counts; the listen addresses and the name after it are hints from
//! whoever made the ticket. Reserved and non-ASCII bytes are percent-encoded; parameters that a later version adds
//! (`x=…`) are skipped. A bare peer id and a multiaddress ending in `/p2p/<peer id>` are addresses too.

use std::fmt;
use std::str::FromStr;

use crate::id::{KeyError, NodeId};

/// A node's address: its id, and hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub node: NodeId,
    /// Multiaddresses where the node listened, best first; at most [`HINTS_MAX`], without a trailing `/p2p/…`.
    pub hints: Vec<String>,
    /// What the node calls itself; at most [`NAME_BYTES_MAX`] bytes. Anybody can write anything here.
    pub name: Option<String>,
}

/// Most listen addresses in a ticket.
pub const HINTS_MAX: usize = 8;
/// Longest listen address in bytes.
pub const HINT_BYTES_MAX: usize = 128;
/// Longest name in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest ticket in bytes: everything full and percent-encoded, and some room for parameters to come.
pub const TICKET_BYTES_MAX: usize = 4_096;

/// Why text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    #[error("the address is longer than {TICKET_BYTES_MAX} bytes")]
    TooLong,
    #[error("an address looks like dak:12D3KooW…, 12D3KooW… or /ip4/…/tcp/…/p2p/12D3KooW…")]
    Form,
    #[error("the address names no node: {0}")]
    PeerId(KeyError),
    /// The text is well-formed, but the key in it must not be used.
    #[error("the address is refused: {0}")]
    Key(KeyError),
    #[error("the address has more than {HINTS_MAX} places to look")]
    Hints,
    #[error("a place to look in the address is not a multiaddress of at most {HINT_BYTES_MAX} bytes")]
    Hint,
    #[error("the name in the address is longer than {NAME_BYTES_MAX} bytes, or not text, or there twice")]
    Name,
    #[error("a percent sign in the address is not followed by two hexadecimal digits")]
    Escape,
}

impl TicketError {
    /// Says whether the text was an address whose *key* failed, which is a matter of verification (exit 8), and not
    /// a slip of the keyboard (exit 2).
    pub fn refuses_key(&self) -> bool {
        matches!(self, TicketError::Key(_))
    }
}

impl From<KeyError> for TicketError {
    fn from(error: KeyError) -> TicketError {
        match error {
            KeyError::Malformed | KeyError::NotEd25519 => TicketError::PeerId(error),
            KeyError::NotCanonical | KeyError::Weak => TicketError::Key(error),
        }
    }
}

impl Ticket {
    /// Makes a ticket that fits its limits: hints that do not fit are left out, a long name is cut.
    pub fn new(node: NodeId, hints: impl IntoIterator<Item = String>, name: Option<&str>) -> Ticket {
        let hints = hints.into_iter().filter_map(|hint| checked_hint(&hint, node).ok()).take(HINTS_MAX).collect();
        let name = name.map(|name| cut(name, NAME_BYTES_MAX).to_owned()).filter(|name| !name.is_empty());
        Ticket { node, hints, name }
    }

    /// Parses a ticket, a peer id, or a multiaddress that ends in a peer id; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Ticket, TicketError> {
        let text = text.trim();
        if text.len() > TICKET_BYTES_MAX {
            return Err(TicketError::TooLong);
        }
        if let Some(ticket) = text.strip_prefix("dak:") {
            return parse_ticket(ticket);
        }
        if text.starts_with('/') {
            return parse_multiaddress(text);
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(TicketError::Form);
        }
        Ok(Ticket { node: NodeId::from_peer_id(text)?, hints: Vec::new(), name: None })
    }
}

impl FromStr for Ticket {
    type Err = TicketError;
    fn from_str(text: &str) -> Result<Ticket, TicketError> {
        Ticket::parse(text)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dak:{}", self.node.peer_id())?;
        for hint in &self.hints {
            write!(f, ",{}", encode(hint, b"/:"))?;
        }
        match &self.name {
            Some(name) => write!(f, ",n={}", encode(name, b"")),
            None => Ok(()),
        }
    }
}

fn parse_ticket(text: &str) -> Result<Ticket, TicketError> {
    let mut parts = text.split(',');
    let node = NodeId::from_peer_id(parts.next().expect("splitting gives at least one part"))?;
    let mut ticket = Ticket { node, hints: Vec::new(), name: None };
    for part in parts {
        if part.starts_with('/') {
            if ticket.hints.len() == HINTS_MAX {
                return Err(TicketError::Hints);
            }
            ticket.hints.push(checked_hint(&decode(part)?.ok_or(TicketError::Hint)?, node)?);
        } else if let Some(name) = part.strip_prefix("n=") {
            let name = decode(name)?.ok_or(TicketError::Name)?;
            if ticket.name.is_some() || name.len() > NAME_BYTES_MAX {
                return Err(TicketError::Name);
            }
            ticket.name = Some(name);
        } else if !part.contains('=') {
            return Err(TicketError::Form);
        }
    }
    ticket.name = ticket.name.filter(|name| !name.is_empty());
    Ok(ticket)
}

/// The last `/p2p/` names the node; before it may stand a relay with its own.
fn parse_multiaddress(text: &str) -> Result<Ticket, TicketError> {
    let (place, peer) = text.rsplit_once("/p2p/").ok_or(TicketError::Form)?;
    let node = NodeId::from_peer_id(peer)?;
    let hints = if place.is_empty() { Vec::new() } else { vec![checked_hint(place, node)?] };
    Ok(Ticket { node, hints, name: None })
}

/// Checks the form of a multiaddress without knowing its protocols, and takes the node's own id off its end.
fn checked_hint(hint: &str, node: NodeId) -> Result<String, TicketError> {
    let place = match hint.rsplit_once("/p2p/") {
        Some((place, last)) if !last.contains('/') => {
            // One peer id at the end is taken off; before another one it would be read as that one's when it is said again.
            let names_another = place.rsplit_once("/p2p/").is_some_and(|(_, other)| !other.contains('/'));
            if names_another || NodeId::from_peer_id(last) != Ok(node) {
                return Err(TicketError::Hint);
            }
            place
        }
        _ => hint,
    };
    let parts = place.strip_prefix('/').ok_or(TicketError::Hint)?;
    let plain = parts.split('/').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic()));
    if !plain || place.len() > HINT_BYTES_MAX {
        return Err(TicketError::Hint);
    }
    Ok(place.to_owned())
}

/// Percent-encodes all but letters, digits, `-`, `.`, `_` and the bytes of `plain`.
fn encode(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) || plain.contains(&byte) {
            encoded.push(byte as char);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Decodes percent-encoding; `None` where the bytes are not UTF-8.
fn decode(text: &str) -> Result<Option<String>, TicketError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|b| (b as char).to_digit(16)).ok_or(TicketError::Escape);
        let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
        decoded.push(value as u8);
    }
    Ok(String::from_utf8(decoded).ok())
}

/// The longest start of `text` within `bytes_max` that cuts no character in two.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(seed: u8) -> NodeId {
        NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
    }

    fn full() -> Ticket {
        let hints = ["/ip4/192.168.1.5/tcp/33556", "/ip6/fe80::1%25eth0/tcp/33556", "/dns/example.org/tcp/1"];
        Ticket::new(node(1), hints.map(str::to_owned), Some("Bob, 100 % Zoë & 李"))
    }

    #[test]
    fn a_ticket_reads_back_as_itself() {
        for ticket in [full(), Ticket::new(node(2), [], None), Ticket::new(node(3), [], Some("n"))] {
            assert_eq!(Ticket::parse(&ticket.to_string()), Ok(ticket));
        }
    }

    #[test]
    fn a_ticket_is_one_word_to_a_shell_and_starts_with_the_peer_id() {
        let text = full().to_string();
        assert!(text.starts_with(&format!("dak:{}", node(1).peer_id())), "{text}");
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b":/.,-_%=".contains(&b)), "{text}");
    }

    #[test]
    fn peer_ids_and_multiaddresses_are_addresses_too() {
        let id = node(1).peer_id();
        let relay = node(2).peer_id();
        let bare = Ticket { node: node(1), hints: vec![], name: None };
        let at = |hint: String| Ticket { hints: vec![hint], ..bare.clone() };
        assert_eq!(Ticket::parse(&format!("  {id}\n")), Ok(bare.clone()));
        assert_eq!(Ticket::parse(&format!("/p2p/{id}")), Ok(bare.clone()));
        assert_eq!(Ticket::parse(&format!("/ip4/10.0.0.1/tcp/7/p2p/{id}")), Ok(at("/ip4/10.0.0.1/tcp/7".into())));
        assert_eq!(
            Ticket::parse(&format!("/ip4/10.0.0.1/tcp/7/p2p/{relay}/p2p-circuit/p2p/{id}")),
            Ok(at(format!("/ip4/10.0.0.1/tcp/7/p2p/{relay}/p2p-circuit")))
        );
    }

    #[test]
    fn a_slip_of_the_keyboard_and_a_bad_key_are_told_apart() {
        let id = node(1).peer_id();
        let mistyped = [
            String::new(),
            "dak:".into(),
            "bob".into(),
            "dak:bob".into(),
            id[..51].to_owned(),
            format!("{id}x"),
            format!("dak: {id}"),
            format!("dak:{id},"),
            format!("dak:{id},x"),
            "/ip4/10.0.0.1/tcp/7".into(),
            format!("http://{id}/"),
            "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG".into(),
        ];
        for text in mistyped {
            assert!(!Ticket::parse(&text).unwrap_err().refuses_key(), "{text}");
        }
        for key in weak_keys() {
            let id = NodeId::from_trusted(key).peer_id();
            for text in [id.clone(), format!("dak:{id},n=Bob"), format!("/ip4/10.0.0.1/tcp/7/p2p/{id}")] {
                assert!(Ticket::parse(&text).unwrap_err().refuses_key(), "{text}");
            }
        }
    }

    #[test]
    fn a_changed_letter_of_a_peer_id_is_never_taken_for_the_same_node() {
        let id = node(1).peer_id();
        for at in 0..id.len() {
            let mut other = id.clone().into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            let other = String::from_utf8(other).unwrap();
            assert!(Ticket::parse(&other).is_err() || Ticket::parse(&other).unwrap().node != node(1));
        }
    }

    #[test]
    fn limits_hold_before_anything_is_kept() {
        let id = node(1).peer_id();
        let hints = |n: usize| format!("dak:{id}{}", ",/ip4/1.2.3.4/tcp/1".repeat(n));
        assert_eq!(Ticket::parse(&hints(HINTS_MAX)).unwrap().hints.len(), HINTS_MAX);
        assert_eq!(Ticket::parse(&hints(HINTS_MAX + 1)), Err(TicketError::Hints));
        let long_hint = |n: usize| format!("dak:{id},/dns/{}", "a".repeat(n - 5));
        assert!(Ticket::parse(&long_hint(HINT_BYTES_MAX)).is_ok());
        assert_eq!(Ticket::parse(&long_hint(HINT_BYTES_MAX + 1)), Err(TicketError::Hint));
        let named = |n: usize| format!("dak:{id},n={}", "%41".repeat(n));
        assert_eq!(Ticket::parse(&named(NAME_BYTES_MAX)).unwrap().name, Some("A".repeat(NAME_BYTES_MAX)));
        assert_eq!(Ticket::parse(&named(NAME_BYTES_MAX + 1)), Err(TicketError::Name));
        assert_eq!(Ticket::parse(&"1".repeat(TICKET_BYTES_MAX + 1)), Err(TicketError::TooLong));
    }

    #[test]
    fn malformed_parts_are_refused_and_unknown_parameters_skipped() {
        let id = node(1).peer_id();
        let parse = |rest: &str| Ticket::parse(&format!("dak:{id}{rest}"));
        assert_eq!(parse(",n=%4"), Err(TicketError::Escape));
        assert_eq!(parse(",n=%zz"), Err(TicketError::Escape));
        assert_eq!(parse(",n=%+1"), Err(TicketError::Escape));
        assert_eq!(parse(",n=%ff"), Err(TicketError::Name));
        assert_eq!(parse(",n=a,n=b"), Err(TicketError::Name));
        assert_eq!(parse(",//"), Err(TicketError::Hint));
        assert_eq!(parse(",/ip4/1.2.3.4%0A/tcp/1"), Err(TicketError::Hint));
        assert_eq!(parse(&format!(",/ip4/1.2.3.4/tcp/1/p2p/{}", node(2).peer_id())), Err(TicketError::Hint));
        let two = format!(",/ip4/1.2.3.4/tcp/1/p2p/{}/p2p/{id}", node(2).peer_id());
        assert_eq!(parse(&two), Err(TicketError::Hint));
        assert_eq!(parse(",later=1,n=Bob").unwrap().name.as_deref(), Some("Bob"));
        assert_eq!(parse(&format!(",/ip4/1.2.3.4/tcp/1/p2p/{id}")).unwrap().hints, ["/ip4/1.2.3.4/tcp/1"]);
    }

    #[test]
    fn a_new_ticket_leaves_out_what_does_not_fit() {
        let hints = (0..20).map(|i| format!("/ip4/10.0.0.{i}/tcp/1")).chain(["no address".to_owned()]);
        let ticket = Ticket::new(node(1), hints, Some(&"ö".repeat(40)));
        assert_eq!(ticket.hints.len(), HINTS_MAX);
        assert_eq!(ticket.name.as_deref(), Some("ö".repeat(32).as_str()));
        assert_eq!(Ticket::parse(&ticket.to_string()), Ok(ticket));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_address_that_reads_back_or_an_error(rest in "[,/=%n0-9A-Za-z.:é ]{0,80}", prefix in 0..4usize) {
            let id = node(1).peer_id();
            let prefix = ["", "dak:", &format!("dak:{id},"), &format!("dak:{id},/ip4/1.2.3.4/tcp/1,n=")][prefix].to_owned();
            if let Ok(ticket) = Ticket::parse(&format!("{prefix}{rest}")) {
                proptest::prop_assert_eq!(Ticket::parse(&ticket.to_string()), Ok(ticket));
            }
        }
    }

    /// The identity point, its non-canonical twin, and an honest key shifted by a point of small order.
    fn weak_keys() -> Vec<[u8; 32]> {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut long = [0xff; 32];
        (long[0], long[31]) = (0xee, 0x7f);
        let honest = curve25519_dalek::edwards::CompressedEdwardsY(*node(1).as_bytes()).decompress().unwrap();
        let mixed = honest + curve25519_dalek::constants::EIGHT_TORSION[1];
        vec![identity, long, mixed.compress().0]
    }
}
