//! Two nodes in two network namespaces find each other by multicast, with no configuration at all, and people are told.
//!
//! Needs root and iproute2; where it may not make namespaces it says so aloud and passes.
#![cfg(feature = "node")]
// The stories run on real machines' clocks.
#![allow(clippy::disallowed_methods)]

#[path = "support/lan.rs"]
mod lan;
#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use dak::net::{NetConfig, NetEvent};
use lan::{Lan, Process};
use person::Person;
use support::net::{Node, secret};

/// Tells this very program, started anew, to be a node: the number is its secret.
const BE_A_NODE: &str = "DAK_TEST_BE_A_NODE";
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a contact may seem to last after its end: fifteen seconds, and what a busy machine takes.
const NOTICED: Duration = Duration::from_secs(20);

#[test]
fn neighbours_find_each_other_without_configuration() {
    let Some(lan) = Lan::new(1) else { return };
    lan.number("10.77.1.1/24", "10.77.1.2/24");
    let alice = node(&lan, 0, 1);
    assert!(alice.says("listening"));
    let bob = node(&lan, 1, 2);
    assert!(alice.says("up"), "the first hears of the second");
    assert!(bob.says("up"));
}

#[test]
fn nodes_that_drift_into_range_find_each_other() {
    let Some(lan) = Lan::new(2) else { return };
    lan.number("10.77.2.1/24", "10.77.2.2/24");
    lan.cable(false);
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
    // Past the moment in which a fresh node asks anyway.
    assert!(!alice.says_within("up", Duration::from_secs(3)));
    lan.cable(true);
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

#[test]
fn on_a_link_without_ipv4_neighbours_find_each_other_by_what_the_link_itself_gives() {
    let Some(lan) = Lan::new(3) else { return };
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
    assert!(alice.says("up"));
    assert!(bob.says("up"));
}

#[test]
fn neighbours_on_a_network_of_public_addresses_find_each_other() {
    let Some(lan) = Lan::new(4) else { return };
    lan.without_ipv6();
    lan.number("198.51.100.1/24", "198.51.100.2/24");
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
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
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
    assert!(alice.says("listening") && bob.says("listening"));
    assert!(!alice.says_within("up", Duration::from_secs(4)));
    assert!(!bob.says_within("up", Duration::from_millis(100)));
}

#[test]
fn a_cut_cable_is_noticed_within_seconds() {
    let Some(lan) = Lan::new(6) else { return };
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
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
    let (alice, bob) = (node(&lan, 0, 1), node(&lan, 1, 2));
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

    // The port of one who dialed is known once he is heard as well.
    let can_be_dialed = |row: &serde_json::Value| row["address"].as_str().unwrap().ends_with("/tcp/33556");
    alice.until("nearby", |rows| rows.len() == 1 && rows[0]["nickname"] == "bob" && can_be_dialed(&rows[0]));
    let bob_id = bob.json("me")["peer_id"].as_str().unwrap().to_owned();
    assert_eq!(alice.json("nearby")["peer_id"], bob_id.as_str());
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

/// Starts a node at one side; the number is its secret.
fn node(lan: &Lan, side: usize, number: u8) -> Process {
    lan.child(side, "be_a_node", BE_A_NODE, &number.to_string())
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
