//! Forged mDNS records by the ten thousand a second, in network namespaces of their own.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dak::bundle::Signer;
use rand_core::Rng;

use super::forge::{below, dice, fresh_key};
use super::person::Person;
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

/// Tells this very program, started anew inside the attacker's namespace, how many seconds to shout.
const SHOUT: &str = "DAK_TEST_SHOUT_MDNS";
/// The same for names to claim.
const CLAIM: &str = "DAK_TEST_CLAIM_MDNS";
/// Addresses that the attacker has.
const HOSTS: u8 = 100;
const RATE: u64 = 10_000;
/// Dials by chance: eight a second at most, and a few for what was seen before.
const DIALS_PER_SECOND: u64 = 8;

#[test]
fn forged_records_cost_a_bounded_number_of_dials_and_hide_no_neighbour() {
    let Some(lan) = Lan::new() else { return };
    run(async {
        let seconds = size(6, 60);
        let mut verdict = Verdict::of("forged mDNS records");
        let target = Target::up_in(&lan.names[0]);
        target.befriend();
        let watch = target.watch();
        let (began, dials) = (Instant::now(), lan.dials());
        let mut shouting = lan.shout(seconds);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut neighbour = Person::new("neighbour");
        neighbour.up_in(&lan.names[2]);
        let name = neighbour.json("me")["peer_id"].clone();
        let found = loop {
            if target.person.rows("peers").iter().any(|row| row["peer_id"] == name) {
                break true;
            }
            if began.elapsed() > PATIENCE {
                break false;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let after = began.elapsed().as_secs_f64();
        let shouted = shouting.wait().unwrap();
        let took = began.elapsed().as_secs_f64();
        assert!(shouted.success());
        verdict.note(format!("about {} records in {took:.1} s", seconds * RATE));
        verdict.check("the neighbour is found", found, format!("after {after:.1} s"));
        verdict.measure("while the flood lasted", after < seconds as f64, format!("{after:.1} of {seconds} s"));
        let dials = lan.dials() - dials;
        let most = DIALS_PER_SECOND * (took as u64 + 2) + 16;
        verdict.check("dials bounded", dials <= most, format!("{dials} of at most {most}"));
        verdict.behaves(&watch.end(), 256 << 20);
        verdict.give();
    });
}

/// Whoever claims a name that is not its own learns nothing of the mail that is held for it.
#[test]
fn a_claimed_name_is_dialed_as_late_whether_mail_is_held_for_it_or_not() {
    let Some(lan) = Lan::new() else { return };
    let mut verdict = Verdict::of("names claimed over mDNS");
    let target = Target::up_in(&lan.names[0]);
    let mut dice = dice(62);
    let many = size(20, 400);
    // Once in a hundred times chance alone puts two samples that far apart, and once in ten thousand both pairs.
    let (mut distance, mut most) = delays(&lan, &target, &mut verdict, many, &mut dice);
    if distance >= most {
        (distance, most) = delays(&lan, &target, &mut verdict, many, &mut dice);
    }
    verdict.check("dialed as late", distance < most, format!("{distance:.2} of at most {most:.2} apart"));
    verdict.give();
}

/// How far apart the delays are with which so many fresh names are dialed that have mail and that have none, and how far
/// they may be.
fn delays(
    lan: &Lan,
    target: &Target,
    verdict: &mut Verdict,
    many: u64,
    dice: &mut rand_chacha::ChaCha8Rng,
) -> (f64, f64) {
    let names: Vec<_> = (0..many).map(|_| fresh_key(dice).node()).collect();
    for name in names.iter().step_by(2) {
        let called = format!("friend{}", &name.peer_id()[40..]);
        target.name(&called, *name);
        assert_eq!(target.person.run(&format!("send {called} hello")).code, 0);
    }
    let claims: Vec<String> = names.iter().map(|name| name.peer_id()).collect();
    let claiming = lan.attacker("multicast::claim").env(CLAIM, claims.join(",")).output().unwrap();
    assert!(claiming.status.success());
    let mut delays = [Vec::new(), Vec::new()];
    for line in String::from_utf8(claiming.stdout).unwrap().lines() {
        if let Some((n, ms)) = line.strip_prefix("dialed ").and_then(|line| line.split_once(' ')) {
            delays[n.parse::<usize>().unwrap() % 2].push(ms.parse::<f64>().unwrap());
        }
    }
    let (count, [held, not]) = (names.len() / 2, delays);
    verdict.check(
        "dialed as often",
        held.len() == count && not.len() == count,
        format!("{} {}", held.len(), not.len()),
    );
    // Kolmogorov and Smirnov, for p > 0.01.
    (largest_distance(held, not), 1.63 * (2.0 / count as f64).sqrt())
}

/// Between the distributions of two samples of one size.
fn largest_distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |sample: &[f64], at: f64| sample.partition_point(|x| *x <= at) as f64 / sample.len() as f64;
    a.iter().chain(&b).map(|at| (below(&a, *at) - below(&b, *at)).abs()).fold(0.0, f64::max)
}

/// Not a test of its own: claims one name after another in its namespace, and says when somebody dials for it.
#[test]
fn claim() {
    let Ok(names) = std::env::var(CLAIM) else { return };
    let mut dice = dice(63);
    for (n, name) in names.split(',').enumerate() {
        let host = Ipv4Addr::new(10, 79, 1, 1 + (n % usize::from(HOSTS)) as u8);
        let listener = TcpListener::bind((host, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let text = format!("dnsaddr=/ip4/{host}/tcp/{port}/p2p/{name}");
        speaker(host).send_to(&packet(&mut dice, &text), (Ipv4Addr::new(224, 0, 0, 251), 5353)).unwrap();
        let said = Instant::now();
        while said.elapsed() < Duration::from_secs(30) {
            if listener.accept().is_ok() {
                println!("\ndialed {n} {}", said.elapsed().as_millis());
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Not a test of its own: the attacker, in its namespace.
#[test]
fn shout() {
    let Ok(seconds) = std::env::var(SHOUT) else { return };
    let mut dice = dice(61);
    let sockets: Vec<UdpSocket> = (0..HOSTS).map(|host| speaker(Ipv4Addr::new(10, 79, 1, host + 1))).collect();
    let until = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let (began, mut sent) = (Instant::now(), 0);
    while Instant::now() < until {
        if sent > (began.elapsed().as_secs_f64() * RATE as f64) as u64 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let socket = &sockets[below(&mut dice, sockets.len())];
        let _ = socket.send_to(&record(&mut dice), (Ipv4Addr::new(224, 0, 0, 251), 5353));
        sent += 1;
    }
}

fn speaker(from: Ipv4Addr) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.set_multicast_ttl_v4(255).unwrap();
    socket
}

/// An answer that nobody asked for: a peer, or what looks like one, and where it is said to be.
fn record(dice: &mut rand_chacha::ChaCha8Rng) -> Vec<u8> {
    let peer = match below(dice, 8) {
        0 => "not-a-peer-id".to_owned(),
        1 => "12D3KooWQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ".to_owned(),
        _ => fresh_key(dice).node().peer_id(),
    };
    let host = match below(dice, 4) {
        0 => format!("10.79.1.{}", 1 + below(dice, HOSTS.into())),
        1 => format!("192.168.{}.{}", below(dice, 256), below(dice, 256)),
        2 => "127.0.0.1".to_owned(),
        _ => format!("{}.{}.{}.1", 1 + below(dice, 220), below(dice, 256), below(dice, 256)),
    };
    let text = format!("dnsaddr=/ip4/{host}/tcp/{}/p2p/{peer}", 1 + below(dice, 65_535));
    let mut packet = packet(dice, &text);
    if dice.next_u64().is_multiple_of(16) {
        packet.truncate(below(dice, packet.len()));
    }
    packet
}

/// The same with this text.
fn packet(dice: &mut rand_chacha::ChaCha8Rng, text: &str) -> Vec<u8> {
    let name: String = (0..40).map(|_| char::from(b'a' + below(dice, 26) as u8)).collect();
    let service = [&label("_p2p")[..], &label("_udp"), &label("local"), &[0]].concat();
    let named = [&label(&name)[..], &service].concat();
    let mut packet = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    // A pointer to the name, then the name's text; both class IN for two minutes.
    packet.extend(service.iter().chain(&[0, 12, 0, 1, 0, 0, 0, 120]));
    packet.extend((named.len() as u16).to_be_bytes());
    packet.extend(&named);
    packet.extend(named.iter().chain(&[0, 16, 0x80, 1, 0, 0, 0, 120]));
    packet.extend((text.len() as u16 + 1).to_be_bytes());
    packet.push(text.len() as u8);
    packet.extend(text.as_bytes());
    packet
}

fn label(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// How many there were.
static LANS: AtomicU32 = AtomicU32::new(0);

/// The target, with a cable to the attacker and one to the neighbour; gone when dropped.
struct Lan {
    names: [String; 3],
}

impl Lan {
    fn new() -> Option<Lan> {
        let number = LANS.fetch_add(1, Ordering::Relaxed);
        let lan = Lan { names: ["t", "x", "n"].map(|who| format!("dak{}{who}{number}", std::process::id())) };
        for name in &lan.names {
            if !ip(&["netns", "add", name]) {
                eprintln!("NOT TESTED: forged mDNS records need network namespaces, and none may be made here");
                return None;
            }
            assert!(ip(&["-n", name, "link", "set", "lo", "up"]));
        }
        let [target, attacker, neighbour] = &lan.names;
        // A cable to each; no bridge, which not every kernel has.
        for (name, cable, net) in [(attacker, "loud", 79), (neighbour, "quiet", 80)] {
            assert!(ip(&[
                "link", "add", cable, "netns", target, "type", "veth", "peer", "name", "target", "netns", name
            ]));
            assert!(ip(&["-n", target, "addr", "add", &format!("10.{net}.0.1/16"), "dev", cable]));
            assert!(ip(&["-n", target, "link", "set", cable, "up"]));
        }
        for host in 1..=HOSTS {
            assert!(ip(&["-n", attacker, "addr", "add", &format!("10.79.1.{host}/16"), "dev", "target"]));
        }
        assert!(ip(&["-n", neighbour, "addr", "add", "10.80.0.2/16", "dev", "target"]));
        for name in [attacker, neighbour] {
            assert!(ip(&["-n", name, "link", "set", "target", "up"]));
        }
        Some(lan)
    }

    fn shout(&self, seconds: u64) -> std::process::Child {
        self.attacker("multicast::shout").env(SHOUT, seconds.to_string()).stdout(Stdio::null()).spawn().unwrap()
    }

    /// This very program, started anew inside the attacker's namespace for one story.
    fn attacker(&self, story: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[1]]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", story, "--nocapture"]);
        command
    }

    /// Connections that were begun in the target's namespace.
    fn dials(&self) -> u64 {
        let read =
            Command::new("ip").args(["netns", "exec", &self.names[0], "cat", "/proc/net/snmp"]).output().unwrap();
        let text = String::from_utf8(read.stdout).unwrap();
        let mut tcp = text.lines().filter(|line| line.starts_with("Tcp:"));
        let at = tcp.next().unwrap().split_whitespace().position(|word| word == "ActiveOpens").unwrap();
        tcp.next().unwrap().split_whitespace().nth(at).unwrap().parse().unwrap()
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "del", name]);
        }
    }
}

/// Runs iproute2; returns whether it worked.
fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
