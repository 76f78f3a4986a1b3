//! Signals: which of them stop the server, and that none of the others does.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Sent to whoever writes more to a file than `ulimit -f` allows. Heeded, the write fails as on a full disk.
/// <https://man7.org/linux/man-pages/man7/signal.7.html>
const SIGXFSZ: i32 = 25;

/// Those that stop the server.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// From now on no signal that can be heeded ends the process by itself.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn heed() -> io::Result<Self> {
        let (hangup, user1, user2) = (SignalKind::hangup(), SignalKind::user_defined1(), SignalKind::user_defined2());
        for (kind, name) in [(hangup, "SIGHUP"), (user1, "SIGUSR1"), (user2, "SIGUSR2")] {
            let mut signal = signal(kind)?;
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    tracing::info!("{name}: the server goes on as it is; SIGTERM stops it");
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

    /// Ends with the next SIGINT: whoever sends that to a server that is stopping does not want to wait.
    pub async fn interrupt(&mut self) {
        self.interrupt.recv().await;
    }
}

/// Lets a write beyond the limit of a file's size fail instead of ending the process.
///
/// # Errors
/// The system does not let us.
pub fn survive_long_files() -> io::Result<()> {
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}
