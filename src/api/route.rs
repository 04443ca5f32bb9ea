//! Which request is which method and path, as the client writes it. [`super::server`] has handlers for the same table, and
//! a test sends every request to them.
//!
//! | method and path | asks for | answer |
//! |---|---|---|
//! | GET /v1/version, /v1/health, /v1/me | itself | one object |
//! | GET /v1/contacts | all contacts | objects |
//! | POST /v1/contacts `{name, address}` | a new contact | one object |
//! | GET, DELETE /v1/contacts/WHO | one contact | one object, done |
//! | POST /v1/contacts/WHO/verify `{verified}`, /rename `{name}`, /block, /unblock | a change | one object |
//! | GET /v1/nearby, /v1/peers | who could be met, who is met | objects |
//! | POST /v1/send `{to, text, …}` | a message | `{id, state}` |
//! | GET /v1/inbox`?unread=true&limit=N&text_chars=N` | the inbox; of each text the first so many characters | objects |
//! | GET /v1/inbox/follow | new rows as they come | endless objects |
//! | POST /v1/inbox/ID/read `{mark, tell}` | one message | one object |
//! | DELETE /v1/inbox/ID | its deletion | done |
//! | GET /v1/status, /v1/status/ID | all or one | objects |
//! | GET /v1/status/follow, /v1/status/ID/follow | new evidence as it comes | endless objects |
//! | POST /v1/status/ID/cancel | no new copies | one object |
//! | GET /v1/carry | totals | one object |
//! | PUT /v1/carry/limit `{bytes}` | another quota | totals |
//! | GET /v1/carry/bundles | what is held | objects |
//! | GET, DELETE /v1/carry/bundles/ID | raw bytes; an end to carrying it | bytes, done |
//! | GET /v1/doctor, /v1/config | checks, settings | objects |
//! | POST /v1/backup `{path, passphrase}` | an encrypted copy | one object |
//! | POST /v1/down | the end | done |
//!
//! "Objects" are one a line (`application/x-ndjson`). Errors are [`super::error::ErrorReport`] with the status of their
//! kind; an endless answer may end with one as its last line.

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::{LimitRow, Listing, Request, Response, Row, Topic};

/// One HTTP exchange, without its transport.
pub struct Exchange {
    pub method: Method,
    pub path: String,
    /// JSON.
    pub body: Option<Vec<u8>>,
    pub decode: Decode,
}

/// Reads the body of a good answer.
pub type Decode = Box<dyn Fn(&[u8]) -> serde_json::Result<Response> + Send>;

/// Bodies of the requests that carry a word or two besides their path.
pub mod body {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Read {
        #[serde(default)]
        pub mark: bool,
        #[serde(default)]
        pub tell: bool,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Verify {
        pub verified: bool,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Rename {
        pub name: String,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Backup {
        pub path: String,
        pub passphrase: String,
    }
}

/// Writes a request down as HTTP.
pub fn exchange(request: &Request) -> Exchange {
    use Request as R;
    match request {
        R::Version => get("/v1/version", one(Response::Version)),
        R::Health => get("/v1/health", one(Response::Health)),
        R::Me => get("/v1/me", one(Response::Me)),
        R::ContactAdd(new) => with(Method::POST, "/v1/contacts", Some(new), one(Response::Contact)),
        R::ContactList => get("/v1/contacts", many(Response::Contacts)),
        R::ContactShow { who } => get(contact(who, ""), one(Response::Contact)),
        R::ContactVerify { who, verified } => {
            post(contact(who, "/verify"), &body::Verify { verified: *verified }, one(Response::Contact))
        }
        R::ContactRename { who, name } => {
            post(contact(who, "/rename"), &body::Rename { name: name.clone() }, one(Response::Contact))
        }
        R::ContactBlock { who } => bare(Method::POST, contact(who, "/block"), one(Response::Contact)),
        R::ContactUnblock { who } => bare(Method::POST, contact(who, "/unblock"), one(Response::Contact)),
        R::ContactRemove { who } => bare(Method::DELETE, contact(who, ""), one(Response::Done)),
        R::Nearby => get("/v1/nearby", many(Response::Nearby)),
        R::Send(compose) => post("/v1/send", compose, one(Response::Sent)),
        R::Read { id, mark, tell } => {
            let path = format!("/v1/inbox/{}/read", escaped(id));
            post(path, &body::Read { mark: *mark, tell: *tell }, one(|row| Response::Letter(Box::new(row))))
        }
        R::InboxDelete { id } => bare(Method::DELETE, format!("/v1/inbox/{}", escaped(id)), one(Response::Done)),
        R::Status { id } => get(format!("/v1/status/{}", escaped(id)), many(Response::Statuses)),
        R::Cancel { id } => bare(Method::POST, format!("/v1/status/{}/cancel", escaped(id)), many(Response::Statuses)),
        R::Peers => get("/v1/peers", many(Response::Peers)),
        R::Carry => get("/v1/carry", one(Response::Carry)),
        R::CarryLimit { bytes } => {
            with(Method::PUT, "/v1/carry/limit", Some(&LimitRow { bytes: *bytes }), one(Response::Carry))
        }
        R::CarryDrop { id } => bare(Method::DELETE, bundle(id), one(Response::Done)),
        R::CarryExport { id } => get(bundle(id), Box::new(|bytes| Ok(Response::Bytes(bytes.to_vec())))),
        R::Doctor => get("/v1/doctor", many(Response::Doctor)),
        R::Backup { path, passphrase } => {
            let body = body::Backup { path: path.clone(), passphrase: passphrase.clone() };
            post("/v1/backup", &body, one(Response::Backup))
        }
        R::Config => get("/v1/config", many(Response::Config)),
        R::Down => bare(Method::POST, "/v1/down", one(Response::Done)),
    }
}

/// The path of a listing; its method is GET.
pub fn listing_path(listing: &Listing) -> String {
    match listing {
        Listing::Inbox { unread, limit, text_chars } => {
            let asked = |name: &str, n: &Option<u32>| n.map(|n| format!("&{name}={n}")).unwrap_or_default();
            format!("/v1/inbox?unread={unread}{}{}", asked("limit", limit), asked("text_chars", text_chars))
        }
        Listing::Status => "/v1/status".into(),
        Listing::Carried => "/v1/carry/bundles".into(),
    }
}

/// The path of a stream; its method is GET.
pub fn stream_path(topic: &Topic) -> String {
    match topic {
        Topic::Inbox => "/v1/inbox/follow".into(),
        Topic::Status { id: None } => "/v1/status/follow".into(),
        Topic::Status { id: Some(id) } => format!("/v1/status/{}/follow", escaped(id)),
    }
}

/// Reads one line of a listing or a stream.
pub type DecodeRow = fn(&[u8]) -> serde_json::Result<Row>;

pub fn listing_rows(listing: &Listing) -> DecodeRow {
    match listing {
        Listing::Inbox { .. } => |line| row(line, Row::Inbox),
        Listing::Status => |line| row(line, Row::Status),
        Listing::Carried => |line| row(line, Row::Carried),
    }
}

pub fn stream_rows(topic: &Topic) -> DecodeRow {
    match topic {
        Topic::Inbox => |line| row(line, Row::Inbox),
        Topic::Status { .. } => |line| row(line, Row::Status),
    }
}

fn row<T: DeserializeOwned>(line: &[u8], wrap: fn(T) -> Row) -> serde_json::Result<Row> {
    // The last line may say why it is the last; a row has no such field.
    serde_json::from_slice(line).map(wrap).or_else(|error| {
        let report = serde_json::from_slice::<super::error::ErrorReport>(line);
        report.map(|report| Row::Ended(report.error)).map_err(|_| error)
    })
}

/// A path segment: everything but unreserved characters of RFC 3986 as `%XX`.
pub fn escaped(segment: &str) -> String {
    segment.bytes().fold(String::with_capacity(segment.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

fn contact(who: &str, what: &str) -> String {
    format!("/v1/contacts/{}{what}", escaped(who))
}

fn bundle(id: &str) -> String {
    format!("/v1/carry/bundles/{}", escaped(id))
}

fn get(path: impl Into<String>, decode: Decode) -> Exchange {
    bare(Method::GET, path, decode)
}

fn bare(method: Method, path: impl Into<String>, decode: Decode) -> Exchange {
    with::<()>(method, path, None, decode)
}

fn post<T: Serialize>(path: impl Into<String>, body: &T, decode: Decode) -> Exchange {
    with(Method::POST, path, Some(body), decode)
}

fn with<T: Serialize>(method: Method, path: impl Into<String>, body: Option<&T>, decode: Decode) -> Exchange {
    let body = body.map(|body| serde_json::to_vec(body).expect("our own bodies are plain data"));
    Exchange { method, path: path.into(), body, decode }
}

fn one<T: DeserializeOwned + 'static>(wrap: fn(T) -> Response) -> Decode {
    Box::new(move |bytes| serde_json::from_slice(bytes).map(wrap))
}

fn many<T: DeserializeOwned + 'static>(wrap: fn(Vec<T>) -> Response) -> Decode {
    Box::new(move |bytes| {
        let rows: Result<Vec<T>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
        rows.map(wrap)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_anything_in_it_stays_one_path_segment() {
        let who = "Zoë / 100%?#.. b";
        let path = exchange(&Request::ContactShow { who: who.into() }).path;
        assert_eq!(path, "/v1/contacts/Zo%C3%AB%20%2F%20100%25%3F%23%2E%2E%20b");
    }
}
