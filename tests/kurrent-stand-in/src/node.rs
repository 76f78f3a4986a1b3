//! One node: it takes connections, and serves each until it ends.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::peer::{Peer, answer};
use crate::store::Shared;

/// How many connections may wait to be taken.
const WAITING: u32 = 1_024;

/// A node that listens, until it is stopped or dropped.
pub struct Node {
    address: SocketAddr,
    /// Keeps the port while the node is stopped, so that nobody else gets it. Who connects meanwhile is refused.
    _port: TcpSocket,
    listening: JoinHandle<()>,
    /// Grows when every connection is to break.
    cut: Arc<watch::Sender<u64>>,
}

impl Node {
    pub async fn start(index: usize, address: SocketAddr, shared: Arc<Shared>) -> std::io::Result<Self> {
        let port = bound(address)?;
        let address = port.local_addr()?;
        let listener = bound(address)?.listen(WAITING)?;
        let cut = Arc::new(watch::channel(0).0);
        let listening = tokio::spawn(accept(listener, index, shared, Arc::clone(&cut)));
        Ok(Self { address, _port: port, listening, cut })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    pub async fn stop(&mut self) {
        self.listening.abort();
        // Nobody listens once the task is gone.
        let _ = (&mut self.listening).await;
        self.cut();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

/// A socket on an address that other sockets of this program may have, too.
fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, index: usize, shared: Arc<Shared>, cut: Arc<watch::Sender<u64>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let all = cut.subscribe();
        tokio::spawn(serve(socket, index, Arc::clone(&shared), all));
    }
}

/// Serves one connection until it ends, or is cut.
async fn serve(socket: TcpStream, index: usize, shared: Arc<Shared>, mut all: watch::Receiver<u64>) {
    socket.set_nodelay(true).expect("a socket just accepted can be told");
    let cut = Arc::new(Notify::new());
    let tls = shared.tls.as_ref().map(|tls| tls.acceptor.clone());
    let peer = Peer { index, shared, cut: Arc::clone(&cut) };
    let service = tower::service_fn(move |request| answer(peer.clone(), request));
    let (builder, service) = (Builder::new(TokioExecutor::new()).http2_only(), TowerToHyperService::new(service));
    let served = async {
        match tls {
            None => drop(builder.serve_connection(TokioIo::new(socket), service).await),
            Some(tls) => {
                if let Ok(socket) = tls.accept(socket).await {
                    drop(builder.serve_connection(TokioIo::new(socket), service).await);
                }
            }
        }
    };
    tokio::select! {
        () = served => {}
        () = cut.notified() => {}
        _ = all.changed() => {}
    }
}
