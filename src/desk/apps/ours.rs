//! The apps that come with the program; `src/web/apps` has their sources.

/// Each with its name, as it was built.
const OURS: [(&str, &[u8]); 3] = [
    ("checklist", include_bytes!("../../web/apps/built/checklist.xdc")),
    ("poll", include_bytes!("../../web/apps/built/poll.xdc")),
    ("text", include_bytes!("../../web/apps/built/text.xdc")),
];

pub fn names() -> Vec<&'static str> {
    OURS.iter().map(|(name, _)| *name).collect()
}

pub fn find(app: &str) -> Option<(&'static str, &'static [u8])> {
    OURS.into_iter().find(|(name, _)| *name == app.trim().to_lowercase())
}

/// Whether these are the bytes of one of them.
pub fn is_one(hash: &[u8; 32]) -> bool {
    OURS.iter().any(|(_, bytes)| blake3::hash(bytes).as_bytes() == hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xdc::Container;

    #[test]
    fn each_is_a_container_with_a_name_and_an_icon_and_rides_inside_its_message() {
        for (name, bytes) in OURS {
            let container = Container::open(bytes.to_vec()).unwrap();
            assert!(container.name().is_some() && container.icon().is_some(), "{name}");
            assert!(is_one(container.hash()) && bytes.len() < 64 << 10, "{name}");
            assert!(container.names().all(|file| container.file(file).unwrap().is_some()), "{name}");
        }
        assert!(find(" Poll ").is_some() && find("chess").is_none());
    }
}
