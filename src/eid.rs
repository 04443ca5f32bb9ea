//! Endpoints: `dtn://<peer-id>/<service>`, where the name is a key.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{KeyError, NodeId, peer_id_key};

/// The endpoint a bundle comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Eid {
    pub node: NodeId,
    pub service: Service,
}

/// What lives at a node under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// `dtn://<peer-id>/`: the source of everything and the destination of receipts.
    Admin,
    /// `dtn://<peer-id>/mail`: a person's mailbox.
    Mail,
    /// `dtn://<peer-id>/~name`: a group; never a source.
    Group(Arc<str>),
    /// A singleton service this version does not know; carried all the same.
    Other(Arc<str>),
    /// `dtn://<peer-id>/~topic.name`: a topic that this key owns; public, and never a source.
    Topic(Arc<str>),
}

/// The service that members of groups send their receipts to.
const GOT: &str = "got";
/// Longest service name in bytes.
pub const SERVICE_BYTES_MAX: usize = 64;

/// Why text is not an endpoint of this profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EidError {
    #[error("an endpoint looks like dtn://<peer-id>/<service>")]
    Form,
    #[error("the service name is empty after ~, too long, or has a character outside a-z 0-9 . _ -")]
    Service,
    #[error("the node's name is refused: {0}")]
    Key(#[from] KeyError),
}

impl Eid {
    pub fn admin(node: NodeId) -> Eid {
        Eid { node, service: Service::Admin }
    }

    pub fn mail(node: NodeId) -> Eid {
        Eid { node, service: Service::Mail }
    }

    /// Parses `dtn://…`; the text must be exactly what `Display` prints.
    pub fn parse(text: &str) -> Result<Eid, EidError> {
        Eid::parse_after_scheme(text.strip_prefix("dtn:").ok_or(EidError::Form)?)
    }

    /// Parses the scheme-specific part `//<peer-id>/<service>` as it stands in a bundle.
    pub fn parse_after_scheme(text: &str) -> Result<Eid, EidError> {
        let eid = Eid::parse_name(text)?;
        NodeId::from_key(*eid.node.as_bytes())?;
        Ok(eid)
    }

    /// Parses the scheme-specific part without asking whether its key is a good one.
    pub(crate) fn parse_name(text: &str) -> Result<Eid, EidError> {
        let (node, service) = text.strip_prefix("//").and_then(|rest| rest.split_once('/')).ok_or(EidError::Form)?;
        let service = Service::parse(service)?;
        Ok(Eid { node: NodeId::from_trusted(peer_id_key(node)?), service })
    }

    /// The scheme-specific part `//<peer-id>/<service>`.
    pub fn after_scheme(&self) -> String {
        format!("//{}/{}", self.node.peer_id(), self.service)
    }

    /// A topic; `name` as [`Service::Topic`] has it.
    pub fn topic(node: NodeId, name: &str) -> Eid {
        Eid { node, service: Service::Topic(name.into()) }
    }

    /// A group; its key is a point that nobody has the secret of (`content/group.rs`).
    pub fn group(node: NodeId) -> Eid {
        Eid { node, service: Service::Group("group".into()) }
    }

    /// Where the members of groups say what of this node's came to them. To a node that knows no such thing it is a service
    /// like others, which it carries.
    pub fn got(node: NodeId) -> Eid {
        Eid { node, service: Service::Other(GOT.into()) }
    }

    pub fn is_got(&self) -> bool {
        matches!(&self.service, Service::Other(name) if &**name == GOT)
    }

    /// Whether it is a group, which has members, and no topic.
    pub fn has_members(&self) -> bool {
        matches!(self.service, Service::Group(_))
    }

    /// Whether any number of nodes may serve it: a group or a topic (RFC 9171 section 4.2.5.1.1 marks them by the `~`).
    pub fn is_group(&self) -> bool {
        matches!(self.service, Service::Group(_) | Service::Topic(_))
    }

    pub fn is_topic(&self) -> bool {
        matches!(self.service, Service::Topic(_))
    }
}

impl Service {
    /// Parses what stands after the node's name.
    pub(crate) fn parse(text: &str) -> Result<Service, EidError> {
        let name = text.strip_prefix('~').unwrap_or(text);
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if !plain || text.len() > SERVICE_BYTES_MAX {
            return Err(EidError::Service);
        }
        match (text, name) {
            ("", _) => Ok(Service::Admin),
            ("mail", _) => Ok(Service::Mail),
            ("~", _) => Err(EidError::Service),
            (text, name) if text.len() > name.len() => Ok(Service::of_many(name)),
            (_, name) => Ok(Service::Other(name.into())),
        }
    }
}

/// How the name of a topic begins among those of groups.
const TOPIC: &str = "topic.";
/// Longest name of a topic in bytes, so that its service is not too long.
pub const TOPIC_BYTES_MAX: usize = 57;
const _: () = assert!(1 + TOPIC.len() + TOPIC_BYTES_MAX == SERVICE_BYTES_MAX);

impl Service {
    /// What is served under a name behind `~`.
    pub(crate) fn of_many(name: &str) -> Service {
        match name.strip_prefix(TOPIC) {
            Some(topic) if is_topic_name(topic) => Service::Topic(topic.into()),
            _ => Service::Group(name.into()),
        }
    }

    /// The name behind `~`, of a group or a topic.
    #[cfg(feature = "node")]
    pub(crate) fn name_of_many(&self) -> Option<String> {
        match self {
            Service::Group(name) => Some(name.to_string()),
            Service::Topic(name) => Some(format!("{TOPIC}{name}")),
            Service::Admin | Service::Mail | Service::Other(_) => None,
        }
    }
}

/// Whether a topic may have this name: levels of `a-z 0-9 _ -` with dots between them, none of them empty.
pub fn is_topic_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    name.len() <= TOPIC_BYTES_MAX && name.split('.').all(|level| !level.is_empty() && level.bytes().all(plain))
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Service::Admin => Ok(()),
            Service::Mail => f.write_str("mail"),
            Service::Group(name) => write!(f, "~{name}"),
            Service::Other(name) => f.write_str(name),
            Service::Topic(name) => write!(f, "~{TOPIC}{name}"),
        }
    }
}

impl fmt::Display for Eid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dtn:{}", self.after_scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_endpoint_reads_back() {
        let node =
            NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes()).unwrap();
        let groups =
            ["crew", "topic", "topic.", "topic..x", "topic.a.", "topics.x"].map(|name| Service::Group(name.into()));
        let topics = ["x", "sensors.temp", "a-b_c.0"].map(|name| Service::Topic(name.into()));
        let others =
            [Service::Admin, Service::Mail, Service::Other("files.v2".into()), Service::Other("topic.x".into())];
        for service in groups.into_iter().chain(topics).chain(others) {
            let eid = Eid { node, service };
            assert_eq!(Eid::parse(&eid.to_string()), Ok(eid));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let peer =
            NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes()).unwrap();
        let peer = peer.peer_id();
        for text in ["dtn:none", "dtn://", &format!("dtn://{peer}"), &format!("DTN://{peer}/mail")] {
            assert_eq!(Eid::parse(text), Err(EidError::Form), "{text}");
        }
        for service in ["~", "Mail", "a/b", "a b", "~~x", "é"] {
            assert_eq!(Eid::parse(&format!("dtn://{peer}/{service}")), Err(EidError::Service), "{service}");
        }
    }
}
