//! What the operator of a node asks of it: figures over time, whether it is well, and how it runs as a service.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::person::Person;
use crate::{PATIENCE, acquaint};

/// Asks for a path as a supervisor would; returns the status and the body.
fn get(person: &Person, path: &str) -> (u16, String) {
    get_at(&person.home().join("run/dak.sock"), path)
}

fn get_at(socket: &Path, path: &str) -> (u16, String) {
    let mut socket = UnixStream::connect(socket).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: d\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn sum(rows: &[serde_json::Value], field: &str) -> u64 {
    rows.iter().map(|row| row[field].as_u64().unwrap()).sum()
}

#[test]
fn figures_say_what_was_met_moved_and_held_and_outlive_the_node() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("send bob hello --wait=delivered --timeout 60s");
    alice.run(&format!("send {} waits", crate::SOMEBODY));
    let rows = alice.rows("stats");
    let last = rows.last().unwrap();
    assert!(sum(&rows, "contacts") >= 1 && sum(&rows, "bytes_in") > 100 && sum(&rows, "bytes_out") > 100, "{rows:?}");
    assert!(last["backlog"] == 1 && last["held"] == 1 && last["held_bytes"].as_u64() > Some(0), "{last}");
    assert!(last["store_bytes"].as_u64() > Some(0) && last["at"].is_string() && last["span_secs"].is_u64(), "{last}");

    alice.down();
    let kept = alice.rows("stats");
    assert!(sum(&kept, "contacts") >= 1 && sum(&kept, "bytes_in") >= sum(&rows, "bytes_in"), "{kept:?}");
    let before = std::fs::metadata(alice.home().join("stats")).unwrap().len();
    alice.up("");
    let again = alice.rows("stats");
    assert!(sum(&again, "contacts") >= sum(&kept, "contacts"), "{again:?}");
    let times: Vec<&str> = again.iter().map(|row| row["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(std::fs::metadata(alice.home().join("stats")).unwrap().len(), before, "it does not grow");

    let shown = alice.on_a_terminal("stats");
    assert!(shown.contains("the last day") && shown.contains("contacts") && shown.contains('█'), "{shown}");
}

#[test]
fn figures_that_cannot_be_read_keep_no_node_from_starting() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.down();
    std::fs::write(alice.home().join("stats"), "dak figures of a later version").unwrap();
    alice.up("");
    assert_eq!(alice.rows("stats").len(), 1, "what comes from now on is told while it runs");
    alice.down();
    assert_eq!(std::fs::read(alice.home().join("stats")).unwrap(), b"dak figures of a later version");
}

#[test]
fn what_a_node_counts_is_read_by_those_who_watch_many() {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    alice.json("send bob hello --wait=delivered --timeout 60s");
    let (status, text) = get(&alice, "/metrics");
    assert_eq!(status, 200, "{text}");
    let figures = read_metrics(&text);
    let figure = |name: &str| figures.get(name).copied().unwrap_or_else(|| panic!("{name} is missing in {text}"));
    assert_eq!((figure("dak_healthy"), figure("dak_contacts")), (1.0, 1.0));
    assert!(figure("dak_contacts_met_total") >= 1.0 && figure("dak_received_bytes_total") > 100.0);
    assert!(figure("dak_store_bytes") > 0.0 && figure("dak_store_room_bytes") > 0.0);
    assert_eq!(figure("dak_held_bundles{class=\"topics\"}"), 0.0);
    assert_eq!(figure("dak_carry_limit_bytes"), f64::from(256 << 20));
    assert_eq!(figure("dak_evicted_total{grade=\"custody\"}"), 0.0);
    assert!(figure("process_resident_memory_bytes") > 1e6 && figure("process_start_time_seconds") > 1.7e9);
}

/// Reads the text form as strictly as anybody does: each family once, its help, its type, then its figures by that name,
/// counters by the suffix that counters have.
fn read_metrics(text: &str) -> BTreeMap<String, f64> {
    let (mut figures, mut families) = (BTreeMap::new(), Vec::new());
    let mut lines = text.strip_suffix('\n').expect("the last line ends").lines().peekable();
    while let Some(help) = lines.next() {
        let (name, words) = help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(help);
        assert!(!families.contains(&name) && words.ends_with('.'), "{help}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        families.push(name);
        let kind = lines.next().and_then(|line| line.strip_prefix(&format!("# TYPE {name} "))).expect(name);
        assert_eq!(kind, if name.ends_with("_total") { "counter" } else { "gauge" }, "{name}");
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect(line);
            let labels = series.strip_prefix(name).expect(line);
            let is_label = labels.starts_with('{') && labels.ends_with("\"}") && labels.contains("=\"");
            assert!(labels.is_empty() || is_label, "{line}");
            assert!(figures.insert(series.to_owned(), value.parse().expect(line)).is_none(), "{line}");
        }
    }
    figures
}

#[test]
fn a_node_that_is_well_says_so_where_supervisors_look() {
    let mut alice = Person::new("alice");
    alice.up("");
    let (status, body) = get(&alice, "/health");
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["ok"], &health["problems"]), (200, &true.into(), &serde_json::json!([])), "{body}");
    assert_eq!(health["pid"], alice.pid());
}

#[test]
fn a_supervisor_hears_that_the_node_is_ready_lives_and_stops() {
    let alice = Person::new("alice");
    let place = alice.path("notify");
    let heard = UnixDatagram::bind(&place).unwrap();
    heard.set_read_timeout(Some(PATIENCE)).unwrap();
    let words = || {
        let mut buffer = [0; 4_096];
        let length = heard.recv(&mut buffer).expect("it says something");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut node = alice.up_after(&format!("export NOTIFY_SOCKET={place} WATCHDOG_USEC=100000"));
    let ready = words();
    assert!(ready.contains("READY=1") && ready.contains("STATUS=0 contacts, 0 messages held"), "{ready}");
    for _ in 0..3 {
        let lives = words();
        assert!(lives.contains("WATCHDOG=1") && lives.contains("STATUS="), "{lives}");
    }
    node.signal(Signal::TERM);
    while !words().contains("STOPPING=1") {}
    assert_eq!(node.end(), Some(0));
}

/// A node whose home is a small disk of its own, and the way to that home from here.
fn on_a_small_disk(person: &Person) -> (Child, PathBuf) {
    let home = person.home();
    std::fs::create_dir(&home).unwrap();
    let node = person.command(&["up", "--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    let mount = format!("mount -t tmpfs -o size=48m,mode=700 tmpfs {} || exit 77; exec \"$@\"", home.display());
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "--map-root-user", "sh", "-c", &mount, "sh"]).arg(node.get_program()).args(node.get_args());
    let mut node = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(node.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready "), "{:?}", node.wait());
    // The disk is mounted for the node alone.
    let seen = format!("/proc/{}/root{}", node.id(), home.display());
    (node, seen.into())
}

#[test]
fn a_full_disk_makes_the_node_ill_and_room_makes_it_well() {
    let alice = Person::new("alice");
    let (mut node, home) = on_a_small_disk(&alice);
    let socket = home.join("run/dak.sock");
    assert_eq!(get_at(&socket, "/health").0, 200);
    let mut ballast = std::fs::File::create(home.join("ballast")).unwrap();
    while ballast.write_all(&[0; 1 << 20]).is_ok() {}
    drop(ballast);
    let (status, body) = get_at(&socket, "/health");
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["ok"]), (503, &false.into()), "{body}");
    assert!(health["problems"][0].as_str().unwrap().starts_with("the disk is full: "), "{body}");
    assert_eq!(get_at(&socket, "/v1/health").0, 200, "programs read why");
    let figures = read_metrics(&get_at(&socket, "/metrics").1);
    assert_eq!(figures["dak_healthy"], 0.0);
    std::fs::remove_file(home.join("ballast")).unwrap();
    assert_eq!(get_at(&socket, "/health").0, 200);
    node.kill().unwrap();
    node.wait().unwrap();
}
