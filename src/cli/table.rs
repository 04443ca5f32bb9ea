//! Tables that fit the terminal: one column takes what the others leave, and a narrow terminal gets blocks instead.
//! Where no terminal shows it, a table is as wide as it has to be, for a program may want every word.

use super::out::{Paint, Style};
use crate::safe_text::{columns, one_line, one_line_of_prose};

/// A cell: what somebody may have written, and how it is painted. It is made safe and cut when printed.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    paint: Paint,
    is_prose: bool,
}

/// A table whose last column takes the room that is left.
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    /// The heads were printed already, above earlier rows.
    is_headed: bool,
}

/// Widest a column but the last may get.
const COLUMN_WIDTH_MAX: usize = 26;
/// With less than this for the last column a table is no help any more.
const LAST_WIDTH_MIN: usize = 16;
const GAP: usize = 2;

pub fn cell(text: impl Into<String>) -> Cell {
    painted(Paint::Plain, text)
}

pub fn painted(paint: Paint, text: impl Into<String>) -> Cell {
    Cell { text: text.into(), paint, is_prose: false }
}

/// Words that somebody wrote to be read, in whatever script.
pub fn prose(text: impl Into<String>) -> Cell {
    Cell { is_prose: true, ..cell(text) }
}

impl Cell {
    fn shown(&self, width: usize) -> String {
        if self.is_prose { one_line_of_prose(&self.text, width) } else { one_line(&self.text, width) }
    }
}

impl Table {
    pub fn new(heads: &[&'static str]) -> Table {
        Table { heads: heads.to_vec(), rows: Vec::new(), is_headed: false }
    }

    /// Bytes of the texts in it.
    pub fn bytes(&self) -> usize {
        self.rows.iter().flatten().map(|cell| cell.text.len()).sum()
    }

    /// Renders the rows there are and goes on below them without any.
    pub fn take(&mut self, style: &Style) -> String {
        let text = self.render(style);
        self.rows.clear();
        self.is_headed = true;
        text
    }

    /// Adds a row with a cell for each head.
    pub fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.heads.len(), "a row has as many cells as the table has heads");
        self.rows.push(cells);
    }

    /// Nothing for a table without rows.
    pub fn render(&self, style: &Style) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let Some(room) = style.width else { return self.lines(&self.widths(usize::MAX), style) };
        let last = self.heads.len() - 1;
        let mut widths = self.widths(COLUMN_WIDTH_MAX);
        let before: usize = widths[..last].iter().map(|width| width + GAP).sum();
        if before + widths[last].min(LAST_WIDTH_MIN) > room {
            return self.blocks(room, style);
        }
        widths[last] = room - before;
        self.lines(&widths, style)
    }

    fn lines(&self, widths: &[usize], style: &Style) -> String {
        let heads: Vec<Cell> = self.heads.iter().map(|head| painted(Paint::Dim, *head)).collect();
        let heads = (!self.is_headed).then_some(&heads);
        heads.into_iter().chain(&self.rows).map(|row| line(row, widths, style)).collect()
    }

    /// How wide each column wants to be, and at most may.
    fn widths(&self, width_max: usize) -> Vec<usize> {
        let width = |at: usize| {
            let cells = self.rows.iter().map(|row| columns(&row[at].shown(width_max)));
            cells.chain([self.heads[at].len()]).max().unwrap_or(0)
        };
        (0..self.heads.len()).map(width).collect()
    }

    /// One cell a line, for terminals too narrow for a table.
    fn blocks(&self, room: usize, style: &Style) -> String {
        let head_width = self.heads.iter().map(|head| head.len()).max().unwrap_or(0);
        let room = room.saturating_sub(head_width + 1);
        let blocks: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let filled = self.heads.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty());
                filled
                    .map(|(head, cell)| {
                        let text = style.paint(cell.paint, &cell.shown(room));
                        format!("{} {text}\n", style.paint(Paint::Dim, &format!("{head:<head_width$}")))
                    })
                    .collect()
            })
            .collect();
        blocks.join("\n")
    }
}

fn line(row: &[Cell], widths: &[usize], style: &Style) -> String {
    let mut line = String::new();
    let mut behind = 0;
    for (cell, width) in row.iter().zip(widths) {
        let text = cell.shown(*width);
        // Spaces before a cell rather than after it: no line ends in them.
        if !text.is_empty() {
            line.push_str(&" ".repeat(behind));
            behind = 0;
            line.push_str(&style.paint(cell.paint, &text));
        }
        behind += width - columns(&text) + GAP;
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(width: usize, color: bool) -> Style {
        Style { width: Some(width), color, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    fn table() -> Table {
        let mut table = Table::new(&["ID", "FROM", "TEXT"]);
        table.row(vec![cell("3f2a"), cell("Zoë"), cell("short")]);
        table.row(vec![
            painted(Paint::Good, "77"),
            cell("多比"),
            cell("long enough to be cut \u{1b}[31m and more of it"),
        ]);
        table
    }

    #[test]
    fn the_last_column_takes_what_is_left_and_is_cut() {
        let wanted = "ID    FROM  TEXT\n3f2a  Zoë   short\n77    多比  long enough to be cut …\n";
        assert_eq!(table().render(&style(35, false)), wanted);
        assert!(table().render(&style(80, false)).contains("cut \\u{1b}[31m and"));
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let long = "many words ".repeat(1_000);
        let mut table = Table::new(&["FROM", "TEXT"]);
        table.row(vec![cell("a name of more than twenty-six columns"), cell(&long)]);
        table.row(vec![cell("b"), cell("x")]);
        let shown = table.render(&Style { width: None, ..style(80, false) });
        assert!(shown.contains(&format!("a name of more than twenty-six columns  {long}\n")));
        assert!(shown.ends_with(&format!("\nb{}x\n", " ".repeat(39))), "columns stay columns");
    }

    #[test]
    fn a_narrow_terminal_gets_blocks() {
        let wanted = "ID   3f2a\nFROM Zoë\nTEXT short\n\nID   77\nFROM 多比\nTEXT long enough to b…\n";
        assert_eq!(table().render(&style(22, false)), wanted);
    }

    #[test]
    fn colours_change_nothing_but_colour() {
        let colored = table().render(&style(35, true));
        assert!(colored.contains("\u{1b}[32m77\u{1b}[0m    多比"));
        let stripped =
            ["\u{1b}[32m", "\u{1b}[2m", "\u{1b}[0m"].iter().fold(colored, |text, code| text.replace(code, ""));
        assert_eq!(stripped, table().render(&style(35, false)));
    }

    #[test]
    fn an_empty_table_says_nothing() {
        assert_eq!(Table::new(&["ID"]).render(&style(80, false)), "");
    }
}
