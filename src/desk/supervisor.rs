//! Tells whoever supervises the process that the node is ready, lives and stops: systemd, or what speaks its protocol
//! (sd_notify(3)). Where nobody does, nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;

use super::Desk;
use crate::agent::Agent;
use crate::node::Node;
use crate::units::{about_bytes, counted};

impl Desk {
    /// The node can be used.
    pub(super) async fn tell_ready(&self) {
        let status = self.node().look(status).await.unwrap_or_default();
        say(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// Says again and again that the node lives, where somebody waits to hear it.
    pub(super) async fn keep_telling(self) {
        let Some(patience) = sd_notify::watchdog_enabled() else { return };
        let missed = || tracing::error!("the core of the node does not answer; its supervisor hears nothing");
        let alive = |status: &str| say(&[NotifyState::Watchdog, NotifyState::Status(status)]);
        watch(self.node(), patience / 2, alive, missed).await;
    }
}

/// The node stops, and may take its time.
pub(super) fn tell_stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Has the core itself say that it lives, from its own loop: whatever holds that up keeps the word back as well.
async fn watch(node: &Node, every: Duration, alive: impl Fn(&str) + Clone + Send + 'static, mut missed: impl FnMut()) {
    loop {
        tokio::time::sleep(every).await;
        let alive = alive.clone();
        let look = node.look(move |agent| alive(&status(agent)));
        tokio::select! {
            answered = tokio::time::timeout(every, look) => if answered.is_err() { missed() },
            () = node.ended() => return,
        }
    }
}

/// The node in one line.
fn status(agent: &Agent) -> String {
    let (usage, contacts) = (agent.usage(), agent.contacts().count() as u64);
    let held = counted(usage.messages as u64, "message");
    let bytes = usage.by_class.iter().map(|(_, bytes)| bytes).sum();
    format!("{}, {held} held, {}", counted(contacts, "contact"), about_bytes(bytes))
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "whoever supervises this node does not hear it");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::agent;
    use crate::keys::Identity;
    use crate::node::Options;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_core_that_hangs_says_no_word_and_one_that_goes_on_does() {
        let place = tempfile::tempdir().unwrap();
        let options = Options {
            identity: Identity::from_secret(&[1; 32]),
            store: place.path().join("store.redb"),
            config: agent::Config::default(),
            push_bytes: crate::content::PUSH_BYTES,
            net: None,
            record: None,
        };
        let node = std::sync::Arc::new(Node::start(options).unwrap());
        let (release, released) = mpsc::channel::<()>();
        let (hangs, hung) = tokio::sync::oneshot::channel();
        let hanging = std::sync::Arc::clone(&node);
        let hanging = tokio::spawn(async move {
            let hang = move |_: &Agent| {
                let _ = hangs.send(());
                let _ = released.recv();
            };
            hanging.look(hang).await.unwrap();
        });
        hung.await.unwrap();
        let (alive, mut lives) = tokio::sync::mpsc::unbounded_channel();
        let (miss, mut missed) = tokio::sync::mpsc::unbounded_channel();
        let watched = std::sync::Arc::clone(&node);
        let watching = tokio::spawn(async move {
            let alive = move |status: &str| drop(alive.send(status.to_owned()));
            watch(&watched, Duration::from_millis(20), alive, move || miss.send(()).unwrap_or_default()).await;
        });
        missed.recv().await.unwrap();
        missed.recv().await.unwrap();
        assert!(lives.try_recv().is_err(), "it hangs");
        release.send(()).unwrap();
        hanging.await.unwrap();
        assert_eq!(lives.recv().await.unwrap(), "0 contacts, 0 messages held, 0 B");
        node.stop().await;
        watching.await.unwrap();
    }
}
