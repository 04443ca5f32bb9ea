//! The page for browsers, which is opened and closed with the node.

use std::sync::Arc;

use super::Desk;
use crate::api::model::{Done, WebRow};
use crate::api::{ApiError, Backend, Response};

impl Desk {
    /// A link that lets one browser in, once.
    pub(super) async fn web_link(&self) -> Result<WebRow, ApiError> {
        self.net()?;
        self.inner.web.link(self.backend(), self.inner.config.web_port.value).await
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
