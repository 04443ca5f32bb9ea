//! The page for browsers, which is opened and closed with the node.

use std::sync::Arc;

use super::Desk;
use crate::api::model::{Done, WebLanRow, WebRow};
use crate::api::{ApiError, Backend, Response};

impl Desk {
    /// A link that lets one browser in, once.
    pub(super) async fn web_link(&self) -> Result<WebRow, ApiError> {
        self.net()?;
        self.inner.web.link(self.backend(), self.inner.config.web_port.value).await
    }

    /// The same for one phone in the local network.
    pub(super) async fn web_link_for_phone(&self) -> Result<WebLanRow, ApiError> {
        self.net()?;
        self.inner.web.link_for_phone(self.backend()).await
    }

    pub(super) async fn web_close_to_phones(&self) -> Result<Response, ApiError> {
        self.net()?;
        self.inner.web.close_to_phones().await?;
        Ok(Response::Done(Done::default()))
    }

    pub(super) fn web_revoke(&self, name: &str) -> Result<Response, ApiError> {
        self.inner.web.revoke(name)?;
        Ok(Response::Done(Done::default()))
    }

    /// Opens the page again where browsers were let in before.
    pub(super) async fn open_web_again(&self) {
        self.inner.web.open_again(self.backend(), self.inner.config.web_port.value).await;
    }

    pub(super) async fn close_web(&self) {
        self.inner.web.close().await;
    }

    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(self.clone())
    }
}
