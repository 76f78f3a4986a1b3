//! Standard error, without waiting for its reader: lines go into a queue, which a thread writes. If nobody reads, the
//! queue fills. Further lines are dropped and counted, and the count is written when somebody reads again.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// How many lines may wait.
const WAITING_LINES: usize = 1_024;
/// How long the program waits at its end for its last lines to be written.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The number of lines that were dropped since the program began.
static LOST: AtomicU64 = AtomicU64::new(0);
/// The program's only queue, after its start.
static QUEUE: OnceLock<Queue> = OnceLock::new();

/// How many lines were lost.
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Starts the queue. From now on all lines go through it, also the messages of panics.
pub fn start() -> Queue {
    let queue = QUEUE.get_or_init(|| Queue::to(io::stderr())).clone();
    std::panic::set_hook(Box::new(|panic| say(&panic.to_string())));
    queue
}

/// Writes a line.
pub fn say(line: &str) {
    match QUEUE.get() {
        Some(queue) => queue.put(format!("{line}\n").into_bytes()),
        // If the line cannot be written, there is still the exit code.
        None => drop(writeln!(io::stderr(), "{line}")),
    }
}

/// Waits until all lines are written, for half a second at most.
pub fn end() {
    if let Some(queue) = QUEUE.get() {
        queue.end();
    }
}

/// Lines that wait to be written.
#[derive(Debug, Clone)]
pub struct Queue(SyncSender<Waiting>);

#[derive(Debug)]
enum Waiting {
    Line(Vec<u8>),
    /// A mark: it is answered when all lines before it are written.
    End(SyncSender<()>),
}

impl Queue {
    fn to(out: impl Write + Send + 'static) -> Self {
        let (lines, waiting) = sync_channel(WAITING_LINES);
        let told = lost();
        std::thread::spawn(move || write_all(out, &waiting, told));
        Self(lines)
    }

    fn put(&self, line: Vec<u8>) {
        if self.0.try_send(Waiting::Line(line)).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn end(&self) {
        let deadline = Instant::now() + LAST_LINES;
        let (written, all_written) = sync_channel(1);
        while let Err(TrySendError::Full(_)) = self.0.try_send(Waiting::End(written.clone())) {
            if Instant::now() > deadline {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // A late answer has no effect.
        let _ = all_written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// A line that cannot be written (a full disk, a closed pipe) is lost.
fn write_all(mut out: impl Write, waiting: &Receiver<Waiting>, mut told: u64) {
    for waiting in waiting {
        match waiting {
            Waiting::Line(line) => drop(out.write_all(&line)),
            Waiting::End(written) => drop(written.try_send(())),
        }
        let lost = lost();
        if lost > told {
            let _ = writeln!(out, "{} lines were lost here: the reader was too slow", lost - told);
            told = lost;
        }
    }
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn whoever_does_not_read_keeps_nobody_waiting_and_is_told_how_much_was_lost() {
        let (mut reader, writer) = io::pipe().unwrap();
        let (queue, before, begun) = (Queue::to(writer), lost(), Instant::now());
        (0..20_000).for_each(|number| queue.put(format!("line {number}\n").into_bytes()));
        queue.end();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let lost = lost() - before;
        assert!(lost > 0, "a pipe of 64 KiB holds no 20,000 lines");
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        queue.end();
        queue.put(b"the last one\n".to_vec());
        drop(queue);
        let text = reading.join().unwrap();
        let told = text.lines().filter_map(|line| line.strip_suffix(" lines were lost here: the reader was too slow"));
        assert_eq!(told.map(|number| number.parse::<u64>().unwrap()).sum::<u64>(), lost);
        assert!(text.ends_with("the last one\n"));
    }
}
