//! What the updates of apps want this person to be told, by the bell or on the desktop: the same rules as for mail.

use super::super::Desk;
use super::super::quiet::minute_now;
use super::{App, app_of};
use crate::agent::change::Letter;
use crate::api::ApiError;
use crate::api::model::{AppNotice, Show};
use crate::content::{AppUpdate, Content};
use crate::id::BundleId;
use crate::mail::apps::{address_in, called};
use crate::mail::conversation::Conversation;
use crate::store::redb::{Body, RedbReader};

/// Everybody who uses an app.
const EVERYBODY: &str = "*";

impl Desk {
    /// What an update that came wants this person to be told, where it is heard by an app that is here.
    pub(in crate::desk) async fn notice(&self, letter: &Letter) -> Result<Option<AppNotice>, ApiError> {
        let me = self.node().identity().node();
        if letter.source == me {
            return Ok(None);
        }
        let letter = letter.clone();
        let read = move |record: &RedbReader| -> Result<Option<(App, AppUpdate)>, _> {
            let Some(Body::Filed(filed)) = record.words(&[letter.row])?.pop().flatten() else { return Ok(None) };
            let Ok(Content::App(update)) = Content::decode(&filed.content) else { return Ok(None) };
            let with = Conversation::of_letter(&letter);
            if update.notify.is_empty() || !record.app_hears(&with, &update.target, &letter.source, &letter.id)? {
                return Ok(None);
            }
            Ok(app_of(record, with, update.target)?.map(|app| (app, update)))
        };
        let Some((app, update)) = self.record(read).await? else { return Ok(None) };
        let AppUpdate { notify, info, href, .. } = update;
        let own = address_in(&app.mark, &me);
        let told = |who: &str| notify.iter().find(|(address, _)| address == who).map(|(_, text)| text.as_str());
        let Some(text) = told(&own).or(told(EVERYBODY)) else { return Ok(None) };
        let text = if text.is_empty() { info.as_deref().unwrap_or("there is something new") } else { text };
        let described = self.describe(&app).await?;
        let name = described.name.as_deref().unwrap_or(called(&app.file));
        Ok(Some(AppNotice { text: format!("{name}: {text}"), href }))
    }

    /// The same, where somebody is to be told now: neither muted nor put off, and not in quiet hours.
    pub(in crate::desk) async fn notice_now(&self, id: &BundleId) -> Result<Option<AppNotice>, ApiError> {
        let id = *id;
        let Some(letter) = self.record(move |record| record.letter(&id)).await? else { return Ok(None) };
        let is_quiet = self.inner.config.quiet.value.is_some_and(|hours| hours.left(minute_now()).is_some());
        if is_quiet || self.wanted(std::slice::from_ref(&letter), Show::Waiting).await? != [true] {
            return Ok(None);
        }
        self.notice(&letter).await
    }
}
