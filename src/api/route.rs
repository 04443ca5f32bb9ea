//! Every route of the local API, once. The client writes requests by this table, the server reads them by it, and
//! `routes.md` is made of it and of [`next`]:
#![doc = include_str!("routes.md")]
//!
//! A request is serialized as `{variant: {field: value}}`. Fields that a path names in braces stand in it; the others are
//! the body of a POST or PUT, a JSON object, and the query of a GET or DELETE. "Objects" are one a line
//! (`application/x-ndjson`), or for those who accept `application/json` first one array. What is followed is told as
//! server-sent events to those who accept `text/event-stream` first; of `GET /v1/events` each has its number as its `id`, and
//! `Last-Event-ID` goes on behind it as `since` does. Errors are [`super::error::ErrorReport`] with the status of their kind; an endless answer may
//! end with one as its last line.

use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::ErrorReport;
use super::model::{Listing, Metrics, Request, Response, Row, Topic};
use super::next;

/// One method and path, what it asks, and what comes back.
#[derive(Debug)]
pub struct Route {
    pub method: Method,
    /// With the names of fields in braces, each a whole segment.
    pub path: &'static str,
    pub(super) ask: Kind,
    /// The variant of [`Request`], [`Listing`] or [`Topic`].
    pub(super) variant: &'static str,
    pub(super) gives: Gives,
    /// For whoever reads the table.
    pub(super) says: &'static str,
}

/// What a client asks.
// There is one for a request, and never a list of them.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Call(Request),
    List(Listing),
    Follow(Topic),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    List,
    Follow,
    /// Nobody has to be asked: this table, as OpenAPI has it.
    Document,
    /// The body is a file, as it is.
    Upload,
    /// So is the answer, or a stretch of it.
    Content,
}

/// The variant of [`Response`] or [`Row`] that a good answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    One(&'static str),
    Many(&'static str),
    /// [`Response::Bytes`].
    Bytes,
    /// [`Response::Metrics`].
    Text,
    /// Rows, until there are no more, or until somebody has enough.
    Rows,
    Document,
}

use Gives::{Bytes, Many, One, Rows, Text};
use Kind::{Call, Follow, List};

/// Where supervisors look, which know no version of ours and read the status alone.
pub const HEALTH: &str = "/health";

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route(GET, HEALTH, Call, "Health", One("Health"), "whether the node does its work; what keeps it from that comes with 503; over loopback without a token `schema` and `ok` alone"),
    route(GET, "/metrics", Call, "Metrics", Text, "what it counts and holds, as Prometheus reads it"),
    route(GET, "/v1/openapi.json", Kind::Document, "", Gives::Document, "all of these routes, as OpenAPI 3.1"),
    route(GET, "/v1/version", Call, "Version", One("Version"), "the program's version"),
    route(GET, "/v1/health", Call, "Health", One("Health"), "the same with 200 whatever it is: that it runs"),
    route(GET, "/v1/me", Call, "Me", One("Me"), "who the node is"),
    route(GET, "/v1/contacts", Call, "ContactList", Many("Contacts"), "all contacts, by name"),
    route(POST, "/v1/contacts", Call, "ContactAdd", One("Contact"), "a new contact"),
    route(GET, "/v1/contacts/{who}", Call, "ContactShow", One("Contact"), "one contact, with the words to compare"),
    route(DELETE, "/v1/contacts/{who}", Call, "ContactRemove", One("Done"), "an end to it"),
    route(POST, "/v1/contacts/{who}/verify", Call, "ContactVerify", One("Contact"), "whether the words were the same"),
    route(POST, "/v1/contacts/{who}/rename", Call, "ContactRename", One("Contact"), "another name"),
    route(POST, "/v1/contacts/{who}/block", Call, "ContactBlock", One("Contact"), "to hear no more of it"),
    route(POST, "/v1/contacts/{who}/unblock", Call, "ContactUnblock", One("Contact"), "to hear of it again"),
    route(POST, "/v1/contacts/{who}/usual", Call, "ContactSet", One("Contact"), "how messages to it go, where nothing else is said"),
    route(POST, "/v1/contacts/{who}/share", Call, "ContactShare", One("Sent"), "it introduced to another"),
    route(POST, "/v1/pair", Follow, "Pair", Rows, "a code to be shown, and how the pairing goes, until its end or the reader's"),
    route(DELETE, "/v1/pair", Call, "PairEnd", One("Done"), "an end to the pairing that goes on"),
    route(POST, "/v1/pair/join", Call, "PairJoin", One("Contact"), "to pair with whoever shows a code"),
    route(GET, "/v1/nearby", Call, "Nearby", Many("Nearby"), "who could be met"),
    route(GET, "/v1/peers", Call, "Peers", Many("Peers"), "who is met"),
    route(GET, "/v1/recipients/{who}", Call, "Recipient", One("Recipient"), "whom a message would go to"),
    route(POST, "/v1/send", Call, "Send", One("Sent"), "a message to be sent"),
    route(GET, "/v1/inbox", List, "Inbox", Rows, "the inbox; with a limit its last rows, of each text the first characters"),
    route(GET, "/v1/inbox/due", List, "Due", Rows, "what asks for an answer by some time, the soonest first"),
    route(GET, "/v1/inbox/follow", Follow, "Inbox", Rows, "new rows as they come, without end"),
    route(POST, "/v1/inbox/{id}/read", Call, "Read", One("Letter"), "one message, with its files"),
    route(POST, "/v1/inbox/mark", Call, "Mark", One("Done"), "that messages were read, or are unread again"),
    route(DELETE, "/v1/inbox/{id}", Call, "InboxDelete", One("Done"), "its deletion"),
    route(POST, "/v1/inbox/{id}/change", Call, "Change", One("Sent"), "other words, its end, a reaction, a task's fields"),
    route(GET, "/v1/inbox/{id}/history", Call, "History", Many("History"), "every change of a message"),
    route(POST, "/v1/crossings", Call, "Crossings", Many("Crossings"), "changes that gave way to others and were not told of yet"),
    route(GET, "/v1/record", List, "Record", Rows, "the whole record, with all that is known of each message"),
    route(GET, "/v1/files", Call, "Files", Many("Files"), "files that come or go in parts"),
    route(POST, "/v1/files", Kind::Upload, "FileUpload", One("Uploaded"), "a file to be brought for a message, which names it in `uploads`"),
    route(GET, "/v1/files/{id}/content", Kind::Content, "FileContent", Bytes, "the bytes of a file that is here, or a `Range` of them"),
    route(POST, "/v1/files/{id}/get", Call, "FileGet", One("Transfer"), "a file that was offered, or what is missing of it"),
    route(POST, "/v1/files/{id}/cancel", Call, "FileCancel", One("Transfer"), "an end to its coming or going"),
    route(POST, "/v1/files/{id}/save", Call, "FileSave", One("Saved"), "it to be saved in a directory"),
    route(GET, "/v1/space", Call, "Space", Many("Space"), "what takes how much of the disk"),
    route(POST, "/v1/import", Call, "Import", One("Imported"), "messages of an earlier home taken in, as its export has them"),
    route(POST, "/v1/purge", Call, "Purge", One("Purged"), "that old messages or large files go"),
    route(GET, "/v1/tasks", List, "Tasks", Rows, "messages that are tasks"),
    route(GET, "/v1/events", Follow, "Happened", Rows, "what happened to the record behind a number, and then what happens; with `beside=true` also that something beside it is to be asked for anew"),
    route(GET, "/v1/drafts", Call, "Drafts", Many("Drafts"), "what was written and not sent"),
    route(POST, "/v1/drafts", Call, "DraftAdd", One("Draft"), "a draft, or a message that goes at a time"),
    route(GET, "/v1/drafts/{number}", Call, "Draft", One("Draft"), "one draft, with all its words"),
    route(DELETE, "/v1/drafts/{number}", Call, "DraftDelete", One("Done"), "its end, unsent"),
    route(POST, "/v1/drafts/{number}/send", Call, "DraftSend", Many("Sents"), "it to be sent now"),
    route(GET, "/v1/inbox/count", Call, "Waiting", One("Waiting"), "how much waits"),
    route(POST, "/v1/arrange", Call, "Arrange", Many("Arranged"), "to archive, pin, snooze or mute, or an end to that"),
    route(GET, "/v1/labels", Call, "Labels", Many("Labels"), "all labels"),
    route(GET, "/v1/labels/{label}", List, "Labelled", Rows, "the messages with a label"),
    route(POST, "/v1/labels/{label}", Call, "Label", One("Done"), "a label on messages, or its end there"),
    route(GET, "/v1/talk", List, "Talks", Rows, "conversations, pinned ones first, then the newest"),
    route(GET, "/v1/talk/{who}", List, "Talk", Rows, "both sides of one, as they are read"),
    route(GET, "/v1/search", List, "Search", Rows, "what a query finds in all conversations, the best first"),
    route(GET, "/v1/status", List, "Status", Rows, "what became of one's messages, oldest first; with a limit the last"),
    route(GET, "/v1/status/follow", Follow, "Status", Rows, "new evidence as it comes, without end"),
    route(GET, "/v1/status/{id}", Call, "Status", Many("Statuses"), "what became of one message"),
    route(GET, "/v1/status/{id}/follow", Follow, "Status", Rows, "new evidence of one message, without end"),
    route(POST, "/v1/status/{id}/renew", Call, "Renew", One("Sent"), "the same message anew"),
    route(GET, "/v1/outlook", Call, "Outlook", One("Outlook"), "whether anybody is met, what waits, and what ended unseen"),
    route(POST, "/v1/status/seen", Call, "StatusSeen", One("Done"), "that the person looked, up to an event"),
    route(POST, "/v1/status/{id}/cancel", Call, "Cancel", Many("Statuses"), "no new copies of it"),
    route(GET, "/v1/stats", Call, "Stats", Many("Stats"), "what was met, moved and held over time, the oldest first"),
    route(GET, "/v1/carry", Call, "Carry", One("Carry"), "what is carried for others, in sums"),
    route(PUT, "/v1/carry/limit", Call, "CarryLimit", One("Carry"), "another limit"),
    route(GET, "/v1/carry/bundles", List, "Carried", Rows, "what is held, in the order of eviction"),
    route(GET, "/v1/carry/bundles/{id}", Call, "CarryExport", Bytes, "a bundle as it is"),
    route(DELETE, "/v1/carry/bundles/{id}", Call, "CarryDrop", One("Done"), "an end to carrying it"),
    route(GET, "/v1/stick", List, "Stick", Rows, "what would go on a stick, what goes first first"),
    route(POST, "/v1/stick/take", Call, "StickTake", Many("Leaving"), "bundles to be written to a stick"),
    route(POST, "/v1/stick/bring", Call, "StickBring", Many("Entered"), "that bundles of a stick be taken in"),
    route(GET, "/v1/topics", Call, "Topics", Many("Topics"), "topics of mine, subscribed to, and around"),
    route(POST, "/v1/topics", Call, "TopicCreate", One("Topic"), "a new topic, or other writers in one"),
    route(POST, "/v1/topics/subscribe", Call, "TopicSubscribe", One("Subscribed"), "what is published in topics of somebody"),
    route(POST, "/v1/topics/unsubscribe", Call, "TopicUnsubscribe", One("Done"), "an end to that"),
    route(POST, "/v1/topics/set", Call, "TopicSet", One("TopicTerms"), "how long and how much of a topic stays here"),
    route(POST, "/v1/topics/delete", Call, "TopicDelete", One("TopicEnded"), "an end to a topic of mine"),
    route(POST, "/v1/topics/publish", Call, "Publish", Many("Published"), "messages to be published"),
    route(GET, "/v1/topics/events", Call, "TopicEvents", Many("TopicEvents"), "what is here of a topic; of it the last"),
    route(GET, "/v1/topics/follow", Follow, "Sub", Rows, "events for one consumer of a group"),
    route(POST, "/v1/topics/settle", Call, "TopicSettle", One("Done"), "that a consumer is done with events, or is not"),
    route(GET, "/v1/topics/failed", Call, "TopicFailed", Many("Failed"), "what a group gave up"),
    route(POST, "/v1/topics/retry", Call, "TopicRetry", One("Done"), "that it is handed out again"),
    route(GET, "/v1/groups", Call, "Groups", Many("Groups"), "groups of mine, and those I am asked to join"),
    route(POST, "/v1/groups", Call, "GroupCreate", One("Group"), "a new group, and its first members invited"),
    route(POST, "/v1/groups/{group}/invite", Call, "GroupInvite", One("Group"), "others asked to join"),
    route(POST, "/v1/groups/{group}/join", Call, "GroupJoin", One("Group"), "to be in it"),
    route(POST, "/v1/groups/{group}/leave", Call, "GroupLeave", One("Done"), "to be in it no more"),
    route(POST, "/v1/groups/{group}/remove", Call, "GroupRemove", Many("Members"), "a member out of it"),
    route(POST, "/v1/groups/{group}/rename", Call, "GroupRename", One("Group"), "another name, for all members"),
    route(POST, "/v1/groups/{group}/owner", Call, "GroupOwner", Many("Members"), "a member as an owner, or no longer"),
    route(GET, "/v1/groups/{group}/members", Call, "GroupMembers", Many("Members"), "who is in it"),
    route(GET, "/v1/apps", Call, "Apps", Many("Apps"), "shared apps, by conversation"),
    route(POST, "/v1/apps", Call, "AppBegin", One("Sent"), "one of the program's own apps begun: checklist, poll or text"),
    route(GET, "/v1/apps/{id}", Call, "App", One("App"), "one app, with what it takes to run it"),
    route(GET, "/v1/apps/{id}/icon", Call, "AppIcon", Bytes, "its icon, a PNG or a JPEG"),
    route(GET, "/v1/apps/{id}/updates", List, "AppUpdates", Rows, "what its users told each other, behind a serial"),
    route(POST, "/v1/apps/{id}/updates", Call, "AppUpdate", One("Sent"), "something to be told to them"),
    route(GET, "/v1/hooks", Call, "Hooks", Many("Hooks"), "programs that work on what comes"),
    route(POST, "/v1/hooks", Call, "HookAdd", One("Hook"), "a new one"),
    route(DELETE, "/v1/hooks/{name}", Call, "HookRemove", One("Done"), "its end"),
    route(POST, "/v1/hooks/{name}/test", Call, "HookTest", One("HookTested"), "it run now, and what it came to"),
    route(GET, "/v1/hook-failures", Call, "HookFailed", Many("HookFailed"), "messages that hooks gave up"),
    route(POST, "/v1/hook-failures/{id}/retry", Call, "HookRetry", One("Done"), "that it is worked on again"),
    route(GET, "/v1/away", Call, "Away", One("Away"), "whether the person is away"),
    route(PUT, "/v1/away", Call, "AwaySet", One("Away"), "that they are, until when, and what is said then"),
    route(DELETE, "/v1/away", Call, "AwayEnd", One("Done"), "that they are back"),
    route(POST, "/v1/web", Call, "Web", One("Web"), "a link that lets one browser in, once"),
    route(POST, "/v1/web/lan", Call, "WebLan", One("WebLan"), "a link that makes a phone in the local network the owner's, once"),
    route(DELETE, "/v1/web/lan", Call, "WebLanEnd", One("Done"), "an end to the page in the local network"),
    route(GET, "/v1/web/devices", Call, "WebDevices", Many("WebDevices"), "browsers that were let in"),
    route(DELETE, "/v1/web/devices/{name}", Call, "WebRevoke", One("Done"), "one of them let in no more"),
    route(GET, "/v1/doctor", Call, "Doctor", Many("Doctor"), "what is wrong here, and what to do"),
    route(POST, "/v1/doctor/reindex", Call, "Reindex", Many("Doctor"), "the index of words, made anew from the record"),
    route(GET, "/v1/config", Call, "Config", Many("Config"), "the settings in force, and where each is from"),
    route(POST, "/v1/backup", Call, "Backup", One("Backup"), "an encrypted copy of this home in a file"),
    route(POST, "/v1/down", Call, "Down", One("Done"), "the node's end"),
];

const fn route(
    method: Method,
    path: &'static str,
    ask: Kind,
    variant: &'static str,
    gives: Gives,
    says: &'static str,
) -> Route {
    Route { method, path, ask, variant, gives, says }
}

/// A request as HTTP, without its transport.
#[derive(Debug)]
pub struct Asked {
    pub route: &'static Route,
    /// With the query.
    pub path: String,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

impl Ask {
    /// Writes the request down.
    pub fn write(&self) -> Asked {
        let (kind, value) = match self {
            Ask::Call(request) => (Call, plain(request)),
            Ask::List(listing) => (List, plain(listing)),
            Ask::Follow(topic) => (Follow, plain(topic)),
        };
        let (variant, mut fields) = taken_apart(value);
        fields.retain(|_, value| !value.is_null());
        let mut routes = ROUTES.iter().filter(|route| route.ask == kind && route.variant == variant);
        // Of several the last that has all it names: `/status/{id}/follow` before `/status/follow`.
        let route = routes
            .rfind(|route| route.parameters().all(|name| fields.contains_key(name)))
            .expect("everything that can be asked has a route");
        let mut path = String::new();
        for segment in route.path.split('/').skip(1) {
            path.push('/');
            match parameter(segment) {
                Some(name) => {
                    path += &escaped(fields.remove(name).as_ref().and_then(Value::as_str).unwrap_or_default())
                }
                None => path += segment,
            }
        }
        if fields.is_empty() {
            return Asked { route, path, body: Vec::new() };
        }
        if route.takes_body() {
            return Asked { route, path, body: Value::Object(fields).to_string().into_bytes() };
        }
        for (n, (name, value)) in fields.iter().enumerate() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            path += &format!("{}{name}={}", if n == 0 { '?' } else { '&' }, escaped(&value));
        }
        Asked { route, path, body: Vec::new() }
    }
}

impl Route {
    /// Whether its fields come as a body; else they come as a query.
    pub fn takes_body(&self) -> bool {
        self.method == POST || self.method == PUT
    }

    /// Whether what it follows is numbered, so that it can be followed on.
    pub(super) fn has_numbers(&self) -> bool {
        self.ask == Follow && self.variant == "Happened"
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(parameter)
    }

    /// Makes a request of the fields that path and body or query have.
    pub fn read(&self, fields: Map<String, Value>) -> serde_json::Result<Ask> {
        match self.ask {
            Call => put_together(self.variant, fields).map(Ask::Call),
            List => put_together(self.variant, fields).map(Ask::List),
            Follow => put_together(self.variant, fields).map(Ask::Follow),
            Kind::Document | Kind::Upload | Kind::Content => unreachable!("it is no request with fields"),
        }
    }

    /// Reads the body of a good answer to a call.
    pub fn response(&self, body: &[u8]) -> serde_json::Result<Response> {
        let (variant, value) = match self.gives {
            Text => return Ok(Response::Metrics(Metrics::of_text(String::from_utf8_lossy(body).into_owned()))),
            Bytes | Rows | Gives::Document => return Ok(Response::Bytes(body.to_vec())),
            One(variant) => (variant, serde_json::from_slice(body)?),
            Many(variant) => {
                let rows: Result<_, _> = serde_json::Deserializer::from_slice(body).into_iter().collect();
                (variant, Value::Array(rows?))
            }
        };
        serde_json::from_value(Value::Object(Map::from_iter([(variant.to_owned(), value)])))
    }

    /// Reads one line of a listing or a stream.
    pub fn row(&self, line: &[u8]) -> serde_json::Result<Row> {
        let value: Value = serde_json::from_slice(line)?;
        // The last line may say why it is the last; a row has no such field.
        if value.get("error").is_some() {
            return serde_json::from_value::<ErrorReport>(value).map(|report| Row::Ended(report.error));
        }
        serde_json::from_value(Value::Object(Map::from_iter([(self.variant.to_owned(), value)])))
    }
}

/// The table as `routes.md` has it, and that of what can be done next.
pub fn table() -> String {
    let mut table = "\n| method and path | asks for | answer |\n|---|---|---|\n".to_owned();
    for route in ROUTES {
        let answer = match route.gives {
            One("Done") => "done",
            One(_) => "one object",
            Many(_) | Rows => "objects",
            Bytes => "bytes",
            Text => "text",
            Gives::Document => "one object",
        };
        table += &format!("| `{} {}` | {} | {answer} |\n", route.method, route.path, route.says);
    }
    table + &next::table()
}

fn plain(ask: &impl Serialize) -> Value {
    serde_json::to_value(ask).expect("what is asked is plain data")
}

/// The variant and the fields of an enum as serde writes it.
fn taken_apart(value: Value) -> (String, Map<String, Value>) {
    match value {
        Value::String(variant) => (variant, Map::new()),
        Value::Object(outer) => match outer.into_iter().next() {
            Some((variant, Value::Object(fields))) => (variant, fields),
            _ => unreachable!("a variant has named fields or none"),
        },
        _ => unreachable!("an enum is a word or an object"),
    }
}

fn put_together<T: DeserializeOwned>(variant: &str, fields: Map<String, Value>) -> serde_json::Result<T> {
    if fields.is_empty()
        && let Ok(bare) = T::deserialize(Value::String(variant.to_owned()))
    {
        return Ok(bare);
    }
    serde_json::from_value(Value::Object(Map::from_iter([(variant.to_owned(), Value::Object(fields))])))
}

/// The name in a segment like `{who}`.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A path segment: everything but unreserved characters of RFC 3986 as `%XX`.
pub(super) fn escaped(segment: &str) -> String {
    segment.bytes().fold(String::with_capacity(segment.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::Show;

    #[test]
    fn a_name_with_anything_in_it_stays_one_path_segment() {
        let who = "Zoë / 100%?#.. b";
        let path = Ask::Call(Request::ContactShow { who: who.into() }).write().path;
        assert_eq!(path, "/v1/contacts/Zo%C3%AB%20%2F%20100%25%3F%23%2E%2E%20b");
    }

    #[test]
    fn a_field_stands_in_the_path_the_query_or_the_body() {
        let asked = Ask::Call(Request::ContactRename { who: "bob".into(), name: "rob".into() }).write();
        assert_eq!((&asked.path[..], &asked.body[..]), ("/v1/contacts/bob/rename", &br#"{"name":"rob"}"#[..]));
        let asked =
            Ask::List(Listing::Inbox { unread: true, limit: None, text_chars: Some(8), show: Show::All }).write();
        assert_eq!((&asked.path[..], asked.body.len()), ("/v1/inbox?show=all&text_chars=8&unread=true", 0));
        let paths = [None, Some("3f2a".into())].map(|id| Ask::Follow(Topic::Status { id }).write().path);
        assert_eq!(paths, ["/v1/status/follow", "/v1/status/3f2a/follow"]);
    }

    #[test]
    fn the_table_that_people_read_is_the_one_that_client_and_server_use() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/routes.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(written == table(), "write this to src/api/routes.md:\n{}", table());
    }
}
