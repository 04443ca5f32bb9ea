//! What each key does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::compose::Compose;
use super::model::{Asked, Model, Pane, Prompt, Talk, Wish};
use super::overlay::{Chosen, Overlay};
use super::window::Side;
use crate::api::model::COMPOSED_BYTES_MAX;
use crate::cli::inbox::words;
use crate::units::about_bytes;

/// Addresses of people begin so, and those of groups do not.
const PERSON: &str = "dak:";

impl Model {
    pub(super) fn on_key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.notice = None;
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if ctrl => self.ends = true,
            KeyCode::Char('z') if ctrl => self.suspends = true,
            KeyCode::F(1) => self.overlay = Some(Overlay::help()),
            _ if self.overlay.is_some() => self.on_overlay_key(key.code),
            _ if self.prompt.is_some() => self.on_prompt_key(key),
            KeyCode::Char('k') if ctrl => self.ask(Asked::Query, ""),
            KeyCode::Char('n') if ctrl => self.open_unread(),
            KeyCode::Char('f') if ctrl => self.ask_for_file(),
            KeyCode::Tab => self.turn(true),
            KeyCode::BackTab => self.turn(false),
            _ => match self.pane {
                Pane::List => self.on_list_key(key.code),
                Pane::Messages => self.on_messages_key(key.code),
                Pane::Compose => self.on_compose_key(key),
            },
        }
    }

    pub(super) fn on_paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if let Some(prompt) = &mut self.prompt {
            prompt.line.insert(&words(&text));
        } else if self.overlay.is_none() && self.open.is_some() {
            self.pane = Pane::Compose;
            self.put_in(&text);
        }
    }

    pub(super) fn on_typed(&mut self, text: &str) {
        let (line, enter) = match text.strip_suffix('\n') {
            Some(line) => (line, true),
            None => (text, false),
        };
        let is_written = self.pane == Pane::Compose && self.overlay.is_none() && self.prompt.is_none();
        let keys = match is_written {
            true => {
                self.notice = None;
                self.put_in(line);
                ""
            }
            false => line,
        };
        for c in keys.chars().chain(enter.then_some('\n')) {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                c => KeyCode::Char(c),
            };
            self.on_key(KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    fn put_in(&mut self, text: &str) {
        if self.writing.compose.insert(text) {
            self.writing.changed();
            return;
        }
        let (much, limit) = (about_bytes(text.len() as u64), about_bytes(COMPOSED_BYTES_MAX as u64));
        let words = match text.chars().count() {
            1 => format!("a message holds {limit}, and this one is full"),
            _ => {
                format!("nothing was put in: {much} are too much for a message, which holds {limit}; send it as a file")
            }
        };
        self.notice = Some((true, words));
    }

    fn turn(&mut self, forward: bool) {
        let panes = [Pane::List, Pane::Messages, Pane::Compose];
        let at = panes.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        self.pane = panes[(at + if forward { 1 } else { 2 }) % 3];
        if self.open.is_none() {
            self.pane = Pane::List;
        }
    }

    fn ask(&mut self, what: Asked, line: &str) {
        self.prompt = Some(Prompt { what, line: Compose::of(line.into()) });
    }

    /// Keys of both panes in which nothing is written.
    fn on_common_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char('q') => self.ends = true,
            KeyCode::Char('?') => self.overlay = Some(Overlay::help()),
            KeyCode::Char('/') => self.ask(Asked::Query, ""),
            KeyCode::Char('n') => self.wishes.push(Wish::Near),
            KeyCode::Char('u') => self.open_unread(),
            KeyCode::Char('f') => self.ask_for_file(),
            KeyCode::Char('g') => match self.who().map(str::to_owned) {
                Some(who) if !who.starts_with(PERSON) => self.wishes.push(Wish::Members { who }),
                _ => self.notice = Some((false, "this is no group: with one person there are no members".into())),
            },
            KeyCode::Char('i') if self.open.is_some() => self.pane = Pane::Compose,
            KeyCode::Char('e') => self.edit_last(),
            KeyCode::Char('a') => self.ask_of_request(|talk| {
                let name = talk.nickname.unwrap_or_default();
                (Asked::Name { who: talk.who }, name)
            }),
            KeyCode::Char('b') => self.ask_of_request(|talk| (Asked::Block { who: talk.who }, "yes".into())),
            _ => {}
        }
    }

    /// The request that the keys are about: the one that is chosen in the list, or the open one.
    pub(super) fn request(&self) -> Option<&Talk> {
        let talk = match self.pane {
            Pane::List => self.talks.get(self.listed),
            _ => self.talks.iter().find(|talk| self.who() == Some(&talk.who)),
        };
        talk.filter(|talk| talk.request && talk.who.starts_with(PERSON))
    }

    fn ask_of_request(&mut self, asked: impl FnOnce(Talk) -> (Asked, String)) {
        match self.request().cloned().map(asked) {
            Some((what, line)) => self.ask(what, &line),
            None => self.notice = Some((false, "this is no request: who wrote has a name here".into())),
        }
    }

    fn block(&mut self, who: String) {
        if self.who() == Some(&who) {
            self.pane = Pane::List;
        }
        self.wishes.push(Wish::Block { who });
    }

    fn on_list_key(&mut self, code: KeyCode) {
        let last = self.talks.len().saturating_sub(1);
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.listed = self.listed.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.listed = (self.listed + 1).min(last),
            KeyCode::PageUp => self.listed = self.listed.saturating_sub(self.layout.lines / 2),
            KeyCode::PageDown => self.listed = (self.listed + self.layout.lines / 2).min(last),
            KeyCode::Home => self.listed = 0,
            KeyCode::End => self.listed = last,
            KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => {
                if let Some(Talk { who, name, .. }) = self.talks.get(self.listed).filter(|talk| talk.invited).cloned() {
                    self.ask(Asked::Join { group: who, name }, "yes");
                } else if let Some(talk) = self.talks.get(self.listed).cloned() {
                    // Of a request one decides first whether to answer it.
                    self.pane = if talk.request { Pane::Messages } else { Pane::Compose };
                    self.open_talk(talk.who, talk.name);
                }
            }
            KeyCode::Esc if self.open.is_some() => self.pane = Pane::Compose,
            code => self.on_common_key(code),
        }
    }

    fn on_messages_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.window.previous(),
            KeyCode::Down | KeyCode::Char('j') => self.window.next(),
            KeyCode::PageUp => self.window.page(Side::Older),
            KeyCode::PageDown | KeyCode::Char(' ') => self.window.page(Side::Newer),
            KeyCode::Home => self.window.go_to_start(),
            KeyCode::End | KeyCode::Char('G') => self.end(),
            KeyCode::Left | KeyCode::Char('h') => self.pane = Pane::List,
            KeyCode::Char('t') => self.open_thread(),
            KeyCode::Esc if self.thread.is_some() => self.close_thread(),
            KeyCode::Esc => self.pane = Pane::Compose,
            KeyCode::Char('r') | KeyCode::Enter => self.answer(),
            KeyCode::Char('+') => {
                let id = self.window.chosen().map(|kept| kept.row.id.clone());
                if let Some(id) = id {
                    self.ask(Asked::Reaction { id }, "👍");
                }
            }
            KeyCode::Char('s') => self.save(),
            code => self.on_common_key(code),
        }
    }

    fn answer(&mut self) {
        let Some(kept) = self.window.chosen() else { return };
        let text = kept.row.text.as_deref().unwrap_or("(unreadable)");
        let beginning: String = text.chars().take(200).collect();
        let quoted = format!("{}: {}", crate::cli::talk::talker(&kept.row), words(&beginning));
        let id = kept.row.id.clone();
        self.end_edit();
        self.writing.answers = Some((id, quoted));
        self.writing.changed();
        self.pane = Pane::Compose;
    }

    /// Opens the next conversation with something unread, those that are not muted first.
    fn open_unread(&mut self) {
        let here = self.talks.iter().position(|talk| self.who() == Some(&talk.who)).map_or(0, |at| at + 1);
        let round = self.talks.iter().skip(here).chain(self.talks.iter().take(here));
        let others = round.filter(|talk| self.who() != Some(&talk.who) && talk.unread > 0);
        let next = others.min_by_key(|talk| talk.waiting == 0).cloned();
        match next {
            Some(talk) => {
                self.listed = self.talks.iter().position(|other| other.who == talk.who).unwrap_or(0);
                self.open_talk(talk.who, talk.name);
                self.pane = Pane::Messages;
            }
            None => self.notice = Some((false, "nothing is unread elsewhere".into())),
        }
    }

    fn ask_for_file(&mut self) {
        match (self.open.is_some(), self.writing.edits.is_some()) {
            (true, false) => self.ask(Asked::File, ""),
            (true, true) => self.notice = Some((true, "an edit takes no file; Esc leaves the edit".into())),
            (false, _) => self.notice = Some((true, "no conversation is open".into())),
        }
    }

    fn save(&mut self) {
        let Some(kept) = self.window.chosen() else { return };
        if kept.row.files.is_empty() {
            self.notice = Some((false, "no file came with this message".into()));
            return;
        }
        let is_offered = |state: &str| state == "offered";
        let offered = kept.row.files.iter().filter(|file| file.state.as_deref().is_some_and(is_offered));
        let offered: Vec<Wish> = offered.filter_map(|file| Some(Wish::Get { id: file.id.clone()? })).collect();
        if !offered.is_empty() {
            self.wishes.extend(offered);
            return;
        }
        let id = kept.row.id.clone();
        self.ask(Asked::Directory { id }, ".");
    }

    fn edit_last(&mut self) {
        let chosen = self.window.chosen().filter(|kept| kept.row.mine && self.pane == Pane::Messages);
        let Some(kept) = chosen.or_else(|| self.window.last_own()) else {
            self.notice = Some((false, "nothing of yours is here to edit".into()));
            return;
        };
        match &kept.row.text {
            Some(text) if !kept.is_cut => {
                let (id, text) = (kept.row.id.clone(), text.clone());
                self.begin_edit(id, text);
            }
            _ => self.notice = Some((true, "this one cannot be edited here; see `dak edit`".into())),
        }
    }

    fn on_overlay_key(&mut self, code: KeyCode) {
        let Some(overlay) = &mut self.overlay else { return };
        match code {
            KeyCode::Up | KeyCode::Char('k') => overlay.up(1),
            KeyCode::Down | KeyCode::Char('j') => overlay.down(1),
            KeyCode::PageUp => overlay.up(10),
            KeyCode::PageDown | KeyCode::Char(' ') => overlay.down(10),
            KeyCode::Enter => {
                let chosen = overlay.chosen();
                self.overlay = None;
                if let Some(Chosen { row, name }) = chosen {
                    self.open_at(*row, name);
                }
            }
            _ => self.overlay = None,
        }
    }

    fn on_prompt_key(&mut self, key: KeyEvent) {
        let Some(prompt) = &mut self.prompt else { return };
        match key.code {
            KeyCode::Esc => self.prompt = None,
            KeyCode::Enter => {
                let Some(Prompt { what, line }) = self.prompt.take() else { return };
                let said = line.text().trim().to_owned();
                if !said.is_empty() {
                    match what {
                        Asked::Query => self.wishes.push(Wish::Find { query: said }),
                        Asked::Reaction { id } => {
                            let on = !self.has_reacted(&id, &said);
                            self.wishes.push(Wish::React { id, emoji: said, on });
                        }
                        Asked::Directory { id } => self.wishes.push(Wish::Save { id, directory: said }),
                        Asked::File => self.send_file(said),
                        Asked::Join { group, .. } => match said.as_str() {
                            "yes" | "y" => self.wishes.push(Wish::Join { group, joins: true }),
                            "no" | "n" => self.wishes.push(Wish::Join { group, joins: false }),
                            _ => self.notice = Some((true, "say yes to join, no to turn it down".into())),
                        },
                        Asked::Name { who } => self.wishes.push(Wish::Accept { who, name: said }),
                        Asked::Block { who } if matches!(said.as_str(), "yes" | "y") => self.block(who),
                        Asked::Block { .. } => self.notice = Some((false, "not blocked".into())),
                    }
                }
            }
            _ => drop(write(&mut prompt.line, key, usize::MAX)),
        }
    }

    /// Whether one's own reaction of this kind is there: it is taken back then.
    fn has_reacted(&self, id: &str, emoji: &str) -> bool {
        let kept = self.window.rows.iter().find(|kept| kept.row.id == id);
        let mine = self.window.rows.iter().find(|kept| kept.row.mine).map(|kept| kept.row.from.address.clone());
        kept.is_some_and(|kept| {
            let reactions = &kept.row.changes.reactions;
            reactions.iter().any(|reaction| reaction.emoji == emoji && Some(&reaction.who.address) == mine.as_ref())
        })
    }

    fn on_compose_key(&mut self, key: KeyEvent) {
        let (alt, ctrl) = (key.modifiers.contains(KeyModifiers::ALT), key.modifiers.contains(KeyModifiers::CONTROL));
        match key.code {
            KeyCode::Enter if alt => self.put_in("\n"),
            KeyCode::Enter => self.send(),
            KeyCode::Char('j') if ctrl => self.put_in("\n"),
            KeyCode::PageUp => self.window.page(Side::Older),
            KeyCode::PageDown => self.window.page(Side::Newer),
            KeyCode::Esc if self.aside.is_some() => self.end_edit(),
            KeyCode::Esc if self.writing.answers.is_some() => {
                self.writing.answers = None;
                self.writing.changed();
            }
            KeyCode::Esc => self.pane = Pane::Messages,
            KeyCode::Up if self.writing.compose.text().is_empty() => self.pane = Pane::Messages,
            KeyCode::Char(c) if !alt && !ctrl => self.put_in(c.encode_utf8(&mut [0; 4])),
            _ => {
                let before = self.writing.compose.text().len();
                let width = self.layout.compose_columns();
                write(&mut self.writing.compose, key, width);
                if self.writing.compose.text().len() != before {
                    self.writing.changed();
                }
            }
        }
    }
}

/// What a key does to a text.
fn write(line: &mut Compose, key: KeyEvent, width: usize) -> bool {
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('a') if ctrl => line.home(),
        KeyCode::Char('e') if ctrl => line.end(),
        KeyCode::Char('u') if ctrl => line.rub_out_line(),
        KeyCode::Char('w') if ctrl => line.rub_out_word(),
        KeyCode::Char('h') if ctrl => line.backspace(),
        KeyCode::Backspace if alt || ctrl => line.rub_out_word(),
        KeyCode::Backspace => line.backspace(),
        KeyCode::Delete => line.delete(),
        KeyCode::Left => line.left(),
        KeyCode::Right => line.right(),
        KeyCode::Home => line.home(),
        KeyCode::End => line.end(),
        KeyCode::Up => return line.up(width),
        KeyCode::Down => return line.down(width),
        KeyCode::Char(c) if !ctrl && !alt => return line.insert(c.encode_utf8(&mut [0; 4])),
        _ => return false,
    }
    true
}
