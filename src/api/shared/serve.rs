//! Serving connections: HTTP/1.1, each with a deadline for its next request's head, and an end in good order.

use std::io;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a connection may take to send a request's headers, and so how long an idle one is kept.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections may take to end once the server stops: longer than a command, and short of the ten seconds in
/// which the server is gone.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);
/// How long nothing is accepted after accepting failed: while file handles are lacking, trying at once only burns time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` comes, then answers what is in flight, for 7 seconds at most.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router);
    let connections = GracefulShutdown::new();
    // Told to be HTTP/1 only: a builder that first finds out the version waits for that without any timeout.
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT);
    // Whoever has not ended by then is cut off: a connection holds the engine, which ends with its last holder.
    let (cut_off, cut) = watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut shutdown => break,
            stream = accept(&listener) => stream,
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
        let connection = connections.watch(connection);
        let mut cut = cut.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::debug!("a connection ended early: {error}");
                    }
                }
                // Nothing is ever sent: it fails when the sender is dropped.
                _ = cut.changed() => {}
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("connections that had not ended after {} seconds are cut off", DRAIN_TIMEOUT.as_secs());
    }
    drop(cut_off);
}

/// The next connection; what goes wrong before there is one is logged and survived.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        let accepted = listener.accept().await.and_then(|(stream, _)| {
            // Answers are small and whole: waiting for more to send with them only delays them.
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        match accepted {
            Ok(stream) => return stream,
            Err(error) if is_the_client_s(&error) => tracing::debug!("a connection was gone at once: {error}"),
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    // Where a client is gone already, macOS refuses an option of its socket as an invalid argument.
    [ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected].contains(&error.kind())
}
