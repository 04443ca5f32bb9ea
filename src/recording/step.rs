//! One input as it stands in a recording: frames and bundles as the bytes they have on the wire.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::agent::change::{Adopted, Known, Person, Row};
use crate::agent::{Declined, Input, Terms};
use crate::bundle::{Bundle, Priority};
use crate::content::topic::Filter;
use crate::eid::Eid;
use crate::frame::{Frame, FrameError, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::Millis;

#[derive(Debug, Serialize, Deserialize)]
pub enum Noted {
    Submit {
        token: u64,
        /// None in recordings of before a node could serve more than its own.
        #[serde(default)]
        mailbox: Option<Eid>,
        destination: Eid,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
    },
    Sealed {
        token: u64,
        payload: ByteBuf,
        size_bytes: u32,
    },
    Publish {
        token: u64,
        topic: Eid,
        lifetime: Millis,
        payload: ByteBuf,
    },
    Serve {
        owner: NodeId,
        filter: Filter,
        on: bool,
    },
    ServeGroup {
        group: Eid,
        on: bool,
    },
    GroupMembers {
        group: Eid,
        members: Vec<NodeId>,
    },
    Retain {
        owner: NodeId,
        filter: Filter,
        keep: Option<Millis>,
        bytes: Option<u64>,
    },
    Forsake(Eid),
    ContactUp {
        peer: NodeId,
    },
    ContactDown {
        peer: NodeId,
    },
    Frame {
        from: NodeId,
        frame: ByteBuf,
    },
    Bundle {
        from: NodeId,
        transit: Transit,
        bundle: ByteBuf,
        size_bytes: u32,
    },
    Duplicate {
        from: NodeId,
        transit: Transit,
        id: BundleId,
    },
    Timeout,
    Space {
        free_bytes: u64,
    },
    Recall(Vec<Known>),
    Read {
        id: BundleId,
        tell: bool,
    },
    Unread(BundleId),
    Discard(BundleId),
    Cancel(BundleId),
    Drop(BundleId),
    CarryLimit(u64),
    #[serde(rename = "Meet")]
    SetPerson {
        node: NodeId,
        person: Option<Person>,
    },
    Unreadable {
        to: NodeId,
        id: BundleId,
        row: Row,
    },
    LeaveOnFiles(Vec<BundleId>),
    Moved {
        peer: NodeId,
    },
    Adopt(Box<Adopted>),
    Decline {
        from: NodeId,
        transit: Transit,
        bundle: ByteBuf,
        size_bytes: u32,
        why: Declined,
    },
    HandOn(BundleId),
    HandedIn,
    RoomCame,
}

/// An error where a frame is none that could have been received.
pub fn noted(input: &Input) -> Result<Noted, FrameError> {
    Ok(match input.clone() {
        Input::Submit { token, mailbox, destination, lifetime, priority, copies } => {
            Noted::Submit { token, mailbox: Some(mailbox), destination, lifetime, priority, copies }
        }
        Input::Sealed { token, payload, size_bytes } => {
            Noted::Sealed { token, payload: ByteBuf::from(payload.to_vec()), size_bytes }
        }
        Input::Publish { token, topic, lifetime, payload } => {
            Noted::Publish { token, topic, lifetime, payload: ByteBuf::from(payload.to_vec()) }
        }
        Input::Serve { owner, filter, on } => Noted::Serve { owner, filter, on },
        Input::ServeGroup { group, on } => Noted::ServeGroup { group, on },
        Input::HandedIn => Noted::HandedIn,
        Input::RoomCame => Noted::RoomCame,
        Input::GroupMembers { group, members } => Noted::GroupMembers { group, members },
        Input::Retain { owner, filter, terms: Terms { keep, bytes } } => Noted::Retain { owner, filter, keep, bytes },
        Input::Forsake(topic) => Noted::Forsake(topic),
        Input::ContactUp { peer } => Noted::ContactUp { peer },
        Input::ContactDown { peer } => Noted::ContactDown { peer },
        Input::Frame { from, frame } => Noted::Frame { from, frame: ByteBuf::from(frame.encode()?) },
        Input::Bundle { from, transit, bundle, size_bytes } => {
            Noted::Bundle { from, transit, bundle: ByteBuf::from(bundle.bytes().to_vec()), size_bytes }
        }
        Input::Decline { from, transit, bundle, size_bytes, why } => {
            Noted::Decline { from, transit, bundle: ByteBuf::from(bundle.bytes().to_vec()), size_bytes, why }
        }
        Input::Duplicate { from, transit, id } => Noted::Duplicate { from, transit, id },
        Input::Timeout => Noted::Timeout,
        Input::Space { free_bytes } => Noted::Space { free_bytes },
        Input::Recall(known) => Noted::Recall(known),
        Input::Read { id, tell } => Noted::Read { id, tell },
        Input::Unread(id) => Noted::Unread(id),
        Input::Discard(id) => Noted::Discard(id),
        Input::Cancel(id) => Noted::Cancel(id),
        Input::HandOn(id) => Noted::HandOn(id),
        Input::Drop(id) => Noted::Drop(id),
        Input::CarryLimit(bytes) => Noted::CarryLimit(bytes),
        Input::SetPerson { node, person } => Noted::SetPerson { node, person },
        Input::Unreadable { to, id, row } => Noted::Unreadable { to, id, row },
        Input::LeaveOnFiles(ids) => Noted::LeaveOnFiles(ids),
        Input::Moved { peer } => Noted::Moved { peer },
        Input::Adopt(adopted) => Noted::Adopt(adopted),
    })
}

impl Noted {
    /// The input of a node again. Bundles are verified anew: a recording is a file like any other.
    pub fn input(self, node: NodeId) -> Result<Input, String> {
        Ok(match self {
            Noted::Submit { token, mailbox, destination, lifetime, priority, copies } => {
                let mailbox = mailbox.unwrap_or_else(|| Eid::mail(node));
                Input::Submit { token, mailbox, destination, lifetime, priority, copies }
            }
            Noted::Sealed { token, payload, size_bytes } => {
                Input::Sealed { token, payload: payload.into_vec().into(), size_bytes }
            }
            Noted::Publish { token, topic, lifetime, payload } => {
                Input::Publish { token, topic, lifetime, payload: payload.into_vec().into() }
            }
            Noted::Serve { owner, filter, on } => Input::Serve { owner, filter, on },
            Noted::ServeGroup { group, on } => Input::ServeGroup { group, on },
            Noted::HandedIn => Input::HandedIn,
            Noted::RoomCame => Input::RoomCame,
            Noted::GroupMembers { group, members } => Input::GroupMembers { group, members },
            Noted::Retain { owner, filter, keep, bytes } => {
                Input::Retain { owner, filter, terms: Terms { keep, bytes } }
            }
            Noted::Forsake(topic) => Input::Forsake(topic),
            Noted::ContactUp { peer } => Input::ContactUp { peer },
            Noted::ContactDown { peer } => Input::ContactDown { peer },
            Noted::Frame { from, frame } => {
                Input::Frame { from, frame: Frame::decode(&frame).map_err(|why| why.to_string())? }
            }
            Noted::Bundle { from, transit, bundle, size_bytes } => {
                let (bundle, _) = Bundle::decode(&bundle).map_err(|why| why.to_string())?;
                Input::Bundle { from, transit, bundle: Arc::new(bundle), size_bytes }
            }
            Noted::Decline { from, transit, bundle, size_bytes, why } => {
                let (bundle, _) = Bundle::decode(&bundle).map_err(|why| why.to_string())?;
                Input::Decline { from, transit, bundle: Arc::new(bundle), size_bytes, why }
            }
            Noted::Duplicate { from, transit, id } => Input::Duplicate { from, transit, id },
            Noted::Timeout => Input::Timeout,
            Noted::Space { free_bytes } => Input::Space { free_bytes },
            Noted::Recall(known) => Input::Recall(known),
            Noted::Read { id, tell } => Input::Read { id, tell },
            Noted::Unread(id) => Input::Unread(id),
            Noted::Discard(id) => Input::Discard(id),
            Noted::Cancel(id) => Input::Cancel(id),
            Noted::HandOn(id) => Input::HandOn(id),
            Noted::Drop(id) => Input::Drop(id),
            Noted::CarryLimit(bytes) => Input::CarryLimit(bytes),
            Noted::SetPerson { node, person } => Input::SetPerson { node, person },
            Noted::Unreadable { to, id, row } => Input::Unreadable { to, id, row },
            Noted::LeaveOnFiles(ids) => Input::LeaveOnFiles(ids),
            Noted::Moved { peer } => Input::Moved { peer },
            Noted::Adopt(adopted) => Input::Adopt(adopted),
        })
    }
}

/// The kind of input and whom it is about; never what somebody wrote.
impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Noted::Submit { token, .. } => write!(f, "a message to seal, number {token}"),
            Noted::Sealed { token, .. } => write!(f, "the sealed message number {token}"),
            Noted::Publish { token, payload, .. } => write!(f, "{} bytes to publish, number {token}", payload.len()),
            Noted::Serve { on: true, .. } => write!(f, "topics are subscribed to"),
            Noted::Serve { .. } => write!(f, "topics are subscribed to no longer"),
            Noted::ServeGroup { on: true, .. } => write!(f, "a group is served"),
            Noted::ServeGroup { .. } => write!(f, "a group is served no longer"),
            Noted::RoomCame => write!(f, "there is room for parts of files"),
            Noted::HandedIn => write!(f, "what is held for a group is handed in once more"),
            Noted::GroupMembers { members, .. } => write!(f, "a group has {} members", members.len()),
            Noted::Retain { .. } => write!(f, "other terms for what stays of topics"),
            Noted::Forsake(_) => write!(f, "the end of a topic"),
            Noted::ContactUp { peer } => write!(f, "a contact with {peer}"),
            Noted::ContactDown { peer } => write!(f, "the end of the contact with {peer}"),
            Noted::Frame { from, frame } => write!(f, "a frame of {} bytes from {from}", frame.len()),
            Noted::Bundle { from, bundle, .. } => write!(f, "a bundle of {} bytes from {from}", bundle.len()),
            Noted::Decline { from, bundle, .. } => write!(f, "a declined bundle of {} bytes from {from}", bundle.len()),
            Noted::Duplicate { from, id, .. } => write!(f, "bundle {id} once more, from {from}"),
            Noted::Timeout => write!(f, "a timeout"),
            Noted::Space { free_bytes } => write!(f, "{free_bytes} bytes free on the disk"),
            Noted::Recall(known) => write!(f, "what the record knows of {} ids", known.len()),
            Noted::Read { id, .. } => write!(f, "the person has read {id}"),
            Noted::Unread(id) => write!(f, "the person marks {id} unread"),
            Noted::Discard(id) => write!(f, "the person deletes {id}"),
            Noted::Cancel(id) => write!(f, "the person cancels {id}"),
            Noted::HandOn(id) => write!(f, "the owner leaves {id} to those who hold it"),
            Noted::Drop(id) => write!(f, "the owner drops {id}"),
            Noted::CarryLimit(bytes) => write!(f, "a new limit of {bytes} bytes carried"),
            Noted::SetPerson { node, .. } => write!(f, "{node} is named, blocked or forgotten"),
            Noted::Unreadable { id, .. } => write!(f, "bundle {id} cannot be read"),
            Noted::LeaveOnFiles(ids) => write!(f, "{} bundles leave on files", ids.len()),
            Noted::Adopt(adopted) => write!(f, "the owner brings {} of an earlier home", adopted.id()),
            Noted::Moved { peer } => write!(f, "bytes moved to {peer}"),
        }
    }
}
