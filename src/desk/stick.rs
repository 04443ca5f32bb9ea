//! What goes on a stick and what comes from one: see [`crate::agent::STICK`] for the rules.

use std::collections::VecDeque;

use super::Desk;
use crate::agent::{Agent, Standing, Willing};
use crate::api::model::{
    EnteredRow, Fate, FromStick, LeavingRow, STICK_BUNDLES_MAX, STICK_BYTES_MAX, Schema, When, WillingRow,
};
use crate::api::{ApiError, Row};
use crate::frame::Refusal;
use crate::id::{BundleId, IdPrefix, NodeId};
use crate::node::{Came, Entered};

/// How much of what is held one look goes through.
const LOOKS: usize = 4_096;
/// Rows made at once.
const PAGE_ROWS: usize = 1_024;

/// A listing of what would go.
pub struct Loading {
    desk: Desk,
    whom: Option<String>,
    /// In the order in which it goes, once that is known.
    willing: Option<VecDeque<Willing>>,
}

impl Loading {
    pub fn of(desk: Desk, whom: Option<String>) -> Loading {
        Loading { desk, whom, willing: None }
    }

    pub async fn next(mut self) -> Result<Option<(Vec<Row>, Loading)>, ApiError> {
        let willing = match &mut self.willing {
            Some(willing) => willing,
            none => none.insert(self.desk.willing(self.whom.as_deref()).await?),
        };
        let row = |Willing { id, size_bytes, .. }| {
            Row::Stick(WillingRow { schema: Schema, id: BundleId::full(&id), bytes: u64::from(size_bytes) })
        };
        let rows: Vec<Row> = willing.drain(..willing.len().min(PAGE_ROWS)).map(row).collect();
        Ok((!rows.is_empty()).then_some((rows, self)))
    }
}

impl Desk {
    /// All that would go, the first first. The agent is looked at in pages, for others have questions too.
    async fn willing(&self, whom: Option<&str>) -> Result<VecDeque<Willing>, ApiError> {
        let whom = self.stick_for(whom).await?;
        let (mut all, mut after): (Vec<Willing>, Option<Standing>) = (Vec::new(), None);
        loop {
            let (page, last) = self.look(move |agent: &Agent, _| agent.willing(whom, after, LOOKS)).await?;
            all.extend(page);
            if last.is_none() {
                break;
            }
            after = last;
        }
        all.sort_unstable();
        // What moved in between may have been seen twice.
        all.dedup_by_key(|willing| willing.id);
        Ok(all.into())
    }

    pub(super) async fn stick_take(&self, ids: &[String], whom: Option<&str>) -> Result<Vec<LeavingRow>, ApiError> {
        if ids.len() > STICK_BUNDLES_MAX {
            return Err(ApiError::usage(format!("at most {STICK_BUNDLES_MAX} bundles are taken out at once")));
        }
        let whom = self.stick_for(whom).await?;
        let ids = ids.iter().map(|id| whole_id(id)).collect::<Result<Vec<BundleId>, ApiError>>()?;
        self.leaves_by_hand().await?;
        let taken = self.node().take_out(whom, ids, STICK_BYTES_MAX).await?;
        let row = |taken: crate::node::Taken| LeavingRow {
            schema: Schema,
            id: taken.id.full(),
            at: taken.at.and_then(When::from_dtn),
            bytes: taken.bytes,
        };
        Ok(taken.into_iter().map(row).collect())
    }

    pub(super) async fn stick_bring(&self, bundles: Vec<FromStick>) -> Result<Vec<EnteredRow>, ApiError> {
        if bundles.len() > STICK_BUNDLES_MAX {
            return Err(ApiError::usage(format!("at most {STICK_BUNDLES_MAX} bundles are brought at once")));
        }
        let came = |bundle: FromStick| Came { bytes: bundle.bytes, written: bundle.written_at.map(When::to_dtn) };
        let entered = self.node().bring(bundles.into_iter().map(came).collect()).await?;
        Ok(entered.into_iter().map(entered_row).collect())
    }

    /// Whom a stick is for.
    async fn stick_for(&self, whom: Option<&str>) -> Result<Option<NodeId>, ApiError> {
        let Some(whom) = whom else { return Ok(None) };
        let node = self.find_node(whom).await?;
        if node == self.node().identity().node() {
            return Err(ApiError::refused("that is yourself").advise("name whoever gets the stick, or nobody"));
        }
        Ok(Some(node))
    }
}

fn whole_id(id: &str) -> Result<BundleId, ApiError> {
    let stretch = IdPrefix::parse(id).filter(|_| id.len() == 64).map(|prefix| *prefix.range().start());
    stretch.ok_or_else(|| ApiError::usage("an id has 64 hexadecimal digits here"))
}

fn entered_row(entered: Entered) -> EnteredRow {
    let row = |id: Option<BundleId>, fate, why: Option<String>| EnteredRow {
        schema: Schema,
        id: id.map(|id| id.full()),
        fate,
        why,
        may_come_again: false,
    };
    match entered {
        Entered::New(id) => row(Some(id), Fate::New, None),
        Entered::Known(id) => row(Some(id), Fate::Known, None),
        Entered::Bad(why) => row(None, Fate::Refused, Some(why)),
        Entered::Refused(id, why) => {
            let may_come_again = matches!(why, Refusal::Full | Refusal::Space | Refusal::Shunned | Refusal::Unwilling);
            EnteredRow { may_come_again, ..row(Some(id), Fate::Refused, Some(words(why).into())) }
        }
    }
}

fn words(why: Refusal) -> &'static str {
    match why {
        Refusal::Full => "there is no room for it here",
        Refusal::Space => "the disk is short of space",
        Refusal::Unwilling => "this node does not carry it",
        Refusal::Known => "it is known",
        Refusal::Expired => "its life is over",
        Refusal::TooLarge => "its size or its lifetime is over the limit",
        Refusal::Shunned => "it had to leave here a while ago",
    }
}
