//! A stream on which the answer counts, however far the question came.
//!
//! A node that is busy, or finds a request too large, answers and hangs up while the client may still be writing, or
//! before it began to. HTTP's machinery takes the failed write, or the early answer, for the end of everything.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Wraps `inner`: nothing is read before something was written, and what the other side no longer takes counts as
/// written. Whether there is an answer shows when it is read.
pub struct Asking<S> {
    inner: S,
    has_asked: bool,
    /// A write failed: the other side listens no more.
    is_unheard: bool,
    /// Who wanted to read before anything was asked.
    reader: Option<Waker>,
}

impl<S> Asking<S> {
    pub fn new(inner: S) -> Asking<S> {
        Asking { inner, has_asked: false, is_unheard: false, reader: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Asking<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.has_asked {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Asking<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.is_unheard {
            true => Ok(bytes.len()),
            false => ready!(Pin::new(&mut self.inner).poll_write(cx, bytes)),
        };
        self.is_unheard |= written.is_err();
        self.has_asked = true;
        self.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(written.unwrap_or(bytes.len())))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_unheard { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_unheard { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_shutdown(cx) }
    }
}
