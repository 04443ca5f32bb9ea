//! Peers that stop, babble or hoard at every layer, by the hundred: after each attack an honest newcomer is served.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use dak::frame::Frame;
use dak::id::BundleId;
use futures::AsyncWriteExt;
use futures::future::join_all;
use rand_core::Rng;
use tokio::time::{sleep, timeout};

use super::forge::{Genuine, dice, fresh_key};
use super::rogue::{Ears, Rogue, framed, handing_over, hello, length};
use super::target::{Target, descriptors};
use super::verdict::Verdict;
use super::wire::{CONTACT, Wire, line, plain, propose};
use super::{PATIENCE, run, size};

/// How long each attack stands before a newcomer comes. In an ordinary run there are fewer attackers than places for
/// strangers; with more of them a newcomer waits until one has had its half minute.
fn stand() -> Duration {
    Duration::from_millis(size(500, 20_000))
}

#[test]
fn whatever_a_peer_does_with_a_connection_the_next_one_is_served() {
    run(async {
        let mut verdict = Verdict::of("malformed peers");
        let target = Target::up("--carry-limit 16M");
        target.befriend();
        let before = descriptors(target.person.pid());
        let watch = target.watch();
        let at = target.at;
        let mut served = 0;
        serve(&target, &mut served, &mut verdict, "nothing yet").await;
        let standing = silent(at).await;
        serve(&target, &mut served, &mut verdict, "connections that say nothing").await;
        drop(standing);
        let standing = half(at).await;
        serve(&target, &mut served, &mut verdict, "handshakes left half done").await;
        drop(standing);
        babble(at).await;
        serve(&target, &mut served, &mut verdict, "garbage at every layer").await;
        streams(at).await;
        serve(&target, &mut served, &mut verdict, "streams by the thousand").await;
        let standing = endless(at).await;
        serve(&target, &mut served, &mut verdict, "frames that never end").await;
        drop(standing);
        rude(at, &mut verdict).await;
        serve(&target, &mut served, &mut verdict, "wrong versions, no Hello, Hello after Hello").await;
        let standing = pinned(at).await;
        serve(&target, &mut served, &mut verdict, "windows filled to the brim").await;
        drop(standing);
        hoarders(at).await;
        serve(&target, &mut served, &mut verdict, "peers that ask for all and read nothing").await;
        let settled = settles(&target, before).await;
        verdict.check("every socket is given back", settled, descriptors(target.person.pid()));
        verdict.behaves(&watch.end(), 16 << 20);
        verdict.give();
    });
}

/// A newcomer comes and hands over a message while the attackers are still there, where they can be.
async fn serve(target: &Target, served: &mut u64, verdict: &mut Verdict, after: &str) {
    *served += 1;
    let mut dice = dice(4_000 + *served);
    let key = fresh_key(&mut dice);
    let one = Genuine::text(&key, target.node, *served, &format!("served {served}"));
    let began = tokio::time::Instant::now();
    let mut tries = 0;
    let accepted = loop {
        tries += 1;
        if let Ok(mut honest) = Rogue::meet(&key, target.at, Ears::Count).await
            && honest.say(&handing_over(one.bundle.bytes())).await.is_ok()
            && honest.accepted(one.bundle.id.prefix(), PATIENCE).await
        {
            break true;
        }
        if began.elapsed() > PATIENCE {
            break false;
        }
        sleep(Duration::from_millis(200)).await;
    };
    let took = began.elapsed().as_secs_f64();
    if !accepted {
        let talk = target.person.talk();
        let panics = talk.lines().filter(|line| line.contains("panicked") || line.contains("ERROR"));
        panics.for_each(|line| println!("      the node said: {line}"));
    }
    verdict.check(&format!("after {after} a newcomer is served"), accepted, format!("try {tries}, {took:.1} s"));
}

/// Connects again and again, and keeps what it can.
async fn silent(at: SocketAddr) -> impl Sized {
    let mut open = Vec::new();
    for _ in 0..size(400, 3_000) {
        open.push(plain(at).await);
    }
    sleep(stand()).await;
    open
}

async fn half(at: SocketAddr) -> impl Sized {
    let mut dice = dice(41);
    let mut open = Vec::new();
    for n in 0..size(300, 3_000) {
        let Ok(mut socket) = plain(at).await else { continue };
        let mut begun = [line("/multistream/1.0.0"), line("/noise")].concat();
        match n % 3 {
            0 => begun.truncate(10),
            1 => {}
            // The first message of Noise: a length, and half of a key.
            _ => begun.extend([0, 32].into_iter().chain((0..16).map(|_| dice.next_u64() as u8))),
        }
        let _ = socket.write_all(&begun).await;
        open.push(socket);
    }
    sleep(stand()).await;
    open
}

async fn babble(at: SocketAddr) {
    let mut dice = dice(42);
    for n in 0..size(100, 2_000) {
        let mut noise = vec![0; 1 + (dice.next_u64() % 5_000) as usize];
        dice.fill_bytes(&mut noise);
        let key = fresh_key(&mut dice);
        let said: io::Result<()> = async {
            match n % 3 {
                0 => plain(at).await?.write_all(&noise).await,
                1 => {
                    let wire = Wire::dial(&key, at).await?;
                    let mut stream = wire.open().await?;
                    stream.write_all(&noise).await
                }
                _ => Rogue::contact(&key, at, Ears::Count).await?.say(&noise).await,
            }
        }
        .await;
        drop(said);
    }
}

/// Opens streams until the node has enough of it, negotiating nothing, nonsense, or contact after contact.
async fn streams(at: SocketAddr) {
    let mut dice = dice(43);
    for n in 0..size(9, 60) {
        let Ok(wire) = Wire::dial(&fresh_key(&mut dice), at).await else { continue };
        let mut open = Vec::new();
        for _ in 0..2_000 {
            let Ok(Ok(mut stream)) = timeout(Duration::from_secs(1), wire.open()).await else { break };
            let said = match n % 3 {
                0 => Ok(()),
                1 => stream.write_all(&line("/multistream/1.0.0")[..9]).await,
                _ => timeout(Duration::from_secs(1), propose(&mut stream, CONTACT)).await.unwrap_or(Ok(())),
            };
            if said.is_err() || wire.is_over() {
                break;
            }
            open.push(stream);
        }
    }
}

/// Announces a long frame and sends none of it, or a byte now and then.
async fn endless(at: SocketAddr) -> impl Sized {
    let mut dice = dice(44);
    let mut open = Vec::new();
    for n in 0..size(40, 80) {
        let Ok(mut rogue) = Rogue::meet(&fresh_key(&mut dice), at, Ears::Count).await else { continue };
        let _ = rogue.say(&length(1_000_000)).await;
        open.push((n, rogue));
    }
    let until = tokio::time::Instant::now() + stand();
    while tokio::time::Instant::now() < until {
        for (n, rogue) in &mut open {
            if n.is_multiple_of(2) {
                let _ = rogue.say(&[0]).await;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    open
}

/// Each of these ends the contact.
async fn rude(at: SocketAddr, verdict: &mut Verdict) {
    let mut dice = dice(45);
    let greeting = framed(&Frame::Hello(hello()).encode().unwrap());
    let offer = framed(&Frame::Offer { ids: vec![BundleId([1; 32])] }.encode().unwrap());
    let mut another = greeting.clone();
    // Length, array, kind, version.
    another[3] = 2;
    let rude: [(&str, Vec<u8>); 5] = [
        ("another version of the protocol", another),
        ("Hello after Hello", [&greeting[..], &greeting].concat()),
        ("an offer before the Hello", offer),
        ("a frame of no end", [&greeting[..], &[0xff; 8]].concat()),
        ("a length with nothing in its last byte", [&greeting[..], &[0x81, 0, 0]].concat()),
    ];
    for round in 0..size(5, 50) {
        // Side by side: the node gives each of them a moment to hang up first.
        let said = rude.iter().map(|(what, said)| (what, said, fresh_key(&mut dice)));
        let ends = join_all(said.map(async |(what, said, key)| {
            let mut rogue = Rogue::contact(&key, at, Ears::Count).await.ok()?;
            let _ = rogue.say(said).await;
            Some((what, rogue.wire.ends_within(PATIENCE).await))
        }));
        for (what, ended) in ends.await.into_iter().flatten().filter(|(_, ended)| round == 0 || !ended) {
            verdict.check(&format!("{what} ends the contact"), ended, ended);
        }
    }
}

/// Fills whatever room a connection gives: a frame short of its last byte, and the windows of streams nobody reads.
async fn pinned(at: SocketAddr) -> impl Sized {
    let mut dice = dice(46);
    let mut open = Vec::new();
    for _ in 0..size(40, 80) {
        let Ok(mut rogue) = Rogue::meet(&fresh_key(&mut dice), at, Ears::Shut).await else { continue };
        let long = framed(&vec![0; 1 << 20]);
        let _ = timeout(Duration::from_secs(2), rogue.say(&long[..long.len() - 1])).await;
        let mut streams = Vec::new();
        for _ in 0..16 {
            let Ok(Ok(mut stream)) = timeout(Duration::from_secs(1), rogue.wire.open()).await else { break };
            let filling = vec![0x10; 256 * 1024];
            let _ = timeout(Duration::from_millis(50), stream.write_all(&filling)).await;
            streams.push(stream);
        }
        open.push((rogue, streams));
    }
    sleep(stand()).await;
    open
}

/// Hands over what is known again and again, asks for everything, and never reads an answer.
async fn hoarders(at: SocketAddr) {
    let mut dice = dice(47);
    let key = fresh_key(&mut dice);
    let held: Vec<_> =
        (0..40).map(|n| Genuine::noise(&key, dak::bundle::Signer::node(&key), n, &[7; 50_000])).collect();
    let mut honest = Rogue::meet(&fresh_key(&mut dice), at, Ears::Count).await.expect("an honest peer");
    for one in &held {
        let _ = honest.say(&handing_over(one.bundle.bytes())).await;
    }
    honest.answered(held.len() as u64, PATIENCE).await;
    let small = Genuine::noise(&key, dak::bundle::Signer::node(&key), 99, b"x");
    let known = handing_over(small.bundle.bytes()).repeat(500);
    let take = framed(&Frame::Take { ids: held.iter().map(|one| one.bundle.id).collect() }.encode().unwrap());
    let ask = framed(&Frame::Ask { ids: held.iter().map(|one| one.bundle.id).collect() }.encode().unwrap());
    let rounds = size(20, 200);
    let crowd: Vec<_> = (0..size(40, 80))
        .map(|_| {
            let (key, said) = (fresh_key(&mut dice), [&take[..], &ask, &known].concat());
            tokio::spawn(async move {
                let Ok(mut rogue) = Rogue::meet(&key, at, Ears::Shut).await else { return };
                for _ in 0..rounds {
                    let said = timeout(Duration::from_secs(5), rogue.say(&said)).await;
                    if !matches!(said, Ok(Ok(()))) {
                        break;
                    }
                }
                sleep(stand()).await;
            })
        })
        .collect();
    for one in crowd {
        let _ = one.await;
    }
}

async fn settles(target: &Target, before: usize) -> bool {
    for _ in 0..600 {
        // The API and a stray connection come and go.
        if descriptors(target.person.pid()) <= before + 8 {
            return true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    false
}
