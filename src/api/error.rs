//! What can go wrong for whoever asks: what, why, and what to do next.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::next::NextStep;
use super::schema::Schema;

/// A failure in words for a person, with a kind that scripts can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ApiError {
    pub kind: ErrorKind,
    /// What failed and why, without a full stop.
    pub message: String,
    /// What to do about it; none where nothing can be done, or where the node that said so is of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    /// The same as an imperative, in the words of the door that it goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// The kinds of failure; each is one exit code and one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Something failed that none of the others names.
    Failure,
    /// The request itself makes no sense.
    Usage,
    /// No node runs on this home, and this needs one.
    NotRunning,
    /// No such contact or message, or more than one.
    NotFound,
    /// A limit or a rule says no.
    Refused,
    /// Waiting ended; the message is still in flight.
    InFlight,
    /// The store is damaged or of a newer format.
    Store,
    /// A signature, a key or a checksum does not hold.
    Verification,
    /// What was asked for is so long ago that it is kept no more.
    Forgotten,
    /// The node serves as many clients as it can; nothing was done, and asking again is harmless.
    Busy,
    /// Another process holds the home or its store, perhaps for a moment only.
    InUse,
    /// A file or a directory that the request names cannot be had or made there.
    Place,
}

/// The one place that knows both numbers of a kind.
const KINDS: [(ErrorKind, u8, u16); 12] = [
    (ErrorKind::Failure, 1, 500),
    (ErrorKind::Usage, 2, 400),
    (ErrorKind::NotRunning, 3, 503),
    (ErrorKind::NotFound, 4, 404),
    (ErrorKind::Refused, 5, 403),
    (ErrorKind::InFlight, 6, 504),
    (ErrorKind::Store, 7, 507),
    (ErrorKind::Verification, 8, 422),
    (ErrorKind::Forgotten, 9, 410),
    (ErrorKind::Busy, 1, 429),
    (ErrorKind::InUse, 7, 423),
    (ErrorKind::Place, 1, 409),
];

/// Every kind with its HTTP status.
#[cfg(test)]
pub(super) fn kinds() -> impl Iterator<Item = (ErrorKind, u16)> {
    KINDS.iter().map(|(kind, _, status)| (*kind, *status))
}

impl ErrorKind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        self.numbers().0
    }

    pub fn http_status(self) -> u16 {
        self.numbers().1
    }

    fn numbers(self) -> (u8, u16) {
        let (_, exit, http) = KINDS.iter().find(|row| row.0 == self).expect("every kind has a row");
        (*exit, *http)
    }
}

impl ApiError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> ApiError {
        ApiError { kind, message: message.into(), next: None, next_step: None }
    }

    pub fn failure(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::Failure, message)
    }

    pub fn usage(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::Usage, message)
    }

    pub fn not_running() -> ApiError {
        ApiError::new(ErrorKind::NotRunning, "no node running").next(NextStep::StartNode)
    }

    pub fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::NotFound, message)
    }

    pub fn refused(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::Refused, message)
    }

    pub fn store(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::Store, message)
    }

    pub fn verification(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorKind::Verification, message)
    }

    /// Says what to do next.
    pub fn next(self, step: NextStep) -> ApiError {
        ApiError { next_step: Some(step.to_string()), next: Some(step), ..self }
    }

    /// Says what to do next in words alone: what no door has a command or a route for.
    pub fn advise(self, words: impl Into<String>) -> ApiError {
        ApiError { next: Some(NextStep::Advice), next_step: Some(words.into()), ..self }
    }

    /// The error as it travels and as `--json` prints it.
    pub fn report(self) -> ErrorReport {
        ErrorReport { schema: Schema, exit_code: self.kind.exit_code(), error: self }
    }
}

/// `no node running; start the node`
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.next_step {
            Some(step) => write!(f, "{}; {step}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ApiError {}

/// `{"schema":1,"exit_code":3,"error":{"kind":"not_running",...}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorReport {
    pub schema: Schema,
    pub exit_code: u8,
    pub error: ApiError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_documented_ones_and_statuses_differ() {
        let codes: Vec<u8> = KINDS.iter().map(|row| row.0.exit_code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 7, 1]);
        let statuses: std::collections::BTreeSet<u16> = KINDS.iter().map(|row| row.0.http_status()).collect();
        assert_eq!(statuses.len(), KINDS.len());
    }

    #[test]
    fn an_error_says_what_and_what_next() {
        assert_eq!(ApiError::not_running().to_string(), "no node running; start the node");
        let json = serde_json::to_string(&ApiError::not_running().report()).unwrap();
        let wanted = concat!(
            r#"{"schema":1,"exit_code":3,"error":{"kind":"not_running","message":"no node running","#,
            r#""next":{"step":"start_node"},"next_step":"start the node"}}"#
        );
        assert_eq!(json, wanted);
    }
}
