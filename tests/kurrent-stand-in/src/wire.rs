//! A wire between a client and a server, real or not, that can be cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What goes over the wire, and what no longer does.
#[derive(Debug, Clone, Copy, Default)]
struct Switches {
    /// So many more bytes come through to the server; then both ends find the connection broken.
    bytes_to_server: Option<u64>,
    /// The same towards the client.
    bytes_to_client: Option<u64>,
    /// Nothing comes through any more, and nobody is told.
    silent: bool,
}

/// A port that leads to another one.
pub struct Wire {
    address: SocketAddr,
    switches: Arc<Mutex<Switches>>,
    /// Grows when every connection is to break.
    cut: Arc<watch::Sender<u64>>,
    listening: JoinHandle<()>,
}

impl Wire {
    /// A wire to a server.
    ///
    /// # Panics
    /// Loopback has no free port.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (switches, cut) = (Arc::default(), Arc::new(watch::channel(0).0));
        let listening = tokio::spawn(accept(listener, server, Arc::clone(&switches), Arc::clone(&cut)));
        Self { address, switches, cut, listening }
    }

    /// Its client's end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks the connections once so many more bytes went to the server, and to the client.
    pub fn cut_after(&self, bytes_to_server: Option<u64>, bytes_to_client: Option<u64>) {
        let mut switches = self.lock();
        switches.bytes_to_server = bytes_to_server;
        switches.bytes_to_client = bytes_to_client;
    }

    /// Whether [`Wire::cut_after`] is still to happen.
    pub fn will_be_cut(&self) -> bool {
        let switches = self.lock();
        switches.bytes_to_server.is_some() || switches.bytes_to_client.is_some()
    }

    /// Lets nothing through any more, and tells nobody; or lets it through again.
    pub fn silence(&self, silent: bool) {
        self.lock().silent = silent;
    }

    /// Breaks what is connected now.
    pub fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Switches> {
        self.switches.lock().expect("a test that panicked has failed already")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    switches: Arc<Mutex<Switches>>,
    cut: Arc<watch::Sender<u64>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (switches, cut) = (Arc::clone(&switches), Arc::clone(&cut));
        tokio::spawn(async move {
            // A server that is not there: the client finds its connection closed.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let mut broken = cut.subscribe();
            let (from_client, to_client) = prepared(client).into_split();
            let (from_server, to_server) = prepared(server).into_split();
            tokio::select! {
                () = carry(from_client, to_server, &switches, |switches| &mut switches.bytes_to_server) => {}
                () = carry(from_server, to_client, &switches, |switches| &mut switches.bytes_to_client) => {}
                _ = broken.changed() => {}
            }
        });
    }
}

fn prepared(socket: TcpStream) -> TcpStream {
    socket.set_nodelay(true).expect("a socket just made can be told");
    socket
}

/// Carries bytes one way until one end closes, or the wire is cut.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    switches: &Mutex<Switches>,
    left: impl Fn(&mut Switches) -> &mut Option<u64>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let (through, ends) = {
            let mut switches = switches.lock().expect("a test that panicked has failed already");
            if switches.silent {
                (0, false)
            } else {
                match left(&mut switches) {
                    None => (read, false),
                    Some(left) if *left > read as u64 => {
                        *left -= read as u64;
                        (read, false)
                    }
                    Some(left) => {
                        let through = *left as usize;
                        (switches.bytes_to_server, switches.bytes_to_client) = (None, None);
                        (through, true)
                    }
                }
            }
        };
        if to.write_all(&buffer[..through]).await.is_err() || ends {
            // What was let through is let arrive before both ends close.
            let _ = to.flush().await;
            return;
        }
    }
}
