//! Rows of a pairing, as it goes on.

use serde::{Deserialize, Serialize};

use super::{ContactRow, Schema, When};

/// What is told of a pairing by the side that shows its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum PairRow {
    /// First of all: the code that the other is to type.
    Shown(CodeRow),
    /// Somebody tried another code.
    Wrong(WrongCodeRow),
    /// It came to its end.
    Paired(Box<PairedRow>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CodeRow {
    pub schema: Schema,
    /// `7-copper-lantern`; serves once.
    pub code: String,
    /// The code with places where this node may be met, for a QR code; it is taken in the code's place.
    pub uri: String,
    /// By the clock of this machine.
    pub expires_at: Option<When>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WrongCodeRow {
    pub schema: Schema,
    /// How many so far.
    pub wrong_codes: u8,
    /// So many more end the pairing.
    pub tries_left: u8,
}

/// The contact that came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PairedRow {
    #[serde(flatten)]
    pub contact: ContactRow,
    /// The other said that it has this one as a contact as well. Else the connection broke before it could.
    pub mutual: bool,
}
