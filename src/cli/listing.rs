//! Listings on the terminal: as JSON a row at a time, for people in a table once its columns are known.

use futures::StreamExt;

use super::out::{Out, Style};
use super::table::{Cell, Table};
use super::{Outcome, Stop};
use crate::api::Row;
use crate::api::client::RowStream;

/// So much of a table is laid out together where its rows are of any length.
const TABLE_BYTES_MAX: usize = 1 << 20;

/// Prints the rows of a listing and tells `seen` of each; `cells` lays one out under `heads`.
pub async fn print(
    mut rows: RowStream,
    out: &Out,
    heads: &[&'static str],
    cells: fn(&Row, &Style) -> Option<Vec<Cell>>,
    mut seen: impl FnMut(Row),
) -> Outcome {
    let mut table = Table::new(heads);
    let mut ended = None;
    while let Some(row) = rows.next().await {
        match row {
            Row::Ended(why) => ended = Some(why),
            row => {
                match out.json {
                    true => out.data(&row.json_line())?,
                    false => cells(&row, &out.style).into_iter().for_each(|cells| table.row(cells)),
                }
                // On a terminal a row is a line; elsewhere it may be as long as a message, and is not kept.
                if out.style.width.is_none() && table.bytes() >= TABLE_BYTES_MAX {
                    out.data(&table.take(&out.style))?;
                }
                seen(row);
            }
        }
    }
    out.data(&table.render(&out.style))?;
    ended.map_or(Ok(()), |why| Err(Stop::Error(why)))
}
