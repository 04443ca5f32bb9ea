//! Browsers: let in by a link, once, with a session of two halves; and every page that is not the node's own. Phones: the same
//! over TLS, with a certificate of the home's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

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

#[test]
fn whoever_knocks_at_the_wrong_door_does_not_fill_the_log() {
    let mut alice = Person::new("alice");
    alice.up("");
    let browser = Browser::of(&alice);
    let door = port(&browser.host).to_owned();
    for n in 0..200 {
        let elsewhere = format!("neighbour{n}.example");
        assert_eq!(ask(&door, "GET", "/v1/me", &[("host", &elsewhere)], "").0, 421);
        let origin = format!("http://{elsewhere}");
        let headers = browser.headers(&[("origin", &origin)]);
        assert_eq!(ask(&door, "GET", "/v1/me", &headers, "").0, 403);
    }
    let log = alice.talk();
    let said = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    for what in ["meant for another host", "a page from elsewhere"] {
        assert!((1..20).contains(&said(what)), "{what}: {} lines", said(what));
    }
    assert_eq!(browser.ask("GET", "/v1/me", Value::Null).0, 200);
}

/// A phone that believes one certificate and nothing else.
struct Phone {
    config: Arc<ClientConfig>,
    /// The page's name in the local network, and its port.
    name: String,
    port: String,
}

impl Phone {
    fn of(page: &str, certificate: Vec<u8>) -> Phone {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
        let config = Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth());
        let (name, port) = page.strip_prefix("https://").unwrap().split_once(':').unwrap();
        Phone { config, name: name.to_owned(), port: port.to_owned() }
    }

    fn host(&self) -> String {
        format!("{}:{}", self.name, self.port)
    }

    /// Asks over TLS whoever is there for a name, and says which host is meant.
    fn try_ask(
        &self,
        name: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        let stream = TcpStream::connect(format!("127.0.0.1:{}", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let client = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        let mut client = StreamOwned::new(client, stream);
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        write!(
            client,
            "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )?;
        client.flush()?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Ok((answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer))
    }

    fn ask(&self, method: &str, path: &str, more: &[(&str, &str)], body: &Value) -> (u16, String) {
        let (host, origin) = (self.host(), format!("https://{}", self.host()));
        let headers = [&[("host", &host[..]), ("origin", &origin), OWN][..], more].concat();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.try_ask(&self.name, method, path, &headers, &body).unwrap()
    }
}

/// The body of an answer as bytes.
fn fetched(port: &str, host: &str, path: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    say(port, "GET", path, &[("host", host), ("connection", "close")], "").read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

#[test]
fn a_phone_that_scans_the_picture_and_says_the_code_is_mine_over_tls_until_it_is_revoked() {
    let mut alice = alice();
    let shown = alice.json("web --lan");
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    let (page, code) = (text("page"), text("code"));
    let host = page.strip_prefix("https://").unwrap();
    let (start, secret) = shown["url"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(start, format!("http://{host}/start"));
    // Over a plain connection there is the certificate and how to install it, and nothing else.
    let port = host.split_once(':').unwrap().1;
    let here = format!("127.0.0.1:{port}");
    for name in [host, &here] {
        let start = String::from_utf8(fetched(port, name, "/start")).unwrap();
        assert!(start.contains(&text("fingerprint")) && start.contains(&format!("{page}/pair")), "{start}");
    }
    let close = ("connection", "close");
    for (method, path) in
        [("GET", "/"), ("GET", "/pair"), ("GET", "/v1/me"), ("POST", "/web/pair"), ("POST", "/web/session")]
    {
        let (status, answer) = ask(port, method, path, &[("host", host), close], "{}");
        assert_eq!(status, 421, "{path}: {answer}");
    }
    // Nor has an app, whose host is below the page's.
    let app = format!("app-aaaaaaaaaaaaaaaa.{host}");
    assert_eq!(ask(port, "GET", "/index.html", &[("host", &app), close], "").0, 421);
    let (_, profile) = ask(port, "GET", "/dak.mobileconfig", &[("host", host), close], "");
    assert_eq!(header(&profile, "content-type"), Some("application/x-apple-aspen-config"));
    let (_, certificate) = ask(port, "GET", "/ca.crt", &[("host", host), close], "");
    assert_eq!(header(&certificate, "content-type"), Some("application/x-x509-ca-cert"));
    let phone = Phone::of(&page, fetched(port, host, "/ca.crt"));
    // The name is proved, and no other.
    let error = phone.try_ask("dak-aaaaaaaa.local", "GET", "/pair", &[("host", host)], "").unwrap_err();
    assert!(
        error.to_string().contains("NotValidForName") || error.to_string().contains("not valid for name"),
        "{error}"
    );
    let (status, pair) = phone.ask("GET", "/pair", &[], &Value::Null);
    assert!(status == 200 && pair.contains("it reads and writes as the owner"), "{pair}");
    // A picture alone is not enough, and neither is what a page from elsewhere knows.
    let open = |secret: &str| phone.ask("POST", "/web/session", &[], &json!({"open": secret}));
    assert_eq!(open(secret).0, 403);
    let pair = |code: &str| phone.ask("POST", "/web/pair", &[], &json!({"pair": secret, "code": code}));
    assert_eq!(pair("wrong").0, 403);
    let foreign = [("host", host), ("origin", "https://evil.example")];
    let body = json!({"pair": secret, "code": code}).to_string();
    assert_eq!(phone.try_ask(&phone.name, "POST", "/web/pair", &foreign, &body).unwrap().0, 403);
    let (status, answer) = pair(&code);
    assert_eq!(status, 200, "{answer}");
    let met = body_of(&answer)["open"].as_str().unwrap().to_owned();
    assert_eq!(pair(&code).0, 403, "it was used");
    let (status, answer) = open(&met);
    assert_eq!(status, 200, "{answer}");
    assert!(header(&answer, "set-cookie").unwrap().ends_with("; Secure"), "{answer}");
    let (cookie, half) =
        (header(&answer, "set-cookie").unwrap().split(';').next().unwrap(), body_of(&answer)["page"].clone());
    let both = [("cookie", cookie), ("dak-page", half.as_str().unwrap())];
    assert_eq!(phone.ask("GET", "/v1/me", &both, &Value::Null).0, 200);
    assert_eq!(phone.ask("GET", "/v1/me", &both[..1], &Value::Null).0, 401);
    for name in [&here[..], "192.168.1.5", &format!("evil.example:{port}")] {
        let headers = [&[("host", name)][..], &both].concat();
        assert_eq!(phone.try_ask(&phone.name, "GET", "/v1/me", &headers, "").unwrap().0, 421, "{name}");
    }
    assert_eq!(phone.ask("POST", "/v1/web/lan", &both, &json!({})).0, 403, "who was let in lets in nobody else");
    // There nothing of the page is had, whatever is shown.
    let below = format!("app-aaaaaaaaaaaaaaaa.{}", phone.name);
    for path in ["/v1/me", "/", "/start", "/web/session"] {
        let shown = [&[("host", &app[..])][..], &both].concat();
        let (status, answer) = phone.try_ask(&below, "GET", path, &shown, "").unwrap();
        assert_eq!(status, 404, "{path}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("sandbox allow-scripts"), "{path}: {answer}");
    }
    // An app's host, whose name everybody in the network hears, is for who shows the cookie of its own; no more and no less.
    assert_eq!(alice.json("app send me checklist")["state"], "queued");
    alice.until("app", |rows| rows.iter().any(|row| row["here"] == true));
    let id = alice.rows("app")[0]["id"].as_str().unwrap().to_owned();
    let (status, start) = phone.ask("GET", &format!("/v1/apps/{id}"), &both, &Value::Null);
    assert_eq!(status, 200, "{start}");
    let answered = body_of(&start);
    let label = answered["host"].as_str().unwrap().split('.').next().unwrap();
    let below = format!("{label}.{}", phone.name);
    let app = format!("{below}:{port}");
    let cookies: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect();
    let apps = cookies.iter().find(|cookie| cookie.starts_with("dak-apps=")).unwrap();
    assert!(apps.ends_with("; Secure") && apps.contains(&format!("; Domain={};", phone.name)), "{apps}");
    let apps = apps.split(';').next().unwrap();
    let file = |more: &[(&str, &str)]| {
        phone.try_ask(&below, "GET", "/index.html", &[&[("host", &app[..])][..], more].concat(), "").unwrap().0
    };
    let renamed = cookie.replacen("dak=", "dak-apps=", 1);
    assert_eq!((file(&[]), file(&both), file(&[("cookie", &renamed)])), (404, 404, 404));
    assert_eq!(file(&[("cookie", apps)]), 200);
    assert_eq!(phone.ask("GET", "/v1/me", &[("cookie", apps), both[1]], &Value::Null).0, 401);
    // What a phone has is of no use at the door for this machine, nor the other way round.
    let browser = Browser::of(&alice);
    let (status, _) =
        ask(self::port(&browser.host), "GET", "/v1/me", &[&[("host", &browser.host[..]), OWN][..], &both].concat(), "");
    assert_eq!(status, 401);
    let theirs = [("cookie", &browser.cookie[..]), ("dak-page", &browser.page)];
    assert_eq!(phone.ask("GET", "/v1/me", &theirs, &Value::Null).0, 401);
    assert_eq!(open(&link(&alice).1).0, 403);
    // The page stays where it is, with the certificate that the phone believes.
    alice.down();
    alice.up("");
    assert_eq!(phone.ask("GET", "/v1/me", &both, &Value::Null).0, 200);
    let rows = alice.rows("web devices");
    let phones: Vec<&Value> = rows.iter().filter(|row| row["lan"] == true).collect();
    assert_eq!((rows.len(), phones.len()), (2, 1), "{rows:?}");
    assert_eq!(file(&[("cookie", apps)]), 200);
    assert_eq!(alice.run_args(&["web", "devices", "--revoke", phones[0]["name"].as_str().unwrap()]).code, 0);
    assert_eq!(phone.ask("GET", "/v1/me", &both, &Value::Null).0, 401);
    assert_eq!(file(&[("cookie", apps)]), 404);
    let off = alice.run("web --lan --off");
    assert_eq!(off.code, 0, "{}", off.talk);
    assert!(phone.try_ask(&phone.name, "GET", "/pair", &[("host", host)], "").is_err());
    alice.down();
    alice.up("");
    assert!(phone.try_ask(&phone.name, "GET", "/pair", &[("host", host)], "").is_err(), "it stays closed");
    assert_eq!(alice.json("web --lan")["page"], page);
}

#[test]
fn a_device_is_spoken_to_in_its_own_language_before_it_is_let_in() {
    let alice = alice();
    let shown = alice.json("web --lan");
    let page = shown["page"].as_str().unwrap();
    let (host, secret) =
        (page.strip_prefix("https://").unwrap(), shown["url"].as_str().unwrap().split_once('#').unwrap().1);
    let phone = Phone::of(page, fetched(port(host), host, "/ca.crt"));
    for (wanted, lang, step, wrong) in [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Den Knoten bekannt machen", "das ist nicht der Code"),
        ("fr-FR,fr", "en", "Let it know the node", "that is not the code"),
    ] {
        let headers = [("host", host), ("connection", "close"), ("accept-language", wanted)];
        let (status, start) = ask(port(host), "GET", "/start", &headers, "");
        assert_eq!((status, header(&start, "content-language")), (200, Some(lang)), "{start}");
        assert!(start.contains(&format!("<html lang=\"{lang}\">")) && start.contains(step), "{start}");
        assert!(start.contains(shown["fingerprint"].as_str().unwrap()) && !start.contains("{phone"), "{start}");
        let (_, profile) = ask(port(host), "GET", "/dak.mobileconfig", &headers, "");
        assert_eq!(profile.contains("in deinem Netz"), lang == "de", "{profile}");
        let more = [("accept-language", wanted)];
        let (status, pair) = phone.ask("GET", "/pair", &more, &Value::Null);
        assert!(status == 200 && pair.contains(&format!("<html lang=\"{lang}\">")), "{pair}");
        let (status, answer) = phone.ask("POST", "/web/pair", &more, &json!({"pair": secret, "code": "none"}));
        assert_eq!((status, &body_of(&answer)["error"]["message"]), (403, &json!(wrong)));
    }
}

#[test]
fn wrong_codes_use_a_link_up_and_noise_at_the_port_for_phones_keeps_nobody_out() {
    let alice = alice();
    let shown = alice.json("web --lan");
    let page = shown["page"].as_str().unwrap();
    let host = page.strip_prefix("https://").unwrap();
    let port = host.split_once(':').unwrap().1;
    let secret = shown["url"].as_str().unwrap().split_once('#').unwrap().1;
    let noise: Vec<TcpStream> = (0..8)
        .map(|n| {
            let mut client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
            // Half a handshake, half a request, and nothing.
            client.write_all([&[0x16, 3, 1, 0xff, 0xff][..], b"GET /st", &[0; 300], b""][n % 4]).unwrap();
            client
        })
        .collect();
    let phone = Phone::of(page, fetched(port, host, "/ca.crt"));
    let pair = |code: &str| phone.ask("POST", "/web/pair", &[], &json!({"pair": secret, "code": code}));
    for _ in 0..3 {
        assert_eq!(pair("000").0, 403);
    }
    let (status, answer) = pair(shown["code"].as_str().unwrap());
    assert!(status == 403 && answer.contains("used already"), "{answer}");
    drop(noise);
    let ran = alice.on_a_terminal("web --lan");
    assert!(ran.contains("certificate") && ran.contains("/start#"), "{ran}");
    // Of 24 lines the last is the prompt's; picture and code are above it.
    let picture = ran.lines().filter(|line| line.contains(['█', '▀', '▄'])).count();
    assert!((16..=22).contains(&picture) && ran.lines().last().unwrap().starts_with("code "), "{ran}");
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
        &format!("frame-src http://*.{host};"),
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
