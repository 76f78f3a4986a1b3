//! Listening on an address that a name may stand for.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use super::ServeError;
use crate::config::ListenAddress;

/// How many connections may wait to be accepted; the system allows no more than its own bound (`net.core.somaxconn`, 4,096 on
/// Linux). Where everyone comes at once, one too many is not refused but forgotten, and its client tries again after a second.
const BACKLOG: u32 = 65_535;

/// Listens for operators. Where everyone is believed, nobody on another machine must reach them.
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

/// Listens on the first address that a name stands for and that can be had.
pub(super) async fn listen(address: &ListenAddress) -> Result<TcpListener, ServeError> {
    let cannot = |error| ServeError::Listen { address: address.clone(), error };
    let mut failed = std::io::Error::other("the name stands for no address");
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

/// Where it listens indeed: a port may have been left to the system.
pub(super) fn local_address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|_| "an address that is not known".to_owned(), |address| address.to_string())
}
