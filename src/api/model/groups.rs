//! Groups: the rows of the answers.

use serde::{Deserialize, Serialize};

use super::{PersonRow, Schema, When};

/// How this person stands to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupStanding {
    Joined,
    Invited,
    /// They left, or were removed.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    Owner,
    Member,
    /// They were admitted and have not joined.
    Invited,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupRow {
    pub schema: Schema,
    /// As it is typed here.
    pub name: String,
    pub address: String,
    pub standing: GroupStanding,
    /// This person's; none of who is out.
    pub role: Option<MemberRole>,
    /// How many there are, those who are invited among them.
    pub members: u64,
    pub founder: Option<PersonRow>,
    /// Who asked this person in.
    pub invited_by: Option<PersonRow>,
    pub since: Option<When>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemberRow {
    pub schema: Schema,
    /// None where this person gave them no name.
    pub name: Option<String>,
    pub address: String,
    pub role: MemberRole,
    /// By the clock of who admitted them.
    pub since: Option<When>,
    /// Whether it is this person.
    pub me: bool,
}
