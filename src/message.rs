//! Messages: what a person wrote, as the sealed payload carries it.

/// A person's words. Unknown fields of newer versions are kept in `extra`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub subject: Option<String>,
    pub body: String,
    /// The first message of the conversation, by the first 16 bytes of its bundle id.
    pub thread: Option<[u8; 16]>,
    pub in_reply_to: Option<[u8; 16]>,
    pub attachments: Vec<Attachment>,
    /// Wall time in milliseconds since the DTN epoch.
    pub reply_by: Option<u64>,
    pub expire_after_read: bool,
    /// Encoded key and value of each field this version does not know, in order.
    pub extra: Vec<(u64, Vec<u8>)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}
