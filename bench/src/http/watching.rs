//! Many who watch the line, on a thread of their own, so that who asks is not held up by them.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::requests;
use crate::BenchError;

/// What ends a frame.
const END: &[u8] = b"\n\n";
/// What stands before the number that is being served.
const SERVING: &[u8] = br#""servingNumber":"#;
/// How many connect at a time: a listener's backlog is finite.
const AT_ONCE: usize = 250;

/// What one subscriber saw: when, and which number was being served.
pub type Seen = Vec<(Instant, u64)>;

/// All who watch.
pub struct Watchers {
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<Vec<Seen>, BenchError>>,
}

impl Watchers {
    /// So many subscribers of the queue. They are there when this returns, and each has its first frame.
    pub fn open(address: SocketAddr, count: usize) -> Result<Self, BenchError> {
        let (stop, stopped) = watch::channel(false);
        let (opened, all_open) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(watch_all(address, count, stopped, opened))
        });
        // Where one cannot connect, the thread ends, and says why when it is joined.
        let _ = all_open.recv();
        Ok(Self { stop, thread })
    }

    /// Ends them, and tells what each saw.
    pub fn end(self) -> Result<Vec<Seen>, BenchError> {
        let _ = self.stop.send(true);
        self.thread.join().map_err(|_| BenchError::NotServed("who watches failed".to_owned()))?
    }
}

async fn watch_all(
    address: SocketAddr,
    count: usize,
    stopped: watch::Receiver<bool>,
    opened: mpsc::Sender<()>,
) -> Result<Vec<Seen>, BenchError> {
    let mut watching = JoinSet::new();
    for first in (0..count).step_by(AT_ONCE) {
        let mut connecting = JoinSet::new();
        for _ in first..count.min(first + AT_ONCE) {
            connecting.spawn(Watcher::open(address));
        }
        while let Some(watcher) = connecting.join_next().await {
            watching.spawn(watcher??.watch(stopped.clone()));
        }
    }
    let _ = opened.send(());
    let mut all = Vec::new();
    while let Some(seen) = watching.join_next().await {
        all.push(seen??);
    }
    Ok(all)
}

/// One stream of the queue.
struct Watcher {
    stream: TcpStream,
    received: Vec<u8>,
    seen: Seen,
}

impl Watcher {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&requests::anyone("/api/queue/stream")).await?;
        let mut watcher = Self { stream, received: Vec::new(), seen: Vec::new() };
        while watcher.seen.is_empty() {
            watcher.hear().await?;
        }
        Ok(watcher)
    }

    async fn watch(mut self, mut stopped: watch::Receiver<bool>) -> io::Result<Seen> {
        loop {
            tokio::select! {
                _ = stopped.changed() => return Ok(self.seen),
                heard = self.hear() => heard?,
            }
        }
    }

    /// Reads on, and notes what whole frames say.
    async fn hear(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = last(&self.received, END) else { return Ok(()) };
        if let Some(number) = last(&self.received[..end], SERVING).and_then(|from| number(&self.received[from..])) {
            self.seen.push((Instant::now(), number));
        }
        self.received.drain(..end);
        // Ten thousand buffers are memory, too: a frame is small.
        self.received.shrink_to(1_024);
        Ok(())
    }
}

/// Where the last `what` ends.
fn last(received: &[u8], what: &[u8]) -> Option<usize> {
    received.windows(what.len()).rposition(|window| window == what).map(|at| at + what.len())
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_heard_once_it_is_whole() {
        let frame = br#"data: {"roomId":1,"servingNumber":17,"waiting":2}"#;
        assert_eq!(last(frame, END), None);
        let whole = [frame.as_slice(), END].concat();
        assert_eq!(last(&whole, END), Some(whole.len()));
        assert_eq!(last(&whole, SERVING).and_then(|from| number(&whole[from..])), Some(17));
    }
}
