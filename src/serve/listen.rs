//! Listens on an address, which may be given by a name.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use super::ServeError;
use crate::config::ListenAddress;

/// How many connections may wait to be accepted. The system has its own limit (`net.core.somaxconn`, 4,096 on Linux). A
/// connection beyond the limit is not refused but ignored, and its client tries again after a second.
const BACKLOG: u32 = 65_535;

/// Listens for operators. Without an identity provider the address must be loopback, so that no other machine can reach
/// it.
pub(super) async fn listen_for_operators(
    address: &ListenAddress,
    believes_everyone: bool,
) -> Result<TcpListener, ServeError> {
    let listener = listen(address).await?;
    let is_own = listener.local_addr().is_ok_and(|bound| bound.ip().to_canonical().is_loopback());
    if believes_everyone && !is_own {
        return Err(ServeError::OperationsForAll(address.clone()));
    }
    Ok(listener)
}

/// Listens on the first free address that a name stands for.
pub(super) async fn listen(address: &ListenAddress) -> Result<TcpListener, ServeError> {
    let cannot = |error| ServeError::Listen { address: address.clone(), error };
    let mut failed = std::io::Error::other("the name has no address");
    for resolved in address.resolve().await.map_err(cannot)? {
        match bind(resolved) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(cannot(failed))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The address on which it listens. The system may have chosen the port.
pub(super) fn local_address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|_| "an address that is not known".to_owned(), |address| address.to_string())
}
