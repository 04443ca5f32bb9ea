//! Requests and responses, whatever carries them.

mod apps;
mod compose;
mod files;
mod groups;
mod hooks;
mod house;
mod lines;
mod listing;
mod mail;
mod metrics;
mod names;
mod pairing;
mod people;
mod record;
mod request;
mod stats;
mod status;
mod stick;
mod tag;
#[cfg(test)]
mod tests;
mod topics;
mod usual;
mod web;
mod when;
mod wish;

pub use super::schema::Schema;
pub use apps::{AppBound, AppNotice, AppRow, AppStartRow, AppUpdateRow, NewAppUpdate};
pub use compose::{
    Because, COMPOSED_BYTES_MAX, Compose, ComposedTask, File, Introduction, NewDraft, Upload, check_composed,
    check_lifetime,
};
pub use files::{FileRow, HeldRow, MemberTransferRow, TransferRow, TransferState, UploadedRow};
pub use groups::{GroupRow, GroupStanding, MemberRole, MemberRow};
pub use hooks::{AwayRow, HookEventRow, HookFailedRow, HookRow, HookTestedRow, NewAway, NewHook};
pub use house::{
    CarriedRow, CarryRow, CheckRow, Class, Classes, ConfigRow, Counts, Done, Evicted, Grade, Grades, HealthRow,
    LifeSign, Verdict, VersionRow, Yes,
};
pub use lines::json_line;
pub use listing::{Listing, Row, Topic};
pub use mail::{
    Arranged, ArrangedRow, ArrangedTalk, ConversationRow, DraftRow, InboxRow, LabelRow, LetterRow, RecipientRow,
    SentRow, TalkRow, WaitingRow,
};
pub use metrics::{METRICS_TYPE, Metrics};
pub use names::{parse_priority, priority_name};
pub use pairing::{CodeRow, PairRow, PairedRow, WrongCodeRow};
pub use people::{ContactRow, IntroducedRow, MeRow, NearbyRow, PeerRow, PersonRow, Standing};
pub use record::{
    AnswersRow, Beside, BoardRow, Changes, CrossingRow, ForwardedRow, Happened, HappenedRow, HistoryRow, IMPORTS_MAX,
    Imported, ImportedRow, Imports, KeptRow, Parent, PurgedRow, ReactionRow, RefusedLine, SearchRow, SetRow, SpaceRow,
    TaskRow, TaskWord,
};
pub use request::{Request, Response};
pub use stats::StatsRow;
pub use status::{Event, EventKind, MemberStateRow, OutlookRow, State, StatusRow};
pub use stick::{EnteredRow, Fate, FromStick, LeavingRow, STICK_BUNDLES_MAX, STICK_BYTES_MAX, WillingRow};
pub use tag::Tag;
pub use topics::{
    FailedRow, Outcome, PUBLISHED_AT_ONCE_MAX, Publication, PublishedRow, SettledEvent, SubscribedRow, TermsWanted,
    TopicEndedRow, TopicEventRow, TopicRow, TopicStanding, TopicTermsRow,
};
pub use usual::Usual;
pub use web::{WebDeviceRow, WebLanRow, WebRow};
pub use when::When;
pub use wish::{Arranging, Purge, Show, Wish, WishedReaction};

/// Fewest hexadecimal digits of an id that anything accepts.
pub const ID_PREFIX_DIGITS_MIN: usize = 4;

/// Most rows that one search finds.
pub const SEARCH_ROWS_MAX: u32 = 1_000;
