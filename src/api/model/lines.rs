//! Rows as lines of JSON: what the socket carries and what `--json` prints.

use serde::Serialize;

use super::{Response, Row};
use crate::safe_text::safe_json;

/// One physical line, with its end. Characters that a terminal may obey, or that hide, are escaped, which JSON allows
/// anywhere.
pub fn json_line<T: Serialize>(row: &T) -> String {
    let mut line = safe_json(&serde_json::to_string(row).expect("rows are plain data"));
    line.push('\n');
    line
}

fn json_lines<T: Serialize>(rows: &[T]) -> String {
    rows.iter().map(json_line).collect()
}

impl Row {
    /// Its object in one line; of the last, why it is.
    pub fn json_line(&self) -> String {
        match self {
            Row::Inbox(row) | Row::Due(row) => json_line(row),
            Row::Status(row) => json_line(row),
            Row::Carried(row) => json_line(row),
            Row::Stick(row) => json_line(row),
            Row::Talks(row) => json_line(row),
            Row::Talk(row) | Row::Labelled(row) => json_line(row),
            Row::Record(row) => json_line(row),
            Row::Tasks(row) => json_line(row),
            Row::Happened(row) => json_line(row),
            Row::Search(row) => json_line(row),
            Row::Sub(row) => json_line(row),
            Row::Pair(row) => json_line(row),
            Row::AppUpdates(row) => json_line(row),
            Row::Ended(why) => json_line(&why.clone().report()),
        }
    }
}

impl Response {
    /// Whether it is any number of objects rather than one.
    pub fn is_many(&self) -> bool {
        use Response as R;
        matches!(
            self,
            R::Contacts(_)
                | R::Nearby(_)
                | R::Arranged(_)
                | R::Drafts(_)
                | R::Sents(_)
                | R::History(_)
                | R::Apps(_)
                | R::Crossings(_)
                | R::Labels(_)
                | R::Space(_)
                | R::Statuses(_)
                | R::Peers(_)
                | R::Stats(_)
                | R::Leaving(_)
                | R::Entered(_)
                | R::Files(_)
                | R::Doctor(_)
                | R::Config(_)
                | R::Topics(_)
                | R::Published(_)
                | R::TopicEvents(_)
                | R::Failed(_)
                | R::Groups(_)
                | R::Members(_)
                | R::WebDevices(_)
        )
    }

    /// Its objects, one a line. Bytes have none, and figures a form of their own.
    pub fn json_lines(&self) -> String {
        use Response as R;
        match self {
            R::Done(row) => json_line(row),
            R::Version(row) => json_line(row),
            R::Health(row) => json_line(row),
            R::Me(row) => json_line(row),
            R::Contact(row) => json_line(row),
            R::Contacts(rows) => json_lines(rows),
            R::Nearby(rows) => json_lines(rows),
            R::Recipient(row) => json_line(row),
            R::Sent(row) => json_line(row),
            R::Letter(row) => json_line(row),
            R::History(rows) => json_lines(rows),
            R::Crossings(rows) => json_lines(rows),
            R::Draft(row) => json_line(row),
            R::Drafts(rows) => json_lines(rows),
            R::Sents(rows) => json_lines(rows),
            R::Waiting(row) => json_line(row),
            R::Arranged(rows) => json_lines(rows),
            R::Labels(rows) => json_lines(rows),
            R::Statuses(rows) => json_lines(rows),
            R::Files(rows) => json_lines(rows),
            R::Transfer(row) => json_line(row),
            R::Saved(row) => json_line(row),
            R::Uploaded(row) => json_line(row),
            R::Space(rows) => json_lines(rows),
            R::Purged(row) => json_line(row),
            R::Imported(row) => json_line(row),
            R::Outlook(row) => json_line(row),
            R::Peers(rows) => json_lines(rows),
            R::Stats(rows) => json_lines(rows),
            R::Carry(row) => json_line(row),
            R::Metrics(metrics) => metrics.text().to_owned(),
            R::Bytes(_) => String::new(),
            R::Leaving(rows) => json_lines(rows),
            R::Entered(rows) => json_lines(rows),
            R::Doctor(rows) => json_lines(rows),
            R::Backup(row) => json_line(row),
            R::Config(rows) => json_lines(rows),
            R::Topics(rows) => json_lines(rows),
            R::Topic(row) => json_line(row),
            R::Subscribed(row) => json_line(row),
            R::TopicTerms(row) => json_line(row),
            R::TopicEnded(row) => json_line(row),
            R::Published(rows) => json_lines(rows),
            R::TopicEvents(rows) => json_lines(rows),
            R::Failed(rows) => json_lines(rows),
            R::Groups(rows) => json_lines(rows),
            R::Group(row) => json_line(row),
            R::Members(rows) => json_lines(rows),
            R::Hook(row) => json_line(row),
            R::Hooks(rows) => json_lines(rows),
            R::HookTested(row) => json_line(row),
            R::HookFailed(rows) => json_lines(rows),
            R::Away(row) => json_line(row),
            R::Apps(rows) => json_lines(rows),
            R::App(row) => json_line(row),
            R::Web(row) => json_line(row),
            R::WebLan(row) => json_line(row),
            R::WebDevices(rows) => json_lines(rows),
        }
    }
}
