//! Names before ids: how people and nodes are called in text.

use crate::api::model::IntroducedRow;
use crate::safe_text::safe_text;
use crate::ticket::Ticket;

/// A name as this person gave it. What is no name but an address becomes the short id, with the node's own name in
/// quotes where the address tells one, since anybody can call himself anything.
pub fn called(name_or_address: &str) -> String {
    match Ticket::parse(name_or_address) {
        Ok(ticket) => unnamed(&ticket.node.to_string(), ticket.name.as_deref()),
        Err(_) => safe_text(name_or_address),
    }
}

/// The same, with what a node calls itself whose address is all that is known.
pub fn called_by_itself(name_or_address: &str, nickname: Option<&str>) -> String {
    let called = called(name_or_address);
    match nickname {
        Some(nickname) => format!("{called} \"{}\"", safe_text(nickname)),
        None => called,
    }
}

/// How a node is called by its peer id, where this person may have named it.
pub fn called_node(name: Option<&str>, nickname: Option<&str>, peer_id: &str) -> String {
    match name {
        Some(name) => safe_text(name),
        None => unnamed(&short_peer(peer_id), nickname),
    }
}

/// Whom a message introduces, and the command that takes them in.
pub fn introduction(introduced: &IntroducedRow, id: &str) -> String {
    let name = safe_text(&introduced.name);
    match &introduced.known_as {
        Some(known) if *known == introduced.name => format!("introduces {name}, whom you know"),
        Some(known) => format!("introduces {name}, whom you know as {}", safe_text(known)),
        None => {
            // Or it would be taken for an option.
            let dashes = if name.starts_with('-') { "-- " } else { "" };
            format!("introduces {name}: dak contact add {dashes}{} {}", shell_word(&name), short_id(id))
        }
    }
}

/// What a message says beside whom it introduces; nothing where it has but the name and the address.
pub fn words_beside<'t>(introduced: Option<&IntroducedRow>, text: &'t str) -> &'t str {
    let is_bare = |introduced: &IntroducedRow| text == format!("{} {}", introduced.name, introduced.address);
    if introduced.is_some_and(is_bare) { "" } else { text }
}

/// Quotes what a shell would take apart.
pub fn shell_word(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:,".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The end of a peer id, where ids differ.
pub fn short_peer(peer_id: &str) -> String {
    let skip = peer_id.chars().count().saturating_sub(10);
    safe_text(&peer_id.chars().skip(skip).collect::<String>())
}

/// The first ten digits of a message's id.
pub fn short_id(id: &str) -> String {
    safe_text(&id.chars().take(10).collect::<String>())
}

fn unnamed(short: &str, nickname: Option<&str>) -> String {
    match nickname {
        Some(nickname) => format!("{short} \"{}\"", safe_text(nickname)),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn what_is_to_be_typed_takes_no_name_for_an_option() {
        let introduced = |name: &str| IntroducedRow { name: name.into(), address: "dak:x".into(), known_as: None };
        assert_eq!(introduction(&introduced("eve"), "0123456789ab"), "introduces eve: dak contact add eve 0123456789");
        let odd = introduction(&introduced("--to me"), "0123456789ab");
        assert_eq!(odd, "introduces --to me: dak contact add -- '--to me' 0123456789");
    }

    #[test]
    fn names_come_as_they_are_and_addresses_short() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        let node = NodeId::from_key(key).unwrap();
        let ticket = Ticket::new(node, Vec::new(), Some("Dave\u{1b}[2J"));
        assert_eq!(called("bob"), "bob");
        assert_eq!(called("b\u{202e}ob"), "b\\u{202e}ob");
        assert_eq!(called(&node.peer_id()), node.to_string());
        assert_eq!(called(&ticket.to_string()), format!("{node} \"Dave\\u{{1b}}[2J\""));
        assert_eq!(called_node(None, None, &node.peer_id()), node.to_string());
    }
}
