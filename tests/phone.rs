//! The page on a phone: a machine of the same network, which comes to the node by its name, over TLS.
//!
//! Needs root, iproute2, a Chromium and certutil, which `.ci/run` sees to; what cannot be tested is said aloud.
#![cfg(feature = "node")]
// The stories run on real machines' clocks.
#![allow(clippy::disallowed_methods)]

#[path = "support/lan.rs"]
#[allow(dead_code)]
mod lan;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "page/story.rs"]
mod story;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use lan::Lan;
use person::Person;
use serde_json::json;

/// Tells this very program, started anew, to be a phone: the page's name and port, what it pairs with, and a directory.
const BE_A_PHONE: &str = "DAK_TEST_BE_A_PHONE";
/// An address that nobody has.
const SOMEBODY: &str = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser at a time: two would take each other's time and memory.
static BROWSING: Mutex<()> = Mutex::new(());

/// Tells a story about these people, whose nodes are on one machine and know each other, and a phone on another.
fn story(name: &str, number: u8, names: &[&'static str]) {
    let Some(browser) = story::browser() else { return };
    if Command::new("certutil").arg("-H").output().is_err() {
        return eprintln!("NOT TESTED: a phone that trusts its node, for which certutil has to be there");
    }
    let Some(lan) = Lan::new(number) else { return };
    lan.without_ipv6();
    lan.number(&format!("10.77.{number}.1/24"), &format!("10.77.{number}.2/24"));
    let _browsing = BROWSING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut people: Vec<Person> = names.iter().map(|name| Person::new(name)).collect();
    people.iter_mut().for_each(|person| person.settle_in(&lan.names[0]));
    story::meet(&mut people);
    let mut node = Command::new("ip");
    node.args(["netns", "exec", &lan.names[1], "node"]);
    let more = json!({"network": lan.names[0], "address": format!("10.77.{number}.1"), "otherClock": other_clock()});
    story::tell(name, &browser, &people, node, more);
}

/// What gives a program another clock than the machine's, where it is there.
fn other_clock() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    let mut found = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|library| library.exists())
}

#[test]
fn a_phone_that_trusts_its_node_keeps_the_page_and_sends_once_what_was_written_out_of_reach() {
    story("phone", 13, &["alice", "bob"]);
}

#[test]
fn a_phone_that_does_not_trust_its_node_works_online_only_and_is_told_so() {
    story("phone_untrusted", 14, &["alice", "bob"]);
}

#[test]
fn a_phone_whose_clock_is_years_off_is_told_so_before_its_browser_balks() {
    story("phone_clock", 15, &["alice"]);
}

#[test]
fn a_phone_finds_the_page_by_its_name_whatever_the_address_is() {
    let Some(lan) = Lan::new(12) else { return };
    lan.without_ipv6();
    lan.number("10.77.12.1/24", "10.77.12.2/24");
    let mut alice = Person::new("alice");
    alice.up_as_it_comes_in(&lan.names[0]);
    assert_eq!(alice.run(&format!("contact add carolina {SOMEBODY}")).code, 0);
    assert_eq!(alice.run("send carolina hello").code, 0);
    let shown = alice.json("web --lan");
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    let (page, place) = (text("page"), tempfile::tempdir().unwrap());
    let (name, port) = page.strip_prefix("https://").unwrap().split_once(':').unwrap();
    let phone = |pairing: &str| {
        let words = [name, port, pairing, place.path().to_str().unwrap()].join(" ");
        lan.child(1, "be_a_phone", BE_A_PHONE, &words)
    };
    let secret = text("url").split_once('#').unwrap().1.to_owned();
    let paired = phone(&format!("{secret}:{}", text("code")));
    assert!(paired.says("address 10.77.12.1"));
    let open = paired.lines.recv_timeout(PATIENCE).unwrap();
    let open = open.strip_prefix("open ").expect("it was paired").to_owned();
    // No certificate is overridden: the browser has the authority, and nothing else of ours.
    let browser = std::env::var_os("DAK_BROWSER").and_then(|program| Browser::new(program, place.path()));
    if browser.is_none() {
        eprintln!("NOT TESTED: the page in a browser, for which DAK_BROWSER names one and certutil is there");
    }
    let dom = |address: &str, path: &str| {
        browser.as_ref().map(|browser| browser.dom(&lan.names[1], name, address, &format!("{page}{path}")))
    };
    let until_let_in = |address: &str, first: &str| {
        let began = std::time::Instant::now();
        let mut shown = dom(address, first);
        while shown.as_ref().is_some_and(|dom| !dom.contains("carolina")) {
            assert!(began.elapsed() < PATIENCE, "{shown:?}");
            shown = dom(address, "/");
        }
    };
    until_let_in("10.77.12.1", &format!("/#open={open}"));
    // An app of somebody else's runs there as well, at a name of its own, and learns nothing of the page.
    let sent = alice.run_args(&["send", "me", "-f", &alice.file("spy.xdc", &spying()), "--json"]);
    let app = sent.json()["id"].as_str().unwrap().to_owned();
    let began = std::time::Instant::now();
    while browser.is_some() && alice.rows(&format!("app {app}")).is_empty() {
        let shown = dom("10.77.12.1", &format!("/#/app/{app}"));
        assert!(began.elapsed() < PATIENCE, "{shown:?}");
    }
    for row in alice.rows(&format!("app {app}")) {
        let told = |what: &str| row["payload"][what].as_str().unwrap().to_owned();
        assert!(told("host").starts_with("app-") && told("host").ends_with(&format!(".{name}:{port}")), "{row}");
        assert_eq!((told("cookie"), told("api"), told("kept")), (String::new(), "404".into(), "null".into()), "{row}");
    }
    lan.renumber(0, "10.77.12.9/24");
    let began = std::time::Instant::now();
    // What was told before holds for a while where nobody asks anew.
    while !phone("").says_within("address 10.77.12.9", Duration::from_secs(5)) {
        assert!(began.elapsed() < PATIENCE, "the name does not follow the address");
    }
    until_let_in("10.77.12.9", "/");
    if browser.is_some() {
        let device = alice.json("web devices");
        assert_eq!(device["lan"], true);
        let revoked = alice.run_args(&["web", "devices", "--revoke", device["name"].as_str().unwrap()]);
        assert_eq!(revoked.code, 0, "{}", revoked.talk);
        // The browser's clock runs ahead while the node answers, so the first look may be over before it knows.
        let (look, began) = (|| dom("10.77.12.9", "/").unwrap(), std::time::Instant::now());
        let mut shown = look();
        while !shown.contains("has to be opened anew") {
            assert!(began.elapsed() < PATIENCE && !shown.contains("carolina"), "it was revoked: {shown}");
            shown = look();
        }
        assert!(!shown.contains("carolina"), "it was revoked: {shown}");
    }
}

/// An app that looks around, and tells what it finds.
fn spying() -> Vec<u8> {
    let page = "<!doctype html><script src=webxdc.js></script><script>\
        fetch('/v1/me').then(({ status }) => webxdc.sendUpdate({ payload: { host: location.host, cookie: document.cookie, \
        api: String(status), kept: String(localStorage.getItem('dak.page')) } }));</script>";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("index.html", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(page.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Not a test of its own: a phone, which finds the page by its name, keeps the certificate, and pairs where it is told a
/// secret and a code.
#[test]
fn be_a_phone() {
    let Ok(words) = std::env::var(BE_A_PHONE) else { return };
    let [name, port, pairing, place] = words.split(' ').collect::<Vec<_>>()[..] else { panic!("{words}") };
    let (address, port) = (resolved(name), port.parse::<u16>().unwrap());
    let connect = || TcpStream::connect((address, port)).unwrap();
    println!("\naddress {address}");
    assert_eq!(resolved(&format!("app-aaaaaaaaaaaaaaaa.{name}")), address, "so it is with apps");
    let head =
        |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nhost: {name}:{port}\r\nconnection: close\r\n");
    let asked = |stream: &mut dyn ReadWrite, request: String| {
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answer.split_off(end + 4)
    };
    let certificate = asked(&mut connect(), head("GET", "/ca.crt") + "\r\n");
    fs::write(Path::new(place).join("ca.crt"), &certificate).unwrap();
    let Some((secret, code)) = pairing.split_once(':') else { return };
    // Of an app nothing comes over a connection that anybody between could read.
    let mut plain = connect();
    let request = head("GET", "/webxdc.js").replace(&format!("host: {name}"), &format!("host: app-probe.{name}"));
    plain.write_all(format!("{request}\r\n").as_bytes()).unwrap();
    let mut refused = String::new();
    plain.read_to_string(&mut refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 421"), "{refused}");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.into()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let config = std::sync::Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth());
    let client = rustls::ClientConnection::new(config, name.to_owned().try_into().unwrap()).unwrap();
    let body = serde_json::json!({"pair": secret, "code": code}).to_string();
    let request = format!(
        "{}origin: https://{name}:{port}\r\ncontent-length: {}\r\n\r\n{body}",
        head("POST", "/web/pair"),
        body.len()
    );
    let answer = asked(&mut rustls::StreamOwned::new(client, connect()), request);
    let row: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    println!("open {}", row["open"].as_str().unwrap());
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// Asks the network for a name as simple resolvers do.
fn resolved(name: &str) -> Ipv4Addr {
    let socket = UdpSocket::bind(("10.77.12.2", 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), RecordType::A));
    let mut packet = [0; 1_500];
    loop {
        socket.send_to(&question.to_vec().unwrap(), ("224.0.0.251", 5_353)).unwrap();
        let Ok((length, _)) = socket.recv_from(&mut packet) else { continue };
        let answer = Message::from_vec(&packet[..length]).unwrap();
        let address = answer.answers.iter().find_map(|record| match record.data {
            RData::A(address) => Some(address.0),
            _ => None,
        });
        return address.expect("the answer has an address");
    }
}

/// A browser in a home of its own, which believes the authority that a phone was given.
struct Browser<'a> {
    program: std::ffi::OsString,
    home: &'a Path,
}

impl Browser<'_> {
    fn new(program: std::ffi::OsString, home: &Path) -> Option<Browser<'_>> {
        let authority = home.join("ca.crt");
        let more = ["-A", "-t", "C,,", "-n", "dak", "-i", authority.to_str().unwrap()];
        // Where browsers look, today and before.
        for place in [".pki/nssdb", ".local/share/pki/nssdb"] {
            let place = home.join(place);
            fs::create_dir_all(&place).unwrap();
            let database = format!("sql:{}", place.display());
            for words in [&["-N", "--empty-password"][..], &more] {
                let ran = Command::new("certutil").args(["-d", &database]).args(words).status().ok()?;
                assert!(ran.success());
            }
        }
        Some(Browser { program, home })
    }

    /// What a page comes to, in a namespace in which its name means an address.
    fn dom(&self, network: &str, name: &str, address: &str, url: &str) -> String {
        let output = Command::new("ip")
            .args(["netns", "exec", network])
            .arg(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--virtual-time-budget=10000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", self.home.join("browser").display()))
            .arg(format!("--host-resolver-rules=MAP {name} {address},MAP *.{name} {address}"))
            .arg(url)
            .env("HOME", self.home)
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
