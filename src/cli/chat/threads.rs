//! One thread of a conversation, in the place of all of it.

use super::model::{Model, Part};
use crate::api::model::TalkRow;

/// A thread, by its first message, and the message from which it was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    pub root: String,
    from: Box<TalkRow>,
}

impl Model {
    pub fn thread(&self) -> Option<&str> {
        self.thread.as_ref().map(|thread| thread.root.as_str())
    }

    /// Shows only the thread of the chosen message.
    pub fn open_thread(&mut self) {
        let Some(kept) = self.window.chosen() else { return };
        let row = &kept.row;
        if row.thread.is_none() && row.replies == 0 {
            self.notice = Some((false, "nobody answered this one; r does".into()));
            return;
        }
        let root = row.thread.clone().unwrap_or_else(|| row.id.clone());
        self.thread = Some(Thread { root, from: Box::new(row.clone()) });
        self.load_anew(Part::Open);
    }

    /// Goes back to where in the conversation the thread was opened.
    pub fn close_thread(&mut self) {
        if let Some(Thread { from, .. }) = self.thread.take() {
            self.load_anew(Part::Around(from));
        }
    }
}
