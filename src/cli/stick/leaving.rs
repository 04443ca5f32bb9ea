//! Out of the node into a folder or a file.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use futures::StreamExt;

use super::{ExportedRow, cannot_write};
use crate::api::ApiError;
use crate::api::model::{LeavingRow, Listing, Request, Row, STICK_BUNDLES_MAX, STICK_BYTES_MAX, When, WillingRow};
use crate::bundle::written_part;
use crate::cli::args::Load;
use crate::cli::link::{Link, take};
use crate::id::{BundleId, IdPrefix};
use crate::stick::{Folder, ToWrite, no_room};

/// What goes, as long as there is room.
pub(super) struct Plan {
    pub(super) bundles: Vec<WillingRow>,
}

impl Plan {
    /// Asks what would go, and leaves out what lies there, and what is over the limit with it.
    pub(super) async fn of(
        link: &Link<'_>,
        load: &Load,
        there: &BTreeSet<BundleId>,
        exported: &mut ExportedRow,
    ) -> Result<Plan, ApiError> {
        let mut rows = link.list(Listing::Stick { whom: load.whom.clone() }).await?;
        let (mut bundles, mut bytes) = (Vec::new(), 0u64);
        while let Some(row) = rows.next().await {
            let row = match row {
                Row::Stick(row) => row,
                Row::Ended(why) => return Err(why),
                _ => continue,
            };
            if bytes.saturating_add(row.bytes) > load.max {
                exported.left_out += 1;
                continue;
            }
            bytes += row.bytes;
            match whole_id(&row.id).is_some_and(|id| there.contains(&id)) {
                true => exported.there += 1,
                false => bundles.push(row),
            }
        }
        Ok(Plan { bundles })
    }

    /// Takes the bundles out of the node and writes them, a batch at a time. What has no room there is left in the node, for
    /// each bundle that is taken out spends a copy, written or not.
    pub(super) async fn write(
        self,
        link: &Link<'_>,
        load: &Load,
        target: &mut impl Target,
        exported: &mut ExportedRow,
    ) -> Result<(), ApiError> {
        if self.bundles.is_empty() {
            return Ok(());
        }
        let all = self.bundles.len() as u64;
        let fits = target.fit(&self.bundles).inspect_err(|_| exported.left_out += all)?;
        let bundles = self.bundles.into_iter().zip(fits).filter_map(|(row, fits)| fits.then_some(row));
        let bundles: Vec<WillingRow> = bundles.collect();
        let without_room = all - bundles.len() as u64;
        exported.left_out += without_room;
        let mut left = &bundles[..];
        while !left.is_empty() {
            let mut bytes = 0;
            let fits = left.iter().take(STICK_BUNDLES_MAX).take_while(|row| {
                bytes += row.bytes;
                bytes <= STICK_BYTES_MAX
            });
            let (batch, later) = left.split_at(fits.count().max(1));
            let ids = batch.iter().map(|row| row.id.clone()).collect();
            let whom = load.whom.clone();
            let leaving = take!(link.ask(Request::StickTake { ids, whom }).await?, Leaving)?;
            let leaving: Vec<ToWrite> = leaving.into_iter().filter_map(copy).collect();
            if let Err(error) = target.write(&leaving) {
                exported.left_out += left.len() as u64;
                exported.wasted += leaving.len() as u64;
                return Err(error);
            }
            exported.bundles += leaving.len() as u64;
            exported.bytes += leaving.iter().map(|bundle| bundle.bytes.len() as u64).sum::<u64>();
            left = later;
        }
        if without_room > 0 { Err(cannot_write(target.place(), &no_room())) } else { Ok(()) }
    }
}

fn copy(LeavingRow { id, at, bytes, .. }: LeavingRow) -> Option<ToWrite> {
    Some(ToWrite { id: whole_id(&id)?, bytes, at: at.map(When::to_dtn) })
}

pub(super) fn whole_id(id: &str) -> Option<BundleId> {
    IdPrefix::parse(id).map(|prefix| *prefix.range().start())
}

/// Where bundles are written.
pub(super) trait Target {
    /// Which of these there is room for.
    fn fit(&self, bundles: &[WillingRow]) -> Result<Vec<bool>, ApiError>;

    /// As errors name it.
    fn place(&self) -> &Path;

    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError>;
}

pub(super) struct InFolder<'a> {
    pub(super) folder: &'a Folder,
    pub(super) place: &'a Path,
}

impl Target for InFolder<'_> {
    fn fit(&self, bundles: &[WillingRow]) -> Result<Vec<bool>, ApiError> {
        self.folder.fit(bundles.iter().map(|row| row.bytes)).map_err(|error| cannot_write(self.place, &error))
    }

    fn place(&self) -> &Path {
        self.place
    }

    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError> {
        self.folder.add(bundles).map_err(|error| cannot_write(self.place, &error))
    }
}

/// One file that holds many.
pub(super) struct Sequence<'a> {
    file: Box<dyn Write + 'a>,
    written: Option<u64>,
}

impl<'a> Sequence<'a> {
    pub(super) fn to(file: Box<dyn Write + 'a>) -> Sequence<'a> {
        Sequence { file, written: None }
    }
}

impl Target for Sequence<'_> {
    /// Half a file is no export, so nothing of it is left out.
    fn fit(&self, bundles: &[WillingRow]) -> Result<Vec<bool>, ApiError> {
        Ok(vec![true; bundles.len()])
    }

    fn place(&self) -> &Path {
        Path::new("the file")
    }

    fn write(&mut self, bundles: &[ToWrite]) -> Result<(), ApiError> {
        let mut bytes = Vec::new();
        for bundle in bundles {
            let second = bundle.at.map(|at| at.unix_ms() / 1_000);
            if let Some(at) = bundle.at.filter(|_| second != self.written) {
                self.written = second;
                bytes.extend(written_part(at));
            }
            bytes.extend(&bundle.bytes);
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.flush());
        written.map_err(|error| cannot_write(self.place(), &error))
    }
}
