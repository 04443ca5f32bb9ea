//! The screen: what the model knows, drawn into a buffer. Everything in it is safe to show before it comes here.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::lines::{Line, wrapped};
use super::model::{Asked, Model, Pane, Talk};
use super::writing::Outgoing;
use crate::cli::inbox::words;
use crate::cli::out::Paint;
use crate::safe_text::{columns, one_line, one_line_of_prose, safe_text};

/// Draws everything; returns where the cursor stands.
pub fn draw(model: &Model, has_colour: bool, buffer: &mut Buffer) -> Option<Position> {
    let brush = Brush { has_colour };
    let layout = &model.layout;
    list(model, brush, buffer);
    if !layout.talk {
        foot(model, brush, buffer);
        overlay(model, brush, buffer);
        return None;
    }
    if layout.list > 0 {
        let place = layout.list_place();
        (0..place.height).for_each(|y| put(buffer, place.width, y, 1, "|", brush.style(Paint::Dim)));
    }
    title(model, brush, buffer);
    messages(model, brush, buffer);
    remark(model, brush, buffer);
    let cursor = compose(model, brush, buffer);
    foot(model, brush, buffer);
    if model.overlay.is_some() {
        overlay(model, brush, buffer);
        return None;
    }
    cursor.filter(|_| model.pane == Pane::Compose || model.prompt.is_some())
}

#[derive(Clone, Copy)]
struct Brush {
    has_colour: bool,
}

impl Brush {
    fn style(self, paint: Paint) -> Style {
        let style = Style::new();
        let colour = |colour| if self.has_colour { style.fg(colour) } else { style };
        match paint {
            Paint::Plain => style,
            Paint::Dim => style.add_modifier(Modifier::DIM),
            Paint::Bold => style.add_modifier(Modifier::BOLD),
            Paint::Good => colour(Color::Green),
            Paint::Warn => colour(Color::Yellow),
            Paint::Bad => colour(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, width: usize, text: &str, style: Style) {
    if buffer.area.contains(Position { x, y }) {
        buffer.set_stringn(x, y, text, width, style);
    }
}

fn line(buffer: &mut Buffer, place: Rect, y: u16, line: &Line, brush: Brush, more: Style) {
    let (mut x, mut left) = (place.x, usize::from(place.width));
    for (paint, text) in line {
        put(buffer, x, place.y + y, left, text, brush.style(*paint).patch(more));
        let taken = unicode_width::UnicodeWidthStr::width(text.as_str()).min(left);
        x += taken as u16;
        left -= taken;
    }
}

/// Conversations, each in a line: what is unread, and with whom.
fn list(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let place = model.layout.list_place();
    let (columns, height) = (usize::from(place.width), usize::from(place.height));
    if columns == 0 || height == 0 {
        return;
    }
    if model.talks.is_empty() {
        let style = brush.style(Paint::Dim);
        for (y, text) in ["nobody yet:", "dak contact add"].iter().enumerate().take(height) {
            put(buffer, 0, y as u16, columns, text, style);
        }
    }
    // Requests stand last, below a line that says how many there are.
    let first = model.talks.iter().position(|talk| talk.request);
    let many = first.map_or(0, |first| model.talks.len() - first);
    let before = |n: usize| usize::from(first.is_some_and(|first| first <= n));
    let from = (model.listed + before(model.listed) + 1).saturating_sub(height);
    if let Some(y) = first.and_then(|first| first.checked_sub(from)).filter(|y| *y < height) {
        let says = if many == 1 { "1 request".into() } else { format!("{many} requests") };
        put(buffer, 0, y as u16, columns, &says, brush.style(Paint::Warn));
    }
    for (n, talk) in model.talks.iter().enumerate() {
        let Some(y) = (n + before(n)).checked_sub(from).filter(|y| *y < height) else { continue };
        let is_open = model.who() == Some(talk.who.as_str());
        let mut style = brush.style(match talk {
            Talk { waiting: 1.., .. } => Paint::Bold,
            Talk { muted: true, .. } | Talk { silent: true, .. } => Paint::Dim,
            _ => Paint::Plain,
        });
        if n == model.listed && model.pane == Pane::List {
            style = style.add_modifier(Modifier::REVERSED);
        }
        let mark = if is_open { ">" } else { " " };
        let mut facts = Vec::new();
        facts.extend(talk.invited.then(|| "join?".to_owned()));
        facts.extend(talk.request.then(|| "?".to_owned()));
        facts.extend(talk.pinned.then(|| "^".to_owned()));
        facts.extend(talk.muted.then(|| "-".to_owned()));
        facts.extend((talk.unread > 0).then(|| talk.unread.to_string()));
        let facts = facts.join(" ");
        let room = columns.saturating_sub(mark.len() + 1 + facts.len());
        let name = one_line(&talk.name, room);
        let blanks = columns.saturating_sub(mark.len() + self::columns(&name) + facts.len());
        put(buffer, 0, y as u16, columns, &format!("{mark}{name}{}{facts}", " ".repeat(blanks)), style);
    }
}

fn title(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let place = model.layout.title_place();
    if place.height == 0 {
        return;
    }
    let width = usize::from(place.width);
    let name = model.open.as_ref().map_or_else(|| "dak".into(), |(_, name)| safe_text(name));
    let name = match (model.thread.is_some(), model.pane != Pane::List && model.request().is_some()) {
        (true, _) => format!("{name}, a thread (Esc goes back)"),
        (false, true) => format!("{name}, has no name here"),
        (false, false) => name,
    };
    // Below stands that nothing comes, as long as that is so.
    let (says, paint) = match (&model.cut_off, &model.notice) {
        (Some(_), Some((is_bad, says))) => (safe_text(says), if *is_bad { Paint::Bad } else { Paint::Good }),
        _ => (name, Paint::Bold),
    };
    put(buffer, place.x, place.y, width, &one_line(&says, width), brush.style(paint));
    if model.window.has_newer {
        let says = " End: the newest";
        let x = place.right().saturating_sub(says.len() as u16);
        put(buffer, x.max(place.x), place.y, says.len(), says, brush.style(Paint::Dim));
    }
}

fn messages(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let place = model.layout.messages_place();
    let text = Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place };
    let shown = model.window.on_screen();
    for (y, (row, words)) in shown.iter().enumerate() {
        line(buffer, text, y as u16, words, brush, Style::new());
        if model.pane == Pane::Messages && *row == model.window.chosen {
            put(buffer, place.x, place.y + y as u16, 1, "|", brush.style(Paint::Good));
        }
    }
    // What is on its way into the node stands below, where there is room; it is there in a moment.
    let own = model.outgoing.iter().filter(|out| model.who() == Some(&out.who));
    let free = usize::from(place.height).saturating_sub(shown.len());
    for (y, Outgoing { writing, .. }) in own.take(free).enumerate() {
        let says = one_line_of_prose(&format!("... {}", words(writing.compose.text())), usize::from(text.width));
        put(
            buffer,
            text.x,
            place.y + (shown.len() + y) as u16,
            usize::from(text.width),
            &says,
            brush.style(Paint::Dim),
        );
    }
    if shown.is_empty() && model.is_loaded {
        put(buffer, text.x, text.y, usize::from(text.width), "nothing was said yet", brush.style(Paint::Dim));
    }
}

/// What the words that are being written answer or edit.
fn remark(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let place = model.layout.remark_place();
    if place.height == 0 {
        return;
    }
    let width = usize::from(place.width);
    let says = match (&model.writing.edits, &model.writing.answers) {
        (Some(_), _) => "editing; Esc leaves it as it was".to_owned(),
        (None, Some((id, quoted))) if quoted.is_empty() => format!("answers {}", crate::cli::who::short_id(id)),
        (None, Some((_, quoted))) => format!("answers {quoted}"),
        (None, None) => return,
    };
    put(buffer, place.x, place.y, width, &one_line_of_prose(&says, width), brush.style(Paint::Warn));
}

fn compose(model: &Model, brush: Brush, buffer: &mut Buffer) -> Option<Position> {
    let place = model.layout.compose_place();
    let height = usize::from(place.height);
    let width = usize::from(place.width);
    if height == 0 || width < 4 {
        return None;
    }
    let (label, compose) = match &model.prompt {
        Some(prompt) => {
            let label = match prompt.what {
                Asked::Query => "search: ",
                Asked::Reaction { .. } => "react: ",
                Asked::Directory { .. } => "save in: ",
                Asked::File => "send file: ",
                Asked::Join { .. } => "join? yes or no: ",
                Asked::Name { .. } => "accept as: ",
                Asked::Block { .. } => "block? yes or no: ",
            };
            (if width > 2 * label.len() { label } else { "> " }, &prompt.line)
        }
        None => ("> ", &model.writing.compose),
    };
    let laid = compose.lay_out(width - label.len());
    let style = if model.prompt.is_some() { brush.style(Paint::Warn) } else { Style::new() };
    let mark = if model.pane == Pane::Compose || model.prompt.is_some() { Paint::Good } else { Paint::Dim };
    put(buffer, place.x, place.y, label.len(), label, brush.style(mark));
    let from = (laid.row + 1).saturating_sub(height);
    for (y, text) in laid.lines.iter().skip(from).take(height).enumerate() {
        put(buffer, place.x + label.len() as u16, place.y + y as u16, width - label.len(), text, style);
    }
    let x = place.x + (label.len() + laid.column) as u16;
    Some(Position { x: x.min(place.right().saturating_sub(1)), y: place.y + (laid.row - from) as u16 })
}

/// What just happened, why nothing comes, or the keys.
fn foot(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let place = model.layout.foot_place();
    if place.height == 0 {
        return;
    }
    let width = usize::from(place.width);
    let (says, paint) = match model.says() {
        Some((is_bad, says)) => (says, if is_bad { Paint::Bad } else { Paint::Good }),
        None => (keys(model, width).into(), Paint::Dim),
    };
    let height = usize::from(place.height);
    let mut lines = wrapped(&says, width, 0);
    if lines.len() > height {
        let rest = lines.drain(height - 1..).collect::<Vec<_>>().join(" ");
        lines.push(one_line(&rest, width));
    }
    for (y, says) in lines.iter().enumerate() {
        put(buffer, place.x, place.y + y as u16, width, says, brush.style(paint));
    }
}

fn keys(model: &Model, width: usize) -> &'static str {
    let all: [&'static str; 2] = match (model.pane, model.prompt.is_some()) {
        (_, true) => ["Enter does it, Esc does not", "Enter, Esc"],
        (Pane::List, _) if model.request().is_some() => {
            ["Enter opens  a accept  b block  Tab turns  ? keys  q quits", "Enter opens a b ? keys"]
        }
        (Pane::Messages, _) if model.request().is_some() => {
            ["a accept  b block  h the list, and leave it  r answer  ? keys  q quits", "a accept b block ? keys"]
        }
        (Pane::List, _) => ["Enter opens  Tab turns  / search  n near  ? keys  q quits", "Enter opens ? keys"],
        (Pane::Messages, _) => {
            ["r answer  t thread  + react  e edit  s save  / search  ? keys  q quits", "r t + e s / ? keys"]
        }
        (Pane::Compose, _) => ["Enter sends  Alt-Enter new line  Esc messages  Tab turns  F1 keys", "F1 keys"],
    };
    if all[0].len() <= width { all[0] } else { all[1] }
}

fn overlay(model: &Model, brush: Brush, buffer: &mut Buffer) {
    let Some(overlay) = &model.overlay else { return };
    let area = buffer.area;
    let (columns, lines) = (usize::from(area.width), usize::from(area.height));
    buffer.reset();
    put(buffer, 0, 0, columns, &one_line(&overlay.title, columns), brush.style(Paint::Bold));
    let room = lines.saturating_sub(2).max(1);
    for (y, (is_chosen, words)) in overlay.lines(columns, room).iter().enumerate() {
        let more = if *is_chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        line(buffer, area, y as u16 + 1, words, brush, more);
    }
    if lines > 2 {
        put(buffer, 0, area.height - 1, columns, "Esc closes", brush.style(Paint::Dim));
    }
}
