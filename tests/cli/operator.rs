//! What the operator of a node asks of it: figures over time, whether it is well, and how it runs as a service.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::person::{Person, Ran};
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
pub fn read_metrics(text: &str) -> BTreeMap<String, f64> {
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

#[test]
fn a_configuration_of_a_newer_version_is_said_and_nothing_is_lost() {
    let mut alice = Person::new("alice");
    alice.up("");
    alice.json(&format!("send {} kept", crate::SOMEBODY));
    alice.down();
    let config = alice.home().join("config.toml");
    let known = std::fs::read_to_string(&config).unwrap();
    for newer in ["version = 2\n", "warp = true\n", "[warp]\nspeed = 9\n"] {
        let text = format!("{known}{newer}");
        std::fs::write(&config, &text).unwrap();
        for line in ["up --no-mdns --listen /ip4/127.0.0.1/tcp/0", "inbox", "config set mdns false"] {
            let ran = alice.run(line);
            assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (2, "", 1), "{line}: {}", ran.talk);
            let at = format!("line {}", 1 + known.lines().count());
            assert!(ran.talk.contains(&at) && ran.talk.contains("newer dak"), "{line}: {}", ran.talk);
        }
        assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
    }
    std::fs::write(&config, known).unwrap();
    alice.up("");
    assert_eq!(alice.rows("status").len(), 1);
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

/// A systemctl that knows one service, and notes down what it is asked.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/asked"
case "$*" in
*--property=Version*) [ -e "$FAKE/absent" ] && { echo "System has not been booted with systemd as init system" >&2; exit 1; }
    echo Version=252 ;;
*" start "*) [ -e "$FAKE/broken" ] && { echo "Job for dak.service failed" >&2; exit 1; }
    : > "$FAKE/active" ;;
*disable*) rm -f "$FAKE/active" ;;
*show*) unit="$XDG_CONFIG_HOME/systemd/user/dak.service"
    [ -e "$unit" ] || { printf 'LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n'; exit 0; }
    printf 'LoadState=loaded\nFragmentPath=%s\nUnitFileState=enabled\nNRestarts=0\n' "$unit"
    if [ -e "$FAKE/active" ]; then printf 'ActiveState=active\nSubState=running\nMainPID=4711\nStatusText=1 contact\n'
    else printf 'ActiveState=failed\nSubState=failed\nMainPID=0\n'; fi ;;
esac
"#;

/// Somebody whose systemd is that one.
struct Operator {
    person: Person,
    path: String,
}

impl Operator {
    fn new() -> Operator {
        let person = Person::new("alice");
        let bin = person.path("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(format!("{bin}/systemctl"), SYSTEMCTL).unwrap();
        std::fs::set_permissions(format!("{bin}/systemctl"), std::fs::Permissions::from_mode(0o755)).unwrap();
        Operator { person, path: format!("{bin}:{}", std::env::var("PATH").unwrap()) }
    }

    fn fake(&self) -> String {
        self.person.path("bin")
    }

    fn unit(&self) -> PathBuf {
        self.person.path("config").into()
    }

    fn run(&self, line: &str) -> Ran {
        let (fake, config) = (self.fake(), self.person.path("config"));
        let variables = [("PATH", self.path.as_str()), ("FAKE", &fake), ("XDG_CONFIG_HOME", &config)];
        self.person.run_with(&line.split(' ').collect::<Vec<_>>(), &variables)
    }
}

#[test]
fn a_service_is_installed_told_of_and_removed_and_the_home_stays() {
    let mut alice = Operator::new();
    let unit = alice.unit().join("systemd/user/dak.service");
    let none = alice.run("service status --user");
    assert_eq!((none.code, none.data.contains("none of the user is installed")), (4, true), "{}", none.data);
    assert_eq!(alice.run("service remove --user").code, 4);

    alice.person.up("");
    let taken = alice.run("service install --user");
    assert_eq!((taken.code, unit.exists()), (7, false), "{}", taken.talk);
    assert!(taken.talk.contains("dak down"), "{}", taken.talk);
    alice.person.down();

    let installed = alice.run("service install --user");
    assert_eq!(installed.code, 0, "{}", installed.talk);
    assert!(
        installed.data.starts_with("dak.service of the user: active (running), process 4711"),
        "{}",
        installed.data
    );
    assert!(installed.talk.contains("enable-linger"), "{}", installed.talk);
    let text = std::fs::read_to_string(&unit).unwrap();
    let runs = format!("\nExecStart={} --home {} up\n", env!("CARGO_BIN_EXE_dak"), alice.person.home().display());
    for wanted in
        [&runs, "\nType=notify\n", "\nWatchdogSec=", "\nNoNewPrivileges=yes\n", "\nSystemCallFilter=@system-service\n"]
    {
        assert!(text.contains(wanted), "{wanted} {text}");
    }
    assert_eq!(alice.run("service install --user").code, 0, "once more changes nothing");
    let row = alice.run("service status --user --json").json();
    let wanted = serde_json::json!({"schema": 1, "unit": "dak.service", "scope": "user", "installed": true,
        "path": unit.to_str().unwrap(), "enabled": true, "state": "active", "detail": "running", "pid": 4711,
        "says": "1 contact", "restarts": 0});
    assert_eq!(row, wanted);
    std::fs::remove_file(format!("{}/active", alice.fake())).unwrap();
    assert_eq!(alice.run("service status --user").code, 3);

    let removed = alice.run("service remove --user");
    assert_eq!((removed.code, unit.exists(), alice.person.home().join("store.redb").exists()), (0, false, true));
    let asked = std::fs::read_to_string(format!("{}/asked", alice.fake())).unwrap();
    assert!(asked.lines().all(|line| line.starts_with("--user ")), "{asked}");
    assert!(asked.contains("--user disable --now dak.service\n") && asked.ends_with("NRestarts\n"), "{asked}");
}

#[test]
fn a_unit_of_another_s_making_is_left_and_one_that_does_not_start_says_where_to_look() {
    let alice = Operator::new();
    let unit = alice.unit().join("systemd/user/dak.service");
    std::fs::create_dir_all(unit.parent().unwrap()).unwrap();
    std::fs::write(&unit, "[Service]\nExecStart=/bin/true\n").unwrap();
    let ran = alice.run("service install --user");
    assert_eq!((ran.code, ran.talk.contains("another than dak wrote it")), (5, true), "{}", ran.talk);
    assert_eq!(alice.run("service remove --user").code, 4);
    assert_eq!(std::fs::read_to_string(&unit).unwrap(), "[Service]\nExecStart=/bin/true\n");
    std::fs::remove_file(&unit).unwrap();
    std::fs::write(format!("{}/broken", alice.fake()), "").unwrap();
    let ran = alice.run("service install --user");
    assert_eq!((ran.code, ran.talk.contains("journalctl --user -u dak")), (1, true), "{}", ran.talk);
}

#[test]
fn without_systemd_there_is_a_sentence_and_the_unit_can_be_printed() {
    let alice = Operator::new();
    std::fs::write(format!("{}/absent", alice.fake()), "").unwrap();
    for line in ["service install --user", "service remove --user", "service status --user"] {
        let ran = alice.run(line);
        assert_eq!((ran.code, ran.data.as_str(), ran.talk.lines().count()), (1, "", 1), "{line}: {}", ran.talk);
        assert!(ran.talk.contains("systemd does not run here") && ran.talk.contains("--print"), "{}", ran.talk);
    }
    assert!(!alice.unit().exists());
    let printed = alice.run("service install --user --print");
    assert!(printed.code == 0 && printed.data.contains("\nExecStart="), "{}", printed.talk);
    let system = alice.run("service install --system --print");
    let hardened = [
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "CapabilityBoundingSet=",
        "ReadWritePaths=",
        "User=dak",
    ];
    hardened.iter().for_each(|line| assert!(system.data.contains(&format!("\n{line}")), "{line} {}", system.data));
    let json = alice.run("service install --user --print --json").json();
    assert_eq!((&json["schema"], &json["scope"], &json["text"]), (&1.into(), &"user".into(), &printed.data.into()));
    assert_eq!(alice.run("service install --user --system").code, 2);
}
