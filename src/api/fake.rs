//! A backend for tests, without a node behind it.

use std::sync::Mutex;

use tokio::sync::{mpsc, oneshot};

use super::error::ApiError;
use super::model::{Request, Response};
use super::{Answer, Backend, Listing, Row, Rows, Topic};

/// Answers from a script, and remembers what was asked.
#[derive(Default)]
pub struct Fake {
    pub asked: Mutex<Vec<Request>>,
    pub answers: Mutex<Vec<Result<Response, ApiError>>>,
    pub listings: Mutex<Vec<Listing>>,
    pub listed: Mutex<Vec<Vec<Row>>>,
    pub topics: Mutex<Vec<Topic>>,
    pub followers: Mutex<Vec<mpsc::UnboundedSender<Row>>>,
    pub stop_on_down: Mutex<Option<oneshot::Sender<()>>>,
}

impl Fake {
    pub fn emit(&self, row: Row) {
        self.followers.lock().unwrap().retain(|follower| follower.send(row.clone()).is_ok());
    }

    pub fn followers(&self) -> usize {
        let mut followers = self.followers.lock().unwrap();
        followers.retain(|follower| !follower.is_closed());
        followers.len()
    }
}

impl Backend for Fake {
    fn call(&self, request: Request) -> Answer<'_> {
        if request == Request::Down {
            drop(self.stop_on_down.lock().unwrap().take());
        }
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop();
        Box::pin(async move { answer.unwrap_or_else(|| Err(ApiError::failure("nothing was scripted"))) })
    }

    fn list(&self, listing: Listing) -> Rows {
        self.listings.lock().unwrap().push(listing);
        let rows = self.listed.lock().unwrap().pop();
        let rows = rows.unwrap_or_else(|| vec![Row::Ended(ApiError::failure("nothing was scripted"))]);
        Box::pin(futures::stream::iter(rows))
    }

    fn follow(&self, topic: Topic) -> Rows {
        self.topics.lock().unwrap().push(topic);
        let (sender, receiver) = mpsc::unbounded_channel();
        self.followers.lock().unwrap().push(sender);
        let rows = futures::stream::unfold(receiver, |mut r| async { r.recv().await.map(|row| (row, r)) });
        Box::pin(rows)
    }
}
