//! What a node calls itself, where its owner gave it a name: said to whoever connects, behind the version in libp2p's
//! identify, as `dak/0.1.0 Alice`. Nothing depends on it; it only spares people a look at keys.

/// Longest name, in bytes; the address that people exchange has the same bound.
const NAME_BYTES_MAX: usize = 64;
const VERSION: &str = concat!("dak/", env!("CARGO_PKG_VERSION"));

/// What to say of this node.
pub(super) fn said(name: Option<&str>) -> String {
    let name = name.map(|name| &name[..name.floor_char_boundary(NAME_BYTES_MAX)]).filter(|name| !name.is_empty());
    name.map_or_else(|| VERSION.into(), |name| format!("{VERSION} {name}"))
}

/// The name in what a peer says of itself; one that is too long is none.
pub(super) fn heard(said: &str) -> Option<&str> {
    let (_, name) = said.strip_prefix("dak/")?.split_once(' ')?;
    let name = name.trim();
    (!name.is_empty() && name.len() <= NAME_BYTES_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_heard_as_it_was_said_and_nobody_needs_one() {
        assert_eq!(heard(&said(Some("Zoë at the bridge"))), Some("Zoë at the bridge"));
        assert_eq!(heard(&said(None)), None);
        assert_eq!(heard(&said(Some(&"ö".repeat(40)))), Some("ö".repeat(32).as_str()));
    }

    #[test]
    fn other_programs_and_long_names_have_none() {
        for said in ["", "dak/0.1.0", "dak/0.1.0 ", "rust-libp2p/0.57 Bob", &format!("dak/0.1.0 {}", "x".repeat(65))] {
            assert_eq!(heard(said), None, "{said}");
        }
    }
}
