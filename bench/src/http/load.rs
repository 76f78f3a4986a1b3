//! The two shapes of load.
//!
//! *Closed*: each client asks again once it has its answer, which finds the top rate. *Open*: requests are due at times that do
//! not depend on answers, and a latency counts from when its request was due, whether or not it could be sent then. So a
//! server that stalls cannot hide the stall by holding up who would have measured it (coordinated omission).

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::Connection;
use super::scripts::Script;
use crate::BenchError;
use crate::sample::Sample;

/// How late a request may be sent for want of a free connection. One that is later is not sent at all, and counted: a
/// generator with a queue of its own would measure that queue.
const MAX_LATENESS: Duration = Duration::from_millis(10);

/// A connection with what is asked over it.
pub struct Client {
    connection: Connection,
    script: Box<dyn Script>,
    request: Vec<u8>,
}

impl Client {
    /// Connects one for each script.
    pub async fn all<S: Script + 'static>(
        address: SocketAddr,
        scripts: impl IntoIterator<Item = S>,
    ) -> io::Result<Vec<Self>> {
        let mut clients = Vec::new();
        for script in scripts {
            clients.push(Self::connect(address, script).await?);
        }
        Ok(clients)
    }

    async fn connect(address: SocketAddr, script: impl Script + 'static) -> io::Result<Self> {
        let connection = Connection::open(address).await?;
        Ok(Self { connection, script: Box::new(script), request: Vec::with_capacity(512) })
    }

    /// Asks once; `None` where nothing is left to ask.
    async fn ask(&mut self) -> io::Result<Option<u16>> {
        self.request.clear();
        if !self.script.ask(&mut self.request) {
            return Ok(None);
        }
        let (status, body) = self.connection.ask(&self.request).await?;
        self.script.hear(status, body);
        Ok(Some(status))
    }
}

/// What all clients count into.
struct Counting {
    sample: Mutex<Sample>,
    started: Instant,
    until: Instant,
}

impl Counting {
    fn from(started: Instant, lasting: Duration) -> Arc<Self> {
        Arc::new(Self { sample: Mutex::default(), started, until: started + lasting })
    }

    fn sample(&self) -> MutexGuard<'_, Sample> {
        self.sample.lock().expect("nobody panics with it")
    }

    /// An answer that comes after the end is not counted: neither is the time until it came.
    fn count(&self, status: u16, since: Instant) {
        let now = Instant::now();
        if now <= self.until {
            let mut sample = self.sample();
            sample.record(status, now - since);
            sample.seconds = (now - self.started).as_secs_f64();
        }
    }
}

/// Each client asks again once it has its answer, for so long or until nothing is left to ask.
pub async fn closed(clients: &mut Vec<Client>, lasting: Duration) -> Result<Sample, BenchError> {
    let counting = Counting::from(Instant::now(), lasting);
    run(clients, &counting, |mut client, counting| async move {
        while Instant::now() < counting.until {
            let asked = Instant::now();
            let Some(status) = client.ask().await? else { break };
            counting.count(status, asked);
        }
        Ok(client)
    })
    .await
}

/// `rate` requests a second, for so long, over whichever connections are free.
pub async fn open(clients: &mut Vec<Client>, rate: f64, lasting: Duration) -> Result<Sample, BenchError> {
    let counting = Counting::from(Instant::now(), lasting);
    let arrivals = Arc::new(AtomicU64::new(0));
    run(clients, &counting, move |mut client, counting| {
        let arrivals = Arc::clone(&arrivals);
        async move {
            loop {
                let arrival = arrivals.fetch_add(1, Ordering::Relaxed);
                let due = counting.started + Duration::from_secs_f64(arrival as f64 / rate);
                if due >= counting.until {
                    return Ok(client);
                }
                let now = Instant::now();
                if now > due + MAX_LATENESS {
                    counting.sample().unsent += 1;
                    continue;
                }
                if now < due {
                    tokio::time::sleep_until(due).await;
                }
                let Some(status) = client.ask().await? else { return Ok(client) };
                counting.count(status, due);
            }
        }
    })
    .await
}

async fn run<F>(
    clients: &mut Vec<Client>,
    counting: &Arc<Counting>,
    part: impl Fn(Client, Arc<Counting>) -> F,
) -> Result<Sample, BenchError>
where
    F: Future<Output = io::Result<Client>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for client in clients.drain(..) {
        tasks.spawn(part(client, Arc::clone(counting)));
    }
    while let Some(ended) = tasks.join_next().await {
        clients.push(ended??);
    }
    Ok(std::mem::take(&mut *counting.sample()))
}
