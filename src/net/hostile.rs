//! Tests against peers that speak libp2p well and our protocol badly.

use std::thread;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::core::Transport;
use libp2p::core::upgrade::Version;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, noise, ping, swarm, tcp};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::muxer::Yamux;
use super::protocol::{self, Happened};
use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_length_past_the_limit_ends_the_contact_and_is_told() {
    let (_alice, mut events, addr) = alice(Limits::default()).await;
    let rogue = Rogue::start(2);
    let (mut outbound, mut inbound) = rogue.contact(&addr).await;
    outbound.write_all(&[&[5], b"hello".as_slice(), &[0xff; 4], b"more"].concat()).await.unwrap();
    outbound.flush().await.unwrap();
    assert_eq!(
        story(&mut events, 4).await,
        ["up", "frame hello", "bad announced a frame of 2097152 bytes or more", "down Bad"]
    );
    // The connection is closed as well.
    assert!(matches!(timeout(PATIENCE, inbound.read(&mut [0; 9])).await.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn who_says_nothing_in_a_contact_is_cut() {
    let deadlines = Deadlines { first_byte: Duration::from_millis(200), ..Deadlines::default() };
    let (_alice, mut events, addr) = alice(Limits { deadlines, ..Limits::default() }).await;
    let rogue = Rogue::start(2);
    let _streams = rogue.contact(&addr).await;
    assert_eq!(story(&mut events, 3).await, ["up", "bad said nothing after the contact began", "down Bad"]);
}

#[tokio::test]
async fn a_frame_that_never_ends_is_cut() {
    let deadlines = Deadlines { progress: Duration::from_millis(300), ..Deadlines::default() };
    let (_alice, mut events, addr) = alice(Limits { deadlines, ..Limits::default() }).await;
    let rogue = Rogue::start(2);
    let (mut outbound, _inbound) = rogue.contact(&addr).await;
    outbound.write_all(&[0xc0, 0x84, 0x3d]).await.unwrap();
    outbound.flush().await.unwrap();
    assert_eq!(story(&mut events, 3).await, ["up", "bad sent a frame too slowly", "down Bad"]);
}

#[tokio::test]
async fn a_connection_without_a_contact_is_closed() {
    let deadlines = Deadlines { contact: Duration::from_millis(300), ..Deadlines::default() };
    let (_alice, mut events, addr) = alice(Limits { deadlines, ..Limits::default() }).await;
    for secret in [2, 3, 4, 5] {
        let mut rogue = Rogue::start(secret);
        rogue.connect(&addr).await;
        // Its streams are not even taken from the swarm; it opens none.
        rogue.disconnected().await;
    }
    assert!(events.try_recv().is_err(), "no contact was told");
}

#[tokio::test]
async fn stream_after_stream_ends_the_contact() {
    let (_alice, mut events, addr) = alice(Limits::default()).await;
    let mut rogue = Rogue::start(2);
    let (mut outbound, _inbound) = rogue.contact(&addr).await;
    outbound.write_all(&[0]).await.unwrap();
    outbound.flush().await.unwrap();
    assert_eq!(story(&mut events, 2).await, ["up", "frame "]);
    rogue.open(20);
    rogue.disconnected().await;
    let mut rest = story(&mut events, 2).await;
    rest.sort();
    assert_eq!(rest, ["bad opened one stream after another", "down Bad"]);
}

/// Both as leader and as follower: which one the rogue is depends on its key.
#[tokio::test]
async fn a_peer_that_comes_back_beside_its_old_connection_gets_a_new_contact() {
    for secret in [2, 3, 4, 5] {
        let (_alice, mut events, addr) = alice(Limits::default()).await;
        let before = Rogue::start(secret);
        let _dead = before.contact(&addr).await;
        assert_eq!(story(&mut events, 1).await, ["up"]);
        // As after a power cut: the old connection stands, and nobody is behind it.
        let after = Rogue::start(secret);
        let (mut outbound, _inbound) = after.contact(&addr).await;
        outbound.write_all(&[1, b'x']).await.unwrap();
        outbound.flush().await.unwrap();
        assert_eq!(story(&mut events, 3).await, ["down Replaced", "up", "frame x"], "secret {secret}");
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_given_up() {
    let deadlines = Deadlines { ping: Duration::from_millis(500), ..Deadlines::default() };
    let (_alice, mut events, addr) = alice(Limits { deadlines, ..Limits::default() }).await;
    let rogue = Rogue::start(2);
    let (mut outbound, _inbound) = rogue.contact(&addr).await;
    outbound.write_all(&[0]).await.unwrap();
    outbound.flush().await.unwrap();
    assert_eq!(story(&mut events, 2).await, ["up", "frame "]);
    // While it answers pings it may say nothing for as long as it likes.
    assert!(timeout(Duration::from_secs(4), events.recv()).await.is_err());
    rogue.freeze();
    assert_eq!(story(&mut events, 1).await, ["down Silent"]);
}

#[tokio::test]
async fn strangers_do_not_take_the_places_of_those_who_were_named() {
    let limits = Limits { strangers_max: 2, familiars_max: 1, ..Limits::default() };
    let (alice, mut events, addr) = alice(limits).await;
    let mut strangers: Vec<_> = (2..6).map(Rogue::start).collect();
    let mut contacts = Vec::new();
    for stranger in &strangers[..2] {
        contacts.push(stranger.contact(&addr).await);
        assert_eq!(story(&mut events, 1).await, ["up"]);
    }
    strangers[2].connect(&addr).await;
    strangers[2].disconnected().await;
    alice.add_address(peer::node_id(&strangers[3].id).unwrap(), "/ip4/127.0.0.1/tcp/9".parse().unwrap());
    // The wish is taken up by the time the dial arrives, or else by the next one.
    let _contact = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Ok(contact) = timeout(Duration::from_secs(2), strangers[3].contact(&addr)).await {
            break contact;
        }
    };
    assert_eq!(story(&mut events, 1).await, ["up"]);
}

#[tokio::test]
async fn somebody_the_owner_has_a_name_for_finds_a_place_from_wherever_he_comes() {
    let limits = Limits { strangers_max: 1, familiars_max: 1, ..Limits::default() };
    let (alice, mut events, addr) = alice(limits).await;
    let (stranger, mut friend) = (Rogue::start(2), Rogue::start(3));
    let _stranger = stranger.contact(&addr).await;
    assert_eq!(story(&mut events, 1).await, ["up"]);
    friend.connect(&addr).await;
    friend.disconnected().await;
    alice.name(peer::node_id(&friend.id).unwrap());
    // The wish is taken up by the time the dial arrives, or else by the next one.
    let _friend = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Ok(contact) = timeout(Duration::from_secs(2), friend.contact(&addr)).await {
            break contact;
        }
    };
    assert_eq!(story(&mut events, 1).await, ["up"]);
}

#[tokio::test]
async fn who_is_sent_away_is_cut_at_once_and_does_not_come_back() {
    let (alice, mut events, addr) = alice(Limits::default()).await;
    let mut rogue = Rogue::start(2);
    let _streams = rogue.contact(&addr).await;
    assert_eq!(story(&mut events, 1).await, ["up"]);
    alice.banish(peer::node_id(&rogue.id).unwrap(), PATIENCE * 10);
    assert_eq!(story(&mut events, 1).await, ["down Bad"]);
    rogue.disconnected().await;
    rogue.connect(&addr).await;
    rogue.disconnected().await;
    assert!(events.try_recv().is_err(), "no second contact");
}

#[tokio::test]
async fn a_fault_of_this_program_in_one_contact_ends_that_contact_and_no_other() {
    let (_alice, mut events, addr) = alice(Limits::default()).await;
    let (honest, mut cursed) = (Rogue::start(2), Rogue::start(93));
    let (mut outbound, _inbound) = honest.contact(&addr).await;
    assert_eq!(story(&mut events, 1).await, ["up"]);
    plant_fault(peer::node_id(&cursed.id).unwrap());
    let (mut curse, _answer) = cursed.contact(&addr).await;
    curse.write_all(&[1, b'x']).await.unwrap();
    curse.flush().await.unwrap();
    assert_eq!(story(&mut events, 2).await, ["up", "down Fault"]);
    cursed.disconnected().await;
    outbound.write_all(&[1, b'y']).await.unwrap();
    outbound.flush().await.unwrap();
    assert_eq!(story(&mut events, 1).await, ["frame y"]);
}

#[tokio::test]
async fn a_third_connection_of_one_peer_is_refused() {
    // So that nothing but the number of them closes one.
    let deadlines = Deadlines { contact: PATIENCE * 10, ..Deadlines::default() };
    let (_alice, mut events, addr) = alice(Limits { deadlines, ..Limits::default() }).await;
    let mut rogues: Vec<_> = (0..3).map(|_| Rogue::start(2)).collect();
    let _first = rogues[0].contact(&addr).await;
    assert_eq!(story(&mut events, 1).await, ["up"]);
    rogues[1].connect(&addr).await;
    rogues[2].connect(&addr).await;
    rogues[2].disconnected().await;
}

async fn alice(limits: Limits) -> (NetHandle, mpsc::Receiver<NetEvent>, Multiaddr) {
    let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
    let config = NetConfig { listen, limits, ..NetConfig::default() };
    let (alice, mut events) = Net::start(config, peer::keypair([1; 32])).unwrap();
    let Some(NetEvent::Listening(addr)) = events.recv().await else { panic!("it does not listen") };
    (alice, events, addr)
}

/// The next events in words.
async fn story(events: &mut mpsc::Receiver<NetEvent>, count: usize) -> Vec<String> {
    let mut story = Vec::new();
    while story.len() < count {
        story.push(match timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("it runs") {
            NetEvent::ContactUp { .. } => "up".to_string(),
            NetEvent::Frame { bytes, .. } => format!("frame {}", String::from_utf8_lossy(&bytes)),
            NetEvent::ContactDown { why, .. } => format!("down {why:?}"),
            NetEvent::Bad { what, .. } => format!("bad {what}"),
            NetEvent::Listening(_)
            | NetEvent::ListeningEnded(_)
            | NetEvent::Discovered { .. }
            | NetEvent::Moved { .. }
            | NetEvent::Vanished { .. }
            | NetEvent::Named { .. }
            | NetEvent::Twin { .. }
            | NetEvent::AddressWorked { .. } => continue,
        });
    }
    story
}

/// A libp2p node on a thread of its own that opens streams when it is told to.
struct Rogue {
    id: PeerId,
    orders: mpsc::UnboundedSender<Order>,
    news: mpsc::UnboundedReceiver<News>,
    streams: tokio::sync::Mutex<mpsc::UnboundedReceiver<Happened>>,
}

enum Order {
    /// And open so many streams then.
    Dial(Multiaddr, usize),
    Open(usize),
    Freeze,
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    Connected,
    Disconnected,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    protocol: protocol::Behaviour,
    ping: ping::Behaviour,
}

impl Rogue {
    fn start(secret: u8) -> Rogue {
        let keypair = peer::keypair([secret; 32]);
        let id = keypair.public().to_peer_id();
        let (orders, taken) = mpsc::unbounded_channel();
        let (tell, news) = mpsc::unbounded_channel();
        let (give, streams) = mpsc::unbounded_channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(keypair, taken, tell, give));
        });
        Rogue { id, orders, news, streams: tokio::sync::Mutex::new(streams) }
    }

    /// Dials, and waits for the connection.
    async fn connect(&mut self, addr: &Multiaddr) {
        self.order(Order::Dial(addr.clone(), 0));
        assert_eq!(timeout(PATIENCE, self.news.recv()).await.expect("news in time"), Some(News::Connected));
    }

    async fn disconnected(&mut self) {
        while timeout(PATIENCE, self.news.recv()).await.expect("news in time") != Some(News::Disconnected) {}
    }

    /// Dials and opens a contact; returns the stream to write and the one to read.
    async fn contact(&self, addr: &Multiaddr) -> (Stream, Stream) {
        self.order(Order::Dial(addr.clone(), 1));
        let mut streams = self.streams.lock().await;
        let (mut outbound, mut inbound) = (None, None);
        while outbound.is_none() || inbound.is_none() {
            match timeout(PATIENCE, streams.recv()).await.expect("a stream in time") {
                Some(Happened::StreamIn(stream)) => inbound = Some(stream),
                Some(Happened::StreamOut(stream)) => outbound = Some(stream),
                other => panic!("{other:?}"),
            }
        }
        (outbound.unwrap(), inbound.unwrap())
    }

    /// Opens more streams, one after another.
    fn open(&self, count: usize) {
        self.order(Order::Open(count));
    }

    /// Stops everything it does, its connections' tasks too, and leaves the sockets open.
    fn freeze(&self) {
        self.order(Order::Freeze);
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the rogue runs");
    }
}

async fn run(
    keypair: Keypair,
    mut orders: mpsc::UnboundedReceiver<Order>,
    tell: mpsc::UnboundedSender<News>,
    give: mpsc::UnboundedSender<Happened>,
) {
    let mut swarm = rogue_swarm(&keypair);
    let mut connection: Option<(PeerId, ConnectionId)> = None;
    let mut to_open = 0;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Dial(addr, open)) => {
                    to_open = open;
                    swarm.dial(DialOpts::unknown_peer_id().address(addr).allocate_new_port().build()).unwrap();
                }
                Some(Order::Open(open)) => {
                    to_open = open;
                    open_one(&mut swarm, connection, &mut to_open);
                }
                Some(Order::Freeze) => thread::sleep(PATIENCE),
                None => return,
            },
            event = swarm.select_next_some() => match event {
                SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                    connection = Some((peer_id, connection_id));
                    let _ = tell.send(News::Connected);
                    open_one(&mut swarm, connection, &mut to_open);
                }
                SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                    let _ = tell.send(News::Disconnected);
                }
                SwarmEvent::Behaviour(BehaviourEvent::Protocol(event)) => {
                    if let Happened::StreamOut(_) = event.happened {
                        open_one(&mut swarm, connection, &mut to_open);
                    }
                    let _ = give.send(event.happened);
                }
                _ => {}
            }
        }
    }
}

fn open_one(swarm: &mut Swarm<Behaviour>, connection: Option<(PeerId, ConnectionId)>, to_open: &mut usize) {
    if let Some((peer, connection)) = connection
        && *to_open > 0
    {
        *to_open -= 1;
        swarm.behaviour_mut().protocol.open(peer, connection);
    }
}

fn rogue_swarm(keypair: &Keypair) -> Swarm<Behaviour> {
    let transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair).unwrap())
        .multiplex(Yamux)
        .boxed();
    let behaviour =
        Behaviour { protocol: protocol::Behaviour::new(Duration::from_secs(10)), ping: ping::Behaviour::default() };
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(PATIENCE);
    Swarm::new(transport, behaviour, keypair.public().to_peer_id(), config)
}
