//! Signals: some of them stop the server, and no other one does.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signal for a write beyond the limit of `ulimit -f`. With a handler, the write fails as on a full disk.
/// <https://man7.org/linux/man-pages/man7/signal.7.html>
const SIGXFSZ: i32 = 25;

/// The signals that stop the server.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// Handles all signals that can be handled, so that none ends the process at once.
    ///
    /// # Errors
    /// The system refuses the handler.
    pub fn heed() -> io::Result<Self> {
        let (hangup, user1, user2) = (SignalKind::hangup(), SignalKind::user_defined1(), SignalKind::user_defined2());
        for (kind, name) in [(hangup, "SIGHUP"), (user1, "SIGUSR1"), (user2, "SIGUSR2")] {
            let mut signal = signal(kind)?;
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    tracing::info!("{name}: the server ignores this signal; SIGTERM stops it");
                }
            });
        }
        survive_long_files()?;
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, quit: signal(SignalKind::quit())? })
    }

    /// Ends with the first SIGTERM, SIGINT or SIGQUIT.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }

    /// Ends with the next SIGINT. A person who sends it to a stopping server does not want to wait.
    pub async fn interrupt(&mut self) {
        self.interrupt.recv().await;
    }
}

/// Lets a write beyond the limit of a file's size fail instead of ending the process.
///
/// # Errors
/// The system refuses the handler.
pub fn survive_long_files() -> io::Result<()> {
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}
