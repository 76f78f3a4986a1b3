//! Serves connections: HTTP/1.1, with a deadline for the head of each request, and an orderly end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::Service;
use tower::util::{MapFuture, MapRequest};

use super::connections::{Connection, ConnectionSlot, Connections, IsStream};
use super::limits::PeerAddress;
use super::stalled::Unstalled;

/// How long a connection may take to send a request's headers, and so how long an idle one is kept.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections may take to end once the server stops: longer than a command, and short of the ten seconds in
/// which the server is gone.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);
/// The pause after accepting failed: while there are no free file handles, trying at once only wastes time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The largest head of a request, and so the buffer of a connection. A larger head is answered 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves `router` until `shutdown` comes. Then it finishes the requests that have begun, for at most 7 seconds. If
/// there are too many connections, those that have been idle longest are closed. Requests carry their peer's address if
/// requests are counted by address.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    max_connections: usize,
    counts_addresses: bool,
    shutdown: impl Future<Output = ()>,
) {
    let connections = Connections::at_most(max_connections);
    let draining = GracefulShutdown::new();
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT);
    http.max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_HEAD_BYTES);
    // A client that has closed its sending side may still read: `nc -N`, `socat` and scripts do.
    http.half_close(true);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let service = TowerToHyperService::new(counted(
            router.clone(),
            counts_addresses.then_some(peer),
            Arc::clone(&place.connection),
        ));
        let connection = http.serve_connection(TokioIo::new(Unstalled::new(stream)), service);
        let connection = draining.watch(connection);
        tokio::spawn(until_let_go(connection, place));
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, draining.shutdown()).await.is_err() {
        tracing::warn!("connections that had not ended after {} seconds were closed", DRAIN_TIMEOUT.as_secs());
    }
    // A connection holds an engine handle, and the sequencer ends only after the last handle.
    connections.cut_off();
}

/// Wraps the router: requests get the peer's address, and the connection counts its requests. A stream marks its
/// connection as never idle.
fn counted(
    router: Router,
    peer: Option<PeerAddress>,
    connection: Arc<Connection>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + Clone + Send {
    let addressed = MapRequest::new(router, move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        request
    });
    MapFuture::new(addressed, move |answered: RouteFuture<Infallible>| {
        let answering = connection.answering();
        async move {
            let response = answered.await?;
            if response.extensions().get::<IsStream>().is_some() {
                answering.connection().is_a_stream_now();
            }
            Ok(response)
        }
    })
}

async fn until_let_go(connection: impl Future<Output = Result<(), hyper::Error>>, place: ConnectionSlot) {
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended early: {error}");
                }
                return;
            }
            () = place.connection.is_let_go() => {
                if place.connection.must_go() {
                    return;
                }
            }
        }
    }
}

/// Accepts the next connection after there is a place for it. Errors of accepting are logged, and accepting goes on.
async fn accept(listener: &TcpListener, connections: &Arc<Connections>) -> (TcpStream, PeerAddress, ConnectionSlot) {
    // Wait for a place first: a client that cannot be served yet waits in the system's queue, and needs no file handle.
    let place = connections.place().await;
    loop {
        let accepted = listener.accept().await.and_then(|(stream, peer)| {
            // Answers are small and written whole: waiting for more bytes would only delay them.
            stream.set_nodelay(true)?;
            Ok((stream, PeerAddress(peer.ip())))
        });
        match accepted {
            Ok((stream, peer)) => {
                place.connection.begin();
                return (stream, peer, place);
            }
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
    // If a client is gone already, macOS refuses a socket option as an invalid argument.
    [ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected].contains(&error.kind())
}
