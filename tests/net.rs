//! Stories of two nodes' networks on loopback, and of others that only pretend to be one.
#![cfg(feature = "node")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use dak::net::{Limits, Net, NetConfig, NetError, NetEvent, SendError, Why};
use libp2p::Multiaddr;
use support::net::{Node, any_port, one_port, secret};

#[tokio::test]
async fn frames_go_both_ways_in_order_and_intact() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..NetConfig::default() }).await;
    let to_bob = alice.up(bob.id).await;
    let to_alice = bob.up(alice.id).await;
    let frames = |salt: usize| -> Vec<Vec<u8>> {
        let lengths = [1, 0, 1 << 20, 3, 65_536, 65_532, 16_384, 16_383, 500_000].into_iter().chain(0..500);
        lengths.map(|len| (0..len).map(|at| (at * 31 + at / 255 + len + salt) as u8).collect()).collect()
    };
    for (to_bob_frame, to_alice_frame) in frames(1).into_iter().zip(frames(2)) {
        to_bob.send(to_bob_frame).unwrap();
        to_alice.send(to_alice_frame).unwrap();
    }
    for expected in frames(1) {
        assert!(bob.frame(alice.id).await == expected, "a frame of {} bytes", expected.len());
    }
    for expected in frames(2) {
        assert!(alice.frame(bob.id).await == expected, "a frame of {} bytes", expected.len());
    }
    assert_eq!(to_bob.queued_bytes(), 0);
}

#[tokio::test]
async fn an_address_with_the_peers_id_works_too_and_is_worth_saving() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let named: Multiaddr = format!("{}/p2p/{}", alice.addr(), alice.id.peer_id()).parse().unwrap();
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![named], ..NetConfig::default() }).await;
    alice.up(bob.id).await;
    let worked = bob.find(|event| match event {
        NetEvent::AddressWorked { peer, addr } => Ok((peer, addr)),
        event => Err(event),
    });
    assert_eq!(worked.await, (alice.id, alice.addr()));
}

#[tokio::test]
async fn an_address_where_another_node_answers_makes_no_contact() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let carol = dak::net::peer::keypair(secret(3)).public().to_peer_id();
    let wrong: Multiaddr = format!("{}/p2p/{carol}", alice.addr()).parse().unwrap();
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![wrong], ..NetConfig::default() }).await;
    bob.stays_without_contact(Duration::from_millis(500)).await;
    alice.stays_without_contact(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn both_dial_at_once_and_there_is_one_contact() {
    for round in 0..10 {
        let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
        let mut bob = Node::start(secret(2), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
        alice.handle.add_address(bob.id, bob.addr());
        bob.handle.add_address(alice.id, alice.addr());
        alice.handle.dial(bob.id);
        bob.handle.dial(alice.id);
        let to_bob = alice.up(bob.id).await;
        let to_alice = bob.up(alice.id).await;
        to_bob.send(vec![round]).unwrap();
        to_alice.send(vec![round]).unwrap();
        assert_eq!(bob.frame(alice.id).await, [round]);
        assert_eq!(alice.frame(bob.id).await, [round]);
        // Nothing flaps afterwards.
        alice.stays_in_contact(Duration::from_millis(300)).await;
        bob.stays_in_contact(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_peer_that_restarts_on_its_port_is_found_again() {
    let alice = Node::start(secret(1), NetConfig { listen: one_port(), ..NetConfig::default() }).await;
    let addr = alice.addr();
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![addr.clone()], ..NetConfig::default() }).await;
    bob.up(alice.id).await;
    alice.handle.shutdown().await;
    assert_eq!(bob.down(alice.id).await, Why::Closed);
    drop(alice);
    let mut alice = Node::start(secret(1), NetConfig { listen: vec![addr], ..NetConfig::default() }).await;
    let to_alice = bob.up(alice.id).await;
    alice.up(bob.id).await;
    to_alice.send(b"again".to_vec()).unwrap();
    assert_eq!(alice.frame(bob.id).await, b"again");
}

#[tokio::test]
async fn another_node_at_a_given_address_is_taken_for_what_it_is() {
    let alice = Node::start(secret(1), NetConfig { listen: one_port(), ..NetConfig::default() }).await;
    let addr = alice.addr();
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![addr.clone()], ..NetConfig::default() }).await;
    bob.up(alice.id).await;
    alice.handle.shutdown().await;
    bob.down(alice.id).await;
    let carol = Node::start(secret(3), NetConfig { listen: vec![addr], ..NetConfig::default() }).await;
    bob.up(carol.id).await;
}

#[tokio::test]
async fn what_was_queued_before_a_shutdown_arrives() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..NetConfig::default() }).await;
    let to_alice = bob.up(alice.id).await;
    for n in 0..1_000_u32 {
        to_alice.send([n.to_be_bytes().as_slice(), &[0; 996]].concat()).unwrap();
    }
    let stopping = bob.handle.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown().await });
    alice.up(bob.id).await;
    for n in 0..1_000_u32 {
        assert_eq!(alice.frame(bob.id).await[..4], n.to_be_bytes());
    }
    assert_eq!(alice.down(bob.id).await, Why::Closed);
    assert_eq!(bob.down(alice.id).await, Why::Shutdown);
    stopped.await.unwrap();
    assert_eq!(to_alice.send(vec![]), Err(SendError::Closed));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_node_that_takes_no_events() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..NetConfig::default() }).await;
    let to_alice = bob.up(alice.id).await;
    alice.up(bob.id).await;
    for _ in 0..100_000 {
        to_alice.send(vec![0; 10]).unwrap();
    }
    // From here on nobody reads Alice's events, and they are more than fit.
    tokio::time::timeout(Duration::from_secs(20), alice.handle.shutdown()).await.unwrap();
    assert_eq!(bob.down(alice.id).await, Why::Closed);
}

#[tokio::test]
async fn a_contact_ends_when_it_is_asked_to() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let mut bob = Node::start(secret(2), NetConfig::default()).await;
    bob.handle.add_address(alice.id, alice.addr());
    bob.up(alice.id).await;
    alice.up(bob.id).await;
    alice.handle.disconnect(bob.id);
    assert_eq!(alice.down(bob.id).await, Why::Asked);
    assert_eq!(bob.down(alice.id).await, Why::Closed);
    // Bob may try again, and does: the address is in his book.
    bob.up(alice.id).await;
}

#[tokio::test]
async fn who_takes_nothing_stops_the_sender_and_then_loses_nothing() {
    let (queue_bytes_max, queues_bytes_max) = (256 << 20, 512 << 20);
    let limits = Limits { budget_bytes: 2 << 20, queue_bytes_max, queues_bytes_max, ..Limits::default() };
    let config = NetConfig { listen: any_port(), limits, ..NetConfig::default() };
    let mut alice = Node::start(secret(1), config.clone()).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..config }).await;
    let to_alice = bob.up(alice.id).await;
    alice.up(bob.id).await;
    let frame = |n: u32| [n.to_be_bytes().as_slice(), &[7; 100_000]].concat();
    let count = 640;
    for n in 0..count {
        to_alice.send(frame(n)).unwrap();
    }
    // Alice holds the frames she gets, as a node does that cannot keep up.
    let mut held = Vec::new();
    while let Some(frame) = alice.frame_within(bob.id, Duration::from_millis(700)).await {
        held.push(frame);
    }
    let handed_out: usize = held.iter().map(|(bytes, _)| bytes.len()).sum();
    assert!(handed_out <= 2 << 20, "{handed_out} bytes were handed out");
    let under_way = 100_000 * count as usize - to_alice.queued_bytes();
    assert!(under_way <= 16 << 20, "{under_way} bytes left the sender");
    // A ping or two later the contact still stands; taking up again, she gets all of it.
    for (n, (bytes, permit)) in held.drain(..).enumerate() {
        assert_eq!(bytes[..4], (n as u32).to_be_bytes());
        drop(permit);
    }
    let first = (handed_out / frame(0).len()) as u32;
    for n in first..count {
        assert_eq!(alice.frame(bob.id).await[..4], n.to_be_bytes());
    }
}

#[tokio::test]
async fn strangers_who_dial_in_keep_nobody_from_being_dialed() {
    let config = NetConfig { listen: any_port(), contacts_max: 3, ..NetConfig::default() };
    let mut alice = Node::start(secret(1), config).await;
    let mut strangers = Vec::new();
    for n in 10..13 {
        let config = NetConfig { peers: vec![alice.addr()], ..NetConfig::default() };
        let mut stranger = Node::start(secret(n), config).await;
        let to_alice = stranger.up(alice.id).await;
        let to_stranger = alice.up(stranger.id).await;
        // Who says nothing is cut.
        to_alice.send(Vec::new()).unwrap();
        to_stranger.send(Vec::new()).unwrap();
        alice.frame(stranger.id).await;
        stranger.frame(alice.id).await;
        strangers.push((stranger, to_alice, to_stranger));
    }
    let bob = Node::start(secret(2), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    alice.handle.name(bob.id);
    alice.handle.add_address(bob.id, bob.addr());
    alice.up(bob.id).await;
}

#[tokio::test]
async fn a_queue_past_its_bound_ends_the_contact() {
    let limits = Limits { budget_bytes: 2 << 20, queue_bytes_max: 4 << 20, ..Limits::default() };
    let config = NetConfig { listen: any_port(), limits, ..NetConfig::default() };
    let mut alice = Node::start(secret(1), config.clone()).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..config }).await;
    let to_alice = bob.up(alice.id).await;
    let refused = loop {
        match to_alice.send(vec![0; 100_000]) {
            Ok(()) => tokio::task::yield_now().await,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, SendError::Full);
    assert_eq!(bob.down(alice.id).await, Why::Stalled);
    assert_eq!(to_alice.send(vec![]), Err(SendError::Closed));
    // Alice sees it when she looks: her contact ends after what she was given.
    let mut permits = Vec::new();
    alice.up(bob.id).await;
    while let Some(frame) = alice.frame_within(bob.id, Duration::from_millis(200)).await {
        permits.push(frame);
    }
    permits.clear();
    assert_eq!(alice.down_after_frames(bob.id).await, Why::Closed);
}

#[tokio::test]
async fn a_frame_too_long_is_not_even_queued() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..NetConfig::default() }).await;
    let to_alice = bob.up(alice.id).await;
    assert_eq!(to_alice.send(vec![0; Limits::default().frame_bytes_max + 1]), Err(SendError::TooLong));
    to_alice.send(vec![1; Limits::default().frame_bytes_max]).unwrap();
    assert_eq!(alice.frame(bob.id).await.len(), Limits::default().frame_bytes_max);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port()).parse().unwrap();
    let config = NetConfig { listen: vec![addr.clone()], ..NetConfig::default() };
    let Err(NetError::PortTaken { addr: named }) = Net::start(config, dak::net::peer::keypair(secret(1))) else {
        panic!("two programs share a port");
    };
    assert_eq!(named, addr);
}

#[tokio::test]
async fn two_nodes_do_not_share_a_port() {
    let mut alice = Node::start(secret(1), NetConfig { listen: any_port(), ..NetConfig::default() }).await;
    let addr = alice.addr();
    let config = NetConfig { listen: vec![addr.clone()], ..NetConfig::default() };
    let error = Net::start(config, dak::net::peer::keypair(secret(2))).unwrap_err();
    assert!(matches!(&error, NetError::PortTaken { addr: named } if *named == addr), "{error}");
    assert!(error.to_string().contains(&addr.to_string()));
    alice.stays_without_contact(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_with_a_sentence() {
    let bad: Multiaddr = "/dns4/example.org/tcp/4747".parse().unwrap();
    let config = NetConfig { peers: vec![bad.clone()], ..NetConfig::default() };
    let error = Net::start(config, dak::net::peer::keypair(secret(1))).unwrap_err();
    assert!(error.to_string().starts_with("/dns4/example.org/tcp/4747 cannot be used"), "{error}");
    let error = Net::start(NetConfig { listen: vec![bad], ..NetConfig::default() }, dak::net::peer::keypair(secret(1)));
    assert!(matches!(error, Err(NetError::Unsupported { .. })));
}

#[tokio::test]
async fn a_node_that_dials_itself_has_no_contact() {
    let alice = Node::start(secret(1), NetConfig { listen: one_port(), ..NetConfig::default() }).await;
    let addr = alice.addr();
    alice.handle.shutdown().await;
    let config = NetConfig { listen: vec![addr.clone()], peers: vec![addr], ..NetConfig::default() };
    let mut alice = Node::start(secret(1), config).await;
    alice.stays_without_contact(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn raw_connections_are_dropped_and_keep_nobody_out() {
    let limits = Limits { pending_max: 16, ..Limits::default() };
    let config = NetConfig { listen: any_port(), limits, ..NetConfig::default() };
    let mut alice = Node::start(secret(1), config).await;
    let socket = alice.socket();
    let mut raw = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(socket).unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        }
        raw.push(stream);
    }
    let mut bob = Node::start(secret(2), NetConfig { peers: vec![alice.addr()], ..NetConfig::default() }).await;
    let to_alice = bob.up(alice.id).await;
    let to_bob = alice.up(bob.id).await;
    to_alice.send(b"through".to_vec()).unwrap();
    to_bob.send(b"likewise".to_vec()).unwrap();
    assert_eq!(alice.frame(bob.id).await, b"through");
    // Garbage is cut at once, silence when others come or after the handshake's deadline.
    let cut = tokio::task::spawn_blocking(move || {
        raw.iter_mut().all(|stream| {
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            ends(stream)
        })
    });
    assert!(cut.await.unwrap());
    to_alice.send(b"still".to_vec()).unwrap();
    assert_eq!(alice.frame(bob.id).await, b"still");
}

/// Whether the other side closes a connection; what it says before is of no interest.
fn ends(stream: &mut TcpStream) -> bool {
    let mut said = [0; 256];
    loop {
        match stream.read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
