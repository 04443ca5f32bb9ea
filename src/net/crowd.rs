//! Bounds the inbound connections whose handshake is not done: past the bound a new one takes the place of the oldest.
//!
//! Thousands of connections that say nothing would otherwise keep everybody out until they time out. An honest handshake
//! is over within a few round trips, so the oldest is hardly ever an honest one.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{AbortHandle, BoxFuture, abortable};
use libp2p::Multiaddr;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, Transport, TransportError, TransportEvent};

pub(super) struct Crowd<O> {
    inner: Boxed<O>,
    max: usize,
    /// The oldest first; those whose `Weak` is dead are through.
    waiting: VecDeque<(AbortHandle, Weak<()>)>,
}

impl<O> Crowd<O> {
    pub fn new(inner: Boxed<O>, max: usize) -> Crowd<O> {
        Crowd { inner, max, waiting: VecDeque::new() }
    }

    fn take_in<F>(&mut self, handshake: F) -> BoxFuture<'static, io::Result<O>>
    where
        F: Future<Output = io::Result<O>> + Send + 'static,
    {
        self.waiting.retain(|(_, waits)| waits.strong_count() > 0);
        if self.waiting.len() >= self.max
            && let Some((oldest, _)) = self.waiting.pop_front()
        {
            oldest.abort();
        }
        let (handshake, handle) = abortable(handshake);
        let waits = Arc::new(());
        self.waiting.push_back((handle, Arc::downgrade(&waits)));
        async move {
            let _waits = waits;
            handshake.await.unwrap_or_else(|_| Err(io::Error::other("newer connections took its place")))
        }
        .boxed()
    }
}

impl<O: 'static> Transport for Crowd<O> {
    type Output = O;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<O>>;
    type Dial = <Boxed<O> as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, addr: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, addr)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, addr: Multiaddr, opts: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(addr, opts)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let crowd = &mut *self;
        Pin::new(&mut crowd.inner).poll(cx).map(|event| event.map_upgrade(|handshake| crowd.take_in(handshake)))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn crowd() -> Crowd<u8> {
        let nowhere = libp2p::core::transport::dummy::DummyTransport::<u8>::new();
        Crowd::new(nowhere.map_err(io::Error::other).boxed(), 2)
    }

    #[tokio::test]
    async fn a_new_handshake_takes_the_place_of_the_oldest() {
        let mut crowd = crowd();
        let mut silent: Vec<_> = (0..2).map(|_| crowd.take_in(pending())).collect();
        let honest = crowd.take_in(async {
            tokio::task::yield_now().await;
            Ok(1)
        });
        assert!(matches!(silent.remove(0).now_or_never(), Some(Err(_))), "the oldest is cut");
        assert!(silent.remove(0).now_or_never().is_none(), "the other one waits on");
        assert_eq!(honest.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn who_is_through_takes_no_place() {
        let mut crowd = crowd();
        let silent = crowd.take_in(pending());
        for n in 0..100 {
            assert_eq!(crowd.take_in(ready(Ok(n))).await.unwrap(), n);
        }
        assert!(silent.now_or_never().is_none());
    }
}
