//! What the client knows and shows, and what it wishes: a pure machine. Events go in, wishes come out; keys are events, and so
//! are answers. No terminal, no socket and no clock is in here.

use std::collections::BTreeMap;

use jiff::Zoned;
use ratatui::crossterm::event::KeyEvent;

use super::compose::Compose;
use super::layout::Layout;
use super::overlay::Overlay;
use super::threads::Thread;
use super::window::{Kept, Window};
use super::writing::{Outgoing, Slot, Writing};
use crate::api::model::{
    ContactRow, ConversationRow, GroupRow, GroupStanding, HappenedRow, MemberRow, NearbyRow, SearchRow, TalkRow,
};
use crate::safe_text::safe_text;

/// What the machine wants done; each is answered by an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Conversations, contacts and groups.
    List,
    /// Rows of a conversation, or of one of its threads.
    Load {
        who: String,
        thread: Option<String>,
        part: Part,
    },
    /// What was written there and not sent.
    Recall {
        slot: Slot,
        who: String,
        name: Option<String>,
    },
    /// Keep what is being written, in the place of what was kept of it.
    Keep {
        slot: Slot,
        who: String,
        text: String,
        answers: Option<String>,
        version: u64,
    },
    Send {
        slot: Slot,
        who: String,
        text: String,
        answers: Option<String>,
    },
    /// A file, with what is written.
    SendFile {
        slot: Slot,
        who: String,
        text: String,
        answers: Option<String>,
        path: String,
    },
    Edit {
        slot: Slot,
        who: String,
        id: String,
        text: String,
    },
    React {
        id: String,
        emoji: String,
        on: bool,
    },
    Mark {
        ids: Vec<String>,
    },
    Find {
        query: String,
    },
    Members {
        who: String,
    },
    Near,
    /// Make whoever asks a contact, under a name of one's own.
    Accept {
        who: String,
        name: String,
    },
    /// Take nothing more from whoever asks.
    Block {
        who: String,
    },
    /// Join a group that one is asked to join, or turn that down.
    Join {
        group: String,
        joins: bool,
    },
    Save {
        id: String,
        directory: String,
    },
    /// Ask for a file that was offered.
    Get {
        id: String,
    },
}

/// Which rows of a conversation are wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The last ones, to begin with.
    Open,
    /// The last ones, for something came.
    End,
    Before(String),
    After(String),
    Around(Box<TalkRow>),
}

#[derive(Debug)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    /// Many letters at once, each as if its key was pressed.
    Typed(String),
    Size {
        columns: usize,
        lines: usize,
    },
    /// It is time to keep what is being written.
    KeepNow,
    Listed {
        talks: Vec<ConversationRow>,
        contacts: Vec<ContactRow>,
        groups: Vec<GroupRow>,
    },
    Loaded {
        who: String,
        thread: Option<String>,
        part: Part,
        rows: Vec<Kept>,
        older: bool,
        newer: bool,
    },
    Recalled {
        slot: Slot,
        text: String,
        answers: Option<String>,
    },
    Kept {
        slot: Slot,
        version: u64,
    },
    NotKept {
        slot: Slot,
        why: String,
    },
    Sent {
        slot: Slot,
    },
    NotSent {
        slot: Slot,
        why: String,
    },
    Found(Vec<SearchRow>),
    Members(Vec<MemberRow>),
    Near(Vec<NearbyRow>),
    /// Something was done that shows in the conversation or in the list.
    Changed,
    /// Something was done that is worth a word.
    Told(String),
    Failed(String),
    Happened(Box<HappenedRow>),
    /// The node is there; what happens from now on comes as events.
    Connected,
    /// It is not, and why.
    CutOff(String),
}

impl Event {
    /// Puts this behind others; of a paste that came in pieces, to the one before.
    pub fn join(self, events: &mut Vec<Event>) {
        match (events.last_mut(), self) {
            (Some(Event::Paste(before)), Event::Paste(text)) => before.push_str(&text),
            (_, event) => events.push(event),
        }
    }
}

/// Which part of the screen the keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    List,
    Messages,
    Compose,
}

/// A line that is asked for below the messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    pub what: Asked,
    pub line: Compose,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Query,
    Reaction { id: String },
    Directory { id: String },
    File,
    Join { group: String, name: String },
    Name { who: String },
    Block { who: String },
}

/// Somebody to talk with, as a line of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    pub who: String,
    pub name: String,
    pub unread: u64,
    pub waiting: u64,
    pub pinned: bool,
    pub muted: bool,
    /// Who wrote has no name here, which they may be given or not.
    pub request: bool,
    /// What they call themselves.
    pub nickname: Option<String>,
    /// Nothing was said yet.
    pub silent: bool,
    /// A group that one is asked to join.
    pub invited: bool,
}

pub struct Model {
    pub talks: Vec<Talk>,
    /// The line of the list that keys are about.
    pub listed: usize,
    /// Whom the open conversation is with.
    pub open: Option<(String, String)>,
    /// Only this thread of it is shown.
    pub thread: Option<Thread>,
    pub window: Window,
    pub is_loaded: bool,
    pub writing: Writing,
    /// What is being written to others.
    pub others: BTreeMap<String, Writing>,
    /// What was being written when an edit began.
    pub aside: Option<Writing>,
    pub outgoing: Vec<Outgoing>,
    pub pane: Pane,
    pub prompt: Option<Prompt>,
    pub overlay: Option<Overlay>,
    pub notice: Option<(bool, String)>,
    /// Why nothing comes.
    pub cut_off: Option<String>,
    pub layout: Layout,
    pub ends: bool,
    /// The shell is to have the terminal for a while.
    pub suspends: bool,
    /// The list is wanted anew, and is on its way.
    pub(super) list_wanted: bool,
    pub(super) list_coming: bool,
    pub(super) loading: bool,
    /// What happened since the rows that are on their way were asked for: they may not know of it.
    pub(super) meanwhile: Vec<HappenedRow>,
    pub(super) end_wanted: bool,
    /// Something failed: nothing is asked for by itself until something else happens.
    pub(super) stalled: bool,
    next_slot: Slot,
    /// So that nothing is marked twice while an answer is on its way.
    pub(super) marked: Vec<String>,
    pub(super) wishes: Vec<Wish>,
}

impl Model {
    /// A client that begins with this conversation, given by address and name.
    pub fn new(open: Option<(String, String)>, now: Zoned) -> Model {
        let pane = if open.is_some() { Pane::Compose } else { Pane::List };
        let mut model = Model {
            talks: Vec::new(),
            listed: 0,
            open: None,
            thread: None,
            window: Window::new(now),
            is_loaded: false,
            writing: Writing::new(0),
            others: BTreeMap::new(),
            aside: None,
            outgoing: Vec::new(),
            pane,
            prompt: None,
            overlay: None,
            notice: None,
            cut_off: None,
            layout: Layout::default(),
            ends: false,
            suspends: false,
            list_wanted: true,
            list_coming: false,
            loading: false,
            meanwhile: Vec::new(),
            end_wanted: false,
            stalled: false,
            next_slot: 1,
            marked: Vec::new(),
            wishes: Vec::new(),
        };
        if let Some((who, name)) = open {
            model.open_talk(who, name);
        }
        model
    }

    /// Takes an event in; what is to be done about it comes back.
    pub fn on(&mut self, event: Event) -> Vec<Wish> {
        self.stalled &= !matches!(event, Event::Key(_) | Event::Typed(_) | Event::Connected | Event::Happened(_));
        match event {
            Event::Key(key) => self.on_key(key),
            Event::Paste(text) => self.on_paste(&text),
            Event::Typed(text) => self.on_typed(&text),
            Event::Size { columns, lines } => self.layout = Layout { columns, lines, ..self.layout.clone() },
            Event::KeepNow => self.keep(),
            Event::Listed { talks, contacts, groups } => self.on_listed(talks, contacts, groups),
            Event::Loaded { who, thread, part, rows, older, newer } => {
                if self.who() == Some(&who) && self.thread() == thread.as_deref() {
                    self.on_loaded(part, rows, older, newer);
                }
            }
            Event::Recalled { slot, text, answers } => self.on_recalled(slot, text, answers),
            Event::Kept { slot, version } => self.on_kept(slot, Some(version)),
            Event::NotKept { slot, why } => {
                self.on_kept(slot, None);
                self.notice = Some((true, format!("what you write is not kept: {why}")));
            }
            Event::Sent { slot } => {
                self.outgoing.retain(|out| out.writing.slot != slot);
                self.on_changed();
            }
            Event::Changed => self.on_changed(),
            Event::NotSent { slot, why } => self.on_not_sent(slot, why),
            Event::Found(rows) => self.overlay = Some(Overlay::found(rows)),
            Event::Members(rows) => self.overlay = Some(Overlay::members(&rows)),
            Event::Near(rows) => self.overlay = Some(Overlay::near(&rows)),
            Event::Told(words) => {
                self.notice = Some((false, words));
                self.list_wanted = true;
            }
            Event::Failed(why) => {
                (self.loading, self.list_coming, self.stalled) = (false, false, true);
                self.notice = Some((true, why));
            }
            Event::Happened(row) => self.on_happened(*row),
            Event::Connected => {
                self.cut_off = None;
                self.list_wanted = true;
                self.end_wanted = self.open.is_some();
                (self.loading, self.list_coming) = (false, false);
            }
            Event::CutOff(why) => self.cut_off = Some(why),
        }
        self.lay_out();
        self.wish_for_more();
        std::mem::take(&mut self.wishes)
    }

    /// Something was changed from here. The node tells of it; where none runs nobody does, and it is looked up.
    fn on_changed(&mut self) {
        if self.cut_off.is_some() {
            self.list_wanted = true;
            self.end_wanted = self.open.is_some();
        }
    }

    /// Takes an event in where nothing is shown any more: at the end, and after a mistake of this program, whose screen it
    /// may have been.
    pub fn unseen(&mut self, event: Event) -> Vec<Wish> {
        match event {
            Event::KeepNow => self.keep(),
            Event::Kept { slot, version } => self.on_kept(slot, Some(version)),
            Event::NotKept { slot, .. } => self.on_kept(slot, None),
            Event::Sent { slot } => self.outgoing.retain(|out| out.writing.slot != slot),
            Event::NotSent { slot, why } => self.on_not_sent(slot, why),
            _ => {}
        }
        let mut wishes = std::mem::take(&mut self.wishes);
        wishes.retain(|wish| matches!(wish, Wish::Keep { .. } | Wish::Send { .. } | Wish::Edit { .. }));
        wishes
    }

    /// It is another moment.
    pub fn is_now(&mut self, now: Zoned) {
        self.window.is_now(now);
    }

    /// Whether something was written since it was kept.
    pub fn has_unkept(&self) -> bool {
        let is_unkept = |writing: &Writing| writing.version > writing.kept;
        is_unkept(&self.writing) || self.aside.as_ref().is_some_and(is_unkept) || self.others.values().any(is_unkept)
    }

    /// Whether keys act on the conversation.
    pub fn who(&self) -> Option<&str> {
        self.open.as_ref().map(|(who, _)| who.as_str())
    }

    pub fn open_talk(&mut self, who: String, name: String) {
        if self.who() == Some(&who) {
            return;
        }
        self.end_edit();
        self.put_aside();
        let fresh = Writing::new(self.new_slot());
        match self.others.remove(&who) {
            Some(writing) => self.writing = writing,
            None => {
                let slot = fresh.slot;
                self.writing = fresh;
                let name = Some(name.clone());
                self.wishes.push(Wish::Recall { slot, who: who.clone(), name });
            }
        }
        self.marked.clear();
        self.open = Some((who, name));
        self.thread = None;
        self.load_anew(Part::Open);
    }

    /// Shows a message that stands somewhere in a conversation.
    pub fn open_at(&mut self, row: TalkRow, name: String) {
        let who = row.conversation.clone();
        self.open_talk(who, name);
        self.thread = None;
        self.load_anew(Part::Around(Box::new(row)));
        self.pane = Pane::Messages;
    }

    fn put_aside(&mut self) {
        self.keep();
        let Some((who, _)) = self.open.take() else { return };
        let slot = self.new_slot();
        let writing = std::mem::replace(&mut self.writing, Writing::new(slot));
        self.others.insert(who, writing);
    }

    pub fn new_slot(&mut self) -> Slot {
        self.next_slot += 1;
        self.next_slot
    }

    fn on_listed(&mut self, talks: Vec<ConversationRow>, contacts: Vec<ContactRow>, groups: Vec<GroupRow>) {
        self.list_coming = false;
        let chosen = self.talks.get(self.listed).map(|talk| talk.who.clone());
        let mut listed: Vec<Talk> = talks.iter().map(Talk::of).collect();
        for contact in contacts {
            let is_there = talks.iter().any(|talk| talk.conversation.contains(&contact.peer_id));
            if !is_there && contact.standing == crate::api::model::Standing::Contact {
                let who = format!("dak:{}", contact.peer_id);
                listed.push(Talk::silent(who, contact.name));
            }
        }
        for group in groups {
            let is_there = talks.iter().any(|talk| talk.conversation == group.address);
            let talk = Talk::silent(group.address, group.name);
            match group.standing {
                GroupStanding::Invited => listed.insert(0, Talk { invited: true, ..talk }),
                GroupStanding::Joined if !is_there => listed.push(talk),
                _ => {}
            }
        }
        listed.sort_by_key(|talk| talk.request);
        self.talks = listed;
        let place = |who: &str| self.talks.iter().position(|talk| talk.who == who);
        let open = self.who().and_then(place);
        let at = if self.pane == Pane::List { chosen.and_then(|who| place(&who)).or(open) } else { open };
        self.listed = at.unwrap_or(self.listed).min(self.talks.len().saturating_sub(1));
        if let Some(at) = open {
            let name = self.talks[at].name.clone();
            self.open.iter_mut().for_each(|(_, called)| called.clone_from(&name));
        }
        if self.open.is_none()
            && let Some(Talk { who, name, .. }) = self.talks.iter().find(|talk| !talk.invited).cloned()
        {
            self.open_talk(who, name);
        }
    }

    /// What stands at the foot in the place of the keys, and whether it is bad news; safe to show.
    pub fn says(&self) -> Option<(bool, String)> {
        let cut_off = self.cut_off.as_ref().map(|why| (true, why));
        let told = self.notice.as_ref().map(|(is_bad, says)| (*is_bad, says));
        cut_off.or(told).map(|(is_bad, says)| (is_bad, safe_text(says)))
    }

    fn lay_out(&mut self) {
        let says = self.says().map(|(_, says)| says);
        self.layout.fit(self.pane, &self.writing, self.prompt.is_some(), says.as_deref());
        let (columns, lines) = self.layout.messages();
        self.window.resize(columns, lines);
    }
}

impl Talk {
    fn of(row: &ConversationRow) -> Talk {
        let called = crate::cli::who::called_by_itself(
            row.name.as_deref().unwrap_or(&row.conversation),
            row.nickname.as_deref(),
        );
        Talk {
            who: row.conversation.clone(),
            name: called,
            unread: row.unread,
            waiting: row.waiting,
            pinned: row.arranged.pinned,
            muted: row.arranged.muted,
            request: row.request,
            nickname: row.nickname.as_deref().map(safe_text),
            silent: false,
            invited: false,
        }
    }

    fn silent(who: String, name: String) -> Talk {
        let name = safe_text(&name);
        Talk {
            who,
            name,
            unread: 0,
            waiting: 0,
            pinned: false,
            muted: false,
            request: false,
            nickname: None,
            silent: true,
            invited: false,
        }
    }
}
