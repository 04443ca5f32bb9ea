//! Parts leave: read, sealed and held.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::Way;
use crate::api::ApiError;
use crate::bundle::Priority;
use crate::content::{Content, Root, pad};
use crate::desk::Desk;
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, Millis};

/// How long a part is under way before it is sealed anew: as long as other mail.
const LIFETIME_OF_PART: Millis = Millis(7 * DAY.0);

/// A part that leaves: for whom and of which file, which one, and as how many copies where that is said.
pub type PartOut = (Way, u32, Option<u16>);

/// What became of one: the id of its bundle, once it is held here.
pub type Sent = (PartOut, Result<BundleId, ApiError>);

/// Parts that are sealed and held, each for itself: what is done first does not wait for the others.
#[derive(Default)]
pub struct Leaving(FuturesUnordered<BoxFuture<'static, Sent>>);

impl Leaving {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The next that is held; none where nothing leaves.
    pub async fn next(&mut self) -> Option<Sent> {
        self.0.next().await
    }

    /// Reads parts and begins to send them; those for groups are sent once this returns, for each group with one key.
    pub async fn add(&mut self, desk: &Desk, parts: Vec<PartOut>) -> Result<Vec<Sent>, ApiError> {
        let plain = read_parts(desk, &parts).await?;
        let mut to_groups = BTreeMap::<NodeId, (Vec<PartOut>, Vec<Vec<u8>>)>::new();
        for (part, plaintext) in parts.into_iter().zip(plain) {
            let ((to, _), _, copies) = &part;
            if to.has_members() {
                let (parts, plain) = to_groups.entry(to.node).or_default();
                parts.push(part);
                plain.push(plaintext);
                continue;
            }
            let (desk, to, copies) = (desk.clone(), to.clone(), *copies);
            let send = async move {
                let sent = desk.node().send(to, plaintext, LIFETIME_OF_PART, Priority::Bulk, copies).await;
                (part, sent.map_err(ApiError::from))
            };
            self.0.push(Box::pin(send));
        }
        let mut all = Vec::new();
        for (group, (parts, plain)) in to_groups {
            let sent = desk.send_parts_to_group(group, plain, LIFETIME_OF_PART).await?;
            all.extend(parts.into_iter().zip(sent.into_iter().map(|sent| sent.map_err(ApiError::from))));
        }
        Ok(all)
    }
}

/// Reads parts, padded, on one thread: what one thread frees, another does not get from the system's allocator, and a part
/// is large.
async fn read_parts(desk: &Desk, parts: &[PartOut]) -> Result<Vec<Vec<u8>>, ApiError> {
    let blobs = Arc::clone(desk.node().blobs());
    let wanted: Vec<(Root, u32)> = parts.iter().map(|((_, root), index, _)| (*root, *index)).collect();
    let read = move || {
        let padded = |(root, index): (Root, u32)| {
            let part = blobs.part(&root, index).inspect_err(|error| {
                // Else it would be tried again and again, and nothing else would go.
                if is_damage(error) {
                    tracing::error!(%error, "a file is damaged on the disk, and is sent no further");
                    blobs.doubt(&root).unwrap_or_else(|error| tracing::warn!(%error, "what is damaged stays"));
                }
            })?;
            Ok(pad(&Content::Part(part).encode()))
        };
        wanted.into_iter().map(padded).collect::<Result<Vec<_>, std::io::Error>>()
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| ApiError::failure(error.to_string()))?;
    read.map_err(|error| ApiError::failure(format!("a file to be sent cannot be read: {error}")))
}

fn is_damage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    matches!(error.kind(), InvalidData | NotFound | UnexpectedEof)
}
