//! In which form a client wants an answer that has several.

use axum::http::{HeaderMap, HeaderName, header};

/// How objects are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One a line.
    Lines,
    /// One array of them.
    Array,
    /// Server-sent events.
    Events,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Lines => "application/x-ndjson",
            Form::Array => "application/json",
            Form::Events => "text/event-stream",
        }
    }

    /// Whichever of those that there are the client likes best: lines, unless it names another as well and likes lines no
    /// better. Who accepts nothing of it gets lines as well, and can say that it did not.
    pub fn wanted(headers: &HeaderMap, other: Form) -> Form {
        let ranges = ranges(headers, &header::ACCEPT);
        let liked = |form: Form| ranges.iter().find(|(name, _)| *name == form.media_type()).map(|(_, liked)| *liked);
        match (liked(other), liked(Form::Lines)) {
            (Some(liked), lines) if liked > 0 && lines.is_none_or(|lines| liked > lines) => other,
            _ => Form::Lines,
        }
    }
}

/// What a header of preferences names, in its order, and how much each is liked, in thousandths.
pub fn ranges<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<(&'h str, u32)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(range).collect()
}

/// A range and how much it is liked, in thousandths.
fn range(text: &str) -> (&str, u32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
    let (whole, rest) = weight.split_once('.').unwrap_or((weight, ""));
    let thousandths: String = rest.chars().chain("000".chars()).take(3).collect();
    let liked = if whole == "0" { thousandths.parse().unwrap_or(0) } else { 1_000 };
    (name, liked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str, other: Form) -> Form {
        Form::wanted(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]), other)
    }

    #[test]
    fn lines_are_given_to_whoever_names_nothing_else() {
        assert_eq!(Form::wanted(&HeaderMap::new(), Form::Array), Form::Lines);
        for accept in ["*/*", "application/x-ndjson", "text/html", "application/json;q=0", "text/event-stream"] {
            assert_eq!(wanted(accept, Form::Array), Form::Lines, "{accept}");
        }
        assert_eq!(wanted("application/json", Form::Array), Form::Array);
        assert_eq!(wanted("text/event-stream", Form::Events), Form::Events);
        assert_eq!(wanted("text/html, application/json;q=0.9, */*;q=0.8", Form::Array), Form::Array);
        assert_eq!(wanted("application/json;q=0.5, application/x-ndjson", Form::Array), Form::Lines);
        assert_eq!(wanted("application/x-ndjson;q=0.25, application/json;q=0.3", Form::Array), Form::Array);
    }
}
