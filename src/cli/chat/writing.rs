//! What is being written: to whom, what it answers or edits, and how far it is kept.

use super::compose::Compose;
use super::model::{Model, Pane, Wish};

/// Something that is being written, of which there may be a draft.
pub type Slot = u64;

/// What is being written to somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Writing {
    pub slot: Slot,
    pub compose: Compose,
    /// The message that it answers, and the beginning of that one's words.
    pub answers: Option<(String, String)>,
    /// The message of one's own that gets these words.
    pub edits: Option<String>,
    /// Goes up with every change.
    pub version: u64,
    /// The one that is kept, and the one that is on its way to be.
    pub kept: u64,
    pub keeping: Option<u64>,
}

/// Words on their way into the node.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub who: String,
    pub writing: Writing,
}

impl Writing {
    pub fn new(slot: Slot) -> Writing {
        Writing { slot, compose: Compose::default(), answers: None, edits: None, version: 0, kept: 0, keeping: None }
    }

    pub fn changed(&mut self) {
        self.version += 1;
    }
}

impl Model {
    /// Sends what is written, or puts it in the place of what it edits.
    pub fn send(&mut self) {
        let Some((who, _)) = self.open.clone() else { return };
        if !self.writing.compose.is_blank() {
            self.send_with(who, None);
        }
    }

    /// Sends a file, with what is written.
    pub fn send_file(&mut self, path: String) {
        if let Some((who, _)) = self.open.clone() {
            self.send_with(who, Some(path));
        }
    }

    fn send_with(&mut self, who: String, file: Option<String>) {
        let slot = self.new_slot();
        let fresh = self.aside.take().unwrap_or_else(|| Writing::new(slot));
        let writing = std::mem::replace(&mut self.writing, fresh);
        let text = writing.compose.text().trim_end().to_owned();
        // What is written in a thread goes on in it.
        let last = self.window.rows.last().filter(|_| self.thread.is_some()).map(|kept| kept.row.id.clone());
        let answers = writing.answers.as_ref().map(|(id, _)| id.clone()).or(last);
        self.wishes.push(match (&writing.edits, file) {
            (Some(id), _) => Wish::Edit { slot: writing.slot, who: who.clone(), id: id.clone(), text },
            (None, Some(path)) => Wish::SendFile { slot: writing.slot, who: who.clone(), text, answers, path },
            (None, None) => Wish::Send { slot: writing.slot, who: who.clone(), text, answers },
        });
        self.outgoing.push(Outgoing { who, writing });
        self.window.go_to_end();
        if self.window.has_newer {
            self.end();
        }
    }

    /// Gives up an edit: what was being written before comes back.
    pub fn end_edit(&mut self) {
        let Some(aside) = self.aside.take() else { return };
        let mut edit = std::mem::replace(&mut self.writing, aside);
        if edit.kept > 0 || edit.keeping.is_some() {
            edit.changed();
            if let Some((who, _)) = self.open.clone() {
                let (slot, version) = (edit.slot, edit.version);
                self.wishes.push(Wish::Keep { slot, who, text: String::new(), answers: None, version });
            }
        }
    }

    pub fn begin_edit(&mut self, id: String, text: String) {
        self.end_edit();
        let slot = self.new_slot();
        let edit = Writing { compose: Compose::of(text), edits: Some(id), ..Writing::new(slot) };
        self.aside = Some(std::mem::replace(&mut self.writing, edit));
        self.pane = Pane::Compose;
    }

    /// Keeps all that was written since it was kept.
    pub fn keep(&mut self) {
        let mut wishes = Vec::new();
        let mut keep = |who: &str, writing: &mut Writing| {
            if writing.version <= writing.kept || writing.keeping.is_some() {
                return;
            }
            writing.keeping = Some(writing.version);
            let text = if writing.compose.is_blank() { String::new() } else { writing.compose.text().to_owned() };
            let answers = writing.answers.as_ref().map(|(id, _)| id.clone());
            let (slot, version) = (writing.slot, writing.version);
            wishes.push(Wish::Keep { slot, who: who.to_owned(), text, answers, version });
        };
        if let Some((who, _)) = &self.open {
            keep(who, &mut self.writing);
            self.aside.iter_mut().for_each(|writing| keep(who, writing));
        }
        self.others.iter_mut().for_each(|(who, writing)| keep(who, writing));
        self.wishes.append(&mut wishes);
    }

    fn writings(&mut self) -> impl Iterator<Item = &mut Writing> {
        let here = std::iter::once(&mut self.writing).chain(&mut self.aside);
        here.chain(self.others.values_mut()).chain(self.outgoing.iter_mut().map(|out| &mut out.writing))
    }

    pub fn on_kept(&mut self, slot: Slot, version: Option<u64>) {
        if let Some(writing) = self.writings().find(|writing| writing.slot == slot) {
            writing.keeping = None;
            writing.kept = version.unwrap_or(writing.kept);
        }
    }

    pub fn on_recalled(&mut self, slot: Slot, text: String, answers: Option<String>) {
        // Who began to write meanwhile is not disturbed; the draft stays a draft.
        if let Some(writing) = self.writings().find(|writing| writing.slot == slot && writing.version == 0) {
            writing.compose = Compose::of(text);
            writing.answers = answers.map(|id| (id, String::new()));
            (writing.version, writing.kept) = (1, 1);
        }
    }

    /// What was not sent comes back, before what was written meanwhile.
    pub fn on_not_sent(&mut self, slot: Slot, why: String) {
        let Some(at) = self.outgoing.iter().position(|out| out.writing.slot == slot) else { return };
        let Outgoing { who, mut writing } = self.outgoing.remove(at);
        writing.changed();
        self.notice = Some((true, format!("not sent: {why}")));
        let is_here = self.who() == Some(&who);
        if is_here && writing.edits.is_some() && self.aside.is_none() {
            self.aside = Some(std::mem::replace(&mut self.writing, writing));
            return;
        }
        // An edit that goes on is not disturbed: the words come back behind it.
        let place = match (is_here, &mut self.aside) {
            (true, Some(aside)) => Some(aside),
            (true, None) => Some(&mut self.writing),
            (false, _) => self.others.get_mut(&who),
        };
        writing.edits = None;
        match place {
            Some(newer) if !newer.compose.is_blank() => {
                newer.compose = Compose::of(format!("{}\n{}", writing.compose.text(), newer.compose.text()));
                newer.answers = newer.answers.take().or(writing.answers);
                newer.changed();
            }
            Some(newer) => *newer = writing,
            None => drop(self.others.insert(who, writing)),
        }
    }
}
