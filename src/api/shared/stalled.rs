//! A connection that fails if the client does not read its answers for too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long writing may stand still. Otherwise a client that never reads would keep its connection and its buffers for
/// ever.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// A byte stream whose writing fails after it has stood still for [`WRITE_TIMEOUT`].
#[derive(Debug)]
pub struct Unstalled<S> {
    stream: S,
    /// The timer, made when writing stands still for the first time. Most connections never need it.
    deadline: Option<Pin<Box<Sleep>>>,
    is_still: bool,
}

impl<S> Unstalled<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, deadline: None, is_still: false }
    }

    /// Returns the result of writing, or an error if writing stood still for too long.
    fn check_stall<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_still = false;
            return written;
        }
        let at = Instant::now() + WRITE_TIMEOUT;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if !self.is_still {
            self.is_still = true;
            deadline.as_mut().reset(at);
        }
        ready!(deadline.as_mut().poll(context));
        let seconds = WRITE_TIMEOUT.as_secs();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("nothing could be written for {seconds} seconds"),
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_stall(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.check_stall(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writing_may_stand_still_for_30_seconds_each_time() {
        let (here, mut there) = tokio::io::duplex(10);
        let mut writer = Unstalled::new(here);
        let writing = tokio::spawn(async move { writer.write_all(&[0; 40]).await });
        for _ in 0..3 {
            tokio::time::sleep(WRITE_TIMEOUT - Duration::from_secs(1)).await;
            there.read_exact(&mut [0; 10]).await.unwrap();
        }
        assert!(writing.await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_any_more_is_given_up() {
        let (here, _there) = tokio::io::duplex(10);
        let mut writer = Unstalled::new(here);
        let started = Instant::now();
        let failed = writer.write_all(&[0; 11]).await.unwrap_err();
        assert_eq!((failed.kind(), started.elapsed()), (io::ErrorKind::TimedOut, WRITE_TIMEOUT));
    }
}
