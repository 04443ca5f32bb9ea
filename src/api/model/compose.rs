//! What a person writes: a message, a draft, and who is made known.

use serde::{Deserialize, Serialize};

use super::{Tag, When, names};
use crate::api::ApiError;
use crate::bundle::{LIFETIME_MAX, Priority};
use crate::content::ATTACHMENTS_MAX;
use crate::time::Millis;
use crate::units::exact_span;

/// Largest text and attachments of one message together, in bytes. A bundle holds at most 1 MiB with everything around
/// them, and padding may add an eighth.
pub const COMPOSED_BYTES_MAX: usize = 900 * 1024;

/// Somebody to be named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Introduction {
    pub name: String,
    /// An address as `dak me` prints it, a bare peer id, or what `dak nearby` prints of a node: the end of its id, or its
    /// own name. The same as `name` takes that name from the address.
    pub address: String,
}

/// A message to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Compose {
    pub to: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub attachments: Vec<File>,
    /// Files and folders of this machine that are too large to ride inside, by their whole paths: they are taken in at once, and
    /// go in parts.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Files that were brought before, by `POST /v1/files`; they go in parts.
    #[serde(default)]
    pub uploads: Vec<Upload>,
    /// Where none is said, as is usual with the recipient, and else normal.
    #[serde(default, with = "names::maybe_priority")]
    #[cfg_attr(test, schemars(with = "Option<super::names::Named>"))]
    pub priority: Option<Priority>,
    /// How long it may be under way; where nothing is said, as is usual with the recipient, and else a week.
    #[serde(default)]
    pub lifetime_ms: Option<u64>,
    /// When an answer would no longer help.
    #[serde(default)]
    pub reply_by: Option<When>,
    /// How far ahead of UTC the writer's clock on the wall is, at most 18 hours either way: the recipient sees times by it
    /// too.
    #[serde(default)]
    pub offset_minutes: Option<i16>,
    /// The id of the conversation's first message, as rows give it.
    #[serde(default)]
    pub thread: Option<String>,
    /// The id of the message this answers.
    #[serde(default)]
    pub in_reply_to: Option<String>,
    /// What it is meant to be.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// It is a task from the start.
    #[serde(default)]
    pub task: Option<ComposedTask>,
    /// The message to pass on, by its id: its subject, its words and its files go along as they are, and `text` is what is
    /// said of them.
    #[serde(default)]
    pub forward: Option<String>,
    /// So long after it was first shown it is to be forgotten: a second to 365 days.
    #[serde(default)]
    pub expire_after_read_ms: Option<u64>,
    /// The spray budget; where none is said, as is usual with the recipient, and else as the strategy has it.
    #[serde(default)]
    pub copies: Option<u16>,
    /// A program sends it by itself, for it works on a message: it is marked as automatic, and refused where it would answer
    /// what may not be answered so.
    #[serde(default)]
    pub because: Option<Because>,
    /// A key of 16 to 64 letters, digits, `-` or `_`, chosen at random: sent again under the same key, after an answer that was
    /// lost, it is the message that is there already, and another under it is refused. The last 4,096 keys are remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
}

/// What a program works on that sends a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// The message, by its id.
    pub id: String,
    /// The hook whose program it is.
    #[serde(default)]
    pub hook: Option<String>,
}

/// Something written that is not to be sent now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    pub compose: Compose,
    /// Whom it goes to beside the first.
    #[serde(default)]
    pub more: Vec<String>,
    /// When it goes by itself.
    #[serde(default)]
    pub at: Option<When>,
    /// Why it was not sent, where that was tried.
    #[serde(default)]
    pub refused: Option<String>,
}

/// A file that was brought before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// As the answer to its bringing has it.
    pub id: String,
    pub name: String,
}

/// What is to be done, by whom and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ComposedTask {
    /// A name or an address.
    pub assignee: Option<String>,
    pub due: Option<When>,
}

/// A file inside a message; its bytes travel as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: String,
    #[serde(rename = "hex", with = "names::hex")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub bytes: Vec<u8>,
}

impl Compose {
    /// Bytes that count against [`COMPOSED_BYTES_MAX`].
    pub fn size_bytes(&self) -> usize {
        let files: usize = self.attachments.iter().map(|file| file.name.len() + file.bytes.len()).sum();
        self.text.len() + self.subject.as_ref().map_or(0, String::len) + files
    }

    /// Refuses a message that no bundle can hold, or with more files than one takes, with the limit.
    pub fn check_size(&self) -> Result<(), ApiError> {
        check_composed(self.attachments.len(), self.size_bytes())
    }
}

/// Refuses a lifetime that no message can have.
pub fn check_lifetime(lifetime_ms: Option<u64>) -> Result<(), ApiError> {
    match lifetime_ms {
        Some(0) => Err(ApiError::usage("a message needs some time to arrive").advise("give it a lifetime such as 3d")),
        Some(span) if Millis(span) > LIFETIME_MAX => {
            let most = exact_span(LIFETIME_MAX);
            let error =
                ApiError::refused(format!("a lifetime of {} is longer than any node takes", exact_span(Millis(span))));
            Err(error.advise(format!("choose one of at most {most}")))
        }
        _ => Ok(()),
    }
}

/// Refuses so many files, or so many bytes in all, where no message can have them, with the limit.
pub fn check_composed(files: usize, bytes: usize) -> Result<(), ApiError> {
    if files > ATTACHMENTS_MAX {
        let limit = format!("the message has {files} files, and the limit is {ATTACHMENTS_MAX}");
        return Err(ApiError::refused(limit).advise("send them in several messages, or as one archive"));
    }
    if bytes <= COMPOSED_BYTES_MAX {
        return Ok(());
    }
    let limit = format!("the message is too long: {bytes} bytes, and the limit is {COMPOSED_BYTES_MAX}");
    Err(ApiError::refused(limit).advise("shorten it or send it in parts"))
}
