//! The page as it was built: files of the program itself, the same for everybody.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::packed::unpack;

include!(concat!(env!("OUT_DIR"), "/built.rs"));

/// The path of the page itself, which is also at `/`.
pub const INDEX: &str = "/index.html";

/// One file of the page.
pub struct File {
    pub path: String,
    kind: &'static str,
    /// Its bytes by gzip.
    packed: &'static [u8],
    /// No other file has the same.
    tag: String,
}

/// All files.
pub fn files() -> &'static [File] {
    static READY: LazyLock<Vec<File>> = LazyLock::new(|| {
        let ready = |(name, packed): &(&'static str, &'static [u8])| File {
            path: format!("/{name}"),
            kind: kind(name),
            packed,
            tag: format!("\"{}\"", &blake3::hash(packed).to_hex()[..16]),
        };
        BUILT.iter().map(ready).collect()
    });
    &READY
}

pub fn is_one(path: &str) -> bool {
    path == "/" || files().iter().any(|file| file.path == path)
}

/// The file, or that it has not changed. Browsers ask each time: it is this machine that they ask, and a new program has new
/// files.
pub fn answer(file: &'static File, request: &Request) -> Response {
    let headers = [
        (header::ETAG, file.tag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_TYPE, file.kind),
    ];
    if lists(request.headers(), header::IF_NONE_MATCH, &file.tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    if !lists(request.headers(), header::ACCEPT_ENCODING, "gzip") {
        return (headers, Body::from(unpack(file.packed))).into_response();
    }
    let mut answer = (headers, Body::from(file.packed)).into_response();
    answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    answer
}

/// Whether a header names a word among others.
fn lists(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().trim_start_matches("W/") == word)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        "json" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_every_file_of_it_has_a_kind() {
        assert!(is_one("/") && is_one(INDEX) && !is_one("/v1/me") && !is_one(""));
        for file in files() {
            assert_ne!(file.kind, "application/octet-stream", "{}", file.path);
            let built = std::fs::read(format!("src/web/built{}", file.path)).unwrap();
            assert!(unpack(file.packed) == built, "{}", file.path);
        }
    }
}
