//! Rows of files, and of how far those have come that go in parts.

use serde::{Deserialize, Serialize};

use super::Schema;

/// A file by name and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileRow {
    #[serde(default)]
    pub schema: Schema,
    pub name: String,
    pub bytes: u64,
    /// Of an attachment: the first digits of its message's id, and which of its files it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of an attachment with bytes: `here`. A purge takes the bytes and leaves the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of one that comes in parts, what names it.
    #[serde(skip)]
    pub root: Option<[u8; 32]>,
}

/// A file that was brought here for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UploadedRow {
    pub schema: Schema,
    /// What a message names it by, within an hour.
    pub id: String,
    pub name: String,
    pub bytes: u64,
}

/// A file that comes or goes in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TransferRow {
    pub schema: Schema,
    /// The first digits of its message's id, and which of its files it is.
    pub id: String,
    pub name: String,
    pub bytes: u64,
    /// How much of it is here.
    pub have_bytes: u64,
    /// Of what goes, how much its recipient or a carrier says to have; of what comes, how much is here.
    pub safe_bytes: u64,
    /// `in` or `out`.
    pub direction: String,
    /// The name of who sends or gets it, where it has one here.
    pub who: Option<String>,
    pub who_address: String,
    /// It is a folder.
    #[serde(default)]
    pub folder: bool,
    pub state: TransferState,
    /// Who says to hold parts that are on their way.
    #[serde(default)]
    pub holders: Vec<String>,
    /// And how much of it each of them holds.
    #[serde(default)]
    pub held: Vec<HeldRow>,
    /// Who is in contact and has no room for a part.
    #[serde(default)]
    pub too_large_for: Vec<String>,
    /// The group that its message was written to, by its name here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Of what goes to a group: how far it is with each member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberTransferRow>,
}

/// How far a file is with a member of the group that it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemberTransferRow {
    pub name: Option<String>,
    pub address: String,
    /// How much of it they say to have.
    pub safe_bytes: u64,
    pub state: TransferState,
}

/// Who says to hold some of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeldRow {
    pub name: String,
    pub bytes: u64,
}

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// It is there to be asked for.
    Offered,
    /// It was asked for, or comes by itself, and nothing of it came.
    Wanted,
    /// Some of it came.
    Coming,
    /// All of it is here.
    Here,
    /// All of it is with its recipient, who signed for it.
    Sent,
    Cancelled,
}

impl TransferState {
    pub fn word(self) -> &'static str {
        match self {
            TransferState::Offered => "offered",
            TransferState::Wanted => "wanted",
            TransferState::Coming => "coming",
            TransferState::Here => "here",
            TransferState::Sent => "sent",
            TransferState::Cancelled => "cancelled",
        }
    }
}

impl FileRow {
    /// A file of which nothing else is to be said.
    pub fn of(name: String, bytes: u64) -> FileRow {
        FileRow { schema: Schema, name, bytes, id: None, state: None, root: None }
    }
}
