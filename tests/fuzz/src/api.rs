//! Whatever a local client writes to the socket: an answer or a closed connection, and never a request out of bounds.

use std::os::unix::net::UnixListener as StdListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dak::api::model::{Request, Response};
use dak::api::{Answer, ApiError, Backend, Listing, Row, Rows, Topic, server};
use dak::safe_text::safe_json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};

/// The longest answer that a backend without anything to say gets.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// For whom an answer never comes, something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Knows nothing and says so, with the words of whoever asked.
struct Nobody;

impl Backend for Nobody {
    fn call(&self, request: Request) -> Answer<'_> {
        let answer: Result<Response, ApiError> = match &request {
            Request::Send(compose) => compose.check_size().and(Err(ApiError::not_found(format!("{request:?}")))),
            request => Err(ApiError::not_found(format!("{request:?}"))),
        };
        Box::pin(async move { answer })
    }

    fn list(&self, listing: Listing) -> Rows {
        let row = Row::Ended(ApiError::not_found(format!("{listing:?}")));
        Box::pin(futures::stream::once(async move { row }))
    }

    fn follow(&self, _: Topic) -> Rows {
        Box::pin(futures::stream::empty())
    }
}

struct Served {
    runtime: Runtime,
    path: PathBuf,
    _place: tempfile::TempDir,
}

impl Served {
    fn new() -> Served {
        let place = tempfile::tempdir().expect("a place for a socket");
        let path = place.path().join("socket");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = StdListener::bind(&path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket that does not block");
        {
            let _inside = runtime.enter();
            let listener = UnixListener::from_std(listener).expect("a socket");
            runtime.spawn(server::serve(listener, Arc::new(Nobody), std::future::pending()));
        }
        Served { runtime, path, _place: place }
    }
}

/// A connection that brings these bytes and then nothing more.
pub fn api(data: &[u8]) {
    thread_local!(static SERVED: Served = Served::new());
    SERVED.with(|served| {
        served.runtime.block_on(async {
            let said = tokio::time::timeout(PATIENCE, converse(&served.path, data)).await;
            check(&said.expect("a client that hung up is let go"));
        });
    });
}

async fn converse(path: &PathBuf, data: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(path).await.expect("the node listens");
    let mut said = Vec::new();
    // The node may have heard enough before all is said.
    let _ = stream.write_all(data).await;
    let _ = stream.shutdown().await;
    let _ = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut said).await;
    said
}

/// Either nothing, or HTTP whose lines have no character that a terminal obeys, or that hides.
fn check(said: &[u8]) {
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 ") || said.starts_with(b"HTTP/1.0 "), "{said:?}");
    let text = String::from_utf8_lossy(said);
    for line in text.split("\r\n").flat_map(|line| line.split('\n')) {
        assert_eq!(safe_json(line), line);
    }
}
