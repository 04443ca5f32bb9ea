//! Rows about people, nodes and oneself.

use serde::{Deserialize, Serialize};

use super::{Schema, Usual, When};

/// Who this home is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MeRow {
    pub schema: Schema,
    pub name: String,
    pub peer_id: String,
    /// What others add: the peer id, and hints of where to find it.
    pub address: String,
    /// Where it listens, empty while no node runs.
    pub listen: Vec<String>,
    pub safety_words: String,
}

/// Somebody this person named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContactRow {
    pub schema: Schema,
    pub name: String,
    pub peer_id: String,
    pub address: String,
    pub standing: Standing,
    /// The safety words were compared.
    pub verified: bool,
    pub safety_words: String,
    /// This home's own words, for the comparison.
    pub my_safety_words: String,
    /// Who introduced it: a name or an address; nobody else's word stands for the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced_by: Option<String>,
    /// How messages to it go where nothing else is said.
    #[serde(default, skip_serializing_if = "Usual::is_empty")]
    pub usual: Usual,
    /// The name it had until this answer, where it was given another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Contact,
    Blocked,
}

/// A node that could be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NearbyRow {
    pub schema: Schema,
    /// The name this person gave, if any.
    pub name: Option<String>,
    /// What the node calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
    pub peer_id: String,
    /// Where it can be dialed; of a contact that it dialed itself perhaps its host only.
    pub address: String,
    /// By the clock of this machine, which may have been set since; `seen_ago_ms` does not care.
    pub seen_at: Option<When>,
    /// Since it was heard.
    #[serde(default)]
    pub seen_ago_ms: u64,
    /// There is a contact now.
    pub connected: bool,
}

/// A contact that lasts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PeerRow {
    pub schema: Schema,
    pub peer_id: String,
    pub name: Option<String>,
    /// What the node calls itself; anybody can call himself anything.
    pub nickname: Option<String>,
    pub address: String,
    pub since: Option<When>,
    pub sent_bundles: u64,
    pub received_bundles: u64,
}

/// Somebody, as this person calls them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PersonRow {
    /// None where this person gave no name.
    pub name: Option<String>,
    pub address: String,
}

/// Somebody whom the writer of a message introduces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IntroducedRow {
    /// What the writer calls them.
    pub name: String,
    pub address: String,
    /// What this person calls them, where they are known.
    pub known_as: Option<String>,
}
