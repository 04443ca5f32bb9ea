//! Two nodes in two network namespaces find each other by multicast, with no configuration at all, and people are told.
//!
//! Needs root and iproute2; where it may not make namespaces it says so aloud and passes.
#![cfg(feature = "node")]
// The stories run on real machines' clocks.
#![allow(clippy::disallowed_methods)]

#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dak::net::{NetConfig, NetEvent};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use person::Person;
use support::net::{Node, secret};

/// Tells this very program, started anew, to be a node: the number is its secret.
const BE_A_NODE: &str = "DAK_TEST_BE_A_NODE";
/// The same for a phone: the page's name and port, what it pairs with, and a directory.
const BE_A_PHONE: &str = "DAK_TEST_BE_A_PHONE";
/// An address that nobody has.
const SOMEBODY: &str = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a contact may seem to last after its end: fifteen seconds, and what a busy machine takes.
const NOTICED: Duration = Duration::from_secs(20);

#[test]
fn neighbours_find_each_other_without_configuration() {
    let Some(lan) = Lan::new(1) else { return };
    lan.number("10.77.1.1/24", "10.77.1.2/24");
    let alice = lan.node(0, 1);
    assert!(alice.says("listening"));
    let bob = lan.node(1, 2);
    assert!(alice.says("up"), "the first hears of the second");
    assert!(bob.says("up"));
}

#[test]
fn nodes_that_drift_into_range_find_each_other() {
    let Some(lan) = Lan::new(2) else { return };
    lan.number("10.77.2.1/24", "10.77.2.2/24");
    lan.cable(false);
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    // Past the moment in which a fresh node asks anyway.
    assert!(!alice.says_within("up", Duration::from_secs(3)));
    lan.cable(true);
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

#[test]
fn on_a_link_without_ipv4_neighbours_find_each_other_by_what_the_link_itself_gives() {
    let Some(lan) = Lan::new(3) else { return };
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

#[test]
fn neighbours_on_a_network_of_public_addresses_find_each_other() {
    let Some(lan) = Lan::new(4) else { return };
    lan.without_ipv6();
    lan.number("198.51.100.1/24", "198.51.100.2/24");
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

#[test]
fn what_is_heard_from_outside_every_own_network_is_no_neighbour() {
    let Some(lan) = Lan::new(5) else { return };
    lan.without_ipv6();
    // Each has a way to the other and hears it, but takes the cable for another network than the other does.
    lan.number("10.77.5.1/24", "10.78.5.2/24");
    lan.route("10.78.5.0/24", "10.77.5.0/24");
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    assert!(alice.says("listening") && bob.says("listening"));
    assert!(!alice.says_within("up", Duration::from_secs(4)));
    assert!(!bob.says_within("up", Duration::from_millis(100)));
}

#[test]
fn a_cut_cable_is_noticed_within_seconds() {
    let Some(lan) = Lan::new(6) else { return };
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    assert!(alice.says("up") && bob.says("up"));
    lan.cable(false);
    assert!(alice.says_within("down", NOTICED));
    assert!(bob.says_within("down", NOTICED));
}

#[test]
fn a_contact_over_an_address_that_is_taken_away_is_noticed_within_seconds() {
    let Some(lan) = Lan::new(7) else { return };
    lan.without_ipv6();
    lan.number("10.77.7.1/24", "10.77.7.2/24");
    let (alice, bob) = (lan.node(0, 1), lan.node(1, 2));
    assert!(alice.says("up") && bob.says("up"));
    lan.renumber(1, "10.77.7.3/24");
    assert!(alice.says_within("down", NOTICED));
    assert!(bob.says_within("down", NOTICED));
}

#[test]
fn on_a_link_without_ipv4_people_find_name_and_write_to_each_other() {
    let Some(lan) = Lan::new(8) else { return };
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up_as_it_comes_in(&lan.names[0]);
    bob.up_as_it_comes_in(&lan.names[1]);
    let of_this_link = |address: &str| address.contains("/ip6/fe80:") && !address.contains("127.0.0.1");
    bob.until("me", |rows| of_this_link(rows[0]["address"].as_str().unwrap()));

    let called_bob = |row: &serde_json::Value| row["nickname"] == "bob";
    alice.until("nearby", |rows| rows.len() == 1 && called_bob(&rows[0]));
    let bob_id = bob.json("me")["peer_id"].as_str().unwrap().to_owned();
    let row = alice.json("nearby");
    assert_eq!(row["peer_id"], bob_id.as_str());
    assert!(row["address"].as_str().unwrap().ends_with("/tcp/33556"), "one that can be dialed: {row}");
    assert_eq!(alice.json("contact add bob")["peer_id"], bob_id.as_str(), "by the name it gives itself");
    assert_eq!(alice.json("contact add bobby \"bob\"")["name"], "bobby", "as it is printed");
    let short = &bob_id[bob_id.len() - 10..];
    assert_eq!(alice.json(&format!("contact add robert {short}"))["peer_id"], bob_id.as_str(), "by its short id");
    assert_eq!(alice.run("contact add carol carol").code, 2);
    let sent = alice.json("send robert hello --wait=delivered --timeout 30s");
    assert_eq!(sent["state"], "delivered");

    assert!(alice.rows("doctor").iter().all(|check| check["verdict"] == "ok"));
    assert_eq!(bob.down(), Some(0));
    alice.until("nearby", |rows| rows.is_empty());
}

#[test]
fn two_machines_on_one_network_pair_by_a_code_and_nothing_else() {
    let Some(lan) = Lan::new(11) else { return };
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    alice.up_as_it_comes_in(&lan.names[0]);
    bob.up_as_it_comes_in(&lan.names[1]);
    let mut showing = alice.spawn("pair --json");
    let code: serde_json::Value = serde_json::from_str(&showing.line()).unwrap();
    let joined = bob.json(&format!("pair {}", code["code"].as_str().unwrap()));
    assert_eq!((&joined["name"], &joined["verified"]), (&"alice".into(), &true.into()));
    let shown: serde_json::Value = serde_json::from_str(&showing.line()).unwrap();
    assert_eq!((&shown["name"], &shown["mutual"]), (&"bob".into(), &true.into()));
    assert_eq!(showing.end(), Some(0));
    let sent = bob.json("send alice hello --wait=delivered --timeout 60s");
    assert_eq!(sent["state"], "delivered");
}

#[test]
fn a_home_that_was_copied_and_runs_twice_is_told_so_on_both_machines() {
    let Some(lan) = Lan::new(9) else { return };
    let (mut alice, mut twin) = (Person::new("alice"), Person::new("twin"));
    alice.up_as_it_comes_in(&lan.names[0]);
    assert_eq!(alice.down(), Some(0));
    copy(&alice.home(), &twin.home());
    alice.up_as_it_comes_in(&lan.names[0]);
    twin.up_as_it_comes_in(&lan.names[1]);
    for person in [&alice, &twin] {
        let told = |ran: person::Ran| ran.data.contains("another machine runs with this home's key");
        let began = std::time::Instant::now();
        while !told(person.run("doctor")) {
            assert!(began.elapsed() < PATIENCE, "{}", person.run("doctor").data);
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(person.talk().contains("ANOTHER MACHINE RUNS WITH THE KEY OF THIS HOME"), "{}", person.talk());
    }
}

#[test]
fn addresses_that_people_are_told_follow_the_interfaces() {
    let Some(lan) = Lan::new(10) else { return };
    lan.without_ipv6();
    lan.number("10.77.10.1/24", "10.77.10.2/24");
    let mut alice = Person::new("alice");
    let listen = |address: &str| vec![format!("/ip4/{address}/tcp/33556")];
    let told =
        |rows: &[serde_json::Value]| -> Vec<String> { serde_json::from_value(rows[0]["listen"].clone()).unwrap() };
    alice.up_as_it_comes_in(&lan.names[0]);
    alice.until("me", |rows| told(rows) == listen("10.77.10.1"));
    lan.renumber(0, "10.77.10.9/24");
    alice.until("me", |rows| told(rows) == listen("10.77.10.9"));
    lan.cable(false);
    alice.until("me", |rows| told(rows).iter().all(|addr| addr.contains("/127.0.0.1/") || addr.contains("/::1/")));
    let checks = alice.rows("doctor");
    assert!(checks.iter().any(|check| check["message"].as_str().unwrap().contains("only this machine can reach")));
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

/// Copies a home that nobody uses.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &to),
            kind if kind.is_file() => drop(fs::copy(entry.path(), to).unwrap()),
            _ => {}
        }
    }
}

/// Not a test of its own: what the others start in each namespace.
#[test]
fn be_a_node() {
    let Ok(number) = std::env::var(BE_A_NODE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listen = ["/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"].map(|addr| addr.parse().unwrap()).to_vec();
        let config = NetConfig { listen, mdns: true, ..NetConfig::default() };
        let mut node = Node::start(secret(number.parse().unwrap()), config).await;
        println!("\nlistening");
        let (peer, sender) = node
            .find(|event| match event {
                NetEvent::ContactUp { peer, outbound, .. } => Ok((peer, outbound)),
                event => Err(event),
            })
            .await;
        sender.send(b"hello".to_vec()).unwrap();
        assert_eq!(node.frame(peer).await, b"hello");
        println!("\nup");
        node.down(peer).await;
        println!("\ndown");
        // Stays for the other; the test ends it.
        std::future::pending::<()>().await;
    });
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

/// Two namespaces and a cable between them; gone when dropped.
struct Lan {
    names: [String; 2],
}

impl Lan {
    fn new(number: u8) -> Option<Lan> {
        let names = ["a", "b"].map(|side| format!("dak{}{side}{number}", std::process::id()));
        let lan = Lan { names };
        for name in &lan.names {
            if !ip(&["netns", "add", name]) {
                eprintln!("NOT TESTED: mDNS between two nodes needs network namespaces, and none may be made here");
                return None;
            }
        }
        let [a, b] = &lan.names;
        assert!(ip(&["link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b]));
        for name in [a, b] {
            assert!(ip(&["-n", name, "link", "set", "lo", "up"]));
        }
        lan.cable(true);
        Some(lan)
    }

    /// Leaves IPv4 alone with the link.
    fn without_ipv6(&self) {
        for name in &self.names {
            assert!(ip(&["-n", name, "-6", "addr", "flush", "dev", "cable"]));
        }
    }

    /// Gives each end an IPv4 address; that of IPv6 comes with the link.
    fn number(&self, a: &str, b: &str) {
        for (name, address) in self.names.iter().zip([a, b]) {
            assert!(ip(&["-n", name, "addr", "add", address, "dev", "cable"]));
        }
    }

    /// Gives one end another IPv4 address in place of the one it had.
    fn renumber(&self, side: usize, address: &str) {
        assert!(ip(&["-n", &self.names[side], "-4", "addr", "flush", "dev", "cable"]));
        assert!(ip(&["-n", &self.names[side], "addr", "add", address, "dev", "cable"]));
    }

    /// Tells each end that the other's network is behind the cable.
    fn route(&self, from_a: &str, from_b: &str) {
        for (name, network) in self.names.iter().zip([from_a, from_b]) {
            assert!(ip(&["-n", name, "route", "add", network, "dev", "cable"]));
        }
    }

    fn cable(&self, plugged: bool) {
        for name in &self.names {
            assert!(ip(&["-n", name, "link", "set", "cable", if plugged { "up" } else { "down" }]));
        }
    }

    fn node(&self, side: usize, number: u8) -> Process {
        self.child(side, "be_a_node", BE_A_NODE, &number.to_string())
    }

    /// Starts this very program in one namespace as something that a variable says more of.
    fn child(&self, side: usize, what: &str, variable: &str, value: &str) -> Process {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.names[side]])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", what, "--nocapture"])
            .env(variable, value)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Process { child, lines }
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "del", name]);
        }
    }
}

struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn says(&self, word: &str) -> bool {
        self.says_within(word, PATIENCE)
    }

    fn says_within(&self, word: &str, span: Duration) -> bool {
        loop {
            match self.lines.recv_timeout(span) {
                Ok(line) if line == word => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs iproute2; returns whether it worked.
fn ip(args: &[&str]) -> bool {
    let run = Command::new("ip").args(args).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}
