//! Consumers of topics that left: an owner may name more topics than are kept, and each that was read has rows of its groups.

use std::collections::BTreeSet;

use super::Meant;
use crate::api::ApiError;
use crate::desk::Desk;
use crate::eid::{Eid, Service};
use crate::mail::topics::rows;

/// Rows that are read together.
const ROWS_AT_ONCE: usize = 256;

impl Desk {
    /// Whatever groups there are of topics of which nothing is kept any more goes, and what they gave up.
    pub(super) async fn tidy_consumers(&self) -> Result<(), ApiError> {
        let mut gone = BTreeSet::new();
        for start in rows::of_consumers() {
            let mut after = None::<Vec<u8>>;
            loop {
                let (start, from) = (start.clone(), after.take());
                let page = self.record(move |record| record.all_kept(&start, from.as_deref(), ROWS_AT_ONCE)).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                gone.extend(page.iter().filter_map(|(key, _)| match rows::read_key(key)? {
                    rows::Key::Group(topic, _) | rows::Key::Dead(topic, ..) => Some(topic),
                    _ => None,
                }));
            }
        }
        self.forget_consumers_of_gone(gone).await
    }

    /// The same of topics that a consumer had events of, where it reads several; these are there now.
    pub(super) async fn forget_consumers_beside(&self, meant: &Meant, there: &[Eid]) -> Result<(), ApiError> {
        let is_meant = |topic: &Eid| matches!(&topic.service, Service::Topic(name) if topic.node == meant.owner && meant.filter.matches(name));
        let there: BTreeSet<&Eid> = there.iter().collect();
        let gone = {
            let groups = self.inner.consumers.groups();
            let beside =
                groups.keys().map(|(topic, _)| topic).filter(|topic| is_meant(topic) && !there.contains(topic));
            beside.cloned().collect()
        };
        self.forget_consumers_of_gone(gone).await
    }

    async fn forget_consumers_of_gone(&self, topics: BTreeSet<Eid>) -> Result<(), ApiError> {
        for topic in topics {
            // It may be back by now.
            let key = rows::state(&topic);
            if self.record(move |record| record.kept(&key)).await?.is_none() {
                self.forget_consumers(&topic).await?;
            }
        }
        Ok(())
    }
}
