//! What browsers are told with every answer, so that a page can do what ours needs and nothing else.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::Place;
use crate::api::server::FileName;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Files that a page may show in place, by what their names end in: pictures and sounds, which are no documents and run
/// nothing. SVG is a document.
const SHOWN: [(&[&str], &str); 16] = [
    (&["png"], "image/png"),
    (&["jpg", "jpeg"], "image/jpeg"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["mp3"], "audio/mpeg"),
    (&["m4a"], "audio/mp4"),
    (&["aac"], "audio/aac"),
    (&["ogg", "oga", "opus"], "audio/ogg"),
    (&["flac"], "audio/flac"),
    (&["wav"], "audio/wav"),
    (&["weba"], "audio/webm"),
    (&["webm"], "video/webm"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["ogv"], "video/ogg"),
    (&["mov"], "video/quicktime"),
];

/// The headers of one page.
pub struct Headers {
    page_policy: HeaderValue,
}

impl Headers {
    pub fn of(place: &Place) -> Headers {
        // Each app has a host of its own below the page's.
        let frames = format!("{}://*.{}", place.scheme(), place.host);
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
             connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src {frames}; form-action 'none'; \
             base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        );
        Headers { page_policy: HeaderValue::try_from(policy).expect("it is plain ASCII") }
    }

    /// Puts them on an answer; `is_data` where it is none of the page's own files.
    pub fn put(&self, answer: &mut Response, is_data: bool) {
        let file = answer.extensions_mut().remove::<FileName>();
        let headers = answer.headers_mut();
        let fixed = HeaderValue::from_static;
        headers.insert(header::CONTENT_SECURITY_POLICY, self.page_policy.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
        headers.insert(header::REFERRER_POLICY, fixed("no-referrer"));
        headers.insert(OPENER, fixed("same-origin"));
        headers.insert(RESOURCE, fixed("same-origin"));
        headers.insert(
            PERMISSIONS_POLICY,
            fixed(
                "camera=(self), microphone=(self), geolocation=(), display-capture=(), payment=(), usb=(), serial=()",
            ),
        );
        if is_data {
            headers.insert(header::CACHE_CONTROL, fixed("no-store"));
        }
        let Some(FileName(name)) = file else { return };
        headers.insert(header::CONTENT_SECURITY_POLICY, fixed("sandbox; default-src 'none'"));
        let Some(kind) = shown(&name) else { return };
        headers.insert(header::CONTENT_TYPE, fixed(kind));
        let said = headers.get(header::CONTENT_DISPOSITION).and_then(|said| said.to_str().ok());
        let inline = said.and_then(|said| said.strip_prefix("attachment")).map(|rest| format!("inline{rest}"));
        if let Some(inline) = inline.and_then(|said| HeaderValue::try_from(said).ok()) {
            headers.insert(header::CONTENT_DISPOSITION, inline);
        }
    }
}

/// As what a file may be shown; nothing where it is only saved.
fn shown(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    SHOWN.iter().find(|(endings, _)| endings.contains(&ending.as_str())).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_sounds_are_shown_and_documents_are_not() {
        assert_eq!(shown("a.b.PNG"), Some("image/png"));
        assert_eq!(shown("voice.opus"), Some("audio/ogg"));
        for name in ["", "png", "a.svg", "a.html", "a.png.html", "a.xhtml", "a.xml", "a.pdf", "a.png ", "a.js", "a.mht"]
        {
            assert_eq!(shown(name), None, "{name}");
        }
    }
}
