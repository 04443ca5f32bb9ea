//! The swarm: TCP, Noise and Yamux below; our protocol, identify, ping and limits above.

use std::sync::Arc;
use std::time::Duration;

use libp2p::core::Transport;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, connection_limits, identify, noise, ping, swarm};

use super::crowd::Crowd;
use super::jitter::Jitter;
use super::muxer::Yamux;
use super::tcp::{Tcp, Traffic};
use super::{Limits, NetError, admission, book, nickname, pairing, protocol};

/// How long a TCP connection, its handshakes or a stream's negotiation may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Identify speaks once per connection; this is how often it would speak again.
const IDENTIFY_AGAIN: Duration = Duration::from_secs(24 * 3_600);
/// Connections with one peer: the one that carries the contact, and one that may replace it.
const PER_PEER_MAX: u32 = 2;
/// Inbound streams of one connection that are still being negotiated.
const NEGOTIATING_MAX: usize = 8;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    // First, so that a connection refused by number costs nothing more.
    limits: connection_limits::Behaviour,
    pub admission: admission::Behaviour,
    pub protocol: protocol::Behaviour,
    pub pairing: pairing::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

pub(super) fn swarm(
    keypair: &Keypair,
    limits: &Limits,
    name: Option<&str>,
    traffic: Arc<Traffic>,
) -> Result<Swarm<Behaviour>, NetError> {
    let noise = noise::Config::new(keypair).map_err(|error| NetError::Noise(error.to_string()))?;
    let transport =
        Tcp::new(traffic).upgrade(Version::V1Lazy).authenticate(noise).multiplex(Yamux).timeout(HANDSHAKE).boxed();
    let transport = Crowd::new(transport, limits.pending_max).boxed();
    let config = swarm::Config::with_tokio_executor()
        // Our own deadlines close idle connections; this is for what they overlook.
        .with_idle_connection_timeout(limits.deadlines.contact * 2)
        .with_max_negotiating_inbound_streams(NEGOTIATING_MAX);
    let jitter = Jitter::from_os().map_err(NetError::Entropy)?;
    let me = keypair.public().to_peer_id();
    Ok(Swarm::new(transport, behaviour(keypair, limits, name, jitter), me, config))
}

fn behaviour(keypair: &Keypair, limits: &Limits, name: Option<&str>, jitter: Jitter) -> Behaviour {
    let established = limits.strangers_max + limits.familiars_max + book::DIALS_MAX + limits.outbound_max;
    let counts = connection_limits::ConnectionLimits::default()
        // Those whose place was taken leave a little later.
        .with_max_pending_incoming(Some(limits.pending_max as u32 * 2))
        .with_max_pending_outgoing(Some(book::DIALS_MAX as u32 * 2))
        .with_max_established_per_peer(Some(PER_PEER_MAX))
        .with_max_established_outgoing(Some(limits.outbound_max as u32))
        .with_max_established(Some(established as u32));
    let about = identify::Config::new("/dak/1".into(), keypair.public())
        .with_agent_version(nickname::said(name))
        .with_interval(IDENTIFY_AGAIN)
        .with_cache_size(0)
        // It would tell every peer the addresses of every interface. Who dials has a way already, and multicast tells
        // the others.
        .with_hide_listen_addrs(true);
    let ping = ping::Config::new().with_interval(limits.deadlines.ping).with_timeout(limits.deadlines.ping);
    Behaviour {
        limits: connection_limits::Behaviour::new(counts),
        admission: admission::Behaviour::new(limits.strangers_max, limits.familiars_max, jitter),
        protocol: protocol::Behaviour::new(HANDSHAKE),
        pairing: pairing::Behaviour::new(HANDSHAKE),
        identify: identify::Behaviour::new(about),
        ping: ping::Behaviour::new(ping),
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use libp2p::swarm::SwarmEvent;
    use tokio::time::timeout;

    use super::*;
    use crate::net::peer;

    #[tokio::test]
    async fn a_peer_is_told_no_address_of_this_node() {
        let [mut node, mut curious] =
            [1, 2].map(|n| swarm(&peer::keypair([n; 32]), &Limits::default(), None, Arc::default()).unwrap());
        node.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let addr = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = node.select_next_some().await {
                break address;
            }
        };
        curious.dial(addr).unwrap();
        tokio::spawn(async move { while node.next().await.is_some() {} });
        let told = async {
            loop {
                let event = curious.select_next_some().await;
                if let SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { info, .. })) = event {
                    break info;
                }
            }
        };
        let told = timeout(Duration::from_secs(60), told).await.expect("it says what it speaks");
        assert_eq!(told.listen_addrs, []);
    }
}
