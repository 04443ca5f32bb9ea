//! The name that somebody meant who slipped, for messages that refuse the one they wrote.

/// The name that differs from `word` by the fewest slips of a hand, where it is a slip and no other word: a letter more, one
/// less, another one, or two that changed places.
pub fn nearest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let slips = |name: &str| strsim::osa_distance(word, name);
    let near = names.iter().min_by_key(|name| slips(name))?;
    let allowed = (word.len().max(near.len()) / 3).clamp(1, 3);
    (slips(near) <= allowed).then_some(near)
}

/// What is longer is no name.
const WORD_BYTES_MAX: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant_and_another_word_finds_none() {
        let names = ["name", "listen", "api.listen"];
        assert_eq!(nearest("nmae", &names), Some("name"));
        assert_eq!(nearest("api.lisen", &names), Some("api.listen"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest(&"n".repeat(64), &["n"]), None);
    }
}
