//! Browsers: let in by a link, once, with a session of two halves; and every page that is not the node's own.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::person::Person;
use crate::programs::Events;
use crate::{PATIENCE, SOMEBODY};

/// A browser as it speaks, without what a browser keeps to itself.
struct Browser {
    /// The page's host with its port.
    host: String,
    cookie: String,
    page: String,
}

/// What the page's own requests say beside it.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
const FIREFOX: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0");

/// Host and secret of a new link.
fn link(person: &Person) -> (String, String) {
    let url = person.json("web --print")["url"].as_str().unwrap().to_owned();
    let (origin, secret) = url.split_once("/#open=").unwrap();
    (origin.strip_prefix("http://").unwrap().to_owned(), secret.to_owned())
}

/// Sends a request to the page's port with these headers and no others.
fn say(port: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
    let mut client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(client, "{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).unwrap();
    client
}

/// Status and the whole answer.
fn ask(port: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut answer = Vec::new();
    say(port, method, path, headers, body).read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
}

fn port(host: &str) -> &str {
    host.split_once(':').unwrap().1
}

fn body_of(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// A header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.split_once(": ").filter(|(known, _)| *known == name).map(|(_, value)| value))
}

/// Asks for a session with a link's secret.
fn opened(host: &str, secret: &str, more: &[(&str, &str)]) -> (u16, String) {
    let origin = format!("http://{host}");
    let headers = [&[("host", host), ("origin", &origin), FIREFOX, OWN][..], more].concat();
    ask(port(host), "POST", "/web/session", &headers, &json!({"open": secret}).to_string())
}

impl Browser {
    fn of(person: &Person) -> Browser {
        let (host, secret) = link(person);
        let (status, answer) = opened(&host, &secret, &[]);
        assert_eq!(status, 200, "{answer}");
        Browser::with(host, &answer)
    }

    fn with(host: String, answer: &str) -> Browser {
        let set = header(answer, "set-cookie").unwrap();
        assert!(set.contains("; HttpOnly; SameSite=Strict; Path=/"), "{set}");
        let cookie = set.split(';').next().unwrap().to_owned();
        Browser { host, cookie, page: body_of(answer)["page"].as_str().unwrap().to_owned() }
    }

    /// What the page asks.
    fn ask(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        self.ask_with(method, path, &[], body)
    }

    fn ask_with(&self, method: &str, path: &str, more: &[(&str, &str)], body: Value) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(port(&self.host), method, path, &self.headers(more), &body)
    }

    fn headers<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [&[("host", &self.host[..]), ("cookie", &self.cookie), ("dak-page", &self.page), OWN][..], more].concat()
    }
}

fn alice() -> Person {
    let mut alice = Person::new("alice");
    alice.up("");
    alice
}

#[test]
fn a_link_lets_one_browser_in_once_and_its_page_does_what_the_command_line_does() {
    let alice = alice();
    let ran = alice.run("web --print");
    let url = ran.data.trim_end().rsplit(' ').next().unwrap();
    assert!(ran.code == 0 && url.starts_with("http://dak-") && url.contains(".localhost:"), "{}", ran.data);
    let (host, secret) = link(&alice);
    let (status, answer) = opened(&host, &secret, &[]);
    assert_eq!(status, 200, "{answer}");
    let page = Browser::with(host.clone(), &answer);
    // It was used.
    let (status, answer) = opened(&host, &secret, &[]);
    assert!(status == 403 && answer.contains("used already") && header(&answer, "set-cookie").is_none(), "{answer}");
    for wrong in ["", "nonsense"] {
        assert_eq!(opened(&host, wrong, &[]).0, 403);
    }
    let (status, sent) = page.ask("POST", "/v1/send", json!({"to": SOMEBODY, "text": "from the page"}));
    assert_eq!(status, 200, "{sent}");
    assert_eq!(alice.rows("status").len(), 1);
    let headers = page.headers(&[("accept", "text/event-stream")]);
    let event = Events::of(say(port(&host), "GET", "/v1/events?since=0", &headers, "")).next();
    assert_eq!(event.data["text"], "from the page");
    let device = alice.json("web devices");
    assert_eq!((&device["name"], &device["since"]), (&json!("Firefox on Linux"), &device["last_seen"]));
    // The page itself sees no more of it, and ends its session.
    assert_eq!(body_of(&page.ask("GET", "/v1/web/devices", Value::Null).1), device);
    let (status, answer) = page.ask("DELETE", "/web/session", Value::Null);
    assert!(status == 200 && header(&answer, "set-cookie").unwrap().contains("Max-Age=0"), "{answer}");
    assert_eq!(page.ask("GET", "/v1/me", Value::Null).0, 401);
    assert_eq!(alice.rows("web devices").len(), 0);
}

#[test]
fn the_page_is_anybodys_and_tells_browsers_to_keep_to_it() {
    let alice = alice();
    let (host, _) = link(&alice);
    let get =
        |path: &str, more: &[(&str, &str)]| ask(port(&host), "GET", path, &[&[("host", &host[..])], more].concat(), "");
    let (status, answer) = get("/", &[("sec-fetch-site", "none")]);
    assert_eq!(status, 200, "{answer}");
    assert!(header(&answer, "content-type").unwrap().starts_with("text/html"), "{answer}");
    let policy = header(&answer, "content-security-policy").unwrap();
    for part in [
        "default-src 'none';",
        "script-src 'self';",
        "frame-ancestors 'none';",
        "require-trusted-types-for 'script'",
        &format!("frame-src http://*.localhost:{};", port(&host)),
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        // Also where something is refused.
        for path in ["/", "/v1/me", "/nowhere"] {
            assert_eq!(header(&get(path, &[]).1, name), Some(value), "{path}");
        }
    }
    assert!(header(&answer, "permissions-policy").unwrap().starts_with("camera=(self), microphone=(self)"));
    let tag = header(&answer, "etag").unwrap().to_owned();
    assert_eq!(get("/", &[("if-none-match", &tag)]).0, 304);
    assert_eq!(header(&get("/", &[("accept-encoding", "br, gzip")]).1, "content-encoding"), Some("gzip"));
    assert_eq!(get("/index.html", &[]).0, 200);
    for path in ["/v1/me", "/nowhere", "/web/session", "/metrics", "/../web.toml"] {
        assert_eq!(get(path, &[]).0, 401, "{path}");
    }
}

#[test]
fn names_bound_to_loopback_and_pages_from_elsewhere_are_turned_away_whatever_they_show() {
    let alice = alice();
    let page = Browser::of(&alice);
    let port = port(&page.host).to_owned();
    let name = page.host.split('.').next().unwrap();
    let send = json!({"to": SOMEBODY, "text": "bad"});
    let with = |headers: &[(&str, &str)], method: &str, path: &str| {
        let both = [("cookie", &page.cookie[..]), ("dak-page", &page.page)];
        ask(&port, method, path, &[headers, &both].concat(), &send.to_string())
    };
    let wrong_hosts = [
        format!("evil.example:{port}"),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("dak-aaaaaaaa.localhost:{port}"),
        format!("{name}.localhost"),
        format!("{name}.localhost:{port}.evil.example"),
        String::new(),
    ];
    for host in &wrong_hosts {
        for path in ["/", "/v1/send", "/web/session"] {
            assert_eq!(with(&[("host", host)], "POST", path).0, 421, "{host} {path}");
        }
    }
    assert_eq!(with(&[("host", &page.host), ("host", &page.host)], "POST", "/v1/send").0, 421);
    for origin in
        ["http://evil.example", "null", &format!("http://localhost:{port}"), &format!("https://{}", page.host)]
    {
        for (method, path) in [("POST", "/v1/send"), ("OPTIONS", "/v1/send"), ("GET", "/v1/me"), ("GET", "/")] {
            let (status, answer) = with(&[("host", &page.host), ("origin", origin)], method, path);
            assert_eq!(status, 403, "{origin} {path}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
        }
    }
    for site in ["cross-site", "same-site", "none", "nonsense"] {
        let (status, answer) = with(&[("host", &page.host), ("sec-fetch-site", site)], "POST", "/v1/send");
        assert_eq!(status, 403, "{site}: {answer}");
    }
    // Whoever has a link and is no page of ours gets nothing for it, and the link is not used up.
    let (host, secret) = link(&alice);
    let open = json!({"open": secret}).to_string();
    for headers in [
        &[("host", &host[..])][..],
        &[("host", &host), ("origin", "http://evil.example")],
        &[("host", &host), ("origin", &format!("http://{host}")), ("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(ask(&port, "POST", "/web/session", headers, &open).0, 403, "{headers:?}");
    }
    // A page may be linked to, and is part of no other.
    let visit = [("host", &host[..]), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(ask(&port, "GET", "/", &visit, "").0, 200);
    assert_eq!(ask(&port, "GET", "/", &visit[..2], "").0, 403);
    assert_eq!(opened(&host, &secret, &[]).0, 200);
    assert_eq!(alice.rows("status").len(), 0);
}

#[test]
fn half_a_session_is_none_and_one_that_is_revoked_ends_with_what_it_followed() {
    let alice = alice();
    let (page, other) = (Browser::of(&alice), Browser::of(&alice));
    let port = port(&page.host);
    let host = ("host", &page.host[..]);
    let (cookie, half) = (("cookie", &page.cookie[..]), ("dak-page", &page.page[..]));
    for headers in [
        &[host, OWN][..],
        &[host, OWN, cookie],
        &[host, OWN, half],
        &[host, OWN, cookie, ("dak-page", &other.page)],
        &[host, OWN, ("cookie", &other.cookie), half],
        &[host, OWN, ("cookie", "dak=00"), half],
        &[host, OWN, cookie, ("authorization", &format!("Bearer {}", page.page))],
    ] {
        let (status, answer) = ask(port, "GET", "/v1/me", headers, "");
        assert!(status == 401 && answer.contains("\"kind\":\"refused\""), "{headers:?}: {answer}");
    }
    // Cookies that others set for the same name change nothing.
    let crowd = format!("dak=00; {}; dak=11", page.cookie);
    assert_eq!(ask(port, "GET", "/v1/me", &[host, OWN, ("cookie", &crowd), half], "").0, 200);
    let headers = page.headers(&[("accept", "text/event-stream")]);
    let mut events = Events::of(say(port, "GET", "/v1/events?since=0", &headers, ""));
    let names: Vec<Value> = alice.rows("web devices").into_iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["Firefox on Linux", "Firefox on Linux 2"]);
    assert_eq!(alice.run_args(&["web", "devices", "--revoke", "Firefox on Linux"]).code, 0);
    assert_eq!(page.ask("GET", "/v1/me", Value::Null).0, 401);
    let last = events.next();
    assert!(
        last.what == "error" && last.data["error"]["message"].as_str().unwrap().contains("revoked"),
        "{}",
        last.data
    );
    assert_eq!(other.ask("GET", "/v1/me", Value::Null).0, 200);
    assert_eq!(alice.run_args(&["web", "devices", "--revoke", "Firefox on Linux"]).code, 4);
    // With the old cookie another link begins another session.
    let (host, secret) = link(&alice);
    let (status, answer) = opened(&host, &secret, &[("cookie", &page.cookie)]);
    let anew = Browser::with(host, &answer);
    assert!(status == 200 && anew.cookie != page.cookie && anew.page != page.page);
}

#[test]
fn a_session_goes_on_in_another_tab_and_after_the_node_and_so_does_the_origin() {
    let mut alice = alice();
    let page = Browser::of(&alice);
    let (host, secret) = link(&alice);
    let (_, answer) = opened(&host, &secret, &[("cookie", &page.cookie)]);
    let tab = Browser::with(host, &answer);
    assert_eq!((&tab.cookie, &tab.page, &tab.host), (&page.cookie, &page.page, &page.host));
    assert_eq!(alice.rows("web devices").len(), 1);
    let (_, unused) = link(&alice);
    alice.down();
    // Revoking needs no node, and neither does looking.
    assert_eq!(alice.rows("web devices").len(), 1);
    assert_eq!(alice.run("web --print").code, 3);
    let text = std::fs::read_to_string(alice.home().join("web.toml")).unwrap();
    let secrets = [&page.page, page.cookie.strip_prefix("dak=").unwrap(), &unused];
    assert!(secrets.into_iter().all(|secret| !text.contains(secret)), "{text}");
    alice.up("");
    assert_eq!(page.ask("GET", "/v1/me", Value::Null).0, 200);
    assert_eq!(opened(&page.host, &unused, &[]).0, 403, "links end with the node");
    assert_eq!(link(&alice).0, page.host);
    // A port that the owner wants is the one, and one that somebody has is told of.
    alice.down();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(alice.run(&format!("config set web.port {}", taken.local_addr().unwrap().port())).code, 0);
    alice.up("");
    let ran = alice.run("web --print");
    assert!(ran.code == 1 && ran.talk.contains("web.port"), "{}", ran.talk);
    drop(taken);
    assert_eq!(alice.run("web --print").code, 0);
}

#[test]
fn what_belongs_to_the_machine_is_not_for_a_browser_and_neither_is_another_way_in() {
    let alice = alice();
    let page = Browser::of(&alice);
    let path = alice.file("secret", b"mine");
    for (path, body) in [
        ("/v1/send", json!({"to": SOMEBODY, "paths": [path]})),
        ("/v1/drafts", json!({"compose": {"to": SOMEBODY, "paths": [path]}})),
        ("/v1/backup", json!({"path": "/tmp/b", "passphrase": "p"})),
        ("/v1/hooks", json!({"name": "h", "cmd": ["true"]})),
        ("/v1/files/3f2a%2F1/save", json!({"directory": "/tmp"})),
        ("/v1/web", json!({})),
    ] {
        let (status, answer) = page.ask("POST", path, body);
        assert_eq!(status, 403, "{path}: {answer}");
    }
    assert_eq!(alice.rows("status").len(), 0);
    // Nor is it for a program with a token.
    assert_eq!(alice.run("token add desk").code, 0);
    let (status, _) = page.ask("DELETE", "/v1/web/devices/Firefox%20on%20Linux", Value::Null);
    assert_eq!(status, 200);
    assert_eq!(page.ask("GET", "/v1/me", Value::Null).0, 401);
}

#[test]
fn files_are_shown_where_they_are_pictures_or_sounds_and_never_as_documents() {
    let alice = alice();
    let page = Browser::of(&alice);
    let script = "<script>alert(1)</script>";
    let content = |name: &str, bytes: &str, headers: &[(&str, &str)]| {
        let upload = format!("/v1/files?name={name}");
        let (status, answer) = ask(port(&page.host), "POST", &upload, &page.headers(&[]), bytes);
        assert_eq!(status, 200, "{answer}");
        let uploads = json!([{"id": body_of(&answer)["id"], "name": body_of(&answer)["name"]}]);
        let (status, sent) = page.ask("POST", "/v1/send", json!({"to": SOMEBODY, "text": "", "uploads": uploads}));
        assert_eq!(status, 200, "{sent}");
        let path = format!("/v1/files/{}%2F1/content", &body_of(&sent)["id"].as_str().unwrap()[..10]);
        ask(port(&page.host), "GET", &path, &[&[("host", &page.host[..])], headers].concat(), "")
    };
    let cookie = ("cookie", &page.cookie[..]);
    let large = script.repeat(4_000);
    for name in ["evil.html", "evil.svg", "evil.xhtml", "evil.png.htm", "evil", "photo.png"] {
        for bytes in [script, &large] {
            let (status, answer) = content(name, bytes, &[cookie, OWN]);
            assert_eq!(status, 200, "{answer}");
            let is_shown = name == "photo.png";
            let (kind, how) = match is_shown {
                true => ("image/png", "inline;"),
                false => ("application/octet-stream", "attachment;"),
            };
            assert_eq!(header(&answer, "content-type"), Some(kind), "{name}");
            assert!(header(&answer, "content-disposition").unwrap().starts_with(how), "{name}");
            assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
            assert_eq!(header(&answer, "content-security-policy"), Some("sandbox; default-src 'none'"));
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        }
    }
    // What shows a picture sends the cookie alone, and only as a part of our page.
    for headers in
        [&[OWN][..], &[cookie], &[cookie, ("sec-fetch-site", "cross-site")], &[cookie, ("sec-fetch-site", "none")]]
    {
        let (status, answer) = content("photo.png", script, headers);
        assert!(matches!(status, 401 | 403), "{headers:?}: {answer}");
    }
    let (status, answer) = content("photo.png", script, &[cookie, OWN, ("range", "bytes=0-6")]);
    assert!(status == 206 && answer.ends_with("\r\n\r\n<script"), "{answer}");
}
