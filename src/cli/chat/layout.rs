//! What stands where on a screen of some size.

use ratatui::layout::Rect;

use super::lines::wrapped;
use super::model::Pane;
use super::writing::Writing;

/// A narrower screen shows the list or a conversation, not both.
const BOTH_COLUMNS_MIN: usize = 60;
/// A lower screen has no line for the name of the conversation.
const TITLE_LINES_MIN: usize = 8;
const LIST_COLUMNS_MAX: usize = 32;

/// The size of the screen, and how it is shared out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub columns: usize,
    pub lines: usize,
    /// Columns of the list, a rule beside it not counted; 0 where it is not shown.
    pub list: usize,
    /// Whether the conversation is shown.
    pub talk: bool,
    pub title: usize,
    /// Lines of what is being written.
    pub compose: usize,
    /// A line above that, which says what it answers or edits.
    pub remark: usize,
    pub foot: usize,
}

impl Layout {
    pub fn fit(&mut self, pane: Pane, writing: &Writing, is_asked: bool, says: Option<&str>) {
        let Layout { columns, lines, .. } = *self;
        let both = columns >= BOTH_COLUMNS_MIN;
        (self.list, self.talk) = match (both, pane) {
            (true, _) => ((columns / 4).clamp(16, LIST_COLUMNS_MAX), true),
            (false, Pane::List) => (columns, false),
            (false, _) => (0, true),
        };
        self.title = usize::from(lines >= TITLE_LINES_MIN);
        // What went wrong and what to do next is read to its end, as far as there is room.
        let said = says.map_or(1, |says| wrapped(says, columns, 0).len());
        self.foot = if lines >= 4 { said.clamp(1, (lines / 4).max(1)) } else { 0 };
        let remark = writing.answers.is_some() || writing.edits.is_some();
        self.remark = usize::from(remark && lines >= TITLE_LINES_MIN);
        let room = lines.saturating_sub(self.title + self.foot + self.remark);
        let most = (room / 3).max(1);
        let compose = &writing.compose;
        let wanted = match is_asked {
            true => 1,
            // A long text is not laid out to see that it is one.
            false if compose.text().bytes().filter(|byte| *byte == b'\n').nth(most).is_some() => most,
            false => compose.lay_out(self.compose_columns()).lines.len(),
        };
        self.compose = wanted.clamp(1, most).min(room);
    }

    pub fn shows_messages(&self) -> bool {
        self.talk && self.messages().1 > 0
    }

    /// Columns and lines of the messages; a column before them says which one is chosen.
    pub fn messages(&self) -> (usize, usize) {
        let rect = self.messages_place();
        (usize::from(rect.width).saturating_sub(1), usize::from(rect.height))
    }

    /// Columns that a text is laid out for: a mark stands before it.
    pub fn compose_columns(&self) -> usize {
        self.talk_columns().saturating_sub(2)
    }

    fn talk_left(&self) -> usize {
        if self.talk && self.list > 0 { self.list + 1 } else { 0 }
    }

    fn talk_columns(&self) -> usize {
        self.columns - self.talk_left().min(self.columns)
    }

    pub fn list_place(&self) -> Rect {
        rect(0, 0, self.list, self.lines.saturating_sub(self.foot))
    }

    pub fn title_place(&self) -> Rect {
        rect(self.talk_left(), 0, self.talk_columns(), self.title)
    }

    pub fn messages_place(&self) -> Rect {
        let taken = self.title + self.remark + self.compose + self.foot;
        rect(self.talk_left(), self.title, self.talk_columns(), self.lines.saturating_sub(taken))
    }

    pub fn remark_place(&self) -> Rect {
        let top = self.lines.saturating_sub(self.foot + self.compose + self.remark);
        rect(self.talk_left(), top, self.talk_columns(), self.remark)
    }

    pub fn compose_place(&self) -> Rect {
        let top = self.lines.saturating_sub(self.foot + self.compose);
        rect(self.talk_left(), top, self.talk_columns(), self.compose)
    }

    pub fn foot_place(&self) -> Rect {
        rect(0, self.lines.saturating_sub(self.foot), self.columns, self.foot)
    }
}

fn rect(left: usize, top: usize, columns: usize, lines: usize) -> Rect {
    let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Rect { x: short(left), y: short(top), width: short(columns), height: short(lines) }
}
