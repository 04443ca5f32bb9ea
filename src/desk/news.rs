//! What a person at the terminal of a running node wants to hear: that mail came, and who is near. Never what it says.

use std::collections::BTreeSet;

use futures::stream;
use tokio::sync::broadcast::error::RecvError;

use super::follow::kept_back;
use super::quiet::Quiet;
use super::{Desk, Names};
use crate::agent::{Agent, Event};
use crate::api::model::Show;
use crate::api::{News, NewsStream, Who};
use crate::id::{BundleId, NodeId};

/// Most nodes of which it is remembered that they were met; beyond that all are news again.
const MET_MAX: usize = 1_024;

/// News from now on, until the node ends.
pub fn news(desk: Desk) -> NewsStream {
    let (events, met) = (desk.node().follow(), desk.node().nearby().follow());
    let told = desk.inner.told.subscribe();
    let quiet = desk.quiet();
    let state = (desk, events, met, told, BTreeSet::new(), quiet);
    Box::pin(stream::unfold(state, |(desk, mut events, mut met, mut told, mut known, mut quiet)| async move {
        loop {
            let news = tokio::select! {
                event = events.recv() => match event {
                    Ok(Event::Delivered { id, .. }) => desk.mail(id, Some(&mut quiet)).await,
                    Ok(_) => None,
                    Err(RecvError::Lagged(_)) => Some(News::More),
                    Err(RecvError::Closed) => return None,
                },
                id = kept_back(&mut quiet) => desk.mail(id, None).await,
                peer = met.recv() => match peer {
                    Ok(peer) if is_new(&mut known, peer) => desk.who(peer).await.map(News::Met),
                    Ok(_) | Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                },
                done = told.recv() => match done {
                    Ok(news) => Some(news),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                },
                // Whoever follows keeps the home open, which must end with the node.
                () = desk.node().ended() => return None,
            };
            if let Some(news) = news {
                return Some((news, (desk, events, met, told, known, quiet)));
            }
        }
    }))
}

/// One and the same neighbour comes and goes; he is told of once.
fn is_new(known: &mut BTreeSet<NodeId>, peer: NodeId) -> bool {
    if known.len() >= MET_MAX {
        known.clear();
    }
    known.insert(peer)
}

impl Desk {
    /// News of a message that came, unless quiet hours keep them back.
    async fn mail(&self, id: BundleId, quiet: Option<&mut Quiet>) -> Option<News> {
        let letter = self.record(move |record| record.letter(&id)).await.ok()??;
        let source = letter.source;
        if !self.is_news(&letter, Show::Waiting).await.ok()? {
            return None;
        }
        if let Some(quiet) = quiet
            && !self.is_told(&letter, quiet).await.ok()?
        {
            return None;
        }
        let mut from = self.who(source).await?;
        if letter.destination.has_members() {
            let names = self.envelope(id).await.ok()??;
            from.name = Some(names.place());
        }
        Some(News::Mail { from, id: id.full() })
    }

    async fn who(&self, node: NodeId) -> Option<Who> {
        let name = self.look(move |_: &Agent, names: &Names<'_>| names.known(&node)).await.ok()?;
        let nickname = self.node().nearby().nickname(&node);
        Some(Who { name, nickname, peer_id: node.peer_id() })
    }
}
